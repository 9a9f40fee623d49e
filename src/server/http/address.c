/*
 * address.c -- see address.h.
 */
#include "server/http/address.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/web.h"

#define LISTEN_QUEUE 4096 /* the system has a limit of its own */

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static bool parse_address(ctn_str text, address *ret, socklen_t *ret_bytes)
{
    char host[64];
    size_t colon = text.len;
    int64_t port;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !ctn_str_to_int64(ctn_str_from_offset(text, colon), &port) || port < 0 || port > 65535)
        return false;
    ctn_str name = {text.ptr, colon - 1};
    bool is_v6 = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (is_v6)
        name = (ctn_str){name.ptr + 1, name.len - 2};
    if (ctn_str_is(name, "localhost"))
        name = CTN_STR("127.0.0.1");
    if (name.len >= sizeof host)
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *ret = (address){0};
    if (is_v6) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t) port);
        *ret_bytes = sizeof ret->v6;
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons((uint16_t) port);
    *ret_bytes = sizeof ret->v4;
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static bool is_loopback(const address *a)
{
    return a->any.sa_family == AF_INET ? (ntohl(a->v4.sin_addr.s_addr) >> 24) == 127
                                       : IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

int ctn_web_check_address(ctn_str text, bool *ret_is_loopback, ctn_err *err)
{
    address a;
    socklen_t bytes;
    if (!parse_address(text, &a, &bytes))
        return ctn_fail(err, CTN_E_INVALID, "'%.*s' is no address to listen on: write 127.0.0.1:8642, or [::1]:8642",
                        CTN_STR_ARG(text));
    *ret_is_loopback = is_loopback(&a);
    return CTN_OK;
}

int ctn_web_listen(ctn_str text, int *ret_fd, char *name, size_t name_bytes, ctn_err *err)
{
    address a;
    socklen_t bytes;
    int yes = 1;
    char host[INET6_ADDRSTRLEN] = "";
    if (!parse_address(text, &a, &bytes))
        return ctn_web_check_address(text, &(bool){false}, err);
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) || bind(fd, &a.any, bytes) ||
        listen(fd, LISTEN_QUEUE) || getsockname(fd, &a.any, &bytes)) {
        int rc = ctn_fail(err, CTN_E_IO, "cannot listen on %.*s: %s", CTN_STR_ARG(text), strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    bool is_v6 = a.any.sa_family == AF_INET6;
    (void) inet_ntop(a.any.sa_family, is_v6 ? (const void *) &a.v6.sin6_addr : (const void *) &a.v4.sin_addr, host,
                     sizeof host);
    (void) snprintf(name, name_bytes, is_v6 ? "[%s]:%u" : "%s:%u", host, ntohs(is_v6 ? a.v6.sin6_port : a.v4.sin_port));
    *ret_fd = fd;
    return CTN_OK;
}
