/*
 * reminder.c -- see reminder.h.
 */
#include "extra/reminder.h"

#include "base/zone.h"

#include <assert.h>

static const int64_t DAY_S = 86400, HOUR_S = 3600;

int travel_reminder_plan(ctn_arena *arena, const travel_reminder_request *request, travel_reminder *ret_reminder,
                         ctn_err *err)
{
    ctn_zone *zone = NULL;
    assert(request->days_before >= 0 && request->days_before <= TRAVEL_REMIND_DAYS_MAX);
    assert(request->hour >= 0 && request->hour <= 23);
    int rc = ctn_zone_open(request->timezone, &zone, err);
    if (rc == CTN_E_NOT_FOUND) /* its sentence would tell what was taken for a zone */
        return ctn_fail(err, rc, "timezone: there is no such time zone here; names are like Europe/London or UTC");
    if (rc)
        return ctn_wrap(err, rc, "timezone");
    int64_t now_s = request->now_ms / 1000, hour_s = request->hour * HOUR_S;
    int64_t day = (int64_t) request->day - request->days_before;
    int64_t at_s = ctn_zone_from_local_s(zone, day * DAY_S + hour_s);
    travel_reminder r = {.is_late = at_s < now_s};
    if (r.is_late) {
        day = ctn_zone_to_local_s(zone, now_s) / DAY_S;
        at_s = ctn_zone_from_local_s(zone, day * DAY_S + hour_s);
        if (at_s < now_s)
            at_s = ctn_zone_from_local_s(zone, ++day * DAY_S + hour_s);
    }
    char text[11];
    travel_day_format((travel_day) day, text);
    r.at_ms = at_s * 1000;
    r.local = ctn_arena_printf(arena, "%s %02d:00", text, request->hour);
    r.is_past = r.is_late && day >= (int64_t) request->day;
    *ret_reminder = r;
    ctn_zone_close(zone);
    return CTN_OK;
}
