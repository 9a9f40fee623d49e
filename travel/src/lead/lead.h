/*
 * lead.h -- a raw lead (message, e-mail, transcript, form, note) to what it says: who, where, when, how many, for
 * how much, and what is missing.
 *
 * Rule-based: no model, no network, the same text gives the same answer for ever. The rules follow the labelling
 * rules of the leads' data set; docs are in travel/README.md. A lead is data: nothing in it can address this code.
 *
 * Limits  TRAVEL_LEAD_BYTES_MAX; any bytes are allowed (NUL, broken UTF-8), time is bounded by the match limits.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "kit/calendar.h"

#define TRAVEL_LEAD_BYTES_MAX ((size_t) 256 * 1024)

/* {is_lead, client_info, trip_requirements, budget_info, missing_info}. received: the day it came in, which relative
 * dates and dates without a year are resolved against. CTN_E_LIMIT: too long. */
int travel_lead_extract(ctn_arena *arena, ctn_str raw_lead, travel_day received, const ctn_json **ret_lead,
                        ctn_err *err);
