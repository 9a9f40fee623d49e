/* Random worlds, the second half. */
#include "sim/shard.h"

int main(void)
{
    return shard_main(1);
}
