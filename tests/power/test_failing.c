/* A disk that fails and heals, or is full for a while: nothing is lost or repeated, and the engine goes on by itself.
 */
#include "power/power.h"
#include "power/stride.h"
#include "sim/chains.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

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

typedef struct failing {
    const char *about;
    unsigned kinds;
    bool is_full;
    int64_t count; /* so many operations fail, then it heals */
} failing;

/* From operation 0 on, then 1 (or, in a test run, 2), then 2 ... until a run has so few. */
static void fail_everywhere(power *p, const sim_chain *chain, const failing *f, int64_t first, int64_t *ret_points,
                            int64_t *ret_deaths)
{
    int64_t met = 1, stride = power_stride() * (f->count > 1 && power_choices() == 1 ? 2 : 1);
    for (int64_t n = first % stride; met; n += stride) {
        char name[120];
        snprintf(name, sizeof name, "%s, %s from operation %lld on, %lld times:", chain->name, f->about, (long long) n,
                 (long long) f->count);
        power_point point = {.name = name,
                             .chain = chain->yaml,
                             .child = chain->child,
                             .seed = (uint64_t) n + 1000,
                             .plan = DISK_NO_PLAN};
        point.plan.fail_at = n;
        point.plan.fail_count = f->count;
        point.plan.fail_kinds = f->kinds;
        point.plan.fails_full = f->is_full;
        power_result r = power_run(p, &point, chain->expected, chain->check);
        met = r.failures;
        *ret_points += met > 0;
        *ret_deaths += r.deaths > 0;
    }
}

static void fail_all_chains(power *p, const char *about, const failing *all, size_t count)
{
    int64_t total = 0, deaths = 0;
    for (size_t c = 0; c < SIM_CHAIN_COUNT; c++)
        for (size_t i = 0; i < count; i++) {
            int64_t points = 0;
            fail_everywhere(p, sim_chains[c], &all[i], (int64_t) (3 * i + 5 * c), &points, &deaths);
            total += points;
        }
    printf("%s: %lld points tried (every %d. operation, half of them where several fail), %lld of them ended the "
           "process at its start\n",
           about, (long long) total, power_stride(), (long long) deaths);
    assert_true(total > 40 / power_stride());
    assert_true(STRIDE > 1 || deaths < total / 2); /* those that met the opening of the store */
}

static void an_error_of_the_disk_loses_and_repeats_nothing(void **state)
{
    static const failing all[] = {
        {"an I/O error", DISK_ALL_KINDS, false, 1},
        {"I/O errors", DISK_ALL_KINDS, false, 25},
    };
    fail_all_chains(*state, "I/O errors", all, sizeof all / sizeof all[0]);
}

static void a_sync_that_fails_loses_and_repeats_nothing(void **state)
{
    static const failing all[] = {
        {"failing syncs", 1u << DISK_SYNC, false, 1},
        {"failing syncs", 1u << DISK_SYNC, false, 4},
        {"failing writes and syncs", 1u << DISK_SYNC | 1u << DISK_WRITE, false, 2},
    };
    fail_all_chains(*state, "failing syncs", all, sizeof all / sizeof all[0]);
}

/* A failed sync may be the last word on what it was for: the kernel keeps it to read, and no later sync writes it. The
 * process that goes on must not build on it. (A new process cannot know: points that end the process are passed by.) */
static void what_a_failed_sync_forgot_is_not_built_on(void **state)
{
    int64_t points = 0;
    for (size_t c = 0; c < SIM_CHAIN_COUNT; c++) {
        const sim_chain *chain = sim_chains[c];
        int64_t met = 1, stride = power_choices() > 1 ? STRIDE : 5 + STRIDE;
        for (int64_t n = 0; met; n++) {
            char name[100];
            snprintf(name, sizeof name, "%s, sync %lld fails and forgets:", chain->name, (long long) n);
            power_point point = {.name = name,
                                 .chain = chain->yaml,
                                 .child = chain->child,
                                 .seed = (uint64_t) n + 5000,
                                 .plan = DISK_NO_PLAN,
                                 .checkpoint_every = n % 2 ? 3 : 0};
            point.plan.fail_at = n;
            point.plan.fail_count = 1;
            point.plan.fail_kinds = 1u << DISK_SYNC;
            point.plan.forgets_failed = true;
            /* At its end everything is looked for as after a cut that keeps nothing. */
            power_result r = power_run(*state, &point, chain->expected, chain->check);
            met = r.failures;
            for (int64_t later = 1; met && r.deaths == 0 && later < 24; later += stride) {
                point.plan.cut_at = r.changes * later / 24;
                point.plan.loss = (disk_loss) (later % DISK_LOSSES);
                points += power_run(*state, &point, chain->expected, chain->check).cuts;
            }
        }
    }
    printf("forgetful syncs: %lld cuts tried, at each sync\n", (long long) points);
    assert_true(points > 50);
}

static void a_full_disk_stops_and_goes_on(void **state)
{
    static const failing all[] = {
        {"a full disk", 1u << DISK_WRITE, true, 1},
        {"a full disk", 1u << DISK_WRITE, true, 60},
    };
    fail_all_chains(*state, "full disk", all, sizeof all / sizeof all[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_error_of_the_disk_loses_and_repeats_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_that_fails_loses_and_repeats_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_failed_sync_forgot_is_not_built_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_stops_and_goes_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
