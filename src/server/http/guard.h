/*
 * guard.h -- whether a request may be believed at all: what libmicrohttpd lets through and RFC 9110 and 9112 do not.
 * Pure.
 *
 * Where two readers of one message may disagree (how long it is, whom it is for, where a header ends), one of them can
 * be made to see a request that the other did not. Such a request is refused whole and its connection closed.
 */
#pragma once
#include "base/str.h"

typedef struct ctn_web_header {
    ctn_str name, value; /* as they came; a value may have any byte in it */
} ctn_web_header;

/* NULL, or what is wrong with them. */
const char *ctn_web_guard(const ctn_web_header *headers, size_t count);
/* Names are compared without case. The first one; ptr NULL: there is none. */
ctn_str ctn_web_header_of(const ctn_web_header *headers, size_t count, const char *name);
bool ctn_web_name_is(ctn_str name, const char *lower);
