/*
 * arena.h -- memory by lifetime. Things that die together are allocated together and freed at once.
 *
 * Three lifetimes cover nearly everything: the turn or request (a scratch arena with save and
 * restore), the session, the loaded execution. What outlives its arena is copied out by the call that
 * says so.
 *
 * Allocation returns memory or does not return: base/memory.h says what becomes of the work then. What a peer can size
 * goes into a ctn_buf with a limit first.
 *
 * Threads  An arena belongs to one thread at a time.
 */
#pragma once
#include "base/str.h"
#include <stdarg.h>

typedef struct ctn_arena ctn_arena;
typedef struct ctn_arena_mark {
    void *chunk;
    size_t used;
} ctn_arena_mark;

/* first_chunk_bytes is a hint; chunks double up to 256 KiB, larger requests get a chunk of their own. */
ctn_arena *ctn_arena_new(size_t first_chunk_bytes);
/* One that is freed with `parent` at the latest; ctn_arena_free may do it earlier. A mark of the parent does not
 * cover it: it is neither made nor freed by restore. */
ctn_arena *ctn_arena_new_in(ctn_arena *parent, size_t first_chunk_bytes);
void ctn_arena_free(ctn_arena *arena); /* NULL is fine */
/* Forgets everything, keeps the first chunk; arenas made in it are freed. */
void ctn_arena_reset(ctn_arena *arena);

/* Aligned to 16, not cleared. bytes may be 0: then a unique pointer of no use. */
void *ctn_arena_alloc(ctn_arena *arena, size_t bytes);
/* Cleared; count * bytes is checked against overflow. */
void *ctn_arena_calloc(ctn_arena *arena, size_t count, size_t bytes);
#define CTN_NEW(arena, type)          ((type *) ctn_arena_calloc((arena), 1, sizeof(type)))
#define CTN_NEW_ARRAY(arena, type, n) ((type *) ctn_arena_calloc((arena), (n), sizeof(type)))

/* An array that grows: `items` with room for one more behind its `count`, moved (and twice as large) when it was full.
 *     list->items = ctn_arena_room(arena, list->items, list->count, &list->capacity, sizeof *list->items);
 * What is new in it is cleared; the old place stays as it is until the arena goes. */
void *ctn_arena_room(ctn_arena *arena, void *items, size_t count, size_t *capacity, size_t item_bytes);
/* What is allocated between save and restore is gone after restore. */
ctn_arena_mark ctn_arena_save(const ctn_arena *arena);
void ctn_arena_restore(ctn_arena *arena, ctn_arena_mark mark);

/* A copy in the arena, NUL-terminated for the sake of C interfaces (the NUL is not in len). */
ctn_str ctn_arena_str(ctn_arena *arena, ctn_str s);
/* The parts one after the other, likewise. */
ctn_str ctn_arena_join(ctn_arena *arena, const ctn_str *parts, size_t count);
ctn_str ctn_arena_printf(ctn_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
ctn_str ctn_arena_vprintf(ctn_arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Bytes handed out since new or reset (rounded up for alignment), inner arenas included: for tests and limits. */
size_t ctn_arena_used_bytes(const ctn_arena *arena);
