/*
 * heap.h -- what is due next: a binary heap of (due_ms, payload), intrusive so that an entry can be moved
 * or taken out in log n. The owner embeds a ctn_heap_node and zeroes it; `slot` 0 means "not in a heap".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ctn_heap_node {
    int64_t due_ms;
    size_t slot; /* index + 1; 0 = not in a heap */
} ctn_heap_node;

typedef struct ctn_heap {
    ctn_heap_node **nodes;
    size_t count, capacity;
} ctn_heap;

void ctn_heap_done(ctn_heap *heap); /* frees the table, not the nodes */
/* Puts the node in, or moves it if it is in already. */
void ctn_heap_set(ctn_heap *heap, ctn_heap_node *node, int64_t due_ms);
void ctn_heap_remove(ctn_heap *heap, ctn_heap_node *node); /* not in: no effect */
ctn_heap_node *ctn_heap_first(const ctn_heap *heap);       /* the earliest, NULL when empty */
