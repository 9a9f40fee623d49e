/*
 * The driver against servers over HTTP: both eras, the headers, what is lost with a POST and what is not, sessions,
 * streams that are resumed, the transport of 2024-11-05.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "drivers/mcp/mcp.h"
#include "web.h"
#include "support/cmocka.h"

#define CALLS_MAX   50
#define PATIENCE_MS 15000

typedef struct answer {
    int count;
    ctn_call_result result; /* value and message copied */
} answer;

typedef struct fixture {
    web web;
    ctn_spawner *spawner;
    ctn_loop *loop;
    ctn_http *http;
    ctn_mcp_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    answer answers[CALLS_MAX];
    int answered, awaited, progress_count;
    int64_t idle_timeout_ms;
    const char *token; /* the header that is read afresh; NULL: none */
    FILE *warned;
    ctn_log log;
    bool is_running, is_impatient, has_ended;
} fixture;

static ctn_spawner *the_spawner;

static void stop(fixture *f)
{
    if (f->is_running)
        ctn_loop_stop(f->loop);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    fixture *f = ctx;
    answer *a = &f->answers[token];
    a->count++;
    a->result = *result;
    a->result.value = result->value ? ctn_json_copy(f->arena, result->value) : NULL;
    a->result.message = ctn_arena_str(f->arena, result->message);
    if (++f->answered >= f->awaited)
        stop(f);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    fixture *f = ctx;
    (void) token, (void) progress, (void) total, (void) message;
    f->progress_count++;
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    f->is_impatient = true;
    ctn_loop_stop(f->loop);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = ctn_arena_new(65536);
    f->warned = tmpfile();
    assert_non_null(f->warned);
    *state = f;
    return 0;
}

static int read_token(void *ctx, ctn_str server, ctn_arena *arena, const ctn_mcp_header **ret_headers,
                      size_t *ret_count, ctn_err *err)
{
    const fixture *f = ctx;
    (void) server, (void) err;
    ctn_mcp_header *header = CTN_NEW_ARRAY(arena, ctn_mcp_header, 1);
    if (f->token)
        *header = (ctn_mcp_header){CTN_STR("Authorization"), ctn_arena_str(arena, ctn_str_from(f->token))};
    *ret_headers = header;
    *ret_count = f->token ? 1 : 0;
    return CTN_OK;
}

static void connect_to(fixture *f, ctn_mcp_server_config config)
{
    config.name = CTN_STR("web");
    if (!config.url)
        config.url = f->web.url;
    f->loop = ctn_loop_new();
    f->http = ctn_http_new(&(ctn_http_options){.loop = f->loop});
    ctn_spawner_attach(the_spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    f->log = (ctn_log){.fd = fileno(f->warned), .level_min = CTN_LOG_WARN, .clock = ctn_clock_system()};
    ctn_mcp_driver_options options = {
        .loop = f->loop,
        .spawner = the_spawner,
        .http = f->http,
        .sink = {.done = on_done, .progress = on_progress, .ctx = f},
        .log = &f->log,
        .servers = &config,
        .server_count = 1,
        .discover_silence_ms = 300,
        .end_grace_ms = 300,
        .headers = read_token,
        .headers_ctx = f,
    };
    ctn_err err = {0};
    if (ctn_mcp_driver_new(&options, &f->driver, &err))
        fail_msg("%s", err.message);
    f->iface = ctn_mcp_driver_interface(f->driver);
}

static void begin_with(fixture *f, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what))
{
    web_start(&f->web, era, serve);
    connect_to(f, (ctn_mcp_server_config){0});
}

static void run(fixture *f)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + PATIENCE_MS);
    f->is_running = true;
    ctn_loop_run(f->loop);
    f->is_running = false;
    ctn_timer_clear(f->patience);
    if (f->is_impatient)
        fail_msg("nothing happened for %d ms; %d of %d answered", PATIENCE_MS, f->answered, f->awaited);
}

static void run_for(fixture *f, int64_t ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + ms);
    ctn_loop_run(f->loop);
    f->is_impatient = false;
}

static const ctn_json *json(fixture *f, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", err.message, text);
    return value;
}

static void begin(fixture *f, uint64_t token, const char *target, const char *args, int64_t timeout_ms)
{
    ctn_call_request request = {.token = token,
                                .target = ctn_str_from(target),
                                .args = json(f, args),
                                .idempotency_key = CTN_STR("key"),
                                .timeout_ms = timeout_ms,
                                .idle_timeout_ms = f->idle_timeout_ms,
                                .deadline_ms = ctn_loop_now_ms(f->loop) + timeout_ms};
    f->iface.begin(f->iface.ctx, &request);
}

static void await(fixture *f, int count)
{
    f->awaited = count;
    if (f->answered < count)
        run(f);
}

static const ctn_call_result *call(fixture *f, uint64_t token, const char *target, const char *args)
{
    begin(f, token, target, args, 10000);
    await(f, f->answered + (f->answers[token].count ? 0 : 1));
    assert_int_equal(f->answers[token].count, 1);
    return &f->answers[token].result;
}

static void assert_value(fixture *f, const ctn_call_result *r, const char *expected)
{
    if (r->failure != CTN_FAILURE_NONE || !ctn_json_equal(r->value, json(f, expected)))
        fail_msg("failure %d, %.*s, value %s; want %s", (int) r->failure, CTN_STR_ARG(r->message),
                 r->value ? ctn_json_to_str(f->arena, r->value).ptr : "none", expected);
}

static void assert_failure(const ctn_call_result *r, ctn_failure failure, bool was_sent, const char *part)
{
    if (r->failure != failure || r->was_sent != was_sent || r->peer_is_dead ||
        ctn_str_find(r->message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("failure %d (want %d), was_sent %d (want %d), peer_is_dead %d, \"%.*s\" (want \"%s\")",
                 (int) r->failure, (int) failure, r->was_sent, was_sent, r->peer_is_dead, CTN_STR_ARG(r->message),
                 part);
}

static const char *version_of(const fixture *f)
{
    static char text[32];
    ctn_mcp_server_state s = {0};
    assert_true(ctn_mcp_server_state_of(f->driver, CTN_STR("web"), &s));
    (void) snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(s.version));
    return text;
}

static void on_shut_down(void *ctx)
{
    fixture *f = ctx;
    f->has_ended = true;
    stop(f);
}

static void shut_down(fixture *f)
{
    ctn_mcp_driver_shutdown(f->driver, on_shut_down, f);
    if (!f->has_ended)
        run(f);
    assert_true(f->has_ended);
    ctn_mcp_driver_free(f->driver);
    f->driver = NULL;
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->driver)
        shut_down(f);
    ctn_timer_free(f->patience);
    ctn_http_free(f->http);
    ctn_loop_free(f->loop);
    web_stop(&f->web);
    ctn_arena_free(f->arena);
    (void) fclose(f->warned);
    free(f);
    return 0;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- modern ---- */

static void a_modern_server_is_told_everything_by_each_request(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, NULL);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1.50}"), "{\"a\":1.50}");
    assert_string_equal(version_of(f), "2026-07-28");
    const char *const methods[] = {"server/discover", "tools/list", "tools/call"};
    for (size_t i = 0; i < 3; i++) {
        const web_asked *a = web_nth(&f->web, methods[i], 0);
        assert_string_equal(a->version, "2026-07-28");
        assert_string_equal(a->mcp_method, methods[i]);
        assert_string_equal(a->name, i == 2 ? "echo" : "");
        assert_string_equal(a->accept, "application/json, text/event-stream");
        assert_string_equal(a->type, "application/json");
        assert_string_equal(a->session, "");
    }
    assert_int_equal(web_count(&f->web, "GET") + web_count(&f->web, "initialize"), 0);
}

static void marked_arguments_go_into_headers_too(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, NULL);
    assert_value(f, call(f, 1, "web/region", "{\"region\":\"Z\xc3\xbcrich\"}"), "{\"region\":\"Z\xc3\xbcrich\"}");
    assert_string_equal(web_nth(&f->web, "tools/call", 0)->region, "=?base64?WsO8cmljaA==?=");
    assert_value(f, call(f, 2, "web/region", "{}"), "{}");
    assert_string_equal(web_nth(&f->web, "tools/call", 1)->region, "");
}

static void a_tool_that_marks_wrongly_is_left_out_with_a_warning(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, NULL);
    assert_failure(call(f, 1, "web/bad_header", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false, "has no tool");
    char warnings[2000] = "";
    (void) pread(fileno(f->warned), warnings, sizeof warnings - 1, 0);
    assert_non_null(strstr(warnings, "bad_header is left out"));
    assert_int_equal(web_count(&f->web, "tools/call"), 0);
}

static bool serve_streams(web *w, http_asked *asked, const web_asked *what)
{
    (void) what;
    web_answer(w, asked, true);
    return true;
}

static void an_answer_may_be_a_stream_with_progress(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_streams);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(f->progress_count, 1);
    assert_failure(call(f, 2, "web/refuse", "{}"), CTN_FAILURE_TOOL_ERROR, true, "said no");
}

static bool serve_status_400_once(web *w, http_asked *asked, const web_asked *what)
{
    if (w->step++ > 0)
        return false;
    char body[300];
    (void) snprintf(body, sizeof body,
                    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32022,\"message\":\"no\",\"data\":"
                    "{\"supported\":[\"2026-07-28\"],\"requested\":\"x\"}}}",
                    what->id);
    http_answer(asked, 400, "application/json", body);
    return true;
}

static void a_version_that_is_refused_and_named_is_tried_once_more(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_status_400_once);
    assert_value(f, call(f, 1, "web/echo", "{}"), "{}");
    assert_int_equal(web_count(&f->web, "server/discover"), 2);
    assert_int_equal(web_count(&f->web, "initialize"), 0);
}

static bool serve_header_mismatch(web *w, http_asked *asked, const web_asked *what)
{
    if (!is(what->method, "tools/call") || w->step++ >= 1)
        return false;
    char body[300];
    (void) snprintf(body, sizeof body,
                    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32020,\"message\":\"Mcp-Param-Region\"}}",
                    what->id);
    http_answer(asked, 400, "application/json", body);
    return true;
}

static void a_mismatch_of_headers_lists_again_and_retries(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_header_mismatch);
    assert_value(f, call(f, 1, "web/region", "{\"region\":\"us\"}"), "{\"region\":\"us\"}");
    assert_int_equal(web_count(&f->web, "tools/call"), 2);
    assert_int_equal(web_count(&f->web, "tools/list"), 4); /* two pages, twice */
    assert_false(is(web_nth(&f->web, "tools/call", 0)->id, web_nth(&f->web, "tools/call", 1)->id));
}

static bool serve_broken_calls(web *w, http_asked *asked, const web_asked *what)
{
    (void) w;
    if (!is(what->method, "tools/call"))
        return false;
    if (strstr(asked->body, "\"how\":\"reset\"")) {
        http_reset(asked);
    } else if (strstr(asked->body, "\"how\":\"stream\"")) {
        http_say(asked,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nid: 7\ndata:\n\n");
        http_close(asked);
    } else if (strstr(asked->body, "\"how\":\"html\"")) {
        http_answer(asked, 200, "text/html", "<p>welcome");
    } else if (strstr(asked->body, "\"how\":\"500\"")) {
        http_answer(asked, 500, "text/plain", "oops");
    } else if (strstr(asked->body, "\"how\":\"429\"")) {
        http_say(asked, "HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    } else if (strstr(asked->body, "\"how\":\"413\"")) {
        http_answer(asked, 413, "text/plain", "too much");
    } else if (strstr(asked->body, "\"how\":\"202\"")) {
        http_answer(asked, 202, NULL, "");
    } else if (strstr(asked->body, "\"how\":\"other\"")) {
        http_answer(asked, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":9999,\"result\":{\"content\":[]}}");
    } else if (strstr(asked->body, "\"how\":\"403\"")) {
        http_answer(asked, 403, "text/plain", "no");
    } else {
        return false;
    }
    return true;
}

/* A lost POST loses its call, and what is known of it depends on what the server said. */
static void a_lost_post_loses_its_call_and_nothing_else(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_broken_calls);
    static const struct {
        const char *args;
        ctn_failure failure;
        const char *part;
    } ways[] = {
        {"{\"how\":\"reset\"}", CTN_FAILURE_TRANSPORT, ""},
        {"{\"how\":\"stream\"}", CTN_FAILURE_TRANSPORT, "the stream ended before the answer"},
        {"{\"how\":\"html\"}", CTN_FAILURE_TRANSPORT, "text/html"},
        {"{\"how\":\"500\"}", CTN_FAILURE_TRANSPORT, "HTTP 500"},
        {"{\"how\":\"202\"}", CTN_FAILURE_TRANSPORT, "HTTP 202"},
        {"{\"how\":\"other\"}", CTN_FAILURE_TRANSPORT, "nothing that answers it"},
        {"{\"how\":\"413\"}", CTN_FAILURE_PROTOCOL_ERROR, "HTTP 413"},
        {"{\"how\":\"429\"}", CTN_FAILURE_RATE_LIMITED, "HTTP 429"},
        {"{\"how\":\"403\"}", CTN_FAILURE_DENIED, "HTTP 403"},
    };
    uint64_t token = 1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const ctn_call_result *r = call(f, token++, "web/echo", ways[i].args);
        assert_failure(r, ways[i].failure, true, ways[i].part);
        assert_int_equal(r->retry_after_ms, ways[i].failure == CTN_FAILURE_RATE_LIMITED ? 7000 : 0);
        assert_value(f, call(f, token++, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    }
    assert_int_equal(web_count(&f->web, "server/discover"), 1); /* it is still the same conversation */
}

static bool serve_hangs(web *w, http_asked *asked, const web_asked *what)
{
    if (!is(what->method, "tools/call") || !strstr(asked->body, "\"hang\""))
        return false;
    http_say(asked, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: here\n\n");
    pthread_mutex_unlock(&w->lock);
    http_hang(asked); /* until the client closes */
    pthread_mutex_lock(&w->lock);
    w->step++;
    return true;
}

static void a_call_that_is_given_up_closes_its_stream(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_hangs);
    begin(f, 1, "web/echo", "{\"hang\":1}", 200);
    await(f, 1);
    assert_failure(&f->answers[1].result, CTN_FAILURE_TIMEOUT, true, "within 200 ms");
    assert_true(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("web/echo"))); /* nobody can tell */
    begin(f, 2, "web/echo", "{\"hang\":2}", 10000);
    run_for(f, 100);
    f->iface.cancel(f->iface.ctx, 2);
    run_for(f, 200);
    pthread_mutex_lock(&f->web.lock);
    int closed = f->web.step;
    pthread_mutex_unlock(&f->web.lock);
    assert_int_equal(closed, 2);
    assert_int_equal(web_count(&f->web, "notifications/cancelled"), 0);
    assert_int_equal(f->answers[2].count, 0);
}

/* Tells of a change each time it is listened to, and ends the first stream. */
static bool serve_changes(web *w, http_asked *asked, const web_asked *what)
{
    if (is(what->method, "server/discover")) {
        char body[500];
        (void) snprintf(body, sizeof body,
                        "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":"
                        "[\"2026-07-28\"],\"capabilities\":{\"tools\":{\"listChanged\":true}},\"ttlMs\":0,"
                        "\"cacheScope\":\"public\"}}",
                        what->id);
        http_answer(asked, 200, "application/json", body);
        return true;
    }
    if (!is(what->method, "subscriptions/listen"))
        return false;
    bool is_first = w->step++ == 0;
    http_say_format(asked,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":"
                    "{\"notifications\":{\"toolsListChanged\":true},\"_meta\":"
                    "{\"io.modelcontextprotocol/subscriptionId\":%s}}}\n\n"
                    "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":"
                    "{\"io.modelcontextprotocol/subscriptionId\":%s}}}\n\n",
                    what->id, what->id);
    if (is_first) {
        http_close(asked);
        return true;
    }
    pthread_mutex_unlock(&w->lock);
    http_hang(asked);
    pthread_mutex_lock(&w->lock);
    return true;
}

static void a_server_that_tells_of_changes_is_listened_to(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_MODERN, serve_changes);
    assert_value(f, call(f, 1, "web/echo", "{}"), "{}");
    assert_int_equal(web_count(&f->web, "tools/list"), 2); /* its pages */
    run_for(f, 100);
    assert_value(f, call(f, 2, "web/echo", "{}"), "{}");
    assert_int_equal(web_count(&f->web, "tools/list"), 4);
    run_for(f, 1500); /* the stream ended: again, after a second */
    assert_int_equal(web_count(&f->web, "subscriptions/listen"), 2);
    assert_value(f, call(f, 3, "web/echo", "{}"), "{}");
    assert_int_equal(web_count(&f->web, "tools/list"), 6);
    assert_value(f, call(f, 4, "web/echo", "{}"), "{}");
    assert_int_equal(web_count(&f->web, "tools/list"), 6);
    assert_non_null(
        strstr(web_nth(&f->web, "subscriptions/listen", 0)->body, "\"notifications\":{\"toolsListChanged\":true}"));
}

static bool serve_old_token(web *w, http_asked *asked, const web_asked *what)
{
    (void) w;
    if (is(what->authorization, "Bearer new"))
        return false;
    http_answer(asked, 401, "text/plain", "who?");
    return true;
}

static void headers_that_were_refused_are_read_afresh(void **state)
{
    fixture *f = *state;
    f->token = "Bearer old";
    web_start(&f->web, WEB_MODERN, serve_old_token);
    connect_to(f, (ctn_mcp_server_config){0});
    assert_failure(call(f, 1, "web/echo", "{}"), CTN_FAILURE_DENIED, false, "HTTP 401");
    f->token = "Bearer new";
    run_for(f, 600); /* it rests before it is asked again */
    assert_value(f, call(f, 2, "web/echo", "{}"), "{}");
}

static void nobody_at_the_address_is_unavailable_after_a_few_tries(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_MODERN, NULL);
    char url[128];
    (void) snprintf(url, sizeof url, "%s", f->web.url);
    web_stop(&f->web);
    connect_to(f, (ctn_mcp_server_config){.url = url});
    assert_failure(call(f, 1, "web/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, url);
}

/* ---- eras ---- */

/* What server/discover is answered, and what follows from it. */
typedef struct probe {
    int status;
    const char *type, *body; /* %s in the body: the request's id */
    web_era era;             /* of the server behind it */
    const char *version;     /* that is spoken in the end; NULL: none */
    const char *part;        /* of the sentence then */
} probe;
#define ERROR_BODY(code, more)                                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":" #code ",\"message\":\"no\"" more "}}"
static const probe PROBES[] = {
    /* modern: corrected, or told; never a fallback */
    {404, "application/json", ERROR_BODY(-32601, ""), WEB_MODERN, "2026-07-28", NULL},
    {400, "application/json", ERROR_BODY(-32021, ""), WEB_BOTH, NULL, "refuses server/discover"},
    {400, "application/json", ERROR_BODY(-32020, ""), WEB_BOTH, NULL, "refuses server/discover"},
    {400, "application/json", ERROR_BODY(-32022, ",\"data\":{\"supported\":[\"2026-07-28\"]}"), WEB_BOTH, NULL,
     "keeps refusing"},
    {400, "application/json", ERROR_BODY(-32022, ",\"data\":{\"supported\":[\"2099-01-01\"]}"), WEB_BOTH, NULL,
     "none of our MCP versions"},
    {400, "application/json", ERROR_BODY(-32022, ",\"data\":{\"supported\":[\"2025-06-18\"]}"), WEB_LEGACY,
     "2025-06-18", NULL},
    /* a guess that was wrong */
    {404, "application/json", ERROR_BODY(-32601, ""), WEB_LEGACY, "2025-11-25", NULL},
    /* anything else is legacy */
    {200, "application/json", ERROR_BODY(-32601, ""), WEB_LEGACY, "2025-11-25", NULL},
    {200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", WEB_LEGACY, "2025-11-25", NULL},
    {400, "application/json",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Server not initialized\"},\"id\":null}", WEB_LEGACY,
     "2025-11-25", NULL},
    {400, "text/plain", "what?", WEB_LEGACY, "2025-11-25", NULL},
    {404, "text/html", "<p>no", WEB_LEGACY, "2025-11-25", NULL},
    {405, NULL, "", WEB_LEGACY, "2025-11-25", NULL},
    {406, NULL, "", WEB_LEGACY, "2025-11-25", NULL},
    {500, "text/plain", "oops", WEB_LEGACY, "2025-11-25", NULL},
    {200, "text/html", "<p>welcome", WEB_LEGACY, "2025-11-25", NULL},
    {202, NULL, "", WEB_LEGACY, "2025-11-25", NULL},
    {200, "application/json",
     "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2025-03-26\"]}}",
     WEB_LEGACY, "2025-03-26", NULL},
    /* about who we are: nothing of eras */
    {401, "text/plain", "who?", WEB_BOTH, NULL, "HTTP 401"},
    {403, "text/plain", "no", WEB_BOTH, NULL, "HTTP 403"},
};
static const probe *the_probe;

static bool serve_probe(web *w, http_asked *asked, const web_asked *what)
{
    (void) w;
    char body[600];
    if (!is(what->method, "server/discover"))
        return false;
    const char *mark = strstr(the_probe->body, "%s");
    (void) snprintf(body, sizeof body, "%.*s%s%s", mark ? (int) (mark - the_probe->body) : 600, the_probe->body,
                    mark ? what->id : "", mark ? mark + 2 : "");
    http_answer(asked, the_probe->status, the_probe->type, body);
    return true;
}

static void the_answer_to_the_probe_decides_the_era(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof PROBES / sizeof *PROBES; i++) {
        fixture *f = NULL;
        assert_int_equal(setup((void **) &f), 0);
        the_probe = &PROBES[i];
        begin_with(f, the_probe->era, serve_probe);
        const ctn_call_result *r = call(f, 1, "web/echo", "{\"a\":1}");
        if (the_probe->version) {
            assert_value(f, r, "{\"a\":1}");
            assert_string_equal(version_of(f), the_probe->version);
        } else {
            bool is_denied = the_probe->status == 401 || the_probe->status == 403;
            assert_failure(r, is_denied ? CTN_FAILURE_DENIED : CTN_FAILURE_UNAVAILABLE, false, the_probe->part);
            assert_int_equal(web_count(&f->web, "initialize"), 0);
        }
        assert_int_equal(web_count(&f->web, "tools/call"), the_probe->version ? 1 : 0);
        assert_int_equal(teardown((void **) &f), 0);
    }
}

static void a_pinned_revision_is_spoken_or_nothing_is(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_LEGACY, NULL);
    connect_to(f, (ctn_mcp_server_config){.version = CTN_STR("2026-07-28")});
    assert_failure(call(f, 1, "web/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "refuses server/discover");
    assert_int_equal(web_count(&f->web, "initialize"), 0);
}

static bool serve_silent_probe(web *w, http_asked *asked, const web_asked *what)
{
    if (!is(what->method, "server/discover"))
        return false;
    pthread_mutex_unlock(&w->lock);
    http_hang(asked);
    pthread_mutex_lock(&w->lock);
    w->step++;
    return true;
}

static void a_server_that_is_silent_to_the_probe_is_legacy_and_the_probe_is_closed(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_silent_probe);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    run_for(f, 100);
    pthread_mutex_lock(&f->web.lock);
    assert_int_equal(f->web.step, 1);
    pthread_mutex_unlock(&f->web.lock);
}

/* ---- legacy ---- */

static bool serve_session(web *w, http_asked *asked, const web_asked *what)
{
    (void) snprintf(w->session, sizeof w->session, "session-%d", w->step);
    if (what->http[0] == 'D')
        http_answer(asked, 200, NULL, "");
    else if (what->session[0] && !is(what->session, w->session))
        http_answer(asked, 404, "application/json",
                    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32001,\"message\":\"Session not found\"},\"id\":null}");
    else if (is(what->method, "server/discover"))
        http_answer(asked, 400, "application/json",
                    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Bad Request: Server not "
                    "initialized\"},\"id\":null}");
    else
        return false;
    return true;
}

static void a_legacy_server_gets_its_handshake_and_its_session(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_session);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_string_equal(version_of(f), "2025-11-25");
    assert_string_equal(web_nth(&f->web, "initialize", 0)->session, "");
    assert_string_equal(web_nth(&f->web, "initialize", 0)->version, "");
    assert_string_equal(web_nth(&f->web, "notifications/initialized", 0)->session, "session-0");
    const web_asked *a = web_nth(&f->web, "tools/call", 0);
    assert_string_equal(a->session, "session-0");
    assert_string_equal(a->version, "2025-11-25");
    assert_string_equal(a->mcp_method, "");
    assert_string_equal(a->name, "");
    assert_null(strstr(a->body, "io.modelcontextprotocol"));
    run_for(f, 50);
    assert_int_equal(web_count(&f->web, "GET"), 1); /* 405: not asked again */
    shut_down(f);
    assert_string_equal(web_nth(&f->web, "DELETE", 0)->session, "session-0");
}

static void a_session_that_is_gone_is_begun_anew_and_the_call_sent_again(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_session);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    pthread_mutex_lock(&f->web.lock);
    f->web.step = 1; /* the server has started afresh */
    pthread_mutex_unlock(&f->web.lock);
    for (uint64_t token = 2; token < 6; token++)
        begin(f, token, "web/echo", "{\"a\":2}", 10000);
    await(f, 5);
    for (uint64_t token = 2; token < 6; token++)
        assert_value(f, &f->answers[token].result, "{\"a\":2}");
    assert_int_equal(web_count(&f->web, "initialize"), 2);
    assert_int_equal(web_count(&f->web, "server/discover"), 1); /* what it speaks is known */
}

static void a_legacy_call_is_cancelled_by_a_message(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_hangs);
    begin(f, 1, "web/echo", "{\"hang\":1}", 300);
    await(f, 1);
    assert_failure(&f->answers[1].result, CTN_FAILURE_TIMEOUT, true, "within 300 ms");
    run_for(f, 200);
    const web_asked *a = web_nth(&f->web, "notifications/cancelled", 0);
    char part[64];
    (void) snprintf(part, sizeof part, "\"requestId\":%s", web_nth(&f->web, "tools/call", 0)->id);
    assert_non_null(strstr(a->body, part));
}

static bool serve_in_parts(web *w, http_asked *asked, const web_asked *what)
{
    bool is_rest = is(what->http, "GET") && what->last_event[0];
    if (is(what->method, "tools/call") || (is_rest && w->step < 2)) {
        http_say_format(asked,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        "retry: 50\nid: e%d\ndata:\n\n",
                        w->step++);
        http_close(asked);
        return true;
    }
    if (!is_rest)
        return false;
    const char *id = "0";
    for (size_t i = 0; i < w->asked_count; i++)
        if (is(w->asked[i].method, "tools/call"))
            id = w->asked[i].id;
    http_say_format(asked,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    "id: e9\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[],\"structuredContent\":"
                    "{\"late\":true}}}\n\n",
                    id);
    http_close(asked);
    return true;
}

static void a_legacy_stream_that_ends_early_is_asked_for_the_rest(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_in_parts);
    int64_t before = ctn_loop_now_ms(f->loop);
    assert_value(f, call(f, 1, "web/echo", "{}"), "{\"late\":true}");
    assert_true(ctn_loop_now_ms(f->loop) - before >= 100); /* 50 ms before each */
    assert_int_equal(web_count(&f->web, "tools/call"), 1);
}

/* A call whose stream rests in session 0, while another call finds session 0 gone. */
static bool serve_rests(web *w, http_asked *asked, const web_asked *what)
{
    if (is(what->method, "tools/call") && strstr(asked->body, "\"rest\"")) {
        w->step = 1;
        http_say(asked, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        "retry: 600\nid: e1\ndata:\n\n");
        http_close(asked);
        return true;
    }
    return serve_session(w, asked, what);
}

static void nothing_of_a_session_goes_into_the_next(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_rests);
    begin(f, 1, "web/echo", "{\"rest\":1}", 10000);
    run_for(f, 200);
    begin(f, 2, "web/echo", "{\"a\":1}", 10000);
    await(f, 2);
    assert_value(f, &f->answers[2].result, "{\"a\":1}");
    assert_failure(&f->answers[1].result, CTN_FAILURE_TRANSPORT, true, "its session ended");
    assert_int_equal(web_count(&f->web, "initialize"), 2);
    for (size_t i = 0; i < web_count(&f->web, "GET"); i++)
        assert_string_equal(web_nth(&f->web, "GET", i)->last_event, "");
}

static bool serve_asks(web *w, http_asked *asked, const web_asked *what)
{
    if (!is(what->method, "tools/call"))
        return false;
    char *lines = web_lines(w, asked->body);
    *strrchr(lines, '\n') = '\0';
    const char *last = strrchr(lines, '\n') ? strrchr(lines, '\n') + 1 : lines;
    http_say(asked, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    "data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n"
                    "data: {\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"roots/list\"}\n\n");
    pthread_mutex_unlock(&w->lock);
    http_pause(w->peer, 100);
    pthread_mutex_lock(&w->lock);
    http_say_format(asked, "data: %s\n\n", last);
    http_close(asked);
    free(lines);
    return true;
}

static void a_legacy_server_that_asks_is_answered_by_posts(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_asks);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    run_for(f, 50);
    const char *bodies[] = {web_nth(&f->web, "POST", 0)->body, web_nth(&f->web, "POST", 1)->body};
    bool is_in_order = strstr(bodies[0], "\"id\":\"p\"") != NULL; /* two POSTs: they may overtake each other */
    assert_non_null(strstr(bodies[!is_in_order], "\"id\":\"p\",\"result\":{}"));
    assert_non_null(strstr(bodies[is_in_order], "-32601"));
}

static bool serve_batch(web *w, http_asked *asked, const web_asked *what)
{
    if (!is(what->method, "tools/call"))
        return false;
    char *lines = web_lines(w, asked->body), body[4000] = "[7";
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
        (void) snprintf(body + strlen(body), sizeof body - strlen(body), ", %s", line);
    (void) strncat(body, "]", sizeof body - strlen(body) - 1);
    http_answer(asked, 200, "application/json", body);
    free(lines);
    return true;
}

static void the_first_revisions_may_answer_with_a_list(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_LEGACY, serve_batch);
    connect_to(f, (ctn_mcp_server_config){.version = CTN_STR("2025-03-26")});
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(f->progress_count, 1);
    assert_string_equal(web_nth(&f->web, "tools/call", 0)->version, ""); /* from 2025-06-18 on */
}

static void a_later_one_may_not(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_BOTH, serve_batch);
    connect_to(f, (ctn_mcp_server_config){.version = CTN_STR("2025-06-18")});
    assert_failure(call(f, 1, "web/echo", "{\"a\":1}"), CTN_FAILURE_TRANSPORT, true, "nothing that answers it");
}

/* ---- HTTP with SSE ---- */

static http_asked *the_stream; /* of the one server at a time */

static bool serve_old_way(web *w, http_asked *asked, const web_asked *what)
{
    if (is(what->http, "GET")) {
        http_say_format(asked,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: endpoint\r\ndata: %s\r\n\r\n",
                        w->session[0] ? w->session : "/messages?s=1");
        the_stream = asked;
        pthread_mutex_unlock(&w->lock);
        http_hang(asked);
        pthread_mutex_lock(&w->lock);
        the_stream = NULL;
        return true;
    }
    if (is(what->path, "/mcp")) {
        http_answer(asked, 404, "text/plain", "Cannot POST /mcp");
        return true;
    }
    char *lines = web_lines(w, asked->body);
    http_answer(asked, 202, "text/plain", "Accepted");
    for (char *line = strtok(lines, "\n"); line && the_stream; line = strtok(NULL, "\n"))
        http_say_format(the_stream, "event: message\r\ndata: %s\r\n\r\n", line);
    free(lines);
    return true;
}

static void a_server_of_the_first_revision_is_found_by_its_stream(void **state)
{
    fixture *f = *state;
    begin_with(f, WEB_LEGACY, serve_old_way);
    assert_value(f, call(f, 1, "web/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_value(f, call(f, 2, "web/echo", "{\"a\":2}"), "{\"a\":2}");
    assert_string_equal(web_nth(&f->web, "tools/call", 1)->path, "/messages?s=1");
    assert_int_equal(web_count(&f->web, "GET"), 1);
}

static void an_address_of_another_origin_is_not_spoken_to(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_LEGACY, serve_old_way);
    (void) snprintf(f->web.session, sizeof f->web.session, "http://127.0.0.1:1/x");
    connect_to(f, (ctn_mcp_server_config){.way = CTN_MCP_WAY_SSE});
    assert_failure(call(f, 1, "web/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "another origin");
}

static bool serve_old_stream_once(web *w, http_asked *asked, const web_asked *what)
{
    if (is(what->method, "tools/call") && w->step++ == 0) {
        http_answer(asked, 202, "text/plain", "Accepted"); /* taken, and then the stream goes */
        if (the_stream)
            (void) shutdown(the_stream->fd, SHUT_RDWR); /* its own thread hangs on it */
        return true;
    }
    if (is(what->method, "tools/call") && w->step == 2) {
        http_answer(asked, 413, "text/plain", "too much");
        return true;
    }
    return serve_old_way(w, asked, what);
}

static void the_end_of_the_old_stream_loses_what_is_open_and_the_next_call_opens_another(void **state)
{
    fixture *f = *state;
    web_start(&f->web, WEB_LEGACY, serve_old_stream_once);
    connect_to(f, (ctn_mcp_server_config){.way = CTN_MCP_WAY_SSE});
    const ctn_call_result *r = call(f, 1, "web/echo", "{\"a\":1}");
    assert_failure(r, CTN_FAILURE_TRANSPORT, true, "");
    assert_failure(call(f, 2, "web/echo", "{\"a\":2}"), CTN_FAILURE_PROTOCOL_ERROR, true, "HTTP 413");
    assert_value(f, call(f, 3, "web/echo", "{\"a\":3}"), "{\"a\":3}");
    assert_int_equal(web_count(&f->web, "GET"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err)) {
        (void) fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(a_modern_server_is_told_everything_by_each_request),
        TEST(marked_arguments_go_into_headers_too),
        TEST(a_tool_that_marks_wrongly_is_left_out_with_a_warning),
        TEST(an_answer_may_be_a_stream_with_progress),
        TEST(a_version_that_is_refused_and_named_is_tried_once_more),
        TEST(a_mismatch_of_headers_lists_again_and_retries),
        TEST(a_lost_post_loses_its_call_and_nothing_else),
        TEST(a_call_that_is_given_up_closes_its_stream),
        TEST(a_server_that_tells_of_changes_is_listened_to),
        TEST(headers_that_were_refused_are_read_afresh),
        TEST(nobody_at_the_address_is_unavailable_after_a_few_tries),
        cmocka_unit_test(the_answer_to_the_probe_decides_the_era),
        TEST(a_pinned_revision_is_spoken_or_nothing_is),
        TEST(a_server_that_is_silent_to_the_probe_is_legacy_and_the_probe_is_closed),
        TEST(a_legacy_server_gets_its_handshake_and_its_session),
        TEST(a_session_that_is_gone_is_begun_anew_and_the_call_sent_again),
        TEST(a_legacy_call_is_cancelled_by_a_message),
        TEST(a_legacy_stream_that_ends_early_is_asked_for_the_rest),
        TEST(nothing_of_a_session_goes_into_the_next),
        TEST(a_legacy_server_that_asks_is_answered_by_posts),
        TEST(the_first_revisions_may_answer_with_a_list),
        TEST(a_later_one_may_not),
        TEST(a_server_of_the_first_revision_is_found_by_its_stream),
        TEST(the_end_of_the_old_stream_loses_what_is_open_and_the_next_call_opens_another),
        TEST(an_address_of_another_origin_is_not_spoken_to),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
