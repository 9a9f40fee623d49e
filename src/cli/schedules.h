/*
 * schedules.h -- the schedules of the chains that the configuration includes: what `serve` follows.
 */
#pragma once
#include "cli/workspace.h"
#include "engine/engine.h"

/* Those that can be followed, by chain; the list and its strings live in the arena. One that cannot is told. */
size_t ctn_schedules_of(const ctn_cli *cli, const ctn_workspace *ws, ctn_arena *arena, ctn_schedule **ret_schedules);
