/*
 * watch.h -- what lets another library live in the loop: descriptors that it wants watched, and work that is put off.
 *
 * For libraries with an idea of their own of descriptors and time (libcurl, libmicrohttpd). A poller tells what a
 * descriptor is ready for; a task runs in the loop's next round, for what must not be done where it came up.
 *
 * Ownership  A poller does not own its descriptor: free it before the descriptor is closed. A task's memory is its
 *            owner's, and is cancelled before it goes.
 */
#pragma once
#include "loop/loop.h"

/* ---- descriptors ---- */
enum {
    CTN_POLL_READ = 1,
    CTN_POLL_WRITE = 2,
    CTN_POLL_GONE = 4, /* an error or hang-up: watching has stopped, ask the descriptor what it is, then set again */
};
typedef struct ctn_poller ctn_poller;
/* Makes fd non-blocking; does not own it. Returns 0 or an errno; EPERM: a file, which is always ready. */
int ctn_poller_new(ctn_loop *loop, int fd, void (*ready)(void *ctx, int events), void *ctx, ctn_poller **ret_poller);
void ctn_poller_set(ctn_poller *poller, int events); /* 0: watches nothing */
void ctn_poller_free(ctn_poller *poller);            /* before fd is closed; NULL is fine */

/* ---- work that is put off ---- */
typedef struct ctn_task {
    void (*run)(void *ctx);
    void *ctx;
    struct ctn_task *prev, *next; /* NULL: not filed */
} ctn_task;

void ctn_task_file(ctn_loop *loop, ctn_task *task); /* the next round; the loop does not sleep before */
void ctn_task_cancel(ctn_task *task);
