#include "copies.h"

#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { ENTRIES_MAX = 64, BATCH = 500 };

typedef struct original {
    ctn_arena *arena;
    ctn_record records[ENTRIES_MAX];
    size_t count;
} original;

static int keep_record(void *ctx, const ctn_record *record, int64_t position)
{
    original *o = ctx;
    (void) position;
    assert_true(o->count < ENTRIES_MAX);
    ctn_record *kept = &o->records[o->count++];
    *kept = *record;
    kept->step = ctn_arena_str(o->arena, record->step);
    kept->actor = ctn_arena_str(o->arena, record->actor);
    kept->body = ctn_arena_str(o->arena, record->body);
    return 0;
}

/* The hash covers the time, so a journal of another time has other hashes. */
static void make_older(original *o, ctn_execution_row *row, int64_t older_ms)
{
    ctn_digest hash = {{0}};
    for (size_t i = 0; i < o->count; i++) {
        o->records[i].at_ms -= older_ms;
        hash = o->records[i].hash = ctn_record_hash(&o->records[i], &hash);
    }
    row->created_at_ms -= older_ms;
    row->started_at_ms -= row->started_at_ms ? older_ms : 0;
    row->finished_at_ms -= row->finished_at_ms ? older_ms : 0;
}

void copies_make(world *w, const char *file, const copies *what)
{
    char url[600];
    ctn_store *store = NULL;
    ctn_err err = {0};
    uint64_t epoch = 0;
    bool was_crash;
    int64_t last = 0;
    original o = {.arena = ctn_arena_new(65536)};
    ctn_execution_row row;
    ctn_rng rng = ctn_rng_system();
    snprintf(url, sizeof url, "sqlite:%s/%s", w->folder, file);
    if (ctn_store_open(url, CTN_STORE_WRITE, &store, &err) || ctn_store_epoch_begin(store, &epoch, &was_crash, &err) ||
        ctn_store_exec_no_last(store, &last, &err) ||
        ctn_store_execution_by_prefix(store, o.arena, ctn_str_from(what->id), &row, &err) ||
        ctn_store_journal_read(store, row.exec_no, 1, keep_record, &o, &err))
        fail_msg("%s", err.message);
    make_older(&o, &row, what->older_ms);
    static ctn_append appends[BATCH];
    static ctn_execution_row rows[BATCH];
    static ctn_outcome outcomes[BATCH];
    for (size_t done = 0; done < what->count;) {
        size_t some = what->count - done < BATCH ? what->count - done : BATCH;
        for (size_t i = 0; i < some; i++, done++) {
            rows[i] = row;
            rows[i].exec_no = ++last;
            rows[i].id = ctn_id_new(row.created_at_ms, &rng);
            appends[i] =
                (ctn_append){.exec_no = last, .epoch = epoch, .row = &rows[i], .records = o.records, .count = o.count};
        }
        if (ctn_store_commit(store, appends, some, outcomes, &err))
            fail_msg("%s", err.message);
        assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    }
    assert_int_equal(ctn_store_epoch_end(store, epoch, &err), CTN_OK);
    ctn_store_close(store);
    ctn_arena_free(o.arena);
}

int64_t store_ask(world *w, const char *file, const char *sql)
{
    char path[600];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    snprintf(path, sizeof path, "%s/%s", w->folder, file);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

int64_t store_bytes(world *w, const char *file)
{
    int64_t bytes = 0;
    static const char *const SUFFIXES[] = {"", "-wal"};
    for (size_t i = 0; i < 2; i++) {
        char path[600];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s%s", w->folder, file, SUFFIXES[i]);
        bytes += stat(path, &info) ? 0 : info.st_size;
    }
    return bytes;
}
