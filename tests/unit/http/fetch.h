/* fetch.h -- sends requests and keeps what is told of them. For tests of http/. */
#pragma once
#include "base/buf.h"
#include "http/http.h"

typedef struct fetch {
    ctn_loop *loop;
    ctn_http *http;
    ctn_timer *patience;
    bool is_out_of_patience;
} fetch;

/* What was told of one request. */
typedef struct fetched {
    fetch *fetch;
    ctn_http_call *call; /* NULL once it ended */
    unsigned heads, ends;
    int status;
    char content_type[80], header[200]; /* the header "X-Test" */
    ctn_buf body;
    ctn_http_end end;
    char why[400];
    bool cancels_at_head, cancels_at_bytes;
} fetched;

fetch *fetch_new(const ctn_http_options *options); /* NULL: none */
void fetch_free(fetch *f);
/* Sends; its events are ours. */
void fetch_send(fetch *f, fetched *ret_fetched, ctn_http_request request);
/* Runs the loop until they have ended; fails the test after 10 s. */
void fetch_wait(fetch *f, fetched *fetched, size_t count);
void fetch_run_for(fetch *f, int64_t ms);
void fetched_done(fetched *fetched);
/* The whole: sends, waits; the caller frees with fetched_done. */
fetched fetch_once(fetch *f, ctn_http_request request);
/* "METHOD url", with a body if it is not NULL. */
ctn_http_request request_of(const char *method, const char *url, const char *body);
