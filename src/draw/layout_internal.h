/*
 * layout_internal.h -- between the steps of the layout (layout.c, layout_order.c, layout_place.c).
 *
 * Vertices are the boxes, then the bends: a line that passes through a row has a bend there, a vertex of no height, so
 * that every link joins neighbouring rows.
 */
#pragma once
#include "draw/layout.h"

typedef struct ctn_layout_links {
    uint32_t *first; /* of vertex v: items[first[v] .. first[v + 1]) */
    uint32_t *items;
} ctn_layout_links;

typedef struct ctn_layout_work {
    ctn_layout *layout;
    ctn_arena *arena;
    uint32_t vertex_count, link_count, row_count;
    uint32_t *row;             /* of a vertex */
    uint32_t *position;        /* in its row */
    uint32_t *row_first;       /* ordered[row_first[r] .. row_first[r + 1]) */
    uint32_t *ordered;         /* vertices by row, from left to right */
    ctn_layout_links up, down; /* to the row before, to the row after */
    uint32_t *edge_bends;      /* the first bend of a routed line, else UINT32_MAX */
    double *x;                 /* centre of a vertex */
} ctn_layout_work;

static inline bool ctn_layout_is_bend(const ctn_layout_work *w, uint32_t vertex)
{
    return vertex >= w->layout->node_count;
}
/* How many rounds of work over all links are affordable, from `least` to `most`. */
static inline uint32_t ctn_layout_rounds(const ctn_layout_work *w, uint32_t least, uint32_t most)
{
    uint64_t rounds = 8000000 / ((uint64_t) w->vertex_count + w->link_count + 1);
    return rounds < least ? least : rounds > most ? most : (uint32_t) rounds;
}

/* layout_order.c: sorts each row so that few lines cross, and counts those that do. */
void ctn_layout_order_rows(ctn_layout_work *w);
/* layout_place.c: gives every vertex its x. */
void ctn_layout_place_vertices(ctn_layout_work *w);
