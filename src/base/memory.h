/*
 * memory.h -- memory that is there, or an operation that is given up whole.
 *
 * ctn_malloc and the arenas never return NULL. When there is no more memory, then
 *   - inside ctn_guarded the operation is abandoned: what it had allocated is freed, what it pushed for cleaning up is
 *     cleaned up, and ctn_guarded returns CTN_E_NOMEM with a sentence. The public entry points whose need somebody else
 *     sizes (a text that is parsed, a chain that is compiled, a journal that is folded, a file that is read) do this
 *     themselves, so their callers see an error like any other;
 *   - elsewhere (the small allocations of a turn) the process stops with a sentence. Stopping is safe, for the journal
 *     is the truth; going on half-built is not.
 *
 * What must hold of guarded work: it builds something new, and hangs nothing that it allocated onto what was there
 * before, arenas excepted (they give back what was taken since). What it leaves in somebody's arena besides may lead
 * nowhere afterwards: who gets CTN_E_NOMEM drops what was being built. Memory that was taken with ctn_malloc inside is
 * given back with ctn_free.
 *
 * Threads  A guard is its thread's own.
 */
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* bytes may be 0; ctn_free() takes the result, and so does free() where no guard can be around. */
void *ctn_malloc(size_t bytes) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Cleared; count * bytes is checked against overflow. */
void *ctn_calloc(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *ctn_realloc(void *old, size_t bytes) __attribute__((returns_nonnull, warn_unused_result));
/* count * bytes is checked against overflow. */
void *ctn_realloc_array(void *old, size_t count, size_t bytes) __attribute__((returns_nonnull, warn_unused_result));
/* As ctn_arena_room, for what ctn_free takes; what is new in it is not cleared. */
void *ctn_array_room(void *items, size_t count, size_t *capacity, size_t item_bytes)
    __attribute__((returns_nonnull, warn_unused_result));
void ctn_free(void *memory); /* NULL is fine */
/* A C string of a text's bytes, as from ctn_malloc. */
char *ctn_cstring(ctn_str text) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Runs work(ctx) and gives its result; CTN_E_NOMEM when it was abandoned. Inside another one it is a part of that:
 * the outermost alone is abandoned, as a whole. */
int ctn_guarded(int (*work)(void *ctx), void *ctx, ctn_err *err);

/* Called when the work is abandoned, the latest first. Popping one that nobody knows (any more) does nothing. */
typedef struct ctn_cleanup {
    void (*run)(void *ctx);
    void *ctx;
    struct ctn_cleanup *outer;
} ctn_cleanup;
void ctn_cleanup_push(ctn_cleanup *c, void (*run)(void *ctx), void *ctx);
void ctn_cleanup_pop(ctn_cleanup *c);

/* There is no memory: the guarded work is abandoned, or the process stops. For what tells it in its own way
 * (libraries). */
void ctn_memory_gone(size_t bytes) __attribute__((noreturn));

/* ---- for arena.c ---- */

/* Of the guard, larger than those of all guards before it; 0: there is none. */
unsigned long ctn_guard_serial(void);
/* What an arena keeps for the guards that it is known to. */
typedef struct ctn_guarded_arena {
    struct ctn_guarded_arena *next, *previous;
    bool is_known;
    unsigned long born; /* in that guard; 0: in none */
    void (*give_back)(struct ctn_guarded_arena *arena,
                      unsigned long since); /* what was taken since; all if born since */
} ctn_guarded_arena;
void ctn_guard_know(ctn_guarded_arena *arena); /* no guard: nothing happens */
void ctn_guard_forget(ctn_guarded_arena *arena);
