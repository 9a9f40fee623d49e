/*
 * layout.h -- where the boxes and lines of a graph go: rows from top to bottom, every line downwards.
 *
 * The caller gives the boxes' sizes and the lines; the layout gives places. It knows nothing of chains, text or SVG.
 *
 * What it promises:
 *   1. A line's upper end is in a row above its lower end, so everything points down.
 *   2. No two boxes overlap, and no routed line passes through a box.
 *   3. The same graph gives the same places, to the pixel.
 *   4. Effort is bounded: rounds of improvement grow fewer as the graph grows, and when long lines would need more
 *      bends than CTN_LAYOUT_BENDS_MAX, the longest go straight (is_routed false) behind the boxes.
 *
 * Ownership  The caller's arrays are filled in; points live in the arena.
 * Units      Pixels, whole. y grows downwards; (0, 0) is the upper left corner of everything.
 */
#pragma once
#include "base/arena.h"

#define CTN_LAYOUT_BENDS_MAX 200000

typedef struct ctn_layout_point {
    int32_t x, y;
} ctn_layout_point;

typedef struct ctn_layout_node {
    int32_t width, height; /* given, at least 1 */
    int32_t x, y;          /* its upper left corner */
    uint32_t row;
} ctn_layout_node;

typedef struct ctn_layout_edge {
    uint32_t from, to; /* given: nodes; the graph has no cycle */
    /* From the lower side of `from` to the upper side of `to`. Between points 0 and 1, 2 and 3, ... it goes straight
     * down (along the boxes of a row), between 1 and 2, 3 and 4, ... it may bend (between rows). */
    ctn_layout_point *points;
    uint32_t point_count;
    bool is_routed;
} ctn_layout_edge;

typedef struct ctn_layout {
    ctn_layout_node *nodes; /* given */
    uint32_t node_count;
    ctn_layout_edge *edges; /* given; no line twice */
    uint32_t edge_count;
    int32_t gap_x, gap_y; /* given: the least space between boxes of a row, between rows */
    int32_t width, height;
    uint64_t crossing_count; /* of routed lines, between rows */
    uint32_t row_count;
} ctn_layout;

void ctn_layout_compute(ctn_layout *layout, ctn_arena *arena);
