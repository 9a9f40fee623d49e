/* A schema, a NUL byte, a value: any bytes. No crash, no long run, and one verdict with and without a sentence. */
#include "value/schema.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const ctn_schema *schema, const ctn_json *value)
{
    ctn_arena *scratch = ctn_arena_new(1024);
    ctn_err err = {0};
    int rc = ctn_schema_validate(schema, value, scratch, &err);
    assert((rc == CTN_OK) == (err.message[0] == 0));
    assert(ctn_schema_validate(schema, value, scratch, NULL) == rc);
    ctn_arena_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    ctn_str schema_text = {(const char *) data, end ? (size_t) (end - data) : size};
    ctn_str value_text = ctn_str_from_offset((ctn_str){(const char *) data, size}, schema_text.len + 1);
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *source = NULL, *value = NULL, *bad_node = NULL;
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, schema_text, NULL, &source, NULL) == CTN_OK) {
        int rc = ctn_schema_compile(arena, source, &schema, &bad_node, &err);
        assert((rc == CTN_OK) == (schema != NULL));
        assert(rc == CTN_OK || (bad_node && err.message[0]));
        if (rc == CTN_OK) {
            judge(schema, source); /* of itself, which looks like what it talks about */
            if (ctn_json_parse(arena, value_text, NULL, &value, NULL) == CTN_OK)
                judge(schema, value);
        }
    }
    ctn_schema_done(schema);
    ctn_arena_free(arena);
    return 0;
}
