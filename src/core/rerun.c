/*
 * rerun.c -- see rerun.h.
 *
 * Two walks in the order of the chain. The first follows the old execution: for each read of each step, which step had
 * set the variable by then. The second follows the new one and decides step by step: a step whose reads would see the
 * same (no changed input, no step that is done again, the same writer as before) and that is the same itself is
 * reused, and what it sets is what it was. The order of unordered steps does not matter: that one of two writes what
 * the other reads or writes is refused at check.
 */
#include "core/rerun.h"
#include "base/text.h"
#include "chain/keys.h"

#define NAMES_SHOWN_MAX 8

/* Who set a variable last, on the way through the chain. */
typedef struct origin {
    bool is_changed; /* by somebody who is done again, or a changed input */
    ctn_str step;    /* empty: nobody, or the start */
} origin;

typedef struct walk {
    ctn_arena *arena;
    const ctn_rerun_options *o;
    const ctn_plan *old_plan;
    ctn_graph *old_graph, *graph;
    ctn_step_record *records; /* by old step */
    origin **old_reads;       /* by old step, then by its reads */
    bool is_same_definition;
    bool *is_reused; /* by new step */
} walk;

/* ---- definitions ---- */

static bool same_digest(const ctn_digest *a, const ctn_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool same_definitions(const ctn_plan *a, const ctn_plan *b)
{
    if (a->definition_count != b->definition_count)
        return false;
    for (uint32_t i = 0; i < a->definition_count; i++)
        if (!same_digest(&a->definitions[i].digest, &b->definitions[i].digest))
            return false;
    return true;
}

static const ctn_plan_definition *definition(const ctn_plan *plan, const char *kind, ctn_str name)
{
    for (uint32_t i = 0; i < plan->definition_count; i++)
        if (ctn_str_is(plan->definitions[i].kind, kind) && ctn_str_equal(plan->definitions[i].name, name))
            return &plan->definitions[i];
    return NULL;
}

static bool same_definition(const walk *w, const char *kind, ctn_str name)
{
    const ctn_plan_definition *a = definition(w->old_plan, kind, name), *b = definition(w->o->plan, kind, name);
    return a && b && same_digest(&a->digest, &b->digest);
}

/* The chain's file, and all that its steps use in turn. */
static bool same_chain(const walk *w, ctn_str id)
{
    ctn_plan *a = NULL, *b = NULL;
    bool is_same = ctn_plan_of_child(w->arena, w->old_plan, id, &a, NULL) == CTN_OK &&
                   ctn_plan_of_child(w->arena, w->o->plan, id, &b, NULL) == CTN_OK && same_definitions(a, b);
    ctn_plan_done(a);
    ctn_plan_done(b);
    return is_same;
}

static bool same_set(const walk *w, const ctn_plan_set *a, const ctn_plan_set *b)
{
    if (!a || !b)
        return a == b;
    return same_digest(&a->digest, &b->digest) && (a->kind != CTN_SET_CHAIN || same_chain(w, a->chain));
}

/* Which partials a document takes in is not looked up: one that takes in any is another when any text is. */
static bool same_document(const walk *w, const ctn_json *template_id)
{
    ctn_str name = ctn_json_text(template_id);
    if (!name.len)
        return true;
    if (!same_definition(w, "template", name))
        return false;
    ctn_str body = definition(w->old_plan, "template", name)->body;
    if (ctn_str_find(body, CTN_STR("{{>")) == SIZE_MAX && ctn_str_find(body, CTN_STR("{{<")) == SIZE_MAX)
        return true;
    for (uint32_t i = 0; i < w->o->plan->definition_count; i++) {
        const ctn_plan_definition *d = &w->o->plan->definitions[i];
        if (ctn_str_is(d->kind, "template") && !same_definition(w, "template", d->name))
            return false;
    }
    return true;
}

static bool same_member(const ctn_json *a, const ctn_json *b, const char *key)
{
    const ctn_json *x = ctn_json_member_of(a, key), *y = ctn_json_member_of(b, key);
    return (x == NULL) == (y == NULL) && (!x || ctn_json_equal(x, y));
}

/* Would it do the same, given the same? */
static bool same_step(const walk *w, uint32_t old_step, uint32_t step)
{
    static const char *const KEYS[] = {"inputTemplate", "outputVariables", "conditionalExecution",
                                       "templateId",    "fallback",        "outputSchema"};
    static const char *const EACH_KEYS[] = {"items", "as"};
    const ctn_json *a = w->old_graph->steps[old_step].step->node, *b = w->graph->steps[step].step->node;
    const ctn_plan_step *p = &w->old_plan->steps[old_step], *q = &w->o->plan->steps[step];
    if (w->is_same_definition)
        return true;
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (!same_member(a, b, KEYS[i]))
            return false;
    const ctn_json *each_a = ctn_json_member_of(a, "foreach"), *each_b = ctn_json_member_of(b, "foreach");
    if ((each_a == NULL) != (each_b == NULL))
        return false;
    for (size_t i = 0; i < sizeof EACH_KEYS / sizeof *EACH_KEYS; i++)
        if (!same_member(each_a, each_b, EACH_KEYS[i]))
            return false;
    if (!same_set(w, p->set, q->set) || !same_document(w, ctn_json_member_of(a, "templateId")))
        return false;
    for (uint32_t i = 0; i < p->fallback_count; i++) /* there are as many: they read the same */
        if (!same_set(w, p->fallbacks[i].set, q->fallbacks[i].set))
            return false;
    return true;
}

/* ---- the old way ---- */

static ctn_str variable_name(const ctn_graph *graph, uint32_t variable)
{
    return graph->variables.items[variable];
}

static void set_all(const ctn_graph *graph, uint32_t step, origin *origins, origin by)
{
    for (uint32_t i = 0; i < graph->steps[step].write_count; i++)
        origins[graph->steps[step].writes[i]] = by;
}

/* The step stands as it ended then: what it set is what it sets. */
static void set_recorded(const ctn_graph *graph, uint32_t step, const ctn_step_record *record, origin *origins)
{
    origin by = {.step = graph->steps[step].step->name};
    if (record->status == CTN_STEP_FAILED)
        set_all(graph, step, origins, by);
    for (size_t i = 0; i < ctn_json_count(record->variables); i++) {
        uint32_t v = ctn_names_find(&graph->variables, ctn_json_text(&record->variables->members[i].key));
        if (v != CTN_NAMES_NONE)
            origins[v] = by;
    }
}

static void walk_old(walk *w)
{
    const ctn_graph *graph = w->old_graph;
    origin *origins = CTN_NEW_ARRAY(w->arena, origin, graph->variables.count);
    w->records = CTN_NEW_ARRAY(w->arena, ctn_step_record, graph->step_count);
    w->old_reads = CTN_NEW_ARRAY(w->arena, origin *, graph->step_count);
    for (uint32_t n = 0; n < graph->step_count; n++) {
        uint32_t i = graph->order[n];
        const ctn_graph_reads *reads = &graph->steps[i].reads;
        w->records[i] = ctn_execution_step_record(w->o->old, i, w->arena);
        w->old_reads[i] = CTN_NEW_ARRAY(w->arena, origin, reads->count);
        for (uint32_t k = 0; k < reads->count; k++)
            w->old_reads[i][k] = origins[reads->items[k].variable];
        if (w->records[i].status == CTN_STEP_PENDING)
            set_all(graph, i, origins, (origin){.step = graph->steps[i].step->name});
        else
            set_recorded(graph, i, &w->records[i], origins);
    }
}

/* ---- the new way ---- */

static bool same_text(ctn_arena *arena, const ctn_json *a, const ctn_json *b)
{
    if (!a || !b)
        return a == b;
    ctn_arena_mark mark = ctn_arena_save(arena);
    bool is_same = ctn_str_equal(ctn_json_to_str(arena, a), ctn_json_to_str(arena, b));
    ctn_arena_restore(arena, mark);
    return is_same;
}

/* What the step reads is what it read then. */
static bool reads_the_same(const walk *w, uint32_t old_step, uint32_t step, const origin *origins)
{
    const ctn_graph_reads *reads = &w->graph->steps[step].reads, *old = &w->old_graph->steps[old_step].reads;
    for (uint32_t k = 0; k < reads->count; k++) {
        uint32_t v = reads->items[k].variable;
        ctn_str name = variable_name(w->graph, v);
        if (origins[v].is_changed)
            return false;
        bool is_known = false;
        for (uint32_t i = 0; i < old->count && !is_known; i++)
            if (ctn_str_equal(variable_name(w->old_graph, old->items[i].variable), name)) {
                is_known = true;
                if (!ctn_str_equal(w->old_reads[old_step][i].step, origins[v].step))
                    return false;
            }
        if (!is_known)
            return false;
    }
    return true;
}

static bool may_reuse(const walk *w, uint32_t old_step, uint32_t step, const origin *origins)
{
    const ctn_step_record *r = &w->records[old_step];
    const ctn_plan_step *p = &w->o->plan->steps[step];
    if (r->status == CTN_STEP_PENDING || (r->status == CTN_STEP_FAILED && !p->continue_on_error))
        return false;
    return !ctn_str_equal(p->name, w->o->from_step) && same_step(w, old_step, step) &&
           reads_the_same(w, old_step, step, origins);
}

static void walk_new(walk *w)
{
    const ctn_graph *graph = w->graph;
    const ctn_json *old_input = ctn_execution_input(w->o->old, w->arena);
    origin *origins = CTN_NEW_ARRAY(w->arena, origin, graph->variables.count);
    w->is_reused = CTN_NEW_ARRAY(w->arena, bool, graph->step_count);
    for (uint32_t v = 0; v < graph->variables.count; v++) {
        ctn_str name = variable_name(graph, v);
        origins[v].is_changed = !same_text(w->arena, ctn_json_get(old_input, name), ctn_json_get(w->o->input, name));
    }
    for (uint32_t n = 0; n < graph->step_count; n++) {
        uint32_t i = graph->order[n];
        uint32_t old_step = ctn_plan_step_index(w->old_plan, graph->steps[i].step->name);
        w->is_reused[i] = old_step != CTN_PLAN_NONE && may_reuse(w, old_step, i, origins);
        if (w->is_reused[i])
            set_recorded(graph, i, &w->records[old_step], origins);
        else
            set_all(graph, i, origins, (origin){.is_changed = true});
    }
}

/* ---- what comes of it ---- */

static bool is_named(const ctn_rerun_options *o, ctn_str step)
{
    for (size_t i = 0; i < o->write_count; i++)
        if (ctn_str_equal(o->writes[i], step))
            return true;
    return ctn_str_equal(o->from_step, step);
}

static bool has_written(const walk *w, const ctn_step_record *r)
{
    static const ctn_execution_id none;
    if (r->has_written || ctn_id_equal(r->child, none))
        return r->has_written;
    return !w->o->child_has_written || w->o->child_has_written(w->o->child_ctx, r->child);
}

static const ctn_json *reused_json(const walk *w, const ctn_step_record *r)
{
    ctn_json_builder b = ctn_json_object(w->arena);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_step_status_name(r->status)));
    if (r->variables)
        ctn_json_put(&b, CTN_STR("variables"), r->variables);
    if (has_written(w, r))
        ctn_json_put_bool(&b, "wrote", true);
    if (!ctn_id_equal(r->execution, ctn_execution_id_of(w->o->old)))
        ctn_json_put(&b, CTN_STR("execution"),
                     ctn_json_string(w->arena, ctn_str_from(ctn_id_to_text(r->execution).text)));
    return ctn_json_finish(&b);
}

static const ctn_json *from_json(const walk *w)
{
    ctn_json_builder b = ctn_json_object(w->arena);
    ctn_id_text id = ctn_id_to_text(ctn_execution_id_of(w->o->old));
    ctn_json_put(&b, CTN_STR("execution"), ctn_json_string(w->arena, ctn_str_from(id.text)));
    ctn_json_put_str(&b, "reason", w->o->from_step.len ? CTN_STR("rerun") : CTN_STR("fork"));
    if (w->o->from_step.len)
        ctn_json_put(&b, CTN_STR("step"), ctn_json_string(w->arena, w->o->from_step));
    return ctn_json_finish(&b);
}

static void conclude(walk *w, ctn_rerun *ret)
{
    const ctn_plan *plan = w->o->plan;
    ctn_str *unnamed = CTN_NEW_ARRAY(w->arena, ctn_str, plan->step_count);
    ctn_json_builder reused = ctn_json_object(w->arena), b = ctn_json_object(w->arena);
    *ret = (ctn_rerun){.unnamed_writes = unnamed};
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_str name = plan->steps[i].name;
        uint32_t old_step = ctn_plan_step_index(w->old_plan, name);
        if (old_step == CTN_PLAN_NONE)
            continue;
        const ctn_step_record *r = &w->records[old_step];
        if (w->is_reused[i]) {
            ret->reused_count++;
            ctn_json_put(&reused, name, reused_json(w, r));
        } else if (has_written(w, r) && !is_named(w->o, name)) {
            unnamed[ret->unnamed_count++] = name;
        }
    }
    ctn_json_put(&b, CTN_STR("from"), from_json(w));
    ctn_json_put(&b, CTN_STR("reused"), ctn_json_finish(&reused));
    ret->going_on = ctn_json_finish(&b);
}

static int refuse_writes(const walk *w, const ctn_rerun *r, ctn_err *err)
{
    ctn_str names = ctn_text_list(w->arena, r->unnamed_writes, r->unnamed_count, NAMES_SHOWN_MAX);
    return ctn_fail(err, CTN_E_DENIED,
                    "%.*s would be done again, and what was written then has not been undone; name with --write each "
                    "step that may write once more",
                    CTN_STR_ARG(names));
}

static int check_name(const walk *w, const char *option, ctn_str name, ctn_err *err)
{
    const ctn_plan *plan = w->o->plan;
    if (ctn_plan_step_index(plan, name) != CTN_PLAN_NONE)
        return CTN_OK;
    ctn_str step = name;
    step = ctn_str_cut(&step, '[');
    if (step.len < name.len && ctn_plan_step_index(plan, step) != CTN_PLAN_NONE)
        return ctn_fail(err, CTN_E_NOT_FOUND,
                        "%s %.*s: a foreach is done again as a whole, with all its items: %s %.*s", option,
                        CTN_STR_ARG(name), option, CTN_STR_ARG(step));
    return ctn_fail(err, CTN_E_NOT_FOUND, "%s %.*s: the chain %.*s has no such step; %.*s", option, CTN_STR_ARG(name),
                    CTN_STR_ARG(plan->chain_id),
                    CTN_STR_ARG(ctn_suggest(w->arena, name, plan->step_names->items, plan->step_names->count)));
}

static int check_options(const walk *w, ctn_err *err)
{
    ctn_status status = ctn_execution_status(w->o->old);
    if (!ctn_status_is_final(status))
        return ctn_fail(err, CTN_E_STATE,
                        "%s is %s; only one that has ended can be gone on from (cancel it, or let it end)",
                        ctn_id_to_text(ctn_execution_id_of(w->o->old)).text, ctn_status_name(status));
    int rc = w->o->from_step.len ? check_name(w, "--from", w->o->from_step, err) : CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < w->o->write_count; i++)
        rc = check_name(w, "--write", w->o->writes[i], err);
    return rc;
}

int ctn_rerun_plan(ctn_arena *arena, const ctn_rerun_options *options, ctn_rerun *ret, ctn_err *err)
{
    walk w = {.arena = arena, .o = options, .old_plan = ctn_execution_plan(options->old)};
    const ctn_plan *plan = options->plan;
    int rc = check_options(&w, err);
    if (rc)
        return rc;
    w.is_same_definition = same_definitions(w.old_plan, plan);
    rc = ctn_plan_graph(arena, w.old_plan->definitions, w.old_plan->definition_count, &w.old_graph, err);
    if (rc == CTN_OK)
        rc = ctn_plan_graph(arena, plan->definitions, plan->definition_count, &w.graph, err);
    if (rc)
        return rc;
    walk_old(&w);
    walk_new(&w);
    conclude(&w, ret);
    if (ret->unnamed_count)
        return refuse_writes(&w, ret, err);
    if (!options->from_step.len && w.is_same_definition && ret->reused_count == plan->step_count)
        return ctn_fail(err, CTN_E_STATE,
                        "nothing is different: no step of %.*s reads an input that changed, and all of them have ended",
                        CTN_STR_ARG(plan->chain_id));
    return CTN_OK;
}
