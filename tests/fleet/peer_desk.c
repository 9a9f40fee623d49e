/*
 * peer_desk -- the tool server of the fleet's tests: what it did stands in a ledger that all nodes share.
 *
 *     peer_desk stdio LEDGER NODE MS      MCP over stdin and stdout, for the node that started it
 *     peer_desk http  LEDGER MS           MCP over HTTP for all nodes, at /NODE; prints its URL; ends with its stdin
 *
 *     book    a write: {line} -> {line}
 *     booked  {key} -> {"happened": whether book was called under that key, "result": what it answered}
 *     keep    the same as book, declared idempotent
 *     look    reads nothing: {line} -> {line}
 *
 * A call takes effect when it arrives: with one write(2) of the line "TOOL KEY NODE AT_MS EXECUTION STEP". Its answer
 * goes out MS later, so that whoever dies meanwhile does not know. Any number of calls may be in flight.
 */
#include "base/memory.h"
#include "support/http_peer.h"
#include "wire/mcp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BOOK, BOOKED, KEEP, LOOK };
#define LINE                                                                                                           \
    "{\"type\":\"object\",\"properties\":{\"line\":{\"type\":\"string\"},\"execution\":{\"type\":\"string\"},"         \
    "\"step\":{\"type\":\"string\"}}}"
static const ctn_mcp_server_tool TOOLS[] = {
    [BOOK] = {.name = "book", .description = "Books a line.", .input_schema = LINE},
    [BOOKED] = {.name = "booked",
                .description = "Whether it was booked.",
                .input_schema = "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\"}}}",
                .is_read_only = true},
    [KEEP] = {.name = "keep", .description = "Keeps a line.", .input_schema = LINE, .is_idempotent = true},
    [LOOK] = {.name = "look", .description = "Reads a line.", .input_schema = LINE, .is_read_only = true},
};

typedef struct answer {
    struct answer *next;
    int64_t due_ms;
    size_t len;
    char bytes[];
} answer;

typedef struct desk {
    ctn_mcp_server *mcp;
    const char *ledger_path, *node;
    int ledger;
    int64_t delay_ms;
    pthread_mutex_t mutex; /* http: of mcp and node, by one call at a time */
    answer *first, **last;
} desk;

static void give_up(const char *what)
{
    fprintf(stderr, "peer_desk: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the tools ---- */

static void note(desk *d, const ctn_mcp_server_call *call)
{
    char line[600];
    ctn_str key = call->idempotency_key.len ? call->idempotency_key : CTN_STR("-");
    ctn_str execution = ctn_json_str_or(call->arguments, "execution", CTN_STR("-"));
    ctn_str step = ctn_json_str_or(call->arguments, "step", CTN_STR("-"));
    int len = snprintf(line, sizeof line, "%s %.*s %s %lld %.*s %.*s\n", TOOLS[call->tool].name, CTN_STR_ARG(key),
                       d->node, (long long) clock_ms(CLOCK_REALTIME), CTN_STR_ARG(execution), CTN_STR_ARG(step));
    if (len >= (int) sizeof line || write(d->ledger, line, (size_t) len) != len)
        give_up(d->ledger_path);
}

/* One pass over the file: it is asked after a death only. */
static bool was_booked(const desk *d, ctn_str key)
{
    char line[700], found[400];
    bool is_there = false;
    FILE *file = fopen(d->ledger_path, "re");
    while (!is_there && file && fgets(line, sizeof line, file))
        is_there = sscanf(line, "book %399s ", found) == 1 && ctn_str_equal(ctn_str_from(found), key);
    if (file)
        fclose(file);
    return is_there;
}

static void call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    desk *d = ctx;
    ctn_json_builder result = ctn_json_object(call->arena);
    if (call->tool == BOOKED) {
        bool happened = was_booked(d, ctn_json_str_or(call->arguments, "key", CTN_STR("")));
        ctn_json_put_bool(&result, "happened", happened);
        if (happened) {
            ctn_json_builder was = ctn_json_object(call->arena);
            ctn_json_put_str(&was, "line", CTN_STR("booked"));
            ctn_json_put(&result, CTN_STR("result"), ctn_json_finish(&was));
        }
    } else {
        if (call->tool != LOOK)
            note(d, call);
        ctn_json_put_str(&result, "line", ctn_json_str_or(call->arguments, "line", CTN_STR("")));
    }
    ret_reply->value = ctn_json_finish(&result);
}

/* ---- stdio ---- */

static void send_bytes(const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(STDOUT_FILENO, bytes, len);
        if (n < 0 && errno != EINTR)
            exit(0); /* nobody listens any more */
        if (n > 0)
            bytes += n, len -= (size_t) n;
    }
}

static void answer_later(desk *d, const ctn_buf *out)
{
    answer *a = ctn_malloc(sizeof *a + out->len);
    *a = (answer){.due_ms = clock_ms(CLOCK_MONOTONIC) + d->delay_ms, .len = out->len};
    memcpy(a->bytes, out->data, out->len);
    *d->last = a;
    d->last = &a->next;
}

/* Milliseconds until the next answer is due; -1: none is. */
static int send_due(desk *d)
{
    int64_t now_ms = clock_ms(CLOCK_MONOTONIC);
    while (d->first && d->first->due_ms <= now_ms) {
        answer *a = d->first;
        d->first = a->next;
        if (!d->first)
            d->last = &d->first;
        send_bytes(a->bytes, a->len);
        free(a);
    }
    return d->first ? (int) (d->first->due_ms - now_ms) : -1;
}

static void serve_stdio(desk *d)
{
    ctn_buf in, out;
    ctn_buf_init(&in, (size_t) 16 << 20);
    ctn_buf_init(&out, (size_t) 16 << 20);
    for (;;) {
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&fd, 1, send_due(d)) <= 0)
            continue;
        char *room = ctn_buf_reserve(&in, 65536);
        ssize_t got = room ? read(STDIN_FILENO, room, 65536) : 0;
        if (got <= 0 && errno != EINTR)
            break;
        in.len += got > 0 ? (size_t) got : 0;
        size_t taken = 0;
        for (char *end; (end = memchr(in.data + taken, '\n', in.len - taken));) {
            size_t len = (size_t) (end - in.data) - taken;
            ctn_mcp_server_line(d->mcp, ctn_str_trim((ctn_str){in.data + taken, len}), &out);
            taken += len + 1;
            if (out.len)
                answer_later(d, &out);
            ctn_buf_clear(&out);
        }
        ctn_buf_consume(&in, taken);
    }
    ctn_buf_done(&in);
    ctn_buf_done(&out);
}

/* ---- HTTP ---- */

static void serve_http(void *ctx, http_asked *asked)
{
    desk *d = ctx;
    ctn_buf out;
    if (strcmp(asked->method, "POST") != 0) {
        http_answer(asked, 405, NULL, "");
        return;
    }
    ctn_buf_init(&out, (size_t) 1 << 20);
    pthread_mutex_lock(&d->mutex);
    d->node = asked->path + 1;
    ctn_mcp_server_line(d->mcp, (ctn_str){asked->body, asked->body_bytes}, &out);
    pthread_mutex_unlock(&d->mutex);
    http_pause(asked->peer, (int) d->delay_ms);
    bool has_answer = out.len > 0;
    ctn_buf_append_char(&out, '\0');
    http_answer(asked, has_answer ? 200 : 202, has_answer ? "application/json" : NULL, out.data);
    ctn_buf_done(&out);
}

int main(int argc, char **argv)
{
    bool is_http = argc == 4 && strcmp(argv[1], "http") == 0;
    if (!is_http && !(argc == 5 && strcmp(argv[1], "stdio") == 0)) {
        fprintf(stderr, "usage: peer_desk stdio LEDGER NODE MS | peer_desk http LEDGER MS\n");
        return 2;
    }
    desk d = {.ledger_path = argv[2],
              .node = is_http ? "-" : argv[3],
              .delay_ms = strtol(argv[argc - 1], NULL, 10),
              .mutex = PTHREAD_MUTEX_INITIALIZER};
    d.last = &d.first;
    d.ledger = open(d.ledger_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (d.ledger < 0)
        give_up(d.ledger_path);
    ctn_err err = {0};
    ctn_mcp_server_options options = {
        .name = "desk", .version = "1", .tools = TOOLS, .tool_count = 4, .call = call, .ctx = &d};
    if (ctn_mcp_server_new(&options, &d.mcp, &err))
        give_up("the tools");
    if (is_http) {
        char byte;
        http_peer *peer = http_peer_start(&(http_peer_options){.serve = serve_http, .ctx = &d});
        printf("%s\n", http_peer_url(peer));
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
            ;
        http_peer_stop(peer);
    } else {
        serve_stdio(&d);
    }
    ctn_mcp_server_free(d.mcp);
    return 0;
}
