/*
 * lanes.h -- whose turn it is among queued executions. Pure: no clock, no store, no engine.
 *
 * A lane is the queue of one chain at one priority. It holds the next few executions in order of arrival; the rest
 * stay in the store, so a million queued ones cost what their lanes cost. Turns are shared by weight: a priority gets
 * twice the turns of the one below it (9: 512 of 0's one), so the first goes first and the last is never starved;
 * lanes of equal priority take turns one by one, however long each is.
 *
 * What must always hold:
 *   - Of two lanes that both have work all the time, each gets its share of any long run of turns; a lane that was
 *     empty for long saves nothing up.
 *   - Within a lane the smallest number comes first.
 *
 * A chain may allow only so many at once (maxConcurrent): its lanes are passed by while it is full, and lose nothing.
 *
 * Ownership  The lanes keep their own copies of names.
 */
#pragma once
#include "base/id.h"
#include "base/str.h"

#define CTN_LANE_HOLDS 64

typedef struct ctn_lane_item {
    int64_t exec_no;
    ctn_execution_id id;
} ctn_lane_item;

/* How many executions of a chain run at once, and may. */
typedef struct ctn_lane_chain {
    char *chain_id;
    int64_t running, limit; /* limit 0: none */
    int64_t waiting;        /* that were begun, parked, and want to go on: theirs are the next places */
    struct ctn_lane_chain *next;
} ctn_lane_chain;

typedef struct ctn_lane {
    ctn_lane_chain *chain;
    int priority;
    bool has_more;    /* the store may hold some that are not in `items` */
    uint64_t turn_at; /* when its next turn is, in the lanes' own time */
    ctn_lane_item items[CTN_LANE_HOLDS];
    size_t first, count;
    struct ctn_lane *next;
} ctn_lane;

typedef struct ctn_lanes {
    ctn_lane *first;
    ctn_lane_chain *chains;
    uint64_t time;  /* of the last turn */
    size_t waiting; /* lanes that have, or may have, something */
} ctn_lanes;

void ctn_lanes_done(ctn_lanes *lanes);
/* Made when it is not there yet. */
ctn_lane_chain *ctn_lanes_chain(ctn_lanes *lanes, ctn_str chain_id);
ctn_lane *ctn_lanes_lane(ctn_lanes *lanes, ctn_str chain_id, int priority);
/* The store has, or may have, something for this lane. */
void ctn_lane_expect(ctn_lanes *lanes, ctn_lane *lane);
/* One that is queued, in its place by number; what has no place, or comes after some that only the store knows, stays
 * there. */
void ctn_lane_add(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item item);
/* What the store said when it was asked for the first ones: replaces what the lane holds. At most CTN_LANE_HOLDS. */
void ctn_lane_refill(ctn_lanes *lanes, ctn_lane *lane, const ctn_lane_item *items, size_t count, bool has_more);

/* The lane whose turn it is among those that have, or may have, something and whose chain is not full; NULL: none.
 * Changes nothing. */
ctn_lane *ctn_lanes_next(const ctn_lanes *lanes);
/* Takes its first item; false: it holds none (ask the store if has_more). */
bool ctn_lane_take(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item *ret_item);
/* It had its turn: what it took was admitted. */
void ctn_lane_had_turn(ctn_lanes *lanes, ctn_lane *lane);
bool ctn_lane_chain_is_full(const ctn_lane_chain *chain);
