/*
 * remote.c -- see remote.h. A loop of its own with one connection: the request, then the watching.
 */
#include "cli/remote.h"
#include "cli/view.h"
#include "host/snapshot.h"
#include "host/tree.h"
#include "wire/jsonrpc.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ID_REQUEST = 1, ID_WATCH = 2 };

#define CHILDREN_MS 500
#define HEALTH_MS   300

typedef struct remote {
    ctn_loop *loop;
    ctn_stream *stream;
    ctn_arena *arena, *scratch;
    ctn_buf line;
    ctn_view *view;
    ctn_timer *children_timer; /* while it waits for sub-chains: nobody tells us how those are */
    const char *store_url;
    ctn_snapshot snapshot;
    bool follows, is_acknowledged;
    ctn_execution_id id;
    ctn_remote_outcome outcome;
    ctn_err *err;
} remote;

static void finish(remote *r, ctn_remote_outcome outcome)
{
    r->outcome = outcome;
    ctn_loop_stop(r->loop);
}

static void send_request(remote *r, int64_t id, const char *method, const ctn_json *params)
{
    ctn_rpc_write_request(&r->line, id, method, params);
    if (r->line.overflowed) {
        ctn_fail(r->err, CTN_E_LIMIT, "the request is larger than a line of the control socket may be");
        finish(r, CTN_REMOTE_REFUSED);
        return;
    }
    (void) ctn_stream_write(r->stream, ctn_buf_str(&r->line));
    ctn_buf_clear(&r->line);
}

static void watch(remote *r)
{
    ctn_json_builder b = ctn_json_object(r->scratch);
    ctn_json_put_str(&b, "id", ctn_str_from(ctn_id_to_text(r->id).text));
    send_request(r, ID_WATCH, "watch", ctn_json_finish(&b));
}

static void take_acknowledgement(remote *r, const ctn_json *result)
{
    if (ctn_id_parse(ctn_json_str_or(result, "executionId", (ctn_str){0}), &r->id, r->err)) {
        finish(r, CTN_REMOTE_REFUSED);
        return;
    }
    r->is_acknowledged = true;
    if (r->follows)
        watch(r);
    else
        finish(r, CTN_REMOTE_DONE);
}

static void finish_if_over(remote *r)
{
    if (ctn_status_is_final(r->snapshot.status) || ctn_snapshot_is_parked(&r->snapshot))
        finish(r, CTN_REMOTE_DONE);
}

static void take_snapshot(remote *r, const ctn_json *v)
{
    r->snapshot = ctn_snapshot_from_json(v, r->arena);
    ctn_view_take(r->view, &r->snapshot);
    ctn_view_note(r->view, r->snapshot.queued_behind);
    finish_if_over(r);
    if (ctn_snapshot_waits_for_child(&r->snapshot))
        ctn_timer_set(r->children_timer, ctn_loop_now_ms(r->loop) + CHILDREN_MS);
    else
        ctn_timer_clear(r->children_timer);
}

static void look_at_children(void *ctx)
{
    remote *r = ctx;
    ctn_store *store = NULL;
    bool is_parked =
        ctn_store_open(r->store_url, CTN_STORE_READ, &store, NULL) == CTN_OK && ctn_tree_is_parked(store, r->id);
    ctn_store_close(store);
    if (is_parked)
        finish(r, CTN_REMOTE_DONE);
    ctn_timer_set(r->children_timer, ctn_loop_now_ms(r->loop) + CHILDREN_MS);
}

static void take_step(remote *r, const ctn_json *v)
{
    ctn_snapshot_step step = ctn_snapshot_step_from_json(v, r->scratch);
    ctn_view_take_step(r->view, &step);
}

static double number_of(const ctn_json *v, double otherwise)
{
    char text[64];
    ctn_str s = ctn_json_text(v);
    if (!ctn_json_is(v, CTN_JSON_NUMBER) || s.len >= sizeof text)
        return otherwise;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return strtod(text, NULL);
}

static void take_progress(remote *r, const ctn_json *v)
{
    ctn_str none = {0};
    ctn_view_progress(r->view, ctn_json_str_or(v, "step", none), number_of(ctn_json_member_of(v, "progress"), 0),
                      number_of(ctn_json_member_of(v, "total"), -1), ctn_json_str_or(v, "message", none));
}

static void on_line(void *ctx, ctn_str line)
{
    remote *r = ctx;
    ctn_rpc_message m;
    ctn_arena_reset(r->scratch);
    if (ctn_rpc_parse(r->scratch, line, &m, NULL))
        return;
    int64_t id = 0;
    (void) ctn_json_to_int64(m.id, &id);
    if (m.kind == CTN_RPC_ERROR) {
        ctn_fail(r->err, (int) m.error_code, "%.*s", CTN_STR_ARG(m.error_message));
        finish(r, CTN_REMOTE_REFUSED);
    } else if (m.kind == CTN_RPC_RESULT && id == ID_REQUEST)
        take_acknowledgement(r, m.result);
    else if (m.kind == CTN_RPC_RESULT && id == ID_WATCH)
        take_snapshot(r, m.result);
    else if (m.kind == CTN_RPC_NOTIFICATION && ctn_str_is(m.method, "status"))
        take_snapshot(r, m.params);
    else if (m.kind == CTN_RPC_NOTIFICATION && ctn_str_is(m.method, "step"))
        take_step(r, m.params);
    else if (m.kind == CTN_RPC_NOTIFICATION && ctn_str_is(m.method, "progress"))
        take_progress(r, m.params);
}

static void on_closed(void *ctx, int code, const char *why)
{
    remote *r = ctx;
    (void) code, (void) why;
    finish(r, CTN_REMOTE_LOST);
}

static void on_signal(void *ctx)
{
    finish(ctx, CTN_REMOTE_INTERRUPTED);
}

ctn_remote_outcome ctn_remote_do(const ctn_cli *cli, const ctn_workspace *ws, const ctn_request *q, bool follows,
                                 ctn_execution_id *id, bool *ret_is_acknowledged, ctn_err *err)
{
    const char *path = ctn_workspace_socket(ws);
    int fd = -1;
    *ret_is_acknowledged = false;
    if (!path || ctn_socket_connect(path, &fd, err))
        return CTN_REMOTE_UNREACHABLE;
    remote r = {.loop = ctn_loop_new(),
                .arena = ctn_arena_new(16384),
                .scratch = ctn_arena_new(16384),
                .store_url = ws->store_url,
                .follows = follows,
                .id = *id,
                .outcome = CTN_REMOTE_LOST,
                .err = err};
    ctn_buf_init(&r.line, CTN_RPC_LINE_BYTES_MAX);
    r.children_timer = ctn_timer_new(r.loop, look_at_children, &r);
    ctn_stream_events events = {
        .line = on_line, .closed = on_closed, .ctx = &r, .line_bytes_max = CTN_RPC_LINE_BYTES_MAX};
    r.stream = ctn_stream_open(r.loop, fd, &events);
    ctn_signal *signals[] = {ctn_signal_new(r.loop, SIGINT, on_signal, &r),
                             ctn_signal_new(r.loop, SIGTERM, on_signal, &r)};
    if (follows)
        r.view = ctn_view_new(cli, r.loop);
    if (q)
        send_request(&r, ID_REQUEST, ctn_request_method(q->op), ctn_request_to_json(q, r.scratch));
    else
        watch(&r);
    if (r.outcome != CTN_REMOTE_REFUSED)
        ctn_loop_run(r.loop);
    if (r.outcome == CTN_REMOTE_LOST)
        ctn_loop_poll(r.loop); /* Ctrl-C for all who share the terminal, the owner too */
    ctn_view_end(r.view);
    ctn_signal_free(signals[0]);
    ctn_signal_free(signals[1]);
    ctn_timer_free(r.children_timer);
    ctn_stream_free(r.stream);
    ctn_loop_free(r.loop);
    ctn_buf_done(&r.line);
    ctn_arena_free(r.scratch);
    ctn_arena_free(r.arena);
    *id = r.id;
    *ret_is_acknowledged = r.is_acknowledged;
    return r.outcome;
}

/* ---- health ---- */

/* What is known of it within the time; at most size - 1 bytes. */
static size_t read_line(int fd, char *text, size_t size)
{
    size_t len = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (len + 1 < size && !memchr(text, '\n', len) && poll(&p, 1, HEALTH_MS) == 1) {
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t) n;
    }
    const char *end = memchr(text, '\n', len);
    return end ? (size_t) (end - text) : 0;
}

static const ctn_json *ask(ctn_arena *arena, const char *path, const char *method)
{
    char text[4096];
    int fd = -1;
    ctn_buf line;
    ctn_rpc_message m = {0};
    if (!path || ctn_socket_connect(path, &fd, NULL))
        return NULL;
    ctn_buf_init(&line, sizeof text);
    ctn_rpc_write_request(&line, ID_REQUEST, method, NULL);
    ctn_str request = ctn_buf_str(&line);
    bool is_sent = send(fd, request.ptr, request.len, MSG_NOSIGNAL) == (ssize_t) request.len;
    size_t len = is_sent ? read_line(fd, text, sizeof text) : 0;
    bool is_known = len && ctn_rpc_parse(arena, ctn_arena_str(arena, (ctn_str){text, len}), &m, NULL) == CTN_OK &&
                    m.kind == CTN_RPC_RESULT;
    ctn_buf_done(&line);
    (void) close(fd);
    return is_known ? m.result : NULL;
}

bool ctn_remote_tell(const ctn_cli *cli, const ctn_workspace *ws, const char *method)
{
    return ask(cli->arena, ctn_workspace_socket(ws), method) != NULL;
}

void ctn_remote_tell_health(const ctn_cli *cli, const ctn_workspace *ws)
{
    const ctn_json *answer = ask(cli->arena, ctn_workspace_socket(ws), "ping");
    const ctn_json *failing = ctn_json_member_of(answer, "storeFailing");
    if (!failing)
        return;
    (void) fflush(stdout);
    ctn_cli_say(
        cli, "process %lld, which owns the store, cannot write it for %lld s now; nothing goes on until it can: %.*s",
        (long long) ctn_json_int_or(answer, "pid", 0), (long long) ctn_json_int_or(failing, "seconds", 0),
        CTN_STR_ARG(ctn_text_clean(cli->arena, ctn_json_str_or(failing, "why", (ctn_str){0}), 0)));
}
