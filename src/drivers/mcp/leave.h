/*
 * leave.h -- the token of one HTTP request: asked for before it is sent, and again when the server refused it.
 *
 * A 401 or 403 says that nothing was executed, so the request may go out once more with another token
 * (oauth/auth.h decides whether there is one); a few times at most.
 *
 * Ownership  The leave lies in its request, and borrows the arena, which lives as long.
 */
#pragma once
#include "drivers/mcp/http_headers.h"
#include "loop/watch.h"
#include "oauth/auth.h"

typedef struct ctn_mcp_leave_events {
    void (*given)(void *ctx);                             /* send it; may come from inside _ask */
    void (*denied)(void *ctx, int code, const char *why); /* never from inside; the request may be freed in it */
    void *ctx;
} ctn_mcp_leave_events;

typedef struct ctn_mcp_leave {
    ctn_auth *auth; /* NULL: no token is ours to send; given at once */
    ctn_loop *loop;
    ctn_arena *arena;
    ctn_mcp_leave_events events;
    ctn_str token;
    ctn_str challenges[4];
    size_t challenge_count;
    unsigned refusals;
    ctn_task denial;
    int code;
    const char *why;
} ctn_mcp_leave;

void ctn_mcp_leave_ask(ctn_mcp_leave *leave);
void ctn_mcp_leave_add(const ctn_mcp_leave *leave, ctn_mcp_header_list *list);
/* Keeps what a refusal says. */
void ctn_mcp_leave_read(ctn_mcp_leave *leave, const ctn_http_head *head);
/* True: `given` or `denied` follows. False: the status is no refusal, or was given too often. */
bool ctn_mcp_leave_refused(ctn_mcp_leave *leave, int status);
void ctn_mcp_leave_done(ctn_mcp_leave *leave);
