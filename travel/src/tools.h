/*
 * tools.h -- the tools of the travel pack: each folder gives its own as a toolset, the server puts them side by side.
 *
 * A toolset is a table in the folder's NAME_tools.c: what a tool says of itself (schemas, annotations) and the function
 * that does it. The function decides nothing by itself: it reads arguments (kit/arguments.h), asks the folder's own
 * module and gives the answer's JSON. Annotations are honest: `is_idempotent` only where the same key (or the same
 * arguments) changes nothing twice, `is_closed_world` only where nothing outside this machine is dealt with.
 *
 * Errors   CTN_E_TIMEOUT, CTN_E_IO: nobody knows whether it happened (a provider did not answer, a disk failed), so the
 *          engine asks the set's `check`, and repeats what only reads or is idempotent. CTN_E_BUSY: nothing happened,
 *          and it may later. Any other: nothing happened (tool_error).
 *
 * Threads  One. A call may take as long as its provider takes; others wait behind it.
 */
#pragma once

#include "base/clock.h"
#include "wire/mcp_server.h"

#include "agency.h"

struct travel_crm;      /* crm/crm.h */
struct travel_deals;    /* booking/deals.h */
struct travel_provider; /* search/provider.h */

typedef struct travel_tools {
    const char *crm_path;  /* may be NULL: tools that need it say so */
    travel_agency *agency; /* never NULL; closed by travel_tools_done */
    ctn_clock clock;
    struct travel_crm *crm;     /* opened at first use, see travel_call_crm */
    struct travel_deals *deals; /* likewise, see travel_call_deals */
} travel_tools;

typedef struct travel_call {
    travel_tools *tools;
    ctn_arena *arena; /* for the answer */
    const ctn_json *arguments;
    ctn_str idempotency_key; /* empty: none was sent */
} travel_call;

typedef struct travel_tool {
    ctn_mcp_server_tool about;
    int (*run)(const travel_call *call, const ctn_json **ret_result, ctn_err *err);
} travel_tool;

typedef struct travel_toolset {
    const travel_tool *tools;
    size_t count;
    /* The folder's sections of agency.yaml say what they may, or why not; asked at the start. NULL: it reads none. */
    int (*check)(const travel_agency *agency, ctn_err *err);
} travel_toolset;

extern const travel_toolset travel_lead_tools, travel_trip_tools, travel_crm_lead_tools, travel_crm_client_tools,
    travel_crm_office_tools, travel_search_tools, travel_proposal_tools, travel_followup_tools, travel_delivery_tools,
    travel_booking_tools, travel_extra_tools, travel_watch_tools, travel_rooms_tools, travel_erase_tools;

/* Every toolset's check: CTN_E_INVALID with file:line:column. */
int travel_tools_check(const travel_agency *agency, ctn_err *err);
/* All of them, as the server lists them; a tool's index there is what travel_tools_call gets. */
const ctn_mcp_server_tool *travel_tools_list(ctn_arena *arena, size_t *ret_count);
/* The server's callback; ctx is a travel_tools. */
void travel_tools_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply);
/* By name, for people and tests. CTN_E_NOT_FOUND: no such tool; other codes: the tool failed. */
int travel_tools_run(travel_tools *tools, ctn_str name, ctn_arena *arena, const ctn_json *arguments,
                     ctn_str idempotency_key, const ctn_json **ret_result, ctn_err *err);
/* The CRM, opened if it is not yet. is_reading: a file that is not there is CTN_E_NOT_FOUND and is not made. */
int travel_call_crm(const travel_call *call, bool is_reading, ctn_err *err);
/* What was asked of the provider of flights and hotels, opened likewise. CTN_E_INVALID: agency.yaml's provider. */
int travel_call_deals(const travel_call *call, struct travel_deals **ret_deals, ctn_err *err);
/* That provider alone, for who only searches. */
int travel_call_provider(const travel_call *call, const struct travel_provider **ret_provider, ctn_err *err);
void travel_tools_done(travel_tools *tools);
