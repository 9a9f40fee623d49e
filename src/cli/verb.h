/*
 * verb.h -- what the ctn_verbs of several verbs have in common: options that come together, and paragraphs of help.
 */
#pragma once
#include "cli/cli.h"

/* Where it works; and looks there; and runs something there and tells what came of it. */
#define CTN_OPTS_PLACE (CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(STORE))
#define CTN_OPTS_READ  (CTN_OPTS_PLACE | CTN_OPT_BIT(JSON))
#define CTN_OPTS_RUN   (CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(OUTPUT) | CTN_OPT_BIT(REVEAL))
/* What an execution is started with. */
#define CTN_OPTS_INPUT (CTN_OPT_BIT(SET_INPUT) | CTN_OPT_BIT(INPUT) | CTN_OPT_BIT(KEY))

#define CTN_ABOUT_CHAIN                                                                                                \
    "CHAIN is a file, the id of a chain in the files that the configuration includes, or the id of a stored chain."
#define CTN_ABOUT_ID "ID is an execution's id, or as much of its beginning (4 characters at least) as no other has."
#define CTN_ABOUT_FOLLOW                                                                                               \
    "Progress goes to stderr; stdout gets one JSON document:\n"                                                        \
    "{\"executionId\",\"chain\",\"version\",\"status\",\"outputs\",\"error\",\"durationMs\"}, on one line with "       \
    "--json.\n"                                                                                                        \
    "Exit: 0 completed; 1 ended otherwise; 2 wrong use, configuration or definition; 3 waits for somebody;\n"          \
    "130 after Ctrl-C, which leaves the execution to be resumed (a second Ctrl-C exits at once)."
