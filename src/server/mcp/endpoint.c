/*
 * endpoint.c -- a message is taken: request, notification or answer; who is under way, and who goes away. See
 * endpoint.h.
 *
 * What must hold: every request gets exactly one answer that repeats its id, unless its client went away or cancelled
 * it; nothing else gets any, but a message that cannot be read. A backend may answer from inside its call, so an
 * exchange is not touched after it was handed over.
 */
#include "server/mcp/endpoint.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "server/mcp/internal.h"

#define REQUESTS_MAX   1024
#define ASK_TIMEOUT_MS 600000

ctn_mcp_endpoint *ctn_mcp_endpoint_new(const ctn_mcp_endpoint_options *options)
{
    assert(options->loop && options->backend && options->name && options->version && options->state_key.len == 32);
    ctn_mcp_endpoint *e = ctn_malloc(sizeof *e);
    *e = (ctn_mcp_endpoint){.of = *options, .scratch = ctn_arena_new(16384), .rng = ctn_rng_system()};
    if (!e->of.tools_per_page)
        e->of.tools_per_page = 200;
    if (!e->of.requests_max)
        e->of.requests_max = REQUESTS_MAX;
    if (!e->of.ask_timeout_ms)
        e->of.ask_timeout_ms = ASK_TIMEOUT_MS;
    ctn_buf_init(&e->out, CTN_RPC_LINE_BYTES_MAX);
    return e;
}

static void free_pipe(ctn_mcp_endpoint *e, ctn_mcp_pipe *pipe)
{
    for (ctn_mcp_pipe **at = &e->pipes; *at; at = &(*at)->next)
        if (*at == pipe) {
            *at = pipe->next;
            break;
        }
    pipe->channel->pipe = NULL;
    ctn_arena_free(pipe->arena); /* the pipe lives in it */
}

void ctn_mcp_endpoint_free(ctn_mcp_endpoint *e)
{
    if (!e)
        return;
    while (e->exchanges)
        ctn_mcp_exchange_end(e->exchanges, false);
    while (e->batches)
        ctn_mcp_batch_drop(e, NULL);
    while (e->pipes)
        free_pipe(e, e->pipes);
    ctn_buf_done(&e->out);
    ctn_arena_free(e->scratch);
    free(e);
}

bool ctn_mcp_endpoint_is_idle(const ctn_mcp_endpoint *e)
{
    for (const ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        if (!x->filter)
            return false;
    return true;
}

ctn_mcp_pipe *ctn_mcp_pipe_of(ctn_mcp_endpoint *e, ctn_mcp_channel *channel)
{
    assert(!channel->is_http);
    if (!channel->pipe) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_mcp_pipe *pipe = CTN_NEW(arena, ctn_mcp_pipe);
        *pipe = (ctn_mcp_pipe){.channel = channel, .arena = arena, .next = e->pipes};
        e->pipes = channel->pipe = pipe;
    }
    return channel->pipe;
}

/* ---- the life of a request ---- */

void ctn_mcp_exchange_end(ctn_mcp_exchange *x, bool tells_gone)
{
    ctn_mcp_endpoint *e = x->endpoint;
    if (x->prev)
        x->prev->next = x->next;
    else
        e->exchanges = x->next;
    if (x->next)
        x->next->prev = x->prev;
    ctn_mcp_asking_drop(x);
    if (tells_gone && x->gone)
        x->gone(x->gone_ctx);
    ctn_arena_free(x->arena); /* the exchange lives in it */
}

static ctn_mcp_exchange *find_exchange(const ctn_mcp_endpoint *e, const ctn_mcp_channel *channel, const ctn_json *id)
{
    for (ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        if (x->channel == channel && ctn_json_equal(x->id, id))
            return x;
    return NULL;
}

static size_t count_of(const ctn_mcp_endpoint *e, ctn_str principal)
{
    size_t count = 0;
    for (const ctn_mcp_exchange *x = e->exchanges; x; x = x->next)
        count += ctn_str_equal(x->caller.principal, principal);
    return count;
}

void ctn_mcp_endpoint_channel_gone(ctn_mcp_endpoint *e, ctn_mcp_channel *channel)
{
    for (ctn_mcp_exchange *x = e->exchanges; x;) {
        if (x->channel != channel) {
            x = x->next;
            continue;
        }
        x->channel = NULL;
        if (e->is_stopping) { /* that we go is not that he went: what answers it answers nobody */
            x = x->next;
            continue;
        }
        if (!channel->is_http || x->caller.is_modern || x->filter) {
            ctn_mcp_exchange_end(x, true);
            x = e->exchanges; /* whatever `gone` did */
            continue;
        }
        ctn_mcp_asking_give_up(x);
        x = x->next;
    }
    ctn_mcp_batch_drop(e, channel);
    if (channel->pipe)
        free_pipe(e, channel->pipe);
}

/* ---- messages ---- */

void ctn_mcp_refuse(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, const ctn_json *id, int http_status, int64_t code,
                    ctn_str message)
{
    ctn_buf_clear(&e->out);
    ctn_rpc_write_error(&e->out, id, code, message, NULL);
    channel->answer(channel, http_status, ctn_str_trim(ctn_buf_str(&e->out)));
}

static void take_request(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, ctn_arena *arena, const ctn_rpc_message *m,
                         const ctn_mcp_headers *headers)
{
    ctn_mcp_exchange *x = CTN_NEW(arena, ctn_mcp_exchange);
    bool is_twice = !channel->is_http && find_exchange(e, channel, m->id);
    bool is_too_many = count_of(e, channel->principal) >= e->of.requests_max;
    *x = (ctn_mcp_exchange){
        .endpoint = e,
        .channel = channel,
        .arena = arena,
        .id = m->id,
        .method = m->method,
        .params = m->params,
        .caller = {.principal = ctn_arena_str(arena, channel->principal), .rights = channel->rights},
        .next = e->exchanges,
    };
    if (x->next)
        x->next->prev = x;
    e->exchanges = x;
    if (e->is_stopping)
        ctn_mcp_exchange_refuse(x, 503, CTN_RPC_INTERNAL_ERROR, CTN_STR("the server is stopping"), NULL);
    else if (is_twice)
        ctn_mcp_exchange_refuse(x, 400, CTN_RPC_INVALID_REQUEST,
                                CTN_STR("a request with this id is still under way: each needs an id of its own"),
                                NULL);
    else if (is_too_many)
        ctn_mcp_exchange_refuse(
            x, 429, CTN_RPC_INTERNAL_ERROR,
            ctn_arena_printf(arena, "%zu requests are under way already: wait for answers", e->of.requests_max), NULL);
    else if (ctn_mcp_era_check(x, headers))
        ctn_mcp_method_run(x, headers);
}

/* Over HTTP the closed stream is the cancellation; a POST that names an id would name anybody's, without sessions. */
static void take_notification(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, const ctn_rpc_message *m)
{
    if (channel->is_http)
        channel->answer(channel, 202, (ctn_str){0});
    else if (ctn_str_is(m->method, "notifications/cancelled")) {
        ctn_mcp_exchange *x = find_exchange(e, channel, ctn_json_member_of(m->params, "requestId"));
        if (x)
            ctn_mcp_exchange_end(x, true);
    }
}

static void take_answer(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, const ctn_rpc_message *m)
{
    /* One that comes too late, or to nothing, is nobody's fault that he could mend. */
    (void) ctn_mcp_asking_take(e, channel->principal, m);
    if (channel->is_http)
        channel->answer(channel, 202, (ctn_str){0});
}

void ctn_mcp_take_one(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, ctn_str text, const ctn_mcp_headers *headers)
{
    ctn_arena *arena = ctn_arena_new(2048);
    ctn_rpc_message m;
    ctn_err err = {0};
    if (ctn_rpc_parse(arena, text, &m, &err))
        ctn_mcp_refuse(e, channel, m.id, 400, m.error_code, ctn_str_from(err.message));
    else if (m.kind == CTN_RPC_REQUEST) {
        take_request(e, channel, arena, &m, headers);
        return; /* the arena is the exchange's */
    } else if (m.kind == CTN_RPC_NOTIFICATION)
        take_notification(e, channel, &m);
    else
        take_answer(e, channel, &m);
    ctn_arena_free(arena);
}

void ctn_mcp_endpoint_take(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, ctn_str message,
                           const ctn_mcp_headers *headers)
{
    assert(!headers == !channel->is_http);
    if (ctn_mcp_is_batch(message))
        ctn_mcp_take_batch(e, channel, message, headers);
    else
        ctn_mcp_take_one(e, channel, message, headers);
}

void ctn_mcp_endpoint_stop(ctn_mcp_endpoint *e)
{
    e->is_stopping = true;
    for (ctn_mcp_exchange *x = e->exchanges; x;)
        if (x->filter) {
            ctn_mcp_listen_end(x);
            x = e->exchanges;
        } else
            x = x->next;
}
