/* The power goes at every change of the disk: what was acknowledged is there, nothing is done twice, all goes on. */
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

/* ---- power ---- */

/* By every loss; at two of three points the power goes again, and once more, while what was left is taken up. */
static int64_t cut_everywhere(power *p, const sim_chain *chain, const power_point *like, int stride, const char *about)
{
    int64_t points = 0;
    for (int loss = 0; loss < DISK_LOSSES; loss++) {
        int choices = power_choices();
        bool was_cut = true;
        for (int64_t n = loss % stride; was_cut; n += stride)
            for (int choice = 0; choice < choices; choice++) {
                char name[140];
                snprintf(name, sizeof name, "%s%s, cut at change %lld (%d.), keeps %s:", chain->name, about,
                         (long long) n, choice, disk_loss_name((disk_loss) loss));
                power_point point = *like;
                point.name = name;
                point.chain = chain->yaml;
                point.child = chain->child;
                point.seed = (uint64_t) ((n * DISK_LOSSES + loss) * choices + choice);
                point.cuts_again = (int) ((n + choice) % 3);
                point.plan.cut_at = n;
                point.plan.loss = (disk_loss) loss;
                power_result r = power_run(p, &point, chain->expected, chain->check);
                was_cut = r.was_cut;
                points += r.cuts;
            }
    }
    return points;
}

static void what_was_acknowledged_survives_a_cut_at_every_change(void **state)
{
    int64_t total = 0;
    for (size_t c = 0; c < SIM_CHAIN_COUNT; c++) {
        int64_t points = cut_everywhere(*state, sim_chains[c], &(power_point){.plan = DISK_NO_PLAN}, STRIDE, "");
        printf("  %s: %lld cuts\n", sim_chains[c]->name, (long long) points);
        total += points;
    }
    printf("power: %lld cuts tried (every %d. change)\n", (long long) total, STRIDE);
    assert_true(total > 400 / STRIDE);
}

/* The log is small and is moved into the file again and again, by another connection, before each second commit. */
static void the_log_is_moved_while_the_power_goes(void **state)
{
    int64_t total = 0;
    for (int c = 0; c < (power_choices() > 1 ? SIM_CHAIN_COUNT : 1); c++)
        total += cut_everywhere(*state, sim_chains[c], &(power_point){.plan = DISK_NO_PLAN, .checkpoint_every = 2},
                                power_stride(), " with checkpoints");
    printf("checkpoints: %lld cuts tried (every %d. change)\n", (long long) total, power_stride());
    assert_true(total > 200 / power_stride());
}

/* ... and in the middle of a commit: at every change, with the power gone a few changes later. */
static void the_log_is_moved_in_the_middle_of_a_commit(void **state)
{
    const sim_chain *chain = &sim_straight;
    int64_t points = 0;
    bool was_cut = true;
    for (int64_t n = 0; was_cut; n += STRIDE)
        for (int64_t later = n % 2; later < 10; later += power_stride() / STRIDE) {
            char name[100];
            snprintf(name, sizeof name, "checkpoint at change %lld, cut %lld changes later:", (long long) n,
                     (long long) later);
            power_point point = {.name = name,
                                 .chain = chain->yaml,
                                 .seed = (uint64_t) (n * 10 + later),
                                 .plan = DISK_NO_PLAN,
                                 .checkpoint_in = true};
            point.plan.call_at = n;
            point.plan.cut_at = n + later;
            point.plan.loss = (disk_loss) (later % DISK_LOSSES);
            power_result r = power_run(*state, &point, chain->expected, chain->check);
            was_cut = r.was_cut;
            points += r.cuts;
        }
    printf("checkpoints in commits: %lld cuts tried (every %d. change)\n", (long long) points, STRIDE);
    assert_true(points > 50 / STRIDE);
}

/* With synchronous=NORMAL the last moments may be gone, and that is found out; never anything else: what is there is
 * whole (power.c verifies it each time). */
static void normal_loses_the_last_moments_and_nothing_else(void **state)
{
    int64_t points = 0, losses = 0;
    bool was_cut = true;
    for (int64_t n = 0; was_cut; n += power_stride())
        for (int loss = 0; loss < DISK_LOSSES; loss++) {
            power_point point = {.name = "synchronous=normal:",
                                 .chain = sim_straight.yaml,
                                 .url_options = "?synchronous=normal",
                                 .seed = (uint64_t) (n * DISK_LOSSES + loss),
                                 .plan = DISK_NO_PLAN,
                                 .checkpoint_every = loss % 2 ? 3 : 0,
                                 .tolerates_loss = true};
            point.plan.cut_at = n;
            point.plan.loss = (disk_loss) loss;
            power_result r = power_run(*state, &point, CTN_STATUS_COMPLETED, NULL);
            was_cut = r.was_cut;
            losses += r.has_lost;
            points += r.cuts;
        }
    printf("normal: %lld of %lld cuts lost something\n", (long long) losses, (long long) points);
    assert_true(losses > points / 10 && losses < points);
}

/* The harness itself: a disk that does not sync must be found out. */
static void a_disk_that_ignores_syncs_is_found_out(void **state)
{
    int64_t points = 0, losses = 0;
    bool was_cut = true;
    for (int64_t n = 0; was_cut; n++, points++) {
        power_point point = {.name = "no syncs:",
                             .chain = sim_straight.yaml,
                             .seed = (uint64_t) n,
                             .plan = DISK_NO_PLAN,
                             .tolerates_loss = true};
        point.plan.cut_at = n;
        point.plan.ignores_sync = true;
        power_result r = power_run(*state, &point, CTN_STATUS_COMPLETED, NULL);
        was_cut = r.was_cut;
        losses += r.has_lost;
    }
    printf("blind: %lld of %lld cuts lost something\n", (long long) losses, (long long) points);
    assert_true(losses > points / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_a_cut_at_every_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_moved_while_the_power_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_moved_in_the_middle_of_a_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(normal_loses_the_last_moments_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_ignores_syncs_is_found_out, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
