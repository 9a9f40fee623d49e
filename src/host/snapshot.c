/*
 * snapshot.c -- see snapshot.h.
 */
#include "host/snapshot.h"
#include "chain/requires.h"
#include "store/fleet.h"
#include "store/quarantine.h"

ctn_snapshot_step ctn_snapshot_step_of(const ctn_execution *x, uint32_t step, ctn_arena *arena)
{
    ctn_snapshot_step s = {.name = ctn_arena_str(arena, ctn_execution_plan(x)->steps[step].name),
                           .view = ctn_execution_step(x, step)};
    s.view.message = ctn_arena_str(arena, s.view.message);
    s.view.call = ctn_arena_str(arena, s.view.call);
    s.view.asked = s.view.asked ? ctn_json_copy(arena, s.view.asked) : NULL;
    return s;
}

ctn_snapshot ctn_snapshot_of(const ctn_execution *x, ctn_arena *arena)
{
    const ctn_plan *plan = ctn_execution_plan(x);
    ctn_snapshot s = {.id = ctn_execution_id_of(x),
                      .chain_id = ctn_arena_str(arena, plan->chain_id),
                      .status = ctn_execution_status(x),
                      .step_count = plan->step_count};
    s.paused_because = ctn_arena_str(arena, ctn_execution_pause_reason(x));
    if (ctn_execution_budget_wait(x))
        s.budget = ctn_json_copy(arena, ctn_execution_budget_wait(x));
    s.steps = CTN_NEW_ARRAY(arena, ctn_snapshot_step, s.step_count);
    for (uint32_t i = 0; i < plan->step_count; i++)
        s.steps[i] = ctn_snapshot_step_of(x, i, arena);
    return s;
}

bool ctn_snapshot_look_at_line(ctn_snapshot *s, ctn_store *store, ctn_arena *arena, ctn_execution_id *ret_holder)
{
    ctn_execution_row row, first;
    if (s->status != CTN_STATUS_QUEUED || ctn_store_execution_get(store, arena, s->id, &row, NULL) ||
        ctn_store_queue_first(store, arena, row.queue_key, row.exec_no, &first, NULL))
        return false;
    ctn_id_text id = ctn_id_to_text(first.id);
    ctn_quarantine_row damaged;
    bool is_damaged = ctn_store_quarantine_get(store, arena, first.exec_no, &damaged, NULL) == CTN_OK;
    s->queued_behind =
        ctn_arena_printf(arena, "queued behind concurrencyKey \"%.*s\", held by %s (%s)", CTN_STR_ARG(row.queue_key),
                         id.text, is_damaged ? "damaged" : ctn_status_name(first.status));
    s->is_stuck = is_damaged || first.status == CTN_STATUS_PAUSED || first.status == CTN_STATUS_INTERRUPTED ||
                  (first.status == CTN_STATUS_WAITING && first.wake_at_ms == 0);
    if (ret_holder)
        *ret_holder = first.id;
    return true;
}

typedef struct looking {
    ctn_str requires;
    bool is_met;
} looking;

static int look_at_node(void *ctx, const ctn_node_row *node)
{
    looking *l = ctx;
    l->is_met = node->is_live && !node->is_leaving && ctn_labels_text_meets(node->labels, l->requires);
    return l->is_met;
}

ctn_str ctn_told_lack_of_labels(const ctn_plan *plan, ctn_store *store, ctn_arena *arena)
{
    looking l = {.requires = plan->requires_text};
    if (!plan->requires || !ctn_store_is_fleet(store) || ctn_store_node_list(store, look_at_node, &l, NULL) || l.is_met)
        return (ctn_str){0};
    return ctn_arena_printf(arena, "waits for a node with the labels %.*s; no living node has them",
                            CTN_STR_ARG(l.requires));
}

ctn_snapshot ctn_snapshot_in_store(const ctn_execution *x, ctn_store *store, ctn_arena *arena)
{
    ctn_snapshot s = ctn_snapshot_of(x, arena);
    (void) ctn_snapshot_look_at_line(&s, store, arena, NULL);
    if (!ctn_status_is_final(s.status))
        s.waits_for_node = ctn_told_lack_of_labels(ctn_execution_plan(x), store, arena);
    return s;
}

bool ctn_snapshot_has_child(const ctn_step_view *v)
{
    return !ctn_id_equal(v->child, (ctn_execution_id){0});
}

ctn_str ctn_snapshot_step_label(const ctn_snapshot_step *step, ctn_arena *arena)
{
    if (step->view.item < 0)
        return step->name;
    return ctn_arena_printf(arena, "%.*s[%lld]", CTN_STR_ARG(step->name), (long long) step->view.item);
}

const ctn_json *ctn_snapshot_step_to_json(const ctn_snapshot_step *step, ctn_arena *arena)
{
    const ctn_step_view *v = &step->view;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", step->name);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_step_status_name(v->status)));
    ctn_json_put_int(&b, "attempt", v->attempt);
    ctn_json_put_int(&b, "startedAtMs", v->started_at_ms);
    ctn_json_put_int(&b, "endedAtMs", v->ended_at_ms);
    ctn_json_put_int(&b, "dueMs", v->due_ms);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(v->failure)));
    ctn_json_put_str(&b, "message", v->message);
    ctn_json_put_bool(&b, "isUndoing", v->is_undoing);
    ctn_json_put_bool(&b, "wantsApproval", v->wants_approval);
    ctn_json_put_bool(&b, "waitsForTime", v->waits_for_time);
    ctn_json_put_bool(&b, "wantsAgent", v->wants_agent);
    ctn_json_put_bool(&b, "isReused", v->is_reused);
    ctn_json_put_bool(&b, "waitsForChild", v->waits_for_child);
    if (v->wants_input)
        ctn_json_put_bool(&b, "wantsInput", true);
    if (v->call.len)
        ctn_json_put_str(&b, "call", v->call);
    if (v->is_with_peer)
        ctn_json_put_bool(&b, "isWithPeer", true);
    if (v->waits_for_breaker)
        ctn_json_put_bool(&b, "waitsForBreaker", true);
    if (v->is_from_cache)
        ctn_json_put_bool(&b, "isFromCache", true);
    if (v->item >= 0)
        ctn_json_put_int(&b, "item", v->item);
    if (v->item_count) {
        ctn_json_put_int(&b, "itemCount", v->item_count);
        ctn_json_put_int(&b, "itemsEnded", v->items_ended);
        ctn_json_put_int(&b, "itemsFailed", v->items_failed);
    }
    if (v->fallback)
        ctn_json_put_int(&b, "fallback", v->fallback);
    if (ctn_snapshot_has_child(v))
        ctn_json_put(&b, CTN_STR("child"), ctn_json_string(arena, ctn_str_from(ctn_id_to_text(v->child).text)));
    if (v->asked && (v->wants_agent || v->wants_input))
        ctn_json_put(&b, CTN_STR("asked"), v->asked);
    return ctn_json_finish(&b);
}

const ctn_json *ctn_snapshot_to_json(const ctn_snapshot *s, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), steps = ctn_json_array(arena);
    for (size_t i = 0; i < s->step_count; i++)
        ctn_json_push(&steps, ctn_snapshot_step_to_json(&s->steps[i], arena));
    ctn_id_text id = ctn_id_to_text(s->id);
    ctn_json_put_str(&b, "executionId", ctn_str_from(id.text));
    ctn_json_put_str(&b, "chain", s->chain_id);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_status_name(s->status)));
    ctn_json_put(&b, CTN_STR("steps"), ctn_json_finish(&steps));
    if (s->budget)
        ctn_json_put(&b, CTN_STR("budget"), s->budget);
    if (s->paused_because.len)
        ctn_json_put_str(&b, "pausedBecause", s->paused_because);
    if (s->queued_behind.len) {
        ctn_json_put_str(&b, "queuedBehind", s->queued_behind);
        ctn_json_put_bool(&b, "isStuck", s->is_stuck);
    }
    return ctn_json_finish(&b);
}

static ctn_step_status step_status_from_name(ctn_str name)
{
    for (int s = 0; s < CTN_STEP_STATUS_COUNT; s++)
        if (ctn_str_is(name, ctn_step_status_name((ctn_step_status) s)))
            return (ctn_step_status) s;
    return CTN_STEP_PENDING;
}

ctn_snapshot_step ctn_snapshot_step_from_json(const ctn_json *v, ctn_arena *arena)
{
    ctn_str none = {0};
    int64_t attempt = ctn_json_int_or(v, "attempt", 0), fallback = ctn_json_int_or(v, "fallback", 0);
    ctn_snapshot_step s = {.name = ctn_arena_str(arena, ctn_json_str_or(v, "name", none))};
    s.view = (ctn_step_view){
        .status = step_status_from_name(ctn_json_str_or(v, "status", none)),
        .attempt = attempt < 0 || attempt > UINT32_MAX ? 0 : (uint32_t) attempt,
        .started_at_ms = ctn_json_int_or(v, "startedAtMs", 0),
        .ended_at_ms = ctn_json_int_or(v, "endedAtMs", 0),
        .due_ms = ctn_json_int_or(v, "dueMs", 0),
        .failure = ctn_failure_from_name(ctn_json_str_or(v, "code", none)),
        .message = ctn_arena_str(arena, ctn_json_str_or(v, "message", none)),
        .is_undoing = ctn_json_bool_or(v, "isUndoing", false),
        .wants_approval = ctn_json_bool_or(v, "wantsApproval", false),
        .waits_for_time = ctn_json_bool_or(v, "waitsForTime", false),
        .wants_input = ctn_json_bool_or(v, "wantsInput", false),
        .call = ctn_arena_str(arena, ctn_json_str_or(v, "call", none)),
        .wants_agent = ctn_json_bool_or(v, "wantsAgent", false),
        .is_reused = ctn_json_bool_or(v, "isReused", false),
        .is_with_peer = ctn_json_bool_or(v, "isWithPeer", false),
        .waits_for_breaker = ctn_json_bool_or(v, "waitsForBreaker", false),
        .is_from_cache = ctn_json_bool_or(v, "isFromCache", false),
        .waits_for_child = ctn_json_bool_or(v, "waitsForChild", false),
        .item = ctn_json_int_or(v, "item", -1),
        .item_count = ctn_json_int_or(v, "itemCount", 0),
        .items_ended = ctn_json_int_or(v, "itemsEnded", 0),
        .items_failed = ctn_json_int_or(v, "itemsFailed", 0),
        .fallback = fallback < 0 || fallback > UINT32_MAX ? 0 : (uint32_t) fallback,
        .asked = ctn_json_member_of(v, "asked") ? ctn_json_copy(arena, ctn_json_member_of(v, "asked")) : NULL,
    };
    (void) ctn_id_parse(ctn_json_str_or(v, "child", none), &s.view.child, NULL);
    return s;
}

ctn_snapshot ctn_snapshot_from_json(const ctn_json *v, ctn_arena *arena)
{
    ctn_str none = {0};
    ctn_snapshot s = {.chain_id = ctn_arena_str(arena, ctn_json_str_or(v, "chain", none))};
    (void) ctn_id_parse(ctn_json_str_or(v, "executionId", none), &s.id, NULL);
    (void) ctn_status_from_name(ctn_json_str_or(v, "status", none), &s.status);
    const ctn_json *steps = ctn_json_member_of(v, "steps");
    s.step_count = ctn_json_is(steps, CTN_JSON_ARRAY) ? steps->count : 0;
    s.steps = CTN_NEW_ARRAY(arena, ctn_snapshot_step, s.step_count);
    for (size_t i = 0; i < s.step_count; i++)
        s.steps[i] = ctn_snapshot_step_from_json(ctn_json_at(steps, i), arena);
    const ctn_json *budget = ctn_json_member_of(v, "budget");
    s.budget = budget ? ctn_json_copy(arena, budget) : NULL;
    s.paused_because = ctn_arena_str(arena, ctn_json_str_or(v, "pausedBecause", none));
    s.queued_behind = ctn_arena_str(arena, ctn_json_str_or(v, "queuedBehind", none));
    s.is_stuck = ctn_json_bool_or(v, "isStuck", false);
    return s;
}

bool ctn_step_needs_somebody(const ctn_step_view *v)
{
    return v->status == CTN_STEP_INTERRUPTED ||
           (v->status == CTN_STEP_WAITING && !v->waits_for_child && (v->wants_approval || !v->waits_for_time));
}

bool ctn_snapshot_waits_for_child(const ctn_snapshot *s)
{
    for (size_t i = 0; i < s->step_count; i++)
        if (s->steps[i].view.waits_for_child)
            return true;
    return false;
}

bool ctn_snapshot_is_parked(const ctn_snapshot *s)
{
    if (s->status == CTN_STATUS_PAUSED || (s->status == CTN_STATUS_QUEUED && s->is_stuck))
        return true;
    for (size_t i = 0; s->status == CTN_STATUS_COMPENSATING && i < s->step_count; i++)
        if (s->steps[i].view.is_undoing && ctn_step_needs_somebody(&s->steps[i].view))
            return true; /* steps are undone one at a time */
    if (s->status != CTN_STATUS_WAITING && s->status != CTN_STATUS_INTERRUPTED)
        return false;
    for (size_t i = 0; i < s->step_count; i++)
        if (s->steps[i].view.status == CTN_STEP_WAITING && !ctn_step_needs_somebody(&s->steps[i].view))
            return false;
    return true;
}
