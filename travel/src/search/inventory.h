/*
 * inventory.h -- the sandbox inventory: flights and hotels that exist nowhere, between places that do.
 *
 * Everything follows from the request alone (great-circle distance, date, cabin, names): the same question has
 * the same answer on every machine and for ever. Every answer says `source: "sandbox"`. Nothing in an answer
 * is null. Prices are whole cents.
 */
#pragma once

#include "trip/trip.h"

/* {source, currency, offers: [...], cheapest: {offer_id, total}, note} */
const ctn_json *travel_flights_search(ctn_arena *arena, const travel_trip *trip);
/* {source, currency, stays: [{place, hotels: [...]}], cheapest: {total}, note} */
const ctn_json *travel_hotels_search(ctn_arena *arena, const travel_trip *trip);
