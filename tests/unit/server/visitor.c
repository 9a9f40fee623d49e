/*
 * visitor.c -- see visitor.h.
 */
#include "unit/server/visitor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "support/cmocka.h"

int connect_to(const place *p)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) p->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
    return fd;
}

void put_bytes(int fd, const char *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        ssize_t n = send(fd, bytes + at, count - at, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* it has refused us already */
        at += (size_t) n;
    }
}

void put(int fd, const char *text)
{
    put_bytes(fd, text, strlen(text));
}

int64_t now_ms(void)
{
    struct timespec t;
    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads into p->text until `mark` is in it, or the end; true: the mark. */
bool read_until(place *p, int fd, const char *mark)
{
    int64_t until_ms = now_ms() + WAIT_MS;
    for (;;) {
        p->text[p->len] = '\0';
        if (mark && strstr(p->text, mark))
            return true;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - now_ms();
        if (left_ms <= 0 || p->len + 1 >= sizeof p->text || poll(&poll_fd, 1, (int) left_ms) <= 0)
            return false;
        ssize_t n = recv(fd, p->text + p->len, sizeof p->text - 1 - p->len, 0);
        if (n <= 0)
            return false;
        p->len += (size_t) n;
    }
}

/* One request, whose connection is closed after it; its status, 0 when there was no answer. */
int ask_bytes(place *p, const char *bytes, size_t count)
{
    int fd = connect_to(p), status = 0;
    p->len = 0;
    put_bytes(fd, bytes, count);
    (void) read_until(p, fd, "\r\n\r\n");
    (void) sscanf(p->text, "HTTP/1.%*d %d", &status);
    size_t length = 0;
    const char *header = strstr(p->text, "Content-Length: "), *end = strstr(p->text, "\r\n\r\n");
    if (header && end && sscanf(header + 16, "%zu", &length) == 1)
        while (p->len < (size_t) (end + 4 - p->text) + length && read_until(p, fd, NULL))
            ;
    close(fd);
    return status;
}

int ask(place *p, const char *text)
{
    return ask_bytes(p, text, strlen(text));
}

size_t resident_kib(const place *p)
{
    char path[64], line[256];
    size_t kib = 0;
    (void) snprintf(path, sizeof path, "/proc/%ld/status", (long) p->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %zu", &kib) == 1)
            break;
    assert_int_equal(fclose(f), 0);
    return kib;
}

void hostile_requests(place *p, const char *path, const char *body)
{
    char head[256], text[1024];
    assert_int_equal(strlen(body), 40); /* the rows say so */
    (void) snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n",
                    path, p->port);
    const struct {
        const char *what, *lines;
        bool is_swallowed; /* the library refuses it itself, or reads it in the one way that there is */
    } ROWS[] = {
        {"two different Content-Length", "Content-Length: 40\r\nContent-Length: 4\r\n", false},
        {"the same Content-Length twice", "Content-Length: 40\r\nContent-Length: 40\r\n", false},
        {"space before the colon", "Content-Length : 40\r\n", false},
        {"Content-Length: +40", "Content-Length: +40\r\n", true},
        {"Content-Length: 0x28", "Content-Length: 0x28\r\n", true},
        {"Content-Length: 40, 40", "Content-Length: 40, 40\r\n", true},
        {"Transfer-Encoding: xchunked", "Transfer-Encoding: xchunked\r\n", false},
        {"Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, gzip\r\n", false},
        {"Transfer-Encoding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", false},
        {"both lengths", "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n", false},
        {"a control character in a value",
         "Content-Length: 40\r\nX: a\x01"
         "b\r\n",
         false},
        {"a name that is no token", "Content-Length: 40\r\nX(y): a\r\n", false},
        {"a bare CR in a header", "Content-Length: 40\r\nX: a\rY: b\r\n", false},
        {"a second Host", "Content-Length: 40\r\nHost: evil.example.com\r\n", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        (void) snprintf(text, sizeof text, "%s%s\r\n%s", head, ROWS[i].lines, body);
        int status = ask(p, text);
        if (status != 400 && !(ROWS[i].is_swallowed && status == 0))
            fail_msg("%s: %d\n%s", ROWS[i].what, status, p->text);
    }
    size_t len = (size_t) snprintf(text, sizeof text, "%sContent-Length: 40\r\nX: a?b\r\n\r\n%s", head, body);
    strstr(text, "a?b")[1] = '\0';
    /* A NUL ends the value for libmicrohttpd 0.9.75, and we are not shown what stands behind it: it is not refused, and
     * has no meaning either. */
    assert_int_equal(ask_bytes(p, text, len), 200);
    for (int minor = 0; minor < 2; minor++) { /* no Host */
        (void) snprintf(text, sizeof text,
                        "POST %s HTTP/1.%d\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n%s", path,
                        minor, body);
        assert_int_equal(ask(p, text), 400);
    }
    /* RFC 9112 lets a server read these: a header that goes on in the next line, lines that end with LF alone. */
    (void) snprintf(text, sizeof text, "%sContent-Length: 40\r\nX: a\r\n b\r\n\r\n%s", head, body);
    assert_int_equal(ask(p, text), 200);
    (void) snprintf(text, sizeof text,
                    "POST %s HTTP/1.1\nHost: 127.0.0.1:%d\nContent-Type: application/json\nContent-Length: 40\n\n%s",
                    path, p->port, body);
    assert_int_equal(ask(p, text), 200);
}
