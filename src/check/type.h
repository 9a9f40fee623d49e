/*
 * type.h -- what is known of a value before it is there: which kinds of JSON it may be, which values, which members
 * and items.
 *
 * A type stands for a set of values, and it is always drawn too large rather than too small: a schema keyword that is
 * not understood here (format, pattern, not, if, ...) restricts nothing. So two types that have no value in common are
 * certain never to meet, and that is the one question that is asked: ctn_type_can_fit is false only when no value
 * of the one can ever be taken where the other is wanted. What is not known is `any`, and fits everything.
 *
 * One thing is judged as people mean it and not as sets have it: a list of texts never fits where a list of numbers
 * is wanted, although the empty list would.
 *
 * Observed types are drawn from examples, and so too small: whoever reports what they do not fit says so.
 *
 * Ownership  Types are immutable, live in the arena they were made in and borrow the schema's and the values' trees.
 * Limits     Size and depth are bounded; beyond, a part is `any`.
 */
#pragma once
#include "base/json.h"
#include "value/kinds.h"
#include "value/path.h"

typedef struct ctn_type ctn_type;
typedef struct ctn_type_member {
    ctn_str name;
    const ctn_type *type;
    bool is_required; /* surely there */
} ctn_type_member;

struct ctn_type {
    unsigned kinds; /* CTN_TYPE_*; 0: never, there is no such value */
    bool is_observed;
    uint32_t weight;               /* how much there is in it; of any and never: 0 */
    const ctn_json *const *values; /* the only ones; value_count 0: not limited */
    uint32_t value_count;
    const ctn_type_member *members;
    uint32_t member_count;
    const ctn_type *rest;         /* of all other members; never: there are none */
    const ctn_type *const *first; /* of the first items */
    uint32_t first_count;
    const ctn_type *items; /* of all other items; never: there are none */
};

extern const ctn_type ctn_type_any, ctn_type_never;
static inline bool ctn_type_is_never(const ctn_type *t)
{
    return t->kinds == 0;
}

/* ---- making ---- */

/* Of some kinds, otherwise unknown. */
const ctn_type *ctn_type_of_kinds(ctn_arena *arena, unsigned kinds);
/* Exactly this value. */
const ctn_type *ctn_type_of_value(ctn_arena *arena, const ctn_json *value);
/* What values like this one are: its kinds and its members, whatever they hold. */
const ctn_type *ctn_type_observed(ctn_arena *arena, const ctn_json *value);
/* What a JSON Schema (2020-12, and the older ones that can be read so) allows. NULL: any. */
const ctn_type *ctn_type_of_schema(ctn_arena *arena, const ctn_json *schema);
/* The other way round: a JSON Schema that every value of the type satisfies; what is not known is of every kind, in so
 * many words (to some clients an empty schema is a slip). Members that are not named are allowed, and observed types
 * say nothing. */
const ctn_json *ctn_type_to_schema(ctn_arena *arena, const ctn_type *t);
/* first: of the first items; items: of all others (never: there are none). */
const ctn_type *ctn_type_list(ctn_arena *arena, const ctn_type *const *first, uint32_t count, const ctn_type *items);
static inline const ctn_type *ctn_type_list_of(ctn_arena *arena, const ctn_type *items)
{
    return ctn_type_list(arena, NULL, 0, items);
}
/* An object with these members; rest: of the others (never: there are none). */
const ctn_type *ctn_type_object(ctn_arena *arena, const ctn_type_member *members, uint32_t count, const ctn_type *rest);

const ctn_type *ctn_type_union(ctn_arena *arena, const ctn_type *a, const ctn_type *b);
const ctn_type *ctn_type_meet(ctn_arena *arena, const ctn_type *a, const ctn_type *b);
/* The same, of some kinds only. */
const ctn_type *ctn_type_only(ctn_arena *arena, const ctn_type *t, unsigned kinds);

/* ---- asking ---- */

/* Of the member when it is there; never: it cannot be. *ret_is_sure (may be NULL): every value has it. */
const ctn_type *ctn_type_member_of(const ctn_type *t, ctn_str name, bool *ret_is_sure);
const ctn_type *ctn_type_item_at(ctn_arena *arena, const ctn_type *t, int64_t index);
/* Of any of a list's items. */
const ctn_type *ctn_type_item_of(ctn_arena *arena, const ctn_type *t);
/* Along the parts of a path, from a value of type t. never: it leads nowhere, and *ret_stop (may be NULL) is the number
 * of the part that does not exist, *ret_at (may be NULL) what it would have to be in. */
const ctn_type *ctn_type_follow(ctn_arena *arena, const ctn_type *t, const ctn_path_part *parts, size_t count,
                                size_t *ret_stop, const ctn_type **ret_at);

typedef struct ctn_type_clash {
    ctn_str sentence; /* "expected integer, got text"; with the way into the value in front when it is deeper */
    bool is_observed;
} ctn_type_clash;
/* False: no value of type `value` can be taken where `wanted` is. ret_clash may be NULL. */
bool ctn_type_can_fit(ctn_arena *arena, const ctn_type *value, const ctn_type *wanted, ctn_type_clash *ret_clash);
/* "integer or null", "list of text", "'a' or 'b'". */
ctn_str ctn_type_describe(ctn_arena *arena, const ctn_type *t);
/* "it has a, b": the members of an object type, for a sentence about one that it lacks; with the nearest one. */
ctn_str ctn_type_suggest_member(ctn_arena *arena, const ctn_type *t, ctn_str name);
