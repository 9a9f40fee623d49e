/*
 * An MCP endpoint is given messages, one a line: over its pipe, or, behind "METHOD|NAME|VERSION|PARAM ", as POSTs with
 * these headers. "!" ends what waits, "?" lets the client of the last POST leave. Whatever comes in, what goes out are
 * messages, no POST is answered twice, and at the end every POST has been answered that was not left.
 */
#include <stdlib.h>
#include "server/mcp/endpoint.h"
#include "wire/jsonrpc.h"

#define POSTS_MAX 64

typedef struct world {
    ctn_arena *arena;
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_exchange *waiting[POSTS_MAX * 2];
    size_t waiting_count;
    struct post {
        ctn_mcp_channel channel;
        struct world *world;
        bool is_answered, is_gone;
    } posts[POSTS_MAX + 1]; /* the last is the pipe */
    size_t post_count;
} world;

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *value = NULL;
    if (ctn_json_parse(arena, ctn_str_from(text), NULL, &value, NULL))
        abort();
    return value;
}

static const ctn_json *tools(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) ctx, (void) principal;
    return parse(
        arena,
        "[{\"name\":\"now\",\"title\":\"N\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"
        "\"string\",\"x-mcp-header\":\"A\"}}},\"outputSchema\":{\"type\":\"array\"}},{\"name\":\"later\","
        "\"inputSchema\":{\"type\":\"object\"}},{\"name\":\"ask\",\"inputSchema\":{\"type\":\"object\"}}]");
}

static void on_gone(void *ctx)
{
    ctn_mcp_exchange **at = ctx;
    *at = NULL;
}

static void on_answered(void *ctx, const ctn_json *answers)
{
    ctn_mcp_exchange_result(ctx, answers);
}

static void call(void *ctx, ctn_mcp_exchange *x)
{
    world *w = ctx;
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(x);
    ctn_mcp_exchange_progress(x, 1, 2, ask->name);
    if (ctn_str_is(ask->name, "ask") && !ask->answers)
        ctn_mcp_exchange_ask(x,
                             parse(arena,
                                   "{\"k\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\","
                                   "\"message\":\"?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}}"),
                             ask->arguments, on_answered, x);
    else if (ctn_str_is(ask->name, "later") && w->waiting_count < POSTS_MAX * 2) {
        ctn_mcp_exchange_when_gone(x, on_gone, &w->waiting[w->waiting_count]);
        w->waiting[w->waiting_count++] = x;
    } else
        ctn_mcp_exchange_result(x, parse(arena, "{\"content\":[{\"type\":\"audio\"},1],\"structuredContent\":[1]}"));
}

static void answer(void *ctx, ctn_mcp_exchange *x)
{
    (void) ctx;
    ctn_mcp_exchange_result(x, ctn_mcp_exchange_ask_of(x)->arguments);
}

static bool may_watch(void *ctx, const ctn_mcp_exchange *x, ctn_str name)
{
    (void) ctx, (void) x;
    return name.len < 8;
}

static void keep(struct post *p, ctn_str message)
{
    ctn_rpc_message m;
    const ctn_json *value = NULL;
    if (p->is_gone || memchr(message.ptr, '\n', message.len))
        abort();
    if (message.len && message.ptr[0] == '[' ? ctn_json_parse(p->world->arena, message, NULL, &value, NULL)
                                             : ctn_rpc_parse(p->world->arena, message, &m, NULL))
        abort();
}

static void on_send(ctn_mcp_channel *channel, ctn_str message)
{
    struct post *p = channel->ctx;
    if (channel->is_http && p->is_answered)
        abort();
    keep(p, message);
}

static void on_answer(ctn_mcp_channel *channel, int status, ctn_str message)
{
    struct post *p = channel->ctx;
    if (channel->is_http && (p->is_answered || status < 200 || status > 599))
        abort();
    p->is_answered = true;
    if (message.len)
        keep(p, message);
}

static void take(world *w, ctn_str line)
{
    struct post *pipe = &w->posts[POSTS_MAX];
    size_t space = ctn_str_find(line, CTN_STR(" "));
    ctn_str head = {line.ptr, space == SIZE_MAX ? 0 : space};
    if (!memchr(line.ptr, '|', head.len)) {
        ctn_mcp_endpoint_take(w->endpoint, &pipe->channel, line, NULL);
        return;
    }
    if (w->post_count == POSTS_MAX)
        return;
    struct post *p = &w->posts[w->post_count++];
    *p = (struct post){
        .world = w,
        .channel = {.ctx = p, .principal = CTN_STR("ada"), .is_http = true, .send = on_send, .answer = on_answer}};
    ctn_mcp_headers headers = {.method = ctn_str_cut(&head, '|'),
                               .name = ctn_str_cut(&head, '|'),
                               .protocol_version = ctn_str_cut(&head, '|')};
    if (!headers.protocol_version.len)
        headers.protocol_version.ptr = NULL;
    ctn_mcp_header param = {CTN_STR("Mcp-Param-A"), head};
    headers.params = &param;
    headers.param_count = head.ptr ? 1 : 0;
    ctn_mcp_endpoint_take(w->endpoint, &p->channel, ctn_str_from_offset(line, space + 1), &headers);
}

static void say_done(ctn_mcp_exchange *x)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_json_builder block = ctn_json_object(arena), content = ctn_json_array(arena), result = ctn_json_object(arena);
    ctn_json_put_str(&block, "type", CTN_STR("text"));
    ctn_json_put_str(&block, "text", CTN_STR("done"));
    ctn_json_push(&content, ctn_json_finish(&block));
    ctn_json_put(&result, CTN_STR("content"), ctn_json_finish(&content));
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

static void finish_waiting(world *w)
{
    for (size_t i = 0; i < w->waiting_count; i++) {
        ctn_mcp_exchange *x = w->waiting[i];
        w->waiting[i] = NULL;
        if (x)
            say_done(x);
    }
    w->waiting_count = 0;
}

static void leave(world *w)
{
    struct post *p = w->post_count ? &w->posts[w->post_count - 1] : NULL;
    if (!p || p->is_answered || p->is_gone)
        return;
    ctn_mcp_endpoint_channel_gone(w->endpoint, &p->channel);
    p->is_gone = true;
}

static void stop(void *ctx)
{
    ctn_loop_stop(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = calloc(1, sizeof *w);
    ctn_loop *loop = ctn_loop_new();
    ctn_timer *timer = ctn_timer_new(loop, stop, loop);
    w->arena = ctn_arena_new(4096);
    ctn_mcp_backend backend = {.ctx = w,
                               .tools = tools,
                               .prompts = tools,
                               .resources = tools,
                               .call = call,
                               .prompt = answer,
                               .read = answer,
                               .complete = answer,
                               .task_get = answer,
                               .task_update = answer,
                               .task_cancel = answer,
                               .may_watch_task = may_watch,
                               .may_watch_resource = may_watch};
    ctn_mcp_endpoint_options options = {.loop = loop,
                                        .backend = &backend,
                                        .name = "f",
                                        .version = "1",
                                        .state_key = CTN_STR("0123456789abcdef0123456789abcdef"),
                                        .tools_per_page = 2,
                                        .requests_max = 8,
                                        .ask_timeout_ms = 1};
    w->endpoint = ctn_mcp_endpoint_new(&options);
    struct post *pipe = &w->posts[POSTS_MAX];
    *pipe = (struct post){
        .world = w, .channel = {.ctx = pipe, .principal = CTN_STR("stdio"), .send = on_send, .answer = on_answer}};
    for (ctn_str text = {(const char *) data, size}; text.ptr;) {
        ctn_str line = ctn_str_cut(&text, '\n');
        if (ctn_str_is(line, "!"))
            finish_waiting(w);
        else if (ctn_str_is(line, "?"))
            leave(w);
        else
            take(w, line);
    }
    ctn_mcp_endpoint_changed(w->endpoint, CTN_MCP_TOOLS_CHANGED);
    ctn_mcp_endpoint_resource_changed(w->endpoint, CTN_STR("a"));
    finish_waiting(w);
    ctn_timer_set(timer, ctn_loop_now_ms(loop) + 2);
    ctn_loop_run(loop); /* nobody answers our questions */
    ctn_mcp_endpoint_stop(w->endpoint);
    for (size_t i = 0; i < w->post_count; i++)
        if (!w->posts[i].is_answered && !w->posts[i].is_gone)
            abort();
    ctn_mcp_endpoint_channel_gone(w->endpoint, &pipe->channel);
    ctn_mcp_endpoint_free(w->endpoint);
    ctn_loop_free(loop);
    ctn_arena_free(w->arena);
    free(w);
    return 0;
}
