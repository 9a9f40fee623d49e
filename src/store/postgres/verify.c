/*
 * verify.c -- the tables as they stand, judged row by row; and one moment, for readers.
 *
 * Nothing is believed here but the database itself: that its files are whole is its own to check (data checksums,
 * pg_amcheck). A question that fails over damaged data is told, and the next one goes on; a server that cannot be
 * reached ends the walk.
 *
 * Executions are walked by shard and number, a page of numbers at a time. What is read of an execution is of one
 * snapshot, and a snapshot is short: it lasts for CTN_VERIFY_PIECE entries. A failure within one ends it, and another
 * begins behind the execution that it was about.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/schema.h"
#include <inttypes.h>

enum { PAGE = 500 };

typedef struct verifying {
    ctn_verifying *v;
    pg_store *st;
    int64_t piece_began; /* entries at the last new snapshot */
    ctn_err *err;
} verifying;

/* What could not be read because it is damaged is told, and is no failure. */
static int tell_unreadable(verifying *o, int rc, const ctn_err *why, const char *doing)
{
    if (rc != CTN_E_CORRUPT) {
        if (o->err)
            *o->err = *why;
        return rc;
    }
    ctn_verify_tell(o->v, "unreadable", 0, "%s: %s", doing, why->message);
    return CTN_OK;
}

/* *ret_result NULL: that was told. */
static int ask(verifying *o, const char *doing, const char *sql, const pg_params *p, PGresult **ret_result)
{
    ctn_err why = {0};
    *ret_result = NULL;
    int rc = ctn_pg_ask(o->st->db, doing, sql, p, ret_result, &why);
    return rc ? tell_unreadable(o, rc, &why, doing) : CTN_OK;
}

static int each_row(verifying *o, const char *doing, const char *sql,
                    void (*judge)(verifying *o, const PGresult *r, int row))
{
    PGresult *r = NULL;
    int rc = ask(o, doing, sql, NULL, &r);
    for (int i = 0; r && i < PQntuples(r); i++)
        judge(o, r, i);
    PQclear(r);
    return rc;
}

int ctn_pg_snapshot(ctn_store *base, bool begins, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    if (!begins)
        return ctn_pg_commit(st->db, err);
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    /* Who reads may pause: it locks nothing. */
    rc = ctn_pg_script(st->db, "holding on to one moment",
                       "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                       "SET LOCAL idle_in_transaction_session_timeout = '10min'",
                       err);
    if (rc)
        ctn_pg_rollback(st->db);
    return rc;
}

/* ---- what is no execution ---- */

static void judge_meta(verifying *o, const PGresult *r, int row)
{
    ctn_str name = ctn_pg_get_str(r, row, 0);
    int64_t count = ctn_pg_get_int(r, row, 1);
    if (count != 1)
        ctn_verify_tell(o->v, "meta", 0, "the table %.*s has %" PRId64 " rows instead of one", CTN_STR_ARG(name),
                        count);
}

/* Every table, index, view, function and sequence that the migrations make, by the statements that make it. */
static int verify_made(verifying *o)
{
    static const char *const KINDS[] = {"CREATE TABLE ", "CREATE INDEX ",    "CREATE UNIQUE INDEX ",
                                        "CREATE VIEW ",  "CREATE SEQUENCE ", "CREATE FUNCTION "};
    int rc = CTN_OK;
    const char *sql;
    for (size_t n = 0; rc == CTN_OK && (sql = ctn_pg_schema_part(n)); n++)
        for (size_t k = 0; rc == CTN_OK && k < sizeof KINDS / sizeof *KINDS; k++)
            for (const char *at = strstr(sql, KINDS[k]); rc == CTN_OK && at; at = strstr(at, KINDS[k])) {
                PGresult *r = NULL;
                pg_params p = {0};
                at += strlen(KINDS[k]);
                ctn_str name = {at, strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789")};
                ctn_pg_text(&p, name);
                rc = ask(o, "the schema",
                         "SELECT to_regclass(quote_ident($1)) IS NOT NULL OR EXISTS (SELECT 1 FROM pg_proc"
                         " WHERE proname = $1 AND pronamespace = current_schema()::regnamespace)",
                         &p, &r);
                if (r && !ctn_pg_get_bool(r, 0, 0))
                    ctn_verify_tell(o->v, "schema", 0, "the %s %.*s is missing",
                                    k == 0   ? "table"
                                    : k <= 2 ? "index"
                                    : k == 3 ? "view"
                                    : k == 4 ? "sequence"
                                             : "function",
                                    CTN_STR_ARG(name));
                PQclear(r);
            }
    return rc;
}

static void judge_addition(verifying *o, const PGresult *r, int row)
{
    ctn_verify_tell(o->v, "schema", 0, "the %.*s %.*s on the table %.*s is none of catena's",
                    CTN_STR_ARG(ctn_pg_get_str(r, row, 0)), CTN_STR_ARG(ctn_pg_get_str(r, row, 1)),
                    CTN_STR_ARG(ctn_pg_get_str(r, row, 2)));
}

static void judge_definition(verifying *o, const PGresult *r, int row)
{
    ctn_digest digest = {{0}};
    if (pg_get_digest(r, row, 0, &digest))
        ctn_verify_definition(o->v, &digest, ctn_pg_get_str(r, row, 1), ctn_pg_get_str(r, row, 2),
                              ctn_pg_get_str(r, row, 3));
    else
        ctn_verify_tell(o->v, "definition", 0, "a definition has no proper digest");
}

static void judge_chain(verifying *o, const PGresult *r, int row)
{
    ctn_str id = ctn_pg_get_str(r, row, 0), kind = ctn_pg_get_str(r, row, 2), name = ctn_pg_get_str(r, row, 3);
    int64_t version = ctn_pg_get_int(r, row, 1);
    if (kind.len == 0)
        ctn_verify_tell(o->v, "chains", 0, "version %" PRId64 " of the chain %.*s names a definition that is not there",
                        version, CTN_STR_ARG(id));
    else if (!ctn_str_is(kind, "chain") || !ctn_str_equal(name, id))
        ctn_verify_tell(o->v, "chains", 0,
                        "version %" PRId64 " of the chain %.*s names the definition of the %.*s %.*s", version,
                        CTN_STR_ARG(id), CTN_STR_ARG(kind), CTN_STR_ARG(name));
    o->v->report->chains++;
}

static void judge_shard(verifying *o, const PGresult *r, int row)
{
    ctn_verify_about(o->v, ctn_pg_get_int(r, row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "shard", 0, "it stands in shard %" PRId64 ", where nobody looks for its number",
                    ctn_pg_get_int(r, row, 1));
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_phase(verifying *o, const PGresult *r, int row)
{
    ctn_verify_about(o->v, ctn_pg_get_int(r, row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "phase", 0, "its phase %" PRId64 " is not that of its status: it would not be found",
                    ctn_pg_get_int(r, row, 1));
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_orphan(verifying *o, const PGresult *r, int row)
{
    ctn_verify_about(o->v, ctn_pg_get_int(r, row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "no-execution", 0, "there is no execution to these %" PRId64 " entries of the journal",
                    ctn_pg_get_int(r, row, 1));
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_line(verifying *o, const PGresult *r, int row)
{
    bool is_held = ctn_pg_get_bool(r, row, 2), has_one_before = ctn_pg_get_bool(r, row, 3);
    ctn_execution_id id = {{0}};
    (void) pg_get_id(r, row, 1, &id);
    if (is_held == has_one_before)
        return;
    ctn_verify_about(o->v, ctn_pg_get_int(r, row, 0), id);
    ctn_verify_tell(o->v, "line", 0,
                    is_held ? "it is held back, and nobody with its queue_key is before it: it would never start"
                            : "it is not held back, and one with its queue_key is before it");
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_data_key(verifying *o, const PGresult *r, int row)
{
    ctn_verify_about(o->v, ctn_pg_get_int(r, row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "data-key", 0, "there is no execution to this data key");
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

/* clang-format off */
/* Triggers and rules act where nobody looks for them. */
static const char ADDITIONS[] =
    "SELECT 'trigger', tgname::text, relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace"
    " UNION ALL SELECT 'rule', rulename::text, relname::text FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class"
    " WHERE rulename <> '_RETURN' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2, 3";
static const char SINGLES[] =
    "SELECT 'meta', count(*) FROM meta UNION ALL SELECT 'changes', count(*) FROM changes"
    " UNION ALL SELECT 'numbers', count(*) FROM numbers";
static const char DEFINITIONS[] = "SELECT digest, kind, name, body FROM definitions ORDER BY digest";
static const char CHAINS[] =
    "SELECT c.chain_id, c.version, d.kind, d.name FROM chains c LEFT JOIN definitions d ON d.digest = c.digest"
    " ORDER BY c.chain_id, c.version";
static const char SHARDS[] =
    "SELECT exec_no, shard FROM chain_executions WHERE shard <> exec_no % (SELECT count(*) FROM shards)"
    " ORDER BY exec_no LIMIT 1000";
/* What indexes know of it, against what it says. */
static const char PHASES[] =
    "SELECT exec_no, phase FROM chain_executions WHERE phase <> CASE status WHEN 'queued' THEN 0 WHEN 'completed' THEN 2"
    " WHEN 'failed' THEN 3 WHEN 'rolled_back' THEN 3 WHEN 'rollback_failed' THEN 3 WHEN 'cancelled' THEN 3 ELSE 1 END"
    " ORDER BY exec_no LIMIT 1000";
/* But those that retention is at. */
static const char ORPHANS[] =
    "SELECT j.exec_no, count(*) FROM execution_journal j"
    " WHERE NOT EXISTS (SELECT 1 FROM chain_executions e WHERE e.shard = j.shard AND e.exec_no = j.exec_no)"
    " AND NOT EXISTS (SELECT 1 FROM pruning p WHERE p.shard = j.shard AND p.exec_no = j.exec_no)"
    " GROUP BY j.shard, j.exec_no ORDER BY j.exec_no";
/* Who has the turn is the first unfinished one with the key (store.h); one that was reopened to be undone has outputs
 * and comes back into a line that has moved on. */
static const char LINES[] =
    "SELECT e.exec_no, e.execution_id, e.queue_held, e.queue_key IS NOT NULL AND EXISTS (SELECT 1"
    " FROM chain_executions p WHERE p.shard = e.shard AND p.queue_key = e.queue_key AND " PG_IS_UNFINISHED("p.")
    " AND p.exec_no < e.exec_no AND p.outputs IS NULL) FROM chain_executions e"
    " WHERE e.status = 'queued' AND (e.queue_key IS NOT NULL OR e.queue_held) ORDER BY e.exec_no";
/* A key that opens nothing is left over; an execution without one has nothing sealed, or was shredded. */
static const char DATA_KEYS[] =
    "SELECT exec_no FROM data_keys k WHERE exec_no <> 0 AND NOT EXISTS (SELECT 1 FROM chain_executions e"
    " WHERE e.shard = k.shard AND e.exec_no = k.exec_no) ORDER BY exec_no";
/* clang-format on */

/* ---- executions ---- */

static int verify_journal(verifying *o, int64_t shard, int64_t exec_no)
{
    int64_t after = INT64_MIN;
    int rc = CTN_OK;
    for (int count = PAGE; rc == CTN_OK && count == PAGE;) {
        PGresult *r = NULL;
        ctn_err why = {0};
        pg_params p = {0};
        ctn_pg_int(&p, shard);
        ctn_pg_int(&p, exec_no);
        ctn_pg_int(&p, after);
        ctn_pg_int(&p, PAGE);
        rc = ctn_pg_ask(o->st->db, "reading a journal to verify it",
                        "SELECT position, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed"
                        " FROM execution_journal WHERE shard = $1 AND exec_no = $2 AND seq > $3 ORDER BY seq LIMIT $4",
                        &p, &r, &why);
        count = rc == CTN_OK ? PQntuples(r) : 0;
        for (int i = 0; i < count; i++) {
            ctn_proof_record record = {
                .position = ctn_pg_get_int(r, i, 0),
                .seq = ctn_pg_get_int(r, i, 1),
                .at_ms = ctn_pg_get_int(r, i, 2),
                .kind = ctn_pg_get_str(r, i, 3),
                .step = ctn_pg_get_str(r, i, 4),
                .item = ctn_pg_is_null(r, i, 5) ? -1 : ctn_pg_get_int(r, i, 5),
                .attempt = ctn_pg_get_int(r, i, 6),
                .actor = ctn_pg_get_str(r, i, 7),
                .body = ctn_pg_get_str(r, i, 8),
                .hash = ctn_pg_get_str(r, i, 9),
                .sealed = ctn_pg_get_str(r, i, 10),
            };
            after = record.seq;
            ctn_verify_record(o->v, &record);
        }
        PQclear(r);
        if (rc && o->err)
            *o->err = why;
    }
    return rc;
}

static int verify_execution(verifying *o, int64_t shard, int64_t exec_no)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, shard);
    ctn_pg_int(&p, exec_no);
    int rc = ctn_pg_ask(o->st->db, "reading an execution to verify it",
                        "SELECT execution_id, chain_id, chain_version, status, wake_at_ms, labels, input, outputs,"
                        " error, created_at_ms, started_at_ms, finished_at_ms, parent_id, priority, queue_key, tenant"
                        " FROM chain_executions WHERE shard = $1 AND exec_no = $2",
                        &p, &r, o->err);
    if (rc || PQntuples(r) == 0) { /* or it was pruned meanwhile */
        PQclear(r);
        return rc;
    }
    ctn_proof_row row = {
        .chain_id = ctn_pg_get_str(r, 0, 1),
        .chain_version = ctn_pg_get_int(r, 0, 2),
        .status = ctn_pg_get_str(r, 0, 3),
        .wake_at_ms = ctn_pg_get_int(r, 0, 4),
        .has_wake = true,
        .labels = ctn_pg_get_str(r, 0, 5),
        .input = ctn_pg_get_str(r, 0, 6),
        .outputs = ctn_pg_get_str(r, 0, 7),
        .error = ctn_pg_get_str(r, 0, 8),
        .created_at_ms = ctn_pg_get_int(r, 0, 9),
        .started_at_ms = ctn_pg_get_int(r, 0, 10),
        .finished_at_ms = ctn_pg_get_int(r, 0, 11),
        .priority = ctn_pg_get_int(r, 0, 13),
        .queue_key = ctn_pg_get_str(r, 0, 14),
        .tenant = ctn_pg_get_str(r, 0, 15),
    };
    bool is_id = pg_get_id(r, 0, 0, &row.id);
    (void) pg_get_id(r, 0, 12, &row.parent); /* NULL: it has none */
    row.outputs_are_in_journal = !ctn_pg_is_null(r, 0, 7) && row.outputs.len == 0;
    ctn_verify_begin(o->v, exec_no, &row);
    if (!is_id)
        ctn_verify_tell(o->v, "id", 0, "it has no proper id");
    rc = verify_journal(o, shard, exec_no);
    ctn_verify_end(o->v);
    PQclear(r);
    return rc;
}

/* One in the snapshot that there is; when that fails over damaged data, it is told and a new snapshot begins. */
static int verify_one(verifying *o, int64_t shard, int64_t exec_no)
{
    ctn_err why = {0};
    ctn_err *outer = o->err;
    o->err = &why;
    int rc = verify_execution(o, shard, exec_no);
    o->err = outer;
    if (rc == CTN_OK && o->v->report->entries - o->piece_began < CTN_VERIFY_PIECE)
        return CTN_OK;
    if (rc) {
        ctn_pg_rollback(o->st->db);
        ctn_verify_about(o->v, exec_no, (ctn_execution_id){{0}});
        rc = tell_unreadable(o, rc, &why, "its row or its journal");
        ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
    } else {
        rc = ctn_pg_snapshot(&o->st->base, false, o->err);
    }
    o->piece_began = o->v->report->entries;
    return rc ? rc : ctn_pg_snapshot(&o->st->base, true, o->err);
}

static int verify_executions(verifying *o)
{
    int64_t shard = -1, exec_no = 0;
    int rc = ctn_pg_snapshot(&o->st->base, true, o->err);
    if (rc)
        return rc;
    for (int count = PAGE; rc == CTN_OK && count == PAGE;) {
        PGresult *r = NULL;
        pg_params p = {0};
        ctn_pg_int(&p, shard);
        ctn_pg_int(&p, exec_no);
        ctn_pg_int(&p, PAGE);
        rc = ask(o, "executions",
                 "SELECT shard, exec_no FROM chain_executions WHERE (shard, exec_no) > ($1, $2)"
                 " ORDER BY shard, exec_no LIMIT $3",
                 &p, &r);
        count = r ? PQntuples(r) : 0;
        for (int i = 0; rc == CTN_OK && i < count; i++) {
            shard = ctn_pg_get_int(r, i, 0);
            exec_no = ctn_pg_get_int(r, i, 1);
            rc = verify_one(o, shard, exec_no);
        }
        PQclear(r);
    }
    ctn_pg_rollback(o->st->db); /* nothing was written */
    return rc;
}

int ctn_pg_verify(ctn_store *base, ctn_verifying *v, ctn_err *err)
{
    verifying o = {.v = v, .st = (pg_store *) base, .err = err};
    int rc = verify_made(&o);
    if (rc == CTN_OK)
        rc = each_row(&o, "triggers and rules", ADDITIONS, judge_addition);
    if (rc == CTN_OK)
        rc = each_row(&o, "tables of one row", SINGLES, judge_meta);
    if (rc == CTN_OK)
        rc = each_row(&o, "definitions", DEFINITIONS, judge_definition);
    if (rc == CTN_OK)
        rc = each_row(&o, "chains", CHAINS, judge_chain);
    if (rc == CTN_OK)
        rc = verify_executions(&o);
    if (rc == CTN_OK)
        rc = each_row(&o, "shards", SHARDS, judge_shard);
    if (rc == CTN_OK)
        rc = each_row(&o, "phases", PHASES, judge_phase);
    if (rc == CTN_OK)
        rc = each_row(&o, "journals without an execution", ORPHANS, judge_orphan);
    if (rc == CTN_OK)
        rc = each_row(&o, "lines of the queue", LINES, judge_line);
    if (rc == CTN_OK)
        rc = each_row(&o, "data keys", DATA_KEYS, judge_data_key);
    return rc;
}
