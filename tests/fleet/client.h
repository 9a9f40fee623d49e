/*
 * client.h -- one request to a node's API, by somebody who expects that it may never be answered.
 */
#pragma once
#include <stddef.h>

/* A connection of its own. The status, with the answer's body in `answer` (cut to size); 0: no answer, or not all of
 * it, and nobody knows whether the request did anything. headers: lines that end with \r\n; body NULL: none. */
int api_ask(int port, const char *method, const char *target, const char *headers, const char *body, int timeout_ms,
            char *answer, size_t size);
/* The value of the first "NAME":"VALUE" in the text, cut to size; "": there is none. */
void api_text(const char *json, const char *name, char *value, size_t size);
