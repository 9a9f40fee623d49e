/*
 * web.c -- see web.h.
 *
 *     begin --> sent --a redirect, a page that has a next--> sent --> told
 *
 * What must hold: a call is told once, unless it was cancelled, and is out of everything before it is told; a request
 * that is no GET or HEAD goes out once. Its time is that of the whole: redirects and pages have what is left of it.
 */
#include "drivers/web/web.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/names.h"
#include "base/text.h"
#include "chain/http_call.h"
#include "drivers/token_map.h"
#include "drivers/web/answer.h"
#include "drivers/web/ask.h"
#include "drivers/web/pages.h"

#define REDIRECTS_MAX     5
#define PAGES_DEFAULT_MAX 100
#define PROGRESS_BYTES    (256 << 10) /* told of a long answer each time that so much has come */
#define SAID_BYTES_MAX    (64 << 10)  /* that are read of a refusal: its connection is kept then */
#define HOST_SHOWN_MAX    200

typedef struct web_call {
    struct web_call *next, *previous;
    ctn_webcall_driver *driver;
    ctn_arena *arena;
    uint64_t token;
    const ctn_json *detail;
    ctn_webcall_ask ask; /* the URL is that of the present page and hop */
    ctn_http_call *http; /* NULL: none is under way */
    ctn_http_policy policy;
    int64_t end_at_ms; /* 0: none */
    int64_t timeout_ms, idle_timeout_ms;
    size_t bytes_left; /* of all pages together */
    ctn_buf body;
    unsigned redirects_left;
    /* of this answer */
    int status;
    ctn_str type;
    int64_t retry_after_ms, length;
    bool has_retry_after;
    const ctn_json *headers, *links;
    ctn_str location;
    size_t told_bytes;
    /* of the pages */
    const ctn_json *next_said;
    ctn_str items_said;
    uint32_t page, page_max;
    ctn_names seen;           /* addresses of pages */
    ctn_json_builder results; /* pages, or their items */
} web_call;

struct ctn_webcall_driver {
    ctn_webcall_options options;
    web_call *calls;
    ctn_token_map tokens;
};

/* ---- the end of a call ---- */

static void free_call(web_call *c)
{
    ctn_webcall_driver *driver = c->driver;
    *(c->previous ? &c->previous->next : &driver->calls) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    (void) ctn_token_map_take(&driver->tokens, c->token);
    if (c->http)
        ctn_http_call_cancel(c->http);
    ctn_buf_done(&c->body);
    ctn_arena_free(c->arena);
    free(c);
}

/* What is told lives in the call's arena, which goes last. */
static void tell(web_call *c, const ctn_call_result *result)
{
    const ctn_call_sink sink = c->driver->options.sink;
    ctn_arena *arena = c->arena;
    uint64_t token = c->token;
    c->arena = NULL;
    free_call(c);
    sink.done(sink.ctx, token, result);
    ctn_arena_free(arena);
}

static void fail(web_call *c, ctn_failure failure, bool was_sent, ctn_str why)
{
    ctn_str host = c->ask.url.host;
    ctn_str message = host.len ? ctn_arena_printf(c->arena, "%s %.*s: %.*s", c->ask.method,
                                                  (int) (host.len < HOST_SHOWN_MAX ? host.len : HOST_SHOWN_MAX),
                                                  host.ptr, CTN_STR_ARG(why))
                               : why;
    tell(c, &(ctn_call_result){
                .failure = failure, .message = message, .was_sent = was_sent, .retry_after_ms = c->retry_after_ms});
}

/* ---- sending ---- */

static void send(web_call *c);

/* May the host of the present URL be called, and how? CTN_OK, or the call has been told. */
static int ask_policy(web_call *c)
{
    const ctn_webcall_options *o = &c->driver->options;
    ctn_err err = {0};
    int rc = o->policy(o->policy_ctx, c->ask.url.host, &c->policy, &err);
    if (rc)
        fail(c, CTN_FAILURE_DENIED, false, ctn_str_from(err.message));
    return rc;
}

static ctn_failure failure_of_end(const ctn_http_end *end)
{
    switch (end->code) {
    case CTN_E_INVALID: return CTN_FAILURE_INVALID_INPUT;
    case CTN_E_DENIED: return CTN_FAILURE_DENIED;
    case CTN_E_LIMIT: return CTN_FAILURE_LIMIT;
    case CTN_E_TIMEOUT: return CTN_FAILURE_TIMEOUT;
    default: return end->was_sent ? CTN_FAILURE_TRANSPORT : CTN_FAILURE_UNAVAILABLE;
    }
}

/* ---- answers ---- */

static bool is_success(const web_call *c)
{
    return ctn_http_call_is_success(ctn_json_member_of(c->detail, "success"), c->status);
}

static void fail_too_large(web_call *c)
{
    fail(c, CTN_FAILURE_LIMIT, true,
         ctn_arena_printf(c->arena, "its answer has more than the %zu bytes that are taken", c->bytes_left));
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    web_call *c = ctx;
    c->status = head->status;
    c->type = ctn_arena_str(c->arena, head->content_type);
    c->has_retry_after = ctn_http_header_of(head, "Retry-After").len > 0;
    c->retry_after_ms = ctn_http_retry_after_ms(head, ctn_loop_now_ms(c->driver->options.loop));
    c->location = ctn_arena_str(c->arena, ctn_http_header_of(head, "Location"));
    if (!ctn_str_to_int64(ctn_http_header_of(head, "Content-Length"), &c->length))
        c->length = -1;
    bool reads_headers = c->next_said || ctn_str_is(ctn_json_str_or(c->detail, "result", (ctn_str){0}), "response");
    c->headers = reads_headers ? ctn_webcall_headers(c->arena, head) : NULL;
    c->links = c->next_said ? ctn_webcall_links(c->arena, head) : NULL;
    if (is_success(c) && strcmp(c->ask.method, "HEAD") != 0 && c->length > (int64_t) c->bytes_left)
        fail_too_large(c); /* it says so itself */
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    web_call *c = ctx;
    const ctn_call_sink *sink = &c->driver->options.sink;
    if (!is_success(c) && bytes.len > SAID_BYTES_MAX - c->body.len)
        bytes.len = SAID_BYTES_MAX - c->body.len;
    ctn_buf_append(&c->body, bytes);
    if (is_success(c) && (c->body.overflowed || c->body.len > c->bytes_left)) {
        fail_too_large(c);
        return;
    }
    if (!sink->progress || c->body.len < c->told_bytes + PROGRESS_BYTES)
        return;
    c->told_bytes = c->body.len;
    sink->progress(sink->ctx, c->token, (double) c->body.len, (double) c->length, (ctn_str){0});
}

/* What people wrote about it, in a line. */
static ctn_str said_by_peer(web_call *c)
{
    ctn_str body = ctn_buf_str(&c->body);
    size_t len = body.len < CTN_WEBCALL_SAID_BYTES_MAX ? body.len : CTN_WEBCALL_SAID_BYTES_MAX;
    while (len && len < body.len && ((unsigned char) body.ptr[len] & 0xC0) == 0x80)
        len--;
    ctn_str text = ctn_str_trim(ctn_text_clean(c->arena, ctn_text_harmless(c->arena, (ctn_str){body.ptr, len}), 0));
    return ctn_arena_printf(c->arena, "answered %d%s%.*s%s", c->status, text.len ? ": " : "", CTN_STR_ARG(text),
                            len < body.len ? "..." : "");
}

/* Elsewhere, if it may be: the URL is the next hop's then. False: it is not followed. */
static bool take_redirect(web_call *c)
{
    bool is_one = c->status == 301 || c->status == 302 || c->status == 303 || c->status == 307 || c->status == 308;
    ctn_str address;
    ctn_url url;
    if (!is_one || !c->ask.is_safe || !c->redirects_left || !c->location.len ||
        ctn_url_resolve(c->arena, c->ask.url.text, c->location, &address, NULL) ||
        ctn_url_read(c->arena, address, &url, NULL) || (c->ask.url.is_https && !url.is_https))
        return false;
    bool is_elsewhere = !ctn_str_equal(ctn_url_origin_of(c->arena, &url), ctn_url_origin_of(c->arena, &c->ask.url));
    size_t kept = 0;
    for (size_t i = 0; i < c->ask.header_count; i++)
        if (!is_elsewhere || !c->ask.headers[i].is_secret)
            c->ask.headers[kept++] = c->ask.headers[i];
    c->ask.header_count = kept;
    c->ask.url = url;
    c->redirects_left--;
    return true;
}

/* What the call gives of this answer. */
static const ctn_json *result_of(const web_call *c, const ctn_json *body)
{
    if (!ctn_str_is(ctn_json_str_or(c->detail, "result", (ctn_str){0}), "response"))
        return body;
    ctn_json_builder b = ctn_json_object(c->arena);
    ctn_json_put_int(&b, "status", c->status);
    ctn_json_put(&b, CTN_STR("headers"), c->headers);
    ctn_json_put(&b, CTN_STR("body"), body);
    return ctn_json_finish(&b);
}

static void fail_answer(web_call *c, ctn_failure failure, const ctn_err *err)
{
    fail(c, failure, true, ctn_arena_printf(c->arena, "page %u: %s", c->page, err->message));
}

/* A page came: another is asked for, or it was the last. */
static void take_page(web_call *c, const ctn_json *body)
{
    ctn_err err = {0};
    ctn_url url;
    bool is_last = false;
    ctn_webcall_page page = {
        .body = body, .headers = c->headers, .links = c->links, .status = c->status, .number = c->page};
    ctn_failure failure = CTN_FAILURE_NONE;
    if (c->items_said.len)
        failure = ctn_webcall_items(c->arena, c->items_said, &page, &c->results, &err);
    else
        ctn_json_push(&c->results, result_of(c, body));
    if (!failure)
        failure = ctn_webcall_next(c->arena, c->next_said, &c->ask.url, &page, &is_last, &url, &err);
    if (failure) {
        fail_answer(c, failure, &err);
        return;
    }
    if (is_last) {
        tell(c, &(ctn_call_result){.value = ctn_json_finish(&c->results), .was_sent = true});
        return;
    }
    uint32_t known = c->seen.count;
    if (ctn_names_add(&c->seen, url.text) < known) {
        (void) ctn_fail(&err, CTN_E_INVALID, "what 'next' gave leads back to a page that was read");
        fail_answer(c, CTN_FAILURE_INVALID_OUTPUT, &err);
        return;
    }
    if (c->page >= c->page_max) {
        (void) ctn_fail(&err, CTN_E_LIMIT, "there are more pages than the %u that 'pageLimit' allows", c->page_max);
        fail_answer(c, CTN_FAILURE_LIMIT, &err);
        return;
    }
    c->page++;
    c->ask.url = url;
    c->redirects_left = REDIRECTS_MAX;
    c->bytes_left -= c->body.len;
    send(c);
}

static void take_success(web_call *c)
{
    ctn_err err = {0};
    const ctn_json *value = NULL, *accept = ctn_json_member_of(c->detail, "accept");
    ctn_str body = ctn_buf_str(&c->body);
    if (body.len && !ctn_webcall_is_accepted(accept, c->type)) {
        ctn_str type = c->type.len ? ctn_text_clean(c->arena, c->type, 80) : CTN_STR("no type");
        fail(c, CTN_FAILURE_INVALID_OUTPUT, true,
             ctn_arena_printf(c->arena, "its answer is of %.*s, which 'accept' does not name", CTN_STR_ARG(type)));
    } else if (ctn_webcall_value(c->arena, c->type, body, &value, &err)) {
        fail(c, CTN_FAILURE_INVALID_OUTPUT, true, ctn_str_from(err.message));
    } else if (c->next_said) {
        take_page(c, value);
    } else {
        tell(c, &(ctn_call_result){.value = result_of(c, value), .was_sent = true});
    }
}

/* Its time, and not merely that of a silence. */
static bool is_over(const web_call *c)
{
    return c->end_at_ms && ctn_loop_now_ms(c->driver->options.loop) >= c->end_at_ms;
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    web_call *c = ctx;
    c->http = NULL; /* it is gone after this */
    if (end->has_head && !is_success(c) && (end->code == CTN_OK || end->code == CTN_E_LIMIT)) {
        /* Refused; how long it is about that does not matter. */
        if (take_redirect(c))
            send(c);
        else
            fail(c, ctn_webcall_failure_of(c->status, c->has_retry_after), true, said_by_peer(c));
    } else if (end->code == CTN_E_LIMIT) {
        fail_too_large(c);
    } else if (end->code == CTN_E_TIMEOUT && is_over(c)) {
        fail(c, CTN_FAILURE_TIMEOUT, end->was_sent,
             ctn_arena_printf(c->arena, "no whole answer within %lld ms", (long long) c->timeout_ms));
    } else if (end->code) {
        fail(c, failure_of_end(end), end->was_sent, ctn_arena_str(c->arena, ctn_str_from(end->why)));
    } else {
        take_success(c);
    }
}

static void send(web_call *c)
{
    const ctn_webcall_options *o = &c->driver->options;
    int64_t left_ms = c->end_at_ms ? c->end_at_ms - ctn_loop_now_ms(o->loop) : 0;
    if (ask_policy(c))
        return;
    if (c->end_at_ms && left_ms <= 0) {
        fail(c, CTN_FAILURE_TIMEOUT, c->page > 1,
             ctn_arena_printf(c->arena, "no whole answer within %lld ms", (long long) c->timeout_ms));
        return;
    }
    ctn_buf_done(&c->body);
    ctn_buf_init(&c->body, c->bytes_left > SAID_BYTES_MAX ? c->bytes_left : SAID_BYTES_MAX);
    c->body.may_lack = true;
    c->told_bytes = 0;
    c->status = 0;
    c->retry_after_ms = 0;
    ctn_http_request request = {
        .method = c->ask.method,
        .url = c->ask.url.text,
        .headers = c->ask.headers,
        .header_count = c->ask.header_count,
        .body = c->ask.body,
        .policy = &c->policy,
        .timeout_ms = left_ms,
        .silence_timeout_ms = c->idle_timeout_ms,
        .body_bytes_max = c->bytes_left > SAID_BYTES_MAX ? c->bytes_left : SAID_BYTES_MAX,
        .events = {.head = on_head, .bytes = on_bytes, .ended = on_ended, .ctx = c},
    };
    c->http = ctn_http_send(o->http, &request);
}

/* ---- the driver ---- */

static void read_pages(web_call *c)
{
    c->next_said = ctn_json_member_of(c->detail, "next");
    c->items_said = ctn_json_str_or(c->detail, "items", (ctn_str){0});
    c->page = 1;
    c->page_max = (uint32_t) ctn_json_int_or(c->detail, "pageLimit", PAGES_DEFAULT_MAX);
    c->results = ctn_json_array(c->arena);
    ctn_names_init(&c->seen, c->arena);
}

static void begin(void *ctx, const ctn_call_request *request)
{
    ctn_webcall_driver *driver = ctx;
    const ctn_webcall_options *o = &driver->options;
    web_call *c = ctn_malloc(sizeof *c);
    int64_t now_ms = ctn_loop_now_ms(o->loop);
    *c = (web_call){.driver = driver,
                    .next = driver->calls,
                    .arena = ctn_arena_new(4096),
                    .token = request->token,
                    .timeout_ms = request->timeout_ms,
                    .idle_timeout_ms = request->idle_timeout_ms,
                    .redirects_left = REDIRECTS_MAX};
    if (driver->calls)
        driver->calls->previous = c;
    driver->calls = c;
    ctn_token_map_put(&driver->tokens, c->token, c);
    ctn_buf_init(&c->body, 1);
    c->detail = ctn_json_copy(c->arena, request->args);
    c->end_at_ms = request->timeout_ms ? now_ms + request->timeout_ms : request->deadline_ms;
    if (!c->timeout_ms && c->end_at_ms)
        c->timeout_ms = c->end_at_ms > now_ms ? c->end_at_ms - now_ms : 1;
    int64_t bytes = ctn_json_int_or(c->detail, "bodyBytes", (int64_t) o->body_bytes_max);
    c->bytes_left = (size_t) bytes < o->body_bytes_max ? (size_t) bytes : o->body_bytes_max;
    read_pages(c);
    ctn_err err = {0};
    if (ctn_webcall_ask_of(c->arena, c->detail,
                           &(ctn_webcall_said){.key = ctn_arena_str(c->arena, request->idempotency_key),
                                               .traceparent = ctn_arena_str(c->arena, request->traceparent)},
                           &c->ask, &err)) {
        fail(c, CTN_FAILURE_INVALID_INPUT, false, ctn_arena_str(c->arena, ctn_str_from(err.message)));
        return;
    }
    (void) ctn_names_add(&c->seen, c->ask.url.text);
    send(c);
}

static void cancel(void *ctx, uint64_t token)
{
    ctn_webcall_driver *driver = ctx;
    web_call *c = ctn_token_map_get(&driver->tokens, token);
    if (c)
        free_call(c);
}

/* What was sent may lie somewhere on the way, or in a queue behind the peer: settleMs says for how long. */
static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

ctn_webcall_driver *ctn_webcall_driver_new(const ctn_webcall_options *options)
{
    assert(options->policy && options->body_bytes_max > 0);
    ctn_webcall_driver *driver = ctn_malloc(sizeof *driver);
    *driver = (ctn_webcall_driver){.options = *options};
    return driver;
}

void ctn_webcall_driver_free(ctn_webcall_driver *driver)
{
    if (!driver)
        return;
    while (driver->calls)
        free_call(driver->calls);
    ctn_token_map_done(&driver->tokens);
    free(driver);
}

ctn_driver ctn_webcall_driver_interface(ctn_webcall_driver *driver)
{
    return (ctn_driver){
        .kind = "http", .ctx = driver, .begin = begin, .cancel = cancel, .may_still_arrive = may_still_arrive};
}
