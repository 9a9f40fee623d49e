/*
 * suite_fleet.c -- what several nodes are promised who share a store: nodes, shards, commits and what is loaded
 * (store/fleet.h; requests, keys, numbers and limits are in suite_fleet_shares.c).
 *
 * The store has sixteen shards, and of an execution its number says which. Leases are a minute long, so that none runs
 * out by itself; suite_later makes it later.
 */
#include "suite_fleet.h"
#include "store/principals.h"
#include "store/tool_pins.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- nodes ---- */

static int tell_node(void *ctx, const ctn_node_row *row)
{
    return suite_note(ctx, "%.*s/%s%s %.*s %.*s %.*s %u;", CTN_STR_ARG(row->name), row->is_live ? "live" : "dead",
                      row->is_leaving ? " leaving" : "", CTN_STR_ARG(row->version), CTN_STR_ARG(row->address),
                      CTN_STR_ARG(row->labels), row->shard_count);
}

static const char *listed(suite_fixture *f, suite_seen *seen)
{
    *seen = (suite_seen){0};
    assert_ok(ctn_store_node_list(f->second, tell_node, seen, &err_));
    return seen->text;
}

static void a_node_is_listed_as_it_joined(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    suite_node b = suite_join(f, "b"), a = suite_join(f, "a");
    suite_take(&b, 3);
    assert_string_equal(listed(f, &seen),
                        "a/live 1.2 http://a:1 {\"gpu\":true} 0; b/live 1.2 http://b:1 {\"gpu\":true} 3;");
    ctn_beat beat = suite_beat(f, &a);
    assert_int_equal(beat.node_count, 2);
    for (size_t i = 0; i < beat.node_count; i++) {
        const ctn_node_row *row = &beat.nodes[i];
        bool is_a = row->incarnation == a.incarnation;
        assert_str(row->name, is_a ? "a" : "b");
        assert_str(row->labels, "{\"gpu\":true}");
        assert_int_equal(row->shard_count, is_a ? 0 : 3);
        assert_true(row->joined_at_ms > 0 && row->joined_at_ms <= row->beat_at_ms && row->beat_at_ms <= beat.now_ms);
        assert_int_equal(row->expires_at_ms - row->beat_at_ms, SUITE_TERM_MS);
    }
    assert_int_equal(beat.free_count, SUITE_SHARDS - 3);
    assert_ok(ctn_store_node_leave(b.st, b.incarnation, &err_));
    assert_string_equal(listed(f, &seen),
                        "a/live 1.2 http://a:1 {\"gpu\":true} 0; b/dead 1.2 http://b:1 {\"gpu\":true} 0;");
    suite_later(f, SUITE_DAY_MS + 1000);
    assert_ok(ctn_store_node_beat(a.st, a.incarnation, SUITE_TERM_MS, true, f->arena, &beat, &err_));
    assert_string_equal(listed(f, &seen), "a/live leaving 1.2 http://a:1 {\"gpu\":true} 0;");
    suite_part_with(&a);
    suite_part_with(&b);
}

static void what_is_required_has_the_same_shards_for_whoever_asks(void **state)
{
    suite_fixture *f = *state;
    ctn_shard_set gpu, north, again, seen = {{0}};
    const ctn_need *needs = NULL;
    size_t count = 99;
    suite_node a = suite_join(f, "a");
    assert_ok(ctn_store_need_list(f->second, f->arena, &needs, &count, &err_));
    assert_int_equal(count, 0);
    assert_ok(ctn_store_need_claim(f->st, S("{\"gpu\":true}"), &gpu, &err_));
    assert_ok(ctn_store_need_claim(a.st, S("{\"zone\":\"north\"}"), &north, &err_));
    assert_ok(ctn_store_need_claim(a.st, S("{\"gpu\":true}"), &again, &err_));
    assert_memory_equal(&gpu, &again, sizeof gpu);
    assert_int_equal(ctn_shard_set_count(&gpu), 1);
    assert_int_equal(ctn_shard_set_count_in(&gpu, &north), 0);
    assert_ok(ctn_store_need_list(f->second, f->arena, &needs, &count, &err_));
    ctn_beat beat = suite_beat(f, &a);
    assert_int_equal(count, 2);
    assert_int_equal(beat.need_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_str(needs[i].requires, i == 0 ? "{\"gpu\":true}" : "{\"zone\":\"north\"}");
        assert_str(beat.needs[i].requires, i == 0 ? "{\"gpu\":true}" : "{\"zone\":\"north\"}");
        assert_memory_equal(&needs[i].shards, i == 0 ? &gpu : &north, sizeof gpu);
        assert_memory_equal(&beat.needs[i].shards, i == 0 ? &gpu : &north, sizeof gpu);
    }
    ctn_err err = {0};
    int rc = CTN_OK;
    uint32_t claimed = 2;
    for (; rc == CTN_OK && claimed < 2 * SUITE_SHARDS; claimed += rc == CTN_OK) {
        char text[40];
        snprintf(text, sizeof text, "{\"n\":%u}", claimed);
        rc = ctn_store_need_claim(f->st, S(text), &again, &err);
        if (rc == CTN_OK)
            ctn_shard_set_put(&seen, &again);
    }
    assert_int_equal(rc, CTN_E_LIMIT); /* half of them are set aside */
    assert_int_equal(claimed, SUITE_SHARDS / 2);
    assert_int_equal(ctn_shard_set_count(&seen), SUITE_SHARDS / 2 - 2);
    assert_non_null(strstr(err.message, "{\"n\":8}"));
    assert_ok(ctn_store_need_claim(f->st, S("{\"gpu\":true}"), &again, &err_));
    assert_memory_equal(&gpu, &again, sizeof gpu);
    suite_part_with(&a);
}

static void free_shards_are_told_and_taken_of_those_that_are_wanted(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    ctn_shard_set among = {{0x8a0}}, none = {{0}}; /* 5, 7, 11 */
    ctn_shard_lease leases[SUITE_SHARDS];
    uint32_t count = 77;
    assert_ok(ctn_store_shards_take(a.st, a.incarnation, &none, 4, leases, &count, &err_));
    assert_int_equal(count, 0);
    assert_ok(ctn_store_shards_take(a.st, a.incarnation, &among, 2, leases, &count, &err_));
    assert_int_equal(count, 2);
    assert_true(ctn_shard_set_has(&among, leases[0].shard) && ctn_shard_set_has(&among, leases[1].shard));
    assert_ok(ctn_store_shards_take(b.st, b.incarnation, &among, 2, leases, &count, &err_));
    assert_int_equal(count, 1);
    ctn_beat beat = suite_beat(f, &b);
    assert_int_equal(beat.free_count, SUITE_SHARDS - 3);
    for (uint32_t i = 0; i < SUITE_SHARDS; i++)
        assert_int_equal(ctn_shard_set_has(&beat.free, i), !ctn_shard_set_has(&among, i));
    suite_part_with(&a);
    suite_part_with(&b);
}

static int join_again(suite_fixture *f, const char *name, int64_t *ret_incarnation, ctn_err *err)
{
    ctn_store *st = NULL;
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &st, &err_));
    ctn_node_row row = {.name = S(name), .labels = S("{}")};
    int rc = ctn_store_node_join(st, &row, SUITE_TERM_MS, ret_incarnation, err);
    ctn_store_close(st);
    return rc;
}

static void a_name_belongs_to_one_that_lives(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "planner-1");
    ctn_err err = {0};
    int64_t second = 0, third = 0;
    assert_int_equal(join_again(f, "planner-1", &second, &err), CTN_E_EXISTS);
    assert_non_null(strstr(err.message, "planner-1"));
    assert_non_null(strstr(err.message, "http://planner-1:1"));
    suite_later(f, SUITE_TERM_MS + 1); /* it need not be buried for this */
    assert_ok(join_again(f, "planner-1", &second, &err_));
    assert_true(second > a.incarnation);
    assert_ok(ctn_store_node_leave(f->st, second, &err_));
    assert_ok(join_again(f, "planner-1", &third, &err_));
    assert_true(third > second);
    suite_part_with(&a);
}

static void a_beat_moves_the_lease_on(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a");
    uint32_t buried = 9;
    for (int i = 0; i < 3; i++) {
        suite_later(f, SUITE_TERM_MS - 5000);
        ctn_beat beat = suite_beat(f, &a);
        assert_int_equal(beat.nodes[0].expires_at_ms, beat.nodes[0].beat_at_ms + SUITE_TERM_MS);
        assert_ok(ctn_store_nodes_bury(f->st, 0, &buried, &err_));
        assert_int_equal(buried, 0);
    }
    suite_later(f, SUITE_TERM_MS + 1); /* over, and nobody has taken it */
    suite_beat(f, &a);
    assert_ok(ctn_store_nodes_bury(f->st, 0, &buried, &err_));
    assert_int_equal(buried, 0);
    suite_part_with(&a);
}

static void the_dead_are_buried_when_their_lease_has_settled_and_not_before(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, 5);
    uint32_t buried = 9;
    suite_later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &b);
    suite_later(f, 6000); /* a's is over by one second, and what a test takes */
    assert_ok(ctn_store_nodes_bury(b.st, 30000, &buried, &err_));
    assert_int_equal(buried, 0);
    assert_int_equal(suite_held_by(f, a.incarnation), 5);
    suite_later(f, 29000);
    assert_ok(ctn_store_nodes_bury(b.st, 30000, &buried, &err_));
    assert_int_equal(buried, 1);
    assert_int_equal(suite_held_by(f, a.incarnation), 0);
    ctn_beat beat = suite_beat(f, &b);
    assert_int_equal(beat.free_count, SUITE_SHARDS);
    assert_int_equal(beat.node_count, 1);
    assert_ok(ctn_store_nodes_bury(b.st, 30000, &buried, &err_));
    assert_int_equal(buried, 0);
    suite_part_with(&a);
    suite_part_with(&b);
}

static void who_was_buried_or_has_left_is_told_so_whatever_it_asks(void **state)
{
    suite_fixture *f = *state;
    suite_node nodes[] = {suite_join(f, "a"), suite_join(f, "b")};
    uint32_t buried, count = 77;
    ctn_beat beat;
    ctn_shard_lease leases[SUITE_SHARDS];
    ctn_shard_set all = {{0xffff}};
    int64_t granted = 77;
    suite_take(&nodes[0], 5);
    suite_later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &nodes[1]);
    suite_later(f, 10000);
    assert_ok(ctn_store_nodes_bury(f->st, 0, &buried, &err_));
    for (size_t i = 0; i < 2; i++) {
        if (i == 1)
            assert_ok(ctn_store_node_leave(nodes[1].st, nodes[1].incarnation, &err_));
        ctn_store *st = nodes[i].st;
        int64_t no = nodes[i].incarnation;
        ctn_err err = {0};
        assert_int_equal(ctn_store_node_beat(st, no, SUITE_TERM_MS, false, f->arena, &beat, &err), CTN_E_STALE);
        assert_non_null(strstr(err.message, "taken for dead"));
        assert_int_equal(ctn_store_shards_take(st, no, NULL, 4, leases, &count, &err), CTN_E_STALE);
        assert_int_equal(ctn_store_shard_take(st, no, 3, leases, &err), CTN_E_STALE);
        assert_int_equal(ctn_store_shards_release(st, no, &all, &err), CTN_E_STALE);
        assert_int_equal(ctn_store_places_claim(st, no, S("chain x"), 3, 1, &granted, &err), CTN_E_STALE);
        assert_int_equal(ctn_store_node_leave(st, no, &err), CTN_E_STALE);
    }
    assert_int_equal(count, 77);
    assert_int_equal(granted, 77);
    suite_part_with(&nodes[0]);
    suite_part_with(&nodes[1]);
}

/* ---- shards ---- */

static void what_is_free_is_taken_once(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    assert_int_equal(suite_take(&a, 10), 10);
    assert_int_equal(suite_take(&b, 10), 6);
    assert_int_equal(suite_take(&b, 1), 0);
    assert_int_equal(suite_take(&a, 0), 0);
    for (uint32_t i = 0; i < SUITE_SHARDS; i++)
        assert_true(ctn_shard_set_has(&a.held, i) != ctn_shard_set_has(&b.held, i));
    assert_int_equal(suite_held_by(f, a.incarnation), 10);
    assert_int_equal(suite_held_by(f, b.incarnation), 6);
    assert_int_equal(suite_beat(f, &a).free_count, 0);
    suite_part_with(&a);
    suite_part_with(&b);
}

static void one_shard_is_refused_to_another_and_told_to_its_holder(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    ctn_shard_lease first, again;
    ctn_err err = {0};
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 7, &first, &err_));
    assert_int_equal(first.shard, 7);
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 7, &again, &err_));
    assert_int_equal(again.epoch, first.epoch);
    assert_int_equal(ctn_store_shard_take(b.st, b.incarnation, 7, &again, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, "shard 7"));
    assert_int_equal(ctn_store_shard_take(b.st, b.incarnation, SUITE_SHARDS, &again, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "0 to 15"));
    suite_part_with(&a);
    suite_part_with(&b);
}

static void an_epoch_grows_when_a_shard_changes_hands_and_never_otherwise(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, SUITE_SHARDS);
    uint64_t first = a.epochs[4], other = a.epochs[5];
    assert_true(first > f->epoch); /* the handle that was alone had them before */
    ctn_shard_set four = {{1 << 4}};
    suite_beat(f, &a);
    assert_ok(ctn_store_shards_release(b.st, b.incarnation, &four, &err_)); /* not its own */
    assert_int_equal(suite_take(&b, 1), 0);
    assert_ok(ctn_store_shards_release(a.st, a.incarnation, &four, &err_));
    assert_int_equal(suite_take(&b, SUITE_SHARDS), 1);
    uint64_t second = b.epochs[4];
    assert_true(second > first);
    assert_ok(ctn_store_node_leave(b.st, b.incarnation, &err_));
    ctn_shard_lease lease;
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 4, &lease, &err_));
    assert_true(lease.epoch > second);
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 5, &lease, &err_));
    assert_int_equal(lease.epoch, other);
    suite_part_with(&a);
    suite_part_with(&b);
}

static void what_was_given_back_is_no_crash_and_what_was_buried_is(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b"), c = suite_join(f, "c");
    ctn_shard_lease lease;
    uint32_t buried;
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 0, &lease, &err_));
    assert_true(lease.was_crash); /* the handle that was alone has not said good-bye */
    assert_ok(ctn_store_shards_release(a.st, a.incarnation, &(ctn_shard_set){{1}}, &err_));
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 0, &lease, &err_));
    assert_false(lease.was_crash);
    assert_ok(ctn_store_shard_take(b.st, b.incarnation, 1, &lease, &err_));
    assert_ok(ctn_store_node_leave(b.st, b.incarnation, &err_));
    suite_later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &c);
    suite_later(f, 10000);
    assert_ok(ctn_store_nodes_bury(c.st, 0, &buried, &err_));
    assert_ok(ctn_store_shard_take(c.st, c.incarnation, 0, &lease, &err_));
    assert_true(lease.was_crash);
    assert_ok(ctn_store_shard_take(c.st, c.incarnation, 1, &lease, &err_));
    assert_false(lease.was_crash);
    suite_part_with(&a);
    suite_part_with(&b);
    suite_part_with(&c);
}

/* ---- commits ---- */

static void a_commit_takes_what_the_node_holds_and_refuses_the_rest_alone(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    ctn_shard_lease lease;
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 1, &lease, &err_));
    suite_note_lease(&a, &lease);
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 2, &lease, &err_));
    suite_note_lease(&a, &lease);
    assert_ok(ctn_store_shard_take(b.st, b.incarnation, 3, &lease, &err_));
    ctn_execution_row rows[5];
    ctn_append appends[5];
    const int64_t numbers[] = {16 + 1, 16 + 3, 32 + 1, 16 + 2, 16 + 4};
    const uint64_t epochs[] = {a.epochs[1], lease.epoch, a.epochs[1] - 1, a.epochs[2], a.epochs[2]};
    for (size_t i = 0; i < 5; i++)
        appends[i] = suite_first_append(f, &rows[i], numbers[i], epochs[i]);
    ctn_outcome outcomes[5];
    assert_ok(ctn_store_commit(a.st, appends, 5, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_EPOCH); /* b's, under the epoch that it has there */
    assert_int_equal(outcomes[2], CTN_OUTCOME_STALE_EPOCH); /* its own, under the one before */
    assert_int_equal(outcomes[3], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[4], CTN_OUTCOME_STALE_EPOCH); /* nobody's */
    assert_int_equal(suite_journal_check(f->second, 17), 2);
    assert_int_equal(suite_journal_check(f->second, 33), 0);
    assert_int_equal(suite_journal_check(f->second, 18), 2);
    appends[0] = suite_first_append(f, &rows[0], 48 + 1, a.epochs[1] + 1);
    assert_int_equal(suite_append(a.st, &appends[0]), CTN_OUTCOME_STALE_EPOCH); /* one that is not there yet */
    suite_part_with(&a);
    suite_part_with(&b);
}

/* Its writer as well, which is another handle. */
static void who_was_buried_records_nothing(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    ctn_store *writer = NULL;
    uint32_t buried;
    ctn_execution_row rows[2];
    ctn_outcome outcomes[2];
    suite_take(&a, 2);
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &writer, &err_));
    assert_ok(ctn_store_handle_of(writer, a.incarnation, &err_));
    ctn_append appends[] = {suite_first_append(f, &rows[0], 16, a.epochs[0]),
                            suite_first_append(f, &rows[1], 17, a.epochs[1])};
    assert_int_equal(suite_append(writer, &appends[0]), CTN_OUTCOME_ACCEPTED);
    suite_later(f, SUITE_TERM_MS + 1); /* over, but nobody has taken it: what is written is right */
    assert_int_equal(suite_append(writer, &appends[1]), CTN_OUTCOME_ACCEPTED);
    suite_beat(f, &b);
    assert_ok(ctn_store_nodes_bury(b.st, 0, &buried, &err_));
    appends[0] = suite_first_append(f, &rows[0], 32, a.epochs[0]);
    appends[1] = suite_first_append(f, &rows[1], 33, a.epochs[1]);
    assert_ok(ctn_store_commit(writer, appends, 2, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_EPOCH);
    suite_take(&b, SUITE_SHARDS);
    appends[0].epoch = b.epochs[0];
    assert_int_equal(suite_append(writer, &appends[0]), CTN_OUTCOME_STALE_EPOCH); /* even if it knew */
    assert_int_equal(suite_append(b.st, &appends[0]), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->second, 33), 0);
    ctn_store_close(writer);
    suite_part_with(&a);
    suite_part_with(&b);
}

static void a_process_alone_waits_for_the_last_node_and_gives_way_to_the_next(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "planner-1");
    ctn_err err = {0};
    uint64_t epoch = 0;
    bool was_crash = false;
    ctn_execution_row rows[3];
    suite_take(&a, 4);
    ctn_append append = suite_first_append(f, &rows[0], 16, f->epoch);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, "planner-1"));
    suite_later(f, SUITE_TERM_MS + CTN_SETTLE_MS + 1);
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_)); /* it buries who is ripe */
    assert_true(was_crash);
    assert_true(epoch > a.epochs[0]);
    append = suite_first_append(f, &rows[0], 16, epoch);
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_ACCEPTED); /* another handle of that process */
    append = suite_first_append(f, &rows[1], 31, epoch);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_ok(ctn_store_epoch_end(f->st, epoch, &err_));
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_));
    assert_false(was_crash);
    suite_node b = suite_join(f, "planner-2");
    assert_int_equal(suite_take(&b, SUITE_SHARDS), SUITE_SHARDS);
    append = suite_first_append(f, &rows[2], 32, epoch);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(ctn_store_epoch_end(f->st, epoch, &err), CTN_E_STALE);
    suite_part_with(&a);
    suite_part_with(&b);
}

/* ---- what is loaded ---- */

static int note_lane(void *ctx, const ctn_queue_lane *lane)
{
    return suite_note(ctx, "%.*s:%" PRId64, CTN_STR_ARG(lane->chain_id), lane->depth);
}

static const char *loaded(ctn_store *st, suite_seen *seen)
{
    int64_t next = -1;
    *seen = (suite_seen){0};
    assert_ok(ctn_store_execution_due(st, 1, 0, suite_note_row, seen, &err_));
    suite_note(seen, "next");
    assert_ok(ctn_store_next_wake(st, 1, &next, &err_));
    suite_note(seen, "%" PRId64 " lanes", next);
    assert_ok(ctn_store_queue_lanes(st, note_lane, seen, &err_));
    suite_note(seen, "queue");
    assert_ok(ctn_store_queue_next(st, S(""), S("trip"), 0, 0, 10, suite_note_row, seen, &err_));
    suite_note(seen, "owing");
    assert_ok(ctn_store_execution_owing(st, 0, 10, suite_note_row, seen, &err_));
    return seen->text;
}

/* An ended one whose id says its shard; its second record began `child`, if there is one. */
static void make_family(suite_fixture *f, int64_t exec_no, const ctn_execution_row *parent, ctn_execution_row *ret_row,
                        int64_t child_no)
{
    ctn_execution_row row = suite_made_row(exec_no, CTN_STATUS_COMPLETED, 0);
    ctn_execution_id child = suite_id((uint32_t) child_no << 10);
    row.id = suite_id((uint32_t) exec_no << 10);
    ctn_shard_into_id(&row.id, (uint32_t) (exec_no % SUITE_SHARDS));
    ctn_shard_into_id(&child, (uint32_t) (child_no % SUITE_SHARDS));
    if (parent)
        row.parent = parent->id;
    ctn_record *records = suite_records(f->arena, exec_no, 0, NULL, 2);
    if (child_no) {
        records[1].kind = CTN_ENTRY_CHILD_STARTED;
        records[1].body = ctn_arena_printf(f->arena, "{\"child\":\"%s\"}", ctn_id_to_text(child).text);
        records[1].hash = ctn_record_hash(&records[1], &records[0].hash);
    }
    ctn_append append = {.exec_no = exec_no, .epoch = f->epoch, .row = &row, .count = 2, .records = records};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    *ret_row = row;
}

static void a_sub_chain_in_another_shard_goes_with_its_parent_and_not_before(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row parent, child, grandchild, other;
    make_family(f, 16 + 3, NULL, &parent, 16 + 7);
    make_family(f, 16 + 7, &parent, &child, 32 + 3); /* and back again */
    make_family(f, 32 + 3, &child, &grandchild, 0);
    make_family(f, 500 * 16 + 3, NULL, &other, 16 + 8); /* too young, with a child that is old enough */
    make_family(f, 16 + 8, &other, &child, 0);
    ctn_prune what = suite_older_than(1000);
    what.is_dry = true;
    assert_int_equal(suite_prune_all(f->second, &what, NULL).executions, 3);
    what.is_dry = false;
    ctn_pruned sum = suite_prune_all(f->st, &what, NULL);
    assert_int_equal(sum.trees, 1);
    assert_int_equal(sum.executions, 3);
    assert_int_equal(sum.entries, 6);
    assert_false(suite_is_there(f, 16 + 3) || suite_is_there(f, 16 + 7) || suite_is_there(f, 32 + 3));
    assert_true(suite_is_there(f, 500 * 16 + 3) && suite_is_there(f, 16 + 8));
}

static int64_t first_in_line(suite_fixture *f, int64_t before_exec_no)
{
    ctn_execution_row row;
    int rc = ctn_store_queue_first(f->second, f->arena, S("smith"), before_exec_no, &row, NULL);
    assert_true(rc == CTN_OK || rc == CTN_E_NOT_FOUND);
    return rc ? 0 : row.exec_no;
}

static bool is_held(suite_fixture *f, int64_t exec_no)
{
    ctn_execution_row row;
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, exec_no, &row, &err_));
    return row.is_held;
}

/* The same key in two shards (a chain that requires labels, and one that does not) is two lines. */
static void a_line_is_of_one_shard(void **state)
{
    suite_fixture *f = *state;
    static const int64_t numbers[] = {16 + 3, 16 + 7, 32 + 3, 32 + 7};
    for (size_t i = 0; i < 4; i++) {
        ctn_execution_row row = suite_row(numbers[i]);
        row.queue_key = S("smith");
        row.wake_at_ms = 0;
        suite_create(f, &row, 1);
    }
    assert_false(is_held(f, 16 + 3) || is_held(f, 16 + 7));
    assert_true(is_held(f, 32 + 3) && is_held(f, 32 + 7));
    assert_int_equal(first_in_line(f, 16 + 7), 0);
    assert_int_equal(first_in_line(f, 32 + 3), 16 + 3);
    assert_int_equal(first_in_line(f, 32 + 7), 16 + 7);
    ctn_execution_change change = {
        .status = CTN_STATUS_COMPLETED, .started_at_ms = 5, .finished_at_ms = 9, .queue_key = S("smith")};
    ctn_append append = {.exec_no = 16 + 7, .epoch = f->epoch, .seq_expected = 1, .change = &change};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_false(is_held(f, 32 + 7));
    assert_true(is_held(f, 32 + 3));
    assert_int_equal(first_in_line(f, 32 + 7), 0);
}

static void a_handle_of_a_node_loads_what_it_holds(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    for (int64_t shard = 1; shard <= 2; shard++) {
        ctn_execution_row row = suite_row(16 + shard);
        suite_create(f, &row, 1); /* queued, and due */
        row = suite_row(32 + shard);
        row.status = CTN_STATUS_WAITING;
        row.wake_at_ms = 1000 * shard;
        suite_create(f, &row, 1);
        row = suite_row(48 + shard);
        row.status = CTN_STATUS_COMPLETED;
        row.finished_at_ms = 5;
        suite_create(f, &row, 1); /* ended, and owing */
    }
    const char *all = "17 18 next 1000 lanes trip:2 queue 17 18 owing 49 50";
    assert_string_equal(loaded(f->second, &seen), all);
    suite_node a = suite_join(f, "a");
    ctn_shard_lease lease;
    assert_ok(ctn_store_shard_take(a.st, a.incarnation, 2, &lease, &err_));
    assert_string_equal(loaded(a.st, &seen), "next 0 lanes queue owing"); /* it was not told yet */
    ctn_store_shards_held(a.st, &(ctn_shard_set){{1 << 2}});
    assert_string_equal(loaded(a.st, &seen), "18 next 2000 lanes trip:1 queue 18 owing 50");
    ctn_store_shards_held(a.st, &(ctn_shard_set){{1 << 1 | 1 << 2}});
    assert_string_equal(loaded(a.st, &seen), all);
    assert_ok(ctn_store_handle_of(a.st, 0, &err_));
    assert_string_equal(loaded(a.st, &seen), all);
    suite_part_with(&a);
}

/* ---- what every node keeps in memory ---- */

static void changes_of_what_every_node_keeps_are_told(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a");
    int64_t changes = suite_beat(f, &a).changes;
    ctn_execution_row row;
    suite_take(&a, 1);
    ctn_append append = suite_first_append(f, &row, 16, a.epochs[0]);
    assert_int_equal(suite_append(a.st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_beat(f, &a).changes, changes);
#define GREW(call)                                                                                                     \
    do {                                                                                                               \
        assert_ok(call);                                                                                               \
        int64_t now_ = suite_beat(f, &a).changes;                                                                      \
        assert_true(now_ > changes);                                                                                   \
        changes = now_;                                                                                                \
    } while (0)
    ctn_breaker_row breaker = {.name = S("tool x"), .state = S("open"), .until_ms = 5, .changed_at_ms = 4};
    GREW(ctn_store_breaker_put(f->second, &breaker, &err_));
    ctn_schedule_row schedule = {.chain_id = S("trip"), .cron = S("0 8 * * *"), .timezone = S("UTC")};
    GREW(ctn_store_schedule_put(f->second, &schedule, &err_));
    ctn_principal_row ada = {.name = S("ada"), .tenant = S("acme"), .created_at_ms = 1, .created_by = S("mia")};
    GREW(ctn_store_principal_put(f->second, &(ctn_principal_put){.row = &ada}, &err_));
    GREW(ctn_store_principal_remove(f->second, S("ada"), 7, &err_));
    ctn_tool_pin pin = {.target = S("travel/book"), .definition = S("{}"), .pinned_by = S("mia"), .pinned_at_ms = 1};
    GREW(ctn_store_tool_pin_put(f->second, &pin, 1, &err_));
#undef GREW
    suite_part_with(&a);
}

/* ---- what makes no sense ---- */

static void what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
    suite_fixture *f = *state;
    ctn_err err = {0};
    int64_t number;
    ctn_shard_lease lease;
    assert_int_equal(ctn_store_node_join(f->st, &(ctn_node_row){.name = S("")}, 1000, &number, &err), CTN_E_INVALID);
    assert_int_equal(ctn_store_shard_take(f->st, 0, 1, &lease, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "0 is no node"));
    assert_int_equal(ctn_store_exec_nos_reserve(f->st, 0, &number, &err), CTN_E_INVALID);
    ctn_store *reader = NULL;
    assert_ok(ctn_store_open(f->url, CTN_STORE_READ, &reader, &err_));
    assert_int_equal(ctn_store_node_join(reader, &(ctn_node_row){.name = S("a")}, 1000, &number, &err), CTN_E_DENIED);
    assert_true(ctn_store_is_fleet(reader));
    assert_true(ctn_store_url_is_fleet(f->url));
    assert_int_equal(ctn_store_shard_count(reader), SUITE_SHARDS);
    ctn_store_close(reader);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_node_is_listed_as_it_joined),
    cmocka_unit_test(what_is_required_has_the_same_shards_for_whoever_asks),
    cmocka_unit_test(free_shards_are_told_and_taken_of_those_that_are_wanted),
    cmocka_unit_test(a_name_belongs_to_one_that_lives),
    cmocka_unit_test(a_beat_moves_the_lease_on),
    cmocka_unit_test(the_dead_are_buried_when_their_lease_has_settled_and_not_before),
    cmocka_unit_test(who_was_buried_or_has_left_is_told_so_whatever_it_asks),
    cmocka_unit_test(what_is_free_is_taken_once),
    cmocka_unit_test(one_shard_is_refused_to_another_and_told_to_its_holder),
    cmocka_unit_test(an_epoch_grows_when_a_shard_changes_hands_and_never_otherwise),
    cmocka_unit_test(what_was_given_back_is_no_crash_and_what_was_buried_is),
    cmocka_unit_test(a_commit_takes_what_the_node_holds_and_refuses_the_rest_alone),
    cmocka_unit_test(who_was_buried_records_nothing),
    cmocka_unit_test(a_process_alone_waits_for_the_last_node_and_gives_way_to_the_next),
    cmocka_unit_test(a_sub_chain_in_another_shard_goes_with_its_parent_and_not_before),
    cmocka_unit_test(a_line_is_of_one_shard),
    cmocka_unit_test(a_handle_of_a_node_loads_what_it_holds),
    cmocka_unit_test(changes_of_what_every_node_keeps_are_told),
    cmocka_unit_test(what_makes_no_sense_is_refused_with_a_sentence),
};
const suite_part suite_fleet = {TESTS, sizeof TESTS / sizeof TESTS[0]};
