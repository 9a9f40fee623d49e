/* web_calls.c -- see web_calls.h. */
#include "web_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/cmocka.h"

static ctn_spawner *the_spawner;

int web_calls_first(void **state)
{
    ctn_err err = {0};
    (void) state;
    int rc = ctn_spawner_start(&the_spawner, &err);
    if (rc)
        (void) fprintf(stderr, "%s\n", err.message);
    return rc;
}

int web_calls_last(void **state)
{
    (void) state;
    ctn_spawner_stop(the_spawner);
    return 0;
}

static void stop_when_all_ended(web_calls *c)
{
    if (c->is_running && c->ended == c->begun)
        ctn_loop_stop(c->loop);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    web_calls *c = ctx;
    token--; /* 0 is none */
    c->answers[token]++;
    c->ended++;
    c->results[token] = *result;
    c->results[token].value = result->value ? ctn_json_copy(c->arena, result->value) : NULL;
    c->results[token].message = ctn_arena_str(c->arena, result->message);
    stop_when_all_ended(c);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    web_calls *c = ctx;
    (void) token, (void) progress, (void) total, (void) message;
    c->progress_count++;
}

static void out_of_patience(void *ctx)
{
    web_calls *c = ctx;
    c->is_impatient = true;
    ctn_loop_stop(c->loop);
}

static int read_token(void *ctx, ctn_str server, ctn_arena *arena, const ctn_mcp_header **ret_headers,
                      size_t *ret_count, ctn_err *err)
{
    const web_calls *c = ctx;
    (void) server, (void) err;
    ctn_mcp_header *header = CTN_NEW_ARRAY(arena, ctn_mcp_header, 1);
    if (c->token)
        *header = (ctn_mcp_header){CTN_STR("Authorization"), ctn_arena_str(arena, ctn_str_from(c->token))};
    *ret_headers = header;
    *ret_count = c->token ? 1 : 0;
    return CTN_OK;
}

void web_calls_start(web_calls *c, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what))
{
    web_start(&c->web, era, serve);
    c->arena = ctn_arena_new(65536);
    c->loop = ctn_loop_new();
    ctn_spawner_attach(the_spawner, c->loop);
    c->http = ctn_http_new(&(ctn_http_options){.loop = c->loop});
    c->patience = ctn_timer_new(c->loop, out_of_patience, c);
    c->timeout_ms = 10000;
    c->warned = tmpfile();
    assert_non_null(c->warned);
    c->log = (ctn_log){.fd = fileno(c->warned), .level_min = CTN_LOG_WARN, .clock = ctn_clock_system()};
    ctn_mcp_server_config config = c->config;
    config.name = CTN_STR("web");
    config.url = c->web.url;
    ctn_mcp_driver_options options = {
        .loop = c->loop,
        .spawner = the_spawner,
        .http = c->http,
        .sink = {.done = on_done, .progress = on_progress, .ctx = c},
        .log = &c->log,
        .servers = &config,
        .server_count = 1,
        .discover_silence_ms = 200,
        .end_grace_ms = 200,
        .line_bytes_max = 64 << 10,
        .headers = read_token,
        .headers_ctx = c,
    };
    ctn_err err = {0};
    if (ctn_mcp_driver_new(&options, &c->driver, &err))
        fail_msg("%s", err.message);
    c->iface = ctn_mcp_driver_interface(c->driver);
}

static void on_shut_down(void *ctx)
{
    web_calls *c = ctx;
    c->ended = c->begun; /* what was under way is not told any more */
    stop_when_all_ended(c);
}

void web_calls_shut_down(web_calls *c)
{
    c->begun = c->ended + 1;
    ctn_mcp_driver_shutdown(c->driver, on_shut_down, c);
    web_calls_wait(c);
    ctn_mcp_driver_free(c->driver);
    c->driver = NULL;
}

void web_calls_stop(web_calls *c)
{
    if (c->driver)
        web_calls_shut_down(c);
    (void) fclose(c->warned);
    ctn_timer_free(c->patience);
    ctn_http_free(c->http);
    ctn_loop_free(c->loop);
    ctn_arena_free(c->arena);
    web_stop(&c->web);
}

static unsigned begin(web_calls *c, const char *tool, const char *args)
{
    const ctn_json *value = NULL;
    assert_int_equal(ctn_json_parse(c->arena, ctn_str_from(args), NULL, &value, NULL), CTN_OK);
    unsigned token = c->begun++;
    assert_true(token < WEB_CALLS_MAX);
    ctn_call_request request = {.token = token + 1,
                                .target = ctn_arena_printf(c->arena, "web/%s", tool),
                                .args = value,
                                .idempotency_key = CTN_STR("key"),
                                .timeout_ms = c->timeout_ms,
                                .deadline_ms = ctn_loop_now_ms(c->loop) + c->timeout_ms};
    c->iface.begin(c->iface.ctx, &request);
    return token;
}

unsigned web_calls_begin(web_calls *c, const char *args)
{
    return begin(c, "echo", args);
}

void web_calls_cancel(web_calls *c, unsigned call)
{
    c->iface.cancel(c->iface.ctx, call + 1);
    c->ended++; /* nothing is told of it any more */
}

static void run(web_calls *c, int64_t ms)
{
    ctn_timer_set(c->patience, ctn_loop_now_ms(c->loop) + ms);
    c->is_running = true;
    ctn_loop_run(c->loop);
    c->is_running = false;
    ctn_timer_clear(c->patience);
}

void web_calls_wait(web_calls *c)
{
    if (c->ended < c->begun)
        run(c, 15000);
    if (c->is_impatient)
        fail_msg("%u of %u calls ended", c->ended, c->begun);
}

void web_calls_run_for(web_calls *c, int64_t ms)
{
    int64_t until_ms = ctn_loop_now_ms(c->loop) + ms;
    for (int64_t left_ms; (left_ms = until_ms - ctn_loop_now_ms(c->loop)) > 0;)
        run(c, left_ms);
    c->is_impatient = false;
}

const ctn_call_result *web_call(web_calls *c, const char *args)
{
    return web_call_tool(c, "echo", args);
}

const ctn_call_result *web_call_tool(web_calls *c, const char *tool, const char *args)
{
    unsigned token = begin(c, tool, args);
    web_calls_wait(c);
    assert_int_equal(c->answers[token], 1);
    return &c->results[token];
}

web_outcome web_outcome_of(const ctn_call_result *result)
{
    if (result->failure == CTN_FAILURE_NONE)
        return SUCCEEDED;
    if (!result->was_sent)
        return NOT_EXECUTED;
    switch (result->failure) {
    case CTN_FAILURE_TRANSPORT:
    case CTN_FAILURE_TIMEOUT: return FATE_UNKNOWN;
    case CTN_FAILURE_TOOL_ERROR:
    case CTN_FAILURE_INVALID_OUTPUT:
    case CTN_FAILURE_LIMIT: return EXECUTED_AND_FAILED;
    default: return NOT_EXECUTED;
    }
}

void web_assert_value(web_calls *c, const ctn_call_result *result, const char *expected)
{
    const ctn_json *wanted = NULL;
    assert_int_equal(ctn_json_parse(c->arena, ctn_str_from(expected), NULL, &wanted, NULL), CTN_OK);
    if (result->failure != CTN_FAILURE_NONE || !ctn_json_equal(result->value, wanted))
        fail_msg("failure %d, %.*s, value %s; want %s", (int) result->failure, CTN_STR_ARG(result->message),
                 result->value ? ctn_json_to_str(c->arena, result->value).ptr : "none", expected);
}

void web_assert_failure(const ctn_call_result *result, ctn_failure failure, bool was_sent, const char *part)
{
    if (result->failure != failure || result->was_sent != was_sent || result->peer_is_dead ||
        ctn_str_find(result->message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("failure %d (want %d), was_sent %d (want %d), peer_is_dead %d, \"%.*s\" (want \"%s\")",
                 (int) result->failure, (int) failure, result->was_sent, was_sent, result->peer_is_dead,
                 CTN_STR_ARG(result->message), part);
}

const char *web_calls_version(const web_calls *c)
{
    static char text[32];
    ctn_mcp_server_state s = {0};
    assert_true(ctn_mcp_server_state_of(c->driver, CTN_STR("web"), &s));
    (void) snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(s.version));
    return text;
}

const char *web_calls_warnings(web_calls *c)
{
    ctn_buf text;
    ctn_buf_init(&text, 65536);
    char *room = ctn_buf_reserve(&text, 65535);
    ssize_t len = pread(fileno(c->warned), room, 65535, 0);
    const char *copy = ctn_arena_str(c->arena, (ctn_str){room, len > 0 ? (size_t) len : 0}).ptr;
    ctn_buf_done(&text);
    return copy;
}

int web_calls_setup(void **state)
{
    *state = calloc(1, sizeof(web_calls));
    assert_non_null(*state);
    return 0;
}

int web_calls_teardown(void **state)
{
    web_calls_stop(*state);
    free(*state);
    return 0;
}
