/*
 * test_schedules.c -- chains that the clock starts: what becomes of times that were missed, of times at which the one
 * before still runs, and of a schedule whose chain cannot be started or that somebody pauses, whatever dies.
 */
#include "sim/lab.h"

#include <stdlib.h>
#include <string.h>

/* Two and a half minutes: of a schedule of every minute two more come due meanwhile. */
static const char slow_text[] = "id: slow\ninputSchema: {type: object, properties: {from: {type: string}}}\nsteps:\n"
                                "  - {stepName: rest, instructionSet: rest}\n"
                                "instructionSets:\n  rest: {wait: {ms: 150000}}\n";
static const char quick_text[] = "id: quick\nsteps:\n  - {stepName: rest, instructionSet: rest}\n"
                                 "instructionSets:\n  rest: {wait: {ms: 10}}\n";

typedef struct sim {
    lab lab;
    ctn_schedule schedule;
    bool is_bad; /* the chain is not found */
    int refusals;
    int most_at_once, at_once, cancelled;
} sim;

static int chain_find(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    sim *s = ctx;
    s->refusals += s->is_bad;
    for (int i = 0; !s->is_bad && i < s->lab.plan_count; i++)
        if (ctn_str_equal(s->lab.plans[i]->chain_id, chain_id)) {
            *ret_plan = s->lab.plans[i];
            return CTN_OK;
        }
    return ctn_fail(err, CTN_E_NOT_FOUND, "the file of the chain is broken");
}

static void on_disk(void *ctx, const ctn_append *append)
{
    sim *s = ctx;
    lab_on_disk(ctx, append);
    s->at_once = s->cancelled = 0;
    for (int i = 0; i < s->lab.row_count; i++) {
        s->at_once += !s->lab.rows[i].ended;
        s->cancelled += s->lab.rows[i].ended == CTN_STATUS_CANCELLED;
    }
    if (s->at_once > s->most_at_once)
        s->most_at_once = s->at_once;
}

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) ctx, (void) kind, (void) request;
}

static sim *sim_new(uint64_t seed, const char *chain, int die_percent, ctn_schedule schedule)
{
    sim *s = lab_new(sizeof *s, seed);
    s->lab.die_percent = die_percent;
    (void) lab_compile(&s->lab, chain);
    s->schedule = schedule;
    s->schedule.cron = CTN_STR("* * * * *");
    s->schedule.chain_id = s->lab.plans[0]->chain_id;
    ctn_world_options o = lab_options(&s->lab);
    o.chain_find = chain_find;
    o.hooks.begin = begin;
    o.hooks.on_disk = on_disk;
    o.schedules = &s->schedule;
    o.schedule_count = 1;
    lab_open(&s->lab, &o);
    return s;
}

static void go_on(sim *s, int64_t span_ms)
{
    lab *l = &s->lab;
    int64_t end_ms = ctn_world_at_ms(l->world) + span_ms;
    while (ctn_world_at_ms(l->world) < end_ms)
        if (!lab_move(l)) { /* nothing is due any more */
            ctn_world_jump(l->world, end_ms - ctn_world_at_ms(l->world));
            return;
        }
}

static int started(const sim *s)
{
    return s->lab.row_count;
}

/* ---- the one before still runs ---- */

static void two_run_at_once_only_if_they_may(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        int die = seed % 2 ? 8 : 0;
        sim *s = sim_new(seed, slow_text, die, (ctn_schedule){.overlap = CTN_OVERLAP_SKIP});
        go_on(s, 15 * 60000);
        assert_int_equal(s->most_at_once, 1);
        assert_in_range(started(s), 4, 6); /* every third minute */
        lab_close(&s->lab);

        s = sim_new(seed, slow_text, die, (ctn_schedule){.overlap = CTN_OVERLAP_QUEUE});
        go_on(s, 15 * 60000);
        assert_int_equal(s->most_at_once, 1);
        assert_in_range(started(s), 5, 6); /* one behind the other */
        lab_close(&s->lab);

        s = sim_new(seed, slow_text, die, (ctn_schedule){.overlap = CTN_OVERLAP_ALLOW});
        go_on(s, 15 * 60000);
        assert_in_range(s->most_at_once, 2, 3);
        assert_in_range(started(s), 15, 16);
        lab_close(&s->lab);
    }
}

static void the_next_one_cancels_the_one_before(void **state)
{
    (void) state;
    sim *s = sim_new(1, slow_text, 0, (ctn_schedule){.overlap = CTN_OVERLAP_CANCEL});
    go_on(s, 10 * 60000);
    assert_in_range(started(s), 10, 11);
    assert_int_equal(s->cancelled, started(s) - 1);
    lab_close(&s->lab);
}

/* ---- nobody served ---- */

static void missed_times_are_caught_up_with_as_is_said(void **state)
{
    (void) state;
    static const struct {
        ctn_catch_up catch_up;
        int expected; /* of a day's 1,440 */
    } cases[] = {{CTN_CATCH_UP_LAST, 1}, {CTN_CATCH_UP_NONE, 0}, {CTN_CATCH_UP_ALL, 100}};
    for (size_t i = 0; i < 3; i++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            sim *s = sim_new(seed, quick_text, seed % 2 ? 5 : 0, (ctn_schedule){.catch_up = cases[i].catch_up});
            go_on(s, 3 * 60000);
            int before = started(s);
            assert_in_range(before, 3, 4);
            ctn_world_jump(s->lab.world, INT64_C(86400000) - 60000 + 90000); /* 90 s behind a minute that counts */
            go_on(s, 20000);
            assert_in_range(started(s) - before, cases[i].expected, cases[i].expected + 1);
            lab_close(&s->lab);
        }
}

/* ---- it goes on ---- */

static void a_chain_that_cannot_be_started_does_not_end_its_schedule(void **state)
{
    (void) state;
    sim *s = sim_new(3, quick_text, 0, (ctn_schedule){0});
    s->is_bad = true;
    go_on(s, 3 * 60000);
    assert_int_equal(started(s), 0);
    assert_in_range(s->refusals, 3, 4);
    s->is_bad = false;
    go_on(s, 3 * 60000);
    assert_in_range(started(s), 3, 4);
    lab_close(&s->lab);
}

static void its_input_is_what_the_schedule_says(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_json_builder input = ctn_json_object(arena);
    ctn_json_put_str(&input, "from", CTN_STR("the clock"));
    sim *s = sim_new(4, slow_text, 0, (ctn_schedule){.input = ctn_json_finish(&input)});
    ctn_execution_row row;
    go_on(s, 2 * 60000);
    assert_true(started(s) > 0);
    assert_int_equal(
        ctn_store_execution_get(ctn_world_store(s->lab.world), s->lab.arena, s->lab.rows[0].id, &row, NULL), CTN_OK);
    assert_true(ctn_str_is(row.input, "{\"from\":\"the clock\"}"));
    lab_close(&s->lab);
    ctn_arena_free(arena);
}

/* Put off by chance, and by the same chance after a death: still once for each time. */
static void jitter_puts_off_and_leaves_nothing_out(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        sim *s = sim_new(seed, quick_text, seed % 2 ? 8 : 0, (ctn_schedule){.jitter_ms = 50000});
        go_on(s, 10 * 60000);
        assert_in_range(started(s), 9, 11);
        for (int i = 0; i < started(s); i++)
            for (int k = 0; k < i; k++)
                assert_string_not_equal(s->lab.rows[i].idempotency_key, s->lab.rows[k].idempotency_key);
        lab_close(&s->lab);
    }
}

/* ---- by hand ---- */

typedef struct heard {
    int count, rc;
    ctn_execution_id id;
    char why[600];
} heard;

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    heard *h = ctx;
    h->count++;
    h->rc = rc;
    h->id = id;
    snprintf(h->why, sizeof h->why, "%s", err ? err->message : "");
}

static void order(sim *s, const char *chain, ctn_schedule_order what, heard *h)
{
    while (!lab_is_alive(&s->lab))
        (void) lab_move(&s->lab);
    ctn_engine_schedule(ctn_world_engine(s->lab.world), ctn_str_from(chain), what, CTN_STR("ada"), NULL, on_ack, h);
    ctn_world_turn_soon(s->lab.world);
}

static void a_paused_one_starts_nothing_until_it_is_resumed(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        sim *s = sim_new(seed, quick_text, seed % 2 ? 30 : 0, (ctn_schedule){.catch_up = CTN_CATCH_UP_ALL});
        heard h = {0};
        go_on(s, 2 * 60000);
        order(s, "quick", CTN_SCHEDULE_PAUSE, &h);
        assert_int_equal(h.rc, CTN_OK);
        go_on(s, 1000); /* one that was under way */
        int before = started(s);
        go_on(s, 10 * 60000);
        assert_int_equal(started(s), before);
        order(s, "quick", CTN_SCHEDULE_RESUME, &h);
        go_on(s, 3 * 60000);
        assert_in_range(started(s) - before, 3, 4); /* what passed has passed */
        assert_int_equal(h.count, 2);
        lab_close(&s->lab);
    }
}

static void one_is_fired_by_hand_whatever_its_times(void **state)
{
    (void) state;
    sim *s = sim_new(5, slow_text, 0, (ctn_schedule){.overlap = CTN_OVERLAP_SKIP});
    heard h = {0};
    go_on(s, 90000);
    int before = started(s);
    order(s, "slow", CTN_SCHEDULE_PAUSE, &h);
    order(s, "slow", CTN_SCHEDULE_FIRE, &h);
    go_on(s, 1000);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.rc, CTN_OK);
    assert_int_equal(started(s), before + 1);
    assert_string_equal(s->lab.rows[before].idempotency_key, "");
    order(s, "slov", CTN_SCHEDULE_FIRE, &h);
    assert_int_equal(h.rc, CTN_E_NOT_FOUND);
    assert_holds(h.why, "did you mean \"slow\"?");
    lab_close(&s->lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_run_at_once_only_if_they_may),
        cmocka_unit_test(the_next_one_cancels_the_one_before),
        cmocka_unit_test(missed_times_are_caught_up_with_as_is_said),
        cmocka_unit_test(a_chain_that_cannot_be_started_does_not_end_its_schedule),
        cmocka_unit_test(its_input_is_what_the_schedule_says),
        cmocka_unit_test(jitter_puts_off_and_leaves_nothing_out),
        cmocka_unit_test(a_paused_one_starts_nothing_until_it_is_resumed),
        cmocka_unit_test(one_is_fired_by_hand_whatever_its_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
