/*
 * buf.c -- doubling growth under a limit.
 *
 * What must hold: len <= capacity, and capacity <= limit_bytes unless the limit was lowered later. An append
 * either happens whole or not at all.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define CAPACITY_FIRST 64

void ctn_buf_init(ctn_buf *buf, size_t limit_bytes)
{
    *buf = (ctn_buf){.limit_bytes = limit_bytes};
}

void ctn_buf_done(ctn_buf *buf)
{
    ctn_free(buf->data);
    *buf = (ctn_buf){.limit_bytes = buf->limit_bytes, .may_lack = buf->may_lack};
}

void ctn_buf_clear(ctn_buf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
}

char *ctn_buf_reserve(ctn_buf *buf, size_t bytes)
{
    if (buf->len > buf->limit_bytes || bytes > buf->limit_bytes - buf->len) {
        buf->overflowed = true;
        return NULL;
    }
    size_t needed = buf->len + bytes;
    if (needed > buf->capacity || !buf->data) {
        size_t capacity = buf->capacity ? buf->capacity : CAPACITY_FIRST;
        while (capacity < needed && capacity <= SIZE_MAX / 2)
            capacity *= 2;
        if (capacity > buf->limit_bytes)
            capacity = buf->limit_bytes;
        assert(capacity >= needed);
        char *data = buf->may_lack ? realloc(buf->data, capacity) : ctn_realloc(buf->data, capacity);
        if (!data) {
            buf->overflowed = true;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->len;
}

void ctn_buf_append(ctn_buf *buf, ctn_str s)
{
    if (s.len == 0)
        return;
    char *at = ctn_buf_reserve(buf, s.len);
    if (!at)
        return;
    memcpy(at, s.ptr, s.len);
    buf->len += s.len;
}

void ctn_buf_append_char(ctn_buf *buf, char c)
{
    char *at = ctn_buf_reserve(buf, 1);
    if (!at)
        return;
    *at = c;
    buf->len += 1;
}

void ctn_buf_append_int64(ctn_buf *buf, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
    do {
        digits[--at] = (char) ('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    ctn_buf_append(buf, (ctn_str){digits + at, sizeof digits - at});
}

void ctn_buf_printf(ctn_buf *buf, const char *format, ...)
{
    char local[512];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(local, sizeof local, format, args);
    va_end(args);
    assert(length >= 0); /* a format of ours that cannot be printed is a bug */
    size_t len = (size_t) length;
    if (len < sizeof local) {
        ctn_buf_append(buf, (ctn_str){local, len});
    } else if (len > buf->limit_bytes) {
        buf->overflowed = true;
    } else {
        char *text = ctn_malloc(len + 1); /* vsnprintf writes a NUL, for which the limit may have no room */
        (void) vsnprintf(text, len + 1, format, again);
        ctn_buf_append(buf, (ctn_str){text, len});
        ctn_free(text);
    }
    va_end(again);
}

void ctn_buf_consume(ctn_buf *buf, size_t bytes)
{
    assert(bytes <= buf->len);
    if (bytes == 0)
        return;
    buf->len -= bytes;
    memmove(buf->data, buf->data + bytes, buf->len);
}
