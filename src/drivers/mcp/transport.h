/*
 * transport.h -- how messages travel to one server and back: a process and its pipes, Streamable HTTP, HTTP with SSE.
 *
 * One connection to a server is a conversation (client.h) over a transport. The conversation knows what is asked and
 * what an answer means; the transport knows ways, and nothing of meaning but what its headers repeat. Two kinds:
 *
 *   shared     (stdio, HTTP+SSE) every answer comes on one channel, in any order; the end of the channel loses every
 *              request, and an answer may come after its request was given up
 *   separate   (Streamable HTTP) each message is a POST of its own and its answer belongs to that POST; one that is
 * lost loses its request alone, and one that was given up is closed and never heard of again
 *
 * What happens is told by events, always from the loop and never from inside `send`. `message` and what is about one
 * request come as long as the transport is open; `ended` is told once, when all is over, and nothing after it.
 *
 * Ownership  _new gives a transport that has begun (or the reason why not), free takes it (NULL is fine; no event
 *            follows). Free is allowed inside `ended`. What a letter points to is borrowed until send returns.
 * Threads    The loop's.
 */
#pragma once
#include "http/http.h"
#include "loop/spawn.h"
#include "oauth/auth.h"
#include "wire/mcp_http.h"

/* One message that leaves. */
typedef struct ctn_mcp_letter {
    ctn_str line;                  /* the message, with its newline */
    int64_t id;                    /* of a request; 0: a notification, or an answer of ours */
    const char *method;            /* NULL: an answer of ours */
    ctn_str name;                  /* what Mcp-Name repeats: params.name, .uri or .taskId; ptr NULL: it has none */
    const ctn_mcp_header *headers; /* Mcp-Param-* */
    size_t header_count;
    bool is_endless; /* a subscription: its answer is a stream that ends when somebody ends it */
} ctn_mcp_letter;

/* One message that came. */
typedef struct ctn_mcp_arrival {
    ctn_str text; /* borrowed during the event */
    int64_t of;   /* the request on whose own way it came; 0: a shared way */
    int status;   /* of HTTP; 0: there is none */
} ctn_mcp_arrival;

/* Why there is no answer to a request, and will be none. */
typedef struct ctn_mcp_loss {
    const char *why;        /* a sentence's end: "the connection was closed" */
    bool was_sent;          /* it may have been taken */
    bool is_untaken;        /* and yet it is certain that it was not: it may be sent again */
    int status;             /* that HTTP answered; 0: nothing came */
    int64_t retry_after_ms; /* its own wish; 0: none */
} ctn_mcp_loss;

typedef struct ctn_mcp_transport_events {
    /* True: it was the answer to the request `of`, which waits for nothing more. */
    bool (*message)(void *ctx, const ctn_mcp_arrival *arrival);
    void (*lost)(void *ctx, int64_t id, const ctn_mcp_loss *loss);
    /* An answer that is larger than is read, and is passed over. id 0: of one that is not known. */
    void (*too_large)(void *ctx, int64_t id, const char *why);
    void (*stray)(void *ctx); /* something came that is no message */
    /* Legacy HTTP: the server knows our session no more; shake hands again. Told before what is lost with it. */
    void (*session_gone)(void *ctx);
    /* The server must be ended: it sends what nobody can follow. The owner ends the transport; nothing else is told. */
    void (*broken)(void *ctx, const char *why);
    /* is_dead: whoever had the requests that are open has ended, so they can no longer arrive. */
    void (*ended)(void *ctx, const char *why, bool is_dead);
    void *ctx;
} ctn_mcp_transport_events;

typedef struct ctn_mcp_transport ctn_mcp_transport;
typedef struct ctn_mcp_transport_kind {
    bool is_shared;
    bool is_http; /* what MCP says of HTTP alone holds: headers, what a tool's schema says of them */
    bool (*send)(ctn_mcp_transport *t, const ctn_mcp_letter *letter);
    void (*give_up)(ctn_mcp_transport *t, int64_t id);    /* NULL: there is no way to close */
    void (*speak)(ctn_mcp_transport *t, ctn_str version); /* NULL: it is the same in every revision */
    void (*end)(ctn_mcp_transport *t);
    ctn_str (*last_words)(const ctn_mcp_transport *t); /* NULL: it has none */
    int (*pid)(const ctn_mcp_transport *t);            /* NULL: no process */
    void (*free)(ctn_mcp_transport *t);
} ctn_mcp_transport_kind;

/* What every transport begins with. */
struct ctn_mcp_transport {
    const ctn_mcp_transport_kind *kind;
    ctn_mcp_transport_events events;
};

/* False: it cannot be sent (the server does not read), and nothing is heard of it. */
static inline bool ctn_mcp_transport_send(ctn_mcp_transport *t, const ctn_mcp_letter *letter)
{
    return t->kind->send(t, letter);
}
/* Nobody waits for this answer. Of a separate way nothing more is heard: to a modern server its end is the cancel. */
static inline void ctn_mcp_transport_give_up(ctn_mcp_transport *t, int64_t id)
{
    if (t->kind->give_up)
        t->kind->give_up(t, id);
}
/* The revision that is spoken from here on: headers say it, and it says what an end of a stream means. */
static inline void ctn_mcp_transport_speak(ctn_mcp_transport *t, ctn_str version)
{
    if (t->kind->speak)
        t->kind->speak(t, version);
}
/* In order: a process is given time, a session is told. `ended` follows. */
static inline void ctn_mcp_transport_end(ctn_mcp_transport *t)
{
    t->kind->end(t);
}
/* What a process last said on stderr; empty: nothing. */
static inline ctn_str ctn_mcp_transport_last_words(const ctn_mcp_transport *t)
{
    return t->kind->last_words ? t->kind->last_words(t) : (ctn_str){0};
}
static inline int ctn_mcp_transport_pid(const ctn_mcp_transport *t) /* 0: no process */
{
    return t->kind->pid ? t->kind->pid(t) : 0;
}
static inline void ctn_mcp_transport_free(ctn_mcp_transport *t)
{
    if (t)
        t->kind->free(t);
}

/* ---- mcp/transport_stdio.c ---- */

typedef struct ctn_mcp_stdio_options {
    ctn_loop *loop;
    ctn_spawner *spawner;
    const char *const *argv, *const *env;
    const char *cwd;
    size_t line_bytes_max;
    int64_t end_grace_ms;
    ctn_mcp_transport_events events;
} ctn_mcp_stdio_options;

/* Codes and sentence as ctn_child_spawn. */
int ctn_mcp_stdio_new(const ctn_mcp_stdio_options *options, ctn_mcp_transport **ret_transport, ctn_err *err);

/* ---- over HTTP: mcp/transport_http.c, mcp/transport_sse.c ---- */

/* What is sent with every request, read afresh whenever it may have changed. */
typedef struct ctn_mcp_header_source {
    int (*read)(void *ctx, ctn_arena *arena, const ctn_mcp_header **ret_headers, size_t *ret_count, ctn_err *err);
    void *ctx;
} ctn_mcp_header_source;

typedef struct ctn_mcp_http_options {
    ctn_loop *loop;
    ctn_http *http;
    ctn_str url;
    const ctn_http_policy *policy;
    ctn_mcp_header_source headers; /* read NULL: none */
    ctn_auth *auth;                /* tokens for this URL; NULL: none are ours to send */
    size_t message_bytes_max;
    int64_t end_grace_ms; /* for telling a session that it is over */
    ctn_mcp_transport_events events;
} ctn_mcp_http_options;

/* Streamable HTTP, of every revision that has it. */
int ctn_mcp_http_new(const ctn_mcp_http_options *options, ctn_mcp_transport **ret_transport, ctn_err *err);
/* HTTP with SSE, the transport of 2024-11-05: one stream for all that comes, POSTs to the address that it names. */
int ctn_mcp_sse_new(const ctn_mcp_http_options *options, ctn_mcp_transport **ret_transport, ctn_err *err);
