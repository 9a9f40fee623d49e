/*
 * task.c -- see task.h.
 *
 * What is asked next of a task follows from its state: tasks/cancel when nobody wants it, tasks/update when there are
 * answers to give, tasks/result for a task of 2025-11-25 that has ended, else tasks/get.
 */
#include "drivers/mcp/task.h"
#include "base/memory.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_DEFAULT_MS   1000
#define POLL_LONGEST_MS   ((int64_t) 86400000)
#define QUESTION_LIMIT_MS 60000 /* of one, over a way of its own */
#define LOST_MAX          8     /* questions in a row: of a process, which is here or not */
#define LOST_FAR_MAX      64    /* ... of an address, which may be back in an hour */
#define LOST_FIRST_MS     1000
#define LOST_LONGEST_MS   60000

typedef enum question { GET, UPDATE, RESULT, CANCEL } question;

struct ctn_mcp_task {
    ctn_arena *arena;
    ctn_str id;
    bool is_legacy;
    bool is_unwanted;         /* nobody waits for it: it is only to be cancelled */
    bool has_ended;           /* of 2025-11-25: its result is to be fetched */
    question asked;           /* of what is under way */
    const ctn_json *answers;  /* to be given; NULL: none */
    const ctn_json *answered; /* list of keys */
    ctn_err refused;          /* why the answers were refused; code 0: they were not */
    int64_t poll_ms, poll_at_ms;
    int64_t changed_at_ms; /* the last time that the server told something new */
    ctn_digest told;       /* what it told then */
    unsigned lost;         /* questions in a row */
};

/* ---- continuations ---- */

static const ctn_json *continuation_of(const ctn_mcp_flight *f, ctn_arena *arena)
{
    const ctn_mcp_task *t = f->task;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "task", t->id);
    if (ctn_json_count(t->answered))
        ctn_json_put(&b, CTN_STR("answered"), t->answered);
    if (t->is_legacy)
        ctn_json_put_bool(&b, "legacy", true);
    return ctn_mcp_instance_mark(f->peer, ctn_json_finish(&b), arena);
}

bool ctn_mcp_flight_task_is(const ctn_json *continuation)
{
    return ctn_json_is(ctn_json_member_of(continuation, "task"), CTN_JSON_STRING);
}

static ctn_mcp_task *task_new(ctn_str id, int64_t now_ms)
{
    ctn_arena *arena = ctn_arena_new(512);
    ctn_mcp_task *t = CTN_NEW(arena, ctn_mcp_task);
    *t = (ctn_mcp_task){.arena = arena, .id = ctn_arena_str(arena, id), .changed_at_ms = now_ms};
    return t;
}

void ctn_mcp_flight_task_free(ctn_mcp_task *t)
{
    if (t)
        ctn_arena_free(t->arena);
}

static int64_t now_of(const ctn_mcp_flight *f)
{
    return ctn_loop_now_ms(f->peer->driver->options.loop);
}

void ctn_mcp_flight_task_resume(ctn_mcp_flight *f, const ctn_json *continuation, const ctn_json *answers)
{
    const ctn_json *answered = ctn_json_member_of(continuation, "answered");
    ctn_mcp_task *t = task_new(ctn_json_str_or(continuation, "task", (ctn_str){0}), now_of(f));
    t->is_legacy = ctn_json_bool_or(continuation, "legacy", false);
    t->answered = answered ? ctn_json_copy(t->arena, answered) : NULL;
    t->answers = ctn_json_count(answers) ? ctn_json_copy(t->arena, answers) : NULL;
    f->task = t;
    f->args = f->go_on = f->answers = NULL; /* they were told when it began */
    f->key = (ctn_str){0};
    f->traceparent = (ctn_str){0};
}

static bool may_keep(const ctn_mcp_flight *f, const ctn_json *continuation, ctn_err *err)
{
    const ctn_mcp_driver_options *o = &f->peer->driver->options;
    if (!o->may_keep || o->may_keep(o->may_keep_ctx, continuation))
        return true;
    (void) ctn_fail(err, CTN_E_UNSUPPORTED,
                    "what it wants back with the answer holds a secret that it was given, and secrets are not kept");
    return false;
}

/* ---- what is told ---- */

/* From here on the flight is a call like any other: what is told of it ends it. */
static void tell(ctn_mcp_flight *f, const ctn_call_result *result)
{
    ctn_mcp_task *t = f->task;
    ctn_mcp_flight_rest(f, 0);
    f->task = NULL;
    ctn_mcp_flight_tell(f, result);
    ctn_mcp_flight_task_free(t);
}

static void fail(ctn_mcp_flight *f, ctn_failure failure, ctn_arena *scratch, const char *what, ctn_str why)
{
    why = ctn_mcp_clip(why);
    ctn_call_result result = {
        .failure = failure,
        .was_sent = true,
        .message = ctn_arena_printf(scratch, "%.*s/%.*s: %s%s%.*s", CTN_STR_ARG(f->peer->server->config.name),
                                    (int) f->tool_len, f->tool, what, why.len ? ": " : "", CTN_STR_ARG(why)),
    };
    tell(f, &result);
}

/* ---- a server asks ---- */

static void tell_asks(ctn_mcp_flight *f, const ctn_json *asks, const ctn_json *continuation)
{
    ctn_call_result result = {.asks = asks, .continuation = continuation, .was_sent = true};
    if (f->task)
        tell(f, &result);
    else
        ctn_mcp_flight_tell(f, &result);
}

void ctn_mcp_flight_task_asks(ctn_mcp_flight *f, const ctn_mcp_call_result *r, ctn_arena *scratch)
{
    ctn_err err = {0};
    const ctn_json *asks = NULL;
    ctn_json_builder b = ctn_json_object(scratch);
    if (r->request_state)
        ctn_json_put(&b, CTN_STR("state"), r->request_state);
    const ctn_json *continuation = ctn_mcp_instance_mark(f->peer, ctn_json_finish(&b), scratch);
    if (ctn_mcp_read_asks(scratch, r->input_requests, &asks, &err) == CTN_OK && may_keep(f, continuation, &err)) {
        tell_asks(f, asks, continuation);
        return;
    }
    ctn_call_result result = {.failure = CTN_FAILURE_PROTOCOL_ERROR,
                              .was_sent = true,
                              .message =
                                  ctn_arena_printf(scratch, "%.*s/%.*s: %s", CTN_STR_ARG(f->peer->server->config.name),
                                                   (int) f->tool_len, f->tool, err.message)};
    ctn_mcp_flight_tell(f, &result);
}

static bool was_answered(const ctn_mcp_task *t, ctn_str key)
{
    return ctn_json_has_text(t->answered, key);
}

/* Those that were not answered yet. */
static const ctn_json *open_requests(const ctn_mcp_task *t, const ctn_json *requests, ctn_arena *scratch)
{
    ctn_json_builder b = ctn_json_object(scratch);
    for (size_t i = 0; ctn_json_is(requests, CTN_JSON_OBJECT) && i < requests->count; i++)
        if (!was_answered(t, ctn_json_text(&requests->members[i].key)))
            ctn_json_put(&b, ctn_json_text(&requests->members[i].key), &requests->members[i].value);
    return ctn_json_finish(&b);
}

static void note_answered(ctn_mcp_task *t, const ctn_json *asks)
{
    ctn_json_builder b = ctn_json_array(t->arena);
    for (size_t i = 0; i < ctn_json_count(t->answered); i++)
        ctn_json_push(&b, ctn_json_at(t->answered, i));
    for (size_t i = 0; i < ctn_json_count(asks); i++)
        ctn_json_push(&b, ctn_json_string(t->arena, ctn_json_text(&asks->members[i].key)));
    t->answered = ctn_json_finish(&b);
}

/* ---- asking for it ---- */

static void set_due(ctn_mcp_flight *f, int64_t at_ms)
{
    const ctn_mcp_task *t = f->task;
    if (f->idle_timeout_ms > 0 && t->changed_at_ms + f->idle_timeout_ms < at_ms)
        at_ms = t->changed_at_ms + f->idle_timeout_ms;
    ctn_heap_set(&f->peer->driver->due, &f->due, at_ms);
    ctn_mcp_flights_set_timer(f->peer->driver);
}

static void rest(ctn_mcp_flight *f, int64_t span_ms)
{
    f->task->poll_at_ms = now_of(f) + span_ms;
    ctn_mcp_flight_rest(f, f->task->poll_at_ms);
    set_due(f, f->task->poll_at_ms);
}

static void rest_until_poll(ctn_mcp_flight *f)
{
    int64_t span_ms = f->task->poll_ms ? f->task->poll_ms : POLL_DEFAULT_MS;
    rest(f, span_ms < POLL_LONGEST_MS ? span_ms : POLL_LONGEST_MS);
}

/* What is to be asked next. */
static question next_question(const ctn_mcp_task *t)
{
    return t->is_unwanted ? CANCEL : t->answers ? UPDATE : t->has_ended ? RESULT : GET;
}

static int64_t ask(ctn_mcp_flight *f)
{
    static const char *const METHODS[] = {"tasks/get", "tasks/update", "tasks/result", "tasks/cancel"};
    ctn_mcp_task *t = f->task;
    ctn_arena *scratch = f->peer->driver->scratch;
    ctn_arena_mark mark = ctn_arena_save(scratch);
    bool is_too_large = false;
    t->asked = next_question(t);
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "taskId", t->id);
    if (t->asked == UPDATE)
        ctn_json_put(&b, CTN_STR("inputResponses"), t->answers);
    int64_t id = ctn_mcp_client_ask(f->peer->client, METHODS[t->asked], t->id, ctn_json_finish(&b), f, &is_too_large);
    ctn_arena_restore(scratch, mark);
    return id;
}

void ctn_mcp_flight_task_send(ctn_mcp_flight *f)
{
    ctn_mcp_peer *peer = f->peer;
    int64_t id = ask(f);
    if (f->task->is_unwanted) { /* it is told, and nothing is expected: as one that was given up */
        ctn_mcp_flight_forget(f);
        return;
    }
    if (!id) {
        ctn_call_result result = {.failure = CTN_FAILURE_UNAVAILABLE,
                                  .message = CTN_STR("its server does not read its input")};
        ctn_mcp_flight_tell(f, &result);
        return;
    }
    ctn_mcp_flight_is_sent(f, id);
    set_due(f, peer->transport->kind->is_shared ? INT64_MAX : now_of(f) + QUESTION_LIMIT_MS);
}

/* It waits in line for its peer. */
static void poll(ctn_mcp_flight *f)
{
    ctn_mcp_peer *peer = f->peer;
    ctn_mcp_flight_wait(f);
    if (peer->state == CTN_MCP_UP && !peer->is_relisting)
        ctn_mcp_flight_task_send(f);
    else
        (void) ctn_mcp_peer_bring_up(peer);
}

void ctn_mcp_flight_task_due(ctn_mcp_flight *f, int64_t now_ms)
{
    ctn_mcp_task *t = f->task;
    if (f->idle_timeout_ms > 0 && now_ms >= t->changed_at_ms + f->idle_timeout_ms) {
        ctn_mcp_driver *driver = f->peer->driver;
        uint64_t token = f->token;
        char message[300];
        (void) snprintf(message, sizeof message, "no sign of progress of the task of %.*s/%.*s within %lld ms",
                        CTN_STR_ARG(f->peer->server->config.name), (int) (f->tool_len < 128 ? f->tool_len : 128),
                        f->tool, (long long) f->idle_timeout_ms);
        ctn_mcp_flight_task_cancel(f);
        ctn_call_result result = {.failure = CTN_FAILURE_TIMEOUT, .message = ctn_str_from(message), .was_sent = true};
        driver->options.sink.done(driver->options.sink.ctx, token, &result);
    } else if (f->id) { /* over a way of its own: that question is given up, the next one may find the server */
        (void) ctn_mcp_client_cancel(f->peer->client, f->id, CTN_STR("timeout"));
        ctn_call_result result = {.failure = CTN_FAILURE_TRANSPORT,
                                  .message = CTN_STR("no answer to a question for its task")};
        ctn_mcp_flight_tell(f, &result);
    } else if (now_ms >= t->poll_at_ms) {
        poll(f);
    } else {
        set_due(f, t->poll_at_ms);
    }
}

bool ctn_mcp_flight_task_holds(ctn_mcp_flight *f, const ctn_call_result *result)
{
    ctn_mcp_task *t = f->task;
    unsigned most = f->peer->url ? LOST_FAR_MAX : LOST_MAX;
    if (result->failure == CTN_FAILURE_LIMIT || t->is_unwanted || ++t->lost > most)
        return false;
    int64_t span_ms = t->lost > 6 ? LOST_LONGEST_MS : LOST_FIRST_MS << (t->lost - 1);
    if (t->poll_ms > span_ms)
        span_ms = t->poll_ms;
    rest(f, result->retry_after_ms > span_ms ? result->retry_after_ms : span_ms);
    return true;
}

/* ---- it begins, it is answered ---- */

/* What the server tells of it, as far as it may show that something goes on. */
static void note_told(ctn_mcp_flight *f, const ctn_mcp_task_told *told)
{
    ctn_mcp_task *t = f->task;
    const ctn_call_sink *sink = &f->peer->driver->options.sink;
    ctn_hasher hasher;
    ctn_hasher_init(&hasher);
    ctn_hasher_add(&hasher, told->updated_at);
    ctn_hasher_add(&hasher, CTN_STR("|"));
    ctn_hasher_add(&hasher, told->status_message);
    ctn_digest digest = ctn_hasher_finish(&hasher);
    t->poll_ms = told->poll_ms;
    t->lost = 0;
    if (memcmp(&digest, &t->told, sizeof digest) == 0)
        return;
    t->told = digest;
    t->changed_at_ms = now_of(f);
    if (told->status_message.len && sink->progress && !f->peer->driver->is_shut_down)
        sink->progress(sink->ctx, f->token, 0, -1, told->status_message);
}

static void tell_accepted(const ctn_mcp_flight *f, ctn_arena *scratch)
{
    const ctn_call_sink *sink = &f->peer->driver->options.sink;
    const ctn_json *continuation = continuation_of(f, scratch);
    if (sink->accepted && !f->peer->driver->is_shut_down && may_keep(f, continuation, NULL))
        sink->accepted(sink->ctx, f->token, continuation);
}

void ctn_mcp_flight_task_begin(ctn_mcp_flight *f, const ctn_mcp_task_told *told, ctn_arena *scratch)
{
    f->task = task_new(told->id, now_of(f));
    f->is_bound = true;
    f->task->is_legacy = ctn_mcp_is_legacy(ctn_mcp_client_version(f->peer->client));
    note_told(f, told);
    rest_until_poll(f);
    tell_accepted(f, scratch);
}

/* The error object of a task that failed, as of any answer: it was not executed to an end that says so itself. */
static void tell_error(ctn_mcp_flight *f, const ctn_json *error, ctn_str status_message, ctn_arena *scratch)
{
    ctn_str message = ctn_json_str_or(error, "message", status_message);
    fail(f, CTN_FAILURE_PROTOCOL_ERROR, scratch, "its task failed", message);
}

static void on_asked_for(ctn_mcp_flight *f, const ctn_mcp_task_told *told, ctn_arena *scratch)
{
    ctn_mcp_task *t = f->task;
    ctn_err err = {0};
    const ctn_json *asks = NULL, *open = open_requests(t, told->input_requests, scratch);
    bool is_refused = t->refused.code && ctn_json_count(told->input_requests) && !ctn_json_count(open);
    if (!is_refused && !t->is_legacy && !ctn_json_count(open)) {
        rest_until_poll(f); /* what it asks for was answered; it has not seen that yet */
        return;
    }
    if (t->is_legacy)
        (void) ctn_fail(&err, CTN_E_UNSUPPORTED, "it asks for input, which catena did not offer to this revision");
    else if (is_refused)
        err = t->refused;
    if (!err.code && ctn_mcp_read_asks(scratch, open, &asks, &err) == CTN_OK &&
        may_keep(f, continuation_of(f, scratch), &err)) {
        note_answered(t, asks); /* when it is begun again, with the answers */
        tell_asks(f, asks, continuation_of(f, scratch));
        return;
    }
    ctn_call_result result = {
        .failure = CTN_FAILURE_PROTOCOL_ERROR,
        .was_sent = true,
        .message = ctn_arena_printf(scratch, "%.*s/%.*s: %s", CTN_STR_ARG(f->peer->server->config.name),
                                    (int) f->tool_len, f->tool, err.message),
    };
    ctn_mcp_driver *driver = f->peer->driver;
    uint64_t token = f->token;
    ctn_mcp_flight_task_cancel(f);
    driver->options.sink.done(driver->options.sink.ctx, token, &result);
}

static void on_told(ctn_mcp_flight *f, const ctn_json *answer, ctn_arena *scratch)
{
    ctn_mcp_task *t = f->task;
    ctn_mcp_task_told told;
    ctn_err err = {0};
    if (ctn_mcp_read_task(answer, &told, &err)) {
        ctn_call_result result = {.failure = CTN_FAILURE_TRANSPORT, .message = ctn_str_from(err.message)};
        ctn_mcp_flight_tell(f, &result);
        return;
    }
    note_told(f, &told);
    switch (told.status) {
    case CTN_MCP_TASK_WORKING: rest_until_poll(f); break;
    case CTN_MCP_TASK_INPUT_REQUIRED: on_asked_for(f, &told, scratch); break;
    case CTN_MCP_TASK_CANCELLED:
        fail(f, CTN_FAILURE_TOOL_ERROR, scratch, "its task was cancelled by the server", told.status_message);
        break;
    case CTN_MCP_TASK_COMPLETED:
    case CTN_MCP_TASK_FAILED:
        if (t->is_legacy) {
            t->has_ended = true;
            poll(f);
        } else if (told.status == CTN_MCP_TASK_FAILED) {
            tell_error(f, told.error, told.status_message, scratch);
        } else {
            ctn_mcp_flight_rest(f, 0);
            f->task = NULL;
            ctn_mcp_flight_result(f, told.result, scratch);
            ctn_mcp_flight_task_free(t);
        }
        break;
    }
}

static void on_error(ctn_mcp_flight *f, const ctn_rpc_message *m, ctn_arena *scratch)
{
    ctn_mcp_task *t = f->task;
    if (t->asked == UPDATE) { /* whether that was the task or the answers shows when it is asked for */
        (void) ctn_fail(&t->refused, CTN_E_INVALID, "its server refused the answers: %.*s (%lld)",
                        (int) (m->error_message.len < 300 ? m->error_message.len : 300), m->error_message.ptr,
                        (long long) m->error_code);
        t->answers = NULL;
        poll(f);
    } else if (t->asked == RESULT) {
        tell_error(f, NULL, m->error_message, scratch);
    } else if (m->error_code == CTN_RPC_INVALID_PARAMS) {
        fail(f, CTN_FAILURE_TRANSPORT, scratch,
             "its server does not know the task any more; what became of it is not known", m->error_message);
    } else {
        ctn_call_result result = {.failure = CTN_FAILURE_TRANSPORT,
                                  .message =
                                      ctn_arena_printf(scratch, "its task cannot be asked for: %.*s (%lld)",
                                                       (int) (m->error_message.len < 300 ? m->error_message.len : 300),
                                                       m->error_message.ptr, (long long) m->error_code)};
        ctn_mcp_flight_tell(f, &result);
    }
}

void ctn_mcp_flight_task_answered(ctn_mcp_flight *f, const ctn_rpc_message *m, ctn_arena *scratch)
{
    ctn_mcp_task *t = f->task;
    ctn_mcp_flight_rest(f, 0);
    if (m->kind != CTN_RPC_RESULT) {
        on_error(f, m, scratch);
    } else if (t->asked == UPDATE) {
        t->answers = NULL;
        t->lost = 0;
        t->changed_at_ms = now_of(f);
        rest_until_poll(f);
        tell_accepted(f, scratch);
    } else if (t->asked == RESULT) {
        f->task = NULL;
        ctn_mcp_flight_result(f, m->result, scratch);
        ctn_mcp_flight_task_free(t);
    } else {
        on_told(f, m->result, scratch);
    }
}

/* ---- nobody wants it any more ---- */

static void nobody(void *ctx, const ctn_call_result *result)
{
    (void) ctx, (void) result;
}

void ctn_mcp_flight_task_cancel(ctn_mcp_flight *f)
{
    ctn_mcp_peer *peer = f->peer;
    bool is_up = peer->state == CTN_MCP_UP && !peer->is_relisting;
    f->task->is_unwanted = true;
    if (f->id && is_up)
        (void) ctn_mcp_client_cancel(peer->client, f->id, CTN_STR("cancelled"));
    if (is_up) {
        (void) ask(f);
        ctn_mcp_flight_forget(f);
    } else if (peer->url && !peer->driver->is_shut_down) {
        f->answered = nobody;
        poll(f);
    } else {
        ctn_mcp_flight_free(f); /* the process that had it has ended, or ends */
    }
}

void ctn_mcp_flight_task_abandon(ctn_mcp_driver *driver, ctn_mcp_server *server, const ctn_json *continuation)
{
    ctn_str name;
    ctn_mcp_peer *peer = ctn_mcp_instance_of_mark(server, continuation, &name);
    if (!peer || driver->is_shut_down || !ctn_mcp_flight_task_is(continuation))
        return;
    ctn_mcp_flight *f = ctn_malloc(sizeof *f);
    *f = (ctn_mcp_flight){
        .peer = peer, .token = UINT64_MAX - driver->question_count++, .is_bound = true, .answered = nobody};
    ctn_mcp_flight_task_resume(f, continuation, NULL);
    ctn_token_map_put(&driver->tokens, f->token, f);
    ctn_mcp_flight_add(&peer->waiting, f);
    ctn_mcp_flight_task_cancel(f);
}
