/* campaign_kit.c -- see campaign_kit.h. */
#include "campaign_kit.h"
#include "unit/kit/json_kit.h"

static const ctn_json *schema_of(void *ctx, const char *kind, ctn_str target)
{
    kit *k = ctx;
    (void) kind, (void) target;
    return k->schema ? json_of(k->chain.arena, ctn_str_from(k->schema)) : NULL;
}

void kit_open(kit *k, const char *yaml)
{
    ctn_err err = {0};
    chain_kit_init(&k->chain);
    if (k->beside)
        chain_kit_add(&k->chain, "beside.yaml", k->beside);
    chain_kit_add(&k->chain, "kit.yaml", yaml);
    k->plan = chain_kit_compile(&k->chain);
    if (ctn_sub_chains_open(&k->children, k->plan, &err))
        fail_msg("%s", err.message);
    ctn_guess_options g = {.plan = k->plan,
                           .children = k->children.plans,
                           .child_count = k->children.count,
                           .schema_of = schema_of,
                           .schema_ctx = k};
    if (k->input)
        g.input = json_of(k->chain.arena, ctn_str_from(k->input));
    if (ctn_guess_new(k->chain.arena, &g, &k->guess, &err))
        fail_msg("%s", err.message);
    ctn_story_options story = {.plan = k->plan,
                               .plans = k->children.plans,
                               .plan_count = k->children.count,
                               .guess = k->guess,
                               .rules = {.retry_interrupted = k->retry_interrupted}};
    if (ctn_campaign_new(&story, &k->campaign, &err))
        fail_msg("%s", err.message);
}

void kit_close(kit *k)
{
    ctn_campaign_free(k->campaign);
    ctn_sub_chains_close(&k->children);
    ctn_plan_done(k->plan);
    chain_kit_done(&k->chain);
}

const ctn_campaign_tally *kit_play(kit *k, uint64_t seeds)
{
    ctn_err err = {0};
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        ctn_story story;
        if (ctn_campaign_play(k->campaign, seed, NULL, NULL, &story, &err))
            fail_msg("seed %llu: %s", (unsigned long long) seed, err.message);
        ctn_campaign_count(k->campaign, seed, &story);
    }
    return ctn_campaign_tally_of(k->campaign);
}

const ctn_campaign_hazard *kit_hazard(const ctn_campaign_tally *t, ctn_hazard_kind kind, const char *step)
{
    for (size_t i = 0; i < t->hazard_count; i++)
        if (t->hazards[i].hazard.kind == kind && ctn_str_is(t->hazards[i].hazard.step, step))
            return &t->hazards[i];
    return NULL;
}

size_t kit_bad(const ctn_campaign_tally *t)
{
    size_t bad = 0;
    for (size_t i = 0; i < t->hazard_count; i++) {
        const ctn_hazard *h = &t->hazards[i].hazard;
        if (h->is_note)
            continue;
        bad++;
        printf("  bad: %s, step %.*s: %.*s (seed %llu)\n", ctn_hazard_name(h->kind), CTN_STR_ARG(h->step),
               CTN_STR_ARG(h->text), (unsigned long long) t->hazards[i].seed);
    }
    return bad;
}
