/*
 * fleet.h -- what a store in memory has more when several nodes share it (memory:NAME?shards=N). Private to memory/.
 *
 * Everything is under the mutex of the store, so whatever moves shards has the store to itself, and no commit is under
 * way (promise 2 of store/fleet.h).
 */
#pragma once
#include "store/memory/db.h"

typedef struct memory_shard {
    int64_t holder; /* 0: nobody, or who is of no node */
    uint64_t epoch;
    bool was_crash; /* the last holder did not give it back */
} memory_shard;

typedef struct memory_node {
    int64_t incarnation;
    ctn_node_row row;
} memory_node;

/* Whose an idempotency key is. */
typedef struct memory_claimed_key {
    ctn_str chain_id, key;
    ctn_execution_id id;
} memory_claimed_key;

typedef struct memory_request {
    ctn_request_row row; /* begins with its number */
    int64_t done_at_ms;
} memory_request;

/* What a node has of what is limited. */
typedef struct memory_claim {
    ctn_str name;
    int64_t incarnation, count;
} memory_claim;

typedef struct memory_bucket {
    ctn_str name;
    double level;
    int64_t filled_at_ms;
} memory_bucket;

struct memory_fleet {
    uint32_t shard_count;
    ctn_clock clock;
    memory_shard *shards;
    memory_table nodes;           /* memory_node by incarnation */
    memory_table keys;            /* memory_claimed_key by chain and key */
    memory_table requests;        /* memory_request by number */
    memory_table claims;          /* memory_claim by name and incarnation */
    memory_table buckets;         /* memory_bucket by name */
    ctn_str needs[CTN_NEEDS_MAX]; /* what is required, by number */
    uint32_t need_count;
    int64_t incarnation_last, request_last, number_next;
    memory_store *listeners; /* handles that can be woken */
};

extern const ctn_fleet_ops ctn_memory_fleet_ops;

static inline int64_t memory_now_ms(const memory_db *db)
{
    return ctn_clock_now_ms(&db->fleet->clock);
}

static inline memory_node *memory_node_at(const memory_fleet *fleet, size_t place)
{
    return (memory_node *) fleet->nodes.rows + place;
}

/* ---- nodes.c ---- */
ctn_node_row *ctn_memory_node_live(const memory_db *db, int64_t incarnation); /* NULL: dead, or it has left */
int ctn_memory_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                         ctn_err *err);
int ctn_memory_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err);
void ctn_memory_shards_held(ctn_store *st, const ctn_shard_set *held);
int ctn_memory_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                         ctn_beat *ret, ctn_err *err);
int ctn_memory_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err);
int ctn_memory_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err);

/* ---- shards.c ---- */
/* It lives no more; its shards and places are free. */
void ctn_memory_node_end(memory_db *db, ctn_node_row *node, bool was_crash);
uint32_t ctn_memory_bury(memory_db *db, int64_t settle_ms); /* counts them */
int ctn_memory_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                           ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err);
int ctn_memory_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err);
int ctn_memory_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err);
int ctn_memory_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err);
int ctn_memory_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err);

/* ---- requests.c ---- */
/* Those of this node's shards that wait. */
int64_t ctn_memory_requests_count(const memory_db *db, int64_t incarnation);
int ctn_memory_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err);
int ctn_memory_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx,
                                ctn_err *err);
int ctn_memory_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err);
int ctn_memory_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret,
                           ctn_err *err);
int ctn_memory_wake_fd(ctn_store *st, int64_t incarnation);
bool ctn_memory_woken(ctn_store *st);

/* ---- limits.c ---- */
int ctn_memory_by_key(const void *row, const void *key);     /* memory_claimed_key */
int ctn_memory_by_claim(const void *row, const void *claim); /* memory_claim */
int ctn_memory_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err);
int ctn_memory_key_get(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err);
int ctn_memory_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                         ctn_err *err);
int ctn_memory_need_claim(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err);
int ctn_memory_need_list(ctn_store *st, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count,
                         ctn_err *err);
int ctn_memory_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                            int64_t *ret_granted, ctn_err *err);
int ctn_memory_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                           int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err);
