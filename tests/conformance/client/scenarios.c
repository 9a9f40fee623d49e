/*
 * scenarios.c -- what the conformance suite wants a client to do, scenario by scenario.
 *
 * The driver finds out by itself which revision is spoken, so no scenario says it.
 */
#include "client.h"

static const ctn_json *json(client *c, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(c->arena, ctn_str_from(text), NULL, &value, &err))
        client_die("%s: %s", err.message, text);
    return value;
}

static void play_list(client *c)
{
    client_connect(c, (ctn_mcp_server_config){0});
}

static void play_tools_call(client *c)
{
    play_list(c);
    (void) client_call(c, CTN_STR("add_numbers"), json(c, "{\"a\":5,\"b\":3}"), NULL);
}

static void play_elicitation(client *c)
{
    size_t count;
    client_connect(c, (ctn_mcp_server_config){.answers_with_defaults = true});
    const ctn_mcp_tool *tools = client_tools(c, &count);
    for (size_t i = 0; i < count; i++)
        (void) client_call(c, ctn_arena_str(c->arena, tools[i].name), json(c, "{}"), NULL);
}

static void play_sse_retry(client *c)
{
    play_list(c);
    (void) client_call(c, CTN_STR("test_reconnection"), json(c, "{}"), NULL);
}

/* The first of a list, asked for by what names it. */
static void ask_first(client *c, const char *list, const char *items, const char *get, const char *by)
{
    const ctn_json *result = client_ask(c, list, (ctn_str){0}, NULL);
    ctn_str name = ctn_json_str_or(ctn_json_at(ctn_json_member_of(result, items), 0), by, (ctn_str){0});
    if (!name.ptr)
        return;
    ctn_json_builder params = ctn_json_object(c->arena);
    ctn_json_put_str(&params, by, name);
    (void) client_ask(c, get, name, ctn_json_finish(&params));
}

static void play_standard_headers(client *c)
{
    size_t count;
    play_list(c);
    const ctn_mcp_tool *tools = client_tools(c, &count);
    if (count)
        (void) client_call(c, ctn_arena_str(c->arena, tools[0].name), json(c, "{}"), NULL);
    ask_first(c, "resources/list", "resources", "resources/read", "uri");
    ask_first(c, "prompts/list", "prompts", "prompts/get", "name");
}

/* The driver holds arguments to the tool's schema, so a null that stands for nothing is not given. */
static const ctn_json *without_nulls(client *c, const ctn_json *object)
{
    ctn_json_builder b = ctn_json_object(c->arena);
    for (size_t i = 0; i < ctn_json_count(object); i++)
        if (!ctn_json_is(&object->members[i].value, CTN_JSON_NULL))
            ctn_json_put(&b, ctn_json_text(&object->members[i].key), &object->members[i].value);
    return ctn_json_finish(&b);
}

static void play_custom_headers(client *c)
{
    play_list(c);
    const ctn_json *calls = ctn_json_member_of(c->context, "toolCalls");
    for (size_t i = 0; i < ctn_json_count(calls); i++) {
        const ctn_json *call = ctn_json_at(calls, i);
        (void) client_call(c, ctn_json_str_or(call, "name", (ctn_str){0}),
                           without_nulls(c, ctn_json_member_of(call, "arguments")), NULL);
    }
}

static void play_invalid_tool_headers(client *c)
{
    size_t count;
    play_list(c);
    const ctn_mcp_tool *tools = client_tools(c, &count);
    ctn_str *names = CTN_NEW_ARRAY(c->arena, ctn_str, count);
    for (size_t i = 0; i < count; i++)
        names[i] = ctn_arena_str(c->arena, tools[i].name);
    for (size_t i = 0; i < count; i++)
        (void) client_call(c, names[i], json(c, "{\"region\":\"us-west1\"}"), NULL);
}

static void play_request_state(client *c)
{
    static const char *const tools[] = {"test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated",
                                        "test_mrtr_no_result_type"};
    play_list(c);
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        (void) client_call(c, ctn_str_from(tools[i]), json(c, "{}"), json(c, "{\"confirmed\":true}"));
}

static void play_preservation(client *c)
{
    size_t count;
    play_list(c);
    const ctn_mcp_tool *tools = client_tools(c, &count);
    for (size_t i = 0; i < count; i++) {
        if (!ctn_str_is(tools[i].name, "json_schema_2020_12_tool"))
            continue;
        ctn_json_builder arguments = ctn_json_object(c->arena);
        ctn_json_put(&arguments, CTN_STR("schema"), ctn_json_copy(c->arena, tools[i].input_schema));
        (void) client_call(c, CTN_STR("json_schema_echo"), ctn_json_finish(&arguments), NULL);
        return;
    }
    client_die("there is no json_schema_2020_12_tool");
}

const scenario client_scenarios[] = {
    {"initialize", play_list},
    {"tools_call", play_tools_call},
    {"elicitation-sep1034-client-defaults", play_elicitation},
    {"sse-retry", play_sse_retry},
    {"request-metadata", play_list},
    {"http-standard-headers", play_standard_headers},
    {"http-custom-headers", play_custom_headers},
    {"http-invalid-tool-headers", play_invalid_tool_headers},
    {"sep-2322-client-request-state", play_request_state},
    {"json-schema-ref-no-deref", play_list},
    {"json-schema-2020-12-preservation", play_preservation},
    {"auth/client-credentials-basic", client_play_credentials},
    {"auth/client-credentials-jwt", client_play_credentials},
    {"auth/", client_play_leave},
    {NULL, NULL},
};
