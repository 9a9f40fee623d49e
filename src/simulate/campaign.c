/*
 * campaign.c -- see campaign.h.
 */
#include "simulate/campaign.h"

#include "base/memory.h"

#include <stdlib.h>

#define PLANNED_MAX 6000
#define HAZARDS_MAX 256

struct ctn_campaign {
    ctn_story_options story;
    ctn_scenario *planned;
    size_t planned_count;
    int call_count;         /* of the longest world without a fault */
    ctn_arena *arena;       /* texts of hazards */
    ctn_arena *story_arena; /* of the world that was played last */
    ctn_campaign_tally tally;
};

static int play(ctn_campaign *c, const ctn_scenario *scenario, void (*tell)(void *, ctn_str), void *ctx,
                ctn_story *ret_story, ctn_err *err)
{
    ctn_story_options o = c->story;
    o.scenario = scenario;
    o.tell = tell;
    o.tell_ctx = ctx;
    ctn_arena_reset(c->story_arena);
    int rc = ctn_story_play(&o, c->story_arena, ret_story, err);
    if (rc == CTN_OK && ret_story->end == CTN_STAGE_REFUSED)
        rc = ctn_fail(err, CTN_E_INVALID, "%.*s", CTN_STR_ARG(ret_story->refusal));
    return rc;
}

/* ---- planning ---- */

static ctn_scenario *plan(ctn_campaign *c, int variant)
{
    /* The last place is for those that are too many: it is never played. */
    ctn_scenario *s = &c->planned[c->planned_count < PLANNED_MAX ? c->planned_count++ : PLANNED_MAX];
    *s = ctn_scenario_plain(c->planned_count, variant);
    return s;
}

static bool is_planned_alone(ctn_fate fate)
{
    return fate != CTN_FATE_FINE;
}

/* Faults that come on top of a tool that fails for good: all but another such tool. */
static bool is_planned_beside(ctn_fate fate)
{
    return fate != CTN_FATE_FINE && fate != CTN_FATE_FAILED && fate != CTN_FATE_MALFORMED;
}

static void plan_commits(ctn_campaign *c, ctn_scenario base, int from, int to)
{
    static const ctn_commit_fate fates[] = {
        {.dies_before = true}, {.dies_after = true}, {.fails = true}, {.fails = true, .is_written = true}};
    for (int commit = from; commit < to; commit++)
        for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
            ctn_scenario *s = plan(c, base.variant);
            s->plans[0].call = base.plans[0].call;
            s->plans[0].fate = base.plans[0].fate;
            s->commit = commit;
            s->commit_fate = fates[i];
        }
}

/* What follows when this call fails for good: the compensations, each with its own faults. */
static int plan_after_failure(ctn_campaign *c, int variant, int call, ctn_err *err)
{
    ctn_scenario base = ctn_scenario_plain(0, variant);
    ctn_story story;
    base.plans[0].call = call;
    base.plans[0].fate = CTN_FATE_FAILED;
    int rc = play(c, &base, NULL, NULL, &story, err);
    if (rc || story.status == CTN_STATUS_COMPLETED)
        return rc;
    for (int later = call + 1; later < story.calls; later++)
        for (ctn_fate fate = 0; fate < CTN_FATE_COUNT; fate++) {
            if (!is_planned_beside(fate))
                continue;
            ctn_scenario *s = plan(c, variant);
            s->plans[0].call = call;
            s->plans[0].fate = CTN_FATE_FAILED;
            s->plans[1].call = later;
            s->plans[1].fate = fate;
        }
    plan_commits(c, base, 0, story.commits);
    return CTN_OK;
}

/* The answers in turn; *ret_variant is that of the longest world. */
static int plan_variants(ctn_campaign *c, int *ret_variant, ctn_story *ret_longest, ctn_err *err)
{
    for (int variant = 0; variant < CTN_GUESS_VARIANTS; variant++) {
        ctn_story story;
        ctn_scenario *s = plan(c, variant);
        int rc = play(c, s, NULL, NULL, &story, err);
        if (rc)
            return rc;
        bool is_longer = story.calls > ret_longest->calls ||
                         (story.status == CTN_STATUS_COMPLETED && ret_longest->status != CTN_STATUS_COMPLETED);
        if (variant == 0 || is_longer) {
            *ret_longest = story;
            *ret_variant = variant;
        }
    }
    return CTN_OK;
}

static int plan_all(ctn_campaign *c, ctn_err *err)
{
    ctn_story longest = {0};
    int variant = 0;
    int rc = plan_variants(c, &variant, &longest, err);
    c->call_count = longest.calls;
    if (rc)
        return rc;
    plan(c, variant)->reply = CTN_REPLY_NO;
    plan(c, variant)->reply = CTN_REPLY_NEVER;
    for (int call = 0; call < longest.calls; call++)
        for (ctn_fate fate = 0; fate < CTN_FATE_COUNT; fate++)
            if (is_planned_alone(fate)) {
                ctn_scenario *s = plan(c, variant);
                s->plans[0].call = call;
                s->plans[0].fate = fate;
            }
    plan_commits(c, ctn_scenario_plain(0, variant), 0, longest.commits);
    for (int call = 0; rc == CTN_OK && call < longest.calls && c->planned_count < PLANNED_MAX; call++)
        rc = plan_after_failure(c, variant, call, err);
    return rc;
}

/* ---- outside ---- */

int ctn_campaign_new(const ctn_story_options *story, ctn_campaign **ret_campaign, ctn_err *err)
{
    ctn_campaign *c = ctn_realloc_array(NULL, 1, sizeof *c);
    *c = (ctn_campaign){.story = *story, .arena = ctn_arena_new(16384), .story_arena = ctn_arena_new(65536)};
    c->planned = ctn_realloc_array(NULL, PLANNED_MAX + 1, sizeof *c->planned);
    c->tally.hazards = ctn_realloc_array(NULL, HAZARDS_MAX, sizeof *c->tally.hazards);
    int rc = plan_all(c, err);
    if (rc) {
        ctn_campaign_free(c);
        return rc;
    }
    *ret_campaign = c;
    return CTN_OK;
}

void ctn_campaign_free(ctn_campaign *c)
{
    if (!c)
        return;
    free(c->planned);
    free(c->tally.hazards);
    ctn_arena_free(c->arena);
    ctn_arena_free(c->story_arena);
    free(c);
}

uint64_t ctn_campaign_planned(const ctn_campaign *c)
{
    return c->planned_count;
}

ctn_scenario ctn_campaign_scenario(const ctn_campaign *c, uint64_t seed)
{
    return seed >= 1 && seed <= c->planned_count ? c->planned[seed - 1] : ctn_scenario_random(seed, c->call_count);
}

int ctn_campaign_play(ctn_campaign *c, uint64_t seed, void (*tell)(void *ctx, ctn_str line), void *ctx,
                      ctn_story *ret_story, ctn_err *err)
{
    ctn_scenario scenario = ctn_campaign_scenario(c, seed);
    return play(c, &scenario, tell, ctx, ret_story, err);
}

static void count_hazard(ctn_campaign *c, uint64_t seed, const ctn_hazard *h)
{
    ctn_campaign_tally *t = &c->tally;
    for (size_t i = 0; i < t->hazard_count; i++) {
        ctn_campaign_hazard *known = &t->hazards[i];
        if (known->hazard.kind != h->kind || !ctn_str_equal(known->hazard.step, h->step) ||
            !ctn_str_equal(known->hazard.same, h->same))
            continue;
        known->worlds++;
        if (known->hazard.is_note && !h->is_note) {
            known->hazard.is_note = false;
            known->hazard.text = ctn_arena_str(c->arena, h->text);
            known->seed = seed;
        }
        return;
    }
    if (t->hazard_count == HAZARDS_MAX)
        return;
    ctn_campaign_hazard *added = &t->hazards[t->hazard_count++];
    *added = (ctn_campaign_hazard){.hazard = *h, .worlds = 1, .seed = seed};
    added->hazard.step = ctn_arena_str(c->arena, h->step);
    added->hazard.text = ctn_arena_str(c->arena, h->text);
    added->hazard.same = ctn_arena_str(c->arena, h->same);
}

void ctn_campaign_count(ctn_campaign *c, uint64_t seed, const ctn_story *story)
{
    ctn_campaign_tally *t = &c->tally;
    t->worlds++;
    t->planned += seed <= c->planned_count;
    t->in_model += story->in_model;
    t->by_status[story->status]++;
    t->calls += (uint64_t) story->calls;
    t->deaths += (uint64_t) story->deaths;
    t->faults += (uint64_t) story->faults;
    t->commits += (uint64_t) story->commits;
    for (size_t i = 0; i < story->hazard_count; i++)
        count_hazard(c, seed, &story->hazards[i]);
}

static int by_weight(const void *a, const void *b)
{
    const ctn_campaign_hazard *x = a, *y = b;
    if (x->hazard.is_note != y->hazard.is_note)
        return x->hazard.is_note ? 1 : -1;
    if (x->worlds != y->worlds)
        return x->worlds < y->worlds ? 1 : -1;
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

const ctn_campaign_tally *ctn_campaign_tally_of(ctn_campaign *c)
{
    qsort(c->tally.hazards, c->tally.hazard_count, sizeof *c->tally.hazards, by_weight);
    return &c->tally;
}
