/*
 * project_first.c -- the smallest project: a configuration with comments, a chain that needs no server, and its test.
 */
#include "cli/project.h"

static const char CONFIG[] = "# What `catena` finds in this folder. Paths are relative to this file.\n"
                             "store: sqlite:catena.db   # what happened, and what is still to be done\n"
                             "\n"
                             "include:\n"
                             "  - chains/*.yaml         # chains, with the instruction sets that they name\n"
                             "\n"
                             "# Tools come from MCP servers, programs or addresses; a set names one of their tools as "
                             "SERVER/TOOL.\n"
                             "# servers:\n"
                             "#   notes: {command: notes-server, args: [--folder, notes]}\n"
                             "#   desk: {url: \"https://tools.example.com/mcp\"}\n"
                             "\n"
                             "# A chain that calls values `sensitive` needs a key; the file is made at first use.\n"
                             "# sealing: {key: {file: catena.key}}\n";

static const char CHAIN[] =
    "# A first chain: it asks if it is told to be careful, rests, and greets. No server is needed.\n"
    "id: hello\n"
    "name: A first chain\n"
    "inputSchema:\n"
    "  type: object\n"
    "  required: [name]\n"
    "  properties:\n"
    "    name: {type: string, minLength: 1, description: who is greeted}\n"
    "    careful: {type: boolean, default: false, description: ask somebody first}\n"
    "# Expressions over what the steps have given; a step that was skipped has given nothing.\n"
    "outputs:\n"
    "  greeting: \"{approved} == false ? 'Nobody was greeted.' : 'Hello, ' + {name} + '!'\"\n"
    "steps:\n"
    "  - stepName: allow\n"
    "    instructionSet: desk-yes\n"
    "    conditionalExecution: \"{careful}\"\n"
    "    outputVariables: [approved]\n"
    "\n"
    "  # Kill it here: `catena resume` goes on, and the second counts from when it began.\n"
    "  - stepName: rest\n"
    "    instructionSet: one-second\n"
    "\n"
    "# How the work is done. Sets that several chains use may stand in a file of their own.\n"
    "instructionSets:\n"
    "  desk-yes: {approval: {message: \"Greet {name}?\", timeoutMs: 86400000}}   # a day, then it fails\n"
    "  one-second: {wait: {ms: 1000}}\n";

static const char TEST[] = "# catena test tests/*.test.yaml\n"
                           "chain: ../chains/hello.yaml\n"
                           "config: ../catena.yaml\n"
                           "\n"
                           "cases:\n"
                           "  - name: who is named is greeted\n"
                           "    input: {name: Ann}\n"
                           "    expect:\n"
                           "      status: completed\n"
                           "      outputs: {greeting: \"Hello, Ann!\"}\n"
                           "      steps: {allow: skipped, rest: completed}\n"
                           "\n"
                           "  - name: a name is text, whatever stands in it\n"
                           "    input: {name: \"{careful}\"}\n"
                           "    expect:\n"
                           "      outputs: {greeting: \"Hello, {careful}!\"}\n"
                           "\n"
                           "  - name: the careful ask, and a no is a no\n"
                           "    input: {name: Bob, careful: true}\n"
                           "    answers: {allow: false}\n"
                           "    expect:\n"
                           "      status: completed\n"
                           "      outputs: {greeting: Nobody was greeted.}\n"
                           "\n"
                           "  - name: nobody answers for a day\n"
                           "    input: {name: Bob, careful: true}\n"
                           "    expect:\n"
                           "      error: {code: timeout, step: allow}\n"
                           "      steps: {rest: pending}\n";

static const char IGNORED[] = "*.db\n*.db-*\n*.key\n";

ctn_project ctn_project_first(ctn_arena *arena)
{
    const ctn_project_file files[] = {
        {.path = CTN_STR("catena.yaml"), .text = ctn_str_from(CONFIG)},
        {.path = CTN_STR("chains/hello.yaml"), .text = ctn_str_from(CHAIN)},
        {.path = CTN_STR("tests/hello.test.yaml"), .text = ctn_str_from(TEST)},
        {.path = CTN_STR(".gitignore"), .text = ctn_str_from(IGNORED), .may_be_there = true},
    };
    ctn_project project = {ctn_arena_alloc(arena, sizeof files), sizeof files / sizeof *files};
    memcpy(project.files, files, sizeof files);
    return project;
}
