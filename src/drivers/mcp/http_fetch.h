/*
 * http_fetch.h -- one HTTP request whose answer is messages: one as JSON, or several as a stream of events.
 *
 * It knows how messages are packed, and nothing of what they say. A 2xx answer gives each of its messages as it comes;
 * what is in any other answer, and in none of the two packings, is told at the end for the caller to judge. Once the
 * caller has the message it waited for (`message` said true) the stream is given a moment to end by itself, so that the
 * connection is kept, and is closed then.
 *
 * Ownership  _send gives a fetch, which is gone after `ended`; cancel takes it without a word. What the request
 *            points at is copied, the policy is borrowed.
 */
#pragma once
#include "http/http.h"

#define CTN_MCP_REFUSAL_BYTES_MAX  65536 /* that are read of an answer that is no 2xx */
#define CTN_MCP_EVENT_ID_BYTES_MAX 1024

typedef struct ctn_mcp_fetch ctn_mcp_fetch;

typedef struct ctn_mcp_fetch_end {
    int code; /* CTN_OK: the answer came whole; CTN_E_LIMIT: a message in it is too large; else as ctn_http_end */
    const char *why;
    bool was_sent;
    int status;       /* 0: there was no answer */
    bool is_stream;   /* it was a stream of events */
    bool has_message; /* what was waited for has come */
    ctn_str type;     /* content type, of what no message could be read from */
    ctn_str body;     /* of an answer that is no 2xx; cut at CTN_MCP_REFUSAL_BYTES_MAX */
    ctn_str event_id; /* the last one of the stream; empty: it had none */
    int64_t retry_ms; /* how long to wait before the stream is asked for again; -1: not said */
} ctn_mcp_fetch_end;

typedef struct ctn_mcp_fetch_events {
    void (*head)(void *ctx, const ctn_http_head *head); /* may be NULL */
    bool (*message)(void *ctx, ctn_str text);
    void (*ended)(void *ctx, const ctn_mcp_fetch_end *end);
    void *ctx;
} ctn_mcp_fetch_events;

typedef struct ctn_mcp_fetch_options {
    ctn_loop *loop;
    ctn_http *http;
    ctn_http_request request; /* its events and limits are ours */
    size_t message_bytes_max;
    ctn_mcp_fetch_events events;
} ctn_mcp_fetch_options;

ctn_mcp_fetch *ctn_mcp_fetch_send(const ctn_mcp_fetch_options *options);
void ctn_mcp_fetch_cancel(ctn_mcp_fetch *fetch); /* NULL is fine; allowed inside its events but `ended` */
