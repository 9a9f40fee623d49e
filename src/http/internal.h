/*
 * internal.h -- what http.c (all calls: the multi handle, sockets, time) and call.c (one request) know of each other.
 *
 * Nothing of libcurl's multi interface may be called from inside one of its callbacks, and our callers call us from
 * there: they send and cancel in the middle of an event. So both only file the call, and a task does what is to be
 * done in the loop's next round.
 */
#pragma once
#include <curl/curl.h>

#include "base/arena.h"
#include "base/heap.h"
#include "http/http.h"
#include "http/policy.h"
#include "http/url.h"
#include "loop/watch.h"

typedef enum ctn_call_state {
    CTN_CALL_SPARE,   /* nobody's, kept for the next */
    CTN_CALL_FILED,   /* to be started, or refused, by the task */
    CTN_CALL_RUNNING, /* in the multi handle */
    CTN_CALL_DROPPED, /* cancelled: no event any more; the task takes it out */
} ctn_call_state;

/* What became known of the present hop. A repeat by libcurl and a redirect begin it anew. */
typedef struct ctn_hop_state {
    ctn_hop judged;        /* what the policy is asked about */
    bool is_proxied;       /* then addresses are the proxy's, which the operator chose */
    bool is_started;       /* connected, and about to send */
    bool is_head_complete; /* status and headers are there (and told, unless they are a redirect that is followed) */
    bool is_redirect;
    int status;
    size_t header_bytes, header_count, header_capacity;
    ctn_http_header *headers;
    uint64_t body_bytes;
} ctn_hop_state;

struct ctn_http_call {
    ctn_http *http;
    ctn_loop *loop;
    ctn_call_state state;
    CURL *easy; /* kept with the call, and so is the arena */
    ctn_arena *arena;
    struct curl_slist *lines;     /* headers as libcurl wants them */
    ctn_http_call *newer, *older; /* all that are not spare; `older` alone among the spare */
    ctn_http_call *next_filed;
    bool is_filed, is_added;
    ctn_heap_node deadline;
    int64_t due_ms; /* of the whole; INT64_MAX: none */
    int64_t connect_due_ms, last_byte_at_ms;

    ctn_http_request request; /* its texts and headers are in the arena */
    ctn_http_policy policy;
    ctn_url url;
    ctn_hop_state hop;
    unsigned redirects_left;
    unsigned starts;       /* of this hop: more than one is libcurl repeating */
    const char *objection; /* of the policy; NULL: none */
    int verdict;           /* ours, over what libcurl says; CTN_OK: none */
    const char *verdict_why;
    char curl_says[CURL_ERROR_SIZE];
};

/* ---- call.c ---- */
ctn_http_call *ctn_call_make(ctn_http *http, ctn_loop *loop); /* with its easy handle */
void ctn_call_destroy(ctn_http_call *call);
/* Copies the request and sets the handle up; what is wrong with it becomes the verdict. */
void ctn_call_prepare(ctn_http_call *call, const ctn_http_request *request);
/* The transfer is over and taken out. True: there is another hop, which is set up and to be started. */
bool ctn_call_goes_on(ctn_http_call *call, CURLcode result);
/* Tells `ended`. */
void ctn_call_tell_end(ctn_http_call *call, CURLcode result);
