/*
 * oracle.c -- one function a kind of record. What must hold is said where it is asked.
 */
#include "sim/oracle.h"

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

#define FAIL(...) sim_fail(o->failure, __VA_ARGS__)

/* ---- deeds ---- */

static const spec_work *work_of(const oracle *o, int step, ctn_role role)
{
    return role == CTN_ROLE_DO ? &o->spec->steps[step].work : &o->spec->steps[step].undo;
}

static deed *deed_of(oracle *o, int step, ctn_role role, int call)
{
    for (int i = 0; i < o->deed_count; i++)
        if (o->deeds[i].step == step && o->deeds[i].role == role && o->deeds[i].call == call)
            return &o->deeds[i];
    if (o->deed_count == DEEDS_MAX) {
        FAIL("more calls than there can be");
        return &o->deeds[0];
    }
    const spec_call *c = &work_of(o, step, role)->calls[call];
    deed *d = &o->deeds[o->deed_count++];
    *d = (deed){.step = step, .role = role, .call = call, .effect = c->effect};
    snprintf(d->key, sizeof d->key, "%s/%s%s%s/%s", ctn_id_to_text(o->id).text, o->spec->steps[step].name,
             c->name[0] ? "/" : "", c->name, role == CTN_ROLE_DO ? "do" : "undo");
    return d;
}

static int step_named(const oracle *o, ctn_str name)
{
    for (int i = 0; i < o->spec->step_count; i++)
        if (ctn_str_is(name, o->spec->steps[i].name))
            return i;
    return -1;
}

static int call_named(const spec_work *w, ctn_str name)
{
    for (int i = 0; i < w->call_count; i++)
        if (ctn_str_is(name, w->calls[i].name))
            return i;
    return -1;
}

static deed *deed_by_key(oracle *o, ctn_str step_name, ctn_str key)
{
    int step = step_named(o, step_name);
    for (int role = 0; step >= 0 && role < 2; role++)
        for (int i = 0; i < work_of(o, step, (ctn_role) role)->call_count; i++)
            if ((role == CTN_ROLE_DO || o->spec->steps[step].has_undo) &&
                ctn_str_is(key, deed_of(o, step, (ctn_role) role, i)->key))
                return deed_of(o, step, (ctn_role) role, i);
    return NULL;
}

static bool any_deed(oracle *o, int step, ctn_role role, bool (*is)(const deed *d))
{
    for (int i = 0; i < o->deed_count; i++)
        if (o->deeds[i].step == step && o->deeds[i].role == role && is(&o->deeds[i]))
            return true;
    return false;
}
static bool deed_has_begun(const deed *d)
{
    return d->begins > 0 || d->started_attempt > 0;
}
static bool deed_is_asked(const deed *d)
{
    return d->is_asked;
}
static bool deed_happened(const deed *d)
{
    return d->effects > 0;
}
static bool deed_is_writing(const deed *d)
{
    return d->effect == CTN_EFFECT_WRITE && (d->effects > 0 || d->is_done);
}

/* ---- what the language says ---- */

static spec_policy policy_of(const oracle *o, int step)
{
    const spec_step *s = &o->spec->steps[step];
    return s->says_policy ? s->policy : o->retries_interrupted ? SPEC_RETRY : SPEC_ASK;
}

static spec_verdict judge_condition(const oracle *o, int step)
{
    const spec_condition *c = &o->spec->steps[step].condition;
    judged_variable v = {VARIABLE_NUMBER, o->input_n};
    if (c->reads >= 0 && c->test != SPEC_ALWAYS)
        v = o->steps[c->reads].variable;
    bool is_number = v.kind == VARIABLE_NUMBER, truth = true;
    switch (c->test) {
    case SPEC_ALWAYS: return SPEC_RUN;
    case SPEC_ABOVE: truth = is_number && v.number > c->number; break;
    case SPEC_EQUAL: truth = is_number && v.number == c->number; break;
    case SPEC_NOT_EQUAL: truth = !is_number || v.number != c->number; break;
    case SPEC_EXISTS: truth = v.kind == VARIABLE_NUMBER || v.kind == VARIABLE_BOOL; break;
    case SPEC_AMONG:
        truth = is_number && (v.number == c->number || v.number == 3 || v.number == 5 || v.number == 7);
        break;
    case SPEC_TRUE: truth = (is_number || v.kind == VARIABLE_BOOL) && v.number != 0; break;
    }
    return truth ? c->if_true : c->if_false;
}

/* Something of the step's own work happens for the first time at this point of the journal. */
static void check_may_begin(oracle *o, int step, bool is_record, const char *what)
{
    const spec_step *s = &o->spec->steps[step];
    const judged_step *j = &o->steps[step];
    for (int i = 0; i < o->spec->step_count; i++)
        if (((s->predecessors >> i) & 1u) && o->steps[i].end != JUDGED_COMPLETED && o->steps[i].end != JUDGED_SKIPPED &&
            o->steps[i].end != JUDGED_CONTINUED)
            FAIL("%s: %s before its predecessor %s has ended on disk", s->name, what, o->spec->steps[i].name);
    if (!o->is_started)
        FAIL("%s: %s before the execution has started", s->name, what);
    if (o->is_stopping)
        FAIL("%s: %s after the stop is on disk", s->name, what);
    /* What was decided before the pause is under way, and may be sent when all is on disk. */
    if (o->is_paused && (is_record || o->was_at_rest))
        FAIL("%s: %s while it is paused", s->name, what);
    if (j->end != NOT_ENDED)
        FAIL("%s: %s after the step has ended", s->name, what);
}

static bool must_undo(oracle *o, int step)
{
    const spec_step *s = &o->spec->steps[step];
    return s->has_undo && o->spec->is_rollback_enabled && !o->steps[step].work[CTN_ROLE_UNDO].is_done &&
           !o->steps[step].work[CTN_ROLE_UNDO].has_failed;
}

/* Completed ones in reverse order of completion; before them those of unknown outcome, the latest start first. */
static void check_undo_order(oracle *o, int step)
{
    const judged_step *me = &o->steps[step];
    for (int i = 0; i < o->spec->step_count; i++) {
        const judged_step *other = &o->steps[i];
        if (i == step || !must_undo(o, i))
            continue;
        if (me->end == JUDGED_COMPLETED && other->end == JUDGED_COMPLETED &&
            other->completed_order > me->completed_order)
            FAIL("%s is undone before %s, which completed later", o->spec->steps[step].name, o->spec->steps[i].name);
        if (other->end == JUDGED_COMPLETED || !any_deed(o, i, CTN_ROLE_DO, deed_happened))
            continue;
        if (me->end == JUDGED_COMPLETED)
            FAIL("%s is undone before %s, whose outcome is unknown", o->spec->steps[step].name, o->spec->steps[i].name);
        else if (other->start_order > me->start_order)
            FAIL("%s is undone before %s, which began later", o->spec->steps[step].name, o->spec->steps[i].name);
    }
}

static uint64_t hash_args(ctn_arena *arena, const ctn_json *args)
{
    ctn_str text = ctn_json_to_str(arena, args);
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char) text.ptr[i]) * 0x100000001b3u;
    return hash;
}

static void check_args(oracle *o, deed *d, const ctn_json *args, ctn_arena *arena)
{
    uint64_t hash = hash_args(arena, args);
    if (d->has_args && d->args_hash != hash && o->set_seq <= d->args_seq)
        FAIL("%s: the arguments are not those of the attempt before", d->key);
    d->has_args = true;
    d->args_hash = hash;
    d->args_seq = o->seq;
}

/* ---- the world ---- */

deed *oracle_begin(oracle *o, const ctn_call_request *r, int64_t now_ms, uint64_t seq_in_memory)
{
    deed *d = deed_by_key(o, r->step, r->idempotency_key);
    if (!d) {
        FAIL("a call under the key %.*s, which no step has", CTN_STR_ARG(r->idempotency_key));
        return NULL;
    }
    judged_work *w = &o->steps[d->step].work[d->role];
    bool start_is_on_disk = d->started_attempt == r->attempt;
    if (seq_in_memory != o->seq)
        FAIL("%s begins with entry %llu in memory, and %llu on disk", d->key, (unsigned long long) seq_in_memory,
             (unsigned long long) o->seq);
    if (o->has_ended)
        FAIL("%s begins after the end", d->key);
    if (d->is_done)
        FAIL("%s was recorded as done and is called again", d->key);
    if ((d->effect == CTN_EFFECT_WRITE || d->role == CTN_ROLE_UNDO) && !start_is_on_disk)
        FAIL("%s begins attempt %u, and on disk is the start of %u", d->key, r->attempt, d->started_attempt);
    if (d->effect == CTN_EFFECT_WRITE && d->begun_attempt >= r->attempt)
        FAIL("%s begins attempt %u, a write, a second time", d->key, r->attempt);
    if (d->is_in_doubt && !d->may_go_again)
        FAIL("%s begins again and nobody knows what became of it", d->key);
    if (d->role == CTN_ROLE_DO && !start_is_on_disk) {
        check_may_begin(o, d->step, false, "a call");
        if (w->attempt < r->attempt && w->is_backing_off && now_ms < w->due_ms)
            FAIL("%s begins %lld ms before its back-off is over", d->key, (long long) (w->due_ms - now_ms));
        if (!any_deed(o, d->step, CTN_ROLE_DO, deed_has_begun) && judge_condition(o, d->step) != SPEC_RUN)
            FAIL("%s begins and its condition does not say so", d->key);
    }
    if (r->attempt < w->attempt)
        FAIL("%s begins attempt %u after attempt %u", d->key, r->attempt, w->attempt);
    ctn_arena *arena = ctn_arena_new(1024);
    check_args(o, d, r->args, arena);
    ctn_arena_free(arena);
    d->begins++;
    d->begun_attempt = r->attempt;
    return d;
}

deed *oracle_check(oracle *o, const ctn_call_request *r)
{
    deed *d = deed_by_key(o, r->step, r->idempotency_key);
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

/* ---- records about a step ---- */

static bool flag(const ctn_json *body, const char *name)
{
    return ctn_json_bool_or(body, name, false);
}

static deed *deed_of_record(oracle *o, int step, ctn_role role, const ctn_json *body)
{
    const spec_work *w = work_of(o, step, role);
    if (w->kind != SPEC_CALL && w->kind != SPEC_CALLS)
        return NULL;
    int call = w->kind == SPEC_CALL ? 0 : call_named(w, ctn_json_str_or(body, "call", CTN_STR("")));
    return call < 0 ? NULL : deed_of(o, step, role, call);
}

static void on_started(oracle *o, int step, ctn_role role, const ctn_record *r, const ctn_json *body, ctn_arena *arena)
{
    deed *d = deed_of_record(o, step, role, body);
    judged_step *j = &o->steps[step];
    judged_work *w = &j->work[role];
    if (!d) {
        FAIL("%s: a start that names no call", o->spec->steps[step].name);
        return;
    }
    if (role == CTN_ROLE_DO) {
        check_may_begin(o, step, true, "a start");
        if (w->attempt == 0 && judge_condition(o, step) != SPEC_RUN)
            FAIL("%s: a start, and its condition does not say so", d->key);
        if (!j->start_order)
            j->start_order = ++o->start_count;
    } else {
        if (!o->is_stopping || !o->spec->is_rollback_enabled)
            FAIL("%s begins and nothing is to be undone", d->key);
        if (o->is_paused)
            FAIL("%s begins while it is paused", d->key);
        if (w->attempt == 0)
            check_undo_order(o, step);
    }
    if (!ctn_str_is(ctn_json_str_or(body, "key", CTN_STR("")), d->key))
        FAIL("%s: a start under the key %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "key", CTN_STR(""))));
    if (!ctn_str_is(ctn_json_str_or(body, "effect", CTN_STR("")), ctn_effect_name(d->effect)))
        FAIL("%s: a start with the effect %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "effect", CTN_STR(""))));
    if (r->attempt != w->attempt && r->attempt != w->attempt + 1)
        FAIL("%s: attempt %u after attempt %u", d->key, r->attempt, w->attempt);
    if (w->is_backing_off && r->at_ms < w->due_ms)
        FAIL("%s: a start %lld ms before the back-off is over", d->key, (long long) (w->due_ms - r->at_ms));
    if (d->is_in_doubt && !d->may_go_again)
        FAIL("%s: a start, and nobody knows what became of the last one", d->key);
    if (d->effect == CTN_EFFECT_WRITE && d->started_attempt >= r->attempt)
        FAIL("%s: attempt %u of a write starts twice", d->key, r->attempt);
    check_args(o, d, ctn_json_member_of(body, "args"), arena);
    w->attempt = r->attempt;
    w->is_backing_off = false;
    d->started_attempt = r->attempt;
    d->start_is_stored = true;
    d->said_yes = false;
}

/* The step completed: what it put into the context. */
static void take_variables(oracle *o, int step, const ctn_json *variables)
{
    const spec_step *s = &o->spec->steps[step];
    judged_step *j = &o->steps[step];
    char name[8];
    if (!s->gives_variable)
        return;
    snprintf(name, sizeof name, "v%d", step);
    const ctn_json *value = ctn_json_member_of(variables, name);
    if (s->work.kind == SPEC_APPROVAL) {
        if (!ctn_json_is_bool(value))
            FAIL("%s: %s is no answer", s->name, name);
        j->variable = (judged_variable){VARIABLE_BOOL, ctn_json_is(value, CTN_JSON_TRUE)};
        return;
    }
    for (int i = 0; i < (s->work.call_count < 2 ? s->work.call_count : 2); i++) {
        int64_t is = -1, should = spec_value_of(ctn_str_from(deed_of(o, step, CTN_ROLE_DO, i)->key));
        name[0] = i ? 'w' : 'v';
        if (!ctn_json_to_int64(ctn_json_member_of(variables, name), &is) || is != should)
            FAIL("%s: %s is %lld and the call answered %lld", s->name, name, (long long) is, (long long) should);
        if (i == 0)
            j->variable = (judged_variable){VARIABLE_NUMBER, is};
    }
    name[0] = 'd';
    char document[32];
    snprintf(document, sizeof document, "Step %d gave %lld", step, (long long) j->variable.number);
    if (s->has_document && !ctn_str_starts_with(ctn_json_str_or(variables, name, CTN_STR("")), ctn_str_from(document)))
        FAIL("%s: the document is not what its template says", s->name);
}

static void on_wait_over(oracle *o, int step, const ctn_record *r)
{
    const spec_step *s = &o->spec->steps[step];
    judged_work *w = &o->steps[step].work[CTN_ROLE_DO];
    if (!w->is_waiting)
        FAIL("%s: a wait is over that did not begin", s->name);
    if (!w->is_answered && (w->due_ms == 0 || r->at_ms < w->due_ms))
        FAIL("%s: a wait is over %lld ms too early", s->name, (long long) (w->due_ms - r->at_ms));
    w->is_waiting = false;
}

static void on_succeeded(oracle *o, int step, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    const spec_step *s = &o->spec->steps[step];
    judged_step *j = &o->steps[step];
    deed *d = deed_of_record(o, step, role, body);
    if (j->end != NOT_ENDED && role == CTN_ROLE_DO)
        FAIL("%s: an attempt succeeds after the step has ended", s->name);
    if (d) {
        if (d->is_done)
            FAIL("%s: recorded as done twice", d->key);
        bool was_told = d->replied_attempt == r->attempt && d->reply == CTN_FAILURE_NONE && d->begins > 0;
        if (!was_told && !d->said_yes)
            FAIL("%s: recorded as done, and nobody said so", d->key);
        if (d->effect >= CTN_EFFECT_IDEMPOTENT && d->effects == 0)
            FAIL("%s: recorded as done, and it never happened", d->key);
        d->is_done = true;
        d->is_in_doubt = d->is_asked = false;
    } else {
        on_wait_over(o, step, r);
    }
    j->work[role].attempt = r->attempt;
    j->work[role].is_backing_off = false;
    j->work[role].is_asked = any_deed(o, step, role, deed_is_asked);
    bool all_done = true;
    for (int i = 0; i < work_of(o, step, role)->call_count; i++)
        all_done = all_done && deed_of(o, step, role, i)->is_done;
    if (role == CTN_ROLE_UNDO) {
        j->work[role].is_done = all_done;
        return;
    }
    const ctn_json *variables = ctn_json_member_of(body, "variables");
    if ((variables != NULL) != all_done)
        FAIL("%s: it is complete when its calls are", s->name);
    if (!variables)
        return;
    j->end = JUDGED_COMPLETED;
    j->completed_order = ++o->completed_count;
    take_variables(o, step, variables);
}

static void begin_stopping(oracle *o, ctn_failure cause, int64_t at_ms)
{
    if (o->is_stopping)
        return;
    o->is_stopping = true;
    o->cause = cause;
    o->stop_at_ms = at_ms;
    for (int i = 0; i < o->spec->step_count; i++) {
        judged_work *w = &o->steps[i].work[CTN_ROLE_DO];
        w->is_waiting = w->is_asked = w->is_backing_off = false;
        for (int k = 0; k < o->deed_count; k++)
            if (o->deeds[k].step == i)
                o->deeds[k].is_asked = false;
    }
}

static bool is_lost(ctn_failure code)
{
    return code == CTN_FAILURE_TIMEOUT || code == CTN_FAILURE_TRANSPORT;
}

static bool comes_from_the_world(ctn_failure code)
{
    return code == CTN_FAILURE_TOOL_ERROR || code == CTN_FAILURE_UNAVAILABLE || code == CTN_FAILURE_RATE_LIMITED ||
           code == CTN_FAILURE_TRANSPORT || code == CTN_FAILURE_PROTOCOL_ERROR;
}

static void check_backoff(oracle *o, int step, ctn_role role, judged_work *w, const ctn_record *r, int64_t due_ms)
{
    const spec_step *s = &o->spec->steps[step];
    double base = (double) s->backoff_ms;
    for (int64_t i = 0; i < w->retries; i++)
        base *= s->multiplier;
    if (base > (double) s->max_backoff_ms)
        base = (double) s->max_backoff_ms;
    double delay = (double) (due_ms - r->at_ms);
    int64_t wish_ms = 0; /* the peers' own */
    for (int i = 0; i < o->deed_count; i++)
        if (o->deeds[i].step == step && o->deeds[i].role == role && o->deeds[i].refused_attempt == r->attempt &&
            o->deeds[i].retry_after_ms > wish_ms)
            wish_ms = o->deeds[i].retry_after_ms;
    bool is_wish = wish_ms && due_ms - r->at_ms == wish_ms;
    if (!is_wish && (delay < base * (1 - s->jitter) - 2 || delay > base * (1 + s->jitter) + 2))
        FAIL("%s: a back-off of %.0f ms, retry %lld with %.0f ms", s->name, delay, (long long) w->retries + 1, base);
    if (due_ms - r->at_ms < wish_ms)
        FAIL("%s: a back-off of %.0f ms, and the peer asked for %lld", s->name, delay, (long long) wish_ms);
    if (++w->retries > s->max_retries)
        FAIL("%s: retry %lld of %lld", s->name, (long long) w->retries, (long long) s->max_retries);
    o->backoffs++;
}

/* It failed for good although the rules give it another try. */
static void check_final(oracle *o, int step, ctn_role role, const judged_work *w, const deed *d, ctn_failure code,
                        const ctn_record *r)
{
    const spec_step *s = &o->spec->steps[step];
    if (!d || work_of(o, step, role)->kind != SPEC_CALL || d->replied_attempt != r->attempt || d->reply != code ||
        (role == CTN_ROLE_DO && o->is_stopping) || w->retries >= s->max_retries || d->was_broken)
        return;
    bool is_transient = code == CTN_FAILURE_UNAVAILABLE || code == CTN_FAILURE_RATE_LIMITED ||
                        (is_lost(code) && (!d->reply_was_sent || d->effect < CTN_EFFECT_WRITE));
    if (is_transient || ((s->retry_on >> code) & 1u))
        FAIL("%s: failed for good with %s after %lld of %lld retries", d->key, ctn_failure_name(code),
             (long long) w->retries, (long long) s->max_retries);
}

static void on_failed(oracle *o, int step, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    const spec_step *s = &o->spec->steps[step];
    judged_step *j = &o->steps[step];
    judged_work *w = &j->work[role];
    deed *d = deed_of_record(o, step, role, body);
    ctn_failure code = ctn_failure_from_name(ctn_json_str_or(body, "code", CTN_STR("")));
    bool unknown = flag(body, "unknown"), final = flag(body, "final");
    const ctn_json *due = ctn_json_member_of(body, "dueMs");
    if (role == CTN_ROLE_DO && j->end != NOT_ENDED)
        FAIL("%s: an attempt fails after the step has ended", s->name);
    if (d && d->is_done)
        FAIL("%s: fails after it was recorded as done", d->key);
    if (d && comes_from_the_world(code) && !((d->codes_seen >> code) & 1u))
        FAIL("%s: failed with %s, and nobody said so", d->key, ctn_failure_name(code));
    if (d && d->effect == CTN_EFFECT_WRITE && is_lost(code) && d->replied_attempt == r->attempt && d->reply == code &&
        d->reply_was_sent && d->started_attempt == r->attempt && d->unknown_attempt != r->attempt && !unknown)
        FAIL("%s: a write was lost, and that is not called unknown", d->key);
    if (d && unknown) {
        d->is_in_doubt = true;
        d->may_go_again = false;
        d->unknown_attempt = r->attempt;
        o->unknowns++;
    } else if (d && d->is_in_doubt) {
        bool may = policy_of(o, step) != SPEC_ASK || (o->is_stopping && role == CTN_ROLE_DO);
        if (!may && !d->may_go_again)
            FAIL("%s: goes on, and nobody knows what became of it", d->key);
        d->is_in_doubt = false;
        d->may_go_again = true;
        d->may_happen_twice = d->may_happen_twice || policy_of(o, step) == SPEC_RETRY;
    }
    if (d && !unknown)
        d->failed_attempt = r->attempt;
    if (d && d->replied_attempt == r->attempt && d->reply == code)
        d->refused_attempt = r->attempt;
    if (r->attempt)
        w->attempt = r->attempt;
    if (d && !unknown)
        d->is_asked = false;
    w->is_backing_off = w->is_waiting = false;
    w->is_asked = any_deed(o, step, role, deed_is_asked);
    if (due) {
        int64_t due_ms = ctn_json_int_or(body, "dueMs", 0);
        if (role == CTN_ROLE_DO && o->is_stopping)
            FAIL("%s: is to be tried again and the chain stops", s->name);
        if (!flag(body, "free"))
            check_backoff(o, step, role, w, r, due_ms);
        w->is_backing_off = true;
        w->due_ms = due_ms;
    }
    if (!final)
        return;
    check_final(o, step, role, w, d, code, r);
    if (role == CTN_ROLE_UNDO) {
        w->has_failed = true;
        return;
    }
    if (s->continues && !o->is_stopping) {
        j->end = JUDGED_CONTINUED;
        if (s->gives_variable)
            j->variable = (judged_variable){VARIABLE_NULL, 0};
        return;
    }
    j->end = JUDGED_FAILED;
    begin_stopping(o, code, r->at_ms);
}

static void on_waiting(oracle *o, int step, const ctn_record *r, const ctn_json *body)
{
    const spec_work *w = &o->spec->steps[step].work;
    judged_work *j = &o->steps[step].work[CTN_ROLE_DO];
    check_may_begin(o, step, true, "a wait");
    if (judge_condition(o, step) != SPEC_RUN)
        FAIL("%s: waits, and its condition does not say so", o->spec->steps[step].name);
    int64_t span = w->kind == SPEC_WAIT ? w->wait_ms : w->answer_timeout_ms;
    int64_t due_ms = ctn_json_int_or(body, "untilMs", 0);
    if (due_ms != (w->kind == SPEC_WAIT || span ? r->at_ms + span : 0))
        FAIL("%s: waits until %lld, from %lld on", o->spec->steps[step].name, (long long) due_ms, (long long) r->at_ms);
    j->is_waiting = true;
    j->due_ms = due_ms;
    j->attempt = r->attempt;
}

static void on_checked(oracle *o, int step, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, step, role, body);
    if (!d) {
        FAIL("%s: a check that names no call", o->spec->steps[step].name);
        return;
    }
    const ctn_json *happened = ctn_json_member_of(body, "happened");
    if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        if (d->effects == 0)
            FAIL("%s: the check is said to have said yes, and it never happened", d->key);
        d->said_yes = true;
        d->is_in_doubt = false;
    } else if (ctn_json_is(happened, CTN_JSON_FALSE) && !ctn_json_member_of(body, "againMs")) {
        if (d->effects > 0)
            FAIL("%s: the check's no is believed, and it did happen", d->key);
        if (d->on_the_way > 0)
            FAIL("%s: the check's no is believed, and the call can still arrive", d->key);
        d->is_in_doubt = false;
        d->settled_attempt = o->steps[step].work[role].attempt;
    }
}

static void on_interrupted(oracle *o, int step, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, step, role, body);
    bool by_deaths = ctn_str_find(ctn_json_str_or(body, "message", CTN_STR("")), CTN_STR("died")) != SIZE_MAX;
    if (!by_deaths && policy_of(o, step) != SPEC_ASK)
        FAIL("%s: asks a person, and its chain says otherwise", o->spec->steps[step].name);
    if (!by_deaths && d && !d->is_in_doubt)
        FAIL("%s: asks a person about what is known", d->key);
    if (d)
        d->is_asked = true;
    o->steps[step].work[role].is_asked = true;
    o->steps[step].work[role].is_backing_off = false;
}

static void on_settled(oracle *o, int step, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, step, role, body);
    judged_work *w = &o->steps[step].work[role];
    if (!w->is_asked || !d)
        FAIL("%s: settled, and nobody asked", o->spec->steps[step].name);
    if (!d)
        return;
    o->settlements++;
    d->is_in_doubt = d->is_asked = false;
    d->settled_attempt = w->attempt;
    w->is_asked = any_deed(o, step, role, deed_is_asked);
    ctn_str what = ctn_json_str_or(body, "what", CTN_STR(""));
    if (ctn_str_is(what, "succeed"))
        d->said_yes = true;
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
        judged_variable *v = &o->steps[step].variable;
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
    begin_stopping(o, code, r->at_ms);
    if (o->is_paused)
        o->paused_ms += r->at_ms - o->paused_at_ms;
    o->is_paused = false;
}

/* Calls that were under way when the engine ended: what a write came to is not known. */
static void on_resumed(oracle *o, const ctn_record *r, const ctn_json *body)
{
    if (ctn_str_is(ctn_json_str_or(body, "cause", CTN_STR("resume")), "resume")) {
        if (!o->is_paused)
            FAIL("it is resumed and was not paused");
        o->paused_ms += r->at_ms - o->paused_at_ms;
        o->is_paused = false;
        return;
    }
    for (int i = 0; i < o->deed_count; i++) {
        deed *d = &o->deeds[i];
        judged_work *w = &o->steps[d->step].work[d->role];
        if (d->effect != CTN_EFFECT_WRITE || d->is_done || d->started_attempt == 0 ||
            d->started_attempt != w->attempt || d->failed_attempt == d->started_attempt ||
            d->settled_attempt == d->started_attempt || w->has_failed || d->said_yes ||
            (d->role == CTN_ROLE_DO && o->steps[d->step].end != NOT_ENDED))
            continue;
        d->is_in_doubt = true;
        d->may_go_again = d->may_happen_twice = policy_of(o, d->step) == SPEC_RETRY;
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
        judged_variable v = o->steps[i].variable;
        int64_t number = 0;
        bool is_right = v.kind == VARIABLE_NUMBER ? ctn_json_to_int64(value, &number) && number == v.number
                        : v.kind == VARIABLE_BOOL
                            ? ctn_json_is_bool(value) && ctn_json_is(value, CTN_JSON_TRUE) == (v.number != 0)
                            : ctn_json_is(value, CTN_JSON_NULL);
        if (is_put_out && !is_right)
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
            if (o->steps[i].end == NOT_ENDED || o->steps[i].end == JUDGED_FAILED)
                FAIL("completed, and %s has not ended", o->spec->steps[i].name);
        check_outputs(o, ctn_json_member_of(body, "outputs"));
        return;
    }
    const ctn_json *error = ctn_json_member_of(body, "error");
    ctn_str code = ctn_json_str_or(error, "code", CTN_STR(""));
    if (ctn_json_member_of(body, "outputs"))
        FAIL("%s with outputs", ctn_status_name(status));
    if (!o->is_stopping || !ctn_str_is(code, ctn_failure_name(o->cause)))
        FAIL("%s with the error %.*s; it stopped for %s", ctn_status_name(status), CTN_STR_ARG(code),
             o->is_stopping ? ctn_failure_name(o->cause) : "nothing");
    bool any_left = false;
    for (int i = 0; i < o->spec->step_count; i++) {
        const char *name = o->spec->steps[i].name;
        bool is_left = o->steps[i].work[CTN_ROLE_UNDO].has_failed;
        any_left = any_left || is_left;
        if (names_step(ctn_json_member_of(error, "leftUndone"), name) != is_left)
            FAIL("leftUndone is wrong about %s", name);
        if (any_deed(o, i, CTN_ROLE_DO, deed_is_writing) &&
            (!o->spec->steps[i].has_undo || !o->spec->is_rollback_enabled) &&
            !names_step(ctn_json_member_of(error, "notUndone"), name))
            FAIL("notUndone does not name %s, which has happened", name);
    }
    bool rolls_back = o->spec->is_rollback_enabled && o->is_started;
    ctn_status should = rolls_back && any_left              ? CTN_STATUS_ROLLBACK_FAILED
                        : rolls_back                        ? CTN_STATUS_ROLLED_BACK
                        : o->cause == CTN_FAILURE_CANCELLED ? CTN_STATUS_CANCELLED
                                                            : CTN_STATUS_FAILED;
    if (status != should)
        FAIL("it ended %s, and what happened is %s", ctn_status_name(status), ctn_status_name(should));
}

static void judge(oracle *o, const ctn_record *r, const ctn_json *body, ctn_arena *arena)
{
    int step = r->step.len ? step_named(o, r->step) : -1;
    ctn_role role = flag(body, "undo") ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    if (r->step.len && step < 0) {
        FAIL("%s names a step that is not in the chain", ctn_entry_kind_name(r->kind));
        return;
    }
    switch (r->kind) {
    case CTN_ENTRY_QUEUED: break;
    case CTN_ENTRY_STARTED:
        if (o->is_started)
            FAIL("it starts twice");
        o->is_started = true;
        o->started_at_ms = r->at_ms;
        break;
    case CTN_ENTRY_STEP_SKIPPED:
        check_may_begin(o, step, true, "a skip");
        if (judge_condition(o, step) != SPEC_SKIP)
            FAIL("%s is skipped, and its condition does not say so", o->spec->steps[step].name);
        if (any_deed(o, step, CTN_ROLE_DO, deed_has_begun))
            FAIL("%s is skipped, and it had begun", o->spec->steps[step].name);
        o->steps[step].end = JUDGED_SKIPPED;
        break;
    case CTN_ENTRY_ATTEMPT_STARTED: on_started(o, step, CTN_ROLE_DO, r, body, arena); break;
    case CTN_ENTRY_COMPENSATION_STARTED: on_started(o, step, CTN_ROLE_UNDO, r, body, arena); break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED: on_succeeded(o, step, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: on_succeeded(o, step, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_ATTEMPT_FAILED: on_failed(o, step, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_FAILED: on_failed(o, step, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_WAITING: on_waiting(o, step, r, body); break;
    case CTN_ENTRY_ANSWERED:
        if (!o->steps[step].work[CTN_ROLE_DO].is_waiting || o->steps[step].work[CTN_ROLE_DO].is_answered)
            FAIL("%s is answered, and did not wait", o->spec->steps[step].name);
        o->steps[step].work[CTN_ROLE_DO].is_answered = true;
        break;
    case CTN_ENTRY_CHECKED: on_checked(o, step, role, body); break;
    case CTN_ENTRY_INTERRUPTED: on_interrupted(o, step, role, body); break;
    case CTN_ENTRY_DECISION:
        if (step >= 0)
            on_settled(o, step, role, body);
        else
            on_set(o, r, body);
        break;
    case CTN_ENTRY_BREAKER_WAIT: /* that it holds nobody back for no reason is what test_gate.c looks at */
        if (step < 0 || !ctn_json_str_or(body, "target", CTN_STR("")).len ||
            ctn_json_int_or(body, "untilMs", 0) <= r->at_ms)
            FAIL("a wait for a breaker that does not say which, or until when");
        break;
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
    default: FAIL("an entry of kind %s", ctn_entry_kind_name(r->kind)); break;
    }
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

bool oracle_is_in_doubt(const oracle *o)
{
    for (int i = 0; i < o->deed_count; i++)
        if (o->deeds[i].is_in_doubt && !o->deeds[i].is_asked)
            return true;
    return false;
}

int64_t oracle_wake_at_ms(const oracle *o)
{
    int64_t at_ms = 0;
    if (o->has_ended || o->is_paused || o->is_stopping || !o->is_started)
        return 0;
    if (o->spec->timeout_ms)
        at_ms = o->started_at_ms + o->spec->timeout_ms + o->paused_ms;
    for (int i = 0; i < o->spec->step_count; i++) {
        const judged_work *w = &o->steps[i].work[CTN_ROLE_DO];
        if ((w->is_waiting || w->is_backing_off) && o->steps[i].end == NOT_ENDED && w->due_ms &&
            (!at_ms || w->due_ms < at_ms))
            at_ms = w->due_ms;
    }
    return at_ms;
}

const char *oracle_waits_for(const oracle *o)
{
    if (o->is_paused)
        return "resume";
    for (int i = 0; i < o->spec->step_count; i++)
        for (int role = 0; role < 2; role++) {
            const judged_work *w = &o->steps[i].work[role];
            if (w->is_asked)
                return "settle";
            if (w->is_waiting && !o->is_stopping)
                return "answer";
        }
    return NULL;
}

/* ---- the end ---- */

void oracle_end(oracle *o)
{
    if (!o->has_ended)
        return;
    for (int i = 0; i < o->deed_count; i++) {
        const deed *d = &o->deeds[i];
        const judged_step *j = &o->steps[d->step];
        if (o->end == CTN_STATUS_COMPLETED && d->role == CTN_ROLE_UNDO && d->begins)
            FAIL("%s: it completed, and this was undone", d->key);
        if (d->role == CTN_ROLE_UNDO || d->effects == 0)
            continue;
        if (j->end == JUDGED_SKIPPED)
            FAIL("%s: was skipped, and it happened", d->key);
        if (!o->spec->steps[d->step].has_undo || !o->spec->is_rollback_enabled || o->end == CTN_STATUS_COMPLETED)
            continue;
        bool is_undone = any_deed(o, d->step, CTN_ROLE_UNDO, deed_happened);
        if (!is_undone && !j->work[CTN_ROLE_UNDO].has_failed)
            FAIL("%s: happened and was not undone; it is %s", d->key, ctn_status_name(o->end));
    }
    for (int i = 0; i < o->spec->step_count; i++)
        if (any_deed(o, i, CTN_ROLE_UNDO, deed_happened) && !any_deed(o, i, CTN_ROLE_DO, deed_has_begun))
            FAIL("%s: was undone, and it never began", o->spec->steps[i].name);
}
