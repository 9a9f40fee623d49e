/*
 * guard.h -- whether a request may be believed at all: what libmicrohttpd lets through and RFC 9110 and 9112 do not.
 * Pure.
 *
 * Where two readers of one message may disagree (how long it is, whom it is for, where a header ends), one of them can
 * be made to see a request that the other did not. Such a request is refused whole and its connection closed.
 */
#pragma once
#include "server/web.h"

/* NULL, or what is wrong with them. */
const char *ctn_web_guard(const ctn_web_header *headers, size_t count);
