/*
 * engine_simulate.c -- the tool that tries a chain out in simulated worlds (simulate/trial.h).
 *
 * It computes for seconds, so it has a thread of its own, and the engine's turn never waits for it: the thread is
 * handed a plan that was compiled for it alone, an arena, and the configuration, which nobody changes; it gives back
 * one JSON value. Bounds: so many worlds, so much time, so many trials at once. A caller that goes away stops its trial
 * at the next world.
 */
#include "base/memory.h"
#include "host/config_servers.h"
#include "server/mcp/engine_internal.h"
#include "simulate/trial.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SEEDS_DEFAULT 500
#define TIME_MAX_MS   20000
#define AT_ONCE_MAX   2

typedef struct ctn_engine_trial {
    ctn_engine_backend *b;
    ctn_mcp_exchange *x; /* NULL: its caller is gone */
    ctn_arena *arena;    /* the thread's until it is done */
    ctn_plan *plan;
    const ctn_config *config;
    const ctn_json *input;
    uint64_t seeds, seed; /* seed 0: all */
    pthread_t thread;
    ctn_wakeup *done;
    atomic_bool is_unwanted;
    const ctn_json *result;
    ctn_err err;
    struct ctn_engine_trial *next;
} trial;

/* ---- on the thread ---- */

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    const trial *t = ctx;
    *ret_from = "operator";
    return ctn_config_effect((void *) t->config, kind, target);
}

static ctn_str replay(void *ctx, uint64_t seed)
{
    const trial *t = ctx;
    return ctn_arena_printf(t->arena, "call simulate_chain with {\"chain\": \"%.*s\", \"seed\": %llu}",
                            CTN_STR_ARG(t->plan->chain_id), (unsigned long long) seed);
}

static int play_all(trial *t, ctn_trial *worlds)
{
    ctn_clock clock = ctn_clock_system();
    int64_t until_ms = ctn_clock_now_ms(&clock) + TIME_MAX_MS;
    uint64_t seed = 1;
    for (; seed <= t->seeds && !atomic_load(&t->is_unwanted) && ctn_clock_now_ms(&clock) < until_ms; seed++) {
        ctn_story story;
        int rc = ctn_campaign_play(worlds->campaign, seed, NULL, NULL, &story, &t->err);
        if (rc)
            return rc;
        ctn_campaign_count(worlds->campaign, seed, &story);
    }
    const ctn_campaign_tally *tally = ctn_campaign_tally_of(worlds->campaign);
    ctn_json_builder b = ctn_json_object(t->arena);
    ctn_json_put_all(&b, ctn_tally_to_json(t->arena, t->plan->chain_id, tally, replay, t));
    if (seed <= t->seeds)
        ctn_json_put_str(&b, "next", CTN_STR("Time was over before all worlds were played."));
    t->result = ctn_json_finish(&b);
    return CTN_OK;
}

static int play(void *ctx)
{
    trial *t = ctx;
    ctn_trial worlds = {0};
    bool is_bad = false;
    ctn_trial_options options = {
        .plan = t->plan, .input = t->input, .rules = ctn_config_rules(t->config), .effect = effect_of, .ctx = t};
    int rc = ctn_trial_open(t->arena, &options, &worlds, &t->err);
    if (rc == CTN_OK && t->seed)
        rc = ctn_trial_tell(&worlds, t->plan->chain_id, t->seed, t->arena, &t->result, &is_bad, &t->err);
    else if (rc == CTN_OK)
        rc = play_all(t, &worlds);
    ctn_trial_close(&worlds);
    return rc;
}

static void *run(void *ctx)
{
    trial *t = ctx;
    (void) play(t);
    ctn_wakeup_send(t->done);
    return NULL;
}

/* ---- on the loop ---- */

static void free_trial(trial *t)
{
    for (trial **at = &t->b->trials; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    (void) pthread_join(t->thread, NULL);
    ctn_wakeup_free(t->done);
    ctn_plan_free(t->plan);
    ctn_arena_free(t->arena);
    free(t);
}

static void on_done(void *ctx)
{
    trial *t = ctx;
    ctn_mcp_exchange *x = t->x;
    if (x) {
        ctn_mcp_exchange_when_gone(x, NULL, NULL);
        if (t->result)
            ctn_engine_say(x, t->result);
        else
            ctn_engine_refuse(
                x, NULL,
                "The chain could not be tried out: %s. If it is about the input, give one with \"input\"; "
                "get_chain says what the chain takes.",
                t->err.message);
    }
    free_trial(t);
}

static void on_gone(void *ctx)
{
    trial *t = ctx;
    t->x = NULL;
    atomic_store(&t->is_unwanted, true);
}

void ctn_trials_free(ctn_engine_backend *b)
{
    while (b->trials) {
        if (b->trials->x)
            ctn_mcp_exchange_when_gone(b->trials->x, NULL, NULL);
        atomic_store(&b->trials->is_unwanted, true);
        free_trial(b->trials);
    }
}

static void begin(ctn_engine_call *c, ctn_plan *plan)
{
    trial *t = ctn_malloc(sizeof *t);
    *t = (trial){.b = c->b,
                 .x = c->x,
                 .arena = ctn_arena_new(65536),
                 .plan = plan,
                 .config = c->b->ws->config,
                 .seeds = (uint64_t) ctn_json_int_or(c->arguments, "seeds", SEEDS_DEFAULT),
                 .seed = (uint64_t) ctn_json_int_or(c->arguments, "seed", 0),
                 .next = c->b->trials};
    const ctn_json *input = ctn_json_member_of(c->arguments, "input");
    t->input = input ? ctn_json_copy(t->arena, input) : NULL;
    t->done = ctn_wakeup_new(c->b->loop, on_done, t);
    if (pthread_create(&t->thread, NULL, run, t)) {
        ctn_wakeup_free(t->done);
        ctn_plan_free(plan);
        ctn_arena_free(t->arena);
        free(t);
        ctn_engine_refuse(c->x, NULL, "There is no thread for a simulation now. Try again later.");
        return;
    }
    c->b->trials = t;
    ctn_mcp_exchange_when_gone(c->x, on_gone, t);
}

static void simulate_chain(ctn_engine_call *c)
{
    const ctn_catalogue *catalogue = ctn_engine_catalogue(c->b);
    ctn_str id = ctn_json_str_or(c->arguments, "chain", (ctn_str){0});
    const ctn_offered_chain *chain = ctn_catalogue_chain(catalogue, id);
    ctn_plan *plan = NULL;
    ctn_err err = {0};
    size_t count = 0;
    for (const trial *t = c->b->trials; t; t = t->next)
        count++;
    if (!chain)
        ctn_engine_refuse(c->x, NULL, "There is no chain \"%.*s\"; %.*s Call list_chains with {} to see all of them.",
                          CTN_STR_ARG(id), CTN_STR_ARG(ctn_catalogue_suggest(catalogue, c->arena, id)));
    else if (count >= AT_ONCE_MAX)
        ctn_engine_refuse(c->x, NULL, "%d simulations are under way already. Call again when one has ended.",
                          AT_ONCE_MAX);
    else if (ctn_engine_plan_for(c->b, chain, c->arena, &plan, &err))
        ctn_engine_refuse(c->x, NULL, "The chain %.*s cannot run: %s", CTN_STR_ARG(id), err.message);
    else
        begin(c, plan);
}

const ctn_engine_tool ctn_tool_simulate_chain = {
    .name = "simulate_chain",
    .action = CTN_ACTION_CHAINS_CHECK,
    .title = "Try a chain out",
    .description =
        "Says what can go wrong in a chain: it is played in many simulated worlds in which tools fail, time out "
        "and crash at every boundary. No tool is called. With seed, one world is told step by step.",
    .input =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\",\"minLength\":1},\"seeds\":{\"type\":"
        "\"integer\",\"minimum\":1,\"maximum\":5000,\"default\":500,\"description\":\"So many worlds; at most 20 s "
        "long.\"},\"seed\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000000},\"input\":{\"type\":\"object\","
        "\"description\":\"Inputs that are fixed; the others are made up.\"}},\"required\":[\"chain\"],"
        "\"additionalProperties\":false}",
    .output =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\"},\"worlds\":{\"type\":\"integer\"},"
        "\"findings\":{\"type\":\"array\"},\"story\":{\"type\":\"array\"}},\"required\":[\"chain\",\"findings\"]}",
    .reads_only = true,
    .call = simulate_chain,
};
