/*
 * percent.c -- see percent.h.
 */
#include "base/percent.h"

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* The character as it is written, one byte or three. */
static size_t write_one(char out[3], char c)
{
    static const char HEX[] = "0123456789ABCDEF";
    out[0] = is_unreserved(c) ? c : '%';
    out[1] = HEX[(unsigned char) c >> 4];
    out[2] = HEX[(unsigned char) c & 15];
    return is_unreserved(c) ? 1 : 3;
}

void ctn_percent_append(ctn_buf *out, ctn_str text)
{
    char one[3];
    for (size_t i = 0; i < text.len; i++)
        ctn_buf_append(out, (ctn_str){one, write_one(one, text.ptr[i])});
}

ctn_str ctn_percent_encode(ctn_arena *arena, ctn_str text)
{
    char *out = ctn_arena_alloc(arena, 3 * text.len + 3);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        len += write_one(out + len, text.ptr[i]);
    return (ctn_str){out, len};
}
