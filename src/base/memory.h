/*
 * memory.h -- malloc and realloc that do not fail: without memory the process stops with a sentence.
 *
 * Stopping is safe, for the journal is the truth; going on half-built is not. What a peer can size goes
 * into a ctn_buf with a limit first, so nobody outside can bring this about.
 */
#pragma once
#include <stddef.h>

/* bytes may be 0; free() takes the result. */
void *ctn_malloc(size_t bytes) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *ctn_realloc(void *old, size_t bytes) __attribute__((returns_nonnull, warn_unused_result));
/* count * bytes is checked against overflow. */
void *ctn_realloc_array(void *old, size_t count, size_t bytes) __attribute__((returns_nonnull, warn_unused_result));
