/*
 * placement.c -- see placement.h.
 */
#include "engine/placement.h"

ctn_placement ctn_placement_by(const ctn_start *start, ctn_str queue_key, uint32_t shard_count, ctn_arena *scratch)
{
    const ctn_plan *plan = start->plan;
    if (plan->max_concurrent)
        return (ctn_placement){.shard = ctn_shard_of_name(CTN_STR("chain"), plan->chain_id, shard_count)};
    if (queue_key.len) {
        bool is_sensitive = ctn_sensitive_queue_key(ctn_sensitivity_with(plan, start->sensitive, scratch));
        return (ctn_placement){.shard = is_sensitive
                                            ? ctn_shard_of_name(CTN_STR("lines"), CTN_STR("sensitive"), shard_count)
                                            : ctn_shard_of_name(CTN_STR("line"), queue_key, shard_count)};
    }
    if (start->idempotency_key.len)
        return (ctn_placement){
            .shard = ctn_shard_of_name(CTN_STR("key"),
                                       ctn_arena_printf(scratch, "%.*s\n%.*s", CTN_STR_ARG(plan->chain_id),
                                                        CTN_STR_ARG(start->idempotency_key)),
                                       shard_count)};
    return (ctn_placement){.is_anywhere = true};
}

int ctn_placement_of(const ctn_start *start, int64_t at_ms, uint32_t shard_count, ctn_arena *scratch,
                     ctn_placement *ret, ctn_err *err)
{
    const ctn_json *input = NULL;
    ctn_str queue_key = {0};
    int rc =
        start->plan->concurrency_key ? ctn_plan_accept_input(start->plan, scratch, start->input, &input, err) : CTN_OK;
    if (rc == CTN_OK)
        rc = ctn_plan_queue_key(start->plan, scratch, input, at_ms, &queue_key, err);
    if (rc == CTN_OK)
        *ret = ctn_placement_by(start, queue_key, shard_count, scratch);
    return rc;
}
