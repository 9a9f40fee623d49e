/*
 * trip.c -- completing a trip, and saying what is missing.
 *
 * Every later step of the chain reads what comes out of here, and a null there would stop the chain; so the
 * completed object has text, numbers and lists only, and "" where nothing is known and nothing can be assumed.
 */
#include "trip/trip.h"

#include "kit/money.h"

#include <assert.h>
#include <stdio.h>

enum { NIGHTS_ASSUMED = 7, ADULTS_ASSUMED = 2, DAYS_AHEAD_ASSUMED = 56 };

static const char *article_for(int count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void tell(ctn_arena *arena, ctn_json_builder *list, ctn_str sentence)
{
    if (list)
        ctn_json_push(list, ctn_json_string(arena, sentence));
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
        return ctn_fail(err, CTN_E_INVALID, "%s must be a date such as 2026-10-24, not \"%.*s\"", key,
                        (int) (text.len > 40 ? 40 : text.len), text.ptr);
    return CTN_OK;
}

/* ---- dates ---- */

static travel_day first_saturday_after_the_tenth(int year, int month)
{
    travel_day day;
    bool is_day = travel_day_from(year, month, 10, &day);
    assert(is_day);
    while (travel_day_weekday(day) != 5)
        day++;
    return day;
}

static travel_day assumed_start(ctn_arena *arena, ctn_str month, travel_day today, ctn_json_builder *assumptions)
{
    int64_t year, number;
    char shown[40];
    if (month.len == 7 && month.ptr[4] == '-' && ctn_str_to_int64((ctn_str){month.ptr, 4}, &year) &&
        ctn_str_to_int64((ctn_str){month.ptr + 5, 2}, &number) && year >= 1900 && year < 2200 && number >= 1 &&
        number <= 12) {
        travel_day day = first_saturday_after_the_tenth((int) year, (int) number);
        travel_day_format_long(day, shown);
        tell(arena, assumptions,
             ctn_arena_printf(arena, "You mentioned %s %d without a day, so we priced a departure on %s.",
                              travel_month_name((int) number), (int) year, shown));
        return day;
    }
    travel_day day = today + DAYS_AHEAD_ASSUMED;
    while (travel_day_weekday(day) != 5)
        day++;
    travel_day_format_long(day, shown);
    tell(arena, assumptions,
         ctn_arena_printf(arena, "We have no dates from you yet, so we priced a departure on %s.", shown));
    return day;
}

static int plan_dates(ctn_arena *arena, const ctn_json *requirements, travel_day today, travel_trip *trip,
                      ctn_json_builder *assumptions, ctn_err *err)
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
        tell(arena, assumptions, ctn_arena_printf(arena, "We priced the first %d nights.", nights));
    }
    if (nights < 0 && start != TRAVEL_NO_DAY && end != TRAVEL_NO_DAY && end > start && end - start <= TRAVEL_NIGHTS_MAX)
        nights = end - start;
    if (nights < 0) {
        nights = NIGHTS_ASSUMED;
        tell(arena, assumptions,
             ctn_arena_printf(arena, "The length of your stay is still open, so we priced %d nights.", nights));
    }
    if (start == TRAVEL_NO_DAY)
        start = end != TRAVEL_NO_DAY ? end - nights : assumed_start(arena, month, today, assumptions);
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

static int plan_places(ctn_arena *arena, const ctn_json *requirements, travel_trip *trip, ctn_json_builder *assumptions,
                       ctn_err *err)
{
    int rc = read_text(requirements, "origin", &trip->origin, err);
    if (rc)
        return rc;
    trip->origin_airport = travel_airport_for(trip->origin);
    if (trip->origin.len > 0 && !trip->origin_airport)
        tell(arena, assumptions,
             ctn_arena_printf(arena, "We have no departures from %.*s in this quote, so it leaves the journey out.",
                              CTN_STR_ARG(trip->origin)));
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
            tell(arena, assumptions,
                 ctn_arena_printf(arena,
                                  "You also named %.*s; this quote prices %.*s, and we can send the other one too.",
                                  CTN_STR_ARG(name), CTN_STR_ARG(trip->stops[0].name)));
        else if (!add_stop(trip, name))
            tell(arena, assumptions,
                 ctn_arena_printf(arena, "%.*s is not priced here: our sandbox inventory does not have it.",
                                  (int) (name.len > 80 ? 80 : name.len), name.ptr));
    }
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

static int plan_people(ctn_arena *arena, const ctn_json *requirements, travel_trip *trip, ctn_json_builder *assumptions,
                       ctn_err *err)
{
    int adults = -1, children = 0;
    int rc = read_count(requirements, "adults", 100000, &adults, err);
    if (!rc)
        rc = read_count(requirements, "children", 100000, &children, err);
    if (rc)
        return rc;
    if (adults < 0) {
        adults = ADULTS_ASSUMED;
        tell(arena, assumptions,
             ctn_arena_printf(arena, "We do not know yet how many of you travel, so we priced %d adults.", adults));
    }
    if (adults + children > TRAVEL_PEOPLE_MAX) {
        tell(arena, assumptions,
             ctn_arena_printf(arena, "This quote covers the first %d travellers.", TRAVEL_PEOPLE_MAX));
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

static int plan_currency(ctn_arena *arena, const ctn_json *requirements, const ctn_json *budget, travel_trip *trip,
                         ctn_json_builder *assumptions, ctn_err *err)
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
            tell(arena, assumptions,
                 ctn_arena_printf(arena, "We have no rate for %.*s, so prices are in pounds.",
                                  (int) (code.len > 8 ? 8 : code.len), code.ptr));
        trip->currency = "GBP";
    }
    return CTN_OK;
}

int travel_trip_plan(ctn_arena *arena, const ctn_json *requirements, const ctn_json *budget, travel_day today,
                     travel_trip *ret_trip, ctn_json_builder *assumptions, ctn_err *err)
{
    travel_trip trip = {0};
    int rc = plan_places(arena, requirements, &trip, assumptions, err);
    /* what is assumed matters only where something is priced */
    ctn_json_builder *told = trip.stop_count > 0 ? assumptions : NULL;
    if (!rc)
        rc = plan_dates(arena, requirements, today, &trip, told, err);
    if (!rc)
        rc = plan_people(arena, requirements, &trip, told, err);
    if (!rc)
        rc = plan_currency(arena, requirements, budget, &trip, told, err);
    if (rc)
        return rc;
    const ctn_json *interests = ctn_json_member_of(requirements, "interests");
    trip.interests = ctn_json_is(interests, CTN_JSON_ARRAY) ? interests : NULL;
    share_nights(&trip);
    if (assumptions && travel_trip_wants(&trip, "cruise"))
        tell(arena, assumptions,
             CTN_STR(
                 "Our sandbox inventory has no cruises; the prices show flights and hotels at the place you named."));
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

/* ---- what is missing ---- */

static bool is_absent(const ctn_json *from, const char *key)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: return true;
    case CTN_JSON_STRING: return ctn_str_trim(ctn_json_text(v)).len == 0;
    case CTN_JSON_ARRAY: return ctn_json_count(v) == 0;
    default: return false;
    }
}

typedef struct question {
    const char *key, *sentence;
} question;

static const question QUESTIONS[] = {
    {"name", "What name should we put on the quote?"},
    {"contact", "Which phone number or e-mail address should we use to reach you?"},
    {"origin", "Where would you like to travel from?"},
    {"destinations", "Where would you like to go?"},
    {"dates", "Which day would you like to leave?"},
    {"duration", "How many nights would you like to stay?"},
    {"travellers", "How many adults and children will travel, and how old are the children?"},
    {"budget", "What budget do you have in mind, in total or per person?"},
};

static bool is_missing(size_t which, const ctn_json *requirements, const ctn_json *client, const ctn_json *budget)
{
    switch (which) {
    case 0: return is_absent(client, "name");
    case 1: return is_absent(client, "email") && is_absent(client, "phone");
    case 2: return is_absent(requirements, "origin");
    case 3: return is_absent(requirements, "destinations");
    case 4: return is_absent(requirements, "start_date");
    case 5: return is_absent(requirements, "nights");
    case 6: return is_absent(requirements, "adults");
    default: return is_absent(budget, "amount");
    }
}

const ctn_json *travel_missing_info(ctn_arena *arena, const ctn_json *requirements, const ctn_json *client,
                                    const ctn_json *budget)
{
    ctn_json_builder missing = ctn_json_array(arena);
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++)
        if (is_missing(i, requirements, client, budget))
            ctn_json_push(&missing, ctn_json_string(arena, ctn_str_from(QUESTIONS[i].key)));
    return ctn_json_finish(&missing);
}

/* "Rome, Florence and Venice" */
static void list_names(ctn_buf *out, const ctn_json *names, const char *last_word)
{
    size_t count = ctn_json_count(names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ctn_buf_printf(out, i + 1 == count ? " %s " : ", ", last_word);
        ctn_buf_append(out, ctn_json_text(ctn_json_at(names, i)));
    }
}

static ctn_str summary_of(ctn_arena *arena, const ctn_json *requirements, const travel_trip *trip)
{
    static const char *const said[] = {"origin", "destinations", "start_date", "nights",
                                       "month",  "adults",       "trip_type"};
    bool says_nothing = true;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        says_nothing = says_nothing && is_absent(requirements, said[i]);
    if (says_nothing)
        return CTN_STR("");
    ctn_buf out;
    ctn_buf_init(&out, 16384);
    ctn_str type = ctn_json_str_or(requirements, "trip_type", (ctn_str){NULL, 0});
    if (ctn_str_is(type, "leisure"))
        type = CTN_STR("holiday");
    else if (ctn_str_is(type, "family"))
        type = CTN_STR("family trip");
    else if (ctn_str_is(type, "group") || ctn_str_is(type, "business"))
        type = ctn_arena_printf(arena, "%.*s trip", CTN_STR_ARG(type));
    else if (!ctn_str_is(type, "honeymoon"))
        type = CTN_STR("trip");
    ctn_buf_printf(&out, "a %.*s", CTN_STR_ARG(type));
    if (!is_absent(requirements, "adults")) {
        ctn_buf_printf(&out, " for %d %s", trip->adults, article_for(trip->adults, "adult", "adults"));
        if (trip->children > 0)
            ctn_buf_printf(&out, " and %d %s", trip->children, article_for(trip->children, "child", "children"));
    }
    if (trip->origin.len > 0)
        ctn_buf_printf(&out, " from %.*s", CTN_STR_ARG(trip->origin));
    const ctn_json *destinations = ctn_json_member_of(requirements, "destinations");
    if (ctn_json_count(destinations) > 0) {
        ctn_buf_append_literal(&out, " to ");
        list_names(&out, destinations, ctn_json_bool_or(requirements, "alternatives", false) ? "or" : "and");
    }
    char start[40], end[40];
    travel_day_format_long(trip->start, start);
    travel_day_format_long(trip->end, end);
    bool has_start = !is_absent(requirements, "start_date"), has_nights = !is_absent(requirements, "nights");
    if (has_start && has_nights)
        ctn_buf_printf(&out, ", %s to %s (%d %s)", start, end, trip->nights,
                       article_for(trip->nights, "night", "nights"));
    else if (has_start)
        ctn_buf_printf(&out, ", leaving on %s", start);
    else if (has_nights)
        ctn_buf_printf(&out, ", %d %s", trip->nights, article_for(trip->nights, "night", "nights"));
    ctn_str text = out.overflowed ? CTN_STR("your trip") : ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

/* "food, history and vegetarian" */
static ctn_str wishes_of(ctn_arena *arena, const travel_trip *trip)
{
    ctn_buf out;
    ctn_buf_init(&out, 8192);
    list_names(&out, trip->interests, "and");
    ctn_str text = out.overflowed ? CTN_STR("") : ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static const ctn_json *stops_of(ctn_arena *arena, const travel_trip *trip)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < trip->stop_count; i++) {
        ctn_json_builder stop = ctn_json_object(arena);
        char day[11];
        travel_day_format(trip->stops[i].arrive, day);
        ctn_json_put_str(&stop, "place", trip->stops[i].name);
        ctn_json_put_str(&stop, "arrive", ctn_str_from(day));
        ctn_json_put_int(&stop, "nights", trip->stops[i].nights);
        ctn_json_push(&list, ctn_json_finish(&stop));
    }
    return ctn_json_finish(&list);
}

static const ctn_json *list_or_empty(const ctn_json *from, const char *key)
{
    static const ctn_json empty = {.kind = CTN_JSON_ARRAY};
    const ctn_json *list = ctn_json_member_of(from, key);
    return ctn_json_is(list, CTN_JSON_ARRAY) ? list : &empty;
}

int travel_requirements_validate(ctn_arena *arena, const ctn_json *requirements, const ctn_json *client,
                                 const ctn_json *budget, travel_day today, const ctn_json **ret_result, ctn_err *err)
{
    travel_trip trip;
    ctn_json_builder assumptions = ctn_json_array(arena), questions = ctn_json_array(arena);
    int rc = travel_trip_plan(arena, requirements, budget, today, &trip, &assumptions, err);
    if (rc)
        return rc;
    const ctn_json *missing = travel_missing_info(arena, requirements, client, budget);
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++)
        if (is_missing(i, requirements, client, budget))
            tell(arena, &questions, ctn_str_from(QUESTIONS[i].sentence));
    char start[11], end[11];
    travel_day_format(trip.start, start);
    travel_day_format(trip.end, end);
    ctn_json_builder complete = ctn_json_object(arena);
    ctn_json_put_str(&complete, "summary", summary_of(arena, requirements, &trip));
    ctn_json_put_str(&complete, "origin", trip.origin);
    ctn_json_put(&complete, CTN_STR("destinations"), list_or_empty(requirements, "destinations"));
    ctn_json_put_bool(&complete, "alternatives", ctn_json_bool_or(requirements, "alternatives", false));
    ctn_json_put(&complete, CTN_STR("stops"), stops_of(arena, &trip));
    ctn_json_put_str(&complete, "start_date", ctn_str_from(start));
    ctn_json_put_str(&complete, "end_date", ctn_str_from(end));
    ctn_json_put_int(&complete, "nights", trip.nights);
    ctn_json_put_int(&complete, "adults", trip.adults);
    ctn_json_put_int(&complete, "children", trip.children);
    ctn_json_put_int(&complete, "rooms", trip.rooms);
    ctn_json_put_str(&complete, "trip_type", ctn_json_str_or(requirements, "trip_type", CTN_STR("")));
    ctn_json_put(&complete, CTN_STR("interests"), list_or_empty(requirements, "interests"));
    ctn_json_put_str(&complete, "wishes", wishes_of(arena, &trip));
    ctn_json_put_str(&complete, "currency", ctn_str_from(trip.currency));
    ctn_json_put_bool(&complete, "is_searchable", trip.stop_count > 0);
    const ctn_json *assumed = ctn_json_finish(&assumptions), *asked = ctn_json_finish(&questions);
    ctn_json_put_bool(&complete, "has_assumptions", ctn_json_count(assumed) > 0);
    ctn_json_put(&complete, CTN_STR("assumptions"), assumed);
    ctn_json_put_bool(&complete, "has_questions", ctn_json_count(asked) > 0);
    ctn_json_put(&complete, CTN_STR("questions"), asked);

    ctn_json_builder result = ctn_json_object(arena);
    ctn_json_put_str(&result, "validation_status",
                     ctn_json_count(missing) > 0 ? CTN_STR("incomplete") : CTN_STR("complete"));
    ctn_json_put(&result, CTN_STR("missing_info"), missing);
    ctn_json_put(&result, CTN_STR("complete_requirements"), ctn_json_finish(&complete));
    *ret_result = ctn_json_finish(&result);
    return CTN_OK;
}
