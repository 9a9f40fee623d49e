/*
 * engine_backend.c -- the engine's backend as a whole: made, listening to the engine, and which call goes to whom.
 *
 * A call of the engine's own tools goes to engine_tools.c, any other name is a chain's (engine_start.c). What happens
 * to executions comes from the host as events, and goes to the calls that wait (engine_follow.c) and to tasks.
 */
#include "base/memory.h"
#include "server/mcp/engine_published.h"
#include <stdlib.h>

#define POLL_MS 2000 /* so late are chains noticed that another process imports, while somebody knows the list */

static const char INSTRUCTIONS[] =
    "catena runs chains: durable workflows that survive crashes. Each chain is a tool of its own; list_chains tells "
    "about all of them. A call that does not end in time, or that needs somebody's answer, comes back with an "
    "executionId and a member `next` that says which tool to call. get_execution tells how one stands, answer_step "
    "answers a step that waits (also steps that you are asked to do yourself), explain says why something happened.";

static void on_event(void *ctx, const ctn_engine_event *event)
{
    ctn_engine_backend *b = ctx;
    ctn_follows_event(b, event);
    ctn_tasks_event(b, event);
    ctn_published_event(b, event);
}

static void look_again(void *ctx)
{
    ctn_engine_backend *b = ctx;
    if (!ctn_host_engine(b->host))
        return;
    (void) ctn_engine_catalogue(b);
    ctn_timer_set(b->poll, ctn_loop_now_ms(b->loop) + POLL_MS);
}

/* Whoever knows a list is told when it changes. */
static const ctn_catalogue *listed(ctn_engine_backend *b)
{
    ctn_timer_set(b->poll, ctn_loop_now_ms(b->loop) + POLL_MS);
    return ctn_engine_catalogue(b);
}

static const ctn_json *prompts(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) principal, (void) arena;
    return listed(ctx)->prompts;
}

static const ctn_json *resources(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) principal, (void) arena;
    return listed(ctx)->resources;
}

static const ctn_json *resource_templates(void *ctx, ctn_str principal, ctn_arena *arena)
{
    (void) principal, (void) arena;
    return listed(ctx)->templates;
}

static const ctn_json *tools(void *ctx, ctn_str principal, ctn_arena *arena)
{
    ctn_engine_backend *b = ctx;
    const ctn_catalogue *c = listed(b);
    ctn_json_builder list = ctn_json_array(arena);
    (void) principal;
    for (size_t i = 0; i < ctn_json_count(b->own_tools); i++)
        ctn_json_push(&list, ctn_json_at(b->own_tools, i));
    for (size_t i = 0; i < ctn_json_count(c->tools); i++)
        ctn_json_push(&list, ctn_json_at(c->tools, i));
    return ctn_json_finish(&list);
}

/* Of every call: the list is not made for it. */
static const ctn_json *tool(void *ctx, ctn_str principal, ctn_str name, ctn_arena *arena)
{
    ctn_engine_backend *b = ctx;
    (void) principal, (void) arena;
    for (size_t i = 0; i < ctn_json_count(b->own_tools); i++)
        if (ctn_str_equal(ctn_json_str_or(ctn_json_at(b->own_tools, i), "name", (ctn_str){0}), name))
            return ctn_json_at(b->own_tools, i);
    const ctn_offered_chain *chain = ctn_catalogue_tool(listed(b), name);
    return chain ? chain->tool : NULL;
}

static void call(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    if (ctn_engine_tool_call(b, x))
        return;
    const ctn_offered_chain *chain = ctn_catalogue_tool(ctn_engine_catalogue_told(b), ctn_mcp_exchange_ask_of(x)->name);
    if (chain)
        ctn_engine_call_chain(b, x, chain);
    else /* it went between the list and the call */
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS,
                               CTN_STR("there is no such tool any more: list the tools again"), NULL);
}

ctn_engine_backend *ctn_engine_backend_new(ctn_host *host)
{
    ctn_engine_backend *b = ctn_malloc(sizeof *b);
    *b = (ctn_engine_backend){.host = host,
                              .ws = ctn_host_workspace(host),
                              .loop = ctn_host_loop(host),
                              .arena = ctn_arena_new(65536),
                              .offers = {.ctx = b,
                                         .tools = tools,
                                         .tool = tool,
                                         .prompts = prompts,
                                         .resources = resources,
                                         .resource_templates = resource_templates,
                                         .call = call,
                                         .prompt = ctn_published_prompt,
                                         .read = ctn_published_read,
                                         .complete = ctn_published_complete,
                                         .task_get = ctn_mcp_task_get,
                                         .task_update = ctn_mcp_task_update,
                                         .task_cancel = ctn_mcp_task_cancel,
                                         .may_watch_task = ctn_task_may_watch,
                                         .may_watch_resource = ctn_published_may_watch,
                                         .instructions = INSTRUCTIONS}};
    b->poll = ctn_timer_new(b->loop, look_again, b);
    ctn_follows_open(b);
    ctn_engine_tools_open(b);
    ctn_host_listen(host, on_event, b);
    return b;
}

void ctn_engine_backend_drain(ctn_engine_backend *b)
{
    ctn_follows_hurry(b);
}

void ctn_engine_backend_free(ctn_engine_backend *b)
{
    if (!b)
        return;
    ctn_host_unlisten(b->host, b);
    ctn_trials_free(b);
    ctn_follows_free(b);
    ctn_engine_tools_close(b);
    ctn_catalogue_free(b->catalogue);
    ctn_timer_free(b->poll);
    ctn_arena_free(b->arena);
    free(b);
}

const ctn_mcp_backend *ctn_engine_backend_offers(ctn_engine_backend *b)
{
    return &b->offers;
}

void ctn_engine_backend_tell(ctn_engine_backend *b, ctn_mcp_endpoint *endpoint)
{
    b->endpoint = endpoint;
}
