/*
 * pages.h -- where the next page of an answer is, and what this one holds: the expressions `next` and `items` over it.
 * Pure.
 */
#pragma once
#include "base/json.h"
#include "http/url.h"
#include "value/failure.h"

/* What the expressions can read. */
typedef struct ctn_webcall_page {
    const ctn_json *body, *headers, *links;
    int status;
    uint32_t number; /* from 1 */
} ctn_webcall_page;

/* *ret_is_last: there is none. Else its URL: what `next` gives is a URL as it would stand in the page, or the members
 * of its query. invalid_output: it leads to another origin, or nowhere; or the expression's own failure. */
ctn_failure ctn_webcall_next(ctn_arena *arena, const ctn_json *next, const ctn_url *url, const ctn_webcall_page *page,
                             bool *ret_is_last, ctn_url *ret_url, ctn_err *err);
/* The items of this page, as `items` says, pushed. */
ctn_failure ctn_webcall_items(ctn_arena *arena, ctn_str items, const ctn_webcall_page *page, ctn_json_builder *list,
                              ctn_err *err);
