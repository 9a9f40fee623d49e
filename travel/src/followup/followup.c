/* followup.c -- see followup.h. Tables of plain rules. */
#include "followup/followup.h"

#include "followup/timing.h"

const char *travel_engagement_of(int64_t days_since_contact, int64_t enquiries)
{
    int64_t days = days_since_contact;
    if (days <= 7 || (days <= 14 && enquiries >= 2))
        return "high";
    return days <= 45 || (days <= 90 && enquiries >= 2) ? "medium" : "low";
}

const char *travel_advice_of(ctn_str standing)
{
    static const char *const advice[][2] = {
        {"active", "Answer open questions; no reminder is needed yet."},
        {"warm", "Ask whether the proposal fits and offer to change it."},
        {"cooling", "Send a friendly reminder with one concrete suggestion."},
        {"dormant", "Offer a fresh start: new dates, new ideas, current prices."},
    };
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
        if (ctn_str_is(standing, advice[i][0]))
            return advice[i][1];
    return "Write once to ask whether they still wish to hear from you.";
}

ctn_str travel_send_time(ctn_arena *arena, travel_day today, ctn_str urgency)
{
    char text[11];
    travel_day day = today + 1 + (travel_day) travel_urgency_index(urgency);
    while (travel_day_weekday(day) >= 5)
        day++;
    travel_day_format(day, text);
    return ctn_arena_printf(arena, "%sT09:30:00.000Z", text);
}
