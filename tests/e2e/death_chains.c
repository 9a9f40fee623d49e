/*
 * death_chains.c -- the chains that die: writes with and without a check, what may be repeated, undoing, steps side by
 * side, items of a list, a chain in a chain.
 */
#include "death_trial.h"

#include <string.h>

const char death_sets_text[] =
    "instructionSets:\n"
    "  look: {tool: one/read_line, arguments: {line: look}}\n"
    "  keep: {tool: one/idempotent_line, arguments: {line: '{input}'}}\n"
    "  book: {tool: one/write_line, arguments: {line: '{input}'}, check: {tool: one/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  send: {tool: one/write_line, arguments: {line: '{input}'}}\n"
    "  other-book: {tool: two/write_line, arguments: {line: '{input}'}, check: {tool: two/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  other-send: {tool: two/write_line, arguments: {line: '{input}'}}\n"
    "  unsend: {tool: one/write_line, arguments: {line: back}, check: {tool: one/check_line, arguments: {key: "
    "'{step.key}'}}}\n"
    "  unkeep: {tool: one/idempotent_line, arguments: {line: back}}\n"
    "  refuse: {tool: one/fail, arguments: {message: no rooms left}}\n"
    "  with-child: {chain: child, arguments: {word: '{input}'}}\n";

#define RETRY "retryConfig: {maxRetries: 3, backoffMs: 5}"

const death_chain death_chains[] = {
    {"checked",
     "id: checked\n"
     "outputs: [a, e]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: book_more, instructionSet: book, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{c}', outputVariables: {e: line}, " RETRY "}\n",
     "completed"},
    {"unchecked",
     "id: unchecked\n"
     "outputs: [a, e]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: send_more, instructionSet: send, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{c}', outputVariables: {e: line}, " RETRY "}\n",
     "completed"},
    {"idempotent",
     "id: idempotent\n"
     "outputs: [c]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: keep_more, instructionSet: keep, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n",
     "completed"},
    {"undone",
     "id: undone\n"
     "steps:\n"
     "  - {stepName: hold, instructionSet: book, inputTemplate: hold, outputVariables: {a: line}, rollbackAction: "
     "unsend, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{a}', outputVariables: {b: line}, rollbackAction: "
     "unkeep, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{b}', outputVariables: {c: line}, rollbackAction: "
     "unsend, " RETRY "}\n"
     "  - {stepName: refuse, instructionSet: refuse, inputTemplate: '{c}', " RETRY "}\n",
     "rolled_back"},
    {"parallel",
     "id: parallel\n"
     "outputs: [e]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: a, outputVariables: {a: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: b, outputVariables: {b: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: other, instructionSet: other-book, inputTemplate: c, outputVariables: {c: line}, "
     "parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: more, instructionSet: other-send, inputTemplate: d, outputVariables: {d: line}, "
     "parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: e, outputVariables: {e: line}, parallelExecution: "
     "true, " RETRY "}\n"
     "  - {stepName: last, instructionSet: look, inputTemplate: '{a}{b}{c}{d}{e}', outputVariables: {f: line}, " RETRY
     "}\n",
     "completed"},
    {"foreach",
     "id: foreach\n"
     "outputs: [count]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, foreach: {items: {range: [0, 4]}, maxConcurrency: 2}, inputTemplate: "
     "'n{item}', outputVariables: {lines: line}, " RETRY "}\n"
     "  - {stepName: send, instructionSet: other-send, foreach: {items: {range: [0, 3]}, maxConcurrency: 3}, "
     "inputTemplate: 'n{item}', outputVariables: {more: line}, " RETRY "}\n"
     "  - {stepName: last, instructionSet: keep, inputTemplate: all, outputVariables: {count: "
     "line}, " RETRY "}\n",
     "completed"},
    {"parent",
     "id: parent\n"
     "outputs: [word]\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: x, outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: hand_on, instructionSet: with-child, inputTemplate: child, outputVariables: [word]}\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: '{a}{word}', outputVariables: {b: line}, " RETRY "}\n",
     "completed"},
    {"lone",
     "id: lone\n"
     "steps:\n"
     "  - {stepName: send, instructionSet: send, inputTemplate: a, outputVariables: {a: line}, " RETRY "}\n",
     "completed"},
};
const size_t death_chain_count = sizeof death_chains / sizeof *death_chains;

const death_chain death_travel_chain = {"mobile-lead-processing", "", "completed"};

const char death_child_text[] =
    "id: child\n"
    "inputSchema: {type: object, required: [word], properties: {word: {type: string}}}\n"
    "outputs: [word]\n"
    "steps:\n"
    "  - {stepName: inner_book, instructionSet: book, inputTemplate: '{word}', outputVariables: {a: line}, " RETRY "}\n"
    "  - {stepName: inner_send, instructionSet: send, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n";

const death_chain *death_chain_named(const char *name)
{
    for (size_t i = 0; i < death_chain_count; i++)
        if (strcmp(death_chains[i].name, name) == 0)
            return &death_chains[i];
    fail_msg("no chain %s", name);
    return NULL;
}
