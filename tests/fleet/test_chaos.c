/*
 * test_chaos.c -- a fleet of three nodes to which everything happens, under load: nothing is lost, nothing is written
 * twice, a node that wakes late records nothing, and everything ends without a hand on it.
 *
 * Nodes are killed, stopped for longer than a lease, drained, cut off the database, cut off in one direction; the
 * database is restarted, and its primary killed and a standby promoted. Then peace, until everything has ended; then
 * history.h judges all of it. CATENA_CHAOS=20000 (`make chaos`) says how many executions; the gate has a few hundred,
 * with each fault once. CATENA_CHAOS_SEED chooses others.
 */
#include "fleet/audit.h"
#include "fleet/load.h"
#include "fleet/nodes.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES = 3, LEASE_MS = 3500, SETTLE_MS = 1000, TAKEOVER_MS = 5000, PEACE_MS = 120000 };

typedef enum fault {
    FAULT_KILL,
    FAULT_STOP,
    FAULT_CUT,
    FAULT_FREEZE,
    FAULT_MUTE,
    FAULT_RESTART,
    FAULT_CRASH,
    FAULT_DRAIN,
    FAULT_FAIL_OVER,
    FAULT_COUNT
} fault;
static const char *const fault_names[FAULT_COUNT] = {
    "killed", "stopped", "cut", "frozen", "muted", "database_restarts", "database_crashes", "drained", "failovers"};

typedef struct chaos {
    nodes *all;
    load *load;
    size_t executions;
    unsigned seed;
    unsigned faults[FAULT_COUNT];
    bool is_long;
} chaos;

static unsigned die(chaos *c, unsigned sides)
{
    return (unsigned) rand_r(&c->seed) % sides;
}

/* ---- faults, one after the other ---- */

static void wait_for(chaos *c, int i)
{
    if (!node_await(c->all, i, 60000)) {
        node_tell(c->all, i);
        fail_msg("node %s does not come up", c->all->nodes[i].name);
    }
}

static void note_kill(chaos *c, int i)
{
    free(pg_server_sql(nodes_primary(c->all), c->all->database,
                       "INSERT INTO audit.kills SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
                       " max(incarnation) FROM catena.nodes WHERE name = '%s'",
                       c->all->nodes[i].name));
}

static void do_fault(chaos *c, fault f)
{
    int i = (int) die(c, NODES);
    pg_server *server = nodes_primary(c->all);
    c->faults[f]++;
    switch (f) {
    case FAULT_KILL:
        node_kill(c->all, i);
        note_kill(c, i);
        if (die(c, 3)) /* back before or after it was buried */
            nodes_nap(LEASE_MS + 3000);
        node_start(c->all, i);
        wait_for(c, i);
        return;
    case FAULT_STOP:
        node_stop(c->all, i);
        nodes_nap(LEASE_MS + SETTLE_MS + 1500 + (int) die(c, 1000));
        node_go(c->all, i);
        return;
    case FAULT_CUT:
    case FAULT_FREEZE:
    case FAULT_MUTE:
        node_link(c->all, i, f == FAULT_CUT ? LINK_CUT : f == FAULT_FREEZE ? LINK_FROZEN : LINK_MUTE);
        nodes_nap(300 + (int) die(c, 2) * (LEASE_MS + SETTLE_MS + 1500)); /* for a moment, or longer than a lease */
        if (f == FAULT_MUTE)
            node_link(c->all, i, LINK_CUT); /* what was not answered never will be */
        node_link(c->all, i, LINK_OPEN);
        return;
    case FAULT_RESTART:
    case FAULT_CRASH: pg_server_restart(server, f == FAULT_CRASH ? PG_STOP_KILL : PG_STOP_FAST); return;
    case FAULT_DRAIN:
        assert_int_equal(node_end(c->all, i), 0);
        node_start(c->all, i);
        wait_for(c, i);
        return;
    case FAULT_FAIL_OVER:
        nodes_fail_over(c->all);
        if (c->is_long) {
            nodes_nap((int) die(c, 5000)); /* a while with one standby less */
            nodes_rejoin(c->all);
        }
        return;
    case FAULT_COUNT: return;
    }
}

/* ---- the end ---- */

static int64_t open_executions(chaos *c)
{
    return pg_server_number(nodes_primary(c->all), c->all->database,
                            "SELECT count(*) FROM catena.chain_executions WHERE finished_at_ms IS NULL");
}

static void await_the_end(chaos *c)
{
    int64_t until_ms = nodes_now_ms() + PEACE_MS + (int64_t) c->executions * 20;
    while (!load_is_done(c->load) || open_executions(c) > 0) {
        if (nodes_now_ms() > until_ms) {
            for (int i = 0; i < NODES; i++)
                node_tell(c->all, i);
            char *what =
                pg_server_sql(nodes_primary(c->all), c->all->database,
                              "SELECT string_agg(line, E'\\n') FROM (SELECT exec_no || ' shard ' || shard || ' '"
                              " || chain_id || ' ' || status || ' wake ' || coalesce(wake_at_ms, 0) || ' ' ||"
                              " (SELECT string_agg(j.kind || ':' || coalesce(j.step, ''), ' ' ORDER BY seq) FROM"
                              " catena.execution_journal j WHERE j.exec_no = e.exec_no) AS line FROM"
                              " catena.chain_executions e WHERE finished_at_ms IS NULL LIMIT 10) x");
            load_counts counts = load_counted(c->load);
            fail_msg("it does not end: %zu of %zu are acknowledged, %zu answered, open: %lld\n%s", counts.acknowledged,
                     c->executions, counts.answers, (long long) open_executions(c), what ? what : "");
        }
        nodes_nap(100);
    }
}

/* From a kill until the next entry of each execution that was under way there, by another node (or its next life). */
static void tell_takeovers(chaos *c)
{
    char *figures = pg_server_sql(
        nodes_primary(c->all), c->all->database,
        "WITH shards_of AS (SELECT k.at_ms AS killed_ms, k.node, t.shard FROM audit.kills k JOIN audit.events t"
        "   ON t.kind = 'taken' AND t.node = k.node WHERE NOT EXISTS (SELECT 1 FROM audit.events f WHERE f.kind = "
        "'freed'"
        "   AND f.node = t.node AND f.shard = t.shard AND NOT f.flag)),"
        " last AS (SELECT s.killed_ms, e.exec_no, max(e.no) AS no FROM shards_of s JOIN audit.events e"
        "   ON e.kind = 'entry' AND e.shard = s.shard AND e.at_ms <= s.killed_ms GROUP BY 1, 2),"
        " under_way AS (SELECT l.killed_ms, l.exec_no FROM last l JOIN audit.events e ON e.no = l.no"
        "   JOIN catena.execution_journal j ON j.exec_no = l.exec_no AND j.seq = e.seq AND j.shard = e.shard"
        "   WHERE NOT e.flag AND j.kind IN ('started', 'attempt_started', 'attempt_succeeded')),"
        " took AS (SELECT min(e.at_ms) - u.killed_ms AS ms FROM under_way u JOIN audit.events e ON e.kind = 'entry'"
        "   AND e.exec_no = u.exec_no AND e.at_ms > u.killed_ms GROUP BY u.killed_ms, u.exec_no)"
        " SELECT format('takeovers %%s p50 %%s p99 %%s max %%s', count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY "
        "ms),"
        "   percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), max(ms)) FROM took");
    printf("chaos: %s ms\n", figures);
    free(figures);
}

static void judge(chaos *c)
{
    size_t accepted_count = 0;
    const audit_accepted *accepted = load_accepted(c->load, &accepted_count);
    history *h =
        history_new(&(history_rules){.shard_count = (uint32_t) pg_server_number(nodes_primary(c->all), c->all->database,
                                                                                "SELECT count(*) FROM catena.shards"),
                                     .settle_ms = SETTLE_MS});
    audit_tell(nodes_primary(c->all), c->all->database, c->all->ledger, accepted, accepted_count, NULL, h);
    const history_counts *n = history_counted(h);
    printf("chaos: nodes %llu burials %llu leaves %llu takes %llu takeovers %llu entries %llu starts %llu ends %llu"
           " requests %llu writes %llu repeated %llu\n",
           (unsigned long long) n->nodes, (unsigned long long) n->burials, (unsigned long long) n->leaves,
           (unsigned long long) n->takes, (unsigned long long) n->takeovers, (unsigned long long) n->entries,
           (unsigned long long) n->starts, (unsigned long long) n->ends, (unsigned long long) n->requests,
           (unsigned long long) n->writes, (unsigned long long) n->repeated_writes);
    if (history_broken(h))
        fail_msg("%s", history_broken(h));
    if (load_broken(c->load))
        fail_msg("%s", load_broken(c->load));
    assert_int_equal(accepted_count, c->executions);
    assert_int_equal(n->repeated_writes, 0);
    assert_int_equal(pg_server_number(nodes_primary(c->all), c->all->database,
                                      "SELECT count(*) FROM catena.chain_executions WHERE status <> 'completed'"),
                     0);
    history_free(h);
}

static void test_nothing_is_lost_or_done_twice(void **state)
{
    const char *wanted = getenv("CATENA_CHAOS"), *seed = getenv("CATENA_CHAOS_SEED");
    chaos c = {.executions = wanted ? strtoul(wanted, NULL, 10) : 240,
               .seed = seed ? (unsigned) strtoul(seed, NULL, 10) : 1,
               .is_long = wanted != NULL};
    int64_t begun_ms = nodes_now_ms();
    (void) state;
    c.all = nodes_new(&(nodes_options){.count = NODES, .standbys = c.is_long ? 2 : 1, .call_ms = 5});
    free(pg_server_sql(nodes_primary(c.all), c.all->database,
                       "CREATE TABLE audit.kills(at_ms bigint NOT NULL, node bigint NOT NULL)"));
    for (int i = 0; i < NODES; i++)
        node_start(c.all, i);
    for (int i = 0; i < NODES; i++)
        wait_for(&c, i);
    c.load = load_start(c.all, c.executions, c.is_long ? 100 : 60);
    if (c.is_long) {
        while (load_counted(c.load).acknowledged < c.executions && !load_broken(c.load)) {
            nodes_nap((int) die(&c, 2000));
            do_fault(&c, (fault) die(&c, FAULT_COUNT));
        }
    } else {
        static const fault all_faults[] = {FAULT_KILL, FAULT_STOP, FAULT_FAIL_OVER};
        for (size_t i = 0; i < sizeof all_faults / sizeof *all_faults; i++)
            do_fault(&c, all_faults[i]);
    }
    await_the_end(&c);
    load_end(c.load);
    load_counts n = load_counted(c.load);
    printf("chaos: executions %zu in %lld ms; asked %zu, without an answer %zu, refused %zu, twice %zu;",
           n.acknowledged, (long long) (nodes_now_ms() - begun_ms), n.asked, n.unanswered, n.refused, n.asked_twice);
    for (int f = 0; f < FAULT_COUNT; f++)
        printf(" %s %u", fault_names[f], c.faults[f]);
    printf("\n");
    judge(&c);
    tell_takeovers(&c);
    load_free(c.load);
    nodes_free(c.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_lost_or_done_twice)};
    if (pg_server_missing())
        return pg_server_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
