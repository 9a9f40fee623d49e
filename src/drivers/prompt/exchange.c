/*
 * exchange.c -- see exchange.h.
 */
#include "drivers/prompt/exchange.h"
#include "base/memory.h"
#include "wire/sse.h"
#include <stdlib.h>

#define LINGER_MS         1000
#define REFUSAL_BYTES_MAX 65536
#define STREAM_BYTES_MAX  ((size_t) 64 << 20) /* of all events, most of which is frame */

typedef enum packing { UNKNOWN, WHOLE, STREAM, REFUSAL } packing;

struct ctn_prompt_exchange {
    ctn_prompt_exchange_options options;
    ctn_http_call *call;
    packing packing;
    ctn_buf body; /* WHOLE, REFUSAL */
    ctn_sse sse;
    ctn_arena *scratch;
    ctn_timer *linger; /* once the answer is over */
    ctn_chat_answer answer;
    ctn_chat_trouble trouble;
    char type[80];
    int status;
    int64_t retry_after_ms;
};

static void free_exchange(ctn_prompt_exchange *x)
{
    ctn_timer_free(x->linger);
    ctn_buf_done(&x->body);
    ctn_sse_done(&x->sse);
    ctn_chat_answer_done(&x->answer);
    ctn_arena_free(x->scratch);
    free(x);
}

static void tell_end(ctn_prompt_exchange *x, int code, const char *why, bool was_sent)
{
    ctn_prompt_outcome outcome = {
        .code = code,
        .why = why,
        .was_sent = was_sent,
        .status = x->status,
        .is_readable = x->packing == WHOLE || x->packing == STREAM,
        .type = x->type,
        .retry_after_ms = x->retry_after_ms,
        .answer = &x->answer,
        .trouble = x->packing == REFUSAL ? &x->trouble : &x->answer.trouble,
    };
    x->options.ended(x->options.ctx, &outcome);
    free_exchange(x);
}

static void on_linger(void *ctx)
{
    ctn_prompt_exchange *x = ctx;
    ctn_http_call_cancel(x->call);
    tell_end(x, CTN_OK, "", true);
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    ctn_prompt_exchange *x = ctx;
    x->status = head->status;
    x->retry_after_ms = ctn_http_retry_after_ms(head, ctn_loop_now_ms(x->options.loop));
    if (head->status / 100 != 2) {
        x->packing = REFUSAL;
        x->body.limit_bytes = REFUSAL_BYTES_MAX;
    } else if (ctn_str_is(head->content_type, "text/event-stream")) {
        x->packing = STREAM;
    } else if (ctn_str_is(head->content_type, "application/json")) {
        x->packing = WHOLE;
    }
    size_t len = head->content_type.len < sizeof x->type ? head->content_type.len : sizeof x->type - 1;
    if (len)
        memcpy(x->type, head->content_type.ptr, len);
}

/* False: the exchange is gone. */
static bool read_events(ctn_prompt_exchange *x, ctn_str bytes)
{
    ctn_sse_event event;
    bool goes_on = true;
    while (goes_on && ctn_sse_next(&x->sse, &bytes, &event)) {
        goes_on = ctn_chat_read_event(x->options.api, &x->answer, x->scratch, event.data);
        ctn_arena_reset(x->scratch);
    }
    if (x->sse.is_too_large || x->answer.text.overflowed) {
        ctn_http_call_cancel(x->call);
        tell_end(x, CTN_E_LIMIT, "the answer is larger than is read", true);
        return false;
    }
    if (goes_on)
        return true;
    x->linger = ctn_timer_new(x->options.loop, on_linger, x);
    ctn_timer_set(x->linger, ctn_loop_now_ms(x->options.loop) + LINGER_MS);
    return true;
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    ctn_prompt_exchange *x = ctx;
    switch (x->packing) {
    case UNKNOWN: break;
    case STREAM:
        if (!x->linger && read_events(x, bytes) && x->options.came && !x->linger)
            x->options.came(x->options.ctx, x->answer.pieces);
        break;
    case WHOLE: ctn_buf_append(&x->body, bytes); break;
    case REFUSAL:
        if (bytes.len > REFUSAL_BYTES_MAX - x->body.len)
            bytes.len = REFUSAL_BYTES_MAX - x->body.len;
        ctn_buf_append(&x->body, bytes);
        break;
    }
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    ctn_prompt_exchange *x = ctx;
    int code = end->code;
    const char *why = end->why;
    x->call = NULL; /* it is gone after this */
    if (x->packing == REFUSAL)
        ctn_chat_read_trouble(x->scratch, ctn_buf_str(&x->body), &x->trouble);
    if (x->packing == WHOLE && code == CTN_OK && !x->body.overflowed)
        ctn_chat_read_whole(x->options.api, &x->answer, x->scratch, ctn_buf_str(&x->body));
    if (x->body.overflowed || x->answer.text.overflowed) {
        code = CTN_E_LIMIT;
        why = "the answer is larger than is read";
    } else if (x->linger) { /* whatever the connection came to, the answer is there */
        code = CTN_OK;
        why = "";
    }
    tell_end(x, code, why, end->was_sent);
}

ctn_prompt_exchange *ctn_prompt_exchange_send(const ctn_prompt_exchange_options *options)
{
    ctn_prompt_exchange *x = ctn_malloc(sizeof *x);
    *x = (ctn_prompt_exchange){.options = *options, .scratch = ctn_arena_new(4096)};
    size_t bytes_max = options->answer_bytes_max;
    ctn_chat_answer_init(&x->answer, bytes_max);
    ctn_buf_init(&x->body, 8 * bytes_max); /* JSON in JSON: what is escaped twice takes more */
    ctn_sse_init(&x->sse, 8 * bytes_max);
    x->body.may_lack = true;
    ctn_http_request request = options->request;
    request.body_bytes_max = STREAM_BYTES_MAX;
    request.events = (ctn_http_events){.head = on_head, .bytes = on_bytes, .ended = on_ended, .ctx = x};
    x->call = ctn_http_send(options->http, &request);
    return x;
}

void ctn_prompt_exchange_cancel(ctn_prompt_exchange *exchange)
{
    if (!exchange)
        return;
    if (exchange->call)
        ctn_http_call_cancel(exchange->call);
    free_exchange(exchange);
}
