/*
 * execution_foreach.c -- the items of a foreach.
 *
 * `foreach_started` says how many items there are. From then on the step is its items: each is a task with attempts,
 * retries, fallbacks, waits and a compensation of its own, and entries that carry its number. Items become ready in
 * their order, as many at once as maxConcurrency allows, and always by an entry (the beginning, or the end of another
 * item), so a replay makes the same ones ready.
 *
 * What must hold: the memory of a foreach is that of its open items, of the values that it collects, and of the
 * items that may have to be undone. An item that leaves nothing behind is forgotten when it ends.
 *
 * The items of a list are not in the journal a second time: the template gives them, out of variables that stand still
 * while the step runs (two unordered steps of which one writes what the other reads are refused at check). So the entry
 * that begins it and the folding of that entry ask the same template, and both stand here.
 */
#include "core/execution_fold.h"
#include "core/execution_judge.h"

#include "base/plant.h"

#define ITEM_ARENA_BYTES 1024

/* ---- beginning ---- */

static ctn_failure render_range(const judge *j, const work *w, int64_t *ret_from, int64_t *ret_count, ctn_err *err)
{
    const ctn_json *range = NULL;
    ctn_failure failure = ctn_x_render_tree(j, w, w->task->plan->foreach->range, &range, err);
    if (failure)
        return failure;
    int64_t to = 0;
    if (ctn_json_count(range) != 2 || !ctn_json_to_int64(ctn_json_at(range, 0), ret_from) ||
        !ctn_json_to_int64(ctn_json_at(range, 1), &to) || __builtin_sub_overflow(to, *ret_from, ret_count)) {
        ctn_fail(err, CTN_E_INVALID, "the range must be two whole numbers, not %.*s",
                 CTN_STR_ARG(ctn_json_to_str(j->scratch, range)));
        return CTN_FAILURE_INVALID_INPUT;
    }
    if (*ret_count < 0)
        *ret_count = 0;
    return CTN_FAILURE_NONE;
}

static ctn_failure render_list(const ctn_execution *x, const work *w, size_t bytes_max, ctn_arena *arena,
                               const ctn_json **ret_list, ctn_err *err)
{
    ctn_failure failure = ctn_x_render_template(x, w, w->task->plan->foreach->items, bytes_max, arena, ret_list, err);
    if (failure)
        return failure;
    if (ctn_json_is(*ret_list, CTN_JSON_ARRAY))
        return CTN_FAILURE_NONE;
    ctn_fail(err, CTN_E_INVALID, "the items must be a list, not %s", ctn_json_kind_name(*ret_list));
    return CTN_FAILURE_INVALID_INPUT;
}

ctn_entry ctn_x_begin_each(const judge *j, const work *w)
{
    const ctn_plan_step *p = w->task->plan;
    size_t bytes_max = ctn_x_value_bytes_max(j->rules);
    ctn_err err = {0};
    int64_t from = 0, count = 0;
    const ctn_json *list = NULL;
    ctn_failure failure = p->foreach->range ? render_range(j, w, &from, &count, &err)
                                            : render_list(j->x, w, bytes_max, j->scratch, &list, &err);
    if (list)
        count = (int64_t) ctn_json_count(list);
    /* A list of so many values has at least one byte and a comma for each. */
    if (!failure && p->output_count && 2 * (uint64_t) count > bytes_max) {
        ctn_fail(&err, CTN_E_LIMIT,
                 "the values of %lld items can be no list: at most %zu bytes are allowed; leave 'outputVariables' out",
                 (long long) count, bytes_max);
        failure = CTN_FAILURE_LIMIT;
    }
    failure_report report = {.failure = failure,
                             .is_final = true,
                             .is_whole = true,
                             .no_fallback = true,
                             .message = ctn_arena_printf(j->scratch, "foreach: %s", err.message)};
    if (failure || ctn_x_is_past_steps(j, w, count, &report))
        return ctn_x_fail(j, w, 0, &report);
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_int(&b, "count", count);
    if (p->foreach->range)
        ctn_json_put_int(&b, "from", from);
    return ctn_x_entry(j, CTN_ENTRY_FOREACH_STARTED, w, 0, &b);
}

/* Who looks at an execution without its sensitive values has no items to look at: each is "(sealed)". */
static bool hides_items(const ctn_execution *x, uint32_t step, each *f)
{
    if (!x->is_hidden || !ctn_sensitive_step(x->sensitivity, step) || f->count < 0)
        return false;
    ctn_json *items = CTN_NEW_ARRAY(x->arena, ctn_json, (size_t) f->count);
    for (int64_t i = 0; i < f->count; i++)
        items[i] = ctn_sealed_json;
    ctn_json *list = CTN_NEW(x->arena, ctn_json);
    *list = (ctn_json){.kind = CTN_JSON_ARRAY, .count = (uint32_t) f->count, .items = items};
    f->list = list;
    return true;
}

int ctn_x_each_start(ctn_execution *x, const work *w, const ctn_entry *e, ctn_err *err)
{
    uint32_t step = w->task->step;
    const ctn_plan_step *p = w->task->plan;
    each *f = CTN_NEW(x->arena, each);
    f->count = ctn_json_int_or(e->body, "count", -1);
    f->from = ctn_json_int_or(e->body, "from", 0);
    ctn_err why = {0};
    bool is_list = !p->foreach->range && !hides_items(x, step, f);
    if (is_list && render_list(x, w, SIZE_MAX / 8, x->arena, &f->list, &why) != CTN_FAILURE_NONE)
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (foreach_started of %.*s): %s", (unsigned long long) e->seq,
                        CTN_STR_ARG(e->step), why.message);
    if (f->count < 0 || (f->list && f->count != (int64_t) ctn_json_count(f->list)))
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (foreach_started of %.*s): there are not so many items",
                        (unsigned long long) e->seq, CTN_STR_ARG(e->step));
    f->bucket_count = 8;
    while (f->bucket_count < 2 * p->foreach->max_concurrency)
        f->bucket_count *= 2;
    f->buckets = CTN_NEW_ARRAY(x->arena, task *, f->bucket_count);
    if (p->output_count) {
        f->values = CTN_NEW_ARRAY(x->arena, ctn_json *, p->output_count);
        f->output_bytes = CTN_NEW_ARRAY(x->arena, size_t, p->output_count);
        for (uint32_t i = 0; i < p->output_count; i++) {
            f->values[i] = CTN_NEW_ARRAY(x->arena, ctn_json, (size_t) f->count);
            for (int64_t k = 0; k < f->count; k++)
                f->values[i][k] = ctn_json_null;
        }
    }
    x->steps[step].each = f;
    return CTN_OK;
}

/* ---- open items ---- */

static task **bucket_of(const each *f, int64_t item)
{
    return &f->buckets[(uint64_t) item & (f->bucket_count - 1)];
}

task *ctn_x_each_find(const ctn_execution *x, uint32_t step, int64_t item)
{
    const each *f = x->steps[step].each;
    for (task *t = f ? *bucket_of(f, item) : NULL; t; t = t->next)
        if (t->item == item)
            return t;
    return NULL;
}

static const ctn_json *value_of(const each *f, int64_t item, ctn_arena *arena)
{
    if (f->list)
        return ctn_json_at(f->list, (size_t) item);
    return ctn_json_int(arena, f->from + item);
}

task *ctn_x_each_make_task(ctn_execution *x, uint32_t step)
{
    each *f = x->steps[step].each;
    if (!f || f->cursor == f->count ||
        f->open_count >= x->plan->steps[step].foreach->max_concurrency + CTN_PLANT(TOO_MANY_ITEMS_AT_ONCE))
        return NULL;
    task *t = f->free;
    ctn_arena *arena = NULL;
    if (t) {
        f->free = t->next;
        arena = t->arena;
        ctn_arena_reset(arena);
    } else {
        t = CTN_NEW(x->arena, task);
        arena = ctn_arena_new_in(x->arena, ITEM_ARENA_BYTES);
    }
    int64_t item = f->cursor++;
    ctn_x_task_init(x, t, step, item, arena);
    t->value = value_of(f, item, arena);
    t->next = *bucket_of(f, item);
    *bucket_of(f, item) = t;
    f->open_count++;
    return t;
}

void ctn_x_each_take(ctn_execution *x, const task *t, const ctn_json *variables)
{
    each *f = x->steps[t->step].each;
    const ctn_plan_step *p = t->plan;
    f->ended_count++;
    if (!variables)
        f->failed_count++;
    for (uint32_t i = 0; i < p->output_count; i++) {
        const ctn_json *v = ctn_json_get(variables, x->plan->variables[p->outputs[i].slot]);
        if (v)
            f->values[i][t->item] = *ctn_json_copy(x->arena, v);
        size_t bytes = 1 + (v ? ctn_json_bytes(v) : strlen("null"));
        f->output_bytes[i] += bytes;
        f->held_bytes += bytes;
        x->context.held_bytes += bytes;
        if (f->output_bytes[i] > f->value_bytes)
            f->value_bytes = f->output_bytes[i];
    }
}

void ctn_x_each_release(ctn_execution *x, uint32_t step)
{
    each *f = x->steps[step].each;
    x->context.held_bytes -= f->held_bytes;
    f->held_bytes = 0;
}

void ctn_x_each_close(ctn_execution *x, task *t, bool is_kept)
{
    each *f = x->steps[t->step].each;
    task **at = bucket_of(f, t->item);
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->next = NULL;
    f->open_count--;
    if (is_kept)
        return;
    f->had_write = f->had_write || t->had_write || ctn_x_had_write(&t->work[CTN_ROLE_DO]);
    t->next = f->free;
    f->free = t;
}

/* ---- the end ---- */

bool ctn_x_each_is_full(const judge *j, const work *w)
{
    const each *f = j->x->steps[w->task->step].each;
    return f && f->value_bytes > ctn_x_value_bytes_max(j->rules);
}

/* Is any item's work under way? Those that are only ready can still be dropped. */
static bool any_has_begun(const ctn_execution *x, uint32_t step)
{
    for (uint32_t i = 0; i < x->active_count; i++) {
        const task *t = x->active[i]->task;
        if (t->step == step && t->item >= 0 && t->work[CTN_ROLE_DO].phase != WORK_READY)
            return true;
    }
    return false;
}

bool ctn_x_next_of_each(const judge *j, const work *w, ctn_entry *ret_entry)
{
    const each *f = j->x->steps[w->task->step].each;
    if (ctn_x_each_is_full(j, w)) {
        if (any_has_begun(j->x, w->task->step))
            return false;
        failure_report report = {.failure = CTN_FAILURE_LIMIT, .is_final = true, .is_whole = true, .no_fallback = true};
        report.message = ctn_arena_printf(j->scratch,
                                          "foreach: the values of %lld items have %zu bytes together, at most "
                                          "%zu are allowed",
                                          (long long) f->ended_count, f->value_bytes, ctn_x_value_bytes_max(j->rules));
        *ret_entry = ctn_x_fail(j, w, 0, &report);
        return true;
    }
    if (f->ended_count < f->count)
        return false;
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_int(&b, "items", f->count);
    ctn_json_put_int(&b, "failed", f->failed_count);
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_ATTEMPT_SUCCEEDED, w, 1, &b);
    return true;
}

const ctn_json *ctn_x_each_variables(const ctn_execution *x, uint32_t step, ctn_arena *arena)
{
    const each *f = x->steps[step].each;
    const ctn_plan_step *p = &x->plan->steps[step];
    ctn_json_builder b = ctn_json_object(arena);
    for (uint32_t i = 0; i < p->output_count; i++) {
        ctn_json *list = CTN_NEW(arena, ctn_json);
        *list = (ctn_json){.kind = CTN_JSON_ARRAY, .count = (uint32_t) f->count, .items = f->values[i]};
        ctn_json_put(&b, x->plan->variables[p->outputs[i].slot], list);
    }
    return ctn_json_finish(&b);
}
