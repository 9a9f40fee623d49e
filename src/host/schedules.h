/*
 * schedules.h -- the schedules of the chains that the configuration includes: what `serve` follows, and how each
 * stands.
 */
#pragma once
#include "engine/engine.h"
#include "host/config.h"
#include "host/teller.h"

/* Those that can be followed, by chain; the list lives in the arena, its strings in the configuration's. One that
 * cannot is told as a fault. */
size_t ctn_schedules_of(const ctn_config *config, ctn_arena *arena, ctn_teller teller, ctn_schedule **ret_schedules);

/* What a schedule's `catchUp` and `overlap` say, as in the language, by their numbers; NULL ends them. */
extern const char *const ctn_catch_up_words[], *const ctn_overlap_words[];

/* How a schedule stands, for those who are shown it. */
typedef struct ctn_schedule_state {
    const ctn_schedule *what;
    ctn_schedule_row row; /* as the store knows it; seen_at_ms 0: nobody has followed it yet */
    int64_t next_at_ms;   /* 0: never, or not as long as it is paused */
} ctn_schedule_state;
/* All that can be followed, by chain. store NULL: none is there. */
int ctn_schedules_look(const ctn_config *config, ctn_store *store, ctn_arena *arena, ctn_teller teller, int64_t now_ms,
                       ctn_schedule_state **ret_states, size_t *ret_count, ctn_err *err);
/* {chain, cron, timezone, catchUp, overlap, jitterMs?, nextAt, seenAt, firedAt, paused, pausedAt?, pausedBy?} */
const ctn_json *ctn_schedule_to_json(const ctn_schedule_state *state, ctn_arena *arena);
