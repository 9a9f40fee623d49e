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

/* ---- tasks and deeds ---- */

static const spec_step *spec_of(const oracle *o, const judged_task *t)
{
    return &o->spec->steps[t->step];
}

static const char *name_of(const oracle *o, const judged_task *t)
{
    return spec_of(o, t)->name;
}

static judged_task *task_of(oracle *o, int step, int64_t item)
{
    judged_step *s = &o->steps[step];
    if (item < 0) {
        s->whole.step = step;
        s->whole.item = -1;
        return &s->whole;
    }
    for (judged_task *t = s->items; t; t = t->next)
        if (t->item == item)
            return t;
    judged_task *t = CTN_NEW(o->arena, judged_task);
    *t = (judged_task){.next = s->items, .step = step, .item = item};
    s->items = t;
    return t;
}

static const spec_work *set_of(const oracle *o, const judged_task *t, ctn_role role, int fallback)
{
    const spec_step *s = spec_of(o, t);
    return role == CTN_ROLE_UNDO ? &s->undo : fallback ? &s->fallbacks[fallback - 1] : &s->work;
}

static const spec_work *set_now(const oracle *o, const judged_task *t, ctn_role role)
{
    return set_of(o, t, role, t->work[role].fallback);
}

static deed *deed_of(oracle *o, judged_task *t, ctn_role role, int fallback, int call)
{
    for (deed *d = t->deeds; d; d = d->next)
        if (d->role == role && d->fallback == fallback && d->call == call)
            return d;
    const spec_work *set = set_of(o, t, role, fallback);
    const spec_call *c = &set->calls[call];
    deed *d = CTN_NEW(o->arena, deed);
    *d = (deed){
        .next = t->deeds, .task = t, .role = role, .fallback = fallback, .call = call, .set = set, .effect = c->effect};
    char item[24] = "", end[24] = "do";
    if (t->item >= 0)
        snprintf(item, sizeof item, "[%lld]", (long long) t->item);
    if (fallback)
        snprintf(end, sizeof end, "fallback%d", fallback);
    snprintf(d->key, sizeof d->key, "%s/%s%s%s%s/%s", ctn_id_to_text(o->id).text, name_of(o, t), item,
             c->name[0] ? "/" : "", c->name, role == CTN_ROLE_DO ? end : "undo");
    t->deeds = d;
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

/* The item that a key names: id/step[item]/... */
static int64_t item_of_key(ctn_str key)
{
    size_t open = ctn_str_find(key, CTN_STR("[")), close = ctn_str_find(key, CTN_STR("]"));
    int64_t item = -1;
    if (open != SIZE_MAX && close != SIZE_MAX && close > open)
        (void) ctn_str_to_int64((ctn_str){key.ptr + open + 1, close - open - 1}, &item);
    return item;
}

static deed *deed_by_key(oracle *o, ctn_str step_name, ctn_str key)
{
    int step = step_named(o, step_name);
    if (step < 0)
        return NULL;
    judged_task *t = task_of(o, step, item_of_key(key));
    const spec_step *s = spec_of(o, t);
    for (int role = 0; role < 2; role++)
        for (int fallback = 0; fallback <= (role ? 0 : s->fallback_count); fallback++) {
            const spec_work *set = set_of(o, t, (ctn_role) role, fallback);
            for (int i = 0; i < set->call_count && (role == CTN_ROLE_DO || s->has_undo); i++)
                if (ctn_str_is(key, deed_of(o, t, (ctn_role) role, fallback, i)->key))
                    return deed_of(o, t, (ctn_role) role, fallback, i);
        }
    return NULL;
}

typedef bool deed_test(const deed *d);

static bool any_of_task(const judged_task *t, ctn_role role, deed_test *is)
{
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == role && is(d))
            return true;
    return false;
}

static bool any_of_step(const oracle *o, int step, ctn_role role, deed_test *is)
{
    if (any_of_task(&o->steps[step].whole, role, is))
        return true;
    for (const judged_task *t = o->steps[step].items; t; t = t->next)
        if (any_of_task(t, role, is))
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

bool oracle_each_deed(oracle *o, int step, deed_fn *fn, void *ctx)
{
    for (deed *d = o->steps[step].whole.deeds; d; d = d->next)
        if (fn(ctx, d))
            return true;
    for (judged_task *t = o->steps[step].items; t; t = t->next)
        for (deed *d = t->deeds; d; d = d->next)
            if (fn(ctx, d))
                return true;
    return false;
}

/* ---- what the language says ---- */

static spec_policy policy_of(const oracle *o, const judged_task *t)
{
    const spec_step *s = spec_of(o, t);
    return s->says_policy ? s->policy : o->retries_interrupted ? SPEC_RETRY : SPEC_ASK;
}

static spec_verdict judge_condition(const oracle *o, int step)
{
    const spec_condition *c = &o->spec->steps[step].condition;
    judged_variable v = {VARIABLE_NUMBER, o->input_n};
    if (c->reads >= 0 && c->test != SPEC_ALWAYS)
        v = o->steps[c->reads].whole.variable;
    bool is_number = v.kind == VARIABLE_NUMBER, truth = true;
    switch (c->test) {
    case SPEC_ALWAYS: return SPEC_RUN;
    case SPEC_ABOVE: truth = is_number && v.number > c->number; break;
    case SPEC_EQUAL: truth = is_number && v.number == c->number; break;
    case SPEC_NOT_EQUAL: truth = !is_number || v.number != c->number; break;
    case SPEC_EXISTS: truth = v.kind != VARIABLE_UNSET && v.kind != VARIABLE_NULL; break;
    case SPEC_AMONG:
        truth = is_number && (v.number == c->number || v.number == 3 || v.number == 5 || v.number == 7);
        break;
    case SPEC_TRUE: truth = (is_number || v.kind == VARIABLE_BOOL) && v.number != 0; break;
    }
    return truth ? c->if_true : c->if_false;
}

/* How many items are under way, in the world or by the journal. */
static int open_items(const oracle *o, int step)
{
    int count = 0;
    for (const judged_task *t = o->steps[step].items; t; t = t->next)
        count += t->end == NOT_ENDED && (t->work[0].attempt || any_of_task(t, CTN_ROLE_DO, deed_has_begun));
    return count;
}

/* Something of the task's own work happens at this point of the journal. */
static void check_may_begin(oracle *o, const judged_task *t, bool is_record, const char *what)
{
    const spec_step *s = spec_of(o, t);
    const judged_step *j = &o->steps[t->step];
    for (int i = 0; i < o->spec->step_count; i++) {
        judged_end end = o->steps[i].whole.end;
        if (((s->predecessors >> i) & 1u) && end != JUDGED_COMPLETED && end != JUDGED_SKIPPED &&
            end != JUDGED_CONTINUED)
            FAIL("%s: %s before its predecessor %s has ended on disk", s->name, what, o->spec->steps[i].name);
    }
    if (!o->is_started)
        FAIL("%s: %s before the execution has started", s->name, what);
    if (o->is_stopping)
        FAIL("%s: %s after the stop is on disk", s->name, what);
    /* What was decided before the pause is under way, and may be sent when all is on disk. */
    if (o->is_paused && (is_record || o->was_at_rest))
        FAIL("%s: %s while it is paused", s->name, what);
    if (j->whole.end != NOT_ENDED || t->end != NOT_ENDED)
        FAIL("%s: %s after it has ended", s->name, what);
    if (t->item < 0)
        return;
    if (!j->has_items || t->item >= j->item_count)
        FAIL("%s[%lld]: %s, and there are %lld items", s->name, (long long) t->item, what, (long long) j->item_count);
    if (open_items(o, t->step) > s->max_concurrency)
        FAIL("%s: %d items are under way, at most %d may be", s->name, open_items(o, t->step), s->max_concurrency);
}

static bool must_undo(const oracle *o, const judged_task *t)
{
    const judged_work *undo = &t->work[CTN_ROLE_UNDO];
    bool is_items = t->item < 0 && spec_of(o, t)->items != SPEC_ONE; /* they are undone, each by itself */
    return spec_of(o, t)->has_undo && !is_items && o->spec->is_rollback_enabled && !undo->is_done && !undo->has_failed;
}

/* A fallback's value and a hit of the cache leave nothing to undo, but what was tried before it may have. */
static bool leaves_something(const oracle *o, const judged_task *t)
{
    return (set_now(o, t, CTN_ROLE_DO)->kind != SPEC_VALUE && !t->is_hit) || any_of_task(t, CTN_ROLE_DO, deed_happened);
}

static void check_undo_before(oracle *o, const judged_task *me, const judged_task *other)
{
    if (me == other || !must_undo(o, other))
        return;
    if (me->end == JUDGED_COMPLETED && other->end == JUDGED_COMPLETED && leaves_something(o, other) &&
        other->completed_order > me->completed_order)
        FAIL("%s[%lld] is undone before %s[%lld], which completed later", name_of(o, me), (long long) me->item,
             name_of(o, other), (long long) other->item);
    if (other->end == JUDGED_COMPLETED || !any_of_task(other, CTN_ROLE_DO, deed_happened))
        return;
    if (me->end == JUDGED_COMPLETED)
        FAIL("%s is undone before %s, whose outcome is unknown", name_of(o, me), name_of(o, other));
    else if (other->start_order > me->start_order)
        FAIL("%s is undone before %s, which began later", name_of(o, me), name_of(o, other));
}

/* Completed ones in reverse order of completion; before them those of unknown outcome, the latest start first. */
static void check_undo_order(oracle *o, const judged_task *me)
{
    for (int i = 0; i < o->spec->step_count; i++) {
        check_undo_before(o, me, task_of(o, i, -1));
        for (const judged_task *t = o->steps[i].items; t; t = t->next)
            check_undo_before(o, me, t);
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
        check_may_begin(o, t, false, "a call");
        if (w->attempt < r->attempt && w->is_backing_off && now_ms < w->due_ms)
            FAIL("%s begins %lld ms before its back-off is over", d->key, (long long) (w->due_ms - now_ms));
        if (d->begins == 1 && r->attempt == 1 && t->item < 0 && !d->fallback && d->call == 0 &&
            judge_condition(o, t->step) != SPEC_RUN)
            FAIL("%s begins and its condition does not say so", d->key);
    }
    if (r->attempt < w->attempt)
        FAIL("%s begins attempt %u after attempt %u", d->key, r->attempt, w->attempt);
    ctn_arena *arena = ctn_arena_new(1024);
    check_args(o, d, r->args, arena);
    ctn_arena_free(arena);
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

static deed *deed_of_record(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    const spec_work *w = set_now(o, t, role);
    if (w->kind != SPEC_CALL && w->kind != SPEC_CALLS)
        return NULL;
    int call = w->kind == SPEC_CALL ? 0 : call_named(w, ctn_json_str_or(body, "call", CTN_STR("")));
    return call < 0 ? NULL : deed_of(o, t, role, t->work[role].fallback, call);
}

static void check_attempt(oracle *o, const judged_task *t, const judged_work *w, const ctn_record *r)
{
    if (r->attempt != w->attempt && r->attempt != w->attempt + 1)
        FAIL("%s: attempt %u after attempt %u", name_of(o, t), r->attempt, w->attempt);
}

static void on_started(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body,
                       ctn_arena *arena)
{
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (!d) {
        FAIL("%s: a start that names no call", name_of(o, t));
        return;
    }
    if (role == CTN_ROLE_DO) {
        if (w->attempt == 0 && t->item < 0 && judge_condition(o, t->step) != SPEC_RUN)
            FAIL("%s: a start, and its condition does not say so", d->key);
        w->attempt = w->attempt ? w->attempt : r->attempt;
        check_may_begin(o, t, true, "a start");
        if (!t->start_order)
            t->start_order = ++o->start_count;
    } else {
        if (!o->is_stopping || !o->spec->is_rollback_enabled)
            FAIL("%s begins and nothing is to be undone", d->key);
        if (o->is_paused)
            FAIL("%s begins while it is paused", d->key);
        if (w->attempt == 0)
            check_undo_order(o, t);
    }
    if (!ctn_str_is(ctn_json_str_or(body, "key", CTN_STR("")), d->key))
        FAIL("%s: a start under the key %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "key", CTN_STR(""))));
    if (!ctn_str_is(ctn_json_str_or(body, "effect", CTN_STR("")), ctn_effect_name(d->effect)))
        FAIL("%s: a start with the effect %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "effect", CTN_STR(""))));
    check_attempt(o, t, w, r);
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
    d->said_yes = false;
}

/* What an equal call of another execution may have been answered. */
static bool may_be_cached(const oracle *o, const judged_task *t, int64_t value)
{
    return spec_of(o, t)->is_cached && value >= 0 && value <= 9 && ((o->given->of_step[t->step] >> value) & 1u);
}

/* What the set answered, as the step takes it. */
static int64_t answered(oracle *o, judged_task *t, int call)
{
    const spec_work *w = set_now(o, t, CTN_ROLE_DO);
    return w->kind == SPEC_VALUE
               ? w->value
               : spec_value_of(ctn_str_from(deed_of(o, t, CTN_ROLE_DO, t->work[CTN_ROLE_DO].fallback, call)->key));
}

/* The task completed: what it put into the context. */
static void take_variables(oracle *o, judged_task *t, const ctn_json *variables)
{
    const spec_step *s = spec_of(o, t);
    char name[8];
    if (!s->gives_variable)
        return;
    snprintf(name, sizeof name, "v%d", t->step);
    const ctn_json *value = ctn_json_member_of(variables, name);
    int64_t number = -1;
    if (s->work.kind == SPEC_APPROVAL) {
        if (!ctn_json_is_bool(value))
            FAIL("%s: %s is no answer", s->name, name);
        t->variable = (judged_variable){VARIABLE_BOOL, ctn_json_is(value, CTN_JSON_TRUE)};
        return;
    }
    if (s->work.kind == SPEC_AGENT) {
        if (!ctn_json_to_int64(value, &number) || number != t->answered)
            FAIL("%s: %s is not what was answered", s->name, name);
        t->variable = (judged_variable){VARIABLE_NUMBER, number};
        return;
    }
    for (int i = 0; i < (s->work.call_count < 2 ? 1 : 2); i++) {
        int64_t should = answered(o, t, i);
        name[0] = i ? 'w' : 'v';
        number = -1;
        bool is_there = ctn_json_to_int64(ctn_json_member_of(variables, name), &number);
        if (!is_there || (number != should && !may_be_cached(o, t, number)))
            FAIL("%s: %s is %lld and the call answered %lld", s->name, name, (long long) number, (long long) should);
        if (i == 0)
            t->variable = (judged_variable){VARIABLE_NUMBER, number};
    }
    name[0] = 'd';
    char document[32];
    snprintf(document, sizeof document, "Step %d gave %lld", t->step, (long long) t->variable.number);
    if (s->has_document && !ctn_str_starts_with(ctn_json_str_or(variables, name, CTN_STR("")), ctn_str_from(document)))
        FAIL("%s: the document is not what its template says", s->name);
}

static void on_wait_over(oracle *o, judged_task *t, const ctn_record *r)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    if (!w->is_waiting)
        FAIL("%s: a wait is over that did not begin", name_of(o, t));
    if (!w->is_answered && (w->due_ms == 0 || r->at_ms < w->due_ms))
        FAIL("%s: a wait is over %lld ms too early", name_of(o, t), (long long) (w->due_ms - r->at_ms));
    w->is_waiting = false;
}

/* A foreach is complete: all of its items have ended. */
static void on_items_done(oracle *o, judged_task *t, const ctn_json *body)
{
    const judged_step *j = &o->steps[t->step];
    int64_t ended = 0, failed = 0;
    for (const judged_task *item = j->items; item; item = item->next) {
        ended += item->end == JUDGED_COMPLETED || item->end == JUDGED_CONTINUED;
        failed += item->end == JUDGED_CONTINUED;
    }
    if (!j->has_items || ended != j->item_count)
        FAIL("%s: complete with %lld of %lld items", name_of(o, t), (long long) ended, (long long) j->item_count);
    if (ctn_json_int_or(body, "items", -1) != ended || ctn_json_int_or(body, "failed", -1) != failed)
        FAIL("%s: the numbers of its items are wrong", name_of(o, t));
    t->end = JUDGED_COMPLETED;
    t->completed_order = ++o->completed_count;
    if (spec_of(o, t)->gives_variable)
        t->variable = (judged_variable){VARIABLE_LIST, ended};
}

static void on_succeeded(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    const spec_work *set = set_now(o, t, role);
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (t->end != NOT_ENDED && role == CTN_ROLE_DO)
        FAIL("%s: an attempt succeeds after it has ended", name_of(o, t));
    if (role == CTN_ROLE_DO && t->item < 0 && spec_of(o, t)->items != SPEC_ONE) {
        on_items_done(o, t, body);
        return;
    }
    if (d) {
        if (d->is_done)
            FAIL("%s: recorded as done twice", d->key);
        bool was_told = d->replied_attempt == r->attempt && d->reply == CTN_FAILURE_NONE && d->begins > 0;
        if (r->kind == CTN_ENTRY_CACHE_HIT) {
            o->hits++;
            t->is_hit = true;
            was_told = o->given->of_step[t->step] != 0;
            if (!spec_of(o, t)->is_cached)
                FAIL("%s: a hit, and nothing of it is cached", d->key);
        }
        if (!was_told && !d->said_yes)
            FAIL("%s: recorded as done, and nobody said so", d->key);
        if (d->effect >= CTN_EFFECT_IDEMPOTENT && d->effects == 0)
            FAIL("%s: recorded as done, and it never happened", d->key);
        d->is_done = true;
        d->is_in_doubt = d->is_asked = false;
    } else if (set->kind != SPEC_VALUE) {
        on_wait_over(o, t, r);
    }
    w->attempt = r->attempt;
    w->is_backing_off = false;
    w->is_asked = any_of_task(t, role, deed_is_asked);
    bool all_done = true;
    for (int i = 0; i < set->call_count; i++)
        all_done = all_done && deed_of(o, t, role, w->fallback, i)->is_done;
    if (role == CTN_ROLE_UNDO) {
        w->is_done = all_done;
        return;
    }
    const ctn_json *variables = ctn_json_member_of(body, "variables");
    if ((variables != NULL) != all_done)
        FAIL("%s: it is complete when its calls are", name_of(o, t));
    if (!variables)
        return;
    t->end = JUDGED_COMPLETED;
    t->completed_order = ++o->completed_count;
    take_variables(o, t, variables);
}

static void stop_task(judged_task *t)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    w->is_waiting = w->is_asked = w->is_backing_off = false;
    for (deed *d = t->deeds; d; d = d->next)
        d->is_asked = false;
}

static void begin_stopping(oracle *o, ctn_failure cause, int64_t at_ms)
{
    if (o->is_stopping)
        return;
    o->is_stopping = true;
    o->cause = cause;
    o->stop_at_ms = at_ms;
    for (int i = 0; i < o->spec->step_count; i++) {
        stop_task(&o->steps[i].whole);
        for (judged_task *t = o->steps[i].items; t; t = t->next)
            stop_task(t);
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

static void check_backoff(oracle *o, const judged_task *t, ctn_role role, judged_work *w, const ctn_record *r,
                          int64_t due_ms)
{
    const spec_step *s = spec_of(o, t);
    double base = (double) s->backoff_ms;
    for (int64_t i = 0; i < w->retries; i++)
        base *= s->multiplier;
    if (base > (double) s->max_backoff_ms)
        base = (double) s->max_backoff_ms;
    double delay = (double) (due_ms - r->at_ms);
    int64_t wish_ms = 0; /* the peers' own */
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == role && d->refused_attempt == r->attempt && d->fallback == w->fallback &&
            d->retry_after_ms > wish_ms)
            wish_ms = d->retry_after_ms;
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
static void check_final(oracle *o, const judged_task *t, ctn_role role, const judged_work *w, const deed *d,
                        ctn_failure code, const ctn_record *r)
{
    const spec_step *s = spec_of(o, t);
    if (role == CTN_ROLE_DO && o->is_stopping)
        return;
    if (!d || d->set->kind != SPEC_CALL || d->replied_attempt != r->attempt || d->reply != code ||
        w->retries >= s->max_retries || d->was_broken)
        return;
    bool is_transient = code == CTN_FAILURE_UNAVAILABLE || code == CTN_FAILURE_RATE_LIMITED ||
                        (is_lost(code) && (!d->reply_was_sent || d->effect < CTN_EFFECT_WRITE));
    if (is_transient || ((s->retry_on >> code) & 1u))
        FAIL("%s: failed for good with %s after %lld of %lld retries", d->key, ctn_failure_name(code),
             (long long) w->retries, (long long) s->max_retries);
}

/* What becomes of a call whose outcome is, or was, not known. */
static void judge_doubt(oracle *o, const judged_task *t, ctn_role role, deed *d, ctn_failure code, const ctn_record *r,
                        bool unknown)
{
    if (d->effect == CTN_EFFECT_WRITE && is_lost(code) && d->replied_attempt == r->attempt && d->reply == code &&
        d->reply_was_sent && d->started_attempt == r->attempt && d->unknown_attempt != r->attempt && !unknown)
        FAIL("%s: a write was lost, and that is not called unknown", d->key);
    if (unknown) {
        d->is_in_doubt = true;
        d->may_go_again = false;
        d->unknown_attempt = r->attempt;
        o->unknowns++;
    } else if (d->is_in_doubt) {
        bool may = policy_of(o, t) != SPEC_ASK || (o->is_stopping && role == CTN_ROLE_DO);
        if (!may && !d->may_go_again)
            FAIL("%s: goes on, and nobody knows what became of it", d->key);
        d->is_in_doubt = false;
        d->may_go_again = true;
        d->may_happen_twice = d->may_happen_twice || policy_of(o, t) == SPEC_RETRY;
    }
    if (!unknown) {
        d->failed_attempt = r->attempt;
        d->is_asked = false;
    }
    if (d->replied_attempt == r->attempt && d->reply == code)
        d->refused_attempt = r->attempt;
}

static void on_failed_for_good(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, ctn_failure code)
{
    const spec_step *s = spec_of(o, t);
    judged_work *w = &t->work[role];
    if (role == CTN_ROLE_UNDO) {
        w->has_failed = true;
        return;
    }
    if (!o->is_stopping && w->fallback < s->fallback_count && code != CTN_FAILURE_CONDITION_FAILED)
        FAIL("%s: failed for good after %d of %d fallbacks", s->name, w->fallback, s->fallback_count);
    if (s->continues && !o->is_stopping) {
        t->end = JUDGED_CONTINUED;
        if (s->gives_variable)
            t->variable = (judged_variable){VARIABLE_NULL, 0};
        return;
    }
    t->end = JUDGED_FAILED;
    begin_stopping(o, code, r->at_ms);
}

static void on_failed(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    judged_work *w = &t->work[role];
    deed *d = deed_of_record(o, t, role, body);
    ctn_failure code = ctn_failure_from_name(ctn_json_str_or(body, "code", CTN_STR("")));
    if (role == CTN_ROLE_DO && t->end != NOT_ENDED)
        FAIL("%s: an attempt fails after it has ended", name_of(o, t));
    if (d && d->is_done)
        FAIL("%s: fails after it was recorded as done", d->key);
    if (d && comes_from_the_world(code) && !((d->codes_seen >> code) & 1u))
        FAIL("%s: failed with %s, and nobody said so", d->key, ctn_failure_name(code));
    if (d)
        judge_doubt(o, t, role, d, code, r, flag(body, "unknown"));
    if (r->attempt)
        w->attempt = r->attempt;
    w->is_backing_off = w->is_waiting = false;
    w->is_asked = any_of_task(t, role, deed_is_asked);
    if (ctn_json_member_of(body, "dueMs")) {
        int64_t due_ms = ctn_json_int_or(body, "dueMs", 0);
        if (role == CTN_ROLE_DO && o->is_stopping)
            FAIL("%s: is to be tried again and the chain stops", name_of(o, t));
        if (!flag(body, "free"))
            check_backoff(o, t, role, w, r, due_ms);
        w->is_backing_off = true;
        w->due_ms = due_ms;
    }
    if (ctn_json_member_of(body, "fallback")) {
        check_final(o, t, role, w, d, code, r);
        w->fallback_due = (int) ctn_json_int_or(body, "fallback", 0);
        if (role == CTN_ROLE_UNDO || o->is_stopping || w->fallback_due != w->fallback + 1 ||
            w->fallback_due > spec_of(o, t)->fallback_count)
            FAIL("%s: fallback %d after fallback %d", name_of(o, t), w->fallback_due, w->fallback);
    }
    if (!flag(body, "final"))
        return;
    check_final(o, t, role, w, d, code, r);
    on_failed_for_good(o, t, role, r, code);
}

static void on_fallback(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    int fallback = (int) ctn_json_int_or(body, "fallback", 0);
    if (!w->fallback_due || fallback != w->fallback_due)
        FAIL("%s: fallback %d is taken, and %d is due", name_of(o, t), fallback, w->fallback_due);
    if (o->is_stopping || o->is_paused)
        FAIL("%s: a fallback is taken while it is %s", name_of(o, t), o->is_stopping ? "stopping" : "paused");
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == CTN_ROLE_DO && d->is_in_doubt)
            FAIL("%s: a fallback is taken, and nobody knows what became of it", d->key);
    w->fallback = fallback;
    w->fallback_due = 0;
    w->retries = 0;
    w->is_backing_off = w->is_asked = false;
}

static void on_foreach(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_step *j = &o->steps[t->step];
    int64_t count = spec_item_count(spec_of(o, t), o->input_n);
    check_may_begin(o, t, true, "a foreach");
    if (judge_condition(o, t->step) != SPEC_RUN)
        FAIL("%s: a foreach begins and its condition does not say so", name_of(o, t));
    if (spec_of(o, t)->items == SPEC_ONE || j->has_items)
        FAIL("%s: a foreach begins that is none, or a second time", name_of(o, t));
    if (ctn_json_int_or(body, "count", -1) != count)
        FAIL("%s: %lld items, and there are %lld", name_of(o, t), (long long) ctn_json_int_or(body, "count", -1),
             (long long) count);
    j->has_items = true;
    j->item_count = count;
}

static void on_waiting(oracle *o, judged_task *t, const ctn_record *r, const ctn_json *body)
{
    const spec_work *w = &spec_of(o, t)->work;
    judged_work *j = &t->work[CTN_ROLE_DO];
    check_may_begin(o, t, true, "a wait");
    if (judge_condition(o, t->step) != SPEC_RUN)
        FAIL("%s: waits, and its condition does not say so", name_of(o, t));
    int64_t span = w->kind == SPEC_WAIT ? w->wait_ms : w->answer_timeout_ms;
    int64_t due_ms = ctn_json_int_or(body, "untilMs", 0);
    if (due_ms != (w->kind == SPEC_WAIT || span ? r->at_ms + span : 0))
        FAIL("%s: waits until %lld, from %lld on", name_of(o, t), (long long) due_ms, (long long) r->at_ms);
    j->is_waiting = true;
    j->due_ms = due_ms;
    j->attempt = r->attempt;
}

static void on_answered(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    if (!w->is_waiting || w->is_answered)
        FAIL("%s is answered, and did not wait", name_of(o, t));
    w->is_answered = true;
    if (spec_of(o, t)->work.kind == SPEC_AGENT &&
        !ctn_json_to_int64(ctn_json_member_of(ctn_json_member_of(body, "answer"), "value"), &t->answered))
        FAIL("%s: an answer that does not fit is taken", name_of(o, t));
}

static void on_checked(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    if (!d) {
        FAIL("%s: a check that names no call", name_of(o, t));
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
        d->settled_attempt = t->work[role].attempt;
    }
}

static void on_interrupted(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    bool by_deaths = ctn_str_find(ctn_json_str_or(body, "message", CTN_STR("")), CTN_STR("died")) != SIZE_MAX;
    if (!by_deaths && policy_of(o, t) != SPEC_ASK)
        FAIL("%s: asks a person, and its chain says otherwise", name_of(o, t));
    if (!by_deaths && d && !d->is_in_doubt)
        FAIL("%s: asks a person about what is known", d->key);
    if (d)
        d->is_asked = true;
    t->work[role].is_asked = true;
    t->work[role].is_backing_off = false;
}

static void on_settled(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (!w->is_asked || !d)
        FAIL("%s: settled, and nobody asked", name_of(o, t));
    if (!d)
        return;
    o->settlements++;
    d->is_in_doubt = d->is_asked = false;
    d->settled_attempt = w->attempt;
    w->is_asked = any_of_task(t, role, deed_is_asked);
    if (ctn_str_is(ctn_json_str_or(body, "what", CTN_STR("")), "succeed"))
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
    begin_stopping(o, code, r->at_ms);
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
    d->may_go_again = policy_of(o, t) == SPEC_RETRY;
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
        judged_variable v = task_of(o, step, i)->variable;
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
        if (any_of_step(o, i, CTN_ROLE_DO, deed_is_writing) &&
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

static void on_skipped(oracle *o, judged_task *t)
{
    check_may_begin(o, t, true, "a skip");
    if (judge_condition(o, t->step) != SPEC_SKIP)
        FAIL("%s is skipped, and its condition does not say so", name_of(o, t));
    if (any_of_step(o, t->step, CTN_ROLE_DO, deed_has_begun))
        FAIL("%s is skipped, and it had begun", name_of(o, t));
    t->end = JUDGED_SKIPPED;
}

static void judge_step(oracle *o, judged_task *t, const ctn_record *r, const ctn_json *body, ctn_arena *arena)
{
    ctn_role role = flag(body, "undo") ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    switch (r->kind) {
    case CTN_ENTRY_STEP_SKIPPED: on_skipped(o, t); break;
    case CTN_ENTRY_FOREACH_STARTED: on_foreach(o, t, body); break;
    case CTN_ENTRY_ATTEMPT_STARTED: on_started(o, t, CTN_ROLE_DO, r, body, arena); break;
    case CTN_ENTRY_COMPENSATION_STARTED: on_started(o, t, CTN_ROLE_UNDO, r, body, arena); break;
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED: on_succeeded(o, t, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: on_succeeded(o, t, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_ATTEMPT_FAILED: on_failed(o, t, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_FAILED: on_failed(o, t, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_FALLBACK_TAKEN: on_fallback(o, t, body); break;
    case CTN_ENTRY_BREAKER_WAIT: /* that it holds nobody back for no reason is what test_gate.c looks at */
        if (!ctn_json_str_or(body, "target", CTN_STR("")).len || ctn_json_int_or(body, "untilMs", 0) <= r->at_ms)
            FAIL("%s: a wait for a breaker that does not say which, or until when", name_of(o, t));
        break;
    case CTN_ENTRY_WAITING: on_waiting(o, t, r, body); break;
    case CTN_ENTRY_ANSWERED: on_answered(o, t, body); break;
    case CTN_ENTRY_CHECKED: on_checked(o, t, role, body); break;
    case CTN_ENTRY_INTERRUPTED: on_interrupted(o, t, role, body); break;
    case CTN_ENTRY_DECISION: on_settled(o, t, role, body); break;
    default: FAIL("an entry of kind %s about a step", ctn_entry_kind_name(r->kind)); break;
    }
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
    int step = r->step.len ? step_named(o, r->step) : -1;
    if (r->step.len && step < 0)
        FAIL("%s names a step that is not in the chain", ctn_entry_kind_name(r->kind));
    else if (step >= 0)
        judge_step(o, task_of(o, step, r->item), r, body, arena);
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
    const spec_step *s = spec_of(o, t);
    bool is_undone = any_of_task(t, CTN_ROLE_UNDO, deed_happened);
    if (is_undone && !any_of_task(t, CTN_ROLE_DO, deed_has_begun))
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
        end_task(o, task_of(o, i, -1));
        for (const judged_task *t = o->steps[i].items; t; t = t->next)
            end_task(o, t);
    }
}
