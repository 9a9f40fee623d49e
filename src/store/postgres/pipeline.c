/*
 * pipeline.c -- many statements, one round trip.
 *
 * All are sent before the first answer is read; the server runs them in order and skips what follows one that failed,
 * the commit too. So the commit is asked for before anybody knows whether it will count, and what breaks the connection
 * from then on leaves it unknown, unless a statement before it is known to have failed. Without a pooler what stands
 * before a Sync is a transaction by itself, and needs no BEGIN and COMMIT (they took an eighth of a commit's time).
 *
 * A session that commits batches plans them by indexes, whatever is in the tables: without figures about one, the
 * planner would hash or sort all of it for each batch (measured: 218 ms a commit).
 */
#include "store/postgres/connection.h"
#include <assert.h>

static const pg_params no_params;

void ctn_pg_pipe_add(pg_pipe *pipe, const char *doing, const char *sql, const pg_params *params)
{
    assert(pipe->count < PG_PIPE_MAX);
    pipe->statements[pipe->count++] = (struct pg_piped){doing, sql, params ? params : &no_params};
}

#define PLANS(is_local)                                                                                                \
    "SELECT set_config('enable_seqscan','off'," is_local "), set_config('enable_hashjoin','off'," is_local "),"        \
    " set_config('enable_mergejoin','off'," is_local "), set_config('plan_cache_mode','force_generic_plan'," is_local  \
    ")"

static const char BEGIN[] = "BEGIN ISOLATION LEVEL READ COMMITTED", COMMIT[] = "COMMIT";

typedef struct run {
    pg *db;
    pg_params settings;
    struct pg_piped statements[PG_PIPE_MAX + 4];
    size_t which[PG_PIPE_MAX + 4], count;
} run;

/* All of them in order; each is known to the session before the pipeline begins, for one that cannot be prepared is a
 * failure of its own. */
static int plan(run *r, const pg_pipe *pipe, bool commits, ctn_err *err)
{
    int rc = CTN_OK;
    bool is_pooled = r->db->url.is_pooled, is_implicit = commits && !is_pooled;
    if (!is_implicit)
        r->statements[r->count++] = (struct pg_piped){"beginning a transaction", BEGIN, &no_params};
    if (is_pooled) {
        const char *sql = ctn_pg_settings(r->db, &r->settings);
        r->statements[r->count++] = (struct pg_piped){"setting up the session", sql, &r->settings};
        r->statements[r->count++] = (struct pg_piped){"setting up the session", PLANS("true"), &no_params};
    }
    for (size_t i = 0; i < pipe->count; i++)
        r->statements[r->count++] = pipe->statements[i];
    if (commits && !is_implicit)
        r->statements[r->count++] = (struct pg_piped){"committing", COMMIT, &no_params};
    for (size_t i = 0; rc == CTN_OK && i < r->count; i++) {
        const struct pg_piped *s = &r->statements[i];
        rc = ctn_pg_prepare(r->db, s->doing, s->sql, s->params, &r->which[i], err);
    }
    return rc;
}

static bool send_all(const run *r)
{
    if (!PQenterPipelineMode(r->db->conn))
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (!ctn_pg_send(r->db, r->which[i], r->statements[i].sql, r->statements[i].params))
            return false;
    return PQpipelineSync(r->db->conn) == 1;
}

static bool is_state(const PGresult *result, const char *state)
{
    const char *its = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return its && strcmp(its, state) == 0;
}

/* Up to the end of the pipeline. The first failure tells; *ret_failed is which (count: none). */
static int collect(const run *r, size_t *ret_failed, bool *ret_is_refused, ctn_err *err)
{
    int rc = CTN_OK;
    size_t at = 0;
    *ret_failed = r->count;
    for (bool is_over = false; !is_over;) {
        PGresult *result = NULL;
        if (!ctn_pg_next(r->db, &result))
            return rc ? rc : CTN_E_IO;
        if (!result) {
            at++;
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        is_over = status == PGRES_PIPELINE_SYNC;
        if (!is_over && status != PGRES_PIPELINE_ABORTED && rc == CTN_OK && !ctn_pg_is_good(result)) {
            *ret_is_refused = is_state(result, "22012") || is_state(result, "23505");
            *ret_failed = at;
            rc = ctn_pg_fail(r->db, result, at < r->count ? r->statements[at].doing : "committing", err);
            is_over = r->db->conn == NULL;
        }
        PQclear(result);
    }
    return rc;
}

static int fail_unknown(const pg *db, ctn_err *err)
{
    return ctn_fail(err, CTN_E_IO, "committing: the connection to %s was lost; whether it is written is not known",
                    db->where);
}

int ctn_pg_pipe_run(pg *db, const pg_pipe *pipe, bool commits, bool *ret_is_refused, ctn_err *err)
{
    run r = {.db = db};
    size_t failed;
    *ret_is_refused = false;
    assert(!db->in_transaction);
    int rc = ctn_pg_ready(db, err);
    if (rc == CTN_OK && !db->url.is_pooled && db->planned_in != db->generation) {
        rc = ctn_pg_ask(db, "setting up the session", PLANS("false"), NULL, NULL, err);
        db->planned_in = db->generation;
    }
    if (rc == CTN_OK && pipe->generation && pipe->generation != db->generation)
        rc = ctn_pg_fail_lost(db, "writing", err);
    if (rc == CTN_OK)
        rc = plan(&r, pipe, commits, err);
    if (rc)
        return rc;
    db->has_warned = false;
    if (!send_all(&r)) {
        ctn_pg_broken(db);
        return commits ? fail_unknown(db, err) : ctn_pg_fail_lost(db, "writing", err);
    }
    db->in_transaction = true;
    rc = collect(&r, &failed, ret_is_refused, err);
    if (db->conn && !PQexitPipelineMode(db->conn))
        ctn_pg_broken(db);
    bool is_lost = db->conn == NULL;
    if (rc == CTN_OK && !commits)
        return is_lost ? ctn_pg_fail_lost(db, "writing", err) : CTN_OK;
    bool is_committed = commits && rc == CTN_OK;
    if (is_committed)
        db->in_transaction = db->is_lost = false;
    else
        ctn_pg_rollback(db);
    if (*ret_is_refused)
        return CTN_E_STATE;
    if (is_lost && failed == r.count)
        return commits ? fail_unknown(db, err) : ctn_pg_fail_lost(db, "writing", err);
    if (is_committed && (db->has_warned || is_lost))
        return fail_unknown(db, err);
    return rc;
}
