/*
 * test_schema.c -- a store of the past is brought up to date, or refused; its views show people what happened.
 */
#include "suite.h"
#include "sqlite_file.h"
#include "store/sqlite/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_migrated_by_opening(const char *url, ctn_store_version *ret_version)
{
    ctn_store *st = NULL;
    assert_ok(ctn_store_open(url, CTN_STORE_CREATE, &st, &err_));
    bool was_migrated = ctn_store_was_migrated(st, ret_version);
    ctn_store_close(st);
    return was_migrated;
}

static void an_older_store_is_migrated_on_request(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    ctn_store_version version;
    assert_int_equal(ctn_sqlite_make_old(path, 1, NULL), CTN_OK);
    file_shell(path, "INSERT INTO definitions VALUES(zeroblob(32), 'chain', 'old', 'body')", text);
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 1);
    assert_true(version.newest > 1);
    file_open_fails(url, CTN_STORE_WRITE, CTN_E_STATE, "store migrate");
    file_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "store migrate");
    assert_true(is_migrated_by_opening(url, &version));
    assert_int_equal(version.found, 1);
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, version.newest);
    assert_false(is_migrated_by_opening(url, &version)); /* nothing to do */
    assert_string_equal(file_shell(path, "SELECT count(*) FROM executions_view", text), "0");
    ctn_store *st = NULL;
    ctn_definition definition;
    assert_int_equal(ctn_store_open(url, CTN_STORE_WRITE, &st, NULL), CTN_OK);
    assert_int_equal(ctn_store_definition_get(st, f->arena, &(ctn_digest){0}, &definition, NULL), CTN_OK);
    assert_true(ctn_str_is(definition.name, "old"));
    ctn_store_close(st);
}

static void creating_brings_an_older_store_up_to_date(void **state)
{
    suite_fixture *f = *state;
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    assert_int_equal(ctn_sqlite_make_old(path, 1, NULL), CTN_OK);
    ctn_store *st = NULL;
    assert_int_equal(ctn_store_open(path, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    /* the same schema, whichever way it came about */
    char other[512];
    file_shell(path, "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)", text);
    file_shell(file_path(f), "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)", other);
    assert_string_equal(text, other);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    suite_fixture *f = *state;
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    ctn_store_version version;
    assert_int_equal(ctn_sqlite_make_old(path, 1, NULL), CTN_OK);
    file_shell(path, "CREATE VIEW execution_metrics AS SELECT 'mine'", text);
    file_open_fails(path, CTN_STORE_CREATE, CTN_E_IO, "migration to schema 2");
    assert_string_equal(file_shell(path, "PRAGMA user_version", text), "1");
    assert_string_equal(file_shell(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'executions_view'", text),
                        "0");
    file_shell(path, "DROP VIEW execution_metrics", text);
    assert_true(is_migrated_by_opening(path, &version));
}

static void views_show_people_what_happened(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(258);
    ctn_record *records = suite_records(f->arena, 258, 0, NULL, 3);
    records[2].kind = CTN_ENTRY_COMPLETED;
    records[2].step = CTN_STR("");
    records[2].body = CTN_STR("{\"outputs\":{\"price\":19.90}}");
    ctn_execution_change change = {.status = CTN_STATUS_COMPLETED, .outputs = CTN_STR("{\"price\":19.90}")};
    ctn_append append = {
        .exec_no = 258, .epoch = f->epoch, .row = &row, .change = &change, .records = records, .count = 3};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    file_shell(file_path(f), "SELECT execution_id FROM executions_view", text);
    assert_string_equal(text, ctn_id_to_text(row.id).text);
    assert_string_equal(file_shell(file_path(f), "SELECT outputs FROM executions_view", text), "{\"price\":19.90}");
    assert_string_equal(file_shell(file_path(f), "SELECT outputs FROM chain_executions", text), "");
    assert_string_equal(file_shell(file_path(f), "SELECT created_at FROM executions_view", text),
                        "2023-11-14T22:13:20.258Z");
    file_shell(file_path(f), "SELECT execution_id || seq || kind FROM journal_view ORDER BY position", text);
    assert_string_equal(text, "01900000-0000-7001-8000-0000000001021started");
    file_shell(file_path(f), "SELECT step || ' ' || result || ' ' || variables FROM step_results", text);
    assert_string_equal(text, "search completed {\"n\":2,\"of\":258}");
    file_shell(file_path(f), "SELECT entries || ' ' || steps_succeeded || ' ' || run_ms FROM execution_metrics", text);
    assert_string_equal(text, "3 1 2");
}

static void views_tell_items_and_the_cache(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(7);
    ctn_record *records = suite_records(f->arena, 7, 0, NULL, 6);
    static const struct {
        ctn_entry_kind kind;
        int64_t item;
        const char *body;
    } said[] = {{CTN_ENTRY_FOREACH_STARTED, -1, "{\"count\":2}"},
                {CTN_ENTRY_CACHE_HIT, 0, "{\"variables\":{\"n\":1}}"},
                {CTN_ENTRY_ATTEMPT_FAILED, 1, "{\"code\":\"tool_error\",\"message\":\"no\",\"fallback\":1}"},
                {CTN_ENTRY_FALLBACK_TAKEN, 1, "{\"fallback\":1}"},
                {CTN_ENTRY_ATTEMPT_SUCCEEDED, 1, "{\"variables\":{\"n\":2}}"}};
    for (size_t i = 0; i < 5; i++) {
        records[i + 1].kind = said[i].kind;
        records[i + 1].item = said[i].item;
        records[i + 1].step = CTN_STR("book");
        records[i + 1].body = ctn_str_from(said[i].body);
    }
    ctn_append append = {.exec_no = 7, .epoch = f->epoch, .row = &row, .records = records, .count = 6};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    /* its items are done, and the step itself is not yet */
    static const char steps[] = "SELECT group_concat(step || coalesce(item, '') || ' ' || result || ' ' || "
                                "is_from_cache || ' ' || variables, '; ') FROM (SELECT * FROM step_results ORDER BY "
                                "step, item)";
    static const char figures[] = "SELECT steps_succeeded || ' ' || items_succeeded || ' ' || cache_hits || ' ' || "
                                  "fallbacks || ' ' || attempts_failed FROM execution_metrics";
    file_shell(file_path(f), steps, text);
    assert_string_equal(text, "book0 completed 1 {\"n\":1}; book1 completed 0 {\"n\":2}");
    assert_string_equal(file_shell(file_path(f), figures, text), "0 2 1 1 1");
    ctn_record *whole = suite_records(f->arena, 7, 6, &records[5].hash, 1);
    whole->kind = CTN_ENTRY_ATTEMPT_SUCCEEDED;
    whole->step = CTN_STR("book");
    whole->body = CTN_STR("{\"items\":2,\"failed\":0,\"variables\":{\"n\":[1,2]}}");
    append = (ctn_append){.exec_no = 7, .epoch = f->epoch, .seq_expected = 6, .records = whole, .count = 1};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(file_shell(file_path(f),
                                   "SELECT result || ' ' || items || ' ' || items_failed || ' ' || variables "
                                   "FROM step_results WHERE item IS NULL",
                                   text),
                        "completed 2 0 {\"n\":[1,2]}");
    assert_string_equal(file_shell(file_path(f), figures, text), "1 2 1 1 1");
}

/* Numbers that were given out are not given out again, whatever retention took away. */
static void deleting_lowers_no_number(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(5);
    suite_create(f, &row, 4);
    file_shell(file_path(f), "DELETE FROM chain_executions; DELETE FROM execution_journal", text);
    int64_t last = 0;
    assert_int_equal(ctn_store_exec_no_last(f->st, &last, NULL), CTN_OK);
    assert_int_equal(last, 5);
    ctn_execution_row next = suite_row(6);
    suite_create(f, &next, 1);
    assert_string_equal(file_shell(file_path(f), "SELECT position FROM execution_journal", text), "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(an_older_store_is_migrated_on_request),
        SUITE_TEST_SQLITE(creating_brings_an_older_store_up_to_date),
        SUITE_TEST_SQLITE(a_migration_that_fails_changes_nothing),
        SUITE_TEST_SQLITE(views_show_people_what_happened),
        SUITE_TEST_SQLITE(views_tell_items_and_the_cache),
        SUITE_TEST_SQLITE(deleting_lowers_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
