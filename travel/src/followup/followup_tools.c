/*
 * followup_tools.c -- the tools for where a client stands, what to write and when: their schemas, and their arguments
 * read. What decides is in rules.h, timing.h and texts.h.
 */
#include "crm/crm.h"
#include "followup/delivery.h"
#include "followup/followup.h"
#include "followup/texts.h"
#include "followup/timing.h"
#include "kit/arguments.h"
#include "kit/shown.h"
#include "kit/schemas.h"
#include "kit/section.h"
#include "places/places.h"

static int check_section(const travel_agency *agency, ctn_err *err)
{
    static const char *const keys[] = {"standing", "rules",      "quiet_hours", "days",
                                       "cap",      "wait_hours", "sequence",    "messages"};
    travel_standing standing;
    travel_timing timing;
    const ctn_json *section = travel_agency_section(agency, "followup");
    int rc = travel_section_keys(agency, section, "followup", keys, sizeof keys / sizeof *keys, err);
    if (!rc)
        rc = travel_standing_read(agency, &standing, err);
    if (!rc)
        rc = travel_texts_check(agency, err);
    if (!rc)
        rc = travel_rules_check(agency, travel_text_is_kind, err);
    if (!rc)
        rc = travel_timing_read(agency, &timing, err);
    return rc;
}

/* ---- where a client stands ---- */

/* The trip that the client last asked for; {} when none is known. */
static const ctn_json *trip_of(const travel_call *call, ctn_str lead_id)
{
    const ctn_json *lead = NULL;
    if (lead_id.len > 0 && travel_crm_lead(call->tools->crm, call->arena, lead_id, &lead, NULL) == CTN_OK) {
        const ctn_json *trip = ctn_json_member_of(lead, "requirements");
        if (ctn_json_is(trip, CTN_JSON_OBJECT))
            return trip;
    }
    ctn_json_builder none = ctn_json_object(call->arena);
    return ctn_json_finish(&none);
}

static ctn_str or_text(ctn_str text, ctn_str otherwise)
{
    return text.len ? text : otherwise;
}

static const ctn_json *analysis(const travel_call *call, const travel_history *h, bool is_known, int64_t days,
                                int64_t followups, const travel_standing *standing, ctn_str trip_status)
{
    const travel_agency *agency = call->tools->agency;
    ctn_str category = ctn_str_from(travel_standing_of(standing, days));
    ctn_json_builder none = ctn_json_array(call->arena), out = ctn_json_object(call->arena);
    ctn_str lead = or_text(trip_status, or_text(h->lead_status, CTN_STR("none")));
    ctn_json_put_str(&out, "status_category", category);
    ctn_json_put_str(&out, "engagement_level", ctn_str_from(travel_engagement_of(days, is_known ? h->leads : -1)));
    ctn_json_put_str(&out, "recommended_action", ctn_str_from(travel_advice_of(category)));
    ctn_json_put_bool(&out, "is_on_file", is_known);
    ctn_json_put_int(&out, "days_since_contact", days);
    ctn_json_put_int(&out, "followups", followups);
    ctn_json_put_str(&out, "lead_status", lead);
    ctn_json_put_bool(&out, "may_write", h->client.stopped_at_ms == 0 && h->client.erased_at_ms == 0);
    ctn_json_put_str(&out, "client_name", h->client.name);
    ctn_json_put_str(&out, "language", or_text(h->client.language, travel_agency_text(agency, "language")));
    ctn_json_put_str(&out, "timezone", or_text(h->client.timezone, travel_agency_text(agency, "timezone")));
    ctn_json_put(&out, CTN_STR("contacts"), h->channels ? h->channels : ctn_json_finish(&none));
    ctn_json_put(&out, CTN_STR("trip"), trip_of(call, h->lead_id));
    return ctn_json_finish(&out);
}

/* Without days_since_contact they are the CRM's, so the client must be there. With it (the first design's chain, and
 * trying out) a CRM that is not there knows nobody; that is an answer, not a failure. */
static int analyze_client(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, text, trip_status;
    travel_history h = {0};
    travel_standing standing;
    int64_t days = -1, followups = 0, now_ms = travel_now_ms(call);
    int rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "days_since_contact", &text, err);
    if (!rc)
        rc = travel_maybe_text(call, "trip_status", &trip_status, err);
    if (!rc)
        rc = travel_maybe_moment(call, "now", now_ms, &now_ms, err);
    if (!rc)
        rc = travel_standing_read(call->tools->agency, &standing, err);
    if (rc)
        return rc;
    bool has_days = ctn_str_trim(text).len > 0, is_known = false;
    if (has_days && (!ctn_str_to_int64(ctn_str_trim(text), &days) || days < 0))
        return ctn_fail(err, CTN_E_INVALID, "days_since_contact must be a whole number of days, 0 or more");
    if (!has_days && client_id.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "say whom to look at: client_id");
    if (client_id.len > 0 && (!has_days || call->tools->crm_path)) {
        rc = travel_call_crm(call, true, err);
        if (!rc)
            rc = travel_crm_client_history(call->tools->crm, call->arena, client_id, now_ms, &h, err);
        is_known = !rc;
        if (rc && !has_days)
            return rc;
    }
    if (is_known) {
        int64_t at_ms = 0;
        rc = travel_crm_last_contact(call->tools->crm, client_id, &at_ms, &followups, err);
        if (rc)
            return rc;
        if (!has_days) /* a client with whom there never was contact is as new as its record */
            days = (now_ms - (at_ms ? at_ms : h.client.created_at_ms)) / TRAVEL_DAY_MS;
    }
    if (!is_known)
        h = (travel_history){0};
    *ret_result = analysis(call, &h, is_known, days > 0 ? days : 0, followups, &standing, trip_status);
    return CTN_OK;
}

/* ---- what to do ---- */

static int read_facts(const travel_call *call, travel_rules_facts *facts, ctn_err *err)
{
    const ctn_json *contacts = ctn_json_member_of(call->arguments, "contacts");
    int rc = travel_want_text(call, "status_category", &facts->standing, err);
    if (!rc)
        rc = travel_want_text(call, "engagement_level", &facts->engagement, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_status", &facts->lead, err);
    if (!rc)
        rc = travel_maybe_text(call, "campaign", &facts->campaign, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &facts->language, err);
    if (!rc)
        rc = travel_maybe_int(call, "days_since_contact", 0, 100000, -1, &facts->days, err);
    if (!rc)
        rc = travel_maybe_int(call, "touch", 1, TRAVEL_TOUCHES_MAX, 1, &facts->touch, err);
    if (!rc)
        rc = travel_maybe_int(call, "followups", 0, 100000, 0, &facts->followups, err);
    facts->contacts = ctn_json_is(contacts, CTN_JSON_ARRAY) ? contacts : NULL;
    return rc;
}

static int recommend_followup(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_rules_facts facts = {0};
    int rc = read_facts(call, &facts, err);
    if (rc)
        return rc;
    travel_rules_choice choice;
    if (!ctn_json_bool_or(call->arguments, "may_write", true))
        choice = (travel_rules_choice){.reason = CTN_STR("the client wants no messages")};
    else
        choice = travel_rules_choose(call->tools->agency, call->arena, &facts);
    bool is_none = choice.send.len == 0;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "followup", is_none ? CTN_STR("none") : CTN_STR("send"));
    ctn_json_put_str(&out, "followup_type", or_text(choice.send, CTN_STR("none")));
    ctn_json_put_str(&out, "urgency_level", or_text(choice.urgency, CTN_STR("low")));
    ctn_json_put_str(&out, "communication_channel", or_text(choice.channel, CTN_STR("none")));
    ctn_json_put_str(&out, "reason", choice.reason);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- what to write ---- */

static int generate_message(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_text_request request = {.language = TRAVEL_EN};
    travel_text text;
    travel_day today, send_day;
    bool has_send_day = false;
    ctn_str language, urgency;
    int rc = travel_want_text(call, "followup_type", &request.kind, err);
    if (!rc)
        rc = travel_maybe_text(call, "client_name", &request.client_name, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &language, err);
    if (!rc)
        rc = travel_maybe_text(call, "urgency_level", &urgency, err);
    if (!rc)
        rc = travel_maybe_object(call, "trip", &request.trip, err);
    if (!rc)
        rc = travel_maybe_int(call, "days_since_contact", 0, 100000, -1, &request.days_since_contact, err);
    if (!rc)
        rc = travel_today(call, &today, err);
    if (!rc)
        rc = travel_maybe_day(call, "send_at", &has_send_day, &send_day, err);
    if (rc)
        return rc;
    if (!travel_language_from(language, &request.language))
        (void) travel_language_from(travel_agency_text(call->tools->agency, "language"), &request.language);
    if (has_send_day && request.days_since_contact >= 0 && send_day > today)
        request.days_since_contact += send_day - today; /* the client reads it then */
    rc = travel_text_write(call->tools->agency, call->arena, &request, &text, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "subject_line", text.subject);
    ctn_json_put_str(&out, "send_time", travel_send_time(call->arena, today, urgency));
    ctn_json_put_str(&out, "message_content", text.body); /* the first design's template puts the rest around it */
    ctn_json_put_str(&out, "greeting", text.greeting);
    ctn_json_put_str(&out, "message_body", text.body);
    ctn_json_put_str(&out, "closing", text.closing);
    ctn_json_put_str(&out, "signature", text.signature);
    ctn_json_put_str(&out, "opt_out", text.opt_out);
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(text.language)));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- when ---- */

/* The client's zone; else that of the place from which he wanted to leave; else the agency's. */
static int open_zone(const travel_call *call, const travel_history *h, ctn_zone **ret_zone, ctn_str *ret_name,
                     ctn_err *err)
{
    ctn_str origin = ctn_json_str_or(trip_of(call, h->lead_id), "origin", CTN_STR(""));
    ctn_str wanted[2] = {h->client.timezone, ctn_str_from(origin.len ? travel_zone_of(origin) : NULL)};
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i].len > 0 && ctn_zone_open(wanted[i], ret_zone, NULL) == CTN_OK) {
            *ret_name = wanted[i];
            return CTN_OK;
        }
    }
    *ret_name = travel_agency_text(call->tools->agency, "timezone");
    return ctn_zone_open(*ret_name, ret_zone, err);
}

/* Empty: another message may go to this client. */
static ctn_str cap_reached(ctn_arena *arena, const travel_timing *timing, const travel_history *h)
{
    if (h->client.stopped_at_ms || h->client.erased_at_ms)
        return CTN_STR("the client wants no messages");
    if (h->sent_7d >= timing->per_7_days)
        return ctn_arena_printf(arena, "%lld messages went to this client in 7 days, the cap is %lld",
                                (long long) h->sent_7d, (long long) timing->per_7_days);
    if (h->sent_30d >= timing->per_30_days)
        return ctn_arena_printf(arena, "%lld messages went to this client in 30 days, the cap is %lld",
                                (long long) h->sent_30d, (long long) timing->per_30_days);
    return (ctn_str){NULL, 0};
}

static int plan_delivery(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, channel, urgency, zone_name = {NULL, 0};
    travel_timing timing;
    travel_history h = {0};
    ctn_zone *zone = NULL;
    int64_t now_ms = travel_now_ms(call), touch = 1;
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "channel", &channel, err);
    if (!rc)
        rc = travel_maybe_text(call, "urgency", &urgency, err);
    if (!rc)
        rc = travel_maybe_int(call, "touch", 1, TRAVEL_TOUCHES_MAX, 1, &touch, err);
    if (!rc)
        rc = travel_maybe_moment(call, "now", now_ms, &now_ms, err);
    if (!rc)
        rc = travel_timing_read(call->tools->agency, &timing, err);
    if (!rc)
        rc = travel_call_crm(call, true, err);
    if (!rc)
        rc = travel_crm_client_history(call->tools->crm, call->arena, client_id, now_ms, &h, err);
    if (!rc)
        rc = open_zone(call, &h, &zone, &zone_name, err);
    if (rc)
        return rc;
    /* "now": it has waited already, and only the clock may hold it back. */
    int64_t wait_ms = ctn_str_is(urgency, "now") ? 0 : timing.wait_ms[travel_urgency_index(urgency)];
    int64_t send_ms = travel_timing_next_ms(&timing, zone, now_ms + wait_ms);
    int64_t next_ms = travel_timing_next_ms(&timing, zone, send_ms + timing.gap_ms[touch - 1]);
    int64_t local_ms = ctn_zone_to_local_s(zone, send_ms / 1000) * 1000;
    ctn_zone_close(zone);
    ctn_str reason = cap_reached(call->arena, &timing, &h);
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_bool(&out, "may_send", reason.len == 0);
    ctn_json_put_str(&out, "reason", reason);
    ctn_json_put_str(&out, "send_at", travel_moment_text(call->arena, send_ms));
    ctn_json_put_bool(&out, "is_due", send_ms <= now_ms + 999);
    ctn_json_put_str(&out, "timezone", zone_name);
    ctn_json_put_str(&out, "local_time",
                     ctn_arena_printf(call->arena, "%.16s", travel_moment_text(call->arena, local_ms).ptr));
    ctn_json_put_bool(&out, "is_last_touch", touch >= timing.touches);
    ctn_json_put_str(&out, "next_touch_at", travel_moment_text(call->arena, next_ms));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int client_answered(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id;
    travel_message first = {0};
    int64_t since_ms = 0;
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_moment(call, "since", 0, &since_ms, err);
    if (!rc && since_ms == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "since is missing: it must be a time such as 2026-10-24T09:30:00Z");
    if (!rc)
        rc = travel_call_crm(call, true, err);
    if (rc)
        return rc;
    rc = travel_crm_first_incoming(call->tools->crm, call->arena, client_id, since_ms, &first, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_bool(&out, "answered", !rc);
    ctn_json_put_str(&out, "channel", first.channel);
    ctn_json_put_str(&out, "at", rc ? CTN_STR("") : travel_moment_text(call->arena, first.sent_at_ms));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- the first design's outbox row ---- */

static bool is_channel(ctn_str channel)
{
    for (size_t i = 0; i < TRAVEL_CHANNELS; i++)
        if (ctn_str_is(channel, travel_channel_names[i]))
            return true;
    return false;
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
        rc = ctn_fail(err, CTN_E_INVALID, "channel must be email, sms, whatsapp or phone, not %.*s",
                      CTN_STR_ARG(travel_name_shown(message.channel)));
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

#define MOMENT "{\"type\":\"string\",\"format\":\"date-time\"}"
#define READ   .is_read_only = true, .is_idempotent = true, .is_additive = true, .is_closed_world = true
#define ID     "{\"type\":[\"string\",\"integer\"]}"

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "analyze_client",
          .title = "Where a client stands",
          .description =
              "From the client records: how long ago the last contact was, the state of the last enquiry, standing "
              "and engagement, name, language, time zone, contacts and trip. days_since_contact and trip_status "
              "take the place of what the records say.",
          .input_schema =
              "{\"type\":\"object\",\"properties\":{\"client_id\":" ID ",\"trip_status\":" TEXT_OR_NULL
              ",\"now\":{\"type\":[\"string\",\"integer\",\"null\"]},"
              "\"days_since_contact\":{\"type\":[\"integer\",\"string\",\"null\"],\"description\":\"whole days, 0 "
              "or more\"}}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"status_category\",\"engagement_level\",\"recommended_action\","
              "\"days_since_contact\",\"followups\",\"lead_status\",\"may_write\",\"client_name\",\"language\","
              "\"timezone\","
              "\"contacts\",\"trip\"],\"properties\":{\"status_category\":{\"enum\":[\"active\",\"warm\",\"cooling\","
              "\"dormant\",\"lapsed\"]},\"engagement_level\":{\"enum\":[\"high\",\"medium\",\"low\"]},"
              "\"recommended_action\":" STRING ",\"is_on_file\":" BOOLEAN ",\"days_since_contact\":" INTEGER
              ",\"followups\":" INTEGER ",\"lead_status\":" STRING ",\"may_write\":" BOOLEAN ",\"client_name\":" STRING
              ",\"language\":" STRING ",\"timezone\":" STRING ",\"contacts\":" STRINGS
              ",\"trip\":{\"type\":\"object\"}}}",
          READ},
     .run = analyze_client},
    {.about = {.name = "recommend_followup",
               .title = "How to follow up",
               .description =
                   "What the agency's table says for a client who stands so: the kind of message, how urgent it "
                   "is and the channel, or none, and why.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"status_category\",\"engagement_level\"],\"properties\":{"
                   "\"status_category\":" STRING ",\"engagement_level\":" STRING ",\"lead_status\":" TEXT_OR_NULL
                   ",\"days_since_contact\":" INT_OR_NULL ",\"followups\":" INT_OR_NULL ",\"touch\":" INT_OR_NULL
                   ",\"campaign\":" TEXT_OR_NULL ",\"language\":" TEXT_OR_NULL ",\"may_write\":" BOOLEAN
                   ",\"contacts\":{\"type\":[\"array\",\"null\"]}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"followup\",\"followup_type\",\"urgency_level\","
                   "\"communication_channel\",\"reason\"],\"properties\":{\"followup\":{\"enum\":[\"send\",\"none\"]},"
                   "\"followup_type\":" STRING ",\"urgency_level\":{\"enum\":[\"high\",\"medium\",\"low\"]},"
                   "\"communication_channel\":" STRING ",\"reason\":" STRING "}}",
               READ},
     .run = recommend_followup},
    {.about = {.name = "generate_message",
               .title = "Write a follow-up message",
               .description = "Subject, greeting, body, closing and signature for a kind of follow-up, in the client's "
                              "language, from the agency's texts or the pack's.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"followup_type\"],\"properties\":{\"followup_type\":" STRING
                   ",\"client_name\":" TEXT_OR_NULL ",\"language\":" TEXT_OR_NULL ",\"trip_status\":" TEXT_OR_NULL
                   ",\"trip\":{\"type\":[\"object\",\"null\"]},\"days_since_contact\":" INT_OR_NULL
                   ",\"urgency_level\":" TEXT_OR_NULL ",\"send_at\":" TEXT_OR_NULL ",\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"subject_line\",\"send_time\",\"message_content\",\"greeting\","
                   "\"message_body\",\"closing\",\"signature\",\"opt_out\",\"language\"],\"properties\":{"
                   "\"subject_line\":" STRING ",\"send_time\":" STRING ",\"message_content\":" STRING
                   ",\"greeting\":" STRING ",\"message_body\":" STRING ",\"closing\":" STRING ",\"signature\":" STRING
                   ",\"opt_out\":" STRING ",\"language\":" STRING "}}",
               READ},
     .run = generate_message},
    {.about = {.name = "plan_delivery",
               .title = "When a message may reach a client",
               .description =
                   "The next moment outside the quiet hours of the client's own time zone, by urgency (now: "
                   "without waiting first), whether the cap of messages leaves room, and when the next message "
                   "of a sequence would be due.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" STRING
                   ",\"channel\":" TEXT_OR_NULL ",\"urgency\":{\"enum\":[\"now\",\"high\",\"medium\",\"low\",null]},"
                   "\"touch\":" INT_OR_NULL ",\"now\":{\"type\":[\"string\",\"integer\",\"null\"]}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"may_send\",\"reason\",\"send_at\",\"is_due\",\"timezone\","
                   "\"local_time\",\"is_last_touch\",\"next_touch_at\"],\"properties\":{\"may_send\":" BOOLEAN
                   ",\"reason\":" STRING ",\"send_at\":" MOMENT ",\"is_due\":" BOOLEAN ",\"timezone\":" STRING
                   ",\"local_time\":" STRING ",\"is_last_touch\":" BOOLEAN ",\"next_touch_at\":" MOMENT "}}",
               READ},
     .run = plan_delivery},
    {.about = {.name = "client_answered",
               .title = "Has the client answered?",
               .description =
                   "Whether a message or an enquiry came from the client after a moment, by which channel and "
                   "when.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"since\"],\"properties\":{"
                               "\"client_id\":" STRING ",\"since\":" WHEN "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"answered\",\"channel\",\"at\"],\"properties\":{"
                                "\"answered\":" BOOLEAN ",\"channel\":" STRING ",\"at\":" STRING "}}",
               READ},
     .run = client_answered},
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

const travel_toolset travel_followup_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS, check_section};
