/*
 * execution_limits.c -- how much an execution may hold, and how many steps it may take.
 *
 * Sizes are those of compact JSON. A variable is bounded by itself (valueBytes) and all of them together
 * (contextBytes); values that a foreach collects, and results of calls that wait for their siblings, count among the
 * latter, for they are kept as long. The sums run along with apply, so what a step costs does not grow with the
 * execution.
 *
 * What would break a bound fails its step with `limit` before it is taken, and what people give is refused; so a chain
 * can go on without it (onError), and nothing is ever cut. The bounds are rules, not state: who loads an execution
 * under narrower ones can still read it.
 *
 * Steps are counted when their turn comes, which a replay sees as the live run did; starts of repeatable calls are in
 * no journal and would not do. An item of a foreach counts as a step, and its foreach does not; all items are reserved
 * when it begins, so that none is begun in vain. Retries have bounds of their own (maxRetries).
 */
#include "core/execution_state.h"

#include <assert.h>

size_t ctn_x_value_bytes_max(const ctn_rules *rules)
{
    return rules->value_bytes_max ? rules->value_bytes_max : 262144;
}

static size_t context_bytes_max(const ctn_rules *rules)
{
    return rules->context_bytes_max ? rules->context_bytes_max : 1048576;
}

static int64_t steps_max(const ctn_rules *rules)
{
    return rules->steps_max ? rules->steps_max : 10000;
}

/* ---- sizes ---- */

ctn_failure ctn_x_check_context(const ctn_execution *x, const ctn_rules *rules, size_t added, size_t removed,
                                ctn_err *err)
{
    size_t bytes = x->context_bytes - removed + x->held_bytes + added;
    if (bytes <= context_bytes_max(rules))
        return CTN_FAILURE_NONE;
    return ctn_failure_tell(err, CTN_FAILURE_LIMIT,
                            "with it the execution's variables would have %zu bytes together, at most %zu are allowed "
                            "(limits: contextBytes)",
                            bytes, context_bytes_max(rules));
}

static int check_value(const ctn_rules *rules, ctn_str what, size_t bytes, ctn_err *err)
{
    if (bytes <= ctn_x_value_bytes_max(rules))
        return CTN_OK;
    return ctn_fail(err, CTN_E_LIMIT, "%.*s has %zu bytes, at most %zu are allowed (limits: valueBytes)",
                    CTN_STR_ARG(what), bytes, ctn_x_value_bytes_max(rules));
}

int ctn_x_check_given(const ctn_execution *x, const ctn_rules *rules, ctn_str what, uint32_t slot,
                      const ctn_json *value, ctn_err *err)
{
    size_t bytes = ctn_json_bytes(value);
    int rc = check_value(rules, what, bytes, err);
    if (rc)
        return rc;
    size_t removed = slot == CTN_PLAN_NONE ? 0 : x->variable_bytes[slot];
    if (ctn_x_check_context(x, rules, bytes, removed, err))
        return ctn_wrap(err, CTN_E_LIMIT, "%.*s", CTN_STR_ARG(what));
    return CTN_OK;
}

int ctn_execution_check_input(const ctn_rules *rules, const ctn_json *input, ctn_err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < ctn_json_count(input); i++) {
        size_t bytes = ctn_json_bytes(&input->members[i].value);
        int rc = check_value(rules, ctn_json_text(&input->members[i].key), bytes, err);
        if (rc)
            return ctn_wrap(err, rc, "the input");
        total += bytes;
    }
    if (total <= context_bytes_max(rules))
        return CTN_OK;
    return ctn_fail(err, CTN_E_LIMIT,
                    "the inputs have %zu bytes together, at most %zu are allowed (limits: contextBytes)", total,
                    context_bytes_max(rules));
}

static int check_name(const char *what, ctn_str text, ctn_err *err)
{
    if (text.len > CTN_LABEL_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%s has %zu bytes, at most %d are kept", what, text.len, CTN_LABEL_BYTES_MAX);
    if (!ctn_str_is_utf8(text))
        return ctn_fail(err, CTN_E_INVALID, "%s is not UTF-8", what);
    if (ctn_str_find_control(text) != SIZE_MAX)
        return ctn_fail(err, CTN_E_INVALID, "%s holds a control character, which no name may", what);
    return CTN_OK;
}

int ctn_execution_check_names(const ctn_json *labels, ctn_str idempotency_key, ctn_str actor, ctn_err *err)
{
    int rc = check_name("the idempotency key", idempotency_key, err);
    if (rc == CTN_OK)
        rc = check_name("who asks for it", actor, err);
    if (rc == CTN_OK && ctn_json_count(labels) > CTN_LABELS_MAX)
        rc = ctn_fail(err, CTN_E_LIMIT, "%zu labels, at most %d are kept", ctn_json_count(labels), CTN_LABELS_MAX);
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(labels); i++) {
        const ctn_json *value = &labels->members[i].value;
        rc = check_name("a label's name", ctn_json_text(&labels->members[i].key), err);
        if (rc == CTN_OK && !ctn_json_is(value, CTN_JSON_STRING))
            rc = ctn_fail(err, CTN_E_INVALID, "a label's value is a text, not %s", ctn_json_kind_name(value));
        if (rc == CTN_OK)
            rc = check_name("a label's value", ctn_json_text(value), err);
    }
    return rc;
}

void ctn_x_put_variable(ctn_execution *x, uint32_t slot, const ctn_json *value)
{
    size_t bytes = ctn_json_bytes(value);
    assert(x->context_bytes >= x->variable_bytes[slot]);
    x->context_bytes = x->context_bytes - x->variable_bytes[slot] + bytes;
    x->variable_bytes[slot] = bytes;
    x->variables[slot] = value;
}

void ctn_x_hold_result(ctn_execution *x, call_state *c)
{
    x->held_bytes -= c->result_bytes;
    c->result_bytes = c->result ? ctn_json_bytes(c->result) : 0; /* of a single call its variables are kept */
    x->held_bytes += c->result_bytes;
}

size_t ctn_x_held_by(const work *w)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        bytes += w->calls[i].result_bytes;
    return bytes;
}

void ctn_x_release_results(ctn_execution *x, work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        assert(x->held_bytes >= w->calls[i].result_bytes);
        x->held_bytes -= w->calls[i].result_bytes;
        w->calls[i].result_bytes = 0;
    }
}

/* ---- steps ---- */

bool ctn_x_is_past_steps(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t count,
                         failure_report *ret_report, ctn_arena *scratch)
{
    bool is_each = ctn_x_plan_step(x, t)->foreach != NULL;
    int64_t max = steps_max(rules), before = is_each ? x->turns - 1 : t->turn - 1;
    if (count <= max - before)
        return false;
    *ret_report = (failure_report){
        .failure = CTN_FAILURE_LIMIT,
        .is_final = true,
        .is_whole = true,
        .no_fallback = true,
        .message = ctn_arena_printf(scratch,
                                    is_each ? "foreach: %lld items after %lld steps are more than the %lld steps that "
                                              "an execution may take (limits: steps)"
                                            : "%lld step after %lld is more than the %lld steps that an execution may "
                                              "take (limits: steps)",
                                    (long long) count, (long long) before, (long long) max)};
    return true;
}
