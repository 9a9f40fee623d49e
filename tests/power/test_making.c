/* The power goes while a store is made, migrated, owned, written to beside executions, pruned and shrunk: it is there
 * as it was or as it should be, and what was said to be done is done. */
#include "power/power.h"
#include "power/stride.h"
#include "sim/chains.h"
#include "store/audit.h"
#include "store/retention.h"
#include "store/verify.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What had returned before the power went. */
typedef struct told {
    const power_point *point;
    uint64_t epochs[8];
    int epoch_count, good_byes;
    int schedules, breakers, results, audits, definitions;
    int committed; /* executions that ended */
    bool was_migrated, was_pruned;
} told;

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("%s %s", t->point->name, #condition);                                                             \
    } while (0)

static void say_finding(void *ctx, const ctn_verify_finding *finding)
{
    fail_msg("%s %s: %.*s", ((told *) ctx)->point->name, finding->rule, CTN_STR_ARG(finding->what));
}

static void verify(told *t, ctn_store *store)
{
    ctn_verify_report report;
    ctn_err err = {0};
    if (ctn_store_verify(store, &(ctn_verify_options){.on_finding = say_finding, .ctx = t}, &report, &err))
        fail_msg("%s %s", t->point->name, err.message);
}

static ctn_store *open_again(told *t, const char *url)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    if (ctn_store_open(url, CTN_STORE_CREATE, &store, &err))
        fail_msg("%s the store does not open: %s", t->point->name, err.message);
    return store;
}

/* Cut at change 0, then 1, then 2 ... until the work is done without one; in a test run at every second, and what is
 * left there is another choice than at its neighbours. */
static int64_t cut_everywhere(power *p, power_from from, const char *about, int factor, power_work *work,
                              power_work *judge)
{
    int64_t points = 0;
    int choices = factor * power_choices();
    for (int loss = 0; loss < DISK_LOSSES; loss++) {
        bool was_cut = true;
        for (int64_t n = loss % power_stride(); was_cut; n += power_stride())
            for (int choice = 0; choice < (loss < DISK_KEEPS_FIRST ? 1 : choices); choice++) {
                char name[140];
                snprintf(name, sizeof name, "%s, cut at change %lld (%d.), keeps %s:", about, (long long) n, choice,
                         disk_loss_name((disk_loss) loss));
                power_point point = {.name = name,
                                     .from = from,
                                     .seed = (uint64_t) ((n * DISK_LOSSES + loss) * choices + choice),
                                     .plan = DISK_NO_PLAN};
                point.plan.cut_at = n;
                point.plan.loss = (disk_loss) loss;
                told t = {.point = &point};
                was_cut = power_try(p, &point, work, judge, &t).was_cut;
                points++;
            }
    }
    printf("%s: %lld cuts tried (every %d. change)\n", about, (long long) points, power_stride());
    assert_true(points > 40 / power_stride());
    return points;
}

/* ---- making and migrating ---- */

static int open_and_begin(const char *url, void *ctx)
{
    told *t = ctx;
    ctn_store *store = NULL;
    bool was_crash;
    int rc = ctn_store_open(url, CTN_STORE_CREATE, &store, NULL);
    t->was_migrated = rc == CTN_OK;
    if (rc == CTN_OK && ctn_store_epoch_begin(store, &t->epochs[0], &was_crash, NULL) == CTN_OK)
        t->epoch_count++;
    ctn_store_close(store);
    return rc;
}

static int is_a_store(const char *url, void *ctx)
{
    told *t = ctx;
    ctn_err err = {0};
    ctn_store *store = NULL;
    uint64_t epoch = 0;
    bool was_crash = false;
    if (t->was_migrated) { /* somebody was told that it is one: even who may not make one opens it */
        if (ctn_store_open(url, CTN_STORE_WRITE, &store, &err))
            fail_msg("%s it was a store: %s", t->point->name, err.message);
        ctn_store_close(store);
    }
    store = open_again(t, url);
    MUST(ctn_store_epoch_begin(store, &epoch, &was_crash, NULL) == CTN_OK);
    MUST(epoch > t->epochs[0]);
    MUST(was_crash || t->epoch_count == 0);
    if (t->point->from == POWER_FROM_SCHEMA_1) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_definition definition;
        MUST(ctn_store_definition_get(store, arena, &(ctn_digest){0}, &definition, NULL) == CTN_OK);
        MUST(ctn_str_is(definition.name, "old"));
        ctn_arena_free(arena);
    } else {
        verify(t, store);
    }
    ctn_store_close(store);
    return 0;
}

static void a_store_is_made_or_not_made(void **state)
{
    cut_everywhere(*state, POWER_FROM_NOTHING, "making a store", 1, open_and_begin, is_a_store);
}

static void a_store_is_migrated_or_not_migrated(void **state)
{
    cut_everywhere(*state, POWER_FROM_SCHEMA_1, "migrating a store", 2, open_and_begin, is_a_store);
}

/* ---- owners, and what is written beside executions ---- */

static int own_and_write(const char *url, void *ctx)
{
    told *t = ctx;
    int rc = CTN_OK;
    for (int i = 0; rc == CTN_OK && i < 3; i++) {
        ctn_store *store = NULL;
        bool was_crash;
        rc = ctn_store_open(url, CTN_STORE_CREATE, &store, NULL);
        if (rc == CTN_OK)
            rc = ctn_store_epoch_begin(store, &t->epochs[i], &was_crash, NULL);
        t->epoch_count += rc == CTN_OK;
        ctn_schedule_row schedule = {
            .chain_id = CTN_STR("c"), .cron = CTN_STR("* * * * *"), .timezone = CTN_STR("UTC"), .seen_at_ms = i + 1};
        if (rc == CTN_OK)
            rc = ctn_store_schedule_put(store, &schedule, NULL);
        t->schedules += rc == CTN_OK;
        ctn_breaker_row breaker = {.name = CTN_STR("tool a/b"), .state = CTN_STR("open"), .until_ms = i + 1};
        if (rc == CTN_OK)
            rc = ctn_store_breaker_put(store, &breaker, NULL);
        t->breakers += rc == CTN_OK;
        ctn_audit_entry entry = {.at_ms = i + 1, .actor = CTN_STR("sam"), .action = CTN_STR("store.init")};
        if (rc == CTN_OK)
            rc = ctn_store_audit(store, &entry, NULL);
        t->audits += rc == CTN_OK;
        if (rc == CTN_OK)
            rc = ctn_store_epoch_end(store, t->epochs[i], NULL);
        t->good_byes += rc == CTN_OK;
        ctn_store_close(store);
    }
    return rc;
}

static int take_schedule(void *ctx, const ctn_schedule_row *row)
{
    *(int64_t *) ctx = row->seen_at_ms;
    return 0;
}

static int take_breaker(void *ctx, const ctn_breaker_row *row)
{
    *(int64_t *) ctx = row->until_ms;
    return 0;
}

static int what_was_told_is_there(const char *url, void *ctx)
{
    told *t = ctx;
    ctn_store *store = open_again(t, url);
    int64_t schedule = 0, breaker = 0, audits = 0;
    uint64_t epoch = 0, epoch_last = t->epoch_count ? t->epochs[t->epoch_count - 1] : 0;
    bool was_crash = false;
    verify(t, store);
    MUST(ctn_store_schedule_list(store, take_schedule, &schedule, NULL) == CTN_OK);
    MUST(ctn_store_breaker_list(store, take_breaker, &breaker, NULL) == CTN_OK);
    MUST(ctn_store_audit_count(store, &audits, NULL) == CTN_OK);
    /* what was told, or one more that was on its way */
    MUST(schedule == t->schedules || schedule == t->schedules + 1);
    MUST(breaker == t->breakers || breaker == t->breakers + 1);
    MUST(audits == t->audits || audits == t->audits + 1);
    MUST(ctn_store_epoch_begin(store, &epoch, &was_crash, NULL) == CTN_OK);
    MUST(epoch > epoch_last);
    if (t->epoch_count > t->good_byes && t->audits < t->epoch_count)
        MUST(was_crash); /* the last owner had not begun to say good-bye */
    if (epoch == epoch_last + 1 && t->good_byes == t->epoch_count)
        MUST(!was_crash); /* it had, and nobody came after it */
    ctn_store_close(store);
    return 0;
}

static void owners_and_what_they_note_are_there(void **state)
{
    cut_everywhere(*state, POWER_FROM_EMPTY, "owning and noting", 1, own_and_write, what_was_told_is_there);
}

/* ---- executions that end, go, and give their space back ---- */

enum { ENDED = 16, BODY_BYTES = 6000 };

static int put_executions(ctn_store *store, told *t)
{
    static char text[BODY_BYTES + 16];
    ctn_arena *arena = ctn_arena_new(65536);
    uint64_t epoch = 0;
    bool was_crash;
    int rc = ctn_store_epoch_begin(store, &epoch, &was_crash, NULL);
    memset(text, 'x', BODY_BYTES);
    for (int64_t n = 1; rc == CTN_OK && n <= ENDED; n++) {
        ctn_digest hash = {0};
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "padding", ctn_str_from(text));
        ctn_entry entry = {.seq = 1, .at_ms = n, .kind = CTN_ENTRY_FAILED, .item = -1, .body = ctn_json_finish(&b)};
        ctn_record record = ctn_entry_to_record(&entry, &hash, arena);
        ctn_execution_row row = {.exec_no = n,
                                 .chain_id = CTN_STR("c"),
                                 .chain_version = 1,
                                 .status = CTN_STATUS_FAILED,
                                 .created_at_ms = n,
                                 .finished_at_ms = n};
        memcpy(row.id.bytes, &n, sizeof n);
        ctn_append append = {.exec_no = n, .epoch = epoch, .row = &row, .records = &record, .count = 1};
        ctn_outcome outcome;
        rc = ctn_store_commit(store, &append, 1, &outcome, NULL);
        t->committed += rc == CTN_OK;
    }
    ctn_arena_free(arena);
    return rc;
}

static int put_and_prune(const char *url, void *ctx)
{
    told *t = ctx;
    ctn_store *store = NULL;
    ctn_prune what = {.entries_max = 8};
    ctn_prune_walk walk = {0};
    ctn_pruned sum = {0};
    bool more = true;
    for (size_t i = 0; i < CTN_STATUS_COUNT; i++)
        what.before_ms[i] = ENDED / 2 + 1; /* the older half */
    int rc = ctn_store_open(url, CTN_STORE_CREATE, &store, NULL);
    if (rc == CTN_OK)
        rc = put_executions(store, t);
    while (rc == CTN_OK && !walk.is_done)
        rc = ctn_store_prune(store, &what, &walk, &sum, NULL);
    while (rc == CTN_OK && more)
        rc = ctn_store_shrink(store, 8, &more, NULL);
    t->was_pruned = rc == CTN_OK;
    ctn_store_close(store);
    return rc;
}

typedef struct seen {
    ctn_store *store;
    told *t;
    int older, younger;
} seen;

static int has_its_entry(void *ctx, const ctn_record *record, int64_t position)
{
    (void) position;
    *(size_t *) ctx += record->body.len > BODY_BYTES;
    return 0;
}

static int look_at(void *ctx, const ctn_execution_row *row)
{
    seen *s = ctx;
    const told *t = s->t;
    size_t entries = 0;
    MUST(ctn_store_journal_read(s->store, row->exec_no, 1, has_its_entry, &entries, NULL) == CTN_OK);
    MUST(entries == 1);
    if (row->exec_no <= ENDED / 2)
        s->older++;
    else
        s->younger++;
    return 0;
}

static int younger_are_there(const char *url, void *ctx)
{
    told *t = ctx;
    seen s = {.store = open_again(t, url), .t = t};
    int64_t last = 0;
    MUST(ctn_store_execution_list(s.store, &(ctn_execution_filter){0}, look_at, &s, NULL) == CTN_OK);
    int younger = t->committed > ENDED / 2 ? t->committed - ENDED / 2 : 0;
    MUST(s.younger == younger || s.younger == younger + 1);
    if (t->committed < ENDED) /* nothing goes before that */
        MUST(s.older + s.younger >= t->committed);
    if (t->was_pruned)
        MUST(s.older == 0);
    MUST(ctn_store_exec_no_last(s.store, &last, NULL) == CTN_OK);
    MUST(last >= t->committed);
    ctn_store_close(s.store);
    return 0;
}

static void what_goes_goes_whole_and_the_rest_stays(void **state)
{
    cut_everywhere(*state, POWER_FROM_EMPTY, "pruning", 1, put_and_prune, younger_are_there);
}

/* ---- an engine that makes its own store ---- */

static void a_chain_whose_store_is_not_made_yet_runs_once(void **state)
{
    const sim_chain *chain = &sim_straight;
    int64_t points = 0;
    bool was_cut = true;
    for (int64_t n = 0; was_cut; n += STRIDE)
        for (int loss = 0; loss < DISK_LOSSES; loss++) {
            char name[100];
            snprintf(name, sizeof name, "from nothing, cut at change %lld, keeps %s:", (long long) n,
                     disk_loss_name((disk_loss) loss));
            power_point point = {.name = name,
                                 .chain = chain->yaml,
                                 .seed = (uint64_t) (n * DISK_LOSSES + loss),
                                 .from = POWER_FROM_NOTHING,
                                 .plan = DISK_NO_PLAN};
            point.plan.cut_at = n;
            point.plan.loss = (disk_loss) loss;
            was_cut = power_run(*state, &point, chain->expected, chain->check).was_cut;
            points++;
        }
    printf("a chain that makes its store: %lld cuts tried (every %d. change)\n", (long long) points, STRIDE);
    assert_true(points > 100 / STRIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_is_made_or_not_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_is_migrated_or_not_migrated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(owners_and_what_they_note_are_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_goes_goes_whole_and_the_rest_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_whose_store_is_not_made_yet_runs_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
