/*
 * schema.c -- the schema of a store file and its history.
 *
 * Migration n takes a file from schema n-1 to n; user_version holds n. What was once released is never edited: a
 * change is a new migration, so every file of the past can be brought to the present, in one transaction or not at all.
 *
 * Why the tables look like this (measured): the journal is a rowid table with a unique index
 * on (exec_no, seq), because clustering by execution makes 256 interleaved executions dirty a page each where a rowid
 * table appends; the key is a small integer, because UUID keys cost a fifth. People see UUIDs and times through the
 * views. Numbers are never given out twice: deletion leaves the highest one in `meta` (triggers), which costs nothing
 * where AUTOINCREMENT would cost a write for each insert.
 *
 * chain_executions caches the journal. `outputs` is '' when they are in the body of the `completed` entry, which is
 * where sqlite/read.c finds them: stored once, a batch is a tenth faster.
 */
#include "store/sqlite/schema.h"
#include "store/sqlite/db.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

const int32_t ctn_sqlite_application_id = 0x4361746e; /* "Catn" */

#define UUID_TEXT(column)                                                                                              \
    "lower(substr(hex(" column "),1,8)||'-'||substr(hex(" column "),9,4)||'-'||substr(hex(" column "),13,4)||'-'||"    \
    "substr(hex(" column "),17,4)||'-'||substr(hex(" column "),21))"

/* clang-format off */
static const char migration_1[] =
    "CREATE TABLE meta("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  epoch INTEGER NOT NULL," /* the owner's number; larger with every owner */
    "  is_clean INTEGER NOT NULL," /* 1: the last owner said good-bye */
    "  exec_no_floor INTEGER NOT NULL," /* highest numbers among what was deleted */
    "  position_floor INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES(1, 0, 1, 0, 0);"

    "CREATE TABLE definitions("
    "  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),"
    "  kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL) STRICT;"

    "CREATE TABLE chains("
    "  chain_id TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0),"
    "  digest BLOB NOT NULL REFERENCES definitions(digest),"
    "  created_at_ms INTEGER NOT NULL, created_by TEXT,"
    "  PRIMARY KEY (chain_id, version)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE chain_executions("
    "  exec_no INTEGER PRIMARY KEY,"
    "  execution_id BLOB NOT NULL UNIQUE CHECK (length(execution_id) = 16),"
    "  chain_id TEXT NOT NULL, chain_version INTEGER NOT NULL, status TEXT NOT NULL, priority INTEGER NOT NULL,"
    "  queue_key TEXT, idempotency_key TEXT, tenant TEXT, wake_at_ms INTEGER,"
    "  labels TEXT, input TEXT, outputs TEXT, error TEXT,"
    "  created_at_ms INTEGER NOT NULL, started_at_ms INTEGER, finished_at_ms INTEGER) STRICT;"
    "CREATE INDEX chain_executions_unfinished ON chain_executions(wake_at_ms) WHERE " SQLITE_UNFINISHED("") ";"
    "CREATE INDEX chain_executions_chain ON chain_executions(chain_id);"
    "CREATE UNIQUE INDEX chain_executions_key ON chain_executions(chain_id, idempotency_key)"
    "  WHERE idempotency_key IS NOT NULL;"
    "CREATE TRIGGER chain_executions_deleted AFTER DELETE ON chain_executions BEGIN"
    "  UPDATE meta SET exec_no_floor = max(exec_no_floor, OLD.exec_no);"
    "END;"

    "CREATE TABLE execution_journal("
    "  position INTEGER PRIMARY KEY,"
    "  exec_no INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    "  step TEXT, item INTEGER, attempt INTEGER, actor TEXT, body TEXT NOT NULL, hash BLOB NOT NULL,"
    "  UNIQUE (exec_no, seq)) STRICT;"
    "CREATE TRIGGER execution_journal_deleted AFTER DELETE ON execution_journal BEGIN"
    "  UPDATE meta SET position_floor = max(position_floor, OLD.position);"
    "END;";

/* For people: UUIDs and times as text, results and figures without a join. */
static const char migration_2[] =
    "CREATE INDEX chain_executions_trouble ON chain_executions(status) WHERE " SQLITE_TROUBLE("") ";"

    "CREATE VIEW executions_view AS SELECT  " UUID_TEXT("e.execution_id")
    " AS execution_id, e.chain_id, e.chain_version, e.status, e.priority,"
    "  e.queue_key, e.idempotency_key, e.tenant,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', e.wake_at_ms / 1000.0, 'unixepoch') AS wake_at,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_ms / 1000.0, 'unixepoch') AS created_at,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', e.started_at_ms / 1000.0, 'unixepoch') AS started_at,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', e.finished_at_ms / 1000.0, 'unixepoch') AS finished_at,"
    "  e.labels, e.input,"
    "  CASE WHEN e.outputs = '' THEN (SELECT json_extract(j.body, '$.outputs') FROM execution_journal j"
    "    WHERE j.exec_no = e.exec_no AND j.kind = 'completed' ORDER BY j.seq DESC LIMIT 1)"
    "    ELSE e.outputs END AS outputs,"
    "  e.error, e.exec_no"
    "  FROM chain_executions e;"

    "CREATE VIEW journal_view AS SELECT"
    "  j.position, " UUID_TEXT("e.execution_id") " AS execution_id, j.seq,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', j.at_ms / 1000.0, 'unixepoch') AS at,"
    "  j.kind, j.step, j.item, j.attempt, j.actor, j.body, lower(hex(j.hash)) AS hash, j.exec_no"
    "  FROM execution_journal j LEFT JOIN chain_executions e ON e.exec_no = j.exec_no;"

    /* The last word on each step. */
    "CREATE VIEW step_results AS SELECT  " UUID_TEXT("e.execution_id") " AS execution_id, e.chain_id, r.step, r.item,"
    "  CASE r.kind WHEN 'step_skipped' THEN 'skipped' WHEN 'compensation_succeeded' THEN 'compensated'"
    "    WHEN 'attempt_failed' THEN 'failed' WHEN 'compensation_failed' THEN 'compensation_failed'"
    "    ELSE 'completed' END AS result,"
    "  r.attempt, strftime('%Y-%m-%dT%H:%M:%fZ', r.at_ms / 1000.0, 'unixepoch') AS at,"
    "  json_extract(r.body, '$.variables') AS variables,"
    "  json_extract(r.body, '$.code') AS error_code, json_extract(r.body, '$.message') AS error_message, r.exec_no"
    "  FROM (SELECT j.*, row_number() OVER (PARTITION BY j.exec_no, j.step, j.item ORDER BY j.seq DESC) AS age"
    "    FROM execution_journal j WHERE j.step IS NOT NULL AND (j.kind IN"
    "    ('step_skipped','attempt_succeeded','attempt_failed','compensation_succeeded','compensation_failed')"
    "    OR (j.kind = 'decision' AND json_extract(j.body, '$.what') = 'succeed'))) r"
    "  LEFT JOIN chain_executions e ON e.exec_no = r.exec_no WHERE r.age = 1;"

    "CREATE VIEW execution_metrics AS SELECT  " UUID_TEXT("e.execution_id")
    " AS execution_id, e.chain_id, e.chain_version, e.status,"
    "  min(j.at_ms) AS first_entry_at_ms, max(j.at_ms) AS last_entry_at_ms,"
    "  max(j.at_ms) - min(CASE WHEN j.kind = 'started' THEN j.at_ms END) AS run_ms,"
    "  min(CASE WHEN j.kind = 'started' THEN j.at_ms END) - min(j.at_ms) AS queued_ms,"
    "  count(*) AS entries,"
    "  count(DISTINCT CASE WHEN j.kind = 'attempt_succeeded' THEN j.step END) AS steps_succeeded,"
    "  count(DISTINCT CASE WHEN j.kind = 'step_skipped' THEN j.step END) AS steps_skipped,"
    "  sum(j.kind = 'attempt_failed') AS attempts_failed,"
    "  sum(j.kind = 'compensation_succeeded') AS compensations,"
    "  sum(j.kind = 'interrupted') AS interruptions, e.exec_no"
    "  FROM chain_executions e JOIN execution_journal j ON j.exec_no = e.exec_no GROUP BY e.exec_no;";

/* The queue: lanes by chain and priority, lines by key, and what ended ones owe. */
static const char migration_3[] =
    "ALTER TABLE chain_executions ADD COLUMN queue_held INTEGER NOT NULL DEFAULT 0;"
    "UPDATE chain_executions SET wake_at_ms = NULL WHERE status = 'queued';"
    "CREATE INDEX chain_executions_queue ON chain_executions(chain_id, priority, exec_no)"
    "  WHERE " SQLITE_QUEUED("") ";"
    "CREATE INDEX chain_executions_line ON chain_executions(queue_key, exec_no)"
    "  WHERE queue_key IS NOT NULL AND " SQLITE_UNFINISHED("") ";"
    "CREATE INDEX chain_executions_owing ON chain_executions(exec_no) WHERE " SQLITE_OWING("") ";"

    "CREATE TABLE schedules("
    "  chain_id TEXT PRIMARY KEY, cron TEXT NOT NULL, timezone TEXT NOT NULL,"
    "  seen_at_ms INTEGER NOT NULL, next_at_ms INTEGER) STRICT, WITHOUT ROWID;"

    "CREATE TABLE breakers("
    "  name TEXT PRIMARY KEY, state TEXT NOT NULL, until_ms INTEGER, changed_at_ms INTEGER NOT NULL) STRICT, WITHOUT"
    " ROWID;";

/* Sub-chains: whose step an execution is. */
static const char migration_4[] =
    "ALTER TABLE chain_executions ADD COLUMN parent_id BLOB;"
    "CREATE INDEX chain_executions_parent ON chain_executions(parent_id) WHERE parent_id IS NOT NULL;";

/* Results of calls for the cache; what foreach, fallbacks and the cache mean in the figures. */
static const char migration_5[] =
    "CREATE TABLE result_cache("
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL, put_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX result_cache_expires ON result_cache(expires_at_ms);"

    /* The last word on each step, and on each item of a foreach; the step as a whole has no item. */
    "DROP VIEW step_results;"

    "CREATE VIEW step_results AS SELECT  " UUID_TEXT("e.execution_id") " AS execution_id, e.chain_id, r.step, r.item,"
    "  CASE r.kind WHEN 'step_skipped' THEN 'skipped' WHEN 'compensation_succeeded' THEN 'compensated'"
    "    WHEN 'attempt_failed' THEN 'failed' WHEN 'compensation_failed' THEN 'compensation_failed'"
    "    ELSE 'completed' END AS result,"
    "  r.attempt, strftime('%Y-%m-%dT%H:%M:%fZ', r.at_ms / 1000.0, 'unixepoch') AS at,"
    "  json_extract(r.body, '$.variables') AS variables,"
    "  json_extract(r.body, '$.code') AS error_code, json_extract(r.body, '$.message') AS error_message,"
    "  r.kind = 'cache_hit' AS is_from_cache,"
    "  json_extract(r.body, '$.items') AS items, json_extract(r.body, '$.failed') AS items_failed, r.exec_no"
    "  FROM (SELECT j.*, row_number() OVER (PARTITION BY j.exec_no, j.step, j.item ORDER BY j.seq DESC) AS age"
    "    FROM execution_journal j WHERE j.step IS NOT NULL AND (j.kind IN ('step_skipped','attempt_succeeded',"
    "    'attempt_failed','cache_hit','compensation_succeeded','compensation_failed')"
    "    OR (j.kind = 'decision' AND json_extract(j.body, '$.what') = 'succeed'))) r"
    "  LEFT JOIN chain_executions e ON e.exec_no = r.exec_no WHERE r.age = 1;"

    /* steps_*: whole steps; items_*: of foreach steps. */
    "DROP VIEW execution_metrics;"

    "CREATE VIEW execution_metrics AS SELECT  " UUID_TEXT("e.execution_id")
    " AS execution_id, e.chain_id, e.chain_version, e.status,"
    "  min(j.at_ms) AS first_entry_at_ms, max(j.at_ms) AS last_entry_at_ms,"
    "  max(j.at_ms) - min(CASE WHEN j.kind = 'started' THEN j.at_ms END) AS run_ms,"
    "  min(CASE WHEN j.kind = 'started' THEN j.at_ms END) - min(j.at_ms) AS queued_ms,"
    "  count(*) AS entries,"
    "  count(DISTINCT CASE WHEN j.kind IN ('attempt_succeeded','cache_hit') AND j.item IS NULL THEN j.step END)"
    "    AS steps_succeeded,"
    "  count(DISTINCT CASE WHEN j.kind = 'step_skipped' THEN j.step END) AS steps_skipped,"
    "  count(DISTINCT CASE WHEN j.kind IN ('attempt_succeeded','cache_hit') AND j.item IS NOT NULL"
    "    THEN j.step || '[' || j.item || ']' END) AS items_succeeded,"
    "  sum(j.kind = 'attempt_failed') AS attempts_failed,"
    "  sum(j.kind = 'cache_hit') AS cache_hits,"
    "  sum(j.kind = 'fallback_taken') AS fallbacks,"
    "  sum(j.kind = 'compensation_succeeded') AS compensations,"
    "  sum(j.kind = 'interrupted') AS interruptions, e.exec_no"
    "  FROM chain_executions e JOIN execution_journal j ON j.exec_no = e.exec_no GROUP BY e.exec_no;";

/* What people did to the store: one chain of hashes a node; how many there ever were stands apart from them. */
static const char migration_6[] =
    "ALTER TABLE meta ADD COLUMN audit_count INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE audit_log("
    "  node TEXT NOT NULL, n INTEGER NOT NULL CHECK (n > 0), at_ms INTEGER NOT NULL,"
    "  actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL,"
    "  PRIMARY KEY (node, n)) STRICT, WITHOUT ROWID;"

    "CREATE VIEW audit_view AS SELECT"
    "  node, n, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at, actor, action, subject, detail,"
    "  lower(hex(hash)) AS hash FROM audit_log;";

/* Sealed values beside the body that commits to them, and the key of each execution that has any (0: the store's own).
 */
static const char migration_7[] =
    "ALTER TABLE execution_journal ADD COLUMN sealed TEXT;"

    "CREATE TABLE data_keys("
    "  exec_no INTEGER PRIMARY KEY, master_id TEXT NOT NULL, wrapped BLOB NOT NULL) STRICT;"
    "CREATE INDEX data_keys_master ON data_keys(master_id);"
    "CREATE TRIGGER data_keys_deleted AFTER DELETE ON chain_executions BEGIN"
    "  DELETE FROM data_keys WHERE exec_no = OLD.exec_no;"
    "END;";

/* Executions that do not read back. */
static const char migration_8[] =
    "CREATE TABLE quarantine("
    "  exec_no INTEGER PRIMARY KEY, execution_id TEXT, chain_id TEXT, reason TEXT NOT NULL,"
    "  found_at_ms INTEGER NOT NULL, given_up_at_ms INTEGER) STRICT;"
    "CREATE TRIGGER chain_executions_released AFTER DELETE ON chain_executions BEGIN"
    "  DELETE FROM quarantine WHERE exec_no = OLD.exec_no;"
    "END;";

/* Retention: the ended by the time of their end, roots only; journals that go in pieces. The floors are written when
 * the highest number goes, not for each row: that doubled the cost of deleting. */
static const char migration_9[] =
    "CREATE INDEX chain_executions_ended_well ON chain_executions(finished_at_ms)"
    "  WHERE status = 'completed' AND parent_id IS NULL;"
    "CREATE INDEX chain_executions_ended_ill ON chain_executions(finished_at_ms)"
    "  WHERE " SQLITE_TROUBLE("") " AND parent_id IS NULL;"

    "CREATE TABLE pruning(exec_no INTEGER PRIMARY KEY) STRICT;"
    "DROP TRIGGER chain_executions_deleted;"
    "CREATE TRIGGER chain_executions_deleted AFTER DELETE ON chain_executions"
    "  WHEN OLD.exec_no > coalesce((SELECT max(exec_no) FROM chain_executions), 0) BEGIN"
    "  UPDATE meta SET exec_no_floor = max(exec_no_floor, OLD.exec_no);"
    "END;"
    "DROP TRIGGER execution_journal_deleted;"
    "CREATE TRIGGER execution_journal_deleted AFTER DELETE ON execution_journal"
    "  WHEN OLD.position > coalesce((SELECT max(position) FROM execution_journal), 0) BEGIN"
    "  UPDATE meta SET position_floor = max(position_floor, OLD.position);"
    "END;";

/* Tools as they were when chains began to rely on them. */
static const char migration_10[] =
    "CREATE TABLE tool_pins("
    "  target TEXT PRIMARY KEY, digest BLOB NOT NULL, definition TEXT NOT NULL, pinned_at_ms INTEGER NOT NULL,"
    "  pinned_by TEXT NOT NULL, seen TEXT, seen_at_ms INTEGER, owes_resume INTEGER NOT NULL DEFAULT 0) STRICT;";

/* Who may do what. Each change raises the number that others watch. */
static const char migration_11[] =
    "ALTER TABLE meta ADD COLUMN principal_changes INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE principals("
    "  name TEXT PRIMARY KEY, tenant TEXT NOT NULL, is_service INTEGER NOT NULL, created_at_ms INTEGER NOT NULL,"
    "  created_by TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE grants("
    "  principal TEXT NOT NULL, what TEXT NOT NULL, chain TEXT NOT NULL, label TEXT NOT NULL, set_name TEXT NOT NULL,"
    "  granted_at_ms INTEGER NOT NULL, granted_by TEXT NOT NULL,"
    "  PRIMARY KEY (principal, what, chain, label, set_name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE api_keys("
    "  id TEXT PRIMARY KEY, principal TEXT NOT NULL, hash BLOB NOT NULL, created_at_ms INTEGER NOT NULL,"
    "  created_by TEXT NOT NULL, expires_at_ms INTEGER, used_at_ms INTEGER, revoked_at_ms INTEGER)"
    "  STRICT, WITHOUT ROWID;";

/* Who is told of the journal by HTTP, how far, and what could not be delivered. */
static const char migration_12[] =
    "CREATE TABLE webhooks("
    "  name TEXT PRIMARY KEY, definition TEXT NOT NULL, secret TEXT NOT NULL, tenant TEXT,"
    "  position INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, created_by TEXT NOT NULL, stopped TEXT) STRICT;"

    "CREATE TABLE dead_letters("
    "  webhook TEXT NOT NULL, position INTEGER NOT NULL, execution_id BLOB NOT NULL, kind TEXT NOT NULL,"
    "  attempts INTEGER NOT NULL, why TEXT NOT NULL, died_at_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (webhook, position)) STRICT, WITHOUT ROWID;";

/* The queue: by tenant, and who is held back within a lane. */
static const char migration_13[] =
    "DROP INDEX chain_executions_queue;"
    "CREATE INDEX chain_executions_queue ON chain_executions(tenant, chain_id, priority, queue_held, exec_no)"
    "  WHERE " SQLITE_IN_QUEUE("") ";";

/* What tenants have used of a day. */
static const char migration_14[] =
    "CREATE TABLE tenant_usage("
    "  day INTEGER NOT NULL, tenant TEXT NOT NULL, executions INTEGER NOT NULL, calls INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL, money INTEGER NOT NULL, PRIMARY KEY (day, tenant)) STRICT, WITHOUT ROWID;";

/* Lists of one tenant. */
static const char migration_15[] =
    "CREATE INDEX chain_executions_tenant ON chain_executions(tenant) WHERE tenant IS NOT NULL;";

/* Schedules that somebody has paused, and what was started last. */
static const char migration_16[] =
    "ALTER TABLE schedules ADD COLUMN fired_at_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE schedules ADD COLUMN paused_at_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE schedules ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';";

/* clang-format on */

static const char *const migrations[] = {NULL,         migration_1,  migration_2,  migration_3,  migration_4,
                                         migration_5,  migration_6,  migration_7,  migration_8,  migration_9,
                                         migration_10, migration_11, migration_12, migration_13, migration_14,
                                         migration_15, migration_16};

uint32_t ctn_sqlite_schema_newest(void)
{
    return (uint32_t) (sizeof migrations / sizeof migrations[0]) - 1;
}

static int exec(sqlite3 *db, const char *path, const char *sql, ctn_err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? CTN_OK : ctn_sqlite_fail(db, path, rc, "changing the schema", err);
}

static int read_user_version(sqlite3 *db, const char *path, uint32_t *ret, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret = (uint32_t) sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? CTN_OK : ctn_sqlite_fail(db, path, rc, "reading the schema's number", err);
}

int ctn_sqlite_schema_raise(sqlite3 *db, const char *path, uint32_t target, ctn_err *err)
{
    assert(target <= ctn_sqlite_schema_newest());
    uint32_t found = 0;
    int rc = read_user_version(db, path, &found, err);
    if (rc == CTN_OK && found == 0) {
        /* Only an empty file takes these, and only before its first page is written. */
        rc = exec(db, path, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;",
                  err);
    }
    if (rc)
        return rc;
    rc = exec(db, path, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = read_user_version(db, path, &found, err); /* somebody may have been faster */
    for (uint32_t n = found + 1; rc == CTN_OK && n <= target; n++) {
        rc = exec(db, path, migrations[n], err);
        if (rc)
            rc = ctn_wrap(err, rc, "migration to schema %" PRIu32, n);
    }
    if (rc == CTN_OK && found < target) {
        char sql[100];
        snprintf(sql, sizeof sql, "PRAGMA application_id = %" PRId32 "; PRAGMA user_version = %" PRIu32,
                 ctn_sqlite_application_id, target);
        rc = exec(db, path, sql, err);
    }
    if (rc == CTN_OK)
        rc = exec(db, path, "COMMIT", err);
    if (rc && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}
