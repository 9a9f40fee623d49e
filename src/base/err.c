/*
 * err.c -- sentences into a fixed place: cut at a character's edge when too long, never unterminated.
 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* The copy is cut where a UTF-8 character begins, and loses newlines at its end. */
static void set_message(ctn_err *err, const char *text, bool was_cut)
{
    size_t len = strnlen(text, sizeof err->message - 1);
    if (was_cut || text[len] != '\0') {
        while (len > 0 && ((unsigned char) text[len] & 0xC0) == 0x80)
            len--;
        /* text may itself have been cut inside a character, at its terminator */
        size_t start = len;
        while (start > 0 && len - start < 3 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
            start--;
        if (start > 0 && (unsigned char) text[start - 1] >= 0xC0 &&
            ctn_str_utf8_at((ctn_str){text, len}, start - 1) == 0)
            len = start - 1;
    }
    while (len > 0 && text[len - 1] == '\n')
        len--;
    memmove(err->message, text, len);
    err->message[len] = '\0';
}

/* Arguments may point into err->message, so the sentence is made aside. */
__attribute__((format(printf, 2, 0))) static void write_message(ctn_err *err, const char *format, va_list args)
{
    char text[sizeof err->message];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length < 0)
        text[0] = '\0';
    set_message(err, text, length >= (int) sizeof text);
}

int ctn_vfail(ctn_err *err, int code, const char *format, va_list args)
{
    if (!err)
        return code;
    write_message(err, format, args);
    err->code = code;
    err->line = 0;
    err->column = 0;
    err->retry_after_s = 0;
    return code;
}

int ctn_fail(ctn_err *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(err, code, format, args);
    va_end(args);
    return code;
}

int ctn_fail_at(ctn_err *err, int code, uint32_t line, uint32_t column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(err, code, format, args);
    va_end(args);
    if (err) {
        err->line = line;
        err->column = column;
    }
    return code;
}

int ctn_wrap(ctn_err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    char prefix[sizeof err->message], whole[2 * sizeof err->message + 2];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    if (length < 0)
        prefix[0] = '\0';
    (void) snprintf(whole, sizeof whole, "%s: %s", prefix, err->message);
    set_message(err, whole, false);
    err->code = code;
    return code;
}

const char *ctn_err_name(int code)
{
    switch (code) {
    case CTN_OK: return "ok";
    case CTN_E_INVALID: return "invalid";
    case CTN_E_LIMIT: return "limit";
    case CTN_E_NOT_FOUND: return "not_found";
    case CTN_E_EXISTS: return "exists";
    case CTN_E_IO: return "io";
    case CTN_E_BUSY: return "busy";
    case CTN_E_STALE: return "stale";
    case CTN_E_CORRUPT: return "corrupt";
    case CTN_E_NEWER: return "newer";
    case CTN_E_STATE: return "state";
    case CTN_E_CLOSED: return "closed";
    case CTN_E_TIMEOUT: return "timeout";
    case CTN_E_DENIED: return "denied";
    case CTN_E_UNSUPPORTED: return "unsupported";
    case CTN_E_NOMEM: return "no_memory";
    case CTN_E_TOO_MANY: return "too_many";
    default: return "unknown";
    }
}
