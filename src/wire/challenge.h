/*
 * challenge.h -- WWW-Authenticate (RFC 9110, 11.6.1): what a server says of the leave that it wants. Pure.
 *
 * A value is a list of challenges whose parts are separated by the same comma as the challenges; a parameter belongs to
 * the scheme before it. What does not follow the grammar ends the reading: what stood before it counts. A parameter
 * given twice counts once, the first time.
 *
 * All of it is a stranger's word: texts for comparison and for URLs that are judged before they are fetched.
 */
#pragma once
#include "base/arena.h"

#define CTN_CHALLENGE_URL_BYTES_MAX 2048

typedef struct ctn_challenge {
    ctn_str error;             /* "invalid_token", "insufficient_scope"; empty here and below: not said */
    ctn_str scope;             /* separated by spaces */
    ctn_str resource_metadata; /* a URL: visible ASCII, of that length at most; what is not so is left out */
} ctn_challenge;

/* The first challenge of the scheme Bearer in the value of a header; false: there is none. Texts live in the arena. */
bool ctn_challenge_read(ctn_arena *arena, ctn_str value, ctn_challenge *ret_challenge);
