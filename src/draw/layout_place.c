/*
 * layout_place.c -- x of every vertex: each wants to stand over the middle of what it is linked to, none may come
 * nearer to its neighbour than the gap.
 *
 * For one row that is a problem with one exact answer: the places nearest to the wanted ones (least squares) in the
 * given order and distances. Taking the distances off first, it is to find the nearest non-decreasing sequence, which
 * pooling adjacent violators does in one pass. Going down and up through the rows some times lets wishes travel. Bends
 * pull hard, so that long lines become straight.
 */
#include "draw/layout_internal.h"

#define ROUNDS_MAX  16
#define STRAIGHTENS 3
#define GRID        4 /* places are whole multiples, so that what is nearly above each other is exactly so */

typedef struct block {
    double place, weight; /* the mean of its wishes, and their weight */
    uint32_t last;        /* position of its last vertex */
} block;

static double width_of(const ctn_layout_work *w, uint32_t v)
{
    return ctn_layout_is_bend(w, v) ? 0 : w->layout->nodes[v].width;
}

/* The last place of the grid that is not after x. */
static double on_grid(double x)
{
    int32_t steps = (int32_t) (x / GRID); /* towards zero */
    return GRID * (double) (steps - (GRID * (double) steps > x));
}

static double distance(const ctn_layout_work *w, uint32_t left, uint32_t right)
{
    bool has_bend = ctn_layout_is_bend(w, left) || ctn_layout_is_bend(w, right);
    double least =
        (width_of(w, left) + width_of(w, right)) / 2 + (has_bend ? w->layout->gap_x / 2.0 : w->layout->gap_x);
    return on_grid(least + GRID - 0.5); /* rounded up, so that rounding to the grid keeps it */
}

static double pull(const ctn_layout_work *w, uint32_t a, uint32_t b)
{
    uint32_t bends = (uint32_t) ctn_layout_is_bend(w, a) + (uint32_t) ctn_layout_is_bend(w, b);
    return bends == 2 ? 8 : bends == 1 ? 2 : 1;
}

static void add_wishes(const ctn_layout_work *w, const ctn_layout_links *links, uint32_t v, double *sum, double *weight)
{
    for (uint32_t k = links->first[v]; k < links->first[v + 1]; k++) {
        double p = pull(w, v, links->items[k]);
        *sum += p * w->x[links->items[k]];
        *weight += p;
    }
}

static void place_row(ctn_layout_work *w, uint32_t r, bool looks_up, bool looks_down, block *blocks, double *offsets)
{
    uint32_t first = w->row_first[r], count = w->row_first[r + 1] - first, pooled = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v = w->ordered[first + i];
        double sum = 0, weight = 0;
        offsets[i] = i ? offsets[i - 1] + distance(w, w->ordered[first + i - 1], v) : 0;
        if (looks_up)
            add_wishes(w, &w->up, v, &sum, &weight);
        if (looks_down)
            add_wishes(w, &w->down, v, &sum, &weight);
        block b = {.place = weight > 0 ? sum / weight : w->x[v], .weight = weight > 0 ? weight : 0.01, .last = i};
        b.place -= offsets[i];
        while (pooled && blocks[pooled - 1].place > b.place) {
            const block *before = &blocks[--pooled];
            double together = before->weight + b.weight;
            b.place = (before->place * before->weight + b.place * b.weight) / together;
            b.weight = together;
        }
        blocks[pooled++] = b;
    }
    for (uint32_t i = 0, at = 0; i < count; i++) {
        if (i > blocks[at].last)
            at++;
        w->x[w->ordered[first + i]] = blocks[at].place + offsets[i];
    }
}

/* ---- straight lines ---- */

/* How far a bend may go to the left and to the right before its neighbours are in the way. */
static void find_room(const ctn_layout_work *w, uint32_t bend, double *ret_least, double *ret_most)
{
    uint32_t at = w->row_first[w->row[bend]] + w->position[bend];
    bool has_left = at > w->row_first[w->row[bend]], has_right = at + 1 < w->row_first[w->row[bend] + 1];
    *ret_least = has_left ? w->x[w->ordered[at - 1]] + distance(w, w->ordered[at - 1], bend) : -1e9;
    *ret_most = has_right ? w->x[w->ordered[at + 1]] - distance(w, bend, w->ordered[at + 1]) : 1e9;
}

/* The bends of one line, from `first` on: as many as can stand above each other do, then the next ones. */
static void straighten(ctn_layout_work *w, uint32_t first, uint32_t count)
{
    for (uint32_t from = 0, to; from < count; from = to) {
        double least = -1e9, most = 1e9, sum = 0;
        for (to = from; to < count; to++) {
            double low, high;
            find_room(w, first + to, &low, &high);
            if ((low > least ? low : least) > (high < most ? high : most))
                break;
            least = low > least ? low : least;
            most = high < most ? high : most;
            sum += w->x[first + to];
        }
        if (to == from) { /* rounding left it no room: it stays */
            to++;
            continue;
        }
        double x = sum / (to - from);
        x = x < least ? least : x > most ? most : x;
        for (uint32_t i = from; i < to; i++)
            w->x[first + i] = x;
    }
}

static void straighten_all(ctn_layout_work *w)
{
    for (uint32_t e = 0; e < w->layout->edge_count; e++) {
        const ctn_layout_edge *edge = &w->layout->edges[e];
        uint32_t bends = edge->is_routed ? w->row[edge->to] - w->row[edge->from] - 1 : 0;
        if (bends)
            straighten(w, w->edge_bends[e], bends);
    }
}

void ctn_layout_place_vertices(ctn_layout_work *w)
{
    uint32_t longest = 0;
    for (uint32_t r = 0; r < w->row_count; r++)
        if (w->row_first[r + 1] - w->row_first[r] > longest)
            longest = w->row_first[r + 1] - w->row_first[r];
    block *blocks = CTN_NEW_ARRAY(w->arena, block, longest);
    double *offsets = CTN_NEW_ARRAY(w->arena, double, longest);
    w->x = CTN_NEW_ARRAY(w->arena, double, w->vertex_count);
    for (uint32_t r = 0; r < w->row_count; r++) { /* at first: packed, around the middle */
        place_row(w, r, false, false, blocks, offsets);
        double middle = offsets[w->row_first[r + 1] - w->row_first[r] - 1] / 2;
        for (uint32_t i = w->row_first[r]; i < w->row_first[r + 1]; i++)
            w->x[w->ordered[i]] = offsets[i - w->row_first[r]] - middle;
    }
    for (uint32_t round = 0, rounds = ctn_layout_rounds(w, 2, ROUNDS_MAX); round < rounds; round++) {
        bool is_last = round + 1 == rounds;
        for (uint32_t r = 1; r < w->row_count; r++)
            place_row(w, r, true, round > rounds / 2, blocks, offsets);
        for (uint32_t r = w->row_count - 1; r-- > 0;)
            place_row(w, r, round > rounds / 2 || is_last, true, blocks, offsets);
    }
    for (int i = 0; i < STRAIGHTENS; i++)
        straighten_all(w);
    for (uint32_t v = 0; v < w->vertex_count; v++)
        w->x[v] = on_grid(w->x[v] + GRID / 2.0);
    double least = 0;
    for (uint32_t v = 0; v < w->vertex_count; v++) {
        double left = w->x[v] - (ctn_layout_is_bend(w, v) ? w->layout->gap_x / 4.0 : width_of(w, v) / 2);
        if (v == 0 || left < least)
            least = left;
    }
    for (uint32_t v = 0; v < w->vertex_count; v++)
        w->x[v] -= least;
}
