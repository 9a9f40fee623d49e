/*
 * exchange.h -- one request under way: what a backend is asked, and the ways in which it answers.
 *
 * The endpoint makes it, in either era, over either transport, and the backend answers it exactly once: by _result,
 * _task, _error or _ask, at once or much later. Until then it may tell progress. If the client goes away or cancels,
 * `gone` is told and the exchange is over without an answer: whatever runs on belongs to its execution.
 *
 * Ownership  The endpoint's. Valid until it was answered, or `gone` has returned. What it says lives as long. Values
 * that are handed in are needed until the call returns. Threads    The loop's.
 */
#pragma once
#include "base/json.h"

typedef struct ctn_mcp_exchange ctn_mcp_exchange;

/* Who asks, and what he can. */
typedef struct ctn_mcp_caller {
    ctn_str principal;               /* whose token it was; "stdio" or "anonymous" */
    const struct ctn_caller *rights; /* what he may do (host/access.h): the backend's to ask; NULL: who runs us, all */
    ctn_str version;                 /* the revision spoken */
    bool is_modern;
    bool can_form,
        can_url;    /* elicitation: _ask reaches a person. A legacy caller over HTTP does not say: it is tried */
    bool can_tasks; /* the extension was declared */
    const ctn_json *capabilities; /* all that were declared; NULL: not known (legacy over HTTP) */
} ctn_mcp_caller;

typedef struct ctn_mcp_ask {
    ctn_str name;              /* tool, prompt; URI of a resource; id of a task */
    const ctn_json *arguments; /* an object */
    const ctn_json *meta;      /* its _meta; NULL: none */
    ctn_str idempotency_key;   /* _meta dev.catena/idempotency-key; empty: none */
    ctn_str traceparent;       /* as it came: who starts an execution with it is who judges it */
    const ctn_json *answers;   /* inputResponses: {KEY: {action, content?}}; NULL: none */
    const ctn_json *state;     /* what was given to _ask: the endpoint seals it, and opens it; NULL: a first request */
    bool wants_progress;
} ctn_mcp_ask;

const ctn_mcp_caller *ctn_mcp_exchange_caller(const ctn_mcp_exchange *x);
const ctn_mcp_ask *ctn_mcp_exchange_ask_of(const ctn_mcp_exchange *x);
/* tools/call: what goes wrong can be told in a result with isError. */
bool ctn_mcp_exchange_is_call(const ctn_mcp_exchange *x);
ctn_arena *ctn_mcp_exchange_arena(ctn_mcp_exchange *x); /* lives as long as the exchange */

/* Once, when the client went away or cancelled; the exchange is gone after it. NULL: not any more. */
void ctn_mcp_exchange_when_gone(ctn_mcp_exchange *x, void (*gone)(void *ctx), void *ctx);

/* total < 0: unknown. Nothing when progress is not wanted or does not grow. */
void ctn_mcp_exchange_progress(ctn_mcp_exchange *x, double progress, double total, ctn_str message);

/* The result object as the newest revision has it, without resultType, _meta.serverInfo and ttlMs: the endpoint adds
 * what the caller's revision wants, and takes away what it does not know. resultType "task" is given by _task. */
void ctn_mcp_exchange_result(ctn_mcp_exchange *x, const ctn_json *result);
void ctn_mcp_exchange_task(ctn_mcp_exchange *x, const ctn_json *task);
/* data may be NULL. Of resources/read, -32602 with {uri} is "there is no such resource". */
void ctn_mcp_exchange_error(ctn_mcp_exchange *x, int64_t code, ctn_str message, const ctn_json *data);
/* -32021: the request needs what the caller did not declare: {elicitation: {form: {}}}. */
void ctn_mcp_exchange_needs(ctn_mcp_exchange *x, const ctn_json *capabilities);
void ctn_mcp_exchange_needs_tasks(ctn_mcp_exchange *x); /* the extension of tasks */

/* What the caller must answer first: {KEY: {method: "elicitation/create", params}}. A modern caller gets
 * input_required, with `state` sealed (NULL: none), and asks again: a new exchange with `answers` and `state`; if he
 * did not declare what is asked, he is told so (-32021). A legacy one is asked by requests of ours and the same
 * exchange goes on: `answered` with {KEY: {action, content?}}, which lacks what was not answered in time, or by a
 * client that cannot. */
void ctn_mcp_exchange_ask(ctn_mcp_exchange *x, const ctn_json *requests, const ctn_json *state,
                          void (*answered)(void *ctx, const ctn_json *answers), void *ctx);
