/*
 * money.h -- amounts as whole cents of a currency, and as text with two places. Never a binary fraction.
 *
 * Hundredths stand for every currency, also for yen, which has none: amounts of such a currency are whole hundreds
 * (travel_cents_round). How people write an amount is kit/words.h.
 *
 * The exchange rates are the sandbox's own and fixed, so that the same request has the same price for ever.
 */
#pragma once

#include "base/arena.h"

typedef int64_t travel_cents;

/* Larger amounts are refused where they come in, so that no sum here can overflow. */
#define TRAVEL_CENTS_MAX INT64_C(100000000000)

/* ISO 4217 code in upper case, or NULL when the sandbox has no rate for it. */
const char *travel_currency_known(ctn_str code);
/* Units of a known currency for 10,000 pounds. */
int64_t travel_currency_per_10000(const char *code);
/* Places that prices in this currency have: 2, or 0 (yen, won, forint, Pakistani rupee). */
int travel_currency_places(const char *code);
/* To what can be paid in this currency, half up: cents as they are, or a whole yen. cents >= 0. */
travel_cents travel_cents_round(travel_cents cents, const char *code);
/* From pence of a pound to cents of a known currency, rounded half up to what can be paid in it. */
travel_cents travel_from_pence(travel_cents pence, const char *code);
/* "1234.50" */
ctn_str travel_cents_text(ctn_arena *arena, travel_cents cents);
/* "1234.5", "1234", "99.995" (rounded half up); false when it is no such number or too large. */
bool travel_cents_parse(ctn_str text, travel_cents *ret_cents);
/* One of `by` equal parts, rounded half up; by > 0, cents >= 0. */
travel_cents travel_cents_divide(travel_cents cents, int64_t by);
