/*
 * trip.h -- from what a client said to a trip that can be searched and priced.
 *
 * What is missing is assumed, and every assumption is told in a sentence; what was said is never changed.
 * Completing a trip that is complete already changes nothing, so a search takes either.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "kit/calendar.h"
#include "kit/words.h"
#include "places/places.h"

#define TRAVEL_STOPS_MAX  8
#define TRAVEL_NIGHTS_MAX 180
#define TRAVEL_PEOPLE_MAX 60

typedef struct travel_stop {
    ctn_str name;
    const travel_airport *airport; /* never NULL: places without one are told in `unknown` */
    travel_day arrive;
    int nights;
} travel_stop;

typedef struct travel_trip {
    ctn_str origin;                       /* as named, empty if missing */
    const travel_airport *origin_airport; /* NULL: missing or not in the table */
    travel_stop stops[TRAVEL_STOPS_MAX];
    size_t stop_count; /* 0: nothing to search */
    travel_day start, end;
    int nights, adults, children, rooms;
    const char *currency;
    const ctn_json *interests; /* array, or NULL */
} travel_trip;

static inline int travel_trip_people(const travel_trip *trip)
{
    return trip->adults + trip->children;
}

/* The sentences that tell what was assumed, in the client's language. */
typedef struct travel_assumptions {
    ctn_json_builder list;
    travel_language language;
} travel_assumptions;

/* requirements and budget may have nulls anywhere or be NULL; so may assumptions, if nobody wants to know.
 * CTN_E_INVALID: a member is of a kind it cannot be. */
int travel_trip_plan(ctn_arena *arena, const ctn_json *requirements, const ctn_json *budget, travel_day today,
                     travel_trip *ret_trip, travel_assumptions *assumptions, ctn_err *err);
bool travel_trip_wants(const travel_trip *trip, const char *interest);
/* "2026-10" */
bool travel_month_parse(ctn_str text, travel_civil *ret_month);

/* The keys of missing_info, by the rules of the leads' labels (trip_check.c). */
const ctn_json *travel_missing_info(ctn_arena *arena, const ctn_json *requirements, const ctn_json *client,
                                    const ctn_json *budget);
