/*
 * test_memory.c -- the memory store keeps the promises of store.h, and its names and threads work.
 */
#include "suite.h"
#include <pthread.h>

static void data_lives_as_long_as_a_handle(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1), read;
    suite_create(f, &row, 1);
    ctn_store_close(f->st);
    f->st = NULL;
    assert_int_equal(ctn_store_execution_by_no(f->second, f->arena, 1, &read, NULL), CTN_OK);
    ctn_store_close(f->second);
    f->second = NULL;
    ctn_err err = {0};
    assert_int_equal(ctn_store_open(f->url, CTN_STORE_READ, &f->st, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "memory:"));
    assert_int_equal(ctn_store_open(f->url, CTN_STORE_CREATE, &f->st, NULL), CTN_OK);
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 1, &read, NULL), CTN_E_NOT_FOUND);
}

static void names_are_separate(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1), read;
    suite_create(f, &row, 1);
    ctn_store *other = NULL;
    assert_int_equal(ctn_store_open("memory:another", CTN_STORE_CREATE, &other, NULL), CTN_OK);
    assert_int_equal(ctn_store_execution_by_no(other, f->arena, 1, &read, NULL), CTN_E_NOT_FOUND);
    ctn_store_close(other);
}

static void a_lock_is_always_given(void **state)
{
    suite_fixture *f = *state;
    ctn_store_lock *a = NULL, *b = NULL;
    assert_int_equal(ctn_store_lock_take(f->url, &a, NULL), CTN_OK);
    assert_int_equal(ctn_store_lock_take(f->url, &b, NULL), CTN_OK);
    ctn_store_lock_release(a);
    ctn_store_lock_release(b);
    assert_int_equal(ctn_store_url_file(f->url).len, 0);
}

enum { THREAD_APPENDS = 200 };
typedef struct writer {
    pthread_t thread;
    ctn_store *st;
    int64_t exec_no;
} writer;

static void *write_alone(void *ctx)
{
    writer *w = ctx;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_execution_row row = suite_row(w->exec_no);
    ctn_digest previous = {0};
    uintptr_t refused = 0;
    for (uint64_t seq = 0; seq < THREAD_APPENDS; seq++) {
        ctn_record *record = suite_records(arena, w->exec_no, seq, &previous, 1);
        ctn_append append = {.exec_no = w->exec_no,
                             .epoch = 1000,
                             .seq_expected = seq,
                             .row = seq ? NULL : &row,
                             .records = record,
                             .count = 1};
        ctn_outcome outcome = CTN_OUTCOME_STALE_SEQ;
        if (ctn_store_commit(w->st, &append, 1, &outcome, NULL) || outcome != CTN_OUTCOME_ACCEPTED)
            refused++;
        previous = record->hash;
    }
    ctn_arena_free(arena);
    return (void *) refused;
}

static void handles_of_several_threads_share_the_data(void **state)
{
    suite_fixture *f = *state;
    writer writers[4];
    for (size_t i = 0; i < 4; i++) {
        writers[i].exec_no = (int64_t) i + 1;
        assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &writers[i].st, NULL), CTN_OK);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_alone, &writers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *refused = NULL;
        pthread_join(writers[i].thread, &refused);
        assert_null(refused);
        ctn_store_close(writers[i].st);
        assert_int_equal(suite_journal_check(f->st, writers[i].exec_no), THREAD_APPENDS);
    }
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(data_lives_as_long_as_a_handle),
        cmocka_unit_test(names_are_separate),
        cmocka_unit_test(a_lock_is_always_given),
        cmocka_unit_test(handles_of_several_threads_share_the_data),
    };
    return suite_run("memory:suite", own, sizeof own / sizeof own[0]);
}
