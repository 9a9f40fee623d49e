/*
 * A configured server's life: when a process is started, who is told when it is up, what its death means.
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

static void start(ctn_mcp_host *h);

/* ---- who waits ---- */

void ctn_mcp_host_tell_waiters(ctn_mcp_host *h, int code, const char *why)
{
    ctn_mcp_waiter *list = h->waiters;
    h->waiters = NULL;
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
void ctn_mcp_host_send_waiting(ctn_mcp_host *h)
{
    while (h->state == CTN_MCP_UP && !h->is_relisting && h->waiting.first)
        ctn_mcp_flight_send(h->waiting.first);
}

/* ---- starting ---- */

static int64_t rest_ms(unsigned failures)
{
    int64_t span = REST_FIRST_MS;
    for (unsigned i = 1; i < failures && span < REST_MAX_MS; i++)
        span *= 2;
    return span < REST_MAX_MS ? span : REST_MAX_MS;
}

/* Whoever waits now is told that there is no server; h->why says why. Calls begun meanwhile are for the next try. */
static void fail_waiting(ctn_mcp_host *h)
{
    ctn_err why = h->why;
    size_t count = 0;
    for (const ctn_mcp_flight *f = h->waiting.first; f; f = f->next)
        count++;
    int64_t rest = h->rest_until_ms - ctn_loop_now_ms(h->driver->options.loop);
    ctn_call_result result = {.failure = CTN_FAILURE_UNAVAILABLE,
                              .message = ctn_str_from(why.message),
                              .retry_after_ms = rest > 0 ? rest : 0};
    for (size_t i = 0; i < count && h->waiting.first; i++)
        ctn_mcp_flight_tell(h->waiting.first, &result);
    ctn_mcp_host_tell_waiters(h, why.code ? why.code : CTN_E_CLOSED, why.message);
}

static bool is_wanted(const ctn_mcp_host *h)
{
    return (h->waiting.first || h->waiters) && !h->driver->is_shut_down;
}

static void rest_then_start(ctn_mcp_host *h, int64_t until_ms)
{
    h->state = CTN_MCP_RESTING;
    ctn_timer_set(h->timer, until_ms);
}

static void ensure_started(ctn_mcp_host *h)
{
    if (h->state != CTN_MCP_DOWN)
        return;
    int64_t now = ctn_loop_now_ms(h->driver->options.loop);
    if (now >= h->rest_until_ms) {
        h->starting_since_ms = now;
        start(h);
    } else if (h->failures < START_TRIES) {
        h->starting_since_ms = now;
        rest_then_start(h, h->rest_until_ms);
    } else {
        fail_waiting(h);
    }
}

static int64_t start_limit_ms(const ctn_mcp_host *h)
{
    return h->config.start_limit_ms > 0 ? h->config.start_limit_ms : START_LIMIT_MS;
}

/* One more start (or life) that came to nothing; h->why is set. The process is gone. */
static void start_failed(ctn_mcp_host *h)
{
    int64_t now = ctn_loop_now_ms(h->driver->options.loop);
    h->state = CTN_MCP_DOWN;
    h->failures++;
    h->rest_until_ms = now + rest_ms(h->failures);
    if (!is_wanted(h))
        return;
    if (h->failures < START_TRIES && h->rest_until_ms - h->starting_since_ms < start_limit_ms(h))
        rest_then_start(h, h->rest_until_ms);
    else
        fail_waiting(h);
}

static void log_line(const ctn_mcp_host *h, ctn_log_level level, const char *message)
{
    char name[128];
    (void) snprintf(name, sizeof name, "%.*s", CTN_STR_ARG(h->config.name));
    ctn_log_line(h->driver->options.log, level, message, "server", name, NULL);
}

/* "server travel (catena-travel): what; its last words: ..." */
static void set_why(ctn_mcp_host *h, int code, const char *what)
{
    ctn_str words = h->process ? ctn_process_last_words(h->process) : (ctn_str){0};
    if (words.len && h->was_given_sensitive)
        words = CTN_STR("(withheld: it was given sensitive values)");
    (void) ctn_fail(&h->why, code, "server %.*s (%s): %s%s%.*s", CTN_STR_ARG(h->config.name), h->config.command, what,
                    words.len ? "; its last words: " : "", CTN_STR_ARG(words));
}

/* The conversation is over though the process lives: it is ended, and its calls with it. */
static void on_failed(void *ctx, const char *why)
{
    ctn_mcp_host *h = ctx;
    set_why(h, CTN_E_IO, why);
    bool was_starting = h->state == CTN_MCP_STARTING;
    h->state = CTN_MCP_ENDING;
    ctn_timer_clear(h->timer);
    if (was_starting)
        h->failures = h->failures < START_TRIES ? START_TRIES : h->failures + 1; /* it would say the same again */
    ctn_process_end(h->process);
    if (was_starting) {
        h->rest_until_ms = ctn_loop_now_ms(h->driver->options.loop) + rest_ms(h->failures);
        fail_waiting(h);
    }
}

static void on_ready(void *ctx, ctn_mcp_tool_table *tools)
{
    ctn_mcp_host *h = ctx;
    ctn_mcp_tool_table_free(h->tools);
    h->tools = tools;
    h->is_relisting = false;
    if (h->state == CTN_MCP_STARTING) {
        h->state = CTN_MCP_UP;
        h->up_since_ms = ctn_loop_now_ms(h->driver->options.loop);
        ctn_timer_clear(h->timer);
        log_line(h, CTN_LOG_DEBUG, "tool server is up");
    }
    ctn_mcp_host_tell_waiters(h, CTN_OK, "");
    ctn_mcp_host_send_waiting(h);
}

static void on_relist_failed(void *ctx)
{
    ctn_mcp_host *h = ctx;
    h->is_relisting = false;
    log_line(h, CTN_LOG_WARN, "the tools of a server could not be listed again");
    ctn_mcp_host_tell_waiters(h, CTN_OK, "");
    ctn_mcp_host_send_waiting(h);
}

void ctn_mcp_host_relist(ctn_mcp_host *h)
{
    h->is_relisting = true;
    ctn_mcp_client_relist(h->client);
}

/* The calls that the dead process had. Those begun while they are told go to `waiting`: the list only shrinks. */
static void tell_lost(ctn_mcp_host *h)
{
    ctn_err why = h->why;
    ctn_call_result result = {
        .failure = CTN_FAILURE_TRANSPORT, .message = ctn_str_from(why.message), .was_sent = true, .peer_is_dead = true};
    while (h->sent.first)
        ctn_mcp_flight_tell(h->sent.first, &result);
}

static void on_ended(void *ctx, int exit_status)
{
    ctn_mcp_host *h = ctx;
    ctn_mcp_host_state was = h->state;
    if (was != CTN_MCP_ENDING) { /* otherwise the reason is known already */
        char what[64];
        if (exit_status < 0)
            (void) snprintf(what, sizeof what, "it was ended by signal %d", -exit_status);
        else
            (void) snprintf(what, sizeof what, "it ended with exit status %d", exit_status);
        set_why(h, CTN_E_CLOSED, what);
        log_line(h, CTN_LOG_WARN, what);
    }
    int64_t now = ctn_loop_now_ms(h->driver->options.loop);
    bool was_healthy =
        was != CTN_MCP_STARTING && h->up_since_ms && (h->has_answered || now - h->up_since_ms >= HEALTHY_AFTER_MS);
    ctn_mcp_client_free(h->client);
    h->client = NULL;
    ctn_process_free(h->process);
    h->process = NULL;
    ctn_timer_clear(h->timer);
    h->state = CTN_MCP_DOWN;
    h->is_relisting = false;
    ctn_mcp_flights_free(&h->given_up);
    if (was_healthy)
        h->failures = 0;
    bool was_up = h->up_since_ms != 0;
    h->up_since_ms = 0;
    if (was_up)
        h->starting_since_ms = now; /* a new round of tries */
    if (h->driver->is_shut_down) {
        ctn_mcp_driver_tell_if_ended(h->driver);
        return;
    }
    if (was == CTN_MCP_ENDING && !was_up) {
        /* Its calls were told when its start failed; those begun since want a new one. */
        if (is_wanted(h))
            ensure_started(h);
        return;
    }
    h->state = CTN_MCP_ENDING; /* no start from inside the answers */
    tell_lost(h);
    start_failed(h);
}

void ctn_mcp_host_timer(void *ctx)
{
    ctn_mcp_host *h = ctx;
    if (h->state == CTN_MCP_RESTING) {
        h->state = CTN_MCP_DOWN;
        if (is_wanted(h))
            start(h);
    } else if (h->state == CTN_MCP_STARTING) {
        ctn_mcp_client_free(h->client); /* what it may still say comes too late */
        h->client = NULL;
        char what[80];
        (void) snprintf(what, sizeof what, "it was not ready within %lld ms", (long long) start_limit_ms(h));
        on_failed(h, what);
    }
}

static bool on_write(void *ctx, ctn_str line)
{
    const ctn_mcp_host *h = ctx;
    return h->process && ctn_process_write(h->process, line);
}

static void on_line(void *ctx, ctn_str line)
{
    const ctn_mcp_host *h = ctx;
    if (h->client)
        ctn_mcp_client_line(h->client, line);
}

/* ---- lines that are too long ---- */

static void fail_unread(ctn_mcp_host *h, int64_t id, const char *why)
{
    ctn_mcp_flight *f = ctn_mcp_client_too_large(h->client, id, why);
    if (f)
        ctn_mcp_flight_too_large(f, why);
}

static void fail_too_large(ctn_mcp_host *h, int64_t id)
{
    char why[160];
    size_t bytes = h->driver->options.line_bytes_max;
    (void) snprintf(why, sizeof why, "its answer is larger than the %zu %s that are read of one%s",
                    bytes < 1 << 20 ? bytes : bytes >> 20, bytes < 1 << 20 ? "bytes" : "MiB",
                    bytes < CTN_RPC_LINE_BYTES_MAX ? " (a larger limits: valueBytes reads more)" : "");
    fail_unread(h, id, why);
}

/* A line within the limit, and no memory to read it: whoever it answers hears that. */
static void on_unread(void *ctx, ctn_str line)
{
    ctn_mcp_host *h = ctx;
    int64_t id = 0;
    ctn_rpc_peeked peeked = ctn_rpc_peek_head(line, &id);
    if (peeked == CTN_RPC_PEEK_UNKNOWN)
        peeked = ctn_rpc_peek_tail(line, &id);
    if (peeked == CTN_RPC_PEEK_ANSWER)
        fail_unread(h, id, "there is not enough memory to read its answer");
    else
        ctn_mcp_client_stray(h->client);
}

/* Whose answer it is stands at its beginning, or at its end when its result came first. */
static void on_line_too_long(void *ctx, ctn_str head)
{
    ctn_mcp_host *h = ctx;
    h->wants_tail = false;
    if (!h->client)
        return;
    int64_t id = 0;
    switch (ctn_rpc_peek_head(head, &id)) {
    case CTN_RPC_PEEK_ANSWER: fail_too_large(h, id); break;
    case CTN_RPC_PEEK_OTHER: ctn_mcp_client_stray(h->client); break;
    case CTN_RPC_PEEK_UNKNOWN: h->wants_tail = true; break;
    }
}

static void on_line_skipped(void *ctx, ctn_str tail, bool is_endless)
{
    ctn_mcp_host *h = ctx;
    if (is_endless && h->client && (h->state == CTN_MCP_UP || h->state == CTN_MCP_STARTING)) {
        h->wants_tail = false;
        ctn_mcp_client_free(h->client); /* it is heard no more */
        h->client = NULL;
        char what[80];
        (void) snprintf(what, sizeof what, "it sent a line of more than %zu MiB", CTN_LINE_SKIP_BYTES_MAX >> 20);
        on_failed(h, what);
        return;
    }
    if (!h->wants_tail || !h->client)
        return;
    h->wants_tail = false;
    int64_t id = 0;
    const ctn_mcp_flight *only = h->sent.first;
    ctn_rpc_peeked peeked = ctn_rpc_peek_tail(tail, &id);
    if (peeked == CTN_RPC_PEEK_UNKNOWN && only && !only->next && !h->given_up.first) {
        peeked = CTN_RPC_PEEK_ANSWER; /* of whom else? */
        id = only->id;
    }
    if (peeked == CTN_RPC_PEEK_ANSWER)
        fail_too_large(h, id);
    else
        ctn_mcp_client_stray(h->client);
}

static void start(ctn_mcp_host *h)
{
    ctn_mcp_driver *driver = h->driver;
    ctn_process_options process = {
        .loop = driver->options.loop,
        .spawner = driver->options.spawner,
        .argv = h->argv,
        .env = h->env,
        .cwd = h->config.cwd,
        .line_bytes_max = driver->options.line_bytes_max,
        .end_grace_ms = driver->options.end_grace_ms,
        .events = {.line = on_line,
                   .line_too_long = on_line_too_long,
                   .line_skipped = on_line_skipped,
                   .ended = on_ended,
                   .ctx = h},
    };
    ctn_err err = {0};
    h->starts++;
    int rc = h->config.unusable ? ctn_fail(&err, CTN_E_NOT_FOUND, "%s", h->config.unusable)
                                : ctn_process_start(&process, &h->process, &err);
    if (rc) {
        /* No such program: a second try would find none either. */
        (void) ctn_fail(&h->why, rc, "server %.*s cannot be started: %s", CTN_STR_ARG(h->config.name), err.message);
        h->process = NULL;
        h->failures = 0;
        h->rest_until_ms = 0;
        h->state = CTN_MCP_DOWN;
        fail_waiting(h);
        return;
    }
    ctn_mcp_client_options client = {
        .loop = driver->options.loop,
        .pinned_version = h->config.version,
        .discover_silence_ms = driver->options.discover_silence_ms,
        .events = {.write = on_write,
                   .ready = on_ready,
                   .relist_failed = on_relist_failed,
                   .failed = on_failed,
                   .answered = ctn_mcp_flight_answered,
                   .progress = ctn_mcp_flight_progress,
                   .unread = on_unread,
                   .ctx = h},
    };
    h->client = ctn_mcp_client_new(&client);
    h->state = CTN_MCP_STARTING;
    h->has_answered = false;
    h->up_since_ms = 0;
    ctn_timer_set(h->timer, h->starting_since_ms + start_limit_ms(h));
    ctn_mcp_client_start(h->client);
}

/* Up with a list that may be used, or on the way there. True: up now. */
bool ctn_mcp_host_bring_up(ctn_mcp_host *h)
{
    if (h->state == CTN_MCP_UP && !h->is_relisting && ctn_mcp_client_is_stale(h->client))
        ctn_mcp_host_relist(h);
    ensure_started(h);
    return h->state == CTN_MCP_UP && !h->is_relisting;
}
