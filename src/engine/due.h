/*
 * due.h -- what the store gives back by itself: executions whose wake time has come, as many as there is room for.
 */
#pragma once
#include "engine/engine.h"

/* When the store is looked at. */
typedef struct ctn_due {
    int64_t look_at_ms; /* it may have something to run from then on; 0: nothing */
    bool has_more;      /* it has something now, and there was no place for it */
    bool is_unread;     /* it could not be read: what was begun may not be in memory yet */
    int64_t owing_seen; /* follow_up.c: ended ones up to this number were looked at; -1: all were */
} ctn_due;

/* Those that were begun are all in memory, or sleep: new ones may start. */
static inline bool ctn_due_all_begun_are_here(const ctn_due *due)
{
    return !due->has_more && !due->is_unread;
}

/* One that goes to sleep wakes then. */
static inline void ctn_due_at(ctn_due *due, int64_t at_ms)
{
    if (!due->look_at_ms || at_ms < due->look_at_ms)
        due->look_at_ms = at_ms;
}

void ctn_eng_take_due(ctn_engine *e);             /* once a turn */
int64_t ctn_eng_due_turn_ms(const ctn_engine *e); /* when the next look is; 0: nothing is known to wake */
