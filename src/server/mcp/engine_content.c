/*
 * engine_content.c -- values as content: what is well-formed is passed on, what is not becomes text.
 */
#include "server/mcp/engine_content.h"
#include "base/base64.h"
#include <stdlib.h>

static bool is_text(const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING);
}

static ctn_str text_of(ctn_arena *arena, const ctn_json *v)
{
    return is_text(v) ? ctn_json_text(v) : ctn_json_to_str(arena, v ? v : &ctn_json_null);
}

static bool is_base64(ctn_arena *arena, const ctn_json *v)
{
    ctn_str bytes;
    ctn_arena_mark mark = ctn_arena_save(arena);
    bool is = is_text(v) && ctn_base64_read(arena, ctn_json_text(v), &bytes);
    ctn_arena_restore(arena, mark);
    return is;
}

static const ctn_json *text_block(ctn_arena *arena, const ctn_json *value)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "type", CTN_STR("text"));
    ctn_json_put_str(&b, "text", text_of(arena, value));
    return ctn_json_finish(&b);
}

/* ---- members that may be there ---- */

static bool is_role(const ctn_json *v)
{
    return is_text(v) && (ctn_str_is(ctn_json_text(v), "user") || ctn_str_is(ctn_json_text(v), "assistant"));
}

static bool is_share(const ctn_json *v)
{
    ctn_str text = ctn_json_text(v);
    char copy[64];
    if (!ctn_json_is(v, CTN_JSON_NUMBER) || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double number = strtod(copy, NULL);
    return number >= 0 && number <= 1;
}

static bool are_annotations(const ctn_json *v)
{
    const ctn_json *audience = ctn_json_member_of(v, "audience"), *priority = ctn_json_member_of(v, "priority");
    const ctn_json *modified = ctn_json_member_of(v, "lastModified");
    bool are = ctn_json_is(v, CTN_JSON_OBJECT) && (!audience || ctn_json_is(audience, CTN_JSON_ARRAY)) &&
               (!priority || is_share(priority)) && (!modified || is_text(modified));
    for (size_t i = 0; are && i < ctn_json_count(audience); i++)
        are = is_role(ctn_json_at(audience, i));
    return are;
}

/* Is it what the protocol has under this key? Keys that it does not know may hold anything. */
static bool fits(const ctn_json_member *m)
{
    static const char *const texts[] = {"mimeType", "title", "description"};
    ctn_str key = ctn_json_text(&m->key);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (ctn_str_is(key, texts[i]))
            return is_text(&m->value);
    if (ctn_str_is(key, "annotations"))
        return are_annotations(&m->value);
    if (ctn_str_is(key, "size"))
        return ctn_json_is(&m->value, CTN_JSON_NUMBER);
    if (ctn_str_is(key, "icons"))
        return false;
    return !ctn_str_is(key, "_meta") || ctn_json_is(&m->value, CTN_JSON_OBJECT);
}

static const ctn_json *without_misfits(ctn_arena *arena, const ctn_json *object)
{
    bool do_all = true;
    for (uint32_t i = 0; i < object->count; i++)
        do_all &= fits(&object->members[i]);
    if (do_all)
        return object;
    ctn_json_builder b = ctn_json_object(arena);
    for (uint32_t i = 0; i < object->count; i++)
        if (fits(&object->members[i]))
            ctn_json_put(&b, ctn_json_text(&object->members[i].key), &object->members[i].value);
    return ctn_json_finish(&b);
}

/* ---- blocks ---- */

static bool is_of_resource(ctn_arena *arena, const ctn_json *v)
{
    const ctn_json *blob = ctn_json_member_of(v, "blob");
    return is_text(ctn_json_member_of(v, "text")) || (blob && is_base64(arena, blob));
}

/* Something that says its type; NULL: it is no block. */
static const ctn_json *known_block(ctn_arena *arena, const ctn_json *v)
{
    ctn_str type = ctn_json_str_or(v, "type", (ctn_str){0});
    const ctn_json *resource = ctn_json_member_of(v, "resource");
    bool is_known = false;
    if (ctn_str_is(type, "text"))
        is_known = is_text(ctn_json_member_of(v, "text"));
    else if (ctn_str_is(type, "image") || ctn_str_is(type, "audio"))
        is_known = is_base64(arena, ctn_json_member_of(v, "data")) && is_text(ctn_json_member_of(v, "mimeType"));
    else if (ctn_str_is(type, "resource_link"))
        is_known = is_text(ctn_json_member_of(v, "uri")) && is_text(ctn_json_member_of(v, "name"));
    else if (ctn_str_is(type, "resource"))
        is_known = is_text(ctn_json_member_of(resource, "uri")) && is_of_resource(arena, resource);
    if (!is_known)
        return NULL;
    v = without_misfits(arena, v);
    if (!resource || without_misfits(arena, resource) == resource)
        return v;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, v);
    ctn_json_put(&b, CTN_STR("resource"), without_misfits(arena, resource));
    return ctn_json_finish(&b);
}

static const ctn_json *block_of(ctn_arena *arena, const ctn_json *v)
{
    const ctn_json *block = known_block(arena, v);
    return block ? block : text_block(arena, v);
}

static const ctn_json *one(ctn_arena *arena, const ctn_json *item)
{
    ctn_json_builder list = ctn_json_array(arena);
    ctn_json_push(&list, item);
    return ctn_json_finish(&list);
}

const ctn_json *ctn_content_blocks(ctn_arena *arena, const ctn_json *value)
{
    ctn_json_builder list = ctn_json_array(arena);
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return one(arena, block_of(arena, value));
    for (size_t i = 0; i < value->count; i++)
        ctn_json_push(&list, block_of(arena, ctn_json_at(value, i)));
    return ctn_json_finish(&list);
}

/* ---- messages ---- */

static void push_message(ctn_json_builder *list, ctn_str role, const ctn_json *block)
{
    ctn_json_builder b = ctn_json_object(list->arena);
    ctn_json_put_str(&b, "role", role);
    ctn_json_put(&b, CTN_STR("content"), block);
    ctn_json_push(list, ctn_json_finish(&b));
}

/* The content of a message may be a list, of which each block is a message. */
static void push_messages(ctn_json_builder *list, const ctn_json *v)
{
    const ctn_json *content = ctn_json_member_of(v, "content"), *role = ctn_json_member_of(v, "role");
    if (!content || !is_role(role)) {
        push_message(list, CTN_STR("user"), block_of(list->arena, v));
        return;
    }
    const ctn_json *blocks = ctn_content_blocks(list->arena, content);
    for (size_t i = 0; i < ctn_json_count(blocks); i++)
        push_message(list, ctn_json_text(role), ctn_json_at(blocks, i));
}

const ctn_json *ctn_content_messages(ctn_arena *arena, const ctn_json *value)
{
    ctn_json_builder list = ctn_json_array(arena);
    bool is_list = ctn_json_is(value, CTN_JSON_ARRAY);
    for (size_t i = 0; i < (is_list ? value->count : 1); i++)
        push_messages(&list, is_list ? ctn_json_at(value, i) : value);
    return ctn_json_finish(&list);
}

/* ---- contents ---- */

static const ctn_json *content_of(ctn_arena *arena, const ctn_json *v, ctn_str uri, ctn_str mime_type)
{
    ctn_json_builder b = ctn_json_object(arena);
    bool is_content = is_of_resource(arena, v), has_mime_type = mime_type.len > 0;
    ctn_json_put_str(&b, "uri", uri);
    if (has_mime_type)
        ctn_json_put_str(&b, "mimeType", mime_type);
    else if (!is_content && !is_text(v))
        ctn_json_put_str(&b, "mimeType", CTN_STR("application/json"));
    if (!is_content) {
        ctn_json_put_str(&b, "text", text_of(arena, v));
        return ctn_json_finish(&b);
    }
    v = without_misfits(arena, v);
    bool has_text = is_text(ctn_json_member_of(v, "text"));
    for (uint32_t i = 0; i < v->count; i++) {
        ctn_str key = ctn_json_text(&v->members[i].key);
        bool is_misfit = (ctn_str_is(key, "uri") && !is_text(&v->members[i].value)) ||
                         (ctn_str_is(key, "blob") && has_text) || (ctn_str_is(key, "text") && !has_text);
        if (!is_misfit)
            ctn_json_put(&b, key, &v->members[i].value);
    }
    return ctn_json_finish(&b);
}

const ctn_json *ctn_content_contents(ctn_arena *arena, const ctn_json *value, ctn_str uri, ctn_str mime_type)
{
    ctn_json_builder list = ctn_json_array(arena);
    bool are_contents = ctn_json_is(value, CTN_JSON_ARRAY) && value->count > 0;
    for (size_t i = 0; are_contents && i < value->count; i++)
        are_contents = is_of_resource(arena, ctn_json_at(value, i));
    if (!are_contents)
        return one(arena, content_of(arena, value, uri, mime_type));
    for (size_t i = 0; i < value->count; i++)
        ctn_json_push(&list, content_of(arena, ctn_json_at(value, i), uri, mime_type));
    return ctn_json_finish(&list);
}
