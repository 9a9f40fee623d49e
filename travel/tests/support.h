/* support.h -- what the pack's tests share: files, the labelled leads, tools by name, JSON from text. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline bool read_whole_file(ctn_arena *arena, const char *path, ctn_str *ret_text)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    char *bytes = ctn_arena_alloc(arena, 1 << 20);
    size_t len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    *ret_text = (ctn_str){bytes, len};
    return true;
}

/* The official data's folder: $CATENA_SHARED, else ../shared/data beside the repository. */
static inline ctn_str data_path(ctn_arena *arena, const char *rest)
{
    const char *shared = getenv("CATENA_SHARED");
    return ctn_arena_printf(arena, "%s/%s", shared && *shared ? shared : "../shared/data", rest);
}

static inline const ctn_json *json_from(ctn_arena *arena, ctn_str text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, text, NULL, &value, &err))
        fail_msg("%s in %.*s", err.message, CTN_STR_ARG(text));
    return value;
}

static inline int64_t fixed_now(void *ctx)
{
    (void) ctx;
    return INT64_C(1773000000000); /* March 2026 */
}

static inline travel_tools tools_for_test(const char *crm_path)
{
    travel_agency *agency = NULL;
    assert_int_equal(travel_agency_open(NULL, &agency, NULL), CTN_OK);
    return (travel_tools){.crm_path = crm_path, .agency = agency, .clock = {.now_ms = fixed_now}};
}

static inline int run_tool(travel_tools *tools, const char *name, ctn_arena *arena, const ctn_json *arguments,
                           const ctn_json **ret_result, ctn_err *err)
{
    return travel_tools_run(tools, ctn_str_from(name), arena, arguments, (ctn_str){NULL, 0}, ret_result, err);
}

/* The tool must succeed. */
static inline const ctn_json *result_of(travel_tools *tools, const char *name, ctn_arena *arena,
                                        const ctn_json *arguments)
{
    const ctn_json *result = NULL;
    ctn_err err = {0};
    if (run_tool(tools, name, arena, arguments, &result, &err))
        fail_msg("%s", err.message);
    return result;
}

static inline bool has_null(const ctn_json *v)
{
    if (ctn_json_is(v, CTN_JSON_NULL))
        return true;
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count; i++)
        if (has_null(&v->items[i]))
            return true;
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_OBJECT) && i < v->count; i++)
        if (has_null(&v->members[i].value))
            return true;
    return false;
}
