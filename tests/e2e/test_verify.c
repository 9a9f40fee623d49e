/*
 * test_verify.c -- what was altered in a store is found, and nothing is found in one that was not.
 *
 * One store is made by the real binary, with an execution of every kind. Then each row of a table does to a copy what
 * somebody could do with the sqlite3 shell, or a disk by itself, and names exactly what must be found.
 */
#include "cli_kit.h"

#include "base/buf.h"
#include "store/verify.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * 1 hello, completed, with a label           3 asks, waiting for an answer       5 outer, completed
 * 2 fails, failed                            4 slow, held in 3's line            6 inner, 5's child
 *                                            7 asks-till, waiting until a time   8 hello, completed
 */
static void make_store(world *w)
{
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml', sets.yaml]\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n"
                    "  say: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n"
                    "  rest: {wait: {ms: 700}}\n"
                    "  ask: {approval: {message: go on?}}\n"
                    "  ask-till: {approval: {message: go on?, timeoutMs: 3600000}}\n"
                    "  inner-set: {chain: inner, arguments: {name: '{name}'}}\n");
    cli_world_write(w, "hello.chain.yaml",
                    "id: hello\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n");
    cli_world_write(w, "inner.chain.yaml",
                    "id: inner\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n");
    cli_world_write(w, "outer.chain.yaml",
                    "id: outer\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: call, instructionSet: inner-set, outputVariables: [greeting]}\n");
    cli_world_write(w, "fails.chain.yaml",
                    "id: fails\nsteps:\n"
                    "  - {stepName: no, instructionSet: say, conditionalExecution: fail}\n");
    cli_world_write(w, "asks.chain.yaml",
                    "id: asks\nconcurrencyKey: '{who}'\nsteps:\n"
                    "  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "asks-till.chain.yaml",
                    "id: asks-till\nsteps:\n"
                    "  - {stepName: ask, instructionSet: ask-till}\n");
    cli_world_write(w, "slow.chain.yaml",
                    "id: slow\nconcurrencyKey: '{who}'\nsteps:\n"
                    "  - {stepName: rest, instructionSet: rest}\n");
    assert_exit(w, catena(w, "chains", "import", "hello.chain.yaml", NULL), 0);
    assert_exit(w, catena(w, "chains", "import", "outer.chain.yaml", NULL), 0);
    assert_exit(w, catena(w, "chains", "import", "asks.chain.yaml", NULL), 0);
    assert_exit(w, catena(w, "run", "hello", "-i", "name=Ann", "-l", "team=blue", NULL), 0);
    assert_exit(w, catena(w, "run", "fails", "-i", "name=Ann", NULL), 1);
    assert_exit(w, catena(w, "run", "asks", "-i", "who=ann", NULL), 3);
    assert_exit(w, catena(w, "start", "slow", "-i", "who=ann", NULL), 0);
    assert_exit(w, catena(w, "run", "outer", "-i", "name=Bob", "-l", "tenant=acme", NULL), 0);
    assert_exit(w, catena(w, "run", "asks-till", NULL), 3);
    assert_exit(w, catena(w, "run", "hello", "-i", "name=Eve", NULL), 0);
}

static void alter(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    assert_int_equal(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void note(void *ctx, const ctn_verify_finding *f)
{
    ctn_buf *out = ctx;
    if (out->len)
        ctn_buf_append_char(out, ' ');
    if (f->has_execution)
        ctn_buf_printf(out, "%" PRId64 ":", f->exec_no);
    ctn_buf_append(out, ctn_str_from(f->rule));
    if (f->seq)
        ctn_buf_printf(out, "@%" PRIu64, f->seq);
    assert_true(f->what.len > 10);
}

/* "NO:RULE@SEQ NO:RULE ..." of all that is found. */
static void findings_of(const char *path, bool is_quick, ctn_buf *out, ctn_verify_report *ret_report)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    ctn_verify_options options = {.is_quick = is_quick, .on_finding = note, .ctx = out};
    ctn_buf_clear(out);
    if (ctn_store_open(path, CTN_STORE_READ, &store, &err) || ctn_store_verify(store, &options, ret_report, &err))
        fail_msg("%s", err.message);
    ctn_store_close(store);
    ctn_buf_append_char(out, '\0');
}

static void copy_store(const world *w, const char *to)
{
    char from[300], command[700];
    snprintf(from, sizeof from, "%s/catena.db", w->folder);
    snprintf(command, sizeof command, "cp '%s' '%s' && rm -f '%s-wal' '%s-shm'", from, to, to, to);
    assert_int_equal(system(command), 0); /* NOLINT: the path is the test's own */
}

typedef struct tampering {
    const char *sql, *found;
} tampering;

#define J "execution_journal"
#define E "chain_executions"

static const tampering TAMPERINGS[] = {
    {"SELECT 1", ""},
    /* the journal: every column, every place */
    {"UPDATE " J " SET body = replace(body, 'Ann', 'Eve') WHERE exec_no = 1 AND seq = 1", "1:hash@1"},
    {"UPDATE " J " SET body = body || ' ' WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET body = '' WHERE exec_no = 1 AND seq = 3", "1:hash@3"},
    {"UPDATE " J " SET body = 'no json' WHERE exec_no = 2 AND seq = 1", "2:hash@1"},
    {"UPDATE " J " SET at_ms = at_ms + 1 WHERE exec_no = 5 AND seq = 2", "5:hash@2"},
    {"UPDATE " J " SET kind = 'attempt_failed' WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET kind = 'dreamt' WHERE exec_no = 1 AND seq = 2", "1:kind@2"},
    {"UPDATE " J " SET step = 'other' WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET step = NULL WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET item = 0 WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET attempt = 2 WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET attempt = attempt + 4294967296 WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET actor = 'mallory' WHERE exec_no = 3 AND seq = 1", "3:hash@1"},
    {"UPDATE " J " SET hash = zeroblob(32) WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET hash = x'01' WHERE exec_no = 1 AND seq = 2", "1:hash@2"},
    {"UPDATE " J " SET hash = zeroblob(32) WHERE exec_no = 1 AND seq = 3", "1:hash@3"},
    {"UPDATE " J " SET position = position + 1000 WHERE exec_no = 1 AND seq = 1", "1:position@2 1:position@3"},
    {"UPDATE " J " SET seq = 9 WHERE exec_no = 1 AND seq = 3", "1:gap@3"},
    {"UPDATE " J " SET seq = 0 WHERE exec_no = 1 AND seq = 1", "1:gap 1:gap@1"},
    {"UPDATE " J " SET seq = seq + 1 WHERE exec_no = 1 AND seq = 3; UPDATE " J " SET seq = 3 WHERE exec_no = 1 AND seq"
     " = 2; UPDATE " J " SET seq = 2 WHERE exec_no = 1 AND seq = 4",
     "1:hash@2 1:position@3 1:hash@3"},
    {"DELETE FROM " J " WHERE exec_no = 1 AND seq = 2", "1:gap@2"},
    {"DELETE FROM " J " WHERE exec_no = 1 AND seq = 1", "1:gap@1"},
    {"DELETE FROM " J " WHERE exec_no = 1 AND seq < 3", "1:gap@1"},
    {"DELETE FROM " J " WHERE exec_no = 1 AND seq = 3", "1:status"},
    {"DELETE FROM " J " WHERE exec_no = 2", "2:no-journal"},
    {"INSERT INTO " J " SELECT 900, 1, 4, at_ms, kind, step, item, attempt, actor, body, hash, sealed FROM " J
     " WHERE exec_no = 1 AND seq = 3",
     "1:hash@4"},
    {"INSERT INTO " J
     " SELECT position + 900, 99, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed FROM " J
     " WHERE exec_no = 1",
     "99:no-execution"},
    {"UPDATE " J " SET exec_no = 77 WHERE exec_no = 2", "2:no-journal 77:no-execution"},
    {"DELETE FROM " E " WHERE exec_no = 8", "8:no-execution"},
    /* an entry of one in another: the chain of hashes knows */
    {"UPDATE " J " SET body = (SELECT body FROM " J " WHERE exec_no = 8 AND seq = 2) WHERE exec_no = 1 AND seq = 2",
     "1:hash@2"},
    /* the cached row: every column that follows from the journal */
    {"UPDATE " E " SET status = 'failed' WHERE exec_no = 1", "1:status"},
    {"UPDATE " E " SET status = 'nonsense' WHERE exec_no = 1", "1:status"},
    {"UPDATE " E " SET status = 'running', finished_at_ms = NULL WHERE exec_no = 1", "1:status"},
    {"UPDATE " E " SET status = 'running' WHERE exec_no = 3", "3:status"},
    {"UPDATE " E " SET status = 'completed' WHERE exec_no = 7", "7:status"},
    {"UPDATE " E " SET status = 'running' WHERE exec_no = 4", "4:status"},
    {"UPDATE " E " SET outputs = '{\"greeting\":\"Hello Eve\"}' WHERE exec_no = 1", "1:outputs"},
    {"UPDATE " E " SET outputs = NULL WHERE exec_no = 1", "1:outputs"},
    {"UPDATE " E " SET outputs = '{}' WHERE exec_no = 2", "2:outputs"},
    {"UPDATE " E " SET outputs = '' WHERE exec_no = 2", "2:outputs"},
    {"UPDATE " E " SET error = '{\"code\":\"none\"}' WHERE exec_no = 2", "2:error"},
    {"UPDATE " E " SET error = NULL WHERE exec_no = 2", "2:error"},
    {"UPDATE " E " SET error = '{}' WHERE exec_no = 1", "1:error"},
    {"UPDATE " E " SET wake_at_ms = NULL WHERE exec_no = 7", "7:wake"},
    {"UPDATE " E " SET wake_at_ms = wake_at_ms + 60000 WHERE exec_no = 7", "7:wake"},
    {"UPDATE " E " SET wake_at_ms = 5 WHERE exec_no = 3", "3:wake"},
    {"UPDATE " E " SET wake_at_ms = 5 WHERE exec_no = 4", "4:wake"},
    {"UPDATE " E " SET created_at_ms = 0 WHERE exec_no = 1", "1:created"},
    {"UPDATE " E " SET started_at_ms = 0 WHERE exec_no = 1", "1:started"},
    {"UPDATE " E " SET started_at_ms = 7 WHERE exec_no = 4", "4:started"},
    {"UPDATE " E " SET finished_at_ms = finished_at_ms + 1 WHERE exec_no = 2", "2:finished"},
    {"UPDATE " E " SET parent_id = NULL WHERE exec_no = 6", "6:parent"},
    {"UPDATE " E " SET parent_id = zeroblob(16) WHERE exec_no = 6", "6:parent"},
    {"UPDATE " E " SET parent_id = execution_id WHERE exec_no = 1", "1:parent"},
    {"UPDATE " E " SET chain_id = 'bye' WHERE exec_no = 1", "1:chain@1"},
    {"UPDATE " E " SET chain_version = 9 WHERE exec_no = 1", "1:version"},
    {"UPDATE " E " SET input = '{\"name\":\"Eve\"}' WHERE exec_no = 1", "1:input@1"},
    {"UPDATE " E " SET input = NULL WHERE exec_no = 1", "1:input@1"},
    {"UPDATE " E " SET labels = NULL WHERE exec_no = 1", "1:labels@1"},
    {"UPDATE " E " SET labels = '{\"team\":\"red\"}' WHERE exec_no = 1", "1:labels@1"},
    {"UPDATE " E " SET labels = '{}' WHERE exec_no = 2", "2:labels@1"},
    {"INSERT INTO " E "(exec_no, execution_id, chain_id, chain_version, status, priority, created_at_ms)"
     " VALUES(50, zeroblob(16), 'hello', 1, 'completed', 5, 1)",
     "50:no-journal"},
    {"UPDATE " E " SET priority = 1 WHERE exec_no = 1", "1:priority"},
    {"UPDATE " E " SET tenant = 'acme' WHERE exec_no = 1", "1:tenant@1"},
    {"UPDATE " E " SET tenant = 'other' WHERE exec_no = 5", "5:tenant@1"},
    {"UPDATE " E " SET tenant = NULL WHERE exec_no = 6", "6:tenant@1"}, /* a sub-chain is its parent's tenant's */
    {"UPDATE " E " SET queue_key = 'bob' WHERE exec_no = 1", "1:queue@1"},
    /* lines */
    {"UPDATE " E " SET queue_held = 0 WHERE exec_no = 4", "4:line"},
    {"UPDATE " E " SET queue_key = 'bob' WHERE exec_no = 4", "4:queue@1 4:line"},
    {"UPDATE " E " SET queue_key = NULL WHERE exec_no = 4", "4:queue@1 4:line"},
    /* definitions and chains */
    {"UPDATE definitions SET body = replace(body, 'Hello', 'Bye') WHERE name = 'say'", "definition"},
    {"UPDATE definitions SET body = body || ' ' WHERE kind = 'chain' AND name = 'fails'", "definition"},
    {"UPDATE definitions SET digest = zeroblob(32) WHERE name = 'fails'", "definition chains 2:definition@1"},
    {"UPDATE definitions SET name = 'tell' WHERE name = 'say'", "definition"},
    {"UPDATE definitions SET kind = 'template' WHERE name = 'ask-till'", "definition 7:definition@1"},
    {"DELETE FROM definitions WHERE name = 'ask-till'", "7:definition@1"},
    {"UPDATE chains SET digest = (SELECT digest FROM definitions WHERE name = 'asks') WHERE chain_id = 'hello'",
     "chains"},
    {"UPDATE chains SET chain_id = 'hallo' WHERE chain_id = 'hello'", "chains"},
    /* the audit log */
    {"UPDATE audit_log SET actor = 'nobody' WHERE n = 2", "audit@2"},
    {"UPDATE audit_log SET at_ms = 0 WHERE n = 1", "audit@1"},
    {"UPDATE audit_log SET action = 'x' WHERE n = 1", "audit@1"},
    {"UPDATE audit_log SET subject = 'x' WHERE n = 3", "audit@3"},
    {"UPDATE audit_log SET detail = '{}' WHERE n = 3", "audit@3"},
    {"UPDATE audit_log SET hash = zeroblob(32) WHERE n = 1", "audit@1"},
    {"UPDATE audit_log SET node = 'other' WHERE n = 1", "audit@1 audit@1"},
    {"DELETE FROM audit_log WHERE n = 2", "audit@2"},
    {"DELETE FROM audit_log WHERE n = 1", "audit@1"},
    {"DELETE FROM audit_log WHERE n = (SELECT max(n) FROM audit_log)", "audit"},
    {"DELETE FROM audit_log", "audit"},
    {"INSERT INTO audit_log SELECT node, 11, at_ms, actor, action, subject, detail, hash FROM audit_log WHERE n = 3",
     "audit@11"},
    /* tables */
    {"DELETE FROM meta", "meta unreadable"},
    {"DROP TABLE chains", "schema unreadable"},
    {"DROP TABLE audit_log", "schema unreadable"},
    {"DROP INDEX chain_executions_owing", "schema"},
    {"DROP INDEX chain_executions_owing; CREATE INDEX chain_executions_owing ON chain_executions(chain_id)", "schema"},
    {"DROP TRIGGER execution_journal_deleted", "schema"},
    {"CREATE TRIGGER mine AFTER INSERT ON execution_journal BEGIN DELETE FROM chains; END", "schema"},
    {"DROP VIEW executions_view", "schema"},
    {"CREATE VIEW mine AS SELECT 1; CREATE TABLE my_notes(text)", ""}, /* an analyst's own */
    {"INSERT INTO data_keys VALUES(77, 'k', x'00')", "77:data-key"},
};

static void each_tampering_is_found_for_what_it_is(void **state)
{
    world *w = *state;
    char path[300];
    ctn_buf out;
    ctn_verify_report report;
    size_t failed = 0, count = sizeof TAMPERINGS / sizeof *TAMPERINGS;
    make_store(w);
    ctn_buf_init(&out, 1 << 20);
    snprintf(path, sizeof path, "%s/copy.db", w->folder);
    for (size_t i = 0; i < count; i++) {
        copy_store(w, path);
        alter(path, TAMPERINGS[i].sql);
        findings_of(path, false, &out, &report);
        if (strcmp(out.data, TAMPERINGS[i].found) != 0) {
            print_error("%s\n  found \"%s\" instead of \"%s\"\n", TAMPERINGS[i].sql, out.data, TAMPERINGS[i].found);
            failed++;
        }
    }
    ctn_buf_done(&out);
    print_message("%zu ways to tamper with a store\n", count);
    assert_int_equal(failed, 0);
}

/* ---- bytes ---- */

#ifdef __SANITIZE_ADDRESS__
enum { TURNS = 120 };
#else
enum { TURNS = 400 };
#endif

/* Everything that verify promises to judge, as one digest; false: it cannot be read. */
static bool content_of(const char *path, ctn_digest *ret)
{
    static const char *const QUERIES[] = {
        "SELECT exec_no, position, seq, at_ms, kind, step, item, attempt, actor, body, hash FROM " J
        " ORDER BY exec_no, seq",
        "SELECT exec_no, execution_id, chain_id, chain_version, status, wake_at_ms, labels, input, outputs, error,"
        " created_at_ms, started_at_ms, finished_at_ms, parent_id, queue_held FROM " E " ORDER BY exec_no",
        "SELECT digest, body FROM definitions ORDER BY digest",
        "SELECT chain_id, version, digest FROM chains ORDER BY chain_id, version",
        "SELECT node, n, at_ms, actor, action, subject, detail, hash FROM audit_log ORDER BY node, n",
    };
    sqlite3 *db = NULL;
    bool is_read = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK;
    ctn_hasher h;
    ctn_hasher_init(&h);
    for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES && is_read; i++) {
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db, QUERIES[i], -1, &stmt, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(stmt); c++) {
                const void *bytes = sqlite3_column_blob(stmt, c);
                ctn_hasher_add(&h, (ctn_str){bytes, (size_t) sqlite3_column_bytes(stmt, c)});
                ctn_hasher_add(&h, CTN_STR("\n"));
            }
            rc = SQLITE_OK;
        }
        is_read = rc == SQLITE_DONE;
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    *ret = ctn_hasher_finish(&h);
    return is_read;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* A byte of the file turns into another. Then it is no store any more, or something is found, or what the byte was part
 * of means nothing (free space, statistics). */
static void a_byte_that_turns_is_found_or_means_nothing(void **state)
{
    world *w = *state;
    char path[300];
    ctn_buf out;
    ctn_digest good, now;
    ctn_verify_report report;
    uint64_t chance = 20261123;
    int refused = 0, found = 0, harmless = 0;
    make_store(w);
    ctn_buf_init(&out, 1 << 20);
    snprintf(path, sizeof path, "%s/catena.db", w->folder);
    alter(path, "SELECT 1"); /* all of it is in the file */
    assert_true(content_of(path, &good));
    snprintf(path, sizeof path, "%s/copy.db", w->folder);
    copy_store(w, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t size = lseek(fd, 0, SEEK_END);
    for (int i = 0; i < TURNS; i++) {
        char before, after;
        off_t at;
        do { /* what is zero is mostly free */
            at = (off_t) (next_random(&chance) % (uint64_t) size);
            assert_int_equal(pread(fd, &before, 1, at), 1);
        } while (before == 0);
        after = (char) (before ^ (char) (1 + next_random(&chance) % 255));
        assert_int_equal(pwrite(fd, &after, 1, at), 1);
        ctn_store *store = NULL;
        if (ctn_store_open(path, CTN_STORE_READ, &store, NULL) == CTN_OK) {
            ctn_store_close(store);
            findings_of(path, false, &out, &report);
            bool is_same = content_of(path, &now) && memcmp(&good, &now, sizeof good) == 0;
            if (out.data[0])
                found++;
            else if (is_same)
                harmless++;
            else
                fail_msg("byte %ld turned from %d to %d, and nothing was found", (long) at, before, after);
        } else {
            refused++;
        }
        assert_int_equal(pwrite(fd, &before, 1, at), 1);
    }
    close(fd);
    ctn_buf_done(&out);
    print_message("of %d bytes that turned, %d were found, %d made it no store, %d meant nothing\n", TURNS, found,
                  refused, harmless);
    assert_true(found > 20);
}

/* ---- the command ---- */

static void the_command_tells_by_its_exit_code(void **state)
{
    world *w = *state;
    char path[300];
    make_store(w);
    snprintf(path, sizeof path, "%s/catena.db", w->folder);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
    assert_out(w, "8 executions");
    assert_out(w, ": sound");
    assert_exit(w, catena(w, "store", "verify", "--json", "--quick", NULL), 0);
    assert_out(w, "{\"findings\":[],\"ok\":true,");
    alter(path, "UPDATE " J " SET actor = 'mallory' WHERE exec_no < 3 AND seq = 1");
    assert_exit(w, catena(w, "store", "verify", NULL), 1);
    assert_out(w, "entry 1: it was altered: its hash does not fit [hash]");
    assert_out(w, "2 findings");
    assert_exit(w, catena(w, "store", "verify", "--json", NULL), 1);
    assert_out(w, "\"ok\":false");
    assert_exit(w, catena(w, "store", "verify", "--store", "nothing.db", NULL), 2);
    cli_world_write(w, "text.db", "%s", "this is no store at all");
    assert_exit(w, catena(w, "store", "verify", "--store", "text.db", NULL), 2);
}

static void it_finds_nothing_beside_an_owner_at_work(void **state)
{
    world *w = *state;
    make_store(w);
    running serve = catena_start(w, "serve", NULL);
    for (int i = 0; i < 1000 && !cli_world_has(w, "catena.db.sock"); i++) /* it is the owner */
        usleep(10000);
    for (int i = 0; i < 20; i++) {
        assert_exit(w, catena(w, "start", "hello", "-i", "name=Ann", NULL), 0);
        assert_exit(w, catena(w, "store", "verify", NULL), 0);
    }
    assert_int_equal(kill(serve.pid, SIGTERM), 0);
    running_wait(w, &serve);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
    assert_out(w, "28 executions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(each_tampering_is_found_for_what_it_is),
        CLI_TEST(a_byte_that_turns_is_found_or_means_nothing),
        CLI_TEST(the_command_tells_by_its_exit_code),
        CLI_TEST(it_finds_nothing_beside_an_owner_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
