/*
 * commit.c -- the write path: a batch of appends in one transaction with one sync.
 *
 *     check_place --> begin --> refresh --> append_one, each --> flush_entries --> end --> check_log --> accepted
 *          |            |          |             |                    |             |          |
 *          |            |          +--- rolled back, nothing is there +             |          |
 *       CTN_E_IO    CTN_E_BUSY                                                   CTN_E_IO  CTN_E_STATE
 *      (not begun)  (not begun)                                                 (unknown)  (it is there)
 *
 * What must hold:
 *
 * (1) An append is judged before any of its rows is written, by what is on disk inside the transaction: the store's
 *     epoch and the last sequence number of its execution. The one thing left to chance, a taken id or idempotency key,
 *     is the insert of the row itself, which then does nothing. So a refusal leaves no trace, needs no savepoint, and
 *     spoils nobody else's append.
 *
 * (2) An append sees those before it in its batch. Entries wait for fifteen others to go into the table in one
 *     statement (pending), so whoever must read the table for a last number has them written first.
 *
 * (3) What the handle remembers (epoch, last position, last numbers of executions) is what is on disk. Reading max(seq)
 *     for every append would cost as much as writing it; and the memory is sound for as long as nobody else commits:
 *     PRAGMA data_version, asked inside each transaction, tells when another connection did, and then everything is
 *     forgotten and read again. It is forgotten too when a transaction does not commit.
 *
 * (4) The row goes before its entries: where it is missing, none of them is written.
 *
 * (5) Nobody is told "accepted" about a file that the next process will not find: it is looked for under its name
 *     before, and its log after.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include <inttypes.h>
#include <stdlib.h>

enum { SEQ_SLOTS = 65536 };

/* Direct-mapped by exec_no: numbers in flight are neighbours, so they do not collide, and a loss costs one query. */
struct sqlite_seq_cache {
    int64_t data_version; /* what was remembered is true of this one; 0: of none */
    uint64_t epoch;
    int64_t position_last;
    struct seq_slot {
        int64_t exec_no; /* 0: empty */
        uint64_t seq;
    } slots[SEQ_SLOTS];
};

void ctn_sqlite_seq_cache_free(sqlite_seq_cache *cache)
{
    free(cache);
}

static void forget(sqlite_store *st)
{
    if (st->seqs)
        memset(st->seqs, 0, sizeof *st->seqs);
}

static void remember(sqlite_store *st, int64_t exec_no, uint64_t seq)
{
    st->seqs->slots[(uint64_t) exec_no % SEQ_SLOTS] = (struct seq_slot){.exec_no = exec_no, .seq = seq};
}

void ctn_sqlite_seq_forget(sqlite_store *st, int64_t exec_no)
{
    struct seq_slot *slot = st->seqs ? &st->seqs->slots[(uint64_t) exec_no % SEQ_SLOTS] : NULL;
    if (slot && slot->exec_no == exec_no)
        *slot = (struct seq_slot){0};
}

/* One row of one statement without parameters, or CTN_E_CORRUPT when there is none. */
static int read_row(sqlite_store *st, sqlite_sql which, int64_t *values, int count, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    if (ctn_sqlite_next(st, stmt, "reading", &rc, err))
        for (int i = 0; i < count; i++)
            values[i] = sqlite3_column_int64(stmt, i);
    else if (rc == CTN_OK)
        rc = ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: its table `meta` is empty", st->path);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

/* ---- epochs ---- */

int ctn_sqlite_epoch_begin(ctn_store *base, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int64_t meta[2] = {0};
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = read_row(st, SQL_META_READ, meta, 2, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_EPOCH_BEGIN, &stmt, err);
    if (rc == CTN_OK) {
        sqlite3_bind_int64(stmt, 1, meta[0] + 1);
        rc = ctn_sqlite_run_bound(st, SQL_EPOCH_BEGIN, stmt, "beginning an epoch", err);
    }
    forget(st);
    rc = ctn_sqlite_end(st, rc, err);
    if (rc)
        return rc;
    *ret_epoch = (uint64_t) meta[0] + 1;
    *ret_was_crash = meta[1] == 0;
    return CTN_OK;
}

int ctn_sqlite_epoch_end(ctn_store *base, uint64_t epoch, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int64_t current = 0;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = read_row(st, SQL_META_READ, &current, 1, err);
    if (rc == CTN_OK && (uint64_t) current != epoch)
        rc = ctn_store_fail_epoch(epoch, (uint64_t) current, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_run(st, SQL_EPOCH_END, err);
    return ctn_sqlite_end(st, rc, err);
}

/* ---- commit ---- */

typedef struct batch {
    sqlite_store *st;
    sqlite3_stmt *insert_row, *update_row, *insert_entry, *insert_entries;
    struct pending {
        int64_t exec_no;
        const ctn_record *record;
    } pending[SQLITE_ENTRIES_AT_ONCE]; /* accepted, and not yet in the table */
    int pending_count;
} batch;

/* Inside the transaction: is what we remember still true? */
static int refresh(sqlite_store *st, ctn_err *err)
{
    if (!st->seqs) {
        st->seqs = calloc(1, sizeof *st->seqs);
        if (!st->seqs)
            return ctn_sqlite_fail(st->db, st->path, SQLITE_NOMEM, "storing", err);
    }
    int64_t data_version = 0, meta[3] = {0};
    int rc = read_row(st, SQL_DATA_VERSION, &data_version, 1, err);
    if (rc || data_version == st->seqs->data_version)
        return rc;
    forget(st);
    rc = read_row(st, SQL_META_READ, meta, 3, err);
    if (rc)
        return rc;
    st->seqs->epoch = (uint64_t) meta[0];
    st->seqs->position_last = meta[2];
    st->seqs->data_version = data_version;
    return CTN_OK;
}

static void bind_outputs(sqlite3_stmt *stmt, int at, const ctn_append *a, ctn_str outputs)
{
    if (ctn_store_outputs_are_in(a->records, a->count, outputs))
        sqlite3_bind_text(stmt, at, "", 0, SQLITE_STATIC);
    else
        sqlite_bind_str(stmt, at, outputs);
}

static void bind_status(sqlite3_stmt *stmt, int at, ctn_status status)
{
    sqlite3_bind_text(stmt, at, ctn_status_name(status), -1, SQLITE_STATIC);
}

/* *ret_done false: an execution of that number, id or key is there already. */
static int insert_row(batch *b, const ctn_append *a, bool *ret_done, ctn_err *err)
{
    ctn_execution_row row = ctn_row_with_change(a->row, a->change);
    sqlite3_stmt *stmt = b->insert_row;
    sqlite3_bind_int64(stmt, 1, row.exec_no);
    sqlite_bind_id(stmt, 2, &row.id);
    sqlite_bind_str_or_empty(stmt, 3, row.chain_id);
    sqlite3_bind_int64(stmt, 4, row.chain_version);
    bind_status(stmt, 5, row.status);
    sqlite3_bind_int(stmt, 6, row.priority);
    sqlite_bind_str(stmt, 7, row.queue_key);
    sqlite_bind_str(stmt, 8, row.idempotency_key);
    sqlite_bind_str(stmt, 9, row.tenant);
    sqlite_bind_positive(stmt, 10, row.wake_at_ms);
    sqlite_bind_str(stmt, 11, row.labels);
    sqlite_bind_str(stmt, 12, row.input);
    bind_outputs(stmt, 13, a, row.outputs);
    sqlite_bind_str(stmt, 14, row.error);
    sqlite3_bind_int64(stmt, 15, row.created_at_ms);
    sqlite_bind_positive(stmt, 16, row.started_at_ms);
    sqlite_bind_positive(stmt, 17, row.finished_at_ms);
    if (ctn_id_is_none(row.parent))
        sqlite3_bind_null(stmt, 18);
    else
        sqlite_bind_id(stmt, 18, &row.parent);
    int rc = ctn_sqlite_step_done(b->st, stmt, "storing an execution", err);
    if (rc == CTN_OK)
        *ret_done = sqlite3_changes(b->st->db) == 1;
    return rc;
}

/* *ret_done false: there is no such row. */
static int update_row(batch *b, const ctn_append *a, bool *ret_done, ctn_err *err)
{
    sqlite3_stmt *stmt = b->update_row;
    sqlite3_bind_int64(stmt, 1, a->exec_no);
    bind_status(stmt, 2, a->change->status);
    sqlite_bind_positive(stmt, 3, a->change->wake_at_ms);
    sqlite_bind_positive(stmt, 4, a->change->started_at_ms);
    sqlite_bind_positive(stmt, 5, a->change->finished_at_ms);
    bind_outputs(stmt, 6, a, a->change->outputs);
    sqlite_bind_str(stmt, 7, a->change->error);
    int rc = ctn_sqlite_step_done(b->st, stmt, "changing an execution", err);
    if (rc == CTN_OK)
        *ret_done = sqlite3_changes(b->st->db) == 1;
    return rc;
}

/* One has ended: the next in its line is let go. */
static int move_line(sqlite_store *st, ctn_str queue_key, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_LINE_MOVES, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str(stmt, 1, queue_key);
    return ctn_sqlite_run_bound(st, SQL_LINE_MOVES, stmt, "moving a line on", err);
}

static void bind_entry(sqlite3_stmt *stmt, int row, int64_t position, const struct pending *p)
{
    const ctn_record *r = p->record;
    int at = row * SQLITE_ENTRY_COLUMNS;
    sqlite3_bind_int64(stmt, ++at, position);
    sqlite3_bind_int64(stmt, ++at, p->exec_no);
    sqlite3_bind_int64(stmt, ++at, (int64_t) r->seq);
    sqlite3_bind_int64(stmt, ++at, r->at_ms);
    sqlite3_bind_text(stmt, ++at, ctn_entry_kind_name(r->kind), -1, SQLITE_STATIC);
    sqlite_bind_str(stmt, ++at, r->step);
    if (r->item >= 0)
        sqlite3_bind_int64(stmt, ++at, r->item);
    else
        sqlite3_bind_null(stmt, ++at);
    sqlite_bind_positive(stmt, ++at, r->attempt);
    sqlite_bind_str(stmt, ++at, r->actor);
    sqlite_bind_str_or_empty(stmt, ++at, r->body);
    sqlite_bind_digest(stmt, ++at, &r->hash);
    sqlite_bind_str(stmt, ++at, r->sealed);
}

/* What is pending becomes rows: many in one statement, which opens the table and its index once for all, or one by
 * one when they are few. */
static int flush_entries(batch *b, ctn_err *err)
{
    int rc = CTN_OK, count = b->pending_count;
    bool is_full = count == SQLITE_ENTRIES_AT_ONCE;
    b->pending_count = 0;
    for (int i = 0; rc == CTN_OK && i < count; i++) {
        sqlite3_stmt *stmt = is_full ? b->insert_entries : b->insert_entry;
        bind_entry(stmt, is_full ? i : 0, b->st->seqs->position_last + 1, &b->pending[i]);
        if (!is_full || i == count - 1)
            rc = ctn_sqlite_step_done(b->st, stmt, "appending to a journal", err);
        b->st->seqs->position_last++;
    }
    return rc;
}

static int insert_entry(batch *b, int64_t exec_no, const ctn_record *r, ctn_err *err)
{
    b->pending[b->pending_count++] = (struct pending){.exec_no = exec_no, .record = r};
    return b->pending_count == SQLITE_ENTRIES_AT_ONCE ? flush_entries(b, err) : CTN_OK;
}

/* The last sequence number of an execution; 0: it has no journal. */
static int last_seq(batch *b, int64_t exec_no, uint64_t *ret_seq, ctn_err *err)
{
    sqlite_store *st = b->st;
    const struct seq_slot *slot = &st->seqs->slots[(uint64_t) exec_no % SEQ_SLOTS];
    if (slot->exec_no == exec_no) {
        *ret_seq = slot->seq;
        return CTN_OK;
    }
    sqlite3_stmt *stmt = NULL;
    int rc = flush_entries(b, err); /* some may be its own */
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_SEQ_LAST, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        *ret_seq = (uint64_t) sqlite3_column_int64(stmt, 0);
        remember(st, exec_no, *ret_seq);
    } else
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading the end of a journal", err);
    ctn_sqlite_release(st, SQL_SEQ_LAST, stmt);
    return rc;
}

static int exists_no(sqlite_store *st, int64_t exec_no, bool *ret_exists, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_EXISTS, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    *ret_exists = ctn_sqlite_next(st, stmt, "looking for an execution", &rc, err);
    ctn_sqlite_release(st, SQL_EXECUTION_EXISTS, stmt);
    return rc;
}

/* A sub-chain has ended: whoever waits for it is looked at again, whatever dies meanwhile. */
static int wake_other(sqlite_store *st, ctn_execution_id id, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_WAKES, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_id(stmt, 1, &id);
    return ctn_sqlite_run_bound(st, SQL_EXECUTION_WAKES, stmt, "waking an execution", err);
}

static int append_one(batch *b, const ctn_append *a, ctn_outcome *ret_outcome, ctn_err *err)
{
    sqlite_store *st = b->st;
    bool done = true;
    int rc = CTN_OK;
    if (a->epoch < st->seqs->epoch) {
        *ret_outcome = CTN_OUTCOME_STALE_EPOCH;
        return CTN_OK;
    }
    if (a->row) {
        rc = insert_row(b, a, &done, err);
        if (rc == CTN_OK && !done) {
            bool exists = false;
            rc = exists_no(st, a->exec_no, &exists, err);
            *ret_outcome = exists ? CTN_OUTCOME_STALE_SEQ : CTN_OUTCOME_EXISTS;
        }
    } else {
        uint64_t seq = 0;
        rc = last_seq(b, a->exec_no, &seq, err);
        if (rc == CTN_OK && seq == a->seq_expected && a->change)
            rc = update_row(b, a, &done, err); /* before the journal, so that a missing row leaves no trace */
        else
            done = seq == a->seq_expected;
        *ret_outcome = CTN_OUTCOME_STALE_SEQ;
    }
    if (rc || !done)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < a->count; i++)
        rc = insert_entry(b, a->exec_no, &a->records[i], err);
    if (rc == CTN_OK && a->data_key)
        rc = ctn_sqlite_data_key_append(st, a->exec_no, a->data_key, err);
    for (size_t i = 0; rc == CTN_OK && i < a->result_count; i++)
        rc = ctn_sqlite_result_put(st, &a->results[i], err);
    for (size_t i = 0; rc == CTN_OK && i < a->audit_count; i++) {
        ctn_audit_entry entry = ctn_audit_whole(&a->audits[i]);
        rc = ctn_sqlite_audit_append(st, &entry, err);
    }
    if (rc == CTN_OK && a->change && a->change->queue_key.len && ctn_status_is_final(a->change->status))
        rc = move_line(st, a->change->queue_key, err);
    if (rc == CTN_OK && a->change && !ctn_id_is_none(a->change->wakes))
        rc = wake_other(st, a->change->wakes, err);
    if (rc)
        return ctn_wrap(err, rc, "execution %" PRId64, a->exec_no);
    remember(st, a->exec_no, a->seq_expected + a->count);
    *ret_outcome = CTN_OUTCOME_ACCEPTED;
    return CTN_OK;
}

int ctn_sqlite_commit(ctn_store *base, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    batch b = {.st = (sqlite_store *) base};
    int rc = ctn_sqlite_check_place(b.st, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_begin(b.st, err);
    if (rc)
        return rc;
    rc = refresh(b.st, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(b.st, SQL_EXECUTION_INSERT, &b.insert_row, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(b.st, SQL_EXECUTION_UPDATE, &b.update_row, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(b.st, SQL_JOURNAL_INSERT, &b.insert_entry, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(b.st, SQL_JOURNAL_INSERT_MANY, &b.insert_entries, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        rc = append_one(&b, &appends[i], &ret_outcomes[i], err);
        if (rc == CTN_OK && appends[i].usage_count && ret_outcomes[i] != CTN_OUTCOME_STALE_EPOCH)
            rc = ctn_sqlite_usage_put(b.st, appends[i].usage, appends[i].usage_count, err);
    }
    if (rc == CTN_OK)
        rc = flush_entries(&b, err);
    ctn_sqlite_release(b.st, SQL_EXECUTION_INSERT, b.insert_row);
    ctn_sqlite_release(b.st, SQL_EXECUTION_UPDATE, b.update_row);
    ctn_sqlite_release(b.st, SQL_JOURNAL_INSERT, b.insert_entry);
    ctn_sqlite_release(b.st, SQL_JOURNAL_INSERT_MANY, b.insert_entries);
    rc = ctn_sqlite_end(b.st, rc, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_check_log(b.st, err);
    if (rc)
        forget(b.st);
    else
        ctn_sqlite_checkpointer_turn(b.st->checkpointer);
    return rc;
}
