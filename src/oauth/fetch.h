/*
 * fetch.h -- one question to a stranger over HTTP, answered with a small JSON document. Private to oauth/.
 *
 * A GET follows a few redirects, each judged by the policy again; a POST follows none, for it carries secrets. What is
 * larger than a document may be is not read.
 *
 * Ownership  The answer is borrowed until `done` returns; _cancel takes the fetch, and nothing is told.
 */
#pragma once
#include "base/json.h"
#include "http/http.h"

typedef struct ctn_fetch ctn_fetch;

typedef struct ctn_fetch_answer {
    int code;        /* CTN_OK: an answer came, whatever its status; else as ctn_http_end's */
    const char *why; /* a sentence */
    int status;
    const ctn_json *document; /* an object; NULL: it is none */
    ctn_str challenges[8];    /* values of WWW-Authenticate */
    size_t challenge_count;
} ctn_fetch_answer;
typedef void ctn_fetch_fn(void *ctx, const ctn_fetch_answer *answer);

typedef struct ctn_fetch_request {
    ctn_str url;
    const ctn_http_policy *policy;
    ctn_str body;          /* ptr NULL: a GET */
    const char *body_type; /* of the body */
    const char *accept;    /* NULL: JSON */
    ctn_str authorization; /* empty: none */
} ctn_fetch_request;

ctn_fetch *ctn_fetch_new(ctn_http *http, const ctn_fetch_request *request, ctn_fetch_fn *done, void *ctx);
void ctn_fetch_cancel(ctn_fetch *fetch); /* NULL is fine */
