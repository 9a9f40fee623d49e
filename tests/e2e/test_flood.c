/*
 * What others send is never kept because they send it: real servers that stream 500 MB at the real binary, in one
 * answer, without an end, nested, as progress, on stderr; and files of that size. What is too large is the failure
 * `limit`, which names the tool and what raises the limit, and the process grows by less than 16 MiB.
 *
 * Growth is anonymous memory (RssAnon), sampled every few milliseconds, above what the same run takes with a small
 * answer. Under a sanitizer freed memory is kept aside, so there the floods are of 64 MiB and the bound is 48 MiB.
 */
#include "cli_kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FLOOD_MIB      64
#define GROWTH_MIB_MAX 48
#else
#define FLOOD_MIB      477 /* 500 MB */
#define GROWTH_MIB_MAX 16
#endif

/* ---- how large a process becomes ---- */

typedef struct watched {
    pid_t pid;
    atomic_bool is_over;
    long most_kib;
} watched;

static void *sample(void *ctx)
{
    watched *w = ctx;
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int) w->pid);
    while (!atomic_load(&w->is_over)) {
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file)) {
            if (strncmp(line, "RssAnon:", 8) != 0)
                continue;
            long kib = strtol(line + 8, NULL, 10);
            w->most_kib = kib > w->most_kib ? kib : w->most_kib;
        }
        if (file)
            (void) fclose(file);
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    }
    return NULL;
}

/* Runs it to its end; the largest it was, in KiB. */
static long run_watched(world *w, running r, int *ret_exit)
{
    watched watch = {.pid = r.pid};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sample, &watch), 0);
    *ret_exit = running_wait(w, &r);
    atomic_store(&watch.is_over, true);
    pthread_join(thread, NULL);
    return watch.most_kib;
}

static void configure(world *w, const char *mode, const char *effect)
{
    const char *peer = peer_program();
    int mib = FLOOD_MIB;
#ifndef __OPTIMIZE__ /* reading half a gigabyte of notifications takes a second, if the compiler has had its way */
    mib = strcmp(mode, "progress-flood") == 0 ? 64 : mib;
#endif
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:flood.db\nservers:\n"
                    "  big: {command: %s, args: [%s, --mib, \"%d\", --ledger, ledger],\n"
                    "        effects: {echo: read, sleep_ms: read, check_line: read, write_line: %s}}\n",
                    peer, mode, mib, effect);
    cli_world_write(
        w, "one.yaml",
        "id: one\nsteps:\n  - {stepName: ask, instructionSet: ask, outputVariables: [a], timeoutMs: 200000,\n"
        "     retryConfig: {maxRetries: 0}}\n"
        "instructionSets: {ask: {tool: big/echo, arguments: {a: 1}}}\n");
}

static long smallest_kib(world *w)
{
    int code = 0;
    configure(w, "modern", "write");
    long kib = run_watched(w, catena_start(w, "run", "one.yaml", NULL), &code);
    assert_exit(w, code, 0);
    return kib;
}

static void assert_growth(long before_kib, long kib, const char *what)
{
    if (kib == 0) /* it ended within milliseconds, unseen */
        return;
    print_message("%s: %ld KiB above %ld KiB\n", what, kib - before_kib, before_kib);
    if (kib - before_kib > GROWTH_MIB_MAX * 1024)
        fail_msg("%s: the process grew by %ld KiB", what, kib - before_kib);
}

/* ---- floods of tool servers ---- */

/* A run against a server that floods us this way ends with that code and has not grown. */
static void run_flooded(world *w, long before_kib, const char *mode, int expected)
{
    int code = 0;
    configure(w, mode, "write");
    long kib = run_watched(w, catena_start(w, "run", "one.yaml", NULL), &code);
    assert_exit(w, code, expected);
    assert_growth(before_kib, kib, mode);
}

static void an_answer_of_500_mb_is_refused_and_kept_nowhere(void **state)
{
    world *w = *state;
    static const char *const MODES[] = {"long-line", "long-tail", "deep-line"};
    long before_kib = smallest_kib(w);
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        run_flooded(w, before_kib, MODES[i], 1);
        assert_out(w, "\"code\": \"limit\"");
        assert_out(w, "big/echo: its answer is larger than the 4 MiB that are read of one");
        assert_out(w, "valueBytes");
    }
}

static void floods_beside_the_answer_do_no_harm(void **state)
{
    world *w = *state;
    static const char *const MODES[] = {"long-notice", "progress-flood", "error-flood"};
    long before_kib = smallest_kib(w);
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++)
        run_flooded(w, before_kib, MODES[i], 0);
}

/* Nobody knows whose answer it is: the server is ended, and the read is free to fail. */
static void a_line_without_an_end_ends_the_server(void **state)
{
    world *w = *state;
    run_flooded(w, smallest_kib(w), "endless-line", 1);
    assert_out(w, "\"code\": \"transport\"");
    assert_out(w, "it sent a line of more than 512 MiB");
}

/* A write that answered too much has happened: it is not repeated, its undo runs, and a chain may go on without. */
static void a_write_whose_answer_is_too_large_is_undone_and_not_repeated(void **state)
{
    world *w = *state;
    configure(w, "long-tail", "write");
    cli_world_write(w, "two.yaml",
                    "id: two\nsteps:\n"
                    "  - {stepName: book, instructionSet: book, outputVariables: [line], rollbackAction: undo,\n"
                    "     retryConfig: {maxRetries: 3, backoffMs: 1, retryOn: [transport, timeout]}}\n"
                    "instructionSets:\n"
                    "  book: {tool: big/write_line, arguments: {line: x}}\n"
                    "  undo: {tool: big/sleep_ms, arguments: {ms: 1}}\n");
    assert_exit(w, catena(w, "run", "two.yaml", NULL), 1);
    assert_out(w, "\"status\": \"rolled_back\"");
    assert_out(w, "\"code\": \"limit\"");
    char ledger[2000];
    cli_world_read(w, "ledger", ledger, sizeof ledger);
    assert_non_null(strchr(ledger, '\n'));
    assert_string_equal(strchr(ledger, '\n'), "\n"); /* one line */

    cli_world_write(w, "three.yaml",
                    "id: three\nsteps:\n"
                    "  - {stepName: ask, instructionSet: ask, outputVariables: [a], fallback: [{value: {a: none}}]}\n"
                    "  - {stepName: more, instructionSet: ask, outputVariables: [b], onError: continue}\n"
                    "  - {stepName: fine, instructionSet: nap, outputVariables: [ms]}\n"
                    "outputs: [a, b, ms]\n"
                    "instructionSets:\n  ask: {tool: big/echo, arguments: {a: 1}}\n"
                    "  nap: {tool: big/sleep_ms, arguments: {ms: 2}}\n");
    assert_exit(w, catena(w, "run", "three.yaml", NULL), 0);
    assert_out(w, "\"a\": \"none\"");
    assert_out(w, "\"b\": null");
    assert_out(w, "\"ms\": 2");
}

/* ---- files ---- */

static void write_zeros(world *w, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 500000000), 0); /* a hole: it takes no room */
    close(fd);
}

static void files_of_500_mb_are_refused_unread(void **state)
{
    world *w = *state;
    int code = 0;
    long before = smallest_kib(w);
    write_zeros(w, "big");
    write_zeros(w, "big.yaml");
    const char *const *argv[] = {
        (const char *const[]){"run", "one.yaml", "--input", "big", NULL},
        (const char *const[]){"run", "one.yaml", "-i", "a=@big", NULL},
        (const char *const[]){"run", "big.yaml", NULL, NULL, NULL},
        (const char *const[]){"check", "big.yaml", NULL, NULL, NULL},
        (const char *const[]){"run", "one.yaml", "--config", "big.yaml", NULL},
    };
    for (size_t i = 0; i < sizeof argv / sizeof *argv; i++) {
        long kib = run_watched(w, catena_start(w, argv[i][0], argv[i][1], argv[i][2], argv[i][3], NULL), &code);
        assert_exit(w, code, 2);
        assert_err(w, "MiB that are read");
        assert_growth(before, kib, argv[i][1]);
    }
}

static void an_input_without_end_is_refused(void **state)
{
    world *w = *state;
    configure(w, "modern", "write");
    assert_int_equal(shell(w, "yes '{\"a\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}' | catena run one.yaml --input -"),
                     2);
    assert_err(w, "standard input is larger than the 8 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(an_answer_of_500_mb_is_refused_and_kept_nowhere),
        CLI_TEST(floods_beside_the_answer_do_no_harm),
        CLI_TEST(a_line_without_an_end_ends_the_server),
        CLI_TEST(a_write_whose_answer_is_too_large_is_undone_and_not_repeated),
        CLI_TEST(files_of_500_mb_are_refused_unread),
        CLI_TEST(an_input_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
