/*
 * death_look.c -- what a trial sees: the store, by reading and folding every journal, and the ledger of the tools.
 */
#include "death_trial.h"
#include "engine/fold.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void trial_wrong(trial *t, const char *format, ...)
{
    va_list list;
    int len = snprintf(t->why, 400, "%s, killed at %u (%.60s): ", t->plan->chain->name, t->plan->at, t->died_at);
    va_start(list, format);
    vsnprintf(t->why + len, 400 - (size_t) len, format, list);
    va_end(list);
    longjmp(t->wrong, 1);
}

void trial_await_all_gone(trial *t)
{
    for (int64_t until_ms = now_ms() + DEATH_LEAVE_MS; now_ms() < until_ms;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0)
            (void) usleep(500);
    }
    trial_wrong(t, "a process is left behind");
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

seen trial_look(trial *t)
{
    char url[600];
    seen s = {0};
    ctn_store *store = NULL;
    ctn_err err = {0};
    snprintf(url, sizeof url, "sqlite:%s/%s", t->w->folder, DEATH_STORE);
    int rc = ctn_store_open(url, CTN_STORE_READ, &store, &err);
    if (rc == CTN_E_NOT_FOUND || rc == CTN_E_STATE) /* killed before it was made */
        return s;
    if (rc)
        trial_wrong(t, "the store cannot be read: %s", err.message);
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
        trial_wrong(t, "the store does not read back: %s", err.message);
    return s;
}

void trial_read_ledger(trial *t)
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
            trial_wrong(t, "a line of the ledger is damaged");
        d->process = (int) mark;
    }
}

int trial_deeds_of(const trial *t, ctn_str key, int from, int to)
{
    int count = 0;
    for (size_t i = 0; i < t->deed_count; i++)
        count += t->deeds[i].process >= from && t->deeds[i].process <= to && ctn_str_equal(t->deeds[i].key, key);
    return count;
}

const seen_execution *seen_root(const seen *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (ctn_id_is_none(s->executions[i].row.parent))
            return &s->executions[i];
    return NULL;
}

const seen_entry *seen_last(const seen_execution *x, ctn_str key)
{
    for (size_t i = x->count; i-- > 0;)
        if (ctn_str_equal(x->entries[i].key, key))
            return &x->entries[i];
    return NULL;
}

/* The first entry of the first call that waits for a person's word, or NULL. */
const seen_entry *seen_parked(const seen *s, const seen_execution **ret_execution)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->executions[i].count; k++) {
            const seen_execution *x = &s->executions[i];
            const seen_entry *e = &x->entries[k];
            if (e->record.kind == CTN_ENTRY_INTERRUPTED && seen_last(x, e->key) == e) {
                *ret_execution = x;
                return e;
            }
        }
    return NULL;
}

const seen_execution *seen_same(const seen *s, const seen_execution *x)
{
    for (size_t i = 0; i < s->count; i++)
        if (ctn_id_equal(s->executions[i].row.id, x->row.id))
            return &s->executions[i];
    return NULL;
}
