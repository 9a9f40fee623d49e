/*
 * bench_start -- W3: how long the real binary takes from its start to the first finished chain, and what it holds idle.
 *
 *     bench_start KEY CATENA DIR [RUNS [IDLE_SECONDS]]
 *
 * The chain has five native no-op steps (`native: noop` is in the binary), so no child but catena's own small one is
 * started. The clock runs from before the fork until the result stands on stdout. Each run has a folder of its own, so
 * it makes its store, too; then the same again on a store that is there. What is idle is `catena serve` on that store.
 */
#include "kit.h"
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char chain_text[] = "id: five-steps\n"
                                 "outputs: {e: \"{e}\"}\n"
                                 "instructionSets:\n"
                                 "  work: {native: noop, effect: idempotent}\n"
                                 "steps:\n"
                                 "  - {stepName: one, instructionSet: work, inputTemplate: '{text}', "
                                 "outputVariables: {a: input}}\n"
                                 "  - {stepName: two, instructionSet: work, inputTemplate: '{a}', "
                                 "outputVariables: {b: input}}\n"
                                 "  - {stepName: three, instructionSet: work, inputTemplate: '{b}', "
                                 "outputVariables: {c: input}}\n"
                                 "  - {stepName: four, instructionSet: work, inputTemplate: '{c}', "
                                 "outputVariables: {d: input}}\n"
                                 "  - {stepName: five, instructionSet: work, inputTemplate: '{d}', "
                                 "outputVariables: {e: input}}\n";

typedef struct starts {
    bench_samples first_ms, ended_ms;
} starts;

static void run_once(const char *catena, const char *folder, starts *s)
{
    const char *const argv[] = {catena, "run", "chain.yaml", "-i", "text=hello", "--quiet", NULL};
    double begin_s = bench_seconds(CLOCK_MONOTONIC);
    bench_program program = bench_program_start(argv, folder);
    char text[4096];
    ssize_t got = read(program.out, text, sizeof text);
    double first_s = bench_seconds(CLOCK_MONOTONIC);
    if (got <= 0 || !memmem(text, (size_t) got, "\"completed\"", 11))
        bench_die("catena run", "printed no result");
    if (bench_program_wait(&program) != 0)
        bench_die("catena run", "failed");
    bench_samples_add(&s->first_ms, (first_s - begin_s) * 1e3);
    bench_samples_add(&s->ended_ms, (bench_seconds(CLOCK_MONOTONIC) - begin_s) * 1e3);
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

static void measure_idle(const char *key, const char *catena, const char *folder, double idle_s)
{
    const char *const argv[] = {catena, "serve", "--quiet", NULL};
    bench_program program = bench_program_start(argv, folder);
    bench_sleep(idle_s);
    double cpu_s = bench_process_cpu_s(program.pid);
    say(key, "idle_anonymous_mib", bench_memory_mib(program.pid, "smaps_rollup", "Anonymous"));
    say(key, "idle_rss_mib", bench_memory_mib(program.pid, "status", "VmRSS"));
    say(key, "idle_rss_children_mib", bench_children_rss_mib(program.pid));
    bench_sleep(idle_s);
    say(key, "idle_cpu_ms_per_s", (bench_process_cpu_s(program.pid) - cpu_s) / idle_s * 1e3);
    if (bench_memory_mib(program.pid, "status", "VmRSS") <= 0)
        bench_die("catena serve", "did not stay");
    bench_program_end(&program, SIGTERM);
}

int main(int argc, char **argv)
{
    long runs = argc > 4 ? strtol(argv[4], NULL, 10) : 20;
    double idle_s = argc > 5 ? strtod(argv[5], NULL) : 4;
    if (argc < 4 || runs < 1) {
        fprintf(stderr, "usage: bench_start KEY CATENA DIR [RUNS [IDLE_SECONDS]]\n");
        return 2;
    }
    starts fresh = {0}, again = {0};
    char folder[BENCH_PATH_MAX];
    for (long i = 0; i < runs; i++) {
        snprintf(folder, sizeof folder, "%s/start.%ld", argv[3], i);
        if (mkdir(folder, 0700) != 0)
            bench_die(folder, strerror(errno));
        bench_file_write(folder, "chain.yaml", chain_text);
        run_once(argv[2], folder, &fresh);
        run_once(argv[2], folder, &again);
    }
    say(argv[1], "first_chain_ms", bench_samples_at(&fresh.first_ms, 0.5));
    say(argv[1], "first_chain_p90_ms", bench_samples_at(&fresh.first_ms, 0.9));
    say(argv[1], "exit_ms", bench_samples_at(&fresh.ended_ms, 0.5));
    say(argv[1], "first_chain_store_there_ms", bench_samples_at(&again.first_ms, 0.5));
    say(argv[1], "exit_store_there_ms", bench_samples_at(&again.ended_ms, 0.5));
    bench_samples_free(&fresh.first_ms);
    bench_samples_free(&fresh.ended_ms);
    bench_samples_free(&again.first_ms);
    bench_samples_free(&again.ended_ms);
    measure_idle(argv[1], argv[2], folder, idle_s);
    return 0;
}
