/*
 * A URI template from anyone (first line) against a URI from anyone (the rest): what does not compile says why; what
 * matches has a value for each name, and filled in with them gives a URI that matches, with the same values where names
 * are parted by a '/'.
 */
#include <stdint.h>
#include <stdlib.h>

#include "value/uri_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_parted(const ctn_uri_template *t)
{
    for (size_t i = 1; i < t->name_count; i++)
        if (!memchr(t->before[i].ptr, '/', t->before[i].len))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str uri = {(const char *) data, size}, text = ctn_str_cut(&uri, '\n');
    ctn_uri_template *t = NULL;
    ctn_err err = {0};
    if (ctn_uri_template_compile(arena, text, &t, &err)) {
        must(!t && err.message[0]);
    } else {
        const ctn_json *values = ctn_uri_template_match(t, arena, uri);
        ctn_str filled = values ? ctn_uri_template_fill(t, arena, values) : (ctn_str){0};
        must(!values || ctn_json_count(values) == t->name_count);
        const ctn_json *again = filled.len ? ctn_uri_template_match(t, arena, filled) : NULL;
        must(!again || !is_parted(t) || ctn_json_equal(values, again));
    }
    ctn_arena_free(arena);
    return 0;
}
