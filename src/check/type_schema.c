/*
 * type_schema.c -- the type that a JSON Schema allows, drawn from the keywords that say something about kinds, members
 * and items; all others restrict nothing here.
 *
 * References inside the document (#, #/pointer) are followed; one that cannot be followed, a subschema with an $id of
 * its own (which changes what # means), and whatever lies deeper than the bounds, is `any`. A schema that refers to
 * itself ends at those bounds.
 */
#include "check/type.h"

#define DEPTH_MAX 12
#define NODES_MAX 20000

typedef struct building {
    ctn_arena *arena;
    const ctn_json *root;
    size_t nodes;
} building;

static const ctn_type *build(building *b, const ctn_json *schema, int depth);

/* Any, of a word that is no type: a fault of the schema, told elsewhere. */
static unsigned kinds_of_name(ctn_str name)
{
    unsigned kinds = ctn_kinds_named(name);
    return kinds ? kinds : CTN_TYPE_ALL;
}

static unsigned kinds_of(const ctn_json *type)
{
    if (ctn_json_is(type, CTN_JSON_STRING))
        return kinds_of_name(ctn_json_text(type));
    unsigned kinds = 0;
    for (size_t i = 0; i < ctn_json_count(type); i++)
        kinds |= kinds_of_name(ctn_json_text(ctn_json_at(type, i)));
    return kinds ? kinds : CTN_TYPE_ALL;
}

/* #/a/b%20c: percent-decoded; NULL when it is no pointer into this document. */
static const ctn_json *refer(building *b, ctn_str ref)
{
    if (ref.len == 0 || ref.ptr[0] != '#' || (ref.len > 1 && ref.ptr[1] != '/'))
        return NULL;
    char *decoded = ctn_arena_alloc(b->arena, ref.len);
    size_t len = 0;
    for (size_t i = 1; i < ref.len; i++) {
        int high = i + 2 < ref.len ? ctn_hex_value(ref.ptr[i + 1]) : -1;
        int low = i + 2 < ref.len ? ctn_hex_value(ref.ptr[i + 2]) : -1;
        if (ref.ptr[i] == '%' && high >= 0 && low >= 0) {
            decoded[len++] = (char) (high * 16 + low);
            i += 2;
        } else {
            decoded[len++] = ref.ptr[i];
        }
    }
    return ctn_json_pointer(b->root, (ctn_str){decoded, len});
}

static const ctn_type *of_values(building *b, const ctn_json *list)
{
    const ctn_type *t = &ctn_type_never;
    size_t count = ctn_json_count(list);
    if (count > 64)
        return &ctn_type_any;
    for (size_t i = 0; i < count; i++)
        t = ctn_type_union(b->arena, t, ctn_type_of_value(b->arena, ctn_json_at(list, i)));
    return t;
}

static const ctn_type *of_members(building *b, const ctn_json *schema, int depth)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    const ctn_json *required = ctn_json_member_of(schema, "required");
    const ctn_json *additional = ctn_json_member_of(schema, "additionalProperties");
    const ctn_type *rest = &ctn_type_any;
    if (additional && !ctn_json_count(ctn_json_member_of(schema, "patternProperties")))
        rest = build(b, additional, depth + 1);
    uint32_t declared = ctn_json_is(properties, CTN_JSON_OBJECT) ? properties->count : 0, count = 0;
    size_t wanted = ctn_json_is(required, CTN_JSON_ARRAY) ? ctn_json_count(required) : 0;
    if (declared + wanted > 1000)
        return &ctn_type_any;
    ctn_type_member *members = CTN_NEW_ARRAY(b->arena, ctn_type_member, declared + wanted);
    for (uint32_t i = 0; i < declared; i++) {
        ctn_str name = ctn_json_text(&properties->members[i].key);
        members[count++] = (ctn_type_member){.name = name,
                                             .type = build(b, &properties->members[i].value, depth + 1),
                                             .is_required = ctn_json_has_text(required, name)};
    }
    for (size_t i = 0; i < wanted; i++) {
        const ctn_json *name = ctn_json_at(required, i);
        bool is_there = false;
        for (uint32_t k = 0; k < count; k++)
            is_there |= ctn_str_equal(members[k].name, ctn_json_text(name));
        if (!is_there && ctn_json_is(name, CTN_JSON_STRING))
            members[count++] = (ctn_type_member){.name = ctn_json_text(name), .type = rest, .is_required = true};
    }
    const ctn_type *object = ctn_type_object(b->arena, members, count, rest);
    return ctn_type_union(b->arena, object, ctn_type_of_kinds(b->arena, CTN_TYPE_ALL & ~(unsigned) CTN_TYPE_OBJECT));
}

static const ctn_type *of_items(building *b, const ctn_json *schema, int depth)
{
    const ctn_json *items = ctn_json_member_of(schema, "items");
    const ctn_json *prefix = ctn_json_member_of(schema, "prefixItems");
    if (ctn_json_is(items, CTN_JSON_ARRAY)) /* as older dialects have it: which one is meant is not asked */
        return &ctn_type_any;
    uint32_t count = ctn_json_is(prefix, CTN_JSON_ARRAY) ? prefix->count : 0;
    const ctn_type **first = CTN_NEW_ARRAY(b->arena, const ctn_type *, count);
    for (uint32_t i = 0; i < count; i++)
        first[i] = build(b, ctn_json_at(prefix, i), depth + 1);
    const ctn_type *list = ctn_type_list(b->arena, first, count, items ? build(b, items, depth + 1) : &ctn_type_any);
    return ctn_type_union(b->arena, list, ctn_type_of_kinds(b->arena, CTN_TYPE_ALL & ~(unsigned) CTN_TYPE_LIST));
}

static const ctn_type *of_alternatives(building *b, const ctn_json *list, int depth)
{
    const ctn_type *t = &ctn_type_never;
    for (size_t i = 0; i < ctn_json_count(list); i++)
        t = ctn_type_union(b->arena, t, build(b, ctn_json_at(list, i), depth + 1));
    return ctn_json_count(list) ? t : &ctn_type_any;
}

static const ctn_type *build(building *b, const ctn_json *schema, int depth)
{
    if (ctn_json_is(schema, CTN_JSON_FALSE))
        return &ctn_type_never;
    if (!ctn_json_is(schema, CTN_JSON_OBJECT) || depth > DEPTH_MAX || b->nodes++ > NODES_MAX ||
        (depth > 0 && (ctn_json_member_of(schema, "$id") || ctn_json_member_of(schema, "id"))))
        return &ctn_type_any;
    ctn_arena *arena = b->arena;
    const ctn_type *t = &ctn_type_any;
    const ctn_json *v;
    if ((v = ctn_json_member_of(schema, "type")))
        t = ctn_type_of_kinds(arena, kinds_of(v));
    if (ctn_json_is(v = ctn_json_member_of(schema, "enum"), CTN_JSON_ARRAY))
        t = ctn_type_meet(arena, t, of_values(b, v));
    if ((v = ctn_json_member_of(schema, "const")))
        t = ctn_type_meet(arena, t, ctn_type_of_value(arena, v));
    if ((t->kinds & CTN_TYPE_OBJECT) &&
        (ctn_json_member_of(schema, "properties") || ctn_json_member_of(schema, "required") ||
         ctn_json_member_of(schema, "additionalProperties")))
        t = ctn_type_meet(arena, t, of_members(b, schema, depth));
    if ((t->kinds & CTN_TYPE_LIST) &&
        (ctn_json_member_of(schema, "items") || ctn_json_member_of(schema, "prefixItems")))
        t = ctn_type_meet(arena, t, of_items(b, schema, depth));
    if (ctn_json_is(v = ctn_json_member_of(schema, "$ref"), CTN_JSON_STRING)) {
        const ctn_json *target = refer(b, ctn_json_text(v));
        t = ctn_type_meet(arena, t, target ? build(b, target, depth + 1) : &ctn_type_any);
    }
    v = ctn_json_member_of(schema, "allOf");
    for (size_t i = 0; i < ctn_json_count(v); i++)
        t = ctn_type_meet(arena, t, build(b, ctn_json_at(v, i), depth + 1));
    t = ctn_type_meet(arena, t, of_alternatives(b, ctn_json_member_of(schema, "anyOf"), depth));
    return ctn_type_meet(arena, t, of_alternatives(b, ctn_json_member_of(schema, "oneOf"), depth));
}

const ctn_type *ctn_type_of_schema(ctn_arena *arena, const ctn_json *schema)
{
    building b = {.arena = arena, .root = schema};
    return schema ? build(&b, schema, 0) : &ctn_type_any;
}
