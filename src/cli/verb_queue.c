/*
 * verb_queue.c -- `queue`: what waits to be started, by tenant, chain and priority, and what tenants have used today.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/screen.h"
#include "cli/verb.h"
#include "host/words.h"
#include <inttypes.h>
#include <stdio.h>

#define DAY_MS 86400000

typedef struct seen {
    const ctn_cli *cli;
    ctn_queue_lane *lanes;
    ctn_usage_row *used;
    size_t lane_count, lane_capacity, used_count, used_capacity;
} seen;

static int take_lane(void *ctx, const ctn_queue_lane *lane)
{
    seen *s = ctx;
    s->lanes = ctn_arena_room(s->cli->arena, s->lanes, s->lane_count, &s->lane_capacity, sizeof *s->lanes);
    ctn_queue_lane *kept = &s->lanes[s->lane_count++];
    *kept = *lane;
    kept->tenant = ctn_arena_str(s->cli->arena, lane->tenant);
    kept->chain_id = ctn_arena_str(s->cli->arena, lane->chain_id);
    return 0;
}

static int take_used(void *ctx, const ctn_usage_row *row)
{
    seen *s = ctx;
    s->used = ctn_arena_room(s->cli->arena, s->used, s->used_count, &s->used_capacity, sizeof *s->used);
    s->used[s->used_count] = *row;
    s->used[s->used_count++].tenant = ctn_arena_str(s->cli->arena, row->tenant);
    return 0;
}

static const ctn_tenant_rules *rules_of(const ctn_config *config, ctn_str tenant)
{
    const ctn_tenant_rules *of_all = NULL;
    for (size_t i = 0; i < config->tenant_count; i++) {
        if (ctn_str_equal(config->tenants[i].name, tenant))
            return &config->tenants[i];
        if (ctn_str_is(config->tenants[i].name, "*"))
            of_all = &config->tenants[i];
    }
    return tenant.len ? of_all : NULL;
}

/* ---- for programs ---- */

static void print_json(ctn_cli *cli, const seen *s, const ctn_config *config)
{
    static const ctn_usage none;
    ctn_json_builder all = ctn_json_object(cli->arena), lanes = ctn_json_array(cli->arena);
    ctn_json_builder tenants = ctn_json_array(cli->arena);
    for (size_t i = 0; i < s->lane_count; i++) {
        const ctn_queue_lane *lane = &s->lanes[i];
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "tenant", lane->tenant);
        ctn_json_put_str(&b, "chain", lane->chain_id);
        ctn_json_put_int(&b, "priority", lane->priority);
        ctn_json_put_int(&b, "queued", lane->depth);
        ctn_json_put_int(&b, "held", lane->held);
        if (lane->oldest_at_ms)
            ctn_json_put_time(&b, "oldestAt", lane->oldest_at_ms);
        ctn_json_push(&lanes, ctn_json_finish(&b));
    }
    for (size_t i = 0; i < s->used_count; i++) {
        const ctn_tenant_rules *rules = rules_of(config, s->used[i].tenant);
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "tenant", s->used[i].tenant);
        ctn_told_usage(&b, &s->used[i].used, rules ? &rules->per_day : &none);
        ctn_json_push(&tenants, ctn_json_finish(&b));
    }
    ctn_json_put(&all, CTN_STR("lanes"), ctn_json_finish(&lanes));
    ctn_json_put(&all, CTN_STR("today"), ctn_json_finish(&tenants));
    ctn_result_print(cli, ctn_json_finish(&all));
}

/* ---- for people ---- */

static int widest(int least, ctn_str text)
{
    return (int) text.len > least ? (int) text.len : least;
}

static ctn_str shown(ctn_str tenant)
{
    return tenant.len ? tenant : CTN_STR("-");
}

static void print_lanes(const ctn_cli *cli, const seen *s)
{
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    int tenant = 6, chain = 5;
    for (size_t i = 0; i < s->lane_count; i++) {
        tenant = widest(tenant, s->lanes[i].tenant);
        chain = widest(chain, s->lanes[i].chain_id);
    }
    printf("%s%-*s  %-*s  %8s  %8s  %8s  %s%s\n", dim, tenant, "TENANT", chain, "CHAIN", "PRIORITY", "QUEUED", "HELD",
           "OLDEST", plain);
    for (size_t i = 0; i < s->lane_count; i++) {
        const ctn_queue_lane *l = &s->lanes[i];
        printf("%-*.*s  %-*.*s  %8d  %8" PRId64 "  %8" PRId64 "  %s\n", tenant, CTN_STR_ARG(shown(l->tenant)), chain,
               CTN_STR_ARG(l->chain_id), l->priority, l->depth, l->held,
               l->oldest_at_ms ? ctn_duration_text(ctn_cli_now_ms() - l->oldest_at_ms).text : "-");
    }
}

static void print_one(const char *what, int64_t used, int64_t limit, double unit)
{
    if (limit)
        printf("  %.*g of %.*g %s", 12, (double) used / unit, 12, (double) limit / unit, what);
}

static void print_used(const seen *s, const ctn_config *config)
{
    for (size_t i = 0; i < s->used_count; i++) {
        const ctn_tenant_rules *rules = rules_of(config, s->used[i].tenant);
        const ctn_usage *used = &s->used[i].used;
        if (!rules)
            continue;
        printf("%.*s today:", CTN_STR_ARG(s->used[i].tenant));
        print_one("executions", used->executions, rules->per_day.executions, 1);
        print_one("calls", used->calls, rules->per_day.calls, 1);
        print_one("bytes", used->bytes, rules->per_day.bytes, 1);
        print_one("money", used->money, rules->per_day.money, 1e9);
        printf("\n");
    }
}

static int run_queue(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    seen s = {.cli = cli};
    int rc = ctn_store_queue_lanes(store, take_lane, &s, &err);
    if (rc == CTN_OK)
        rc = ctn_store_usage_list(store, ctn_cli_now_ms() / DAY_MS, take_used, &s, &err);
    ctn_store_close(store);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        print_json(cli, &s, ws.config);
        return CTN_EXIT_OK;
    }
    if (s.lane_count)
        print_lanes(cli, &s);
    else
        ctn_cli_say(cli, "nothing is queued in %.*s", CTN_STR_ARG(ws.store_name));
    print_used(&s, ws.config);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_queue = {
    .name = "queue",
    .operands = "",
    .summary = "Show what is queued, by tenant, chain and priority, and what tenants have used today",
    .options = CTN_OPTS_READ,
    .run = run_queue,
};
