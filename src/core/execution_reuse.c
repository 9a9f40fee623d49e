/*
 * execution_reuse.c -- an execution that goes on from an earlier one: what it takes over, and what stands of an ended
 * one for the next.
 *
 * A reused step is not marked as done at the start but ends when its turn comes, at once and without an entry. So its
 * variables are set in the order of the chain, and a step between two that write the same variable reads what it read
 * the first time. Which steps those are stands in the first entry and nowhere else, so a replay cannot differ.
 *
 * What must hold: a reused step has made no call here. It is in no list of what is to be undone, and counts as no write
 * of this execution; its effects belong to the one that it came from.
 */
#include "core/execution_fold.h"

static bool status_of(const ctn_json *reused, ctn_step_status *ret_status)
{
    static const ctn_step_status KNOWN[] = {CTN_STEP_COMPLETED, CTN_STEP_SKIPPED, CTN_STEP_FAILED};
    ctn_str name = ctn_json_str_or(reused, "status", CTN_STR(""));
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (ctn_str_is(name, ctn_step_status_name(KNOWN[i]))) {
            *ret_status = KNOWN[i];
            return true;
        }
    return false;
}

/* ---- the first entry ---- */

static bool step_sets(const ctn_plan *plan, const ctn_plan_step *p, ctn_str variable)
{
    for (uint32_t i = 0; i < p->output_count; i++)
        if (ctn_str_equal(plan->variables[p->outputs[i].slot], variable))
            return true;
    return false;
}

static int check_step(const ctn_plan *plan, ctn_str name, const ctn_json *reused, ctn_err *err)
{
    uint32_t step = ctn_plan_step_index(plan, name);
    ctn_step_status status = CTN_STEP_PENDING;
    if (step == CTN_PLAN_NONE)
        return ctn_fail(err, CTN_E_INVALID, "reused: the chain has no step \"%.*s\"", CTN_STR_ARG(name));
    const ctn_plan_step *p = &plan->steps[step];
    if (!status_of(reused, &status))
        return ctn_fail(err, CTN_E_INVALID, "reused: step %.*s has no status that can be reused", CTN_STR_ARG(name));
    if (status == CTN_STEP_FAILED && !p->continue_on_error)
        return ctn_fail(err, CTN_E_INVALID, "reused: step %.*s failed, and its onError is not continue",
                        CTN_STR_ARG(name));
    const ctn_json *variables = ctn_json_member_of(reused, "variables");
    if (ctn_json_is(variables, CTN_JSON_OBJECT) != (status == CTN_STEP_COMPLETED) ||
        (variables && status != CTN_STEP_COMPLETED))
        return ctn_fail(err, CTN_E_INVALID, "reused: step %.*s must have variables if it completed, and only then",
                        CTN_STR_ARG(name));
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        ctn_str variable = ctn_json_text(&variables->members[i].key);
        if (!step_sets(plan, p, variable))
            return ctn_fail(err, CTN_E_INVALID, "reused: step %.*s sets no variable \"%.*s\"", CTN_STR_ARG(name),
                            CTN_STR_ARG(variable));
    }
    return CTN_OK;
}

int ctn_execution_check_reuse(const ctn_plan *plan, const ctn_json *going_on, ctn_err *err)
{
    const ctn_json *from = ctn_json_member_of(going_on, "from"), *reused = ctn_json_member_of(going_on, "reused");
    ctn_execution_id id;
    if (!from && !reused)
        return CTN_OK;
    if (ctn_id_parse(ctn_json_str_or(from, "execution", CTN_STR("")), &id, NULL))
        return ctn_fail(err, CTN_E_INVALID, "from: it names no execution");
    if (!ctn_json_is(reused, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "reused: it must be an object of steps");
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < reused->count; i++)
        rc = check_step(plan, ctn_json_text(&reused->members[i].key), &reused->members[i].value, err);
    return rc;
}

/* ---- apply ---- */

void ctn_x_reuse_begin(ctn_execution *x, const ctn_json *body)
{
    const ctn_json *from = ctn_json_member_of(body, "from");
    if (!from)
        return;
    x->reuse.from = ctn_json_copy(x->arena, from);
    x->reuse.due = CTN_NEW_ARRAY(x->arena, uint32_t, x->plan->step_count);
    const ctn_json *reused = ctn_json_copy(x->arena, ctn_json_member_of(body, "reused"));
    for (uint32_t i = 0; i < reused->count; i++) {
        uint32_t step = ctn_plan_step_index(x->plan, ctn_json_text(&reused->members[i].key));
        x->steps[step].reused = &reused->members[i].value;
    }
}

void ctn_x_reuse(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    step_state *st = &x->steps[step];
    work *w = &st->whole.work[CTN_ROLE_DO];
    ctn_step_status status = CTN_STEP_SKIPPED;
    (void) status_of(st->reused, &status);
    w->ended_at_ms = at_ms;
    w->phase = status == CTN_STEP_COMPLETED ? WORK_DONE : status == CTN_STEP_FAILED ? WORK_FAILED : WORK_SKIPPED;
    if (status == CTN_STEP_COMPLETED) {
        st->whole.variables = ctn_json_member_of(st->reused, "variables");
        ctn_x_set_variables(x, st->whole.variables, step);
    } else if (status == CTN_STEP_FAILED) {
        st->continued = true;
        ctn_x_set_null(x, step);
    }
}

/* ---- what stands of an ended execution ---- */

static bool task_is_undone(const task *t)
{
    return t->work[CTN_ROLE_UNDO].phase == WORK_DONE;
}

static bool task_has_written(const task *t)
{
    return !task_is_undone(t) && (t->had_write || ctn_x_had_write(&t->work[CTN_ROLE_DO]));
}

static bool in_list(const task_list *list, uint32_t step, bool (*is_so)(const task *t))
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i]->step == step && list->items[i]->item >= 0 && is_so(list->items[i]))
            return true;
    return false;
}

/* Items that left nothing to undo are known by what their foreach remembers of them all; which sub-chains they had is
 * not kept, so each of those may have written. */
static bool items_have_written(const ctn_execution *x, uint32_t step)
{
    const each *f = x->steps[step].each;
    const ctn_plan_set *set = x->plan->steps[step].set;
    return f->had_write || in_list(&x->undo.completed, step, task_has_written) ||
           in_list(&x->undo.doubtful, step, task_has_written) || (set->kind == CTN_SET_CHAIN && f->cursor > 0);
}

/* What a person set in the place of what the step had given stands in its place for the next one too. */
static const ctn_json *corrected(const ctn_execution *x, uint32_t step, const ctn_json *variables, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        ctn_str name = ctn_json_text(&variables->members[i].key);
        uint32_t slot = ctn_plan_slot(x->plan, name);
        bool is_by_hand =
            slot != CTN_PLAN_NONE && x->context.slots[slot].by_hand && x->context.slots[slot].setter == step + 1;
        ctn_json_put(&b, name, is_by_hand ? x->context.slots[slot].by_hand : &variables->members[i].value);
    }
    return ctn_json_finish(&b);
}

const ctn_json *ctn_execution_input(const ctn_execution *x, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, x->context.input);
    for (uint32_t slot = 0; slot < x->plan->variable_count; slot++)
        if (x->context.slots[slot].by_hand && !x->context.slots[slot].setter)
            ctn_json_put(&b, x->plan->variables[slot], x->context.slots[slot].by_hand);
    return ctn_json_finish(&b);
}

static ctn_step_record record_of_reused(const ctn_execution *x, const ctn_json *reused)
{
    ctn_step_record r = {.status = CTN_STEP_PENDING,
                         .variables = ctn_json_member_of(reused, "variables"),
                         .has_written = ctn_json_bool_or(reused, "wrote", false)};
    (void) status_of(reused, &r.status);
    ctn_str where = ctn_json_str_or(reused, "execution", ctn_json_str_or(x->reuse.from, "execution", CTN_STR("")));
    (void) ctn_id_parse(where, &r.execution, NULL);
    return r;
}

ctn_step_record ctn_execution_step_record(const ctn_execution *x, uint32_t step, ctn_arena *arena)
{
    const step_state *st = &x->steps[step];
    const task *t = &st->whole;
    if (st->reused) {
        ctn_step_record reused = record_of_reused(x, st->reused);
        if (reused.variables)
            reused.variables = corrected(x, step, reused.variables, arena);
        return reused;
    }
    ctn_step_record r = {.status = CTN_STEP_PENDING, .execution = x->id};
    r.has_written = task_has_written(t) || (st->each && items_have_written(x, step));
    if (!task_is_undone(t))
        r.child = t->child;
    work_phase phase = t->work[CTN_ROLE_DO].phase;
    bool is_undone = task_is_undone(t) || in_list(&x->undo.queue, step, task_is_undone);
    if (phase == WORK_SKIPPED)
        r.status = CTN_STEP_SKIPPED;
    else if (phase == WORK_FAILED && st->continued && !is_undone)
        r.status = CTN_STEP_FAILED;
    else if (phase == WORK_DONE && !is_undone)
        r.status = CTN_STEP_COMPLETED;
    if (r.status == CTN_STEP_COMPLETED)
        r.variables = corrected(x, step, st->each ? ctn_x_each_variables(x, step, arena) : t->variables, arena);
    return r;
}
