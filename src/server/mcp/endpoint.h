/*
 * endpoint.h -- the protocol of an MCP server, both eras, for any transport: a message in, messages out.
 *
 * A transport (stdio.c, http.c) gives each message it read to _take together with a channel: where what belongs to
 * that message goes. Over stdio all share one; over HTTP each POST has its own, which ends with the answer. The rules by
 * which a message is modern or legacy are those of the reference, section 2.4: by its shape.
 *
 * Nothing is remembered between messages but: requests under way, subscriptions, and over stdio that initialize was seen.
 *
 * Ownership  Options are borrowed. _free ends what is under way without a word.
 * Threads    The loop's.
 */
#pragma once
#include "loop/loop.h"
#include "server/mcp/backend.h"

typedef struct ctn_mcp_endpoint ctn_mcp_endpoint;

/* Where messages of one request, or of one pipe, go. Kept by the endpoint until `end` or _channel_gone. */
typedef struct ctn_mcp_channel ctn_mcp_channel;
struct ctn_mcp_channel {
    void *ctx;
    ctn_str principal;
    bool is_http;
    bool had_initialize; /* the endpoint's own; stdio */
    /* A message that is not the last one: progress, a request of ours. */
    void (*send)(ctn_mcp_channel *channel, ctn_str line);
    /* The answer, the last message of an HTTP channel; http_status by the reference's 1.3. line empty: none (202). */
    void (*answer)(ctn_mcp_channel *channel, int http_status, ctn_str line);
};

typedef struct ctn_mcp_endpoint_options {
    ctn_loop *loop;
    const ctn_mcp_backend *backend;
    const char *name, *version;
    ctn_str state_key;     /* 32 bytes: seals requestState; the same after a restart, or states from before are refused */
    size_t tools_per_page; /* 0: 200 */
    size_t requests_max;   /* under way, per principal; 0: 1024: more are refused, and told so */
    size_t body_bytes_max; /* 0: 4 MiB */
} ctn_mcp_endpoint_options;

/* Headers of an HTTP request that the protocol mirrors; absent ones are empty. */
typedef struct ctn_mcp_headers {
    ctn_str protocol_version, method, name;
    const struct ctn_mcp_header {
        ctn_str name, value;
    } *params; /* Mcp-Param-* */
    size_t param_count;
} ctn_mcp_headers;

ctn_mcp_endpoint *ctn_mcp_endpoint_new(const ctn_mcp_endpoint_options *options);
void ctn_mcp_endpoint_free(ctn_mcp_endpoint *endpoint);
/* headers NULL: stdio. */
void ctn_mcp_endpoint_take(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel, ctn_str message,
                           const ctn_mcp_headers *headers);
/* The client closed it: modern requests on it are cancelled, legacy ones of HTTP are not. The channel is not used any more. */
void ctn_mcp_endpoint_channel_gone(ctn_mcp_endpoint *endpoint, ctn_mcp_channel *channel);
/* Nothing is under way. */
bool ctn_mcp_endpoint_is_idle(const ctn_mcp_endpoint *endpoint);

/* What subscribers are told. */
void ctn_mcp_endpoint_changed(ctn_mcp_endpoint *endpoint, ctn_mcp_changed what);
void ctn_mcp_endpoint_resource_changed(ctn_mcp_endpoint *endpoint, ctn_str uri);
void ctn_mcp_endpoint_task_changed(ctn_mcp_endpoint *endpoint, ctn_str task_id, const ctn_json *task);
