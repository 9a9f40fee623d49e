/*
 * verb_quarantine.c -- `store quarantine`, `store release`, `store discard`; and `show` of what is damaged.
 *
 * Who is in quarantine stands in a table of the store, so that it is seen without an owner; releasing and giving up go
 * through the owner, which has to look at it (and at what waited for it) again.
 */
#include "cli/follow.h"
#include "cli/named.h"
#include "cli/quarantine.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "store/raw.h"
#include <stdio.h>

/* ---- reading ---- */

typedef struct reading {
    ctn_arena *arena;
    ctn_quarantine_row *rows;
    size_t count, capacity;
    bool all;
} reading;

static int keep_one(void *ctx, const ctn_quarantine_row *row)
{
    reading *r = ctx;
    if (row->given_up_at_ms && !r->all)
        return 0;
    r->rows = ctn_arena_room(r->arena, r->rows, r->count, &r->capacity, sizeof *r->rows);
    r->rows[r->count] = *row;
    r->rows[r->count].chain_id = ctn_arena_str(r->arena, row->chain_id);
    r->rows[r->count++].reason = ctn_arena_str(r->arena, row->reason);
    return 0;
}

int ctn_quarantined_read(ctn_arena *arena, ctn_store *store, ctn_quarantined *ret, ctn_err *err)
{
    reading r = {.arena = arena};
    int rc = ctn_store_quarantine_list(store, keep_one, &r, err);
    *ret = (ctn_quarantined){r.rows, r.count};
    return rc;
}

const ctn_quarantine_row *ctn_quarantined_find(const ctn_quarantined *q, int64_t exec_no)
{
    for (size_t low = 0, high = q->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (q->rows[middle].exec_no == exec_no)
            return &q->rows[middle];
        if (q->rows[middle].exec_no < exec_no)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- show ---- */

typedef struct tally {
    size_t whole, lost;
} tally;

static int count_raw(void *ctx, const ctn_raw_record *raw)
{
    tally *t = ctx;
    if (raw->is_lost)
        t->lost++;
    else
        t->whole++;
    return 0;
}

static void print_damaged_json(ctn_cli *cli, const ctn_execution_row *row, ctn_str why, const ctn_quarantine_row *q,
                               const tally *t)
{
    ctn_json_builder b = ctn_result_object(cli->arena, row);
    ctn_json_put_str(&b, "damaged", why);
    if (q)
        ctn_json_put_time(&b, "quarantinedAt", q->found_at_ms);
    if (q && q->given_up_at_ms)
        ctn_json_put_time(&b, "discardedAt", q->given_up_at_ms);
    ctn_json_put_int(&b, "entriesRead", (int64_t) t->whole);
    ctn_json_put_int(&b, "entriesLost", (int64_t) t->lost);
    ctn_result_print(cli, ctn_json_finish(&b));
}

static void print_line(const ctn_cli *cli, const char *name, ctn_str value)
{
    printf("%s%-10s%s %.*s\n", ctn_colour_code(&cli->out, CTN_COLOUR_DIM), name,
           ctn_colour_code(&cli->out, CTN_COLOUR_NONE), CTN_STR_ARG(value));
}

static void print_damaged(ctn_cli *cli, const ctn_execution_row *row, ctn_str why, const ctn_quarantine_row *q,
                          const tally *t)
{
    ctn_arena *arena = cli->arena;
    print_line(cli, "execution", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    if (row->chain_id.len)
        print_line(cli, "chain",
                   ctn_arena_printf(arena, "%.*s, version %lld", CTN_STR_ARG(ctn_text_clean(arena, row->chain_id, 0)),
                                    (long long) row->chain_version));
    print_line(cli, "status",
               ctn_arena_printf(arena, "%sdamaged%s (%s when it was written last)",
                                ctn_colour_code(&cli->out, CTN_COLOUR_RED), ctn_colour_code(&cli->out, CTN_COLOUR_NONE),
                                ctn_status_name(row->status)));
    print_line(cli, "damage", ctn_text_clean(arena, why, 0));
    if (row->created_at_ms)
        print_line(cli, "created", ctn_arena_str(arena, ctn_str_from(ctn_moment_text(row->created_at_ms).text)));
    if (q && q->given_up_at_ms)
        print_line(cli, "discarded", ctn_arena_str(arena, ctn_str_from(ctn_moment_text(q->given_up_at_ms).text)));
    else if (q)
        print_line(cli, "quarantine", ctn_arena_printf(arena, "since %s", ctn_moment_text(q->found_at_ms).text));
    print_line(cli, "journal",
               ctn_arena_printf(arena, "%zu entries read, %zu are lost%s", t->whole, t->lost,
                                t->whole + t->lost ? "" : "; nothing is left of it"));
    (void) fflush(stdout);
}

int ctn_show_damaged(ctn_cli *cli, ctn_store *store, const ctn_execution_row *row, ctn_str why)
{
    ctn_quarantine_row q = {0};
    tally t = {0};
    ctn_id_text id = ctn_id_to_text(row->id);
    ctn_str known = ctn_arena_printf(cli->arena, "execution %s: ", id.text);
    if (ctn_str_starts_with(why, known))
        why = ctn_str_from_offset(why, known.len);
    bool is_known = ctn_store_quarantine_get(store, cli->arena, row->exec_no, &q, NULL) == CTN_OK;
    (void) ctn_store_journal_read_raw(store, row->exec_no, count_raw, &t, NULL);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_damaged_json(cli, row, why, is_known ? &q : NULL, &t);
    else
        print_damaged(cli, row, why, is_known ? &q : NULL, &t);
    int exit_code = ctn_cli_fail(cli, "%s does not read back: %.*s", id.text, CTN_STR_ARG(why));
    ctn_cli_say(cli, "what of it reads: %.*s", CTN_STR_ARG(ctn_cli_command(cli, "history %s", id.text)));
    if (is_known && !q.given_up_at_ms)
        ctn_cli_say(cli, "repaired, it goes on: %.*s", CTN_STR_ARG(ctn_cli_command(cli, "store release %s", id.text)));
    if (!ctn_status_is_final(row->status))
        ctn_cli_say(cli, "it ends as it is, and what waits for it goes on: %.*s",
                    CTN_STR_ARG(ctn_cli_command(cli, "store discard %s", id.text)));
    return exit_code;
}

/* ---- store quarantine ---- */

static void list_json(ctn_cli *cli, const reading *r)
{
    ctn_json_builder list = ctn_json_array(cli->arena);
    for (size_t i = 0; i < r->count; i++) {
        const ctn_quarantine_row *row = &r->rows[i];
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put(
            &b, CTN_STR("executionId"),
            ctn_id_is_none(row->id)
                ? NULL
                : ctn_json_string(cli->arena, ctn_arena_str(cli->arena, ctn_str_from(ctn_id_to_text(row->id).text))));
        ctn_json_put_int(&b, "number", row->exec_no);
        ctn_json_put_str(&b, "chain", row->chain_id);
        ctn_json_put_str(&b, "reason", row->reason);
        ctn_json_put_time(&b, "foundAt", row->found_at_ms);
        if (row->given_up_at_ms)
            ctn_json_put_time(&b, "discardedAt", row->given_up_at_ms);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    ctn_result_print(cli, ctn_json_finish(&list));
}

static int run_store_quarantine(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    reading r = {.arena = cli->arena, .all = true};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK && ctn_store_quarantine_list(store, keep_one, &r, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    ctn_store_close(store);
    if (exit_code)
        return exit_code;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        list_json(cli, &r);
        return CTN_EXIT_OK;
    }
    if (r.count == 0)
        ctn_cli_say(cli, "nothing is in quarantine in %.*s", CTN_STR_ARG(ws.store_name));
    for (size_t i = 0; i < r.count; i++) {
        const ctn_quarantine_row *row = &r.rows[i];
        ctn_str id = ctn_id_is_none(row->id) ? ctn_arena_printf(cli->arena, "number %lld", (long long) row->exec_no)
                                             : ctn_arena_printf(cli->arena, "%s", ctn_id_to_text(row->id).text);
        printf("%-36.*s  %-19s  %s%.*s\n", CTN_STR_ARG(id), ctn_moment_text(row->found_at_ms).text,
               row->given_up_at_ms ? "(discarded) " : "", CTN_STR_ARG(ctn_text_clean(cli->arena, row->reason, 0)));
    }
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_store_quarantine = {
    .name = "store quarantine",
    .operands = "",
    .summary = "List executions that are damaged and kept out of the others' way",
    .details = "An execution that does not read back is put there when it is met; everything else goes on.",
    .options = CTN_OPTS_READ,
    .run = run_store_quarantine,
};

/* ---- store release, store discard ---- */

static int do_about(ctn_cli *cli, ctn_request_op op, const char *done)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_row row;
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution_raw(cli, &ws, store, &row);
    ctn_store_close(store);
    if (exit_code)
        return exit_code;
    ctn_request q = {.op = op,
                     .id = row.id,
                     .actor = ctn_actor_name(cli->arena),
                     .reason = ctn_str_from(cli->args.values[CTN_OPT_REASON])};
    exit_code = ctn_follow(cli, &ws, &q, false, &q.id);
    if (exit_code)
        return exit_code;
    ctn_id_text id = ctn_id_to_text(row.id);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"executionId\":\"%s\"}\n", id.text);
    ctn_cli_say(cli, "%s %s", id.text, done);
    return CTN_EXIT_OK;
}

static int run_store_release(ctn_cli *cli)
{
    return do_about(cli, CTN_REQUEST_RELEASE,
                    "reads back and is released; `catena serve` or `catena resume` goes on "
                    "with it");
}

const ctn_verb ctn_verb_store_release = {
    .name = "store release",
    .operands = "ID",
    .summary = "Let an execution that was damaged, and is repaired, go on",
    .details = CTN_ABOUT_ID "\nRefused as long as it does not read back.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(REASON),
    .words_min = 1,
    .words_max = 1,
    .run = run_store_release,
};

static int run_store_discard(ctn_cli *cli)
{
    return do_about(cli, CTN_REQUEST_DISCARD, "is given up: it has ended as failed, its journal stays as it is");
}

const ctn_verb ctn_verb_store_discard = {
    .name = "store discard",
    .operands = "ID",
    .summary = "Give a damaged execution up: it ends failed, and what waits for it goes on",
    .details =
        CTN_ABOUT_ID "\nNothing is undone, and nothing of its journal is changed. Executions queued behind it take "
                     "their turn,\nand a chain whose step it was sees that step fail.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(REASON),
    .words_min = 1,
    .words_max = 1,
    .run = run_store_discard,
};
