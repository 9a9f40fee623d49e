/*
 * trip.c -- see trip.h. Dates, places, people and money, each in turn; what is missing is assumed and told.
 */
#include "trip/trip.h"

#include "kit/money.h"
#include "trip/trip_words.h"

#include <assert.h>

enum { NIGHTS_ASSUMED = 7, ADULTS_ASSUMED = 2, DAYS_AHEAD_ASSUMED = 56, NAME_BYTES_TOLD = 80 };

/* list NULL: what is assumed interests nobody. */
typedef struct telling {
    ctn_arena *arena;
    ctn_json_builder *list;
    travel_language language;
} telling;

static void tell(const telling *t, ctn_str sentence)
{
    if (t->list)
        ctn_json_push(t->list, ctn_json_string(t->arena, sentence));
}

static int read_text(const ctn_json *from, const char *key, ctn_str *ret_text, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    if (!v || ctn_json_is(v, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_is(v, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "%s must be text, not %s", key, ctn_json_kind_name(v));
    *ret_text = ctn_json_text(v);
    return CTN_OK;
}

/* Leaves *ret_value alone when the member is absent or null. */
static int read_count(const ctn_json *from, const char *key, int max, int *ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    int64_t number;
    if (!v || ctn_json_is(v, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_to_int64(v, &number) || number < 0 || number > max)
        return ctn_fail(err, CTN_E_INVALID, "%s must be a whole number from 0 to %d", key, max);
    *ret_value = (int) number;
    return CTN_OK;
}

static int read_date(const ctn_json *from, const char *key, travel_day *ret_day, ctn_err *err)
{
    ctn_str text = {NULL, 0};
    int rc = read_text(from, key, &text, err);
    if (rc || text.len == 0)
        return rc;
    if (!travel_day_parse(text, ret_day))
        return ctn_fail(err, CTN_E_INVALID, "%s must be a date such as 2026-10-24", key);
    return CTN_OK;
}

/* ---- dates ---- */

bool travel_month_parse(ctn_str text, travel_civil *ret_month)
{
    int64_t year, month;
    if (text.len != 7 || text.ptr[4] != '-' || !ctn_str_to_int64((ctn_str){text.ptr, 4}, &year) ||
        !ctn_str_to_int64((ctn_str){text.ptr + 5, 2}, &month) || year < 1900 || year >= 2200 || month < 1 || month > 12)
        return false;
    *ret_month = (travel_civil){.year = (int) year, .month = (int) month, .day = 1};
    return true;
}

static travel_day first_saturday_after_the_tenth(int year, int month)
{
    travel_day day;
    bool is_day = travel_day_from(year, month, 10, &day);
    assert(is_day);
    while (travel_day_weekday(day) != 5)
        day++;
    return day;
}

/* A month that has passed its middle is looked at from today. */
static travel_day assumed_start(const telling *t, ctn_str month, travel_day today)
{
    travel_civil said;
    if (travel_month_parse(month, &said)) {
        travel_day day = first_saturday_after_the_tenth(said.year, said.month);
        for (; day <= today && travel_day_civil(day + 7).month == said.month; day += 7)
            ;
        tell(t, travel_assumed_month(t->arena, said, day, t->language));
        return day;
    }
    travel_day day = today + DAYS_AHEAD_ASSUMED;
    while (travel_day_weekday(day) != 5)
        day++;
    tell(t, travel_assumed_start(t->arena, day, t->language));
    return day;
}

/* A day that has passed is a slip, or the lead lay too long: the same day of the next year that has it. */
static travel_day not_passed(const telling *t, travel_day start, travel_day today)
{
    travel_civil said = travel_day_civil(start);
    travel_day day = start;
    for (int year = travel_day_civil(today).year; day < today; year++)
        if (!travel_day_from(year, said.month, said.day, &day))
            day = start; /* 29 February */
    tell(t, travel_assumed_later(t->arena, start, day, t->language));
    return day;
}

static int plan_dates(const telling *t, const ctn_json *requirements, travel_day today, travel_trip *trip, ctn_err *err)
{
    travel_day start = TRAVEL_NO_DAY, end = TRAVEL_NO_DAY;
    int nights = -1;
    ctn_str month = {NULL, 0};
    int rc = read_date(requirements, "start_date", &start, err);
    if (!rc)
        rc = read_date(requirements, "end_date", &end, err);
    if (!rc)
        rc = read_count(requirements, "nights", 100000, &nights, err);
    if (!rc)
        rc = read_text(requirements, "month", &month, err);
    if (rc)
        return rc;
    if (nights > TRAVEL_NIGHTS_MAX) {
        nights = TRAVEL_NIGHTS_MAX;
        tell(t, travel_assumed_first_nights(t->arena, nights, t->language));
    }
    if (nights < 0 && start != TRAVEL_NO_DAY && end != TRAVEL_NO_DAY && end > start && end - start <= TRAVEL_NIGHTS_MAX)
        nights = end - start;
    if (nights < 0) {
        nights = NIGHTS_ASSUMED;
        tell(t, travel_assumed_nights(t->arena, nights, t->language));
    }
    if (start == TRAVEL_NO_DAY)
        start = end != TRAVEL_NO_DAY ? end - nights : assumed_start(t, month, today);
    if (t->list && start < today) /* else the trip is planned already, and stays what it is */
        start = not_passed(t, start, today);
    trip->start = start;
    trip->nights = nights;
    trip->end = start + nights;
    return CTN_OK;
}

/* ---- places ---- */

static bool add_stop(travel_trip *trip, ctn_str name)
{
    const travel_airport *airport = travel_airport_for(name);
    if (!airport || trip->stop_count == TRAVEL_STOPS_MAX)
        return false;
    trip->stops[trip->stop_count++] = (travel_stop){.name = name, .airport = airport};
    return true;
}

static ctn_str cut(ctn_str name)
{
    return (ctn_str){name.ptr, name.len > NAME_BYTES_TOLD ? NAME_BYTES_TOLD : name.len};
}

static int plan_destinations(const telling *t, const ctn_json *requirements, travel_trip *trip, ctn_err *err)
{
    const ctn_json *destinations = ctn_json_member_of(requirements, "destinations");
    if (destinations && !ctn_json_is(destinations, CTN_JSON_NULL) && !ctn_json_is(destinations, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "destinations must be a list of names, not %s",
                        ctn_json_kind_name(destinations));
    bool is_either = ctn_json_bool_or(requirements, "alternatives", false);
    for (size_t i = 0; i < ctn_json_count(destinations); i++) {
        const ctn_json *item = ctn_json_at(destinations, i);
        if (!ctn_json_is(item, CTN_JSON_STRING))
            return ctn_fail(err, CTN_E_INVALID, "destinations[%zu] must be a name, not %s", i,
                            ctn_json_kind_name(item));
        ctn_str name = ctn_json_text(item);
        if (is_either && trip->stop_count == 1)
            tell(t, travel_assumed_choice(t->arena, cut(name), trip->stops[0].name, t->language));
        else if (!add_stop(trip, name))
            tell(t, travel_assumed_without(t->arena, cut(name), t->language));
    }
    return CTN_OK;
}

/* What is assumed of the journey matters only where something is priced. */
static int plan_origin(const telling *t, const ctn_json *requirements, travel_trip *trip, ctn_err *err)
{
    int rc = read_text(requirements, "origin", &trip->origin, err);
    if (rc)
        return rc;
    trip->origin = ctn_str_trim(trip->origin);
    trip->origin_airport = travel_airport_for(trip->origin);
    if (trip->origin.len == 0)
        tell(t, travel_assumed_no_origin(t->language));
    else if (!trip->origin_airport)
        tell(t, travel_assumed_no_airport(t->arena, cut(trip->origin), t->language));
    return CTN_OK;
}

/* The nights are shared out evenly, the first stops get the odd ones. */
static void share_nights(travel_trip *trip)
{
    if ((size_t) trip->nights < trip->stop_count)
        trip->stop_count = trip->nights > 0 ? (size_t) trip->nights : (trip->stop_count > 0);
    travel_day day = trip->start;
    for (size_t i = 0; i < trip->stop_count; i++) {
        int stops = (int) trip->stop_count;
        trip->stops[i].nights = trip->nights / stops + ((int) i < trip->nights % stops);
        trip->stops[i].arrive = day;
        day += trip->stops[i].nights;
    }
}

/* ---- people and money ---- */

static int plan_people(const telling *t, const ctn_json *requirements, travel_trip *trip, ctn_err *err)
{
    int adults = -1, children = 0;
    int rc = read_count(requirements, "adults", 100000, &adults, err);
    if (!rc)
        rc = read_count(requirements, "children", 100000, &children, err);
    if (rc)
        return rc;
    if (adults < 0) {
        adults = ADULTS_ASSUMED;
        tell(t, travel_assumed_adults(t->arena, adults, t->language));
    }
    if (adults + children > TRAVEL_PEOPLE_MAX) {
        tell(t, travel_assumed_first_people(t->arena, TRAVEL_PEOPLE_MAX, t->language));
        adults = adults > TRAVEL_PEOPLE_MAX ? TRAVEL_PEOPLE_MAX : adults;
        children = adults + children > TRAVEL_PEOPLE_MAX ? TRAVEL_PEOPLE_MAX - adults : children;
    }
    if (adults + children == 0)
        adults = 1;
    trip->adults = adults;
    trip->children = children;
    int rooms_by_adults = (adults + 1) / 2, rooms_by_all = (adults + children + 3) / 4;
    trip->rooms = rooms_by_adults > rooms_by_all ? rooms_by_adults : rooms_by_all;
    return CTN_OK;
}

static int plan_currency(const telling *t, const ctn_json *requirements, const ctn_json *budget, travel_trip *trip,
                         ctn_err *err)
{
    ctn_str code = {NULL, 0};
    int rc = read_text(budget, "currency", &code, err);
    if (!rc && code.len == 0)
        rc = read_text(requirements, "currency", &code, err);
    if (rc)
        return rc;
    trip->currency = travel_currency_known(code);
    if (!trip->currency) {
        if (code.len > 0)
            tell(t, travel_assumed_pounds(t->arena, (ctn_str){code.ptr, code.len > 8 ? 8 : code.len}, t->language));
        trip->currency = "GBP";
    }
    return CTN_OK;
}

int travel_trip_plan(ctn_arena *arena, const ctn_json *requirements, const ctn_json *budget, travel_day today,
                     travel_trip *ret_trip, travel_assumptions *assumptions, ctn_err *err)
{
    travel_trip trip = {0};
    telling t = {.arena = arena, .list = assumptions ? &assumptions->list : NULL};
    if (assumptions)
        t.language = assumptions->language;
    int rc = plan_destinations(&t, requirements, &trip, err);
    if (trip.stop_count == 0)
        t.list = NULL; /* nothing is priced: the rest of what is assumed matters to nobody */
    if (!rc)
        rc = plan_origin(&t, requirements, &trip, err);
    if (!rc)
        rc = plan_dates(&t, requirements, today, &trip, err);
    if (!rc)
        rc = plan_people(&t, requirements, &trip, err);
    if (!rc)
        rc = plan_currency(&t, requirements, budget, &trip, err);
    if (rc)
        return rc;
    const ctn_json *interests = ctn_json_member_of(requirements, "interests");
    trip.interests = ctn_json_is(interests, CTN_JSON_ARRAY) ? interests : NULL;
    share_nights(&trip);
    if (travel_trip_wants(&trip, "cruise"))
        tell(&t, travel_assumed_no_cruise(t.language));
    *ret_trip = trip;
    return CTN_OK;
}

bool travel_trip_wants(const travel_trip *trip, const char *interest)
{
    for (size_t i = 0; i < ctn_json_count(trip->interests); i++)
        if (ctn_str_is(ctn_json_text(ctn_json_at(trip->interests, i)), interest))
            return true;
    return false;
}
