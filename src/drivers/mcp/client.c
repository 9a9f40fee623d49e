/*
 * client.c -- see client.h.
 *
 * What must hold: (1) no tools/call before `ready`; (2) every id is used once, and an answer is given to the one
 * call that has it or to nobody; (3) whatever the server sends, work per message is bounded by the message, and a
 * server that only sends nonsense is given up; (4) `failed` is told once and nothing is written after it.
 *
 * A call in flight is a pointer under its id in `calls`; the owner keeps what belongs to it. Over a separate way an
 * error without an id answers the request on whose way it came: servers refuse so what they could not read.
 */
#include "drivers/mcp/client_internal.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "wire/mcp_elicit.h"

/* ---- writing ---- */

void ctn_mcp_client_fail(ctn_mcp_client *client, ctn_mcp_fault fault, const char *format, ...)
{
    if (client->state == CTN_MCP_CLIENT_FAILED)
        return;
    client->state = CTN_MCP_CLIENT_FAILED;
    ctn_timer_clear(client->silence);
    ctn_err err;
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(&err, CTN_E_IO, format, args);
    va_end(args);
    client->options.events.failed(client->options.events.ctx, fault, err.message);
}

bool ctn_mcp_client_flush(ctn_mcp_client *client, ctn_mcp_letter letter)
{
    letter.line = ctn_buf_str(&client->out);
    bool ok = !client->out.overflowed && client->state != CTN_MCP_CLIENT_FAILED &&
              ctn_mcp_transport_send(client->options.transport, &letter);
    ctn_buf_clear(&client->out);
    ctn_arena_reset(client->outgoing);
    return ok;
}

void ctn_mcp_client_flush_or_fail(ctn_mcp_client *client, ctn_mcp_letter letter, const char *what)
{
    if (!ctn_mcp_client_flush(client, letter))
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "%s could not be sent: the server does not read its input",
                            what);
}

/* ---- limits of our own requests ---- */

void ctn_mcp_client_set_limit(ctn_mcp_client *client, int64_t span_ms)
{
    ctn_timer_set(client->silence, ctn_loop_now_ms(client->options.loop) + span_ms);
}

static void on_silence(void *ctx)
{
    ctn_mcp_client *client = ctx;
    if (client->listing) {
        ctn_mcp_transport_give_up(client->options.transport, client->list_id);
        ctn_mcp_list_failed(client, CTN_MCP_FAULT_UNREACHED, "no answer");
    } else {
        ctn_mcp_handshake_silence(client);
    }
}

/* ---- what comes ---- */

static void count_stray(ctn_mcp_client *client)
{
    client->strays++;
    if (++client->strays_in_row > CTN_MCP_STRAYS_MAX)
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "the server sent %d lines that are no MCP messages for us",
                            CTN_MCP_STRAYS_MAX);
}

/* 0: nobody's. */
static int64_t id_of(const ctn_rpc_message *m, int64_t of)
{
    int64_t id = 0;
    if (m->kind == CTN_RPC_ERROR && (!m->id || ctn_json_is(m->id, CTN_JSON_NULL)))
        return of;
    return ctn_json_to_int64(m->id, &id) && id > 0 ? id : 0;
}

/* Gives the id that it answers; 0: none of ours. */
static int64_t on_answer(ctn_mcp_client *client, const ctn_rpc_message *m, const ctn_mcp_arrival *arrival)
{
    int64_t id = id_of(m, arrival->of);
    if (id == 0) {
        count_stray(client);
    } else if (id == client->discover_id) {
        ctn_mcp_handshake_discovered(client, m, arrival->status);
    } else if (id == client->initialize_id) {
        ctn_mcp_handshake_initialized(client, m, arrival->status);
    } else if (id == client->list_id) {
        ctn_mcp_list_answered(client, m);
    } else if (id == client->listen_id) {
        ctn_mcp_listen_ended(client, m->kind == CTN_RPC_ERROR);
    } else {
        void *call = ctn_token_map_take(&client->calls, (uint64_t) id);
        if (!call) {
            count_stray(client);
            return 0;
        }
        client->strays_in_row = 0;
        client->options.events.answered(client->options.events.ctx, call, m, client->incoming);
    }
    return id;
}

/* Legacy servers ask too, and wait for an answer. */
static void on_request(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    if (ctn_str_is(m->method, "ping"))
        ctn_rpc_write_result(&client->out, m->id, &(ctn_json){.kind = CTN_JSON_OBJECT});
    else if (ctn_str_is(m->method, "elicitation/create") && client->self.answers_forms)
        ctn_rpc_write_result(&client->out, m->id, ctn_mcp_elicit_defaults(client->outgoing, m->params));
    else
        ctn_rpc_write_error(&client->out, m->id, CTN_RPC_METHOD_NOT_FOUND,
                            CTN_STR("catena declared no capability for this"), NULL);
    ctn_mcp_client_flush_or_fail(client, (ctn_mcp_letter){0}, "an answer");
}

static void on_notification(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    ctn_mcp_progress progress;
    if (ctn_str_is(m->method, "notifications/tools/list_changed")) {
        client->is_changed = true;
        client->listen_ends = 0;
    } else if (ctn_str_is(m->method, "notifications/progress") && ctn_mcp_parse_progress(m->params, &progress) &&
               progress.token > 0) {
        void *call = ctn_token_map_get(&client->calls, (uint64_t) progress.token);
        if (call)
            client->options.events.progress(client->options.events.ctx, call, &progress);
    }
}

/* Within the limits, and no memory to read it: whoever it answers hears that. */
static void unread(ctn_mcp_client *client, const ctn_mcp_arrival *arrival)
{
    int64_t id = arrival->of;
    ctn_rpc_peeked peeked = id ? CTN_RPC_PEEK_ANSWER : ctn_rpc_peek_head(arrival->text, &id);
    if (peeked == CTN_RPC_PEEK_UNKNOWN)
        peeked = ctn_rpc_peek_tail(arrival->text, &id);
    if (peeked == CTN_RPC_PEEK_ANSWER)
        ctn_mcp_client_too_large(client, id, "there is not enough memory to read its answer");
    else
        count_stray(client);
}

/* The first revisions have batches: several messages in a list. */
static bool speaks_batches(const ctn_mcp_client *client)
{
    return ctn_mcp_is_legacy(client->self.version) && ctn_str_compare(client->self.version, CTN_STR("2025-03-26")) <= 0;
}

static bool take_batch(ctn_mcp_client *client, const ctn_mcp_arrival *arrival)
{
    ctn_arena *arena = ctn_arena_new(16384);
    const ctn_json *batch = NULL;
    bool is_answer = false;
    if (ctn_json_parse(arena, arrival->text, NULL, &batch, NULL))
        count_stray(client);
    for (size_t i = 0; i < ctn_json_count(batch); i++) {
        const ctn_json *item = ctn_json_at(batch, i);
        ctn_mcp_arrival one = *arrival;
        if (!ctn_json_is(item, CTN_JSON_OBJECT)) {
            count_stray(client);
            continue;
        }
        one.text = ctn_json_to_str(arena, item);
        is_answer = ctn_mcp_client_message(client, &one) || is_answer;
    }
    ctn_arena_free(arena);
    return is_answer;
}

bool ctn_mcp_client_message(ctn_mcp_client *client, const ctn_mcp_arrival *arrival)
{
    ctn_str text = ctn_str_trim(arrival->text);
    if (client->state == CTN_MCP_CLIENT_FAILED || text.len == 0)
        return false;
    if (text.ptr[0] == '[' && speaks_batches(client))
        return take_batch(client, arrival);
    ctn_rpc_message m;
    ctn_arena_reset(client->incoming);
    int rc = ctn_rpc_parse(client->incoming, arrival->text, &m, NULL);
    if (rc == CTN_E_NOMEM) {
        unread(client, arrival);
        return arrival->of != 0;
    }
    if (rc) {
        count_stray(client);
        return false;
    }
    switch (m.kind) {
    case CTN_RPC_BROKEN: break;
    case CTN_RPC_REQUEST: on_request(client, &m); break;
    case CTN_RPC_NOTIFICATION: on_notification(client, &m); break;
    case CTN_RPC_RESULT:
    case CTN_RPC_ERROR: {
        int64_t id = on_answer(client, &m, arrival);
        return id && id == arrival->of;
    }
    }
    return false;
}

void ctn_mcp_client_stray(ctn_mcp_client *client)
{
    if (client->state != CTN_MCP_CLIENT_FAILED)
        count_stray(client);
}

/* The one call that is open; 0: there are several, or none. */
static int64_t only_call(const ctn_mcp_client *client)
{
    if (client->calls.count != 1 || client->list_id)
        return 0;
    for (size_t i = 0; i < client->calls.capacity; i++)
        if (client->calls.slots[i].key)
            return (int64_t) client->calls.slots[i].key;
    return 0;
}

void ctn_mcp_client_too_large(ctn_mcp_client *client, int64_t id, const char *why)
{
    if (client->state == CTN_MCP_CLIENT_FAILED)
        return;
    if (id == 0)
        id = only_call(client); /* of whom else? */
    if (id > 0 && id == client->list_id) {
        ctn_mcp_list_failed(client, CTN_MCP_FAULT_LASTING, why);
        return;
    }
    if (id > 0 && (id == client->discover_id || id == client->initialize_id)) {
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "the handshake: %s", why);
        return;
    }
    void *call = id > 0 ? ctn_token_map_take(&client->calls, (uint64_t) id) : NULL;
    if (call)
        client->options.events.too_large(client->options.events.ctx, call, why);
    else
        count_stray(client);
}

void ctn_mcp_client_lost(ctn_mcp_client *client, int64_t id, const ctn_mcp_loss *loss)
{
    if (client->state == CTN_MCP_CLIENT_FAILED)
        return;
    if (id == client->discover_id) {
        ctn_mcp_handshake_discover_lost(client, loss);
    } else if (id == client->initialize_id) {
        ctn_mcp_handshake_initialize_lost(client, loss);
    } else if (id == client->list_id) {
        ctn_mcp_list_failed(client, ctn_mcp_fault_of(loss), loss->why);
    } else if (id == client->listen_id) {
        ctn_mcp_listen_ended(client, loss->status >= 400);
    } else {
        void *call = ctn_token_map_take(&client->calls, (uint64_t) id);
        if (call)
            client->options.events.lost(client->options.events.ctx, call, loss);
    }
}

void ctn_mcp_client_session_gone(ctn_mcp_client *client)
{
    if (client->state != CTN_MCP_CLIENT_LISTING && client->state != CTN_MCP_CLIENT_READY)
        return;
    ctn_mcp_handshake_renew(client);
}

/* ---- the owner's side ---- */

ctn_mcp_client *ctn_mcp_client_new(const ctn_mcp_client_options *options)
{
    ctn_mcp_client *client = ctn_malloc(sizeof *client);
    *client = (ctn_mcp_client){
        .options = *options,
        .self = {.name = CTN_STR("catena"),
                 .client_version = CTN_STR(CATENA_VERSION),
                 .answers_forms = options->answers_with_defaults},
        .next_id = 1,
        .incoming = ctn_arena_new(16384),
        .outgoing = ctn_arena_new(16384),
    };
    ctn_buf_init(&client->out, CTN_RPC_LINE_BYTES_MAX);
    client->silence = ctn_timer_new(options->loop, on_silence, client);
    client->listen_timer = ctn_timer_new(options->loop, ctn_mcp_listen_again, client);
    return client;
}

void ctn_mcp_client_free(ctn_mcp_client *client)
{
    if (!client)
        return;
    ctn_timer_free(client->silence);
    ctn_timer_free(client->listen_timer);
    ctn_mcp_tool_table_free(client->listing);
    ctn_token_map_done(&client->calls);
    ctn_buf_done(&client->out);
    ctn_arena_free(client->incoming);
    ctn_arena_free(client->outgoing);
    free(client);
}

void ctn_mcp_client_start(ctn_mcp_client *client)
{
    assert(client->state == CTN_MCP_CLIENT_IDLE);
    ctn_mcp_handshake_begin(client);
}

/* What is in `out`. 0: nothing left us. */
static int64_t send_request(ctn_mcp_client *client, const ctn_mcp_letter *letter, void *call, bool *ret_too_large)
{
    *ret_too_large = client->out.overflowed;
    if (!ctn_mcp_client_flush(client, *letter))
        return 0;
    ctn_token_map_put(&client->calls, (uint64_t) letter->id, call);
    return letter->id;
}

int64_t ctn_mcp_client_call(ctn_mcp_client *client, const ctn_mcp_call *request, const ctn_mcp_header *headers,
                            size_t header_count, void *call, bool *ret_too_large)
{
    *ret_too_large = false;
    if (client->state != CTN_MCP_CLIENT_READY)
        return 0;
    ctn_mcp_letter letter = {.id = client->next_id++,
                             .method = "tools/call",
                             .name = request->tool,
                             .headers = headers,
                             .header_count = header_count};
    ctn_mcp_call with_token = *request;
    with_token.progress_token = letter.id;
    ctn_mcp_write_call(&client->out, client->outgoing, &client->self, letter.id, &with_token);
    return send_request(client, &letter, call, ret_too_large);
}

int64_t ctn_mcp_client_ask(ctn_mcp_client *client, const char *method, ctn_str name, const ctn_json *params, void *call,
                           bool *ret_too_large)
{
    *ret_too_large = false;
    if (client->state != CTN_MCP_CLIENT_READY)
        return 0;
    ctn_mcp_letter letter = {.id = client->next_id++, .method = method, .name = name};
    ctn_mcp_write_request(&client->out, client->outgoing, &client->self, letter.id, method, params);
    return send_request(client, &letter, call, ret_too_large);
}

/* Over a separate way the closed stream tells a modern server; a legacy one takes that for no cancel. */
bool ctn_mcp_client_cancel(ctn_mcp_client *client, int64_t id, ctn_str reason)
{
    bool is_shared = client->options.transport->kind->is_shared;
    if (is_shared || ctn_mcp_is_legacy(client->self.version)) {
        ctn_mcp_write_cancelled(&client->out, client->outgoing, id, reason);
        /* A courtesy: a server that cannot be told has other troubles. */
        (void) ctn_mcp_client_flush(client, (ctn_mcp_letter){.method = "notifications/cancelled"});
    }
    if (is_shared)
        return true;
    ctn_mcp_transport_give_up(client->options.transport, id);
    (void) ctn_token_map_take(&client->calls, (uint64_t) id);
    return false;
}

ctn_str ctn_mcp_client_version(const ctn_mcp_client *client)
{
    return client->state >= CTN_MCP_CLIENT_LISTING ? client->self.version : (ctn_str){0};
}

uint64_t ctn_mcp_client_strays(const ctn_mcp_client *client)
{
    return client->strays;
}
