/*
 * memory.c -- the one place where running out of memory is met.
 */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *give_or_stop(void *memory, size_t bytes)
{
    if (!memory) {
        fprintf(stderr, "catena: out of memory (%zu bytes wanted); stopping. Stored executions are safe.\n", bytes);
        abort();
    }
    return memory;
}

void *ctn_malloc(size_t bytes)
{
    return give_or_stop(malloc(bytes ? bytes : 1), bytes);
}

void *ctn_realloc(void *old, size_t bytes)
{
    return give_or_stop(realloc(old, bytes ? bytes : 1), bytes);
}

void *ctn_realloc_array(void *old, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return give_or_stop(NULL, SIZE_MAX);
    return ctn_realloc(old, total);
}
