/*
 * execution_start.c -- how the work of a task begins: its condition, then a call, a wait, a sub-chain, a value.
 *
 * A call that begins was let through by the gate (places, circuit breakers) and was not found in the cache; what holds
 * it back leaves no entry, but for the first time that a breaker does.
 */
#include "core/execution_judge.h"

/* A step that the engine died under so many times in a row parks, so that it cannot kill the engine forever. */
#define DEATHS_MAX 5
/* Chains that call chains, unless the rules say otherwise. */
#define DEPTH_MAX 16

/* ---- calls ---- */

static ctn_effect effect_of(const judge *j, const ctn_plan_set *set, const ctn_plan_call *call, const char **ret_from)
{
    *ret_from = "set";
    if (set->effect != CTN_EFFECT_UNKNOWN)
        return set->effect;
    ctn_effect effect = CTN_EFFECT_UNKNOWN;
    if (j->rules->effect_of)
        effect = j->rules->effect_of(j->rules->effect_ctx, call->kind, call->target, ret_from);
    if (effect != CTN_EFFECT_UNKNOWN)
        return effect;
    *ret_from = call->effect == CTN_EFFECT_UNKNOWN ? "assumed" : "kind";
    return call->effect == CTN_EFFECT_UNKNOWN ? CTN_EFFECT_WRITE : call->effect;
}

static bool park_after_deaths(const judge *j, const work *w, uint32_t call, ctn_entry *ret_entry)
{
    if (w->deaths < DEATHS_MAX)
        return false;
    ctn_json_builder b = ctn_x_body_of_either(j, w, call);
    ctn_json_put_str(&b, "code", CTN_STR("interrupted"));
    ctn_json_put_str(
        &b, "message",
        ctn_arena_printf(j->scratch, "the engine died %u times in a row while this step was under way", w->deaths));
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_INTERRUPTED, w, w->attempt, &b);
    return true;
}

/* Equal calls have equal keys: the set by content, the call, and what the step says, or the arguments and the tool's
 * schemas. */
static ctn_failure cache_key(const judge *j, const work *w, uint32_t call, const ctn_json *args, ctn_str *ret_key,
                             ctn_err *err)
{
    const ctn_plan_step *p = w->task->plan;
    const ctn_json *said = NULL;
    if (p->cache.key) {
        ctn_failure failure =
            ctn_x_render_template(j->x, w, p->cache.key, ctn_x_value_bytes_max(j->rules), j->scratch, &said, err);
        if (failure) {
            ctn_wrap(err, err->code, "key of the cache");
            return failure;
        }
    }
    ctn_buf b;
    ctn_buf_init(&b, 8 * ctn_x_value_bytes_max(j->rules));
    ctn_buf_append(&b, (ctn_str){(const char *) w->set->digest.bytes, CTN_DIGEST_BYTES});
    ctn_buf_append(&b, w->set->calls[call].name);
    ctn_buf_append_char(&b, said ? 'k' : 'a');
    ctn_json_write_canonical(&b, said ? said : args);
    const ctn_plan_call *c = &w->set->calls[call];
    ctn_digest schema;
    if (!said && j->rules->schema_of && j->rules->schema_of(j->rules->cached_ctx, c->kind, c->target, &schema))
        ctn_buf_append(&b, (ctn_str){(const char *) schema.bytes, CTN_DIGEST_BYTES});
    ctn_digest_text text = ctn_digest_to_text(ctn_hash(ctn_buf_str(&b)));
    ctn_buf_done(&b);
    *ret_key = ctn_arena_str(j->scratch, ctn_str_from(text.text));
    return CTN_FAILURE_NONE;
}

/* The tool's circuit breaker is open: to the fallback at once, else the journal says that the step waits for it. */
static bool wait_for_breaker(const judge *j, const work *w, uint32_t call, int64_t until_ms, ctn_entry *ret_entry)
{
    const ctn_plan_step *p = w->task->plan;
    ctn_str target = w->set->calls[call].target;
    if (w->role == CTN_ROLE_DO && w->fallback < p->fallback_count && !w->set->is_several && w->phase != WORK_RUNNING) {
        failure_report report = {
            .failure = CTN_FAILURE_BREAKER_OPEN,
            .is_final = true,
            .message = ctn_arena_printf(j->scratch, "the circuit breaker of %.*s is open", CTN_STR_ARG(target))};
        *ret_entry = ctn_x_fail(j, w, call, &report);
        return true;
    }
    if (w->breaker_is_noted || w->phase == WORK_RUNNING)
        return false;
    ctn_json_builder b = ctn_json_object(j->scratch);
    if (w->role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    ctn_json_put_str(&b, "target", target);
    ctn_json_put_int(&b, "untilMs", until_ms > j->now_ms ? until_ms : j->now_ms + 1);
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_BREAKER_WAIT, w, w->attempt, &b);
    return true;
}

bool ctn_x_start_call(const judge *j, const work *w, uint32_t call, ctn_entry *ret_entry)
{
    const ctn_plan_step *p = w->task->plan;
    const call_state *c = &w->calls[call];
    if (park_after_deaths(j, w, call, ret_entry))
        return true;
    const ctn_json *args = c->args;
    ctn_err err = {0};
    ctn_failure failure = CTN_FAILURE_NONE;
    if (!args)
        failure = ctn_x_render_args(j, w, call, &args, &err);
    const char *from = NULL;
    ctn_effect effect = effect_of(j, w->set, &w->set->calls[call], &from);
    ctn_str key = {0};
    bool may_cache = w->role == CTN_ROLE_DO && p->cache.ttl_ms && j->rules->cached && !c->continuation &&
                     !ctn_sensitive_step(j->x->sensitivity, w->task->step) &&
                     (effect <= CTN_EFFECT_READ || p->cache.allows_writes);
    if (!failure && may_cache)
        failure = cache_key(j, w, call, args, &key, &err);
    if (failure) {
        *ret_entry = ctn_x_fail_unsent(j, w, call, failure, &err);
        return true;
    }
    if (key.len) {
        const ctn_json *value = NULL;
        ctn_cached cached = j->rules->cached(j->rules->cached_ctx, j->x, key, p->cache.ttl_ms, j->now_ms, &value);
        if (cached == CTN_CACHED_HIT)
            *ret_entry = ctn_x_succeed(j, w, call, value, NULL, true);
        if (cached != CTN_CACHED_NOT)
            return cached == CTN_CACHED_HIT;
    }
    if (w->role == CTN_ROLE_DO && j->x->budget.is_awaited)
        return false;
    ctn_used most = {0};
    bool is_bounded = w->role == CTN_ROLE_DO && ctn_x_budget_is_set(j->x);
    bool reserves = is_bounded && j->rules->most_of &&
                    j->rules->most_of(j->rules->effect_ctx, &w->set->calls[call], args, j->scratch, &most);
    if (reserves && ctn_x_budget_may_be_given_back(j, &most))
        return false;
    if (is_bounded && ctn_x_budget_is_short(j, reserves ? &most : NULL, ret_entry))
        return true;
    if (w->role == CTN_ROLE_DO && j->rules->forbids)
        failure = j->rules->forbids(j->rules->forbids_ctx, j->x, w->set, &err);
    if (failure) {
        *ret_entry = ctn_x_fail_unsent(j, w, call, failure, &err);
        return true;
    }
    int64_t until_ms = 0;
    ctn_gate gate = j->rules->gate
                        ? j->rules->gate(j->rules->gate_ctx, j->x, w->set, &w->set->calls[call], j->now_ms, &until_ms)
                        : CTN_GATE_OPEN;
    if (gate == CTN_GATE_BREAKER)
        return wait_for_breaker(j, w, call, until_ms, ret_entry);
    if (gate == CTN_GATE_LATER)
        return false;
    ctn_json_builder b = ctn_x_body_of_call(j, w, call);
    ctn_json_put(&b, CTN_STR("args"), args);
    ctn_json_put_str(&b, "effect", ctn_str_from(ctn_effect_name(effect)));
    ctn_json_put_str(&b, "effectFrom", ctn_str_from(from));
    ctn_json_put_str(&b, "key", ctn_x_key(j->x, w, call, j->scratch));
    if (key.len)
        ctn_json_put_str(&b, "cacheKey", key);
    if (reserves)
        ctn_x_budget_reserve(j, &most, &b);
    if (w->role == CTN_ROLE_DO && effect == CTN_EFFECT_IDEMPOTENT && p->undo && j->x->plan->is_rollback_enabled)
        ctn_json_put_bool(&b, "kept", true); /* so that whoever stops this chain knows that it may have to be undone */
    if (w->role == CTN_ROLE_UNDO && w->task->undo_outcome_unknown)
        ctn_json_put_str(&b, "outcome", CTN_STR("unknown"));
    uint32_t attempt = w->phase == WORK_RUNNING ? w->attempt : w->attempt + 1;
    bool is_undo = w->role == CTN_ROLE_UNDO;
    *ret_entry = ctn_x_entry(j, is_undo ? CTN_ENTRY_COMPENSATION_STARTED : CTN_ENTRY_ATTEMPT_STARTED, w, attempt, &b);
    return true;
}

/* ---- sub-chains ---- */

/* A UUIDv7 that follows from whose child it is: made again it is the same, so nothing is started twice. Its last ten
 * bits are its parent's: a store that is cut by them (store/fleet.h) keeps the two together, unless the child must live
 * elsewhere. */
static ctn_execution_id child_id(const judge *j, const work *w, uint32_t attempt, const ctn_json *args)
{
    ctn_str key = ctn_x_key(j->x, w, 0, j->scratch);
    ctn_digest digest = ctn_hash(ctn_arena_printf(j->scratch, "%.*s#%u", CTN_STR_ARG(key), attempt));
    ctn_execution_id id;
    memcpy(id.bytes, digest.bytes, sizeof id.bytes);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char) ((uint64_t) j->now_ms >> (8 * (5 - i)));
    id.bytes[6] = (unsigned char) (0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (unsigned char) (0x80 | (id.bytes[8] & 0x3f));
    id.bytes[14] = (unsigned char) ((id.bytes[14] & 0xfc) | (j->x->id.bytes[14] & 0x03));
    id.bytes[15] = j->x->id.bytes[15];
    if (j->rules->place_child)
        j->rules->place_child(j->rules->place_ctx, j->x, w->task->step, w->set->chain, args, &id);
    return id;
}

static ctn_entry begin_child(const judge *j, const work *w)
{
    const ctn_json *args = NULL;
    ctn_err err = {0};
    ctn_failure failure = ctn_x_render_input(j, w, &args, &err);
    uint32_t depth_max = j->rules->depth_max ? j->rules->depth_max : DEPTH_MAX;
    if (!failure && j->x->parent.depth + 1 >= depth_max) {
        ctn_fail(&err, CTN_E_LIMIT, "chains may call chains %u deep, not deeper", depth_max);
        failure = CTN_FAILURE_LIMIT;
    }
    if (!failure)
        failure = ctn_x_check_children(j, w, &err);
    if (failure)
        return ctn_x_fail_unsent(j, w, 0, failure, &err);
    ctn_execution_id child = child_id(j, w, w->attempt + 1, args);
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "child", ctn_arena_str(j->scratch, ctn_str_from(ctn_id_to_text(child).text)));
    ctn_json_put_str(&b, "chain", w->set->chain);
    ctn_json_put(&b, CTN_STR("args"), args);
    int64_t timeout_ms = w->task->plan->timeout_ms ? w->task->plan->timeout_ms : w->set->timeout_ms;
    if (timeout_ms)
        ctn_json_put_int(&b, "untilMs", j->now_ms + timeout_ms);
    return ctn_x_entry(j, CTN_ENTRY_CHILD_STARTED, w, w->attempt + 1, &b);
}

/* ---- whatever the work is ---- */

static ctn_entry take_value(const judge *j, const work *w)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    const ctn_tree *tree = w->task->plan->fallbacks[w->fallback - 1].value;
    ctn_failure failure = ctn_x_render_tree(j, w, tree, &value, &err);
    if (failure) {
        ctn_wrap(&err, err.code, "value of the fallback");
        return ctn_x_fail_unsent(j, w, 0, failure, &err);
    }
    return ctn_x_succeed(j, w, 0, value, NULL, false);
}

bool ctn_x_start_work(const judge *j, const work *w, ctn_entry *ret_entry)
{
    if (!w->set)
        *ret_entry = take_value(j, w);
    else if (w->set->kind == CTN_SET_CHAIN)
        *ret_entry = begin_child(j, w);
    else if (w->set->kind != CTN_SET_CALLS)
        *ret_entry = ctn_x_begin_wait(j, w);
    else
        return ctn_x_start_call(j, w, ctn_x_startable_call(w), ret_entry);
    return true;
}

bool ctn_x_start_step(const judge *j, const work *w, ctn_entry *ret_entry)
{
    const ctn_plan_step *p = w->task->plan;
    failure_report too_much;
    if (ctn_x_is_past_journal(j, w, &too_much) ||
        (w->task->item < 0 && !p->foreach && ctn_x_is_past_steps(j, w, 1, &too_much))) {
        *ret_entry = ctn_x_fail(j, w, 0, &too_much);
        return true;
    }
    if (w->task->item >= 0) /* the condition was asked once, for the step */
        return ctn_x_start_work(j, w, ret_entry);
    if (p->condition) {
        ctn_verdict verdict = CTN_VERDICT_CONTINUE;
        ctn_err err = {0};
        ctn_failure failure = ctn_x_condition(j, w, &verdict, &err);
        failure_report report = {.failure = failure, .is_final = true, .is_whole = true, .no_fallback = true};
        if (failure) {
            report.message = ctn_arena_printf(j->scratch, "conditionalExecution: %s", err.message);
        } else if (verdict == CTN_VERDICT_FAIL) {
            report.failure = CTN_FAILURE_CONDITION_FAILED;
            report.message = CTN_STR("the step's condition says fail");
        }
        if (report.failure) {
            *ret_entry = ctn_x_fail(j, w, 0, &report);
            return true;
        }
        if (verdict == CTN_VERDICT_SKIP) {
            ctn_json_builder b = ctn_json_object(j->scratch);
            ctn_json_put_str(&b, "reason", CTN_STR("condition"));
            *ret_entry = ctn_x_entry(j, CTN_ENTRY_STEP_SKIPPED, w, 0, &b);
            return true;
        }
    }
    if (p->foreach) {
        *ret_entry = ctn_x_begin_each(j, w);
        return true;
    }
    return ctn_x_start_work(j, w, ret_entry);
}
