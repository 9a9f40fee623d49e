/*
 * duffel_search.c -- looking for flights and rooms at Duffel, told as search/inventory.h tells the sandbox's.
 *
 * A journey is one offer request with a slice for each flight; parts over land are not asked for. A hotel's id is that
 * of its cheapest rate that the agency's balance can pay, for a rate is what is quoted and booked. Children whose ages
 * nobody said are taken for ten-year-olds, as nothing can be asked without an age.
 */
#include "duffel/duffel_internal.h"

enum { OFFERS_MAX = 60, HOTELS_PER_CLASS = 2, CHILD_YEARS = 10, RADIUS_KM = 25, LAND_KM_MAX = 260 };

/* ---- what is asked ---- */

static const ctn_json *people_of(ctn_arena *arena, const travel_trip *trip, bool is_flight)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (int i = 0; i < trip->adults + trip->children; i++) {
        ctn_json_builder one = ctn_json_object(arena);
        if (i < trip->adults || !is_flight)
            ctn_json_put_str(&one, "type", i < trip->adults ? CTN_STR("adult") : CTN_STR("child"));
        if (i >= trip->adults)
            ctn_json_put_int(&one, "age", CHILD_YEARS);
        ctn_json_push(&list, ctn_json_finish(&one));
    }
    return ctn_json_finish(&list);
}

static void put_slice(ctn_arena *arena, ctn_json_builder *slices, const travel_airport *from, const travel_airport *to,
                      travel_day day)
{
    char date[11];
    if (from == to || travel_distance_km(from, to) <= LAND_KM_MAX)
        return;
    ctn_json_builder slice = ctn_json_object(arena);
    travel_day_format(day, date);
    ctn_json_put_str(&slice, "origin", ctn_str_from(from->code));
    ctn_json_put_str(&slice, "destination", ctn_str_from(to->code));
    ctn_json_put_str(&slice, "departure_date", ctn_arena_str(arena, ctn_str_from(date)));
    ctn_json_push(slices, ctn_json_finish(&slice));
}

static const ctn_json *slices_of(ctn_arena *arena, const travel_trip *trip)
{
    ctn_json_builder slices = ctn_json_array(arena);
    const travel_airport *at = trip->origin_airport;
    for (size_t i = 0; i < trip->stop_count; i++) {
        put_slice(arena, &slices, at, trip->stops[i].airport, trip->stops[i].arrive);
        at = trip->stops[i].airport;
    }
    put_slice(arena, &slices, at, trip->origin_airport, trip->end);
    return ctn_json_finish(&slices);
}

/* ---- flights, told ---- */

/* Whole minutes between two local times is not a duration; Duffel says it: "P1DT02H26M". */
static int64_t minutes_of(ctn_str duration)
{
    int64_t minutes = 0, number = 0;
    for (size_t i = 0; i < duration.len; i++) {
        char c = duration.ptr[i];
        if (c >= '0' && c <= '9' && number < 100000)
            number = number * 10 + (c - '0');
        else if (c == 'D' || c == 'H' || c == 'M') {
            minutes += number * (c == 'D' ? 1440 : c == 'H' ? 60 : 1);
            number = 0;
        }
    }
    return minutes;
}

static ctn_str part(ctn_str text, size_t from, size_t len)
{
    ctn_str rest = ctn_str_from_offset(text, from);
    return (ctn_str){rest.ptr, rest.len < len ? rest.len : len};
}

/* One leg a slice: from its first segment's origin to its last one's destination. */
static const ctn_json *leg_of(ctn_arena *arena, const ctn_json *slice)
{
    const ctn_json *segments = ctn_json_member_of(slice, "segments"), *first = ctn_json_at(segments, 0);
    const ctn_json *from = ctn_json_member_of(slice, "origin"), *to = ctn_json_member_of(slice, "destination");
    size_t changes = ctn_json_count(segments) > 0 ? ctn_json_count(segments) - 1 : 0;
    ctn_str departs = duffel_text(first, "departing_at"), date = part(departs, 0, 10), at = part(departs, 11, 5);
    ctn_str via = changes > 0 ? duffel_text(ctn_json_member_of(first, "destination"), "city_name") : CTN_STR("");
    ctn_str airline = duffel_text(ctn_json_member_of(first, "marketing_carrier"), "iata_code");
    ctn_str number = ctn_arena_printf(arena, "%.*s %.*s", CTN_STR_ARG(airline),
                                      CTN_STR_ARG(duffel_text(first, "marketing_carrier_flight_number")));
    int64_t minutes = minutes_of(duffel_text(slice, "duration"));
    travel_day day;
    char day_long[40] = "";
    if (travel_day_parse(date, &day))
        travel_day_format_long(day, day_long);
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "mode", CTN_STR("flight"));
    ctn_json_put_str(&out, "from", duffel_text(from, "iata_code"));
    ctn_json_put_str(&out, "from_name", duffel_text(from, "name"));
    ctn_json_put_str(&out, "to", duffel_text(to, "iata_code"));
    ctn_json_put_str(&out, "to_name", duffel_text(to, "name"));
    ctn_json_put_str(&out, "date", date);
    ctn_json_put_str(&out, "departs", at);
    ctn_json_put_int(&out, "minutes", minutes);
    ctn_json_put_str(&out, "number", number);
    ctn_json_put_int(&out, "changes", (int64_t) changes);
    ctn_json_put_str(&out, "via", via);
    ctn_json_put_str(
        &out, "text",
        ctn_arena_printf(arena, "%s: %.*s (%.*s) to %.*s (%.*s), %.*s at %.*s, %s, about %lld h %02lld min", day_long,
                         CTN_STR_ARG(duffel_text(from, "name")), CTN_STR_ARG(duffel_text(from, "iata_code")),
                         CTN_STR_ARG(duffel_text(to, "name")), CTN_STR_ARG(duffel_text(to, "iata_code")),
                         CTN_STR_ARG(number), CTN_STR_ARG(at), changes == 0 ? "direct" : "with a change",
                         (long long) minutes / 60, (long long) minutes % 60));
    return ctn_json_finish(&out);
}

static ctn_str bags_of(ctn_arena *arena, const ctn_json *passenger)
{
    const ctn_json *bags = ctn_json_member_of(passenger, "baggages");
    int64_t checked = 0, cabin = 0;
    for (size_t i = 0; i < ctn_json_count(bags); i++) {
        const ctn_json *bag = ctn_json_at(bags, i);
        int64_t quantity = ctn_json_int_or(bag, "quantity", 0);
        *(ctn_str_is(duffel_text(bag, "type"), "checked") ? &checked : &cabin) += quantity;
    }
    return ctn_arena_printf(arena, "%s, %s", cabin > 0 ? "cabin bag" : "no cabin bag",
                            checked > 1    ? "checked bags"
                            : checked == 1 ? "one checked bag"
                                           : "no checked bag");
}

static const ctn_json *offer_of(ctn_arena *arena, const travel_trip *trip, const ctn_json *offer, travel_cents total)
{
    const ctn_json *slices = ctn_json_member_of(offer, "slices"), *slice = ctn_json_at(slices, 0);
    const ctn_json *segment = ctn_json_at(ctn_json_member_of(slice, "segments"), 0);
    const ctn_json *passenger = ctn_json_at(ctn_json_member_of(segment, "passengers"), 0);
    const ctn_json *change = ctn_json_member_of(ctn_json_member_of(offer, "conditions"), "change_before_departure");
    ctn_str fare = duffel_text(slice, "fare_brand_name");
    bool must_pay =
        ctn_json_bool_or(ctn_json_member_of(offer, "payment_requirements"), "requires_instant_payment", true);
    ctn_json_builder out = ctn_json_object(arena), legs = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(slices); i++)
        ctn_json_push(&legs, leg_of(arena, ctn_json_at(slices, i)));
    ctn_json_put_str(&out, "offer_id", duffel_text(offer, "id"));
    ctn_json_put_str(&out, "source", CTN_STR("duffel"));
    ctn_json_put_str(&out, "fare", fare.len ? fare : duffel_text(ctn_json_member_of(offer, "owner"), "name"));
    ctn_json_put_str(&out, "cabin", duffel_text(passenger, "cabin_class"));
    ctn_json_put_str(&out, "bags", bags_of(arena, passenger));
    ctn_json_put_str(&out, "changes",
                     ctn_json_bool_or(change, "allowed", false) ? CTN_STR("changes for a fee") : CTN_STR("no changes"));
    ctn_json_put_str(&out, "currency", duffel_text(offer, "total_currency"));
    ctn_json_put_str(&out, "per_person",
                     travel_cents_text(arena, travel_cents_divide(total, travel_trip_people(trip))));
    ctn_json_put_str(&out, "total", travel_cents_text(arena, total));
    ctn_json_put_str(&out, "expires_at", duffel_text(offer, "expires_at"));
    ctn_json_put_bool(&out, "can_be_held", !must_pay);
    ctn_json_put(&out, CTN_STR("legs"), ctn_json_finish(&legs));
    return ctn_json_finish(&out);
}

/* Only offers that can be held: one that must be paid at once cannot be taken back for nothing. */
static bool can_be_held(const ctn_json *offer)
{
    return !ctn_json_bool_or(ctn_json_member_of(offer, "payment_requirements"), "requires_instant_payment", true);
}

int duffel_search_flights(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                          const ctn_json **ret_result, ctn_err *err)
{
    (void) today;
    ctn_json_builder out = ctn_json_object(arena), offers = ctn_json_array(arena), cheapest = ctn_json_object(arena);
    ctn_str note = CTN_STR(""), best_id = CTN_STR(""), currency = ctn_str_from(trip->currency);
    const ctn_json *answer = NULL, *slices = trip->stop_count && trip->origin_airport ? slices_of(arena, trip) : NULL;
    travel_cents best = 0;
    if (ctn_json_count(slices) == 0) {
        note = CTN_STR("There is no flight to search for in this trip.");
    } else {
        ctn_json_builder data = ctn_json_object(arena);
        ctn_json_put(&data, CTN_STR("slices"), slices);
        ctn_json_put(&data, CTN_STR("passengers"), people_of(arena, trip, true));
        int rc = duffel_ask(self, arena, "POST", CTN_STR("/air/offer_requests?return_offers=true"),
                            ctn_json_finish(&data), &answer, NULL, err);
        if (rc)
            return rc == CTN_E_IO ? CTN_E_BUSY : rc; /* a search changes nothing */
    }
    const ctn_json *list = ctn_json_member_of(answer, "offers");
    size_t told = 0;
    for (size_t i = 0; i < ctn_json_count(list) && told < OFFERS_MAX; i++) {
        const ctn_json *offer = ctn_json_at(list, i);
        travel_cents total;
        if (!can_be_held(offer) || !travel_cents_parse(duffel_text(offer, "total_amount"), &total))
            continue;
        ctn_json_push(&offers, offer_of(arena, trip, offer, total));
        if (told++ == 0 || total < best) {
            best = total;
            best_id = duffel_text(offer, "id");
        }
        currency = duffel_text(offer, "total_currency");
    }
    if (ctn_json_count(list) > 0 && told == 0)
        note = CTN_STR("There are flights, but none that can be held before it is paid.");
    ctn_json_put_str(&cheapest, "offer_id", best_id);
    ctn_json_put_str(&cheapest, "total", travel_cents_text(arena, best));
    ctn_json_put_str(&out, "source", CTN_STR("duffel"));
    ctn_json_put_str(&out, "currency", currency);
    ctn_json_put_int(&out, "travellers", travel_trip_people(trip));
    ctn_json_put(&out, CTN_STR("offers"), ctn_json_finish(&offers));
    ctn_json_put(&out, CTN_STR("cheapest"), ctn_json_finish(&cheapest));
    ctn_json_put_str(&out, "note", note);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- stays ---- */

static const ctn_json *degrees(ctn_arena *arena, double value)
{
    return ctn_json_number(arena, ctn_arena_printf(arena, "%.6f", value));
}

static const ctn_json *stays_search_of(ctn_arena *arena, const travel_trip *trip, const travel_stop *stop)
{
    ctn_json_builder data = ctn_json_object(arena), location = ctn_json_object(arena), at = ctn_json_object(arena);
    char in[11], out[11];
    travel_day_format(stop->arrive, in);
    travel_day_format(stop->arrive + stop->nights, out);
    ctn_json_put(&at, CTN_STR("latitude"), degrees(arena, stop->airport->latitude));
    ctn_json_put(&at, CTN_STR("longitude"), degrees(arena, stop->airport->longitude));
    ctn_json_put_int(&location, "radius", RADIUS_KM);
    ctn_json_put(&location, CTN_STR("geographic_coordinates"), ctn_json_finish(&at));
    ctn_json_put(&data, CTN_STR("location"), ctn_json_finish(&location));
    ctn_json_put_str(&data, "check_in_date", ctn_arena_str(arena, ctn_str_from(in)));
    ctn_json_put_str(&data, "check_out_date", ctn_arena_str(arena, ctn_str_from(out)));
    ctn_json_put_int(&data, "rooms", trip->rooms);
    ctn_json_put(&data, CTN_STR("guests"), people_of(arena, trip, false));
    return ctn_json_finish(&data);
}

static bool is_paid_by_balance(const ctn_json *rate)
{
    return ctn_json_has_text(ctn_json_member_of(rate, "available_payment_methods"), CTN_STR("balance"));
}

/* The cheapest rate of all rooms; NULL: none that we could pay. */
static const ctn_json *cheapest_rate(const ctn_json *accommodation, travel_cents *ret_total)
{
    const ctn_json *rooms = ctn_json_member_of(accommodation, "rooms"), *best = NULL;
    for (size_t i = 0; i < ctn_json_count(rooms); i++) {
        const ctn_json *rates = ctn_json_member_of(ctn_json_at(rooms, i), "rates");
        for (size_t k = 0; k < ctn_json_count(rates); k++) {
            const ctn_json *rate = ctn_json_at(rates, k);
            travel_cents total;
            if (!is_paid_by_balance(rate) || !travel_cents_parse(duffel_text(rate, "total_amount"), &total))
                continue;
            if (!best || total < *ret_total) {
                best = rate;
                *ret_total = total;
            }
        }
    }
    return best;
}

static const ctn_json *hotel_of(ctn_arena *arena, const ctn_json *accommodation, const ctn_json *rate, int stars,
                                travel_cents total, const travel_trip *trip, const travel_stop *stop)
{
    const ctn_json *amenities = ctn_json_member_of(accommodation, "amenities");
    ctn_str board = duffel_text(rate, "board_type");
    int64_t room_nights = (int64_t) (stop->nights > 0 ? stop->nights : 1) * (trip->rooms > 0 ? trip->rooms : 1);
    ctn_json_builder out = ctn_json_object(arena), features = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(amenities) && i < 4; i++)
        ctn_json_push(&features, ctn_json_string(arena, duffel_text(ctn_json_at(amenities, i), "description")));
    ctn_json_put_str(&out, "hotel_id", duffel_text(rate, "id"));
    ctn_json_put_str(&out, "source", CTN_STR("duffel"));
    ctn_json_put_str(&out, "name", duffel_text(accommodation, "name"));
    ctn_json_put_int(&out, "stars", stars);
    ctn_json_put_str(&out, "board",
                     ctn_str_is(board, "half_board")      ? CTN_STR("half board")
                     : ctn_str_is(board, "full_board")    ? CTN_STR("full board")
                     : ctn_str_is(board, "all_inclusive") ? CTN_STR("all inclusive")
                     : ctn_str_is(board, "breakfast")     ? CTN_STR("breakfast")
                                                          : CTN_STR("room only"));
    ctn_json_put(&out, CTN_STR("features"), ctn_json_finish(&features));
    ctn_json_put_str(&out, "currency", duffel_text(rate, "total_currency"));
    ctn_json_put_str(&out, "expires_at", duffel_text(rate, "expires_at"));
    ctn_json_put_str(&out, "room_night", travel_cents_text(arena, travel_cents_divide(total, room_nights)));
    ctn_json_put_str(&out, "total", travel_cents_text(arena, total));
    return ctn_json_finish(&out);
}

/* Two houses of each class: the first that Duffel names, with their rates. */
static int hotels_of(duffel *d, ctn_arena *arena, const ctn_json *results, const travel_trip *trip,
                     const travel_stop *stop, ctn_json_builder *hotels, travel_cents *ret_best, ctn_str *ret_currency,
                     ctn_err *err)
{
    int taken[6] = {0};
    *ret_best = -1;
    for (size_t i = 0; i < ctn_json_count(results); i++) {
        const ctn_json *result = ctn_json_at(results, i), *full = NULL;
        int64_t rating = ctn_json_int_or(ctn_json_member_of(result, "accommodation"), "rating", 3);
        int stars = rating < 3 ? 3 : rating > 5 ? 5 : (int) rating;
        ctn_str id = duffel_text(result, "id");
        travel_cents total = 0;
        if (taken[stars] >= HOTELS_PER_CLASS)
            continue;
        int rc = duffel_check_id(id, "srr_", "a search result", err);
        if (!rc)
            rc = duffel_ask(
                d, arena, "POST",
                ctn_arena_printf(arena, "/stays/search_results/%.*s/actions/fetch_all_rates", CTN_STR_ARG(id)), NULL,
                &full, NULL, err);
        if (rc)
            return rc == CTN_E_IO ? CTN_E_BUSY : rc;
        const ctn_json *accommodation = ctn_json_member_of(full, "accommodation");
        const ctn_json *rate = cheapest_rate(accommodation, &total);
        if (!rate)
            continue;
        taken[stars]++;
        ctn_json_push(hotels, hotel_of(arena, accommodation, rate, stars, total, trip, stop));
        *ret_currency = duffel_text(rate, "total_currency");
        if (*ret_best < 0 || total < *ret_best)
            *ret_best = total;
    }
    return CTN_OK;
}

int duffel_search_hotels(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                         const ctn_json **ret_result, ctn_err *err)
{
    (void) today;
    ctn_json_builder out = ctn_json_object(arena), stays = ctn_json_array(arena), cheapest = ctn_json_object(arena);
    ctn_str currency = ctn_str_from(trip->currency);
    travel_cents all = 0;
    for (size_t i = 0; i < trip->stop_count; i++) {
        const travel_stop *stop = &trip->stops[i];
        const ctn_json *answer = NULL;
        ctn_json_builder stay = ctn_json_object(arena), hotels = ctn_json_array(arena);
        travel_cents best = 0;
        char day[11];
        int rc = stop->nights > 0 ? duffel_ask(self, arena, "POST", CTN_STR("/stays/search"),
                                               stays_search_of(arena, trip, stop), &answer, NULL, err)
                                  : CTN_OK;
        if (!rc)
            rc = hotels_of(self, arena, ctn_json_member_of(answer, "results"), trip, stop, &hotels, &best, &currency,
                           err);
        if (rc)
            return rc == CTN_E_IO ? CTN_E_BUSY : rc;
        all += best > 0 ? best : 0;
        travel_day_format(stop->arrive, day);
        ctn_json_put_str(&stay, "place", stop->name);
        ctn_json_put_str(&stay, "check_in", ctn_arena_str(arena, ctn_str_from(day)));
        ctn_json_put_int(&stay, "nights", stop->nights);
        ctn_json_put_int(&stay, "rooms", trip->rooms);
        ctn_json_put(&stay, CTN_STR("hotels"), ctn_json_finish(&hotels));
        ctn_json_push(&stays, ctn_json_finish(&stay));
    }
    ctn_json_put_str(&cheapest, "total", travel_cents_text(arena, all));
    ctn_json_put_str(&out, "source", CTN_STR("duffel"));
    ctn_json_put_str(&out, "currency", currency);
    ctn_json_put(&out, CTN_STR("stays"), ctn_json_finish(&stays));
    ctn_json_put(&out, CTN_STR("cheapest"), ctn_json_finish(&cheapest));
    ctn_json_put_str(&out, "note", trip->stop_count == 0 ? CTN_STR("No destination to search for.") : CTN_STR(""));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- what was chosen, as it is offered now ---- */

int duffel_quote(duffel *d, ctn_arena *arena, ctn_str rate_id, const ctn_json **ret_quote, ctn_err *err)
{
    ctn_json_builder data = ctn_json_object(arena);
    int rc = duffel_check_id(rate_id, "rat_", "hotel_id", err);
    ctn_json_put_str(&data, "rate_id", rate_id);
    if (!rc)
        rc = duffel_ask(d, arena, "POST", CTN_STR("/stays/quotes"), ctn_json_finish(&data), ret_quote, NULL, err);
    return rc == CTN_E_IO ? CTN_E_BUSY : rc; /* a quote that nobody books is nothing */
}

static const ctn_json *offer_now(ctn_arena *arena, const char *id_member, ctn_str id, const ctn_json *from,
                                 ctn_str expires_at)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, id_member, id);
    ctn_json_put_str(&out, "total", duffel_text(from, "total_amount"));
    ctn_json_put_str(&out, "currency", duffel_text(from, "total_currency"));
    if (expires_at.len > 0)
        ctn_json_put_str(&out, "expires_at", expires_at);
    return ctn_json_finish(&out);
}

int duffel_offers_now(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today, const ctn_json *tier,
                      const ctn_json **ret_flight, const ctn_json **ret_hotels, ctn_err *err)
{
    (void) trip;
    (void) today;
    const ctn_json *stays = ctn_json_member_of(tier, "stays"), *answer = NULL, *flight = NULL;
    ctn_str offer_id = duffel_text(tier, "offer_id");
    ctn_json_builder list = ctn_json_array(arena);
    int rc = CTN_OK;
    if (offer_id.len > 0) {
        rc = duffel_check_id(offer_id, "off_", "tier.offer_id", err);
        if (!rc)
            rc = duffel_ask(self, arena, "GET", ctn_arena_printf(arena, "/air/offers/%.*s", CTN_STR_ARG(offer_id)),
                            NULL, &answer, NULL, err);
        if (!rc)
            flight = offer_now(arena, "offer_id", offer_id, answer, duffel_text(answer, "expires_at"));
    }
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(stays); i++) {
        ctn_str id = duffel_text(ctn_json_at(stays, i), "hotel_id");
        const ctn_json *quote = NULL;
        rc = duffel_quote(self, arena, id, &quote, err);
        if (!rc)
            ctn_json_push(&list, offer_now(arena, "hotel_id", id, quote, CTN_STR("")));
    }
    if (rc == CTN_E_NOT_FOUND)
        return ctn_wrap(err, CTN_E_STATE, "no longer offered: search and propose again");
    if (!rc) {
        *ret_flight = flight;
        *ret_hotels = ctn_json_finish(&list);
    }
    return rc;
}
