/*
 * connections.c -- connections and the requests on them: which there are, which sleep, and which are left by their
 * client.
 *
 * While a request waits for its answer, or a stream for something to send, its connection is suspended: the library
 * looks at it no more, so that the client left is found out by a watch of our own on the socket (a client that closes
 * its sending half has left).
 *
 * Waking one connection makes the library look at all that are suspended (resume_suspended_connections): with ten
 * thousand streams about two milliseconds, once for all that are woken in a round.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/memory.h"
#include "server/http/parts.h"

#define REQUEST_BYTES 1024

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

void ctn_web_move(ctn_web_request *r, ctn_web_request **list)
{
    unlink_request(r);
    link_request(list, r);
}

static void link_visit(ctn_web *web, ctn_web_visit *v)
{
    v->since_ms = ctn_loop_now_ms(web->of.loop);
    v->prev = NULL;
    v->next = web->visits;
    if (v->next)
        v->next->prev = v;
    web->visits = v;
}

static void unlink_visit(ctn_web *web, ctn_web_visit *v)
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

/* ---- asleep and awake ---- */

void ctn_web_shut(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        (void) shutdown(info->connect_fd, SHUT_RDWR);
}

void ctn_web_cut_off(ctn_web_request *r)
{
    r->is_lost = true;
    ctn_web_shut(r->connection);
}

void ctn_web_resume(ctn_web_request *r)
{
    if (!r->is_suspended)
        return;
    r->is_suspended = false;
    MHD_resume_connection(r->connection);
    ctn_web_file_turn(r->web);
}

/* ---- the client leaves ---- */

void ctn_web_over(ctn_web_request *r)
{
    r->is_over = true;
    if (r->is_whole)
        r->web->open_count--;
}

static void tell_gone(ctn_web_request *r)
{
    if (r->is_over || !r->is_whole)
        return;
    ctn_web_over(r);
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
    ctn_web_resume(r); /* so that the library closes it */
}

static void watch(ctn_web_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!r->poller && info && ctn_poller_new(r->web->of.loop, info->connect_fd, on_hang_up, r, &r->poller) == 0)
        ctn_poller_set(r->poller, CTN_POLL_GONE);
}

void ctn_web_suspend(ctn_web_request *r)
{
    assert(!r->is_suspended);
    r->is_suspended = true;
    watch(r);
    MHD_suspend_connection(r->connection);
}

/* ---- from the first line to the end ---- */

void *ctn_web_on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    ctn_web *web = ctx;
    ctn_arena *arena = ctn_arena_new(REQUEST_BYTES);
    ctn_web_request *r = CTN_NEW(arena, ctn_web_request);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ctn_web_visit *v = info ? info->socket_context : NULL;
    (void) uri;
    assert(v);
    unlink_visit(web, v);
    *r = (ctn_web_request){
        .web = web, .visit = v, .connection = connection, .arena = arena, .began_at_ms = ctn_loop_now_ms(web->of.loop)};
    ctn_buf_init(&r->body, web->of.body_bytes_max);
    link_request(&web->arriving, r);
    return r;
}

void ctn_web_on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                           enum MHD_ConnectionNotificationCode what)
{
    ctn_web *web = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        ctn_web_visit *v = *socket_context = ctn_malloc(sizeof *v);
        *v = (ctn_web_visit){.connection = connection};
        link_visit(web, v);
        if (web->tls)
            ctn_web_tls_greet(web->tls, connection, v->since_ms);
        return;
    }
    ctn_web_visit *v = *socket_context;
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

void ctn_web_on_completed(void *ctx, struct MHD_Connection *connection, void **request,
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
