/*
 * pages.c -- see pages.h.
 *
 * Of an object each member is an expression, and all of them have to give something: one that is null, false or empty
 * means that this was the last page.
 */
#include "drivers/web/pages.h"
#include "drivers/web/ask.h"
#include "value/expression.h"

typedef struct page_scope {
    const ctn_webcall_page *page;
    ctn_arena *arena;
} page_scope;

static const ctn_json *lookup(void *ctx, ctn_str name)
{
    const page_scope *s = ctx;
    if (ctn_str_is(name, "body"))
        return s->page->body;
    if (ctn_str_is(name, "headers"))
        return s->page->headers;
    if (ctn_str_is(name, "links"))
        return s->page->links;
    if (ctn_str_is(name, "status"))
        return ctn_json_int(s->arena, s->page->status);
    if (ctn_str_is(name, "page"))
        return ctn_json_int(s->arena, s->page->number);
    return NULL;
}

static ctn_failure evaluate(ctn_arena *arena, ctn_str text, const ctn_webcall_page *page, const ctn_json **ret_value,
                            ctn_err *err)
{
    ctn_expression *expression;
    if (ctn_expression_compile(arena, text, &expression, err))
        return CTN_FAILURE_PROTOCOL_ERROR; /* check has read it before */
    page_scope s = {page, arena};
    ctn_scope scope = {.lookup = lookup, .ctx = &s};
    ctn_verdict verdict = CTN_VERDICT_NONE;
    const ctn_json *value = NULL;
    ctn_failure failure = ctn_expression_eval(expression, &scope, arena, &value, &verdict, err);
    *ret_value = value ? value : &ctn_json_null;
    return failure;
}

static ctn_failure query_of(ctn_arena *arena, const ctn_json *next, const ctn_webcall_page *page,
                            const ctn_json **ret_query, ctn_err *err)
{
    ctn_json_builder query = ctn_json_object(arena);
    *ret_query = NULL;
    for (size_t i = 0; i < ctn_json_count(next); i++) {
        const ctn_json *value;
        ctn_failure failure = evaluate(arena, ctn_json_text(&next->members[i].value), page, &value, err);
        if (failure)
            return failure;
        if (!ctn_json_is_true(value) && !ctn_json_is(value, CTN_JSON_NUMBER)) /* an offset of 0 is one */
            return CTN_FAILURE_NONE;
        ctn_json_put(&query, ctn_json_text(&next->members[i].key), value);
    }
    *ret_query = ctn_json_finish(&query);
    return CTN_FAILURE_NONE;
}

static ctn_failure invalid(ctn_err *err, const char *why)
{
    return ctn_failure_tell(err, CTN_FAILURE_INVALID_OUTPUT, "%s", why);
}

/* The address as it stands; empty: there is none. */
static ctn_failure address_of(ctn_arena *arena, const ctn_json *next, const ctn_url *url, const ctn_webcall_page *page,
                              ctn_str *ret_address, ctn_err *err)
{
    const ctn_json *value = NULL;
    ctn_failure failure = CTN_FAILURE_NONE;
    *ret_address = (ctn_str){0};
    if (ctn_json_is(next, CTN_JSON_OBJECT)) {
        failure = query_of(arena, next, page, &value, err);
        if (value && !failure)
            *ret_address = ctn_webcall_with_query(arena, url->text, value);
        return failure;
    }
    failure = evaluate(arena, ctn_json_text(next), page, &value, err);
    if (failure || !ctn_json_is_true(value))
        return failure;
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_OUTPUT, "'next' gave a value of kind %s, not an address",
                                ctn_json_kind_name(value));
    if (ctn_url_resolve(arena, url->text, ctn_json_text(value), ret_address, NULL))
        return invalid(err, "what 'next' gave is no address of a page");
    return CTN_FAILURE_NONE;
}

ctn_failure ctn_webcall_next(ctn_arena *arena, const ctn_json *next, const ctn_url *url, const ctn_webcall_page *page,
                             bool *ret_is_last, ctn_url *ret_url, ctn_err *err)
{
    ctn_str address;
    ctn_failure failure = address_of(arena, next, url, page, &address, err);
    if (failure)
        return failure;
    *ret_is_last = address.len == 0;
    if (*ret_is_last)
        return CTN_FAILURE_NONE;
    if (ctn_url_read(arena, address, ret_url, NULL))
        return invalid(err, "what 'next' gave is no address of a page");
    if (!ctn_str_equal(ctn_url_origin_of(arena, ret_url), ctn_url_origin_of(arena, url)))
        return invalid(err, "what 'next' gave is an address of another host, which is not followed");
    return CTN_FAILURE_NONE;
}

ctn_failure ctn_webcall_items(ctn_arena *arena, ctn_str items, const ctn_webcall_page *page, ctn_json_builder *list,
                              ctn_err *err)
{
    const ctn_json *value = NULL;
    ctn_failure failure = evaluate(arena, items, page, &value, err);
    if (failure)
        return failure;
    if (!ctn_json_is(value, CTN_JSON_ARRAY) && !ctn_json_is(value, CTN_JSON_NULL))
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_OUTPUT, "'items' gave a value of kind %s, not a list",
                                ctn_json_kind_name(value));
    for (size_t i = 0; i < ctn_json_count(value); i++)
        ctn_json_push(list, ctn_json_at(value, i));
    return CTN_FAILURE_NONE;
}
