/*
 * oracle.c -- see oracle.h. What must hold is said where it is asked; how the oracle is parted stands in
 * oracle_state.h.
 */
#include "sim/oracle_state.h"

#include <stdarg.h>
#include <stdio.h>

void sim_fail(sim_failure *failure, const char *format, ...)
{
    if (failure->is_told)
        return;
    failure->is_told = true;
    va_list args;
    va_start(args, format);
    vsnprintf(failure->why, sizeof failure->why, format, args);
    va_end(args);
}

/* ---- the world ---- */

deed *oracle_begin(oracle *o, const ctn_call_request *r, int64_t now_ms, uint64_t seq_in_memory)
{
    deed *d = oracle_deed_by_key(o, r->step, r->idempotency_key);
    if (!d) {
        FAIL("a call under the key %.*s, which no step has", CTN_STR_ARG(r->idempotency_key));
        return NULL;
    }
    judged_task *t = d->task;
    judged_work *w = &t->work[d->role];
    bool start_is_on_disk = d->started_attempt == r->attempt;
    if (seq_in_memory != o->seq)
        FAIL("%s begins with entry %llu in memory, and %llu on disk", d->key, (unsigned long long) seq_in_memory,
             (unsigned long long) o->seq);
    if (o->has_ended)
        FAIL("%s begins after the end", d->key);
    if (d->is_done)
        FAIL("%s was recorded as done and is called again", d->key);
    if (d->role == CTN_ROLE_DO && d->fallback != w->fallback)
        FAIL("%s begins, and fallback %d is on disk", d->key, w->fallback);
    if ((d->effect == CTN_EFFECT_WRITE || d->role == CTN_ROLE_UNDO) && !start_is_on_disk)
        FAIL("%s begins attempt %u, and on disk is the start of %u", d->key, r->attempt, d->started_attempt);
    if (d->effect == CTN_EFFECT_WRITE && d->begun_attempt >= r->attempt)
        FAIL("%s begins attempt %u, a write, a second time", d->key, r->attempt);
    if (d->is_in_doubt && !d->may_go_again)
        FAIL("%s begins again and nobody knows what became of it", d->key);
    d->begins++;
    d->begun_attempt = r->attempt;
    if (d->role == CTN_ROLE_DO && !start_is_on_disk) {
        oracle_check_may_begin(o, t, false, "a call");
        if (w->attempt < r->attempt && w->is_backing_off && now_ms < w->due_ms)
            FAIL("%s begins %lld ms before its back-off is over", d->key, (long long) (w->due_ms - now_ms));
        if (d->begins == 1 && r->attempt == 1 && t->item < 0 && !d->fallback && d->call == 0 &&
            oracle_judge_condition(o, t->step) != SPEC_RUN)
            FAIL("%s begins and its condition does not say so", d->key);
    }
    if (r->attempt < w->attempt)
        FAIL("%s begins attempt %u after attempt %u", d->key, r->attempt, w->attempt);
    ctn_arena *arena = ctn_arena_new(1024);
    oracle_check_args(o, d, r->args, arena);
    ctn_arena_free(arena);
    return d;
}

deed *oracle_check(oracle *o, const ctn_call_request *r)
{
    deed *d = oracle_deed_by_key(o, r->step, r->idempotency_key);
    if (!d)
        FAIL("a check under the key %.*s, which no step has", CTN_STR_ARG(r->idempotency_key));
    return d;
}

void oracle_effect(oracle *o, deed *d)
{
    bool once = d->effect == CTN_EFFECT_IDEMPOTENT;
    if (d->effect <= CTN_EFFECT_READ || (once && d->effects > 0))
        return;
    d->effects++;
    if (d->effects > 1 && !d->may_happen_twice)
        FAIL("%s is a write and took effect twice", d->key);
}

/* ---- records about the execution ---- */

static void on_set(oracle *o, const ctn_record *r, const ctn_json *body)
{
    const ctn_json *variables = ctn_json_member_of(body, "variables");
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        ctn_str name = ctn_json_text(&variables->members[i].key);
        int64_t step = -1, number = 0;
        if (!ctn_str_to_int64(ctn_str_from_offset(name, 1), &step) || step < 0 || step >= o->spec->step_count ||
            name.ptr[0] != 'v')
            continue;
        const ctn_json *value = &variables->members[i].value;
        judged_variable *v = &o->steps[step].whole.variable;
        if (ctn_json_is_bool(value))
            *v = (judged_variable){VARIABLE_BOOL, ctn_json_is(value, CTN_JSON_TRUE)};
        else if (ctn_json_to_int64(value, &number))
            *v = (judged_variable){VARIABLE_NUMBER, number};
        else
            *v = (judged_variable){VARIABLE_NULL, 0};
    }
    o->set_seq = r->seq;
}

static void on_cancel(oracle *o, const ctn_record *r, const ctn_json *body)
{
    ctn_failure code = ctn_failure_from_name(ctn_json_str_or(body, "code", CTN_STR("")));
    int64_t deadline = o->started_at_ms + o->spec->timeout_ms + o->paused_ms;
    if (o->is_stopping)
        FAIL("a stop is asked for twice");
    if (code == CTN_FAILURE_CANCELLED && !o->cancel_is_requested)
        FAIL("it is cancelled, and nobody asked for that");
    if (code == CTN_FAILURE_TIMEOUT && (!o->spec->timeout_ms || r->at_ms < deadline || o->is_paused))
        FAIL("it is timed out %lld ms before its time", (long long) (deadline - r->at_ms));
    if (code != CTN_FAILURE_CANCELLED && code != CTN_FAILURE_TIMEOUT)
        FAIL("it is stopped for %s", ctn_failure_name(code));
    oracle_begin_stopping(o, code, r->at_ms);
    if (o->is_paused)
        o->paused_ms += r->at_ms - o->paused_at_ms;
    o->is_paused = false;
}

/* A call that was under way when the engine ended: what a write came to is not known. */
static bool lose(void *ctx, deed *d)
{
    oracle *o = ctx;
    const judged_task *t = d->task;
    const judged_work *w = &t->work[d->role];
    if (d->effect != CTN_EFFECT_WRITE || d->is_done || d->started_attempt == 0 || d->fallback != w->fallback ||
        d->started_attempt != w->attempt || d->failed_attempt == d->started_attempt ||
        d->settled_attempt == d->started_attempt || w->has_failed || d->said_yes ||
        (d->role == CTN_ROLE_DO && t->end != NOT_ENDED))
        return false;
    d->is_in_doubt = true;
    d->may_go_again = oracle_policy_of(o, t) == SPEC_RETRY;
    d->may_happen_twice = d->may_happen_twice || d->may_go_again;
    return false;
}

static void on_resumed(oracle *o, const ctn_record *r, const ctn_json *body)
{
    if (ctn_str_is(ctn_json_str_or(body, "cause", CTN_STR("resume")), "resume")) {
        if (!o->is_paused)
            FAIL("it is resumed and was not paused");
        o->paused_ms += r->at_ms - o->paused_at_ms;
        o->is_paused = false;
        return;
    }
    for (int i = 0; i < o->spec->step_count; i++)
        (void) oracle_each_deed(o, i, lose, o);
}

static void check_list(oracle *o, int step, const ctn_json *list)
{
    const judged_step *j = &o->steps[step];
    if (!ctn_json_is(list, CTN_JSON_ARRAY) || (int64_t) ctn_json_count(list) != j->item_count)
        FAIL("outputs: v%d is no list of %lld values", step, (long long) j->item_count);
    for (int64_t i = 0; i < j->item_count; i++) {
        int64_t number = -1;
        judged_variable v = oracle_task_of(o, step, i)->variable;
        const ctn_json *value = ctn_json_at(list, (size_t) i);
        if (v.kind == VARIABLE_NUMBER ? !ctn_json_to_int64(value, &number) || number != v.number
                                      : !ctn_json_is(value, CTN_JSON_NULL))
            FAIL("outputs: v%d[%lld] is not what its item gave", step, (long long) i);
    }
}

static void check_outputs(oracle *o, const ctn_json *outputs)
{
    for (int i = 0; i < o->spec->step_count; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", i);
        bool is_put_out =
            o->spec->steps[i].gives_variable && (!o->spec->says_outputs || ((o->spec->outputs >> i) & 1u));
        const ctn_json *value = ctn_json_member_of(outputs, name);
        if ((value != NULL) != is_put_out)
            FAIL("outputs: %s is %s", name, value ? "there" : "not there");
        if (!is_put_out)
            continue;
        judged_variable v = o->steps[i].whole.variable;
        int64_t number = 0;
        bool is_right = true;
        switch (v.kind) {
        case VARIABLE_NUMBER: is_right = ctn_json_to_int64(value, &number) && number == v.number; break;
        case VARIABLE_BOOL:
            is_right = ctn_json_is_bool(value) && ctn_json_is(value, CTN_JSON_TRUE) == (v.number != 0);
            break;
        case VARIABLE_LIST: check_list(o, i, value); break;
        case VARIABLE_UNSET:
        case VARIABLE_NULL: is_right = ctn_json_is(value, CTN_JSON_NULL); break;
        }
        if (!is_right)
            FAIL("outputs: %s is not what it was at the end", name);
    }
}

static bool names_step(const ctn_json *list, const char *name)
{
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (ctn_str_is(ctn_json_text(ctn_json_at(list, i)), name))
            return true;
    return false;
}

static bool undo_has_failed(const oracle *o, int step)
{
    bool has = o->steps[step].whole.work[CTN_ROLE_UNDO].has_failed;
    for (const judged_task *t = o->steps[step].items; t; t = t->next)
        has = has || t->work[CTN_ROLE_UNDO].has_failed;
    return has;
}

static void check_error(oracle *o, ctn_status status, const ctn_json *error, bool *ret_any_left)
{
    ctn_str code = ctn_json_str_or(error, "code", CTN_STR(""));
    if (!o->is_stopping || !ctn_str_is(code, ctn_failure_name(o->cause)))
        FAIL("%s with the error %.*s; it stopped for %s", ctn_status_name(status), CTN_STR_ARG(code),
             o->is_stopping ? ctn_failure_name(o->cause) : "nothing");
    for (int i = 0; i < o->spec->step_count; i++) {
        const char *name = o->spec->steps[i].name;
        bool is_left = undo_has_failed(o, i);
        *ret_any_left = *ret_any_left || is_left;
        if (names_step(ctn_json_member_of(error, "leftUndone"), name) != is_left)
            FAIL("leftUndone is wrong about %s", name);
        if (oracle_any_of_step(o, i, CTN_ROLE_DO, oracle_deed_is_writing) &&
            (!o->spec->steps[i].has_undo || !o->spec->is_rollback_enabled) &&
            !names_step(ctn_json_member_of(error, "notUndone"), name))
            FAIL("notUndone does not name %s, which has happened", name);
    }
}

static void on_end(oracle *o, ctn_status status, const ctn_record *r, const ctn_json *body)
{
    o->has_ended = true;
    o->end = status;
    if (status == CTN_STATUS_COMPLETED) {
        if (o->is_stopping)
            FAIL("completed after it was stopped");
        int64_t deadline = o->started_at_ms + o->spec->timeout_ms + o->paused_ms;
        if (o->spec->timeout_ms && r->at_ms >= deadline && !o->is_paused)
            FAIL("completed %lld ms after its time was over", (long long) (r->at_ms - deadline));
        for (int i = 0; i < o->spec->step_count; i++)
            if (o->steps[i].whole.end == NOT_ENDED || o->steps[i].whole.end == JUDGED_FAILED)
                FAIL("completed, and %s has not ended", o->spec->steps[i].name);
        check_outputs(o, ctn_json_member_of(body, "outputs"));
        return;
    }
    bool any_left = false;
    if (ctn_json_member_of(body, "outputs"))
        FAIL("%s with outputs", ctn_status_name(status));
    check_error(o, status, ctn_json_member_of(body, "error"), &any_left);
    bool rolls_back = o->spec->is_rollback_enabled && o->is_started;
    ctn_status should = rolls_back && any_left              ? CTN_STATUS_ROLLBACK_FAILED
                        : rolls_back                        ? CTN_STATUS_ROLLED_BACK
                        : o->cause == CTN_FAILURE_CANCELLED ? CTN_STATUS_CANCELLED
                                                            : CTN_STATUS_FAILED;
    if (status != should)
        FAIL("it ended %s, and what happened is %s", ctn_status_name(status), ctn_status_name(should));
}

static void judge_execution(oracle *o, const ctn_record *r, const ctn_json *body)
{
    switch (r->kind) {
    case CTN_ENTRY_QUEUED: break;
    case CTN_ENTRY_STARTED:
        if (o->is_started)
            FAIL("it starts twice");
        o->is_started = true;
        o->started_at_ms = r->at_ms;
        break;
    case CTN_ENTRY_DECISION: on_set(o, r, body); break;
    case CTN_ENTRY_CANCEL_REQUESTED: on_cancel(o, r, body); break;
    case CTN_ENTRY_PAUSED:
        if (o->is_paused)
            FAIL("it is paused twice");
        o->is_paused = true;
        o->was_at_rest = false;
        o->paused_at_ms = r->at_ms;
        break;
    case CTN_ENTRY_RESUMED: on_resumed(o, r, body); break;
    case CTN_ENTRY_COMPLETED: on_end(o, CTN_STATUS_COMPLETED, r, body); break;
    case CTN_ENTRY_FAILED: on_end(o, CTN_STATUS_FAILED, r, body); break;
    case CTN_ENTRY_ROLLED_BACK: on_end(o, CTN_STATUS_ROLLED_BACK, r, body); break;
    case CTN_ENTRY_ROLLBACK_FAILED: on_end(o, CTN_STATUS_ROLLBACK_FAILED, r, body); break;
    case CTN_ENTRY_CANCELLED: on_end(o, CTN_STATUS_CANCELLED, r, body); break;
    default: FAIL("an entry of kind %s about no step", ctn_entry_kind_name(r->kind)); break;
    }
}

static void judge(oracle *o, const ctn_record *r, const ctn_json *body, ctn_arena *arena)
{
    int step = r->step.len ? oracle_step_named(o, r->step) : -1;
    if (r->step.len && step < 0)
        FAIL("%s names a step that is not in the chain", ctn_entry_kind_name(r->kind));
    else if (step >= 0)
        oracle_judge_step(o, oracle_task_of(o, step, r->item), r, body, arena);
    else
        judge_execution(o, r, body);
}

void oracle_record(oracle *o, const ctn_record *r)
{
    if (r->seq != o->seq + 1)
        FAIL("entry %llu came to disk after entry %llu", (unsigned long long) r->seq, (unsigned long long) o->seq);
    if (o->has_ended)
        FAIL("%s came to disk after the end", ctn_entry_kind_name(r->kind));
    ctn_digest hash = ctn_record_hash(r, &o->hash);
    if (memcmp(&hash, &r->hash, sizeof hash) != 0)
        FAIL("entry %llu does not continue the chain of hashes", (unsigned long long) r->seq);
    o->hash = r->hash;
    o->seq = r->seq;
    o->kinds[r->kind]++;
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *body = NULL;
    if (ctn_json_parse(arena, r->body, NULL, &body, NULL))
        FAIL("entry %llu is no JSON", (unsigned long long) r->seq);
    else
        judge(o, r, body, arena);
    ctn_arena_free(arena);
}

/* ---- parked ---- */

void oracle_rest(oracle *o)
{
    o->was_at_rest = true;
}

static bool is_being_asked(void *ctx, deed *d)
{
    (void) ctx;
    return d->is_in_doubt && !d->is_asked;
}

bool oracle_is_in_doubt(oracle *o)
{
    for (int i = 0; i < o->spec->step_count; i++)
        if (oracle_each_deed(o, i, is_being_asked, NULL))
            return true;
    return false;
}

static void wake_for(const judged_task *t, int64_t *at_ms)
{
    const judged_work *w = &t->work[CTN_ROLE_DO];
    if ((w->is_waiting || w->is_backing_off) && t->end == NOT_ENDED && w->due_ms && (!*at_ms || w->due_ms < *at_ms))
        *at_ms = w->due_ms;
}

int64_t oracle_wake_at_ms(const oracle *o)
{
    int64_t at_ms = 0;
    if (o->has_ended || o->is_paused || o->is_stopping || !o->is_started)
        return 0;
    if (o->spec->timeout_ms)
        at_ms = o->started_at_ms + o->spec->timeout_ms + o->paused_ms;
    for (int i = 0; i < o->spec->step_count; i++) {
        wake_for(&o->steps[i].whole, &at_ms);
        for (const judged_task *t = o->steps[i].items; t; t = t->next)
            wake_for(t, &at_ms);
    }
    return at_ms;
}

static const char *task_waits_for(const oracle *o, const judged_task *t)
{
    for (int role = 0; role < 2; role++)
        if (t->work[role].is_asked)
            return "a settlement";
    return t->work[CTN_ROLE_DO].is_waiting && !o->is_stopping ? "an answer" : NULL;
}

const char *oracle_waits_for(const oracle *o)
{
    const char *what = o->is_paused ? "to be resumed" : NULL;
    for (int i = 0; !what && i < o->spec->step_count; i++) {
        what = task_waits_for(o, &o->steps[i].whole);
        for (const judged_task *t = o->steps[i].items; !what && t; t = t->next)
            what = task_waits_for(o, t);
    }
    return what;
}

/* ---- the end ---- */

static void end_task(oracle *o, const judged_task *t)
{
    const spec_step *s = oracle_spec_of(o, t);
    bool is_undone = oracle_any_of_task(t, CTN_ROLE_UNDO, oracle_deed_happened);
    if (is_undone && !oracle_any_of_task(t, CTN_ROLE_DO, oracle_deed_has_begun))
        FAIL("%s[%lld]: was undone, and it never began", s->name, (long long) t->item);
    for (const deed *d = t->deeds; d; d = d->next) {
        if (o->end == CTN_STATUS_COMPLETED && d->role == CTN_ROLE_UNDO && d->begins)
            FAIL("%s: it completed, and this was undone", d->key);
        if (d->role == CTN_ROLE_UNDO && d->begins && t->is_hit)
            FAIL("%s: what came out of the cache was undone", d->key);
        if (d->role == CTN_ROLE_UNDO || d->effects == 0)
            continue;
        if (o->steps[t->step].whole.end == JUDGED_SKIPPED)
            FAIL("%s: was skipped, and it happened", d->key);
        if (s->has_undo && o->spec->is_rollback_enabled && o->end != CTN_STATUS_COMPLETED && !is_undone &&
            !t->work[CTN_ROLE_UNDO].has_failed)
            FAIL("%s: happened and was not undone; it is %s", d->key, ctn_status_name(o->end));
    }
}

void oracle_end(oracle *o)
{
    for (int i = 0; o->has_ended && i < o->spec->step_count; i++) {
        end_task(o, oracle_task_of(o, i, -1));
        for (const judged_task *t = o->steps[i].items; t; t = t->next)
            end_task(o, t);
    }
}
