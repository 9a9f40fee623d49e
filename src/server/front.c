/*
 * front.c -- see front.h. What is asked of a request, in this order, before a byte of its body is kept: is it for us,
 * is there a site, do we still take requests, who sends it and how often, and what the site itself wants to know.
 */
#include "server/front.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "server/door.h"

#define SITES_MAX 32
#define RETRY_SOON                                                                                                     \
    {                                                                                                                  \
        CTN_STR("Retry-After"), CTN_STR("1")                                                                           \
    }

struct ctn_front {
    ctn_front_options of;
    ctn_web *web;
    ctn_door *door;
    ctn_site sites[SITES_MAX];
    size_t site_count;
    void (*tell)(void *ctx, const ctn_web_told *told);
    void *tell_ctx;
    bool is_loopback, is_draining;
    char url[128];
};

/* ---- refusals ---- */

static const char *title_of(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

void ctn_front_problem(ctn_web_request *request, const ctn_refusal *refusal, const ctn_json *errors)
{
    ctn_arena *arena = ctn_web_arena(request);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "type", CTN_STR("about:blank"));
    ctn_json_put_str(&b, "title", ctn_str_from(title_of(refusal->status)));
    ctn_json_put_int(&b, "status", refusal->status);
    ctn_json_put_str(&b, "detail", ctn_str_from(refusal->sentence));
    if (errors)
        ctn_json_put(&b, CTN_STR("errors"), errors);
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/problem+json")},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-store")},
                                      refusal->extra};
    ctn_web_answer(request, refusal->status, headers, refusal->extra.name.len ? 3 : 2,
                   ctn_json_to_str(arena, ctn_json_finish(&b)));
}

static void refuse(const ctn_site *site, ctn_web_request *r, const ctn_refusal *refusal)
{
    if (site && site->refuse)
        site->refuse(site->ctx, r, refusal);
    else
        ctn_front_problem(r, refusal, NULL);
}

/* ---- who comes ---- */

static const ctn_site *site_of(const ctn_front *front, ctn_str path)
{
    const ctn_site *found = NULL;
    size_t found_len = 0;
    for (size_t i = 0; i < front->site_count; i++) {
        ctn_str own = ctn_str_from(front->sites[i].path);
        bool fits = ctn_str_starts_with(path, own) && (path.len == own.len || path.ptr[own.len] == '/');
        if (fits && own.len >= found_len) {
            found = &front->sites[i];
            found_len = own.len;
        }
    }
    return found;
}

/* False: refused, in *ret_refusal. */
static bool recognise(ctn_front *front, const ctn_site *site, ctn_web_request *r, ctn_refusal *ret_refusal)
{
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    const ctn_caller *caller = NULL;
    ctn_err err = {0};
    ctn_knock knock = {.authorization = ctn_web_header_of(ask->headers, ask->header_count, "authorization"),
                       .from = ask->from,
                       .via = site->via,
                       .is_loopback = front->is_loopback};
    switch (ctn_access_recognise(front->of.access, ctn_web_arena(r), &knock, &caller, &err)) {
    case CTN_UNRECOGNISED:
        *ret_refusal = (ctn_refusal){401,
                                     ctn_arena_str(ctn_web_arena(r), ctn_str_from(err.message)).ptr,
                                     {CTN_STR("WWW-Authenticate"), CTN_STR("Bearer")}};
        return false;
    case CTN_RECOGNISED_LATER:
        *ret_refusal = (ctn_refusal){503, "the issuer's keys are being fetched; call again", RETRY_SOON};
        return false;
    case CTN_RECOGNISED: break;
    }
    if (!ctn_door_may_come(front->door, caller->name, ctn_loop_now_ms(front->of.loop))) {
        *ret_refusal = (ctn_refusal){429, "too many requests; a second later is fine", RETRY_SOON};
        return false;
    }
    ctn_web_set_caller(r, caller);
    return true;
}

static void admit(void *ctx, ctn_web_request *r)
{
    ctn_front *front = ctx;
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    const ctn_site *site = site_of(front, ask->path);
    const char *foreign = ctn_door_foreign(front->door, ask->headers, ask->header_count);
    ctn_refusal refusal = {0};
    if (site)
        ctn_web_set_operation(r, site->operation ? site->operation : site->path);
    if (foreign)
        refusal = (ctn_refusal){403, foreign, {{0}, {0}}};
    else if (!site)
        refusal = (ctn_refusal){404, "there is nothing here; /openapi.json says what there is", {{0}, {0}}};
    else if (front->is_draining && !site->is_open)
        refusal =
            (ctn_refusal){503, "catena is ending; call again when it is back", {CTN_STR("Retry-After"), CTN_STR("5")}};
    else if (!site->is_open)
        (void) recognise(front, site, r, &refusal);
    if (refusal.status)
        refuse(site, r, &refusal);
    else if (site->admit)
        (void) site->admit(site->ctx, r);
}

static void take(void *ctx, ctn_web_request *r)
{
    const ctn_site *site = site_of(ctx, ctn_web_ask_of(r)->path);
    site->take(site->ctx, r);
}

static void tell(void *ctx, const ctn_web_told *told)
{
    const ctn_front *front = ctx;
    if (front->tell)
        front->tell(front->tell_ctx, told);
}

/* ---- life ---- */

int ctn_front_open(const ctn_front_options *options, ctn_front **ret_front, ctn_err *err)
{
    bool is_loopback;
    int rc = ctn_web_check_address(options->address, &is_loopback, err);
    if (rc)
        return rc;
    if (!is_loopback && !ctn_access_is_guarded(options->access))
        return ctn_fail(err, CTN_E_DENIED,
                        "without tokens only this machine may call: listen on 127.0.0.1:PORT, or say who may come in "
                        "(http: tokens, or `catena token create`)");
    ctn_access_tell_missing(options->access);
    if (!is_loopback && !options->config->tls_cert_file)
        ctn_log_line(options->log, CTN_LOG_WARN,
                     "tokens come in the clear: say http: {tls: {cert, key}}, or listen on 127.0.0.1 behind a proxy "
                     "that ends TLS",
                     NULL);
    ctn_front *front = ctn_malloc(sizeof *front);
    *front = (ctn_front){.of = *options, .is_loopback = is_loopback};
    ctn_web_options web = {.loop = options->loop,
                           .log = options->log,
                           .admit = admit,
                           .take = take,
                           .tell = tell,
                           .ctx = front,
                           .connections_max =
                               options->connections_max ? options->connections_max : options->config->connections,
                           .tls_cert_file = options->config->tls_cert_file,
                           .tls_key_file = options->config->tls_key_file,
                           .body_bytes_max = options->config->body_bytes,
                           .arrive_ms = options->arrive_ms,
                           .idle_ms = options->idle_ms};
    rc = ctn_web_open(&web, options->address, &front->web, err);
    if (rc) {
        ctn_front_close(front);
        return rc;
    }
    ctn_str address = ctn_web_address(front->web);
    (void) snprintf(front->url, sizeof front->url, "%s://%.*s", options->config->tls_cert_file ? "https" : "http",
                    CTN_STR_ARG(address));
    front->door = ctn_door_new(options->config, address, is_loopback);
    *ret_front = front;
    return CTN_OK;
}

void ctn_front_add(ctn_front *front, const ctn_site *site)
{
    assert(front->site_count < SITES_MAX);
    assert(site->take);
    front->sites[front->site_count++] = *site;
}

void ctn_front_tell(ctn_front *front, void (*told)(void *ctx, const ctn_web_told *told), void *ctx)
{
    front->tell = told;
    front->tell_ctx = ctx;
}

void ctn_front_drain(ctn_front *front)
{
    front->is_draining = true;
    ctn_web_drain(front->web);
}

bool ctn_front_is_quiet(const ctn_front *front)
{
    return ctn_web_is_quiet(front->web);
}

size_t ctn_front_open_count(const ctn_front *front)
{
    return ctn_web_open_count(front->web);
}

bool ctn_front_is_draining(const ctn_front *front)
{
    return front->is_draining;
}

void ctn_front_close(ctn_front *front)
{
    if (!front)
        return;
    ctn_web_close(front->web);
    ctn_door_free(front->door);
    free(front);
}

const char *ctn_front_url(const ctn_front *front)
{
    return front->url;
}
