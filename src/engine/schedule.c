/*
 * schedule.c -- see schedule.h.
 */
#include "engine/schedule.h"
#include "base/civil.h"

#define DAY_MS INT64_C(86400000)

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
int64_t ctn_schedule_next_ms(const ctn_schedule_times *t, int64_t after_ms)
{
    int64_t after_s = ctn_civil_floor_div(after_ms, 1000);
    int64_t local_s = ctn_zone_to_local_s(t->zone, after_s);
    while (ctn_cron_next(&t->cron, local_s, &local_s)) {
        int64_t at_s = ctn_zone_from_local_s(t->zone, local_s);
        if (at_s > after_s)
            return at_s * 1000;
    }
    return 0;
}

int64_t ctn_schedule_last_ms(const ctn_schedule_times *t, int64_t after_ms, int64_t until_ms)
{
    /* From near to far: what comes often is found in the last day, what comes seldom is quickly walked. */
    static const int64_t BACK_DAYS[] = {1, 32, 366, 40 * 366};
    for (size_t i = 0; i < sizeof BACK_DAYS / sizeof *BACK_DAYS; i++) {
        int64_t from_ms = until_ms - BACK_DAYS[i] * DAY_MS, last_ms = 0;
        bool is_all = from_ms <= after_ms;
        for (int64_t at_ms = ctn_schedule_next_ms(t, is_all ? after_ms : from_ms); at_ms && at_ms <= until_ms;
             at_ms = ctn_schedule_next_ms(t, at_ms))
            last_ms = at_ms;
        if (last_ms || is_all)
            return last_ms;
    }
    return 0;
}
