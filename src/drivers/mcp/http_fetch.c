/*
 * http_fetch.c -- see http_fetch.h.
 *
 * What must hold: `ended` is told once, unless the fetch was cancelled; whoever answers decides neither how much is
 * kept of what he says (a message, a refusal, an id of events: each has its limit) nor how long a stream stays open
 * after its answer.
 */
#include "drivers/mcp/http_fetch.h"
#include <stdlib.h>
#include "base/memory.h"
#include "wire/sse.h"

#define LINGER_MS   2000 /* a stream that was to end after its answer is closed then */
#define STATUS_GOOD 2    /* hundreds */

typedef enum packing {
    UNKNOWN, /* of no type that messages come in, or nothing */
    ONE,     /* application/json */
    STREAM,  /* text/event-stream */
    REFUSAL, /* no 2xx: whatever it is, it is for the caller to judge */
} packing;

struct ctn_mcp_fetch {
    ctn_mcp_fetch_options options;
    ctn_http_call *call;
    packing packing;
    ctn_buf body; /* ONE, REFUSAL */
    ctn_sse sse;  /* STREAM */
    char type[80];
    ctn_timer *linger; /* once the answer is there */
    bool is_too_large;
    bool has_message;
    bool is_telling, is_cancelled; /* by whoever was being told */
};

static void free_fetch(ctn_mcp_fetch *x)
{
    ctn_timer_free(x->linger);
    ctn_buf_done(&x->body);
    ctn_sse_done(&x->sse);
    free(x);
}

static void tell_end(ctn_mcp_fetch *x, ctn_mcp_fetch_end end)
{
    x->options.events.ended(x->options.events.ctx, &end);
    free_fetch(x);
}

static void on_linger(void *ctx)
{
    ctn_mcp_fetch *x = ctx;
    ctn_http_call_cancel(x->call);
    tell_end(x, (ctn_mcp_fetch_end){.why = "", .was_sent = true, .is_stream = true, .has_message = true});
}

/* The first message that was waited for; others may follow it, and are told too. */
static void tell_message(ctn_mcp_fetch *x, ctn_str text)
{
    x->is_telling = true;
    bool is_awaited = x->options.events.message(x->options.events.ctx, text);
    x->is_telling = false;
    if (!is_awaited || x->has_message || x->is_cancelled)
        return;
    x->has_message = true;
    if (x->packing != STREAM)
        return;
    x->linger = ctn_timer_new(x->options.loop, on_linger, x);
    ctn_timer_set(x->linger, ctn_loop_now_ms(x->options.loop) + LINGER_MS);
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    ctn_mcp_fetch *x = ctx;
    if (head->status / 100 != STATUS_GOOD) {
        x->packing = REFUSAL;
        x->body.limit_bytes = CTN_MCP_REFUSAL_BYTES_MAX;
    } else if (ctn_str_is(head->content_type, "application/json")) {
        x->packing = ONE;
    } else if (ctn_str_is(head->content_type, "text/event-stream")) {
        x->packing = STREAM;
    }
    size_t len = head->content_type.len < sizeof x->type ? head->content_type.len : sizeof x->type - 1;
    if (len)
        memcpy(x->type, head->content_type.ptr, len);
    if (x->options.events.head)
        x->options.events.head(x->options.events.ctx, head);
}

static void read_events(ctn_mcp_fetch *x, ctn_str bytes)
{
    ctn_sse_event event;
    while (!x->is_cancelled && ctn_sse_next(&x->sse, &bytes, &event))
        if (event.data.len && ctn_str_is(event.type, "message")) /* an empty one is a point to resume from */
            tell_message(x, event.data);
    x->is_too_large = x->sse.is_too_large;
}

static void too_large(ctn_mcp_fetch *x)
{
    ctn_http_call_cancel(x->call);
    tell_end(x, (ctn_mcp_fetch_end){.code = CTN_E_LIMIT,
                                    .why = "a message that is larger than is read",
                                    .was_sent = true,
                                    .is_stream = x->packing == STREAM,
                                    .has_message = x->has_message});
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    ctn_mcp_fetch *x = ctx;
    switch (x->packing) {
    case UNKNOWN: break;
    case ONE:
        ctn_buf_append(&x->body, bytes);
        x->is_too_large = x->body.overflowed;
        break;
    case STREAM: read_events(x, bytes); break;
    case REFUSAL:
        if (bytes.len > CTN_MCP_REFUSAL_BYTES_MAX - x->body.len)
            bytes.len = CTN_MCP_REFUSAL_BYTES_MAX - x->body.len;
        ctn_buf_append(&x->body, bytes);
        break;
    }
    if (x->is_cancelled)
        free_fetch(x);
    else if (x->is_too_large)
        too_large(x);
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    ctn_mcp_fetch *x = ctx;
    x->call = NULL; /* it is gone after this */
    if (end->code == CTN_OK && x->packing == ONE)
        tell_message(x, ctn_buf_str(&x->body));
    if (x->is_cancelled) {
        free_fetch(x);
        return;
    }
    bool is_stream = x->packing == STREAM;
    ctn_str id = is_stream ? ctn_buf_str(&x->sse.id) : (ctn_str){0};
    tell_end(x, (ctn_mcp_fetch_end){
                    .code = end->code,
                    .why = end->why,
                    .was_sent = end->was_sent,
                    .status = end->status,
                    .is_stream = is_stream,
                    .has_message = x->has_message,
                    .type = ctn_str_from(x->type),
                    .body = x->packing == REFUSAL ? ctn_buf_str(&x->body) : (ctn_str){0},
                    .event_id = id.len <= CTN_MCP_EVENT_ID_BYTES_MAX ? id : (ctn_str){0},
                    .retry_ms = is_stream ? x->sse.retry_ms : -1,
                });
}

ctn_mcp_fetch *ctn_mcp_fetch_send(const ctn_mcp_fetch_options *options)
{
    ctn_mcp_fetch *x = ctn_malloc(sizeof *x);
    *x = (ctn_mcp_fetch){.options = *options};
    ctn_buf_init(&x->body, options->message_bytes_max);
    x->body.may_lack = true;
    ctn_sse_init(&x->sse, options->message_bytes_max);
    ctn_http_request request = options->request;
    request.body_bytes_max = SIZE_MAX / 2; /* a stream may be long: its messages are limited one by one */
    request.events = (ctn_http_events){.head = on_head, .bytes = on_bytes, .ended = on_ended, .ctx = x};
    x->call = ctn_http_send(options->http, &request);
    return x;
}

void ctn_mcp_fetch_cancel(ctn_mcp_fetch *fetch)
{
    if (!fetch || fetch->is_cancelled)
        return;
    if (fetch->call)
        ctn_http_call_cancel(fetch->call);
    fetch->is_cancelled = true;
    if (!fetch->is_telling)
        free_fetch(fetch);
}
