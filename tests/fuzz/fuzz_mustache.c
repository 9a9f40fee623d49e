/*
 * Documents from anyone: the input is a template and, behind NUL bytes, the partials p, q and r. What compiles
 * renders within its bounds, twice to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "value/mustache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char scope_json[] = "{\"a\": \"{{b}} <&>\", \"n\": 19.90, \"t\": true, \"z\": null, \"l\": [1, {\"a\": 2, "
                                 "\"l\": [3]}, \"x\"], \"o\": {\"a\": {\"n\": 1}}, \"p\": \"q\"}";

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    return ctn_str_is(name, ".") ? ctx : ctn_json_get(ctx, name);
}

static ctn_str partial_of(void *ctx, ctn_str name)
{
    const ctn_str *partials = ctx;
    return name.len == 1 && name.ptr[0] >= 'p' && name.ptr[0] <= 'r' ? partials[name.ptr[0] - 'p'] : (ctn_str){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str rest = {(const char *) data, size}, partials[3];
    ctn_str text = ctn_str_cut(&rest, '\0');
    for (int i = 0; i < 3; i++)
        partials[i] = ctn_str_cut(&rest, '\0');
    const ctn_json *root = NULL;
    must(ctn_json_parse(arena, ctn_str_from(scope_json), NULL, &root, NULL) == CTN_OK);
    ctn_scope scope = {.lookup = look_up, .ctx = (void *) root};
    ctn_mustache_options options = {.partial = partial_of, .partial_ctx = partials, .always_escape = size % 2 == 1};
    ctn_mustache *m = NULL;
    ctn_err err = {0};
    int rc = ctn_mustache_compile(arena, text, &options, &m, &err);
    must(rc == CTN_OK ? m != NULL : !m && err.message[0]);
    if (rc == CTN_OK) {
        ctn_buf out[2];
        ctn_failure failure[2];
        for (int i = 0; i < 2; i++) {
            ctn_buf_init(&out[i], 20000);
            failure[i] = ctn_mustache_render(m, &scope, &out[i], &err);
            must(out[i].len <= 20000);
        }
        must(failure[0] == failure[1] && ctn_str_equal(ctn_buf_str(&out[0]), ctn_buf_str(&out[1])));
        ctn_reads reads = {0};
        ctn_mustache_reads(m, arena, &reads);
        ctn_buf_done(&out[0]);
        ctn_buf_done(&out[1]);
    }
    ctn_arena_free(arena);
    return 0;
}
