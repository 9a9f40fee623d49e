/*
 * verb_nodes.c -- `nodes`: who shares this store, how they are and what they hold.
 */
#include "chain/requires.h"
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "store/fleet.h"
#include <stdio.h>

typedef struct listing {
    ctn_cli *cli;
    ctn_node_row *rows;
    size_t count, capacity;
    const ctn_need *needs;
    size_t need_count;
} listing;

static int keep(void *ctx, const ctn_node_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->cli->arena;
    l->rows = ctn_arena_room(arena, l->rows, l->count, &l->capacity, sizeof *l->rows);
    ctn_node_row *kept = &l->rows[l->count++];
    *kept = *row;
    kept->name = ctn_arena_str(arena, row->name);
    kept->version = ctn_arena_str(arena, row->version);
    kept->address = ctn_arena_str(arena, row->address);
    kept->labels = ctn_arena_str(arena, row->labels);
    return 0;
}

static const char *state_of(const ctn_node_row *row, int64_t now_ms)
{
    return !row->is_live                  ? "gone"
           : row->expires_at_ms <= now_ms ? "late" /* its shards are free in a moment, unless it is heard of */
           : row->is_leaving              ? "leaving"
                                          : "living";
}

static int64_t age_ms(const ctn_node_row *row, int64_t now_ms)
{
    return now_ms > row->beat_at_ms ? now_ms - row->beat_at_ms : 0;
}

static void print_json(const listing *l, int64_t now_ms)
{
    ctn_json_builder list = ctn_json_array(l->cli->arena);
    for (size_t i = 0; i < l->count; i++) {
        const ctn_node_row *r = &l->rows[i];
        const ctn_json *labels = NULL;
        ctn_json_builder b = ctn_json_object(l->cli->arena);
        ctn_json_put_str(&b, "name", r->name);
        ctn_json_put_str(&b, "state", ctn_str_from(state_of(r, now_ms)));
        ctn_json_put_int(&b, "shards", r->shard_count);
        ctn_json_put_int(&b, "beatAgeMs", age_ms(r, now_ms));
        ctn_json_put_str(&b, "version", r->version);
        ctn_json_put_str(&b, "address", r->address);
        ctn_json_put_int(&b, "incarnation", r->incarnation);
        ctn_json_put_time(&b, "joinedAt", r->joined_at_ms);
        if (r->labels.len && ctn_json_parse(l->cli->arena, r->labels, NULL, &labels, NULL) == CTN_OK)
            ctn_json_put(&b, CTN_STR("labels"), labels);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    ctn_result_print(l->cli, ctn_json_finish(&list));
}

static void print_rows(const listing *l, int64_t now_ms)
{
    const ctn_cli *cli = l->cli;
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    int name = 4, address = 7;
    for (size_t i = 0; i < l->count; i++) {
        name = (int) l->rows[i].name.len > name ? (int) l->rows[i].name.len : name;
        address = (int) l->rows[i].address.len > address ? (int) l->rows[i].address.len : address;
    }
    printf("%s%-*s  %-7s  %6s  %8s  %-8s  %-*s  %s%s\n", dim, name, "NODE", "STATE", "SHARDS", "BEAT AGO", "VERSION",
           address, "ADDRESS", "LABELS", plain);
    for (size_t i = 0; i < l->count; i++) {
        const ctn_node_row *r = &l->rows[i];
        ctn_str labels = ctn_str_is(r->labels, "{}") ? (ctn_str){0} : ctn_text_clean(cli->arena, r->labels, 0);
        ctn_str where = ctn_text_clean(cli->arena, r->address, 0);
        printf("%-*.*s  %-7s  %6u  %6.1f s  %-8.*s  %-*.*s  %.*s\n", name, CTN_STR_ARG(r->name), state_of(r, now_ms),
               r->shard_count, (double) age_ms(r, now_ms) / 1000, CTN_STR_ARG(r->version), address, CTN_STR_ARG(where),
               CTN_STR_ARG(labels));
    }
}

static bool is_met(const listing *l, const ctn_need *need, int64_t now_ms)
{
    for (size_t i = 0; i < l->count; i++) {
        const ctn_node_row *r = &l->rows[i];
        if (r->is_live && !r->is_leaving && r->expires_at_ms > now_ms &&
            ctn_labels_text_meets(r->labels, need->requires))
            return true;
    }
    return false;
}

/* What chains have required, if nobody has it. */
static void print_unmet(const listing *l, int64_t now_ms)
{
    for (size_t i = 0; i < l->need_count; i++)
        if (!is_met(l, &l->needs[i], now_ms))
            ctn_cli_say(l->cli, "no living node has the labels %.*s, which chains require: what needs them waits",
                        CTN_STR_ARG(ctn_text_clean(l->cli->arena, l->needs[i].requires, 0)));
}

static int run_nodes(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    listing l = {.cli = cli};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    if (!ws.is_fleet)
        return ctn_cli_fail(cli, "%.*s is for one process; nodes share a store on PostgreSQL (--store postgres://...)",
                            CTN_STR_ARG(ws.store_name));
    exit_code = ctn_cli_read_store(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    int rc = ctn_store_node_list(store, keep, &l, &err);
    if (rc == CTN_OK)
        rc = ctn_store_need_list(store, cli->arena, &l.needs, &l.need_count, &err);
    ctn_store_close(store);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    int64_t now_ms = ctn_cli_now_ms();
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_json(&l, now_ms);
    else if (l.count)
        print_rows(&l, now_ms);
    else
        ctn_cli_say(cli, "no node serves %.*s; one does after: %.*s", CTN_STR_ARG(ws.store_name),
                    CTN_STR_ARG(ctn_cli_command(cli, "serve")));
    (void) fflush(stdout);
    print_unmet(&l, now_ms);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_nodes = {
    .name = "nodes",
    .operands = "",
    .summary = "List the nodes that share a store, and what they hold",
    .details =
        "State: living; leaving: it hands over and ends; late: its lease has run out, and its shards are others' in a\n"
        "moment; gone: it left or died, a day ago at most. Ages are by this machine's clock.",
    .options = CTN_OPTS_READ,
    .run = run_nodes,
};
