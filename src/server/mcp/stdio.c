/*
 * stdio.c -- see stdio.h.
 */
#include "server/mcp/stdio.h"
#include <stdlib.h>
#include "base/memory.h"
#include "wire/jsonrpc.h"

#define DRAIN_MS 1000

struct ctn_mcp_stdio {
    ctn_loop *loop;
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_channel channel;
    ctn_stream *in, *out;
    ctn_timer *timer; /* the time for what is under way at the end of the input */
    bool is_draining, has_ended;
    void (*ended)(void *ctx);
    void *ctx;
};

static void end(void *ctx)
{
    ctn_mcp_stdio *s = ctx;
    if (s->has_ended)
        return;
    s->has_ended = true;
    ctn_timer_clear(s->timer);
    ctn_mcp_endpoint_channel_gone(s->endpoint, &s->channel);
    s->ended(s->ctx);
}

/* The stream takes all of a turn in one write: two calls are no two writes. */
static void send_line(ctn_mcp_channel *channel, ctn_str message)
{
    ctn_mcp_stdio *s = channel->ctx;
    if (!message.len || s->has_ended)
        return;
    if (!ctn_stream_write(s->out, message) || !ctn_stream_write(s->out, CTN_STR("\n")))
        ctn_timer_set(s->timer, 0); /* it does not read: it is let go, but not from inside */
}

static void answer_line(ctn_mcp_channel *channel, int http_status, ctn_str message)
{
    ctn_mcp_stdio *s = channel->ctx;
    (void) http_status;
    send_line(channel, message);
    if (s->is_draining && ctn_mcp_endpoint_is_idle(s->endpoint))
        ctn_timer_set(s->timer, 0);
}

static void on_line(void *ctx, ctn_str line)
{
    ctn_mcp_stdio *s = ctx;
    line = ctn_str_trim(line);
    if (line.len && !s->has_ended)
        ctn_mcp_endpoint_take(s->endpoint, &s->channel, line, NULL);
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    ctn_mcp_stdio *s = ctx;
    ctn_buf out;
    (void) head;
    ctn_buf_init(&out, 1024);
    ctn_rpc_write_error(&out, NULL, CTN_RPC_INVALID_REQUEST, CTN_STR("the message is too long to be read"), NULL);
    send_line(&s->channel, ctn_str_trim(ctn_buf_str(&out)));
    ctn_buf_done(&out);
}

/* Nothing more will be asked. What was asked is answered, if that does not take long: `echo MESSAGE | catena mcp`. */
static void on_in_closed(void *ctx, int code, const char *why)
{
    ctn_mcp_stdio *s = ctx;
    (void) code, (void) why;
    s->is_draining = true;
    bool is_idle = ctn_mcp_endpoint_is_idle(s->endpoint);
    ctn_timer_set(s->timer, is_idle ? 0 : ctn_loop_now_ms(s->loop) + DRAIN_MS);
}

/* That nothing is said to us there is no end. */
static void on_out_closed(void *ctx, int code, const char *why)
{
    (void) why;
    if (code)
        end(ctx);
}

ctn_mcp_stdio *ctn_mcp_stdio_open(ctn_loop *loop, ctn_mcp_endpoint *endpoint, int fd_in, int fd_out,
                                  size_t line_bytes_max, void (*ended)(void *ctx), void *ctx)
{
    ctn_mcp_stdio *s = ctn_malloc(sizeof *s);
    *s = (ctn_mcp_stdio){.loop = loop,
                         .endpoint = endpoint,
                         .channel = {.ctx = s, .principal = CTN_STR("stdio"), .send = send_line, .answer = answer_line},
                         .ended = ended,
                         .ctx = ctx};
    s->timer = ctn_timer_new(loop, end, s);
    ctn_stream_events in = {.line = on_line,
                            .line_too_long = on_line_too_long,
                            .closed = on_in_closed,
                            .ctx = s,
                            .line_bytes_max = line_bytes_max};
    ctn_stream_events out = in; /* a socket or a terminal can be read, too: what comes there is meant for us as well */
    out.closed = on_out_closed;
    s->in = ctn_stream_open(loop, fd_in, &in);
    s->out = fd_out < 0 ? s->in : ctn_stream_open(loop, fd_out, &out);
    return s;
}

void ctn_mcp_stdio_close(ctn_mcp_stdio *s)
{
    if (!s)
        return;
    if (!s->has_ended)
        ctn_mcp_endpoint_channel_gone(s->endpoint, &s->channel);
    s->has_ended = true;
    ctn_timer_free(s->timer);
    if (s->out != s->in)
        ctn_stream_free(s->out);
    ctn_stream_free(s->in);
    free(s);
}
