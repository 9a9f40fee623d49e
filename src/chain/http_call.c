/*
 * http_call.c -- see http_call.h.
 */
#include "chain/http_call.h"
#include "value/expression.h"

/* ---- what is asked of it ---- */

bool ctn_http_call_is_root(ctn_str name)
{
    static const char *const ROOTS[] = {"body", "headers", "links", "status", "page"};
    for (size_t i = 0; i < sizeof ROOTS / sizeof *ROOTS; i++)
        if (ctn_str_is(name, ROOTS[i]))
            return true;
    return false;
}

/* 200 and "2xx"; -1: it is neither, else whether it names the status. */
static int names_status(const ctn_json *item, int status)
{
    int64_t number;
    ctn_str text = ctn_json_text(item);
    if (ctn_json_is(item, CTN_JSON_NUMBER) && ctn_json_to_int64(item, &number) && number >= 200 && number <= 599)
        return number == status;
    if (ctn_json_is(item, CTN_JSON_STRING) && text.len == 3 && text.ptr[0] >= '2' && text.ptr[0] <= '5' &&
        text.ptr[1] == 'x' && text.ptr[2] == 'x')
        return text.ptr[0] - '0' == status / 100;
    return -1;
}

bool ctn_http_call_is_success(const ctn_json *success, int status)
{
    for (size_t i = 0; i < ctn_json_count(success); i++)
        if (names_status(ctn_json_at(success, i), status) == 1)
            return true;
    return !success && status / 100 == 2;
}

static bool is_token(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0;
}

bool ctn_http_call_may_send_header(ctn_str name, const char **ret_why)
{
    static const char *const OURS[] = {"Host",    "Content-Length", "Transfer-Encoding",   "Connection", "Expect",
                                       "Upgrade", "Keep-Alive",     "Proxy-Authorization", "TE",         "Trailer"};
    if (!is_token(name)) {
        *ret_why = "is no name of a header: letters, digits and - stand in one";
        return false;
    }
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (ctn_str_equal_any_case(name, ctn_str_from(OURS[i]))) {
            *ret_why = "is a header that follows from the rest; it cannot be said";
            return false;
        }
    return true;
}

ctn_tree_way ctn_http_call_way(ctn_str member)
{
    if (ctn_str_is(member, "url"))
        return CTN_TREE_URL;
    bool is_literal = ctn_str_is(member, "next") || ctn_str_is(member, "items") || ctn_str_is(member, "success");
    return is_literal ? CTN_TREE_LITERAL : CTN_TREE_TEMPLATES;
}

ctn_str ctn_http_call_host(ctn_str url)
{
    size_t scheme = ctn_str_find(url, CTN_STR("://"));
    if (ctn_str_starts_with(url, CTN_STR("{secret."))) {
        size_t end = ctn_str_find(url, CTN_STR("}"));
        return (ctn_str){url.ptr, end == SIZE_MAX ? url.len : end + 1};
    }
    ctn_str host = scheme == SIZE_MAX ? url : ctn_str_from_offset(url, scheme + 3);
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] == '/' || host.ptr[i] == '?')
            host.len = i;
    return host;
}

/* ---- keys ---- */

void ctn_http_call_read_url(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_template *unused;
    ctn_err err = {0};
    if (ctn_template_compile_url(reader->arena, ctn_json_text(value), &unused, &err))
        ctn_reader_fault(reader, value, "bad-template", "'url', at character %u: %s", err.column, err.message);
}

void ctn_http_call_read_headers(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (uint32_t i = 0; i < value->count; i++) {
        const ctn_json_member *m = &value->members[i];
        const char *why;
        if (!ctn_http_call_may_send_header(ctn_json_text(&m->key), &why))
            ctn_reader_fault(reader, &m->key, "type", "'%.*s' %s", CTN_STR_ARG(ctn_json_text(&m->key)), why);
        else if (ctn_json_kind_of(&m->value) >= CTN_JSON_ARRAY)
            ctn_reader_fault(reader, &m->value, "type", "the value of a header is a text, not %s",
                             ctn_json_is(&m->value, CTN_JSON_ARRAY) ? "a list" : "an object");
    }
}

void ctn_http_call_read_success(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (ctn_json_count(value) == 0)
        ctn_reader_fault(reader, value, "type", "'success' names at least one status, like [200, 404] or [2xx]");
    for (size_t i = 0; i < ctn_json_count(value); i++)
        if (names_status(ctn_json_at(value, i), 0) < 0)
            ctn_reader_fault(reader, ctn_json_at(value, i), "type",
                             "a status of 'success' is a number from 200 to 599, or a class: 2xx, 3xx, 4xx, 5xx");
}

static void check_expression(ctn_reader *reader, const char *key, const ctn_json *value)
{
    ctn_expression *expression;
    ctn_err err = {0};
    if (!ctn_json_is(value, CTN_JSON_STRING)) {
        ctn_reader_fault(reader, value, "type", "'%s' must be an expression over an answer, like \"{body.next}\"", key);
        return;
    }
    if (ctn_expression_compile(reader->arena, ctn_json_text(value), &expression, &err)) {
        ctn_reader_fault(reader, value, "bad-expression", "'%s', at character %u: %s", key, err.column, err.message);
        return;
    }
    ctn_reads reads = {0};
    ctn_expression_reads(expression, reader->arena, &reads);
    for (size_t i = 0; i < reads.count; i++)
        if (!ctn_http_call_is_root(reads.items[i].root))
            ctn_reader_fault(reader, value, "bad-expression", "'%s' reads '%.*s'; an answer has " CTN_HTTP_CALL_ROOTS,
                             key, CTN_STR_ARG(reads.items[i].root));
}

void ctn_http_call_read_next(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (!ctn_json_is(value, CTN_JSON_OBJECT)) {
        check_expression(reader, "next", value);
        return;
    }
    if (value->count == 0)
        ctn_reader_fault(reader, value, "type", "'next' names no member of the query; write {cursor: \"body.next\"}");
    for (uint32_t i = 0; i < value->count; i++)
        check_expression(reader, "next", &value->members[i].value);
}

void ctn_http_call_read_items(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    check_expression(reader, "items", value);
}

void ctn_http_call_read_idempotency(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    const char *why;
    ctn_str name = ctn_json_text(value);
    if (name.len && !ctn_http_call_may_send_header(name, &why))
        ctn_reader_fault(reader, value, "type", "'%.*s' %s", CTN_STR_ARG(name), why);
}

void ctn_http_call_check(ctn_reader *reader, const ctn_json *detail)
{
    const ctn_json *next = ctn_json_member_of(detail, "next"), *body = ctn_json_member_of(detail, "body");
    ctn_str method = ctn_json_str_or(detail, "method", body ? CTN_STR("POST") : CTN_STR("GET"));
    bool is_get = ctn_str_is(method, "GET");
    if (body && (is_get || ctn_str_is(method, "HEAD")))
        ctn_reader_fault(reader, body, "type", "a %.*s has no body; say it in 'query', or 'method: POST'",
                         CTN_STR_ARG(method));
    if (next && !is_get)
        ctn_reader_fault(reader, next, "type", "'next' asks for further pages, so the method is GET, not %.*s",
                         CTN_STR_ARG(method));
    static const char *const OF_PAGES[] = {"items", "pageLimit"};
    for (size_t i = 0; i < sizeof OF_PAGES / sizeof *OF_PAGES; i++) {
        const ctn_json *said = ctn_json_member_of(detail, OF_PAGES[i]);
        if (said && !next)
            ctn_reader_fault(reader, said, "type", "'%s' is about the pages that 'next' leads to; there is no 'next'",
                             OF_PAGES[i]);
    }
}
