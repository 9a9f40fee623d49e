/*
 * step.h -- the peers' chain: five no-op steps in a row, each of which takes the object of the one before and returns
 * the next.
 *
 * {"chain": 17, "step": 3, "total": 6, "pad": "xxx..."}: about 200 bytes as JSON.
 */
#pragma once
#include "base/json.h"

#define BENCH_STEPS 5
/* It in YAML: what its first set holds, and what the set of the other four holds. */
#define BENCH_CHAIN(id, first, next)                                                                                   \
    "id: " id "\n"                                                                                                     \
    "outputs: [state]\n"                                                                                               \
    "steps:\n"                                                                                                         \
    "  - {stepName: one, instructionSet: first, outputVariables: [state]}\n"                                           \
    "  - {stepName: two, instructionSet: next, outputVariables: [state]}\n"                                            \
    "  - {stepName: three, instructionSet: next, outputVariables: [state]}\n"                                          \
    "  - {stepName: four, instructionSet: next, outputVariables: [state]}\n"                                           \
    "  - {stepName: five, instructionSet: next, outputVariables: [state]}\n"                                           \
    "instructionSets:\n"                                                                                               \
    "  first: {" first "}\n"                                                                                           \
    "  next: {" next "}\n"
#define BENCH_FIRST "arguments: {chain: \"{chain}\"}"
#define BENCH_NEXT  "arguments: {chain: \"{chain}\", previous: \"{state}\"}"

/* args: {"chain": N, "previous": the object before it (absent at the first step)}. Gives {"state": the next object};
 * borrows from args. */
const ctn_json *bench_step(ctn_arena *arena, const ctn_json *args);
