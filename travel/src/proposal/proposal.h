/*
 * proposal.h -- the letter around priced tiers, and what became of their prices when they were asked for again.
 *
 * Both take the pricing_tiers that price_tiers gave (tiers.h) and write in their language.
 */
#pragma once

#include "proposal/tiers.h"

typedef struct travel_proposal {
    const ctn_json *client, *requirements; /* may be NULL */
    const ctn_json *pricing_tiers;
    ctn_str lead_id;
    int64_t version;       /* from 1 */
    bool replaces_earlier; /* the client has a version of it already */
    travel_day today;
    travel_language language;
} travel_proposal;

/* {title, subject, greeting, opening, version, version_shown, reference, date_shown, assumptions, has_assumptions,
 * reminder_subject, reminder}: what the templates of a proposal read beside pricing_tiers. */
const ctn_json *travel_proposal_write(ctn_arena *arena, const travel_agency *agency, const travel_proposal *letter);

/* {tier, is_declined, has_answered}: what a client's answer chooses. The answer is {tier: .., declined: ..}, or just a
 * text; a tier is named by its key or as the proposal calls it ("Komfort"), in any case. Anything else is an answer
 * that chooses nothing: tier is "". */
const ctn_json *travel_choice_read(ctn_arena *arena, const ctn_json *answer, const ctn_json *pricing_tiers);

typedef struct travel_recheck {
    const ctn_json *before; /* pricing_tiers as they were proposed */
    ctn_str tier;           /* the one that was accepted: good, better, best */
    travel_language desk;
    travel_price_request request; /* with the answers of a new search */
} travel_recheck;

/* {changed, differences: [{what, before, after, by, text}], accepted: {..}, pricing_tiers: {..}}; differences are of
 * net prices, for the desk.
 *
 * Each offer of the accepted tier is looked for in the new answers, by what it is (its flights, fare, hotel and board),
 * for a provider may give it a new id. The tier is `changed` when one is gone, or when its price moved by more than the
 * rules' tolerance. Else `accepted` is the tier at the price that was proposed, with the offers as they are now and
 * what they cost now (net; the markup is what is left). When it changed, `accepted` is {} and pricing_tiers are new
 * ones. CTN_E_INVALID: `before` has no such tier. */
int travel_prices_recheck(ctn_arena *arena, const travel_agency *agency, const travel_pricing_rules *rules,
                          const travel_recheck *recheck, const ctn_json **ret_result, ctn_err *err);
