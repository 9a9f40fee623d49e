/*
 * hooks.c -- /v1/hooks/NAME: a delivery of somebody else's webhook starts a chain.
 *
 * The site is open, for its senders have no token of ours: a delivery is believed when its signature over the raw body
 * fits (wire/signature.h), and then it is a start like any other, by the principal that the hook names, with what he is
 * granted. It is answered when the execution is on disk; until then its sender will send it again. What it is known by
 * is the idempotency key of the start, so that the second one finds the execution of the first, after a crash too.
 */
#include "base/hash.h"
#include "host/config_where.h"
#include "host/shelf.h"
#include "server/api/execution.h"

#define BODY_BYTES_MAX ((size_t) 1 << 20)
#define ID_BYTES_MAX   200

static const ctn_config_hook *hook_of(const ctn_api *api, ctn_str path)
{
    const ctn_config *config = ctn_host_workspace(api->host)->config;
    ctn_str prefix = CTN_STR(CTN_API_HOOKS_PATH "/");
    if (!ctn_str_starts_with(path, prefix))
        return NULL;
    for (size_t i = 0; i < config->hook_count; i++)
        if (ctn_str_equal(config->hooks[i].name, ctn_str_from_offset(path, prefix.len)))
            return &config->hooks[i];
    return NULL;
}

static ctn_str header_of(const ctn_api_call *call, ctn_str name)
{
    const ctn_web_ask *ask = ctn_web_ask_of(call->request);
    ctn_str value = ctn_web_header_of(ask->headers, ask->header_count, ctn_arena_str(call->arena, name).ptr);
    return value.ptr ? ctn_str_trim(value) : value;
}

/* ---- is it he? ---- */

static bool is_signed(ctn_api_call *call, const ctn_config_hook *hook)
{
    ctn_err err = {0};
    ctn_str secret;
    const char *header = ctn_signature_header(hook->scheme);
    if (ctn_config_where_text(&hook->secret, call->arena, &secret, &err)) {
        ctn_log_line(ctn_host_log(call->host, "hooks"), CTN_LOG_WARN, "the secret of a hook cannot be had", "why",
                     err.message, NULL);
        ctn_api_problem(call, 503, (ctn_str){0}, "nothing can be held against the signature now; send it again later");
        return false;
    }
    ctn_signed what = {.id = header_of(call, CTN_STR("webhook-id")),
                       .timestamp = header_of(call, CTN_STR("webhook-timestamp")),
                       .signature = header_of(call, header ? ctn_str_from(header) : hook->header),
                       .body = ctn_web_ask_of(call->request)->body};
    const char *fault = ctn_signature_fault(hook->scheme, secret, &what, ctn_loop_now_ms(ctn_host_loop(call->host)));
    explicit_bzero((char *) secret.ptr, secret.len);
    if (fault)
        ctn_api_problem(call, 401, (ctn_str){0}, "%s", fault);
    return !fault;
}

/* ---- what it says ---- */

static ctn_str text_at(ctn_arena *arena, const ctn_json *body, ctn_str pointer)
{
    const ctn_json *value = ctn_json_pointer(body, pointer);
    if (!value || ctn_json_is(value, CTN_JSON_NULL))
        return (ctn_str){0};
    return ctn_json_is(value, CTN_JSON_STRING) ? ctn_json_text(value) : ctn_json_to_str(arena, value);
}

static const char *where_of_id(const ctn_config_hook *hook)
{
    return hook->id_header.len                      ? "its own header"
           : hook->id_pointer.len                   ? "a member of its body"
           : hook->scheme == CTN_SIGNATURE_STANDARD ? "the header webhook-id"
                                                    : "the member id of its body";
}

/* Empty: what it should be known by is not there. Without a word only what is signed counts: X-GitHub-Delivery is not,
 * and whoever has seen a delivery could send it again by another one. */
static ctn_str id_of(ctn_api_call *call, const ctn_config_hook *hook)
{
    ctn_str body = ctn_web_ask_of(call->request)->body, id = {0};
    if (hook->id_header.len)
        id = header_of(call, hook->id_header);
    else if (hook->id_pointer.len)
        id = text_at(call->arena, call->body, hook->id_pointer);
    else if (hook->scheme == CTN_SIGNATURE_STANDARD)
        id = header_of(call, CTN_STR("webhook-id"));
    else if (hook->scheme == CTN_SIGNATURE_STRIPE)
        id = text_at(call->arena, call->body, CTN_STR("/id"));
    else
        id = ctn_arena_str(call->arena, ctn_str_from(ctn_digest_to_text(ctn_hash(body)).text));
    if (id.len > ID_BYTES_MAX || !ctn_str_is_utf8(id))
        id = ctn_arena_str(call->arena, ctn_str_from(ctn_digest_to_text(ctn_hash(id)).text));
    return id;
}

static const ctn_json *input_of(ctn_api_call *call, const ctn_config_hook *hook)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    if (!hook->input)
        return call->body;
    for (size_t i = 0; i < ctn_json_count(hook->input); i++) {
        const ctn_json *value = ctn_json_pointer(call->body, ctn_json_text(&hook->input->members[i].value));
        if (value) /* the chain says whether it can do without */
            ctn_json_put(&b, ctn_json_text(&hook->input->members[i].key), value);
    }
    return ctn_json_finish(&b);
}

/* ---- the start ---- */

static void tell_started(ctn_api_call *call, ctn_execution_id id)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_str text = ctn_arena_str(call->arena, ctn_str_from(ctn_id_to_text(id).text));
    ctn_json_put_str(&b, "executionId", text);
    ctn_json_put_str(&b, "chain", hook_of(call->api, ctn_web_ask_of(call->request)->path)->chain);
    ctn_web_header location = {CTN_STR("Location"),
                               ctn_arena_printf(call->arena, "/v1/executions/%.*s", CTN_STR_ARG(text))};
    ctn_api_answer_with(call, 202, location, ctn_json_finish(&b));
}

static void start(ctn_api_call *call, const ctn_config_hook *hook)
{
    ctn_err err = {0};
    ctn_str id = id_of(call, hook);
    if (!id.len) {
        ctn_api_problem(call, 422, (ctn_str){0},
                        "what this delivery is known by (%s) is not in it: `id` of the hook says where it is",
                        where_of_id(hook));
        return;
    }
    ctn_request q = {.op = CTN_REQUEST_START,
                     .input = input_of(call, hook),
                     .idempotency_key =
                         ctn_arena_printf(call->arena, "hook:%.*s:%.*s", CTN_STR_ARG(hook->name), CTN_STR_ARG(id)),
                     .by = {.traceparent = header_of(call, CTN_STR("traceparent"))}};
    ctn_access_object object = {.chain_id = hook->chain, .tenant = call->caller->tenant};
    if (!ctn_api_demand(call, CTN_ACTION_EXECUTIONS_START, &object))
        return;
    int rc = ctn_shelf_find(ctn_host_shelf(call->host), hook->chain, call->caller->name, &q.known_plan,
                            &q.known_version, &err);
    if (rc)
        ctn_api_fail(call, &err);
    else
        ctn_api_file(call, CTN_ACTION_EXECUTIONS_START, &q, hook->input ? (ctn_str){0} : CTN_STR("/"), tell_started);
}

static void trigger(ctn_api_call *call)
{
    ctn_err err = {0};
    const ctn_web_ask *ask = ctn_web_ask_of(call->request);
    const ctn_config_hook *hook = hook_of(call->api, ask->path);
    ctn_json_options options = {.reject_duplicates = true};
    if (!hook)
        ctn_api_problem(call, 404, CTN_STR("path/name"), "there is no such hook");
    else if (!is_signed(call, hook))
        return;
    else if (ctn_json_parse(call->arena, ask->body, &options, &call->body, &err))
        ctn_api_problem(call, 400, CTN_STR(""), "the body is no JSON: %s", err.message);
    else if (!hook->input && !ctn_json_is(call->body, CTN_JSON_OBJECT))
        ctn_api_problem(call, 422, CTN_STR(""), "the body is the input of the chain: an object");
    else if (ctn_access_as(call->access, call->arena, hook->principal, "hook", ask->from, &call->caller, &err))
        ctn_api_problem(call, 403, (ctn_str){0}, "%s", err.message);
    else {
        ctn_web_set_caller(call->request, call->caller);
        start(call, hook);
    }
}

const ctn_api_operation ctn_api_hooks[] = {{"triggerHook", trigger}, {NULL, NULL}};

/* ---- the site ---- */

static const ctn_web_header NONE;

static bool refuse(ctn_web_request *r, int status, const char *sentence, ctn_web_header extra)
{
    ctn_front_problem(r, &(ctn_refusal){status, sentence, extra}, NULL);
    return false;
}

/* Before its body is kept, for it comes from anybody. */
static bool admit(void *ctx, ctn_web_request *r)
{
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_str type = ctn_web_header_of(ask->headers, ask->header_count, "content-type");
    int64_t length = 0;
    (void) ctn_str_to_int64(ctn_web_header_of(ask->headers, ask->header_count, "content-length"), &length);
    ctn_web_set_operation(r, ctn_api_hooks[0].operation_id);
    if (!hook_of(ctx, ask->path))
        return refuse(r, 404, "there is no such hook", NONE);
    if (!ctn_str_is(ask->method, "POST"))
        return refuse(r, 405, "deliveries are POSTed", (ctn_web_header){CTN_STR("Allow"), CTN_STR("POST")});
    if (!ctn_str_equal_any_case(ctn_str_trim(ctn_str_cut(&type, ';')), CTN_STR("application/json")))
        return refuse(r, 415, "a delivery is application/json", NONE);
    if (length > (int64_t) BODY_BYTES_MAX)
        return refuse(r, 413, "a delivery has at most 1 MiB", NONE);
    return true;
}

static void take(void *ctx, ctn_web_request *r)
{
    ctn_api *api = ctx;
    ctn_api_call *call = CTN_NEW(ctn_web_arena(r), ctn_api_call);
    *call =
        (ctn_api_call){.api = api, .host = api->host, .access = api->access, .request = r, .arena = ctn_web_arena(r)};
    if (ctn_web_ask_of(r)->body.len > BODY_BYTES_MAX)
        ctn_api_problem(call, 413, (ctn_str){0}, "a delivery has at most 1 MiB");
    else if (!ctn_host_engine(api->host))
        ctn_api_problem(call, 503, (ctn_str){0}, "catena is ending; send it again when it is back");
    else
        trigger(call);
}

/* Said at the start, not only when the first delivery is turned away. */
static void tell_missing_secrets(const ctn_api *api)
{
    const ctn_config *config = ctn_host_workspace(api->host)->config;
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < config->hook_count; i++) {
        ctn_err err = {0};
        ctn_str secret = {0};
        if (ctn_config_where_text(&config->hooks[i].secret, arena, &secret, &err))
            ctn_log_line(ctn_host_log(api->host, "hooks"), CTN_LOG_WARN,
                         "the secret of a hook cannot be had; no delivery is taken", "hook",
                         ctn_arena_str(arena, config->hooks[i].name).ptr, "why", err.message, NULL);
        else
            explicit_bzero((char *) secret.ptr, secret.len);
    }
    ctn_arena_free(arena);
}

void ctn_api_hooks_open(ctn_api *api, ctn_front *front)
{
    tell_missing_secrets(api);
    ctn_front_add(
        front,
        &(ctn_site){
            .path = CTN_API_HOOKS_PATH, .via = "hook", .is_open = true, .admit = admit, .take = take, .ctx = api});
}
