/*
 * bench_web_server -- the MCP tool server of the benchmarks over HTTP, on loopback.
 *
 *     bench_web_server          prints its URL, and serves until its stdin ends
 *
 * The tool `next` of bench_server, behind as little HTTP/1.1 as clients of MCP need: POST with Content-Length,
 * connections that are kept, one thread. It is there to be called by clients that are measured, so it does no more than
 * it must.
 */
#include "base/memory.h"
#include "kit.h"
#include "step.h"
#include "wire/mcp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const ctn_mcp_server_tool TOOLS[] = {
    {.name = "next",
     .description = "Takes the previous object, returns the next.",
     .input_schema = "{\"type\":\"object\",\"required\":[\"chain\"]}",
     .output_schema = "{\"type\":\"object\",\"required\":[\"state\"],\"properties\":{\"state\":{\"type\":\"object\"}}}",
     .is_idempotent = true},
};

enum { EVENTS_MAX = 256, READ_BYTES = 16384, MESSAGE_BYTES_MAX = 1 << 20 };

typedef struct connection {
    int fd;
    ctn_buf in;
} connection;

typedef struct server {
    ctn_mcp_server *mcp;
    int epoll_fd, listener_fd;
    ctn_buf message, out; /* of the request at hand */
} server;

static void call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    ret_reply->value = bench_step(call->arena, call->arguments);
}

/* ---- one request ---- */

/* The answer to a message is its last line: what is told before it has no place in a plain answer. */
static ctn_str last_line(ctn_str lines)
{
    lines = ctn_str_trim(lines);
    const char *newline = lines.len ? memrchr(lines.ptr, '\n', lines.len) : NULL;
    return newline ? ctn_str_from_offset(lines, (size_t) (newline + 1 - lines.ptr)) : lines;
}

static void answer(server *s, ctn_str head, ctn_str body)
{
    ctn_buf_clear(&s->message);
    ctn_buf_clear(&s->out);
    if (!ctn_str_starts_with(head, CTN_STR("POST "))) {
        ctn_buf_append_literal(&s->out, "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    ctn_mcp_server_line(s->mcp, body, &s->message);
    ctn_str text = last_line(ctn_buf_str(&s->message));
    if (text.len == 0)
        ctn_buf_append_literal(&s->out, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    else
        ctn_buf_printf(&s->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                       text.len, CTN_STR_ARG(text));
}

static size_t content_length(ctn_str head)
{
    while (head.ptr) {
        ctn_str line = ctn_str_cut(&head, '\n');
        int64_t length = 0;
        if (line.len > 15 && strncasecmp(line.ptr, "content-length:", 15) == 0 &&
            ctn_str_to_int64(ctn_str_trim(ctn_str_from_offset(line, 15)), &length))
            return (size_t) length;
    }
    return 0;
}

/* False: the connection is over. */
static bool answer_whole_requests(server *s, connection *c)
{
    for (;;) {
        ctn_str have = ctn_buf_str(&c->in);
        size_t end = ctn_str_find(have, CTN_STR("\r\n\r\n"));
        if (end == SIZE_MAX)
            return true;
        ctn_str head = {have.ptr, end};
        size_t length = content_length(head), all = end + 4 + length;
        if (have.len < all)
            return true;
        answer(s, head, (ctn_str){have.ptr + end + 4, length});
        if (send(c->fd, s->out.data, s->out.len, MSG_NOSIGNAL) != (ssize_t) s->out.len)
            return false; /* answers are small, and fit where they go */
        ctn_buf_consume(&c->in, all);
    }
}

/* ---- connections ---- */

static void accept_some(server *s)
{
    for (int fd; (fd = accept4(s->listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        connection *c = ctn_calloc(1, sizeof *c);
        c->fd = fd;
        ctn_buf_init(&c->in, MESSAGE_BYTES_MAX);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
    }
}

static void read_some(server *s, connection *c)
{
    char *room = ctn_buf_reserve(&c->in, READ_BYTES);
    ssize_t got = room ? recv(c->fd, room, READ_BYTES, 0) : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        c->in.len += (size_t) got;
        if (answer_whole_requests(s, c))
            return;
    }
    close(c->fd);
    ctn_buf_done(&c->in);
    free(c);
}

static void listen_on_loopback(server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    s->listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(s->listener_fd, (struct sockaddr *) &address, length) || listen(s->listener_fd, 4096) ||
        getsockname(s->listener_fd, (struct sockaddr *) &address, &length))
        bench_die("listening", strerror(errno));
    printf("http://127.0.0.1:%d/mcp\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(void)
{
    server s = {.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    ctn_mcp_server_options options = {
        .name = "bench", .version = "1", .tools = TOOLS, .tool_count = 1, .call = call, .ctx = &s};
    ctn_err err = {0};
    bench_must(ctn_mcp_server_new(&options, &s.mcp, &err), "server", &err);
    ctn_buf_init(&s.message, MESSAGE_BYTES_MAX);
    ctn_buf_init(&s.out, MESSAGE_BYTES_MAX);
    listen_on_loopback(&s);
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    epoll_ctl(s.epoll_fd, EPOLL_CTL_ADD, s.listener_fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &s});
    epoll_ctl(s.epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(s.epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (!events[i].data.ptr)
                return 0; /* whoever started us has ended */
            if (events[i].data.ptr == &s)
                accept_some(&s);
            else
                read_some(&s, events[i].data.ptr);
        }
    }
}
