/*
 * test_docs_queries.c -- the queries that docs/operations.md shows run on a store as it is made today.
 */
#include "suite.h"
#include "support/shared_data.h"
#include <sqlite3.h>

#define PAGE "docs/operations.md"

static void run_query(sqlite3 *db, ctn_str sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql.ptr, (int) sql.len, &stmt, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE)
        fail_msg("%s\n%.*s", sqlite3_errmsg(db), CTN_STR_ARG(sql));
    sqlite3_finalize(stmt);
}

static void every_query_of_the_documentation_runs(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 5);
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (!ctn_read_file(PAGE, &text))
        fail_msg("no " PAGE ": run this from the root of the repository");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(ctn_store_url_file(f->url).ptr, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ctn_str rest = ctn_buf_str(&text);
    size_t count = 0;
    for (size_t at; (at = ctn_str_find(rest, CTN_STR("```sql\n"))) != SIZE_MAX;) {
        rest = ctn_str_from_offset(rest, at + strlen("```sql\n"));
        size_t end = ctn_str_find(rest, CTN_STR("```"));
        assert_true(end != SIZE_MAX);
        run_query(db, (ctn_str){rest.ptr, end});
        rest = ctn_str_from_offset(rest, end + strlen("```"));
        count++;
    }
    sqlite3_close(db);
    ctn_buf_done(&text);
    assert_true(count >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(every_query_of_the_documentation_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
