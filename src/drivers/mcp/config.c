/*
 * config.c -- the driver's configuration: judged whole before anything is made of it, then copied.
 */
#include "drivers/mcp/internal.h"
#include <stdlib.h>

static const char *const INHERITED[] = {"HOME", "LOGNAME", "PATH",   "SHELL", "TERM",
                                        "USER", "LANG",    "LC_ALL", "TZ",    "TMPDIR"};
#define INHERITED_COUNT (sizeof INHERITED / sizeof *INHERITED)

static size_t count_strings(const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    return count;
}

static const char *copy_string(ctn_arena *arena, const char *text)
{
    return text ? ctn_arena_str(arena, ctn_str_from(text)).ptr : NULL;
}

/* What is configured comes later and so must not be there twice: an inherited name gives way. */
static bool is_configured(const char *name, const char *const *env)
{
    size_t len = strlen(name);
    for (size_t i = 0; env && env[i]; i++)
        if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
            return true;
    return false;
}

static const char **environment_of(ctn_arena *arena, const char *const *env)
{
    size_t count = 0, configured = count_strings(env);
    const char **result = CTN_NEW_ARRAY(arena, const char *, INHERITED_COUNT + configured + 1);
    for (size_t i = 0; i < INHERITED_COUNT; i++) {
        const char *value = getenv(INHERITED[i]);
        if (value && !is_configured(INHERITED[i], env))
            result[count++] = ctn_arena_printf(arena, "%s=%s", INHERITED[i], value).ptr;
    }
    for (size_t i = 0; i < configured; i++)
        result[count++] = copy_string(arena, env[i]);
    return result;
}

static void copy_address(ctn_mcp_server *server, const ctn_mcp_server_config *from)
{
    ctn_arena *arena = server->driver->arena;
    ctn_mcp_header *headers = CTN_NEW_ARRAY(arena, ctn_mcp_header, from->header_count);
    for (size_t i = 0; i < from->header_count; i++)
        headers[i] =
            (ctn_mcp_header){ctn_arena_str(arena, from->headers[i].name), ctn_arena_str(arena, from->headers[i].value)};
    server->config.headers = headers;
    server->config.url = copy_string(arena, from->url);
    server->config.policy.ca_file = copy_string(arena, from->policy.ca_file);
    server->config.policy.proxy = copy_string(arena, from->policy.proxy);
}

static const char *without_query(ctn_arena *arena, const char *url)
{
    ctn_str rest = ctn_str_from(url);
    return ctn_arena_str(arena, ctn_str_cut(&rest, '?')).ptr;
}

/* An Authorization header that is configured is the operator's own way: then no token is ours to send. */
static ctn_auth *auth_of(const ctn_mcp_server *server, const char *url)
{
    const ctn_mcp_driver_options *options = &server->driver->options;
    const ctn_mcp_server_config *config = &server->config;
    for (size_t i = 0; i < config->header_count; i++)
        if (ctn_str_equal_any_case(config->headers[i].name, CTN_STR("Authorization")))
            return NULL;
    return url ? ctn_auth_new(&(ctn_auth_options){.loop = options->loop,
                                                  .http = options->http,
                                                  .log = options->log,
                                                  .server = config->name,
                                                  .url = ctn_str_from(url),
                                                  .policy = &config->policy,
                                                  .config = config->auth,
                                                  .vault = options->vault,
                                                  .ask = options->ask,
                                                  .learned = options->learned,
                                                  .learned_ctx = options->learned_ctx})
               : NULL;
}

void ctn_mcp_server_init(ctn_mcp_driver *driver, ctn_mcp_server *server, const ctn_mcp_server_config *from)
{
    ctn_arena *arena = driver->arena;
    size_t arg_count = count_strings(from->args);
    server->driver = driver;
    server->config = *from;
    server->config.name = ctn_arena_str(arena, from->name);
    server->config.command = copy_string(arena, from->command);
    server->config.cwd = copy_string(arena, from->cwd);
    server->config.version = ctn_arena_str(arena, from->version);
    server->config.args = server->config.env = NULL; /* in argv and env */
    server->config.more_urls = NULL;                 /* each with its peer */
    copy_address(server, from);
    server->argv = CTN_NEW_ARRAY(arena, const char *, arg_count + 2);
    server->argv[0] = server->config.command;
    for (size_t i = 0; i < arg_count; i++)
        server->argv[i + 1] = copy_string(arena, from->args[i]);
    server->env = environment_of(arena, from->env);
    ctn_mcp_tool_effect *effects = CTN_NEW_ARRAY(arena, ctn_mcp_tool_effect, from->effect_count);
    for (size_t i = 0; i < from->effect_count; i++)
        effects[i] = (ctn_mcp_tool_effect){ctn_arena_str(arena, from->effects[i].tool), from->effects[i].effect};
    server->config.effects = effects;
    size_t more = count_strings(from->more_urls);
    server->peer_count = from->url ? 1 + more : from->instances > 1 ? from->instances : 1;
    server->peers = CTN_NEW_ARRAY(arena, ctn_mcp_peer, server->peer_count);
    for (size_t i = 0; i < server->peer_count; i++) {
        ctn_mcp_peer *peer = &server->peers[i];
        peer->driver = driver;
        peer->server = server;
        peer->url = i == 0 ? server->config.url : from->url ? copy_string(arena, from->more_urls[i - 1]) : NULL;
        peer->shown = peer->url ? without_query(arena, peer->url) : server->config.command;
        peer->auth = auth_of(server, peer->url);
        peer->wants_sse = from->way == CTN_MCP_WAY_SSE;
        peer->timer = ctn_timer_new(driver->options.loop, ctn_mcp_peer_timer, peer);
    }
}

static int check_address(const ctn_mcp_driver_options *options, const ctn_mcp_server_config *config, ctn_err *err)
{
    ctn_arena *scratch = ctn_arena_new(512);
    ctn_str origin;
    int rc = ctn_url_origin(scratch, ctn_str_from(config->url), &origin, err);
    for (size_t i = 0; rc == CTN_OK && config->more_urls && config->more_urls[i]; i++)
        rc = ctn_url_origin(scratch, ctn_str_from(config->more_urls[i]), &origin, err);
    ctn_arena_free(scratch);
    if (rc)
        return rc;
    if (!options->http)
        return ctn_fail(err, CTN_E_UNSUPPORTED, "servers with a url are not called here");
    if (config->header_count > CTN_MCP_OWN_HEADERS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "more than %d headers", CTN_MCP_OWN_HEADERS_MAX);
    for (size_t i = 0; i < config->header_count; i++)
        if (ctn_mcp_header_is_ours(config->headers[i].name))
            return ctn_fail(err, CTN_E_INVALID, "the header %.*s is catena's own to send",
                            CTN_STR_ARG(config->headers[i].name));
    if (ctn_mcp_is_modern(config->version) && config->way == CTN_MCP_WAY_SSE)
        return ctn_fail(err, CTN_E_INVALID, "MCP " CTN_MCP_VERSION_MODERN " is not spoken over HTTP with SSE");
    return CTN_OK;
}

int ctn_mcp_config_check(const ctn_mcp_driver_options *options, size_t i, ctn_err *err)
{
    const ctn_mcp_server_config *config = &options->servers[i];
    if (config->name.len == 0 || memchr(config->name.ptr, '/', config->name.len))
        return ctn_fail(err, CTN_E_INVALID, "a server's name must not be empty nor have a slash in it: \"%.*s\"",
                        CTN_STR_ARG(config->name));
    bool has_command = config->command && config->command[0];
    if (has_command == (config->url != NULL))
        return ctn_fail(err, CTN_E_INVALID, "server %.*s has %s", CTN_STR_ARG(config->name),
                        has_command ? "both a command and a url" : "no command and no url");
    if (config->instances > CTN_MCP_INSTANCES_MAX || count_strings(config->more_urls) >= CTN_MCP_INSTANCES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "server %.*s has more than %d instances", CTN_STR_ARG(config->name),
                        CTN_MCP_INSTANCES_MAX);
    if (config->url) {
        int rc = check_address(options, config, err);
        if (rc)
            return ctn_wrap(err, rc, "server %.*s", CTN_STR_ARG(config->name));
    }
    if (config->version.len && !ctn_mcp_is_modern(config->version) && !ctn_mcp_is_legacy(config->version))
        return ctn_fail(err, CTN_E_INVALID,
                        "server %.*s: MCP version \"%.*s\" is not known; known are " CTN_MCP_VERSION_MODERN
                        ", " CTN_MCP_VERSION_LEGACY ", 2025-06-18, 2025-03-26 and 2024-11-05",
                        CTN_STR_ARG(config->name), CTN_STR_ARG(config->version));
    for (size_t k = 0; k < i; k++)
        if (ctn_str_equal(options->servers[k].name, config->name))
            return ctn_fail(err, CTN_E_INVALID, "server %.*s is configured twice", CTN_STR_ARG(config->name));
    return CTN_OK;
}
