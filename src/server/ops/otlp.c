/*
 * otlp.c -- see otlp.h.
 */
#include "server/ops/otlp.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/json.h"
#include "base/memory.h"

#define BATCH_MAX        512
#define BATCH_BYTES_MAX  ((size_t) 4 << 20)
#define GATHER_MS        2000
#define RETRY_FIRST_MS   1000
#define RETRY_MAX_MS     30000
#define REQUEST_LIMIT_MS 10000
#define ANSWER_BYTES_MAX 65536

typedef struct waiting {
    struct waiting *next;
    size_t len;
    char text[];
} waiting;

struct ctn_otlp {
    ctn_otlp_options of;
    ctn_http *http;
    ctn_timer *timer;
    waiting *first, *last;
    size_t count, bytes;
    size_t batch;         /* of the first ones: in the request under way, or to be sent again; 0: none */
    size_t batch_dropped; /* of these, how many were dropped meanwhile */
    ctn_http_call *call;  /* NULL: none under way */
    int64_t failing_since_ms, retry_after_ms;
    int64_t delay_ms;
    ctn_buf answer;
    ctn_otlp_figures figures;
};

/* ---- what waits ---- */

static void drop_first(ctn_otlp *o)
{
    waiting *w = o->first;
    o->first = w->next;
    if (!o->first)
        o->last = NULL;
    o->count--;
    o->bytes -= w->len;
    free(w);
}

/* Of those in the batch, which goes out whole or not at all. */
static void take_batch_off(ctn_otlp *o)
{
    for (size_t i = o->batch_dropped; i < o->batch; i++)
        drop_first(o);
    o->batch = o->batch_dropped = 0;
}

void ctn_otlp_add(ctn_otlp *o, ctn_str span)
{
    while (o->count && (o->count >= CTN_OTLP_WAITING_MAX || o->bytes + span.len > CTN_OTLP_BYTES_MAX)) {
        if (o->batch_dropped < o->batch)
            o->batch_dropped++;
        drop_first(o);
        o->figures.dropped++;
    }
    waiting *w = ctn_malloc(sizeof *w + span.len);
    *w = (waiting){.len = span.len};
    memcpy(w->text, span.ptr, span.len);
    if (o->last)
        o->last->next = w;
    else
        o->first = w;
    o->last = w;
    o->count++;
    o->bytes += span.len;
    if (o->count == 1)
        ctn_timer_set(o->timer, ctn_loop_now_ms(o->of.loop) + o->of.gather_ms);
    else if (o->count == BATCH_MAX && !o->call && !o->failing_since_ms)
        ctn_timer_set(o->timer, ctn_loop_now_ms(o->of.loop));
}

/* ---- a request ---- */

static void write_attribute(ctn_buf *out, const char *key, ctn_str value)
{
    ctn_buf_printf(out, "{\"key\":\"%s\",\"value\":{\"stringValue\":", key);
    ctn_json_write_string(out, value);
    ctn_buf_append_literal(out, "}}");
}

static void write_batch(ctn_otlp *o, ctn_buf *out)
{
    char process[32];
    (void) snprintf(process, sizeof process, "%ld", (long) getpid());
    ctn_buf_append_literal(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    write_attribute(out, "service.name", o->of.service_name);
    ctn_buf_append_char(out, ',');
    write_attribute(out, "service.version", CTN_STR(CATENA_VERSION));
    ctn_buf_append_char(out, ',');
    write_attribute(out, "process.pid", ctn_str_from(process));
    ctn_buf_append_literal(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"catena\"},\"spans\":[");
    o->batch = o->batch_dropped = 0;
    for (const waiting *w = o->first; w && o->batch < BATCH_MAX && out->len + w->len < BATCH_BYTES_MAX; w = w->next) {
        if (o->batch++)
            ctn_buf_append_char(out, ',');
        ctn_buf_append(out, (ctn_str){w->text, w->len});
    }
    ctn_buf_append_literal(out, "]}]}]}");
}

static bool may_be_taken_later(const ctn_http_end *end)
{
    bool is_busy = end->status == 429 || end->status == 502 || end->status == 503 || end->status == 504;
    return end->has_head ? is_busy : end->code == CTN_E_IO || end->code == CTN_E_TIMEOUT;
}

static void note_failure(ctn_otlp *o, const char *why)
{
    int64_t now_ms = ctn_loop_now_ms(o->of.loop);
    o->figures.failures++;
    if (!o->failing_since_ms) {
        o->failing_since_ms = now_ms;
        o->delay_ms = RETRY_FIRST_MS;
        ctn_log_line(o->of.log, CTN_LOG_WARN, "the collector of traces does not take them", "why", why, NULL);
    } else if (now_ms - o->failing_since_ms > CTN_OTLP_PATIENCE_MS) {
        o->figures.dropped += o->batch - o->batch_dropped;
        take_batch_off(o);
        o->failing_since_ms = now_ms;
    } else {
        o->delay_ms = o->delay_ms * 2 < RETRY_MAX_MS ? o->delay_ms * 2 : RETRY_MAX_MS;
    }
    int64_t delay_ms = o->retry_after_ms > o->delay_ms ? o->retry_after_ms : o->delay_ms;
    ctn_timer_set(o->timer, now_ms + delay_ms);
}

/* Taken; of some it may say that it did not like them. */
static void note_success(ctn_otlp *o)
{
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *answer = NULL;
    int64_t rejected = 0;
    if (o->failing_since_ms)
        ctn_log_line(o->of.log, CTN_LOG_WARN, "the collector of traces takes them again", NULL);
    if (ctn_json_parse(arena, ctn_buf_str(&o->answer), NULL, &answer, NULL) == CTN_OK) {
        const ctn_json *n = ctn_json_pointer(answer, CTN_STR("/partialSuccess/rejectedSpans"));
        if (ctn_json_is(n, CTN_JSON_STRING)) /* int64 is a string in protobuf's JSON, but not everybody's */
            (void) ctn_str_to_int64(ctn_json_text(n), &rejected);
        else
            (void) ctn_json_to_int64(n, &rejected);
    }
    rejected = rejected < 0 ? 0 : rejected > (int64_t) o->batch ? (int64_t) o->batch : rejected;
    o->figures.refused += (uint64_t) rejected;
    o->figures.sent += o->batch - (uint64_t) rejected;
    o->failing_since_ms = 0;
    take_batch_off(o);
    ctn_arena_free(arena);
}

static void go_on(ctn_otlp *o)
{
    if (o->count)
        ctn_timer_set(o->timer, ctn_loop_now_ms(o->of.loop) + (o->count >= BATCH_MAX ? 0 : o->of.gather_ms));
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    ctn_otlp *o = ctx;
    int64_t seconds;
    if (ctn_str_to_int64(ctn_http_header_of(head, "retry-after"), &seconds) && seconds > 0 && seconds < 3600)
        o->retry_after_ms = seconds * 1000;
}

static void on_bytes(void *ctx, ctn_str bytes)
{
    ctn_buf_append(&((ctn_otlp *) ctx)->answer, bytes);
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    ctn_otlp *o = ctx;
    char status[64];
    o->call = NULL;
    (void) snprintf(status, sizeof status, "it answers %d", end->status);
    const char *why = end->has_head && end->code == CTN_OK ? status : end->why;
    if (end->code == CTN_OK && end->status / 100 == 2) {
        note_success(o);
        go_on(o);
    } else if (may_be_taken_later(end)) {
        note_failure(o, why);
    } else {
        o->figures.failures++;
        o->figures.refused += o->batch - o->batch_dropped;
        ctn_log_line(o->of.log, CTN_LOG_ERROR, "the collector refuses traces", "why", why, NULL);
        take_batch_off(o);
        go_on(o);
    }
}

static void send_batch(void *ctx)
{
    ctn_otlp *o = ctx;
    ctn_err err = {0};
    if (o->call || !o->count)
        return;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_buf body;
    ctn_buf_init(&body, BATCH_BYTES_MAX + 4096);
    ctn_http_header *headers = NULL, *all;
    size_t count = 0;
    ctn_buf_clear(&o->answer);
    o->retry_after_ms = 0;
    if (o->of.headers && o->of.headers(o->of.headers_ctx, arena, &headers, &count, &err)) {
        o->batch = o->batch_dropped = 0;
        note_failure(o, err.message);
        goto done;
    }
    all = CTN_NEW_ARRAY(arena, ctn_http_header, count + 1);
    all[0] = (ctn_http_header){.name = CTN_STR("Content-Type"), .value = CTN_STR("application/json")};
    for (size_t i = 0; i < count; i++)
        all[1 + i] = headers[i];
    write_batch(o, &body);
    /* Where it is was said by the operator: it may be in a private network. */
    ctn_http_policy policy = {.allows_cleartext = true,
                              .allows_private = true,
                              .ca_file = o->of.ca_file.len ? ctn_arena_str(arena, o->of.ca_file).ptr : NULL};
    o->call = ctn_http_send(o->http, &(ctn_http_request){.method = "POST",
                                                         .url = o->of.url,
                                                         .headers = all,
                                                         .header_count = count + 1,
                                                         .body = ctn_buf_str(&body),
                                                         .policy = &policy,
                                                         .timeout_ms = REQUEST_LIMIT_MS,
                                                         .body_bytes_max = ANSWER_BYTES_MAX,
                                                         .events = {on_head, on_bytes, on_ended, o}});
done:
    ctn_buf_done(&body);
    ctn_arena_free(arena);
}

/* ---- life ---- */

void ctn_otlp_flush(ctn_otlp *o)
{
    if (!o->failing_since_ms)
        send_batch(o);
    o->of.gather_ms = 0;
}

bool ctn_otlp_is_idle(const ctn_otlp *o)
{
    return (!o->count && !o->call) || o->failing_since_ms;
}

ctn_otlp_figures ctn_otlp_figures_now(const ctn_otlp *o)
{
    ctn_otlp_figures f = o->figures;
    f.waiting = o->count;
    return f;
}

ctn_otlp *ctn_otlp_new(const ctn_otlp_options *options)
{
    ctn_otlp *o = ctn_malloc(sizeof *o);
    *o = (ctn_otlp){.of = *options};
    if (!o->of.gather_ms)
        o->of.gather_ms = GATHER_MS;
    if (!o->of.service_name.len)
        o->of.service_name = CTN_STR("catena");
    o->http = ctn_http_new(&(ctn_http_options){.loop = options->loop, .connections_max = 4});
    o->timer = ctn_timer_new(options->loop, send_batch, o);
    ctn_buf_init(&o->answer, ANSWER_BYTES_MAX);
    return o;
}

void ctn_otlp_free(ctn_otlp *o)
{
    if (!o)
        return;
    ctn_http_free(o->http);
    ctn_timer_free(o->timer);
    while (o->first)
        drop_first(o);
    ctn_buf_done(&o->answer);
    free(o);
}
