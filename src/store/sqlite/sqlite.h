/*
 * sqlite.h -- sqlite:FILE[?synchronous=full|normal][&checkpoint=PAGES], or a bare path: a store in one file.
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_sqlite_backend;

/* Makes a store of the past, for tests that need one: of schema `target` (0: the newest); `create` makes the file. */
int ctn_sqlite_migrate(const char *path, uint32_t target, bool create, ctn_store_version *ret_before, ctn_err *err);
