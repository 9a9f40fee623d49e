#include "sim/shard.h"

#include "sim/many.h"
#include "support/cmocka.h"

static many_sum run_half(int nth)
{
    many_sum sum;
    uint64_t count = SIM_WORLDS / 2;
    many_range(1 + (uint64_t) nth * count, count, &sum);
    return sum;
}

static void random_worlds_keep_every_promise(void **state)
{
    int nth = *(const int *) *state;
    many_sum sum = run_half(nth);
    many_print(&sum);
    assert_int_equal(sum.failed, 0);
    /* A world in which nothing happens keeps every promise: enough of everything must have happened. */
    assert_true(sum.counting > sum.worlds * 3 / 4);
    for (int i = 0; i < CHAOS_COUNT; i++)
        if (sum.worlds_with[i] * 250 < sum.worlds)
            fail_msg("only %llu of %llu worlds have %s", (unsigned long long) sum.worlds_with[i],
                     (unsigned long long) sum.worlds, chaos_count_name((chaos_count) i));
}

static void a_seed_gives_the_same_world_again(void **state)
{
    chaos_report first, second;
    uint64_t base = 1000 * (uint64_t) (1 + *(const int *) *state);
    for (uint64_t seed = base; seed < base + 20; seed++) {
        chaos_run(&(chaos_options){.seed = seed}, &first);
        chaos_run(&(chaos_options){.seed = seed}, &second);
        assert_memory_equal(first.counts, second.counts, sizeof first.counts);
    }
}

int shard_main(int nth)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(random_worlds_keep_every_promise, &nth),
        cmocka_unit_test_prestate(a_seed_gives_the_same_world_again, &nth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
