/*
 * verb_copy.c -- `store copy`: a whole store, with its history, into a new one of another kind.
 */
#include "cli/progress.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "store/copy.h"
#include <inttypes.h>

typedef struct copy_verb {
    ctn_cli *cli;
    ctn_progress progress;
} copy_verb;

static void print_progress(void *ctx, const ctn_copy_report *r)
{
    copy_verb *t = ctx;
    ctn_progress_tell(&t->progress, "%" PRId64 " executions, %" PRId64 " entries%s", r->executions, r->entries,
                      t->cli->err.is_terminal ? "" : " are copied");
}

/* Before anything is read, so that both stores know of it. */
static void write_audit(void *ctx)
{
    copy_verb *t = ctx;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(t->cli->args.words[0], CTN_STORE_WRITE, &store, &err);
    if (rc == CTN_OK)
        rc = ctn_audit(store, "store.copy", (ctn_str){0}, NULL, &err); /* no URL: there may be a password in it */
    ctn_store_close(store);
    if (rc)
        ctn_cli_say(t->cli, "the copy is not in the audit log: %s", err.message);
}

static void print_report(const ctn_cli *cli, const ctn_copy_report *r, int64_t span_ms)
{
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "executions", r->executions);
    ctn_json_put_int(&b, "entries", r->entries);
    ctn_json_put_int(&b, "definitions", r->definitions);
    ctn_json_put_int(&b, "chainVersions", r->chain_versions);
    ctn_json_put_int(&b, "auditEntries", r->audit_entries);
    ctn_json_put_int(&b, "moved", r->moved);
    ctn_json_put_int(&b, "damaged", r->damaged);
    ctn_json_put_int(&b, "lost", r->lost);
    ctn_json_put_int(&b, "durationMs", span_ms);
    ctn_result_print(cli, ctn_json_finish(&b));
}

static int run_store_copy(ctn_cli *cli)
{
    ctn_err err = {0};
    ctn_copy_report report;
    copy_verb t = {.cli = cli, .progress = ctn_progress_begin(cli)};
    ctn_copy_options options = {.now_ms = ctn_cli_now_ms(),
                                .on_begin = write_audit,
                                .on_progress = ctn_opt_is_given(cli, CTN_OPT_QUIET) ? NULL : print_progress,
                                .ctx = &t};
    int rc = ctn_store_copy(cli->args.words[0], cli->args.words[1], &options, &report, &err);
    int64_t span_ms = ctn_progress_end(&t.progress);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_report(cli, &report, span_ms);
    ctn_cli_say(cli, "%" PRId64 " executions with %" PRId64 " entries are copied in %s; only one of the two may go on",
                report.executions, report.entries, ctn_duration_text(span_ms).text);
    if (report.damaged || report.lost)
        ctn_cli_say(cli,
                    "%" PRId64 " executions were damaged and are copied with their damage; of %" PRId64
                    " executions and entries nothing could be read (`catena store verify` of both tells more)",
                    report.damaged, report.lost);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_store_copy = {
    .name = "store copy",
    .operands = "FROM TO",
    .summary = "Copy a whole store with its history into a new one, of another kind too",
    .details =
        "FROM and TO are stores, as --store takes them: sqlite:FILE, postgres://... Nobody may use either meanwhile.\n"
        "The whole is copied, or nothing: journals with their hashes, what is sealed and its keys, the audit log, who\n"
        "is known, schedules, webhooks. Compare the two with `catena store verify --store ...`. Both hold what is\n"
        "unfinished then: start only one of them again.",
    .options = CTN_OPT_BIT(JSON) | CTN_OPT_BIT(QUIET),
    .words_min = 2,
    .words_max = 2,
    .run = run_store_copy,
};
