/*
 * control.c -- see control.h.
 *
 * A request that waits for its commit keeps its connection's memory alive (`open_requests`), also when the other side
 * has gone in the meantime; what it asked for is done all the same.
 */
#include "host/control.h"
#include "base/memory.h"
#include "engine/fold.h"
#include "fleet/request.h"
#include "host/snapshot.h"
#include "wire/jsonrpc.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS_MAX  256
#define QUEUED_BYTES_MAX ((size_t) 4 << 20) /* a watcher that does not read is let go */

typedef struct connection {
    ctn_control *control;
    ctn_stream *stream; /* NULL: gone */
    int fd;             /* the stream's */
    size_t open_requests;
    bool is_watching;
    ctn_execution_id watched;
    struct connection *next;
} connection;

typedef struct open_request {
    connection *c;
    ctn_arena *arena;
    const ctn_json *id;
    struct open_request *next;
} open_request;

struct ctn_control {
    ctn_control_options of;
    ctn_listener *listener;
    connection *connections;
    size_t connection_count;
    open_request *open;
    void (*on_guest)(void *ctx, int fd);
    void *on_guest_ctx;
    ctn_arena *scratch;
    ctn_buf line;
};

/* ---- writing ---- */

static void send_line(connection *c)
{
    ctn_control *control = c->control;
    if (c->stream && !control->line.overflowed)
        (void) ctn_stream_write(c->stream, ctn_buf_str(&control->line));
    ctn_buf_clear(&control->line);
}

static void reply(connection *c, const ctn_json *id, const ctn_json *result)
{
    ctn_rpc_write_result(&c->control->line, id, result);
    send_line(c);
}

static void refuse(connection *c, const ctn_json *id, int code, const char *sentence)
{
    ctn_rpc_write_error(&c->control->line, id, code, ctn_str_from(sentence), NULL);
    send_line(c);
}

/* ---- connections ---- */

static void free_if_over(connection *c)
{
    ctn_control *control = c->control;
    if (c->stream || c->open_requests)
        return;
    for (connection **at = &control->connections; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    control->connection_count--;
    free(c);
}

static void on_closed(void *ctx, int code, const char *why)
{
    connection *c = ctx;
    (void) code, (void) why;
    ctn_stream_free(c->stream);
    c->stream = NULL;
    free_if_over(c);
}

/* ---- requests ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    open_request *r = ctx;
    connection *c = r->c;
    ctn_control *control = c->control;
    if (rc) {
        refuse(c, r->id, rc, err ? err->message : ctn_err_name(rc));
    } else {
        ctn_json_builder b = ctn_json_object(r->arena);
        ctn_json_put_str(&b, "executionId", ctn_str_from(ctn_id_to_text(id).text));
        reply(c, r->id, ctn_json_finish(&b));
    }
    for (open_request **at = &control->open; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    ctn_arena_free(r->arena);
    c->open_requests--;
    free_if_over(c);
}

static void take_ping(connection *c, const ctn_json *id)
{
    ctn_json_builder b = ctn_json_object(c->control->scratch);
    ctn_json_put_int(&b, "pid", getpid());
    ctn_json_put_str(&b, "version", ctn_str_from(CATENA_VERSION));
    ctn_str why;
    ctn_clock clock = ctn_clock_system();
    int64_t since_ms = ctn_engine_store_failing_since_ms(c->control->of.engine, &why);
    if (since_ms) {
        ctn_json_builder f = ctn_json_object(c->control->scratch);
        ctn_json_put_int(&f, "seconds", (ctn_clock_now_ms(&clock) - since_ms) / 1000);
        ctn_json_put_str(&f, "why", why);
        ctn_json_put(&b, CTN_STR("storeFailing"), ctn_json_finish(&f));
    }
    reply(c, id, ctn_json_finish(&b));
}

static void take_pins(connection *c, const ctn_json *id)
{
    ctn_err err = {0};
    int rc = ctn_tool_guard_reload(c->control->of.guard, &err);
    ctn_json_builder nothing = ctn_json_object(c->control->scratch);
    if (rc)
        refuse(c, id, rc, err.message);
    else
        reply(c, id, ctn_json_finish(&nothing));
}

static void take_watch(connection *c, const ctn_rpc_message *m)
{
    ctn_control *control = c->control;
    ctn_arena *arena = control->scratch;
    ctn_execution_id id;
    ctn_execution_row row;
    ctn_err err = {0};
    int rc = ctn_id_parse(ctn_json_str_or(m->params, "id", (ctn_str){0}), &id, &err);
    if (rc == CTN_OK)
        rc = ctn_store_execution_get(control->of.store, arena, id, &row, &err);
    const ctn_execution *x = rc ? NULL : ctn_engine_find(control->of.engine, id);
    ctn_execution *loaded = NULL;
    if (rc == CTN_OK && !x) {
        rc = ctn_execution_load(control->of.store, arena, &row, &loaded, &err);
        x = loaded;
    }
    if (rc) {
        refuse(c, m->id, rc, err.message);
        return;
    }
    c->is_watching = true;
    c->watched = id;
    ctn_snapshot snapshot = ctn_snapshot_of(x, arena);
    snapshot.status = row.status; /* what is on disk: memory may be a batch ahead of it */
    (void) ctn_snapshot_look_at_line(&snapshot, control->of.store, arena, NULL);
    reply(c, m->id, ctn_snapshot_to_json(&snapshot, arena));
    ctn_execution_unload(loaded);
}

/* The stream has nothing more in it: who says this waits for our word before it says more. */
static void take_guest(connection *c, const ctn_rpc_message *m)
{
    ctn_control *control = c->control;
    int fd = control->on_guest ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd < 0) {
        refuse(c, m->id, CTN_E_UNSUPPORTED, "this process does not serve MCP");
        return;
    }
    ctn_json_builder nothing = ctn_json_object(control->scratch);
    reply(c, m->id, ctn_json_finish(&nothing));
    on_closed(c, CTN_OK, "");
    control->on_guest(control->on_guest_ctx, fd);
}

static void take_request(connection *c, const ctn_rpc_message *m)
{
    ctn_control *control = c->control;
    const ctn_workspace *ws = control->of.ws;
    ctn_request q = {0};
    ctn_err err = {0};
    int rc = ctn_request_from_json(control->scratch, m->method, m->params, &q, &err);
    if (rc == CTN_OK && q.plan)
        rc = q.plan->unsupported.len ? ctn_fail(&err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(q.plan->unsupported))
                                     : ctn_workspace_check_servers(ws, control->scratch, q.plan, &err);
    if (rc) {
        ctn_request_drop_plan(&q);
        refuse(c, m->id, rc, err.message);
        return;
    }
    ctn_arena *arena = ctn_arena_new(512);
    open_request *r = CTN_NEW(arena, open_request);
    *r = (open_request){.c = c, .arena = arena, .id = ctn_json_copy(arena, m->id), .next = control->open};
    control->open = r;
    c->open_requests++;
    ctn_desk_file(control->of.desk, &q, on_ack, r);
}

static void on_line(void *ctx, ctn_str line)
{
    connection *c = ctx;
    ctn_control *control = c->control;
    ctn_arena_mark mark = ctn_arena_save(control->scratch);
    ctn_rpc_message m;
    ctn_err err = {0};
    if (ctn_rpc_parse(control->scratch, line, &m, &err))
        refuse(c, m.id, (int) m.error_code, err.message);
    else if (m.kind != CTN_RPC_REQUEST)
        ; /* nothing else is expected of a client */
    else if (ctn_str_is(m.method, "ping"))
        take_ping(c, m.id);
    else if (ctn_str_is(m.method, "pins"))
        take_pins(c, m.id);
    else if (ctn_str_is(m.method, "mcp"))
        take_guest(c, &m);
    else if (ctn_str_is(m.method, "watch"))
        take_watch(c, &m);
    else
        take_request(c, &m);
    ctn_arena_restore(control->scratch, mark);
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    (void) head;
    refuse(ctx, NULL, CTN_E_LIMIT, "the line is too long");
}

static void on_accepted(void *ctx, int fd)
{
    ctn_control *control = ctx;
    if (control->connection_count >= CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    connection *c = ctn_malloc(sizeof *c);
    *c = (connection){.control = control, .fd = fd, .next = control->connections};
    control->connections = c;
    control->connection_count++;
    ctn_stream_events events = {.line = on_line,
                                .line_too_long = on_line_too_long,
                                .closed = on_closed,
                                .ctx = c,
                                .line_bytes_max = CTN_RPC_LINE_BYTES_MAX};
    c->stream = ctn_stream_open(control->of.loop, fd, &events);
}

/* ---- telling ---- */

static void notify(ctn_control *control, ctn_execution_id id, const char *method, const ctn_json *params)
{
    for (connection *c = control->connections, *next; c; c = next) {
        next = c->next;
        if (!c->is_watching || !c->stream || !ctn_id_equal(c->watched, id))
            continue;
        if (ctn_stream_queued_bytes(c->stream) > QUEUED_BYTES_MAX) {
            on_closed(c, CTN_E_LIMIT, "does not read");
            continue;
        }
        ctn_rpc_write_notification(&control->line, method, params);
        send_line(c);
    }
}

static bool is_watched(const ctn_control *control, ctn_execution_id id)
{
    for (const connection *c = control->connections; c; c = c->next)
        if (c->is_watching && ctn_id_equal(c->watched, id))
            return true;
    return false;
}

static void tell_step(ctn_control *control, const ctn_engine_event *event)
{
    uint32_t step = ctn_plan_step_index(ctn_execution_plan(event->execution), event->step);
    if (step == CTN_PLAN_NONE)
        return;
    ctn_snapshot_step s = ctn_snapshot_step_of(event->execution, step, control->scratch);
    notify(control, ctn_execution_id_of(event->execution), "step", ctn_snapshot_step_to_json(&s, control->scratch));
}

static const ctn_json *number(ctn_arena *arena, double value)
{
    return isfinite(value) ? ctn_json_number(arena, ctn_arena_printf(arena, "%.6f", value)) : &ctn_json_null;
}

static void tell_progress(ctn_control *control, const ctn_engine_event *event)
{
    ctn_json_builder b = ctn_json_object(control->scratch);
    ctn_json_put_str(&b, "step", event->step);
    ctn_json_put(&b, CTN_STR("progress"), number(control->scratch, event->progress));
    ctn_json_put(&b, CTN_STR("total"), number(control->scratch, event->total));
    ctn_json_put_str(&b, "message", event->message);
    notify(control, ctn_execution_id_of(event->execution), "progress", ctn_json_finish(&b));
}

static void tell_status(ctn_control *control, const ctn_engine_event *event)
{
    ctn_snapshot s = ctn_snapshot_of(event->execution, control->scratch);
    s.status = event->status; /* what is on disk */
    (void) ctn_snapshot_look_at_line(&s, control->of.store, control->scratch, NULL);
    notify(control, s.id, "status", ctn_snapshot_to_json(&s, control->scratch));
}

void ctn_control_tell(ctn_control *control, const ctn_engine_event *event)
{
    if (!control || !is_watched(control, ctn_execution_id_of(event->execution)))
        return;
    ctn_arena_mark mark = ctn_arena_save(control->scratch);
    switch (event->kind) {
    case CTN_EVENT_ENTRY:
    case CTN_EVENT_CALL: tell_step(control, event); break;
    case CTN_EVENT_PROGRESS: tell_progress(control, event); break;
    case CTN_EVENT_STATUS: tell_status(control, event); break;
    case CTN_EVENT_HEARD: break;
    }
    ctn_arena_restore(control->scratch, mark);
}

/* ---- life ---- */

int ctn_control_open(const ctn_control_options *options, const char *path, ctn_control **ret_control, ctn_err *err)
{
    ctn_control *control = ctn_malloc(sizeof *control);
    *control = (ctn_control){.of = *options, .scratch = ctn_arena_new(16384)};
    ctn_buf_init(&control->line, CTN_RPC_LINE_BYTES_MAX);
    int rc = ctn_listener_open(options->loop, path, on_accepted, control, &control->listener, err);
    if (rc)
        ctn_control_close(control);
    else
        *ret_control = control;
    return rc;
}

void ctn_control_on_guest(ctn_control *control, void (*fn)(void *ctx, int fd), void *ctx)
{
    control->on_guest = fn;
    control->on_guest_ctx = ctx;
}

void ctn_control_stop(ctn_control *control)
{
    if (!control)
        return;
    ctn_listener_close(control->listener);
    control->listener = NULL;
}

void ctn_control_close(ctn_control *control)
{
    if (!control)
        return;
    ctn_control_stop(control);
    for (open_request *r = control->open, *next; r; r = next) {
        next = r->next;
        r->c->open_requests--;
        ctn_arena_free(r->arena);
    }
    control->open = NULL;
    for (connection *c = control->connections, *next; c; c = next) {
        next = c->next;
        ctn_stream_free(c->stream);
        free(c);
    }
    ctn_buf_done(&control->line);
    ctn_arena_free(control->scratch);
    free(control);
}
