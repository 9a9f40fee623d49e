/*
 * operations.c -- the list of all operations, by subject.
 */
#include "server/api/internal.h"

const ctn_api_operation *const ctn_api_operations[] = {
    ctn_api_budgets,
    ctn_api_chains,
    ctn_api_events,
    ctn_api_executions,
    ctn_api_hooks,
    ctn_api_look,
    ctn_api_schedules,
    NULL,
};
