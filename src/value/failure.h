/*
 * failure.h -- why an attempt failed: the codes of the chain language (section 6).
 *
 * A failed step is no error of this program: it is data, an input to decide. Functions that work on a
 * step's behalf (render, evaluate, validate, call) return one of these; CTN_FAILURE_NONE is success.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

typedef enum ctn_failure {
    CTN_FAILURE_NONE = 0,
    CTN_FAILURE_TIMEOUT,
    CTN_FAILURE_TRANSPORT,
    CTN_FAILURE_UNAVAILABLE,
    CTN_FAILURE_RATE_LIMITED,
    CTN_FAILURE_BREAKER_OPEN,
    CTN_FAILURE_TOOL_ERROR,
    CTN_FAILURE_PROTOCOL_ERROR,
    CTN_FAILURE_INVALID_INPUT,
    CTN_FAILURE_INVALID_OUTPUT,
    CTN_FAILURE_MISSING_OUTPUT,
    CTN_FAILURE_UNDEFINED_VARIABLE,
    CTN_FAILURE_CONDITION_FAILED,
    CTN_FAILURE_EXPRESSION_LIMIT,
    CTN_FAILURE_DIVISION_BY_ZERO,
    CTN_FAILURE_LIMIT,
    CTN_FAILURE_BUDGET,
    CTN_FAILURE_DENIED,
    CTN_FAILURE_CANCELLED,
    CTN_FAILURE_INTERRUPTED,
    CTN_FAILURE_COUNT
} ctn_failure;

const char *ctn_failure_name(ctn_failure failure); /* "timeout", ...; "none" for NONE */
/* CTN_FAILURE_NONE when the name is unknown ("none" included). */
ctn_failure ctn_failure_from_name(ctn_str name);
/* Writes the sentence and returns `failure`, so that `return ctn_failure_tell(err, ...)` reads well. The
 * code in err is CTN_E_LIMIT for limit and expression_limit, CTN_E_NOT_FOUND for undefined_variable, else
 * CTN_E_INVALID. */
ctn_failure ctn_failure_tell(ctn_err *err, ctn_failure failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
