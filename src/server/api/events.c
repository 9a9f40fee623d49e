/*
 * events.c -- the operations that do not end: the journal as server-sent events, of one execution or of all.
 *
 * A stream is a follower of the feed (server/feed.h) whose room is what its client has not read yet. It answers when
 * there is something to tell, or nothing more to wait for: so that one whose execution has ended can be told that with
 * a 204. What may be told is asked of each entry. Who asks is recognised anew when the stream ends: after an hour, or
 * before anything is told after keys or grants have changed.
 *
 * Streams stand in a list in the order in which they spoke last: who is to be given a sign of life stands first, and
 * the others cost nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "server/api/execution.h"

#define WAITING_BYTES_MAX ((size_t) 64 << 10) /* a client that has not read so much is behind */
#define SILENCE_MS        15000
#define TICK_MS           1000
#define LIFE_MS           3600000
#define RETRY             "retry: 2000\n\n"

typedef struct stream {
    struct ctn_api_streams *streams;
    ctn_web_request *request;
    const ctn_caller *caller;
    ctn_follower *follower;
    ctn_execution_id execution; /* that it ends with; all zero: with none */
    int64_t ended_by;           /* it has ended, and its last entry is at or before this position; 0: it has not */
    int64_t spoke_at_ms, until_ms;
    int64_t rights; /* the version of what was known when he was recognised */
    bool is_begun;
    struct stream *prev, *next;
} stream;

struct ctn_api_streams {
    ctn_api *api;
    ctn_loop *loop;
    ctn_timer *timer;
    stream *first, *last;
    bool is_closed;
};

/* ---- the list ---- */

static void drop(stream *s)
{
    *(s->prev ? &s->prev->next : &s->streams->first) = s->next;
    *(s->next ? &s->next->prev : &s->streams->last) = s->prev;
}

static void append(stream *s)
{
    struct ctn_api_streams *all = s->streams;
    s->spoke_at_ms = ctn_loop_now_ms(all->loop);
    s->prev = all->last;
    s->next = NULL;
    *(s->prev ? &s->prev->next : &all->first) = s;
    all->last = s;
    if (!s->prev)
        ctn_timer_set(all->timer, s->spoke_at_ms + SILENCE_MS);
}

/* ---- speaking ---- */

static void begin(stream *s)
{
    static const ctn_web_header headers[] = {{{"Content-Type", 12}, {"text/event-stream", 17}},
                                             {{"Cache-Control", 13}, {"no-store, no-transform", 22}},
                                             {{"X-Accel-Buffering", 17}, {"no", 2}}};
    if (s->is_begun)
        return;
    s->is_begun = true;
    ctn_web_stream(s->request, 200, headers, sizeof headers / sizeof *headers);
    (void) ctn_web_send(s->request, CTN_STR(RETRY));
}

static void leave(stream *s)
{
    ctn_feed_unfollow(s->follower);
    s->follower = NULL;
    drop(s);
}

/* The request is gone with it. */
static void finish(stream *s)
{
    leave(s);
    ctn_web_when_gone(s->request, NULL, NULL);
    if (s->is_begun)
        ctn_web_end(s->request);
    else
        ctn_web_answer(s->request, 204, NULL, 0, (ctn_str){0});
}

static void on_gone(void *ctx)
{
    leave(ctx);
}

static bool is_over(const stream *s)
{
    return s->ended_by && ctn_feed_position(s->streams->api->feed) >= s->ended_by;
}

/* ---- what the feed says ---- */

static bool may(void *ctx, const ctn_tail_entry *entry, const ctn_json *labels)
{
    const stream *s = ctx;
    ctn_access_object object = {.chain_id = entry->chain_id, .tenant = entry->tenant, .labels = labels};
    return ctn_access_may(s->caller, CTN_ACTION_EXECUTIONS_READ, &object);
}

static bool has_room(void *ctx)
{
    const stream *s = ctx;
    return !s->is_begun || ctn_web_waiting_bytes(s->request) < WAITING_BYTES_MAX;
}

static void lost(void *ctx)
{
    stream *s = ctx;
    begin(s);
    finish(s);
}

static void take(void *ctx, const ctn_feed_event *event)
{
    stream *s = ctx;
    char head[96];
    if (ctn_access_version(s->streams->api->access) != s->rights) {
        lost(s); /* he comes again with his bookmark, if he still may */
        return;
    }
    begin(s);
    int len = snprintf(head, sizeof head, "id: %lld\nevent: %s\ndata: ", (long long) event->entry->position,
                       ctn_entry_kind_name(event->entry->record->kind));
    (void) ctn_web_send(s->request, (ctn_str){head, (size_t) len});
    (void) ctn_web_send(s->request, event->json);
    (void) ctn_web_send(s->request, CTN_STR("\n\n")); /* who does not read is gone soon */
    drop(s);
    append(s);
    if ((event->is_end && ctn_id_equal(event->entry->id, s->execution)) || s->spoke_at_ms > s->until_ms)
        finish(s);
}

static void caught_up(void *ctx)
{
    stream *s = ctx;
    if (is_over(s))
        finish(s);
    else
        begin(s);
}

/* A sign of life, and the bookmark: nothing up to there is for this client. */
static void say_alive(stream *s)
{
    char text[64];
    int len = snprintf(text, sizeof text, "id: %lld\n: still here\n\n", (long long) ctn_follower_position(s->follower));
    begin(s);
    if (ctn_web_waiting_bytes(s->request) < WAITING_BYTES_MAX)
        (void) ctn_web_send(s->request, (ctn_str){text, (size_t) len});
    drop(s);
    append(s);
}

static void tick(void *ctx)
{
    struct ctn_api_streams *all = ctx;
    int64_t now_ms = ctn_loop_now_ms(all->loop);
    while (all->first && all->first->spoke_at_ms + SILENCE_MS <= now_ms) {
        stream *s = all->first;
        if (is_over(s) || now_ms > s->until_ms)
            finish(s);
        else
            say_alive(s);
    }
    if (all->first) { /* several at once: the library looks at all that wait when one of them speaks */
        int64_t due_ms = all->first->spoke_at_ms + SILENCE_MS;
        ctn_timer_set(all->timer, due_ms > now_ms + TICK_MS ? due_ms : now_ms + TICK_MS);
    }
}

/* ---- operations ---- */

uint64_t ctn_api_kinds(const ctn_json *list)
{
    uint64_t kinds = 0;
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_entry_kind kind;
        if (ctn_entry_kind_from_name(ctn_json_text(ctn_json_at(list, i)), &kind)) /* the document has them all */
            kinds |= UINT64_C(1) << kind;
    }
    return kinds;
}

static bool can_stream(ctn_api_call *call)
{
    if (ctn_str_is(ctn_web_ask_of(call->request)->method, "HEAD")) {
        ctn_api_answer_text(call, "text/event-stream", (ctn_str){0});
        return false;
    }
    if (call->api->streams->is_closed) {
        ctn_api_problem(call, 503, (ctn_str){0}, "catena is ending; come again with your bookmark when it is back");
        return false;
    }
    return true;
}

static void follow(ctn_api_call *call, ctn_feed_filter filter, int64_t after, stream one)
{
    struct ctn_api_streams *all = call->api->streams;
    stream *s = CTN_NEW(call->arena, stream);
    filter.kinds = ctn_api_kinds(ctn_json_member_of(call->given, "kind"));
    after = ctn_json_int_or(call->given, "after", after);
    after = ctn_json_int_or(call->given, "Last-Event-ID", after);
    *s = one;
    s->streams = all;
    s->request = call->request;
    s->caller = call->caller;
    s->rights = ctn_access_version(call->access);
    append(s);
    s->until_ms = s->spoke_at_ms + LIFE_MS;
    ctn_web_when_gone(s->request, on_gone, s);
    ctn_follow_options options = {.filter = filter,
                                  .after = after,
                                  .may = may,
                                  .has_room = has_room,
                                  .take = take,
                                  .caught_up = caught_up,
                                  .lost = lost,
                                  .ctx = s};
    s->follower = ctn_feed_follow(call->api->feed, &options);
}

static void follow_execution(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_err err = {0};
    stream one = {0};
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row) || !can_stream(call))
        return;
    bool stays = ctn_json_bool_or(call->given, "follow", false);
    if (!stays && ctn_status_is_final(row.status) &&
        ctn_store_position_last(ctn_host_store(call->host), &one.ended_by, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    if (!stays)
        one.execution = row.id;
    ctn_feed_filter filter = {.with_children = ctn_json_bool_or(call->given, "children", false)};
    filter.execution = row.id;
    follow(call, filter, 0, one);
}

static void follow_all(ctn_api_call *call)
{
    stream none = {0};
    ctn_feed_filter filter = {.chain_id = ctn_api_text(call->given, "chain"),
                              .tenant = ctn_api_text(call->given, "tenant")};
    if (can_stream(call))
        follow(call, filter, -1, none);
}

const ctn_api_operation ctn_api_events[] = {
    {"followExecution", follow_execution},
    {"followAll", follow_all},
    {NULL, NULL},
};

/* ---- life ---- */

static void on_event(void *ctx, const ctn_engine_event *event)
{
    if (event->kind == CTN_EVENT_ENTRY)
        ctn_feed_wake(ctx);
}

int ctn_api_streams_open(ctn_api *api, ctn_err *err)
{
    ctn_loop *loop = ctn_host_loop(api->host);
    int rc = ctn_feed_new(loop, ctn_host_store(api->host), ctn_host_log(api->host, "events"), &api->feed, err);
    if (rc)
        return rc;
    api->streams = ctn_calloc(1, sizeof *api->streams);
    api->streams->api = api;
    api->streams->loop = loop;
    api->streams->timer = ctn_timer_new(loop, tick, api->streams);
    ctn_host_listen(api->host, on_event, api->feed);
    rc = ctn_api_webhooks_open(api, err);
    if (rc)
        ctn_api_streams_close(api);
    return rc;
}

void ctn_api_streams_end(ctn_api *api)
{
    api->streams->is_closed = true;
    while (api->streams->first) {
        begin(api->streams->first);
        finish(api->streams->first);
    }
}

void ctn_api_streams_close(ctn_api *api)
{
    if (!api->streams)
        return;
    ctn_api_streams_end(api);
    ctn_webhooks_close(api->webhooks);
    ctn_host_unlisten(api->host, api->feed);
    ctn_timer_free(api->streams->timer);
    ctn_feed_free(api->feed);
    free(api->streams);
    api->streams = NULL;
    api->feed = NULL;
}
