/*
 * trip_words.h -- what is said to a client about his trip, in his language: assumptions, questions, the trip in a line.
 *
 * Sentences address him politely (usted, vous, Sie) and fit any trip: nothing in them depends on whether a name or a
 * place is a man's, a woman's, a town or a country.
 *
 * Ownership  Texts are in the arena, or constants.
 */
#pragma once

#include "kit/words.h"
#include "trip/trip.h"

/* A place as people who read that language write it ("Viena"); as it was said where it is not known. */
ctn_str travel_place_in_words(ctn_str name, travel_language language);

/* ---- what was assumed ---- */

ctn_str travel_assumed_month(ctn_arena *arena, travel_civil month, travel_day start, travel_language language);
ctn_str travel_assumed_start(ctn_arena *arena, travel_day start, travel_language language);
/* The day that the client named has passed. */
ctn_str travel_assumed_later(ctn_arena *arena, travel_day said, travel_day start, travel_language language);
ctn_str travel_assumed_nights(ctn_arena *arena, int nights, travel_language language);
ctn_str travel_assumed_first_nights(ctn_arena *arena, int nights, travel_language language);
ctn_str travel_assumed_adults(ctn_arena *arena, int adults, travel_language language);
ctn_str travel_assumed_first_people(ctn_arena *arena, int people, travel_language language);
ctn_str travel_assumed_no_origin(travel_language language);
ctn_str travel_assumed_no_airport(ctn_arena *arena, ctn_str origin, travel_language language);
ctn_str travel_assumed_choice(ctn_arena *arena, ctn_str other, ctn_str chosen, travel_language language);
ctn_str travel_assumed_without(ctn_arena *arena, ctn_str place, travel_language language);
ctn_str travel_assumed_pounds(ctn_arena *arena, ctn_str currency, travel_language language);
ctn_str travel_assumed_no_cruise(travel_language language);

/* ---- what is asked ---- */

/* key: of travel_missing_info. */
ctn_str travel_question_for(ctn_str key, travel_language language);
/* A place that was named, and that has no airport we know. */
ctn_str travel_question_which_town(ctn_arena *arena, ctn_str place, travel_language language);

/* ---- the trip in a line ---- */

/* What the client said, without what was assumed: "a family trip for 4 adults and 1 child from Manchester to Hanoi and
 * Hoi An, from 24 October to 1 November 2026 (8 nights)". Empty: he said nothing. */
ctn_str travel_trip_summary(ctn_arena *arena, const ctn_json *requirements, const travel_trip *trip,
                            travel_language language);
/* "food, history and a vegetarian kitchen"; empty: none. A wish that has no word in the table stands as it is. */
ctn_str travel_trip_wishes(ctn_arena *arena, const ctn_json *interests, travel_language language);
