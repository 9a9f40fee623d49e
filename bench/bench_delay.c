/*
 * bench_delay -- an MCP server over stdin and stdout that is another one, slower: calls of a tool reach it only after
 * the tool's latency, as if a service far away did the work.
 *
 *     bench_delay [--at-once N] TOOL=MS... -- COMMAND [ARGUMENT...]
 *
 * Any number of calls may be on their way at the same time, and none holds up another; with --at-once N a tool takes N
 * calls at a time and the others stand in line, as at a service with a limit. Everything else passes through at once.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOOLS_MAX = 16, AT_ONCE_MAX = 64, READ_BYTES = 65536, LINE_BYTES_MAX = 16 << 20, OUT_BYTES_MAX = 256 << 20 };

typedef struct tool {
    ctn_str name;
    double latency_s;
    double free_at_s[AT_ONCE_MAX]; /* its places, by when each is free again */
} tool;

typedef struct held {
    double due_s;
    char *line;
    size_t length;
    struct held *next; /* due later, or at the same time and came later */
} held;

typedef struct proxy {
    tool tools[TOOLS_MAX];
    size_t tool_count, at_once; /* at_once 0: any number */
    held *first;
    ctn_buf in, out; /* from the client; to the server, which may be busy writing and read nothing: never waited for */
    int to_server, from_server;
    pid_t server;
} proxy;

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            bench_die("write", strerror(errno));
        if (n > 0) {
            bytes += n;
            length -= (size_t) n;
        }
    }
}

/* The tool that the line calls, if that has a latency. */
static tool *tool_of(proxy *p, ctn_str line)
{
    ctn_arena *arena = ctn_arena_new(65536);
    const ctn_json *message = NULL;
    tool *found = NULL;
    if (ctn_json_parse(arena, line, NULL, &message, NULL) == CTN_OK &&
        ctn_str_is(ctn_json_str_or(message, "method", CTN_STR("")), "tools/call")) {
        ctn_str name = ctn_json_str_or(ctn_json_member_of(message, "params"), "name", CTN_STR(""));
        for (size_t i = 0; i < p->tool_count && !found; i++)
            if (ctn_str_equal(name, p->tools[i].name))
                found = &p->tools[i];
    }
    ctn_arena_free(arena);
    return found;
}

static double due_of(const proxy *p, tool *t, double now_s)
{
    if (p->at_once == 0)
        return now_s + t->latency_s;
    size_t place = 0;
    for (size_t i = 1; i < p->at_once; i++)
        if (t->free_at_s[i] < t->free_at_s[place])
            place = i;
    double begins_s = t->free_at_s[place] > now_s ? t->free_at_s[place] : now_s;
    return t->free_at_s[place] = begins_s + t->latency_s;
}

static void take_line(proxy *p, const char *line, size_t length)
{
    tool *t = tool_of(p, (ctn_str){line, length});
    if (!t) {
        ctn_buf_append(&p->out, (ctn_str){line, length});
        return;
    }
    held *h = ctn_realloc_array(NULL, 1, sizeof *h);
    *h = (held){.due_s = due_of(p, t, bench_seconds(CLOCK_MONOTONIC)),
                .line = ctn_realloc_array(NULL, length, 1),
                .length = length};
    memcpy(h->line, line, length);
    held **at = &p->first;
    while (*at && (*at)->due_s <= h->due_s)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
}

static void let_go(proxy *p)
{
    while (p->first && p->first->due_s <= bench_seconds(CLOCK_MONOTONIC)) {
        held *h = p->first;
        p->first = h->next;
        ctn_buf_append(&p->out, (ctn_str){h->line, h->length});
        free(h->line);
        free(h);
    }
}

/* False at its end. */
static bool read_client(proxy *p)
{
    char chunk[READ_BYTES];
    ssize_t n = read(0, chunk, sizeof chunk);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    ctn_buf_append(&p->in, (ctn_str){chunk, (size_t) n});
    if (p->in.overflowed)
        bench_die("a message", "is too long");
    size_t begin = 0;
    for (const char *end; (end = memchr(p->in.data + begin, '\n', p->in.len - begin));) {
        size_t length = (size_t) (end - (p->in.data + begin)) + 1;
        take_line(p, p->in.data + begin, length);
        begin += length;
    }
    ctn_buf_consume(&p->in, begin);
    return true;
}

/* False at its end. */
static bool pass_on(const proxy *p)
{
    char chunk[READ_BYTES];
    ssize_t n = read(p->from_server, chunk, sizeof chunk);
    if (n > 0)
        write_all(1, chunk, (size_t) n);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* As much as the server takes now. */
static void feed_server(proxy *p)
{
    ssize_t n = write(p->to_server, p->out.data, p->out.len);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        bench_die("write", strerror(errno));
    if (n > 0)
        ctn_buf_consume(&p->out, (size_t) n);
}

static void serve(proxy *p)
{
    bool is_open = true;
    for (;;) {
        struct pollfd fds[] = {{.fd = p->from_server, .events = POLLIN},
                               {.fd = is_open ? 0 : -1, .events = POLLIN},
                               {.fd = p->out.len ? p->to_server : -1, .events = POLLOUT}};
        double wait_s = p->first ? p->first->due_s - bench_seconds(CLOCK_MONOTONIC) : 3600;
        int timeout_ms = wait_s <= 0 ? 0 : (int) (wait_s * 1000) + 1;
        if (poll(fds, 3, timeout_ms) < 0 && errno != EINTR)
            bench_die("poll", strerror(errno));
        let_go(p);
        if (p->out.overflowed)
            bench_die("the server", "reads too little");
        if (fds[2].revents)
            feed_server(p);
        if (fds[1].revents && !read_client(p))
            is_open = false;
        if (!is_open && !p->first && p->out.len == 0 && p->to_server >= 0) {
            close(p->to_server);
            p->to_server = -1;
        }
        if (fds[0].revents && !pass_on(p))
            return;
    }
}

static void start_server(proxy *p, char **argv)
{
    int in[2], out[2];
    if (pipe(in) || pipe(out) || (p->server = fork()) < 0)
        bench_die("start the server", strerror(errno));
    if (p->server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    p->to_server = in[1];
    if (fcntl(in[1], F_SETFL, O_NONBLOCK))
        bench_die("start the server", strerror(errno));
    p->from_server = out[0];
}

static int read_options(proxy *p, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        int64_t number = 0;
        ctn_str value = ctn_str_from(argv[i]);
        bool is_at_once = strcmp(argv[i], "--at-once") == 0 && i + 1 < argc;
        ctn_str name = ctn_str_cut(&value, '=');
        if (is_at_once)
            value = ctn_str_from(argv[++i]);
        if (!ctn_str_to_int64(value, &number) || number < 0 || (is_at_once && (number < 1 || number > AT_ONCE_MAX)) ||
            p->tool_count == TOOLS_MAX)
            bench_die(argv[i], "is not TOOL=MS or --at-once N");
        if (is_at_once)
            p->at_once = (size_t) number;
        else
            p->tools[p->tool_count++] = (tool){.name = name, .latency_s = (double) number / 1000};
    }
    if (i + 1 >= argc)
        bench_die("usage", "bench_delay [--at-once N] TOOL=MS... -- COMMAND [ARGUMENT...]");
    return i + 1;
}

int main(int argc, char **argv)
{
    proxy p = {.to_server = -1};
    ctn_buf_init(&p.in, LINE_BYTES_MAX);
    ctn_buf_init(&p.out, OUT_BYTES_MAX);
    (void) signal(SIGPIPE, SIG_IGN);
    start_server(&p, argv + read_options(&p, argc, argv));
    serve(&p);
    int status = 0;
    (void) waitpid(p.server, &status, 0);
    ctn_buf_done(&p.in);
    ctn_buf_done(&p.out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
