/*
 * tool_guard.h -- the guard of a running host over the tools that chains rely on.
 *
 * It pins each tool that a plan names when the plan's servers have listed theirs for the first time, looks again
 * whenever a server lists its tools, notes what has changed beside the pin, and has the engine hold what by the
 * server's onToolChange is to be held. What was paused for a tool is resumed when it is let go, by a host that serves.
 *
 * Nothing is known of a server that cannot be reached: what was seen last stands. Hashing is done when tools are
 * listed, never for a call.
 *
 * Threads    The loop's; it writes the store there, seldom (engine.h).
 */
#pragma once
#include "base/log.h"
#include "engine/engine.h"
#include "host/config.h"
#include "host/teller.h"

typedef struct ctn_tool_guard ctn_tool_guard;

typedef struct ctn_tool_guard_options {
    const ctn_config *config;
    ctn_store *store;
    ctn_mcp_driver *servers;
    const ctn_log *log; /* NULL: silent */
    ctn_teller teller;
    bool resumes; /* what was paused goes on by itself */
} ctn_tool_guard_options;

/* Reads the pins. All that the options name is borrowed. */
int ctn_tool_guard_new(const ctn_tool_guard_options *options, ctn_tool_guard **ret_guard, ctn_err *err);
void ctn_tool_guard_free(ctn_tool_guard *guard); /* NULL is fine. After it the servers' lists are nobody's news */
/* The engine that is to hold; from here on. */
void ctn_tool_guard_begin(ctn_tool_guard *guard, ctn_engine *engine);
/* For the engine's plan_bound: ctx is the guard. */
void ctn_tool_guard_plan_bound(void *ctx, const ctn_plan *plan);
/* Somebody has changed the pins (`tools accept`): they are read again. */
int ctn_tool_guard_reload(ctn_tool_guard *guard, ctn_err *err);
