/*
 * placement.c -- see placement.h.
 */
#include "engine/placement.h"

uint32_t ctn_placement_room_count(const ctn_placement_room *room)
{
    return room->among ? ctn_shard_set_count(room->among) : room->shard_count;
}

uint32_t ctn_placement_by_name(const ctn_placement_room *room, ctn_str kind, ctn_str name)
{
    uint32_t at = ctn_shard_of_name(kind, name, ctn_placement_room_count(room));
    return room->among ? ctn_shard_set_at(room->among, at) : at;
}

ctn_placement ctn_placement_by(const ctn_start *start, ctn_str queue_key, const ctn_placement_room *room,
                               ctn_arena *scratch)
{
    const ctn_plan *plan = start->plan;
    if (plan->max_concurrent)
        return (ctn_placement){.shard = ctn_placement_by_name(room, CTN_STR("chain"), plan->chain_id)};
    if (queue_key.len) {
        bool is_sensitive = ctn_sensitive_queue_key(ctn_sensitivity_with(plan, start->sensitive, scratch));
        return (ctn_placement){.shard = is_sensitive
                                            ? ctn_placement_by_name(room, CTN_STR("lines"), CTN_STR("sensitive"))
                                            : ctn_placement_by_name(room, CTN_STR("line"), queue_key)};
    }
    if (start->idempotency_key.len)
        return (ctn_placement){
            .shard = ctn_placement_by_name(room, CTN_STR("key"),
                                           ctn_arena_printf(scratch, "%.*s\n%.*s", CTN_STR_ARG(plan->chain_id),
                                                            CTN_STR_ARG(start->idempotency_key)))};
    return (ctn_placement){.is_anywhere = true};
}

int ctn_placement_of(const ctn_start *start, int64_t at_ms, const ctn_placement_room *room, ctn_arena *scratch,
                     ctn_placement *ret, ctn_err *err)
{
    const ctn_json *input = NULL;
    ctn_str queue_key = {0};
    int rc =
        start->plan->concurrency_key ? ctn_plan_accept_input(start->plan, scratch, start->input, &input, err) : CTN_OK;
    if (rc == CTN_OK)
        rc = ctn_plan_queue_key(start->plan, scratch, input, at_ms, &queue_key, err);
    if (rc == CTN_OK)
        *ret = ctn_placement_by(start, queue_key, room, scratch);
    return rc;
}
