/*
 * flights.h -- the calls that are under way, by token and by execution; and those that were lost: given up or cut off
 * after they were sent, so that their check can ask whether they may still arrive. A lost one is the engine's, not the
 * execution's in memory, which may go and come back before that is settled.
 *
 * Ownership  Executions, drivers and what stands in plans are borrowed. A flight is valid until the next one is opened.
 */
#pragma once
#include "engine/driver.h"
#include "engine/gate.h"
#include "engine/live.h"

typedef struct flight {
    uint64_t token; /* 0: free */
    loaded *l;
    const ctn_driver *driver; /* NULL: nobody here can make it */
    uint32_t step, call, attempt;
    int64_t item;
    ctn_role role;
    const ctn_plan_set *set;
    ctn_str target; /* in the plan */
    bool is_check;
    bool is_accepted; /* its peer has it, and it can be begun again with what was told then */
    bool is_done;     /* its end is filed */
    bool may_be_late; /* a check: when it began, the call that it asks about could still arrive */
    int64_t begun_at_ms;
    gate_pass pass;
} flight;

typedef struct lost_call lost_call;
typedef struct ctn_flights {
    flight *all;
    uint32_t count, open;
    size_t capacity;
    uint32_t free; /* index + 1 of the first that is; the next stands in its `step` */
    uint64_t token_last;
    lost_call *lost;
    uint32_t lost_count;
    size_t lost_capacity;
} ctn_flights;

void ctn_flights_done(ctn_flights *flights);
flight *ctn_flight_open(ctn_flights *flights, loaded *l, const ctn_owed_call *owed, const ctn_driver *driver,
                        int64_t now_ms);
flight *ctn_flight_by_token(ctn_flights *flights, uint64_t token); /* NULL: it is closed */
/* The i-th of l->flight_count. */
flight *ctn_flight_of(const ctn_flights *flights, const loaded *l, uint32_t i);

/* It was given up, or cut off, after it was sent. Nobody asks for it any more settleMs after it began. */
void ctn_flight_note_lost(ctn_flights *flights, const flight *f, int64_t now_ms);
/* The call that this check asks about, in any attempt. Of one that this process did not lose nothing can arrive any
 * more: its server ended with the engine before. */
bool ctn_flight_lost_may_arrive(const ctn_flights *flights, const flight *check);

void ctn_eng_flight_end(ctn_engine *e, flight *f);     /* it is closed, and its pass given back */
void ctn_eng_flights_forget(ctn_engine *e, loaded *l); /* all of its own: nobody here waits for them */
/* Those that their peers have accepted: another process goes on with them. Of one execution; NULL: of all. */
void ctn_eng_flights_forget_accepted(ctn_engine *e, const loaded *l);
