/*
 * prepare.c -- see prepare.h.
 */
#include "host/prepare.h"
#include "host/config_servers.h"
#include "host/programs.h"
#include "host/secrets.h"
#include <stdio.h>

typedef struct server_state {
    ctn_str name;
    struct preparing *preparing;
    int code;
    char why[sizeof((ctn_err){0}).message];
    struct server_state *next;
} server_state;

/* In the workspace's arena: a server may answer after a signal has ended the waiting. */
typedef struct preparing {
    ctn_arena *arena;
    ctn_drivers *drivers;
    server_state *servers;
    size_t open; /* that have not answered yet */
    ctn_err *err;
    int rc;
} preparing;

static void on_ready(void *ctx, int code, const char *why)
{
    server_state *s = ctx;
    s->code = code;
    snprintf(s->why, sizeof s->why, "%s", why);
    s->preparing->open--;
}

static void start_server(void *ctx, ctn_str step, ctn_str target)
{
    preparing *p = ctx;
    ctn_str name = ctn_str_cut(&target, '/');
    (void) step;
    for (server_state *s = p->servers; s; s = s->next)
        if (ctn_str_equal(s->name, name))
            return;
    server_state *s = CTN_NEW(p->arena, server_state);
    *s = (server_state){.name = name, .preparing = p, .next = p->servers};
    p->servers = s;
    p->open++;
    ctn_drivers_ready(p->drivers, name, on_ready, s);
}

static bool all_told(void *ctx)
{
    return ((preparing *) ctx)->open == 0;
}

static void find_tool(void *ctx, ctn_str step, ctn_str target)
{
    preparing *p = ctx;
    ctn_str server = ctn_str_cut(&target, '/');
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tools(ctn_drivers_tools(p->drivers), server, &count);
    ctn_str *names = CTN_NEW_ARRAY(p->arena, ctn_str, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = tools[i].name;
        if (ctn_str_equal(names[i], target))
            return;
    }
    if (p->rc)
        return;
    ctn_str advice = ctn_suggest(p->arena, target, names, count);
    p->rc = ctn_fail(p->err, CTN_E_NOT_FOUND, "step %.*s: the server \"%.*s\" has no tool \"%.*s\"; %.*s",
                     CTN_STR_ARG(step), CTN_STR_ARG(server), CTN_STR_ARG(target), CTN_STR_ARG(advice));
}

int ctn_prepare(ctn_host *host, const ctn_plan *plan, ctn_err *err)
{
    ctn_arena *arena = ctn_host_workspace(host)->arena;
    preparing *p = CTN_NEW(arena, preparing);
    *p = (preparing){.arena = arena, .err = err};
    int rc = ctn_host_drivers(host, &p->drivers, err);
    if (rc)
        return rc;
    rc = ctn_secrets_check_plan(ctn_host_workspace(host)->config, arena, plan, err);
    if (rc)
        return rc;
    ctn_plan_each_tool(plan, start_server, p);
    if (p->open && !ctn_host_run(host, all_told, p))
        return ctn_fail(err, CTN_E_CLOSED, "interrupted while the tool servers were starting; nothing was begun");
    for (server_state *s = p->servers; s; s = s->next)
        if (s->code)
            return ctn_fail(err, s->code, "%s", s->why);
    ctn_plan_each_tool(plan, find_tool, p);
    return p->rc ? p->rc : ctn_programs_check(host, plan, err);
}

int ctn_prepare_servers(ctn_host *host, const ctn_str *names, size_t count, const char **ret_whys, ctn_err *err)
{
    const ctn_workspace *ws = ctn_host_workspace(host);
    preparing *p = CTN_NEW(ws->arena, preparing);
    *p = (preparing){.arena = ws->arena, .err = err};
    int rc = ctn_host_drivers(host, &p->drivers, err);
    if (rc)
        return rc;
    server_state *states = CTN_NEW_ARRAY(ws->arena, server_state, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_config_server *server = ctn_config_server_of(ws->config, names[i]);
        ret_whys[i] = server ? ctn_config_server_refusal(server, ws->arena) : "no such server is configured";
        if (ret_whys[i])
            continue;
        states[i].preparing = p;
        p->open++;
        ctn_drivers_ready_all(p->drivers, names[i], on_ready, &states[i]);
    }
    if (p->open && !ctn_host_run(host, all_told, p))
        return ctn_fail(err, CTN_E_CLOSED, "interrupted while servers were asked for their tools");
    for (size_t i = 0; i < count; i++)
        if (states[i].code)
            ret_whys[i] = states[i].why;
    return CTN_OK;
}
