/*
 * uri.c -- RFC 3986: a URI taken apart, resolved against a base, put together.
 */
#include "value/uri.h"

typedef struct parts {
    ctn_str scheme, authority, path, query, fragment; /* ptr NULL: absent; scheme without ':' and so on */
} parts;

static size_t find_any(ctn_str s, const char *characters)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] && strchr(characters, s.ptr[i]))
            return i;
    return s.len;
}

static bool is_scheme(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return s.len > 0;
}

/* RFC 3986, appendix B. */
static parts take_apart(ctn_str s)
{
    parts p = {0};
    size_t at = find_any(s, ":/?#");
    if (at < s.len && s.ptr[at] == ':' && is_scheme((ctn_str){s.ptr, at})) {
        p.scheme = (ctn_str){s.ptr, at};
        s = ctn_str_from_offset(s, at + 1);
    }
    if (ctn_str_starts_with(s, CTN_STR("//"))) {
        s = ctn_str_from_offset(s, 2);
        at = find_any(s, "/?#");
        p.authority = (ctn_str){s.ptr, at};
        s = ctn_str_from_offset(s, at);
    }
    at = find_any(s, "?#");
    p.path = (ctn_str){s.ptr, at};
    s = ctn_str_from_offset(s, at);
    if (s.len > 0 && s.ptr[0] == '?') {
        s = ctn_str_from_offset(s, 1);
        at = find_any(s, "#");
        p.query = (ctn_str){s.ptr, at};
        s = ctn_str_from_offset(s, at);
    }
    if (s.len > 0)
        p.fragment = ctn_str_from_offset(s, 1);
    return p;
}

/* Section 5.2.4, on a copy. */
static ctn_str remove_dot_segments(ctn_arena *arena, ctn_str path)
{
    char *out = ctn_arena_alloc(arena, path.len + 1);
    size_t len = 0;
    while (path.len > 0) {
        if (ctn_str_starts_with(path, CTN_STR("../"))) {
            path = ctn_str_from_offset(path, 3);
        } else if (ctn_str_starts_with(path, CTN_STR("./"))) {
            path = ctn_str_from_offset(path, 2);
        } else if (ctn_str_starts_with(path, CTN_STR("/./"))) {
            path = ctn_str_from_offset(path, 2);
        } else if (ctn_str_is(path, "/.")) {
            path = CTN_STR("/");
        } else if (ctn_str_starts_with(path, CTN_STR("/../")) || ctn_str_is(path, "/..")) {
            path = path.len == 3 ? CTN_STR("/") : ctn_str_from_offset(path, 3);
            while (len > 0 && out[--len] != '/')
                ;
        } else if (ctn_str_is(path, ".") || ctn_str_is(path, "..")) {
            break;
        } else {
            size_t end = path.ptr[0] == '/' ? 1 : 0;
            while (end < path.len && path.ptr[end] != '/')
                end++;
            memcpy(out + len, path.ptr, end);
            len += end;
            path = ctn_str_from_offset(path, end);
        }
    }
    return (ctn_str){out, len};
}

static ctn_str merge_paths(ctn_arena *arena, const parts *base, ctn_str path)
{
    if (base->authority.ptr && base->path.len == 0)
        return ctn_arena_printf(arena, "/%.*s", CTN_STR_ARG(path));
    size_t end = base->path.len;
    while (end > 0 && base->path.ptr[end - 1] != '/')
        end--;
    return ctn_arena_printf(arena, "%.*s%.*s", (int) end, end ? base->path.ptr : "", CTN_STR_ARG(path));
}

static ctn_str put_together(ctn_arena *arena, const parts *p)
{
    return ctn_arena_printf(arena, "%.*s%s%s%.*s%.*s%s%.*s%s%.*s", CTN_STR_ARG(p->scheme), p->scheme.ptr ? ":" : "",
                            p->authority.ptr ? "//" : "", CTN_STR_ARG(p->authority), CTN_STR_ARG(p->path),
                            p->query.ptr ? "?" : "", CTN_STR_ARG(p->query), p->fragment.ptr ? "#" : "",
                            CTN_STR_ARG(p->fragment));
}

ctn_str ctn_uri_resolve(ctn_arena *arena, ctn_str base_text, ctn_str reference)
{
    parts base = take_apart(base_text), r = take_apart(reference), t = r;
    if (r.scheme.ptr) {
        t.path = remove_dot_segments(arena, r.path);
        return put_together(arena, &t);
    }
    t.scheme = base.scheme;
    if (r.authority.ptr) {
        t.path = remove_dot_segments(arena, r.path);
        return put_together(arena, &t);
    }
    t.authority = base.authority;
    if (r.path.len == 0) {
        t.path = base.path;
        if (!r.query.ptr)
            t.query = base.query;
    } else if (r.path.ptr[0] == '/') {
        t.path = remove_dot_segments(arena, r.path);
    } else {
        t.path = remove_dot_segments(arena, merge_paths(arena, &base, r.path));
    }
    return put_together(arena, &t);
}

ctn_str ctn_uri_split(ctn_str uri, ctn_str *ret_fragment)
{
    size_t at = find_any(uri, "#");
    *ret_fragment = at < uri.len ? ctn_str_from_offset(uri, at + 1) : (ctn_str){NULL, 0};
    return (ctn_str){uri.ptr, at};
}

ctn_str ctn_uri_decode(ctn_arena *arena, ctn_str text)
{
    char *out = ctn_arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len && text.ptr[i] == '%' ? ctn_hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? ctn_hex_value(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            out[len++] = (char) (unsigned char) (high * 16 + low);
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    return (ctn_str){out, len};
}
