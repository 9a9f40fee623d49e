/*
 * Commands through the real binary: what a set says, and what becomes of a command whose engine is killed.
 */
#include "left.h"
#include "peers_kit.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

static void commands_run_with_what_their_set_says(void **state)
{
    world *w = *state;
    cli_world_write(w, "count.sh", "printf '{\"words\": %%s}' \"$(wc -w)\"\n");
    cli_world_write(
        w, "c.yaml",
        "id: c\noutputs: [words, said, slow, both]\nsteps:\n"
        "  - {stepName: count, instructionSet: count, outputVariables: [words]}\n"
        "  - {stepName: say, instructionSet: say, outputVariables: [said]}\n"
        "  - {stepName: wait, instructionSet: slow, outputVariables: [slow], onError: continue}\n"
        "  - {stepName: two, instructionSet: two, outputVariables: {both: b}}\n"
        "instructionSets:\n"
        "  count: {effect: read, command: {argv: [sh, count.sh], readable: [count.sh], "
        "stdin: '{text}', stdout: json}}\n"
        "  say: {effect: read, command: {argv: [printf, '%%s|%%s', '{text}', '{words}']}}\n"
        "  slow: {effect: read, command: {argv: [sleep, '60'], timeoutMs: 200}}\n"
        "  two: {effect: read, calls: {a: {command: {argv: [echo, x]}}, b: {command: {argv: [echo, '{a}y']}}}}\n");
    assert_exit(w, catena(w, "check", "c.yaml", NULL), 0);
    assert_exit(w, catena(w, "run", "c.yaml", "-i", "text=a $(b) c", "--json", NULL), 0);
    assert_out(w, "\"words\":3");
    assert_out(w, "\"said\":\"a $(b) c|3\"");
    assert_out(w, "\"both\":\"xy\"");
    assert_err(w, "timeout: the command did not end within 200 ms");
}

static void the_example_of_the_documentation_runs(void **state)
{
    world *w = *state;
    cli_world_example(w, "chain-language.md", "# chain: checksum.yaml", "checksum.yaml");
    cli_world_write(w, "inbox", "hello\n");
    assert_exit(w, catena(w, "check", "checksum.yaml", NULL), 0);
    assert_exit(w, catena(w, "run", "checksum.yaml", "-i", "file=inbox", "--json", NULL), 0);
    assert_out(w, "\"sum\":\"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    assert_out(w, "\"lines\":1");
}

static void await_file(world *w, const char *name)
{
    for (int i = 0; !cli_world_has(w, name) && i < 1000; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_true(cli_world_has(w, name));
}

/* The engine is killed in the middle of two writes. Neither goes on without it; the one with a check is found not to
 * have happened, at once, and is done again; the other asks. */
static void a_command_ends_with_the_engine_that_started_it(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\nservers:\n  fast: {command: %s, args: [--ledger, %s/ledger], trusted: true, "
                    "effects: {check_line: read}}\ninclude: [c.yaml]\n",
                    peer_program(), w->folder);
    cli_world_write(
        w, "c.yaml",
        "id: c\noutputs: [a]\nsteps:\n"
        "  - {stepName: checked, instructionSet: checked, outputVariables: [a], dependsOn: []}\n"
        "  - {stepName: bare, instructionSet: bare, outputVariables: [b], dependsOn: []}\n"
        "instructionSets:\n"
        "  checked:\n    effect: write\n    settleMs: 600000\n"
        "    command: {shell: true, argv: ['echo begun >>checked; [ -s again ] || sleep 30; echo "
        "$CATENA_IDEMPOTENCY_KEY "
        ">>done'], writable: [.]}\n"
        "    check: {tool: fast/check_line, arguments: {tool: write_line, key: '{step.key}'}}\n"
        "  bare:\n    effect: write\n"
        "    command: {shell: true, argv: ['echo begun >>bare; sleep 30; echo done >>bare'], writable: [.]}\n");
    running r = catena_start(w, "run", "c", "--quiet", NULL);
    await_file(w, "checked");
    await_file(w, "bare");
    kill(r.pid, SIGKILL);
    (void) running_wait(w, &r);
    cli_world_write(w, "again", "yes\n");
    ctn_arena *arena = ctn_arena_new(1 << 16);
    ctn_execution_row row;
    assert_non_null(left_newest(w, "s.db", arena, &row));
    ctn_id_text id = ctn_id_to_text(row.id);
    assert_exit(w, catena(w, "resume", id.text, NULL), 3);
    ctn_arena_free(arena);
    assert_int_equal(cli_world_count(w, "checked", "begun"), 2);
    assert_int_equal(cli_world_count(w, "done", "checked/do"), 1);
    assert_int_equal(cli_world_count(w, "bare", "done"), 0);
    assert_err(w, "bare");
    assert_err(w, "interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(commands_run_with_what_their_set_says),
        CLI_TEST(the_example_of_the_documentation_runs),
        CLI_TEST(a_command_ends_with_the_engine_that_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
