/*
 * answer.h -- what an answer over HTTP means: whether the work was done, and what it gave. Pure.
 *
 *   a status of `success`          it succeeded
 *   401, 403                       denied
 *   425, 503 with Retry-After      unavailable: the peer says that it did not do it; tried again, a write too
 *   429                            rate_limited: the same
 *   408, other 5xx but 501         transport: it may have been done; of a write nobody knows
 *   3xx, other 4xx, 501            tool_error: it was refused, for good
 *
 * A 503 without Retry-After is what a proxy says of a peer that died under the request, too; so it proves nothing.
 */
#pragma once
#include "base/json.h"
#include "http/http.h"
#include "value/failure.h"

ctn_failure ctn_webcall_failure_of(int status, bool has_retry_after);

/* The headers by name in lower case, several of one name joined with ", "; cookies are left out. */
const ctn_json *ctn_webcall_headers(ctn_arena *arena, const ctn_http_head *head);
/* The addresses of the Link headers (RFC 8288) by their rel: {next: "..."}. */
const ctn_json *ctn_webcall_links(ctn_arena *arena, const ctn_http_head *head);

/* May an answer of this type be taken? accept NULL: any. "text/plain", with "text/" and a star for any text. */
bool ctn_webcall_is_accepted(const ctn_json *accept, ctn_str type);
/* Of type JSON: what it says, in which a key given twice is refused, for two readers may see two things in it. Without
 * a type: the same if it is JSON. Else {text}. An empty one is {}. CTN_E_INVALID with a sentence. */
int ctn_webcall_value(ctn_arena *arena, ctn_str type, ctn_str body, const ctn_json **ret_value, ctn_err *err);
