/*
 * test_upgrade.c -- two versions on one PostgreSQL store: the old one goes on while the new one adds to the schema, and
 * is refused by name once that was taken away which it needs (postgres/schema.c: expand, then contract).
 *
 * The newer version is played by the statements that its migration would run.
 */
#include "suite.h"
#include "store/fleet.h"
#include "support/pg_server.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pg_server *server;

typedef struct old_node {
    char *url, database[16];
    ctn_store *st;
    int64_t incarnation;
    ctn_shard_lease lease;
    ctn_arena *arena;
    atomic_bool stops;
    atomic_int commits;
    int refused; /* commits that were not accepted */
} old_node;

static void node_begin(old_node *o)
{
    char *url = pg_server_new_database(server);
    snprintf(o->database, sizeof o->database, "%s", strrchr(url, '/') + 1);
    if (asprintf(&o->url, "%s?shards=4", url) < 0)
        abort();
    free(url);
    o->arena = ctn_arena_new(65536);
    ctn_node_row node = {.name = S("old"), .version = S("1"), .labels = S("{}")};
    assert_ok(ctn_store_open(o->url, CTN_STORE_CREATE, &o->st, &err_));
    assert_ok(ctn_store_node_join(o->st, &node, 60000, &o->incarnation, &err_));
    assert_ok(ctn_store_shard_take(o->st, o->incarnation, 3, &o->lease, &err_));
}

static void node_end(old_node *o)
{
    ctn_store_close(o->st);
    ctn_arena_free(o->arena);
    free(o->url);
}

static bool commit_one(old_node *o, int64_t n)
{
    ctn_arena_mark mark = ctn_arena_save(o->arena);
    ctn_execution_row row = suite_row(n * 4 + 3);
    ctn_append append = {.exec_no = row.exec_no,
                         .epoch = o->lease.epoch,
                         .row = &row,
                         .records = suite_records(o->arena, row.exec_no, 0, NULL, 2),
                         .count = 2};
    ctn_outcome outcome = CTN_OUTCOME_STALE_EPOCH;
    ctn_err err = {0};
    int rc = CTN_E_BUSY;
    for (int tries = 0; rc == CTN_E_BUSY && tries < 20; tries++) /* as the writer does */
        rc = ctn_store_commit(o->st, &append, 1, &outcome, &err);
    if (rc)
        fprintf(stderr, "%s\n", err.message);
    ctn_arena_restore(o->arena, mark);
    return rc == CTN_OK && outcome == CTN_OUTCOME_ACCEPTED;
}

static void *commit_on(void *ctx)
{
    old_node *o = ctx;
    for (int64_t n = 1; !o->stops; n++) {
        o->refused += !commit_one(o, n);
        o->commits++;
    }
    return NULL;
}

static void wait_for_commits(old_node *o, int more)
{
    for (int wanted = o->commits + more; o->commits < wanted;)
        usleep(1000);
}

static void an_old_node_commits_while_the_schema_grows(void **state)
{
    (void) state;
    old_node o = {0};
    pthread_t thread;
    node_begin(&o);
    assert_int_equal(pthread_create(&thread, NULL, commit_on, &o), 0);
    wait_for_commits(&o, 20);
    static const char *const EXPAND[] = {
        "BEGIN; SET LOCAL search_path = catena; SET LOCAL lock_timeout = '3s';"
        "ALTER TABLE chain_executions ADD COLUMN future_place text;"
        "ALTER TABLE execution_journal ADD COLUMN future_weight bigint NOT NULL DEFAULT 7;"
        "ALTER TABLE nodes ADD COLUMN future_zone text;"
        "CREATE TABLE future_things(shard integer NOT NULL, no bigint NOT NULL, PRIMARY KEY (shard, no));"
        "UPDATE meta SET schema_number = schema_number + 1; COMMIT",
        "BEGIN; SET LOCAL search_path = catena; CREATE INDEX future_places ON chain_executions(shard, future_place)"
        " WHERE future_place IS NOT NULL; UPDATE meta SET schema_number = schema_number + 1; COMMIT"};
    for (size_t i = 0; i < sizeof EXPAND / sizeof *EXPAND; i++) {
        assert_true(pg_server_try(server, o.database, EXPAND[i]));
        wait_for_commits(&o, 20);
    }
    o.stops = true;
    pthread_join(thread, NULL);
    assert_int_equal(o.refused, 0);
    assert_int_equal(pg_server_number(server, o.database, "SELECT count(*) FROM catena.chain_executions"), o.commits);
    assert_int_equal(suite_journal_check(o.st, 7), 2);
    /* It beats, takes and gives back; and is started again, beside the new one. */
    ctn_beat beat;
    ctn_store *again = NULL;
    ctn_store_version version;
    assert_ok(ctn_store_node_beat(o.st, o.incarnation, 60000, false, o.arena, &beat, &err_));
    assert_ok(ctn_store_version_read(o.url, &version, &err_));
    assert_int_equal(version.found, version.newest + 2);
    assert_ok(ctn_store_open(o.url, CTN_STORE_CREATE, &again, &err_));
    ctn_node_row node = {.name = S("old too"), .version = S("1"), .labels = S("{}")};
    int64_t incarnation;
    assert_ok(ctn_store_node_join(again, &node, 60000, &incarnation, &err_));
    ctn_store_close(again);
    node_end(&o);
}

static void a_schema_that_it_does_not_know_is_refused_by_name(void **state)
{
    (void) state;
    old_node o = {0};
    ctn_store *again = NULL;
    ctn_err err = {0};
    node_begin(&o);
    assert_true(
        pg_server_try(server, o.database,
                      "UPDATE catena.meta SET schema_number = schema_number + 5, works_from = schema_number + 5"));
    char wanted[32];
    int64_t number = pg_server_number(server, o.database, "SELECT schema_number FROM catena.meta");
    snprintf(wanted, sizeof wanted, "schema %lld ", (long long) number);
    for (int mode = CTN_STORE_READ; mode <= CTN_STORE_CREATE; mode++) {
        assert_int_equal(ctn_store_open(o.url, (ctn_store_mode) mode, &again, &err), CTN_E_NEWER);
        assert_non_null(strstr(err.message, wanted));
        assert_non_null(strstr(err.message, "newer"));
    }
    assert_int_equal(pg_server_number(server, o.database, "SELECT schema_number FROM catena.meta"),
                     number); /* untouched */
    node_end(&o);
}

/* What schema 2 added goes, as if it had never been: an old node makes a store, and a new program comes. */
static void a_store_of_schema_1_gets_shards_to_set_aside_when_no_old_node_lives(void **state)
{
    (void) state;
    old_node o = {0};
    ctn_store *newer = NULL;
    ctn_store_version version;
    ctn_shard_set shards;
    ctn_err err = {0};
    pthread_t thread;
    node_begin(&o);
    assert_true(pg_server_try(server, o.database,
                              "DROP TABLE catena.needs; ALTER TABLE catena.nodes DROP COLUMN knows_needs;"
                              "UPDATE catena.meta SET schema_number = 1"));
    assert_int_equal(pthread_create(&thread, NULL, commit_on, &o), 0);
    wait_for_commits(&o, 20);
    assert_ok(ctn_store_open(o.url, CTN_STORE_CREATE, &newer, &err_));
    wait_for_commits(&o, 20);
    o.stops = true;
    pthread_join(thread, NULL);
    assert_int_equal(o.refused, 0);
    assert_ok(ctn_store_version_read(o.url, &version, &err_));
    assert_int_equal(version.found, version.newest);
    assert_int_equal(ctn_store_need_claim(newer, S("{\"gpu\":true}"), &shards, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, "(old)"));
    assert_ok(ctn_store_node_leave(o.st, o.incarnation, &err_));
    assert_ok(ctn_store_need_claim(newer, S("{\"gpu\":true}"), &shards, &err_));
    ctn_store_close(newer);
    node_end(&o);
}

int main(void)
{
    const char *missing = pg_server_missing();
    if (missing) {
        fprintf(stderr, "skipped: %s\n", missing);
        return 0;
    }
    server = pg_server_start(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_node_commits_while_the_schema_grows),
        cmocka_unit_test(a_store_of_schema_1_gets_shards_to_set_aside_when_no_old_node_lives),
        cmocka_unit_test(a_schema_that_it_does_not_know_is_refused_by_name),
    };
    int failed = cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
    pg_server_end(server);
    return failed;
}
