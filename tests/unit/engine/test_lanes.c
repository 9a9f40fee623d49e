/*
 * test_lanes.c -- whose turn it is in the queue.
 */
#include "engine/lanes.h"
#include "support/cmocka.h"

#include <stdio.h>

#define S(text) ctn_str_from(text)

static void add(ctn_lanes *lanes, const char *chain, int priority, int64_t first, int64_t last)
{
    ctn_lane *lane = ctn_lanes_lane(lanes, S(chain), priority);
    for (int64_t no = first; no <= last; no++)
        ctn_lane_add(lanes, lane, (ctn_lane_item){.exec_no = no});
}

/* One turn; 0: nobody's. */
static int64_t turn(ctn_lanes *lanes, const ctn_lane **ret_lane)
{
    ctn_lane *lane = ctn_lanes_next(lanes);
    ctn_lane_item item;
    if (!lane)
        return 0;
    assert_true(ctn_lane_take(lanes, lane, &item));
    ctn_lane_had_turn(lanes, lane);
    if (ret_lane)
        *ret_lane = lane;
    return item.exec_no;
}

static void nothing_waits_in_empty_lanes(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    assert_null(ctn_lanes_next(&lanes));
    ctn_lane *lane = ctn_lanes_lane(&lanes, S("a"), 5);
    assert_null(ctn_lanes_next(&lanes));
    assert_int_equal(lanes.waiting, 0);
    ctn_lane_expect(&lanes, lane);
    assert_ptr_equal(ctn_lanes_next(&lanes), lane);
    ctn_lane_refill(&lanes, lane, NULL, 0, false);
    assert_null(ctn_lanes_next(&lanes));
    assert_int_equal(lanes.waiting, 0);
    ctn_lanes_done(&lanes);
}

static void a_higher_priority_goes_first_even_when_it_came_later(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    add(&lanes, "low", 0, 1, 3);
    add(&lanes, "normal", 5, 4, 6);
    add(&lanes, "high", 9, 7, 20);
    for (int64_t no = 7; no <= 20; no++)
        assert_int_equal(turn(&lanes, NULL), no);
    assert_int_equal(turn(&lanes, NULL), 4);
    ctn_lanes_done(&lanes);
}

/* The highest never runs dry, and the lowest still gets its turns. */
static void the_lowest_is_never_starved(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    add(&lanes, "low", 0, 1, 4);
    int64_t next = 10, waited = 0, low_turns = 0;
    const ctn_lane *lane = NULL;
    for (int i = 0; i < 2100; i++) {
        add(&lanes, "high", 9, next, next);
        next++;
        assert_true(turn(&lanes, &lane) > 0);
        waited = lane->priority == 0 ? 0 : waited + 1;
        low_turns += lane->priority == 0;
        assert_true(waited <= 513);
    }
    assert_int_equal(low_turns, 4);
    ctn_lanes_done(&lanes);
}

static void equal_lanes_take_turns_however_long_one_is(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    add(&lanes, "crowd", 5, 1, 60);
    const ctn_lane *lane = NULL;
    for (int i = 0; i < 20; i++)
        turn(&lanes, NULL);
    add(&lanes, "single", 5, 100, 104); /* comes late to a long queue */
    int single = 0;
    for (int i = 0; i < 10; i++) {
        turn(&lanes, &lane);
        single += ctn_str_is(S(lane->chain->chain_id), "single");
    }
    assert_in_range(single, 4, 5);
    ctn_lanes_done(&lanes);
}

static void a_lane_that_idled_saves_nothing_up(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    add(&lanes, "idle", 5, 1, 1);
    assert_int_equal(turn(&lanes, NULL), 1);
    add(&lanes, "busy", 5, 2, 60);
    for (int i = 0; i < 40; i++)
        turn(&lanes, NULL);
    add(&lanes, "idle", 5, 100, 120);
    int idle = 0;
    const ctn_lane *lane = NULL;
    for (int i = 0; i < 10; i++) {
        turn(&lanes, &lane);
        idle += ctn_str_is(S(lane->chain->chain_id), "idle");
    }
    assert_in_range(idle, 5, 6);
    ctn_lanes_done(&lanes);
}

static void weights_hold_over_a_long_run(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    int64_t no = 0;
    int turns[10] = {0};
    const ctn_lane *lane = NULL;
    for (int i = 0; i < 7000; i++) {
        for (int p = 5; p <= 7; p++)
            if (ctn_lanes_lane(&lanes, S("x"), p)->count < 2) {
                no++;
                add(&lanes, "x", p, no, no);
            }
        turn(&lanes, &lane);
        turns[lane->priority]++;
    }
    assert_in_range(turns[5], 990, 1010);
    assert_in_range(turns[6], 1990, 2010);
    assert_in_range(turns[7], 3990, 4010);
    ctn_lanes_done(&lanes);
}

static void a_full_chain_is_passed_by(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    add(&lanes, "full", 9, 1, 3);
    add(&lanes, "free", 0, 4, 4);
    ctn_lane_chain *chain = ctn_lanes_chain(&lanes, S("full"));
    chain->limit = 2;
    chain->running = 2;
    assert_int_equal(turn(&lanes, NULL), 4);
    assert_int_equal(turn(&lanes, NULL), 0);
    assert_int_equal(lanes.waiting, 1);
    chain->running = 1;
    assert_int_equal(turn(&lanes, NULL), 1);
    ctn_lanes_done(&lanes);
}

static void a_lane_keeps_the_order_and_forgets_only_what_the_store_has(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    ctn_lane *lane = ctn_lanes_lane(&lanes, S("x"), 5);
    for (int64_t no = 2 * CTN_LANE_HOLDS; no > 0; no -= 2) /* even ones, backwards */
        ctn_lane_add(&lanes, lane, (ctn_lane_item){.exec_no = no});
    assert_false(lane->has_more);
    ctn_lane_add(&lanes, lane, (ctn_lane_item){.exec_no = 4}); /* twice */
    assert_int_equal(lane->count, CTN_LANE_HOLDS);
    assert_false(lane->has_more);
    ctn_lane_add(&lanes, lane, (ctn_lane_item){.exec_no = 3}); /* no room: the last one goes */
    assert_true(lane->has_more);
    ctn_lane_add(&lanes, lane, (ctn_lane_item){.exec_no = 1000}); /* behind what only the store knows */
    assert_int_equal(turn(&lanes, NULL), 2);
    assert_int_equal(turn(&lanes, NULL), 3);
    for (int64_t no = 4; no < 2 * CTN_LANE_HOLDS; no += 2)
        assert_int_equal(turn(&lanes, NULL), no);
    assert_int_equal(lane->count, 0);
    assert_ptr_equal(ctn_lanes_next(&lanes), lane); /* and the store is to be asked for the rest */
    ctn_lanes_done(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_in_empty_lanes),
        cmocka_unit_test(a_higher_priority_goes_first_even_when_it_came_later),
        cmocka_unit_test(the_lowest_is_never_starved),
        cmocka_unit_test(equal_lanes_take_turns_however_long_one_is),
        cmocka_unit_test(a_lane_that_idled_saves_nothing_up),
        cmocka_unit_test(weights_hold_over_a_long_run),
        cmocka_unit_test(a_full_chain_is_passed_by),
        cmocka_unit_test(a_lane_keeps_the_order_and_forgets_only_what_the_store_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
