/*
 * parts.h -- the databases behind a handle, and which one has what. Private to split/.
 */
#pragma once
#include "store/split/split.h"

enum { SPLIT_PARTS_MAX = 64 };

typedef struct split_part {
    uint32_t first, last; /* its shards */
    char *url;
    ctn_store *st;
    int64_t incarnation; /* of the node of this handle, there; 0: of none */
} split_part;

typedef struct split_store {
    ctn_store base;
    split_part parts[SPLIT_PARTS_MAX]; /* by their shards */
    size_t count;
    uint32_t shard_count;
    int wake_fd; /* an epoll of theirs; -1: nobody has asked */
} split_store;

static inline ctn_store *split_first(ctn_store *base)
{
    return ((split_store *) base)->parts[0].st;
}
split_part *ctn_split_part_of_shard(ctn_store *base, uint32_t shard);
static inline ctn_store *split_of_shard(ctn_store *base, uint32_t shard)
{
    return ctn_split_part_of_shard(base, shard)->st;
}
static inline ctn_store *split_of_no(ctn_store *base, int64_t exec_no)
{
    return split_of_shard(base, (uint32_t) ((uint64_t) exec_no % ((split_store *) base)->shard_count));
}
/* *ret_part: where the execution with this id lives, or would; *ret_exec_no 0: it does not. */
int ctn_split_part_of_id(ctn_store *base, ctn_execution_id id, ctn_store **ret_part, int64_t *ret_exec_no,
                         ctn_err *err);

/* ---- url.c ---- */
/* Ranges and URLs of the file; free with ctn_split_parts_free. */
int ctn_split_read(const char *url, split_store *ret, ctn_err *err);
void ctn_split_parts_free(split_store *s); /* and closes what is open */

/* ---- write.c, read.c, merge.c, nodes.c, shards.c: what split.c puts into the table of backend.h ---- */
extern const ctn_fleet_ops ctn_split_fleet_ops;
void ctn_split_write_ops(ctn_store_ops *ops);
void ctn_split_read_ops(ctn_store_ops *ops);
