/*
 * json_internal.h -- what the parts of the JSON module share. For src/base/json*.c only.
 */
#pragma once
#include "base/json.h"

/* Nothing deeper is parsed, whatever the options say: writing, copying and comparing recurse. */
#define JSON_DEPTH_CEILING 4096

/* Up to here an object's keys are compared one by one; beyond, they are looked up in an index. */
#define JSON_LINEAR_MAX 16

/*
 * Where the keys of a large object are: open addressing over SipHash with a random seed, so that nobody
 * can choose keys that collide. Entries are positions + 1 in somebody's array of keys; 0 is free.
 */
typedef struct json_index {
    uint8_t seed[16];
    uint32_t *entries;
    uint32_t mask;
} json_index;

/* How many entries an index for `count` keys takes (a power of two, at least twice count). */
size_t json_index_entries(size_t count);
/* `entries` stays the caller's. */
void json_index_init(json_index *index, uint32_t *entries, size_t entry_count);
/* The position of `key` among members; when it has none, it is entered at `position` and that is returned. */
uint32_t json_index_enter(json_index *index, const ctn_json_member *members, ctn_str key, uint32_t position);

/* A number taken apart: value = 0 when digit_count is 0, else (-1)^negative * d.ddd * 10^exponent. */
typedef struct json_decimal {
    ctn_str whole, fraction; /* the digits as written, before and after the point */
    size_t digit_first;      /* in whole and fraction taken as one: the first digit that is not 0 */
    size_t digit_count;      /* from there to the last digit that is not 0 */
    bool negative;
    /* Below 10^18 in size the exponent is `exponent`; else its digits are in large_digits. */
    bool exponent_is_large, exponent_negative;
    int64_t exponent;
    char *large_memory;
    ctn_str large_digits;
} json_decimal;

void json_decimal_init(json_decimal *d, ctn_str text); /* text is a JSON number */
void json_decimal_done(json_decimal *d);
void json_decimal_write(const json_decimal *d, ctn_buf *out); /* one spelling per value */

static inline char json_decimal_digit(const json_decimal *d, size_t i)
{
    size_t at = d->digit_first + i;
    return at < d->whole.len ? d->whole.ptr[at] : d->fraction.ptr[at - d->whole.len];
}

/* Pointers to the members of an object, sorted by key. The caller frees. */
const ctn_json_member **json_sorted_members(const ctn_json *object);
