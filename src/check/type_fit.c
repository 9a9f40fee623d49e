/*
 * type_fit.c -- can two types have a value in common, and what is said when they cannot.
 */
#include "chain/keys.h"
#include "check/type_internal.h"

#define SHOWN_MAX 40

/* ---- sentences ---- */

static void describe(ctn_buf *out, const ctn_type *t, int depth)
{
    static const struct {
        unsigned kinds;
        const char *name;
    } NAMES[] = {{CTN_TYPE_STRING, "text"},     {CTN_TYPE_NUMBER, "number"}, {CTN_TYPE_INTEGER, "whole number"},
                 {CTN_TYPE_FRACTION, "number"}, {CTN_TYPE_OBJECT, "object"}, {CTN_TYPE_LIST, "list"},
                 {CTN_TYPE_BOOLEAN, "boolean"}, {CTN_TYPE_NULL, "null"}};
    size_t start = out->len;
    if (t->kinds == CTN_TYPE_ALL || t->kinds == 0) {
        ctn_buf_append_literal(out, t->kinds ? "anything" : "nothing");
        return;
    }
    if (t->value_count && !(t->kinds & (CTN_TYPE_OBJECT | CTN_TYPE_LIST))) {
        for (uint32_t i = 0; i < t->value_count && out->len < start + 200; i++) {
            ctn_str text = ctn_json_text(t->values[i]);
            bool is_text = ctn_json_is(t->values[i], CTN_JSON_STRING);
            ctn_buf_append(out, i ? CTN_STR(" or ") : CTN_STR(""));
            if (is_text || ctn_json_is(t->values[i], CTN_JSON_NUMBER))
                ctn_buf_printf(out, is_text ? "'%.*s%s'" : "%.*s%s",
                               (int) (text.len > SHOWN_MAX ? SHOWN_MAX : text.len), text.len ? text.ptr : "",
                               text.len > SHOWN_MAX ? "..." : "");
            else
                ctn_json_write(out, t->values[i]);
        }
        return;
    }
    unsigned told = 0;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if ((t->kinds & NAMES[i].kinds) != NAMES[i].kinds || (told & NAMES[i].kinds))
            continue;
        told |= NAMES[i].kinds;
        ctn_buf_printf(out, "%s%s", out->len > start ? " or " : "", NAMES[i].name);
        if (NAMES[i].kinds == CTN_TYPE_LIST && depth < 3 && !t->first_count && t->items->kinds &&
            t->items->kinds != CTN_TYPE_ALL) {
            ctn_buf_append_literal(out, " of ");
            describe(out, t->items, depth + 1);
        }
    }
}

ctn_str ctn_type_describe(ctn_arena *arena, const ctn_type *t)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    describe(&out, t, 0);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

ctn_str ctn_type_suggest_member(ctn_arena *arena, const ctn_type *t, ctn_str name)
{
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, t->member_count);
    size_t count = 0;
    for (uint32_t i = 0; i < t->member_count; i++)
        if (!ctn_type_is_never(t->members[i].type))
            names[count++] = t->members[i].name;
    return count ? ctn_suggest(arena, name, names, count) : CTN_STR("it has no members");
}

/* ---- can they meet? ---- */

typedef struct fitting {
    ctn_arena *arena;
    ctn_type_clash *clash; /* NULL: nobody listens */
} fitting;

static bool refuse(fitting *f, const ctn_type *value, const ctn_type *wanted, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool refuse(fitting *f, const ctn_type *value, const ctn_type *wanted, const char *format, ...)
{
    if (f->clash) {
        va_list args;
        va_start(args, format);
        f->clash->sentence = ctn_arena_vprintf(f->arena, format, args);
        va_end(args);
        f->clash->is_observed = value->is_observed || wanted->is_observed;
    }
    return false;
}

static bool refuse_kind(fitting *f, const ctn_type *value, const ctn_type *wanted)
{
    ctn_str is = ctn_type_describe(f->arena, value), should = ctn_type_describe(f->arena, wanted);
    return refuse(f, value, wanted, "expected %.*s, got %.*s", CTN_STR_ARG(should), CTN_STR_ARG(is));
}

/* In front of a sentence that comes from a deeper place. */
static bool refuse_within(fitting *f, ctn_str place)
{
    if (f->clash)
        f->clash->sentence =
            ctn_arena_printf(f->arena, "%.*s: %.*s", CTN_STR_ARG(place), CTN_STR_ARG(f->clash->sentence));
    return false;
}

static bool refuse_within_member(fitting *f, ctn_str name)
{
    return refuse_within(f, f->clash ? ctn_arena_printf(f->arena, "'%.*s'", CTN_STR_ARG(name)) : name);
}

static bool can_fit(fitting *f, const ctn_type *value, const ctn_type *wanted, int depth);

static bool list_can_fit(fitting *f, const ctn_type *value, const ctn_type *wanted, int depth)
{
    for (uint32_t i = 0; i < value->first_count; i++) {
        const ctn_type *item = ctn_type_item_at(f->arena, wanted, i);
        if (ctn_type_is_never(item))
            return refuse(f, value, wanted, "expected a list of at most %u items, and this has more", i);
        if (!can_fit(f, value->first[i], item, depth + 1))
            return refuse_within(f, ctn_arena_printf(f->arena, "item %u", i));
    }
    if (value->first_count || ctn_type_is_never(value->items))
        return true;
    const ctn_type *item = ctn_type_item_at(f->arena, wanted, 0);
    if (ctn_type_is_never(item))
        return true;
    return can_fit(f, value->items, item, depth + 1) || refuse_within(f, CTN_STR("its items"));
}

static bool object_can_fit(fitting *f, const ctn_type *value, const ctn_type *wanted, int depth)
{
    for (uint32_t i = 0; i < wanted->member_count; i++) {
        const ctn_type_member *w = &wanted->members[i];
        const ctn_type_member *v = ctn_type_find_member(value, w->name);
        const ctn_type *type = v ? v->type : value->rest;
        if (!w->is_required && !(v && v->is_required))
            continue;
        if (ctn_type_is_never(type)) /* required there */
            return refuse(f, value, wanted, "expected an object with '%.*s', which this never has",
                          CTN_STR_ARG(w->name));
        if (!can_fit(f, type, w->type, depth + 1))
            return refuse_within_member(f, w->name);
    }
    for (uint32_t i = 0; i < value->member_count; i++) {
        const ctn_type_member *v = &value->members[i];
        if (!v->is_required || ctn_type_find_member(wanted, v->name))
            continue;
        if (ctn_type_is_never(wanted->rest))
            return refuse(f, value, wanted, "there is no member '%.*s'; %.*s", CTN_STR_ARG(v->name),
                          CTN_STR_ARG(ctn_type_suggest_member(f->arena, wanted, v->name)));
        if (!can_fit(f, v->type, wanted->rest, depth + 1))
            return refuse_within_member(f, v->name);
    }
    return true;
}

static bool can_fit(fitting *f, const ctn_type *value, const ctn_type *wanted, int depth)
{
    if (value == &ctn_type_any || wanted == &ctn_type_any || depth > CTN_TYPE_DEPTH_MAX ||
        ctn_type_are_too_large(value, wanted))
        return true;
    unsigned kinds = value->kinds & wanted->kinds;
    if (!kinds)
        return refuse_kind(f, value, wanted);
    const ctn_type *by = value->value_count ? value : wanted, *other = by == value ? wanted : value;
    bool is_met = by->value_count == 0;
    for (uint32_t i = 0; i < by->value_count && !is_met; i++)
        is_met = ctn_type_accepts(other, by->values[i]);
    bool is_structure = !(kinds & CTN_TYPE_SCALARS);
    if (!is_met && (!is_structure || (value->value_count != 1 && wanted->value_count)))
        return refuse_kind(f, value, wanted);
    if (!is_structure)
        return true;
    if ((kinds & CTN_TYPE_LIST) && list_can_fit(f, value, wanted, depth))
        return true;
    return (kinds & CTN_TYPE_OBJECT) && object_can_fit(f, value, wanted, depth);
}

bool ctn_type_can_fit(ctn_arena *arena, const ctn_type *value, const ctn_type *wanted, ctn_type_clash *ret_clash)
{
    fitting f = {.arena = arena, .clash = ret_clash};
    return can_fit(&f, value, wanted, 0);
}
