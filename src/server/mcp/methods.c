/*
 * methods.c -- what each method does: a table of who may call it and what must be offered for it; the small ones are
 * here.
 */
#include "server/mcp/internal.h"

#define DISCOVER_TTL_MS 300000

typedef enum era { MODERN = 1, LEGACY = 2, BOTH = 3 } era;

static bool invalid(ctn_mcp_exchange *x, const char *sentence)
{
    ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, ctn_str_from(sentence), NULL);
    return false;
}

/* ---- what we are ---- */

/* Told only where it can be kept: a legacy client over HTTP has no stream that changes come on. */
static const ctn_json *capability(const ctn_mcp_exchange *x, bool has_subscribe)
{
    bool can_tell = x->caller.is_modern || !x->channel->is_http;
    ctn_json_builder b = ctn_json_object(x->arena);
    if (can_tell)
        ctn_json_put_bool(&b, "listChanged", true);
    if (can_tell && has_subscribe)
        ctn_json_put_bool(&b, "subscribe", true);
    return ctn_json_finish(&b);
}

static void put_capabilities(ctn_mcp_exchange *x, ctn_json_builder *result)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    ctn_json_builder c = ctn_json_object(x->arena), none = ctn_json_object(x->arena);
    if (b->tools)
        ctn_json_put(&c, CTN_STR("tools"), capability(x, false));
    if (b->prompts)
        ctn_json_put(&c, CTN_STR("prompts"), capability(x, false));
    if (b->resources)
        ctn_json_put(&c, CTN_STR("resources"), capability(x, b->may_watch_resource));
    if (b->complete && ctn_mcp_since(x->caller.version, "2025-03-26"))
        ctn_json_put(&c, CTN_STR("completions"), ctn_json_finish(&none));
    if (b->task_get && x->caller.is_modern) {
        ctn_json_builder extensions = ctn_json_object(x->arena);
        ctn_json_put(&extensions, CTN_STR(CTN_MCP_TASKS_EXTENSION), ctn_json_finish(&none));
        ctn_json_put(&c, CTN_STR("extensions"), ctn_json_finish(&extensions));
    }
    ctn_json_put(result, CTN_STR("capabilities"), ctn_json_finish(&c));
    if (b->instructions)
        ctn_json_put_str(result, "instructions", ctn_str_from(b->instructions));
}

static void discover(ctn_mcp_exchange *x)
{
    ctn_json_builder result = ctn_json_object(x->arena);
    ctn_json_put(&result, CTN_STR("supportedVersions"), ctn_mcp_spoken_versions(x->arena));
    put_capabilities(x, &result);
    ctn_mcp_put_caching(x, &result, DISCOVER_TTL_MS);
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

static void initialize(ctn_mcp_exchange *x)
{
    const ctn_json *wanted = ctn_json_member_of(x->params, "protocolVersion");
    if (!ctn_json_is(wanted, CTN_JSON_STRING)) {
        invalid(x, "initialize needs a \"protocolVersion\"");
        return;
    }
    if (ctn_mcp_is_legacy(ctn_json_text(wanted)))
        x->caller.version = ctn_json_text(wanted);
    if (!x->channel->is_http) {
        ctn_mcp_pipe *pipe = ctn_mcp_pipe_of(x->endpoint, x->channel);
        pipe->version = ctn_arena_str(pipe->arena, x->caller.version);
        pipe->capabilities = ctn_json_copy(pipe->arena, ctn_json_member_of(x->params, "capabilities"));
    }
    ctn_json_builder result = ctn_json_object(x->arena), info = ctn_json_object(x->arena);
    ctn_json_put_str(&info, "name", ctn_str_from(x->endpoint->of.name));
    ctn_json_put_str(&info, "version", ctn_str_from(x->endpoint->of.version));
    ctn_json_put_str(&result, "protocolVersion", x->caller.version);
    put_capabilities(x, &result);
    ctn_json_put(&result, CTN_STR("serverInfo"), ctn_json_finish(&info));
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

static void say_nothing(ctn_mcp_exchange *x)
{
    ctn_mcp_exchange_result(x, NULL);
}

static void subscribe(ctn_mcp_exchange *x)
{
    ctn_mcp_legacy_subscribe(x, ctn_str_is(x->method, "resources/subscribe"));
}

static void list_tools(ctn_mcp_exchange *x)
{
    ctn_mcp_list_answer(x, CTN_MCP_TOOLS);
}

static void list_prompts(ctn_mcp_exchange *x)
{
    ctn_mcp_list_answer(x, CTN_MCP_PROMPTS);
}

static void list_resources(ctn_mcp_exchange *x)
{
    ctn_mcp_list_answer(x, CTN_MCP_RESOURCES);
}

static void list_templates(ctn_mcp_exchange *x)
{
    ctn_mcp_list_answer(x, CTN_MCP_TEMPLATES);
}

/* ---- what is handed to the backend ---- */

/* An answer of a person is an object with one of three actions; a model's and a list of roots have members of their
 * own. */
static bool is_answer(const ctn_json *answer)
{
    const ctn_json *action = ctn_json_member_of(answer, "action");
    const ctn_json *content = ctn_json_member_of(answer, "content");
    if (!ctn_json_is(answer, CTN_JSON_OBJECT))
        return false;
    if (!action)
        return ctn_json_is(ctn_json_member_of(answer, "roots"), CTN_JSON_ARRAY) ||
               (content && ctn_json_is(ctn_json_member_of(answer, "role"), CTN_JSON_STRING));
    ctn_str word = ctn_json_is(action, CTN_JSON_STRING) ? ctn_json_text(action) : (ctn_str){0};
    return (ctn_str_is(word, "accept") || ctn_str_is(word, "decline") || ctn_str_is(word, "cancel")) &&
           (!content || ctn_json_is(content, CTN_JSON_OBJECT));
}

/* To a task an answer may come late, twice, or to a question that was never asked: what is none is passed by there, for
 * the others count. */
static bool read_answers(ctn_mcp_exchange *x)
{
    const ctn_json *answers = ctn_json_member_of(x->params, "inputResponses");
    bool is_task = ctn_str_is(x->method, "tasks/update");
    ctn_json_builder given = ctn_json_object(x->arena);
    if (!answers || !x->caller.is_modern)
        return true;
    if (!ctn_json_is(answers, CTN_JSON_OBJECT))
        return invalid(x, "\"inputResponses\" must be an object");
    for (uint32_t i = 0; i < answers->count; i++) {
        const ctn_json_member *m = &answers->members[i];
        if (is_answer(&m->value))
            ctn_json_put(&given, ctn_json_text(&m->key), &m->value);
        else if (!is_task)
            return invalid(x, "\"inputResponses\": an answer is {action: accept, content: {...}}, {action: decline} or "
                              "{action: cancel}");
    }
    x->ask.answers = ctn_json_finish(&given);
    return true;
}

static bool read_state(ctn_mcp_exchange *x)
{
    const ctn_json *sealed = ctn_json_member_of(x->params, "requestState");
    ctn_err err = {0};
    if (!sealed || !x->caller.is_modern)
        return true;
    if (!ctn_json_is(sealed, CTN_JSON_STRING))
        return invalid(x, "\"requestState\" must be the text that was given");
    return ctn_mcp_state_open(x, ctn_json_text(sealed), &x->ask.state, &err) ? invalid(x, err.message) : true;
}

/* The name or URI, the arguments, and what was answered. False: answered with what is wrong. */
static bool read_ask(ctn_mcp_exchange *x, const char *member)
{
    const ctn_json *name = ctn_json_member_of(x->params, member);
    const ctn_json *arguments = ctn_json_member_of(x->params, "arguments");
    ctn_json_builder none = ctn_json_object(x->arena);
    if (!ctn_json_is(name, CTN_JSON_STRING))
        return invalid(x, ctn_arena_printf(x->arena, "\"%s\" is missing: a text", member).ptr);
    if (arguments && !ctn_json_is(arguments, CTN_JSON_OBJECT))
        return invalid(x, "\"arguments\" must be an object");
    x->ask.name = ctn_json_text(name);
    x->ask.arguments = arguments ? arguments : ctn_json_finish(&none);
    return read_answers(x) && read_state(x);
}

static const ctn_json *find_tool(const ctn_mcp_exchange *x, ctn_str *ret_near)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    if (b->tool) {
        const ctn_json *tool = b->tool(b->ctx, x->caller.principal, x->ask.name, x->arena);
        if (tool)
            return tool;
    }
    const ctn_json *tools = b->tools(b->ctx, x->caller.principal, x->arena);
    ctn_str *names = CTN_NEW_ARRAY(x->arena, ctn_str, ctn_json_count(tools));
    for (size_t i = 0; i < ctn_json_count(tools); i++) {
        names[i] = ctn_json_str_or(ctn_json_at(tools, i), "name", (ctn_str){0});
        if (ctn_str_equal(names[i], x->ask.name))
            return ctn_json_at(tools, i);
    }
    *ret_near = ctn_str_nearest(x->ask.name, names, ctn_json_count(tools));
    return NULL;
}

static void call(ctn_mcp_exchange *x, const ctn_mcp_headers *headers)
{
    enum { NAME_SHOWN_BYTES = 128 };
    ctn_str near = {0};
    if (!read_ask(x, "name"))
        return;
    if (x->ask.name.len > NAME_SHOWN_BYTES) {
        invalid(x, "unknown tool: no name is so long");
        return;
    }
    const ctn_json *tool = find_tool(x, &near);
    if (!tool) {
        invalid(x, near.len ? ctn_arena_printf(x->arena, "unknown tool %.*s; did you mean %.*s?",
                                               CTN_STR_ARG(x->ask.name), CTN_STR_ARG(near))
                                  .ptr
                            : ctn_arena_printf(x->arena, "unknown tool %.*s", CTN_STR_ARG(x->ask.name)).ptr);
        return;
    }
    const char *fault =
        headers && x->caller.is_modern
            ? ctn_mcp_header_params_fault(x->arena, headers, ctn_json_member_of(tool, "inputSchema"), x->ask.arguments)
            : NULL;
    if (fault)
        ctn_mcp_exchange_error(x, CTN_MCP_HEADER_MISMATCH, ctn_str_from(fault), NULL);
    else
        x->endpoint->of.backend->call(x->endpoint->of.backend->ctx, x);
}

static void get_prompt(ctn_mcp_exchange *x)
{
    if (read_ask(x, "name"))
        x->endpoint->of.backend->prompt(x->endpoint->of.backend->ctx, x);
}

static void read_resource(ctn_mcp_exchange *x)
{
    if (read_ask(x, "uri"))
        x->endpoint->of.backend->read(x->endpoint->of.backend->ctx, x);
}

static void complete(ctn_mcp_exchange *x)
{
    x->ask.arguments = x->params;
    if (!ctn_json_is(ctn_json_member_of(x->params, "ref"), CTN_JSON_OBJECT) ||
        !ctn_json_is(ctn_json_member_of(ctn_json_member_of(x->params, "argument"), "name"), CTN_JSON_STRING) ||
        !ctn_json_is(ctn_json_member_of(ctn_json_member_of(x->params, "argument"), "value"), CTN_JSON_STRING))
        invalid(x, "completion/complete needs \"ref\", and \"argument\" with a \"name\" and a \"value\"");
    else
        x->endpoint->of.backend->complete(x->endpoint->of.backend->ctx, x);
}

/* ---- tasks ---- */

static void task(ctn_mcp_exchange *x)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    if (!x->caller.can_tasks)
        ctn_mcp_exchange_needs_tasks(x);
    else if (read_ask(x, "taskId"))
        (ctn_str_is(x->method, "tasks/get")      ? b->task_get
         : ctn_str_is(x->method, "tasks/update") ? b->task_update
                                                 : b->task_cancel)(b->ctx, x);
}

/* ---- the table ---- */

typedef struct method {
    const char *name;
    era eras;
    bool is_offered;
    void (*run)(ctn_mcp_exchange *x);
} method;

void ctn_mcp_method_run(ctn_mcp_exchange *x, const ctn_mcp_headers *headers)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    const method methods[] = {
        {"server/discover", MODERN, true, discover},
        {"initialize", LEGACY, true, initialize},
        {"ping", LEGACY, true, say_nothing},
        {"logging/setLevel", LEGACY, true, say_nothing}, /* nothing is ever logged to a client: any level is kept */
        {"tools/list", BOTH, b->tools, list_tools},
        {"tools/call", BOTH, b->call, NULL}, /* the one that looks at headers */
        {"prompts/list", BOTH, b->prompts, list_prompts},
        {"prompts/get", BOTH, b->prompt, get_prompt},
        {"resources/list", BOTH, b->resources, list_resources},
        {"resources/templates/list", BOTH, b->resources, list_templates},
        {"resources/read", BOTH, b->read, read_resource},
        {"resources/subscribe", LEGACY, b->resources, subscribe},
        {"resources/unsubscribe", LEGACY, b->resources, subscribe},
        {"completion/complete", BOTH, b->complete, complete},
        {"subscriptions/listen", MODERN, true, ctn_mcp_listen},
        {"tasks/get", MODERN, b->task_get, task},
        {"tasks/update", MODERN, b->task_update, task},
        {"tasks/cancel", MODERN, b->task_cancel, task},
    };
    era now = x->caller.is_modern ? MODERN : LEGACY;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const method *m = &methods[i];
        if (!ctn_str_is(x->method, m->name) || !(m->eras & now) || !m->is_offered)
            continue;
        if (m->run)
            m->run(x);
        else
            call(x, headers);
        return;
    }
    ctn_mcp_exchange_error(x, CTN_RPC_METHOD_NOT_FOUND,
                           ctn_arena_printf(x->arena, "unknown method %.*s", CTN_STR_ARG(x->method)), NULL);
}
