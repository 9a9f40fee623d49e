/* campaign_kit.h -- a chain out of a text, simulated. */
#pragma once
#include "simulate/campaign.h"
#include "simulate/sub_chains.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct kit {
    chain_kit chain;
    ctn_plan *plan;
    ctn_sub_chains children;
    ctn_guess *guess;
    ctn_campaign *campaign;
    const char *schema; /* outputSchema of every tool, as JSON; NULL: none is known */
    const char *input;
    const char *beside; /* another chain; NULL: none */
    bool retry_interrupted;
} kit;

/* Fails the test when the chain does not compile. Options of the kit may be set before. */
void kit_open(kit *k, const char *yaml);
void kit_close(kit *k);
/* Plays so many worlds. */
const ctn_campaign_tally *kit_play(kit *k, uint64_t seeds);
/* NULL: there is none of that kind at that step ("" for the chain). */
const ctn_campaign_hazard *kit_hazard(const ctn_campaign_tally *tally, ctn_hazard_kind kind, const char *step);
size_t kit_bad(const ctn_campaign_tally *tally); /* hazards that are no notes; printed */
