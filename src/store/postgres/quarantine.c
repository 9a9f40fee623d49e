/*
 * quarantine.c -- executions that do not read back, kept apart; and giving one up.
 *
 * Giving an execution up believes nothing of it but its row: the line it stands in and the parent that waits for it,
 * as far as they read. What must hold: the end, the line that moves on and the parent that wakes are one transaction;
 * and a node gives up only what is in a shard of its own, which is looked at inside of it, with the node's row shared
 * like for a commit (fleet.h). Line and parent are in the same shard.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/schema.h"
#include "store/postgres/schema_fleet.h"
#include <inttypes.h>

static int put_one(pg_store *st, const ctn_quarantine_row *row, ctn_err *err)
{
    ctn_id_text id = ctn_id_to_text(row->id);
    pg_params p = {0};
    ctn_pg_int(&p, pg_shard_of_no(st, row->exec_no));
    ctn_pg_int(&p, row->exec_no);
    ctn_pg_text_or_null(&p, ctn_id_is_none(row->id) ? CTN_STR("") : ctn_str_from(id.text));
    ctn_pg_text_or_null(&p, row->chain_id);
    ctn_pg_text(&p, row->reason);
    ctn_pg_int(&p, row->found_at_ms);
    return ctn_pg_ask(st->db, "putting an execution into quarantine",
                      "INSERT INTO quarantine(shard, exec_no, execution_id, chain_id, reason, found_at_ms)"
                      " VALUES($1,$2,$3,$4,$5,$6) ON CONFLICT (shard, exec_no) DO UPDATE SET reason = excluded.reason,"
                      " found_at_ms = excluded.found_at_ms, given_up_at_ms = NULL"
                      " WHERE quarantine.given_up_at_ms IS NOT NULL",
                      &p, NULL, err);
}

int ctn_pg_quarantine_put(ctn_store *base, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = put_one(st, &rows[i], err);
    return pg_end(st, rc, err);
}

static void put_no(pg_params *p, const pg_store *st, int64_t exec_no)
{
    ctn_pg_int(p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(p, exec_no);
}

int ctn_pg_quarantine_remove(ctn_store *base, int64_t exec_no, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    put_no(&p, st, exec_no);
    return ctn_pg_ask(st->db, "releasing an execution", "DELETE FROM quarantine WHERE shard = $1 AND exec_no = $2", &p,
                      NULL, err);
}

/* Borrows from the result. */
static ctn_quarantine_row read_one(const PGresult *r, int at)
{
    ctn_quarantine_row row = {
        .exec_no = ctn_pg_get_int(r, at, 0),
        .chain_id = ctn_pg_get_str(r, at, 2),
        .reason = ctn_pg_get_str(r, at, 3),
        .found_at_ms = ctn_pg_get_int(r, at, 4),
        .given_up_at_ms = ctn_pg_get_int(r, at, 5),
    };
    ctn_str id = ctn_pg_get_str(r, at, 1);
    if (id.len && ctn_id_parse(id, &row.id, NULL))
        row.id = (ctn_execution_id){0};
    return row;
}

#define COLUMNS "SELECT exec_no, execution_id, chain_id, reason, found_at_ms, given_up_at_ms FROM quarantine "

int ctn_pg_quarantine_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    put_no(&p, st, exec_no);
    int rc =
        ctn_pg_ask(st->db, "looking into the quarantine", COLUMNS "WHERE shard = $1 AND exec_no = $2", &p, &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK) {
        *ret = read_one(r, 0);
        ret->chain_id = ctn_arena_str(arena, ret->chain_id);
        ret->reason = ctn_arena_str(arena, ret->reason);
    }
    PQclear(r);
    return rc;
}

int ctn_pg_quarantine_list(ctn_store *base, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading the quarantine", COLUMNS "ORDER BY exec_no", NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_quarantine_row row = read_one(r, i);
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

/* ---- giving one up ---- */

/* Does this handle hold its shard? Until the transaction ends. */
static int hold_shard(pg_store *st, int64_t exec_no, ctn_err *err)
{
    PGresult *lock = NULL, *shard = NULL;
    pg_params node = {0}, both = {0};
    ctn_pg_int(&node, st->incarnation);
    ctn_pg_int(&both, pg_shard_of_no(st, exec_no));
    ctn_pg_int(&both, st->incarnation);
    int rc = ctn_pg_ask(st->db, "holding on to a node's shards", PG_NODE_LOCK, &node, &lock, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(st->db, "looking who holds a shard", "SELECT 1 FROM shards WHERE shard = $1 AND holder = $2",
                        &both, &shard, err);
    if (rc == CTN_OK && (PQntuples(lock) == 0 || PQntuples(shard) == 0))
        rc = ctn_fail(err, CTN_E_STALE, "execution %" PRId64 " is in a shard that another node holds", exec_no);
    PQclear(lock);
    PQclear(shard);
    return rc;
}

static int end_row(pg_store *st, const ctn_give_up *what, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    put_no(&p, st, what->exec_no);
    ctn_pg_int(&p, what->at_ms);
    ctn_pg_text_or_null(&p, what->error);
    int rc =
        ctn_pg_ask(st->db, "giving an execution up",
                   "UPDATE chain_executions SET status = 'failed', phase = 3, wake_at_ms = NULL, finished_at_ms = $3,"
                   " error = $4 WHERE shard = $1 AND exec_no = $2 AND " PG_IS_UNFINISHED(""),
                   &p, &r, err);
    if (rc == CTN_OK && ctn_pg_changed(r) == 0)
        rc = CTN_E_NOT_FOUND;
    PQclear(r);
    return rc;
}

int ctn_pg_give_up(ctn_store *base, const ctn_give_up *what, ctn_err *err)
{
    static const struct {
        const char *doing, *sql;
        bool has_time;
    } THEN[] = {
        {.doing = "moving on the line of one given up",
         .sql = "UPDATE chain_executions SET queue_held = false WHERE shard = $1 AND exec_no = (SELECT min(o.exec_no)"
                " FROM chain_executions o WHERE o.shard = $1 AND o.queue_key = (SELECT queue_key"
                " FROM chain_executions WHERE shard = $1 AND exec_no = $2) AND " PG_IS_UNFINISHED(
                    "o.") ") AND queue_held"},
        {.doing = "waking the parent of one given up",
         .sql = "UPDATE chain_executions SET wake_at_ms = 1 WHERE shard = $1 AND execution_id = (SELECT parent_id"
                " FROM chain_executions WHERE shard = $1 AND exec_no = $2) AND " PG_IS_UNFINISHED("")},
        {.doing = "noting that one was given up",
         .sql = "UPDATE quarantine SET given_up_at_ms = $3 WHERE shard = $1 AND exec_no = $2",
         .has_time = true},
    };
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    rc = hold_shard(st, what->exec_no, err);
    if (rc == CTN_OK)
        rc = end_row(st, what, err);
    for (size_t i = 0; rc == CTN_OK && i < sizeof THEN / sizeof *THEN; i++) {
        pg_params p = {0};
        put_no(&p, st, what->exec_no);
        if (THEN[i].has_time)
            ctn_pg_int(&p, what->at_ms);
        rc = ctn_pg_ask(st->db, THEN[i].doing, THEN[i].sql, &p, NULL, err);
    }
    return pg_end(st, rc, err);
}
