/*
 * type_schema_write.c -- a type as a JSON Schema, for whoever is told what a chain gives.
 *
 * It is written for clients, and some of them read little of JSON Schema: several kinds are `anyOf` and no list in
 * `type`, and no schema is empty. A member that is surely there and otherwise unknown is in `required` alone.
 */
#include "check/type.h"

#define DEPTH_MAX 8    /* below it nothing is said */
#define PARTS_MAX 1000 /* nor behind so many: a type that refers to itself is drawn out far */

static const ctn_json *write_at(ctn_arena *arena, const ctn_type *t, int depth, size_t *left);

static void put_kinds(ctn_json_builder *b, unsigned kinds)
{
    static const struct {
        unsigned kind;
        const char *name;
    } rows[] = {{CTN_TYPE_STRING, "string"},   {CTN_TYPE_FRACTION, "number"}, {CTN_TYPE_INTEGER, "integer"},
                {CTN_TYPE_BOOLEAN, "boolean"}, {CTN_TYPE_LIST, "array"},      {CTN_TYPE_OBJECT, "object"},
                {CTN_TYPE_NULL, "null"}};
    ctn_json_builder list = ctn_json_array(b->arena);
    if (kinds & CTN_TYPE_FRACTION) /* "number" takes whole ones too */
        kinds &= ~(unsigned) CTN_TYPE_INTEGER;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (kinds & rows[i].kind)
            ctn_json_push(&list, ctn_json_string(b->arena, ctn_str_from(rows[i].name)));
    const ctn_json *names = ctn_json_finish(&list);
    if (names->count == 1) {
        ctn_json_put(b, CTN_STR("type"), ctn_json_at(names, 0));
        return;
    }
    ctn_json_builder either = ctn_json_array(b->arena);
    for (size_t i = 0; i < names->count; i++) {
        ctn_json_builder one = ctn_json_object(b->arena);
        ctn_json_put(&one, CTN_STR("type"), ctn_json_at(names, i));
        ctn_json_push(&either, ctn_json_finish(&one));
    }
    ctn_json_put(b, CTN_STR("anyOf"), ctn_json_finish(&either));
}

static bool says_nothing(const ctn_type *t)
{
    return t->is_observed || ctn_type_is_never(t) || (t->kinds == CTN_TYPE_ALL && t->weight == 0);
}

static void put_members(ctn_json_builder *b, const ctn_type *t, int depth, size_t *left)
{
    ctn_json_builder properties = ctn_json_object(b->arena), required = ctn_json_array(b->arena);
    for (uint32_t i = 0; i < t->member_count; i++) {
        const ctn_type_member *m = &t->members[i];
        if (ctn_type_is_never(m->type))
            continue;
        if (!m->is_required || !says_nothing(m->type))
            ctn_json_put(&properties, m->name, write_at(b->arena, m->type, depth + 1, left));
        if (m->is_required)
            ctn_json_push(&required, ctn_json_string(b->arena, m->name));
    }
    if (properties.count)
        ctn_json_put(b, CTN_STR("properties"), ctn_json_finish(&properties));
    if (required.count)
        ctn_json_put(b, CTN_STR("required"), ctn_json_finish(&required));
}

static const ctn_json *write_at(ctn_arena *arena, const ctn_type *t, int depth, size_t *left)
{
    ctn_json_builder b = ctn_json_object(arena);
    if (says_nothing(t) || depth > DEPTH_MAX || *left == 0) {
        put_kinds(&b, CTN_TYPE_ALL);
        return ctn_json_finish(&b);
    }
    --*left;
    if (t->value_count) {
        ctn_json_builder list = ctn_json_array(arena);
        for (uint32_t i = 0; i < t->value_count; i++)
            ctn_json_push(&list, t->values[i]);
        ctn_json_put(&b, CTN_STR("enum"), ctn_json_finish(&list));
        return ctn_json_finish(&b);
    }
    put_kinds(&b, t->kinds);
    if (t->kinds & CTN_TYPE_OBJECT)
        put_members(&b, t, depth, left);
    if ((t->kinds & CTN_TYPE_LIST) && t->first_count == 0 && t->items && !says_nothing(t->items))
        ctn_json_put(&b, CTN_STR("items"), write_at(arena, t->items, depth + 1, left));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_type_to_schema(ctn_arena *arena, const ctn_type *t)
{
    size_t left = PARTS_MAX;
    return write_at(arena, t, 0, &left);
}
