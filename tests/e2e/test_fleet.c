/*
 * test_fleet.c -- nodes on one PostgreSQL, by the command line: started at any of them, answered at the wrong one, gone
 * on with after a death, handed over by who leaves.
 */
#include "e2e/cli_kit.h"
#include "support/pg_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pg_server *server;
static char database[64]; /* of the test that runs */

static void nap_ms(int ms)
{
    (void) usleep((useconds_t) ms * 1000);
}

static void write_config(world *w, const char *url, const char *more)
{
    cli_world_write(w, "catena.yaml",
                    "store: \"%s\"\ninclude: [asks.yaml, naps.yaml, counted.yaml, calls.yaml, draws.yaml]\n%s", url,
                    more);
}

static void write_chains(world *w)
{
    cli_world_write(w, "asks.yaml",
                    "id: asks\nname: Asks\noutputs: {said: \"{approved}\"}\nsteps:\n"
                    "  - {stepName: ask, instructionSet: desk, outputVariables: [approved]}\n"
                    "instructionSets:\n  desk: {approval: {message: Well?, timeoutMs: 86400000}}\n");
    cli_world_write(w, "naps.yaml",
                    "id: naps\nname: Naps\noutputs: {done: \"'yes'\"}\nsteps:\n"
                    "  - {stepName: one, instructionSet: nap}\n  - {stepName: two, instructionSet: nap}\n"
                    "instructionSets:\n  nap: {wait: {ms: 3000}}\n");
    cli_world_write(w, "counted.yaml",
                    "id: counted\nname: Counted\nmaxConcurrent: 1\ninputSchema: {type: object, properties: {who: "
                    "{type: integer}}}\n"
                    "outputs: {said: \"{who}\"}\n"
                    "steps: [{stepName: nap, instructionSet: short}]\n"
                    "instructionSets:\n  short: {wait: {ms: 100}}\n");
    cli_world_write(w, "calls.yaml",
                    "id: calls\nname: Calls\noutputs: {said: \"{said}\"}\nsteps:\n"
                    "  - {stepName: each, instructionSet: each, foreach: {items: {range: [0, 3]}, maxConcurrency: 3},"
                    " outputVariables: {said: said}}\n"
                    "instructionSets:\n  each: {chain: counted, arguments: {who: \"{item}\"}}\n");
    cli_world_write(w, "draws.yaml",
                    "id: draws\nname: Draws\nrequires: {gpu: true}\noutputs: {said: \"{drawn}\"}\nsteps:\n"
                    "  - {stepName: draw, instructionSet: draw, outputVariables: [drawn]}\n"
                    "instructionSets:\n  draw: {transform: '\"a tree\"'}\n");
    char *url = pg_server_new_database(server);
    write_config(w, url, "");
    (void) snprintf(database, sizeof database, "%s", strrchr(url, '/') + 1);
    free(url);
}

/* `catena nodes --json` has this; the file of what it said is in w->said. */
static bool nodes_have(world *w, const char *part)
{
    return catena(w, "nodes", "--json", NULL) == 0 && strstr(w->said.out, part);
}

/* Until it is so, at most so long; how long it took, -1: it never was. */
static int64_t await(world *w, bool (*is_so)(world *w, const char *what), const char *what, int64_t limit_ms)
{
    int64_t from_ms = now_ms();
    while (!is_so(w, what)) {
        if (now_ms() - from_ms > limit_ms)
            return -1;
        nap_ms(50);
    }
    return now_ms() - from_ms;
}

/* Both nodes have their half. */
static bool are_halved(world *w, const char *what)
{
    (void) what;
    if (catena(w, "nodes", "--json", NULL))
        return false;
    const char *first = strstr(w->said.out, "\"shards\":512");
    return first && strstr(first + 1, "\"shards\":512");
}

static bool is_status(world *w, const char *id_and_status)
{
    char id[64];
    const char *status = strchr(id_and_status, ' ') + 1;
    (void) snprintf(id, sizeof id, "%.36s", id_and_status);
    return catena(w, "show", id, "--json", NULL) == 0 && strstr(w->said.out, status);
}

static void start(world *w, const char *chain, char id[64])
{
    if (catena(w, "start", chain, NULL))
        fail_msg("%s", w->said.err);
    (void) snprintf(id, 64, "%.36s", w->said.out);
}

static void await_status(world *w, const char *id, const char *status, int64_t limit_ms)
{
    char what[128];
    (void) snprintf(what, sizeof what, "%s \"status\":\"%s\"", id, status);
    if (await(w, is_status, what, limit_ms) < 0)
        fail_msg("%s is not %s: %s%s", id, status, w->said.out, w->said.err);
}

static void what_a_dead_node_had_goes_on_at_the_other(void **state)
{
    world *w = *state;
    char ids[6][64], asks[64], calls[64], calls_too[64];
    write_chains(w);
    running a = catena_start(w, "serve", "--node", "a", NULL);
    if (await(w, nodes_have, "\"a\"", 5000) < 0)
        fail_msg("node a is not there: %s", w->said.err);
    running b = catena_start(w, "serve", "--node", "b", NULL);
    assert_true(await(w, are_halved, NULL, 8000) >= 0);
    for (int i = 0; i < 6; i++)
        start(w, "naps", ids[i]);
    start(w, "asks", asks);
    start(w, "calls",
          calls); /* what they call is counted in the shard of its chain: at one of the two, mostly elsewhere */
    start(w, "calls", calls_too);
    await_status(w, asks, "waiting", 5000);
    await_status(w, calls, "completed", 5000);
    await_status(w, calls_too, "completed", 5000);
    assert_non_null(strstr(w->said.out, "\"said\":[0,1,2]"));
    int64_t died_at_ms = now_ms();
    (void) kill(a.pid, SIGKILL);
    assert_true(await(w, nodes_have, "\"shards\":1024", 8000) >= 0);
    print_message("taken over after %d ms\n", (int) (now_ms() - died_at_ms));
    assert_true(now_ms() - died_at_ms < 6000); /* 5 s, and a look at the nodes */
    for (int i = 0; i < 6; i++)
        await_status(w, ids[i], "completed", 12000);
    assert_int_equal(catena(w, "answer", asks, "ask", "{\"approved\": true}", NULL), 0);
    assert_int_equal(kill(b.pid, SIGTERM), 0);
}

/* Whatever the node that it is asked of is: the command puts it on disk for the holder. */
static void who_leaves_hands_over_at_once_and_a_key_starts_once(void **state)
{
    world *w = *state;
    char first[64], second[64];
    write_chains(w);
    running a = catena_start(w, "serve", "--node", "a", NULL);
    assert_true(await(w, nodes_have, "\"a\"", 5000) >= 0);
    (void) catena_start(w, "serve", "--node", "b", NULL);
    assert_true(await(w, are_halved, NULL, 8000) >= 0);
    assert_int_equal(catena(w, "start", "asks", "--idempotency-key", "k1", NULL), 0);
    (void) snprintf(first, sizeof first, "%.36s", w->said.out);
    assert_int_equal(catena(w, "start", "asks", "--idempotency-key", "k1", NULL), 0);
    (void) snprintf(second, sizeof second, "%.36s", w->said.out);
    assert_string_equal(first, second);
    int64_t left_at_ms = now_ms();
    (void) kill(a.pid, SIGTERM);
    assert_true(await(w, nodes_have, "\"shards\":1024", 4000) >= 0);
    print_message("handed over after %d ms\n", (int) (now_ms() - left_at_ms));
    assert_int_equal(catena(w, "cancel", first, NULL), 0);
}

/* As when the answer of a take is lost: the shard is a's on disk, and a does not know it. */
static void a_shard_whose_take_lost_its_answer_is_not_left_alone(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w);
    (void) catena_start(w, "serve", "--node", "a", NULL);
    assert_true(await(w, nodes_have, "\"a\"", 5000) >= 0);
    (void) catena_start(w, "serve", "--node", "b", NULL);
    assert_true(await(w, are_halved, NULL, 8000) >= 0);
    start(w, "asks", id);
    await_status(w, id, "waiting", 5000);
    unsigned shard = (unsigned) strtoul(id + 33, NULL, 16) & 1023;
    free(pg_server_sql(
        server, database,
        "UPDATE catena.shards s SET epoch = s.epoch + 1, holder = (SELECT n.incarnation FROM catena.nodes n"
        " WHERE n.is_live AND n.name IN ('a', 'b') AND n.incarnation <> s.holder) WHERE s.shard = %u",
        shard));
    int64_t from_ms = now_ms();
    assert_int_equal(catena(w, "answer", id, "ask", "{\"approved\": true}", NULL), 0);
    assert_true(now_ms() - from_ms < 8000); /* a beat, and what follows */
    await_status(w, id, "completed", 5000);
}

/* When nobody serves, a command is a node for as long as it takes. */
static void without_a_node_the_command_does_it_itself(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w);
    assert_int_equal(catena(w, "run", "naps", "--json", NULL), 0);
    assert_int_equal(catena(w, "run", "calls", "--json", NULL),
                     0); /* in its own shard, and in that of its sub-chains */
    assert_non_null(strstr(w->said.out, "\"said\":[0,1,2]"));
    start(w, "asks", id);
    assert_int_equal(catena(w, "resume", id, NULL), 3);
    assert_int_equal(catena(w, "answer", id, "ask", "{\"approved\": false}", NULL), 0);
}

static void a_second_node_of_one_name_is_refused(void **state)
{
    world *w = *state;
    write_chains(w);
    (void) catena_start(w, "serve", "--node", "a", NULL);
    assert_true(await(w, nodes_have, "\"a\"", 5000) >= 0);
    assert_int_equal(catena(w, "serve", "--node", "a", NULL), 2);
    assert_err(w, "lives");
}

static void a_url_that_leads_nowhere_gets_a_sentence(void **state)
{
    world *w = *state;
    write_chains(w);
    char url[200];
    (void) snprintf(url, sizeof url, "postgres://catena:wrong-secret@127.0.0.1:%d/none", pg_server_port(server));
    assert_int_equal(catena(w, "list", "--store", url, NULL), 2);
    assert_null(strstr(w->said.err, "wrong-secret"));
    /* Nor in a command that is proposed. */
    char *right = pg_server_url(server, database);
    assert_int_equal(catena(w, "store", "init", "--store", right, NULL), 0);
    assert_int_equal(catena(w, "nodes", "--store", right, NULL), 0);
    assert_non_null(strstr(w->said.err, "catena serve"));
    assert_null(strstr(w->said.err, pg_server_password(server)));
    free(right);
    assert_int_equal(catena(w, "nodes", "--store", "sqlite:x.db", NULL), 2);
    assert_non_null(strstr(w->said.err, "postgres://"));
}

static void what_requires_a_label_waits_for_a_node_that_has_it_and_says_so(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w);
    assert_int_equal(catena(w, "run", "draws", NULL), 2); /* nobody serves, and this machine has no such label */
    assert_err(w, "requires a node with the labels {\"gpu\":true}");
    assert_int_equal(catena(w, "run", "draws", "--store", "sqlite:alone.db", NULL), 2);
    assert_err(w, "this machine has {}");
    (void) catena_start(w, "serve", "--node", "a", NULL);
    assert_true(await(w, nodes_have, "\"a\"", 5000) >= 0);
    start(w, "draws", id);
    assert_err(w, "no living node has them");
    assert_int_equal(catena(w, "show", id, NULL), 0);
    assert_non_null(strstr(w->said.out, "waits for a node with the labels {\"gpu\":true}"));
    assert_int_equal(catena(w, "nodes", NULL), 0);
    assert_err(w, "no living node has the labels {\"gpu\":true}");
    char *url = pg_server_url(server, database);
    write_config(w, url, "node: {labels: {gpu: true, zone: north}}\n");
    free(url);
    (void) catena_start(w, "serve", "--node", "b", NULL);
    await_status(w, id, "completed", 10000);
    assert_int_equal(catena(w, "nodes", NULL), 0);
    assert_null(strstr(w->said.err, "no living node"));
    assert_int_equal(catena(w, "run", "draws", NULL), 0); /* of whatever node it is asked */
}

int main(void)
{
    if (pg_server_missing())
        return pg_server_skipped();
    server = pg_server_start(NULL);
    const struct CMUnitTest tests[] = {
        CLI_TEST(what_a_dead_node_had_goes_on_at_the_other),
        CLI_TEST(who_leaves_hands_over_at_once_and_a_key_starts_once),
        CLI_TEST(a_shard_whose_take_lost_its_answer_is_not_left_alone),
        CLI_TEST(without_a_node_the_command_does_it_itself),
        CLI_TEST(what_requires_a_label_waits_for_a_node_that_has_it_and_says_so),
        CLI_TEST(a_second_node_of_one_name_is_refused),
        CLI_TEST(a_url_that_leads_nowhere_gets_a_sentence),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pg_server_end(server);
    return failed;
}
