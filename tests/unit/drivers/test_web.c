/* The driver of http calls (drivers/web): what goes out, what an answer means, where pages lead. The peer is a server
 * of the test's own that says exactly what a case wants. */
#include "drivers/web/web.h"
#include "drivers/web/answer.h"
#include "support/cmocka.h"
#include "support/http_peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASKED_BYTES 8192

typedef struct world {
    ctn_loop *loop;
    ctn_http *http;
    ctn_webcall_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    http_peer *peer;
    /* what the peer says: the answer to the n-th request, the last one for all further ones; "" hangs, NULL closes */
    const char *const *answers;
    unsigned count;
    char asked[8][ASKED_BYTES]; /* requests, head and body */
    unsigned asked_count;
    ctn_call_result result; /* copied */
    unsigned told;
    unsigned progress;
    size_t bytes_max;
    bool is_impatient, denies;
} world;

static void serve(void *ctx, http_asked *asked)
{
    world *w = ctx;
    unsigned n = asked->number - 1;
    if (n < 8) {
        (void) snprintf(w->asked[n], sizeof w->asked[n], "%s%.*s", asked->head, (int) asked->body_bytes, asked->body);
        w->asked_count = n + 1;
    }
    const char *answer = w->answers[n < w->count ? n : w->count - 1];
    if (!answer)
        http_reset(asked);
    else if (!answer[0])
        http_hang(asked);
    else
        http_say(asked, answer);
    if (answer && answer[0] && strstr(answer, "Connection: close"))
        http_close(asked);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    world *w = ctx;
    assert_int_equal(token, 7);
    w->told++;
    w->result = *result;
    w->result.message = ctn_arena_str(w->arena, result->message);
    w->result.value = result->value ? ctn_json_copy(w->arena, result->value) : NULL;
    ctn_loop_stop(w->loop);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    world *w = ctx;
    (void) token, (void) progress, (void) total, (void) message;
    w->progress++;
}

static void on_patience(void *ctx)
{
    world *w = ctx;
    w->is_impatient = true;
    ctn_loop_stop(w->loop);
}

static int policy(void *ctx, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err)
{
    const world *w = ctx;
    if (w->denies)
        return ctn_fail(err, CTN_E_DENIED, "not this one");
    bool is_ours = ctn_str_is(host, "127.0.0.1");
    *ret_policy = (ctn_http_policy){.allows_private = is_ours, .denies_loopback = !is_ours, .proxy = ""};
    return CTN_OK;
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->loop = ctn_loop_new();
    w->http = ctn_http_new(&(ctn_http_options){.loop = w->loop});
    w->arena = ctn_arena_new(4096);
    w->patience = ctn_timer_new(w->loop, on_patience, w);
    w->bytes_max = 100000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    ctn_webcall_driver_free(w->driver);
    ctn_http_free(w->http);
    http_peer_stop(w->peer);
    ctn_timer_free(w->patience);
    ctn_loop_free(w->loop);
    ctn_arena_free(w->arena);
    free(w);
    return 0;
}

static void begin(world *w, const ctn_call_request *how, const char *format)
{
    ctn_call_sink sink = {.done = on_done, .progress = on_progress, .ctx = w};
    ctn_webcall_options options = {.loop = w->loop,
                                   .http = w->http,
                                   .sink = sink,
                                   .policy = policy,
                                   .policy_ctx = w,
                                   .body_bytes_max = w->bytes_max};
    ctn_webcall_driver_free(w->driver);
    w->driver = ctn_webcall_driver_new(&options);
    w->iface = ctn_webcall_driver_interface(w->driver);
    ctn_str text = ctn_arena_printf(w->arena, "%s", format);
    size_t at;
    while ((at = ctn_str_find(text, CTN_STR("URL"))) != SIZE_MAX) /* the peer's */
        text = ctn_arena_printf(w->arena, "%.*s%s%s", (int) at, text.ptr, http_peer_url(w->peer), text.ptr + at + 3);
    const ctn_json *args = NULL;
    assert_int_equal(ctn_json_parse(w->arena, text, NULL, &args, NULL), CTN_OK);
    ctn_call_request request = how ? *how : (ctn_call_request){.timeout_ms = 10000};
    request.token = 7;
    request.args = args;
    request.idempotency_key = CTN_STR("key-1");
    request.traceparent = CTN_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    w->told = 0;
    w->iface.begin(w->iface.ctx, &request);
}

static void start(world *w, const char *const *answers, unsigned count)
{
    http_peer_stop(w->peer);
    w->answers = answers;
    w->count = count;
    w->asked_count = 0;
    w->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = w});
}

static void wait(world *w)
{
    w->is_impatient = false;
    ctn_timer_set(w->patience, ctn_loop_now_ms(w->loop) + 15000);
    if (!w->told)
        ctn_loop_run(w->loop);
    ctn_timer_clear(w->patience);
    assert_false(w->is_impatient);
    assert_int_equal(w->told, 1);
}

static void call(world *w, const char *detail)
{
    begin(w, NULL, detail);
    wait(w);
}

#define CALL(w, detail, ...)                                                                                           \
    do {                                                                                                               \
        static const char *const answers_[] = {__VA_ARGS__};                                                           \
        start(w, answers_, sizeof answers_ / sizeof *answers_);                                                        \
        call(w, detail);                                                                                               \
    } while (0)

static void gives(world *w, const char *json)
{
    if (w->result.failure)
        fail_msg("%s: %.*s", ctn_failure_name(w->result.failure), CTN_STR_ARG(w->result.message));
    ctn_str got = ctn_json_to_str(w->arena, w->result.value);
    if (!ctn_str_is(got, json))
        fail_msg("it gave %.*s, not %s", CTN_STR_ARG(got), json);
}

static void fails(world *w, ctn_failure failure, bool was_sent, const char *part)
{
    if (w->result.failure != failure || w->result.was_sent != was_sent ||
        ctn_str_find(w->result.message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("it failed with %s (%s): %.*s", ctn_failure_name(w->result.failure),
                 w->result.was_sent ? "sent" : "not sent", CTN_STR_ARG(w->result.message));
}

static void asked(const world *w, unsigned n, const char *part)
{
    assert_true(n < w->asked_count);
    if (!strstr(w->asked[n], part))
        fail_msg("no '%s' in\n%s", part, w->asked[n]);
}

static void not_asked(const world *w, unsigned n, const char *part)
{
    assert_true(n < w->asked_count);
    if (strstr(w->asked[n], part))
        fail_msg("'%s' in\n%s", part, w->asked[n]);
}

#define OK_JSON(body)       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define OK_TYPE(type, body) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body
#define STATUS(line, body)  "HTTP/1.1 " line "\r\nConnection: close\r\n\r\n" body

/* ---- what goes out ---- */

static void what_a_call_says_goes_out_and_no_value_ends_what_it_stands_in(void **state)
{
    world *w = *state;
    CALL(w,
         "{\"url\":\"URL/notes?a=1\",\"query\":{\"q\":\"x&y=z#\",\"n\":[1,2],\"none\":null,\"b\":true},"
         "\"headers\":{\"Authorization\":\"Bearer T\",\"X-N\":5},\"body\":{\"text\":\"h\\u00e9\"}}",
         OK_JSON("{\"id\": 1.50}"));
    gives(w, "{\"id\":1.50}");
    asked(w, 0, "POST /notes?a=1&q=x%26y%3Dz%23&n=1&n=2&b=true HTTP/1.1\r\n");
    asked(w, 0, "Authorization: Bearer T\r\n");
    asked(w, 0, "X-N: 5\r\n");
    asked(w, 0, "Content-Type: application/json\r\n");
    asked(w, 0, "Idempotency-Key: key-1\r\n");
    asked(w, 0, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");
    asked(w, 0, "\r\n\r\n{\"text\":\"h\xc3\xa9\"}");
    assert_true(w->result.was_sent);
}

static void the_key_goes_by_its_header_and_not_with_reads(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/\",\"method\":\"PUT\",\"body\":1,\"idempotencyHeader\":\"X-Once\"}", OK_JSON("1"));
    asked(w, 0, "X-Once: key-1\r\n");
    not_asked(w, 0, "Idempotency-Key");
    CALL(w, "{\"url\":\"URL/\",\"method\":\"DELETE\",\"idempotencyHeader\":\"\"}", OK_JSON("1"));
    asked(w, 0, "DELETE / HTTP/1.1");
    not_asked(w, 0, "key-1");
    CALL(w, "{\"url\":\"URL/\"}", OK_JSON("1"));
    asked(w, 0, "GET / HTTP/1.1");
    not_asked(w, 0, "key-1");
    CALL(w, "{\"url\":\"URL/\",\"method\":\"HEAD\",\"result\":\"response\"}", STATUS("200 OK\r\nX-N: 5", ""));
    asked(w, 0, "HEAD / HTTP/1.1");
    gives(w, "{\"status\":200,\"headers\":{\"x-n\":\"5\",\"connection\":\"close\"},\"body\":{}}");
}

static void a_body_is_written_as_its_content_type_wants_it(void **state)
{
    world *w = *state;
    CALL(w,
         "{\"url\":\"URL/\",\"headers\":{\"content-type\":\"application/x-www-form-urlencoded\"},"
         "\"body\":{\"a\":\"1&b=2\",\"c\":[\"x y\",3]}}",
         OK_JSON("1"));
    asked(w, 0, "\r\n\r\na=1%26b%3D2&c=x%20y&c=3");
    CALL(w, "{\"url\":\"URL/\",\"headers\":{\"Content-Type\":\"text/plain\"},\"body\":\"a\\nb\"}", OK_JSON("1"));
    asked(w, 0, "\r\n\r\na\nb");
    CALL(w, "{\"url\":\"URL/\",\"headers\":{\"Content-Type\":\"application/merge-patch+json\"},\"body\":\"t\"}",
         OK_JSON("1"));
    asked(w, 0, "\r\n\r\n\"t\"");
    CALL(w, "{\"url\":\"URL/\",\"headers\":{\"Content-Type\":\"text/plain\"},\"body\":{\"a\":1}}", OK_JSON("1"));
    fails(w, CTN_FAILURE_INVALID_INPUT, false, "a body of type text/plain cannot be made of a value of kind object");
    assert_int_equal(w->asked_count, 0);
}

static void what_is_no_request_is_not_sent(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/\",\"headers\":{\"X-A\":\"1\\r\\nX-B: 2\"}}", OK_JSON("1"));
    fails(w, CTN_FAILURE_INVALID_INPUT, false, "the value of the header X-A has a line break");
    call(w, "{\"url\":\"URL/\",\"headers\":{\"Host\":\"other\"}}");
    fails(w, CTN_FAILURE_INVALID_INPUT, false, "'Host' is a header that follows from the rest");
    call(w, "{\"url\":\"ftp://127.0.0.1/\"}");
    fails(w, CTN_FAILURE_INVALID_INPUT, false, "neither http nor https");
    call(w, "{\"url\":\"http://user:geheim@127.0.0.1/\"}");
    fails(w, CTN_FAILURE_INVALID_INPUT, false, "a user or a password");
    assert_int_equal(ctn_str_find(w->result.message, CTN_STR("geheim")), SIZE_MAX);
    assert_int_equal(w->asked_count, 0);
}

/* ---- who may be called ---- */

static void nobody_is_called_whom_the_policy_does_not_allow(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"http://localhost:1/?token=geheim\"}", OK_JSON("1"));
    fails(w, CTN_FAILURE_DENIED, false, "GET localhost: it leads to this machine itself");
    call(w, "{\"url\":\"http://169.254.169.254/latest/meta-data\"}");
    fails(w, CTN_FAILURE_DENIED, false, "never allowed");
    call(w, "{\"url\":\"https://10.0.0.1/\",\"method\":\"POST\"}");
    fails(w, CTN_FAILURE_DENIED, false, "POST 10.0.0.1: its address is of a private network");
    w->denies = true;
    call(w, "{\"url\":\"URL/\"}");
    fails(w, CTN_FAILURE_DENIED, false, "not this one");
    assert_int_equal(w->asked_count, 0);
}

static void a_redirect_is_judged_like_a_first_call_and_takes_no_header_elsewhere(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/a\",\"headers\":{\"X-Key\":\"k\"}}", STATUS("302 Found\r\nLocation: /b", ""), OK_JSON("2"));
    gives(w, "2");
    asked(w, 1, "GET /b HTTP/1.1");
    asked(w, 1, "X-Key: k");
    CALL(w, "{\"url\":\"URL/a\"}", STATUS("307 Go\r\nLocation: http://localhost:9/x", ""));
    fails(w, CTN_FAILURE_DENIED, false, "GET localhost: it leads to this machine itself");
    CALL(w, "{\"url\":\"URL/a\"}", STATUS("301 Go\r\nLocation: http://[::ffff:169.254.169.254]/", ""));
    fails(w, CTN_FAILURE_DENIED, false, "never allowed");
    CALL(w, "{\"url\":\"URL/a\"}", STATUS("302 Found\r\nLocation: /a", ""));
    fails(w, CTN_FAILURE_TOOL_ERROR, true, "answered 302");
    assert_int_equal(w->asked_count, 6);
    CALL(w, "{\"url\":\"URL/a\"}", STATUS("302 Found\r\nLocation: file:///etc/passwd", ""));
    fails(w, CTN_FAILURE_TOOL_ERROR, true, "answered 302");
    /* A write is not sent on. */
    CALL(w, "{\"url\":\"URL/a\",\"body\":1}", STATUS("307 Go\r\nLocation: /b", ""));
    fails(w, CTN_FAILURE_TOOL_ERROR, true, "POST 127.0.0.1: answered 307");
    assert_int_equal(w->asked_count, 1);
}

static void a_redirect_to_another_origin_loses_the_headers_of_the_chain(void **state)
{
    world *w = *state;
    static const char *const second[] = {OK_JSON("\"second\"")};
    world other = {.answers = second, .count = 1};
    other.peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = &other});
    char first[200];
    (void) snprintf(first, sizeof first, STATUS("302 Found\r\nLocation: %s/x", ""), http_peer_url(other.peer));
    const char *answers[] = {first};
    start(w, answers, 1);
    call(w, "{\"url\":\"URL/a\",\"headers\":{\"X-Key\":\"k\",\"Cookie\":\"c\"}}");
    gives(w, "\"second\"");
    not_asked(&other, 0, "X-Key");
    not_asked(&other, 0, "Cookie");
    asked(&other, 0, "Accept: application/json");
    http_peer_stop(other.peer);
}

/* ---- what an answer means ---- */

static void a_status_says_whether_the_work_was_surely_not_done(void **state)
{
    (void) state;
    static const struct {
        int status;
        bool has_retry_after;
        ctn_failure failure;
    } cases[] = {
        {400, false, CTN_FAILURE_TOOL_ERROR},   {401, false, CTN_FAILURE_DENIED},
        {403, false, CTN_FAILURE_DENIED},       {404, false, CTN_FAILURE_TOOL_ERROR},
        {408, false, CTN_FAILURE_TRANSPORT},    {409, false, CTN_FAILURE_TOOL_ERROR},
        {422, false, CTN_FAILURE_TOOL_ERROR},   {425, false, CTN_FAILURE_UNAVAILABLE},
        {429, false, CTN_FAILURE_RATE_LIMITED}, {429, true, CTN_FAILURE_RATE_LIMITED},
        {500, false, CTN_FAILURE_TRANSPORT},    {500, true, CTN_FAILURE_TRANSPORT},
        {501, false, CTN_FAILURE_TOOL_ERROR},   {502, false, CTN_FAILURE_TRANSPORT},
        {503, false, CTN_FAILURE_TRANSPORT},    {503, true, CTN_FAILURE_UNAVAILABLE},
        {504, false, CTN_FAILURE_TRANSPORT},    {529, false, CTN_FAILURE_TRANSPORT},
        {304, false, CTN_FAILURE_TOOL_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ctn_webcall_failure_of(cases[i].status, cases[i].has_retry_after) != cases[i].failure)
            fail_msg("%d", cases[i].status);
}

static void a_refusal_says_when_to_come_again_and_what_the_peer_wrote(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/?key=geheim\"}", STATUS("429 Slow\r\nRetry-After: 7", "wait\x1b[2J a\nmoment"));
    fails(w, CTN_FAILURE_RATE_LIMITED, true, "answered 429: wait?[2J a moment");
    assert_int_equal(w->result.retry_after_ms, 7000);
    assert_int_equal(ctn_str_find(w->result.message, CTN_STR("geheim")), SIZE_MAX);
    CALL(w, "{\"url\":\"URL/\"}", STATUS("503 No\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT", ""));
    fails(w, CTN_FAILURE_UNAVAILABLE, true, "answered 503");
    assert_int_equal(w->result.retry_after_ms, 0); /* nobody waits a century */
    CALL(w, "{\"url\":\"URL/\"}", STATUS("503 No\r\nRetry-After: Thu, 01 Jan 1970 00:00:10 GMT", ""));
    fails(w, CTN_FAILURE_UNAVAILABLE, true, "answered 503");
    assert_int_equal(w->result.retry_after_ms, 0);
    CALL(w, "{\"url\":\"URL/\"}", STATUS("503 No\r\nRetry-After: -5", ""));
    assert_int_equal(w->result.retry_after_ms, 0);
    char longer[4000] = STATUS("404 No", "");
    size_t at = strlen(longer);
    memset(longer + at, 'x', sizeof longer - at - 1);
    const char *answers[] = {longer};
    start(w, answers, 1);
    w->bytes_max = 1000; /* what a refusal says is cut, and no reason to fail otherwise */
    call(w, "{\"url\":\"URL/\"}");
    fails(w, CTN_FAILURE_TOOL_ERROR, true, "answered 404: xxx");
    assert_in_range(w->result.message.len, 400, CTN_WEBCALL_SAID_BYTES_MAX + 60);
}

static void success_is_what_the_call_names(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/\",\"success\":[\"2xx\",404],\"result\":\"response\"}",
         STATUS("404 No\r\nContent-Type: application/json\r\nSet-Cookie: s=1", "{\"a\":1}"));
    gives(w, "{\"status\":404,\"headers\":{\"content-type\":\"application/json\",\"connection\":\"close\"},"
             "\"body\":{\"a\":1}}");
    CALL(w, "{\"url\":\"URL/\",\"success\":[201]}", OK_JSON("1"));
    fails(w, CTN_FAILURE_TOOL_ERROR, true, "answered 200");
}

static void a_body_is_taken_by_its_type_and_no_other_way(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/\"}", OK_TYPE("text/plain; charset=utf-8", "{\"a\":1}"));
    gives(w, "{\"text\":\"{\\\"a\\\":1}\"}");
    CALL(w, "{\"url\":\"URL/\"}", STATUS("200 OK", "{\"a\":1}"));
    gives(w, "{\"a\":1}");
    CALL(w, "{\"url\":\"URL/\"}", STATUS("204 No Content", ""));
    gives(w, "{}");
    CALL(w, "{\"url\":\"URL/\"}", OK_TYPE("application/problem+json", "[1.10]"));
    gives(w, "[1.10]");
    CALL(w, "{\"url\":\"URL/\"}", OK_JSON("{\"a\":1,\"a\":2}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "its body is no JSON");
    CALL(w, "{\"url\":\"URL/\"}", OK_JSON("{\"a\":"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "its body is no JSON");
    CALL(w, "{\"url\":\"URL/\"}", OK_TYPE("image/png", "\x89PNG\xff"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "its body, of type image/png, is no text");
    CALL(w, "{\"url\":\"URL/\",\"accept\":[\"application/json\",\"text/*\"]}", OK_TYPE("application/xml", "<a/>"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "its answer is of application/xml, which 'accept' does not name");
    asked(w, 0, "Accept: application/json, text/*\r\n");
    CALL(w, "{\"url\":\"URL/\",\"accept\":[\"text/*\"]}", OK_TYPE("TEXT/csv", "a;b"));
    gives(w, "{\"text\":\"a;b\"}");
}

/* ---- bounds ---- */

static void an_answer_has_a_bound_whether_it_is_declared_or_not(void **state)
{
    world *w = *state;
    w->bytes_max = 50;
    CALL(w, "{\"url\":\"URL/\"}", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx");
    fails(w, CTN_FAILURE_LIMIT, true, "its answer has more than the 50 bytes that are taken");
    CALL(w, "{\"url\":\"URL/\",\"bodyBytes\":10}", OK_TYPE("text/plain", "12345678901"));
    fails(w, CTN_FAILURE_LIMIT, true, "more than the 10 bytes");
    CALL(w, "{\"url\":\"URL/\",\"bodyBytes\":10}", OK_TYPE("text/plain", "1234567890"));
    gives(w, "{\"text\":\"1234567890\"}");
    CALL(w, "{\"url\":\"URL/\",\"bodyBytes\":1000}",
         OK_TYPE("text/plain", "123456789012345678901234567890123456789012345678901"));
    fails(w, CTN_FAILURE_LIMIT, true, "more than the 50 bytes"); /* a chain says less, not more */
}

static void silence_cuts_and_refused_connections_are_kept_apart(void **state)
{
    world *w = *state;
    static const char *const hangs[] = {""}, *const resets[] = {NULL};
    static const char *const cut[] = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n1"};
    start(w, hangs, 1);
    begin(w, &(ctn_call_request){.timeout_ms = 200}, "{\"url\":\"URL/\",\"body\":1}");
    wait(w);
    fails(w, CTN_FAILURE_TIMEOUT, true, "POST 127.0.0.1: no whole answer within 200 ms");
    begin(w, &(ctn_call_request){.timeout_ms = 10000, .idle_timeout_ms = 200}, "{\"url\":\"URL/\"}");
    wait(w);
    fails(w, CTN_FAILURE_TIMEOUT, true, "GET 127.0.0.1: ");
    assert_int_equal(ctn_str_find(w->result.message, CTN_STR("10000")), SIZE_MAX); /* it was the silence */
    start(w, resets, 1);
    call(w, "{\"url\":\"URL/\",\"body\":1}");
    fails(w, CTN_FAILURE_TRANSPORT, true, "POST 127.0.0.1: ");
    assert_int_equal(w->asked_count, 1); /* and once only */
    start(w, cut, 1);
    call(w, "{\"url\":\"URL/\",\"body\":1}");
    fails(w, CTN_FAILURE_TRANSPORT, true, "POST 127.0.0.1: ");
    http_peer_stop(w->peer);
    w->peer = NULL;
    call(w, "{\"url\":\"http://127.0.0.1:1/\",\"body\":1}");
    fails(w, CTN_FAILURE_UNAVAILABLE, false, "POST 127.0.0.1: ");
}

static void of_a_cancelled_call_nothing_is_heard(void **state)
{
    world *w = *state;
    static const char *const hangs[] = {""};
    start(w, hangs, 1);
    begin(w, NULL, "{\"url\":\"URL/\",\"body\":1}");
    w->iface.cancel(w->iface.ctx, 7);
    w->iface.cancel(w->iface.ctx, 7);
    ctn_timer_set(w->patience, ctn_loop_now_ms(w->loop) + 50);
    ctn_loop_run(w->loop);
    assert_int_equal(w->told, 0);
    begin(w, NULL, "{\"url\":\"URL/\"}"); /* and one that is left is dropped with the driver */
}

static void a_long_answer_shows_that_it_comes(void **state)
{
    world *w = *state;
    enum { BYTES = 1 << 20 };
    char *answer = calloc(1, BYTES + 200);
    int head =
        snprintf(answer, 200, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", BYTES);
    memset(answer + head, 'x', BYTES);
    const char *answers[] = {answer};
    w->bytes_max = BYTES;
    start(w, answers, 1);
    call(w, "{\"url\":\"URL/\"}");
    assert_int_equal(w->result.failure, CTN_FAILURE_NONE);
    assert_in_range(w->progress, 2, 4);
    free(answer);
}

/* ---- pages ---- */

#define LINK(link, body) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" link "Connection: close\r\n\r\n" body

static void pages_are_read_until_there_is_no_next(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/l?q=1\",\"headers\":{\"X-K\":\"k\"},\"next\":\"{links.next}\"}",
         LINK("Link: </l?q=1&p=2>; rel=\"next last\", </l>; rel=first\r\n", "[1]"),
         LINK("Link: </l?q=1&p=3>; rel=next\r\n", "[2]"), LINK("Link: </l>; rel=\"first\"\r\n", "[3]"));
    gives(w, "[[1],[2],[3]]");
    asked(w, 1, "GET /l?q=1&p=2 HTTP/1.1");
    asked(w, 2, "X-K: k");
    /* A cursor, and the items as one list. */
    CALL(w, "{\"url\":\"URL/l?q=a%20b&c=0\",\"next\":{\"c\":\"body.next\"},\"items\":\"body.items\"}",
         OK_JSON("{\"items\":[1,2],\"next\":\"x/y&z\"}"), OK_JSON("{\"items\":[3],\"next\":null}"));
    gives(w, "[1,2,3]");
    asked(w, 1, "GET /l?q=a%20b&c=x%2Fy%26z HTTP/1.1");
    /* Numbers of pages. */
    CALL(w, "{\"url\":\"URL/l\",\"next\":{\"page\":\"length(body) == 2 ? page + 1 : null\"},\"items\":\"body\"}",
         OK_JSON("[1,2]"), OK_JSON("[3]"));
    gives(w, "[1,2,3]");
    asked(w, 1, "GET /l?page=2 HTTP/1.1");
}

static void pages_that_lead_astray_end_with_a_sentence(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/l\",\"next\":\"body.next\"}", OK_JSON("{\"next\":\"/m\"}"), OK_JSON("{\"next\":\"/l\"}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "page 2: what 'next' gave leads back to a page that was read");
    CALL(w, "{\"url\":\"URL/l\",\"next\":\"body.next\"}", OK_JSON("{\"next\":\"http://localhost:1/m?t=geheim\"}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "page 1: what 'next' gave is an address of another host");
    CALL(w, "{\"url\":\"URL/l\",\"next\":\"body.next\"}", OK_JSON("{\"next\":\"file:///etc/passwd\"}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "no address");
    CALL(w, "{\"url\":\"URL/l\",\"next\":\"body.next\"}", OK_JSON("{\"next\":[1]}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "a value of kind array");
    CALL(w, "{\"url\":\"URL/l\",\"next\":{\"p\":\"page + 1\"},\"pageLimit\":3}", OK_JSON("{}"));
    fails(w, CTN_FAILURE_LIMIT, true, "page 3: there are more pages than the 3");
    assert_int_equal(w->asked_count, 3);
    CALL(w, "{\"url\":\"URL/l\",\"next\":{\"p\":\"page + 1\"},\"items\":\"body.x\"}", OK_JSON("{\"x\":1}"));
    fails(w, CTN_FAILURE_INVALID_OUTPUT, true, "'items' gave a value of kind number");
    w->bytes_max = 30; /* of all pages together */
    CALL(w, "{\"url\":\"URL/l\",\"next\":{\"p\":\"page + 1\"}}", OK_JSON("[1,2,3,4,5]"));
    fails(w, CTN_FAILURE_LIMIT, true, "bytes that are taken");
    assert_int_equal(w->asked_count, 3);
}

static void a_page_that_fails_fails_the_call(void **state)
{
    world *w = *state;
    CALL(w, "{\"url\":\"URL/l\",\"next\":{\"p\":\"page + 1\"}}", OK_JSON("[1]"),
         STATUS("503 No\r\nRetry-After: 2", ""));
    fails(w, CTN_FAILURE_UNAVAILABLE, true, "answered 503");
    assert_int_equal(w->result.retry_after_ms, 2000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_a_call_says_goes_out_and_no_value_ends_what_it_stands_in),
        T(the_key_goes_by_its_header_and_not_with_reads),
        T(a_body_is_written_as_its_content_type_wants_it),
        T(what_is_no_request_is_not_sent),
        T(nobody_is_called_whom_the_policy_does_not_allow),
        T(a_redirect_is_judged_like_a_first_call_and_takes_no_header_elsewhere),
        T(a_redirect_to_another_origin_loses_the_headers_of_the_chain),
        T(a_status_says_whether_the_work_was_surely_not_done),
        T(a_refusal_says_when_to_come_again_and_what_the_peer_wrote),
        T(success_is_what_the_call_names),
        T(a_body_is_taken_by_its_type_and_no_other_way),
        T(an_answer_has_a_bound_whether_it_is_declared_or_not),
        T(silence_cuts_and_refused_connections_are_kept_apart),
        T(of_a_cancelled_call_nothing_is_heard),
        T(a_long_answer_shows_that_it_comes),
        T(pages_are_read_until_there_is_no_next),
        T(pages_that_lead_astray_end_with_a_sentence),
        T(a_page_that_fails_fails_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
