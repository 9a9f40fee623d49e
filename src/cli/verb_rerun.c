/*
 * verb_rerun.c -- `rerun` and `fork`: a new execution that reuses what stands of one that has ended.
 */
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "host/again.h"
#include "host/audit.h"
#include "host/keyring.h"
#include <stdio.h>

typedef struct again {
    ctn_cli *cli;
    ctn_workspace ws;
    ctn_store *store;
    ctn_execution_row row;
} again;

/* ---- the new one's plan ---- */

static int newer_plan(again *a, ctn_plan **ret_plan)
{
    ctn_plan *plan = NULL;
    int exit_code = ctn_cli_plan(a->cli, &a->ws, ctn_str_from(a->cli->args.values[CTN_OPT_CHAIN]), &plan);
    if (exit_code)
        return exit_code;
    ctn_str was = a->row.chain_id;
    if (ctn_str_equal(plan->chain_id, was)) {
        *ret_plan = plan;
        return CTN_EXIT_OK;
    }
    exit_code = ctn_cli_fail(a->cli, "--chain %s: that is the chain %.*s, and %s is an execution of %.*s",
                             a->cli->args.values[CTN_OPT_CHAIN], CTN_STR_ARG(plan->chain_id),
                             ctn_id_to_text(a->row.id).text, CTN_STR_ARG(was));
    ctn_plan_free(plan);
    return exit_code;
}

/* ---- what is said ---- */

/* An option's value; of a sensitive input the name alone. */
static const char *may_be_said(const ctn_cli *cli, const ctn_execution *old, const ctn_given *given)
{
    ctn_str name = {given->value, strcspn(given->value, ":=")};
    if (given->opt != CTN_OPT_SET_INPUT || !ctn_sensitive_name(ctn_execution_sensitivity(old), name))
        return given->value;
    return ctn_arena_printf(cli->arena, "%.*s=...", CTN_STR_ARG(name)).ptr;
}

/* The command that was given, naming the writes that it would repeat. */
static ctn_str command_with_writes(const ctn_cli *cli, const ctn_execution *old, const ctn_rerun *r)
{
    static const struct {
        ctn_opt opt;
        const char *name;
    } KEPT[] = {{CTN_OPT_FROM, "--from"},  {CTN_OPT_CHAIN, "--chain"}, {CTN_OPT_INPUT, "--input"},
                {CTN_OPT_SET_INPUT, "-i"}, {CTN_OPT_OUTPUT, "-o"},     {CTN_OPT_KEY, "-k"},
                {CTN_OPT_WRITE, "--write"}};
    ctn_str text = ctn_arena_printf(cli->arena, "%s %s", cli->verb->name, cli->args.words[0]);
    for (size_t k = 0; k < sizeof KEPT / sizeof *KEPT; k++)
        for (size_t i = 0; i < cli->args.given_count; i++)
            if (cli->args.given[i].opt == KEPT[k].opt)
                text = ctn_arena_printf(
                    cli->arena, "%.*s %s %.*s", CTN_STR_ARG(text), KEPT[k].name,
                    CTN_STR_ARG(ctn_shell_word(cli->arena, may_be_said(cli, old, &cli->args.given[i]))));
    for (size_t i = 0; i < r->unnamed_count; i++)
        text = ctn_arena_printf(cli->arena, "%.*s --write %.*s", CTN_STR_ARG(text), CTN_STR_ARG(r->unnamed_writes[i]));
    return ctn_cli_command(cli, "%.*s", CTN_STR_ARG(text));
}

/* ---- the verbs ---- */

/* Fills in the request, and says what is reused. */
static int prepare(again *a, ctn_request *q)
{
    ctn_cli *cli = a->cli;
    ctn_plan *plan = NULL;
    ctn_again told;
    ctn_err err = {0};
    ctn_again_options o = {.ws = &a->ws, .store = a->store, .row = &a->row};
    ctn_str *writes = CTN_NEW_ARRAY(cli->arena, ctn_str, cli->args.given_count);
    for (size_t i = 0; i < cli->args.given_count; i++)
        if (cli->args.given[i].opt == CTN_OPT_WRITE)
            writes[o.write_count++] = ctn_str_from(cli->args.given[i].value);
    o.writes = writes;
    o.from_step = ctn_str_from(cli->args.values[CTN_OPT_FROM]);
    int exit_code = ctn_inputs_read(cli, &o.input);
    if (exit_code == CTN_EXIT_OK && ctn_opt_is_given(cli, CTN_OPT_CHAIN))
        exit_code = newer_plan(a, &plan);
    if (exit_code)
        return exit_code;
    ctn_config_keyring *keyring = ctn_config_keyring_new(a->ws.config, ctn_cli_teller(cli));
    o.seal = ctn_config_keyring_seal(keyring);
    o.plan = plan;
    int rc = ctn_again_start(&o, cli->arena, q, &told, &err);
    if (rc == CTN_E_DENIED && told.rerun.unnamed_count)
        exit_code =
            ctn_cli_fail(cli, "%s: %.*s", err.message, CTN_STR_ARG(command_with_writes(cli, told.old, &told.rerun)));
    else if (rc)
        exit_code = ctn_cli_fail_err(cli, &err);
    else if ((exit_code = ctn_output_check(cli, q->plan)))
        ctn_request_drop_plan(q);
    else
        ctn_cli_say(cli, "goes on from %s; reused: %u of %u steps", ctn_id_to_text(a->row.id).text,
                    told.rerun.reused_count, told.step_count);
    ctn_again_done(&told);
    ctn_config_keyring_free(keyring);
    return exit_code;
}

static int go_on(ctn_cli *cli)
{
    again a = {.cli = cli};
    ctn_request q = {.op = CTN_REQUEST_START, .actor = ctn_actor_name(cli->arena)};
    ctn_execution_id id;
    q.idempotency_key = ctn_str_from(cli->args.values[CTN_OPT_KEY]);
    int exit_code = ctn_cli_open(cli, &a.ws, &a.store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution(cli, &a.ws, a.store, &a.row);
    if (exit_code == CTN_EXIT_OK)
        exit_code = prepare(&a, &q);
    ctn_store_close(a.store);
    return exit_code ? exit_code : ctn_follow(cli, &a.ws, &q, true, &id);
}

static int run_rerun(ctn_cli *cli)
{
    if (!ctn_opt_is_given(cli, CTN_OPT_FROM))
        return ctn_cli_fail(cli, "rerun needs the step to do again: catena rerun %s --from STEP", cli->args.words[0]);
    return go_on(cli);
}

const ctn_verb ctn_verb_rerun = {
    .name = "rerun",
    .operands = "ID --from STEP [-i NAME=VALUE]... [--write STEP]...",
    .summary = "Do a step of an ended execution again, in a new one that reuses the rest",
    .details = CTN_ABOUT_ID
    "\nDone again are STEP, what never came to its end or was undone, and all that reads a variable which one of\n"
    "those sets or an input that -i changes. Everything else is reused as it was recorded. A step that wrote is\n"
    "done again only if it is named, by --from or --write; else this is refused with the command to use.\n"
    "\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN | CTN_OPTS_INPUT | CTN_OPT_BIT(WRITE) | CTN_OPT_BIT(FROM),
    .words_min = 1,
    .words_max = 1,
    .run = run_rerun,
};

const ctn_verb ctn_verb_fork = {
    .name = "fork",
    .operands = "ID [-i NAME=VALUE]... [--chain CHAIN] [--write STEP]...",
    .summary = "Run an ended execution on with other inputs or a newer definition, reusing the rest",
    .details = CTN_ABOUT_ID
    "\nDone again are the steps that are new or another in CHAIN, and what reads a changed input or a variable that\n"
    "one of those sets; the rest is as with rerun. Without --chain the definitions are those of ID.\n"
    "\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN | CTN_OPTS_INPUT | CTN_OPT_BIT(WRITE) | CTN_OPT_BIT(CHAIN),
    .words_min = 1,
    .words_max = 1,
    .run = go_on,
};
