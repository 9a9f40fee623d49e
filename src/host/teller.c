/*
 * teller.c -- see teller.h.
 */
#include "host/teller.h"
#include "base/arena.h"
#include <stdarg.h>

void ctn_tell(ctn_teller teller, ctn_telling kind, const char *format, ...)
{
    if (!teller.tell)
        return;
    va_list args;
    va_start(args, format);
    ctn_arena *arena = ctn_arena_new(512);
    teller.tell(teller.ctx, kind, ctn_arena_vprintf(arena, format, args));
    ctn_arena_free(arena);
    va_end(args);
}
