/*
 * buf.h -- bytes that grow up to a limit. The one place where somebody else's size becomes our memory.
 *
 * An append that would pass `limit_bytes` changes nothing and sets `overflowed`, which stays set until clear: a writer
 * may append many times and ask once at the end. A shorter append behind it may fit again, so what an overflowed buffer
 * holds is good for nothing. There is no terminator.
 *
 * Ownership  A ctn_buf owns its bytes; done frees them, and it may then be used again with the same limit. What str and
 *            reserve give is valid until the next call that takes the buffer not const. Zero-initialise plus limit, or
 *            use init. Others read data, len and overflowed; only who called reserve writes len.
 */
#pragma once
#include "base/str.h"
#include <stdarg.h>

typedef struct ctn_buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t limit_bytes;
    bool overflowed;
    bool may_lack; /* memory that is not there is an overflow, and no end of the process: for what a peer sizes */
} ctn_buf;

void ctn_buf_init(ctn_buf *buf, size_t limit_bytes);
void ctn_buf_done(ctn_buf *buf);
void ctn_buf_clear(ctn_buf *buf); /* len 0, not overflowed; keeps the memory */

static inline ctn_str ctn_buf_str(const ctn_buf *buf)
{
    return (ctn_str){buf->data, buf->len};
}
/* Room for `bytes` more at data + len, or NULL (and overflowed). The caller writes and adds to len. */
char *ctn_buf_reserve(ctn_buf *buf, size_t bytes);
void ctn_buf_append(ctn_buf *buf, ctn_str s);
void ctn_buf_append_char(ctn_buf *buf, char c);
#define ctn_buf_append_literal(buf, literal) ctn_buf_append((buf), CTN_STR(literal))
void ctn_buf_append_int64(ctn_buf *buf, int64_t value);
void ctn_buf_printf(ctn_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `bytes` (a line that was read) and moves the rest to the front. */
void ctn_buf_consume(ctn_buf *buf, size_t bytes);
