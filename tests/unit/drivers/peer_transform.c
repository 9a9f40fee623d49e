/* A worker of the transform driver, as catena is one when it is started with --transform-worker. */
#include "drivers/transform/worker.h"
#include <stddef.h>

int main(int argc, char **argv)
{
    return ctn_transform_worker_main(argc == 2 ? argv[1] : NULL);
}
