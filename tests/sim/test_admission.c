/*
 * test_admission.c -- many executions that stand in each other's way: lines of one key, chains that allow only so many
 * at once, priorities, and what onFailure starts, while the engine dies and commits fail.
 *
 * What must hold, whatever dies when: of those with one key one at a time has started and not ended, in order of
 * arrival; no more than maxConcurrent of a chain have calls under way; everything ends; and every failed one is
 * followed up exactly once.
 */
#include "sim/lab.h"

#include <stdlib.h>
#include <string.h>

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
enum { DESK = 4 }; /* those before it are wished for, those from it on start by themselves */

typedef struct sim {
    lab lab;
    bool owes[LAB_ROWS_MAX]; /* a row that failed, and not because it was cancelled */
    int helps, cancels, most_limited;
    size_t active_max;
} sim;

static sim *sim_new(uint64_t seed, int die_percent, int commit_fails_percent)
{
    sim *s = lab_new(sizeof *s, seed);
    s->lab.die_percent = die_percent;
    s->lab.commit_fails_percent = commit_fails_percent;
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        char yaml[2000];
        snprintf(yaml, sizeof yaml, "%s%s", chain_texts[i], sets_text);
        (void) lab_compile(&s->lab, yaml);
    }
    return s;
}

/* ---- what comes to disk ---- */

static void check_start(const lab *l, const lab_row *r)
{
    for (int i = 0; r->key[0] && i < l->row_count; i++) {
        const lab_row *o = &l->rows[i];
        if (o == r || strcmp(o->key, r->key) != 0)
            continue;
        if (o->has_started && !o->ended)
            LAB_FAIL(l, "number %lld starts while number %lld has the turn of '%s'", (long long) r->exec_no,
                     (long long) o->exec_no, r->key);
        if (o->exec_no < r->exec_no && !o->ended)
            LAB_FAIL(l, "number %lld starts before number %lld, which came first", (long long) r->exec_no,
                     (long long) o->exec_no);
    }
}

static void on_disk(void *ctx, const ctn_append *a)
{
    sim *s = ctx;
    lab_on_disk(ctx, a);
    lab_row *r = lab_row_of(&s->lab, a->exec_no);
    for (size_t i = 0; i < a->count; i++) {
        ctn_entry_kind kind = a->records[i].kind;
        if (kind == CTN_ENTRY_STARTED)
            check_start(&s->lab, r);
        if (kind == CTN_ENTRY_FAILED || kind == CTN_ENTRY_ROLLED_BACK)
            s->owes[r - s->lab.rows] = ctn_str_find(a->records[i].body, CTN_STR("cancelled")) == SIZE_MAX;
    }
}

/* ---- calls ---- */

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    lab *l = &s->lab;
    int64_t n = ctn_json_int_or(request->args, "n", 1);
    bool is_limited = false;
    for (int i = 0; i < l->row_count; i++)
        if (ctn_str_is(request->execution_id, ctn_id_to_text(l->rows[i].id).text)) {
            is_limited = strcmp(l->rows[i].chain, "limited") == 0;
            if (!l->rows[i].has_started)
                LAB_FAIL(l, "a call of an execution that has not started on disk");
        }
    int limited = is_limited;
    for (int i = 0; i < LAB_FLIGHTS_MAX; i++) {
        const lab_flight *f = &l->flights[i];
        limited += is_limited && f->token && f->what && !ctn_str_is(request->execution_id, f->execution);
    }
    if (limited > 2)
        LAB_FAIL(l, "%d executions of a chain that allows 2 have calls under way", limited);
    if (limited > s->most_limited)
        s->most_limited = limited;
    lab_flight *f = lab_fly(l, request, is_limited, 0);
    f->fails = n % 4 == 0 && ctn_str_is(request->target, "sim/look") && ctn_str_is(request->step, "last");
}

static int chain_find(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    sim *s = ctx;
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        if (ctn_str_equal(s->lab.plans[i]->chain_id, chain_id)) {
            *ret_plan = s->lab.plans[i];
            return CTN_OK;
        }
    return ctn_fail(err, CTN_E_NOT_FOUND, "no such chain");
}

static void on_cancelled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) id, (void) err;
    ((sim *) ctx)->cancels += rc == CTN_OK;
}

/* What the deaths have parked goes on. */
static bool help(sim *s)
{
    bool any = false;
    for (int i = 0; i < s->lab.row_count && ctn_world_engine(s->lab.world); i++)
        if (s->lab.rows[i].has_started && !s->lab.rows[i].ended) {
            lab_retry(&s->lab, s->lab.rows[i].id, (ctn_str){0});
            any = true;
        }
    return any && ++s->helps < 100;
}

/* Everything has ended and nothing is owed to those who wait for it. */
static bool is_done(lab *l)
{
    if (!lab_all_ended(l))
        return false;
    for (int i = 0; i < l->row_count; i++) {
        ctn_execution_row r;
        ctn_arena_mark mark = ctn_arena_save(l->arena);
        bool owes = ctn_store_execution_get(ctn_world_store(l->world), l->arena, l->rows[i].id, &r, NULL) == CTN_OK &&
                    r.wake_at_ms > 0;
        ctn_arena_restore(l->arena, mark);
        if (owes)
            return false;
    }
    return true;
}

static int follow_ups_of(const lab *l, const lab_row *r)
{
    char key[80];
    int count = 0;
    snprintf(key, sizeof key, "onFailure:%s", ctn_id_to_text(r->id).text);
    for (int i = 0; i < l->row_count; i++)
        count += strcmp(l->rows[i].chain, "desk") == 0 && strcmp(l->rows[i].idempotency_key, key) == 0;
    return count;
}

static ctn_world_options options_of(sim *s)
{
    ctn_world_options o = lab_options(&s->lab);
    o.active_max = s->active_max;
    o.chain_find = chain_find;
    o.hooks.begin = begin;
    o.hooks.on_disk = on_disk;
    return o;
}

typedef struct tally {
    int deaths, cancels, follow_ups, most_limited, worlds;
} tally;

static void wish_by_chance(sim *s, int n)
{
    ctn_plan *plan = s->lab.plans[ctn_world_roll(s->lab.world, DESK)];
    const char *key = ctn_arena_printf(s->lab.arena, "customer %d", (int) ctn_world_roll(s->lab.world, 3)).ptr;
    ctn_json_builder input = ctn_json_object(s->lab.arena);
    ctn_json_put_int(&input, "n", n);
    ctn_json_put_str(&input, "key", ctn_str_from(key));
    lab_wish_for(&s->lab, plan, ctn_json_finish(&input), n % 5 == 0);
}

static void fail_stuck(const lab *l)
{
    for (int i = 0; i < l->row_count; i++)
        if (!l->rows[i].ended)
            fprintf(stderr, "number %lld of %s, key '%s', %s\n", (long long) l->rows[i].exec_no, l->rows[i].chain,
                    l->rows[i].key, l->rows[i].has_started ? "has started" : "is queued");
    LAB_FAIL(l, "nothing moves any more, and not everything has ended");
}

static void run_world(uint64_t seed, int executions, int die_percent, int commits_fail, tally *t)
{
    sim *s = sim_new(seed, die_percent, commits_fail);
    lab *l = &s->lab;
    s->active_max = 3 + seed % 6;
    ctn_world_options o = options_of(s);
    lab_open(l, &o);
    for (int i = 0; i < executions; i++)
        wish_by_chance(s, i);
    bool cancel_is_due = true;
    while (!is_done(l)) {
        if (!lab_move(l) && !help(s))
            fail_stuck(l);
        if (cancel_is_due && l->row_count > executions / 2 && lab_is_alive(l)) {
            const lab_row *r = &l->rows[ctn_world_roll(l->world, (uint64_t) l->row_count)];
            lab_cancel(l, r->id, on_cancelled, s);
            cancel_is_due = false;
        }
    }
    for (int i = 0; i < l->row_count; i++) {
        const lab_row *r = &l->rows[i];
        bool has_follow_up = strcmp(r->chain, "keyed") == 0 || strcmp(r->chain, "limited") == 0;
        int expected = has_follow_up && s->owes[i];
        if (follow_ups_of(l, r) != expected)
            LAB_FAIL(l, "number %lld was followed up %d times instead of %d", (long long) r->exec_no,
                     follow_ups_of(l, r), expected);
        t->follow_ups += expected;
    }
    t->worlds++;
    t->deaths += l->deaths;
    t->cancels += s->cancels;
    if (s->most_limited > t->most_limited)
        t->most_limited = s->most_limited;
    lab_close(l);
}

/* Every minute for a quarter of an hour, and the engine dies at every fifth commit: each due time starts one
 * execution, and no other time does. */
static void a_schedule_fires_once_for_each_time_whatever_dies(void **state)
{
    (void) state;
    static const ctn_schedule every_minute = {{"tick", 4}, {"* * * * *", 9}, {NULL, 0}};
    int deaths = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        sim *s = sim_new(seed, seed % 2 ? 10 : 0, seed % 3 ? 0 : 10);
        lab *l = &s->lab;
        ctn_world_options o = options_of(s);
        o.schedules = &every_minute;
        o.schedule_count = 1;
        lab_open(l, &o);
        int64_t began_ms = 0, end_ms = 0, now_ms = 0;
        while (!began_ms || now_ms < end_ms) {
            if (!lab_move(l))
                LAB_FAIL(l, "the clock stands still");
            now_ms = ctn_world_now_ms(l->world);
            if (!began_ms && ctn_world_engine(l->world)) {
                began_ms = now_ms;
                end_ms = (began_ms / 60000 + 16) * 60000 + 30000;
            }
        }
        for (int64_t at_ms = (began_ms / 60000 + 1) * 60000; at_ms < end_ms; at_ms += 60000) {
            char time[25], key[80];
            int count = 0;
            ctn_time_format(at_ms, time);
            snprintf(key, sizeof key, "schedule:tick:%.16sZ", time);
            for (int i = 0; i < l->row_count; i++)
                count += strcmp(l->rows[i].idempotency_key, key) == 0;
            if (count != 1)
                LAB_FAIL(l, "%s: %d executions", key, count);
        }
        assert_int_equal(l->row_count, 16);
        deaths += l->deaths;
        lab_close(l);
    }
    print_message("  %d deaths\n", deaths);
    assert_true(deaths > 60);
}

static void lines_places_and_follow_ups_hold_in_a_quiet_world(void **state)
{
    (void) state;
    tally t = {0};
    if (lab_seeds_of(0, 0).is_one)
        return;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_world(seed, 40, 0, 0, &t);
    print_message("  %d worlds: %d follow-ups, %d cancels\n", t.worlds, t.follow_ups, t.cancels);
    assert_int_equal(t.most_limited, 2); /* the limit is reached, too */
    assert_true(t.follow_ups > 40);
}

static void lines_places_and_follow_ups_hold_whatever_dies(void **state)
{
    (void) state;
    tally t = {0};
    lab_seeds seeds = lab_seeds_of(1000, 1399);
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++)
        run_world(seed, 24, 1 + (int) (seed % 5), (int) (seed % 3) * 4, &t);
    print_message("  %d worlds, %d deaths: %d follow-ups, %d cancels\n", t.worlds, t.deaths, t.follow_ups, t.cancels);
    if (seeds.is_one)
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
