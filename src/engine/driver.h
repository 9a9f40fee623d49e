/*
 * driver.h -- how a step's work is done: the interface that drivers/ implement and the engine calls.
 *
 * The engine calls `begin` only after everything the call depends on is committed. The driver answers exactly once
 * through the sink that it was given (at once, from within `begin`, or later), unless the call was cancelled with
 * `cancel`, after which nothing more is heard of it. A driver decides nothing: it tells what it saw.
 *
 * The four outcomes are kept apart (mcp.md, 1.7): not executed (was_sent false, or protocol_error answers), executed
 * and failed (tool_error, also invalid_output and limit: what it gave cannot be taken), succeeded, fate unknown
 * (timeout or transport with was_sent true).
 *
 * A call may be longer than one request. Its peer may go on by itself and give a handle: `accepted` tells it, it is
 * journaled, the call stays in flight, and after a death of the engine the call is begun again with it (`continuation`)
 * instead of being of unknown fate. Or its peer may need answers first: then the call is over with `asks`, the step
 * waits durably, hours or restarts, and the call is begun again with `continuation` and `answers`, same attempt, same
 * key.
 *
 * Ownership  A request is borrowed until begin returns, a result until done does. Drivers outlive the engine.
 *
 * Threads    All on the engine's: the driver is called on it, and calls the sink on it.
 */
#pragma once
#include "base/hash.h"
#include "base/json.h"
#include "chain/effect.h"
#include "value/failure.h"

typedef struct ctn_call_request {
    uint64_t token; /* names this call for cancel and done; unique in the process */
    ctn_str target; /* what is called: "server/tool", a function, a model, a host (ctn_work_target) */
    const ctn_json *args;
    const ctn_json *detail; /* of a kind that is given arguments: the object of its key (chain/work.h); NULL: none */
    ctn_str idempotency_key;
    int64_t deadline_ms;     /* 0: none. The driver ends the call then (timeout); start of a server not counted */
    int64_t timeout_ms;      /* span behind deadline_ms; the driver starts it when the request is really sent */
    int64_t idle_timeout_ms; /* 0: none. Without progress for so long, once sent, the driver ends the call (timeout) */
    ctn_str execution_id, step; /* for logs and progress */
    uint32_t attempt;
    /* The call was begun before and goes on: what it was told then, by `accepted` or with `asks`. NULL: it begins. */
    const ctn_json *continuation;
    /* What it asked for: {KEY: {action: "accept" | "decline" | "cancel", content?: {...}}}; NULL: nothing was asked. */
    const ctn_json *answers;
    ctn_str traceparent; /* W3C trace context, for the peer; empty: none (core/trace.h) */
    bool is_sensitive;   /* its arguments, or what it gives: nothing that its peer says is to be logged */
} ctn_call_request;

typedef struct ctn_call_result {
    ctn_failure failure;   /* NONE: succeeded */
    const ctn_json *value; /* NULL unless succeeded */
    ctn_str message;       /* sentence of a failure */
    /* Not NULL: neither success nor failure. It goes on once somebody has answered {KEY: {message, schema?, url?}}: a
     * text for people, a flat object schema for the content, or an address that they are to open. {}: at once. */
    const ctn_json *asks;
    const ctn_json *continuation; /* with asks: what begin is to be given then; nobody looks into it */
    bool was_sent;                /* the request, or a part of it, left us: it may have happened */
    bool peer_is_dead;            /* the process that had the request has ended: it can no longer arrive */
    int64_t retry_after_ms;       /* the peer's own wish, a span; 0: none */
    int64_t used_tokens;          /* what the call used up, as the peer tells; 0: not told */
    ctn_str used_money;           /* a JSON number; empty: not told */
} ctn_call_result;

typedef struct ctn_call_sink {
    void (*done)(void *ctx, uint64_t token, const ctn_call_result *result);
    /* The peer goes on by itself, and can be asked for it by `continuation` from now on; journaled. Its timeout stands
     * still from here. May come again, with a newer one. */
    void (*accepted)(void *ctx, uint64_t token, const ctn_json *continuation);
    /* For people; may come any number of times before done. total < 0: unknown. Never journaled. */
    void (*progress)(void *ctx, uint64_t token, double progress, double total, ctn_str message);
    void *ctx;
} ctn_call_sink;

typedef struct ctn_driver {
    const char *kind; /* "tool", "native", ... as in instruction sets */
    void *ctx;
    void (*begin)(void *ctx, const ctn_call_request *request);
    void (*cancel)(void *ctx, uint64_t token);
    /* This process makes the call no more, and whoever comes after it goes on with it: nothing is heard of it, and its
     * peer is not told to stop what it accepted. NULL: as cancel. */
    void (*forget)(void *ctx, uint64_t token);
    /* A call that waits for answers is not wanted any more: tell its peer, if it can be told; nothing is heard of it.
     * NULL: there is nothing to tell. */
    void (*abandon)(void *ctx, ctn_str target, const ctn_json *continuation);
    /* Makes what `target` needs known (its server up, its tools listed), so that `effect` can answer; tells `ready`
     * once, at once or later, whether that went well or not (a call will then tell why). NULL: nothing to prepare. */
    void (*prepare)(void *ctx, ctn_str target, void (*ready)(void *ready_ctx), void *ready_ctx);
    /* What the operator, or a trusted server's annotations, say of `target`; UNKNOWN when nobody said.
     * *ret_from is a literal: "operator", "annotations". NULL: nobody ever says. */
    ctn_effect (*effect)(void *ctx, ctn_str target, const char **ret_from);
    /* What `target` takes and gives, by content; false when that is not known. NULL: it never is. */
    bool (*schema)(void *ctx, ctn_str target, ctn_digest *ret_digest);
    /* The most that a call with this detail and these arguments may use: tokens, and money as a JSON number (empty: not
     * known), in the arena. Told before it begins, so that a budget has room for it. False: nobody can say. NULL: it
     * never can. */
    bool (*most)(void *ctx, ctn_str target, const ctn_json *detail, const ctn_json *args, ctn_arena *arena,
                 int64_t *ret_tokens, ctn_str *ret_money);
    /* May the request still arrive after it was given up? False once the process that had it has ended. NULL: it never
     * may. */
    bool (*may_still_arrive)(void *ctx, uint64_t token, ctn_str target);
} ctn_driver;
