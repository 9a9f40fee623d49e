/*
 * ask.c -- see ask.h.
 */
#include "drivers/web/ask.h"
#include "base/percent.h"
#include "chain/http_call.h"

#define QUERY_BYTES_MAX (1 << 20)
#define BODY_BYTES_MAX  (64 << 20) /* what is rendered is bounded by far less */

/* ---- the URL ---- */

static ctn_str text_of(ctn_arena *arena, const ctn_json *v)
{
    bool is_text = ctn_json_is(v, CTN_JSON_STRING) || ctn_json_is(v, CTN_JSON_NUMBER);
    return is_text ? ctn_json_text(v) : ctn_json_to_str(arena, v);
}

static void put_pair(ctn_arena *arena, ctn_buf *out, const char *before, ctn_str name, const ctn_json *value)
{
    ctn_buf_append(out, ctn_str_from(out->len ? "&" : before));
    ctn_percent_append(out, name);
    ctn_buf_append_char(out, '=');
    ctn_percent_append(out, text_of(arena, value));
}

static void put_pairs(ctn_arena *arena, ctn_buf *out, const ctn_json *members)
{
    for (size_t i = 0; i < ctn_json_count(members); i++) {
        ctn_str name = ctn_json_text(&members->members[i].key);
        const ctn_json *value = &members->members[i].value;
        if (ctn_json_is(value, CTN_JSON_ARRAY))
            for (size_t k = 0; k < ctn_json_count(value); k++)
                put_pair(arena, out, "", name, ctn_json_at(value, k));
        else if (!ctn_json_is(value, CTN_JSON_NULL))
            put_pair(arena, out, "", name, value);
    }
}

static bool is_said_anew(ctn_arena *arena, ctn_str pair, const ctn_json *members)
{
    ctn_str name = ctn_str_cut(&pair, '=');
    for (size_t i = 0; i < ctn_json_count(members); i++)
        if (ctn_str_equal(name, ctn_percent_encode(arena, ctn_json_text(&members->members[i].key))))
            return true;
    return false;
}

ctn_str ctn_webcall_with_query(ctn_arena *arena, ctn_str url, const ctn_json *members)
{
    ctn_str query = url, base = ctn_str_cut(&query, '?');
    ctn_buf out;
    ctn_buf_init(&out, QUERY_BYTES_MAX);
    while (query.len) {
        ctn_str pair = ctn_str_cut(&query, '&');
        if (!is_said_anew(arena, pair, members))
            ctn_buf_printf(&out, "%s%.*s", out.len ? "&" : "", CTN_STR_ARG(pair));
    }
    put_pairs(arena, &out, members);
    ctn_str whole =
        ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(base), out.len ? "?" : "", CTN_STR_ARG(ctn_buf_str(&out)));
    ctn_buf_done(&out);
    return whole;
}

/* ---- headers ---- */

static void add_header(ctn_webcall_ask *ask, ctn_str name, ctn_str value, bool is_secret)
{
    ask->headers[ask->header_count++] = (ctn_http_header){.name = name, .value = value, .is_secret = is_secret};
}

static const ctn_http_header *header_named(const ctn_webcall_ask *ask, const char *name)
{
    for (size_t i = 0; i < ask->header_count; i++)
        if (ctn_str_equal_any_case(ask->headers[i].name, ctn_str_from(name)))
            return &ask->headers[i];
    return NULL;
}

static int add_own_headers(ctn_arena *arena, const ctn_json *said, ctn_webcall_ask *ask, ctn_err *err)
{
    for (size_t i = 0; i < ctn_json_count(said); i++) {
        ctn_str name = ctn_json_text(&said->members[i].key);
        const ctn_json *value = &said->members[i].value;
        const char *why;
        if (ctn_json_is(value, CTN_JSON_NULL))
            continue;
        if (!ctn_http_call_may_send_header(name, &why))
            return ctn_fail(err, CTN_E_INVALID, "'%.*s' %s", CTN_STR_ARG(name), why);
        if (ctn_json_kind_of(value) >= CTN_JSON_ARRAY)
            return ctn_fail(err, CTN_E_INVALID, "the value of the header %.*s is of kind %s, not a text",
                            CTN_STR_ARG(name), ctn_json_kind_name(value));
        ctn_str text = text_of(arena, value);
        if (ctn_str_find_control(text) != SIZE_MAX)
            return ctn_fail(err, CTN_E_INVALID,
                            "the value of the header %.*s has a line break or another control character in it",
                            CTN_STR_ARG(name));
        add_header(ask, name, text, true);
    }
    return CTN_OK;
}

static ctn_str list_text(ctn_arena *arena, const ctn_json *list)
{
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    for (size_t i = 0; i < ctn_json_count(list); i++)
        ctn_buf_printf(&text, "%s%.*s", i ? ", " : "", CTN_STR_ARG(ctn_json_text(ctn_json_at(list, i))));
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

/* ---- the body ---- */

static ctn_str media_type(ctn_str value)
{
    return ctn_str_trim(ctn_str_cut(&value, ';'));
}

static ctn_str form_text(ctn_arena *arena, const ctn_json *object)
{
    ctn_buf out;
    ctn_buf_init(&out, BODY_BYTES_MAX);
    put_pairs(arena, &out, object);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

static bool ends_any_case(ctn_str text, const char *end)
{
    ctn_str tail = ctn_str_from(end);
    return text.len >= tail.len && ctn_str_equal_any_case(ctn_str_from_offset(text, text.len - tail.len), tail);
}

/* As JSON, or as the header Content-Type of the chain wants it. */
static int write_body(ctn_arena *arena, const ctn_json *body, ctn_webcall_ask *ask, ctn_err *err)
{
    const ctn_http_header *said = header_named(ask, "Content-Type");
    ctn_str type = said ? media_type(said->value) : CTN_STR("application/json");
    bool is_text = ctn_json_is(body, CTN_JSON_STRING);
    if (!said)
        add_header(ask, CTN_STR("Content-Type"), type, false);
    if (ends_any_case(type, "/json") || ends_any_case(type, "+json"))
        ask->body = ctn_json_to_str(arena, body);
    else if (ctn_str_equal_any_case(type, CTN_STR("application/x-www-form-urlencoded")) &&
             ctn_json_is(body, CTN_JSON_OBJECT))
        ask->body = form_text(arena, body);
    else if (is_text && !ctn_str_starts_with(type, CTN_STR("multipart/")))
        ask->body = ctn_json_text(body);
    else
        return ctn_fail(err, CTN_E_INVALID, "a body of type %.*s cannot be made of a value of kind %s: give it a text",
                        CTN_STR_ARG(type), ctn_json_kind_name(body));
    if (!ask->body.ptr)
        ask->body = CTN_STR("");
    return CTN_OK;
}

/* ---- all of it ---- */

static const char *method_of(const ctn_json *detail, const ctn_json *body)
{
    static const char *const METHODS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    ctn_str said = ctn_json_str_or(detail, "method", (ctn_str){0});
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (ctn_str_is(said, METHODS[i]))
            return METHODS[i];
    return body ? "POST" : "GET";
}

int ctn_webcall_ask_of(ctn_arena *arena, const ctn_json *detail, const ctn_webcall_said *said, ctn_webcall_ask *ret_ask,
                       ctn_err *err)
{
    const ctn_json *body = ctn_json_member_of(detail, "body"), *headers = ctn_json_member_of(detail, "headers");
    const ctn_json *accept = ctn_json_member_of(detail, "accept");
    ctn_webcall_ask ask = {.method = method_of(detail, body)};
    ask.is_safe = strcmp(ask.method, "GET") == 0 || strcmp(ask.method, "HEAD") == 0;
    ctn_str url = ctn_json_str_or(detail, "url", (ctn_str){0});
    int rc =
        ctn_url_read(arena, ctn_webcall_with_query(arena, url, ctn_json_member_of(detail, "query")), &ask.url, err);
    if (rc)
        return rc;
    ask.headers = CTN_NEW_ARRAY(arena, ctn_http_header, ctn_json_count(headers) + 4);
    rc = add_own_headers(arena, headers, &ask, err);
    if (rc == CTN_OK && body)
        rc = write_body(arena, body, &ask, err);
    if (rc)
        return rc;
    if (!header_named(&ask, "Accept"))
        add_header(&ask, CTN_STR("Accept"),
                   accept ? list_text(arena, accept) : CTN_STR("application/json, text/*;q=0.8, */*;q=0.1"), false);
    ctn_str key_name = ctn_json_str_or(detail, "idempotencyHeader", CTN_STR("Idempotency-Key"));
    if (said->key.len && key_name.len && !ask.is_safe)
        add_header(&ask, key_name, said->key, false);
    if (said->traceparent.len && !header_named(&ask, "traceparent"))
        add_header(&ask, CTN_STR("traceparent"), said->traceparent, false);
    *ret_ask = ask;
    return CTN_OK;
}
