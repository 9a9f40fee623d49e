/*
 * bench_limits -- what the disk and SQLite give to the plainest program.
 *
 *     bench_limits KEY DIR SECONDS [rows a transaction]...     prints KEY/sqlite_rows_per_s/N for each, and, when
 *                                                              none is given, for 1, 100 and 1000, and KEY/fdatasync_ms
 *
 * Rows: one thread, one prepared INSERT, into the journal table of a store that the store itself has made, with rows of
 * W1's size and keys: 256 executions in turn, seven entries each, then the next 256. Synchronous FULL, SQLite's
 * own checkpoints. The table comes from the store, so it is whatever the schema says today; columns that the
 * statement does not name stay empty, as they do in W1.
 *
 * fdatasync: the median of appending 4 KiB and syncing, on the same folder.
 */
#include "kit.h"
#include "step.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXECUTIONS 256
#define ENTRIES    7

static void must(int rc, sqlite3 *db)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
        bench_die("raw rows", sqlite3_errmsg(db));
}

static void run(sqlite3 *db, const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL), db);
}

/* As the journal has the result of a step in W1. */
static ctn_str body_of_a_step(ctn_arena *arena)
{
    ctn_json_builder args = ctn_json_object(arena), previous = ctn_json_object(arena), body = ctn_json_object(arena);
    ctn_json_put_int(&previous, "step", 2);
    ctn_json_put_int(&previous, "total", 3);
    ctn_json_put_int(&args, "chain", 123456);
    ctn_json_put(&args, CTN_STR("previous"), ctn_json_finish(&previous));
    ctn_json_put(&body, CTN_STR("variables"), bench_step(arena, ctn_json_finish(&args)));
    return ctn_json_to_str(arena, ctn_json_finish(&body));
}

static void insert_one(sqlite3 *db, sqlite3_stmt *insert, uint64_t row, ctn_str body)
{
    static const unsigned char HASH[32] = "as random as a hash, for SQLite";
    uint64_t round = row / (EXECUTIONS * ENTRIES), within = row % (EXECUTIONS * ENTRIES);
    must(sqlite3_bind_int64(insert, 1, (sqlite3_int64) (round * EXECUTIONS + within % EXECUTIONS + 1)), db);
    must(sqlite3_bind_int64(insert, 2, (sqlite3_int64) (within / EXECUTIONS + 1)), db);
    must(sqlite3_bind_int64(insert, 3, (sqlite3_int64) (1790000000000 + row / 100)), db);
    must(sqlite3_bind_text(insert, 4, body.ptr, (int) body.len, SQLITE_STATIC), db);
    must(sqlite3_bind_blob(insert, 5, HASH, sizeof HASH, SQLITE_STATIC), db);
    if (sqlite3_step(insert) != SQLITE_DONE)
        bench_die("raw rows", sqlite3_errmsg(db));
    must(sqlite3_reset(insert), db);
}

static double rows_per_s(const char *dir, uint64_t rows_a_transaction, double span_s)
{
    char file[BENCH_PATH_MAX], url[BENCH_PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/limits.db", dir);
    snprintf(url, sizeof url, "sqlite:%s", file);
    bench_store_remove(file);
    ctn_err err = {0};
    ctn_store *store = NULL;
    bench_must(ctn_store_open(url, CTN_STORE_CREATE, &store, &err), "store", &err);
    ctn_store_close(store);

    sqlite3 *db = NULL;
    sqlite3_stmt *begin, *commit, *insert;
    must(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), db);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;");
    must(sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL), db);
    must(sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL), db);
    must(sqlite3_prepare_v2(db,
                            "INSERT INTO execution_journal(exec_no, seq, at_ms, kind, step, attempt, actor, body, hash)"
                            " VALUES(?1, ?2, ?3, 'attempt_succeeded', 'three', 1, 'engine', ?4, ?5)",
                            -1, &insert, NULL),
         db);
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str body = body_of_a_step(arena);
    uint64_t rows = 0, counted_from = 0;
    double begin_s = bench_seconds(CLOCK_MONOTONIC), warm_until_s = begin_s + span_s / 5, now_s = begin_s;
    bool is_warm = false;
    while (now_s - begin_s < span_s || !is_warm) {
        if (!is_warm && now_s >= warm_until_s)
            is_warm = true, begin_s = now_s, counted_from = rows;
        must(sqlite3_step(begin), db), must(sqlite3_reset(begin), db);
        for (uint64_t i = 0; i < rows_a_transaction; i++)
            insert_one(db, insert, rows++, body);
        must(sqlite3_step(commit), db), must(sqlite3_reset(commit), db);
        now_s = bench_seconds(CLOCK_MONOTONIC);
    }
    ctn_arena_free(arena);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    bench_store_remove(file);
    return (double) (rows - counted_from) / (now_s - begin_s);
}

static double fdatasync_ms(const char *dir, double span_s)
{
    char path[BENCH_PATH_MAX], block[4096];
    memset(block, 'x', sizeof block);
    snprintf(path, sizeof path, "%s/limits.bin", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die(path, strerror(errno));
    bench_samples took_ms = {0};
    double begin_s = bench_seconds(CLOCK_MONOTONIC), now_s = begin_s;
    while (now_s - begin_s < span_s) {
        if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0)
            bench_die(path, strerror(errno));
        double then_s = now_s;
        now_s = bench_seconds(CLOCK_MONOTONIC);
        bench_samples_add(&took_ms, (now_s - then_s) * 1e3);
    }
    close(fd);
    unlink(path);
    double median_ms = bench_samples_at(&took_ms, 0.5);
    bench_samples_free(&took_ms);
    return median_ms;
}

int main(int argc, char **argv)
{
    double span_s = argc >= 4 ? strtod(argv[3], NULL) : 0;
    if (span_s <= 0) {
        fprintf(stderr, "usage: bench_limits KEY DIR SECONDS [rows a transaction]...\n");
        return 2;
    }
    const char *const ALL[] = {"1", "100", "1000"};
    const char *const *which = argc > 4 ? (const char *const *) &argv[4] : ALL;
    int count = argc > 4 ? argc - 4 : 3;
    char key[256];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%s/sqlite_rows_per_s/%s", argv[1], which[i]);
        bench_say(key, rows_per_s(argv[2], strtoull(which[i], NULL, 10), span_s));
    }
    if (argc == 4) {
        snprintf(key, sizeof key, "%s/fdatasync_ms", argv[1]);
        bench_say(key, fdatasync_ms(argv[2], span_s));
    }
    return 0;
}
