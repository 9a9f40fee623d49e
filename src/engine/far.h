/*
 * far.h -- sub-chains that live in another shard of a fleet's store than their parents: those of chains that have
 * maxConcurrent or a line of their own (placement.h), whose places and lines are kept in one shard. All others live
 * with their parents, and nothing here costs them anything.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

/* ctn_rules.place_child, of the engine of a fleet: where what begins now must live. */
void ctn_eng_place_child(void *ctx, const ctn_execution *x, uint32_t step, ctn_str chain, const ctn_json *args,
                         ctn_execution_id *id);
/* Does this child of it live in another shard? */
bool ctn_eng_child_is_far(const ctn_engine *e, const loaded *l, ctn_execution_id child);
/* When a parent that waits looks after its far children, though nobody has told it anything. */
int64_t ctn_eng_far_look_at_ms(const ctn_engine *e, const loaded *l, int64_t wake_at_ms);

/* ---- of the child ---- */
/* One that came into memory, or was read anew: does its parent live elsewhere, and must it still hear of its end? */
void ctn_eng_far_loaded(const ctn_engine *e, loaded *l);
/* Its parent lives elsewhere, and has not been told of the end that it is at. Its final row has a wake time then. */
static inline bool ctn_eng_owes_end(const loaded *l, ctn_status status)
{
    return l->child.is_far && l->child.told_parent != (int) status + 1;
}
/* An ended one, all of it on disk: true when nothing is left to be told, or who comes next tells it. */
bool ctn_eng_tell_far_parent(ctn_engine *e, loaded *l);
/* It was given up by its row alone: whoever has its parent is told, if somebody can be. */
void ctn_eng_far_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child);
