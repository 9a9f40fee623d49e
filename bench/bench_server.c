/*
 * bench_server -- the MCP tool server of the benchmarks, over stdin and stdout.
 *
 *     bench_server [--ledger FILE] [--sleep-ms N]
 *
 *     next    the no-op step of step.h
 *     note    the same; leaves a line in the ledger, and answers N ms (20) later
 *     noted   {key}: {"happened": whether note has a line of that key in the ledger, "result": what it answered}
 *
 * Any number of calls may sleep at the same time, as a server would do that waits for somebody else: an answer is made
 * at once, with its effect, and goes out when its time has come. A line of the ledger, `KEY CHAIN STEP`, is one
 * write to a file opened for appending, so the ledger says how often each step really ran, whoever died when.
 */
#include "base/memory.h"
#include "kit.h"
#include "step.h"
#include "wire/mcp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOOL_NEXT, TOOL_NOTE, TOOL_NOTED };

#define ANY_STATE "{\"type\":\"object\",\"required\":[\"state\"],\"properties\":{\"state\":{\"type\":\"object\"}}}"

static const ctn_mcp_server_tool TOOLS[] = {
    [TOOL_NEXT] = {.name = "next",
                   .description = "Takes the previous object, returns the next.",
                   .input_schema = "{\"type\":\"object\",\"required\":[\"chain\"]}",
                   .output_schema = ANY_STATE,
                   .is_idempotent = true},
    [TOOL_NOTE] = {.name = "note",
                   .description = "The same, slowly, with a line in the ledger.",
                   .input_schema = "{\"type\":\"object\",\"required\":[\"chain\"]}",
                   .output_schema = ANY_STATE},
    [TOOL_NOTED] = {.name = "noted",
                    .description = "Whether a note was made.",
                    .input_schema = "{\"type\":\"object\",\"required\":[\"key\"],\"properties\":{\"key\":{\"type\":"
                                    "\"string\"}}}",
                    .is_read_only = true},
};

typedef struct answer {
    double due_s;
    char *bytes;
    size_t length;
    struct answer *next;
} answer;

typedef struct server {
    ctn_mcp_server *mcp;
    const char *ledger_path;
    int ledger;
    double sleep_s;
    bool is_slow; /* the line that is being answered called note */
    answer *first, **last;
} server;

/* ---- the tools ---- */

static void note(server *s, const ctn_mcp_server_call *call, const ctn_json *result)
{
    const ctn_json *state = ctn_json_member_of(result, "state");
    char line[512];
    int length = snprintf(line, sizeof line, "%.*s %" PRId64 " %" PRId64 "\n", CTN_STR_ARG(call->idempotency_key),
                          ctn_json_int_or(state, "chain", 0), ctn_json_int_or(state, "step", 0));
    if (s->ledger < 0 || length >= (int) sizeof line || write(s->ledger, line, (size_t) length) != length)
        bench_die("the ledger", "cannot be written");
    s->is_slow = true;
}

/* One pass over the file for each question: there are few, and only after a crash. */
static const ctn_json *noted(const server *s, ctn_arena *arena, ctn_str key)
{
    ctn_json_builder reply = ctn_json_object(arena);
    bool happened = false;
    char line[512], found[400];
    int64_t chain, step;
    FILE *file = s->ledger_path ? fopen(s->ledger_path, "r") : NULL;
    while (!happened && file && fgets(line, sizeof line, file))
        happened = sscanf(line, "%399s %" SCNd64 " %" SCNd64, found, &chain, &step) == 3 &&
                   ctn_str_equal(ctn_str_from(found), key);
    if (file)
        fclose(file);
    ctn_json_put_bool(&reply, "happened", happened);
    if (happened) { /* what it answered is known from where it stood */
        ctn_json_builder args = ctn_json_object(arena), previous = ctn_json_object(arena);
        ctn_json_put_int(&previous, "step", step - 1);
        ctn_json_put_int(&previous, "total", step * (step - 1) / 2);
        ctn_json_put_int(&args, "chain", chain);
        ctn_json_put(&args, CTN_STR("previous"), ctn_json_finish(&previous));
        ctn_json_put(&reply, CTN_STR("result"), bench_step(arena, ctn_json_finish(&args)));
    }
    return ctn_json_finish(&reply);
}

static void call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    server *s = ctx;
    if (call->tool == TOOL_NOTED) {
        ret_reply->value = noted(s, call->arena, ctn_json_str_or(call->arguments, "key", CTN_STR("")));
        return;
    }
    ret_reply->value = bench_step(call->arena, call->arguments);
    if (call->tool == TOOL_NOTE)
        note(s, call, ret_reply->value);
}

/* ---- in and out ---- */

static void send_bytes(const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(STDOUT_FILENO, bytes, length);
        if (wrote < 0 && errno != EINTR)
            exit(0); /* nobody listens any more */
        if (wrote > 0)
            bytes += wrote, length -= (size_t) wrote;
    }
}

static void keep_for_later(server *s, const ctn_buf *out, size_t from)
{
    answer *a = ctn_malloc(sizeof *a);
    *a = (answer){.due_s = bench_seconds(CLOCK_MONOTONIC) + s->sleep_s, .length = out->len - from};
    a->bytes = ctn_malloc(a->length);
    memcpy(a->bytes, out->data + from, a->length);
    *s->last = a;
    s->last = &a->next;
}

/* Milliseconds until the next one is due; -1: none waits. */
static int send_due(server *s)
{
    double now_s = bench_seconds(CLOCK_MONOTONIC);
    while (s->first && s->first->due_s <= now_s) {
        answer *a = s->first;
        s->first = a->next;
        if (!s->first)
            s->last = &s->first;
        send_bytes(a->bytes, a->length);
        free(a->bytes);
        free(a);
    }
    return s->first ? (int) ((s->first->due_s - now_s) * 1e3) + 1 : -1;
}

/* Answers every whole line of `in`; what comes at once goes out in one write. */
static void answer_lines(server *s, ctn_buf *in, ctn_buf *out)
{
    size_t taken = 0;
    for (char *end; (end = memchr(in->data + taken, '\n', in->len - taken));) {
        size_t length = (size_t) (end - in->data) - taken, before = out->len;
        s->is_slow = false;
        ctn_mcp_server_line(s->mcp, ctn_str_trim((ctn_str){in->data + taken, length}), out);
        taken += length + 1;
        if (s->is_slow && s->sleep_s > 0) {
            keep_for_later(s, out, before);
            out->len = before;
        }
    }
    ctn_buf_consume(in, taken);
    send_bytes(out->data, out->len);
    ctn_buf_clear(out);
}

int main(int argc, char **argv)
{
    server s = {.ledger = -1, .sleep_s = 0.020};
    s.last = &s.first;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--ledger") == 0)
            s.ledger_path = argv[i + 1];
        else if (strcmp(argv[i], "--sleep-ms") == 0)
            s.sleep_s = strtod(argv[i + 1], NULL) / 1e3;
    }
    if (s.ledger_path && (s.ledger = open(s.ledger_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        bench_die(s.ledger_path, strerror(errno));
    ctn_err err = {0};
    ctn_mcp_server_options options = {
        .name = "bench", .version = "1", .tools = TOOLS, .tool_count = 3, .call = call, .ctx = &s};
    bench_must(ctn_mcp_server_new(&options, &s.mcp, &err), "server", &err);
    ctn_buf in, out;
    ctn_buf_init(&in, (size_t) 16 << 20);
    ctn_buf_init(&out, (size_t) 64 << 20);
    for (;;) {
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        int wait_ms = send_due(&s);
        if (poll(&fd, 1, wait_ms) <= 0)
            continue;
        char *room = ctn_buf_reserve(&in, 65536);
        if (!room)
            bench_die("a line", "is too long");
        ssize_t got = read(STDIN_FILENO, room, 65536);
        if (got <= 0 && errno != EINTR)
            break;
        in.len += got > 0 ? (size_t) got : 0;
        answer_lines(&s, &in, &out);
    }
    ctn_buf_done(&in);
    ctn_buf_done(&out);
    ctn_mcp_server_free(s.mcp);
    return 0;
}
