/*
 * schema_flow_set.c -- what an instruction set sends, call by call, and what comes back.
 */
#include "value/schema.h"
#include "check/schema_flow_internal.h"

/* ---- literals against the whole of their schema ---- */

/* {"properties": {NAME: its schema}}, with what references in it may lead to. */
static const ctn_json *schema_of_member(ctn_arena *arena, const ctn_json *schema, const ctn_json_member *property)
{
    static const char *const HOMES[] = {"$schema", "$defs", "definitions"};
    ctn_json_builder b = ctn_json_object(arena), properties = ctn_json_object(arena);
    ctn_json_put(&properties, ctn_json_text(&property->key), &property->value);
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&properties));
    for (size_t i = 0; i < sizeof HOMES / sizeof *HOMES; i++)
        if (ctn_json_member_of(schema, HOMES[i]))
            ctn_json_put(&b, ctn_str_from(HOMES[i]), ctn_json_member_of(schema, HOMES[i]));
    return ctn_json_finish(&b);
}

static void judge_literal(flow_scope *scope, const ctn_json_member *argument, const ctn_json *schema,
                          const ctn_json_member *property, ctn_str what)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_schema *compiled = NULL;
    ctn_err err = {0};
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, ctn_json_text(&argument->key), flow_literal_of(scope->flow, &argument->value));
    if (ctn_schema_compile(arena, schema_of_member(arena, schema, property), &compiled, NULL, NULL) == CTN_OK &&
        ctn_schema_validate(compiled, ctn_json_finish(&b), arena, &err) == CTN_E_INVALID)
        flow_report(scope, &argument->value, "schema-mismatch", false, "arguments of %.*s: %s", CTN_STR_ARG(what),
                    err.message);
    ctn_schema_done(compiled);
    ctn_arena_free(arena);
}

/* What a type does not know (minimum, pattern, maxLength, ...) is known of a literal: it is the value itself. */
static void judge_literals(flow_scope *scope, const ctn_json *arguments, const ctn_json *schema, ctn_str what)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    for (size_t i = 0; ctn_json_is(properties, CTN_JSON_OBJECT) && i < ctn_json_count(arguments); i++) {
        const ctn_json_member *argument = &arguments->members[i];
        for (uint32_t k = 0; k < properties->count; k++)
            if (ctn_str_equal(ctn_json_text(&properties->members[k].key), ctn_json_text(&argument->key)) &&
                flow_literal_of(scope->flow, &argument->value))
                judge_literal(scope, argument, schema, &properties->members[k], what);
    }
}

/* ---- arguments ---- */

/* schema: that `wanted` was drawn from; NULL: none. */
static const ctn_type *arguments_of(flow_scope *scope, const ctn_work *work, const ctn_type *wanted,
                                    const ctn_json *schema, ctn_str what)
{
    ctn_arena *arena = scope->flow->arena;
    if (work->arguments.node) {
        size_t before = scope->error_count;
        const ctn_type *t = flow_type_of_tree(scope, work->arguments.node, wanted, what);
        if (!scope->chain && scope->error_count == before) /* literals are the set's own, and judged once */
            judge_literals(scope, work->arguments.node, schema, what);
        return t;
    }
    /* Nothing was said: {"input": "{input?}"}. */
    const ctn_type *input = scope->input ? scope->input : &ctn_type_any;
    bool is_sent = !ctn_type_is_never(input);
    ctn_type_clash clash;
    for (uint32_t i = 0; (wanted->kinds & CTN_TYPE_OBJECT) && i < wanted->member_count; i++) {
        ctn_str name = wanted->members[i].name;
        if (wanted->members[i].is_required && (!ctn_str_is(name, "input") || !is_sent))
            flow_report(scope, work->detail, "missing-argument", false,
                        is_sent
                            ? "%.*s needs the argument '%.*s', and without 'arguments' only 'input' is sent; add it"
                            : "%.*s needs the argument '%.*s', and without an inputTemplate nothing is sent; add it",
                        CTN_STR_ARG(what), CTN_STR_ARG(name));
    }
    const ctn_type *of_input = ctn_type_member_of(wanted, CTN_STR("input"), NULL);
    if (!is_sent || !scope->input || !scope->input_node)
        return &ctn_type_any;
    flow_scope outer = *scope;
    outer.set = NULL;
    if (ctn_type_is_never(of_input))
        flow_report(&outer, scope->input_node, "schema-mismatch", false, "%.*s takes no argument 'input'; %.*s",
                    CTN_STR_ARG(what), CTN_STR_ARG(ctn_type_suggest_member(arena, wanted, CTN_STR("input"))));
    else if (!ctn_type_can_fit(arena, input, of_input, &clash))
        flow_report(&outer, scope->input_node, "schema-mismatch", clash.is_observed,
                    "argument 'input' of %.*s is this input: %.*s", CTN_STR_ARG(what), CTN_STR_ARG(clash.sentence));
    scope->error_count = outer.error_count;
    return &ctn_type_any;
}

/* Whole results say which members there are; parts only what some of them hold. */
static const ctn_type *type_of_observed(ctn_arena *arena, const ctn_check_tool *tool)
{
    const ctn_type *t = &ctn_type_never;
    for (size_t i = 0; i < ctn_json_count(tool->observed); i++)
        t = ctn_type_union(arena, t, ctn_type_observed(arena, ctn_json_at(tool->observed, i)));
    for (size_t i = 0; i < ctn_json_count(tool->observed_parts); i++) {
        const ctn_type *part = ctn_type_observed(arena, ctn_json_at(tool->observed_parts, i));
        t = ctn_type_union(arena, t, ctn_type_object(arena, part->members, part->member_count, &ctn_type_any));
    }
    return ctn_type_is_never(t) ? &ctn_type_any : t;
}

static const ctn_type *type_of_tool(flow_scope *scope, const ctn_work *work)
{
    ctn_schema_flow *flow = scope->flow;
    ctn_str target = ctn_json_text(work->detail);
    ctn_check_tool tool = {0};
    bool is_known = ctn_check_ask_tool(flow->options, target, &tool);
    if (is_known && tool.fault.len) {
        flow_report(scope, work->detail, "unknown-tool", false, "%.*s", CTN_STR_ARG(tool.fault));
        if (scope->findings && !scope->chain) /* the text stands here */
            ctn_findings_mend(scope->findings, target, tool.meant);
    }
    if (!is_known || tool.fault.len) {
        (void) arguments_of(scope, work, &ctn_type_any, NULL, target);
        return &ctn_type_any;
    }
    (void) arguments_of(scope, work, flow_type_of_schema(flow, tool.input_schema), tool.input_schema, target);
    if (tool.output_schema)
        return flow_type_of_schema(flow, tool.output_schema);
    return type_of_observed(flow->arena, &tool);
}

/* The child's inputs are its inputSchema's, and what its steps cannot do without. */
static const ctn_type *type_of_chain(flow_scope *scope, const ctn_work *work)
{
    ctn_schema_flow *flow = scope->flow;
    ctn_arena *arena = flow->arena;
    ctn_str id = ctn_json_text(work->detail);
    ctn_str what = ctn_arena_printf(arena, "chain '%.*s'", CTN_STR_ARG(id));
    const ctn_chain *chain = ctn_library_chain(flow->library, id);
    const flow_signature *signature = chain ? flow_signature_of(flow, chain) : NULL;
    if (!signature || !signature->is_done || !signature->is_known) {
        (void) arguments_of(scope, work, &ctn_type_any, NULL, what);
        return &ctn_type_any;
    }
    const ctn_type *wanted = signature->input;
    if (signature->required_count) {
        ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, signature->required_count);
        for (uint32_t i = 0; i < signature->required_count; i++)
            members[i] = (ctn_type_member){signature->required[i], &ctn_type_any, true};
        wanted =
            ctn_type_meet(arena, wanted, ctn_type_object(arena, members, signature->required_count, &ctn_type_any));
    }
    (void) arguments_of(scope, work, wanted, signature->input_schema, what);
    return signature->output;
}

static const ctn_type *type_of_approval(ctn_arena *arena)
{
    const ctn_type *text = ctn_type_of_kinds(arena, CTN_TYPE_STRING);
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, 4);
    members[0] = (ctn_type_member){CTN_STR("approved"), ctn_type_of_kinds(arena, CTN_TYPE_BOOLEAN), true};
    members[1] = (ctn_type_member){CTN_STR("by"), text, true};
    members[2] = (ctn_type_member){CTN_STR("comment"), &ctn_type_any, true};
    members[3] = (ctn_type_member){CTN_STR("at"), text, true};
    return ctn_type_object(arena, members, 4, &ctn_type_never);
}

static void template_of(flow_scope *scope, const ctn_chain_template *template)
{
    if (template->template)
        (void) flow_type_of_template(scope, template->template, template->node, NULL);
}

static void until_of(flow_scope *scope, const ctn_work *work)
{
    if (!work->until.template)
        return;
    const ctn_type *t = flow_type_of_template(scope, work->until.template, work->until.node, NULL);
    if (!ctn_type_is_never(t) && !(t->kinds & (CTN_TYPE_STRING | CTN_TYPE_NUMBER)))
        flow_report(scope, work->until.node, "schema-mismatch", t->is_observed,
                    "'until' takes a time, as text or number, and this is of type %.*s",
                    CTN_STR_ARG(ctn_type_describe(scope->flow->arena, t)));
}

static const ctn_type *type_of_work(flow_scope *scope, const ctn_work *work)
{
    ctn_schema_flow *flow = scope->flow;
    switch (work->kind) {
    case CTN_WORK_TOOL: return type_of_tool(scope, work);
    case CTN_WORK_CHAIN: return type_of_chain(scope, work);
    case CTN_WORK_APPROVAL: template_of(scope, &work->message); return type_of_approval(flow->arena);
    case CTN_WORK_PROMPT:
        (void) arguments_of(scope, work, &ctn_type_any, NULL, CTN_STR("a prompt"));
        return flow_type_of_schema(flow, ctn_json_member_of(work->detail, "schema"));
    case CTN_WORK_AGENT:
        (void) arguments_of(scope, work, &ctn_type_any, NULL, CTN_STR("an agent"));
        return flow_type_of_schema(flow, ctn_json_member_of(work->detail, "outputSchema"));
    case CTN_WORK_COMMAND:
        (void) arguments_of(scope, work, &ctn_type_any, NULL, CTN_STR("a command"));
        return ctn_str_is(ctn_json_str_or(work->detail, "stdout", CTN_STR("text")), "text")
                   ? ctn_type_of_kinds(flow->arena, CTN_TYPE_STRING)
                   : &ctn_type_any;
    case CTN_WORK_WAIT: until_of(scope, work); return &ctn_type_any; /* an answer may end it, with anything */
    case CTN_WORK_CALLS:
    case CTN_WORK_UNKNOWN: return &ctn_type_any;
    default:
        (void) arguments_of(scope, work, &ctn_type_any, NULL, ctn_str_from(ctn_work_kind_what(work->kind)));
        return &ctn_type_any;
    }
}

/* An object of the calls' results, and of the set's own members over them. */
static const ctn_type *type_of_calls(flow_scope *scope, const ctn_instruction_set *set, bool is_parallel)
{
    ctn_arena *arena = scope->flow->arena;
    uint32_t count = set->call_count;
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, count);
    const ctn_type **types = CTN_NEW_ARRAY(arena, const ctn_type *, count);
    flow_scope inner = *scope;
    inner.call_names = names;
    inner.call_types = types;
    for (uint32_t i = 0; i < count; i++) {
        inner.call_count = is_parallel ? 0 : i;
        names[i] = set->calls[i].name;
        types[i] = type_of_work(&inner, &set->calls[i]);
    }
    inner.call_count = count;
    const ctn_type *extra = &ctn_type_any;
    if (set->result.node)
        extra = flow_type_of_tree(&inner, set->result.node, &ctn_type_any, CTN_STR("the result"));
    scope->error_count = inner.error_count;
    uint32_t more = set->result.node ? extra->member_count : 0, all = 0;
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, count + more);
    for (uint32_t i = 0; i < more; i++)
        members[all++] = extra->members[i];
    for (uint32_t i = 0; i < count; i++) {
        bool is_replaced = false;
        for (uint32_t k = 0; k < more; k++)
            is_replaced |= ctn_str_equal(members[k].name, names[i]);
        if (!is_replaced)
            members[all++] = (ctn_type_member){names[i], types[i], true};
    }
    for (uint32_t i = 0; i < all; i++) /* what never is was a fault, and told */
        if (ctn_type_is_never(members[i].type))
            members[i].type = &ctn_type_any;
    return ctn_type_object(arena, members, all, set->result.node ? extra->rest : &ctn_type_never);
}

const ctn_type *flow_type_of_set(flow_scope *scope, const ctn_instruction_set *set, bool is_parallel)
{
    const ctn_type *result =
        set->work.kind == CTN_WORK_CALLS ? type_of_calls(scope, set, is_parallel) : type_of_work(scope, &set->work);
    if (set->check)
        (void) type_of_work(scope, set->check);
    return result;
}
