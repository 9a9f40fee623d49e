/*
 * Any bytes as a transform's program: no crash, and what is refused is refused at a place in it. A word that nobody
 * can mistake for anything else is always found: the program is closed first, then asked for the time.
 */
#include <stdlib.h>
#include "base/arena.h"
#include "value/transform_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str program = {(const char *) data, size};
    ctn_err err = {0};
    int rc = ctn_transform_check(program, &err);
    if (rc && (err.column < 1 || err.column > size + 1 || !err.message[0]))
        abort();
    bool is_plain = rc == CTN_OK && size < CTN_TRANSFORM_BYTES_MAX - 16;
    for (size_t i = 0; i < size; i++)
        is_plain = is_plain && data[i] != '"' && data[i] != '#' && data[i] != '{' && data[i] != '$';
    if (is_plain) { /* no strings, no comments, no objects: a call is a call */
        ctn_str asks = ctn_arena_printf(arena, "%.*s | now", CTN_STR_ARG(program));
        if (ctn_transform_check(asks, &err) != CTN_E_INVALID)
            abort();
    }
    ctn_arena_free(arena);
    return 0;
}
