/*
 * database.h -- opening an SQLite file of the pack, as crm/ and booking/ both do: the file is its user's alone, and two
 * processes that come to a new one at once take turns.
 */
#pragma once

#include "base/err.h"

#include <sqlite3.h>

/* For how long a statement waits for another process (sqlite3_busy_timeout), and opening a file as a whole. */
enum { TRAVEL_DATABASE_BUSY_MS = 5000 };

/* Makes an empty file of mode 600, which its log takes over, if there is none: SQLite would make one for everybody to
 * read. What is wrong with the path is left to SQLite to say. */
void travel_database_make_private(const char *path);
/* CTN_E_BUSY: another process has it, and nothing happened; else CTN_E_IO. Of what SQLite said last. */
int travel_database_code(sqlite3 *db);
/* Calls `prepare` until it is not CTN_E_BUSY, or for wait_ms: SQLite does not wait while another process changes a new
 * file to WAL. Gives what the last call gave. */
int travel_database_prepare(int (*prepare)(void *ctx, ctn_err *err), void *ctx, int64_t wait_ms, ctn_err *err);
