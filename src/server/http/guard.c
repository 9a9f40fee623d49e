/*
 * guard.c -- see guard.h.
 */
#include "server/http/guard.h"

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

ctn_str ctn_web_header_of(const ctn_web_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_equal_any_case(headers[i].name, ctn_str_from(name)))
            return headers[i].value;
    return (ctn_str){0};
}

static size_t count_of(const ctn_web_header *headers, size_t count, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += ctn_str_equal_any_case(headers[i].name, ctn_str_from(name));
    return found;
}

static bool is_decimal(ctn_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0 && text.len <= 18;
}

static const char *bytes_fault(const ctn_web_header *h)
{
    for (size_t i = 0; i < h->name.len; i++)
        if (!is_token_char(h->name.ptr[i]))
            return "the name of a header is no token";
    for (size_t i = 0; i < h->value.len; i++) {
        unsigned char c = (unsigned char) h->value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "a header has a control character in it";
    }
    return h->name.len ? NULL : "a header has no name";
}

const char *ctn_web_guard(const ctn_web_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *fault = bytes_fault(&headers[i]);
        if (fault)
            return fault;
    }
    size_t lengths = count_of(headers, count, "content-length"),
           codings = count_of(headers, count, "transfer-encoding");
    if (count_of(headers, count, "host") != 1)
        return "a request has one Host";
    if (lengths > 1 || codings > 1 || (lengths && codings))
        return "a body has one length: one Content-Length, or Transfer-Encoding";
    if (lengths && !is_decimal(ctn_web_header_of(headers, count, "content-length")))
        return "Content-Length is a number";
    if (codings && !ctn_str_equal_any_case(ctn_web_header_of(headers, count, "transfer-encoding"), CTN_STR("chunked")))
        return "the only Transfer-Encoding is chunked";
    return NULL;
}
