/*
 * test_memory.c -- the memory store keeps the promises of store.h, and its names and threads work; the one that nodes
 * share keeps them for a process alone.
 */
#include "store/memory/memory.h"
#include "suite_fleet.h"
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

static void a_url_is_told_without_its_password(void **state)
{
    suite_fixture *f = *state;
    static const char *const urls[][2] = {
        {"postgres://ada:s3cret@db.example:5432/catena", "postgres://ada@db.example:5432/catena"},
        {"postgres://ada@db.example/catena?sslmode=require", "postgres://ada@db.example/catena?sslmode=require"},
        {"postgres://:s3cret@h/c", "postgres://@h/c"},
        {"postgres://ada:s3/c@ret@a:1,b:2/c?password=s3cret&schema=x&sslpassword=s3cret",
         "postgres://ada@a:1,b:2/c?schema=x"},
        {"postgres:///c?password=s3cret", "postgres:///c"},
        {"postgres://db:5432/c", "postgres://db:5432/c"},
        {"sqlite:a:b@c.db?synchronous=normal", "sqlite:a:b@c.db?synchronous=normal"},
        {"desk.db", "desk.db"},
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        assert_string_equal(
            ctn_arena_str(f->arena, ctn_store_url_without_password(f->arena, ctn_str_from(urls[i][0]))).ptr,
            urls[i][1]);
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

static int64_t now_later(void *ctx)
{
    const suite_fixture *f = ctx;
    ctn_clock clock = ctn_clock_system();
    return ctn_clock_now_ms(&clock) + f->later_ms;
}

static void later(suite_fixture *f, int64_t ms)
{
    f->later_ms += ms;
    ctn_memory_clock(f->st, &(ctn_clock){now_later, f});
}

static void a_store_for_one_process_has_no_nodes(void **state)
{
    suite_fixture *f = *state;
    ctn_err err = {0};
    int64_t number = 0;
    assert_int_equal(ctn_store_node_join(f->st, &(ctn_node_row){.name = S("a")}, 1000, &number, &err),
                     CTN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "postgres://"));
    assert_false(ctn_store_is_fleet(f->st));
    assert_false(ctn_store_url_is_fleet(f->url));
    assert_int_equal(ctn_store_wake_fd(f->st, 1), -1);
    assert_false(ctn_store_woken(f->st));
    ctn_execution_row row = suite_row(7);
    suite_create(f, &row, 1);
    assert_int_equal(ctn_store_exec_nos_reserve(f->st, 3, &number, NULL), CTN_OK);
    assert_int_equal(number, 8);
}

static void shards_are_said_once_and_sensibly(void **state)
{
    suite_fixture *f = *state;
    ctn_err err = {0};
    ctn_store *st = NULL;
    assert_int_equal(ctn_store_open("memory:nodes?shards=8", CTN_STORE_WRITE, &st, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "16 shards"));
    const char *const urls[] = {"memory:x?shards=0", "memory:x?shards=1025", "memory:x?shard=1", "memory:x?",
                                "memory:?shards=1"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        assert_int_equal(ctn_store_open(urls[i], CTN_STORE_CREATE, &st, &err), CTN_E_INVALID);
    assert_int_equal(ctn_store_open("memory:nodes", CTN_STORE_WRITE, &st, NULL), CTN_OK);
    assert_int_equal(ctn_store_shard_count(st), 16);
    ctn_store_close(st);
    (void) f;
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(data_lives_as_long_as_a_handle),
        cmocka_unit_test(names_are_separate),
        cmocka_unit_test(a_url_is_told_without_its_password),
        cmocka_unit_test(a_lock_is_always_given),
        cmocka_unit_test(handles_of_several_threads_share_the_data),
        cmocka_unit_test(a_store_for_one_process_has_no_nodes),
    };
    const struct CMUnitTest own_of_fleet[] = {cmocka_unit_test(shards_are_said_once_and_sensibly)};
    int failed = suite_run("memory:suite", own, sizeof own / sizeof own[0]);
    failed += suite_run("memory:fleet?shards=1", NULL, 0);
    return failed + suite_run_fleet("memory:nodes?shards=16", later, own_of_fleet, 1);
}
