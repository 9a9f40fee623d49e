/*
 * words.c -- see words.h.
 */
#include "cli/words.h"
#include "base/buf.h"

#define NAMES_SHOWN_MAX 12

ctn_str ctn_words_join(ctn_arena *arena, const ctn_str *names, size_t count)
{
    ctn_buf out;
    ctn_buf_init(&out, 8192);
    size_t shown = count > NAMES_SHOWN_MAX ? NAMES_SHOWN_MAX : count;
    for (size_t i = 0; i < shown; i++)
        ctn_buf_printf(&out, "%s%.*s", i == 0 ? "" : i + 1 == count ? " and " : ", ", CTN_STR_ARG(names[i]));
    if (shown < count)
        ctn_buf_printf(&out, " and %zu more", count - shown);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
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
