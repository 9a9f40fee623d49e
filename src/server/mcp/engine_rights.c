/*
 * engine_rights.c -- may whoever asks do this? A caller over HTTP has what he is granted (host/access.h); one of a pipe
 * is the user of this machine, who may do everything.
 *
 * Each of the engine's own tools needs an action, in general and for the execution that it is about; a chain's tool
 * needs executions.start for that chain. What is another tenant's is not there, in the words for what is not there.
 */
#include "host/told.h"
#include "server/mcp/engine_internal.h"

const ctn_caller *ctn_engine_caller(const ctn_mcp_exchange *x)
{
    static const ctn_caller LOCAL = {.name = {"stdio", 5}, .via = {"mcp", 3}, .is_local = true};
    const ctn_caller *rights = ctn_mcp_exchange_caller(x)->rights;
    return rights ? rights : &LOCAL;
}

static ctn_access_object object_of(ctn_arena *arena, const ctn_execution_row *row)
{
    return (ctn_access_object){
        .chain_id = row->chain_id, .tenant = row->tenant, .labels = ctn_told_parsed(arena, row->labels)};
}

bool ctn_engine_may_read(const ctn_mcp_exchange *x, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_access_object object = object_of(arena, row);
    return ctn_access_may(ctn_engine_caller(x), CTN_ACTION_EXECUTIONS_READ, &object);
}

bool ctn_engine_may_see_chain(const ctn_mcp_exchange *x, ctn_str chain_id)
{
    const ctn_access_object object = {.chain_id = chain_id, .is_shared = true};
    return ctn_access_may(ctn_engine_caller(x), CTN_ACTION_CHAINS_READ, &object);
}

static bool demand(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_action action, const ctn_access_object *object)
{
    ctn_err err = {0};
    if (ctn_access_demand(ctn_host_access(b->host), ctn_engine_caller(x), action, object, &err) == CTN_OK)
        return true;
    ctn_engine_refuse(x, NULL, "%.*s Nothing was done.",
                      CTN_STR_ARG(ctn_engine_sentence(ctn_mcp_exchange_arena(x), ctn_str_from(err.message))));
    return false;
}

bool ctn_engine_demand(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_action action)
{
    return demand(b, x, action, NULL);
}

int ctn_engine_demand_row(const ctn_engine_call *c, const ctn_execution_row *row, ctn_err *err)
{
    ctn_access_object object = object_of(c->arena, row);
    return ctn_access_demand(ctn_host_access(c->b->host), ctn_engine_caller(c->x), c->action, &object, err);
}

bool ctn_engine_demand_start(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_str chain_id, const ctn_json *labels)
{
    const ctn_access_object object = {.chain_id = chain_id, .tenant = ctn_engine_caller(x)->tenant, .labels = labels};
    return demand(b, x, CTN_ACTION_EXECUTIONS_START, &object);
}

ctn_requester ctn_engine_requester(const ctn_mcp_exchange *x)
{
    const ctn_caller *caller = ctn_engine_caller(x);
    if (caller->is_local)
        return (ctn_requester){.from = CTN_STR("stdio")};
    return (ctn_requester){
        .principal = caller->name, .tenant = caller->tenant, .audit_actor = caller->name, .from = caller->from};
}
