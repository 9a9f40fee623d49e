/*
 * worlds.c -- random worlds from the command line: a range of seeds, one seed with everything that happens in it, or
 * without end on all cores.
 *
 *     sim_worlds [--first N] [--count N]     so many worlds, and a table of what happened in them
 *     sim_worlds --seed N [--shrink]         this one, told; the smallest that still fails
 *     sim_worlds --forever [--jobs N]        until Ctrl-C
 *     sim_worlds --fleet ...                 the same of fleets, on one core: --first, --count, or --seed
 */
#include "sim/fleets.h"
#include "sim/many.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    many_options o = {.first = 1, .count = 20000, .jobs = 1};
    uint64_t seed = 0;
    bool shrinks = false, is_fleet = false;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--shrink") == 0)
            shrinks = true;
        else if (strcmp(argv[i], "--fleet") == 0)
            is_fleet = true;
        else if (strcmp(argv[i], "--forever") == 0)
            o.count = 0;
        else if (has_value && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--first") == 0)
            o.first = strtoull(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--count") == 0)
            o.count = strtoull(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--jobs") == 0)
            o.jobs = atoi(argv[++i]);
        else {
            fprintf(
                stderr,
                "usage: sim_worlds [--fleet] [--first N] [--count N | --forever] [--jobs N] | --seed N [--shrink]\n");
            return 2;
        }
    }
    if (is_fleet && !seed) {
        fleets_sum sum;
        fleets_range(o.first, o.count, &sum);
        fleets_print(&sum);
        return sum.failed != 0;
    }
    if (is_fleet)
        return fleets_one(seed, shrinks);
    return seed ? many_one(seed, shrinks) : many_run(&o);
}
