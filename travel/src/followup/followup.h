/*
 * followup.h -- the pure part of the follow-up chain: where a client stands, what to do, what to write and when.
 */
#pragma once

#include "base/json.h"
#include "kit/calendar.h"

/* {status_category, engagement_level, recommended_action}. sessions: enquiries on file, -1 when unknown. */
const ctn_json *travel_client_analyze(ctn_arena *arena, int64_t days_since_contact, int sessions);
/* {followup_type, urgency_level, communication_channel}. Unknown words get the gentle middle way. */
const ctn_json *travel_followup_recommend(ctn_arena *arena, ctn_str status_category, ctn_str engagement_level);

typedef struct travel_message_request {
    ctn_str client_name, trip_status, followup_type, urgency_level; /* any may be empty */
    travel_day today;
} travel_message_request;

/* {subject_line, send_time, message_content}: the content is the body, greeting and signature are the template's. */
const ctn_json *travel_message_generate(ctn_arena *arena, const travel_message_request *request);
