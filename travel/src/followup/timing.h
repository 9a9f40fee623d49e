/*
 * timing.h -- when a message may reach a client: in the client's own time zone, by day, and not too often.
 *
 *     followup:
 *       quiet_hours: {from: "20:00", to: "09:00"}       # of the client's clock
 *       days: [mon, tue, wed, thu, fri]                 # of the client's calendar
 *       wait_hours: {high: 4, medium: 24, low: 48}      # from the decision to the earliest time, by the row's urgency
 *       cap: {per_7_days: 2, per_30_days: 4}            # messages to one client, whatever sent them
 *       sequence: {touches: 3, gap_days: [4, 9]}        # between one message of a sequence and the next
 *
 * Pure: the zone's file is read by base/zone.h, the clock and the counts are the caller's.
 */
#pragma once

#include "agency.h"
#include "base/zone.h"

enum { TRAVEL_TOUCHES_MAX = 6 };

typedef struct travel_timing {
    int quiet_from, quiet_to; /* minutes of the day */
    bool days[7];             /* from Monday */
    int64_t wait_ms[3];       /* high, medium, low */
    int64_t per_7_days, per_30_days;
    int64_t touches, gap_ms[TRAVEL_TOUCHES_MAX]; /* gap_ms[0] is behind the first */
} travel_timing;

/* CTN_E_INVALID with file:line:column. */
int travel_timing_read(const travel_agency *agency, travel_timing *ret_timing, ctn_err *err);
/* The first moment from `earliest_ms` on that is no quiet hour and on a day that is wanted; also right where the clocks
 * are changed on the way. */
int64_t travel_timing_next_ms(const travel_timing *timing, const ctn_zone *zone, int64_t earliest_ms);
/* 0, 1, 2 for high, medium, low and anything else. */
size_t travel_urgency_index(ctn_str urgency);
