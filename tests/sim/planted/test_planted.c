/*
 * Faults planted one after the other: the simulator finds each within so many seeds, and finds nothing where none is.
 */
#include "base/plant.h"
#include "sim/chaos.h"
#include "sim/planted/search.h"
#include "support/cmocka.h"

#define SEEDS_MAX 2000

static const char *const names[] = {
#define X(name) #name,
    CTN_PLANTS(X)
#undef X
};

static void world(uint64_t seed, sim_failure *ret_failure)
{
    chaos_report report;
    chaos_run(&(chaos_options){.seed = seed}, &report);
    *ret_failure = report.failure;
}

static void every_planted_fault_is_found(void **state)
{
    (void) state;
    assert_true(CTN_PLANT_COUNT - 1 >= 12);
    plants_are_found(world, names, 1, CTN_PLANT_COUNT, SEEDS_MAX);
}

static void where_nothing_is_planted_nothing_is_found(void **state)
{
    (void) state;
    nothing_is_found_where_nothing_is(world, SEEDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_fault_is_found),
        cmocka_unit_test(where_nothing_is_planted_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
