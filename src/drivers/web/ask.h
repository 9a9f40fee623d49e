/*
 * ask.h -- the rendered detail of an http call as a request: method, URL with its query, headers, body. Pure.
 *
 * Values are data here too: members of the query and of a form are percent-encoded, and what would end a header's line
 * is refused.
 */
#pragma once
#include "base/json.h"
#include "http/http.h"
#include "http/url.h"

typedef struct ctn_webcall_ask {
    const char *method;
    ctn_url url;
    ctn_http_header *headers; /* the chain's are marked secret: they do not follow to another origin */
    size_t header_count;
    ctn_str body; /* ptr NULL: none */
    bool is_safe; /* GET, HEAD */
} ctn_webcall_ask;

/* What is said beside what the chain says; borrowed. */
typedef struct ctn_webcall_said {
    ctn_str key;         /* the idempotency key; empty: none */
    ctn_str traceparent; /* W3C trace context; empty: none. The chain's own header of that name wins */
} ctn_webcall_said;

/* In the arena. CTN_E_INVALID: it makes no request, and why. */
int ctn_webcall_ask_of(ctn_arena *arena, const ctn_json *detail, const ctn_webcall_said *said, ctn_webcall_ask *ret_ask,
                       ctn_err *err);
/* The URL with these members in its query, in place of those of the same names. A list is said once for each item; null
 * is left out. */
ctn_str ctn_webcall_with_query(ctn_arena *arena, ctn_str url, const ctn_json *members);
