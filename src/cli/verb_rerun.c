/*
 * verb_rerun.c -- `rerun` and `fork`: a new execution that reuses what stands of one that has ended.
 *
 * What is reused is decided here, from the store: an ended execution does not change any more, so it does not matter
 * who owns the store meanwhile. The owner gets it with the start, and checks that it fits the chain.
 */
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "core/rerun.h"
#include "engine/fold.h"
#include "host/audit.h"
#include "host/keyring.h"
#include <stdio.h>

#define CHILD_DEPTH_MAX 64

typedef struct again {
    ctn_cli *cli;
    ctn_workspace ws;
    ctn_store *store;
    ctn_execution_row row;
    ctn_execution *old;
    uint32_t child_depth;
} again;

/* ---- what was written ---- */

static bool has_written(void *ctx, ctn_execution_id id);

static bool any_has_written(again *a, const ctn_execution *x)
{
    for (uint32_t i = 0; i < ctn_execution_plan(x)->step_count; i++) {
        ctn_step_record r = ctn_execution_step_record(x, i, a->cli->arena);
        if (r.has_written || (!ctn_id_equal(r.child, (ctn_execution_id){0}) && has_written(a, r.child)))
            return true;
    }
    return false;
}

/* Of a sub-chain's execution. One that is not to be read may have written. */
static bool has_written(void *ctx, ctn_execution_id id)
{
    again *a = ctx;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    if (a->child_depth == CHILD_DEPTH_MAX || ctn_store_execution_get(a->store, a->cli->arena, id, &row, NULL) ||
        ctn_execution_load(a->store, a->cli->arena, &row, &x, NULL))
        return true;
    a->child_depth++;
    bool has = any_has_written(a, x);
    a->child_depth--;
    ctn_execution_unload(x);
    return has;
}

/* ---- the new one's plan and input ---- */

/* The definitions as they were when the old one started. */
static int same_plan(again *a, ctn_plan **ret_plan)
{
    const ctn_plan *old = ctn_execution_plan(a->old);
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    int rc = ctn_plan_from_definitions(arena, old->definitions, old->definition_count, &plan, &err);
    if (rc == CTN_OK && plan->unsupported.len)
        rc = ctn_fail(&err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
    if (rc == CTN_OK)
        rc = ctn_workspace_check_servers(&a->ws, a->cli->arena, plan, &err);
    if (rc == CTN_OK) {
        *ret_plan = plan;
        return CTN_EXIT_OK;
    }
    ctn_plan_done(plan);
    ctn_arena_free(arena);
    return ctn_cli_fail_err(a->cli, &err);
}

static int newer_plan(again *a, ctn_plan **ret_plan)
{
    ctn_plan *plan = NULL;
    int exit_code = ctn_cli_plan(a->cli, &a->ws, ctn_str_from(a->cli->args.values[CTN_OPT_CHAIN]), &plan);
    if (exit_code)
        return exit_code;
    ctn_str was = ctn_execution_plan(a->old)->chain_id;
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

/* The old inputs, with what was given now in their place. */
static int read_input(again *a, const ctn_plan *plan, const ctn_json **ret_given, const ctn_json **ret_accepted)
{
    const ctn_json *given = NULL, *before = ctn_execution_input(a->old, a->cli->arena);
    ctn_err err = {0};
    int exit_code = ctn_inputs_read(a->cli, &given);
    if (exit_code)
        return exit_code;
    ctn_json_builder b = ctn_json_object(a->cli->arena);
    ctn_json_put_all(&b, before);
    ctn_json_put_all(&b, given);
    *ret_given = ctn_json_finish(&b);
    return ctn_plan_accept_input(plan, a->cli->arena, *ret_given, ret_accepted, &err) ? ctn_cli_fail_err(a->cli, &err)
                                                                                      : CTN_EXIT_OK;
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

static int decide(again *a, const ctn_plan *plan, const ctn_json *input, ctn_rerun *ret)
{
    ctn_cli *cli = a->cli;
    ctn_str *writes = CTN_NEW_ARRAY(cli->arena, ctn_str, cli->args.given_count);
    ctn_rerun_options o = {.old = a->old,
                           .plan = plan,
                           .input = input,
                           .from_step = ctn_str_from(cli->args.values[CTN_OPT_FROM]),
                           .writes = writes,
                           .child_has_written = has_written,
                           .child_ctx = a};
    for (size_t i = 0; i < cli->args.given_count; i++)
        if (cli->args.given[i].opt == CTN_OPT_WRITE)
            writes[o.write_count++] = ctn_str_from(cli->args.given[i].value);
    ctn_err err = {0};
    int rc = ctn_rerun_plan(cli->arena, &o, ret, &err);
    if (rc == CTN_E_DENIED)
        return ctn_cli_fail(cli, "%s: %.*s", err.message, CTN_STR_ARG(command_with_writes(cli, a->old, ret)));
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    ctn_cli_say(cli, "goes on from %s; reused: %u of %u steps", ctn_id_to_text(a->row.id).text, ret->reused_count,
                plan->step_count);
    return CTN_EXIT_OK;
}

/* ---- the verbs ---- */

static int open_old(again *a)
{
    ctn_err err = {0};
    int exit_code = ctn_cli_open(a->cli, &a->ws, &a->store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution(a->cli, &a->ws, a->store, &a->row);
    if (exit_code)
        return exit_code;
    /* What it takes over is taken as it is, sealed anew in the new one. */
    ctn_config_keyring *keyring = ctn_config_keyring_new(a->ws.config, ctn_cli_teller(a->cli));
    int rc = ctn_execution_load_open(a->store, ctn_config_keyring_seal(keyring), a->cli->arena, &a->row, &a->old, &err);
    ctn_config_keyring_free(keyring);
    if (rc)
        return ctn_cli_fail_err(a->cli, &err);
    if (ctn_execution_is_hidden(a->old))
        return ctn_cli_fail(a->cli, "%s has sensitive values that cannot be read: %s", ctn_id_to_text(a->row.id).text,
                            keyring ? "they were shredded" : "`sealing` of catena.yaml does not say where the key is");
    return CTN_EXIT_OK;
}

static int go_on(ctn_cli *cli)
{
    again a = {.cli = cli};
    ctn_request q = {.op = CTN_REQUEST_START, .actor = ctn_actor_name(cli->arena)};
    ctn_rerun rerun;
    const ctn_json *accepted = NULL;
    ctn_execution_id id;
    q.idempotency_key = ctn_str_from(cli->args.values[CTN_OPT_KEY]);
    int exit_code = open_old(&a);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_opt_is_given(cli, CTN_OPT_CHAIN) ? newer_plan(&a, &q.plan) : same_plan(&a, &q.plan);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_output_check(cli, q.plan);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_input(&a, q.plan, &q.input, &accepted);
    if (exit_code == CTN_EXIT_OK)
        exit_code = decide(&a, q.plan, accepted, &rerun);
    if (exit_code == CTN_EXIT_OK) {
        q.going_on = ctn_json_copy(cli->arena, rerun.going_on);
        q.input = ctn_json_copy(cli->arena, q.input);
        q.sensitive = ctn_execution_sensitive_also(a.old);
        if (a.row.labels.len)
            (void) ctn_json_parse(cli->arena, a.row.labels, NULL, &q.labels, NULL);
    }
    ctn_execution_unload(a.old);
    ctn_store_close(a.store);
    if (exit_code) {
        ctn_request_drop_plan(&q);
        return exit_code;
    }
    return ctn_follow(cli, &a.ws, &q, true, &id);
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
