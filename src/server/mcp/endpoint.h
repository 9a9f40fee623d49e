/*
 * endpoint.h -- the protocol of an MCP server, both eras, for any transport: a message in, messages out.
 *
 * A transport (stdio.c, post.c) gives each message it read to _take together with a channel: where what belongs
 * to that message goes. Over stdio all share one; over HTTP each POST has its own, which ends with the answer.
 *
 * By which rules a message is answered is told by its shape, not by what came before (era.c): a request that names a
 * modern revision, in its _meta or its header, is modern; any other is legacy, and over stdio only once initialize was
 * answered on that pipe. Nothing is remembered between messages but: requests under way, subscriptions, and over stdio
 * what initialize said.
 *
 * Ownership  Options are borrowed. A channel is the transport's: kept here from _take until `answer` (HTTP) or
 *            _channel_gone. _free ends what is under way without a word; _stop before it is polite.
 * Threads    The loop's.
 */
#pragma once
#include "loop/loop.h"
#include "server/mcp/backend.h"
#include "wire/mcp_http.h"

typedef struct ctn_mcp_endpoint ctn_mcp_endpoint;

/* Where messages of one request, or of one pipe, go. Messages have no newline in them or behind them. */
typedef struct ctn_mcp_channel ctn_mcp_channel;
struct ctn_mcp_channel {
    void *ctx;
    ctn_str principal;
    const struct ctn_caller *rights; /* handed on to the backend (exchange.h); lives as long as the channel */
    bool is_http;
    bool is_answer_only; /* HTTP, and the client takes no stream: nothing may come before the answer */
    /* A message that is not the last one: progress, a request of ours. */
    void (*send)(ctn_mcp_channel *channel, ctn_str message);
    /* The answer, the last message of an HTTP channel; http_status by the reference's 1.3. Empty: none (202). */
    void (*answer)(ctn_mcp_channel *channel, int http_status, ctn_str message);
    struct ctn_mcp_pipe *pipe; /* the endpoint's own: what it knows of a pipe; begins NULL */
};

typedef struct ctn_mcp_endpoint_options {
    ctn_loop *loop;
    const ctn_mcp_backend *backend;
    const char *name, *version;
    ctn_str state_key; /* 32 bytes: seals requestState; the same after a restart, or states from before are refused */
    size_t tools_per_page;  /* and of the other lists; 0: 200 */
    size_t requests_max;    /* under way, per principal; 0: 1024: more are refused, and told so */
    int64_t ask_timeout_ms; /* a legacy client's person; 0: 600000 */
} ctn_mcp_endpoint_options;

/* Headers of an HTTP request that the protocol mirrors; absent ones have ptr NULL. */
typedef struct ctn_mcp_headers {
    ctn_str protocol_version, method, name;
    const ctn_mcp_header *params; /* Mcp-Param-* */
    size_t param_count;
} ctn_mcp_headers;

ctn_mcp_endpoint *ctn_mcp_endpoint_new(const ctn_mcp_endpoint_options *options);
void ctn_mcp_endpoint_free(ctn_mcp_endpoint *endpoint); /* NULL is fine */
/* headers NULL: stdio. Answers may come at once, from inside. */
void ctn_mcp_endpoint_take(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel, ctn_str message,
                           const ctn_mcp_headers *headers);
/* The client closed it: its requests are cancelled, legacy ones of HTTP go on and are answered to nobody. The channel
 * is not used any more. */
void ctn_mcp_endpoint_channel_gone(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel);
/* Ends the subscriptions with a word. Requests that come from now on are refused; of those under way nobody is told
 * `gone` any more: they may still be answered, to nobody if their channel is gone. */
void ctn_mcp_endpoint_stop(ctn_mcp_endpoint *endpoint);
/* Nothing is under way, subscriptions aside. */
bool ctn_mcp_endpoint_is_idle(const ctn_mcp_endpoint *endpoint);

/* What subscribers are told. task: as tasks/get gives it. */
void ctn_mcp_endpoint_changed(ctn_mcp_endpoint *endpoint, ctn_mcp_changed what);
void ctn_mcp_endpoint_resource_changed(ctn_mcp_endpoint *endpoint, ctn_str uri);
void ctn_mcp_endpoint_task_changed(ctn_mcp_endpoint *endpoint, ctn_str task_id, const ctn_json *task);
