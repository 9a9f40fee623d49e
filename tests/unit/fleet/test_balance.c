/*
 * test_balance.c -- shares of a fleet: fair, all of it, and moved no more than needed.
 */
#include "fleet/balance.h"
#include "support/cmocka.h"

#define TERM_MS   3500
#define BEAT_MS   1250
#define SETTLE_MS 1000
#define NODES_MAX 16

/* A fleet as its store would tell it, in which every node beats, decides, and does at once what it decided. */
typedef struct fleet {
    ctn_node_row nodes[NODES_MAX];
    ctn_shard_set has[NODES_MAX], free;
    uint32_t held[NODES_MAX]; /* so many */
    size_t count;
    uint32_t shard_count, free_count;
    ctn_need needs[4];
    size_t need_count;
    int64_t now_ms;
    uint32_t moved; /* shards that a living node gave back */
} fleet;

static size_t join(fleet *f)
{
    size_t i = f->count++;
    f->nodes[i] = (ctn_node_row){.incarnation = (int64_t) i + 1, .is_live = true, .expires_at_ms = f->now_ms + TERM_MS};
    return i;
}

static ctn_balance decide(fleet *f, size_t i)
{
    ctn_beat beat = {.now_ms = f->now_ms,
                     .nodes = f->nodes,
                     .node_count = f->count,
                     .free = f->free,
                     .free_count = f->free_count,
                     .needs = f->needs,
                     .need_count = f->need_count};
    ctn_balance_view v = {.beat = &beat,
                          .incarnation = f->nodes[i].incarnation,
                          .shard_count = f->shard_count,
                          .held = f->has[i],
                          .is_leaving = f->nodes[i].is_leaving,
                          .beat_ms = BEAT_MS,
                          .settle_ms = SETTLE_MS};
    return ctn_balance_decide(&v);
}

static void count_all(fleet *f)
{
    f->free_count = ctn_shard_set_count(&f->free);
    for (size_t i = 0; i < f->count; i++)
        f->held[i] = ctn_shard_set_count(&f->has[i]);
}

static void move(fleet *f, ctn_shard_set *from, ctn_shard_set *to, const ctn_shard_set *among, uint32_t count)
{
    for (uint32_t i = 0; i < f->shard_count && count; i++)
        if (ctn_shard_set_has(from, i) && ctn_shard_set_has(among, i)) {
            ctn_shard_set_remove(from, i);
            ctn_shard_set_add(to, i);
            count--;
        }
    assert_int_equal(count, 0);
    count_all(f);
}

static void bury(fleet *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->nodes[i].is_live && f->nodes[i].expires_at_ms + SETTLE_MS <= f->now_ms) {
            f->nodes[i].is_live = false;
            ctn_shard_set_put(&f->free, &f->has[i]);
            f->has[i] = (ctn_shard_set){{0}};
            count_all(f);
        }
}

/* Each node that is not dead (a bit of `dead`) beats once. */
static void round_of(fleet *f, uint32_t dead)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!f->nodes[i].is_live || (dead >> i & 1))
            continue;
        f->nodes[i].expires_at_ms = f->now_ms + TERM_MS;
        ctn_balance b = decide(f, i);
        if (b.buries)
            bury(f);
        b = decide(f, i);
        move(f, &f->free, &f->has[i], &b.from, b.take);
        move(f, &f->has[i], &f->free, &b.of, b.give);
        f->moved += b.give;
    }
    f->now_ms += BEAT_MS;
}

static fleet settled(size_t nodes, uint32_t shards)
{
    fleet f = {.shard_count = shards, .free_count = shards, .now_ms = 1000000};
    for (uint32_t i = 0; i < shards; i++)
        ctn_shard_set_add(&f.free, i);
    for (size_t i = 0; i < nodes; i++)
        join(&f);
    for (int r = 0; r < 4; r++)
        round_of(&f, 0);
    f.moved = 0;
    return f;
}

static void shares_are_fair_and_nothing_stays_free(void **state)
{
    (void) state;
    static const uint32_t SHARDS[] = {1, 4, 16, 1000, 1024};
    for (size_t s = 0; s < sizeof SHARDS / sizeof *SHARDS; s++)
        for (size_t n = 1; n <= NODES_MAX; n++) {
            fleet f = settled(n, SHARDS[s]);
            assert_int_equal(f.free_count, 0);
            for (size_t i = 0; i < n; i++)
                assert_true(f.held[i] <= (SHARDS[s] + n - 1) / n);
        }
}

static void nothing_moves_while_nobody_comes_or_goes(void **state)
{
    (void) state;
    fleet f = settled(5, 1024);
    for (int r = 0; r < 10; r++)
        round_of(&f, 0);
    assert_int_equal(f.moved, 0);
}

static void who_joins_gets_its_share_and_no_more_moves_than_that(void **state)
{
    (void) state;
    fleet f = settled(3, 1024);
    size_t joined = join(&f);
    for (int r = 0; r < 4; r++)
        round_of(&f, 0);
    assert_int_equal(f.held[joined], 256);
    assert_int_equal(f.moved, 256);
    assert_int_equal(f.free_count, 0);
}

static void who_dies_is_buried_after_its_term_and_settle_time_and_its_shards_alone_move(void **state)
{
    (void) state;
    fleet f = settled(4, 1024);
    int64_t dies_at_ms = f.nodes[0].expires_at_ms - TERM_MS; /* right after its last beat */
    while (f.nodes[0].is_live) {
        assert_int_equal(f.held[0], 256);
        round_of(&f, 1);
    }
    assert_true(f.now_ms - BEAT_MS - dies_at_ms >= TERM_MS + SETTLE_MS);
    round_of(&f, 1);
    assert_int_equal(f.free_count, 0);
    assert_int_equal(f.moved, 0);
}

/* What it has sent in its last moment may still arrive. */
static void a_lease_that_ran_out_is_not_buried_within_the_settle_time(void **state)
{
    (void) state;
    fleet f = settled(2, 16);
    f.now_ms = f.nodes[0].expires_at_ms + SETTLE_MS - 1;
    f.nodes[1].expires_at_ms = f.now_ms + TERM_MS;
    ctn_balance b = decide(&f, 1);
    assert_true(!b.buries);
    assert_int_equal(b.look_in_ms, 1); /* and looks at the very moment */
    f.now_ms++;
    assert_true(decide(&f, 1).buries);
}

/* It would be dead by its own beat, which it is sending. */
static void nobody_buries_itself(void **state)
{
    (void) state;
    fleet f = settled(2, 16);
    f.nodes[1].expires_at_ms = f.now_ms + TERM_MS;
    f.nodes[0].expires_at_ms = f.now_ms - 10 * TERM_MS;
    assert_true(!decide(&f, 0).buries);
}

static void who_leaves_gives_everything_and_takes_nothing(void **state)
{
    (void) state;
    fleet f = settled(2, 16);
    f.nodes[0].is_leaving = true;
    assert_int_equal(decide(&f, 0).give, 8);
    for (int r = 0; r < 4; r++)
        round_of(&f, 0);
    assert_int_equal(f.held[0], 0);
    assert_int_equal(f.held[1], 16);
}

static void while_shares_are_to_move_the_next_look_is_soon(void **state)
{
    (void) state;
    fleet f = settled(2, 16);
    assert_int_equal(decide(&f, 0).look_in_ms, BEAT_MS);
    size_t joined = join(&f);
    assert_true(decide(&f, 0).look_in_ms < BEAT_MS);
    assert_true(decide(&f, joined).look_in_ms < BEAT_MS);
}

/* 1,024 shards are no ten equal shares: one node has less, and nobody will give it more. */
static void who_has_the_rest_does_not_wait_for_more(void **state)
{
    (void) state;
    fleet f = settled(10, 1024);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(decide(&f, i).look_in_ms, BEAT_MS);
}

static void a_take_whose_answer_was_lost_is_found(void **state)
{
    (void) state;
    fleet f = settled(2, 16);
    f.nodes[0].shard_count = f.held[0];
    assert_false(decide(&f, 0).recovers);
    f.nodes[0].shard_count++; /* as the store counts them */
    assert_true(decide(&f, 0).recovers);
    assert_false(decide(&f, 1).recovers);
    f.nodes[0].shard_count = f.held[0] - 1; /* a give-back whose answer was lost: it is given back again */
    assert_false(decide(&f, 0).recovers);
}

/* ---- what is set aside ---- */

static void require(fleet *f, const char *requires)
{
    f->needs[f->need_count] = (ctn_need){.requires = ctn_str_from(requires),
                                         .shards = ctn_shards_of_need((uint32_t) f->need_count, f->shard_count)};
    f->need_count++;
}

static void label(fleet *f, size_t node, const char *labels)
{
    f->nodes[node].labels = ctn_str_from(labels);
}

static void rounds(fleet *f, int count)
{
    for (int r = 0; r < count; r++)
        round_of(f, 0);
}

static uint32_t has_of(const fleet *f, size_t node, size_t need)
{
    return ctn_shard_set_count_in(&f->has[node], &f->needs[need].shards);
}

static void what_is_required_is_held_by_those_who_meet_it_in_fair_shares(void **state)
{
    (void) state;
    static const uint32_t SHARDS[] = {4, 16, 1000, 1024};
    for (size_t s = 0; s < sizeof SHARDS / sizeof *SHARDS; s++) {
        fleet f = settled(5, SHARDS[s]);
        for (size_t i = 0; i < 5; i++)
            label(&f, i, i < 2 ? "{\"gpu\":true}" : i == 2 ? "{\"gpu\":true,\"zone\":\"north\"}" : "{}");
        require(&f, "{\"gpu\":true}");
        require(&f, "{\"gpu\":true,\"zone\":\"north\"}");
        rounds(&f, 8);
        assert_int_equal(f.free_count, 0);
        uint32_t set_aside = ctn_shard_set_count(&f.needs[0].shards);
        for (size_t i = 0; i < 5; i++) {
            assert_true(has_of(&f, i, 0) <= (i < 3 ? (set_aside + 2) / 3 : 0));
            assert_int_equal(has_of(&f, i, 1), i == 2 ? set_aside : 0);
        }
        f.moved = 0;
        rounds(&f, 8);
        assert_int_equal(f.moved, 0);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(decide(&f, i).look_in_ms, BEAT_MS);
    }
}

static void what_nobody_meets_is_held_by_all_until_somebody_comes_and_again_when_he_leaves(void **state)
{
    (void) state;
    fleet f = settled(3, 1024);
    require(&f, "{\"gpu\":true}");
    rounds(&f, 8);
    assert_int_equal(f.free_count, 0);
    assert_true(has_of(&f, 0, 0) && has_of(&f, 1, 0) && has_of(&f, 2, 0));
    size_t gpu = join(&f);
    label(&f, gpu, "{\"gpu\":true}");
    rounds(&f, 8);
    assert_int_equal(has_of(&f, gpu, 0), 16);
    assert_int_equal(f.held[gpu], 16 + 1008 / 4);
    f.nodes[gpu].is_leaving = true;
    rounds(&f, 8);
    assert_int_equal(f.held[gpu], 0);
    assert_int_equal(f.free_count, 0);
    assert_true(has_of(&f, 0, 0) && has_of(&f, 1, 0) && has_of(&f, 2, 0));
}

static void what_a_dead_one_had_goes_to_who_meets_it(void **state)
{
    (void) state;
    fleet f = settled(3, 1024);
    label(&f, 0, "{\"gpu\":true}");
    label(&f, 1, "{\"gpu\":true}");
    require(&f, "{\"gpu\":true}");
    rounds(&f, 8);
    assert_int_equal(has_of(&f, 0, 0), 8);
    for (int r = 0; r < 8; r++)
        round_of(&f, 1);
    assert_false(f.nodes[0].is_live);
    assert_int_equal(has_of(&f, 1, 0), 16);
    assert_int_equal(has_of(&f, 2, 0), 0);
    assert_int_equal(f.free_count, 0);
}

/* Several parts are free: after the first is taken, the next is looked at without a wait. */
static void who_takes_of_several_parts_looks_again_at_once(void **state)
{
    (void) state;
    fleet f = settled(0, 1024);
    require(&f, "{}");
    size_t first = join(&f);
    ctn_balance b = decide(&f, first);
    assert_int_equal(b.take, 1008);
    assert_int_equal(b.look_in_ms, 0);
    assert_int_equal(ctn_shard_set_count_in(&b.from, &f.needs[0].shards), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_fair_and_nothing_stays_free),
        cmocka_unit_test(nothing_moves_while_nobody_comes_or_goes),
        cmocka_unit_test(who_joins_gets_its_share_and_no_more_moves_than_that),
        cmocka_unit_test(who_dies_is_buried_after_its_term_and_settle_time_and_its_shards_alone_move),
        cmocka_unit_test(a_lease_that_ran_out_is_not_buried_within_the_settle_time),
        cmocka_unit_test(nobody_buries_itself),
        cmocka_unit_test(who_leaves_gives_everything_and_takes_nothing),
        cmocka_unit_test(while_shares_are_to_move_the_next_look_is_soon),
        cmocka_unit_test(a_take_whose_answer_was_lost_is_found),
        cmocka_unit_test(who_has_the_rest_does_not_wait_for_more),
        cmocka_unit_test(what_is_required_is_held_by_those_who_meet_it_in_fair_shares),
        cmocka_unit_test(what_nobody_meets_is_held_by_all_until_somebody_comes_and_again_when_he_leaves),
        cmocka_unit_test(what_a_dead_one_had_goes_to_who_meets_it),
        cmocka_unit_test(who_takes_of_several_parts_looks_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
