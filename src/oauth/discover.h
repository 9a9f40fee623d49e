/*
 * discover.h -- who gives tokens for a server: its protected resource metadata, then the metadata of an authorization
 * server that it names. Private to oauth/.
 *
 * What must hold: the resource covers the server; the issuer's document names the issuer that the resource named,
 * letter by letter, or nothing in it is used; every URL, and every redirect on the way, is fetched under the policy.
 *
 * Errors  CTN_E_DENIED: there is no such metadata, or the policy forbids where it is; CTN_E_INVALID: it is there and is
 * not to be believed; CTN_E_IO, CTN_E_TIMEOUT: not reached.
 */
#pragma once
#include "http/http.h"
#include "wire/oauth.h"

typedef struct ctn_discover ctn_discover;

typedef struct ctn_discovered {
    ctn_oauth_resource resource;
    ctn_oauth_issuer issuer;
} ctn_discovered;
/* The texts live in the arena that was given. */
typedef void ctn_discover_fn(void *ctx, int code, const ctn_discovered *found, const char *why);

typedef struct ctn_discover_options {
    ctn_http *http;
    const ctn_http_policy *policy;
    ctn_arena *arena;
    ctn_str url;               /* of the server */
    ctn_str resource_metadata; /* as the challenge says; empty: the well-known places */
    ctn_str issuer_only;       /* no other will do; empty: any */
    ctn_str issuer_first;      /* taken when it is among those that are named; empty: the first */
} ctn_discover_options;

/* `done` comes from the loop, never from inside; after it the discovery is freed. */
ctn_discover *ctn_discover_new(const ctn_discover_options *options, ctn_discover_fn *done, void *ctx);
void ctn_discover_cancel(ctn_discover *discover); /* NULL is fine */
