/*
 * read.c -- executions and journals, read back.
 *
 * Rows are borrowed from SQLite while a callback runs and copied into the caller's arena otherwise. What does not
 * decode (a status, a kind, a hash) is CTN_E_CORRUPT with the execution in the sentence: one damaged execution is one
 * failed read, never a guess.
 *
 * A list must not stop at an execution that is damaged, nor at a broken page that holds some of them: it reads the rows
 * without their journals, tells what is wrong with a row beside it, and goes on behind a page that does not read.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/schema.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- rows ---- */

int ctn_sqlite_fail_damaged(const sqlite_store *st, int64_t exec_no, const char *what, ctn_err *err)
{
    return ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: execution %" PRId64 " has %s", st->path, exec_no,
                    what);
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
    (void) sqlite_column_id(stmt, 18, &ret->parent); /* NULL: it has none */
    bool has_id = sqlite_column_id(stmt, 1, &ret->id);
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
    if (outputs_are_there && !ctn_completed_outputs(sqlite_column_str(stmt, at + 1), &row->outputs))
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
        damage = read_ends(stmt, SQLITE_ROW_WIDTH, has_outputs_in_journal(stmt), &row);
    int rc = CTN_OK;
    if (ctn_sqlite_is_whole(st, &rc, err) && damage)
        rc = ctn_sqlite_fail_damaged(st, row.exec_no, damage, err);
    if (rc == CTN_OK)
        *ret = row;
    return rc;
}

void ctn_sqlite_keep_row(ctn_arena *arena, ctn_execution_row *row)
{
    ctn_str *strings[] = {&row->chain_id, &row->queue_key, &row->idempotency_key, &row->tenant,
                          &row->labels,   &row->input,     &row->outputs,         &row->error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(arena, *strings[i]);
}

/* ---- executions ---- */

int ctn_sqlite_exec_no_last(ctn_store *base, int64_t *ret_exec_no, ctn_err *err)
{
    return ctn_sqlite_read_number((sqlite_store *) base, SQL_EXEC_NO_LAST, 0, ret_exec_no, err);
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
        sqlite_bind_id(stmt, 1, &lookup->id_first);
        sqlite_bind_id(stmt, 2, &lookup->id_last);
        break;
    }
    ctn_execution_row row;
    size_t matches = 0;
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading an execution", &rc, err))
        if (matches++ == 0) {
            rc = read_row(st, stmt, &row, err);
            if (rc == CTN_OK)
                ctn_sqlite_keep_row(arena, &row);
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
        (void) ctn_sqlite_is_whole(l->st, &rc, err);
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
        l->before = row.exec_no;
        if (!damage && !ctn_execution_filter_takes(l->filter, &row))
            continue;
        if (ctn_sqlite_is_whole(l->st, &rc, err) && damage)
            row.damage = ctn_str_from(damage);
        else if (rc == CTN_OK)
            rc = look_at_ends(l, stmt, &row, &ends, err);
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

#define FEW 5000

/* Then to look at them all, in the order of their wake times, and sort is cheaper than to walk by number. */
static bool few_are_unfinished(sqlite_store *st)
{
    static const char SQL[] = "SELECT count(*) FROM (SELECT 1 FROM chain_executions INDEXED BY "
                              "chain_executions_unfinished WHERE " SQLITE_UNFINISHED("") " LIMIT ?1)";
    sqlite3_stmt *stmt = NULL;
    bool few = false;
    if (ctn_sqlite_prepare(st, SQL, &stmt, NULL) == CTN_OK) {
        sqlite3_bind_int64(stmt, 1, FEW + 1);
        few = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) <= FEW;
    }
    sqlite3_finalize(stmt);
    return few;
}

static uint32_t statuses_of(const ctn_execution_filter *filter)
{
    const uint32_t all = (1u << CTN_STATUS_COUNT) - 1, unfinished = (1u << CTN_STATUS_COMPLETED) - 1;
    uint32_t statuses = filter->statuses ? filter->statuses & all : all;
    if (filter->by_status)
        statuses &= 1u << filter->status;
    return filter->unfinished_only ? statuses & unfinished : statuses;
}

static void put_statuses(ctn_buf *sql, uint32_t statuses)
{
    const char *before = " AND e.status IN (";
    for (int s = 0; s < CTN_STATUS_COUNT; s++)
        if (statuses & 1u << s) {
            ctn_buf_printf(sql, "%s'%s'", before, ctn_status_name((ctn_status) s));
            before = ",";
        }
    ctn_buf_append_literal(sql, ")");
}

/* What narrows a list, said in SQL as far as that can go along an index; the rest is looked at row by row. */
static void put_list(listing *l, ctn_buf *sql)
{
    const ctn_execution_filter *f = l->filter;
    const uint32_t all = (1u << CTN_STATUS_COUNT) - 1, unfinished = (1u << CTN_STATUS_COMPLETED) - 1;
    uint32_t statuses = statuses_of(f);
    /* The set of statuses is said twice so that one of the partial indexes can be used. The unfinished are few among
     * millions, which the planner cannot know: left alone it would walk all executions because they come in the right
     * order. Where they are not few, whoever asks for a span of numbers wants to walk. */
    bool is_unfinished = !(statuses & ~unfinished);
    bool by_unfinished = is_unfinished && !l->by_number && (!f->after_exec_no || few_are_unfinished(l->st));
    bool is_trouble = !is_unfinished && !(statuses & (unfinished | 1u << CTN_STATUS_COMPLETED));
    ctn_buf_printf(sql, SQLITE_ROW_COLUMNS " FROM chain_executions e %sWHERE 1",
                   by_unfinished                                             ? "INDEXED BY chain_executions_unfinished "
                   : l->by_number || (is_unfinished && f->chain_id.len == 0) ? "NOT INDEXED "
                                                                             : "");
    if (by_unfinished || (l->by_number && f->unfinished_only))
        ctn_buf_append_literal(sql, " AND " SQLITE_UNFINISHED("e."));
    else if (is_trouble && !l->by_number)
        ctn_buf_append_literal(sql, " AND " SQLITE_TROUBLE("e."));
    if (statuses != all && !(f->unfinished_only && statuses == unfinished))
        put_statuses(sql, statuses);
    if (f->chain_id.len)
        ctn_buf_append_literal(sql, " AND e.chain_id = ?1");
    if (f->tenant.len)
        ctn_buf_append_literal(sql, " AND e.tenant = ?2");
    if (l->before > 0)
        ctn_buf_append_literal(sql, " AND e.exec_no < ?3");
    if (f->after_exec_no > 0)
        ctn_buf_append_literal(sql, " AND e.exec_no > ?4");
    if (f->roots_only)
        ctn_buf_append_literal(sql, " AND e.parent_id IS NULL");
    ctn_buf_append_literal(sql, " ORDER BY e.exec_no DESC LIMIT ?5");
}

static bool is_narrowed_by_row(const ctn_execution_filter *f)
{
    return ctn_json_count(f->labels) || f->created_from_ms || f->created_until_ms || f->finished_from_ms ||
           f->finished_until_ms;
}

/* A list is for people and pages; its statement is put together and prepared each time. */
static int list_from(listing *l, ctn_err *err)
{
    const ctn_execution_filter *filter = l->filter;
    char text[4000];
    sqlite3_stmt *stmt = NULL;
    ctn_buf sql;
    if (!statuses_of(filter)) {
        l->is_over = true;
        return CTN_OK;
    }
    ctn_buf_init(&sql, sizeof text); /* there is room for every filter */
    sql.may_lack = true;
    put_list(l, &sql);
    bool is_short = sql.overflowed;
    (void) snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(ctn_buf_str(&sql)));
    ctn_buf_done(&sql);
    if (is_short)
        return ctn_sqlite_fail(l->st->db, l->st->path, SQLITE_NOMEM, "listing", err);
    int rc = ctn_sqlite_prepare(l->st, text, &stmt, err);
    if (rc)
        return rc;
    if (filter->chain_id.len)
        sqlite_bind_str(stmt, 1, filter->chain_id);
    if (filter->tenant.len)
        sqlite_bind_str(stmt, 2, filter->tenant);
    if (l->before > 0)
        sqlite3_bind_int64(stmt, 3, l->before);
    if (filter->after_exec_no > 0)
        sqlite3_bind_int64(stmt, 4, filter->after_exec_no);
    sqlite3_bind_int64(stmt, 5, is_narrowed_by_row(filter) || l->left > INT64_MAX ? -1 : (int64_t) l->left);
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

/* ---- journal ---- */

/* The first eleven columns. Borrows from the statement; what is wrong with it, or NULL. */
static const char *read_record(sqlite3_stmt *stmt, ctn_record *ret)
{
    *ret = (ctn_record){
        .seq = (uint64_t) sqlite3_column_int64(stmt, 0),
        .at_ms = sqlite3_column_int64(stmt, 1),
        .step = sqlite_column_str(stmt, 3),
        .item = sqlite3_column_type(stmt, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, 4),
        .attempt = (uint32_t) sqlite3_column_int64(stmt, 5),
        .actor = sqlite_column_str(stmt, 6),
        .body = sqlite_column_str(stmt, 7),
        .sealed = sqlite_column_str(stmt, 10),
    };
    bool is_known = ctn_entry_kind_from_name(sqlite_column_str(stmt, 2), &ret->kind);
    bool has_hash = sqlite_column_digest(stmt, 8, &ret->hash);
    return !is_known ? "a journal entry of no known kind" : !has_hash ? "a journal entry without a proper hash" : NULL;
}

int ctn_sqlite_position_last(ctn_store *base, int64_t *ret_position, ctn_err *err)
{
    return ctn_sqlite_read_number((sqlite_store *) base, SQL_POSITION_LAST, 0, ret_position, err);
}

int ctn_sqlite_journal_after(ctn_store *base, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_JOURNAL_AFTER, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, position);
    sqlite3_bind_int64(stmt, 2, limit < INT64_MAX ? (int64_t) limit : -1);
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading the journal", &rc, err)) {
        ctn_record record;
        ctn_tail_entry entry = {.record = &record,
                                .position = sqlite3_column_int64(stmt, 9),
                                .exec_no = sqlite3_column_int64(stmt, 11),
                                .chain_id = sqlite_column_str(stmt, 14),
                                .tenant = sqlite_column_str(stmt, 15),
                                .labels = sqlite_column_str(stmt, 16)};
        (void) sqlite_column_id(stmt, 13, &entry.parent); /* NULL: it has none */
        bool is_damaged = read_record(stmt, &record) || !sqlite_column_id(stmt, 12, &entry.id);
        if (!ctn_sqlite_is_whole(st, &rc, err) || (!is_damaged && fn(ctx, &entry)))
            break;
    }
    ctn_sqlite_release(st, SQL_JOURNAL_AFTER, stmt);
    return rc;
}

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
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading a journal", &rc, err)) {
        ctn_record record;
        const char *damage = read_record(stmt, &record);
        if (!ctn_sqlite_is_whole(st, &rc, err))
            break;
        if (record.seq != expected++)
            damage = "a gap in its journal";
        if (damage)
            rc = ctn_sqlite_fail_damaged(st, exec_no, damage, err);
        else
            rc = fn(ctx, &record, sqlite3_column_int64(stmt, 9));
    }
    ctn_sqlite_release(st, SQL_JOURNAL_READ, stmt);
    return rc;
}
