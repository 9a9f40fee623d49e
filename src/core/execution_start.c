/*
 * execution_start.c -- how the work of a task begins: its condition, then a call, a wait, a sub-chain, a value.
 *
 * A call that begins was let through by the gate (places, circuit breakers) and was not found in the cache; what holds
 * it back leaves no entry, but for the first time that a breaker does.
 */
#include "value/calendar.h"
#include "core/execution_state.h"

#include "base/plant.h"
static ctn_effect effect_of(const ctn_plan_set *set, const ctn_plan_call *call, const ctn_rules *rules,
                            const char **ret_from)
{
    *ret_from = "set";
    if (set->effect != CTN_EFFECT_UNKNOWN)
        return set->effect;
    ctn_effect effect = CTN_EFFECT_UNKNOWN;
    if (rules->effect_of)
        effect = rules->effect_of(rules->effect_ctx, call->kind, call->target, ret_from);
    if (effect != CTN_EFFECT_UNKNOWN)
        return effect;
    *ret_from = call->effect == CTN_EFFECT_UNKNOWN ? "assumed" : "kind";
    return call->effect == CTN_EFFECT_UNKNOWN ? CTN_EFFECT_WRITE : call->effect;
}

static bool park_after_deaths(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, int64_t now_ms,
                              ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, role);
    if (w->deaths < CTN_DEATHS_MAX)
        return false;
    ctn_json_builder b = ctn_x_body_of_call(w, call, scratch);
    if (role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    ctn_json_put_str(&b, "code", CTN_STR("interrupted"));
    ctn_json_put_str(
        &b, "message",
        ctn_arena_printf(scratch, "the engine died %u times in a row while this step was under way", w->deaths));
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_INTERRUPTED, now_ms, t, w->attempt, ctn_json_finish(&b));
    return true;
}

/* Equal calls have equal keys: the set by content, the call, and what the step says, or the arguments and the tool's
 * schemas. */
static ctn_failure cache_key(const ctn_execution *x, const ctn_rules *rules, const task *t, uint32_t call,
                             const ctn_json *args, ctn_arena *scratch, ctn_str *ret_key, ctn_err *err)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_json *said = NULL;
    if (p->cache.key) {
        ctn_failure failure =
            ctn_x_render_template(x, ctn_x_value_bytes_max(rules), t, p->cache.key, scratch, &said, err);
        if (failure) {
            ctn_wrap(err, err->code, "key of the cache");
            return failure;
        }
    }
    ctn_buf b;
    ctn_buf_init(&b, 8 * ctn_x_value_bytes_max(rules));
    ctn_buf_append(&b, (ctn_str){(const char *) w->set->digest.bytes, CTN_DIGEST_BYTES});
    ctn_buf_append(&b, w->set->calls[call].name);
    ctn_buf_append_char(&b, said ? 'k' : 'a');
    ctn_json_write_canonical(&b, said ? said : args);
    const ctn_plan_call *c = &w->set->calls[call];
    ctn_digest schema;
    if (!said && rules->schema_of && rules->schema_of(rules->cached_ctx, c->kind, c->target, &schema))
        ctn_buf_append(&b, (ctn_str){(const char *) schema.bytes, CTN_DIGEST_BYTES});
    ctn_digest_text text = ctn_digest_to_text(ctn_hash(ctn_buf_str(&b)));
    ctn_buf_done(&b);
    *ret_key = ctn_arena_str(scratch, ctn_str_from(text.text));
    return CTN_FAILURE_NONE;
}

/* The tool's circuit breaker is open: to the fallback at once, else the journal says that the step waits for it. */
static bool wait_for_breaker(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, int64_t until_ms,
                             int64_t now_ms, uint64_t entropy, ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, role);
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    ctn_str target = w->set->calls[call].target;
    if (role == CTN_ROLE_DO && w->fallback < p->fallback_count && !w->set->is_several) {
        failure_report report = {
            .failure = CTN_FAILURE_BREAKER_OPEN,
            .is_final = true,
            .message = ctn_arena_printf(scratch, "the circuit breaker of %.*s is open", CTN_STR_ARG(target))};
        *ret_entry = ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
        return true;
    }
    if (w->breaker_is_noted || w->phase == WORK_RUNNING)
        return false;
    ctn_json_builder b = ctn_json_object(scratch);
    if (role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    ctn_json_put_str(&b, "target", target);
    ctn_json_put_int(&b, "untilMs", until_ms > now_ms ? until_ms : now_ms + 1);
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_BREAKER_WAIT, now_ms, t, w->attempt, ctn_json_finish(&b));
    return true;
}

bool ctn_x_start_call(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role, uint32_t call,
                      int64_t now_ms, uint64_t entropy, ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, role);
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const call_state *c = &w->calls[call];
    if (park_after_deaths(x, t, role, call, now_ms, scratch, ret_entry))
        return true;
    const ctn_json *args = c->args;
    ctn_err err = {0};
    ctn_failure failure = CTN_FAILURE_NONE;
    if (!args)
        failure = ctn_x_render_args(x, rules, t, role, call, false, scratch, &args, &err);
    const char *from = NULL;
    ctn_effect effect = effect_of(w->set, &w->set->calls[call], rules, &from);
    ctn_str key = {0};
    bool may_cache = role == CTN_ROLE_DO && p->cache.ttl_ms && rules->cached &&
                     !ctn_sensitive_step(x->sensitivity, t->step) &&
                     (effect <= CTN_EFFECT_READ || p->cache.allows_writes);
    if (!failure && may_cache)
        failure = cache_key(x, rules, t, call, args, scratch, &key, &err);
    if (failure) {
        failure_report report = {
            .failure = failure, .is_final = true, .message = ctn_arena_str(scratch, ctn_str_from(err.message))};
        *ret_entry = ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
        return true;
    }
    if (key.len) {
        const ctn_json *value = NULL;
        ctn_cached cached = rules->cached(rules->cached_ctx, x, key, p->cache.ttl_ms, now_ms, &value);
        if (cached == CTN_CACHED_HIT)
            *ret_entry = ctn_x_succeed(x, rules, t, role, call, value, NULL, true, now_ms, entropy, scratch);
        if (cached != CTN_CACHED_NOT)
            return cached == CTN_CACHED_HIT;
    }
    if (role == CTN_ROLE_DO && x->budget.is_awaited)
        return false;
    if (role == CTN_ROLE_DO && ctn_x_budget_is_short(x, now_ms, scratch, ret_entry))
        return true;
    int64_t until_ms = 0;
    ctn_gate gate =
        rules->gate ? rules->gate(rules->gate_ctx, x, w->set, &w->set->calls[call], now_ms, &until_ms) : CTN_GATE_OPEN;
    if (gate == CTN_GATE_BREAKER)
        return wait_for_breaker(x, t, role, call, until_ms, now_ms, entropy, scratch, ret_entry);
    if (gate == CTN_GATE_LATER)
        return false;
    ctn_json_builder b = ctn_x_body_of_call(w, call, scratch);
    ctn_json_put(&b, CTN_STR("args"), args);
    ctn_json_put_str(&b, "effect", ctn_str_from(ctn_effect_name(effect)));
    ctn_json_put_str(&b, "effectFrom", ctn_str_from(from));
    ctn_json_put_str(&b, "key", ctn_x_key(x, t, role, call, scratch));
    if (key.len)
        ctn_json_put_str(&b, "cacheKey", key);
    if (role == CTN_ROLE_DO && effect == CTN_EFFECT_IDEMPOTENT && p->undo && x->plan->is_rollback_enabled)
        ctn_json_put_bool(&b, "kept", true); /* so that whoever stops this chain knows that it may have to be undone */
    if (role == CTN_ROLE_UNDO && t->undo_outcome_unknown)
        ctn_json_put_str(&b, "outcome", CTN_STR("unknown"));
    uint32_t attempt = w->phase == WORK_RUNNING ? w->attempt : w->attempt + 1;
    *ret_entry = ctn_x_entry(x, ctn_x_kind_started(role), now_ms, t, attempt, ctn_json_finish(&b));
    return true;
}

/* The first call that may begin now; call_count when none. In turn: only the first that is not done. */
uint32_t ctn_x_startable_call(const ctn_execution *x, const task *t, ctn_role role)
{
    const work *w = ctn_x_work(t, role);
    bool at_once = ctn_x_plan_step(x, t)->parallel_calls;
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

/* ---- steps that wait for people or for time ---- */

static ctn_failure ask_for_approval(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_arena *scratch,
                                    ctn_json_builder *b, ctn_err *err)
{
    const ctn_plan_set *set = ctn_x_work(t, CTN_ROLE_DO)->set;
    const ctn_json *value = NULL;
    ctn_json_put_str(b, "for", CTN_STR("approval"));
    if (set->who)
        ctn_json_put(b, CTN_STR("who"), set->who);
    if (!set->message)
        return CTN_FAILURE_NONE;
    ctn_failure failure = ctn_x_render_set_text(x, rules, t, set->message, scratch, &value, err);
    if (!failure)
        ctn_json_put_str(b, "message", ctn_value_to_text(scratch, value));
    return failure;
}

static ctn_failure ask_agent(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_arena *scratch,
                             ctn_json_builder *b, ctn_err *err)
{
    const ctn_plan_set *set = ctn_x_work(t, CTN_ROLE_DO)->set;
    const ctn_json *input = NULL;
    ctn_failure failure = ctn_x_render_input(x, rules, t, scratch, &input, err);
    ctn_json_put_str(b, "for", CTN_STR("agent"));
    if (set->instructions)
        ctn_json_put(b, CTN_STR("instructions"), set->instructions);
    ctn_json_put(b, CTN_STR("input"), input);
    if (set->answer_schema_source)
        ctn_json_put(b, CTN_STR("schema"), set->answer_schema_source);
    return failure;
}

static ctn_failure wait_until(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                              ctn_arena *scratch, int64_t *ret_until_ms, ctn_err *err)
{
    const ctn_plan_set *set = ctn_x_work(t, CTN_ROLE_DO)->set;
    int64_t until_ms = now_ms + (set->wait_ms > 0 ? set->wait_ms : 0);
    until_ms -= CTN_PLANT(WAIT_ENDS_EARLY) && set->wait_ms > 100 ? 100 : 0;
    if (set->until) {
        const ctn_json *value = NULL;
        ctn_failure failure = ctn_x_render_set_text(x, rules, t, set->until, scratch, &value, err);
        ctn_time until;
        if (failure)
            return failure;
        if (!ctn_time_of(value, &until)) {
            ctn_fail(err, CTN_E_INVALID, "wait until: not a time (RFC 3339 text or milliseconds since 1970)");
            return CTN_FAILURE_INVALID_INPUT;
        }
        until_ms = until.at_ms;
    }
    *ret_until_ms = until_ms > 0 ? until_ms : 1;
    return CTN_FAILURE_NONE;
}

static ctn_entry begin_wait(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                            uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_plan_set *set = w->set;
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_err err = {0};
    ctn_failure failure = CTN_FAILURE_NONE;
    int64_t until_ms = 0;
    if (set->kind == CTN_SET_APPROVAL) {
        failure = ask_for_approval(x, rules, t, scratch, &b, &err);
        until_ms = set->answer_timeout_ms ? now_ms + set->answer_timeout_ms : 0;
    } else if (set->kind == CTN_SET_AGENT) {
        failure = ask_agent(x, rules, t, scratch, &b, &err);
    } else {
        ctn_json_put_str(&b, "for", CTN_STR("answer"));
        failure = wait_until(x, rules, t, now_ms, scratch, &until_ms, &err);
    }
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    int64_t timeout_ms = p->timeout_ms ? p->timeout_ms : set->timeout_ms; /* 0 unless somebody said so */
    bool expires = timeout_ms && (!until_ms || now_ms + timeout_ms < until_ms);
    if (until_ms || expires)
        ctn_json_put_int(&b, "untilMs", expires ? now_ms + timeout_ms : until_ms);
    if (expires)
        ctn_json_put_bool(&b, "expires", true);
    if (failure) {
        failure_report report = {
            .failure = failure, .is_final = true, .message = ctn_arena_str(scratch, ctn_str_from(err.message))};
        return ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
    }
    return ctn_x_entry(x, CTN_ENTRY_WAITING, now_ms, t, w->attempt + 1, ctn_json_finish(&b));
}

static const ctn_json *approval_value(const ctn_json *answer, ctn_str by, int64_t at_ms, ctn_arena *scratch)
{
    char at[25];
    ctn_time_format(at_ms, at);
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_bool(&b, "approved", ctn_json_bool_or(answer, "approved", false));
    ctn_json_put_str(&b, "by", by);
    ctn_json_put(&b, CTN_STR("comment"), ctn_json_member_of(answer, "comment"));
    ctn_json_put_str(&b, "at", ctn_str_from(at));
    return ctn_json_finish(&b);
}

ctn_entry ctn_x_end_wait(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                         uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_json *value;
    bool is_answered = w->phase == WORK_ANSWERED;
    if (w->expires && !is_answered) {
        failure_report report = {
            .failure = CTN_FAILURE_TIMEOUT, .was_sent = true, .message = CTN_STR("the step's timeoutMs is over")};
        return ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
    }
    if (w->set->kind == CTN_SET_AGENT) {
        value = w->answer;
    } else if (w->set->kind == CTN_SET_WAIT) {
        ctn_json_builder empty = ctn_json_object(scratch);
        value = is_answered ? w->answer : ctn_json_finish(&empty);
    } else if (is_answered) {
        value = approval_value(w->answer, w->answered_by, w->due_ms, scratch);
    } else if (w->set->on_timeout == CTN_ON_TIMEOUT_FAIL) {
        failure_report report = {
            .failure = CTN_FAILURE_TIMEOUT, .is_final = true, .message = CTN_STR("nobody answered in time")};
        return ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
    } else {
        ctn_json_builder b = ctn_json_object(scratch);
        ctn_json_put_bool(&b, "approved", w->set->on_timeout == CTN_ON_TIMEOUT_APPROVE);
        value = approval_value(ctn_json_finish(&b), CTN_STR("timeout"), now_ms, scratch);
    }
    return ctn_x_succeed(x, rules, t, CTN_ROLE_DO, 0, value, NULL, false, now_ms, entropy, scratch);
}

/* ---- sub-chains ---- */

/* A UUIDv7 that follows from whose child it is: made again it is the same, so nothing is started twice. */
static ctn_execution_id child_id(const ctn_execution *x, const task *t, uint32_t attempt, int64_t now_ms,
                                 ctn_arena *scratch)
{
    ctn_str key = ctn_x_key(x, t, CTN_ROLE_DO, 0, scratch);
    ctn_digest digest = ctn_hash(ctn_arena_printf(scratch, "%.*s#%u", CTN_STR_ARG(key), attempt));
    ctn_execution_id id;
    memcpy(id.bytes, digest.bytes, sizeof id.bytes);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char) ((uint64_t) now_ms >> (8 * (5 - i)));
    id.bytes[6] = (unsigned char) (0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (unsigned char) (0x80 | (id.bytes[8] & 0x3f));
    return id;
}

static ctn_entry begin_child(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                             uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_json *args = NULL;
    ctn_err err = {0};
    ctn_failure failure = ctn_x_render_input(x, rules, t, scratch, &args, &err);
    uint32_t depth_max = rules->depth_max ? rules->depth_max : CTN_DEPTH_MAX;
    if (!failure && x->parent.depth + 1 >= depth_max) {
        ctn_fail(&err, CTN_E_LIMIT, "chains may call chains %u deep, not deeper", depth_max);
        failure = CTN_FAILURE_LIMIT;
    }
    if (failure) {
        failure_report report = {
            .failure = failure, .is_final = true, .message = ctn_arena_str(scratch, ctn_str_from(err.message))};
        return ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
    }
    ctn_execution_id child = child_id(x, t, w->attempt + 1, now_ms, scratch);
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "child", ctn_arena_str(scratch, ctn_str_from(ctn_id_to_text(child).text)));
    ctn_json_put_str(&b, "chain", w->set->chain);
    ctn_json_put(&b, CTN_STR("args"), args);
    int64_t timeout_ms = ctn_x_plan_step(x, t)->timeout_ms ? ctn_x_plan_step(x, t)->timeout_ms : w->set->timeout_ms;
    if (timeout_ms)
        ctn_json_put_int(&b, "untilMs", now_ms + timeout_ms);
    return ctn_x_entry(x, CTN_ENTRY_CHILD_STARTED, now_ms, t, w->attempt + 1, ctn_json_finish(&b));
}

/* ---- whatever the work is ---- */

static ctn_entry take_value(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                            uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_json *value = NULL;
    ctn_err err = {0};
    ctn_failure failure =
        ctn_x_render_tree(x, ctn_x_value_bytes_max(rules), t, ctn_x_plan_step(x, t)->fallbacks[w->fallback - 1].value,
                          scratch, &value, &err);
    if (failure) {
        failure_report report = {.failure = failure,
                                 .is_final = true,
                                 .message = ctn_arena_printf(scratch, "value of the fallback: %s", err.message)};
        return ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
    }
    return ctn_x_succeed(x, rules, t, CTN_ROLE_DO, 0, value, NULL, false, now_ms, entropy, scratch);
}

bool ctn_x_start_work(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms, uint64_t entropy,
                      ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    if (!w->set)
        *ret_entry = take_value(x, rules, t, now_ms, entropy, scratch);
    else if (w->set->kind == CTN_SET_CHAIN)
        *ret_entry = begin_child(x, rules, t, now_ms, entropy, scratch);
    else if (w->set->kind != CTN_SET_CALLS)
        *ret_entry = begin_wait(x, rules, t, now_ms, entropy, scratch);
    else
        return ctn_x_start_call(x, rules, t, CTN_ROLE_DO, ctn_x_startable_call(x, t, CTN_ROLE_DO), now_ms, entropy,
                                scratch, ret_entry);
    return true;
}

bool ctn_x_begin_step(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms, uint64_t entropy,
                      ctn_arena *scratch, ctn_entry *ret_entry)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    if (t->item >= 0) /* the condition was asked once, for the step */
        return ctn_x_start_work(x, rules, t, now_ms, entropy, scratch, ret_entry);
    failure_report too_many;
    if (!p->foreach && ctn_x_is_past_steps(x, rules, t, 1, &too_many, scratch)) {
        *ret_entry = ctn_x_fail(x, t, CTN_ROLE_DO, 0, &too_many, now_ms, entropy, scratch);
        return true;
    }
    if (p->condition) {
        ctn_verdict verdict = CTN_VERDICT_CONTINUE;
        ctn_err err = {0};
        ctn_failure failure = ctn_x_condition(x, t, scratch, &verdict, &err);
        failure_report report = {.failure = failure, .is_final = true, .is_whole = true, .no_fallback = true};
        if (failure) {
            report.message = ctn_arena_printf(scratch, "conditionalExecution: %s", err.message);
        } else if (verdict == CTN_VERDICT_FAIL) {
            report.failure = CTN_FAILURE_CONDITION_FAILED;
            report.message = CTN_STR("the step's condition says fail");
        }
        if (report.failure) {
            *ret_entry = ctn_x_fail(x, t, CTN_ROLE_DO, 0, &report, now_ms, entropy, scratch);
            return true;
        }
        if (verdict == CTN_VERDICT_SKIP) {
            ctn_json_builder b = ctn_json_object(scratch);
            ctn_json_put_str(&b, "reason", CTN_STR("condition"));
            *ret_entry = ctn_x_entry(x, CTN_ENTRY_STEP_SKIPPED, now_ms, t, 0, ctn_json_finish(&b));
            return true;
        }
    }
    if (p->foreach) {
        *ret_entry = ctn_x_begin_each(x, rules, t, now_ms, entropy, scratch);
        return true;
    }
    return ctn_x_start_work(x, rules, t, now_ms, entropy, scratch, ret_entry);
}
