/*
 * definition.c -- the normal form of what is stored.
 */
#include "chain/definition.h"
#include <stdlib.h>

/* What stands under these keys is the author's: not touched. */
static bool is_data_key(ctn_str key)
{
    static const char *const keys[] = {
        "outputs", "outputVariables", "arguments", "result", "inputSchema", "outputSchema",
        "schema",  "value",           "headers",   "body",   "query",       "next"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (ctn_str_is(key, keys[i]))
            return true;
    return false;
}

static int by_key(const void *a, const void *b)
{
    const ctn_json_member *x = *(const ctn_json_member *const *) a, *y = *(const ctn_json_member *const *) b;
    return ctn_str_compare(ctn_json_text(&x->key), ctn_json_text(&y->key));
}

static const ctn_json *normal(ctn_arena *arena, const ctn_json *v, bool keeps_order)
{
    if (ctn_json_is(v, CTN_JSON_ARRAY)) {
        ctn_json_builder list = ctn_json_array(arena);
        for (uint32_t i = 0; i < v->count; i++)
            ctn_json_push(&list, normal(arena, &v->items[i], false));
        return ctn_json_finish(&list);
    }
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return v;
    const ctn_json_member **members = CTN_NEW_ARRAY(arena, const ctn_json_member *, v->count);
    for (uint32_t i = 0; i < v->count; i++)
        members[i] = &v->members[i];
    if (!keeps_order && v->count)
        qsort(members, v->count, sizeof(const ctn_json_member *), by_key);
    ctn_json_builder object = ctn_json_object(arena);
    for (uint32_t i = 0; i < v->count; i++) {
        ctn_str key = ctn_json_text(&members[i]->key);
        /* In `calls` the names are the author's, and a call may be named like a key of the language. */
        bool is_data = !keeps_order && is_data_key(key);
        ctn_json_put(&object, key,
                     is_data ? &members[i]->value
                             : normal(arena, &members[i]->value, !keeps_order && ctn_str_is(key, "calls")));
    }
    return ctn_json_finish(&object);
}

ctn_str ctn_definition_of_chain(ctn_arena *arena, const ctn_chain *chain)
{
    ctn_json_builder own = ctn_json_object(arena);
    for (uint32_t i = 0; i < chain->node->count; i++) {
        const ctn_json_member *member = &chain->node->members[i];
        if (!ctn_str_is(ctn_json_text(&member->key), "instructionSets"))
            ctn_json_put(&own, ctn_json_text(&member->key), &member->value);
    }
    return ctn_json_to_str(arena, normal(arena, ctn_json_finish(&own), false));
}

/* The object of the work with the texts of its instructions in place of files' names. */
static const ctn_json *work_node(ctn_arena *arena, const ctn_work *work)
{
    if (!work->instructions_text.len)
        return work->node;
    ctn_json_builder whole = ctn_json_object(arena);
    ctn_json_put_all(&whole, work->node);
    ctn_json_put(&whole, ctn_str_from(ctn_work_kind_name(work->kind)), ctn_work_whole_detail(work, arena));
    return ctn_json_finish(&whole);
}

static const ctn_json *set_node(ctn_arena *arena, const ctn_instruction_set *set)
{
    bool is_whole = true;
    for (uint32_t i = 0; i < set->call_count; i++)
        is_whole = is_whole && !set->calls[i].instructions_text.len;
    if (is_whole)
        return work_node(arena, &set->work);
    ctn_json_builder calls = ctn_json_object(arena), whole = ctn_json_object(arena);
    for (uint32_t i = 0; i < set->call_count; i++)
        ctn_json_put(&calls, set->calls[i].name, work_node(arena, &set->calls[i]));
    ctn_json_put_all(&whole, set->node);
    ctn_json_put(&whole, CTN_STR("calls"), ctn_json_finish(&calls));
    return ctn_json_finish(&whole);
}

ctn_str ctn_definition_of_set(ctn_arena *arena, const ctn_instruction_set *set)
{
    ctn_json_builder sets = ctn_json_object(arena);
    ctn_json_put(&sets, set->name, normal(arena, set_node(arena, set), false));
    ctn_json_builder file = ctn_json_object(arena);
    ctn_json_put(&file, CTN_STR("instructionSets"), ctn_json_finish(&sets));
    return ctn_json_to_str(arena, ctn_json_finish(&file));
}

ctn_str ctn_definition_of_document(ctn_arena *arena, const ctn_document *document)
{
    ctn_json_builder file = ctn_json_object(arena);
    ctn_json_put_str(&file, "name", document->name);
    ctn_json_put_str(&file, "text", document->text);
    return ctn_json_to_str(arena, ctn_json_finish(&file));
}

bool ctn_definition_is(ctn_arena *scratch, ctn_str kind, ctn_str name, ctn_str body)
{
    const ctn_json *v = NULL;
    if (ctn_json_parse(scratch, body, NULL, &v, NULL))
        return false;
    if (ctn_str_is(kind, "chain"))
        return ctn_str_equal(ctn_json_str_or(v, "id", CTN_STR("")), name);
    if (ctn_str_is(kind, "instruction_set"))
        return ctn_json_get(ctn_json_member_of(v, "instructionSets"), name) != NULL;
    return ctn_str_is(kind, "template") && ctn_str_equal(ctn_json_str_or(v, "name", CTN_STR("")), name);
}
