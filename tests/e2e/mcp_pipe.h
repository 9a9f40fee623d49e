/*
 * mcp_pipe.h -- a client of `catena mcp`: the real binary, with a pipe to its stdin and one from its stdout.
 */
#pragma once
#include "base/json.h"
#include "cli_kit.h"

typedef struct mcp_pipe {
    pid_t pid; /* 0: it has ended */
    int in_fd, out_fd;
    ctn_arena *arena;
    ctn_buf text;
    long next_id;
    bool is_modern, has_form, has_tasks;
    const char *key; /* idempotency key of the next calls; NULL: none */
} mcp_pipe;

/* program NULL: the product's. A legacy client says initialize at once. */
void mcp_pipe_open(mcp_pipe *p, world *w, const char *program, bool is_modern);
/* The end of its stdin, and it ends well. */
void mcp_pipe_close(mcp_pipe *p);
void mcp_pipe_kill(mcp_pipe *p); /* SIGKILL, now */
/* params as JSON, with ' for ", without _meta. NULL: it died before it answered. */
const ctn_json *mcp_pipe_ask(mcp_pipe *p, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "" when there is nothing. */
const char *mcp_pipe_at(mcp_pipe *p, const ctn_json *answer, const char *pointer);
