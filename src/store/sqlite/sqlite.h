/*
 * sqlite.h -- a store in one file: sqlite:FILE, or a bare path. Behind sqlite:FILE may stand options, as in a query:
 *
 *   ?synchronous=normal   commits are not synced, only checkpoints are: promise 1 of store.h then holds for the death
 *                         of the process alone, and what was committed in the last moments may be gone after a power
 *                         loss (never anything in the middle, and the file stays whole). Default: full
 *   ?checkpoint=PAGES     the log is copied into the file when it has grown by so many pages of 8 KiB. Default: 2048
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_sqlite_backend;

/* For tests that need a store of the past: makes the file, or brings an older one so far and no further. */
int ctn_sqlite_make_old(const char *path, uint32_t schema, ctn_err *err);
