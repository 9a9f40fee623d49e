#include "death_kit.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STORE        "death.db"
#define PROCESS_MAX  16
#define LEAVE_MAX_MS 20000 /* until the processes of a dead one must be gone */

/* ---- chains ---- */

static const char sets[] =
    "instructionSets:\n"
    "  look: {tool: one/read_line, arguments: {line: look}}\n"
    "  keep: {tool: one/idempotent_line, arguments: {line: '{input}'}}\n"
    "  book: {tool: one/write_line, arguments: {line: '{input}'}, check: {tool: one/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  send: {tool: one/write_line, arguments: {line: '{input}'}}\n"
    "  other-book: {tool: two/write_line, arguments: {line: '{input}'}, check: {tool: two/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  other-send: {tool: two/write_line, arguments: {line: '{input}'}}\n"
    "  unsend: {tool: one/write_line, arguments: {line: back}, check: {tool: one/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  unkeep: {tool: one/idempotent_line, arguments: {line: back}}\n"
    "  refuse: {tool: one/fail, arguments: {message: no rooms left}}\n"
    "  with-child: {chain: child, arguments: {word: '{input}'}}\n";

#define RETRY "retryConfig: {maxRetries: 3, backoffMs: 5}"

const death_chain death_chains[] = {
    {"checked",
     "id: checked\n"
     "outputs: [a, e]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: book_more, instructionSet: book, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{c}', outputVariables: {e: line}, " RETRY "}\n",
     "completed"},
    {"unchecked",
     "id: unchecked\n"
     "outputs: [a, e]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: send_more, instructionSet: send, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{c}', outputVariables: {e: line}, " RETRY "}\n",
     "completed"},
    {"idempotent",
     "id: idempotent\n"
     "outputs: [c]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: keep_more, instructionSet: keep, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n",
     "completed"},
    {"undone",
     "id: undone\n"
     "steps:\n"
     "  - {stepName: hold, instructionSet: book, inputTemplate: hold, outputVariables: {a: line}, rollbackAction: "
     "unsend, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{a}', outputVariables: {b: line}, rollbackAction: "
     "unkeep, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{b}', outputVariables: {c: line}, rollbackAction: "
     "unsend, " RETRY "}\n"
     "  - {stepName: refuse, instructionSet: refuse, inputTemplate: '{c}', " RETRY "}\n",
     "rolled_back"},
    {"parallel",
     "id: parallel\n"
     "outputs: [e]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: a, outputVariables: {a: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: b, outputVariables: {b: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: other, instructionSet: other-book, inputTemplate: c, outputVariables: {c: line}, "
     "parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: more, instructionSet: other-send, inputTemplate: d, outputVariables: {d: line}, "
     "parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: e, outputVariables: {e: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{a}{b}{c}{d}{e}', outputVariables: {f: line}, " RETRY
     "}\n",
     "completed"},
    {"foreach",
     "id: foreach\n"
     "outputs: [count]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, foreach: {items: {range: [0, 4]}, maxConcurrency: 2}, inputTemplate: "
     "'n{item}', outputVariables: {lines: line}, " RETRY "}\n"
     "  - {stepName: send, instructionSet: other-send, foreach: {items: {range: [0, 3]}, maxConcurrency: 3}, "
     "inputTemplate: 'n{item}', outputVariables: {more: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: keep, inputTemplate: all, outputVariables: {count: "
     "line}, " RETRY "}\n",
     "completed"},
    {"parent",
     "id: parent\n"
     "outputs: [word]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: x, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: hand_on, instructionSet: with-child, inputTemplate: child, outputVariables: [word]}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{a}{word}', outputVariables: {b: line}, " RETRY "}\n",
     "completed"},
    {"lone",
     "id: lone\n"
     "steps:\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: a, outputVariables: {a: line}, " RETRY "}\n",
     "completed"},
};
const size_t death_chain_count = sizeof death_chains / sizeof *death_chains;

static const char child_text[] =
    "id: child\n"
    "inputSchema: {type: object, required: [word], properties: {word: {type: string}}}\n"
    "outputs: [word]\n"
    "steps:\n"
    "  - {stepName: inner_book, instructionSet: book, inputTemplate: '{word}', outputVariables: {a: line}, " RETRY "}\n"
    "  - {stepName: inner_send, instructionSet: send, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n";

const death_chain *death_chain_named(const char *name)
{
    for (size_t i = 0; i < death_chain_count; i++)
        if (strcmp(death_chains[i].name, name) == 0)
            return &death_chains[i];
    fail_msg("no chain %s", name);
    return NULL;
}

/* ---- trials ---- */

/* What a store held at a moment. */
typedef struct seen_entry {
    ctn_record record;
    const ctn_json *body;
    ctn_str key; /* of the call it is about; empty: of none */
} seen_entry;

typedef struct seen_execution {
    ctn_execution_row row;
    ctn_id_text id;
    seen_entry *entries;
    size_t count, capacity;
    ctn_arena *arena;
} seen_execution;

typedef struct seen {
    seen_execution *executions; /* oldest first */
    size_t count, capacity;
} seen;

/* What the tools did. */
typedef struct deed {
    ctn_str tool, key;
    int process; /* the how-manieth catena it was a child of */
} deed;

typedef struct trial {
    const death_plan *plan;
    death_tally *tally;
    world *w;
    ctn_arena *arena;
    seen after[PROCESS_MAX]; /* what was in the store after this process (from 1) */
    bool died[PROCESS_MAX];
    int process;
    deed *deeds;
    size_t deed_count;
    bool is_at_work;  /* a process changes the store meanwhile: row and journal are not read at once */
    bool logs_points; /* of the first process; nobody dies */
    char died_at[200];
    char *why; /* 400 */
    jmp_buf wrong;
} trial;

static _Noreturn void wrong(trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(trial *t, const char *format, ...)
{
    va_list list;
    int len = snprintf(t->why, 400, "%s, killed at %u (%.60s): ", t->plan->chain->name, t->plan->at, t->died_at);
    va_start(list, format);
    vsnprintf(t->why + len, 400 - (size_t) len, format, list);
    va_end(list);
    longjmp(t->wrong, 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Every process below us, orphans too, has ended. */
static void await_all_gone(trial *t)
{
    for (int64_t until_ms = now_ms() + LEAVE_MAX_MS; now_ms() < until_ms;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0)
            (void) usleep(500);
    }
    wrong(t, "a process is left behind");
}

/* ---- looking ---- */

/* The call an entry is about: the key of its journal and of the ledger are the same. */
static ctn_str key_of(ctn_arena *arena, const ctn_id_text *id, const ctn_record *r, const ctn_json *body)
{
    if (r->step.len == 0)
        return (ctn_str){0};
    bool is_undo = r->kind == CTN_ENTRY_COMPENSATION_STARTED || r->kind == CTN_ENTRY_COMPENSATION_SUCCEEDED ||
                   r->kind == CTN_ENTRY_COMPENSATION_FAILED || ctn_json_bool_or(body, "undo", false);
    char item[32] = "";
    if (r->item >= 0)
        snprintf(item, sizeof item, "[%lld]", (long long) r->item);
    return ctn_arena_printf(arena, "%s/%.*s%s/%s", id->text, CTN_STR_ARG(r->step), item, is_undo ? "undo" : "do");
}

static int see_entry(void *ctx, const ctn_record *record, int64_t position)
{
    seen_execution *x = ctx;
    (void) position;
    if (x->count == x->capacity) {
        size_t capacity = x->capacity ? 2 * x->capacity : 64;
        seen_entry *entries = CTN_NEW_ARRAY(x->arena, seen_entry, capacity);
        if (x->count)
            memcpy(entries, x->entries, x->count * sizeof *entries);
        x->entries = entries;
        x->capacity = capacity;
    }
    seen_entry *e = &x->entries[x->count++];
    e->record = *record;
    e->record.step = ctn_arena_str(x->arena, record->step);
    e->record.actor = ctn_arena_str(x->arena, record->actor);
    e->record.body = ctn_arena_str(x->arena, record->body);
    if (ctn_json_parse(x->arena, e->record.body, NULL, &e->body, NULL))
        return 1;
    e->key = key_of(x->arena, &x->id, &e->record, e->body);
    return 0;
}

typedef struct looking {
    seen *s;
    ctn_arena *arena;
} looking;

static int see_execution(void *ctx, const ctn_execution_row *row)
{
    looking *l = ctx;
    if (l->s->count == l->s->capacity) {
        size_t capacity = l->s->capacity ? 2 * l->s->capacity : 16;
        seen_execution *executions = CTN_NEW_ARRAY(l->arena, seen_execution, capacity);
        if (l->s->count)
            memcpy(executions, l->s->executions, l->s->count * sizeof *executions);
        l->s->executions = executions;
        l->s->capacity = capacity;
    }
    l->s->executions[l->s->count++] = (seen_execution){.row = {.exec_no = row->exec_no}, .arena = l->arena};
    return 0;
}

static seen look(trial *t)
{
    char url[600];
    seen s = {0};
    ctn_store *store = NULL;
    ctn_err err = {0};
    snprintf(url, sizeof url, "sqlite:%s/%s", t->w->folder, STORE);
    int rc = ctn_store_open(url, CTN_STORE_READ, &store, &err);
    if (rc == CTN_E_NOT_FOUND || rc == CTN_E_STATE) /* killed before it was made */
        return s;
    if (rc)
        wrong(t, "the store cannot be read: %s", err.message);
    looking l = {&s, t->arena};
    ctn_execution_filter filter = {0};
    rc = ctn_store_execution_list(store, &filter, see_execution, &l, &err);
    for (size_t i = 0; rc == CTN_OK && i < s.count / 2; i++) { /* they came newest first */
        seen_execution swapped = s.executions[i];
        s.executions[i] = s.executions[s.count - 1 - i];
        s.executions[s.count - 1 - i] = swapped;
    }
    for (size_t i = 0; rc == CTN_OK && i < s.count; i++) {
        seen_execution *x = &s.executions[i];
        rc = ctn_store_execution_by_no(store, t->arena, x->row.exec_no, &x->row, &err);
        x->id = ctn_id_to_text(x->row.id);
        if (rc == CTN_OK)
            rc = ctn_store_journal_read(store, x->row.exec_no, 1, see_entry, x, &err);
        ctn_execution *folded = NULL;
        if (rc == CTN_OK)
            rc = ctn_execution_load(store, t->arena, &x->row, &folded, &err);
        if (rc == CTN_OK && !t->is_at_work && ctn_execution_status(folded) != x->row.status)
            rc = ctn_fail(&err, CTN_E_CORRUPT, "the row says %s, the journal %s", ctn_status_name(x->row.status),
                          ctn_status_name(ctn_execution_status(folded)));
        ctn_execution_unload(folded);
    }
    ctn_store_close(store);
    if (rc)
        wrong(t, "the store does not read back: %s", err.message);
    return s;
}

static void read_ledger(trial *t)
{
    static const size_t BYTES = 1 << 20;
    char *text = ctn_arena_alloc(t->arena, BYTES);
    cli_world_read(t->w, "ledger", text, BYTES);
    ctn_str ledger = ctn_str_from(text);
    t->deeds = CTN_NEW_ARRAY(t->arena, deed, BYTES / 64);
    t->deed_count = 0;
    while (ledger.len) {
        ctn_str line = ctn_str_cut(&ledger, '\n');
        deed *d = &t->deeds[t->deed_count++];
        d->tool = ctn_str_cut(&line, ' ');
        d->key = ctn_str_cut(&line, ' ');
        (void) ctn_str_cut(&line, ' ');
        int64_t mark = 0;
        if (!ctn_str_to_int64(line, &mark))
            wrong(t, "a line of the ledger is damaged");
        d->process = (int) mark;
    }
}

/* How often a call was done by the children of processes `from` to `to`. */
static int deeds_of(const trial *t, ctn_str key, int from, int to)
{
    int count = 0;
    for (size_t i = 0; i < t->deed_count; i++)
        count += t->deeds[i].process >= from && t->deeds[i].process <= to && ctn_str_equal(t->deeds[i].key, key);
    return count;
}

static void check_file(trial *t)
{
    char path[600];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool is_whole = false;
    snprintf(path, sizeof path, "%s/%s", t->w->folder, STORE);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        is_whole = strcmp((const char *) sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    if (!is_whole)
        wrong(t, "the store's file is damaged");
}

/* ---- running ---- */

static void write_config(trial *t, int process)
{
    const char *peer = peer_program();
    const char *more = t->plan->peer_args ? t->plan->peer_args : "";
    const char *effects = "{write_line: write, read_line: read, idempotent_line: idempotent, check_line: read, fail: "
                          "idempotent}";
    cli_world_write(t->w, "catena.yaml",
                    "store: sqlite:%s\n"
                    "servers:\n"
                    "  one: {command: %s, args: [%s--ledger, ledger, --mark, \"%d\"], effects: %s}\n"
                    "  two: {command: %s, args: [%s--ledger, ledger, --mark, \"%d\"], effects: %s}\n"
                    "include: [%s]\n",
                    STORE, peer, more, process, effects, peer, more, process, effects,
                    t->plan->serves ? "\"chains/*.yaml\"" : "chain.yaml, child.yaml, sets.yaml");
}

static void clear_env(world *w)
{
    while (w->env_count)
        free(w->env[--w->env_count]);
}

static void set_death(trial *t, unsigned at)
{
    char text[400];
    snprintf(text, sizeof text, "CATENA_DEATH_AT=%u", at);
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_LOG=%s/%s", t->w->folder, at ? "died" : "points");
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_VICTIM=%s", t->plan->victim ? t->plan->victim : "main");
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_COUNTS=%s", t->plan->counts ? t->plan->counts : "main");
    cli_world_env(t->w, text);
}

static const char mortal_program[] = CATENA_BUILD_DIR "/tests/catena_mortal";
static const char planted_program[] = CATENA_BUILD_DIR "/tests/catena_mortal_planted";

/* Configuration, environment and program of the next process. */
static void prepare_process(trial *t, unsigned at)
{
    write_config(t, t->process);
    clear_env(t->w);
    if (at)
        set_death(t, at);
    t->w->program = at ? mortal_program : NULL;
    if (t->logs_points && t->process == 1) {
        set_death(t, 0);
        t->w->program = mortal_program;
    } else if (t->plan->plant) {
        char plant[100];
        snprintf(plant, sizeof plant, "CATENA_PLANT=%s", t->plan->plant);
        cli_world_env(t->w, plant);
        t->w->program = planted_program;
    }
}

static void note_death(trial *t)
{
    char died_at[200];
    cli_world_read(t->w, "died", died_at, sizeof died_at);
    for (char *end = died_at; (end = strchr(end, '\n'));)
        *end = ';';
    if (strcmp(died_at, t->died_at) != 0)
        t->tally->deaths++;
    snprintf(t->died_at, sizeof t->died_at, "%s", died_at);
}

/* The next process; its exit code. `at`: where it dies, or 0. */
static int run(trial *t, unsigned at, const char *const *args)
{
    const char *a[12] = {NULL};
    for (size_t i = 0; args[i]; i++)
        a[i] = args[i];
    if (++t->process >= PROCESS_MAX)
        wrong(t, "it does not end");
    prepare_process(t, at);
    running r = catena_start(t->w, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], NULL);
    int code = running_wait(t->w, &r);
    t->died[t->process] = code == -SIGKILL;
    if (at && t->plan->waits)
        await_all_gone(t);
    if (at)
        note_death(t);
    t->after[t->process] = look(t);
    return code;
}

/* A store without anything in it, made once. */
static void put_new_store(trial *t)
{
    static char *bytes;
    static size_t len;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", t->w->folder, STORE);
    if (!bytes) {
        assert_exit(t->w, catena(t->w, "store", "init", "--quiet", NULL), 0);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        bytes = malloc(1 << 20);
        len = fread(bytes, 1, 1 << 20, file);
        fclose(file);
        return;
    }
    FILE *file = fopen(path, "we");
    assert_true(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static const seen_execution *root_of(const seen *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (ctn_id_is_none(s->executions[i].row.parent))
            return &s->executions[i];
    return NULL;
}

/* The last entry about the call. */
static const seen_entry *last_of(const seen_execution *x, ctn_str key)
{
    for (size_t i = x->count; i-- > 0;)
        if (ctn_str_equal(x->entries[i].key, key))
            return &x->entries[i];
    return NULL;
}

/* The first entry of the first call that waits for a person's word, or NULL. */
static const seen_entry *parked_in(const seen *s, const seen_execution **ret_execution)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->executions[i].count; k++) {
            const seen_execution *x = &s->executions[i];
            const seen_entry *e = &x->entries[k];
            if (e->record.kind == CTN_ENTRY_INTERRUPTED && last_of(x, e->key) == e) {
                *ret_execution = x;
                return e;
            }
        }
    return NULL;
}

/* Looks into the ledger, when nobody can write into it any more, and says what became of the call. */
static int settle(trial *t, const seen_execution *x, const seen_entry *e)
{
    char step[200], result[400] = "{}";
    await_all_gone(t);
    read_ledger(t);
    if (e->record.item >= 0)
        snprintf(step, sizeof step, "%.*s[%lld]", CTN_STR_ARG(e->record.step), (long long) e->record.item);
    else
        snprintf(step, sizeof step, "%.*s", CTN_STR_ARG(e->record.step));
    for (size_t i = 0; i < x->count; i++) {
        const ctn_json *args = ctn_json_member_of(x->entries[i].body, "args");
        if (args && ctn_str_equal(x->entries[i].key, e->key))
            snprintf(result, sizeof result, "{\"line\": \"%.*s\"}",
                     CTN_STR_ARG(ctn_json_str_or(args, "line", CTN_STR(""))));
    }
    bool happened = deeds_of(t, e->key, 1, PROCESS_MAX) > 0;
    const char *const succeed[] = {"resume", x->id.text, "--step", step, "--succeed", result, "--quiet", NULL};
    const char *const retry[] = {"resume", x->id.text, "--step", step, "--retry", "--quiet", NULL};
    return run(t, 0, happened ? succeed : retry);
}

/* Until everything has ended, or nothing goes on. */
static void go_on(trial *t)
{
    for (bool second = true;
         root_of(&t->after[t->process]) && !ctn_status_is_final(root_of(&t->after[t->process])->row.status);
         second = false) {
        const seen *s = &t->after[t->process];
        const seen_execution *x = NULL;
        const seen_entry *e = parked_in(s, &x);
        if (e && !t->died[t->process]) {
            (void) settle(t, x, e);
            continue;
        }
        const char *const args[] = {"resume", root_of(s)->id.text, "--quiet", NULL};
        int code = run(t, second ? t->plan->second_at : 0, args);
        if (code != 0 && code != 1 && code != 3 && code != 130 && code != -SIGKILL)
            wrong(t, "resume ended with %d: %.200s", code, t->w->said.err);
    }
}

/* ---- judging ---- */

typedef enum call_state { NOT_BEGUN, STARTED, UNKNOWN, CHECKED, PARKED, DECIDED, FAILED, RECORDED } call_state;

static call_state state_after(const seen_entry *e)
{
    switch (e->record.kind) {
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: return STARTED;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: return RECORDED;
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: return ctn_json_bool_or(e->body, "unknown", false) ? UNKNOWN : FAILED;
    case CTN_ENTRY_CHECKED: return CHECKED;
    case CTN_ENTRY_INTERRUPTED: return PARKED;
    case CTN_ENTRY_DECISION: return DECIDED;
    default: return NOT_BEGUN;
    }
}

static const seen_execution *same_in(const seen *s, const seen_execution *x)
{
    for (size_t i = 0; i < s->count; i++)
        if (ctn_id_equal(s->executions[i].row.id, x->row.id))
            return &s->executions[i];
    return NULL;
}

/* The journal that stood after a death stands in the end, entry for entry. */
static void judge_journal(trial *t, const seen *before, const seen *end)
{
    for (size_t i = 0; i < before->count; i++) {
        const seen_execution *x = &before->executions[i], *y = same_in(end, x);
        if (!y || y->count < x->count)
            wrong(t, "an execution, or entries of it, are lost");
        for (size_t k = 0; k < x->count; k++)
            if (memcmp(&x->entries[k].record.hash, &y->entries[k].record.hash, sizeof(ctn_digest)) != 0)
                wrong(t, "entry %zu has changed", k + 1);
    }
    for (size_t i = 0; i < end->count; i++) {
        ctn_digest previous = {0};
        for (size_t k = 0; k < end->executions[i].count; k++) {
            const ctn_record *r = &end->executions[i].entries[k].record;
            ctn_digest hash = ctn_record_hash(r, &previous);
            if (r->seq != k + 1 || memcmp(&hash, &r->hash, sizeof hash) != 0)
                wrong(t, "entry %zu does not continue the journal", k + 1);
            previous = r->hash;
        }
    }
}

/* A write from its first entry to its last: nothing is done again before it is known what became of it. */
static void judge_write(trial *t, const seen_execution *x, ctn_str key)
{
    call_state state = NOT_BEGUN;
    int done = deeds_of(t, key, 1, PROCESS_MAX);
    for (size_t i = 0; i < x->count; i++) {
        const seen_entry *e = &x->entries[i];
        call_state next = state_after(e);
        if (!ctn_str_equal(e->key, key) || next == NOT_BEGUN)
            continue;
        bool is_open = state == STARTED || state == UNKNOWN;
        if (is_open && next == STARTED)
            wrong(t, "the write %.*s was begun again before anybody knew what became of it", CTN_STR_ARG(key));
        if (state == UNKNOWN && next != CHECKED && next != PARKED)
            wrong(t, "a fourth outcome: behind the unknown end of %.*s comes %s", CTN_STR_ARG(key),
                  ctn_entry_kind_name(e->record.kind));
        if (is_open && next == PARKED)
            t->tally->parked++;
        if (is_open && next == CHECKED) {
            const ctn_json *happened = ctn_json_member_of(e->body, "happened");
            if (ctn_json_is(happened, CTN_JSON_TRUE))
                t->tally->verified_happened++;
            else if (ctn_json_is(happened, CTN_JSON_FALSE))
                t->tally->verified_not++;
        }
        state = next;
    }
    if (done > 1)
        wrong(t, "the write %.*s was done %d times", CTN_STR_ARG(key), done);
    if (state == RECORDED && done != 1)
        wrong(t, "the write %.*s is recorded and was done %d times", CTN_STR_ARG(key), done);
    if (state == FAILED && done != 0)
        wrong(t, "the write %.*s is recorded as failed and was done", CTN_STR_ARG(key));
    if (state != RECORDED && state != FAILED && state != NOT_BEGUN)
        wrong(t, "nobody knows what became of the write %.*s", CTN_STR_ARG(key));
}

/* A call at the death of process `p`, by the journal of then and of the end, and by the ledger. */
static bool judge_call(trial *t, int p, const seen_execution *then, const seen_execution *end, ctn_str key,
                       bool is_write)
{
    call_state state = NOT_BEGUN;
    const seen_entry *next = NULL;
    bool is_recorded_later = false, is_begun_later = false;
    for (size_t i = 0; i < end->count; i++) {
        const seen_entry *e = &end->entries[i];
        call_state s = state_after(e);
        if (!ctn_str_equal(e->key, key) || s == NOT_BEGUN)
            continue;
        if (then && i < then->count) {
            state = s;
            continue;
        }
        next = next ? next : e;
        is_recorded_later = is_recorded_later || s == RECORDED || s == FAILED;
        is_begun_later = is_begun_later || s == STARTED;
    }
    int before = deeds_of(t, key, 1, p), after = deeds_of(t, key, p + 1, PROCESS_MAX);
    if (state == RECORDED && (after || is_begun_later || is_recorded_later))
        wrong(t, "%.*s was recorded and ran again", CTN_STR_ARG(key));
    if (state == RECORDED || state == FAILED || state == PARKED || state == DECIDED || state == CHECKED)
        return false;
    if (is_write && state == NOT_BEGUN && before)
        wrong(t, "the write %.*s was done before its intention was recorded", CTN_STR_ARG(key));
    if (state == NOT_BEGUN && !before)
        return false;
    if (is_write) {
        call_state s = next ? state_after(next) : NOT_BEGUN;
        if (s != CHECKED && s != PARKED)
            wrong(t, "a fourth outcome: behind the death in the write %.*s comes %s", CTN_STR_ARG(key),
                  next ? ctn_entry_kind_name(next->record.kind) : "nothing");
        if (s == CHECKED && ctn_json_bool_or(next->body, "happened", false) && (before != 1 || after != 0))
            wrong(t, "the check of %.*s said it happened; done %d times before, %d after", CTN_STR_ARG(key), before,
                  after);
    } else {
        if (!is_recorded_later)
            wrong(t, "a fourth outcome: %.*s was in flight and never came to an end", CTN_STR_ARG(key));
        if (after == 0)
            wrong(t, "a fourth outcome: %.*s was recorded later and not done again", CTN_STR_ARG(key));
        t->tally->repeated++;
    }
    return true;
}

typedef struct call {
    ctn_str key;
    const seen_execution *execution; /* as it was in the end */
    bool is_write;
} call;

static void add_call(call *calls, size_t *count, const call *c)
{
    for (size_t i = 0; i < *count; i++)
        if (ctn_str_equal(calls[i].key, c->key)) {
            calls[i].is_write = calls[i].is_write || c->is_write;
            return;
        }
    calls[(*count)++] = *c;
}

static const seen_execution *execution_of_key(const seen *end, ctn_str key)
{
    for (size_t i = 0; i < end->count; i++)
        if (ctn_str_starts_with(key, ctn_str_from(end->executions[i].id.text)))
            return &end->executions[i];
    return NULL;
}

/* Every call of the journal and of the ledger. */
static size_t list_calls(trial *t, const seen *end, call **ret_calls)
{
    size_t count = 0, max = t->deed_count;
    for (size_t i = 0; i < end->count; i++)
        max += end->executions[i].count;
    *ret_calls = CTN_NEW_ARRAY(t->arena, call, max + 1);
    for (size_t i = 0; i < end->count; i++)
        for (size_t k = 0; k < end->executions[i].count; k++) {
            const seen_entry *e = &end->executions[i].entries[k];
            if (ctn_json_member_of(e->body, "key"))
                add_call(*ret_calls, &count,
                         &(call){.key = ctn_json_str_or(e->body, "key", CTN_STR("")),
                                 .execution = &end->executions[i],
                                 .is_write = ctn_str_is(ctn_json_str_or(e->body, "effect", CTN_STR("")), "write")});
        }
    for (size_t i = 0; i < t->deed_count; i++) {
        const seen_execution *x = execution_of_key(end, t->deeds[i].key);
        if (!x)
            wrong(t, "%.*s was done for an execution that is not in the store", CTN_STR_ARG(t->deeds[i].key));
        add_call(
            *ret_calls, &count,
            &(call){.key = t->deeds[i].key, .execution = x, .is_write = ctn_str_is(t->deeds[i].tool, "write_line")});
    }
    return count;
}

static void judge(trial *t)
{
    const seen *end = &t->after[t->process];
    call *calls = NULL;
    read_ledger(t);
    size_t count = list_calls(t, end, &calls);
    for (int p = 1; p < t->process; p++) {
        if (!t->died[p])
            continue;
        judge_journal(t, &t->after[p], end);
        bool was_in_flight = false;
        for (size_t i = 0; i < count; i++)
            was_in_flight |= judge_call(t, p, same_in(&t->after[p], calls[i].execution), calls[i].execution,
                                        calls[i].key, calls[i].is_write);
        t->tally->quiet += p == 1 && !was_in_flight;
    }
    for (size_t i = 0; i < count; i++)
        if (calls[i].is_write)
            judge_write(t, calls[i].execution, calls[i].key);
    for (size_t i = 0; i < end->count; i++)
        if (!ctn_status_is_final(end->executions[i].row.status))
            wrong(t, "%s is %s for ever", end->executions[i].id.text, ctn_status_name(end->executions[i].row.status));
    check_file(t);
}

/* ---- one that serves many ---- */

static void put_chains(trial *t)
{
    for (size_t i = 0; i < death_chain_count; i++) {
        char name[100];
        snprintf(name, sizeof name, "chains/%s.yaml", death_chains[i].name);
        cli_world_write(t->w, name, "%s", death_chains[i].text);
    }
    cli_world_write(t->w, "chains/child.yaml", "%s", child_text);
    cli_world_write(t->w, "chains/sets.yaml", "%s", sets);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Nothing in it goes on any more without somebody. */
static bool is_at_rest(const seen *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ctn_status status = s->executions[i].row.status;
        const seen_execution *x = NULL;
        if (ctn_status_is_final(status) || status == CTN_STATUS_INTERRUPTED)
            continue;
        if (status != CTN_STATUS_WAITING || !parked_in(s, &x)) /* for a sub-chain that has parked */
            return false;
    }
    return true;
}

/* Lets it work until it dies or everything is at rest; then it is told to end. */
static void serve_until_rest(trial *t, running *r)
{
    for (int64_t until_ms = now_ms() + LEAVE_MAX_MS; !has_ended(r->pid);) {
        ctn_arena_mark mark = ctn_arena_save(t->arena);
        t->is_at_work = true;
        seen s = look(t);
        t->is_at_work = false;
        bool rests = is_at_rest(&s);
        ctn_arena_restore(t->arena, mark);
        if (rests)
            break;
        if (now_ms() > until_ms)
            wrong(t, "serve does not come to an end");
        (void) usleep(5000);
    }
    (void) kill(r->pid, SIGTERM);
    int code = running_wait(t->w, r);
    if (code != 0 && code != -SIGKILL && code != -SIGTERM) /* -SIGTERM: before it owned anything */
        wrong(t, "serve ended with %d: %.200s", code, t->w->said.err);
    t->died[t->process] = code == -SIGKILL;
    note_death(t);
    t->after[t->process] = look(t);
}

static running start_serving(trial *t, unsigned at)
{
    if (++t->process >= PROCESS_MAX)
        wrong(t, "it does not end");
    prepare_process(t, at);
    running r = catena_start(t->w, "serve", NULL);
    t->w->program = NULL;
    for (int tries = 0; tries < 10000 && !cli_world_has(t->w, STORE ".sock") && !has_ended(r.pid); tries++)
        (void) usleep(1000);
    return r;
}

/* Hands some executions over, one behind the other; what was acknowledged is in the store when all is over. */
static size_t hand_over(trial *t, char (*ids)[40])
{
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *name = death_chains[(t->plan->at + i * 2) % death_chain_count].name;
        int code = catena(t->w, "start", name, "--quiet", NULL);
        if (code == 0 && strlen(t->w->said.out) >= CTN_ID_TEXT_LEN)
            snprintf(ids[count++], 40, "%.36s", t->w->said.out);
        else if (code != 2 || !strstr(t->w->said.err, "ended before it answered"))
            wrong(t, "start ended with %d: %.200s", code, t->w->said.err);
    }
    return count;
}

static void serve_in_world(trial *t)
{
    char ids[8][40];
    put_chains(t);
    write_config(t, 0);
    put_new_store(t);
    running r = start_serving(t, t->plan->at);
    size_t count = hand_over(t, ids);
    serve_until_rest(t, &r);
    if (t->plan->waits)
        await_all_gone(t);
    r = start_serving(t, 0);
    serve_until_rest(t, &r);
    for (;;) {
        const seen_execution *x = NULL;
        const seen_entry *e = parked_in(&t->after[t->process], &x);
        if (!e)
            break;
        (void) settle(t, x, e);
    }
    r = start_serving(t, 0); /* whoever waited for what was settled */
    serve_until_rest(t, &r);
    await_all_gone(t);
    judge(t);
    t->tally->acknowledged += (unsigned) count;
    for (size_t i = 0; i < count; i++) {
        ctn_execution_id id;
        seen_execution wanted = {0};
        if (ctn_id_parse(ctn_str_from(ids[i]), &id, NULL))
            wrong(t, "start printed \"%s\"", ids[i]);
        wanted.row.id = id;
        if (!same_in(&t->after[t->process], &wanted))
            wrong(t, "%s was acknowledged and is not in the store", ids[i]);
    }
}

/* ---- a trial ---- */

static bool told_end(const world *w)
{
    char told[64];
    ctn_status status;
    json_text(w->said.out, "status", told);
    return ctn_status_from_name(ctn_str_from(told), &status) && ctn_status_is_final(status);
}

static void try_in_world(trial *t)
{
    const death_plan *plan = t->plan;
    const char *const start[] = {"run", plan->chain->name, "--quiet", NULL};
    if (plan->serves) {
        serve_in_world(t);
        return;
    }
    cli_world_write(t->w, "chain.yaml", "%s", plan->chain->text);
    cli_world_write(t->w, "child.yaml", "%s", child_text);
    cli_world_write(t->w, "sets.yaml", "%s", sets);
    write_config(t, 0);
    if (!plan->is_new_store)
        put_new_store(t);
    (void) run(t, plan->at, start);
    const seen *s = &t->after[1];
    const seen_execution *root = root_of(s);
    bool is_final = root && ctn_status_is_final(root->row.status);
    if (told_end(t->w) && !is_final)
        wrong(t, "an end was told that is not recorded");
    t->tally->after_end += is_final && t->died[1];
    if (!root) { /* nobody was told that it is accepted: asked again, it runs */
        t->tally->before_accepted++;
        read_ledger(t);
        if (t->deed_count)
            wrong(t, "something was done for an execution that is not in the store");
        (void) run(t, 0, start);
    }
    go_on(t);
    if (t->process == 1) /* ended, and told or not: who asks again finds the end */
        t->after[++t->process] = look(t);
    await_all_gone(t);
    judge(t);
    root = root_of(&t->after[t->process]);
    if (!root || strcmp(ctn_status_name(root->row.status), plan->chain->status) != 0)
        wrong(t, "it ended %s, not %s", root ? ctn_status_name(root->row.status) : "nowhere", plan->chain->status);
    for (int p = 2; p < t->process; p++)
        t->tally->second_deaths += t->died[p];
}

bool death_try(const death_plan *plan, death_tally *tally, char why[400])
{
    void *world_made = NULL;
    trial t = {.plan = plan, .tally = tally, .arena = ctn_arena_new(65536), .why = why};
    volatile bool is_right = false;
    assert_int_equal(cli_world_setup(&world_made), 0);
    t.w = world_made;
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    tally->trials++;
    if (setjmp(t.wrong) == 0) {
        try_in_world(&t);
        is_right = true;
    }
    t.w->program = NULL;
    if (!is_right && getenv("CATENA_KEEP"))
        printf("  kept: %s\n", t.w->folder);
    else
        cli_world_teardown(&world_made);
    ctn_arena_free(t.arena);
    return is_right;
}

unsigned death_points(const death_plan *plan, char **ret_lines)
{
    static const size_t BYTES = 4 << 20;
    char why[400] = "", *lines = malloc(BYTES);
    void *world_made = NULL;
    death_tally tally = {0};
    death_plan counted = *plan;
    counted.at = 0;
    trial t = {.plan = &counted, .tally = &tally, .arena = ctn_arena_new(65536), .why = why, .logs_points = true};
    assert_non_null(lines);
    assert_int_equal(cli_world_setup(&world_made), 0);
    t.w = world_made;
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (setjmp(t.wrong) == 0)
        try_in_world(&t);
    else
        fail_msg("without a death: %s", why);
    cli_world_read(t.w, "points", lines, BYTES);
    unsigned count = 0;
    for (const char *at = lines; (at = strchr(at, '\n')); at++)
        count++;
    t.w->program = NULL;
    cli_world_teardown(&world_made);
    ctn_arena_free(t.arena);
    *ret_lines = lines;
    return count;
}

void death_add(death_tally *sum, const death_tally *more)
{
    unsigned *a = (unsigned *) sum;
    const unsigned *b = (const unsigned *) more;
    for (size_t i = 0; i < sizeof *sum / sizeof *a; i++)
        a[i] += b[i];
}

void death_print(const char *name, const death_tally *t)
{
    printf(
        "  %-24s %5u points, %5u deaths: %u before it was accepted, %u after its end, %u with no call in flight; calls "
        "in flight: %u repeated, %u verified (%u had happened), %u parked\n",
        name, t->trials, t->deaths, t->before_accepted, t->after_end, t->quiet, t->repeated,
        t->verified_happened + t->verified_not, t->verified_happened, t->parked);
    fflush(stdout);
}
