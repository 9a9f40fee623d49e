#include "fail.h"

#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdlib.h>
#include <malloc.h>

static _Thread_local struct {
    long left; /* 0: not armed */
    bool for_good, has_failed, is_counting;
    long live;
} mine;

/* A place for a breakpoint: the allocation that a test is about. */
static bool refuse(void)
{
    mine.has_failed = true;
    errno = ENOMEM;
    return true;
}

static bool refuses(void)
{
    if (mine.left == 0)
        return false;
    if (mine.left > 1) {
        mine.left--;
        return false;
    }
    return mine.for_good || !mine.has_failed ? refuse() : false;
}

void fail_arm(long n, bool for_good)
{
    mine.left = n;
    mine.for_good = for_good;
    mine.has_failed = false;
    mine.is_counting = true;
}

bool fail_disarm(void)
{
    mine.left = 0;
    return mine.has_failed;
}

long fail_live(void)
{
    return mine.live;
}

#ifdef FAIL_WRAPPED /* --wrap: the references of our own objects */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    return refuses() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuses() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return refuses() ? NULL : __real_realloc(old, bytes);
}

static void *db_malloc(int bytes)
{
    return refuses() ? NULL : malloc((size_t) bytes);
}

static void *db_realloc(void *old, int bytes)
{
    return refuses() ? NULL : realloc(old, (size_t) bytes);
}

static int db_size(void *memory)
{
    return memory ? (int) malloc_usable_size(memory) : 0;
}

static int db_round(int bytes)
{
    return (bytes + 7) & ~7;
}

static int db_init(void *ctx)
{
    (void) ctx;
    return SQLITE_OK;
}

static void db_shutdown(void *ctx)
{
    (void) ctx;
}

void fail_init(void)
{
    static const sqlite3_mem_methods METHODS = {db_malloc, free,    db_realloc,  db_size,
                                                db_round,  db_init, db_shutdown, NULL};
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &METHODS) != SQLITE_OK)
        abort();
}

#else /* in place of libc's, for all libraries */

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void __libc_free(void *memory);

static void *counted(void *memory)
{
    mine.live += mine.is_counting && memory;
    return memory;
}

void *malloc(size_t bytes)
{
    return refuses() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    return refuses() ? NULL : counted(__libc_calloc(count, bytes));
}

void *realloc(void *old, size_t bytes)
{
    if (refuses())
        return NULL;
    return old ? __libc_realloc(old, bytes) : counted(__libc_realloc(old, bytes));
}

void free(void *memory)
{
    mine.live -= mine.is_counting && memory;
    __libc_free(memory);
}

void fail_init(void)
{
}

#endif
