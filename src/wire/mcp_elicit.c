/*
 * mcp_elicit.c -- see mcp_elicit.h.
 */
#include "wire/mcp_elicit.h"

/* NULL: nothing can be said. */
static const ctn_json *content_of(ctn_arena *arena, const ctn_json *schema)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    const ctn_json *required = ctn_json_member_of(schema, "required");
    if (!ctn_json_is(properties, CTN_JSON_OBJECT))
        return NULL;
    ctn_json_builder content = ctn_json_object(arena);
    for (size_t i = 0; i < properties->count; i++) {
        ctn_str name = ctn_json_text(&properties->members[i].key);
        const ctn_json *value = ctn_json_member_of(&properties->members[i].value, "default");
        if (value)
            ctn_json_put(&content, name, value);
        else if (ctn_json_has_text(required, name))
            return NULL;
    }
    return content.count ? ctn_json_finish(&content) : NULL;
}

const ctn_json *ctn_mcp_elicit_defaults(ctn_arena *arena, const ctn_json *params)
{
    bool is_form = ctn_str_is(ctn_json_str_or(params, "mode", CTN_STR("form")), "form");
    const ctn_json *content = is_form ? content_of(arena, ctn_json_member_of(params, "requestedSchema")) : NULL;
    ctn_json_builder result = ctn_json_object(arena);
    ctn_json_put_str(&result, "action", content ? CTN_STR("accept") : CTN_STR("decline"));
    if (content)
        ctn_json_put(&result, CTN_STR("content"), content);
    return ctn_json_finish(&result);
}
