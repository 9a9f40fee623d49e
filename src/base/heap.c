/*
 * heap.c -- a binary heap whose nodes know where they are.
 *
 * What must hold: nodes[i]->slot == i + 1, and no node is due before its parent, nodes[(i - 1) / 2].
 */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static void place(ctn_heap *heap, size_t at, ctn_heap_node *node)
{
    heap->nodes[at] = node;
    node->slot = at + 1;
}

static void sift_up(ctn_heap *heap, size_t at, ctn_heap_node *node)
{
    while (at > 0) {
        ctn_heap_node *parent = heap->nodes[(at - 1) / 2];
        if (parent->due_ms <= node->due_ms)
            break;
        place(heap, at, parent);
        at = (at - 1) / 2;
    }
    place(heap, at, node);
}

static void sift_down(ctn_heap *heap, size_t at, ctn_heap_node *node)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->nodes[child + 1]->due_ms < heap->nodes[child]->due_ms)
            child++;
        if (node->due_ms <= heap->nodes[child]->due_ms)
            break;
        place(heap, at, heap->nodes[child]);
        at = child;
    }
    place(heap, at, node);
}

static void settle(ctn_heap *heap, size_t at, ctn_heap_node *node)
{
    if (at > 0 && node->due_ms < heap->nodes[(at - 1) / 2]->due_ms)
        sift_up(heap, at, node);
    else
        sift_down(heap, at, node);
}

void ctn_heap_done(ctn_heap *heap)
{
    ctn_free(heap->nodes);
    *heap = (ctn_heap){0};
}

void ctn_heap_set(ctn_heap *heap, ctn_heap_node *node, int64_t due_ms)
{
    if (node->slot) {
        assert(node->slot <= heap->count && heap->nodes[node->slot - 1] == node); /* not in another heap */
        node->due_ms = due_ms;
        settle(heap, node->slot - 1, node);
        return;
    }
    heap->nodes = ctn_array_room(heap->nodes, heap->count, &heap->capacity, sizeof *heap->nodes);
    node->due_ms = due_ms;
    heap->count++;
    sift_up(heap, heap->count - 1, node);
}

void ctn_heap_remove(ctn_heap *heap, ctn_heap_node *node)
{
    if (node->slot == 0)
        return;
    size_t at = node->slot - 1;
    assert(at < heap->count && heap->nodes[at] == node);
    ctn_heap_node *last = heap->nodes[--heap->count];
    if (last != node)
        settle(heap, at, last);
    node->slot = 0;
}

ctn_heap_node *ctn_heap_first(const ctn_heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
