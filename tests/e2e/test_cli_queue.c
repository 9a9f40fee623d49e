/*
 * test_cli_queue.c -- what stands in a queue, seen from the command line: lines of one key, places in a chain, and the
 * chain that a failure starts.
 */
#include "cli_kit.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETS                                                                                                           \
    "instructionSets:\n"                                                                                               \
    "  say: {native: noop}\n"                                                                                          \
    "  rest: {wait: {ms: 700}}\n"                                                                                      \
    "  ask: {approval: {message: go on?}}\n"

static void prepare(world *w)
{
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml', sets.yaml]\n");
    cli_world_write(w, "sets.yaml", SETS);
    cli_world_write(w, "asks.chain.yaml",
                    "id: asks\nconcurrencyKey: '{who}'\nsteps:\n"
                    "  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "slow.chain.yaml",
                    "id: slow\nconcurrencyKey: '{who}'\nsteps:\n"
                    "  - {stepName: rest, instructionSet: rest}\n");
    cli_world_write(w, "fails.chain.yaml",
                    "id: fails\nonFailure: desk\nsteps:\n"
                    "  - {stepName: no, instructionSet: say, conditionalExecution: fail}\n");
    cli_world_write(w, "desk.chain.yaml",
                    "id: desk\nsteps:\n"
                    "  - {stepName: told, instructionSet: say, inputTemplate: '{executionId} {error.code}',\n"
                    "     outputVariables: {message: input}}\n");
}

/* Nobody goes on with the one that has the turn: waiting for it would never end. */
static void a_run_behind_a_parked_one_says_so_and_ends(void **state)
{
    world *w = *state;
    char first[64], second[64];
    prepare(w);
    assert_exit(w, catena(w, "run", "asks", "-i", "who=ann", NULL), 3);
    newest_id(w, first);
    assert_exit(w, catena(w, "run", "slow", "-i", "who=ann", NULL), 3);
    assert_err(w, "queued behind concurrencyKey \"ann\"");
    assert_err(w, first);
    assert_out(w, "\"status\": \"queued\"");
    newest_id(w, second);
    assert_exit(w, catena(w, "resume", second, NULL), 3);
    assert_err(w, "queued behind concurrencyKey \"ann\"");
    assert_exit(w, catena(w, "run", "slow", "-i", "who=bob", NULL), 0); /* another line */
    assert_exit(w, catena(w, "cancel", first, NULL), 0);
    assert_exit(w, catena(w, "resume", second, NULL), 0);
}

static void a_run_behind_one_that_runs_waits_for_it(void **state)
{
    world *w = *state;
    prepare(w);
    running first = catena_start(w, "run", "slow", "-i", "who=ann", NULL);
    for (int i = 0; i < 200 && !cli_world_has(w, "catena.db.sock"); i++)
        usleep(20000);
    usleep(200000);
    assert_exit(w, catena(w, "run", "slow", "-i", "who=ann", NULL), 0);
    assert_err(w, "queued behind concurrencyKey \"ann\"");
    assert_int_equal(running_wait(w, &first), 0);
    assert_exit(w,
                shell(w, "sqlite3 catena.db 'SELECT count(*) FROM chain_executions a JOIN chain_executions b"
                         " ON a.exec_no < b.exec_no AND a.finished_at_ms > b.started_at_ms'"),
                0);
    assert_string_equal(w->said.out, "0\n");
}

static void what_was_started_is_served_one_at_a_time_in_order(void **state)
{
    world *w = *state;
    prepare(w);
    for (int i = 0; i < 3; i++)
        assert_exit(w, catena(w, "start", "slow", "-i", "who=ann", NULL), 0);
    running owner = catena_start(w, "serve", NULL);
    char text[64] = "";
    for (int i = 0; i < 200 && strcmp(text, "3\n") != 0; i++) {
        usleep(50000);
        assert_exit(
            w, shell(w, "sqlite3 catena.db \"SELECT count(*) FROM chain_executions WHERE status = 'completed'\""), 0);
        snprintf(text, sizeof text, "%s", w->said.out);
    }
    kill(owner.pid, 15);
    (void) running_wait(w, &owner);
    assert_string_equal(text, "3\n");
    assert_exit(w,
                shell(w, "sqlite3 catena.db 'SELECT count(*) FROM chain_executions a JOIN chain_executions b"
                         " ON a.exec_no < b.exec_no AND a.finished_at_ms > b.started_at_ms'"),
                0);
    assert_string_equal(w->said.out, "0\n");
}

static void the_priority_of_a_chain_decides_who_is_served_first(void **state)
{
    world *w = *state;
    prepare(w);
    static const char *const chains[] = {"last", "usual", "first"}, *const says[] = {"0", "5", "9"};
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.chain.yaml", chains[i]);
        cli_world_write(w, name, "id: %s\npriority: %s\nsteps:\n  - {stepName: rest, instructionSet: rest}\n",
                        chains[i], says[i]);
        assert_exit(w, catena(w, "start", chains[i], NULL), 0);
    }
    running owner = catena_start(w, "serve", NULL);
    for (int i = 0; i < 200 && strcmp(w->said.out, "3\n") != 0; i++) {
        usleep(50000);
        assert_exit(w, shell(w, "sqlite3 catena.db \"SELECT count(*) FROM execution_journal WHERE kind = 'started'\""),
                    0);
    }
    kill(owner.pid, 15);
    (void) running_wait(w, &owner);
    assert_exit(w,
                shell(w, "sqlite3 catena.db \"SELECT group_concat(chain_id, ' ') FROM (SELECT chain_id FROM"
                         " chain_executions JOIN execution_journal USING (exec_no) WHERE kind = 'started'"
                         " ORDER BY position)\""),
                0);
    assert_string_equal(w->said.out, "first usual last\n");
}

static void a_failure_is_told_to_the_chain_that_on_failure_names(void **state)
{
    world *w = *state;
    char failed[64];
    prepare(w);
    assert_exit(w, catena(w, "run", "fails", NULL), 1);
    json_text(w->said.out, "executionId", failed);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_out(w, "\"chain\":\"desk\"");
    assert_out(w, failed);
    assert_out(w, "condition_failed\"");
    assert_exit(w,
                shell(w, "sqlite3 catena.db \"SELECT status, outputs IS NOT NULL FROM chain_executions"
                         " WHERE chain_id = 'desk'\""),
                0);
    assert_string_equal(w->said.out, "completed|1\n");
}

static void a_chain_that_names_no_chain_for_its_failure_does_not_start(void **state)
{
    world *w = *state;
    prepare(w);
    cli_world_write(w, "lost.chain.yaml",
                    "id: lost\nonFailure: dusk\nsteps:\n"
                    "  - {stepName: a, instructionSet: say}\n");
    assert_exit(w, catena(w, "run", "lost", NULL), 2);
    assert_err(w, "onFailure of chain 'lost'");
    assert_err(w, "\"dusk\"");
    assert_false(cli_world_has(w, "catena.db"));
}

static int64_t duration_ms(const world *w)
{
    const char *at = strstr(w->said.out, "\"durationMs\": ");
    assert_non_null(at);
    return strtoll(at + strlen("\"durationMs\": "), NULL, 10);
}

static void a_rate_holds_back_the_calls_of_a_run(void **state)
{
    world *w = *state;
    cli_world_write(w, "chain.yaml",
                    "id: rated\nsteps:\n"
                    "  - {stepName: a, instructionSet: slow, parallelExecution: true}\n"
                    "  - {stepName: b, instructionSet: slow, parallelExecution: true}\n"
                    "  - {stepName: c, instructionSet: slow, parallelExecution: true}\n"
                    "instructionSets:\n  slow: {native: noop, effect: none, rateLimit: {perSecond: 4, burst: 1}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 0);
    assert_true(duration_ms(w) >= 480);
}

static size_t count_of(world *w, const char *sql)
{
    char line[400];
    snprintf(line, sizeof line, "sqlite3 catena.db \"%s\"", sql);
    assert_exit(w, shell(w, line), 0);
    return (size_t) strtoull(w->said.out, NULL, 10);
}

/* Three failures open it, probes keep it open; the next process does not try either, and one with a fallback takes it.
 */
static void an_open_breaker_is_open_after_a_restart(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml",
                    "servers:\n  peer: {command: '%s', args: [--ledger, ledger], trusted: true}\n"
                    "include: [sets.yaml, '*.chain.yaml']\n",
                    peer_program());
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n"
                    "  fails: {tool: peer/fail, effect: read, arguments: {message: not today},\n"
                    "    breaker: {window: 4, minimum: 3, openMs: 3000}}\n");
    cli_world_write(
        w, "tries.chain.yaml",
        "id: tries\nsteps:\n"
        "  - {stepName: try, instructionSet: fails, retryConfig: {maxRetries: 3, retryOn: [tool_error]}}\n");
    cli_world_write(w, "falls.chain.yaml",
                    "id: falls\nsteps:\n"
                    "  - {stepName: try, instructionSet: fails, outputVariables: [a],\n"
                    "     fallback: [{value: {a: 1}}]}\n");
    assert_exit(w, catena(w, "run", "tries", NULL), 1);
    assert_true(duration_ms(w) >= 2900); /* the fourth attempt was a probe */
    assert_int_equal(count_of(w, "SELECT count(*) FROM execution_journal WHERE kind = 'breaker_wait'"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM execution_journal WHERE kind = 'attempt_failed'"), 4);
    assert_int_equal(count_of(w, "SELECT count(*) FROM breakers WHERE name = 'peer/fail' AND state = 'open'"), 1);
    assert_exit(w, catena(w, "run", "falls", NULL), 0); /* at once, and no call was made */
    assert_out(w, "\"a\": 1");
    assert_true(duration_ms(w) < 2500);
    assert_int_equal(
        count_of(w,
                 "SELECT count(*) FROM execution_journal WHERE kind = 'attempt_failed' AND body LIKE '%breaker_open%'"),
        1);
}

/* Who waits for whom, by tenant; and a day's quota counts whatever process starts something. */
static void the_queue_is_shown_and_a_quota_holds_from_process_to_process(void **state)
{
    world *w = *state;
    prepare(w);
    cli_world_write(w, "catena.yaml",
                    "include: ['*.chain.yaml', sets.yaml]\n"
                    "tenants: {acme: {weight: 3, executionsPerDay: 3}, '*': {running: 2}}\n");
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    assert_exit(w, catena(w, "queue", NULL), 0);
    assert_err(w, "nothing is queued");
    for (int i = 0; i < 3; i++)
        assert_exit(w, catena(w, "start", "slow", "-i", "who=ann", "--label", "tenant=acme", NULL), 0);
    assert_exit(w, catena(w, "start", "slow", "-i", "who=ann", "--label", "tenant=acme", NULL), 2);
    assert_err(w, "tenant 'acme' has used up its executionsPerDay");
    assert_exit(w, catena(w, "start", "slow", "-i", "who=bob", "--label", "tenant=bolt", "--quiet", NULL), 0);
    assert_exit(w, catena(w, "start", "fails", NULL), 0);
    assert_exit(w, catena(w, "queue", "--json", NULL), 0);
    assert_out(w, "{\"tenant\":\"\",\"chain\":\"fails\",\"priority\":5,\"queued\":1,\"held\":0,");
    assert_out(w, "{\"tenant\":\"acme\",\"chain\":\"slow\",\"priority\":5,\"queued\":1,\"held\":2,");
    assert_out(w, "\"executions\":{\"used\":3,\"limit\":3}");
    assert_exit(w, catena(w, "queue", NULL), 0);
    assert_out(w, "acme today:  3 of 3 executions");
    assert_exit(w, catena(w, "list", "--label", "tenant=bolt", "--json", NULL), 0);
    assert_out(w, "\"labels\":{\"tenant\":\"bolt\"}");
    assert_lacks(w->said.out, "acme");
    assert_exit(w, catena(w, "list", "--label", "bolt", NULL), 2);
    assert_err(w, "--label bolt: write NAME=VALUE");
    cli_world_write(w, "catena.yaml", "tenants: {acme: {wieght: 3}, 'no name': {}}\n");
    assert_exit(w, catena(w, "queue", NULL), 2);
    assert_err(w, "did you mean 'weight'?");
    assert_err(w, "'no name' is no name of a tenant");
}

static void schedules_are_listed_and_their_zones_are_checked(void **state)
{
    world *w = *state;
    prepare(w);
    assert_exit(w, catena(w, "schedules", NULL), 0);
    assert_err(w, "no chain that is included has a schedule");
    cli_world_write(w, "daily.chain.yaml",
                    "id: daily\nschedule: {cron: '30 6 * * *', timezone: Asia/Kolkata}\nsteps:\n"
                    "  - {stepName: a, instructionSet: say}\n");
    assert_exit(w, catena(w, "schedules", "--json", NULL), 0);
    assert_out(w, "T01:00:00.000Z"); /* 06:30 there */
    assert_exit(w, catena(w, "schedules", NULL), 0);
    assert_out(w, "Asia/Kolkata");
    cli_world_write(w, "daily.chain.yaml",
                    "id: daily\nschedule: {cron: '30 6 * * *', timezone: Asia/Kolkatta}\nsteps:\n"
                    "  - {stepName: a, instructionSet: say}\n");
    assert_exit(w, catena(w, "check", "daily.chain.yaml", NULL), 2);
    assert_out(w, "Asia/Kolkatta");
}

/* Paused while it is served, it is still paused for the next one who serves. */
static void a_schedule_is_paused_resumed_and_fired_by_hand(void **state)
{
    world *w = *state;
    prepare(w);
    cli_world_write(w, "yearly.chain.yaml",
                    "id: yearly\nschedule: {cron: '0 0 1 1 *', catchUp: none, overlap: skip, jitterMs: 1000, "
                    "input: {name: clock}}\noutputs: [name]\nsteps:\n  - {stepName: a, instructionSet: say}\n"
                    "inputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n");
    assert_exit(w, catena(w, "schedules", "pause", "yearly", NULL), 2);
    assert_err(w, "nobody follows schedules here");
    running r = running_serve(w, "catena.db");
    assert_exit(w, catena(w, "schedules", "pause", "yerly", NULL), 2);
    assert_err(w, "did you mean \"yearly\"?");
    assert_exit(w, catena(w, "schedules", "pause", "yearly", NULL), 0);
    assert_exit(w, catena(w, "schedules", "fyre", "yearly", NULL), 2);
    assert_err(w, "there is no command \"schedules fyre\"; did you mean \"fire\"?");
    assert_exit(w, catena(w, "help", "schedules", NULL), 0);
    assert_out(w, "catena schedules fire CHAIN");
    assert_exit(w, catena(w, "schedules", "fire", "yearly", "--json", NULL), 0);
    char id[64];
    json_text(w->said.out, "executionId", id);
    running_stop(w, &r);
    assert_exit(w, catena(w, "schedules", "--json", NULL), 0);
    assert_out(w, "\"paused\":true");
    assert_out(w, "\"nextAt\":null");
    assert_out(w, "\"catchUp\":\"none\"");
    assert_out(w, "\"overlap\":\"skip\"");
    r = running_serve(w, "catena.db");
    assert_exit(w, catena(w, "schedules", "resume", "yearly", NULL), 0);
    assert_exit(w, catena(w, "schedules", NULL), 0);
    assert_out(w, "-01-01 00:00");
    running_stop(w, &r);
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"name\":\"clock\"");
    assert_exit(w, catena(w, "store", "audit", "--json", NULL), 0);
    assert_out(w, "schedules.pause");
    assert_out(w, "schedules.resume");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_run_behind_a_parked_one_says_so_and_ends),
        CLI_TEST(a_run_behind_one_that_runs_waits_for_it),
        CLI_TEST(what_was_started_is_served_one_at_a_time_in_order),
        CLI_TEST(the_priority_of_a_chain_decides_who_is_served_first),
        CLI_TEST(a_failure_is_told_to_the_chain_that_on_failure_names),
        CLI_TEST(a_chain_that_names_no_chain_for_its_failure_does_not_start),
        CLI_TEST(a_rate_holds_back_the_calls_of_a_run),
        CLI_TEST(an_open_breaker_is_open_after_a_restart),
        CLI_TEST(the_queue_is_shown_and_a_quota_holds_from_process_to_process),
        CLI_TEST(schedules_are_listed_and_their_zones_are_checked),
        CLI_TEST(a_schedule_is_paused_resumed_and_fired_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
