/*
 * rooms.h -- a group's rooms: the list looked at before anything is held, and the list that the hotel gets.
 *
 * A room that cannot be right (nobody in it, too many, somebody who sleeps in another one) is set aside with the
 * reason; the others go on. Pure.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "kit/words.h"

enum { TRAVEL_ROOMS_MAX = 200, TRAVEL_ROOM_GUESTS_MAX = 2 };

typedef struct travel_rooms {
    const ctn_json *rooms;   /* [{number, type: single|double, guests: [name]}] */
    const ctn_json *refused; /* [{number, guests, reason}] */
    int64_t guests;          /* in rooms */
} travel_rooms;

/* `list`: [{guests: [name]}]; numbers count from 1 in its order. CTN_E_INVALID: it is no such list; CTN_E_LIMIT. */
int travel_rooms_check(ctn_arena *arena, const ctn_json *list, travel_language language, travel_rooms *ret_rooms,
                       ctn_err *err);
/* The cheapest of the hotels with at least so many stars; NULL: there is none. */
const ctn_json *travel_rooms_hotel(const ctn_json *hotels, int64_t stars);

typedef struct travel_rooming_facts {
    ctn_str group, place;
    travel_day from;
    int64_t nights;
    const ctn_json *hotel;           /* the offer that was held */
    const ctn_json *rooms, *refused; /* of travel_rooms_check */
    const ctn_json *holds;           /* [{hold_id, total, currency} or null], by room */
} travel_rooming_facts;

typedef struct travel_rooming_list {
    ctn_str title, text;
    int64_t held, wanted;
    travel_cents total;
    ctn_str currency;
} travel_rooming_list;

/* CTN_E_INVALID: holds are not as many as rooms, or a hold has no amount. */
int travel_rooming_list_write(ctn_arena *arena, const travel_rooming_facts *facts, travel_language language,
                              travel_rooming_list *ret_list, ctn_err *err);
