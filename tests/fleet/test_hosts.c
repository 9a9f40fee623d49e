/*
 * test_hosts.c -- three nodes, each on a host of its own (a network namespace), one of which has its cable pulled for
 * longer than a lease: the others take over what it had, it records nothing meanwhile, and comes back by itself.
 */
#include "fleet/audit.h"
#include "fleet/load.h"
#include "fleet/nodes.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES = 3, EXECUTIONS = 90, PER_SECOND = 12, SETTLE_MS = 1000, CUT_MS = 6500 };

static int64_t number(nodes *all, const char *sql)
{
    return pg_server_number(all->servers[0], all->database, "%s", sql);
}

static void test_a_cable_is_pulled_and_plugged_in_again(void **state)
{
    (void) state;
    if (nodes_hosts_missing()) {
        printf("%s\n", nodes_hosts_missing());
        skip();
    }
    nodes *all = nodes_new(&(nodes_options){.count = NODES, .has_hosts = true, .call_ms = 5});
    for (int i = 0; i < NODES; i++)
        node_start(all, i);
    for (int i = 0; i < NODES; i++)
        if (!node_await(all, i, 30000)) {
            node_tell(all, i);
            fail_msg("node %s does not come up", all->nodes[i].name);
        }
    load *l = load_start(all, EXECUTIONS, PER_SECOND);
    nodes_nap(1000);
    node_link(all, 1, LINK_CUT);
    nodes_nap(CUT_MS);
    assert_int_equal(number(all, "SELECT count(*) FROM audit.story WHERE kind = 'buried'"), 1);
    node_link(all, 1, LINK_OPEN);
    int64_t limit_ms = nodes_now_ms() + 60000;
    while (!load_is_done(l) ||
           number(all, "SELECT count(*) FROM catena.chain_executions WHERE finished_at_ms IS NULL") > 0 ||
           number(all, "SELECT count(*) FROM catena.nodes WHERE is_live AND incarnation > 0") < NODES) {
        if (nodes_now_ms() > limit_ms) {
            for (int i = 0; i < NODES; i++)
                node_tell(all, i);
            fail_msg("it does not end");
        }
        nodes_nap(100);
    }
    load_end(l);
    size_t count = 0;
    const audit_accepted *accepted = load_accepted(l, &count);
    history *h = history_new(&(history_rules){
        .shard_count = (uint32_t) number(all, "SELECT count(*) FROM catena.shards"), .settle_ms = SETTLE_MS});
    audit_tell(all->servers[0], all->database, all->ledger, accepted, count, NULL, h);
    if (history_broken(h))
        fail_msg("%s", history_broken(h));
    if (load_broken(l))
        fail_msg("%s", load_broken(l));
    assert_int_equal(count, EXECUTIONS);
    assert_int_equal(history_counted(h)->repeated_writes, 0);
    assert_int_equal(number(all, "SELECT count(*) FROM catena.chain_executions WHERE status <> 'completed'"), 0);
    history_free(h);
    load_free(l);
    nodes_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_cable_is_pulled_and_plugged_in_again)};
    if (pg_server_missing())
        return pg_server_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
