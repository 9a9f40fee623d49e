/*
 * lanes.h -- whose turn it is among queued executions. Pure: no clock, no store, no engine.
 *
 * A lane is the queue of one tenant, chain and priority. It holds the next few executions in order of arrival; the rest
 * stay in the store, so a million queued ones cost what their lanes cost. A turn is one execution that is admitted:
 *
 *   1. Tenants share the turns by weight: of two that always have work, one of weight 3 and one of weight 1, the first
 *      gets three of every four, however much each has queued. Everything without a tenant is one tenant, "".
 *   2. The turns of a tenant are shared among its lanes by priority: each level gets twice the turns of the one below
 *      (9: 512 of 0's one). Lanes of equal priority take turns one by one, however long each is; so do chains.
 *   3. Waiting raises: each CTN_LANE_AGE_MS that the first of a lane has waited counts as a level, up to the middle
 * one. So who waits at 0 has after five minutes the share of an ordinary one, and still ends under a flood of 9 (one
 * turn in 17). It goes no higher: an old crowd does not stand before a fresh ordinary one.
 *
 * What must always hold:
 *   - Of two that both have work all the time, each gets its share of any long run of turns; who was idle saves
 *     nothing up, and who comes anew waits for at most one turn of each that has his weight.
 *   - Within a lane the smallest number comes first.
 *   - Passed by, and losing nothing, are the lanes of a chain that is full (maxConcurrent), and all of a tenant that is
 *     full (`running`) or shut (a quota is used up).
 *
 * A turn costs the logarithm of the number of tenants and lanes. A place that comes free in a chain that was full costs
 * as many steps as lanes were passed by for it since.
 *
 * Ownership  The lanes keep their own copies of names. Tenants and chains stay until the end; a lane in which nothing
 *            is queued lives until ctn_lanes_tidy.
 */
#pragma once
#include "base/heap.h"
#include "base/id.h"
#include "base/str.h"

#define CTN_LANE_HOLDS  64
#define CTN_LANE_MIDDLE 5     /* up to this priority waiting raises */
#define CTN_LANE_AGE_MS 60000 /* by one level each */
#define CTN_WEIGHT_MAX  1000  /* of a tenant */

typedef struct ctn_lane_item {
    int64_t exec_no;
    ctn_execution_id id; /* tells when it came, too */
} ctn_lane_item;

/* Where a table finds it: first in what the table is of. */
typedef struct ctn_lane_slot {
    struct ctn_lane_slot *next;
    uint64_t hash;
} ctn_lane_slot;

typedef struct ctn_lane_tenant {
    ctn_lane_slot slot;
    ctn_heap_node turn; /* among tenants that may start something */
    char *name;         /* "": all that have none */
    int64_t weight;
    int64_t running, limit; /* limit 0: none */
    int64_t queued;         /* in all its lanes, and behind others with their key; counted by the owner (depth) */
    /* The owner's (inbox.h): starts that were asked for and not acknowledged yet, and those that were not taken yet. */
    int64_t starting;
    struct filed *first_start, *last_start;
    struct ctn_lane_tenant *next_asking;
    bool is_shut;                         /* nothing of it starts */
    int64_t time;                         /* of its last turn, in its own time */
    ctn_heap lanes;                       /* that have work, and were not passed by */
    const struct ctn_tenant_rules *rules; /* the owner's, and */
    struct ctn_quota *quota;              /* the owner's */
} ctn_lane_tenant;

/* How many executions of a chain run at once, and may. */
typedef struct ctn_lane_chain {
    ctn_lane_slot slot;
    char *chain_id;
    int64_t running, limit;     /* limit 0: none */
    int64_t waiting;            /* that were begun, parked, and want to go on: theirs are the next places */
    struct ctn_lane *passed_by; /* lanes with work, since it was found full */
} ctn_lane_chain;

typedef struct ctn_lane {
    ctn_lane_slot slot;
    ctn_heap_node turn, age; /* age: when its first one has waited for a level more */
    ctn_lane_tenant *tenant;
    ctn_lane_chain *chain;
    int priority;
    bool has_more;        /* the store may hold some that are not in `items` */
    int64_t oldest_at_ms; /* when the first of those came; 0: unknown */
    int64_t depth;        /* all that are queued; counted by the owner */
    int64_t turn_from;    /* the tenant's time from which its next turn is counted, */
    int level;            /* ... at this priority */
    bool is_passed_by;
    struct ctn_lane *next_passed_by;
    ctn_lane_item items[CTN_LANE_HOLDS];
    size_t first, count;
} ctn_lane;

typedef struct ctn_lane_table {
    ctn_lane_slot **slots;
    size_t size, count;
} ctn_lane_table;

typedef struct ctn_lanes {
    ctn_lane_table by_name, by_chain, lanes;
    ctn_heap turns; /* of tenants */
    ctn_heap ages;  /* of lanes */
    int64_t time;   /* of the last turn of any tenant */
    int64_t now_ms; /* when they were asked last */
    size_t waiting; /* lanes that have, or may have, something */
    size_t tidy_at; /* so many lanes: those in which nothing is queued may go */
} ctn_lanes;

void ctn_lanes_done(ctn_lanes *lanes);
/* Made when it is not there yet: a tenant with weight 1 and no limit. */
ctn_lane_tenant *ctn_lanes_tenant(ctn_lanes *lanes, ctn_str name);
ctn_lane_chain *ctn_lanes_chain(ctn_lanes *lanes, ctn_str chain_id);
ctn_lane *ctn_lanes_lane(ctn_lanes *lanes, ctn_lane_tenant *tenant, ctn_str chain_id, int priority);
/* All of them, in no order; not 0: stop. */
void ctn_lanes_each_tenant(const ctn_lanes *lanes, int (*fn)(void *ctx, ctn_lane_tenant *tenant), void *ctx);
void ctn_lanes_each(const ctn_lanes *lanes, int (*fn)(void *ctx, ctn_lane *lane), void *ctx);
/* Lets lanes go in which nothing is queued, when there are twice as many lanes as it left the last time. Any lane that
 * was given out may be gone. */
void ctn_lanes_tidy(ctn_lanes *lanes);

/* The store has, or may have, something for this lane; the first came then (0: nobody knows). */
void ctn_lane_expect(ctn_lanes *lanes, ctn_lane *lane, int64_t oldest_at_ms);
/* One that is queued, in its place by number; what has no place, or comes after some that only the store knows, stays
 * there. */
void ctn_lane_add(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item item);
/* What the store said when it was asked for the first ones: replaces what the lane holds. At most CTN_LANE_HOLDS. */
void ctn_lane_refill(ctn_lanes *lanes, ctn_lane *lane, const ctn_lane_item *items, size_t count, bool has_more);
/* When the first of it came, as far as it is known; 0: nobody knows, or nothing waits. */
int64_t ctn_lane_oldest_at_ms(const ctn_lane *lane);

/* The lane whose turn it is among those that have, or may have, something and are not to be passed by; NULL: none. */
ctn_lane *ctn_lanes_next(ctn_lanes *lanes, int64_t now_ms);
/* Takes its first item; false: it holds none (ask the store if has_more). */
bool ctn_lane_take(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item *ret_item);
/* It had its turn: what it took was admitted. */
void ctn_lane_had_turn(ctn_lanes *lanes, ctn_lane *lane);

/* What else decides who is passed by; each keeps the lanes right. */
void ctn_lane_tenant_rule(ctn_lanes *lanes, ctn_lane_tenant *tenant, int64_t weight, int64_t limit);
void ctn_lane_tenant_runs(ctn_lanes *lanes, ctn_lane_tenant *tenant, int more); /* 1, -1 */
void ctn_lane_tenant_shut(ctn_lanes *lanes, ctn_lane_tenant *tenant, bool is_shut);
bool ctn_lane_tenant_is_full(const ctn_lane_tenant *tenant);
void ctn_lane_chain_rule(ctn_lanes *lanes, ctn_lane_chain *chain, int64_t limit);
void ctn_lane_chain_runs(ctn_lanes *lanes, ctn_lane_chain *chain, int more);
void ctn_lane_chain_waits(ctn_lanes *lanes, ctn_lane_chain *chain, int more);
bool ctn_lane_chain_is_full(const ctn_lane_chain *chain);
