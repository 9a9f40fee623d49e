/*
 * peer.c -- the life of one connection to a server: when it is begun, who is told when it is up, what its end means.
 *
 *     DOWN --needed--> STARTING --ready--> UP --died--> DOWN
 *       ^                 |                 |
 *       |  delay          | died, limit     | nonsense, over the limit
 *       +---- RESTING <---+                 +----> ENDING --ended--> DOWN
 *
 * What must hold: starts without success come at growing distances: START_TRIES in a row while somebody waits for
 * them, then only when a new call asks and the rest is over. A life is a success when it gave an answer or
 * lasted HEALTHY_AFTER_MS. Whoever waits is told, at the latest when the start limit is over.
 */
#include "drivers/mcp/internal.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define START_LIMIT_MS   10000
#define START_TRIES      3
#define REST_FIRST_MS    100
#define REST_MAX_MS      30000
#define HEALTHY_AFTER_MS 10000

static void start(ctn_mcp_peer *peer);

/* ---- who waits ---- */

void ctn_mcp_peer_tell_waiters(ctn_mcp_peer *peer, int code, const char *why)
{
    ctn_mcp_waiter *list = peer->waiters;
    peer->waiters = NULL;
    while (list) {
        ctn_mcp_waiter *w = list;
        list = w->next;
        if (w->prepared)
            w->prepared(w->ctx);
        else
            w->ready(w->ctx, code, why);
        free(w);
    }
}

/* Those that wait now; what they begin while they are told joins the end and is seen too. */
static void send_waiting(ctn_mcp_peer *peer)
{
    while (peer->state == CTN_MCP_UP && !peer->is_relisting && peer->waiting.first)
        ctn_mcp_flight_send(peer->waiting.first);
}

/* ---- starting ---- */

static int64_t rest_ms(unsigned failures)
{
    int64_t span = REST_FIRST_MS;
    for (unsigned i = 1; i < failures && span < REST_MAX_MS; i++)
        span *= 2;
    return span < REST_MAX_MS ? span : REST_MAX_MS;
}

/* Whoever waits now is told that there is no server; peer->why says why. Calls begun meanwhile are for the next try. */
static void fail_waiting(ctn_mcp_peer *peer)
{
    ctn_mcp_instance_left(peer);
    ctn_err why = peer->why;
    size_t count = peer->waiting.count;
    int64_t rest = peer->rest_until_ms - ctn_loop_now_ms(peer->driver->options.loop);
    bool is_denied = peer->url && why.code == CTN_E_DENIED;
    ctn_call_result result = {.failure = is_denied ? CTN_FAILURE_DENIED : CTN_FAILURE_UNAVAILABLE,
                              .message = ctn_str_from(why.message),
                              .retry_after_ms = rest > 0 ? rest : 0};
    for (size_t i = 0; i < count && peer->waiting.first; i++)
        ctn_mcp_flight_tell(peer->waiting.first, &result);
    ctn_mcp_peer_tell_waiters(peer, why.code ? why.code : CTN_E_CLOSED, why.message);
}

static bool is_wanted(const ctn_mcp_peer *peer)
{
    return (peer->waiting.first || peer->waiters) && !peer->driver->is_shut_down;
}

static void rest_then_start(ctn_mcp_peer *peer, int64_t until_ms)
{
    peer->state = CTN_MCP_RESTING;
    ctn_timer_set(peer->timer, until_ms);
}

static void ensure_started(ctn_mcp_peer *peer)
{
    if (peer->state != CTN_MCP_DOWN)
        return;
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop);
    if (now >= peer->rest_until_ms) {
        peer->starting_since_ms = now;
        start(peer);
    } else if (peer->failures < START_TRIES) {
        peer->starting_since_ms = now;
        rest_then_start(peer, peer->rest_until_ms);
    } else {
        fail_waiting(peer);
    }
}

static int64_t start_limit_ms(const ctn_mcp_peer *peer)
{
    return peer->server->config.start_limit_ms > 0 ? peer->server->config.start_limit_ms : START_LIMIT_MS;
}

/* One more start (or life) that came to nothing; peer->why is set. The process is gone. */
static void start_failed(ctn_mcp_peer *peer)
{
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop);
    peer->state = CTN_MCP_DOWN;
    peer->failures++;
    peer->rest_until_ms = now + rest_ms(peer->failures);
    ctn_mcp_instance_left(peer);
    if (!is_wanted(peer))
        return;
    if (peer->failures < START_TRIES && peer->rest_until_ms - peer->starting_since_ms < start_limit_ms(peer))
        rest_then_start(peer, peer->rest_until_ms);
    else
        fail_waiting(peer);
}

static void log_line(const ctn_mcp_peer *peer, ctn_log_level level, const char *message)
{
    char name[128];
    (void) snprintf(name, sizeof name, "%.*s", CTN_STR_ARG(peer->server->config.name));
    ctn_log_line(peer->driver->options.log, level, message, "server", name, NULL);
}

/* "server travel (catena-travel): what; its last words: ..." */
static void set_why(ctn_mcp_peer *peer, int code, const char *what)
{
    const ctn_mcp_server *server = peer->server;
    ctn_str words = peer->transport ? ctn_mcp_transport_last_words(peer->transport) : (ctn_str){0};
    if (words.len && server->was_given_sensitive)
        words = CTN_STR("(withheld: it was given sensitive values)");
    (void) ctn_fail(&peer->why, code, "server %.*s (%s): %s%s%s%.*s", CTN_STR_ARG(server->config.name), peer->shown,
                    peer->http_why, what, words.len ? "; its last words: " : "", CTN_STR_ARG(words));
}

/* The conversation is over though the server lives: its connection is ended, and its calls with it. */
static void on_failed(void *ctx, ctn_mcp_fault fault, const char *why)
{
    ctn_mcp_peer *peer = ctx;
    set_why(peer, fault == CTN_MCP_FAULT_DENIED ? CTN_E_DENIED : CTN_E_IO, why);
    bool was_starting = peer->state == CTN_MCP_STARTING;
    peer->state = CTN_MCP_ENDING;
    ctn_timer_clear(peer->timer);
    ctn_mcp_transport_end(peer->transport);
    /* on_ended goes on, unless it would be the same again: then it is told at once. */
    if (!was_starting || fault == CTN_MCP_FAULT_UNREACHED)
        return;
    if (fault == CTN_MCP_FAULT_OTHER_WAY && peer->server->config.way == CTN_MCP_WAY_AUTO && !peer->wants_sse) {
        peer->wants_sse = peer->tries_other_way = true;
        (void) snprintf(peer->http_why, sizeof peer->http_why, "no Streamable HTTP (%s), and ", why);
        return;
    }
    peer->failures = peer->failures < START_TRIES ? START_TRIES : peer->failures + 1;
    peer->rest_until_ms = ctn_loop_now_ms(peer->driver->options.loop) + rest_ms(peer->failures);
    peer->has_told = true;
    fail_waiting(peer);
}

static void on_ready(void *ctx, ctn_mcp_tool_table *tools)
{
    ctn_mcp_peer *peer = ctx;
    ctn_mcp_server *server = peer->server;
    ctn_mcp_tool_table_free(peer->tools);
    server->tools = peer->tools = tools;
    ctn_mcp_instance_listed(peer);
    peer->is_relisting = false;
    ctn_str version = ctn_mcp_client_version(peer->client);
    (void) snprintf(server->known_version, sizeof server->known_version, "%.*s", CTN_STR_ARG(version));
    if (peer->state == CTN_MCP_STARTING) {
        peer->state = CTN_MCP_UP;
        peer->up_since_ms = ctn_loop_now_ms(peer->driver->options.loop);
        ctn_timer_clear(peer->timer);
        log_line(peer, CTN_LOG_DEBUG, "tool server is up");
    }
    if (peer->driver->listed)
        peer->driver->listed(peer->driver->listed_ctx, server->config.name);
    ctn_mcp_peer_tell_waiters(peer, CTN_OK, "");
    send_waiting(peer);
}

static void on_relist_failed(void *ctx)
{
    ctn_mcp_peer *peer = ctx;
    peer->is_relisting = false;
    log_line(peer, CTN_LOG_WARN, "the tools of a server could not be listed again");
    ctn_mcp_peer_tell_waiters(peer, CTN_OK, "");
    send_waiting(peer);
}

static void on_renewing(void *ctx)
{
    ctn_mcp_peer *peer = ctx;
    peer->is_relisting = true;
    log_line(peer, CTN_LOG_DEBUG, "the server has forgotten our session: a new one is begun");
}

static void on_warned(void *ctx, const char *what)
{
    log_line(ctx, CTN_LOG_WARN, what);
}

void ctn_mcp_peer_relist(ctn_mcp_peer *peer)
{
    peer->is_relisting = true;
    ctn_mcp_client_relist(peer->client);
}

/* The calls that the ended life had. Those begun while they are told go to `waiting`: the list only shrinks. */
static void tell_lost(ctn_mcp_peer *peer, bool is_dead)
{
    ctn_err why = peer->why;
    ctn_call_result result = {.failure = CTN_FAILURE_TRANSPORT,
                              .message = ctn_str_from(why.message),
                              .was_sent = true,
                              .peer_is_dead = is_dead};
    while (peer->sent.first)
        ctn_mcp_flight_tell(peer->sent.first, &result);
}

/* What its life ends with, whatever ended it. */
static void clear_life(ctn_mcp_peer *peer)
{
    ctn_mcp_client_free(peer->client);
    peer->client = NULL;
    ctn_mcp_transport_free(peer->transport);
    peer->transport = NULL;
    ctn_timer_clear(peer->timer);
    peer->state = CTN_MCP_DOWN;
    peer->is_relisting = false;
    ctn_mcp_flights_free(&peer->given_up);
}

static void on_ended(void *ctx, const char *why, bool is_dead)
{
    ctn_mcp_peer *peer = ctx;
    ctn_mcp_peer_state was = peer->state;
    char unheard[160];
    if (was == CTN_MCP_STARTING && is_dead && peer->transport && !ctn_mcp_transport_last_words(peer->transport).len) {
        (void) snprintf(unheard, sizeof unheard, "%s before it said anything: is it an MCP server?", why);
        why = unheard;
    }
    if (was != CTN_MCP_ENDING) { /* otherwise the reason is known already */
        set_why(peer, CTN_E_CLOSED, why);
        log_line(peer, CTN_LOG_WARN, why);
    }
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop);
    bool was_healthy = was != CTN_MCP_STARTING && peer->up_since_ms &&
                       (peer->has_answered || now - peer->up_since_ms >= HEALTHY_AFTER_MS);
    bool has_told = peer->has_told;
    peer->has_told = false;
    clear_life(peer);
    if (was_healthy)
        peer->failures = 0;
    bool was_up = peer->up_since_ms != 0;
    if (was_up)
        peer->starting_since_ms = now; /* a new round of tries */
    peer->up_since_ms = 0;
    ctn_mcp_server *server = peer->server;
    if (peer->driver->is_shut_down) {
        ctn_mcp_driver_tell_if_ended(peer->driver);
        return;
    }
    if (peer->tries_other_way) {
        peer->tries_other_way = false;
        if (is_wanted(peer))
            start(peer);
        return;
    }
    if (peer->wants_sse && !was_up && server->config.way == CTN_MCP_WAY_AUTO)
        peer->wants_sse = false; /* it was neither: nothing was learned */
    peer->http_why[0] = '\0';
    if (has_told) {
        /* Its calls were told when its start failed; those begun since want a new one. */
        if (is_wanted(peer))
            ensure_started(peer);
        return;
    }
    peer->state = CTN_MCP_ENDING; /* no start from inside the answers */
    tell_lost(peer, is_dead);
    start_failed(peer);
}

void ctn_mcp_peer_timer(void *ctx)
{
    ctn_mcp_peer *peer = ctx;
    if (peer->state == CTN_MCP_RESTING) {
        peer->state = CTN_MCP_DOWN;
        if (is_wanted(peer))
            start(peer);
    } else if (peer->state == CTN_MCP_STARTING) {
        ctn_mcp_client_free(peer->client); /* what it may still say comes too late */
        peer->client = NULL;
        char what[80];
        (void) snprintf(what, sizeof what, "it was not ready within %lld ms", (long long) start_limit_ms(peer));
        on_failed(peer, CTN_MCP_FAULT_LASTING, what);
    }
}

/* ---- what the transport tells; nobody listens any more while it ends after a start that took too long ---- */

static bool on_message(void *ctx, const ctn_mcp_arrival *arrival)
{
    const ctn_mcp_peer *peer = ctx;
    return peer->client && ctn_mcp_client_message(peer->client, arrival);
}

static void on_lost(void *ctx, int64_t id, const ctn_mcp_loss *loss)
{
    const ctn_mcp_peer *peer = ctx;
    if (peer->client)
        ctn_mcp_client_lost(peer->client, id, loss);
}

static void on_too_large(void *ctx, int64_t id, const char *why)
{
    const ctn_mcp_peer *peer = ctx;
    if (peer->client)
        ctn_mcp_client_too_large(peer->client, id, why);
}

static void on_stray(void *ctx)
{
    const ctn_mcp_peer *peer = ctx;
    if (peer->client)
        ctn_mcp_client_stray(peer->client);
}

static void on_session_gone(void *ctx)
{
    const ctn_mcp_peer *peer = ctx;
    if (peer->client)
        ctn_mcp_client_session_gone(peer->client);
}

static void on_broken(void *ctx, const char *why)
{
    ctn_mcp_peer *peer = ctx;
    if (!peer->client || (peer->state != CTN_MCP_UP && peer->state != CTN_MCP_STARTING))
        return;
    ctn_mcp_client_free(peer->client); /* it is heard no more */
    peer->client = NULL;
    on_failed(peer, CTN_MCP_FAULT_LASTING, why);
}

/* ---- beginning a life ---- */

static int read_headers(void *ctx, ctn_arena *arena, const ctn_mcp_header **ret_headers, size_t *ret_count,
                        ctn_err *err)
{
    const ctn_mcp_server *server = ctx;
    const ctn_mcp_driver_options *options = &server->driver->options;
    if (options->headers)
        return options->headers(options->headers_ctx, server->config.name, arena, ret_headers, ret_count, err);
    *ret_headers = server->config.headers; /* as long-lived as the server */
    *ret_count = server->config.header_count;
    return CTN_OK;
}

static int open_transport(ctn_mcp_peer *peer, ctn_err *err)
{
    ctn_mcp_server *server = peer->server;
    const ctn_mcp_driver_options *options = &peer->driver->options;
    ctn_mcp_transport_events events = {.message = on_message,
                                       .lost = on_lost,
                                       .too_large = on_too_large,
                                       .stray = on_stray,
                                       .session_gone = on_session_gone,
                                       .broken = on_broken,
                                       .ended = on_ended,
                                       .ctx = peer};
    if (server->config.unusable)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%s", server->config.unusable);
    if (peer->url) {
        ctn_mcp_http_options http = {
            .loop = options->loop,
            .http = options->http,
            .url = ctn_str_from(peer->url),
            .policy = &server->config.policy,
            .headers = {.read = read_headers, .ctx = server},
            .auth = peer->auth,
            .message_bytes_max = options->line_bytes_max,
            .end_grace_ms = options->end_grace_ms,
            .events = events,
        };
        return peer->wants_sse ? ctn_mcp_sse_new(&http, &peer->transport, err)
                               : ctn_mcp_http_new(&http, &peer->transport, err);
    }
    ctn_mcp_stdio_options stdio = {
        .loop = options->loop,
        .spawner = options->spawner,
        .argv = server->argv,
        .env = server->env,
        .cwd = server->config.cwd,
        .line_bytes_max = options->line_bytes_max,
        .end_grace_ms = options->end_grace_ms,
        .events = events,
    };
    return ctn_mcp_stdio_new(&stdio, &peer->transport, err);
}

static void start(ctn_mcp_peer *peer)
{
    const ctn_mcp_driver_options *options = &peer->driver->options;
    ctn_mcp_server *server = peer->server;
    ctn_err err = {0};
    server->starts++;
    int rc = open_transport(peer, &err);
    if (rc) {
        /* No such program: a second try would find none either. */
        (void) ctn_fail(&peer->why, rc, "server %.*s cannot be %s: %s", CTN_STR_ARG(server->config.name),
                        peer->url ? "used" : "started", err.message);
        peer->failures = 0;
        peer->rest_until_ms = 0;
        peer->state = CTN_MCP_DOWN;
        fail_waiting(peer);
        return;
    }
    ctn_mcp_client_options client = {
        .loop = options->loop,
        .transport = peer->transport,
        .pinned_version =
            peer->wants_sse && !server->config.version.len ? CTN_STR(CTN_MCP_VERSION_LEGACY) : server->config.version,
        .known_version = ctn_str_from(server->known_version),
        .answers_with_defaults = server->config.answers_with_defaults,
        .discover_silence_ms = options->discover_silence_ms,
        .events = {.ready = on_ready,
                   .relist_failed = on_relist_failed,
                   .renewing = on_renewing,
                   .failed = on_failed,
                   .warned = on_warned,
                   .answered = ctn_mcp_flight_answered,
                   .lost = ctn_mcp_flight_lost,
                   .too_large = ctn_mcp_flight_too_large,
                   .progress = ctn_mcp_flight_progress,
                   .ctx = peer},
    };
    peer->client = ctn_mcp_client_new(&client);
    peer->state = CTN_MCP_STARTING;
    peer->has_answered = false;
    peer->up_since_ms = 0;
    ctn_timer_set(peer->timer, peer->starting_since_ms + start_limit_ms(peer));
    ctn_mcp_client_start(peer->client);
}

/* Up with a list that may be used, or on the way there. True: up now. */
bool ctn_mcp_peer_bring_up(ctn_mcp_peer *peer)
{
    if (peer->state == CTN_MCP_UP && !peer->is_relisting && ctn_mcp_client_is_stale(peer->client))
        ctn_mcp_peer_relist(peer);
    ensure_started(peer);
    return peer->state == CTN_MCP_UP && !peer->is_relisting;
}
