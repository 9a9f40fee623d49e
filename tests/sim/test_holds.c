/*
 * test_holds.c -- a tool that is held while the engine dies and commits fail: it is not called, what would call it is
 * paused and says why, and when it is let go everything still ends.
 */
#include "sim/lab.h"

#include <string.h>

#define EXECUTIONS 20
#define GRACE_MS   40 /* a call that was decided before the hold begins when its commit is back */
#define WHY        "the tool sim/changed is not what it was"

static const char chain_text[] = "id: held\n"
                                 "steps:\n"
                                 "  - {stepName: one, instructionSet: plain}\n"
                                 "  - {stepName: two, instructionSet: changed}\n"
                                 "  - {stepName: three, instructionSet: plain}\n"
                                 "instructionSets:\n"
                                 "  plain: {tool: sim/plain, effect: idempotent}\n"
                                 "  changed: {tool: sim/changed, effect: idempotent}\n";

typedef struct sim {
    lab lab;
    bool is_held;
    int64_t held_at_ms;
    int pauses, calls, helps;
    void (*lab_born)(void *ctx, ctn_engine *engine);
} sim;

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    bool is_changed = ctn_str_is(request->target, "sim/changed");
    (void) lab_fly(&s->lab, request, is_changed, 0);
    s->calls += is_changed;
    if (is_changed && s->is_held && ctn_world_now_ms(s->lab.world) > s->held_at_ms + GRACE_MS)
        LAB_FAIL(&s->lab, "a tool that is held was called %lld ms later",
                 (long long) (ctn_world_now_ms(s->lab.world) - s->held_at_ms));
}

static void on_disk(void *ctx, const ctn_append *a)
{
    lab_on_disk(ctx, a);
    for (size_t i = 0; i < a->count; i++)
        if (a->records[i].kind == CTN_ENTRY_PAUSED) {
            assert_true(ctn_str_is(a->records[i].actor, CTN_HOLD_ACTOR));
            assert_true(ctn_str_find(a->records[i].body, CTN_STR(WHY)) != SIZE_MAX);
            ((sim *) ctx)->pauses++;
        }
}

static void tell_hold(sim *s, ctn_engine *engine)
{
    ctn_engine_hold(engine, CTN_STR("sim/changed"), s->is_held ? CTN_HOLD_ALL : CTN_HOLD_NOTHING, CTN_STR(WHY));
}

/* As the guard does: before anything of a new engine advances. */
static void born(void *ctx, ctn_engine *engine)
{
    tell_hold(ctx, engine);
    ((sim *) ctx)->lab_born(ctx, engine);
}

static bool all_are_acked(const lab *l)
{
    for (int i = 0; i < l->wish_count; i++)
        if (!l->wishes[i].is_acked)
            return false;
    return true;
}

static void hold(sim *s, bool is_held)
{
    s->is_held = is_held;
    s->held_at_ms = ctn_world_now_ms(s->lab.world);
    if (lab_is_alive(&s->lab))
        tell_hold(s, ctn_world_engine(s->lab.world));
}

/* What was paused is resumed; what the deaths have parked goes on. */
static bool help(sim *s)
{
    static const char *const steps[] = {"one", "two", "three"};
    lab *l = &s->lab;
    if (s->is_held)
        hold(s, false);
    for (int i = 0; i < l->row_count && lab_is_alive(l); i++) {
        ctn_input resume = {.kind = CTN_IN_RESUME, .actor = CTN_STR(CTN_HOLD_ACTOR)};
        if (!l->rows[i].ended)
            ctn_engine_input(ctn_world_engine(l->world), l->rows[i].id, &resume, NULL, NULL, NULL);
        for (int k = 0; k < 3 && !l->rows[i].ended; k++)
            lab_retry(l, l->rows[i].id, ctn_str_from(steps[k]));
        ctn_world_turn_soon(l->world);
    }
    return ++s->helps < 30;
}

static void run_world(uint64_t seed, int die_percent, int commits_fail, int *pauses, int *deaths)
{
    static const ctn_json nothing = {.kind = CTN_JSON_OBJECT};
    sim *s = lab_new(sizeof *s, seed);
    lab *l = &s->lab;
    l->die_percent = die_percent;
    l->commit_fails_percent = commits_fail;
    ctn_plan *plan = lab_compile(l, chain_text);
    for (int i = 0; i < EXECUTIONS; i++)
        lab_wish_for(l, plan, &nothing, false);
    ctn_world_options o = lab_options(l);
    s->lab_born = o.hooks.born;
    o.hooks.born = born;
    o.hooks.begin = begin;
    o.hooks.on_disk = on_disk;
    lab_open(l, &o);
    bool was_held = false;
    while (!lab_all_ended(l)) {
        if (!was_held && all_are_acked(l)) {
            hold(s, true);
            was_held = true;
        }
        if (!lab_move(l) && !help(s))
            LAB_FAIL(l, "nothing moves any more; %d deaths, %d pauses", l->deaths, s->pauses);
    }
    assert_true(s->calls >= EXECUTIONS);
    *pauses += s->pauses;
    *deaths += l->deaths;
    lab_close(l);
}

static void a_held_tool_is_not_called_and_all_goes_on_after(void **state)
{
    (void) state;
    int pauses = 0, deaths = 0;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_world(seed, 0, 0, &pauses, &deaths);
    print_message("  %d pauses\n", pauses);
    assert_true(pauses >= 10 * EXECUTIONS / 2);
}

static void a_held_tool_is_not_called_whatever_dies(void **state)
{
    (void) state;
    int pauses = 0, deaths = 0;
    lab_seeds seeds = lab_seeds_of(1, 60);
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++)
        run_world(seed, 1 + (int) (seed % 3), (int) (seed % 4) * 3, &pauses, &deaths);
    print_message("  %d pauses, %d deaths\n", pauses, deaths);
    assert_true(seeds.is_one || (pauses > 100 && deaths > 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_tool_is_not_called_and_all_goes_on_after),
        cmocka_unit_test(a_held_tool_is_not_called_whatever_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
