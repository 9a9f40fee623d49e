/*
 * schedules.h -- the schedules of the chains that the configuration includes: what `serve` follows.
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
