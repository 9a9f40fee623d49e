/*
 * nodes.h -- nodes of several databases, told apart and put together by name. Private to split/.
 */
#pragma once
#include "store/split/parts.h"

typedef struct split_nodes {
    ctn_arena *arena;
    ctn_node_row *rows;
    size_t count, capacity;
} split_nodes;
int ctn_split_keep_node(void *ctx, const ctn_node_row *row);            /* ctx: a split_nodes */
ctn_node_row *ctn_split_living(const split_nodes *nodes, ctn_str name); /* NULL: there is none */
/* Negative when the first does not know it. */
int64_t ctn_split_number_in_first(const split_nodes *first, const split_nodes *there, int64_t incarnation);

int ctn_split_node_join(ctn_store *base, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                        ctn_err *err);
int ctn_split_handle_of(ctn_store *base, int64_t incarnation, ctn_err *err);
void ctn_split_shards_held(ctn_store *base, const ctn_shard_set *held);
int ctn_split_node_leave(ctn_store *base, int64_t incarnation, ctn_err *err);
int ctn_split_nodes_bury(ctn_store *base, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err);
int ctn_split_node_list(ctn_store *base, ctn_node_fn *fn, void *ctx, ctn_err *err);
int ctn_split_node_beat(ctn_store *base, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                        ctn_beat *ret, ctn_err *err);
