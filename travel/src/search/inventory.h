/*
 * inventory.h -- the sandbox inventory: flights and hotels that exist nowhere, between places that do.
 *
 * Everything follows from the request alone (great-circle distance, date, cabin, names): the same question has
 * the same answer on every machine and for ever. Every answer says `source: "sandbox"`. Nothing in an answer
 * is null. Prices are whole cents.
 *
 * Every offer and every hotel has `expires_at`, counted from the day of the search (of `started_at`): fares stand until
 * the end of the second day after it (the cheapest) or the third, hotels until the end of the fifth, always in UTC.
 */
#pragma once

#include "trip/trip.h"

/* {source, currency, offers: [...], cheapest: {offer_id, total}, note} */
const ctn_json *travel_flights_search(ctn_arena *arena, const travel_trip *trip, travel_day today);
/* {source, currency, stays: [{place, hotels: [...]}], cheapest: {total}, note} */
const ctn_json *travel_hotels_search(ctn_arena *arena, const travel_trip *trip, travel_day today);
