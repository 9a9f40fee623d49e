/*
 * left.h -- what a process left in its store, whoever killed it: read by folding the journal, as recovery does.
 */
#pragma once
#include "cli_kit.h"
#include "engine/engine.h"

/* The newest execution of the store FILE in the world's folder; NULL: none was accepted. Everything is in the arena. */
const ctn_execution *left_newest(const world *w, const char *file, ctn_arena *arena, ctn_execution_row *ret_row);
