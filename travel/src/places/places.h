/*
 * places.h -- the world as travellers name it: places, airports and airlines, made from open data when the
 *             program is built (docs/data.md; the shape of the tables is places_data.h).
 *
 * Places are countries, regions, islands, parks, sights and towns, some hundred thousand, with their names in the
 * four languages. Each knows what it lies in, the airport that serves it (near, and big enough to be flown to) and
 * its time zone. Many share a name: a lookup gives the one that is most likely meant ("Paris" is in France), unless
 * the text says where ("Paris, Texas").
 *
 * Names are compared folded: lower case, accents off, everything but letters and digits one blank. All results are
 * rows of constant tables: nothing is freed, pointers may be compared.
 */
#pragma once

#include "base/arena.h"

typedef enum travel_kind {               /* from the widest to the narrowest */
                           TRAVEL_WORLD, /* a continent or a part of one */
                           TRAVEL_COUNTRY,
                           TRAVEL_REGION,
                           TRAVEL_ISLAND,
                           TRAVEL_PARK,
                           TRAVEL_SIGHT,
                           TRAVEL_CITY
} travel_kind;

typedef struct travel_place travel_place;

typedef struct travel_airport {
    const char *code, *city, *country; /* city: of the place it serves; country: English name */
    const char *name, *zone;
    const travel_place *place;
    double latitude, longitude;
    int hub;      /* 1 small .. 4 intercontinental */
    bool is_word; /* the code is a word too: SAT, ASK */
} travel_airport;

typedef struct travel_country { /* sorted by code */
    const char *code;           /* ISO 3166: "FR" */
    const char *currency;       /* ISO 4217 of the money used today; "" where the data has none */
    const char *language;       /* the official one that most people speak: "fr" */
    const travel_place *place;
} travel_country;

typedef struct travel_airline { /* sorted by code; a code may stand twice (small airlines share them) */
    const char *code, *name;
} travel_airline;

extern const travel_airport travel_airports[]; /* sorted by code */
extern const size_t travel_airport_count;
extern const travel_country travel_countries[];
extern const size_t travel_country_count;
extern const travel_airline travel_airlines[];
extern const size_t travel_airline_count;

/* ---- places ---- */

/* The place that is most likely meant by a name in any of the four languages; NULL if unknown. */
const travel_place *travel_place_by_name(ctn_str name);
/* The same among those that lie in `outer` ("Paris" in Texas); NULL when there is none. */
const travel_place *travel_place_within(ctn_str name, const travel_place *outer);
/* "Savannah", "Georgia": the town of that name that lies in a place of the other; *ret_outer is that place. */
const travel_place *travel_place_pair(ctn_str name, ctn_str outer, const travel_place **ret_outer);
/* "Vienna": as it is commonly written in English. */
const char *travel_place_name(const travel_place *p);
/* As people who read that language write it: "Viena", "Vienne", "Wien". Other languages than es, fr, de: English. */
const char *travel_place_shown(const travel_place *p, ctn_str language);
travel_kind travel_place_kind(const travel_place *p);
/* Anything but a town. */
bool travel_place_is_area(const travel_place *p);
/* How likely a name means this place: 0 .. 200. Villages are below 60, well-known towns above 90, countries 150. */
int travel_place_prominence(const travel_place *p);
/* A country is its own; NULL for what lies in several (the Alps). */
const travel_place *travel_place_country(const travel_place *p);
/* The airport that serves it: near, and big enough to be flown to. NULL for the emptiest parts of the world. */
const travel_airport *travel_place_airport(const travel_place *p);
/* True when `outer` is something `inner` lies in: a country, a region, the island that both share an airport with. */
bool travel_place_holds(const travel_place *outer, const travel_place *inner);
/* The same by names, as they stand in a lead's result; false when either is unknown. */
bool travel_place_contains(const char *outer, const char *inner);
/* "Europe/Vienna", of a place or of an airport by code; NULL when unknown. */
const char *travel_zone_of(ctn_str name);

/* ---- airports, countries, airlines: NULL when unknown; codes in upper case ---- */

const travel_airport *travel_airport_by_code(ctn_str code);
/* The airport that serves a place, the airport with that name, or the one with that code. */
const travel_airport *travel_airport_for(ctn_str name);
/* Great circle, rounded to whole kilometres. */
int travel_distance_km(const travel_airport *a, const travel_airport *b);
/* By code, or by any of its names. */
const travel_country *travel_country_by_code(ctn_str code);
const travel_country *travel_country_of(const travel_place *p);
const travel_airline *travel_airline_by_code(ctn_str code);

/* ---- names in running text ---- */

enum {                            /* why a name is to be read with care */
       TRAVEL_NAME_WORD = 1,      /* it is an English word too: Nice, Reading */
       TRAVEL_NAME_PERSON = 2,    /* it is a first name too: Florence, Charlotte */
       TRAVEL_NAME_ALTERNATE = 4, /* one of many other names: Bombay */
       TRAVEL_NAME_AIRPORT = 8,   /* an airport's: Heathrow */
       TRAVEL_NAME_CAPITALS = 16, /* only in capitals: UK */
       TRAVEL_NAME_CODE = 32,     /* and only behind a town: Portland, OR */
       TRAVEL_NAME_FOREIGN = 64   /* not what it is called in English: Riad, Wien */
};

/* A common first name: of the one behind it may be a surname and no place (Elena Soto). */
bool travel_is_first_name(ctn_str word);

typedef struct travel_match {
    size_t len;                    /* bytes of the text that are the name */
    const travel_place *place;     /* NULL: no place has this name */
    const char *name;              /* what to call the place in English: a short form stays short ("St Anton") */
    const travel_airport *airport; /* NULL: no airport has this name; beside a place: Luton is a town and an airport */
    bool is_airline;               /* the name of one ("Air France"): nothing to go to */
    unsigned flags;                /* TRAVEL_NAME_* */
} travel_match;

/*
 * The longest name that starts at text[at], a byte where a word begins. `text` is lower case without accents, as
 * lead_text folds it; what stands between the words of a name may be blanks, points, hyphens or apostrophes, but no
 * line's end and no other mark. False: no name starts there.
 */
bool travel_match_at(ctn_str text, size_t at, travel_match *ret_match);
