/*
 * points.h -- every allocation of an operation fails once: alone, and with all that come after it.
 *
 * What must hold at each point: the operation returns, with an error and a sentence; nothing leaks; and done once more,
 * with memory, it does what it does. An operation that got by without the memory (once) has done it all.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "support/cmocka.h"

typedef struct operation {
    const char *name;
    /* Does it from the beginning and checks what came of it; on failure gives everything back. */
    int (*run)(void *ctx, ctn_arena *arena, ctn_err *err); /* arena: a new one each time */
    /* What must be as it was after a failure; NULL: nothing. Runs with memory. */
    void (*check)(void *ctx);
    void *ctx;
    long every; /* of so many points one is tried (a prime number, shared by the two ways); 0: all */
    bool keeps; /* libraries keep memory for later (a statement, a page): what is live is not compared */
} operation;

/* Prints how many points there were. */
void try_all(const operation *op);
