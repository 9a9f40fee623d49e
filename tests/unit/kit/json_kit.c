/* json_kit.c -- see json_kit.h. */
#include "unit/kit/json_kit.h"

#include "support/cmocka.h"

const ctn_json *json_of(ctn_arena *arena, ctn_str text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, text, NULL, &value, &err))
        fail_msg("%s: %.*s", err.message, CTN_STR_ARG(text));
    return value;
}

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    const ctn_json *root = *(const ctn_json **) ctx;
    return ctn_str_is(name, ".") ? root : ctn_json_get(root, name);
}

static size_t list_names(void *ctx, ctn_str *ret_names, size_t max)
{
    const ctn_json *root = *(const ctn_json **) ctx;
    size_t count = 0;
    for (; count < ctn_json_count(root) && count < max; count++)
        ret_names[count] = ctn_json_text(&root->members[count].key);
    return count;
}

ctn_scope json_scope(ctn_arena *arena, const char *json)
{
    const ctn_json **root = CTN_NEW(arena, const ctn_json *);
    *root = json_of(arena, ctn_str_from(json));
    return (ctn_scope){.lookup = look_up, .ctx = root, .names = list_names, .now_ms = JSON_SCOPE_NOW_MS};
}
