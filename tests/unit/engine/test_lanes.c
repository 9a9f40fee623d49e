/*
 * test_lanes.c -- whose turn it is in the queue.
 */
#include "engine/lanes.h"
#include "support/cmocka.h"

#include <stdio.h>

#define S(text) ctn_str_from(text)

/* The lane of a chain of nobody's. */
static ctn_lane *lane_of(ctn_lanes *lanes, const char *chain, int priority)
{
    return ctn_lanes_lane(lanes, ctn_lanes_tenant(lanes, S("")), S(chain), priority);
}

static ctn_execution_id id_at(int64_t at_ms)
{
    ctn_execution_id id = {{0}};
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t) (at_ms >> (40 - 8 * i));
    id.bytes[15] = 1;
    return id;
}

static void add_to(ctn_lanes *lanes, ctn_lane *lane, int64_t first, int64_t last)
{
    for (int64_t no = first; no <= last; no++)
        ctn_lane_add(lanes, lane, (ctn_lane_item){.exec_no = no});
}

static void add(ctn_lanes *lanes, const char *chain, int priority, int64_t first, int64_t last)
{
    add_to(lanes, lane_of(lanes, chain, priority), first, last);
}

/* One turn; 0: nobody's. */
static int64_t turn_at(ctn_lanes *lanes, int64_t now_ms, ctn_lane **ret_lane)
{
    ctn_lane *lane = ctn_lanes_next(lanes, now_ms);
    ctn_lane_item item;
    if (!lane)
        return 0;
    assert_true(ctn_lane_take(lanes, lane, &item));
    ctn_lane_had_turn(lanes, lane);
    if (ret_lane)
        *ret_lane = lane;
    return item.exec_no;
}

static int64_t turn(ctn_lanes *lanes, ctn_lane **ret_lane)
{
    return turn_at(lanes, 1, ret_lane);
}

static void nothing_waits_in_empty_lanes(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    assert_null(ctn_lanes_next(&lanes, 1));
    ctn_lane *lane = lane_of(&lanes, "a", 5);
    assert_null(ctn_lanes_next(&lanes, 1));
    assert_int_equal(lanes.waiting, 0);
    ctn_lane_expect(&lanes, lane, 0);
    assert_ptr_equal(ctn_lanes_next(&lanes, 1), lane);
    ctn_lane_refill(&lanes, lane, NULL, 0, false);
    assert_null(ctn_lanes_next(&lanes, 1));
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
    ctn_lane *lane = NULL;
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
    ctn_lane *lane = NULL;
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
    ctn_lane *lane = NULL;
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
    ctn_lane *lane = NULL;
    for (int i = 0; i < 7000; i++) {
        for (int p = 5; p <= 7; p++)
            if (lane_of(&lanes, "x", p)->count < 2) {
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
    ctn_lane_chain_rule(&lanes, chain, 2);
    ctn_lane_chain_runs(&lanes, chain, 2);
    assert_int_equal(turn(&lanes, NULL), 4);
    assert_int_equal(turn(&lanes, NULL), 0);
    assert_int_equal(lanes.waiting, 1);
    ctn_lane_chain_runs(&lanes, chain, -1);
    assert_int_equal(turn(&lanes, NULL), 1);
    ctn_lanes_done(&lanes);
}

static void a_lane_keeps_the_order_and_forgets_only_what_the_store_has(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    ctn_lane *lane = lane_of(&lanes, "x", 5);
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
    assert_ptr_equal(ctn_lanes_next(&lanes, 1), lane); /* and the store is to be asked for the rest */
    ctn_lanes_done(&lanes);
}

/* ---- tenants ---- */

#define TENANTS 3

typedef struct shop {
    ctn_lanes lanes;
    ctn_lane_tenant *tenants[TENANTS];
    int64_t no;
    int turns[TENANTS];
} shop;

static void shop_open(shop *s, const int64_t *weights)
{
    static const char *const names[TENANTS] = {"red", "green", "blue"};
    *s = (shop){0};
    for (int i = 0; i < TENANTS; i++) {
        s->tenants[i] = ctn_lanes_tenant(&s->lanes, S(names[i]));
        ctn_lane_tenant_rule(&s->lanes, s->tenants[i], weights[i], 0);
    }
}

static void shop_add(shop *s, int tenant, const char *chain, int priority, int count)
{
    ctn_lane *lane = ctn_lanes_lane(&s->lanes, s->tenants[tenant], S(chain), priority);
    for (int i = 0; i < count; i++)
        ctn_lane_add(&s->lanes, lane, (ctn_lane_item){.exec_no = ++s->no});
}

/* Whose turn it was; -1: nobody's. */
static int shop_turn(shop *s)
{
    ctn_lane *lane = NULL;
    if (!turn(&s->lanes, &lane))
        return -1;
    for (int i = 0; i < TENANTS; i++)
        if (lane->tenant == s->tenants[i]) {
            s->turns[i]++;
            return i;
        }
    fail();
    return -1;
}

/* Each keeps two queued in each of so many chains: whoever has more lanes has no more turns. */
static void shop_run(shop *s, int turns, const int *chains)
{
    char name[32];
    for (int i = 0; i < turns; i++) {
        for (int t = 0; t < TENANTS; t++)
            for (int c = 0; c < chains[t]; c++) {
                snprintf(name, sizeof name, "chain %d", c);
                if (ctn_lanes_lane(&s->lanes, s->tenants[t], S(name), 5)->count < 2)
                    shop_add(s, t, name, 5, 2);
            }
        assert_true(shop_turn(s) >= 0);
    }
}

static void tenants_share_by_weight_however_many_lanes_they_have(void **state)
{
    (void) state;
    shop s;
    shop_open(&s, (int64_t[]){3, 1, 1});
    shop_run(&s, 10000, (int[]){1, 7, 0});
    assert_in_range(s.turns[0], 7499, 7501);
    assert_in_range(s.turns[1], 2499, 2501);
    ctn_lanes_done(&s.lanes);
    shop_open(&s, (int64_t[]){5, 3, 2});
    shop_run(&s, 10000, (int[]){2, 1, 20});
    assert_in_range(s.turns[0], 4998, 5002);
    assert_in_range(s.turns[1], 2998, 3002);
    assert_in_range(s.turns[2], 1998, 2002);
    ctn_lanes_done(&s.lanes);
}

/* Turns are spread, not given in a row: at any moment nobody is more than one turn off his share. */
static void a_share_is_kept_at_every_moment(void **state)
{
    (void) state;
    shop s;
    shop_open(&s, (int64_t[]){3, 1, 1});
    for (int i = 1; i <= 400; i++) {
        shop_run(&s, 1, (int[]){1, 1, 0});
        assert_true(4 * s.turns[0] >= 3 * i - 4 && 4 * s.turns[0] <= 3 * i + 4);
    }
    ctn_lanes_done(&s.lanes);
}

static void a_tenant_that_comes_to_a_crowd_is_next(void **state)
{
    (void) state;
    shop s;
    shop_open(&s, (int64_t[]){1, 1, 1});
    shop_add(&s, 0, "crowd", 9, 60);
    for (int i = 0; i < 20; i++)
        assert_int_equal(shop_turn(&s), 0);
    shop_add(&s, 1, "one", 0, 1); /* its priority is its own affair */
    int waited = 0;
    while (shop_turn(&s) != 1)
        waited++;
    assert_in_range(waited, 0, 1);
    shop_add(&s, 1, "one", 0, 10); /* and its idle time is no credit */
    for (int i = 0; i < 10; i++)
        shop_turn(&s);
    assert_in_range(s.turns[1], 5, 7);
    ctn_lanes_done(&s.lanes);
}

static void a_tenant_that_is_full_or_shut_is_passed_by(void **state)
{
    (void) state;
    shop s;
    shop_open(&s, (int64_t[]){1, 1, 1});
    shop_add(&s, 0, "a", 9, 10);
    shop_add(&s, 1, "a", 0, 10);
    ctn_lane_tenant_rule(&s.lanes, s.tenants[0], 1, 2);
    ctn_lane_tenant_runs(&s.lanes, s.tenants[0], 1);
    ctn_lane_tenant_runs(&s.lanes, s.tenants[0], 1);
    assert_int_equal(shop_turn(&s), 1);
    assert_int_equal(shop_turn(&s), 1);
    ctn_lane_tenant_shut(&s.lanes, s.tenants[1], true);
    assert_int_equal(shop_turn(&s), -1);
    ctn_lane_tenant_runs(&s.lanes, s.tenants[0], -1);
    assert_int_equal(shop_turn(&s), 0);
    ctn_lane_tenant_shut(&s.lanes, s.tenants[1], false);
    int first = shop_turn(&s), second = shop_turn(&s);
    assert_int_equal(first + second, 1); /* one each */
    ctn_lanes_done(&s.lanes);
}

/* The chain that all want has one place: it goes round by weight too. */
static void the_places_of_a_full_chain_are_shared_by_weight(void **state)
{
    (void) state;
    shop s;
    shop_open(&s, (int64_t[]){3, 1, 1});
    ctn_lane_chain *chain = ctn_lanes_chain(&s.lanes, S("narrow"));
    ctn_lane_chain_rule(&s.lanes, chain, 1);
    for (int i = 0; i < 1000; i++) {
        for (int t = 0; t < TENANTS; t++)
            if (ctn_lanes_lane(&s.lanes, s.tenants[t], S("narrow"), 5)->count < 2)
                shop_add(&s, t, "narrow", 5, 2);
        assert_true(shop_turn(&s) >= 0);
        ctn_lane_chain_runs(&s.lanes, chain, 1);
        assert_null(ctn_lanes_next(&s.lanes, 1));
        ctn_lane_chain_runs(&s.lanes, chain, -1);
    }
    assert_in_range(s.turns[0], 599, 601);
    assert_in_range(s.turns[1], 199, 201);
    assert_in_range(s.turns[2], 199, 201);
    ctn_lanes_done(&s.lanes);
}

/* ---- ageing ---- */

/* A flood of 9 that never ends: one of priority 0 has one turn of 513 at first, and after five minutes one of 17. */
static void waiting_raises_the_lowest_up_to_the_middle(void **state)
{
    (void) state;
    static const int one_of[] = {513, 257, 129, 65, 33, 17, 17, 17};
    for (int minutes = 0; minutes < 8; minutes++) {
        ctn_lanes lanes = {0};
        int64_t now_ms = 1 + minutes * CTN_LANE_AGE_MS, no = 1000000;
        ctn_lane *low = lane_of(&lanes, "x", 0), *high = lane_of(&lanes, "x", 9), *lane = NULL;
        for (int i = 1; i <= 60; i++)
            ctn_lane_add(&lanes, low, (ctn_lane_item){.exec_no = i, .id = id_at(1)});
        int low_turns = 0;
        for (int i = 0; i < 40 * one_of[minutes]; i++) {
            if (high->count < 2)
                ctn_lane_add(&lanes, high, (ctn_lane_item){.exec_no = ++no, .id = id_at(now_ms)});
            assert_true(turn_at(&lanes, now_ms, &lane) > 0);
            low_turns += lane == low;
        }
        assert_in_range(low_turns, 39, 41);
        ctn_lanes_done(&lanes);
    }
}

/* It rises while it waits, without a turn of its own in between. */
static void a_lane_rises_while_nothing_of_it_moves(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    ctn_lane *low = lane_of(&lanes, "low", 0), *lane = NULL;
    ctn_lane_expect(&lanes, low, 1000); /* only the store knows what is in it */
    add(&lanes, "normal", 5, 1, 60);
    int64_t now_ms = 1000;
    for (int i = 0; i < 10; i++, now_ms += 1000) {
        turn_at(&lanes, now_ms, &lane);
        assert_string_equal(lane->chain->chain_id, "normal");
    }
    now_ms += 5 * CTN_LANE_AGE_MS;
    int normal = 0;
    while (ctn_lanes_next(&lanes, now_ms) != low) {
        assert_true(turn_at(&lanes, now_ms, NULL) > 0);
        normal++;
    }
    assert_in_range(normal, 0, 1);
    ctn_lanes_done(&lanes);
}

/* A crowd of ordinary ones that is hours old has no more than its share beside a fresh one. */
static void an_old_crowd_does_not_stand_before_a_fresh_one(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    int64_t now_ms = 10 * 3600000;
    ctn_lane *old = lane_of(&lanes, "old", 5), *fresh = lane_of(&lanes, "fresh", 5), *lane = NULL;
    for (int i = 1; i <= 60; i++) {
        ctn_lane_add(&lanes, old, (ctn_lane_item){.exec_no = i, .id = id_at(1)});
        ctn_lane_add(&lanes, fresh, (ctn_lane_item){.exec_no = 1000 + i, .id = id_at(now_ms)});
    }
    int turns = 0;
    for (int i = 0; i < 100; i++) {
        turn_at(&lanes, now_ms, &lane);
        turns += lane == fresh;
    }
    assert_int_equal(turns, 50);
    ctn_lanes_done(&lanes);
}

/* ---- many ---- */

static int count_lane(void *ctx, ctn_lane *lane)
{
    (void) lane;
    ++*(int *) ctx;
    return 0;
}

static void empty_lanes_go_and_full_ones_stay(void **state)
{
    (void) state;
    ctn_lanes lanes = {0};
    char name[32];
    int count = 0;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 500; i++) {
            snprintf(name, sizeof name, "%d-%d", round, i);
            add(&lanes, name, 5, 1, 1 + (i == 0));
        }
        while (lanes.waiting > 1 + (size_t) round)
            assert_true(turn(&lanes, NULL) > 0);
        ctn_lanes_tidy(&lanes);
    }
    ctn_lanes_each(&lanes, count_lane, &count);
    assert_in_range(count, lanes.waiting, 2000);
    while (turn(&lanes, NULL))
        continue;
    assert_int_equal(lanes.waiting, 0);
    ctn_lanes_done(&lanes);
}

/* Whatever comes and goes: nobody is taken twice or lost, each lane is in order, and of two tenants that both always
 * had something to start, each had its share of the turns in between. */
static void random_worlds_keep_the_shares(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t chance = seed;
        ctn_rng rng = ctn_rng_seeded(&chance);
        int64_t weights[TENANTS], added = 0, taken = 0, last[TENANTS][4][3] = {{{0}}};
        int both = 0, turns[2] = {0};
        for (int t = 0; t < TENANTS; t++)
            weights[t] = 1 + (int64_t) (ctn_rng_next(&rng) % 5);
        shop s;
        shop_open(&s, weights);
        ctn_lane_chain *narrow = ctn_lanes_chain(&s.lanes, S("chain 0"));
        ctn_lane_chain_rule(&s.lanes, narrow, 2);
        for (int i = 0; i < 6000; i++) {
            char name[32];
            int t = (int) (ctn_rng_next(&rng) % TENANTS), c = (int) (ctn_rng_next(&rng) % 4);
            int p = (int) (ctn_rng_next(&rng) % 3);
            snprintf(name, sizeof name, "chain %d", c);
            if (ctn_lanes_lane(&s.lanes, s.tenants[t], S(name), 4 * p)->count < CTN_LANE_HOLDS) {
                shop_add(&s, t, name, 4 * p, 1);
                added++;
            }
            for (t = 0; t < 2; t++) /* these always have something in a chain of their own */
                if (ctn_lanes_lane(&s.lanes, s.tenants[t], S("own"), 5)->count < 2) {
                    shop_add(&s, t, "own", 5, 1);
                    added++;
                }
            if (ctn_rng_next(&rng) % 7 == 0 && narrow->running < 2)
                ctn_lane_chain_runs(&s.lanes, narrow, 1);
            else if (ctn_rng_next(&rng) % 3 == 0 && narrow->running > 0)
                ctn_lane_chain_runs(&s.lanes, narrow, -1);
            if (ctn_rng_next(&rng) % 50 == 0)
                ctn_lane_tenant_shut(&s.lanes, s.tenants[2], !s.tenants[2]->is_shut);
            ctn_lane *lane = NULL;
            int64_t no = turn_at(&s.lanes, i, &lane);
            assert_true(no > 0 && !ctn_lane_chain_is_full(lane->chain) && !lane->tenant->is_shut);
            taken++;
            if (!ctn_str_is(S(lane->chain->chain_id), "own")) {
                t = lane->tenant == s.tenants[0] ? 0 : lane->tenant == s.tenants[1] ? 1 : 2;
                int64_t *before = &last[t][lane->chain->chain_id[6] - '0'][lane->priority / 4];
                assert_true(no > *before);
                *before = no;
            }
            for (t = 0; t < 2; t++)
                turns[t] += lane->tenant == s.tenants[t];
            both += lane->tenant != s.tenants[2];
        }
        int64_t due = both * weights[0] / (weights[0] + weights[1]);
        assert_in_range(turns[0], due - 6, due + 6);
        ctn_lane_tenant_shut(&s.lanes, s.tenants[2], false);
        ctn_lane_chain_rule(&s.lanes, narrow, 0);
        while (turn_at(&s.lanes, 7000, NULL))
            taken++;
        assert_int_equal(taken, added);
        ctn_lanes_done(&s.lanes);
    }
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
        cmocka_unit_test(tenants_share_by_weight_however_many_lanes_they_have),
        cmocka_unit_test(a_share_is_kept_at_every_moment),
        cmocka_unit_test(a_tenant_that_comes_to_a_crowd_is_next),
        cmocka_unit_test(a_tenant_that_is_full_or_shut_is_passed_by),
        cmocka_unit_test(the_places_of_a_full_chain_are_shared_by_weight),
        cmocka_unit_test(waiting_raises_the_lowest_up_to_the_middle),
        cmocka_unit_test(a_lane_rises_while_nothing_of_it_moves),
        cmocka_unit_test(an_old_crowd_does_not_stand_before_a_fresh_one),
        cmocka_unit_test(empty_lanes_go_and_full_ones_stay),
        cmocka_unit_test(random_worlds_keep_the_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
