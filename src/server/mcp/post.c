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
#include "host/access.h"
#include "server/door.h"
#include "server/web.h"

#define STREAM_AFTER_MS 10000
#define KEEP_ALIVE_MS   15000
#define TICK_MS         1000
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
    ctn_web *web;
    ctn_door *door;
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

static void refuse_unknown(const ctn_web_mcp *mcp, ctn_web_request *r)
{
    ctn_arena *arena = ctn_web_arena(r);
    ctn_str challenge = CTN_STR("Bearer");
    if (mcp->of.config->issuer_count)
        challenge = ctn_arena_printf(arena, "Bearer resource_metadata=\"%.*s\"", CTN_STR_ARG(metadata_url(mcp, arena)));
    refuse(r, 401, (ctn_web_header){CTN_STR("WWW-Authenticate"), challenge},
           "a bearer token is needed, and the one that came is none of ours");
}

static bool is_metadata(const ctn_web_mcp *mcp, ctn_web_request *r)
{
    ctn_str path = ctn_web_ask_of(r)->path;
    return mcp->of.config->issuer_count && ctn_str_starts_with(path, CTN_STR(METADATA_PATH)) &&
           (ctn_str_is(path, METADATA_PATH) || ctn_str_ends_with(metadata_url(mcp, ctn_web_arena(r)), path));
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

static const ctn_caller *name_caller(ctn_web_request *r, ctn_str principal)
{
    ctn_caller *caller = CTN_NEW(ctn_web_arena(r), ctn_caller);
    *caller = (ctn_caller){.name = principal, .via = CTN_STR("mcp"), .from = ctn_web_ask_of(r)->from};
    return caller;
}

/* Before a byte of the body is kept. */
static void admit(void *ctx, ctn_web_request *r)
{
    ctn_web_mcp *mcp = ctx;
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_str principal = {0};
    ctn_door_verdict verdict = CTN_DOOR_OPEN;
    const char *foreign = ctn_door_foreign(mcp->door, ask->headers, ask->header_count);
    if (foreign)
        refuse(r, 403, NONE, foreign);
    else if (is_metadata(mcp, r) && ctn_str_is(ask->method, "GET"))
        answer_metadata(mcp, r);
    else if (!ctn_str_is(ask->path, "/mcp"))
        refuse(r, 404, NONE, "there is nothing here; MCP is at /mcp");
    else if ((verdict = ctn_door_who(mcp->door, ask->headers, ask->header_count, ctn_loop_now_ms(mcp->of.loop),
                                     &principal)) == CTN_DOOR_UNKNOWN)
        refuse_unknown(mcp, r);
    else if (verdict == CTN_DOOR_OFTEN)
        refuse(r, 429, (ctn_web_header){CTN_STR("Retry-After"), CTN_STR("1")},
               "too many requests; a second later is fine");
    else if (!ctn_str_is(ask->method, "POST"))
        refuse(r, 405, (ctn_web_header){CTN_STR("Allow"), CTN_STR("POST")},
               "messages are POSTed; there are no sessions, and no stream of their own");
    else
        ctn_web_set_caller(r, name_caller(r, principal));
}

static void take(void *ctx, ctn_web_request *r)
{
    take_post(ctx, r, ctn_web_caller(r)->name);
}

/* ---- life ---- */

int ctn_web_mcp_open(const ctn_web_mcp_options *options, ctn_web_mcp **ret_mcp, ctn_err *err)
{
    bool is_loopback;
    int rc = ctn_web_check_address(options->address, &is_loopback, err);
    if (rc)
        return rc;
    if (!options->config->token_count && !is_loopback)
        return ctn_fail(err, CTN_E_DENIED,
                        "without tokens only this machine may call: listen on 127.0.0.1:PORT, or say who may come in "
                        "(http: tokens)");
    ctn_web_mcp *mcp = ctn_malloc(sizeof *mcp);
    *mcp = (ctn_web_mcp){.of = *options};
    if (!mcp->of.stream_after_ms)
        mcp->of.stream_after_ms = STREAM_AFTER_MS;
    if (!mcp->of.keep_alive_ms)
        mcp->of.keep_alive_ms = KEEP_ALIVE_MS;
    mcp->timer = ctn_timer_new(options->loop, tick, mcp);
    ctn_web_options web = {.loop = options->loop,
                           .admit = admit,
                           .take = take,
                           .ctx = mcp,
                           .connections_max =
                               options->connections_max ? options->connections_max : options->config->connections,
                           .tls_cert_file = options->config->tls_cert_file,
                           .tls_key_file = options->config->tls_key_file,
                           .body_bytes_max = options->config->body_bytes,
                           .arrive_ms = options->arrive_ms,
                           .idle_ms = options->idle_ms};
    rc = ctn_web_open(&web, options->address, &mcp->web, err);
    if (rc) {
        ctn_web_mcp_close(mcp);
        return rc;
    }
    ctn_str address = ctn_web_address(mcp->web);
    (void) snprintf(mcp->url, sizeof mcp->url, "%s://%.*s/mcp", options->config->tls_cert_file ? "https" : "http",
                    CTN_STR_ARG(address));
    mcp->door = ctn_door_new(options->config, address, is_loopback);
    *ret_mcp = mcp;
    return CTN_OK;
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
    ctn_web_close(mcp->web);
    ctn_door_free(mcp->door);
    ctn_timer_free(mcp->timer);
    free(mcp);
}

const char *ctn_web_mcp_url(const ctn_web_mcp *mcp)
{
    return mcp->url;
}
