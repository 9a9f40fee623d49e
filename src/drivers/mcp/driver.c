/*
 * driver.c -- the driver: servers that come and go underneath, calls that are answered once on top.
 *
 * A call is a flight, and in exactly one list of its peer: `waiting` (the server is not up, or lists its tools
 * again), `sent`, `tasks` (it went on by itself, and is asked for its result now and then: mcp/task.h), or `given_up`
 * (timed out or cancelled while the process that has it lives). It is in `tokens` from begin to the end of its list: so
 * may_still_arrive is a lookup, and a token that is not there is one whose process has ended or has answered.
 *
 * What must hold: (1) done is told once for a call, never after its cancel, and always after the call has left its
 * list, so that the engine may begin another call from there; (2) nothing leaves us for a call that is answered
 * with was_sent false; (3) a process that ended takes all its sent calls with it, as peer_is_dead, after
 * everything it had written was read.
 */
#include "drivers/mcp/internal.h"
#include "drivers/mcp/task.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

#define DISCOVER_SILENCE_MS 3000
#define END_GRACE_MS        1000

/* ---- the driver's interface ---- */

ctn_mcp_server *ctn_mcp_server_named(const ctn_mcp_driver *driver, ctn_str name)
{
    for (size_t i = 0; i < driver->server_count; i++)
        if (ctn_str_equal(driver->names[i], name))
            return &driver->servers[i];
    return NULL;
}

static void explain_unknown_server(const ctn_mcp_driver *driver, ctn_str name, ctn_err *err)
{
    ctn_str near = ctn_str_nearest(name, driver->names, driver->server_count);
    if (near.len)
        (void) ctn_fail(err, CTN_E_NOT_FOUND, "no server \"%.*s\" is configured; did you mean \"%.*s\"?",
                        CTN_STR_ARG(name), CTN_STR_ARG(near));
    else
        (void) ctn_fail(err, CTN_E_NOT_FOUND, "no server \"%.*s\" is configured", CTN_STR_ARG(name));
}

/* The instance that has a part of the call; NULL: it is not to be had, and that was told: nobody knows what it did. */
static ctn_mcp_peer *continued_at(ctn_mcp_driver *driver, ctn_mcp_server *server, const ctn_call_request *request)
{
    ctn_str name;
    ctn_mcp_peer *peer = ctn_mcp_instance_of_mark(server, request->continuation, &name);
    if (peer)
        return peer;
    ctn_err err = {0};
    (void) ctn_fail(&err, CTN_E_NOT_FOUND,
                    "the instance %.*s of server %.*s has the call, and is not configured any more", CTN_STR_ARG(name),
                    CTN_STR_ARG(server->config.name));
    ctn_call_result result = {.failure = CTN_FAILURE_TRANSPORT, .message = ctn_str_from(err.message), .was_sent = true};
    driver->options.sink.done(driver->options.sink.ctx, request->token, &result);
    return NULL;
}

static void begin(void *ctx, const ctn_call_request *request)
{
    ctn_mcp_driver *driver = ctx;
    assert(!driver->is_shut_down);
    ctn_str tool = request->target;
    ctn_str name = ctn_str_cut(&tool, '/');
    ctn_mcp_server *server = ctn_mcp_server_named(driver, name);
    if (!server || tool.len == 0) {
        ctn_err err = {0};
        if (!server)
            explain_unknown_server(driver, name, &err);
        else
            (void) ctn_fail(&err, CTN_E_INVALID, "\"%.*s\" names no tool: it must be server/tool",
                            CTN_STR_ARG(request->target));
        ctn_call_result result = {.failure = CTN_FAILURE_PROTOCOL_ERROR, .message = ctn_str_from(err.message)};
        driver->options.sink.done(driver->options.sink.ctx, request->token, &result);
        return;
    }
    server->was_given_sensitive = server->was_given_sensitive || request->is_sensitive;
    ctn_mcp_peer *peer =
        request->continuation ? continued_at(driver, server, request) : ctn_mcp_instance_for_call(server);
    if (!peer)
        return;
    ctn_mcp_flight *f = ctn_malloc(sizeof *f + tool.len);
    *f = (ctn_mcp_flight){.peer = peer,
                          .token = request->token,
                          .timeout_ms = request->timeout_ms,
                          .deadline_ms = request->deadline_ms,
                          .idle_timeout_ms = request->idle_timeout_ms,
                          .args = request->args,
                          .key = request->idempotency_key,
                          .traceparent = request->traceparent,
                          .is_bound = request->continuation != NULL,
                          .go_on = request->continuation,
                          .answers = request->answers,
                          .tool_len = tool.len};
    memcpy(f->tool, tool.ptr, tool.len);
    if (ctn_mcp_flight_task_is(request->continuation))
        ctn_mcp_flight_task_resume(f, request->continuation, request->answers);
    ctn_token_map_put(&driver->tokens, f->token, f);
    bool is_first = !peer->waiting.first;
    ctn_mcp_flight_add(&peer->waiting, f);
    if (is_first && peer->state == CTN_MCP_UP && !peer->is_relisting && !ctn_mcp_client_is_stale(peer->client)) {
        ctn_mcp_flight_send(f);
        /* An unknown tool may have set off a relist: then the call waits, and needs its own copies. */
        if (ctn_token_map_get(&driver->tokens, request->token) != f || f->id)
            return;
    }
    if (!f->arena)
        ctn_mcp_flight_keep_arguments(f);
    (void) ctn_mcp_peer_bring_up(peer);
}

void ctn_mcp_question_ask(ctn_mcp_driver *driver, const ctn_mcp_question *question)
{
    ctn_mcp_server *server = ctn_mcp_server_named(driver, question->server);
    if (!server) {
        ctn_err err = {0};
        explain_unknown_server(driver, question->server, &err);
        question->answered(question->ctx, &(ctn_call_result){.failure = CTN_FAILURE_PROTOCOL_ERROR,
                                                             .message = ctn_str_from(err.message)});
        return;
    }
    ctn_mcp_flight *f = ctn_malloc(sizeof *f + question->name.len);
    *f = (ctn_mcp_flight){.peer = ctn_mcp_instance_for_call(server),
                          .token = UINT64_MAX - driver->question_count++,
                          .timeout_ms = question->timeout_ms,
                          .args = question->params,
                          .method = question->method,
                          .answered = question->answered,
                          .answered_ctx = question->ctx,
                          .tool_len = question->name.len};
    if (f->tool_len)
        memcpy(f->tool, question->name.ptr, f->tool_len);
    ctn_token_map_put(&driver->tokens, f->token, f);
    ctn_mcp_flight_keep_arguments(f);
    ctn_mcp_flight_add(&f->peer->waiting, f);
    if (ctn_mcp_peer_bring_up(f->peer))
        ctn_mcp_flight_send(f);
}

static void cancel(void *ctx, uint64_t token)
{
    ctn_mcp_driver *driver = ctx;
    ctn_mcp_flight *f = ctn_token_map_get(&driver->tokens, token);
    if (!f || f->is_given_up)
        return;
    if (f->task)
        ctn_mcp_flight_task_cancel(f);
    else if (f->id)
        ctn_mcp_flight_give_up(f, CTN_STR("cancelled"));
    else
        ctn_mcp_flight_free(f);
    ctn_mcp_flights_set_timer(driver);
}

static void forget(void *ctx, uint64_t token)
{
    ctn_mcp_driver *driver = ctx;
    ctn_mcp_flight *f = ctn_token_map_get(&driver->tokens, token);
    if (!f || f->is_given_up)
        return;
    if (!f->task)
        cancel(ctx, token);
    else if (f->id)
        ctn_mcp_flight_give_up(f, CTN_STR("the client ends")); /* the question, not the task */
    else
        ctn_mcp_flight_free(f);
    ctn_mcp_flights_set_timer(driver);
}

static void abandon(void *ctx, ctn_str target, const ctn_json *continuation)
{
    ctn_mcp_driver *driver = ctx;
    ctn_mcp_server *server = ctn_mcp_server_named(driver, ctn_str_cut(&target, '/'));
    if (server)
        ctn_mcp_flight_task_abandon(driver, server, continuation);
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    const ctn_mcp_driver *driver = ctx;
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, ctn_str_cut(&target, '/'));
    /* Whoever has a request that went out over HTTP lives on, and tells nothing of it. */
    return (server && server->config.url) || ctn_token_map_get(&driver->tokens, token) != NULL;
}

static void await(ctn_mcp_peer *peer, ctn_mcp_waiter form)
{
    ctn_mcp_waiter *w = ctn_malloc(sizeof *w);
    *w = form;
    w->next = peer->waiters;
    peer->waiters = w;
    if (ctn_mcp_peer_bring_up(peer))
        ctn_mcp_peer_tell_waiters(peer, CTN_OK, "");
}

static void prepare(void *ctx, ctn_str target, void (*ready)(void *ready_ctx), void *ready_ctx)
{
    ctn_mcp_driver *driver = ctx;
    ctn_str tool = target;
    ctn_mcp_server *server = ctn_mcp_server_named(driver, ctn_str_cut(&tool, '/'));
    if (server && !driver->is_shut_down)
        await(ctn_mcp_instance_for_call(server), (ctn_mcp_waiter){.prepared = ready, .ctx = ready_ctx});
    else
        ready(ready_ctx);
}

static ctn_effect effect_of(void *ctx, ctn_str target, const char **ret_from)
{
    return ctn_mcp_effect(ctx, target, ret_from);
}

static bool schema_of(void *ctx, ctn_str target, ctn_digest *ret_digest)
{
    ctn_str name = target;
    const ctn_mcp_server *server = ctn_mcp_server_named(ctx, ctn_str_cut(&name, '/'));
    const ctn_mcp_tool *tool = server && server->tools ? ctn_mcp_tool_table_find(server->tools, name) : NULL;
    if (!tool)
        return false;
    ctn_buf b;
    ctn_buf_init(&b, 2 * CTN_MCP_TOOL_BYTES_MAX);
    ctn_json_write_canonical(&b, tool->input_schema);
    ctn_buf_append_char(&b, '|');
    if (tool->output_schema)
        ctn_json_write_canonical(&b, tool->output_schema);
    *ret_digest = ctn_hash(ctn_buf_str(&b));
    ctn_buf_done(&b);
    return true;
}

ctn_driver ctn_mcp_driver_interface(ctn_mcp_driver *driver)
{
    return (ctn_driver){.kind = "tool",
                        .ctx = driver,
                        .begin = begin,
                        .cancel = cancel,
                        .forget = forget,
                        .abandon = abandon,
                        .prepare = prepare,
                        .effect = effect_of,
                        .schema = schema_of,
                        .may_still_arrive = may_still_arrive};
}

/* ---- what else the driver can tell ---- */

void ctn_mcp_ready(ctn_mcp_driver *driver, ctn_str name, ctn_mcp_ready_fn *ready, void *ctx)
{
    ctn_mcp_server *server = ctn_mcp_server_named(driver, name);
    if (server && !driver->is_shut_down) {
        await(ctn_mcp_instance_for_call(server), (ctn_mcp_waiter){.ready = ready, .ctx = ctx});
        return;
    }
    ctn_err err = {0};
    if (server)
        (void) ctn_fail(&err, CTN_E_STATE, "catena is stopping");
    else
        explain_unknown_server(driver, name, &err);
    ready(ctx, err.code, err.message);
}

struct ctn_mcp_waiting_all {
    ctn_mcp_ready_fn *ready;
    void *ctx;
    size_t open;
    bool is_one_up;
    ctn_err why;
};

static void on_one_told(void *ctx, int code, const char *why)
{
    struct ctn_mcp_waiting_all *all = ctx;
    all->is_one_up = all->is_one_up || code == CTN_OK;
    if (code)
        (void) ctn_fail(&all->why, code, "%s", why);
    if (--all->open > 0)
        return;
    all->ready(all->ctx, all->is_one_up ? CTN_OK : all->why.code, all->is_one_up ? "" : all->why.message);
}

void ctn_mcp_ready_all(ctn_mcp_driver *driver, ctn_str name, ctn_mcp_ready_fn *ready, void *ctx)
{
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, name);
    if (!server || server->peer_count == 1 || driver->is_shut_down) {
        ctn_mcp_ready(driver, name, ready, ctx);
        return;
    }
    struct ctn_mcp_waiting_all *all = CTN_NEW(driver->arena, struct ctn_mcp_waiting_all);
    *all = (struct ctn_mcp_waiting_all){.ready = ready, .ctx = ctx, .open = server->peer_count};
    for (size_t i = 0; i < server->peer_count; i++)
        await(&server->peers[i], (ctn_mcp_waiter){.ready = on_one_told, .ctx = all, .all = all});
}

void ctn_mcp_when_listed(ctn_mcp_driver *driver, ctn_mcp_listed_fn *listed, void *ctx)
{
    driver->listed = listed;
    driver->listed_ctx = ctx;
}

const ctn_mcp_tool *ctn_mcp_tools(const ctn_mcp_driver *driver, ctn_str name, size_t *ret_count)
{
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, name);
    return ctn_mcp_tool_table_all(server ? server->tools : NULL, ret_count);
}

ctn_effect ctn_mcp_effect(const ctn_mcp_driver *driver, ctn_str target, const char **ret_from)
{
    const char *ignored;
    const char **from = ret_from ? ret_from : &ignored;
    *from = NULL;
    ctn_str name = target;
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, ctn_str_cut(&name, '/'));
    if (!server)
        return CTN_EFFECT_UNKNOWN;
    for (size_t i = 0; i < server->config.effect_count; i++) {
        if (!ctn_str_equal(server->config.effects[i].tool, name))
            continue;
        *from = "operator";
        return server->config.effects[i].effect;
    }
    const ctn_mcp_tool *tool =
        server->config.is_trusted && server->tools ? ctn_mcp_tool_table_find(server->tools, name) : NULL;
    if (!tool || !(tool->hints.says_read_only || tool->hints.says_idempotent))
        return CTN_EFFECT_UNKNOWN;
    *from = "annotations";
    return tool->hints.is_read_only    ? CTN_EFFECT_READ
           : tool->hints.is_idempotent ? CTN_EFFECT_IDEMPOTENT
                                       : CTN_EFFECT_WRITE;
}

bool ctn_mcp_server_state_of(const ctn_mcp_driver *driver, ctn_str name, ctn_mcp_server_state *ret_state)
{
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, name);
    if (!server)
        return false;
    const ctn_mcp_peer *peer = &server->peers[0];
    *ret_state = (ctn_mcp_server_state){.pid = peer->transport ? ctn_mcp_transport_pid(peer->transport) : 0,
                                        .version = peer->client ? ctn_mcp_client_version(peer->client) : (ctn_str){0},
                                        .starts = server->starts,
                                        .strays = peer->client ? ctn_mcp_client_strays(peer->client) : 0};
    return true;
}

/* ---- making and ending ---- */

static void each_peer(const ctn_mcp_driver *driver, void (*visit)(ctn_mcp_peer *peer))
{
    for (size_t i = 0; i < driver->server_count; i++)
        for (size_t k = 0; k < driver->servers[i].peer_count; k++)
            visit(&driver->servers[i].peers[k]);
}

void ctn_mcp_driver_tell_if_ended(ctn_mcp_driver *driver)
{
    if (!driver->ended)
        return;
    for (size_t i = 0; i < driver->server_count; i++)
        for (size_t k = 0; k < driver->servers[i].peer_count; k++)
            if (driver->servers[i].peers[k].transport)
                return;
    void (*ended)(void *) = driver->ended;
    driver->ended = NULL;
    ended(driver->ended_ctx);
}

int ctn_mcp_driver_new(const ctn_mcp_driver_options *options, ctn_mcp_driver **ret_driver, ctn_err *err)
{
    assert(options->loop && options->spawner && options->sink.done);
    for (size_t i = 0; i < options->server_count; i++) {
        int rc = ctn_mcp_config_check(options, i, err);
        if (rc)
            return rc;
    }
    ctn_mcp_driver *driver = ctn_malloc(sizeof *driver);
    *driver = (ctn_mcp_driver){.options = *options, .arena = ctn_arena_new(4096), .scratch = ctn_arena_new(16384)};
    driver->options.servers = NULL;
    if (driver->options.discover_silence_ms <= 0)
        driver->options.discover_silence_ms = DISCOVER_SILENCE_MS;
    if (driver->options.end_grace_ms <= 0)
        driver->options.end_grace_ms = END_GRACE_MS;
    if (driver->options.line_bytes_max == 0)
        driver->options.line_bytes_max = CTN_RPC_LINE_BYTES_MAX;
    driver->server_count = options->server_count;
    driver->servers = CTN_NEW_ARRAY(driver->arena, ctn_mcp_server, options->server_count);
    driver->names = CTN_NEW_ARRAY(driver->arena, ctn_str, options->server_count);
    for (size_t i = 0; i < options->server_count; i++) {
        ctn_mcp_server_init(driver, &driver->servers[i], &options->servers[i]);
        driver->names[i] = driver->servers[i].config.name;
    }
    driver->due_timer = ctn_timer_new(options->loop, ctn_mcp_flights_due, driver);
    *ret_driver = driver;
    return CTN_OK;
}

static void drop_calls(ctn_mcp_peer *peer)
{
    ctn_mcp_flights_free(&peer->waiting);
    ctn_mcp_flights_free(&peer->sent);
    ctn_mcp_flights_free(&peer->tasks);
    ctn_mcp_flights_free(&peer->given_up);
    while (peer->waiters) {
        ctn_mcp_waiter *w = peer->waiters;
        peer->waiters = w->next;
        free(w);
    }
}

static void end_peer(ctn_mcp_peer *peer)
{
    ctn_timer_clear(peer->timer);
    ctn_mcp_client_free(peer->client); /* first: it knows the calls */
    peer->client = NULL;
    drop_calls(peer);
    peer->state = peer->transport ? CTN_MCP_ENDING : CTN_MCP_DOWN;
    if (peer->transport)
        ctn_mcp_transport_end(peer->transport);
}

void ctn_mcp_driver_shutdown(ctn_mcp_driver *driver, void (*ended)(void *ctx), void *ctx)
{
    assert(!driver->is_shut_down);
    driver->is_shut_down = true;
    driver->ended = ended;
    driver->ended_ctx = ctx;
    ctn_timer_clear(driver->due_timer);
    each_peer(driver, end_peer);
    ctn_mcp_driver_tell_if_ended(driver);
}

static void free_peer(ctn_mcp_peer *peer)
{
    ctn_mcp_client_free(peer->client);
    ctn_mcp_transport_free(peer->transport);
    drop_calls(peer);
    ctn_mcp_tool_table_free(peer->tools);
    ctn_timer_free(peer->timer);
    ctn_auth_free(peer->auth);
}

void ctn_mcp_driver_free(ctn_mcp_driver *driver)
{
    if (!driver)
        return;
    driver->is_shut_down = true;
    each_peer(driver, free_peer);
    ctn_timer_free(driver->due_timer);
    ctn_heap_done(&driver->due);
    ctn_token_map_done(&driver->tokens);
    ctn_arena_free(driver->scratch);
    ctn_arena_free(driver->arena);
    free(driver);
}
