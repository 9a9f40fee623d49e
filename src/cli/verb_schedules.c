/*
 * verb_schedules.c -- `schedules`: which chains are started by the clock, and when next.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "engine/schedule.h"
#include "host/schedules.h"
#include <stdio.h>

typedef struct seen {
    const ctn_schedule *schedules;
    size_t count;
    int64_t *seen_at_ms; /* 0: nobody has served it yet */
} seen;

static int take_seen(void *ctx, const ctn_schedule_row *row)
{
    seen *s = ctx;
    for (size_t i = 0; i < s->count; i++)
        if (ctn_str_equal(row->chain_id, s->schedules[i].chain_id) && ctn_str_equal(row->cron, s->schedules[i].cron) &&
            ctn_str_equal(row->timezone, s->schedules[i].timezone))
            s->seen_at_ms[i] = row->seen_at_ms;
    return 0;
}

static int64_t next_of(const ctn_schedule *s, int64_t now_ms)
{
    ctn_schedule_times times;
    if (ctn_schedule_times_open(s->cron, s->timezone, &times, NULL))
        return 0;
    int64_t next_ms = ctn_schedule_next_ms(&times, now_ms);
    ctn_schedule_times_close(&times);
    return next_ms;
}

static void print_json(ctn_cli *cli, const seen *s, int64_t now_ms)
{
    ctn_json_builder list = ctn_json_array(cli->arena);
    for (size_t i = 0; i < s->count; i++) {
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "chain", s->schedules[i].chain_id);
        ctn_json_put_str(&b, "cron", s->schedules[i].cron);
        ctn_json_put_str(&b, "timezone", s->schedules[i].timezone.len ? s->schedules[i].timezone : CTN_STR("UTC"));
        ctn_json_put_time(&b, "nextAt", next_of(&s->schedules[i], now_ms));
        ctn_json_put_time(&b, "seenAt", s->seen_at_ms[i]);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    ctn_result_print(cli, ctn_json_finish(&list));
}

static void print_rows(const ctn_cli *cli, const seen *s, int64_t now_ms)
{
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    int chain = 5, cron = 4, zone = 8;
    for (size_t i = 0; i < s->count; i++) {
        chain = (int) s->schedules[i].chain_id.len > chain ? (int) s->schedules[i].chain_id.len : chain;
        cron = (int) s->schedules[i].cron.len > cron ? (int) s->schedules[i].cron.len : cron;
        zone = (int) s->schedules[i].timezone.len > zone ? (int) s->schedules[i].timezone.len : zone;
    }
    printf("%s%-*s  %-*s  %-*s  %s%s\n", dim, chain, "CHAIN", cron, "CRON", zone, "TIMEZONE", "NEXT (local time)",
           plain);
    for (size_t i = 0; i < s->count; i++) {
        const ctn_schedule *row = &s->schedules[i];
        ctn_str named = row->timezone.len ? row->timezone : CTN_STR("UTC");
        printf("%-*.*s  %-*.*s  %-*.*s  %s\n", chain, CTN_STR_ARG(row->chain_id), cron, CTN_STR_ARG(row->cron), zone,
               CTN_STR_ARG(named), ctn_moment_text(next_of(row, now_ms)).text);
    }
}

static int run_schedules(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_schedule *schedules = NULL;
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_cli_findings(cli, &ws.library_findings, true);
    seen s = {.count = ctn_schedules_of(ws.config, cli->arena, ctn_cli_teller(cli), &schedules)};
    s.schedules = schedules;
    s.seen_at_ms = CTN_NEW_ARRAY(cli->arena, int64_t, s.count);
    if (ctn_store_open(ws.store_url, CTN_STORE_READ, &store, NULL) == CTN_OK) /* without one, none was ever seen */
        (void) ctn_store_schedule_list(store, take_seen, &s, NULL);
    ctn_store_close(store);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_json(cli, &s, ctn_cli_now_ms());
    else if (s.count)
        print_rows(cli, &s, ctn_cli_now_ms());
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
