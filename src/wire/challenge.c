/*
 * challenge.c -- see challenge.h.
 */
#include "wire/challenge.h"

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(ctn_str *s, const char *what)
{
    while (s->len && s->ptr[0] && strchr(what, s->ptr[0]))
        *s = ctn_str_from_offset(*s, 1);
}

static ctn_str take_token(ctn_str *s)
{
    size_t n = 0;
    while (n < s->len && is_token_char(s->ptr[n]))
        n++;
    ctn_str token = {s->ptr, n};
    *s = ctn_str_from_offset(*s, n);
    return token;
}

/* The text between the quotes, without what escapes; false: it does not end. */
static bool take_quoted(ctn_arena *arena, ctn_str *s, ctn_str *ret_text)
{
    char *text = ctn_arena_alloc(arena, s->len);
    size_t n = 0;
    for (size_t i = 1; i < s->len; i++) {
        char c = s->ptr[i];
        if (c == '"') {
            *ret_text = (ctn_str){text, n};
            *s = ctn_str_from_offset(*s, i + 1);
            return true;
        }
        if (c == '\\' && ++i == s->len)
            return false;
        text[n++] = s->ptr[i];
    }
    return false;
}

/* "name = value" at *s: taken and true, or *s is left alone. */
static bool take_parameter(ctn_arena *arena, ctn_str *s, ctn_str *ret_name, ctn_str *ret_value)
{
    ctn_str rest = *s;
    ctn_str name = take_token(&rest), value;
    skip(&rest, " \t");
    if (!name.len || !rest.len || rest.ptr[0] != '=')
        return false;
    rest = ctn_str_from_offset(rest, 1);
    skip(&rest, " \t");
    if (rest.len && rest.ptr[0] == '"') {
        if (!take_quoted(arena, &rest, &value))
            return false;
    } else if (!(value = take_token(&rest)).len)
        return false;
    *s = rest;
    *ret_name = name;
    *ret_value = value;
    return true;
}

/* The one text that some schemes have in the place of parameters ("Negotiate a87421=="). */
static bool take_token68(ctn_str *s)
{
    size_t n = 0;
    while (n < s->len && (is_token_char(s->ptr[n]) || s->ptr[n] == '/'))
        n++;
    while (n < s->len && s->ptr[n] == '=')
        n++;
    ctn_str rest = ctn_str_from_offset(*s, n);
    skip(&rest, " \t");
    if (n == 0 || (rest.len && rest.ptr[0] != ','))
        return false;
    *s = rest;
    return true;
}

static bool is_word(ctn_str s, const char *lower)
{
    size_t n = strlen(lower);
    for (size_t i = 0; s.len == n && i < n; i++)
        if ((s.ptr[i] | 0x20) != lower[i] && s.ptr[i] != lower[i])
            return false;
    return s.len == n;
}

/* What may stand in a URL, and in a sentence on a terminal. */
static bool is_visible(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return s.len <= CTN_CHALLENGE_URL_BYTES_MAX;
}

static void keep(ctn_challenge *c, ctn_str name, ctn_str value)
{
    ctn_str *place = is_word(name, "error")               ? &c->error
                     : is_word(name, "scope")             ? &c->scope
                     : is_word(name, "resource_metadata") ? &c->resource_metadata
                                                          : NULL;
    if (place == &c->resource_metadata && !is_visible(value))
        return;
    if (place && !place->ptr)
        *place = value;
}

bool ctn_challenge_read(ctn_arena *arena, ctn_str value, ctn_challenge *ret_challenge)
{
    ctn_challenge found = {0};
    bool is_bearer = false;
    while (skip(&value, " \t,"), value.len) {
        ctn_str name, text;
        if (take_parameter(arena, &value, &name, &text)) {
            if (is_bearer)
                keep(&found, name, text);
        } else {
            if (is_bearer) /* the next challenge, or nonsense */
                break;
            ctn_str scheme = take_token(&value);
            if (!scheme.len)
                break;
            is_bearer = is_word(scheme, "bearer");
            skip(&value, " \t");
            if (!is_bearer)
                (void) take_token68(&value);
        }
        skip(&value, " \t");
        if (value.len && value.ptr[0] != ',' && !is_token_char(value.ptr[0]))
            break;
    }
    if (is_bearer)
        *ret_challenge = found;
    return is_bearer;
}
