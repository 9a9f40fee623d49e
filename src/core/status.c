/*
 * status.c -- the names, and back.
 */
#include "core/status.h"
#include <assert.h>

/* Names are stored and shown: they never change. */
static const char *const STATUS_NAMES[CTN_STATUS_COUNT] = {
    [CTN_STATUS_QUEUED] = "queued",           [CTN_STATUS_RUNNING] = "running",
    [CTN_STATUS_WAITING] = "waiting",         [CTN_STATUS_INTERRUPTED] = "interrupted",
    [CTN_STATUS_PAUSED] = "paused",           [CTN_STATUS_COMPENSATING] = "compensating",
    [CTN_STATUS_COMPLETED] = "completed",     [CTN_STATUS_FAILED] = "failed",
    [CTN_STATUS_ROLLED_BACK] = "rolled_back", [CTN_STATUS_ROLLBACK_FAILED] = "rollback_failed",
    [CTN_STATUS_CANCELLED] = "cancelled",
};

static const char *const STEP_STATUS_NAMES[CTN_STEP_STATUS_COUNT] = {
    [CTN_STEP_PENDING] = "pending", [CTN_STEP_RUNNING] = "running",         [CTN_STEP_RETRYING] = "retrying",
    [CTN_STEP_WAITING] = "waiting", [CTN_STEP_INTERRUPTED] = "interrupted", [CTN_STEP_COMPLETED] = "completed",
    [CTN_STEP_SKIPPED] = "skipped", [CTN_STEP_FAILED] = "failed",           [CTN_STEP_COMPENSATED] = "compensated",
};

const char *ctn_status_name(ctn_status status)
{
    assert(status < CTN_STATUS_COUNT);
    return STATUS_NAMES[status];
}

bool ctn_status_from_name(ctn_str name, ctn_status *ret_status)
{
    for (int i = 0; i < CTN_STATUS_COUNT; i++)
        if (ctn_str_is(name, STATUS_NAMES[i])) {
            *ret_status = (ctn_status) i;
            return true;
        }
    return false;
}

const char *ctn_step_status_name(ctn_step_status status)
{
    assert(status < CTN_STEP_STATUS_COUNT);
    return STEP_STATUS_NAMES[status];
}
