/*
 * sql.c -- every statement that is kept, by number, in the order of the files that run it.
 *
 * What must hold: none walks over a table that grows (tests/store/test_retention.c asks the planner about each). Where
 * a statement names its index, it is because without figures about the table the planner may prefer a walk in the right
 * order.
 */
#include "store/sqlite/schema.h"
#include "store/sqlite/statements.h"
#include <assert.h>

/* clang-format off */

/* What of a row stands in the journal: the last hash, and the outputs that commit.c left there, whole. */
#define JOURNAL_COLUMNS \
    " (SELECT j.hash FROM execution_journal j WHERE j.exec_no = e.exec_no ORDER BY j.seq DESC LIMIT 1)," \
    " CASE WHEN e.outputs = '' THEN (SELECT j.body FROM execution_journal j" \
    "  WHERE j.exec_no = e.exec_no AND j.kind = 'completed' ORDER BY j.seq DESC LIMIT 1) END"
#define EXECUTION SQLITE_ROW_COLUMNS "," JOURNAL_COLUMNS FROM_EXECUTIONS
#define FROM_EXECUTIONS " FROM chain_executions e "
#define CHAIN "SELECT chain_id, version, digest, created_at_ms, created_by FROM chains"

#define INSERT_ENTRIES \
    "INSERT INTO execution_journal(position, exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash," \
    " sealed) VALUES"
#define ENTRY        "(?,?,?,?,?,?,?,?,?,?,?,?)" /* SQLITE_ENTRY_COLUMNS */
#define FOUR_ENTRIES ENTRY "," ENTRY "," ENTRY "," ENTRY

#define ENDED(index, condition) \
    "SELECT exec_no, execution_id, status, finished_at_ms, wake_at_ms FROM chain_executions INDEXED BY " index \
    " WHERE " condition " AND parent_id IS NULL AND (finished_at_ms, exec_no) > (?1, ?2)" \
    " ORDER BY finished_at_ms, exec_no LIMIT ?3"

static const char *const SQL[SQL_COUNT] = {
    /* ---- statements.c ---- */
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    /* ---- commit.c ---- */
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_META_READ] =
        "SELECT epoch, is_clean, max(position_floor, coalesce((SELECT max(position) FROM execution_journal), 0))"
        " FROM meta",
    [SQL_EPOCH_BEGIN] = "UPDATE meta SET epoch = ?1, is_clean = 0",
    [SQL_EPOCH_END] = "UPDATE meta SET is_clean = 1",
    [SQL_SEQ_LAST] = "SELECT max(seq) FROM execution_journal WHERE exec_no = ?1",
    [SQL_EXECUTION_INSERT] =
        "INSERT INTO chain_executions(exec_no, execution_id, chain_id, chain_version, status, priority, queue_key,"
        " idempotency_key, tenant, wake_at_ms, labels, input, outputs, error, created_at_ms, started_at_ms,"
        " finished_at_ms, parent_id, queue_held) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
        " ?7 IS NOT NULL AND ?5 = 'queued' AND EXISTS (SELECT 1 FROM chain_executions o WHERE o.queue_key = ?7"
        " AND " SQLITE_UNFINISHED("o.") " AND o.exec_no < ?1)) ON CONFLICT DO NOTHING",
    [SQL_EXECUTION_UPDATE] =
        "UPDATE chain_executions SET status = ?2, wake_at_ms = ?3, started_at_ms = ?4, finished_at_ms = ?5,"
        " outputs = coalesce(?6, outputs), error = coalesce(?7, error) WHERE exec_no = ?1",
    [SQL_EXECUTION_EXISTS] = "SELECT 1 FROM chain_executions WHERE exec_no = ?1",
    [SQL_EXECUTION_WAKES] =
        "UPDATE chain_executions SET wake_at_ms = 1 WHERE execution_id = ?1 AND " SQLITE_UNFINISHED(""),
    [SQL_LINE_MOVES] =
        "UPDATE chain_executions SET queue_held = 0 WHERE exec_no = (SELECT min(exec_no)"
        " FROM chain_executions WHERE queue_key = ?1 AND " SQLITE_UNFINISHED("") ") AND queue_held = 1",
    [SQL_JOURNAL_INSERT] = INSERT_ENTRIES ENTRY,
    [SQL_JOURNAL_INSERT_MANY] = /* SQLITE_ENTRIES_AT_ONCE */
        INSERT_ENTRIES FOUR_ENTRIES "," FOUR_ENTRIES "," FOUR_ENTRIES "," FOUR_ENTRIES,

    /* ---- chains.c ---- */
    [SQL_DEFINITION_PUT] =
        "INSERT INTO definitions(digest, kind, name, body) VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING",
    [SQL_DEFINITION_GET] = "SELECT kind, name, body FROM definitions WHERE digest = ?1",
    [SQL_CHAIN_VERSION_BY_CONTENT] =
        "SELECT coalesce((SELECT max(version) FROM chains WHERE chain_id = ?1 AND digest = ?2), 0),"
        " coalesce((SELECT max(version) FROM chains WHERE chain_id = ?1), 0)",
    [SQL_CHAIN_GET] = CHAIN " WHERE chain_id = ?1 AND version = ?2",
    [SQL_CHAIN_NEWEST] = CHAIN " WHERE chain_id = ?1 ORDER BY version DESC LIMIT 1",
    [SQL_CHAIN_INSERT] =
        "INSERT INTO chains(chain_id, version, digest, created_at_ms, created_by) VALUES(?1,?2,?3,?4,?5)",
    [SQL_CHAIN_LIST] =
        "SELECT chain_id, max(version), digest, created_at_ms, created_by FROM chains GROUP BY chain_id"
        " ORDER BY chain_id",
    [SQL_CHAIN_VERSIONS] = CHAIN " WHERE chain_id = ?1 ORDER BY version DESC",

    /* ---- read.c ---- */
    [SQL_EXEC_NO_LAST] =
        "SELECT max(exec_no_floor, coalesce((SELECT max(exec_no) FROM chain_executions), 0)) FROM meta",
    [SQL_EXECUTION_BY_NO] = EXECUTION "WHERE e.exec_no = ?1",
    [SQL_EXECUTION_BY_KEY] = EXECUTION "WHERE e.chain_id = ?1 AND e.idempotency_key = ?2",
    [SQL_EXECUTION_BY_RANGE] = EXECUTION "WHERE e.execution_id BETWEEN ?1 AND ?2 LIMIT 2",
    [SQL_EXECUTION_ENDS] = "SELECT" JOURNAL_COLUMNS FROM_EXECUTIONS "WHERE e.exec_no = ?1",
    [SQL_JOURNAL_READ] =
        "SELECT seq, at_ms, kind, step, item, attempt, actor, body, hash, position, sealed"
        " FROM execution_journal WHERE exec_no = ?1 AND seq >= ?2 ORDER BY seq",
    [SQL_JOURNAL_AFTER] =
        "SELECT j.seq, j.at_ms, j.kind, j.step, j.item, j.attempt, j.actor, j.body, j.hash, j.position, j.sealed,"
        " j.exec_no, e.execution_id, e.parent_id, e.chain_id, e.tenant, e.labels"
        " FROM execution_journal j JOIN chain_executions e ON e.exec_no = j.exec_no"
        " WHERE j.position > ?1 ORDER BY j.position LIMIT ?2",
    [SQL_POSITION_LAST] =
        "SELECT max(position_floor, coalesce((SELECT max(position) FROM execution_journal), 0)) FROM meta",

    /* ---- queue.c ---- */
    [SQL_EXECUTION_DUE] =
        "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_unfinished WHERE " SQLITE_UNFINISHED("e.")
        " AND e.wake_at_ms <= ?1 AND e.wake_at_ms > 0 ORDER BY e.wake_at_ms, e.exec_no LIMIT ?2",
    [SQL_EXECUTION_ID] = "SELECT execution_id FROM chain_executions WHERE exec_no = ?1",
    [SQL_NEXT_WAKE] =
        "SELECT min(wake_at_ms) FROM chain_executions WHERE " SQLITE_UNFINISHED("") " AND wake_at_ms > ?1",
    [SQL_QUEUE_LANES] =
        "SELECT tenant, chain_id, priority, sum(queue_held = 0), sum(queue_held <> 0),"
        " min(CASE WHEN queue_held = 0 THEN exec_no END) FROM chain_executions INDEXED BY chain_executions_queue"
        " WHERE " SQLITE_IN_QUEUE("") " GROUP BY tenant, chain_id, priority",
    [SQL_QUEUE_NEXT] =
        "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_queue WHERE " SQLITE_IN_QUEUE("e.")
        " AND e.tenant IS ?1 AND e.chain_id = ?2 AND e.priority = ?3 AND e.queue_held = 0 AND e.exec_no > ?4"
        " ORDER BY e.exec_no LIMIT ?5",
    [SQL_QUEUE_FIRST] =
        SQLITE_ROW_COLUMNS FROM_EXECUTIONS "INDEXED BY chain_executions_line WHERE e.queue_key = ?1"
        " AND " SQLITE_UNFINISHED("e.") " AND e.exec_no < ?2 ORDER BY e.exec_no LIMIT 1",
    [SQL_EXECUTION_OWING] =
        "SELECT e.exec_no" FROM_EXECUTIONS "INDEXED BY chain_executions_owing WHERE " SQLITE_OWING("e.")
        " AND e.exec_no > ?1 ORDER BY e.exec_no LIMIT ?2",

    /* ---- small_tables.c ---- */
    [SQL_USAGE_PUT] =
        "INSERT INTO tenant_usage(day, tenant, executions, calls, bytes, money) VALUES(?1,?2,?3,?4,?5,?6)"
        " ON CONFLICT(day, tenant) DO UPDATE SET executions = max(executions, excluded.executions),"
        " calls = max(calls, excluded.calls), bytes = max(bytes, excluded.bytes), money = max(money, excluded.money)",
    [SQL_USAGE_LIST] =
        "SELECT tenant, executions, calls, bytes, money FROM tenant_usage WHERE day = ?1 ORDER BY tenant",
    [SQL_USAGE_PRUNE] = "DELETE FROM tenant_usage WHERE day < ?1",
    [SQL_SCHEDULE_PUT] =
        "INSERT OR REPLACE INTO schedules(chain_id, cron, timezone, seen_at_ms, next_at_ms, fired_at_ms, paused_at_ms,"
        " paused_by) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [SQL_SCHEDULE_LIST] = "SELECT chain_id, cron, timezone, seen_at_ms, next_at_ms, fired_at_ms, paused_at_ms, paused_by"
                          " FROM schedules ORDER BY chain_id",
    [SQL_BREAKER_PUT] = "INSERT OR REPLACE INTO breakers(name, state, until_ms, changed_at_ms) VALUES(?1,?2,?3,?4)",
    [SQL_BREAKER_LIST] = "SELECT name, state, until_ms, changed_at_ms FROM breakers ORDER BY name",
    [SQL_RESULT_PUT] = "INSERT OR REPLACE INTO result_cache(key, value, put_at_ms, expires_at_ms) VALUES(?1,?2,?3,?4)",
    [SQL_RESULT_PRUNE] =
        "DELETE FROM result_cache WHERE key IN (SELECT key FROM result_cache WHERE expires_at_ms <= ?1"
        " ORDER BY expires_at_ms LIMIT ?2)",
    [SQL_RESULT_GET] = "SELECT value, put_at_ms, expires_at_ms FROM result_cache WHERE key = ?1",

    /* ---- keys.c ---- */
    [SQL_AUDIT_LAST] = "SELECT n, hash FROM audit_log WHERE node = ?1 ORDER BY n DESC LIMIT 1",
    [SQL_AUDIT_INSERT] = "INSERT INTO audit_log(node, n, at_ms, actor, action, subject, detail, hash)"
                         " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [SQL_AUDIT_COUNT] = "UPDATE meta SET audit_count = audit_count + 1",
    [SQL_DATA_KEY_PUT] = "INSERT OR REPLACE INTO data_keys(exec_no, master_id, wrapped) VALUES(?1,?2,?3)",
    [SQL_DATA_KEY_SWAP] = "UPDATE data_keys SET master_id = ?2, wrapped = ?3 WHERE exec_no = ?1 AND wrapped = ?4",
    [SQL_DATA_KEY_GET] = "SELECT master_id, wrapped FROM data_keys WHERE exec_no = ?1",
    [SQL_DATA_KEY_LIST] =
        "SELECT exec_no, master_id, wrapped FROM data_keys WHERE exec_no > ?1 AND master_id <> ?2"
        " ORDER BY exec_no LIMIT ?3",
    [SQL_DATA_KEY_BLANK] = "UPDATE data_keys SET wrapped = zeroblob(length(wrapped)) WHERE exec_no = ?1",
    [SQL_DATA_KEY_DELETE] = "DELETE FROM data_keys WHERE exec_no = ?1",
    [SQL_BOXES_DELETE] =
        "UPDATE execution_journal SET sealed = (SELECT json_group_array(json_object('at', json_extract(value, '$.at')))"
        " FROM json_each(sealed)) WHERE exec_no = ?1 AND sealed IS NOT NULL AND json_valid(sealed)",

    /* ---- retention.c ---- */
    [SQL_ENDED_COMPLETED] = ENDED("chain_executions_ended_well", "status = 'completed'"),
    [SQL_ENDED_OTHERS] = ENDED("chain_executions_ended_ill", SQLITE_TROUBLE("")),
    [SQL_TREE_CHILDREN] =
        "SELECT exec_no, execution_id, " SQLITE_UNFINISHED("") " OR wake_at_ms IS NOT NULL"
        " FROM chain_executions WHERE parent_id = ?1",
    [SQL_PRUNE_ROW] = "DELETE FROM chain_executions WHERE exec_no = ?1",
    [SQL_PRUNE_JOURNAL] = "DELETE FROM execution_journal WHERE exec_no = ?1",
    [SQL_PRUNE_JOURNAL_SOME] =
        "DELETE FROM execution_journal WHERE position IN (SELECT position"
        " FROM execution_journal WHERE exec_no = ?1 ORDER BY seq LIMIT ?2)",
    [SQL_PRUNING_PUT] = "INSERT INTO pruning(exec_no) VALUES(?1)",
    [SQL_PRUNING_FIRST] = "SELECT coalesce((SELECT exec_no FROM pruning ORDER BY exec_no LIMIT 1), 0)",
    [SQL_PRUNING_DELETE] = "DELETE FROM pruning WHERE exec_no = ?1",
    [SQL_RESULTS_EXPIRED] =
        "DELETE FROM result_cache WHERE key IN (SELECT key FROM result_cache"
        " WHERE expires_at_ms < ?1 ORDER BY expires_at_ms LIMIT ?2)",
    [SQL_PAGES] =
        "SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count),"
        " (SELECT page_size FROM pragma_page_size)",
};
/* clang-format on */

const char *ctn_sqlite_sql(sqlite_sql which)
{
    assert(SQL[which]);
    return SQL[which];
}
