/* Chains that are killed before and after every commit, with tools that misbehave: promises 1 to 4. */
#include "sim/chains.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

static const char asking[] =
    "id: asking\n"
    "steps:\n"
    "  - {stepName: a, instructionSet: book, outputVariables: {av: value}}\n"
    "  - {stepName: ok, instructionSet: desk, outputVariables: {yes: approved}}\n"
    "  - {stepName: rest, instructionSet: cool, conditionalExecution: '{yes} ? continue : skip'}\n"
    "  - {stepName: b, instructionSet: send, inputTemplate: '{av}', outputVariables: {bv: value}}\n"
    "instructionSets:\n"
    "  book: {tool: sim/write_a}\n"
    "  desk: {approval: {message: 'Go on?'}}\n"
    "  cool: {wait: {ms: 60000}}\n"
    "  send: {tool: sim/write_b}\n";

static const char resting[] = "id: resting\n"
                              "steps:\n"
                              "  - {stepName: a, instructionSet: get, outputVariables: {av: value}}\n"
                              "  - {stepName: rest, instructionSet: cool}\n"
                              "  - {stepName: b, instructionSet: keep, inputTemplate: '{av}'}\n"
                              "instructionSets:\n"
                              "  get: {tool: sim/read_a}\n"
                              "  cool: {wait: {ms: 86400000}}\n"
                              "  keep: {tool: sim/idem_b}\n";

/* Every class of call has an undo, some of them beside each other. */
static const char holiday[] =
    "id: holiday\n"
    "steps:\n"
    "  - {stepName: hold, instructionSet: hold, rollbackAction: no-hold, retryConfig: {maxRetries: 2, backoffMs: 10}}\n"
    "  - {stepName: flight, instructionSet: flight, parallelExecution: true, rollbackAction: no-flight, retryConfig: "
    "{maxRetries: 2, backoffMs: 10}}\n"
    "  - {stepName: hotel, instructionSet: hotel, parallelExecution: true, rollbackAction: no-hotel, retryConfig: "
    "{maxRetries: 2, backoffMs: 10}}\n"
    "  - {stepName: look, instructionSet: look, parallelExecution: true}\n"
    "  - {stepName: tell, instructionSet: tell, retryConfig: {maxRetries: 2, backoffMs: 10}}\n"
    "instructionSets:\n"
    "  hold: {tool: sim/idem_hold}\n"
    "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n"
    "  hotel: {tool: sim/write_h}\n"
    "  look: {tool: sim/read_l}\n"
    "  tell: {tool: sim/idem_t}\n"
    "  no-hold: {tool: sim/undo_hold}\n"
    "  no-flight: {tool: sim/undo_f}\n"
    "  no-hotel: {tool: sim/undo_h}\n";

/* Tools that ask before they do their work, and tools that go on by themselves. */
static const char talking[] =
    "id: talking\n"
    "steps:\n"
    "  - {stepName: r, instructionSet: r, outputVariables: {rv: value}}\n"
    "  - {stepName: a, instructionSet: a, parallelExecution: true, inputTemplate: '{rv}', rollbackAction: u}\n"
    "  - {stepName: t, instructionSet: t, parallelExecution: true, inputTemplate: '{rv}', rollbackAction: v}\n"
    "  - {stepName: i, instructionSet: i}\n"
    "instructionSets:\n"
    "  r: {tool: sim/read_ask_r}\n"
    "  a: {tool: sim/write_ask_a, check: {tool: sim/check_ask_a}, settleMs: 1000}\n"
    "  t: {tool: sim/write_task_t, check: {tool: sim/check_task_t}, settleMs: 1000}\n"
    "  i: {tool: sim/idem_task_i}\n"
    "  u: {tool: sim/undo_ask_a}\n"
    "  v: {tool: sim/undo_task_t}\n";

/* ... as items, as calls beside each other, and as a fallback. */
static const char everywhere[] =
    "id: everywhere\n"
    "steps:\n"
    "  - {stepName: each, instructionSet: e, foreach: {items: {range: [0, 4]}, maxConcurrency: 2}, outputVariables: "
    "{ev: "
    "value}}\n"
    "  - {stepName: both, instructionSet: b, parallelExecution: true, inputTemplate: '{ev}', outputVariables: [x]}\n"
    "  - {stepName: spare, instructionSet: f, fallback: [{instructionSet: z}], outputVariables: {zv: value}}\n"
    "instructionSets:\n"
    "  e: {tool: sim/write_ask_e, check: {tool: sim/check_ask_e}, settleMs: 1000}\n"
    "  b: {calls: {x: {tool: sim/idem_ask_x}, y: {tool: sim/idem_task_y}, z: {tool: sim/read_ask_z}}}\n"
    "  f: {tool: sim/fail_p}\n"
    "  z: {tool: sim/idem_ask_s}\n";

typedef struct undoable {
    const char *step, *tool, *undo;
} undoable;
static const undoable of_talking[] = {{"a", "write_ask_a", "undo_ask_a"}, {"t", "write_task_t", "undo_task_t"}, {0}};
static const undoable of_undone[] = {{"flight", "write_f", "undo_f"}, {"hotel", "write_h", "undo_h"}, {0}};
static const undoable of_holiday[] = {
    {"hold", "idem_hold", "undo_hold"}, {"flight", "write_f", "undo_f"}, {"hotel", "write_h", "undo_h"}, {0}};

/* Rolled back: whatever took effect was undone once. Completed: everything took effect once and nothing was undone. */
static void undone_or_done(sim *s, ctn_status status, const undoable *steps)
{
    for (const undoable *u = steps; u && u->step; u++) {
        int done = sim_effects_of_step(s, 0, u->tool, u->step, "do");
        int undone = sim_effects_of_step(s, 0, u->undo, u->step, "undo");
        bool is_right = status == CTN_STATUS_ROLLED_BACK ? undone == 1 || (undone == 0 && done == 0)
                        : status == CTN_STATUS_COMPLETED ? undone == 0 && done == 1
                                                         : undone <= 1 && done <= 1;
        if (!is_right) {
            fprintf(stderr, "%s: %s was done %d times and undone %d times\n", ctn_status_name(status), u->step, done,
                    undone);
            fail();
        }
    }
}

static void a_linear_chain_does_everything_once_wherever_we_die(void **state)
{
    (void) state;
    assert_true(sim_kill_everywhere(&sim_straight, 6) >= 10);
}

static void parallel_steps_and_calls_do_everything_once_wherever_we_die(void **state)
{
    (void) state;
    assert_true(sim_kill_everywhere(&sim_beside, 6) >= 8);
}

static void a_failed_saga_is_undone_wherever_we_die(void **state)
{
    (void) state;
    assert_true(sim_kill_everywhere(&sim_undone, 6) >= 10);
}

static void asked_when_in_doubt(sim *s)
{
    assert_true(sim_effects(s, "write_a") <= 1);
    assert_true(sim_effects(s, "write_b") <= 1);
}

/* A person who tells the truth settles what is interrupted; when he says "fail" the chain ends failed. */
static void a_write_without_a_check_parks_and_is_never_repeated(void **state)
{
    (void) state;
    int parked = 0;
    for (int nth = 1, died = 1; died; nth++) {
        sim *s = sim_new(&(sim_options){.seed = (uint64_t) nth - 1, .chain = asking, .die_after_commit = nth});
        ctn_status status = sim_run(s);
        died = sim_deaths(s);
        assert_true(status == CTN_STATUS_COMPLETED || status == CTN_STATUS_FAILED);
        parked += sim_entries(s, CTN_ENTRY_INTERRUPTED);
        asked_when_in_doubt(s);
        sim_free(s);
    }
    assert_true(parked >= 2); /* one for each write in flight at a death */
}

static void rested_as_long_as_it_said(sim *s)
{
    int64_t until = sim_entry_number(s, CTN_ENTRY_WAITING, "rest", "untilMs");
    int64_t over = sim_entry_at_ms(s, CTN_ENTRY_ATTEMPT_SUCCEEDED, "rest");
    assert_true(over >= until && over <= until + 1100); /* an engine is dead for at most a second */
    assert_int_equal(sim_entries(s, CTN_ENTRY_WAITING), 1);
    assert_int_equal(sim_effects(s, "idem_b"), 1);
}

/* A day of waiting, whoever dies meanwhile: over in time, and not before. */
static void a_wait_ends_when_it_said_wherever_we_die(void **state)
{
    (void) state;
    static const sim_chain chain = {"resting", resting, NULL, CTN_STATUS_COMPLETED, rested_as_long_as_it_said};
    assert_true(sim_kill_everywhere(&chain, 69) >= 6);
}

static void talked_and_did_all_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_ask_a"), 1);
    assert_int_equal(sim_effects(s, "write_task_t"), 1);
    assert_int_equal(sim_effects(s, "idem_task_i"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_INTERRUPTED), 0);
    assert_int_equal(sim_abandoned(s), 0);
}

static void calls_that_ask_or_take_long_do_everything_once_wherever_we_die(void **state)
{
    (void) state;
    static const sim_chain chain = {"talking", talking, NULL, CTN_STATUS_COMPLETED, talked_and_did_all_once};
    for (uint64_t seed = 1; seed <= 20; seed++)
        assert_true(sim_kill_everywhere(&chain, 100 * seed) >= 20);
}

static void all_did_all_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_ask_e"), 4);
    assert_int_equal(sim_effects(s, "idem_ask_x"), 1);
    assert_int_equal(sim_effects(s, "idem_task_y"), 1);
    assert_int_equal(sim_effects(s, "idem_ask_s"), 1);
}

static void items_calls_and_fallbacks_ask_too_wherever_we_die(void **state)
{
    (void) state;
    static const sim_chain chain = {"everywhere", everywhere, NULL, CTN_STATUS_COMPLETED, all_did_all_once};
    for (uint64_t seed = 1; seed <= 5; seed++)
        assert_true(sim_kill_everywhere(&chain, 100 * seed) >= 30);
}

/* What waits when the chain is told to stop is not forgotten: whoever asked hears of it, once. */
static void a_call_that_waits_is_abandoned_with_its_chain(void **state)
{
    (void) state;
    static const char only[] = "id: only\nsteps:\n  - {stepName: a, instructionSet: a}\n"
                               "instructionSets:\n  a: {tool: sim/write_ask_a}\n";
    int abandoned = 0;
    for (int at_ms = 1; at_ms <= 60; at_ms++) {
        sim *s = sim_new(&(sim_options){.seed = 5, .chain = only, .cancel_at_ms = at_ms});
        ctn_status status = sim_run(s);
        assert_true(status == CTN_STATUS_CANCELLED || sim_abandoned(s) == 0);
        assert_true(sim_abandoned(s) <= 1);
        abandoned += sim_abandoned(s);
        sim_free(s);
    }
    assert_true(abandoned > 0);
}

/* Many more than may be in memory at once: each gets its turn, and a place that is free is not left empty. */
static void a_queue_is_worked_off_without_pause(void **state)
{
    (void) state;
    sim *s = sim_new(&(sim_options){.seed = 3, .chain = sim_straight.yaml, .executions = 60, .active_max = 4});
    assert_int_equal(sim_run(s), CTN_STATUS_COMPLETED);
    assert_int_equal(sim_effects(s, "write_b"), 60);
    assert_int_equal(sim_effects(s, "idem_c"), 60);
    printf("  60 executions, 4 at once: %lld ms\n", (long long) sim_elapsed_ms(s));
    assert_true(sim_elapsed_ms(s) < 60 / 4 * 150);
    sim_free(s);
}

static void many_at_once_keep_the_promises_wherever_we_die(void **state)
{
    (void) state;
    const char *const chains[] = {sim_straight.yaml, sim_beside.yaml, sim_undone.yaml, holiday, asking, talking};
    int deaths = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        sim *s = sim_new(&(sim_options){.seed = seed,
                                        .chain = chains[seed % 6],
                                        .executions = 12,
                                        .active_max = 1 + seed % 6,
                                        .fault_percent = (int) (seed % 3) * 10,
                                        .die_chance_percent = 2,
                                        .commit_fails_percent = (int) (seed % 4) * 5});
        (void) sim_run(s);
        deaths += sim_deaths(s);
        sim_free(s);
    }
    printf("  %d deaths\n", deaths);
    assert_true(deaths > 20);
}

/* Everything at once: faults, failing commits, deaths by chance, cancels. */
static void random_worlds_keep_the_promises(void **state)
{
    (void) state;
    const struct {
        const char *chain;
        const undoable *undoables;
    } chains[] = {{sim_straight.yaml, NULL}, {sim_beside.yaml, NULL}, {sim_undone.yaml, of_undone}, {asking, NULL},
                  {talking, of_talking},     {holiday, of_holiday}};
    int deaths = 0, by_status[CTN_STATUS_COUNT] = {0};
    uint64_t only = getenv("SIM_SEED") ? strtoull(getenv("SIM_SEED"), NULL, 10) : 0;
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : 2000); seed++) {
        sim_options o = {.seed = seed,
                         .chain = chains[seed % 6].chain,
                         .fault_percent = (int) (seed / 5 % 5) * 10,
                         .die_chance_percent = (int) (seed / 25 % 4) * 3,
                         .commit_fails_percent = (int) (seed / 100 % 3) * 10,
                         .cancel_at_ms = seed % 3 == 0 ? 1 + (int) (seed % 80) : 0};
        sim *s = sim_new(&o);
        ctn_status status = sim_run(s);
        by_status[status]++;
        deaths += sim_deaths(s);
        if (getenv("SIM_SEED"))
            printf("  %s\n", ctn_status_name(status));
        undone_or_done(s, status, chains[seed % 6].undoables);
        sim_free(s);
    }
    printf("  2,000 worlds, %d deaths: %d completed, %d failed, %d rolled back, %d rollback failed, %d cancelled\n",
           deaths, by_status[CTN_STATUS_COMPLETED], by_status[CTN_STATUS_FAILED], by_status[CTN_STATUS_ROLLED_BACK],
           by_status[CTN_STATUS_ROLLBACK_FAILED], by_status[CTN_STATUS_CANCELLED]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_chain_does_everything_once_wherever_we_die),
        cmocka_unit_test(parallel_steps_and_calls_do_everything_once_wherever_we_die),
        cmocka_unit_test(a_failed_saga_is_undone_wherever_we_die),
        cmocka_unit_test(a_write_without_a_check_parks_and_is_never_repeated),
        cmocka_unit_test(a_wait_ends_when_it_said_wherever_we_die),
        cmocka_unit_test(calls_that_ask_or_take_long_do_everything_once_wherever_we_die),
        cmocka_unit_test(items_calls_and_fallbacks_ask_too_wherever_we_die),
        cmocka_unit_test(a_call_that_waits_is_abandoned_with_its_chain),
        cmocka_unit_test(a_queue_is_worked_off_without_pause),
        cmocka_unit_test(many_at_once_keep_the_promises_wherever_we_die),
        cmocka_unit_test(random_worlds_keep_the_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
