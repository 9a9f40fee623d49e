/* failure.c -- the codes of failed attempts by name: the words that chains (retryOn), journals and people use. */
#include "value/failure.h"

#include <assert.h>
#include <stdarg.h>

static const char *const names[CTN_FAILURE_COUNT] = {
    [CTN_FAILURE_NONE] = "none",
    [CTN_FAILURE_TIMEOUT] = "timeout",
    [CTN_FAILURE_TRANSPORT] = "transport",
    [CTN_FAILURE_UNAVAILABLE] = "unavailable",
    [CTN_FAILURE_RATE_LIMITED] = "rate_limited",
    [CTN_FAILURE_BREAKER_OPEN] = "breaker_open",
    [CTN_FAILURE_TOOL_ERROR] = "tool_error",
    [CTN_FAILURE_PROTOCOL_ERROR] = "protocol_error",
    [CTN_FAILURE_INVALID_INPUT] = "invalid_input",
    [CTN_FAILURE_INVALID_OUTPUT] = "invalid_output",
    [CTN_FAILURE_MISSING_OUTPUT] = "missing_output",
    [CTN_FAILURE_UNDEFINED_VARIABLE] = "undefined_variable",
    [CTN_FAILURE_CONDITION_FAILED] = "condition_failed",
    [CTN_FAILURE_EXPRESSION_LIMIT] = "expression_limit",
    [CTN_FAILURE_DIVISION_BY_ZERO] = "division_by_zero",
    [CTN_FAILURE_LIMIT] = "limit",
    [CTN_FAILURE_BUDGET] = "budget",
    [CTN_FAILURE_DENIED] = "denied",
    [CTN_FAILURE_CANCELLED] = "cancelled",
    [CTN_FAILURE_INTERRUPTED] = "interrupted",
};

const char *ctn_failure_name(ctn_failure failure)
{
    assert((unsigned) failure < CTN_FAILURE_COUNT);
    return names[failure];
}

ctn_failure ctn_failure_from_name(ctn_str name)
{
    for (int i = CTN_FAILURE_NONE + 1; i < CTN_FAILURE_COUNT; i++)
        if (ctn_str_is(name, names[i]))
            return (ctn_failure) i;
    return CTN_FAILURE_NONE;
}

ctn_failure ctn_failure_tell(ctn_err *err, ctn_failure failure, const char *format, ...)
{
    int code = CTN_E_INVALID;
    if (failure == CTN_FAILURE_LIMIT || failure == CTN_FAILURE_EXPRESSION_LIMIT)
        code = CTN_E_LIMIT;
    else if (failure == CTN_FAILURE_UNDEFINED_VARIABLE)
        code = CTN_E_NOT_FOUND;
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(err, code, format, args);
    va_end(args);
    return failure;
}
