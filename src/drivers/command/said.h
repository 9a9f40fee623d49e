/*
 * said.h -- what a call says of its command, in the terms of the loop: arguments, environment, folder, limits.
 *
 * Ownership  stdin_bytes may be the call's; all the rest lives in the arena, or is the driver's.
 */
#pragma once
#include "drivers/command/command.h"

#define CTN_COMMAND_OUTPUT_BYTES_DEFAULT (1 << 20)
#define CTN_COMMAND_PROCESSES_DEFAULT    64
#define CTN_COMMAND_OPEN_FILES_DEFAULT   256

typedef struct ctn_command_said {
    const char *const *argv, *const *env;
    const char *cwd;
    ctn_spawn_limits limits;
    ctn_str stdin_bytes;
    size_t output_bytes;
    bool is_json;
    const ctn_json *exit_codes; /* {ok?, transient?}; NULL: not said */
} ctn_command_said;

/* args: the set's object, rendered. NONE, or invalid_input with a sentence that names the key. */
ctn_failure ctn_command_read(ctn_arena *arena, const ctn_command_options *options, const ctn_call_request *request,
                             ctn_command_said *ret_said, ctn_err *err);
