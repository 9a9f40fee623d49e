/*
 * verbs.c -- the table of verbs: what each is called, what it takes, what it is for.
 */
#include "cli/cli.h"

#define PLACE (CTN_OPT_BIT(CTN_OPT_CONFIG) | CTN_OPT_BIT(CTN_OPT_STORE))
#define READS (PLACE | CTN_OPT_BIT(CTN_OPT_JSON))
#define RUNS  (READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_OUTPUT) | CTN_OPT_BIT(CTN_OPT_REVEAL))
#define INPUTS                                                                                                         \
    (CTN_OPT_BIT(CTN_OPT_SET_INPUT) | CTN_OPT_BIT(CTN_OPT_INPUT) | CTN_OPT_BIT(CTN_OPT_KEY) |                          \
     CTN_OPT_BIT(CTN_OPT_LABEL))

#define REUSES                                                                                                         \
    (CTN_OPT_BIT(CTN_OPT_SET_INPUT) | CTN_OPT_BIT(CTN_OPT_INPUT) | CTN_OPT_BIT(CTN_OPT_KEY) |                          \
     CTN_OPT_BIT(CTN_OPT_WRITE))

#define ABOUT_CHAIN                                                                                                    \
    "CHAIN is a file, the id of a chain in the files that the configuration includes, or the id of a stored chain."
#define ABOUT_ID "ID is an execution's id, or as much of its beginning (4 characters at least) as no other has."
#define ABOUT_FOLLOW                                                                                                   \
    "Progress goes to stderr; stdout gets one JSON document:\n"                                                        \
    "{\"executionId\",\"chain\",\"version\",\"status\",\"outputs\",\"error\",\"durationMs\"}, on one line with "       \
    "--json.\n"                                                                                                        \
    "Exit: 0 completed; 1 ended otherwise; 2 wrong use, configuration or definition; 3 waits for somebody;\n"          \
    "130 after Ctrl-C, which leaves the execution to be resumed (a second Ctrl-C exits at once)."

const ctn_verb ctn_verbs[] = {
    {.name = "run",
     .operands = "CHAIN [-i NAME=VALUE]...",
     .summary = "Run a chain to its end and print the result",
     .details = ABOUT_CHAIN "\n\n" ABOUT_FOLLOW,
     .options = RUNS | INPUTS,
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_run},
    {.name = "start",
     .operands = "CHAIN [-i NAME=VALUE]...",
     .summary = "Queue an execution for the store's owner and print its id",
     .details = ABOUT_CHAIN "\nWithout an owner it stays queued until `catena serve` or `catena resume` takes it.",
     .options = READS | INPUTS | CTN_OPT_BIT(CTN_OPT_QUIET),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_start},
    {.name = "serve",
     .operands = "",
     .summary = "Own the store and advance everything in it until a signal comes",
     .details =
         "Ends on SIGINT or SIGTERM: starts nothing new, gives calls in flight 5 s, leaves everything to be resumed.",
     .options = PLACE | CTN_OPT_BIT(CTN_OPT_JSON) | CTN_OPT_BIT(CTN_OPT_QUIET),
     .run = ctn_verb_serve},
    {.name = "check",
     .operands = "[FILE]...",
     .summary = "Say what is wrong with chains and instruction sets",
     .details =
         "Without FILE, everything that the configuration includes. Exit: 0 without an error, 2 with one.\n"
         "--tools starts the servers whose tools are named; one that cannot be asked is an error of each of them.\n"
         "Where a tool declares no output, results that the store has of it fill in, for warnings only.\n"
         "--fix writes names that are surely meant in place of misspelt ones, and spaces in place of tabs that\n"
         "indent. It says what it did, and leaves alone what would not be better.",
     .options = PLACE | CTN_OPT_BIT(CTN_OPT_FORMAT) | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_TOOLS) |
                CTN_OPT_BIT(CTN_OPT_FIX) | CTN_OPT_BIT(CTN_OPT_EXPLAIN),
     .words_max = SIZE_MAX,
     .run = ctn_verb_check},
    {.name = "schema",
     .operands = "chain|sets|config",
     .summary = "Print the JSON Schema of chain files, instruction-set files or catena.yaml, for editors",
     .details =
         "The same files are installed in share/catena/schema. In YAML, an editor finds one by a first line like\n"
         "# yaml-language-server: $schema=/usr/local/share/catena/schema/chain.schema.json",
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_schema},
    {.name = "graph",
     .operands = "CHAIN|ID",
     .summary = "Draw a chain, or how far an execution of it is: SVG, Mermaid or Graphviz on stdout",
     .details = ABOUT_CHAIN
     "\n" ABOUT_ID " (8 characters here)\n"
     "--format svg (the default) is a file for a browser, mermaid and dot are text for those programs.\n"
     "A chain with errors is not drawn: they are told, as `check` does. Exit 2 then.",
     .options = PLACE | CTN_OPT_BIT(CTN_OPT_FORMAT),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_graph},
    {.name = "simulate",
     .operands = "CHAIN [-i NAME=VALUE]...",
     .summary = "Say what can go wrong in a chain: simulated tools, crashes and faults at every boundary",
     .details = ABOUT_CHAIN
     "\n\nThe real engine runs the chain on a virtual clock, in many worlds: first with each single fault, then with\n"
     "faults by chance. No tool is called. Within the fault model: any number of transient faults and crashes, at\n"
     "most one tool that fails for good, never one that undoes or checks; what lies outside is a note.\n"
     "Inputs are made from inputSchema, or from what reads them; -i fixes them.\n"
     "Exit: 0 nothing bad is reachable; 1 something is; 2 wrong use, configuration or definition.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_SET_INPUT) | CTN_OPT_BIT(CTN_OPT_INPUT) |
                CTN_OPT_BIT(CTN_OPT_SEEDS) | CTN_OPT_BIT(CTN_OPT_SEED) | CTN_OPT_BIT(CTN_OPT_TOOLS) |
                CTN_OPT_BIT(CTN_OPT_RECORDED),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_simulate},
    {.name = "test",
     .operands = "FILE...",
     .summary = "Run the test cases of chains: canned tools, skipped time, expected outcome",
     .details =
         "A FILE names a chain and cases: input, what its tools answer, what people say, and what must come of it\n"
         "(docs/simulate.md). No tool is called; a wait is over at once.\n"
         "Exit: 0 all passed; 1 some failed; 2 wrong use, or a file that says what it may not.",
     .options = CTN_OPT_BIT(CTN_OPT_CONFIG) | CTN_OPT_BIT(CTN_OPT_JSON) | CTN_OPT_BIT(CTN_OPT_QUIET) |
                CTN_OPT_BIT(CTN_OPT_JUNIT),
     .words_min = 1,
     .words_max = SIZE_MAX,
     .run = ctn_verb_test},
    {.name = "list",
     .operands = "",
     .summary = "List executions, newest first",
     .options = READS | CTN_OPT_BIT(CTN_OPT_CHAIN) | CTN_OPT_BIT(CTN_OPT_STATUS) | CTN_OPT_BIT(CTN_OPT_LIMIT),
     .run = ctn_verb_list},
    {.name = "schedules",
     .operands = "",
     .summary = "List the chains that `serve` starts by the clock, and when next",
     .options = READS,
     .run = ctn_verb_schedules},
    {.name = "show",
     .operands = "ID",
     .summary = "Show an execution and its steps",
     .details = ABOUT_ID,
     .options = READS | CTN_OPT_BIT(CTN_OPT_OUTPUT) | CTN_OPT_BIT(CTN_OPT_REVEAL),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_show},
    {.name = "history",
     .operands = "ID",
     .summary = "Show the journal of an execution: what was decided, by whom, when",
     .details = ABOUT_ID,
     .options = READS | CTN_OPT_BIT(CTN_OPT_REVEAL),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_history},
    {.name = "why",
     .operands = "ID VARIABLE[.PATH] | STEP",
     .summary = "Explain where a value came from, or why a step did what it did",
     .details = ABOUT_ID
     "\nA value is walked back through templates, tools' answers and inputs to where it came from. A step is\n"
     "explained by its condition with the values it read, and by everything that happened to it.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_STEP) | CTN_OPT_BIT(CTN_OPT_VARIABLE) | CTN_OPT_BIT(CTN_OPT_AT),
     .words_min = 1,
     .words_max = 2,
     .run = ctn_verb_why},
    {.name = "timeline",
     .operands = "ID",
     .summary = "Draw the attempts of an execution over time",
     .details = ABOUT_ID "\nOne row an attempt: dots are back-off, dashes waiting, a thin bar one whose start is not "
                         "recorded.\nAs wide as the terminal, else as COLUMNS says. --json gives all rows, also "
                         "items that are folded here.",
     .options = READS,
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_timeline},
    {.name = "watch",
     .operands = "ID",
     .summary = "Follow an execution that another process advances",
     .details = ABOUT_ID "\nIt watches and nothing else: Ctrl-C ends the watching, not the execution.\n\n" ABOUT_FOLLOW,
     .options = RUNS,
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_watch},
    {.name = "resume",
     .operands = "ID [--retry | --succeed JSON | --fail [--not-happened]]",
     .summary = "Go on with an execution that was left, paused, parked or interrupted",
     .details =
         ABOUT_ID "\nAn interrupted call needs a word from you: --retry when it did not happen, --succeed with its\n"
                  "result when it did, --fail to give it up.\n\n" ABOUT_FOLLOW,
     .options = RUNS | CTN_OPT_BIT(CTN_OPT_STEP) | CTN_OPT_BIT(CTN_OPT_RETRY) | CTN_OPT_BIT(CTN_OPT_SUCCEED) |
                CTN_OPT_BIT(CTN_OPT_FAIL) | CTN_OPT_BIT(CTN_OPT_NOT_HAPPENED) | CTN_OPT_BIT(CTN_OPT_REASON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_resume},
    {.name = "rerun",
     .operands = "ID --from STEP [-i NAME=VALUE]... [--write STEP]...",
     .summary = "Do a step of an ended execution again, in a new one that reuses the rest",
     .details = ABOUT_ID
     "\nDone again are STEP, what never came to its end or was undone, and all that reads a variable which one of\n"
     "those sets or an input that -i changes. Everything else is reused as it was recorded. A step that wrote is\n"
     "done again only if it is named, by --from or --write; else this is refused with the command to "
     "use.\n\n" ABOUT_FOLLOW,
     .options = RUNS | REUSES | CTN_OPT_BIT(CTN_OPT_FROM),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_rerun},
    {.name = "fork",
     .operands = "ID [-i NAME=VALUE]... [--chain CHAIN] [--write STEP]...",
     .summary = "Run an ended execution on with other inputs or a newer definition, reusing the rest",
     .details = ABOUT_ID
     "\nDone again are the steps that are new or another in CHAIN, and what reads a changed input or a variable that\n"
     "one of those sets; the rest is as with rerun. Without --chain the definitions are those of ID.\n\n" ABOUT_FOLLOW,
     .options = RUNS | REUSES | CTN_OPT_BIT(CTN_OPT_CHAIN),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_fork},
    {.name = "answer",
     .operands = "ID STEP JSON",
     .summary = "Answer a step that waits, and go on",
     .details =
         ABOUT_ID "\nAn approval is answered with {\"approved\": true} or {\"approved\": false}. The first answer "
                  "stands.\n\n" ABOUT_FOLLOW,
     .options = RUNS,
     .words_min = 3,
     .words_max = 3,
     .run = ctn_verb_answer},
    {.name = "set",
     .operands = "ID NAME=VALUE",
     .summary = "Change a variable of a paused, waiting or interrupted execution",
     .details = ABOUT_ID "\nNAME=TEXT or NAME:=JSON, as with -i of `run`.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET),
     .words_min = 2,
     .words_max = 2,
     .run = ctn_verb_set},
    {.name = "cancel",
     .operands = "ID",
     .summary = "Cancel an execution; what it has done is undone where the chain says how",
     .details = ABOUT_ID "\nExit 0 once it has ended cancelled or rolled back.",
     .options = RUNS | CTN_OPT_BIT(CTN_OPT_REASON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_cancel},
    {.name = "pause",
     .operands = "ID",
     .summary = "Let an execution start nothing new until it is resumed",
     .details = ABOUT_ID,
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_REASON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_pause},
    {.name = "export",
     .operands = "ID [--output FILE] [--reveal]",
     .summary = "Write one execution as a file that proves itself",
     .details = ABOUT_ID
     "\nOne JSON object a line: the row, the definitions it was run with, its whole journal with the hashes, the end.\n"
     "Sensitive values are left out; what stands for them is a commitment that the hashes cover. With --reveal they\n"
     "are in it, each with the salt that proves it. A damaged execution is exported as it stands.\n"
     "`catena verify FILE` proves the file without a store or a key.",
     .options = PLACE | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_OUTPUT) | CTN_OPT_BIT(CTN_OPT_FORCE) |
                CTN_OPT_BIT(CTN_OPT_REVEAL),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_export},
    {.name = "verify",
     .operands = "FILE|-",
     .summary = "Prove an exported execution, offline",
     .details =
         "Hashes, definitions, and that the journal folds to what the head says. Whoever makes a whole file anew can\n"
         "make one that holds together: compare the hash that is printed with one you kept.\n"
         "Exit: 0 proven; 1 there are findings; 2 it cannot be read.",
     .options = CTN_OPT_BIT(CTN_OPT_JSON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_verify},
    {.name = "chains import",
     .operands = "FILE...",
     .summary = "Put chains into the store, each under its id and a version",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET),
     .words_min = 1,
     .words_max = SIZE_MAX,
     .run = ctn_verb_chains_import},
    {.name = "chains list",
     .operands = "",
     .summary = "List chains: the configuration's and the store's",
     .options = READS,
     .run = ctn_verb_chains_list},
    {.name = "chains show",
     .operands = "CHAIN",
     .summary = "Show a chain: its inputs, steps and outputs",
     .details = ABOUT_CHAIN,
     .options = READS,
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_chains_show},
    {.name = "tools list",
     .operands = "[SERVER]",
     .summary = "List the tools of the configured servers",
     .options = CTN_OPT_BIT(CTN_OPT_CONFIG) | CTN_OPT_BIT(CTN_OPT_JSON),
     .words_max = 1,
     .run = ctn_verb_tools_list},
    {.name = "tools call",
     .operands = "SERVER/TOOL [JSON]",
     .summary = "Call a tool once, outside any chain, and print its result",
     .options = CTN_OPT_BIT(CTN_OPT_CONFIG) | CTN_OPT_BIT(CTN_OPT_JSON) | CTN_OPT_BIT(CTN_OPT_QUIET),
     .words_min = 1,
     .words_max = 2,
     .run = ctn_verb_tools_call},
    {.name = "store init",
     .operands = "",
     .summary = "Make an empty store",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET),
     .run = ctn_verb_store_init},
    {.name = "store migrate",
     .operands = "",
     .summary = "Bring a store of an older catena up to this one",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET),
     .run = ctn_verb_store_migrate},
    {.name = "store backup",
     .operands = "FILE",
     .summary = "Copy the store as it is now into one file, also while it is in use",
     .details =
         "Everything acknowledged before it began is in the copy, which is on disk when it is said to be done. To\n"
         "restore, put the file where the store is wanted; calls made after the backup are not known to it.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_FORCE),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_store_backup},
    {.name = "store export",
     .operands = "ID [--output FILE] [--reveal]",
     .summary = "The same as `export`",
     .details = ABOUT_ID "\nSee: catena help export",
     .options = PLACE | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_OUTPUT) | CTN_OPT_BIT(CTN_OPT_FORCE) |
                CTN_OPT_BIT(CTN_OPT_REVEAL),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_export},
    {.name = "store verify",
     .operands = "[FILE]",
     .summary = "Check everything in the store: journals, cached rows, definitions, the audit log, the file",
     .details =
         "Nothing is written, and an owner may work meanwhile. Each finding is a line on stdout, with --json an\n"
         "object {executionId, seq, rule, what} of \"findings\".\n"
         "Exit: 0 sound; 1 there are findings; 2 it cannot be read.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_QUICK),
     .words_max = 1,
     .run = ctn_verb_store_verify},
    {.name = "store audit",
     .operands = "",
     .summary = "List what people did to the store: imports, backups, exports, migrations",
     .details = "With --json one object a line, oldest first. What was done to one execution is in its history.",
     .options = READS,
     .run = ctn_verb_store_audit},
    {.name = "store quarantine",
     .operands = "",
     .summary = "List executions that are damaged and kept out of the others' way",
     .details = "An execution that does not read back is put there when it is met; everything else goes on.",
     .options = READS,
     .run = ctn_verb_store_quarantine},
    {.name = "store release",
     .operands = "ID",
     .summary = "Let an execution that was damaged, and is repaired, go on",
     .details = ABOUT_ID "\nRefused as long as it does not read back.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_REASON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_store_release},
    {.name = "store discard",
     .operands = "ID",
     .summary = "Give a damaged execution up: it ends failed, and what waits for it goes on",
     .details = ABOUT_ID "\nNothing is undone, and nothing of its journal is changed. Executions queued behind it take "
                         "their turn,\nand a chain whose step it was sees that step fail.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_REASON),
     .words_min = 1,
     .words_max = 1,
     .run = ctn_verb_store_discard},
    {.name = "store prune",
     .operands = "[--older-than SPAN] [--status STATUS]...",
     .summary = "Remove executions that ended long ago, and give their space back",
     .details =
         "Whole trees only: an execution with all its sub-chains, when all have ended. `serve` does the same by\n"
         "itself, for what `retention` of catena.yaml says; this may run beside it. An idempotency key of one\n"
         "that is gone is free again.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_OLDER_THAN) | CTN_OPT_BIT(CTN_OPT_STATUS) |
                CTN_OPT_BIT(CTN_OPT_DRY_RUN),
     .run = ctn_verb_store_prune},
    {.name = "store rekey",
     .operands = "",
     .summary = "Make a new master key for sensitive values, and wrap every execution's key with it",
     .details = "Runs beside the store's owner. The old keys stay in the key file until a second run with --drop-old,\n"
                "which adds none and removes those that wrap nothing any more. Keep a copy of the file.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_DROP_OLD),
     .run = ctn_verb_store_rekey},
    {.name = "store shred",
     .operands = "ID | --label NAME=VALUE",
     .summary = "Make the sensitive values of ended executions unreadable, for good",
     .details =
         ABOUT_ID "\nThe key of each execution, of its sub-chains too, is deleted, and its bytes with it. The\n"
                  "journal stays whole and verifies. Reruns, forks and what onFailure started are executions of\n"
                  "their own; --label finds all that have it. Exit 1 when some with the label have not ended.",
     .options = READS | CTN_OPT_BIT(CTN_OPT_QUIET) | CTN_OPT_BIT(CTN_OPT_LABEL),
     .words_max = 1,
     .run = ctn_verb_store_shred},
    {.name = "version",
     .operands = "",
     .summary = "Print the version",
     .options = CTN_OPT_BIT(CTN_OPT_JSON),
     .run = ctn_verb_version},
    {.name = "help",
     .operands = "[VERB|RULE]",
     .summary = "Explain a command, or a rule of check",
     .words_max = 2,
     .run = ctn_verb_help},
};
const size_t ctn_verb_count = sizeof ctn_verbs / sizeof *ctn_verbs;
