/*
 * read.c -- executions and journals, read back; and the journal of the whole store.
 *
 * What is found by number or id is in one shard. An id says which, unless its execution was copied here from a store
 * without shards: then all are looked at. An idempotency key leads to an id first. Answers that can be long come in
 * pages, and a callback may ask the store meanwhile.
 *
 * The tail of the journal is read below the oldest transaction that is still under way: whatever commits later has a
 * higher position (batch.c). A transaction of another program in the same cluster that stays open for long holds the
 * tail back, never the executions.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include <inttypes.h>

enum { PAGE = 500 };

/* ---- rows ---- */

int ctn_pg_fail_damaged(const pg_store *st, int64_t exec_no, const char *what, ctn_err *err)
{
    return ctn_fail(err, CTN_E_CORRUPT, "the store in %s is damaged: execution %" PRId64 " has %s",
                    ctn_pg_where(st->db), exec_no, what);
}

const char *ctn_pg_read_row(const PGresult *r, int at, ctn_execution_row *ret)
{
    *ret = (ctn_execution_row){
        .exec_no = ctn_pg_get_int(r, at, 0),
        .chain_id = ctn_pg_get_str(r, at, 2),
        .chain_version = ctn_pg_get_int(r, at, 3),
        .priority = (int) ctn_pg_get_int(r, at, 5),
        .queue_key = ctn_pg_get_str(r, at, 6),
        .idempotency_key = ctn_pg_get_str(r, at, 7),
        .tenant = ctn_pg_get_str(r, at, 8),
        .wake_at_ms = ctn_pg_get_int(r, at, 9),
        .labels = ctn_pg_get_str(r, at, 10),
        .input = ctn_pg_get_str(r, at, 11),
        .outputs = ctn_pg_get_str(r, at, 12),
        .error = ctn_pg_get_str(r, at, 13),
        .created_at_ms = ctn_pg_get_int(r, at, 14),
        .started_at_ms = ctn_pg_get_int(r, at, 15),
        .finished_at_ms = ctn_pg_get_int(r, at, 16),
        .is_held = ctn_pg_get_bool(r, at, 17),
    };
    (void) pg_get_id(r, at, 18, &ret->parent); /* NULL: it has none */
    bool has_id = pg_get_id(r, at, 1, &ret->id);
    bool has_status = ctn_status_from_name(ctn_pg_get_str(r, at, 4), &ret->status);
    if (!has_status)
        ret->status = CTN_STATUS_INTERRUPTED; /* somebody has to look */
    return !has_id ? "no proper id" : !has_status ? "no known status" : NULL;
}

const char *ctn_pg_read_ends(const PGresult *r, int at, ctn_execution_row *row)
{
    bool outputs_are_there = !ctn_pg_is_null(r, at, 12) && row->outputs.len == 0;
    if (!pg_get_digest(r, at, PG_ROW_WIDTH, &row->hash_last))
        return "no journal";
    if (outputs_are_there && !ctn_completed_outputs(ctn_pg_get_str(r, at, PG_ROW_WIDTH + 1), &row->outputs))
        return "outputs that its journal does not hold";
    return NULL;
}

void ctn_pg_keep_row(ctn_arena *arena, ctn_execution_row *row)
{
    ctn_str *strings[] = {&row->chain_id, &row->queue_key, &row->idempotency_key, &row->tenant,
                          &row->labels,   &row->input,     &row->outputs,         &row->error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(arena, *strings[i]);
}

/* ---- one execution ---- */

static int find_by_no(pg_store *st, int64_t exec_no, PGresult **ret, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(&p, exec_no);
    return ctn_pg_ask(st->db, "reading an execution", PG_EXECUTIONS "WHERE e.shard = $1 AND e.exec_no = $2", &p, ret,
                      err);
}

static int find_by_id(pg_store *st, ctn_execution_id id, PGresult **ret, ctn_err *err)
{
    pg_params p = {0}, everywhere = {0};
    ctn_pg_int(&p, ctn_shard_of_id(id, st->shard_count));
    ctn_pg_bytes(&p, id.bytes, sizeof id.bytes);
    int rc = ctn_pg_ask(st->db, "reading an execution", PG_EXECUTIONS "WHERE e.shard = $1 AND e.execution_id = $2", &p,
                        ret, err);
    if (rc || PQntuples(*ret) > 0 || st->shard_count == 1)
        return rc;
    PQclear(*ret);
    *ret = NULL;
    ctn_pg_int(&everywhere, st->shard_count);
    ctn_pg_bytes(&everywhere, id.bytes, sizeof id.bytes);
    return ctn_pg_ask(st->db, "reading an execution",
                      PG_EXECUTIONS "WHERE e.shard = ANY(ARRAY(SELECT generate_series(0, $1 - 1)::int))"
                                    " AND e.execution_id = $2",
                      &everywhere, ret, err);
}

static int find_by_range(pg_store *st, const ctn_lookup *lookup, PGresult **ret, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, st->shard_count);
    ctn_pg_bytes(&p, lookup->id_first.bytes, sizeof lookup->id_first.bytes);
    ctn_pg_bytes(&p, lookup->id_last.bytes, sizeof lookup->id_last.bytes);
    return ctn_pg_ask(st->db, "reading an execution",
                      PG_EXECUTIONS "WHERE e.shard = ANY(ARRAY(SELECT generate_series(0, $1 - 1)::int))"
                                    " AND e.execution_id BETWEEN $2 AND $3 LIMIT 2",
                      &p, ret, err);
}

/* *ret_id all zero: nobody has it. */
static int read_key(pg_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err)
{
    pg_params p = {0};
    PGresult *r = NULL;
    ctn_pg_int(&p, ctn_shard_of_key(chain_id, key, st->shard_count));
    ctn_pg_text(&p, chain_id);
    ctn_pg_text(&p, key);
    int rc = ctn_pg_ask(st->db, "reading an idempotency key",
                        "SELECT execution_id FROM execution_keys WHERE shard = $1 AND chain_id = $2 AND key = $3", &p,
                        &r, err);
    *ret_id = (ctn_execution_id){{0}};
    if (rc == CTN_OK && PQntuples(r) == 1)
        (void) pg_get_id(r, 0, 0, ret_id);
    PQclear(r);
    return rc;
}

static int find(pg_store *st, const ctn_lookup *lookup, PGresult **ret, ctn_err *err)
{
    ctn_execution_id id = lookup->id_first;
    int rc = CTN_OK;
    if (lookup->kind == CTN_LOOKUP_NO)
        return find_by_no(st, lookup->exec_no, ret, err);
    if (lookup->kind == CTN_LOOKUP_KEY)
        rc = read_key(st, lookup->chain_id, lookup->key, &id, err);
    else if (!ctn_id_equal(id, lookup->id_last))
        return find_by_range(st, lookup, ret, err);
    return rc ? rc : find_by_id(st, id, ret, err);
}

int ctn_pg_execution_find(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                          size_t *ret_matches, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    ctn_execution_row row;
    int rc = find(st, lookup, &r, err);
    int matches = rc == CTN_OK ? PQntuples(r) : 0;
    if (matches > 0) {
        const char *damage = ctn_pg_read_row(r, 0, &row);
        if (!damage)
            damage = ctn_pg_read_ends(r, 0, &row);
        if (damage)
            rc = ctn_pg_fail_damaged(st, row.exec_no, damage, err);
    }
    if (rc == CTN_OK && matches == 1) {
        ctn_pg_keep_row(arena, &row);
        *ret = row;
    }
    PQclear(r);
    if (rc == CTN_OK)
        *ret_matches = (size_t) matches;
    return rc;
}

int ctn_pg_shard_of_execution(ctn_store *base, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = find_by_id(st, id, &r, err);
    if (rc == CTN_OK)
        *ret_shard = PQntuples(r) ? (uint32_t) pg_shard_of_no(st, ctn_pg_get_int(r, 0, 0))
                                  : ctn_shard_of_id(id, st->shard_count);
    PQclear(r);
    return rc;
}

static int read_number(pg_store *st, const char *doing, const char *sql, int64_t *ret, ctn_err *err)
{
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, doing, sql, NULL, &r, err);
    if (rc == CTN_OK)
        *ret = ctn_pg_get_int(r, 0, 0);
    PQclear(r);
    return rc;
}

int ctn_pg_exec_no_last(ctn_store *base, int64_t *ret_exec_no, ctn_err *err)
{
    return read_number((pg_store *) base, "reading the last number",
                       "SELECT greatest(exec_no_floor, (SELECT max(exec_no) FROM chain_executions)) FROM meta",
                       ret_exec_no, err);
}

/* ---- journals ---- */

#define RECORD_COLUMNS                                                                                                 \
    "j.seq, j.at_ms, j.kind, j.step, j.item, j.attempt, j.actor, j.body, j.hash, j.position, j.sealed"

/* Borrows from the result; what is wrong with it, or NULL. */
static const char *read_record(const PGresult *r, int at, ctn_record *ret)
{
    *ret = (ctn_record){
        .seq = (uint64_t) ctn_pg_get_int(r, at, 0),
        .at_ms = ctn_pg_get_int(r, at, 1),
        .step = ctn_pg_get_str(r, at, 3),
        .item = ctn_pg_is_null(r, at, 4) ? -1 : ctn_pg_get_int(r, at, 4),
        .attempt = (uint32_t) ctn_pg_get_int(r, at, 5),
        .actor = ctn_pg_get_str(r, at, 6),
        .body = ctn_pg_get_str(r, at, 7),
        .sealed = ctn_pg_get_str(r, at, 10),
    };
    bool is_known = ctn_entry_kind_from_name(ctn_pg_get_str(r, at, 2), &ret->kind);
    bool has_hash = pg_get_digest(r, at, 8, &ret->hash);
    return !is_known ? "a journal entry of no known kind" : !has_hash ? "a journal entry without a proper hash" : NULL;
}

static int read_page(pg_store *st, int64_t exec_no, int64_t from_seq, PGresult **ret, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(&p, exec_no);
    ctn_pg_int(&p, from_seq);
    ctn_pg_int(&p, PAGE);
    return ctn_pg_ask(st->db, "reading a journal",
                      "SELECT " RECORD_COLUMNS " FROM execution_journal j"
                      " WHERE j.shard = $1 AND j.exec_no = $2 AND j.seq >= $3 ORDER BY j.seq LIMIT $4",
                      &p, ret, err);
}

int ctn_pg_journal_read(ctn_store *base, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    uint64_t expected = from_seq > 1 ? from_seq : 1;
    int rc = CTN_OK, rows = PAGE;
    while (rc == CTN_OK && rows == PAGE && expected < INT64_MAX) {
        PGresult *r = NULL;
        rc = read_page(st, exec_no, (int64_t) expected, &r, err);
        rows = rc == CTN_OK ? PQntuples(r) : 0;
        for (int i = 0; rc == CTN_OK && i < rows; i++) {
            ctn_record record;
            const char *damage = read_record(r, i, &record);
            if (record.seq != expected++)
                damage = "a gap in its journal";
            rc = damage ? ctn_pg_fail_damaged(st, exec_no, damage, err) : fn(ctx, &record, ctn_pg_get_int(r, i, 9));
        }
        PQclear(r);
    }
    return rc;
}

/* ---- the tail ---- */

/* Below this, nothing comes any more. */
#define HORIZON "(SELECT position_base FROM meta) + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20)"

int ctn_pg_position_last(ctn_store *base, int64_t *ret_position, ctn_err *err)
{
    return read_number((pg_store *) base, "reading the last position",
                       "SELECT greatest(position_floor, (SELECT max(position) FROM execution_journal WHERE position < "
                       "" HORIZON ")) FROM meta",
                       ret_position, err);
}

static int read_tail(pg_store *st, int64_t position, size_t limit, PGresult **ret, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, position);
    ctn_pg_int(&p, limit < PAGE ? (int64_t) limit : PAGE);
    return ctn_pg_ask(st->db, "reading the journal",
                      "SELECT " RECORD_COLUMNS
                      ", j.exec_no, e.execution_id, e.parent_id, e.chain_id, e.tenant, e.labels"
                      " FROM execution_journal j JOIN chain_executions e ON e.shard = j.shard AND e.exec_no = j.exec_no"
                      " WHERE j.position > $1 AND j.position < " HORIZON " ORDER BY j.position LIMIT $2",
                      &p, ret, err);
}

int ctn_pg_journal_after(ctn_store *base, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = CTN_OK, rows = PAGE;
    bool goes_on = true;
    while (rc == CTN_OK && goes_on && rows == PAGE && limit > 0) {
        PGresult *r = NULL;
        rc = read_tail(st, position, limit, &r, err);
        rows = rc == CTN_OK ? PQntuples(r) : 0;
        for (int i = 0; goes_on && i < rows; i++) {
            ctn_record record;
            position = ctn_pg_get_int(r, i, 9);
            ctn_tail_entry entry = {.record = &record,
                                    .position = position,
                                    .exec_no = ctn_pg_get_int(r, i, 11),
                                    .chain_id = ctn_pg_get_str(r, i, 14),
                                    .tenant = ctn_pg_get_str(r, i, 15),
                                    .labels = ctn_pg_get_str(r, i, 16)};
            (void) pg_get_id(r, i, 13, &entry.parent); /* NULL: it has none */
            bool is_damaged = read_record(r, i, &record) || !pg_get_id(r, i, 12, &entry.id);
            goes_on = is_damaged || fn(ctx, &entry) == 0;
        }
        limit -= (size_t) rows;
        PQclear(r);
    }
    return rc;
}
