/*
 * read.c -- executions and journals, read back.
 *
 * Rows are borrowed from SQLite while a callback runs and copied into the caller's arena otherwise. What does not
 * decode (a status, a kind, a hash) is CTN_E_CORRUPT with the execution in the sentence: one damaged execution is one
 * failed read, never a guess.
 *
 * What walks over many executions must not stop at one that is damaged, nor at a broken page that holds some of them:
 * due, queue_next and owing take numbers out of an index alone (SQLite needs no page of the table for that, as long as
 * a statement names the index, repeats its condition and asks for nothing but exec_no) and look up each id by itself;
 * a list reads the rows without their journals, tells what is wrong with a row beside it, and goes on behind a page
 * that does not read.
 */
#include "store/sqlite/db.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The row alone. */
#define ROW_COLUMNS                                                                                                    \
    "SELECT e.exec_no, e.execution_id, e.chain_id, e.chain_version, e.status, e.priority, e.queue_key,"                \
    " e.idempotency_key, e.tenant, e.wake_at_ms, e.labels, e.input, e.outputs, e.error, e.created_at_ms,"              \
    " e.started_at_ms, e.finished_at_ms, e.queue_held, e.parent_id"
/* What of it stands in the journal: the last hash, and the outputs that bind_outputs of sqlite/commit.c left there,
 * whole. */
#define JOURNAL_COLUMNS                                                                                                \
    " (SELECT j.hash FROM execution_journal j WHERE j.exec_no = e.exec_no ORDER BY j.seq DESC LIMIT 1),"               \
    " CASE WHEN e.outputs = '' THEN (SELECT j.body FROM execution_journal j"                                           \
    "  WHERE j.exec_no = e.exec_no AND j.kind = 'completed' ORDER BY j.seq DESC LIMIT 1) END"
#define ROW_WIDTH         19
#define FROM_EXECUTIONS   " FROM chain_executions e "
#define EXECUTION_COLUMNS ROW_COLUMNS "," JOURNAL_COLUMNS FROM_EXECUTIONS

const char *const ctn_sqlite_read_sql[SQL_COUNT] = {
    [SQL_DEFINITION_GET] = "SELECT kind, name, body FROM definitions WHERE digest = ?1",
    [SQL_CHAIN_GET] =
        "SELECT chain_id, version, digest, created_at_ms, created_by FROM chains WHERE chain_id = ?1 AND version = ?2",
    [SQL_CHAIN_NEWEST] = "SELECT chain_id, version, digest, created_at_ms, created_by FROM chains WHERE chain_id = ?1"
                         " ORDER BY version DESC LIMIT 1",
    [SQL_CHAIN_VERSION_BY_CONTENT] =
        "SELECT coalesce((SELECT max(version) FROM chains WHERE chain_id = ?1 AND digest = ?2), 0),"
        " coalesce((SELECT max(version) FROM chains WHERE chain_id = ?1), 0)",
    [SQL_CHAIN_LIST] = "SELECT chain_id, max(version), digest, created_at_ms, created_by FROM chains GROUP BY chain_id"
                       " ORDER BY chain_id",
    [SQL_EXEC_NO_LAST] =
        "SELECT max(exec_no_floor, coalesce((SELECT max(exec_no) FROM chain_executions), 0)) FROM meta",
    [SQL_EXECUTION_BY_NO] = EXECUTION_COLUMNS "WHERE e.exec_no = ?1",
    [SQL_EXECUTION_BY_KEY] = EXECUTION_COLUMNS "WHERE e.chain_id = ?1 AND e.idempotency_key = ?2",
    [SQL_EXECUTION_BY_RANGE] = EXECUTION_COLUMNS "WHERE e.execution_id BETWEEN ?1 AND ?2 LIMIT 2",
    [SQL_EXECUTION_DUE] =
        "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_unfinished WHERE " SQLITE_UNFINISHED(
            "e.") " AND e.wake_at_ms <= ?1 AND e.wake_at_ms > 0 ORDER BY e.wake_at_ms, e.exec_no LIMIT ?2",
    [SQL_EXECUTION_ID] = "SELECT execution_id FROM chain_executions WHERE exec_no = ?1",
    [SQL_EXECUTION_ENDS] = "SELECT" JOURNAL_COLUMNS FROM_EXECUTIONS "WHERE e.exec_no = ?1",
    [SQL_NEXT_WAKE] =
        "SELECT min(wake_at_ms) FROM chain_executions WHERE " SQLITE_UNFINISHED("") " AND wake_at_ms > ?1",
    [SQL_JOURNAL_READ] = "SELECT seq, at_ms, kind, step, item, attempt, actor, body, hash, position, sealed"
                         " FROM execution_journal WHERE exec_no = ?1 AND seq >= ?2 ORDER BY seq",
    /* Each names its index, because without figures about the table the planner may prefer a walk in the right order.
     */
    [SQL_QUEUE_LANE] = "SELECT chain_id, priority FROM chain_executions INDEXED BY chain_executions_queue"
                       " WHERE " SQLITE_QUEUED("") " AND (chain_id, priority) > (?1, ?2)"
                                                   " ORDER BY chain_id, priority LIMIT 1",
    [SQL_QUEUE_NEXT] = "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_queue WHERE " SQLITE_QUEUED(
        "e.") " AND e.chain_id = ?1 AND e.priority = ?2 AND e.exec_no > ?3 ORDER BY e.exec_no LIMIT ?4",
    [SQL_QUEUE_FIRST] =
        ROW_COLUMNS FROM_EXECUTIONS "INDEXED BY chain_executions_line WHERE e.queue_key = ?1 AND " SQLITE_UNFINISHED(
            "e.") " AND e.exec_no < ?2 ORDER BY e.exec_no LIMIT 1",
    [SQL_EXECUTION_OWING] = "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_owing WHERE " SQLITE_OWING(
        "e.") " AND e.exec_no > ?1 ORDER BY e.exec_no LIMIT ?2",
    [SQL_SCHEDULE_LIST] = "SELECT chain_id, cron, timezone, seen_at_ms, next_at_ms FROM schedules ORDER BY chain_id",
    [SQL_RESULT_GET] = "SELECT value, put_at_ms, expires_at_ms FROM result_cache WHERE key = ?1",
    [SQL_BREAKER_LIST] = "SELECT name, state, until_ms, changed_at_ms FROM breakers ORDER BY name",
};

/* ---- rows ---- */

static int fail_damaged(const sqlite_store *st, int64_t exec_no, const char *what, ctn_err *err)
{
    return ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: execution %" PRId64 " has %s", st->path, exec_no,
                    what);
}

/* {"outputs":X} to X. */
static bool outputs_of_body(ctn_str body, ctn_str *ret)
{
    ctn_str head = CTN_STR("{\"outputs\":");
    if (!ctn_str_starts_with(body, head) || body.len <= head.len || body.ptr[body.len - 1] != '}')
        return false;
    *ret = (ctn_str){body.ptr + head.len, body.len - head.len - 1};
    return true;
}

/* Borrows from the statement. */
const char *ctn_sqlite_read_row(sqlite3_stmt *stmt, ctn_execution_row *ret)
{
    *ret = (ctn_execution_row){
        .exec_no = sqlite3_column_int64(stmt, 0),
        .chain_id = sqlite_column_str(stmt, 2),
        .chain_version = sqlite3_column_int64(stmt, 3),
        .priority = sqlite3_column_int(stmt, 5),
        .queue_key = sqlite_column_str(stmt, 6),
        .idempotency_key = sqlite_column_str(stmt, 7),
        .tenant = sqlite_column_str(stmt, 8),
        .wake_at_ms = sqlite3_column_int64(stmt, 9),
        .labels = sqlite_column_str(stmt, 10),
        .input = sqlite_column_str(stmt, 11),
        .outputs = sqlite_column_str(stmt, 12),
        .error = sqlite_column_str(stmt, 13),
        .created_at_ms = sqlite3_column_int64(stmt, 14),
        .started_at_ms = sqlite3_column_int64(stmt, 15),
        .finished_at_ms = sqlite3_column_int64(stmt, 16),
        .is_held = sqlite3_column_int(stmt, 17) != 0,
    };
    const void *parent = sqlite3_column_blob(stmt, 18), *id = sqlite3_column_blob(stmt, 1);
    if (parent && sqlite3_column_bytes(stmt, 18) == (int) sizeof ret->parent.bytes)
        memcpy(ret->parent.bytes, parent, sizeof ret->parent.bytes);
    bool has_id = id && sqlite3_column_bytes(stmt, 1) == (int) sizeof ret->id.bytes;
    if (has_id)
        memcpy(ret->id.bytes, id, sizeof ret->id.bytes);
    bool has_status = ctn_status_from_name(sqlite_column_str(stmt, 4), &ret->status);
    if (!has_status)
        ret->status = CTN_STATUS_INTERRUPTED; /* somebody has to look */
    return !has_id ? "no proper id" : !has_status ? "no known status" : NULL;
}

/* The two columns of the journal, from `at` on. Borrows from the statement. */
static const char *read_ends(sqlite3_stmt *stmt, int at, bool outputs_are_there, ctn_execution_row *row)
{
    if (!sqlite_column_digest(stmt, at, &row->hash_last))
        return "no journal";
    if (outputs_are_there && !outputs_of_body(sqlite_column_str(stmt, at + 1), &row->outputs))
        return "outputs that its journal does not hold";
    return NULL;
}

static bool has_outputs_in_journal(sqlite3_stmt *stmt)
{
    return sqlite3_column_type(stmt, 12) == SQLITE_TEXT && sqlite3_column_bytes(stmt, 12) == 0;
}

/* Borrows from the statement. */
static int read_row(const sqlite_store *st, sqlite3_stmt *stmt, ctn_execution_row *ret, ctn_err *err)
{
    ctn_execution_row row;
    const char *damage = ctn_sqlite_read_row(stmt, &row);
    if (!damage)
        damage = read_ends(stmt, ROW_WIDTH, has_outputs_in_journal(stmt), &row);
    if (sqlite_row_is_short(stmt))
        return ctn_sqlite_fail_short(st, err);
    if (damage)
        return fail_damaged(st, row.exec_no, damage, err);
    *ret = row;
    return CTN_OK;
}

void ctn_sqlite_keep_row(ctn_arena *arena, ctn_execution_row *row)
{
    ctn_str *strings[] = {&row->chain_id, &row->queue_key, &row->idempotency_key, &row->tenant,
                          &row->labels,   &row->input,     &row->outputs,         &row->error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(arena, *strings[i]);
}

/* All zero when it does not read: whoever loads it finds out why. CTN_E_IO and the like are the store's. */
static int read_id(sqlite_store *st, int64_t exec_no, ctn_execution_id *ret_id, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    *ret_id = (ctn_execution_id){0};
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_ID, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == (int) sizeof ret_id->bytes)
        memcpy(ret_id->bytes, sqlite3_column_blob(stmt, 0), sizeof ret_id->bytes);
    else if (step == SQLITE_ROW && sqlite_row_is_short(stmt))
        rc = ctn_sqlite_fail_short(st, err);
    else if (step != SQLITE_ROW && step != SQLITE_DONE && (step & 0xff) != SQLITE_CORRUPT)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading an execution", err);
    ctn_sqlite_release(st, SQL_EXECUTION_ID, stmt);
    return rc;
}

/* Steps through bound numbers; the statement is the caller's to give back. */
static int tell_numbers(sqlite_store *st, sqlite3_stmt *stmt, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    for (;;) {
        int step = sqlite3_step(stmt);
        if (step == SQLITE_DONE)
            return CTN_OK;
        if (step != SQLITE_ROW)
            return ctn_sqlite_fail(st->db, st->path, step, "reading executions", err);
        ctn_execution_row row = {.exec_no = sqlite3_column_int64(stmt, 0)};
        int rc = read_id(st, row.exec_no, &row.id, err);
        if (rc || fn(ctx, &row))
            return rc;
    }
}

/* One number from a statement, NULL as 0. */
static int read_number(sqlite_store *st, sqlite_sql which, bool has_parameter, int64_t parameter, int64_t *ret,
                       ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    if (has_parameter)
        sqlite3_bind_int64(stmt, 1, parameter);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    else
        rc = ctn_sqlite_fail(st->db, st->path, step == SQLITE_DONE ? SQLITE_CORRUPT : step, "reading", err);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

/* ---- executions ---- */

int ctn_sqlite_exec_no_last(ctn_store *base, int64_t *ret_exec_no, ctn_err *err)
{
    return read_number((sqlite_store *) base, SQL_EXEC_NO_LAST, false, 0, ret_exec_no, err);
}

int ctn_sqlite_execution_find(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err)
{
    static const sqlite_sql statements[] = {
        [CTN_LOOKUP_NO] = SQL_EXECUTION_BY_NO,
        [CTN_LOOKUP_KEY] = SQL_EXECUTION_BY_KEY,
        [CTN_LOOKUP_RANGE] = SQL_EXECUTION_BY_RANGE,
    };
    sqlite_store *st = (sqlite_store *) base;
    sqlite_sql which = statements[lookup->kind];
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    switch (lookup->kind) {
    case CTN_LOOKUP_NO: sqlite3_bind_int64(stmt, 1, lookup->exec_no); break;
    case CTN_LOOKUP_KEY:
        sqlite_bind_str_or_empty(stmt, 1, lookup->chain_id);
        sqlite_bind_str_or_empty(stmt, 2, lookup->key);
        break;
    case CTN_LOOKUP_RANGE:
        sqlite3_bind_blob(stmt, 1, lookup->id_first.bytes, sizeof lookup->id_first.bytes, SQLITE_STATIC);
        sqlite3_bind_blob(stmt, 2, lookup->id_last.bytes, sizeof lookup->id_last.bytes, SQLITE_STATIC);
        break;
    }
    ctn_execution_row row;
    size_t matches = 0;
    int step;
    while (rc == CTN_OK && (step = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            rc = ctn_sqlite_fail(st->db, st->path, step, "reading an execution", err);
        else if (matches++ == 0) {
            rc = read_row(st, stmt, &row, err);
            if (rc == CTN_OK)
                ctn_sqlite_keep_row(arena, &row);
        }
    }
    ctn_sqlite_release(st, which, stmt);
    if (rc)
        return rc;
    if (matches == 1)
        *ret = row;
    *ret_matches = matches;
    return CTN_OK;
}

typedef struct listing {
    sqlite_store *st;
    const ctn_execution_filter *filter;
    ctn_execution_fn *fn;
    void *ctx;
    int64_t before; /* exec_no; 0: from the newest */
    size_t left;    /* rows that may still be told */
    bool by_number; /* after a broken page: along the table, whose order says where to go on */
    bool is_over;
} listing;

/* What of the row stands in the journal, which may be damaged although the row is not. The statement stays with the
 * row until it is told. */
static int look_at_ends(listing *l, sqlite3_stmt *row_stmt, ctn_execution_row *row, sqlite3_stmt **ret_stmt,
                        ctn_err *err)
{
    const char *damage = NULL;
    int rc = ctn_sqlite_take(l->st, SQL_EXECUTION_ENDS, ret_stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(*ret_stmt, 1, row->exec_no);
    int step = sqlite3_step(*ret_stmt);
    if (step == SQLITE_ROW) {
        damage = read_ends(*ret_stmt, 0, has_outputs_in_journal(row_stmt), row);
        rc = sqlite_row_is_short(*ret_stmt) ? ctn_sqlite_fail_short(l->st, err) : CTN_OK;
    } else if (step == SQLITE_DONE || (step & 0xff) == SQLITE_CORRUPT) {
        damage = "a journal on a broken page of the file";
    } else {
        rc = ctn_sqlite_fail(l->st->db, l->st->path, step, "reading executions", err);
    }
    if (damage)
        row->damage = ctn_str_from(damage);
    return rc;
}

static int tell_listed(listing *l, sqlite3_stmt *stmt, ctn_err *err)
{
    int step = SQLITE_DONE;
    while (!l->is_over && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        ctn_execution_row row;
        sqlite3_stmt *ends = NULL;
        int rc = CTN_OK;
        const char *damage = ctn_sqlite_read_row(stmt, &row);
        if (sqlite_row_is_short(stmt))
            rc = ctn_sqlite_fail_short(l->st, err);
        else if (damage)
            row.damage = ctn_str_from(damage);
        else
            rc = look_at_ends(l, stmt, &row, &ends, err);
        l->before = row.exec_no;
        l->is_over = rc || l->fn(l->ctx, &row) || --l->left == 0;
        ctn_sqlite_release(l->st, SQL_EXECUTION_ENDS, ends);
        if (rc)
            return rc;
    }
    if (!l->is_over && step != SQLITE_DONE)
        return ctn_sqlite_fail(l->st->db, l->st->path, step, "listing executions", err);
    l->is_over = true;
    return CTN_OK;
}

/* A list is for people and pages; its statement is put together and prepared each time. */
static int list_from(listing *l, ctn_err *err)
{
    sqlite_store *st = l->st;
    const ctn_execution_filter *filter = l->filter;
    /* The status is said twice so that one of the partial indexes can be used. The unfinished are few among millions,
     * which the planner cannot know: left alone it would walk all executions because they come in the right order. */
    const char *index = l->by_number ? "NOT INDEXED " : "", *status_set = "";
    if (l->by_number) {
        if (filter->unfinished_only)
            status_set = " AND " SQLITE_UNFINISHED("e.");
    } else if (filter->unfinished_only || (filter->by_status && !ctn_status_is_final(filter->status))) {
        index = "INDEXED BY chain_executions_unfinished ";
        status_set = " AND " SQLITE_UNFINISHED("e.");
    } else if (filter->by_status && filter->status != CTN_STATUS_COMPLETED)
        status_set = " AND " SQLITE_TROUBLE("e.");
    char sql[3000];
    int len =
        snprintf(sql, sizeof sql, "%s%sWHERE 1%s%s%s%s ORDER BY e.exec_no DESC LIMIT ?4", ROW_COLUMNS FROM_EXECUTIONS,
                 index, filter->chain_id.len ? " AND e.chain_id = ?1" : "",
                 filter->by_status ? " AND e.status = ?2" : "", status_set, l->before > 0 ? " AND e.exec_no < ?3" : "");
    assert(len > 0 && (size_t) len < sizeof sql);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(st->db, sql, len, &stmt, NULL);
    if (rc)
        return ctn_sqlite_fail(st->db, st->path, rc, "listing executions", err);
    if (filter->chain_id.len)
        sqlite_bind_str(stmt, 1, filter->chain_id);
    if (filter->by_status)
        sqlite3_bind_text(stmt, 2, ctn_status_name(filter->status), -1, SQLITE_STATIC);
    if (l->before > 0)
        sqlite3_bind_int64(stmt, 3, l->before);
    sqlite3_bind_int64(stmt, 4, l->left < INT64_MAX ? (int64_t) l->left : -1);
    rc = tell_listed(l, stmt, err);
    sqlite3_finalize(stmt);
    return rc;
}

/* As far as anything says: where the last page of the table is broken, the index of journals. */
static int64_t newest_number(listing *l)
{
    int64_t exec_no = 0;
    sqlite3_stmt *stmt = NULL;
    if (ctn_sqlite_exec_no_last(&l->st->base, &exec_no, NULL) == CTN_OK)
        return exec_no;
    if (sqlite3_prepare_v2(l->st->db, "SELECT max(exec_no) FROM execution_journal", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        exec_no = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return exec_no;
}

/* Behind a page that does not read: number by number at first, then in growing steps, so that much that is broken does
 * not take for ever. */
#define SKIP_SINGLY 512
#define SKIP_TRIES  600

int ctn_sqlite_execution_list(ctn_store *base, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err)
{
    listing l = {.st = (sqlite_store *) base, .filter = filter, .fn = fn, .ctx = ctx, .before = filter->before_exec_no};
    l.left = filter->limit ? filter->limit : SIZE_MAX;
    int rc = list_from(&l, err), failed = rc;
    int64_t last = l.before, skip = 1;
    for (int tries = 0; rc == CTN_E_CORRUPT && tries < SKIP_TRIES; tries++) {
        if (last != l.before)
            tries = 0, skip = 1;
        if (l.before <= 0)
            l.before = newest_number(&l) + 1;
        else if (l.by_number)
            l.before -= skip;
        if (tries >= SKIP_SINGLY)
            skip *= 2;
        l.by_number = true;
        last = l.before;
        if (l.before <= 1)
            break;
        rc = list_from(&l, NULL);
    }
    return rc ? rc : failed;
}

int ctn_sqlite_execution_due(ctn_store *base, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_DUE, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, until_ms);
    sqlite3_bind_int64(stmt, 2, limit && limit < INT64_MAX ? (int64_t) limit : -1);
    rc = tell_numbers(st, stmt, fn, ctx, err);
    ctn_sqlite_release(st, SQL_EXECUTION_DUE, stmt);
    return rc;
}

int ctn_sqlite_next_wake(ctn_store *base, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    return read_number((sqlite_store *) base, SQL_NEXT_WAKE, true, after_ms > 0 ? after_ms : 0, ret_wake_at_ms, err);
}

/* ---- the queue ---- */

int ctn_sqlite_queue_next(ctn_store *base, ctn_str chain_id, int priority, int64_t after_exec_no, size_t limit,
                          ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_QUEUE_NEXT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, chain_id);
    sqlite3_bind_int(stmt, 2, priority);
    sqlite3_bind_int64(stmt, 3, after_exec_no);
    sqlite3_bind_int64(stmt, 4, limit && limit < INT64_MAX ? (int64_t) limit : -1);
    rc = tell_numbers(st, stmt, fn, ctx, err);
    ctn_sqlite_release(st, SQL_QUEUE_NEXT, stmt);
    return rc;
}

int ctn_sqlite_queue_first(ctn_store *base, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                           ctn_execution_row *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_QUEUE_FIRST, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, queue_key);
    sqlite3_bind_int64(stmt, 2, before_exec_no);
    int step = sqlite3_step(stmt);
    ctn_execution_row row = {0};
    const char *damage = NULL;
    if (step == SQLITE_DONE)
        rc = CTN_E_NOT_FOUND;
    else if (step != SQLITE_ROW)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading who is first in line", err);
    else
        damage = ctn_sqlite_read_row(stmt, &row);
    if (step == SQLITE_ROW && sqlite_row_is_short(stmt))
        rc = ctn_sqlite_fail_short(st, err);
    else if (damage)
        rc = fail_damaged(st, row.exec_no, damage, err);
    if (rc == CTN_OK) {
        ctn_sqlite_keep_row(arena, &row);
        *ret = row;
    }
    ctn_sqlite_release(st, SQL_QUEUE_FIRST, stmt);
    return rc;
}

int ctn_sqlite_execution_owing(ctn_store *base, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                               ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_OWING, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, after_exec_no);
    sqlite3_bind_int64(stmt, 2, limit && limit < INT64_MAX ? (int64_t) limit : -1);
    rc = tell_numbers(st, stmt, fn, ctx, err);
    ctn_sqlite_release(st, SQL_EXECUTION_OWING, stmt);
    return rc;
}

/* ---- journal ---- */

int ctn_sqlite_journal_read(ctn_store *base, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                            ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_JOURNAL_READ, &stmt, err);
    if (rc)
        return rc;
    uint64_t expected = from_seq > 1 ? from_seq : 1;
    sqlite3_bind_int64(stmt, 1, exec_no);
    sqlite3_bind_int64(stmt, 2, from_seq < INT64_MAX ? (int64_t) expected : INT64_MAX);
    int step;
    while (rc == CTN_OK && (step = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (step != SQLITE_ROW) {
            rc = ctn_sqlite_fail(st->db, st->path, step, "reading a journal", err);
            break;
        }
        ctn_record record = {
            .seq = (uint64_t) sqlite3_column_int64(stmt, 0),
            .at_ms = sqlite3_column_int64(stmt, 1),
            .step = sqlite_column_str(stmt, 3),
            .item = sqlite3_column_type(stmt, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, 4),
            .attempt = (uint32_t) sqlite3_column_int64(stmt, 5),
            .actor = sqlite_column_str(stmt, 6),
            .body = sqlite_column_str(stmt, 7),
            .sealed = sqlite_column_str(stmt, 10),
        };
        bool is_known = ctn_entry_kind_from_name(sqlite_column_str(stmt, 2), &record.kind);
        bool has_hash = sqlite_column_digest(stmt, 8, &record.hash);
        if (sqlite_row_is_short(stmt))
            rc = ctn_sqlite_fail_short(st, err);
        else if (record.seq != expected++)
            rc = fail_damaged(st, exec_no, "a gap in its journal", err);
        else if (!is_known)
            rc = fail_damaged(st, exec_no, "a journal entry of no known kind", err);
        else if (!has_hash)
            rc = fail_damaged(st, exec_no, "a journal entry without a proper hash", err);
        else
            rc = fn(ctx, &record, sqlite3_column_int64(stmt, 9));
    }
    ctn_sqlite_release(st, SQL_JOURNAL_READ, stmt);
    return rc;
}
