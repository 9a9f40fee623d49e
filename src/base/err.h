/*
 * err.h -- a code to branch on, a sentence to read.
 *
 * Functions that can fail for reasons outside this program return one of these codes (0 is success)
 * and, where they take a ctn_err, leave a sentence in it. Whoever discovers the failure writes the
 * sentence; each level that knows more prefixes it with ctn_wrap; only the top logs or prints it.
 * `err` may be NULL everywhere: then only the code is told.
 *
 * A bug is an assert. A step that failed is no error but an input to core (value/failure.h).
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CTN_OK = 0,
    CTN_E_INVALID,   /* the caller's data does not say what it must */
    CTN_E_LIMIT,     /* larger, deeper or more than a stated bound */
    CTN_E_NOT_FOUND, /* a name leads nowhere */
    CTN_E_EXISTS,    /* it is there already */
    CTN_E_IO,        /* disk or network; whether it happened is not known */
    CTN_E_BUSY,      /* contention; nothing happened, try again later */
    CTN_E_STALE,     /* a newer epoch, attempt or sequence number exists; forget yours */
    CTN_E_CORRUPT,   /* what was stored does not read back as what was written */
    CTN_E_NEWER,     /* written by a newer version of catena */
    CTN_E_STATE,     /* not allowed in the present state */
    CTN_E_CLOSED,    /* the other side is gone */
    CTN_E_TIMEOUT,
    CTN_E_DENIED,
    CTN_E_UNSUPPORTED, /* this build or version does not do that */
    CTN_E_NOMEM,       /* no memory; nothing happened (base/memory.h) */
    CTN_E_TOO_MANY,    /* as many as may be, or a quota is used up; nothing happened, try again later */
};

typedef struct ctn_err {
    int code;
    uint32_t line, column;  /* of the text that is wrong, from 1; 0 = not about a text */
    uint32_t retry_after_s; /* of TOO_MANY: when, from now; 0: soon */
    char message[600];      /* always terminated, no newline at the end */
} ctn_err;

/* Writes the sentence and returns `code`, so that `return ctn_fail(err, ...)` reads well. */
int ctn_fail(ctn_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int ctn_vfail(ctn_err *err, int code, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
/* The same with a position in a text. */
int ctn_fail_at(ctn_err *err, int code, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* "prefix: sentence"; keeps the position and returns `code`. */
int ctn_wrap(ctn_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "invalid", "not_found", ...: for logs and JSON. */
const char *ctn_err_name(int code);
