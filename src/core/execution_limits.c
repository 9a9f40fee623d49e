/*
 * execution_limits.c -- how much an execution may hold and journal, how many steps it may take and sub-chains start.
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
 *
 * The journal is measured as it is stored, entry by entry, so a replay has the same sum. An execution whose journal is
 * full begins and repeats nothing, and ends: what undoes is never held to it, or the world would stay half done. So it
 * grows beyond the bound by what was under way, by an entry for each item that is not begun, and by its undoing.
 */
#include "core/execution_judge.h"

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

ctn_failure ctn_x_check_context(const judge *j, size_t added, size_t removed, ctn_err *err)
{
    const context *c = &j->x->context;
    size_t bytes = c->bytes - removed + c->held_bytes + added;
    if (bytes <= context_bytes_max(j->rules))
        return CTN_FAILURE_NONE;
    return ctn_failure_tell(err, CTN_FAILURE_LIMIT,
                            "with it the execution's variables would have %zu bytes together, at most %zu are allowed "
                            "(limits: contextBytes)",
                            bytes, context_bytes_max(j->rules));
}

static int check_value(const ctn_rules *rules, ctn_str what, size_t bytes, ctn_err *err)
{
    if (bytes <= ctn_x_value_bytes_max(rules))
        return CTN_OK;
    return ctn_fail(err, CTN_E_LIMIT, "%.*s has %zu bytes, at most %zu are allowed (limits: valueBytes)",
                    CTN_STR_ARG(what), bytes, ctn_x_value_bytes_max(rules));
}

int ctn_x_check_given(const judge *j, ctn_str what, uint32_t slot, const ctn_json *value, ctn_err *err)
{
    size_t bytes = ctn_json_bytes(value);
    int rc = check_value(j->rules, what, bytes, err);
    if (rc)
        return rc;
    size_t removed = slot == CTN_PLAN_NONE ? 0 : j->x->context.slots[slot].bytes;
    if (ctn_x_check_context(j, bytes, removed, err))
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

/* ---- steps ---- */

bool ctn_x_is_past_steps(const judge *j, const work *w, int64_t count, failure_report *ret_report)
{
    const task *t = w->task;
    bool is_each = t->plan->foreach != NULL;
    int64_t max = steps_max(j->rules), before = is_each ? j->x->turns - 1 : t->turn - 1;
    if (count <= max - before)
        return false;
    *ret_report = (failure_report){
        .failure = CTN_FAILURE_LIMIT,
        .is_final = true,
        .is_whole = true,
        .no_fallback = true,
        .message = ctn_arena_printf(j->scratch,
                                    is_each ? "foreach: %lld items after %lld steps are more than the %lld steps that "
                                              "an execution may take (limits: steps)"
                                            : "%lld step after %lld is more than the %lld steps that an execution may "
                                              "take (limits: steps)",
                                    (long long) count, (long long) before, (long long) max)};
    return true;
}

/* ---- the journal ---- */

static int64_t journal_bytes_max(const ctn_rules *rules)
{
    return rules->journal_bytes_max ? rules->journal_bytes_max : INT64_C(64) << 20;
}

bool ctn_x_is_journal_full(const judge *j)
{
    return j->x->journal_bytes > journal_bytes_max(j->rules);
}

bool ctn_x_is_past_journal(const judge *j, const work *w, failure_report *ret_report)
{
    if (w->role != CTN_ROLE_DO || !ctn_x_is_journal_full(j))
        return false;
    *ret_report = (failure_report){
        .failure = CTN_FAILURE_LIMIT,
        .is_final = true,
        .is_whole = true,
        .no_fallback = true,
        .message = ctn_arena_printf(j->scratch,
                                    "the execution has journaled %lld bytes, more than the %lld that it may (limits: "
                                    "journalBytes)",
                                    (long long) j->x->journal_bytes, (long long) journal_bytes_max(j->rules))};
    return true;
}

/* ---- sub-chains ---- */

ctn_failure ctn_x_check_children(const judge *j, const work *w, ctn_err *err)
{
    int64_t max = j->rules->children_max ? j->rules->children_max : 1000;
    if (w->role != CTN_ROLE_DO || j->x->children < max)
        return CTN_FAILURE_NONE;
    return ctn_failure_tell(err, CTN_FAILURE_LIMIT,
                            "the execution has started %lld sub-chains, and may not start another (limits: children)",
                            (long long) j->x->children);
}
