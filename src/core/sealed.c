/*
 * sealed.c -- replacing values at JSON pointers, and the list of what was replaced.
 */
#include "core/sealed.h"

const ctn_json ctn_sealed_json = {
    .kind = CTN_JSON_STRING, .count = sizeof CTN_SEALED_TEXT - 1, .text = CTN_SEALED_TEXT};
static const ctn_json shredded_json = {
    .kind = CTN_JSON_STRING, .count = sizeof CTN_SHREDDED_TEXT - 1, .text = CTN_SHREDDED_TEXT};

/* ---- pointers ---- */

/* The first part of a pointer, decoded; *pointer goes on behind it. */
static ctn_str take_part(ctn_arena *arena, ctn_str *pointer)
{
    size_t end = 1;
    while (end < pointer->len && pointer->ptr[end] != '/')
        end++;
    char *text = ctn_arena_alloc(arena, end);
    size_t count = 0;
    for (size_t i = 1; i < end; i++) {
        char c = pointer->ptr[i];
        if (c == '~' && i + 1 < end)
            c = pointer->ptr[++i] == '1' ? '/' : '~';
        text[count++] = c;
    }
    *pointer = ctn_str_from_offset(*pointer, end);
    return (ctn_str){text, count};
}

/* The place of a part in an array; count: none. */
static size_t place_of(ctn_str part, size_t count)
{
    size_t at = 0;
    if (!part.len || part.len > 9)
        return count;
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] < '0' || part.ptr[i] > '9')
            return count;
        at = 10 * at + (size_t) (part.ptr[i] - '0');
    }
    return at < count ? at : count;
}

const ctn_json *ctn_json_with(ctn_arena *arena, const ctn_json *whole, ctn_str pointer, const ctn_json *value)
{
    if (!pointer.len)
        return value;
    if (pointer.ptr[0] != '/')
        return whole;
    ctn_str rest = pointer, part = take_part(arena, &rest);
    size_t count = ctn_json_count(whole);
    bool is_object = ctn_json_is(whole, CTN_JSON_OBJECT);
    size_t at = is_object ? 0 : place_of(part, count);
    while (is_object && at < count && !ctn_str_equal(ctn_json_text(&whole->members[at].key), part))
        at++;
    if (at == count)
        return whole;
    ctn_json *copy = CTN_NEW(arena, ctn_json);
    *copy = *whole;
    if (is_object) {
        ctn_json_member *members = CTN_NEW_ARRAY(arena, ctn_json_member, count);
        memcpy(members, whole->members, count * sizeof *members);
        members[at].value = *ctn_json_with(arena, &whole->members[at].value, rest, value);
        copy->members = members;
    } else {
        ctn_json *items = CTN_NEW_ARRAY(arena, ctn_json, count);
        memcpy(items, whole->items, count * sizeof *items);
        items[at] = *ctn_json_with(arena, &whole->items[at], rest, value);
        copy->items = items;
    }
    return copy;
}

ctn_str ctn_json_pointer_part(ctn_arena *arena, ctn_str name)
{
    char *text = ctn_arena_alloc(arena, 2 * name.len + 1);
    size_t count = 0;
    for (size_t i = 0; i < name.len; i++) {
        bool is_special = name.ptr[i] == '~' || name.ptr[i] == '/';
        text[count++] = is_special ? '~' : name.ptr[i];
        if (is_special)
            text[count++] = name.ptr[i] == '/' ? '1' : '0';
    }
    return (ctn_str){text, count};
}

/* ---- the list ---- */

int ctn_sealed_hide(ctn_arena *arena, const ctn_json *body, ctn_str sealed, const ctn_json **ret_body, ctn_err *err)
{
    const ctn_json *list = NULL;
    *ret_body = body;
    if (!sealed.len)
        return CTN_OK;
    if (ctn_json_parse(arena, sealed, NULL, &list, NULL) || !ctn_json_is(list, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_CORRUPT, "what is sealed is no list of places");
    for (size_t i = 0; i < list->count; i++) {
        const ctn_json *at = ctn_json_member_of(&list->items[i], "at");
        if (!ctn_json_is(at, CTN_JSON_STRING) || !ctn_json_pointer(*ret_body, ctn_json_text(at)))
            return ctn_fail(err, CTN_E_CORRUPT, "what is sealed names no place of the body");
        bool is_there = ctn_json_member_of(&list->items[i], "box") != NULL;
        *ret_body = ctn_json_with(arena, *ret_body, ctn_json_text(at), is_there ? &ctn_sealed_json : &shredded_json);
    }
    return CTN_OK;
}

const ctn_json *ctn_places_hide(ctn_arena *arena, const ctn_json *body, const ctn_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        body = ctn_json_with(arena, body, places->items[i].pointer, &ctn_sealed_json);
    return body;
}

ctn_str ctn_sealed_without_boxes(ctn_arena *arena, ctn_str sealed)
{
    const ctn_json *list = NULL;
    if (!sealed.len || ctn_json_parse(arena, sealed, NULL, &list, NULL))
        return sealed;
    ctn_json_builder all = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_json_builder one = ctn_json_object(arena);
        ctn_json_put(&one, CTN_STR("at"), ctn_json_member_of(ctn_json_at(list, i), "at"));
        ctn_json_push(&all, ctn_json_finish(&one));
    }
    return ctn_json_to_str(arena, ctn_json_finish(&all));
}
