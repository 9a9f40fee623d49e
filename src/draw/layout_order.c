/*
 * layout_order.c -- the order of the vertices in each row, so that few lines cross.
 *
 * Each round goes down and then up through the rows and sorts each by the mean position of what its vertices are
 * linked to in the row just seen (the barycentre heuristic); ties keep their order. Small graphs are improved further
 * by swapping neighbours as long as that helps. The best order ever seen wins, so a round can do no harm. A round
 * sorts every row once, and crossings are counted with a sum tree: n log n.
 */
#include "draw/layout_internal.h"
#include <stdlib.h>

#define ROUNDS_MAX 24
#define SWAPS_MAX  2000 /* links of a graph whose neighbours are tried out */

typedef struct sort_item {
    double key;
    uint32_t position, vertex;
} sort_item;

static int by_key(const void *a, const void *b)
{
    const sort_item *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static uint32_t row_length(const ctn_layout_work *w, uint32_t r)
{
    return w->row_first[r + 1] - w->row_first[r];
}

static void sort_row(ctn_layout_work *w, uint32_t r, const ctn_layout_links *links, sort_item *items)
{
    uint32_t first = w->row_first[r], count = row_length(w, r);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v = w->ordered[first + i], degree = links->first[v + 1] - links->first[v];
        double sum = 0;
        for (uint32_t k = links->first[v]; k < links->first[v + 1]; k++)
            sum += w->position[links->items[k]];
        /* Without links it stays where it is, in the measure of the other row, which it does not have: its place. */
        items[i] = (sort_item){.key = degree ? sum / degree : (double) i, .position = i, .vertex = v};
    }
    qsort(items, count, sizeof *items, by_key);
    for (uint32_t i = 0; i < count; i++) {
        w->ordered[first + i] = items[i].vertex;
        w->position[items[i].vertex] = i;
    }
}

/* ---- counting ---- */

typedef struct counter {
    uint32_t *tree;   /* sums of how many lines ended so far, by position in the row below */
    uint32_t *lowest; /* the row below, of one vertex: positions, sorted */
} counter;

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return x < y ? -1 : x > y;
}

/* Crossings between row r and the next: pairs of lines whose ends are in opposite order. */
static uint64_t count_row(const ctn_layout_work *w, uint32_t r, counter *c)
{
    uint64_t crossings = 0;
    uint32_t length = row_length(w, r + 1), seen = 0;
    memset(c->tree, 0, (length + 1) * sizeof *c->tree);
    for (uint32_t i = w->row_first[r]; i < w->row_first[r + 1]; i++) {
        uint32_t v = w->ordered[i], degree = w->down.first[v + 1] - w->down.first[v];
        for (uint32_t k = 0; k < degree; k++)
            c->lowest[k] = w->position[w->down.items[w->down.first[v] + k]];
        qsort(c->lowest, degree, sizeof *c->lowest, by_number);
        for (uint32_t k = 0; k < degree; k++) {
            uint32_t not_after = 0;
            for (uint32_t at = c->lowest[k] + 1; at; at &= at - 1)
                not_after += c->tree[at];
            crossings += seen - not_after;
        }
        for (uint32_t k = 0; k < degree; k++)
            for (uint32_t at = c->lowest[k] + 1; at <= length; at += at & -at)
                c->tree[at]++;
        seen += degree;
    }
    return crossings;
}

static uint64_t count_all(const ctn_layout_work *w, counter *c)
{
    uint64_t crossings = 0;
    for (uint32_t r = 0; r + 1 < w->row_count; r++)
        crossings += count_row(w, r, c);
    return crossings;
}

/* ---- swapping neighbours ---- */

/* Crossings of the lines of a (on the left) with those of b, in one direction. */
static uint64_t crossings_of(const ctn_layout_work *w, const ctn_layout_links *links, uint32_t a, uint32_t b)
{
    uint64_t crossings = 0;
    for (uint32_t i = links->first[a]; i < links->first[a + 1]; i++)
        for (uint32_t k = links->first[b]; k < links->first[b + 1]; k++)
            crossings += w->position[links->items[i]] > w->position[links->items[k]];
    return crossings;
}

static bool swap_once(ctn_layout_work *w)
{
    bool has_helped = false;
    for (uint32_t r = 0; r < w->row_count; r++)
        for (uint32_t i = w->row_first[r]; i + 1 < w->row_first[r + 1]; i++) {
            uint32_t a = w->ordered[i], b = w->ordered[i + 1];
            uint64_t now = crossings_of(w, &w->up, a, b) + crossings_of(w, &w->down, a, b),
                     then = crossings_of(w, &w->up, b, a) + crossings_of(w, &w->down, b, a);
            if (then >= now)
                continue;
            w->ordered[i] = b;
            w->ordered[i + 1] = a;
            w->position[a]++;
            w->position[b]--;
            has_helped = true;
        }
    return has_helped;
}

/* ---- the first order, and the best ---- */

static void first_order(ctn_layout_work *w)
{
    w->row_first = CTN_NEW_ARRAY(w->arena, uint32_t, (size_t) w->row_count + 2);
    w->ordered = CTN_NEW_ARRAY(w->arena, uint32_t, w->vertex_count);
    w->position = CTN_NEW_ARRAY(w->arena, uint32_t, w->vertex_count);
    for (uint32_t v = 0; v < w->vertex_count; v++)
        w->row_first[w->row[v] + 2]++;
    for (uint32_t r = 0; r < w->row_count; r++)
        w->row_first[r + 2] += w->row_first[r + 1];
    for (uint32_t v = 0; v < w->vertex_count; v++) { /* as the caller has them: a chain's steps in the file's order */
        uint32_t at = w->row_first[w->row[v] + 1]++;
        w->ordered[at] = v;
    }
    for (uint32_t r = 0; r < w->row_count; r++)
        for (uint32_t i = w->row_first[r]; i < w->row_first[r + 1]; i++)
            w->position[w->ordered[i]] = i - w->row_first[r];
}

void ctn_layout_order_rows(ctn_layout_work *w)
{
    first_order(w);
    uint32_t longest = 0, degree_max = 0;
    for (uint32_t r = 0; r < w->row_count; r++)
        if (row_length(w, r) > longest)
            longest = row_length(w, r);
    for (uint32_t v = 0; v < w->vertex_count; v++)
        if (w->down.first[v + 1] - w->down.first[v] > degree_max)
            degree_max = w->down.first[v + 1] - w->down.first[v];
    sort_item *items = CTN_NEW_ARRAY(w->arena, sort_item, longest);
    uint32_t *best = CTN_NEW_ARRAY(w->arena, uint32_t, w->vertex_count);
    counter c = {.tree = CTN_NEW_ARRAY(w->arena, uint32_t, (size_t) longest + 1),
                 .lowest = CTN_NEW_ARRAY(w->arena, uint32_t, degree_max)};
    uint64_t fewest = count_all(w, &c);
    memcpy(best, w->ordered, w->vertex_count * sizeof *best);
    for (uint32_t round = 0, rounds = ctn_layout_rounds(w, 2, ROUNDS_MAX); fewest && round < rounds; round++) {
        for (uint32_t r = 1; r < w->row_count; r++)
            sort_row(w, r, &w->up, items);
        for (uint32_t r = w->row_count - 1; r-- > 0;)
            sort_row(w, r, &w->down, items);
        for (uint32_t tries = 0; w->link_count <= SWAPS_MAX && tries < ROUNDS_MAX && swap_once(w);)
            tries++;
        uint64_t crossings = count_all(w, &c);
        if (crossings < fewest) {
            fewest = crossings;
            memcpy(best, w->ordered, w->vertex_count * sizeof *best);
        }
    }
    memcpy(w->ordered, best, w->vertex_count * sizeof *best);
    for (uint32_t r = 0; r < w->row_count; r++)
        for (uint32_t i = w->row_first[r]; i < w->row_first[r + 1]; i++)
            w->position[w->ordered[i]] = i - w->row_first[r];
    w->layout->crossing_count = fewest;
}
