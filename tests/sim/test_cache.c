/*
 * test_cache.c -- executions that make equal calls: one is made, the others wait for it or take its result, over
 * deaths, failed commits, cancels and clocks that are set.
 *
 * What must hold in every world: each execution gets the answer to its own question, and everything ends. Where no
 * commit fails, a call begins only when no result that is on disk is fresh, and no two equal ones are under way at
 * once.
 */
#include "chain/library.h"
#include "simulate/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EVENT_REPLY,
    ROWS_MAX = 256,
    FLIGHT_MAX = 512,
    MOVES_MAX = 100000,
    QUESTIONS = 16,
    EACH = 8 /* set `each` asks others */,
    TTL_MS = 60000,
    SHORT_TTL_MS = 5000
};

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

typedef struct wish {
    struct sim *s;
    int q; /* -1: a list with three different questions, ten in all */
    bool is_acked;
} wish;

typedef struct sim {
    uint64_t seed;
    int die_percent, fail_percent, commits_fail;
    int die_before_commit_with; /* ctn_entry_kind + 1: the engine dies instead of the next such commit */
    int fails_left;             /* so many of the next calls fail */
    ctn_world *world;
    ctn_arena *arena;
    ctn_plan *plan;
    struct row {
        int64_t exec_no;
        ctn_execution_id id;
        ctn_status ended;
        int hits;
    } rows[ROWS_MAX];
    int row_count;
    wish wishes[ROWS_MAX];
    int wish_count;
    struct {
        uint64_t token;
        int q;
        bool fails;
    } flights[FLIGHT_MAX];
    int64_t answered_at_ms[QUESTIONS]; /* on disk, by the engine's clock */
    bool has_cancelled;                /* a call that was let go may be under way for a moment more */
    int calls, hits, deaths;
} sim;

#define SIM_FAIL(s, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "seed %llu: ", (unsigned long long) (s)->seed);                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

/* ---- calls ---- */

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    int q = (int) ctn_json_int_or(request->args, "q", -1), free_place = -1;
    if (ctn_str_is(request->target, "sim/act")) { /* takes its time, and nobody shares it */
        ctn_world_later(s->world, 3000, EVENT_REPLY, request->token, NULL);
        return;
    }
    assert_true(q >= 0 && q < EACH);
    q += ctn_str_is(request->step, "each") ? EACH : 0;
    for (int i = 0; i < FLIGHT_MAX; i++)
        if (!s->flights[i].token)
            free_place = i;
        else if (s->flights[i].q == q && !s->commits_fail)
            SIM_FAIL(s, "two equal calls are under way at once");
    assert_true(free_place >= 0);
    int64_t age_ms = ctn_world_now_ms(s->world) - s->answered_at_ms[q];
    int64_t ttl_ms = ctn_str_is(request->step, "short") ? SHORT_TTL_MS : TTL_MS;
    if (!s->commits_fail && s->answered_at_ms[q] && age_ms >= 0 && age_ms < ttl_ms)
        SIM_FAIL(s, "a call although its result is %lld ms old", (long long) age_ms);
    s->flights[free_place].token = request->token;
    s->flights[free_place].q = q;
    s->flights[free_place].fails = s->fails_left > 0 || ctn_world_percent(s->world, s->fail_percent);
    s->fails_left -= s->fails_left > 0;
    s->calls++;
    ctn_world_later(s->world, 1 + (int64_t) ctn_world_roll(s->world, 20), EVENT_REPLY, request->token, NULL);
}

static void let_go(void *ctx, uint64_t token)
{
    sim *s = ctx;
    ctn_world_drop(s->world, EVENT_REPLY, token);
    for (int i = 0; i < FLIGHT_MAX; i++)
        if (s->flights[i].token == token)
            s->flights[i].token = 0;
}

static void happen(void *ctx, const ctn_world_event *event)
{
    sim *s = ctx;
    static const ctn_call_result done = {.value = &ctn_json_null, .was_sent = true};
    for (int i = 0; i < FLIGHT_MAX; i++) {
        if (s->flights[i].token != event->token)
            continue;
        s->flights[i].token = 0;
        ctn_json_builder b = ctn_json_object(ctn_world_life_arena(s->world));
        ctn_json_put_int(&b, "a", 100 + s->flights[i].q);
        bool fails = s->flights[i].fails;
        ctn_call_result result = {.failure = fails ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE,
                                  .value = ctn_json_finish(&b),
                                  .message = CTN_STR("so the simulator said"),
                                  .was_sent = true};
        ctn_world_reply(s->world, event->token, &result);
        return;
    }
    ctn_world_reply(s->world, event->token, &done);
}

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind, (void) target, (void) ret_from;
    return CTN_EFFECT_UNKNOWN; /* the sets say it */
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return false;
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    (void) ctx, (void) event;
}

/* ---- what comes to disk ---- */

static void on_disk(void *ctx, const ctn_append *a)
{
    sim *s = ctx;
    struct row *r = NULL;
    if (a->row) {
        assert_true(s->row_count < ROWS_MAX);
        r = &s->rows[s->row_count++];
        *r = (struct row){.exec_no = a->exec_no, .id = a->row->id};
    }
    for (int i = 0; !r && i < s->row_count; i++)
        if (s->rows[i].exec_no == a->exec_no)
            r = &s->rows[i];
    assert_non_null(r);
    for (size_t i = 0; i < a->count; i++) {
        const ctn_record *record = &a->records[i];
        r->hits += record->kind == CTN_ENTRY_CACHE_HIT;
        s->hits += record->kind == CTN_ENTRY_CACHE_HIT;
        if (record->kind == CTN_ENTRY_COMPLETED)
            r->ended = CTN_STATUS_COMPLETED;
        if (record->kind == CTN_ENTRY_FAILED || record->kind == CTN_ENTRY_CANCELLED)
            r->ended = record->kind == CTN_ENTRY_FAILED ? CTN_STATUS_FAILED : CTN_STATUS_CANCELLED;
    }
    for (size_t i = 0; i < a->result_count; i++) {
        int q = atoi(a->results[i].value.ptr + strlen("{\"a\":")) - 100;
        assert_true(q >= 0 && q < QUESTIONS);
        s->answered_at_ms[q] = a->results[i].put_at_ms;
    }
}

/* ---- lives ---- */

static ctn_commit_fate fate(void *ctx, int number, const ctn_batch *batch)
{
    sim *s = ctx;
    (void) number;
    ctn_commit_fate f = {.dies_before = ctn_world_percent(s->world, s->die_percent)};
    for (size_t i = 0; s->die_before_commit_with && i < batch->count; i++)
        for (size_t k = 0; k < batch->appends[i].count; k++)
            f.dies_before = f.dies_before || (int) batch->appends[i].records[k].kind + 1 == s->die_before_commit_with;
    if (f.dies_before) {
        s->die_before_commit_with = 0;
        return f;
    }
    f.fails = ctn_world_percent(s->world, s->commits_fail);
    f.is_written = f.fails && ctn_world_roll(s->world, 2);
    f.dies_after = ctn_world_percent(s->world, s->die_percent);
    return f;
}

static void died(void *ctx, const ctn_world_event *pending, size_t count)
{
    sim *s = ctx;
    (void) pending, (void) count;
    memset(s->flights, 0, sizeof s->flights);
    s->deaths++;
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    wish *w = ctx;
    (void) id;
    if (rc)
        SIM_FAIL(w->s, "start refused: %s", err->message);
    w->is_acked = true;
}

static void start(sim *s, ctn_engine *engine, int i)
{
    ctn_err err = {0};
    wish *w = &s->wishes[i];
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    char key[32];
    assert_int_equal(ctn_engine_plan_add(engine, s->plan, CTN_STR("sim"), &plan, &version, &err), 0);
    ctn_json_builder input = ctn_json_object(s->arena), list = ctn_json_array(s->arena);
    for (int k = 0; k < 10; k++)
        ctn_json_push(&list, ctn_json_int(s->arena, k % 3));
    ctn_json_put(&input, CTN_STR("q"), w->q < 0 ? &ctn_json_null : ctn_json_int(s->arena, w->q));
    ctn_json_put(&input, CTN_STR("list"), w->q < 0 ? ctn_json_finish(&list) : &ctn_json_null);
    snprintf(key, sizeof key, "run-%d", i);
    ctn_engine_start(
        engine,
        &(ctn_start){
            .plan = plan, .version = version, .input = ctn_json_finish(&input), .idempotency_key = ctn_str_from(key)},
        on_ack, w);
}

static void born(void *ctx, ctn_engine *engine)
{
    sim *s = ctx;
    for (int i = 0; i < s->wish_count; i++)
        if (!s->wishes[i].is_acked)
            start(s, engine, i);
}

/* ---- worlds ---- */

static sim *sim_begin_with(uint64_t seed, const char *text)
{
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = seed;
    s->arena = ctn_arena_new(65536);
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    (void) ctn_library_add_text(library, CTN_STR("asks.yaml"), ctn_str_from(text), &findings, &chain);
    if (!chain || ctn_plan_compile(arena, library, chain, &findings, &s->plan))
        SIM_FAIL(s, "%.*s", CTN_STR_ARG(findings.items[0].message));
    static const ctn_plan *lent[1];
    lent[0] = s->plan;
    ctn_world_options o = {.seed = seed,
                           .plans = lent,
                           .plan_count = 1,
                           .hooks = {.ctx = s,
                                     .begin = begin,
                                     .let_go = let_go,
                                     .effect = effect_of,
                                     .may_still_arrive = may_still_arrive,
                                     .on_event = on_event,
                                     .happen = happen,
                                     .commit = fate,
                                     .on_disk = on_disk,
                                     .born = born,
                                     .died = died}};
    ctn_err err = {0};
    assert_int_equal(ctn_world_new(&o, &s->world, &err), CTN_OK);
    return s;
}

static sim *sim_begin(uint64_t seed)
{
    return sim_begin_with(seed, chain_text);
}

static void sim_end(sim *s)
{
    ctn_world_free(s->world);
    ctn_arena *arena = s->plan->arena;
    ctn_plan_done(s->plan);
    ctn_arena_free(arena);
    ctn_arena_free(s->arena);
    free(s);
}

static bool is_done(const sim *s)
{
    for (int i = 0; i < s->wish_count; i++)
        if (!s->wishes[i].is_acked)
            return false;
    for (int i = 0; i < s->row_count; i++)
        if (!s->rows[i].ended)
            return false;
    return true;
}

static void run(sim *s)
{
    for (int moves = 0; !is_done(s); moves++)
        if ((!ctn_world_move(s->world) && !ctn_world_sleep(s->world)) || moves > MOVES_MAX)
            SIM_FAIL(s, "nothing moves any more, and not everything has ended");
}

/* The engine died five times in a row at one step, which parks it: somebody says that it shall go on. */
static bool help(sim *s)
{
    static const ctn_input retry = {.kind = CTN_IN_SETTLE, .actor = {"sam", 3}, .settle = CTN_SETTLE_RETRY};
    bool any = false;
    for (int i = 0; i < s->row_count && ctn_world_engine(s->world); i++) {
        ctn_execution_row row;
        if (s->rows[i].ended ||
            ctn_store_execution_get(ctn_world_store(s->world), s->arena, s->rows[i].id, &row, NULL) ||
            row.status != CTN_STATUS_INTERRUPTED)
            continue;
        ctn_engine_input(ctn_world_engine(s->world), s->rows[i].id, &retry, NULL, NULL);
        any = true;
    }
    ctn_world_turn_soon(s->world);
    return any;
}

static void ask(sim *s, int q)
{
    int i = s->wish_count++;
    assert_true(i < ROWS_MAX);
    s->wishes[i] = (wish){.s = s, .q = q};
    if (ctn_world_engine(s->world) && !ctn_world_is_dead(s->world)) {
        start(s, ctn_world_engine(s->world), i);
        ctn_world_turn_soon(s->world);
    }
}

/* What each execution got: the answer to its own question, 100 + q. */
static void check_answers(sim *s)
{
    for (int i = 0; i < s->row_count; i++) {
        ctn_execution_row row;
        char wanted[100];
        assert_int_equal(ctn_store_execution_get(ctn_world_store(s->world), s->arena, s->rows[i].id, &row, NULL), 0);
        if (row.status != CTN_STATUS_COMPLETED)
            continue;
        const ctn_json *input = NULL;
        assert_int_equal(ctn_json_parse(s->arena, row.input, NULL, &input, NULL), CTN_OK);
        int q = (int) ctn_json_int_or(input, "q", -1);
        snprintf(wanted, sizeof wanted, "{\"a\":%d,\"b\":%d,\"c\":null}", 100 + q, 100 + q);
        if (!ctn_str_is(row.outputs,
                        q >= 0 ? wanted : "{\"a\":null,\"b\":null,\"c\":[108,109,110,108,109,110,108,109,110,108]}"))
            SIM_FAIL(s, "question %d was answered %.*s", q, CTN_STR_ARG(row.outputs));
    }
}

static void equal_calls_in_flight_are_made_once(void **state)
{
    (void) state;
    sim *s = sim_begin(1);
    for (int i = 0; i < 8; i++)
        ask(s, 5);
    run(s);
    check_answers(s);
    assert_int_equal(s->calls, 1);
    assert_int_equal(s->hits, 15); /* the second step of the first one, too */
    sim_end(s);
}

static void equal_items_of_a_foreach_share_calls(void **state)
{
    (void) state;
    sim *s = sim_begin(2);
    ask(s, -1);
    ask(s, -1);
    run(s);
    check_answers(s);
    assert_int_equal(s->calls, 3);
    assert_int_equal(s->hits, 17);
    sim_end(s);
}

static void a_result_survives_the_engine(void **state)
{
    (void) state;
    sim *s = sim_begin(3);
    ask(s, 5);
    run(s);
    s->die_before_commit_with = CTN_ENTRY_STARTED + 1;
    ask(s, 5);
    run(s);
    assert_int_equal(s->deaths, 1);
    assert_int_equal(s->calls, 1);
    check_answers(s);
    sim_end(s);
}

static void a_result_that_is_too_old_is_fetched_again(void **state)
{
    (void) state;
    sim *s = sim_begin(4);
    ask(s, 5);
    run(s);
    ctn_world_jump(s->world, 10000); /* too old for the second step only: each goes by its own ttlMs */
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 2);
    ctn_world_jump(s->world, TTL_MS);
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 3);
    ctn_world_jump(s->world, -30000); /* nobody knows how old it is */
    ask(s, 5);
    run(s);
    assert_int_equal(s->calls, 4);
    sim_end(s);
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
    for (int i = 0; i < s->row_count; i++)
        failed += s->rows[i].ended == CTN_STATUS_FAILED;
    assert_int_equal(failed, 2);
    check_answers(s);
    sim_end(s);
}

static void a_call_that_is_let_go_lets_the_next_one_try(void **state)
{
    (void) state;
    sim *s = sim_begin(6);
    ask(s, 5);
    for (int moves = 0; s->calls == 0 && moves < 100; moves++)
        (void) ctn_world_move(s->world);
    ask(s, 5);
    while (s->row_count < 2)
        (void) ctn_world_move(s->world);
    assert_int_equal(s->calls, 1);
    ctn_input cancel = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    ctn_engine_input(ctn_world_engine(s->world), s->rows[0].id, &cancel, NULL, NULL);
    ctn_world_turn_soon(s->world);
    run(s);
    assert_int_equal(s->rows[0].ended, CTN_STATUS_CANCELLED);
    assert_int_equal(s->rows[1].ended, CTN_STATUS_COMPLETED);
    assert_int_equal(s->calls, 2);
    sim_end(s);
}

static void who_waits_for_its_write_holds_nobody_up_with_its_read(void **state)
{
    (void) state;
    sim *s = sim_begin_with(8, busy_text);
    ask(s, 5);
    for (int moves = 0; s->calls == 0 && moves < 100; moves++)
        (void) ctn_world_move(s->world);
    ask(s, 5);
    while (s->row_count < 2)
        (void) ctn_world_move(s->world);
    assert_int_equal(s->calls, 1);
    ctn_input cancel = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    ctn_engine_input(ctn_world_engine(s->world), s->rows[0].id, &cancel, NULL, NULL);
    ctn_world_turn_soon(s->world);
    while (s->calls < 2 && !s->rows[0].ended)
        assert_true(ctn_world_move(s->world));
    assert_int_equal(s->calls, 2);
    assert_false(s->rows[0].ended);
    run(s);
    sim_end(s);
}

static void a_death_before_the_result_is_on_disk_costs_a_call(void **state)
{
    (void) state;
    sim *s = sim_begin(7);
    s->die_before_commit_with = CTN_ENTRY_ATTEMPT_SUCCEEDED + 1;
    ask(s, 5);
    ask(s, 5);
    run(s);
    assert_int_equal(s->deaths, 1);
    assert_int_equal(s->calls, 2);
    check_answers(s);
    sim_end(s);
}

static void sharing_holds_whatever_dies(void **state)
{
    (void) state;
    const char *one = getenv("SIM_SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1000, last = one ? first : 1599;
    int worlds = 0, deaths = 0, hits = 0, calls = 0;
    for (uint64_t seed = first; seed <= last; seed++, worlds++) {
        sim *s = sim_begin(seed);
        s->die_percent = seed % 3 ? (int) (seed % 7) : 0;
        s->fail_percent = (int) (seed % 4) * 10;
        s->commits_fail = seed % 2 ? 0 : 10;
        int asked = 0;
        bool cancel_is_due = seed % 5 < 2;
        for (int moves = 0; asked < 30 || !is_done(s); moves++) {
            for (int n = 1 + (int) ctn_world_roll(s->world, 6); asked < 30 && moves % 5 == 0 && n; n--, asked++)
                ask(s, (int) ctn_world_roll(s->world, 4) - 1);
            if (cancel_is_due && s->row_count > 9 && ctn_world_engine(s->world) && !ctn_world_is_dead(s->world)) {
                ctn_input cancel = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
                uint64_t which = ctn_world_roll(s->world, (uint64_t) s->row_count);
                ctn_engine_input(ctn_world_engine(s->world), s->rows[which].id, &cancel, NULL, NULL);
                ctn_world_turn_soon(s->world);
                cancel_is_due = false;
            }
            bool is_stuck = !ctn_world_move(s->world) && !ctn_world_sleep(s->world) && asked == 30;
            if ((is_stuck && !help(s)) || moves > MOVES_MAX)
                SIM_FAIL(s, "nothing moves any more, and not everything has ended");
        }
        check_answers(s);
        deaths += s->deaths;
        hits += s->hits;
        calls += s->calls;
        sim_end(s);
    }
    print_message("  %d worlds, %d deaths: %d calls, %d hits\n", worlds, deaths, calls, hits);
    if (!one)
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
