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
    server->argv = CTN_NEW_ARRAY(arena, const char *, arg_count + 2);
    server->argv[0] = server->config.command;
    for (size_t i = 0; i < arg_count; i++)
        server->argv[i + 1] = copy_string(arena, from->args[i]);
    server->env = environment_of(arena, from->env);
    ctn_mcp_tool_effect *effects = CTN_NEW_ARRAY(arena, ctn_mcp_tool_effect, from->effect_count);
    for (size_t i = 0; i < from->effect_count; i++)
        effects[i] = (ctn_mcp_tool_effect){ctn_arena_str(arena, from->effects[i].tool), from->effects[i].effect};
    server->config.effects = effects;
    server->peer_count = 1;
    server->peers = CTN_NEW_ARRAY(arena, ctn_mcp_peer, server->peer_count);
    for (size_t i = 0; i < server->peer_count; i++) {
        ctn_mcp_peer *peer = &server->peers[i];
        peer->driver = driver;
        peer->server = server;
        peer->timer = ctn_timer_new(driver->options.loop, ctn_mcp_peer_timer, peer);
    }
}

int ctn_mcp_config_check(const ctn_mcp_driver_options *options, size_t i, ctn_err *err)
{
    const ctn_mcp_server_config *config = &options->servers[i];
    if (config->name.len == 0 || memchr(config->name.ptr, '/', config->name.len))
        return ctn_fail(err, CTN_E_INVALID, "a server's name must not be empty nor have a slash in it: \"%.*s\"",
                        CTN_STR_ARG(config->name));
    if (!config->command || !config->command[0])
        return ctn_fail(err, CTN_E_INVALID, "server %.*s has no command", CTN_STR_ARG(config->name));
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
