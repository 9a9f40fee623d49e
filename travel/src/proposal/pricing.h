/*
 * pricing.h -- three tiers from search answers: Essential, Comfort, Premium.
 *
 * A tier's total is exactly the sum of its parts (whole cents); the price per person is that total divided by the
 * travellers, rounded to the cent.
 */
#pragma once

#include "trip/trip.h"

typedef struct travel_price_request {
    const ctn_json *requirements, *flights, *hotels, *budget; /* budget may be NULL */
    travel_day today;
} travel_price_request;

/* {pricing_tiers: {...}}: nothing in it is null; without anything to price, tiers is empty. CTN_E_INVALID: a search
 * answer is not of the shape that search_flights and search_hotels give. */
int travel_price_tiers(ctn_arena *arena, const travel_price_request *request, const ctn_json **ret_result,
                       ctn_err *err);
