/* The power goes at every change of the disk: what was acknowledged is there, nothing is done twice, all goes on. */
#include "power/chains.h"
#include "power/power.h"
#include "power/stride.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

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

static void expect(const power_point *point, const power_chain *chain, ctn_status status)
{
    if (status != chain->expected)
        fail_msg("%s: %s", point->name, ctn_status_name(status));
}

/* ---- power ---- */

static void what_was_acknowledged_survives_a_cut_at_every_change(void **state)
{
    int64_t total = 0;
    for (size_t c = 0; c < power_chain_count; c++) {
        const power_chain *chain = &power_chains[c];
        int64_t points = 0;
        for (int loss = 0; loss < DISK_LOSSES; loss++) {
            bool was_cut = true;
            for (int64_t n = loss % STRIDE; was_cut; n += STRIDE) {
                char name[100];
                snprintf(name, sizeof name, "%s, cut at change %lld, keeps %s:", chain->name, (long long) n,
                         disk_loss_name((disk_loss) loss));
                power_point point = {.name = name,
                                     .chain = chain->yaml,
                                     .child = chain->child,
                                     .seed = (uint64_t) (n * DISK_LOSSES + loss),
                                     .plan = DISK_NO_PLAN,
                                     .again = DISK_NO_PLAN};
                point.plan.cut_at = n;
                point.plan.loss = (disk_loss) loss;
                power_result r = power_run(*state, &point, chain->check);
                expect(&point, chain, r.status);
                was_cut = r.was_cut;
                points += was_cut;
            }
        }
        printf("  %s: %lld points\n", chain->name, (long long) points);
        total += points;
    }
    printf("power: %lld points tried (every %d. change)\n", (long long) total, STRIDE);
    assert_true(total > 300 / STRIDE);
}

/* The harness itself: a disk that does not sync must be found out. */
static void a_disk_that_ignores_syncs_is_found_out(void **state)
{
    int64_t points = 0, losses = 0;
    bool was_cut = true;
    for (int64_t n = 0; was_cut; n++, points++) {
        power_point point = {.name = "no syncs:",
                             .chain = power_chains[0].yaml,
                             .seed = (uint64_t) n,
                             .plan = DISK_NO_PLAN,
                             .again = DISK_NO_PLAN,
                             .tolerates_loss = true};
        point.plan.cut_at = n;
        point.plan.ignores_sync = true;
        power_result r = power_run(*state, &point, NULL);
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
        cmocka_unit_test_setup_teardown(a_disk_that_ignores_syncs_is_found_out, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
