/* pricing.c -- see pricing.h. */
#include "proposal/pricing.h"

#include "kit/words.h"

#include <assert.h>
#include <stdlib.h>

enum { VALID_DAYS = 7, OFFERS_MAX = 200, STAYS_MAX = 64 };

typedef struct tier_kind {
    const char *name, *description;
    int stars;
} tier_kind;

static const tier_kind TIERS[3] = {
    {"Essential", "The trip at its best price: the lowest fare and well-kept three-star hotels.", 3},
    {"Comfort", "A fare with luggage and four-star hotels.", 4},
    {"Premium", "The front of the plane where there is one, and five-star hotels.", 5},
};

typedef struct priced {
    const ctn_json *json;
    travel_cents total;
    bool is_economy;
} priced;

static int read_cents(const ctn_json *from, const char *key, travel_cents *ret_cents, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    if (!travel_cents_parse(ctn_json_text(v), ret_cents))
        return ctn_fail(err, CTN_E_INVALID, "%s must be an amount such as \"1234.50\"", key);
    return CTN_OK;
}

static int by_total(const void *a, const void *b)
{
    const priced *x = a, *y = b;
    return (x->total > y->total) - (x->total < y->total);
}

/* The offers, cheapest first. */
static int read_offers(ctn_arena *arena, const ctn_json *flights, priced **ret_offers, size_t *ret_count, ctn_err *err)
{
    const ctn_json *list = ctn_json_member_of(flights, "offers");
    size_t count = ctn_json_count(list);
    if (list && !ctn_json_is(list, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "flights.offers must be a list, not %s", ctn_json_kind_name(list));
    if (count > OFFERS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "flights.offers has %zu offers, at most %d", count, OFFERS_MAX);
    priced *offers = CTN_NEW_ARRAY(arena, priced, count ? count : 1);
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

/* Essential takes the cheapest, Comfort the next in economy, Premium the first in a better cabin (else the dearest). */
static const priced *pick_offer(const priced *offers, size_t count, size_t tier)
{
    if (count == 0)
        return NULL;
    if (tier == 0)
        return &offers[0];
    for (size_t i = 1; i < count; i++)
        if (offers[i].is_economy == (tier == 1))
            return &offers[i];
    return tier == 1 ? &offers[0] : &offers[count - 1];
}

/* The cheapest of the hotels whose class is nearest. */
static int pick_hotel(const ctn_json *stay, int stars, priced *ret_hotel, ctn_err *err)
{
    const ctn_json *hotels = ctn_json_member_of(stay, "hotels");
    int best_distance = 0;
    *ret_hotel = (priced){0};
    for (size_t i = 0; i < ctn_json_count(hotels); i++) {
        priced hotel = {.json = ctn_json_at(hotels, i)};
        int rc = read_cents(hotel.json, "total", &hotel.total, err);
        if (rc)
            return ctn_wrap(err, rc, "hotels[%zu]", i);
        int64_t has = ctn_json_int_or(hotel.json, "stars", 3);
        int distance = has < 0 || has > 10 ? 10 : abs((int) has - stars);
        if (!ret_hotel->json || distance < best_distance ||
            (distance == best_distance && hotel.total < ret_hotel->total)) {
            *ret_hotel = hotel;
            best_distance = distance;
        }
    }
    return CTN_OK;
}

/* ---- the budget ---- */

typedef enum budget_per { PER_UNSAID, PER_TOTAL, PER_PERSON, PER_NIGHT } budget_per;

typedef struct budget {
    bool is_known;
    travel_cents amount;
    budget_per per;
} budget;

static int read_budget(const ctn_json *from, budget *ret_budget, ctn_err *err)
{
    const ctn_json *amount = ctn_json_member_of(from, "amount");
    *ret_budget = (budget){0};
    if (!amount || ctn_json_is(amount, CTN_JSON_NULL) || ctn_json_text(amount).len == 0)
        return CTN_OK;
    int rc = read_cents(from, "amount", &ret_budget->amount, err);
    if (rc)
        return ctn_wrap(err, rc, "budget");
    ctn_str per = ctn_json_str_or(from, "per", (ctn_str){NULL, 0});
    ret_budget->is_known = true;
    ret_budget->per = ctn_str_is(per, "total")    ? PER_TOTAL
                      : ctn_str_is(per, "person") ? PER_PERSON
                      : ctn_str_is(per, "night")  ? PER_NIGHT
                                                  : PER_UNSAID;
    return CTN_OK;
}

static ctn_str budget_line(ctn_arena *arena, const budget *b, const travel_trip *trip)
{
    if (!b->is_known)
        return CTN_STR("");
    ctn_str shown = travel_money_short_shown(arena, b->amount, trip->currency, TRAVEL_EN);
    switch (b->per) {
    case PER_PERSON: return ctn_arena_printf(arena, "Your budget: %.*s per person.", CTN_STR_ARG(shown));
    case PER_NIGHT: return ctn_arena_printf(arena, "Your budget: %.*s a night for the hotel.", CTN_STR_ARG(shown));
    case PER_TOTAL: return ctn_arena_printf(arena, "Your budget: %.*s in total.", CTN_STR_ARG(shown));
    default: break;
    }
    return ctn_arena_printf(arena, "Your budget: %.*s, which we took as the total for everybody.", CTN_STR_ARG(shown));
}

static ctn_str compare_budget(ctn_arena *arena, const budget *b, const travel_trip *trip, travel_cents total,
                              travel_cents hotels_total, bool *ret_is_within)
{
    travel_cents limit = b->amount, price = total;
    const char *unit = "";
    *ret_is_within = false;
    if (!b->is_known)
        return CTN_STR("");
    if (b->per == PER_PERSON)
        limit = b->amount * travel_trip_people(trip);
    if (b->per == PER_NIGHT) {
        int64_t room_nights = (int64_t) trip->nights * trip->rooms;
        price = room_nights > 0 ? travel_cents_divide(hotels_total, room_nights) : 0;
        unit = " per room and night";
    }
    *ret_is_within = price <= limit;
    ctn_str by = travel_money_shown(arena, *ret_is_within ? limit - price : price - limit, trip->currency, TRAVEL_EN);
    if (*ret_is_within)
        return ctn_arena_printf(arena, "Within your budget, with %.*s%s to spare.", CTN_STR_ARG(by), unit);
    return ctn_arena_printf(arena, "%.*s%s over your budget.", CTN_STR_ARG(by), unit);
}

/* ---- a tier ---- */

static ctn_str stay_text(ctn_arena *arena, const ctn_json *stay, const ctn_json *hotel)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_str place = ctn_json_str_or(stay, "place", CTN_STR("")),
            name = ctn_json_str_or(hotel, "name", CTN_STR("a hotel"));
    int64_t nights = ctn_json_int_or(stay, "nights", 0), rooms = ctn_json_int_or(stay, "rooms", 1);
    ctn_buf_printf(&out, "%.*s: %lld %s at %.*s, %lld stars, %.*s, %lld %s", CTN_STR_ARG(place), (long long) nights,
                   nights == 1 ? "night" : "nights", CTN_STR_ARG(name), (long long) ctn_json_int_or(hotel, "stars", 3),
                   CTN_STR_ARG(ctn_json_str_or(hotel, "board", CTN_STR("room only"))), (long long) rooms,
                   rooms == 1 ? "room" : "rooms");
    const ctn_json *features = ctn_json_member_of(hotel, "features");
    for (size_t i = 0; i < ctn_json_count(features); i++)
        ctn_buf_printf(&out, "%s%.*s", i == 0 ? "; " : ", ", CTN_STR_ARG(ctn_json_text(ctn_json_at(features, i))));
    ctn_str text = out.overflowed ? name : ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static int put_stays(ctn_arena *arena, const ctn_json *stays, int stars, ctn_json_builder *tier,
                     travel_cents *ret_total, ctn_err *err)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(stays); i++) {
        const ctn_json *stay = ctn_json_at(stays, i);
        priced hotel;
        int rc = pick_hotel(stay, stars, &hotel, err);
        if (rc)
            return ctn_wrap(err, rc, "hotels.stays[%zu]", i);
        if (!hotel.json)
            continue;
        ctn_json_builder item = ctn_json_object(arena);
        ctn_json_put_str(&item, "place", ctn_json_str_or(stay, "place", CTN_STR("")));
        ctn_json_put_str(&item, "hotel_id", ctn_json_str_or(hotel.json, "hotel_id", CTN_STR("")));
        ctn_json_put_str(&item, "total", travel_cents_text(arena, hotel.total));
        ctn_json_put_str(&item, "text", stay_text(arena, stay, hotel.json));
        ctn_json_push(&list, ctn_json_finish(&item));
        *ret_total += hotel.total;
    }
    ctn_json_put(tier, CTN_STR("stays"), ctn_json_finish(&list));
    return CTN_OK;
}

static void put_flight(ctn_arena *arena, const priced *offer, ctn_json_builder *tier)
{
    ctn_json_builder legs = ctn_json_array(arena);
    const ctn_json *from = offer ? ctn_json_member_of(offer->json, "legs") : NULL;
    for (size_t i = 0; i < ctn_json_count(from); i++)
        ctn_json_push(&legs, ctn_json_string(arena, ctn_json_str_or(ctn_json_at(from, i), "text", CTN_STR(""))));
    ctn_json_put_bool(tier, "has_flights", offer != NULL);
    ctn_json_put_str(tier, "offer_id", offer ? ctn_json_str_or(offer->json, "offer_id", CTN_STR("")) : CTN_STR(""));
    ctn_str bags = offer ? ctn_json_str_or(offer->json, "bags", CTN_STR("")) : CTN_STR("");
    ctn_str changes = offer ? ctn_json_str_or(offer->json, "changes", CTN_STR("")) : CTN_STR("");
    ctn_str fare = offer ? ctn_json_str_or(offer->json, "fare", CTN_STR("")) : CTN_STR("");
    ctn_str cabin = offer ? ctn_json_str_or(offer->json, "cabin", CTN_STR("")) : CTN_STR("");
    ctn_json_put_str(tier, "fare_text",
                     offer ? ctn_arena_printf(arena, "%.*s fare in %.*s: %.*s, %.*s", CTN_STR_ARG(fare),
                                              CTN_STR_ARG(cabin), CTN_STR_ARG(bags), CTN_STR_ARG(changes))
                           : CTN_STR(""));
    ctn_json_put(tier, CTN_STR("legs"), ctn_json_finish(&legs));
}

static int put_tier(ctn_arena *arena, const travel_price_request *request, const travel_trip *trip, const budget *b,
                    const priced *offer, const tier_kind *kind, ctn_json_builder *tiers, ctn_err *err)
{
    ctn_json_builder tier = ctn_json_object(arena);
    travel_cents flights = offer ? offer->total : 0, hotels = 0;
    ctn_json_put_str(&tier, "name", ctn_str_from(kind->name));
    ctn_json_put_str(&tier, "description", ctn_str_from(kind->description));
    put_flight(arena, offer, &tier);
    int rc = put_stays(arena, ctn_json_member_of(request->hotels, "stays"), kind->stars, &tier, &hotels, err);
    if (rc)
        return rc;
    travel_cents total = flights + hotels, each = travel_cents_divide(total, travel_trip_people(trip));
    bool is_within;
    ctn_str note = compare_budget(arena, b, trip, total, hotels, &is_within);
    ctn_json_put_str(&tier, "currency", ctn_str_from(trip->currency));
    ctn_json_put_str(&tier, "flights_total", travel_cents_text(arena, flights));
    ctn_json_put_str(&tier, "hotels_total", travel_cents_text(arena, hotels));
    ctn_json_put_str(&tier, "total", travel_cents_text(arena, total));
    ctn_json_put_str(&tier, "per_person", travel_cents_text(arena, each));
    ctn_json_put_str(&tier, "flights_shown", travel_money_shown(arena, flights, trip->currency, TRAVEL_EN));
    ctn_json_put_str(&tier, "hotels_shown", travel_money_shown(arena, hotels, trip->currency, TRAVEL_EN));
    ctn_json_put_str(&tier, "total_shown", travel_money_shown(arena, total, trip->currency, TRAVEL_EN));
    ctn_json_put_str(&tier, "per_person_shown", travel_money_shown(arena, each, trip->currency, TRAVEL_EN));
    ctn_json_put_bool(&tier, "is_within_budget", is_within);
    ctn_json_put_str(&tier, "budget_note", note);
    ctn_json_push(tiers, ctn_json_finish(&tier));
    return CTN_OK;
}

/* Search answers in another currency than the trip's cannot be added up here. */
static int check_currency(const ctn_json *answer, const char *which, const travel_trip *trip, ctn_err *err)
{
    ctn_str currency = ctn_json_str_or(answer, "currency", ctn_str_from(trip->currency));
    if (!ctn_str_is(currency, trip->currency))
        return ctn_fail(err, CTN_E_INVALID, "%s are priced in %.*s but the trip is in %s: search again in %s", which,
                        (int) (currency.len > 8 ? 8 : currency.len), currency.ptr, trip->currency, trip->currency);
    return CTN_OK;
}

static ctn_str travellers_text(ctn_arena *arena, const travel_trip *trip)
{
    int people = travel_trip_people(trip);
    return people == 1 ? CTN_STR("for one traveller") : ctn_arena_printf(arena, "for all %d travellers", people);
}

int travel_price_tiers(ctn_arena *arena, const travel_price_request *request, const ctn_json **ret_result, ctn_err *err)
{
    travel_trip trip;
    priced *offers = NULL;
    size_t offer_count = 0;
    budget b;
    int rc = travel_trip_plan(arena, request->requirements, request->budget, request->today, &trip, NULL, err);
    if (!rc)
        rc = check_currency(request->flights, "flights", &trip, err);
    if (!rc)
        rc = check_currency(request->hotels, "hotels", &trip, err);
    if (!rc)
        rc = read_offers(arena, request->flights, &offers, &offer_count, err);
    if (!rc)
        rc = read_budget(request->budget, &b, err);
    if (rc)
        return rc;
    if (ctn_json_count(ctn_json_member_of(request->hotels, "stays")) > STAYS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "hotels.stays has more than %d stays", STAYS_MAX);
    bool has_tiers = offer_count > 0 || ctn_json_count(ctn_json_member_of(request->hotels, "stays")) > 0;
    ctn_json_builder tiers = ctn_json_array(arena), out = ctn_json_object(arena), result = ctn_json_object(arena);
    for (size_t i = 0; has_tiers && i < 3; i++) {
        rc = put_tier(arena, request, &trip, &b, pick_offer(offers, offer_count, i), &TIERS[i], &tiers, err);
        if (rc)
            return rc;
    }
    char until[11], until_long[40];
    travel_day_format(request->today + VALID_DAYS, until);
    travel_day_format_long(request->today + VALID_DAYS, until_long);
    ctn_json_put_str(&out, "source", CTN_STR("sandbox"));
    ctn_json_put_str(&out, "currency", ctn_str_from(trip.currency));
    ctn_json_put_int(&out, "travellers", travel_trip_people(&trip));
    ctn_json_put_str(&out, "travellers_text", travellers_text(arena, &trip));
    ctn_json_put_str(&out, "valid_until", ctn_str_from(until));
    ctn_json_put_str(&out, "valid_until_shown", ctn_str_from(until_long));
    ctn_json_put_str(&out, "budget_line", budget_line(arena, &b, &trip));
    ctn_json_put_str(
        &out, "note",
        has_tiers && offer_count == 0
            ? CTN_STR(
                  "Flights are not in these prices: we do not know a place of departure yet that we can search from.")
            : CTN_STR(""));
    ctn_json_put_bool(&out, "has_tiers", has_tiers);
    ctn_json_put(&out, CTN_STR("tiers"), ctn_json_finish(&tiers));
    ctn_json_put(&result, CTN_STR("pricing_tiers"), ctn_json_finish(&out));
    *ret_result = ctn_json_finish(&result);
    return CTN_OK;
}
