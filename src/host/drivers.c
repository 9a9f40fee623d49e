/*
 * drivers.c -- see drivers.h. They are made before the engine that they report to, so they report to us, and we pass it
 * on.
 */
#include "host/drivers.h"
#include "base/memory.h"
#include "chain/work.h"
#include "drivers/command/command.h"
#include "drivers/native.h"
#include "drivers/prompt/prompt.h"
#include "drivers/transform/worker.h"
#include "drivers/web/web.h"
#include "host/config_egress.h"
#include "host/config_servers.h"
#include "host/models.h"
#include "host/secrets.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct ctn_drivers {
    const ctn_config *config;
    ctn_http *http; /* of all that speak it */
    ctn_arena *arena, *scratch;
    ctn_secrets secrets; /* that servers were given */
    ctn_call_sink sink;
    ctn_mcp_driver *tools;
    ctn_native_driver *native;
    ctn_transform_driver *transforms;
    ctn_prompt_driver *prompts;
    ctn_command_driver *commands;
    ctn_webcall_driver *web;
    ctn_driver interfaces[CTN_WORK_KIND_COUNT];
    const ctn_driver *all[CTN_WORK_KIND_COUNT];
    size_t count;
};

/* ---- what they tell ---- */

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    const ctn_drivers *d = ctx;
    ctn_call_result clean = *result;
    if (d->secrets.count) {
        ctn_arena_reset(d->scratch);
        clean.message = ctn_secrets_hide(&d->secrets, d->scratch, result->message);
        clean.value = result->value ? ctn_secrets_hide_json(&d->secrets, d->scratch, result->value) : NULL;
        clean.asks = result->asks ? ctn_secrets_hide_json(&d->secrets, d->scratch, result->asks) : NULL;
    }
    if (d->sink.done)
        d->sink.done(d->sink.ctx, token, &clean);
}

/* What a call goes on with is passed on as it is, for may_keep was asked: nothing of it can be hidden. */
static void on_accepted(void *ctx, uint64_t token, const ctn_json *continuation)
{
    const ctn_drivers *d = ctx;
    if (d->sink.accepted)
        d->sink.accepted(d->sink.ctx, token, continuation);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    const ctn_drivers *d = ctx;
    if (d->secrets.count && message.len) {
        ctn_arena_reset(d->scratch);
        message = ctn_secrets_hide(&d->secrets, d->scratch, message);
    }
    if (d->sink.progress)
        d->sink.progress(d->sink.ctx, token, progress, total, message);
}

void ctn_drivers_report_to(ctn_drivers *d, ctn_call_sink sink)
{
    d->sink = sink;
}

typedef struct asked {
    const ctn_drivers *drivers;
    ctn_mcp_ready_fn *ready;
    void *ctx;
} asked;

static void on_ready(void *ctx, int code, const char *why)
{
    const asked *a = ctx;
    ctn_arena *scratch = a->drivers->scratch;
    ctn_arena_reset(scratch);
    ctn_str clean = ctn_secrets_hide(&a->drivers->secrets, scratch, ctn_str_from(why ? why : ""));
    a->ready(a->ctx, code, ctn_arena_str(scratch, clean).ptr);
}

void ctn_drivers_ready(ctn_drivers *d, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx)
{
    asked *a = CTN_NEW(d->arena, asked);
    *a = (asked){d, ready, ctx};
    ctn_mcp_ready(d->tools, server, on_ready, a);
}

/* The headers of a server over HTTP as they are now. */
static int read_headers(void *ctx, ctn_str server, ctn_arena *arena, const ctn_mcp_header **ret_headers,
                        size_t *ret_count, ctn_err *err)
{
    ctn_drivers *d = ctx;
    const ctn_config_server *s = ctn_config_server_of(d->config, server);
    *ret_count = s->driver.header_count;
    return ctn_secrets_headers(d->config, &s->driver, &d->secrets, d->arena, arena, ret_headers, err);
}

/* A tool that repeats the token that it was called with does not bring it into a journal. */
static void on_learned(void *ctx, ctn_str server, ctn_str token)
{
    ctn_drivers *d = ctx;
    char name[128];
    (void) snprintf(name, sizeof name, "token of %.*s", CTN_STR_ARG(server));
    ctn_secrets_learn(&d->secrets, d->arena, ctn_str_from(name), token);
}

/* The headers of a model as they are now; a model that repeats its key does not bring it into a journal. */
static int read_model_headers(void *ctx, const ctn_prompt_model *model, ctn_arena *arena,
                              const ctn_http_header **ret_headers, size_t *ret_count, ctn_err *err)
{
    ctn_drivers *d = ctx;
    ctn_str key = {0};
    int rc = ctn_model_headers(d->config, model, arena, ret_headers, ret_count, &key, err);
    if (rc == CTN_OK && key.len) {
        char name[128];
        (void) snprintf(name, sizeof name, "key of %.*s", CTN_STR_ARG(model->name));
        ctn_secrets_learn(&d->secrets, d->arena, ctn_str_from(name), key);
    }
    return rc;
}

static bool may_keep(void *ctx, const ctn_json *continuation)
{
    const ctn_drivers *d = ctx;
    ctn_arena_reset(d->scratch);
    return ctn_secrets_hide_json(&d->secrets, d->scratch, continuation) == continuation;
}

void ctn_drivers_ready_all(ctn_drivers *d, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx)
{
    asked *a = CTN_NEW(d->arena, asked);
    *a = (asked){d, ready, ctx};
    ctn_mcp_ready_all(d->tools, server, on_ready, a);
}

ctn_failure ctn_drivers_fill_secrets(void *drivers, ctn_work_kind kind, ctn_arena *arena, const ctn_json *args,
                                     const ctn_json **ret_args, ctn_err *err)
{
    ctn_drivers *d = drivers;
    return ctn_secrets_fill_args(d->config, kind, &d->secrets, d->arena, arena, args, ret_args, err);
}

/* ---- life ---- */

static ctn_driver interface_of(const ctn_drivers *d, ctn_work_kind kind)
{
    switch (kind) {
    case CTN_WORK_TOOL: return ctn_mcp_driver_interface(d->tools);
    case CTN_WORK_NATIVE: return ctn_native_driver_interface(d->native);
    case CTN_WORK_TRANSFORM: return ctn_transform_driver_interface(d->transforms);
    case CTN_WORK_PROMPT: return ctn_prompt_driver_interface(d->prompts);
    case CTN_WORK_COMMAND: return ctn_command_driver_interface(d->commands);
    case CTN_WORK_HTTP: return ctn_webcall_driver_interface(d->web);
    case CTN_WORK_WAIT:
    case CTN_WORK_APPROVAL:
    case CTN_WORK_AGENT:
    case CTN_WORK_CHAIN:
    case CTN_WORK_CALLS:
    case CTN_WORK_KIND_COUNT: break; /* the engine's own */
    }
    return (ctn_driver){.kind = NULL};
}

int ctn_drivers_new(const ctn_config *config, ctn_loop *loop, ctn_spawner *spawner, const ctn_log *log,
                    const ctn_credentials *credentials, ctn_drivers **ret_drivers, ctn_err *err)
{
    ctn_drivers *d = ctn_malloc(sizeof *d);
    *d = (ctn_drivers){.config = config, .arena = ctn_arena_new(4096), .scratch = ctn_arena_new(1024)};
    ctn_mcp_server_config *servers = CTN_NEW_ARRAY(d->arena, ctn_mcp_server_config, config->server_count);
    for (size_t i = 0; i < config->server_count; i++) {
        servers[i] = config->servers[i].driver;
        ctn_secrets_fill(config, d->arena, &servers[i], &d->secrets);
    }
    d->http = ctn_http_new(&(ctn_http_options){.loop = loop});
    ctn_call_sink sink = {.done = on_done, .accepted = on_accepted, .progress = on_progress, .ctx = d};
    ctn_mcp_driver_options options = {.loop = loop,
                                      .spawner = spawner,
                                      .sink = sink,
                                      .log = log,
                                      .servers = servers,
                                      .server_count = config->server_count,
                                      .http = d->http,
                                      .headers = read_headers,
                                      .headers_ctx = d,
                                      .learned = on_learned,
                                      .learned_ctx = d,
                                      .may_keep = may_keep,
                                      .may_keep_ctx = d,
                                      .vault = credentials ? ctn_credentials_vault(credentials) : NULL,
                                      .line_bytes_max = ctn_config_answer_bytes(config)};
    int rc = ctn_mcp_driver_new(&options, &d->tools, err);
    if (rc) {
        ctn_drivers_free(d);
        return rc;
    }
    d->native = ctn_native_driver_new(sink);
    /* Ourselves, also when another catena was installed in the meantime: the link is the spawner's. */
    static const char *const WORKER[] = {"/proc/self/exe", CTN_TRANSFORM_WORKER_FLAG, NULL};
    ctn_transform_options transforms = {.loop = loop, .spawner = spawner, .sink = sink, .argv = WORKER};
    d->transforms = ctn_transform_driver_new(&transforms);
    ctn_prompt_model *models = CTN_NEW_ARRAY(d->arena, ctn_prompt_model, config->model_count);
    for (size_t i = 0; i < config->model_count; i++)
        models[i] = config->models[i].driver;
    ctn_prompt_options prompts = {.loop = loop,
                                  .http = d->http,
                                  .sink = sink,
                                  .models = models,
                                  .model_count = config->model_count,
                                  .headers = read_model_headers,
                                  .headers_ctx = d,
                                  .answer_bytes_max = ctn_config_answer_bytes(config)};
    d->prompts = ctn_prompt_driver_new(&prompts);
    d->commands = ctn_command_driver_new(&(ctn_command_options){.loop = loop,
                                                                .spawner = spawner,
                                                                .sink = sink,
                                                                .log = log,
                                                                .folder = ctn_arena_str(d->arena, config->folder).ptr,
                                                                .environment = (const char *const *) environ});
    ctn_webcall_options web = {.loop = loop,
                               .http = d->http,
                               .sink = sink,
                               .policy = ctn_config_egress_policy,
                               .policy_ctx = (void *) config,
                               .body_bytes_max = ctn_config_answer_bytes(config)};
    d->web = ctn_webcall_driver_new(&web);
    for (int kind = 0; kind < CTN_WORK_KIND_COUNT; kind++) {
        d->interfaces[kind] = interface_of(d, (ctn_work_kind) kind);
        if (d->interfaces[kind].kind)
            d->all[d->count++] = &d->interfaces[kind];
    }
    *ret_drivers = d;
    return CTN_OK;
}

void ctn_drivers_free(ctn_drivers *d)
{
    if (!d)
        return;
    ctn_mcp_driver_free(d->tools);
    ctn_native_driver_free(d->native);
    ctn_transform_driver_free(d->transforms);
    ctn_prompt_driver_free(d->prompts);
    ctn_command_driver_free(d->commands);
    ctn_webcall_driver_free(d->web);
    ctn_http_free(d->http);
    ctn_arena_free(d->scratch);
    ctn_arena_free(d->arena);
    free(d);
}

const ctn_driver *const *ctn_drivers_all(const ctn_drivers *d, size_t *ret_count)
{
    *ret_count = d->count;
    return d->all;
}

ctn_mcp_driver *ctn_drivers_tools(const ctn_drivers *d)
{
    return d->tools;
}

ctn_transform_driver *ctn_drivers_transforms(const ctn_drivers *d)
{
    return d->transforms;
}
