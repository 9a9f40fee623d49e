/*
 * verb_simulate.c -- `simulate`: what can go wrong in a chain, and the world that shows it.
 */
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/config_servers.h"
#include "host/plan_tools.h"
#include "simulate/trial.h"
#include <inttypes.h>
#include <stdio.h>

#define SEEDS_DEFAULT     10000
#define SEEDS_MAX         1000000000
#define PROGRESS_AFTER_MS 1000
#define LOOK_EVERY        64 /* worlds between two looks at the clock */

typedef struct simulation {
    ctn_cli *cli;
    ctn_workspace ws;
    ctn_plan *plan;
    ctn_plan_tools *tools;
    ctn_trial trial;
    const ctn_json *input;
    uint64_t seeds, seed; /* seed 0: all */
} simulation;

static int read_number(ctn_cli *cli, ctn_opt opt, const char *name, uint64_t otherwise, uint64_t *ret)
{
    int64_t value = 0;
    *ret = otherwise;
    if (!ctn_opt_is_given(cli, opt))
        return CTN_EXIT_OK;
    if (!ctn_str_to_int64(ctn_str_from(cli->args.values[opt]), &value) || value < 1 || value > SEEDS_MAX)
        return ctn_cli_fail(cli, "%s %s: a whole number from 1 to %d is wanted", name, cli->args.values[opt],
                            SEEDS_MAX);
    *ret = (uint64_t) value;
    return CTN_EXIT_OK;
}

/* 12345 as 12,345. */
static const char *grouped(ctn_arena *arena, uint64_t value)
{
    ctn_str digits = ctn_arena_printf(arena, "%" PRIu64, value);
    char *text = ctn_arena_alloc(arena, digits.len + digits.len / 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (i && (digits.len - i) % 3 == 0)
            text[n++] = ',';
        text[n++] = digits.ptr[i];
    }
    text[n] = 0;
    return text;
}

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    simulation *s = ctx;
    ctn_effect effect = ctn_plan_tools_effect(s->tools, kind, target);
    *ret_from = "annotations";
    if (effect == CTN_EFFECT_UNKNOWN) {
        effect = ctn_config_effect(s->ws.config, kind, target);
        *ret_from = "operator";
    }
    return effect;
}

static const ctn_json *schema_of(void *ctx, const char *kind, ctn_str target)
{
    const simulation *s = ctx;
    return ctn_plan_tools_output_schema(s->tools, kind, target);
}

static const ctn_json *recorded(void *ctx, ctn_str step, ctn_str call, size_t i)
{
    const simulation *s = ctx;
    return ctn_plan_tools_recorded(s->tools, step, call, i);
}

/* ---- one world ---- */

static void tell_line(void *ctx, ctn_str line)
{
    const ctn_cli *cli = ctx;
    ctn_str clean = ctn_text_clean(cli->arena, line, 0);
    printf("%.*s\n", CTN_STR_ARG(clean));
}

static void print_hazard(const simulation *s, const ctn_hazard *h)
{
    const ctn_screen *out = &s->cli->out;
    printf("%s%s%s: ", ctn_colour_code(out, h->is_note ? CTN_COLOUR_YELLOW : CTN_COLOUR_RED),
           h->is_note ? "note" : "bad", ctn_colour_code(out, CTN_COLOUR_NONE));
    if (h->step.len)
        printf("step %.*s: ", CTN_STR_ARG(h->step));
    printf("%.*s [%s]\n", CTN_STR_ARG(ctn_text_clean(s->cli->arena, h->text, 0)), ctn_hazard_name(h->kind));
}

static const char *end_words(const ctn_story *story)
{
    return story->end == CTN_STAGE_ENDED ? "ends" : story->end == CTN_STAGE_PARKED ? "stays" : "goes on and on, and is";
}

static int tell_story_json(simulation *s)
{
    const ctn_json *story = NULL;
    bool is_bad = false;
    ctn_err err = {0};
    if (ctn_trial_tell(&s->trial, s->plan->chain_id, s->seed, s->cli->arena, &story, &is_bad, &err))
        return ctn_cli_fail_err(s->cli, &err);
    ctn_result_print(s->cli, story);
    return is_bad ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

static int tell_story(simulation *s)
{
    ctn_cli *cli = s->cli;
    ctn_story story;
    ctn_err err = {0};
    bool is_bad = false;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        return tell_story_json(s);
    ctn_scenario scenario = ctn_campaign_scenario(s->trial.campaign, s->seed);
    ctn_str title = ctn_scenario_to_str(cli->arena, &scenario);
    printf("seed %" PRIu64 ", %.*s\n", s->seed, CTN_STR_ARG(title));
    if (ctn_campaign_play(s->trial.campaign, s->seed, tell_line, cli, &story, &err))
        return ctn_cli_fail_err(cli, &err);
    printf("it %s %s: %d calls, %d faults, %d deaths%s\n", end_words(&story), ctn_status_name(story.status),
           story.calls, story.faults, story.deaths, story.in_model ? "" : " (outside the fault model)");
    for (size_t i = 0; i < story.hazard_count; i++) {
        is_bad = is_bad || !story.hazards[i].is_note;
        print_hazard(s, &story.hazards[i]);
    }
    return is_bad ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

/* ---- many ---- */

static ctn_str replay_command(const simulation *s, uint64_t seed)
{
    ctn_cli *cli = s->cli;
    ctn_str options = {0};
    for (size_t i = 0; i < cli->args.given_count; i++) {
        const ctn_given *g = &cli->args.given[i];
        const char *name = g->opt == CTN_OPT_SET_INPUT  ? "-i"
                           : g->opt == CTN_OPT_INPUT    ? "--input"
                           : g->opt == CTN_OPT_TOOLS    ? "--tools"
                           : g->opt == CTN_OPT_RECORDED ? "--recorded"
                                                        : NULL;
        if (name)
            options = ctn_arena_printf(cli->arena, "%.*s %s%s%s%s", CTN_STR_ARG(options), name, g->value ? " '" : "",
                                       g->value ? g->value : "", g->value ? "'" : "");
    }
    return ctn_cli_command(cli, "simulate %.*s%.*s --seed %" PRIu64, CTN_STR_ARG(ctn_word(cli, 0)),
                           CTN_STR_ARG(options), seed);
}

static void print_tally(const simulation *s, const ctn_campaign_tally *t, int64_t took_ms)
{
    ctn_arena *arena = s->cli->arena;
    size_t guessed, all;
    printf("%.*s: %s worlds in %s: %s planned, %s by chance; %s within the fault model\n",
           CTN_STR_ARG(s->plan->chain_id), grouped(arena, t->worlds), ctn_duration_text(took_ms).text,
           grouped(arena, t->planned), grouped(arena, t->worlds - t->planned), grouped(arena, t->in_model));
    const char *joint = "  ended: ";
    for (ctn_status status = 0; status < CTN_STATUS_COUNT; status++)
        if (t->by_status[status]) {
            printf("%s%s %s", joint, grouped(arena, t->by_status[status]), ctn_status_name(status));
            joint = ", ";
        }
    printf("\n  faults: %s in %s calls and %s commits; the engine died %s times\n", grouped(arena, t->faults),
           grouped(arena, t->calls), grouped(arena, t->commits), grouped(arena, t->deaths));
    ctn_guess_count(s->trial.guess, &guessed, &all);
    if (guessed)
        printf("  answers: %zu of %zu calls are guessed from what the chain reads of them%s\n", guessed, all,
               ctn_opt_is_given(s->cli, CTN_OPT_TOOLS) || ctn_opt_is_given(s->cli, CTN_OPT_RECORDED)
                   ? ""
                   : "; --tools asks the servers, --recorded the store");
    if (ctn_guess_unmade(s->trial.guess).len)
        printf("  answers: nothing that was made fits the outputSchema of %.*s\n",
               CTN_STR_ARG(ctn_guess_unmade(s->trial.guess)));
    if (ctn_campaign_planned(s->trial.campaign) > t->worlds)
        printf("  %s planned worlds were left out: --seeds %" PRIu64 " plays all of them\n",
               grouped(arena, ctn_campaign_planned(s->trial.campaign) - t->worlds),
               ctn_campaign_planned(s->trial.campaign));
    bool any_bad = false;
    for (size_t i = 0; i < t->hazard_count; i++) {
        const ctn_campaign_hazard *h = &t->hazards[i];
        any_bad = any_bad || !h->hazard.is_note;
        print_hazard(s, &h->hazard);
        printf("     in %s of %s worlds (%.3g %%); for example: %.*s\n", grouped(arena, h->worlds),
               grouped(arena, t->worlds), 100.0 * (double) h->worlds / (double) t->worlds,
               CTN_STR_ARG(replay_command(s, h->seed)));
    }
    if (!any_bad)
        printf("nothing bad is reachable within the fault model\n");
}

static ctn_str replay(void *ctx, uint64_t seed)
{
    return replay_command(ctx, seed);
}

static void tell_progress(const simulation *s, uint64_t done, int64_t began_ms, int64_t *last_ms)
{
    int64_t now = ctn_cli_now_ms();
    if (ctn_opt_is_given(s->cli, CTN_OPT_QUIET) || now - *last_ms < PROGRESS_AFTER_MS)
        return;
    *last_ms = now;
    ctn_cli_say(s->cli, "%s of %s worlds, %s", grouped(s->cli->arena, done), grouped(s->cli->arena, s->seeds),
                ctn_duration_text(now - began_ms).text);
}

static int play_all(simulation *s)
{
    ctn_err err = {0};
    int64_t began_ms = ctn_cli_now_ms(), last_ms = began_ms;
    for (uint64_t seed = 1; seed <= s->seeds; seed++) {
        ctn_story story;
        if (ctn_campaign_play(s->trial.campaign, seed, NULL, NULL, &story, &err))
            return ctn_cli_fail_err(s->cli, &err);
        ctn_campaign_count(s->trial.campaign, seed, &story);
        if (seed % LOOK_EVERY == 0)
            tell_progress(s, seed, began_ms, &last_ms);
    }
    const ctn_campaign_tally *t = ctn_campaign_tally_of(s->trial.campaign);
    if (ctn_opt_is_given(s->cli, CTN_OPT_JSON))
        ctn_result_print(s->cli, ctn_tally_to_json(s->cli->arena, s->plan->chain_id, t, replay, s));
    else
        print_tally(s, t, ctn_cli_now_ms() - began_ms);
    return t->hazard_count && !t->hazards[0].hazard.is_note ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

/* ---- the verb ---- */

static int ask_servers(simulation *s)
{
    ctn_err err = {0};
    ctn_host *host = ctn_cli_host(s->cli, &s->ws);
    int rc = ctn_plan_tools_ask_servers(s->tools, host, &err);
    ctn_host_close(host);
    if (rc == CTN_E_CLOSED)
        return CTN_EXIT_INTERRUPTED;
    return rc ? ctn_cli_fail_err(s->cli, &err) : CTN_EXIT_OK;
}

static int ask_store(simulation *s)
{
    ctn_err err = {0};
    ctn_store *store = NULL;
    size_t count = 0;
    int exit_code = ctn_cli_read_store(s->cli, &s->ws, &store);
    if (exit_code == CTN_EXIT_OK && ctn_plan_tools_ask_store(s->tools, store, &count, &err))
        exit_code = ctn_cli_fail_err(s->cli, &err);
    ctn_store_close(store);
    if (exit_code == CTN_EXIT_OK && count == 0)
        ctn_cli_say(s->cli, "the store has no results of %.*s: its tools answer as they would without --recorded",
                    CTN_STR_ARG(s->plan->chain_id));
    return exit_code;
}

static int prepare(simulation *s)
{
    ctn_cli *cli = s->cli;
    ctn_err err = {0};
    int exit_code = read_number(cli, CTN_OPT_SEEDS, "--seeds", SEEDS_DEFAULT, &s->seeds);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_number(cli, CTN_OPT_SEED, "--seed", 0, &s->seed);
    if (exit_code == CTN_EXIT_OK && s->seed && ctn_opt_is_given(cli, CTN_OPT_SEEDS))
        exit_code = ctn_cli_fail(cli, "--seed plays one world and --seeds many: give one of them");
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_workspace(cli, &s->ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_inputs_read(cli, &s->input);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_compile(cli, &s->ws, ctn_word(cli, 0), NULL, &s->plan);
    if (exit_code == CTN_EXIT_OK && s->plan->unsupported.len)
        exit_code = ctn_cli_fail(cli, "%.*s", CTN_STR_ARG(s->plan->unsupported));
    if (exit_code == CTN_EXIT_OK)
        s->tools = ctn_plan_tools_new(cli->arena, s->plan);
    if (exit_code == CTN_EXIT_OK && ctn_opt_is_given(cli, CTN_OPT_TOOLS))
        exit_code = ask_servers(s);
    if (exit_code == CTN_EXIT_OK && ctn_opt_is_given(cli, CTN_OPT_RECORDED))
        exit_code = ask_store(s);
    if (exit_code)
        return exit_code;
    ctn_trial_options options = {.plan = s->plan,
                                 .input = s->input,
                                 .rules = ctn_config_rules(s->ws.config),
                                 .effect = effect_of,
                                 .schema_of = schema_of,
                                 .recorded = recorded,
                                 .ctx = s};
    if (ctn_trial_open(cli->arena, &options, &s->trial, &err) == CTN_OK)
        return CTN_EXIT_OK;
    return s->trial.guess || err.code != CTN_E_INVALID ? ctn_cli_fail_err(cli, &err)
                                                       : ctn_cli_fail(cli, "%s; give it with -i", err.message);
}

static int run_simulate(ctn_cli *cli)
{
    simulation s = {.cli = cli};
    int exit_code = prepare(&s);
    if (exit_code == CTN_EXIT_OK)
        exit_code = s.seed ? tell_story(&s) : play_all(&s);
    ctn_trial_close(&s.trial);
    ctn_plan_free(s.plan);
    return exit_code;
}

const ctn_verb ctn_verb_simulate = {
    .name = "simulate",
    .operands = "CHAIN [-i NAME=VALUE]...",
    .summary = "Say what can go wrong in a chain: simulated tools, crashes and faults at every boundary",
    .details = CTN_ABOUT_CHAIN
    "\n\nThe real engine runs the chain on a virtual clock, in many worlds: first with each single fault, then with\n"
    "faults by chance. No tool is called. Within the fault model: any number of transient faults and crashes, at\n"
    "most one tool that fails for good, never one that undoes or checks; what lies outside is a note.\n"
    "Inputs are made from inputSchema, or from what reads them; -i fixes them.\n"
    "Exit: 0 nothing bad is reachable; 1 something is; 2 wrong use, configuration or definition.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(SET_INPUT) | CTN_OPT_BIT(INPUT) | CTN_OPT_BIT(SEEDS) |
               CTN_OPT_BIT(SEED) | CTN_OPT_BIT(TOOLS) | CTN_OPT_BIT(RECORDED),
    .words_min = 1,
    .words_max = 1,
    .run = run_simulate,
};
