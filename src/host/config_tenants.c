/*
 * config_tenants.c -- see config_tenants.h.
 */
#include "host/config_tenants.h"
#include "engine/lanes.h"
#include "host/access.h"

#define MANY    INT64_C(1000000000)
#define PER_DAY INT64_C(1000000000000000)
#define MONEY   1e9 /* the most of a day; counted in billionths */

typedef struct tenant_keys {
    int64_t weight, running, queued, executions, calls, bytes;
    double money;
} tenant_keys;

static const ctn_key KEYS[] = {
    CTN_KEY("weight", CTN_KEY_INT, tenant_keys, weight,
            "Its share of the turns of the queue, beside the weights of others; default 1.", .min = 1,
            .max = CTN_WEIGHT_MAX, .otherwise = 1),
    CTN_KEY("running", CTN_KEY_INT, tenant_keys, running,
            "Executions of it that run at once; default: seven eighths of limits.running.", .min = 1, .max = MANY),
    CTN_KEY("queued", CTN_KEY_INT, tenant_keys, queued,
            "Executions of it that are queued; with so many, a start is refused. Default: any number.", .min = 1,
            .max = MANY),
    CTN_KEY("executionsPerDay", CTN_KEY_INT, tenant_keys, executions,
            "Executions that are started for it from 00:00 to 24:00 UTC, sub-chains not counted.", .min = 1,
            .max = PER_DAY),
    CTN_KEY("callsPerDay", CTN_KEY_INT, tenant_keys, calls, "Calls that its steps make, undoing included.", .min = 1,
            .max = PER_DAY),
    CTN_KEY("bytesPerDay", CTN_KEY_INT, tenant_keys, bytes, "What its executions add to the journal.", .min = 1,
            .max = PER_DAY),
    CTN_KEY("moneyPerDay", CTN_KEY_NUMBER, tenant_keys, money, "What its calls cost, as their peers tell it.", .min = 0,
            .max = (int64_t) MONEY),
};

const ctn_key_table ctn_config_tenant_table = {
    "tenant", KEYS, sizeof KEYS / sizeof *KEYS,
    "What one tenant may have: its share of the turns, and what it may use up in a day (UTC)."};

static bool is_name(ctn_str name)
{
    return ctn_str_is(name, "*") || ctn_principal_name_is_good(name);
}

void ctn_config_tenants_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    c->tenants = CTN_NEW_ARRAY(r->arena, ctn_tenant_rules, ctn_json_count(node));
    for (uint32_t i = 0; node && i < node->count; i++) {
        tenant_keys k = {0};
        ctn_str name = ctn_json_text(&node->members[i].key);
        if (!is_name(name))
            ctn_reader_fault(r, &node->members[i].key, "type",
                             "'%.*s' is no name of a tenant: letters, digits, '.', '_' and '-', at most 64, or '*' for "
                             "each that is not named",
                             CTN_STR_ARG(name));
        if (!ctn_json_is(&node->members[i].value, CTN_JSON_OBJECT)) {
            ctn_reader_fault(r, &node->members[i].value, "type", "a tenant is an object: {weight: 3, running: 50}");
            continue;
        }
        ctn_keys_read(r, &node->members[i].value, "a tenant", KEYS, sizeof KEYS / sizeof *KEYS, &k);
        c->tenants[c->tenant_count++] = (ctn_tenant_rules){.name = name,
                                                           .weight = k.weight,
                                                           .running = k.running,
                                                           .queued = k.queued,
                                                           .per_day = {.executions = k.executions,
                                                                       .calls = k.calls,
                                                                       .bytes = k.bytes,
                                                                       .money = (int64_t) (k.money * 1e9 + 0.5)}};
    }
}
