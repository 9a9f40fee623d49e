/*
 * verb_schedules.c -- `schedules`: which chains are started by the clock, and when next; `schedules pause`, `resume`
 * and `fire`, which the process that follows them does.
 */
#include "base/text.h"
#include "cli/fleet.h"
#include "cli/named.h"
#include "cli/remote.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "host/schedules.h"
#include <stdio.h>

static void print_rows(ctn_cli *cli, const ctn_schedule_state *states, size_t count)
{
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    int chain = 5, cron = 4, zone = 8;
    for (size_t i = 0; i < count; i++) {
        const ctn_schedule *s = states[i].what;
        chain = (int) s->chain_id.len > chain ? (int) s->chain_id.len : chain;
        cron = (int) s->cron.len > cron ? (int) s->cron.len : cron;
        zone = (int) s->timezone.len > zone ? (int) s->timezone.len : zone;
    }
    printf("%s%-*s  %-*s  %-*s  %s%s\n", dim, chain, "CHAIN", cron, "CRON", zone, "TIMEZONE", "NEXT (local time)",
           plain);
    for (size_t i = 0; i < count; i++) {
        const ctn_schedule *s = states[i].what;
        ctn_str named = s->timezone.len ? s->timezone : CTN_STR("UTC");
        ctn_str by = ctn_text_clean(cli->arena, states[i].row.paused_by, 0);
        ctn_str next = states[i].row.paused_at_ms
                           ? ctn_arena_printf(cli->arena, "paused by %.*s", CTN_STR_ARG(by))
                           : ctn_arena_printf(cli->arena, "%s", ctn_moment_text(states[i].next_at_ms).text);
        printf("%-*.*s  %-*.*s  %-*.*s  %.*s\n", chain, CTN_STR_ARG(s->chain_id), cron, CTN_STR_ARG(s->cron), zone,
               CTN_STR_ARG(named), CTN_STR_ARG(next));
    }
}

static void print_json(ctn_cli *cli, const ctn_schedule_state *states, size_t count)
{
    ctn_json_builder list = ctn_json_array(cli->arena);
    for (size_t i = 0; i < count; i++)
        ctn_json_push(&list, ctn_schedule_to_json(&states[i], cli->arena));
    ctn_result_print(cli, ctn_json_finish(&list));
}

static int run_schedules(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_schedule_state *states = NULL;
    size_t count = 0;
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_cli_findings(cli, &ws.library_findings, true);
    if (ctn_store_open(ws.store_url, CTN_STORE_READ, &store, NULL))
        store = NULL; /* then nobody has followed one yet */
    (void) ctn_schedules_look(ws.config, store, cli->arena, ctn_cli_teller(cli), ctn_cli_now_ms(), &states, &count,
                              NULL);
    ctn_store_close(store);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_json(cli, states, count);
    else if (count)
        print_rows(cli, states, count);
    else
        ctn_cli_say(cli, "no chain that is included has a schedule");
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_schedules = {
    .name = "schedules",
    .operands = "",
    .summary = "List the chains that `serve` starts by the clock, and when next",
    .options = CTN_OPTS_READ,
    .run = run_schedules,
};

/* ---- by hand ---- */

static int ask(ctn_cli *cli, ctn_request_op op, const char *done)
{
    ctn_workspace ws;
    ctn_execution_id id = {0};
    ctn_err err = {0};
    bool is_acknowledged = false;
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_request q = {.op = op, .actor = ctn_actor_name(cli->arena), .name = ctn_word(cli, 0)};
    ctn_fleet_asked asked = {0};
    switch (ws.is_fleet ? ctn_fleet_do(cli, &ws, &q, false, &asked, &err)
                        : ctn_remote_do(cli, &ws, &q, false, &id, &is_acknowledged, &err)) {
    case CTN_REMOTE_DONE: break;
    case CTN_REMOTE_REFUSED: return ctn_cli_fail_err(cli, &err);
    case CTN_REMOTE_UNREACHABLE:
        return ctn_cli_fail(cli, "nobody follows schedules here: start %.*s first",
                            CTN_STR_ARG(ctn_cli_command(cli, "serve")));
    case CTN_REMOTE_LOST: return ctn_cli_fail(cli, "the process that serves went away; look at the schedules again");
    case CTN_REMOTE_INTERRUPTED: return CTN_EXIT_INTERRUPTED;
    }
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "chain", q.name);
        if (op == CTN_REQUEST_SCHEDULE_FIRE && ws.is_fleet)
            ctn_json_put_bool(&b, "fired", true);
        else if (op == CTN_REQUEST_SCHEDULE_FIRE)
            ctn_json_put_str(&b, "executionId", ctn_arena_str(cli->arena, ctn_str_from(ctn_id_to_text(id).text)));
        else
            ctn_json_put_bool(&b, "paused", op == CTN_REQUEST_SCHEDULE_PAUSE);
        ctn_result_print(cli, ctn_json_finish(&b));
    } else if (op == CTN_REQUEST_SCHEDULE_FIRE && !ws.is_fleet) {
        printf("%s\n", ctn_id_to_text(id).text); /* as `start` prints it */
    } else {
        ctn_cli_say(cli, "the schedule of %.*s %s", CTN_STR_ARG(q.name), done);
    }
    return CTN_EXIT_OK;
}

static int run_pause(ctn_cli *cli)
{
    return ask(cli, CTN_REQUEST_SCHEDULE_PAUSE, "is paused; its times pass by until it is resumed");
}

static int run_resume(ctn_cli *cli)
{
    return ask(cli, CTN_REQUEST_SCHEDULE_RESUME, "goes on, from now");
}

static int run_fire(ctn_cli *cli)
{
    return ask(cli, CTN_REQUEST_SCHEDULE_FIRE, "is fired");
}

const ctn_verb ctn_verb_schedules_pause = {
    .name = "schedules pause",
    .operands = "CHAIN",
    .summary = "Let a schedule's times pass by until it is resumed",
    .options = CTN_OPTS_READ,
    .words_min = 1,
    .words_max = 1,
    .run = run_pause,
};
const ctn_verb ctn_verb_schedules_resume = {
    .name = "schedules resume",
    .operands = "CHAIN",
    .summary = "Let a paused schedule go on",
    .options = CTN_OPTS_READ,
    .words_min = 1,
    .words_max = 1,
    .run = run_resume,
};
const ctn_verb ctn_verb_schedules_fire = {
    .name = "schedules fire",
    .operands = "CHAIN",
    .summary = "Start a scheduled chain now, with the schedule's input",
    .options = CTN_OPTS_READ,
    .words_min = 1,
    .words_max = 1,
    .run = run_fire,
};
