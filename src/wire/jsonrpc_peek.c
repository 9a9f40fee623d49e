/*
 * jsonrpc_peek.c -- whose answer is a line that is too long to be read? Its edges tell, mostly.
 *
 * Servers write the id first (Python's SDK) or behind the result (TypeScript's). So the first bytes are walked forward
 * and the last bytes backward, member by member of the outermost object, until a value stands there that does not fit.
 * No guess is made: an "id" inside a result is at no depth that is looked at, and what cannot be told is UNKNOWN.
 */
#include "wire/jsonrpc.h"

typedef struct peeking {
    bool has_id, is_call, has_result;
    int64_t id;
} peeking;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* text holds no escapes where it matters: a key with one is none of ours. */
static void note(peeking *p, ctn_str key, ctn_str value)
{
    if (ctn_str_is(key, "id"))
        p->has_id = ctn_str_to_int64(value, &p->id) && p->id > 0;
    else if (ctn_str_is(key, "method") || ctn_str_is(key, "params"))
        p->is_call = true;
    else if (ctn_str_is(key, "result") || ctn_str_is(key, "error"))
        p->has_result = true;
}

static ctn_rpc_peeked verdict(const peeking *p, bool is_certain, int64_t *ret_id)
{
    if (p->is_call)
        return CTN_RPC_PEEK_OTHER;
    if (!p->has_id || !is_certain)
        return CTN_RPC_PEEK_UNKNOWN;
    *ret_id = p->id;
    return CTN_RPC_PEEK_ANSWER;
}

/* ---- forward ---- */

static void pass_spaces(ctn_str *s)
{
    while (s->len && is_space(s->ptr[0]))
        *s = ctn_str_from_offset(*s, 1);
}

/* *s begins with a quote; false: the string has no end here. */
static bool pass_string(ctn_str *s, ctn_str *ret_text)
{
    for (size_t i = 1; i < s->len; i++) {
        if (s->ptr[i] == '\\') {
            i++;
        } else if (s->ptr[i] == '"') {
            *ret_text = (ctn_str){s->ptr + 1, i - 1};
            *s = ctn_str_from_offset(*s, i + 1);
            return true;
        }
    }
    return false;
}

/* A whole value; false: it has no end here. */
static bool pass_value(ctn_str *s, ctn_str *ret_text)
{
    ctn_str inner, begin = *s;
    size_t depth = 0;
    while (s->len) {
        char c = s->ptr[0];
        if (c == '"') {
            if (!pass_string(s, &inner))
                return false;
            if (depth == 0) {
                *ret_text = inner;
                return true;
            }
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0 && --depth == 0)
            return *s = ctn_str_from_offset(*s, 1), true;
        else if (depth == 0 && (c == ',' || c == '}' || is_space(c)))
            return *ret_text = (ctn_str){begin.ptr, begin.len - s->len}, true;
        *s = ctn_str_from_offset(*s, 1);
    }
    return false;
}

ctn_rpc_peeked ctn_rpc_peek_head(ctn_str head, int64_t *ret_id)
{
    peeking p = {0};
    ctn_str s = head, key, value;
    pass_spaces(&s);
    if (s.len == 0)
        return CTN_RPC_PEEK_UNKNOWN;
    if (s.ptr[0] != '{')
        return CTN_RPC_PEEK_OTHER;
    do {
        s = ctn_str_from_offset(s, 1);
        pass_spaces(&s);
        if (s.len == 0 || s.ptr[0] != '"' || !pass_string(&s, &key))
            break;
        pass_spaces(&s);
        if (s.len == 0 || s.ptr[0] != ':')
            break;
        s = ctn_str_from_offset(s, 1);
        pass_spaces(&s);
        value = (ctn_str){0};
        bool is_whole = pass_value(&s, &value);
        note(&p, key, is_whole ? value : (ctn_str){0});
        if (!is_whole)
            break;
        pass_spaces(&s);
    } while (s.len && s.ptr[0] == ',');
    return verdict(&p, p.has_result, ret_id); /* a request may have an id, and its method at the end */
}

/* ---- backward: s is what stands before ---- */

static void drop_spaces(ctn_str *s)
{
    while (s->len && is_space(s->ptr[s->len - 1]))
        s->len--;
}

static bool drop_char(ctn_str *s, char c)
{
    drop_spaces(s);
    if (s->len == 0 || s->ptr[s->len - 1] != c)
        return false;
    s->len--;
    return true;
}

/* *s ends behind a string's closing quote. */
static bool drop_string(ctn_str *s, ctn_str *ret_text)
{
    size_t end = s->len - 1;
    for (size_t i = end; i-- > 0;) {
        if (s->ptr[i] != '"')
            continue;
        size_t slashes = 0;
        while (slashes < i && s->ptr[i - 1 - slashes] == '\\')
            slashes++;
        if (slashes % 2)
            continue;
        if (i > 0 && slashes == i)
            return false; /* more of them may stand before what we see */
        *ret_text = (ctn_str){s->ptr + i + 1, end - i - 1};
        s->len = i;
        return true;
    }
    return false;
}

static bool drop_scalar(ctn_str *s, ctn_str *ret_text)
{
    drop_spaces(s);
    if (s->len == 0 || s->ptr[s->len - 1] == '}' || s->ptr[s->len - 1] == ']')
        return false;
    if (s->ptr[s->len - 1] == '"')
        return drop_string(s, ret_text);
    size_t end = s->len;
    while (s->len && s->ptr[s->len - 1] != ':' && !is_space(s->ptr[s->len - 1]) && s->ptr[s->len - 1] != ',')
        s->len--;
    *ret_text = (ctn_str){s->ptr + s->len, end - s->len};
    return s->len > 0 && end > s->len;
}

ctn_rpc_peeked ctn_rpc_peek_tail(ctn_str tail, int64_t *ret_id)
{
    peeking p = {0};
    ctn_str s = tail, key, value;
    if (!drop_char(&s, '}'))
        return CTN_RPC_PEEK_UNKNOWN;
    do {
        if (!drop_scalar(&s, &value) || !drop_char(&s, ':'))
            break;
        drop_spaces(&s);
        if (s.len == 0 || s.ptr[s.len - 1] != '"' || !drop_string(&s, &key))
            break;
        note(&p, key, value);
    } while (drop_char(&s, ','));
    return verdict(&p, true, ret_id); /* a request with its method at the beginning was known by its head */
}
