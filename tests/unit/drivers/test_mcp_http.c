/*
 * The driver against modern servers over HTTP: what the headers repeat, what is lost with a POST and what is not, what
 * is sent once more.
 */
#include <stdio.h>
#include <stdlib.h>
#include "support/cmocka.h"
#include "web_calls.h"

static void a_modern_server_is_told_everything_by_each_request(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, NULL);
    web_assert_value(c, web_call(c, "{\"a\":1.50}"), "{\"a\":1.50}");
    assert_string_equal(web_calls_version(c), "2026-07-28");
    const char *const methods[] = {"server/discover", "tools/list", "tools/call"};
    for (size_t i = 0; i < 3; i++) {
        const web_asked *a = web_nth(&c->web, methods[i], 0);
        assert_string_equal(a->version, "2026-07-28");
        assert_string_equal(a->mcp_method, methods[i]);
        assert_string_equal(a->name, i == 2 ? "echo" : "");
        assert_string_equal(a->accept, "application/json, text/event-stream");
        assert_string_equal(a->type, "application/json");
        assert_string_equal(a->session, "");
    }
    assert_int_equal(web_count(&c->web, "GET") + web_count(&c->web, "initialize"), 0);
}

static void marked_arguments_go_into_headers_too(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, NULL);
    web_assert_value(c, web_call_tool(c, "region", "{\"region\":\"Z\xc3\xbcrich\"}"), "{\"region\":\"Z\xc3\xbcrich\"}");
    assert_string_equal(web_nth(&c->web, "tools/call", 0)->region, "=?base64?WsO8cmljaA==?=");
    web_assert_value(c, web_call_tool(c, "region", "{}"), "{}");
    assert_string_equal(web_nth(&c->web, "tools/call", 1)->region, "");
}

static void a_tool_that_marks_wrongly_is_left_out_with_a_warning(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, NULL);
    web_assert_failure(web_call_tool(c, "bad_header", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false, "has no tool");
    assert_non_null(strstr(web_calls_warnings(c), "bad_header is left out"));
    assert_int_equal(web_count(&c->web, "tools/call"), 0);
}

static bool serve_streams(web *w, http_asked *asked, const web_asked *what)
{
    (void) what;
    web_answer(w, asked, true);
    return true;
}

static void an_answer_may_be_a_stream_with_progress(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, serve_streams);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(c->progress_count, 1);
    web_assert_failure(web_call_tool(c, "refuse", "{}"), CTN_FAILURE_TOOL_ERROR, true, "said no");
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
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, serve_status_400_once);
    web_assert_value(c, web_call(c, "{}"), "{}");
    assert_int_equal(web_count(&c->web, "server/discover"), 2);
    assert_int_equal(web_count(&c->web, "initialize"), 0);
}

static bool serve_header_mismatch(web *w, http_asked *asked, const web_asked *what)
{
    if (!web_is(what->method, "tools/call") || w->step++ >= 1)
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
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, serve_header_mismatch);
    web_assert_value(c, web_call_tool(c, "region", "{\"region\":\"us\"}"), "{\"region\":\"us\"}");
    assert_int_equal(web_count(&c->web, "tools/call"), 2);
    assert_int_equal(web_count(&c->web, "tools/list"), 4); /* two pages, twice */
    assert_false(web_is(web_nth(&c->web, "tools/call", 0)->id, web_nth(&c->web, "tools/call", 1)->id));
}

static bool serve_broken_calls(web *w, http_asked *asked, const web_asked *what)
{
    (void) w;
    if (!web_is(what->method, "tools/call"))
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
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, serve_broken_calls);
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
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const ctn_call_result *r = web_call(c, ways[i].args);
        web_assert_failure(r, ways[i].failure, true, ways[i].part);
        assert_int_equal(r->retry_after_ms, ways[i].failure == CTN_FAILURE_RATE_LIMITED ? 7000 : 0);
        web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    }
    assert_int_equal(web_count(&c->web, "server/discover"), 1); /* it is still the same conversation */
}

static void a_call_that_is_given_up_closes_its_stream(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, web_serve_hangs);
    c->timeout_ms = 200;
    web_assert_failure(web_call(c, "{\"hang\":1}"), CTN_FAILURE_TIMEOUT, true, "within 200 ms");
    assert_true(c->iface.may_still_arrive(c->iface.ctx, 1, CTN_STR("web/echo"))); /* nobody can tell */
    c->timeout_ms = 10000;
    unsigned cancelled = web_calls_begin(c, "{\"hang\":2}");
    web_calls_run_for(c, 100);
    web_calls_cancel(c, cancelled);
    web_calls_run_for(c, 200);
    pthread_mutex_lock(&c->web.lock);
    int closed = c->web.step;
    pthread_mutex_unlock(&c->web.lock);
    assert_int_equal(closed, 2);
    assert_int_equal(web_count(&c->web, "notifications/cancelled"), 0);
    assert_int_equal(c->answers[cancelled], 0);
}

/* Tells of a change each time it is listened to, and ends the first stream. */
static bool serve_changes(web *w, http_asked *asked, const web_asked *what)
{
    if (web_is(what->method, "server/discover")) {
        char body[500];
        (void) snprintf(body, sizeof body,
                        "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":"
                        "[\"2026-07-28\"],\"capabilities\":{\"tools\":{\"listChanged\":true}},\"ttlMs\":0,"
                        "\"cacheScope\":\"public\"}}",
                        what->id);
        http_answer(asked, 200, "application/json", body);
        return true;
    }
    if (!web_is(what->method, "subscriptions/listen"))
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
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, serve_changes);
    web_assert_value(c, web_call(c, "{}"), "{}");
    assert_int_equal(web_count(&c->web, "tools/list"), 2); /* its pages */
    web_calls_run_for(c, 100);
    web_assert_value(c, web_call(c, "{}"), "{}");
    assert_int_equal(web_count(&c->web, "tools/list"), 4);
    web_calls_run_for(c, 1500); /* the stream ended: again, after a second */
    assert_int_equal(web_count(&c->web, "subscriptions/listen"), 2);
    web_assert_value(c, web_call(c, "{}"), "{}");
    assert_int_equal(web_count(&c->web, "tools/list"), 6);
    web_assert_value(c, web_call(c, "{}"), "{}");
    assert_int_equal(web_count(&c->web, "tools/list"), 6);
    assert_non_null(
        strstr(web_nth(&c->web, "subscriptions/listen", 0)->body, "\"notifications\":{\"toolsListChanged\":true}"));
}

static bool serve_old_token(web *w, http_asked *asked, const web_asked *what)
{
    (void) w;
    if (web_is(what->authorization, "Bearer new"))
        return false;
    http_answer(asked, 401, "text/plain", "who?");
    return true;
}

static void headers_that_were_refused_are_read_afresh(void **state)
{
    web_calls *c = *state;
    c->token = "Bearer old";
    web_calls_start(c, WEB_MODERN, serve_old_token);
    web_assert_failure(web_call(c, "{}"), CTN_FAILURE_DENIED, false, "HTTP 401");
    c->token = "Bearer new";
    web_calls_run_for(c, 600); /* it rests before it is asked again */
    web_assert_value(c, web_call(c, "{}"), "{}");
}

static void nobody_at_the_address_is_unavailable_after_a_few_tries(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_MODERN, NULL);
    web_stop(&c->web);
    web_assert_failure(web_call(c, "{}"), CTN_FAILURE_UNAVAILABLE, false, c->web.url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB_TEST(a_modern_server_is_told_everything_by_each_request),
        WEB_TEST(marked_arguments_go_into_headers_too),
        WEB_TEST(a_tool_that_marks_wrongly_is_left_out_with_a_warning),
        WEB_TEST(an_answer_may_be_a_stream_with_progress),
        WEB_TEST(a_version_that_is_refused_and_named_is_tried_once_more),
        WEB_TEST(a_mismatch_of_headers_lists_again_and_retries),
        WEB_TEST(a_lost_post_loses_its_call_and_nothing_else),
        WEB_TEST(a_call_that_is_given_up_closes_its_stream),
        WEB_TEST(a_server_that_tells_of_changes_is_listened_to),
        WEB_TEST(headers_that_were_refused_are_read_afresh),
        WEB_TEST(nobody_at_the_address_is_unavailable_after_a_few_tries),
    };
    return cmocka_run_group_tests(tests, web_calls_first, web_calls_last);
}
