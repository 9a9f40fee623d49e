/* Two schemas with a NUL byte between: any bytes. No crash, no long run, and a schema is no change of itself. */
#include "value/schema_change.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(ctn_arena *arena, const ctn_json *from, const ctn_json *to, ctn_schema_side side)
{
    ctn_changes changes = {.arena = arena};
    ctn_schema_changes(&changes, from, to, side);
    assert(changes.count <= CTN_CHANGES_MAX);
    assert((changes.count == 0) == (ctn_changes_worst(&changes) == CTN_CHANGE_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    ctn_str first = {(const char *) data, end ? (size_t) (end - data) : size};
    ctn_str second = ctn_str_from_offset((ctn_str){(const char *) data, size}, first.len + 1);
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *from = NULL, *to = NULL;
    if (ctn_json_parse(arena, first, NULL, &from, NULL) == CTN_OK) {
        ctn_changes none = {.arena = arena};
        ctn_schema_changes(&none, from, ctn_json_copy(arena, from), CTN_SCHEMA_TAKES);
        assert(none.count == 0);
        if (ctn_json_parse(arena, second, NULL, &to, NULL))
            to = NULL;
        compare(arena, from, to, CTN_SCHEMA_TAKES);
        compare(arena, from, to, CTN_SCHEMA_GIVES);
        compare(arena, to, from, CTN_SCHEMA_TAKES);
    }
    ctn_arena_free(arena);
    return 0;
}
