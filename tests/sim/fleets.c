#include "sim/fleets.h"

#define FAILURES_MAX 5

static void tell_failure(uint64_t seed, const char *why)
{
    fprintf(stderr, "seed %llu: %s\n    sim_worlds --fleet --seed %llu plays it again\n", (unsigned long long) seed,
            why, (unsigned long long) seed);
}

uint64_t fleets_default(void)
{
    return SIM_FLEETS;
}

void fleets_range(uint64_t first, uint64_t count, fleets_sum *ret_sum)
{
    *ret_sum = (fleets_sum){0};
    for (uint64_t seed = first; seed < first + count && ret_sum->failed < FAILURES_MAX; seed++) {
        fleet_report r;
        fleet_run(&(fleet_options){.seed = seed}, &r);
        ret_sum->worlds++;
        ret_sum->counting += r.has_counted;
        for (int i = 0; i < FLEET_COUNT; i++) {
            ret_sum->counts[i] += r.counts[i];
            ret_sum->worlds_with[i] += r.counts[i] > 0;
        }
        if (!r.failure.is_told)
            continue;
        tell_failure(seed, r.failure.why);
        if (ret_sum->failed++ == 0)
            ret_sum->first_failed = seed;
    }
}

void fleets_print(const fleets_sum *sum)
{
    printf("  %llu fleets, in %llu of them enough happened; %llu broke a promise\n", (unsigned long long) sum->worlds,
           (unsigned long long) sum->counting, (unsigned long long) sum->failed);
    for (int i = 0; i < FLEET_COUNT; i++)
        printf("  %-16s %10llu in %7llu worlds\n", fleet_count_name((fleet_count) i),
               (unsigned long long) sum->counts[i], (unsigned long long) sum->worlds_with[i]);
}

/* The smaller one, if it fails as well. */
static void take_if_it_fails(fleet_options *o, const fleet_options *smaller)
{
    fleet_report report;
    fleet_run(smaller, &report);
    if (report.failure.is_told)
        *o = *smaller;
}

static void shrink(fleet_options *o)
{
    for (int i = 1; i < 8 && !o->executions_max; i++) {
        fleet_options smaller = *o;
        smaller.executions_max = i;
        take_if_it_fails(o, &smaller);
    }
    for (int i = 2; i < 5 && !o->nodes_max; i++) {
        fleet_options smaller = *o;
        smaller.nodes_max = i;
        take_if_it_fails(o, &smaller);
    }
    for (unsigned i = 0; i < FLEET_FAULT_COUNT; i++) {
        fleet_options smaller = *o;
        smaller.without |= 1u << i;
        take_if_it_fails(o, &smaller);
    }
    printf("left out: faults %#x; executions %d, nodes %d (0: as they were)\n", o->without, o->executions_max,
           o->nodes_max);
}

int fleets_one(uint64_t seed, bool shrinks)
{
    fleet_options o = {.seed = seed};
    fleet_report report;
    fleet_run(&o, &report);
    if (shrinks && report.failure.is_told)
        shrink(&o);
    o.trace = stdout;
    fleet_run(&o, &report);
    fflush(stdout);
    if (!report.failure.is_told) {
        printf("it kept its promises\n");
        return 0;
    }
    tell_failure(seed, report.failure.why);
    return 1;
}
