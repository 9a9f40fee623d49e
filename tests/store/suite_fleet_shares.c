/*
 * suite_fleet_shares.c -- what several nodes are promised who share a store: running its tests, requests, being woken,
 * keys, numbers, places and tokens (store/fleet.h).
 */
#include "suite_fleet.h"
#include "base/memory.h"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what they are made of ---- */

static suite_later_fn *later_of_backend;

int suite_run_fleet(const char *url, suite_later_fn *later, const struct CMUnitTest *own, size_t own_count)
{
    later_of_backend = later;
    const suite_part own_part = {own, own_count};
    return suite_run_parts(url, (const suite_part *[]){&suite_fleet, &suite_fleet_shares, &own_part}, 3);
}

void suite_later(suite_fixture *f, int64_t ms)
{
    later_of_backend(f, ms);
}

suite_node suite_join(suite_fixture *f, const char *name)
{
    suite_node node = {0};
    ctn_node_row row = {.name = S(name),
                        .version = S("1.2"),
                        .address = ctn_arena_printf(f->arena, "http://%s:1", name),
                        .labels = S("{\"gpu\":true}")};
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &node.st, &err_));
    assert_ok(ctn_store_node_join(node.st, &row, SUITE_TERM_MS, &node.incarnation, &err_));
    assert_true(node.incarnation > 0);
    return node;
}

void suite_note_lease(suite_node *node, const ctn_shard_lease *lease)
{
    ctn_shard_set_add(&node->held, lease->shard);
    node->epochs[lease->shard] = lease->epoch;
    ctn_store_shards_held(node->st, &node->held);
}

uint32_t suite_take(suite_node *node, uint32_t count)
{
    ctn_shard_lease leases[SUITE_SHARDS];
    uint32_t taken = 99;
    assert_ok(ctn_store_shards_take(node->st, node->incarnation, NULL, count, leases, &taken, &err_));
    assert_true(taken <= count);
    for (uint32_t i = 0; i < taken; i++) {
        assert_true(leases[i].shard < SUITE_SHARDS && leases[i].epoch > 0);
        suite_note_lease(node, &leases[i]);
    }
    return taken;
}

void suite_part_with(suite_node *node)
{
    ctn_store_close(node->st);
    node->st = NULL;
}

ctn_beat suite_beat(suite_fixture *f, suite_node *node)
{
    ctn_beat beat = {0};
    assert_ok(ctn_store_node_beat(node->st, node->incarnation, SUITE_TERM_MS, false, f->arena, &beat, &err_));
    return beat;
}

uint32_t suite_held_by(suite_fixture *f, int64_t incarnation)
{
    int64_t holders[SUITE_SHARDS];
    uint32_t count = 0;
    assert_ok(ctn_store_shard_holders(f->second, holders, &err_));
    for (size_t i = 0; i < SUITE_SHARDS; i++)
        count += holders[i] == incarnation;
    return count;
}

ctn_append suite_first_append(suite_fixture *f, ctn_execution_row *ret_row, int64_t exec_no, uint64_t epoch)
{
    *ret_row = suite_row(exec_no);
    return (ctn_append){.exec_no = exec_no,
                        .epoch = epoch,
                        .row = ret_row,
                        .count = 2,
                        .records = suite_records(f->arena, exec_no, 0, NULL, 2)};
}

/* ---- requests ---- */

static int64_t put_one(ctn_store *st, uint32_t shard, const char *body, int64_t from)
{
    int64_t no = 0;
    ctn_request_row row = {.shard = shard,
                           .id = suite_id(16 + shard),
                           .kind = S("input"),
                           .body = S(body),
                           .filed_at_ms = 1234,
                           .from = from};
    assert_ok(ctn_store_requests_put(st, &row, 1, &no, &err_));
    return no;
}

static int note_request(void *ctx, const ctn_request_row *row)
{
    return suite_note(ctx, "%.*s", CTN_STR_ARG(row->body));
}

static const char *waiting(ctn_store *st, int64_t after_no, size_t limit, suite_seen *seen)
{
    *seen = (suite_seen){0};
    assert_ok(ctn_store_requests_waiting(st, after_no, limit, note_request, seen, &err_));
    return seen->text;
}

static ctn_request_row request_of(suite_fixture *f, uint32_t shard, int64_t no)
{
    ctn_request_row row = {0};
    assert_ok(ctn_store_request_get(f->second, f->arena, shard, no, &row, &err_));
    return row;
}

static void requests_wait_for_the_holder_of_their_shard_oldest_first(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    suite_node a = suite_join(f, "a");
    ctn_shard_lease lease;
    for (uint32_t shard = 1; shard <= 2; shard++) {
        assert_ok(ctn_store_shard_take(a.st, a.incarnation, shard, &lease, &err_));
        suite_note_lease(&a, &lease);
    }
    int64_t first = put_one(f->st, 2, "one", 0);
    put_one(f->st, 3, "another's", 0);
    int64_t nos[2];
    ctn_request_row both[] = {{.shard = 1, .id = suite_id(17), .kind = S("start"), .body = S("two")},
                              {.shard = 2, .id = suite_id(18), .kind = S("start"), .body = S("three")}};
    assert_ok(ctn_store_requests_put(f->st, both, 2, nos, &err_));
    assert_true(nos[1] > first);
    assert_string_equal(waiting(a.st, 0, 10, &seen), "one two three");
    assert_string_equal(waiting(a.st, 0, 2, &seen), "one two");
    assert_string_equal(waiting(a.st, first, 10, &seen), "two three");
    assert_string_equal(waiting(f->second, 0, 10, &seen), "one another's two three"); /* of no node: all */
    assert_int_equal(suite_beat(f, &a).requests, 3);
    ctn_request_row row = request_of(f, 2, first);
    assert_int_equal(row.no, first);
    assert_int_equal(row.shard, 2);
    assert_true(ctn_id_equal(row.id, suite_id(18)));
    assert_str(row.kind, "input");
    assert_str(row.body, "one");
    assert_int_equal(row.filed_at_ms, 1234);
    assert_false(row.is_done);
    ctn_err err = {0};
    assert_int_equal(ctn_store_request_get(f->second, f->arena, 1, first, &row, &err), CTN_E_NOT_FOUND);
    both[1].shard = SUITE_SHARDS; /* all or none */
    assert_int_equal(ctn_store_requests_put(f->st, both, 2, nos, &err), CTN_E_INVALID);
    assert_int_equal(suite_beat(f, &a).requests, 3);
    suite_part_with(&a);
}

static void a_request_is_answered_once_and_by_who_holds_the_shard(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, SUITE_SHARDS);
    int64_t no = put_one(b.st, 5, "x", b.incarnation);
    ctn_err err = {0};
    assert_int_equal(ctn_store_request_answer(b.st, 5, no, CTN_E_STATE, S("mine"), &err), CTN_E_STALE);
    assert_non_null(strstr(err.message, "shard 5"));
    assert_false(request_of(f, 5, no).is_done);
    assert_ok(ctn_store_request_answer(a.st, 5, no, CTN_E_STATE, S("it has ended"), &err_));
    assert_ok(ctn_store_request_answer(a.st, 5, no, CTN_OK, S("again"), &err_));
    ctn_request_row row = request_of(f, 5, no);
    assert_true(row.is_done);
    assert_int_equal(row.rc, CTN_E_STATE);
    assert_str(row.sentence, "it has ended");
    assert_int_equal(row.from, b.incarnation);
    assert_string_equal(waiting(a.st, 0, 10, &seen), "");
    assert_int_equal(suite_beat(f, &a).requests, 0);
    suite_part_with(&a);
    suite_part_with(&b);
}

static void an_answer_stands_in_the_commit_of_what_was_done(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    suite_node a = suite_join(f, "a");
    suite_take(&a, SUITE_SHARDS);
    int64_t refused = put_one(f->st, 1, "refused", 0), done = put_one(f->st, 2, "done", 0);
    ctn_execution_row rows[2];
    ctn_append appends[] = {suite_first_append(f, &rows[0], 17, a.epochs[1] - 1),
                            suite_first_append(f, &rows[1], 18, a.epochs[2])};
    appends[0].request = refused;
    appends[1].request = done;
    ctn_outcome outcomes[2];
    assert_ok(ctn_store_commit(a.st, appends, 2, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(outcomes[1], CTN_OUTCOME_ACCEPTED);
    assert_string_equal(waiting(a.st, 0, 10, &seen), "refused");
    assert_true(request_of(f, 2, done).is_done);
    assert_int_equal(request_of(f, 2, done).rc, CTN_OK);
    suite_part_with(&a);
}

static void what_was_answered_a_day_ago_goes_and_what_waits_stays(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a");
    suite_take(&a, SUITE_SHARDS);
    int64_t done = put_one(f->st, 5, "done", 0), waits = put_one(f->st, 5, "waits", 0);
    assert_ok(ctn_store_request_answer(a.st, 5, done, CTN_OK, S(""), &err_));
    put_one(f->st, 5, "x", 0);
    assert_true(request_of(f, 5, done).is_done);
    suite_later(f, SUITE_DAY_MS + 1000);
    put_one(f->st, 5, "x", 0);
    ctn_request_row row;
    assert_int_equal(ctn_store_request_get(f->second, f->arena, 5, done, &row, NULL), CTN_E_NOT_FOUND);
    assert_false(request_of(f, 5, waits).is_done);
    suite_part_with(&a);
}

/* ---- being woken ---- */

/* It was, sooner or later; or is not now. */
static bool is_woken(suite_node *node, int wait_ms)
{
    struct pollfd fd = {.fd = ctn_store_wake_fd(node->st, node->incarnation), .events = POLLIN};
    assert_true(fd.fd >= 0);
    return poll(&fd, 1, wait_ms) == 1 && ctn_store_woken(node->st);
}

static void who_holds_the_shard_and_who_waits_for_the_answer_are_woken(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, SUITE_SHARDS);
    assert_false(is_woken(&a, 0));
    assert_false(is_woken(&b, 0));
    int64_t no = put_one(b.st, 5, "x", b.incarnation);
    assert_true(is_woken(&a, 5000));
    assert_false(is_woken(&a, 0));
    assert_false(is_woken(&b, 0));
    assert_ok(ctn_store_request_answer(a.st, 5, no, CTN_E_STATE, S("no"), &err_));
    assert_true(is_woken(&b, 5000));
    assert_false(ctn_store_woken(b.st));
    assert_false(is_woken(&a, 0));
    no = put_one(b.st, 6, "y", b.incarnation);
    assert_true(is_woken(&a, 5000));
    ctn_execution_row row;
    ctn_append append = suite_first_append(f, &row, 22, a.epochs[6]);
    append.request = no;
    assert_int_equal(suite_append(a.st, &append), CTN_OUTCOME_ACCEPTED);
    assert_true(is_woken(&b, 5000));
    suite_part_with(&a);
    suite_part_with(&b);
}

/* ---- many at once ---- */

enum { THREADS = 6, ROUNDS = 12 };

typedef struct racer {
    pthread_t thread;
    ctn_store *st;
    uint32_t number;
    int rc;
    ctn_execution_id ids[ROUNDS];
    int64_t firsts[ROUNDS];
} racer;

/* Keys are claimed by all, each with ids of its own; numbers are reserved in between. */
static void *race(void *ctx)
{
    racer *r = ctx;
    for (uint32_t i = 0; i < ROUNDS && !r->rc; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%u", i);
        r->rc = ctn_store_key_claim(r->st, S("trip"), S(key), suite_id(100 * r->number + i), &r->ids[i], NULL);
        if (!r->rc)
            r->rc = ctn_store_exec_nos_reserve(r->st, 3, &r->firsts[i], NULL);
    }
    return NULL;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static void keys_and_numbers_are_given_once_whoever_asks_at_the_same_time(void **state)
{
    suite_fixture *f = *state;
    racer racers[THREADS] = {0};
    int64_t firsts[THREADS * ROUNDS];
    for (uint32_t i = 0; i < THREADS; i++) {
        racers[i].number = i + 1;
        assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &racers[i].st, &err_));
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].rc, CTN_OK);
        ctn_store_close(racers[i].st);
        for (size_t k = 0; k < ROUNDS; k++) {
            assert_true(ctn_id_equal(racers[i].ids[k], racers[0].ids[k]));
            firsts[i * ROUNDS + k] = racers[i].firsts[k];
            assert_int_equal(racers[i].firsts[k] % SUITE_SHARDS, 0);
            if (k)
                assert_true(racers[i].firsts[k] > racers[i].firsts[k - 1]);
        }
    }
    qsort(firsts, THREADS * ROUNDS, sizeof firsts[0], compare_numbers);
    assert_true(firsts[0] > 0);
    for (size_t i = 1; i < THREADS * ROUNDS; i++)
        assert_true(firsts[i] >= firsts[i - 1] + 3 * SUITE_SHARDS);
}

static void a_key_is_the_chains_own(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_id id;
    assert_ok(ctn_store_key_claim(f->st, S("trip"), S("lead-1"), suite_id(1), &id, &err_));
    assert_true(ctn_id_equal(id, suite_id(1)));
    assert_ok(ctn_store_key_claim(f->second, S("trip"), S("lead-1"), suite_id(2), &id, &err_));
    assert_true(ctn_id_equal(id, suite_id(1)));
    assert_ok(ctn_store_key_claim(f->second, S("visa"), S("lead-1"), suite_id(2), &id, &err_));
    assert_true(ctn_id_equal(id, suite_id(2)));
    assert_int_equal(ctn_store_key_claim(f->st, S("trip"), S(""), suite_id(2), &id, NULL), CTN_E_INVALID);
}

/* Each is a node, takes shards, and claims places and tokens until there are none. */
typedef struct taker {
    pthread_t thread;
    ctn_store *st;
    int64_t incarnation, places, tokens;
    uint32_t shards;
    ctn_shard_set held;
    int rc;
} taker;

static void *take_part(void *ctx)
{
    taker *t = ctx;
    for (int i = 0; i < 4 && !t->rc; i++) {
        ctn_shard_lease leases[SUITE_SHARDS];
        uint32_t count = 0;
        int64_t tokens = 0, next_ms;
        do /* who waits for a row too long is told so, and comes again */
            t->rc = ctn_store_shards_take(t->st, t->incarnation, NULL, 2, leases, &count, NULL);
        while (t->rc == CTN_E_BUSY);
        for (uint32_t k = 0; k < count; k++)
            ctn_shard_set_add(&t->held, leases[k].shard);
        t->shards += count;
        if (!t->rc)
            t->rc = ctn_store_places_claim(t->st, t->incarnation, S("chain trip"), 7, i, &t->places, NULL);
        if (!t->rc)
            t->rc = ctn_store_tokens_take(t->st, S("host a"), 0.001, 9, 2, &tokens, &next_ms, NULL);
        t->tokens += tokens;
    }
    return NULL;
}

static void shards_places_and_tokens_are_given_once_whoever_asks_at_the_same_time(void **state)
{
    suite_fixture *f = *state;
    taker takers[THREADS] = {0};
    int64_t places = 0, all_tokens = 0;
    ctn_shard_set all = {0};
    uint32_t shards = 0;
    for (int i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        suite_node node = suite_join(f, name);
        takers[i].st = node.st;
        takers[i].incarnation = node.incarnation;
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take_part, &takers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(takers[i].thread, NULL);
        assert_int_equal(takers[i].rc, CTN_OK);
        ctn_store_close(takers[i].st);
        places += takers[i].places;
        all_tokens += takers[i].tokens;
        shards += takers[i].shards;
        for (uint32_t k = 0; k < SUITE_SHARDS; k++)
            if (ctn_shard_set_has(&takers[i].held, k))
                ctn_shard_set_add(&all, k);
    }
    assert_int_equal(shards, SUITE_SHARDS);
    assert_int_equal(ctn_shard_set_count(&all), SUITE_SHARDS);
    assert_int_equal(places, 7);
    assert_int_equal(all_tokens, 9);
}

/* ---- places ---- */

static int64_t claim(suite_node *node, int64_t max, int64_t wanted)
{
    int64_t granted = -1;
    assert_ok(ctn_store_places_claim(node->st, node->incarnation, S("chain trip"), max, wanted, &granted, &err_));
    return granted;
}

static void places_are_never_more_than_there_are_whoever_dies(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b"), c = suite_join(f, "c");
    assert_int_equal(claim(&a, 5, 3), 3);
    assert_int_equal(claim(&b, 5, 4), 2);
    assert_int_equal(claim(&a, 5, 5), 3); /* not less than it has */
    assert_int_equal(claim(&a, 2, 4), 3); /* nor when there are fewer now */
    assert_int_equal(claim(&a, 5, 1), 1);
    assert_int_equal(claim(&b, 5, 9), 4);
    assert_int_equal(claim(&c, 5, 1), 0);
    suite_later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &a);
    suite_beat(f, &c);
    suite_later(f, 10000);
    assert_int_equal(claim(&c, 5, 9), 0); /* dead, but not buried */
    uint32_t buried = 0;
    assert_ok(ctn_store_nodes_bury(c.st, 0, &buried, &err_));
    assert_int_equal(buried, 1);
    assert_int_equal(claim(&c, 5, 9), 4);
    assert_ok(ctn_store_node_leave(a.st, a.incarnation, &err_));
    assert_int_equal(claim(&c, 5, 9), 5);
    assert_int_equal(claim(&c, 5, 0), 0);
    suite_part_with(&a);
    suite_part_with(&b);
    suite_part_with(&c);
}

/* ---- tokens ---- */

static int64_t tokens(ctn_store *st, int64_t wanted, int64_t *ret_next_ms)
{
    int64_t taken = -1;
    assert_ok(ctn_store_tokens_take(st, S("host a"), 0.1, 4, wanted, &taken, ret_next_ms, &err_));
    return taken;
}

/* One in ten seconds, so that none comes while a slow test goes on. */
static void tokens_are_shared_and_come_again_with_time(void **state)
{
    suite_fixture *f = *state;
    int64_t next = -1;
    assert_int_equal(tokens(f->st, 3, &next), 3);
    assert_int_equal(next, 0);
    assert_int_equal(tokens(f->second, 3, &next), 1);
    assert_true(next > 0 && next <= 10001);
    assert_int_equal(tokens(f->st, 1, &next), 0);
    suite_later(f, 20000);
    assert_int_equal(tokens(f->st, 9, &next), 2);
    suite_later(f, 1000000);
    assert_int_equal(tokens(f->second, 9, &next), 4); /* the bucket holds no more */
    assert_int_equal(ctn_store_tokens_take(f->st, S("x"), 0, 1, 1, &next, &next, NULL), CTN_E_INVALID);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(requests_wait_for_the_holder_of_their_shard_oldest_first),
    cmocka_unit_test(a_request_is_answered_once_and_by_who_holds_the_shard),
    cmocka_unit_test(an_answer_stands_in_the_commit_of_what_was_done),
    cmocka_unit_test(what_was_answered_a_day_ago_goes_and_what_waits_stays),
    cmocka_unit_test(who_holds_the_shard_and_who_waits_for_the_answer_are_woken),
    cmocka_unit_test(keys_and_numbers_are_given_once_whoever_asks_at_the_same_time),
    cmocka_unit_test(shards_places_and_tokens_are_given_once_whoever_asks_at_the_same_time),
    cmocka_unit_test(a_key_is_the_chains_own),
    cmocka_unit_test(places_are_never_more_than_there_are_whoever_dies),
    cmocka_unit_test(tokens_are_shared_and_come_again_with_time),
};
const suite_part suite_fleet_shares = {TESTS, sizeof TESTS / sizeof TESTS[0]};
