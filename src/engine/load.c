/*
 * load.c -- see load.h. An execution in memory is the fold of its journal: loading is reading it and folding it,
 * whether after a crash, for an answer, or because its time has come. Parked ones are not in memory at all.
 */
#include "engine/load.h"
#include "base/memory.h"
#include "engine/abandon.h"
#include "engine/batch.h"
#include "engine/cache.h"
#include "engine/fold.h"
#include "engine/far.h"
#include "engine/follow_up.h"
#include "engine/gate.h"
#include "engine/labels.h"
#include "engine/place.h"
#include "engine/quarantine.h"
#include "engine/queue.h"
#include "engine/sealing.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <assert.h>
#include <stdlib.h>

loaded *ctn_eng_loaded_new(ctn_engine *e, ctn_execution_id id, int64_t exec_no, plan_ref *plan, ctn_arena *arena,
                           ctn_execution *x)
{
    loaded *l = ctn_malloc(sizeof *l);
    *l = (loaded){.id = id, .exec_no = exec_no, .plan = plan, .arena = arena, .x = x};
    l->lacks_labels = plan->plan->requires && ctn_eng_lacks_labels(e, plan->plan);
    if (l->lacks_labels && !ctn_eng_is_fleet(e)) /* it began when this machine had them */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "an execution waits for labels that this machine does not have",
                     "executionId", ctn_id_to_text(id).text, NULL);
    ctn_live_add(&e->live, l);
    return l;
}

void ctn_eng_unload(ctn_engine *e, loaded *l)
{
    assert(!ctn_loaded_is_ahead(l));
    ctn_eng_flights_forget(e, l);
    ctn_eng_cache_let_go(e, l, true);
    ctn_eng_forget_left(l);
    ctn_eng_queue_forget(e, l);
    ctn_eng_gate_forget(e, l);
    ctn_live_remove(&e->live, l);
    ctn_watches_done(&l->child.watches);
    ctn_seal_key_wipe(&l->seal.key);
    ctn_arena_free(l->arena);
    free(l->flights);
    free(l);
}

/* They are not ours: until the entry that says so is on disk, a failed commit must not make them look as if this
 * process had begun them. */
void ctn_eng_recovered(ctn_engine *e, loaded *l)
{
    ctn_input in = {.kind = CTN_IN_RECOVERED,
                    .now_ms = e->now_ms,
                    .was_crash = ctn_eng_was_crash(e, l),
                    .was_elsewhere = ctn_eng_is_fleet(e)};
    ctn_entry entry;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    l->is_recovering = ctn_execution_decide(l->x, &e->rules, &in, e->scratch, &entry, NULL) == CTN_OK;
    if (l->is_recovering)
        ctn_eng_record(e, l, &entry);
    ctn_arena_restore(e->scratch, mark);
}

/* Reads and folds what the store has. On failure nothing is left of it. */
static int fold_stored(ctn_engine *e, ctn_execution_id id, ctn_execution_row *ret_row, ctn_folded *ret_folded,
                       ctn_err *err)
{
    int rc = ctn_store_execution_get(e->options.store, e->scratch, id, ret_row, err);
    if (rc == CTN_OK && ctn_eng_is_quarantined(e, ret_row->exec_no) && !ctn_eng_is_closed(e, ret_row->exec_no))
        return ctn_eng_refuse_quarantined(e, ret_row, err);
    if (rc)
        return rc == CTN_E_CORRUPT ? ctn_eng_found_damaged(e, id, err) : rc;
    rc = ctn_fold(e, ret_row, ret_folded, err);
    if (rc == CTN_OK)
        rc = ctn_eng_seal_loaded(e, ret_folded->x, &ret_folded->opening, ctn_status_is_final(ret_row->status), err);
    if (rc == CTN_OK)
        ctn_eng_is_open(e, ret_row->exec_no);
    if (rc) {
        ctn_opening_done(&ret_folded->opening);
        ctn_arena_free(ret_folded->arena);
        if (rc == CTN_E_DENIED)
            rc = ctn_eng_found_closed(e, ret_row->exec_no, err);
        return rc == CTN_E_CORRUPT ? ctn_eng_found_damaged(e, id, err)
                                   : ctn_wrap(err, rc, "execution %s", ctn_id_to_text(id).text);
    }
    return CTN_OK;
}

static void note_stored(loaded *l, const ctn_execution_row *row, ctn_folded *f)
{
    l->seal.is_on = f->opening.has_key;
    l->seal.key = f->opening.key;
    ctn_opening_done(&f->opening);
    l->hash = f->hash;
    l->status_written = row->status;
    l->wake_written = row->wake_at_ms;
}

int ctn_eng_load(ctn_engine *e, ctn_execution_id id, loaded **ret_loaded, ctn_err *err)
{
    loaded *l = *ret_loaded = ctn_live_find(&e->live, id);
    if (l && ctn_eng_is_ours(e, l))
        return CTN_OK;
    uint32_t shard;
    int rc = ctn_eng_shard_of(e, id, &shard, err);
    if (rc || l) /* l: of an epoch that is over */
        return rc ? rc : ctn_fail(err, CTN_E_STALE, "%s is being read anew", ctn_id_to_text(id).text);
    ctn_execution_row row;
    ctn_folded f;
    uint64_t epoch = ctn_eng_epoch_of(e, shard); /* before it is read: what is read may be older than the lease */
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    rc = fold_stored(e, id, &row, &f, err);
    if (rc == CTN_OK) {
        l = *ret_loaded = ctn_eng_loaded_new(e, id, row.exec_no, f.plan, f.arena, f.x);
        l->shard = shard;
        ctn_eng_strand_join(e, l);
        l->epoch = epoch;
        note_stored(l, &row, &f);
        ctn_eng_far_loaded(e, l);
        l->queue.is_over = ctn_status_is_final(row.status);
        ctn_eng_line_up(e, l, row.queue_key);
        ctn_eng_queue_loaded(e, l, &row);
        l->follow_up.is_one = ctn_is_follow_up_key(row.idempotency_key);
        ctn_eng_place_settle(e, l);
        ctn_eng_recovered(e, l);
    }
    ctn_arena_restore(e->scratch, mark);
    return rc;
}

int ctn_eng_load_listed(ctn_engine *e, int64_t exec_no, ctn_execution_id id, loaded **ret_loaded, ctn_err *err)
{
    return ctn_id_is_none(id) ? ctn_eng_found_nameless(e, exec_no, err) : ctn_eng_load(e, id, ret_loaded, err);
}

int ctn_eng_reload(ctn_engine *e, loaded *l, ctn_err *err)
{
    ctn_execution_row row;
    ctn_folded f;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int rc = fold_stored(e, l->id, &row, &f, err);
    if (rc == CTN_OK) {
        ctn_eng_forget_left(l);
        ctn_eng_cache_let_go(e, l, true);
        ctn_eng_line_up(e, l, (ctn_str){0}); /* its key lives in the arena that goes */
        ctn_arena_free(l->arena);
        l->arena = f.arena;
        l->x = f.x;
        ctn_eng_line_up(e, l, row.queue_key);
        ctn_eng_seat_settle(e, l);
        ctn_eng_place_leave_if_done(e, l);
        if (l->follow_up.state != FOLLOW_UP_GIVEN_UP)
            l->follow_up.state = FOLLOW_UP_NONE; /* what the row says counts; asking twice starts once */
        l->is_lost = l->is_new = false;
        note_stored(l, &row, &f);
        ctn_eng_far_loaded(e, l);
    }
    ctn_arena_restore(e->scratch, mark);
    return rc;
}
