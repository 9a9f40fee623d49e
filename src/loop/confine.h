/*
 * confine.h -- what a new process may do: put on it between fork and exec, so it holds for all that it starts too.
 *
 *   limits   of the kernel, by resource (setrlimit)
 *   rights   none can be gained by starting another program (no_new_privs), nor a core file written
 *   files    landlock: what the system is made of, its own program and the folders of its PATH may be read and run,
 *            what is named may be read or written, nothing else is opened; processes outside cannot be signalled or
 *            traced
 *   network  seccomp: no socket is made, also none of this machine (the engine's own is one); a pair of sockets may be
 *
 * An old kernel knows less of landlock: what it knows is used. On one that knows nothing files are not confined, which
 * is a failure when must_confine_files says so. The network is confined or the process does not start.
 */
#pragma once
#include "loop/spawn.h"

/* As they come out of the spawner's request; the limits' lists are its own. */
typedef struct ctn_confinement {
    const ctn_spawn_limits *limits;
    const char *program;            /* argv[0] */
    const char *const *environment; /* for its PATH */
} ctn_confinement;

typedef struct ctn_confine_failure {
    uint32_t stage; /* CTN_SPAWN_STARTED: it is done */
    int32_t error;
    int32_t path; /* of CTN_SPAWN_PATH: the how manieth of readable and then writable */
} ctn_confine_failure;

/* In the new process, in the folder that it runs in. Allocates nothing. */
ctn_confine_failure ctn_confine(const ctn_confinement *confinement);
