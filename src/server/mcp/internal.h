/*
 * internal.h -- what the files of the endpoint share; private to server/mcp.
 *
 *     endpoint.c   a message is taken: request, notification, answer; who goes away
 *     batch.c      several in an array, for 2025-03-26
 *     era.c        by which rules a request is answered, and whether it keeps them
 *     headers.c    the headers that repeat what the message says
 *     methods.c    what each method does
 *     pages.c      lists
 *     shape.c      what a revision knows
 *     exchange.c   how a request is answered
 *     asking.c     what a person must answer first
 *     state.c      what is handed out sealed and comes back
 *     listen.c     who is told what changes
 */
#pragma once
#include "server/mcp/endpoint.h"
#include "wire/mcp.h"

#define CTN_MCP_META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"
#define CTN_MCP_TASKS_EXTENSION   "io.modelcontextprotocol/tasks"

/* Of a pipe: kept from initialize, or the first legacy subscription, until the pipe is gone. */
typedef struct ctn_mcp_pipe {
    ctn_mcp_channel *channel;
    ctn_arena *arena;
    ctn_str version;              /* negotiated; empty: there was no initialize */
    const ctn_json *capabilities; /* declared in it */
    ctn_str *uris;                /* resources/subscribe; an empty one is a free place */
    size_t uri_count, uri_capacity;
    struct ctn_mcp_pipe *next;
} ctn_mcp_pipe;

/* What a subscriptions/listen asked for, and is given. */
typedef struct ctn_mcp_filter {
    bool changed[3]; /* by ctn_mcp_changed */
    const ctn_json *uris, *tasks;
} ctn_mcp_filter;

typedef struct ctn_mcp_asking ctn_mcp_asking; /* asking.c */
typedef struct ctn_mcp_batch ctn_mcp_batch;   /* batch.c */

struct ctn_mcp_exchange {
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_channel *channel; /* NULL: the client is gone, and the request, a legacy one, goes on */
    ctn_arena *arena;
    const ctn_json *id;
    ctn_str method;
    const ctn_json *params; /* NULL: none */
    ctn_mcp_caller caller;
    ctn_mcp_ask ask;
    const ctn_json *progress_token; /* NULL: nobody wants to know */
    bool has_progress;
    double progress; /* the last that was told */
    void (*gone)(void *ctx);
    void *gone_ctx;
    ctn_mcp_filter *filter; /* NULL: no subscription */
    ctn_mcp_asking *asking; /* NULL: nothing is asked */
    ctn_mcp_exchange *prev, *next;
};

struct ctn_mcp_endpoint {
    ctn_mcp_endpoint_options of;
    ctn_arena *scratch; /* a list, a notification; used up between two calls */
    ctn_buf out;
    ctn_rng rng;
    ctn_mcp_exchange *exchanges; /* all, the youngest first */
    ctn_mcp_pipe *pipes;
    ctn_mcp_batch *batches;
    bool is_stopping;
};

/* ---- endpoint.c ---- */
void ctn_mcp_take_one(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel, ctn_str text,
                      const ctn_mcp_headers *headers);
ctn_mcp_pipe *ctn_mcp_pipe_of(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel); /* makes it */
/* Over without an answer: the client cancelled, or went away. */
void ctn_mcp_exchange_end(ctn_mcp_exchange *x, bool tells_gone);
/* An error to a message that is no request, or could not be read; id may be NULL. */
void ctn_mcp_refuse(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel, const ctn_json *id, int http_status,
                    int64_t code, ctn_str message);

/* ---- batch.c ---- */
bool ctn_mcp_is_batch(ctn_str text);
void ctn_mcp_take_batch(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel, ctn_str text,
                        const ctn_mcp_headers *headers);
void ctn_mcp_batch_drop(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel); /* the client is gone; NULL: any */

/* ---- era.c ---- */
/* Fills caller and the parts of `ask` that every request has. False: refused, the exchange is gone. */
bool ctn_mcp_era_check(ctn_mcp_exchange *x, const ctn_mcp_headers *headers);

/* ---- headers.c ---- */
/* NULL, or a sentence about the first header that is missing or differs from the message. */
const char *ctn_mcp_headers_fault(ctn_arena *arena, const ctn_mcp_headers *headers, ctn_str method,
                                  const ctn_json *params);
/* The same of Mcp-Param-*, by the schema of the tool that is called. */
const char *ctn_mcp_header_params_fault(ctn_arena *arena, const ctn_mcp_headers *headers, const ctn_json *input_schema,
                                        const ctn_json *arguments);

/* ---- methods.c ---- */
void ctn_mcp_method_run(ctn_mcp_exchange *x, const ctn_mcp_headers *headers);

/* ---- pages.c ---- */
typedef enum ctn_mcp_list { CTN_MCP_TOOLS, CTN_MCP_PROMPTS, CTN_MCP_RESOURCES, CTN_MCP_TEMPLATES } ctn_mcp_list;
void ctn_mcp_list_answer(ctn_mcp_exchange *x, ctn_mcp_list which);
/* How long, and for whom, an answer may be kept. */
void ctn_mcp_put_caching(ctn_mcp_exchange *x, ctn_json_builder *result, int64_t ttl_ms);

/* ---- shape.c: what a revision knows; the value itself where it is the newest ---- */
bool ctn_mcp_since(ctn_str version, const char *revision);
const ctn_json *ctn_mcp_shape_item(ctn_arena *arena, ctn_str version, ctn_mcp_list which, const ctn_json *item);
const ctn_json *ctn_mcp_shape_call(ctn_arena *arena, ctn_str version, const ctn_json *result);
const ctn_json *ctn_mcp_shape_prompt(ctn_arena *arena, ctn_str version, const ctn_json *result);

/* ---- exchange.c ---- */
/* An error whose HTTP status is not the one that its code has by itself. */
void ctn_mcp_exchange_refuse(ctn_mcp_exchange *x, int http_status, int64_t code, ctn_str message, const ctn_json *data);
/* Sends a notification: its params, with _meta. */
void ctn_mcp_exchange_notify(ctn_mcp_exchange *x, const char *method, const ctn_json *params);

/* ---- asking.c ---- */
/* Of a legacy caller: see ctn_mcp_exchange_ask. `answered` is called from the loop, never from inside. */
void ctn_mcp_asking_begin(ctn_mcp_exchange *x, const ctn_json *requests,
                          void (*answered)(void *ctx, const ctn_json *answers), void *ctx);
/* An answer to a request of ours; false: to none that is open for this principal. */
bool ctn_mcp_asking_take(ctn_mcp_endpoint *endpoint, ctn_str principal, const ctn_rpc_message *message);
/* Nobody will answer any more: the backend is told so, if it is still there to hear it. */
void ctn_mcp_asking_give_up(ctn_mcp_exchange *x);
void ctn_mcp_asking_drop(ctn_mcp_exchange *x);

/* ---- state.c ---- */
ctn_str ctn_mcp_state_seal(const ctn_mcp_exchange *x, const ctn_json *state);
/* CTN_E_INVALID, with a sentence: altered, of another request or caller, or too old. */
int ctn_mcp_state_open(const ctn_mcp_exchange *x, ctn_str sealed, const ctn_json **ret_state, ctn_err *err);

/* ---- listen.c ---- */
void ctn_mcp_listen(ctn_mcp_exchange *x);
void ctn_mcp_listen_end(ctn_mcp_exchange *x);
void ctn_mcp_legacy_subscribe(ctn_mcp_exchange *x, bool is_wanted);
