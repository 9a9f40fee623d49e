/*
 * timing.c -- see timing.h.
 */
#include "followup/timing.h"

#include "kit/calendar.h"
#include "kit/section.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    MINUTES_PER_DAY = 24 * 60,
    SECONDS_PER_DAY = 86400,
    MS_PER_SECOND = 1000,
    MS_PER_HOUR = 3600000,
    HOPS_MAX = 32, /* each hop is to the next end of a quiet time or of a day; a week of them is 14 */
};

static const char *const DAYS[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const URGENCIES[3] = {"high", "medium", "low"};

size_t travel_urgency_index(ctn_str urgency)
{
    return ctn_str_is(urgency, "high") ? 0 : ctn_str_is(urgency, "medium") ? 1 : 2;
}

/* ---- settings ---- */

/* "09:30" */
static bool parse_clock(ctn_str text, int *ret_minutes)
{
    int64_t hours, minutes;
    if (text.len != 5 || text.ptr[2] != ':' || !ctn_str_to_int64((ctn_str){text.ptr, 2}, &hours) ||
        !ctn_str_to_int64((ctn_str){text.ptr + 3, 2}, &minutes) || hours < 0 || hours > 23 || minutes < 0 ||
        minutes > 59)
        return false;
    *ret_minutes = (int) (hours * 60 + minutes);
    return true;
}

static int read_clock(const travel_agency *agency, const ctn_json *quiet, const char *key, const char *otherwise,
                      int *ret_minutes, ctn_err *err)
{
    ctn_str text;
    int rc = travel_section_text(agency, quiet, key, ctn_str_from(otherwise), &text, err);
    if (!rc && !parse_clock(text, ret_minutes))
        rc = travel_agency_fault(agency, ctn_json_member_of(quiet, key), err, "%s must be a time such as \"20:00\"",
                                 key);
    return rc;
}

static int read_quiet(const travel_agency *agency, const ctn_json *section, travel_timing *t, ctn_err *err)
{
    static const char *const keys[] = {"from", "to"};
    const ctn_json *quiet = NULL;
    int rc = travel_section_object(agency, section, "quiet_hours", &quiet, err);
    if (!rc)
        rc = travel_section_keys(agency, quiet, "followup.quiet_hours", keys, COUNT(keys), err);
    if (!rc)
        rc = read_clock(agency, quiet, "from", "20:00", &t->quiet_from, err);
    if (!rc)
        rc = read_clock(agency, quiet, "to", "09:00", &t->quiet_to, err);
    if (!rc && t->quiet_from == t->quiet_to)
        rc = travel_agency_fault(agency, quiet, err, "quiet_hours that end when they begin leave no time to write");
    return rc;
}

static int read_days(const travel_agency *agency, const ctn_json *section, travel_timing *t, ctn_err *err)
{
    const ctn_json *days = section ? ctn_json_member_of(section, "days") : NULL;
    if (!days || ctn_json_is(days, CTN_JSON_NULL)) {
        for (size_t i = 0; i < 5; i++)
            t->days[i] = true;
        return CTN_OK;
    }
    if (!ctn_json_is(days, CTN_JSON_ARRAY) || days->count == 0)
        return travel_agency_fault(agency, days, err,
                                   "days must be a list of at least one of mon, tue, wed, thu, fri, sat, "
                                   "sun");
    for (size_t i = 0; i < days->count; i++) {
        size_t k = 0;
        while (k < 7 && !ctn_str_is(ctn_json_text(ctn_json_at(days, i)), DAYS[k]))
            k++;
        if (k == 7)
            return travel_section_unknown_word(agency, ctn_json_at(days, i), "a day", DAYS, 7, err);
        t->days[k] = true;
    }
    return CTN_OK;
}

static int read_waits(const travel_agency *agency, const ctn_json *section, travel_timing *t, ctn_err *err)
{
    static const int64_t defaults[3] = {4, 24, 48};
    const ctn_json *waits = NULL;
    int64_t hours = 0;
    int rc = travel_section_object(agency, section, "wait_hours", &waits, err);
    if (!rc)
        rc = travel_section_keys(agency, waits, "followup.wait_hours", URGENCIES, 3, err);
    for (size_t i = 0; !rc && i < 3; i++) {
        rc = travel_section_int(agency, waits, URGENCIES[i], 0, 24 * 60, defaults[i], &hours, err);
        t->wait_ms[i] = hours * MS_PER_HOUR;
    }
    return rc;
}

static int read_cap(const travel_agency *agency, const ctn_json *section, travel_timing *t, ctn_err *err)
{
    static const char *const keys[] = {"per_7_days", "per_30_days"};
    const ctn_json *cap = NULL;
    int rc = travel_section_object(agency, section, "cap", &cap, err);
    if (!rc)
        rc = travel_section_keys(agency, cap, "followup.cap", keys, COUNT(keys), err);
    if (!rc)
        rc = travel_section_int(agency, cap, "per_7_days", 1, 50, 2, &t->per_7_days, err);
    if (!rc)
        rc = travel_section_int(agency, cap, "per_30_days", 1, 200, 4, &t->per_30_days, err);
    return rc;
}

static int read_sequence(const travel_agency *agency, const ctn_json *section, travel_timing *t, ctn_err *err)
{
    static const char *const keys[] = {"touches", "gap_days"};
    const ctn_json *sequence = NULL;
    int64_t days = 4;
    int rc = travel_section_object(agency, section, "sequence", &sequence, err);
    if (!rc)
        rc = travel_section_keys(agency, sequence, "followup.sequence", keys, COUNT(keys), err);
    if (!rc)
        rc = travel_section_int(agency, sequence, "touches", 1, 3, 3, &t->touches, err);
    const ctn_json *gaps = sequence ? ctn_json_member_of(sequence, "gap_days") : NULL;
    if (!rc && gaps && !ctn_json_is(gaps, CTN_JSON_ARRAY))
        rc = travel_agency_fault(agency, gaps, err, "gap_days must be a list of days, as in [4, 9]");
    for (size_t i = 0; !rc && i < TRAVEL_TOUCHES_MAX; i++) {
        const ctn_json *gap = ctn_json_at(gaps, i);
        if (gap && (!ctn_json_to_int64(gap, &days) || days < 1 || days > 365))
            rc = travel_agency_fault(agency, gap, err, "a gap must be a whole number of days from 1 to 365");
        else if (!gap && !gaps && i == 1)
            days = 9;
        t->gap_ms[i] = days * TRAVEL_DAY_MS; /* the last one that is named holds on */
    }
    return rc;
}

int travel_timing_read(const travel_agency *agency, travel_timing *ret_timing, ctn_err *err)
{
    const ctn_json *section = travel_agency_section(agency, "followup");
    travel_timing t = {0};
    int rc = read_quiet(agency, section, &t, err);
    if (!rc)
        rc = read_days(agency, section, &t, err);
    if (!rc)
        rc = read_waits(agency, section, &t, err);
    if (!rc)
        rc = read_cap(agency, section, &t, err);
    if (!rc)
        rc = read_sequence(agency, section, &t, err);
    if (!rc)
        *ret_timing = t;
    return rc;
}

/* ---- the next good moment ---- */

static bool is_quiet(const travel_timing *t, int minute)
{
    return t->quiet_from < t->quiet_to ? minute >= t->quiet_from && minute < t->quiet_to
                                       : minute >= t->quiet_from || minute < t->quiet_to;
}

/* Seconds of the local clock until something changes: the quiet time ends, or the unwanted day does. 0: it is good. */
static int64_t until_better_s(const travel_timing *t, int64_t local_s)
{
    int64_t day = local_s / SECONDS_PER_DAY, in_day = local_s % SECONDS_PER_DAY; /* after 1970 */
    int minute = (int) (in_day / 60);
    if (!t->days[(day + 3) % 7]) /* 1970-01-01 was a Thursday */
        return SECONDS_PER_DAY - in_day;
    if (!is_quiet(t, minute))
        return 0;
    int64_t end = (int64_t) t->quiet_to * 60;
    return end > in_day ? end - in_day : SECONDS_PER_DAY - in_day;
}

int64_t travel_timing_next_ms(const travel_timing *timing, const ctn_zone *zone, int64_t earliest_ms)
{
    int64_t at_s = (earliest_ms + MS_PER_SECOND - 1) / MS_PER_SECOND;
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        int64_t local_s = ctn_zone_to_local_s(zone, at_s);
        int64_t wait_s = until_better_s(timing, local_s);
        if (wait_s == 0)
            break;
        /* A local time that comes twice may name one that has passed: then go on by the span. */
        int64_t next_s = ctn_zone_from_local_s(zone, local_s + wait_s);
        at_s = next_s > at_s ? next_s : at_s + wait_s;
    }
    return at_s * MS_PER_SECOND;
}
