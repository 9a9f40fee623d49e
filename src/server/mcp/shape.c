/*
 * shape.c -- what a revision knows: what came later is taken out of lists and results. Old clients may be strict.
 */
#include "server/mcp/internal.h"

#define REVISION_ANNOTATIONS "2025-03-26" /* and audio, and the message of progress */
#define REVISION_STRUCTURED  "2025-06-18" /* and titles, _meta of items, links to resources */
#define REVISION_ICONS       "2025-11-25"

bool ctn_mcp_since(ctn_str version, const char *revision)
{
    return ctn_str_compare(version, ctn_str_from(revision)) >= 0; /* dates */
}

/* Members of an object that came with a revision; all others are as old as the protocol. */
static const struct {
    const char *key, *since;
} LATER[] = {
    {"title", REVISION_STRUCTURED},
    {"_meta", REVISION_STRUCTURED},
    {"icons", REVISION_ICONS},
};
static const struct {
    const char *key, *since;
} LATER_OF_TOOLS[] = {
    {"annotations", REVISION_ANNOTATIONS},
    {"outputSchema", REVISION_STRUCTURED},
};

static bool is_object_schema(const ctn_json *schema)
{
    return ctn_str_is(ctn_json_str_or(schema, "type", (ctn_str){0}), "object");
}

static bool knows(ctn_str version, bool is_tool, const ctn_json_member *m)
{
    ctn_str key = ctn_json_text(&m->key);
    for (size_t i = 0; i < sizeof LATER / sizeof *LATER; i++)
        if (ctn_str_is(key, LATER[i].key))
            return ctn_mcp_since(version, LATER[i].since);
    for (size_t i = 0; is_tool && i < sizeof LATER_OF_TOOLS / sizeof *LATER_OF_TOOLS; i++)
        if (ctn_str_is(key, LATER_OF_TOOLS[i].key) && !ctn_mcp_since(version, LATER_OF_TOOLS[i].since))
            return false;
    return !is_tool || !ctn_str_is(key, "outputSchema") || is_object_schema(&m->value);
}

static const ctn_json *without_later(ctn_arena *arena, ctn_str version, bool is_tool, const ctn_json *object)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (uint32_t i = 0; i < ctn_json_count(object); i++)
        if (knows(version, is_tool, &object->members[i]))
            ctn_json_put(&b, ctn_json_text(&object->members[i].key), &object->members[i].value);
    return ctn_json_finish(&b);
}

const ctn_json *ctn_mcp_shape_item(ctn_arena *arena, ctn_str version, ctn_mcp_list which, const ctn_json *item)
{
    if (ctn_mcp_is_modern(version))
        return item;
    const ctn_json *shaped = without_later(arena, version, which == CTN_MCP_TOOLS, item);
    const ctn_json *arguments = ctn_json_member_of(shaped, "arguments");
    if (which != CTN_MCP_PROMPTS || !ctn_json_is(arguments, CTN_JSON_ARRAY) ||
        ctn_mcp_since(version, REVISION_STRUCTURED))
        return shaped;
    ctn_json_builder known = ctn_json_array(arena), prompt = ctn_json_object(arena);
    for (size_t i = 0; i < arguments->count; i++)
        ctn_json_push(&known, without_later(arena, version, false, ctn_json_at(arguments, i)));
    ctn_json_put_all(&prompt, shaped);
    ctn_json_put(&prompt, CTN_STR("arguments"), ctn_json_finish(&known));
    return ctn_json_finish(&prompt);
}

/* ---- results ---- */

static const ctn_json *text_block(ctn_arena *arena, ctn_str text)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "type", CTN_STR("text"));
    ctn_json_put_str(&b, "text", text);
    return ctn_json_finish(&b);
}

/* What is not known is told in words. */
static const ctn_json *shape_block(ctn_arena *arena, ctn_str version, const ctn_json *block)
{
    ctn_str type = ctn_json_str_or(block, "type", (ctn_str){0});
    if (ctn_str_is(type, "audio") && !ctn_mcp_since(version, REVISION_ANNOTATIONS))
        return text_block(arena, ctn_arena_printf(arena, "(audio, %.*s)",
                                                  CTN_STR_ARG(ctn_json_str_or(block, "mimeType", CTN_STR("unknown")))));
    if (ctn_str_is(type, "resource_link") && !ctn_mcp_since(version, REVISION_STRUCTURED))
        return text_block(arena, ctn_json_str_or(block, "uri", (ctn_str){0}));
    return block;
}

const ctn_json *ctn_mcp_shape_call(ctn_arena *arena, ctn_str version, const ctn_json *result)
{
    if (ctn_mcp_is_modern(version))
        return result;
    const ctn_json *content = ctn_json_member_of(result, "content");
    ctn_json_builder blocks = ctn_json_array(arena), shaped = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(content); i++)
        ctn_json_push(&blocks, shape_block(arena, version, ctn_json_at(content, i)));
    for (uint32_t i = 0; i < ctn_json_count(result); i++) {
        ctn_str key = ctn_json_text(&result->members[i].key);
        const ctn_json *value = &result->members[i].value;
        if (ctn_str_is(key, "content"))
            value = ctn_json_finish(&blocks);
        if (!ctn_str_is(key, "structuredContent") ||
            (ctn_mcp_since(version, REVISION_STRUCTURED) && ctn_json_is(value, CTN_JSON_OBJECT)))
            ctn_json_put(&shaped, key, value);
    }
    return ctn_json_finish(&shaped);
}

const ctn_json *ctn_mcp_shape_prompt(ctn_arena *arena, ctn_str version, const ctn_json *result)
{
    if (ctn_mcp_since(version, REVISION_STRUCTURED))
        return result;
    const ctn_json *messages = ctn_json_member_of(result, "messages");
    ctn_json_builder shaped = ctn_json_array(arena), b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(messages); i++) {
        const ctn_json *m = ctn_json_at(messages, i);
        ctn_json_builder message = ctn_json_object(arena);
        ctn_json_put_all(&message, m);
        ctn_json_put(&message, CTN_STR("content"), shape_block(arena, version, ctn_json_member_of(m, "content")));
        ctn_json_push(&shaped, ctn_json_finish(&message));
    }
    ctn_json_put_all(&b, result);
    ctn_json_put(&b, CTN_STR("messages"), ctn_json_finish(&shaped));
    return ctn_json_finish(&b);
}
