#include "sim/chains.h"
#include "support/cmocka.h"

#include <stdio.h>

static const char straight[] =
    "id: straight\n"
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

static const char undone[] =
    "id: undone\n"
    "steps:\n"
    "  - {stepName: flight, instructionSet: flight, outputVariables: {f: value}, rollbackAction: no-flight, "
    "retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "  - {stepName: hotel, instructionSet: hotel, outputVariables: {h: value}, rollbackAction: no-hotel, "
    "retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "  - {stepName: pay, instructionSet: pay, outputVariables: {p: value}}\n"
    "instructionSets:\n"
    "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n"
    "  hotel: {tool: sim/write_h, check: {tool: sim/check_h}, settleMs: 1000}\n"
    "  pay: {tool: sim/fail_p}\n"
    "  no-flight: {tool: sim/undo_f, arguments: {what: '{input}'}}\n"
    "  no-hotel: {tool: sim/undo_h, arguments: {what: '{input}'}}\n";

static const char beside[] =
    "id: beside\n"
    "steps:\n"
    "  - {stepName: first, instructionSet: get, outputVariables: {a: value}}\n"
    "  - {stepName: left, instructionSet: book, parallelExecution: true, inputTemplate: '{a}', outputVariables: {l: "
    "value}}\n"
    "  - {stepName: right, instructionSet: both, parallelExecution: true, inputTemplate: '{a}', outputVariables: {r: "
    "one.value, q: two.value}}\n"
    "  - {stepName: each, instructionSet: send, foreach: {items: {range: [0, 3]}, maxConcurrency: 2}}\n"
    "  - {stepName: last, instructionSet: keep, inputTemplate: '{l} {r}', outputVariables: {z: value}}\n"
    "instructionSets:\n"
    "  get: {tool: sim/read_a}\n"
    "  book: {tool: sim/write_l, check: {tool: sim/check_l}, settleMs: 1000}\n"
    "  both: {calls: {one: {tool: sim/idem_one}, two: {tool: sim/read_two}}}\n"
    "  send: {tool: sim/write_e, check: {tool: sim/check_e}, settleMs: 1000}\n"
    "  keep: {tool: sim/idem_z}\n";

static const char calling[] = "id: calling\n"
                              "steps:\n"
                              "  - {stepName: trip, instructionSet: trip, outputVariables: {t: f}}\n"
                              "  - {stepName: say, instructionSet: say, inputTemplate: '{t}'}\n"
                              "instructionSets:\n"
                              "  trip: {chain: trip, arguments: {}}\n"
                              "  say: {tool: sim/idem_say}\n";

static const char trip[] =
    "id: trip\n"
    "steps:\n"
    "  - {stepName: flight, instructionSet: flight, outputVariables: {f: value}, rollbackAction: no-flight, "
    "retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
    "instructionSets:\n"
    "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n"
    "  no-flight: {tool: sim/undo_f, arguments: {what: '{input}'}}\n";

static void straight_did_all_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_b"), 1);
    assert_int_equal(sim_effects(s, "idem_c"), 1);
    assert_int_equal(sim_effects(s, "write_d"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_COMPLETED), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_INTERRUPTED), 0); /* with a check nothing parks */
}

static void undone_is_undone(sim *s)
{
    assert_int_equal(sim_effects(s, "write_f"), sim_effects(s, "undo_f"));
    assert_int_equal(sim_effects(s, "write_h"), sim_effects(s, "undo_h"));
    assert_true(sim_effects(s, "write_f") <= 1 && sim_effects(s, "write_h") <= 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_ROLLED_BACK), 1);
}

static void beside_did_all_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_l"), 1);
    assert_int_equal(sim_effects(s, "idem_one"), 1);
    assert_int_equal(sim_effects(s, "write_e"), 3);
    assert_int_equal(sim_effects(s, "idem_z"), 1);
}

static void calling_did_all_once(sim *s)
{
    assert_int_equal(sim_effects(s, "write_f"), 1);
    assert_int_equal(sim_effects(s, "undo_f"), 0);
    assert_int_equal(sim_effects(s, "idem_say"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_CHILD_STARTED), 1);
}

const sim_chain sim_straight = {"straight", straight, NULL, CTN_STATUS_COMPLETED, straight_did_all_once};
const sim_chain sim_undone = {"undone", undone, NULL, CTN_STATUS_ROLLED_BACK, undone_is_undone};
const sim_chain sim_beside = {"beside", beside, NULL, CTN_STATUS_COMPLETED, beside_did_all_once};
const sim_chain sim_calling = {"calling", calling, trip, CTN_STATUS_COMPLETED, calling_did_all_once};
const sim_chain *const sim_chains[SIM_CHAIN_COUNT] = {&sim_straight, &sim_undone, &sim_beside, &sim_calling};

int sim_kill_everywhere(const sim_chain *chain, uint64_t seed)
{
    int points = 0;
    for (int after = 0; after < 2; after++)
        for (int nth = 1, died = 1; died; nth++) {
            char about[100];
            snprintf(about, sizeof about, "%s,", chain->name);
            sim *s = sim_new(&(sim_options){.seed = seed + (uint64_t) nth,
                                            .chain = chain->yaml,
                                            .child = chain->child,
                                            .die_before_commit = after ? 0 : nth,
                                            .die_after_commit = after ? nth : 0,
                                            .about = about});
            ctn_status status = sim_run(s);
            died = sim_deaths(s);
            points += died;
            if (status != chain->expected)
                fail_msg("%s dies %s commit %d: %s", chain->name, after ? "after" : "before", nth,
                         ctn_status_name(status));
            chain->check(s);
            sim_free(s);
        }
    printf("  %d deaths\n", points);
    return points;
}
