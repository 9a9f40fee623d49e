/*
 * followup.h -- where a client stands, as the rules of follow-ups (rules.h) want to know it. Pure.
 */
#pragma once

#include "base/json.h"
#include "followup/rules.h"
#include "kit/calendar.h"

/* "high", "medium" or "low", from how long ago the last contact was and how many enquiries there have been (-1: not
 * known). */
const char *travel_engagement_of(int64_t days_since_contact, int64_t enquiries);
/* What a person would do now, in a sentence, by standing. */
const char *travel_advice_of(ctn_str standing);
/* The first design's time to send at: a working day by urgency, half past nine in UTC. */
ctn_str travel_send_time(ctn_arena *arena, travel_day today, ctn_str urgency);
