/*
 * layout.c -- see layout.h. The layered method of Sugiyama, Tagawa and Toda: rows by the longest path, bends for the
 * lines that pass rows, an order in each row with few crossings (layout_order.c), x (layout_place.c), y and lines
 * (here).
 *
 * What must hold: after make_vertices every link joins neighbouring rows, whatever the graph looked like.
 */
#include "draw/layout_internal.h"
#include <assert.h>

#define PORT_GAP      16 /* between two lines that leave a box */
#define STRETCH_MAX   90 /* rows move apart by so much at most, where lines go far to the side */
#define STRETCH_SHARE 14

/* ---- rows ---- */

static void find_rows(ctn_layout_work *w)
{
    ctn_layout *l = w->layout;
    uint32_t n = l->node_count, *waiting = CTN_NEW_ARRAY(w->arena, uint32_t, n), *first, *targets, *queue;
    first = CTN_NEW_ARRAY(w->arena, uint32_t, n + 2);
    targets = CTN_NEW_ARRAY(w->arena, uint32_t, l->edge_count);
    queue = CTN_NEW_ARRAY(w->arena, uint32_t, n);
    for (uint32_t e = 0; e < l->edge_count; e++) {
        assert(l->edges[e].from < n && l->edges[e].to < n);
        waiting[l->edges[e].to]++;
        first[l->edges[e].from + 2]++;
    }
    for (uint32_t v = 0; v < n; v++)
        first[v + 2] += first[v + 1];
    for (uint32_t e = 0; e < l->edge_count; e++)
        targets[first[l->edges[e].from + 1]++] = l->edges[e].to;
    uint32_t queued = 0;
    for (uint32_t v = 0; v < n; v++) {
        l->nodes[v].row = 0;
        if (!waiting[v])
            queue[queued++] = v;
    }
    w->row_count = n ? 1 : 0;
    for (uint32_t at = 0; at < queued; at++) {
        uint32_t v = queue[at], next = l->nodes[v].row + 1;
        for (uint32_t i = first[v]; i < first[v + 1]; i++) {
            uint32_t to = targets[i];
            if (l->nodes[to].row < next)
                l->nodes[to].row = next;
            if (next >= w->row_count)
                w->row_count = next + 1;
            if (--waiting[to] == 0)
                queue[queued++] = to;
        }
    }
    assert(queued == n); /* no cycle */
}

/* ---- vertices and links ---- */

static uint32_t span_of(const ctn_layout *l, const ctn_layout_edge *e)
{
    return l->nodes[e->to].row - l->nodes[e->from].row;
}

/* Bends go to the short lines first; what is left of the bound decides which of the long ones are routed. */
static uint32_t give_bends(ctn_layout_work *w)
{
    ctn_layout *l = w->layout;
    uint32_t *by_span = CTN_NEW_ARRAY(w->arena, uint32_t, (size_t) w->row_count + 2),
             *sorted = CTN_NEW_ARRAY(w->arena, uint32_t, l->edge_count);
    for (uint32_t e = 0; e < l->edge_count; e++)
        by_span[span_of(l, &l->edges[e]) + 1]++;
    for (uint32_t s = 0; s <= w->row_count; s++)
        by_span[s + 1] += by_span[s];
    for (uint32_t e = 0; e < l->edge_count; e++)
        sorted[by_span[span_of(l, &l->edges[e])]++] = e;
    uint32_t given = 0;
    w->edge_bends = CTN_NEW_ARRAY(w->arena, uint32_t, l->edge_count);
    for (uint32_t i = 0; i < l->edge_count; i++) {
        ctn_layout_edge *e = &l->edges[sorted[i]];
        uint32_t bends = span_of(l, e) - 1;
        e->is_routed = bends <= CTN_LAYOUT_BENDS_MAX - given;
        w->edge_bends[sorted[i]] = e->is_routed ? l->node_count + given : UINT32_MAX;
        given += e->is_routed ? bends : 0;
    }
    return given;
}

static void link(ctn_layout_links *links, uint32_t from, uint32_t to, bool is_counting)
{
    if (is_counting)
        links->first[from + 2]++;
    else
        links->items[links->first[from + 1]++] = to;
}

static void link_all(ctn_layout_work *w, bool is_counting)
{
    ctn_layout *l = w->layout;
    for (uint32_t e = 0; e < l->edge_count; e++) {
        if (!l->edges[e].is_routed)
            continue;
        uint32_t from = l->edges[e].from, span = span_of(l, &l->edges[e]);
        for (uint32_t i = 1; i <= span; i++) {
            uint32_t to = i == span ? l->edges[e].to : w->edge_bends[e] + i - 1;
            link(&w->down, from, to, is_counting);
            link(&w->up, to, from, is_counting);
            if (is_counting)
                w->link_count++;
            w->row[to] = l->nodes[l->edges[e].from].row + i;
            from = to;
        }
    }
}

static void sum_up(ctn_layout_work *w, ctn_layout_links *links)
{
    for (uint32_t v = 0; v < w->vertex_count; v++)
        links->first[v + 2] += links->first[v + 1];
    links->items = CTN_NEW_ARRAY(w->arena, uint32_t, w->link_count);
}

static void make_vertices(ctn_layout_work *w)
{
    ctn_layout *l = w->layout;
    w->vertex_count = l->node_count + give_bends(w);
    w->row = CTN_NEW_ARRAY(w->arena, uint32_t, w->vertex_count);
    w->up.first = CTN_NEW_ARRAY(w->arena, uint32_t, (size_t) w->vertex_count + 2);
    w->down.first = CTN_NEW_ARRAY(w->arena, uint32_t, (size_t) w->vertex_count + 2);
    for (uint32_t v = 0; v < l->node_count; v++)
        w->row[v] = l->nodes[v].row;
    link_all(w, true);
    sum_up(w, &w->up);
    sum_up(w, &w->down);
    link_all(w, false);
}

/* ---- y and lines ---- */

static void place_rows(ctn_layout_work *w)
{
    ctn_layout *l = w->layout;
    int32_t y = 0;
    for (uint32_t r = 0; r < w->row_count; r++) {
        int32_t height = 0;
        double widest = 0;
        for (uint32_t i = w->row_first[r]; i < w->row_first[r + 1]; i++) {
            uint32_t v = w->ordered[i];
            for (uint32_t k = w->down.first[v]; k < w->down.first[v + 1]; k++) {
                double dx = w->x[w->down.items[k]] - w->x[v];
                widest = dx > widest ? dx : -dx > widest ? -dx : widest;
            }
            if (ctn_layout_is_bend(w, v))
                continue;
            ctn_layout_node *node = &l->nodes[v];
            node->y = y;
            node->x = (int32_t) (w->x[v] - node->width / 2.0 + 0.5);
            if (node->height > height)
                height = node->height;
            if (node->x + node->width > l->width)
                l->width = node->x + node->width;
        }
        double stretch = widest / STRETCH_SHARE;
        y += height;
        l->height = y;
        y += l->gap_y + (int32_t) (stretch > STRETCH_MAX ? STRETCH_MAX : stretch);
    }
}

typedef struct port {
    uint32_t edge;
    double key; /* where the line goes */
} port;

static void sort_ports(port *ports, uint32_t count, port *scratch)
{
    for (uint32_t width = 1; width < count; width *= 2) { /* merge sort: stable, and no worse when many leave one box */
        for (uint32_t from = 0; from < count; from += 2 * width) {
            uint32_t middle = from + width < count ? from + width : count,
                     to = from + 2 * width < count ? from + 2 * width : count;
            for (uint32_t i = from, a = from, b = middle; i < to; i++)
                scratch[i] = a < middle && (b >= to || ports[a].key <= ports[b].key) ? ports[a++] : ports[b++];
        }
        memcpy(ports, scratch, count * sizeof *ports);
    }
}

/* The lines that leave (or reach) each box, from left to right, share its side. */
static void place_ports(ctn_layout_work *w, bool is_lower_end)
{
    ctn_layout *l = w->layout;
    uint32_t n = l->node_count, *first = CTN_NEW_ARRAY(w->arena, uint32_t, n + 2);
    port *ports = CTN_NEW_ARRAY(w->arena, port, l->edge_count), *scratch = CTN_NEW_ARRAY(w->arena, port, l->edge_count);
    for (uint32_t e = 0; e < l->edge_count; e++)
        first[(is_lower_end ? l->edges[e].to : l->edges[e].from) + 2]++;
    for (uint32_t v = 0; v < n; v++)
        first[v + 2] += first[v + 1];
    for (uint32_t e = 0; e < l->edge_count; e++) {
        const ctn_layout_edge *edge = &l->edges[e];
        uint32_t own = is_lower_end ? edge->to : edge->from, other = is_lower_end ? edge->from : edge->to;
        uint32_t bends = edge->is_routed ? span_of(l, edge) - 1 : 0;
        uint32_t next = bends ? w->edge_bends[e] + (is_lower_end ? bends - 1 : 0) : other;
        ports[first[own + 1]++] = (port){.edge = e, .key = w->x[next]};
    }
    for (uint32_t v = 0; v < n; v++) {
        uint32_t count = first[v + 1] - first[v];
        sort_ports(ports + first[v], count, scratch);
        double gap = count > 1 ? 0.7 * l->nodes[v].width / (count - 1) : 0;
        gap = gap > PORT_GAP ? PORT_GAP : gap;
        for (uint32_t i = 0; i < count; i++) {
            ctn_layout_edge *edge = &l->edges[ports[first[v] + i].edge];
            double x = l->nodes[v].x + l->nodes[v].width / 2.0 + (i - (count - 1) / 2.0) * gap;
            edge->points[is_lower_end ? edge->point_count - 1 : 0].x = (int32_t) (x + 0.5);
        }
    }
}

static void draw_lines(ctn_layout_work *w)
{
    ctn_layout *l = w->layout;
    int32_t *top = CTN_NEW_ARRAY(w->arena, int32_t, w->row_count),
            *bottom = CTN_NEW_ARRAY(w->arena, int32_t, w->row_count);
    for (uint32_t v = 0; v < l->node_count; v++) {
        const ctn_layout_node *node = &l->nodes[v];
        top[node->row] = node->y;
        if (node->y + node->height > bottom[node->row])
            bottom[node->row] = node->y + node->height;
    }
    for (uint32_t e = 0; e < l->edge_count; e++) {
        ctn_layout_edge *edge = &l->edges[e];
        const ctn_layout_node *from = &l->nodes[edge->from], *to = &l->nodes[edge->to];
        uint32_t bends = edge->is_routed ? span_of(l, edge) - 1 : 0;
        edge->point_count = 3 + 2 * bends;
        edge->points = CTN_NEW_ARRAY(w->arena, ctn_layout_point, edge->point_count);
        edge->points[0].y = from->y + from->height;
        edge->points[1].y = bottom[from->row];
        edge->points[edge->point_count - 1].y = to->y;
        for (uint32_t i = 0; i < bends; i++) {
            int32_t x = (int32_t) (w->x[w->edge_bends[e] + i] + 0.5);
            edge->points[2 + 2 * i] = (ctn_layout_point){x, top[from->row + 1 + i]};
            edge->points[3 + 2 * i] = (ctn_layout_point){x, bottom[from->row + 1 + i]};
            if (x + l->gap_x / 4 > l->width)
                l->width = x + l->gap_x / 4;
        }
    }
    place_ports(w, false);
    place_ports(w, true);
    for (uint32_t e = 0; e < l->edge_count; e++)
        l->edges[e].points[1].x = l->edges[e].points[0].x;
}

void ctn_layout_compute(ctn_layout *layout, ctn_arena *arena)
{
    ctn_layout_work w = {.layout = layout, .arena = arena};
    layout->width = layout->height = 0;
    layout->crossing_count = 0;
    find_rows(&w);
    layout->row_count = w.row_count;
    if (!layout->node_count)
        return;
    make_vertices(&w);
    ctn_layout_order_rows(&w);
    ctn_layout_place_vertices(&w);
    place_rows(&w);
    draw_lines(&w);
}
