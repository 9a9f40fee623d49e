/*
 * fleet.c -- the table of what several nodes may ask who share a store on PostgreSQL.
 */
#include "store/postgres/fleet.h"
#include "store/postgres/core.h"

static uint32_t shard_count(const ctn_store *st)
{
    return ((const pg_store *) st)->shard_count;
}

const ctn_fleet_ops ctn_pg_fleet_ops = {
    .shard_of_execution = ctn_pg_shard_of_execution,
    .shard_count = shard_count,
    .exec_nos_reserve = ctn_pg_exec_nos_reserve,
    .key_claim = ctn_pg_key_claim,
    .key_get = ctn_pg_key_get,
    .node_join = ctn_pg_node_join,
    .handle_of = ctn_pg_handle_of,
    .shards_held = ctn_pg_shards_held,
    .node_beat = ctn_pg_node_beat,
    .node_leave = ctn_pg_node_leave,
    .node_list = ctn_pg_node_list,
    .need_claim = ctn_pg_need_claim,
    .need_list = ctn_pg_need_list,
    .shards_take = ctn_pg_shards_take,
    .shard_take = ctn_pg_shard_take,
    .shards_release = ctn_pg_shards_release,
    .nodes_bury = ctn_pg_nodes_bury,
    .shard_holders = ctn_pg_shard_holders,
    .requests_put = ctn_pg_requests_put,
    .requests_waiting = ctn_pg_requests_waiting,
    .request_answer = ctn_pg_request_answer,
    .request_get = ctn_pg_request_get,
    .wake_fd = ctn_pg_wake_fd,
    .woken = ctn_pg_woken,
    .places_claim = ctn_pg_places_claim,
    .tokens_take = ctn_pg_tokens_take,
};
