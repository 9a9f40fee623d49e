/*
 * batch.c -- entries on their way to disk.
 *
 * Two batches: one gathers while the other is with the writer. What was decided into a batch (results of calls,
 * requests) is kept with it until the commit is known, so that a failed commit loses nothing: every execution
 * with entries in the failed batch, or gathered behind it, is reloaded and the kept inputs are decided again.
 */
#include "engine/batch.h"
#include "base/memory.h"
#include "base/plant.h"
#include "engine/admission.h"
#include "engine/cache.h"
#include "engine/child.h"
#include "engine/decide.h"
#include "engine/follow_up.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/sealing.h"
#include "engine/state.h"

#include <assert.h>
#include <stdlib.h>

#define STORE_RETRY_MS 1000
#define BATCH_WORTH    1024 /* executions with entries in it */

/* The entries of one execution in one batch. */
typedef struct append_build {
    loaded *l;
    ctn_record *records;
    size_t count, capacity;
    uint64_t seq_expected;
    bool is_new;
    ctn_result_row *results;
    size_t result_count, result_capacity;
} append_build;

typedef struct ctn_batch_memory {
    ctn_batch batch;
    ctn_arena *arena;
    append_build *builds;
    size_t count, capacity;
    filed_list kept; /* what was decided into it */
} batch_memory;

struct batches {
    batch_memory both[2];
    batch_memory *gathering, *under_way; /* under_way NULL: the writer idles */
    batch_memory *finished;              /* filed by batch_done */
};

void ctn_eng_batches_init(ctn_engine *e)
{
    e->batches = ctn_calloc(1, sizeof *e->batches);
    for (size_t i = 0; i < 2; i++) {
        e->batches->both[i].arena = ctn_arena_new(65536);
        e->batches->both[i].batch.memory = &e->batches->both[i];
    }
    e->batches->gathering = &e->batches->both[0];
}

static void memory_reset(batch_memory *m)
{
    ctn_arena_reset(m->arena);
    m->builds = NULL;
    m->count = m->capacity = 0;
    m->batch.count = 0;
    m->kept = (filed_list){0};
}

void ctn_eng_batches_done(ctn_engine *e)
{
    for (size_t i = 0; i < 2; i++) {
        for (filed *f; (f = ctn_filed_take(&e->batches->both[i].kept));)
            ctn_inbox_free(&e->inbox, f);
        ctn_arena_free(e->batches->both[i].arena);
    }
    free(e->batches);
}

bool ctn_eng_all_is_committed(const ctn_engine *e)
{
    const struct batches *b = e->batches;
    return !b->under_way && !b->finished && b->gathering->count == 0;
}

void ctn_eng_keep(ctn_engine *e, filed *f)
{
    if (CTN_PLANT(ACK_BEFORE_COMMIT) && f->ack) {
        f->ack(f->ack_ctx, CTN_OK, f->id, NULL);
        f->ack = NULL;
    }
    ctn_filed_append(&e->batches->gathering->kept, f);
}

/* Builds are found through pointers in `loaded`, so the table holds pointers' targets one by one. */
static append_build *build_of(ctn_engine *e, loaded *l)
{
    if (l->build)
        return l->build;
    batch_memory *m = e->batches->gathering;
    if (m->count == m->capacity) {
        size_t grown = m->capacity ? 2 * m->capacity : 64;
        append_build *builds = CTN_NEW_ARRAY(m->arena, append_build, grown);
        if (m->count)
            memcpy(builds, m->builds, m->count * sizeof *builds);
        m->builds = builds;
        m->capacity = grown;
        for (size_t i = 0; i < m->count; i++)
            m->builds[i].l->build = &m->builds[i];
    }
    l->build = &m->builds[m->count++];
    *l->build = (append_build){.l = l, .seq_expected = ctn_execution_seq(l->x), .is_new = l->is_new};
    return l->build;
}

void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry)
{
    append_build *b = ctn_entry_is_stored(entry) ? build_of(e, l) : NULL;
    if (entry->item >= 0 && entry->body) /* when an item ends its memory is the next one's */
        entry->body = ctn_json_copy(e->scratch, entry->body);
    ctn_execution_apply(l->x, entry);
    if (entry->kind == CTN_ENTRY_STARTED)
        ctn_eng_place_take(e, l);
    ctn_eng_place_leave_if_done(e, l);
    ctn_eng_cache_see(e, l, entry);
    if (!b)
        return;
    ctn_arena *arena = e->batches->gathering->arena;
    if (b->count == b->capacity) {
        size_t grown = b->capacity ? 2 * b->capacity : 4;
        ctn_record *records = CTN_NEW_ARRAY(arena, ctn_record, grown);
        if (b->count)
            memcpy(records, b->records, b->count * sizeof *records);
        b->records = records;
        b->capacity = grown;
    }
    entry->actor = ctn_arena_str(arena, entry->actor);
    b->records[b->count] =
        l->seal.is_on ? ctn_eng_sealed_record(e, l, entry, arena) : ctn_entry_to_record(entry, &l->hash, arena);
    l->hash = b->records[b->count++].hash;
}

ctn_arena *ctn_eng_batch_arena(const ctn_engine *e)
{
    return e->batches->gathering->arena;
}

void ctn_eng_record_result(ctn_engine *e, loaded *l, const ctn_result_row *row)
{
    append_build *b = l->build;
    if (b->result_count == b->result_capacity) {
        size_t grown = b->result_capacity ? 2 * b->result_capacity : 4;
        ctn_result_row *results = CTN_NEW_ARRAY(ctn_eng_batch_arena(e), ctn_result_row, grown);
        if (b->result_count)
            memcpy(results, b->results, b->result_count * sizeof *results);
        b->results = results;
        b->result_capacity = grown;
    }
    b->results[b->result_count++] = *row;
}

void ctn_eng_touch(ctn_engine *e, loaded *l)
{
    (void) build_of(e, l);
}

/* When the store should give this execution back by itself: 1 "at once" for whatever was under way, so that
 * recovery finds it; the time it waits for when it is parked; 0 never. In a final row, 1: something is owed. */
static int64_t wake_of(ctn_engine *e, loaded *l, ctn_status status)
{
    if (ctn_status_is_final(status))
        return ctn_eng_owes_follow_up(l) ? 1 : 0;
    if (status == CTN_STATUS_QUEUED) /* the queue is the store's to give */
        return 0;
    if (status == CTN_STATUS_RUNNING || ctn_execution_is_busy(l->x) || ctn_eng_has_ended_child(e, l))
        return 1;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    /* A child that is not started, stopped or undone on disk yet: whoever comes after us must look. */
    bool is_settled = ctn_eng_children_are_settled(l, &owed);
    ctn_arena_restore(e->scratch, mark);
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
        .epoch = e->options.epoch,
        .seq_expected = b->seq_expected,
        .records = b->records,
        .count = b->count,
        .results = b->results,
        .result_count = b->result_count,
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
    } else if (status != l->status_written || wake_at_ms != l->wake_written) {
        ctn_execution_change *change = CTN_NEW(arena, ctn_execution_change);
        *change = (ctn_execution_change){
            .status = status,
            .wake_at_ms = wake_at_ms,
            .started_at_ms = ctn_execution_started_at_ms(l->x),
            .finished_at_ms = ctn_execution_ended_at_ms(l->x),
            .outputs = outputs_text(b, arena),
            .error = error ? ctn_json_to_str(arena, error) : (ctn_str){0},
            .queue_key = ctn_status_is_final(status) ? l->queue.key : (ctn_str){0},
        };
        a->change = change;
    }
    const ctn_parent *parent = ctn_execution_parent(l->x);
    if (parent && ctn_status_is_final(status)) {
        ctn_execution_change *change = CTN_NEW(arena, ctn_execution_change);
        *change = a->change ? *a->change
                            : (ctn_execution_change){.status = status,
                                                     .wake_at_ms = wake_at_ms,
                                                     .started_at_ms = ctn_execution_started_at_ms(l->x),
                                                     .finished_at_ms = ctn_execution_ended_at_ms(l->x)};
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
bool ctn_eng_is_worth_handing_over(const ctn_engine *e)
{
    size_t count = e->batches->gathering->count;
    return !e->batches->under_way && (4 * count >= e->live.count || count >= BATCH_WORTH);
}

void ctn_eng_hand_over(ctn_engine *e)
{
    batch_memory *m = e->batches->gathering;
    if (e->batches->under_way || e->store.is_failing || m->count == 0)
        return;
    m->batch.appends = CTN_NEW_ARRAY(m->arena, ctn_append, m->count);
    m->batch.outcomes = CTN_NEW_ARRAY(m->arena, ctn_outcome, m->count);
    m->batch.count = m->count;
    for (size_t i = 0; i < m->count; i++)
        fill_append(e, &m->builds[i], &m->batch.appends[i], m->arena);
    e->batches->under_way = m;
    e->batches->gathering = m == &e->batches->both[0] ? &e->batches->both[1] : &e->batches->both[0];
    e->options.writer.submit(e->options.writer.ctx, &m->batch);
}

/* ---- taking a commit in ---- */

void ctn_engine_batch_done(ctn_engine *e, ctn_batch *batch)
{
    assert(!e->batches->finished);
    e->batches->finished = batch->memory;
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

/* The store refused this execution's append: somebody else advanced it, or its key was taken meanwhile. */
static void append_refused(ctn_engine *e, append_build *b, ctn_outcome outcome, filed_list *kept)
{
    loaded *l = b->l;
    ctn_err err = {0};
    ctn_fail(&err, outcome == CTN_OUTCOME_EXISTS ? CTN_E_EXISTS : CTN_E_STALE,
             outcome == CTN_OUTCOME_EXISTS      ? "an execution with this id or idempotency key exists"
             : outcome == CTN_OUTCOME_STALE_SEQ ? "somebody else has advanced this execution"
                                                : "another process has become the store's owner");
    if (outcome != CTN_OUTCOME_EXISTS)
        ctn_log_line(e->options.log, CTN_LOG_ERROR, err.message, "execution", ctn_id_to_text(l->id).text, NULL);
    filed_list others = {0};
    for (filed *f; (f = ctn_filed_take(kept));) {
        ctn_execution_row row;
        if (!ctn_id_equal(f->id, l->id))
            ctn_filed_append(&others, f);
        else if (outcome == CTN_OUTCOME_EXISTS && f->kind == FILED_START && f->start.idempotency_key.len &&
                 ctn_store_execution_by_key(e->options.store, e->scratch, f->start.plan->chain_id,
                                            f->start.idempotency_key, &row, NULL) == CTN_OK) {
            f->id = row.id;
            ctn_eng_ack(e, f, CTN_OK, NULL);
        } else {
            ctn_eng_ack(e, f, err.code, &err);
        }
    }
    *kept = others;
    ctn_eng_unload(e, l);
}

void ctn_eng_store_fails(ctn_engine *e, ctn_trouble *trouble, const ctn_err *why)
{
    ctn_trouble_begins(trouble, e->now_ms, why->message);
    e->store.is_failing = true;
    memcpy(e->store.why, why->message, sizeof e->store.why);
    e->store.retry_at_ms = e->now_ms + STORE_RETRY_MS;
}

static void store_failed(ctn_engine *e, batch_memory *m)
{
    ctn_eng_store_fails(e, &e->store.writing, &m->batch.err);
    /* In order: the failed batch's inputs, those gathered behind it, those that came since. */
    filed_list again = CTN_PLANT(INPUTS_LOST_WITH_A_COMMIT) ? (filed_list){0} : m->kept;
    batch_memory *both[2] = {m, e->batches->gathering};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->count; i++) {
            both[k]->builds[i].l->is_lost = true;
            both[k]->builds[i].l->build = NULL;
            both[k]->builds[i].l->batches = 0;
        }
    for (filed *f; (f = ctn_filed_take(&e->batches->gathering->kept));)
        ctn_filed_append(&again, f);
    for (filed *f; (f = ctn_filed_take(&e->inbox.list));)
        ctn_filed_append(&again, f);
    e->inbox.list = again;
    memory_reset(m);
    memory_reset(e->batches->gathering);
}

void ctn_eng_take_in(ctn_engine *e)
{
    batch_memory *m = e->batches->finished;
    if (!m)
        return;
    assert(m == e->batches->under_way);
    e->batches->finished = e->batches->under_way = NULL;
    if (m->batch.rc && !CTN_PLANT(FAILED_COMMIT_BELIEVED)) {
        store_failed(e, m);
        return;
    }
    ctn_trouble_ends(&e->store.writing, e->now_ms);
    for (size_t i = 0; i < m->count; i++) {
        append_build *b = &m->builds[i];
        b->l->batches--;
        if (m->batch.outcomes[i] == CTN_OUTCOME_ACCEPTED) {
            b->l->is_recovering = false;
            ctn_eng_admission_committed(e, b->l);
            tell_entries(e, b);
            ctn_eng_tell_parent(e, b->l);
            ctn_live_to_perform(&e->live, b->l);
        }
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->batch.outcomes[i] != CTN_OUTCOME_ACCEPTED)
            append_refused(e, &m->builds[i], m->batch.outcomes[i], &m->kept);
    for (filed *f; (f = ctn_filed_take(&m->kept));)
        ctn_eng_ack(e, f, CTN_OK, NULL);
    memory_reset(m);
}

void ctn_eng_recover_store(ctn_engine *e)
{
    if (!e->store.is_failing || e->batches->under_way || e->now_ms < e->store.retry_at_ms)
        return;
    loaded *next = NULL;
    for (loaded *l = e->live.first; l; l = next) {
        next = l->next;
        if (!l->is_lost)
            continue;
        ctn_err err = {0};
        int rc = ctn_eng_reload(e, l, &err);
        if (rc == CTN_E_NOT_FOUND || rc == CTN_E_CORRUPT || rc == CTN_E_STATE) {
            /* A start that never reached the disk: its request is tried again. Or damaged, and put away. */
            ctn_eng_unload(e, l);
        } else if (rc) {
            ctn_eng_store_fails(e, &e->store.writing, &err);
            return;
        } else if (!CTN_PLANT(END_NOT_TOLD_AFTER_RELOAD)) {
            tell_status(e, l); /* a commit that looked failed may have reached the disk */
        }
    }
    e->store.is_failing = false;
    for (loaded *l = e->live.first; l; l = l->next)
        ctn_eng_advance(e, l);
}
