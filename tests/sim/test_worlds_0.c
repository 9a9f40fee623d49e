/* Random worlds, the first half. */
#include "sim/shard.h"

int main(void)
{
    return shard_main(0);
}
