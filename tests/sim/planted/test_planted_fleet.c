/*
 * Faults of a fleet planted one after the other: the simulator finds each within so many seeds.
 *
 * Those of the engine and the store are in their sources; those of who keeps a node's lease are in the simulator's own
 * member (sim/fleet_*.c), which does what src/fleet/member.c does with a thread.
 */
#include "base/plant.h"
#include "sim/fleet.h"
#include "sim/planted/search.h"
#include "support/cmocka.h"

#define SEEDS_MAX 4000

static const char *const names[] = {
#define X(name) #name,
    CTN_FLEET_PLANTS(X)
#undef X
};

static void world(uint64_t seed, sim_failure *ret_failure)
{
    fleet_report report;
    fleet_run(&(fleet_options){.seed = seed}, &report);
    *ret_failure = report.failure;
}

static void every_planted_fault_is_found(void **state)
{
    (void) state;
    plants_are_found(world, names, CTN_PLANT_OF_ONE_NODE + 1, CTN_PLANT_OF_FLEET_COUNT, SEEDS_MAX);
}

static void where_nothing_is_planted_nothing_is_found(void **state)
{
    (void) state;
    nothing_is_found_where_nothing_is(world, SEEDS_MAX / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_fault_is_found),
        cmocka_unit_test(where_nothing_is_planted_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
