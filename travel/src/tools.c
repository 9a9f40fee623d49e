/*
 * tools.c -- see tools.h.
 */
#include "tools.h"

#include "booking/deals.h"
#include "crm/crm.h"

#include <assert.h>

static const travel_toolset *const SETS[] = {
    &travel_lead_tools,       &travel_trip_tools,    &travel_crm_lead_tools, &travel_crm_client_tools,
    &travel_crm_office_tools, &travel_search_tools,  &travel_proposal_tools, &travel_followup_tools,
    &travel_delivery_tools,   &travel_booking_tools, &travel_extra_tools,    &travel_watch_tools,
    &travel_rooms_tools,      &travel_erase_tools,
};
enum { SET_COUNT = sizeof SETS / sizeof *SETS };

static size_t count_tools(void)
{
    size_t count = 0;
    for (size_t i = 0; i < SET_COUNT; i++)
        count += SETS[i]->count;
    return count;
}

static const travel_tool *tool_at(size_t index)
{
    for (size_t i = 0; i < SET_COUNT; index -= SETS[i++]->count) {
        if (index < SETS[i]->count)
            return &SETS[i]->tools[index];
    }
    return NULL;
}

int travel_tools_check(const travel_agency *agency, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; !rc && i < SET_COUNT; i++)
        rc = SETS[i]->check ? SETS[i]->check(agency, err) : CTN_OK;
    return rc;
}

const ctn_mcp_server_tool *travel_tools_list(ctn_arena *arena, size_t *ret_count)
{
    size_t count = count_tools();
    ctn_mcp_server_tool *list = ctn_arena_alloc(arena, count * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = tool_at(i)->about;
    *ret_count = count;
    return list;
}

static int run(travel_tools *tools, const travel_tool *tool, ctn_arena *arena, const ctn_json *arguments,
               ctn_str idempotency_key, const ctn_json **ret_result, ctn_err *err)
{
    travel_call call = {.tools = tools, .arena = arena, .arguments = arguments, .idempotency_key = idempotency_key};
    int rc = tool->run(&call, ret_result, err);
    return rc ? ctn_wrap(err, rc, "%s", tool->about.name) : CTN_OK;
}

int travel_tools_run(travel_tools *tools, ctn_str name, ctn_arena *arena, const ctn_json *arguments,
                     ctn_str idempotency_key, const ctn_json **ret_result, ctn_err *err)
{
    size_t count = count_tools();
    ctn_str *names = ctn_arena_alloc(arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const travel_tool *tool = tool_at(i);
        if (ctn_str_is(name, tool->about.name))
            return run(tools, tool, arena, arguments, idempotency_key, ret_result, err);
        names[i] = ctn_str_from(tool->about.name);
    }
    ctn_str nearest = ctn_str_nearest(name, names, count);
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no tool \"%.*s\"%s%.*s%s", (int) (name.len > 80 ? 80 : name.len),
                    name.len ? name.ptr : "", nearest.len ? "; did you mean " : "", CTN_STR_ARG(nearest),
                    nearest.len ? "?" : "");
}

/* What a failed call means to who may repeat it (tools.h, Errors). */
static const char *failure_name(int code)
{
    return code == CTN_E_TIMEOUT || code == CTN_E_IO ? "timeout" : code == CTN_E_BUSY ? "unavailable" : NULL;
}

void travel_tools_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    ctn_err err = {0};
    const travel_tool *tool = tool_at(call->tool);
    assert(tool);
    int rc = run(ctx, tool, call->arena, call->arguments, call->idempotency_key, &ret_reply->value, &err);
    if (rc) {
        ret_reply->error = ctn_arena_str(call->arena, ctn_str_from(err.message));
        ret_reply->failure = failure_name(rc);
    }
}

int travel_call_crm(const travel_call *call, bool is_reading, ctn_err *err)
{
    if (call->tools->crm)
        return CTN_OK;
    return travel_crm_open(call->tools->crm_path, is_reading, &call->tools->crm, err);
}

int travel_call_deals(const travel_call *call, travel_deals **ret_deals, ctn_err *err)
{
    travel_tools *tools = call->tools;
    int rc = tools->deals ? CTN_OK : travel_deals_open(tools->agency, &tools->clock, &tools->deals, err);
    if (!rc)
        *ret_deals = tools->deals;
    return rc;
}

int travel_call_provider(const travel_call *call, const travel_provider **ret_provider, ctn_err *err)
{
    travel_deals *deals;
    int rc = travel_call_deals(call, &deals, err);
    if (!rc)
        *ret_provider = travel_deals_provider(deals);
    return rc;
}

void travel_tools_done(travel_tools *tools)
{
    travel_deals_close(tools->deals);
    tools->deals = NULL;
    travel_crm_close(tools->crm);
    tools->crm = NULL;
    travel_agency_close(tools->agency);
    tools->agency = NULL;
}
