/* Chains that are killed before and after every commit, with tools that misbehave: promises 1 to 4. */
#include "sim.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char linear[] = "id: linear\n"
                             "steps:\n"
                             "  - {stepName: a, instructionSet: get, outputVariables: {av: value}}\n"
                             "  - {stepName: b, instructionSet: book, inputTemplate: '{av}', outputVariables: {bv: value}}\n"
                             "  - {stepName: c, instructionSet: keep, inputTemplate: '{bv}', outputVariables: {cv: value}}\n"
                             "  - {stepName: d, instructionSet: send, inputTemplate: '{cv}', outputVariables: {dv: value}}\n"
                             "instructionSets:\n"
                             "  get: {tool: sim/read_a}\n"
                             "  book: {tool: sim/write_b, check: {tool: sim/check_b}, settleMs: 1000}\n"
                             "  keep: {tool: sim/idem_c}\n"
                             "  send: {tool: sim/write_d, check: {tool: sim/check_d}, settleMs: 1000}\n";

static const char parallel[] =
    "id: parallel\n"
    "steps:\n"
    "  - {stepName: first, instructionSet: get, outputVariables: {a: value}}\n"
    "  - {stepName: left, instructionSet: book, parallelExecution: true, inputTemplate: '{a}', outputVariables: {l: value}}\n"
    "  - {stepName: right, instructionSet: both, parallelExecution: true, inputTemplate: '{a}', outputVariables: {r: one.value, q: two.value}}\n"
    "  - {stepName: last, instructionSet: keep, inputTemplate: '{l} {r}', outputVariables: {z: value}}\n"
    "instructionSets:\n"
    "  get: {tool: sim/read_a}\n"
    "  book: {tool: sim/write_l, check: {tool: sim/check_l}, settleMs: 1000}\n"
    "  both: {calls: {one: {tool: sim/idem_one}, two: {tool: sim/read_two}}}\n"
    "  keep: {tool: sim/idem_z}\n";

static const char saga[] =
    "id: saga\n"
    "steps:\n"
    "  - {stepName: flight, instructionSet: flight, outputVariables: {f: value}, rollbackAction: no-flight, retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "  - {stepName: hotel, instructionSet: hotel, outputVariables: {h: value}, rollbackAction: no-hotel, retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "  - {stepName: pay, instructionSet: pay, outputVariables: {p: value}}\n"
    "instructionSets:\n"
    "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n"
    "  hotel: {tool: sim/write_h, check: {tool: sim/check_h}, settleMs: 1000}\n"
    "  pay: {tool: sim/fail_p}\n"
    "  no-flight: {tool: sim/undo_f, arguments: {what: '{input}'}}\n"
    "  no-hotel: {tool: sim/undo_h, arguments: {what: '{input}'}}\n";

static const char asking[] = "id: asking\n"
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

/* Die before commit 0, then 1, then 2 ... and after each, until a run needs no more commits. */
static int kill_everywhere(const char *chain, ctn_status expected, void (*check)(sim *s))
{
    int points = 0;
    for (int after = 0; after < 2; after++)
        for (int n = 0, died = 1; died; n++) {
            sim *s = sim_new(&(sim_options){.seed = 7 + (uint64_t) n, .chain = chain,
                                            .die_before_commit = after ? -1 : n, .die_after_commit = after ? n : -1});
            ctn_status status = sim_run(s);
            died = sim_deaths(s);
            points += died;
            if (status != expected) {
                fprintf(stderr, "n %d after %d: %s\n", n, after, ctn_status_name(status));
                fail();
            }
            check(s);
            sim_free(s);
        }
    printf("  %d deaths\n", points);
    return points;
}

static void all_of_linear_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_b"), 1);
    assert_int_equal(sim_effects(s, "idem_c"), 1);
    assert_int_equal(sim_effects(s, "write_d"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_COMPLETED), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_INTERRUPTED), 0); /* with a check nothing parks */
}

static void a_linear_chain_does_everything_once_wherever_we_die(void **state)
{
    (void) state;
    assert_true(kill_everywhere(linear, CTN_STATUS_COMPLETED, all_of_linear_once) >= 10);
}

static void all_of_parallel_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_l"), 1);
    assert_int_equal(sim_effects(s, "idem_one"), 1);
    assert_int_equal(sim_effects(s, "idem_z"), 1);
}

static void parallel_steps_and_calls_do_everything_once_wherever_we_die(void **state)
{
    (void) state;
    assert_true(kill_everywhere(parallel, CTN_STATUS_COMPLETED, all_of_parallel_once) >= 8);
}

static void saga_is_undone(sim *s)
{
    assert_int_equal(sim_effects(s, "write_f"), sim_effects(s, "undo_f"));
    assert_int_equal(sim_effects(s, "write_h"), sim_effects(s, "undo_h"));
    assert_true(sim_effects(s, "write_f") <= 1);
}

static void a_failed_saga_is_undone_wherever_we_die(void **state)
{
    (void) state;
    assert_true(kill_everywhere(saga, CTN_STATUS_ROLLED_BACK, saga_is_undone) >= 10);
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
    for (int n = 0, died = 1; died; n++) {
        sim *s = sim_new(&(sim_options){.seed = (uint64_t) n, .chain = asking, .die_before_commit = -1, .die_after_commit = n});
        ctn_status status = sim_run(s);
        died = sim_deaths(s);
        assert_true(status == CTN_STATUS_COMPLETED || status == CTN_STATUS_FAILED);
        parked += sim_entries(s, CTN_ENTRY_INTERRUPTED);
        asked_when_in_doubt(s);
        sim_free(s);
    }
    assert_true(parked >= 2); /* one for each write in flight at a death */
}

/* Everything at once: faults, failing commits, deaths by chance, cancels. */
static void random_worlds_keep_the_promises(void **state)
{
    (void) state;
    static const char *const chains[] = {linear, parallel, saga, asking};
    int deaths = 0, by_status[CTN_STATUS_COUNT] = {0};
    uint64_t only = getenv("SIM_SEED") ? strtoull(getenv("SIM_SEED"), NULL, 10) : 0;
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : 1500); seed++) {
        sim_options o = {.seed = seed, .chain = chains[seed % 4], .die_before_commit = -1, .die_after_commit = -1,
                         .fault_percent = (int) (seed / 4 % 5) * 10, .die_chance_percent = (int) (seed / 20 % 4) * 3,
                         .commit_fails_percent = (int) (seed / 80 % 3) * 10,
                         .cancel_at_ms = seed % 7 == 0 ? 1 + (int) (seed % 60) : 0};
        sim *s = sim_new(&o);
        by_status[sim_run(s)]++;
        deaths += sim_deaths(s);
        for (const char *const *w = (const char *const[]){"write_a", "write_b", "write_d", "write_f", "write_h", "write_l", NULL}; *w; w++)
            assert_true(sim_effects_of_one_key(s, *w) <= 1);
        sim_free(s);
    }
    printf("  1,500 worlds, %d deaths: %d completed, %d failed, %d rolled back, %d rollback failed, %d cancelled\n", deaths,
           by_status[CTN_STATUS_COMPLETED], by_status[CTN_STATUS_FAILED], by_status[CTN_STATUS_ROLLED_BACK],
           by_status[CTN_STATUS_ROLLBACK_FAILED], by_status[CTN_STATUS_CANCELLED]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_chain_does_everything_once_wherever_we_die),
        cmocka_unit_test(parallel_steps_and_calls_do_everything_once_wherever_we_die),
        cmocka_unit_test(a_failed_saga_is_undone_wherever_we_die),
        cmocka_unit_test(a_write_without_a_check_parks_and_is_never_repeated),
        cmocka_unit_test(random_worlds_keep_the_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
