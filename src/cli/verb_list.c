/*
 * verb_list.c -- `list`: executions, newest first.
 */
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/quarantine.h"
#include "cli/remote.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "host/told.h"
#include "host/words.h"
#include <stdio.h>

#define LIST_LIMIT 50

typedef struct listing {
    const ctn_cli *cli;
    ctn_json_builder list;
    size_t count;
    size_t chain_columns;
    ctn_execution_row *rows;
    size_t capacity;
    ctn_quarantined quarantined;
} listing;

/* What is wrong with it; empty: nothing that anybody knows. */
static ctn_str damage_of(const listing *l, const ctn_execution_row *row)
{
    const ctn_quarantine_row *q = ctn_quarantined_find(&l->quarantined, row->exec_no);
    return q ? q->reason : row->damage;
}

static ctn_execution_row keep_row(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_execution_row kept = *row;
    kept.chain_id = ctn_arena_str(arena, row->chain_id);
    kept.outputs = ctn_arena_str(arena, row->outputs);
    kept.error = ctn_arena_str(arena, row->error);
    kept.labels = ctn_arena_str(arena, row->labels);
    return kept;
}

static int list_json(void *ctx, const ctn_execution_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->cli->arena;
    ctn_execution_row kept = keep_row(arena, row);
    ctn_json_builder b = ctn_result_object(arena, &kept);
    ctn_str damage = ctn_arena_str(arena, damage_of(l, row));
    ctn_json_put_time(&b, "createdAt", row->created_at_ms);
    if (kept.labels.len)
        ctn_json_put(&b, CTN_STR("labels"), ctn_told_parsed(arena, kept.labels));
    if (damage.len)
        ctn_json_put_str(&b, "damaged", damage);
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static int list_row(void *ctx, const ctn_execution_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->cli->arena;
    l->rows = ctn_arena_room(arena, l->rows, l->count, &l->capacity, sizeof *l->rows);
    ctn_execution_row kept = {.id = row->id,
                              .status = row->status,
                              .chain_id = ctn_arena_str(arena, row->chain_id),
                              .created_at_ms = row->created_at_ms,
                              .started_at_ms = row->started_at_ms,
                              .finished_at_ms = row->finished_at_ms,
                              .damage = ctn_arena_str(arena, damage_of(l, row)),
                              .error = ctn_arena_str(arena, row->error)};
    l->rows[l->count++] = kept;
    if (row->chain_id.len > l->chain_columns)
        l->chain_columns = row->chain_id.len;
    return 0;
}

static void print_rows(const ctn_cli *cli, const listing *l)
{
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    int columns = (int) (l->chain_columns < 5 ? 5 : l->chain_columns);
    printf("%s%-36s  %-*s  %-15s  %-19s  %s%s\n", dim, "ID", columns, "CHAIN", "STATUS", "CREATED", "DURATION", plain);
    for (size_t i = 0; i < l->count; i++) {
        const ctn_execution_row *row = &l->rows[i];
        int64_t end = row->finished_at_ms ? row->finished_at_ms : ctn_cli_now_ms();
        printf("%s  %-*.*s  %s%-15s%s  %-19s  %s\n", ctn_id_to_text(row->id).text, columns, CTN_STR_ARG(row->chain_id),
               ctn_colour_code(&cli->out, row->damage.len ? CTN_COLOUR_RED : ctn_status_colour(row->status)),
               row->damage.len ? "damaged" : ctn_status_name(row->status), plain,
               ctn_moment_text(row->created_at_ms).text,
               row->started_at_ms ? ctn_duration_text(end - row->started_at_ms).text : "-");
    }
}

static int read_filter(ctn_cli *cli, ctn_execution_filter *ret)
{
    *ret = (ctn_execution_filter){.limit = LIST_LIMIT, .chain_id = ctn_str_from(cli->args.values[CTN_OPT_CHAIN])};
    if (ctn_opt_is_given(cli, CTN_OPT_STATUS)) {
        ctn_str name = ctn_str_from(cli->args.values[CTN_OPT_STATUS]), names[CTN_STATUS_COUNT];
        for (int s = 0; s < CTN_STATUS_COUNT; s++)
            names[s] = ctn_str_from(ctn_status_name((ctn_status) s));
        ret->by_status = ctn_status_from_name(name, &ret->status);
        if (!ret->by_status)
            return ctn_cli_fail(cli, "there is no status \"%.*s\"; %.*s", CTN_STR_ARG(name),
                                CTN_STR_ARG(ctn_words_suggest(cli->arena, name, names, CTN_STATUS_COUNT)));
    }
    if (ctn_opt_is_given(cli, CTN_OPT_LIMIT)) {
        int64_t limit;
        ctn_str text = ctn_str_from(cli->args.values[CTN_OPT_LIMIT]);
        if (!ctn_str_to_int64(text, &limit) || limit < 0)
            return ctn_cli_fail(cli, "--limit %.*s: write a whole number; 0 is all", CTN_STR_ARG(text));
        ret->limit = (size_t) limit;
    }
    return ctn_labels_read(cli, &ret->labels);
}

static int run_list(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_filter filter;
    ctn_err err = {0};
    int exit_code = read_filter(cli, &filter);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    bool is_json = ctn_opt_is_given(cli, CTN_OPT_JSON);
    listing l = {.cli = cli, .list = ctn_json_array(cli->arena)};
    (void) ctn_quarantined_read(cli->arena, store, &l.quarantined, NULL); /* what reads is listed all the same */
    int rc = ctn_store_execution_list(store, &filter, is_json ? list_json : list_row, &l, &err);
    if (rc && rc != CTN_E_CORRUPT)
        exit_code = ctn_cli_fail_err(cli, &err);
    else if (is_json)
        ctn_result_print(cli, ctn_json_finish(&l.list));
    else if (l.count)
        print_rows(cli, &l);
    else if (rc == CTN_OK)
        ctn_cli_say(cli, "no executions in %.*s", CTN_STR_ARG(ws.store_name));
    if (rc == CTN_E_CORRUPT) {
        (void) fflush(stdout);
        exit_code = ctn_cli_fail(cli, "not all of them could be read: %s", err.message);
    }
    ctn_remote_tell_health(cli, &ws);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_list = {
    .name = "list",
    .operands = "",
    .summary = "List executions, newest first",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(CHAIN) | CTN_OPT_BIT(STATUS) | CTN_OPT_BIT(LIMIT) | CTN_OPT_BIT(LABEL),
    .run = run_list,
};
