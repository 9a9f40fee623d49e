/*
 * verb_verify.c -- `verify`: does the file of an exported execution prove what it says?
 */
#include "cli/verify_file.h"
#include "journal/export_check.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct checking {
    ctn_cli *cli;
    ctn_export_check *check;
    const char *path;
    bool is_json;
    uint64_t printed;
} checking;

static void print_fault(void *ctx, const ctn_proof_fault *f)
{
    checking *t = ctx;
    ctn_arena *arena = t->cli->arena;
    ctn_arena_mark mark = ctn_arena_save(arena);
    if (t->is_json) {
        ctn_json_builder b = ctn_json_object(arena);
        if (f->seq)
            ctn_json_put_int(&b, "seq", (int64_t) f->seq);
        ctn_json_put_str(&b, "rule", ctn_str_from(f->rule));
        ctn_json_put_str(&b, "what", f->what);
        ctn_str text = ctn_json_to_str(arena, ctn_json_finish(&b));
        printf("%s%.*s", t->printed ? "," : "", CTN_STR_ARG(text));
    } else {
        printf("%s: ", t->path);
        if (f->seq && !ctn_str_starts_with(f->what, CTN_STR("entr")))
            printf("entry %" PRIu64 ": ", f->seq);
        printf("%.*s [%s]\n", CTN_STR_ARG(ctn_text_clean(arena, f->what, 0)), f->rule);
    }
    t->printed++;
    ctn_arena_restore(arena, mark);
}

static void print_report(const checking *t, const ctn_export_report *r)
{
    if (t->is_json) {
        ctn_arena *arena = t->cli->arena;
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_bool(&b, "ok", r->faults == 0);
        ctn_json_put_str(&b, "file", ctn_str_from(t->path));
        ctn_json_put_str(&b, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(r->id).text)));
        ctn_json_put_str(&b, "chain", r->chain_id);
        ctn_json_put_int(&b, "version", r->version);
        ctn_json_put_str(&b, "status", r->status);
        ctn_json_put_int(&b, "entries", (int64_t) r->entries);
        ctn_json_put_int(&b, "sealed", (int64_t) r->sealed);
        ctn_json_put_int(&b, "revealed", (int64_t) r->revealed);
        ctn_json_put_str(&b, "hash", ctn_arena_str(arena, ctn_str_from(ctn_digest_to_text(r->hash_last).text)));
        ctn_str text = ctn_json_to_str(arena, ctn_json_finish(&b));
        printf("],%.*s\n", CTN_STR_ARG(ctn_str_from_offset(text, 1)));
        return;
    }
    printf("%s: execution %s of %.*s, version %" PRId64 ", %.*s: %" PRIu64 " entries", t->path,
           ctn_id_to_text(r->id).text, CTN_STR_ARG(ctn_text_clean(t->cli->arena, r->chain_id, 0)), r->version,
           CTN_STR_ARG(ctn_text_clean(t->cli->arena, r->status, 0)), r->entries);
    if (r->sealed)
        printf(", %" PRIu64 " sensitive values (%" PRIu64 " revealed)", r->sealed, r->revealed);
    if (r->faults)
        printf(": %" PRIu64 " finding%s\n", r->faults, r->faults == 1 ? "" : "s");
    else
        printf(": proven; the last hash is %s\n", ctn_digest_to_text(r->hash_last).text);
}

/* A line at a time, each of bounded length. */
static int check_lines(checking *t, FILE *file, ctn_err *err)
{
    ctn_buf line;
    char piece[65536];
    int rc = CTN_OK;
    bool has_line = false, is_empty = true;
    ctn_buf_init(&line, CTN_EXPORT_LINE_BYTES_MAX);
    while (rc == CTN_OK && fgets(piece, sizeof piece, file)) {
        ctn_str text = ctn_str_from(piece);
        bool is_whole = text.len && text.ptr[text.len - 1] == '\n';
        ctn_buf_append(&line, (ctn_str){text.ptr, text.len - (is_whole ? 1 : 0)});
        has_line = !is_whole;
        is_empty = false;
        if (line.overflowed)
            rc = ctn_fail(err, CTN_E_LIMIT, "a line is longer than %zu bytes", CTN_EXPORT_LINE_BYTES_MAX);
        if (rc || !is_whole)
            continue;
        rc = ctn_export_check_line(t->check, ctn_buf_str(&line), err);
        ctn_buf_clear(&line);
    }
    if (rc == CTN_OK && ferror(file))
        rc = ctn_fail(err, CTN_E_IO, "%s", strerror(errno));
    if (rc == CTN_OK && is_empty)
        rc = ctn_fail(err, CTN_E_INVALID, "it is empty, and no export");
    if (rc == CTN_OK && has_line)
        rc = ctn_export_check_line(t->check, ctn_buf_str(&line), err);
    ctn_buf_done(&line);
    return rc;
}

int ctn_verify_file(ctn_cli *cli, const char *path)
{
    checking t = {.cli = cli, .path = path, .is_json = ctn_opt_is_given(cli, CTN_OPT_JSON)};
    ctn_err err = {0};
    ctn_export_report report;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file)
        return ctn_cli_fail(cli, "%s: %s", path, strerror(errno));
    t.check = ctn_export_check_new(print_fault, &t);
    if (t.is_json)
        printf("{\"findings\":[");
    int rc = check_lines(&t, file, &err);
    if (rc == CTN_OK) {
        ctn_export_check_end(t.check, &report);
        print_report(&t, &report);
    }
    ctn_export_check_free(t.check);
    if (!is_stdin)
        (void) fclose(file);
    if (rc)
        return ctn_cli_fail(cli, "%s: %s", path, err.message);
    return report.faults ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

static int run_verify(ctn_cli *cli)
{
    return ctn_verify_file(cli, cli->args.words[0]);
}

const ctn_verb ctn_verb_verify = {
    .name = "verify",
    .operands = "FILE|-",
    .summary = "Prove an exported execution, offline",
    .details =
        "Hashes, definitions, and that the journal folds to what the head says. Whoever makes a whole file anew can\n"
        "make one that holds together: compare the hash that is printed with one you kept.\n"
        "Exit: 0 proven; 1 there are findings; 2 it cannot be read.",
    .options = CTN_OPT_BIT(JSON),
    .words_min = 1,
    .words_max = 1,
    .run = run_verify,
};
