/*
 * json_write.c -- tree to text: compact, for people, and canonical.
 *
 * What must hold: whatever the strings hold, the text is UTF-8 and parses to an equal tree, bytes that are
 * no UTF-8 aside, each of which becomes U+FFFD. Recursion is as deep as the tree.
 */
#include "base/json_internal.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

#define REPLACEMENT       "\xEF\xBF\xBD" /* U+FFFD */
#define PRETTY_LINE_BYTES 72             /* an array of scalars up to this long stays on one line */

/* What a byte becomes inside quotes: 0 itself, 1 \u00XX, 2 look at the whole character, else backslash and this. */
enum { AS_IS = 0, AS_HEX = 1, AS_CHARACTER = 2 };

#define HEX_8       AS_HEX, AS_HEX, AS_HEX, AS_HEX, AS_HEX, AS_HEX, AS_HEX, AS_HEX
#define CHARACTER_8 2, 2, 2, 2, 2, 2, 2, 2
static const unsigned char escape_of[256] = {
    HEX_8,       'b',         't',         'n',         AS_HEX,      'f',           'r',
    AS_HEX,      AS_HEX,      HEX_8,       HEX_8,       ['"'] = '"', ['\\'] = '\\', [0x80] = CHARACTER_8,
    CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8,   CHARACTER_8,
    CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8, CHARACTER_8,   CHARACTER_8,
    CHARACTER_8,
};
_Static_assert(AS_CHARACTER == 2, "CHARACTER_8");

#define EACH_BYTE(value) (0x0101010101010101u * (value))

/* None of the eight bytes is a control character, a quote, a backslash or beyond ASCII: in each sum below the byte's
 * top bit says that it is one. */
static bool is_plain_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t control = word - EACH_BYTE(0x20u), quote = (word ^ EACH_BYTE('"')) - EACH_BYTE(1u),
             backslash = (word ^ EACH_BYTE('\\')) - EACH_BYTE(1u);
    return ((word | control | quote | backslash) & EACH_BYTE(0x80u)) == 0;
}

/* How many bytes from `at` on can be copied as they are. */
static size_t plain_run(ctn_str s, size_t at)
{
    size_t end = at;
    while (s.len - end >= 8 && is_plain_word(s.ptr + end))
        end += 8;
    if (s.len - end < 8 && s.len >= 8 && is_plain_word(s.ptr + s.len - 8))
        return s.len - at;
    while (end < s.len) {
        unsigned char how = escape_of[(unsigned char) s.ptr[end]];
        if (how == AS_IS) {
            end++;
            continue;
        }
        size_t bytes = how == AS_CHARACTER ? ctn_str_utf8_at(s, end) : 0;
        if (bytes == 0)
            break;
        end += bytes;
    }
    return end - at;
}

static size_t string_bytes(ctn_str s)
{
    size_t total = 2;
    for (size_t at = 0; at < s.len;) {
        size_t run = plain_run(s, at);
        at += run;
        total += run;
        if (at == s.len)
            break;
        unsigned char how = escape_of[(unsigned char) s.ptr[at++]];
        total += how == AS_CHARACTER ? sizeof REPLACEMENT - 1 : how == AS_HEX ? 6 : 2;
    }
    return total;
}

size_t ctn_json_bytes(const ctn_json *v)
{
    size_t count = ctn_json_count(v), total = 2 + (count ? count - 1 : 0); /* brackets and commas */
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL:
    case CTN_JSON_TRUE: return 4;
    case CTN_JSON_FALSE: return 5;
    case CTN_JSON_NUMBER: return v->count;
    case CTN_JSON_STRING: return string_bytes(ctn_json_text(v));
    case CTN_JSON_ARRAY:
        for (size_t i = 0; i < count; i++)
            total += ctn_json_bytes(&v->items[i]);
        return total;
    case CTN_JSON_OBJECT:
        for (size_t i = 0; i < count; i++)
            total += string_bytes(ctn_json_text(&v->members[i].key)) + 1 + ctn_json_bytes(&v->members[i].value);
        return total;
    }
    return 0;
}

/* The writers know that there is room: as many bytes as were counted above. They return where the next byte goes. */

static char *put(char *at, const char *bytes, size_t count)
{
    if (count)
        memcpy(at, bytes, count);
    return at + count;
}

static char *put_string(char *out, ctn_str s)
{
    static const char digits[] = "0123456789abcdef";
    *out++ = '"';
    for (size_t at = 0; at < s.len;) {
        size_t run = plain_run(s, at);
        out = put(out, s.ptr + at, run);
        at += run;
        if (at == s.len)
            break;
        unsigned char c = (unsigned char) s.ptr[at++];
        unsigned char how = escape_of[c];
        if (how == AS_CHARACTER)
            out = put(out, REPLACEMENT, sizeof REPLACEMENT - 1);
        else if (how == AS_HEX)
            out = put(out, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
        else
            out = put(out, (char[]){'\\', (char) how}, 2);
    }
    *out++ = '"';
    return out;
}

static char *put_value(char *out, const ctn_json *v)
{
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: return put(out, "null", 4);
    case CTN_JSON_FALSE: return put(out, "false", 5);
    case CTN_JSON_TRUE: return put(out, "true", 4);
    case CTN_JSON_NUMBER: return put(out, v->text, v->count);
    case CTN_JSON_STRING: return put_string(out, ctn_json_text(v));
    case CTN_JSON_ARRAY:
        *out++ = '[';
        for (uint32_t i = 0; i < v->count; i++) {
            if (i)
                *out++ = ',';
            out = put_value(out, &v->items[i]);
        }
        *out++ = ']';
        break;
    case CTN_JSON_OBJECT:
        *out++ = '{';
        for (uint32_t i = 0; i < v->count; i++) {
            if (i)
                *out++ = ',';
            out = put_string(out, ctn_json_text(&v->members[i].key));
            *out++ = ':';
            out = put_value(out, &v->members[i].value);
        }
        *out++ = '}';
        break;
    }
    return out;
}

void ctn_json_write_string(ctn_buf *out, ctn_str s)
{
    size_t bytes = string_bytes(s);
    char *at = ctn_buf_reserve(out, bytes);
    if (!at)
        return;
    char *end = put_string(at, s);
    assert(end == at + bytes);
    out->len += bytes;
}

void ctn_json_write(ctn_buf *out, const ctn_json *v)
{
    size_t bytes = ctn_json_bytes(v);
    char *at = ctn_buf_reserve(out, bytes);
    if (!at)
        return;
    char *end = put_value(at, v);
    assert(end == at + bytes);
    out->len += bytes;
}

static bool fits_one_line(const ctn_json *array)
{
    size_t bytes = 2;
    for (uint32_t i = 0; i < array->count && bytes <= PRETTY_LINE_BYTES; i++) {
        if (ctn_json_count(&array->items[i]) > 0)
            return false;
        bytes += ctn_json_bytes(&array->items[i]) + 2;
    }
    return bytes <= PRETTY_LINE_BYTES;
}

static void new_line(ctn_buf *out, size_t depth)
{
    ctn_buf_append_char(out, '\n');
    for (size_t i = 0; i < depth; i++)
        ctn_buf_append_literal(out, "  ");
}

static void write_pretty(ctn_buf *out, const ctn_json *v, size_t depth)
{
    size_t count = ctn_json_count(v);
    if (count == 0) { /* scalars, [] and {} */
        ctn_json_write(out, v);
        return;
    }
    bool is_object = v->kind == CTN_JSON_OBJECT, one_line = !is_object && fits_one_line(v);
    ctn_buf_append_char(out, is_object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            ctn_buf_append(out, one_line ? CTN_STR(", ") : CTN_STR(","));
        if (!one_line)
            new_line(out, depth + 1);
        if (is_object) {
            ctn_json_write_string(out, ctn_json_text(&v->members[i].key));
            ctn_buf_append_literal(out, ": ");
        }
        write_pretty(out, is_object ? &v->members[i].value : &v->items[i], depth + 1);
    }
    if (!one_line)
        new_line(out, depth);
    ctn_buf_append_char(out, is_object ? '}' : ']');
}

void ctn_json_write_pretty(ctn_buf *out, const ctn_json *v)
{
    write_pretty(out, v, 0);
}

static void write_canonical_number(ctn_buf *out, const ctn_json *v)
{
    json_decimal d;
    json_decimal_init(&d, ctn_json_text(v));
    json_decimal_write(&d, out);
    json_decimal_done(&d);
}

void ctn_json_write_canonical(ctn_buf *out, const ctn_json *v)
{
    size_t count = ctn_json_count(v);
    if (ctn_json_is(v, CTN_JSON_NUMBER)) {
        write_canonical_number(out, v);
    } else if (ctn_json_is(v, CTN_JSON_ARRAY)) {
        ctn_buf_append_char(out, '[');
        for (size_t i = 0; i < count; i++) {
            if (i)
                ctn_buf_append_char(out, ',');
            ctn_json_write_canonical(out, &v->items[i]);
        }
        ctn_buf_append_char(out, ']');
    } else if (count) { /* an object */
        const ctn_json_member **sorted = json_sorted_members(v);
        for (size_t i = 0; i < count; i++) {
            ctn_buf_append_char(out, i ? ',' : '{');
            ctn_json_write_string(out, ctn_json_text(&sorted[i]->key));
            ctn_buf_append_char(out, ':');
            ctn_json_write_canonical(out, &sorted[i]->value);
        }
        ctn_buf_append_char(out, '}');
        ctn_free(sorted);
    } else {
        ctn_json_write(out, v);
    }
}

ctn_str ctn_json_to_str(ctn_arena *arena, const ctn_json *v)
{
    size_t bytes = ctn_json_bytes(v);
    char *text = ctn_arena_alloc(arena, bytes + 1);
    char *end = put_value(text, v);
    assert(end == text + bytes);
    *end = '\0';
    return (ctn_str){text, bytes};
}
