/*
 * tools.h -- the tools of the travel pack, as a table: what `catena-travel` serves and what it calls by hand.
 */
#pragma once

#include "base/clock.h"
#include "wire/mcp_server.h"

#include "crm.h"

typedef struct travel_tools {
    const char *crm_path; /* may be NULL: tools that need it say so */
    ctn_clock clock;
    travel_crm *crm; /* opened at first use */
} travel_tools;

extern const ctn_mcp_server_tool travel_tool_table[];
extern const size_t travel_tool_count;

/* The server's callback; ctx is a travel_tools. */
void travel_tools_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply);
/* By name, for people and tests. CTN_E_NOT_FOUND: no such tool; other codes: the tool failed. */
int travel_tools_run(travel_tools *tools, ctn_str name, ctn_arena *arena, const ctn_json *arguments,
                     ctn_str idempotency_key, const ctn_json **ret_result, ctn_err *err);
void travel_tools_done(travel_tools *tools);
