/*
 * campaign.h -- many worlds of one chain: first every single fault in turn, then chance.
 *
 * The worlds are numbered by their seeds, from 1. The first ones are planned, so that what is rare is not missed: the
 * answers in turn without any fault; then, in the longest such world, each way in which each call and each commit can
 * go wrong; each answer of the people; and for each call that fails for good, each way in which the calls and commits
 * after it (the compensations) can go wrong. All that follow are left to chance. A seed means the same world in every
 * process, as long as chain, sets, tools and inputs are the same.
 */
#pragma once
#include "simulate/story.h"

typedef struct ctn_campaign ctn_campaign;

typedef struct ctn_campaign_hazard {
    ctn_hazard hazard;
    uint64_t worlds;
    uint64_t seed; /* of the first; one within the fault model, if there is any */
} ctn_campaign_hazard;

typedef struct ctn_campaign_tally {
    uint64_t worlds, planned, in_model;
    uint64_t by_status[CTN_STATUS_COUNT];
    uint64_t calls, deaths, faults, commits;
    ctn_campaign_hazard *hazards; /* the bad ones first, then by frequency */
    size_t hazard_count;
} ctn_campaign_tally;

/* story: everything but its scenario. CTN_E_INVALID: the chain does not start; the sentence says why. */
int ctn_campaign_new(const ctn_story_options *story, ctn_campaign **ret_campaign, ctn_err *err);
void ctn_campaign_free(ctn_campaign *campaign); /* NULL is fine */
uint64_t ctn_campaign_planned(const ctn_campaign *campaign);
ctn_scenario ctn_campaign_scenario(const ctn_campaign *campaign, uint64_t seed);

/* One world. The story lives until the next one is played. */
int ctn_campaign_play(ctn_campaign *campaign, uint64_t seed, void (*tell)(void *ctx, ctn_str line), void *ctx,
                      ctn_story *ret_story, ctn_err *err);
/* The world counts. */
void ctn_campaign_count(ctn_campaign *campaign, uint64_t seed, const ctn_story *story);
/* What was counted, sorted. */
const ctn_campaign_tally *ctn_campaign_tally_of(ctn_campaign *campaign);
