/*
 * verb_timeline.c -- `timeline`: an execution's attempts over time, drawn (timeline_sheet.h) or as JSON.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/timeline_sheet.h"
#include "cli/verb.h"
#include "engine/fold.h"
#include <stdio.h>

/* ---- the journal ---- */

typedef struct reading {
    ctn_timeline *timeline;
    ctn_arena *scratch;
    ctn_err *err;
} reading;

static int add_record(void *ctx, const ctn_record *record, int64_t position)
{
    reading *r = ctx;
    (void) position;
    ctn_arena_reset(r->scratch);
    return ctn_timeline_add(r->timeline, record, r->scratch, r->err);
}

static int read_timeline(ctn_cli *cli, ctn_store *store, const ctn_execution_row *row, ctn_execution **ret_execution,
                         ctn_timeline **ret_timeline, int64_t now_ms)
{
    ctn_err err = {0};
    reading r = {.err = &err};
    int rc = ctn_execution_load(store, cli->arena, row, ret_execution, &err);
    if (rc == CTN_OK) {
        r.timeline = ctn_timeline_new(cli->arena, ctn_execution_plan(*ret_execution));
        r.scratch = ctn_arena_new(65536);
        rc = ctn_store_journal_read(store, row->exec_no, 1, add_record, &r, &err);
        ctn_arena_free(r.scratch);
    }
    *ret_timeline = r.timeline;
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    ctn_timeline_finish(r.timeline, now_ms);
    return CTN_EXIT_OK;
}

/* ---- JSON ---- */

/* One row at a time, so that a million of them need no tree. */
static void print_json(const ctn_plan *plan, const ctn_timeline *timeline)
{
    size_t count;
    const ctn_timeline_row *rows = ctn_timeline_rows(timeline, &count);
    ctn_arena *scratch = ctn_arena_new(4096);
    (void) fputc('[', stdout);
    for (size_t i = 0; i < count; i++) {
        ctn_str text = ctn_json_to_str(scratch, ctn_told_attempt(scratch, plan, &rows[i]));
        (void) fputs(i ? ",\n " : "", stdout);
        ctn_json_text_print(text);
        ctn_arena_reset(scratch);
    }
    (void) fputs("]\n", stdout);
    ctn_arena_free(scratch);
}

static int run_timeline(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_timeline *timeline = NULL;
    int64_t now_ms = ctn_cli_now_ms();
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution(cli, &ws, store, &row);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_timeline(cli, store, &row, &x, &timeline, now_ms);
    if (exit_code == CTN_EXIT_OK && ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_json(ctn_execution_plan(x), timeline);
    else if (exit_code == CTN_EXIT_OK)
        ctn_timeline_sheet_print(cli, timeline, ctn_execution_plan(x), &row, now_ms);
    ctn_timeline_free(timeline);
    ctn_execution_unload(x);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_timeline = {
    .name = "timeline",
    .operands = "ID",
    .summary = "Draw the attempts of an execution over time",
    .details =
        CTN_ABOUT_ID "\nOne row an attempt: dots are back-off, dashes waiting, a thin bar one whose start is not "
                     "recorded.\nAs wide as the terminal, else as COLUMNS says. --json gives all rows, also "
                     "items that are folded here.",
    .options = CTN_OPTS_READ,
    .words_min = 1,
    .words_max = 1,
    .run = run_timeline,
};
