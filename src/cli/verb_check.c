/*
 * verb_check.c -- `check`: what is wrong with chains and instruction sets.
 *
 * All files are read before the first one is checked, so that a chain finds the sets of a file that comes after it.
 */
#include "cli/check_report.h"
#include "cli/config.h"
#include "cli/files.h"
#include "cli/programs.h"
#include "cli/timezone.h"
#include "cli/tool_book.h"
#include "cli/workspace.h"
#include "core/check.h"
#include <stdio.h>

/* ---- checking ---- */

/* The files that were named, as they were read. */
typedef struct checked {
    const ctn_source **sources;
    const ctn_chain **chains;
    size_t count;
} checked;

/* The file's own faults. A file that the configuration includes was read with it: its findings are there already,
 * and a second reading finds the same ones. */
static int read_file(ctn_cli *cli, ctn_library *library, ctn_str path, ctn_findings *findings, checked *files)
{
    ctn_str text;
    ctn_err err = {0};
    ctn_source *source;
    const ctn_chain *chain = NULL;
    if (ctn_file_read(cli->arena, path, &text, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_str_ends_with(path, CTN_STR(".mustache"))) {
        (void) ctn_library_add_template(library, (ctn_str){0}, path, text, findings);
        return CTN_EXIT_OK;
    }
    if (ctn_source_parse(cli->arena, path, text, findings, &source))
        return CTN_EXIT_OK; /* the findings say why */
    (void) ctn_library_add_source(library, source, findings, &chain);
    files->sources[files->count] = source;
    files->chains[files->count++] = chain;
    return CTN_EXIT_OK;
}

/* What a start of the chain needs and may have. A chain with errors has no plan, and its findings say why. */
static void say_inputs(ctn_cli *cli, const ctn_library *library, const ctn_chain *chain)
{
    ctn_findings ignored;
    ctn_plan *plan = NULL;
    ctn_findings_init(&ignored, cli->arena);
    if (!chain || ctn_plan_compile(cli->arena, library, chain, &ignored, &plan))
        return;
    ctn_buf text;
    ctn_buf_init(&text, 65536);
    for (uint32_t i = 0; i < plan->input_count; i++)
        ctn_buf_printf(&text, "%s%.*s%s", i ? ", " : "", CTN_STR_ARG(plan->variables[plan->inputs[i].slot]),
                       plan->inputs[i].is_required ? "" : " (optional)");
    ctn_cli_say(cli, "%.*s takes %.*s", CTN_STR_ARG(plan->chain_id),
                CTN_STR_ARG(text.len ? ctn_buf_str(&text) : CTN_STR("no input")));
    ctn_buf_done(&text);
    ctn_plan_done(plan);
}

static void take_all(ctn_findings *to, const ctn_findings *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const ctn_finding *x = &from->items[i];
        ctn_findings_add(to, x->file, x->line, x->column, x->severity, x->rule, "%.*s", CTN_STR_ARG(x->message));
    }
}

/* Who compiles the programs of transforms: a host, made when there is one to compile. */
typedef struct compiler {
    const ctn_cli *cli;
    const ctn_workspace *ws;
    ctn_host *host;
    bool is_out_of_order;
} compiler;

static int compile_program(void *ctx, ctn_str program, ctn_err *err)
{
    compiler *c = ctx;
    if (c->is_out_of_order)
        return CTN_E_CLOSED;
    if (!c->host)
        c->host = ctn_host_new(c->cli, c->ws);
    int rc = ctn_program_compile(c->host, program, err);
    if (rc && rc != CTN_E_INVALID) {
        c->is_out_of_order = true;
        ctn_cli_say(c->cli, "the programs of transforms were not compiled: %s", err->message);
    }
    return rc;
}

int ctn_verb_check(ctn_cli *cli)
{
    static const ctn_str FORMATS[] = {{"text", 4}, {"json", 4}, {"sarif", 5}};
    ctn_str format =
        ctn_opt_is_given(cli, CTN_OPT_FORMAT) ? ctn_str_from(cli->args.values[CTN_OPT_FORMAT]) : FORMATS[0];
    if (!ctn_str_is(format, "text") && !ctn_str_is(format, "json") && !ctn_str_is(format, "sarif"))
        return ctn_cli_fail(cli, "--format %.*s: %.*s", CTN_STR_ARG(format),
                            CTN_STR_ARG(ctn_suggest(cli->arena, format, FORMATS, 3)));
    ctn_workspace ws;
    int exit_code = ctn_workspace_open(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    size_t count = cli->args.word_count;
    if (count == 0 && ws.config->file.len == 0)
        return ctn_cli_fail(cli, "nothing to check: give files, or a catena.yaml that includes some");
    checked files = {.sources = CTN_NEW_ARRAY(cli->arena, const ctn_source *, count),
                     .chains = CTN_NEW_ARRAY(cli->arena, const ctn_chain *, count)};
    for (size_t i = 0; i < count && exit_code == CTN_EXIT_OK; i++)
        exit_code = read_file(cli, ws.config->library, ctn_word(cli, i), &findings, &files);
    compiler asked = {.cli = cli, .ws = &ws};
    ctn_check_options options = {
        .effect = ctn_config_effect, .effect_ctx = ws.config, .has_timezone = ctn_timezone_is_known};
    ctn_tool_book *book = NULL;
    if (exit_code == CTN_EXIT_OK && ctn_opt_is_given(cli, CTN_OPT_TOOLS)) {
        exit_code = ctn_tool_book_ask(cli, &ws, count ? files.sources : NULL, files.count, &book);
        options = (ctn_check_options){.effect = ctn_tool_book_effect,
                                      .effect_ctx = book,
                                      .tool = ctn_tool_book_tool,
                                      .tool_ctx = book,
                                      .has_timezone = ctn_timezone_is_known};
    }
    if (exit_code)
        return exit_code;
    options.compile = compile_program;
    options.compile_ctx = &asked;
    if (count == 0) {
        take_all(&findings, &ws.findings);
        take_all(&findings, &ws.library_findings);
        (void) ctn_check(ws.config->library, NULL, &options, &findings);
    }
    for (size_t i = 0; i < files.count; i++)
        (void) ctn_check(ws.config->library, files.sources[i], &options, &findings);
    ctn_host_close(asked.host);
    for (size_t i = 0; i < files.count && ctn_str_is(format, "text"); i++)
        say_inputs(cli, ws.config->library, files.chains[i]);
    return ctn_check_report(cli, &findings, format);
}
