/*
 * A store file that is broken in places, page by page: whoever is not on the broken page is found, listed, read; what
 * is on it is told as damaged; and what is left of a damaged execution is read past the damage.
 */
#include "suite.h"
#include "sqlite_file.h"

#include "store/raw.h"
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>

#define PAGE_BYTES 8192
#define COUNT      300 /* executions, over several pages of each table and index */
#define ENTRIES    6

static size_t pages_of(const suite_fixture *f, const char *name, int64_t *pages, size_t max)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    assert_int_equal(sqlite3_open(file_path(f), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'", -1, &stmt, NULL),
        SQLITE_OK);
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    while (count < max && sqlite3_step(stmt) == SQLITE_ROW)
        pages[count++] = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return count;
}

/* Every third has ended; the others are due, every third of them queued. */
static void fill(suite_fixture *f)
{
    for (int64_t no = 1; no <= COUNT; no++) {
        ctn_execution_row row = suite_row(no);
        row.status = no % 3 == 0 ? CTN_STATUS_COMPLETED : no % 3 == 1 ? CTN_STATUS_RUNNING : CTN_STATUS_QUEUED;
        row.wake_at_ms = no % 3 == 1;
        suite_create(f, &row, ENTRIES);
    }
}

static void close_all(suite_fixture *f)
{
    file_close(f);
    (void) file_ask(file_path(f), "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void open_again(suite_fixture *f)
{
    ctn_err err = {0};
    if (ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err))
        fail_msg("%s", err.message);
}

/* Overwrites a page, and gives back what was there. */
static void write_page(const suite_fixture *f, int64_t page, const char *bytes)
{
    int fd = open(file_path(f), O_RDWR);
    assert_int_equal(pwrite(fd, bytes, PAGE_BYTES, (off_t) (page - 1) * PAGE_BYTES), PAGE_BYTES);
    close(fd);
}
static void read_page(const suite_fixture *f, int64_t page, char *bytes)
{
    int fd = open(file_path(f), O_RDONLY);
    assert_int_equal(pread(fd, bytes, PAGE_BYTES, (off_t) (page - 1) * PAGE_BYTES), PAGE_BYTES);
    close(fd);
}

typedef struct tally {
    size_t rows, damaged, nameless;
    bool seen[COUNT + 1];
} tally;

static int count_row(void *ctx, const ctn_execution_row *row)
{
    tally *t = ctx;
    t->rows++;
    t->damaged += row->damage.len > 0;
    t->nameless += ctn_id_is_none(row->id);
    assert_in_range(row->exec_no, 1, COUNT);
    if (t->seen[row->exec_no])
        fail_msg("execution %" PRId64 " was told twice", row->exec_no);
    t->seen[row->exec_no] = true;
    return 0;
}

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    (void) record, (void) position;
    ++*(size_t *) ctx;
    return 0;
}

typedef struct raw_tally {
    size_t whole, lost, gaps;
} raw_tally;

static int count_raw(void *ctx, const ctn_raw_record *raw)
{
    raw_tally *t = ctx;
    if (raw->is_lost)
        t->lost++;
    else
        t->whole++;
    t->gaps += raw->damage && !raw->is_lost;
    return 0;
}

typedef struct outcome {
    size_t listed, told_damaged, raw_whole, raw_lost, unreadable;
    int list_rc;
} outcome;

/* With the store as it is: due and the queue tell everybody, whatever is broken in the tables. */
static outcome look(suite_fixture *f, bool index_is_whole)
{
    outcome o = {0};
    open_again(f);
    tally due = {0}, queue = {0}, list = {0};
    if (index_is_whole) {
        ctn_err err = {0};
        if (ctn_store_execution_due(f->st, 5, 0, count_row, &due, &err) ||
            ctn_store_queue_next(f->st, ctn_str_from(""), ctn_str_from("trip"), 0, 0, 0, count_row, &queue, &err))
            fail_msg("%s", err.message);
        assert_int_equal(due.rows, COUNT / 3);
        assert_int_equal(queue.rows, COUNT / 3);
    }
    o.list_rc = ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, count_row, &list, NULL);
    o.listed = list.rows;
    o.told_damaged = list.damaged;
    for (int64_t no = 1; no <= COUNT; no++) {
        size_t records = 0;
        raw_tally raw = {0};
        int rc = ctn_store_journal_read(f->st, no, 1, count_record, &records, NULL);
        int raw_rc = ctn_store_journal_read_raw(f->st, no, count_raw, &raw, NULL);
        assert_true(rc == CTN_OK || rc == CTN_E_CORRUPT);
        if (rc == CTN_OK && records == ENTRIES) {
            assert_int_equal(raw.whole, ENTRIES);
            assert_int_equal(raw.lost, 0);
        } else {
            o.unreadable++;
            if (raw_rc == CTN_OK)
                assert_int_equal(raw.whole + raw.lost, ENTRIES);
        }
        o.raw_whole += raw.whole;
        o.raw_lost += raw.lost;
    }
    ctn_store_close(f->st);
    f->st = NULL;
    return o;
}

static void each_broken_page(suite_fixture *f, const char *table, void (*check)(const outcome *o))
{
    int64_t pages[128];
    char whole[PAGE_BYTES], broken[PAGE_BYTES];
    size_t count = pages_of(f, table, pages, 128);
    size_t tried = 0;
    assert_true(count >= 3);
    for (size_t i = 0; i<count; i += count> 24 ? count / 24 : 1) {
        read_page(f, pages[i], whole);
        memset(broken, i % 2 ? 0xff : 0x5a, sizeof broken);
        write_page(f, pages[i], broken);
        outcome o = look(f, true);
        check(&o);
        write_page(f, pages[i], whole);
        tried++;
    }
    outcome o = look(f, true);
    assert_int_equal(o.unreadable + o.told_damaged + (size_t) o.list_rc, 0);
    print_message("%s: %zu of %zu pages broken, one at a time\n", table, tried, count);
}

static void check_journal_page(const outcome *o)
{
    assert_in_range(o->unreadable, 1, COUNT / 3);
    assert_int_equal(o->list_rc, CTN_OK);
    assert_int_equal(o->listed, COUNT);
    assert_in_range(o->raw_lost, 1, COUNT);
    assert_int_equal(o->raw_whole + o->raw_lost, COUNT * ENTRIES);
}

static void a_broken_page_of_the_journal_costs_what_stands_on_it(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    close_all(f);
    each_broken_page(f, "execution_journal", check_journal_page);
}

static void check_index_page(const outcome *o)
{
    assert_in_range(o->unreadable, 1, COUNT);
    assert_int_equal(o->raw_lost, 0);
    assert_int_equal(o->raw_whole, COUNT * ENTRIES); /* the walk along the table finds them all */
    assert_int_equal(o->listed, COUNT);
}

static void a_broken_page_of_the_index_of_journals_costs_nothing_that_is_read_raw(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    close_all(f);
    each_broken_page(f, "sqlite_autoindex_execution_journal_1", check_index_page);
}

static void check_row_page(const outcome *o)
{
    assert_int_equal(o->list_rc, CTN_E_CORRUPT); /* some could not be told */
    assert_in_range(o->listed, COUNT / 2, COUNT - 1);
    assert_int_equal(o->unreadable, 0); /* journals stand elsewhere */
}

static void a_broken_page_of_rows_hides_no_other(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    close_all(f);
    each_broken_page(f, "chain_executions", check_row_page);
}

static void a_row_that_does_not_read_is_told_with_what_is_wrong(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row;
    tally list = {0}, due = {0};
    fill(f);
    (void) file_ask(file_path(f), "UPDATE chain_executions SET status = 'dreaming' WHERE exec_no = 4");
    (void) file_ask(file_path(f), "DELETE FROM execution_journal WHERE exec_no = 7");
    (void) file_ask(file_path(f), "PRAGMA ignore_check_constraints = 1");
    assert_int_equal(ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, count_row, &list, NULL), CTN_OK);
    assert_int_equal(list.rows, COUNT);
    assert_int_equal(list.damaged, 2);
    assert_int_equal(ctn_store_execution_due(f->st, 5, 0, count_row, &due, NULL), CTN_OK);
    assert_int_equal(due.rows, COUNT / 3 - 1); /* nobody knows what the dreaming one is about */
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 4, &row, NULL), CTN_E_CORRUPT);
    ctn_str id = ctn_arena_printf(f->arena, "%s", ctn_id_to_text(suite_id(4)).text);
    assert_int_equal(ctn_store_execution_read_raw(f->st, f->arena, id, &row, NULL), CTN_OK);
    assert_int_equal(row.exec_no, 4);
    assert_non_null(strstr(row.damage.ptr, "no known status"));
    id = ctn_arena_printf(f->arena, "%s", ctn_id_to_text(suite_id(7)).text);
    assert_int_equal(ctn_store_execution_read_raw(f->st, f->arena, id, &row, NULL), CTN_OK);
    assert_non_null(strstr(row.damage.ptr, "no journal"));
    assert_int_equal(row.status, CTN_STATUS_RUNNING);
}

static void what_is_wrong_with_a_record_is_told_beside_it(void **state)
{
    suite_fixture *f = *state;
    raw_tally raw = {0};
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, ENTRIES);
    }
    (void) file_ask(file_path(f), "DELETE FROM execution_journal WHERE exec_no = 1 AND seq = 3");
    (void) file_ask(file_path(f), "UPDATE execution_journal SET kind = 'dreamt' WHERE exec_no = 2 AND seq = 2");
    (void) file_ask(file_path(f), "UPDATE execution_journal SET hash = x'00' WHERE exec_no = 3 AND seq = 2");
    assert_int_equal(ctn_store_journal_read_raw(f->st, 1, count_raw, &raw, NULL), CTN_OK);
    assert_int_equal(raw.whole, ENTRIES - 1);
    assert_int_equal(raw.gaps, 1);
    for (int64_t no = 2; no <= 3; no++) {
        raw = (raw_tally){0};
        assert_int_equal(ctn_store_journal_read_raw(f->st, no, count_raw, &raw, NULL), CTN_OK);
        assert_int_equal(raw.whole, ENTRIES);
        assert_int_equal(raw.gaps, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(a_broken_page_of_the_journal_costs_what_stands_on_it),
        SUITE_TEST_SQLITE(a_broken_page_of_the_index_of_journals_costs_nothing_that_is_read_raw),
        SUITE_TEST_SQLITE(a_broken_page_of_rows_hides_no_other),
        SUITE_TEST_SQLITE(a_row_that_does_not_read_is_told_with_what_is_wrong),
        SUITE_TEST_SQLITE(what_is_wrong_with_a_record_is_told_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
