/*
 * verb_execution.c -- what is done to an execution: `resume`, `answer`, `set`, `cancel`, `pause`.
 */
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/verb.h"
#include "host/audit.h"
#include <stdio.h>

static int refuse_final(ctn_cli *cli, const ctn_execution_row *row, const char *what)
{
    return ctn_cli_fail(cli, "%s has ended (%s); %s", ctn_id_to_text(row->id).text, ctn_status_name(row->status), what);
}

static ctn_str reason_of(const ctn_cli *cli)
{
    return ctn_str_from(cli->args.values[CTN_OPT_REASON]);
}

/* ---- resume ---- */

static int read_settlement(ctn_cli *cli, ctn_request *q)
{
    bool retry = ctn_opt_is_given(cli, CTN_OPT_RETRY), succeed = ctn_opt_is_given(cli, CTN_OPT_SUCCEED);
    bool fail = ctn_opt_is_given(cli, CTN_OPT_FAIL), not_happened = ctn_opt_is_given(cli, CTN_OPT_NOT_HAPPENED);
    if (retry + succeed + fail > 1)
        return ctn_cli_fail(cli, "only one of --retry, --succeed and --fail can be what became of it");
    if (not_happened && !fail)
        return ctn_cli_fail(cli, "--not-happened belongs to --fail");
    if (retry + succeed + fail == 0)
        return ctn_opt_is_given(cli, CTN_OPT_STEP)
                   ? ctn_cli_fail(cli, "--step says which interrupted step is meant; what became of it say --retry, "
                                       "--succeed JSON or --fail")
                   : CTN_EXIT_OK;
    q->op = CTN_REQUEST_SETTLE;
    q->settle = retry ? CTN_SETTLE_RETRY : succeed ? CTN_SETTLE_SUCCEED : CTN_SETTLE_FAIL;
    q->not_happened = not_happened;
    q->name = ctn_str_from(cli->args.values[CTN_OPT_STEP]);
    if (!succeed)
        return CTN_EXIT_OK;
    return ctn_json_argument(cli, "--succeed", ctn_str_from(cli->args.values[CTN_OPT_SUCCEED]), &q->value);
}

static int run_resume(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_execution_row row;
    ctn_request q = {.op = CTN_REQUEST_RESUME, .actor = ctn_actor_name(cli->arena), .reason = reason_of(cli)};
    int exit_code = read_settlement(cli, &q);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_find(cli, &ws, &row);
    if (exit_code)
        return exit_code;
    ctn_str rerun = ctn_cli_command(cli, "rerun %s --from STEP", ctn_id_to_text(row.id).text);
    rerun = ctn_arena_printf(cli->arena, "nothing is left to resume. A new execution that reuses its results: %.*s",
                             CTN_STR_ARG(rerun));
    if (ctn_status_is_final(row.status))
        return refuse_final(cli, &row, rerun.ptr);
    q.id = row.id;
    return ctn_follow(cli, &ws, &q, true, &q.id);
}

const ctn_verb ctn_verb_resume = {
    .name = "resume",
    .operands = "ID [--retry | --succeed JSON | --fail [--not-happened]]",
    .summary = "Go on with an execution that was left, paused, parked or interrupted",
    .details =
        CTN_ABOUT_ID "\nAn interrupted call needs a word from you: --retry when it did not happen, --succeed with its\n"
                     "result when it did, --fail to give it up.\n\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN | CTN_OPT_BIT(STEP) | CTN_OPT_BIT(RETRY) | CTN_OPT_BIT(SUCCEED) | CTN_OPT_BIT(FAIL) |
               CTN_OPT_BIT(NOT_HAPPENED) | CTN_OPT_BIT(REASON),
    .words_min = 1,
    .words_max = 1,
    .run = run_resume,
};

/* ---- answer, set, cancel, pause ---- */

/* What is asked is about the execution that the first word names, which goes on; `or_else`: why one that has ended is
 * not asked. */
static int find_open(ctn_cli *cli, ctn_workspace *ws, const char *or_else, ctn_request *q)
{
    ctn_execution_row row;
    int exit_code = ctn_cli_find(cli, ws, &row);
    if (exit_code)
        return exit_code;
    q->id = row.id;
    return ctn_status_is_final(row.status) ? refuse_final(cli, &row, or_else) : CTN_EXIT_OK;
}

static int run_answer(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_request q = {.op = CTN_REQUEST_ANSWER, .actor = ctn_actor_name(cli->arena), .name = ctn_word(cli, 1)};
    int exit_code = ctn_json_argument(cli, "the answer", ctn_word(cli, 2), &q.value);
    if (exit_code == CTN_EXIT_OK)
        exit_code = find_open(cli, &ws, "nobody waits for an answer", &q);
    return exit_code ? exit_code : ctn_follow(cli, &ws, &q, true, &q.id);
}

const ctn_verb ctn_verb_answer = {
    .name = "answer",
    .operands = "ID STEP JSON",
    .summary = "Answer a step that waits, and go on",
    .details = CTN_ABOUT_ID
    "\nAn approval is answered with {\"approved\": true} or {\"approved\": false}; what a tool asks, with "
    "an object that fits, or {\"action\": \"decline\"}. The first answer stands.\n\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN,
    .words_min = 3,
    .words_max = 3,
    .run = run_answer,
};

static int say_done(const ctn_cli *cli, ctn_execution_id id, const char *what, bool names_resume)
{
    ctn_str text = ctn_str_from(ctn_id_to_text(id).text);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"executionId\":\"%.*s\"}\n", CTN_STR_ARG(text));
    ctn_cli_say(cli, "%.*s %s%s%.*s", CTN_STR_ARG(text), what, names_resume ? "; go on: " : "",
                CTN_STR_ARG(names_resume ? ctn_cli_command(cli, "resume %.*s", CTN_STR_ARG(text)) : (ctn_str){0}));
    return CTN_EXIT_OK;
}

static int run_set(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_request q = {.op = CTN_REQUEST_SET, .actor = ctn_actor_name(cli->arena)};
    int exit_code = ctn_assignment_read(cli, "set", cli->args.words[1], &q.name, &q.value);
    if (exit_code == CTN_EXIT_OK)
        exit_code = find_open(cli, &ws, "its variables stay as they are", &q);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_follow(cli, &ws, &q, false, &q.id);
    return exit_code ? exit_code : say_done(cli, q.id, "is changed", false);
}

const ctn_verb ctn_verb_set = {
    .name = "set",
    .operands = "ID NAME=VALUE",
    .summary = "Change a variable of a paused, waiting or interrupted execution",
    .details = CTN_ABOUT_ID "\nNAME=TEXT or NAME:=JSON, as with -i of `run`.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET),
    .words_min = 2,
    .words_max = 2,
    .run = run_set,
};

static int run_pause(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_request q = {.op = CTN_REQUEST_PAUSE, .actor = ctn_actor_name(cli->arena), .reason = reason_of(cli)};
    int exit_code = find_open(cli, &ws, "nothing is left to pause", &q);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_follow(cli, &ws, &q, false, &q.id);
    return exit_code ? exit_code : say_done(cli, q.id, "is paused", true);
}

const ctn_verb ctn_verb_pause = {
    .name = "pause",
    .operands = "ID",
    .summary = "Let an execution start nothing new until it is resumed",
    .details = CTN_ABOUT_ID,
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(REASON),
    .words_min = 1,
    .words_max = 1,
    .run = run_pause,
};

static int run_cancel(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_execution_row row;
    ctn_request q = {.op = CTN_REQUEST_CANCEL, .actor = ctn_actor_name(cli->arena), .reason = reason_of(cli)};
    int exit_code = find_open(cli, &ws, "nothing is left to cancel", &q);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_follow(cli, &ws, &q, true, &q.id);
    if (exit_code != CTN_EXIT_ENDED)
        return exit_code;
    ctn_store *store = NULL; /* to end so is what was wanted */
    if (ctn_cli_read_store(cli, &ws, &store))
        return CTN_EXIT_USAGE;
    ctn_err err = {0};
    if (ctn_store_execution_get(store, cli->arena, q.id, &row, &err) == CTN_OK &&
        (row.status == CTN_STATUS_CANCELLED || row.status == CTN_STATUS_ROLLED_BACK))
        exit_code = CTN_EXIT_OK;
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_cancel = {
    .name = "cancel",
    .operands = "ID",
    .summary = "Cancel an execution; what it has done is undone where the chain says how",
    .details = CTN_ABOUT_ID "\nExit 0 once it has ended cancelled or rolled back.",
    .options = CTN_OPTS_RUN | CTN_OPT_BIT(REASON),
    .words_min = 1,
    .words_max = 1,
    .run = run_cancel,
};
