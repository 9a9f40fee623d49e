/*
 * follow_up.c -- what an execution owes after its end: the chain that onFailure names, started with
 * {executionId, error}.
 *
 * It is owed when an execution of a chain with onFailure ends failed, rolled_back or rollback_failed. Who cancelled one
 * knows that it did not end well: a cancel is no failure, unless its rollback left something undone. An execution that
 * onFailure has started owes nothing itself, so that no chain of failures goes on for ever.
 *
 * Exactly once, whatever dies: the row of the end says that something is owed (a wake time, in the same transaction),
 * the start carries an idempotency key made of the failed execution's id, and the row is cleared only when that start
 * is on disk. Whoever dies in between leaves a row that the next one to serve finds, and a key that lets it start once.
 *
 * A store that cannot be written is asked again. A chain that cannot be found, or does not take this input, is told in
 * the log; the row keeps saying so, and the next life tries again.
 */
#include "engine/follow_up.h"
#include "engine/batch.h"
#include "engine/elsewhere.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/plans.h"
#include "engine/quarantine.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"

#define PAGE         64
#define ASK_AGAIN_MS 1000

bool ctn_eng_owes_follow_up(const loaded *l)
{
    if (!l->plan->plan->on_failure.len || l->follow_up.is_one || l->follow_up.state == FOLLOW_UP_DONE)
        return false;
    switch (ctn_execution_status(l->x)) {
    case CTN_STATUS_FAILED:
    case CTN_STATUS_ROLLED_BACK: return !ctn_execution_was_cancelled(l->x);
    case CTN_STATUS_ROLLBACK_FAILED: return true;
    default: return false;
    }
}

static void give_up(ctn_engine *e, loaded *l, const ctn_err *err)
{
    l->follow_up.state = FOLLOW_UP_GIVEN_UP;
    ctn_log_line(e->options.log, CTN_LOG_ERROR, "what onFailure names cannot be started", "executionId",
                 ctn_id_to_text(l->id).text, "why", err->message, NULL);
    ctn_live_to_perform(&e->live, l);
}

/* ---- asking for the start ---- */

typedef struct asking {
    ctn_engine *engine;
    ctn_execution_id failed;
} asking;

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    asking *a = ctx;
    ctn_engine *e = a->engine;
    loaded *l = ctn_live_find(&e->live, a->failed);
    (void) id;
    if (l && ctn_eng_is_for_later(e, rc)) { /* or for who has the shard then, and asks the same */
        l->follow_up.state = FOLLOW_UP_NONE;
        ctn_live_wake_at(&e->live, l, e->now_ms + (ctn_eng_is_draining(e, l) ? 0 : ASK_AGAIN_MS));
    } else if (l && rc == CTN_OK) {
        l->follow_up.state = FOLLOW_UP_DONE;
        if (!l->is_lost)
            ctn_eng_touch(l);
        ctn_live_to_perform(&e->live, l);
    } else if (l && err) {
        give_up(e, l, err);
    }
}

static void file(ctn_engine *e, loaded *l, ctn_start *start)
{
    ctn_err err = {0};
    filed *f = NULL;
    asking a = {.engine = e, .failed = l->id};
    l->follow_up.state = FOLLOW_UP_ASKED;
    int rc = ctn_eng_own_start(e, start, ctn_execution_ended_at_ms(l->x), l->shard, on_started, &a, sizeof a, &f, &err);
    if (f)
        f->follows = l->id;
    if (ctn_eng_is_for_later(e, rc)) {
        l->follow_up.state = FOLLOW_UP_NONE;
        ctn_live_wake_at(&e->live, l, e->now_ms + ASK_AGAIN_MS);
    } else if (rc) {
        give_up(e, l, &err);
    }
}

static void ask(ctn_engine *e, loaded *l)
{
    ctn_err err = {0};
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_id_text id = ctn_id_to_text(l->id);
    ctn_json_builder input = ctn_json_object(e->scratch);
    ctn_json_put_str(&input, "executionId", ctn_str_from(id.text));
    const ctn_json *error = ctn_execution_error_clear(l->x);
    ctn_json_put(&input, CTN_STR("error"), error);
    ctn_json_builder names = ctn_json_array(e->scratch);
    bool is_sensitive = ctn_sensitive_error(ctn_execution_sensitivity(l->x), error);
    if (is_sensitive)
        ctn_json_push(&names, ctn_json_string(e->scratch, CTN_STR("error")));
    ctn_start start = {
        .input = ctn_json_finish(&input),
        .idempotency_key = ctn_arena_printf(e->scratch, CTN_FOLLOW_UP_PREFIX "%s", id.text),
        .may_be_held = true,
        .actor = CTN_STR("onFailure"),
        .by = ctn_eng_requester_of(l->x),
        .sensitive = is_sensitive ? ctn_json_finish(&names) : NULL,
    };
    bool again = false;
    int rc = ctn_eng_plan_find(e, l->plan->plan->on_failure, CTN_STR("onFailure"), &start, &again, &err);
    if (again) {
        ctn_live_wake_at(&e->live, l, e->now_ms + ASK_AGAIN_MS);
    } else if (rc) {
        give_up(e, l, &err);
    } else {
        file(e, l, &start);
    }
    ctn_arena_restore(e->scratch, mark);
}

bool ctn_eng_follow_up(ctn_engine *e, loaded *l)
{
    bool is_owed = l->follow_up.state == FOLLOW_UP_NONE && l->wake_written && ctn_eng_owes_follow_up(l) &&
                   !e->is_stopping && !ctn_eng_is_draining(e, l);
    if (is_owed)
        ask(e, l);
    if (is_owed && l->follow_up.state == FOLLOW_UP_NONE)
        return false; /* it is asked again */
    return l->follow_up.state == FOLLOW_UP_NONE || l->follow_up.state == FOLLOW_UP_GIVEN_UP ||
           (l->follow_up.state == FOLLOW_UP_DONE && !l->wake_written);
}

/* ---- those that another life left ---- */

typedef struct collecting {
    ctn_execution_id ids[PAGE];
    size_t count, seen;
    int64_t exec_no;
    const ctn_engine *engine;
} collecting;

static int collect(void *ctx, const ctn_execution_row *row)
{
    collecting *c = ctx;
    c->exec_no = row->exec_no;
    if (!ctn_id_is_none(row->id) && !ctn_eng_is_quarantined(c->engine, row->exec_no) &&
        ctn_eng_is_listed(c->engine, row->exec_no))
        c->ids[c->count++] = row->id;
    return ++c->seen == PAGE;
}

void ctn_eng_collect_owing(ctn_engine *e)
{
    collecting c = {.engine = e};
    ctn_err err = {0};
    if (e->due.owing_seen < 0 || e->options.own_only || e->is_stopping || e->store.is_failing || !ctn_eng_has_seat(e))
        return;
    if (ctn_store_execution_owing(e->options.store, e->due.owing_seen, PAGE, collect, &c, &err))
        return; /* a later turn asks again */
    for (size_t i = 0; i < c.count; i++) {
        loaded *l = NULL;
        int rc = ctn_eng_load(e, c.ids[i], &l, &err);
        if (rc == CTN_OK)
            ctn_live_to_perform(&e->live, l);
        else if (rc != CTN_E_CORRUPT && rc != CTN_E_STATE && rc != CTN_E_NOT_FOUND && rc != CTN_E_STALE)
            return; /* the store cannot be read: a later turn asks again */
    }
    e->due.owing_seen = c.seen == PAGE ? c.exec_no : -1;
}

/* ---- for those who wait ---- */

bool ctn_engine_is_following_up(const ctn_engine *e, ctn_execution_id id)
{
    const loaded *failed = ctn_live_find(&e->live, id);
    if (failed && ctn_status_is_final(failed->status_written) && failed->wake_written &&
        failed->follow_up.state != FOLLOW_UP_GIVEN_UP)
        return true;
    for (const loaded *l = e->live.first; l; l = l->next) {
        ctn_status status = ctn_execution_status(l->x);
        if (l->follow_up.is_one && ctn_id_equal(l->follow_up.follows, id) &&
            (ctn_loaded_is_ahead(l) || status == CTN_STATUS_RUNNING || status == CTN_STATUS_COMPENSATING))
            return true;
    }
    return false;
}
