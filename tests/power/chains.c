#include "power/chains.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

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

static const char trip[] = "id: trip\n"
                           "steps:\n"
                           "  - {stepName: flight, instructionSet: flight, outputVariables: {f: value}}\n"
                           "instructionSets:\n"
                           "  flight: {tool: sim/write_f, check: {tool: sim/check_f}, settleMs: 1000}\n";

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
    assert_int_equal(sim_effects(s, "idem_say"), 1);
    assert_int_equal(sim_entries(s, CTN_ENTRY_CHILD_STARTED), 1);
}

const power_chain power_chains[] = {
    {"straight", straight, NULL, CTN_STATUS_COMPLETED, straight_did_all_once},
    {"undone", undone, NULL, CTN_STATUS_ROLLED_BACK, undone_is_undone},
    {"beside", beside, NULL, CTN_STATUS_COMPLETED, beside_did_all_once},
    {"calling", calling, trip, CTN_STATUS_COMPLETED, calling_did_all_once},
};
const size_t power_chain_count = sizeof power_chains / sizeof power_chains[0];
