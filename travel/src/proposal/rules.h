/*
 * rules.h -- how an agency prices: section `pricing` of agency.yaml, read into a struct and checked.
 *
 *     pricing:
 *       currency: GBP                     # of the amounts in this section; converted where a trip is in another
 *       markup:                           # on what providers ask; the first rule that fits an item counts
 *         - {kind: flight, percent: 5, minimum: 15}
 *         - {kind: hotel, tier: best, percent: 14}
 *         - {kind: hotel, percent: 10}    # kind: flight, hotel; tier: good, better, best; left out: all
 *         - {amount: 20}                  # fixed, an item; percent, amount and minimum may stand together
 *       fees:                             # lines of their own, in the client's words
 *         - {name: {en: Booking fee, de: Buchungsgebühr}, amount: 25, per: booking}    # or person; or percent: 2
 *       taxes:
 *         - {name: {en: VAT on our services}, percent: 20, on: service}                # or total
 *       deposit: {percent: 20, minimum: 100}                                           # never more than the total
 *       round_to: 1                       # prices of items are rounded up to a multiple of this: 0.01, 0.50, 1, 5 ..
 *       tolerance: {percent: 1, amount: 10}   # a rise between proposal and booking that is honoured; the larger counts
 *       valid_days: 7                     # a proposal stands no longer, whatever its offers do
 *       shows_markup: false               # true: items at their net prices, and our markup as a line of its own
 *       rates: {EUR: 1.17, USD: 1.28}     # units for one pound, in place of the sandbox's fixed ones
 *
 * Left out, there are markups of 5 % on flights and 10 % on hotels, no fees, no taxes, a deposit of 20 %, cents, a
 * tolerance of 1 %, and seven days. Percentages have at most two places; nothing here is a binary fraction.
 *
 * Ownership  Texts are the agency's.
 * Errors     CTN_E_INVALID with agency.yaml:LINE:COLUMN and what is wanted there.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

typedef enum travel_tier {
    TRAVEL_GOOD,
    TRAVEL_BETTER,
    TRAVEL_BEST,
} travel_tier;

typedef enum travel_item_kind {
    TRAVEL_ITEM_FLIGHT,
    TRAVEL_ITEM_HOTEL,
} travel_item_kind;

enum {
    TRAVEL_TIERS = 3,
    TRAVEL_ITEM_KINDS = 2,
    TRAVEL_MARKUPS_MAX = 32,
    TRAVEL_CHARGES_MAX = 8,
    TRAVEL_RATES_MAX = 64
};

typedef struct travel_markup {
    bool for_tier[TRAVEL_TIERS], for_kind[TRAVEL_ITEM_KINDS];
    int64_t percent; /* hundredths of a percent, here and below */
    travel_cents amount, minimum;
} travel_markup;

typedef struct travel_charge {
    ctn_str names[TRAVEL_LANGUAGES]; /* each with a fallback, never empty */
    int64_t percent;
    travel_cents amount;
    bool is_per_person; /* of a fee */
    bool on_service;    /* of a tax: on markups and fees, not on the total */
} travel_charge;

typedef struct travel_rate {
    const char *currency;
    int64_t per_10000; /* units for 10,000 pounds */
} travel_rate;

typedef struct travel_pricing_rules {
    const char *currency;
    travel_markup markups[TRAVEL_MARKUPS_MAX];
    travel_charge fees[TRAVEL_CHARGES_MAX], taxes[TRAVEL_CHARGES_MAX];
    travel_rate rates[TRAVEL_RATES_MAX];
    size_t markup_count, fee_count, tax_count, rate_count;
    int64_t deposit_percent, tolerance_percent;
    travel_cents deposit_minimum, tolerance_amount, round_to;
    int valid_days;
    bool shows_markup;
} travel_pricing_rules;

int travel_pricing_rules_read(const travel_agency *agency, travel_pricing_rules *ret_rules, ctn_err *err);

/* "8", "7.5 %", "markup 8 %": this percentage in place of all markup rules. CTN_E_INVALID: it says something else. */
int travel_pricing_rules_override(travel_pricing_rules *rules, ctn_str text, ctn_err *err);

/* An amount of the rules' currency in another known one, half up. CTN_E_LIMIT: more than TRAVEL_CENTS_MAX. */
int travel_pricing_convert(const travel_pricing_rules *rules, travel_cents amount, const char *currency,
                           travel_cents *ret_amount, ctn_err *err);
/* percent of amount, half up to the cent. */
travel_cents travel_percent_of(travel_cents amount, int64_t percent);
/* The name in the section: "good". */
const char *travel_tier_key(travel_tier tier);
