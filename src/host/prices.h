/*
 * prices.h -- what models cost that many use: a table of data, dated row by row (prices.data).
 *
 * It is a convenience and no authority: prices change, and `price` of a model in catena.yaml wins. Nothing is ever
 * fetched.
 */
#pragma once
#include "drivers/prompt/cost.h"

/* By what the server calls the model, to the letter, or with a date behind it ("...-20250929", "...-2025-04-14"). Its
 * input is empty when the table has no such model. In US dollars. */
ctn_prompt_price ctn_price_of(ctn_str model);
