/*
 * kit.h -- a small server for tests: tools, prompts and resources of every kind, in memory.
 *
 *     echo {text}      gives it back, as structured content and text; marked x-mcp-header: Text
 *     list             structured content that is an array
 *     blocks           text, image, audio, a link, an embedded resource
 *     slow             tells progress and waits until kit_finish, or until it is gone
 *     ask              asks for a name, and greets; its state is {round: 1}
 *     refuse           isError
 *     grow             begins a task
 *     count            {calls, gone}
 *     shout            tells everybody who listens that the tools have changed, 50000 times
 */
#pragma once
#include "server/mcp/endpoint.h"

typedef struct kit {
    ctn_mcp_backend backend;
    ctn_mcp_endpoint *endpoint; /* for shout */
    ctn_mcp_exchange *slow;     /* the last one that waits; NULL: none */
    size_t calls, gone_count;
    size_t tool_count;    /* of filler tools beside the named ones */
    const char *last_key; /* the idempotency key of the last call */
    char last_principal[32];
} kit;

void kit_init(kit *k);
void kit_finish(kit *k); /* answers the slow one */
