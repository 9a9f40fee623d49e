/*
 * engine_tools.c -- the engine's own tools: the table, and how a call's arguments are judged before anything is done.
 *
 * A tool is one row that stands beside the function that does it; here the rows become what tools/list shows. Arguments
 * are held against the schema that is shown, so a function may take them for granted. What does not fit is answered in
 * words: what was wrong, and what the tool takes.
 */
#include "host/words.h"
#include "server/mcp/engine_internal.h"
#include "value/schema.h"
#include <assert.h>

static const ctn_engine_tool *const TOOLS[] = {
    &ctn_tool_execute_chain,    &ctn_tool_get_execution,  &ctn_tool_list_executions, &ctn_tool_resume_execution,
    &ctn_tool_cancel_execution, &ctn_tool_answer_step,    &ctn_tool_list_chains,     &ctn_tool_get_chain,
    &ctn_tool_check_chain,      &ctn_tool_simulate_chain, &ctn_tool_explain,
};
#define TOOL_COUNT (sizeof TOOLS / sizeof *TOOLS)

struct ctn_engine_tool_schema {
    const ctn_json *source;
    ctn_schema *input;
};

static const ctn_json *parsed(ctn_arena *arena, const char *json)
{
    const ctn_json *v = NULL;
    ctn_err err = {0};
    int rc = ctn_json_parse(arena, ctn_str_from(json), NULL, &v, &err);
    assert(rc == CTN_OK);
    (void) rc;
    return v;
}

static const ctn_json *listed(ctn_arena *arena, const ctn_engine_tool *tool, const ctn_json *input)
{
    ctn_json_builder b = ctn_json_object(arena), hints = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", ctn_str_from(tool->name));
    ctn_json_put_str(&b, "title", ctn_str_from(tool->title));
    ctn_json_put_str(&b, "description", ctn_str_from(tool->description));
    ctn_json_put(&b, CTN_STR("inputSchema"), input);
    ctn_json_put(&b, CTN_STR("outputSchema"), parsed(arena, tool->output));
    ctn_json_put_bool(&hints, "readOnlyHint", tool->reads_only);
    ctn_json_put_bool(&hints, "destructiveHint", tool->is_destructive);
    ctn_json_put_bool(&hints, "idempotentHint", tool->reads_only || tool->is_idempotent);
    ctn_json_put_bool(&hints, "openWorldHint", tool->is_open_world);
    ctn_json_put(&b, CTN_STR("annotations"), ctn_json_finish(&hints));
    return ctn_json_finish(&b);
}

void ctn_engine_tools_open(ctn_engine_backend *b)
{
    ctn_json_builder list = ctn_json_array(b->arena);
    b->own_schemas = CTN_NEW_ARRAY(b->arena, struct ctn_engine_tool_schema, TOOL_COUNT);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        struct ctn_engine_tool_schema *s = &b->own_schemas[i];
        assert(ctn_chain_mcp_is_own_tool(ctn_str_from(TOOLS[i]->name))); /* no chain may have its name */
        s->source = parsed(b->arena, TOOLS[i]->input);
        int rc = ctn_schema_compile(b->arena, s->source, &s->input, NULL, NULL);
        assert(rc == CTN_OK);
        (void) rc;
        ctn_json_push(&list, listed(b->arena, TOOLS[i], s->source));
    }
    b->own_tools = ctn_json_finish(&list);
}

void ctn_engine_tools_close(ctn_engine_backend *b)
{
    for (size_t i = 0; b->own_schemas && i < TOOL_COUNT; i++)
        ctn_schema_done(b->own_schemas[i].input);
}

/* An argument that the tool does not know, and the one that was meant. */
static bool refuse_unknown(ctn_mcp_exchange *x, const ctn_engine_tool *tool, const ctn_json *schema,
                           const ctn_json *arguments)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    size_t count = ctn_json_count(properties);
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, count);
    for (size_t i = 0; i < count; i++)
        names[i] = ctn_json_text(&properties->members[i].key);
    for (size_t i = 0; i < ctn_json_count(arguments); i++) {
        ctn_str name = ctn_json_text(&arguments->members[i].key);
        if (ctn_json_get(properties, name))
            continue;
        ctn_engine_refuse(x, NULL, "%s has no argument \"%.*s\"; %.*s Nothing was done.", tool->name, CTN_STR_ARG(name),
                          CTN_STR_ARG(ctn_engine_sentence(arena, ctn_words_suggest(arena, name, names, count))));
        return true;
    }
    return false;
}

/* "chain (required), input and waitMs"; the whole schema is in the list of tools, and was read there. */
static ctn_str names_of(ctn_arena *arena, const ctn_json *schema)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties"),
                   *required = ctn_json_member_of(schema, "required");
    size_t count = ctn_json_count(properties);
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = ctn_json_text(&properties->members[i].key);
        for (size_t k = 0; k < ctn_json_count(required); k++)
            if (ctn_str_equal(ctn_json_text(ctn_json_at(required, k)), ctn_json_text(&properties->members[i].key)))
                names[i] = ctn_arena_printf(arena, "%.*s (required)", CTN_STR_ARG(names[i]));
    }
    return ctn_words_join(arena, names, count);
}

bool ctn_engine_tool_call(ctn_engine_backend *b, ctn_mcp_exchange *x)
{
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(x);
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_err err = {0};
    size_t i = 0;
    while (i < TOOL_COUNT && !ctn_str_is(ask->name, TOOLS[i]->name))
        i++;
    if (i == TOOL_COUNT)
        return false;
    ctn_engine_call c = {.b = b, .x = x, .arena = arena, .arguments = ask->arguments, .action = TOOLS[i]->action};
    if (refuse_unknown(x, TOOLS[i], b->own_schemas[i].source, c.arguments))
        return true;
    if (ctn_schema_validate(b->own_schemas[i].input, c.arguments, arena, &err))
        ctn_engine_refuse(x, NULL, "The arguments of %s do not fit: %.*s Nothing was done. It takes %.*s.",
                          TOOLS[i]->name, CTN_STR_ARG(ctn_engine_sentence(arena, ctn_str_from(err.message))),
                          CTN_STR_ARG(names_of(arena, b->own_schemas[i].source)));
    else if (ctn_engine_demand(b, x, c.action))
        TOOLS[i]->call(&c);
    return true;
}
