/*
 * type.c -- sets of values: made, asked, united, met.
 *
 * Union and meet may be larger than the exact answer, never smaller; where being exact would cost much (many values,
 * many members) they are.
 */
#include "check/type_internal.h"

#define VALUES_MAX  64
#define MEMBERS_MAX 1000
#define PAIRS_MAX   1000000
#define WEIGHT_MAX  5000 /* types in a type, counted as often as they are met: what walks one takes so many steps */

const ctn_type ctn_type_never = {.kinds = 0, .rest = &ctn_type_never, .items = &ctn_type_never};
const ctn_type ctn_type_any = {.kinds = CTN_TYPE_ALL, .rest = &ctn_type_any, .items = &ctn_type_any};

static bool is_any(const ctn_type *t)
{
    return t == &ctn_type_any;
}

static bool is_whole(const ctn_json *number)
{
    ctn_str text = ctn_json_text(number);
    int64_t whole;
    if (ctn_json_to_int64(number, &whole))
        return true;
    for (size_t i = 0; i < text.len; i++) /* too large for 64 bits, but without a fraction */
        if (text.ptr[i] == '.' || text.ptr[i] == 'e' || text.ptr[i] == 'E')
            return false;
    return true;
}

/* Written so that it may be whole beyond 64 bits (1e30): both. */
static unsigned kinds_of_number(const ctn_json *number)
{
    if (is_whole(number))
        return CTN_TYPE_INTEGER;
    ctn_str text = ctn_json_text(number);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == 'e' || text.ptr[i] == 'E')
            return CTN_TYPE_NUMBER;
    for (size_t i = text.len; i-- > 0 && text.ptr[i] != '.';)
        if (text.ptr[i] != '0')
            return CTN_TYPE_FRACTION;
    return CTN_TYPE_INTEGER; /* 99999999999999999999.0 */
}

static unsigned kinds_of_value(const ctn_json *v)
{
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: return CTN_TYPE_NULL;
    case CTN_JSON_FALSE:
    case CTN_JSON_TRUE: return CTN_TYPE_BOOLEAN;
    case CTN_JSON_NUMBER: return kinds_of_number(v);
    case CTN_JSON_STRING: return CTN_TYPE_STRING;
    case CTN_JSON_ARRAY: return CTN_TYPE_LIST;
    case CTN_JSON_OBJECT: return CTN_TYPE_OBJECT;
    }
    return CTN_TYPE_ALL;
}

/* ---- making ---- */

static ctn_type *blank(ctn_arena *arena, unsigned kinds)
{
    ctn_type *t = CTN_NEW(arena, ctn_type);
    *t = (ctn_type){.kinds = kinds, .rest = &ctn_type_any, .items = &ctn_type_any};
    return t;
}

static uint64_t weigh(const ctn_type *t)
{
    uint64_t weight = 1 + t->rest->weight + t->items->weight + t->member_count + t->first_count + t->value_count;
    for (uint32_t i = 0; i < t->member_count; i++)
        weight += t->members[i].type->weight;
    for (uint32_t i = 0; i < t->first_count; i++)
        weight += t->first[i]->weight;
    return weight;
}

/* The end of making one. What would be too large keeps its kinds and nothing else. */
static const ctn_type *seal(ctn_type *t)
{
    if (t->kinds == 0)
        return &ctn_type_never;
    uint64_t weight = weigh(t);
    if (weight > WEIGHT_MAX) {
        *t =
            (ctn_type){.kinds = t->kinds, .is_observed = t->is_observed, .rest = &ctn_type_any, .items = &ctn_type_any};
        weight = 1;
    }
    t->weight = (uint32_t) weight;
    return t;
}

const ctn_type *ctn_type_of_kinds(ctn_arena *arena, unsigned kinds)
{
    if (kinds == 0 || kinds == CTN_TYPE_ALL)
        return kinds ? &ctn_type_any : &ctn_type_never;
    return seal(blank(arena, kinds));
}

static const ctn_type *of_value(ctn_arena *arena, const ctn_json *value, bool is_exact, int depth)
{
    if (depth > CTN_TYPE_DEPTH_MAX)
        return &ctn_type_any;
    unsigned kinds = kinds_of_value(value);
    ctn_type *t = blank(arena, !is_exact && (kinds & CTN_TYPE_NUMBER) ? CTN_TYPE_NUMBER : kinds);
    t->is_observed = !is_exact;
    if (is_exact) {
        const ctn_json **values = CTN_NEW_ARRAY(arena, const ctn_json *, 1);
        values[0] = value;
        t->values = values;
        t->value_count = 1;
    }
    size_t count = ctn_json_count(value);
    if (kinds == CTN_TYPE_OBJECT && count <= MEMBERS_MAX) {
        ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, count);
        for (size_t i = 0; i < count; i++)
            members[i] = (ctn_type_member){.name = ctn_json_text(&value->members[i].key),
                                           .type = of_value(arena, &value->members[i].value, is_exact, depth + 1),
                                           .is_required = true};
        t->members = members;
        t->member_count = (uint32_t) count;
        t->rest = &ctn_type_never;
    } else if (kinds == CTN_TYPE_LIST && is_exact && count <= MEMBERS_MAX) {
        const ctn_type **first = CTN_NEW_ARRAY(arena, const ctn_type *, count);
        for (size_t i = 0; i < count; i++)
            first[i] = of_value(arena, ctn_json_at(value, i), is_exact, depth + 1);
        t->first = first;
        t->first_count = (uint32_t) count;
        t->items = &ctn_type_never;
    } else if (kinds == CTN_TYPE_LIST && count > 0) {
        t->items = &ctn_type_never;
        for (size_t i = 0; i < count && i < VALUES_MAX; i++)
            t->items = ctn_type_union(arena, t->items, of_value(arena, ctn_json_at(value, i), is_exact, depth + 1));
    }
    return seal(t);
}

const ctn_type *ctn_type_of_value(ctn_arena *arena, const ctn_json *value)
{
    return of_value(arena, value ? value : &ctn_json_null, true, 0);
}

const ctn_type *ctn_type_observed(ctn_arena *arena, const ctn_json *value)
{
    return of_value(arena, value ? value : &ctn_json_null, false, 0);
}

const ctn_type *ctn_type_list(ctn_arena *arena, const ctn_type *const *first, uint32_t count, const ctn_type *items)
{
    ctn_type *t = blank(arena, CTN_TYPE_LIST);
    t->first = first;
    t->first_count = count;
    t->items = items;
    t->is_observed = items->is_observed;
    return seal(t);
}

const ctn_type *ctn_type_object(ctn_arena *arena, const ctn_type_member *members, uint32_t count, const ctn_type *rest)
{
    ctn_type *t = blank(arena, CTN_TYPE_OBJECT);
    t->members = members;
    t->member_count = count;
    t->rest = rest;
    for (uint32_t i = 0; i < count; i++)
        if (members[i].is_required && ctn_type_is_never(members[i].type))
            return &ctn_type_never;
    return seal(t);
}

const ctn_type *ctn_type_only(ctn_arena *arena, const ctn_type *t, unsigned kinds)
{
    if ((t->kinds & kinds) == t->kinds)
        return t;
    return ctn_type_meet(arena, t, ctn_type_of_kinds(arena, kinds));
}

/* ---- asking ---- */

const ctn_type_member *ctn_type_find_member(const ctn_type *t, ctn_str name)
{
    for (uint32_t i = 0; i < t->member_count; i++)
        if (ctn_str_equal(t->members[i].name, name))
            return &t->members[i];
    return NULL;
}

const ctn_type *ctn_type_member_of(const ctn_type *t, ctn_str name, bool *ret_is_sure)
{
    const ctn_type_member *m = ctn_type_find_member(t, name);
    if (ret_is_sure)
        *ret_is_sure = t->kinds == CTN_TYPE_OBJECT && m && m->is_required;
    if (!(t->kinds & CTN_TYPE_OBJECT))
        return &ctn_type_never;
    return m ? m->type : t->rest;
}

static const ctn_type *item_at(const ctn_type *t, uint32_t i)
{
    return i < t->first_count ? t->first[i] : t->items;
}

const ctn_type *ctn_type_item_of(ctn_arena *arena, const ctn_type *t)
{
    if (!(t->kinds & CTN_TYPE_LIST))
        return &ctn_type_never;
    const ctn_type *item = t->items;
    for (uint32_t i = 0; i < t->first_count; i++)
        item = ctn_type_union(arena, item, t->first[i]);
    return item;
}

const ctn_type *ctn_type_item_at(ctn_arena *arena, const ctn_type *t, int64_t index)
{
    if (!(t->kinds & CTN_TYPE_LIST))
        return &ctn_type_never;
    if (index < 0)
        return ctn_type_item_of(arena, t);
    return item_at(t, index < UINT32_MAX ? (uint32_t) index : UINT32_MAX);
}

const ctn_type *ctn_type_follow(ctn_arena *arena, const ctn_type *t, const ctn_path_part *parts, size_t count,
                                size_t *ret_stop, const ctn_type **ret_at)
{
    for (size_t i = 0; i < count; i++) {
        const ctn_type *next =
            parts[i].name.ptr ? ctn_type_member_of(t, parts[i].name, NULL) : ctn_type_item_at(arena, t, parts[i].index);
        if (ctn_type_is_never(next)) {
            if (ret_stop)
                *ret_stop = i;
            if (ret_at)
                *ret_at = t;
            return next;
        }
        t = next;
    }
    return t;
}

/* ---- union ---- */

static bool has_value(const ctn_json *const *values, uint32_t count, const ctn_json *v)
{
    for (uint32_t i = 0; i < count; i++)
        if (ctn_json_equal(values[i], v))
            return true;
    return false;
}

static void union_values(ctn_arena *arena, ctn_type *t, const ctn_type *a, const ctn_type *b)
{
    if (!a->value_count || !b->value_count || a->value_count + b->value_count > VALUES_MAX)
        return;
    const ctn_json **values = CTN_NEW_ARRAY(arena, const ctn_json *, a->value_count + b->value_count);
    for (uint32_t i = 0; i < a->value_count; i++)
        values[t->value_count++] = a->values[i];
    for (uint32_t i = 0; i < b->value_count; i++)
        if (!has_value(values, t->value_count, b->values[i]))
            values[t->value_count++] = b->values[i];
    t->values = values;
}

static void take_object(ctn_type *t, const ctn_type *from)
{
    t->members = from->members;
    t->member_count = from->member_count;
    t->rest = from->rest;
}

static void take_list(ctn_type *t, const ctn_type *from)
{
    t->first = from->first;
    t->first_count = from->first_count;
    t->items = from->items;
}

/* The names of both; how many pairs that means is bounded by the caller. */
static ctn_type_member *all_members(ctn_arena *arena, const ctn_type *a, const ctn_type *b, uint32_t *ret_count)
{
    ctn_type_member *members = CTN_NEW_ARRAY(arena, ctn_type_member, a->member_count + b->member_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->member_count; i++)
        members[count++] = a->members[i];
    for (uint32_t i = 0; i < b->member_count; i++)
        if (!ctn_type_find_member(a, b->members[i].name))
            members[count++] = b->members[i];
    *ret_count = count;
    return members;
}

bool ctn_type_are_too_large(const ctn_type *a, const ctn_type *b)
{
    return a->member_count + b->member_count > MEMBERS_MAX ||
           (uint64_t) a->member_count * b->member_count > PAIRS_MAX || a->first_count + b->first_count > MEMBERS_MAX;
}

static const ctn_type *unite(ctn_arena *arena, const ctn_type *a, const ctn_type *b, int depth);

/* Unites two types, or makes them meet. */
typedef const ctn_type *both_fn(ctn_arena *arena, const ctn_type *a, const ctn_type *b, int depth);

static void join_objects(ctn_arena *arena, ctn_type *t, const ctn_type *a, const ctn_type *b, int depth, both_fn *both)
{
    uint32_t count;
    ctn_type_member *members = all_members(arena, a, b, &count);
    for (uint32_t i = 0; i < count; i++) {
        const ctn_type_member *of_a = ctn_type_find_member(a, members[i].name);
        const ctn_type_member *of_b = ctn_type_find_member(b, members[i].name);
        bool in_a = of_a && of_a->is_required, in_b = of_b && of_b->is_required;
        members[i].type = both(arena, of_a ? of_a->type : a->rest, of_b ? of_b->type : b->rest, depth + 1);
        members[i].is_required = both == unite ? in_a && in_b : in_a || in_b;
        if (members[i].is_required && ctn_type_is_never(members[i].type))
            t->kinds &= ~(unsigned) CTN_TYPE_OBJECT;
    }
    t->members = members;
    t->member_count = count;
    t->rest = both(arena, a->rest, b->rest, depth + 1);
}

static void join_lists(ctn_arena *arena, ctn_type *t, const ctn_type *a, const ctn_type *b, int depth, both_fn *both)
{
    t->first_count = a->first_count > b->first_count ? a->first_count : b->first_count;
    const ctn_type **first = CTN_NEW_ARRAY(arena, const ctn_type *, t->first_count);
    for (uint32_t i = 0; i < t->first_count; i++)
        first[i] = both(arena, item_at(a, i), item_at(b, i), depth + 1);
    t->first = first;
    t->items = both(arena, a->items, b->items, depth + 1);
}

static const ctn_type *unite(ctn_arena *arena, const ctn_type *a, const ctn_type *b, int depth)
{
    if (is_any(a) || is_any(b) || depth > CTN_TYPE_DEPTH_MAX)
        return &ctn_type_any;
    if (ctn_type_is_never(a) || a == b)
        return b;
    if (ctn_type_is_never(b))
        return a;
    ctn_type *t = blank(arena, a->kinds | b->kinds);
    t->is_observed = a->is_observed || b->is_observed;
    union_values(arena, t, a, b);
    if (ctn_type_are_too_large(a, b))
        return seal(t);
    if ((a->kinds & b->kinds) & CTN_TYPE_OBJECT)
        join_objects(arena, t, a, b, depth, unite);
    else
        take_object(t, a->kinds & CTN_TYPE_OBJECT ? a : b);
    if ((a->kinds & b->kinds) & CTN_TYPE_LIST)
        join_lists(arena, t, a, b, depth, unite);
    else
        take_list(t, a->kinds & CTN_TYPE_LIST ? a : b);
    return seal(t);
}

const ctn_type *ctn_type_union(ctn_arena *arena, const ctn_type *a, const ctn_type *b)
{
    return unite(arena, a, b, 0);
}

/* ---- does a type take a value? ---- */

static bool accepts(const ctn_type *t, const ctn_json *v, int depth)
{
    if (is_any(t) || depth > CTN_TYPE_DEPTH_MAX)
        return true;
    if (!(t->kinds & kinds_of_value(v)) || (t->value_count && !has_value(t->values, t->value_count, v)))
        return false;
    if (ctn_json_is(v, CTN_JSON_OBJECT)) {
        for (uint32_t i = 0; i < t->member_count; i++)
            if (t->members[i].is_required && !ctn_json_get(v, t->members[i].name))
                return false;
        for (uint32_t i = 0; i < v->count; i++) {
            const ctn_type_member *m = ctn_type_find_member(t, ctn_json_text(&v->members[i].key));
            if (!accepts(m ? m->type : t->rest, &v->members[i].value, depth + 1))
                return false;
        }
    }
    for (uint32_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count; i++)
        if (!accepts(item_at(t, i), &v->items[i], depth + 1))
            return false;
    return true;
}

bool ctn_type_accepts(const ctn_type *t, const ctn_json *value)
{
    return accepts(t, value, 0);
}

/* ---- meet ---- */

static void meet_values(ctn_arena *arena, ctn_type *t, const ctn_type *a, const ctn_type *b)
{
    const ctn_type *by = a->value_count ? a : b, *other = by == a ? b : a;
    if (!by->value_count)
        return;
    const ctn_json **values = CTN_NEW_ARRAY(arena, const ctn_json *, by->value_count);
    unsigned kinds = 0;
    for (uint32_t i = 0; i < by->value_count; i++)
        if (ctn_type_accepts(other, by->values[i])) {
            values[t->value_count++] = by->values[i];
            kinds |= kinds_of_value(by->values[i]);
        }
    t->values = values;
    t->kinds &= kinds;
}

static const ctn_type *meet(ctn_arena *arena, const ctn_type *a, const ctn_type *b, int depth)
{
    if (is_any(a) || a == b)
        return b;
    if (is_any(b) || depth > CTN_TYPE_DEPTH_MAX || ctn_type_are_too_large(a, b))
        return a;
    if ((a->kinds & b->kinds) == 0)
        return &ctn_type_never;
    ctn_type *t = blank(arena, a->kinds & b->kinds);
    t->is_observed = a->is_observed || b->is_observed;
    meet_values(arena, t, a, b);
    if (t->kinds & CTN_TYPE_OBJECT)
        join_objects(arena, t, a, b, depth, meet);
    if (t->kinds & CTN_TYPE_LIST)
        join_lists(arena, t, a, b, depth, meet);
    return seal(t);
}

const ctn_type *ctn_type_meet(ctn_arena *arena, const ctn_type *a, const ctn_type *b)
{
    return meet(arena, a, b, 0);
}
