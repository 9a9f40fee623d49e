/*
 * listener.c -- see server/web.h.
 *
 * libmicrohttpd is turned by the loop: its epoll descriptor is watched, its time-outs are a timer. While a request
 * waits for its answer, or a stream for something to send, its connection is suspended: the library looks at it no
 * more, so that the client left is found out by a watch of our own on the socket (a client that closes its sending half
 * has left).
 *
 * Waking one connection makes the library look at all that are suspended (resume_suspended_connections): with ten
 * thousand streams about two milliseconds, once for all that are woken in a round.
 *
 * What must hold: a request is on one of the lists from its first line until the library says that it is complete;
 * `is_over` says that nobody outside holds it any more. A connection is resumed exactly when it is suspended.
 */
#include "server/web.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/memory.h"
#include "host/access.h"
#include "loop/watch.h"
#include "server/http/address.h"
#include "server/http/guard.h"
#include "server/http/tls.h"

#define CONNECTIONS_MAX  12000
#define BODY_BYTES_MAX   ((size_t) 4 << 20)
#define BODIES_BYTES_MAX ((size_t) 512 << 20) /* of all that arrive at once */
#define STREAM_BYTES_MAX ((size_t) 4 << 20)
#define ARRIVE_MS        30000
#define IDLE_MS          60000
#define HEADER_BYTES_MAX ((size_t) 16 << 10) /* half of it is touched by each connection */
#define STREAM_BLOCK     1024 /* of clients of HTTP/1.0 only: chunks go through the connection's own memory */
#define STREAM_KEEP      1024 /* a stream that waits keeps no more than this */
#define REQUEST_BYTES    1024
#define SWEEP_MS         1000

/* A connection. Between requests nothing of the library's counts how long a first line takes. */
typedef struct visit {
    struct MHD_Connection *connection;
    int64_t since_ms; /* without a request; -1: it has one, and is not on the list */
    bool is_cut;
    struct visit *prev, *next;
} visit;

struct ctn_web_request {
    ctn_web *web;
    visit *visit;
    struct MHD_Connection *connection;
    ctn_arena *arena;
    ctn_web_ask ask;
    const struct ctn_caller *caller;
    ctn_str caller_name;
    const char *operation; /* NULL: not said */
    uint64_t bytes_out;
    ctn_buf body;
    int64_t began_at_ms;
    bool is_whole; /* it was handed over */
    bool is_over;  /* answered to the end, or gone */
    bool is_suspended;
    bool is_lost; /* the connection is of no use */
    bool is_too_large;
    bool is_one_too_many; /* there is no room for its body beside those of others */
    bool is_inside;       /* a callback of the library is on the stack */
    void (*gone)(void *ctx);
    void *gone_ctx;
    ctn_poller *poller;            /* watches for the client's leaving */
    struct MHD_Response *response; /* to be queued, or was; NULL: none yet */
    int status;
    bool is_queued, is_stream;
    ctn_buf stream;         /* what waits to be sent */
    ctn_web_request **list; /* that it is on */
    ctn_web_request *prev, *next;
};

struct ctn_web {
    ctn_web_options of;
    struct MHD_Daemon *daemon;
    ctn_poller *poller;
    ctn_timer *timer; /* the library's time-outs, and ours */
    ctn_task turn;
    int listen_fd;
    char address[80];
    ctn_web_tls *tls;          /* NULL: HTTP without TLS */
    ctn_web_request *arriving; /* not handed over yet */
    ctn_web_request *taken;    /* handed over: streams, too, which may be thousands */
    size_t body_bytes;         /* of all requests */
    size_t open_count;         /* taken, and not answered to the end */
    visit *visits;             /* those without a request */
    int64_t swept_at_ms;
    bool has_room; /* a connection was closed */
    bool is_draining;
};

/* ---- lists ---- */

static void link_request(ctn_web_request **list, ctn_web_request *r)
{
    r->list = list;
    r->prev = NULL;
    r->next = *list;
    if (r->next)
        r->next->prev = r;
    *list = r;
}

static void unlink_request(ctn_web_request *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        *r->list = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

static void link_visit(ctn_web *web, visit *v)
{
    v->since_ms = ctn_loop_now_ms(web->of.loop);
    v->prev = NULL;
    v->next = web->visits;
    if (v->next)
        v->next->prev = v;
    web->visits = v;
}

static void unlink_visit(ctn_web *web, visit *v)
{
    if (v->since_ms < 0)
        return;
    if (v->prev)
        v->prev->next = v->next;
    else
        web->visits = v->next;
    if (v->next)
        v->next->prev = v->prev;
    v->since_ms = -1;
}

/* ---- turning the library ---- */

static void file_turn(ctn_web *web)
{
    ctn_task_file(web->of.loop, &web->turn);
}

static void shut(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        (void) shutdown(info->connect_fd, SHUT_RDWR);
}

static void cut_off(ctn_web_request *r)
{
    r->is_lost = true;
    shut(r->connection);
}

/* Requests that do not arrive, and connections that make none; streams, of which there may be thousands, are on
 * neither list. */
static void sweep(ctn_web *web)
{
    int64_t now_ms = ctn_loop_now_ms(web->of.loop);
    if (now_ms >= web->swept_at_ms && now_ms - web->swept_at_ms < SWEEP_MS)
        return;
    web->swept_at_ms = now_ms;
    for (ctn_web_request *r = web->arriving; r; r = r->next)
        if (!r->is_lost && now_ms - r->began_at_ms > web->of.arrive_ms)
            cut_off(r);
    for (visit *v = web->visits; v; v = v->next)
        if (!v->is_cut && (web->is_draining || now_ms - v->since_ms > web->of.idle_ms)) {
            v->is_cut = true;
            shut(v->connection);
        }
}

static void run(void *ctx)
{
    ctn_web *web = ctx;
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    (void) MHD_run(web->daemon);
    sweep(web);
    bool has_limit = MHD_get_timeout(web->daemon, &timeout_ms) == MHD_YES;
    if ((web->visits || web->arriving) && (!has_limit || timeout_ms > SWEEP_MS)) {
        has_limit = true;
        timeout_ms = SWEEP_MS;
    }
    if (web->has_room || (has_limit && timeout_ms == 0))
        file_turn(web); /* it has more to do; after a connection was closed: it may accept again */
    web->has_room = false;
    if (has_limit)
        ctn_timer_set(web->timer, ctn_loop_now_ms(web->of.loop) + (int64_t) timeout_ms);
    else
        ctn_timer_clear(web->timer);
}

static void on_ready(void *ctx, int events)
{
    (void) events;
    run(ctx);
}

static void resume(ctn_web_request *r)
{
    if (!r->is_suspended)
        return;
    r->is_suspended = false;
    MHD_resume_connection(r->connection);
    file_turn(r->web);
}

/* ---- the client leaves ---- */

/* Nobody outside holds it any more. */
static void end(ctn_web_request *r)
{
    r->is_over = true;
    if (r->is_whole)
        r->web->open_count--;
}

static void tell_gone(ctn_web_request *r)
{
    if (r->is_over || !r->is_whole)
        return;
    end(r);
    if (r->gone)
        r->gone(r->gone_ctx);
}

static void on_hang_up(void *ctx, int events)
{
    ctn_web_request *r = ctx;
    (void) events;
    r->is_lost = true;
    ctn_poller_free(r->poller);
    r->poller = NULL;
    tell_gone(r);
    resume(r); /* so that the library closes it */
}

static void watch(ctn_web_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!r->poller && info && ctn_poller_new(r->web->of.loop, info->connect_fd, on_hang_up, r, &r->poller) == 0)
        ctn_poller_set(r->poller, CTN_POLL_GONE);
}

static void suspend(ctn_web_request *r)
{
    assert(!r->is_suspended);
    r->is_suspended = true;
    watch(r);
    MHD_suspend_connection(r->connection);
}

/* ---- answering ---- */

const ctn_web_ask *ctn_web_ask_of(const ctn_web_request *r)
{
    return &r->ask;
}

ctn_arena *ctn_web_arena(ctn_web_request *r)
{
    return r->arena;
}

void ctn_web_set_caller(ctn_web_request *r, const struct ctn_caller *caller)
{
    r->caller = caller;
    r->caller_name = caller ? ctn_arena_str(r->arena, caller->name) : (ctn_str){0};
}

void ctn_web_set_operation(ctn_web_request *r, const char *operation)
{
    r->operation = operation;
}

const struct ctn_caller *ctn_web_caller(const ctn_web_request *r)
{
    return r->caller;
}

void ctn_web_when_gone(ctn_web_request *r, void (*gone)(void *ctx), void *ctx)
{
    r->gone = gone;
    r->gone_ctx = ctx;
}

static void set_response(ctn_web_request *r, int status, struct MHD_Response *response, const ctn_web_header *headers,
                         size_t count)
{
    if (!response)
        ctn_memory_gone(sizeof *r);
    if (r->web->is_draining)
        (void) MHD_add_response_header(response, "Connection", "close");
    for (size_t i = 0; i < count; i++)
        (void) MHD_add_response_header(response, ctn_arena_str(r->arena, headers[i].name).ptr,
                                       ctn_arena_str(r->arena, headers[i].value).ptr);
    r->status = status;
    r->response = response;
}

static enum MHD_Result queue(ctn_web_request *r)
{
    r->is_queued = true;
    return MHD_queue_response(r->connection, (unsigned) r->status, r->response);
}

/* From inside a callback the library goes on by itself. */
static void go_on(ctn_web_request *r)
{
    if (!r->is_inside)
        resume(r);
}

void ctn_web_answer(ctn_web_request *r, int status, const ctn_web_header *headers, size_t count, ctn_str body)
{
    assert(!r->is_over && !r->response);
    end(r);
    r->bytes_out = body.len;
    set_response(r, status, MHD_create_response_from_buffer(body.len, (void *) body.ptr, MHD_RESPMEM_MUST_COPY),
                 headers, count);
    go_on(r);
}

/* The library wants more of a stream: what there is, or it waits. */
static ssize_t read_stream(void *ctx, uint64_t at, char *out, size_t room)
{
    ctn_web_request *r = ctx;
    (void) at;
    if (r->is_lost)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (r->stream.len == 0 && r->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (r->stream.len == 0) {
        suspend(r);
        return 0;
    }
    size_t bytes = r->stream.len < room ? r->stream.len : room;
    memcpy(out, r->stream.data, bytes);
    ctn_buf_consume(&r->stream, bytes);
    r->bytes_out += bytes;
    if (r->stream.len == 0 && r->stream.capacity > STREAM_KEEP)
        ctn_buf_done(&r->stream);
    return (ssize_t) bytes;
}

void ctn_web_stream(ctn_web_request *r, int status, const ctn_web_header *headers, size_t count)
{
    assert(!r->is_over && !r->response);
    r->is_stream = true;
    ctn_buf_init(&r->stream, r->web->of.stream_bytes_max);
    set_response(r, status, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL),
                 headers, count);
    go_on(r);
}

bool ctn_web_send(ctn_web_request *r, ctn_str bytes)
{
    assert(r->is_stream && !r->is_over);
    ctn_buf_append(&r->stream, bytes);
    if (r->stream.overflowed && !r->is_lost)
        cut_off(r); /* the watch tells */
    go_on(r);
    return !r->is_lost;
}

size_t ctn_web_waiting_bytes(const ctn_web_request *r)
{
    return r->stream.len;
}

void ctn_web_end(ctn_web_request *r)
{
    assert(r->is_stream && !r->is_over);
    end(r);
    go_on(r);
}

/* ---- taking ---- */

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                    const char *value, size_t value_len)
{
    (void) kind, (void) name, (void) name_len, (void) value, (void) value_len;
    ++*(size_t *) ctx;
    return MHD_YES;
}

static enum MHD_Result keep_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len)
{
    ctn_web_request *r = ctx;
    (void) kind;
    ((ctn_web_header *) r->ask.headers)[r->ask.header_count++] =
        (ctn_web_header){ctn_arena_str(r->arena, (ctn_str){name, name_len}),
                         ctn_arena_str(r->arena, (ctn_str){value ? value : "", value ? value_len : 0})};
    return MHD_YES;
}

static enum MHD_Result keep_argument(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                     const char *value, size_t value_len)
{
    ctn_web_request *r = ctx;
    (void) kind;
    ((ctn_web_header *) r->ask.query)[r->ask.query_count++] =
        (ctn_web_header){ctn_arena_str(r->arena, (ctn_str){name, name_len}),
                         ctn_arena_str(r->arena, (ctn_str){value ? value : "", value ? value_len : 0})};
    return MHD_YES;
}

static ctn_str from_of(ctn_web_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char text[INET6_ADDRSTRLEN] = "";
    if (address && address->sa_family == AF_INET)
        (void) inet_ntop(AF_INET, &((const struct sockaddr_in *) address)->sin_addr, text, sizeof text);
    else if (address && address->sa_family == AF_INET6)
        (void) inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) address)->sin6_addr, text, sizeof text);
    return ctn_arena_str(r->arena, ctn_str_from(text));
}

static void read_query(ctn_web_request *r)
{
    size_t count = 0;
    (void) MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, count_header, &count);
    r->ask.query = CTN_NEW_ARRAY(r->arena, ctn_web_header, count);
    (void) MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, keep_argument, r);
}

static void read_headers(ctn_web_request *r, const char *method, const char *path)
{
    size_t count = 0;
    (void) MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, count_header, &count);
    r->ask.headers = CTN_NEW_ARRAY(r->arena, ctn_web_header, count);
    (void) MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, keep_header, r);
    r->ask.method = ctn_arena_str(r->arena, ctn_str_from(method));
    r->ask.path = ctn_arena_str(r->arena, ctn_str_from(path));
    r->ask.from = from_of(r);
    read_query(r);
}

/* A sentence, and the connection is closed: what follows on it is not to be believed. */
static enum MHD_Result refuse(ctn_web_request *r, int status, const char *sentence)
{
    ctn_str body = ctn_arena_printf(r->arena, "{\"error\":\"%s\"}\n", sentence);
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/json")},
                                      {CTN_STR("Connection"), CTN_STR("close")}};
    r->is_over = true;
    r->bytes_out = body.len;
    set_response(r, status, MHD_create_response_from_buffer(body.len, (void *) body.ptr, MHD_RESPMEM_MUST_COPY),
                 headers, 2);
    return queue(r);
}

static enum MHD_Result begin(ctn_web_request *r, const char *method, const char *path)
{
    int64_t length = 0;
    read_headers(r, method, path);
    const char *fault = ctn_web_guard(r->ask.headers, r->ask.header_count);
    if (fault)
        return refuse(r, 400, fault);
    if (ctn_str_to_int64(ctn_web_header_of(r->ask.headers, r->ask.header_count, "content-length"), &length) &&
        (uint64_t) length > r->web->of.body_bytes_max)
        return refuse(r, 413, "the body is too large");
    r->is_inside = true;
    if (r->web->of.admit)
        r->web->of.admit(r->web->of.ctx, r);
    r->is_inside = false;
    return MHD_YES;
}

/* What comes after the limit, or of whom was answered already, is read and thrown away, or else the client would not
 * read our answer. */
static enum MHD_Result take_bytes(ctn_web_request *r, const char *bytes, size_t *count)
{
    r->is_one_too_many = r->is_one_too_many || r->web->body_bytes + *count > BODIES_BYTES_MAX;
    if (!r->is_too_large && !r->is_one_too_many && !r->response) {
        ctn_buf_append(&r->body, (ctn_str){bytes, *count});
        r->web->body_bytes += r->body.overflowed ? 0 : *count;
    }
    r->is_too_large = r->body.overflowed;
    *count = 0;
    return r->is_lost ? MHD_NO : MHD_YES;
}

static enum MHD_Result hand_over(ctn_web_request *r)
{
    r->is_whole = true;
    unlink_request(r);
    link_request(&r->web->taken, r);
    if (r->response) /* by `admit` */
        return queue(r);
    r->web->open_count++;
    r->ask.body = ctn_buf_str(&r->body);
    r->is_inside = true;
    r->web->of.take(r->web->of.ctx, r);
    r->is_inside = false;
    if (r->response)
        return queue(r);
    suspend(r);
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *count, void **request)
{
    ctn_web_request *r = *request;
    (void) ctx, (void) version;
    assert(r && r->connection == connection);
    if (!r->ask.method.ptr)
        return begin(r, method, path);
    if (*count)
        return take_bytes(r, bytes, count);
    if (r->is_queued)
        return MHD_YES;
    if (r->is_lost)
        return MHD_NO;
    if (r->is_too_large)
        return refuse(r, 413, "the body is too large");
    if (r->is_one_too_many)
        return refuse(r, 503, "so much arrives at once that there is no room for this; come again");
    if (!r->is_whole)
        return hand_over(r);
    if (r->response)
        return queue(r);
    return MHD_NO; /* resumed for nothing: it was gone */
}

/* At its first line. */
static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    ctn_web *web = ctx;
    ctn_arena *arena = ctn_arena_new(REQUEST_BYTES);
    ctn_web_request *r = CTN_NEW(arena, ctn_web_request);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    visit *v = info ? info->socket_context : NULL;
    (void) uri;
    assert(v);
    unlink_visit(web, v);
    *r = (ctn_web_request){
        .web = web, .visit = v, .connection = connection, .arena = arena, .began_at_ms = ctn_loop_now_ms(web->of.loop)};
    ctn_buf_init(&r->body, web->of.body_bytes_max);
    link_request(&web->arriving, r);
    return r;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    ctn_web *web = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        visit *v = *socket_context = ctn_malloc(sizeof *v);
        *v = (visit){.connection = connection};
        link_visit(web, v);
        if (web->tls)
            ctn_web_tls_greet(web->tls, connection, v->since_ms);
        return;
    }
    visit *v = *socket_context;
    unlink_visit(web, v);
    free(v);
    web->has_room = true;
}

static void tell(const ctn_web_request *r, bool was_cut)
{
    const ctn_web_options *of = &r->web->of;
    if (of->tell)
        of->tell(of->ctx, &(ctn_web_told){.method = r->ask.method,
                                          .path = r->ask.path,
                                          .from = r->ask.from,
                                          .caller = r->caller_name,
                                          .operation = r->operation,
                                          .status = r->is_queued ? r->status : 0,
                                          .is_stream = r->is_stream,
                                          .was_cut = was_cut,
                                          .bytes_in = r->body.len,
                                          .bytes_out = r->is_queued ? r->bytes_out : 0,
                                          .took_ms = ctn_loop_now_ms(of->loop) - r->began_at_ms});
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
    ctn_web *web = ctx;
    ctn_web_request *r = *request;
    (void) connection;
    if (!r)
        return;
    *request = NULL;
    link_visit(web, r->visit);
    ctn_poller_free(r->poller);
    r->poller = NULL;
    r->is_lost = true;
    tell_gone(r);
    tell(r, how != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    unlink_request(r);
    if (r->response)
        MHD_destroy_response(r->response);
    ctn_buf_done(&r->stream);
    web->body_bytes -= r->body.len;
    ctn_buf_done(&r->body);
    ctn_arena_free(r->arena); /* the request lives in it */
}

/* ---- life ---- */

ctn_str ctn_web_address(const ctn_web *web)
{
    return ctn_str_from(web->address);
}

#define OTHER_DESCRIPTORS 256

/* Descriptors for so many connections, if the system lets us have them. How many are asked for is the operator's word;
 * where he has said nothing, as many as there are descriptors for. */
static int make_room(ctn_web *web, unsigned asked, ctn_err *err)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t) web->of.connections_max + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return CTN_OK;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
        (void) getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return CTN_OK;
    if (asked)
        return ctn_fail(err, CTN_E_LIMIT,
                        "%u connections need %llu open files, and this process may have %llu (ulimit -Hn): allow it "
                        "more, or ask for fewer connections (http: connections)",
                        asked, (unsigned long long) wanted, (unsigned long long) limit.rlim_cur);
    web->of.connections_max = limit.rlim_cur > 2 * OTHER_DESCRIPTORS ? (unsigned) (limit.rlim_cur - OTHER_DESCRIPTORS)
                                                                     : (unsigned) limit.rlim_cur / 2;
    return CTN_OK;
}

static int start(ctn_web *web, ctn_err *err)
{
    struct MHD_OptionItem tls[CTN_WEB_TLS_OPTIONS + 1] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    if (web->tls) {
        flags |= MHD_USE_TLS;
        ctn_web_tls_options(web->tls, tls);
    }
    web->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, web, MHD_OPTION_LISTEN_SOCKET, web->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        web->of.connections_max, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) ((web->of.idle_ms + 999) / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, web, MHD_OPTION_NOTIFY_COMPLETED, on_completed, web,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = web->daemon ? MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || ctn_poller_new(web->of.loop, info->epoll_fd, on_ready, web, &web->poller))
        return ctn_fail(err, CTN_E_IO, "cannot serve HTTP on %s", web->address);
    return CTN_OK;
}

int ctn_web_open(const ctn_web_options *options, ctn_str text, ctn_web **ret_web, ctn_err *err)
{
    ctn_web *web = ctn_malloc(sizeof *web);
    *web = (ctn_web){.of = *options, .listen_fd = -1, .turn = {.run = run, .ctx = web}};
    if (!web->of.connections_max)
        web->of.connections_max = CONNECTIONS_MAX;
    if (!web->of.body_bytes_max)
        web->of.body_bytes_max = BODY_BYTES_MAX;
    if (!web->of.stream_bytes_max)
        web->of.stream_bytes_max = STREAM_BYTES_MAX;
    if (!web->of.arrive_ms)
        web->of.arrive_ms = ARRIVE_MS;
    if (!web->of.idle_ms)
        web->of.idle_ms = IDLE_MS;
    int rc = make_room(web, options->connections_max, err);
    if (rc == CTN_OK && options->tls_cert_file)
        rc = ctn_web_tls_open(options->tls_cert_file, options->tls_key_file, options->log, &web->tls, err);
    if (rc == CTN_OK)
        rc = ctn_web_listen(text, &web->listen_fd, web->address, sizeof web->address, err);
    if (rc == CTN_OK)
        rc = start(web, err);
    if (rc)
        goto done;
    web->timer = ctn_timer_new(options->loop, run, web);
    ctn_poller_set(web->poller, CTN_POLL_READ);
    file_turn(web);
done:
    if (rc)
        ctn_web_close(web);
    else
        *ret_web = web;
    return rc;
}

void ctn_web_drain(ctn_web *web)
{
    web->is_draining = true;
    web->swept_at_ms = 0; /* who only waits on his connection is let go now */
    file_turn(web);
}

size_t ctn_web_open_count(const ctn_web *web)
{
    return web->open_count;
}

void ctn_web_close(ctn_web *web)
{
    if (!web)
        return;
    for (ctn_web_request *r = web->taken; r; r = r->next) {
        r->gone = NULL;
        r->is_lost = true;
        resume(r); /* the library does not close what is suspended */
    }
    if (web->daemon)
        (void) MHD_run(web->daemon); /* what was said last goes out, if it can at once */
    ctn_task_cancel(&web->turn);
    ctn_timer_free(web->timer);
    ctn_poller_free(web->poller);
    if (web->daemon)
        MHD_stop_daemon(web->daemon); /* and the socket */
    else if (web->listen_fd >= 0)
        close(web->listen_fd);
    ctn_web_tls_close(web->tls);
    free(web);
}
