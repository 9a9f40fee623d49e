/* Where boxes and lines go: nothing overlaps, everything points down, and the same graph looks the same again. */
#include <stdlib.h>

#include "base/clock.h"
#include "draw/layout.h"
#include "support/cmocka.h"

typedef struct kit {
    ctn_arena *arena;
    ctn_layout l;
    uint32_t capacity;
} kit;

static kit kit_of(uint32_t nodes)
{
    kit k = {.arena = ctn_arena_new(65536)};
    k.l = (ctn_layout){.node_count = nodes, .gap_x = 30, .gap_y = 40};
    k.l.nodes = CTN_NEW_ARRAY(k.arena, ctn_layout_node, nodes);
    for (uint32_t i = 0; i < nodes; i++)
        k.l.nodes[i] = (ctn_layout_node){.width = 100, .height = 50};
    return k;
}

static void add_line(kit *k, uint32_t from, uint32_t to)
{
    if (k->l.edge_count == k->capacity) {
        k->capacity = k->capacity ? 2 * k->capacity : 64;
        ctn_layout_edge *edges = CTN_NEW_ARRAY(k->arena, ctn_layout_edge, k->capacity);
        if (k->l.edge_count)
            memcpy(edges, k->l.edges, k->l.edge_count * sizeof *edges);
        k->l.edges = edges;
    }
    k->l.edges[k->l.edge_count++] = (ctn_layout_edge){.from = from, .to = to};
}

static uint32_t below(const ctn_rng *rng, uint32_t bound)
{
    return (uint32_t) (ctn_rng_next(rng) % bound);
}

static bool overlap(int32_t a, int32_t a_length, int32_t b, int32_t b_length)
{
    return a < b + b_length && b < a + a_length;
}

static void assert_boxes_apart(const ctn_layout *l)
{
    for (uint32_t a = 0; a < l->node_count; a++) {
        const ctn_layout_node *x = &l->nodes[a];
        if (x->x < 0 || x->y < 0 || x->x + x->width > l->width || x->y + x->height > l->height)
            fail_msg("box %u (%d, %d) is outside of %d x %d", a, x->x, x->y, l->width, l->height);
        for (uint32_t b = 0; b < a; b++) {
            const ctn_layout_node *y = &l->nodes[b];
            if (overlap(x->x, x->width + (x->row == y->row ? l->gap_x - 1 : 0), y->x,
                        y->width + (x->row == y->row ? l->gap_x - 1 : 0)) &&
                overlap(x->y, x->height, y->y, y->height))
                fail_msg("boxes %u and %u overlap or stand too near", a, b);
        }
    }
}

/* A bend goes straight down through a row; no box of that row may be in its way. */
static void assert_lines_clear(const ctn_layout *l)
{
    for (uint32_t e = 0; e < l->edge_count; e++) {
        const ctn_layout_edge *line = &l->edges[e];
        const ctn_layout_node *from = &l->nodes[line->from], *to = &l->nodes[line->to];
        assert_true(to->row > from->row);
        ctn_layout_point first = line->points[0], last = line->points[line->point_count - 1];
        assert_int_equal(first.y, from->y + from->height);
        assert_int_equal(last.y, to->y);
        assert_true(first.x >= from->x && first.x <= from->x + from->width);
        assert_true(last.x >= to->x && last.x <= to->x + to->width);
        for (uint32_t i = 1; i < line->point_count; i++)
            assert_true(line->points[i].y >= line->points[i - 1].y);
        for (uint32_t i = 2; line->is_routed && i + 1 < line->point_count; i += 2) {
            assert_int_equal(line->points[i].x, line->points[i + 1].x);
            for (uint32_t n = 0; n < l->node_count; n++) {
                const ctn_layout_node *box = &l->nodes[n];
                if (overlap(box->y, box->height, line->points[i].y, line->points[i + 1].y - line->points[i].y) &&
                    overlap(box->x, box->width, line->points[i].x, 1))
                    fail_msg("line %u to %u goes through box %u", line->from, line->to, n);
            }
        }
    }
}

/* Lines between neighbouring rows alone: pairs whose ends stand in opposite order. */
static uint64_t crossings_seen(const ctn_layout *l)
{
    uint64_t crossings = 0;
    for (uint32_t a = 0; a < l->edge_count; a++)
        for (uint32_t b = 0; b < a; b++) {
            const ctn_layout_node *a1 = &l->nodes[l->edges[a].from], *a2 = &l->nodes[l->edges[a].to],
                                  *b1 = &l->nodes[l->edges[b].from], *b2 = &l->nodes[l->edges[b].to];
            if (a1->row == b1->row)
                crossings += (a1->x < b1->x && a2->x > b2->x) || (a1->x > b1->x && a2->x < b2->x);
        }
    return crossings;
}

static void compute(kit *k)
{
    ctn_layout_compute(&k->l, k->arena);
    assert_boxes_apart(&k->l);
    assert_lines_clear(&k->l);
}

static void boxes_of_random_graphs_never_overlap_and_lines_point_down(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        uint64_t chance = seed;
        ctn_rng rng = ctn_rng_seeded(&chance);
        uint32_t n = 2 + below(&rng, 60);
        kit k = kit_of(n);
        for (uint32_t i = 0; i < n; i++) {
            k.l.nodes[i].width = 20 + (int32_t) below(&rng, 300);
            k.l.nodes[i].height = 20 + (int32_t) below(&rng, 100);
            for (uint32_t to = i + 1; to < n; to++)
                if (below(&rng, n) < 2)
                    add_line(&k, i, to);
        }
        compute(&k);
        ctn_arena_free(k.arena);
    }
}

static kit some_graph(void)
{
    kit k = kit_of(40);
    for (uint32_t i = 1; i < 40; i++) {
        add_line(&k, i * 7 % i, i);
        if (i > 9)
            add_line(&k, i - 9, i);
    }
    return k;
}

static void the_same_graph_looks_the_same_again(void **state)
{
    (void) state;
    kit a = some_graph(), b = some_graph();
    compute(&a);
    compute(&b);
    assert_memory_equal(a.l.nodes, b.l.nodes, 40 * sizeof *a.l.nodes);
    for (uint32_t e = 0; e < a.l.edge_count; e++)
        assert_memory_equal(a.l.edges[e].points, b.l.edges[e].points,
                            a.l.edges[e].point_count * sizeof *a.l.edges[e].points);
    ctn_arena_free(a.arena);
    ctn_arena_free(b.arena);
}

static void lines_that_need_not_cross_do_not(void **state)
{
    (void) state;
    kit k = kit_of(6); /* 0, 1, 2 above 3, 4, 5, joined the wrong way round */
    for (uint32_t i = 0; i < 3; i++)
        add_line(&k, i, 5 - i);
    compute(&k);
    assert_int_equal(k.l.crossing_count, 0);
    assert_int_equal(crossings_seen(&k.l), 0);
    ctn_arena_free(k.arena);

    k = kit_of(31); /* a tree whose leaves are numbered across its branches */
    for (uint32_t i = 1; i < 31; i++)
        add_line(&k, (i - 1) / 2 * 5 % 31, i * 5 % 31);
    compute(&k);
    assert_int_equal(k.l.crossing_count, 0);
    assert_int_equal(k.l.row_count, 5);
    ctn_arena_free(k.arena);
}

static void crossings_that_must_be_are_counted(void **state)
{
    (void) state;
    kit k = kit_of(6); /* K3,3 in two rows: nine */
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t to = 3; to < 6; to++)
            add_line(&k, i, to);
    compute(&k);
    assert_int_equal(k.l.crossing_count, 9);
    assert_int_equal(crossings_seen(&k.l), 9);
    ctn_arena_free(k.arena);

    for (uint64_t seed = 1; seed <= 50; seed++) { /* counted as they are seen */
        uint64_t chance = seed;
        ctn_rng rng = ctn_rng_seeded(&chance);
        k = kit_of(24);
        for (uint32_t row = 0; row < 3; row++)
            for (uint32_t i = 0; i < 6; i++)
                for (uint32_t to = 0; to < 6; to++)
                    if (to == i || below(&rng, 4) == 0)
                        add_line(&k, 6 * row + i, 6 * (row + 1) + to);
        compute(&k);
        assert_int_equal(k.l.crossing_count, crossings_seen(&k.l));
        ctn_arena_free(k.arena);
    }
}

static int32_t middle(const ctn_layout *l, uint32_t node)
{
    return 2 * l->nodes[node].x + l->nodes[node].width;
}

static void a_line_of_steps_stands_straight_and_a_diamond_is_even(void **state)
{
    (void) state;
    kit k = kit_of(20);
    for (uint32_t i = 1; i < 20; i++) {
        k.l.nodes[i].width = 60 + 2 * (int32_t) (i * 37 % 100);
        add_line(&k, i - 1, i);
    }
    compute(&k);
    for (uint32_t i = 1; i < 20; i++)
        assert_int_equal(middle(&k.l, i), middle(&k.l, 0));
    ctn_arena_free(k.arena);

    k = kit_of(5);
    for (uint32_t i = 1; i < 4; i++) {
        add_line(&k, 0, i);
        add_line(&k, i, 4);
    }
    compute(&k);
    assert_int_equal(middle(&k.l, 0), middle(&k.l, 4));
    assert_int_equal(middle(&k.l, 1) + middle(&k.l, 3), 2 * middle(&k.l, 0));
    ctn_arena_free(k.arena);
}

static void long_lines_beyond_the_bound_go_straight(void **state)
{
    (void) state;
    uint32_t n = 3000; /* a line of steps, and from each one a line to the last: half a million bends and more */
    kit k = kit_of(n);
    for (uint32_t i = 1; i < n; i++) {
        add_line(&k, i - 1, i);
        if (i + 1 < n)
            add_line(&k, i - 1, n - 1);
    }
    ctn_layout_compute(&k.l, k.arena);
    uint64_t bends = 0;
    uint32_t straight = 0;
    for (uint32_t e = 0; e < k.l.edge_count; e++) {
        bends += k.l.edges[e].is_routed ? (k.l.edges[e].point_count - 3) / 2 : 0;
        straight += !k.l.edges[e].is_routed;
    }
    assert_in_range(bends, CTN_LAYOUT_BENDS_MAX / 2, CTN_LAYOUT_BENDS_MAX);
    assert_true(straight > 0);
    assert_true(k.l.nodes[n - 1].row == n - 1);
    ctn_arena_free(k.arena);
}

static void a_graph_of_one_and_of_none_is_drawn(void **state)
{
    (void) state;
    kit k = kit_of(1);
    compute(&k);
    assert_int_equal(k.l.width, 100);
    assert_int_equal(k.l.height, 50);
    ctn_arena_free(k.arena);
    k = kit_of(0);
    compute(&k);
    assert_int_equal(k.l.width, 0);
    ctn_arena_free(k.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_of_random_graphs_never_overlap_and_lines_point_down),
        cmocka_unit_test(the_same_graph_looks_the_same_again),
        cmocka_unit_test(lines_that_need_not_cross_do_not),
        cmocka_unit_test(crossings_that_must_be_are_counted),
        cmocka_unit_test(a_line_of_steps_stands_straight_and_a_diamond_is_even),
        cmocka_unit_test(long_lines_beyond_the_bound_go_straight),
        cmocka_unit_test(a_graph_of_one_and_of_none_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
