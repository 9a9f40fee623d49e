/* Sub-chains whose engine is killed before and after every commit: each is started once, told once, undone once. */
#include "sim/chains.h"
#include "support/cmocka.h"

static const char failing_trip[] =
    "id: trip\n"
    "steps:\n"
    "  - {stepName: flight, instructionSet: flight, outputVariables: {f: value}, rollbackAction: no-flight, "
    "retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "  - {stepName: pay, instructionSet: pay}\n"
    "instructionSets:\n"
    "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n"
    "  no-flight: {tool: sim/undo_f, arguments: {what: '{input}'}}\n"
    "  pay: {tool: sim/fail_p}\n";

static const char undoing[] = "id: undoing\n"
                              "rollbackEnabled: true\n"
                              "steps:\n"
                              "  - {stepName: trip, instructionSet: trip, outputVariables: {t: f}}\n"
                              "  - {stepName: pay, instructionSet: pay}\n"
                              "instructionSets:\n"
                              "  trip: {chain: trip, arguments: {}}\n"
                              "  pay: {tool: sim/fail_p}\n";

static const char many[] = "id: many\n"
                           "steps:\n"
                           "  - {stepName: trip, instructionSet: trip, outputVariables: {t: f}, foreach: {items: "
                           "{range: [0, 4]}, maxConcurrency: 2}}\n"
                           "  - {stepName: say, instructionSet: say, inputTemplate: '{t}'}\n"
                           "instructionSets:\n"
                           "  trip: {chain: trip, arguments: {}}\n"
                           "  say: {tool: sim/idem_say}\n";

static void a_child_works_once_and_its_end_arrives_wherever_we_die(void **state)
{
    (void) state;
    assert_true(sim_kill_everywhere(&sim_calling, 10) >= 10);
}

static void flown_and_undone_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_f"), 1);
    assert_int_equal(sim_effects(s, "undo_f"), 1);
}

static void a_completed_child_is_undone_with_its_parent_wherever_we_die(void **state)
{
    (void) state;
    sim_chain chain = {"undoing", undoing, sim_calling.child, CTN_STATUS_ROLLED_BACK, flown_and_undone_once};
    assert_true(sim_kill_everywhere(&chain, 10) >= 10);
}

static void a_failing_child_undoes_itself_before_its_parent_hears_of_it(void **state)
{
    (void) state;
    sim_chain chain = {"failing child", sim_calling.yaml, failing_trip, CTN_STATUS_FAILED, flown_and_undone_once};
    assert_true(sim_kill_everywhere(&chain, 10) >= 8);
}

static void flown_four_times(sim *s)
{
    assert_int_equal(sim_effects(s, "write_f"), 4);
    assert_int_equal(sim_effects_of_one_key(s, "write_f"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_CHILD_STARTED), 4);
}

static void children_of_items_work_once_each_wherever_we_die(void **state)
{
    (void) state;
    sim_chain chain = {"many", many, sim_calling.child, CTN_STATUS_COMPLETED, flown_four_times};
    assert_true(sim_kill_everywhere(&chain, 10) >= 10);
}

/* Nothing holds the child back when its parent is cancelled, and nothing of it stays behind. */
static void a_cancel_reaches_the_children(void **state)
{
    (void) state;
    int undone = 0;
    for (int at = 1; at < 40; at++) {
        sim *s = sim_new(
            &(sim_options){.seed = (uint64_t) at, .chain = undoing, .child = sim_calling.child, .cancel_at_ms = at});
        ctn_status status = sim_run(s);
        assert_true(status == CTN_STATUS_ROLLED_BACK);
        assert_int_equal(sim_effects(s, "write_f"), sim_effects(s, "undo_f"));
        undone += sim_effects(s, "undo_f");
        sim_free(s);
    }
    assert_true(undone > 5);
}

static void chance_finds_no_child_that_worked_twice(void **state)
{
    (void) state;
    int deaths = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        sim *s = sim_new(&(sim_options){.seed = seed,
                                        .chain = seed % 2 ? undoing : many,
                                        .child = sim_calling.child,
                                        .die_chance_percent = 8,
                                        .commit_fails_percent = 5,
                                        .executions = seed % 3 == 0 ? 3 : 1,
                                        .fault_percent = 10});
        (void) sim_run(s);
        deaths += sim_deaths(s);
        assert_true(sim_effects_of_one_key(s, "write_f") <= 1);
        sim_free(s);
    }
    assert_true(deaths > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_works_once_and_its_end_arrives_wherever_we_die),
        cmocka_unit_test(a_completed_child_is_undone_with_its_parent_wherever_we_die),
        cmocka_unit_test(a_failing_child_undoes_itself_before_its_parent_hears_of_it),
        cmocka_unit_test(children_of_items_work_once_each_wherever_we_die),
        cmocka_unit_test(a_cancel_reaches_the_children),
        cmocka_unit_test(chance_finds_no_child_that_worked_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
