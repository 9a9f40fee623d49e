/*
 * verb_check.c -- `check`: what is wrong with chains and instruction sets.
 */
#include "chain/rules.h"
#include "cli/check_report.h"
#include "cli/check_run.h"
#include "cli/named.h"
#include "cli/timezone.h"
#include "cli/verb.h"
#include "host/config_models.h"
#include "host/config_servers.h"
#include "host/programs.h"
#include "host/secrets.h"
#include "host/tool_book.h"
#include <stdio.h>

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
        c->host = ctn_cli_host(c->cli, c->ws);
    int rc = ctn_program_compile(c->host, program, err);
    if (rc && rc != CTN_E_INVALID) {
        c->is_out_of_order = true;
        ctn_cli_say(c->cli, "the programs of transforms were not compiled: %s", err->message);
    }
    return rc;
}

static int ask_servers(const ctn_cli *cli, const ctn_workspace *ws, const ctn_source *const *sources,
                       size_t source_count, ctn_tool_book **ret_book)
{
    ctn_err err = {0};
    ctn_host *host = ctn_cli_host(cli, ws);
    int rc = ctn_tool_book_ask(host, sources, source_count, ret_book, &err);
    ctn_host_close(host);
    if (rc == CTN_E_CLOSED)
        return CTN_EXIT_INTERRUPTED;
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

static int explain(ctn_cli *cli, ctn_str rule)
{
    return ctn_rule_explain(cli, rule) ? CTN_EXIT_OK
                                       : ctn_cli_fail(cli, "there is no rule '%.*s'; %.*s", CTN_STR_ARG(rule),
                                                      CTN_STR_ARG(ctn_rule_suggest(cli->arena, rule)));
}

static int run_check(ctn_cli *cli)
{
    if (ctn_opt_is_given(cli, CTN_OPT_EXPLAIN))
        return explain(cli, ctn_str_from(cli->args.values[CTN_OPT_EXPLAIN]));
    static const ctn_str FORMATS[] = {{"text", 4}, {"json", 4}, {"sarif", 5}};
    ctn_str format =
        ctn_opt_is_given(cli, CTN_OPT_FORMAT) ? ctn_str_from(cli->args.values[CTN_OPT_FORMAT]) : FORMATS[0];
    if (!ctn_str_is(format, "text") && !ctn_str_is(format, "json") && !ctn_str_is(format, "sarif"))
        return ctn_cli_fail(cli, "--format %.*s: %.*s", CTN_STR_ARG(format),
                            CTN_STR_ARG(ctn_suggest(cli->arena, format, FORMATS, 3)));
    bool fixes = ctn_opt_is_given(cli, CTN_OPT_FIX);
    ctn_check_run run;
    int exit_code = ctn_check_run_read(cli, &run);
    if (exit_code)
        return exit_code;
    ctn_workspace ws = run.ws; /* of the files as they are: who mends looks at them again and again */
    compiler asked = {.cli = cli, .ws = &ws};
    ctn_check_options options = {.effect = ctn_config_effect,
                                 .effect_ctx = ws.config,
                                 .compile = compile_program,
                                 .compile_ctx = &asked,
                                 .has_timezone = ctn_timezone_is_known,
                                 .secret = ws.config->file.len ? ctn_secrets_check : NULL,
                                 .secret_ctx = ws.config,
                                 .has_model = ws.config->file.len ? ctn_config_has_model : NULL,
                                 .has_model_ctx = ws.config};
    if (ctn_opt_is_given(cli, CTN_OPT_TOOLS)) {
        ctn_tool_book *book = NULL;
        /* A name that is mended may lead to a set that nobody had named. */
        bool asks_all = cli->args.word_count == 0 || fixes;
        exit_code = ask_servers(cli, &ws, asks_all ? NULL : run.sources, run.source_count, &book);
        if (exit_code)
            return exit_code;
        options.effect = ctn_tool_book_effect;
        options.tool = ctn_tool_book_tool;
        options.effect_ctx = options.tool_ctx = book;
    }
    ctn_check_run_judge(cli, &run, &options);
    if (fixes)
        exit_code = ctn_check_fix(cli, &run, &options);
    ctn_host_close(asked.host);
    if (exit_code)
        return exit_code;
    for (size_t i = 0; i < run.source_count && ctn_str_is(format, "text"); i++)
        say_inputs(cli, run.ws.config->library, run.chains[i]);
    return ctn_check_report(cli, &run.findings, format);
}

const ctn_verb ctn_verb_check = {
    .name = "check",
    .operands = "[FILE]...",
    .summary = "Say what is wrong with chains and instruction sets",
    .details =
        "Without FILE, everything that the configuration includes. Exit: 0 without an error, 2 with one.\n"
        "--tools starts the servers whose tools are named; one that cannot be asked is an error of each of them.\n"
        "Where a tool declares no output, results that the store has of it fill in, for warnings only.\n"
        "--fix writes names that are surely meant in place of misspelt ones, and spaces in place of tabs that\n"
        "indent. It says what it did, and leaves alone what would not be better.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(FORMAT) | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(TOOLS) | CTN_OPT_BIT(FIX) |
               CTN_OPT_BIT(EXPLAIN),
    .words_max = SIZE_MAX,
    .run = run_check,
};
