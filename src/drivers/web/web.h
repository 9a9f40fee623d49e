/*
 * web.h -- a driver (engine/driver.h) for the kind of work `http`: one request, or one for each page, to a host that
 * the chain's author wrote down.
 *
 * What a status means for a request that was sent (answer.h has the table) follows one rule: only an answer by which
 * the peer itself says that it did not do the work counts as that (429, 503 with Retry-After, 425: tried again; other
 * 4xx and 501: failed for good). Every other 5xx, 408, and a connection that was lost may stand behind work that was
 * done: for a write nobody knows, for a read or an idempotent call it is tried again.
 *
 * A redirect of a GET or HEAD is followed, five at most, each judged as if it were the first, without the headers of
 * the chain if it leads to another origin, and never from https to http. A redirect of anything else is a failure.
 *
 * No URL, no header's name or value, and of an answer that is no success no more than its first
 * CTN_WEBCALL_SAID_BYTES_MAX bytes stand in a message.
 *
 * Ownership  The driver is freed before its loop and its http. Cancelled calls are closed; nothing is heard of them.
 */
#pragma once
#include "engine/driver.h"
#include "http/http.h"

#define CTN_WEBCALL_SAID_BYTES_MAX 500

typedef struct ctn_webcall_driver ctn_webcall_driver;

typedef struct ctn_webcall_options {
    ctn_loop *loop;
    ctn_http *http;
    ctn_call_sink sink;
    /* May this host ("example.com", in lower case) be called, and how: CTN_OK and the policy, whose texts live as long
     * as the driver; CTN_E_DENIED with a sentence. */
    int (*policy)(void *ctx, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err);
    void *policy_ctx;
    size_t body_bytes_max; /* of an answer, all its pages together; a call may say less */
} ctn_webcall_options;

ctn_webcall_driver *ctn_webcall_driver_new(const ctn_webcall_options *options);
void ctn_webcall_driver_free(ctn_webcall_driver *driver); /* NULL is fine; calls under way are dropped */
ctn_driver ctn_webcall_driver_interface(ctn_webcall_driver *driver);
