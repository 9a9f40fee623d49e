/*
 * headers.c -- the headers of a modern request over HTTP repeat what its message says, so that whoever stands between
 * need not read bodies. One that is missing, broken or differs is refused: what was decided by the header must be what
 * is done.
 */
#include "server/mcp/internal.h"

/* The member of params that Mcp-Name repeats; NULL: none. */
static const char *named_by(ctn_str method)
{
    static const struct {
        const char *method, *member;
    } NAMED[] = {
        {"tools/call", "name"},  {"prompts/get", "name"},    {"resources/read", "uri"},
        {"tasks/get", "taskId"}, {"tasks/update", "taskId"}, {"tasks/cancel", "taskId"},
    };
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (ctn_str_is(method, NAMED[i].method))
            return NAMED[i].member;
    return NULL;
}

const char *ctn_mcp_headers_fault(ctn_arena *arena, const ctn_mcp_headers *headers, ctn_str method,
                                  const ctn_json *params)
{
    if (!headers->method.ptr)
        return "the header Mcp-Method is missing";
    if (!ctn_str_equal(ctn_str_trim(headers->method), method))
        return "the header Mcp-Method is not the method of the message";
    const char *member = named_by(method);
    const ctn_json *name = member ? ctn_json_member_of(params, member) : NULL;
    if (!ctn_json_is(name, CTN_JSON_STRING)) /* none is needed; or the method will say what is wrong with its params */
        return NULL;
    ctn_str text;
    if (!headers->name.ptr)
        return "the header Mcp-Name is missing";
    if (!ctn_mcp_header_read(arena, headers->name, &text))
        return "the header Mcp-Name is not Base64 between its marks";
    return ctn_str_equal(text, ctn_json_text(name)) ? NULL : "the header Mcp-Name is not the name in the message";
}

/* ---- Mcp-Param-* ---- */

static const ctn_mcp_header *find_param(const ctn_mcp_headers *headers, ctn_str name)
{
    for (size_t i = 0; i < headers->param_count; i++)
        if (ctn_str_equal_any_case(headers->params[i].name, name))
            return &headers->params[i];
    return NULL;
}

/* Numbers by value: 42.0 is 42. */
static bool says(ctn_arena *arena, ctn_str text, const ctn_json *value)
{
    ctn_str said;
    if (ctn_json_is(value, CTN_JSON_NUMBER) && ctn_json_is_number_text(text))
        return ctn_json_number_compare(ctn_json_number(arena, text), value) == 0;
    return ctn_mcp_param_text(arena, value, &said) && ctn_str_equal(text, said);
}

static const char *param_fault(ctn_arena *arena, const ctn_mcp_headers *headers, const ctn_mcp_param *param,
                               const ctn_json *value)
{
    const ctn_mcp_header *header = find_param(headers, param->header);
    ctn_str text;
    const char *what = NULL;
    bool is_said = ctn_mcp_param_text(arena, value, &text);
    if (!header)
        what = is_said ? "is missing" : NULL;
    else if (!ctn_mcp_header_read(arena, header->value, &text))
        what = "is not Base64 between its marks";
    else if (!says(arena, text, value))
        what = "is not the argument in the message";
    return what ? ctn_arena_printf(arena, "the header %.*s %s", CTN_STR_ARG(param->header), what).ptr : NULL;
}

const char *ctn_mcp_header_params_fault(ctn_arena *arena, const ctn_mcp_headers *headers, const ctn_json *input_schema,
                                        const ctn_json *arguments)
{
    ctn_mcp_params params = {0};
    if (ctn_mcp_params_read(arena, input_schema, &params, NULL))
        return NULL; /* marks that mean nothing: no client sends headers for them */
    for (size_t i = 0; i < params.count; i++) {
        const ctn_json *value = arguments;
        for (size_t d = 0; d < params.items[i].depth; d++)
            value = ctn_json_get(value, params.items[i].path[d]);
        const char *fault = param_fault(arena, headers, &params.items[i], value);
        if (fault)
            return fault;
    }
    return NULL;
}
