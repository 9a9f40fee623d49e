/*
 * listener.c -- see server/web.h: a server is opened, turned, drained and closed.
 *
 * libmicrohttpd is turned by the loop: its epoll descriptor is watched, its time-outs are a timer.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/memory.h"
#include "server/http/address.h"
#include "server/http/parts.h"

#define CONNECTIONS_MAX  12000
#define BODY_BYTES_MAX   ((size_t) 4 << 20)
#define STREAM_BYTES_MAX ((size_t) 4 << 20)
#define ARRIVE_MS        30000
#define IDLE_MS          60000
#define HEADER_BYTES_MAX ((size_t) 16 << 10) /* half of it is touched by each connection */
#define SWEEP_MS         1000

/* ---- turning the library ---- */

void ctn_web_file_turn(ctn_web *web)
{
    ctn_task_file(web->of.loop, &web->turn);
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
            ctn_web_cut_off(r);
    for (ctn_web_visit *v = web->visits; v; v = v->next)
        if (!v->is_cut && (web->is_draining || now_ms - v->since_ms > web->of.idle_ms)) {
            v->is_cut = true;
            ctn_web_shut(v->connection);
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
        ctn_web_file_turn(web); /* it has more to do; after a connection was closed: it may accept again */
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
    web->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, ctn_web_on_request, web, MHD_OPTION_LISTEN_SOCKET, web->listen_fd,
                         MHD_OPTION_CONNECTION_LIMIT, web->of.connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned) ((web->of.idle_ms + 999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         HEADER_BYTES_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, ctn_web_on_uri,
                         web, MHD_OPTION_NOTIFY_COMPLETED, ctn_web_on_completed, web, MHD_OPTION_NOTIFY_CONNECTION,
                         ctn_web_on_connection, web, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
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
    ctn_web_file_turn(web);
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
    ctn_web_file_turn(web);
}

size_t ctn_web_open_count(const ctn_web *web)
{
    return web->open_count;
}

bool ctn_web_is_quiet(const ctn_web *web)
{
    return !web->taken;
}

void ctn_web_close(ctn_web *web)
{
    if (!web)
        return;
    for (ctn_web_request *r = web->taken; r; r = r->next) {
        r->gone = NULL;
        r->is_lost = true;
        ctn_web_resume(r); /* the library does not close what is suspended */
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
