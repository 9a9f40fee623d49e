/*
 * relay.c -- see relay.h. Plain and blocking: both ends read whatever the other one does, so nobody waits for ever.
 */
#include "cli/relay.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/arena.h"
#include "wire/jsonrpc.h"

#define ANSWER_BYTES_MAX 4096
#define ANSWER_MS        5000

static int write_all(int fd, const char *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        ssize_t n = write(fd, bytes + at, count - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t) n : 0;
    }
    return 0;
}

/* One line, byte by byte: what stands behind it is not ours. */
static int read_answer(int fd, char line[ANSWER_BYTES_MAX], size_t *ret_len)
{
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    for (size_t len = 0; len < ANSWER_BYTES_MAX;) {
        int rc = poll(&waits, 1, ANSWER_MS);
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc <= 0 || read(fd, line + len, 1) != 1)
            return CTN_E_CLOSED;
        if (line[len++] == '\n') {
            *ret_len = len;
            return CTN_OK;
        }
    }
    return CTN_E_LIMIT;
}

static int ask_in(int fd, ctn_err *err)
{
    static const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"mcp\"}\n";
    char line[ANSWER_BYTES_MAX];
    size_t len = 0;
    if (write_all(fd, hello, sizeof hello - 1) || read_answer(fd, line, &len))
        return ctn_fail(err, CTN_E_CLOSED, "its owner does not answer");
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_rpc_message m;
    int rc = ctn_rpc_parse(arena, (ctn_str){line, len}, &m, err);
    if (rc == CTN_OK && m.kind != CTN_RPC_RESULT)
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(m.error_message));
    ctn_arena_free(arena);
    return rc;
}

/* False: the end, or nobody reads. */
static bool pass_on(int from, int to)
{
    char bytes[65536];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    return n > 0 && write_all(to, bytes, (size_t) n) == 0;
}

int ctn_relay(int socket_fd, int fd_in, int fd_out, ctn_err *err)
{
    int rc = ask_in(socket_fd, err);
    struct pollfd waits[] = {{.fd = socket_fd, .events = POLLIN}, {.fd = fd_in, .events = POLLIN}};
    while (rc == CTN_OK) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        if (waits[0].revents && !pass_on(socket_fd, fd_out))
            break;
        if (waits[1].revents && !pass_on(fd_in, socket_fd)) {
            waits[1].fd = -1;
            (void) shutdown(socket_fd, SHUT_WR);
        }
    }
    return rc;
}
