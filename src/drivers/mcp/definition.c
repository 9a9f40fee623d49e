/*
 * definition.c -- see definition.h.
 */
#include "drivers/mcp/definition.h"

const ctn_json *ctn_mcp_definition(ctn_arena *arena, const ctn_mcp_tool *tool)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", tool->name);
    if (tool->title.len)
        ctn_json_put_str(&b, "title", tool->title);
    ctn_json_put_str(&b, "description", tool->description);
    ctn_json_put(&b, CTN_STR("inputSchema"), tool->input_schema);
    if (tool->output_schema)
        ctn_json_put(&b, CTN_STR("outputSchema"), tool->output_schema);
    if (tool->annotations)
        ctn_json_put(&b, CTN_STR("annotations"), tool->annotations);
    return ctn_json_finish(&b);
}

/* Each with the value it has when it is not said. */
static const struct {
    const char *name;
    bool otherwise;
} HINTS[] = {{"readOnlyHint", false}, {"destructiveHint", true}, {"idempotentHint", false}, {"openWorldHint", true}};

static void compare_hints(ctn_changes *changes, const ctn_json *from, const ctn_json *to)
{
    for (size_t i = 0; i < sizeof HINTS / sizeof *HINTS; i++) {
        bool was = ctn_json_bool_or(from, HINTS[i].name, HINTS[i].otherwise);
        bool is = ctn_json_bool_or(to, HINTS[i].name, HINTS[i].otherwise);
        bool was_said = ctn_json_is_bool(ctn_json_member_of(from, HINTS[i].name));
        bool is_said = ctn_json_is_bool(ctn_json_member_of(to, HINTS[i].name));
        if (was != is || was_said != is_said) /* what is said makes an effect class, what is not said makes none */
            ctn_changes_add(changes, CTN_CHANGE_MEANING, "the annotation %s was %s%s and is %s%s", HINTS[i].name,
                            was ? "true" : "false", was_said ? "" : " (not said)", is ? "true" : "false",
                            is_said ? "" : " (not said)");
    }
}

static bool is_same(const ctn_json *from, const ctn_json *to, const char *key)
{
    return ctn_str_equal(ctn_json_str_or(from, key, (ctn_str){0}), ctn_json_str_or(to, key, (ctn_str){0}));
}

void ctn_mcp_definition_changes(ctn_changes *changes, const ctn_json *from, const ctn_json *to)
{
    if (ctn_json_is(to, CTN_JSON_NULL)) {
        ctn_changes_add(changes, CTN_CHANGE_NARROWING, "the server lists it no more");
        return;
    }
    if (ctn_json_is(from, CTN_JSON_NULL)) {
        ctn_changes_add(changes, CTN_CHANGE_MEANING, "the server lists it again");
        return;
    }
    if (!ctn_json_is(from, CTN_JSON_OBJECT) || !ctn_json_is(to, CTN_JSON_OBJECT)) {
        ctn_changes_add(changes, CTN_CHANGE_MEANING, "it is another, and too large to be compared");
        return;
    }
    if (!is_same(from, to, "description"))
        ctn_changes_add(changes, CTN_CHANGE_MEANING, "its description is another");
    compare_hints(changes, ctn_json_member_of(from, "annotations"), ctn_json_member_of(to, "annotations"));
    ctn_schema_changes(changes, ctn_json_member_of(from, "inputSchema"), ctn_json_member_of(to, "inputSchema"),
                       CTN_SCHEMA_TAKES);
    const ctn_json *was = ctn_json_member_of(from, "outputSchema"), *is = ctn_json_member_of(to, "outputSchema");
    if (!was && is)
        ctn_changes_add(changes, CTN_CHANGE_COMPATIBLE, "it says now what it gives");
    else if (was && !is)
        ctn_changes_add(changes, CTN_CHANGE_NARROWING, "it no longer says what it gives");
    else
        ctn_schema_changes(changes, was, is, CTN_SCHEMA_GIVES);
    if (!is_same(from, to, "title"))
        ctn_changes_add(changes, CTN_CHANGE_COMPATIBLE, "its title is another");
    if (changes->count == 0 && !ctn_json_equal(from, to))
        ctn_changes_add(changes, CTN_CHANGE_COMPATIBLE, "it is worded otherwise");
}
