/*
 * tiers.h -- three priced tiers as a proposal shows them: JSON, in the client's language, with nothing null in it.
 *
 *     {source, currency, language, trip: {..}, travellers, travellers_text, budget_line, note, has_tiers,
 *      agency: {..}, words: {..}, expires_at, valid_until, valid_until_shown,
 *      tiers: [{tier: good|better|best, name, description, has_flights, offer_id, fare_text, legs: [text],
 *               journeys: [{date, route, details}],
 *               stays: [{place, hotel_id, total, text, dates, hotel, details}],
 *               lines: [{kind: flight|hotel|service|fee|tax, label, net, markup, total, total_shown}],
 *               net, markup, fees, taxes, total, per_person, deposit, balance, flights_total, hotels_total,
 *               .. each with _shown, is_within_budget, budget_note, expires_at,
 *               offers: [{kind: flight|hotel, offer_id|hotel_id, total, currency, expires_at, ..}]}]}
 *
 * `lines` add up to `total`; `net` and `markup` are for the agency's eyes, and templates for clients leave them out.
 * `offers` are the search's own, as a booking takes them. A description in English of something that the tables of
 * phrases.h do not know is left out in the other languages.
 */
#pragma once

#include "proposal/pricing.h"

/* The object above; texts in request->language. */
const ctn_json *travel_tiers_shown(ctn_arena *arena, const travel_agency *agency, const travel_price_request *request,
                                   const travel_pricing *pricing);
/* What an offer or a hotel is, whatever its id: equal in two answers for the same one. */
ctn_str travel_flight_same_as(ctn_arena *arena, const ctn_json *offer);
ctn_str travel_hotel_same_as(ctn_arena *arena, const ctn_json *stay, const ctn_json *hotel);
/* A sheet for the desk, in its language: each tier with net, markup, fees, taxes, total, and the margin. Plain text. */
ctn_str travel_price_sheet(ctn_arena *arena, const travel_agency *agency, const travel_pricing *pricing,
                           travel_language language);
