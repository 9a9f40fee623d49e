/*
 * verb_history.c -- `history`: the journal of an execution, one line or JSON object an entry.
 *
 * Entries are printed as they are read: a journal of a million needs no more memory than one of ten. Where one does
 * not read, what is behind it is told all the same, with what is wrong.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/reveal.h"
#include "cli/verb.h"
#include "engine/opening.h"
#include "journal/entry_told.h"
#include "store/raw.h"
#include <stdio.h>

#define WHERE_COLUMNS 24
#define SAID_COLUMNS  160

typedef struct telling {
    const ctn_cli *cli;
    ctn_arena *scratch;
    int64_t first_at_ms;
    size_t count;
    uint64_t seq_last;
    const char *damage; /* of the one that is told now */
    ctn_str kind_name;
    ctn_opening opening;
    ctn_err *err;
} telling;

static int history_json(void *ctx, const ctn_record *record, int64_t position)
{
    telling *t = ctx;
    ctn_arena *arena = t->scratch;
    ctn_json_builder b = ctn_told_record(arena, record, position);
    t->seq_last = record->seq;
    if (t->damage) {
        ctn_json_put_str(&b, "kind", t->kind_name);
        ctn_json_put_str(&b, "damaged", ctn_str_from(t->damage));
    }
    ctn_str text = ctn_json_to_str(arena, ctn_json_finish(&b));
    (void) fputs(t->count++ ? "," : "[", stdout);
    ctn_json_text_print(text);
    ctn_arena_reset(arena);
    return 0;
}

static int history_line(void *ctx, const ctn_record *record, int64_t position)
{
    telling *t = ctx;
    const ctn_screen *out = &t->cli->out;
    const char *dim = ctn_colour_code(out, CTN_COLOUR_DIM), *plain = ctn_colour_code(out, CTN_COLOUR_NONE);
    (void) position;
    t->seq_last = record->seq;
    if (t->count++ == 0) {
        t->first_at_ms = record->at_ms;
        printf("%s%4s  %-12s  %-22s  %s%s\n", dim, "SEQ", "AFTER", "WHAT", "WHERE, HOW, BY WHOM", plain);
    }
    ctn_str where = record->step;
    if (record->item >= 0)
        where = ctn_arena_printf(t->scratch, "%.*s[%lld]", CTN_STR_ARG(where), (long long) record->item);
    if (record->attempt > 1)
        where = ctn_arena_printf(t->scratch, "%.*s (attempt %u)", CTN_STR_ARG(where), record->attempt);
    if (!ctn_str_is(record->actor, "engine"))
        where = ctn_arena_printf(t->scratch, "%.*s%sby %.*s", CTN_STR_ARG(where), where.len ? " " : "",
                                 CTN_STR_ARG(record->actor));
    where = ctn_text_clean(t->scratch, where, 0);
    ctn_str said = ctn_entry_history(t->scratch, record, SAID_COLUMNS);
    ctn_str line =
        ctn_arena_printf(t->scratch, "%4llu  %-12s  %-22s  %-*.*s", (unsigned long long) record->seq,
                         ctn_duration_text(record->at_ms - t->first_at_ms).text, ctn_entry_kind_name(record->kind),
                         said.len ? WHERE_COLUMNS : 0, CTN_STR_ARG(where));
    while (!said.len && line.len && line.ptr[line.len - 1] == ' ')
        line.len--;
    printf("%.*s%s%s%.*s%s\n", CTN_STR_ARG(line), said.len ? "  " : "", dim, CTN_STR_ARG(said), plain);
    ctn_arena_reset(t->scratch);
    return 0;
}

/* Behind what read well. */
static int tell_rest(telling *t, const ctn_raw_record *raw, bool is_json)
{
    if (raw->record.seq <= t->seq_last && t->count)
        return 0;
    t->damage = raw->damage;
    t->kind_name = raw->is_lost ? CTN_STR("lost") : raw->kind_name;
    if (is_json) {
        (void) history_json(t, &raw->record, raw->position);
    } else if (raw->damage) {
        t->seq_last = raw->record.seq;
        t->count++;
        printf("%4llu  %-12s  %-22.*s  %sdamaged: %s%s\n", (unsigned long long) raw->record.seq, "",
               CTN_STR_ARG(ctn_text_clean(t->scratch, t->kind_name, 0)), ctn_colour_code(&t->cli->out, CTN_COLOUR_RED),
               raw->damage, ctn_colour_code(&t->cli->out, CTN_COLOUR_NONE));
    } else {
        (void) history_line(t, &raw->record, raw->position);
    }
    t->damage = NULL;
    return 0;
}

static int rest_json(void *ctx, const ctn_raw_record *raw)
{
    return tell_rest(ctx, raw, true);
}
static int rest_line(void *ctx, const ctn_raw_record *raw)
{
    return tell_rest(ctx, raw, false);
}

/* Opened first, with --reveal. */
static int history_entry(void *ctx, const ctn_record *record, int64_t position)
{
    telling *t = ctx;
    ctn_record opened;
    int rc = ctn_opening_record(&t->opening, record, t->scratch, &opened, t->err);
    if (rc)
        return rc;
    return ctn_opt_is_given(t->cli, CTN_OPT_JSON) ? history_json(t, &opened, position)
                                                  : history_line(t, &opened, position);
}

static int run_history(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_err err = {0};
    telling t = {.cli = cli};
    ctn_reveal reveal = {0};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution_raw(cli, &ws, store, &row);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_reveal_begin(cli, &ws, &row, &reveal);
    if (exit_code == CTN_EXIT_OK) {
        t.opening = (ctn_opening){
            .seal = ctn_config_keyring_seal(reveal.keyring), .store = store, .exec_no = row.exec_no, .id = row.id};
        t.err = &err;
        bool is_json = ctn_opt_is_given(cli, CTN_OPT_JSON);
        t.scratch = ctn_arena_new(65536);
        int rc = ctn_store_journal_read(store, row.exec_no, 1, history_entry, &t, &err);
        if (rc == CTN_E_CORRUPT)
            (void) ctn_store_journal_read_raw(store, row.exec_no, is_json ? rest_json : rest_line, &t, NULL);
        if (is_json && (rc == CTN_OK || rc == CTN_E_CORRUPT))
            (void) fputs(t.count ? "]\n" : "[]\n", stdout);
        if (rc) {
            (void) fflush(stdout);
            exit_code = ctn_cli_fail_err(cli, &err);
        }
        ctn_arena_free(t.scratch);
        ctn_opening_done(&t.opening);
    }
    ctn_reveal_end(&reveal);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_history = {
    .name = "history",
    .operands = "ID",
    .summary = "Show the journal of an execution: what was decided, by whom, when",
    .details = CTN_ABOUT_ID,
    .options = CTN_OPTS_READ | CTN_OPT_BIT(REVEAL),
    .words_min = 1,
    .words_max = 1,
    .run = run_history,
};
