/*
 * kit.c -- see kit.h.
 */
#include "unit/server/kit.h"
#include <stdio.h>
#include "support/cmocka.h"
#include "wire/mcp.h"

static const char TOOLS[] =
    "[{\"name\":\"echo\",\"title\":\"Echo\",\"description\":\"gives it back\",\"icons\":[{\"src\":\"data:,\"}],"
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"x-mcp-header\":\"Text\"}}},"
    "\"outputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":true},\"_meta\":{\"dev.catena/x\":1}},"
    "{\"name\":\"list\",\"description\":\"a list\",\"inputSchema\":{\"type\":\"object\"},"
    "\"outputSchema\":{\"type\":\"array\"}},"
    "{\"name\":\"blocks\",\"description\":\"blocks\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"slow\",\"description\":\"slow\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"ask\",\"description\":\"asks\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"refuse\",\"description\":\"refuses\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"count\",\"description\":\"counts\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"shout\",\"description\":\"shouts\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"grow\",\"description\":\"grows\",\"inputSchema\":{\"type\":\"object\"}}]";

static const char BLOCKS[] = "{\"content\":[{\"type\":\"text\",\"text\":\"words\"},{\"type\":\"image\",\"data\":"
                             "\"AAAA\",\"mimeType\":\"image/png\"},"
                             "{\"type\":\"audio\",\"data\":\"AAAA\",\"mimeType\":\"audio/wav\"},"
                             "{\"type\":\"resource_link\",\"uri\":\"test://a\",\"name\":\"a\"},"
                             "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://a\",\"text\":\"inside\"}}]}";

static const char TASK[] = "{\"taskId\":\"task-1\",\"status\":\"working\",\"createdAt\":\"2026-11-22T10:00:00Z\","
                           "\"lastUpdatedAt\":\"2026-11-22T10:00:00Z\",\"ttlMs\":null,\"pollIntervalMs\":100}";

static const char QUESTION[] =
    "{\"who\":{\"method\":\"elicitation/"
    "create\",\"params\":{\"mode\":\"form\",\"message\":\"Name?\",\"requestedSchema\":"
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}}}";

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *value = NULL;
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(text), NULL, &value, NULL), CTN_OK);
    return value;
}

static const ctn_json *tools(void *ctx, ctn_str principal, ctn_arena *arena)
{
    const kit *k = ctx;
    (void) principal;
    const ctn_json *named = parse(arena, TOOLS);
    ctn_json_builder all = ctn_json_array(arena);
    for (size_t i = 0; i < named->count; i++)
        ctn_json_push(&all, ctn_json_at(named, i));
    for (size_t i = 0; i < k->tool_count; i++)
        ctn_json_push(&all, parse(arena, ctn_arena_printf(arena,
                                                          "{\"name\":\"filler-%zu\",\"description\":\"x\","
                                                          "\"inputSchema\":{\"type\":\"object\"}}",
                                                          i)
                                             .ptr));
    return ctn_json_finish(&all);
}

static const ctn_json *prompts(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) ctx, (void) principal;
    return parse(arena,
                 "[{\"name\":\"greet\",\"title\":\"Greet\",\"description\":\"greets\",\"arguments\":[{\"name\":\"who\","
                 "\"title\":\"Who\",\"required\":true}]}]");
}

static const ctn_json *resources(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) ctx, (void) principal;
    return parse(arena, "[{\"uri\":\"test://a\",\"name\":\"a\",\"title\":\"A\",\"mimeType\":\"text/plain\"}]");
}

static const ctn_json *templates(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) ctx, (void) principal;
    return parse(arena, "[{\"uriTemplate\":\"test://{id}\",\"name\":\"t\"}]");
}

static void on_gone(void *ctx)
{
    kit *k = ctx;
    k->gone_count++;
    k->slow = NULL;
}

/* What an LLM would read. */
static void say(ctn_mcp_exchange *x, ctn_str text, bool is_error)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_json_builder block = ctn_json_object(arena), content = ctn_json_array(arena), result = ctn_json_object(arena);
    ctn_json_put_str(&block, "type", CTN_STR("text"));
    ctn_json_put_str(&block, "text", text);
    ctn_json_push(&content, ctn_json_finish(&block));
    ctn_json_put(&result, CTN_STR("content"), ctn_json_finish(&content));
    ctn_json_put_bool(&result, "isError", is_error);
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

static void greet(void *ctx, const ctn_json *answers)
{
    ctn_mcp_exchange *x = ctx;
    const ctn_json *answer = ctn_json_member_of(answers, "who");
    ctn_str name = ctn_json_str_or(ctn_json_member_of(answer, "content"), "name", CTN_STR("nobody"));
    say(x, ctn_arena_printf(ctn_mcp_exchange_arena(x), "hello %.*s", CTN_STR_ARG(name)), false);
}

static void ask(ctn_mcp_exchange *x)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_mcp_ask *a = ctn_mcp_exchange_ask_of(x);
    if (ctn_json_member_of(a->answers, "who")) {
        assert_int_equal(ctn_json_int_or(a->state, "round", 0), 1);
        greet(x, a->answers);
        return;
    }
    ctn_mcp_exchange_ask(x, parse(arena, QUESTION), parse(arena, "{\"round\":1}"), greet, x);
}

static void call(void *ctx, ctn_mcp_exchange *x)
{
    kit *k = ctx;
    const ctn_mcp_ask *a = ctn_mcp_exchange_ask_of(x);
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    k->calls++;
    (void) snprintf(k->last_principal, sizeof k->last_principal, "%.*s",
                    CTN_STR_ARG(ctn_mcp_exchange_caller(x)->principal));
    ctn_json_builder result = ctn_json_object(arena), content = ctn_json_array(arena);
    if (ctn_str_is(a->name, "slow")) {
        ctn_mcp_exchange_when_gone(x, on_gone, k);
        k->slow = x;
        ctn_mcp_exchange_progress(x, 1, 2, CTN_STR("half"));
        ctn_mcp_exchange_progress(x, 1, 2, CTN_STR("does not grow"));
    } else if (ctn_str_is(a->name, "ask")) {
        ask(x);
    } else if (ctn_str_is(a->name, "refuse")) {
        say(x, CTN_STR("no"), true);
    } else if (ctn_str_is(a->name, "count")) {
        ctn_json_builder counts = ctn_json_object(arena);
        ctn_json_put_int(&counts, "calls", (int64_t) k->calls);
        ctn_json_put_int(&counts, "gone", (int64_t) k->gone_count);
        ctn_json_put(&result, CTN_STR("content"), ctn_json_finish(&content));
        ctn_json_put(&result, CTN_STR("structuredContent"), ctn_json_finish(&counts));
        ctn_mcp_exchange_result(x, ctn_json_finish(&result));
    } else if (ctn_str_is(a->name, "shout")) {
        for (int i = 0; i < 50000; i++)
            ctn_mcp_endpoint_changed(k->endpoint, CTN_MCP_TOOLS_CHANGED);
        say(x, CTN_STR("done"), false);
    } else if (ctn_str_is(a->name, "blocks")) {
        ctn_mcp_exchange_result(x, parse(arena, BLOCKS));
    } else if (ctn_str_is(a->name, "grow") && ctn_mcp_exchange_caller(x)->can_tasks) {
        ctn_mcp_exchange_task(x, parse(arena, TASK));
    } else {
        ctn_json_put(&result, CTN_STR("content"), ctn_json_finish(&content));
        ctn_json_put(&result, CTN_STR("structuredContent"),
                     ctn_str_is(a->name, "list") ? parse(arena, "[1,2]") : a->arguments);
        ctn_mcp_exchange_result(x, ctn_json_finish(&result));
    }
}

static void prompt(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    ctn_mcp_exchange_result(x,
                            parse(ctn_mcp_exchange_arena(x),
                                  "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"resource_link\",\"uri\":"
                                  "\"test://a\",\"name\":\"a\"}}]}"));
}

static void read_resource(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_str uri = ctn_mcp_exchange_ask_of(x)->name;
    ctn_json_builder data = ctn_json_object(arena);
    ctn_json_put_str(&data, "uri", uri);
    if (ctn_str_is(uri, "test://a"))
        ctn_mcp_exchange_result(x, parse(arena, "{\"contents\":[{\"uri\":\"test://a\",\"text\":\"inside\"}]}"));
    else
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("there is no such resource"), ctn_json_finish(&data));
}

static void complete(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    ctn_mcp_exchange_result(
        x, parse(ctn_mcp_exchange_arena(x), "{\"completion\":{\"values\":[\"ada\"],\"total\":1,\"hasMore\":false}}"));
}

static void task_get(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    if (ctn_str_is(ctn_mcp_exchange_ask_of(x)->name, "task-1"))
        ctn_mcp_exchange_result(x, parse(ctn_mcp_exchange_arena(x), TASK));
    else
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("there is no such task"), NULL);
}

static void task_take(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    ctn_mcp_exchange_result(x, NULL);
}

static bool may_watch_task(void *ctx, const ctn_mcp_exchange *x, ctn_str id)
{
    (void) ctx, (void) x;
    return ctn_str_is(id, "task-1");
}

static bool may_watch_resource(void *ctx, const ctn_mcp_exchange *x, ctn_str uri)
{
    (void) ctx, (void) x;
    return ctn_str_is(uri, "test://a");
}

void kit_init(kit *k)
{
    *k = (kit){.backend = {.ctx = k,
                           .tools = tools,
                           .prompts = prompts,
                           .resources = resources,
                           .resource_templates = templates,
                           .call = call,
                           .prompt = prompt,
                           .read = read_resource,
                           .complete = complete,
                           .task_get = task_get,
                           .task_update = task_take,
                           .task_cancel = task_take,
                           .may_watch_task = may_watch_task,
                           .may_watch_resource = may_watch_resource,
                           .instructions = "call echo"}};
}

void kit_finish(kit *k)
{
    ctn_mcp_exchange *x = k->slow;
    assert_non_null(x);
    k->slow = NULL;
    say(x, CTN_STR("done"), false);
}
