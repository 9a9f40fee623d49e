/*
 * fleet.c -- what a store in memory has more when several nodes share it: made, freed, and asked by a commit.
 */
#include "store/memory/fleet.h"
#include "store/memory/ops.h"
#include <stdio.h>
#include <stdlib.h>

static uint32_t shard_count(const ctn_store *st)
{
    return ((const memory_store *) st)->db->fleet->shard_count; /* never changes */
}

static int shard_of_execution(ctn_store *st, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_execution *e = ctn_memory_find_id(db, id); /* there is no need to note who was copied */
    uint32_t count = db->fleet->shard_count;
    *ret_shard = e ? (uint32_t) (e->row.exec_no % count) : ctn_shard_of_id(id, count);
    memory_unlock(db);
    return CTN_OK;
}

const ctn_fleet_ops ctn_memory_fleet_ops = {
    .shard_count = shard_count,
    .shard_of_execution = shard_of_execution,
    .exec_nos_reserve = ctn_memory_exec_nos_reserve,
    .key_claim = ctn_memory_key_claim,
    .key_get = ctn_memory_key_get,
    .node_join = ctn_memory_node_join,
    .handle_of = ctn_memory_handle_of,
    .shards_held = ctn_memory_shards_held,
    .node_beat = ctn_memory_node_beat,
    .node_leave = ctn_memory_node_leave,
    .node_list = ctn_memory_node_list,
    .need_claim = ctn_memory_need_claim,
    .need_list = ctn_memory_need_list,
    .shards_take = ctn_memory_shards_take,
    .shard_take = ctn_memory_shard_take,
    .shards_release = ctn_memory_shards_release,
    .nodes_bury = ctn_memory_nodes_bury,
    .shard_holders = ctn_memory_shard_holders,
    .requests_put = ctn_memory_requests_put,
    .requests_waiting = ctn_memory_requests_waiting,
    .request_answer = ctn_memory_request_answer,
    .request_get = ctn_memory_request_get,
    .wake_fd = ctn_memory_wake_fd,
    .woken = ctn_memory_woken,
    .places_claim = ctn_memory_places_claim,
    .tokens_take = ctn_memory_tokens_take,
};

memory_fleet *ctn_memory_fleet_new(uint32_t shards)
{
    memory_fleet *fleet = ctn_calloc(1, sizeof *fleet);
    *fleet = (memory_fleet){
        .shard_count = shards,
        .clock = ctn_clock_system(),
        .shards = ctn_calloc(shards, sizeof *fleet->shards),
        .nodes = {.row_bytes = sizeof(memory_node), .compare = ctn_memory_by_number},
        .keys = {.row_bytes = sizeof(memory_claimed_key), .compare = ctn_memory_by_key},
        .requests = {.row_bytes = sizeof(memory_request), .compare = ctn_memory_by_number},
        .claims = {.row_bytes = sizeof(memory_claim), .compare = ctn_memory_by_claim},
        .buckets = {.row_bytes = sizeof(memory_bucket), .compare = ctn_memory_by_text},
        .number_next = 1,
    };
    return fleet;
}

void ctn_memory_fleet_free(memory_fleet *fleet)
{
    if (!fleet)
        return;
    memory_table *tables[] = {&fleet->nodes, &fleet->keys, &fleet->requests, &fleet->claims, &fleet->buckets};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        free(tables[i]->rows);
    free(fleet->shards);
    free(fleet);
}

/* ---- what a commit asks ---- */

/* Who lives no more holds nothing. */
bool ctn_memory_fleet_admits(const memory_store *st, int64_t exec_no, uint64_t epoch)
{
    const memory_fleet *fleet = st->db->fleet;
    const memory_shard *shard = &fleet->shards[(uint64_t) exec_no % fleet->shard_count];
    return shard->holder == st->incarnation && shard->epoch == epoch;
}

bool ctn_memory_is_held(const ctn_store *st, int64_t exec_no)
{
    const memory_store *handle = (const memory_store *) st;
    if (!handle->incarnation)
        return true;
    return ctn_shard_set_has(&handle->held, (uint32_t) ((uint64_t) exec_no % handle->db->fleet->shard_count));
}

/* ---- a process alone ---- */

int ctn_memory_fleet_begin(memory_db *db, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    memory_fleet *fleet = db->fleet;
    char names[200] = "";
    size_t len = 0;
    uint64_t epoch = 0;
    bool was_crash = false;
    ctn_memory_bury(db, CTN_SETTLE_MS);
    for (size_t i = 0; i < fleet->nodes.count; i++) {
        const ctn_node_row *node = &memory_node_at(fleet, i)->row;
        if (node->is_live && len < sizeof names)
            len +=
                (size_t) snprintf(names + len, sizeof names - len, "%s%.*s", len ? ", " : "", CTN_STR_ARG(node->name));
    }
    if (len)
        return ctn_store_fail_living(names, err);
    for (uint32_t i = 0; i < fleet->shard_count; i++) {
        if (fleet->shards[i].epoch > epoch)
            epoch = fleet->shards[i].epoch;
        was_crash |= fleet->shards[i].was_crash;
    }
    for (uint32_t i = 0; i < fleet->shard_count; i++)
        fleet->shards[i] = (memory_shard){.epoch = epoch + 1, .was_crash = true};
    *ret_epoch = epoch + 1;
    *ret_was_crash = was_crash;
    return CTN_OK;
}

int ctn_memory_fleet_end(memory_db *db, uint64_t epoch, ctn_err *err)
{
    memory_fleet *fleet = db->fleet;
    uint64_t current = 0;
    bool was_ours = false;
    for (uint32_t i = 0; i < fleet->shard_count; i++) {
        memory_shard *shard = &fleet->shards[i];
        bool is_ours = shard->holder == 0 && shard->epoch == epoch;
        was_ours |= is_ours;
        if (is_ours)
            shard->was_crash = false;
        if (shard->epoch > current)
            current = shard->epoch;
    }
    return was_ours ? CTN_OK : ctn_store_fail_epoch(epoch, current, err);
}
