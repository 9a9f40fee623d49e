/*
 * pg.c -- one connection: made, asked, lost, made again.
 *
 *              ask                 breaks, or is late                     the next ask
 *     open -----------> answer  -----------------------> closed, BUSY  ----------------> open
 *                                  in a transaction: every ask is BUSY until its end is said (rollback, commit)
 *                                  a COMMIT was sent: CTN_E_IO, for nobody knows
 *
 * What must hold: a statement of a transaction never runs on another connection than the ones before it; so a lost
 * connection is not mended before the transaction was given up. And a COMMIT counts only when the server says so
 * without a warning: one that stops waiting for its standby says success, and warns.
 */
#include "store/postgres/connection.h"
#include "base/memory.h"
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* Of every session; behind a pooler, of every transaction (then `true` in set_config). */
#define SETTINGS(is_local)                                                                                             \
    "SELECT set_config(s.name, w.value, " is_local ") FROM pg_settings s JOIN (VALUES"                                 \
    "('jit','off'),('lock_timeout','3000'),('idle_in_transaction_session_timeout','1000'),"                            \
    "('client_connection_check_interval','2000'),('default_transaction_isolation','read committed'),"                  \
    "('bytea_output','hex'),('search_path',$1),('default_transaction_read_only',$2),"                                  \
    "('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'"      \
    " ELSE 'on' END)) w(name, value) ON s.name = w.name"

static void note_warning(void *ctx, const PGresult *notice)
{
    pg *db = ctx;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    db->has_warned = db->has_warned || (severity && strcmp(severity, "WARNING") == 0);
}

/* ---- asking ---- */

bool ctn_pg_next(pg *db, PGresult **ret_result)
{
    int64_t until_ms = ctn_pg_now_ms() + db->timeout_ms;
    *ret_result = NULL;
    for (;;) {
        int unsent = PQflush(db->conn);
        if (unsent < 0)
            break;
        if (!PQisBusy(db->conn)) {
            *ret_result = PQgetResult(db->conn);
            if (PQstatus(db->conn) == CONNECTION_OK)
                return true;
            break;
        }
        if (!ctn_pg_wait(db->conn, (short) (POLLIN | (unsent ? POLLOUT : 0)), until_ms) || !PQconsumeInput(db->conn))
            break;
    }
    PQclear(*ret_result);
    *ret_result = NULL;
    ctn_pg_broken(db);
    return false;
}

int ctn_pg_fail_lost(const pg *db, const char *doing, ctn_err *err)
{
    return ctn_fail(err, CTN_E_BUSY, "%s: the connection to %s was lost, or nothing came in time; it is tried again",
                    doing, db->where);
}

bool ctn_pg_is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

int ctn_pg_fail(pg *db, const PGresult *result, const char *doing, ctn_err *err)
{
    if (!result)
        return ctn_pg_fail_lost(db, doing, err);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int rc = ctn_pg_refused_statement(result, db->where, doing, err);
    if (state && strcmp(state, "25006") == 0 && !db->is_reader)
        ctn_pg_broken(db); /* what was the primary is none any more: the next connection finds it */
    return rc;
}

/* The answers to one statement that was sent, up to the NULL that ends them; the last one counts. */
static int collect(pg *db, const char *doing, PGresult **ret_result, ctn_err *err)
{
    PGresult *last = NULL, *next = NULL;
    for (;;) {
        if (!ctn_pg_next(db, &next)) {
            PQclear(last);
            return ctn_pg_fail_lost(db, doing, err);
        }
        if (!next)
            break;
        if (last && !ctn_pg_is_good(last))
            PQclear(next); /* the first that failed says why */
        else {
            PQclear(last);
            last = next;
        }
    }
    int rc = last && ctn_pg_is_good(last) ? CTN_OK : ctn_pg_fail(db, last, doing, err);
    if (rc == CTN_OK && ret_result)
        *ret_result = last;
    else
        PQclear(last);
    return rc;
}

static const pg_params NONE;

bool ctn_pg_send(pg *db, size_t which, const char *sql, const pg_params *p)
{
    char name[16];
    snprintf(name, sizeof name, "c%zu", which);
    int sent = which == PG_PREPARED_MAX
                   ? PQsendQueryParams(db->conn, sql, p->count, p->types, p->values, p->lengths, p->formats, 1)
                   : PQsendQueryPrepared(db->conn, name, p->count, p->values, p->lengths, p->formats, 1);
    return sent == 1;
}

/* Which "cN" it is; PG_PREPARED_MAX: it is not to be prepared. */
int ctn_pg_prepare(pg *db, const char *doing, const char *sql, const pg_params *p, size_t *ret_which, ctn_err *err)
{
    size_t which = db->url.is_pooled ? PG_PREPARED_MAX : 0;
    while (which < db->prepared_count && strcmp(db->prepared[which], sql) != 0)
        which++;
    *ret_which = which;
    if (which < db->prepared_count || which == PG_PREPARED_MAX)
        return CTN_OK;
    char name[16];
    snprintf(name, sizeof name, "c%zu", which);
    if (!PQsendPrepare(db->conn, name, sql, p->count, p->types)) {
        ctn_pg_broken(db);
        return ctn_pg_fail_lost(db, doing, err);
    }
    int rc = collect(db, doing, NULL, err);
    if (rc == CTN_OK)
        db->prepared[db->prepared_count++] = ctn_cstring(ctn_str_from(sql));
    return rc;
}

static int ask_here(pg *db, const char *doing, const char *sql, const pg_params *p, PGresult **ret_result, ctn_err *err)
{
    size_t which;
    int rc = ctn_pg_prepare(db, doing, sql, p, &which, err);
    if (rc)
        return rc;
    db->has_warned = false;
    if (!ctn_pg_send(db, which, sql, p)) {
        ctn_pg_broken(db);
        return ctn_pg_fail_lost(db, doing, err);
    }
    return collect(db, doing, ret_result, err);
}

const char *ctn_pg_settings(const pg *db, pg_params *ret_params)
{
    ctn_pg_text(ret_params, ctn_str_from(db->url.schema));
    ctn_pg_text(ret_params, db->is_reader ? CTN_STR("on") : CTN_STR("off"));
    return db->url.is_pooled ? SETTINGS("true") : SETTINGS("false");
}

static int apply_settings(pg *db, ctn_err *err)
{
    pg_params p = {0};
    const char *sql = ctn_pg_settings(db, &p);
    return ask_here(db, "setting up the session", sql, &p, NULL, err);
}

/* A server that has come up again shows what it alone has: commits that nobody was told of, for no standby had them.
 * Who decided from those would be wrong when a standby takes its place. So nothing is read over a new connection before
 * a commit of its own: that waits for a standby, which then has all before it, too. (Behind a pooler a connection is
 * nobody's own: docs/fleet.md.) */
static int wait_for_standbys(pg *db, ctn_err *err)
{
    if (db->is_reader || db->url.is_pooled)
        return CTN_OK;
    db->has_warned = false;
    int rc = ask_here(db, "waiting for a standby", "SELECT pg_logical_emit_message(true, 'catena', 'connected')", &NONE,
                      NULL, err);
    if (rc == CTN_E_BUSY || (rc == CTN_OK && db->has_warned))
        return ctn_fail(err, CTN_E_BUSY,
                        "%s gave no answer to a commit; if commits wait for a standby there (SHOW "
                        "synchronous_standby_names), is one running?",
                        db->where);
    return rc;
}

int ctn_pg_set_up(pg *db, ctn_err *err)
{
    PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
    PQsetNoticeReceiver(db->conn, note_warning, db);
    PQsetnonblocking(db->conn, 1);
    const char *host = PQhost(db->conn), *encoding = PQparameterStatus(db->conn, "server_encoding");
    snprintf(db->where, sizeof db->where, "the database \"%s\" at %s%s%s", PQdb(db->conn), host,
             host[0] == '/' ? "/.s.PGSQL." : ":", PQport(db->conn));
    if (encoding && strcmp(encoding, "UTF8") != 0)
        return ctn_fail(err, CTN_E_INVALID,
                        "%s has the encoding %s; a store needs UTF8: `createdb -E UTF8 -T template0 %s`", db->where,
                        encoding, PQdb(db->conn));
    int rc = db->url.is_pooled ? CTN_OK : apply_settings(db, err);
    if (rc == CTN_OK)
        rc = wait_for_standbys(db, err);
    db->generation += rc == CTN_OK;
    return rc;
}

int ctn_pg_ask(pg *db, const char *doing, const char *sql, const pg_params *params, PGresult **ret_result, ctn_err *err)
{
    if (db->url.is_pooled && !db->in_transaction) {
        int rc = ctn_pg_begin(db, err);
        if (rc)
            return rc;
        PGresult *result = NULL;
        rc = ask_here(db, doing, sql, params ? params : &NONE, &result, err);
        if (rc == CTN_OK)
            rc = ctn_pg_commit(db, err);
        else
            ctn_pg_rollback(db);
        if (rc == CTN_OK && ret_result)
            *ret_result = result;
        else
            PQclear(result);
        return rc;
    }
    int rc = ctn_pg_ready(db, err);
    if (rc)
        return rc;
    rc = ask_here(db, doing, sql, params ? params : &NONE, ret_result, err);
    bool may_be_written = rc && !db->conn && !db->in_transaction && strncmp(sql, "SELECT", sizeof "SELECT" - 1) != 0;
    if (may_be_written) /* it commits by itself */
        return ctn_fail(err, CTN_E_IO, "%s: %s gave no answer; whether it is written is not known", doing, db->where);
    return rc;
}

static int run_text(pg *db, const char *doing, const char *sql, ctn_err *err)
{
    db->has_warned = false;
    if (PQsendQuery(db->conn, sql) != 1) {
        ctn_pg_broken(db);
        return ctn_pg_fail_lost(db, doing, err);
    }
    return collect(db, doing, NULL, err);
}

int ctn_pg_script(pg *db, const char *doing, const char *sql, ctn_err *err)
{
    int rc = ctn_pg_ready(db, err);
    return rc ? rc : run_text(db, doing, sql, err);
}

/* ---- transactions ---- */

void ctn_pg_hold(pg *db, bool holds)
{
    assert(db->in_transaction);
    db->is_held = holds;
}

int ctn_pg_begin(pg *db, ctn_err *err)
{
    if (db->is_held)
        return CTN_OK;
    assert(!db->in_transaction);
    int rc = ctn_pg_ready(db, err);
    if (rc)
        return rc;
    db->in_transaction = true;
    rc = run_text(db, "beginning a transaction", "BEGIN ISOLATION LEVEL READ COMMITTED", err);
    if (rc == CTN_OK && db->url.is_pooled)
        rc = apply_settings(db, err);
    if (rc)
        ctn_pg_rollback(db);
    return rc;
}

int ctn_pg_commit(pg *db, ctn_err *err)
{
    assert(db->in_transaction);
    if (db->is_held)
        return CTN_OK;
    if (db->is_lost) {
        ctn_pg_rollback(db);
        return ctn_fail(err, CTN_E_BUSY, "committing: the connection to %s was lost before; nothing was written",
                        db->where);
    }
    int rc = CTN_OK;
    PGresult *result = NULL;
    db->has_warned = false;
    if (PQsendQuery(db->conn, "COMMIT") == 1)
        rc = collect(db, "committing", &result, err);
    else
        ctn_pg_broken(db);
    bool is_lost = db->conn == NULL;
    bool is_rolled_back = result && strcmp(PQcmdStatus(result), "COMMIT") != 0;
    PQclear(result);
    db->in_transaction = db->is_lost = false;
    if (is_lost || (rc == CTN_OK && db->has_warned))
        return ctn_fail(err, CTN_E_IO, "committing: %s gave no answer that counts; whether it is written is not known",
                        db->where);
    if (rc == CTN_OK && is_rolled_back)
        return ctn_fail(err, CTN_E_BUSY, "committing: %s had given up the transaction; nothing was written", db->where);
    return rc;
}

void ctn_pg_rollback(pg *db)
{
    if (db->is_held)
        return;
    if (db->in_transaction && db->conn && run_text(db, "rolling back", "ROLLBACK", NULL) && db->conn)
        ctn_pg_forget_connection(db);
    db->in_transaction = db->is_lost = false;
}

bool ctn_pg_in_transaction(const pg *db)
{
    return db->in_transaction;
}

/* ---- the handle ---- */

int ctn_pg_open(const char *url, bool is_reader, pg **ret_db, ctn_err *err)
{
    pg *db = ctn_calloc(1, sizeof *db);
    db->is_reader = is_reader;
    db->timeout_ms = PG_TIMEOUT_MS;
    int rc = ctn_pg_url_read(url, &db->url, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ready(db, err);
    if (rc)
        ctn_pg_close(db);
    else
        *ret_db = db;
    return rc;
}

void ctn_pg_close(pg *db)
{
    if (!db)
        return;
    ctn_pg_forget_connection(db);
    ctn_pg_url_done(&db->url);
    free(db->hosts);
    free(db->addresses);
    free(db->ports);
    free(db);
}

const char *ctn_pg_where(const pg *db)
{
    return db->where;
}

const char *ctn_pg_schema(const pg *db)
{
    return db->url.schema;
}

uint32_t ctn_pg_shards_wanted(const pg *db)
{
    return db->url.shards ? db->url.shards : CTN_SHARDS_MAX;
}

bool ctn_pg_is_pooled(const pg *db)
{
    return db->url.is_pooled;
}

void ctn_pg_patience(pg *db, int timeout_ms)
{
    db->timeout_ms = timeout_ms ? timeout_ms : PG_TIMEOUT_MS;
}
