/*
 * redirect.h -- where the browser comes back to: a port of loopback that takes one path and nothing else. Private to
 * oauth/.
 *
 * Anybody on this machine can knock: what does not come with our state is answered and passed by, and the wait goes on.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "loop/loop.h"

typedef struct ctn_redirect ctn_redirect;

/* The query of a request for the path; false: it is not ours, go on waiting. What the person is shown is *ret_says. The
 * redirect must not be freed from inside. */
typedef bool ctn_redirect_fn(void *ctx, ctn_str query, const char **ret_says);

/* port 0: one that the system picks. */
int ctn_redirect_open(ctn_loop *loop, int port, ctn_redirect_fn *came, void *ctx, ctn_redirect **ret_redirect,
                      ctn_err *err);
/* "http://127.0.0.1:PORT/callback" */
ctn_str ctn_redirect_url(const ctn_redirect *redirect);
void ctn_redirect_close(ctn_redirect *redirect); /* NULL is fine */
