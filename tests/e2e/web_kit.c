/*
 * web_kit.c -- see web_kit.h.
 */
#include "e2e/web_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_S  30
#define BYTES_MAX ((size_t) 32 << 20)

void web_open(web *s, world *w, const char *more)
{
    char line[COMMAND_MAX], log[4096];
    static const char mark[] = "http://127.0.0.1:";
    *s = (web){.w = w, .fd = -1};
    snprintf(s->log, sizeof s->log, "serve.log");
    cli_world_write(w, s->log, "%s", ""); /* what one before has said */
    snprintf(line, sizeof line, "exec catena serve --listen 127.0.0.1:0 %s 2>%s", more, s->log);
    s->server = shell_start(w, line);
    cli_world_await(w, s->log, mark);
    cli_world_read(w, s->log, log, sizeof log);
    s->port = atoi(strstr(log, mark) + strlen(mark));
    assert_true(s->port > 0);
}

void web_close(web *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    running_stop(s->w, &s->server);
}

static void connect_now(web *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) s->port)};
    struct timeval wait = {.tv_sec = ANSWER_S};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    (void) setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(s->fd, (struct sockaddr *) &to, sizeof to), 0);
}

int web_stream(web *s, const char *target, const char *headers)
{
    char line[2048];
    web other = {.w = s->w, .port = s->port};
    connect_now(&other);
    int len = snprintf(line, sizeof line, "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n%s\r\n", target, s->port, headers);
    assert_in_range(len, 1, sizeof line - 1);
    assert_int_equal(send(other.fd, line, (size_t) len, MSG_NOSIGNAL), len);
    return other.fd;
}

bool web_stream_await(int fd, ctn_buf *text, const char *mark)
{
    char bytes[16384];
    while (!mark || ctn_str_find(ctn_buf_str(text), ctn_str_from(mark)) == SIZE_MAX) {
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        assert_false(count < 0 && errno == EAGAIN); /* silence: what is waited for never comes */
        if (count <= 0)
            return false;
        ctn_buf_append(text, (ctn_str){bytes, (size_t) count});
    }
    return true;
}

static bool put_all(web *s, ctn_str bytes)
{
    while (bytes.len) {
        ssize_t count = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        bytes = ctn_str_from_offset(bytes, (size_t) count);
    }
    return true;
}

/* More of it; false: the connection has ended. */
static bool read_more(web *s, ctn_buf *in)
{
    char bytes[16384];
    ssize_t count = recv(s->fd, bytes, sizeof bytes, 0);
    if (count <= 0)
        return false;
    ctn_buf_append(in, (ctn_str){bytes, (size_t) count});
    assert_false(in->overflowed);
    return true;
}

ctn_str web_header(const web_answer *a, const char *name)
{
    ctn_str rest = a->head;
    while (rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        ctn_str key = ctn_str_cut(&line, ':');
        if (line.ptr && ctn_str_equal_any_case(key, ctn_str_from(name)))
            return ctn_str_trim(line);
    }
    return (ctn_str){0};
}

static size_t await(web *s, ctn_buf *in, size_t from, const char *mark)
{
    for (;;) {
        size_t at = ctn_str_find(ctn_str_from_offset(ctn_buf_str(in), from), ctn_str_from(mark));
        if (at != SIZE_MAX)
            return from + at;
        if (!read_more(s, in))
            return SIZE_MAX;
    }
}

static void read_chunks(web *s, ctn_arena *arena, ctn_buf *in, size_t at, ctn_str *ret_body)
{
    ctn_buf body;
    ctn_buf_init(&body, BYTES_MAX);
    for (;;) {
        size_t end = await(s, in, at, "\r\n");
        assert_true(end != SIZE_MAX);
        size_t bytes = strtoul(in->data + at, NULL, 16);
        at = end + 2;
        while (in->len < at + bytes + 2)
            assert_true(read_more(s, in));
        ctn_buf_append(&body, (ctn_str){in->data + at, bytes});
        at += bytes + 2;
        if (bytes == 0)
            break;
    }
    *ret_body = ctn_arena_str(arena, ctn_buf_str(&body));
    ctn_buf_done(&body);
}

static bool read_answer(web *s, ctn_arena *arena, bool has_no_body, web_answer *a)
{
    ctn_buf in;
    ctn_buf_init(&in, BYTES_MAX);
    size_t end = await(s, &in, 0, "\r\n\r\n");
    if (end == SIZE_MAX) {
        bool nothing = in.len == 0;
        ctn_buf_done(&in);
        assert_true(nothing); /* a kept connection was closed; or half a head, which is a fault */
        return false;
    }
    a->head = ctn_arena_str(arena, (ctn_str){in.data, end + 2});
    assert_memory_equal(in.data, "HTTP/1.1 ", 9);
    a->status = atoi(in.data + 9);
    ctn_str type = web_header(a, "content-type");
    a->type = ctn_str_trim(ctn_str_cut(&type, ';'));
    int64_t length = 0;
    size_t at = end + 4;
    if (has_no_body || a->status == 204) {
        a->body = CTN_STR("");
    } else if (ctn_str_equal_any_case(web_header(a, "transfer-encoding"), CTN_STR("chunked"))) {
        read_chunks(s, arena, &in, at, &a->body);
    } else {
        assert_true(ctn_str_to_int64(web_header(a, "content-length"), &length));
        while (in.len < at + (size_t) length)
            assert_true(read_more(s, &in));
        a->body = ctn_arena_str(arena, (ctn_str){in.data + at, (size_t) length});
    }
    if (ctn_str_equal_any_case(web_header(a, "connection"), CTN_STR("close"))) {
        close(s->fd);
        s->fd = -1;
    }
    ctn_buf_done(&in);
    return true;
}

web_answer web_ask(web *s, ctn_arena *arena, const char *method, const char *target, const char *headers, ctn_str body)
{
    web_answer a = {0};
    ctn_str head =
        ctn_arena_printf(arena, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, target, s->port, headers);
    ctn_str length = body.ptr ? ctn_arena_printf(arena, "Content-Length: %zu\r\n\r\n", body.len) : CTN_STR("\r\n");
    ctn_str whole = ctn_arena_printf(arena, "%.*s%.*s%.*s", CTN_STR_ARG(head), CTN_STR_ARG(length), CTN_STR_ARG(body));
    for (int tries = 0; tries < 2; tries++) {
        if (s->fd < 0)
            connect_now(s);
        if (put_all(s, whole) && read_answer(s, arena, strcmp(method, "HEAD") == 0, &a)) {
            bool is_json = ctn_str_ends_with(a.type, CTN_STR("json"));
            if (is_json && a.body.len)
                assert_int_equal(ctn_json_parse(arena, a.body, NULL, &a.json, NULL), CTN_OK);
            return a;
        }
        close(s->fd); /* it had idled for too long: a fresh one */
        s->fd = -1;
    }
    fail_msg("%s %s: no answer", method, target);
    return a;
}
