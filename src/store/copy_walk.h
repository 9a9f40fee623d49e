/*
 * copy_walk.h -- the executions of a store, oldest first, on their way into another. Private to copy.c.
 */
#pragma once
#include "store/backend.h"
#include "store/copy.h"

typedef struct copy_walk copy_walk;

copy_walk *ctn_copy_walk_new(ctn_store *from, ctn_store *to, const ctn_copy_options *options, ctn_copy_report *report);
void ctn_copy_walk_free(copy_walk *w);
/* All of them, with their journals, keys, and what the quarantine says of them. */
int ctn_copy_walk_all(copy_walk *w, ctn_err *err);
