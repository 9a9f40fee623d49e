/* followup.c -- see followup.h. Tables of plain rules, so that an agency can read and change them. */
#include "followup/followup.h"

typedef struct status_rule {
    int64_t days_max;
    const char *status, *action;
} status_rule;

static const status_rule STATUS_RULES[] = {
    {3, "active", "Answer open questions; no reminder is needed yet."},
    {14, "warm", "Ask whether the proposal fits and offer to change it."},
    {45, "cooling", "Send a friendly reminder with one concrete suggestion."},
    {180, "dormant", "Offer a fresh start: new dates, new ideas, current prices."},
    {INT64_MAX, "lapsed", "Write once to ask whether they still wish to hear from you."},
};

static const char *engagement_of(int64_t days, int sessions)
{
    if (days <= 7 || (days <= 14 && sessions >= 2))
        return "high";
    return days <= 45 || (days <= 90 && sessions >= 2) ? "medium" : "low";
}

const ctn_json *travel_client_analyze(ctn_arena *arena, int64_t days, int sessions)
{
    const status_rule *rule = STATUS_RULES;
    while (days > rule->days_max)
        rule++;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "status_category", ctn_str_from(rule->status));
    ctn_json_put_str(&out, "engagement_level", ctn_str_from(engagement_of(days, sessions)));
    ctn_json_put_str(&out, "recommended_action", ctn_str_from(rule->action));
    ctn_json_put_bool(&out, "is_on_file", sessions >= 0);
    return ctn_json_finish(&out);
}

typedef struct followup_rule {
    const char *status, *type, *urgency, *channel;
} followup_rule;

static const followup_rule FOLLOWUP_RULES[] = {
    {"active", "check_in", "low", "email"},     {"warm", "proposal_review", "high", "whatsapp"},
    {"cooling", "reminder", "medium", "email"}, {"dormant", "re_engagement", "low", "email"},
    {"lapsed", "permission", "low", "email"},
};

const ctn_json *travel_followup_recommend(ctn_arena *arena, ctn_str status, ctn_str engagement)
{
    const followup_rule *rule = &FOLLOWUP_RULES[2];
    for (size_t i = 0; i < sizeof FOLLOWUP_RULES / sizeof *FOLLOWUP_RULES; i++)
        if (ctn_str_is(status, FOLLOWUP_RULES[i].status))
            rule = &FOLLOWUP_RULES[i];
    const char *urgency = rule->urgency;
    if (ctn_str_is(engagement, "high") && ctn_str_is(ctn_str_from(urgency), "medium"))
        urgency = "high";
    if (ctn_str_is(engagement, "low") && ctn_str_is(ctn_str_from(urgency), "high"))
        urgency = "medium";
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "followup_type", ctn_str_from(rule->type));
    ctn_json_put_str(&out, "urgency_level", ctn_str_from(urgency));
    ctn_json_put_str(&out, "communication_channel", ctn_str_from(rule->channel));
    return ctn_json_finish(&out);
}

typedef struct message_kind {
    const char *type, *subject, *body;
} message_kind;

static const message_kind MESSAGE_KINDS[] = {
    {"check_in", "Anything we can add to your trip?",
     "We are glad to be working on your trip. If a question has come up since we last spoke, just answer this message: "
     "changes are easy at this stage."},
    {"proposal_review", "Does our proposal fit?",
     "You have had a few days with our proposal. Does it come close to what you had in mind? Tell us what you would "
     "change "
     "(dates, hotels, budget) and you will have a new version the next working day."},
    {"reminder", "Shall we keep your plans going?",
     "We have not heard from you for a little while and did not want your plans to slip away. Fares for popular weeks "
     "tend "
     "to rise, so if the trip still appeals, a short answer is enough for us to check today's prices for you."},
    {"re_engagement", "A fresh look at your travel plans",
     "Plans change, and that is fine. If you would like a fresh start, send us a month and a rough budget, and we will "
     "come "
     "back with two or three new ideas."},
    {"permission", "May we stay in touch?",
     "It has been a while since we last spoke. If you would still like to hear from us about travel, simply answer "
     "this "
     "message; if not, there is nothing to do and we will not write again."},
};

/* The urgency decides the day, working days only; half past nine in UTC. */
static travel_day send_day(travel_day today, ctn_str urgency)
{
    travel_day day = today + (ctn_str_is(urgency, "high") ? 1 : ctn_str_is(urgency, "medium") ? 2 : 3);
    while (travel_day_weekday(day) >= 5)
        day++;
    return day;
}

const ctn_json *travel_message_generate(ctn_arena *arena, const travel_message_request *request)
{
    const message_kind *kind = &MESSAGE_KINDS[2];
    for (size_t i = 0; i < sizeof MESSAGE_KINDS / sizeof *MESSAGE_KINDS; i++)
        if (ctn_str_is(request->followup_type, MESSAGE_KINDS[i].type))
            kind = &MESSAGE_KINDS[i];
    char day[11];
    travel_day_format(send_day(request->today, request->urgency_level), day);
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "subject_line", ctn_str_from(kind->subject));
    ctn_json_put_str(&out, "send_time", ctn_arena_printf(arena, "%sT09:30:00.000Z", day));
    ctn_json_put_str(&out, "message_content", ctn_str_from(kind->body));
    return ctn_json_finish(&out);
}
