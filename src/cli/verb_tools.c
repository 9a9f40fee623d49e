/*
 * verb_tools.c -- `tools list` and `tools call`: the configured servers, outside any chain.
 */
#include "cli/inputs.h"
#include "cli/named.h"
#include "cli/result.h"
#include "host/config_servers.h"
#include <stdio.h>

#define CALL_LIMIT_MS 60000

typedef struct asking {
    ctn_cli *cli;
    ctn_drivers *drivers;
    const char **whys; /* by server; NULL: it is up */
    size_t open;
    /* tools call */
    bool is_done;
    ctn_failure failure;
    ctn_str message;
    const ctn_json *value;
} asking;

typedef struct asked {
    asking *a;
    size_t server;
} asked;

static void on_ready(void *ctx, int code, const char *why)
{
    asked *s = ctx;
    s->a->open--;
    if (code)
        s->a->whys[s->server] = ctn_arena_str(s->a->cli->arena, ctn_str_from(why)).ptr;
}

static bool all_told(void *ctx)
{
    return ((asking *) ctx)->open == 0;
}

static const char *effect_of(const ctn_mcp_driver *servers, ctn_str server, ctn_str tool, ctn_arena *arena)
{
    const char *from = NULL;
    ctn_str target = ctn_arena_printf(arena, "%.*s/%.*s", CTN_STR_ARG(server), CTN_STR_ARG(tool));
    ctn_effect effect = ctn_mcp_effect(servers, target, &from);
    return effect == CTN_EFFECT_UNKNOWN ? "write?" : ctn_effect_name(effect);
}

/* Of a server that is many; NULL: it is one. */
static const ctn_json *instances_of(const ctn_mcp_driver *servers, ctn_str server, ctn_arena *arena)
{
    ctn_mcp_instance_state s;
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; ctn_mcp_instance(servers, server, i, &s); i++) {
        ctn_json_builder b = ctn_json_object(arena);
        if (s.url)
            ctn_json_put_str(&b, "url", ctn_arena_str(arena, ctn_str_from(s.url)));
        else if (s.pid)
            ctn_json_put_int(&b, "pid", s.pid);
        ctn_json_put_str(&b, "state", ctn_str_from(s.state));
        ctn_json_put_int(&b, "tools", (int64_t) s.tool_count);
        if (s.why[0])
            ctn_json_put_str(&b, "why", ctn_arena_str(arena, ctn_str_from(s.why)));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return list.count > 1 ? ctn_json_finish(&list) : NULL;
}

/* Those that are not up, for people. */
static void tell_instances(asking *a, ctn_str server)
{
    ctn_mcp_instance_state s;
    for (size_t i = 0; ctn_mcp_instance(ctn_drivers_tools(a->drivers), server, i, &s); i++)
        if (strcmp(s.state, "up") != 0)
            ctn_cli_say(a->cli, "instance %zu of server %.*s is %s%s%s", i + 1, CTN_STR_ARG(server), s.state,
                        s.why[0] ? ": " : "",
                        ctn_arena_str(a->cli->arena, ctn_text_clean(a->cli->arena, ctn_str_from(s.why), 0)).ptr);
}

static void list_server(asking *a, const ctn_config_server *s, ctn_json_builder *list)
{
    ctn_cli *cli = a->cli;
    size_t count = 0, columns = 0;
    const ctn_mcp_driver *servers = ctn_drivers_tools(a->drivers);
    const ctn_mcp_tool *tools = ctn_mcp_tools(servers, s->name, &count);
    for (size_t i = 0; i < count; i++)
        columns = tools[i].name.len > columns ? tools[i].name.len : columns;
    const ctn_json *instances = instances_of(servers, s->name, cli->arena);
    if (instances)
        tell_instances(a, s->name);
    for (size_t i = 0; i < count; i++) {
        const char *effect = effect_of(servers, s->name, tools[i].name, cli->arena);
        if (!list) {
            printf("%.*s/%-*.*s  %-10s  %.*s\n", CTN_STR_ARG(s->name), (int) columns,
                   CTN_STR_ARG(ctn_text_clean(cli->arena, tools[i].name, 0)), effect,
                   CTN_STR_ARG(ctn_text_clean(cli->arena, tools[i].description, 100)));
            continue;
        }
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "server", s->name);
        ctn_json_put_str(&b, "tool", ctn_arena_str(cli->arena, tools[i].name));
        ctn_json_put_str(&b, "effect", ctn_str_from(effect));
        ctn_json_put_str(&b, "description", ctn_arena_str(cli->arena, tools[i].description));
        if (tools[i].input_schema)
            ctn_json_put(&b, CTN_STR("inputSchema"), ctn_json_copy(cli->arena, tools[i].input_schema));
        if (instances)
            ctn_json_put(&b, CTN_STR("instances"), instances);
        ctn_json_push(list, ctn_json_finish(&b));
    }
}

static int list_all(asking *a, const ctn_config *config, ctn_str only)
{
    ctn_cli *cli = a->cli;
    ctn_json_builder list = ctn_json_array(cli->arena);
    bool is_json = ctn_opt_is_given(cli, CTN_OPT_JSON);
    int exit_code = CTN_EXIT_OK;
    for (size_t i = 0; i < config->server_count; i++) {
        const ctn_config_server *s = &config->servers[i];
        if (only.len && !ctn_str_equal(only, s->name))
            continue;
        const char *why = ctn_config_server_refusal(s, cli->arena);
        if (!why)
            why = a->whys[i];
        if (why)
            exit_code = ctn_cli_fail_server(cli, s->name, why);
        else
            list_server(a, s, is_json ? &list : NULL);
    }
    if (is_json)
        ctn_result_print(cli, ctn_json_finish(&list));
    return exit_code;
}

static int run_tools_list(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    ctn_str only = ctn_word(cli, 0);
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    const ctn_config *config = ws.config;
    if (only.len && !ctn_config_server_of(config, only))
        return ctn_cli_fail(cli, "there is no server \"%.*s\"; %.*s", CTN_STR_ARG(only),
                            CTN_STR_ARG(ctn_config_suggest_server(config, cli->arena, only)));
    if (config->server_count == 0)
        return ctn_cli_fail(cli, "no servers are configured%s",
                            config->file.len ? "" : ": there is no catena.yaml here or above");
    asking a = {.cli = cli};
    ctn_host *host = ctn_cli_host(cli, &ws);
    a.whys = CTN_NEW_ARRAY(cli->arena, const char *, config->server_count);
    asked *servers = CTN_NEW_ARRAY(cli->arena, asked, config->server_count);
    if (ctn_host_drivers(host, &a.drivers, &err)) {
        exit_code = ctn_cli_fail_err(cli, &err);
        goto done;
    }
    for (size_t i = 0; i < config->server_count; i++) {
        servers[i] = (asked){&a, i};
        if (ctn_config_server_refusal(&config->servers[i], cli->arena) ||
            (only.len && !ctn_str_equal(only, config->servers[i].name)))
            continue;
        a.open++;
        ctn_drivers_ready_all(a.drivers, config->servers[i].name, on_ready, &servers[i]);
    }
    if (a.open && !ctn_host_run(host, all_told, &a))
        exit_code = CTN_EXIT_INTERRUPTED;
    else
        exit_code = list_all(&a, config, only);
done:
    ctn_host_close(host);
    return exit_code;
}

const ctn_verb ctn_verb_tools_list = {
    .name = "tools list",
    .operands = "[SERVER]",
    .summary = "List the tools of the configured servers",
    .options = CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(JSON),
    .words_max = 1,
    .run = run_tools_list,
};

/* ---- call ---- */

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    asking *a = ctx;
    (void) token;
    a->is_done = true;
    a->failure = result->failure;
    a->message = ctn_arena_str(a->cli->arena, result->message);
    if (result->asks) { /* an execution would wait */
        a->failure = CTN_FAILURE_PROTOCOL_ERROR;
        a->message = ctn_arena_printf(a->cli->arena, "it asks for %s; a chain that calls it waits for the answer",
                                      ctn_json_to_str(a->cli->arena, result->asks).ptr);
    }
    a->value = result->value ? ctn_json_copy(a->cli->arena, result->value) : &ctn_json_null;
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    const asking *a = ctx;
    ctn_arena_mark mark = ctn_arena_save(a->cli->arena); /* a server may tell as much as it likes */
    (void) token;
    if (total > 0)
        ctn_cli_say(a->cli, "%.0f %% %.*s", 100 * progress / total,
                    CTN_STR_ARG(ctn_text_clean(a->cli->arena, message, 200)));
    else if (message.len)
        ctn_cli_say(a->cli, "%.*s", CTN_STR_ARG(ctn_text_clean(a->cli->arena, message, 200)));
    ctn_arena_restore(a->cli->arena, mark);
}

static bool is_done(void *ctx)
{
    return ((asking *) ctx)->is_done;
}

static int says_no_tool(ctn_cli *cli, ctn_str target)
{
    return ctn_cli_fail(cli, "\"%.*s\" names no tool: write SERVER/TOOL", CTN_STR_ARG(target));
}

static int check_target(ctn_cli *cli, const ctn_config *config, ctn_str target)
{
    ctn_str tool = target;
    ctn_str name = ctn_str_cut(&tool, '/');
    if (!tool.ptr || tool.len == 0 || name.len == 0)
        return says_no_tool(cli, target);
    const ctn_config_server *s = ctn_config_server_of(config, name);
    if (!s)
        return ctn_cli_fail(cli, "there is no server \"%.*s\"; %.*s", CTN_STR_ARG(name),
                            CTN_STR_ARG(ctn_config_suggest_server(config, cli->arena, name)));
    const char *why = ctn_config_server_refusal(s, cli->arena);
    return why ? ctn_cli_fail(cli, "server %.*s: %s", CTN_STR_ARG(name), why) : CTN_EXIT_OK;
}

static int run_tools_call(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    ctn_str target = ctn_word(cli, 0);
    const ctn_json *args = NULL;
    ctn_str text = cli->args.word_count > 1 ? ctn_word(cli, 1) : CTN_STR("{}");
    int exit_code = ctn_str_find(target, CTN_STR("/")) == SIZE_MAX
                        ? says_no_tool(cli, target)
                        : ctn_json_argument(cli, "the arguments", text, &args);
    if (exit_code == CTN_EXIT_OK && !ctn_json_is(args, CTN_JSON_OBJECT))
        exit_code = ctn_cli_fail(cli, "the arguments of a tool are an object, not %s", ctn_json_kind_name(args));
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = check_target(cli, ws.config, target);
    if (exit_code)
        return exit_code;
    asking a = {.cli = cli};
    ctn_host *host = ctn_cli_host(cli, &ws);
    if (ctn_host_drivers(host, &a.drivers, &err)) {
        ctn_host_close(host);
        return ctn_cli_fail_err(cli, &err);
    }
    ctn_drivers_report_to(a.drivers, (ctn_call_sink){.done = on_done, .progress = on_progress, .ctx = &a});
    ctn_driver driver = ctn_mcp_driver_interface(ctn_drivers_tools(a.drivers));
    ctn_call_request request = {.token = 1,
                                .target = target,
                                .args = args,
                                .timeout_ms = CALL_LIMIT_MS,
                                .deadline_ms = ctn_loop_now_ms(ctn_host_loop(host)) + CALL_LIMIT_MS,
                                .execution_id = CTN_STR("tools call"),
                                .step = CTN_STR("-"),
                                .attempt = 1};
    driver.begin(driver.ctx, &request);
    bool goes_on = a.is_done || ctn_host_run(host, is_done, &a);
    ctn_host_close(host);
    if (!goes_on)
        return CTN_EXIT_INTERRUPTED;
    if (a.failure == CTN_FAILURE_NONE) {
        ctn_result_print(cli, a.value);
        return CTN_EXIT_OK;
    }
    bool is_ours = a.failure == CTN_FAILURE_INVALID_INPUT || a.failure == CTN_FAILURE_PROTOCOL_ERROR ||
                   a.failure == CTN_FAILURE_UNAVAILABLE;
    (void) ctn_cli_fail(cli, "%s: %.*s", ctn_failure_name(a.failure),
                        CTN_STR_ARG(ctn_text_clean(cli->arena, a.message, 0)));
    return is_ours ? CTN_EXIT_USAGE : CTN_EXIT_ENDED;
}

const ctn_verb ctn_verb_tools_call = {
    .name = "tools call",
    .operands = "SERVER/TOOL [JSON]",
    .summary = "Call a tool once, outside any chain, and print its result",
    .options = CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(JSON) | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 2,
    .run = run_tools_call,
};
