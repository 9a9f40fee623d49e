/* literal.c -- one reader for the literals of expressions, filters and paths. */
#include "value/literal.h"
#include "base/buf.h"

#define LIST_DEPTH_MAX 16

static int fail_at(ctn_err *err, size_t at, const char *sentence)
{
    return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (at + 1), "%s", sentence);
}

/* Four hexadecimal digits at `at`; false leaves *ret_value alone. */
static bool read_hex4(ctn_str text, size_t at, uint32_t *ret_value)
{
    if (text.len < 4 || at > text.len - 4)
        return false;
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = ctn_hex_value(text.ptr[i]);
        if (digit < 0)
            return false;
        value = value * 16 + (uint32_t) digit;
    }
    *ret_value = value;
    return true;
}

/* The escape whose backslash is at *at: appends what it stands for and steps over it. */
static void read_escape(ctn_str text, size_t *at, char *out, size_t *out_len)
{
    char next = *at + 1 < text.len ? text.ptr[*at + 1] : '\0';
    char plain = '\0';
    switch (next) {
    case '\\':
    case '\'':
    case '"': plain = next; break;
    case 'n': plain = '\n'; break;
    case 'r': plain = '\r'; break;
    case 't': plain = '\t'; break;
    default: break;
    }
    if (plain) {
        out[(*out_len)++] = plain;
        *at += 2;
        return;
    }
    uint32_t code, low;
    if (next == 'u' && read_hex4(text, *at + 2, &code)) {
        size_t end = *at + 6;
        if (code >= 0xd800 && code < 0xdc00 && end + 1 < text.len && text.ptr[end] == '\\' &&
            text.ptr[end + 1] == 'u' && read_hex4(text, end + 2, &low) && low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            end += 6;
        }
        if (code < 0xd800 || code >= 0xe000) {
            *out_len += ctn_utf8_encode(code, out + *out_len);
            *at = end;
            return;
        }
    }
    out[(*out_len)++] = '\\';
    *at += 1;
}

int ctn_literal_text(ctn_arena *arena, ctn_str text, size_t *at, ctn_str *ret_text, ctn_err *err)
{
    size_t i = *at;
    if (i >= text.len || (text.ptr[i] != '\'' && text.ptr[i] != '"'))
        return fail_at(err, i, "expected text in quotes");
    char quote = text.ptr[i++];
    size_t end = i;
    while (end < text.len && text.ptr[end] != quote)
        end += text.ptr[end] == '\\' ? 2 : 1;
    if (end >= text.len)
        return fail_at(err, *at, "this quote is never closed");
    /* Decoded text is never longer than what was written. */
    char *out = ctn_arena_alloc(arena, end - i + 1);
    size_t out_len = 0;
    while (i < end) {
        if (text.ptr[i] == '\\')
            read_escape(text, &i, out, &out_len);
        else
            out[out_len++] = text.ptr[i++];
    }
    ctn_str decoded = {out, out_len};
    if (!ctn_str_is_utf8(decoded))
        return fail_at(err, *at, "this text is not valid UTF-8");
    *at = end + 1;
    *ret_text = decoded;
    return CTN_OK;
}

int ctn_literal_number(ctn_arena *arena, ctn_str text, size_t *at, const ctn_json **ret_value, ctn_err *err)
{
    size_t end = *at;
    if (end < text.len && text.ptr[end] == '-')
        end++;
    while (end < text.len) {
        char c = text.ptr[end];
        bool is_sign = (c == '+' || c == '-') && (text.ptr[end - 1] == 'e' || text.ptr[end - 1] == 'E');
        if (!ctn_is_name_char(c) && c != '.' && !is_sign)
            break;
        end++;
    }
    ctn_str number = {text.ptr + *at, end - *at};
    if (!ctn_json_is_number_text(number))
        return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (*at + 1),
                           "'%.*s' is not a number; write it like 12, -3.5 or 1e6", CTN_STR_ARG(number));
    *at = end;
    *ret_value = ctn_json_number(arena, number);
    return CTN_OK;
}

static int parse_at_depth(ctn_arena *arena, ctn_str text, size_t *at, int depth, const ctn_json **ret_value,
                          ctn_err *err)
{
    size_t i = ctn_skip_blanks(text, *at);
    if (i >= text.len)
        return fail_at(err, i, "expected a literal: 'text', a number, true, false, null or a list [a, b]");
    char c = text.ptr[i];
    if (c == '\'' || c == '"') {
        ctn_str s;
        int rc = ctn_literal_text(arena, text, &i, &s, err);
        if (rc)
            return rc;
        *ret_value = ctn_json_string(arena, s);
    } else if (ctn_is_digit(c) || c == '-') {
        int rc = ctn_literal_number(arena, text, &i, ret_value, err);
        if (rc)
            return rc;
    } else if (c == '[') {
        if (depth >= LIST_DEPTH_MAX)
            return fail_at(err, i, "lists are nested more than 16 deep");
        ctn_json_builder list = ctn_json_array(arena);
        i = ctn_skip_blanks(text, i + 1);
        bool is_first = true;
        while (i >= text.len || text.ptr[i] != ']') {
            if (!is_first) {
                if (i >= text.len || text.ptr[i] != ',')
                    return fail_at(err, i, "expected ',' or ']' in this list");
                i++;
            }
            const ctn_json *item = NULL;
            int rc = parse_at_depth(arena, text, &i, depth + 1, &item, err);
            if (rc)
                return rc;
            ctn_json_push(&list, item);
            is_first = false;
            i = ctn_skip_blanks(text, i);
        }
        i++;
        *ret_value = ctn_json_finish(&list);
    } else {
        size_t end = ctn_skip_name(text, i);
        ctn_str word = {text.ptr + i, end - i};
        if (ctn_str_is(word, "true"))
            *ret_value = &ctn_json_true;
        else if (ctn_str_is(word, "false"))
            *ret_value = &ctn_json_false;
        else if (ctn_str_is(word, "null"))
            *ret_value = &ctn_json_null;
        else if (word.len)
            return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (i + 1),
                               "'%.*s' is no literal; text stands in quotes: '%.*s'", CTN_STR_ARG(word),
                               CTN_STR_ARG(word));
        else
            return fail_at(err, i, "expected a literal: 'text', a number, true, false, null or a list [a, b]");
        i = end;
    }
    *at = i;
    return CTN_OK;
}

int ctn_literal_parse(ctn_arena *arena, ctn_str text, size_t *at, const ctn_json **ret_value, ctn_err *err)
{
    return parse_at_depth(arena, text, at, 0, ret_value, err);
}

int ctn_literal_fail_unknown(const char *what, ctn_str name, size_t offset, const ctn_str *names, size_t count,
                             ctn_err *err)
{
    ctn_str nearest = ctn_str_nearest(name, names, count);
    if (nearest.len)
        return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (offset + 1), "unknown %s '%.*s'; did you mean '%.*s'?",
                           what, CTN_STR_ARG(name), CTN_STR_ARG(nearest));
    ctn_buf known;
    ctn_buf_init(&known, 4096);
    for (size_t i = 0; i < count; i++)
        ctn_buf_printf(&known, " %.*s", CTN_STR_ARG(names[i]));
    int rc = ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (offset + 1), "unknown %s '%.*s'; %ss are%.*s", what,
                         CTN_STR_ARG(name), what, CTN_STR_ARG(ctn_buf_str(&known)));
    ctn_buf_done(&known);
    return rc;
}
