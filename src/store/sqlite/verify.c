/*
 * verify.c -- the tables of a store file, read as they stand.
 *
 * Nothing is believed here, not even that a page can be read: a statement that fails is told and the next one goes on.
 * Executions are walked by number, and each journal is sought by itself, so that one that cannot be read costs the
 * others nothing. When the walk over the executions ends at a page that cannot be read, those behind it are sought one
 * by one by the numbers that the journal names.
 *
 * Statements are prepared here, not kept: none must be open when a snapshot ends.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/schema.h"
#include <inttypes.h>

typedef struct verifying {
    ctn_verifying *v;
    sqlite_store *st;
    int64_t piece_began; /* entries at the last new snapshot */
} verifying;

static bool prepare(verifying *o, const char *sql, sqlite3_stmt **ret_stmt, const char *doing)
{
    int rc = sqlite3_prepare_v2(o->st->db, sql, -1, ret_stmt, NULL);
    if (rc)
        ctn_verify_tell(o->v, "unreadable", 0, "%s: %s", doing, sqlite3_errmsg(o->st->db));
    return rc == SQLITE_OK;
}

/* Steps; what fails is told. */
static bool step(verifying *o, sqlite3_stmt *stmt, const char *doing)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        ctn_verify_tell(o->v, "unreadable", 0, "%s: %s", doing, sqlite3_errmsg(o->st->db));
    return rc == SQLITE_ROW;
}

static void snapshot(verifying *o, bool begins)
{
    /* A transaction that cannot begin makes each statement its own: no reason to stop. */
    (void) sqlite3_exec(o->st->db, begins ? "BEGIN" : "COMMIT", NULL, NULL, NULL);
}

/* Every row of a question. */
static void each_row(verifying *o, const char *doing, const char *sql, void (*judge)(verifying *o, sqlite3_stmt *row))
{
    sqlite3_stmt *stmt = NULL;
    if (prepare(o, sql, &stmt, doing))
        while (step(o, stmt, doing))
            judge(o, stmt);
    sqlite3_finalize(stmt);
}

/* ---- what is no execution ---- */

/* What is about pages comes in one text. */
static void judge_file(verifying *o, sqlite3_stmt *row)
{
    ctn_str said = sqlite_column_str(row, 0);
    while (!ctn_str_is(said, "ok") && said.len) {
        ctn_str line = ctn_str_cut(&said, '\n');
        if (line.len && !ctn_str_starts_with(line, CTN_STR("*** in database")))
            ctn_verify_tell(o->v, "file", 0, "%.*s", CTN_STR_ARG(line));
    }
}

static void judge_meta(verifying *o, sqlite3_stmt *row)
{
    int64_t count = sqlite3_column_int64(row, 0);
    if (count != 1)
        ctn_verify_tell(o->v, "meta", 0, "the table meta has %" PRId64 " rows instead of one", count);
}

/* Tables, indexes, triggers and views are those that the migrations make; what somebody added is told if it acts. */
static void verify_schema(verifying *o)
{
    sqlite3 *fresh = NULL;
    sqlite3_stmt *wanted = NULL, *there = NULL;
    const char *doing = "the schema";
    static const char sql[] = "SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2";
    int rc = sqlite3_open_v2(":memory:", &fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);
    if (rc == SQLITE_OK)
        rc = ctn_sqlite_schema_raise(fresh, ":memory:", ctn_sqlite_schema_newest(), NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(fresh, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
                                -1, &wanted, NULL);
    while (rc == SQLITE_OK && prepare(o, sql, &there, doing) && sqlite3_step(wanted) == SQLITE_ROW) {
        ctn_str type = sqlite_column_str(wanted, 0), name = sqlite_column_str(wanted, 1);
        sqlite_bind_str(there, 1, type);
        sqlite_bind_str(there, 2, name);
        if (!step(o, there, doing))
            ctn_verify_tell(o->v, "schema", 0, "the %.*s %.*s is missing", CTN_STR_ARG(type), CTN_STR_ARG(name));
        else if (!ctn_str_equal(sqlite_column_str(there, 0), sqlite_column_str(wanted, 2)))
            ctn_verify_tell(o->v, "schema", 0, "the %.*s %.*s is another than catena made", CTN_STR_ARG(type),
                            CTN_STR_ARG(name));
        sqlite3_finalize(there);
        there = NULL;
    }
    sqlite3_finalize(wanted);
    sqlite3_finalize(there);
    if (rc == SQLITE_OK &&
        prepare(o, "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name", &there, doing)) {
        rc = sqlite3_prepare_v2(fresh, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = ?1", -1, &wanted,
                                NULL);
        while (rc == SQLITE_OK && step(o, there, doing)) {
            ctn_str name = sqlite_column_str(there, 0);
            sqlite_bind_str(wanted, 1, name);
            if (sqlite3_step(wanted) != SQLITE_ROW)
                ctn_verify_tell(o->v, "schema", 0, "the trigger %.*s is none of catena's", CTN_STR_ARG(name));
            sqlite3_reset(wanted);
        }
        sqlite3_finalize(wanted);
        sqlite3_finalize(there);
    }
    sqlite3_close(fresh);
}

static void judge_definition(verifying *o, sqlite3_stmt *row)
{
    ctn_digest digest = {{0}};
    if (sqlite_column_digest(row, 0, &digest))
        ctn_verify_definition(o->v, &digest, sqlite_column_str(row, 1), sqlite_column_str(row, 2),
                              sqlite_column_str(row, 3));
    else
        ctn_verify_tell(o->v, "definition", 0, "a definition has no proper digest");
}

static void judge_chain(verifying *o, sqlite3_stmt *row)
{
    ctn_str id = sqlite_column_str(row, 0), kind = sqlite_column_str(row, 2), name = sqlite_column_str(row, 3);
    int64_t version = sqlite3_column_int64(row, 1);
    if (kind.len == 0)
        ctn_verify_tell(o->v, "chains", 0, "version %" PRId64 " of the chain %.*s names a definition that is not there",
                        version, CTN_STR_ARG(id));
    else if (!ctn_str_is(kind, "chain") || !ctn_str_equal(name, id))
        ctn_verify_tell(o->v, "chains", 0,
                        "version %" PRId64 " of the chain %.*s names the definition of the %.*s %.*s", version,
                        CTN_STR_ARG(id), CTN_STR_ARG(kind), CTN_STR_ARG(name));
    o->v->report->chains++;
}

static void judge_orphan(verifying *o, sqlite3_stmt *row)
{
    ctn_verify_about(o->v, sqlite3_column_int64(row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "no-execution", 0, "there is no execution to these %" PRId64 " entries of the journal",
                    (int64_t) sqlite3_column_int64(row, 1));
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_line(verifying *o, sqlite3_stmt *row)
{
    bool is_held = sqlite3_column_int(row, 2) != 0, has_one_before = sqlite3_column_int(row, 3) != 0;
    ctn_execution_id id = {{0}};
    (void) sqlite_column_id(row, 1, &id);
    if (is_held == has_one_before)
        return;
    ctn_verify_about(o->v, sqlite3_column_int64(row, 0), id);
    ctn_verify_tell(o->v, "line", 0,
                    is_held ? "it is held back, and nobody with its queue_key is before it: it would never start"
                            : "it is not held back, and one with its queue_key is before it");
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

static void judge_data_key(verifying *o, sqlite3_stmt *row)
{
    ctn_verify_about(o->v, sqlite3_column_int64(row, 0), (ctn_execution_id){{0}});
    ctn_verify_tell(o->v, "data-key", 0, "there is no execution to this data key");
    ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
}

/* clang-format off */
static const char DEFINITIONS[] = "SELECT digest, kind, name, body FROM definitions";
static const char CHAINS[] =
    "SELECT c.chain_id, c.version, d.kind, d.name FROM chains c LEFT JOIN definitions d ON d.digest = c.digest"
    " ORDER BY c.chain_id, c.version";
/* But those that retention is at. */
static const char ORPHANS[] =
    "SELECT j.exec_no, count(*) FROM execution_journal j GROUP BY j.exec_no"
    " HAVING NOT EXISTS (SELECT 1 FROM chain_executions e WHERE e.exec_no = j.exec_no)"
    " AND NOT EXISTS (SELECT 1 FROM pruning p WHERE p.exec_no = j.exec_no)";
/* Who has the turn is the first unfinished one with the key (store.h); one that was reopened to be undone has outputs
 * and comes back into a line that has moved on. */
static const char LINES[] =
    "SELECT e.exec_no, e.execution_id, e.queue_held, e.queue_key IS NOT NULL AND EXISTS(SELECT 1"
    " FROM chain_executions p WHERE p.queue_key = e.queue_key AND " SQLITE_UNFINISHED("p.")
    " AND p.exec_no < e.exec_no AND p.outputs IS NULL) FROM chain_executions e"
    " INDEXED BY chain_executions_unfinished WHERE " SQLITE_UNFINISHED("e.")
    " AND e.status = 'queued' AND (e.queue_key IS NOT NULL OR e.queue_held <> 0)";
/* A key that opens nothing is left over; an execution without one has nothing sealed, or was shredded. */
static const char DATA_KEYS[] =
    "SELECT exec_no FROM data_keys k WHERE exec_no <> 0"
    " AND NOT EXISTS (SELECT 1 FROM chain_executions e WHERE e.exec_no = k.exec_no)";
/* clang-format on */

/* ---- executions ---- */

#define ROW_COLUMNS                                                                                                    \
    "SELECT exec_no, execution_id, chain_id, chain_version, status, wake_at_ms, labels, input, outputs, error,"        \
    " created_at_ms, started_at_ms, finished_at_ms, parent_id, priority, queue_key, tenant FROM chain_executions "
#define ENTRIES                                                                                                        \
    "SELECT position, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed FROM execution_journal"         \
    " WHERE exec_no = ?1 ORDER BY seq"

static void verify_journal(verifying *o, sqlite3_stmt *entries, int64_t exec_no)
{
    sqlite3_bind_int64(entries, 1, exec_no);
    while (step(o, entries, "its journal")) {
        ctn_proof_record record = {
            .position = sqlite3_column_int64(entries, 0),
            .seq = sqlite3_column_int64(entries, 1),
            .at_ms = sqlite3_column_int64(entries, 2),
            .kind = sqlite_column_str(entries, 3),
            .step = sqlite_column_str(entries, 4),
            .item = sqlite3_column_type(entries, 5) == SQLITE_NULL ? -1 : sqlite3_column_int64(entries, 5),
            .attempt = sqlite3_column_int64(entries, 6),
            .actor = sqlite_column_str(entries, 7),
            .body = sqlite_column_str(entries, 8),
            .hash = {sqlite3_column_blob(entries, 9), (size_t) sqlite3_column_bytes(entries, 9)},
            .sealed = sqlite_column_str(entries, 10),
        };
        ctn_verify_record(o->v, &record);
    }
    sqlite3_reset(entries);
}

static void verify_execution(verifying *o, sqlite3_stmt *rows, sqlite3_stmt *entries)
{
    int64_t exec_no = sqlite3_column_int64(rows, 0);
    ctn_proof_row row = {
        .chain_id = sqlite_column_str(rows, 2),
        .chain_version = sqlite3_column_int64(rows, 3),
        .status = sqlite_column_str(rows, 4),
        .wake_at_ms = sqlite3_column_int64(rows, 5),
        .has_wake = true,
        .labels = sqlite_column_str(rows, 6),
        .input = sqlite_column_str(rows, 7),
        .outputs = sqlite_column_str(rows, 8),
        .error = sqlite_column_str(rows, 9),
        .created_at_ms = sqlite3_column_int64(rows, 10),
        .started_at_ms = sqlite3_column_int64(rows, 11),
        .finished_at_ms = sqlite3_column_int64(rows, 12),
        .priority = sqlite3_column_int64(rows, 14),
        .queue_key = sqlite_column_str(rows, 15),
        .tenant = sqlite_column_str(rows, 16),
    };
    bool is_id = sqlite_column_id(rows, 1, &row.id);
    (void) sqlite_column_id(rows, 13, &row.parent); /* NULL: it has none */
    row.outputs_are_in_journal = sqlite3_column_type(rows, 8) == SQLITE_TEXT && row.outputs.len == 0;
    ctn_verify_begin(o->v, exec_no, &row);
    if (!is_id)
        ctn_verify_tell(o->v, "id", 0, "it has no proper id");
    verify_journal(o, entries, exec_no);
    ctn_verify_end(o->v);
}

/* From here on the table itself is not walked: numbers come from the journal's index. */
static void seek_the_rest(verifying *o, int64_t after)
{
    sqlite3_stmt *next = NULL, *row = NULL, *entries = NULL;
    const char *doing = "executions";
    bool more = prepare(o, "SELECT min(exec_no) FROM execution_journal WHERE exec_no > ?1", &next, doing) &&
                prepare(o, ROW_COLUMNS "WHERE exec_no = ?1", &row, doing) && prepare(o, ENTRIES, &entries, doing);
    while (more) {
        sqlite3_bind_int64(next, 1, after);
        more = step(o, next, doing) && sqlite3_column_type(next, 0) == SQLITE_INTEGER;
        after = more ? sqlite3_column_int64(next, 0) : after;
        sqlite3_reset(next);
        if (!more)
            break;
        sqlite3_bind_int64(row, 1, after);
        ctn_verify_about(o->v, after, (ctn_execution_id){{0}});
        if (step(o, row, "its row"))
            verify_execution(o, row, entries);
        sqlite3_reset(row);
        ctn_verify_about(o->v, 0, (ctn_execution_id){{0}});
    }
    sqlite3_finalize(next);
    sqlite3_finalize(row);
    sqlite3_finalize(entries);
}

static void verify_executions(verifying *o)
{
    sqlite3_stmt *rows = NULL, *entries = NULL;
    const char *doing = "executions";
    int64_t last = INT64_MIN;
    int rc = SQLITE_ROW;
    if (prepare(o, ROW_COLUMNS "WHERE exec_no > ?1 ORDER BY exec_no", &rows, doing) &&
        prepare(o, ENTRIES, &entries, doing)) {
        sqlite3_bind_int64(rows, 1, last);
        while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
            last = sqlite3_column_int64(rows, 0);
            verify_execution(o, rows, entries);
            if (o->v->report->entries - o->piece_began < CTN_VERIFY_PIECE)
                continue;
            o->piece_began = o->v->report->entries;
            sqlite3_reset(rows);
            snapshot(o, false);
            snapshot(o, true);
            sqlite3_bind_int64(rows, 1, last);
        }
    }
    sqlite3_finalize(rows);
    sqlite3_finalize(entries);
    if (rc == SQLITE_DONE || rc == SQLITE_ROW)
        return;
    ctn_verify_tell(o->v, "unreadable", 0, "executions after number %" PRId64 " cannot be listed: %s",
                    last > 0 ? last : 0, sqlite3_errmsg(o->st->db));
    seek_the_rest(o, last);
}

int ctn_sqlite_snapshot(ctn_store *base, bool begins, ctn_err *err)
{
    const sqlite_store *st = (const sqlite_store *) base;
    int rc = sqlite3_exec(st->db, begins ? "BEGIN" : "COMMIT", NULL, NULL, NULL);
    return rc ? ctn_sqlite_fail(st->db, st->path, rc, "holding on to one moment", err) : CTN_OK;
}

int ctn_sqlite_verify(ctn_store *base, ctn_verifying *v, ctn_err *err)
{
    (void) err;
    verifying o = {.v = v, .st = (sqlite_store *) base};
    each_row(&o, "the file", v->options->is_quick ? "PRAGMA quick_check" : "PRAGMA integrity_check", judge_file);
    verify_schema(&o);
    each_row(&o, "the table meta", "SELECT count(*) FROM meta", judge_meta);
    each_row(&o, "definitions", DEFINITIONS, judge_definition);
    each_row(&o, "chains", CHAINS, judge_chain);
    snapshot(&o, true);
    verify_executions(&o);
    snapshot(&o, false);
    each_row(&o, "journals without an execution", ORPHANS, judge_orphan);
    each_row(&o, "lines of the queue", LINES, judge_line);
    each_row(&o, "data keys", DATA_KEYS, judge_data_key);
    return CTN_OK;
}
