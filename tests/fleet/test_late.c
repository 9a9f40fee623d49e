/*
 * test_late.c -- a node that stands still at the worst moment, for longer than its lease, and goes on when the other
 * one has taken over: the one case in which a write is made twice, and what the fence and the clock keep from being
 * others. Each with the product's own objects (late/late.c stops them), and again with a planted fault, which
 * history.h has to find.
 *
 *     sent       between the last look at the lease and the send: the documented case (docs/fleet.md)
 *     looked     before that look
 *     recorded   a batch is about to be sent to the store
 *
 * All fleets are played beside each other: what takes time is waiting for a lease to run out.
 */
#include "fleet/audit.h"
#include "fleet/client.h"
#include "fleet/nodes.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ONE, TWO, NODES, WARM = 12, LIMIT_MS = 60000, SETTLE_MS = 1000 };

typedef enum what_is_due {
    DUE_NOTHING, /* but what the other node did */
    DUE_LATE_WRITE,
    DUE_BREAK
} what_is_due;

typedef struct late_case {
    const char *name, *environment[6];
    bool is_new;  /* the node stops with the start itself */
    bool is_late; /* it sends what the other one has sent */
    what_is_due due;
} late_case;

static const late_case cases[] = {
    {"sent", {"LATE_WRITE=n777", NULL}, .is_late = true, .due = DUE_LATE_WRITE},
    {"looked", {"LATE_SEND=stop here", "LATE_LOOK=yes", "LATE_CLOCK_MS=-60000", NULL}, .due = DUE_NOTHING},
    {"looked, by the wall clock",
     {"LATE_SEND=stop here", "LATE_LOOK=yes", "LATE_CLOCK_MS=-60000", "CATENA_PLANT=LEASE_BY_WALL_CLOCK", NULL},
     .is_late = true,
     .due = DUE_BREAK},
    {"recorded", {"LATE_SEND=stop here", NULL}, .is_new = true, .due = DUE_NOTHING},
    {"recorded, without a fence",
     {"LATE_SEND=stop here", "CATENA_PLANT=SHARD_FENCE_MISSING", NULL},
     .is_new = true,
     .due = DUE_BREAK},
};
enum { CASES = sizeof cases / sizeof *cases };

static int64_t number(nodes *all, const char *sql)
{
    return pg_server_number(all->servers[0], all->database, "%s", sql);
}

static void await(nodes *all, const late_case *of, const char *sql, int64_t at_least)
{
    for (int64_t until_ms = nodes_now_ms() + LIMIT_MS; number(all, sql) < at_least; nodes_nap(50))
        if (nodes_now_ms() > until_ms) {
            for (int i = 0; i < NODES; i++)
                node_tell(all, i);
            fail_msg("%s: not at %lld: %s", of->name, (long long) at_least, sql);
        }
}

static bool stands_still(pid_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state == 'T';
}

static void await_node(nodes *all, const late_case *of, int i)
{
    if (node_await(all, i, LIMIT_MS))
        return;
    node_tell(all, i);
    fail_msg("%s: node %s does not come up", of->name, all->nodes[i].name);
}

#define ENDED "SELECT count(*) FROM catena.chain_executions WHERE finished_at_ms > 0"

/* Node one has all shards, and its tool servers and statements are up; then it begins, and stops in the middle. */
static void begin(nodes *all, const late_case *of)
{
    char answer[1000];
    all->nodes[ONE].program = CATENA_BUILD_DIR "/tests/catena_late";
    memcpy(all->nodes[ONE].environment, of->environment, sizeof of->environment);
    node_start(all, ONE);
    await_node(all, of, ONE);
    await(all, of, "SELECT count(*) FROM catena.shards WHERE holder > 0", 1024);
    for (int i = 0; i < WARM; i++) {
        char body[100];
        snprintf(body, sizeof body, "{\"chain\": \"line\", \"input\": {\"n\": 1, \"line\": \"go on %d\"}}", i);
        (void) node_ask(all, ONE, "POST", "/v1/executions", "", body, answer, sizeof answer);
    }
    await(all, of, ENDED, WARM);
    (void) api_ask(all->nodes[ONE].api_port, "POST", "/v1/executions", "",
                   "{\"chain\": \"slow\", \"input\": {\"n\": 777, \"line\": \"stop here\"}}", 300, answer,
                   sizeof answer);
    for (int64_t until_ms = nodes_now_ms() + LIMIT_MS; !stands_still(all->nodes[ONE].pid); nodes_nap(10))
        if (nodes_now_ms() > until_ms)
            fail_msg("%s: it does not stop", of->name);
}

/* The call was made by the other one, and now again. */
static void await_late_write(nodes *all, const late_case *of)
{
    for (int64_t until_ms = nodes_now_ms() + LIMIT_MS;; nodes_nap(20)) {
        char line[700], name[32];
        int made = 0;
        FILE *file = fopen(all->ledger, "re");
        while (file && fgets(line, sizeof line, file))
            made += sscanf(line, "book %*s %31s", name) == 1 && strstr(line, "/book/do") && strcmp(name, "one") == 0;
        if (file)
            fclose(file);
        if (made == WARM + 1)
            return;
        if (nodes_now_ms() > until_ms)
            fail_msg("%s: it does not send", of->name);
    }
}

/* The history, with what was seen; the stop is told, or kept quiet. */
static history_counts judge(nodes *all, const char *const *paused, char *why, size_t size)
{
    history *h =
        history_new(&(history_rules){.shard_count = (uint32_t) number(all, "SELECT count(*) FROM catena.shards"),
                                     .settle_ms = SETTLE_MS,
                                     .not_all_end = true});
    audit_tell(all->servers[0], all->database, all->ledger, NULL, 0, paused, h);
    history_counts counts = *history_counted(h);
    snprintf(why, size, "%s", history_broken(h) ? history_broken(h) : "");
    history_free(h);
    return counts;
}

static void check_documented(nodes *all, const char *metrics)
{
    static const char *const paused[] = {"one", NULL};
    char why[600];
    history_counts n = judge(all, paused, why, sizeof why);
    assert_string_equal(why, "");
    assert_int_equal(n.late_writes, 1);
    assert_int_equal(n.repeated_writes, 1);
    assert_non_null(strstr(metrics, "catena_late_sends_total 1\n"));
    n = judge(all, NULL, why, sizeof why); /* who does not know of the stop */
    assert_string_not_equal(why, "");
}

static void check(nodes *all, const late_case *of, const char *metrics)
{
    char why[600];
    if (of->due == DUE_LATE_WRITE) {
        check_documented(all, metrics);
        return;
    }
    judge(all, NULL, why, sizeof why);
    printf("late: %s: %s\n", of->name, *why ? why : "nothing is broken");
    if ((of->due == DUE_BREAK) != (*why != '\0'))
        fail_msg("%s: the history says \"%s\"", of->name, why);
}

static void a_node_that_stands_still_and_goes_on(void **state)
{
    nodes *fleets[CASES];
    char metrics[CASES][40000];
    (void) state;
    pg_server *server = pg_server_start(NULL);
    for (int i = 0; i < CASES; i++) {
        fleets[i] = nodes_new(&(nodes_options){.count = NODES, .server = server, .call_ms = 5});
        begin(fleets[i], &cases[i]);
        node_start(fleets[i], TWO);
    }
    for (int i = 0; i < CASES; i++) {
        await_node(fleets[i], &cases[i], TWO);
        await(fleets[i], &cases[i], "SELECT count(*) FROM audit.story WHERE kind = 'buried'", 1);
        await(fleets[i], &cases[i],
              "SELECT count(DISTINCT shard) FROM audit.story s WHERE kind = 'taken' AND node = "
              "(SELECT max(incarnation) FROM catena.nodes WHERE name = 'two')",
              1024);
        if (!cases[i].is_new) /* the other one makes the call, and ends it */
            await(fleets[i], &cases[i], ENDED, WARM + 1);
    }
    for (int i = 0; i < CASES; i++)
        node_go(fleets[i], ONE);
    for (int i = 0; i < CASES; i++) {
        if (cases[i].is_late)
            await_late_write(fleets[i], &cases[i]);
        else /* it learns that it was buried, and comes back */
            await(fleets[i], &cases[i], "SELECT count(*) FROM audit.story WHERE kind = 'joined' AND key = 'one'", 2);
        nodes_nap(200);
        (void) node_ask(fleets[i], ONE, "GET", "/metrics", "", NULL, metrics[i], sizeof metrics[i]);
        node_kill(fleets[i], ONE);
        node_kill(fleets[i], TWO);
    }
    for (int i = 0; i < CASES; i++)
        check(fleets[i], &cases[i], metrics[i]);
    for (int i = 0; i < CASES; i++)
        nodes_free(fleets[i]);
    pg_server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_node_that_stands_still_and_goes_on)};
    if (pg_server_missing())
        return pg_server_skipped();
    if (access(CATENA_BUILD_DIR "/tests/catena_late", X_OK) != 0) {
        printf("planted faults are looked for without sanitizers\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
