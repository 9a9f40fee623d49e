/* client.c -- see client.h. */
#include "fleet/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BYTES_MAX = 256 * 1024 };

static int connect_to(int port, int timeout_ms)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(fd, (struct sockaddr *) &to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t) n;
    }
    return true;
}

int api_ask(int port, const char *method, const char *target, const char *headers, const char *body, int timeout_ms,
            char *answer, size_t size)
{
    char *request = NULL, *said = NULL;
    size_t len = 0;
    int status = 0, fd = connect_to(port, timeout_ms);
    answer[0] = '\0';
    if (fd < 0)
        return 0;
    int request_len = asprintf(
        &request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s%sContent-Length: %zu\r\n\r\n%s",
        method, target, port, body ? "Content-Type: application/json\r\n" : "", headers, body ? strlen(body) : 0,
        body ? body : "");
    said = malloc(BYTES_MAX);
    if (request_len < 0 || !said)
        abort();
    if (send_all(fd, request, (size_t) request_len))
        for (ssize_t n; len < BYTES_MAX - 1 && (n = recv(fd, said + len, BYTES_MAX - 1 - len, 0)) > 0;)
            len += (size_t) n;
    said[len] = '\0';
    char *end = strstr(said, "\r\n\r\n"), *length = strcasestr(said, "\r\ncontent-length:");
    if (end && sscanf(said, "HTTP/1.1 %d", &status) == 1 &&
        (!length || length > end || strlen(end + 4) >= strtoul(length + 17, NULL, 10)))
        snprintf(answer, size, "%s", end + 4);
    else
        status = 0;
    close(fd);
    free(request);
    free(said);
    return status;
}

void api_text(const char *json, const char *name, char *value, size_t size)
{
    char mark[80];
    snprintf(mark, sizeof mark, "\"%s\":\"", name);
    const char *at = strstr(json, mark);
    at = at ? at + strlen(mark) : "";
    snprintf(value, size, "%.*s", (int) strcspn(at, "\""), at);
}
