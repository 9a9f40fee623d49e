/*
 * trace.h -- the trace that an execution is part of, as W3C Trace Context and OpenTelemetry have it: pure functions.
 *
 * One trace an execution: its caller's, when he gave a traceparent, else one whose id is the execution's own. Ids of
 * spans are computed from what they are about, never drawn and never remembered: whoever tells of an attempt after a
 * restart tells of the same span, and a call's peer hangs its own spans under an id that nobody has had to store.
 *
 *     execution            its root span: by id
 *     attempt of a step    below it: by id, step, item, attempt, and whether it undoes
 *
 * A caller's word on sampling is followed; traces of our own are sampled by their id, so that all who know the share
 * come to the same answer.
 */
#pragma once
#include "base/id.h"
#include "base/str.h"

typedef struct ctn_trace_id {
    uint8_t bytes[16];
} ctn_trace_id;
typedef struct ctn_span_id {
    uint8_t bytes[8];
} ctn_span_id;

typedef struct ctn_trace_context {
    ctn_trace_id trace;
    ctn_span_id span; /* of the caller: the parent of what he calls */
    bool is_sampled;
} ctn_trace_context;

/* 00-TRACE-SPAN-FLAGS, in lower case; later versions as far as they begin so. False: it is none, or ids are zero. */
bool ctn_trace_parse(ctn_str traceparent, ctn_trace_context *ret_context);
#define CTN_TRACEPARENT_BYTES 55
typedef struct ctn_trace_text {
    char text[CTN_TRACEPARENT_BYTES + 1];
} ctn_trace_text;
ctn_trace_text ctn_trace_to_text(const ctn_trace_context *context);
/* 32 and 16 hexadecimal digits. */
ctn_trace_text ctn_trace_id_to_text(ctn_trace_id trace);
ctn_trace_text ctn_span_id_to_text(ctn_span_id span);

/* ---- of executions ---- */

typedef struct ctn_tracing {
    bool is_on;     /* spans are told to somebody */
    uint32_t share; /* of traces that begin here, in millionths */
} ctn_tracing;

ctn_span_id ctn_span_of_execution(ctn_execution_id id);
typedef struct ctn_traced_attempt {
    ctn_execution_id id;
    ctn_str step;
    int64_t item; /* of a foreach; -1: none */
    uint32_t attempt;
    bool is_undo;
} ctn_traced_attempt;
ctn_span_id ctn_span_of_attempt(const ctn_traced_attempt *attempt);

/* traceparent: what its caller gave; empty, or none: a trace of its own. `span` is its root span. */
ctn_trace_context ctn_trace_of_execution(const ctn_tracing *tracing, ctn_execution_id id, ctn_str traceparent);
/* What a call takes along: the attempt as the parent, when spans are told; else what the caller gave, as it came, so
 * that his trace does not end here. Empty: nothing. `room` holds the text. */
ctn_str ctn_trace_for_call(const ctn_tracing *tracing, const ctn_traced_attempt *attempt, ctn_str traceparent,
                           ctn_trace_text *room);
