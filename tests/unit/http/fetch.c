/* fetch.c -- see fetch.h. */
#include "fetch.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"

static void out_of_patience(void *ctx)
{
    fetch *f = ctx;
    f->is_out_of_patience = true;
    ctn_loop_stop(f->loop);
}

fetch *fetch_new(const ctn_http_options *options)
{
    fetch *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->loop = ctn_loop_new();
    ctn_http_options all = options ? *options : (ctn_http_options){0};
    all.loop = f->loop;
    f->http = ctn_http_new(&all);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    return f;
}

void fetch_free(fetch *f)
{
    ctn_http_free(f->http);
    ctn_timer_free(f->patience);
    ctn_loop_free(f->loop);
    free(f);
}

static void take_head(void *ctx, const ctn_http_head *head)
{
    fetched *got = ctx;
    got->heads++;
    got->status = head->status;
    snprintf(got->content_type, sizeof got->content_type, "%.*s", CTN_STR_ARG(head->content_type));
    snprintf(got->header, sizeof got->header, "%.*s", CTN_STR_ARG(ctn_http_header_of(head, "x-test")));
    if (got->cancels_at_head) {
        ctn_http_call_cancel(got->call);
        got->call = NULL;
        ctn_loop_stop(got->fetch->loop);
    }
}

static void take_bytes(void *ctx, ctn_str bytes)
{
    fetched *got = ctx;
    assert_true(got->heads > 0);
    ctn_buf_append(&got->body, bytes);
    if (got->cancels_at_bytes) {
        ctn_http_call_cancel(got->call);
        got->call = NULL;
        ctn_loop_stop(got->fetch->loop);
    }
}

static void take_end(void *ctx, const ctn_http_end *end)
{
    fetched *got = ctx;
    got->ends++;
    got->end = *end;
    got->call = NULL;
    snprintf(got->why, sizeof got->why, "%s", end->why);
    got->end.why = got->why;
    ctn_loop_stop(got->fetch->loop);
}

void fetch_send(fetch *f, fetched *ret_fetched, ctn_http_request request)
{
    ret_fetched->fetch = f;
    ctn_buf_init(&ret_fetched->body, 64 << 20);
    request.events = (ctn_http_events){.head = take_head, .bytes = take_bytes, .ended = take_end, .ctx = ret_fetched};
    ret_fetched->call = ctn_http_send(f->http, &request);
    assert_int_equal(ret_fetched->ends, 0);
}

void fetch_wait(fetch *f, fetched *all, size_t count)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + 10000);
    for (size_t i = 0; i < count; i++)
        while (all[i].ends == 0) {
            ctn_loop_run(f->loop);
            if (f->is_out_of_patience)
                fail_msg("request %zu of %zu did not end", i, count);
        }
    ctn_timer_clear(f->patience);
}

void fetch_run_for(fetch *f, int64_t ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + ms);
    while (!f->is_out_of_patience)
        ctn_loop_run(f->loop);
    f->is_out_of_patience = false;
}

void fetched_done(fetched *got)
{
    ctn_buf_done(&got->body);
}

fetched fetch_once(fetch *f, ctn_http_request request)
{
    fetched *got = calloc(1, sizeof *got);
    assert_non_null(got);
    fetch_send(f, got, request);
    fetch_wait(f, got, 1);
    fetched copy = *got;
    copy.end.why = NULL;
    free(got);
    return copy;
}

ctn_http_request request_of(const char *method, const char *url, const char *body)
{
    return (ctn_http_request){.method = method, .url = ctn_str_from(url), .body = ctn_str_from(body)};
}
