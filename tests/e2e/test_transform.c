/*
 * Transforms through the real binary: their workers are started by it, and are itself.
 */
#include "cli_kit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The items come from one step, go through a program, and a second program works on its result. */
static const char CHAIN[] = "id: totals\n"
                            "outputs: [total, names, best]\n"
                            "steps:\n"
                            "  - {stepName: look, instructionSet: offers, outputVariables: [offers]}\n"
                            "  - {stepName: sum, instructionSet: totals, outputVariables: [total, names]}\n"
                            "  - {stepName: pick, instructionSet: best, outputVariables: [best]}\n"
                            "instructionSets:\n"
                            "  offers: {native: noop, effect: none, arguments: {offers: '{given}'}}\n"
                            "  totals:\n"
                            "    transform: |\n"
                            "      {total: ([.items[].price] | add),\n"
                            "       names: [.items[].name]}\n"
                            "    arguments: {items: '{offers}'}\n"
                            "  best:\n"
                            "    calls:\n"
                            "      best: {transform: '.items | min_by(.price)', arguments: {items: '{offers}'}}\n"
                            "      count: {transform: '.items | length', arguments: {items: '{offers}'}}\n";

static void a_chain_runs_its_transforms(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", "%s", CHAIN);
    assert_exit(w, catena(w, "check", "c.yaml", NULL), 0);
    assert_err(w, "0 errors, 0 warnings");
    assert_exit(w,
                catena(w, "run", "c.yaml", "-i",
                       "given:=[{\"name\":\"Ritz\",\"price\":19.90},{\"name\":\"Inn\",\"price\":0.25}]", "--json",
                       NULL),
                0);
    assert_out(w, "\"total\":20.15");
    assert_out(w, "\"names\":[\"Ritz\",\"Inn\"]");
    assert_out(w, "\"best\":{\"name\":\"Inn\",\"price\":0.25}");
}

static void the_example_of_the_documentation_comes_out_as_it_says(void **state)
{
    world *w = *state;
    cli_world_example(w, "chain-language.md", "# chain: cheapest-offer.yaml", "cheapest-offer.yaml");
    cli_world_example(w, "chain-language.md", "# sets: sets.yaml", "sets.yaml");
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ninclude: [sets.yaml]\n");
    assert_exit(w, catena(w, "check", "cheapest-offer.yaml", NULL), 0);
    assert_exit(w,
                catena(w, "run", "cheapest-offer.yaml", "-i", "currency=GBP", "-i",
                       "offers:=[{\"name\":\"Ritz\",\"price\":0.1},{\"name\":\"Inn\",\"price\":0.2}]", "--json", NULL),
                0);
    assert_out(w, "\"label\":\"Ritz, of 0.3 GBP in all\"");
    assert_out(w, "\"total\":0.30000000000000004");
}

static void what_a_transform_raises_fails_the_chain_in_a_sentence(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", "%s", CHAIN);
    assert_exit(w, catena(w, "run", "c.yaml", "-i", "given:=[{\"name\":\"Ritz\",\"price\":9007199254740993}]", NULL),
                1);
    assert_err(w, "invalid_input");
    assert_err(w, "the number at .items[0].price is over 2^53");
    assert_exit(w, catena(w, "run", "c.yaml", "-i", "given:=[1]", NULL), 1);
    assert_err(w, "tool_error");
    assert_err(w, "Cannot index number with");
}

static void a_program_that_is_no_jq_runs_nothing(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: c\nsteps:\n"
                    "  - {stepName: before, instructionSet: first, noUndo: it is a test}\n"
                    "  - {stepName: bad, instructionSet: bad}\n"
                    "instructionSets:\n"
                    "  first: {native: noop, effect: none}\n"
                    "  bad: {transform: '[.a | nosuch]'}\n");
    assert_exit(w, catena(w, "check", "c.yaml", NULL), 2);
    assert_out(w, "c.yaml:7:20: error: 'transform' is no good jq: nosuch/0 is not defined, in line 1");
    assert_out(w, "c.yaml:4:37: error: instruction set 'bad' has a fault");
    assert_exit(w, catena(w, "run", "c.yaml", NULL), 2);
    assert_err(w, "step bad: the 'transform' of the instruction set 'bad' is no good jq: nosuch/0 is not defined");
    assert_false(cli_world_has(w, "catena.db"));
    cli_world_write(w, "d.yaml",
                    "id: d\nsteps: [{stepName: a, instructionSet: t}]\n"
                    "instructionSets: {t: {transform: '{at: now}'}}\n");
    assert_exit(w, catena(w, "run", "d.yaml", NULL), 2);
    assert_err(w, "a transform may not use 'now'");
}

static void every_item_and_every_fallback_may_be_a_transform(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: each\noutputs: [total, kept]\nsteps:\n"
                    "  - stepName: each\n"
                    "    instructionSet: invert\n"
                    "    foreach: {items: {range: [0, 100]}, as: n, maxConcurrency: 8}\n"
                    "    fallback: [{instructionSet: nothing}]\n"
                    "    outputVariables: [q]\n"
                    "  - {stepName: sum, instructionSet: sum, outputVariables: [total, kept]}\n"
                    "instructionSets:\n"
                    "  invert: {transform: '{q: (1000 / .n | floor)}', arguments: {n: '{n}'}}\n"
                    "  nothing: {transform: '{q: -1}'}\n"
                    "  sum: {transform: '{total: (.q | add), kept: .q[:4]}', arguments: {q: '{q}'}}\n");
    assert_exit(w, catena(w, "check", "c.yaml", NULL), 0);
    assert_exit(w, catena(w, "run", "c.yaml", "--json", NULL), 0);
    assert_out(w, "\"kept\":[-1,1000,500,333]"); /* 1000 / 0 is an error in jq */
    assert_out(w, "\"total\":5131");
    cli_world_write(w, "d.yaml",
                    "id: d\nsteps: [{stepName: a, instructionSet: good, fallback: [{instructionSet: bad}]}]\n"
                    "instructionSets: {good: {transform: .}, bad: {transform: '['}}\n");
    assert_exit(w, catena(w, "run", "d.yaml", NULL), 2);
    assert_err(w, "step a: the 'transform' of the instruction set 'bad' is no good jq");
}

/* Processes whose arguments hold the flag and whose folder is the world's. */
static int count_workers(const world *w, pid_t *ret_pid)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300], text[400] = "";
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid <= 0)
            continue;
        (void) snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
        FILE *file = fopen(path, "r");
        size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
        if (file)
            (void) fclose(file);
        if (!memmem(text, length, "--transform-worker", 18))
            continue;
        (void) snprintf(path, sizeof path, "/proc/%ld/cwd", pid);
        char *folder = realpath(path, NULL), *ours = realpath(w->folder, NULL);
        if (folder && ours && strcmp(folder, ours) == 0) {
            count++;
            if (ret_pid)
                *ret_pid = (pid_t) pid;
        }
        free(folder);
        free(ours);
    }
    (void) closedir(proc);
    return count;
}

static void await_workers(const world *w, int wanted, pid_t *ret_pid)
{
    for (int i = 0; i < 1000 && count_workers(w, ret_pid) != wanted; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(count_workers(w, ret_pid), wanted);
}

static const char HANGS[] = "id: hangs\nsteps:\n"
                            "  - stepName: a\n"
                            "    instructionSet: forever\n"
                            "    timeoutMs: %d\n"
                            "    retryConfig: {maxRetries: 1, backoffMs: 1}\n"
                            "instructionSets:\n"
                            "  forever: {transform: 'def f: f; f'}\n";

static void a_transform_without_end_times_out_and_leaves_no_worker(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", HANGS, 400);
    assert_exit(w, catena(w, "run", "c.yaml", NULL), 1);
    assert_err(w, "timeout");
    assert_err(w, "did not end within 400 ms");
    assert_int_equal(count_workers(w, NULL), 0);
}

/* User time so far; -1: the process is gone. */
static long processor_ticks(pid_t pid)
{
    char path[64], text[1024];
    (void) snprintf(path, sizeof path, "/proc/%ld/stat", (long) pid);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void) fclose(file);
    text[length] = '\0';
    char *at = strrchr(text, ')'); /* the name may hold anything */
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    return at ? strtol(at, NULL, 10) : -1;
}

/* It has the job: it has used a tenth of a second of a processor since it was seen first. */
static void await_work(pid_t pid)
{
    long first = processor_ticks(pid), tenth = sysconf(_SC_CLK_TCK) / 10;
    for (int i = 0; i < 6000 && processor_ticks(pid) < first + tenth; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_true(processor_ticks(pid) >= first + tenth);
}

static void a_worker_that_is_killed_is_an_attempt_that_failed(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", HANGS, 60000);
    running r = catena_start(w, "run", "c.yaml", NULL);
    for (int i = 0; i < 2; i++) { /* the first attempt, and its retry */
        pid_t pid = 0;
        await_workers(w, 1, &pid);
        await_work(pid);
        assert_int_equal(kill(pid, SIGKILL), 0);
        for (int k = 0; k < 1000 && kill(pid, 0) == 0; k++)
            (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_exit(w, running_wait(w, &r), 1);
    assert_err(w, "transport");
    assert_err(w, "ended by signal 9");
}

static void a_worker_does_not_outlive_its_catena(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", HANGS, 60000);
    running r = catena_start(w, "run", "c.yaml", NULL);
    await_workers(w, 1, NULL);
    assert_int_equal(kill(r.pid, SIGKILL), 0);
    assert_int_equal(running_wait(w, &r), -SIGKILL);
    await_workers(w, 0, NULL);
}

/* Should the driver's own clock ever fail: the kernel ends a worker whose job computes for longer than it may. */
static void a_worker_may_compute_only_so_long(void **state)
{
    world *w = *state;
    cli_world_write(w, "job",
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"run\",\"params\":"
                    "{\"program\":\"def f: f; f\",\"cpuMs\":1,\"input\":1}}\n");
    (void) shell(w, "catena --transform-worker 512 <job; echo ended with $?");
    assert_out(w, "ended with 152"); /* SIGXCPU */
    (void) shell(w, "catena --transform-worker none; echo ended with $?");
    assert_out(w, "ended with 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_chain_runs_its_transforms),
        CLI_TEST(the_example_of_the_documentation_comes_out_as_it_says),
        CLI_TEST(what_a_transform_raises_fails_the_chain_in_a_sentence),
        CLI_TEST(a_program_that_is_no_jq_runs_nothing),
        CLI_TEST(every_item_and_every_fallback_may_be_a_transform),
        CLI_TEST(a_transform_without_end_times_out_and_leaves_no_worker),
        CLI_TEST(a_worker_that_is_killed_is_an_attempt_that_failed),
        CLI_TEST(a_worker_does_not_outlive_its_catena),
        CLI_TEST(a_worker_may_compute_only_so_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
