/*
 * schedule.c -- see schedule.h.
 */
#include "engine/schedule.h"
#include "base/civil.h"
#include <assert.h>
#include <string.h>

#define DAY_MS     INT64_C(86400000)
#define EVERY_HOUR UINT64_C(0xffffff)

int ctn_schedule_times_open(ctn_str cron, ctn_str zone, ctn_schedule_times *ret_times, ctn_err *err)
{
    ctn_schedule_times t = {.zone = NULL};
    int rc = ctn_cron_parse(cron, &t.cron, err);
    if (rc == CTN_OK)
        rc = ctn_zone_open(zone, &t.zone, err);
    if (rc == CTN_OK)
        *ret_times = t;
    return rc;
}

void ctn_schedule_times_close(ctn_schedule_times *t)
{
    ctn_zone_close(t->zone);
    t->zone = NULL;
}

/* Local minutes in their order; those that the clock showed before are passed by. */
static int64_t next_first_s(const ctn_schedule_times *t, int64_t after_s)
{
    int64_t local_s = ctn_zone_to_local_s(t->zone, after_s);
    while (ctn_cron_next(&t->cron, local_s, &local_s)) {
        int64_t at_s = ctn_zone_from_local_s(t->zone, local_s);
        if (at_s > after_s)
            return at_s;
    }
    return INT64_MAX;
}

/* A minute that the clock shows again after it went back, before this point; INT64_MAX: none. */
static int64_t next_repeated_s(const ctn_schedule_times *t, int64_t after_s, int64_t before_s)
{
    for (int64_t change_s = ctn_zone_next_change_s(t->zone, after_s - DAY_MS / 1000 - 1); change_s < before_s;
         change_s = ctn_zone_next_change_s(t->zone, change_s)) {
        int64_t shown_s = ctn_zone_to_local_s(t->zone, change_s - 1) + 1; /* what the clock would have shown */
        int64_t begin_s = ctn_zone_to_local_s(t->zone, change_s), local_s = begin_s - 1;
        while (local_s < shown_s && ctn_cron_next(&t->cron, local_s, &local_s) && local_s < shown_s) {
            int64_t at_s = change_s + (local_s - begin_s);
            if (at_s > after_s)
                return at_s < before_s ? at_s : INT64_MAX;
        }
    }
    return INT64_MAX;
}

int64_t ctn_schedule_next_ms(const ctn_schedule_times *t, int64_t after_ms)
{
    int64_t after_s = ctn_civil_floor_div(after_ms, 1000);
    int64_t next_s = next_first_s(t, after_s);
    if (t->cron.hours == EVERY_HOUR && next_s != INT64_MAX) {
        int64_t repeated_s = next_repeated_s(t, after_s, next_s);
        next_s = repeated_s < next_s ? repeated_s : next_s;
    }
    return next_s == INT64_MAX ? 0 : next_s * 1000;
}

static void turn_into_order(int64_t *times, size_t count, size_t oldest)
{
    int64_t ordered[CTN_SCHEDULE_MISSED_MAX];
    for (size_t i = 0; i < count; i++)
        ordered[i] = times[(oldest + i) % count];
    memcpy(times, ordered, count * sizeof *times);
}

size_t ctn_schedule_missed(const ctn_schedule_times *t, int64_t after_ms, int64_t until_ms, size_t max,
                           int64_t *ret_times_ms)
{
    /* From near to far: what comes often is found in the last day, what comes seldom is quickly walked. */
    static const int64_t BACK_DAYS[] = {1, 32, 366, 40 * 366};
    assert(max > 0 && max <= CTN_SCHEDULE_MISSED_MAX);
    for (size_t i = 0; i < sizeof BACK_DAYS / sizeof *BACK_DAYS; i++) {
        int64_t from_ms = until_ms - BACK_DAYS[i] * DAY_MS;
        bool is_all = from_ms <= after_ms || i + 1 == sizeof BACK_DAYS / sizeof *BACK_DAYS;
        size_t count = 0;
        for (int64_t at_ms = ctn_schedule_next_ms(t, from_ms <= after_ms ? after_ms : from_ms);
             at_ms && at_ms <= until_ms; at_ms = ctn_schedule_next_ms(t, at_ms))
            ret_times_ms[count++ % max] = at_ms;
        if (count >= max || is_all) {
            if (count > max)
                turn_into_order(ret_times_ms, max, count % max);
            return count < max ? count : max;
        }
    }
    return 0;
}
