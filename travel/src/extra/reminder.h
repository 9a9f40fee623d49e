/*
 * reminder.h -- when to remind a client of something before a day: so many days earlier, by the client's own clock.
 *
 * A moment that has passed becomes the next time that the client's clock shows the hour, so that nobody is woken
 * because somebody started late. Pure, but for the system's time zone database.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "kit/calendar.h"

enum { TRAVEL_REMIND_DAYS_MAX = 730 };

typedef struct travel_reminder_request {
    travel_day day;      /* of the event, in the client's zone */
    int64_t days_before; /* at most the above */
    int hour;            /* of the client's clock, 0 to 23 */
    ctn_str timezone;    /* "Europe/Madrid"; empty: UTC */
    int64_t now_ms;
} travel_reminder_request;

typedef struct travel_reminder {
    int64_t at_ms;
    ctn_str local; /* "2027-03-01 10:00" */
    bool is_late;  /* the moment that was asked for had passed */
    bool is_past;  /* at that time the day itself has begun: nothing is left to remind of */
} travel_reminder;

/* CTN_E_NOT_FOUND: there is no such time zone. */
int travel_reminder_plan(ctn_arena *arena, const travel_reminder_request *request, travel_reminder *ret_reminder,
                         ctn_err *err);
