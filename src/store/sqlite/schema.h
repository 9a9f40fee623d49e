/*
 * schema.h -- the schema of a store file, its number, and the conditions of its partial indexes. Private to sqlite/.
 */
#pragma once
#include "base/err.h"
#include <sqlite3.h>
#include <stdint.h>

extern const int32_t ctn_sqlite_application_id;
uint32_t ctn_sqlite_schema_newest(void);
/* Brings an open file to `target` in one transaction; reads the version again inside it. */
int ctn_sqlite_schema_raise(sqlite3 *db, const char *path, uint32_t target, ctn_err *err);

/*
 * Conditions of the partial indexes; a query must repeat them word for word to be served by one. An OR and not an IN:
 * every insert and update evaluates them, and for a list SQLite builds a table in memory each time (measured: three
 * quarters of the commit's CPU).
 */
#define SQLITE_UNFINISHED(table)                                                                                       \
    "(" table "status = 'running' OR " table "status = 'queued' OR " table "status = 'waiting' OR " table              \
    "status = 'paused' OR " table "status = 'interrupted' OR " table "status = 'compensating')"
/* The final ones that somebody looks for. */
#define SQLITE_TROUBLE(table)                                                                                          \
    "(" table "status = 'failed' OR " table "status = 'rolled_back' OR " table "status = 'rollback_failed' OR " table  \
    "status = 'cancelled')"
/* In the queue, and nobody with the same key before it. */
#define SQLITE_QUEUED(table) "(" table "status = 'queued' AND " table "queue_held = 0)"
#define SQLITE_IN_QUEUE(table) "(" table "status = 'queued')"
/* Ended, and something is still to be done for it. */
#define SQLITE_OWING(table) "(" table "finished_at_ms IS NOT NULL AND " table "wake_at_ms IS NOT NULL)"
