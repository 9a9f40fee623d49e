/*
 * post.h -- /mcp: each POST is a message of MCP, taken by an endpoint and answered as JSON, or as a stream of events
 * when something comes before the answer, or when it takes long.
 *
 * Other paths are 404, but the metadata of the protected resource (RFC 9728), where issuers are configured.
 *
 * Ownership  What the options name is borrowed.
 * Threads    The loop's.
 */
#pragma once
#include "host/config.h"
#include "server/mcp/endpoint.h"

typedef struct ctn_web_mcp ctn_web_mcp;

typedef struct ctn_web_mcp_options {
    ctn_loop *loop;
    const ctn_config_http *config;
    ctn_mcp_endpoint *endpoint;
    ctn_str address;            /* "127.0.0.1:8642"; port 0: the system picks */
    int64_t stream_after_ms;    /* no answer for so long: a stream is begun; 0: 10000 */
    int64_t keep_alive_ms;      /* a comment into a stream that is silent; 0: 15000 */
    int64_t arrive_ms, idle_ms; /* see server/web.h */
    unsigned connections_max;
} ctn_web_mcp_options;

/* CTN_E_DENIED: not loopback, and there are no tokens; otherwise as ctn_web_open. */
int ctn_web_mcp_open(const ctn_web_mcp_options *options, ctn_web_mcp **ret_mcp, ctn_err *err);
void ctn_web_mcp_close(ctn_web_mcp *mcp); /* NULL is fine; before the endpoint */
/* "http://127.0.0.1:41233/mcp" */
const char *ctn_web_mcp_url(const ctn_web_mcp *mcp);
