/*
 * test_cache.c -- executions that make equal calls: one is made, the others wait for it or take its result, over
 * deaths, failed commits, cancels and clocks that are set.
 *
 * What must hold in every world: each execution gets the answer to its own question, and everything ends. Where no
 * commit fails, a call begins only when no result that is on disk is fresh, and no two equal ones are under way at
 * once.
 */
#include "sim/lab.h"

#include <stdlib.h>
#include <string.h>

enum { QUESTIONS = 16, EACH = 8 /* set `each` asks others */, TTL_MS = 60000, SHORT_TTL_MS = 5000 };

static const char chain_text[] = "id: asks\nrollbackEnabled: false\n"
                                 "inputSchema: {type: object, properties: {q: {}, list: {}}}\n"
                                 "instructionSets:\n"
                                 "  look: {tool: sim/look, arguments: {q: '{q}'}, effect: read}\n"
                                 "  each: {tool: sim/look, arguments: {q: '{item}'}, effect: read}\n"
                                 "steps:\n"
                                 "  - {stepName: long, instructionSet: look, outputVariables: [a],\n"
                                 "     conditionalExecution: \"exists({q})\", cache: {ttlMs: 60000}}\n"
                                 "  - {stepName: short, instructionSet: look, outputVariables: {b: a},\n"
                                 "     conditionalExecution: \"exists({q})\", cache: {ttlMs: 5000}}\n"
                                 "  - {stepName: each, instructionSet: each, outputVariables: {c: a},\n"
                                 "     conditionalExecution: \"exists({list})\", foreach: {items: '{list}'},\n"
                                 "     cache: {ttlMs: 60000}}\n";

/* One that is stopped lets its read go at once and waits for its write. */
static const char busy_text[] = "id: asks\nrollbackEnabled: false\n"
                                "inputSchema: {type: object, properties: {q: {}, list: {}}}\n"
                                "instructionSets:\n"
                                "  look: {tool: sim/look, arguments: {q: '{q}'}, effect: read}\n"
                                "  act: {tool: sim/act, arguments: {}, effect: write}\n"
                                "steps:\n"
                                "  - {stepName: act, instructionSet: act, parallelExecution: true, noUndo: no}\n"
                                "  - {stepName: long, instructionSet: look, parallelExecution: true,\n"
                                "     cache: {ttlMs: 60000}}\n";

typedef struct sim {
    lab lab;
    int fail_percent, fails_left;      /* of calls; so many of the next ones */
    int64_t answered_at_ms[QUESTIONS]; /* on disk, by the engine's clock */
    int calls, hits;
} sim;

/* ---- calls ---- */

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    lab *l = &s->lab;
    int q = (int) ctn_json_int_or(request->args, "q", -1);
    if (ctn_str_is(request->target, "sim/act")) { /* takes its time, and nobody shares it */
        (void) lab_fly(l, request, -1, 3000);
        return;
    }
    assert_true(q >= 0 && q < EACH);
    q += ctn_str_is(request->step, "each") ? EACH : 0;
    if (!l->commit_fails_percent && lab_flying(l, q))
        LAB_FAIL(l, "two equal calls are under way at once");
    int64_t age_ms = ctn_world_now_ms(l->world) - s->answered_at_ms[q];
    int64_t ttl_ms = ctn_str_is(request->step, "short") ? SHORT_TTL_MS : TTL_MS;
    if (!l->commit_fails_percent && s->answered_at_ms[q] && age_ms >= 0 && age_ms < ttl_ms)
        LAB_FAIL(l, "a call although its result is %lld ms old", (long long) age_ms);
    bool fails = s->fails_left > 0 || ctn_world_percent(l->world, s->fail_percent);
    s->fails_left -= s->fails_left > 0;
    s->calls++;
    lab_flight *f = lab_fly(l, request, q, 0);
    ctn_json_builder b = ctn_json_object(ctn_world_life_arena(l->world));
    ctn_json_put_int(&b, "a", 100 + q);
    f->value = ctn_json_finish(&b);
    f->fails = fails;
}

static void on_disk(void *ctx, const ctn_append *a)
{
    sim *s = ctx;
    lab_on_disk(ctx, a);
    for (size_t i = 0; i < a->count; i++)
        s->hits += a->records[i].kind == CTN_ENTRY_CACHE_HIT;
    for (size_t i = 0; i < a->result_count; i++) {
        int q = atoi(a->results[i].value.ptr + strlen("{\"a\":")) - 100;
        assert_true(q >= 0 && q < QUESTIONS);
        s->answered_at_ms[q] = a->results[i].put_at_ms;
    }
}

/* ---- worlds ---- */

static sim *sim_begin_with(uint64_t seed, const char *text)
{
    sim *s = lab_new(sizeof *s, seed);
    (void) lab_compile(&s->lab, text);
    ctn_world_options o = lab_options(&s->lab);
    o.hooks.begin = begin;
    o.hooks.on_disk = on_disk;
    lab_open(&s->lab, &o);
    return s;
}

static sim *sim_begin(uint64_t seed)
{
    return sim_begin_with(seed, chain_text);
}

static void run(sim *s)
{
    while (!lab_all_ended(&s->lab))
        if (!lab_move(&s->lab))
            LAB_FAIL(&s->lab, "nothing moves any more, and not everything has ended");
}

/* What the deaths have parked goes on. */
static bool help(lab *l)
{
    bool any = false;
    for (int i = 0; i < l->row_count && ctn_world_engine(l->world); i++) {
        ctn_execution_row row;
        if (l->rows[i].ended ||
            ctn_store_execution_get(ctn_world_store(l->world), l->arena, l->rows[i].id, &row, NULL) ||
            row.status != CTN_STATUS_INTERRUPTED)
            continue;
        lab_retry(l, l->rows[i].id, (ctn_str){0});
        any = true;
    }
    return any;
}

/* An execution that asks q, or -1: a list of ten with three different questions. */
static void ask(sim *s, int q)
{
    ctn_arena *arena = s->lab.arena;
    ctn_json_builder input = ctn_json_object(arena), list = ctn_json_array(arena);
    for (int k = 0; k < 10; k++)
        ctn_json_push(&list, ctn_json_int(arena, k % 3));
    ctn_json_put(&input, CTN_STR("q"), q < 0 ? &ctn_json_null : ctn_json_int(arena, q));
    ctn_json_put(&input, CTN_STR("list"), q < 0 ? ctn_json_finish(&list) : &ctn_json_null);
    lab_wish_for(&s->lab, s->lab.plans[0], ctn_json_finish(&input), false);
}

/* What each execution got: the answer to its own question, 100 + q. */
static void check_answers(lab *l)
{
    for (int i = 0; i < l->row_count; i++) {
        ctn_execution_row row;
        char wanted[100];
        assert_int_equal(ctn_store_execution_get(ctn_world_store(l->world), l->arena, l->rows[i].id, &row, NULL), 0);
        if (row.status != CTN_STATUS_COMPLETED)
            continue;
        const ctn_json *input = NULL;
        assert_int_equal(ctn_json_parse(l->arena, row.input, NULL, &input, NULL), CTN_OK);
        int q = (int) ctn_json_int_or(input, "q", -1);
        snprintf(wanted, sizeof wanted, "{\"a\":%d,\"b\":%d,\"c\":null}", 100 + q, 100 + q);
        if (!ctn_str_is(row.outputs,
                        q >= 0 ? wanted : "{\"a\":null,\"b\":null,\"c\":[108,109,110,108,109,110,108,109,110,108]}"))
            LAB_FAIL(l, "question %d was answered %.*s", q, CTN_STR_ARG(row.outputs));
    }
}

static void equal_calls_in_flight_are_made_once(void **state)
{
    (void) state;
    sim *s = sim_begin(1);
    for (int i = 0; i < 8; i++)
        ask(s, 5);
    run(s);
    check_answers(&s->lab);
    assert_int_equal(s->calls, 1);
    assert_int_equal(s->hits, 15); /* the second step of the first one, too */
    lab_close(&s->lab);
}

static void equal_items_of_a_foreach_share_calls(void **state)
{
    (void) state;
    sim *s = sim_begin(2);
    ask(s, -1);
    ask(s, -1);
    run(s);
    check_answers(&s->lab);
    assert_int_equal(s->calls, 3);
    assert_int_equal(s->hits, 17);
    lab_close(&s->lab);
}

static void a_result_survives_the_engine(void **state)
{
    (void) state;
    sim *s = sim_begin(3);
    ask(s, 5);
    run(s);
    s->lab.die_before_commit_with = CTN_ENTRY_STARTED + 1;
    ask(s, 5);
    run(s);
    assert_int_equal(s->lab.deaths, 1);
    assert_int_equal(s->calls, 1);
    check_answers(&s->lab);
    lab_close(&s->lab);
}

static void a_result_that_is_too_old_is_fetched_again(void **state)
{
    (void) state;
    sim *s = sim_begin(4);
    ask(s, 5);
    run(s);
    ctn_world_jump(s->lab.world, 10000); /* too old for the second step only: each goes by its own ttlMs */
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 2);
    ctn_world_jump(s->lab.world, TTL_MS);
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 3);
    ctn_world_jump(s->lab.world, -30000); /* nobody knows how old it is */
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 4);
    lab_close(&s->lab);
}

static void a_call_that_failed_lets_the_next_one_try(void **state)
{
    (void) state;
    sim *s = sim_begin(5);
    s->fails_left = 2;
    for (int i = 0; i < 5; i++)
        ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 3);
    int failed = 0;
    for (int i = 0; i < s->lab.row_count; i++)
        failed += s->lab.rows[i].ended == CTN_STATUS_FAILED;
    assert_int_equal(failed, 2);
    check_answers(&s->lab);
    lab_close(&s->lab);
}

/* One of two that ask the same makes the call, the other waits for it, and the first is cancelled. */
static sim *cancel_the_one_that_asks(uint64_t seed, const char *text)
{
    sim *s = sim_begin_with(seed, text);
    ask(s, 5);
    for (int moves = 0; s->calls == 0 && moves < 100; moves++)
        (void) ctn_world_move(s->lab.world);
    ask(s, 5);
    while (s->lab.row_count < 2)
        (void) ctn_world_move(s->lab.world);
    assert_int_equal(s->calls, 1);
    lab_cancel(&s->lab, s->lab.rows[0].id, NULL, NULL);
    return s;
}

static void a_call_that_is_let_go_lets_the_next_one_try(void **state)
{
    (void) state;
    sim *s = cancel_the_one_that_asks(6, chain_text);
    run(s);
    assert_int_equal(s->lab.rows[0].ended, CTN_STATUS_CANCELLED);
    assert_int_equal(s->lab.rows[1].ended, CTN_STATUS_COMPLETED);
    assert_int_equal(s->calls, 2);
    lab_close(&s->lab);
}

static void who_waits_for_its_write_holds_nobody_up_with_its_read(void **state)
{
    (void) state;
    sim *s = cancel_the_one_that_asks(8, busy_text);
    while (s->calls < 2 && !s->lab.rows[0].ended)
        assert_true(ctn_world_move(s->lab.world));
    assert_int_equal(s->calls, 2);
    assert_false(s->lab.rows[0].ended);
    run(s);
    lab_close(&s->lab);
}

static void a_death_before_the_result_is_on_disk_costs_a_call(void **state)
{
    (void) state;
    sim *s = sim_begin(7);
    s->lab.die_before_commit_with = CTN_ENTRY_ATTEMPT_SUCCEEDED + 1;
    ask(s, 5);
    ask(s, 5);
    run(s);
    assert_int_equal(s->lab.deaths, 1);
    assert_int_equal(s->calls, 2);
    check_answers(&s->lab);
    lab_close(&s->lab);
}

static void sharing_holds_whatever_dies(void **state)
{
    (void) state;
    lab_seeds seeds = lab_seeds_of(1000, 1599);
    int worlds = 0, deaths = 0, hits = 0, calls = 0;
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++, worlds++) {
        sim *s = sim_begin(seed);
        lab *l = &s->lab;
        l->die_percent = seed % 3 ? (int) (seed % 7) : 0;
        l->commit_fails_percent = seed % 2 ? 0 : 10;
        s->fail_percent = (int) (seed % 4) * 10;
        int asked = 0;
        bool cancel_is_due = seed % 5 < 2;
        for (int moves = 0; asked < 30 || !lab_all_ended(l); moves++) {
            for (int n = 1 + (int) ctn_world_roll(l->world, 6); asked < 30 && moves % 5 == 0 && n; n--, asked++)
                ask(s, (int) ctn_world_roll(l->world, 4) - 1);
            if (cancel_is_due && l->row_count > 9 && lab_is_alive(l)) {
                lab_cancel(l, l->rows[ctn_world_roll(l->world, (uint64_t) l->row_count)].id, NULL, NULL);
                cancel_is_due = false;
            }
            bool is_stuck = !lab_move(l) && asked == 30;
            if (is_stuck && !help(l))
                LAB_FAIL(l, "nothing moves any more, and not everything has ended");
        }
        check_answers(l);
        deaths += l->deaths;
        hits += s->hits;
        calls += s->calls;
        lab_close(l);
    }
    print_message("  %d worlds, %d deaths: %d calls, %d hits\n", worlds, deaths, calls, hits);
    if (!seeds.is_one)
        assert_true(deaths > worlds / 2 && hits > 10 * worlds && calls > 3 * worlds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_calls_in_flight_are_made_once),
        cmocka_unit_test(equal_items_of_a_foreach_share_calls),
        cmocka_unit_test(a_result_survives_the_engine),
        cmocka_unit_test(a_result_that_is_too_old_is_fetched_again),
        cmocka_unit_test(a_call_that_failed_lets_the_next_one_try),
        cmocka_unit_test(a_call_that_is_let_go_lets_the_next_one_try),
        cmocka_unit_test(who_waits_for_its_write_holds_nobody_up_with_its_read),
        cmocka_unit_test(a_death_before_the_result_is_on_disk_costs_a_call),
        cmocka_unit_test(sharing_holds_whatever_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
