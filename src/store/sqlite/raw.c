/*
 * raw.c -- what is left of a damaged execution, read past everything that is broken.
 *
 * Two ways lead to a journal: its index says which positions belong to the execution, and each is then read by itself,
 * so that a broken page of the table costs the records on it and no others. Where the index itself is broken the table
 * is walked from there on, in order of position, which is the order of seq for one execution; behind a page that does
 * not read the walk goes on, position by position at first, then in growing steps.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

#define COLUMNS                                                                                                        \
    "SELECT position, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed FROM execution_journal "

#define SKIP_SINGLY 2048
#define SKIP_TRIES  2100

typedef struct raw_reading {
    sqlite_store *st;
    int64_t exec_no;
    ctn_raw_record_fn *fn;
    void *ctx;
    uint64_t expected;     /* seq */
    int64_t position_last; /* told */
    int stopped;           /* what fn returned */
} raw_reading;

static bool is_broken(int step)
{
    return (step & 0xff) == SQLITE_CORRUPT;
}

static const char READING[] = "reading a journal";

/* Of up to two numbers. */
static int prepare(const sqlite_store *st, const char *sql, int64_t first, int64_t second, sqlite3_stmt **ret_stmt,
                   ctn_err *err)
{
    int rc = ctn_sqlite_prepare(st, sql, ret_stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(*ret_stmt, 1, first);
    if (sqlite3_bind_parameter_count(*ret_stmt) > 1)
        sqlite3_bind_int64(*ret_stmt, 2, second);
    return CTN_OK;
}

static void tell_row(raw_reading *r, sqlite3_stmt *stmt)
{
    ctn_raw_record raw = {
        .position = sqlite3_column_int64(stmt, 0),
        .kind_name = sqlite_column_str(stmt, 3),
        .record = {.seq = (uint64_t) sqlite3_column_int64(stmt, 1),
                   .at_ms = sqlite3_column_int64(stmt, 2),
                   .step = sqlite_column_str(stmt, 4),
                   .item = sqlite3_column_type(stmt, 5) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, 5),
                   .attempt = (uint32_t) sqlite3_column_int64(stmt, 6),
                   .actor = sqlite_column_str(stmt, 7),
                   .body = sqlite_column_str(stmt, 8),
                   .sealed = sqlite_column_str(stmt, 10)},
    };
    if (raw.record.seq != r->expected)
        raw.damage = raw.record.seq > r->expected ? "a gap before it" : "out of order";
    if (!sqlite_column_digest(stmt, 9, &raw.record.hash))
        raw.damage = "no proper hash";
    if (!ctn_entry_kind_from_name(raw.kind_name, &raw.record.kind)) {
        raw.record.kind = CTN_ENTRY_KIND_COUNT;
        raw.damage = "no known kind";
    }
    r->expected = raw.record.seq + 1;
    r->position_last = raw.position;
    r->stopped = r->fn(r->ctx, &raw);
}

static void tell_lost(raw_reading *r, int64_t position, uint64_t seq)
{
    ctn_raw_record raw = {
        .position = position,
        .record = {.seq = seq, .item = -1, .kind = CTN_ENTRY_KIND_COUNT},
        .damage = "it stands on a broken page of the file, or is gone",
        .is_lost = true,
    };
    r->expected = seq + 1;
    r->position_last = position;
    r->stopped = r->fn(r->ctx, &raw);
}

static int read_at(raw_reading *r, int64_t position, uint64_t seq, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(r->st, COLUMNS "WHERE position = ?1 AND exec_no = ?2", position, r->exec_no, &stmt, err);
    if (rc)
        return rc;
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW)
        tell_row(r, stmt);
    else if (step == SQLITE_DONE || is_broken(step))
        tell_lost(r, position, seq);
    else
        rc = ctn_sqlite_fail(r->st->db, r->st->path, step, READING, err);
    sqlite3_finalize(stmt);
    return rc;
}

static int read_by_index(raw_reading *r, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(r->st,
                     "SELECT position, seq FROM execution_journal INDEXED BY sqlite_autoindex_execution_journal_1"
                     " WHERE exec_no = ?1 ORDER BY seq",
                     r->exec_no, 0, &stmt, err);
    if (rc)
        return rc;
    while (rc == CTN_OK && !r->stopped && ctn_sqlite_next(r->st, stmt, READING, &rc, err))
        rc = read_at(r, sqlite3_column_int64(stmt, 0), (uint64_t) sqlite3_column_int64(stmt, 1), err);
    sqlite3_finalize(stmt);
    return rc;
}

static int64_t last_position(sqlite_store *st)
{
    sqlite3_stmt *stmt = NULL;
    int64_t position = 0;
    if (sqlite3_prepare_v2(st->db, "SELECT max(position) FROM execution_journal", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        position = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return position;
}

/* From behind `after` on, until the end or a page that does not read. */
static int walk_table(raw_reading *r, int64_t after, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(r->st, COLUMNS "NOT INDEXED WHERE position > ?1 AND exec_no = ?2 ORDER BY position", after,
                     r->exec_no, &stmt, err);
    if (rc)
        return rc;
    while (!r->stopped && ctn_sqlite_next(r->st, stmt, READING, &rc, err))
        tell_row(r, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

static int read_by_walk(raw_reading *r, ctn_err *err)
{
    int64_t after = r->position_last, end = last_position(r->st), skip = 1, told = after;
    int rc = walk_table(r, after, err);
    for (int tries = 0; rc == CTN_E_CORRUPT && !r->stopped && tries < SKIP_TRIES; tries++) {
        if (told != r->position_last)
            after = told = r->position_last, tries = 0, skip = 1;
        after += skip;
        if (tries >= SKIP_SINGLY)
            skip *= 2;
        if (end && after >= end)
            break;
        rc = walk_table(r, after, NULL);
    }
    return rc;
}

int ctn_sqlite_journal_read_raw(ctn_store *base, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    raw_reading r = {.st = (sqlite_store *) base, .exec_no = exec_no, .fn = fn, .ctx = ctx, .expected = 1};
    int rc = read_by_index(&r, err);
    if (rc == CTN_E_CORRUPT && !r.stopped)
        (void) read_by_walk(&r, NULL); /* whatever comes of it: the index does not tell everything any more */
    return r.stopped ? r.stopped : rc;
}

/* ---- the row ---- */

int ctn_sqlite_execution_read_raw(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                                  size_t *ret_matches, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    ctn_execution_row row = {0};
    size_t matches = 0;
    /* Out of the index of ids alone. */
    int rc = ctn_sqlite_prepare(st,
                                "SELECT exec_no, execution_id FROM chain_executions"
                                " WHERE execution_id BETWEEN ?1 AND ?2 LIMIT 2",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_id(stmt, 1, &lookup->id_first);
    sqlite_bind_id(stmt, 2, &lookup->id_last);
    while (ctn_sqlite_next(st, stmt, "reading an execution", &rc, err) && matches++ == 0) {
        row.exec_no = sqlite3_column_int64(stmt, 0);
        (void) sqlite_column_id(stmt, 1, &row.id);
    }
    sqlite3_finalize(stmt);
    *ret_matches = matches;
    if (rc || matches != 1)
        return rc;

    ctn_execution_row found;
    ctn_err why = {0};
    ctn_lookup by_no = {.kind = CTN_LOOKUP_NO, .exec_no = row.exec_no};
    rc = ctn_sqlite_execution_find(base, arena, &by_no, &found, &matches, &why);
    if (rc == CTN_OK && matches == 1) {
        *ret = found;
        return CTN_OK;
    }
    if (rc && rc != CTN_E_CORRUPT) {
        if (err)
            *err = why;
        return rc;
    }
    /* The row without its journal, or nothing but its number. */
    row.status = CTN_STATUS_INTERRUPTED;
    rc = prepare(st, SQLITE_ROW_COLUMNS " FROM chain_executions e WHERE e.exec_no = ?1", row.exec_no, 0, &stmt, NULL);
    if (rc == CTN_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        ctn_execution_id id = row.id;
        (void) ctn_sqlite_read_row(stmt, &row);
        row.id = id;
        ctn_sqlite_keep_row(arena, &row);
    }
    sqlite3_finalize(stmt);
    row.damage = ctn_arena_str(arena, why.message[0] ? ctn_str_from(why.message) : CTN_STR("its row does not read"));
    *ret = row;
    return CTN_OK;
}
