/*
 * json.c -- what is asked of a tree: members, items, paths into it, equality. How one is made: json_build.c.
 */
#include "base/json_internal.h"

#include <stdlib.h>

#include "base/memory.h"

const char *ctn_json_kind_name(const ctn_json *v)
{
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: return "null";
    case CTN_JSON_FALSE:
    case CTN_JSON_TRUE: return "boolean";
    case CTN_JSON_NUMBER: return "number";
    case CTN_JSON_STRING: return "string";
    case CTN_JSON_ARRAY: return "array";
    case CTN_JSON_OBJECT: return "object";
    }
    return "unknown";
}

const ctn_json *ctn_json_get(const ctn_json *v, ctn_str key)
{
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return NULL;
    for (uint32_t i = 0; i < v->count; i++)
        if (ctn_str_equal((ctn_str){v->members[i].key.text, v->members[i].key.count}, key))
            return &v->members[i].value;
    return NULL;
}

const ctn_json *ctn_json_at(const ctn_json *v, size_t i)
{
    return ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count ? &v->items[i] : NULL;
}

bool ctn_json_has_text(const ctn_json *v, ctn_str text)
{
    for (uint32_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count; i++)
        if (ctn_json_is(&v->items[i], CTN_JSON_STRING) && ctn_str_equal(ctn_json_text(&v->items[i]), text))
            return true;
    return false;
}

/* Is `token`, in which ~0 stands for ~ and ~1 for /, this key? */
static bool token_is(ctn_str token, ctn_str key)
{
    size_t at = 0;
    for (size_t i = 0; i < token.len; i++, at++) {
        char c = token.ptr[i];
        if (c == '~') {
            if (++i == token.len || (token.ptr[i] != '0' && token.ptr[i] != '1'))
                return false;
            c = token.ptr[i] == '0' ? '~' : '/';
        }
        if (at == key.len || key.ptr[at] != c)
            return false;
    }
    return at == key.len;
}

static const ctn_json *follow(const ctn_json *v, ctn_str token)
{
    if (ctn_json_is(v, CTN_JSON_ARRAY)) {
        int64_t i;
        bool is_index = ctn_str_to_int64(token, &i) && token.ptr[0] != '-' && (token.len == 1 || token.ptr[0] != '0');
        return is_index ? ctn_json_at(v, (size_t) i) : NULL;
    }
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return NULL;
    for (uint32_t i = 0; i < v->count; i++)
        if (token_is(token, (ctn_str){v->members[i].key.text, v->members[i].key.count}))
            return &v->members[i].value;
    return NULL;
}

const ctn_json *ctn_json_pointer(const ctn_json *v, ctn_str pointer)
{
    if (pointer.len == 0)
        return v;
    if (pointer.ptr[0] != '/')
        return NULL;
    ctn_str rest = ctn_str_from_offset(pointer, 1);
    do
        v = follow(v, ctn_str_cut(&rest, '/'));
    while (v && rest.ptr);
    return v;
}

ctn_str ctn_json_str_or(const ctn_json *v, const char *key, ctn_str otherwise)
{
    const ctn_json *member = ctn_json_member_of(v, key);
    return ctn_json_is(member, CTN_JSON_STRING) ? ctn_json_text(member) : otherwise;
}

int64_t ctn_json_int_or(const ctn_json *v, const char *key, int64_t otherwise)
{
    int64_t value;
    return ctn_json_to_int64(ctn_json_member_of(v, key), &value) ? value : otherwise;
}

bool ctn_json_bool_or(const ctn_json *v, const char *key, bool otherwise)
{
    const ctn_json *member = ctn_json_member_of(v, key);
    return ctn_json_is_bool(member) ? member->kind == CTN_JSON_TRUE : otherwise;
}

/* ---- comparing ---- */

static int by_key(const void *a, const void *b)
{
    const ctn_json_member *x = *(const ctn_json_member *const *) a, *y = *(const ctn_json_member *const *) b;
    return ctn_str_compare((ctn_str){x->key.text, x->key.count}, (ctn_str){y->key.text, y->key.count});
}

const ctn_json_member **json_sorted_members(const ctn_json *object)
{
    const ctn_json_member **sorted = ctn_realloc_array(NULL, object->count, sizeof(ctn_json_member *));
    for (uint32_t i = 0; i < object->count; i++)
        sorted[i] = &object->members[i];
    qsort(sorted, object->count, sizeof(ctn_json_member *), by_key);
    return sorted;
}

static bool members_equal(const ctn_json *a, const ctn_json *b)
{
    if (a->count <= JSON_LINEAR_MAX) {
        for (uint32_t i = 0; i < a->count; i++) {
            const ctn_json *other = ctn_json_get(b, ctn_json_text(&a->members[i].key));
            if (!other || !ctn_json_equal(&a->members[i].value, other))
                return false;
        }
        return true;
    }
    const ctn_json_member **sorted_a = json_sorted_members(a), **sorted_b = json_sorted_members(b);
    bool equal = true;
    for (uint32_t i = 0; equal && i < a->count; i++)
        equal = ctn_str_equal(ctn_json_text(&sorted_a[i]->key), ctn_json_text(&sorted_b[i]->key)) &&
                ctn_json_equal(&sorted_a[i]->value, &sorted_b[i]->value);
    ctn_free(sorted_a);
    ctn_free(sorted_b);
    return equal;
}

bool ctn_json_equal(const ctn_json *a, const ctn_json *b)
{
    if (a == b)
        return true;
    ctn_json_kind kind = ctn_json_kind_of(a);
    if (kind != ctn_json_kind_of(b) || ctn_json_count(a) != ctn_json_count(b))
        return false;
    switch (kind) {
    case CTN_JSON_NUMBER: return ctn_json_number_compare(a, b) == 0;
    case CTN_JSON_STRING: return ctn_str_equal(ctn_json_text(a), ctn_json_text(b));
    case CTN_JSON_ARRAY:
        for (uint32_t i = 0; i < a->count; i++)
            if (!ctn_json_equal(&a->items[i], &b->items[i]))
                return false;
        return true;
    case CTN_JSON_OBJECT: return members_equal(a, b);
    default: return true;
    }
}
