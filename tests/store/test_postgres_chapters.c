/*
 * test_postgres_chapters.c -- what the chapters of the store on PostgreSQL promise beyond the suite: the same schema
 * for people as in a file, nodes that write beside each other, and what verify finds.
 */
#include "suite.h"
#include "base/memory.h"
#include "store/audit.h"
#include "store/backup.h"
#include "store/principals.h"
#include "store/tool_pins.h"
#include "store/verify.h"
#include "store/webhooks.h"
#include "support/pg_server.h"
#include "support/shared_data.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE     "docs/operations.md"
#define DATABASE "db1"

static pg_server *server;

/* ---- SQL beside the store ---- */

static const char *schema_of(const suite_fixture *f)
{
    static char name[64];
    const char *at = strstr(f->url, "schema=") + strlen("schema=");
    snprintf(name, sizeof name, "%.*s", (int) strcspn(at, "&"), at);
    return name;
}

static void run_sql(const suite_fixture *f, ctn_str sql)
{
    free(pg_server_sql(server, DATABASE, "SET search_path = %s; %.*s", schema_of(f), CTN_STR_ARG(sql)));
}

static int64_t number(const suite_fixture *f, const char *sql)
{
    return pg_server_number(server, DATABASE, "SET search_path = %s; %s", schema_of(f), sql);
}

/* ---- the schema, as people see it ---- */

static void every_query_of_the_documentation_runs(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 5);
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (!ctn_read_file(PAGE, &text))
        fail_msg("no " PAGE ": run this from the root of the repository");
    ctn_str rest = ctn_buf_str(&text);
    size_t count = 0;
    for (size_t at; (at = ctn_str_find(rest, CTN_STR("```sql\n"))) != SIZE_MAX; count++) {
        rest = ctn_str_from_offset(rest, at + strlen("```sql\n"));
        size_t end = ctn_str_find(rest, CTN_STR("```"));
        assert_true(end != SIZE_MAX);
        run_sql(f, (ctn_str){rest.ptr, end});
        rest = ctn_str_from_offset(rest, end + strlen("```"));
    }
    ctn_buf_done(&text);
    assert_true(count >= 5);
}

/* `meta` alone is each store's own. */
static void what_a_file_has_is_there_by_the_same_names(void **state)
{
    suite_fixture *f = *state;
    static const char COLUMNS[] =
        "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c"
        " WHERE s.type IN ('table','view') AND s.name <> 'meta' AND s.name NOT LIKE 'sqlite%'";
    char folder[] = "/tmp/catena-columns-XXXXXX", url[64];
    ctn_store *file = NULL;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int columns = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "sqlite:%s/x.db", folder);
    assert_ok(ctn_store_open(url, CTN_STORE_CREATE, &file, &err_));
    assert_int_equal(sqlite3_open(ctn_store_url_file(url).ptr, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, COLUMNS, -1, &stmt, NULL), SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; columns++) {
        const unsigned char *table = sqlite3_column_text(stmt, 0), *column = sqlite3_column_text(stmt, 1);
        if (pg_server_number(server, DATABASE,
                             "SELECT count(*) FROM information_schema.columns WHERE table_schema = '%s'"
                             " AND table_name = '%s' AND column_name = '%s'",
                             schema_of(f), table, column) != 1)
            fail_msg("there is no %s.%s", table, column);
    }
    assert_true(columns > 100);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    ctn_store_close(file);
    (void) remove(url + strlen("sqlite:"));
    assert_int_equal(rmdir(folder), 0);
}

/* What JSON can say and a text of PostgreSQL cannot hold. */
static void a_zero_character_in_a_value_does_not_break_a_view(void **state)
{
    suite_fixture *f = *state;
    assert_int_equal(number(f,
                            "SELECT count(*) FROM (SELECT json_extract('{\"a\":\"x\\u0000y\",\"b\":{\"c\":7}}', p) AS v"
                            " FROM unnest(ARRAY['$.a','$.b.c']) p) t WHERE v IN (U&'x\\FFFDy', '7')"),
                     2);
}

static void a_backup_is_left_to_postgresql_with_a_sentence(void **state)
{
    suite_fixture *f = *state;
    ctn_err err = {0};
    ctn_backup_report report;
    assert_int_equal(ctn_store_backup(f->url, &(ctn_backup_options){.path = "/tmp/x"}, &report, &err),
                     CTN_E_UNSUPPORTED);
    if (!strstr(err.message, "pg_dump --format=custom --schema=t") || strstr(err.message, pg_server_password(server)))
        fail_msg("%s", err.message);
}

/* ---- nodes beside each other ---- */

enum { THREADS = 4, EACH = 15 };

typedef struct worker {
    const suite_fixture *f;
    int which;
    int64_t numbers[EACH];
    ctn_pruned sum;
} worker;

static void run_together(const suite_fixture *f, void *(*work)(void *), worker *workers)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.f = f, .which = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void *put_versions(void *ctx)
{
    worker *w = ctx;
    ctn_store *st = NULL;
    assert_ok(ctn_store_open(w->f->url, CTN_STORE_WRITE, &st, &err_));
    for (int i = 0; i < EACH; i++) {
        char body[80];
        snprintf(body, sizeof body, "{\"by\":%d,\"version\":%d}", w->which, i);
        ctn_definition d = {.digest = ctn_hash(S(body)), .kind = S("chain"), .name = S("trip"), .body = S(body)};
        ctn_chain_row row = {.chain_id = S("trip"), .digest = d.digest, .created_at_ms = 1};
        assert_ok(ctn_store_definition_put(st, &d, 1, &err_));
        assert_ok(ctn_store_chain_put(st, &row, &w->numbers[i], &err_));
    }
    ctn_store_close(st);
    return NULL;
}

static void nodes_that_number_versions_at_once_give_each_its_own(void **state)
{
    suite_fixture *f = *state;
    worker workers[THREADS];
    bool seen[THREADS * EACH + 1] = {0};
    run_together(f, put_versions, workers);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < EACH; k++) {
            assert_in_range(workers[i].numbers[k], 1, THREADS * EACH);
            assert_false(seen[workers[i].numbers[k]]);
            seen[workers[i].numbers[k]] = true;
        }
}

static void *put_audits(void *ctx)
{
    worker *w = ctx;
    ctn_store *st = NULL;
    ctn_audit_entry entry = {.at_ms = 1, .actor = S("ada"), .action = S("chains.import"), .subject = S("trip")};
    assert_ok(ctn_store_open(w->f->url, CTN_STORE_WRITE, &st, &err_));
    for (int i = 0; i < EACH; i++)
        assert_ok(ctn_store_audit(st, &entry, &err_));
    ctn_store_close(st);
    return NULL;
}

typedef struct audits {
    int64_t n;
    ctn_digest previous;
} audits;

static int follow_chain(void *ctx, const ctn_audit_entry *entry)
{
    audits *a = ctx;
    ctn_digest hash = ctn_audit_hash(entry, &a->previous);
    assert_int_equal(entry->n, ++a->n);
    assert_memory_equal(hash.bytes, entry->hash.bytes, sizeof hash.bytes);
    a->previous = hash;
    return 0;
}

static void handles_that_audit_at_once_make_one_chain(void **state)
{
    suite_fixture *f = *state;
    worker workers[THREADS];
    audits chain = {0};
    int64_t count = 0;
    run_together(f, put_audits, workers);
    assert_ok(ctn_store_audit_list(f->st, follow_chain, &chain, &err_));
    assert_int_equal(chain.n, THREADS * EACH);
    assert_ok(ctn_store_audit_count(f->st, &count, &err_));
    assert_int_equal(count, THREADS * EACH);
}

static int count_entry(void *ctx, const ctn_audit_entry *entry)
{
    int64_t *counts = ctx;
    counts[entry->node.ptr[1] - '0']++;
    assert_int_equal(entry->n, counts[entry->node.ptr[1] - '0']);
    return 0;
}

static void an_audit_log_longer_than_a_page_is_told_whole(void **state)
{
    suite_fixture *f = *state;
    int64_t counts[3] = {0};
    run_sql(f, S("INSERT INTO audit_log SELECT 'n' || n % 3, 1 + n / 3, 1, 'ada', 'a', '', '{}', '\\x00'"
                 " FROM generate_series(0, 2999) n"));
    assert_ok(ctn_store_audit_list(f->st, count_entry, counts, &err_));
    for (int i = 0; i < 3; i++)
        assert_int_equal(counts[i], 1000);
}

static void what_every_node_keeps_in_memory_is_told_and_nothing_else(void **state)
{
    suite_fixture *f = *state;
    static const char NUMBER[] = "SELECT number FROM changes";
    int64_t at = number(f, NUMBER), principals = 0;
    ctn_schedule_row schedule = {.chain_id = S("trip"), .cron = S("* * * * *"), .timezone = S("UTC")};
    ctn_breaker_row breaker = {.name = S("tool a/b"), .state = S("open"), .changed_at_ms = 1};
    ctn_webhook_row hook = {.name = S("w"), .definition = S("{}"), .secret = S("s"), .created_by = S("ada")};
    ctn_webhook_reach reach = {S("w"), 7};
    ctn_tool_pin pin = {.target = S("a/b"), .definition = S("{}"), .pinned_by = S("ada")};
    ctn_principal_row ada = {.name = S("ada"), .created_by = S("root")};
    ctn_principal_put put = {.row = &ada};
    assert_ok(ctn_store_schedule_put(f->st, &schedule, &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_ok(ctn_store_breaker_put(f->st, &breaker, &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_ok(ctn_store_webhook_put(f->st, &hook, &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_ok(ctn_store_webhook_advance(f->st, &reach, 1, &err_));
    assert_int_equal(number(f, NUMBER), at);
    assert_ok(ctn_store_webhook_remove(f->st, S("w"), &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_int_equal(ctn_store_webhook_remove(f->st, S("w"), NULL), CTN_E_NOT_FOUND);
    assert_int_equal(number(f, NUMBER), at);
    assert_ok(ctn_store_tool_pin_put(f->st, &pin, 1, &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_ok(ctn_store_principal_changes(f->st, &principals, &err_));
    assert_int_equal(principals, 0);
    assert_ok(ctn_store_principal_put(f->st, &put, &err_));
    assert_int_equal(number(f, NUMBER), ++at);
    assert_ok(ctn_store_principal_changes(f->st, &principals, &err_));
    assert_int_equal(principals, 1);
}

/* ---- retention ---- */

static void *prune_all(void *ctx)
{
    worker *w = ctx;
    ctn_store *st = NULL;
    ctn_prune what = suite_older_than(100000);
    what.entries_max = 20;
    assert_ok(ctn_store_open(w->f->url, CTN_STORE_WRITE, &st, &err_));
    w->sum = suite_prune_all(st, &what, NULL);
    ctn_store_close(st);
    return NULL;
}

static void what_several_prune_at_once_goes_once(void **state)
{
    suite_fixture *f = *state;
    worker workers[THREADS];
    uint64_t executions = 0;
    for (int64_t no = 1; no <= 60; no++)
        suite_make(f, no, CTN_STATUS_COMPLETED, no % 3 ? no - no % 3 : 0, no == 60 ? 50 : 3);
    suite_make(f, 100, CTN_STATUS_RUNNING, 0, 3);
    run_together(f, prune_all, workers);
    for (int i = 0; i < THREADS; i++)
        executions += workers[i].sum.executions;
    assert_int_equal(executions, 60);
    assert_int_equal(number(f, "SELECT count(*) FROM chain_executions"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM pruning"), 0);
    assert_int_equal(suite_journal_check(f->second, 100), 3);
}

/* ---- verify ---- */

typedef struct findings {
    char text[20000];
    size_t len;
} findings;

static void note_finding(void *ctx, const ctn_verify_finding *finding)
{
    findings *all = ctx;
    int wrote = snprintf(all->text + all->len, sizeof all->text - all->len, "%s: %.*s\n", finding->rule,
                         CTN_STR_ARG(finding->what));
    all->len = all->len + (size_t) wrote < sizeof all->text ? all->len + (size_t) wrote : all->len;
}

static ctn_verify_report verify(suite_fixture *f, findings *all)
{
    ctn_verify_report report = {0};
    *all = (findings){0};
    ctn_verify_options options = {.on_finding = note_finding, .ctx = all};
    assert_ok(ctn_store_verify(f->second, &options, &report, &err_));
    return report;
}

static void verify_finds_what_was_altered(void **state)
{
    static const struct {
        const char *sql, *finding;
    } ALTERED[] = {
        {"DROP VIEW journal_view", "schema: the view journal_view is missing\n"},
        {"DROP INDEX execution_journal_position", "schema: the index execution_journal_position is missing\n"},
        {"CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
         " CREATE TRIGGER spoils BEFORE INSERT ON breakers FOR EACH ROW EXECUTE FUNCTION theirs()",
         "schema: the trigger spoils on the table breakers is none of catena's\n"},
        {"DELETE FROM changes", "meta: the table changes has 0 rows instead of one\n"},
        {"UPDATE definitions SET body = '{\"a\":2}'", "was altered: its content has another digest\n"},
        {"UPDATE chain_executions SET phase = 2 WHERE exec_no = 1", "phase: its phase 2 is not that of its status"},
        {"UPDATE chain_executions SET queue_held = true WHERE exec_no = 2", "line: it is held back, and nobody"},
        {"UPDATE execution_journal SET body = '{}' WHERE exec_no = 3 AND seq = 2", "hash: "},
        {"DELETE FROM execution_journal WHERE exec_no = 4 AND seq = 2", "gap: "},
        {"DELETE FROM chain_executions WHERE exec_no = 5",
         "no-execution: there is no execution to these 3 entries of the journal\n"},
        {"INSERT INTO data_keys VALUES(0, 999, 'm', '\\x00')", "data-key: there is no execution to this data key\n"},
        {"UPDATE audit_log SET actor = 'eve' WHERE n = 1", "audit: entry 1 of the audit log was altered\n"},
        {"DELETE FROM audit_log WHERE n = 2", "audit: of the audit log the last entries are missing: 1 of 2\n"},
    };
    suite_fixture *f = *state;
    findings all;
    ctn_digest digest;
    ctn_audit_entry entry = {.at_ms = 1, .actor = S("ada"), .action = S("store.init")};
    suite_definition(f, "{\"a\":1}", &digest);
    for (int i = 0; i < 2; i++)
        assert_ok(ctn_store_audit(f->st, &entry, &err_));
    for (int64_t no = 1; no <= 6; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 3);
    }
    ctn_verify_report report = verify(f, &all);
    assert_int_equal(report.executions, 6);
    assert_int_equal(report.entries, 18);
    assert_int_equal(report.audit_entries, 2);
    for (size_t i = 0; i < sizeof ALTERED / sizeof *ALTERED; i++)
        if (strstr(all.text, ALTERED[i].finding))
            fail_msg("it is told although it is whole: %s", ALTERED[i].finding);
    for (size_t i = 0; i < sizeof ALTERED / sizeof *ALTERED; i++) {
        run_sql(f, S(ALTERED[i].sql));
        verify(f, &all);
        if (!strstr(all.text, ALTERED[i].finding))
            fail_msg("after %s: %snot %s", ALTERED[i].sql, all.text, ALTERED[i].finding);
    }
}

int main(void)
{
    const char *missing = pg_server_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    server = pg_server_start(NULL);
    char *database = pg_server_new_database(server), url[200];
    snprintf(url, sizeof url, "%s?schema=SCHEMA&shards=1", database);
#define ON_POSTGRES(name) cmocka_unit_test_prestate_setup_teardown(name, suite_setup, suite_teardown, url)
    const struct CMUnitTest tests[] = {
        ON_POSTGRES(every_query_of_the_documentation_runs),
        ON_POSTGRES(what_a_file_has_is_there_by_the_same_names),
        ON_POSTGRES(a_zero_character_in_a_value_does_not_break_a_view),
        ON_POSTGRES(a_backup_is_left_to_postgresql_with_a_sentence),
        ON_POSTGRES(nodes_that_number_versions_at_once_give_each_its_own),
        ON_POSTGRES(handles_that_audit_at_once_make_one_chain),
        ON_POSTGRES(an_audit_log_longer_than_a_page_is_told_whole),
        ON_POSTGRES(what_every_node_keeps_in_memory_is_told_and_nothing_else),
        ON_POSTGRES(what_several_prune_at_once_goes_once),
        ON_POSTGRES(verify_finds_what_was_altered),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(database);
    pg_server_end(server);
    return failed;
}
