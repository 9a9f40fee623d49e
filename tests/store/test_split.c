/*
 * test_split.c -- one store in several databases: each thing is in one of them, and found; no commit is half believed.
 */
#include "suite.h"
#include "sql_shards.h"
#include "store/audit.h"
#include "store/data_keys.h"
#include "store/fleet.h"
#include "store/principals.h"
#include "store/quarantine.h"
#include "store/verify.h"
#include "store/webhooks.h"
#include "support/pg_server.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHARDS = 16, HALF = 8, TERM_MS = 60000 };

typedef struct world {
    char path[64], url[80];
    char *urls[2];
    ctn_store *parts[2]; /* looked at from outside; keep memory stores alive */
    ctn_store *st, *other;
    int64_t ann, bob;
    ctn_shard_lease leases[SHARDS]; /* of ann, by shard */
    bool has[SHARDS];
    ctn_arena *arena;
} world;

static pg_server *server; /* one for the program; NULL: none can be had here */

static void write_file(world *w, const char *text)
{
    FILE *file = fopen(w->path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void world_urls(world *w, bool is_postgres)
{
    for (size_t i = 0; i < 2; i++) {
        char *url = NULL, *database = is_postgres ? pg_server_new_database(server) : NULL;
        if (asprintf(&url, "%s%s?shards=%d", is_postgres ? database : "memory:",
                     is_postgres ? ""
                     : i         ? "two"
                                 : "one",
                     SHARDS) < 0)
            abort();
        free(database);
        w->urls[i] = url;
    }
}

/* Two databases; ann holds all shards through two handles (`st` and `other`). */
static int world_setup(void **state)
{
    bool is_postgres = *state != NULL;
    if (is_postgres && !server)
        skip();
    world *w = calloc(1, sizeof *w);
    char text[1024];
    *state = w;
    w->arena = ctn_arena_new(4096);
    snprintf(w->path, sizeof w->path, "/tmp/catena-split-XXXXXX");
    int fd = mkstemp(w->path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(w->url, sizeof w->url, "shards:%s", w->path);
    world_urls(w, is_postgres);
    snprintf(text, sizeof text, "{\"8-15\": \"%s\", \"0-7\": \"%s\"}", w->urls[1], w->urls[0]);
    write_file(w, text);
    assert_ok(ctn_store_open(w->url, CTN_STORE_CREATE, &w->st, &err_));
    assert_ok(ctn_store_open(w->url, CTN_STORE_WRITE, &w->other, &err_));
    for (size_t i = 0; i < 2; i++)
        assert_ok(ctn_store_open(w->urls[i], CTN_STORE_WRITE, &w->parts[i], &err_));
    ctn_node_row ann = {.name = S("ann"), .version = S("1"), .labels = S("{}")};
    assert_ok(ctn_store_node_join(w->st, &ann, TERM_MS, &w->ann, &err_));
    assert_ok(ctn_store_handle_of(w->other, w->ann, &err_));
    ctn_shard_lease leases[SHARDS];
    uint32_t count = 0;
    assert_ok(ctn_store_shards_take(w->st, w->ann, NULL, SHARDS, leases, &count, &err_));
    assert_int_equal(count, SHARDS);
    ctn_shard_set held = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        w->leases[leases[i].shard] = leases[i];
        w->has[leases[i].shard] = true;
        ctn_shard_set_add(&held, leases[i].shard);
    }
    ctn_store_shards_held(w->st, &held);
    ctn_store_shards_held(w->other, &held);
    return 0;
}

static int world_teardown(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    ctn_store_close(w->st);
    ctn_store_close(w->other);
    for (size_t i = 0; i < 2; i++) {
        ctn_store_close(w->parts[i]);
        free(w->urls[i]);
    }
    unlink(w->path);
    ctn_arena_free(w->arena);
    free(w);
    return 0;
}

/* ---- making something ---- */

static ctn_execution_row row_in(uint32_t shard, int64_t n)
{
    ctn_execution_row row = suite_row(n * SHARDS + shard);
    row.id = suite_id((uint32_t) n << 10);
    ctn_shard_into_id(&row.id, shard);
    return row;
}

static ctn_append append_of(world *w, const ctn_execution_row *row)
{
    return (ctn_append){.exec_no = row->exec_no,
                        .epoch = w->leases[row->exec_no % SHARDS].epoch,
                        .row = row,
                        .records = suite_records(w->arena, row->exec_no, 0, NULL, 2),
                        .count = 2};
}

/* One in each shard, in one batch. */
static void fill(world *w, int64_t n)
{
    ctn_execution_row rows[SHARDS];
    ctn_append appends[SHARDS];
    ctn_outcome outcomes[SHARDS];
    for (uint32_t i = 0; i < SHARDS; i++) {
        rows[i] = row_in(i, n);
        rows[i].status = CTN_STATUS_QUEUED;
        rows[i].wake_at_ms = 0;
        appends[i] = append_of(w, &rows[i]);
    }
    assert_ok(ctn_store_commit(w->other, appends, SHARDS, outcomes, &err_));
    for (uint32_t i = 0; i < SHARDS; i++)
        assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
}

static int count_row(void *ctx, const ctn_execution_row *row)
{
    (void) row;
    ++*(size_t *) ctx;
    return 0;
}

static size_t rows_in_part(world *w, size_t part)
{
    ctn_execution_filter all = {0};
    size_t count = 0;
    assert_ok(ctn_store_execution_list(w->parts[part], &all, count_row, &count, &err_));
    return count;
}

/* ---- the tests ---- */

static void an_execution_is_in_the_database_of_its_shard(void **state)
{
    world *w = *state;
    fill(w, 1);
    assert_int_equal(rows_in_part(w, 0), HALF);
    assert_int_equal(rows_in_part(w, 1), HALF);
    for (uint32_t i = 0; i < SHARDS; i++) {
        ctn_execution_row row, wanted = row_in(i, 1);
        assert_ok(ctn_store_execution_get(w->st, w->arena, wanted.id, &row, &err_));
        assert_int_equal(row.exec_no, wanted.exec_no);
        assert_ok(ctn_store_execution_by_no(w->st, w->arena, wanted.exec_no, &row, &err_));
        assert_true(ctn_id_equal(row.id, wanted.id));
        assert_ok(ctn_store_execution_by_prefix(w->st, w->arena, S(ctn_id_to_text(wanted.id).text), &row, &err_));
        assert_int_equal(suite_journal_check(w->st, wanted.exec_no), 2);
    }
}

typedef struct numbers {
    int64_t no[100];
    size_t count, stop_at;
} numbers;

static int note_number(void *ctx, const ctn_execution_row *row)
{
    numbers *n = ctx;
    n->no[n->count++] = row->exec_no;
    return n->count == n->stop_at;
}

static void lists_are_told_as_one(void **state)
{
    world *w = *state;
    fill(w, 1);
    fill(w, 2);
    numbers n = {{0}};
    ctn_execution_filter filter = {.limit = 20};
    assert_ok(ctn_store_execution_list(w->st, &filter, note_number, &n, &err_));
    assert_int_equal(n.count, 20);
    for (size_t i = 0; i < n.count; i++)
        assert_int_equal(n.no[i], 3 * SHARDS - 1 - (int64_t) i);
    n = (numbers){{0}};
    assert_ok(ctn_store_queue_next(w->st, S(""), S("trip"), 0, SHARDS + 5, 7, note_number, &n, &err_));
    assert_int_equal(n.count, 7);
    for (size_t i = 0; i < n.count; i++)
        assert_int_equal(n.no[i], SHARDS + 6 + (int64_t) i);
    n = (numbers){.stop_at = 3};
    filter = (ctn_execution_filter){.after_exec_no = SHARDS + 2, .before_exec_no = 2 * SHARDS};
    assert_ok(ctn_store_execution_list(w->st, &filter, note_number, &n, &err_));
    assert_int_equal(n.count, 3);
    int64_t last;
    assert_ok(ctn_store_exec_no_last(w->st, &last, &err_));
    assert_int_equal(last, 3 * SHARDS - 1);
}

static int note_lane(void *ctx, const ctn_queue_lane *lane)
{
    return suite_note(ctx, "%.*s:%" PRId64, CTN_STR_ARG(lane->chain_id), lane->depth);
}

static int note_usage(void *ctx, const ctn_usage_row *row)
{
    return suite_note(ctx, "%.*s:%" PRId64, CTN_STR_ARG(row->tenant), row->used.executions);
}

static void sums_are_of_all(void **state)
{
    world *w = *state;
    fill(w, 1);
    suite_seen seen = {{0}};
    assert_ok(ctn_store_queue_lanes(w->st, note_lane, &seen, &err_));
    assert_string_equal(seen.text, "trip:16");
    ctn_usage_row usage = {.tenant = S("acme"), .day = 20000, .used = {.executions = 3}};
    for (uint32_t shard = 0; shard < SHARDS; shard += HALF) {
        ctn_execution_row row = row_in(shard, 2);
        ctn_append append = append_of(w, &row);
        append.usage = &usage;
        append.usage_count = 1;
        assert_int_equal(suite_append(w->st, &append), CTN_OUTCOME_ACCEPTED);
    }
    seen = (suite_seen){{0}};
    assert_ok(ctn_store_usage_list(w->st, 20000, note_usage, &seen, &err_));
    assert_string_equal(seen.text, "acme:6");
}

static void an_epoch_is_that_of_its_shard_in_its_database(void **state)
{
    world *w = *state;
    ctn_execution_row rows[2] = {row_in(1, 1), row_in(9, 1)};
    ctn_append appends[2] = {append_of(w, &rows[0]), append_of(w, &rows[1])};
    ctn_outcome outcomes[2];
    ctn_shard_set one = {{0}};
    ctn_shard_lease lease;
    ctn_shard_set_add(&one, 9);
    assert_ok(ctn_store_shards_release(w->st, w->ann, &one, &err_));
    assert_ok(ctn_store_shard_take(w->st, w->ann, 9, &lease, &err_));
    assert_ok(ctn_store_commit(w->st, appends, 2, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_EPOCH);
}

static int note_node(void *ctx, const ctn_node_row *row)
{
    return suite_note(ctx, "%.*s:%d:%" PRIu32, CTN_STR_ARG(row->name), row->is_live, row->shard_count);
}

static void a_node_lives_in_all_of_them_or_in_none(void **state)
{
    world *w = *state;
    ctn_beat beat;
    ctn_store *st = NULL;
    suite_seen seen = {{0}};
    assert_ok(ctn_store_node_list(w->st, note_node, &seen, &err_));
    assert_string_equal(seen.text, "ann:1:16");
    assert_ok(ctn_store_node_beat(w->st, w->ann, TERM_MS, false, w->arena, &beat, &err_));
    assert_int_equal(beat.free_count, 0);
    assert_int_equal(beat.node_count, 1);
    assert_int_equal(beat.nodes[0].shard_count, SHARDS);
    /* A name is one in all. */
    ctn_node_row ann = {.name = S("ann"), .version = S("1"), .labels = S("{}")};
    int64_t again, bob;
    assert_ok(ctn_store_open(w->url, CTN_STORE_WRITE, &st, &err_));
    assert_int_equal(ctn_store_node_join(st, &ann, TERM_MS, &again, NULL), CTN_E_EXISTS);
    ctn_node_row row = {.name = S("bob"), .version = S("1"), .labels = S("{}")};
    assert_ok(ctn_store_node_join(st, &row, TERM_MS, &bob, &err_));
    int64_t holders[SHARDS];
    ctn_shard_set one = {{0}};
    ctn_shard_lease lease;
    ctn_shard_set_add(&one, 12);
    assert_int_equal(ctn_store_shard_take(st, bob, 12, &lease, NULL), CTN_E_BUSY);
    assert_ok(ctn_store_shards_release(w->st, w->ann, &one, &err_));
    assert_ok(ctn_store_node_beat(w->st, w->ann, TERM_MS, false, w->arena, &beat, &err_));
    assert_int_equal(beat.free_count, 1);
    assert_ok(ctn_store_shard_take(st, bob, 12, &lease, &err_));
    assert_ok(ctn_store_shard_holders(w->st, holders, &err_));
    for (int i = 0; i < SHARDS; i++)
        assert_int_equal(holders[i], i == 12 ? bob : w->ann);
    /* Taken for dead in one of them: it leaves the others, and its shards are free everywhere. */
    int64_t there = 0;
    assert_ok(ctn_store_shard_holders(w->parts[1], holders, &err_));
    there = holders[12];
    assert_ok(ctn_store_node_leave(w->parts[1], there, &err_));
    assert_int_equal(ctn_store_node_beat(st, bob, TERM_MS, false, w->arena, &beat, NULL), CTN_E_STALE);
    seen = (suite_seen){{0}};
    assert_ok(ctn_store_node_list(w->parts[0], note_node, &seen, &err_));
    assert_non_null(strstr(seen.text, "bob:0:0"));
    assert_ok(ctn_store_node_join(st, &row, TERM_MS, &again, &err_));
    ctn_store_close(st);
}

static int note_request(void *ctx, const ctn_request_row *row)
{
    return suite_note(ctx, "%" PRIu32, row->shard);
}

static void requests_and_keys_are_found_where_they_were_put(void **state)
{
    world *w = *state;
    suite_seen seen = {{0}};
    int64_t no;
    for (uint32_t shard = 3; shard < SHARDS; shard += HALF) {
        ctn_request_row request = {
            .shard = shard, .id = suite_id(1), .kind = S("input"), .body = S("{}"), .filed_at_ms = 1, .from = w->ann};
        assert_ok(ctn_store_requests_put(w->st, &request, 1, &no, &err_));
    }
    assert_ok(ctn_store_requests_waiting(w->other, 0, 10, note_request, &seen, &err_));
    assert_string_equal(seen.text, "3 11");
    ctn_request_row read;
    assert_ok(ctn_store_request_answer(w->other, 11, no, CTN_E_INVALID, S("no"), &err_));
    assert_ok(ctn_store_request_get(w->st, w->arena, 11, no, &read, &err_));
    assert_true(read.is_done);
    for (int i = 0; i < 20; i++) {
        ctn_execution_id whose, mine = suite_id(100), his = suite_id(200);
        ctn_str key = ctn_arena_printf(w->arena, "key %d", i);
        assert_ok(ctn_store_key_claim(w->st, S("trip"), key, mine, &whose, &err_));
        assert_ok(ctn_store_key_claim(w->other, S("trip"), key, his, &whose, &err_));
        assert_true(ctn_id_equal(whose, mine));
    }
    for (uint32_t shard = 0; shard < SHARDS; shard++) { /* wherever the execution of a key lives */
        ctn_execution_row row = row_in(shard, 1), found;
        ctn_execution_id whose;
        row.idempotency_key = S("one for all");
        row.chain_id = ctn_arena_printf(w->arena, "chain-%" PRIu32, shard);
        assert_ok(ctn_store_key_claim(w->st, row.chain_id, row.idempotency_key, row.id, &whose, &err_));
        ctn_append append = append_of(w, &row);
        assert_int_equal(suite_append(w->st, &append), CTN_OUTCOME_ACCEPTED);
        assert_ok(ctn_store_execution_by_key(w->st, w->arena, row.chain_id, row.idempotency_key, &found, &err_));
        assert_int_equal(found.exec_no, row.exec_no);
    }
    int64_t first, second;
    assert_ok(ctn_store_exec_nos_reserve(w->st, 10, &first, &err_));
    assert_ok(ctn_store_exec_nos_reserve(w->other, 10, &second, &err_));
    assert_true(second >= first + 10 * SHARDS);
}

static void no_finding(void *ctx, const ctn_verify_finding *f)
{
    if (strcmp(f->rule, "audit") == 0)
        fail_msg("%.*s", CTN_STR_ARG(f->what));
    ++*(int *) ctx;
}

static int count_entry(void *ctx, const ctn_audit_entry *entry)
{
    (void) entry;
    ++*(int *) ctx;
    return 0;
}

static void the_audit_log_has_a_chain_in_each(void **state)
{
    world *w = *state;
    ctn_audit_entry entry = {.at_ms = 5, .actor = S("ada"), .action = S("executions.start"), .subject = S("x")};
    int64_t count;
    int told = 0, findings = 0;
    assert_ok(ctn_store_audit(w->st, &entry, &err_));
    for (uint32_t shard = 2; shard < SHARDS; shard += 5) {
        ctn_execution_row row = row_in(shard, 1);
        ctn_append append = append_of(w, &row);
        append.audits = &entry;
        append.audit_count = 1;
        assert_int_equal(suite_append(w->st, &append), CTN_OUTCOME_ACCEPTED);
    }
    assert_ok(ctn_store_audit_list(w->st, count_entry, &told, &err_));
    assert_ok(ctn_store_audit_count(w->st, &count, &err_));
    assert_int_equal(told, 4);
    assert_int_equal(count, 4);
    ctn_verify_report report;
    ctn_verify_options options = {.is_quick = true, .on_finding = no_finding, .ctx = &findings};
    assert_ok(ctn_store_verify(w->st, &options, &report, &err_));
    assert_int_equal(report.executions, 3);
}

static void retention_goes_through_all_of_them(void **state)
{
    world *w = *state;
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        ctn_execution_row row = row_in(shard, 1);
        row.status = CTN_STATUS_COMPLETED;
        row.wake_at_ms = 0;
        row.finished_at_ms = SUITE_BEGAN_MS + shard;
        ctn_append append = append_of(w, &row);
        assert_int_equal(suite_append(w->st, &append), CTN_OUTCOME_ACCEPTED);
    }
    ctn_prune what = suite_older_than(13);
    ctn_prune_walk walk;
    assert_int_equal(suite_prune_all(w->st, &what, &walk).executions, 13);
    assert_int_equal(walk.completed.next_at_ms, SUITE_BEGAN_MS + 13);
    assert_int_equal(rows_in_part(w, 0), 0);
    assert_int_equal(rows_in_part(w, 1), 3);
}

static void what_it_cannot_do_it_says(void **state)
{
    world *w = *state;
    ctn_err err = {0};
    ctn_webhook_row hook = {.name = S("h"), .definition = S("{}"), .secret = S("s"), .created_by = S("ada")};
    assert_int_equal(ctn_store_webhook_put(w->st, &hook, &err), CTN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "several databases"));
    uint64_t epoch;
    bool was_crash;
    assert_int_equal(ctn_store_epoch_begin(w->st, &epoch, &was_crash, &err), CTN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "owned by nodes"));
}

static void open_says(world *w, const char *text, const char *words)
{
    ctn_store *st = NULL;
    ctn_err err = {0};
    write_file(w, text);
    assert_true(ctn_store_open(w->url, CTN_STORE_CREATE, &st, &err) != CTN_OK);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" is not in: %s", words, err.message);
    assert_null(strstr(err.message, "s3cret"));
}

static void a_file_that_is_wrong_is_refused_with_a_sentence(void **state)
{
    world *w = *state;
    open_says(w, "{\"0-7\": \"memory:one?shards=16\"}", "end at shard 7");
    open_says(w, "{\"0-7\": \"memory:one?shards=16\", \"9-15\": \"memory:two?shards=16\"}", "shard 8 is in no range");
    open_says(w, "{\"0-8\": \"memory:one?shards=16\", \"8-15\": \"memory:two?shards=16\"}", "shard 8 is in two ranges");
    open_says(w, "{\"0-7\": \"memory:one?shards=16\", \"8-15\": \"memory:six?shards=32\"}", "has 32 shards");
    open_says(w, "{\"7-0\": \"memory:one?shards=16\"}", "no range of shards");
    open_says(w, "{\"0-15\": 7}", "is no text");
    open_says(w, "{\"0-15\": \"sqlite:s3cret.db\"}", "none that several nodes share");
    open_says(w, "[]", "is no object");
    open_says(w, "{", "catena-split");
    ctn_store *st = NULL;
    ctn_err err = {0};
    assert_int_equal(ctn_store_open("shards:/nowhere/f", CTN_STORE_CREATE, &st, &err), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_open("shards:", CTN_STORE_CREATE, &st, &err), CTN_E_INVALID);
}

#define ON(name, is_postgres)                                                                                          \
    {                                                                                                                  \
#name " " #is_postgres, name, world_setup, world_teardown, (is_postgres) ? "" : NULL                           \
    }
#define ON_BOTH(name) ON(name, false), ON(name, true)

int main(void)
{
    const char *missing = pg_server_missing();
    if (missing)
        fprintf(stderr, "on PostgreSQL: skipped: %s\n", missing);
    else
        server = pg_server_start(SQL_SHARDS_SETTING);
    const struct CMUnitTest tests[] = {
        ON_BOTH(an_execution_is_in_the_database_of_its_shard),
        ON_BOTH(lists_are_told_as_one),
        ON_BOTH(sums_are_of_all),
        ON_BOTH(an_epoch_is_that_of_its_shard_in_its_database),
        ON_BOTH(a_node_lives_in_all_of_them_or_in_none),
        ON_BOTH(requests_and_keys_are_found_where_they_were_put),
        ON_BOTH(the_audit_log_has_a_chain_in_each),
        ON_BOTH(retention_goes_through_all_of_them),
        ON_BOTH(what_it_cannot_do_it_says),
        ON(a_file_that_is_wrong_is_refused_with_a_sentence, false),
    };
    int failed = cmocka_run_group_tests_name("split", tests, NULL, NULL);
    if (server)
        failed += sql_shards_check(server, 60);
    pg_server_end(server);
    return failed;
}
