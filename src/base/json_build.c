/*
 * json_build.c -- making trees.
 *
 * What must hold: the keys of an object differ (parse and put see to it), so that a lookup may stop at the
 * first. Building a large object keeps an index of its keys behind its members, in the same piece of the
 * arena: [members: capacity][seed][entries], present from the moment the object outgrows JSON_LINEAR_MAX.
 */
#include "base/json_internal.h"

#include <assert.h>
#include <sodium.h>

/* ---- the index of keys ---- */

size_t json_index_entries(size_t count)
{
    size_t entries = 64;
    while (entries < 2 * count)
        entries *= 2;
    return entries;
}

void json_index_init(json_index *index, uint32_t *entries, size_t entry_count)
{
    memset(entries, 0, entry_count * sizeof *entries);
    index->entries = entries;
    index->mask = (uint32_t) (entry_count - 1);
    randombytes_buf(index->seed, sizeof index->seed);
}

uint32_t json_index_enter(json_index *index, const ctn_json_member *members, ctn_str key, uint32_t position)
{
    _Static_assert(sizeof index->seed == crypto_shorthash_KEYBYTES && crypto_shorthash_BYTES == sizeof(uint64_t),
                   "SipHash-2-4");
    uint64_t hash;
    crypto_shorthash((unsigned char *) &hash, (const unsigned char *) key.ptr, key.len, index->seed);
    for (uint32_t at = (uint32_t) hash & index->mask;; at = (at + 1) & index->mask) {
        uint32_t entry = index->entries[at];
        if (entry == 0) {
            index->entries[at] = position + 1;
            return position;
        }
        const ctn_json *other = &members[entry - 1].key;
        if (other->count == key.len && memcmp(other->text, key.ptr, key.len) == 0)
            return entry - 1;
    }
}

/* ---- building ---- */

const ctn_json ctn_json_null = {.kind = CTN_JSON_NULL};
const ctn_json ctn_json_true = {.kind = CTN_JSON_TRUE};
const ctn_json ctn_json_false = {.kind = CTN_JSON_FALSE};

/* The value and its text in one piece. */
static const ctn_json *text_value(ctn_arena *arena, ctn_json_kind kind, ctn_str s)
{
    assert(s.len <= INT32_MAX); /* what a peer can size was bounded long before */
    ctn_json *v = ctn_arena_alloc(arena, sizeof *v + s.len + 1);
    char *text = (char *) (v + 1);
    if (s.len)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    *v = (ctn_json){.kind = kind, .count = (uint32_t) s.len, .text = text};
    return v;
}

const ctn_json *ctn_json_string(ctn_arena *arena, ctn_str s)
{
    return text_value(arena, CTN_JSON_STRING, s);
}

const ctn_json *ctn_json_int(ctn_arena *arena, int64_t value)
{
    char digits[24];
    ctn_buf out = {.data = digits, .capacity = sizeof digits, .limit_bytes = sizeof digits};
    ctn_buf_append_int64(&out, value);
    return text_value(arena, CTN_JSON_NUMBER, ctn_buf_str(&out));
}

const ctn_json *ctn_json_number(ctn_arena *arena, ctn_str text)
{
    assert(ctn_json_is_number_text(text));
    return text_value(arena, CTN_JSON_NUMBER, text);
}

static size_t text_bytes(const ctn_json *v)
{
    size_t total = 0;
    if (v->kind == CTN_JSON_STRING || v->kind == CTN_JSON_NUMBER)
        return (size_t) v->count + 1;
    for (size_t i = 0; i < ctn_json_count(v); i++)
        total += v->kind == CTN_JSON_ARRAY ? text_bytes(&v->items[i])
                                           : text_bytes(&v->members[i].key) + text_bytes(&v->members[i].value);
    return total;
}

/* *text is the next free byte of a block that text_bytes measured. */
static ctn_json copy_value(ctn_arena *arena, const ctn_json *v, char **text)
{
    ctn_json copy = *v;
    if (v->kind == CTN_JSON_STRING || v->kind == CTN_JSON_NUMBER) {
        if (v->count)
            memcpy(*text, v->text, v->count);
        (*text)[v->count] = '\0';
        copy.text = *text;
        *text += (size_t) v->count + 1;
    } else if (v->kind == CTN_JSON_ARRAY && v->count) {
        ctn_json *items = ctn_arena_alloc(arena, v->count * sizeof *items);
        for (uint32_t i = 0; i < v->count; i++)
            items[i] = copy_value(arena, &v->items[i], text);
        copy.items = items;
    } else if (v->kind == CTN_JSON_OBJECT && v->count) {
        ctn_json_member *members = ctn_arena_alloc(arena, v->count * sizeof *members);
        for (uint32_t i = 0; i < v->count; i++) {
            members[i].key = copy_value(arena, &v->members[i].key, text);
            members[i].value = copy_value(arena, &v->members[i].value, text);
        }
        copy.members = members;
    }
    return copy;
}

const ctn_json *ctn_json_copy(ctn_arena *arena, const ctn_json *v)
{
    if (!v)
        return NULL;
    ctn_json *copy = ctn_arena_alloc(arena, sizeof *copy);
    char *text = ctn_arena_alloc(arena, text_bytes(v));
    *copy = copy_value(arena, v, &text);
    return copy;
}

ctn_json_builder ctn_json_array(ctn_arena *arena)
{
    return (ctn_json_builder){.arena = arena, .kind = CTN_JSON_ARRAY};
}

ctn_json_builder ctn_json_object(ctn_arena *arena)
{
    return (ctn_json_builder){.arena = arena, .kind = CTN_JSON_OBJECT};
}

#define BUILDER_FIRST 8

static uint32_t next_capacity(const ctn_json_builder *b)
{
    assert(b->capacity <= UINT32_MAX / 4);
    return b->capacity ? 2 * b->capacity : BUILDER_FIRST;
}

void ctn_json_push(ctn_json_builder *b, const ctn_json *item)
{
    assert(b->kind == CTN_JSON_ARRAY);
    ctn_json *items = b->slots;
    if (b->count == b->capacity) {
        b->capacity = next_capacity(b);
        items = ctn_arena_alloc(b->arena, b->capacity * sizeof *items);
        if (b->count)
            memcpy(items, b->slots, b->count * sizeof *items);
        b->slots = items;
    }
    items[b->count++] = item ? *item : ctn_json_null;
}

/* The index that lies behind the members of a large object. */
static json_index *index_of(const ctn_json_builder *b)
{
    return (json_index *) (void *) ((ctn_json_member *) b->slots + b->capacity);
}

static void grow_object(ctn_json_builder *b)
{
    uint32_t capacity = next_capacity(b);
    bool is_large = capacity > JSON_LINEAR_MAX;
    size_t member_bytes = capacity * sizeof(ctn_json_member);
    size_t entries = json_index_entries(capacity);
    ctn_json_member *members =
        ctn_arena_alloc(b->arena, member_bytes + (is_large ? sizeof(json_index) + entries * sizeof(uint32_t) : 0));
    if (b->count)
        memcpy(members, b->slots, b->count * sizeof *members);
    b->slots = members;
    b->capacity = capacity;
    if (!is_large)
        return;
    json_index *index = index_of(b);
    json_index_init(index, (uint32_t *) (void *) (index + 1), entries);
    for (uint32_t i = 0; i < b->count; i++)
        (void) json_index_enter(index, members, ctn_json_text(&members[i].key), i);
}

/* The place of `key`, which is b->count when it is new; then the key stands there already. */
static uint32_t place_of_key(ctn_json_builder *b, ctn_str key)
{
    ctn_json_member *members = b->slots;
    members[b->count].key =
        (ctn_json){.kind = CTN_JSON_STRING, .count = (uint32_t) key.len, .text = key.len ? key.ptr : ""};
    if (b->capacity > JSON_LINEAR_MAX)
        return json_index_enter(index_of(b), members, key, b->count);
    uint32_t at = 0;
    while (at < b->count && !ctn_str_equal(ctn_json_text(&members[at].key), key))
        at++;
    return at;
}

void ctn_json_put(ctn_json_builder *b, ctn_str key, const ctn_json *value)
{
    assert(b->kind == CTN_JSON_OBJECT && key.len <= INT32_MAX);
    if (b->count == b->capacity)
        grow_object(b);
    uint32_t at = place_of_key(b, key);
    ctn_json_member *members = b->slots;
    members[at].value = value ? *value : ctn_json_null;
    if (at == b->count)
        b->count++;
}

void ctn_json_put_str(ctn_json_builder *b, const char *key, ctn_str value)
{
    ctn_json_put(b, ctn_str_from(key), ctn_json_string(b->arena, value));
}

void ctn_json_put_int(ctn_json_builder *b, const char *key, int64_t value)
{
    ctn_json_put(b, ctn_str_from(key), ctn_json_int(b->arena, value));
}

void ctn_json_put_bool(ctn_json_builder *b, const char *key, bool value)
{
    ctn_json_put(b, ctn_str_from(key), ctn_json_bool(value));
}

void ctn_json_put_all(ctn_json_builder *b, const ctn_json *object)
{
    for (size_t i = 0; ctn_json_is(object, CTN_JSON_OBJECT) && i < object->count; i++)
        ctn_json_put(b, ctn_json_text(&object->members[i].key), &object->members[i].value);
}

const ctn_json *ctn_json_finish(ctn_json_builder *b)
{
    ctn_json *v = ctn_arena_alloc(b->arena, sizeof *v);
    *v = (ctn_json){.kind = b->kind, .count = b->count, .items = b->slots};
    return v;
}
