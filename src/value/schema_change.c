/*
 * schema_change.c -- see schema_change.h.
 *
 * A walk over both schemas at once. Each keyword belongs to one group: words about the value (meaning), kinds and
 * choices, bounds, members, items, and all the rest, which is compared as a whole. What is said of a place is said with
 * its way: 'traveller.name'. The same walk, with nobody listening, answers whether one branch of an anyOf is covered by
 * another.
 */
#include "value/schema_change.h"
#include "value/kinds.h"
#include <stdarg.h>

#define DEPTH_MAX   48
#define MEMBERS_MAX 500   /* of an object: each is looked for among the others */
#define CHOICES_MAX 500   /* of an enum: the same */
#define STEPS_MAX   50000 /* of one comparison: branches and references multiply */
#define SHOWN_BYTES 80    /* of a name, of a value */

/* The pairs that are being compared: one that comes again below itself is a schema that names itself. */
typedef struct pair {
    const struct pair *above;
    const ctn_json *from, *to;
} pair;

typedef struct walk {
    ctn_arena *arena;
    ctn_changes *changes; /* NULL: nobody listens */
    const ctn_json *from_root, *to_root;
    ctn_schema_side side;
    bool is_narrower, says_otherwise;
    const pair *under_way;
    int steps;
} walk;

const char *ctn_change_class_name(ctn_change_class class_)
{
    static const char *const NAMES[] = {"none", "compatible", "narrowing", "meaning"};
    return NAMES[class_];
}

void ctn_changes_add(ctn_changes *c, ctn_change_class class_, const char *format, ...)
{
    if (c->count == CTN_CHANGES_MAX) {
        ctn_change *last = &c->items[CTN_CHANGES_MAX - 1];
        last->sentence = CTN_STR("and more");
        if (class_ > last->class_)
            last->class_ = class_;
        return;
    }
    va_list args;
    va_start(args, format);
    c->items = ctn_arena_room(c->arena, c->items, c->count, &c->capacity, sizeof *c->items);
    c->items[c->count++] = (ctn_change){class_, ctn_arena_vprintf(c->arena, format, args)};
    va_end(args);
}

ctn_change_class ctn_changes_worst(const ctn_changes *c)
{
    ctn_change_class worst = CTN_CHANGE_NONE;
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].class_ > worst)
            worst = c->items[i].class_;
    return worst;
}

static void say(walk *w, ctn_change_class class_, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(walk *w, ctn_change_class class_, const char *format, ...)
{
    if (class_ == CTN_CHANGE_NARROWING)
        w->is_narrower = true;
    if (class_ == CTN_CHANGE_MEANING)
        w->says_otherwise = true;
    if (!w->changes)
        return;
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(w->arena, format, args);
    va_end(args);
    ctn_changes_add(w->changes, class_, "%.*s", CTN_STR_ARG(text));
}

/* ---- places, and what a schema is ---- */

static bool takes(const walk *w)
{
    return w->side == CTN_SCHEMA_TAKES;
}

static const char *thing(const walk *w)
{
    return takes(w) ? "argument" : "member";
}

/* "argument 'a.b'", "the result" */
static ctn_str named(const walk *w, ctn_str at)
{
    if (!at.len)
        return takes(w) ? CTN_STR("the arguments") : CTN_STR("the result");
    return ctn_arena_printf(w->arena, "%s '%.*s'", thing(w), CTN_STR_ARG(at));
}

static ctn_str cut(ctn_str text)
{
    return (ctn_str){text.ptr, text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES};
}

/* As JSON, while somebody still hears it. */
static ctn_str shown(const walk *w, const ctn_json *value)
{
    bool is_heard = w->changes && w->changes->count < CTN_CHANGES_MAX;
    return is_heard ? cut(ctn_json_to_str(w->arena, value)) : (ctn_str){0};
}

static ctn_str within(const walk *w, ctn_str at, ctn_str name)
{
    name = cut(name);
    return at.len ? ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(at), CTN_STR_ARG(name)) : name;
}

/* Where references lead; NULL: nowhere within the schema. true and {} are the same. */
static const ctn_json *resolve(const ctn_json *root, const ctn_json *schema)
{
    for (int i = 0; i < DEPTH_MAX && ctn_json_is(schema, CTN_JSON_OBJECT); i++) {
        const ctn_json *ref = ctn_json_member_of(schema, "$ref");
        if (!ref)
            return schema;
        ctn_str to = ctn_json_text(ref);
        if (!to.len || to.ptr[0] != '#')
            return NULL;
        schema = ctn_json_pointer(root, ctn_str_from_offset(to, 1));
        if (!schema)
            return NULL;
    }
    return ctn_json_is(schema, CTN_JSON_OBJECT) ? NULL : schema;
}

static bool is_one_of(ctn_str key, const char *const *list)
{
    for (; *list; list++)
        if (ctn_str_is(key, *list))
            return true;
    return false;
}

static const char *const SAYS_MEANING[] = {"description", "default", NULL};
static const char *const SAYS_NOTHING[] = {"title",       "examples",   "$comment", "$schema",  "$id",       "$defs",
                                           "definitions", "deprecated", "$anchor",  "readOnly", "writeOnly", NULL};
static const char *const KNOWN[] = {"type",
                                    "enum",
                                    "const",
                                    "properties",
                                    "required",
                                    "additionalProperties",
                                    "items",
                                    "anyOf",
                                    "oneOf",
                                    "minimum",
                                    "maximum",
                                    "exclusiveMinimum",
                                    "exclusiveMaximum",
                                    "minLength",
                                    "maxLength",
                                    "minItems",
                                    "maxItems",
                                    "minProperties",
                                    "maxProperties",
                                    "$ref",
                                    NULL};

/* ---- kinds and choices ---- */

static unsigned kinds_of(const ctn_json *schema)
{
    const ctn_json *type = ctn_json_member_of(schema, "type");
    unsigned kinds = 0;
    if (!type)
        return CTN_TYPE_ALL;
    for (size_t i = 0; ctn_json_is(type, CTN_JSON_ARRAY) && i < type->count; i++)
        kinds |= ctn_kinds_named(ctn_json_text(ctn_json_at(type, i)));
    return ctn_json_is(type, CTN_JSON_ARRAY) ? kinds : ctn_kinds_named(ctn_json_text(type));
}

static const ctn_json *type_of(const walk *w, const ctn_json *schema)
{
    const ctn_json *type = ctn_json_member_of(schema, "type");
    return type ? type : ctn_json_string(w->arena, CTN_STR("anything"));
}

static void compare_types(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at)
{
    unsigned was = kinds_of(from), is = kinds_of(to);
    if (was == is)
        return;
    bool fits = takes(w) ? (was & ~is) == 0 : (is & ~was) == 0;
    ctn_str before = shown(w, type_of(w, from)), after = shown(w, type_of(w, to));
    say(w, fits ? CTN_CHANGE_COMPATIBLE : CTN_CHANGE_NARROWING, "the type of %.*s was %.*s and is %.*s",
        CTN_STR_ARG(named(w, at)), CTN_STR_ARG(before), CTN_STR_ARG(after));
}

/* Of enum and const: a list; NULL: any value. */
static const ctn_json *choices_of(const walk *w, const ctn_json *schema)
{
    const ctn_json *list = ctn_json_member_of(schema, "enum"), *only = ctn_json_member_of(schema, "const");
    if (!only)
        return ctn_json_is(list, CTN_JSON_ARRAY) ? list : NULL;
    ctn_json_builder b = ctn_json_array(w->arena);
    ctn_json_push(&b, only);
    return ctn_json_finish(&b);
}

static bool has_choice(const ctn_json *list, const ctn_json *value)
{
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (ctn_json_equal(ctn_json_at(list, i), value))
            return true;
    return !list;
}

/* What a has and b has not; NULL: nothing. */
static const ctn_json *first_beyond(const ctn_json *a, const ctn_json *b)
{
    for (size_t i = 0; i < ctn_json_count(a); i++)
        if (!has_choice(b, ctn_json_at(a, i)))
            return ctn_json_at(a, i);
    return NULL;
}

static void compare_choices(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at)
{
    const ctn_json *was = choices_of(w, from), *is = choices_of(w, to);
    if (ctn_json_count(was) > CHOICES_MAX || ctn_json_count(is) > CHOICES_MAX) {
        if (!ctn_json_equal(was, is))
            say(w, CTN_CHANGE_NARROWING, "what %.*s may be is another, and too long to be compared",
                CTN_STR_ARG(named(w, at)));
        return;
    }
    w->steps += (int) (ctn_json_count(was) + ctn_json_count(is));
    const ctn_json *lost = first_beyond(was, is), *won = first_beyond(is, was);
    ctn_str place = named(w, at);
    if (lost)
        say(w, takes(w) ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%.*s can no longer be %.*s",
            CTN_STR_ARG(place), CTN_STR_ARG(shown(w, lost)));
    if (won)
        say(w, takes(w) ? CTN_CHANGE_COMPATIBLE : CTN_CHANGE_NARROWING, "%.*s can now also be %.*s", CTN_STR_ARG(place),
            CTN_STR_ARG(shown(w, won)));
    if (!was && is)
        say(w, takes(w) ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%.*s is now one of %.*s", CTN_STR_ARG(place),
            CTN_STR_ARG(shown(w, is)));
    if (was && !is)
        say(w, takes(w) ? CTN_CHANGE_COMPATIBLE : CTN_CHANGE_NARROWING, "%.*s can now be anything, and not only %.*s",
            CTN_STR_ARG(place), CTN_STR_ARG(shown(w, was)));
}

/* Of what is given a wider bound says nothing that a chain could rest on. */
static void compare_bounds(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at)
{
    static const struct {
        const char *key;
        int way; /* 1: a larger one takes less */
    } BOUNDS[] = {{"minimum", 1},       {"exclusiveMinimum", 1}, {"minLength", 1},         {"minItems", 1},
                  {"minProperties", 1}, {"maximum", -1},         {"exclusiveMaximum", -1}, {"maxLength", -1},
                  {"maxItems", -1},     {"maxProperties", -1}};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof *BOUNDS; i++) {
        const ctn_json *was = ctn_json_member_of(from, BOUNDS[i].key), *is = ctn_json_member_of(to, BOUNDS[i].key);
        if ((!was && !is) || (was && is && ctn_json_equal(was, is)))
            continue;
        bool are_numbers = (!was || ctn_json_is(was, CTN_JSON_NUMBER)) && (!is || ctn_json_is(is, CTN_JSON_NUMBER));
        bool is_tighter = is && (!was || !are_numbers || ctn_json_number_compare(is, was) * BOUNDS[i].way > 0);
        ctn_str before = was ? shown(w, was) : CTN_STR("not said");
        ctn_str after = is ? shown(w, is) : CTN_STR("not said");
        say(w, takes(w) && is_tighter ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%s of %.*s was %.*s and is %.*s",
            BOUNDS[i].key, CTN_STR_ARG(named(w, at)), CTN_STR_ARG(before), CTN_STR_ARG(after));
    }
}

/* ---- members and items ---- */

static void compare(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth);

static bool is_required(const ctn_json *schema, ctn_str name)
{
    return ctn_json_has_text(ctn_json_member_of(schema, "required"), name);
}

static void compare_members(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth)
{
    const ctn_json *was = ctn_json_member_of(from, "properties"), *is = ctn_json_member_of(to, "properties");
    const char *what = thing(w);
    for (size_t i = 0; ctn_json_is(was, CTN_JSON_OBJECT) && i < was->count; i++) {
        ctn_str name = ctn_json_text(&was->members[i].key), place = within(w, at, name);
        const ctn_json *now = ctn_json_get(is, name);
        if (!now) {
            say(w, CTN_CHANGE_NARROWING, "%s '%.*s' is gone", what, CTN_STR_ARG(place));
            continue;
        }
        bool was_required = is_required(from, name), is_now = is_required(to, name);
        if (was_required != is_now)
            say(w, is_now == takes(w) ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%s '%.*s' is %s", what,
                CTN_STR_ARG(place), is_now ? "now required" : "no longer required");
        compare(w, &was->members[i].value, now, place, depth + 1);
    }
    for (size_t i = 0; ctn_json_is(is, CTN_JSON_OBJECT) && i < is->count; i++) {
        ctn_str name = ctn_json_text(&is->members[i].key), place = within(w, at, name);
        if (ctn_json_get(was, name))
            continue;
        bool must = takes(w) && is_required(to, name);
        say(w, must ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "there is a new %s%s '%.*s'",
            must ? "required " : "", what, CTN_STR_ARG(place));
    }
    const ctn_json *required = ctn_json_member_of(to, "required");
    for (size_t i = 0; takes(w) && i < ctn_json_count(required); i++) { /* that no list of properties names */
        ctn_str name = ctn_json_text(ctn_json_at(required, i));
        if (!ctn_json_get(is, name) && !ctn_json_get(was, name) && !is_required(from, name))
            say(w, CTN_CHANGE_NARROWING, "%s '%.*s' is now required", what, CTN_STR_ARG(within(w, at, name)));
    }
}

static bool allows_others(const ctn_json *schema)
{
    const ctn_json *rest = ctn_json_member_of(schema, "additionalProperties");
    return !rest || ctn_json_is(rest, CTN_JSON_TRUE);
}

static void compare_rest(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth)
{
    const ctn_json *was = ctn_json_member_of(from, "additionalProperties");
    const ctn_json *is = ctn_json_member_of(to, "additionalProperties");
    if (allows_others(from) && allows_others(to))
        return;
    if (ctn_json_is(was, CTN_JSON_OBJECT) && ctn_json_is(is, CTN_JSON_OBJECT)) {
        compare(w, was, is, within(w, at, CTN_STR("*")), depth + 1);
        return;
    }
    if (was && is && ctn_json_equal(was, is))
        return;
    bool is_tighter = !allows_others(to) && !ctn_json_is(was, CTN_JSON_FALSE);
    /* A caller that sends what the list of properties names is not touched: what a chain sends beyond it, is. */
    say(w, is_tighter && takes(w) ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%.*s %s members that are not named",
        CTN_STR_ARG(named(w, at)), allows_others(to) ? "may now have" : "may no longer have all");
}

static void compare_items(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth)
{
    const ctn_json *was = ctn_json_member_of(from, "items"), *is = ctn_json_member_of(to, "items");
    if (was || is)
        compare(w, was ? was : &ctn_json_true, is ? is : &ctn_json_true, within(w, at, CTN_STR("[]")), depth + 1);
}

/* ---- branches ---- */

static const ctn_json *list_of_branches(const ctn_json *schema)
{
    const ctn_json *list = ctn_json_member_of(schema, "anyOf");
    list = list ? list : ctn_json_member_of(schema, "oneOf");
    return ctn_json_is(list, CTN_JSON_ARRAY) ? list : NULL;
}

/* Nothing but its branches says what a value may be. */
static bool has_only_branches(const ctn_json *schema)
{
    for (size_t i = 0; i < ctn_json_count(schema); i++) {
        ctn_str key = ctn_json_text(&schema->members[i].key);
        if (!ctn_str_is(key, "anyOf") && !ctn_str_is(key, "oneOf") && !is_one_of(key, SAYS_MEANING) &&
            !is_one_of(key, SAYS_NOTHING))
            return false;
    }
    return true;
}

/* COMPATIBLE: each way in which a value can be right on the one side is covered by one on the other. */
static ctn_change_class cover(walk *w, const ctn_json *branch, const ctn_json *others, int depth)
{
    ctn_change_class best = CTN_CHANGE_NARROWING;
    for (size_t i = 0; i < ctn_json_count(others) && best != CTN_CHANGE_COMPATIBLE; i++) {
        walk silent = *w;
        silent.changes = NULL;
        silent.is_narrower = silent.says_otherwise = false;
        const ctn_json *other = ctn_json_at(others, i);
        compare(&silent, takes(w) ? branch : other, takes(w) ? other : branch, (ctn_str){0}, depth + 1);
        w->steps = silent.steps;
        if (!silent.is_narrower)
            best = silent.says_otherwise ? CTN_CHANGE_MEANING : CTN_CHANGE_COMPATIBLE;
    }
    return best;
}

static const ctn_json *alone(const walk *w, const ctn_json *schema)
{
    ctn_json_builder b = ctn_json_array(w->arena);
    ctn_json_push(&b, schema);
    return ctn_json_finish(&b);
}

/* True: they were all that there is to compare. */
static bool compare_branches(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth)
{
    const ctn_json *was = list_of_branches(from), *is = list_of_branches(to);
    if (!was && !is)
        return false;
    bool is_all = (!was || has_only_branches(from)) && (!is || has_only_branches(to));
    if (!is_all && !(was && is)) {
        say(w, CTN_CHANGE_NARROWING, "what %.*s may be is said otherwise, and cannot be compared",
            CTN_STR_ARG(named(w, at)));
        return false;
    }
    was = was ? was : alone(w, from);
    is = is ? is : alone(w, to);
    ctn_change_class worst = CTN_CHANGE_COMPATIBLE;
    const ctn_json *outer = takes(w) ? was : is, *inner = takes(w) ? is : was;
    for (size_t i = 0; i < outer->count && worst != CTN_CHANGE_NARROWING; i++) {
        ctn_change_class one = cover(w, ctn_json_at(outer, i), inner, depth);
        if (one != CTN_CHANGE_COMPATIBLE)
            worst = one;
    }
    bool is_same = worst == CTN_CHANGE_COMPATIBLE && was->count == is->count && ctn_json_equal(was, is);
    if (!is_same)
        say(w, worst, "what %.*s may be is said otherwise%s", CTN_STR_ARG(named(w, at)),
            worst == CTN_CHANGE_NARROWING ? ", and not all of it is covered"
            : worst == CTN_CHANGE_MEANING ? ", with another description"
                                          : "");
    return is_all;
}

/* ---- the walk ---- */

static void compare_meaning(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at)
{
    for (size_t i = 0; SAYS_MEANING[i]; i++) {
        const ctn_json *was = ctn_json_member_of(from, SAYS_MEANING[i]), *is = ctn_json_member_of(to, SAYS_MEANING[i]);
        if ((was || is) && !(was && is && ctn_json_equal(was, is)))
            say(w, CTN_CHANGE_MEANING, "the %s of %.*s is another", SAYS_MEANING[i], CTN_STR_ARG(named(w, at)));
    }
    for (size_t i = 0; SAYS_NOTHING[i]; i++) {
        const ctn_json *was = ctn_json_member_of(from, SAYS_NOTHING[i]), *is = ctn_json_member_of(to, SAYS_NOTHING[i]);
        bool is_told = SAYS_NOTHING[i][0] != '$' && strcmp(SAYS_NOTHING[i], "definitions") != 0;
        if (is_told && (was || is) && !(was && is && ctn_json_equal(was, is)))
            say(w, CTN_CHANGE_COMPATIBLE, "%s of %.*s is another", SAYS_NOTHING[i], CTN_STR_ARG(named(w, at)));
    }
}

/* Words that are not compared one by one: the same, or else the tool takes less, for all that is known. */
static void compare_others(walk *w, const ctn_json *a, const ctn_json *b, ctn_str at, bool is_second)
{
    for (size_t i = 0; i < ctn_json_count(a); i++) {
        ctn_str key = ctn_json_text(&a->members[i].key);
        const ctn_json *other = ctn_json_get(b, key);
        if (is_one_of(key, KNOWN) || is_one_of(key, SAYS_MEANING) || is_one_of(key, SAYS_NOTHING) ||
            (is_second && other) || (other && ctn_json_equal(&a->members[i].value, other)))
            continue;
        say(w, CTN_CHANGE_NARROWING, "'%.*s' of %.*s is another, and cannot be compared", CTN_STR_ARG(key),
            CTN_STR_ARG(named(w, at)));
    }
}

static bool is_under_way(const walk *w, const ctn_json *from, const ctn_json *to)
{
    for (const pair *p = w->under_way; p; p = p->above)
        if (p->from == from && p->to == to)
            return true;
    return false;
}

static size_t largest(const ctn_json *schema)
{
    static const char *const LISTS[] = {"properties", "required", "anyOf", "oneOf", "type"};
    size_t most = ctn_json_count(schema);
    for (size_t i = 0; most <= MEMBERS_MAX && i < sizeof LISTS / sizeof *LISTS; i++) {
        size_t count = ctn_json_count(ctn_json_member_of(schema, LISTS[i]));
        most = count > most ? count : most;
    }
    return most;
}

static void compare_words(walk *w, const ctn_json *was, const ctn_json *is, ctn_str at, int depth)
{
    size_t most = largest(was) > largest(is) ? largest(was) : largest(is);
    if (most > MEMBERS_MAX) {
        if (!ctn_json_equal(was, is))
            say(w, CTN_CHANGE_NARROWING, "%.*s is another, and too large to be compared", CTN_STR_ARG(named(w, at)));
        return;
    }
    w->steps += (int) most;
    compare_meaning(w, was, is, at);
    if (compare_branches(w, was, is, at, depth))
        return;
    compare_types(w, was, is, at);
    compare_choices(w, was, is, at);
    compare_bounds(w, was, is, at);
    compare_members(w, was, is, at, depth);
    compare_rest(w, was, is, at, depth);
    compare_items(w, was, is, at, depth);
    compare_others(w, was, is, at, false);
    compare_others(w, is, was, at, true);
}

static void compare(walk *w, const ctn_json *from, const ctn_json *to, ctn_str at, int depth)
{
    const ctn_json *was = resolve(w->from_root, from), *is = resolve(w->to_root, to);
    if (depth > DEPTH_MAX || ++w->steps > STEPS_MAX || !was || !is) {
        say(w, CTN_CHANGE_NARROWING, "%.*s is too deep, or refers to what is not there: it cannot be compared",
            CTN_STR_ARG(named(w, at)));
        return;
    }
    bool can_be = !ctn_json_is(was, CTN_JSON_FALSE), can_now = !ctn_json_is(is, CTN_JSON_FALSE);
    if (can_be != can_now)
        say(w, can_be == takes(w) ? CTN_CHANGE_NARROWING : CTN_CHANGE_COMPATIBLE, "%.*s can %s be there",
            CTN_STR_ARG(named(w, at)), can_now ? "now" : "no longer");
    if (!can_be || !can_now || is_under_way(w, was, is))
        return;
    pair p = {w->under_way, was, is};
    w->under_way = &p;
    compare_words(w, was, is, at, depth);
    w->under_way = p.above;
}

void ctn_schema_changes(ctn_changes *changes, const ctn_json *from, const ctn_json *to, ctn_schema_side side)
{
    from = from ? from : &ctn_json_true;
    to = to ? to : &ctn_json_true;
    if (ctn_json_equal(from, to))
        return;
    walk w = {.arena = changes->arena, .changes = changes, .from_root = from, .to_root = to, .side = side};
    compare(&w, from, to, (ctn_str){0}, 0);
}
