/*
 * ending.h -- what a command left behind: what it wrote and how it ended, as the result of its call.
 *
 * Ownership  The result's texts and value live in the arena.
 */
#pragma once
#include "drivers/command/said.h"

#define CTN_COMMAND_WORDS_BYTES 2000

typedef struct ctn_command_ending {
    const ctn_json *exit_codes; /* as said */
    bool is_json;
    int exit_status; /* as ctn_spawn_options.exited */
    ctn_str output;  /* of stdout, all of it */
    ctn_str words;   /* of stderr, its end */
} ctn_command_ending;

ctn_call_result ctn_command_result(ctn_arena *arena, const ctn_command_ending *ending);
/* A sentence, and behind it the last lines of stderr, if there are any. */
ctn_str ctn_command_sentence(ctn_arena *arena, ctn_str sentence, ctn_str words);
