/* scope.c -- the list of names that a text reads, and the names that belong to the language. */
#include "value/scope.h"

void ctn_reads_add(ctn_arena *arena, ctn_reads *reads, ctn_read read)
{
    reads->items = ctn_arena_room(arena, reads->items, reads->count, &reads->capacity, sizeof *reads->items);
    reads->items[reads->count++] = read;
}

bool ctn_reads_have(const ctn_reads *reads, const char *root)
{
    for (size_t i = 0; i < reads->count; i++)
        if (ctn_str_is(reads->items[i].root, root))
            return true;
    return false;
}

bool ctn_is_reserved_root(ctn_str name)
{
    static const char *const roots[] = {"input", "result", "item", "execution", "step", "now", "secret"};
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (ctn_str_is(name, roots[i]))
            return true;
    return false;
}
