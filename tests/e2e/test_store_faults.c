/*
 * A store that fails beneath the real binary: no room, a lock held by another process, a file that is moved away,
 * replaced or robbed of its log, one that may not be written, one of another time or kind, broken pages. What is asked
 * each time: progress stops and says so (once, not at each try), nothing that was acknowledged is lost, nothing is done
 * twice, and when the cause is gone it goes on by itself; how long that takes is printed.
 */
#include "left.h"

#include "store/sqlite/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOES_ON_MS 6000 /* a retry comes after a second, a wait for a lock takes two; the rest is a slow machine */

static const char *path_in(const world *w, const char *name, char path[600])
{
    snprintf(path, 600, "%s/%s", w->folder, name);
    return path;
}

/* ---- the world ---- */

static void prepare(world *w)
{
    const char *peer = peer_program();
    cli_world_write(w, "chains.yaml",
                    "instructionSets:\n"
                    "  write: {tool: desk/write_line, arguments: {line: 'once'}}\n"
                    "  rest: {wait: {ms: 1}}\n");
    cli_world_write(w, "quick.yaml", "id: quick\nsteps:\n  - {stepName: rest, instructionSet: rest}\n");
    cli_world_write(w, "slow.yaml",
                    "id: slow\nsteps:\n"
                    "  - {stepName: write, instructionSet: write, outputVariables: {said: line}}\n"
                    "  - {stepName: rest, instructionSet: rest, dependsOn: [write]}\n");
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:t.db\n"
                    "servers:\n"
                    "  desk: {command: %s, args: [--ledger, %s/ledger, --delay-after, \"700\"], trusted: true,\n"
                    "         effects: {write_line: write}}\n"
                    "include: [chains.yaml, quick.yaml, slow.yaml]\n",
                    peer, w->folder);
}

static void start_acknowledged(world *w, const char *chain, char *id)
{
    assert_exit(w, catena(w, "start", chain, "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_int_equal(strlen(id), 36);
}

/* It was told that what it asked for is on disk. (It may be told at once that this cannot be.) */
static bool is_acknowledged(running *r)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t) r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == r->pid &&
           info.si_code == CLD_EXITED && info.si_status == 0;
}

/* As the store says it. */
static ctn_status status_of(const world *w, const char *id)
{
    char url[700];
    ctn_store *store = NULL;
    ctn_execution_row row = {.status = CTN_STATUS_QUEUED};
    ctn_execution_id parsed;
    ctn_arena *arena = ctn_arena_new(4096);
    snprintf(url, sizeof url, "sqlite:%s/t.db", w->folder);
    assert_int_equal(ctn_id_parse(ctn_str_from(id), &parsed, NULL), CTN_OK);
    if (ctn_store_open(url, CTN_STORE_READ, &store, NULL) == CTN_OK)
        (void) ctn_store_execution_get(store, arena, parsed, &row, NULL);
    ctn_store_close(store);
    ctn_arena_free(arena);
    return row.status;
}

static int64_t await_completed(world *w, const char *id, const char *what)
{
    int64_t since_ms = now_ms();
    while (status_of(w, id) != CTN_STATUS_COMPLETED) {
        if (now_ms() - since_ms > 3 * GOES_ON_MS)
            fail_msg("%s: %s is still %s", what, id, ctn_status_name(status_of(w, id)));
        usleep(5000);
    }
    return now_ms() - since_ms;
}

static size_t deeds(world *w)
{
    static char ledger[8192];
    cli_world_read(w, "ledger", ledger, sizeof ledger);
    return count_in(ledger, "write_line");
}

/* ---- a store that fails for a while ---- */

typedef struct fault {
    const char *name;
    void (*begin)(world *w, pid_t owner);
    void (*end)(world *w, pid_t owner);
    const char *said; /* in the log of the owner */
    useconds_t lasts_us;
} fault;

static void no_room(world *w, pid_t owner)
{
    struct rlimit limit;
    (void) w;
    assert_int_equal(prlimit(owner, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = 0; /* no file may grow, or be written at all */
    assert_int_equal(prlimit(owner, RLIMIT_FSIZE, &limit, NULL), 0);
}
static void fails_and_heals(world *w, const fault *f)
{
    char done[64], in_flight[64];
    prepare(w);
    running owner = running_serve(w, "t.db");
    start_acknowledged(w, "quick", done);
    (void) await_completed(w, done, "before");
    start_acknowledged(w, "slow", in_flight);
    cli_world_await(w, "ledger", "write_line"); /* it is written, and the answer is on its way for 700 ms more */
    f->begin(w, owner.pid);
    running asking = catena_start(w, "start", "quick", "--json", NULL);
    if (f->begin == no_room) {
        usleep(1500000);
        assert_exit(w, catena(w, "list", NULL), 0);
        assert_err(w, "which owns the store, cannot write it for ");
    }
    usleep(f->lasts_us); /* the answer has come meanwhile, and some tries were made */
    if (is_acknowledged(&asking))
        fail_msg("%s: a start was acknowledged that is on no disk", f->name);
    assert_int_equal(waitpid(owner.pid, NULL, WNOHANG), 0);
    f->end(w, owner.pid);
    int64_t since_ms = now_ms();
    char asked[64] = "";
    if (running_wait(w, &asking) == 0)
        json_text(w->said.out, "executionId", asked);
    else
        assert_err(w, "t.db"); /* refused with a sentence about the store; asked again it is taken */
    if (!asked[0])
        start_acknowledged(w, "quick", asked);
    (void) await_completed(w, asked, f->name);
    (void) await_completed(w, in_flight, f->name);
    int64_t took_ms = now_ms() - since_ms;
    assert_int_equal(status_of(w, done), CTN_STATUS_COMPLETED);
    assert_int_equal(deeds(w), 1); /* what was in flight was not done again */
    running_stop(w, &owner);
    assert_int_equal(count_in(w->said.err, "the store cannot be written"), 1);
    assert_int_equal(count_in(w->said.err, "the store can be written again"), 1);
    assert_err(w, f->said);
    assert_true(took_ms < GOES_ON_MS);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
    print_message("%s: goes on by itself after %lld ms\n", f->name, (long long) took_ms);
}

static void room(world *w, pid_t owner)
{
    struct rlimit limit;
    (void) w;
    assert_int_equal(prlimit(owner, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(prlimit(owner, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void without_room_it_waits_and_goes_on(void **state)
{
    fails_and_heals(*state, &(fault){"no room on the disk", no_room, room, "a write failed", 1500000});
}

/* Somebody with the sqlite3 shell, in a transaction that he forgot. */
static pid_t locker_;
static void lock(world *w, pid_t owner)
{
    int ready[2];
    char path[600], byte;
    (void) owner;
    assert_int_equal(pipe(ready), 0);
    path_in(w, "t.db", path);
    locker_ = fork();
    if (locker_ == 0) {
        sqlite3 *db = NULL;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bool is_held = sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
                       sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK;
        (void) !write(ready[1], is_held ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(byte, 'y');
}
static void unlock(world *w, pid_t owner)
{
    (void) w, (void) owner;
    kill(locker_, SIGKILL);
    assert_int_equal(waitpid(locker_, NULL, 0), locker_);
}

static void beside_a_lock_it_waits_and_goes_on(void **state)
{
    fails_and_heals(*state,
                    &(fault){"locked by another process", lock, unlock, "is locked by another process", 5500000});
}

static void move(world *w, const char *from, const char *to)
{
    char a[600], b[600];
    assert_int_equal(rename(path_in(w, from, a), path_in(w, to, b)), 0);
}
static void move_away(world *w, pid_t owner)
{
    (void) owner;
    move(w, "t.db", "away.db");
}
static void move_back(world *w, pid_t owner)
{
    (void) owner;
    move(w, "away.db", "t.db");
}

static void moved_away_it_waits_and_goes_on_when_it_is_back(void **state)
{
    fails_and_heals(*state, &(fault){"moved away", move_away, move_back, "was moved, replaced or deleted", 2200000});
}

static void replace(world *w, pid_t owner)
{
    (void) owner;
    move(w, "t.db", "away.db");
    assert_exit(w, catena(w, "store", "init", "--store", "sqlite:other.db", NULL), 0);
    move(w, "other.db", "t.db");
}
static void replace_back(world *w, pid_t owner)
{
    (void) owner;
    move(w, "away.db", "t.db");
}

static void another_file_in_its_place_is_not_written(void **state)
{
    fails_and_heals(*state, &(fault){"replaced by another store", replace, replace_back,
                                     "was moved, replaced or deleted", 3000000});
}

/* Nothing can make a log whole again whose name is gone; but what was acknowledged is saved, and it is said. */
static void a_deleted_log_costs_a_restart_and_nothing_else(void **state)
{
    world *w = *state;
    char done[64], saved[64], path[600];
    prepare(w);
    running owner = running_serve(w, "t.db");
    start_acknowledged(w, "quick", done);
    (void) await_completed(w, done, "before");
    assert_int_equal(unlink(path_in(w, "t.db-wal", path)), 0);
    start_acknowledged(w, "quick", saved); /* found out by this one, and saved before it was acknowledged */
    running asking = catena_start(w, "start", "quick", "--json", NULL);
    usleep(1500000);
    assert_false(is_acknowledged(&asking));
    kill(asking.pid, SIGKILL);
    (void) running_wait(w, &asking);
    kill(owner.pid, SIGKILL); /* not even a good-bye */
    (void) running_wait(w, &owner);
    assert_err(w, "was deleted while it is in use; what it held was saved into the store");
    (void) unlink(path_in(w, "t.db.sock", path));
    owner = running_serve(w, "t.db");
    assert_int_equal(status_of(w, done), CTN_STATUS_COMPLETED);
    (void) await_completed(w, saved, "saved");
    start_acknowledged(w, "quick", done);
    (void) await_completed(w, done, "after");
    running_stop(w, &owner);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

/* ---- a store that is refused ---- */

static void sql(world *w, const char *statement)
{
    char path[600];
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path_in(w, "t.db", path), &db), SQLITE_OK);
    if (sqlite3_exec(db, statement, NULL, NULL, &why))
        fail_msg("%s: %s", statement, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static char *file_of(world *w, size_t *ret_len)
{
    char path[600];
    struct stat info;
    int fd = open(path_in(w, "t.db", path), O_RDONLY);
    assert_int_equal(fstat(fd, &info), 0);
    char *bytes = malloc((size_t) info.st_size + 1);
    assert_int_equal(read(fd, bytes, (size_t) info.st_size), info.st_size);
    close(fd);
    *ret_len = (size_t) info.st_size;
    return bytes;
}

/* By every command, with the same sentence, and the file stays as it is. */
static void is_refused(world *w, const char *sentence)
{
    static const char *const VERBS[][3] = {{"serve"}, {"run", "quick"}, {"start", "quick"},
                                           {"list"},  {"show", "0123"}, {"store", "migrate"}};
    size_t len, len_after;
    char *before = file_of(w, &len);
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        assert_exit(w, catena(w, VERBS[i][0], VERBS[i][1], VERBS[i][2], NULL), 2);
        assert_err(w, sentence);
    }
    char *after = file_of(w, &len_after);
    assert_int_equal(len, len_after);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

static void a_newer_or_foreign_store_is_refused_and_left_alone(void **state)
{
    world *w = *state;
    char id[64];
    prepare(w);
    start_acknowledged(w, "quick", id);
    sql(w, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 4711");
    is_refused(w, "was written by a newer catena (schema 4711");
    sql(w, "PRAGMA user_version = 0");
    is_refused(w, "t.db is damaged: it has no schema");
    sql(w, "PRAGMA application_id = 1234");
    is_refused(w, "t.db is not a catena store: it is another program's SQLite database");
    cli_world_write(w, "t.db", "%s",
                    "These are the notes of somebody who likes the name t.db, and this sentence is long "
                    "enough to be mistaken for a database by a careless reader. It goes on and on, and "
                    "then it is repeated. These are the notes of somebody who likes the name t.db, and "
                    "this sentence is long enough to be mistaken for a database by a careless reader. "
                    "It goes on and on, and says nothing more. It is repeated until it fills what a "
                    "header of SQLite needs, which are a hundred bytes, and the five hundred and twelve "
                    "that are the smallest page.");
    is_refused(w, "t.db is not a catena store: file is not a database");
}

/* An older store: made by the migrations of that time. */
static void make_older(world *w, uint32_t schema)
{
    char path[600];
    ctn_err err = {0};
    if (ctn_sqlite_make_old(path_in(w, "t.db", path), schema, &err))
        fail_msg("%s", err.message);
}

/* A process that died inside a migration: half of it stands in the log, without its commit. */
static void die_in_a_migration(world *w)
{
    char path[600];
    path_in(w, "t.db", path);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db = NULL;
        if (sqlite3_open(path, &db) == SQLITE_OK)
            (void) sqlite3_exec(db,
                                "PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
                                "ALTER TABLE chain_executions ADD COLUMN queue_held INTEGER NOT NULL DEFAULT 0;"
                                "CREATE TABLE schedules(half INTEGER); PRAGMA user_version = 3;"
                                "CREATE TABLE filler(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                " WHERE i < 400) INSERT INTO filler SELECT randomblob(900) FROM n",
                                NULL, NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct stat info;
    assert_int_equal(stat(strcat(path, "-wal"), &info), 0);
    assert_true(info.st_size > 100000); /* there is half a migration */
}

static void half_a_migration_is_none(void **state)
{
    world *w = *state;
    char id[64];
    prepare(w);
    make_older(w, 2);
    die_in_a_migration(w);
    assert_exit(w, catena(w, "list", NULL), 2);
    assert_err(w, "has the older schema 2 of ");
    assert_err(w, "catena store migrate");
    assert_exit(w, catena(w, "store", "migrate", NULL), 0);
    start_acknowledged(w, "quick", id);
    running owner = running_serve(w, "t.db");
    (void) await_completed(w, id, "migrated");
    running_stop(w, &owner);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

static void a_store_in_use_is_not_migrated(void **state)
{
    world *w = *state;
    char url[700], path[600];
    ctn_store_lock *owner = NULL;
    ctn_store_version version;
    prepare(w);
    make_older(w, 3);
    snprintf(url, sizeof url, "sqlite:%s", path_in(w, "t.db", path));
    assert_int_equal(ctn_store_lock_take(url, &owner, NULL), CTN_OK);
    assert_exit(w, catena(w, "store", "migrate", NULL), 2);
    assert_err(w, "is in use by process");
    assert_exit(w, catena(w, "serve", NULL), 2);
    assert_exit(w, catena(w, "chains", "import", "quick.yaml", NULL), 2);
    assert_err(w, "is in use by process");
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 3);
    ctn_store_lock_release(owner);
    assert_exit(w, catena(w, "store", "migrate", NULL), 0);
}

/* Root may write everything, so somebody else has to try. */
static void without_permission_it_says_which_file(void **state)
{
    world *w = *state;
    char id[64], path[600], line[200];
    const char *prefix = geteuid() == 0 ? "setpriv --reuid=65534 --clear-groups " : "";
    prepare(w);
    start_acknowledged(w, "quick", id);
    assert_int_equal(chmod(w->folder, 0755), 0);
    assert_int_equal(chmod(path_in(w, "t.db", path), 0444), 0);
    if (geteuid() != 0)
        assert_int_equal(chmod(w->folder, 0555), 0);
    static const char *const VERBS[] = {"serve", "run quick", "start quick"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%scatena %s", prefix, VERBS[i]);
        assert_exit(w, shell(w, line), 2);
        assert_err(w, "t.db");
        assert_true(strstr(w->said.err, "ermission denied") || strstr(w->said.err, "read-only"));
    }
    assert_int_equal(chmod(w->folder, 0755), 0);
    assert_int_equal(chmod(path_in(w, "t.db", path), 0644), 0);
    assert_int_equal(status_of(w, id), CTN_STATUS_QUEUED); /* nothing was changed */
}

/* ---- a file that is broken ---- */

#define PAGE_BYTES 8192

/* Whatever page is broken, of a store with many executions: it is said, or it does not matter. Nothing crashes, what
 * is not on that page goes on, and a second try meets the same. */
static void any_broken_page_is_told_or_does_not_matter(void **state)
{
    world *w = *state;
    char id[64], path[600];
    size_t len, refused = 0, went_on = 0, pages, tried = 0;
    prepare(w);
    for (int i = 0; i < 6; i++)
        start_acknowledged(w, "quick", id);
    sql(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    char *whole = file_of(w, &len);
    char junk[PAGE_BYTES];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char) (i * 37 + 11);
    pages = len / PAGE_BYTES;
    path_in(w, "t.db", path);
    const size_t stride = pages / 7 + 1;
    for (size_t page = 0; page < pages; page += stride) {
        int fd = open(path, O_RDWR | O_TRUNC);
        assert_int_equal(write(fd, whole, len), len);
        assert_int_equal(pwrite(fd, junk, sizeof junk, (off_t) (page * PAGE_BYTES)), sizeof junk);
        close(fd);
        (void) shell(w, "rm -f t.db-wal t.db-shm");
        int code = shell(w, "timeout -s TERM 1 catena serve; catena list >listed");
        if (code != 0 && code != 2)
            fail_msg("page %zu: list ended with %d: %s", page + 1, code, w->said.err);
        assert_lacks(w->said.err, "ssert");
        bool is_refused = !strstr(w->said.err, "serving t.db");
        if (is_refused) {
            refused++;
            assert_err(w, "t.db");
        } else {
            went_on++;
            assert_err(w, "everything can be resumed");
        }
        tried++;
    }
    free(whole);
    assert_true(refused > 0);
    print_message("%zu of %zu pages broken, one at a time: %zu refused, %zu went on\n", tried, pages, refused, went_on);
}

static void a_truncated_file_is_told(void **state)
{
    world *w = *state;
    char id[64], path[600];
    struct stat info;
    prepare(w);
    start_acknowledged(w, "quick", id);
    sql(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(stat(path_in(w, "t.db", path), &info), 0);
    for (off_t size = info.st_size / 2; size > 0; size = size > 20000 ? size / 2 : size - 9000) {
        assert_int_equal(truncate(path, size), 0);
        assert_exit(w, catena(w, "run", "quick", NULL), 2);
        assert_err(w, "t.db");
        assert_exit(w, catena(w, "list", NULL), 2);
        assert_err(w, "t.db");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(without_room_it_waits_and_goes_on),
        CLI_TEST(beside_a_lock_it_waits_and_goes_on),
        CLI_TEST(moved_away_it_waits_and_goes_on_when_it_is_back),
        CLI_TEST(another_file_in_its_place_is_not_written),
        CLI_TEST(a_deleted_log_costs_a_restart_and_nothing_else),
        CLI_TEST(a_newer_or_foreign_store_is_refused_and_left_alone),
        CLI_TEST(half_a_migration_is_none),
        CLI_TEST(a_store_in_use_is_not_migrated),
        CLI_TEST(without_permission_it_says_which_file),
        CLI_TEST(any_broken_page_is_told_or_does_not_matter),
        CLI_TEST(a_truncated_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
