/*
 * url.h -- the parts of a URL that was read once.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

/* Texts are in the arena that it was read into, and end with a NUL. */
typedef struct ctn_url {
    ctn_str text;
    ctn_str scheme, host; /* in lower case; an IPv6 address with its brackets */
    ctn_str port;         /* empty: the scheme's own */
    ctn_str path;         /* never empty */
    bool is_https;
    bool is_loopback;
} ctn_url;

/* CTN_E_INVALID: no URL of http or https, or one with a user in it. */
int ctn_url_read(ctn_arena *arena, ctn_str text, ctn_url *ret_url, ctn_err *err);
ctn_str ctn_url_origin_of(ctn_arena *arena, const ctn_url *url);
