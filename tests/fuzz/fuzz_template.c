/*
 * Template text from anyone, against a fixed scope: what compiles renders to a value within the bound or to a
 * named failure, and what a value contains stays as it is.
 */
#include <stdint.h>
#include <stdlib.h>

#include "value/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 65536

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char scope_json[] =
    "{\"a\": \"{a} {{b}} \\u00dc\", \"n\": -1234567.895, \"t\": true, \"z\": null, \"huge\": 1e999999999,"
    "\"l\": [3, 1, \"x\", null, {\"k\": 3}], \"o\": {\"k\": {\"k\": [1]}, \"odd name\": 0}, \"d\": "
    "\"2026-02-28T23:30:00+02:00\"}";

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    return ctn_json_get(ctx, name);
}

static size_t list_names(void *ctx, ctn_str *ret_names, size_t max)
{
    (void) ctx;
    ret_names[0] = CTN_STR("a");
    return max ? 1 : 0;
}

static void check_template(ctn_arena *arena, ctn_str text, const ctn_scope *scope)
{
    ctn_template *t = NULL;
    ctn_err err = {0};
    int rc = ctn_template_compile(arena, text, &t, &err);
    must(rc ? rc == CTN_E_INVALID && !t && err.message[0] && err.column >= 1 && err.column <= text.len + 1 : t != NULL);
    if (rc)
        return;
    const ctn_json *value = NULL;
    ctn_failure failure = ctn_template_render(t, scope, arena, BYTES_MAX, &value, &err);
    must(failure ? !value && err.message[0] : value && ctn_json_bytes(value) <= 6 * BYTES_MAX + 2);
    ctn_reads reads = {0};
    ctn_template_reads(t, arena, &reads);
    for (size_t i = 0; i < reads.count; i++)
        must(ctn_str_starts_with(ctn_str_from_offset(text, reads.items[i].offset), reads.items[i].path));
    if (!reads.count && !failure)
        must(ctn_json_text(value).len <= text.len);
}

/* Text around a placeholder changes nothing of what it inserts. */
static void check_insertion(ctn_arena *arena, ctn_str text, const ctn_scope *scope)
{
    if (ctn_str_find(text, CTN_STR("{")) != SIZE_MAX || ctn_str_find(text, CTN_STR("}")) != SIZE_MAX)
        return;
    ctn_str around = ctn_arena_printf(arena, "%.*s{a}%.*s", CTN_STR_ARG(text), CTN_STR_ARG(text));
    ctn_template *t = NULL;
    const ctn_json *value = NULL;
    must(ctn_template_compile(arena, around, &t, NULL) == CTN_OK);
    if (ctn_template_render(t, scope, arena, BYTES_MAX, &value, NULL) != CTN_FAILURE_NONE)
        return;
    ctn_str a = ctn_json_text(scope->lookup(scope->ctx, CTN_STR("a")));
    must(ctn_json_text(value).len == 2 * text.len + a.len);
    must(memcmp(ctn_json_text(value).ptr + text.len, a.ptr, a.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str text = {(const char *) data, size};
    const ctn_json *root = NULL, *source = NULL, *value = NULL, *bad_node = NULL;
    must(ctn_json_parse(arena, ctn_str_from(scope_json), NULL, &root, NULL) == CTN_OK);
    ctn_scope scope = {.lookup = look_up, .ctx = (void *) root, .names = list_names, .now_ms = 1795341600000};
    check_template(arena, text, &scope);
    if (memchr(data, 0, size) == NULL)
        check_insertion(arena, text, &scope);
    if (ctn_json_parse(arena, text, NULL, &source, NULL) == CTN_OK) {
        ctn_tree *tree = NULL;
        ctn_err err = {0};
        if (ctn_tree_compile(arena, source, &tree, &bad_node, &err))
            must(bad_node != NULL && ctn_json_is(bad_node, CTN_JSON_STRING));
        else if (ctn_tree_render(tree, &scope, arena, BYTES_MAX, &value, &err) == CTN_FAILURE_NONE)
            must(value != NULL);
    }
    ctn_arena_free(arena);
    return 0;
}
