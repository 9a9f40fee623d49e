/*
 * places_data.h -- the shape of the tables that travel/data/build-places.mjs makes when the program is built.
 *
 * Only places.c reads them. A string is an offset into travel_text (0 is ""), a position is in hundredths of a
 * degree (TRAVEL_NOWHERE: the packages have none), a reference is a row's number (-1: none).
 */
#pragma once

#include "places/places.h"

enum { TRAVEL_NOWHERE = 32767 };

struct travel_place {
    uint32_t name, es, fr, de; /* es, fr, de: 0 where it is the English name */
    uint32_t zone, population;
    uint32_t outer_first, outer_count; /* in travel_outers: the places that hold it directly */
    int32_t country, airport;
    int16_t latitude, longitude;
    uint8_t kind;
    uint8_t prominence; /* 0 .. 200: how likely this is meant by its name */
};

typedef enum travel_name_kind {
    TRAVEL_NAME_OF_PLACE,
    TRAVEL_NAME_OF_AIRPORT,
    TRAVEL_NAME_OF_AIRLINE,
    TRAVEL_NAME_OF_PERSON
} travel_name_kind;

typedef struct travel_name { /* sorted by text, then places before airports before airlines, the best known first */
    uint32_t text;           /* folded */
    uint32_t shown;          /* what the text is written like when it is a short form; 0: the place's name */
    uint32_t item;
    uint8_t kind;  /* travel_name_kind */
    uint8_t flags; /* TRAVEL_NAME_* */
} travel_name;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "write-tables.mjs writes the tables for such machines");
_Static_assert(sizeof(travel_place) == 48 && sizeof(travel_name) == 16, "write-tables.mjs packs them by hand");

extern const char travel_text[];
extern const travel_place travel_places[];
extern const size_t travel_place_count;
extern const uint32_t travel_outers[];
extern const travel_name travel_names[];
extern const size_t travel_name_count;
