/*
 * lead.h -- a raw lead (message, e-mail, transcript, form, note) to what it says: who, where, when, how many, for
 * how much, and what is missing.
 *
 * Rule-based: no model, no network, the same text gives the same answer for ever. The rules follow the labelling
 * rules of the leads' data set; docs are in travel/README.md. A lead is data: nothing in it can address this code.
 *
 * Limits  TRAVEL_LEAD_BYTES_MAX, of which the first 10 KiB and the last 2 are read; any bytes are allowed (NUL, broken
 *         UTF-8); time is bounded by that and by the match limits.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "kit/calendar.h"

#define TRAVEL_LEAD_BYTES_MAX ((size_t) 256 * 1024)

/* {is_lead, client_info, trip_requirements, budget_info, missing_info, language}. received: the day it came in, which
 * relative dates and dates without a year are resolved against. language: en, es, fr or de, whichever the client wrote
 * in; en in doubt. CTN_E_LIMIT: too long. */
int travel_lead_extract(ctn_arena *arena, ctn_str raw_lead, travel_day received, const ctn_json **ret_lead,
                        ctn_err *err);

/* What we know of a lead, and the client's answer to what we asked. */
typedef struct travel_answer {
    const ctn_json *client, *requirements, *budget; /* as extracted; NULL: nothing */
    ctn_str text;
    const ctn_json *asked; /* array of the keys of missing_info that were asked for; NULL: all that is missing */
    travel_day received;
} travel_answer;

/* {client_info, trip_requirements, budget_info, missing_info, is_stop, language}: what the client now says wins, the
 * rest stays as it was, members that are not ours included. A bare value ("Leeds", "about 3000", "2") is taken for what
 * was asked. is_stop: the client is not interested any longer; then nothing else of the answer counts.
 * CTN_E_LIMIT: too long. */
int travel_answer_merge(ctn_arena *arena, const travel_answer *answer, const ctn_json **ret_merged, ctn_err *err);
