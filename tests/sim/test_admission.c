/*
 * test_admission.c -- many executions that stand in each other's way: lines of one key, chains that allow only so many
 * at once, priorities, and what onFailure starts, while the engine dies and commits fail.
 *
 * What must hold, whatever dies when: of those with one key one at a time has started and not ended, in order of
 * arrival; no more than maxConcurrent of a chain have calls under way; everything ends; and every failed one is
 * followed up exactly once.
 */
#include "chain/library.h"
#include "simulate/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROWS_MAX   200
#define FLIGHT_MAX 64
#define MOVES_MAX  400000

enum { EVENT_REPLY };

static const char sets_text[] = "instructionSets:\n"
                                "  look: {tool: sim/look, arguments: {n: '{n}'}, effect: read}\n"
                                "  act: {tool: sim/act, arguments: {n: '{n}'}, effect: idempotent}\n"
                                "  unact: {tool: sim/unact, effect: idempotent}\n"
                                "  tell: {tool: sim/tell, arguments: {id: '{executionId}'}, effect: read}\n"
                                "  beat: {tool: sim/look, arguments: {n: 1}, effect: read}\n"
                                "  rest: {wait: {ms: 40}}\n";
static const char *const chain_texts[] = {
    /* parks in its middle and keeps its turn; every fourth one fails at its end */
    "id: keyed\nconcurrencyKey: '{key}'\nonFailure: desk\nsteps:\n"
    "  - {stepName: first, instructionSet: act, rollbackAction: unact}\n"
    "  - {stepName: pause, instructionSet: rest}\n"
    "  - {stepName: last, instructionSet: look}\n",
    "id: other\nconcurrencyKey: '{key}'\npriority: 9\nsteps:\n"
    "  - {stepName: first, instructionSet: look}\n",
    "id: limited\nmaxConcurrent: 2\npriority: 7\nonFailure: desk\nsteps:\n"
    "  - {stepName: first, instructionSet: look}\n"
    "  - {stepName: pause, instructionSet: rest}\n"
    "  - {stepName: last, instructionSet: look}\n",
    "id: low\npriority: 0\nsteps:\n"
    "  - {stepName: first, instructionSet: look}\n",
    "id: desk\nsteps:\n"
    "  - {stepName: told, instructionSet: tell}\n",
    "id: tick\nsteps:\n"
    "  - {stepName: beat, instructionSet: beat}\n",
};
#define CHAIN_COUNT (sizeof chain_texts / sizeof *chain_texts)
enum { KEYED, OTHER, LIMITED, LOW, DESK };

typedef struct row {
    int64_t exec_no;
    ctn_execution_id id;
    char chain[16], key[32], idempotency_key[80];
    bool has_started, has_ended, owes;
} row;

typedef struct wish {
    struct sim *s;
    int chain, n;
    bool is_acked;
    char key[32];
} wish;

typedef struct sim {
    uint64_t seed;
    int die_percent, fail_percent, commits_fail;
    ctn_world *world;
    ctn_arena *arena;
    ctn_plan *plans[CHAIN_COUNT];
    row rows[ROWS_MAX];
    int row_count;
    wish *wishes;
    int wish_count;
    struct {
        uint64_t token;
        char execution[40];
        bool is_limited;
    } flights[FLIGHT_MAX];
    int deaths, helps, cancels, most_limited;
    size_t active_max;
} sim;

#define SIM_FAIL(s, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "seed %llu: ", (unsigned long long) (s)->seed);                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

static void compile(sim *s)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        ctn_arena *arena = ctn_arena_new(65536);
        ctn_findings findings;
        ctn_findings_init(&findings, arena);
        ctn_library *library = ctn_library_new(arena);
        const ctn_chain *chain = NULL;
        (void) ctn_library_add_text(library, CTN_STR("sets.yaml"), ctn_str_from(sets_text), &findings, NULL);
        (void) ctn_library_add_text(library, CTN_STR("chain.yaml"), ctn_str_from(chain_texts[i]), &findings, &chain);
        if (!chain || ctn_plan_compile(arena, library, chain, &findings, &s->plans[i]))
            SIM_FAIL(s, "%.*s", CTN_STR_ARG(findings.items[0].message));
    }
}

/* ---- what comes to disk ---- */

static void check_start(const sim *s, const row *r)
{
    for (int i = 0; r->key[0] && i < s->row_count; i++) {
        const row *o = &s->rows[i];
        if (o == r || strcmp(o->key, r->key) != 0)
            continue;
        if (o->has_started && !o->has_ended)
            SIM_FAIL(s, "number %lld starts while number %lld has the turn of '%s'", (long long) r->exec_no,
                     (long long) o->exec_no, r->key);
        if (o->exec_no < r->exec_no && !o->has_ended)
            SIM_FAIL(s, "number %lld starts before number %lld, which came first", (long long) r->exec_no,
                     (long long) o->exec_no);
    }
}

static void on_disk(void *ctx, const ctn_append *a)
{
    sim *s = ctx;
    row *r = NULL;
    if (a->row) {
        assert_true(s->row_count < ROWS_MAX);
        r = &s->rows[s->row_count++];
        *r = (row){.exec_no = a->exec_no, .id = a->row->id};
        snprintf(r->chain, sizeof r->chain, "%.*s", CTN_STR_ARG(a->row->chain_id));
        snprintf(r->key, sizeof r->key, "%.*s", CTN_STR_ARG(a->row->queue_key));
        snprintf(r->idempotency_key, sizeof r->idempotency_key, "%.*s", CTN_STR_ARG(a->row->idempotency_key));
    }
    for (int i = 0; !r && i < s->row_count; i++)
        if (s->rows[i].exec_no == a->exec_no)
            r = &s->rows[i];
    assert_non_null(r);
    for (size_t i = 0; i < a->count; i++) {
        switch (a->records[i].kind) {
        case CTN_ENTRY_STARTED:
            check_start(s, r);
            r->has_started = true;
            break;
        case CTN_ENTRY_FAILED:
        case CTN_ENTRY_ROLLED_BACK:
            r->owes = ctn_str_find(a->records[i].body, CTN_STR("cancelled")) == SIZE_MAX;
            __attribute__((fallthrough));
        case CTN_ENTRY_CANCELLED:
        case CTN_ENTRY_ROLLBACK_FAILED:
        case CTN_ENTRY_COMPLETED:
            if (r->has_ended)
                SIM_FAIL(s, "number %lld ends twice", (long long) r->exec_no);
            r->has_ended = true;
            break;
        default: break;
        }
    }
}

/* ---- calls ---- */

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    int64_t n = ctn_json_int_or(request->args, "n", 1);
    bool is_limited = false;
    for (int i = 0; i < s->row_count; i++)
        if (ctn_str_is(request->execution_id, ctn_id_to_text(s->rows[i].id).text)) {
            is_limited = strcmp(s->rows[i].chain, "limited") == 0;
            if (!s->rows[i].has_started)
                SIM_FAIL(s, "a call of an execution that has not started on disk");
        }
    int limited = is_limited, free_place = -1;
    for (int i = 0; i < FLIGHT_MAX; i++) {
        if (!s->flights[i].token)
            free_place = i;
        else if (is_limited && s->flights[i].is_limited && !ctn_str_is(request->execution_id, s->flights[i].execution))
            limited++;
    }
    assert_true(free_place >= 0);
    if (limited > 2)
        SIM_FAIL(s, "%d executions of a chain that allows 2 have calls under way", limited);
    if (limited > s->most_limited)
        s->most_limited = limited;
    s->flights[free_place].token = request->token;
    s->flights[free_place].is_limited = is_limited;
    snprintf(s->flights[free_place].execution, 40, "%.*s", CTN_STR_ARG(request->execution_id));
    bool fails = n % 4 == 0 && ctn_str_is(request->target, "sim/look") && ctn_str_is(request->step, "last");
    int *failure = CTN_NEW(ctn_world_life_arena(s->world), int);
    *failure = fails ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE;
    ctn_world_later(s->world, 1 + (int64_t) ctn_world_roll(s->world, 20), EVENT_REPLY, request->token, failure);
}

static void forget_flight(sim *s, uint64_t token)
{
    for (int i = 0; i < FLIGHT_MAX; i++)
        if (s->flights[i].token == token)
            s->flights[i].token = 0;
}

static void let_go(void *ctx, uint64_t token)
{
    sim *s = ctx;
    ctn_world_drop(s->world, EVENT_REPLY, token);
    forget_flight(s, token);
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

static void happen(void *ctx, const ctn_world_event *event)
{
    sim *s = ctx;
    static const ctn_json yes = {.kind = CTN_JSON_TRUE};
    ctn_call_result result = {.failure = (ctn_failure) * (const int *) event->data,
                              .value = &yes,
                              .message = CTN_STR("so the simulator said"),
                              .was_sent = true};
    forget_flight(s, event->token);
    ctn_world_reply(s->world, event->token, &result);
}

/* ---- lives ---- */

static ctn_commit_fate fate(void *ctx, int number, const ctn_batch *batch)
{
    sim *s = ctx;
    (void) number, (void) batch;
    ctn_commit_fate f = {.dies_before = ctn_world_percent(s->world, s->die_percent)};
    if (f.dies_before)
        return f;
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

static int chain_find(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    sim *s = ctx;
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        if (ctn_str_equal(s->plans[i]->chain_id, chain_id)) {
            *ret_plan = s->plans[i];
            return CTN_OK;
        }
    return ctn_fail(err, CTN_E_NOT_FOUND, "no such chain");
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    wish *w = ctx;
    (void) id;
    if (rc)
        SIM_FAIL(w->s, "start refused: %s", err->message);
    w->is_acked = true;
}

static void born(void *ctx, ctn_engine *engine)
{
    sim *s = ctx;
    ctn_err err = {0};
    for (int i = 0; i < s->wish_count; i++) {
        wish *w = &s->wishes[i];
        const ctn_plan *plan = NULL;
        int64_t version = 0;
        char key[32];
        if (w->is_acked)
            continue;
        assert_int_equal(ctn_engine_plan_add(engine, s->plans[w->chain], CTN_STR("sim"), &plan, &version, &err), 0);
        ctn_json_builder input = ctn_json_object(s->arena);
        ctn_json_put_int(&input, "n", w->n);
        ctn_json_put_str(&input, "key", ctn_str_from(w->key));
        snprintf(key, sizeof key, "run-%d", i);
        ctn_start start = {.plan = plan,
                           .version = version,
                           .input = ctn_json_finish(&input),
                           .idempotency_key = ctn_str_from(key),
                           .is_queued = i % 5 == 0};
        ctn_engine_start(engine, &start, on_ack, w);
    }
}

static void on_cancelled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) id, (void) err;
    ((sim *) ctx)->cancels += rc == CTN_OK;
}

/* The engine died five times in a row at one step, which parks it: somebody says that it shall go on. */
static bool help(sim *s)
{
    static const ctn_input retry = {.kind = CTN_IN_SETTLE, .actor = {"sam", 3}, .settle = CTN_SETTLE_RETRY};
    bool any = false;
    for (int i = 0; i < s->row_count && ctn_world_engine(s->world); i++)
        if (s->rows[i].has_started && !s->rows[i].has_ended) {
            ctn_engine_input(ctn_world_engine(s->world), s->rows[i].id, &retry, NULL, NULL);
            any = true;
        }
    ctn_world_turn_soon(s->world);
    return any && ++s->helps < 100;
}

static bool is_done(sim *s)
{
    for (int i = 0; i < s->wish_count; i++)
        if (!s->wishes[i].is_acked)
            return false;
    for (int i = 0; i < s->row_count; i++) {
        if (!s->rows[i].has_ended)
            return false;
        ctn_execution_row r;
        ctn_arena_mark mark = ctn_arena_save(s->arena);
        bool owes = ctn_store_execution_get(ctn_world_store(s->world), s->arena, s->rows[i].id, &r, NULL) == CTN_OK &&
                    r.wake_at_ms > 0;
        ctn_arena_restore(s->arena, mark);
        if (owes)
            return false;
    }
    return true;
}

static int follow_ups_of(const sim *s, const row *r)
{
    char key[80];
    int count = 0;
    snprintf(key, sizeof key, "onFailure:%s", ctn_id_to_text(r->id).text);
    for (int i = 0; i < s->row_count; i++)
        count += strcmp(s->rows[i].chain, "desk") == 0 && strcmp(s->rows[i].idempotency_key, key) == 0;
    return count;
}

static ctn_world_options options_of(sim *s)
{
    return (ctn_world_options){.seed = s->seed,
                               .active_max = s->active_max,
                               .plans = (const ctn_plan *const *) s->plans,
                               .plan_count = CHAIN_COUNT,
                               .chain_find = chain_find,
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
}

static void end_world(sim *s)
{
    ctn_world_free(s->world);
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        ctn_arena *arena = s->plans[i]->arena;
        ctn_plan_done(s->plans[i]);
        ctn_arena_free(arena);
    }
    ctn_arena_free(s->arena);
    free(s->wishes);
    free(s);
}

typedef struct tally {
    int deaths, cancels, follow_ups, most_limited, worlds;
} tally;

static void run_world(uint64_t seed, int executions, int die_percent, int commits_fail, tally *t)
{
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = seed;
    s->die_percent = die_percent;
    s->commits_fail = commits_fail;
    s->arena = ctn_arena_new(65536);
    s->wish_count = executions;
    s->wishes = calloc((size_t) executions, sizeof *s->wishes);
    compile(s);
    s->active_max = 3 + seed % 6;
    ctn_world_options o = options_of(s);
    ctn_err err = {0};
    assert_int_equal(ctn_world_new(&o, &s->world, &err), CTN_OK);
    for (int i = 0; i < executions; i++) {
        wish *w = &s->wishes[i];
        *w = (wish){.s = s, .n = i, .chain = (int) ctn_world_roll(s->world, DESK)};
        snprintf(w->key, sizeof w->key, "customer %d", (int) ctn_world_roll(s->world, 3));
    }
    int moves = 0;
    bool cancel_is_due = true;
    for (; !is_done(s); moves++) {
        bool is_stuck = !ctn_world_move(s->world) && !ctn_world_sleep(s->world);
        if (moves > MOVES_MAX || (is_stuck && !help(s))) {
            for (int i = 0; i < s->row_count; i++)
                if (!s->rows[i].has_ended)
                    fprintf(stderr, "number %lld of %s, key '%s', %s\n", (long long) s->rows[i].exec_no,
                            s->rows[i].chain, s->rows[i].key, s->rows[i].has_started ? "has started" : "is queued");
            SIM_FAIL(s, "nothing moves any more, and not everything has ended");
        }
        if (cancel_is_due && s->row_count > executions / 2 && ctn_world_engine(s->world) &&
            !ctn_world_is_dead(s->world)) {
            ctn_input in = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
            const row *r = &s->rows[ctn_world_roll(s->world, (uint64_t) s->row_count)];
            ctn_engine_input(ctn_world_engine(s->world), r->id, &in, on_cancelled, s);
            ctn_world_turn_soon(s->world);
            cancel_is_due = false;
        }
    }
    for (int i = 0; i < s->row_count; i++) {
        const row *r = &s->rows[i];
        bool has_follow_up = strcmp(r->chain, "keyed") == 0 || strcmp(r->chain, "limited") == 0;
        int expected = has_follow_up && r->owes;
        if (follow_ups_of(s, r) != expected)
            SIM_FAIL(s, "number %lld was followed up %d times instead of %d", (long long) r->exec_no,
                     follow_ups_of(s, r), expected);
        t->follow_ups += expected;
    }
    t->worlds++;
    t->deaths += s->deaths;
    t->cancels += s->cancels;
    if (s->most_limited > t->most_limited)
        t->most_limited = s->most_limited;
    end_world(s);
}

/* Every minute for a quarter of an hour, and the engine dies at every fifth commit: each due time starts one
 * execution, and no other time does. */
static void a_schedule_fires_once_for_each_time_whatever_dies(void **state)
{
    (void) state;
    static const ctn_schedule every_minute = {{"tick", 4}, {"* * * * *", 9}, {NULL, 0}};
    int deaths = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        sim *s = calloc(1, sizeof *s);
        assert_non_null(s);
        s->seed = seed;
        s->die_percent = seed % 2 ? 10 : 0;
        s->commits_fail = seed % 3 ? 0 : 10;
        s->arena = ctn_arena_new(65536);
        compile(s);
        ctn_world_options o = options_of(s);
        o.schedules = &every_minute;
        o.schedule_count = 1;
        ctn_err err = {0};
        assert_int_equal(ctn_world_new(&o, &s->world, &err), CTN_OK);
        int64_t began_ms = 0, end_ms = 0;
        for (int moves = 0; moves < MOVES_MAX; moves++) {
            if (!ctn_world_move(s->world) && !ctn_world_sleep(s->world))
                SIM_FAIL(s, "the clock stands still");
            int64_t now_ms = ctn_world_now_ms(s->world);
            if (!began_ms && ctn_world_engine(s->world)) {
                began_ms = now_ms;
                end_ms = (began_ms / 60000 + 16) * 60000 + 30000;
            }
            if (began_ms && now_ms >= end_ms)
                break;
        }
        for (int64_t at_ms = (began_ms / 60000 + 1) * 60000; at_ms < end_ms; at_ms += 60000) {
            char time[25], key[80];
            int count = 0;
            ctn_time_format(at_ms, time);
            snprintf(key, sizeof key, "schedule:tick:%.16sZ", time);
            for (int i = 0; i < s->row_count; i++)
                count += strcmp(s->rows[i].idempotency_key, key) == 0;
            if (count != 1)
                SIM_FAIL(s, "%s: %d executions", key, count);
        }
        assert_int_equal(s->row_count, 16);
        deaths += s->deaths;
        end_world(s);
    }
    print_message("  %d deaths\n", deaths);
    assert_true(deaths > 60);
}

static void lines_places_and_follow_ups_hold_in_a_quiet_world(void **state)
{
    (void) state;
    tally t = {0};
    for (uint64_t seed = 1; seed <= 40; seed++)
        if (!getenv("SIM_SEED"))
            run_world(seed, 40, 0, 0, &t);
    print_message("  %d worlds: %d follow-ups, %d cancels\n", t.worlds, t.follow_ups, t.cancels);
    assert_int_equal(t.most_limited, 2); /* the limit is reached, too */
    assert_true(t.follow_ups > 40);
}

static void lines_places_and_follow_ups_hold_whatever_dies(void **state)
{
    (void) state;
    tally t = {0};
    const char *one = getenv("SIM_SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1000, last = one ? first : 1399;
    for (uint64_t seed = first; seed <= last; seed++)
        run_world(seed, 24, 1 + (int) (seed % 5), (int) (seed % 3) * 4, &t);
    print_message("  %d worlds, %d deaths: %d follow-ups, %d cancels\n", t.worlds, t.deaths, t.follow_ups, t.cancels);
    if (one)
        return;
    assert_int_equal(t.most_limited, 2);
    assert_true(t.deaths > t.worlds && t.follow_ups > t.worlds / 2 && t.cancels > t.worlds / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schedule_fires_once_for_each_time_whatever_dies),
        cmocka_unit_test(lines_places_and_follow_ups_hold_in_a_quiet_world),
        cmocka_unit_test(lines_places_and_follow_ups_hold_whatever_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
