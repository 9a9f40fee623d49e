/*
 * followup_tools.c -- the tools for where a client stands, what to write and when: their schemas, and their arguments
 * read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"
#include "followup/followup.h"

static bool is_channel(ctn_str channel)
{
    return ctn_str_is(channel, "email") || ctn_str_is(channel, "sms") || ctn_str_is(channel, "whatsapp") ||
           ctn_str_is(channel, "phone");
}

static int analyze_client(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, text;
    travel_history history;
    int sessions = -1;
    int64_t days;
    int rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_want_text(call, "days_since_contact", &text, err);
    if (rc)
        return rc;
    if (!ctn_str_to_int64(ctn_str_trim(text), &days) || days < 0)
        return ctn_fail(err, CTN_E_INVALID, "days_since_contact must be a whole number of days, 0 or more");
    /* A CRM that is not there knows nobody; that is an answer, not a failure. */
    if (client_id.len > 0 && call->tools->crm_path && travel_call_crm(call, true, NULL) == CTN_OK &&
        travel_crm_client_history(call->tools->crm, call->arena, client_id, travel_now_ms(call), &history, NULL) ==
            CTN_OK)
        sessions = (int) history.leads;
    *ret_result = travel_client_analyze(call->arena, days, sessions);
    return CTN_OK;
}

static int recommend_followup(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str status, engagement;
    int rc = travel_want_text(call, "status_category", &status, err);
    if (!rc)
        rc = travel_want_text(call, "engagement_level", &engagement, err);
    if (!rc)
        *ret_result = travel_followup_recommend(call->arena, status, engagement);
    return rc;
}

static int generate_message(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_message_request request;
    int rc = travel_want_text(call, "followup_type", &request.followup_type, err);
    if (!rc)
        rc = travel_maybe_text(call, "client_name", &request.client_name, err);
    if (!rc)
        rc = travel_maybe_text(call, "trip_status", &request.trip_status, err);
    if (!rc)
        rc = travel_maybe_text(call, "urgency_level", &request.urgency_level, err);
    if (!rc)
        rc = travel_today(call, &request.today, err);
    if (!rc)
        *ret_result = travel_message_generate(call->arena, &request);
    return rc;
}

static int schedule_delivery(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_message message = {.created_at_ms = travel_now_ms(call)};
    ctn_str send_time;
    int rc = travel_want_text(call, "channel", &message.channel, err);
    if (!rc)
        rc = travel_want_text(call, "send_time", &send_time, err);
    if (!rc)
        rc = travel_want_text(call, "message", &message.body, err);
    if (!rc)
        rc = travel_maybe_text(call, "subject", &message.subject, err);
    if (!rc)
        rc = travel_maybe_text(call, "client_id", &message.client_id, err);
    if (!rc && !is_channel(message.channel))
        rc = ctn_fail(err, CTN_E_INVALID, "channel must be email, sms, whatsapp or phone, not \"%.*s\"",
                      (int) (message.channel.len > 40 ? 40 : message.channel.len), message.channel.ptr);
    if (!rc)
        rc = travel_maybe_moment(call, "send_time", 0, &message.send_at_ms, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_message_plan(call->tools->crm, call->arena, &message, &message, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "scheduled_id", message.message_id);
    ctn_json_put_str(&out, "delivery_confirmation",
                     ctn_arena_printf(call->arena, "%.*s is in the outbox for %.*s, to be sent at %.*s.",
                                      CTN_STR_ARG(message.message_id), CTN_STR_ARG(message.channel),
                                      CTN_STR_ARG(send_time)));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "analyze_client",
          .title = "Where a client stands",
          .description = "From the days since the last contact, and the CRM where it knows the client: status, "
                         "engagement and what to "
                         "do next.",
          .input_schema =
              "{\"type\":\"object\",\"required\":[\"days_since_contact\"],\"properties\":{"
              "\"client_id\":{\"type\":[\"string\",\"integer\"]},"
              "\"days_since_contact\":{\"type\":[\"integer\",\"string\"],\"description\":\"whole days, 0 or more\"}}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"status_category\",\"engagement_level\",\"recommended_action\"],"
              "\"properties\":{\"status_category\":{\"enum\":[\"active\",\"warm\",\"cooling\",\"dormant\",\"lapsed\"]},"
              "\"engagement_level\":{\"enum\":[\"high\",\"medium\",\"low\"]},\"recommended_action\":" STRING
              ",\"is_on_file\":" BOOLEAN "}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = analyze_client},
    {.about = {.name = "recommend_followup",
               .title = "How to follow up",
               .description =
                   "The kind of follow-up, how urgent it is and the channel, for a status and an engagement level.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"status_category\",\"engagement_level\"],\"properties\":{"
                   "\"status_category\":" STRING ",\"engagement_level\":" STRING "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"followup_type\",\"urgency_level\",\"communication_channel\"],"
                   "\"properties\":{\"followup_type\":" STRING
                   ",\"urgency_level\":{\"enum\":[\"high\",\"medium\",\"low\"]},"
                   "\"communication_channel\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = recommend_followup},
    {.about =
         {.name = "generate_message",
          .title = "Write a follow-up message",
          .description = "Subject, body and sending time (a working day, 09:30 UTC) for a kind of follow-up.",
          .input_schema =
              "{\"type\":\"object\",\"required\":[\"followup_type\"],\"properties\":{\"followup_type\":" STRING
              ",\"client_name\":" STRING ",\"trip_status\":" STRING ",\"urgency_level\":" STRING ",\"started_at\":" WHEN
              "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"subject_line\",\"send_time\",\"message_content\"],\"properties\":{"
              "\"subject_line\":" STRING ",\"send_time\":" STRING ",\"message_content\":" STRING "}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = generate_message},
    {.about =
         {.name = "schedule_delivery",
          .title = "Schedule a message",
          .description =
              "Puts a message into the CRM's outbox for a channel and a time. Each call schedules one more message.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"channel\",\"send_time\",\"message\"],\"properties\":{"
                          "\"channel\":{\"enum\":[\"email\",\"sms\",\"whatsapp\",\"phone\"]},\"send_time\":" STRING
                          ",\"client_id\":{\"type\":[\"string\",\"integer\"]},\"subject\":" STRING
                          ",\"message\":" STRING ",\"started_at\":" WHEN "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"scheduled_id\",\"delivery_confirmation\"],\"properties\":{"
              "\"scheduled_id\":" STRING ",\"delivery_confirmation\":" STRING "}}",
          .is_additive = true,
          .is_closed_world = true},
     .run = schedule_delivery},
};

const travel_toolset travel_followup_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
