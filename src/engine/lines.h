/*
 * lines.h -- the executions in memory that have a concurrencyKey, by that key: the older ones of a line stand before
 * the younger. What stands in it on disk alone is the store's to say (store.h, promise 6).
 *
 * Ownership  They are borrowed, and leave before they go; the key is copied into their own arena.
 */
#pragma once
#include "engine/live.h"

typedef struct ctn_lines {
    loaded **slots;
    size_t size, count;
} ctn_lines;

void ctn_lines_done(ctn_lines *lines);
void ctn_lines_join(ctn_lines *lines, loaded *l, ctn_str key); /* empty: none. It stands in none yet */
void ctn_lines_leave(ctn_lines *lines, loaded *l);             /* it stands in none: no effect */
/* Does one with this key and a smaller number of the same shard stand there, whose end is not on disk? */
bool ctn_lines_has_older(const ctn_lines *lines, ctn_str key, int64_t exec_no, uint32_t shard_count);
