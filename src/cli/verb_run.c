/*
 * verb_run.c -- `run` and `start`: a chain, its inputs, an execution.
 */
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "host/audit.h"
#include <stdio.h>

/* An input that was given as text and reads as another JSON value was perhaps meant as that. */
static void hint_at_json(const ctn_cli *cli, const ctn_json *input)
{
    for (size_t i = 0; i < cli->args.given_count; i++) {
        if (cli->args.given[i].opt != CTN_OPT_SET_INPUT)
            continue;
        ctn_str text = ctn_str_from(cli->args.given[i].value);
        ctn_str name = ctn_str_cut(&text, '=');
        const ctn_json *value = ctn_json_get(input, name);
        const ctn_json *parsed = NULL;
        if (!ctn_json_is(value, CTN_JSON_STRING) || ctn_json_parse(cli->arena, text, NULL, &parsed, NULL))
            continue;
        (void) ctn_cli_fail(cli, "-i %.*s=%.*s gives a text; -i %.*s:=%.*s gives a JSON value (%s)", CTN_STR_ARG(name),
                            CTN_STR_ARG(ctn_text_clean(cli->arena, text, 40)), CTN_STR_ARG(name),
                            CTN_STR_ARG(ctn_text_clean(cli->arena, text, 40)), ctn_json_kind_name(parsed));
        return;
    }
}

static int read_start(ctn_cli *cli, ctn_workspace *ws, ctn_request *ret)
{
    ctn_request q = {.op = CTN_REQUEST_START, .actor = ctn_actor_name(cli->arena)};
    int exit_code = ctn_cli_workspace(cli, ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_inputs_read(cli, &q.input);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_labels_read(cli, &q.labels);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_plan(cli, ws, ctn_word(cli, 0), &q.plan);
    if (exit_code)
        return exit_code;
    if (!ctn_opt_is_given(cli, CTN_OPT_QUIET))
        ctn_cli_findings(cli, &ws->findings, false);
    q.idempotency_key = ctn_str_from(cli->args.values[CTN_OPT_KEY]);
    ctn_err err = {0};
    const ctn_json *accepted;
    exit_code = ctn_output_check(cli, q.plan);
    if (exit_code == CTN_EXIT_OK && ctn_plan_accept_input(q.plan, cli->arena, q.input, &accepted, &err)) {
        exit_code = ctn_cli_fail_err(cli, &err);
        hint_at_json(cli, q.input);
    }
    if (exit_code)
        ctn_request_drop_plan(&q);
    else
        *ret = q;
    return exit_code;
}

static int run_chain(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_request q = {0};
    ctn_execution_id id;
    int exit_code = read_start(cli, &ws, &q);
    return exit_code ? exit_code : ctn_follow(cli, &ws, &q, true, &id);
}

const ctn_verb ctn_verb_run = {
    .name = "run",
    .operands = "CHAIN [-i NAME=VALUE]...",
    .summary = "Run a chain to its end and print the result",
    .details = CTN_ABOUT_CHAIN "\n\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN | CTN_OPTS_INPUT | CTN_OPT_BIT(LABEL),
    .words_min = 1,
    .words_max = 1,
    .run = run_chain,
};

static int run_start(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_request q = {0};
    ctn_execution_id id;
    int exit_code = read_start(cli, &ws, &q);
    if (exit_code)
        return exit_code;
    q.is_queued = true;
    exit_code = ctn_follow(cli, &ws, &q, false, &id);
    if (exit_code)
        return exit_code;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"executionId\":\"%s\"}\n", ctn_id_to_text(id).text);
    else
        printf("%s\n", ctn_id_to_text(id).text);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_start = {
    .name = "start",
    .operands = "CHAIN [-i NAME=VALUE]...",
    .summary = "Queue an execution for the store's owner and print its id",
    .details = CTN_ABOUT_CHAIN "\nWithout an owner it stays queued until `catena serve` or `catena resume` takes it.",
    .options = CTN_OPTS_READ | CTN_OPTS_INPUT | CTN_OPT_BIT(LABEL) | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 1,
    .run = run_start,
};
