/*
 * model_peer.h -- a server that plays a language model, in either form that servers speak: chat completions or
 * messages.
 *
 * It answers each request by the next line of a script, and by the last one for ever; what it was asked is kept. So no
 * key and no model is needed to see what becomes of an answer, of a refusal, of a stream that is cut.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum model_api { MODEL_OPENAI, MODEL_ANTHROPIC } model_api;

typedef enum model_way {
    MODEL_STREAMS,    /* events, word by word; an answer to a schema as the API gives it */
    MODEL_WHOLE,      /* one JSON text */
    MODEL_CUT,        /* a stream that ends in the middle */
    MODEL_CUT_EARLY,  /* the connection is reset before an answer */
    MODEL_HANGS,      /* no answer, until the test is over */
    MODEL_FALLS_MUTE, /* the beginning of a stream, and then nothing */
    MODEL_RAW,        /* `text` is the body, `type` its type */
} model_way;

typedef struct model_turn {
    model_way way;
    const char *text;
    const char *end;     /* finish_reason or stop_reason; NULL: the usual one */
    const char *refusal; /* chat completions: the model's own; NULL: none */
    int status;          /* not 0: `text` is the message of an error of type `type` */
    const char *type;
    const char *headers;                             /* lines with their CRLF, besides; NULL: none */
    long input_tokens, cached_tokens, output_tokens; /* all 0: it tells nothing of usage */
    int pause_ms;                                    /* before each word */
    bool is_unended;                                 /* a whole stream without its usage, end or [DONE] */
} model_turn;

typedef struct model_peer model_peer;

model_peer *model_peer_start(model_api api, const model_turn *turns, size_t count);
void model_peer_stop(model_peer *peer); /* NULL is fine */
const char *model_peer_url(const model_peer *peer);
unsigned model_peer_requests(model_peer *peer);
/* The body (head: the request line and headers) of the n-th request, from 0; "" when there was none. Lives as long as
 * the peer. */
const char *model_peer_body(model_peer *peer, unsigned n);
const char *model_peer_head(model_peer *peer, unsigned n);
