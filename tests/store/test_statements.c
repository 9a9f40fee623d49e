/*
 * test_statements.c -- the reader of statements tells one that leaves its shard (sql_shards.h). Every statement that
 * the suite runs is read with it by test_postgres.
 */
#include "sql_shards.h"
#include "support/cmocka.h"

static void reads_as(const char *sql, const char *wanted)
{
    char text[200];
    const char *found = sql_shards_fault(sql, text, sizeof text);
    if (!wanted && found)
        fail_msg("%s\n%s", found, sql);
    if (wanted && (!found || !strstr(found, wanted)))
        fail_msg("\"%s\" instead of \"%s\"\n%s", found ? found : "nothing", wanted, sql);
}

static void what_stays_within_shards_is_fine(void **state)
{
    (void) state;
    reads_as("SELECT 1", NULL);
    reads_as("SELECT * FROM nodes WHERE incarnation = $1 FOR SHARE", NULL);
    reads_as("SELECT e.exec_no FROM chain_executions e WHERE e.shard = $1 AND e.exec_no = $2", NULL);
    reads_as("SELECT exec_no FROM chain_executions WHERE shard = ANY($1) AND phase = 0", NULL);
    reads_as("UPDATE chain_executions e SET wake_at_ms = 1 FROM unnest($1::int4[],$2::bytea[]) w(shard, id)"
             " WHERE e.shard = w.shard AND e.execution_id = w.id",
             NULL);
    reads_as("SELECT 1/(NOT EXISTS (SELECT 1 FROM unnest($1) c(shard, exec_no, seq) WHERE c.seq IS DISTINCT FROM"
             " (SELECT j.seq FROM execution_journal j WHERE j.shard = c.shard AND j.exec_no = c.exec_no"
             " ORDER BY j.seq DESC LIMIT 1)))::int",
             NULL);
    reads_as("INSERT INTO execution_keys(shard, chain_id, key, execution_id) SELECT * FROM unnest($1)", NULL);
    reads_as("WITH gone AS (DELETE FROM data_keys WHERE shard = $1 AND exec_no = $2 RETURNING 1)"
             " SELECT count(*) FROM gone",
             NULL);
    reads_as("SELECT j.seq FROM execution_journal j JOIN chain_executions e ON e.shard = j.shard AND"
             " e.exec_no = j.exec_no WHERE j.shard = $1",
             NULL);
}

/* Planted: what a reader that looks for the word alone would let pass. */
static void what_leaves_its_shard_is_told(void **state)
{
    (void) state;
    reads_as("SELECT exec_no FROM chain_executions WHERE execution_id = $1", "chain_executions");
    reads_as("SELECT shard FROM chain_executions WHERE queue_key = $1", "chain_executions");
    reads_as("SELECT e.shard FROM chain_executions e JOIN execution_journal j ON j.exec_no = e.exec_no"
             " WHERE e.shard = $1",
             "execution_journal j");
    reads_as("UPDATE chain_executions SET queue_held = false WHERE shard = $1 AND exec_no = (SELECT min(o.exec_no)"
             " FROM chain_executions o WHERE o.queue_key = $2)",
             "chain_executions o");
    reads_as("SELECT 1 FROM chain_executions e WHERE e.shard = $1 AND EXISTS (SELECT 1 FROM chain_executions p"
             " WHERE p.execution_id = e.parent_id AND e.shard = $1)",
             "chain_executions p");
    reads_as("WITH gone AS (DELETE FROM data_keys WHERE exec_no = $1 RETURNING shard) SELECT shard = 1 FROM gone",
             "data_keys");
    reads_as("SELECT 1 FROM requests WHERE shard = $1 UNION ALL SELECT 1 FROM requests WHERE no = $2", "requests");
    reads_as("INSERT INTO requests(no, shard) VALUES($1, $2)", "without a shard in front");
    reads_as("DELETE FROM result_cache WHERE key = 'shard = 1'", "result_cache");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_within_shards_is_fine),
        cmocka_unit_test(what_leaves_its_shard_is_told),
    };
    return cmocka_run_group_tests_name("statements", tests, NULL, NULL);
}
