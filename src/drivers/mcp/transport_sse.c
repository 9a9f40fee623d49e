/*
 * transport_sse.c -- HTTP with SSE, the transport of 2024-11-05: one stream on which everything comes, and an address
 * for what goes out.
 *
 * The stream's first event names the address (`endpoint`); what is sent before that waits. The address must be of the
 * same origin as the URL: whoever answers there is given our headers. The end of the stream is the end of the
 * transport: what is open is lost, and nobody knows its fate, for the server runs on.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "drivers/mcp/http_headers.h"
#include "drivers/mcp/leave.h"
#include "wire/sse.h"

#define REDIRECTS_MAX     3
#define QUEUE_BYTES_MAX   ((size_t) 1 << 20) /* of what waits for the address */
#define ADDRESS_BYTES_MAX 4096

typedef struct sse_transport sse_transport;

typedef struct sse_post {
    struct sse_post *next, *previous;
    sse_transport *transport;
    int64_t id;
    ctn_http_call *call; /* NULL: it waits for the address */
    int status;
    size_t line_len;
    char line[];
} sse_post;

struct sse_transport {
    ctn_mcp_transport base;
    ctn_mcp_http_options options;
    ctn_arena *arena;
    ctn_str url, address; /* address: empty until the stream has named it */
    ctn_mcp_own_headers own;
    ctn_mcp_leave leave; /* of the stream; its token goes with what is posted too */
    ctn_http_call *stream;
    ctn_sse sse;
    int status;
    char type[80];
    sse_post *first, *last;
    size_t queued_bytes;
    ctn_timer *end_timer;
    bool is_ended;
    char why[300]; /* of the end */
};

/* ---- posts ---- */

static void free_post(sse_post *p)
{
    sse_transport *t = p->transport;
    if (p->previous)
        p->previous->next = p->next;
    else
        t->first = p->next;
    if (p->next)
        p->next->previous = p->previous;
    else
        t->last = p->previous;
    if (p->call)
        ctn_http_call_cancel(p->call);
    free(p);
}

static void on_post_head(void *ctx, const ctn_http_head *head)
{
    sse_post *p = ctx;
    p->status = head->status;
}

/* 202 says that it was taken; the answer comes on the stream. */
static void on_post_ended(void *ctx, const ctn_http_end *end)
{
    sse_post *p = ctx;
    const sse_transport *t = p->transport;
    char why[400];
    bool is_taken = end->code == CTN_OK && p->status / 100 == 2;
    if (end->code)
        (void) snprintf(why, sizeof why, "%s", end->why);
    else
        (void) snprintf(why, sizeof why, "the server answers HTTP %d", p->status);
    ctn_mcp_loss loss = {.why = why, .was_sent = end->was_sent, .status = p->status};
    int64_t id = p->id;
    p->call = NULL;
    free_post(p);
    if (!is_taken && id)
        t->base.events.lost(t->base.events.ctx, id, &loss);
}

static void send_post(sse_post *p)
{
    sse_transport *t = p->transport;
    ctn_mcp_header_list list = {.count = 0};
    ctn_mcp_header_add(&list, "Content-Type", CTN_STR("application/json"));
    ctn_mcp_header_add_own(&list, &t->own);
    ctn_mcp_leave_add(&t->leave, &list);
    ctn_http_request request = {
        .method = "POST",
        .url = t->address,
        .headers = list.items,
        .header_count = list.count,
        .body = {p->line, p->line_len},
        .policy = t->options.policy,
        .redirects_max = REDIRECTS_MAX,
        .events = {.head = on_post_head, .ended = on_post_ended, .ctx = p},
    };
    p->call = ctn_http_send(t->options.http, &request);
}

/* ---- the stream ---- */

/* Told by the timer: never from inside an event of ours. */
static void end_for(sse_transport *t, const char *why)
{
    if (t->is_ended)
        return;
    t->is_ended = true;
    (void) snprintf(t->why, sizeof t->why, "%s", why);
    ctn_timer_set(t->end_timer, 0);
}

static void close_all(sse_transport *t)
{
    if (t->stream)
        ctn_http_call_cancel(t->stream);
    t->stream = NULL;
    ctn_mcp_leave_done(&t->leave);
    for (sse_post *p = t->first, *next; p; p = next) {
        next = p->next;
        free_post(p);
    }
}

static void tell_ended(void *ctx)
{
    sse_transport *t = ctx;
    close_all(t);
    t->base.events.ended(t->base.events.ctx, t->why, false);
}

static void take_address(sse_transport *t, ctn_str reference)
{
    ctn_str address, ours, theirs;
    ctn_err err = {0};
    if (t->address.len) /* it is named once */
        return;
    if (reference.len > ADDRESS_BYTES_MAX || ctn_url_resolve(t->arena, t->url, reference, &address, &err) ||
        ctn_url_origin(t->arena, address, &theirs, &err) || ctn_url_origin(t->arena, t->url, &ours, &err) ||
        !ctn_str_equal(ours, theirs)) {
        end_for(t, "its stream names an address of another origin, or none, to send messages to");
        return;
    }
    t->address = address;
    t->queued_bytes = 0;
    for (sse_post *p = t->first; p; p = p->next)
        send_post(p);
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    sse_transport *t = ctx;
    ctn_mcp_leave_read(&t->leave, head);
    t->status = head->status;
    (void) snprintf(t->type, sizeof t->type, "%.*s", CTN_STR_ARG(head->content_type));
}

static bool is_stream(const sse_transport *t)
{
    return t->status == 200 && strcmp(t->type, "text/event-stream") == 0;
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    sse_transport *t = ctx;
    ctn_sse_event event;
    while (is_stream(t) && !t->is_ended && ctn_sse_next(&t->sse, &bytes, &event)) {
        if (ctn_str_is(event.type, "endpoint"))
            take_address(t, event.data);
        else if (ctn_str_is(event.type, "message") && event.data.len)
            (void) t->base.events.message(t->base.events.ctx, &(ctn_mcp_arrival){.text = event.data});
    }
    /* What it answers is not known; the stream goes on behind it in no way that can be read. */
    if (t->sse.is_too_large)
        end_for(t, "it sent a message that is larger than is read of one");
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    sse_transport *t = ctx;
    char why[300];
    t->stream = NULL;
    if (end->code == CTN_OK && ctn_mcp_leave_refused(&t->leave, t->status))
        return;
    if (end->code)
        (void) snprintf(why, sizeof why, "%s", end->why);
    else if (!is_stream(t))
        (void) snprintf(why, sizeof why, "the server answers HTTP %d%s%s, and no stream of events%s", t->status,
                        t->type[0] ? " with " : "", t->type, ctn_mcp_status_advice(t->status));
    else
        (void) snprintf(why, sizeof why, "its stream has ended");
    end_for(t, why);
}

static void on_denied(void *ctx, int code, const char *why)
{
    (void) code;
    end_for(ctx, why);
}

static void open_stream(void *ctx)
{
    sse_transport *t = ctx;
    ctn_mcp_header_list list = {.count = 0};
    ctn_mcp_header_add(&list, "Accept", CTN_STR("text/event-stream"));
    ctn_mcp_header_add_own(&list, &t->own);
    ctn_mcp_leave_add(&t->leave, &list);
    ctn_http_request request = {
        .method = "GET",
        .url = t->url,
        .headers = list.items,
        .header_count = list.count,
        .policy = t->options.policy,
        .body_bytes_max = SIZE_MAX / 2,
        .redirects_max = REDIRECTS_MAX,
        .events = {.head = on_head, .bytes = on_bytes, .ended = on_ended, .ctx = t},
    };
    t->stream = ctn_http_send(t->options.http, &request);
}

/* ---- the interface ---- */

static bool send_letter(ctn_mcp_transport *base, const ctn_mcp_letter *letter)
{
    sse_transport *t = (sse_transport *) base;
    if (t->is_ended || (!t->address.len && t->queued_bytes + letter->line.len > QUEUE_BYTES_MAX))
        return false;
    sse_post *p = ctn_malloc(sizeof *p + letter->line.len);
    *p = (sse_post){.transport = t, .id = letter->id, .line_len = letter->line.len, .previous = t->last};
    memcpy(p->line, letter->line.ptr, letter->line.len);
    if (t->last)
        t->last->next = p;
    else
        t->first = p;
    t->last = p;
    if (t->address.len)
        send_post(p);
    else
        t->queued_bytes += letter->line.len;
    return true;
}

static void end(ctn_mcp_transport *base)
{
    sse_transport *t = (sse_transport *) base;
    end_for(t, "it was ended");
}

static void free_transport(ctn_mcp_transport *base)
{
    sse_transport *t = (sse_transport *) base;
    close_all(t);
    ctn_timer_free(t->end_timer);
    ctn_sse_done(&t->sse);
    ctn_mcp_own_headers_done(&t->own);
    ctn_arena_free(t->arena);
    free(t);
}

int ctn_mcp_sse_new(const ctn_mcp_http_options *options, ctn_mcp_transport **ret_transport, ctn_err *err)
{
    static const ctn_mcp_transport_kind KIND = {
        .is_shared = true,
        .is_http = true,
        .send = send_letter,
        .end = end,
        .free = free_transport,
    };
    sse_transport *t = ctn_malloc(sizeof *t);
    *t = (sse_transport){
        .base = {.kind = &KIND, .events = options->events}, .options = *options, .arena = ctn_arena_new(512)};
    t->url = ctn_arena_str(t->arena, options->url);
    t->end_timer = ctn_timer_new(options->loop, tell_ended, t);
    ctn_sse_init(&t->sse, options->message_bytes_max);
    int rc = ctn_mcp_own_headers_read(&t->own, &options->headers, err);
    if (rc) {
        free_transport(&t->base);
        return rc;
    }
    t->leave = (ctn_mcp_leave){.auth = options->auth,
                               .loop = options->loop,
                               .arena = t->arena,
                               .events = {.given = open_stream, .denied = on_denied, .ctx = t}};
    ctn_mcp_leave_ask(&t->leave);
    *ret_transport = &t->base;
    return CTN_OK;
}
