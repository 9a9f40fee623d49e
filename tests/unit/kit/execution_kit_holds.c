/*
 * execution_kit_holds.c -- what must always hold of an execution, whatever a test does with it.
 */
#include "unit/kit/execution_kit_state.h"

#include "journal/why.h"

/* ---- behind every move ---- */

/* The journal's first `count` records, folded, and advanced to now. Entries that it says and that are stored must be
 * the next ones of the journal. */
static ctn_execution *replayed(kit *k, ctn_arena *arena, size_t count)
{
    ctn_execution *x = ctn_execution_new(arena, k->plan, k->id);
    ctn_err err = {0};
    for (size_t i = 0; i < count; i++) {
        ctn_entry e;
        if (ctn_record_to_entry(&k->records[i], arena, &e, &err) || ctn_execution_replay(x, &e, &err))
            KIT_FAIL(k, "the journal does not replay: %s", err.message);
    }
    ctn_entry e;
    for (int i = 0; ctn_execution_next(x, &k->rules, k->now_ms, k->entropy, arena, &e); i++) {
        if (i == ADVANCE_MAX)
            KIT_FAIL(k, "the replay of %zu records never comes to rest", count);
        bool is_stored = ctn_entry_is_stored(&e);
        ctn_execution_apply(x, &e);
        if (!is_stored)
            continue;
        ctn_str body = ctn_json_to_str(arena, e.body);
        ctn_execution_note_stored(x, body.len);
        if (count == k->count)
            KIT_FAIL(k, "only the replay says %s of %.*s: %.*s", ctn_entry_kind_name(e.kind), CTN_STR_ARG(e.step),
                     CTN_STR_ARG(body));
        const ctn_record *r = &k->records[count++];
        if (e.kind != r->kind || e.attempt != r->attempt || e.item != r->item || !ctn_str_equal(e.step, r->step) ||
            !ctn_str_equal(body, r->body))
            KIT_FAIL(k, "at %zu the replay says %s of %.*s: %.*s", count, ctn_entry_kind_name(e.kind),
                     CTN_STR_ARG(e.step), CTN_STR_ARG(body));
    }
    if (count != k->count)
        KIT_FAIL(k, "the replay stops after record %zu", count);
    return x;
}

static bool same_call(ctn_arena *arena, const ctn_owed_call *a, const ctn_owed_call *b)
{
    return a->step == b->step && a->item == b->item && a->call == b->call && a->role == b->role &&
           a->is_check == b->is_check && a->attempt == b->attempt && a->plan_call == b->plan_call &&
           a->timeout_ms == b->timeout_ms && a->effect == b->effect && ctn_str_equal(a->key, b->key) &&
           kit_same_json(a->continuation, b->continuation) && kit_same_json(a->answers, b->answers) &&
           ctn_str_equal(ctn_json_to_str(arena, a->args), ctn_json_to_str(arena, b->args));
}

/* The chain goes on no more: it was cancelled, its time is over, or a step failed for good. */
static bool is_stopping(const kit *k)
{
    for (size_t i = 0; i < k->count; i++) {
        const ctn_record *r = &k->records[i];
        uint32_t step = ctn_plan_step_index(k->plan, r->step);
        if (r->kind == CTN_ENTRY_CANCEL_REQUESTED ||
            (r->kind == CTN_ENTRY_ATTEMPT_FAILED && !k->plan->steps[step].continue_on_error &&
             ctn_str_find(r->body, CTN_STR("\"final\":true")) != SIZE_MAX))
            return true;
    }
    return false;
}

/* A stopping or paused execution awaits repeatable calls of which the journal knows nothing: a process that reads the
 * journal lets them go (and makes them after the pause). While one is in flight there is nothing to compare. */
static bool awaits_unrecorded(const kit *k, ctn_arena *arena)
{
    if (!is_stopping(k) && ctn_execution_status(k->x) != CTN_STATUS_PAUSED)
        return false;
    ctn_owed owed;
    ctn_execution_owed(k->x, &k->rules, k->now_ms, arena, &owed);
    for (size_t i = 0; i < owed.count; i++) {
        const ctn_owed_call *c = &owed.calls[i];
        bool has_undo = k->plan->steps[c->step].undo && k->plan->is_rollback_enabled;
        if (c->role == CTN_ROLE_DO && !c->is_check &&
            (c->effect < CTN_EFFECT_IDEMPOTENT || (c->effect == CTN_EFFECT_IDEMPOTENT && !has_undo)))
            return true;
    }
    return false;
}

static void compare_owed(kit *k, ctn_arena *arena, const ctn_execution *y)
{
    ctn_owed a, b;
    ctn_execution_owed(k->x, &k->rules, k->now_ms, arena, &a);
    ctn_execution_owed(y, &k->rules, k->now_ms, arena, &b);
    for (size_t i = 0; i < a.count; i++) {
        bool found = false;
        for (size_t n = 0; n < b.count; n++)
            found = found || same_call(arena, &a.calls[i], &b.calls[n]);
        if (!found)
            KIT_FAIL(k, "the replay does not owe %.*s, attempt %u with %.*s",
                     CTN_STR_ARG(kit_call_name(k, arena, &a.calls[i])), a.calls[i].attempt,
                     CTN_STR_ARG(ctn_json_to_str(arena, a.calls[i].args)));
    }
    if (a.count != b.count)
        KIT_FAIL(k, "%zu calls are owed, after a replay %zu", a.count, b.count);
    if (a.wake_at_ms != b.wake_at_ms)
        KIT_FAIL(k, "the replay wakes at %lld, not %lld", (long long) (b.wake_at_ms - KIT_START_MS),
                 (long long) (a.wake_at_ms - KIT_START_MS));
}

static void compare_steps(kit *k, const ctn_execution *y)
{
    for (uint32_t i = 0; i < k->plan->step_count; i++) {
        ctn_step_view a = ctn_execution_step(k->x, i), b = ctn_execution_step(y, i);
        const char *differs = a.status != b.status                               ? "status"
                              : a.attempt != b.attempt                           ? "attempt"
                              : a.ended_at_ms != b.ended_at_ms                   ? "ended_at_ms"
                              : a.due_ms != b.due_ms                             ? "due_ms"
                              : a.failure != b.failure                           ? "failure"
                              : !ctn_str_equal(a.message, b.message)             ? "message"
                              : a.is_undoing != b.is_undoing                     ? "is_undoing"
                              : a.wants_approval != b.wants_approval             ? "wants_approval"
                              : a.wants_input != b.wants_input                   ? "wants_input"
                              : a.waits_for_time != b.waits_for_time             ? "waits_for_time"
                              : a.is_reused != b.is_reused                       ? "is_reused"
                              : (a.started_at_ms == 0) != (b.started_at_ms == 0) ? "started_at_ms"
                                                                                 : NULL;
        if (differs)
            KIT_FAIL(k, "step %.*s: %s is another after a replay (%s, attempt %u; %s, attempt %u)",
                     CTN_STR_ARG(k->plan->steps[i].name), differs, ctn_step_status_name(a.status), a.attempt,
                     ctn_step_status_name(b.status), b.attempt);
    }
}

static void compare(kit *k, ctn_arena *arena, const ctn_execution *y)
{
    compare_owed(k, arena, y);
    if (ctn_execution_seq(k->x) != ctn_execution_seq(y))
        KIT_FAIL(k, "the replay has another sequence number");
    if (!kit_same_json(ctn_execution_outputs(k->x), ctn_execution_outputs(y)) ||
        !kit_same_json(ctn_execution_error(k->x), ctn_execution_error(y)))
        KIT_FAIL(k, "the replay has another outcome");
    for (uint32_t i = 0; i < k->plan->variable_count; i++)
        if (!kit_same_json(ctn_execution_variable(k->x, k->plan->variables[i]),
                           ctn_execution_variable(y, k->plan->variables[i])))
            KIT_FAIL(k, "the replay has another value of %.*s", CTN_STR_ARG(k->plan->variables[i]));
    if (ctn_execution_status(k->x) != ctn_execution_status(y))
        KIT_FAIL(k, "it is %s, after a replay %s", ctn_status_name(ctn_execution_status(k->x)),
                 ctn_status_name(ctn_execution_status(y)));
    compare_steps(k, y);
    if (ctn_execution_is_busy(k->x) != ctn_execution_is_busy(y))
        KIT_FAIL(k, "the replay may%s be unloaded", ctn_execution_is_busy(y) ? " not" : "");
}

/* "a retry sends the same arguments", under the same key. */
static void check_owed(kit *k, ctn_arena *arena)
{
    ctn_owed owed;
    ctn_execution_owed(k->x, &k->rules, k->now_ms, arena, &owed);
    for (size_t i = 0; i < owed.count; i++) {
        const ctn_owed_call *c = &owed.calls[i];
        if (c->is_check)
            continue;
        uint32_t number = ctn_names_add(&k->keys_seen, ctn_arena_str(k->arena, c->key));
        if (number >= KEYS_MAX)
            continue;
        ctn_str *seen = &k->args_seen[number];
        ctn_str now =
            ctn_arena_printf(arena, "%.*s %.*s", CTN_STR_ARG(c->key), CTN_STR_ARG(ctn_json_to_str(arena, c->args)));
        if (seen->len == 0 || k->was_set)
            *seen = ctn_arena_str(k->arena, now);
        else if (!ctn_str_equal(*seen, now))
            KIT_FAIL(k, "another attempt sends\n  %.*s, not\n  %.*s", CTN_STR_ARG(now), CTN_STR_ARG(*seen));
    }
}

void kit_check_holds(kit *k, size_t since)
{
    ctn_arena *arena = ctn_arena_new(65536);
    check_owed(k, arena);
    bool skip = awaits_unrecorded(k, arena);
    for (size_t n = since ? since : 1; n <= k->count && !skip; n++) {
        ctn_arena_reset(arena);
        compare(k, arena, replayed(k, arena, n));
    }
    ctn_arena_free(arena);
}

/* ---- at the end: why ---- */

/* Each node speaks of an entry of the journal, and of the step that the entry is about. */
static void check_why(kit *k, const ctn_why_node *node)
{
    if (node->seq > k->count || node->see >= node->id)
        KIT_FAIL(k, "why tells of entry %llu, node %u of %u", (unsigned long long) node->seq, node->see, node->id);
    if (node->seq && node->kind == CTN_WHY_EVENT && node->attempt &&
        !ctn_str_equal(k->records[node->seq - 1].step, node->step))
        KIT_FAIL(k, "why tells entry %llu of another step than %.*s", (unsigned long long) node->seq,
                 CTN_STR_ARG(node->step));
    if (node->text.len == 0 && node->name.len == 0)
        KIT_FAIL(k, "why says nothing of entry %llu", (unsigned long long) node->seq);
    for (const ctn_why_node *child = node->first; child; child = child->next)
        check_why(k, child);
}

/* With what the step was called: a line of `why STEP`. NULL: it does not say. */
static const ctn_json *args_told(ctn_arena *arena, const ctn_why_source *source, ctn_str step)
{
    ctn_why_options options = {0};
    const ctn_why_node *node = NULL;
    assert_int_equal(ctn_why_step(arena, source, &options, step, &node, NULL), CTN_OK);
    for (const ctn_why_node *child = node->first; child; child = child->next)
        if (child->kind == CTN_WHY_EVENT && child->args)
            return child->args;
    return NULL;
}

/* Arguments that are not on record are rendered again. Those that are would come out the same, had they not been. */
static void check_rendered(kit *k, ctn_arena *arena, const ctn_why_source *source)
{
    ctn_entry *entries = CTN_NEW_ARRAY(arena, ctn_entry, source->count);
    ctn_why_source bare = {.execution = source->execution, .entries = entries};
    for (size_t i = 0; i < source->count; i++)
        if (source->entries[i].kind != CTN_ENTRY_ATTEMPT_STARTED)
            entries[bare.count++] = source->entries[i];
    for (uint32_t i = 0; i < k->plan->step_count && !k->was_set; i++) {
        const ctn_json *recorded = args_told(arena, source, k->plan->steps[i].name);
        const ctn_json *rendered = args_told(arena, &bare, k->plan->steps[i].name);
        if (recorded && rendered && !ctn_json_equal(recorded, rendered))
            KIT_FAIL(k, "why renders %.*s for %.*s, sent was %.*s", CTN_STR_ARG(ctn_json_to_str(arena, rendered)),
                     CTN_STR_ARG(k->plan->steps[i].name), CTN_STR_ARG(ctn_json_to_str(arena, recorded)));
    }
}

/* Whatever happened in a test; and the value that is explained is the one that the variable has. */
void kit_check_why(kit *k)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_entry *entries = CTN_NEW_ARRAY(arena, ctn_entry, k->count);
    ctn_why_source source = {.execution = k->x, .entries = entries, .count = k->count};
    ctn_why_options options = {0};
    ctn_err err = {0};
    const ctn_why_node *node = NULL;
    for (size_t i = 0; i < k->count; i++)
        assert_int_equal(ctn_record_to_entry(&k->records[i], arena, &entries[i], NULL), CTN_OK);
    for (uint32_t i = 0; i < k->plan->step_count; i++) {
        if (ctn_why_step(arena, &source, &options, k->plan->steps[i].name, &node, &err))
            KIT_FAIL(k, "why %.*s: %s", CTN_STR_ARG(k->plan->steps[i].name), err.message);
        check_why(k, node);
        ctn_str item = ctn_arena_printf(arena, "%.*s[1]", CTN_STR_ARG(k->plan->steps[i].name));
        assert_int_equal(ctn_why_step(arena, &source, &options, item, &node, &err), CTN_OK);
        check_why(k, node);
    }
    for (uint32_t i = 0; i < k->plan->variable_count; i++) {
        ctn_str name = k->plan->variables[i];
        const ctn_json *v = ctn_execution_variable(k->x, name);
        if (ctn_why_variable(arena, &source, &options, name, &node, &err))
            KIT_FAIL(k, "why %.*s: %s", CTN_STR_ARG(name), err.message);
        check_why(k, node);
        bool is_list_of_items = false; /* why names the last item's value so far */
        for (uint32_t n = 0; n < k->plan->step_count; n++)
            for (uint32_t o = 0; k->plan->steps[n].foreach && o < k->plan->steps[n].output_count; o++)
                is_list_of_items = is_list_of_items || k->plan->steps[n].outputs[o].slot == i;
        if (is_list_of_items)
            continue;
        if (node->kind == CTN_WHY_VARIABLE && !node->is_redacted && (v != NULL) != (node->value != NULL))
            KIT_FAIL(k, "why %.*s: there %s a value", CTN_STR_ARG(name), v ? "is" : "is not");
        if (node->kind == CTN_WHY_VARIABLE && v && node->value && !ctn_json_equal(v, node->value))
            KIT_FAIL(k, "why %.*s explains another value", CTN_STR_ARG(name));
    }
    check_rendered(k, arena, &source);
    ctn_arena_free(arena);
}
