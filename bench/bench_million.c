/*
 * bench_million -- W6: one execution of so many steps, in the real binary.
 *
 *     bench_million KEY CATENA DIR STEPS
 *
 * `catena run` of a chain that is one foreach over a range, with nothing collected and limits.steps raised. A
 * connection of our own looks every 20 ms how far the journal is: the cost of a step in the first and in the last
 * tenth, the process's own CPU as well as the time, and the memory at those places.
 */
#include "kit.h"
#include "program.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config_text[] = "store: sqlite:million.db\n"
                                  "limits: {steps: %ld}\n";

static const char chain_text[] = "id: million\n"
                                 "steps:\n"
                                 "  - stepName: each\n"
                                 "    instructionSet: work\n"
                                 "    foreach: {items: {range: [0, %ld]}, maxConcurrency: 64}\n"
                                 "    outputVariables: []\n"
                                 "instructionSets:\n"
                                 "  work: {native: noop, effect: idempotent, arguments: {n: \"{item}\"}}\n";

typedef struct place {
    double steps, at_s, cpu_s, anonymous_mib;
} place;

static double rows_in(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    double rows = 0;
    if (sqlite3_prepare_v2(db, "SELECT max(position) FROM execution_journal", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        rows = sqlite3_column_double(stmt, 0);
    sqlite3_finalize(stmt);
    return rows;
}

static place here(sqlite3 *db, pid_t pid)
{
    return (place){.steps = rows_in(db),
                   .at_s = bench_seconds(CLOCK_MONOTONIC),
                   .cpu_s = bench_process_cpu_s(pid),
                   .anonymous_mib = bench_memory_mib(pid, "smaps_rollup", "Anonymous")};
}

/* The first look at or after so many steps. */
static place wait_for(sqlite3 *db, pid_t pid, double steps)
{
    for (;;) {
        place p = here(db, pid);
        if (p.steps >= steps)
            return p;
        if (p.anonymous_mib <= 0)
            bench_die("catena run", "ended before it was there");
        bench_sleep(0.020);
    }
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

static void say_between(const char *key, const char *which, const place *a, const place *b)
{
    char name[64];
    snprintf(name, sizeof name, "%s_us_per_step", which);
    say(key, name, (b->at_s - a->at_s) / (b->steps - a->steps) * 1e6);
    snprintf(name, sizeof name, "%s_cpu_us_per_step", which);
    say(key, name, (b->cpu_s - a->cpu_s) / (b->steps - a->steps) * 1e6);
    snprintf(name, sizeof name, "%s_anonymous_mib", which);
    say(key, name, b->anonymous_mib);
}

int main(int argc, char **argv)
{
    long steps = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    if (steps < 1000) {
        fprintf(stderr, "usage: bench_million KEY CATENA DIR STEPS (1000 or more)\n");
        return 2;
    }
    char text[1024], file[BENCH_PATH_MAX];
    snprintf(text, sizeof text, config_text, steps + 10);
    bench_file_write(argv[3], "catena.yaml", text);
    snprintf(text, sizeof text, chain_text, steps);
    bench_file_write(argv[3], "million.yaml", text);
    const char *const run[] = {argv[2], "run", "million.yaml", "--quiet", NULL};
    snprintf(file, sizeof file, "%s/million.db", argv[3]);

    double begin_s = bench_seconds(CLOCK_MONOTONIC);
    bench_program program = bench_program_start(run, argv[3]);
    sqlite3 *db = NULL;
    for (int tries = 0; sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK || rows_in(db) < 1;
         tries++) {
        sqlite3_close(db);
        if (tries == 500)
            bench_die(file, "is not made");
        bench_sleep(0.020);
    }
    place tenth[4] = {wait_for(db, program.pid, 2), wait_for(db, program.pid, (double) steps * 0.1),
                      wait_for(db, program.pid, (double) steps * 0.9),
                      wait_for(db, program.pid, (double) steps * 0.999)};
    sqlite3_close(db);
    double peak_mib = bench_peak_mib(program.pid);
    char result[4096];
    ssize_t got = read(program.out, result, sizeof result);
    double took_s = bench_seconds(CLOCK_MONOTONIC) - begin_s;
    if (got <= 0 || !memmem(result, (size_t) got, "\"completed\"", 11) || bench_program_wait(&program) != 0)
        bench_die("catena run", "did not complete");
    say(argv[1], "steps", (double) steps);
    say(argv[1], "steps_per_s", (double) steps / took_s);
    say_between(argv[1], "first_tenth", &tenth[0], &tenth[1]);
    say_between(argv[1], "last_tenth", &tenth[2], &tenth[3]);
    say(argv[1], "rss_mib", peak_mib);
    bench_store_remove(file);
    return 0;
}
