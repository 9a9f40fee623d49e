/*
 * A server over HTTP that packs its answers oddly, cuts them, lies about them, stalls, redirects or goes: each call
 * ends as the right one of the four outcomes (mcp.md, 1.7), once, is never sent twice, and the next one finds the
 * server well.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "web_calls.h"

#define JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define SSE  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

typedef enum manner { WHOLE, BYTEWISE, IN_CHUNKS_OF_ONE, HELD, RESET, WITHOUT_END } manner;

/* One way to answer a call. `say`: "$" stands for the right answer, "#" for its length; all but HELD and WHOLE close.
 */
typedef struct hostility {
    const char *name;
    manner manner;
    const char *say;
    web_outcome outcome;
    const char *part; /* of the failure's message; NULL: any */
} hostility;

/* The right answer to what was asked, without its newline; freed by the caller. */
static char *right_answer(web *w, const http_asked *asked)
{
    char *lines = web_lines(w, asked->body);
    size_t length = strlen(lines);
    if (length)
        lines[length - 1] = '\0';
    const char *last = strrchr(lines, '\n');
    char *answer = strdup(last ? last + 1 : lines);
    free(lines);
    return answer;
}

static char *filled_in(const char *say, const char *answer)
{
    char *text = calloc(1, strlen(say) + strlen(answer) * 4 + 100), *at = text;
    assert_non_null(text);
    for (; *say; say++)
        if (*say == '$')
            at += sprintf(at, "%s", answer);
        else if (*say == '#')
            at += sprintf(at, "%zu", strlen(answer));
        else
            *at++ = *say;
    return text;
}

static void say_so(web *w, http_asked *asked, const hostility *how)
{
    char *answer = right_answer(w, asked), *text = filled_in(how->say, answer);
    switch (how->manner) {
    case WHOLE: http_say(asked, text); break;
    case HELD:
        http_say(asked, text);
        pthread_mutex_unlock(&w->lock);
        http_hang(asked);
        pthread_mutex_lock(&w->lock);
        break;
    case BYTEWISE:
        http_say_bytewise(asked, text);
        http_close(asked);
        break;
    case IN_CHUNKS_OF_ONE:
        http_say(asked, text);
        for (const char *at = answer; *at; at++)
            http_say_format(asked, "1\r\n%c\r\n", *at);
        http_say(asked, "0\r\n\r\n");
        break;
    case RESET:
        http_say(asked, text);
        http_reset(asked);
        break;
    case WITHOUT_END:
        http_say(asked, text);
        for (int i = 0; i < 20000 && !asked->is_closed; i++)
            http_say(asked, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        http_close(asked);
        break;
    }
    free(answer);
    free(text);
}

static const hostility HOSTILITIES[] = {
    /* ---- packed oddly, and right ---- */
    {"single bytes", BYTEWISE, JSON "Content-Length: #\r\n\r\n$", SUCCEEDED, NULL},
    {"chunks of one byte", IN_CHUNKS_OF_ONE, JSON "Transfer-Encoding: chunked\r\n\r\n", SUCCEEDED, NULL},
    {"until the end", BYTEWISE, JSON "\r\n$", SUCCEEDED, NULL},
    {"a type in odd letters", WHOLE,
     "HTTP/1.1 200 OK\r\ncontent-TYPE:Application/JSON ;charset=x\r\nContent-Length: #\r\n\r\n$", SUCCEEDED, NULL},
    {"a 100 before it", BYTEWISE, "HTTP/1.1 100 Continue\r\n\r\n" JSON "Content-Length: #\r\n\r\n$", SUCCEEDED, NULL},
    {"events with CRLF", BYTEWISE, SSE "\r\nevent: message\r\nid: 1\r\ndata: $\r\n\r\n", SUCCEEDED, NULL},
    {"events with CR", BYTEWISE, SSE "\r\ndata: $\r\r", SUCCEEDED, NULL},
    {"a BOM", BYTEWISE,
     SSE "\r\n\xef\xbb\xbf"
         "data: $\n\n",
     SUCCEEDED, NULL},
    {"several data lines", BYTEWISE, SSE "\r\ndata: \ndata\ndata: $\ndata: \n\n", SUCCEEDED, NULL},
    {"comments around it", BYTEWISE, SSE "\r\n: a\n\n: b\n\n:c\nretry: 1\ndata: $\n: d\n\n: e\n\n", SUCCEEDED, NULL},
    {"another event before it", BYTEWISE, SSE "\r\nevent: ping\ndata: {}\n\ndata: $\n\n", SUCCEEDED, NULL},
    {"nonsense before it", BYTEWISE,
     SSE "\r\ndata: nonsense\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":77777,\"result\":{}}\n\ndata: $\n\n", SUCCEEDED,
     NULL},
    {"the answer twice", BYTEWISE, SSE "\r\ndata: $\n\ndata: $\n\n", SUCCEEDED, NULL},
    {"a stream that stays open after it", HELD, SSE "\r\ndata: $\n\n", SUCCEEDED, NULL},
    /* ---- cut ---- */
    {"nothing", RESET, "", FATE_UNKNOWN, NULL},
    {"an end at once", BYTEWISE, "", FATE_UNKNOWN, NULL},
    {"an end in the headers", BYTEWISE, "HTTP/1.1 200 OK\r\nContent-Ty", FATE_UNKNOWN, NULL},
    {"a reset in the headers", RESET, "HTTP/1.1 200 OK\r\nContent-Ty", FATE_UNKNOWN, NULL},
    {"a body that is cut", BYTEWISE, JSON "Content-Length: #\r\n\r\n{\"jsonrpc\":", FATE_UNKNOWN, NULL},
    {"a reset in the body", RESET, JSON "Content-Length: #\r\n\r\n{\"jsonrpc\":", FATE_UNKNOWN, NULL},
    {"a chunk that is cut", BYTEWISE, JSON "Transfer-Encoding: chunked\r\n\r\n30\r\n{\"json", FATE_UNKNOWN, NULL},
    {"chunks without the last", BYTEWISE, JSON "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", FATE_UNKNOWN, NULL},
    {"a stream of comments that ends", BYTEWISE, SSE "\r\n: a\n\n: b\n\n", FATE_UNKNOWN,
     "the stream ended before the answer"},
    {"a stream that ends in its event", BYTEWISE, SSE "\r\ndata: $\n", FATE_UNKNOWN,
     "the stream ended before the answer"},
    {"an empty stream", BYTEWISE, SSE "\r\n", FATE_UNKNOWN, NULL},
    {"progress, and no answer", BYTEWISE,
     SSE "\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
         "{\"progressToken\":1,\"progress\":1}}\n\n",
     FATE_UNKNOWN, NULL},
    /* ---- lies ---- */
    {"a length that is too long", BYTEWISE, JSON "Content-Length: 60000\r\n\r\n$", FATE_UNKNOWN, NULL},
    {"a length that is too short", WHOLE, JSON "Content-Length: 9\r\n\r\n$", FATE_UNKNOWN, NULL},
    {"a length below zero", BYTEWISE, JSON "Content-Length: -5\r\n\r\n$", FATE_UNKNOWN, NULL},
    {"chunks that are none", BYTEWISE, JSON "Transfer-Encoding: chunked\r\n\r\n$", FATE_UNKNOWN, NULL},
    {"HTML", WHOLE, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>hello!", FATE_UNKNOWN,
     "text/html"},
    {"HTML as JSON", WHOLE, JSON "Content-Length: 9\r\n\r\n<p>hello!", FATE_UNKNOWN, NULL},
    {"JSON as a stream", BYTEWISE, SSE "\r\n$", FATE_UNKNOWN, NULL},
    {"no type", WHOLE, "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n$", FATE_UNKNOWN, NULL},
    {"an answer to another", WHOLE,
     JSON "Content-Length: 46\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":77777,\"result\":{\"a\":\"b\"}}", FATE_UNKNOWN, NULL},
    {"nothing of HTTP", BYTEWISE, "SSH-2.0-OpenSSH_9.2\r\n", FATE_UNKNOWN, NULL},
    {"JSON without HTTP", BYTEWISE, "$", FATE_UNKNOWN, NULL},
    {"204", WHOLE, "HTTP/1.1 204 No\r\n\r\n", FATE_UNKNOWN, NULL},
    /* ---- sent elsewhere ---- */
    {"a redirect with another method", WHOLE, "HTTP/1.1 302 Go\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
     NOT_EXECUTED, "302"},
    {"a redirect to the metadata", WHOLE,
     "HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", NOT_EXECUTED,
     "never allowed"},
    {"a redirect to a file", WHOLE, "HTTP/1.1 307 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
     NOT_EXECUTED, NULL},
    /* ---- refused ---- */
    {"401", WHOLE, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", NOT_EXECUTED, "401"},
    {"401 and a reset", RESET, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", NOT_EXECUTED, "401"},
    {"503 in HTML", WHOLE, "HTTP/1.1 503 Later\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nwait",
     FATE_UNKNOWN, "503"},
    /* ---- stalls ---- */
    {"silence", HELD, "", FATE_UNKNOWN, "120 ms"},
    {"silence in the headers", HELD, "HTTP/1.1 200 OK\r\nCont", FATE_UNKNOWN, "120 ms"},
    {"silence in the body", HELD, JSON "Content-Length: #\r\n\r\n{", FATE_UNKNOWN, "120 ms"},
    {"silence in a stream", HELD, SSE "\r\n: wait\n\n", FATE_UNKNOWN, "120 ms"},
    /* ---- too much ---- */
    {"a body without end", WITHOUT_END, JSON "\r\n{\"a\":\"", EXECUTED_AND_FAILED, NULL},
    {"an event without end", WITHOUT_END, SSE "\r\ndata: ", EXECUTED_AND_FAILED, NULL},
    {"a comment without end", WITHOUT_END, SSE "\r\n: ", EXECUTED_AND_FAILED, NULL},
    {"a header without end", WITHOUT_END, "HTTP/1.1 200 OK\r\nX: ", EXECUTED_AND_FAILED, NULL},
};
enum { HOSTILITY_COUNT = sizeof HOSTILITIES / sizeof *HOSTILITIES };

static const hostility *of_row(const http_asked *asked)
{
    const char *mark = strstr(asked->body, "\"row\":");
    return mark ? &HOSTILITIES[strtoul(mark + 6, NULL, 10)] : NULL;
}

static bool serve_hostile_calls(web *w, http_asked *asked, const web_asked *what)
{
    const hostility *how = strcmp(what->method, "tools/call") == 0 ? of_row(asked) : NULL;
    if (how)
        say_so(w, asked, how);
    return how != NULL;
}

static void check_every_hostility(web_era era)
{
    web_calls c = {0};
    web_calls_start(&c, era, serve_hostile_calls);
    size_t good = 0;
    for (size_t i = 0; i < HOSTILITY_COUNT; i++) {
        const hostility *how = &HOSTILITIES[i];
        char args[64];
        snprintf(args, sizeof args, "{\"row\":%zu}", i);
        c.timeout_ms = how->manner == HELD && how->outcome == FATE_UNKNOWN ? 120 : 10000;
        const ctn_call_result *r = web_call(&c, args);
        if (web_outcome_of(r) != how->outcome ||
            (how->part && ctn_str_find(r->message, ctn_str_from(how->part)) == SIZE_MAX))
            fail_msg("%s: failure %d, was_sent %d, \"%.*s\"", how->name, (int) r->failure, r->was_sent,
                     CTN_STR_ARG(r->message));
        assert_false(r->peer_is_dead);
        web_calls_run_for(&c, 15); /* that it closed is seen, and the next call is not sent into it */
        c.timeout_ms = 10000;
        r = web_call(&c, "{\"well\":true}");
        if (r->failure)
            fail_msg("after %s: %.*s", how->name, CTN_STR_ARG(r->message));
        if (web_count(&c.web, "tools/call") != ++good * 2)
            fail_msg("%s was sent more than once", how->name);
    }
    assert_int_equal(web_count(&c.web, era == WEB_LEGACY ? "initialize" : "server/discover"), 1);
    web_calls_stop(&c);
}

static void each_hostility_of_a_modern_server_ends_as_the_right_outcome(void **state)
{
    (void) state;
    check_every_hostility(WEB_MODERN);
}

static void each_hostility_of_a_legacy_server_ends_as_the_right_outcome(void **state)
{
    (void) state;
    check_every_hostility(WEB_LEGACY);
}

/* ---- in the middle of a run ---- */

static bool serve_as_told_by_step(web *w, http_asked *asked, const web_asked *what)
{
    if (strcmp(what->method, "tools/call") != 0)
        return false;
    if (w->step == 1) { /* answers, as if the connection were kept, and closes it */
        web_answer(w, asked, false);
        http_close(asked);
        return true;
    }
    if (w->step == 2 && asked->turn > 1) { /* takes it, on a kept connection, and is gone */
        http_close(asked);
        return true;
    }
    if (w->step == 3 && strcmp(what->authorization, "Bearer new") != 0) {
        http_answer(asked, 401, "text/plain", "who?");
        return true;
    }
    if (w->step == 4 && strcmp(what->path, "/mcp") == 0) {
        http_say(asked, "HTTP/1.1 307 Go\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    return false;
}

static void set_step(web_calls *c, int step)
{
    pthread_mutex_lock(&c->web.lock);
    c->web.step = step;
    pthread_mutex_unlock(&c->web.lock);
}

static void a_connection_that_is_closed_between_two_calls_costs_neither(void **state)
{
    web_calls c = {0};
    (void) state;
    web_calls_start(&c, WEB_MODERN, serve_as_told_by_step);
    set_step(&c, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(web_outcome_of(web_call(&c, "{}")), SUCCEEDED);
        web_calls_run_for(&c, 10);
    }
    assert_int_equal(web_count(&c.web, "tools/call"), 10);
    web_calls_stop(&c);
}

static void a_call_that_went_with_its_connection_is_not_made_again(void **state)
{
    web_calls c = {0};
    (void) state;
    web_calls_start(&c, WEB_MODERN, serve_as_told_by_step);
    assert_int_equal(web_outcome_of(web_call(&c, "{}")), SUCCEEDED);
    set_step(&c, 2);
    assert_int_equal(web_outcome_of(web_call(&c, "{\"pay\":1}")), FATE_UNKNOWN);
    web_calls_run_for(&c, 100);
    assert_int_equal(web_count(&c.web, "tools/call"), 2);
    assert_int_equal(web_outcome_of(web_call(&c, "{}")), SUCCEEDED); /* on a fresh one */
    web_calls_stop(&c);
}

static void a_401_in_the_middle_of_a_run_takes_the_token_that_is_there_now(void **state)
{
    web_calls c = {.token = "Bearer old"};
    (void) state;
    web_calls_start(&c, WEB_MODERN, serve_as_told_by_step);
    assert_int_equal(web_outcome_of(web_call(&c, "{}")), SUCCEEDED);
    set_step(&c, 3);
    assert_int_equal(web_outcome_of(web_call(&c, "{}")), NOT_EXECUTED); /* nobody has a new one */
    assert_int_equal(web_count(&c.web, "tools/call"), 2);
    c.token = "Bearer new";
    for (int i = 0; i < 20; i++)
        (void) web_calls_begin(&c, "{}");
    web_calls_wait(&c);
    for (unsigned i = 2; i < c.begun; i++)
        if (web_outcome_of(&c.results[i]) != SUCCEEDED)
            fail_msg("call %u: failure %d, \"%.*s\"", i, (int) c.results[i].failure, CTN_STR_ARG(c.results[i].message));
    web_calls_stop(&c);
}

static void a_redirect_as_the_same_request_is_followed(void **state)
{
    web_calls c = {0};
    (void) state;
    web_calls_start(&c, WEB_MODERN, serve_as_told_by_step);
    set_step(&c, 4);
    assert_int_equal(web_outcome_of(web_call(&c, "{\"a\":1}")), SUCCEEDED);
    assert_string_equal(web_nth(&c.web, "tools/call", 1)->path, "/moved");
    assert_string_equal(web_nth(&c.web, "tools/call", 0)->body, web_nth(&c.web, "tools/call", 1)->body);
    web_calls_stop(&c);
}

/* ---- before the first call ---- */

/* Takes its time for `initialized`, and refuses what overtakes it, as servers made with the Python SDK do. */
static bool serve_in_order(web *w, http_asked *asked, const web_asked *what)
{
    if (strcmp(what->method, "notifications/initialized") == 0) {
        pthread_mutex_unlock(&w->lock);
        http_pause(w->peer, 100);
        pthread_mutex_lock(&w->lock);
        w->step = 1;
    } else if (w->step == 0 && strncmp(what->method, "tools/", 6) == 0) {
        http_answer(asked, 400, "text/plain", "Received request before initialization was complete");
        return true;
    }
    return false;
}

static void nothing_overtakes_the_end_of_a_handshake(void **state)
{
    web_calls c = {0};
    (void) state;
    web_calls_start(&c, WEB_LEGACY, serve_in_order);
    assert_int_equal(web_outcome_of(web_call(&c, "{}")), SUCCEEDED);
    assert_int_equal(web_count(&c.web, "tools/call"), 1);
    assert_int_equal(web_count(&c.web, "initialize"), 1); /* else it was refused once, and began anew */
    web_calls_stop(&c);
}

static bool serve_hostile_beginnings(web *w, http_asked *asked, const web_asked *what)
{
    bool is_first = strcmp(what->method, "server/discover") == 0 || strcmp(what->method, "initialize") == 0;
    if (w->step < 0 || !(is_first || strcmp(what->method, "tools/list") == 0))
        return false;
    say_so(w, asked, &HOSTILITIES[w->step]);
    return true;
}

static int row_named(const char *name)
{
    for (int i = 0; i < HOSTILITY_COUNT; i++)
        if (strcmp(HOSTILITIES[i].name, name) == 0)
            return i;
    fail_msg("no hostility is called %s", name);
    return 0;
}

/* Whatever a server does before it was called: nothing was executed, and nobody spins. */
static void a_server_that_is_hostile_from_the_beginning_executes_nothing(void **state)
{
    static const char *const names[] = {
        "nothing", "an end in the headers", "a body that is cut", "a stream of comments that ends",
        "HTML",    "HTML as JSON",          "nothing of HTTP",    "a redirect to the metadata",
        "401",     "a body without end",
    };
    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        web_calls c = {0};
        web_calls_start(&c, WEB_BOTH, serve_hostile_beginnings);
        set_step(&c, row_named(names[i]));
        const ctn_call_result *r = web_call(&c, "{}");
        if (web_outcome_of(r) != NOT_EXECUTED || r->was_sent)
            fail_msg("%s: failure %d, was_sent %d, \"%.*s\"", names[i], (int) r->failure, r->was_sent,
                     CTN_STR_ARG(r->message));
        assert_int_equal(web_count(&c.web, "tools/call"), 0);
        assert_true(c.web.asked_count < 12);
        web_calls_stop(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hostility_of_a_modern_server_ends_as_the_right_outcome),
        cmocka_unit_test(each_hostility_of_a_legacy_server_ends_as_the_right_outcome),
        cmocka_unit_test(a_connection_that_is_closed_between_two_calls_costs_neither),
        cmocka_unit_test(a_call_that_went_with_its_connection_is_not_made_again),
        cmocka_unit_test(a_401_in_the_middle_of_a_run_takes_the_token_that_is_there_now),
        cmocka_unit_test(a_redirect_as_the_same_request_is_followed),
        cmocka_unit_test(nothing_overtakes_the_end_of_a_handshake),
        cmocka_unit_test(a_server_that_is_hostile_from_the_beginning_executes_nothing),
    };
    return cmocka_run_group_tests(tests, web_calls_first, web_calls_last);
}
