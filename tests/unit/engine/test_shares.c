/*
 * test_shares.c -- what is limited over a fleet: two nodes on one store, each with its part (engine/shares.h).
 */
#include "engine/shares.h"
#include "engine/state.h"
#include "store/memory/memory.h"
#include "support/cmocka.h"

typedef struct node {
    ctn_engine engine;
    ctn_leases leases;
    ctn_store *st;
    int64_t incarnation;
    ctn_share share;
    ctn_limit limit;
    int64_t at_ms; /* when it wants to settle again */
    uint8_t next;
} node;

static int64_t number_of(void *ctx)
{
    return ((node *) ctx)->incarnation;
}

static void node_open(node *n, const char *name, ctn_limit_rules rules)
{
    *n = (node){.limit = {.rules = rules}};
    n->limit.rules.is_shared = true;
    assert_int_equal(ctn_store_open("memory:shares?shards=16", CTN_STORE_CREATE, &n->st, NULL), CTN_OK);
    ctn_node_row row = {.name = ctn_str_from(name)};
    assert_int_equal(ctn_store_node_join(n->st, &row, 3500, &n->incarnation, NULL), CTN_OK);
    n->leases = (ctn_leases){.ctx = n, .node = number_of};
    n->engine.options.store = n->st;
    n->engine.options.leases = &n->leases;
    n->engine.scratch = ctn_arena_new(1024);
    n->engine.now_ms = 1000000;
}

static void node_close(node *n)
{
    ctn_limit_done(&n->limit);
    ctn_arena_free(n->engine.scratch);
    ctn_store_close(n->st);
}

static bool settle(node *n)
{
    return ctn_eng_share_settle(&n->engine, &n->share, &n->limit, CTN_STR("set"), &n->at_ms);
}

/* Another call wants to begin; may it? */
static bool begin(node *n)
{
    int64_t until_ms;
    ctn_execution_id id = {{n->next + 1}};
    if (!ctn_limit_ask(&n->limit, id, n->engine.now_ms, &until_ms))
        return false;
    n->next++;
    ctn_limit_take(&n->limit, id, n->engine.now_ms);
    return true;
}

static void pass(node *a, node *b, int64_t ms)
{
    a->engine.now_ms += ms;
    b->engine.now_ms += ms;
}

static void never_more_run_than_there_are_places(void **state)
{
    (void) state;
    node a, b;
    node_open(&a, "a", (ctn_limit_rules){.max_concurrent = 2});
    node_open(&b, "b", (ctn_limit_rules){.max_concurrent = 2});
    assert_false(begin(&a)); /* nothing was given yet */
    assert_true(settle(&a) && begin(&a));
    assert_false(begin(&a));
    assert_true(settle(&a) && begin(&a));
    assert_false(begin(&b));
    assert_false(settle(&b) || begin(&b));
    assert_true(b.at_ms > b.engine.now_ms && b.at_ms <= b.engine.now_ms + 100); /* it asks again */
    ctn_limit_give_back(&a.limit);
    (void) settle(&a);
    pass(&a, &b, 100);
    assert_false(settle(&b)); /* kept for a's next call */
    pass(&a, &b, 1000);
    (void) settle(&a);
    pass(&a, &b, 100);
    assert_true(settle(&b) && begin(&b));
    assert_int_equal(a.share.held + b.share.held, 2);
    node_close(&a);
    node_close(&b);
}

static void who_has_much_to_do_lets_others_have_a_turn(void **state)
{
    (void) state;
    node a, b;
    node_open(&a, "a", (ctn_limit_rules){.max_concurrent = 1});
    node_open(&b, "b", (ctn_limit_rules){.max_concurrent = 1});
    int began[2] = {0};
    bool a_runs = false, b_runs = false;
    for (int turn = 0; turn < 2000; turn++) { /* 20 s, each call takes 10 ms and the next one waits already */
        if (a_runs)
            ctn_limit_give_back(&a.limit);
        if (b_runs)
            ctn_limit_give_back(&b.limit);
        (void) settle(&a);
        began[0] += a_runs = begin(&a);
        (void) begin(&a);
        (void) settle(&b);
        began[1] += b_runs = begin(&b);
        (void) begin(&b);
        assert_false(a_runs && b_runs);
        pass(&a, &b, 10);
    }
    assert_true(began[0] > 400 && began[1] > 400 && began[0] + began[1] > 1600);
    node_close(&a);
    node_close(&b);
}

static int64_t clock_of(void *ctx)
{
    return *(int64_t *) ctx;
}

static void tokens_are_of_one_bucket(void **state)
{
    (void) state;
    node a, b;
    node_open(&a, "a", (ctn_limit_rules){.per_second = 10, .burst = 3});
    node_open(&b, "b", (ctn_limit_rules){.per_second = 10, .burst = 3});
    int64_t now_ms = 5000000;
    ctn_clock clock = {.ctx = &now_ms, .now_ms = clock_of};
    ctn_memory_clock(a.st, &clock);
    int began = 0;
    for (int turn = 0; turn < 300; turn++, now_ms += 10) { /* 3 s */
        (void) settle(&a);
        began += begin(&a);
        (void) settle(&b);
        began += begin(&b);
        pass(&a, &b, 10);
    }
    assert_in_range(began, 28, 33); /* the burst and ten a second */
    node_close(&a);
    node_close(&b);
}

static void another_life_has_nothing_of_the_last_ones_places(void **state)
{
    (void) state;
    node a, b;
    node_open(&a, "a", (ctn_limit_rules){.max_concurrent = 1});
    node_open(&b, "b", (ctn_limit_rules){.max_concurrent = 1});
    assert_false(begin(&a));
    assert_true(settle(&a) && begin(&a));
    ctn_limit_give_back(&a.limit);
    a.incarnation = 0; /* taken for dead: it is joining */
    (void) settle(&a);
    assert_false(begin(&a));
    assert_false(settle(&a));
    assert_true(a.at_ms > a.engine.now_ms);
    node_close(&a);
    node_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_run_than_there_are_places),
        cmocka_unit_test(who_has_much_to_do_lets_others_have_a_turn),
        cmocka_unit_test(tokens_are_of_one_bucket),
        cmocka_unit_test(another_life_has_nothing_of_the_last_ones_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
