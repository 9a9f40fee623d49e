/*
 * tenants.c -- what tenants may have, and what they have used: openapi/tenants.yaml.
 */
#include "host/told.h"
#include "server/api/api.h"

typedef struct telling {
    ctn_api_call *call;
    ctn_json_builder tenants;
} telling;

static const ctn_json *today_of(ctn_arena *arena, const ctn_tenant_figure *figure)
{
    ctn_json_builder today = ctn_json_object(arena);
    ctn_told_usage(&today, &figure->used, &figure->rules->per_day);
    return ctn_json_finish(&today);
}

/* Who is of a tenant sees that one. */
static int tell_tenant(void *ctx, const ctn_tenant_figure *figure)
{
    telling *t = ctx;
    ctn_str own = t->call->caller->tenant;
    const ctn_tenant_rules *rules = figure->rules;
    ctn_json_builder b = ctn_json_object(t->call->arena);
    if (own.len && !ctn_str_equal(own, figure->tenant))
        return 0;
    ctn_json_put_str(&b, "tenant", ctn_arena_str(t->call->arena, figure->tenant));
    ctn_json_put_int(&b, "weight", figure->weight);
    ctn_json_put_int(&b, "running", figure->running);
    if (rules && rules->running)
        ctn_json_put_int(&b, "runningMost", rules->running);
    ctn_json_put_int(&b, "queued", figure->queued);
    if (rules && rules->queued)
        ctn_json_put_int(&b, "queuedMost", rules->queued);
    ctn_json_put_bool(&b, "shut", figure->is_shut);
    if (figure->is_counted)
        ctn_json_put(&b, CTN_STR("today"), today_of(t->call->arena, figure));
    ctn_json_push(&t->tenants, ctn_json_finish(&b));
    return 0;
}

static void list_tenants(ctn_api_call *call)
{
    telling t = {.call = call, .tenants = ctn_json_array(call->arena)};
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_engine_tenants(ctn_host_engine(call->host), tell_tenant, &t);
    ctn_json_put(&b, CTN_STR("tenants"), ctn_json_finish(&t.tenants));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

const ctn_api_operation ctn_api_tenants[] = {{"listTenants", list_tenants}, {NULL, NULL}};
