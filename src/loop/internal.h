/*
 * internal.h -- what the files of loop/ share: descriptors that are watched, work that is put off, handles.
 *
 * One round of the loop is: descriptors that are ready, wakeups and signals (libuv's part), then tasks, timers
 * that are due, the turn, flushes; then it sleeps. Tasks may call the user's callbacks and always have a turn
 * after them. Flushes come after the turn, so that everything a turn writes to one stream is one write(2); they
 * call nobody, and what they find out they file as a task.
 *
 * Ownership  A handle is retired, never freed: its memory lives until no function of the loop is on the stack,
 *            so a callback may free the very handle that called it, and the caller looks at its is_freed after.
 */
#pragma once
#include "loop/loop.h"

/* ---- handles: the head of everything that is opened on a loop ---- */
typedef struct ctn_handle {
    ctn_loop *loop;
    void (*close)(struct ctn_handle *handle);   /* what ctn_loop_free does with it */
    void (*destroy)(struct ctn_handle *handle); /* frees the memory, at the end of the round */
    struct ctn_handle *prev, *next;
} ctn_handle;

/* The youngest is closed first: a handle that owns others is made after them. */
void ctn_handle_init(ctn_handle *handle, ctn_loop *loop, void (*close)(ctn_handle *), void (*destroy)(ctn_handle *));
void ctn_handle_retire(ctn_handle *handle);

/* ---- work that is put off ---- */
typedef struct ctn_task {
    void (*run)(void *ctx);
    void *ctx;
    struct ctn_task *prev, *next; /* NULL: not filed */
} ctn_task;

void ctn_task_file(ctn_loop *loop, ctn_task *task);       /* the next round; the loop does not sleep before */
void ctn_task_file_flush(ctn_loop *loop, ctn_task *task); /* after the next turn; filed already: no effect */
void ctn_task_cancel(ctn_task *task);

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

/* 64 KiB that are anybody's until the next callback. */
#define CTN_LOOP_SCRATCH_BYTES 65536
char *ctn_loop_scratch(ctn_loop *loop);
