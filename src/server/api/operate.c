/*
 * operate.c -- operations about what chains stand on: tools and their servers, circuit breakers, schedules, this
 * process and what waits for it.
 */
#include <unistd.h>
#include "host/drivers.h"
#include "host/told.h"
#include "server/api/execution.h"

static void answer_list(ctn_api_call *call, const char *name, ctn_json_builder *list)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_json_put(&b, ctn_str_from(name), ctn_json_finish(list));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

/* ---- tools ---- */

/* What was listed last: nothing is started for a question. */
static const ctn_json *tools_of(ctn_api_call *call, const ctn_mcp_driver *servers, ctn_str server)
{
    ctn_json_builder list = ctn_json_array(call->arena);
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tools(servers, server, &count);
    for (size_t i = 0; i < count; i++) {
        const char *from = NULL;
        ctn_json_builder b = ctn_json_object(call->arena);
        ctn_str target = ctn_arena_printf(call->arena, "%.*s/%.*s", CTN_STR_ARG(server), CTN_STR_ARG(tools[i].name));
        ctn_json_put_str(&b, "tool", target);
        ctn_json_put_str(&b, "effect", ctn_str_from(ctn_effect_name(ctn_mcp_effect(servers, target, &from))));
        if (from)
            ctn_json_put_str(&b, "effectSaidBy", ctn_str_from(from));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_copy(call->arena, ctn_json_finish(&list));
}

static const ctn_json *instances_of(ctn_api_call *call, const ctn_mcp_driver *servers, ctn_str server)
{
    ctn_json_builder list = ctn_json_array(call->arena);
    ctn_mcp_instance_state state;
    for (size_t i = 0; ctn_mcp_instance(servers, server, i, &state); i++) {
        ctn_json_builder b = ctn_json_object(call->arena);
        ctn_json_put_str(&b, "state", ctn_str_from(state.state));
        ctn_json_put_int(&b, "calls", (int64_t) state.calls);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

static void list_tools(ctn_api_call *call)
{
    const ctn_config *config = ctn_host_workspace(call->host)->config;
    ctn_json_builder list = ctn_json_array(call->arena);
    ctn_drivers *drivers = NULL;
    ctn_err err = {0};
    if (ctn_host_drivers(call->host, &drivers, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    for (size_t i = 0; i < config->server_count; i++) {
        ctn_json_builder b = ctn_json_object(call->arena);
        ctn_json_put_str(&b, "server", config->servers[i].name);
        ctn_json_put(&b, CTN_STR("instances"), instances_of(call, ctn_drivers_tools(drivers), config->servers[i].name));
        ctn_json_put(&b, CTN_STR("tools"), tools_of(call, ctn_drivers_tools(drivers), config->servers[i].name));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    answer_list(call, "servers", &list);
}

/* ---- breakers ---- */

static int add_breaker(void *ctx, const ctn_breaker_row *row)
{
    ctn_json_builder *list = ctx, b = ctn_json_object(list->arena);
    ctn_json_put_str(&b, "name", ctn_arena_str(list->arena, row->name));
    ctn_json_put_str(&b, "state", ctn_arena_str(list->arena, row->state));
    ctn_json_put_time(&b, "openUntil", row->until_ms);
    ctn_json_put_time(&b, "changedAt", row->changed_at_ms);
    ctn_json_push(list, ctn_json_finish(&b));
    return 0;
}

static void list_breakers(ctn_api_call *call)
{
    ctn_json_builder list = ctn_json_array(call->arena);
    ctn_err err = {0};
    if (ctn_store_breaker_list(ctn_host_store(call->host), add_breaker, &list, &err))
        ctn_api_fail(call, &err);
    else
        answer_list(call, "breakers", &list);
}

static void reset_breaker(ctn_api_call *call)
{
    ctn_str name = ctn_api_text(call->body, "name");
    ctn_err err = {0};
    if (ctn_access_audit(call->access, call->caller, "breakers.reset", name, NULL, &err))
        ctn_api_fail(call, &err);
    else if (!ctn_engine_breaker_reset(ctn_host_engine(call->host), name))
        ctn_api_problem(call, 404, CTN_STR("/name"), "there is no circuit breaker \"%.*s\"", CTN_STR_ARG(name));
    else
        ctn_api_answer(call, 204, NULL);
}

/* ---- nodes and the queue ---- */

/* One process owns a store, so there is one. */
static void list_nodes(ctn_api_call *call)
{
    ctn_engine_figures f = ctn_engine_figures_now(ctn_host_engine(call->host));
    ctn_json_builder b = ctn_json_object(call->arena), list = ctn_json_array(call->arena);
    char host[256] = "";
    if (gethostname(host, sizeof host - 1))
        host[0] = '\0';
    ctn_json_put_str(&b, "host", ctn_arena_str(call->arena, ctn_str_from(host)));
    ctn_json_put_int(&b, "pid", getpid());
    ctn_json_put_str(&b, "version", ctn_str_from(CATENA_VERSION));
    ctn_json_put_int(&b, "executionsInMemory", (int64_t) f.loaded);
    ctn_json_put_int(&b, "executionsRunning", (int64_t) f.running);
    ctn_json_put_int(&b, "callsInFlight", (int64_t) f.in_flight);
    ctn_json_put_int(&b, "starts", (int64_t) f.starts);
    ctn_json_put_int(&b, "ends", (int64_t) f.ends);
    ctn_json_put_int(&b, "commits", (int64_t) f.commits);
    ctn_json_put_time(&b, "storeFailingSince", f.store_failing_since_ms);
    ctn_json_push(&list, ctn_json_finish(&b));
    answer_list(call, "nodes", &list);
}

typedef struct lanes {
    ctn_api_call *call;
    ctn_json_builder list;
} lanes;

/* Of other tenants nothing is told to one. */
static int add_lane(void *ctx, const ctn_queue_figure *f)
{
    lanes *l = ctx;
    ctn_arena *arena = l->call->arena;
    ctn_str own = l->call->caller->tenant;
    ctn_json_builder b = ctn_json_object(arena);
    if (own.len && !ctn_str_equal(own, f->tenant))
        return 0;
    if (f->tenant.len)
        ctn_json_put_str(&b, "tenant", ctn_arena_str(arena, f->tenant));
    ctn_json_put_str(&b, "chain", ctn_arena_str(arena, f->chain_id));
    ctn_json_put_int(&b, "priority", f->priority);
    ctn_json_put_int(&b, "depth", f->depth);
    ctn_json_put_time(&b, "oldestAt", f->oldest_at_ms);
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static void list_queue(ctn_api_call *call)
{
    lanes l = {.call = call, .list = ctn_json_array(call->arena)};
    if (!ctn_engine_queue(ctn_host_engine(call->host), add_lane, &l))
        ctn_api_problem(call, 503, (ctn_str){0}, "the queue has not been read yet; call again");
    else
        answer_list(call, "lanes", &l.list);
}

/* clang-format off */
const ctn_api_operation ctn_api_operate[] = {
    {"listTools", list_tools},
    {"listBreakers", list_breakers},
    {"resetBreaker", reset_breaker},
    {"listNodes", list_nodes},
    {"listQueue", list_queue},
    {0},
};
