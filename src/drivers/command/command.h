/*
 * command.h -- the driver of kind "command": a program with arguments, started for one call and ended with it.
 *
 * A call is given the instruction set's object with its texts rendered (said.h). An item of `argv` is one argument,
 * whatever it holds; no shell sees it. The program runs in a group of its own with the environment that the set lists,
 * held to limits, and as a rule without other files and the network (loop/confine.h).
 *
 * What can come of a call, besides its value:
 *   invalid_input     an argument cannot be passed on (a NUL in it, too large)
 *   protocol_error    it cannot be started, whenever it is tried: no such program, no such folder; it was not executed
 *   unavailable       it cannot be started now; or it ended with a code of exitCodes.transient, which says so itself
 *   tool_error        it ended with another code
 *   invalid_output    its output is not what `stdout` says
 *   limit             it wrote too much, computed too long, wrote too large a file
 *   timeout           it did not end in time: SIGTERM to its group, a grace, SIGKILL
 *   transport         a signal that was not ours ended it
 * When a failure is told the program has ended (peer_is_dead), but where even SIGKILL did not end it in time.
 *
 * When the engine dies the spawner ends every command before anybody else can have the store: nothing of an earlier
 * engine's call still arrives.
 *
 * Threads    The loop's.
 */
#pragma once
#include "base/log.h"
#include "engine/driver.h"
#include "loop/spawn.h"

typedef struct ctn_command_options {
    ctn_loop *loop;
    ctn_spawner *spawner;
    ctn_call_sink sink;
    const ctn_log *log;             /* NULL: silent */
    const char *folder;             /* where commands run that name none; relative paths are of it; borrowed */
    const char *const *environment; /* of which sets may inherit by name; borrowed, NULL: nothing */
    int64_t grace_ms;               /* between SIGTERM and SIGKILL; 0: 2 s */
} ctn_command_options;

typedef struct ctn_command_driver ctn_command_driver;
ctn_command_driver *ctn_command_driver_new(const ctn_command_options *options);
/* Kills what runs; nothing is told any more. NULL is fine. */
void ctn_command_driver_free(ctn_command_driver *driver);
ctn_driver ctn_command_driver_interface(ctn_command_driver *driver);
/* How many run, those that are being ended included. */
size_t ctn_command_running(const ctn_command_driver *driver);
