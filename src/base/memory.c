/*
 * memory.c -- the one place where running out of memory is met.
 *
 * A guard is a place to jump to. Its thread keeps, while it is there: the blocks taken with ctn_malloc since; the
 * arenas that took a chunk or were made since; the cleanups. Abandoning runs the cleanups, gives back what arenas took,
 * frees the blocks, and jumps. A guard inside another is a part of it. Serials of guards only grow, over all threads,
 * so what an arena took since is a comparison.
 *
 * A jump was chosen over a check behind each of some thousand allocations, none of which would ever be taken by a test
 * that somebody wrote by hand; tests/memory takes every one.
 */
#include "base/memory.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct guard {
    jmp_buf place;
    unsigned long serial;
    size_t wanted;
} guard;

/* Of this thread; all empty without a guard. */
static _Thread_local struct {
    guard *guard;
    ctn_cleanup *cleanups;
    ctn_guarded_arena *arenas;
    void **blocks;
    size_t block_count, block_capacity;
} mine;

static atomic_ulong serial_last;

/* ---- giving up ---- */

static void abandon(const guard *g)
{
    while (mine.cleanups) {
        ctn_cleanup *c = mine.cleanups;
        mine.cleanups = c->outer;
        c->run(c->ctx);
    }
    for (ctn_guarded_arena *arena = mine.arenas, *next; arena; arena = next) {
        next = arena->next;
        if (arena->born < g->serial)
            arena->give_back(arena, g->serial);
    }
    /* Freeing one frees those that were made in it too, so the list is begun anew each time. */
    for (ctn_guarded_arena *arena = mine.arenas; arena;) {
        if (arena->born >= g->serial) {
            arena->give_back(arena, g->serial);
            arena = mine.arenas;
        } else {
            arena = arena->next;
        }
    }
    while (mine.block_count)
        free(mine.blocks[--mine.block_count]);
}

void ctn_memory_gone(size_t bytes)
{
    guard *g = mine.guard;
    if (!g) {
        fprintf(stderr, "catena: out of memory (%zu bytes wanted); stopping. Stored executions are safe.\n", bytes);
        abort();
    }
    g->wanted = bytes;
    abandon(g);
    longjmp(g->place, 1);
}

/* What was taken and is still there stays. */
static void end_guard(void)
{
    mine.guard = NULL;
    while (mine.arenas)
        ctn_guard_forget(mine.arenas);
    free(mine.blocks);
    mine.blocks = NULL;
    mine.block_count = mine.block_capacity = 0;
}

int ctn_guarded(int (*work)(void *ctx), void *ctx, ctn_err *err)
{
    if (mine.guard)
        return work(ctx); /* a part of what is guarded already, and given up with it */
    guard g = {.serial = atomic_fetch_add_explicit(&serial_last, 1, memory_order_relaxed) + 1};
    ctn_cleanup *outside = mine.cleanups; /* of work that nobody guards */
    mine.cleanups = NULL;
    mine.guard = &g;
    int rc;
    if (setjmp(g.place))
        rc = ctn_fail(err, CTN_E_NOMEM, "there is not enough memory (%zu bytes more were wanted)", g.wanted);
    else
        rc = work(ctx);
    end_guard();
    mine.cleanups = outside;
    return rc;
}

void ctn_cleanup_push(ctn_cleanup *c, void (*run)(void *ctx), void *ctx)
{
    *c = (ctn_cleanup){.run = run, .ctx = ctx, .outer = mine.cleanups};
    mine.cleanups = c;
}

void ctn_cleanup_pop(ctn_cleanup *c)
{
    for (ctn_cleanup **at = &mine.cleanups; *at; at = &(*at)->outer)
        if (*at == c) {
            *at = c->outer;
            return;
        }
}

/* ---- what guards know of ---- */

unsigned long ctn_guard_serial(void)
{
    return mine.guard ? mine.guard->serial : 0;
}

void ctn_guard_know(ctn_guarded_arena *arena)
{
    if (!mine.guard || arena->is_known)
        return;
    arena->is_known = true;
    arena->previous = NULL;
    arena->next = mine.arenas;
    if (mine.arenas)
        mine.arenas->previous = arena;
    mine.arenas = arena;
}

void ctn_guard_forget(ctn_guarded_arena *arena)
{
    if (!arena->is_known)
        return;
    arena->is_known = false;
    if (arena->previous)
        arena->previous->next = arena->next;
    else
        mine.arenas = arena->next;
    if (arena->next)
        arena->next->previous = arena->previous;
}

static void *know_block(void *memory)
{
    if (mine.block_count == mine.block_capacity) {
        size_t grown = mine.block_capacity ? 2 * mine.block_capacity : 16;
        void **blocks = realloc(mine.blocks, grown * sizeof *blocks);
        if (!blocks) {
            free(memory);
            ctn_memory_gone(grown * sizeof *blocks);
        }
        mine.blocks = blocks;
        mine.block_capacity = grown;
    }
    mine.blocks[mine.block_count++] = memory;
    return memory;
}

/* The latest are asked first: blocks come and go like a stack. NULL: it is none of those. */
static void **block_of(const void *memory)
{
    for (size_t i = mine.block_count; i-- > 0;)
        if (mine.blocks[i] == memory)
            return &mine.blocks[i];
    return NULL;
}

/* ---- memory ---- */

void *ctn_malloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        ctn_memory_gone(bytes);
    return mine.guard ? know_block(memory) : memory;
}

void *ctn_calloc(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes ? bytes : 1);
    if (!memory)
        ctn_memory_gone(count * bytes);
    return mine.guard ? know_block(memory) : memory;
}

void *ctn_realloc(void *old, size_t bytes)
{
    if (!old)
        return ctn_malloc(bytes);
    void **known = mine.guard ? block_of(old) : NULL;
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        ctn_memory_gone(bytes);
    if (known)
        *known = memory;
    return memory;
}

void *ctn_realloc_array(void *old, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        ctn_memory_gone(SIZE_MAX);
    return ctn_realloc(old, total);
}

void *ctn_array_room(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t grown = *capacity ? 2 * *capacity : 8;
    items = ctn_realloc_array(items, grown, item_bytes);
    *capacity = grown;
    return items;
}

char *ctn_cstring(ctn_str text)
{
    char *copy = ctn_malloc(text.len + 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

void ctn_free(void *memory)
{
    void **known = mine.guard && memory ? block_of(memory) : NULL;
    if (known) {
        size_t at = (size_t) (known - mine.blocks);
        memmove(known, known + 1, (mine.block_count - at - 1) * sizeof *known);
        mine.block_count--;
    }
    free(memory);
}
