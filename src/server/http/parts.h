/*
 * parts.h -- what the parts of the listener share: a server, its connections and their requests. listener.c turns the
 * library, connections.c keeps what there is, taking.c takes requests in, answers.c answers them.
 *
 * What must hold: a request is on one of the lists from its first line until the library says that it is complete;
 * `is_over` says that nobody outside holds it any more. A connection is resumed exactly when it is suspended.
 */
#pragma once
#include <microhttpd.h>
#include "loop/watch.h"
#include "server/http/tls.h"
#include "server/web.h"

/* A connection. Between requests nothing of the library's counts how long a first line takes. */
typedef struct ctn_web_visit {
    struct MHD_Connection *connection;
    int64_t since_ms; /* without a request; -1: it has one, and is not on the list */
    bool is_cut;
    struct ctn_web_visit *prev, *next;
} ctn_web_visit;

struct ctn_web_request {
    ctn_web *web;
    ctn_web_visit *visit;
    struct MHD_Connection *connection;
    ctn_arena *arena;
    ctn_web_ask ask;
    const struct ctn_caller *caller;
    ctn_str caller_name;
    const char *operation; /* NULL: not said */
    uint64_t bytes_out;
    ctn_buf body;
    int64_t began_at_ms;
    bool is_whole; /* it was handed over */
    bool is_over;  /* answered to the end, or gone */
    bool is_suspended;
    bool is_lost; /* the connection is of no use */
    bool is_too_large;
    bool is_one_too_many; /* there is no room for its body beside those of others */
    bool is_inside;       /* a callback of the library is on the stack */
    void (*gone)(void *ctx);
    void *gone_ctx;
    ctn_poller *poller;            /* watches for the client's leaving */
    struct MHD_Response *response; /* to be queued, or was; NULL: none yet */
    int status;
    bool is_queued, is_stream;
    ctn_buf stream;         /* what waits to be sent */
    ctn_web_request **list; /* that it is on */
    ctn_web_request *prev, *next;
};

struct ctn_web {
    ctn_web_options of;
    struct MHD_Daemon *daemon;
    ctn_poller *poller;
    ctn_timer *timer; /* the library's time-outs, and ours */
    ctn_task turn;
    int listen_fd;
    char address[80];
    ctn_web_tls *tls;          /* NULL: HTTP without TLS */
    ctn_web_request *arriving; /* not handed over yet */
    ctn_web_request *taken;    /* handed over: streams, too, which may be thousands */
    size_t body_bytes;         /* of all requests */
    size_t open_count;         /* taken, and not answered to the end */
    ctn_web_visit *visits;     /* those without a request */
    int64_t swept_at_ms;
    bool has_room; /* a connection was closed */
    bool is_draining;
};

/* ---- listener.c ---- */

/* The library is turned soon: there is something for it to do. */
void ctn_web_file_turn(ctn_web *web);

/* ---- connections.c ---- */

void ctn_web_shut(struct MHD_Connection *connection);
void ctn_web_cut_off(ctn_web_request *r);
void ctn_web_suspend(ctn_web_request *r);
void ctn_web_resume(ctn_web_request *r); /* or nothing, if it is not suspended */
/* To another of the lists. */
void ctn_web_move(ctn_web_request *r, ctn_web_request **list);
/* Nobody outside holds it any more. */
void ctn_web_over(ctn_web_request *r);

/* What the library tells of a connection; of a request's first line, before which it has none; of a request's end. */
void ctn_web_on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                           enum MHD_ConnectionNotificationCode what);
void *ctn_web_on_uri(void *ctx, const char *uri, struct MHD_Connection *connection);
void ctn_web_on_completed(void *ctx, struct MHD_Connection *connection, void **request,
                          enum MHD_RequestTerminationCode how);

/* ---- taking.c ---- */

/* Of its head, of each part of its body, of its end, and once more when it was resumed. */
enum MHD_Result ctn_web_on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                   const char *version, const char *bytes, size_t *count, void **request);

/* ---- answers.c ---- */

/* What it was answered goes to the library. */
enum MHD_Result ctn_web_queue(ctn_web_request *r);
/* A sentence, and the connection is closed: what follows on it is not to be believed. */
enum MHD_Result ctn_web_refuse(ctn_web_request *r, int status, const char *sentence);
