/*
 * Expressions from anyone, against a fixed scope: compile either fails with a place inside the text or gives
 * something that evaluates, twice to the same, to a value or a verdict or a named failure.
 */
#include <stdint.h>
#include <stdlib.h>

#include "value/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char scope_json[] = "{\"a\": \"text with (parens) and 2026-11-22\", \"n\": 19.90, \"big\": 1e6144, "
                                 "\"huge\": 1e999999999, \"t\": true, \"z\": null,"
                                 "\"l\": [1, 2.5, \"x\", null, {\"k\": 3}], \"o\": {\"k\": {\"k\": [1]}, \"odd name\": "
                                 "-0.0}, \"d\": \"2026-02-28T23:30:00+02:00\"}";

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    return ctn_json_get(ctx, name);
}

static ctn_str outcome(ctn_arena *arena, const ctn_expression *e, const ctn_scope *scope)
{
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    ctn_err err = {0};
    ctn_failure failure = ctn_expression_eval(e, scope, arena, &value, &verdict, &err);
    must(failure ? err.message[0] && !value : (value == NULL) == (verdict != CTN_VERDICT_NONE));
    must(!failure || failure == CTN_FAILURE_EXPRESSION_LIMIT || failure == CTN_FAILURE_DIVISION_BY_ZERO ||
         failure == CTN_FAILURE_INVALID_INPUT);
    return failure ? ctn_arena_printf(arena, "%s %s", ctn_failure_name(failure), err.message)
                   : ctn_arena_printf(arena, "%d %.*s", verdict, CTN_STR_ARG(ctn_json_to_str(arena, value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str text = {(const char *) data, size};
    const ctn_json *root = NULL;
    must(ctn_json_parse(arena, ctn_str_from(scope_json), NULL, &root, NULL) == CTN_OK);
    ctn_scope scope = {.lookup = look_up, .ctx = (void *) root, .now_ms = 1795341600000};
    ctn_expression *e = NULL;
    ctn_err err = {0};
    int rc = ctn_expression_compile(arena, text, &e, &err);
    if (rc) {
        must(rc == CTN_E_INVALID && !e && err.message[0] && err.column >= 1 && err.column <= size + 1);
    } else {
        must(ctn_str_equal(outcome(arena, e, &scope), outcome(arena, e, &scope)));
        ctn_reads reads = {0};
        ctn_expression_reads(e, arena, &reads);
        for (size_t i = 0; i < reads.count; i++)
            must(reads.items[i].offset < size &&
                 ctn_str_starts_with(ctn_str_from_offset(text, reads.items[i].offset), reads.items[i].path));
        (void) ctn_expression_is_literal(e);
    }
    ctn_arena_free(arena);
    return 0;
}
