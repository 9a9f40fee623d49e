/*
 * Damaged executions and the real binary: none of them stops the start or anybody else, each is met once, shown and
 * exported as far as it reads, and a person releases it after repair or gives it up.
 *
 * A store with a thousand executions is made of two real ones (one queued, one that a killed process left waiting for
 * a time), copied row by row: hashes do not cover the execution's id, so a copy is as whole as the original.
 */
#include "left.h"

#include "core/entry.h"
#include "engine/fold.h"
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 1000

static const char config_text[] = "store: sqlite:t.db\ninclude: ['*.chain.yaml', sets.yaml]\n";
static const char sets_text[] = "instructionSets:\n"
                                "  rest: {wait: {ms: 1}}\n"
                                "  pause: {wait: {ms: 1500}}\n"
                                "  ask: {approval: {message: 'Go on?'}}\n"
                                "  below: {chain: asks, arguments: {}}\n";

static void prepare(world *w)
{
    cli_world_write(w, "catena.yaml", "%s", config_text);
    cli_world_write(w, "sets.yaml", "%s", sets_text);
    cli_world_write(w, "quick.chain.yaml", "id: quick\nsteps:\n  - {stepName: rest, instructionSet: rest}\n");
    cli_world_write(w, "waits.chain.yaml",
                    "id: waits\nsteps:\n"
                    "  - {stepName: first, instructionSet: rest}\n"
                    "  - {stepName: then, instructionSet: pause, dependsOn: [first]}\n");
    cli_world_write(w, "asks.chain.yaml", "id: asks\nsteps:\n  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "line.chain.yaml",
                    "id: line\nconcurrencyKey: desk\nsteps:\n  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "above.chain.yaml", "id: above\nsteps:\n  - {stepName: work, instructionSet: below}\n");
}

static sqlite3 *open_db(world *w)
{
    char path[600];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/t.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static void sql_in(sqlite3 *db, const char *statement)
{
    char *why = NULL;
    if (sqlite3_exec(db, statement, NULL, NULL, &why))
        fail_msg("%s: %s", statement, why);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a table's statements name their execution by %d */
static void sql(world *w, const char *format, ...)
{
    char statement[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(statement, sizeof statement, format, args);
    va_end(args);
    sqlite3 *db = open_db(w);
    sql_in(db, statement);
    sqlite3_close(db);
}
#pragma GCC diagnostic pop

static int64_t ask(world *w, const char *statement)
{
    sqlite3 *db = open_db(w);
    sqlite3_stmt *stmt = NULL;
    int64_t answer = -1;
    if (sqlite3_prepare_v2(db, statement, -1, &stmt, NULL))
        fail_msg("%s: %s", statement, sqlite3_errmsg(db));
    if (sqlite3_step(stmt) == SQLITE_ROW)
        answer = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return answer;
}

static void await(world *w, const char *statement, int64_t expected)
{
    int64_t found = -1;
    for (int64_t limit_ms = now_ms() + 40000; now_ms() < limit_ms; usleep(20000)) {
        found = ask(w, statement);
        if (found == expected)
            return;
    }
    fail_msg("%s: %lld, not %lld", statement, (long long) found, (long long) expected);
}

static void start_queued(world *w, const char *chain, char *id)
{
    assert_exit(w, catena(w, "start", chain, "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
}

/* ---- a store with a thousand ---- */

/* Numbers from `first` on, as `model` is. */
static void copy(sqlite3 *db, int64_t model, int64_t first, int64_t last)
{
    char text[1500];
    snprintf(
        text, sizeof text,
        "BEGIN; WITH RECURSIVE n(i) AS (SELECT %lld UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
        " INSERT INTO chain_executions(exec_no, execution_id, chain_id, chain_version, status, priority, wake_at_ms,"
        " labels, input, created_at_ms, started_at_ms) SELECT i,"
        " CAST(substr(execution_id, 1, 12) || unhex_(printf('%%08x', i)) AS BLOB), chain_id, chain_version, status,"
        " priority, wake_at_ms, labels, input, created_at_ms, started_at_ms FROM n, chain_executions"
        " WHERE exec_no = %lld;"
        " WITH RECURSIVE n(i) AS (SELECT %lld UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
        " INSERT INTO execution_journal(exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash)"
        " SELECT i, seq, at_ms, kind, step, item, attempt, actor, body, hash FROM n, execution_journal"
        " WHERE exec_no = %lld ORDER BY i, seq; COMMIT",
        (long long) first, (long long) last, (long long) model, (long long) first, (long long) last, (long long) model);
    sql_in(db, text);
}

/* This SQLite has no unhex of its own. */
static void unhex(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    unsigned value = (unsigned) strtoul((const char *) sqlite3_value_text(argv[0]), NULL, 16);
    unsigned char bytes[4] = {(unsigned char) (value >> 24), (unsigned char) (value >> 16),
                              (unsigned char) (value >> 8), (unsigned char) value};
    (void) argc;
    sqlite3_result_blob(ctx, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

/* Everything in it is 700 times queued and 300 times waiting for a moment that has passed. */
static void make_thousand(world *w)
{
    char id[64];
    prepare(w);
    start_queued(w, "waits", id);
    running owner = running_serve(w, "t.db");
    await(w,
          "SELECT count(*) FROM chain_executions WHERE status = 'waiting' AND wake_at_ms > 1"
          " AND (SELECT count(*) FROM execution_journal WHERE kind = 'attempt_succeeded') > 0",
          1);
    kill(owner.pid, SIGKILL);
    (void) running_wait(w, &owner);
    start_queued(w, "quick", id);
    sqlite3 *db = open_db(w);
    sqlite3_create_function(db, "unhex_", 1, SQLITE_UTF8, NULL, unhex, NULL, NULL);
    copy(db, 1, 3, 301);
    copy(db, 2, 302, COUNT);
    sqlite3_close(db);
    assert_int_equal(ask(w, "SELECT count(*) FROM chain_executions"), COUNT);
}

/* Hashes that fit whatever stands there: damage that only the fold can find. */
static void hash_again(world *w, int64_t exec_no)
{
    sqlite3 *db = open_db(w);
    sqlite3_stmt *read = NULL, *write = NULL;
    ctn_digest hash = {{0}};
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT seq, at_ms, kind, step, item, attempt, actor, body, position FROM"
                                        " execution_journal WHERE exec_no = ?1 ORDER BY seq",
                                        -1, &read, NULL),
                     SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "UPDATE execution_journal SET hash = ?1 WHERE position = ?2", -1, &write, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(read, 1, exec_no);
    while (sqlite3_step(read) == SQLITE_ROW) {
        ctn_record r = {
            .seq = (uint64_t) sqlite3_column_int64(read, 0),
            .at_ms = sqlite3_column_int64(read, 1),
            .step = ctn_str_from((const char *) sqlite3_column_text(read, 3)),
            .item = sqlite3_column_type(read, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(read, 4),
            .attempt = (uint32_t) sqlite3_column_int64(read, 5),
            .actor = ctn_str_from((const char *) sqlite3_column_text(read, 6)),
            .body = ctn_str_from((const char *) sqlite3_column_text(read, 7)),
        };
        assert_true(ctn_entry_kind_from_name(ctn_str_from((const char *) sqlite3_column_text(read, 2)), &r.kind));
        hash = ctn_record_hash(&r, &hash);
        sqlite3_reset(write);
        sqlite3_bind_blob(write, 1, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
        sqlite3_bind_int64(write, 2, sqlite3_column_int64(read, 8));
        assert_int_equal(sqlite3_step(write), SQLITE_DONE);
    }
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    sqlite3_close(db);
}

#define ALTERED "UPDATE execution_journal SET body = replace(body, '\"version\":1', '\"version\":2') WHERE exec_no = %d"
#define MENDED  "UPDATE execution_journal SET body = replace(body, '\"version\":2', '\"version\":1') WHERE exec_no = %d"

typedef struct damage {
    int exec_no; /* up to 301: was begun */
    const char *how;
    bool fits; /* its hashes are made to fit */
    const char *reason;
} damage;

static const damage damages[] = {
    {10, ALTERED, false, "entry 1 was altered: its hash does not fit"},
    {20, "DELETE FROM execution_journal WHERE exec_no = %d AND seq = 2", false, "a gap in its journal"},
    {30, "UPDATE execution_journal SET kind = 'dreamt' WHERE exec_no = %d AND seq = 2", false, "no known kind"},
    {40, "UPDATE execution_journal SET hash = x'00' WHERE exec_no = %d AND seq = 1", false, "without a proper hash"},
    {50, "DELETE FROM execution_journal WHERE exec_no = %d", false, "no journal"},
    {60, "UPDATE execution_journal SET kind = 'completed', step = NULL WHERE exec_no = %d AND seq = 2", true,
     "the execution has ended"},
    {70, "UPDATE execution_journal SET body = '{\"variables\":' WHERE exec_no = %d AND seq = 3", true,
     "body of journal entry 3"},
    {400,
     "UPDATE execution_journal SET body = replace(body, '\"digests\":[\"', '\"digests\":[\"0000') WHERE exec_no = %d",
     true, "digest"},
    {500, "PRAGMA ignore_check_constraints = 1; UPDATE chain_executions SET execution_id = x'00' WHERE exec_no = %d",
     false, "does not read"},
    {600, ALTERED, false, "entry 1 was altered: its hash does not fit"},
};
#define DAMAGED (sizeof damages / sizeof *damages)

static void ten_damaged_of_a_thousand_stop_nobody(void **state)
{
    world *w = *state;
    make_thousand(w);
    for (size_t i = 0; i < DAMAGED; i++) {
        sql(w, damages[i].how, damages[i].exec_no);
        if (damages[i].fits)
            hash_again(w, damages[i].exec_no);
    }
    int64_t since_ms = now_ms();
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'completed'", COUNT - (int64_t) DAMAGED);
    int64_t took_ms = now_ms() - since_ms;
    await(w, "SELECT count(*) FROM quarantine", DAMAGED);
    running_stop(w, &owner);
    assert_int_equal(count_in(w->said.err, "put into quarantine"), DAMAGED);
    assert_exit(w, catena(w, "store", "quarantine", NULL), 0);
    for (size_t i = 0; i < DAMAGED; i++)
        assert_out(w, damages[i].reason);
    assert_out(w, "number 500 ");
    assert_exit(w, catena(w, "list", "--limit", "0", NULL), 0);
    assert_int_equal(count_in(w->said.out, "  damaged  "), DAMAGED);

    owner = running_serve(w, "t.db"); /* they are known: not a word about any of them, but that they are there */
    usleep(300000);
    running_stop(w, &owner);
    assert_int_equal(count_in(w->said.err, "put into quarantine"), 0);
    assert_int_equal(count_in(w->said.err, "executions are in quarantine"), 1);
    assert_err(w, "count=10");
    print_message("%d executions, %zu damaged: all others have ended after %lld ms\n", COUNT, DAMAGED,
                  (long long) took_ms);
}

/* ---- one of them ---- */

static void a_damaged_one_is_shown_and_exported_as_far_as_it_reads(void **state)
{
    world *w = *state;
    char id[64];
    prepare(w);
    start_queued(w, "waits", id);
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'waiting'", 1);
    kill(owner.pid, SIGKILL);
    (void) running_wait(w, &owner);
    sql(w, "DELETE FROM execution_journal WHERE seq = 2");
    owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM quarantine", 1);
    assert_exit(w, catena(w, "show", id, NULL), 2);
    assert_out(w, "damaged (waiting when it was written last)");
    assert_out(w, "a gap in its journal");
    assert_err(w, "catena store release");
    assert_err(w, "catena store discard");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 2);
    assert_out(w, "\"damaged\"");
    assert_out(w, "\"quarantinedAt\"");
    assert_exit(w, catena(w, "history", id, NULL), 2);
    assert_out(w, "damaged: a gap before it");
    assert_exit(w, catena(w, "history", id, "--json", NULL), 2);
    assert_out(w, "\"seq\":1,");
    assert_out(w, "\"damaged\":\"a gap before it\"");
    assert_exit(w, catena(w, "export", id, "--output", "one.export", NULL), 0);
    assert_exit(w, catena(w, "verify", "one.export", NULL), 1);
    /* Whoever wants something of it is told. */
    assert_exit(w, catena(w, "cancel", id, NULL), 2);
    assert_err(w, "is damaged and in quarantine");
    assert_exit(w, catena(w, "store", "release", id, NULL), 2);
    assert_err(w, "it is still damaged");
    running_stop(w, &owner);
}

static void a_released_one_goes_on_in_a_running_owner(void **state)
{
    world *w = *state;
    char id[64], begun[64];
    prepare(w);
    start_queued(w, "waits", begun);
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'waiting'", 1);
    kill(owner.pid, SIGKILL);
    (void) running_wait(w, &owner);
    start_queued(w, "quick", id);
    sql(w, ALTERED " OR exec_no = 2", 1);
    owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM quarantine", 2);
    sql(w, MENDED " OR exec_no = 2", 1);
    assert_exit(w, catena(w, "store", "release", id, "--reason", "mended", NULL), 0);
    assert_exit(w, catena(w, "store", "release", begun, NULL), 0);
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'completed'", 2);
    assert_int_equal(ask(w, "SELECT count(*) FROM quarantine"), 0);
    assert_exit(w, catena(w, "store", "release", id, NULL), 2);
    assert_err(w, "is not in quarantine");
    assert_exit(w, catena(w, "store", "discard", id, NULL), 2);
    assert_err(w, "reads back");
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "execution.release");
    assert_out(w, "mended");
    running_stop(w, &owner);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

/* A line, and a chain whose step it is. */
static void what_waits_for_a_discarded_one_goes_on(void **state)
{
    world *w = *state;
    char first[64], second[64], above[64], below[64];
    prepare(w);
    start_queued(w, "line", first);
    start_queued(w, "line", second);
    start_queued(w, "above", above);
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE chain_id IN ('line', 'asks') AND status = 'waiting'", 2);
    running_stop(w, &owner);
    newest_id(w, below);
    sql(w, "UPDATE chain_executions SET wake_at_ms = 1 WHERE chain_id = 'asks' OR exec_no = 1");
    sql(w, "UPDATE execution_journal SET body = replace(body, 'Go on?', 'Gone on') WHERE exec_no = 1 OR exec_no ="
           " (SELECT exec_no FROM chain_executions WHERE chain_id = 'asks')");
    owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM quarantine", 2);
    assert_exit(w, catena(w, "show", second, NULL), 0);
    assert_err(w, first);
    assert_err(w, "(damaged)");
    assert_exit(w, catena(w, "show", above, NULL), 0);
    assert_err(w, "which is damaged");
    assert_err(w, below);
    assert_int_equal(ask(w, "SELECT count(*) FROM chain_executions WHERE chain_id = 'line' AND status = 'queued'"), 1);
    assert_exit(w, catena(w, "store", "discard", first, "--reason", "beyond repair", NULL), 0);
    assert_exit(w, catena(w, "store", "discard", below, NULL), 0);
    await(w, "SELECT count(*) FROM chain_executions WHERE exec_no = 2 AND status = 'waiting'", 1);
    await(w, "SELECT count(*) FROM chain_executions WHERE chain_id = 'above' AND status = 'failed'", 1);
    assert_exit(w, catena(w, "show", above, NULL), 0);
    assert_out(w, "damaged, and given up by");
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "beyond repair");
    assert_exit(w, catena(w, "store", "release", first, NULL), 2);
    assert_err(w, "was given up");
    running_stop(w, &owner);
    assert_exit(w, catena(w, "store", "quarantine", NULL), 0);
    assert_int_equal(count_in(w->said.out, "(discarded)"), 2);
}

/* The parent is in memory, with a call under way, when its child is given up. */
static void a_parent_at_work_hears_that_its_child_was_given_up(void **state)
{
    world *w = *state;
    char id[64], below[64];
    const char *peer = peer_program();
    prepare(w);
    cli_world_write(w, "catena.yaml",
                    "%sservers:\n  desk: {command: %s, args: [--ledger, %s/ledger, --delay-after, \"2500\"],\n"
                    "         trusted: true, effects: {write_line: write}}\n",
                    config_text, peer, w->folder);
    cli_world_write(w, "busy.chain.yaml",
                    "id: busy\nsteps:\n  - {stepName: work, instructionSet: below}\n"
                    "  - {stepName: slow, instructionSet: slow, dependsOn: []}\n"
                    "instructionSets:\n  slow: {tool: desk/write_line, arguments: {line: 'x'}}\n");
    start_queued(w, "busy", id);
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE chain_id = 'asks' AND status = 'waiting'", 1);
    newest_id(w, below);
    sql(w, "UPDATE execution_journal SET body = replace(body, 'Go on?', 'Gone on') WHERE exec_no = 2");
    cli_world_await(w, "ledger", "write_line");
    assert_exit(w, catena(w, "store", "discard", below, NULL), 0);
    await(w, "SELECT count(*) FROM chain_executions WHERE exec_no = 1 AND status = 'failed'", 1);
    running_stop(w, &owner);
}

/* Its table is not there, which is as good as any other reason. */
static void a_quarantine_that_cannot_be_written_works_all_the_same(void **state)
{
    world *w = *state;
    char id[64];
    prepare(w);
    for (int i = 0; i < 4; i++)
        start_queued(w, "quick", id);
    sql(w, ALTERED, 2);
    sql(w, "DROP TRIGGER chain_executions_released");
    sql(w, "ALTER TABLE quarantine RENAME TO elsewhere");
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'completed'", 3);
    usleep(1500000);
    running_stop(w, &owner);
    assert_int_equal(count_in(w->said.err, "put into quarantine"), 1);
    assert_int_equal(count_in(w->said.err, "the quarantine cannot be read"), 1);
    assert_int_equal(count_in(w->said.err, "the quarantine cannot be written"), 1);
}

/* Without the key file nothing is damaged, and nobody else is held up. */
static void a_missing_key_damages_nobody(void **state)
{
    world *w = *state;
    char sealed[64], plain[64], from[300], to[300];
    prepare(w);
    cli_world_write(w, "catena.yaml", "%ssealing: {key: {file: ring.key}}\n", config_text);
    cli_world_write(w, "secret.chain.yaml",
                    "id: secret\ninputSchema: {type: object, properties: {who: {type: string}}}\nsensitive: [who]\n"
                    "steps:\n  - {stepName: rest, instructionSet: rest, inputTemplate: '{who}'}\n");
    assert_exit(w, catena(w, "start", "secret", "-i", "who=Ann", "--json", NULL), 0);
    json_text(w->said.out, "executionId", sealed);
    snprintf(from, sizeof from, "%s/ring.key", w->folder);
    snprintf(to, sizeof to, "%s/elsewhere.key", w->folder);
    assert_int_equal(rename(from, to), 0);
    start_queued(w, "quick", plain);
    running owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'completed' AND chain_id = 'quick'", 1);
    usleep(1200000);
    assert_int_equal(ask(w, "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(rename(to, from), 0);
    running_stop(w, &owner);
    assert_int_equal(count_in(w->said.err, "what is sealed in executions cannot be opened"), 1);
    assert_int_equal(count_in(w->said.err, "put into quarantine"), 0);
    owner = running_serve(w, "t.db");
    await(w, "SELECT count(*) FROM chain_executions WHERE status = 'completed'", 2);
    running_stop(w, &owner);
}

/* ---- sense and nonsense ---- */

typedef struct journal {
    ctn_arena *arena;
    ctn_record records[64];
    size_t count;
} journal;

static int keep_record(void *ctx, const ctn_record *r, int64_t position)
{
    journal *j = ctx;
    ctn_record *kept = &j->records[j->count++];
    (void) position;
    assert_true(j->count < 60);
    *kept = *r;
    kept->step = ctn_arena_str(j->arena, r->step);
    kept->actor = ctn_arena_str(j->arena, r->actor);
    kept->body = ctn_arena_str(j->arena, r->body);
    kept->sealed = (ctn_str){0};
    return 0;
}

typedef struct trying {
    ctn_store *from, *store;
    int64_t exec_no;
    size_t tried, refused;
    ctn_arena *arena;
} trying;

static ctn_effect is_read(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind, (void) target;
    *ret_from = "test";
    return CTN_EFFECT_READ;
}

/* What the engine and `show` would do with it. */
static void go_on(trying *t, ctn_execution *x)
{
    const ctn_rules rules = {.effect_of = is_read};
    ctn_owed owed;
    ctn_entry entry;
    ctn_execution_owed(x, &rules, 1, t->arena, &owed);
    for (uint32_t i = 0; i < ctn_execution_plan(x)->step_count; i++)
        (void) ctn_execution_step(x, i);
    ctn_input in = {.kind = CTN_IN_RECOVERED, .now_ms = 2000000000000, .was_crash = true};
    if (ctn_execution_decide(x, &rules, &in, t->arena, &entry, NULL) == CTN_OK)
        ctn_execution_apply(x, &entry);
    for (int i = 0; i < 100 && ctn_execution_next(x, &rules, 2000000000000, 7, t->arena, &entry); i++)
        ctn_execution_apply(x, &entry);
    ctn_execution_owed(x, &rules, 2000000000000, t->arena, &owed);
}

/* Puts it into a store in memory, with hashes that fit, folds it, and goes on with what is let through. */
static void try_one(trying *t, const ctn_record *records, size_t count)
{
    ctn_record *own = CTN_NEW_ARRAY(t->arena, ctn_record, count);
    ctn_digest hash = {{0}};
    ctn_outcome outcome;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    ctn_execution_row row = {.exec_no = ++t->exec_no,
                             .chain_id = ctn_str_from("any"),
                             .chain_version = 1,
                             .status = CTN_STATUS_RUNNING,
                             .created_at_ms = 1};
    for (int i = 0; i < 8; i++)
        row.id.bytes[15 - i] = (uint8_t) (t->exec_no >> (8 * i));
    for (size_t i = 0; i < count; i++) {
        own[i] = records[i];
        own[i].seq = i + 1;
        own[i].hash = hash = ctn_record_hash(&own[i], &hash);
    }
    ctn_append a = {.exec_no = row.exec_no, .epoch = UINT64_MAX >> 1, .row = &row, .records = own, .count = count};
    assert_int_equal(ctn_store_commit(t->store, &a, 1, &outcome, &err), CTN_OK);
    assert_int_equal(outcome, CTN_OUTCOME_ACCEPTED);
    int rc = ctn_execution_load(t->store, t->arena, &row, &x, &err);
    t->tried++;
    if (rc) {
        assert_int_equal(rc, CTN_E_CORRUPT);
        assert_true(err.message[0]);
        t->refused++;
    }
    if (rc == CTN_OK)
        go_on(t, x);
    ctn_execution_unload(x);
    ctn_arena_reset(t->arena);
}

/* The body without its n-th member; empty: it has not so many. */
static ctn_str without_member(ctn_arena *arena, ctn_str body, size_t n)
{
    const ctn_json *v = NULL;
    if (ctn_json_parse(arena, body, NULL, &v, NULL) || n >= ctn_json_count(v))
        return (ctn_str){0};
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(v); i++)
        if (i != n)
            ctn_json_put(&b, ctn_json_text(&v->members[i].key), &v->members[i].value);
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static void try_all(trying *t, const journal *j)
{
    ctn_record changed[64];
    for (size_t i = 0; i < j->count; i++) {
#define AGAIN() memcpy(changed, j->records, sizeof changed)
        AGAIN();
        memmove(&changed[i], &changed[i + 1], (j->count - i) * sizeof *changed);
        if (j->count > 1)
            try_one(t, changed, j->count - 1); /* left out */
        AGAIN();
        memmove(&changed[i + 1], &changed[i], (j->count - i) * sizeof *changed);
        try_one(t, changed, j->count + 1); /* twice */
        AGAIN();
        if (i + 1 < j->count) {
            changed[i] = j->records[i + 1];
            changed[i + 1] = j->records[i];
            try_one(t, changed, j->count); /* in the other order */
        }
        for (int kind = 0; kind < CTN_ENTRY_KIND_COUNT; kind++) {
            AGAIN();
            changed[i].kind = (ctn_entry_kind) kind;
            try_one(t, changed, j->count); /* of another kind */
        }
        static const char *const BODIES[] = {"{}", "[]", "null", "{\"variables\":7,\"args\":[],\"dueMs\":\"x\"}"};
        for (size_t k = 0; k < sizeof BODIES / sizeof *BODIES; k++) {
            AGAIN();
            changed[i].body = ctn_str_from(BODIES[k]);
            try_one(t, changed, j->count);
        }
        ctn_arena *arena = ctn_arena_new(4096);
        for (size_t n = 0; n < 64; n++) {
            AGAIN();
            changed[i].body = without_member(arena, j->records[i].body, n);
            if (!changed[i].body.len)
                break;
            try_one(t, changed, j->count); /* without one of its members */
        }
        ctn_arena_free(arena);
        for (size_t k = 0; k < 4; k++) {
            AGAIN();
            changed[i].step = k == 0 ? (ctn_str){0} : k == 1 ? ctn_str_from("nobody") : changed[i].step;
            changed[i].item = k == 2 ? 99 : changed[i].item;
            changed[i].attempt = k == 3 ? changed[i].attempt + 3 : changed[i].attempt;
            try_one(t, changed, j->count); /* about something else */
        }
    }
}

static int keep_number(void *ctx, const ctn_execution_row *row)
{
    int64_t *numbers = ctx;
    numbers[++numbers[0]] = row->exec_no;
    return numbers[0] == 30;
}

static const char *const rich[] = {
    "id: rich\nconcurrencyKey: '{k}'\ninputSchema: {type: object, properties: {k: {type: string}}}\noutputs: [b]\n"
    "instructionSets:\n"
    "  say: {transform: '{b: (.a + 1)}', arguments: {a: '{a}'}}\n"
    "  one: {transform: '{a: 1}'}\n"
    "  bad: {transform: 'error(\"no\")'}\n"
    "  each: {transform: '{c: .x}', arguments: {x: '{n}'}}\n"
    "  ask: {approval: {message: 'ok?'}}\n"
    "  rest: {wait: {ms: 20}}\n"
    "  sub: {chain: small, arguments: {}}\n"
    "steps:\n"
    "  - {stepName: one, instructionSet: one, outputVariables: [a], rollbackAction: one}\n"
    "  - {stepName: many, instructionSet: each, foreach: {items: {range: [0, 3]}, as: n}, outputVariables: [c]}\n"
    "  - {stepName: say, instructionSet: say, outputVariables: [b]}\n"
    "  - {stepName: skip, instructionSet: one, conditionalExecution: '{a} > 5', outputVariables: [z]}\n"
    "  - {stepName: try, instructionSet: bad, onError: continue, retryConfig: {maxRetries: 1, backoffMs: 5}}\n"
    "  - {stepName: rest, instructionSet: rest, dependsOn: [say]}\n"
    "  - {stepName: below, instructionSet: sub}\n"
    "  - {stepName: ask, instructionSet: ask, dependsOn: [rest]}\n",
    "id: small\nsteps:\n  - {stepName: rest, instructionSet: rest2}\ninstructionSets:\n  rest2: {wait: {ms: 1}}\n",
};

static void no_journal_crashes_the_fold(void **state)
{
    world *w = *state;
    char url[700], id[64];
    int64_t numbers[32] = {0};
    cli_world_write(w, "catena.yaml", "store: sqlite:t.db\ninclude: ['*.chain.yaml']\n");
    cli_world_write(w, "rich.chain.yaml", "%s", rich[0]);
    cli_world_write(w, "small.chain.yaml", "%s", rich[1]);
    assert_exit(w, catena(w, "run", "rich", "-i", "k=x", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w,
                shell(w, "catena cancel $(catena list --json | tr ',' '\\n' | grep executionId | tail -1 | cut -d'\"' "
                         "-f4) --quiet"),
                0);
    trying t = {.arena = ctn_arena_new(65536)};
    snprintf(url, sizeof url, "sqlite:%s/t.db", w->folder);
    assert_int_equal(ctn_store_open(url, CTN_STORE_READ, &t.from, NULL), CTN_OK);
    assert_int_equal(ctn_store_open("memory:nonsense", CTN_STORE_CREATE, &t.store, NULL), CTN_OK);
    assert_int_equal(ctn_store_execution_list(t.from, &(ctn_execution_filter){0}, keep_number, numbers, NULL), CTN_OK);
    sqlite3 *db = open_db(w);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT digest, kind, name, body FROM definitions", -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        ctn_definition d = {.kind = ctn_str_from((const char *) sqlite3_column_text(stmt, 1)),
                            .name = ctn_str_from((const char *) sqlite3_column_text(stmt, 2)),
                            .body = ctn_str_from((const char *) sqlite3_column_text(stmt, 3))};
        memcpy(d.digest.bytes, sqlite3_column_blob(stmt, 0), sizeof d.digest.bytes);
        assert_int_equal(ctn_store_definition_put(t.store, &d, 1, NULL), CTN_OK);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    for (int64_t i = 1; i <= numbers[0]; i++) {
        journal j = {.arena = ctn_arena_new(16384)};
        assert_int_equal(ctn_store_journal_read(t.from, numbers[i], 1, keep_record, &j, NULL), CTN_OK);
        size_t refused = t.refused;
        try_one(&t, j.records, j.count);
        assert_int_equal(t.refused, refused); /* as it is, it reads */
        try_all(&t, &j);
        ctn_arena_free(j.arena);
    }
    ctn_store_close(t.from);
    ctn_store_close(t.store);
    ctn_arena_free(t.arena);
    assert_true(t.refused > t.tried / 4);
    print_message("%zu journals that make no sense, %zu refused, none crashed\n", t.tried, t.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(ten_damaged_of_a_thousand_stop_nobody),
        CLI_TEST(a_damaged_one_is_shown_and_exported_as_far_as_it_reads),
        CLI_TEST(a_released_one_goes_on_in_a_running_owner),
        CLI_TEST(what_waits_for_a_discarded_one_goes_on),
        CLI_TEST(a_parent_at_work_hears_that_its_child_was_given_up),
        CLI_TEST(a_quarantine_that_cannot_be_written_works_all_the_same),
        CLI_TEST(a_missing_key_damages_nobody),
        CLI_TEST(no_journal_crashes_the_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
