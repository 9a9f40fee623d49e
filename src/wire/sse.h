/*
 * sse.h -- events out of a text/event-stream, as its bytes come (the HTML standard, "Server-sent events").
 *
 * Lines end with CR, LF or CRLF, a BOM may stand before the first, comments and unknown fields are skipped, several
 * `data` lines are one text with newlines between. An empty line ends an event; without a `data` line there is none,
 * but its id counts. What stands behind the last empty line when the stream ends is no event.
 *
 *     while (ctn_sse_next(&sse, &bytes, &event))
 *         ...                       // bytes is moved on; the event is borrowed until the next call
 *     if (sse.is_too_large) ...     // give the stream up: nothing comes out of it any more
 *
 * Ownership  init and done as with ctn_buf; the parser holds the event under way, at most event_bytes_max of it.
 */
#pragma once
#include "base/buf.h"

typedef struct ctn_sse_event {
    ctn_str type; /* "message" when the stream names none */
    ctn_str data; /* may be empty */
    ctn_str id;   /* the last id of the stream so far; empty: none */
} ctn_sse_event;

typedef struct ctn_sse {
    ctn_buf line; /* the beginning of a line whose end has not come */
    ctn_buf data, type, id;
    int64_t retry_ms; /* what the stream asks for; -1: nothing */
    bool has_data;
    bool is_begun;    /* the first line is behind us, and a BOM with it */
    bool may_skip_lf; /* the last byte was a CR */
    bool is_told;     /* the event in data was given: the next line begins a new one */
    bool is_too_large;
} ctn_sse;

void ctn_sse_init(ctn_sse *sse, size_t event_bytes_max);
void ctn_sse_done(ctn_sse *sse);
/* True: an event; there may be more in *bytes. False: all of *bytes was read. */
bool ctn_sse_next(ctn_sse *sse, ctn_str *bytes, ctn_sse_event *ret_event);
