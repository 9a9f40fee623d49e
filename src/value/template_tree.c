/*
 * template_tree.c -- a JSON tree whose strings are templates.
 *
 * A branch without any placeholder is rendered once, at compile, and shared by every result; so rendering
 * costs what the placeholders cost. Keys are never templates.
 */
#include "value/template.h"
#include "value/template_parts.h"
#include "value/use.h"

typedef enum tree_kind { TREE_CONSTANT, TREE_TEMPLATE, TREE_ARRAY, TREE_OBJECT } tree_kind;

struct ctn_tree {
    tree_kind kind;
    const ctn_json *source;
    const ctn_json *constant;
    ctn_template *text;
    ctn_tree *children; /* of an array or object, in the source's order */
};

static const ctn_json *child_at(const ctn_json *container, size_t i)
{
    return container->kind == CTN_JSON_ARRAY ? &container->items[i] : &container->members[i].value;
}

/* All children are constants: so is their parent. Without any change it is the source itself. */
static void fold_constant(ctn_arena *arena, ctn_tree *node)
{
    size_t count = ctn_json_count(node->source);
    bool is_array = node->kind == TREE_ARRAY, is_changed = false;
    for (size_t i = 0; i < count; i++) {
        if (node->children[i].kind != TREE_CONSTANT)
            return;
        is_changed = is_changed || node->children[i].constant != child_at(node->source, i);
    }
    node->kind = TREE_CONSTANT;
    node->constant = node->source;
    if (!is_changed)
        return;
    ctn_json_builder builder = is_array ? ctn_json_array(arena) : ctn_json_object(arena);
    for (size_t i = 0; i < count; i++) {
        if (is_array)
            ctn_json_push(&builder, node->children[i].constant);
        else
            ctn_json_put(&builder, ctn_json_text(&node->source->members[i].key), node->children[i].constant);
    }
    node->constant = ctn_json_finish(&builder);
}

static int compile_text(ctn_arena *arena, const ctn_json *source, bool is_url, ctn_tree *node,
                        const ctn_json **ret_bad_node, ctn_err *err)
{
    node->source = source;
    int rc = is_url ? ctn_template_compile_url(arena, ctn_json_text(source), &node->text, err)
                    : ctn_template_compile(arena, ctn_json_text(source), &node->text, err);
    if (rc) {
        *ret_bad_node = source;
        return rc;
    }
    const ctn_json *constant = ctn_template_constant(node->text, arena);
    node->kind = constant ? TREE_CONSTANT : TREE_TEMPLATE;
    node->constant = constant && ctn_json_equal(constant, source) ? source : constant;
    return CTN_OK;
}

/* way NULL: templates all through. */
static int compile_node(ctn_arena *arena, const ctn_json *source, ctn_tree_way_fn *way, ctn_tree *node,
                        const ctn_json **ret_bad_node, ctn_err *err)
{
    node->source = source;
    if (ctn_json_is(source, CTN_JSON_STRING))
        return compile_text(arena, source, false, node, ret_bad_node, err);
    if (!ctn_json_is(source, CTN_JSON_ARRAY) && !ctn_json_is(source, CTN_JSON_OBJECT)) {
        node->kind = TREE_CONSTANT;
        node->constant = source;
        return CTN_OK;
    }
    node->kind = ctn_json_is(source, CTN_JSON_ARRAY) ? TREE_ARRAY : TREE_OBJECT;
    size_t count = ctn_json_count(source);
    node->children = CTN_NEW_ARRAY(arena, ctn_tree, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *child = child_at(source, i);
        ctn_tree_way taken = way ? way(ctn_json_text(&source->members[i].key)) : CTN_TREE_TEMPLATES;
        int rc = CTN_OK;
        if (taken == CTN_TREE_LITERAL)
            node->children[i] = (ctn_tree){.kind = TREE_CONSTANT, .source = child, .constant = child};
        else if (taken == CTN_TREE_URL && ctn_json_is(child, CTN_JSON_STRING))
            rc = compile_text(arena, child, true, &node->children[i], ret_bad_node, err);
        else
            rc = compile_node(arena, child, NULL, &node->children[i], ret_bad_node, err);
        if (rc)
            return rc;
    }
    fold_constant(arena, node);
    return CTN_OK;
}

int ctn_tree_compile(ctn_arena *arena, const ctn_json *source, ctn_tree **ret_tree, const ctn_json **ret_bad_node,
                     ctn_err *err)
{
    return ctn_tree_compile_members(arena, source, NULL, ret_tree, ret_bad_node, err);
}

int ctn_tree_compile_members(ctn_arena *arena, const ctn_json *source, ctn_tree_way_fn *way, ctn_tree **ret_tree,
                             const ctn_json **ret_bad_node, ctn_err *err)
{
    ctn_tree *tree = CTN_NEW(arena, ctn_tree);
    const ctn_json *bad_node = NULL;
    bool is_object = ctn_json_is(source, CTN_JSON_OBJECT);
    int rc = compile_node(arena, source ? source : &ctn_json_null, is_object ? way : NULL, tree, &bad_node, err);
    if (rc == CTN_OK)
        *ret_tree = tree;
    else if (ret_bad_node)
        *ret_bad_node = bad_node;
    return rc;
}

void ctn_tree_reads(const ctn_tree *t, ctn_arena *arena, ctn_reads *reads)
{
    if (t && t->kind == TREE_TEMPLATE) {
        size_t before = reads->count;
        ctn_template_reads(t->text, arena, reads);
        for (size_t i = before; i < reads->count; i++)
            reads->items[i].node = t->source;
    } else if (t && (t->kind == TREE_ARRAY || t->kind == TREE_OBJECT)) {
        for (size_t i = 0; i < ctn_json_count(t->source); i++)
            ctn_tree_reads(&t->children[i], arena, reads);
    }
}

size_t ctn_tree_member_count(const ctn_tree *t)
{
    return t->kind == TREE_OBJECT ? ctn_json_count(t->source) : 0;
}

const ctn_tree *ctn_tree_member(const ctn_tree *t, size_t i, ctn_str *ret_name)
{
    *ret_name = ctn_json_text(&t->source->members[i].key);
    return &t->children[i];
}

const ctn_tree *ctn_tree_get(const ctn_tree *t, ctn_str name)
{
    for (size_t i = 0; t && i < ctn_tree_member_count(t); i++)
        if (ctn_str_equal(ctn_json_text(&t->source->members[i].key), name))
            return &t->children[i];
    return NULL;
}

void ctn_tree_uses(const ctn_tree *t, ctn_use_fn *fn, void *ctx)
{
    if (t->kind == TREE_TEMPLATE)
        ctn_template_uses(t->text, fn, ctx);
    else if (t->kind == TREE_ARRAY || t->kind == TREE_OBJECT)
        for (size_t i = 0; i < ctn_json_count(t->source); i++)
            ctn_tree_uses(&t->children[i], fn, ctx);
}

typedef struct renderer {
    const ctn_scope *scope;
    ctn_arena *arena;
    size_t bytes_max;
    size_t bytes_left; /* of all rendered values together */
    ctn_err *err;
} renderer;

/* Says in which argument it went wrong: "passengers: [0]: name: {x} is not defined", from the inside out. */
static void add_place(ctn_err *err, const ctn_json *source, size_t i)
{
    if (!err)
        return;
    if (source->kind == CTN_JSON_ARRAY)
        (void) ctn_wrap(err, err->code, "[%zu]", i);
    else
        (void) ctn_wrap(err, err->code, "%.*s", CTN_STR_ARG(ctn_json_text(&source->members[i].key)));
}

/* *ret_value NULL: {x?} alone, missing. */
static ctn_failure render_node(renderer *r, const ctn_tree *node, const ctn_json **ret_value)
{
    if (node->kind == TREE_CONSTANT) {
        *ret_value = node->constant;
        return CTN_FAILURE_NONE;
    }
    if (node->kind == TREE_TEMPLATE) {
        ctn_failure failure =
            ctn_template_render_or_absent(node->text, r->scope, r->arena, r->bytes_max, ret_value, r->err);
        if (failure || !*ret_value)
            return failure;
        size_t bytes = ctn_json_bytes(*ret_value);
        if (bytes > r->bytes_left)
            return ctn_failure_tell(r->err, CTN_FAILURE_LIMIT,
                                    "the rendered arguments have more than the %zu bytes allowed", r->bytes_max);
        r->bytes_left -= bytes;
        return CTN_FAILURE_NONE;
    }
    bool is_array = node->kind == TREE_ARRAY;
    ctn_json_builder builder = is_array ? ctn_json_array(r->arena) : ctn_json_object(r->arena);
    for (size_t i = 0; i < ctn_json_count(node->source); i++) {
        const ctn_json *value = NULL;
        ctn_failure failure = render_node(r, &node->children[i], &value);
        if (failure) {
            add_place(r->err, node->source, i);
            return failure;
        }
        if (is_array)
            ctn_json_push(&builder, value ? value : ctn_json_string(r->arena, (ctn_str){0}));
        else if (value)
            ctn_json_put(&builder, ctn_json_text(&node->source->members[i].key), value);
    }
    *ret_value = ctn_json_finish(&builder);
    return CTN_FAILURE_NONE;
}

ctn_failure ctn_tree_render(const ctn_tree *t, const ctn_scope *scope, ctn_arena *arena, size_t bytes_max,
                            const ctn_json **ret_value, ctn_err *err)
{
    renderer r = {.scope = scope, .arena = arena, .bytes_max = bytes_max, .bytes_left = bytes_max, .err = err};
    const ctn_json *value = NULL;
    ctn_failure failure = render_node(&r, t, &value);
    if (!failure)
        *ret_value = value ? value : ctn_json_string(arena, (ctn_str){0});
    return failure;
}
