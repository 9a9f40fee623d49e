/*
 * JSON from anyone: what parses must survive writing in each form, the canonical form must be a fixed point,
 * and nothing may read out of bounds, leak or hang.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const ctn_json *parse(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    ctn_err err = {0};
    int rc = ctn_json_parse(arena, text, NULL, &v, &err);
    must(rc == CTN_OK ? v != NULL : v == NULL && err.message[0] && (rc == CTN_E_LIMIT || err.line > 0));
    return v;
}

static void note_place(void *ctx, const ctn_json *value, size_t offset)
{
    const ctn_str *text = ctx;
    must(offset < text->len);
    must(value->kind != CTN_JSON_STRING || text->ptr[offset] == '"');
}

static void check(ctn_arena *arena, const ctn_json *v, ctn_str source)
{
    ctn_str compact = ctn_json_to_str(arena, v);
    const ctn_json *again = parse(arena, compact);
    must(again && ctn_json_equal(v, again) && ctn_json_bytes(again) == compact.len);
    must(ctn_json_equal(v, ctn_json_copy(arena, again)));
    ctn_buf pretty, canonical, twice;
    ctn_buf_init(&pretty, SIZE_MAX);
    ctn_buf_init(&canonical, SIZE_MAX);
    ctn_buf_init(&twice, SIZE_MAX);
    ctn_json_write_pretty(&pretty, v);
    must(ctn_json_equal(v, parse(arena, ctn_buf_str(&pretty))));
    ctn_json_write_canonical(&canonical, v);
    again = parse(arena, ctn_buf_str(&canonical));
    must(again && ctn_json_equal(v, again));
    ctn_json_write_canonical(&twice, again);
    must(ctn_str_equal(ctn_buf_str(&canonical), ctn_buf_str(&twice)));
    if (ctn_json_is(v, CTN_JSON_ARRAY) && v->count == 2 && ctn_json_is(&v->items[0], CTN_JSON_NUMBER) &&
        ctn_json_is(&v->items[1], CTN_JSON_NUMBER))
        must(ctn_json_number_compare(&v->items[0], &v->items[1]) ==
             -ctn_json_number_compare(&v->items[1], &v->items[0]));
    int64_t whole;
    if (ctn_json_to_int64(v, &whole))
        must(ctn_json_number_compare(v, ctn_json_int(arena, whole)) == 0);
    ctn_json_options options = {.on_place = note_place, .on_place_ctx = &source, .reject_duplicates = true};
    const ctn_json *strict;
    if (ctn_json_parse(arena, source, &options, &strict, NULL) == CTN_OK)
        must(ctn_json_equal(v, strict));
    ctn_buf_done(&pretty);
    ctn_buf_done(&canonical);
    ctn_buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str source = {(const char *) data, size};
    const ctn_json *v = parse(arena, source);
    if (v)
        check(arena, v, source);
    ctn_arena_free(arena);
    return 0;
}
