/*
 * verb_backup.c -- `store backup`: a copy of the store as it is now, also while it is in use.
 */
#include "cli/named.h"
#include "cli/progress.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "store/backup.h"
#include <inttypes.h>

typedef struct backup_verb {
    ctn_cli *cli;
    const ctn_workspace *ws;
    ctn_progress progress;
} backup_verb;

static void print_progress(void *ctx, const ctn_backup_report *r)
{
    backup_verb *t = ctx;
    int64_t mib = r->pages * r->page_bytes >> 20, of_mib = r->pages_total * r->page_bytes >> 20;
    ctn_progress_tell(&t->progress, "%" PRId64 " of %" PRId64 " MiB%s", mib, of_mib,
                      t->cli->err.is_terminal ? "" : " are copied");
}

/* Before anything is copied, so that the copy knows of itself. A store that cannot be written (a full disk, a file that
 * is read-only) can be backed up nevertheless: then more than ever. */
static void write_audit(void *ctx)
{
    backup_verb *t = ctx;
    ctn_cli *cli = t->cli;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(t->ws->store_url, CTN_STORE_WRITE, &store, &err);
    if (rc == CTN_OK)
        rc = ctn_audit(store, "store.backup", ctn_word(cli, 0), NULL, &err);
    ctn_store_close(store);
    if (rc)
        ctn_cli_say(cli, "the backup is not in the audit log: %s", err.message);
}

static int run_store_backup(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    ctn_backup_report report;
    ctn_str path = ctn_word(cli, 0);
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    backup_verb t = {.cli = cli, .ws = &ws, .progress = ctn_progress_begin(cli)};
    ctn_backup_options options = {.path = cli->args.words[0],
                                  .replaces = ctn_opt_is_given(cli, CTN_OPT_FORCE),
                                  .on_begin = write_audit,
                                  .on_progress = ctn_opt_is_given(cli, CTN_OPT_QUIET) ? NULL : print_progress,
                                  .ctx = &t};
    int rc = ctn_store_backup(ws.store_url, &options, &report, &err);
    int64_t span_ms = ctn_progress_end(&t.progress);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    int64_t bytes = report.pages * report.page_bytes;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "store", ctn_str_from(ws.store_url));
        ctn_json_put_str(&b, "backup", path);
        ctn_json_put_int(&b, "bytes", bytes);
        ctn_json_put_int(&b, "durationMs", span_ms);
        ctn_result_print(cli, ctn_json_finish(&b));
    }
    ctn_cli_say(cli, "%.*s holds the store as it was %s ago (%" PRId64 " KiB)", CTN_STR_ARG(path),
                ctn_duration_text(span_ms).text, bytes >> 10);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_store_backup = {
    .name = "store backup",
    .operands = "FILE",
    .summary = "Copy the store as it is now into one file, also while it is in use",
    .details =
        "Everything acknowledged before it began is in the copy, which is on disk when it is said to be done. To\n"
        "restore, put the file where the store is wanted; calls made after the backup are not known to it.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(FORCE),
    .words_min = 1,
    .words_max = 1,
    .run = run_store_backup,
};
