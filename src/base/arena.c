/*
 * arena.c -- a stack of chunks, newest first, each filled from its start.
 *
 * What must hold: only the newest chunk is allocated from, so a mark (chunk, used) says everything about
 * what came after it. A request that does not fit leaves the rest of the newest chunk unused. The chunk
 * that restore gives back is kept once as a spare, so that a turn which saves and restores around a chunk's
 * edge does not call malloc each time.
 *
 * Under AddressSanitizer the unused part of a chunk is poisoned and allocations are kept apart by a gap,
 * so reading past an allocation, or after restore and reset, is reported like a heap bug.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(address, bytes)   ASAN_POISON_MEMORY_REGION((address), (bytes))
#define UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION((address), (bytes))
#define GAP_BYTES                16
#else
#define POISON(address, bytes)   ((void) (address), (void) (bytes))
#define UNPOISON(address, bytes) ((void) (address), (void) (bytes))
#define GAP_BYTES                0
#endif

#define ALIGNMENT       16
#define ROOM_FIRST      4 /* of an array that grows */
#define CHUNK_BYTES_MIN 256
#define CHUNK_BYTES_MAX ((size_t) 256 * 1024)

typedef struct arena_chunk {
    struct arena_chunk *previous;
    unsigned long serial;  /* of the guard that it was taken in; 0: none */
    size_t used, capacity; /* of data */
    _Alignas(ALIGNMENT) char data[];
} arena_chunk;

struct ctn_arena {
    ctn_guarded_arena guarded; /* first: guards know the arena by it */
    arena_chunk *newest;
    arena_chunk *spare;
    size_t chunk_bytes_next;
    ctn_arena *parent, *inner;  /* inner: the first of those made in it */
    ctn_arena *previous, *next; /* among the parent's */
};

static arena_chunk *chunk_new(size_t capacity)
{
    size_t bytes;
    if (__builtin_add_overflow(sizeof(arena_chunk), capacity, &bytes))
        bytes = SIZE_MAX; /* malloc refuses, and says so */
    arena_chunk *chunk = malloc(bytes);
    if (!chunk)
        ctn_memory_gone(bytes);
    *chunk = (arena_chunk){.capacity = capacity, .serial = ctn_guard_serial()};
    POISON(chunk->data, capacity);
    return chunk;
}

static void chunk_free(arena_chunk *chunk)
{
    if (!chunk)
        return;
    UNPOISON(chunk->data, chunk->capacity);
    free(chunk);
}

static void pop_newest(ctn_arena *arena)
{
    arena_chunk *chunk = arena->newest;
    arena->newest = chunk->previous;
    if (chunk->capacity <= CHUNK_BYTES_MAX && (!arena->spare || arena->spare->capacity < chunk->capacity)) {
        chunk_free(arena->spare);
        POISON(chunk->data, chunk->capacity);
        chunk->used = 0;
        arena->spare = chunk;
    } else {
        chunk_free(chunk);
    }
}

/* The work that took from it is abandoned. */
static void give_back(ctn_guarded_arena *guarded, unsigned long since)
{
    ctn_arena *arena = (ctn_arena *) guarded;
    if (guarded->born >= since) {
        ctn_arena_free(arena);
        return;
    }
    while (arena->newest->serial >= since && arena->newest->previous) {
        arena_chunk *chunk = arena->newest;
        arena->newest = chunk->previous;
        chunk_free(chunk);
    }
    if (arena->spare && arena->spare->serial >= since) {
        chunk_free(arena->spare);
        arena->spare = NULL;
    }
}

ctn_arena *ctn_arena_new(size_t first_chunk_bytes)
{
    size_t first = first_chunk_bytes < CHUNK_BYTES_MIN ? CHUNK_BYTES_MIN : first_chunk_bytes;
    arena_chunk *chunk = chunk_new(first);
    ctn_arena *arena = malloc(sizeof *arena);
    if (!arena) {
        chunk_free(chunk);
        ctn_memory_gone(sizeof *arena);
    }
    *arena = (ctn_arena){.newest = chunk, .guarded = {.born = ctn_guard_serial(), .give_back = give_back}};
    ctn_guard_know(&arena->guarded);
    arena->chunk_bytes_next = first < CHUNK_BYTES_MAX / 2 ? 2 * first : CHUNK_BYTES_MAX;
    return arena;
}

ctn_arena *ctn_arena_new_in(ctn_arena *parent, size_t first_chunk_bytes)
{
    ctn_arena *arena = ctn_arena_new(first_chunk_bytes);
    arena->parent = parent;
    arena->next = parent->inner;
    if (parent->inner)
        parent->inner->previous = arena;
    parent->inner = arena;
    return arena;
}

static void leave_parent(ctn_arena *arena)
{
    if (arena->previous)
        arena->previous->next = arena->next;
    else
        arena->parent->inner = arena->next;
    if (arena->next)
        arena->next->previous = arena->previous;
}

static void free_inner(ctn_arena *arena)
{
    while (arena->inner)
        ctn_arena_free(arena->inner);
}

void ctn_arena_free(ctn_arena *arena)
{
    if (!arena)
        return;
    if (arena->parent)
        leave_parent(arena);
    free_inner(arena);
    ctn_guard_forget(&arena->guarded);
    for (arena_chunk *chunk = arena->newest; chunk;) {
        arena_chunk *previous = chunk->previous;
        chunk_free(chunk);
        chunk = previous;
    }
    chunk_free(arena->spare);
    free(arena);
}

void ctn_arena_reset(ctn_arena *arena)
{
    free_inner(arena);
    while (arena->newest->previous)
        pop_newest(arena);
    arena->newest->used = 0;
    POISON(arena->newest->data, arena->newest->capacity);
}

/* Out of line: the common case is the few lines in ctn_arena_alloc. */
static void push_chunk(ctn_arena *arena, size_t bytes)
{
    arena_chunk *chunk = NULL;
    if (arena->spare && arena->spare->capacity >= bytes) {
        chunk = arena->spare;
        arena->spare = NULL;
    } else if (bytes > CHUNK_BYTES_MAX) {
        chunk = chunk_new(bytes);
    } else {
        while (arena->chunk_bytes_next < bytes)
            arena->chunk_bytes_next *= 2;
        if (arena->chunk_bytes_next > CHUNK_BYTES_MAX)
            arena->chunk_bytes_next = CHUNK_BYTES_MAX;
        chunk = chunk_new(arena->chunk_bytes_next);
        arena->chunk_bytes_next *= 2;
        if (arena->chunk_bytes_next > CHUNK_BYTES_MAX)
            arena->chunk_bytes_next = CHUNK_BYTES_MAX;
    }
    chunk->previous = arena->newest;
    arena->newest = chunk;
    ctn_guard_know(&arena->guarded);
}

void *ctn_arena_alloc(ctn_arena *arena, size_t bytes)
{
    size_t taken = SIZE_MAX;
    if (bytes < SIZE_MAX - GAP_BYTES - ALIGNMENT)
        taken = ((bytes ? bytes : 1) + GAP_BYTES + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);
    arena_chunk *chunk = arena->newest;
    if (taken > chunk->capacity - chunk->used) {
        push_chunk(arena, taken);
        chunk = arena->newest;
    }
    char *memory = chunk->data + chunk->used;
    chunk->used += taken;
    UNPOISON(memory, bytes);
    return memory;
}

void *ctn_arena_calloc(ctn_arena *arena, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        total = SIZE_MAX;
    void *memory = ctn_arena_alloc(arena, total);
    memset(memory, 0, total);
    return memory;
}

void *ctn_arena_room(ctn_arena *arena, void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t grown = *capacity ? 2 * *capacity : ROOM_FIRST;
    void *moved = ctn_arena_calloc(arena, grown, item_bytes);
    if (count)
        memcpy(moved, items, count * item_bytes);
    *capacity = grown;
    return moved;
}

ctn_arena_mark ctn_arena_save(const ctn_arena *arena)
{
    return (ctn_arena_mark){.chunk = arena->newest, .used = arena->newest->used};
}

void ctn_arena_restore(ctn_arena *arena, ctn_arena_mark mark)
{
    while (arena->newest != mark.chunk) {
        assert(arena->newest->previous); /* the mark is from this arena and not older than a reset */
        pop_newest(arena);
    }
    assert(mark.used <= arena->newest->used);
    arena->newest->used = mark.used;
    POISON(arena->newest->data + mark.used, arena->newest->capacity - mark.used);
}

ctn_str ctn_arena_str(ctn_arena *arena, ctn_str s)
{
    char *copy = ctn_arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (ctn_str){copy, s.len};
}

ctn_str ctn_arena_join(ctn_arena *arena, const ctn_str *parts, size_t count)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].len;
    char *text = ctn_arena_alloc(arena, bytes + 1);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len) {
            memcpy(text + at, parts[i].ptr, parts[i].len);
            at += parts[i].len;
        }
    text[bytes] = '\0';
    return (ctn_str){text, bytes};
}

ctn_str ctn_arena_printf(ctn_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

ctn_str ctn_arena_vprintf(ctn_arena *arena, const char *format, va_list args)
{
    char local[256];
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(local, sizeof local, format, args);
    assert(length >= 0); /* a format of ours that cannot be printed is a bug */
    size_t len = (size_t) length;
    char *text = ctn_arena_alloc(arena, len + 1);
    if (len < sizeof local)
        memcpy(text, local, len + 1);
    else
        (void) vsnprintf(text, len + 1, format, again);
    va_end(again);
    return (ctn_str){text, len};
}

size_t ctn_arena_used_bytes(const ctn_arena *arena)
{
    size_t total = 0;
    for (const arena_chunk *chunk = arena->newest; chunk; chunk = chunk->previous)
        total += chunk->used;
    for (const ctn_arena *inner = arena->inner; inner; inner = inner->next)
        total += ctn_arena_used_bytes(inner);
    return total;
}
