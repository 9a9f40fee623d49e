/*
 * bench_instructions -- the same 1,000 durable steps every time, for an instruction count (bench/instructions).
 *
 *     bench_instructions DIR IN_FLIGHT
 *
 * Engine, core, store and SQLite on a file, all on one thread, with a clock that stands still and ids from a seed. The
 * steps that count are those within counted_steps(); what is before it makes caches and tables warm.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAINS_WARM 100
#define CHAINS      200

__attribute__((noinline)) static void counted_steps(bench_rig *rig)
{
    bench_rig_run(rig, CHAINS);
    __asm__ volatile(""); /* no tail call: the counting ends when this returns */
}

int main(int argc, char **argv)
{
    long in_flight = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (in_flight < 1) {
        fprintf(stderr, "usage: bench_instructions DIR IN_FLIGHT\n");
        return 2;
    }
    char file[BENCH_PATH_MAX];
    snprintf(file, sizeof file, "%s/instructions.db", argv[1]);
    bench_store_remove(file);
    bench_rig *rig =
        bench_rig_new(&(bench_rig_options){.file = file, .in_flight = (size_t) in_flight, .is_in_thread = true});
    bench_rig_run(rig, CHAINS_WARM);
    counted_steps(rig);
    bench_rig_free(rig);
    bench_store_remove(file);
    return 0;
}
