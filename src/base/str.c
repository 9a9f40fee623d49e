/*
 * str.c -- searching, cutting and judging borrowed text.
 */
#include "base/str.h"

#include <assert.h>

static unsigned char lower(char c)
{
    return (unsigned char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool ctn_str_equal_any_case(ctn_str a, ctn_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int ctn_str_compare(ctn_str a, ctn_str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

size_t ctn_str_find(ctn_str s, ctn_str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return SIZE_MAX;
    const char *found = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return found ? (size_t) (found - s.ptr) : SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

ctn_str ctn_str_trim(ctn_str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

ctn_str ctn_str_cut(ctn_str *s, char separator)
{
    ctn_str whole = *s;
    const char *found = whole.len ? memchr(whole.ptr, separator, whole.len) : NULL;
    if (!found) {
        *s = (ctn_str){NULL, 0};
        return whole;
    }
    size_t before = (size_t) (found - whole.ptr);
    *s = (ctn_str){found + 1, whole.len - before - 1};
    return (ctn_str){whole.ptr, before};
}

bool ctn_str_to_int64(ctn_str s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t at = negative ? 1 : 0;
    if (at == s.len)
        return false;
    int64_t value = 0; /* built below zero, where there is room for one more */
    for (; at < s.len; at++) {
        if (s.ptr[at] < '0' || s.ptr[at] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, s.ptr[at] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret_value = negative ? value : -value;
    return true;
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t ctn_str_utf8_at(ctn_str s, size_t at)
{
    assert(at < s.len);
    const unsigned char *p = (const unsigned char *) s.ptr + at;
    size_t left = s.len - at;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2) /* a continuation, or an overlong form of ASCII */
        return 0;
    if (p[0] < 0xE0)
        return left >= 2 && is_continuation(p[1]) ? 2 : 0;
    if (p[0] < 0xF0) {
        if (left < 3 || !is_continuation(p[1]) || !is_continuation(p[2]))
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F)) /* overlong; surrogate */
            return 0;
        return 3;
    }
    if (p[0] > 0xF4 || left < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3]))
        return 0;
    if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) /* overlong; above U+10FFFF */
        return 0;
    return 4;
}

uint32_t ctn_utf8_decode(ctn_str s, size_t *ret_bytes)
{
    const unsigned char *p = (const unsigned char *) s.ptr;
    size_t bytes = ctn_str_utf8_at(s, 0);
    *ret_bytes = bytes ? bytes : 1;
    if (bytes <= 1)
        return bytes ? p[0] : 0xfffd;
    uint32_t code = p[0] & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++)
        code = (code << 6) | (p[i] & 0x3fu);
    return code;
}

size_t ctn_utf8_encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char) code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char) (0xc0 | (code >> 6));
        out[1] = (char) (0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char) (0xe0 | (code >> 12));
        out[1] = (char) (0x80 | ((code >> 6) & 0x3f));
        out[2] = (char) (0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char) (0xf0 | (code >> 18));
    out[1] = (char) (0x80 | ((code >> 12) & 0x3f));
    out[2] = (char) (0x80 | ((code >> 6) & 0x3f));
    out[3] = (char) (0x80 | (code & 0x3f));
    return 4;
}

size_t ctn_str_control_at(ctn_str s, size_t at, bool is_line)
{
    assert(at < s.len);
    const unsigned char *p = (const unsigned char *) s.ptr + at;
    size_t left = s.len - at;
    if (p[0] < 0x20)
        return is_line || (p[0] != '\t' && p[0] != '\n') ? 1 : 0;
    if (p[0] < 0x80)
        return p[0] == 0x7F ? 1 : 0;
    if (left >= 2 && p[0] == 0xC2 && p[1] < 0xA0)
        return 2; /* C1 */
    if (left >= 2 && p[0] == 0xD8 && p[1] == 0x9C)
        return 2; /* U+061C */
    if (left < 3 || (p[0] != 0xE2 && p[0] != 0xEF))
        return 0;
    bool is_control = p[0] == 0xEF ? p[1] == 0xBB && p[2] == 0xBF /* U+FEFF */
                      : p[1] == 0x80
                          ? p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE) /* U+200E, 2028.. */
                          : p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;                  /* U+2066.. */
    return is_control ? 3 : 0;
}

size_t ctn_str_find_control(ctn_str s)
{
    for (size_t at = 0; at < s.len; at++)
        if (ctn_str_control_at(s, at, true))
            return at;
    return SIZE_MAX;
}

size_t ctn_str_code_points(ctn_str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.len; count++) {
        size_t bytes = ctn_str_utf8_at(s, at);
        at += bytes ? bytes : 1;
    }
    return count;
}

bool ctn_str_is_utf8(ctn_str s)
{
    for (size_t at = 0; at < s.len;) {
        size_t bytes = ctn_str_utf8_at(s, at);
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

/* Longer names are nobody's typing error. */
#define NEAREST_LEN_MAX 64

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static size_t edit_distance(ctn_str a, ctn_str b)
{
    size_t rows[3][NEAREST_LEN_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
            size_t best = above[j - 1] + (x != y);
            best = min_of(best, min_of(above[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && lower(a.ptr[i - 2]) == y)
                best = min_of(best, before[j - 2] + 1);
            current[j] = best;
        }
        size_t *oldest = before;
        before = above;
        above = current;
        current = oldest;
    }
    return above[b.len];
}

ctn_str ctn_str_nearest(ctn_str word, const ctn_str *names, size_t count)
{
    ctn_str nearest = {NULL, 0};
    if (word.len > NEAREST_LEN_MAX)
        return nearest;
    size_t allowed = word.len < 3 ? 1 : word.len / 3;
    for (size_t i = 0; i < count; i++) {
        size_t apart = names[i].len > word.len ? names[i].len - word.len : word.len - names[i].len;
        if (names[i].len == 0 || names[i].len > NEAREST_LEN_MAX || apart > allowed)
            continue;
        size_t distance = edit_distance(word, names[i]);
        if (distance <= allowed) {
            nearest = names[i];
            if (distance == 0)
                break;
            allowed = distance - 1; /* only a nearer one may replace it */
        }
    }
    return nearest;
}

ctn_str ctn_str_nearest_only(ctn_str word, const ctn_str *names, size_t count)
{
    ctn_str nearest = ctn_str_nearest(word, names, count), none = {NULL, 0};
    if (word.len < 3 || !nearest.len)
        return none;
    size_t distance = edit_distance(word, nearest);
    if (distance > 2)
        return none;
    for (size_t i = 0; i < count; i++)
        if (names[i].len && names[i].len <= NEAREST_LEN_MAX && !ctn_str_equal(names[i], nearest) &&
            edit_distance(word, names[i]) <= distance)
            return none;
    return nearest;
}

int ctn_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}
