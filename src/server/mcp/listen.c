/*
 * listen.c -- who is told what changes: subscriptions/listen of modern clients, which are requests that stay open, and
 * what legacy clients are told over their pipe. A legacy client over HTTP has no stream of ours: it is told nothing.
 */
#include "server/mcp/internal.h"

#define WATCHED_MAX 1000

static const struct {
    const char *key, *method;
} CHANGED[] = {
    [CTN_MCP_TOOLS_CHANGED] = {"toolsListChanged", "notifications/tools/list_changed"},
    [CTN_MCP_PROMPTS_CHANGED] = {"promptsListChanged", "notifications/prompts/list_changed"},
    [CTN_MCP_RESOURCES_CHANGED] = {"resourcesListChanged", "notifications/resources/list_changed"},
};
#define CHANGED_COUNT (sizeof CHANGED / sizeof *CHANGED)

/* params with the tag of this subscription. */
static void send_tagged(ctn_mcp_exchange *x, const char *method, const ctn_json *params)
{
    ctn_arena *arena = x->endpoint->scratch;
    ctn_arena_mark mark = ctn_arena_save(arena);
    ctn_json_builder tagged = ctn_json_object(arena), meta = ctn_json_object(arena);
    ctn_json_put_all(&tagged, params);
    ctn_json_put_all(&meta, ctn_json_member_of(params, "_meta"));
    ctn_json_put(&meta, CTN_STR(CTN_MCP_META_SUBSCRIPTION), x->id);
    ctn_json_put(&tagged, CTN_STR("_meta"), ctn_json_finish(&meta));
    ctn_mcp_exchange_notify(x, method, ctn_json_finish(&tagged));
    ctn_arena_restore(arena, mark);
}

static void send_to_pipe(ctn_mcp_endpoint *e, ctn_mcp_pipe *pipe, const char *method, const ctn_json *params)
{
    ctn_buf_clear(&e->out);
    ctn_rpc_write_notification(&e->out, method, params);
    pipe->channel->send(pipe->channel, ctn_str_trim(ctn_buf_str(&e->out)));
}

/* ---- subscriptions/listen ---- */

/* The texts of the list that may be watched; NULL: none is wanted. */
static const ctn_json *watched(ctn_mcp_exchange *x, const ctn_json *wanted,
                               bool (*may_watch)(void *ctx, const ctn_mcp_exchange *x, ctn_str name))
{
    if (!ctn_json_is(wanted, CTN_JSON_ARRAY))
        return NULL;
    ctn_json_builder given = ctn_json_array(x->arena);
    for (size_t i = 0; may_watch && i < wanted->count && i < WATCHED_MAX; i++) {
        const ctn_json *name = ctn_json_at(wanted, i);
        if (ctn_json_is(name, CTN_JSON_STRING) && may_watch(x->endpoint->of.backend->ctx, x, ctn_json_text(name)))
            ctn_json_push(&given, name);
    }
    return ctn_json_finish(&given);
}

static void acknowledge(ctn_mcp_exchange *x)
{
    ctn_json_builder given = ctn_json_object(x->arena), params = ctn_json_object(x->arena);
    for (size_t i = 0; i < CHANGED_COUNT; i++)
        if (x->filter->changed[i])
            ctn_json_put_bool(&given, CHANGED[i].key, true);
    if (x->filter->uris)
        ctn_json_put(&given, CTN_STR("resourceSubscriptions"), x->filter->uris);
    if (x->filter->tasks)
        ctn_json_put(&given, CTN_STR("taskIds"), x->filter->tasks);
    ctn_json_put(&params, CTN_STR("notifications"), ctn_json_finish(&given));
    send_tagged(x, "notifications/subscriptions/acknowledged", ctn_json_finish(&params));
}

void ctn_mcp_listen(ctn_mcp_exchange *x)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    const ctn_json *wanted = ctn_json_member_of(x->params, "notifications");
    const ctn_json *tasks = ctn_json_member_of(wanted, "taskIds");
    if (!ctn_json_is(wanted, CTN_JSON_OBJECT)) {
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS,
                               CTN_STR("\"notifications\" says what to listen to: an object"), NULL);
        return;
    }
    if (x->channel->is_answer_only) {
        ctn_mcp_exchange_refuse(x, 406, CTN_RPC_INVALID_REQUEST,
                                CTN_STR("subscriptions/listen is answered by a stream: Accept: text/event-stream"),
                                NULL);
        return;
    }
    if (tasks && !x->caller.can_tasks) {
        ctn_mcp_exchange_needs_tasks(x);
        return;
    }
    const bool offered[] = {b->tools, b->prompts, b->resources};
    x->filter = CTN_NEW(x->arena, ctn_mcp_filter);
    for (size_t i = 0; i < CHANGED_COUNT; i++)
        x->filter->changed[i] = offered[i] && ctn_json_bool_or(wanted, CHANGED[i].key, false);
    x->filter->uris = watched(x, ctn_json_member_of(wanted, "resourceSubscriptions"), b->may_watch_resource);
    x->filter->tasks = watched(x, tasks, b->may_watch_task);
    acknowledge(x);
}

/* The pages of the specification differ on how a server ends one: a notification, and the answer. */
void ctn_mcp_listen_end(ctn_mcp_exchange *x)
{
    ctn_json_builder params = ctn_json_object(x->arena), meta = ctn_json_object(x->arena),
                     result = ctn_json_object(x->arena);
    ctn_json_put(&params, CTN_STR("requestId"), x->id);
    ctn_json_put_str(&params, "reason", CTN_STR("the server is stopping"));
    send_tagged(x, "notifications/cancelled", ctn_json_finish(&params));
    ctn_json_put(&meta, CTN_STR(CTN_MCP_META_SUBSCRIPTION), x->id);
    ctn_json_put(&result, CTN_STR("_meta"), ctn_json_finish(&meta));
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

/* ---- what changed ---- */

void ctn_mcp_endpoint_changed(ctn_mcp_endpoint *e, ctn_mcp_changed what)
{
    for (ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        if (x->filter && x->filter->changed[what])
            send_tagged(x, CHANGED[what].method, NULL);
    for (ctn_mcp_pipe *pipe = e->pipes; pipe; pipe = pipe->next)
        if (pipe->version.len)
            send_to_pipe(e, pipe, CHANGED[what].method, NULL);
}

void ctn_mcp_endpoint_resource_changed(ctn_mcp_endpoint *e, ctn_str uri)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_json_builder b = ctn_json_object(e->scratch);
    ctn_json_put_str(&b, "uri", uri);
    const ctn_json *params = ctn_json_finish(&b);
    for (ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        if (x->filter && ctn_json_has_text(x->filter->uris, uri))
            send_tagged(x, "notifications/resources/updated", params);
    for (ctn_mcp_pipe *pipe = e->pipes; pipe; pipe = pipe->next)
        for (size_t i = 0; i < pipe->uri_count; i++)
            if (ctn_str_equal(pipe->uris[i], uri)) {
                send_to_pipe(e, pipe, "notifications/resources/updated", params);
                break;
            }
    ctn_arena_restore(e->scratch, mark);
}

void ctn_mcp_endpoint_task_changed(ctn_mcp_endpoint *e, ctn_str task_id, const ctn_json *task)
{
    for (ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        if (x->filter && ctn_json_has_text(x->filter->tasks, task_id))
            send_tagged(x, "notifications/tasks", task);
}

/* ---- resources/subscribe of legacy clients ---- */

void ctn_mcp_legacy_subscribe(ctn_mcp_exchange *x, bool is_wanted)
{
    const ctn_json *uri = ctn_json_member_of(x->params, "uri");
    if (!ctn_json_is(uri, CTN_JSON_STRING)) {
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("\"uri\" is missing"), NULL);
        return;
    }
    ctn_mcp_pipe *pipe = x->channel->is_http ? NULL : ctn_mcp_pipe_of(x->endpoint, x->channel);
    for (size_t i = 0; pipe && i < pipe->uri_count; i++)
        if (ctn_str_equal(pipe->uris[i], ctn_json_text(uri)))
            pipe->uris[i] = (ctn_str){0};
    size_t at = 0;
    while (pipe && at < pipe->uri_count && pipe->uris[at].len)
        at++;
    if (pipe && is_wanted && at >= WATCHED_MAX) {
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("too many subscriptions"), NULL);
        return;
    }
    if (pipe && is_wanted) {
        if (at == pipe->uri_count) {
            pipe->uris =
                ctn_arena_room(pipe->arena, pipe->uris, pipe->uri_count, &pipe->uri_capacity, sizeof *pipe->uris);
            pipe->uri_count++;
        }
        pipe->uris[at] = ctn_arena_str(pipe->arena, ctn_json_text(uri));
    }
    ctn_mcp_exchange_result(x, NULL);
}
