/*
 * writer.h -- the store's writer threads, one a strand (batch.h): one batch at a time, one transaction and one sync
 * each. A store of our own has one strand; one that is shared on a server has two, so that the server works on one
 * while it syncs the other.
 *
 * Each thread has a store handle of its own. After a failed commit it closes it and opens a fresh one before the
 * next batch, for nothing is known about the old one. Between batches the first keeps the store small (keeper.h), and
 * when none came for a second each gives back what memory it can spare.
 *
 * Threads  submit and the rest on the engine's thread; `done` is called on the writer's thread and must only hand
 *          over (a wakeup of the loop). The one lock of the engine is in here.
 */
#pragma once
#include "engine/engine.h"
#include "engine/keeper.h"

typedef struct ctn_writer_thread ctn_writer_thread;

/* strands: 1 to CTN_STRANDS_MAX. done: a batch is finished, or several; collect them on the engine's thread with _take,
 * until it gives none. */
int ctn_writer_thread_start(const char *store_url, uint32_t strands, void (*done)(void *ctx), void *ctx,
                            ctn_writer_thread **ret_writer, ctn_err *err);
ctn_writer ctn_writer_thread_as_writer(ctn_writer_thread *writer);
/* Takes the keeper. Once, soon after the start. */
void ctn_writer_thread_keep(ctn_writer_thread *writer, ctn_keeper *keeper);
/* Of a store for a fleet: from the next batch on it writes as this node does (ctn_store_handle_of). */
void ctn_writer_thread_be(ctn_writer_thread *writer, int64_t incarnation);
ctn_batch *ctn_writer_thread_take(ctn_writer_thread *writer); /* NULL: none finished */
/* Lets the batches under way finish, ends the threads. NULL is fine. */
void ctn_writer_thread_stop(ctn_writer_thread *writer);
