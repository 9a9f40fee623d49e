/*
 * control.h -- the owner's side of the socket beside a store (FILE.sock): how other processes of the same user reach
 * the process that owns it.
 *
 * JSON-RPC 2.0 as lines (wire/jsonrpc.h). Methods:
 *
 *   ping                      {pid, version, storeFailing?: {seconds, why}}: the store cannot be written
 *   start resume answer settle set cancel pause release discard, schedule.pause schedule.resume schedule.fire
 *                             (request.h) {executionId}, once it is on disk (all zero: it is about none)
 *   pins                      {}: the pinned tools were changed (tool_guard.h), and have been read again
 *   watch {id}                a snapshot (snapshot.h); from then on the notifications
 *                               status   {status}
 *                               step     a step of the snapshot
 *                               progress {step, progress, total, message}
 *   mcp                       {}; from then on the connection is its client's alone: lines of MCP, both ways
 *
 * An error's message is a sentence for people, its code that of base/err.h, or JSON-RPC's own for what is no message.
 * The socket is for its owner alone (mode 0600); whoever can reach it may do what he likes with the file anyway.
 */
#pragma once
#include "fleet/desk.h"
#include "host/tool_guard.h"
#include "host/workspace.h"

typedef struct ctn_control ctn_control;

typedef struct ctn_control_options {
    ctn_loop *loop;
    ctn_engine *engine;
    ctn_store *store;
    ctn_desk *desk;
    const ctn_workspace *ws;
    ctn_tool_guard *guard;
} ctn_control_options;

/* Listens at `path`. What the options name is borrowed until _close. */
int ctn_control_open(const ctn_control_options *options, const char *path, ctn_control **ret_control, ctn_err *err);
/* Who takes over connections that say `mcp`: fn owns the descriptor. NULL: they are refused. */
void ctn_control_on_guest(ctn_control *control, void (*fn)(void *ctx, int fd), void *ctx);
/* NULL is fine, here and below. */
void ctn_control_tell(ctn_control *control, const ctn_engine_event *event);
/* Nobody new is let in; the socket file is gone. */
void ctn_control_stop(ctn_control *control);
void ctn_control_close(ctn_control *control);
