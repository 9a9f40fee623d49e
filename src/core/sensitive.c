/*
 * sensitive.c -- what is sensitive, out of the compiled texts of a plan.
 *
 * The set of names grows until nothing is added (a step's outputs may be read by a step above it in the file). A text
 * is tainted when it reads a sensitive root: a name of the set, {input} of a step whose inputTemplate is tainted, an
 * item of a tainted foreach, the result of an earlier transform of tainted arguments. All sets that may do a step's
 * work (its own, its fallbacks', its undo's) are taken together: which of them an entry speaks of need not be known.
 *
 * A sub-chain's plan is compiled out of the parent's definitions, only for chains among whose definitions one says
 * `sensitive`, and judged once for each set of arguments that are sensitive. Chains may call themselves: what a chain
 * gives is taken for sensitive while that very chain is being judged.
 */
#include "core/sensitive.h"

typedef struct step_taint {
    bool is_touched;
    bool input, undo_input, item, result;
    ctn_names args; /* members of the arguments of its calls, sub-chains and agents */
} step_taint;

struct ctn_sensitivity {
    const ctn_plan *plan;
    ctn_names names;
    step_taint *steps;
    bool *results; /* of the plan's */
    bool any_result, queue_key;
};

/* A sub-chain with some of its inputs sensitive. */
typedef struct judged {
    struct judged *next;
    ctn_str chain;
    const ctn_json *also;
    ctn_plan *plan;
    const ctn_sensitivity *s; /* NULL: nothing of it is */
    bool is_known;            /* false: it is being judged, or does not compile */
} judged;

typedef struct analysis {
    ctn_sensitivity *s;
    ctn_arena *scratch;
    judged **judged; /* of all chains that are looked at */
    uint32_t step;
    bool is_undo;
    const ctn_plan_set *set; /* whose texts are read; NULL: the step's own */
    const bool *call_results;
    bool has_changed;
} analysis;

static const ctn_sensitivity *analyse(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena, ctn_arena *scratch,
                                      judged **all);

/* ---- one text ---- */

static bool root_is_tainted(const analysis *a, ctn_str root)
{
    const ctn_plan_step *p = &a->s->plan->steps[a->step];
    const step_taint *t = &a->s->steps[a->step];
    if (ctn_names_find(&a->s->names, root) != CTN_NAMES_NONE)
        return true;
    for (uint32_t i = 0; a->set && a->call_results && i < a->set->call_count; i++)
        if (a->call_results[i] && ctn_str_equal(root, a->set->calls[i].name))
            return true;
    if (ctn_str_is(root, "input"))
        return a->is_undo ? t->undo_input : t->input;
    if (ctn_str_is(root, "item") || (p->foreach && p->foreach->as.len && ctn_str_equal(root, p->foreach->as)))
        return t->item;
    return ctn_str_is(root, "result") && t->result;
}

static bool any_is_tainted(const analysis *a, const ctn_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        if (root_is_tainted(a, reads->items[i].root))
            return true;
    return false;
}

static bool template_is_tainted(const analysis *a, const ctn_template *template)
{
    ctn_reads reads = {0};
    ctn_template_reads(template, a->scratch, &reads);
    return any_is_tainted(a, &reads);
}

static bool expression_is_tainted(const analysis *a, const ctn_expression *expression)
{
    ctn_reads reads = {0};
    ctn_expression_reads(expression, a->scratch, &reads);
    return any_is_tainted(a, &reads);
}

static bool tree_is_tainted(const analysis *a, const ctn_tree *tree)
{
    ctn_reads reads = {0};
    ctn_tree_reads(tree, a->scratch, &reads);
    return any_is_tainted(a, &reads);
}

static bool mustache_is_tainted(const analysis *a, const ctn_mustache *document)
{
    ctn_reads reads = {0};
    ctn_mustache_reads(document, a->scratch, &reads);
    return any_is_tainted(a, &reads);
}

/* ---- growing ---- */

static void set_flag(analysis *a, bool *flag, bool is_so)
{
    a->has_changed = a->has_changed || (is_so && !*flag);
    *flag = *flag || is_so;
}

static void add_name(analysis *a, ctn_str name)
{
    uint32_t known = a->s->names.count;
    a->has_changed = a->has_changed || ctn_names_add(&a->s->names, name) == known;
}

/* Which members of the arguments are tainted: they are an object, whose names are no templates. */
static bool note_arguments(analysis *a, const ctn_tree *tree)
{
    step_taint *t = &a->s->steps[a->step];
    if (!tree || !tree_is_tainted(a, tree))
        return false;
    for (size_t i = 0; i < ctn_tree_member_count(tree); i++) {
        ctn_str name;
        const ctn_tree *member = ctn_tree_member(tree, i, &name);
        uint32_t known = t->args.count;
        if (tree_is_tainted(a, member))
            a->has_changed = a->has_changed || ctn_names_add(&t->args, name) == known;
    }
    set_flag(a, &t->is_touched, true);
    return true;
}

/* What the texts of a set read; whether what it gives is made of it. */
static bool note_set(analysis *a, const ctn_plan_set *set)
{
    step_taint *t = &a->s->steps[a->step];
    bool gives = false;
    bool *results = CTN_NEW_ARRAY(a->scratch, bool, set->call_count + 1);
    a->set = set;
    for (uint32_t i = 0; i < set->call_count; i++) {
        a->call_results = NULL;
        for (uint32_t k = 0; k < i; k++)
            if (results[k])
                a->call_results = results;
        results[i] = note_arguments(a, set->calls[i].arguments) && set->calls[i].kind == CTN_WORK_TRANSFORM;
        gives = gives || results[i];
    }
    a->call_results = results;
    bool is_result = tree_is_tainted(a, set->result);
    gives = gives || is_result;
    set_flag(a, &t->is_touched, gives || template_is_tainted(a, set->until) || template_is_tainted(a, set->message));
    if (set->check)
        set_flag(a, &t->is_touched, tree_is_tainted(a, set->check->arguments));
    (void) note_arguments(a, set->arguments);
    a->set = NULL;
    a->call_results = NULL;
    return gives;
}

/* ---- sub-chains ---- */

static void note_child_outputs(analysis *a, const ctn_sensitivity *child)
{
    const ctn_plan_step *p = &a->s->plan->steps[a->step];
    for (uint32_t i = 0; i < p->output_count; i++) {
        ctn_str name = a->s->plan->variables[p->outputs[i].slot];
        ctn_str member = p->outputs[i].path ? p->outputs[i].path->root : name;
        bool is_whole = !p->outputs[i].path && p->output_count == 1 && child->any_result;
        for (uint32_t r = 0; r < child->plan->result_count; r++)
            if (is_whole || (child->results[r] && ctn_str_equal(child->plan->results[r].name, member)))
                add_name(a, name);
    }
}

static const judged *judge(const analysis *a, ctn_str chain, const ctn_json *also)
{
    for (judged *j = *a->judged; j; j = j->next)
        if (ctn_str_equal(j->chain, chain) && ctn_json_equal(j->also, also))
            return j;
    judged *j = CTN_NEW(a->scratch, judged);
    *j = (judged){.next = *a->judged, .chain = chain, .also = also};
    *a->judged = j;
    if (ctn_plan_of_child(a->scratch, a->s->plan, chain, &j->plan, NULL) == CTN_OK) {
        j->s = analyse(j->plan, also, a->scratch, a->scratch, a->judged);
        j->is_known = true;
    }
    return j;
}

static void note_child(analysis *a, const ctn_plan_set *set)
{
    step_taint *t = &a->s->steps[a->step];
    const ctn_plan_step *p = &a->s->plan->steps[a->step];
    ctn_json_builder also = ctn_json_array(a->scratch);
    for (uint32_t i = 0; i < t->args.count; i++)
        ctn_json_push(&also, ctn_json_string(a->scratch, t->args.items[i]));
    const judged *j = judge(a, set->chain, ctn_json_finish(&also));
    set_flag(a, &t->is_touched, !j->is_known || j->s);
    for (uint32_t i = 0; !j->is_known && i < p->output_count; i++)
        add_name(a, a->s->plan->variables[p->outputs[i].slot]);
    if (j->is_known && j->s)
        note_child_outputs(a, j->s);
}

/* ---- one step ---- */

static void note_step(analysis *a, uint32_t step)
{
    ctn_sensitivity *s = a->s;
    const ctn_plan_step *p = &s->plan->steps[step];
    step_taint *t = &s->steps[step];
    a->step = step;
    a->is_undo = false;
    if (p->foreach)
        set_flag(a, &t->item, template_is_tainted(a, p->foreach->items) || tree_is_tainted(a, p->foreach->range));
    set_flag(a, &t->input, template_is_tainted(a, p->input));
    bool gives = note_set(a, p->set);
    for (uint32_t i = 0; i < p->fallback_count; i++) {
        set_flag(a, &t->input, template_is_tainted(a, p->fallbacks[i].input));
        gives = (p->fallbacks[i].set && note_set(a, p->fallbacks[i].set)) || gives;
        gives = tree_is_tainted(a, p->fallbacks[i].value) || gives;
    }
    set_flag(a, &t->result, gives);
    bool is_document = mustache_is_tainted(a, p->document);
    for (uint32_t i = 0; i < p->output_count; i++) {
        ctn_str name = s->plan->variables[p->outputs[i].slot];
        bool is_text = is_document && (p->document_slot == CTN_PLAN_NONE || p->document_slot == p->outputs[i].slot);
        if (gives || is_text)
            add_name(a, name);
        if (ctn_names_find(&s->names, name) != CTN_NAMES_NONE) {
            set_flag(a, &t->result, true);
            set_flag(a, &t->is_touched, true);
        }
    }
    if (is_document && p->document_slot != CTN_PLAN_NONE)
        add_name(a, s->plan->variables[p->document_slot]);
    if (p->set->kind == CTN_SET_CHAIN)
        note_child(a, p->set);
    for (uint32_t i = 0; i < p->fallback_count; i++)
        if (p->fallbacks[i].set && p->fallbacks[i].set->kind == CTN_SET_CHAIN)
            note_child(a, p->fallbacks[i].set);
    set_flag(a, &t->is_touched,
             t->item || t->input || is_document || expression_is_tainted(a, p->condition) ||
                 template_is_tainted(a, p->cache.key));
    if (!p->undo)
        return;
    a->is_undo = true;
    /* Without a rollbackTemplate the undo is given the step's outputs. */
    set_flag(a, &t->undo_input, p->undo_input ? template_is_tainted(a, p->undo_input) : t->result);
    (void) note_set(a, p->undo);
    a->is_undo = false;
}

static bool reads_a_name(const ctn_sensitivity *s, const ctn_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        if (ctn_names_find(&s->names, reads->items[i].root) != CTN_NAMES_NONE)
            return true;
    return false;
}

/* What is asked of no step: the chain's outputs and the key of its queue. */
static void note_results(analysis *a)
{
    ctn_sensitivity *s = a->s;
    for (uint32_t i = 0; i < s->plan->result_count; i++) {
        const ctn_plan_result *r = &s->plan->results[i];
        ctn_reads reads = {0};
        ctn_expression_reads(r->expression, a->scratch, &reads);
        s->results[i] = r->expression ? reads_a_name(s, &reads) : ctn_names_find(&s->names, r->name) != CTN_NAMES_NONE;
        s->any_result = s->any_result || s->results[i];
    }
    ctn_reads reads = {0};
    ctn_template_reads(s->plan->concurrency_key, a->scratch, &reads);
    s->queue_key = reads_a_name(s, &reads);
}

static const ctn_sensitivity *analyse(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena, ctn_arena *scratch,
                                      judged **all)
{
    if (!plan->may_be_sensitive && !ctn_json_count(also))
        return NULL;
    ctn_sensitivity *s = CTN_NEW(arena, ctn_sensitivity);
    s->plan = plan;
    ctn_names_init(&s->names, arena);
    s->steps = CTN_NEW_ARRAY(arena, step_taint, plan->step_count);
    s->results = CTN_NEW_ARRAY(arena, bool, plan->result_count);
    for (uint32_t i = 0; i < plan->step_count; i++)
        ctn_names_init(&s->steps[i].args, arena);
    for (size_t i = 0; i < ctn_json_count(plan->sensitive); i++)
        (void) ctn_names_add(&s->names, ctn_json_text(ctn_json_at(plan->sensitive, i)));
    for (size_t i = 0; i < ctn_json_count(also); i++)
        (void) ctn_names_add(&s->names, ctn_arena_str(arena, ctn_json_text(ctn_json_at(also, i))));
    analysis a = {.s = s, .scratch = scratch, .judged = all};
    do {
        a.has_changed = false;
        for (uint32_t i = 0; i < plan->step_count; i++)
            note_step(&a, i);
    } while (a.has_changed);
    note_results(&a);
    bool is_any = s->names.count > 0;
    for (uint32_t i = 0; i < plan->step_count; i++)
        is_any = is_any || s->steps[i].is_touched;
    return is_any ? s : NULL;
}

const ctn_sensitivity *ctn_sensitivity_of(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena)
{
    judged *all = NULL;
    ctn_arena *scratch = ctn_arena_new(4096);
    const ctn_sensitivity *s = analyse(plan, also, arena, scratch, &all);
    for (judged *j = all; j; j = j->next)
        ctn_plan_done(j->plan);
    ctn_arena_free(scratch);
    return s;
}

static bool knows_all(const ctn_sensitivity *s, const ctn_json *names)
{
    for (size_t i = 0; i < ctn_json_count(names); i++)
        if (!ctn_sensitive_name(s, ctn_json_text(ctn_json_at(names, i))))
            return false;
    return true;
}

const ctn_sensitivity *ctn_sensitivity_with(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena)
{
    if (plan->sensitivity && knows_all(plan->sensitivity, also))
        return plan->sensitivity;
    return plan->may_be_sensitive || ctn_json_count(also) ? ctn_sensitivity_of(plan, also, arena) : NULL;
}

/* ---- asking ---- */

bool ctn_sensitive_name(const ctn_sensitivity *s, ctn_str name)
{
    return s && ctn_names_find(&s->names, name) != CTN_NAMES_NONE;
}

bool ctn_sensitive_step(const ctn_sensitivity *s, uint32_t step)
{
    return s && step < s->plan->step_count && s->steps[step].is_touched;
}

bool ctn_sensitive_queue_key(const ctn_sensitivity *s)
{
    return s && s->queue_key;
}

static bool is_argument(const step_taint *t, ctn_str name)
{
    return ctn_names_find(&t->args, name) != CTN_NAMES_NONE;
}

const ctn_json *ctn_sensitive_members(const ctn_sensitivity *s, uint32_t step, const ctn_json *args, ctn_arena *arena)
{
    if (!s)
        return NULL;
    ctn_json_builder names = ctn_json_array(arena);
    for (size_t i = 0; ctn_json_is(args, CTN_JSON_OBJECT) && i < args->count; i++)
        if (is_argument(&s->steps[step], ctn_json_text(&args->members[i].key)))
            ctn_json_push(&names, &args->members[i].key);
    const ctn_json *list = ctn_json_finish(&names);
    return ctn_json_count(list) ? list : NULL;
}

/* Of an error that no step brought about: an output that could not be had says why, with values perhaps. */
static bool code_tells_values(ctn_str code)
{
    static const char *const plain[] = {"cancelled", "timeout", "budget"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (ctn_str_is(code, plain[i]))
            return false;
    return true;
}

bool ctn_sensitive_error(const ctn_sensitivity *s, const ctn_json *error)
{
    if (!s)
        return false;
    ctn_str step = ctn_json_str_or(error, "step", CTN_STR(""));
    uint32_t index = step.len ? ctn_plan_step_index(s->plan, step) : CTN_PLAN_NONE;
    if (index != CTN_PLAN_NONE)
        return s->steps[index].is_touched;
    return s->any_result && code_tells_values(ctn_json_str_or(error, "code", CTN_STR("")));
}

const ctn_json *ctn_sensitive_hide_error(const ctn_sensitivity *s, const ctn_json *error, ctn_arena *arena)
{
    if (!error || !ctn_sensitive_error(s, error) || !ctn_json_member_of(error, "message"))
        return error;
    return ctn_json_with(arena, error, CTN_STR("/message"), ctn_json_string(arena, CTN_STR(CTN_WITHHELD_TEXT)));
}

static const ctn_json *hide_members(const ctn_json *object, ctn_arena *arena, const bool *is_hidden)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(object); i++)
        ctn_json_put(&b, ctn_json_text(&object->members[i].key),
                     is_hidden[i] ? &ctn_sealed_json : &object->members[i].value);
    return ctn_json_finish(&b);
}

static bool is_result(const ctn_sensitivity *s, ctn_str name)
{
    for (uint32_t i = 0; i < s->plan->result_count; i++)
        if (s->results[i] && ctn_str_equal(s->plan->results[i].name, name))
            return true;
    return false;
}

const ctn_json *ctn_sensitive_hide_outputs(const ctn_sensitivity *s, const ctn_json *outputs, ctn_arena *arena)
{
    if (!s || !s->any_result || !ctn_json_is(outputs, CTN_JSON_OBJECT))
        return outputs;
    bool *is_hidden = CTN_NEW_ARRAY(arena, bool, outputs->count + 1u);
    for (size_t i = 0; i < outputs->count; i++)
        is_hidden[i] = is_result(s, ctn_json_text(&outputs->members[i].key));
    return hide_members(outputs, arena, is_hidden);
}

const ctn_json *ctn_sensitive_hide_input(const ctn_sensitivity *s, const ctn_json *input, ctn_arena *arena)
{
    if (!s || !ctn_json_is(input, CTN_JSON_OBJECT))
        return input;
    bool *is_hidden = CTN_NEW_ARRAY(arena, bool, input->count + 1u);
    for (size_t i = 0; i < input->count; i++)
        is_hidden[i] = ctn_sensitive_name(s, ctn_json_text(&input->members[i].key));
    return hide_members(input, arena, is_hidden);
}

/* ---- places ---- */

typedef struct place_list {
    ctn_places places;
    ctn_arena *arena;
    const ctn_json *body;
} place_list;

/* A null says no more than that there is none. */
static void add_place(place_list *list, ctn_str pointer)
{
    const ctn_json *value = ctn_json_pointer(list->body, pointer);
    if (!value || ctn_json_is(value, CTN_JSON_NULL))
        return;
    ctn_places *p = &list->places;
    p->items = ctn_arena_room(list->arena, p->items, p->count, &p->capacity, sizeof *p->items);
    p->items[p->count++] = (ctn_place){.pointer = pointer, .value = value};
}

typedef bool is_sensitive_fn(const ctn_sensitivity *s, const step_taint *t, ctn_str name);

static bool is_variable(const ctn_sensitivity *s, const step_taint *t, ctn_str name)
{
    (void) t;
    return ctn_sensitive_name(s, name);
}
static bool is_argument_of(const ctn_sensitivity *s, const step_taint *t, ctn_str name)
{
    (void) s;
    return is_argument(t, name);
}
static bool is_result_of(const ctn_sensitivity *s, const step_taint *t, ctn_str name)
{
    (void) t;
    return is_result(s, name);
}

static void add_members(place_list *list, ctn_str prefix, const ctn_sensitivity *s, const step_taint *t,
                        is_sensitive_fn *is_sensitive)
{
    const ctn_json *object = ctn_json_pointer(list->body, prefix);
    for (size_t i = 0; ctn_json_is(object, CTN_JSON_OBJECT) && i < object->count; i++) {
        ctn_str name = ctn_json_text(&object->members[i].key), part = ctn_json_pointer_part(list->arena, name);
        if (is_sensitive(s, t, name))
            add_place(list, ctn_arena_printf(list->arena, "%.*s/%.*s", CTN_STR_ARG(prefix), CTN_STR_ARG(part)));
    }
}

static void add_arguments(place_list *list, const ctn_sensitivity *s, const step_taint *t)
{
    const ctn_json *args = ctn_json_member_of(list->body, "args");
    if (ctn_json_is(args, CTN_JSON_OBJECT))
        add_members(list, CTN_STR("/args"), s, t, is_argument_of);
    else if (t->args.count)
        add_place(list, CTN_STR("/args"));
}

static void add_reused(place_list *list, const ctn_sensitivity *s)
{
    const ctn_json *reused = ctn_json_member_of(list->body, "reused");
    for (size_t i = 0; ctn_json_is(reused, CTN_JSON_OBJECT) && i < reused->count; i++) {
        ctn_str step = ctn_json_pointer_part(list->arena, ctn_json_text(&reused->members[i].key));
        add_members(list, ctn_arena_printf(list->arena, "/reused/%.*s/variables", CTN_STR_ARG(step)), s, NULL,
                    is_variable);
    }
}

ctn_places ctn_sensitive_places(const ctn_sensitivity *s, const ctn_entry *e, ctn_arena *arena)
{
    static const char *const told[] = {"/result", "/value", "/answer", "/message", "/input", "/asks", "/continuation"};
    place_list list = {.arena = arena, .body = e->body};
    uint32_t step = s && e->step.len ? ctn_plan_step_index(s->plan, e->step) : CTN_PLAN_NONE;
    if (!s || !e->body)
        return list.places;
    if (step != CTN_PLAN_NONE) {
        const step_taint *t = &s->steps[step];
        add_arguments(&list, s, t);
        add_members(&list, CTN_STR("/variables"), s, t, is_variable);
        for (size_t i = 0; t->is_touched && i < sizeof told / sizeof told[0]; i++)
            add_place(&list, ctn_str_from(told[i]));
        return list.places;
    }
    /* About the execution: by its members, whatever its kind. */
    add_members(&list, CTN_STR("/input"), s, NULL, is_variable);
    add_reused(&list, s);
    add_members(&list, CTN_STR("/variables"), s, NULL, is_variable);
    add_members(&list, CTN_STR("/outputs"), s, NULL, is_result_of);
    if (ctn_json_member_of(e->body, "code") && ctn_sensitive_error(s, e->body)) /* a budget's message is no error's */
        add_place(&list, CTN_STR("/message"));
    if (ctn_sensitive_error(s, ctn_json_member_of(e->body, "error")))
        add_place(&list, CTN_STR("/error/message"));
    return list.places;
}
