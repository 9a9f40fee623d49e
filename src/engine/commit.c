/*
 * commit.c -- see commit.h. A failed commit loses nothing: every execution with entries in the failed batch, or
 * gathered behind it, is reloaded, and the inputs that were kept with them are decided again.
 */
#include "engine/commit.h"
#include "base/plant.h"
#include "engine/advance.h"
#include "engine/batch.h"
#include "engine/child.h"
#include "engine/far.h"
#include "engine/follow_up.h"
#include "engine/handover.h"
#include "engine/load.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <assert.h>

#define STORE_RETRY_MS 1000
#define BATCH_WORTH    1024 /* executions with entries in it */
#define BATCH_SHARED   16   /* the same, where tenants share: half a millisecond of writing */

/* ---- to the writer ---- */

/* When the store should give this execution back by itself: 1 "at once" for whatever was under way, so that
 * recovery finds it; the time it waits for when it is parked; 0 never. In a final row, 1: something is owed. */
static int64_t wake_of(ctn_engine *e, loaded *l, ctn_status status)
{
    if (ctn_status_is_final(status))
        return ctn_eng_owes_follow_up(l) || ctn_eng_owes_end(l, status) ? 1 : 0;
    if (status == CTN_STATUS_QUEUED) /* the queue is the store's to give */
        return 0;
    if (status == CTN_STATUS_RUNNING || ctn_execution_is_busy(l->x) || ctn_eng_has_ended_child(e, l))
        return 1;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    /* A child that is not started, stopped or undone on disk yet: whoever comes after us must look. */
    bool is_settled = ctn_watches_are_settled(&l->child.watches, &owed);
    ctn_arena_restore(e->scratch, mark);
    if (is_settled && l->child.has_far)
        owed.wake_at_ms = ctn_eng_far_look_at_ms(e, l, owed.wake_at_ms);
    return CTN_PLANT(WAKE_TIME_LOST) ? 0 : is_settled ? owed.wake_at_ms : 1;
}

bool ctn_eng_wakes_for_nothing(ctn_engine *e, loaded *l)
{
    return l->wake_written == 1 && !l->is_lost && wake_of(e, l, ctn_execution_status(l->x)) != 1;
}

/* The outputs as JSON: as the `completed` that brings them was printed. A sealed one holds commitments in their place.
 */
static ctn_str outputs_text(const append_build *b, ctn_arena *arena)
{
    ctn_str text = {0};
    const ctn_json *outputs = ctn_execution_outputs(b->l->x);
    if (!outputs)
        return text;
    for (size_t i = b->count; i-- > 0 && !b->l->seal.is_on;)
        if (b->records[i].kind == CTN_ENTRY_COMPLETED && ctn_completed_outputs(b->records[i].body, &text))
            return text;
    return ctn_json_to_str(arena, outputs);
}

static void fill_append(ctn_engine *e, append_build *b, ctn_append *a, ctn_arena *arena)
{
    loaded *l = b->l;
    ctn_status status = ctn_execution_status(l->x);
    int64_t wake_at_ms = wake_of(e, l, status);
    *a = (ctn_append){
        .exec_no = l->exec_no,
        .epoch = l->epoch,
        .seq_expected = b->seq_expected,
        .records = b->records,
        .count = b->count,
        .results = b->results,
        .result_count = b->result_count,
        .audits = b->audits,
        .audit_count = b->audit_count,
        .request = b->request,
    };
    const ctn_json *error = ctn_execution_error(l->x);
    if (b->is_new) {
        l->row.status = status;
        l->row.wake_at_ms = wake_at_ms;
        l->row.started_at_ms = ctn_execution_started_at_ms(l->x);
        l->row.finished_at_ms = ctn_execution_ended_at_ms(l->x);
        l->row.outputs = outputs_text(b, arena);
        l->row.error = error ? ctn_json_to_str(arena, error) : (ctn_str){0};
        ctn_execution_row *row = CTN_NEW(arena, ctn_execution_row);
        *row = l->row;
        a->row = row;
        a->data_key = l->seal.is_on ? &l->seal.data_key : NULL;
        e->figures.starts++;
    }
    if (ctn_status_is_final(status) && (b->is_new || !ctn_status_is_final(l->status_written)))
        e->figures.ends++;
    bool is_changed = !b->is_new && (status != l->status_written || wake_at_ms != l->wake_written);
    const ctn_parent *parent = ctn_status_is_final(status) ? ctn_execution_parent(l->x) : NULL;
    if (is_changed || parent) {
        ctn_execution_change *change = CTN_NEW(arena, ctn_execution_change);
        *change = (ctn_execution_change){
            .status = status,
            .wake_at_ms = wake_at_ms,
            .started_at_ms = ctn_execution_started_at_ms(l->x),
            .finished_at_ms = ctn_execution_ended_at_ms(l->x),
        };
        if (is_changed) {
            change->outputs = outputs_text(b, arena);
            change->error = error ? ctn_json_to_str(arena, error) : (ctn_str){0};
            change->queue_key = ctn_status_is_final(status) ? l->queue.key : (ctn_str){0};
        }
        if (parent && !l->child.is_far)
            change->wakes = parent->id;
        a->change = change;
    }
    l->is_new = false;
    l->status_written = status;
    l->wake_written = wake_at_ms;
    l->batches++;
    l->build = NULL;
}

/* A quarter of what is in memory has gathered, or as much as a commit takes well: past a few thousand rows a row costs
 * more, and all that waits for the commit waits longer (write-path.md). */
static bool is_worth_handing_over(const ctn_engine *e, const strand *s)
{
    size_t count = s->gathering->count;
    return !s->under_way &&
           (4 * count * e->batches->count >= e->live.count || count >= BATCH_WORTH || ctn_eng_batch_is_full(e));
}

static size_t longest(const ctn_engine *e)
{
    size_t count = 0;
    for (size_t k = 0; k < e->batches->count; k++)
        if (e->batches->strands[k].gathering->count > count)
            count = e->batches->strands[k].gathering->count;
    return count;
}

bool ctn_eng_batch_is_half_full(const ctn_engine *e)
{
    return e->now_ms < e->queue.shared_until_ms && 2 * longest(e) >= BATCH_SHARED;
}

bool ctn_eng_batch_is_full(const ctn_engine *e)
{
    return e->now_ms < e->queue.shared_until_ms && longest(e) >= BATCH_SHARED;
}

/* What could not be decided into this batch is decided into the next. */
static void take_waiting(ctn_engine *e, batch_memory *m)
{
    if (!m->waiting.first)
        return;
    for (filed *f; (f = ctn_filed_take(&m->waiting));)
        ctn_filed_append(&e->inbox.list, f);
    ctn_eng_wake(e);
}

static void hand_over(ctn_engine *e, strand *s)
{
    batch_memory *m = s->gathering;
    if (m->count == 0)
        take_waiting(e, m);
    if (s->under_way || e->store.is_failing || m->count == 0)
        return;
    m->batch.appends = CTN_NEW_ARRAY(m->arena, ctn_append, m->count);
    m->batch.outcomes = CTN_NEW_ARRAY(m->arena, ctn_outcome, m->count);
    m->batch.count = m->count;
    for (size_t i = 0; i < m->count; i++)
        fill_append(e, &m->builds[i], &m->batch.appends[i], m->arena);
    m->batch.appends[0].usage = ctn_eng_quotas_take(e, m->arena, &m->batch.appends[0].usage_count);
    s->under_way = m;
    s->gathering = m == &s->both[0] ? &s->both[1] : &s->both[0];
    take_waiting(e, m);
    e->options.writer.submit(e->options.writer.ctx, &m->batch);
}

void ctn_eng_hand_over(ctn_engine *e)
{
    for (size_t k = 0; k < e->batches->count; k++)
        hand_over(e, &e->batches->strands[k]);
}

void ctn_eng_hand_over_what_is_worth_it(ctn_engine *e)
{
    for (size_t k = 0; k < e->batches->count; k++)
        if (is_worth_handing_over(e, &e->batches->strands[k]))
            hand_over(e, &e->batches->strands[k]);
}

/* ---- and back ---- */

bool ctn_eng_nothing_is_under_way(const ctn_engine *e)
{
    for (size_t k = 0; k < e->batches->count; k++)
        if (e->batches->strands[k].under_way)
            return false;
    return true;
}

bool ctn_eng_all_is_committed(const ctn_engine *e)
{
    return ctn_eng_nothing_is_under_way(e) && longest(e) == 0;
}

void ctn_engine_batch_done(ctn_engine *e, ctn_batch *batch)
{
    strand *s = &e->batches->strands[batch->strand];
    assert(!s->finished && s->under_way == batch->memory);
    s->finished = batch->memory;
    ctn_eng_wake(e);
}

/* What is on disk: memory may be a batch ahead of it. */
static void tell_status(ctn_engine *e, loaded *l)
{
    ctn_status status = CTN_PLANT(STATUS_TOLD_EARLY) ? ctn_execution_status(l->x) : l->status_written;
    if (!e->options.on_event || (l->was_status_told && l->status_told == status))
        return;
    l->was_status_told = true;
    l->status_told = status;
    e->options.on_event(e->options.on_event_ctx,
                        &(ctn_engine_event){.kind = CTN_EVENT_STATUS, .execution = l->x, .status = status});
}

static void tell_entries(ctn_engine *e, const append_build *b)
{
    if (!e->options.on_event)
        return;
    for (size_t i = 0; i < b->count; i++)
        e->options.on_event(e->options.on_event_ctx, &(ctn_engine_event){.kind = CTN_EVENT_ENTRY,
                                                                         .execution = b->l->x,
                                                                         .record = &b->records[i],
                                                                         .status = b->l->status_written,
                                                                         .step = b->records[i].step,
                                                                         .attempt = b->records[i].attempt});
    tell_status(e, b->l);
}

/* The one that has the id, or the key, that a start was to have. */
static bool finds_the_other(ctn_engine *e, const filed *f, ctn_execution_id *ret_id)
{
    ctn_execution_row row;
    int rc = CTN_E_NOT_FOUND;
    if (ctn_eng_is_fleet(e))
        rc = ctn_store_execution_get(e->options.store, e->scratch, f->id, &row, NULL);
    if (rc && f->start.idempotency_key.len)
        rc = ctn_store_execution_by_key(e->options.store, e->scratch, f->start.plan->chain_id, f->start.idempotency_key,
                                        &row, NULL);
    *ret_id = rc ? f->id : row.id;
    return rc == CTN_OK;
}

/* The store refused this execution's append: somebody else advanced it, or its key was taken meanwhile. A node that is
 * late with a shard that it has lost is no error: that is what the epoch is for. */
static void append_refused(ctn_engine *e, append_build *b, ctn_outcome outcome, filed_list *kept)
{
    loaded *l = b->l;
    ctn_err err = {0};
    bool is_lost_shard = outcome == CTN_OUTCOME_STALE_EPOCH && ctn_eng_is_fleet(e);
    ctn_fail(&err, outcome == CTN_OUTCOME_EXISTS ? CTN_E_EXISTS : CTN_E_STALE,
             outcome == CTN_OUTCOME_EXISTS      ? "an execution with this id or idempotency key exists"
             : outcome == CTN_OUTCOME_STALE_SEQ ? "somebody else has advanced this execution"
             : is_lost_shard                    ? "the shard of this execution has gone to another node"
                                                : "another process has become the store's owner");
    if (is_lost_shard)
        ctn_eng_shard_refused(e, l);
    else if (outcome != CTN_OUTCOME_EXISTS)
        ctn_log_line(e->options.log, CTN_LOG_ERROR, err.message, "executionId", ctn_id_to_text(l->id).text, NULL);
    filed_list others = {0}, behind = ctn_eng_batch_forget(l);
    ctn_execution_id other;
    for (filed *f; (f = ctn_filed_take(kept));) {
        if (!ctn_id_equal(f->id, l->id)) {
            ctn_filed_append(&others, f);
        } else if (outcome == CTN_OUTCOME_EXISTS && f->kind == FILED_START && finds_the_other(e, f, &other)) {
            f->id = other;
            ctn_eng_ack(e, f, CTN_OK, NULL);
        } else {
            ctn_eng_ack(e, f, err.code, &err);
        }
    }
    *kept = others;
    if (ctn_eng_is_fleet(e))
        ctn_eng_dropped_is_back(e, l);
    else
        ctn_eng_unload(e, l);
    for (filed *f; (f = ctn_filed_take(&behind));) /* decided of what is not, or not here */
        ctn_eng_ack(e, f, err.code, &err);
}

void ctn_eng_store_fails(ctn_engine *e, ctn_trouble *trouble, const ctn_err *why)
{
    ctn_trouble_begins(trouble, e->now_ms, why->message);
    e->store.is_failing = true;
    memcpy(e->store.why, why->message, sizeof e->store.why);
    e->store.retry_at_ms = e->now_ms + STORE_RETRY_MS;
}

/* What a request on disk asks for may be done by now, and the request with it: it is not decided again from memory.
 * Whoever looks at the requests finds it there, if it is not. */
static void leave_requests(ctn_engine *e, filed_list *list)
{
    filed_list others = {0};
    ctn_err err = {0};
    ctn_fail(&err, CTN_E_STALE, "the store did not say whether this was done; the request is read again");
    for (filed *f; (f = ctn_filed_take(list));)
        if (f->by.request && f->kind != FILED_START) /* a start has its id, and is one however often it is tried */
            ctn_eng_ack(e, f, err.code, &err);
        else
            ctn_filed_append(&others, f);
    *list = others;
}

/* The other strands go on when the store does: nothing of theirs is behind what failed. */
static void store_failed(ctn_engine *e, strand *s, batch_memory *m)
{
    ctn_eng_store_fails(e, &e->store.writing, &m->batch.err);
    /* In order: the failed batch's inputs, those gathered behind it, those that came since. */
    filed_list again = CTN_PLANT(INPUTS_LOST_WITH_A_COMMIT) ? (filed_list){0} : m->kept;
    batch_memory *both[2] = {m, s->gathering};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->count; i++) {
            both[k]->builds[i].l->is_lost = true;
            both[k]->builds[i].l->build = NULL;
            both[k]->builds[i].l->batches = 0;
        }
    for (filed *f; (f = ctn_filed_take(&s->gathering->kept));)
        ctn_filed_append(&again, f);
    leave_requests(e, &again);
    for (filed *f; (f = ctn_filed_take(&s->gathering->waiting));)
        ctn_filed_append(&again, f);
    for (filed *f; (f = ctn_filed_take(&e->inbox.list));)
        ctn_filed_append(&again, f);
    e->inbox.list = again;
    for (size_t i = 0; i < m->count; i++)
        if (m->builds[i].l->is_dropped)
            ctn_eng_dropped_is_back(e, m->builds[i].l);
    ctn_eng_batch_reset(m);
    ctn_eng_batch_reset(s->gathering);
}

static void take_in(ctn_engine *e, strand *s)
{
    batch_memory *m = s->finished;
    if (!m)
        return;
    s->finished = s->under_way = NULL;
    if (m->batch.rc && !CTN_PLANT(FAILED_COMMIT_BELIEVED)) {
        store_failed(e, s, m);
        return;
    }
    if (!e->store.is_failing)
        ctn_trouble_ends(&e->store.writing, e->now_ms);
    e->figures.commits++;
    for (size_t i = 0; i < m->count; i++) {
        append_build *b = &m->builds[i];
        b->l->batches--;
        if (m->batch.outcomes[i] == CTN_OUTCOME_ACCEPTED) {
            b->l->is_recovering = false;
            e->figures.entries += b->count;
            tell_entries(e, b);
            if (b->l->is_dropped)
                continue;
            ctn_eng_queue_committed(e, b->l);
            ctn_eng_tell_parent(e, b->l);
            ctn_live_to_perform(&e->live, b->l);
        }
    }
    bool shards_are_lost = false;
    for (size_t i = 0; i < m->count; i++) {
        append_build *b = &m->builds[i];
        if (m->batch.outcomes[i] != CTN_OUTCOME_ACCEPTED) {
            shards_are_lost = shards_are_lost || m->batch.outcomes[i] == CTN_OUTCOME_STALE_EPOCH;
            append_refused(e, b, m->batch.outcomes[i], &m->kept);
        } else if (b->l->is_dropped) {
            ctn_eng_dropped_is_back(e, b->l);
        }
    }
    if (shards_are_lost && ctn_eng_is_fleet(e))
        ctn_eng_drop_foreign(e);
    for (filed *f; (f = ctn_filed_take(&m->kept));)
        ctn_eng_ack(e, f, CTN_OK, NULL);
    ctn_eng_batch_reset(m);
}

void ctn_eng_take_in(ctn_engine *e)
{
    for (size_t k = 0; k < e->batches->count; k++)
        take_in(e, &e->batches->strands[k]);
}

/* A commit that looked failed may have reached the disk. */
static void reloaded(ctn_engine *e, loaded *l)
{
    ctn_eng_queue_committed(e, l);
    ctn_eng_tell_parent(e, l);
    if (l->is_recovering && !CTN_PLANT(RECOVERY_FORGOTTEN))
        ctn_eng_recovered(e, l);
    if (!CTN_PLANT(END_NOT_TOLD_AFTER_RELOAD))
        tell_status(e, l);
}

void ctn_eng_recover_store(ctn_engine *e)
{
    if (!e->store.is_failing || !ctn_eng_nothing_is_under_way(e) || e->now_ms < e->store.retry_at_ms)
        return;
    loaded *next = NULL;
    for (loaded *l = e->live.first; l; l = next) {
        next = l->next;
        if (!l->is_lost)
            continue;
        ctn_err err = {0};
        if (!ctn_eng_is_ours(e, l)) {
            ctn_eng_drop(e, l);
            continue;
        }
        int rc = ctn_eng_reload(e, l, &err);
        if (rc == CTN_E_NOT_FOUND || rc == CTN_E_CORRUPT || rc == CTN_E_STATE) {
            /* A start that never reached the disk: its request is tried again. Or damaged, and put away. */
            ctn_eng_unload(e, l);
        } else if (rc) {
            ctn_eng_store_fails(e, &e->store.writing, &err);
            return;
        } else {
            reloaded(e, l);
        }
    }
    e->store.is_failing = false;
    for (loaded *l = e->live.first; l; l = l->next)
        ctn_eng_advance(e, l);
}
