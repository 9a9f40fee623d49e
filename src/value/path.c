/*
 * path.c -- the way into a value.
 *
 * A path is the longest piece of text that is one: what follows (a filter, an operator, the rest of a
 * sentence) is the caller's. So "trip." is the path trip, and "a[0" is the path a.
 */
#include "value/path.h"
#include "value/literal.h"

#define PARTS_MAX  64
#define NAMES_MAX  1024
#define DIGITS_MAX 18 /* of an index: fits an int64_t without a check */

/* [12], [-1] at `at`; false when that is none. */
static bool read_index(ctn_str text, size_t *at, int64_t *ret_index)
{
    size_t i = *at + 1;
    bool is_negative = i < text.len && text.ptr[i] == '-';
    if (is_negative)
        i++;
    size_t first = i;
    int64_t index = 0;
    while (i < text.len && ctn_is_digit(text.ptr[i]) && i - first < DIGITS_MAX)
        index = index * 10 + (text.ptr[i++] - '0');
    if (i == first || i >= text.len || text.ptr[i] != ']')
        return false;
    *ret_index = is_negative ? -index : index;
    *at = i + 1;
    return true;
}

/* .name, [0] or ["odd name"] at *at; false when none of them is there. */
static bool read_part(ctn_arena *arena, ctn_str text, size_t *at, ctn_path_part *ret_part)
{
    size_t i = *at;
    if (i + 1 >= text.len)
        return false;
    if (text.ptr[i] == '.') {
        size_t end = ctn_skip_name(text, i + 1);
        if (end == i + 1)
            return false;
        *ret_part = (ctn_path_part){.name = {text.ptr + i + 1, end - i - 1}};
        *at = end;
        return true;
    }
    if (text.ptr[i] != '[')
        return false;
    if (text.ptr[i + 1] != '"' && text.ptr[i + 1] != '\'') {
        int64_t index;
        if (!read_index(text, at, &index))
            return false;
        *ret_part = (ctn_path_part){.index = index};
        return true;
    }
    size_t end = i + 1;
    ctn_str name;
    if (ctn_literal_text(arena, text, &end, &name, NULL) || end >= text.len || text.ptr[end] != ']')
        return false;
    *ret_part = (ctn_path_part){.name = name};
    *at = end + 1;
    return true;
}

int ctn_path_parse(ctn_arena *arena, ctn_str text, ctn_path *ret_path, size_t *ret_bytes, ctn_err *err)
{
    size_t at = ctn_skip_name(text, 0);
    if (at == 0)
        return ctn_fail_at(err, CTN_E_INVALID, 1, 1, "expected a name: a letter or _, then letters, digits and _");
    ctn_path_part parts[PARTS_MAX];
    size_t count = 0;
    size_t root_bytes = at;
    ctn_path_part part;
    while (read_part(arena, text, &at, &part)) {
        if (count == PARTS_MAX)
            return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (at + 1), "a path has at most %d parts", PARTS_MAX);
        parts[count++] = part;
    }
    ctn_str kept = ctn_arena_str(arena, (ctn_str){text.ptr, at});
    ctn_path path = {.text = kept, .root = {kept.ptr, root_bytes}, .count = count};
    path.parts = CTN_NEW_ARRAY(arena, ctn_path_part, count);
    for (size_t i = 0; i < count; i++) {
        path.parts[i] = parts[i];
        /* A plain name still points into the caller's text. */
        if (parts[i].name.ptr >= text.ptr && parts[i].name.ptr < text.ptr + at)
            path.parts[i].name.ptr = kept.ptr + (parts[i].name.ptr - text.ptr);
    }
    *ret_path = path;
    *ret_bytes = at;
    return CTN_OK;
}

ctn_str ctn_read_member(ctn_arena *arena, const ctn_read *read)
{
    ctn_path path;
    size_t bytes;
    if (ctn_path_parse(arena, read->path, &path, &bytes, NULL) || path.count == 0 || !path.parts[0].name.ptr)
        return (ctn_str){0};
    return path.parts[0].name;
}

static const ctn_json *step_into(const ctn_json *value, const ctn_path_part *part)
{
    if (part->name.ptr)
        return ctn_json_get(value, part->name);
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return NULL;
    int64_t index = part->index < 0 ? part->index + (int64_t) ctn_json_count(value) : part->index;
    return index < 0 ? NULL : ctn_json_at(value, (size_t) index);
}

static const ctn_json *walk(const ctn_path *path, const ctn_json *value)
{
    for (size_t i = 0; value && i < path->count; i++)
        value = step_into(value, &path->parts[i]);
    return value;
}

const ctn_json *ctn_path_resolve(const ctn_path *path, const ctn_scope *scope)
{
    return walk(path, scope->lookup(scope->ctx, path->root));
}

const ctn_json *ctn_path_resolve_in(const ctn_path *path, const ctn_json *value)
{
    return walk(path, ctn_json_get(value, path->root));
}

/* The path up to and with part number `count`, as people would write it. */
static ctn_str describe(ctn_arena *arena, const ctn_path *path, size_t count)
{
    ctn_str s = path->root;
    for (size_t i = 0; i < count; i++) {
        const ctn_path_part *part = &path->parts[i];
        if (!part->name.ptr)
            s = ctn_arena_printf(arena, "%.*s[%lld]", CTN_STR_ARG(s), (long long) part->index);
        else if (part->name.len && ctn_skip_name(part->name, 0) == part->name.len)
            s = ctn_arena_printf(arena, "%.*s.%.*s", CTN_STR_ARG(s), CTN_STR_ARG(part->name));
        else
            s = ctn_arena_printf(arena, "%.*s[\"%.*s\"]", CTN_STR_ARG(s), CTN_STR_ARG(part->name));
    }
    return s;
}

static ctn_str explain_root(ctn_arena *arena, const ctn_path *path, const ctn_scope *scope)
{
    ctn_str nearest = {0};
    size_t count = 0;
    if (scope->names) {
        ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, NAMES_MAX);
        count = scope->names(scope->ctx, names, NAMES_MAX);
        nearest = ctn_str_nearest(path->root, names, count < NAMES_MAX ? count : NAMES_MAX);
    }
    if (nearest.len)
        return ctn_arena_printf(arena, "{%.*s} is not defined: there is no variable '%.*s'; did you mean '%.*s'?",
                                CTN_STR_ARG(path->text), CTN_STR_ARG(path->root), CTN_STR_ARG(nearest));
    return ctn_arena_printf(arena, "{%.*s} is not defined: there is no variable '%.*s'", CTN_STR_ARG(path->text),
                            CTN_STR_ARG(path->root));
}

/* `value` is there, but has no part number `i`. */
static ctn_str explain_part(ctn_arena *arena, const ctn_path *path, size_t i, const ctn_json *value)
{
    ctn_str place = describe(arena, path, i);
    const ctn_path_part *part = &path->parts[i];
    if (!part->name.ptr) {
        if (!ctn_json_is(value, CTN_JSON_ARRAY))
            return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s is no list but %s", CTN_STR_ARG(path->text),
                                    CTN_STR_ARG(place), ctn_json_kind_name(value));
        return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s has %zu items, and none is [%lld]",
                                CTN_STR_ARG(path->text), CTN_STR_ARG(place), ctn_json_count(value),
                                (long long) part->index);
    }
    if (!ctn_json_is(value, CTN_JSON_OBJECT))
        return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s is no object but %s", CTN_STR_ARG(path->text),
                                CTN_STR_ARG(place), ctn_json_kind_name(value));
    size_t count = ctn_json_count(value) < NAMES_MAX ? ctn_json_count(value) : NAMES_MAX;
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, count);
    for (size_t k = 0; k < count; k++)
        names[k] = ctn_json_text(&value->members[k].key);
    ctn_str nearest = ctn_str_nearest(part->name, names, count);
    if (nearest.len)
        return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s has no '%.*s'; did you mean '%.*s'?",
                                CTN_STR_ARG(path->text), CTN_STR_ARG(place), CTN_STR_ARG(part->name),
                                CTN_STR_ARG(nearest));
    return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s has no '%.*s'", CTN_STR_ARG(path->text),
                            CTN_STR_ARG(place), CTN_STR_ARG(part->name));
}

ctn_str ctn_path_explain_missing(ctn_arena *arena, const ctn_path *path, const ctn_scope *scope)
{
    const ctn_json *value = scope->lookup(scope->ctx, path->root);
    if (!value)
        return explain_root(arena, path, scope);
    for (size_t i = 0; i < path->count; i++) {
        const ctn_json *next = step_into(value, &path->parts[i]);
        if (!next && ctn_json_is(value, CTN_JSON_NULL)) {
            ctn_str place = describe(arena, path, i);
            return ctn_arena_printf(arena, "{%.*s} is not defined: %.*s is null", CTN_STR_ARG(path->text),
                                    CTN_STR_ARG(place));
        }
        if (!next)
            return explain_part(arena, path, i, value);
        value = next;
    }
    return ctn_arena_printf(arena, "{%.*s} is null", CTN_STR_ARG(path->text));
}
