/*
 * api.c -- see api.h: the way of a request to its operation. Before its body is kept: is there such an operation, may
 * this caller do it, does it take such a body. Then what it says is read (read.c), and the operation is called.
 */
#include "server/api/api.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "server/api/document.h"
#include "server/api/internal.h"

static const ctn_web_header NONE;

/* ---- answers ---- */

void ctn_api_answer_with(ctn_api_call *call, int status, ctn_web_header extra, const ctn_json *body)
{
    const ctn_web_header headers[] = {
        {CTN_STR("Content-Type"), CTN_STR("application/json")}, {CTN_STR("Cache-Control"), CTN_STR("no-store")}, extra};
    ctn_str text = body ? ctn_json_to_str(call->arena, body) : (ctn_str){0};
    ctn_web_answer(call->request, status, headers, extra.name.len ? 3 : 2, text);
}

void ctn_api_answer(ctn_api_call *call, int status, const ctn_json *body)
{
    ctn_api_answer_with(call, status, NONE, body);
}

void ctn_api_answer_text(ctn_api_call *call, const char *type, ctn_str body)
{
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), ctn_str_from(type)},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-store")},
                                      {CTN_STR("X-Content-Type-Options"), CTN_STR("nosniff")}};
    ctn_web_answer(call->request, 200, headers, 3, body);
}

/* after_s 0: soon. */
static ctn_web_header extra_of(ctn_arena *arena, int status, uint32_t after_s)
{
    if (status == 429)
        return (ctn_web_header){CTN_STR("Retry-After"), ctn_arena_printf(arena, "%u", after_s ? after_s : 1)};
    if (status == 503)
        return (ctn_web_header){CTN_STR("Retry-After"), CTN_STR("5")};
    return NONE;
}

static void problem(ctn_api_call *call, int status, uint32_t after_s, ctn_str pointer, ctn_str sentence)
{
    ctn_json_builder error = ctn_json_object(call->arena), errors = ctn_json_array(call->arena);
    if (pointer.ptr) {
        ctn_json_put_str(&error, "pointer", pointer);
        ctn_json_put_str(&error, "detail", sentence);
        ctn_json_push(&errors, ctn_json_finish(&error));
    }
    ctn_front_problem(call->request, &(ctn_refusal){status, sentence.ptr, extra_of(call->arena, status, after_s)},
                      pointer.ptr ? ctn_json_finish(&errors) : NULL);
}

void ctn_api_problem(ctn_api_call *call, int status, ctn_str pointer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(call->arena, format, args);
    va_end(args);
    problem(call, status, 0, pointer, sentence);
}

int ctn_api_status_of(int code)
{
    switch (code) {
    case CTN_E_INVALID: return 422;
    case CTN_E_LIMIT: return 413;
    case CTN_E_TOO_MANY: return 429;
    case CTN_E_NOT_FOUND: return 404;
    case CTN_E_EXISTS:
    case CTN_E_STATE:
    case CTN_E_STALE: return 409;
    case CTN_E_DENIED: return 403;
    case CTN_E_UNSUPPORTED: return 422;
    case CTN_E_BUSY:
    case CTN_E_CLOSED:
    case CTN_E_TIMEOUT:
    case CTN_E_NOMEM: return 503;
    default: return 500;
    }
}

ctn_str ctn_api_words(ctn_arena *arena, const ctn_err *err)
{
    ctn_str text = ctn_str_from(err->message[0] ? err->message : ctn_err_name(err->code));
    size_t option = ctn_str_find(text, CTN_STR(": add -i ")), colon = ctn_str_find(text, CTN_STR(": "));
    if (option != SIZE_MAX)
        text.len = option;
    if (ctn_str_starts_with(text, CTN_STR("--")) && colon != SIZE_MAX)
        text = ctn_str_from_offset(text, colon + 2);
    return ctn_arena_str(arena, text);
}

void ctn_api_fail(ctn_api_call *call, const ctn_err *err)
{
    problem(call, ctn_api_status_of(err->code), err->retry_after_s, (ctn_str){0}, ctn_api_words(call->arena, err));
}

/* ---- who may ---- */

bool ctn_api_demand(ctn_api_call *call, ctn_action action, const ctn_access_object *object)
{
    ctn_err err = {0};
    if (ctn_access_demand(call->access, call->caller, action, object, &err) == CTN_OK)
        return true;
    ctn_api_fail(call, &err);
    return false;
}

ctn_requester ctn_api_requester(const ctn_api_call *call, ctn_action action)
{
    return (ctn_requester){.principal = call->caller->is_local ? (ctn_str){0} : call->caller->name,
                           .tenant = call->caller->tenant,
                           .audit_action = ctn_str_from(ctn_action_name(action)),
                           .audit_actor = call->caller->name,
                           .from = call->caller->from};
}

/* ---- the way of a request ---- */

/* "application/json", "application/ *", "* / *"; without the header all are. */
static bool accepts_json(const ctn_web_ask *ask)
{
    ctn_str accept = ctn_web_header_of(ask->headers, ask->header_count, "accept");
    if (!accept.ptr)
        return true;
    while (accept.ptr) {
        ctn_str item = ctn_str_cut(&accept, ',');
        item = ctn_str_trim(ctn_str_cut(&item, ';'));
        if (ctn_str_equal_any_case(item, CTN_STR("application/json")) ||
            ctn_str_equal_any_case(item, CTN_STR("application/*")) || ctn_str_equal_any_case(item, CTN_STR("*/*")))
            return true;
    }
    return false;
}

static const ctn_api_route *route_of(ctn_api *api, ctn_web_request *r, ctn_str *ret_allowed)
{
    return ctn_api_route_of(&api->routes, ctn_web_ask_of(r), ctn_web_arena(r), ret_allowed);
}

static bool refuse(ctn_web_request *r, int status, ctn_str sentence, ctn_web_header extra)
{
    ctn_front_problem(r, &(ctn_refusal){status, sentence.ptr, extra}, NULL);
    return false;
}

static ctn_str types_of(const ctn_api_route *route, ctn_arena *arena)
{
    ctn_str text = {0};
    for (size_t i = 0; i < route->body_count; i++)
        text = ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(text), i ? " or " : "",
                                CTN_STR_ARG(route->bodies[i].type));
    return text;
}

static ctn_api_call call_of(ctn_api *api, ctn_web_request *r)
{
    return (ctn_api_call){.api = api,
                          .host = api->host,
                          .access = api->access,
                          .caller = ctn_web_caller(r),
                          .request = r,
                          .arena = ctn_web_arena(r)};
}

/* Curl says that a body is a form, unless it is told otherwise. */
static ctn_str what_type(ctn_arena *arena, const ctn_api_route *route, const ctn_web_ask *ask)
{
    ctn_str types = types_of(route, arena), came = ctn_web_header_of(ask->headers, ask->header_count, "content-type");
    const char *told = !came.ptr ? "has no Content-Type"
                       : ctn_str_starts_with(ctn_str_trim(came), CTN_STR("application/x-www-form-urlencoded"))
                           ? "says it is a form (as curl -d does without -H)"
                           : "says it is something else";
    return ctn_arena_printf(arena, "the body is to be %.*s, and it %s: send the header Content-Type",
                            CTN_STR_ARG(types), told);
}

static bool admit(void *ctx, ctn_web_request *r)
{
    ctn_api *api = ctx;
    ctn_arena *arena = ctn_web_arena(r);
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_str allowed, length = ctn_web_header_of(ask->headers, ask->header_count, "content-length");
    const ctn_api_route *route = route_of(api, r, &allowed);
    ctn_api_call call = call_of(api, r);
    bool has_body = (length.ptr && !ctn_str_is(ctn_str_trim(length), "0")) ||
                    ctn_web_header_of(ask->headers, ask->header_count, "transfer-encoding").ptr;
    if (!route && !allowed.len)
        return refuse(r, 404, CTN_STR("there is nothing here; /openapi.json says what there is"), NONE);
    if (!route)
        return refuse(r, 405,
                      ctn_arena_printf(arena, "%.*s is not done to this; it takes %.*s", CTN_STR_ARG(ask->method),
                                       CTN_STR_ARG(allowed)),
                      (ctn_web_header){CTN_STR("Allow"), allowed});
    ctn_web_set_operation(r, route->operation->operation_id);
    if (route->has_action && !ctn_api_demand(&call, route->action, NULL))
        return false;
    if (has_body && !route->body_count)
        return refuse(r, 415, CTN_STR("this takes no body"), NONE);
    if (!has_body && route->needs_body)
        return refuse(
            r, 400, ctn_arena_printf(arena, "a body is needed, and missing: %.*s", CTN_STR_ARG(types_of(route, arena))),
            NONE);
    if (has_body && !ctn_api_body_of(route, ask))
        return refuse(r, 415, what_type(arena, route, ask), NONE);
    if (!accepts_json(ask) && !ctn_str_is(ask->method, "GET"))
        return refuse(r, 406, CTN_STR("answers are application/json"), NONE);
    return true;
}

static void take(void *ctx, ctn_web_request *r)
{
    ctn_api *api = ctx;
    ctn_str allowed;
    const ctn_api_route *route = route_of(api, r, &allowed);
    ctn_api_call *call = CTN_NEW(ctn_web_arena(r), ctn_api_call);
    ctn_api_read read;
    *call = call_of(api, r);
    if (!ctn_host_engine(api->host)) {
        ctn_api_problem(call, 503, (ctn_str){0}, "catena is ending; call again when it is back");
        return;
    }
    if (!ctn_api_read_request(route, ctn_web_ask_of(r), call->arena, &read)) {
        ctn_front_problem(r, &(ctn_refusal){read.status, read.sentence, NONE}, read.errors);
        return;
    }
    call->given = read.given;
    call->body = read.body;
    route->operation->handle(call);
}

/* ---- /openapi.json ---- */

static bool admit_document(void *ctx, ctn_web_request *r)
{
    ctn_api *api = ctx;
    ctn_str method = ctn_web_ask_of(r)->method;
    if (!ctn_str_is(method, "GET") && !ctn_str_is(method, "HEAD"))
        return refuse(r, 405, CTN_STR("it can be read only"), (ctn_web_header){CTN_STR("Allow"), CTN_STR("GET, HEAD")});
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/json")},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-cache")}};
    if (!ctn_str_is(ctn_web_ask_of(r)->path, CTN_API_DOCUMENT_PATH))
        return refuse(r, 404, CTN_STR("there is nothing here"), NONE);
    ctn_web_answer(r, 200, headers, 2, api->document_text);
    return false;
}

static void take_nothing(void *ctx, ctn_web_request *r)
{
    (void) ctx, (void) r;
    assert(!"every request of this site was answered by its admit");
}

/* ---- life ---- */

int ctn_api_open(ctn_host *host, ctn_access *access, ctn_front *front, ctn_api **ret_api, ctn_err *err)
{
    ctn_api *api = ctn_malloc(sizeof *api);
    *api = (ctn_api){.host = host, .access = access, .arena = ctn_arena_new(65536)};
    api->document = ctn_api_document(api->arena);
    api->document_text = ctn_json_to_str(api->arena, api->document);
    ctn_api_routes_of(api->arena, api->document, ctn_api_operations, &api->routes);
    int rc = ctn_api_streams_open(api, err);
    if (rc) {
        ctn_api_routes_done(&api->routes);
        ctn_arena_free(api->arena);
        free(api);
        return rc;
    }
    ctn_api_waits_open(api);
    ctn_api_hooks_open(api, front);
    ctn_front_add(front, &(ctn_site){.path = "/v1", .via = "api", .admit = admit, .take = take, .ctx = api});
    ctn_front_add(
        front,
        &(ctn_site){
            .path = CTN_API_DOCUMENT_PATH, .via = "api", .admit = admit_document, .take = take_nothing, .ctx = api});
    *ret_api = api;
    return CTN_OK;
}

/* The engine is gone: nothing that was filed with it will be acknowledged any more. */
static void free_api(void *ctx)
{
    ctn_api *api = ctx;
    ctn_api_waits_free(api);
    ctn_api_bulks_free(api);
    ctn_api_routes_done(&api->routes);
    ctn_arena_free(api->arena);
    free(api);
}

struct ctn_webhooks *ctn_api_webhooks_of(const ctn_api *api)
{
    return api->webhooks;
}

void ctn_api_drain(ctn_api *api)
{
    ctn_api_streams_end(api);
    ctn_api_waits_drain(api);
}

void ctn_api_close(ctn_api *api)
{
    if (!api)
        return;
    ctn_api_streams_close(api);
    ctn_api_waits_close(api);
    ctn_api_bulks_close(api);
    ctn_host_at_end(api->host, free_api, api);
}
