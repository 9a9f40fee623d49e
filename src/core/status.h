/*
 * status.h -- the statuses of executions and steps (chain language, section 6).
 */
#pragma once
#include "base/str.h"

typedef enum ctn_status {
    CTN_STATUS_QUEUED,
    CTN_STATUS_RUNNING,
    CTN_STATUS_WAITING,
    CTN_STATUS_INTERRUPTED,
    CTN_STATUS_PAUSED,
    CTN_STATUS_COMPENSATING,
    CTN_STATUS_COMPLETED, /* from here on final */
    CTN_STATUS_FAILED,
    CTN_STATUS_ROLLED_BACK,
    CTN_STATUS_ROLLBACK_FAILED,
    CTN_STATUS_CANCELLED,
    CTN_STATUS_COUNT
} ctn_status;

static inline bool ctn_status_is_final(ctn_status s)
{
    return s >= CTN_STATUS_COMPLETED;
}
const char *ctn_status_name(ctn_status status); /* "rolled_back" */
bool ctn_status_from_name(ctn_str name, ctn_status *ret_status);

typedef enum ctn_step_status {
    CTN_STEP_PENDING,
    CTN_STEP_RUNNING,
    CTN_STEP_RETRYING,
    CTN_STEP_WAITING,
    CTN_STEP_INTERRUPTED,
    CTN_STEP_COMPLETED,
    CTN_STEP_SKIPPED,
    CTN_STEP_FAILED,
    CTN_STEP_COMPENSATED,
    CTN_STEP_STATUS_COUNT
} ctn_step_status;
const char *ctn_step_status_name(ctn_step_status status);
