/*
 * redirect.c -- see redirect.h. As much of HTTP/1.1 as a browser needs to be told "you may close this": the first line
 * of a request counts, each connection has one.
 */
#include "oauth/redirect.h"
#include "base/memory.h"
#include "loop/watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VISITORS_MAX = 8, LINE_BYTES_MAX = 24 * 1024 };

typedef struct visitor {
    ctn_redirect *redirect;
    ctn_stream *stream; /* NULL: nobody */
    bool is_answered;
} visitor;

struct ctn_redirect {
    ctn_loop *loop;
    ctn_poller *poller;
    int fd;
    char url[64];
    ctn_redirect_fn *came;
    void *ctx;
    visitor visitors[VISITORS_MAX];
};

static void answer(visitor *v, const char *status, const char *says)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_buf_printf(
        &out,
        "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
        "Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n"
        "<!doctype html><title>catena</title><p>%s</p>",
        status, strlen(says) + sizeof "<!doctype html><title>catena</title><p></p>" - 1, says);
    (void) ctn_stream_write(v->stream, ctn_buf_str(&out));
    ctn_stream_shutdown(v->stream);
    ctn_buf_done(&out);
    v->is_answered = true;
}

static void on_line(void *ctx, ctn_str line)
{
    visitor *v = ctx;
    if (v->is_answered)
        return;
    ctn_str rest = line, method = ctn_str_cut(&rest, ' '), target = ctn_str_cut(&rest, ' ');
    ctn_str path = ctn_str_cut(&target, '?');
    const char *says = "This is not the page that catena waits for.";
    if (!ctn_str_is(method, "GET") || !ctn_str_is(path, "/callback"))
        answer(v, "404 Not Found", "There is nothing here.");
    else if (v->redirect->came(v->redirect->ctx, target, &says))
        answer(v, "200 OK", says);
    else
        answer(v, "400 Bad Request", says);
}

static void leave(visitor *v)
{
    ctn_stream_free(v->stream);
    v->stream = NULL;
}

static void on_too_long(void *ctx, ctn_str head)
{
    visitor *v = ctx;
    (void) head;
    if (!v->is_answered)
        answer(v, "431 Request Header Fields Too Large", "That is too long.");
}

static void on_closed(void *ctx, int code, const char *why)
{
    (void) code;
    (void) why;
    leave(ctx);
}

static void on_knock(void *ctx, int events)
{
    ctn_redirect *r = ctx;
    (void) events;
    int fd;
    while ((fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        visitor *v = NULL;
        for (int i = 0; i < VISITORS_MAX; i++)
            if (!r->visitors[i].stream)
                v = &r->visitors[i];
        if (!v) /* who holds connections open and says nothing does not keep the browser out */
            leave(v = &r->visitors[0]);
        *v = (visitor){.redirect = r};
        ctn_stream_events events_of = {.line = on_line,
                                       .line_too_long = on_too_long,
                                       .closed = on_closed,
                                       .ctx = v,
                                       .line_bytes_max = LINE_BYTES_MAX};
        v->stream = ctn_stream_open(r->loop, fd, &events_of);
    }
    ctn_poller_set(r->poller, CTN_POLL_READ);
}

int ctn_redirect_open(ctn_loop *loop, int port, ctn_redirect_fn *came, void *ctx, ctn_redirect **ret_redirect,
                      ctn_err *err)
{
    ctn_redirect *r = ctn_malloc(sizeof *r);
    *r = (ctn_redirect){.loop = loop, .came = came, .ctx = ctx, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1;
    if (r->fd >= 0)
        (void) setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (r->fd < 0 || bind(r->fd, (struct sockaddr *) &at, size) || listen(r->fd, VISITORS_MAX) ||
        getsockname(r->fd, (struct sockaddr *) &at, &size) ||
        (errno = ctn_poller_new(loop, r->fd, on_knock, r, &r->poller))) {
        int rc =
            ctn_fail(err, CTN_E_IO, "no port of 127.0.0.1 can be listened on for the browser: %s", strerror(errno));
        ctn_redirect_close(r);
        return rc;
    }
    snprintf(r->url, sizeof r->url, "http://127.0.0.1:%d/callback", ntohs(at.sin_port));
    ctn_poller_set(r->poller, CTN_POLL_READ);
    *ret_redirect = r;
    return CTN_OK;
}

ctn_str ctn_redirect_url(const ctn_redirect *redirect)
{
    return ctn_str_from(redirect->url);
}

void ctn_redirect_close(ctn_redirect *r)
{
    if (!r)
        return;
    for (int i = 0; i < VISITORS_MAX; i++)
        leave(&r->visitors[i]);
    ctn_poller_free(r->poller);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}
