/*
 * raw.c -- what is left of a damaged execution.
 *
 * A page that does not read fails the statement that meets it; the records before it were told by then, page by page.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"

enum { PAGE = 200 };

typedef struct raw_reading {
    ctn_raw_record_fn *fn;
    void *ctx;
    uint64_t expected; /* seq */
    int stopped;       /* what fn returned */
} raw_reading;

static void tell_row(raw_reading *o, const PGresult *r, int row)
{
    ctn_raw_record raw = {
        .position = ctn_pg_get_int(r, row, 0),
        .kind_name = ctn_pg_get_str(r, row, 3),
        .record = {.seq = (uint64_t) ctn_pg_get_int(r, row, 1),
                   .at_ms = ctn_pg_get_int(r, row, 2),
                   .step = ctn_pg_get_str(r, row, 4),
                   .item = ctn_pg_is_null(r, row, 5) ? -1 : ctn_pg_get_int(r, row, 5),
                   .attempt = (uint32_t) ctn_pg_get_int(r, row, 6),
                   .actor = ctn_pg_get_str(r, row, 7),
                   .body = ctn_pg_get_str(r, row, 8),
                   .sealed = ctn_pg_get_str(r, row, 10)},
    };
    if (raw.record.seq != o->expected)
        raw.damage = raw.record.seq > o->expected ? "a gap before it" : "out of order";
    if (!pg_get_digest(r, row, 9, &raw.record.hash))
        raw.damage = "no proper hash";
    if (!ctn_entry_kind_from_name(raw.kind_name, &raw.record.kind)) {
        raw.record.kind = CTN_ENTRY_KIND_COUNT;
        raw.damage = "no known kind";
    }
    o->expected = raw.record.seq + 1;
    o->stopped = o->fn(o->ctx, &raw);
}

int ctn_pg_journal_read_raw(ctn_store *base, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    raw_reading o = {.fn = fn, .ctx = ctx, .expected = 1};
    int64_t after = INT64_MIN;
    for (int count = PAGE; count == PAGE && !o.stopped;) {
        PGresult *r = NULL;
        pg_params p = {0};
        ctn_pg_int(&p, pg_shard_of_no(st, exec_no));
        ctn_pg_int(&p, exec_no);
        ctn_pg_int(&p, after);
        ctn_pg_int(&p, PAGE);
        int rc = ctn_pg_ask(st->db, "reading what is left of a journal",
                            "SELECT position, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed"
                            " FROM execution_journal WHERE shard = $1 AND exec_no = $2 AND seq > $3"
                            " ORDER BY seq LIMIT $4",
                            &p, &r, err);
        if (rc)
            return rc;
        count = PQntuples(r);
        for (int i = 0; i < count && !o.stopped; i++) {
            after = ctn_pg_get_int(r, i, 1);
            tell_row(&o, r, i);
        }
        PQclear(r);
    }
    return o.stopped;
}

/* ---- the row ---- */

/* As far as it reads, without its journal. */
static void read_row(pg_store *st, ctn_arena *arena, int64_t exec_no, ctn_execution_row *row)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(&p, exec_no);
    row->status = CTN_STATUS_INTERRUPTED; /* somebody has to look */
    int rc = ctn_pg_ask(st->db, "reading what is left of an execution",
                        "SELECT " PG_ROW_COLUMNS " FROM chain_executions e WHERE e.shard = $1 AND e.exec_no = $2", &p,
                        &r, NULL);
    if (rc == CTN_OK && PQntuples(r) > 0) {
        (void) ctn_pg_read_row(r, 0, row);
        ctn_pg_keep_row(arena, row);
    }
    PQclear(r);
}

int ctn_pg_execution_read_raw(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    ctn_execution_row row = {0};
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_bytes(&p, lookup->id_first.bytes, sizeof lookup->id_first.bytes);
    ctn_pg_bytes(&p, lookup->id_last.bytes, sizeof lookup->id_last.bytes);
    int rc = ctn_pg_ask(st->db, "looking for what is left of an execution",
                        "SELECT exec_no, execution_id FROM chain_executions WHERE execution_id BETWEEN $1 AND $2"
                        " LIMIT 2",
                        &p, &r, err);
    size_t matches = rc == CTN_OK ? (size_t) PQntuples(r) : 0;
    if (matches) {
        row.exec_no = ctn_pg_get_int(r, 0, 0);
        (void) pg_get_id(r, 0, 1, &row.id);
    }
    PQclear(r);
    *ret_matches = matches;
    if (rc || matches != 1)
        return rc;

    ctn_execution_row found;
    ctn_err why = {0};
    ctn_lookup by_no = {.kind = CTN_LOOKUP_NO, .exec_no = row.exec_no};
    rc = base->ops->execution_find(base, arena, &by_no, &found, &matches, &why);
    if (rc == CTN_OK && matches == 1) {
        *ret = found;
        return CTN_OK;
    }
    if (rc && rc != CTN_E_CORRUPT) {
        if (err)
            *err = why;
        return rc;
    }
    read_row(st, arena, row.exec_no, &row);
    row.damage = ctn_arena_str(arena, why.message[0] ? ctn_str_from(why.message) : CTN_STR("its row does not read"));
    *ret = row;
    return CTN_OK;
}
