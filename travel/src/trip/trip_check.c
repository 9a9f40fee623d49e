/*
 * trip_check.c -- see trip_check.h.
 *
 * Every later step of the chain reads what comes out of here, and a null there would stop the chain; so the completed
 * trip has text, numbers and lists only.
 */
#include "trip/trip_check.h"

#include "kit/money.h"
#include "kit/shown.h"
#include "trip/trip_words.h"

/* ---- what is missing ---- */

/* In the order of the labels. */
static const ctn_str KEYS[] = {{"name", 4},  {"contact", 7},  {"origin", 6},      {"destinations", 12},
                               {"dates", 5}, {"duration", 8}, {"travellers", 10}, {"budget", 6}};
/* In the order of asking: without a place there is nothing to ask the rest about. */
static const size_t ASKED[] = {3, 2, 6, 4, 5, 7, 0, 1};
enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS, DESTINATIONS = 3, ORIGIN = 2, TRAVELLERS = 6 };

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

static bool is_missing(size_t key, const ctn_json *requirements, const ctn_json *client, const ctn_json *budget)
{
    switch (key) {
    case 0: return is_absent(client, "name");
    case 1: return is_absent(client, "email") && is_absent(client, "phone");
    case ORIGIN: return is_absent(requirements, "origin");
    case DESTINATIONS: return is_absent(requirements, "destinations");
    case 4: return is_absent(requirements, "start_date");
    case 5: return is_absent(requirements, "nights");
    case TRAVELLERS: return is_absent(requirements, "adults");
    default: return is_absent(budget, "amount");
    }
}

const ctn_json *travel_missing_info(ctn_arena *arena, const ctn_json *requirements, const ctn_json *client,
                                    const ctn_json *budget)
{
    ctn_json_builder missing = ctn_json_array(arena);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (is_missing(i, requirements, client, budget))
            ctn_json_push(&missing, ctn_json_string(arena, KEYS[i]));
    return ctn_json_finish(&missing);
}

/* ---- what has to be asked ---- */

static int read_must_know(const ctn_json *list, bool ret_wanted[KEY_COUNT], ctn_err *err)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        ret_wanted[i] = !list && (i == DESTINATIONS || i == ORIGIN || i == TRAVELLERS);
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str word = ctn_json_text(ctn_json_at(list, i));
        bool is_known = false;
        for (size_t k = 0; k < KEY_COUNT; k++) {
            ret_wanted[k] = ret_wanted[k] || ctn_str_equal(word, KEYS[k]);
            is_known = is_known || ctn_str_equal(word, KEYS[k]);
        }
        ctn_str nearest = ctn_str_nearest(word, KEYS, KEY_COUNT);
        if (!is_known)
            return ctn_fail(err, CTN_E_INVALID, "must_know: nothing is called %.*s%s%.*s%s",
                            CTN_STR_ARG(travel_name_shown(word)), nearest.len ? "; did you mean " : "",
                            CTN_STR_ARG(nearest), nearest.len ? "?" : "");
    }
    return CTN_OK;
}

static void ask(ctn_arena *arena, ctn_json_builder *questions, ctn_str sentence)
{
    ctn_json_push(questions, ctn_json_string(arena, sentence));
}

static const ctn_json *questions_of(ctn_arena *arena, const travel_check *c, const travel_trip *trip)
{
    ctn_json_builder questions = ctn_json_array(arena);
    const ctn_json *named = ctn_json_member_of(c->requirements, "destinations");
    if (trip->stop_count == 0 && ctn_json_count(named) > 0)
        ask(arena, &questions, travel_question_which_town(arena, ctn_json_text(ctn_json_at(named, 0)), c->language));
    if (trip->origin.len > 0 && !trip->origin_airport)
        ask(arena, &questions, travel_question_which_town(arena, trip->origin, c->language));
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (is_missing(ASKED[i], c->requirements, c->client, c->budget))
            ask(arena, &questions, travel_question_for(KEYS[ASKED[i]], c->language));
    return ctn_json_finish(&questions);
}

static bool has_to_ask(const travel_check *c, const travel_trip *trip, const bool must_know[KEY_COUNT])
{
    bool has_to = trip->stop_count == 0;
    for (size_t i = 0; i < KEY_COUNT; i++)
        has_to = has_to || (must_know[i] && is_missing(i, c->requirements, c->client, c->budget));
    return has_to;
}

/* ---- the trip, completed ---- */

static const ctn_json *list_or_empty(const ctn_json *from, const char *key)
{
    static const ctn_json empty = {.kind = CTN_JSON_ARRAY};
    const ctn_json *list = ctn_json_member_of(from, key);
    return ctn_json_is(list, CTN_JSON_ARRAY) ? list : &empty;
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

/* What both the proposal and the provider need to know. */
static void put_plan(ctn_json_builder *out, const travel_check *c, const travel_trip *trip)
{
    char start[11], end[11];
    travel_day_format(trip->start, start);
    travel_day_format(trip->end, end);
    ctn_json_put_str(out, "origin", trip->origin);
    ctn_json_put_str(out, "start_date", ctn_str_from(start));
    ctn_json_put_str(out, "end_date", ctn_str_from(end));
    ctn_json_put_int(out, "nights", trip->nights);
    ctn_json_put_int(out, "adults", trip->adults);
    ctn_json_put_int(out, "children", trip->children);
    ctn_json_put(out, CTN_STR("children_ages"), list_or_empty(c->requirements, "children_ages"));
    ctn_json_put_int(out, "rooms", trip->rooms);
    ctn_json_put(out, CTN_STR("interests"), list_or_empty(c->requirements, "interests"));
    ctn_json_put_str(out, "currency", ctn_str_from(trip->currency));
}

static const ctn_json *complete_trip(ctn_arena *arena, const travel_check *c, const travel_trip *trip,
                                     const ctn_json *assumptions, const ctn_json *questions)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(c->language)));
    ctn_json_put_str(&out, "summary", travel_trip_summary(arena, c->requirements, trip, c->language));
    put_plan(&out, c, trip);
    ctn_json_put(&out, CTN_STR("destinations"), list_or_empty(c->requirements, "destinations"));
    ctn_json_put_bool(&out, "alternatives", ctn_json_bool_or(c->requirements, "alternatives", false));
    ctn_json_put(&out, CTN_STR("stops"), stops_of(arena, trip));
    ctn_json_put_str(&out, "trip_type", ctn_json_str_or(c->requirements, "trip_type", CTN_STR("")));
    ctn_json_put_str(&out, "wishes", travel_trip_wishes(arena, trip->interests, c->language));
    ctn_json_put_bool(&out, "is_searchable", trip->stop_count > 0);
    ctn_json_put_bool(&out, "has_assumptions", ctn_json_count(assumptions) > 0);
    ctn_json_put(&out, CTN_STR("assumptions"), assumptions);
    ctn_json_put_bool(&out, "has_questions", ctn_json_count(questions) > 0);
    ctn_json_put(&out, CTN_STR("questions"), questions);
    return ctn_json_finish(&out);
}

static const ctn_json *search_request(ctn_arena *arena, const travel_check *c, const travel_trip *trip)
{
    ctn_json_builder out = ctn_json_object(arena), places = ctn_json_array(arena);
    for (size_t i = 0; i < trip->stop_count; i++)
        ctn_json_push(&places, ctn_json_string(arena, trip->stops[i].name));
    put_plan(&out, c, trip);
    ctn_json_put(&out, CTN_STR("destinations"), ctn_json_finish(&places));
    return ctn_json_finish(&out);
}

int travel_requirements_validate(ctn_arena *arena, const travel_check *check, const ctn_json **ret_result, ctn_err *err)
{
    travel_trip trip;
    bool must_know[KEY_COUNT];
    travel_assumptions assumptions = {.list = ctn_json_array(arena), .language = check->language};
    int rc = read_must_know(check->must_know, must_know, err);
    if (!rc)
        rc = travel_trip_plan(arena, check->requirements, check->budget, check->today, &trip, &assumptions, err);
    if (rc)
        return rc;
    const char *own = travel_currency_known(check->currency);
    if (own && is_absent(check->budget, "currency") && is_absent(check->requirements, "currency"))
        trip.currency = own;
    const ctn_json *missing = travel_missing_info(arena, check->requirements, check->client, check->budget);
    const ctn_json *questions = questions_of(arena, check, &trip);
    ctn_json_builder result = ctn_json_object(arena);
    ctn_json_put_str(&result, "validation_status",
                     ctn_json_count(missing) > 0 ? CTN_STR("incomplete") : CTN_STR("complete"));
    ctn_json_put(&result, CTN_STR("missing_info"), missing);
    ctn_json_put(&result, CTN_STR("questions"), questions);
    ctn_json_put_bool(&result, "must_ask", has_to_ask(check, &trip, must_know));
    ctn_json_put_bool(&result, "can_be_searched", trip.stop_count > 0);
    ctn_json_put(&result, CTN_STR("complete_requirements"),
                 complete_trip(arena, check, &trip, ctn_json_finish(&assumptions.list), questions));
    ctn_json_put(&result, CTN_STR("search_request"), search_request(arena, check, &trip));
    *ret_result = ctn_json_finish(&result);
    return CTN_OK;
}
