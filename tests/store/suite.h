/*
 * suite.h -- the tests that every backend of the store must pass, and what they are made of.
 *
 * They stand in suite_*.c, a file for each of the promises and chapters of store.h, and know a store by its URL alone.
 * A backend's test program hands its own URL to suite_run.
 */
#pragma once
#include "base/arena.h"
#include "store/retention.h"
#include "store/store.h"
#include "support/cmocka.h"

typedef struct suite_fixture {
    char folder[64]; /* of this test only; empty: the backend needs none */
    char url[256];
    ctn_arena *arena;
    ctn_store *st;     /* opened with CREATE */
    ctn_store *second; /* another handle on the same store; keeps a memory store alive over a reopen */
    uint64_t epoch;
    int64_t later_ms; /* suite_fleet.h: how much later it was made */
} suite_fixture;

/* Runs every promise, and then a backend's own tests, each with a fixture on this URL. FOLDER in it stands for a folder
 * that each test gets for itself, SCHEMA for a name that no other test has. */
int suite_run(const char *url, const struct CMUnitTest *own, size_t own_count);

/* For tests of one thing of SQLite's, outside suite_run. */
#define SUITE_SQLITE "sqlite:FOLDER/test.db"
#define SUITE_TEST_SQLITE(name)                                                                                        \
    {                                                                                                                  \
#name, name, suite_setup, suite_teardown, (void *) (uintptr_t) SUITE_SQLITE                                    \
    }
int suite_setup(void **state); /* *state: the URL */
int suite_teardown(void **state);

/* ---- the parts ---- */

typedef struct suite_part {
    const struct CMUnitTest *tests;
    size_t count;
} suite_part;
int suite_run_parts(const char *url, const suite_part *const *parts, size_t part_count);
extern const suite_part suite_commit, suite_handles, suite_chains, suite_find, suite_queue, suite_small_tables,
    suite_audit, suite_principals, suite_keys, suite_quarantine, suite_retention, suite_model, suite_webhooks;

/* ---- making things to store ---- */

ctn_execution_id suite_id(uint32_t number);
/* A row of the chain "trip", queued, with an input; the rest empty. */
ctn_execution_row suite_row(int64_t exec_no);
/* `count` chained records after `seq_last`, whose hash is `previous`. */
ctn_record *suite_records(ctn_arena *arena, int64_t exec_no, uint64_t seq_last, const ctn_digest *previous,
                          size_t count);
/* Commits one append and returns its outcome; fails the test when the commit fails. */
ctn_outcome suite_append(ctn_store *st, const ctn_append *append);
/* Creates an execution with `count` records; fails the test unless accepted. */
void suite_create(suite_fixture *f, const ctn_execution_row *row, size_t count);
/* The append after an execution's last, with `count` records. */
ctn_append suite_next_append(suite_fixture *f, int64_t exec_no, uint64_t seq_last, size_t count);
void suite_definition(suite_fixture *f, const char *body, ctn_digest *ret_digest);

/* ---- looking at what is stored ---- */

ctn_execution_row suite_read_row(suite_fixture *f, ctn_store *st, int64_t exec_no);
ctn_digest suite_hash_of(suite_fixture *f, int64_t exec_no); /* of its last record */
/* Reads a journal, checks order, numbering and hashes; returns its length. */
size_t suite_journal_check(ctn_store *st, int64_t exec_no);
typedef struct suite_walk {
    uint64_t seq;
    int64_t position;
    ctn_digest hash;
    size_t count, count_max;
    bool is_right;
} suite_walk;
int suite_walk_record(void *ctx, const ctn_record *record, int64_t position); /* 77 at count_max */

/* What callbacks have seen, a space between. */
typedef struct suite_seen {
    char text[400];
    size_t count, stop_after; /* 0: it does not stop */
} suite_seen;
int suite_note(suite_seen *seen, const char *format, ...) __attribute__((format(printf, 2, 3)));
int suite_note_row(void *ctx, const ctn_execution_row *row); /* its number */

/* ---- retention ---- */

#define SUITE_BEGAN_MS INT64_C(1700000000000)
/* As it looks on disk; ended at SUITE_BEGAN_MS + number if its status is final. */
ctn_execution_row suite_made_row(int64_t exec_no, ctn_status status, int64_t parent_no);
void suite_make(suite_fixture *f, int64_t exec_no, ctn_status status, int64_t parent_no, size_t entries);
ctn_prune suite_older_than(int64_t number);
ctn_pruned suite_prune_all(ctn_store *st, const ctn_prune *what, ctn_prune_walk *ret_walk);
bool suite_is_there(suite_fixture *f, int64_t exec_no);

/* ---- saying what must be ---- */

#define S(text) ctn_str_from(text)
#define assert_str(a, text)                                                                                            \
    do {                                                                                                               \
        ctn_str given_ = (a);                                                                                          \
        assert_int_equal(given_.len, strlen(text));                                                                    \
        if (given_.len)                                                                                                \
            assert_memory_equal(given_.ptr, (text), given_.len);                                                       \
    } while (0)
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        ctn_err err_ = {0};                                                                                            \
        int rc_ = (call);                                                                                              \
        if (rc_)                                                                                                       \
            fail_msg("%s: %d %s", #call, rc_, err_.message);                                                           \
    } while (0)
