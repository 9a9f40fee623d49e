/*
 * front.h -- the front of `catena serve`: one listener, who may come in, and which part of the server is meant.
 *
 * A part is a site: a path and what is below it. A request comes in when it names us rightly (door.h), its site is
 * there, and, unless the site is open, its caller has been recognised (host/access.h) and does not come too often; all
 * that before a byte of its body is kept. What he may do then is the site's to ask.
 *
 *     /mcp             server/mcp    MCP over Streamable HTTP
 *     /v1              server/api    the API; /v1/hooks is open: signatures are its own
 *     /openapi.json    server/api
 *     /healthz /readyz server/ops    open
 *     /metrics         server/ops
 *
 * Refusals are problem+json (RFC 9457) unless the site words them itself.
 *
 * Ownership  What the options name is borrowed; sites are copied. What a site holds of requests is let go first
 *            (ctn_web_when_gone with NULL), then the front is closed, without a turn of the loop between.
 * Threads    The loop's.
 */
#pragma once
#include "host/access.h"
#include "host/config.h"
#include "server/web.h"

typedef struct ctn_front ctn_front;

typedef struct ctn_refusal {
    int status; /* 400, 401, 403, 404, 405, 406, 413, 415, 429, 503 */
    const char *sentence;
    ctn_web_header extra; /* WWW-Authenticate, Retry-After, Allow; name empty: none */
} ctn_refusal;

typedef struct ctn_site {
    const char *path; /* "/mcp"; the longest one that fits is meant; outlives the front */
    const char *via;  /* how its callers come: "api", "mcp" (host/access.h) */
    const char
        *operation; /* what `tell` calls its requests, unless it says itself (ctn_web_set_operation); NULL: path */
    bool is_open;   /* nobody is asked who he is: its requests have no caller */
    /* Before the body: true: go on; false: it has answered. NULL: all may go on. */
    bool (*admit)(void *ctx, ctn_web_request *request);
    void (*take)(void *ctx, ctn_web_request *request);
    void (*refuse)(void *ctx, ctn_web_request *request, const ctn_refusal *refusal); /* NULL: problem+json */
    void *ctx;
} ctn_site;

typedef struct ctn_front_options {
    ctn_loop *loop;
    const ctn_log *log;
    const ctn_config_http *config;
    ctn_access *access;
    ctn_str address;            /* "127.0.0.1:8642"; port 0: the system picks */
    int64_t arrive_ms, idle_ms; /* see web.h */
    unsigned connections_max;
} ctn_front_options;

/* CTN_E_DENIED: not loopback, and nobody could be recognised; otherwise as ctn_web_open. */
int ctn_front_open(const ctn_front_options *options, ctn_front **ret_front, ctn_err *err);
void ctn_front_add(ctn_front *front, const ctn_site *site);
/* Each request that is over, whoever it was for, is told to this one (web.h); NULL: to nobody any more. */
void ctn_front_tell(ctn_front *front, void (*tell)(void *ctx, const ctn_web_told *told), void *ctx);
/* Nothing new comes in (503 with Retry-After, readiness says so); what is under way may end. */
void ctn_front_drain(ctn_front *front);
bool ctn_front_is_draining(const ctn_front *front);
/* Requests that are not answered to the end, streams among them. */
size_t ctn_front_open_count(const ctn_front *front);
/* All are, and the answers are out: nobody is cut off who could have been told. */
bool ctn_front_is_quiet(const ctn_front *front);
void ctn_front_close(ctn_front *front);            /* NULL is fine */
const char *ctn_front_url(const ctn_front *front); /* "http://127.0.0.1:41233", "https://..." with TLS */

/* application/problem+json: {type, title, status, detail}, and errors: [{pointer, detail}] when a field is at fault
 * (NULL: none is). Anything else that the refusal's extra says is a header of the answer. */
void ctn_front_problem(ctn_web_request *request, const ctn_refusal *refusal, const ctn_json *errors);
