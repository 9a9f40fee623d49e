/*
 * post.c -- see post.h.
 *
 * A POST is a channel of the endpoint's. Its answer is JSON unless a stream was begun: by what the endpoint sends
 * before the answer, by time, or because the client takes nothing else.
 */
#include "server/mcp/post.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

#define STREAM_AFTER_MS 10000
#define KEEP_ALIVE_MS   15000
#define TICK_MS         1000
#define MCP_PATH        "/mcp"
#define METADATA_PATH   "/.well-known/oauth-protected-resource"

typedef struct post {
    ctn_web_mcp *mcp;
    ctn_web_request *request;
    ctn_mcp_channel channel;
    bool is_stream, wants_stream;
    int64_t said_at_ms; /* the last byte, or when it came */
    struct post *prev, *next;
} post;

struct ctn_web_mcp {
    ctn_web_mcp_options of;
    ctn_timer *timer; /* while a POST is open */
    post *posts;
    char url[128];
};

/* ---- small answers ---- */

static void answer_json(ctn_web_request *r, int status, ctn_web_header extra, ctn_str body)
{
    const ctn_web_header headers[] = {
        {CTN_STR("Content-Type"), CTN_STR("application/json")}, {CTN_STR("Cache-Control"), CTN_STR("no-store")}, extra};
    ctn_web_answer(r, status, headers, extra.name.len ? 3 : 2, body);
}

/* What is wrong before a message is looked at: it has no id to repeat. */
static void refuse(ctn_web_request *r, int status, ctn_web_header extra, const char *sentence)
{
    ctn_json_builder error = ctn_json_object(ctn_web_arena(r)), body = ctn_json_object(ctn_web_arena(r));
    ctn_json_put_int(&error, "code", CTN_RPC_INVALID_REQUEST);
    ctn_json_put_str(&error, "message", ctn_str_from(sentence));
    ctn_json_put_str(&body, "jsonrpc", CTN_STR("2.0"));
    ctn_json_put(&body, CTN_STR("error"), ctn_json_finish(&error));
    answer_json(r, status, extra, ctn_json_to_str(ctn_web_arena(r), ctn_json_finish(&body)));
}

static const ctn_web_header NONE;

/* ---- a post ---- */

static void forget(post *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        p->mcp->posts = p->next;
    if (p->next)
        p->next->prev = p->prev;
    if (!p->mcp->posts)
        ctn_timer_clear(p->mcp->timer);
}

static void on_gone(void *ctx)
{
    post *p = ctx;
    forget(p);
    ctn_mcp_endpoint_channel_gone(p->mcp->of.endpoint, &p->channel);
}

static void begin_stream(post *p)
{
    static const ctn_web_header headers[] = {{{"Content-Type", 12}, {"text/event-stream", 17}},
                                             {{"Cache-Control", 13}, {"no-cache, no-transform", 22}},
                                             {{"X-Accel-Buffering", 17}, {"no", 2}}};
    p->is_stream = true;
    ctn_web_stream(p->request, 200, headers, sizeof headers / sizeof *headers);
}

static void say(post *p, ctn_str bytes)
{
    p->said_at_ms = ctn_loop_now_ms(p->mcp->of.loop);
    (void) ctn_web_send(p->request, bytes); /* who does not read is gone soon */
}

static void send_event(ctn_mcp_channel *channel, ctn_str message)
{
    post *p = channel->ctx;
    if (!p->is_stream)
        begin_stream(p);
    say(p, CTN_STR("event: message\ndata: "));
    say(p, message);
    say(p, CTN_STR("\n\n"));
}

static void answer_post(ctn_mcp_channel *channel, int status, ctn_str message)
{
    post *p = channel->ctx;
    forget(p);
    if (p->is_stream || (p->wants_stream && message.len && status == 200)) {
        send_event(channel, message);
        ctn_web_end(p->request);
    } else if (message.len)
        answer_json(p->request, status, NONE, message);
    else
        ctn_web_answer(p->request, status, NULL, 0, message);
}

static void tick(void *ctx)
{
    ctn_web_mcp *mcp = ctx;
    int64_t now_ms = ctn_loop_now_ms(mcp->of.loop);
    for (post *p = mcp->posts; p; p = p->next) {
        int64_t silent_ms = now_ms - p->said_at_ms;
        if (!p->is_stream && !p->channel.is_answer_only && silent_ms >= mcp->of.stream_after_ms)
            begin_stream(p);
        else if (!p->is_stream || silent_ms < mcp->of.keep_alive_ms)
            continue;
        say(p, CTN_STR(": still here\n\n"));
    }
    ctn_timer_set(mcp->timer, now_ms + TICK_MS);
}

/* ---- what came ---- */

static bool lists_type(ctn_str accept, const char *type)
{
    while (accept.ptr) {
        ctn_str item = ctn_str_cut(&accept, ',');
        item = ctn_str_trim(ctn_str_cut(&item, ';'));
        if (ctn_str_equal_any_case(item, ctn_str_from(type)))
            return true;
    }
    return false;
}

static void read_mirrored(ctn_web_request *r, ctn_mcp_headers *headers)
{
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_mcp_header *params = CTN_NEW_ARRAY(ctn_web_arena(r), ctn_mcp_header, ask->header_count);
    const ctn_str prefix = CTN_STR("mcp-param-");
    *headers = (ctn_mcp_headers){.protocol_version =
                                     ctn_web_header_of(ask->headers, ask->header_count, "mcp-protocol-version"),
                                 .method = ctn_web_header_of(ask->headers, ask->header_count, "mcp-method"),
                                 .name = ctn_web_header_of(ask->headers, ask->header_count, "mcp-name"),
                                 .params = params};
    if (headers->protocol_version.ptr)
        headers->protocol_version = ctn_str_trim(headers->protocol_version);
    for (size_t i = 0; i < ask->header_count; i++) {
        const ctn_web_header *h = &ask->headers[i];
        if (h->name.len > prefix.len && ctn_str_equal_any_case((ctn_str){h->name.ptr, prefix.len}, prefix))
            params[headers->param_count++] = (ctn_mcp_header){h->name, h->value};
    }
}

static void take_post(ctn_web_mcp *mcp, ctn_web_request *r, ctn_str principal)
{
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_str type = ctn_web_header_of(ask->headers, ask->header_count, "content-type");
    ctn_str accept = ctn_web_header_of(ask->headers, ask->header_count, "accept");
    bool takes_any = !accept.ptr || lists_type(accept, "*/*");
    bool takes_json = takes_any || lists_type(accept, "application/json") || lists_type(accept, "application/*");
    bool takes_stream = lists_type(accept, "text/event-stream") || lists_type(accept, "text/*");
    if (!ctn_str_equal_any_case(ctn_str_trim(ctn_str_cut(&type, ';')), CTN_STR("application/json"))) {
        refuse(r, 415, NONE, "a message is application/json");
        return;
    }
    if (!takes_json && !takes_stream) {
        refuse(r, 406, NONE, "answers are application/json and text/event-stream: Accept both");
        return;
    }
    post *p = CTN_NEW(ctn_web_arena(r), post);
    *p = (post){.mcp = mcp,
                .request = r,
                .channel = {.ctx = p,
                            .principal = principal,
                            .rights = ctn_web_caller(r),
                            .is_http = true,
                            .is_answer_only = !takes_stream,
                            .send = send_event,
                            .answer = answer_post},
                .wants_stream = !takes_json,
                .said_at_ms = ctn_loop_now_ms(mcp->of.loop),
                .next = mcp->posts};
    if (p->next)
        p->next->prev = p;
    else
        ctn_timer_set(mcp->timer, p->said_at_ms + TICK_MS);
    mcp->posts = p;
    ctn_web_when_gone(r, on_gone, p);
    ctn_mcp_headers headers;
    read_mirrored(r, &headers);
    ctn_mcp_endpoint_take(mcp->of.endpoint, &p->channel, ask->body, &headers);
}

/* ---- authorization ---- */

static ctn_str resource_of(const ctn_web_mcp *mcp)
{
    return mcp->of.config->resource.len ? mcp->of.config->resource : ctn_str_from(mcp->url);
}

static ctn_str metadata_url(const ctn_web_mcp *mcp, ctn_arena *arena)
{
    ctn_str resource = resource_of(mcp);
    size_t scheme = ctn_str_find(resource, CTN_STR("://")) + 3;
    ctn_str rest = ctn_str_from_offset(resource, scheme);
    size_t slash = ctn_str_find(rest, CTN_STR("/"));
    size_t origin = slash == SIZE_MAX ? resource.len : scheme + slash;
    ctn_str path = ctn_str_from_offset(resource, origin);
    if (ctn_str_is(path, "/"))
        path.len = 0;
    return ctn_arena_printf(arena, "%.*s" METADATA_PATH "%.*s", (int) origin, resource.ptr, CTN_STR_ARG(path));
}

static ctn_web_header challenge(const ctn_web_mcp *mcp, ctn_arena *arena)
{
    ctn_str said = CTN_STR("Bearer");
    if (mcp->of.config->issuer_count)
        said = ctn_arena_printf(arena, "Bearer resource_metadata=\"%.*s\"", CTN_STR_ARG(metadata_url(mcp, arena)));
    return (ctn_web_header){CTN_STR("WWW-Authenticate"), said};
}

/* The front's refusals, in the shape that clients of MCP read. */
static void refuse_as_rpc(void *ctx, ctn_web_request *r, const ctn_refusal *refusal)
{
    refuse(r, refusal->status, refusal->status == 401 ? challenge(ctx, ctn_web_arena(r)) : refusal->extra,
           refusal->sentence);
}

static bool is_metadata(const ctn_web_mcp *mcp, ctn_web_request *r)
{
    ctn_str path = ctn_web_ask_of(r)->path;
    return ctn_str_is(path, METADATA_PATH) || ctn_str_ends_with(metadata_url(mcp, ctn_web_arena(r)), path);
}

static void answer_metadata(const ctn_web_mcp *mcp, ctn_web_request *r)
{
    ctn_arena *arena = ctn_web_arena(r);
    ctn_json_builder doc = ctn_json_object(arena), issuers = ctn_json_array(arena), methods = ctn_json_array(arena);
    for (size_t i = 0; i < mcp->of.config->issuer_count; i++)
        ctn_json_push(&issuers, ctn_json_string(arena, mcp->of.config->issuers[i]));
    ctn_json_push(&methods, ctn_json_string(arena, CTN_STR("header")));
    ctn_json_put_str(&doc, "resource", resource_of(mcp));
    ctn_json_put(&doc, CTN_STR("authorization_servers"), ctn_json_finish(&issuers));
    ctn_json_put(&doc, CTN_STR("bearer_methods_supported"), ctn_json_finish(&methods));
    answer_json(r, 200, NONE, ctn_json_to_str(arena, ctn_json_finish(&doc)));
}

static bool admit_metadata(void *ctx, ctn_web_request *r)
{
    bool is_there = is_metadata(ctx, r), is_get = ctn_str_is(ctn_web_ask_of(r)->method, "GET");
    if (is_there && is_get)
        answer_metadata(ctx, r);
    else
        ctn_front_problem(r,
                          &(ctn_refusal){is_there ? 405 : 404,
                                         is_there ? "it can be read only" : "there is nothing here",
                                         {{0}, {0}}},
                          NULL);
    return false;
}

static bool admit(void *ctx, ctn_web_request *r)
{
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    (void) ctx;
    if (!ctn_str_is(ask->path, MCP_PATH))
        refuse(r, 404, NONE, "there is nothing here; MCP is at " MCP_PATH);
    else if (!ctn_str_is(ask->method, "POST"))
        refuse(r, 405, (ctn_web_header){CTN_STR("Allow"), CTN_STR("POST")},
               "messages are POSTed; there are no sessions, and no stream of their own");
    else
        return true;
    return false;
}

static void take(void *ctx, ctn_web_request *r)
{
    take_post(ctx, r, ctn_web_caller(r)->name);
}

/* ---- life ---- */

ctn_web_mcp *ctn_web_mcp_open(const ctn_web_mcp_options *options)
{
    ctn_web_mcp *mcp = ctn_malloc(sizeof *mcp);
    *mcp = (ctn_web_mcp){.of = *options};
    if (!mcp->of.stream_after_ms)
        mcp->of.stream_after_ms = STREAM_AFTER_MS;
    if (!mcp->of.keep_alive_ms)
        mcp->of.keep_alive_ms = KEEP_ALIVE_MS;
    mcp->timer = ctn_timer_new(options->loop, tick, mcp);
    (void) snprintf(mcp->url, sizeof mcp->url, "%s" MCP_PATH, ctn_front_url(options->front));
    ctn_site site = {.path = MCP_PATH, .via = "mcp", .admit = admit, .take = take, .refuse = refuse_as_rpc, .ctx = mcp};
    ctn_front_add(options->front, &site);
    if (options->config->issuer_count) {
        site = (ctn_site){
            .path = METADATA_PATH, .via = "mcp", .is_open = true, .admit = admit_metadata, .take = take, .ctx = mcp};
        ctn_front_add(options->front, &site);
    }
    return mcp;
}

void ctn_web_mcp_close(ctn_web_mcp *mcp)
{
    if (!mcp)
        return;
    while (mcp->posts) {
        post *p = mcp->posts;
        ctn_web_when_gone(p->request, NULL, NULL);
        on_gone(p);
    }
    ctn_timer_free(mcp->timer);
    free(mcp);
}

const char *ctn_web_mcp_url(const ctn_web_mcp *mcp)
{
    return mcp->url;
}
