/*
 * otlp.h -- spans sent to a collector: OTLP/HTTP 1.x with JSON, in batches, by whoever has time; nobody waits for it.
 *
 * What waits is bounded (CTN_OTLP_WAITING_MAX spans, CTN_OTLP_BYTES_MAX bytes); when it is full the oldest are dropped
 * and counted. One request is under way at a time. A collector that cannot be reached, or answers 429, 502, 503 or
 * 504, is asked again with the same batch after 1 s, 2 s, ... 30 s, or when its Retry-After says; what it refuses
 * otherwise, or has refused for CTN_OTLP_PATIENCE_MS, is dropped and counted.
 *
 * What holds over deaths: nothing. Spans live in memory, and those that wait go with the process; so may a batch whose
 * answer was lost be sent twice, under the same ids.
 *
 * Ownership  Options are borrowed; spans are copied. Freed before its loop.
 * Threads    The loop's.
 */
#pragma once
#include "base/log.h"
#include "http/http.h"

#define CTN_OTLP_WAITING_MAX 16384
#define CTN_OTLP_BYTES_MAX   ((size_t) 16 << 20)
#define CTN_OTLP_PATIENCE_MS 600000

typedef struct ctn_otlp ctn_otlp;

typedef struct ctn_otlp_options {
    ctn_loop *loop;
    const ctn_log *log; /* NULL: silent */
    ctn_str url, service_name, ca_file;
    /* Its headers as they are now, secrets filled in: asked at each request, into the arena. NULL: none. */
    int (*headers)(void *ctx, ctn_arena *arena, ctn_http_header **ret_headers, size_t *ret_count, ctn_err *err);
    void *headers_ctx;
    int64_t gather_ms; /* a batch waits so long for more; 0: 2000 */
} ctn_otlp_options;

typedef struct ctn_otlp_figures {
    uint64_t sent, dropped, refused; /* spans; dropped: no room, or no patience left */
    uint64_t failures;               /* requests that were not taken */
    size_t waiting;
} ctn_otlp_figures;

ctn_otlp *ctn_otlp_new(const ctn_otlp_options *options);
void ctn_otlp_free(ctn_otlp *otlp); /* NULL is fine */
/* span: an object of OTLP's JSON, as text. */
void ctn_otlp_add(ctn_otlp *otlp, ctn_str span);
/* Sends what waits now, whatever gather_ms says. */
void ctn_otlp_flush(ctn_otlp *otlp);
/* Nothing waits and nothing is under way, or the collector does not take it at present. */
bool ctn_otlp_is_idle(const ctn_otlp *otlp);
ctn_otlp_figures ctn_otlp_figures_now(const ctn_otlp *otlp);
