/*
 * uri_template.c -- a URI template is its texts and names in turn. A value holds no '/', '?' or '#' and never stands
 * beside another: it ends at the first place where the text behind it stands, and the last one where the URI ends so.
 */
#include "value/uri_template.h"
#include "base/percent.h"
#include "value/uri.h"

static bool is_name(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len > 0;
}

static bool has_scheme(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i] | 0x20;
        if (s.ptr[i] == ':')
            return i > 0;
        bool is_more = (c >= '0' && c <= '9') || s.ptr[i] == '+' || s.ptr[i] == '-' || s.ptr[i] == '.';
        if ((c < 'a' || c > 'z') && (i == 0 || !is_more))
            return false;
    }
    return false;
}

static size_t find(ctn_str s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t) (at - s.ptr) : SIZE_MAX;
}

/* Text between names: characters that a URI may hold, and no brace. */
static int check_text(ctn_str text, ctn_err *err)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '}')
            return ctn_fail(err, CTN_E_INVALID, "a '}' without its '{'");
        else if ((unsigned char) text.ptr[i] <= ' ' || (unsigned char) text.ptr[i] >= 0x7f)
            return ctn_fail(err, CTN_E_INVALID, "a character that no URI holds; write it as %%20");
    return CTN_OK;
}

static int take_name(ctn_uri_template *t, ctn_str name, ctn_err *err)
{
    if (!is_name(name))
        return ctn_fail(err, CTN_E_INVALID, "'{%.*s}' is no {name}: write letters, digits and _", CTN_STR_ARG(name));
    if (t->name_count == CTN_URI_TEMPLATE_NAMES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "more than %d names", CTN_URI_TEMPLATE_NAMES_MAX);
    if (t->name_count && !t->before[t->name_count].len)
        return ctn_fail(err, CTN_E_INVALID, "'{%.*s}' follows another name with nothing in between", CTN_STR_ARG(name));
    for (size_t i = 0; i < t->name_count; i++)
        if (ctn_str_equal(t->names[i], name))
            return ctn_fail(err, CTN_E_INVALID, "'{%.*s}' stands there twice", CTN_STR_ARG(name));
    t->names[t->name_count++] = name;
    return CTN_OK;
}

int ctn_uri_template_compile(ctn_arena *arena, ctn_str text, ctn_uri_template **ret_template, ctn_err *err)
{
    ctn_uri_template *t = CTN_NEW(arena, ctn_uri_template);
    *t = (ctn_uri_template){.text = text};
    if (text.len > CTN_URI_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "%zu bytes, at most %d", text.len, CTN_URI_BYTES_MAX);
    if (!has_scheme(text))
        return ctn_fail(err, CTN_E_INVALID, "a URI begins with its scheme, like trips://");
    for (ctn_str rest = text;;) {
        size_t open = find(rest, '{');
        ctn_str before = open == SIZE_MAX ? rest : (ctn_str){rest.ptr, open};
        int rc = check_text(before, err);
        if (rc)
            return rc;
        t->before[t->name_count] = before;
        if (open == SIZE_MAX)
            break;
        rest = ctn_str_from_offset(rest, open + 1);
        size_t close = find(rest, '}');
        if (close == SIZE_MAX)
            return ctn_fail(err, CTN_E_INVALID, "a '{' without its '}'");
        rc = take_name(t, (ctn_str){rest.ptr, close}, err);
        if (rc)
            return rc;
        rest = ctn_str_from_offset(rest, close + 1);
    }
    *ret_template = t;
    return CTN_OK;
}

/* The bytes of the value at the start of `rest` that `behind` follows; 0: there is none. */
static size_t find_value(ctn_str rest, ctn_str behind, bool is_last)
{
    size_t most = 0;
    while (most < rest.len && rest.ptr[most] != '/' && rest.ptr[most] != '?' && rest.ptr[most] != '#')
        most++;
    size_t len = ctn_str_find(rest, behind);
    if (is_last)
        len = ctn_str_ends_with(rest, behind) ? rest.len - behind.len : SIZE_MAX;
    return len <= most ? len : 0;
}

const ctn_json *ctn_uri_template_match(const ctn_uri_template *t, ctn_arena *arena, ctn_str uri)
{
    if (uri.len > CTN_URI_BYTES_MAX || !ctn_str_starts_with(uri, t->before[0]))
        return NULL;
    ctn_json_builder values = ctn_json_object(arena);
    ctn_str rest = ctn_str_from_offset(uri, t->before[0].len);
    for (size_t i = 0; i < t->name_count; i++) {
        size_t len = find_value(rest, t->before[i + 1], i + 1 == t->name_count);
        ctn_str value = ctn_uri_decode(arena, (ctn_str){rest.ptr, len});
        if (!len || !ctn_str_is_utf8(value))
            return NULL;
        ctn_json_put(&values, t->names[i], ctn_json_string(arena, value));
        rest = ctn_str_from_offset(rest, len + t->before[i + 1].len);
    }
    return rest.len ? NULL : ctn_json_finish(&values);
}

ctn_str ctn_uri_template_fill(const ctn_uri_template *t, ctn_arena *arena, const ctn_json *values)
{
    ctn_buf text;
    ctn_buf_init(&text, 4 * CTN_URI_BYTES_MAX);
    ctn_buf_append(&text, t->before[0]);
    bool is_whole = true;
    for (size_t i = 0; i < t->name_count; i++) {
        const ctn_json *value = ctn_json_get(values, t->names[i]);
        bool is_text = ctn_json_is(value, CTN_JSON_STRING) || ctn_json_is(value, CTN_JSON_NUMBER);
        is_whole &= is_text && ctn_json_text(value).len > 0;
        ctn_buf_append(&text, ctn_percent_encode(arena, ctn_json_text(value)));
        ctn_buf_append(&text, t->before[i + 1]);
    }
    ctn_str filled = is_whole && !text.overflowed ? ctn_arena_str(arena, ctn_buf_str(&text)) : (ctn_str){0};
    ctn_buf_done(&text);
    return filled;
}
