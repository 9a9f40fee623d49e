/*
 * http_peer.c -- see http_peer.h.
 */
#include "support/http_peer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 2048, REQUEST_BYTES_MAX = 8 << 20 };

typedef struct connection {
    http_peer *peer;
    pthread_t thread;
    int fd;
    unsigned number;
} connection;

struct http_peer {
    http_peer_options options;
    int listener_fd, stop_fd; /* stop_fd is readable once the test is over */
    int port;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    unsigned requests, connection_count;
    connection connections[CONNECTIONS_MAX];
};

/* ---- saying ---- */

void http_say_bytes(http_asked *asked, const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count > 0 && !asked->is_closed) {
        ssize_t sent = send(asked->fd, at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            asked->is_closed = true;
            return;
        }
        at += sent;
        count -= (size_t) sent;
    }
}

void http_say(http_asked *asked, const char *text)
{
    http_say_bytes(asked, text, strlen(text));
}

void http_say_format(http_asked *asked, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    assert(length >= 0);
    http_say(asked, text);
    free(text);
}

void http_say_bytewise(http_asked *asked, const char *text)
{
    for (; *text; text++) {
        http_say_bytes(asked, text, 1);
        usleep(50);
    }
}

void http_answer(http_asked *asked, int status, const char *type, const char *body)
{
    http_say_format(asked, "HTTP/1.1 %d Said\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", status,
                    type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", strlen(body), body);
}

void http_close(http_asked *asked)
{
    asked->is_closed = true;
}

void http_reset(http_asked *asked)
{
    setsockopt(asked->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    asked->is_closed = true;
}

void http_hang(http_asked *asked)
{
    char rest[512];
    struct pollfd watched[] = {{.fd = asked->fd, .events = POLLIN}, {.fd = asked->peer->stop_fd, .events = POLLIN}};
    while (poll(watched, 2, -1) < 0 || (!watched[1].revents && recv(asked->fd, rest, sizeof rest, 0) > 0))
        ;
    asked->is_closed = true;
}

void http_pause(http_peer *peer, int ms)
{
    struct pollfd watched = {.fd = peer->stop_fd, .events = POLLIN};
    poll(&watched, 1, ms);
}

bool http_asked_header(const http_asked *asked, const char *name, char *out, size_t out_bytes)
{
    size_t name_bytes = strlen(name);
    for (const char *line = strstr(asked->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, name_bytes) != 0 || at[name_bytes] != ':')
            continue;
        at += name_bytes + 1;
        at += strspn(at, " \t");
        snprintf(out, out_bytes, "%.*s", (int) strcspn(at, "\r\n"), at);
        return true;
    }
    return false;
}

/* ---- listening ---- */

/* Reads up to a whole request into `text`; the bytes of it, or 0: the client is gone. `have`: what is there already. */
static size_t read_request(http_peer *peer, int fd, char *text, size_t *have, size_t *ret_head)
{
    for (;;) {
        text[*have] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        if (end) {
            size_t head = (size_t) (end - text) + 4, body = 0;
            for (char *line = text; line < end; line = strstr(line, "\r\n") + 2)
                if (strncasecmp(line, "Content-Length:", 15) == 0)
                    body = strtoul(line + 15, NULL, 10);
            assert(head + body < REQUEST_BYTES_MAX);
            if (*have >= head + body) {
                *ret_head = head;
                return head + body;
            }
        }
        struct pollfd watched[] = {{.fd = fd, .events = POLLIN}, {.fd = peer->stop_fd, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0)
            continue;
        if (watched[1].revents)
            return 0;
        ssize_t got = recv(fd, text + *have, REQUEST_BYTES_MAX - *have, 0);
        if (got <= 0)
            return 0;
        *have += (size_t) got;
    }
}

static void serve_requests(connection *c)
{
    http_peer *peer = c->peer;
    char *text = malloc(REQUEST_BYTES_MAX + 1);
    size_t have = 0, head_bytes = 0;
    assert(text);
    http_asked asked = {.peer = peer, .fd = c->fd, .connection = c->number};
    for (size_t bytes; !asked.is_closed && (bytes = read_request(peer, c->fd, text, &have, &head_bytes)) > 0;) {
        char method[16] = "", path[2048] = "";
        char *head = strndup(text, head_bytes), *body = strndup(text + head_bytes, bytes - head_bytes);
        assert(head && body);
        sscanf(head, "%15s %2047s", method, path);
        pthread_mutex_lock(&peer->lock);
        asked.number = ++peer->requests;
        pthread_mutex_unlock(&peer->lock);
        asked.turn++;
        asked.head = head;
        asked.method = method;
        asked.path = path;
        asked.body = body;
        asked.body_bytes = bytes - head_bytes;
        peer->options.serve(peer->options.ctx, &asked);
        free(head);
        free(body);
        have -= bytes;
        memmove(text, text + bytes, have);
    }
    free(text);
}

static void *serve_connection(void *ctx)
{
    connection *c = ctx;
    const http_peer_options *options = &c->peer->options;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (options->opened && !options->opened(options->ctx, c->number))
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    else if (options->connection)
        options->connection(options->ctx, c->fd);
    else
        serve_requests(c);
    close(c->fd);
    return NULL;
}

static void *accept_all(void *ctx)
{
    http_peer *peer = ctx;
    struct pollfd watched[] = {{.fd = peer->listener_fd, .events = POLLIN}, {.fd = peer->stop_fd, .events = POLLIN}};
    for (;;) {
        if (poll(watched, 2, -1) < 0)
            continue;
        if (watched[1].revents)
            return NULL;
        int fd = accept4(peer->listener_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&peer->lock);
        assert(peer->connection_count < CONNECTIONS_MAX);
        connection *c = &peer->connections[peer->connection_count++];
        *c = (connection){.peer = peer, .fd = fd, .number = peer->connection_count};
        pthread_mutex_unlock(&peer->lock);
        int rc = pthread_create(&c->thread, NULL, serve_connection, c);
        assert(rc == 0);
    }
}

http_peer *http_peer_start(const http_peer_options *options)
{
    http_peer *peer = calloc(1, sizeof *peer);
    assert(peer);
    peer->options = *options;
    pthread_mutex_init(&peer->lock, NULL);
    peer->stop_fd = eventfd(0, EFD_CLOEXEC);
    peer->listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int rc = bind(peer->listener_fd, (struct sockaddr *) &address, length);
    assert(rc == 0);
    rc = listen(peer->listener_fd, 1024);
    assert(rc == 0);
    rc = getsockname(peer->listener_fd, (struct sockaddr *) &address, &length);
    assert(rc == 0);
    peer->port = ntohs(address.sin_port);
    snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d", peer->port);
    rc = pthread_create(&peer->thread, NULL, accept_all, peer);
    assert(rc == 0);
    return peer;
}

void http_peer_stop(http_peer *peer)
{
    if (!peer)
        return;
    eventfd_write(peer->stop_fd, 1);
    pthread_join(peer->thread, NULL);
    for (unsigned i = 0; i < peer->connection_count; i++)
        pthread_join(peer->connections[i].thread, NULL);
    close(peer->listener_fd);
    close(peer->stop_fd);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

const char *http_peer_url(const http_peer *peer)
{
    return peer->url;
}

int http_peer_port(const http_peer *peer)
{
    return peer->port;
}

unsigned http_peer_requests(http_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    unsigned count = peer->requests;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

unsigned http_peer_connections(http_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    unsigned count = peer->connection_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}
