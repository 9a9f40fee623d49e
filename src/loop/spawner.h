/*
 * spawner.h -- what spawn.c (in catena) and spawner.c (the small process) say to each other.
 *
 * One SOCK_SEQPACKET message each way is one ctn_spawner_message. SPAWN brings four descriptors: the request
 * (a memfd, for arguments and environment may be megabytes) and the child's stdin, stdout and stderr.
 */
#pragma once
#include "loop/spawn.h"
#include <stdint.h>

enum {
    CTN_SPAWNER_SPAWN = 1, /* to the spawner; answered by SPAWNED, in order */
    CTN_SPAWNER_KILL,      /* number: the signal, to the whole group */
    CTN_SPAWNER_HOLD,      /* brings one descriptor, which stays open until the spawner ends */
    CTN_SPAWNER_RELEASE,   /* ends the group and forgets the child; nothing is told of it any more */
    CTN_SPAWNER_SPAWNED,   /* from the spawner: pid, or stage and number = errno */
    CTN_SPAWNER_EXITED,    /* number: the exit status, or -signal */
};

enum {
    CTN_SPAWN_STARTED,
    CTN_SPAWN_SETUP,       /* fork, descriptors: nothing to do with the program */
    CTN_SPAWN_FOLDER,      /* chdir */
    CTN_SPAWN_PROGRAM,     /* execve */
    CTN_SPAWN_INTERPRETER, /* the program is there, what its #! line (or ELF header) names is not */
    CTN_SPAWN_LIMITS,      /* setrlimit, no_new_privs */
    CTN_SPAWN_PATH,        /* a file or folder that it is to reach; pid: the how manieth */
    CTN_SPAWN_FILES,       /* landlock */
    CTN_SPAWN_NETWORK,     /* seccomp */
};

typedef struct ctn_spawner_message {
    uint32_t kind;
    uint32_t stage;
    uint64_t child_id;
    int32_t pid;
    int32_t number;
} ctn_spawner_message;

#define CTN_SPAWNER_FDS 4

/* At the front of the memfd. Then, each with its NUL: the folder ("" for ours), the arguments, the environment, what
 * may be read and what may be written. */
typedef struct ctn_spawn_request {
    uint32_t argument_count;
    uint32_t variable_count;
    uint32_t readable_count, writable_count;
    bool has_limits;
    ctn_spawn_limits limits; /* its lists are behind it */
} ctn_spawn_request;

/* The process itself: never returns. */
_Noreturn void ctn_spawner_main(int socket_fd);
