/*
 * wait.c -- see wait.h.
 *
 * A wait is on one of two lists: of those that are filed with the engine, and of those that stand by for an execution,
 * by its id. It holds a request only as long as that has a client. What happened to an execution is noted in the
 * engine's events and looked at after its turn, at the store, for only what is on disk is told.
 */
#include "server/api/wait.h"
#include "base/memory.h"
#include "host/tree.h"
#include "server/api/internal.h"
#include <stdio.h>
#include <stdlib.h>

#define FILED_MAX           4096 /* requests that are not on disk yet */
#define FILED_BY_CALLER_MAX 1024
#define FILED_BYTES_MAX     ((size_t) 64 << 20) /* of their bodies */
#define BUCKETS             1024
#define CALLERS             256
#define OTHERS_MS           250 /* executions of other nodes are looked at: nobody tells us of them */

typedef struct wait {
    struct ctn_api_waits *waits;
    ctn_api_call *call; /* NULL: the client has left */
    ctn_api_then_fn *then;
    ctn_execution_id id;
    bool is_filed, is_dirty;
    size_t bytes;
    uint8_t caller;
    char pointer[64];
    ctn_timer *timer;
    struct wait **head, *prev, *next;
} wait;

struct ctn_api_waits {
    ctn_api *api;
    ctn_loop *loop;
    ctn_timer *soon, *others;
    wait *filed, *standing[BUCKETS];
    size_t filed_count, filed_bytes, standing_count;
    uint32_t filed_by[CALLERS]; /* by a hash of who: those who share one share its bound */
    bool is_closed;             /* nobody waits for an execution any more */
};

static void link_in(wait *w, wait **head)
{
    w->head = head;
    w->prev = NULL;
    w->next = *head;
    if (w->next)
        w->next->prev = w;
    *head = w;
}

static void drop(wait *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        *w->head = w->next;
    if (w->next)
        w->next->prev = w->prev;
    if (w->call)
        ctn_web_when_gone(w->call->request, NULL, NULL);
    if (!w->is_filed)
        w->waits->standing_count--;
    ctn_timer_free(w->timer);
    free(w);
}

static void on_gone(void *ctx)
{
    wait *w = ctx;
    w->call = NULL;
    if (!w->is_filed)
        drop(w);
}

static wait *new_wait(ctn_api_call *call, ctn_api_then_fn *then, wait **head)
{
    wait *w = ctn_calloc(1, sizeof *w);
    w->waits = call->api->waits;
    w->call = call;
    w->then = then;
    link_in(w, head);
    ctn_web_when_gone(call->request, on_gone, w);
    return w;
}

/* ---- filed with the engine ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    wait *w = ctx;
    ctn_api_call *call = w->call;
    ctn_api_then_fn *then = w->then;
    ctn_str pointer = call ? ctn_arena_str(call->arena, ctn_str_from(w->pointer)) : (ctn_str){0};
    w->waits->filed_count--;
    w->waits->filed_bytes -= w->bytes;
    w->waits->filed_by[w->caller]--;
    drop(w);
    if (!call)
        return;
    if (rc == CTN_E_INVALID && pointer.len && err)
        ctn_api_problem(call, 422, pointer, "%s", ctn_api_words(call->arena, err).ptr);
    else if (rc)
        ctn_api_fail(call, err ? err : &(ctn_err){.code = rc});
    else
        then(call, id);
}

static bool has_room(const struct ctn_api_waits *waits, uint8_t caller, size_t bytes)
{
    return waits->filed_count < FILED_MAX && waits->filed_by[caller] < FILED_BY_CALLER_MAX &&
           waits->filed_bytes + bytes <= FILED_BYTES_MAX;
}

void ctn_api_file(ctn_api_call *call, ctn_action action, ctn_request *q, ctn_str pointer, ctn_api_then_fn *then)
{
    struct ctn_api_waits *waits = call->api->waits;
    size_t bytes = ctn_web_ask_of(call->request)->body.len;
    uint8_t caller = (uint8_t) (ctn_str_hash(call->caller->name) % CALLERS);
    if (!has_room(waits, caller, bytes)) {
        ctn_request_drop_plan(q);
        ctn_api_problem(call, 429, (ctn_str){0},
                        "so much is under way that is not on disk yet that no more is taken now; call again");
        return;
    }
    wait *w = new_wait(call, then, &waits->filed);
    w->is_filed = true;
    w->bytes = bytes;
    w->caller = caller;
    (void) snprintf(w->pointer, sizeof w->pointer, "%.*s", CTN_STR_ARG(pointer));
    waits->filed_count++;
    waits->filed_bytes += bytes;
    waits->filed_by[caller]++;
    q->actor = call->caller->name;
    ctn_str traceparent = q->by.traceparent;
    q->by = ctn_api_requester(call, action);
    q->by.traceparent = traceparent;
    ctn_desk_file(ctn_host_desk(call->host), q, on_ack, w);
}

/* ---- standing by for an execution ---- */

static wait **bucket_of(struct ctn_api_waits *waits, ctn_execution_id id)
{
    return &waits->standing[ctn_str_hash((ctn_str){(const char *) id.bytes, sizeof id.bytes}) % BUCKETS];
}

static bool is_over(const struct ctn_api_waits *waits, ctn_execution_id id)
{
    ctn_store *store = ctn_host_store(waits->api->host);
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_execution_row row;
    bool is = ctn_store_execution_get(store, arena, id, &row, NULL) || ctn_status_is_final(row.status);
    if (!is && row.status != CTN_STATUS_RUNNING && row.status != CTN_STATUS_COMPENSATING)
        is = ctn_tree_is_parked(store, id);
    ctn_arena_free(arena);
    return is;
}

static void finish(wait *w)
{
    ctn_api_call *call = w->call;
    ctn_api_then_fn *then = w->then;
    ctn_execution_id id = w->id;
    drop(w);
    if (call)
        then(call, id);
}

static void on_time(void *ctx)
{
    finish(ctx);
}

static void on_soon(void *ctx)
{
    struct ctn_api_waits *waits = ctx;
    if (!ctn_host_engine(waits->api->host))
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (wait *w = waits->standing[i], *next; w; w = next) {
            next = w->next;
            if (w->is_dirty && is_over(waits, w->id))
                finish(w);
            else
                w->is_dirty = false;
        }
}

static void note(struct ctn_api_waits *waits, ctn_execution_id id)
{
    for (wait *w = *bucket_of(waits, id); w; w = w->next)
        if (ctn_id_equal(w->id, id) && !w->is_dirty) {
            w->is_dirty = true;
            ctn_timer_set(waits->soon, ctn_loop_now_ms(waits->loop));
        }
}

static void look_at_others(void *ctx)
{
    struct ctn_api_waits *waits = ctx;
    const ctn_desk *desk = ctn_host_desk(waits->api->host);
    if (!desk || !waits->standing_count)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (wait *w = waits->standing[i]; w; w = w->next)
            if (!ctn_desk_is_ours(desk, w->id))
                note(waits, w->id);
    ctn_timer_set(waits->others, ctn_loop_now_ms(waits->loop) + OTHERS_MS);
}

/* Of an execution, and of those whose step it does the work of: they are parked when it is. */
static void on_event(void *ctx, const ctn_engine_event *event)
{
    struct ctn_api_waits *waits = ctx;
    if (event->kind != CTN_EVENT_STATUS || !waits->standing_count)
        return;
    note(waits, ctn_execution_id_of(event->execution));
    const ctn_parent *parent = ctn_execution_parent(event->execution);
    if (!parent || ctn_status_is_final(event->status) || event->status == CTN_STATUS_RUNNING)
        return;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_execution_id up = parent->id;
    for (int depth = 0; !ctn_id_is_none(up) && depth < CTN_CHAIN_DEPTH_MAX; depth++) {
        ctn_execution_row row;
        note(waits, up);
        up = ctn_store_execution_get(ctn_host_store(waits->api->host), arena, up, &row, NULL) == CTN_OK
                 ? row.parent
                 : (ctn_execution_id){0};
    }
    ctn_arena_free(arena);
}

void ctn_api_await(ctn_api_call *call, ctn_execution_id id, int64_t wait_ms, ctn_api_then_fn *then)
{
    struct ctn_api_waits *waits = call->api->waits;
    if (wait_ms <= 0 || waits->is_closed || is_over(waits, id)) {
        then(call, id);
        return;
    }
    wait *w = new_wait(call, then, bucket_of(waits, id));
    w->id = id;
    if (waits->standing_count++ == 0 && ctn_host_member(call->host))
        ctn_timer_set(waits->others, ctn_loop_now_ms(waits->loop) + OTHERS_MS);
    w->timer = ctn_timer_new(waits->loop, on_time, w);
    ctn_timer_set(w->timer, ctn_loop_now_ms(waits->loop) + wait_ms);
}

/* ---- life ---- */

void ctn_api_waits_open(ctn_api *api)
{
    struct ctn_api_waits *waits = ctn_calloc(1, sizeof *waits);
    waits->api = api;
    waits->loop = ctn_host_loop(api->host);
    waits->soon = ctn_timer_new(waits->loop, on_soon, waits);
    waits->others = ctn_timer_new(waits->loop, look_at_others, waits);
    api->waits = waits;
    ctn_host_listen(api->host, on_event, waits);
}

void ctn_api_waits_drain(ctn_api *api)
{
    struct ctn_api_waits *waits = api->waits;
    waits->is_closed = true;
    for (size_t i = 0; i < BUCKETS; i++)
        while (waits->standing[i])
            finish(waits->standing[i]);
}

static void let_go(wait *w)
{
    if (w->call)
        ctn_web_when_gone(w->call->request, NULL, NULL);
    w->call = NULL;
}

void ctn_api_waits_close(ctn_api *api)
{
    struct ctn_api_waits *waits = api->waits;
    waits->is_closed = true;
    ctn_host_unlisten(api->host, waits);
    for (wait *w = waits->filed; w; w = w->next)
        let_go(w);
    for (size_t i = 0; i < BUCKETS; i++)
        while (waits->standing[i])
            drop(waits->standing[i]);
}

void ctn_api_waits_free(ctn_api *api)
{
    struct ctn_api_waits *waits = api->waits;
    while (waits->filed)
        drop(waits->filed);
    ctn_timer_free(waits->soon);
    ctn_timer_free(waits->others);
    free(waits);
}
