/*
 * schema_chapters.c -- the tables of the chapters beside executions and nodes, and the views.
 *
 * The logical schema is that of store files: tables, columns and views have the same names and mean the same, so what
 * people ask (docs/operations.md) runs on both. What differs is what many machines need:
 *
 *   shard        leads the key of what belongs to an execution, or to a name that is looked for in one shard
 *                (result_cache). Small tables that every node reads whole have none.
 *   changes      one row: `number` grows with each change of what every node keeps in memory (schedules, breakers,
 *                webhooks, pinned tools, principals), `principals` with those of principals alone. Nodes watch it.
 *   audit_chains the end of each node's chain of the audit log: the lock under which it is appended to, and how many
 *                entries there ever were.
 *
 * Values are texts of JSON, never jsonb: what was written reads back byte by byte. The views look into them with
 * json_extract, which is a function of this schema by the name that SQLite has for it; \u0000, which PostgreSQL's texts
 * cannot hold, shows as U+FFFD there.
 */
#include "store/postgres/schema_chapters.h"

/* What is a key, or a part of one: compared and sorted by its bytes, whatever the language of the database. */
#define NAME "text COLLATE \"C\""

#define UUID_TEXT(column) "encode(" column ",'hex')::uuid::text"
#define TIME_TEXT(ms)     "to_char(to_timestamp(" ms "/1000.0) AT TIME ZONE 'UTC','YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* clang-format off */
const char ctn_pg_schema_1_chapters[] =
    "CREATE TABLE changes("
    "  one integer PRIMARY KEY CHECK (one = 1), number bigint NOT NULL, principals bigint NOT NULL);"
    "INSERT INTO changes VALUES(1, 0, 0);"

    "CREATE TABLE definitions("
    "  digest bytea PRIMARY KEY CHECK (length(digest) = 32),"
    "  kind text NOT NULL, name text NOT NULL, body text NOT NULL);"

    "CREATE TABLE chains("
    "  chain_id " NAME " NOT NULL, version bigint NOT NULL CHECK (version > 0),"
    "  digest bytea NOT NULL REFERENCES definitions(digest),"
    "  created_at_ms bigint NOT NULL, created_by text,"
    "  PRIMARY KEY (chain_id, version));"

    /* Retention: roots by the time of their end, the completed apart from the rest; whose sub-chains they are. */
    "CREATE INDEX chain_executions_ended ON chain_executions(phase, finished_at_ms, exec_no)"
    "  WHERE phase >= 2 AND parent_id IS NULL;"
    "CREATE INDEX chain_executions_parent ON chain_executions(shard, parent_id) WHERE parent_id IS NOT NULL;"
    "CREATE TABLE pruning(shard integer NOT NULL, exec_no bigint NOT NULL, PRIMARY KEY (shard, exec_no));"

    "CREATE TABLE schedules("
    "  chain_id " NAME " PRIMARY KEY, cron text NOT NULL, timezone text NOT NULL,"
    "  seen_at_ms bigint NOT NULL, next_at_ms bigint, fired_at_ms bigint NOT NULL, paused_at_ms bigint NOT NULL,"
    "  paused_by text NOT NULL);"

    "CREATE TABLE breakers("
    "  name " NAME " PRIMARY KEY, state text NOT NULL, until_ms bigint, changed_at_ms bigint NOT NULL);"

    "CREATE TABLE result_cache("
    "  shard integer NOT NULL, key " NAME " NOT NULL, value text NOT NULL, put_at_ms bigint NOT NULL,"
    "  expires_at_ms bigint NOT NULL, PRIMARY KEY (shard, key));"
    "CREATE INDEX result_cache_expires ON result_cache(shard, expires_at_ms);"

    "CREATE TABLE tenant_usage("
    "  node " NAME " NOT NULL, day bigint NOT NULL, tenant " NAME " NOT NULL, executions bigint NOT NULL,"
    "  calls bigint NOT NULL, bytes bigint NOT NULL, money bigint NOT NULL, PRIMARY KEY (node, day, tenant));"
    "CREATE INDEX tenant_usage_day ON tenant_usage(day);"

    "CREATE TABLE audit_chains("
    "  node " NAME " PRIMARY KEY, n bigint NOT NULL CHECK (n >= 0), hash bytea NOT NULL);"
    "CREATE TABLE audit_log("
    "  node " NAME " NOT NULL, n bigint NOT NULL CHECK (n > 0), at_ms bigint NOT NULL,"
    "  actor text NOT NULL, action text NOT NULL, subject text NOT NULL, detail text NOT NULL, hash bytea NOT NULL,"
    "  PRIMARY KEY (node, n));"

    "CREATE TABLE data_keys("
    "  shard integer NOT NULL, exec_no bigint NOT NULL, master_id text NOT NULL, wrapped bytea NOT NULL,"
    "  PRIMARY KEY (shard, exec_no));"
    "CREATE INDEX data_keys_no ON data_keys(exec_no);"

    "CREATE TABLE quarantine("
    "  shard integer NOT NULL, exec_no bigint NOT NULL, execution_id text, chain_id text, reason text NOT NULL,"
    "  found_at_ms bigint NOT NULL, given_up_at_ms bigint, PRIMARY KEY (shard, exec_no));"

    "CREATE TABLE tool_pins("
    "  target " NAME " PRIMARY KEY, digest bytea NOT NULL, definition text NOT NULL, pinned_at_ms bigint NOT NULL,"
    "  pinned_by text NOT NULL, seen text, seen_at_ms bigint, owes_resume boolean NOT NULL);"

    "CREATE TABLE principals("
    "  name " NAME " PRIMARY KEY, tenant " NAME " NOT NULL, is_service boolean NOT NULL, created_at_ms bigint NOT NULL,"
    "  created_by text NOT NULL);"
    "CREATE TABLE grants("
    "  principal " NAME " NOT NULL, what " NAME " NOT NULL, chain " NAME " NOT NULL, label " NAME " NOT NULL,"
    "  set_name " NAME " NOT NULL,"
    "  granted_at_ms bigint NOT NULL, granted_by text NOT NULL,"
    "  PRIMARY KEY (principal, what, chain, label, set_name));"
    "CREATE TABLE api_keys("
    "  id " NAME " PRIMARY KEY, principal " NAME " NOT NULL, hash bytea NOT NULL, created_at_ms bigint NOT NULL,"
    "  created_by text NOT NULL, expires_at_ms bigint, used_at_ms bigint, revoked_at_ms bigint);"

    "CREATE TABLE webhooks("
    "  name " NAME " PRIMARY KEY, definition text NOT NULL, secret text NOT NULL, tenant text,"
    "  position bigint NOT NULL, created_at_ms bigint NOT NULL, created_by text NOT NULL, stopped text);"
    /* Of no shard: they are few, and found by webhook and position alone. */
    "CREATE TABLE dead_letters("
    "  webhook " NAME " NOT NULL, position bigint NOT NULL, execution_id bytea NOT NULL, kind text NOT NULL,"
    "  attempts bigint NOT NULL, why text NOT NULL, died_at_ms bigint NOT NULL, PRIMARY KEY (webhook, position));";

/* For people: UUIDs and times as text, results and figures without a join. */
const char ctn_pg_schema_1_views[] =
    /* A member of an object, or one deeper: $.a, $.a.b; an object or a list as its JSON. */
    "CREATE FUNCTION json_extract(document text, path text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
    "  RETURN replace(document, '\\u0000', '\\ufffd')::json #>> string_to_array(substr(path, 3), '.');"

    "CREATE VIEW executions_view AS SELECT  " UUID_TEXT("e.execution_id")
    " AS execution_id, e.chain_id, e.chain_version, e.status, e.priority,"
    "  e.queue_key, e.idempotency_key, e.tenant,"
    "  " TIME_TEXT("e.wake_at_ms") " AS wake_at,"
    "  " TIME_TEXT("e.created_at_ms") " AS created_at,"
    "  " TIME_TEXT("e.started_at_ms") " AS started_at,"
    "  " TIME_TEXT("e.finished_at_ms") " AS finished_at,"
    "  e.labels, e.input,"
    "  CASE WHEN e.outputs = '' THEN (SELECT json_extract(j.body, '$.outputs') FROM execution_journal j"
    "    WHERE j.shard = e.shard AND j.exec_no = e.exec_no AND j.kind = 'completed' ORDER BY j.seq DESC LIMIT 1)"
    "    ELSE e.outputs END AS outputs,"
    "  e.error, e.exec_no, e.shard"
    "  FROM chain_executions e;"

    "CREATE VIEW journal_view AS SELECT"
    "  j.position, " UUID_TEXT("e.execution_id") " AS execution_id, j.seq,"
    "  " TIME_TEXT("j.at_ms") " AS at,"
    "  j.kind, j.step, j.item, j.attempt, j.actor, j.body, encode(j.hash,'hex') AS hash, j.exec_no, j.shard"
    "  FROM execution_journal j LEFT JOIN chain_executions e ON e.shard = j.shard AND e.exec_no = j.exec_no;"

    /* The last word on each step, and on each item of a foreach; the step as a whole has no item. */
    "CREATE VIEW step_results AS SELECT  " UUID_TEXT("e.execution_id") " AS execution_id, e.chain_id, r.step, r.item,"
    "  CASE r.kind WHEN 'step_skipped' THEN 'skipped' WHEN 'compensation_succeeded' THEN 'compensated'"
    "    WHEN 'attempt_failed' THEN 'failed' WHEN 'compensation_failed' THEN 'compensation_failed'"
    "    ELSE 'completed' END AS result,"
    "  r.attempt, " TIME_TEXT("r.at_ms") " AS at,"
    "  json_extract(r.body, '$.variables') AS variables,"
    "  json_extract(r.body, '$.code') AS error_code, json_extract(r.body, '$.message') AS error_message,"
    "  (r.kind = 'cache_hit')::integer AS is_from_cache,"
    "  json_extract(r.body, '$.items')::bigint AS items, json_extract(r.body, '$.failed')::bigint AS items_failed,"
    "  r.exec_no, r.shard"
    "  FROM (SELECT j.*, row_number() OVER (PARTITION BY j.shard, j.exec_no, j.step, j.item ORDER BY j.seq DESC) AS age"
    "    FROM execution_journal j WHERE j.step IS NOT NULL AND (j.kind IN ('step_skipped','attempt_succeeded',"
    "    'attempt_failed','cache_hit','compensation_succeeded','compensation_failed')"
    "    OR (j.kind = 'decision' AND json_extract(j.body, '$.what') = 'succeed'))) r"
    "  LEFT JOIN chain_executions e ON e.shard = r.shard AND e.exec_no = r.exec_no WHERE r.age = 1;"

    /* steps_*: whole steps; items_*: of foreach steps. */
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
    "  count(*) FILTER (WHERE j.kind = 'attempt_failed') AS attempts_failed,"
    "  count(*) FILTER (WHERE j.kind = 'cache_hit') AS cache_hits,"
    "  count(*) FILTER (WHERE j.kind = 'fallback_taken') AS fallbacks,"
    "  count(*) FILTER (WHERE j.kind = 'compensation_succeeded') AS compensations,"
    "  count(*) FILTER (WHERE j.kind = 'interrupted') AS interruptions, e.exec_no, e.shard"
    "  FROM chain_executions e JOIN execution_journal j ON j.shard = e.shard AND j.exec_no = e.exec_no"
    "  GROUP BY e.shard, e.exec_no, e.execution_id, e.chain_id, e.chain_version, e.status;"

    "CREATE VIEW audit_view AS SELECT"
    "  node, n, " TIME_TEXT("at_ms") " AS at, actor, action, subject, detail, encode(hash,'hex') AS hash FROM audit_log;";
/* clang-format on */
