/*
 * The driver against servers over HTTP of all eras: how the era is found out, sessions and streams of older servers,
 * the transport of 2024-11-05.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "support/cmocka.h"
#include "web_calls.h"

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
    if (!web_is(what->method, "server/discover"))
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
        web_calls calls = {0}, *c = &calls;
        the_probe = &PROBES[i];
        web_calls_start(c, the_probe->era, serve_probe);
        const ctn_call_result *r = web_call(c, "{\"a\":1}");
        if (the_probe->version) {
            web_assert_value(c, r, "{\"a\":1}");
            assert_string_equal(web_calls_version(c), the_probe->version);
        } else {
            bool is_denied = the_probe->status == 401 || the_probe->status == 403;
            web_assert_failure(r, is_denied ? CTN_FAILURE_DENIED : CTN_FAILURE_UNAVAILABLE, false, the_probe->part);
            assert_int_equal(web_count(&c->web, "initialize"), 0);
        }
        assert_int_equal(web_count(&c->web, "tools/call"), the_probe->version ? 1 : 0);
        web_calls_stop(c);
    }
}

static void a_pinned_revision_is_spoken_or_nothing_is(void **state)
{
    web_calls *c = *state;
    c->config = (ctn_mcp_server_config){.version = CTN_STR("2026-07-28")};
    web_calls_start(c, WEB_LEGACY, NULL);
    web_assert_failure(web_call(c, "{}"), CTN_FAILURE_UNAVAILABLE, false, "refuses server/discover");
    assert_int_equal(web_count(&c->web, "initialize"), 0);
}

static bool serve_silent_probe(web *w, http_asked *asked, const web_asked *what)
{
    if (!web_is(what->method, "server/discover"))
        return false;
    pthread_mutex_unlock(&w->lock);
    http_hang(asked);
    pthread_mutex_lock(&w->lock);
    w->step++;
    return true;
}

static void a_server_that_is_silent_to_the_probe_is_legacy_and_the_probe_is_closed(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_silent_probe);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    web_calls_run_for(c, 100);
    pthread_mutex_lock(&c->web.lock);
    assert_int_equal(c->web.step, 1);
    pthread_mutex_unlock(&c->web.lock);
}

/* ---- legacy ---- */

static bool serve_session(web *w, http_asked *asked, const web_asked *what)
{
    (void) snprintf(w->session, sizeof w->session, "session-%d", w->step);
    if (what->http[0] == 'D')
        http_answer(asked, 200, NULL, "");
    else if (what->session[0] && !web_is(what->session, w->session))
        http_answer(asked, 404, "application/json",
                    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32001,\"message\":\"Session not found\"},\"id\":null}");
    else if (web_is(what->method, "server/discover"))
        http_answer(asked, 400, "application/json",
                    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Bad Request: Server not "
                    "initialized\"},\"id\":null}");
    else
        return false;
    return true;
}

static void a_legacy_server_gets_its_handshake_and_its_session(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_session);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    assert_string_equal(web_calls_version(c), "2025-11-25");
    assert_string_equal(web_nth(&c->web, "initialize", 0)->session, "");
    assert_string_equal(web_nth(&c->web, "initialize", 0)->version, "");
    assert_string_equal(web_nth(&c->web, "notifications/initialized", 0)->session, "session-0");
    const web_asked *a = web_nth(&c->web, "tools/call", 0);
    assert_string_equal(a->session, "session-0");
    assert_string_equal(a->version, "2025-11-25");
    assert_string_equal(a->mcp_method, "");
    assert_string_equal(a->name, "");
    assert_null(strstr(a->body, "io.modelcontextprotocol"));
    web_calls_run_for(c, 50);
    assert_int_equal(web_count(&c->web, "GET"), 1); /* 405: not asked again */
    web_calls_shut_down(c);
    assert_string_equal(web_nth(&c->web, "DELETE", 0)->session, "session-0");
}

static void a_session_that_is_gone_is_begun_anew_and_the_call_sent_again(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_session);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    pthread_mutex_lock(&c->web.lock);
    c->web.step = 1; /* the server has started afresh */
    pthread_mutex_unlock(&c->web.lock);
    for (int i = 0; i < 4; i++)
        (void) web_calls_begin(c, "{\"a\":2}");
    web_calls_wait(c);
    for (unsigned i = 1; i <= 4; i++)
        web_assert_value(c, &c->results[i], "{\"a\":2}");
    assert_int_equal(web_count(&c->web, "initialize"), 2);
    assert_int_equal(web_count(&c->web, "server/discover"), 1); /* what it speaks is known */
}

static void a_legacy_call_is_cancelled_by_a_message(void **state)
{
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, web_serve_hangs);
    c->timeout_ms = 300;
    web_assert_failure(web_call(c, "{\"hang\":1}"), CTN_FAILURE_TIMEOUT, true, "within 300 ms");
    web_calls_run_for(c, 200);
    const web_asked *a = web_nth(&c->web, "notifications/cancelled", 0);
    char part[64];
    (void) snprintf(part, sizeof part, "\"requestId\":%s", web_nth(&c->web, "tools/call", 0)->id);
    assert_non_null(strstr(a->body, part));
}

static bool serve_in_parts(web *w, http_asked *asked, const web_asked *what)
{
    bool is_rest = web_is(what->http, "GET") && what->last_event[0];
    if (web_is(what->method, "tools/call") || (is_rest && w->step < 2)) {
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
        if (web_is(w->asked[i].method, "tools/call"))
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
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_in_parts);
    int64_t before = ctn_loop_now_ms(c->loop);
    web_assert_value(c, web_call(c, "{}"), "{\"late\":true}");
    assert_true(ctn_loop_now_ms(c->loop) - before >= 100); /* 50 ms before each */
    assert_int_equal(web_count(&c->web, "tools/call"), 1);
}

/* A call whose stream rests in session 0, while another call finds session 0 gone. */
static bool serve_rests(web *w, http_asked *asked, const web_asked *what)
{
    if (web_is(what->method, "tools/call") && strstr(asked->body, "\"rest\"")) {
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
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_rests);
    unsigned resting = web_calls_begin(c, "{\"rest\":1}");
    web_calls_run_for(c, 200);
    unsigned second = web_calls_begin(c, "{\"a\":1}");
    web_calls_wait(c);
    web_assert_value(c, &c->results[second], "{\"a\":1}");
    web_assert_failure(&c->results[resting], CTN_FAILURE_TRANSPORT, true, "its session ended");
    assert_int_equal(web_count(&c->web, "initialize"), 2);
    for (size_t i = 0; i < web_count(&c->web, "GET"); i++)
        assert_string_equal(web_nth(&c->web, "GET", i)->last_event, "");
}

static bool serve_asks(web *w, http_asked *asked, const web_asked *what)
{
    if (!web_is(what->method, "tools/call"))
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
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_asks);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    web_calls_run_for(c, 50);
    const char *bodies[] = {web_nth(&c->web, "POST", 0)->body, web_nth(&c->web, "POST", 1)->body};
    bool is_in_order = strstr(bodies[0], "\"id\":\"p\"") != NULL; /* two POSTs: they may overtake each other */
    assert_non_null(strstr(bodies[!is_in_order], "\"id\":\"p\",\"result\":{}"));
    assert_non_null(strstr(bodies[is_in_order], "-32601"));
}

static bool serve_batch(web *w, http_asked *asked, const web_asked *what)
{
    if (!web_is(what->method, "tools/call"))
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
    web_calls *c = *state;
    c->config = (ctn_mcp_server_config){.version = CTN_STR("2025-03-26")};
    web_calls_start(c, WEB_LEGACY, serve_batch);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(c->progress_count, 1);
    assert_string_equal(web_nth(&c->web, "tools/call", 0)->version, ""); /* from 2025-06-18 on */
}

static void a_later_one_may_not(void **state)
{
    web_calls *c = *state;
    c->config = (ctn_mcp_server_config){.version = CTN_STR("2025-06-18")};
    web_calls_start(c, WEB_BOTH, serve_batch);
    web_assert_failure(web_call(c, "{\"a\":1}"), CTN_FAILURE_TRANSPORT, true, "nothing that answers it");
}

/* ---- HTTP with SSE ---- */

static http_asked *the_stream; /* of the one server at a time */

static bool serve_old_way(web *w, http_asked *asked, const web_asked *what)
{
    if (web_is(what->http, "GET")) {
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
    if (web_is(what->path, "/mcp")) {
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
    web_calls *c = *state;
    web_calls_start(c, WEB_LEGACY, serve_old_way);
    web_assert_value(c, web_call(c, "{\"a\":1}"), "{\"a\":1}");
    web_assert_value(c, web_call(c, "{\"a\":2}"), "{\"a\":2}");
    assert_string_equal(web_nth(&c->web, "tools/call", 1)->path, "/messages?s=1");
    assert_int_equal(web_count(&c->web, "GET"), 1);
}

static void an_address_of_another_origin_is_not_spoken_to(void **state)
{
    web_calls *c = *state;
    c->config = (ctn_mcp_server_config){.way = CTN_MCP_WAY_SSE};
    web_calls_start(c, WEB_LEGACY, serve_old_way);
    (void) snprintf(c->web.session, sizeof c->web.session, "http://127.0.0.1:1/x"); /* nothing is sent before a call */
    web_assert_failure(web_call(c, "{}"), CTN_FAILURE_UNAVAILABLE, false, "another origin");
}

static bool serve_old_stream_once(web *w, http_asked *asked, const web_asked *what)
{
    if (web_is(what->method, "tools/call") && w->step++ == 0) {
        http_answer(asked, 202, "text/plain", "Accepted"); /* taken, and then the stream goes */
        if (the_stream)
            (void) shutdown(the_stream->fd, SHUT_RDWR); /* its own thread hangs on it */
        return true;
    }
    if (web_is(what->method, "tools/call") && w->step == 2) {
        http_answer(asked, 413, "text/plain", "too much");
        return true;
    }
    return serve_old_way(w, asked, what);
}

static void the_end_of_the_old_stream_loses_what_is_open_and_the_next_call_opens_another(void **state)
{
    web_calls *c = *state;
    c->config = (ctn_mcp_server_config){.way = CTN_MCP_WAY_SSE};
    web_calls_start(c, WEB_LEGACY, serve_old_stream_once);
    const ctn_call_result *r = web_call(c, "{\"a\":1}");
    web_assert_failure(r, CTN_FAILURE_TRANSPORT, true, "");
    web_assert_failure(web_call(c, "{\"a\":2}"), CTN_FAILURE_PROTOCOL_ERROR, true, "HTTP 413");
    web_assert_value(c, web_call(c, "{\"a\":3}"), "{\"a\":3}");
    assert_int_equal(web_count(&c->web, "GET"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_to_the_probe_decides_the_era),
        WEB_TEST(a_pinned_revision_is_spoken_or_nothing_is),
        WEB_TEST(a_server_that_is_silent_to_the_probe_is_legacy_and_the_probe_is_closed),
        WEB_TEST(a_legacy_server_gets_its_handshake_and_its_session),
        WEB_TEST(a_session_that_is_gone_is_begun_anew_and_the_call_sent_again),
        WEB_TEST(a_legacy_call_is_cancelled_by_a_message),
        WEB_TEST(a_legacy_stream_that_ends_early_is_asked_for_the_rest),
        WEB_TEST(nothing_of_a_session_goes_into_the_next),
        WEB_TEST(a_legacy_server_that_asks_is_answered_by_posts),
        WEB_TEST(the_first_revisions_may_answer_with_a_list),
        WEB_TEST(a_later_one_may_not),
        WEB_TEST(a_server_of_the_first_revision_is_found_by_its_stream),
        WEB_TEST(an_address_of_another_origin_is_not_spoken_to),
        WEB_TEST(the_end_of_the_old_stream_loses_what_is_open_and_the_next_call_opens_another),
    };
    return cmocka_run_group_tests(tests, web_calls_first, web_calls_last);
}
