/*
 * http_peer.h -- a server of HTTP/1.1 on loopback that says exactly what a test wants, byte by byte, or nothing.
 *
 * Each connection has a thread of its own. For each request that was read whole, `serve` is called there; it says what
 * it likes and may close, reset or hang. Then the next request of the connection is read, unless it was closed.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct http_peer http_peer;

/* One request as it came; its texts live until serve returns. */
typedef struct http_asked {
    http_peer *peer;
    int fd;
    unsigned number;     /* over all connections, from 1 */
    unsigned connection; /* from 1 */
    unsigned turn;       /* on its connection, from 1 */
    const char *head;    /* the request line and the headers, each line with its CRLF */
    const char *method, *path;
    const char *body;
    size_t body_bytes;
    bool is_closed;
} http_asked;

typedef struct http_peer_options {
    void (*serve)(void *ctx, http_asked *asked);
    /* NULL, or: false resets the connection as soon as it is there. */
    bool (*opened)(void *ctx, unsigned connection);
    /* NULL, or what a connection does instead of HTTP: everything, with the descriptor that is closed behind it. */
    void (*connection)(void *ctx, int fd);
    void *ctx;
} http_peer_options;

http_peer *http_peer_start(const http_peer_options *options);
void http_peer_stop(http_peer *peer);             /* ends what hangs and joins every thread; NULL is fine */
const char *http_peer_url(const http_peer *peer); /* "http://127.0.0.1:PORT" */
int http_peer_port(const http_peer *peer);
unsigned http_peer_requests(http_peer *peer);
unsigned http_peer_connections(http_peer *peer);

/* The value of a header, copied to out; false: it is not there. */
bool http_asked_header(const http_asked *asked, const char *name, char *out, size_t out_bytes);
/* What is said. A peer that is gone is no failure. */
void http_say(http_asked *asked, const char *text);
void http_say_bytes(http_asked *asked, const void *bytes, size_t count);
void http_say_format(http_asked *asked, const char *format, ...) __attribute__((format(printf, 2, 3)));
void http_say_bytewise(http_asked *asked, const char *text); /* each byte a packet of its own */
/* A whole answer with its Content-Length; type NULL: none. */
void http_answer(http_asked *asked, int status, const char *type, const char *body);
void http_close(http_asked *asked);       /* after what was said */
void http_reset(http_asked *asked);       /* RST */
void http_hang(http_asked *asked);        /* until the client or the test is gone; closes */
void http_pause(http_peer *peer, int ms); /* ends early when the test does */
