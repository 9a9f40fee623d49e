/* letter_case.c -- see letter_case.h. */
#include "value/letter_case.h"

/* (0x130 and 0x131, the dotted capital and dotless small i, are no pair and are not in the stretches.)
 * Pairs that stand next to each other in Latin Extended-A, capital first: on even code points in some
 * stretches, on odd ones in others. */
static bool is_even_pair(uint32_t c)
{
    return (c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
           (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) ||
           (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff);
}
static bool is_odd_pair(uint32_t c)
{
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x4c1 && c <= 0x4ce);
}

static uint32_t lower_of(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xc0 && c <= 0xde)
        return c == 0xd7 ? c : c + 32;
    if (is_even_pair(c))
        return c | 1;
    if (is_odd_pair(c))
        return c + (c & 1);
    switch (c) {
    case 0x178: return 0xff;
    case 0x386: return 0x3ac;
    case 0x388:
    case 0x389:
    case 0x38a: return c + 37;
    case 0x38c: return 0x3cc;
    case 0x38e:
    case 0x38f: return c + 63;
    case 0x1e9e: return 0xdf;
    default: break;
    }
    if (c >= 0x391 && c <= 0x3ab && c != 0x3a2)
        return c + 32;
    if (c >= 0x410 && c <= 0x42f)
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    return c;
}

static uint32_t upper_of(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    if (c >= 0xe0 && c <= 0xfe)
        return c == 0xf7 ? c : c - 32;
    if (is_even_pair(c))
        return c & ~1u;
    if (is_odd_pair(c))
        return c & 1 ? c : c - 1;
    switch (c) {
    case 0xff: return 0x178;
    case 0x131: return 'I';
    case 0x17f: return 'S';
    case 0x3ac: return 0x386;
    case 0x3ad:
    case 0x3ae:
    case 0x3af: return c - 37;
    case 0x3c2: return 0x3a3;
    case 0x3cc: return 0x38c;
    case 0x3cd:
    case 0x3ce: return c - 63;
    default: break;
    }
    if (c >= 0x3b1 && c <= 0x3cb)
        return c - 32;
    if (c >= 0x430 && c <= 0x44f)
        return c - 32;
    if (c >= 0x450 && c <= 0x45f)
        return c - 80;
    return c;
}

/* A capital and its small letter may differ by one byte (dotless i: two bytes to one; capital sharp s:
 * three to two), never to more than was there. */
static ctn_str map_text(ctn_arena *arena, ctn_str s, uint32_t (*map)(uint32_t))
{
    char *out = ctn_arena_alloc(arena, s.len + 4);
    size_t len = 0;
    for (size_t i = 0; i < s.len;) {
        size_t bytes;
        uint32_t code = ctn_utf8_decode(ctn_str_from_offset(s, i), &bytes);
        uint32_t mapped = map(code);
        if (mapped == code) {
            memcpy(out + len, s.ptr + i, bytes);
            len += bytes;
        } else {
            len += ctn_utf8_encode(mapped, out + len);
        }
        i += bytes;
    }
    return (ctn_str){out, len};
}

ctn_str ctn_case_upper(ctn_arena *arena, ctn_str s)
{
    return map_text(arena, s, upper_of);
}

ctn_str ctn_case_lower(ctn_arena *arena, ctn_str s)
{
    return map_text(arena, s, lower_of);
}
