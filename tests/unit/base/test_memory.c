/*
 * Arena, buffer, heap: memory by lifetime, memory under a limit, what is due next.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/heap.h"
#include "support/cmocka.h"

/* ---- arena ---- */

static void allocations_are_aligned_and_apart(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(0);
    unsigned char *last = NULL;
    for (size_t bytes = 0; bytes < 3000; bytes += 7) {
        unsigned char *p = ctn_arena_alloc(arena, bytes);
        assert_int_equal((uintptr_t) p % 16, 0);
        assert_ptr_not_equal(p, last);
        memset(p, 0xAB, bytes);
        last = p;
    }
    ctn_arena_free(arena);
    ctn_arena_free(NULL);
}

static void large_requests_do_not_disturb_small_ones(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str before = ctn_arena_str(arena, CTN_STR("before"));
    char *large = ctn_arena_alloc(arena, 3 << 20);
    memset(large, 1, 3 << 20);
    ctn_str after = ctn_arena_str(arena, CTN_STR("after"));
    assert_true(ctn_str_is(before, "before") && ctn_str_is(after, "after"));
    assert_int_equal(before.ptr[6], 0);
    ctn_arena_free(arena);
}

static void calloc_clears_memory_that_was_used_before(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    memset(ctn_arena_alloc(arena, 512), 0xFF, 512);
    ctn_arena_reset(arena);
    const unsigned char *p = ctn_arena_calloc(arena, 64, 8);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(p[i], 0);
    ctn_arena_free(arena);
}

static void restore_gives_back_what_came_after_save(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(256);
    ctn_str kept = ctn_arena_printf(arena, "kept %d", 1);
    size_t used = ctn_arena_used_bytes(arena);
    ctn_arena_mark mark = ctn_arena_save(arena);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            memset(ctn_arena_alloc(arena, 1000), i, 1000);
        memset(ctn_arena_alloc(arena, 1 << 20), 0, 1 << 20);
        assert_true(ctn_arena_used_bytes(arena) > used + 2000000);
        ctn_arena_restore(arena, mark);
        assert_int_equal(ctn_arena_used_bytes(arena), used);
    }
    assert_true(ctn_str_is(kept, "kept 1"));
    ctn_arena_reset(arena);
    assert_int_equal(ctn_arena_used_bytes(arena), 0);
    ctn_arena_free(arena);
}

static void printf_takes_texts_of_any_length(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(256);
    for (int width = 0; width < 2000; width += 51) {
        ctn_str text = ctn_arena_printf(arena, "<%*s>", width, "");
        assert_int_equal(text.len, width + 2);
        assert_int_equal(text.ptr[text.len - 1], '>');
        assert_int_equal(text.ptr[text.len], 0);
    }
    ctn_arena_free(arena);
}

/* ---- buf ---- */

static void an_append_past_the_limit_changes_nothing(void **state)
{
    (void) state;
    ctn_buf buf;
    ctn_buf_init(&buf, 10);
    ctn_buf_append_literal(&buf, "12345678");
    ctn_buf_append_literal(&buf, "9ab");
    assert_true(buf.overflowed);
    assert_true(ctn_str_is(ctn_buf_str(&buf), "12345678"));
    ctn_buf_append_literal(&buf, "9a");
    assert_true(buf.overflowed && buf.len == 10);
    ctn_buf_append_char(&buf, 'x');
    ctn_buf_append_int64(&buf, 1);
    ctn_buf_printf(&buf, "%s", "y");
    assert_null(ctn_buf_reserve(&buf, 1));
    assert_true(ctn_str_is(ctn_buf_str(&buf), "123456789a"));
    ctn_buf_clear(&buf);
    assert_true(!buf.overflowed && buf.len == 0);
    ctn_buf_append_char(&buf, 'x');
    assert_true(ctn_str_is(ctn_buf_str(&buf), "x"));
    ctn_buf_done(&buf);
    ctn_buf zero = {0};
    ctn_buf_append_char(&zero, 'x');
    assert_true(zero.overflowed && zero.len == 0);
    ctn_buf_done(&zero);
}

static void printf_of_exactly_the_limit_fits(void **state)
{
    (void) state;
    ctn_buf buf;
    ctn_buf_init(&buf, 1000);
    ctn_buf_printf(&buf, "%1000d", 7);
    assert_true(!buf.overflowed && buf.len == 1000 && buf.data[999] == '7');
    ctn_buf_clear(&buf);
    ctn_buf_printf(&buf, "%1001d", 7);
    assert_true(buf.overflowed && buf.len == 0);
    ctn_buf_done(&buf);
}

static void consume_moves_the_rest_to_the_front(void **state)
{
    (void) state;
    ctn_buf buf;
    ctn_buf_init(&buf, 100);
    ctn_buf_append_literal(&buf, "line\nrest");
    ctn_buf_consume(&buf, 5);
    assert_true(ctn_str_is(ctn_buf_str(&buf), "rest"));
    ctn_buf_consume(&buf, 4);
    assert_int_equal(buf.len, 0);
    ctn_buf_consume(&buf, 0);
    ctn_buf_done(&buf);
}

static void integers_are_written_whole(void **state)
{
    (void) state;
    ctn_buf buf;
    ctn_buf_init(&buf, 200);
    const int64_t values[] = {0, 7, -7, 1234567890, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 6; i++) {
        ctn_buf_append_int64(&buf, values[i]);
        ctn_buf_append_char(&buf, ' ');
    }
    assert_true(ctn_str_is(ctn_buf_str(&buf), "0 7 -7 1234567890 9223372036854775807 -9223372036854775808 "));
    ctn_buf_done(&buf);
}

/* ---- heap ---- */

static void check_heap(const ctn_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        assert_int_equal(heap->nodes[i]->slot, i + 1);
        if (i > 0)
            assert_true(heap->nodes[(i - 1) / 2]->due_ms <= heap->nodes[i]->due_ms);
    }
}

/* Random sets, moves and removals against a plain search for the earliest. */
static void the_earliest_is_first_whatever_happens(void **state)
{
    (void) state;
    enum { NODES = 200 };
    ctn_heap heap = {0};
    ctn_heap_node nodes[NODES] = {0};
    uint64_t seed = 7;
    ctn_rng rng = ctn_rng_seeded(&seed);
    assert_null(ctn_heap_first(&heap));
    for (int round = 0; round < 20000; round++) {
        ctn_heap_node *node = &nodes[ctn_rng_next(&rng) % NODES];
        if (ctn_rng_next(&rng) % 3 == 0)
            ctn_heap_remove(&heap, node);
        else
            ctn_heap_set(&heap, node, (int64_t) (ctn_rng_next(&rng) % 1000) - 500);
        const ctn_heap_node *earliest = NULL;
        size_t count = 0;
        for (size_t i = 0; i < NODES; i++) {
            count += nodes[i].slot != 0;
            if (nodes[i].slot && (!earliest || nodes[i].due_ms < earliest->due_ms))
                earliest = &nodes[i];
        }
        assert_int_equal(count, heap.count);
        if (earliest)
            assert_int_equal(ctn_heap_first(&heap)->due_ms, earliest->due_ms);
        if (round % 100 == 0)
            check_heap(&heap);
    }
    ctn_heap_done(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(large_requests_do_not_disturb_small_ones),
        cmocka_unit_test(calloc_clears_memory_that_was_used_before),
        cmocka_unit_test(restore_gives_back_what_came_after_save),
        cmocka_unit_test(printf_takes_texts_of_any_length),
        cmocka_unit_test(an_append_past_the_limit_changes_nothing),
        cmocka_unit_test(printf_of_exactly_the_limit_fits),
        cmocka_unit_test(consume_moves_the_rest_to_the_front),
        cmocka_unit_test(integers_are_written_whole),
        cmocka_unit_test(the_earliest_is_first_whatever_happens),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
