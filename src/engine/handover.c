/*
 * handover.c -- see handover.h.
 *
 * What a lost shard costs: nothing on disk. Whatever had begun there is found by who comes next as after a crash, and
 * what is with the writer is decided by the store alone: it is accepted, and told so, or it came too late.
 */
#include "engine/handover.h"
#include "base/plant.h"
#include "engine/batch.h"
#include "engine/gate.h"
#include "engine/load.h"
#include "engine/quarantine.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <assert.h>

void ctn_eng_drop(ctn_engine *e, loaded *l)
{
    ctn_err err = {0};
    ctn_fail(&err, CTN_E_STALE, "the shard where %s lives has gone to another node", ctn_id_to_text(l->id).text);
    filed_list kept = ctn_eng_batch_forget(l);
    l->is_dropped = true;
    if (l->batches)
        ctn_eng_flights_forget(e, l);
    else
        ctn_eng_unload(e, l);
    for (filed *f; (f = ctn_filed_take(&kept));)
        ctn_eng_ack(e, f, err.code, &err);
}

void ctn_eng_dropped_is_back(ctn_engine *e, loaded *l)
{
    if (ctn_eng_epoch_of(e, l->shard)) /* the shard came back meanwhile: it was passed by, and is looked for again */
        ctn_due_at(&e->due, e->now_ms);
    ctn_eng_unload(e, l);
}

void ctn_eng_drop_foreign(ctn_engine *e)
{
    for (loaded *l = e->live.first, *next; l; l = next) {
        next = l->next;
        if (!l->is_dropped && !ctn_eng_is_ours(e, l))
            ctn_eng_drop(e, l);
    }
}

void ctn_engine_shards_gained(ctn_engine *e, const ctn_shard_set *gained)
{
    assert(e->options.leases);
    ctn_eng_drop_foreign(e); /* of one that was lost and is ours again */
    ctn_eng_shards_are_ours(e, gained);
    for (loaded *l = e->live.first; l; l = l->next) /* of those that were being given away */
        if (ctn_shard_set_has(gained, l->shard))
            ctn_live_wake_at(&e->live, l, e->now_ms);
    ctn_eng_quarantine_read(e);
    ctn_eng_schedules_look_again(e);
    ctn_eng_look_at_all(e);
    ctn_eng_wake(e);
}

void ctn_engine_shards_drain(ctn_engine *e, const ctn_shard_set *which)
{
    ctn_eng_shards_drain(e, which);
    for (loaded *l = e->live.first; l; l = l->next)
        if (ctn_eng_is_draining(e, l)) {
            ctn_eng_flights_forget_accepted(e, l);
            ctn_live_to_perform(&e->live, l);
        }
    e->queue.is_known = false; /* its lanes are counted without them */
    ctn_eng_wake(e);
}

bool ctn_engine_shards_are_quiet(const ctn_engine *e, const ctn_shard_set *which)
{
    for (const loaded *l = e->live.first; l; l = l->next)
        if (ctn_shard_set_has(which, l->shard))
            return false;
    return true;
}

void ctn_engine_shards_lost(ctn_engine *e, const ctn_shard_set *lost)
{
    ctn_eng_shards_are_gone(e, lost);
    for (loaded *l = e->live.first, *next; l; l = next) {
        next = l->next;
        if (!l->is_dropped && !CTN_PLANT(LOST_SHARD_GOES_ON) && ctn_shard_set_has(lost, l->shard))
            ctn_eng_drop(e, l);
    }
    e->queue.is_known = false;
    e->queue.was_let_go = true;
    ctn_eng_wake(e);
}

void ctn_engine_look_again(ctn_engine *e)
{
    ctn_eng_gate_read(e);
    ctn_eng_schedules_look_again(e);
    ctn_eng_wake(e);
}
