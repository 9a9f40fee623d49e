/*
 * pricing.h -- three ways to make a trip (good, better, best), chosen from search answers and priced by the agency's
 * rules.
 *
 * Only money and choices; what people read of it is tiers.h.
 *
 * Promises
 *   1. A tier's total is exactly the sum of its lines, and its lines are exactly net + markup + fees + taxes.
 *   2. Nothing is negative, and nothing is more than TRAVEL_CENTS_MAX: CTN_E_LIMIT says so instead.
 *   3. An item's price is its net price and the first markup rule that fits, rounded up by `round_to`; what rounding
 *      adds is markup.
 *   4. The deposit is at most the total, and deposit + balance is the total.
 *   5. expires_at_ms is the earliest of the chosen offers' deadlines and the last moment of the day `valid_days` ahead.
 *
 * The price per person is the total shared out evenly, rounded: it is told beside the total and never added up.
 */
#pragma once

#include "proposal/rules.h"
#include "trip/trip.h"

enum {
    TRAVEL_OFFERS_MAX = 200,
    TRAVEL_HOTELS_MAX = 200,
    TRAVEL_LINES_MAX = 1 + TRAVEL_STOPS_MAX + 1 + 2 * TRAVEL_CHARGES_MAX
};

typedef enum travel_line_kind {
    TRAVEL_LINE_FLIGHT,
    TRAVEL_LINE_HOTEL,
    TRAVEL_LINE_SERVICE, /* the markup, where it is shown */
    TRAVEL_LINE_FEE,
    TRAVEL_LINE_TAX,
} travel_line_kind;

typedef struct travel_line {
    travel_line_kind kind;
    ctn_str name;             /* a hotel's place, a fee's or tax's name as the agency says it; else empty */
    travel_cents net, markup; /* of flights and hotels */
    travel_cents total;
} travel_line;

typedef struct travel_stay {
    const ctn_json *stay, *hotel; /* of the search answer */
    travel_cents net, total;      /* total: with its markup */
} travel_stay;

typedef struct travel_priced_tier {
    travel_tier tier;
    const ctn_json *flight; /* the chosen offer; NULL: none could be searched */
    travel_cents flight_net, flight_total;
    travel_stay stays[TRAVEL_STOPS_MAX];
    size_t stay_count;
    travel_line lines[TRAVEL_LINES_MAX];
    size_t line_count;
    travel_cents net, markup, fees, taxes, total;
    travel_cents per_person, deposit, balance;
    int64_t expires_at_ms;
} travel_priced_tier;

typedef enum travel_budget_per {
    TRAVEL_PER_UNSAID, /* taken as the total */
    TRAVEL_PER_TOTAL,
    TRAVEL_PER_PERSON,
    TRAVEL_PER_NIGHT, /* for a hotel room */
} travel_budget_per;

typedef struct travel_budget {
    bool is_known;
    travel_cents amount; /* of the trip's currency */
    travel_budget_per per;
} travel_budget;

typedef struct travel_budget_verdict {
    bool is_within;
    travel_cents by; /* how much is left, or too much; of PER_NIGHT: a room and night */
} travel_budget_verdict;

typedef struct travel_price_request {
    const ctn_json *requirements, *flights, *hotels, *budget; /* budget may be NULL */
    travel_day today;
    travel_language language;
} travel_price_request;

typedef struct travel_pricing {
    travel_trip trip;
    travel_budget budget;
    travel_priced_tier tiers[TRAVEL_TIERS];
    size_t tier_count; /* 0: there is nothing to price */
    bool has_flights;
    int64_t expires_at_ms; /* the earliest of the tiers' */
} travel_pricing;

/* CTN_E_INVALID: a search answer is not of the shape that search_flights and search_hotels give, or in another currency
 * than the trip; CTN_E_LIMIT: too many offers, or too much money. */
int travel_price(ctn_arena *arena, const travel_price_request *request, const travel_pricing_rules *rules,
                 travel_pricing *ret_pricing, ctn_err *err);
travel_budget_verdict travel_budget_compare(const travel_pricing *pricing, const travel_priced_tier *tier);
