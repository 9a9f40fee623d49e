/*
 * execution_value.c -- between the context and the world: arguments rendered out of it, results taken into it.
 *
 * All of it is a function of the state, so a replay renders what the live run rendered: `now` is the time of the
 * entry that made the step ready, never the clock.
 */
#include "core/execution_state.h"

#include "base/plant.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* What a template of a step can see. */
typedef struct step_scope {
    const ctn_execution *x;
    const task *task; /* NULL: about the execution */
    ctn_role role;
    uint32_t call;           /* CTN_PLAN_NONE: about the step, not one of its calls */
    const ctn_json *overlay; /* variables that were taken but not applied yet */
    const ctn_json *input;   /* `input`; NULL: not there */
    const ctn_json *result;  /* `result`; NULL: not there */
    bool has_run;            /* what is rendered comes after the attempt: a document, the set's `result` */
    ctn_arena *arena;
} step_scope;

static const ctn_json *root_execution(const ctn_execution *x, ctn_arena *arena)
{
    char started_at[25];
    ctn_time_format(x->started_at_ms, started_at);
    ctn_id_text id = ctn_id_to_text(x->id);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "id", ctn_str_from(id.text));
    ctn_json_put_str(&b, "chain", x->plan->chain_id);
    ctn_json_put_str(&b, "startedAt", ctn_str_from(started_at));
    return ctn_json_finish(&b);
}

/* What an attempt sends is rendered once and sent again by every retry, so to it the attempt is always the first. */
static const ctn_json *root_step(const step_scope *s)
{
    const work *w = ctn_x_work(s->task, s->role);
    ctn_json_builder b = ctn_json_object(s->arena);
    ctn_json_put_str(&b, "name", ctn_x_plan_step(s->x, s->task)->name);
    ctn_json_put_int(&b, "attempt", s->has_run && w->attempt ? w->attempt : 1);
    ctn_json_put_str(&b, "key", ctn_x_key(s->x, s->task, s->role, s->call == CTN_PLAN_NONE ? 0 : s->call, s->arena));
    return ctn_json_finish(&b);
}

/* Results of the set's earlier calls, by name: only in turn, and only calls that come before. */
static const ctn_json *earlier_call(const step_scope *s, ctn_str name)
{
    if (s->call == CTN_PLAN_NONE)
        return NULL;
    const work *w = ctn_x_work(s->task, s->role);
    if (!w->set || !w->set->is_several || ctn_x_plan_step(s->x, s->task)->parallel_calls)
        return NULL;
    for (uint32_t i = 0; i < s->call; i++)
        if (ctn_str_equal(w->set->calls[i].name, name))
            return w->calls[i].result;
    return NULL;
}

/* `now`: when the step became ready; of an undo, when stopping began. */
static int64_t scope_now_ms(const step_scope *s)
{
    if (!s->task)
        return s->x->started_at_ms;
    return s->role == CTN_ROLE_UNDO ? s->x->stop_at_ms : ctn_x_work(s->task, s->role)->ready_at_ms;
}

/* Of an item's work: the item, under its two names, and what it produced, which no variable of the chain holds. */
static const ctn_json *item_value(const step_scope *s, ctn_str name)
{
    const ctn_str as = ctn_x_plan_step(s->x, s->task)->foreach->as;
    if (ctn_str_is(name, "item") || (as.len && ctn_str_equal(name, as)))
        return s->task->value;
    return s->role == CTN_ROLE_UNDO ? ctn_json_get(s->task->variables, name) : NULL;
}

static const ctn_json *scope_lookup(void *ctx, ctn_str name)
{
    const step_scope *s = ctx;
    const ctn_execution *x = s->x;
    const ctn_json *v = earlier_call(s, name);
    if (!v)
        v = ctn_json_get(s->overlay, name);
    if (!v && s->task && s->task->value)
        v = item_value(s, name);
    if (!v) {
        uint32_t slot = ctn_plan_slot(x->plan, name);
        v = slot != CTN_PLAN_NONE ? x->variables[slot] : ctn_json_get(x->input, name);
    }
    if (v || !ctn_is_reserved_root(name))
        return v;
    if (ctn_str_is(name, "input"))
        return s->input;
    if (ctn_str_is(name, "result"))
        return s->result;
    if (ctn_str_is(name, "execution"))
        return root_execution(x, s->arena);
    if (!s->task)
        return NULL;
    if (ctn_str_is(name, "step"))
        return root_step(s);
    if (ctn_str_is(name, "now")) {
        char text[25];
        ctn_time_format(scope_now_ms(s), text);
        return ctn_json_string(s->arena, ctn_str_from(text));
    }
    return NULL;
}

static size_t scope_names(void *ctx, ctn_str *ret_names, size_t max)
{
    const step_scope *s = ctx;
    size_t n = 0;
    for (uint32_t i = 0; i < s->x->plan->variable_count && n < max; i++)
        if (s->x->variables[i])
            ret_names[n++] = s->x->plan->variables[i];
    return n;
}

static ctn_scope scope_of(step_scope *s)
{
    int64_t now_ms = scope_now_ms(s);
    return (ctn_scope){.lookup = scope_lookup, .ctx = s, .names = scope_names, .now_ms = now_ms};
}

ctn_str ctn_x_key(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, ctn_arena *arena)
{
    const work *w = ctn_x_work(t, role);
    bool is_item = t->item >= 0 && !CTN_PLANT(ITEMS_SHARE_A_KEY), is_again = CTN_PLANT(KEY_CHANGES) && w->attempt > 1;
    char item[24], fallback[24];
    const ctn_str parts[] = {
        /* made for each call: no printf here */
        {x->id_text.text, CTN_ID_TEXT_LEN},
        CTN_STR("/"),
        ctn_x_plan_step(x, t)->name,
        {item, is_item ? (size_t) snprintf(item, sizeof item, "[%" PRId64 "]", t->item) : 0},
        w->set && w->set->is_several ? CTN_STR("/") : CTN_STR(""),
        w->set && w->set->is_several ? w->set->calls[call].name : CTN_STR(""),
        is_again ? CTN_STR("/again") : CTN_STR(""),
        role == CTN_ROLE_UNDO ? CTN_STR("/undo")
        : w->fallback         ? CTN_STR("/fallback")
                              : CTN_STR("/do"),
        {fallback,
         role == CTN_ROLE_DO && w->fallback ? (size_t) snprintf(fallback, sizeof fallback, "%u", w->fallback) : 0},
    };
    return ctn_arena_join(arena, parts, sizeof parts / sizeof parts[0]);
}

ctn_failure ctn_x_condition(const ctn_execution *x, const task *t, ctn_arena *scratch, ctn_verdict *ret_verdict,
                            ctn_err *err)
{
    step_scope s = {.x = x, .task = t, .call = CTN_PLAN_NONE, .arena = scratch};
    ctn_scope scope = scope_of(&s);
    return ctn_expression_condition(ctn_x_plan_step(x, t)->condition, &scope, scratch, ret_verdict, err);
}

/* What the undo of a task sees as {input} when no rollbackTemplate says otherwise: its outputs; and when nobody
 * knows whether it happened, that. */
static const ctn_json *default_undo_input(const ctn_execution *x, const task *t, ctn_arena *arena)
{
    if (!t->undo_outcome_unknown)
        return t->variables ? t->variables : &ctn_json_null;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "outcome", CTN_STR("unknown"));
    ctn_json_put_str(&b, "key", ctn_x_key(x, t, CTN_ROLE_DO, 0, arena));
    return ctn_json_finish(&b);
}

/* The text that makes {input}: the fallback's own, else the step's; NULL when nothing reads it. */
static const ctn_template *input_template(const ctn_execution *x, const task *t)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    if (!w->set || !w->set->reads_input)
        return NULL;
    const ctn_template *own = w->fallback ? p->fallbacks[w->fallback - 1].input : NULL;
    return own ? own : p->input;
}

static ctn_failure render_input(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                                ctn_arena *arena, const ctn_json **ret_input, ctn_err *err)
{
    const ctn_template *template = role == CTN_ROLE_DO ? input_template(x, t) : ctn_x_plan_step(x, t)->undo_input;
    if (!template) {
        *ret_input = role == CTN_ROLE_UNDO ? default_undo_input(x, t, arena) : NULL;
        return CTN_FAILURE_NONE;
    }
    step_scope s = {.x = x,
                    .task = t,
                    .role = role,
                    .call = CTN_PLAN_NONE,
                    .arena = arena,
                    .result = role == CTN_ROLE_UNDO ? default_undo_input(x, t, arena) : NULL};
    ctn_scope scope = scope_of(&s);
    ctn_failure failure = ctn_template_render(template, &scope, arena, ctn_x_value_bytes_max(rules), ret_input, err);
    if (failure == CTN_FAILURE_UNDEFINED_VARIABLE && role == CTN_ROLE_UNDO && t->undo_outcome_unknown) {
        *ret_input = s.result; /* what the template names was never told: the undo hears that instead */
        return CTN_FAILURE_NONE;
    }
    return failure;
}

static ctn_failure render_arguments(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                                    uint32_t call, const ctn_tree *arguments, ctn_str target, ctn_arena *arena,
                                    const ctn_json **ret_args, ctn_err *err)
{
    const ctn_json *input = NULL;
    ctn_failure failure = render_input(x, rules, t, role, arena, &input, err);
    if (failure) {
        ctn_wrap(err, err->code, role == CTN_ROLE_DO ? "inputTemplate" : "rollbackTemplate");
        return failure;
    }
    step_scope s = {.x = x,
                    .task = t,
                    .role = role,
                    .call = call,
                    .input = input,
                    .arena = arena,
                    .result = role == CTN_ROLE_UNDO ? default_undo_input(x, t, arena) : NULL};
    ctn_scope scope = scope_of(&s);
    failure = ctn_tree_render(arguments, &scope, arena, 4 * ctn_x_value_bytes_max(rules), ret_args, err);
    if (failure)
        ctn_wrap(err, err->code, "arguments of %.*s", CTN_STR_ARG(target));
    return failure;
}

ctn_failure ctn_x_render_args(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                              uint32_t call, bool is_check, ctn_arena *arena, const ctn_json **ret_args, ctn_err *err)
{
    const work *w = ctn_x_work(t, role);
    const ctn_plan_call *c = is_check ? w->set->check : &w->set->calls[call];
    return render_arguments(x, rules, t, role, call, c->arguments, c->target, arena, ret_args, err);
}

ctn_failure ctn_x_render_input(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_arena *arena,
                               const ctn_json **ret_input, ctn_err *err)
{
    const ctn_plan_set *set = ctn_x_work(t, CTN_ROLE_DO)->set;
    return render_arguments(x, rules, t, CTN_ROLE_DO, CTN_PLAN_NONE, set->arguments, set->name, arena, ret_input, err);
}

ctn_failure ctn_x_render_template(const ctn_execution *x, size_t bytes_max, const task *t, const ctn_template *template,
                                  ctn_arena *arena, const ctn_json **ret_value, ctn_err *err)
{
    step_scope s = {.x = x, .task = t, .call = CTN_PLAN_NONE, .arena = arena};
    ctn_scope scope = scope_of(&s);
    return ctn_template_render(template, &scope, arena, bytes_max, ret_value, err);
}

ctn_failure ctn_x_render_set_text(const ctn_execution *x, const ctn_rules *rules, const task *t,
                                  const ctn_template *template, ctn_arena *arena, const ctn_json **ret_value,
                                  ctn_err *err)
{
    const ctn_json *input = NULL;
    ctn_failure failure = render_input(x, rules, t, CTN_ROLE_DO, arena, &input, err);
    if (failure) {
        ctn_wrap(err, err->code, "inputTemplate");
        return failure;
    }
    step_scope s = {.x = x, .task = t, .call = CTN_PLAN_NONE, .input = input, .arena = arena};
    ctn_scope scope = scope_of(&s);
    return ctn_template_render(template, &scope, arena, ctn_x_value_bytes_max(rules), ret_value, err);
}

ctn_failure ctn_x_render_tree(const ctn_execution *x, size_t bytes_max, const task *t, const ctn_tree *tree,
                              ctn_arena *arena, const ctn_json **ret_value, ctn_err *err)
{
    step_scope s = {.x = x, .task = t, .call = CTN_PLAN_NONE, .arena = arena};
    ctn_scope scope = scope_of(&s);
    return ctn_tree_render(tree, &scope, arena, bytes_max, ret_value, err);
}

/* ---- taking a result ---- */

/* What the set as a whole gave: the one call's result, or an object of the calls' results and the set's own
 * extra members. */
static ctn_failure combine(const ctn_execution *x, const ctn_rules *rules, const task *t, uint32_t last_call,
                           const ctn_json *last_result, ctn_arena *arena, const ctn_json **ret_result, ctn_err *err)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    *ret_result = last_result;
    if (!w->set || !w->set->is_several)
        return CTN_FAILURE_NONE;
    ctn_json_builder b = ctn_json_object(arena);
    for (uint32_t i = 0; i < w->set->call_count; i++)
        ctn_json_put(&b, w->set->calls[i].name, i == last_call ? last_result : w->calls[i].result);
    const ctn_json *calls = ctn_json_finish(&b);
    *ret_result = calls;
    if (!w->set->result)
        return CTN_FAILURE_NONE;
    step_scope s = {.x = x, .task = t, .call = CTN_PLAN_NONE, .overlay = calls, .has_run = true, .arena = arena};
    ctn_scope scope = scope_of(&s);
    const ctn_json *extra = NULL;
    ctn_failure failure = ctn_tree_render(w->set->result, &scope, arena, ctn_x_value_bytes_max(rules), &extra, err);
    if (failure) {
        ctn_wrap(err, err->code, "result of set %.*s", CTN_STR_ARG(w->set->name));
        return failure;
    }
    ctn_json_builder all = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(calls); i++)
        ctn_json_put(&all, ctn_json_text(&calls->members[i].key), &calls->members[i].value);
    for (size_t i = 0; ctn_json_is(extra, CTN_JSON_OBJECT) && i < ctn_json_count(extra); i++)
        ctn_json_put(&all, ctn_json_text(&extra->members[i].key), &extra->members[i].value);
    *ret_result = ctn_json_finish(&all);
    return CTN_FAILURE_NONE;
}

/* "it has a, b, c" for missing_output. */
static ctn_str list_members(ctn_arena *arena, const ctn_json *result)
{
    if (!ctn_json_is(result, CTN_JSON_OBJECT))
        return ctn_arena_printf(arena, "the result is of kind %s", ctn_json_kind_name(result));
    ctn_buf names;
    ctn_buf_init(&names, 300);
    for (size_t i = 0; i < ctn_json_count(result); i++)
        ctn_buf_printf(&names, "%s%.*s", i ? ", " : "", CTN_STR_ARG(ctn_json_text(&result->members[i].key)));
    ctn_str list = ctn_json_count(result) == 0
                       ? ctn_arena_printf(arena, "the result has no members")
                       : ctn_arena_printf(arena, "the result has %.*s%s", CTN_STR_ARG(ctn_buf_str(&names)),
                                          names.overflowed ? ", ..." : "");
    ctn_buf_done(&names);
    return list;
}

static ctn_failure render_document(const ctn_execution *x, const ctn_rules *rules, const task *t,
                                   const ctn_json *variables, const ctn_json *result, ctn_arena *arena,
                                   const ctn_json **ret_text, ctn_err *err)
{
    step_scope s = {.x = x,
                    .task = t,
                    .call = CTN_PLAN_NONE,
                    .overlay = variables,
                    .result = result,
                    .has_run = true,
                    .arena = arena};
    ctn_scope scope = scope_of(&s);
    ctn_buf out;
    ctn_buf_init(&out, ctn_x_value_bytes_max(rules));
    ctn_failure failure = ctn_mustache_render(ctn_x_plan_step(x, t)->document, &scope, &out, err);
    if (failure == CTN_FAILURE_NONE && out.overflowed) {
        ctn_fail(err, CTN_E_LIMIT, "the document is larger than %zu bytes", out.limit_bytes);
        failure = CTN_FAILURE_LIMIT;
    }
    if (failure == CTN_FAILURE_NONE)
        *ret_text = ctn_json_string(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return failure;
}

ctn_failure ctn_x_take(const ctn_execution *x, const ctn_rules *rules, const task *t, uint32_t last_call,
                       const ctn_json *last_result, ctn_arena *arena, const ctn_json **ret_variables, ctn_err *err)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const ctn_json *result = NULL;
    ctn_failure failure = combine(x, rules, t, last_call, last_result, arena, &result, err);
    if (failure)
        return failure;
    if (p->output_schema && ctn_schema_validate(p->output_schema, result, arena, err)) {
        ctn_wrap(err, CTN_E_INVALID, "the result does not fit the step's outputSchema");
        return CTN_FAILURE_INVALID_OUTPUT;
    }

    ctn_json_builder b = ctn_json_object(arena);
    uint32_t document_slot = p->document ? p->document_slot : CTN_PLAN_NONE;
    uint32_t first_lacking = CTN_PLAN_NONE;
    size_t added = 0, removed = ctn_x_held_by(ctn_x_work(t, CTN_ROLE_DO)); /* of the step's calls, until it is done */
    uint32_t taken_count = p->output_count;                                /* variables that the result must give */
    for (uint32_t i = 0; i < p->output_count; i++)
        if (p->document && p->outputs[i].slot == p->document_slot)
            taken_count--;
    for (uint32_t i = 0; i < p->output_count; i++) {
        const ctn_plan_output *o = &p->outputs[i];
        ctn_str name = x->plan->variables[o->slot];
        const ctn_json *v = o->path ? ctn_path_resolve_in(o->path, result) : ctn_json_get(result, name);
        if (!v && p->document &&
            (o->slot == document_slot || (document_slot == CTN_PLAN_NONE && first_lacking == CTN_PLAN_NONE))) {
            first_lacking = o->slot;
            continue;
        }
        if (!v && taken_count == 1 && !o->path)
            v = result;
        if (!v) {
            ctn_str has = list_members(arena, result);
            ctn_fail(err, CTN_E_INVALID, "the result has no %.*s; %.*s", CTN_STR_ARG(o->path ? o->path->text : name),
                     CTN_STR_ARG(has));
            return CTN_FAILURE_MISSING_OUTPUT;
        }
        size_t bytes = ctn_json_bytes(v);
        if (bytes > ctn_x_value_bytes_max(rules)) {
            ctn_fail(err, CTN_E_LIMIT, "%.*s has %zu bytes, at most %zu are allowed (limits: valueBytes)",
                     CTN_STR_ARG(name), bytes, ctn_x_value_bytes_max(rules));
            return CTN_FAILURE_LIMIT;
        }
        added += bytes;
        removed += t->item < 0 ? x->variable_bytes[o->slot] : 0;
        ctn_json_put(&b, name, v);
    }
    *ret_variables = ctn_json_finish(&b);
    if (document_slot == CTN_PLAN_NONE)
        document_slot = first_lacking;
    if (!p->document || document_slot == CTN_PLAN_NONE)
        return ctn_x_check_context(x, rules, added, removed, err);

    const ctn_json *text = NULL;
    failure = render_document(x, rules, t, *ret_variables, result, arena, &text, err);
    if (failure)
        return failure;
    ctn_json_builder with = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(*ret_variables); i++)
        ctn_json_put(&with, ctn_json_text(&(*ret_variables)->members[i].key), &(*ret_variables)->members[i].value);
    ctn_json_put(&with, x->plan->variables[document_slot], text);
    *ret_variables = ctn_json_finish(&with);
    removed += t->item < 0 ? x->variable_bytes[document_slot] : 0;
    return ctn_x_check_context(x, rules, added + ctn_json_bytes(text), removed, err);
}

ctn_failure ctn_x_outputs(const ctn_execution *x, ctn_arena *arena, int64_t now_ms, const ctn_json **ret_outputs,
                          ctn_err *err)
{
    step_scope s = {.x = x, .call = CTN_PLAN_NONE, .arena = arena};
    ctn_scope scope = scope_of(&s);
    scope.now_ms = now_ms;
    ctn_json_builder b = ctn_json_object(arena);
    for (uint32_t i = 0; i < x->plan->result_count; i++) {
        const ctn_plan_result *r = &x->plan->results[i];
        const ctn_json *v = NULL;
        if (r->expression) {
            ctn_verdict verdict = CTN_VERDICT_NONE;
            ctn_failure failure = ctn_expression_eval(r->expression, &scope, arena, &v, &verdict, err);
            if (failure) {
                ctn_wrap(err, err->code, "outputs: %.*s", CTN_STR_ARG(r->name));
                return failure;
            }
        } else if (r->slot != CTN_PLAN_NONE) {
            v = x->variables[r->slot];
        }
        ctn_json_put(&b, r->name, v);
    }
    *ret_outputs = ctn_json_finish(&b);
    return CTN_FAILURE_NONE;
}
