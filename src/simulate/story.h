/*
 * story.h -- one world of `catena simulate`: a scenario played, a ledger of what the tools really did, and what was
 * wrong at the end.
 *
 * The tools of this world do their work (take effect) or not, apart from what they say of it; that is what makes
 * crashes interesting. A write takes effect each time it arrives, an idempotent call once for its key. People, when
 * the chain waits for them, tell the truth: who settles an interrupted call has looked at the ledger.
 */
#pragma once
#include "simulate/guess.h"
#include "simulate/hazard.h"
#include "simulate/scenario.h"
#include "simulate/stage.h"

#define CTN_STORY_HAZARDS_MAX 32

typedef struct ctn_story_options {
    const ctn_plan *plan;
    const ctn_plan *const *plans; /* of sub-chains, compiled; may be none */
    size_t plan_count;
    const ctn_guess *guess; /* of all of them */
    ctn_rules rules;
    /* What the operator or the tools' annotations say. May be NULL. */
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target, const char **ret_from);
    void *effect_ctx;
    const ctn_scenario *scenario;
    /* Every line of the story as it happens; NULL: it is played in silence. */
    void (*tell)(void *ctx, ctn_str line);
    void *tell_ctx;
} ctn_story_options;

typedef struct ctn_story {
    ctn_stage_end end;
    ctn_status status;
    bool in_model; /* what happened lies within the fault model */
    int calls, commits, deaths, faults;
    ctn_hazard hazards[CTN_STORY_HAZARDS_MAX];
    size_t hazard_count;
    ctn_str refusal;
} ctn_story;

/* Texts of the story live in the arena. */
int ctn_story_play(const ctn_story_options *options, ctn_arena *arena, ctn_story *ret_story, ctn_err *err);
