/*
 * shards.h -- which part of a fleet's store is this engine's, and the numbers of what it starts there. The contract is
 * in leases.h and engine.h.
 *
 * An execution in memory keeps the epoch of its shard at which its journal began to be read, or at which it was
 * started. It is ours as long as the lease still names that epoch, and the store has not refused it. What is no more is
 * not advanced, decided, begun or told; it goes when the engine hears that the shard is lost, or gained anew.
 *
 * An engine with a store of its own has no shards: everything is its own, and that costs one look at a pointer.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"
#include "engine/state.h"

void ctn_eng_shards_init(ctn_engine *e);
void ctn_eng_shards_done(ctn_engine *e);

/* The epoch that is to be named in this shard from now on; 0: it is not ours. */
uint64_t ctn_eng_epoch_of(const ctn_engine *e, uint32_t shard);
bool ctn_eng_is_ours_in_fleet(const ctn_engine *e, const loaded *l);
bool ctn_eng_is_draining_in_fleet(const ctn_engine *e, const loaded *l);
static inline bool ctn_eng_is_fleet(const ctn_engine *e)
{
    return e->shards != NULL;
}
static inline bool ctn_eng_is_ours(const ctn_engine *e, const loaded *l)
{
    return !e->shards || ctn_eng_is_ours_in_fleet(e, l);
}
static inline bool ctn_eng_is_draining(const ctn_engine *e, const loaded *l)
{
    return e->shards && ctn_eng_is_draining_in_fleet(e, l);
}
/* May something new begin in this shard: it is ours, and not being given back? */
bool ctn_eng_may_begin_in(const ctn_engine *e, uint32_t shard);
bool ctn_eng_is_listed(const ctn_engine *e, int64_t exec_no); /* the same, of one that the store lists */
/* Where the execution with this id lives. CTN_E_STALE, with the sentence, unless something may begin there. */
int ctn_eng_shard_of(const ctn_engine *e, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err);
int ctn_eng_refuse_elsewhere(const ctn_engine *e, uint32_t shard, ctn_err *err);
/* Is it surely ours for as long as a send takes? */
bool ctn_eng_may_send(const ctn_engine *e, const loaded *l);
/* A driver was given a write. What it sends leaves the process when the turn is over, so the next turn, which is soon
 * then, looks back: was this node stopped (with its machine, perhaps) between the last look at the lease and the
 * sending? Nothing can tell in time: it is counted. */
void ctn_eng_was_sent(ctn_engine *e, const loaded *l);
bool ctn_eng_must_look_back(const ctn_engine *e);
void ctn_eng_look_back(ctn_engine *e);
bool ctn_eng_was_crash(const ctn_engine *e, const loaded *l);

uint32_t ctn_eng_shard_count(const ctn_engine *e);
uint32_t ctn_eng_shard_in(const ctn_engine *e, ctn_execution_id id); /* as the id says: of one that is new */
/* A shard for what may live anywhere (among NULL), or in any of these; they take turns. False: none is ours. */
bool ctn_eng_some_shard(ctn_engine *e, const ctn_shard_set *among, uint32_t *ret_shard);
/* The number of a new execution: higher than all that were given in its shard. */
int ctn_eng_exec_no_next(ctn_engine *e, uint32_t shard, int64_t *ret_exec_no, ctn_err *err);

/* What the engine was told: handover.c. */
void ctn_eng_shards_are_ours(ctn_engine *e, const ctn_shard_set *which);
void ctn_eng_shards_drain(ctn_engine *e, const ctn_shard_set *which);
void ctn_eng_shards_are_gone(ctn_engine *e, const ctn_shard_set *which);

/* The store has taken nothing under this epoch: it is over, whatever the lease says. */
void ctn_eng_shard_refused(ctn_engine *e, const loaded *l);
