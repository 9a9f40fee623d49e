/*
 * plan_queue.c -- the line that an execution stands in: its concurrencyKey, made of the inputs before anything runs.
 */
#include "chain/plan.h"

static const ctn_json *input_lookup(void *ctx, ctn_str name)
{
    return ctn_json_get(*(const ctn_json *const *) ctx, name);
}

static size_t input_names(void *ctx, ctn_str *ret_names, size_t max)
{
    const ctn_json *input = *(const ctn_json *const *) ctx;
    size_t count = ctn_json_count(input);
    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++)
        ret_names[i] = ctn_json_text(&input->members[i].key);
    return count;
}

int ctn_plan_queue_key(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, int64_t now_ms, ctn_str *ret_key,
                       ctn_err *err)
{
    *ret_key = (ctn_str){0};
    if (!plan->concurrency_key)
        return CTN_OK;
    ctn_scope scope = {.lookup = input_lookup, .ctx = &input, .names = input_names, .now_ms = now_ms};
    const ctn_json *value = NULL;
    ctn_err inner = {0};
    ctn_failure failure =
        ctn_template_render(plan->concurrency_key, &scope, arena, 64 * CTN_QUEUE_KEY_MAX, &value, &inner);
    if (failure)
        return ctn_fail(err, CTN_E_INVALID, "concurrencyKey of chain '%.*s': %s", CTN_STR_ARG(plan->chain_id),
                        inner.message);
    ctn_str key = ctn_value_to_text(arena, value);
    if (key.len > CTN_QUEUE_KEY_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "concurrencyKey of chain '%.*s': %zu bytes, at most %d are allowed",
                        CTN_STR_ARG(plan->chain_id), key.len, CTN_QUEUE_KEY_MAX);
    *ret_key = key;
    return CTN_OK;
}
