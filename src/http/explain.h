/*
 * explain.h -- why a request has failed, for people: what libcurl says, and what to look at first.
 */
#pragma once
#include <curl/curl.h>

#include "base/arena.h"

/* says: of CURLOPT_ERRORBUFFER; empty: nothing. */
const char *ctn_http_explain(ctn_arena *arena, CURLcode code, const char *says);
