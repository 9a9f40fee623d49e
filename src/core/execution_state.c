/*
 * execution_state.c -- tasks, works and calls: making them, and what can be asked of them.
 */
#include "core/execution_state.h"

#include "base/plant.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- making ---- */

void ctn_x_work_init(work *w, const ctn_plan_set *set)
{
    w->set = set;
    w->calls = set && set->call_count ? CTN_NEW_ARRAY(w->task->arena, call_state, set->call_count) : NULL;
}

void ctn_x_task_init(const ctn_execution *x, task *t, uint32_t step, int64_t item, ctn_arena *arena)
{
    const ctn_plan_step *p = &x->plan->steps[step];
    bool is_each = p->foreach && item < 0; /* its items do the work */
    *t = (task){.step = step, .plan = p, .item = item, .arena = arena};
    work *done = &t->work[CTN_ROLE_DO], *undo = &t->work[CTN_ROLE_UNDO];
    done->task = undo->task = t;
    undo->role = CTN_ROLE_UNDO;
    ctn_x_work_init(done, p->set);
    ctn_x_work_init(undo, is_each ? NULL : p->undo);
    if (is_each)
        done->calls = NULL;
}

void ctn_x_list_add(ctn_execution *x, task_list *list, task *t)
{
    list->items = ctn_arena_room(x->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = t;
}

/* ---- asking ---- */

task *ctn_x_task(const ctn_execution *x, uint32_t step, int64_t item)
{
    if (item < 0)
        return &x->steps[step].whole;
    task *open = ctn_x_each_find(x, step, item);
    if (open)
        return open;
    task *turn = x->undo.cursor < x->undo.queue.count ? x->undo.queue.items[x->undo.cursor] : NULL;
    return turn && turn->step == step && turn->item == item ? turn : NULL;
}

uint32_t ctn_x_call_count(const work *w)
{
    return w->calls ? w->set->call_count : 0;
}

bool ctn_x_any_call(const work *w, call_phase phase)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->calls[i].phase == phase)
            return true;
    return false;
}

uint32_t ctn_x_startable_call(const work *w)
{
    bool at_once = w->task->plan->parallel_calls;
    bool is_new_attempt = w->phase != WORK_RUNNING; /* whatever failed in the last one goes again */
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->phase == CALL_DONE)
            continue;
        if (c->phase == CALL_IDLE || is_new_attempt)
            return i;
        if (!at_once)
            break;
    }
    return ctn_x_call_count(w);
}

bool ctn_x_is_for_people(const work *w)
{
    bool is_asked = false;
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++) {
        call_phase phase = w->calls[i].phase;
        if (phase == CALL_RUNNING)
            return false;
        is_asked = is_asked || phase == CALL_ASKED || phase == CALL_WAITING;
    }
    return is_asked && ctn_x_startable_call(w) == ctn_x_call_count(w);
}

bool ctn_x_is_left_with_peer(const call_state *c)
{
    return c->phase == CALL_WAITING || (c->phase == CALL_IDLE && c->continuation);
}

bool ctn_x_has_ended(const task *t)
{
    work_phase phase = t->work[CTN_ROLE_DO].phase;
    return phase == WORK_DONE || phase == WORK_SKIPPED || phase == WORK_FAILED;
}

bool ctn_x_call_is_last(const work *w, uint32_t call)
{
    for (uint32_t i = 0; i < w->set->call_count; i++)
        if (i != call && w->calls[i].phase != CALL_DONE)
            return false;
    return true;
}

bool ctn_x_may_have_begun(const ctn_execution *x, const work *w, int64_t now_ms)
{
    if (w->role == CTN_ROLE_UNDO || !w->calls || (x->is_paused && !x->pause.seq))
        return false; /* every undo and every wait is a record */
    if (w->phase == WORK_READY)
        return !x->is_paused || w->ready_seq < x->pause.seq;
    return w->phase == WORK_BACKOFF && w->due_ms <= (x->is_paused ? x->pause.at_ms : now_ms);
}

bool ctn_x_wants_check(const work *w, const call_state *c)
{
    return c->phase == CALL_UNKNOWN && w->set->check && !c->check_is_over;
}

bool ctn_x_fate_is_unknown(const task *t)
{
    const work *w = &t->work[CTN_ROLE_DO];
    if (w->phase == WORK_DONE || w->phase == WORK_SKIPPED)
        return false;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->may_have_happened || (c->phase == CALL_DONE && !c->is_cached && c->effect >= CTN_EFFECT_IDEMPOTENT))
            return true;
    }
    return t->was_in_doubt;
}

bool ctn_x_had_write(const work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->effect == CTN_EFFECT_WRITE && ((c->phase == CALL_DONE && !c->is_cached) || c->may_have_happened))
            return true;
    }
    return false;
}

bool ctn_x_is_undone_by_child(const task *t)
{
    static const ctn_execution_id none;
    return !t->plan->undo && !ctn_id_equal(t->child, none);
}

bool ctn_x_has_undo(const ctn_execution *x, const task *t)
{
    return x->plan->is_rollback_enabled && (t->plan->undo || ctn_x_is_undone_by_child(t));
}

size_t ctn_x_held_by(const work *w)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        bytes += w->calls[i].result_bytes;
    return bytes;
}

ctn_str ctn_x_key(const ctn_execution *x, const work *w, uint32_t call, ctn_arena *arena)
{
    const task *t = w->task;
    bool is_item = t->item >= 0 && !CTN_PLANT(ITEMS_SHARE_A_KEY), is_again = CTN_PLANT(KEY_CHANGES) && w->attempt > 1;
    char item[24], fallback[24];
    const ctn_str parts[] = {
        /* made for each call: no printf here */
        {x->id_text.text, CTN_ID_TEXT_LEN},
        CTN_STR("/"),
        t->plan->name,
        {item, is_item ? (size_t) snprintf(item, sizeof item, "[%" PRId64 "]", t->item) : 0},
        w->set && w->set->is_several ? CTN_STR("/") : CTN_STR(""),
        w->set && w->set->is_several ? w->set->calls[call].name : CTN_STR(""),
        is_again ? CTN_STR("/again") : CTN_STR(""),
        w->role == CTN_ROLE_UNDO ? CTN_STR("/undo")
        : w->fallback            ? CTN_STR("/fallback")
                                 : CTN_STR("/do"),
        {fallback,
         w->role == CTN_ROLE_DO && w->fallback ? (size_t) snprintf(fallback, sizeof fallback, "%u", w->fallback) : 0},
    };
    return ctn_arena_join(arena, parts, sizeof parts / sizeof parts[0]);
}

int64_t ctn_x_deadline_ms(const ctn_execution *x)
{
    bool counts = x->plan->timeout_ms && !x->is_stopping && !x->is_paused;
    return counts ? x->started_at_ms + x->plan->timeout_ms + x->pause.total_ms : 0;
}
