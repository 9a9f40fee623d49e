/*
 * spawn.h -- children, started by one small process that was forked before anything else.
 *
 * uv_spawn really forks and stalls the loop for 40 ms when the parent is large; PR_SET_PDEATHSIG follows a thread
 * and misses grandchildren. So: ctn_spawner_start is called first thing in main, before threads and memory. The
 * spawner makes each child in a process group of its own, is the reaper of orphans (PR_SET_CHILD_SUBREAPER),
 * and when its pipe to catena closes, however catena died, it ends every group and every descendant that is left.
 *
 * Ownership  The spawner is ended by ctn_spawner_stop (or by our death). A child's pipes belong to the caller.
 */
#pragma once
#include "loop/loop.h"

typedef struct ctn_spawner ctn_spawner;
/* Before any thread is started. Forks. */
int ctn_spawner_start(ctn_spawner **ret_spawner, ctn_err *err);
/* Lets exits be told on this loop; before the first spawn. */
void ctn_spawner_attach(ctn_spawner *spawner, ctn_loop *loop);
/* Told once, from the loop, when the spawner itself has died: before the exits of its children, which died with it.
 * Nothing can be started any more. After attach. */
void ctn_spawner_when_gone(ctn_spawner *spawner, void (*gone)(void *ctx), void *ctx);
/* Gives the spawner a copy of a descriptor that stays open until the last descendant has ended, however we die: a lock
 * that nobody may have before. -1: no effect. */
int ctn_spawner_hold(ctn_spawner *spawner, int fd, ctn_err *err);
/* Ends every child and every descendant (SIGTERM, up to 200 ms, SIGKILL) and waits until none is left; no exit is told
 * any more. Before or after ctn_loop_free, before or after ctn_child_free; NULL is fine. */
void ctn_spawner_stop(ctn_spawner *spawner);

/* What a child may do: put on it before it becomes its program, and on all that it starts (confine.h says how). Numbers
 * that are 0 are no limit. */
typedef struct ctn_spawn_limits {
    uint64_t cpu_s;        /* SIGXCPU then */
    uint64_t memory_bytes; /* of addresses, of each process */
    uint64_t file_bytes;   /* of each file that it writes; SIGXFSZ then */
    uint64_t open_files;
    uint64_t processes; /* that its user may have beyond those that there are; root is not held to it */
    /* Beside what the system is made of and its own program; NULL-terminated, NULL: nothing. What is writable can be
     * read, and is run only if it is readable as well. */
    const char *const *readable, *const *writable;
    bool must_confine_files; /* without a kernel that can it is not started; else it is, and may do what we may */
    bool no_network;
} ctn_spawn_limits;
/* This kernel can keep files from a process. */
bool ctn_spawn_can_confine_files(void);

typedef struct ctn_child ctn_child;
typedef struct ctn_spawn_options {
    const char *const *argv;        /* argv[0] is looked up in PATH of env unless it has a slash; NULL-terminated */
    const char *const *env;         /* NAME=VALUE, NULL-terminated: the whole environment of the child */
    const char *cwd;                /* NULL: ours */
    const ctn_spawn_limits *limits; /* NULL: none; it may do what we may */
    /* Told once: exit_status >= 0, or -signal. Not told after ctn_child_free. Its pipes may still hold lines. */
    void (*exited)(void *ctx, int exit_status);
    void *ctx;
} ctn_spawn_options;
/* ret_stdin/stdout/stderr: our ends, close-on-exec, for ctn_stream_open. CTN_E_NOT_FOUND: no such program;
 * CTN_E_INVALID: not executable, no such folder; CTN_E_UNSUPPORTED: cannot be held to its limits; CTN_E_LIMIT:
 * arguments and environment too large; CTN_E_BUSY: no process or descriptor free; CTN_E_TIMEOUT (after 5 s),
 * CTN_E_CLOSED: the spawner hangs, is gone. The sentence names the program and the folder. */
int ctn_child_spawn(ctn_spawner *spawner, const ctn_spawn_options *options, ctn_child **ret_child, int *ret_stdin,
                    int *ret_stdout, int *ret_stderr, ctn_err *err);
int ctn_child_pid(const ctn_child *child);
void ctn_child_kill(ctn_child *child, int signal_number); /* the whole group */
void ctn_child_free(ctn_child *child);                    /* kills the group (SIGKILL) if it still runs */
