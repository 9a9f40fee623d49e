/*
 * leave.c -- see leave.h.
 */
#include "drivers/mcp/leave.h"

enum { UNAUTHORIZED = 401, FORBIDDEN = 403 };

static void tell_denied(void *ctx)
{
    ctn_mcp_leave *l = ctx;
    l->events.denied(l->events.ctx, l->code, l->why);
}

static void on_ready(void *ctx, int code, ctn_str token, const char *why)
{
    ctn_mcp_leave *l = ctx;
    if (code == CTN_OK) {
        l->token = ctn_arena_str(l->arena, token);
        l->events.given(l->events.ctx);
        return;
    }
    l->code = code;
    l->why = ctn_arena_str(l->arena, ctn_str_from(why)).ptr;
    l->denial = (ctn_task){.run = tell_denied, .ctx = l};
    ctn_task_file(l->loop, &l->denial);
}

void ctn_mcp_leave_ask(ctn_mcp_leave *l)
{
    if (l->auth)
        ctn_auth_token(l->auth, on_ready, l);
    else
        l->events.given(l->events.ctx);
}

void ctn_mcp_leave_add(const ctn_mcp_leave *l, ctn_mcp_header_list *list)
{
    if (!l->token.len)
        return;
    ctn_mcp_header_add(list, "Authorization", ctn_arena_printf(l->arena, "Bearer %.*s", CTN_STR_ARG(l->token)));
    list->items[list->count - 1].is_secret = true;
}

void ctn_mcp_leave_read(ctn_mcp_leave *l, const ctn_http_head *head)
{
    l->challenge_count = 0;
    if (!l->auth || (head->status != UNAUTHORIZED && head->status != FORBIDDEN))
        return;
    for (size_t i = 0; i < head->header_count && l->challenge_count < 4; i++)
        if (ctn_str_equal_any_case(head->headers[i].name, CTN_STR("WWW-Authenticate")))
            l->challenges[l->challenge_count++] = ctn_arena_str(l->arena, head->headers[i].value);
}

bool ctn_mcp_leave_refused(ctn_mcp_leave *l, int status)
{
    if (!l->auth || (status != UNAUTHORIZED && status != FORBIDDEN) || l->refusals++ >= CTN_AUTH_REFUSALS_MAX)
        return false;
    ctn_auth_refused(l->auth, l->token, status, l->challenges, l->challenge_count, on_ready, l);
    return true;
}

void ctn_mcp_leave_done(ctn_mcp_leave *l)
{
    if (l->auth)
        ctn_auth_forget(l->auth, l);
    ctn_task_cancel(&l->denial);
}
