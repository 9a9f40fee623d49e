/*
 * fetch.c -- see fetch.h.
 */
#include "oauth/fetch.h"
#include "base/memory.h"
#include <stdlib.h>

enum {
    DOCUMENT_BYTES_MAX = 256 * 1024,
    CHALLENGE_BYTES_MAX = 8 * 1024,
    DEPTH_MAX = 32,
    REDIRECTS_MAX = 3,
    LIMIT_MS = 30000,
};

struct ctn_fetch {
    ctn_http_call *call;
    ctn_arena *arena;
    ctn_buf body;
    ctn_fetch_fn *done;
    void *ctx;
    ctn_fetch_answer answer;
};

static void free_fetch(ctn_fetch *f)
{
    if (f->body.data)
        explicit_bzero(f->body.data, f->body.len); /* it may be a token */
    ctn_buf_done(&f->body);
    ctn_arena_free(f->arena);
    free(f);
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    ctn_fetch *f = ctx;
    ctn_fetch_answer *a = &f->answer;
    a->status = head->status;
    for (size_t i = 0; i < head->header_count; i++) {
        const ctn_http_header *h = &head->headers[i];
        if (ctn_str_equal_any_case(h->name, CTN_STR("WWW-Authenticate")) && a->challenge_count < 8 &&
            h->value.len <= CHALLENGE_BYTES_MAX)
            a->challenges[a->challenge_count++] = ctn_arena_str(f->arena, h->value);
    }
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    ctn_fetch *f = ctx;
    ctn_buf_append(&f->body, bytes);
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    ctn_fetch *f = ctx;
    ctn_json_options options = {.depth_max = DEPTH_MAX, .bytes_max = DOCUMENT_BYTES_MAX, .reject_duplicates = true};
    f->call = NULL;
    f->answer.code = end->code;
    f->answer.why = end->why;
    f->answer.status = end->status;
    const ctn_json *document = NULL;
    if (end->code == CTN_OK && !f->body.overflowed &&
        ctn_json_parse(f->arena, ctn_buf_str(&f->body), &options, &document, NULL) == CTN_OK &&
        ctn_json_is(document, CTN_JSON_OBJECT))
        f->answer.document = document;
    f->done(f->ctx, &f->answer);
    free_fetch(f);
}

ctn_fetch *ctn_fetch_new(ctn_http *http, const ctn_fetch_request *request, ctn_fetch_fn *done, void *ctx)
{
    ctn_fetch *f = ctn_malloc(sizeof *f);
    *f = (ctn_fetch){.arena = ctn_arena_new(2048), .done = done, .ctx = ctx};
    ctn_buf_init(&f->body, DOCUMENT_BYTES_MAX);
    ctn_http_header headers[3] = {
        {CTN_STR("Accept"), ctn_str_from(request->accept ? request->accept : "application/json"), false}};
    size_t count = 1;
    if (request->body.ptr)
        headers[count++] = (ctn_http_header){CTN_STR("Content-Type"), ctn_str_from(request->body_type), false};
    if (request->authorization.len)
        headers[count++] = (ctn_http_header){CTN_STR("Authorization"), request->authorization, true};
    ctn_http_request http_request = {
        .method = request->body.ptr ? "POST" : "GET",
        .url = request->url,
        .headers = headers,
        .header_count = count,
        .body = request->body,
        .policy = request->policy,
        .timeout_ms = LIMIT_MS,
        .body_bytes_max = DOCUMENT_BYTES_MAX,
        .redirects_max = request->body.ptr ? 0 : REDIRECTS_MAX,
        .events = {.head = on_head, .bytes = on_bytes, .ended = on_ended, .ctx = f},
    };
    f->call = ctn_http_send(http, &http_request);
    return f;
}

void ctn_fetch_cancel(ctn_fetch *f)
{
    if (!f)
        return;
    if (f->call)
        ctn_http_call_cancel(f->call);
    free_fetch(f);
}
