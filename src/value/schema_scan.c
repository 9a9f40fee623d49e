/*
 * schema_scan.c -- which parts of a document are schemas, what they are called, and where references lead.
 *
 * What must hold: only what stands at a keyword's place is a schema (a "$id" inside of `enum` names
 * nothing), and every name is known before the first reference is looked up. Therefore entering a node
 * registers the whole tree below it; references come later, in compile. A reference may lead by JSON Pointer
 * to a place that no keyword makes a schema: that place is entered when it is first asked for.
 */
#include "value/schema_internal.h"
#include "value/uri.h"
#include <assert.h>
#include <stdlib.h>

/* Base of a document that does not name itself; nothing can name it from outside. */
#define OWN_BASE    "catena:///schema"
#define DIALECT     "https://json-schema.org/draft/2020-12/schema"
#define META_PREFIX "https://json-schema.org/draft/2020-12/"

static const char *const ONE_SCHEMA[] = {"additionalProperties",
                                         "propertyNames",
                                         "items",
                                         "contains",
                                         "unevaluatedItems",
                                         "unevaluatedProperties",
                                         "not",
                                         "if",
                                         "then",
                                         "else",
                                         "contentSchema",
                                         NULL};
static const char *const LIST_OF_SCHEMAS[] = {"allOf", "anyOf", "oneOf", "prefixItems", NULL};
static const char *const TABLE_OF_SCHEMAS[] = {"properties", "patternProperties", "dependentSchemas", "$defs", NULL};

int ctn_schema_refuse(ctn_schema_compiler *c, int code, const ctn_json *at, const char *format, ...)
{
    c->bad_node = at;
    va_list args;
    va_start(args, format);
    ctn_vfail(c->err, code, format, args);
    va_end(args);
    return code;
}

/* ---- nodes by place ---- */

static ctn_schema_slot *slot_of(ctn_schema_slot *slots, size_t capacity, const ctn_json *source,
                                const ctn_schema_resource *around)
{
    uint64_t mixed =
        ((uint64_t) (uintptr_t) source ^ ((uint64_t) (uintptr_t) around << 7)) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t) (mixed >> 32) & (capacity - 1);
    while (slots[at].node && (slots[at].source != source || slots[at].around != around))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static ctn_schema_node *find_node(const ctn_schema_compiler *c, const ctn_json *source,
                                  const ctn_schema_resource *around)
{
    return c->slot_capacity ? slot_of(c->slots, c->slot_capacity, source, around)->node : NULL;
}

static int add_node(ctn_schema_compiler *c, const ctn_json *source, const ctn_schema_resource *around,
                    ctn_schema_node **ret_node)
{
    if (c->node_count == CTN_SCHEMA_NODES_MAX)
        return ctn_schema_refuse(c, CTN_E_LIMIT, source, "more than %d subschemas", CTN_SCHEMA_NODES_MAX);
    c->nodes = ctn_arena_room(c->arena, c->nodes, c->node_count, &c->node_capacity, sizeof *c->nodes);
    if (2 * (c->slot_count + 1) > c->slot_capacity) {
        size_t capacity = c->slot_capacity ? 2 * c->slot_capacity : 64;
        ctn_schema_slot *slots = CTN_NEW_ARRAY(c->arena, ctn_schema_slot, capacity);
        for (size_t i = 0; i < c->slot_capacity; i++)
            if (c->slots[i].node)
                *slot_of(slots, capacity, c->slots[i].source, c->slots[i].around) = c->slots[i];
        c->slots = slots;
        c->slot_capacity = capacity;
    }
    ctn_schema_node *node = CTN_NEW(c->arena, ctn_schema_node);
    node->source = source;
    c->nodes[c->node_count++] = node;
    c->slot_count++;
    *slot_of(c->slots, c->slot_capacity, source, around) = (ctn_schema_slot){source, around, node};
    *ret_node = node;
    return CTN_OK;
}

/* ---- names ---- */

static ctn_schema_resource *find_resource(const ctn_schema_compiler *c, ctn_str uri)
{
    for (size_t i = 0; i < c->resource_count; i++)
        if (ctn_str_equal(c->resources[i]->uri, uri))
            return c->resources[i];
    return NULL;
}

static int add_resource(ctn_schema_compiler *c, ctn_str uri, ctn_schema_node *node, const ctn_json *at)
{
    ctn_schema_resource *known = find_resource(c, uri);
    if (known && known->root != node->source)
        return ctn_schema_refuse(c, CTN_E_INVALID, at, "$id %.*s is given twice", CTN_STR_ARG(uri));
    if (known) { /* one part of the tree in two places */
        node->resource = known;
        return CTN_OK;
    }
    if (c->resource_count == CTN_SCHEMA_RESOURCES_MAX)
        return ctn_schema_refuse(c, CTN_E_LIMIT, at, "more than %d schemas with an $id", CTN_SCHEMA_RESOURCES_MAX);
    if (!c->resources)
        c->resources = CTN_NEW_ARRAY(c->arena, ctn_schema_resource *, CTN_SCHEMA_RESOURCES_MAX);
    ctn_schema_resource *resource = CTN_NEW(c->arena, ctn_schema_resource);
    *resource = (ctn_schema_resource){.uri = uri, .root = node->source, .node = node};
    c->resources[c->resource_count++] = resource;
    node->resource = resource;
    return CTN_OK;
}

static ctn_schema_anchor *find_anchor(const ctn_schema_compiler *c, const ctn_schema_resource *resource, ctn_str name)
{
    for (size_t i = 0; i < c->anchor_count; i++)
        if (c->anchors[i].resource == resource && ctn_str_equal(c->anchors[i].name, name))
            return &c->anchors[i];
    return NULL;
}

static void keep_dynamic_anchor(ctn_schema_compiler *c, const ctn_schema_anchor *anchor, ctn_schema_resource *resource)
{
    resource->dynamic_anchors = ctn_arena_room(c->arena, resource->dynamic_anchors, resource->dynamic_count,
                                               &resource->dynamic_capacity, sizeof *resource->dynamic_anchors);
    resource->dynamic_anchors[resource->dynamic_count++] = *anchor;
}

static bool is_anchor_name(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        bool is_letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        if (!is_letter && (i == 0 || !((ch >= '0' && ch <= '9') || ch == '-' || ch == '.')))
            return false;
    }
    return s.len > 0;
}

static int add_anchor(ctn_schema_compiler *c, ctn_schema_node *node, const char *keyword, bool is_dynamic)
{
    const ctn_json *value = ctn_json_member_of(node->source, keyword);
    if (!value)
        return CTN_OK;
    ctn_str name = ctn_json_text(value);
    if (!ctn_json_is(value, CTN_JSON_STRING) || !is_anchor_name(name))
        return ctn_schema_refuse(c, CTN_E_INVALID, value, "%s must be a name: letters, digits, '-', '_' and '.'",
                                 keyword);
    ctn_schema_anchor *known = find_anchor(c, node->resource, name);
    if (known && known->node->source != node->source)
        return ctn_schema_refuse(c, CTN_E_INVALID, value, "the anchor %.*s is given twice", CTN_STR_ARG(name));
    if (known)
        return CTN_OK;
    if (c->anchor_count == CTN_SCHEMA_ANCHORS_MAX)
        return ctn_schema_refuse(c, CTN_E_LIMIT, value, "more than %d anchors", CTN_SCHEMA_ANCHORS_MAX);
    c->anchors = ctn_arena_room(c->arena, c->anchors, c->anchor_count, &c->anchor_capacity, sizeof *c->anchors);
    ctn_schema_anchor anchor = {node->resource, name, node, is_dynamic};
    c->anchors[c->anchor_count++] = anchor;
    if (is_dynamic)
        keep_dynamic_anchor(c, &anchor, node->resource);
    return CTN_OK;
}

/* Which resource a node belongs to: its own when it has an $id, else the one around it. */
static int settle_resource(ctn_schema_compiler *c, ctn_schema_node *node, ctn_schema_resource *around)
{
    ctn_str base = around ? around->uri : CTN_STR(OWN_BASE), fragment;
    const ctn_json *id = ctn_json_member_of(node->source, "$id");
    if (!id && around) {
        node->resource = around;
        return CTN_OK;
    }
    if (id && !ctn_json_is(id, CTN_JSON_STRING))
        return ctn_schema_refuse(c, CTN_E_INVALID, id, "$id must be a URI, got %s", ctn_json_kind_name(id));
    ctn_str uri = id ? ctn_uri_resolve(c->arena, base, ctn_json_text(id)) : base;
    uri = ctn_uri_split(uri, &fragment);
    if (fragment.len > 0)
        return ctn_schema_refuse(c, CTN_E_INVALID, id, "$id has the fragment #%.*s: name a part by $anchor",
                                 CTN_STR_ARG(fragment));
    return add_resource(c, uri, node, id ? id : node->source);
}

static int check_dialect(ctn_schema_compiler *c, const ctn_schema_node *node)
{
    const ctn_json *dialect = ctn_json_member_of(node->source, "$schema");
    if (!dialect)
        return CTN_OK;
    ctn_str uri = ctn_json_text(dialect);
    if (ctn_str_ends_with(uri, CTN_STR("#")))
        uri.len--;
    if (ctn_str_is(uri, DIALECT))
        return CTN_OK;
    return ctn_schema_refuse(c, CTN_E_UNSUPPORTED, dialect, "the dialect of this schema is %.*s, supported is %s",
                             CTN_STR_ARG(uri), DIALECT);
}

/* ---- entering ---- */

static int enter_children(ctn_schema_compiler *c, const ctn_schema_node *node, uint32_t depth)
{
    ctn_schema_node *ignored = NULL;
    int rc = CTN_OK;
    for (size_t i = 0; ONE_SCHEMA[i] && rc == CTN_OK; i++) {
        const ctn_json *value = ctn_json_member_of(node->source, ONE_SCHEMA[i]);
        if (value)
            rc = ctn_schema_enter(c, value, node->resource, depth + 1, &ignored);
    }
    for (size_t i = 0; LIST_OF_SCHEMAS[i] && rc == CTN_OK; i++) {
        const ctn_json *list = ctn_json_member_of(node->source, LIST_OF_SCHEMAS[i]);
        if (list && (!ctn_json_is(list, CTN_JSON_ARRAY) || list->count == 0))
            return ctn_schema_refuse(c, CTN_E_INVALID, list, "%s must be a list of schemas that is not empty",
                                     LIST_OF_SCHEMAS[i]);
        for (size_t k = 0; k < ctn_json_count(list) && rc == CTN_OK; k++)
            rc = ctn_schema_enter(c, ctn_json_at(list, k), node->resource, depth + 1, &ignored);
    }
    for (size_t i = 0; TABLE_OF_SCHEMAS[i] && rc == CTN_OK; i++) {
        const ctn_json *table = ctn_json_member_of(node->source, TABLE_OF_SCHEMAS[i]);
        if (table && !ctn_json_is(table, CTN_JSON_OBJECT))
            return ctn_schema_refuse(c, CTN_E_INVALID, table, "%s must be an object of schemas, got %s",
                                     TABLE_OF_SCHEMAS[i], ctn_json_kind_name(table));
        for (size_t k = 0; k < ctn_json_count(table) && rc == CTN_OK; k++)
            rc = ctn_schema_enter(c, &table->members[k].value, node->resource, depth + 1, &ignored);
    }
    return rc;
}

int ctn_schema_enter(ctn_schema_compiler *c, const ctn_json *source, ctn_schema_resource *around, uint32_t depth,
                     ctn_schema_node **ret_node)
{
    *ret_node = find_node(c, source, around);
    if (*ret_node)
        return CTN_OK;
    if (!ctn_json_is(source, CTN_JSON_OBJECT) && !ctn_json_is_bool(source))
        return ctn_schema_refuse(c, CTN_E_INVALID, source, "expected a schema (an object, true or false), got %s",
                                 ctn_json_kind_name(source));
    if (depth > CTN_SCHEMA_DEPTH_MAX)
        return ctn_schema_refuse(c, CTN_E_LIMIT, source, "subschemas are nested more than %d levels deep",
                                 CTN_SCHEMA_DEPTH_MAX);
    ctn_schema_node *node = NULL;
    int rc = add_node(c, source, around, &node);
    if (rc == CTN_OK)
        rc = settle_resource(c, node, around);
    if (rc == CTN_OK)
        rc = check_dialect(c, node);
    if (rc == CTN_OK)
        rc = add_anchor(c, node, "$dynamicAnchor", true); /* first: one name may be given both ways at one place */
    if (rc == CTN_OK)
        rc = add_anchor(c, node, "$anchor", false);
    if (rc == CTN_OK)
        rc = enter_children(c, node, depth);
    if (rc == CTN_OK)
        *ret_node = node;
    return rc;
}

/* ---- references ---- */

static int load_meta(ctn_schema_compiler *c)
{
    c->meta_is_loaded = true;
    for (size_t i = 0; i < CTN_SCHEMA_META_COUNT; i++) {
        const ctn_json *text = NULL;
        int rc = ctn_json_parse(c->arena, ctn_str_from(ctn_schema_meta_texts[i]), NULL, &text, c->err);
        assert(rc == CTN_OK);
        if (find_resource(c, ctn_json_str_or(text, "$id", CTN_STR("")))) /* the document carries its own */
            continue;
        ctn_schema_node *ignored = NULL;
        rc = ctn_schema_enter(c, text, NULL, 0, &ignored);
        if (rc)
            return rc;
    }
    return CTN_OK;
}

/* One step of a JSON Pointer; ~0 and ~1 are decoded here. */
static const ctn_json *step_into(ctn_arena *arena, const ctn_json *value, ctn_str token)
{
    if (ctn_json_is(value, CTN_JSON_ARRAY)) {
        int64_t index = -1;
        bool is_index = token.len > 0 && (token.ptr[0] != '0' || token.len == 1) && token.ptr[0] != '-';
        return is_index && ctn_str_to_int64(token, &index) ? ctn_json_at(value, (size_t) index) : NULL;
    }
    char *name = ctn_arena_alloc(arena, token.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < token.len; i++) {
        bool is_escape =
            token.ptr[i] == '~' && i + 1 < token.len && (token.ptr[i + 1] == '0' || token.ptr[i + 1] == '1');
        name[len++] = (char) (!is_escape ? token.ptr[i] : token.ptr[i + 1] == '0' ? '~' : '/');
        i += is_escape;
    }
    return ctn_json_get(value, (ctn_str){name, len});
}

/* Follows a JSON Pointer from a resource's root, through schemas with an $id of their own. */
static int find_by_pointer(ctn_schema_compiler *c, ctn_schema_resource *resource, ctn_str pointer,
                           const ctn_json *reference, ctn_schema_node **ret_node)
{
    ctn_str rest = ctn_str_from_offset(pointer, 1);
    const ctn_json *value = resource->root;
    ctn_schema_resource *around = resource;
    ctn_schema_node *node = resource->node;
    uint32_t steps = 0;
    while (value && rest.ptr && pointer.len > 0) {
        value = step_into(c->arena, value, ctn_str_cut(&rest, '/'));
        if (node)
            around = node->resource;
        node = value ? find_node(c, value, around) : NULL;
        steps++;
    }
    if (!value)
        return ctn_schema_refuse(c, CTN_E_INVALID, reference, "the reference %.*s leads nowhere in this document",
                                 CTN_STR_ARG(ctn_json_text(reference)));
    if (node) {
        *ret_node = node;
        return CTN_OK;
    }
    int rc = ctn_schema_enter(c, value, around, steps, ret_node);
    if (rc == CTN_E_INVALID && c->bad_node == value)
        rc = ctn_schema_refuse(c, CTN_E_INVALID, reference, "the reference %.*s leads to %s, which is no schema",
                               CTN_STR_ARG(ctn_json_text(reference)), ctn_json_kind_name(value));
    return rc;
}

static int find_by_anchor(ctn_schema_compiler *c, const ctn_schema_resource *resource, ctn_str name,
                          const ctn_json *reference, ctn_schema_node **ret_node, ctn_str *ret_dynamic_name)
{
    const ctn_schema_anchor *anchor = find_anchor(c, resource, name);
    if (anchor) {
        *ret_node = anchor->node;
        *ret_dynamic_name = anchor->is_dynamic ? anchor->name : (ctn_str){NULL, 0};
        return CTN_OK;
    }
    ctn_str known[64];
    size_t count = 0;
    for (size_t i = 0; i < c->anchor_count && count < 64; i++)
        if (c->anchors[i].resource == resource)
            known[count++] = c->anchors[i].name;
    ctn_str nearest = ctn_str_nearest(name, known, count);
    return ctn_schema_refuse(c, CTN_E_INVALID, reference, "the reference %.*s names no anchor%s%.*s%s",
                             CTN_STR_ARG(ctn_json_text(reference)), nearest.len ? "; did you mean #" : "",
                             CTN_STR_ARG(nearest), nearest.len ? "?" : "");
}

int ctn_schema_find(ctn_schema_compiler *c, const ctn_schema_node *from, const ctn_json *reference,
                    ctn_schema_node **ret_node, ctn_str *ret_dynamic_name)
{
    *ret_dynamic_name = (ctn_str){NULL, 0};
    ctn_str fragment, full = ctn_uri_resolve(c->arena, from->resource->uri, ctn_json_text(reference));
    ctn_str uri = ctn_uri_split(full, &fragment);
    ctn_schema_resource *resource = find_resource(c, uri);
    if (!resource && !c->meta_is_loaded && ctn_str_starts_with(uri, CTN_STR(META_PREFIX))) {
        int rc = load_meta(c);
        if (rc)
            return rc;
        resource = find_resource(c, uri);
    }
    if (!resource)
        return ctn_schema_refuse(c, CTN_E_INVALID, reference,
                                 "the reference %.*s leads out of this document, and nothing is fetched",
                                 CTN_STR_ARG(ctn_json_text(reference)));
    fragment = ctn_uri_decode(c->arena, fragment);
    if (fragment.len == 0 || fragment.ptr[0] == '/')
        return find_by_pointer(c, resource, fragment, reference, ret_node);
    return find_by_anchor(c, resource, fragment, reference, ret_node, ret_dynamic_name);
}
