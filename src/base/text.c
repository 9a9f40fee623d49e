/*
 * text.c -- see text.h. How wide a character is, the C library knows by the locale; where that knows no UTF-8, a
 * character that is not ASCII is not shown.
 */
#include "base/text.h"
#include <stdio.h>
#include <wchar.h>

/* The character at the front of the text: its bytes, and its columns; a replacement for what may not be shown. */
typedef struct shown {
    size_t bytes, columns;
    bool is_plain; /* may be shown as it is */
} shown;

static shown next_shown(ctn_str text)
{
    unsigned char first = (unsigned char) text.ptr[0];
    if (first < 0x80)
        return (shown){1, 1, first >= 0x20 && first != 0x7f};
    size_t bytes = ctn_str_utf8_at(text, 0);
    if (bytes == 0)
        return (shown){1, 1, false};
    if (ctn_str_control_at(text, 0, true)) /* marks of direction have no width, and turn around what has */
        return (shown){bytes, 1, false};
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text.ptr, bytes, &state);
    if (n == (size_t) -1 || n == (size_t) -2) /* the locale does not know UTF-8 */
        return (shown){bytes, 1, false};
    int width = wcwidth(wide);
    return (shown){bytes, width < 0 ? 1 : (size_t) width, width >= 0};
}

size_t ctn_text_columns(ctn_str text)
{
    size_t columns = 0;
    while (text.len) {
        shown s = next_shown(text);
        columns += s.columns;
        text = ctn_str_from_offset(text, s.bytes);
    }
    return columns;
}

ctn_str ctn_text_clean(ctn_arena *arena, ctn_str text, size_t columns_max)
{
    ctn_buf out;
    ctn_buf_init(&out, text.len + 4);
    text = ctn_str_trim(text);
    bool is_cut = columns_max && ctn_text_columns(text) > columns_max;
    size_t room = is_cut ? columns_max - (columns_max > 3 ? 3 : columns_max) : SIZE_MAX;
    bool was_blank = false;
    while (text.len) {
        shown s = next_shown(text);
        if (s.columns > room)
            break;
        bool is_blank = !s.is_plain && (unsigned char) text.ptr[0] <= 0x20;
        if (s.is_plain)
            ctn_buf_append(&out, (ctn_str){text.ptr, s.bytes});
        else if (!is_blank || !was_blank) /* line ends and their indentation shrink to one blank */
            ctn_buf_append_char(&out, is_blank ? ' ' : '?');
        was_blank = is_blank || text.ptr[0] == ' ';
        room -= s.columns;
        text = ctn_str_from_offset(text, s.bytes);
    }
    if (is_cut)
        ctn_buf_append(&out, (ctn_str){"...", columns_max > 3 ? 3 : columns_max});
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

ctn_str ctn_text_harmless(ctn_arena *arena, ctn_str text)
{
    char *out = ctn_arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t bytes = ctn_str_utf8_at(text, at);
        bool is_bad = bytes == 0 || ctn_str_control_at(text, at, false);
        bytes = bytes ? bytes : 1;
        if (is_bad) {
            out[len++] = '?';
        } else {
            memcpy(out + len, text.ptr + at, bytes);
            len += bytes;
        }
        at += bytes;
    }
    return (ctn_str){out, len};
}

void ctn_text_pad(ctn_buf *out, ctn_str text, size_t columns)
{
    ctn_buf_append(out, text);
    for (size_t n = ctn_text_columns(text); n < columns; n++)
        ctn_buf_append_char(out, ' ');
}

ctn_str ctn_text_list(ctn_arena *arena, const ctn_str *names, size_t count, size_t shown_max)
{
    ctn_str list = {0};
    size_t told = count > shown_max ? shown_max : count;
    for (size_t i = 0; i < told; i++)
        list = ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(list),
                                i == 0           ? ""
                                : i + 1 == count ? " and "
                                                 : ", ",
                                CTN_STR_ARG(names[i]));
    return told == count ? list : ctn_arena_printf(arena, "%.*s and %zu more", CTN_STR_ARG(list), count - told);
}

ctn_time_text ctn_duration_text(int64_t ms)
{
    ctn_time_text t;
    long long v = ms < 0 ? 0 : (long long) ms;
    if (v < 1000)
        snprintf(t.text, sizeof t.text, "%lld ms", v);
    else if (v < 59950)
        snprintf(t.text, sizeof t.text, "%lld.%lld s", (v + 50) / 1000, (v + 50) % 1000 / 100);
    else if (v < 3600000)
        snprintf(t.text, sizeof t.text, "%lld min %02lld s", (v + 500) / 60000, (v + 500) % 60000 / 1000);
    else if (v < 86400000)
        snprintf(t.text, sizeof t.text, "%lld h %02lld min", v / 3600000, v % 3600000 / 60000);
    else
        snprintf(t.text, sizeof t.text, "%lld d %02lld h", v / 86400000, v % 86400000 / 3600000);
    return t;
}
