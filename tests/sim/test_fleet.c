/*
 * Random worlds of fleets: nodes that die, stop and are cut off, on one store, and nothing is lost or done twice.
 * SIM_FLEETS: how many seeds instead of the build's own; SIM_SEED: the first one.
 */
#include "sim/fleets.h"
#include "support/cmocka.h"

#include <stdlib.h>

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *said = getenv(name);
    return said ? strtoull(said, NULL, 10) : otherwise;
}

static void random_fleets_keep_every_promise(void **state)
{
    (void) state;
    fleets_sum sum;
    fleets_range(number_of("SIM_SEED", 1), number_of("SIM_FLEETS", fleets_default()), &sum);
    fleets_print(&sum);
    assert_int_equal(sum.failed, 0);
    if (sum.worlds < 1000)
        return;
    /* A fleet in which nothing happens keeps every promise: enough of everything must have happened. */
    assert_true(sum.counting > sum.worlds / 2);
    for (int i = 0; i < FLEET_COUNT; i++)
        if (sum.worlds_with[i] * 500 < sum.worlds && i != FLEET_REPEATED_WRITES)
            fail_msg("only %llu of %llu worlds have %s", (unsigned long long) sum.worlds_with[i],
                     (unsigned long long) sum.worlds, fleet_count_name((fleet_count) i));
}

static void a_seed_gives_the_same_fleet_again(void **state)
{
    (void) state;
    fleet_report first, second;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fleet_run(&(fleet_options){.seed = seed}, &first);
        fleet_run(&(fleet_options){.seed = seed}, &second);
        assert_memory_equal(first.counts, second.counts, sizeof first.counts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_fleets_keep_every_promise),
        cmocka_unit_test(a_seed_gives_the_same_fleet_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
