/*
 * schema_flow_value.c -- the types of names, templates, trees and expressions.
 *
 * What must hold: a placeholder that can do without a value ({x?}, default) is never at fault for its path, and no
 * condition is, for they read null; a name of which nothing is known is `any`.
 */
#include "value/expression_node.h"
#include "check/schema_flow_internal.h"
#include <assert.h>

#define WRITERS_MAX 64

/* ---- names ---- */

const ctn_type *flow_type_of_variable(const flow_scope *scope, uint32_t variable)
{
    flow_chain *c = scope->chain;
    assert(c);
    ctn_arena *arena = scope->flow->arena;
    const ctn_graph_steps *writers = &c->graph->writers[variable];
    if (writers->count > WRITERS_MAX)
        return &ctn_type_any;
    const ctn_type *t = &ctn_type_never;
    for (uint32_t k = 0; k < writers->count; k++) {
        uint32_t w = writers->items[k];
        bool is_before =
            scope->step == CTN_GRAPH_NONE || (w != scope->step && ctn_graph_precedes(c->graph, w, scope->step));
        if (!is_before && !scope->is_undo)
            continue;
        if (!c->outputs[w])
            return &ctn_type_any;
        for (uint32_t i = 0; i < c->graph->steps[w].write_count; i++)
            if (c->graph->steps[w].writes[i] == variable)
                t = ctn_type_union(arena, t, c->outputs[w][i]);
    }
    if (c->graph->is_input[variable]) {
        const ctn_type *input = ctn_type_member_of(c->input, c->graph->variables.items[variable], NULL);
        t = ctn_type_is_never(input) ? &ctn_type_any : ctn_type_union(arena, t, input);
    }
    return ctn_type_is_never(t) ? &ctn_type_any : t;
}

static const ctn_type *type_of_root_object(ctn_arena *arena, const char *const *names, const unsigned *kinds,
                                           uint32_t count)
{
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, count);
    for (uint32_t i = 0; i < count; i++)
        members[i] = (ctn_type_member){ctn_str_from(names[i]), ctn_type_of_kinds(arena, kinds[i]), true};
    return ctn_type_object(arena, members, count, &ctn_type_never);
}

static const ctn_type *type_of_reserved(const flow_scope *scope, ctn_str name)
{
    static const char *const EXECUTION[] = {"id", "chain", "startedAt"}, *const STEP[] = {"name", "attempt", "key"};
    static const unsigned EXECUTION_KINDS[] = {CTN_TYPE_STRING, CTN_TYPE_STRING, CTN_TYPE_STRING},
                          STEP_KINDS[] = {CTN_TYPE_STRING, CTN_TYPE_INTEGER, CTN_TYPE_STRING};
    ctn_arena *arena = scope->flow->arena;
    if (ctn_str_is(name, "input"))
        return scope->input ? scope->input : &ctn_type_any;
    if (ctn_str_is(name, "result"))
        return scope->result ? scope->result : &ctn_type_any;
    if (ctn_str_is(name, "execution"))
        return type_of_root_object(arena, EXECUTION, EXECUTION_KINDS, 3);
    if (ctn_str_is(name, "step"))
        return type_of_root_object(arena, STEP, STEP_KINDS, 3);
    if (ctn_str_is(name, "now"))
        return ctn_type_of_kinds(arena, CTN_TYPE_STRING);
    return &ctn_type_any;
}

/* Of the item that is undone; NULL: it is none of its outputs. */
static const ctn_type *type_of_own_output(const flow_scope *scope, ctn_str name)
{
    const ctn_graph *graph = scope->chain->graph;
    const ctn_graph_step *step = &graph->steps[scope->step];
    for (uint32_t i = 0; i < step->write_count; i++)
        if (ctn_str_equal(graph->variables.items[step->writes[i]], name))
            return scope->own[i];
    return NULL;
}

/* As ctn_scope looks names up: earlier calls, the item, variables, reserved roots. */
static const ctn_type *type_of_root(const flow_scope *scope, ctn_str name)
{
    for (uint32_t i = 0; i < scope->call_count; i++)
        if (ctn_str_equal(scope->call_names[i], name))
            return scope->call_types[i];
    if (scope->item && (ctn_str_is(name, "item") || (scope->as.len && ctn_str_equal(scope->as, name))))
        return scope->item;
    const ctn_type *own = scope->own ? type_of_own_output(scope, name) : NULL;
    if (own)
        return own;
    if (scope->chain && !ctn_is_reserved_root(name)) {
        uint32_t v = ctn_names_find(&scope->chain->graph->variables, name);
        return v == CTN_NAMES_NONE ? &ctn_type_any : flow_type_of_variable(scope, v);
    }
    return ctn_is_reserved_root(name) ? type_of_reserved(scope, name) : &ctn_type_any;
}

/* ---- filters ---- */

/* t is without null, which passes every filter but default. */
static const ctn_type *type_of_filter(flow_scope *scope, const ctn_filter_kind *f, const ctn_type *t,
                                      const ctn_json *node, ctn_str path)
{
    ctn_arena *arena = scope->flow->arena;
    if (ctn_type_is_never(t))
        return &ctn_type_any;
    if (!(t->kinds & f->takes)) {
        flow_report(scope, node, "schema-mismatch", t->is_observed, "filter '%s' takes %s; {%.*s} is of type %.*s",
                    f->name, f->wants, CTN_STR_ARG(path), CTN_STR_ARG(ctn_type_describe(arena, t)));
        return &ctn_type_any;
    }
    switch (f->gives) {
    case CTN_FILTER_GIVES_KINDS: return ctn_type_of_kinds(arena, f->gives_kinds);
    case CTN_FILTER_GIVES_SAME_KIND: return ctn_type_of_kinds(arena, f->gives_kinds & t->kinds);
    case CTN_FILTER_GIVES_SAME_ITEMS: return ctn_type_list_of(arena, ctn_type_item_of(arena, t));
    case CTN_FILTER_GIVES_ITEM: break;
    }
    const ctn_type *item = ctn_type_item_of(arena, t);
    if (t->kinds & CTN_TYPE_STRING)
        item = ctn_type_union(arena, item, ctn_type_of_kinds(arena, CTN_TYPE_STRING));
    return ctn_type_union(arena, item, ctn_type_of_kinds(arena, CTN_TYPE_NULL));
}

/* ---- placeholders ---- */

/* The path up to its part number `stop`: what that part was looked for in. */
static ctn_str path_before(ctn_arena *arena, const ctn_path *path, size_t stop)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_buf_append(&out, path->root);
    for (size_t i = 0; i < stop; i++)
        if (path->parts[i].name.ptr)
            ctn_buf_printf(&out, ".%.*s", CTN_STR_ARG(path->parts[i].name));
        else
            ctn_buf_printf(&out, "[%lld]", (long long) path->parts[i].index);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

static void report_path(flow_scope *scope, const ctn_json *node, const ctn_path *path, size_t stop, const ctn_type *at)
{
    ctn_arena *arena = scope->flow->arena;
    const ctn_path_part *part = &path->parts[stop];
    bool is_default_input = ctn_str_is(path->root, "result") || (ctn_str_is(path->root, "input") && !scope->input_node);
    if (scope->is_undo && stop == 0 && is_default_input)
        return; /* no output of the step: unrenderable-undo */
    ctn_str before = path_before(arena, path, stop);
    unsigned wanted = part->name.ptr ? CTN_TYPE_OBJECT : CTN_TYPE_LIST;
    if (!(at->kinds & wanted))
        flow_report(scope, node, "schema-mismatch", at->is_observed,
                    "{%.*s} leads nowhere: '%.*s' is of type %.*s, not %s", CTN_STR_ARG(path->text),
                    CTN_STR_ARG(before), CTN_STR_ARG(ctn_type_describe(arena, at)),
                    part->name.ptr ? "an object" : "a list");
    else if (part->name.ptr)
        flow_report(scope, node, "schema-mismatch", at->is_observed,
                    "{%.*s} leads nowhere: '%.*s' never has a member '%.*s'; %.*s", CTN_STR_ARG(path->text),
                    CTN_STR_ARG(before), CTN_STR_ARG(part->name),
                    CTN_STR_ARG(ctn_type_suggest_member(arena, at, part->name)));
    else
        flow_report(scope, node, "schema-mismatch", at->is_observed,
                    "{%.*s} leads nowhere: '%.*s' never has an item [%lld]", CTN_STR_ARG(path->text),
                    CTN_STR_ARG(before), (long long) part->index);
}

/* *ret_may_lack: it is {x?} and may give nothing. */
static const ctn_type *type_of_hole(flow_scope *scope, const ctn_template_hole *hole, const ctn_json *node,
                                    bool *ret_may_lack)
{
    ctn_arena *arena = scope->flow->arena;
    const ctn_type *root = type_of_root(scope, hole->path->root);
    const ctn_type *at = NULL;
    size_t stop = 0;
    bool has_default = false, gives_null = false;
    for (size_t i = 0; i < hole->filter_count; i++)
        has_default |= ctn_filter_is_default(&hole->filters[i]);
    const ctn_type *t = ctn_type_follow(arena, root, hole->path->parts, hole->path->count, &stop, &at);
    *ret_may_lack = hole->is_optional;
    if (ctn_type_is_never(t) && !ctn_type_is_never(root) && !hole->is_optional && !has_default &&
        root->kinds != CTN_TYPE_NULL) {
        report_path(scope, node, hole->path, stop, at);
        return &ctn_type_any;
    }
    if (ctn_type_is_never(t) && !hole->is_optional && !has_default)
        return &ctn_type_any; /* what is never there is the business of other rules */
    t = ctn_type_only(arena, t, CTN_TYPE_ALL & ~(unsigned) CTN_TYPE_NULL);
    for (size_t i = 0; i < hole->filter_count; i++) {
        const ctn_filter *filter = &hole->filters[i];
        if (ctn_filter_is_default(filter)) {
            gives_null = ctn_json_is(filter->argument, CTN_JSON_NULL);
            t = ctn_type_union(arena, t, ctn_type_of_value(arena, filter->argument));
        } else if (!ctn_type_is_never(t)) {
            t = type_of_filter(scope, filter->kind, t, node, hole->path->text);
        }
        if (!ctn_filter_is_default(filter) || !gives_null)
            t = ctn_type_only(arena, t, CTN_TYPE_ALL & ~(unsigned) CTN_TYPE_NULL);
    }
    return gives_null ? ctn_type_union(arena, t, ctn_type_of_kinds(arena, CTN_TYPE_NULL)) : t;
}

const ctn_type *flow_type_of_template(flow_scope *scope, const ctn_template *t, const ctn_json *node,
                                      bool *ret_may_lack)
{
    ctn_arena *arena = scope->flow->arena;
    ctn_template_hole hole;
    bool may_lack = false;
    const ctn_type *type = &ctn_type_any;
    if (ret_may_lack)
        *ret_may_lack = false;
    const ctn_json *constant = ctn_template_constant(t, arena);
    if (constant)
        return ctn_type_of_value(arena, constant);
    for (size_t i = 0; ctn_template_hole_at(t, i, &hole); i++)
        type = type_of_hole(scope, &hole, node, &may_lack);
    if (!ctn_template_is_alone(t))
        return ctn_type_of_kinds(arena, CTN_TYPE_STRING);
    if (ret_may_lack)
        *ret_may_lack = may_lack;
    return type;
}

/* ---- trees ---- */

const ctn_json *flow_literal_of(ctn_schema_flow *flow, const ctn_json *node)
{
    if (ctn_json_is(node, CTN_JSON_STRING)) {
        const ctn_template *t = flow_template_of(flow, node);
        const ctn_json *text = t ? ctn_template_constant(t, flow->arena) : NULL;
        return text && ctn_json_equal(text, node) ? node : text;
    }
    bool is_object = ctn_json_is(node, CTN_JSON_OBJECT), is_changed = false;
    if (!is_object && !ctn_json_is(node, CTN_JSON_ARRAY))
        return node;
    ctn_json_builder b = is_object ? ctn_json_object(flow->arena) : ctn_json_array(flow->arena);
    for (size_t i = 0; i < ctn_json_count(node); i++) {
        const ctn_json *inner = is_object ? &node->members[i].value : &node->items[i];
        const ctn_json *value = flow_literal_of(flow, inner);
        if (!value)
            return NULL;
        is_changed |= value != inner;
        if (is_object)
            ctn_json_put(&b, ctn_json_text(&node->members[i].key), value);
        else
            ctn_json_push(&b, value);
    }
    return is_changed ? ctn_json_finish(&b) : node;
}

/* Where in the tree one is, for sentences: "argument 'who' of s/t, member 'id'". */
typedef struct place {
    const struct place *outer; /* NULL: who receives the whole */
    ctn_str name;              /* of the receiver, or of a member; empty: an item */
    uint32_t index;
} place;

static ctn_str told(ctn_arena *arena, const place *at)
{
    if (!at->outer)
        return at->name;
    ctn_str outer = told(arena, at->outer);
    if (!at->name.ptr)
        return ctn_arena_printf(arena, "%.*s, item %u", CTN_STR_ARG(outer), at->index);
    return at->outer->outer
               ? ctn_arena_printf(arena, "%.*s, member '%.*s'", CTN_STR_ARG(outer), CTN_STR_ARG(at->name))
               : ctn_arena_printf(arena, "argument '%.*s' of %.*s", CTN_STR_ARG(at->name), CTN_STR_ARG(outer));
}

typedef struct tree_walk {
    flow_scope *scope;
    bool is_told; /* a fault was told inside: the whole is not judged again */
} tree_walk;

static const ctn_type *type_of_node(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at,
                                    bool *ret_may_lack);

/* A template that hands on {input}: the fault is in what made the input, if the chain wrote that. */
static bool hands_on_input(const flow_scope *scope, const ctn_template *t)
{
    ctn_template_hole hole;
    return scope->set && scope->input_node && ctn_template_is_alone(t) && ctn_template_hole_at(t, 0, &hole) &&
           ctn_str_is(hole.path->root, "input") && !hole.path->count && !hole.filter_count;
}

static const ctn_type *type_of_text(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at,
                                    bool *ret_may_lack)
{
    flow_scope *scope = w->scope;
    ctn_arena *arena = scope->flow->arena;
    const ctn_template *t = flow_template_of(scope->flow, node);
    if (!t)
        return &ctn_type_any; /* told when the file was read */
    size_t before = scope->error_count;
    const ctn_type *type = flow_type_of_template(scope, t, node, ret_may_lack);
    ctn_type_clash clash;
    w->is_told |= scope->error_count != before;
    if (ctn_type_is_never(type) || ctn_type_can_fit(arena, type, wanted, &clash))
        return type;
    w->is_told = true;
    if (hands_on_input(scope, t)) {
        flow_scope outer = *scope;
        outer.set = NULL;
        flow_report(&outer, scope->input_node, "schema-mismatch", clash.is_observed, "%.*s is this input: %.*s",
                    CTN_STR_ARG(told(arena, at)), CTN_STR_ARG(clash.sentence));
        scope->error_count = outer.error_count;
        return &ctn_type_any;
    }
    flow_report(scope, node, "schema-mismatch", clash.is_observed, "%.*s: %.*s", CTN_STR_ARG(told(arena, at)),
                CTN_STR_ARG(clash.sentence));
    return &ctn_type_any;
}

static void report_lacking(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at, ctn_str name)
{
    ctn_str what = told(w->scope->flow->arena, at);
    w->is_told = true;
    /* A member that is none and stands there misspelt. */
    ctn_str near = {0};
    for (uint32_t i = 0; i < node->count && !near.len; i++) {
        bool is_known = false;
        for (uint32_t k = 0; k < wanted->member_count; k++)
            is_known |= ctn_str_equal(wanted->members[k].name, ctn_json_text(&node->members[i].key));
        if (!is_known && ctn_str_nearest(ctn_json_text(&node->members[i].key), &name, 1).len)
            near = ctn_json_text(&node->members[i].key);
    }
    ctn_str advice =
        near.len ? ctn_arena_printf(w->scope->flow->arena, "is '%.*s' meant?", CTN_STR_ARG(near)) : CTN_STR("add it");
    if (!at->outer)
        flow_report(w->scope, node, "missing-argument", false, "%.*s needs the argument '%.*s', which is not set; %.*s",
                    CTN_STR_ARG(what), CTN_STR_ARG(name), CTN_STR_ARG(advice));
    else
        flow_report(w->scope, node, "schema-mismatch", false,
                    "%.*s: expected a member '%.*s', which is not there; %.*s", CTN_STR_ARG(what), CTN_STR_ARG(name),
                    CTN_STR_ARG(advice));
}

static const ctn_type *type_of_object(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at)
{
    ctn_arena *arena = w->scope->flow->arena;
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, node->count);
    bool is_judged = (wanted->kinds & CTN_TYPE_OBJECT) != 0;
    for (uint32_t i = 0; i < node->count; i++) {
        ctn_str name = ctn_json_text(&node->members[i].key);
        const ctn_type *of_member = is_judged ? ctn_type_member_of(wanted, name, NULL) : &ctn_type_any;
        place inner = {.outer = at, .name = name};
        bool may_lack = false, is_none = ctn_type_is_never(of_member);
        const ctn_type *type =
            type_of_node(w, &node->members[i].value, is_none ? &ctn_type_any : of_member, &inner, &may_lack);
        members[i] = (ctn_type_member){name, type, !may_lack};
        if (is_none && !may_lack) {
            w->is_told = true;
            flow_report(w->scope, &node->members[i].key, "schema-mismatch", false, "%.*s takes no %s '%.*s'; %.*s",
                        CTN_STR_ARG(told(arena, at)), at->outer ? "member" : "argument", CTN_STR_ARG(name),
                        CTN_STR_ARG(ctn_type_suggest_member(arena, wanted, name)));
        }
    }
    for (uint32_t k = 0; is_judged && k < wanted->member_count; k++)
        if (wanted->members[k].is_required && !ctn_json_get(node, wanted->members[k].name))
            report_lacking(w, node, wanted, at, wanted->members[k].name);
    return ctn_type_object(arena, members, node->count, &ctn_type_never);
}

static const ctn_type *type_of_list(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at)
{
    ctn_arena *arena = w->scope->flow->arena;
    const ctn_type **first = CTN_NEW_ARRAY(arena, const ctn_type *, node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        const ctn_type *of_item = wanted->kinds & CTN_TYPE_LIST ? ctn_type_item_at(arena, wanted, i) : &ctn_type_any;
        bool may_lack = false;
        place inner = {.outer = at, .index = i};
        first[i] =
            type_of_node(w, &node->items[i], ctn_type_is_never(of_item) ? &ctn_type_any : of_item, &inner, &may_lack);
        if (may_lack) /* in a list it is empty text */
            first[i] = ctn_type_union(arena, first[i], ctn_type_of_kinds(arena, CTN_TYPE_STRING));
    }
    return ctn_type_list(arena, first, node->count, &ctn_type_never);
}

static const ctn_type *type_of_node(tree_walk *w, const ctn_json *node, const ctn_type *wanted, const place *at,
                                    bool *ret_may_lack)
{
    ctn_arena *arena = w->scope->flow->arena;
    *ret_may_lack = false;
    if (ctn_json_is(node, CTN_JSON_STRING))
        return type_of_text(w, node, wanted, at, ret_may_lack);
    const ctn_type *type;
    bool was_told = w->is_told;
    w->is_told = false;
    if (ctn_json_is(node, CTN_JSON_OBJECT))
        type = type_of_object(w, node, wanted, at);
    else if (ctn_json_is(node, CTN_JSON_ARRAY))
        type = type_of_list(w, node, wanted, at);
    else
        type = ctn_type_of_value(arena, node);
    const ctn_json *literal = flow_literal_of(w->scope->flow, node);
    if (literal) /* exactly this */
        type = ctn_type_of_value(arena, literal);
    ctn_type_clash clash;
    if (!w->is_told && !ctn_type_can_fit(arena, type, wanted, &clash)) {
        w->is_told = true;
        flow_report(w->scope, node, "schema-mismatch", clash.is_observed, "%.*s: %.*s", CTN_STR_ARG(told(arena, at)),
                    CTN_STR_ARG(clash.sentence));
    }
    bool is_at_fault = w->is_told;
    w->is_told |= was_told;
    return is_at_fault ? ctn_type_of_kinds(arena, type->kinds) : type;
}

const ctn_type *flow_type_of_tree(flow_scope *scope, const ctn_json *node, const ctn_type *wanted, ctn_str what)
{
    tree_walk w = {.scope = scope};
    bool may_lack;
    return type_of_node(&w, node, wanted, &(place){.name = what}, &may_lack);
}

/* ---- expressions ---- */

const ctn_type *flow_type_of_expression(flow_scope *scope, const ctn_expression *expression)
{
    ctn_arena *arena = scope->flow->arena;
    const expression_node *node = expression->root;
    switch (node->kind) {
    case NODE_PATH: {
        const ctn_type *t = ctn_type_follow(arena, type_of_root(scope, node->path.root), node->path.parts,
                                            node->path.count, NULL, NULL);
        return ctn_type_union(arena, t, ctn_type_of_kinds(arena, CTN_TYPE_NULL)); /* missing reads as null */
    }
    case NODE_COMPARE:
    case NODE_IN:
    case NODE_MATCHES:
    case NODE_NOT: return ctn_type_of_kinds(arena, CTN_TYPE_BOOLEAN);
    default: return &ctn_type_any;
    }
}
