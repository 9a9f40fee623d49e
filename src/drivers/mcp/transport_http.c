/*
 * transport_http.c -- Streamable HTTP: each message is a POST, its answer belongs to that POST.
 *
 * Two eras on one wire. A modern server is told everything by each request: headers repeat what the body says, and a
 * stream that is closed is a call that is cancelled. A legacy one may keep a session (its id goes with every request; a
 * 404 says that it is gone), may end a stream before the answer and be asked for the rest (`id`, `retry`, a GET with
 * Last-Event-ID), and may speak by itself on a stream of its own, which is opened after the handshake and done without
 * if the server does not offer it.
 *
 * What must hold: (1) a POST goes out once, and again only when a status says that it was not taken: 401 with headers
 * that have changed since, 401 and 403 with another token; (2) a request that leaves is told once: a message, a loss,
 * or too large; (3) nothing of a session goes into the next; (4) nothing overtakes the end of a handshake.
 *
 * Of a lost session every request of it that is refused is told as untaken; those that run on are not touched, their
 * streams tell of them.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "drivers/mcp/http_fetch.h"
#include "drivers/mcp/http_headers.h"
#include "drivers/mcp/leave.h"
#include "drivers/token_map.h"
#include "wire/mcp.h"

#define SESSION_BYTES_MAX   1024
#define RESUME_AFTER_MS     1000 /* when the server names no time */
#define RESUME_AFTER_MAX_MS 60000
#define INTRODUCTION_MS     3000 /* who does not answer it is spoken to all the same */
#define RESUME_TRIES_MAX    8    /* in a row, without an event */
#define LISTENED_LONG_MS    30000
#define REDIRECTS_MAX       3
#define ACCEPT_BOTH         "application/json, text/event-stream"

typedef struct http_transport http_transport;

/* A message on its way, until nothing more is awaited of it. */
typedef struct post {
    struct post *next, *previous;
    http_transport *transport;
    ctn_arena *arena;      /* what it says, for it may be said again */
    ctn_mcp_letter letter; /* in the arena */
    ctn_mcp_fetch *fetch;
    ctn_timer *timer;    /* it rests before it is asked for the rest of its stream */
    ctn_mcp_leave leave; /* its token */
    uint64_t session;    /* that it was sent in; 0: none */
    char event_id[CTN_MCP_EVENT_ID_BYTES_MAX + 1];
    bool is_get;        /* a stream that is opened, or asked for again */
    bool is_listener;   /* ... for what the server says by itself */
    bool is_held;       /* until the introduction is over */
    bool has_reread;    /* the configured headers, after a 401 */
    uint64_t sent_with; /* which of them: own.changes */
    unsigned idle_tries;
    int64_t retry_after_ms, sent_at_ms;
} post;

struct http_transport {
    ctn_mcp_transport base;
    ctn_mcp_http_options options;
    ctn_arena *arena;
    ctn_str url;
    ctn_mcp_own_headers own;
    char version[16];
    bool is_modern;
    char session[SESSION_BYTES_MAX + 1]; /* "": none */
    uint64_t session_number;             /* of the last one, from 1 */
    post *posts;
    ctn_token_map by_id;
    post *introduction; /* the `initialized` of a handshake: some servers take no request before they have it */
    ctn_task introduced;
    ctn_mcp_fetch *farewell; /* the DELETE */
    ctn_timer *end_timer;
};

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404,
};

/* ---- posts ---- */

static const char *keep_text(ctn_arena *arena, const char *text)
{
    return text ? ctn_arena_str(arena, ctn_str_from(text)).ptr : NULL;
}

static void send_post(post *p);
static void on_leave(void *ctx);
static void on_denied(void *ctx, int code, const char *why);

static post *new_post(http_transport *t, const ctn_mcp_letter *letter)
{
    post *p = ctn_malloc(sizeof *p);
    *p = (post){.transport = t, .arena = ctn_arena_new(1024), .next = t->posts};
    ctn_mcp_header *headers = CTN_NEW_ARRAY(p->arena, ctn_mcp_header, letter->header_count);
    for (size_t i = 0; i < letter->header_count; i++)
        headers[i] = (ctn_mcp_header){ctn_arena_str(p->arena, letter->headers[i].name),
                                      ctn_arena_str(p->arena, letter->headers[i].value)};
    p->letter = (ctn_mcp_letter){.line = ctn_arena_str(p->arena, ctn_str_trim(letter->line)),
                                 .id = letter->id,
                                 .method = keep_text(p->arena, letter->method),
                                 .name = letter->name.ptr ? ctn_arena_str(p->arena, letter->name) : (ctn_str){0},
                                 .headers = headers,
                                 .header_count = letter->header_count};
    p->leave = (ctn_mcp_leave){.auth = t->options.auth,
                               .loop = t->options.loop,
                               .arena = p->arena,
                               .events = {.given = on_leave, .denied = on_denied, .ctx = p}};
    if (t->posts)
        t->posts->previous = p;
    t->posts = p;
    if (p->letter.id)
        ctn_token_map_put(&t->by_id, (uint64_t) p->letter.id, p);
    return p;
}

static void free_post(post *p)
{
    http_transport *t = p->transport;
    if (p->previous)
        p->previous->next = p->next;
    else
        t->posts = p->next;
    if (p->next)
        p->next->previous = p->previous;
    if (p->letter.id)
        (void) ctn_token_map_take(&t->by_id, (uint64_t) p->letter.id);
    if (t->introduction == p) {
        t->introduction = NULL;
        ctn_task_file(t->options.loop, &t->introduced);
    }
    ctn_mcp_fetch_cancel(p->fetch);
    ctn_mcp_leave_done(&p->leave);
    ctn_timer_free(p->timer);
    ctn_arena_free(p->arena);
    free(p);
}

/* ---- sending ---- */

static bool is_method(const post *p, const char *method)
{
    return p->letter.method && strcmp(p->letter.method, method) == 0;
}

static void add_modern(const post *p, ctn_mcp_header_list *list)
{
    const ctn_mcp_letter *letter = &p->letter;
    ctn_mcp_header_add(list, CTN_MCP_HEADER_VERSION, ctn_str_from(p->transport->version));
    if (letter->method)
        ctn_mcp_header_add(list, CTN_MCP_HEADER_METHOD, ctn_str_from(letter->method));
    if (letter->name.ptr)
        ctn_mcp_header_add(list, CTN_MCP_HEADER_NAME, ctn_mcp_header_write(p->arena, letter->name));
    for (size_t i = 0; i < letter->header_count && i < CTN_MCP_PARAMS_MAX; i++)
        list->items[list->count++] =
            (ctn_http_header){.name = letter->headers[i].name, .value = letter->headers[i].value};
}

static void add_legacy(const post *p, ctn_mcp_header_list *list)
{
    const http_transport *t = p->transport;
    if (is_method(p, "initialize"))
        return; /* neither has been agreed upon */
    if (ctn_str_compare(ctn_str_from(t->version), CTN_STR("2025-06-18")) >= 0)
        ctn_mcp_header_add(list, CTN_MCP_HEADER_VERSION, ctn_str_from(t->version));
    if (t->session[0])
        ctn_mcp_header_add(list, CTN_MCP_HEADER_SESSION, ctn_str_from(t->session));
}

static ctn_http_request request_of(const http_transport *t, const char *method, const ctn_mcp_header_list *list)
{
    return (ctn_http_request){.method = method,
                              .url = t->url,
                              .headers = list->items,
                              .header_count = list->count,
                              .policy = t->options.policy,
                              .redirects_max = REDIRECTS_MAX};
}

static void on_head(void *ctx, const ctn_http_head *head);
static bool on_message(void *ctx, ctn_str text);
static void on_ended(void *ctx, const ctn_mcp_fetch_end *end);

static void on_leave(void *ctx)
{
    post *p = ctx;
    http_transport *t = p->transport;
    ctn_mcp_header_list list = {.count = 0};
    ctn_mcp_header_add(&list, "Accept", p->is_get ? CTN_STR("text/event-stream") : CTN_STR(ACCEPT_BOTH));
    if (!p->is_get)
        ctn_mcp_header_add(&list, "Content-Type", CTN_STR("application/json"));
    if (t->is_modern)
        add_modern(p, &list);
    else
        add_legacy(p, &list);
    if (p->event_id[0])
        ctn_mcp_header_add(&list, "Last-Event-ID", ctn_str_from(p->event_id));
    ctn_mcp_header_add_own(&list, &t->own);
    ctn_mcp_leave_add(&p->leave, &list);
    p->session = t->session[0] ? t->session_number : 0;
    p->sent_with = t->own.changes;
    ctn_mcp_fetch_options options = {
        .loop = t->options.loop,
        .http = t->options.http,
        .request = request_of(t, p->is_get ? "GET" : "POST", &list),
        .message_bytes_max = t->options.message_bytes_max,
        .events = {.head = on_head, .message = on_message, .ended = on_ended, .ctx = p},
    };
    if (!p->is_get)
        options.request.body = p->letter.line;
    if (p == t->introduction)
        options.request.timeout_ms = INTRODUCTION_MS;
    p->sent_at_ms = ctn_loop_now_ms(t->options.loop);
    p->fetch = ctn_mcp_fetch_send(&options);
}

/* With a token, if one is to be had. Two POSTs may overtake each other, and nothing may overtake the introduction. */
static void send_post(post *p)
{
    const http_transport *t = p->transport;
    p->is_held = t->introduction && p != t->introduction;
    if (!p->is_held)
        ctn_mcp_leave_ask(&p->leave);
}

static void on_introduced(void *ctx)
{
    http_transport *t = ctx;
    post *p = t->posts;
    while (p && p->next)
        p = p->next;
    for (; p; p = p->previous) /* the oldest first */
        if (p->is_held)
            send_post(p);
}

/* No token: nothing was executed, whether the server said so or was not asked. */
static void on_denied(void *ctx, int code, const char *why)
{
    post *p = ctx;
    const http_transport *t = p->transport;
    char said[600];
    (void) snprintf(said, sizeof said, "%s", why);
    /* Who gives tokens is out of order: the same call may be tried later, and a refusal is no answer to be lost. */
    bool is_passing = code == CTN_E_IO || code == CTN_E_TIMEOUT;
    ctn_mcp_loss loss = {
        .why = said, .was_sent = !is_passing && p->leave.refusals > 0, .status = is_passing ? 0 : HTTP_UNAUTHORIZED};
    int64_t id = p->letter.id;
    free_post(p);
    if (id)
        t->base.events.lost(t->base.events.ctx, id, &loss);
}

static void on_rested(void *ctx)
{
    post *p = ctx;
    const http_transport *t = p->transport;
    int64_t id = p->letter.id;
    if (p->session == (t->session[0] ? t->session_number : 0)) {
        send_post(p);
        return;
    }
    free_post(p); /* what a stream of the last session still had is gone with it */
    ctn_mcp_loss loss = {.why = "its session ended before the rest of its stream came", .was_sent = true};
    if (id)
        t->base.events.lost(t->base.events.ctx, id, &loss);
}

/* Asks for the (rest of the) stream, later. */
static void rest_then_get(post *p, int64_t span_ms)
{
    p->is_get = true;
    if (!p->timer)
        p->timer = ctn_timer_new(p->transport->options.loop, on_rested, p);
    if (span_ms > RESUME_AFTER_MAX_MS)
        span_ms = RESUME_AFTER_MAX_MS;
    ctn_timer_set(p->timer, ctn_loop_now_ms(p->transport->options.loop) + span_ms);
}

static void open_listener(http_transport *t)
{
    post *p = new_post(t, &(ctn_mcp_letter){0});
    p->is_listener = true;
    p->is_get = true;
    send_post(p);
}

/* ---- sessions ---- */

static void begin_session(http_transport *t, ctn_str id)
{
    bool is_usable = id.len > 0 && id.len <= SESSION_BYTES_MAX;
    for (size_t i = 0; is_usable && i < id.len; i++)
        is_usable = id.ptr[i] > 0x20 && id.ptr[i] < 0x7f;
    t->session[0] = '\0';
    if (!is_usable)
        return;
    memcpy(t->session, id.ptr, id.len);
    t->session[id.len] = '\0';
    t->session_number++;
}

static void free_posts(http_transport *t)
{
    for (post *p = t->posts, *next; p; p = next) {
        next = p->next;
        free_post(p);
    }
}

static void close_listeners(http_transport *t)
{
    for (post *p = t->posts, *next; p; p = next) {
        next = p->next;
        if (p->is_listener)
            free_post(p);
    }
}

/* [seen] server-everything answers 400 and says "No valid session ID provided". */
static bool says_session_is_gone(const post *p, const ctn_mcp_fetch_end *end)
{
    return p->session && (end->status == HTTP_NOT_FOUND ||
                          (end->status == HTTP_BAD_REQUEST && ctn_str_find(end->body, CTN_STR("ession")) != SIZE_MAX));
}

/* The first that hears of it tells it; what is refused after that belongs to the past. */
static void session_is_gone(post *p, int status)
{
    http_transport *t = p->transport;
    bool is_news = t->session[0] && p->session == t->session_number;
    bool was_taken = p->is_get; /* its first POST was; this was to ask for the rest */
    int64_t id = p->letter.id;
    free_post(p);
    if (is_news) {
        t->session[0] = '\0';
        close_listeners(t);
        t->base.events.session_gone(t->base.events.ctx);
    }
    ctn_mcp_loss loss = {.why = "the server knows our session no more",
                         .was_sent = true,
                         .is_untaken = !was_taken,
                         .status = was_taken ? 0 : status};
    if (id)
        t->base.events.lost(t->base.events.ctx, id, &loss);
}

/* ---- what comes ---- */

static void on_head(void *ctx, const ctn_http_head *head)
{
    post *p = ctx;
    int64_t seconds;
    ctn_mcp_leave_read(&p->leave, head);
    if (head->status / 100 == 2 && is_method(p, "initialize") && !p->transport->is_modern)
        begin_session(p->transport, ctn_http_header_of(head, CTN_MCP_HEADER_SESSION));
    if (ctn_str_to_int64(ctn_http_header_of(head, "Retry-After"), &seconds) && seconds > 0 && seconds <= 86400)
        p->retry_after_ms = seconds * 1000;
}

static bool on_message(void *ctx, ctn_str text)
{
    post *p = ctx;
    const http_transport *t = p->transport;
    p->idle_tries = 0;
    return t->base.events.message(t->base.events.ctx,
                                  &(ctn_mcp_arrival){.text = text, .of = p->letter.id, .status = 200});
}

/* What a server that may keep its streams says by itself: nothing is lost with it. */
static void listener_ended(post *p, const ctn_mcp_fetch_end *end)
{
    if (ctn_loop_now_ms(p->transport->options.loop) - p->sent_at_ms >= LISTENED_LONG_MS)
        p->idle_tries = 0; /* somebody closes streams that are idle */
    if (!end->is_stream || ++p->idle_tries > RESUME_TRIES_MAX) {
        free_post(p); /* it offers none */
        return;
    }
    (void) snprintf(p->event_id, sizeof p->event_id, "%.*s", CTN_STR_ARG(end->event_id));
    int64_t rest_ms = end->retry_ms >= 0 ? end->retry_ms : RESUME_AFTER_MS;
    if (rest_ms > RESUME_AFTER_MAX_MS)
        rest_ms = RESUME_AFTER_MAX_MS;
    rest_then_get(p, rest_ms << (p->idle_tries - 1)); /* longer each time that nothing came */
}

/* A legacy stream that ended early, and named a point to go on from. */
static bool resumes(post *p, const ctn_mcp_fetch_end *end)
{
    const http_transport *t = p->transport;
    if (t->is_modern || !p->letter.id || end->code == CTN_E_LIMIT)
        return false;
    if (end->is_stream && end->event_id.len && !ctn_str_is(end->event_id, p->event_id)) {
        (void) snprintf(p->event_id, sizeof p->event_id, "%.*s", CTN_STR_ARG(end->event_id));
        p->idle_tries = 0;
    }
    bool may_be = p->event_id[0] && (end->is_stream || (p->is_get && !end->status));
    if (!may_be || ++p->idle_tries > RESUME_TRIES_MAX)
        return false;
    rest_then_get(p, end->retry_ms >= 0 ? end->retry_ms : RESUME_AFTER_MS);
    return true;
}

/* True: it is sent again, with headers that have changed since it went out: another that was refused may have read
 * them. */
static bool is_sent_again(post *p, const ctn_mcp_fetch_end *end)
{
    http_transport *t = p->transport;
    if (end->status != HTTP_UNAUTHORIZED || p->has_reread)
        return false;
    p->has_reread = true;
    if (ctn_mcp_own_headers_read(&t->own, &t->options.headers, NULL) || t->own.changes == p->sent_with)
        return false;
    send_post(p);
    return true;
}

/* A refusal may say why, as a message; it answers the request whatever id it names. Otherwise it is lost. */
static void end_without_answer(post *p, const ctn_mcp_fetch_end *end)
{
    const http_transport *t = p->transport;
    char why[400];
    if (end->code)
        (void) snprintf(why, sizeof why, "%s", end->why);
    else if (end->status / 100 != 2)
        (void) snprintf(why, sizeof why, "the server answers HTTP %d%s", end->status,
                        ctn_mcp_status_advice(end->status));
    else if (end->is_stream)
        (void) snprintf(why, sizeof why, "the stream ended before the answer");
    else if (end->type.len && !ctn_str_is(end->type, "application/json"))
        (void) snprintf(why, sizeof why, "the server answers with %.*s, which is no MCP: is the path right?",
                        CTN_STR_ARG(end->type));
    else
        (void) snprintf(why, sizeof why, "the server answers HTTP %d and nothing that answers it", end->status);
    int64_t id = p->letter.id;
    bool was_taken = p->is_get; /* its first POST was, whatever becomes of the GET for the rest */
    ctn_mcp_loss loss = {.why = why,
                         .was_sent = was_taken || end->was_sent,
                         .status = was_taken ? 0 : end->status,
                         .retry_after_ms = p->retry_after_ms};
    free_post(p); /* first: what is told may end everything */
    if (!id)
        return;
    ctn_str body = was_taken ? (ctn_str){0} : ctn_str_trim(end->body);
    bool is_told =
        body.len && body.ptr[0] == '{' &&
        t->base.events.message(t->base.events.ctx, &(ctn_mcp_arrival){.text = body, .of = id, .status = end->status});
    if (!is_told)
        t->base.events.lost(t->base.events.ctx, id, &loss);
}

static void tell_too_large(post *p)
{
    const http_transport *t = p->transport;
    int64_t id = p->letter.id;
    free_post(p);
    t->base.events.too_large(t->base.events.ctx, id, "its answer is larger than is read of one");
}

static void on_ended(void *ctx, const ctn_mcp_fetch_end *end)
{
    post *p = ctx;
    p->fetch = NULL;
    if (end->has_message)
        free_post(p);
    else if (end->code == CTN_OK && (is_sent_again(p, end) || ctn_mcp_leave_refused(&p->leave, end->status)))
        return;
    else if (p->is_listener)
        listener_ended(p, end);
    else if (says_session_is_gone(p, end))
        session_is_gone(p, end->status);
    else if (resumes(p, end))
        return;
    else if (end->code == CTN_E_LIMIT && p->letter.id)
        tell_too_large(p);
    else
        end_without_answer(p, end);
}

/* ---- the interface ---- */

static bool send_letter(ctn_mcp_transport *base, const ctn_mcp_letter *letter)
{
    http_transport *t = (http_transport *) base;
    post *p = new_post(t, letter);
    if (is_method(p, "initialize")) {
        close_listeners(t);
        t->session[0] = '\0';
    }
    bool is_introduction = is_method(p, "notifications/initialized");
    if (is_introduction)
        t->introduction = p;
    send_post(p);
    if (is_introduction)
        open_listener(t);
    return true;
}

static void give_up(ctn_mcp_transport *base, int64_t id)
{
    http_transport *t = (http_transport *) base;
    post *p = ctn_token_map_get(&t->by_id, (uint64_t) id);
    if (p)
        free_post(p);
}

static void speak(ctn_mcp_transport *base, ctn_str version)
{
    http_transport *t = (http_transport *) base;
    (void) snprintf(t->version, sizeof t->version, "%.*s", CTN_STR_ARG(version));
    t->is_modern = ctn_mcp_is_modern(version);
}

static void tell_ended(void *ctx)
{
    http_transport *t = ctx;
    ctn_mcp_fetch_cancel(t->farewell);
    t->farewell = NULL;
    ctn_timer_clear(t->end_timer);
    t->base.events.ended(t->base.events.ctx, "it was ended", false);
}

static bool on_farewell_message(void *ctx, ctn_str text)
{
    (void) ctx, (void) text;
    return false;
}

static void on_farewell(void *ctx, const ctn_mcp_fetch_end *end)
{
    (void) end;
    http_transport *t = ctx;
    t->farewell = NULL;
    ctn_timer_set(t->end_timer, 0); /* not from inside the fetch, which its owner may end with */
}

static void end(ctn_mcp_transport *base)
{
    http_transport *t = (http_transport *) base;
    int64_t now = ctn_loop_now_ms(t->options.loop);
    free_posts(t);
    ctn_timer_set(t->end_timer, t->session[0] ? now + t->options.end_grace_ms : 0);
    if (!t->session[0] || t->farewell)
        return;
    ctn_mcp_header_list list = {.count = 0};
    post said = {.transport = t};
    add_legacy(&said, &list);
    ctn_mcp_header_add_own(&list, &t->own);
    said.leave = (ctn_mcp_leave){.arena = t->arena, .token = ctn_auth_current(t->options.auth)};
    ctn_mcp_leave_add(&said.leave, &list);
    ctn_mcp_fetch_options options = {
        .loop = t->options.loop,
        .http = t->options.http,
        .request = request_of(t, "DELETE", &list),
        .message_bytes_max = CTN_MCP_REFUSAL_BYTES_MAX,
        .events = {.message = on_farewell_message, .ended = on_farewell, .ctx = t},
    };
    t->farewell = ctn_mcp_fetch_send(&options);
}

static void free_transport(ctn_mcp_transport *base)
{
    http_transport *t = (http_transport *) base;
    free_posts(t);
    ctn_task_cancel(&t->introduced);
    ctn_mcp_fetch_cancel(t->farewell);
    ctn_timer_free(t->end_timer);
    ctn_token_map_done(&t->by_id);
    ctn_mcp_own_headers_done(&t->own);
    ctn_arena_free(t->arena);
    free(t);
}

int ctn_mcp_http_new(const ctn_mcp_http_options *options, ctn_mcp_transport **ret_transport, ctn_err *err)
{
    static const ctn_mcp_transport_kind KIND = {
        .is_http = true,
        .send = send_letter,
        .give_up = give_up,
        .speak = speak,
        .end = end,
        .free = free_transport,
    };
    http_transport *t = ctn_malloc(sizeof *t);
    *t = (http_transport){
        .base = {.kind = &KIND, .events = options->events}, .options = *options, .arena = ctn_arena_new(512)};
    t->url = ctn_arena_str(t->arena, options->url);
    t->end_timer = ctn_timer_new(options->loop, tell_ended, t);
    t->introduced = (ctn_task){.run = on_introduced, .ctx = t};
    int rc = ctn_mcp_own_headers_read(&t->own, &options->headers, err);
    if (rc) {
        free_transport(&t->base);
        return rc;
    }
    *ret_transport = &t->base;
    return CTN_OK;
}
