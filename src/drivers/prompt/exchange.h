/*
 * exchange.h -- one request to a model, from its body to the end of its answer.
 *
 * What the server sends is read as it comes: a stream of events, or a whole answer. `came` tells that there is more of
 * it, `ended` once how it ended, and nothing comes after it. Once the answer was told to its end the connection is
 * given a moment to end too, so that it is kept.
 *
 * Ownership  _send gives an exchange, which is gone after `ended`; cancel takes it without a word. What the request
 *            points at is copied, the policy is borrowed.
 * Limits     The answer's text, each event, all of a stream, and what is read of a refusal.
 */
#pragma once
#include "http/http.h"
#include "wire/chat.h"

typedef struct ctn_prompt_exchange ctn_prompt_exchange;

typedef struct ctn_prompt_outcome {
    int code; /* CTN_OK: it came to its end; else as ctn_http_end; CTN_E_LIMIT: the answer is too large */
    const char *why;
    bool was_sent;
    int status;                      /* 0: there was no answer */
    bool is_readable;                /* 2xx, and of a type that answers come in */
    const char *type;                /* else the type */
    int64_t retry_after_ms;          /* 0: not said */
    const ctn_chat_answer *answer;   /* what there is of it; is_over: whole */
    const ctn_chat_trouble *trouble; /* what the server says instead; no message: nothing */
} ctn_prompt_outcome;

typedef struct ctn_prompt_exchange_options {
    ctn_loop *loop;
    ctn_http *http;
    ctn_http_request request; /* its events and sizes are ours */
    ctn_chat_api api;
    size_t answer_bytes_max;
    void (*came)(void *ctx, uint64_t pieces);
    void (*ended)(void *ctx, const ctn_prompt_outcome *outcome);
    void *ctx;
} ctn_prompt_exchange_options;

ctn_prompt_exchange *ctn_prompt_exchange_send(const ctn_prompt_exchange_options *options);
void ctn_prompt_exchange_cancel(ctn_prompt_exchange *exchange); /* NULL is fine; not from its events */
