/*
 * test_checkpoint.c -- the log is moved into the file while writing, and a full disk refuses a batch whole.
 */
#include "suite.h"
#include "sqlite_file.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Appends one record of 200 kB to execution 1; returns the code and leaves the hash for the next. */
static int append_large(suite_fixture *f, uint64_t seq_last, ctn_digest *hash, ctn_err *err)
{
    ctn_arena_mark mark = ctn_arena_save(f->arena);
    char *text = ctn_arena_alloc(f->arena, 200000);
    memset(text, 'x', 200000);
    ctn_record *record = suite_records(f->arena, 1, seq_last, hash, 1);
    record->body = (ctn_str){text, 200000};
    record->hash = ctn_record_hash(record, hash);
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = seq_last, .records = record, .count = 1};
    ctn_outcome outcome = CTN_OUTCOME_STALE_SEQ;
    int rc = ctn_store_commit(f->st, &append, 1, &outcome, err);
    if (rc == CTN_OK) {
        assert_int_equal(outcome, CTN_OUTCOME_ACCEPTED);
        *hash = record->hash;
    }
    ctn_arena_restore(f->arena, mark);
    return rc;
}

static void nap_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static off_t log_bytes(const suite_fixture *f)
{
    char wal[256];
    struct stat info;
    snprintf(wal, sizeof wal, "%s-wal", file_path(f));
    return stat(wal, &info) ? -1 : info.st_size;
}

static void the_log_is_moved_into_the_file_while_writing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_digest hash = suite_records(f->arena, 1, 0, NULL, 1)->hash;
    off_t largest = 0;
    for (uint64_t seq = 1; seq <= 400; seq++) { /* 80 MB */
        assert_int_equal(append_large(f, seq, &hash, NULL), CTN_OK);
        largest = log_bytes(f) > largest ? log_bytes(f) : largest;
    }
    print_message("the log's largest size: %" PRId64 " KiB\n", (int64_t) largest / 1024);
    assert_true(largest < 60 << 20);
    assert_int_equal(suite_journal_check(f->second, 1), 401);
}

typedef struct slow_reader {
    suite_fixture *f;
    uint64_t seq;
    ctn_digest hash;
} slow_reader;

static int write_while_reading(void *ctx, const ctn_record *record, int64_t position)
{
    slow_reader *slow = ctx;
    (void) record;
    (void) position;
    ctn_err err = {0};
    for (int i = 0; i < 300; i++, slow->seq++) /* 60 MB behind the reader's snapshot */
        if (append_large(slow->f, slow->seq, &slow->hash, &err))
            fail_msg("%s", err.message);
    return 0;
}

/* A reader that stays long makes the log grow; it stops nobody, and when it is gone the log shrinks. */
static void a_long_reader_only_makes_the_log_grow(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    slow_reader slow = {.f = f, .seq = 1, .hash = suite_records(f->arena, 1, 0, NULL, 1)->hash};
    assert_int_equal(ctn_store_journal_read(f->second, 1, 1, write_while_reading, &slow, NULL), CTN_OK);
    off_t grown = log_bytes(f);
    assert_true(grown > 55 << 20);
    /* On a slow disk moving the log takes a while: write on until the log is used again from its start. */
    bool is_reused = false;
    for (int tries = 0; tries < 100 && !is_reused; tries++) {
        off_t before = log_bytes(f);
        for (int i = 0; i < 50; i++, slow.seq++) /* 10 MB */
            assert_int_equal(append_large(f, slow.seq, &slow.hash, NULL), CTN_OK);
        is_reused = log_bytes(f) <= before;
        nap_us(is_reused ? 0 : 100000);
    }
    assert_true(is_reused);
    assert_int_equal(suite_journal_check(f->second, 1), slow.seq);
}

/* The limit on a file's size plays the full disk. */
static void a_full_disk_refuses_the_batch_whole(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_digest hash = suite_records(f->arena, 1, 0, NULL, 1)->hash;
    assert_int_equal(append_large(f, 1, &hash, NULL), CTN_OK);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t) log_bytes(f) + 50000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ctn_err err = {0};
    int rc = append_large(f, 2, &hash, &err), again = append_large(f, 2, &hash, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, CTN_E_IO);
    assert_int_equal(again, CTN_E_IO);
    assert_non_null(strstr(err.message, file_path(f)));
    assert_int_equal(suite_journal_check(f->second, 1), 2);
    assert_int_equal(append_large(f, 2, &hash, NULL), CTN_OK); /* room again: it goes on by itself */
    assert_int_equal(suite_journal_check(f->second, 1), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(the_log_is_moved_into_the_file_while_writing),
        SUITE_TEST_SQLITE(a_long_reader_only_makes_the_log_grow),
        SUITE_TEST_SQLITE(a_full_disk_refuses_the_batch_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
