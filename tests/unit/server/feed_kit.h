/*
 * feed_kit.h -- a store in memory with a feed, and a loop that runs for a while.
 */
#pragma once
#include "server/feed.h"

typedef struct feed_kit {
    ctn_loop *loop;
    ctn_store *store;
    ctn_feed *feed;
    ctn_arena *arena;
    uint64_t epoch, seqs[64];
    ctn_digest hashes[64];
    ctn_timer *limit;
    int rounds;
} feed_kit;

int feed_kit_setup(void **state);
int feed_kit_teardown(void **state);
ctn_execution_id feed_kit_id_of(int64_t exec_no);
/* One more entry of an execution, which is made with its first one. Odd ones are of the chain "odd", each third of the
 * tenant "acme". */
void feed_kit_add_body(feed_kit *p, int64_t exec_no, ctn_entry_kind kind, int64_t parent, ctn_str body, ctn_str sealed);
void feed_kit_add(feed_kit *p, int64_t exec_no);
void feed_kit_run(feed_kit *p, int64_t ms);
