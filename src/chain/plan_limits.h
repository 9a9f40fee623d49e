/*
 * plan_limits.h -- how hard an instruction set may be used: rateLimit, maxConcurrent, breaker.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* How hard a set may be used; live, so the engine judges it at each call. */
typedef struct ctn_plan_limits {
    double rate_per_second; /* token bucket; 0: no limit */
    int64_t rate_burst;
    int64_t max_concurrent; /* calls at once; 0: no limit */
    /* the breaker of the tools that it calls */
    int64_t breaker_window, breaker_minimum, breaker_open_ms;
    double breaker_failure_ratio;
    bool breaker_is_said; /* else the numbers are the defaults */
} ctn_plan_limits;
