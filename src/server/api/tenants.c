/*
 * tenants.c -- what tenants may have, and what they have used: openapi/tenants.yaml.
 */
#include "server/api/api.h"

#define BILLIONTHS 1e9

typedef struct telling {
    ctn_api_call *call;
    ctn_json_builder tenants;
} telling;

static const ctn_json *amount(ctn_arena *arena, int64_t value, double unit)
{
    return ctn_json_number(arena, ctn_arena_printf(arena, "%.15g", (double) value / unit));
}

static void put_use(ctn_json_builder *b, const char *name, int64_t used, int64_t limit, double unit)
{
    ctn_json_builder one = ctn_json_object(b->arena);
    ctn_json_put(&one, CTN_STR("used"), amount(b->arena, used, unit));
    if (limit)
        ctn_json_put(&one, CTN_STR("limit"), amount(b->arena, limit, unit));
    ctn_json_put(b, ctn_str_from(name), ctn_json_finish(&one));
}

static const ctn_json *today_of(ctn_arena *arena, const ctn_tenant_figure *figure)
{
    const ctn_usage *used = &figure->used, *limit = &figure->rules->per_day;
    ctn_json_builder today = ctn_json_object(arena);
    put_use(&today, "executions", used->executions, limit->executions, 1);
    put_use(&today, "calls", used->calls, limit->calls, 1);
    put_use(&today, "bytes", used->bytes, limit->bytes, 1);
    put_use(&today, "money", used->money, limit->money, BILLIONTHS);
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
