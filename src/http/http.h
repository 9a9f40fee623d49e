/*
 * http.h -- requests of HTTP from the loop: libcurl's multi interface, kept in here.
 *
 * A request is told in this order: `head` once the status and headers are there, `bytes` as the body comes, `ended`
 * once, whatever happened, and nothing after it.
 *
 * Nothing is sent twice but by its caller: a POST on a kept connection that dies before an answer came ends as lost
 * (CTN_E_IO, was_sent), unless no byte of it went out; then, and for GET and HEAD, a fresh connection is tried. No
 * redirect is followed without the caller's word (redirects_max), and then as the same request: 307 and 308, for GET
 * and HEAD also 301, 302 and 303, never from https to http. Any other is an answer like any other. A redirect says that
 * the request was not taken: was_sent is about the last hop.
 *
 * Who may be reached is the caller's policy, and it is judged by the address that is connected to, after DNS, for every
 * hop: https outside loopback; private, link-local and other special ranges only if they are allowed. A redirect to
 * another origin loses `Authorization` and every header that is marked is_secret.
 *
 * HTTP/2 only over TLS, by ALPN (cleartext HTTP/2 with reuse is broken in libcurl 7.88). Only http and https. Proxies
 * as the environment says (http_proxy, https_proxy, no_proxy), or as the policy says.
 *
 * Ownership  What a request points at is copied by _send. What events give is borrowed until they return. The handle is
 *            freed before its loop, and not from an event.
 * Signals    The process ignores SIGPIPE: OpenSSL writes to sockets without asking for EPIPE.
 * Threads    The loop's. Events come from the loop, never from inside _send.
 * Errors     code of `ended`:
 *            CTN_OK         the whole answer was read; its status may be anything
 *            CTN_E_INVALID  the request itself (URL, scheme, a header); nothing left us
 *            CTN_E_DENIED   the policy forbids it; nothing left us
 *            CTN_E_IO       not reached (was_sent false), or lost (was_sent true)
 *            CTN_E_LIMIT    the body is larger than body_bytes_max, or the headers are too large
 *            CTN_E_TIMEOUT  connect_timeout_ms, timeout_ms or silence_timeout_ms is over
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "loop/loop.h"

typedef struct ctn_http ctn_http;
typedef struct ctn_http_call ctn_http_call;

typedef struct ctn_http_options {
    ctn_loop *loop;
    size_t connections_max;          /* in all, kept ones too; 0: 2048 */
    size_t connections_per_host_max; /* 0: 1024; over HTTP/2 few are needed */
} ctn_http_options;

/* Who may be reached, and by whom we believe it is he. All false: https, and http to this machine if the URL says so.
 */
typedef struct ctn_http_policy {
    bool allows_cleartext; /* http:// outside loopback */
    bool allows_private; /* 10/8, 172.16/12, 192.168/16, fc00::/7, 100.64/10; link-local and metadata addresses never */
    bool denies_loopback; /* this machine is private too: for URLs that a peer gave */
    const char *ca_file;  /* PEM; NULL: the system's */
    const char *proxy;    /* NULL: the environment's; "": none */
} ctn_http_policy;

typedef struct ctn_http_header {
    ctn_str name, value;
    bool is_secret; /* not sent to another origin after a redirect; Authorization is so by itself */
} ctn_http_header;

/* Borrowed until the event returns. */
typedef struct ctn_http_head {
    int status;
    const ctn_http_header *headers; /* names as they came: compared without case */
    size_t header_count;
    ctn_str content_type; /* without parameters, in lower case; empty: none */
} ctn_http_head;

typedef struct ctn_http_end {
    int code;        /* see Errors */
    const char *why; /* a sentence; "" when code is CTN_OK */
    bool was_sent;   /* a byte of the request left us: it may have been taken */
    bool has_head;
    int status; /* 0: no head came */
} ctn_http_end;

typedef struct ctn_http_events {
    void (*head)(void *ctx,
                 const ctn_http_head *head); /* NULL is fine, here and below; not told of what was redirected */
    void (*bytes)(void *ctx, ctn_str bytes);
    void (*ended)(void *ctx, const ctn_http_end *end); /* the call is freed after it */
    void *ctx;
} ctn_http_events;

typedef struct ctn_http_request {
    const char *method; /* "GET", "POST", "DELETE" */
    ctn_str url;
    const ctn_http_header *headers;
    size_t header_count;
    ctn_str body;                  /* ptr NULL: none */
    const ctn_http_policy *policy; /* NULL: https outside loopback, no private ranges */
    int64_t connect_timeout_ms;    /* 0: 10000 */
    int64_t timeout_ms;            /* of the whole; 0: none */
    int64_t silence_timeout_ms;    /* no byte for so long; 0: none */
    size_t body_bytes_max;         /* of the answer; 0: 16 MiB */
    unsigned redirects_max;        /* 0: a redirect is an answer like any other */
    ctn_http_events events;
} ctn_http_request;

ctn_http *ctn_http_new(const ctn_http_options *options);
void ctn_http_free(ctn_http *http); /* NULL is fine; calls under way are dropped, nothing is told */
/* Always a call; what is wrong with the request is told by `ended`. */
ctn_http_call *ctn_http_send(ctn_http *http, const ctn_http_request *request);
/* Closes it; no event follows, and nothing of the caller's is touched any more. Allowed inside its own events but
 * `ended`. */
void ctn_http_call_cancel(ctn_http_call *call);

/* The value of a header; empty: it is not there. */
ctn_str ctn_http_header_of(const ctn_http_head *head, const char *name);
/* How long the server wants to be left alone, by Retry-After (seconds or a date) or retry-after-ms; 0: it does not say,
 * or more than CTN_HTTP_RETRY_MS_MAX. */
#define CTN_HTTP_RETRY_MS_MAX INT64_C(86400000)
int64_t ctn_http_retry_after_ms(const ctn_http_head *head, int64_t now_ms);

/* ---- URLs ---- */

/* "https://host:port" in its one form (lower case, the scheme's own port left out); CTN_E_INVALID with a sentence: no
 * URL of http or https, or one with a user in it. */
int ctn_url_origin(ctn_arena *arena, ctn_str url, ctn_str *ret_origin, ctn_err *err);
/* `reference` as it stands in a document at `base` (RFC 3986, 5). */
int ctn_url_resolve(ctn_arena *arena, ctn_str base, ctn_str reference, ctn_str *ret_url, ctn_err *err);
/* "/mcp" of "https://h/mcp?x"; "/" when there is none. */
int ctn_url_path(ctn_arena *arena, ctn_str url, ctn_str *ret_path, ctn_err *err);
bool ctn_url_is_loopback(ctn_str url); /* localhost, 127/8, ::1 */
