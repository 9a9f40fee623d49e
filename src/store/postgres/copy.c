/*
 * copy.c -- a store that is copied to, or read for it (store/copy.h).
 *
 * The whole copy is one transaction, held open from begin to end (ctn_pg_hold): what the other files write is in it,
 * and whoever dies leaves nothing. No node can join meanwhile: the table of nodes is locked against that.
 *
 * Rows go in by unnest, a statement a table for each piece. Positions are kept, so the base of those to come is raised
 * above them (batch.c).
 */
#include "base/memory.h"
#include "store/postgres/arrays.h"
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include "store/postgres/schema.h"

enum { PAGE = 200, COLUMNS_MAX = 24, PATIENCE_MS = 3600000 };

static const char COPYING[] = "copying into the store";

/* ---- of the source: what nobody else lists ---- */

static int list_definitions(ctn_store *base, ctn_definition_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    ctn_definition d = {0};
    bool goes_on = true;
    for (bool is_first = true; goes_on; is_first = false) {
        PGresult *r = NULL;
        pg_params p = {0};
        ctn_pg_bytes(&p, d.digest.bytes, is_first ? 0 : sizeof d.digest.bytes);
        ctn_pg_int(&p, PAGE);
        int rc = ctn_pg_ask(
            st->db, "reading definitions",
            "SELECT digest, kind, name, body FROM definitions WHERE digest > $1 ORDER BY digest LIMIT $2", &p, &r, err);
        if (rc)
            return rc;
        goes_on = PQntuples(r) == PAGE;
        for (int i = 0; i < PQntuples(r); i++) {
            d = (ctn_definition){
                .kind = ctn_pg_get_str(r, i, 1), .name = ctn_pg_get_str(r, i, 2), .body = ctn_pg_get_str(r, i, 3)};
            (void) pg_get_digest(r, i, 0, &d.digest);
            if (fn(ctx, &d)) {
                goes_on = false;
                break;
            }
        }
        PQclear(r);
    }
    return CTN_OK;
}

static int list_results(ctn_store *base, ctn_result_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    ctn_arena *arena = ctn_arena_new(4096);
    int64_t shard = -1;
    ctn_str key = {0};
    bool goes_on = true;
    int rc = CTN_OK;
    while (rc == CTN_OK && goes_on) {
        PGresult *r = NULL;
        pg_params p = {0};
        ctn_pg_int(&p, shard);
        ctn_pg_text(&p, key);
        ctn_pg_int(&p, PAGE);
        rc = ctn_pg_ask(st->db, "reading results",
                        "SELECT shard, key, value, put_at_ms, expires_at_ms FROM result_cache"
                        " WHERE (shard, key) > ($1, $2) ORDER BY shard, key LIMIT $3",
                        &p, &r, err);
        goes_on = rc == CTN_OK && PQntuples(r) == PAGE;
        for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
            ctn_result_row row = {.key = ctn_pg_get_str(r, i, 1),
                                  .value = ctn_pg_get_str(r, i, 2),
                                  .put_at_ms = ctn_pg_get_int(r, i, 3),
                                  .expires_at_ms = ctn_pg_get_int(r, i, 4)};
            shard = ctn_pg_get_int(r, i, 0);
            if (fn(ctx, &row)) {
                goes_on = false;
                break;
            }
            if (i == PAGE - 1) {
                ctn_arena_reset(arena);
                key = ctn_arena_str(arena, row.key);
            }
        }
        PQclear(r);
    }
    ctn_arena_free(arena);
    return rc;
}

/* ---- begin and end ---- */

static int check_empty(const pg_store *st, ctn_err *err)
{
    static const char LOOK[] =
        "SELECT EXISTS (SELECT 1 FROM chain_executions) OR EXISTS (SELECT 1 FROM definitions)"
        " OR EXISTS (SELECT 1 FROM principals) OR EXISTS (SELECT 1 FROM grants) OR EXISTS (SELECT 1 FROM api_keys)"
        " OR EXISTS (SELECT 1 FROM schedules) OR EXISTS (SELECT 1 FROM webhooks) OR EXISTS (SELECT 1 FROM tool_pins)"
        " OR EXISTS (SELECT 1 FROM data_keys) OR EXISTS (SELECT 1 FROM execution_keys)"
        " OR EXISTS (SELECT 1 FROM audit_log WHERE action NOT IN ('store.init', 'store.migrate')),"
        " (SELECT min(name) FROM nodes WHERE is_live AND incarnation > 0)";
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, COPYING, LOOK, NULL, &r, err);
    if (rc == CTN_OK && !ctn_pg_is_null(r, 0, 1))
        rc = ctn_fail(err, CTN_E_BUSY, "node %.*s lives on %s; stop it first", CTN_STR_ARG(ctn_pg_get_str(r, 0, 1)),
                      ctn_pg_where(st->db));
    else if (rc == CTN_OK && ctn_pg_get_bool(r, 0, 0))
        rc = ctn_fail(err, CTN_E_EXISTS, "the store in %s is not empty; a store is copied into a new one",
                      ctn_pg_where(st->db));
    PQclear(r);
    return rc;
}

static int begin(ctn_store *base, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    ctn_pg_patience(st->db, PATIENCE_MS);
    rc = ctn_pg_script(st->db, COPYING,
                       "SET LOCAL idle_in_transaction_session_timeout = '1h';"
                       "LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE",
                       err);
    if (rc == CTN_OK)
        rc = check_empty(st, err);
    if (rc == CTN_OK)
        rc = ctn_pg_script(st->db, COPYING, "DELETE FROM audit_log; DELETE FROM audit_chains", err);
    if (rc) {
        ctn_pg_rollback(st->db);
        ctn_pg_patience(st->db, 0);
        return rc;
    }
    ctn_pg_hold(st->db, true);
    return CTN_OK;
}

static int finish(const pg_store *st, int64_t position_last, ctn_err *err)
{
    pg_params p = {0}, shards = {0};
    ctn_pg_int(&p, position_last);
    int rc = ctn_pg_ask(st->db, COPYING,
                        "UPDATE meta SET position_floor = greatest(position_floor, $1),"
                        " position_base = greatest(position_base, $1 - (pg_current_xact_id()::text::bigint << 20))",
                        &p, NULL, err);
    ctn_pg_int(&shards, st->shard_count);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(st->db, COPYING,
                        "UPDATE numbers SET next = greatest(next,"
                        " 1 + coalesce((SELECT max(exec_no) FROM chain_executions), 0) / $1)",
                        &shards, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_pg_script(st->db, COPYING, "UPDATE shards SET was_crash = true", err);
    return rc;
}

/* How many audit entries there ever were is what the ends of its chains say. */
static int end(ctn_store *base, bool keeps, int64_t position_last, int64_t audit_count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    (void) audit_count;
    int rc = keeps ? finish(st, position_last, err) : CTN_OK;
    ctn_pg_hold(st->db, false);
    if (keeps && rc == CTN_OK)
        rc = ctn_pg_commit(st->db, err);
    else
        ctn_pg_rollback(st->db);
    ctn_pg_patience(st->db, 0);
    return rc;
}

/* ---- executions ---- */

typedef struct columns {
    pg_array arrays[COLUMNS_MAX];
    size_t count;
} columns;

/* A letter a column: s int4, i int8, t text, b bytea. */
static void columns_begin(columns *c, const char *types)
{
    c->count = strlen(types);
    for (size_t i = 0; i < c->count; i++)
        ctn_pg_array_begin(&c->arrays[i], types[i] == 's'   ? PG_INT4
                                          : types[i] == 'i' ? PG_INT8
                                          : types[i] == 't' ? PG_TEXT
                                                            : PG_BYTEA);
}

static int columns_ask(pg_store *st, columns *c, const char *sql, ctn_err *err)
{
    pg_params p = {0};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < c->count; i++) {
        ctn_str encoded = ctn_pg_array_encode(&c->arrays[i]);
        if (!encoded.ptr)
            rc = ctn_fail(err, CTN_E_LIMIT, "%s: a piece is larger than PostgreSQL takes", COPYING);
        else
            ctn_pg_array(&p, ctn_pg_array_type(&c->arrays[i]), encoded);
    }
    return rc ? rc : ctn_pg_ask(st->db, COPYING, sql, &p, NULL, err);
}

static void columns_done(columns *c)
{
    for (size_t i = 0; i < c->count; i++)
        ctn_pg_array_done(&c->arrays[i]);
}

static const char ROWS[] =
    "INSERT INTO chain_executions(shard, exec_no, execution_id, chain_id, chain_version, status, phase, priority,"
    " queue_key, queue_held, idempotency_key, tenant, parent_id, wake_at_ms, labels, input, outputs, error,"
    " created_at_ms, started_at_ms, finished_at_ms)"
    " SELECT shard, exec_no, id, chain_id, chain_version, status, phase, priority, queue_key, held <> 0, key, tenant,"
    " parent, wake, labels, input, outputs, error, created, started, finished"
    " FROM unnest($1::int4[],$2::int8[],$3::bytea[],$4::text[],$5::int8[],$6::text[],$7::int4[],$8::int4[],"
    "$9::text[],$10::text[],$11::text[],$12::bytea[],$13::int8[],$14::text[],$15::text[],$16::text[],$17::text[],"
    "$18::int8[],$19::int8[],$20::int8[],$21::int4[]) r(shard, exec_no, id, chain_id, chain_version, status, phase,"
    " priority, queue_key, key, tenant, parent, wake, labels, input, outputs, error, created, started, finished, held)";

static void add_row(columns *c, const pg_store *st, const ctn_copied_execution *copied)
{
    const ctn_execution_row *r = copied->row;
    pg_array *a = ctn_pg_put_row(c->arrays, pg_shard_of_no(st, copied->exec_no), copied->exec_no, r,
                                 ctn_store_outputs_are_in(copied->records, copied->count, r->outputs));
    ctn_pg_array_int(a, r->is_held);
}

static const char ENTRIES[] =
    "INSERT INTO execution_journal(shard, exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed,"
    " position) SELECT * FROM unnest($1::int4[],$2::int8[],$3::int8[],$4::int8[],$5::text[],$6::text[],$7::int8[],"
    "$8::int8[],$9::text[],$10::text[],$11::bytea[],$12::text[],$13::int8[])";

static void add_entry(columns *c, const pg_store *st, int64_t exec_no, const ctn_record *r, int64_t position)
{
    ctn_pg_array_int(ctn_pg_put_entry(c->arrays, pg_shard_of_no(st, exec_no), exec_no, r), position);
}

static const char KEYS[] = "INSERT INTO execution_keys(shard, chain_id, key, execution_id)"
                           " SELECT * FROM unnest($1::int4[],$2::text[],$3::text[],$4::bytea[])";

static void add_key(columns *c, const pg_store *st, const ctn_execution_row *r)
{
    ctn_pg_array_int(&c->arrays[0], ctn_shard_of_key(r->chain_id, r->idempotency_key, st->shard_count));
    ctn_pg_array_str(&c->arrays[1], r->chain_id);
    ctn_pg_array_str(&c->arrays[2], r->idempotency_key);
    ctn_pg_array_bytes(&c->arrays[3], r->id.bytes, sizeof r->id.bytes);
}

static int put_executions(pg_store *st, const ctn_copied *some, ctn_err *err)
{
    columns *c = ctn_calloc(3, sizeof *c), *rows = c, *entries = c + 1, *keys = c + 2;
    columns_begin(rows, PG_ROW_TYPES "s");
    columns_begin(entries, PG_ENTRY_TYPES "i");
    columns_begin(keys, "sttb");
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < some->execution_count; i++) {
        const ctn_copied_execution *copied = &some->executions[i];
        if (copied->row)
            add_row(rows, st, copied);
        if (copied->row && copied->row->idempotency_key.len)
            add_key(keys, st, copied->row);
        for (size_t k = 0; k < copied->count; k++)
            add_entry(entries, st, copied->exec_no, &copied->records[k], copied->positions[k]);
        if (copied->key)
            rc = ctn_pg_data_key_append(st, copied->exec_no, copied->key, err);
    }
    if (rc == CTN_OK)
        rc = columns_ask(st, rows, ROWS, err);
    if (rc == CTN_OK)
        rc = columns_ask(st, keys, KEYS, err);
    if (rc == CTN_OK)
        rc = columns_ask(st, entries, ENTRIES, err);
    for (size_t i = 0; i < 3; i++)
        columns_done(&c[i]);
    ctn_free(c);
    return rc;
}

/* ---- the rest ---- */

static int put_audit(const pg_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_text(&p, entry->node);
    ctn_pg_int(&p, entry->n);
    ctn_pg_int(&p, entry->at_ms);
    ctn_pg_text(&p, entry->actor);
    ctn_pg_text(&p, entry->action);
    ctn_pg_text(&p, entry->subject);
    ctn_pg_text(&p, entry->detail);
    pg_put_digest(&p, &entry->hash);
    return ctn_pg_ask(st->db, COPYING,
                      "WITH entry AS (INSERT INTO audit_log(node, n, at_ms, actor, action, subject, detail, hash)"
                      " VALUES($1,$2,$3,$4,$5,$6,$7,$8)) INSERT INTO audit_chains(node, n, hash) VALUES($1,$2,$8)"
                      " ON CONFLICT (node) DO UPDATE SET n = excluded.n, hash = excluded.hash",
                      &p, NULL, err);
}

static int put_quarantined(const pg_store *st, const ctn_quarantine_row *row, ctn_err *err)
{
    pg_params p = {0};
    ctn_id_text id = ctn_id_to_text(row->id);
    ctn_pg_int(&p, pg_shard_of_no(st, row->exec_no));
    ctn_pg_int(&p, row->exec_no);
    ctn_pg_text_or_null(&p, ctn_id_is_none(row->id) ? (ctn_str){0} : ctn_str_from(id.text));
    ctn_pg_text_or_null(&p, row->chain_id);
    ctn_pg_text(&p, row->reason);
    ctn_pg_int(&p, row->found_at_ms);
    ctn_pg_int_or_null(&p, row->given_up_at_ms);
    return ctn_pg_ask(st->db, COPYING,
                      "INSERT INTO quarantine(shard, exec_no, execution_id, chain_id, reason, found_at_ms,"
                      " given_up_at_ms) VALUES($1,$2,$3,$4,$5,$6,$7)",
                      &p, NULL, err);
}

static int put(ctn_store *base, const ctn_copied *some, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = some->execution_count ? put_executions(st, some, err) : CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < some->audit_count; i++)
        rc = put_audit(st, &some->audits[i], err);
    for (size_t i = 0; rc == CTN_OK && i < some->result_count; i++)
        rc = ctn_pg_result_put(st, &some->results[i], err);
    if (rc == CTN_OK)
        rc = ctn_pg_usage_put(st, some->usage, some->usage_count, err);
    for (size_t i = 0; rc == CTN_OK && i < some->quarantined_count; i++)
        rc = put_quarantined(st, &some->quarantined[i], err);
    return rc;
}

const ctn_copy_ops ctn_pg_copy_ops = {
    .definition_list = list_definitions,
    .result_list = list_results,
    .begin = begin,
    .put = put,
    .end = end,
};
