/*
 * shape.c -- see shape.h.
 *
 * What must hold: with the same shape, schema and chance the same value comes out; and a value without a schema has
 * every member that somebody reads, so that a chain fails in simulation for its own reasons and not for ours.
 */
#include "simulate/shape.h"

#include "simulate/pattern.h"

#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX         12
#define DEPTH_OF_OPTIONAL 5    /* deeper, only what must be is made */
#define VALUES_MAX        4000 /* in one value */
#define LITERALS_MAX      32
#define UNION_MAX         64
#define SCHEMA_MEMBER_MAX 64

typedef struct shape_member {
    struct shape_member *next;
    ctn_str name;
    ctn_shape *shape;
} shape_member;

typedef struct shape_literal {
    ctn_use use;
    const ctn_json *value;
} shape_literal;

struct ctn_shape {
    ctn_arena *arena;
    ctn_shape *joined; /* the shape that speaks for this one; NULL: itself */
    unsigned uses;     /* bits 1 << ctn_use */
    shape_member *members, *members_last;
    ctn_shape *items;
    int64_t items_least; /* so many are read by their index */
    shape_literal literals[LITERALS_MAX];
    size_t literal_count;
};

static ctn_shape *own(ctn_shape *s)
{
    while (s->joined)
        s = s->joined;
    return s;
}

static const ctn_shape *own_const(const ctn_shape *s)
{
    while (s && s->joined)
        s = s->joined;
    return s;
}

ctn_shape *ctn_shape_new(ctn_arena *arena)
{
    ctn_shape *s = CTN_NEW(arena, ctn_shape);
    s->arena = arena;
    return s;
}

ctn_shape *ctn_shape_member(ctn_shape *s, ctn_str name)
{
    s = own(s);
    for (shape_member *m = s->members; m; m = m->next)
        if (ctn_str_equal(m->name, name))
            return own(m->shape);
    shape_member *m = CTN_NEW(s->arena, shape_member);
    m->name = ctn_arena_str(s->arena, name);
    m->shape = ctn_shape_new(s->arena);
    if (s->members_last)
        s->members_last->next = m;
    else
        s->members = m;
    s->members_last = m;
    return m->shape;
}

ctn_shape *ctn_shape_items(ctn_shape *s)
{
    s = own(s);
    if (!s->items)
        s->items = ctn_shape_new(s->arena);
    return own(s->items);
}

ctn_shape *ctn_shape_at(ctn_shape *s, const ctn_path_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t index = parts[i].index, least = index < 0 ? -index : index + 1;
        s = own(s);
        if (!parts[i].name.ptr && least > s->items_least)
            s->items_least = least;
        s = parts[i].name.ptr ? ctn_shape_member(s, parts[i].name) : ctn_shape_items(s);
    }
    return own(s);
}

void ctn_shape_use(ctn_shape *s, ctn_use use, const ctn_json *literal)
{
    s = own(s);
    if (use == CTN_USE_MEMBER) {
        (void) ctn_shape_member(s, ctn_json_text(literal));
        return;
    }
    if (use >= CTN_USE_ITEM_MEMBER) {
        s->uses |= 1u << CTN_USE_LIST;
        ctn_shape *items = ctn_shape_items(s);
        ctn_shape_use(literal ? ctn_shape_member(items, ctn_json_text(literal)) : items,
                      use == CTN_USE_ITEM_TRUTH    ? CTN_USE_TRUTH
                      : use == CTN_USE_ITEM_NUMBER ? CTN_USE_NUMBER
                                                   : CTN_USE_READ,
                      NULL);
        return;
    }
    s->uses |= 1u << use;
    if (!literal || s->literal_count == LITERALS_MAX)
        return;
    for (size_t i = 0; i < s->literal_count; i++)
        if (s->literals[i].use == use && ctn_json_equal(s->literals[i].value, literal))
            return;
    s->literals[s->literal_count++] = (shape_literal){use, literal};
}

void ctn_shape_join(ctn_shape *s, ctn_shape *other)
{
    s = own(s);
    other = own(other);
    if (s == other)
        return;
    s->uses |= other->uses;
    s->items_least = other->items_least > s->items_least ? other->items_least : s->items_least;
    for (size_t i = 0; i < other->literal_count; i++)
        ctn_shape_use(s, other->literals[i].use, other->literals[i].value);
    other->joined = s;
    for (shape_member *m = other->members; m; m = m->next)
        ctn_shape_join(ctn_shape_member(s, m->name), m->shape);
    if (other->items)
        ctn_shape_join(ctn_shape_items(s), other->items);
}

static bool is_type(const ctn_json *schema, const char *type)
{
    return ctn_str_is(ctn_json_str_or(schema, "type", (ctn_str){0}), type);
}

static void learn(ctn_shape *s, const ctn_json *schema, unsigned depth)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties"), *list = ctn_json_member_of(schema, "enum");
    if (depth > DEPTH_MAX || !ctn_json_is(schema, CTN_JSON_OBJECT))
        return;
    for (size_t i = 0; i < ctn_json_count(list); i++)
        ctn_shape_use(s, CTN_USE_EQUAL, ctn_json_at(list, i));
    if (is_type(schema, "object"))
        ctn_shape_use(s, CTN_USE_OBJECT, NULL);
    if (is_type(schema, "array"))
        ctn_shape_use(s, CTN_USE_LIST, NULL);
    if (is_type(schema, "number") || is_type(schema, "integer"))
        ctn_shape_use(s, CTN_USE_NUMBER, NULL);
    if (is_type(schema, "boolean"))
        ctn_shape_use(s, CTN_USE_TRUTH, NULL);
    for (size_t i = 0; i < ctn_json_count(properties); i++)
        learn(ctn_shape_member(s, ctn_json_text(&properties->members[i].key)), &properties->members[i].value,
              depth + 1);
    if (ctn_json_member_of(schema, "items"))
        learn(ctn_shape_items(s), ctn_json_member_of(schema, "items"), depth + 1);
}

void ctn_shape_learn(ctn_shape *s, const ctn_json *schema)
{
    learn(s, schema, 0);
}

/* ---- making values ---- */

typedef struct maker {
    const ctn_rng *chance;
    ctn_arena *arena;
    const ctn_json *root; /* of the schema, for $ref */
    size_t *left;         /* values that may still be made */
} maker;

static size_t roll(const maker *m, size_t below)
{
    return below < 2 ? 0 : (size_t) (ctn_rng_next(m->chance) % below);
}

static bool uses(const ctn_shape *s, ctn_use use)
{
    return s && (s->uses >> use & 1u);
}

static const ctn_json *number(const maker *m, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.15g", value);
    return ctn_json_number(m->arena, ctn_str_from(text));
}

static const ctn_json *text_of(const maker *m, ctn_str name)
{
    static const char *const words[] = {"", " 2", " b"};
    return ctn_json_string(
        m->arena,
        ctn_arena_printf(m->arena, "%.*s%s", CTN_STR_ARG(name.len ? name : CTN_STR("text")), words[roll(m, 3)]));
}

static const ctn_json *time_text(const maker *m, bool is_date)
{
    static const char *const days[] = {"2026-10-05", "2026-12-31", "2027-03-15", "2026-09-22"};
    const char *day = days[roll(m, 4)];
    return ctn_json_string(m->arena, is_date ? ctn_str_from(day) : ctn_arena_printf(m->arena, "%sT09:00:00Z", day));
}

static const ctn_json *text_of_length(const maker *m, int64_t length)
{
    length = length < 0 ? 0 : length > 4096 ? 4096 : length;
    char *text = ctn_arena_alloc(m->arena, (size_t) length + 1);
    for (int64_t i = 0; i < length; i++)
        text[i] = "abcdefgh"[i % 8];
    return ctn_json_string(m->arena, (ctn_str){text, (size_t) length});
}

/* ---- without a schema ---- */

static const ctn_json *make(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name, unsigned depth);

static const ctn_json *make_list(const maker *m, const ctn_shape *s, ctn_str name, int64_t count, unsigned depth)
{
    ctn_json_builder b = ctn_json_array(m->arena);
    count = count < 0 ? 0 : count > 64 ? 64 : count;
    for (int64_t i = 0; i < count; i++)
        ctn_json_push(&b, make(m, s ? s->items : NULL, NULL, name, depth + 1));
    return ctn_json_finish(&b);
}

static const ctn_json *make_object(const maker *m, const ctn_shape *s, ctn_str name, unsigned depth)
{
    ctn_json_builder b = ctn_json_object(m->arena);
    for (const shape_member *k = s ? s->members : NULL; k; k = k->next)
        ctn_json_put(&b, k->name, make(m, k->shape, NULL, k->name, depth + 1));
    if (!s || !s->members)
        ctn_json_put(&b, CTN_STR("value"), ctn_json_string(m->arena, name));
    return ctn_json_finish(&b);
}

/* What the literals suggest: the literal and its neighbours, one of them by chance. */
static const ctn_json *near_literal(const maker *m, const ctn_shape *s, const shape_literal *l, ctn_str name,
                                    unsigned depth)
{
    int64_t whole = 0;
    bool is_text = ctn_json_is(l->value, CTN_JSON_STRING);
    switch (l->use) {
    case CTN_USE_ORDER:
        if (is_text)
            break;
        return number(m, strtod(ctn_json_to_str(m->arena, l->value).ptr, NULL) + (double) roll(m, 3) - 1.0);
    case CTN_USE_LENGTH:
        if (!ctn_json_to_int64(l->value, &whole))
            break;
        whole += (int64_t) roll(m, 3) - 1;
        return s->items || uses(s, CTN_USE_LIST) ? make_list(m, s, name, whole, depth) : text_of_length(m, whole);
    case CTN_USE_HOLDS: {
        if (is_text && !uses(s, CTN_USE_LIST) && !uses(s, CTN_USE_OBJECT))
            break;
        ctn_json_builder b = uses(s, CTN_USE_OBJECT) ? ctn_json_object(m->arena) : ctn_json_array(m->arena);
        if (uses(s, CTN_USE_OBJECT))
            ctn_json_put(&b, ctn_json_text(l->value), ctn_json_string(m->arena, name));
        else
            ctn_json_push(&b, l->value);
        return ctn_json_finish(&b);
    }
    default: break;
    }
    return l->value;
}

static const ctn_json *some_other(const maker *m, const ctn_shape *s, ctn_str name, unsigned depth)
{
    const ctn_json *like = s->literal_count ? s->literals[0].value : NULL;
    if (s->members || uses(s, CTN_USE_OBJECT))
        return make_object(m, s, name, depth);
    if (s->items || uses(s, CTN_USE_LIST)) {
        bool may_be_empty = uses(s, CTN_USE_TRUTH) || uses(s, CTN_USE_HOLDS);
        int64_t least = s->items_least ? s->items_least : !may_be_empty;
        return make_list(m, s, name, least + (int64_t) roll(m, 3), depth);
    }
    if (uses(s, CTN_USE_TIME))
        return time_text(m, roll(m, 2));
    if (uses(s, CTN_USE_LENGTH))
        return text_of(m, name);
    if (uses(s, CTN_USE_NUMBER) || ctn_json_is(like, CTN_JSON_NUMBER))
        return number(m, (double) (1 + roll(m, 100)));
    if (ctn_json_is_bool(like) || (uses(s, CTN_USE_TRUTH) && !like && !uses(s, CTN_USE_TEXT)))
        return ctn_json_bool(roll(m, 2) == 0);
    if (uses(s, CTN_USE_TRUTH) && roll(m, 3) == 2)
        return ctn_json_string(m->arena, (ctn_str){0});
    return text_of(m, name);
}

static const ctn_json *make_by_shape(const maker *m, const ctn_shape *s, ctn_str name, unsigned depth)
{
    if (!s || depth > DEPTH_MAX)
        return text_of(m, name);
    size_t choice = roll(m, s->literal_count + 1);
    if (choice == 0)
        return some_other(m, s, name, depth);
    return near_literal(m, s, &s->literals[choice - 1], name, depth);
}

/* ---- with a schema ---- */

static const ctn_json *resolve(const maker *m, const ctn_json *schema)
{
    for (int i = 0; i < 8; i++) {
        ctn_str ref = ctn_json_str_or(schema, "$ref", (ctn_str){0});
        if (ref.len == 0 || ref.ptr[0] != '#')
            break;
        const ctn_json *target = ctn_json_pointer(m->root, ctn_str_from_offset(ref, 1));
        if (!target)
            break;
        schema = target;
    }
    return schema;
}

static bool allows(const ctn_json *schema, const char *type)
{
    const ctn_json *said = ctn_json_member_of(schema, "type");
    if (ctn_json_is(said, CTN_JSON_STRING))
        return ctn_str_is(ctn_json_text(said), type) ||
               (strcmp(type, "number") == 0 && ctn_str_is(ctn_json_text(said), "integer"));
    for (size_t i = 0; i < ctn_json_count(said); i++)
        if (ctn_str_is(ctn_json_text(ctn_json_at(said, i)), type) ||
            (strcmp(type, "number") == 0 && ctn_str_is(ctn_json_text(ctn_json_at(said, i)), "integer")))
            return true;
    return !said;
}

static bool is_required(const ctn_json *schema, ctn_str name)
{
    return ctn_json_has_text(ctn_json_member_of(schema, "required"), name);
}

static const ctn_shape *member_shape(const ctn_shape *s, ctn_str name)
{
    for (const shape_member *k = s ? s->members : NULL; k; k = k->next)
        if (ctn_str_equal(k->name, name))
            return own_const(k->shape);
    return NULL;
}

/* Required members always, the others as chance has it: the plainest value has them all. */
static void make_members(const maker *m, const ctn_shape *s, const ctn_json *schema, unsigned depth,
                         ctn_json_builder *b)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    for (size_t i = 0; i < ctn_json_count(properties) && i < SCHEMA_MEMBER_MAX; i++) {
        ctn_str name = ctn_json_text(&properties->members[i].key);
        if (is_required(schema, name) || (depth < DEPTH_OF_OPTIONAL && roll(m, 4) != 3))
            ctn_json_put(b, name, make(m, member_shape(s, name), &properties->members[i].value, name, depth + 1));
    }
    const ctn_json *required = ctn_json_member_of(schema, "required");
    for (size_t i = 0; i < ctn_json_count(required) && i < SCHEMA_MEMBER_MAX; i++) {
        ctn_str name = ctn_json_text(ctn_json_at(required, i));
        if (!ctn_json_get(properties, name))
            ctn_json_put(b, name, make(m, member_shape(s, name), NULL, name, depth + 1));
    }
}

static const ctn_json *make_schema_object(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name,
                                          unsigned depth)
{
    ctn_json_builder b = ctn_json_object(m->arena);
    const ctn_json *all = ctn_json_member_of(schema, "allOf");
    make_members(m, s, schema, depth, &b);
    for (size_t i = 0; i < ctn_json_count(all) && i < UNION_MAX; i++)
        make_members(m, s, resolve(m, ctn_json_at(all, i)), depth, &b);
    const ctn_json *properties = ctn_json_member_of(schema, "properties"),
                   *others = ctn_json_member_of(schema, "additionalProperties");
    bool is_open = !properties && !all && !ctn_json_is(others, CTN_JSON_FALSE);
    if (is_open && s && s->members)
        for (const shape_member *k = s->members; k; k = k->next)
            ctn_json_put(&b, k->name,
                         make(m, k->shape, ctn_json_is(others, CTN_JSON_OBJECT) ? others : NULL, k->name, depth + 1));
    (void) name;
    return ctn_json_finish(&b);
}

static const ctn_json *make_schema_list(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name,
                                        unsigned depth)
{
    const ctn_json *prefix = ctn_json_member_of(schema, "prefixItems"), *items = ctn_json_member_of(schema, "items");
    int64_t low = ctn_json_int_or(schema, "minItems", 0), high = ctn_json_int_or(schema, "maxItems", low + 3);
    int64_t count = ctn_json_is(items, CTN_JSON_FALSE) ? 0 : high < low ? low : low + (high - low > 3 ? 3 : high - low);
    /* The plainest list has something in it where it may. */
    int64_t least = low ? low : count > 0 && roll(m, 4) != 3 ? 1 : 0;
    if (depth >= DEPTH_OF_OPTIONAL)
        least = count = low;
    count = count > least ? least + (int64_t) roll(m, (size_t) (count - least) + 1) : least;
    ctn_json_builder b = ctn_json_array(m->arena);
    for (int64_t i = 0; i < (int64_t) ctn_json_count(prefix) && i < UNION_MAX; i++)
        ctn_json_push(&b, make(m, NULL, ctn_json_at(prefix, (size_t) i), name, depth + 1));
    for (int64_t i = (int64_t) ctn_json_count(prefix); i < count && i < UNION_MAX; i++)
        ctn_json_push(
            &b, make(m, s ? s->items : NULL, ctn_json_is(items, CTN_JSON_OBJECT) ? items : NULL, name, depth + 1));
    return ctn_json_finish(&b);
}

static double bound(const maker *m, const ctn_json *schema, const char *key, double otherwise)
{
    const ctn_json *v = ctn_json_member_of(schema, key);
    return ctn_json_is(v, CTN_JSON_NUMBER) ? strtod(ctn_json_to_str(m->arena, v).ptr, NULL) : otherwise;
}

static const ctn_json *make_schema_number(const maker *m, const ctn_json *schema)
{
    bool is_whole = !ctn_str_is(ctn_json_str_or(schema, "type", CTN_STR("integer")), "number");
    double low = bound(m, schema, "minimum", bound(m, schema, "exclusiveMinimum", -1) + 1.0);
    double high = bound(m, schema, "maximum", bound(m, schema, "exclusiveMaximum", low + 101) - 1.0);
    double step = bound(m, schema, "multipleOf", 1);
    if (high < low)
        high = low;
    double places = (high - low) / step;
    double value = low + step * (double) roll(m, places > 100 ? 100 : (size_t) places + 1);
    if (bound(m, schema, "multipleOf", 0) > 0 && value / step != (double) (int64_t) (value / step))
        value = step * (double) ((int64_t) (value / step) + 1);
    if (!is_whole && step == 1 && roll(m, 3) == 2 && value + 0.5 <= high)
        value += 0.5;
    return number(m, value);
}

static const ctn_json *make_schema_text(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name)
{
    ctn_str format = ctn_json_str_or(schema, "format", (ctn_str){0});
    if (ctn_str_is(format, "date"))
        return time_text(m, true);
    if (ctn_str_is(format, "date-time") || (uses(s, CTN_USE_TIME) && format.len == 0))
        return time_text(m, false);
    if (ctn_str_is(format, "email"))
        return ctn_json_string(m->arena, CTN_STR("sam@example.com"));
    if (ctn_str_is(format, "uri"))
        return ctn_json_string(m->arena, CTN_STR("https://example.com/a"));
    if (ctn_str_is(format, "uuid"))
        return ctn_json_string(m->arena, CTN_STR("0f5a1c1e-3b2d-4c6a-9d8e-7f6a5b4c3d2e"));
    ctn_str pattern = ctn_json_str_or(schema, "pattern", (ctn_str){0}), made;
    if (pattern.len && ctn_pattern_make(pattern, m->chance, m->arena, &made))
        return ctn_json_string(m->arena, made);
    const ctn_json *text = text_of(m, name);
    int64_t low = ctn_json_int_or(schema, "minLength", 0), high = ctn_json_int_or(schema, "maxLength", INT64_MAX);
    int64_t length = (int64_t) ctn_str_code_points(ctn_json_text(text));
    return length < low || length > high ? text_of_length(m, low ? low : high) : text;
}

/* A literal that the chain looks for, where the schema's type lets it in. */
static const ctn_json *fitting_literal(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name,
                                       unsigned depth)
{
    if (!s || s->literal_count == 0)
        return NULL;
    size_t choice = roll(m, s->literal_count + 1);
    if (choice == 0)
        return NULL;
    const ctn_json *v = near_literal(m, s, &s->literals[choice - 1], name, depth);
    return ctn_json_is_bool(v) || allows(schema, ctn_json_kind_name(v)) ? v : NULL;
}

static const ctn_json *pick(const maker *m, const ctn_json *list)
{
    return ctn_json_at(list, roll(m, ctn_json_count(list)));
}

static const ctn_json *make_by_schema(const maker *m, const ctn_shape *s, const ctn_json *schema, ctn_str name,
                                      unsigned depth)
{
    const ctn_json *v;
    if ((v = ctn_json_member_of(schema, "const")))
        return v;
    if (ctn_json_count(v = ctn_json_member_of(schema, "enum")))
        return pick(m, v);
    static const char *const unions[] = {"oneOf", "anyOf"};
    for (size_t i = 0; i < 2; i++)
        if (ctn_json_count(v = ctn_json_member_of(schema, unions[i])) && !ctn_json_member_of(schema, "properties"))
            return make(m, s, pick(m, v), name, depth + 1);
    if ((v = fitting_literal(m, s, schema, name, depth)))
        return v;
    if (ctn_json_count(v = ctn_json_member_of(schema, "examples")))
        return pick(m, v);
    bool is_object = ctn_json_member_of(schema, "properties") || ctn_json_member_of(schema, "allOf") ||
                     ctn_json_member_of(schema, "required");
    bool is_list = ctn_json_member_of(schema, "items") || ctn_json_member_of(schema, "prefixItems");
    if (!ctn_json_member_of(schema, "type") && !is_object && !is_list)
        return make_by_shape(m, s, name, depth);
    if (allows(schema, "object") && !is_list)
        return make_schema_object(m, s, schema, name, depth);
    if (allows(schema, "array"))
        return make_schema_list(m, s, schema, name, depth);
    bool may_be_null = allows(schema, "null");
    if (may_be_null && roll(m, 4) == 3)
        return &ctn_json_null;
    if (allows(schema, "string"))
        return make_schema_text(m, s, schema, name);
    if (allows(schema, "number"))
        return make_schema_number(m, schema);
    if (allows(schema, "boolean"))
        return ctn_json_bool(roll(m, 2) == 0);
    return &ctn_json_null;
}

static const ctn_json *make(const maker *m, const ctn_shape *shape, const ctn_json *schema, ctn_str name,
                            unsigned depth)
{
    const ctn_shape *s = own_const(shape);
    schema = resolve(m, schema);
    if (depth > DEPTH_MAX || *m->left == 0)
        return &ctn_json_null;
    --*m->left;
    return ctn_json_is(schema, CTN_JSON_OBJECT) ? make_by_schema(m, s, schema, name, depth)
                                                : make_by_shape(m, s, name, depth);
}

const ctn_json *ctn_shape_make(const ctn_shape *shape, const ctn_json *schema, ctn_str name, const ctn_rng *chance,
                               ctn_arena *arena)
{
    size_t left = VALUES_MAX;
    maker m = {.chance = chance, .arena = arena, .root = schema, .left = &left};
    return make(&m, shape, schema, name, 0);
}
