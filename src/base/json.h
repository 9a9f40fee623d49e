/*
 * json.h -- JSON values: an immutable tree in an arena, numbers kept as they were written.
 *
 * Strict RFC 8259: UTF-8 is checked, no comments, no trailing commas, nothing after the value. A number
 * keeps its text, so 19.99 stays 19.99 and a 64-bit id stays whole; nobody here turns it into a double.
 * Of a key given twice the last value counts, at the place of the first (as jansson has it). A string is
 * stored decoded and may hold NUL (\u0000).
 *
 * Ownership  A tree borrows nothing from the text it was parsed from (strings without escapes included:
 *            they are copied), and lives as long as its arena. Values are never changed once made;
 *            a changed tree is a new one that shares what stayed.
 * Limits     Depth and bytes are bounded at parse: CTN_E_LIMIT. Lengths are 32 bits.
 * Errors     CTN_E_INVALID with line and column (columns count bytes from 1).
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

typedef enum ctn_json_kind {
    CTN_JSON_NULL,
    CTN_JSON_FALSE,
    CTN_JSON_TRUE,
    CTN_JSON_NUMBER,
    CTN_JSON_STRING,
    CTN_JSON_ARRAY,
    CTN_JSON_OBJECT,
} ctn_json_kind;

/* 16 bytes. Read through the functions below; the fields are open so that builders can be inline. */
typedef struct ctn_json {
    uint32_t kind;  /* ctn_json_kind */
    uint32_t count; /* bytes of text, items, or members */
    union {
        const char *text; /* number as written, string decoded */
        const struct ctn_json *items;
        const struct ctn_json_member *members;
    };
} ctn_json;

typedef struct ctn_json_member {
    ctn_json key; /* a string */
    ctn_json value;
} ctn_json_member;

/* ---- parsing ---- */

/* Called for every value and every key once its final address is known, with the offset of its first
 * byte in the text. Children come before their parents. */
typedef void ctn_json_place_fn(void *ctx, const ctn_json *value, size_t offset);

typedef struct ctn_json_options {
    uint32_t depth_max; /* 0: CTN_JSON_DEPTH_MAX */
    size_t bytes_max;   /* 0: 64 MiB */
    ctn_json_place_fn *on_place;
    void *on_place_ctx;
    bool reject_duplicates; /* a key given twice is CTN_E_INVALID at the second */
} ctn_json_options;
#define CTN_JSON_DEPTH_MAX 128

/* options may be NULL. */
int ctn_json_parse(ctn_arena *arena, ctn_str text, const ctn_json_options *options, const ctn_json **ret_value,
                   ctn_err *err);
/* True when `text` is a number in JSON's grammar. */
bool ctn_json_is_number_text(ctn_str text);

/* ---- reading ---- */

static inline ctn_json_kind ctn_json_kind_of(const ctn_json *v)
{
    return v ? (ctn_json_kind) v->kind : CTN_JSON_NULL;
}
static inline bool ctn_json_is(const ctn_json *v, ctn_json_kind kind)
{
    return ctn_json_kind_of(v) == kind;
}
static inline bool ctn_json_is_bool(const ctn_json *v)
{
    return v && (v->kind == CTN_JSON_TRUE || v->kind == CTN_JSON_FALSE);
}
/* Text of a string or number; empty for any other kind and for NULL. */
static inline ctn_str ctn_json_text(const ctn_json *v)
{
    return v && (v->kind == CTN_JSON_STRING || v->kind == CTN_JSON_NUMBER) ? (ctn_str){v->text, v->count}
                                                                           : (ctn_str){NULL, 0};
}
/* Items of an array or members of an object; 0 for any other kind. */
static inline size_t ctn_json_count(const ctn_json *v)
{
    return v && v->kind >= CTN_JSON_ARRAY ? v->count : 0;
}
/* "null", "boolean", "number", "string", "array", "object": for sentences. */
const char *ctn_json_kind_name(const ctn_json *v);

/* NULL when v is no object or has no such key. Constant time is not promised; large objects are fine. */
const ctn_json *ctn_json_get(const ctn_json *v, ctn_str key);
static inline const ctn_json *ctn_json_member_of(const ctn_json *v, const char *key)
{
    return ctn_json_get(v, ctn_str_from(key));
}
/* NULL when v is no array or i is past its end. */
const ctn_json *ctn_json_at(const ctn_json *v, size_t i);
/* One of the array's items is this text. */
bool ctn_json_has_text(const ctn_json *v, ctn_str text);
/* JSON Pointer (RFC 6901), "" is v itself; NULL when it leads nowhere. */
const ctn_json *ctn_json_pointer(const ctn_json *v, ctn_str pointer);

/* Typed reads with a default: for data whose shape was already checked. */
ctn_str ctn_json_str_or(const ctn_json *v, const char *key, ctn_str otherwise);
int64_t ctn_json_int_or(const ctn_json *v, const char *key, int64_t otherwise);
bool ctn_json_bool_or(const ctn_json *v, const char *key, bool otherwise);
/* A number that is a whole one in range (1, 1.0 and 1e3 are); false otherwise. */
bool ctn_json_to_int64(const ctn_json *v, int64_t *ret_value);

/* Same kind and content; numbers by value (1 equals 1.0 and 10e-1), object members in any order. */
bool ctn_json_equal(const ctn_json *a, const ctn_json *b);
/* -1, 0, 1 by numeric value, exactly, for two numbers of any size. */
int ctn_json_number_compare(const ctn_json *a, const ctn_json *b);

/* ---- building ---- */

extern const ctn_json ctn_json_null, ctn_json_true, ctn_json_false;
static inline const ctn_json *ctn_json_bool(bool b)
{
    return b ? &ctn_json_true : &ctn_json_false;
}
const ctn_json *ctn_json_string(ctn_arena *arena, ctn_str s); /* copies */
const ctn_json *ctn_json_int(ctn_arena *arena, int64_t value);
const ctn_json *ctn_json_number(ctn_arena *arena, ctn_str text); /* copies; text must be a JSON number */
/* Deep copy, so that the source's arena may go. */
const ctn_json *ctn_json_copy(ctn_arena *arena, const ctn_json *v);

/* Grows in the arena; finish gives the value (an empty array or object if nothing was added). A builder
 * keeps pointers into the values it is given (shallow), so they must live as long as the result. */
typedef struct ctn_json_builder {
    ctn_arena *arena;
    ctn_json_kind kind;
    uint32_t count, capacity;
    void *slots;
} ctn_json_builder;

ctn_json_builder ctn_json_array(ctn_arena *arena);
ctn_json_builder ctn_json_object(ctn_arena *arena);
void ctn_json_push(ctn_json_builder *b, const ctn_json *item);
/* Key is borrowed when it is a literal or arena text: it must live as long as the result. A key that is
 * there already gets the new value. NULL value = null. */
void ctn_json_put(ctn_json_builder *b, ctn_str key, const ctn_json *value);
void ctn_json_put_str(ctn_json_builder *b, const char *key, ctn_str value);
void ctn_json_put_int(ctn_json_builder *b, const char *key, int64_t value);
void ctn_json_put_bool(ctn_json_builder *b, const char *key, bool value);
void ctn_json_put_all(ctn_json_builder *b, const ctn_json *object); /* its members; of anything else: nothing */
const ctn_json *ctn_json_finish(ctn_json_builder *b);

/* ---- writing ---- */

/* Compact, member order kept, UTF-8 as it is; only what must be escaped is. */
void ctn_json_write(ctn_buf *out, const ctn_json *v);
/* Indented by two, for people. Scalars-only arrays stay on one line when short. */
void ctn_json_write_pretty(ctn_buf *out, const ctn_json *v);
/* Keys sorted by bytes, numbers in one spelling per value: equal values give equal bytes (digests). */
void ctn_json_write_canonical(ctn_buf *out, const ctn_json *v);
/* The text as a quoted JSON string; bytes that are not UTF-8 become U+FFFD. */
void ctn_json_write_string(ctn_buf *out, ctn_str s);
/* Compact, into the arena. */
ctn_str ctn_json_to_str(ctn_arena *arena, const ctn_json *v);
/* Bytes that ctn_json_write would give. */
size_t ctn_json_bytes(const ctn_json *v);
