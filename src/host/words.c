/*
 * words.c -- see words.h.
 */
#include "host/words.h"
#include "base/text.h"

#define NAMES_SHOWN_MAX 12

ctn_str ctn_words_join(ctn_arena *arena, const ctn_str *names, size_t count)
{
    return ctn_text_list(arena, names, count, NAMES_SHOWN_MAX);
}

ctn_str ctn_words_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count)
{
    ctn_str near = ctn_str_nearest(word, names, count);
    if (near.len)
        return ctn_arena_printf(arena, "did you mean \"%.*s\"?", CTN_STR_ARG(near));
    if (count == 0)
        return CTN_STR("there are none");
    return ctn_arena_printf(arena, "there %s %.*s", count == 1 ? "is" : "are",
                            CTN_STR_ARG(ctn_words_join(arena, names, count)));
}
