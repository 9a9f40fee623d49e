/*
 * copies.h -- stores with many executions, made fast: of one that the real binary made, copies with numbers, ids and
 * times of their own and proper journals.
 */
#pragma once
#include "cli_kit.h"

typedef struct copies {
    const char *id; /* of the execution that is copied: text, as told by the binary */
    size_t count;
    int64_t older_ms; /* so much earlier in everything, but for when it wakes */
} copies;

/* Nobody may own the store FILE in the world's folder meanwhile. */
void copies_make(world *w, const char *file, const copies *what);
/* One number from the store, as the sqlite3 shell would tell it. */
int64_t store_ask(world *w, const char *file, const char *sql);
/* Of the database and of its log. */
int64_t store_bytes(world *w, const char *file);
