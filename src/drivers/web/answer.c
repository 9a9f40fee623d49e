/*
 * answer.c -- see answer.h.
 */
#include "drivers/web/answer.h"

enum {
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    REQUEST_TIMEOUT = 408,
    TOO_EARLY = 425,
    TOO_MANY = 429,
    NOT_IMPLEMENTED = 501,
    NOT_NOW = 503,
};

ctn_failure ctn_webcall_failure_of(int status, bool has_retry_after)
{
    switch (status) {
    case UNAUTHORIZED:
    case FORBIDDEN: return CTN_FAILURE_DENIED;
    case TOO_EARLY: return CTN_FAILURE_UNAVAILABLE;
    case TOO_MANY: return CTN_FAILURE_RATE_LIMITED;
    case NOT_NOW: return has_retry_after ? CTN_FAILURE_UNAVAILABLE : CTN_FAILURE_TRANSPORT;
    case REQUEST_TIMEOUT: return CTN_FAILURE_TRANSPORT;
    case NOT_IMPLEMENTED: return CTN_FAILURE_TOOL_ERROR;
    default: return status >= 500 ? CTN_FAILURE_TRANSPORT : CTN_FAILURE_TOOL_ERROR;
    }
}

/* ---- headers ---- */

static ctn_str lower(ctn_arena *arena, ctn_str text)
{
    char *copy = ctn_arena_alloc(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char) (text.ptr[i] - 'A' + 'a') : text.ptr[i];
    return (ctn_str){copy, text.len};
}

const ctn_json *ctn_webcall_headers(ctn_arena *arena, const ctn_http_head *head)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < head->header_count; i++) {
        ctn_str name = lower(arena, head->headers[i].name), value = head->headers[i].value;
        bool is_told = !ctn_str_is(name, "set-cookie") && ctn_str_is_utf8(name) && ctn_str_is_utf8(value);
        for (size_t k = 0; k < i && is_told; k++) /* with the first of its name */
            is_told = !ctn_str_equal_any_case(head->headers[k].name, name);
        if (!is_told)
            continue;
        for (size_t k = i + 1; k < head->header_count; k++)
            if (ctn_str_equal_any_case(head->headers[k].name, name) && ctn_str_is_utf8(head->headers[k].value))
                value = ctn_arena_printf(arena, "%.*s, %.*s", CTN_STR_ARG(value), CTN_STR_ARG(head->headers[k].value));
        ctn_json_put(&b, name, ctn_json_string(arena, value));
    }
    return ctn_json_finish(&b);
}

/* What stands behind `rel=`, with or without quotes; empty: nothing. */
static ctn_str rel_of(ctn_str parameters)
{
    while (parameters.len) {
        ctn_str value = ctn_str_trim(ctn_str_cut(&parameters, ';'));
        ctn_str name = ctn_str_trim(ctn_str_cut(&value, '='));
        value = ctn_str_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = (ctn_str){value.ptr + 1, value.len - 2};
        if (ctn_str_equal_any_case(name, CTN_STR("rel")))
            return value;
    }
    return (ctn_str){0};
}

/* One link after the other: <address>; rel="a b", <address>; ... */
static void put_links(ctn_arena *arena, ctn_json_builder *b, ctn_str text)
{
    size_t open;
    while ((open = ctn_str_find(text, CTN_STR("<"))) != SIZE_MAX) {
        text = ctn_str_from_offset(text, open + 1);
        ctn_str address = ctn_str_cut(&text, '>');
        size_t next = ctn_str_find(text, CTN_STR("<"));
        ctn_str parameters = {text.ptr, next == SIZE_MAX ? text.len : next};
        while (parameters.len &&
               (parameters.ptr[parameters.len - 1] == ',' || parameters.ptr[parameters.len - 1] == ' '))
            parameters.len--;
        ctn_str rels = rel_of(parameters);
        while (rels.len) {
            ctn_str rel = ctn_str_trim(ctn_str_cut(&rels, ' '));
            if (rel.len)
                ctn_json_put(b, ctn_arena_str(arena, rel), ctn_json_string(arena, address));
        }
    }
}

const ctn_json *ctn_webcall_links(ctn_arena *arena, const ctn_http_head *head)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < head->header_count; i++)
        if (ctn_str_equal_any_case(head->headers[i].name, CTN_STR("Link")) && ctn_str_is_utf8(head->headers[i].value))
            put_links(arena, &b, head->headers[i].value);
    return ctn_json_finish(&b);
}

/* ---- the body ---- */

bool ctn_webcall_is_accepted(const ctn_json *accept, ctn_str type)
{
    for (size_t i = 0; i < ctn_json_count(accept); i++) {
        ctn_str said = ctn_json_text(ctn_json_at(accept, i)), wanted = ctn_str_trim(ctn_str_cut(&said, ';'));
        bool is_any = ctn_str_is(wanted, "*/*");
        bool is_class =
            ctn_str_ends_with(wanted, CTN_STR("/*")) && type.len >= wanted.len - 1 &&
            ctn_str_equal_any_case((ctn_str){wanted.ptr, wanted.len - 1}, (ctn_str){type.ptr, wanted.len - 1});
        if (is_any || is_class || ctn_str_equal_any_case(wanted, type))
            return true;
    }
    return !accept;
}

static bool is_json(ctn_str type)
{
    return ctn_str_ends_with(type, CTN_STR("/json")) || ctn_str_ends_with(type, CTN_STR("+json"));
}

int ctn_webcall_value(ctn_arena *arena, ctn_str type, ctn_str body, const ctn_json **ret_value, ctn_err *err)
{
    ctn_json_options options = {.reject_duplicates = true};
    ctn_json_builder b = ctn_json_object(arena);
    if (body.len == 0) {
        *ret_value = ctn_json_finish(&b);
        return CTN_OK;
    }
    if (is_json(type)) {
        int rc = ctn_json_parse(arena, body, &options, ret_value, err);
        return rc ? ctn_wrap(err, CTN_E_INVALID, "its body is no JSON, at line %u", err ? err->line : 0) : CTN_OK;
    }
    if (type.len == 0 && ctn_json_parse(arena, body, &options, ret_value, NULL) == CTN_OK)
        return CTN_OK;
    if (!ctn_str_is_utf8(body))
        return ctn_fail(err, CTN_E_INVALID, "its body, of type %.*s, is no text",
                        CTN_STR_ARG(type.len ? type : CTN_STR("unknown")));
    ctn_json_put(&b, CTN_STR("text"), ctn_json_string(arena, body));
    *ret_value = ctn_json_finish(&b);
    return CTN_OK;
}
