/* xml_check.c -- see xml_check.h. */
#include "xml_check.h"

#define DEPTH_MAX 64

typedef struct reader {
    ctn_str s;
    size_t at;
    ctn_str open[DEPTH_MAX];
    size_t depth;
    xml_counts counts;
} reader;

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

static ctn_str name(reader *r)
{
    size_t from = r->at;
    while (r->at < r->s.len && is_name(r->s.ptr[r->at]))
        r->at++;
    return (ctn_str){r->s.ptr + from, r->at - from};
}

static bool take(reader *r, const char *text)
{
    ctn_str t = ctn_str_from(text);
    if (!ctn_str_starts_with(ctn_str_from_offset(r->s, r->at), t))
        return false;
    r->at += t.len;
    return true;
}

static bool entity(reader *r)
{
    return take(r, "&amp;") || take(r, "&lt;") || take(r, "&gt;") || take(r, "&quot;") || take(r, "&apos;");
}

static const char *attributes(reader *r)
{
    ctn_str seen[16];
    size_t count = 0;
    while (r->at < r->s.len && r->s.ptr[r->at] == ' ') {
        r->at++;
        ctn_str key = name(r);
        for (size_t i = 0; i < count; i++)
            if (ctn_str_equal(seen[i], key))
                return "an attribute given twice";
        if (count < 16)
            seen[count++] = key;
        if (!key.len || !take(r, "=\""))
            return "an attribute that is no name=\"value\"";
        while (r->at < r->s.len && r->s.ptr[r->at] != '"') {
            if (r->s.ptr[r->at] == '<')
                return "a < in an attribute";
            if (r->s.ptr[r->at] == '&' && !entity(r))
                return "an & that begins no entity";
            r->at++;
        }
        if (!take(r, "\""))
            return "an attribute without an end";
    }
    return NULL;
}

static const char *tag(reader *r)
{
    bool is_end = take(r, "</");
    if (!is_end)
        r->at++;
    ctn_str n = name(r);
    if (!n.len)
        return "a < that begins no tag";
    if (is_end) {
        if (!r->depth || !ctn_str_equal(r->open[r->depth - 1], n))
            return "an end tag of another element";
        r->depth--;
        return take(r, ">") ? NULL : "an end tag without an end";
    }
    if (r->depth == 0 && r->counts.elements)
        return "a second root";
    r->counts.elements++;
    r->counts.texts += ctn_str_is(n, "text");
    r->counts.rects += ctn_str_is(n, "rect");
    const char *fault = attributes(r);
    if (fault)
        return fault;
    if (take(r, "/>"))
        return NULL;
    if (!take(r, ">") || r->depth == DEPTH_MAX)
        return "a tag without an end, or too deep";
    r->open[r->depth++] = n;
    return NULL;
}

const char *xml_check(ctn_str text, xml_counts *ret_counts)
{
    reader r = {.s = text};
    if (!ctn_str_is_utf8(text))
        return "it is not UTF-8";
    while (r.at < text.len) {
        unsigned char c = (unsigned char) text.ptr[r.at];
        const char *fault = NULL;
        if (c == '<')
            fault = tag(&r);
        else if (c == '&')
            fault = entity(&r) ? NULL : "an & that begins no entity";
        else if ((c < 0x20 && c != '\n') || c == 0x7f)
            fault = "a control character";
        else if (r.depth == 0 && c != '\n')
            fault = "text outside of the root";
        else
            r.at++;
        if (fault)
            return fault;
    }
    *ret_counts = r.counts;
    return r.depth ? "an element without an end" : r.counts.elements ? NULL : "it is empty";
}
