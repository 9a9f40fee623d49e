/*
 * test_gate.c -- rates, places and circuit breakers while the engine dies and commits fail: no more calls at once than
 * allowed, no more a second than allowed, nothing sent to a tool whose breaker is open, and everything still ends.
 */
#include "sim/lab.h"

#include <string.h>

#define EXECUTIONS 30
#define BEGUN_MAX  4096

enum { PLACED, RATED, SHAKY, TOOLS };
static const char *const TOOL_NAMES[TOOLS] = {"sim/placed", "sim/rated", "sim/shaky"};

static const char chain_text[] =
    "id: gated\n"
    "steps:\n"
    "  - {stepName: one, instructionSet: placed, retryConfig: {maxRetries: 3, backoffMs: 5}}\n"
    "  - {stepName: two, instructionSet: placed, parallelExecution: true}\n"
    "  - {stepName: three, instructionSet: rated, parallelExecution: true, rollbackAction: placed}\n"
    "  - {stepName: four, instructionSet: shaky, retryConfig: {maxRetries: 30, backoffMs: 20, multiplier: 1,\n"
    "     retryOn: [tool_error]}}\n"
    "instructionSets:\n"
    "  placed: {tool: sim/placed, effect: idempotent, maxConcurrent: 3}\n"
    "  rated: {tool: sim/rated, effect: idempotent, rateLimit: {perSecond: 50, burst: 4}}\n"
    "  shaky: {tool: sim/shaky, effect: read, breaker: {window: 4, minimum: 3, failureRatio: 0.5, openMs: 700}}\n";

typedef struct sim {
    lab lab;
    int64_t shaky_until_ms; /* until then it fails */
    int64_t rated_at_ms[BEGUN_MAX];
    int rated_count, most_placed, waits, begun_while_open, helps;
} sim;

/* ---- calls ---- */

static void check_rate(sim *s, int64_t now_ms)
{
    assert_true(s->rated_count < BEGUN_MAX);
    s->rated_at_ms[s->rated_count++] = now_ms;
    /* In any span: a burst, and what the rate gives; a commit of some ms lies between a token and its call. One that
     * fails in its answer only keeps up to a burst of calls waiting for a second, and they begin beside the next. */
    int burst = s->lab.commit_fails_percent ? 8 : 4;
    for (int first = 0; first < s->rated_count; first++) {
        int64_t span_ms = now_ms - s->rated_at_ms[first] + 10;
        if (s->rated_count - first > burst + (int) (span_ms * 50 / 1000) + 1)
            LAB_FAIL(&s->lab, "%d calls in %lld ms", s->rated_count - first, (long long) span_ms);
    }
}

typedef struct breaker_look {
    bool is_open;
    int64_t until_ms;
} breaker_look;

static int look(void *ctx, const ctn_breaker_row *row)
{
    if (ctn_str_is(row->name, "sim/shaky"))
        *(breaker_look *) ctx = (breaker_look){ctn_str_is(row->state, "open"), row->until_ms};
    return 0;
}

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    lab *l = &s->lab;
    int64_t now_ms = ctn_world_now_ms(l->world);
    int tool = 0;
    while (!ctn_str_is(request->target, TOOL_NAMES[tool]))
        assert_true(++tool < TOOLS);
    lab_flight *f = lab_fly(l, request, tool, 0);
    f->fails = tool == SHAKY && now_ms < s->shaky_until_ms;
    int placed = lab_flying(l, PLACED);
    if (placed > 3)
        LAB_FAIL(l, "%d calls at once, 3 are allowed", placed);
    if (placed > s->most_placed)
        s->most_placed = placed;
    if (tool == RATED)
        check_rate(s, now_ms);
    breaker_look b = {0};
    assert_int_equal(ctn_store_breaker_list(ctn_world_store(l->world), look, &b, NULL), CTN_OK);
    s->begun_while_open += tool == SHAKY && b.is_open && now_ms < b.until_ms;
}

/* ---- disk and lives ---- */

static void on_disk(void *ctx, const ctn_append *a)
{
    lab_on_disk(ctx, a);
    for (size_t i = 0; i < a->count; i++)
        ((sim *) ctx)->waits += a->records[i].kind == CTN_ENTRY_BREAKER_WAIT;
}

static void died(void *ctx, const ctn_world_event *pending, size_t count)
{
    lab_died(ctx, pending, count);
    ((sim *) ctx)->rated_count = 0; /* the bucket is full again */
}

/* What the deaths have parked goes on. */
static bool help(sim *s)
{
    static const char *const steps[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4 * s->lab.row_count && ctn_world_engine(s->lab.world); i++)
        lab_retry(&s->lab, s->lab.rows[i / 4].id, ctn_str_from(steps[i % 4]));
    return s->lab.deaths > 0 && ++s->helps < 20;
}

static void fail_stuck(sim *s)
{
    for (int i = 0; i < s->lab.row_count; i++)
        if (!s->lab.rows[i].ended)
            fprintf(stderr, "number %lld goes on\n", (long long) s->lab.rows[i].exec_no);
    LAB_FAIL(&s->lab, "nothing moves any more; %d deaths, helped %d times", s->lab.deaths, s->helps);
}

typedef struct tally {
    int deaths, waits, most_placed, begun_while_open;
} tally;

static void run_world(uint64_t seed, int die_percent, int commits_fail, tally *t)
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
    o.hooks.begin = begin;
    o.hooks.on_disk = on_disk;
    o.hooks.died = died;
    lab_open(l, &o);
    s->shaky_until_ms = ctn_world_now_ms(l->world) + 2500;
    while (!lab_all_ended(l))
        if (!lab_move(l) && !help(s))
            fail_stuck(s);
    t->deaths += l->deaths;
    t->waits += s->waits;
    t->begun_while_open += s->begun_while_open;
    if (s->most_placed > t->most_placed)
        t->most_placed = s->most_placed;
    lab_close(l);
}

static void rates_places_and_breakers_hold_in_a_quiet_world(void **state)
{
    (void) state;
    tally t = {0};
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_world(seed, 0, 0, &t);
    print_message("  %d waits for a breaker, %d calls while it was open\n", t.waits, t.begun_while_open);
    assert_int_equal(t.most_placed, 3);
    assert_true(t.waits >= 20);
    assert_true(t.begun_while_open <= 20 * 30); /* begun on disk before it opened: one an execution at most */
}

static void rates_places_and_breakers_hold_whatever_dies(void **state)
{
    (void) state;
    tally t = {0};
    lab_seeds seeds = lab_seeds_of(1, 150);
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++)
        run_world(seed, (int) (seed % 3), (int) (seed % 4) * 3, &t);
    print_message("  %d deaths, %d waits for a breaker, %d calls while it was open\n", t.deaths, t.waits,
                  t.begun_while_open);
    assert_true(seeds.is_one || (t.most_placed == 3 && t.deaths > 100 && t.waits > 150));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_places_and_breakers_hold_in_a_quiet_world),
        cmocka_unit_test(rates_places_and_breakers_hold_whatever_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
