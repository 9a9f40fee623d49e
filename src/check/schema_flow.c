/*
 * schema_flow.c -- the walk over a chain's steps in order, and over the chains that it calls.
 *
 * A variable's type at a reader is the union of what every earlier writer gives it, and of the input of that name. That
 * is more than the exact answer (a later writer replaces an earlier one), so nothing is reported that could be
 * fine. Types of a step's outputs are made once, when the walk comes to it, predecessors first.
 */
#include "check/schema_flow_internal.h"
#include <assert.h>

#define CHAIN_DEPTH_MAX 16

/* ---- memos ---- */

static size_t slot_of(const flow_memos *memos, const void *key)
{
    size_t i = ((uintptr_t) key >> 4) * UINT64_C(0x9E3779B97F4A7C15) & (memos->capacity - 1);
    while (memos->items[i].key && memos->items[i].key != key)
        i = (i + 1) & (memos->capacity - 1);
    return i;
}

/* NULL: not there. */
static const void *memo_get(const flow_memos *memos, const void *key)
{
    return memos->capacity ? memos->items[slot_of(memos, key)].value : NULL;
}

static void memo_put(ctn_arena *arena, flow_memos *memos, const void *key, const void *value)
{
    if (2 * (memos->count + 1) > memos->capacity) {
        flow_memos grown = {.capacity = memos->capacity ? memos->capacity * 2 : 64};
        grown.items = CTN_NEW_ARRAY(arena, flow_memo, grown.capacity);
        for (size_t i = 0; i < memos->capacity; i++)
            if (memos->items[i].key)
                grown.items[slot_of(&grown, memos->items[i].key)] = memos->items[i];
        grown.count = memos->count;
        *memos = grown;
    }
    flow_memo *slot = &memos->items[slot_of(memos, key)];
    memos->count += slot->key == NULL;
    *slot = (flow_memo){key, value};
}

const ctn_type *flow_type_of_schema(ctn_schema_flow *flow, const ctn_json *schema)
{
    if (!schema)
        return &ctn_type_any;
    const ctn_type *t = memo_get(&flow->types, schema);
    if (!t) {
        t = ctn_type_of_schema(flow->arena, schema);
        memo_put(flow->arena, &flow->types, schema, t);
    }
    return t;
}

const ctn_template *flow_template_of(ctn_schema_flow *flow, const ctn_json *text)
{
    const ctn_template *known = memo_get(&flow->templates, text);
    ctn_template *t = NULL;
    if (known || ctn_template_compile(flow->arena, ctn_json_text(text), &t, NULL))
        return known;
    memo_put(flow->arena, &flow->templates, text, t);
    return t;
}

ctn_schema_flow *ctn_schema_flow_new(ctn_arena *arena, const ctn_library *library, const ctn_check_options *options)
{
    ctn_schema_flow *flow = CTN_NEW(arena, ctn_schema_flow);
    *flow = (ctn_schema_flow){.arena = arena, .library = library, .options = options};
    return flow;
}

/* ---- findings ---- */

static void tell(flow_scope *scope, const ctn_source *source, const ctn_json *node, const char *rule, bool is_observed,
                 ctn_str sentence)
{
    scope->error_count += !is_observed;
    if (!scope->findings)
        return;
    if (is_observed)
        ctn_source_warning(source, node, scope->findings, rule, "%.*s (observed in earlier results)",
                           CTN_STR_ARG(sentence));
    else
        ctn_source_error(source, node, scope->findings, rule, "%.*s", CTN_STR_ARG(sentence));
}

void flow_report(flow_scope *scope, const ctn_json *node, const char *rule, bool is_observed, const char *format, ...)
{
    ctn_arena *arena = scope->flow->arena;
    va_list args;
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(arena, format, args);
    va_end(args);
    const ctn_chain *chain = scope->chain ? scope->chain->graph->chain : NULL;
    if (!chain) {
        tell(scope, scope->set->source, node, rule, is_observed, sentence);
        return;
    }
    if (scope->set) { /* told where the chain names the set */
        ctn_position at = ctn_source_position(scope->set->source, node);
        sentence = ctn_arena_printf(arena, "%.*s (instruction set '%.*s', %.*s:%u:%u)", CTN_STR_ARG(sentence),
                                    CTN_STR_ARG(scope->set->name),
                                    CTN_STR_ARG(ctn_source_file_name(scope->set->source)), at.line, at.column);
        node = scope->anchor;
    }
    const ctn_chain_step *step = scope->step == CTN_GRAPH_NONE ? NULL : scope->chain->graph->steps[scope->step].step;
    if (is_observed && step && ctn_lint_step_allows(chain, step, rule))
        return;
    tell(scope, chain->source, node, rule, is_observed, sentence);
}

/* ---- sets by themselves ---- */

static const flow_set_faults *faults_of(ctn_schema_flow *flow, const ctn_instruction_set *set, ctn_findings *findings)
{
    const flow_set_faults *known = memo_get(&flow->sets, set);
    if (known && !findings)
        return known;
    ctn_findings own;
    ctn_findings_init(&own, flow->arena);
    flow_scope scope = {.flow = flow, .set = set, .findings = &own};
    (void) flow_type_of_set(&scope, set, false);
    flow_set_faults *faults = CTN_NEW(flow->arena, flow_set_faults);
    for (size_t i = 0; i < own.count; i++) {
        const ctn_finding *x = &own.items[i];
        if (x->severity == CTN_SEVERITY_ERROR && faults->count++ == 0)
            faults->first = *x;
        if (findings)
            ctn_findings_copy(findings, x);
    }
    memo_put(flow->arena, &flow->sets, set, faults);
    return faults;
}

int ctn_schema_flow_set(ctn_schema_flow *flow, const ctn_instruction_set *set, ctn_findings *findings)
{
    if (set->fault_count)
        return CTN_E_INVALID;
    return faults_of(flow, set, findings)->count ? CTN_E_INVALID : CTN_OK;
}

/* A set in a step. Its own faults are told once, and then nothing more of what it sends. */
static const ctn_type *type_of_set_in_step(flow_scope *scope, const ctn_instruction_set *set, const ctn_json *anchor,
                                           bool is_parallel)
{
    if (!set || set->fault_count)
        return &ctn_type_any;
    const flow_set_faults *faults = faults_of(scope->flow, set, NULL);
    flow_scope inner = *scope;
    if (faults->count) {
        const ctn_finding *x = &faults->first;
        flow_report(&inner, anchor, x->rule, false, "instruction set '%.*s' has a fault: %.*s:%u:%u: %.*s",
                    CTN_STR_ARG(set->name), CTN_STR_ARG(x->file), x->line, x->column, CTN_STR_ARG(x->message));
        scope->error_count = inner.error_count;
        inner.findings = NULL;
    }
    inner.set = set;
    inner.anchor = anchor;
    const ctn_type *result = flow_type_of_set(&inner, set, is_parallel);
    if (!faults->count)
        scope->error_count = inner.error_count;
    return result;
}

/* ---- steps ---- */

static const ctn_type *with_null(ctn_arena *arena, const ctn_type *t)
{
    return ctn_type_union(arena, t, ctn_type_of_kinds(arena, CTN_TYPE_NULL));
}

static const ctn_type *type_of_input(flow_scope *scope, const ctn_chain_template *input)
{
    if (!input->template)
        return &ctn_type_never;
    const ctn_type *t = flow_type_of_template(scope, input->template, input->node, NULL);
    return ctn_type_is_never(t) ? &ctn_type_any : t;
}

/* What is wrong with the items is told; gives the type of one. */
static const ctn_type *type_of_item(flow_scope *scope, const ctn_chain_foreach *foreach)
{
    ctn_arena *arena = scope->flow->arena;
    const ctn_type *whole = ctn_type_of_kinds(arena, CTN_TYPE_INTEGER);
    if (foreach->range.node) {
        (void) flow_type_of_tree(scope, foreach->range.node, ctn_type_list_of(arena, whole), CTN_STR("the range"));
        return whole;
    }
    if (!foreach->items.template)
        return &ctn_type_any;
    const ctn_type *t = flow_type_of_template(scope, foreach->items.template, foreach->items.node, NULL);
    if (!(t->kinds & CTN_TYPE_LIST) && !ctn_type_is_never(t))
        flow_report(scope, foreach->items.node, "schema-mismatch", t->is_observed,
                    "the items of a foreach must be a list, and this is of type %.*s",
                    CTN_STR_ARG(ctn_type_describe(arena, t)));
    const ctn_type *item = ctn_type_item_of(arena, t);
    return ctn_type_is_never(item) ? &ctn_type_any : item;
}

/* One output variable out of a result, as ctn_x_take takes it; a document may fill what the result lacks. */
static const ctn_type *type_of_output(flow_scope *scope, const ctn_graph_step *step, uint32_t i, const ctn_type *result,
                                      bool is_main)
{
    ctn_arena *arena = scope->flow->arena;
    const ctn_chain_output *output = &step->step->outputs[i];
    const ctn_type *text = ctn_type_of_kinds(arena, CTN_TYPE_STRING);
    uint32_t taken_count = step->step->output_count;
    for (uint32_t k = 0; k < step->step->output_count; k++)
        taken_count -= step->document_variable == step->writes[k];
    bool may_be_document =
        step->mustache && (step->document_variable == CTN_GRAPH_NONE || step->document_variable == step->writes[i]);
    bool is_sure = false;
    const ctn_type *t = ctn_type_member_of(result, output->path ? output->path->root : output->name, &is_sure);
    size_t stop = 0;
    const ctn_type *at = result;
    bool leads_into = output->path && !ctn_type_is_never(t);
    if (leads_into)
        t = ctn_type_follow(arena, t, output->path->parts, output->path->count, &stop, &at);
    if (may_be_document)
        return ctn_type_is_never(t) ? text : is_sure && !output->path ? t : ctn_type_union(arena, t, text);
    if (!output->path && taken_count == 1) /* without such a member it takes the whole result */
        return is_sure ? t : ctn_type_is_never(t) ? result : ctn_type_union(arena, t, result);
    if (!ctn_type_is_never(t))
        return t;
    if (is_main) {
        ctn_str name = !output->path ? output->name : leads_into ? output->path->parts[stop].name : output->path->root;
        ctn_str whole = output->path ? output->path->text : output->name;
        const ctn_type *in = leads_into ? at : result;
        if (in->kinds & CTN_TYPE_OBJECT && name.ptr)
            flow_report(scope, output->node, "schema-mismatch", in->is_observed,
                        "the result of '%.*s' never has '%.*s'; %.*s", CTN_STR_ARG(step->set->name), CTN_STR_ARG(whole),
                        CTN_STR_ARG(ctn_type_suggest_member(arena, in, name)));
        else
            flow_report(scope, output->node, "schema-mismatch", in->is_observed,
                        "the result of '%.*s' never has '%.*s': %s is of type %.*s", CTN_STR_ARG(step->set->name),
                        CTN_STR_ARG(whole), leads_into ? "on the way there" : "it",
                        CTN_STR_ARG(ctn_type_describe(arena, in)));
    }
    return &ctn_type_any;
}

/* What is left of a result by the step's outputSchema, which every result (of an item, of a fallback) must satisfy. */
static const ctn_type *after_schema(flow_scope *scope, const ctn_graph_step *step, const ctn_type *result,
                                    const ctn_json *node, const char *of, ctn_str name)
{
    ctn_arena *arena = scope->flow->arena;
    const ctn_type *wanted = flow_type_of_schema(scope->flow, step->step->output_schema);
    ctn_type_clash clash;
    if (ctn_type_can_fit(arena, result, wanted, &clash)) {
        const ctn_type *both = ctn_type_meet(arena, result, wanted);
        return ctn_type_is_never(both) ? wanted : both;
    }
    flow_report(scope, node, "schema-mismatch", clash.is_observed,
                "no result of %s%.*s satisfies the outputSchema: %.*s", of, CTN_STR_ARG(name),
                CTN_STR_ARG(clash.sentence));
    return wanted;
}

/* As a list when it is a foreach; null where a failure is passed over. */
static const ctn_type *as_variable(ctn_arena *arena, const ctn_chain_step *s, const ctn_type *t)
{
    if (s->on_error == CTN_ON_ERROR_CONTINUE)
        t = with_null(arena, t);
    if (!s->foreach.node)
        return t;
    return s->on_error == CTN_ON_ERROR_CONTINUE ? with_null(arena, ctn_type_list_of(arena, t))
                                                : ctn_type_list_of(arena, t);
}

/* What an undo is given of a step of which nobody knows whether it happened. */
static const ctn_type *type_of_unknown_outcome(ctn_arena *arena)
{
    const ctn_type *text = ctn_type_of_kinds(arena, CTN_TYPE_STRING);
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, 2);
    members[0] = (ctn_type_member){CTN_STR("outcome"), text, true};
    members[1] = (ctn_type_member){CTN_STR("key"), text, true};
    return ctn_type_object(arena, members, 2, &ctn_type_never);
}

static const ctn_type *type_of_outputs_object(ctn_arena *arena, const flow_chain *c, const ctn_graph_step *step,
                                              const ctn_type *const *types)
{
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, step->write_count);
    for (uint32_t i = 0; i < step->write_count; i++)
        members[i] = (ctn_type_member){c->graph->variables.items[step->writes[i]], types[i], false};
    const ctn_type *known = ctn_type_object(arena, members, step->write_count, &ctn_type_never);
    return ctn_type_union(arena, known, type_of_unknown_outcome(arena));
}

static void walk_fallbacks(flow_scope *scope, const ctn_graph_step *step, const ctn_type **types)
{
    const ctn_chain_step *s = step->step;
    ctn_arena *arena = scope->flow->arena;
    for (uint32_t f = 0; f < s->fallback_count; f++) {
        const ctn_chain_fallback *fallback = &s->fallbacks[f];
        const ctn_type *result = &ctn_type_any;
        if (fallback->value.node) {
            result = flow_type_of_tree(scope, fallback->value.node, &ctn_type_any, CTN_STR("the value"));
        } else if (fallback->instruction_set) {
            flow_scope inner = *scope;
            const ctn_chain_template *input = fallback->input.template ? &fallback->input : &s->input;
            inner.input = fallback->input.template || step->reads_input ? type_of_input(&inner, input) : NULL;
            inner.input_node = input->node;
            result = type_of_set_in_step(&inner, step->fallbacks[f], fallback->instruction_set,
                                         s->is_parallel == CTN_SAID_TRUE);
            scope->error_count = inner.error_count;
        }
        result = after_schema(scope, step, result, fallback->node, "this fallback", (ctn_str){0});
        for (uint32_t i = 0; i < s->output_count; i++)
            types[i] = ctn_type_union(arena, types[i], type_of_output(scope, step, i, result, false));
    }
}

/* Where the undo is rendered every variable may be there, and of a foreach the item's own outputs. */
static void walk_undo(const flow_scope *scope, const ctn_graph_step *step, const ctn_type *const *types)
{
    const ctn_chain_step *s = step->step;
    if (!step->undo || scope->chain->graph->chain->is_rollback_enabled == CTN_SAID_FALSE)
        return;
    ctn_arena *arena = scope->flow->arena;
    flow_scope undo = *scope;
    undo.is_undo = true;
    undo.result = type_of_outputs_object(arena, scope->chain, step, types);
    undo.input = undo.result;
    undo.input_node = s->rollback_template.node;
    if (s->foreach.node)
        undo.own = types;
    if (s->rollback_template.template) /* the default takes its place when it cannot be rendered */
        undo.input = ctn_type_union(arena, type_of_input(&undo, &s->rollback_template), type_of_unknown_outcome(arena));
    (void) type_of_set_in_step(&undo, step->undo, s->rollback_action, false);
    scope->chain->error_count += undo.error_count - scope->error_count;
}

static void walk_step(flow_chain *c, uint32_t number)
{
    const ctn_graph_step *step = &c->graph->steps[number];
    const ctn_chain_step *s = step->step;
    ctn_arena *arena = c->flow->arena;
    flow_scope scope = {.flow = c->flow, .chain = c, .step = number, .findings = c->findings};
    if (s->foreach.node) {
        scope.item = type_of_item(&scope, &s->foreach);
        scope.as = ctn_json_text(s->foreach.as);
    }
    if (s->cache.key.template)
        (void) flow_type_of_template(&scope, s->cache.key.template, s->cache.key.node, NULL);
    scope.input = &ctn_type_any; /* what nothing reads is not rendered */
    if (step->reads_input) {
        scope.input = type_of_input(&scope, &s->input);
        scope.input_node = s->input.node;
    }
    const ctn_type *result =
        type_of_set_in_step(&scope, step->set, s->instruction_set, s->is_parallel == CTN_SAID_TRUE);
    result = after_schema(&scope, step, result, s->output_schema, "instruction set ", step->set->name);
    const ctn_type **types = CTN_NEW_ARRAY(arena, const ctn_type *, step->write_count);
    for (uint32_t i = 0; i < step->write_count; i++)
        types[i] = i < s->output_count ? type_of_output(&scope, step, i, result, true)
                                       : ctn_type_of_kinds(arena, CTN_TYPE_STRING); /* the document's */
    walk_fallbacks(&scope, step, types);
    const ctn_type **variables = CTN_NEW_ARRAY(arena, const ctn_type *, step->write_count);
    for (uint32_t i = 0; i < step->write_count; i++)
        variables[i] = as_variable(arena, s, types[i]);
    c->outputs[number] = variables;
    walk_undo(&scope, step, types);
    c->error_count += scope.error_count;
}

static flow_chain *chain_new(ctn_schema_flow *flow, ctn_graph *graph, ctn_findings *findings)
{
    ctn_arena *arena = flow->arena;
    flow_chain *c = CTN_NEW(arena, flow_chain);
    *c = (flow_chain){.flow = flow, .graph = graph, .findings = findings};
    c->input = flow_type_of_schema(flow, graph->chain->input_schema);
    c->outputs = CTN_NEW_ARRAY(arena, const ctn_type **, graph->step_count);
    return c;
}

static void walk_chain(flow_chain *c)
{
    assert(c->graph->order);
    for (uint32_t i = 0; i < c->graph->step_count; i++)
        walk_step(c, c->graph->order[i]);
}

int ctn_schema_flow_chain(ctn_schema_flow *flow, ctn_graph *graph, ctn_findings *findings)
{
    flow_chain *c = chain_new(flow, graph, findings);
    walk_chain(c);
    return c->error_count ? CTN_E_INVALID : CTN_OK;
}

/* ---- chains that are called ---- */

/* What is not said otherwise is null when no step gave it. */
static const ctn_type *type_of_chain_outputs(flow_chain *c)
{
    ctn_arena *arena = c->flow->arena;
    const ctn_graph *graph = c->graph;
    const ctn_chain *chain = graph->chain;
    flow_scope scope = {.flow = c->flow, .chain = c, .step = CTN_GRAPH_NONE};
    uint32_t count = 0, most = chain->outputs ? chain->result_count : graph->variables.count;
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, most);
    for (uint32_t i = 0; chain->outputs && i < chain->result_count; i++) {
        const ctn_chain_result *result = &chain->results[i];
        uint32_t v = ctn_names_find(&graph->variables, result->name);
        const ctn_type *t = result->expression.expression
                                ? flow_type_of_expression(&scope, result->expression.expression)
                            : v == CTN_NAMES_NONE ? &ctn_type_any
                                                  : flow_type_of_variable(&scope, v);
        members[count++] = (ctn_type_member){result->name, with_null(arena, t), true};
    }
    for (uint32_t v = 0; !chain->outputs && v < graph->variables.count; v++)
        if (graph->writers[v].count)
            members[count++] =
                (ctn_type_member){graph->variables.items[v], with_null(arena, flow_type_of_variable(&scope, v)), true};
    return ctn_type_object(arena, members, count, &ctn_type_never);
}

/* Schema defaults are applied before the input is judged, inside objects too: what has one need not be given. */
static const ctn_json *without_defaults(ctn_arena *arena, const ctn_json *schema)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    if (!ctn_json_is(properties, CTN_JSON_OBJECT))
        return schema;
    ctn_json_builder b = ctn_json_object(arena), relaxed = ctn_json_object(arena), required = ctn_json_array(arena);
    ctn_json_put_all(&b, schema);
    for (uint32_t i = 0; i < properties->count; i++)
        ctn_json_put(&relaxed, ctn_json_text(&properties->members[i].key),
                     without_defaults(arena, &properties->members[i].value));
    const ctn_json *names = ctn_json_member_of(schema, "required");
    for (size_t i = 0; i < ctn_json_count(names); i++)
        if (!ctn_json_member_of(ctn_json_get(properties, ctn_json_text(ctn_json_at(names, i))), "default"))
            ctn_json_push(&required, ctn_json_at(names, i));
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&relaxed));
    if (names)
        ctn_json_put(&b, CTN_STR("required"), ctn_json_finish(&required));
    return ctn_json_finish(&b);
}

static void read_signature(ctn_schema_flow *flow, const ctn_chain *chain, flow_signature *signature)
{
    ctn_findings ignored;
    ctn_graph *graph = NULL;
    ctn_findings_init(&ignored, flow->arena);
    if (chain->fault_count || ctn_graph_build(flow->arena, flow->library, chain, &ignored, &graph))
        return;
    flow_chain *c = chain_new(flow, graph, NULL);
    walk_chain(c);
    if (chain->input_schema)
        signature->input_schema = without_defaults(flow->arena, chain->input_schema);
    signature->input = flow_type_of_schema(flow, signature->input_schema);
    signature->output = type_of_chain_outputs(c);
    ctn_str *required = CTN_NEW_ARRAY(flow->arena, ctn_str, graph->input_count);
    const ctn_json *properties = ctn_json_member_of(chain->input_schema, "properties");
    for (uint32_t i = 0; i < graph->input_count; i++) {
        ctn_str name = graph->variables.items[graph->inputs[i].variable];
        if (graph->inputs[i].is_required && !ctn_json_member_of(ctn_json_get(properties, name), "default"))
            required[signature->required_count++] = name;
    }
    signature->required = required;
    signature->is_known = true;
}

const flow_signature *flow_signature_of(ctn_schema_flow *flow, const ctn_chain *chain)
{
    const flow_signature *known = memo_get(&flow->signatures, chain);
    if (known || flow->depth >= CHAIN_DEPTH_MAX)
        return known;
    flow_signature *signature = CTN_NEW(flow->arena, flow_signature);
    signature->chain = chain;
    memo_put(flow->arena, &flow->signatures, chain, signature);
    flow->depth++;
    read_signature(flow, chain, signature);
    flow->depth--;
    signature->is_done = true;
    return signature;
}

const ctn_type *ctn_schema_flow_outputs(ctn_schema_flow *flow, const ctn_chain *chain)
{
    const flow_signature *signature = flow_signature_of(flow, chain);
    return signature && signature->is_known ? signature->output : NULL;
}
