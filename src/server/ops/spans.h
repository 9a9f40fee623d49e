/*
 * spans.h -- executions as spans of OpenTelemetry, out of what the engine tells: one trace an execution, a root span
 * for it, a span for each attempt (core/trace.h has their ids).
 *
 * A span is told when what it is about has ended and is on disk, as one JSON object of OTLP/HTTP. It has names, times,
 * the outcome and its code, never a value and never a sentence that may repeat one. Waits, approvals, agents and
 * sub-chains are attempts like others; so are compensations, marked as such. A sub-chain of a traced caller is below
 * the attempt that called it; one whose trace is its own links to it, and a rerun or fork to what it goes on from.
 *
 * What is remembered is when attempts began, and no more of them than CTN_SPANS_OPEN_MAX, the oldest forgotten first. A
 * process that died does not know when attempts of its life began: the first ones of a step begin with the step, others
 * have no length, and all say so (catena.begin.unknown). What ended and was not told when a process died is lost;
 * nothing is told twice.
 *
 * Threads  The loop's.
 */
#pragma once
#include "engine/engine.h"

#define CTN_SPANS_OPEN_MAX 65536

typedef struct ctn_spans ctn_spans;

typedef struct ctn_spans_options {
    ctn_tracing tracing;
    void (*told)(void *ctx, ctn_str span); /* borrowed */
    /* The trace that an earlier execution is part of, for links; false, NULL: nobody knows. */
    bool (*trace_of)(void *ctx, ctn_execution_id id, ctn_trace_id *ret_trace);
    void *ctx;
} ctn_spans_options;

ctn_spans *ctn_spans_new(const ctn_spans_options *options);
void ctn_spans_free(ctn_spans *spans); /* NULL is fine */
void ctn_spans_event(ctn_spans *spans, const ctn_engine_event *event, int64_t now_ms);
