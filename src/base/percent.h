/*
 * percent.h -- text as part of a URI or a form (RFC 3986): what is not unreserved becomes %XX, byte by byte. Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

void ctn_percent_append(ctn_buf *out, ctn_str text);
ctn_str ctn_percent_encode(ctn_arena *arena, ctn_str text);
