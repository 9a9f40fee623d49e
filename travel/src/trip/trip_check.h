/*
 * trip_check.h -- the tool validate_requirements: what a trip lacks, whether that has to be asked for before anything
 * is searched, and the trip completed with assumptions that the proposal tells.
 *
 *     {validation_status: complete | incomplete     by the labels' rules: anything is missing
 *      missing_info       their keys
 *      questions          one sentence for each, in the client's language, the most important first
 *      must_ask           a key of must_know is missing, or no place that was named can be searched
 *      can_be_searched    at least one destination has an airport we know
 *      complete_requirements   the trip as the proposal tells it
 *      search_request          the trip as a provider needs it: nothing of who asks}
 *
 * No null anywhere in it: "" or [] where nothing is known and nothing can be assumed.
 */
#pragma once

#include "trip/trip.h"

typedef struct travel_check {
    const ctn_json *requirements, *client, *budget; /* the last two may be NULL */
    const ctn_json *must_know;                      /* keys of missing_info; NULL: destinations, origin, travellers */
    ctn_str currency;                               /* the agency's, where nobody said one; may be empty */
    travel_language language;
    travel_day today;
} travel_check;

/* CTN_E_INVALID: a member of the requirements is of a kind it cannot be, or must_know has a key that is none. */
int travel_requirements_validate(ctn_arena *arena, const travel_check *check, const ctn_json **ret_result,
                                 ctn_err *err);
