/*
 * form.c -- see form.h.
 */
#include "wire/form.h"
#include "base/err.h"
#include "base/percent.h"

void ctn_form_put(ctn_buf *out, bool is_first, const char *name, ctn_str value)
{
    if (!is_first)
        ctn_buf_append_char(out, '&');
    ctn_buf_append(out, ctn_str_from(name));
    ctn_buf_append_char(out, '=');
    ctn_percent_append(out, value);
}

/* False: an escape that is none. */
static bool unescape(ctn_arena *arena, ctn_str text, ctn_str *ret_text)
{
    char *out = ctn_arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            bool is_whole = text.len - i > 2;
            int high = is_whole ? ctn_hex_value(text.ptr[i + 1]) : -1,
                low = is_whole ? ctn_hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char) (unsigned char) (high << 4 | low);
            i += 2;
        } else if (c == '+')
            c = ' ';
        out[n++] = c;
    }
    out[n] = '\0';
    *ret_text = (ctn_str){out, n};
    return true;
}

int ctn_form_get(ctn_arena *arena, ctn_str form, const char *name, ctn_str *ret_value)
{
    ctn_str value = {0};
    bool is_there = false;
    while (form.ptr) {
        ctn_str pair = ctn_str_cut(&form, '&'), key;
        ctn_str rest = pair, written = ctn_str_cut(&rest, '=');
        if (!unescape(arena, written, &key) || !ctn_str_is(key, name))
            continue;
        if (is_there || !unescape(arena, rest, &value))
            return CTN_E_INVALID;
        is_there = true;
    }
    if (!is_there)
        return CTN_E_NOT_FOUND;
    *ret_value = value;
    return CTN_OK;
}
