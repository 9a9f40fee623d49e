/*
 * peer.c -- a configured server's life: when a process is started, who is told when it is up, what its death means.
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
    ctn_err why = peer->why;
    size_t count = 0;
    for (const ctn_mcp_flight *f = peer->waiting.first; f; f = f->next)
        count++;
    int64_t rest = peer->rest_until_ms - ctn_loop_now_ms(peer->driver->options.loop);
    ctn_call_result result = {.failure = CTN_FAILURE_UNAVAILABLE,
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
    return peer->config.start_limit_ms > 0 ? peer->config.start_limit_ms : START_LIMIT_MS;
}

/* One more start (or life) that came to nothing; peer->why is set. The process is gone. */
static void start_failed(ctn_mcp_peer *peer)
{
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop);
    peer->state = CTN_MCP_DOWN;
    peer->failures++;
    peer->rest_until_ms = now + rest_ms(peer->failures);
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
    (void) snprintf(name, sizeof name, "%.*s", CTN_STR_ARG(peer->config.name));
    ctn_log_line(peer->driver->options.log, level, message, "server", name, NULL);
}

/* "server travel (catena-travel): what; its last words: ..." */
static void set_why(ctn_mcp_peer *peer, int code, const char *what)
{
    ctn_str words = peer->process ? ctn_process_last_words(peer->process) : (ctn_str){0};
    if (words.len && peer->was_given_sensitive)
        words = CTN_STR("(withheld: it was given sensitive values)");
    (void) ctn_fail(&peer->why, code, "server %.*s (%s): %s%s%.*s", CTN_STR_ARG(peer->config.name),
                    peer->config.command, what, words.len ? "; its last words: " : "", CTN_STR_ARG(words));
}

/* The conversation is over though the process lives: it is ended, and its calls with it. */
static void on_failed(void *ctx, const char *why)
{
    ctn_mcp_peer *peer = ctx;
    set_why(peer, CTN_E_IO, why);
    bool was_starting = peer->state == CTN_MCP_STARTING;
    peer->state = CTN_MCP_ENDING;
    ctn_timer_clear(peer->timer);
    if (was_starting)
        peer->failures =
            peer->failures < START_TRIES ? START_TRIES : peer->failures + 1; /* it would say the same again */
    ctn_process_end(peer->process);
    if (was_starting) {
        peer->rest_until_ms = ctn_loop_now_ms(peer->driver->options.loop) + rest_ms(peer->failures);
        fail_waiting(peer);
    }
}

static void on_ready(void *ctx, ctn_mcp_tool_table *tools)
{
    ctn_mcp_peer *peer = ctx;
    ctn_mcp_tool_table_free(peer->tools);
    peer->tools = tools;
    peer->is_relisting = false;
    if (peer->state == CTN_MCP_STARTING) {
        peer->state = CTN_MCP_UP;
        peer->up_since_ms = ctn_loop_now_ms(peer->driver->options.loop);
        ctn_timer_clear(peer->timer);
        log_line(peer, CTN_LOG_DEBUG, "tool server is up");
    }
    if (peer->driver->listed)
        peer->driver->listed(peer->driver->listed_ctx, peer->config.name);
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

void ctn_mcp_peer_relist(ctn_mcp_peer *peer)
{
    peer->is_relisting = true;
    ctn_mcp_client_relist(peer->client);
}

/* The calls that the dead process had. Those begun while they are told go to `waiting`: the list only shrinks. */
static void tell_lost(ctn_mcp_peer *peer)
{
    ctn_err why = peer->why;
    ctn_call_result result = {
        .failure = CTN_FAILURE_TRANSPORT, .message = ctn_str_from(why.message), .was_sent = true, .peer_is_dead = true};
    while (peer->sent.first)
        ctn_mcp_flight_tell(peer->sent.first, &result);
}

static void on_ended(void *ctx, int exit_status)
{
    ctn_mcp_peer *peer = ctx;
    ctn_mcp_peer_state was = peer->state;
    if (was != CTN_MCP_ENDING) { /* otherwise the reason is known already */
        char what[64];
        if (exit_status < 0)
            (void) snprintf(what, sizeof what, "it was ended by signal %d", -exit_status);
        else
            (void) snprintf(what, sizeof what, "it ended with exit status %d", exit_status);
        set_why(peer, CTN_E_CLOSED, what);
        log_line(peer, CTN_LOG_WARN, what);
    }
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop);
    bool was_healthy = was != CTN_MCP_STARTING && peer->up_since_ms &&
                       (peer->has_answered || now - peer->up_since_ms >= HEALTHY_AFTER_MS);
    ctn_mcp_client_free(peer->client);
    peer->client = NULL;
    ctn_process_free(peer->process);
    peer->process = NULL;
    ctn_timer_clear(peer->timer);
    peer->state = CTN_MCP_DOWN;
    peer->is_relisting = false;
    ctn_mcp_flights_free(&peer->given_up);
    if (was_healthy)
        peer->failures = 0;
    bool was_up = peer->up_since_ms != 0;
    peer->up_since_ms = 0;
    if (was_up)
        peer->starting_since_ms = now; /* a new round of tries */
    if (peer->driver->is_shut_down) {
        ctn_mcp_driver_tell_if_ended(peer->driver);
        return;
    }
    if (was == CTN_MCP_ENDING && !was_up) {
        /* Its calls were told when its start failed; those begun since want a new one. */
        if (is_wanted(peer))
            ensure_started(peer);
        return;
    }
    peer->state = CTN_MCP_ENDING; /* no start from inside the answers */
    tell_lost(peer);
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
        on_failed(peer, what);
    }
}

static bool on_write(void *ctx, ctn_str line)
{
    const ctn_mcp_peer *peer = ctx;
    return peer->process && ctn_process_write(peer->process, line);
}

static void on_line(void *ctx, ctn_str line)
{
    const ctn_mcp_peer *peer = ctx;
    if (peer->client)
        ctn_mcp_client_line(peer->client, line);
}

/* ---- lines that are too long ---- */

static void fail_unread(ctn_mcp_peer *peer, int64_t id, const char *why)
{
    ctn_mcp_flight *f = ctn_mcp_client_too_large(peer->client, id, why);
    if (f)
        ctn_mcp_flight_too_large(f, why);
}

static void fail_too_large(ctn_mcp_peer *peer, int64_t id)
{
    char why[160];
    size_t bytes = peer->driver->options.line_bytes_max;
    (void) snprintf(why, sizeof why, "its answer is larger than the %zu %s that are read of one%s",
                    bytes < 1 << 20 ? bytes : bytes >> 20, bytes < 1 << 20 ? "bytes" : "MiB",
                    bytes < CTN_RPC_LINE_BYTES_MAX ? " (a larger limits: valueBytes reads more)" : "");
    fail_unread(peer, id, why);
}

/* A line within the limit, and no memory to read it: whoever it answers hears that. */
static void on_unread(void *ctx, ctn_str line)
{
    ctn_mcp_peer *peer = ctx;
    int64_t id = 0;
    ctn_rpc_peeked peeked = ctn_rpc_peek_head(line, &id);
    if (peeked == CTN_RPC_PEEK_UNKNOWN)
        peeked = ctn_rpc_peek_tail(line, &id);
    if (peeked == CTN_RPC_PEEK_ANSWER)
        fail_unread(peer, id, "there is not enough memory to read its answer");
    else
        ctn_mcp_client_stray(peer->client);
}

/* Whose answer it is stands at its beginning, or at its end when its result came first. */
static void on_line_too_long(void *ctx, ctn_str head)
{
    ctn_mcp_peer *peer = ctx;
    peer->wants_tail = false;
    if (!peer->client)
        return;
    int64_t id = 0;
    switch (ctn_rpc_peek_head(head, &id)) {
    case CTN_RPC_PEEK_ANSWER: fail_too_large(peer, id); break;
    case CTN_RPC_PEEK_OTHER: ctn_mcp_client_stray(peer->client); break;
    case CTN_RPC_PEEK_UNKNOWN: peer->wants_tail = true; break;
    }
}

static void on_line_skipped(void *ctx, ctn_str tail, bool is_endless)
{
    ctn_mcp_peer *peer = ctx;
    if (is_endless && peer->client && (peer->state == CTN_MCP_UP || peer->state == CTN_MCP_STARTING)) {
        peer->wants_tail = false;
        ctn_mcp_client_free(peer->client); /* it is heard no more */
        peer->client = NULL;
        char what[80];
        (void) snprintf(what, sizeof what, "it sent a line of more than %zu MiB", CTN_LINE_SKIP_BYTES_MAX >> 20);
        on_failed(peer, what);
        return;
    }
    if (!peer->wants_tail || !peer->client)
        return;
    peer->wants_tail = false;
    int64_t id = 0;
    const ctn_mcp_flight *only = peer->sent.first;
    ctn_rpc_peeked peeked = ctn_rpc_peek_tail(tail, &id);
    if (peeked == CTN_RPC_PEEK_UNKNOWN && only && !only->next && !peer->given_up.first) {
        peeked = CTN_RPC_PEEK_ANSWER; /* of whom else? */
        id = only->id;
    }
    if (peeked == CTN_RPC_PEEK_ANSWER)
        fail_too_large(peer, id);
    else
        ctn_mcp_client_stray(peer->client);
}

static void start(ctn_mcp_peer *peer)
{
    ctn_mcp_driver *driver = peer->driver;
    ctn_process_options process = {
        .loop = driver->options.loop,
        .spawner = driver->options.spawner,
        .argv = peer->argv,
        .env = peer->env,
        .cwd = peer->config.cwd,
        .line_bytes_max = driver->options.line_bytes_max,
        .end_grace_ms = driver->options.end_grace_ms,
        .events = {.line = on_line,
                   .line_too_long = on_line_too_long,
                   .line_skipped = on_line_skipped,
                   .ended = on_ended,
                   .ctx = peer},
    };
    ctn_err err = {0};
    peer->starts++;
    int rc = peer->config.unusable ? ctn_fail(&err, CTN_E_NOT_FOUND, "%s", peer->config.unusable)
                                   : ctn_process_start(&process, &peer->process, &err);
    if (rc) {
        /* No such program: a second try would find none either. */
        (void) ctn_fail(&peer->why, rc, "server %.*s cannot be started: %s", CTN_STR_ARG(peer->config.name),
                        err.message);
        peer->process = NULL;
        peer->failures = 0;
        peer->rest_until_ms = 0;
        peer->state = CTN_MCP_DOWN;
        fail_waiting(peer);
        return;
    }
    ctn_mcp_client_options client = {
        .loop = driver->options.loop,
        .pinned_version = peer->config.version,
        .discover_silence_ms = driver->options.discover_silence_ms,
        .events = {.write = on_write,
                   .ready = on_ready,
                   .relist_failed = on_relist_failed,
                   .failed = on_failed,
                   .answered = ctn_mcp_flight_answered,
                   .progress = ctn_mcp_flight_progress,
                   .unread = on_unread,
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
