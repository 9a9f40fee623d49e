/*
 * client.c -- the program that the conformance suite runs as the client under test: `conformance_client URL`, the
 * scenario in the environment; see client.h.
 */
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 20000

void client_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void) vfprintf(stderr, format, args);
    va_end(args);
    (void) fputc('\n', stderr);
    exit(1);
}

static void stop(client *c)
{
    c->is_done = true;
    ctn_loop_stop(c->loop);
}

static void out_of_patience(void *ctx)
{
    (void) ctx;
    client_die("nothing happened for %d ms", PATIENCE_MS);
}

void client_run(client *c)
{
    ctn_timer *patience = ctn_timer_new(c->loop, out_of_patience, NULL);
    ctn_timer_set(patience, ctn_loop_now_ms(c->loop) + PATIENCE_MS);
    if (!c->is_done)
        ctn_loop_run(c->loop);
    ctn_timer_free(patience);
}

static void keep_result(client *c, const ctn_call_result *result)
{
    c->result = *result;
    c->result.value = result->value ? ctn_json_copy(c->arena, result->value) : NULL;
    c->result.asks = result->asks ? ctn_json_copy(c->arena, result->asks) : NULL;
    c->result.continuation = result->continuation ? ctn_json_copy(c->arena, result->continuation) : NULL;
    c->result.message = ctn_arena_str(c->arena, result->message);
    stop(c);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    client *c = ctx;
    if (token == c->token)
        keep_result(c, result);
}

static void on_answered(void *ctx, const ctn_call_result *result)
{
    keep_result(ctx, result);
}

static void on_accepted(void *ctx, uint64_t token, const ctn_json *continuation)
{
    (void) ctx, (void) token, (void) continuation;
}

static void on_ready(void *ctx, int code, const char *why)
{
    client *c = ctx;
    c->result = (ctn_call_result){.failure = code ? CTN_FAILURE_UNAVAILABLE : CTN_FAILURE_NONE,
                                  .message = ctn_arena_str(c->arena, ctn_str_from(why))};
    stop(c);
}

bool client_try_connect(client *c, ctn_mcp_server_config config)
{
    static ctn_log log = {.fd = 2, .level_min = CTN_LOG_DEBUG};
    ctn_err err = {0};
    log.clock = ctn_clock_system();
    config.name = CTN_STR("server");
    config.url = c->url;
    ctn_mcp_driver_options options = {
        .loop = c->loop,
        .spawner = c->spawner,
        .http = c->http,
        .sink = {.done = on_done, .accepted = on_accepted, .ctx = c},
        .log = &log,
        .servers = &config,
        .server_count = 1,
        .ask = c->ask,
    };
    if (ctn_mcp_driver_new(&options, &c->driver, &err))
        client_die("%s", err.message);
    c->is_done = false;
    ctn_mcp_ready(c->driver, config.name, on_ready, c);
    client_run(c);
    return c->result.failure == CTN_FAILURE_NONE;
}

void client_connect(client *c, ctn_mcp_server_config config)
{
    if (!client_try_connect(c, config))
        client_die("%.*s", CTN_STR_ARG(c->result.message));
}

const ctn_mcp_tool *client_tools(client *c, size_t *ret_count)
{
    return ctn_mcp_tools(c->driver, CTN_STR("server"), ret_count);
}

/* {KEY: {action: accept, content}} for all that is asked. */
static const ctn_json *answers_to(client *c, const ctn_json *asks, const ctn_json *content)
{
    ctn_json_builder answers = ctn_json_object(c->arena);
    for (size_t i = 0; i < ctn_json_count(asks); i++) {
        ctn_json_builder answer = ctn_json_object(c->arena);
        ctn_json_put_str(&answer, "action", CTN_STR("accept"));
        ctn_json_put(&answer, CTN_STR("content"), content);
        ctn_json_put(&answers, ctn_json_text(&asks->members[i].key), ctn_json_finish(&answer));
    }
    return ctn_json_finish(&answers);
}

const ctn_call_result *client_call(client *c, ctn_str tool, const ctn_json *arguments, const ctn_json *content)
{
    ctn_driver iface = ctn_mcp_driver_interface(c->driver);
    ctn_call_request request = {.target = ctn_arena_printf(c->arena, "server/%.*s", CTN_STR_ARG(tool)),
                                .args = arguments,
                                .idempotency_key = ctn_arena_printf(c->arena, "call-%.*s", CTN_STR_ARG(tool)),
                                .timeout_ms = PATIENCE_MS,
                                .deadline_ms = ctn_loop_now_ms(c->loop) + PATIENCE_MS};
    for (int rounds = 0; rounds < 5; rounds++) {
        request.token = ++c->token;
        c->is_done = false;
        iface.begin(iface.ctx, &request);
        client_run(c);
        if (!c->result.asks)
            break;
        request.answers = answers_to(c, c->result.asks, content);
        request.continuation = c->result.continuation;
    }
    (void) fprintf(stderr, "%.*s: failure %d %.*s %s\n", CTN_STR_ARG(tool), (int) c->result.failure,
                   CTN_STR_ARG(c->result.message),
                   c->result.value ? ctn_json_to_str(c->arena, c->result.value).ptr : "");
    return &c->result;
}

const ctn_json *client_ask(client *c, const char *method, ctn_str name, const ctn_json *params)
{
    c->is_done = false;
    ctn_mcp_question question = {.method = method,
                                 .server = CTN_STR("server"),
                                 .name = name,
                                 .params = params,
                                 .timeout_ms = PATIENCE_MS,
                                 .answered = on_answered,
                                 .ctx = c};
    ctn_mcp_question_ask(c->driver, &question);
    client_run(c);
    (void) fprintf(stderr, "%s: failure %d %.*s\n", method, (int) c->result.failure, CTN_STR_ARG(c->result.message));
    return c->result.value;
}

static const scenario *scenario_of(const char *name)
{
    const scenario *s = client_scenarios;
    for (; s->name; s++) {
        size_t len = strlen(s->name);
        bool is_family = len > 0 && s->name[len - 1] == '/';
        if (is_family ? strncmp(s->name, name, len) == 0 : strcmp(s->name, name) == 0)
            break;
    }
    return s->name ? s : NULL;
}

static void on_shut_down(void *ctx)
{
    stop(ctx);
}

int main(int argc, char **argv)
{
    const char *name = getenv("MCP_CONFORMANCE_SCENARIO"), *context = getenv("MCP_CONFORMANCE_CONTEXT");
    const char *version = getenv("MCP_CONFORMANCE_PROTOCOL_VERSION");
    const scenario *s = scenario_of(name ? name : "");
    ctn_err err = {0};
    if (argc < 2)
        client_die("usage: conformance_client URL, with MCP_CONFORMANCE_SCENARIO in the environment");
    if (!s)
        client_die("the scenario \"%s\" is not played", name ? name : "");
    client c = {.url = argv[argc - 1], .version = version ? version : "", .arena = ctn_arena_new(65536)};
    if (ctn_spawner_start(&c.spawner, &err))
        client_die("%s", err.message);
    if (context && ctn_json_parse(c.arena, ctn_str_from(context), NULL, &c.context, &err))
        client_die("MCP_CONFORMANCE_CONTEXT: %s", err.message);
    c.loop = ctn_loop_new();
    ctn_spawner_attach(c.spawner, c.loop);
    c.http = ctn_http_new(&(ctn_http_options){.loop = c.loop});
    s->play(&c);
    if (c.driver) {
        c.is_done = false;
        ctn_mcp_driver_shutdown(c.driver, on_shut_down, &c);
        client_run(&c);
        ctn_mcp_driver_free(c.driver);
    }
    ctn_http_free(c.http);
    ctn_loop_free(c.loop);
    ctn_spawner_stop(c.spawner);
    ctn_arena_free(c.arena);
    return 0;
}
