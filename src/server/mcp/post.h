/*
 * post.h -- /mcp: each POST is a message of MCP, taken by an endpoint and answered as JSON, or as a stream of events
 * when something comes before the answer, or when it takes long. A site of the front's (server/front.h), and another
 * with the metadata of the protected resource (RFC 9728), where issuers are configured.
 *
 * Ownership  What the options name is borrowed.
 * Threads    The loop's.
 */
#pragma once
#include "server/front.h"
#include "server/mcp/endpoint.h"

typedef struct ctn_web_mcp ctn_web_mcp;

typedef struct ctn_web_mcp_options {
    ctn_loop *loop;
    ctn_front *front;
    const ctn_config_http *config;
    ctn_mcp_endpoint *endpoint;
    int64_t stream_after_ms; /* no answer for so long: a stream is begun; 0: 10000 */
    int64_t keep_alive_ms;   /* a comment into a stream that is silent; 0: 15000 */
} ctn_web_mcp_options;

/* Adds its sites to the front. */
ctn_web_mcp *ctn_web_mcp_open(const ctn_web_mcp_options *options);
void ctn_web_mcp_close(ctn_web_mcp *mcp); /* NULL is fine; before the endpoint, and the front right behind it */
/* "http://127.0.0.1:41233/mcp" */
const char *ctn_web_mcp_url(const ctn_web_mcp *mcp);
