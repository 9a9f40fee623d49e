/*
 * test_postgres_fleet.c -- nodes that share a store on PostgreSQL are promised what fleet.h says; and what only
 * PostgreSQL can get wrong: commits that are under way while a shard is taken away, connections that are lost, poolers.
 */
#include "base/memory.h"
#include "store/postgres/pg.h"
#include "store/postgres/schema_fleet.h"
#include "suite_fleet.h"
#include "support/pg_server.h"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pg_server *server;
static const char DATABASE[] = "db1"; /* each test has a schema of its own in it */

/* "suite_7" */
static const char *schema_of(const suite_fixture *f)
{
    return strstr(f->url, "schema=") + sizeof "schema=" - 1;
}

/* The past is moved, not the clock. */
static void later(suite_fixture *f, int64_t ms)
{
    free(pg_server_sql(server, DATABASE,
                       "SET search_path TO %s; UPDATE nodes SET joined_at_ms = joined_at_ms - %" PRId64
                       ", beat_at_ms = beat_at_ms - %" PRId64 ", expires_at_ms = expires_at_ms - %" PRId64
                       " WHERE incarnation > 0; UPDATE requests SET done_at_ms = done_at_ms - %" PRId64
                       "; UPDATE tokens SET filled_at_ms = filled_at_ms - %" PRId64,
                       schema_of(f), ms, ms, ms, ms, ms));
}

/* ---- commits that are under way ---- */

typedef struct committing {
    pthread_t thread;
    ctn_store *st;
    ctn_append append;
    ctn_outcome outcome;
    int rc;
    ctn_err err;
} committing;

static void *commit_it(void *ctx)
{
    committing *c = ctx;
    c->rc = ctn_store_commit(c->st, &c->append, 1, &c->outcome, &c->err);
    return NULL;
}

/* Somebody who is in nobody's way but a commit's: its entries have to wait. */
static PGconn *hold_the_journal(const suite_fixture *f)
{
    char sql[128], *url = pg_server_socket_url(server, DATABASE);
    PGconn *conn = PQconnectdb(url);
    snprintf(sql, sizeof sql, "BEGIN; LOCK TABLE %s.execution_journal IN SHARE MODE", schema_of(f));
    PGresult *result = PQexec(conn, sql);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    free(url);
    return conn;
}

static void wait_until_one_waits(void)
{
    for (int i = 0; i < 500; i++) {
        if (pg_server_number(server, DATABASE, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
            return;
        poll(NULL, 0, 10);
    }
    fail_msg("the commit did not come to wait");
}

/* Its beats go on meanwhile, and nobody gets its shards: not by burying, nor because it gives them back itself. */
static void a_commit_under_way_keeps_its_shards(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, SUITE_SHARDS);
    committing c = {.outcome = CTN_OUTCOME_STALE_SEQ};
    ctn_execution_row row;
    ctn_err err = {0};
    uint32_t buried = 9;
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &c.st, &err_));
    assert_ok(ctn_store_handle_of(c.st, a.incarnation, &err_));
    c.append = suite_first_append(f, &row, 16, a.epochs[0]); /* before: statements are prepared outside of commits */
    assert_int_equal(suite_append(c.st, &c.append), CTN_OUTCOME_ACCEPTED);
    c.append = suite_first_append(f, &row, 32, a.epochs[0]);
    PGconn *holder = hold_the_journal(f);
    assert_int_equal(pthread_create(&c.thread, NULL, commit_it, &c), 0);
    wait_until_one_waits();
    suite_beat(f, &a);
    assert_int_equal(ctn_store_shards_release(a.st, a.incarnation, &(ctn_shard_set){{1}}, &err), CTN_E_BUSY);
    later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &b);
    later(f, 10000);
    assert_ok(ctn_store_nodes_bury(b.st, 0, &buried, &err_));
    assert_int_equal(buried, 0);
    assert_int_equal(suite_held_by(f, a.incarnation), SUITE_SHARDS);
    PQfinish(holder);
    pthread_join(c.thread, NULL);
    if (c.rc)
        fail_msg("%s", c.err.message);
    assert_int_equal(c.outcome, CTN_OUTCOME_ACCEPTED);
    assert_ok(ctn_store_nodes_bury(b.st, 0, &buried, &err_));
    assert_int_equal(buried, 1);
    ctn_store_close(c.st);
    suite_part_with(&a);
    suite_part_with(&b);
}

/* The database ends its transaction, so its shards are free soon. */
static void who_stands_still_in_the_middle_of_a_commit_is_buried_all_the_same(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a"), b = suite_join(f, "b");
    suite_take(&a, SUITE_SHARDS);
    pg *db = ((pg_store *) a.st)->db;
    pg_params p = {0};
    uint32_t buried = 0;
    ctn_pg_int(&p, a.incarnation);
    assert_ok(ctn_pg_begin(db, &err_));
    assert_ok(ctn_pg_ask(db, "committing", PG_NODE_LOCK, &p, NULL, &err_));
    later(f, SUITE_TERM_MS - 5000);
    suite_beat(f, &b);
    later(f, 10000);
    for (int i = 0; i < 20 && !buried; i++)
        assert_ok(ctn_store_nodes_bury(b.st, 0, &buried, &err_)); /* waits half a second each */
    assert_int_equal(buried, 1);
    assert_int_equal(suite_take(&b, SUITE_SHARDS), SUITE_SHARDS);
    assert_true(ctn_pg_commit(db, NULL) != CTN_OK);
    suite_part_with(&a);
    suite_part_with(&b);
}

/* ---- connections ---- */

static void who_lost_its_connection_is_woken_on_another(void **state)
{
    suite_fixture *f = *state;
    suite_node a = suite_join(f, "a");
    int64_t no;
    suite_take(&a, SUITE_SHARDS);
    struct pollfd fd = {.fd = ctn_store_wake_fd(a.st, a.incarnation), .events = POLLIN};
    free(pg_server_sql(server, DATABASE, "SELECT pg_terminate_backend(%d)",
                       PQbackendPID(ctn_pg_current(((pg_store *) a.st)->db))));
    uint64_t generation = ctn_pg_generation(((pg_store *) a.st)->db);
    for (int i = 0; i < 10 && ctn_pg_generation(((pg_store *) a.st)->db) == generation; i++) {
        assert_int_equal(poll(&fd, 1, 5000), 1); /* the farewell, and the end, which may come later */
        assert_false(ctn_store_woken(a.st));
        fd.fd = ctn_store_wake_fd(a.st, a.incarnation);
        assert_true(fd.fd >= 0);
    }
    assert_int_equal(poll(&fd, 1, 0), 0);
    ctn_request_row row = {.shard = 3, .id = suite_id(3), .kind = S("input"), .body = S("{}")};
    assert_ok(ctn_store_requests_put(f->second, &row, 1, &no, &err_));
    assert_int_equal(poll(&fd, 1, 5000), 1);
    assert_true(ctn_store_woken(a.st));
    suite_part_with(&a);
}

static void behind_a_pooler_the_beat_is_all_there_is_to_wake_a_node(void **state)
{
    suite_fixture *f = *state;
    char url[300];
    int64_t no;
    snprintf(url, sizeof url, "%s&pooler=transaction", f->url);
    suite_node a = suite_join(f, "a");
    suite_take(&a, 3);
    suite_part_with(&a);
    assert_ok(ctn_store_open(url, CTN_STORE_WRITE, &a.st, &err_));
    assert_ok(ctn_store_handle_of(a.st, a.incarnation, &err_));
    assert_int_equal(suite_take(&a, SUITE_SHARDS), SUITE_SHARDS - 3);
    assert_int_equal(ctn_store_wake_fd(a.st, a.incarnation), -1);
    ctn_request_row row = {.shard = 3, .id = suite_id(3), .kind = S("input"), .body = S("{}")};
    assert_ok(ctn_store_requests_put(a.st, &row, 1, &no, &err_));
    assert_false(ctn_store_woken(a.st));
    assert_int_equal(suite_beat(f, &a).requests, 1);
    assert_ok(ctn_store_request_answer(a.st, 3, no, CTN_OK, S(""), &err_));
    assert_ok(ctn_store_node_leave(a.st, a.incarnation, &err_));
    suite_part_with(&a);
}

int main(void)
{
    const char *missing = pg_server_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    server = pg_server_start(NULL);
    char *database = pg_server_new_database(server), url[256];
    snprintf(url, sizeof url, "%s?shards=16&schema=SCHEMA", database);
    const struct CMUnitTest own[] = {
        cmocka_unit_test(a_commit_under_way_keeps_its_shards),
        cmocka_unit_test(who_stands_still_in_the_middle_of_a_commit_is_buried_all_the_same),
        cmocka_unit_test(who_lost_its_connection_is_woken_on_another),
        cmocka_unit_test(behind_a_pooler_the_beat_is_all_there_is_to_wake_a_node),
    };
    int failed = suite_run_fleet(url, later, own, sizeof own / sizeof own[0]);
    free(database);
    pg_server_end(server);
    return failed;
}
