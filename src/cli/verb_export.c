/*
 * verb_export.c -- `export`: one execution as a file that proves itself.
 */
#include "cli/named.h"
#include "cli/reveal.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "store/export.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

typedef struct sink {
    FILE *file;
    const char *path; /* NULL: standard output */
    char *part;       /* written first, renamed when it is whole */
} sink;

static int fail_sink(const sink *s, ctn_err *err)
{
    return ctn_fail(err, CTN_E_IO, "the export %s cannot be written: %s", s->path ? s->path : "", strerror(errno));
}

static int write_piece(void *ctx, ctn_str text, ctn_err *err)
{
    sink *s = ctx;
    return fwrite(text.ptr, 1, text.len, s->file) == text.len ? CTN_OK : fail_sink(s, err);
}

static int sink_open(ctn_cli *cli, sink *s, ctn_err *err)
{
    s->path = cli->args.values[CTN_OPT_OUTPUT];
    s->file = stdout;
    if (!s->path)
        return CTN_OK;
    if (access(s->path, F_OK) == 0 && !ctn_opt_is_given(cli, CTN_OPT_FORCE))
        return ctn_fail(err, CTN_E_EXISTS, "%s is there already; --force replaces it", s->path);
    s->part = (char *) ctn_arena_printf(cli->arena, "%s.part", s->path).ptr;
    (void) unlink(s->part);
    int fd = open(s->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    s->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return s->file ? CTN_OK : fail_sink(s, err);
}

static int sink_close(sink *s, int rc, ctn_err *err)
{
    if (!s->part || !s->file)
        return rc;
    if (rc == CTN_OK && (fflush(s->file) || fsync(fileno(s->file))))
        rc = fail_sink(s, err);
    if (fclose(s->file) && rc == CTN_OK)
        rc = fail_sink(s, err);
    if (rc == CTN_OK && rename(s->part, s->path))
        rc = fail_sink(s, err);
    if (rc)
        (void) unlink(s->part);
    return rc;
}

/* Before anything leaves. What can be read can be exported, also out of a store that cannot be written; what is
 * revealed is not (ctn_reveal_begin). */
static void write_audit(ctn_cli *cli, const ctn_workspace *ws, ctn_str id)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(ws->store_url, CTN_STORE_WRITE, &store, &err);
    if (rc == CTN_OK)
        rc = ctn_audit(store, "execution.export", id, NULL, &err);
    ctn_store_close(store);
    if (rc)
        ctn_cli_say(cli, "the export is not in the audit log: %s", err.message);
}

static int run_export(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_err err = {0};
    sink s = {0};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution_raw(cli, &ws, store, &row);
    if (exit_code) {
        ctn_store_close(store);
        return exit_code;
    }
    ctn_str id = ctn_arena_str(cli->arena, ctn_str_from(ctn_id_to_text(row.id).text));
    ctn_export_options options = {.id = row.id,
                                  .now_ms = ctn_cli_now_ms(),
                                  .actor = ctn_actor_name(cli->arena),
                                  .program = CTN_STR("catena " CATENA_VERSION),
                                  .write = write_piece,
                                  .ctx = &s};
    ctn_export_report report;
    ctn_reveal reveal = {0};
    int rc = sink_open(cli, &s, &err);
    if (rc == CTN_OK)
        exit_code = ctn_reveal_begin(cli, &ws, &row, &reveal);
    if (rc == CTN_OK && exit_code == CTN_EXIT_OK) {
        write_audit(cli, &ws, id);
        options.seal = ctn_config_keyring_seal(reveal.keyring);
        rc = ctn_store_export(store, &options, &report, &err);
    }
    rc = sink_close(&s, exit_code ? CTN_E_DENIED : rc, &err);
    ctn_reveal_end(&reveal);
    ctn_store_close(store);
    if (exit_code)
        return exit_code;
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    ctn_cli_say(cli, "%.*s: %" PRIu64 " entries; the last one's hash is %s", CTN_STR_ARG(id), report.entries,
                ctn_digest_to_text(report.hash_last).text);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_export = {
    .name = "export",
    .operands = "ID [--output FILE] [--reveal]",
    .summary = "Write one execution as a file that proves itself",
    .details = CTN_ABOUT_ID
    "\nOne JSON object a line: the row, the definitions it was run with, its whole journal with the hashes, the end.\n"
    "Sensitive values are left out; what stands for them is a commitment that the hashes cover. With --reveal they\n"
    "are in it, each with the salt that proves it. A damaged execution is exported as it stands.\n"
    "`catena verify FILE` proves the file without a store or a key.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(OUTPUT) | CTN_OPT_BIT(FORCE) | CTN_OPT_BIT(REVEAL),
    .words_min = 1,
    .words_max = 1,
    .run = run_export,
};

const ctn_verb ctn_verb_store_export = {
    .name = "store export",
    .operands = "ID [--output FILE] [--reveal]",
    .summary = "The same as `export`",
    .details = CTN_ABOUT_ID "\nSee: catena help export",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(OUTPUT) | CTN_OPT_BIT(FORCE) | CTN_OPT_BIT(REVEAL),
    .words_min = 1,
    .words_max = 1,
    .run = run_export,
};
