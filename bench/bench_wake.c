/*
 * bench_wake -- W5: how long `catena serve` takes on a large store until it goes on with what was cut off.
 *
 *     bench_wake KEY CATENA DIR STORE_FILE [IDLE_SECONDS]
 *
 * The store has executions whose engine died between two steps (bench_fill cut). The clock runs from before the fork
 * until the first new result of a step is on disk; a connection of our own looks every millisecond. Then, when all of
 * them have ended: what the process holds, and what it does in so many seconds with nothing to do.
 */
#include "kit.h"
#include "program.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENOUGH_S 60.0

static sqlite3_int64 ask(sqlite3 *db, const char *sql, sqlite3_int64 number)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        bench_die("the store", sqlite3_errmsg(db));
    sqlite3_int64 answer = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return answer;
}

/* Waits until the query tells 1; the time since begin_s in ms. */
static double until_ms(sqlite3 *db, const char *sql, sqlite3_int64 number, double begin_s)
{
    for (;;) {
        double now_s = bench_seconds(CLOCK_MONOTONIC);
        if (ask(db, sql, number))
            return (now_s - begin_s) * 1e3;
        if (now_s - begin_s > ENOUGH_S)
            bench_die("catena serve", "does not go on with what was cut off");
        bench_sleep(0.001);
    }
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bench_wake KEY CATENA DIR STORE_FILE [IDLE_SECONDS]\n");
        return 2;
    }
    const char *key = argv[1];
    double idle_s = argc > 5 ? strtod(argv[5], NULL) : 4;
    char config[BENCH_PATH_MAX + 128];
    /* What bench_fill made ended long ago; it is to stay. */
    snprintf(config, sizeof config, "store: sqlite:%s\nretention: {completed: forever, failed: forever}\n", argv[4]);
    bench_file_write(argv[3], "catena.yaml", config);

    sqlite3 *db = NULL;
    if (sqlite3_open_v2(argv[4], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(db, 10000) != SQLITE_OK)
        bench_die(argv[4], sqlite3_errmsg(db));
    sqlite3_int64 before = ask(db, "SELECT max(position) FROM execution_journal WHERE 0 < ?1 + 1", 0);
    sqlite3_int64 running =
        ask(db, "SELECT count(*) FROM chain_executions WHERE finished_at_ms IS NULL AND wake_at_ms = ?1", 1);
    if (running == 0)
        bench_die(argv[4], "has nothing that was cut off");
    say(key, "journal_rows", (double) before);
    say(key, "finished", (double) ask(db, "SELECT count(*) FROM chain_executions WHERE finished_at_ms > ?1", 0));
    say(key, "parked",
        (double) ask(db, "SELECT count(*) FROM chain_executions WHERE status = 'waiting' AND exec_no > ?1", 0));
    say(key, "cut_off", (double) running);

    const char *const argv_serve[] = {argv[2], "serve", "--quiet", NULL};
    double begin_s = bench_seconds(CLOCK_MONOTONIC);
    bench_program program = bench_program_start(argv_serve, argv[3]);
    say(key, "first_step_ms",
        until_ms(db,
                 "SELECT EXISTS(SELECT 1 FROM execution_journal WHERE position > ?1 AND kind = 'attempt_succeeded')",
                 before, begin_s));
    say(key, "all_resumed_ms",
        until_ms(db,
                 "SELECT NOT EXISTS(SELECT 1 FROM chain_executions WHERE finished_at_ms IS NULL AND wake_at_ms = ?1)",
                 1, begin_s));
    sqlite3_close(db);
    bench_sleep(idle_s / 2);
    double cpu_s = bench_process_cpu_s(program.pid);
    bench_sleep(idle_s);
    say(key, "idle_cpu_ms_per_s", (bench_process_cpu_s(program.pid) - cpu_s) / idle_s * 1e3);
    say(key, "idle_anonymous_mib", bench_memory_mib(program.pid, "smaps_rollup", "Anonymous"));
    say(key, "idle_rss_mib", bench_memory_mib(program.pid, "status", "VmRSS"));
    (void) bench_program_end(&program, SIGTERM);
    return 0;
}
