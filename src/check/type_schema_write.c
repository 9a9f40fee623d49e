/*
 * type_schema_write.c -- a type as a JSON Schema, for whoever is told what a chain gives.
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
    ctn_json_put(b, CTN_STR("type"), names->count == 1 ? ctn_json_at(names, 0) : names);
}

static void put_members(ctn_json_builder *b, const ctn_type *t, int depth, size_t *left)
{
    ctn_json_builder properties = ctn_json_object(b->arena), required = ctn_json_array(b->arena);
    for (uint32_t i = 0; i < t->member_count; i++) {
        const ctn_type_member *m = &t->members[i];
        if (ctn_type_is_never(m->type))
            continue;
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
    if (t->is_observed || ctn_type_is_never(t) || depth > DEPTH_MAX || *left == 0)
        return ctn_json_finish(&b);
    --*left;
    if (t->value_count) {
        ctn_json_builder list = ctn_json_array(arena);
        for (uint32_t i = 0; i < t->value_count; i++)
            ctn_json_push(&list, t->values[i]);
        ctn_json_put(&b, CTN_STR("enum"), ctn_json_finish(&list));
        return ctn_json_finish(&b);
    }
    if (t->kinds != CTN_TYPE_ALL)
        put_kinds(&b, t->kinds);
    if (t->kinds & CTN_TYPE_OBJECT)
        put_members(&b, t, depth, left);
    if ((t->kinds & CTN_TYPE_LIST) && t->first_count == 0 && t->items && !ctn_type_is_never(t->items)) {
        const ctn_json *items = write_at(arena, t->items, depth + 1, left);
        if (ctn_json_count(items))
            ctn_json_put(&b, CTN_STR("items"), items);
    }
    return ctn_json_finish(&b);
}

const ctn_json *ctn_type_to_schema(ctn_arena *arena, const ctn_type *t)
{
    size_t left = PARTS_MAX;
    return write_at(arena, t, 0, &left);
}
