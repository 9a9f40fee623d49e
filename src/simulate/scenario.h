/*
 * scenario.h -- what is to go wrong in one world: planned to the call, or left to chance.
 *
 * The fault model. Within it: any number of transient faults and crashes, and at most one tool that fails for good,
 * never one that undoes or checks. A transient fault of the last attempt that a step has is a failure for good. What
 * lies outside is played too, for a tenth of the worlds, and what it brings is a note.
 */
#pragma once
#include "simulate/world.h"

typedef enum ctn_fate {
    CTN_FATE_FINE,
    CTN_FATE_DIES_BEFORE_SEND,
    CTN_FATE_DIES_AFTER_SEND,   /* the tool did not get to its work */
    CTN_FATE_DIES_AFTER_EFFECT, /* the tool did, nobody heard of it */
    CTN_FATE_DIES_BEFORE_RECORD,
    CTN_FATE_DIES_AFTER_RECORD,
    CTN_FATE_REFUSED, /* unavailable: not sent */
    CTN_FATE_BROKEN,  /* the connection is gone before anything was sent */
    CTN_FATE_RATE_LIMITED,
    CTN_FATE_LOST,      /* sent; the connection is gone, the tool did nothing */
    CTN_FATE_LOST_DONE, /* ... and the tool did its work, at once or a little later */
    CTN_FATE_SLOW,      /* no answer in time, and nothing was done */
    CTN_FATE_SLOW_DONE,
    CTN_FATE_DUPLICATE,   /* the answer comes twice */
    CTN_FATE_MALFORMED,   /* an answer that is none; the work is done */
    CTN_FATE_FAILED,      /* the tool says that it failed, now and always */
    CTN_FATE_FAILED_ONCE, /* ... only this time, and it may have done its work (where retryOn sends it again) */
    CTN_FATE_COUNT
} ctn_fate;
const char *ctn_fate_words(ctn_fate fate);
bool ctn_fate_is_death(ctn_fate fate);

typedef enum ctn_reply { CTN_REPLY_BY_CHANCE, CTN_REPLY_YES, CTN_REPLY_NO, CTN_REPLY_NEVER } ctn_reply;

#define CTN_SCENARIO_NONE  (-1)
#define CTN_SCENARIO_PLANS 2

typedef struct ctn_scenario {
    uint64_t seed;
    bool is_planned;
    int variant; /* of every answer; NONE: by chance */
    struct {
        int call; /* from 0, in the order of their beginnings; NONE: none */
        ctn_fate fate;
    } plans[CTN_SCENARIO_PLANS];
    int commit; /* from 0; NONE: none */
    ctn_commit_fate commit_fate;
    ctn_reply reply; /* of people, to whatever waits for them */
    /* by chance, in percent */
    int fault_percent, die_percent, commit_fails_percent, jump_percent;
    int storm_at;         /* call that begins a time in which its tool refuses; NONE */
    int64_t cancel_at_ms; /* after the start; 0: never */
    bool is_beyond;       /* may leave the fault model */
} ctn_scenario;

/* Nothing goes wrong. */
ctn_scenario ctn_scenario_plain(uint64_t seed, int variant);
/* call_count: of the longest world without faults. */
ctn_scenario ctn_scenario_random(uint64_t seed, int call_count);
/* One line for people. */
ctn_str ctn_scenario_to_str(ctn_arena *arena, const ctn_scenario *scenario);
