/*
 * verb_store_verify.c -- `store verify`: is the store what was put into it?
 *
 * Findings are printed as they come, for there may be as many as there are entries; so the JSON is written piece by
 * piece.
 */
#include "cli/named.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "cli/verify_file.h"
#include "host/keyring.h"
#include "store/verify.h"
#include <inttypes.h>
#include <stdio.h>

typedef struct verify_verb {
    ctn_cli *cli;
    bool is_json;
    ctn_progress progress;
    int64_t printed;
} verify_verb;

/* ---- findings ---- */

static const ctn_json *finding_json(ctn_arena *arena, const ctn_verify_finding *f)
{
    ctn_json_builder b = ctn_json_object(arena);
    if (f->has_execution && !ctn_id_is_none(f->id))
        ctn_json_put_str(&b, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(f->id).text)));
    if (f->has_execution)
        ctn_json_put_int(&b, "execNo", f->exec_no);
    if (f->seq)
        ctn_json_put_int(&b, "seq", (int64_t) f->seq);
    ctn_json_put_str(&b, "rule", ctn_str_from(f->rule));
    ctn_json_put_str(&b, "what", f->what);
    return ctn_json_finish(&b);
}

static void print_finding(void *ctx, const ctn_verify_finding *f)
{
    verify_verb *t = ctx;
    ctn_arena *arena = t->cli->arena;
    ctn_arena_mark mark = ctn_arena_save(arena);
    if (t->is_json) {
        ctn_str text = ctn_json_to_str(arena, finding_json(arena, f));
        printf("%s%.*s", t->printed ? "," : "", CTN_STR_ARG(text));
    } else {
        if (f->has_execution && ctn_id_is_none(f->id))
            printf("execution number %" PRId64 ": ", f->exec_no);
        else if (f->has_execution)
            printf("%s: ", ctn_id_to_text(f->id).text);
        if (f->seq && !ctn_str_starts_with(f->what, CTN_STR("entr")))
            printf("entry %" PRIu64 ": ", f->seq);
        printf("%.*s [%s]\n", CTN_STR_ARG(ctn_text_clean(arena, f->what, 0)), f->rule);
    }
    t->printed++;
    ctn_arena_restore(arena, mark);
}

static void print_progress(void *ctx, const ctn_verify_report *r)
{
    verify_verb *t = ctx;
    int64_t percent = r->exec_no_last ? 100 * r->exec_no / r->exec_no_last : 0;
    ctn_progress_tell(&t->progress, "%" PRId64 " %%: %" PRId64 " executions, %" PRId64 " entries, %" PRId64 " findings",
                      percent, r->executions, r->entries, r->findings);
}

/* ---- the verb ---- */

static void print_end(const verify_verb *t, const ctn_workspace *ws, const ctn_verify_report *r, int64_t span_ms)
{
    const char *caution = ctn_store_url_caution(ws->store_url);
    if (t->is_json) {
        ctn_arena *arena = t->cli->arena;
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_bool(&b, "ok", r->findings == 0);
        ctn_json_put_str(&b, "store", ws->store_shown);
        ctn_json_put_int(&b, "executions", r->executions);
        ctn_json_put_int(&b, "entries", r->entries);
        ctn_json_put_int(&b, "definitions", r->definitions);
        ctn_json_put_int(&b, "chains", r->chains);
        ctn_json_put_int(&b, "auditEntries", r->audit_entries);
        ctn_json_put_int(&b, "sealedOpened", r->sealed_opened);
        ctn_json_put_int(&b, "sealedUnopened", r->sealed_unopened);
        ctn_json_put_int(&b, "durationMs", span_ms);
        if (caution)
            ctn_json_put_str(&b, "caution", ctn_str_from(caution));
        ctn_str text = ctn_json_to_str(arena, ctn_json_finish(&b));
        printf("],%.*s\n", CTN_STR_ARG(ctn_str_from_offset(text, 1)));
        return;
    }
    printf("%.*s: %" PRId64 " executions, %" PRId64 " entries, %" PRId64 " definitions, %" PRId64
           " audit entries in %s",
           CTN_STR_ARG(ws->store_shown), r->executions, r->entries, r->definitions, r->audit_entries,
           ctn_duration_text(span_ms).text);
    if (r->sealed_opened || r->sealed_unopened)
        printf("; %" PRId64 " sealed values opened, %" PRId64 " could not be (no key here, or shredded)",
               r->sealed_opened, r->sealed_unopened);
    printf(": ");
    if (r->findings)
        printf("%" PRId64 " finding%s\n", r->findings, r->findings == 1 ? "" : "s");
    else
        printf("sound\n");
    if (caution)
        ctn_cli_say(t->cli, "%s", caution);
}

static int run_store_verify(ctn_cli *cli)
{
    if (cli->args.word_count)
        return ctn_verify_file(cli, cli->args.words[0]);
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    verify_verb t = {.cli = cli, .is_json = ctn_opt_is_given(cli, CTN_OPT_JSON), .progress = ctn_progress_begin(cli)};
    ctn_verify_options options = {.is_quick = ctn_opt_is_given(cli, CTN_OPT_QUICK),
                                  .on_finding = print_finding,
                                  .on_progress = ctn_opt_is_given(cli, CTN_OPT_QUIET) ? NULL : print_progress,
                                  .ctx = &t};
    ctn_config_keyring *keyring = ctn_config_keyring_new(ws.config, ctn_cli_teller(cli));
    options.seal = ctn_config_keyring_seal(keyring);
    ctn_verify_report report;
    if (t.is_json)
        printf("{\"findings\":[");
    int rc = ctn_store_verify(store, &options, &report, &err);
    int64_t span_ms = ctn_progress_end(&t.progress);
    ctn_store_close(store);
    ctn_config_keyring_free(keyring);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    print_end(&t, &ws, &report, span_ms);
    return report.findings ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

const ctn_verb ctn_verb_store_verify = {
    .name = "store verify",
    .operands = "[FILE]",
    .summary = "Check everything in the store: journals, cached rows, definitions, the audit log, the file",
    .details = "Nothing is written, and an owner may work meanwhile. Each finding is a line on stdout, with --json an\n"
               "object {executionId, seq, rule, what} of \"findings\".\n"
               "Exit: 0 sound; 1 there are findings; 2 it cannot be read.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(QUICK),
    .words_max = 1,
    .run = run_store_verify,
};
