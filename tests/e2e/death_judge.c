/*
 * death_judge.c -- what became of each call: by its entries, and by the ledger. See death_kit.h.
 */
#include "death_trial.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

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

/* The journal that stood after a death stands in the end, entry for entry. */
static void judge_journal(trial *t, const seen *before, const seen *end)
{
    for (size_t i = 0; i < before->count; i++) {
        const seen_execution *x = &before->executions[i], *y = seen_same(end, x);
        if (!y || y->count < x->count)
            trial_wrong(t, "an execution, or entries of it, are lost");
        for (size_t k = 0; k < x->count; k++)
            if (memcmp(&x->entries[k].record.hash, &y->entries[k].record.hash, sizeof(ctn_digest)) != 0)
                trial_wrong(t, "entry %zu has changed", k + 1);
    }
    for (size_t i = 0; i < end->count; i++) {
        ctn_digest previous = {0};
        for (size_t k = 0; k < end->executions[i].count; k++) {
            const ctn_record *r = &end->executions[i].entries[k].record;
            ctn_digest hash = ctn_record_hash(r, &previous);
            if (r->seq != k + 1 || memcmp(&hash, &r->hash, sizeof hash) != 0)
                trial_wrong(t, "entry %zu does not continue the journal", k + 1);
            previous = r->hash;
        }
    }
}

/* A write from its first entry to its last: nothing is done again before it is known what became of it. */
static void judge_write(trial *t, const seen_execution *x, ctn_str key)
{
    call_state state = NOT_BEGUN;
    int done = trial_deeds_of(t, key, 1, DEATH_PROCESS_MAX);
    for (size_t i = 0; i < x->count; i++) {
        const seen_entry *e = &x->entries[i];
        call_state next = state_after(e);
        if (!ctn_str_equal(e->key, key) || next == NOT_BEGUN)
            continue;
        bool is_open = state == STARTED || state == UNKNOWN;
        if (is_open && next == STARTED)
            trial_wrong(t, "the write %.*s was begun again before anybody knew what became of it", CTN_STR_ARG(key));
        if (state == UNKNOWN && next != CHECKED && next != PARKED)
            trial_wrong(t, "a fourth outcome: behind the unknown end of %.*s comes %s", CTN_STR_ARG(key),
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
        trial_wrong(t, "the write %.*s was done %d times", CTN_STR_ARG(key), done);
    if (state == RECORDED && done != 1)
        trial_wrong(t, "the write %.*s is recorded and was done %d times", CTN_STR_ARG(key), done);
    if (state == FAILED && done != 0)
        trial_wrong(t, "the write %.*s is recorded as failed and was done", CTN_STR_ARG(key));
    if (state != RECORDED && state != FAILED && state != NOT_BEGUN)
        trial_wrong(t, "nobody knows what became of the write %.*s", CTN_STR_ARG(key));
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
    int before = trial_deeds_of(t, key, 1, p), after = trial_deeds_of(t, key, p + 1, DEATH_PROCESS_MAX);
    if (state == RECORDED && (after || is_begun_later || is_recorded_later))
        trial_wrong(t, "%.*s was recorded and ran again", CTN_STR_ARG(key));
    if (state == RECORDED || state == FAILED || state == PARKED || state == DECIDED || state == CHECKED)
        return false;
    if (is_write && state == NOT_BEGUN && before)
        trial_wrong(t, "the write %.*s was done before its intention was recorded", CTN_STR_ARG(key));
    if (state == NOT_BEGUN && !before)
        return false;
    if (is_write) {
        call_state s = next ? state_after(next) : NOT_BEGUN;
        if (s != CHECKED && s != PARKED)
            trial_wrong(t, "a fourth outcome: behind the death in the write %.*s comes %s", CTN_STR_ARG(key),
                        next ? ctn_entry_kind_name(next->record.kind) : "nothing");
        if (s == CHECKED && ctn_json_bool_or(next->body, "happened", false) && (before != 1 || after != 0))
            trial_wrong(t, "the check of %.*s said it happened; done %d times before, %d after", CTN_STR_ARG(key),
                        before, after);
    } else {
        if (!is_recorded_later)
            trial_wrong(t, "a fourth outcome: %.*s was in flight and never came to an end", CTN_STR_ARG(key));
        if (after == 0 && !t->plan->is_travel) /* whose records do not say who made them */
            trial_wrong(t, "a fourth outcome: %.*s was recorded later and not done again", CTN_STR_ARG(key));
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
            trial_wrong(t, "%.*s was done for an execution that is not in the store", CTN_STR_ARG(t->deeds[i].key));
        add_call(
            *ret_calls, &count,
            &(call){.key = t->deeds[i].key, .execution = x, .is_write = ctn_str_is(t->deeds[i].tool, "write_line")});
    }
    return count;
}

/* One client and one session, whoever died when. */
void trial_check_client_records(trial *t)
{
    char path[600];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int clients = 0, sessions = 0;
    snprintf(path, sizeof path, "%s/crm.db", t->w->folder);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM leads)", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        clients = sqlite3_column_int(stmt, 0);
        sessions = sqlite3_column_int(stmt, 1);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    if (clients != 1 || sessions != 1)
        trial_wrong(t, "%d clients and %d sessions were recorded", clients, sessions);
}

static void check_file(trial *t)
{
    char path[600];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool is_whole = false;
    snprintf(path, sizeof path, "%s/%s", t->w->folder, DEATH_STORE);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        is_whole = strcmp((const char *) sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    if (!is_whole)
        trial_wrong(t, "the store's file is damaged");
}

void trial_judge(trial *t)
{
    const seen *end = &t->after[t->process];
    call *calls = NULL;
    trial_read_ledger(t);
    size_t count = list_calls(t, end, &calls);
    for (int p = 1; p < t->process; p++) {
        if (!t->died[p])
            continue;
        judge_journal(t, &t->after[p], end);
        bool was_in_flight = false;
        for (size_t i = 0; i < count; i++)
            was_in_flight |= judge_call(t, p, seen_same(&t->after[p], calls[i].execution), calls[i].execution,
                                        calls[i].key, calls[i].is_write);
        t->tally->quiet += p == 1 && !was_in_flight;
    }
    for (size_t i = 0; i < count; i++)
        if (calls[i].is_write)
            judge_write(t, calls[i].execution, calls[i].key);
    for (size_t i = 0; i < end->count; i++)
        if (!ctn_status_is_final(end->executions[i].row.status))
            trial_wrong(t, "%s is %s for ever", end->executions[i].id.text,
                        ctn_status_name(end->executions[i].row.status));
    check_file(t);
}
