/* The checker of histories: a good one passes, and every way to break a promise is seen. */
#include "fleet/history.h"
#include "support/cmocka.h"

#include <string.h>

#define SHARDS 4
#define TAKE(n, s, e, crash)                                                                                           \
    {                                                                                                                  \
        .kind = HISTORY_TAKEN, .node = (n), .shard = (s), .epoch = (e), .was_crash = (crash)                           \
    }
#define ENTRY(n, x, e, q, end)                                                                                         \
    {                                                                                                                  \
        .kind = HISTORY_ENTRY, .node = (n), .exec_no = (x), .epoch = (e), .seq = (q), .is_end = (end)                  \
    }

/* Two nodes; the first starts execution 5 (shard 1), sends a write and dies; the second takes over and ends it. */
static const history_event good[] = {
    {.kind = HISTORY_JOINED, .node = 1, .until_ms = 3500},
    {.kind = HISTORY_JOINED, .node = 2, .until_ms = 3500},
    TAKE(1, 1, 1, false),
    TAKE(2, 2, 1, false),
    {.kind = HISTORY_STARTED, .key = "run-1", .exec_no = 5},
    ENTRY(1, 5, 1, 1, false),
    {.kind = HISTORY_ACCEPTED, .key = "run-1"},
    {.kind = HISTORY_DONE, .request = 7},
    {.kind = HISTORY_BEAT, .node = 2, .until_ms = 6000},
    ENTRY(1, 5, 1, 2, false),
    {.kind = HISTORY_ARRIVED, .key = "book", .node = 1, .exec_no = 5},
    {.kind = HISTORY_EFFECT, .key = "book"},
    {.kind = HISTORY_BURIED, .node = 1, .at_ms = 4500},
    TAKE(2, 1, 2, true),
    ENTRY(2, 5, 2, 3, true),
    {.kind = HISTORY_RELEASED, .node = 2, .shard = 2},
    TAKE(2, 2, 2, false),
    {.kind = HISTORY_LEFT, .node = 2},
};
#define GOOD (sizeof good / sizeof good[0])
enum { BEAT_OF_2 = 8, BURIAL = 12, TAKEOVER = 13, LAST_ENTRY = 14, RELEASE = 15, RETAKE = 16 };

/* The good history, with one event in another's place or (at GOOD) behind it; NULL: it is left out. */
static void judge_with(size_t place, const history_event *instead, history_counts *ret_counts, char *ret_why)
{
    history *h = history_new(&(history_rules){.shard_count = SHARDS, .settle_ms = 1000});
    for (size_t i = 0; i < GOOD; i++)
        if (i != place)
            history_add(h, &good[i]);
        else if (instead)
            history_add(h, instead);
    if (place == GOOD)
        history_add(h, instead);
    history_finish(h);
    *ret_counts = *history_counted(h);
    strcpy(ret_why, history_broken(h) ? history_broken(h) : "");
    history_free(h);
}

static void is_seen(size_t place, const history_event *instead, const char *what)
{
    history_counts counts;
    char why[400];
    judge_with(place, instead, &counts, why);
    if (!strstr(why, what))
        fail_msg("expected \"%s\", told was \"%s\"", what, why);
}

static void a_good_history_passes_and_is_counted(void **state)
{
    (void) state;
    history_counts counts;
    char why[400];
    judge_with(GOOD + 1, NULL, &counts, why);
    assert_string_equal(why, "");
    assert_int_equal(counts.takes, 4);
    assert_int_equal(counts.takeovers, 1);
    assert_int_equal(counts.entries, 3);
    assert_int_equal(counts.writes, 1);
}

static void a_fence_that_is_missing_is_seen(void **state)
{
    (void) state;
    is_seen(LAST_ENTRY, &(history_event) ENTRY(1, 5, 1, 3, true), "its shard is held by 2");
    is_seen(LAST_ENTRY, &(history_event) ENTRY(2, 5, 1, 3, true), "under epoch 1");
    is_seen(LAST_ENTRY, &(history_event) ENTRY(2, 5, 2, 2, true), "follows entry 2");
    is_seen(RELEASE, &(history_event) ENTRY(2, 5, 2, 4, false), "after its end");
}

static void a_lease_that_is_taken_too_early_is_seen(void **state)
{
    (void) state;
    is_seen(BURIAL, &(history_event){.kind = HISTORY_BURIED, .node = 1, .at_ms = 4499}, "buried 1 ms before");
    is_seen(BURIAL, NULL, "and node 1 holds it");
    is_seen(BEAT_OF_2, &(history_event){.kind = HISTORY_BEAT, .node = 1, .until_ms = 9000}, "is buried 5500 ms before");
    is_seen(LAST_ENTRY, &(history_event){.kind = HISTORY_BEAT, .node = 1, .until_ms = 9000}, "does not live any more");
}

static void an_epoch_that_stays_or_a_death_that_is_kept_quiet_is_seen(void **state)
{
    (void) state;
    is_seen(TAKEOVER, &(history_event) TAKE(2, 1, 1, true), "under epoch 1 after epoch 1");
    is_seen(TAKEOVER, &(history_event) TAKE(2, 1, 2, false), "gave it back, and it did not");
    is_seen(RETAKE, &(history_event) TAKE(2, 2, 2, true), "did not give it back, and it did");
    is_seen(TAKEOVER, &(history_event) TAKE(1, 1, 2, true), "which does not live");
}

static void what_is_started_twice_lost_or_left_open_is_seen(void **state)
{
    (void) state;
    is_seen(RELEASE, &(history_event){.kind = HISTORY_STARTED, .key = "run-1", .exec_no = 6}, "is execution 5 and 6");
    is_seen(RELEASE, &(history_event){.kind = HISTORY_ACCEPTED, .key = "run-2"}, "is not there");
    is_seen(LAST_ENTRY, &(history_event) ENTRY(2, 5, 2, 3, false), "has not ended");
    is_seen(RELEASE, &(history_event){.kind = HISTORY_DONE, .request = 7}, "done twice");
}

static void a_write_that_is_late_or_repeated_is_seen(void **state)
{
    (void) state;
    is_seen(RELEASE, &(history_event){.kind = HISTORY_ARRIVED, .key = "pay", .node = 1, .exec_no = 5}, "node 2's");
    is_seen(RELEASE, &(history_event){.kind = HISTORY_EFFECT, .key = "book"}, "took effect twice");
}

static void the_documented_case_is_counted_and_not_judged(void **state)
{
    (void) state;
    history *h = history_new(&(history_rules){.shard_count = SHARDS, .settle_ms = 1000});
    for (size_t i = 0; i <= LAST_ENTRY; i++)
        history_add(h, &good[i]);
    history_add(h,
                &(history_event){.kind = HISTORY_ARRIVED, .key = "book", .node = 1, .exec_no = 5, .was_stopped = true});
    history_add(h, &(history_event){.kind = HISTORY_EFFECT, .key = "book"});
    history_finish(h);
    assert_null(history_broken(h));
    assert_int_equal(history_counted(h)->late_writes, 1);
    assert_int_equal(history_counted(h)->repeated_writes, 1);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_history_passes_and_is_counted),
        cmocka_unit_test(a_fence_that_is_missing_is_seen),
        cmocka_unit_test(a_lease_that_is_taken_too_early_is_seen),
        cmocka_unit_test(an_epoch_that_stays_or_a_death_that_is_kept_quiet_is_seen),
        cmocka_unit_test(what_is_started_twice_lost_or_left_open_is_seen),
        cmocka_unit_test(a_write_that_is_late_or_repeated_is_seen),
        cmocka_unit_test(the_documented_case_is_counted_and_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
