/*
 * tiers.c -- see tiers.h.
 */
#include "proposal/tiers.h"

#include "base/buf.h"
#include "base/clock.h"
#include "proposal/phrases.h"
#include "trip/trip_words.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 8192 };

typedef struct shown {
    ctn_arena *arena;
    const travel_agency *agency;
    const travel_pricing *pricing;
    travel_language language;
    const char *currency;
} shown;

static ctn_str phrase(const shown *s, const char *key)
{
    return travel_phrase_of(s->agency, key, s->language);
}

static ctn_str filled(const shown *s, const char *key, ctn_str value)
{
    return travel_phrase_filled(s->arena, s->agency, key, s->language, value, (ctn_str){NULL, 0});
}

/* "Rom" for Rome; what the data do not know stays as it was written. */
static ctn_str place_shown(const shown *s, ctn_str name)
{
    return travel_place_in_words(name, s->language);
}

static void put_money(const shown *s, ctn_json_builder *out, const char *key, travel_cents cents)
{
    ctn_str shown_key = ctn_arena_printf(s->arena, "%s_shown", key);
    ctn_json_put_str(out, key, travel_cents_text(s->arena, cents));
    ctn_json_put_str(out, shown_key.ptr, travel_money_shown(s->arena, cents, s->currency, s->language));
}

static void put_time(const shown *s, ctn_json_builder *out, const char *key, int64_t at_ms)
{
    ctn_json_put_str(out, key, travel_moment_text(s->arena, at_ms));
}

/* The texts that are not empty, with ", " between them. */
static ctn_str commas(const shown *s, const ctn_str *parts, size_t count)
{
    ctn_buf out;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len > 0)
            ctn_buf_printf(&out, "%s%.*s", out.len ? ", " : "", CTN_STR_ARG(parts[i]));
    ctn_str text = out.overflowed ? CTN_STR("") : ctn_arena_str(s->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

/* ---- the budget ---- */

/* "4.500 € insgesamt" */
static ctn_str budget_shown(const shown *s)
{
    static const char *const keys[] = {
        [TRAVEL_PER_UNSAID] = "budget_unsaid",
        [TRAVEL_PER_TOTAL] = "budget_total",
        [TRAVEL_PER_PERSON] = "budget_person",
        [TRAVEL_PER_NIGHT] = "budget_night",
    };
    const travel_budget *b = &s->pricing->budget;
    return b->is_known
               ? filled(s, keys[b->per], travel_money_short_shown(s->arena, b->amount, s->currency, s->language))
               : CTN_STR("");
}

/* "Ihr Budget: 4.500 € insgesamt." */
static ctn_str budget_line(const shown *s)
{
    ctn_str said = budget_shown(s);
    return said.len ? filled(s, "budget_is", said) : said;
}

static ctn_str budget_note(const shown *s, travel_budget_verdict verdict)
{
    bool by_night = s->pricing->budget.per == TRAVEL_PER_NIGHT;
    if (!s->pricing->budget.is_known)
        return CTN_STR("");
    if (verdict.by == 0)
        return phrase(s, "within_exactly");
    return filled(s, verdict.is_within ? (by_night ? "within_night" : "within") : (by_night ? "over_night" : "over"),
                  travel_money_shown(s->arena, verdict.by, s->currency, s->language));
}

/* ---- flights ---- */

static ctn_str place_with_code(const shown *s, const ctn_json *leg, const char *name_key, const char *code_key)
{
    ctn_str name = place_shown(s, ctn_json_str_or(leg, name_key, (ctn_str){NULL, 0}));
    ctn_str code = ctn_json_str_or(leg, code_key, (ctn_str){NULL, 0});
    if (name.len == 0 || ctn_str_is(ctn_json_str_or(leg, "mode", CTN_STR("flight")), "transfer"))
        return name.len ? name : code;
    return ctn_arena_printf(s->arena, "%.*s (%.*s)", CTN_STR_ARG(name), CTN_STR_ARG(code));
}

/* "SBX 450 at 10:35, direct, about 2 h 05 min" */
static ctn_str leg_details(const shown *s, const ctn_json *leg)
{
    int64_t minutes = ctn_json_int_or(leg, "minutes", 0), changes = ctn_json_int_or(leg, "changes", 0);
    ctn_str number = ctn_json_str_or(leg, "number", CTN_STR("")),
            departs = ctn_json_str_or(leg, "departs", CTN_STR(""));
    ctn_str via = place_shown(s, ctn_json_str_or(leg, "via", CTN_STR("")));
    ctn_str about = minutes > 0 && minutes < 10000 ? filled(s, "about", travel_duration_shown(s->arena, (int) minutes))
                                                   : CTN_STR("");
    if (ctn_str_is(ctn_json_str_or(leg, "mode", CTN_STR("flight")), "transfer")) {
        ctn_str parts[] = {phrase(s, "by_land"), about};
        return commas(s, parts, 2);
    }
    ctn_str at = departs.len ? filled(s, "leaves_at", departs) : CTN_STR("");
    ctn_str flight = number.len && at.len
                         ? ctn_arena_printf(s->arena, "%.*s %.*s", CTN_STR_ARG(number), CTN_STR_ARG(at))
                         : commas(s, (ctn_str[]){number, at}, 2);
    ctn_str how = phrase(s, "direct");
    if (changes > 0 && changes < 10) {
        how = travel_count_shown(s->arena, changes, TRAVEL_CHANGE, s->language);
        if (via.len)
            how = ctn_arena_printf(s->arena, "%.*s (%.*s)", CTN_STR_ARG(how), CTN_STR_ARG(via));
    }
    ctn_str parts[] = {flight, how, about};
    return commas(s, parts, 3);
}

static void put_flight(const shown *s, const travel_priced_tier *tier, ctn_json_builder *out)
{
    ctn_json_builder legs = ctn_json_array(s->arena), journeys = ctn_json_array(s->arena);
    const ctn_json *offer = tier->flight, *from = ctn_json_member_of(offer, "legs");
    ctn_str colon = ctn_arena_printf(s->arena, "%.*s ", CTN_STR_ARG(phrase(s, "colon")));
    for (size_t i = 0; i < ctn_json_count(from); i++) {
        const ctn_json *leg = ctn_json_at(from, i);
        ctn_json_builder journey = ctn_json_object(s->arena);
        travel_day day = 0;
        bool has_day = travel_day_parse(ctn_json_str_or(leg, "date", CTN_STR("")), &day);
        ctn_str route[2] = {place_with_code(s, leg, "from_name", "from"), place_with_code(s, leg, "to_name", "to")};
        ctn_str details = leg_details(s, leg);
        ctn_str way = ctn_arena_printf(s->arena, "%.*s – %.*s", CTN_STR_ARG(route[0]), CTN_STR_ARG(route[1]));
        ctn_str date = has_day ? travel_date_long_shown(s->arena, day, s->language) : CTN_STR("");
        ctn_json_put_str(&journey, "date", has_day ? travel_date_short_shown(s->arena, day, s->language) : CTN_STR(""));
        ctn_json_put_str(&journey, "route", way);
        ctn_json_put_str(&journey, "details", details);
        ctn_json_push(&journeys, ctn_json_finish(&journey));
        ctn_json_push(&legs,
                      ctn_json_string(s->arena, ctn_arena_printf(s->arena, "%.*s%.*s%.*s, %.*s", CTN_STR_ARG(date),
                                                                 CTN_STR_ARG(has_day ? colon : (ctn_str){0}),
                                                                 CTN_STR_ARG(way), CTN_STR_ARG(details))));
    }
    ctn_str terms[3] = {CTN_STR("")};
    static const char *const said[] = {"fare", "cabin", "bags", "changes"};
    ctn_str told[4];
    for (size_t i = 0; i < 4; i++)
        told[i] = travel_term_shown(ctn_json_str_or(offer, said[i], CTN_STR("")), s->language);
    terms[0] = told[0].len && told[1].len
                   ? travel_phrase_filled(s->arena, s->agency, "fare_in", s->language, told[0], told[1])
               : told[0].len ? told[0]
                             : told[1];
    terms[1] = told[2];
    terms[2] = told[3];
    ctn_json_put_bool(out, "has_flights", offer != NULL);
    ctn_json_put_str(out, "offer_id", offer ? ctn_json_str_or(offer, "offer_id", CTN_STR("")) : CTN_STR(""));
    ctn_json_put_str(out, "fare_text", offer ? commas(s, terms, 3) : CTN_STR(""));
    ctn_json_put(out, CTN_STR("legs"), ctn_json_finish(&legs));
    ctn_json_put(out, CTN_STR("journeys"), ctn_json_finish(&journeys));
}

/* ---- hotels ---- */

static void put_stays(const shown *s, const travel_priced_tier *tier, ctn_json_builder *out, travel_cents *ret_total)
{
    ctn_json_builder list = ctn_json_array(s->arena);
    *ret_total = 0;
    for (size_t i = 0; i < tier->stay_count; i++) {
        const travel_stay *stay = &tier->stays[i];
        ctn_json_builder item = ctn_json_object(s->arena);
        ctn_str place = place_shown(s, ctn_json_str_or(stay->stay, "place", CTN_STR("")));
        ctn_str name = ctn_json_str_or(stay->hotel, "name", place), parts[16];
        int64_t nights = ctn_json_int_or(stay->stay, "nights", 0), rooms = ctn_json_int_or(stay->stay, "rooms", 1);
        int64_t stars = ctn_json_int_or(stay->hotel, "stars", 0);
        travel_day arrive = 0;
        bool has_day = travel_day_parse(ctn_json_str_or(stay->stay, "check_in", CTN_STR("")), &arrive) && nights > 0 &&
                       nights <= TRAVEL_NIGHTS_MAX;
        size_t count = 0;
        parts[count++] = stars > 0 ? travel_count_shown(s->arena, stars, TRAVEL_STAR, s->language) : CTN_STR("");
        parts[count++] = travel_term_shown(ctn_json_str_or(stay->hotel, "board", CTN_STR("")), s->language);
        parts[count++] = travel_count_shown(s->arena, rooms, TRAVEL_ROOM, s->language);
        const ctn_json *features = ctn_json_member_of(stay->hotel, "features");
        for (size_t f = 0; f < ctn_json_count(features) && count < sizeof parts / sizeof *parts; f++)
            parts[count++] = travel_term_shown(ctn_json_text(ctn_json_at(features, f)), s->language);
        ctn_str details = commas(s, parts, count),
                shown_nights = travel_count_shown(s->arena, nights, TRAVEL_NIGHT, s->language);
        ctn_json_put_str(&item, "place", place);
        ctn_json_put_str(&item, "hotel_id", ctn_json_str_or(stay->hotel, "hotel_id", CTN_STR("")));
        put_money(s, &item, "total", stay->total);
        ctn_json_put_str(&item, "hotel", name);
        ctn_json_put_str(&item, "nights", shown_nights);
        ctn_json_put_str(&item, "dates",
                         has_day ? travel_dates_shown(s->arena, arrive, arrive + (travel_day) nights, s->language)
                                 : CTN_STR(""));
        ctn_json_put_str(&item, "details", details);
        ctn_json_put_str(&item, "text",
                         ctn_arena_printf(s->arena, "%.*s%.*s %.*s, %.*s, %.*s", CTN_STR_ARG(place),
                                          CTN_STR_ARG(phrase(s, "colon")), CTN_STR_ARG(shown_nights), CTN_STR_ARG(name),
                                          CTN_STR_ARG(details)));
        ctn_json_push(&list, ctn_json_finish(&item));
        *ret_total += stay->total;
    }
    ctn_json_put(out, CTN_STR("stays"), ctn_json_finish(&list));
}

/* ---- a tier ---- */

static ctn_str line_label(const shown *s, const travel_line *line)
{
    switch (line->kind) {
    case TRAVEL_LINE_FLIGHT: return phrase(s, "line_flights");
    case TRAVEL_LINE_HOTEL: return filled(s, "line_hotel", place_shown(s, line->name));
    case TRAVEL_LINE_SERVICE: return phrase(s, "line_service");
    case TRAVEL_LINE_FEE:
    case TRAVEL_LINE_TAX: break;
    }
    return line->name;
}

static const ctn_json *lines_of(const shown *s, const travel_priced_tier *tier)
{
    static const char *const kinds[] = {
        [TRAVEL_LINE_FLIGHT] = "flight", [TRAVEL_LINE_HOTEL] = "hotel", [TRAVEL_LINE_SERVICE] = "service",
        [TRAVEL_LINE_FEE] = "fee",       [TRAVEL_LINE_TAX] = "tax",
    };
    ctn_json_builder lines = ctn_json_array(s->arena);
    for (size_t i = 0; i < tier->line_count; i++) {
        const travel_line *line = &tier->lines[i];
        ctn_json_builder out = ctn_json_object(s->arena);
        ctn_json_put_str(&out, "kind", ctn_str_from(kinds[line->kind]));
        ctn_json_put_str(&out, "label", line_label(s, line));
        ctn_json_put_str(&out, "net", travel_cents_text(s->arena, line->net));
        ctn_json_put_str(&out, "markup", travel_cents_text(s->arena, line->markup));
        put_money(s, &out, "total", line->total);
        ctn_json_push(&lines, ctn_json_finish(&out));
    }
    return ctn_json_finish(&lines);
}

static void append_member(ctn_buf *out, const ctn_json *from, const char *key)
{
    const ctn_json *value = ctn_json_member_of(from, key);
    if (ctn_json_text(value).len > 0)
        ctn_buf_append(out, ctn_json_text(value));
    ctn_buf_append_char(out, '|');
}

static ctn_str taken(ctn_arena *arena, ctn_buf *out)
{
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(out));
    ctn_buf_done(out);
    return text;
}

ctn_str travel_flight_same_as(ctn_arena *arena, const ctn_json *offer)
{
    static const char *const of_leg[] = {"date", "from", "to", "number", "departs"};
    const ctn_json *legs = ctn_json_member_of(offer, "legs");
    ctn_buf out;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    ctn_buf_append_literal(&out, "flight|");
    append_member(&out, offer, "fare");
    append_member(&out, offer, "cabin");
    for (size_t i = 0; i < ctn_json_count(legs); i++)
        for (size_t k = 0; k < sizeof of_leg / sizeof *of_leg; k++)
            append_member(&out, ctn_json_at(legs, i), of_leg[k]);
    return taken(arena, &out);
}

ctn_str travel_hotel_same_as(ctn_arena *arena, const ctn_json *stay, const ctn_json *hotel)
{
    ctn_buf out;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    ctn_buf_append_literal(&out, "hotel|");
    append_member(&out, stay, "place");
    append_member(&out, stay, "check_in");
    append_member(&out, hotel, "name");
    append_member(&out, hotel, "board");
    return taken(arena, &out);
}

/* The search's own offers, with what a booking of them must know beside. */
static const ctn_json *offers_of(const shown *s, const travel_priced_tier *tier)
{
    ctn_json_builder offers = ctn_json_array(s->arena);
    for (size_t i = 0; i < tier->stay_count + 1; i++) {
        const ctn_json *chosen = i == 0 ? tier->flight : tier->stays[i - 1].hotel;
        static const char *const copied[] = {"offer_id", "hotel_id", "source", "total", "expires_at", "name"};
        if (!chosen)
            continue;
        ctn_json_builder out = ctn_json_object(s->arena);
        ctn_json_put_str(&out, "kind", i == 0 ? CTN_STR("flight") : CTN_STR("hotel"));
        for (size_t k = 0; k < sizeof copied / sizeof *copied; k++) {
            const ctn_json *value = ctn_json_member_of(chosen, copied[k]);
            if (value && !ctn_json_is(value, CTN_JSON_NULL))
                ctn_json_put(&out, ctn_str_from(copied[k]), value);
        }
        ctn_json_put_str(&out, "currency", ctn_str_from(s->currency));
        ctn_json_put_str(&out, "same_as",
                         i == 0 ? travel_flight_same_as(s->arena, chosen)
                                : travel_hotel_same_as(s->arena, tier->stays[i - 1].stay, chosen));
        for (size_t k = 0; i > 0 && k < 3; k++) {
            static const char *const of_stay[] = {"place", "check_in", "nights"};
            const ctn_json *value = ctn_json_member_of(tier->stays[i - 1].stay, of_stay[k]);
            if (value && !ctn_json_is(value, CTN_JSON_NULL))
                ctn_json_put(&out, ctn_str_from(of_stay[k]), value);
        }
        ctn_json_push(&offers, ctn_json_finish(&out));
    }
    return ctn_json_finish(&offers);
}

static const ctn_json *tier_shown(const shown *s, const travel_priced_tier *tier)
{
    static const char *const names[] = {"good_name", "better_name", "best_name"}, *const texts[] = {"good_text",
                                                                                                    "better_text",
                                                                                                    "best_text"};
    ctn_json_builder out = ctn_json_object(s->arena);
    travel_cents hotels;
    travel_budget_verdict verdict = travel_budget_compare(s->pricing, tier);
    ctn_json_put_str(&out, "tier", ctn_str_from(travel_tier_key(tier->tier)));
    ctn_json_put_str(&out, "name", phrase(s, names[tier->tier]));
    ctn_json_put_str(&out, "description", phrase(s, texts[tier->tier]));
    put_flight(s, tier, &out);
    put_stays(s, tier, &out, &hotels);
    ctn_json_put_str(&out, "currency", ctn_str_from(s->currency));
    ctn_json_put(&out, CTN_STR("lines"), lines_of(s, tier));
    put_money(s, &out, "flights_total", tier->flight_total);
    put_money(s, &out, "hotels_total", hotels);
    put_money(s, &out, "net", tier->net);
    put_money(s, &out, "markup", tier->markup);
    put_money(s, &out, "fees", tier->fees);
    put_money(s, &out, "taxes", tier->taxes);
    put_money(s, &out, "total", tier->total);
    put_money(s, &out, "per_person", tier->per_person);
    put_money(s, &out, "deposit", tier->deposit);
    put_money(s, &out, "balance", tier->balance);
    ctn_json_put_bool(&out, "has_balance", tier->balance > 0);
    ctn_json_put_bool(&out, "is_within_budget", s->pricing->budget.is_known && verdict.is_within);
    ctn_json_put_str(&out, "budget_note", budget_note(s, verdict));
    put_time(s, &out, "expires_at", tier->expires_at_ms);
    ctn_json_put(&out, CTN_STR("offers"), offers_of(s, tier));
    return ctn_json_finish(&out);
}

/* ---- the trip ---- */

/* "London – Rome – Florence – London" */
static ctn_str route_of(const shown *s, const ctn_str *places)
{
    const travel_trip *trip = &s->pricing->trip;
    ctn_str origin = place_shown(s, trip->origin);
    ctn_buf out;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    ctn_buf_append(&out, origin);
    for (size_t i = 0; i < trip->stop_count; i++)
        ctn_buf_printf(&out, "%s%.*s", out.len ? " – " : "", CTN_STR_ARG(places[i]));
    if (origin.len && trip->stop_count)
        ctn_buf_printf(&out, " – %.*s", CTN_STR_ARG(origin));
    ctn_str text = out.overflowed ? CTN_STR("") : ctn_arena_str(s->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static const ctn_json *trip_shown(const shown *s)
{
    const travel_trip *trip = &s->pricing->trip;
    ctn_json_builder out = ctn_json_object(s->arena);
    ctn_str places[TRAVEL_STOPS_MAX];
    for (size_t i = 0; i < trip->stop_count; i++)
        places[i] = place_shown(s, trip->stops[i].name);
    ctn_str where = travel_list_shown(s->arena, places, trip->stop_count, s->language);
    ctn_str nights = travel_count_shown(s->arena, trip->nights, TRAVEL_NIGHT, s->language);
    ctn_str dates = travel_dates_shown(s->arena, trip->start, trip->end, s->language);
    ctn_json_put_str(&out, "places", where);
    ctn_json_put_str(&out, "route", route_of(s, places));
    ctn_json_put_str(&out, "dates",
                     trip->stop_count
                         ? ctn_arena_printf(s->arena, "%.*s (%.*s)", CTN_STR_ARG(dates), CTN_STR_ARG(nights))
                         : CTN_STR(""));
    ctn_json_put_str(&out, "travellers",
                     trip->stop_count ? travel_travellers_shown(s->arena, trip->adults, trip->children, s->language)
                                      : CTN_STR(""));
    ctn_json_put_str(&out, "wishes", travel_trip_wishes(s->arena, trip->interests, s->language));
    ctn_json_put_str(&out, "title", where.len ? filled(s, "title_to", where) : phrase(s, "title"));
    return ctn_json_finish(&out);
}

static ctn_str travellers_text(const shown *s)
{
    int people = travel_trip_people(&s->pricing->trip);
    return people == 1   ? phrase(s, "for_one")
           : people == 2 ? phrase(s, "for_both")
                         : filled(s, "for_all", travel_number_shown(s->arena, people, s->language));
}

/* "12 June 2026", and with its hour where that is not the end of the day. */
static ctn_str deadline_shown(const shown *s, int64_t at_ms)
{
    ctn_str day = travel_date_shown(s->arena, (travel_day) (at_ms / TRAVEL_DAY_MS), s->language);
    int minute = (int) (at_ms % TRAVEL_DAY_MS / 60000);
    if (minute == 24 * 60 - 1)
        return day;
    return ctn_arena_printf(s->arena, "%.*s, %02d:%02d UTC", CTN_STR_ARG(day), minute / 60, minute % 60);
}

/* Who sends it, as the foot of a letter has it. */
static const ctn_json *agency_shown(ctn_arena *arena, const travel_agency *agency)
{
    static const char *const said[] = {"name", "signature", "email", "phone", "url"};
    ctn_json_builder out = ctn_json_object(arena);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        ctn_json_put_str(&out, said[i], travel_agency_text(agency, said[i]));
    return ctn_json_finish(&out);
}

const ctn_json *travel_tiers_shown(ctn_arena *arena, const travel_agency *agency, const travel_price_request *request,
                                   const travel_pricing *pricing)
{
    const shown s = {.arena = arena,
                     .agency = agency,
                     .pricing = pricing,
                     .language = request->language,
                     .currency = pricing->trip.currency};
    ctn_json_builder out = ctn_json_object(arena), tiers = ctn_json_array(arena);
    char until[11];
    for (size_t i = 0; i < pricing->tier_count; i++)
        ctn_json_push(&tiers, tier_shown(&s, &pricing->tiers[i]));
    travel_day_format((travel_day) (pricing->expires_at_ms / TRAVEL_DAY_MS), until);
    ctn_str shown_until = deadline_shown(&s, pricing->expires_at_ms), source = CTN_STR("sandbox");
    source = ctn_json_str_or(request->hotels, "source", ctn_json_str_or(request->flights, "source", source));
    ctn_json_put_str(&out, "source", source);
    ctn_json_put_bool(&out, "is_sandbox", ctn_str_is(source, "sandbox"));
    ctn_json_put_str(&out, "currency", ctn_str_from(s.currency));
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(s.language)));
    ctn_json_put(&out, CTN_STR("trip"), trip_shown(&s));
    ctn_json_put_int(&out, "travellers", travel_trip_people(&pricing->trip));
    ctn_json_put_str(&out, "travellers_text", travellers_text(&s));
    put_time(&s, &out, "expires_at", pricing->expires_at_ms);
    ctn_json_put_str(&out, "valid_until", ctn_arena_str(arena, ctn_str_from(until)));
    ctn_json_put_str(&out, "valid_until_shown", shown_until);
    ctn_json_put_str(&out, "valid_line",
                     travel_phrase_filled(arena, agency, "valid", s.language, shown_until, ctn_str_from(s.currency)));
    ctn_json_put_str(&out, "budget_shown", budget_shown(&s));
    ctn_json_put_str(&out, "budget_line", budget_line(&s));
    ctn_json_put_str(&out, "note",
                     pricing->tier_count && !pricing->has_flights ? phrase(&s, "no_flights") : CTN_STR(""));
    ctn_json_put_bool(&out, "has_tiers", pricing->tier_count > 0);
    ctn_json_put(&out, CTN_STR("tiers"), ctn_json_finish(&tiers));
    ctn_json_put(&out, CTN_STR("agency"), agency_shown(arena, agency));
    ctn_json_put(&out, CTN_STR("words"), travel_phrases_json(arena, agency, s.language));
    return ctn_json_finish(&out);
}

/* ---- for the desk ---- */

ctn_str travel_price_sheet(ctn_arena *arena, const travel_agency *agency, const travel_pricing *pricing,
                           travel_language language)
{
    static const travel_phrase LABELS[] = {
        {{"net", "neto", "net", "netto"}},         {{"markup", "margen", "marge", "Aufschlag"}},
        {{"fees", "gastos", "frais", "Gebühren"}}, {{"taxes", "impuestos", "taxes", "Steuern"}},
        {{"total", "total", "total", "gesamt"}},
    };
    const shown s = {
        .arena = arena, .agency = agency, .pricing = pricing, .language = language, .currency = pricing->trip.currency};
    static const char *const names[] = {"good_name", "better_name", "best_name"};
    ctn_buf out;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    for (size_t i = 0; i < pricing->tier_count; i++) {
        const travel_priced_tier *t = &pricing->tiers[i];
        const travel_cents amounts[] = {t->net, t->markup, t->fees, t->taxes, t->total};
        ctn_buf_printf(&out, "%s%.*s:", i ? "\n" : "", CTN_STR_ARG(phrase(&s, names[t->tier])));
        for (size_t k = 0; k < sizeof amounts / sizeof *amounts; k++)
            ctn_buf_printf(&out, "%s %.*s %.*s", k ? "," : "", CTN_STR_ARG(travel_say(&LABELS[k], language)),
                           CTN_STR_ARG(travel_money_shown(arena, amounts[k], s.currency, language)));
        if (t->total > 0)
            ctn_buf_printf(&out, " (%.*s)",
                           CTN_STR_ARG(travel_percent_shown(
                               arena, travel_cents_divide((t->markup + t->fees) * 10000, t->total), language)));
    }
    ctn_str text = out.overflowed ? CTN_STR("") : ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}
