/*
 * budgets.c -- what executions use up: openapi/budgets.yaml.
 */
#include "engine/fold.h"
#include "host/told.h"
#include "server/api/execution.h"

static void get_budget(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_err err = {0};
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row))
        return;
    if (ctn_execution_load_beside(ctn_host_engine(call->host), ctn_host_store(call->host), NULL, call->arena, &row, &x,
                                  &err))
        ctn_api_fail(call, &err);
    else
        ctn_api_answer(call, 200, ctn_told_budget(call->arena, x, ctn_loop_now_ms(ctn_host_loop(call->host))));
    ctn_execution_unload_beside(ctn_host_engine(call->host), x);
}

const ctn_api_operation ctn_api_budgets[] = {{"getBudget", get_budget}, {NULL, NULL}};
