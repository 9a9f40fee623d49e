/* Everything at once and at random: many executions, tools that misbehave, deaths, a disk that fails, cuts of the power
 * and again, the log moved by whoever comes. POWER_SEED=n tries one seed, POWER_SEEDS=n so many (make power). */
#include "power/power.h"
#include "power/stride.h"
#include "sim/chance.h"
#include "sim/chains.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef POWER_IS_SLOW
enum { SEEDS = 30 };
#else
enum { SEEDS = 120 };
#endif

static int set_up(void **state)
{
    *state = power_new();
    return 0;
}

static int tear_down(void **state)
{
    power_free(*state);
    return 0;
}

static power_point roll(uint64_t seed, const char *name)
{
    uint64_t chance = seed * 2654435761u + 9;
    const sim_chain *chain = sim_chains[chance_below(&chance, SIM_CHAIN_COUNT)];
    static const unsigned kinds[] = {DISK_ALL_KINDS, 1u << DISK_SYNC, 1u << DISK_WRITE, 1u << DISK_READ,
                                     1u << DISK_SYNC | 1u << DISK_WRITE | 1u << DISK_TRUNCATE};
    power_point point = {.name = name,
                         .chain = chain->yaml,
                         .child = chain->child,
                         .seed = seed,
                         .executions = (int) chance_between(&chance, 1, 12),
                         .fault_percent = (int) chance_below(&chance, 3) * 10,
                         .die_chance_percent = (int) chance_below(&chance, 3),
                         .plan = DISK_NO_PLAN,
                         .cuts_again = (int) chance_below(&chance, 4),
                         .checkpoint_every = (int) chance_below(&chance, 4)};
    if (chance_percent(&chance, 80)) {
        point.plan.cut_at = chance_between(&chance, 0, 120);
        point.plan.loss = (disk_loss) chance_below(&chance, DISK_LOSSES);
    }
    if (chance_percent(&chance, 50)) {
        point.plan.fail_at = chance_between(&chance, 0, 150);
        point.plan.fail_count = chance_between(&chance, 1, 30);
        point.plan.fail_kinds = CHANCE_OF(&chance, kinds);
        point.plan.fails_full = chance_percent(&chance, 30) && point.plan.fail_kinds == 1u << DISK_WRITE;
    }
    /* The checkpointer's own thread: when it comes is not the seed's to say. */
    if (chance_percent(&chance, 25))
        point.url_options = "?checkpoint=16";
    return point;
}

static void nothing_at_random_breaks_a_promise(void **state)
{
    const char *only = getenv("POWER_SEED"), *many = getenv("POWER_SEEDS");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : many ? strtoull(many, NULL, 10) : SEEDS;
    int64_t cuts = 0, deaths = 0, failures = 0;
    for (uint64_t seed = first; seed <= last; seed++) {
        char name[60];
        snprintf(name, sizeof name, "POWER_SEED=%llu:", (unsigned long long) seed);
        power_point point = roll(seed, name);
        power_result r = power_run(*state, &point, CTN_STATUS_COUNT, NULL);
        cuts += r.cuts;
        deaths += r.deaths;
        failures += r.failures;
        if (seed % 1000 == 0)
            fprintf(stderr, "%llu seeds, %lld cuts\n", (unsigned long long) seed, (long long) cuts);
    }
    printf("random: %llu worlds, %lld cuts, %lld deaths, %lld failures of the disk\n",
           (unsigned long long) (last - first + 1), (long long) cuts, (long long) deaths, (long long) failures);
    assert_true(only || (cuts > 0 && deaths > cuts && failures > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_at_random_breaks_a_promise, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
