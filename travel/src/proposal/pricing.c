/*
 * pricing.c -- see pricing.h.
 *
 * Amounts come in through read_cents, which refuses more than TRAVEL_CENTS_MAX, and percentages are at most 1000 %, so
 * that a line is below 2^47 and every sum of lines far below 2^63; what is too much for a proposal is told at the end.
 */
#include "proposal/pricing.h"

#include "value/calendar.h"

#include <assert.h>
#include <stdlib.h>

/* The class of hotel that a tier looks for. */
static const int STARS[TRAVEL_TIERS] = {3, 4, 5};

typedef struct offer {
    const ctn_json *json;
    travel_cents total;
    bool is_economy;
} offer;

static int read_cents(const ctn_json *from, const char *key, travel_cents *ret_cents, ctn_err *err)
{
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(from, key)), ret_cents))
        return ctn_fail(err, CTN_E_INVALID, "%s must be an amount such as \"1234.50\"", key);
    return CTN_OK;
}

/* ---- choosing ---- */

static int by_total(const void *a, const void *b)
{
    const offer *x = a, *y = b;
    return (x->total > y->total) - (x->total < y->total);
}

/* The offers, cheapest first. */
static int read_offers(ctn_arena *arena, const ctn_json *flights, offer **ret_offers, size_t *ret_count, ctn_err *err)
{
    const ctn_json *list = ctn_json_member_of(flights, "offers");
    size_t count = ctn_json_count(list);
    if (list && !ctn_json_is(list, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "flights.offers must be a list, not %s", ctn_json_kind_name(list));
    if (count > TRAVEL_OFFERS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "flights.offers has %zu offers, at most %d", count, TRAVEL_OFFERS_MAX);
    offer *offers = CTN_NEW_ARRAY(arena, offer, count ? count : 1);
    for (size_t i = 0; i < count; i++) {
        offers[i].json = ctn_json_at(list, i);
        offers[i].is_economy = ctn_str_is(ctn_json_str_or(offers[i].json, "cabin", CTN_STR("economy")), "economy");
        int rc = read_cents(offers[i].json, "total", &offers[i].total, err);
        if (rc)
            return ctn_wrap(err, rc, "flights.offers[%zu]", i);
    }
    qsort(offers, count, sizeof *offers, by_total);
    *ret_offers = offers;
    *ret_count = count;
    return CTN_OK;
}

/* Good takes the cheapest, better the next in economy, best the first in a better cabin (else the dearest). */
static const offer *pick_offer(const offer *offers, size_t count, travel_tier tier)
{
    if (count == 0)
        return NULL;
    if (tier == TRAVEL_GOOD)
        return &offers[0];
    for (size_t i = 1; i < count; i++)
        if (offers[i].is_economy == (tier == TRAVEL_BETTER))
            return &offers[i];
    return tier == TRAVEL_BETTER ? &offers[0] : &offers[count - 1];
}

/* The cheapest of the hotels whose class is nearest; none: hotel stays NULL. */
static int pick_hotel(const ctn_json *stay, int stars, travel_stay *ret_stay, ctn_err *err)
{
    const ctn_json *hotels = ctn_json_member_of(stay, "hotels");
    int best_distance = 0;
    if (ctn_json_count(hotels) > TRAVEL_HOTELS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "hotels has more than %d hotels", TRAVEL_HOTELS_MAX);
    *ret_stay = (travel_stay){.stay = stay};
    for (size_t i = 0; i < ctn_json_count(hotels); i++) {
        travel_cents net;
        int rc = read_cents(ctn_json_at(hotels, i), "total", &net, err);
        if (rc)
            return ctn_wrap(err, rc, "hotels[%zu]", i);
        int64_t has = ctn_json_int_or(ctn_json_at(hotels, i), "stars", 3);
        int distance = has < 0 || has > 10 ? 10 : abs((int) has - stars);
        if (!ret_stay->hotel || distance < best_distance || (distance == best_distance && net < ret_stay->net)) {
            ret_stay->hotel = ctn_json_at(hotels, i);
            ret_stay->net = net;
            best_distance = distance;
        }
    }
    return CTN_OK;
}

/* ---- money ---- */

typedef struct till {
    const travel_pricing_rules *rules;
    const travel_trip *trip;
    travel_priced_tier *tier;
    ctn_err *err;
} till;

/* Up to a multiple of round_to, and of what can be paid in the currency. */
static travel_cents round_up(travel_cents amount, travel_cents round_to, const char *currency)
{
    travel_cents unit = travel_currency_places(currency) == 0 ? 100 : 1;
    travel_cents step = round_to > unit ? (round_to + unit - 1) / unit * unit : unit;
    return (amount + step - 1) / step * step;
}

static int markup_of(const till *t, travel_item_kind kind, travel_cents net, travel_cents *ret_markup)
{
    *ret_markup = 0;
    for (size_t i = 0; i < t->rules->markup_count; i++) {
        const travel_markup *m = &t->rules->markups[i];
        travel_cents amount = 0, minimum = 0;
        if (!m->for_kind[kind] || !m->for_tier[t->tier->tier])
            continue;
        int rc = travel_pricing_convert(t->rules, m->amount, t->trip->currency, &amount, t->err);
        if (!rc)
            rc = travel_pricing_convert(t->rules, m->minimum, t->trip->currency, &minimum, t->err);
        if (rc)
            return rc;
        *ret_markup = amount + travel_percent_of(net, m->percent);
        *ret_markup = *ret_markup < minimum ? minimum : *ret_markup;
        break;
    }
    *ret_markup = round_up(net + *ret_markup, t->rules->round_to, t->trip->currency) - net;
    return CTN_OK;
}

static void add_line(const till *t, travel_line line)
{
    assert(t->tier->line_count < TRAVEL_LINES_MAX && line.total >= 0);
    t->tier->lines[t->tier->line_count++] = line;
    t->tier->total += line.total;
}

static int add_item(const till *t, travel_item_kind kind, ctn_str name, travel_cents net, travel_cents *ret_total)
{
    travel_cents markup;
    int rc = markup_of(t, kind, net, &markup);
    if (rc)
        return rc;
    travel_line line = {.kind = kind == TRAVEL_ITEM_FLIGHT ? TRAVEL_LINE_FLIGHT : TRAVEL_LINE_HOTEL,
                        .name = name,
                        .net = net,
                        .markup = markup,
                        .total = t->rules->shows_markup ? net : net + markup};
    add_line(t, line);
    t->tier->net += net;
    t->tier->markup += markup;
    *ret_total = line.total;
    return CTN_OK;
}

static int add_fees(const till *t, travel_language language)
{
    travel_cents items = t->tier->total;
    for (size_t i = 0; i < t->rules->fee_count; i++) {
        const travel_charge *fee = &t->rules->fees[i];
        travel_cents amount;
        int rc = travel_pricing_convert(t->rules, fee->amount, t->trip->currency, &amount, t->err);
        if (rc)
            return rc;
        if (fee->is_per_person)
            amount *= travel_trip_people(t->trip);
        amount += travel_cents_round(travel_percent_of(items, fee->percent), t->trip->currency);
        t->tier->fees += amount;
        if (amount > 0)
            add_line(t, (travel_line){.kind = TRAVEL_LINE_FEE, .name = fee->names[language], .total = amount});
    }
    return CTN_OK;
}

static void add_taxes(const till *t, travel_language language)
{
    travel_cents taxed_total = t->tier->total, taxed_service = t->tier->markup + t->tier->fees;
    for (size_t i = 0; i < t->rules->tax_count; i++) {
        const travel_charge *tax = &t->rules->taxes[i];
        travel_cents amount = travel_cents_round(
            travel_percent_of(tax->on_service ? taxed_service : taxed_total, tax->percent), t->trip->currency);
        t->tier->taxes += amount;
        if (amount > 0)
            add_line(t, (travel_line){.kind = TRAVEL_LINE_TAX, .name = tax->names[language], .total = amount});
    }
}

static int settle(const till *t)
{
    travel_priced_tier *tier = t->tier;
    travel_cents minimum;
    int rc = travel_pricing_convert(t->rules, t->rules->deposit_minimum, t->trip->currency, &minimum, t->err);
    if (rc)
        return rc;
    if (tier->total > TRAVEL_CENTS_MAX)
        return ctn_fail(t->err, CTN_E_LIMIT, "the price is more than a proposal can hold");
    assert(tier->total == tier->net + tier->markup + tier->fees + tier->taxes);
    tier->per_person =
        travel_cents_round(travel_cents_divide(tier->total, travel_trip_people(t->trip)), t->trip->currency);
    tier->deposit = travel_cents_round(travel_percent_of(tier->total, t->rules->deposit_percent), t->trip->currency);
    tier->deposit = tier->deposit < minimum ? minimum : tier->deposit;
    tier->deposit = tier->deposit > tier->total ? tier->total : tier->deposit;
    tier->balance = tier->total - tier->deposit;
    return CTN_OK;
}

/* ---- deadlines ---- */

/* An offer without a deadline stands as long as the proposal. */
static int expire_with(const ctn_json *chosen, int64_t *expires_at_ms, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(chosen, "expires_at");
    ctn_time time;
    if (!v || ctn_json_is(v, CTN_JSON_NULL) || (ctn_json_is(v, CTN_JSON_STRING) && ctn_json_text(v).len == 0))
        return CTN_OK;
    if (!ctn_time_of(v, &time))
        return ctn_fail(err, CTN_E_INVALID, "expires_at must be a time such as 2026-10-24T09:00:00Z");
    int64_t at_ms = time.is_date ? time.at_ms + TRAVEL_DAY_MS - 1 : time.at_ms;
    *expires_at_ms = at_ms < *expires_at_ms ? at_ms : *expires_at_ms;
    return CTN_OK;
}

/* ---- a tier ---- */

static int price_tier(const travel_price_request *request, const travel_pricing_rules *rules, const travel_trip *trip,
                      const offer *flight, travel_priced_tier *tier, ctn_err *err)
{
    const till t = {.rules = rules, .trip = trip, .tier = tier, .err = err};
    const ctn_json *stays = ctn_json_member_of(request->hotels, "stays");
    int rc = CTN_OK;
    tier->expires_at_ms = (request->today + rules->valid_days + 1) * TRAVEL_DAY_MS - 1000;
    if (flight) {
        tier->flight = flight->json;
        tier->flight_net = flight->total;
        rc = expire_with(flight->json, &tier->expires_at_ms, err);
        if (!rc)
            rc = add_item(&t, TRAVEL_ITEM_FLIGHT, (ctn_str){NULL, 0}, flight->total, &tier->flight_total);
    }
    for (size_t i = 0; !rc && i < ctn_json_count(stays); i++) {
        travel_stay *stay = &tier->stays[tier->stay_count];
        rc = pick_hotel(ctn_json_at(stays, i), STARS[tier->tier], stay, err);
        if (!rc && stay->hotel) {
            tier->stay_count++;
            rc = expire_with(stay->hotel, &tier->expires_at_ms, err);
            if (!rc)
                rc = add_item(&t, TRAVEL_ITEM_HOTEL, ctn_json_str_or(stay->stay, "place", CTN_STR("")), stay->net,
                              &stay->total);
        }
        if (rc)
            return ctn_wrap(err, rc, "hotels.stays[%zu]", i);
    }
    if (!rc && rules->shows_markup && tier->markup > 0)
        add_line(&t, (travel_line){.kind = TRAVEL_LINE_SERVICE, .total = tier->markup});
    if (!rc)
        rc = add_fees(&t, request->language);
    if (rc)
        return rc;
    add_taxes(&t, request->language);
    return settle(&t);
}

/* ---- the budget ---- */

static int read_budget(const ctn_json *from, travel_budget *ret_budget, ctn_err *err)
{
    const ctn_json *amount = ctn_json_member_of(from, "amount");
    *ret_budget = (travel_budget){0};
    if (!amount || ctn_json_is(amount, CTN_JSON_NULL) || ctn_json_text(amount).len == 0)
        return CTN_OK;
    int rc = read_cents(from, "amount", &ret_budget->amount, err);
    if (rc)
        return ctn_wrap(err, rc, "budget");
    ctn_str per = ctn_json_str_or(from, "per", (ctn_str){NULL, 0});
    ret_budget->is_known = true;
    ret_budget->per = ctn_str_is(per, "total")    ? TRAVEL_PER_TOTAL
                      : ctn_str_is(per, "person") ? TRAVEL_PER_PERSON
                      : ctn_str_is(per, "night")  ? TRAVEL_PER_NIGHT
                                                  : TRAVEL_PER_UNSAID;
    return CTN_OK;
}

travel_budget_verdict travel_budget_compare(const travel_pricing *pricing, const travel_priced_tier *tier)
{
    travel_cents limit = pricing->budget.amount, price = tier->total;
    if (pricing->budget.per == TRAVEL_PER_PERSON)
        limit *= travel_trip_people(&pricing->trip);
    if (pricing->budget.per == TRAVEL_PER_NIGHT) {
        int64_t room_nights = (int64_t) pricing->trip.nights * pricing->trip.rooms;
        travel_cents hotels = 0;
        for (size_t i = 0; i < tier->stay_count; i++)
            hotels += tier->stays[i].total;
        price = room_nights > 0 ? travel_cents_divide(hotels, room_nights) : 0;
    }
    return (travel_budget_verdict){.is_within = price <= limit, .by = price <= limit ? limit - price : price - limit};
}

/* ---- all of it ---- */

/* Search answers in another currency than the trip's cannot be added up here. */
static int check_currency(const ctn_json *answer, const char *which, const travel_trip *trip, ctn_err *err)
{
    ctn_str currency = ctn_json_str_or(answer, "currency", ctn_str_from(trip->currency));
    if (!ctn_str_is(currency, trip->currency))
        return ctn_fail(err, CTN_E_INVALID, "%s are priced in %.*s but the trip is in %s: search again in %s", which,
                        (int) (currency.len > 8 ? 8 : currency.len), currency.ptr, trip->currency, trip->currency);
    return CTN_OK;
}

int travel_price(ctn_arena *arena, const travel_price_request *request, const travel_pricing_rules *rules,
                 travel_pricing *ret_pricing, ctn_err *err)
{
    travel_pricing p = {0};
    offer *offers = NULL;
    size_t offer_count = 0, stay_count = ctn_json_count(ctn_json_member_of(request->hotels, "stays"));
    int rc = travel_trip_plan(arena, request->requirements, request->budget, request->today, &p.trip, NULL, err);
    if (!rc)
        rc = check_currency(request->flights, "flights", &p.trip, err);
    if (!rc)
        rc = check_currency(request->hotels, "hotels", &p.trip, err);
    if (!rc)
        rc = read_offers(arena, request->flights, &offers, &offer_count, err);
    if (!rc)
        rc = read_budget(request->budget, &p.budget, err);
    if (!rc && stay_count > TRAVEL_STOPS_MAX)
        rc = ctn_fail(err, CTN_E_LIMIT, "hotels.stays has more than %d stays", TRAVEL_STOPS_MAX);
    p.has_flights = offer_count > 0;
    p.tier_count = offer_count > 0 || stay_count > 0 ? TRAVEL_TIERS : 0;
    p.expires_at_ms = (request->today + rules->valid_days + 1) * TRAVEL_DAY_MS - 1000;
    for (size_t i = 0; !rc && i < p.tier_count; i++) {
        p.tiers[i].tier = (travel_tier) i;
        rc = price_tier(request, rules, &p.trip, pick_offer(offers, offer_count, (travel_tier) i), &p.tiers[i], err);
        if (p.tiers[i].expires_at_ms < p.expires_at_ms)
            p.expires_at_ms = p.tiers[i].expires_at_ms;
    }
    if (rc == CTN_OK)
        *ret_pricing = p;
    return rc;
}
