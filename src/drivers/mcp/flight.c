/*
 * flight.c -- a call from begin to done: waiting for its server, sent, or given up; see mcp/driver.c for what must
 * hold.
 */
#include "drivers/mcp/internal.h"
#include "drivers/mcp/task.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define UNKNOWN_TOOL_AGE_MS 5000     /* a list older than this is fetched again before a tool is called unknown */
#define OLD_TASK_TTL_MS     86400000 /* a result is to be there after a restart, too */
#define MESSAGE_BYTES_MAX   4096     /* of a server's own words in a failure: they go into the journal */

/* ---- lists, endings ---- */

void ctn_mcp_flight_keep_arguments(ctn_mcp_flight *f)
{
    f->arena = ctn_arena_new(1024);
    f->args = f->args ? ctn_json_copy(f->arena, f->args) : NULL;
    f->key = ctn_arena_str(f->arena, f->key);
    f->traceparent = ctn_arena_str(f->arena, f->traceparent);
    f->go_on = f->go_on ? ctn_json_copy(f->arena, f->go_on) : NULL;
    f->answers = f->answers ? ctn_json_copy(f->arena, f->answers) : NULL;
}

static ctn_mcp_flights *list_of(ctn_mcp_flight *f)
{
    return f->is_given_up ? &f->peer->given_up
           : f->id        ? &f->peer->sent
           : f->rests     ? &f->peer->tasks
                          : &f->peer->waiting;
}

void ctn_mcp_flight_add(ctn_mcp_flights *list, ctn_mcp_flight *f)
{
    f->next = NULL;
    f->previous = list->last;
    if (list->last)
        list->last->next = f;
    else
        list->first = f;
    list->last = f;
    list->count++;
}

static void list_remove(ctn_mcp_flights *list, ctn_mcp_flight *f)
{
    if (f->previous)
        f->previous->next = f->next;
    else
        list->first = f->next;
    if (f->next)
        f->next->previous = f->previous;
    else
        list->last = f->previous;
    f->next = f->previous = NULL;
    list->count--;
}

void ctn_mcp_flight_leave(ctn_mcp_flight *f)
{
    list_remove(list_of(f), f);
}

void ctn_mcp_flights_set_timer(ctn_mcp_driver *driver)
{
    ctn_heap_node *first = ctn_heap_first(&driver->due);
    if (first)
        ctn_timer_set(driver->due_timer, first->due_ms);
    else
        ctn_timer_clear(driver->due_timer);
}

/* Takes the call out of everything and frees it; its list is the one it is in by its state. */
void ctn_mcp_flight_free(ctn_mcp_flight *f)
{
    ctn_mcp_driver *driver = f->peer->driver;
    list_remove(list_of(f), f);
    ctn_heap_remove(&driver->due, &f->due);
    void *own = ctn_token_map_take(&driver->tokens, f->token);
    assert(own == f);
    ctn_arena_free(f->arena);
    ctn_mcp_flight_task_free(f->task);
    free(f);
}

/* ---- moving between them ---- */

void ctn_mcp_flight_rest(ctn_mcp_flight *f, int64_t due_ms)
{
    list_remove(list_of(f), f);
    f->id = 0;
    f->rests = true;
    ctn_mcp_flight_add(list_of(f), f);
    if (due_ms)
        ctn_heap_set(&f->peer->driver->due, &f->due, due_ms);
    else
        ctn_heap_remove(&f->peer->driver->due, &f->due);
}

void ctn_mcp_flight_wait(ctn_mcp_flight *f)
{
    ctn_mcp_flight_rest(f, 0);
    list_remove(list_of(f), f);
    f->rests = false;
    ctn_mcp_flight_add(list_of(f), f);
}

void ctn_mcp_flight_is_sent(ctn_mcp_flight *f, int64_t id)
{
    list_remove(list_of(f), f);
    f->rests = false;
    f->id = id;
    ctn_mcp_flight_add(list_of(f), f);
}

void ctn_mcp_flight_forget(ctn_mcp_flight *f)
{
    list_remove(list_of(f), f);
    f->is_given_up = true;
    ctn_mcp_flight_add(list_of(f), f);
    ctn_heap_remove(&f->peer->driver->due, &f->due);
}

void ctn_mcp_flights_free(ctn_mcp_flights *list)
{
    while (list->first)
        ctn_mcp_flight_free(list->first);
}

/* Tells whoever began the call, which is not there any more. */
static void tell(const ctn_mcp_driver *driver, const ctn_mcp_flight *was, const ctn_call_result *result)
{
    if (driver->is_shut_down)
        return;
    if (was->answered)
        was->answered(was->answered_ctx, result);
    else
        driver->options.sink.done(driver->options.sink.ctx, was->token, result);
}

void ctn_mcp_flight_tell(ctn_mcp_flight *f, const ctn_call_result *result)
{
    const ctn_mcp_driver *driver = f->peer->driver;
    ctn_call_result cut_off = *result;
    if (f->task && ctn_mcp_flight_task_holds(f, result))
        return;
    if (f->task && result->failure != CTN_FAILURE_LIMIT) { /* nobody could be asked what became of it */
        cut_off.failure = CTN_FAILURE_TRANSPORT;
        cut_off.was_sent = true;
        result = &cut_off;
    }
    ctn_mcp_flight was = *f;
    ctn_mcp_flight_free(f);
    tell(driver, &was, result);
}

static void tell_failure(ctn_mcp_flight *f, ctn_failure failure, bool was_sent, ctn_str message)
{
    ctn_mcp_flight_tell(f, &(ctn_call_result){.failure = failure, .message = message, .was_sent = was_sent});
}

/* Whose answer may still come stays known as long as the life that has it. */
void ctn_mcp_flight_give_up(ctn_mcp_flight *f, ctn_str reason)
{
    ctn_mcp_peer *peer = f->peer;
    bool may_come = true;
    if (peer->client && peer->state == CTN_MCP_UP)
        may_come = ctn_mcp_client_cancel(peer->client, f->id, reason);
    if (!may_come) {
        ctn_mcp_flight_free(f);
        return;
    }
    ctn_mcp_flight_forget(f);
}

void ctn_mcp_flights_due(void *ctx)
{
    ctn_mcp_driver *driver = ctx;
    int64_t now = ctn_loop_now_ms(driver->options.loop);
    for (ctn_heap_node *node = ctn_heap_first(&driver->due); node && node->due_ms <= now;
         node = ctn_heap_first(&driver->due)) {
        ctn_mcp_flight *f = (ctn_mcp_flight *) ((char *) node - offsetof(ctn_mcp_flight, due));
        if (f->task) {
            ctn_mcp_flight_task_due(f, now);
            continue;
        }
        ctn_mcp_flight was = *f;
        char message[300];
        bool is_over = f->end_at_ms && f->end_at_ms <= now;
        (void) snprintf(message, sizeof message, "no %s from %.*s/%.*s within %lld ms",
                        is_over ? "answer" : "sign of progress", CTN_STR_ARG(f->peer->server->config.name),
                        (int) (f->tool_len < 128 ? f->tool_len : 128), f->tool,
                        (long long) (is_over ? f->timeout_ms : f->idle_timeout_ms));
        bool was_sent = f->id != 0; /* else it was refused once, and waits again */
        if (was_sent)
            ctn_mcp_instance_failed(f->peer, true);
        if (was_sent)
            ctn_mcp_flight_give_up(f, CTN_STR("timeout"));
        else
            ctn_mcp_flight_free(f);
        ctn_call_result result = {
            .failure = CTN_FAILURE_TIMEOUT, .message = ctn_str_from(message), .was_sent = was_sent};
        tell(driver, &was, &result);
    }
    ctn_mcp_flights_set_timer(driver);
}

/* ---- on their way ---- */

ctn_str ctn_mcp_clip(ctn_str text)
{
    if (text.len <= MESSAGE_BYTES_MAX)
        return text;
    text.len = MESSAGE_BYTES_MAX;
    while (text.len > 0 && ((unsigned char) text.ptr[text.len] & 0xC0) == 0x80)
        text.len--; /* not in the middle of a character */
    return text;
}

static ctn_str tool_of(const ctn_mcp_flight *f)
{
    return (ctn_str){f->tool, f->tool_len};
}

static void fail_unknown_tool(ctn_mcp_flight *f)
{
    ctn_mcp_peer *peer = f->peer;
    ctn_str tool = tool_of(f);
    ctn_str near = ctn_mcp_tool_table_nearest(peer->tools, tool);
    size_t count = 0;
    (void) ctn_mcp_tool_table_all(peer->tools, &count);
    ctn_str sentence =
        near.len ? ctn_arena_printf(peer->driver->scratch, "server %.*s has no tool \"%.*s\"; did you mean \"%.*s\"?",
                                    CTN_STR_ARG(peer->server->config.name), CTN_STR_ARG(tool), CTN_STR_ARG(near))
                 : ctn_arena_printf(peer->driver->scratch, "server %.*s has no tool \"%.*s\" among its %zu",
                                    CTN_STR_ARG(peer->server->config.name), CTN_STR_ARG(tool), count);
    tell_failure(f, CTN_FAILURE_PROTOCOL_ERROR, false, sentence);
}

/* CTN_OK: the arguments fit. Otherwise the call has been told. */
static int check_arguments(ctn_mcp_flight *f, const ctn_mcp_tool *tool)
{
    ctn_mcp_peer *peer = f->peer;
    ctn_err err = {0};
    int rc = CTN_OK;
    if (f->args && !ctn_json_is(f->args, CTN_JSON_OBJECT))
        rc = ctn_fail(&err, CTN_E_INVALID, "expected object, got %s", ctn_json_kind_name(f->args));
    else
        rc = ctn_mcp_tool_check_input(peer->tools, tool, f->args ? f->args : &(ctn_json){.kind = CTN_JSON_OBJECT},
                                      peer->driver->scratch, &err);
    if (rc == CTN_OK)
        return rc;
    bool is_schema = rc == CTN_E_UNSUPPORTED;
    (void) ctn_wrap(&err, rc, is_schema ? "tool %.*s/%.*s" : "arguments of %.*s/%.*s",
                    CTN_STR_ARG(peer->server->config.name), CTN_STR_ARG(tool_of(f)));
    tell_failure(f, is_schema ? CTN_FAILURE_PROTOCOL_ERROR : CTN_FAILURE_INVALID_INPUT, false,
                 ctn_str_from(err.message));
    return rc;
}

/* With a span of its own a call has all of it once it is sent; with a mere deadline it may be over already. */
static bool is_too_late(const ctn_mcp_flight *f)
{
    return f->timeout_ms <= 0 && f->deadline_ms > 0 && f->deadline_ms <= ctn_loop_now_ms(f->peer->driver->options.loop);
}

/* From now on it may be without progress for its span, but not beyond its end. */
static void set_due(ctn_mcp_flight *f, int64_t now_ms)
{
    int64_t due_ms = f->end_at_ms;
    if (f->idle_timeout_ms > 0 && (!due_ms || now_ms + f->idle_timeout_ms < due_ms))
        due_ms = now_ms + f->idle_timeout_ms;
    if (due_ms)
        ctn_heap_set(&f->peer->driver->due, &f->due, due_ms);
}

static void start_clock(ctn_mcp_flight *f)
{
    ctn_mcp_driver *driver = f->peer->driver;
    int64_t now = ctn_loop_now_ms(driver->options.loop);
    if (f->timeout_ms <= 0 && f->deadline_ms > 0)
        f->timeout_ms = f->deadline_ms - now; /* is_too_late was asked */
    f->end_at_ms = f->timeout_ms > 0 ? now + f->timeout_ms : 0;
    set_due(f, now);
    if (ctn_heap_first(&driver->due) == &f->due)
        ctn_mcp_flights_set_timer(driver);
}

static void forget_arguments(ctn_mcp_flight *f)
{
    ctn_arena_free(f->arena);
    f->arena = NULL;
    f->args = f->go_on = f->answers = NULL;
    f->key = (ctn_str){0};
    f->traceparent = (ctn_str){0};
}

/* It was refused, and nothing of it was done: it waits for the list (or handshake) that is under way, to be sent once
 * more. False: it has been before. */
static bool return_to_waiting(ctn_mcp_flight *f)
{
    if (f->was_returned || f->is_given_up || !f->arena)
        return false;
    list_remove(list_of(f), f);
    f->was_returned = true;
    f->id = 0;
    ctn_mcp_flight_add(list_of(f), f);
    return true;
}

/* What became of sending it: `id` is 0 when nothing left us. */
static void note_sent(ctn_mcp_flight *f, int64_t id, bool is_too_large)
{
    ctn_mcp_peer *peer = f->peer;
    if (id == 0 && is_too_large) {
        tell_failure(f, CTN_FAILURE_INVALID_INPUT, false, CTN_STR("the arguments are larger than 16 MiB"));
        return;
    }
    if (id == 0) {
        ctn_mcp_instance_failed(peer, false);
        if (ctn_mcp_flight_move(f))
            return;
        tell_failure(f, CTN_FAILURE_UNAVAILABLE, false,
                     ctn_arena_printf(peer->driver->scratch, "server %.*s does not read its input",
                                      CTN_STR_ARG(peer->server->config.name)));
        return;
    }
    ctn_mcp_flight_is_sent(f, id);
    if (!peer->transport->kind->is_http)
        forget_arguments(f);
    if (!f->was_returned) /* the clock of the first try runs on */
        start_clock(f);
}

static void send_question(ctn_mcp_flight *f)
{
    bool is_too_large = false;
    int64_t id = ctn_mcp_client_ask(f->peer->client, f->method, f->tool_len ? tool_of(f) : (ctn_str){0}, f->args, f,
                                    &is_too_large);
    note_sent(f, id, is_too_large);
}

/* Where a gateway on the way looks for it; in _meta it is for the server. */
static const ctn_mcp_header *with_trace(ctn_arena *scratch, const ctn_mcp_header *headers, size_t *count,
                                        ctn_str traceparent)
{
    if (!traceparent.len)
        return headers;
    ctn_mcp_header *all = CTN_NEW_ARRAY(scratch, ctn_mcp_header, *count + 1);
    if (*count)
        memcpy(all, headers, *count * sizeof *all);
    all[(*count)++] = (ctn_mcp_header){CTN_STR("traceparent"), traceparent};
    return all;
}

static void send_call(ctn_mcp_flight *f, const ctn_mcp_tool *tool)
{
    ctn_mcp_peer *peer = f->peer;
    bool is_old = ctn_mcp_is_legacy(ctn_mcp_client_version(peer->client));
    ctn_mcp_call request = {.tool = tool_of(f),
                            .arguments = f->args,
                            .idempotency_key = f->key,
                            .traceparent = f->traceparent,
                            .input_responses = f->answers,
                            .request_state = ctn_json_member_of(f->go_on, "state"),
                            .task_ttl_ms = is_old && tool->is_task_only ? OLD_TASK_TTL_MS : 0};
    size_t header_count = 0;
    const ctn_mcp_header *headers = NULL;
    if (peer->transport->kind->is_http) {
        headers = ctn_mcp_tool_headers(peer->tools, tool, f->args, peer->driver->scratch, &header_count);
        headers = with_trace(peer->driver->scratch, headers, &header_count, f->traceparent);
        if (!f->arena)
            ctn_mcp_flight_keep_arguments(f); /* it may have to be said again */
    }
    bool is_too_large = false;
    int64_t id = ctn_mcp_client_call(peer->client, &request, headers, header_count, f, &is_too_large);
    note_sent(f, id, is_too_large);
}

/* The call is in `waiting`, its server is UP. */
void ctn_mcp_flight_send(ctn_mcp_flight *f)
{
    ctn_mcp_peer *peer = f->peer;
    if (f->task) {
        ctn_mcp_flight_task_send(f);
        return;
    }
    if (f->method) {
        send_question(f);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(peer->driver->scratch);
    const ctn_mcp_tool *tool = ctn_mcp_tool_table_find(peer->tools, tool_of(f));
    int64_t list_age_ms = ctn_loop_now_ms(peer->driver->options.loop) - ctn_mcp_client_listed_at_ms(peer->client);
    if (!tool && !f->has_relisted && list_age_ms > UNKNOWN_TOOL_AGE_MS) {
        f->has_relisted = true;
        ctn_mcp_peer_relist(peer);
    } else if (!tool) {
        fail_unknown_tool(f);
    } else if (check_arguments(f, tool) == CTN_OK) {
        if (is_too_late(f))
            tell_failure(f, CTN_FAILURE_TIMEOUT, false, CTN_STR("the deadline passed before the call could be sent"));
        else
            send_call(f, tool);
    }
    ctn_arena_restore(peer->driver->scratch, mark);
}

/* ---- answers of a server ---- */

/* A tool that asks others may know more of its failure than that it failed. Only what cannot be worse than its silence
 * is believed: that nobody knows whether it happened, and that it did not and may later. */
static ctn_failure failure_told(ctn_str name)
{
    ctn_failure failure = ctn_failure_from_name(name);
    bool is_believed = failure == CTN_FAILURE_TIMEOUT || failure == CTN_FAILURE_UNAVAILABLE;
    return is_believed ? failure : CTN_FAILURE_TOOL_ERROR;
}

void ctn_mcp_flight_result(ctn_mcp_flight *f, const ctn_json *result, ctn_arena *scratch)
{
    ctn_mcp_peer *peer = f->peer;
    ctn_err err = {0};
    ctn_mcp_call_result r;
    if (ctn_mcp_parse_call(scratch, result, &r, &err)) {
        /* It has run, but what came of it cannot be read. */
        tell_failure(f, CTN_FAILURE_INVALID_OUTPUT, true, ctn_str_from(err.message));
        return;
    }
    if (r.kind == CTN_MCP_INPUT_REQUIRED) {
        ctn_mcp_flight_task_asks(f, &r, scratch);
        return;
    }
    if (r.kind == CTN_MCP_TASK) {
        ctn_mcp_flight_task_begin(f, &r.task, scratch);
        return;
    }
    ctn_call_result told = {
        .value = r.value, .was_sent = true, .used_tokens = r.used_tokens, .used_money = r.used_money};
    if (r.is_error) {
        told.failure = failure_told(r.failure);
        told.message = r.error_text.len ? ctn_mcp_clip(r.error_text) : CTN_STR("the tool failed and did not say why");
        ctn_mcp_flight_tell(f, &told);
        return;
    }
    const ctn_mcp_tool *tool = ctn_mcp_tool_table_find(peer->tools, tool_of(f));
    int rc = tool ? ctn_mcp_tool_check_output(peer->tools, tool, r.value, scratch, &err) : CTN_OK;
    if (rc) {
        (void) ctn_wrap(&err, rc, "result of %.*s/%.*s", CTN_STR_ARG(peer->server->config.name),
                        CTN_STR_ARG(tool_of(f)));
        told.value = NULL;
        told.failure = CTN_FAILURE_INVALID_OUTPUT;
        told.message = ctn_str_from(err.message);
    }
    ctn_mcp_flight_tell(f, &told);
}

/* It has happened or not, but it can no longer arrive. A task may go on after it was cancelled, and over a way that is
 * shared two answers may be on their way. */
static void late(ctn_mcp_flight *f)
{
    if (!f->task || !f->peer->transport->kind->is_shared)
        ctn_mcp_flight_free(f);
}

void ctn_mcp_flight_answered(void *ctx, void *of_call, const ctn_rpc_message *m, ctn_arena *scratch)
{
    (void) ctx;
    ctn_mcp_flight *f = of_call;
    f->peer->has_answered = true;
    ctn_mcp_instance_answered(f->peer);
    if (f->is_given_up) {
        late(f);
        return;
    }
    if (f->task) {
        ctn_mcp_flight_task_answered(f, m, scratch);
        return;
    }
    if (m->kind == CTN_RPC_RESULT && f->method) {
        ctn_mcp_flight_tell(f, &(ctn_call_result){.value = m->result, .was_sent = true});
        return;
    }
    if (m->kind == CTN_RPC_RESULT) {
        ctn_mcp_flight_result(f, m->result, scratch);
        return;
    }
    ctn_mcp_peer *peer = f->peer;
    bool is_passing = m->error_code == CTN_MCP_HEADER_MISMATCH || m->error_code == CTN_MCP_UNSUPPORTED_VERSION;
    if (is_passing && return_to_waiting(f)) { /* its schema has changed, or what the server speaks */
        if (!peer->is_relisting)
            ctn_mcp_peer_relist(peer);
        return;
    }
    ctn_str text = ctn_mcp_clip(m->error_message);
    tell_failure(f, CTN_FAILURE_PROTOCOL_ERROR, true,
                 ctn_arena_printf(scratch, "%.*s/%.*s: %.*s (%lld)", CTN_STR_ARG(f->peer->server->config.name),
                                  CTN_STR_ARG(tool_of(f)), CTN_STR_ARG(text), (long long) m->error_code));
}

void ctn_mcp_flight_too_large(void *ctx, void *of_call, const char *why)
{
    (void) ctx;
    ctn_mcp_flight *f = of_call;
    f->peer->has_answered = true; /* and the tool has done its work */
    ctn_mcp_instance_answered(f->peer);
    if (f->is_given_up) {
        late(f);
        return;
    }
    ctn_arena *scratch = f->peer->driver->scratch;
    ctn_arena_mark mark = ctn_arena_save(scratch);
    tell_failure(f, CTN_FAILURE_LIMIT, true,
                 ctn_arena_printf(scratch, "%.*s/%.*s: %s", CTN_STR_ARG(f->peer->server->config.name),
                                  CTN_STR_ARG(tool_of(f)), why));
    ctn_arena_restore(scratch, mark);
}

/* What came instead of an answer, over HTTP. A refusal was not executed; where nothing says so, nobody knows. */
static ctn_failure failure_of(const ctn_mcp_loss *loss)
{
    if (loss->status == 401 || loss->status == 403) /* or no token was to be had, and it was not sent */
        return CTN_FAILURE_DENIED;
    if (!loss->was_sent)
        return CTN_FAILURE_UNAVAILABLE;
    if (loss->status == 429)
        return CTN_FAILURE_RATE_LIMITED;
    return loss->is_untaken || (loss->status >= 300 && loss->status < 500 && loss->status != 408)
               ? CTN_FAILURE_PROTOCOL_ERROR
               : CTN_FAILURE_TRANSPORT;
}

void ctn_mcp_flight_lost(void *ctx, void *of_call, const ctn_mcp_loss *loss)
{
    ctn_mcp_peer *peer = ctx;
    ctn_mcp_flight *f = of_call;
    ctn_arena *scratch = peer->driver->scratch;
    ctn_failure failure = failure_of(loss);
    if (failure == CTN_FAILURE_UNAVAILABLE || failure == CTN_FAILURE_TRANSPORT)
        ctn_mcp_instance_failed(peer, loss->was_sent);
    if (f->is_given_up) {
        late(f);
        return;
    }
    if (!loss->was_sent && ctn_mcp_flight_move(f))
        return;
    if (loss->is_untaken && return_to_waiting(f)) {
        if (peer->state == CTN_MCP_UP && !peer->is_relisting)
            ctn_mcp_flight_send(f);
        return; /* else the handshake that is under way sends it */
    }
    ctn_arena_mark mark = ctn_arena_save(scratch);
    ctn_call_result told = {
        .failure = failure,
        .message = ctn_arena_printf(scratch, "%.*s/%.*s: %s", CTN_STR_ARG(peer->server->config.name),
                                    CTN_STR_ARG(tool_of(f)), loss->why),
        .was_sent = loss->was_sent,
        .retry_after_ms = loss->retry_after_ms,
    };
    ctn_mcp_flight_tell(f, &told);
    ctn_arena_restore(scratch, mark);
}

void ctn_mcp_flight_progress(void *ctx, void *of_call, const ctn_mcp_progress *progress)
{
    const ctn_mcp_peer *peer = ctx;
    ctn_mcp_flight *f = of_call;
    const ctn_call_sink *sink = &peer->driver->options.sink;
    if (f->is_given_up || peer->driver->is_shut_down)
        return;
    if (f->idle_timeout_ms > 0)
        set_due(f, ctn_loop_now_ms(peer->driver->options.loop)); /* the timer may ring early: it looks again */
    if (sink->progress)
        sink->progress(sink->ctx, f->token, progress->progress, progress->total, progress->message);
}
