/*
 * talk.c -- see talk.h.
 */
#include "unit/server/talk.h"
#include <stdio.h>
#include <stdlib.h>
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "value/schema.h"

/* ---- judging ---- */

static const ctn_json *document_of(talk *t, const char *file)
{
    char path[4096], name[128];
    ctn_buf text;
    ctn_err err = {0};
    const ctn_json *document = NULL;
    (void) snprintf(name, sizeof name, "../reference/mcp-schema/%s.json", file);
    if (!ctn_shared_data(name, path, sizeof path))
        return NULL;
    ctn_buf_init(&text, 8 << 20);
    assert_true(ctn_read_file(path, &text));
    if (ctn_json_parse(t->arena, ctn_buf_str(&text), NULL, &document, &err))
        fail_msg("%s: %s", path, err.message);
    ctn_buf_done(&text);
    return document;
}

static void judge(talk *t, const char *file, const char *definition, const ctn_json *value)
{
    const ctn_json *document = document_of(t, file);
    ctn_err err = {0};
    ctn_schema *schema = NULL;
    if (!document)
        return;
    ctn_json_builder b = ctn_json_object(t->arena);
    ctn_json_put(&b, CTN_STR("$defs"), ctn_json_member_of(document, "$defs"));
    ctn_json_put_str(&b, "$ref", ctn_arena_printf(t->arena, "#/$defs/%s", definition));
    if (ctn_schema_compile(t->arena, ctn_json_finish(&b), &schema, NULL, &err))
        fail_msg("%s: %s", definition, err.message);
    int rc = ctn_schema_validate(schema, value, t->arena, &err);
    ctn_schema_done(schema);
    if (rc)
        fail_msg("%s %s: %s\n%s", file, definition, err.message, ctn_json_to_str(t->arena, value).ptr);
}

static const char *result_definition(ctn_str method, const ctn_json *result)
{
    static const char *const NAMES[][2] = {{"server/discover", "DiscoverResult"},
                                           {"initialize", "InitializeResult"},
                                           {"tools/list", "ListToolsResult"},
                                           {"tools/call", "CallToolResult"},
                                           {"prompts/list", "ListPromptsResult"},
                                           {"prompts/get", "GetPromptResult"},
                                           {"resources/list", "ListResourcesResult"},
                                           {"resources/templates/list", "ListResourceTemplatesResult"},
                                           {"resources/read", "ReadResourceResult"},
                                           {"completion/complete", "CompleteResult"},
                                           {"subscriptions/listen", "SubscriptionsListenResult"},
                                           {"tasks/get", "GetTaskResult"},
                                           {"tasks/update", "UpdateTaskResult"},
                                           {"tasks/cancel", "CancelTaskResult"}};
    ctn_str type = ctn_json_str_or(result, "resultType", (ctn_str){0});
    if (ctn_str_is(type, "input_required"))
        return "InputRequiredResult";
    if (ctn_str_is(type, "task"))
        return "CreateTaskResult";
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (ctn_str_is(method, NAMES[i][0]))
            return NAMES[i][1];
    return "Result";
}

static const char *notification_definition(ctn_str method)
{
    static const char *const NAMES[][2] = {
        {"notifications/progress", "ProgressNotification"},
        {"notifications/cancelled", "CancelledNotification"},
        {"notifications/tools/list_changed", "ToolListChangedNotification"},
        {"notifications/prompts/list_changed", "PromptListChangedNotification"},
        {"notifications/resources/list_changed", "ResourceListChangedNotification"},
        {"notifications/resources/updated", "ResourceUpdatedNotification"},
        {"notifications/subscriptions/acknowledged", "SubscriptionsAcknowledgedNotification"},
        {"notifications/tasks", "TaskStatusNotification"}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (ctn_str_is(method, NAMES[i][0]))
            return NAMES[i][1];
    fail_msg("nobody knows %.*s", CTN_STR_ARG(method));
    return NULL;
}

/* Only two revisions have a schema here; older ones are judged by what the tests look at. */
static void judge_message(talk *t, const ctn_json *message)
{
    ctn_str asked = ctn_json_str_or(t->asked, "method", (ctn_str){0});
    ctn_str method = ctn_json_str_or(message, "method", (ctn_str){0});
    const ctn_json *result = ctn_json_member_of(message, "result");
    if (!t->revision)
        return;
    if (method.len && ctn_json_member_of(message, "id")) {
        judge(t, t->revision, "JSONRPCRequest", message);
        judge(t, t->revision, "ElicitRequest", message);
    } else if (method.len) {
        const char *definition = notification_definition(method);
        bool is_task = strncmp(definition, "Task", 4) == 0;
        judge(t, is_task ? "ext-tasks" : t->revision, definition, message);
    } else if (result) {
        const char *definition = result_definition(asked, result);
        judge(t, t->revision, "JSONRPCResultResponse", message);
        judge(t, strstr(definition, "Task") ? "ext-tasks" : t->revision, definition, result);
    } else {
        judge(t, t->revision, "JSONRPCErrorResponse", message);
    }
}

/* ---- the channels ---- */

static void keep(talk *t, ctn_str message)
{
    const ctn_json *value = NULL;
    assert_true(t->said_count < sizeof t->said / sizeof *t->said);
    assert_null(memchr(message.ptr, '\n', message.len));
    assert_int_equal(ctn_json_parse(t->arena, ctn_arena_str(t->arena, message), NULL, &value, NULL), CTN_OK);
    t->said[t->said_count++] = value;
    judge_message(t, value);
}

static void on_send(ctn_mcp_channel *channel, ctn_str message)
{
    talk *t = channel->ctx;
    assert_false(channel->is_http && t->is_answered);
    keep(t, message);
}

static void on_answer(ctn_mcp_channel *channel, int http_status, ctn_str message)
{
    talk *t = channel->ctx;
    assert_false(channel->is_http && t->is_answered);
    t->is_answered = true;
    t->http_status = http_status;
    if (message.len)
        keep(t, message);
}

int talk_setup(void **state)
{
    talk *t = calloc(1, sizeof *t);
    assert_non_null(t);
    kit_init(&t->kit);
    t->arena = ctn_arena_new(65536);
    t->loop = ctn_loop_new();
    t->pipe = (ctn_mcp_channel){.ctx = t, .principal = CTN_STR("stdio"), .send = on_send, .answer = on_answer};
    t->post =
        (ctn_mcp_channel){.ctx = t, .principal = CTN_STR("ada"), .is_http = true, .send = on_send, .answer = on_answer};
    ctn_mcp_endpoint_options options = {.loop = t->loop,
                                        .backend = &t->kit.backend,
                                        .name = "kit",
                                        .version = "1",
                                        .state_key = CTN_STR("0123456789abcdef0123456789abcdef"),
                                        .tools_per_page = 10,
                                        .requests_max = 4,
                                        .ask_timeout_ms = 50};
    t->endpoint = ctn_mcp_endpoint_new(&options);
    t->revision = "2026-07-28";
    *state = t;
    return 0;
}

int talk_teardown(void **state)
{
    talk *t = *state;
    ctn_mcp_endpoint_channel_gone(t->endpoint, &t->pipe);
    ctn_mcp_endpoint_free(t->endpoint);
    ctn_loop_free(t->loop);
    ctn_arena_free(t->arena);
    free(t);
    return 0;
}

static void remember(talk *t, const char *message)
{
    const ctn_json *value = NULL;
    t->asked = ctn_json_parse(t->arena, ctn_str_from(message), NULL, &value, NULL) ? NULL : value;
}

void say(talk *t, const char *message)
{
    remember(t, message);
    ctn_mcp_endpoint_take(t->endpoint, &t->pipe, ctn_str_from(message), NULL);
}

void post(talk *t, const char *message, const ctn_mcp_headers *headers)
{
    remember(t, message);
    const ctn_json *params = ctn_json_member_of(t->asked, "params");
    const ctn_json *name =
        ctn_json_member_of(params, "name") ? ctn_json_member_of(params, "name") : ctn_json_member_of(params, "uri");
    ctn_mcp_headers usual = {.protocol_version = CTN_STR("2026-07-28"),
                             .method = ctn_json_str_or(t->asked, "method", (ctn_str){0}),
                             .name = ctn_json_text(name)};
    t->is_answered = false;
    t->http_status = 0;
    ctn_mcp_endpoint_take(t->endpoint, &t->post, ctn_str_from(message), headers ? headers : &usual);
}

void ask_modern(talk *t, const char *method, const char *params)
{
    say(t,
        ctn_arena_printf(t->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s%s" MODERN_META "}}",
                         method, params, *params ? "," : "")
            .ptr);
}

void shake_hands(talk *t, const char *revision, const char *capabilities)
{
    say(t, ctn_arena_printf(
               t->arena,
               "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%s\","
               "\"capabilities\":%s,\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}",
               revision, capabilities)
               .ptr);
    say(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    forget(t);
}

void forget(talk *t)
{
    t->said_count = 0;
}

static void stop(void *ctx)
{
    ctn_loop_stop(ctx);
}

void run_for(talk *t, int64_t ms)
{
    ctn_timer *timer = ctn_timer_new(t->loop, stop, t->loop);
    ctn_timer_set(timer, ctn_loop_now_ms(t->loop) + ms);
    ctn_loop_run(t->loop);
    ctn_timer_free(timer);
}

const ctn_json *last(const talk *t)
{
    return t->said_count ? t->said[t->said_count - 1] : NULL;
}

ctn_str at(const talk *t, const char *pointer)
{
    return ctn_json_text(ctn_json_pointer(last(t), ctn_str_from(pointer)));
}

int64_t number_at(const talk *t, const char *pointer)
{
    int64_t value = 0;
    (void) ctn_json_to_int64(ctn_json_pointer(last(t), ctn_str_from(pointer)), &value);
    return value;
}

bool is_there(const talk *t, const char *pointer)
{
    return ctn_json_pointer(last(t), ctn_str_from(pointer)) != NULL;
}
