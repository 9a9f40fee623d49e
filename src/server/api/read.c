/*
 * read.c -- what a request says, as its operation has it in the document: parameters made values of their types, the
 * body parsed, both held against their schemas. What does not fit is told with the place of the field: "query/limit",
 * "path/id", "header/Idempotency-Key", or the JSON Pointer into the body.
 *
 * Nothing is passed over: a parameter that the operation does not know is refused, so that a misspelt filter does not
 * quietly mean all.
 */
#include "host/words.h"
#include "server/api/route.h"
#include "value/calendar.h"

#define ERRORS_MAX 20

typedef struct reading {
    const ctn_api_route *route;
    const ctn_web_ask *ask;
    ctn_arena *arena;
    ctn_json_builder given, errors;
} reading;

static void complain(reading *r, ctn_str pointer, ctn_str detail)
{
    ctn_json_builder b = ctn_json_object(r->arena);
    if (r->errors.count >= ERRORS_MAX)
        return;
    ctn_json_put_str(&b, "pointer", pointer);
    ctn_json_put_str(&b, "detail", detail);
    ctn_json_push(&r->errors, ctn_json_finish(&b));
}

/* The sentence without the place before it, which is told by itself. */
static ctn_str what_is_wrong(const reading *r, const ctn_err *err)
{
    ctn_str text = ctn_str_from(err->message);
    size_t colon = ctn_str_find(text, CTN_STR(": "));
    if (colon != SIZE_MAX && (text.ptr[0] == '/' || ctn_str_starts_with(text, CTN_STR("the value: "))))
        text = ctn_str_from_offset(text, colon + 2);
    return ctn_arena_str(r->arena, text);
}

/* ---- parameters ---- */

static ctn_str pointer_of(const reading *r, const ctn_api_parameter *p)
{
    return ctn_arena_printf(r->arena, "%.*s/%.*s", CTN_STR_ARG(p->where), CTN_STR_ARG(p->name));
}

static ctn_str path_value(const reading *r, const ctn_api_parameter *p)
{
    ctn_str template = r->route->path, path = r->ask->path;
    while (template.ptr && path.ptr) {
        ctn_str want = ctn_str_cut(&template, '/'), have = ctn_str_cut(&path, '/');
        if (want.len > 2 && want.ptr[0] == '{' && ctn_str_equal((ctn_str){want.ptr + 1, want.len - 2}, p->name))
            return have;
    }
    return (ctn_str){0};
}

/* The n-th that was said; ptr NULL: no more. */
static ctn_str said(const reading *r, const ctn_api_parameter *p, size_t n)
{
    if (ctn_str_is(p->where, "path"))
        return n ? (ctn_str){0} : path_value(r, p);
    if (ctn_str_is(p->where, "header"))
        return n ? (ctn_str){0}
                 : ctn_web_header_of(r->ask->headers, r->ask->header_count, ctn_arena_str(r->arena, p->name).ptr);
    for (size_t i = 0; i < r->ask->query_count; i++)
        if (ctn_str_equal(r->ask->query[i].name, p->name) && n-- == 0)
            return r->ask->query[i].value.ptr ? r->ask->query[i].value : CTN_STR("");
    return (ctn_str){0};
}

/* NULL: it is none of its type, and that was told. */
static const ctn_json *typed(reading *r, const ctn_api_parameter *p, ctn_str text)
{
    ctn_execution_id id;
    ctn_time time;
    int64_t number;
    const char *wanted = NULL;
    const ctn_json *value = NULL;
    if (!ctn_str_is_utf8(text))
        wanted = "text in UTF-8";
    else if (p->type == CTN_API_INTEGER && !ctn_str_to_int64(text, &number))
        wanted = "a whole number";
    else if (p->type == CTN_API_BOOLEAN && !ctn_str_is(text, "true") && !ctn_str_is(text, "false"))
        wanted = "true or false";
    else if (ctn_str_is(p->format, "uuid") && ctn_id_parse(text, &id, NULL))
        wanted = "an id: 8-4-4-4-12 hexadecimal digits";
    else if (ctn_str_is(p->format, "date-time") && !ctn_time_of(ctn_json_string(r->arena, text), &time))
        wanted = "a time, like 2026-11-22T10:00:00Z";
    else
        value = p->type == CTN_API_INTEGER   ? ctn_json_int(r->arena, number)
                : p->type == CTN_API_BOOLEAN ? ctn_json_bool(ctn_str_is(text, "true"))
                                             : ctn_json_string(r->arena, text);
    if (wanted)
        complain(r, pointer_of(r, p), ctn_arena_printf(r->arena, "expected %s", wanted));
    return value;
}

static void read_parameter(reading *r, const ctn_api_parameter *p)
{
    char pointer[CTN_SCHEMA_POINTER_BYTES];
    ctn_err err = {0};
    const ctn_json *value = NULL;
    ctn_str text = said(r, p, 0);
    if (!text.ptr) {
        if (p->is_required)
            complain(r, pointer_of(r, p), CTN_STR("it is needed, and missing"));
        else if (p->otherwise)
            ctn_json_put(&r->given, p->name, p->otherwise);
        return;
    }
    if (p->type == CTN_API_TEXTS) {
        ctn_json_builder list = ctn_json_array(r->arena);
        for (size_t n = 0; (text = said(r, p, n)).ptr; n++) {
            if (!(value = typed(r, p, text)))
                return;
            ctn_json_push(&list, value);
        }
        value = ctn_json_finish(&list);
    } else if (said(r, p, 1).ptr) {
        complain(r, pointer_of(r, p), CTN_STR("it is said twice"));
        return;
    } else if (!(value = typed(r, p, text))) {
        return;
    }
    if (ctn_schema_validate_at(p->schema, value, r->arena, pointer, &err)) {
        complain(r, pointer_of(r, p),
                 p->example.len ? ctn_arena_printf(r->arena, "%.*s; write it like %.*s",
                                                   CTN_STR_ARG(what_is_wrong(r, &err)), CTN_STR_ARG(p->example))
                                : what_is_wrong(r, &err));
        return;
    }
    ctn_json_put(&r->given, p->name, value);
}

static void refuse_unknown(reading *r)
{
    ctn_str *names = CTN_NEW_ARRAY(r->arena, ctn_str, r->route->parameter_count);
    size_t count = 0;
    for (size_t i = 0; i < r->route->parameter_count; i++)
        if (ctn_str_is(r->route->parameters[i].where, "query"))
            names[count++] = r->route->parameters[i].name;
    for (size_t i = 0; i < r->ask->query_count; i++) {
        ctn_str name = r->ask->query[i].name;
        bool is_known = false;
        for (size_t k = 0; k < count; k++)
            is_known = is_known || ctn_str_equal(names[k], name);
        if (is_known)
            continue;
        if (!ctn_str_is_utf8(name) || name.len > 100)
            name = CTN_STR("...");
        complain(r, ctn_arena_printf(r->arena, "query/%.*s", CTN_STR_ARG(name)),
                 ctn_arena_printf(r->arena, "there is no such parameter; %.*s",
                                  CTN_STR_ARG(ctn_words_suggest(r->arena, name, names, count))));
    }
}

/* ---- the body ---- */

/* False: it was answered for in *ret. */
static bool read_body(reading *r, ctn_api_read *ret)
{
    char pointer[CTN_SCHEMA_POINTER_BYTES];
    ctn_err err = {0};
    const ctn_api_body *body = ctn_api_body_of(r->route, r->ask);
    if (!r->ask->body.len || !body) { /* what came with another type was refused before */
        if (!r->route->needs_body)
            return true;
        complain(r, (ctn_str){0}, CTN_STR("a body is needed, and missing"));
        ret->sentence = "a body is needed, and missing";
        ret->status = 400;
        return false;
    }
    if (!body->is_json) {
        ret->body = ctn_str_is_utf8(r->ask->body) ? ctn_json_string(r->arena, r->ask->body) : NULL;
        if (ret->body)
            return true;
        complain(r, (ctn_str){0}, CTN_STR("expected text in UTF-8"));
        ret->sentence = "the body does not read";
        ret->status = 400;
        return false;
    }
    ctn_json_options options = {.reject_duplicates = true};
    if (ctn_json_parse(r->arena, r->ask->body, &options, &ret->body, &err)) {
        complain(r, (ctn_str){0},
                 err.line ? ctn_arena_printf(r->arena, "line %u, column %u: %s", err.line, err.column, err.message)
                          : ctn_arena_str(r->arena, ctn_str_from(err.message)));
        ret->sentence = "the body is no JSON";
        ret->status = 400;
        return false;
    }
    if (body->schema && ctn_schema_validate_at(body->schema, ret->body, r->arena, pointer, &err)) {
        complain(r, ctn_arena_str(r->arena, ctn_str_from(pointer)), what_is_wrong(r, &err));
        ret->sentence = "the body does not fit";
        ret->status = 422;
        return false;
    }
    return true;
}

bool ctn_api_read_request(const ctn_api_route *route, const ctn_web_ask *ask, ctn_arena *arena, ctn_api_read *ret)
{
    reading r = {
        .route = route, .ask = ask, .arena = arena, .given = ctn_json_object(arena), .errors = ctn_json_array(arena)};
    *ret = (ctn_api_read){0};
    for (size_t i = 0; i < route->parameter_count; i++)
        read_parameter(&r, &route->parameters[i]);
    refuse_unknown(&r);
    if (r.errors.count) {
        ret->status = 400;
        ret->sentence = "a parameter does not fit";
    } else if (read_body(&r, ret)) {
        ret->given = ctn_json_finish(&r.given);
        return true;
    }
    ret->errors = ctn_json_finish(&r.errors);
    return false;
}
