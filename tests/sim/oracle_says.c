/*
 * oracle_says.c -- what was heard of each step, item and call so far, and what the chain's description says of them:
 * may it begin, with which arguments, what must be undone before it. What must hold is said where it is asked.
 */
#include "sim/oracle_state.h"

#include <stdio.h>

/* ---- tasks and deeds ---- */

const spec_step *oracle_spec_of(const oracle *o, const judged_task *t)
{
    return &o->spec->steps[t->step];
}

const char *oracle_name_of(const oracle *o, const judged_task *t)
{
    return oracle_spec_of(o, t)->name;
}

judged_task *oracle_task_of(oracle *o, int step, int64_t item)
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
    const spec_step *s = oracle_spec_of(o, t);
    return role == CTN_ROLE_UNDO ? &s->undo : fallback ? &s->fallbacks[fallback - 1] : &s->work;
}

const spec_work *oracle_set_now(const oracle *o, const judged_task *t, ctn_role role)
{
    return set_of(o, t, role, t->work[role].fallback);
}

deed *oracle_deed_of(oracle *o, judged_task *t, ctn_role role, int fallback, int call)
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
    snprintf(d->key, sizeof d->key, "%s/%s%s%s%s/%s", ctn_id_to_text(o->id).text, oracle_name_of(o, t), item,
             c->name[0] ? "/" : "", c->name, role == CTN_ROLE_DO ? end : "undo");
    t->deeds = d;
    return d;
}

int oracle_step_named(const oracle *o, ctn_str name)
{
    for (int i = 0; i < o->spec->step_count; i++)
        if (ctn_str_is(name, o->spec->steps[i].name))
            return i;
    return -1;
}

int oracle_call_named(const spec_work *w, ctn_str name)
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

deed *oracle_deed_by_key(oracle *o, ctn_str step_name, ctn_str key)
{
    int step = oracle_step_named(o, step_name);
    if (step < 0)
        return NULL;
    judged_task *t = oracle_task_of(o, step, item_of_key(key));
    const spec_step *s = oracle_spec_of(o, t);
    for (int role = 0; role < 2; role++)
        for (int fallback = 0; fallback <= (role ? 0 : s->fallback_count); fallback++) {
            const spec_work *set = set_of(o, t, (ctn_role) role, fallback);
            for (int i = 0; i < set->call_count && (role == CTN_ROLE_DO || s->has_undo); i++)
                if (ctn_str_is(key, oracle_deed_of(o, t, (ctn_role) role, fallback, i)->key))
                    return oracle_deed_of(o, t, (ctn_role) role, fallback, i);
        }
    return NULL;
}

bool oracle_any_of_task(const judged_task *t, ctn_role role, deed_test *is)
{
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == role && is(d))
            return true;
    return false;
}

bool oracle_any_of_step(const oracle *o, int step, ctn_role role, deed_test *is)
{
    if (oracle_any_of_task(&o->steps[step].whole, role, is))
        return true;
    for (const judged_task *t = o->steps[step].items; t; t = t->next)
        if (oracle_any_of_task(t, role, is))
            return true;
    return false;
}

bool oracle_deed_has_begun(const deed *d)
{
    return d->begins > 0 || d->started_attempt > 0;
}
bool oracle_deed_is_asked(const deed *d)
{
    return d->is_asked;
}
bool oracle_deed_happened(const deed *d)
{
    return d->effects > 0;
}
bool oracle_deed_is_writing(const deed *d)
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

spec_policy oracle_policy_of(const oracle *o, const judged_task *t)
{
    const spec_step *s = oracle_spec_of(o, t);
    return s->says_policy ? s->policy : o->retries_interrupted ? SPEC_RETRY : SPEC_ASK;
}

spec_verdict oracle_judge_condition(const oracle *o, int step)
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
        count +=
            t->end == NOT_ENDED && (t->work[0].attempt || oracle_any_of_task(t, CTN_ROLE_DO, oracle_deed_has_begun));
    return count;
}

void oracle_check_may_begin(oracle *o, const judged_task *t, bool is_record, const char *what)
{
    const spec_step *s = oracle_spec_of(o, t);
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
    bool is_items = t->item < 0 && oracle_spec_of(o, t)->items != SPEC_ONE; /* they are undone, each by itself */
    return oracle_spec_of(o, t)->has_undo && !is_items && o->spec->is_rollback_enabled && !undo->is_done &&
           !undo->has_failed;
}

/* A fallback's value and a hit of the cache leave nothing to undo, but what was tried before it may have. */
static bool leaves_something(const oracle *o, const judged_task *t)
{
    return (oracle_set_now(o, t, CTN_ROLE_DO)->kind != SPEC_VALUE && !t->is_hit) ||
           oracle_any_of_task(t, CTN_ROLE_DO, oracle_deed_happened);
}

static void check_undo_before(oracle *o, const judged_task *me, const judged_task *other)
{
    if (me == other || !must_undo(o, other))
        return;
    if (me->end == JUDGED_COMPLETED && other->end == JUDGED_COMPLETED && leaves_something(o, other) &&
        other->completed_order > me->completed_order)
        FAIL("%s[%lld] is undone before %s[%lld], which completed later", oracle_name_of(o, me), (long long) me->item,
             oracle_name_of(o, other), (long long) other->item);
    if (other->end == JUDGED_COMPLETED || !oracle_any_of_task(other, CTN_ROLE_DO, oracle_deed_happened))
        return;
    if (me->end == JUDGED_COMPLETED)
        FAIL("%s is undone before %s, whose outcome is unknown", oracle_name_of(o, me), oracle_name_of(o, other));
    else if (other->start_order > me->start_order)
        FAIL("%s is undone before %s, which began later", oracle_name_of(o, me), oracle_name_of(o, other));
}

void oracle_check_undo_order(oracle *o, const judged_task *me)
{
    for (int i = 0; i < o->spec->step_count; i++) {
        check_undo_before(o, me, oracle_task_of(o, i, -1));
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

void oracle_check_args(oracle *o, deed *d, const ctn_json *args, ctn_arena *arena)
{
    uint64_t hash = hash_args(arena, args);
    if (d->has_args && d->args_hash != hash && o->set_seq <= d->args_seq)
        FAIL("%s: the arguments are not those of the attempt before", d->key);
    d->has_args = true;
    d->args_hash = hash;
    d->args_seq = o->seq;
}
