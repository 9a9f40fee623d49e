/*
 * execution_value.c -- between the context and the world: arguments rendered out of it, results taken into it.
 *
 * All of it is a function of the state, so a replay renders what the live run rendered: `now` is the time of the
 * entry that made the step ready, never the clock.
 */
#include "core/execution_judge.h"
#include "value/secret.h"

/* What a template of a step can see. */
typedef struct step_scope {
    const ctn_execution *x;
    const work *work;        /* NULL: about the execution */
    uint32_t call;           /* CTN_PLAN_NONE: about the step, not one of its calls */
    const ctn_json *overlay; /* variables that were taken but not applied yet */
    const ctn_json *input;   /* `input`; NULL: not there */
    const ctn_json *result;  /* `result`; NULL: not there */
    bool has_run;            /* what is rendered comes after the attempt: a document, the set's `result` */
    bool has_secrets;        /* `secret` is there: what is sent by a set that names one */
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
    const work *w = s->work;
    ctn_json_builder b = ctn_json_object(s->arena);
    ctn_json_put_str(&b, "name", w->task->plan->name);
    ctn_json_put_int(&b, "attempt", s->has_run && w->attempt ? w->attempt : 1);
    ctn_json_put_str(&b, "key", ctn_x_key(s->x, w, s->call == CTN_PLAN_NONE ? 0 : s->call, s->arena));
    return ctn_json_finish(&b);
}

/* Results of the set's earlier calls, by name: only in turn, and only calls that come before. */
static const ctn_json *earlier_call(const step_scope *s, ctn_str name)
{
    if (s->call == CTN_PLAN_NONE)
        return NULL;
    const work *w = s->work;
    if (!w->set || !w->set->is_several || w->task->plan->parallel_calls)
        return NULL;
    for (uint32_t i = 0; i < s->call; i++)
        if (ctn_str_equal(w->set->calls[i].name, name))
            return w->calls[i].result;
    return NULL;
}

/* `now`: when the step became ready; of an undo, when stopping began. */
static int64_t scope_now_ms(const step_scope *s)
{
    if (!s->work)
        return s->x->started_at_ms;
    return s->work->role == CTN_ROLE_UNDO ? s->x->stop.at_ms : s->work->ready_at_ms;
}

/* Of an item's work: the item, under its two names, and what it produced, which no variable of the chain holds. */
static const ctn_json *item_value(const step_scope *s, ctn_str name)
{
    const task *t = s->work->task;
    const ctn_str as = t->plan->foreach->as;
    if (ctn_str_is(name, "item") || (as.len && ctn_str_equal(name, as)))
        return t->value;
    return s->work->role == CTN_ROLE_UNDO ? ctn_json_get(t->variables, name) : NULL;
}

static const ctn_json *lookup_value(const step_scope *s, ctn_str name)
{
    const ctn_execution *x = s->x;
    const ctn_json *v = earlier_call(s, name);
    if (!v)
        v = ctn_json_get(s->overlay, name);
    if (!v && s->work && s->work->task->value)
        v = item_value(s, name);
    if (!v) {
        uint32_t slot = ctn_plan_slot(x->plan, name);
        v = slot != CTN_PLAN_NONE ? x->context.slots[slot].value : ctn_json_get(x->context.input, name);
    }
    return v;
}

static const ctn_json *scope_lookup(void *ctx, ctn_str name)
{
    const step_scope *s = ctx;
    const ctn_execution *x = s->x;
    const ctn_json *v = lookup_value(s, name);
    if (v && s->has_secrets) /* whatever it says, it names no secret */
        return ctn_secret_disarm(s->arena, v);
    if (v || !ctn_is_reserved_root(name))
        return v;
    if (ctn_str_is(name, "input"))
        return s->input;
    if (ctn_str_is(name, "secret"))
        return s->has_secrets ? x->plan->secrets : NULL;
    if (ctn_str_is(name, "result"))
        return s->result;
    if (ctn_str_is(name, "execution"))
        return root_execution(x, s->arena);
    if (!s->work)
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
        if (s->x->context.slots[i].value)
            ret_names[n++] = s->x->plan->variables[i];
    return n;
}

static ctn_scope scope_of(step_scope *s)
{
    int64_t now_ms = scope_now_ms(s);
    return (ctn_scope){.lookup = scope_lookup, .ctx = s, .names = scope_names, .now_ms = now_ms};
}

/* What the undo of a task sees as {input} when no rollbackTemplate says otherwise, and as {result}: its outputs; and
 * when nobody knows whether it happened, that. */
static const ctn_json *default_undo_input(const ctn_execution *x, const task *t, ctn_arena *arena)
{
    if (!t->undo_outcome_unknown)
        return t->variables ? t->variables : &ctn_json_null;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "outcome", CTN_STR("unknown"));
    ctn_json_put_str(&b, "key", ctn_x_key(x, &t->work[CTN_ROLE_DO], 0, arena));
    return ctn_json_finish(&b);
}

/* What a text of the step sees, before the attempt and about none of its calls; whoever knows more adds it. */
static step_scope scope_of_work(const ctn_execution *x, const work *w, ctn_arena *arena)
{
    bool is_undo = w && w->role == CTN_ROLE_UNDO;
    return (step_scope){.x = x,
                        .work = w,
                        .call = CTN_PLAN_NONE,
                        .result = is_undo ? default_undo_input(x, w->task, arena) : NULL,
                        .arena = arena};
}

/* ---- rendering ---- */

ctn_failure ctn_x_condition(const judge *j, const work *w, ctn_verdict *ret_verdict, ctn_err *err)
{
    step_scope s = scope_of_work(j->x, w, j->scratch);
    ctn_scope scope = scope_of(&s);
    return ctn_expression_condition(w->task->plan->condition, &scope, j->scratch, ret_verdict, err);
}

ctn_failure ctn_x_render_template(const ctn_execution *x, const work *w, const ctn_template *template, size_t bytes_max,
                                  ctn_arena *arena, const ctn_json **ret_value, ctn_err *err)
{
    step_scope s = scope_of_work(x, w, arena);
    ctn_scope scope = scope_of(&s);
    return ctn_template_render(template, &scope, arena, bytes_max, ret_value, err);
}

ctn_failure ctn_x_render_tree(const judge *j, const work *w, const ctn_tree *tree, const ctn_json **ret_value,
                              ctn_err *err)
{
    step_scope s = scope_of_work(j->x, w, j->scratch);
    ctn_scope scope = scope_of(&s);
    return ctn_tree_render(tree, &scope, j->scratch, ctn_x_value_bytes_max(j->rules), ret_value, err);
}

/* The text that makes {input}: the fallback's own, else the step's; NULL when nothing reads it. */
static const ctn_template *input_template(const work *w)
{
    const ctn_plan_step *p = w->task->plan;
    if (w->role == CTN_ROLE_UNDO)
        return p->undo_input;
    if (!w->set || !w->set->reads_input)
        return NULL;
    const ctn_template *own = w->fallback ? p->fallbacks[w->fallback - 1].input : NULL;
    return own ? own : p->input;
}

/* What the set that works sees as {input}, into its scope. */
static ctn_failure render_input(const judge *j, step_scope *s, ctn_err *err)
{
    const work *w = s->work;
    const ctn_template *template = input_template(w);
    if (s->has_secrets && s->result)
        s->result = ctn_secret_disarm(s->arena, s->result);
    if (!template) {
        s->input = s->result;
        return CTN_FAILURE_NONE;
    }
    ctn_scope scope = scope_of(s);
    ctn_failure failure =
        ctn_template_render(template, &scope, j->scratch, ctn_x_value_bytes_max(j->rules), &s->input, err);
    if (failure == CTN_FAILURE_UNDEFINED_VARIABLE && w->role == CTN_ROLE_UNDO && w->task->undo_outcome_unknown) {
        s->input = s->result; /* what the template names was never told: the undo hears that instead */
        return CTN_FAILURE_NONE;
    }
    if (failure)
        ctn_wrap(err, err->code, w->role == CTN_ROLE_DO ? "inputTemplate" : "rollbackTemplate");
    return failure;
}

ctn_failure ctn_x_render_set_text(const judge *j, const work *w, const ctn_template *template,
                                  const ctn_json **ret_value, ctn_err *err)
{
    step_scope s = scope_of_work(j->x, w, j->scratch);
    ctn_failure failure = render_input(j, &s, err);
    if (failure)
        return failure;
    ctn_scope scope = scope_of(&s);
    return ctn_template_render(template, &scope, j->scratch, ctn_x_value_bytes_max(j->rules), ret_value, err);
}

static ctn_failure render_arguments(const judge *j, const work *w, uint32_t call, const ctn_tree *arguments,
                                    ctn_str target, const ctn_json **ret_args, ctn_err *err)
{
    step_scope s = scope_of_work(j->x, w, j->scratch);
    s.has_secrets = w->set->kind == CTN_SET_CALLS && ctn_plan_names_secrets(w->task->plan, w->set);
    ctn_failure failure = render_input(j, &s, err);
    if (failure)
        return failure;
    s.call = call;
    ctn_scope scope = scope_of(&s);
    failure = ctn_tree_render(arguments, &scope, j->scratch, 4 * ctn_x_value_bytes_max(j->rules), ret_args, err);
    if (failure)
        ctn_wrap(err, err->code, "arguments of %.*s", CTN_STR_ARG(target));
    return failure;
}

ctn_failure ctn_x_render_args(const judge *j, const work *w, uint32_t call, const ctn_json **ret_args, ctn_err *err)
{
    const ctn_plan_call *c = &w->set->calls[call];
    return render_arguments(j, w, call, c->arguments, c->target, ret_args, err);
}

ctn_failure ctn_x_render_check(const judge *j, const work *w, uint32_t call, const ctn_json **ret_args, ctn_err *err)
{
    const ctn_plan_call *check = w->set->check;
    return render_arguments(j, w, call, check->arguments, check->target, ret_args, err);
}

ctn_failure ctn_x_render_input(const judge *j, const work *w, const ctn_json **ret_input, ctn_err *err)
{
    return render_arguments(j, w, CTN_PLAN_NONE, w->set->arguments, w->set->name, ret_input, err);
}

/* ---- taking a result ---- */

/* What the set as a whole gave: the one call's result, or an object of the calls' results and the set's own
 * extra members. */
static ctn_failure combine(const judge *j, const work *w, uint32_t last_call, const ctn_json *last_result,
                           const ctn_json **ret_result, ctn_err *err)
{
    *ret_result = last_result;
    if (!w->set || !w->set->is_several)
        return CTN_FAILURE_NONE;
    ctn_json_builder b = ctn_json_object(j->scratch);
    for (uint32_t i = 0; i < w->set->call_count; i++)
        ctn_json_put(&b, w->set->calls[i].name, i == last_call ? last_result : w->calls[i].result);
    const ctn_json *calls = ctn_json_finish(&b);
    *ret_result = calls;
    if (!w->set->result)
        return CTN_FAILURE_NONE;
    step_scope s = scope_of_work(j->x, w, j->scratch);
    s.overlay = calls;
    s.has_run = true;
    ctn_scope scope = scope_of(&s);
    const ctn_json *extra = NULL;
    ctn_failure failure =
        ctn_tree_render(w->set->result, &scope, j->scratch, ctn_x_value_bytes_max(j->rules), &extra, err);
    if (failure) {
        ctn_wrap(err, err->code, "result of set %.*s", CTN_STR_ARG(w->set->name));
        return failure;
    }
    ctn_json_builder all = ctn_json_object(j->scratch);
    ctn_json_put_all(&all, calls);
    ctn_json_put_all(&all, extra);
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

static ctn_failure render_document(const judge *j, const work *w, const ctn_json *variables, const ctn_json *result,
                                   const ctn_json **ret_text, ctn_err *err)
{
    step_scope s = scope_of_work(j->x, w, j->scratch);
    s.overlay = variables;
    s.result = result;
    s.has_run = true;
    ctn_scope scope = scope_of(&s);
    ctn_buf out;
    ctn_buf_init(&out, ctn_x_value_bytes_max(j->rules));
    ctn_failure failure = ctn_mustache_render(w->task->plan->document, &scope, &out, err);
    if (failure == CTN_FAILURE_NONE && out.overflowed) {
        ctn_fail(err, CTN_E_LIMIT, "the document is larger than %zu bytes", out.limit_bytes);
        failure = CTN_FAILURE_LIMIT;
    }
    if (failure == CTN_FAILURE_NONE)
        *ret_text = ctn_json_string(j->scratch, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return failure;
}

ctn_failure ctn_x_take(const judge *j, const work *w, uint32_t last_call, const ctn_json *last_result,
                       const ctn_json **ret_variables, ctn_err *err)
{
    const ctn_execution *x = j->x;
    const ctn_plan_step *p = w->task->plan;
    size_t value_bytes_max = ctn_x_value_bytes_max(j->rules);
    const ctn_json *result = NULL;
    ctn_failure failure = combine(j, w, last_call, last_result, &result, err);
    if (failure)
        return failure;
    if (p->output_schema && ctn_schema_validate(p->output_schema, result, j->scratch, err)) {
        ctn_wrap(err, CTN_E_INVALID, "the result does not fit the step's outputSchema");
        return CTN_FAILURE_INVALID_OUTPUT;
    }

    ctn_json_builder b = ctn_json_object(j->scratch);
    uint32_t document_slot = p->document ? p->document_slot : CTN_PLAN_NONE;
    uint32_t first_lacking = CTN_PLAN_NONE;
    size_t added = 0, removed = ctn_x_held_by(w); /* of the step's calls, until it is done */
    uint32_t taken_count = p->output_count;       /* variables that the result must give */
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
            ctn_str has = list_members(j->scratch, result);
            ctn_fail(err, CTN_E_INVALID, "the result has no %.*s; %.*s", CTN_STR_ARG(o->path ? o->path->text : name),
                     CTN_STR_ARG(has));
            return CTN_FAILURE_MISSING_OUTPUT;
        }
        size_t bytes = ctn_json_bytes(v);
        if (bytes > value_bytes_max) {
            ctn_fail(err, CTN_E_LIMIT, "%.*s has %zu bytes, at most %zu are allowed (limits: valueBytes)",
                     CTN_STR_ARG(name), bytes, value_bytes_max);
            return CTN_FAILURE_LIMIT;
        }
        added += bytes;
        removed += w->task->item < 0 ? x->context.slots[o->slot].bytes : 0;
        ctn_json_put(&b, name, v);
    }
    *ret_variables = ctn_json_finish(&b);
    if (document_slot == CTN_PLAN_NONE)
        document_slot = first_lacking;
    if (!p->document || document_slot == CTN_PLAN_NONE)
        return ctn_x_check_context(j, added, removed, err);

    const ctn_json *text = NULL;
    failure = render_document(j, w, *ret_variables, result, &text, err);
    if (failure)
        return failure;
    ctn_json_builder with = ctn_json_object(j->scratch);
    ctn_json_put_all(&with, *ret_variables);
    ctn_json_put(&with, x->plan->variables[document_slot], text);
    *ret_variables = ctn_json_finish(&with);
    removed += w->task->item < 0 ? x->context.slots[document_slot].bytes : 0;
    return ctn_x_check_context(j, added + ctn_json_bytes(text), removed, err);
}

ctn_failure ctn_x_outputs(const judge *j, const ctn_json **ret_outputs, ctn_err *err)
{
    const ctn_execution *x = j->x;
    step_scope s = scope_of_work(x, NULL, j->scratch);
    ctn_scope scope = scope_of(&s);
    scope.now_ms = j->now_ms;
    ctn_json_builder b = ctn_json_object(j->scratch);
    for (uint32_t i = 0; i < x->plan->result_count; i++) {
        const ctn_plan_result *r = &x->plan->results[i];
        const ctn_json *v = NULL;
        if (r->expression) {
            ctn_verdict verdict = CTN_VERDICT_NONE;
            ctn_failure failure = ctn_expression_eval(r->expression, &scope, j->scratch, &v, &verdict, err);
            if (failure) {
                ctn_wrap(err, err->code, "outputs: %.*s", CTN_STR_ARG(r->name));
                return failure;
            }
        } else if (r->slot != CTN_PLAN_NONE) {
            v = x->context.slots[r->slot].value;
        }
        ctn_json_put(&b, r->name, v);
    }
    *ret_outputs = ctn_json_finish(&b);
    return CTN_FAILURE_NONE;
}
