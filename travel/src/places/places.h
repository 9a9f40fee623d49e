/*
 * places.h -- real airports (position, size) and the places people ask for, each with the airport that serves it.
 *
 * The tables are data in the program: about 170 airports and 400 places with the names people write them by.
 * Positions are rounded to a hundredth of a degree, which moves a distance by a kilometre or so.
 */
#pragma once

#include "base/str.h"

typedef struct travel_airport {
    const char *code, *city, *country;
    double latitude, longitude;
    int hub;             /* 1 small .. 4 intercontinental */
    const char *aliases; /* of the airport itself, lower case, '|' between; "" if none */
} travel_airport;

typedef struct travel_place {
    const char *name;    /* as it is commonly written in English */
    const char *within;  /* larger places that hold it, '|' between; "" for a country */
    const char *airport; /* IATA code of the airport that serves it */
    const char *aliases; /* folded (lower case, no accents), '|' between. A leading '^' wants a capital letter in
                            the text (names that are also words: Nice, Cork), '=' wants all capitals (UK, LA) */
    bool is_area;        /* a country, region or island rather than a town */
} travel_place;

extern const travel_airport travel_airports[];
extern const size_t travel_airport_count;
extern const travel_place travel_places[];
extern const size_t travel_place_count;

/* NULL when unknown. Codes in upper case. */
const travel_airport *travel_airport_by_code(ctn_str code);
/* The place of that name or alias, case and ASCII-accents ignored as far as the aliases have it; NULL if unknown. */
const travel_place *travel_place_by_name(ctn_str name);
/* The airport that serves a place, a city with an airport, or the airport with that code; NULL if unknown. */
const travel_airport *travel_airport_for(ctn_str name);
/* True when `outer` is the place `inner` lies in (a country, a region). */
bool travel_place_contains(const char *outer, const char *inner);
/* Great circle, rounded to whole kilometres. */
int travel_distance_km(const travel_airport *a, const travel_airport *b);
