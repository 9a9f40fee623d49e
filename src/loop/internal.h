/*
 * internal.h -- what the files of loop/ share beyond watch.h: handles, and work that is put off behind the turn.
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
#include "loop/watch.h"

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

/* ---- work that is put off, beyond watch.h ---- */
void ctn_task_file_flush(ctn_loop *loop, ctn_task *task); /* after the next turn; filed already: no effect */

/* 64 KiB that are anybody's until the next callback. */
#define CTN_LOOP_SCRATCH_BYTES 65536
char *ctn_loop_scratch(ctn_loop *loop);
