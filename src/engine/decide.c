/*
 * decide.c -- see decide.h. An execution is loaded if need be, and first advanced to now: what is decided is decided on
 * the state of this moment. What is decided is kept with its batch (ctn_eng_keep) and answered after the commit; what
 * is refused is answered at once, and has changed nothing.
 */
#include "engine/decide.h"
#include "engine/abandon.h"
#include "engine/advance.h"
#include "engine/batch.h"
#include "engine/cache.h"
#include "engine/child.h"
#include "engine/commit.h"
#include "engine/load.h"
#include "engine/queue.h"
#include "engine/release.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/start.h"
#include "engine/state.h"

/* Decides one input for a loaded execution; keeps it with the batch, or answers it at once. */
static void decide(ctn_engine *e, loaded *l, filed *f)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_entry entry;
    ctn_err err = {0};
    f->in.now_ms = e->now_ms;
    f->in.entropy = ctn_eng_chance(e);
    int rc = ctn_execution_decide(l->x, &e->rules, &f->in, e->scratch, &entry, &err);
    if (f->in.asks && (rc || entry.kind != CTN_ENTRY_WAITING))
        ctn_eng_note_left(l, f);
    if (rc == CTN_OK) {
        ctn_eng_record(e, l, &entry);
        ctn_eng_record_audit(e, l, &f->by);
        ctn_eng_record_request(l, &f->by);
        ctn_eng_cache_see(e, l, &entry);
        ctn_eng_cache_put(e, l, &entry, f->in.value);
        ctn_eng_keep(l, f);
    }
    ctn_arena_restore(e->scratch, mark);
    if (rc)
        ctn_eng_ack(e, f, rc, &err);
    ctn_eng_advance(e, l);
    ctn_live_to_perform(&e->live, l);
}

/* Unloaded, or not ours, or lost and come back since: nobody waits here for what a call of it gave. */
static bool is_awaited(const ctn_engine *e, const loaded *l, const filed *f)
{
    return l && ctn_eng_is_ours(e, l) && l->epoch == f->epoch;
}

static void take_call_ended(ctn_engine *e, filed *f)
{
    loaded *l = ctn_live_find(&e->live, f->id);
    if (!is_awaited(e, l, f)) {
        ctn_inbox_free(&e->inbox, f);
        return;
    }
    flight *ended = ctn_flight_by_token(&e->flights, f->token);
    if (ended)
        ctn_eng_flight_end(e, ended);
    if (ended && f->in.used.money.len && l->queue.tenant->quota)
        ctn_eng_quota_use(e, l->queue.tenant, &(ctn_usage){.money = ctn_money_from_text(f->in.used.money)});
    decide(e, l, f);
}

static void take_call_accepted(ctn_engine *e, filed *f)
{
    loaded *l = ctn_live_find(&e->live, f->id);
    if (is_awaited(e, l, f))
        decide(e, l, f);
    else
        ctn_inbox_free(&e->inbox, f);
}

static void take_input(ctn_engine *e, filed *f)
{
    uint32_t shard;
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_execution_check_names(NULL, (ctn_str){0}, f->in.actor, &err);
    if (rc == CTN_OK && f->in.message.len > CTN_REASON_BYTES_MAX)
        rc = ctn_fail(&err, CTN_E_LIMIT, "the reason has %zu bytes, at most %d are kept", f->in.message.len,
                      CTN_REASON_BYTES_MAX);
    if (rc == CTN_OK)
        rc = ctn_eng_shard_of(e, f->id, &shard, &err);
    if (rc == CTN_OK)
        rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc) {
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    if (ctn_execution_is_hidden(l->x)) {
        rc = ctn_fail(&err, CTN_E_STATE,
                      "the execution has ended, and its sensitive values cannot be read here: they were shredded, or "
                      "there is no key");
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    if (f->by.request && l->build && l->build->request) { /* one request a commit and execution */
        ctn_filed_append(&l->strand->gathering->waiting, f);
        return;
    }
    ctn_eng_advance(e, l);
    decide(e, l, f);
}

static void take_child_ended(ctn_engine *e, filed *f)
{
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc == CTN_E_IO || rc == CTN_E_BUSY) { /* nobody else would tell it: it is told when the store can be read */
        ctn_eng_store_fails(e, &e->store.reading, &err);
        ctn_filed_append(&e->inbox.list, f);
        return;
    }
    if (rc == CTN_E_STALE) { /* whoever has the parent finds its row woken */
        ctn_inbox_free(&e->inbox, f);
        return;
    }
    f->in.step = rc ? CTN_PLAN_NONE : ctn_plan_step_index(l->plan->plan, f->in.name);
    if (f->in.step == CTN_PLAN_NONE) { /* its row is woken: it looks after its children when it can be loaded */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "the parent of a sub-chain cannot be loaded", "why", err.message,
                     NULL);
        ctn_inbox_free(&e->inbox, f);
        return;
    }
    ctn_eng_advance(e, l);
    decide(e, l, f);
}

/* Answered with the commit of what it means. What means nothing, or not any more, is answered at once. */
static void take_child_news(ctn_engine *e, filed *f)
{
    uint32_t shard;
    loaded *l = NULL;
    ctn_err err = {0};
    bool is_news = false;
    int rc = ctn_eng_shard_of(e, f->id, &shard, &err);
    if (rc == CTN_OK)
        rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc == CTN_OK && f->by.request && l->build && l->build->request) { /* one request a commit and execution */
        ctn_filed_append(&l->strand->gathering->waiting, f);
        return;
    }
    if (rc == CTN_OK) {
        ctn_arena_mark mark = ctn_arena_save(e->scratch);
        ctn_eng_advance(e, l);
        rc = ctn_eng_look_at_child(e, l, f, &is_news, &err);
        ctn_arena_restore(e->scratch, mark);
    }
    if (is_news)
        decide(e, l, f);
    else
        ctn_eng_ack(e, f, rc, &err);
}

static void take_adopt(ctn_engine *e, filed *f)
{
    uint32_t shard;
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_shard_of(e, f->id, &shard, &err);
    if (rc == CTN_OK)
        rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc == CTN_OK) {
        if (ctn_execution_status(l->x) == CTN_STATUS_QUEUED) {
            ctn_candidate candidate = ctn_eng_candidate(l);
            if (ctn_eng_may_start(e, &candidate))
                ctn_eng_start_queued(e, l, f->in.actor);
            else
                ctn_eng_wait_here(e, l);
        }
        ctn_eng_advance(e, l);
        ctn_live_to_perform(&e->live, l);
    }
    if (rc == CTN_OK && l->build)
        ctn_eng_keep(l, f);
    else
        ctn_eng_ack(e, f, rc, &err);
}

void ctn_eng_take_filed(ctn_engine *e, filed *f)
{
    switch (f->kind) {
    case FILED_CALL_ENDED: take_call_ended(e, f); break;
    case FILED_CALL_ACCEPTED: take_call_accepted(e, f); break;
    case FILED_INPUT: take_input(e, f); break;
    case FILED_START: ctn_eng_take_start(e, f); break;
    case FILED_ADOPT: take_adopt(e, f); break;
    case FILED_CHILD_ENDED: take_child_ended(e, f); break;
    case FILED_CHILD_NEWS: take_child_news(e, f); break;
    case FILED_RELEASE: ctn_eng_take_release(e, f); break;
    }
}
