/*
 * schema_compile.c -- keywords to fields. A keyword of the wrong shape is refused at its place; a member that is
 * no keyword is an annotation and means nothing here, as the specification wants it.
 */
#include "value/schema_internal.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>

static const ctn_json *keyword(const ctn_schema_node *n, const char *name)
{
    return ctn_json_member_of(n->source, name);
}

/* ---- subschemas: all entered by the scan, so looking them up cannot fail ---- */

static ctn_schema_node *subschema(ctn_schema_compiler *c, const ctn_schema_node *n, const ctn_json *source)
{
    ctn_schema_node *node = NULL;
    int rc = ctn_schema_enter(c, source, n->resource, 0, &node);
    assert(rc == CTN_OK);
    return node;
}

static ctn_schema_node *one(ctn_schema_compiler *c, const ctn_schema_node *n, const char *name)
{
    const ctn_json *source = keyword(n, name);
    return source ? subschema(c, n, source) : NULL;
}

static ctn_schema_list list(ctn_schema_compiler *c, const ctn_schema_node *n, const char *name)
{
    const ctn_json *source = keyword(n, name);
    ctn_schema_list result = {.count = ctn_json_count(source)};
    if (result.count > 0)
        result.nodes = CTN_NEW_ARRAY(c->arena, ctn_schema_node *, result.count);
    for (size_t i = 0; i < result.count; i++)
        result.nodes[i] = subschema(c, n, ctn_json_at(source, i));
    return result;
}

static int compare_named(const void *a, const void *b)
{
    return ctn_str_compare(((const ctn_schema_named *) a)->name, ((const ctn_schema_named *) b)->name);
}

static ctn_schema_table table(ctn_schema_compiler *c, const ctn_schema_node *n, const char *name)
{
    const ctn_json *source = keyword(n, name);
    ctn_schema_table result = {.count = ctn_json_count(source)};
    if (result.count == 0)
        return result;
    result.items = CTN_NEW_ARRAY(c->arena, ctn_schema_named, result.count);
    for (size_t i = 0; i < result.count; i++)
        result.items[i] =
            (ctn_schema_named){ctn_json_text(&source->members[i].key), subschema(c, n, &source->members[i].value)};
    qsort(result.items, result.count, sizeof *result.items, compare_named);
    return result;
}

/* ---- patterns ---- */

static int compile_pattern(ctn_schema_compiler *c, const ctn_json *at, const ctn_regex **ret_regex)
{
    ctn_schema *s = c->schema;
    if (s->regex_count == CTN_SCHEMA_REGEXES_MAX)
        return ctn_schema_refuse(c, CTN_E_LIMIT, at, "more than %d patterns", CTN_SCHEMA_REGEXES_MAX);
    s->regexes = ctn_array_room(s->regexes, s->regex_count, &c->regex_capacity, sizeof *s->regexes);
    int rc = ctn_regex_compile(ctn_json_text(at), &s->regexes[s->regex_count], c->err);
    if (rc) {
        c->bad_node = at;
        return rc;
    }
    *ret_regex = s->regexes[s->regex_count++];
    return CTN_OK;
}

static int compile_patterns(ctn_schema_compiler *c, ctn_schema_node *n)
{
    const ctn_json *pattern = keyword(n, "pattern"), *by_name = keyword(n, "patternProperties");
    int rc = CTN_OK;
    if (pattern && !ctn_json_is(pattern, CTN_JSON_STRING))
        return ctn_schema_refuse(c, CTN_E_INVALID, pattern, "pattern must be a regular expression, got %s",
                                 ctn_json_kind_name(pattern));
    if (pattern) {
        rc = compile_pattern(c, pattern, &n->pattern);
        n->pattern_text = ctn_json_text(pattern);
    }
    size_t count = ctn_json_count(by_name);
    if (count > 0)
        n->pattern_properties = CTN_NEW_ARRAY(c->arena, ctn_schema_matched, count);
    for (size_t i = 0; i < count && rc == CTN_OK; i++) {
        ctn_schema_matched *entry = &n->pattern_properties[n->pattern_property_count++];
        entry->node = subschema(c, n, &by_name->members[i].value);
        rc = compile_pattern(c, &by_name->members[i].key, &entry->regex);
    }
    return rc;
}

/* ---- types and values ---- */

static uint32_t type_bit(ctn_str name)
{
    return ctn_str_is(name, "string")    ? 1u << CTN_JSON_STRING
           : ctn_str_is(name, "number")  ? 1u << CTN_JSON_NUMBER
           : ctn_str_is(name, "integer") ? (uint32_t) CTN_SCHEMA_INTEGER
           : ctn_str_is(name, "object")  ? 1u << CTN_JSON_OBJECT
           : ctn_str_is(name, "array")   ? 1u << CTN_JSON_ARRAY
           : ctn_str_is(name, "null")    ? 1u << CTN_JSON_NULL
           : ctn_str_is(name, "boolean") ? 1u << CTN_JSON_TRUE | 1u << CTN_JSON_FALSE
                                         : 0;
}

static int add_type(ctn_schema_compiler *c, ctn_schema_node *n, const ctn_json *name)
{
    uint32_t bit = ctn_json_is(name, CTN_JSON_STRING) ? type_bit(ctn_json_text(name)) : 0;
    if (bit == 0) {
        static const char *const NAMES[] = {"string", "number", "integer", "object", "array", "null", "boolean"};
        ctn_str names[7];
        for (size_t i = 0; i < 7; i++)
            names[i] = ctn_str_from(NAMES[i]);
        ctn_str nearest = ctn_str_nearest(ctn_json_text(name), names, 7);
        return ctn_schema_refuse(c, CTN_E_INVALID, name, "\"%.*s\" is no type%s%.*s%s",
                                 (int) (ctn_json_text(name).len < 40 ? ctn_json_text(name).len : 40),
                                 ctn_json_text(name).len ? ctn_json_text(name).ptr : "",
                                 nearest.len ? "; did you mean \"" : "", CTN_STR_ARG(nearest),
                                 nearest.len ? "\"?" : "");
    }
    n->types |= bit;
    return CTN_OK;
}

static int compile_values(ctn_schema_compiler *c, ctn_schema_node *n)
{
    const ctn_json *type = keyword(n, "type");
    int rc = CTN_OK;
    if (ctn_json_is(type, CTN_JSON_ARRAY)) {
        for (size_t i = 0; i < type->count && rc == CTN_OK; i++)
            rc = add_type(c, n, ctn_json_at(type, i));
        if (type->count == 0)
            rc = ctn_schema_refuse(c, CTN_E_INVALID, type, "type must name at least one type");
    } else if (type) {
        rc = add_type(c, n, type);
    }
    n->constant = keyword(n, "const");
    n->enumeration = keyword(n, "enum");
    if (rc == CTN_OK && n->enumeration && !ctn_json_is(n->enumeration, CTN_JSON_ARRAY))
        rc = ctn_schema_refuse(c, CTN_E_INVALID, n->enumeration, "enum must be a list of values, got %s",
                               ctn_json_kind_name(n->enumeration));
    if (n->constant || n->enumeration)
        n->value_work = 1 + ((n->constant ? ctn_json_bytes(n->constant) : 0) +
                             (n->enumeration ? ctn_json_bytes(n->enumeration) : 0)) /
                                32;
    return rc;
}

/* ---- numbers and counts ---- */

static int read_number(ctn_schema_compiler *c, const ctn_schema_node *n, const char *name, const ctn_json **ret_number)
{
    *ret_number = keyword(n, name);
    if (!*ret_number || ctn_json_is(*ret_number, CTN_JSON_NUMBER))
        return CTN_OK;
    return ctn_schema_refuse(c, CTN_E_INVALID, *ret_number, "%s must be a number, got %s", name,
                             ctn_json_kind_name(*ret_number));
}

static int read_count(ctn_schema_compiler *c, const ctn_schema_node *n, const char *name, uint64_t absent,
                      uint64_t *ret_count)
{
    *ret_count = absent;
    const ctn_json *value = keyword(n, name);
    if (!value)
        return CTN_OK;
    ctn_json zero = {.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"};
    if (!ctn_schema_is_integer(value) || ctn_json_number_compare(value, &zero) < 0)
        return ctn_schema_refuse(c, CTN_E_INVALID, value, "%s must be a whole number, 0 or more", name);
    int64_t count = INT64_MAX; /* larger than that is larger than anything that can be counted */
    (void) ctn_json_to_int64(value, &count);
    *ret_count = (uint64_t) count;
    return CTN_OK;
}

static int compile_numbers(ctn_schema_compiler *c, ctn_schema_node *n)
{
    const struct {
        const char *name;
        const ctn_json **field;
    } numbers[] = {{"minimum", &n->minimum},
                   {"maximum", &n->maximum},
                   {"exclusiveMinimum", &n->minimum_exclusive},
                   {"exclusiveMaximum", &n->maximum_exclusive},
                   {"multipleOf", &n->multiple_of}};
    const struct {
        const char *name;
        uint64_t absent;
        uint64_t *field;
    } counts[] = {{"minLength", 0, &n->length_min},      {"maxLength", UINT64_MAX, &n->length_max},
                  {"minItems", 0, &n->items_min},        {"maxItems", UINT64_MAX, &n->items_max},
                  {"minProperties", 0, &n->members_min}, {"maxProperties", UINT64_MAX, &n->members_max},
                  {"minContains", 1, &n->contains_min},  {"maxContains", UINT64_MAX, &n->contains_max}};
    int rc = CTN_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && rc == CTN_OK; i++)
        rc = read_number(c, n, numbers[i].name, numbers[i].field);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && rc == CTN_OK; i++)
        rc = read_count(c, n, counts[i].name, counts[i].absent, counts[i].field);
    ctn_json zero = {.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"};
    if (rc == CTN_OK && n->multiple_of && ctn_json_number_compare(n->multiple_of, &zero) <= 0)
        rc = ctn_schema_refuse(c, CTN_E_INVALID, n->multiple_of, "multipleOf must be more than 0");
    const ctn_json *unique = keyword(n, "uniqueItems");
    if (rc == CTN_OK && unique && !ctn_json_is_bool(unique))
        rc = ctn_schema_refuse(c, CTN_E_INVALID, unique, "uniqueItems must be true or false, got %s",
                               ctn_json_kind_name(unique));
    n->unique_items = ctn_json_is(unique, CTN_JSON_TRUE);
    return rc;
}

/* ---- names ---- */

static int compare_names(const void *a, const void *b)
{
    return ctn_str_compare(*(const ctn_str *) a, *(const ctn_str *) b);
}

static int read_names(ctn_schema_compiler *c, const ctn_json *source, const char *name, ctn_schema_names *ret_names)
{
    *ret_names = (ctn_schema_names){0};
    if (!source)
        return CTN_OK;
    bool is_fine = ctn_json_is(source, CTN_JSON_ARRAY);
    for (size_t i = 0; is_fine && i < source->count; i++)
        is_fine = ctn_json_is(ctn_json_at(source, i), CTN_JSON_STRING);
    if (!is_fine)
        return ctn_schema_refuse(c, CTN_E_INVALID, source, "%s must be a list of names", name);
    size_t count = source->count;
    ctn_str *names = CTN_NEW_ARRAY(c->arena, ctn_str, count);
    for (size_t i = 0; i < count; i++)
        names[i] = ctn_json_text(ctn_json_at(source, i));
    if (count > 0)
        qsort(names, count, sizeof *names, compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !ctn_str_equal(names[kept - 1], names[i]))
            names[kept++] = names[i];
    *ret_names = (ctn_schema_names){names, kept};
    return CTN_OK;
}

static int compile_names(ctn_schema_compiler *c, ctn_schema_node *n)
{
    int rc = read_names(c, keyword(n, "required"), "required", &n->required);
    const ctn_json *dependent = keyword(n, "dependentRequired");
    if (rc || !dependent)
        return rc;
    if (!ctn_json_is(dependent, CTN_JSON_OBJECT))
        return ctn_schema_refuse(c, CTN_E_INVALID, dependent, "dependentRequired must be an object of lists, got %s",
                                 ctn_json_kind_name(dependent));
    n->dependent_required = CTN_NEW_ARRAY(c->arena, ctn_schema_dependency, dependent->count);
    for (size_t i = 0; i < dependent->count && rc == CTN_OK; i++) {
        ctn_schema_dependency *entry = &n->dependent_required[n->dependent_required_count++];
        entry->name = ctn_json_text(&dependent->members[i].key);
        rc = read_names(c, &dependent->members[i].value, "dependentRequired", &entry->needs);
    }
    return rc;
}

/* ---- references ---- */

static int compile_references(ctn_schema_compiler *c, ctn_schema_node *n)
{
    static const char *const NAMES[] = {"$ref", "$dynamicRef"};
    for (size_t i = 0; i < 2; i++) {
        const ctn_json *reference = keyword(n, NAMES[i]);
        if (!reference)
            continue;
        if (!ctn_json_is(reference, CTN_JSON_STRING))
            return ctn_schema_refuse(c, CTN_E_INVALID, reference, "%s must be a URI, got %s", NAMES[i],
                                     ctn_json_kind_name(reference));
        ctn_str dynamic_name;
        int rc = ctn_schema_find(c, n, reference, i == 0 ? &n->reference : &n->dynamic_reference, &dynamic_name);
        if (rc)
            return rc;
        if (i == 1)
            n->dynamic_name = dynamic_name;
    }
    return CTN_OK;
}

static int compile_node(ctn_schema_compiler *c, ctn_schema_node *n)
{
    n->never = ctn_json_is(n->source, CTN_JSON_FALSE);
    int rc = compile_values(c, n);
    if (rc == CTN_OK)
        rc = compile_numbers(c, n);
    if (rc == CTN_OK)
        rc = compile_names(c, n);
    if (rc == CTN_OK)
        rc = compile_patterns(c, n);
    if (rc == CTN_OK)
        rc = compile_references(c, n);
    if (rc)
        return rc;
    n->all_of = list(c, n, "allOf");
    n->any_of = list(c, n, "anyOf");
    n->one_of = list(c, n, "oneOf");
    n->prefix_items = list(c, n, "prefixItems");
    n->not_ = one(c, n, "not");
    n->if_ = one(c, n, "if");
    n->then_ = n->if_ ? one(c, n, "then") : NULL;
    n->else_ = n->if_ ? one(c, n, "else") : NULL;
    n->properties = table(c, n, "properties");
    n->dependent_schemas = table(c, n, "dependentSchemas");
    n->additional_properties = one(c, n, "additionalProperties");
    n->property_names = one(c, n, "propertyNames");
    n->items = one(c, n, "items");
    n->contains = one(c, n, "contains");
    n->unevaluated_items = one(c, n, "unevaluatedItems");
    n->unevaluated_properties = one(c, n, "unevaluatedProperties");
    return CTN_OK;
}

/* ---- the public functions ---- */

static int unguarded_schema_compile(ctn_arena *arena, const ctn_json *source, ctn_schema **ret_schema,
                                    const ctn_json **ret_bad_node, ctn_err *err)
{
    ctn_schema *schema = CTN_NEW(arena, ctn_schema);
    ctn_schema_compiler c = {.arena = arena, .err = err, .schema = schema};
    int rc = ctn_schema_enter(&c, source, NULL, 0, &schema->root);
    /* References may enter more nodes while this goes on. */
    for (size_t i = 0; rc == CTN_OK && i < c.node_count; i++)
        rc = compile_node(&c, c.nodes[i]);
    if (rc) {
        if (ret_bad_node)
            *ret_bad_node = c.bad_node;
        ctn_schema_done(schema);
        return rc;
    }
    *ret_schema = schema;
    return CTN_OK;
}

typedef struct schema_compile_arguments {
    ctn_arena *arena;
    const ctn_json *source;
    ctn_schema **ret_schema;
    const ctn_json **ret_bad_node;
    ctn_err *err;
} schema_compile_arguments;

static int guarded_schema_compile(void *ctx)
{
    const schema_compile_arguments *a = ctx;
    return unguarded_schema_compile(a->arena, a->source, a->ret_schema, a->ret_bad_node, a->err);
}

int ctn_schema_compile(ctn_arena *arena, const ctn_json *source, ctn_schema **ret_schema, const ctn_json **ret_bad_node,
                       ctn_err *err)
{
    schema_compile_arguments a = {
        .arena = arena, .source = source, .ret_schema = ret_schema, .ret_bad_node = ret_bad_node, .err = err};
    return ctn_guarded(guarded_schema_compile, &a, err);
}

void ctn_schema_done(ctn_schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->regex_count; i++)
        ctn_regex_free(schema->regexes[i]);
    ctn_free(schema->regexes);
    schema->regexes = NULL;
    schema->regex_count = 0;
}
