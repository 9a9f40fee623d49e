/*
 * web.h -- an HTTP/1.1 server in the loop (http/listener.c: libmicrohttpd, which stays in there).
 *
 * A request is handed over whole, its body in memory, after the guard (http/guard.h), the limits and `admit` have let
 * it through. `admit` is asked once the headers are there: of whoever it answers at once no byte of the body is kept,
 * so that a stranger costs no memory. It is answered once: by _answer, or by _stream, any number of _send, and _end.
 * Both may come at once, from inside `take`, or much later; meanwhile nothing is read from the connection, and `gone`
 * tells when the client has left.
 *
 * Bounds  connections_max connections, the next ones wait in the kernel's queue; headers of 16 KiB; bodies of
 *         body_bytes_max (413); a request that is not there whole after arrive_ms is cut off, a connection that is idle
 *         or dribbles its first line after idle_ms; a stream whose client does not read is cut off when
 *         stream_bytes_max wait for it.
 *
 *         Who waits costs no time: only requests that have not arrived, and connections without one, are looked over.
 *
 * TLS     1.2 and 1.3, by certificate files that are read again when they have changed (http/tls.h).
 *
 * Ownership  A request is the listener's; valid until it was answered (_answer, _end), or `gone` has returned.
 * Threads    The loop's.
 */
#pragma once
#include "base/arena.h"
#include "base/log.h"
#include "loop/loop.h"

typedef struct ctn_web_header {
    ctn_str name, value; /* as they came; a value may have any byte in it */
} ctn_web_header;
/* Names are compared without case. The first one; ptr NULL: there is none. */
ctn_str ctn_web_header_of(const ctn_web_header *headers, size_t count, const char *name);

typedef struct ctn_web ctn_web;
typedef struct ctn_web_request ctn_web_request;

/* What became of a request: for the log of accesses and for figures. */
typedef struct ctn_web_told {
    ctn_str method, path;    /* as they came: the path is the client's to choose; never its query */
    ctn_str from, caller;    /* caller: its name; empty: nobody was recognised */
    const char *operation;   /* NULL: none was named */
    int status;              /* 0: it ended before there was an answer */
    bool is_stream, was_cut; /* was_cut: the client left, or was cut off, before all of it was sent */
    size_t bytes_in;         /* of its body */
    uint64_t bytes_out;      /* of the answer's; of one that was cut: those that were given to be sent */
    int64_t took_ms;         /* from its first line to the end */
} ctn_web_told;

typedef struct ctn_web_options {
    ctn_loop *loop;
    const ctn_log *log;
    void (*admit)(void *ctx, ctn_web_request *request); /* may _answer, or name the caller; NULL: everybody comes in */
    void (*take)(void *ctx, ctn_web_request *request);
    void (*tell)(void *ctx, const ctn_web_told *told); /* each request, once, when it is over; NULL: nobody */
    void *ctx;
    const char *tls_cert_file, *tls_key_file; /* PEM, both or neither; NULL: HTTP without TLS */
    unsigned connections_max;                 /* 0: 12000, or as many as there are descriptors for */
    size_t body_bytes_max;                    /* 0: 4 MiB */
    size_t stream_bytes_max;                  /* 0: 4 MiB */
    int64_t arrive_ms;                        /* 0: 30000 */
    int64_t idle_ms;                          /* 0: 60000 */
} ctn_web_options;

/* address: "127.0.0.1:8642", "[::1]:8642"; port 0: the system picks. CTN_E_INVALID: no such address, or no certificate
 * with its key; CTN_E_DENIED: others may read the key; CTN_E_IO: it cannot be listened on; CTN_E_LIMIT: there are no
 * descriptors for as many connections as are asked for. */
int ctn_web_open(const ctn_web_options *options, ctn_str address, ctn_web **ret_web, ctn_err *err);
void ctn_web_close(ctn_web *web); /* NULL is fine; requests under way are cut off, nothing is told */
/* It is about to be closed: each answer from here on ends its connection, and connections without a request are closed.
 * What still comes in is handed over: whoever takes it refuses it. */
void ctn_web_drain(ctn_web *web);
/* Requests that were taken and are not answered to the end, streams among them. */
size_t ctn_web_open_count(const ctn_web *web);
/* What was taken is answered, and the answers are out. */
bool ctn_web_is_quiet(const ctn_web *web);
/* "127.0.0.1:41233": what is listened on. */
ctn_str ctn_web_address(const ctn_web *web);
/* CTN_E_INVALID, with a sentence, when it is none. Names are not looked up: numbers, and localhost. */
int ctn_web_check_address(ctn_str address, bool *ret_is_loopback, ctn_err *err);

/* ---- a request ---- */

typedef struct ctn_web_ask {
    ctn_str method, path;        /* "POST", "/mcp"; without the query; percent-decoded */
    const ctn_web_header *query; /* in order, decoded; a name without = has the value "" */
    size_t query_count;
    ctn_str from; /* who has connected: "203.0.113.9", "::1"; without the port */
    const ctn_web_header *headers;
    size_t header_count;
    ctn_str body;
} ctn_web_ask;
const ctn_web_ask *ctn_web_ask_of(const ctn_web_request *request);
ctn_arena *ctn_web_arena(ctn_web_request *request); /* lives as long */
/* Who it is, as `admit` has found out (host/access.h); NULL: it has not said. Borrowed, but for its name. */
struct ctn_caller;
void ctn_web_set_caller(ctn_web_request *request, const struct ctn_caller *caller);
const struct ctn_caller *ctn_web_caller(const ctn_web_request *request);
/* What is done, as `tell` calls it: "executions.start", "mcp". One of a few: it becomes a label of metrics. */
void ctn_web_set_operation(ctn_web_request *request, const char *operation); /* borrowed, outlives the listener */
void ctn_web_when_gone(ctn_web_request *request, void (*gone)(void *ctx), void *ctx);

/* headers: of the answer, beside its length. */
void ctn_web_answer(ctn_web_request *request, int status, const ctn_web_header *headers, size_t header_count,
                    ctn_str body);
void ctn_web_stream(ctn_web_request *request, int status, const ctn_web_header *headers, size_t header_count);
/* False: the client does not read, and is cut off: `gone` comes. */
bool ctn_web_send(ctn_web_request *request, ctn_str bytes);
void ctn_web_end(ctn_web_request *request);
/* Bytes of a stream that wait for its client. */
size_t ctn_web_waiting_bytes(const ctn_web_request *request);
