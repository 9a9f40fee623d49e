/*
 * test_backup.c -- a backup is whole, of one moment, and goes on as a store; while the store is written to, and however
 * it ends.
 */
#include "cli_kit.h"

#include "base/arena.h"
#include "store/sqlite/sqlite.h"
#include "store/verify.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void make_store(world *w)
{
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml']\n");
    cli_world_write(w, "hello.chain.yaml",
                    "id: hello\noutputs: [greeting]\n"
                    "instructionSets:\n"
                    "  say: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n"
                    "steps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n");
    cli_world_write(w, "asks.chain.yaml",
                    "id: asks\ninstructionSets: {ask: {approval: {message: go on?}}}\n"
                    "steps:\n  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "slow.chain.yaml",
                    "id: slow\ninstructionSets: {rest: {wait: {ms: 3000}}}\n"
                    "steps:\n  - {stepName: rest, instructionSet: rest}\n");
    assert_exit(w, catena(w, "run", "hello", "-i", "name=Ann", NULL), 0);
}

static const char *path_in(const world *w, const char *name, char path[300])
{
    snprintf(path, 300, "%s/%s", w->folder, name);
    return path;
}

static int64_t number_of(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

static void fail_finding(void *ctx, const ctn_verify_finding *f)
{
    (void) ctx;
    fail_msg("number %" PRId64 ", entry %" PRIu64 ": %.*s", f->exec_no, f->seq, CTN_STR_ARG(f->what));
}

static ctn_verify_report verify(const char *path)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    ctn_verify_report report = {0};
    ctn_verify_options options = {.on_finding = fail_finding};
    if (ctn_store_open(path, CTN_STORE_READ, &store, &err) || ctn_store_verify(store, &options, &report, &err))
        fail_msg("%s", err.message);
    ctn_store_close(store);
    return report;
}

/* ---- beside a busy owner ---- */

/* One execution that has run is the pattern of all others: hashes cover entries, and these do not name it. */
typedef struct load {
    char path[300];
    ctn_arena *arena;
    ctn_execution_row row;
    ctn_record records[16];
    size_t count;
    pthread_t thread;
    atomic_bool is_over;
    atomic_llong acknowledged; /* every number up to here */
    int failed;
} load;

static int take_record(void *ctx, const ctn_record *r, int64_t position)
{
    load *l = ctx;
    (void) position;
    assert_true(l->count < 16);
    l->records[l->count] = *r;
    l->records[l->count].step = ctn_arena_str(l->arena, r->step);
    l->records[l->count].actor = ctn_arena_str(l->arena, r->actor);
    l->records[l->count++].body = ctn_arena_str(l->arena, r->body);
    return 0;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum { BATCH = 64 };

static int commit_batch(load *l, ctn_store *store, uint64_t epoch, int64_t first)
{
    ctn_execution_row rows[BATCH];
    ctn_append appends[BATCH];
    ctn_outcome outcomes[BATCH];
    for (int i = 0; i < BATCH; i++) {
        rows[i] = l->row;
        rows[i].exec_no = first + i;
        memcpy(rows[i].id.bytes, &rows[i].exec_no, sizeof rows[i].exec_no);
        appends[i] = (ctn_append){
            .exec_no = first + i, .epoch = epoch, .row = &rows[i], .records = l->records, .count = l->count};
    }
    int rc = ctn_store_commit(store, appends, BATCH, outcomes, NULL);
    for (int i = 0; i < BATCH && rc == 0; i++)
        rc = outcomes[i] != CTN_OUTCOME_ACCEPTED;
    return rc;
}

/* Some 4,000 executions a second. */
static void *write_on(void *ctx)
{
    load *l = ctx;
    ctn_store *store = NULL;
    uint64_t epoch = 0;
    bool was_crash;
    l->failed = ctn_store_open(l->path, CTN_STORE_WRITE, &store, NULL) ||
                ctn_store_epoch_begin(store, &epoch, &was_crash, NULL);
    int64_t due_us = now_us();
    while (!l->failed && !atomic_load(&l->is_over)) {
        int64_t last = atomic_load(&l->acknowledged);
        l->failed = commit_batch(l, store, epoch, last + 1);
        atomic_store(&l->acknowledged, last + BATCH);
        due_us += 16000;
        int64_t rest_us = due_us - now_us();
        if (rest_us > 0)
            usleep((useconds_t) rest_us);
        else
            due_us = now_us();
    }
    ctn_store_close(store);
    return NULL;
}

static void begin_load(load *l, const world *w)
{
    ctn_store *store = NULL;
    path_in(w, "catena.db", l->path);
    l->arena = ctn_arena_new(4096);
    assert_int_equal(ctn_store_open(l->path, CTN_STORE_READ, &store, NULL), 0);
    assert_int_equal(ctn_store_execution_by_no(store, l->arena, 1, &l->row, NULL), 0);
    assert_int_equal(ctn_store_journal_read(store, 1, 1, take_record, l, NULL), 0);
    ctn_store_close(store);
    atomic_store(&l->acknowledged, 1);
    assert_int_equal(pthread_create(&l->thread, NULL, write_on, l), 0);
}

static void await(const load *l, int64_t acknowledged)
{
    while (atomic_load(&l->acknowledged) < acknowledged && !l->failed)
        usleep(500);
}

typedef struct copying {
    const load *l;
    int steps;
    int64_t goal;
} copying;

/* Between two pieces of the copy the owner always gets on: a copy that began anew with each write would never end. */
static void on_progress(void *ctx, const ctn_backup_report *r)
{
    copying *c = ctx;
    (void) r;
    c->steps++;
    c->goal = atomic_load(&c->l->acknowledged) + 100;
    await(c->l, c->goal);
    assert_true(c->steps < 200);
}

static void a_backup_beside_a_busy_owner_is_of_one_moment_and_holds_what_was_acknowledged(void **state)
{
    world *w = *state;
    static load l;
    char to[300], name[32];
    make_store(w);
    begin_load(&l, w);
    int64_t began_us = now_us();
    int64_t acknowledged[3];
    copying c = {.l = &l};
    await(&l, 4000);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "backup-%d.db", i);
        ctn_backup_options options = {.path = path_in(w, name, to), .on_progress = on_progress, .ctx = &c};
        ctn_backup_report report;
        ctn_err err = {0};
        acknowledged[i] = atomic_load(&l.acknowledged);
        if (ctn_store_backup(l.path, &options, &report, &err))
            fail_msg("%s", err.message);
        assert_int_equal(report.pages, report.pages_total);
    }
    int64_t span_us = now_us() - began_us, ended = atomic_load(&l.acknowledged);
    atomic_store(&l.is_over, true);
    pthread_join(l.thread, NULL);
    assert_int_equal(l.failed, 0);
    print_message("%" PRId64 " executions a second while 3 backups were made in %d pieces\n", ended * 1000000 / span_us,
                  c.steps);
#ifndef __SANITIZE_ADDRESS__
    assert_true(ended * 1000000 / span_us >= 1000);
#endif
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "backup-%d.db", i);
        ctn_verify_report report = verify(path_in(w, name, to));
        assert_true(report.executions >= acknowledged[i]);
        assert_int_equal(report.executions, number_of(to, "SELECT max(exec_no) FROM chain_executions"));
        assert_int_equal(report.executions % BATCH, 1); /* whole transactions */
    }
    verify(l.path);
    ctn_arena_free(l.arena);
}

/* ---- what becomes of it ---- */

static void what_was_under_way_goes_on_in_a_restored_store(void **state)
{
    world *w = *state;
    char asks[64], slow[64], path[300], meta[64];
    make_store(w);
    running serve = catena_start(w, "serve", NULL);
    for (int i = 0; i < 1000 && !cli_world_has(w, "catena.db.sock"); i++) /* it is the owner */
        usleep(10000);
    assert_exit(w, catena(w, "start", "asks", NULL), 0);
    newest_id(w, asks);
    assert_exit(w, catena(w, "start", "slow", NULL), 0);
    newest_id(w, slow);
    for (int i = 0; i < 100 && number_of(path_in(w, "catena.db", path),
                                         "SELECT count(*) FROM chain_executions WHERE status = 'waiting'") < 2;
         i++)
        usleep(50000);
    assert_exit(w, catena(w, "store", "backup", "copy.db", NULL), 0);
    assert_int_equal(kill(serve.pid, SIGTERM), 0);
    running_wait(w, &serve);
    struct stat info;
    assert_int_equal(stat(path_in(w, "copy.db", path), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_false(cli_world_has(w, "copy.db.part"));
    assert_exit(w, catena(w, "store", "verify", "--store", "copy.db", NULL), 0);
    snprintf(meta, sizeof meta, "SELECT is_clean FROM meta");
    assert_int_equal(number_of(path, meta), 0);
    assert_exit(w, catena(w, "answer", asks, "ask", "{\"approved\": true}", "--store", "copy.db", NULL), 0);
    assert_exit(w, catena(w, "resume", slow, "--store", "copy.db", NULL), 0);
    assert_exit(w, catena(w, "store", "verify", "--store", "copy.db", NULL), 0);
    assert_exit(w, catena(w, "show", asks, NULL), 0); /* the store it was copied from knows nothing of that */
    assert_out(w, "waiting");
    assert_exit(w, catena(w, "store", "audit", "--store", "copy.db", NULL), 0);
    assert_out(w, "store.backup");
}

/* Said good-bye or not: the restored one does not know what was done after it. */
static void a_backup_of_a_store_at_rest_is_restored_as_after_a_crash(void **state)
{
    world *w = *state;
    char path[300];
    make_store(w);
    assert_int_equal(number_of(path_in(w, "catena.db", path), "SELECT is_clean FROM meta"), 1);
    assert_exit(w, catena(w, "store", "backup", "copy.db", "--json", NULL), 0);
    assert_out(w, "\"backup\":\"copy.db\"");
    assert_int_equal(number_of(path, "SELECT is_clean FROM meta"), 1);
    assert_int_equal(number_of(path_in(w, "copy.db", path), "SELECT is_clean FROM meta"), 0);
}

static void a_store_of_the_past_is_copied_before_it_is_migrated(void **state)
{
    world *w = *state;
    char path[300], copy[300];
    ctn_store_version version;
    ctn_backup_report report;
    path_in(w, "old.db", path);
    assert_int_equal(ctn_sqlite_make_old(path, 1, NULL), 0);
    ctn_backup_options options = {.path = path_in(w, "copy.db", copy)};
    assert_int_equal(ctn_store_backup(path, &options, &report, NULL), 0);
    assert_int_equal(ctn_store_version_read(copy, &version, NULL), 0);
    assert_int_equal(version.found, 1);
}

/* ---- what is there is not lost ---- */

static void nothing_is_replaced_unasked(void **state)
{
    world *w = *state;
    char path[300];
    make_store(w);
    cli_world_write(w, "there.db", "%s", "somebody's");
    assert_exit(w, catena(w, "store", "backup", "there.db", NULL), 2);
    assert_err(w, "is there already; --force replaces it");
    assert_exit(w, catena(w, "store", "backup", "catena.db", "--force", NULL), 2);
    assert_err(w, "is the store itself");
    assert_exit(w, catena(w, "store", "backup", w->folder, "--force", NULL), 2);
    assert_err(w, "is a folder");
    assert_exit(w, catena(w, "store", "backup", "no/such/copy.db", NULL), 2);
    assert_exit(w, catena(w, "store", "backup", "copy.db", "--store", "memory:x", NULL), 2);
    assert_exit(w, catena(w, "store", "backup", "copy.db", "--store", "nothing.db", NULL), 2);
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_lacks(w->said.out, "store.backup"); /* none of these was one */
    cli_world_write(w, "used.db", "%s", "a store");
    cli_world_write(w, "used.db-wal", "%s", "its log");
    assert_exit(w, catena(w, "store", "backup", "used.db", "--force", NULL), 2);
    assert_err(w, "its log stands beside it");
    assert_exit(w, catena(w, "store", "backup", "there.db", "--force", NULL), 0);
    verify(path_in(w, "there.db", path));
    char text[32];
    cli_world_read(w, "used.db", text, sizeof text);
    assert_string_equal(text, "a store");
}

static void one_that_was_killed_leaves_nothing_under_the_name(void **state)
{
    world *w = *state;
    char path[300];
    make_store(w);
    /* The system ends it when the file grows past 64 KiB. */
    assert_true(shell(w, "ulimit -f 128; exec catena store backup copy.db") != 0);
    assert_false(cli_world_has(w, "copy.db"));
    assert_exit(w, catena(w, "store", "backup", "copy.db", NULL), 0);
    assert_false(cli_world_has(w, "copy.db.part"));
    verify(path_in(w, "copy.db", path));
}

static void a_full_disk_is_told_and_leaves_nothing(void **state)
{
    world *w = *state;
    make_store(w);
    /* Ignored, the signal is an error of the write. */
    assert_exit(w, shell(w, "trap '' XFSZ; ulimit -f 128; exec catena store backup copy.db"), 2);
    assert_err(w, "backup");
    assert_false(cli_world_has(w, "copy.db"));
    assert_false(cli_world_has(w, "copy.db.part"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_backup_beside_a_busy_owner_is_of_one_moment_and_holds_what_was_acknowledged),
        CLI_TEST(what_was_under_way_goes_on_in_a_restored_store),
        CLI_TEST(a_backup_of_a_store_at_rest_is_restored_as_after_a_crash),
        CLI_TEST(a_store_of_the_past_is_copied_before_it_is_migrated),
        CLI_TEST(nothing_is_replaced_unasked),
        CLI_TEST(one_that_was_killed_leaves_nothing_under_the_name),
        CLI_TEST(a_full_disk_is_told_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
