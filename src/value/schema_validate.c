/*
 * schema_validate.c -- a value against a compiled schema: the first violation, as a sentence.
 *
 * One recursive walk over schema and value together. Each call stands in a frame that knows the frame around it:
 * the chain of frames is at once the way to the value (its JSON Pointer) and the dynamic scope (which resources
 * were entered on the way), and its length is what bounds recursion.
 *
 * Which items or members were evaluated is asked only by unevaluatedItems and unevaluatedProperties, so only
 * below one of those does anybody keep marks, one byte an item or member. A branch that fails leaves no marks: it
 * marks a set of its own, which is merged when the branch holds.
 *
 * Alternatives are tried silently (err NULL). When all have failed and somebody wants a sentence, they are tried
 * again aloud, and the one that got furthest into the value tells the sentence.
 *
 * What must hold: work is counted where time goes (a node entered, an item looked at, bytes compared), so that
 * neither a schema that branches nor a value that is long holds the caller up.
 */
#include "value/schema_internal.h"
#include <stdio.h>
#include "base/hash.h"
#include <assert.h>
#include <stdlib.h>

#define WORK_MAX            20000000u
#define WORK_OF_LONG_SEARCH 1000000u
#define PAIRWISE_MAX        12u /* more items than that are compared by digest */
#define CANONICAL_MAX       (64u << 20)

/* Called from the recursion but with locals that must not widen its frames. */
#define LEAF __attribute__((noinline))

typedef struct run {
    ctn_arena *scratch;
    uint64_t work_left;
} run;

typedef ctn_schema_frame frame;
typedef ctn_schema_report report;

static int check(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *outer, report *to, char *marks);

/* Composes nothing when nobody listens. */
#define REFUSE(f, to, ...) ((to) ? ctn_schema_say((f), (to), __VA_ARGS__) : CTN_E_INVALID)

static int limit(report *to, const char *what)
{
    return ctn_fail(to ? to->err : NULL, CTN_E_LIMIT, "checking the value against its schema takes %s", what);
}

static bool spend(run *r, uint64_t work)
{
    if (r->work_left < work) {
        r->work_left = 0;
        return false;
    }
    r->work_left -= work;
    return true;
}

/* Most searches are quick and there may be many; of the long ones only a few are paid for. */
static int search(run *r, const ctn_regex *regex, ctn_str text, bool *ret_matches)
{
    if (!spend(r, 110 + text.len / 2))
        return CTN_E_LIMIT;
    if (ctn_regex_search_quick(regex, text, ret_matches) == CTN_OK)
        return CTN_OK;
    return spend(r, WORK_OF_LONG_SEARCH) ? ctn_regex_search(regex, text, ret_matches, NULL) : CTN_E_LIMIT;
}

/* ---- values ---- */

LEAF static int refuse_type(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to)
{
    if (!to)
        return CTN_E_INVALID;
    static const struct {
        uint32_t bits;
        const char *name;
    } TYPES[] = {{1u << CTN_JSON_STRING, "string"}, {1u << CTN_JSON_NUMBER, "number"}, {CTN_SCHEMA_INTEGER, "integer"},
                 {1u << CTN_JSON_OBJECT, "object"}, {1u << CTN_JSON_ARRAY, "array"},   {1u << CTN_JSON_TRUE, "boolean"},
                 {1u << CTN_JSON_NULL, "null"}};
    ctn_buf names;
    ctn_buf_init(&names, 256);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (n->types & TYPES[i].bits)
            ctn_buf_printf(&names, "%s%s", names.len ? " or " : "", TYPES[i].name);
    bool is_fraction = ctn_json_is(v, CTN_JSON_NUMBER);
    int rc = REFUSE(f, to, "expected %.*s, got %.*s", CTN_STR_ARG(ctn_buf_str(&names)),
                    CTN_STR_ARG(is_fraction ? ctn_schema_show(r->scratch, v) : ctn_str_from(ctn_json_kind_name(v))));
    ctn_buf_done(&names);
    return rc;
}

LEAF static int check_enum(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to)
{
    size_t count = ctn_json_count(n->enumeration);
    if (!spend(r, n->value_work))
        return limit(to, "too long");
    for (size_t i = 0; i < count; i++)
        if (ctn_json_equal(ctn_json_at(n->enumeration, i), v))
            return CTN_OK;
    if (!to)
        return CTN_E_INVALID;
    ctn_buf shown;
    ctn_str names[50];
    size_t name_count = 0;
    ctn_buf_init(&shown, 200);
    for (size_t i = 0; i < count && !shown.overflowed; i++) {
        const ctn_json *item = ctn_json_at(n->enumeration, i);
        ctn_buf_printf(&shown, "%s%.*s", i ? ", " : "", CTN_STR_ARG(ctn_schema_show(r->scratch, item)));
        if (ctn_json_is(item, CTN_JSON_STRING) && name_count < 50)
            names[name_count++] = ctn_json_text(item);
    }
    ctn_str hint = ctn_json_is(v, CTN_JSON_STRING) ? ctn_schema_suggest(r->scratch, ctn_json_text(v), names, name_count)
                                                   : CTN_STR("");
    int rc = REFUSE(f, to, "expected one of %.*s%s, got %.*s%.*s", CTN_STR_ARG(ctn_buf_str(&shown)),
                    shown.overflowed ? ", ..." : "", CTN_STR_ARG(ctn_schema_show(r->scratch, v)), CTN_STR_ARG(hint));
    ctn_buf_done(&shown);
    return rc;
}

LEAF static int check_number(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to)
{
    const struct {
        const ctn_json *bound;
        int order; /* of value and bound that is wrong */
        bool is_exclusive;
        const char *words;
    } bounds[] = {{n->minimum, -1, false, "at least"},
                  {n->maximum, 1, false, "at most"},
                  {n->minimum_exclusive, -1, true, "more than"},
                  {n->maximum_exclusive, 1, true, "less than"}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (!bounds[i].bound)
            continue;
        int order = ctn_json_number_compare(v, bounds[i].bound);
        if (order == bounds[i].order || (bounds[i].is_exclusive && order == 0))
            return REFUSE(f, to, "expected %s %.*s, got %.*s", bounds[i].words,
                          CTN_STR_ARG(ctn_schema_show(r->scratch, bounds[i].bound)),
                          CTN_STR_ARG(ctn_schema_show(r->scratch, v)));
    }
    bool is_multiple = true;
    if (n->multiple_of && (!spend(r, v->count) || ctn_schema_is_multiple(v, n->multiple_of, &is_multiple)))
        return limit(to, "more digits than are looked at");
    if (!is_multiple)
        return REFUSE(f, to, "expected a multiple of %.*s, got %.*s",
                      CTN_STR_ARG(ctn_schema_show(r->scratch, n->multiple_of)),
                      CTN_STR_ARG(ctn_schema_show(r->scratch, v)));
    return CTN_OK;
}

LEAF static int check_string(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to)
{
    ctn_str text = ctn_json_text(v);
    if (n->length_min > 0 || n->length_max < UINT64_MAX) {
        size_t length = ctn_str_code_points(text);
        if (length < n->length_min)
            return REFUSE(f, to, "expected at least %llu characters, got %zu", (unsigned long long) n->length_min,
                          length);
        if (length > n->length_max)
            return REFUSE(f, to, "expected at most %llu characters, got %zu", (unsigned long long) n->length_max,
                          length);
    }
    if (!n->pattern)
        return CTN_OK;
    bool matches = false;
    if (search(r, n->pattern, text, &matches))
        return limit(to, "too long: its pattern does");
    if (!matches)
        return REFUSE(f, to, "expected text that matches %.*s, got %.*s",
                      CTN_STR_ARG(ctn_schema_quote(r->scratch, n->pattern_text)),
                      CTN_STR_ARG(ctn_schema_show(r->scratch, v)));
    return CTN_OK;
}

/* ---- marks ---- */

/* Marks for a branch that may fail; NULL when nobody asks. */
static char *branch_marks(run *r, const ctn_json *v, const char *marks)
{
    return marks ? ctn_arena_calloc(r->scratch, ctn_json_count(v) + 1, 1) : NULL;
}

static void merge_marks(const ctn_json *v, char *marks, const char *branch)
{
    for (size_t i = 0; marks && branch && i < ctn_json_count(v); i++)
        marks[i] = (char) (marks[i] | branch[i]);
}

/* ---- arrays ---- */

static int check_item(run *r, const ctn_schema_node *n, const ctn_json *v, size_t i, const frame *f, report *to)
{
    frame step = {
        .outer = f, .resource = f->resource, .index = (int64_t) i, .depth = f->depth + 1, .deep = f->deep + 1};
    return check(r, n, ctn_json_at(v, i), &step, to, NULL);
}

typedef struct digested {
    ctn_digest digest;
    size_t index;
} digested;

static int compare_digests(const void *a, const void *b)
{
    return memcmp(((const digested *) a)->digest.bytes, ((const digested *) b)->digest.bytes, CTN_DIGEST_BYTES);
}

/* Equal values have equal canonical bytes, so sorting digests finds what comparing all pairs would. */
static int find_equal_by_digest(run *r, const ctn_json *v, size_t *ret_first, size_t *ret_second)
{
    size_t count = ctn_json_count(v);
    digested *items = CTN_NEW_ARRAY(r->scratch, digested, count);
    ctn_buf bytes;
    ctn_buf_init(&bytes, CANONICAL_MAX);
    int rc = CTN_OK;
    for (size_t i = 0; i < count && rc == CTN_OK; i++) {
        ctn_buf_clear(&bytes);
        ctn_json_write_canonical(&bytes, ctn_json_at(v, i));
        items[i] = (digested){ctn_hash(ctn_buf_str(&bytes)), i};
        if (bytes.overflowed || !spend(r, 4 + bytes.len / 64))
            rc = CTN_E_LIMIT;
    }
    ctn_buf_done(&bytes);
    if (rc)
        return rc;
    qsort(items, count, sizeof *items, compare_digests);
    for (size_t i = 1; i < count; i++)
        if (compare_digests(&items[i - 1], &items[i]) == 0) {
            bool in_order = items[i - 1].index < items[i].index;
            *ret_first = items[in_order ? i - 1 : i].index;
            *ret_second = items[in_order ? i : i - 1].index;
            break;
        }
    return CTN_OK;
}

LEAF static int check_unique(run *r, const ctn_json *v, const frame *f, report *to)
{
    size_t count = ctn_json_count(v), first = SIZE_MAX, second = 0;
    if (count > PAIRWISE_MAX) {
        if (find_equal_by_digest(r, v, &first, &second))
            return limit(to, "too long");
    } else {
        for (size_t i = 0; i < count && first == SIZE_MAX; i++)
            for (size_t k = i + 1; k < count && first == SIZE_MAX; k++)
                if (ctn_json_equal(ctn_json_at(v, i), ctn_json_at(v, k))) {
                    first = i;
                    second = k;
                }
    }
    if (first != SIZE_MAX)
        return REFUSE(f, to, "items must differ, and items %zu and %zu are equal", first, second);
    return CTN_OK;
}

static int check_contains(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    uint64_t fitting = 0;
    for (size_t i = 0; i < ctn_json_count(v); i++) {
        int rc = check_item(r, n->contains, v, i, f, NULL);
        if (rc == CTN_E_LIMIT)
            return limit(to, "too long");
        if (rc)
            continue;
        fitting++;
        if (marks)
            marks[i] = 1;
    }
    if (fitting < n->contains_min)
        return REFUSE(f, to, "expected at least %llu items of the kind that it must contain, got %llu",
                      (unsigned long long) n->contains_min, (unsigned long long) fitting);
    if (fitting > n->contains_max)
        return REFUSE(f, to, "expected at most %llu items of the kind that it must contain, got %llu",
                      (unsigned long long) n->contains_max, (unsigned long long) fitting);
    return CTN_OK;
}

static int check_array(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    size_t count = ctn_json_count(v);
    if (count < n->items_min)
        return REFUSE(f, to, "expected at least %llu items, got %zu", (unsigned long long) n->items_min, count);
    if (count > n->items_max)
        return REFUSE(f, to, "expected at most %llu items, got %zu", (unsigned long long) n->items_max, count);
    int rc = n->unique_items ? check_unique(r, v, f, to) : CTN_OK;
    for (size_t i = 0; i < count && rc == CTN_OK; i++) {
        const ctn_schema_node *item = i < n->prefix_items.count ? n->prefix_items.nodes[i] : n->items;
        if (!item)
            break;
        rc = check_item(r, item, v, i, f, to);
        if (marks)
            marks[i] = 1;
    }
    if (rc == CTN_OK && n->contains)
        rc = check_contains(r, n, v, f, to, marks);
    return rc;
}

/* ---- objects ---- */

static ctn_str name_of(const ctn_json *v, size_t i)
{
    return ctn_json_text(&v->members[i].key);
}

static int check_member(run *r, const ctn_schema_node *n, const ctn_json *v, size_t i, const frame *f, report *to)
{
    frame step = {.outer = f,
                  .resource = f->resource,
                  .name = name_of(v, i),
                  .index = -1,
                  .depth = f->depth + 1,
                  .deep = f->deep + 1};
    if (!step.name.ptr)
        step.name.ptr = "";
    return check(r, n, &v->members[i].value, &step, to, NULL);
}

static int compare_to_name(const void *name, const void *item)
{
    return ctn_str_compare(*(const ctn_str *) name, ((const ctn_schema_named *) item)->name);
}
static const ctn_schema_node *find_named(const ctn_schema_table *table, ctn_str name)
{
    if (table->count == 0)
        return NULL;
    const ctn_schema_named *found = bsearch(&name, table->items, table->count, sizeof *table->items, compare_to_name);
    return found ? found->node : NULL;
}

static int compare_to_string(const void *a, const void *b)
{
    return ctn_str_compare(*(const ctn_str *) a, *(const ctn_str *) b);
}

LEAF static int refuse_missing(run *r, ctn_str name, const char *because, const ctn_json *v, const frame *f, report *to)
{
    if (!to)
        return CTN_E_INVALID;
    ctn_str present[50];
    size_t count = 0;
    for (size_t i = 0; i < ctn_json_count(v) && count < 50; i++)
        present[count++] = name_of(v, i);
    ctn_str nearest = ctn_str_nearest(name, present, count);
    int rc = REFUSE(f, to, "the member %.*s is missing%s%s%.*s", CTN_STR_ARG(ctn_schema_quote(r->scratch, name)),
                    because, nearest.len ? "; there is " : "",
                    CTN_STR_ARG(nearest.len ? ctn_schema_quote(r->scratch, nearest) : nearest));
    ctn_schema_point_into(to, name);
    return rc;
}

/* Names are distinct on both sides: as many hits as names means that all are there. */
static int check_names(run *r, const ctn_schema_names *needs, const char *because, const ctn_json *v, const frame *f,
                       report *to)
{
    size_t hits = 0;
    for (size_t i = 0; i < ctn_json_count(v) && hits < needs->count; i++) {
        ctn_str name = name_of(v, i);
        hits += bsearch(&name, needs->names, needs->count, sizeof *needs->names, compare_to_string) != NULL;
    }
    if (hits == needs->count)
        return CTN_OK;
    for (size_t i = 0; i < needs->count; i++)
        if (!spend(r, ctn_json_count(v) / 8))
            return limit(to, "too long");
        else if (!ctn_json_get(v, needs->names[i]))
            return refuse_missing(r, needs->names[i], because, v, f, to);
    return CTN_OK;
}

LEAF static int refuse_member(run *r, const ctn_schema_node *n, ctn_str name, const frame *f, report *to)
{
    if (!to)
        return CTN_E_INVALID;
    ctn_str known[200];
    size_t count = 0;
    for (size_t i = 0; i < n->properties.count && count < 200; i++)
        known[count++] = n->properties.items[i].name;
    ctn_str hint = ctn_schema_suggest(r->scratch, name, known, count);
    int rc = REFUSE(f, to, "the member %.*s is not allowed%.*s", CTN_STR_ARG(ctn_schema_quote(r->scratch, name)),
                    CTN_STR_ARG(hint));
    ctn_schema_point_into(to, name);
    return rc;
}

LEAF static int check_name(run *r, const ctn_schema_node *n, const ctn_json *v, size_t i, const frame *f, report *to)
{
    ctn_err said = {0};
    report aside = {.err = &said};
    int rc = check(r, n->property_names, &v->members[i].key, f, to ? &aside : NULL, NULL);
    if (rc == CTN_E_INVALID) {
        const char *colon = strstr(said.message, ": ");
        return REFUSE(f, to, "the name %.*s does not fit: %s", CTN_STR_ARG(ctn_schema_quote(r->scratch, name_of(v, i))),
                      colon ? colon + 2 : said.message);
    }
    return rc == CTN_OK ? CTN_OK : limit(to, "too long");
}

static int check_members(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    bool looks_at_members = n->properties.count > 0 || n->pattern_property_count > 0 || n->additional_properties;
    int rc = CTN_OK;
    for (size_t i = 0; looks_at_members && i < ctn_json_count(v) && rc == CTN_OK; i++) {
        ctn_str name = name_of(v, i);
        const ctn_schema_node *named = find_named(&n->properties, name);
        bool is_known = named != NULL;
        if (named)
            rc = check_member(r, named, v, i, f, to);
        for (size_t k = 0; k < n->pattern_property_count && rc == CTN_OK; k++) {
            bool matches = false;
            if (search(r, n->pattern_properties[k].regex, name, &matches))
                return limit(to, "too long: a pattern does");
            is_known |= matches;
            if (matches)
                rc = check_member(r, n->pattern_properties[k].node, v, i, f, to);
        }
        if (!is_known && n->additional_properties && n->additional_properties->never)
            return refuse_member(r, n, name, f, to);
        if (!is_known && n->additional_properties && rc == CTN_OK)
            rc = check_member(r, n->additional_properties, v, i, f, to);
        if (marks && (is_known || n->additional_properties))
            marks[i] = 1;
    }
    return rc;
}

static int check_object(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    size_t count = ctn_json_count(v);
    if (count < n->members_min)
        return REFUSE(f, to, "expected at least %llu members, got %zu", (unsigned long long) n->members_min, count);
    if (count > n->members_max)
        return REFUSE(f, to, "expected at most %llu members, got %zu", (unsigned long long) n->members_max, count);
    int rc = check_names(r, &n->required, "", v, f, to);
    for (size_t i = 0; i < n->dependent_required_count && rc == CTN_OK; i++) {
        const ctn_schema_dependency *d = &n->dependent_required[i];
        if (!spend(r, 1 + count / 8))
            return limit(to, "too long");
        if (!ctn_json_get(v, d->name))
            continue;
        ctn_str because =
            to ? ctn_arena_printf(r->scratch, " beside %.*s", CTN_STR_ARG(ctn_schema_quote(r->scratch, d->name)))
               : CTN_STR("");
        rc = check_names(r, &d->needs, because.ptr, v, f, to);
    }
    for (size_t i = 0; n->property_names && i < count && rc == CTN_OK; i++)
        rc = check_name(r, n, v, i, f, to);
    if (rc == CTN_OK)
        rc = check_members(r, n, v, f, to, marks);
    for (size_t i = 0; i < n->dependent_schemas.count && rc == CTN_OK; i++)
        if (!spend(r, 1 + count / 8))
            rc = limit(to, "too long");
        else if (ctn_json_get(v, n->dependent_schemas.items[i].name))
            rc = check(r, n->dependent_schemas.items[i].node, v, f, to, marks);
    return rc;
}

/* ---- schemas about the same value ---- */

/* The outermost resource on the way here that has the anchor, else where the reference leads by itself. */
static const ctn_schema_node *follow_dynamic(const ctn_schema_node *n, const frame *f)
{
    const ctn_schema_node *found = n->dynamic_reference;
    if (!n->dynamic_name.ptr)
        return found;
    const ctn_schema_resource *last = NULL;
    for (; f; f = f->outer) {
        if (f->resource == last || !f->resource)
            continue;
        last = f->resource;
        for (size_t i = 0; i < last->dynamic_count; i++)
            if (ctn_str_equal(last->dynamic_anchors[i].name, n->dynamic_name))
                found = last->dynamic_anchors[i].node;
    }
    return found;
}

/* All have failed: the one that got furthest into the value knows best what is wrong. */
LEAF static int refuse_alternatives(run *r, const ctn_schema_list *list, const char *keyword, const ctn_json *v,
                                    const frame *f, report *to)
{
    if (!to)
        return CTN_E_INVALID;
    ctn_err best = {0}, said = {0};
    uint32_t best_deep = 0;
    char pointer[CTN_SCHEMA_POINTER_BYTES] = "";
    for (size_t i = 0; i < list->count; i++) {
        report aside = {.err = &said};
        if (check(r, list->nodes[i], v, f, &aside, NULL) == CTN_E_LIMIT)
            return limit(to, "too long");
        if (i == 0 || aside.deep > best_deep) {
            best = said;
            best_deep = aside.deep;
            (void) snprintf(pointer, sizeof pointer, "%s", aside.pointer);
        }
    }
    if (list->count == 1 || best_deep > f->deep) {
        to->deep = best_deep;
        (void) snprintf(to->pointer, sizeof to->pointer, "%s", pointer);
        return ctn_fail(to->err, CTN_E_INVALID, "%s", best.message);
    }
    const char *colon = strstr(best.message, ": ");
    return REFUSE(f, to, "fits none of %zu alternatives (%s), of which the first says: %s", list->count, keyword,
                  colon ? colon + 2 : best.message);
}

static int check_any_of(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    bool fits = false;
    for (size_t i = 0; i < n->any_of.count && (!fits || marks); i++) {
        char *branch = branch_marks(r, v, marks);
        int rc = check(r, n->any_of.nodes[i], v, f, NULL, branch);
        if (rc == CTN_E_LIMIT)
            return limit(to, "too long");
        if (rc == CTN_OK) {
            fits = true;
            merge_marks(v, marks, branch);
        }
    }
    return fits ? CTN_OK : refuse_alternatives(r, &n->any_of, "anyOf", v, f, to);
}

static int check_one_of(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    size_t fitting = 0, first = 0;
    char *kept = NULL;
    for (size_t i = 0; i < n->one_of.count; i++) {
        char *branch = branch_marks(r, v, marks);
        int rc = check(r, n->one_of.nodes[i], v, f, NULL, branch);
        if (rc == CTN_E_LIMIT)
            return limit(to, "too long");
        if (rc)
            continue;
        if (fitting++ > 0)
            return REFUSE(f, to, "fits alternatives %zu and %zu of oneOf, and may fit only one", first + 1, i + 1);
        first = i;
        kept = branch;
    }
    merge_marks(v, marks, kept);
    return fitting ? CTN_OK : refuse_alternatives(r, &n->one_of, "oneOf", v, f, to);
}

static int check_if(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    char *branch = branch_marks(r, v, marks);
    int rc = check(r, n->if_, v, f, NULL, branch);
    if (rc == CTN_E_LIMIT)
        return limit(to, "too long");
    if (rc == CTN_OK)
        merge_marks(v, marks, branch);
    const ctn_schema_node *next = rc == CTN_OK ? n->then_ : n->else_;
    return next ? check(r, next, v, f, to, marks) : CTN_OK;
}

static int check_same_value(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to,
                            char *marks)
{
    int rc = n->reference ? check(r, n->reference, v, f, to, marks) : CTN_OK;
    if (rc == CTN_OK && n->dynamic_reference)
        rc = check(r, follow_dynamic(n, f), v, f, to, marks);
    for (size_t i = 0; i < n->all_of.count && rc == CTN_OK; i++)
        rc = check(r, n->all_of.nodes[i], v, f, to, marks);
    if (rc == CTN_OK && n->any_of.count > 0)
        rc = check_any_of(r, n, v, f, to, marks);
    if (rc == CTN_OK && n->one_of.count > 0)
        rc = check_one_of(r, n, v, f, to, marks);
    if (rc == CTN_OK && n->not_) {
        int inner = check(r, n->not_, v, f, NULL, NULL);
        if (inner == CTN_E_LIMIT)
            return limit(to, "too long");
        if (inner == CTN_OK)
            rc = REFUSE(f, to, "fits what must not be (not): %.*s", CTN_STR_ARG(ctn_schema_show(r->scratch, v)));
    }
    if (rc == CTN_OK && n->if_)
        rc = check_if(r, n, v, f, to, marks);
    return rc;
}

static int check_unevaluated(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to,
                             char *marks)
{
    bool is_array = ctn_json_is(v, CTN_JSON_ARRAY);
    const ctn_schema_node *rest = is_array ? n->unevaluated_items : n->unevaluated_properties;
    assert(rest);
    int rc = CTN_OK;
    for (size_t i = 0; i < ctn_json_count(v) && rc == CTN_OK; i++) {
        if (marks[i])
            continue;
        if (rest->never && !is_array)
            return refuse_member(r, n, name_of(v, i), f, to);
        rc = is_array ? check_item(r, rest, v, i, f, to) : check_member(r, rest, v, i, f, to);
        marks[i] = 1;
    }
    return rc;
}

/* ---- a node ---- */

static int check_keywords(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *f, report *to, char *marks)
{
    if (n->never)
        return REFUSE(f, to, "no value is allowed here");
    uint32_t kind = 1u << ctn_json_kind_of(v);
    if (n->types && !(n->types & kind) && !((n->types & CTN_SCHEMA_INTEGER) && ctn_schema_is_integer(v)))
        return refuse_type(r, n, v, f, to);
    if (n->constant && !spend(r, n->value_work))
        return limit(to, "too long");
    if (n->constant && !ctn_json_equal(n->constant, v))
        return REFUSE(f, to, "expected %.*s, got %.*s", CTN_STR_ARG(ctn_schema_show(r->scratch, n->constant)),
                      CTN_STR_ARG(ctn_schema_show(r->scratch, v)));
    int rc = n->enumeration ? check_enum(r, n, v, f, to) : CTN_OK;
    if (rc)
        return rc;
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NUMBER: rc = check_number(r, n, v, f, to); break;
    case CTN_JSON_STRING: rc = check_string(r, n, v, f, to); break;
    case CTN_JSON_ARRAY: rc = check_array(r, n, v, f, to, marks); break;
    case CTN_JSON_OBJECT: rc = check_object(r, n, v, f, to, marks); break;
    default: break;
    }
    return rc ? rc : check_same_value(r, n, v, f, to, marks);
}

static int check(run *r, const ctn_schema_node *n, const ctn_json *v, const frame *outer, report *to, char *marks)
{
    if (outer && outer->depth >= CTN_SCHEMA_FRAMES_MAX)
        return limit(to, "more levels than are followed");
    bool asks = (n->unevaluated_items && ctn_json_is(v, CTN_JSON_ARRAY)) ||
                (n->unevaluated_properties && ctn_json_is(v, CTN_JSON_OBJECT));
    size_t size = v->kind >= CTN_JSON_NUMBER ? v->count : 0; /* of what is looked at here: text, or the names */
    if (!spend(r, 1 + size / 16))
        return limit(to, "too long");
    frame f = {.outer = outer,
               .resource = n->resource,
               .index = -1,
               .depth = outer ? outer->depth + 1 : 0,
               .deep = outer ? outer->deep : 0};
    ctn_arena_mark mark = ctn_arena_save(r->scratch);
    char *own = asks ? ctn_arena_calloc(r->scratch, ctn_json_count(v) + 1, 1) : marks;
    int rc = check_keywords(r, n, v, &f, to, own);
    if (rc == CTN_OK && asks) {
        rc = check_unevaluated(r, n, v, &f, to, own);
        merge_marks(v, marks, own);
    }
    ctn_arena_restore(r->scratch, mark);
    return rc;
}

int ctn_schema_validate_at(const ctn_schema *schema, const ctn_json *value, ctn_arena *scratch,
                           char ret_pointer[CTN_SCHEMA_POINTER_BYTES], ctn_err *err)
{
    run r = {.scratch = scratch, .work_left = WORK_MAX};
    ctn_err ignored;
    report to; /* its pointer is written when there is something to tell */
    to.err = err ? err : &ignored;
    to.deep = 0;
    to.pointer[0] = '\0';
    int rc = check(&r, schema->root, value ? value : &ctn_json_null, NULL, &to, NULL);
    if (rc)
        (void) snprintf(ret_pointer, CTN_SCHEMA_POINTER_BYTES, "%s", to.pointer);
    return rc;
}

int ctn_schema_validate(const ctn_schema *schema, const ctn_json *value, ctn_arena *scratch, ctn_err *err)
{
    char pointer[CTN_SCHEMA_POINTER_BYTES];
    return ctn_schema_validate_at(schema, value, scratch, pointer, err);
}
