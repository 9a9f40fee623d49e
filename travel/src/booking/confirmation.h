/*
 * confirmation.h -- the letter that tells a client that his trip is booked, in his language.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

typedef struct travel_confirmation {
    const ctn_json *client;       /* {name}; NULL: not known */
    const ctn_json *requirements; /* destinations, start_date, end_date, adults, children; what lacks is left out */
    const ctn_json *booking;      /* as confirm_booking gives it */
    const ctn_json *tier;         /* {total, currency}: what the client pays in all; NULL: the booking's own total */
    const ctn_json *payment;      /* {amount}: the deposit; NULL: none */
    travel_language language;
} travel_confirmation;

/* {subject, message}. CTN_E_INVALID: the booking has no reference or no total. */
int travel_confirmation_write(const travel_agency *agency, ctn_arena *arena, const travel_confirmation *about,
                              const ctn_json **ret_result, ctn_err *err);
