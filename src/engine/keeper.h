/*
 * keeper.h -- keeps a store small while it works: retention (store/retention.h) in steps of a few milliseconds.
 *
 * It works on the writer's thread and connection, between commits: a second connection would hold the one write lock
 * of the file against the writer, make it sleep, and make it forget what it knows of the journals' ends. A step is as
 * large as fits into about 2 ms here, and while commits come it rests four times as long as a step took, so it takes a
 * fifth of the writer's time at most. When nobody commits it rests as long as it works.
 *
 * What ended and is too young is looked at when the oldest of it is old enough: one timer, and none when the store
 * holds nothing that has ended. Trees that were old enough but could not go are looked at again an hour later.
 *
 * Threads  one at a time: the writer's.
 */
#pragma once
#include "base/clock.h"
#include "base/log.h"
#include "store/retention.h"

typedef struct ctn_keeper ctn_keeper;

ctn_keeper *ctn_keeper_new(const ctn_retention *retention, ctn_clock clock, const ctn_log *log); /* log NULL: silent */
void ctn_keeper_free(ctn_keeper *keeper);                                                        /* NULL is fine */
/* Something was committed: what ends now is old enough one day. */
void ctn_keeper_committed(ctn_keeper *keeper);
/* When it wants its turn; 0: not before something is committed. */
int64_t ctn_keeper_due_ms(const ctn_keeper *keeper);
/* One step, when it is due. True: it changed the store. */
bool ctn_keeper_turn(ctn_keeper *keeper, ctn_store *store);
