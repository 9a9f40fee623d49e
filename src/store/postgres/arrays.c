/*
 * arrays.c -- see arrays.h.
 *
 * The form (array_send in the server): dimensions, has nulls, type; of the one dimension its size and first index; then
 * each element's length (-1: NULL) and bytes; all numbers big-endian.
 */
#include "store/postgres/arrays.h"
#include <assert.h>
#include <endian.h>

enum { HEAD_BYTES = 20, ARRAY_BYTES_MAX = 512 * 1024 * 1024 };

static void put_u32(pg_array *a, uint32_t value)
{
    uint32_t big = htobe32(value);
    ctn_buf_append(&a->buf, (ctn_str){(const char *) &big, sizeof big});
}

void ctn_pg_array_begin(pg_array *a, Oid element)
{
    if (!a->buf.limit_bytes)
        ctn_buf_init(&a->buf, ARRAY_BYTES_MAX);
    ctn_buf_clear(&a->buf);
    a->element = element;
    a->count = 0;
    a->has_null = false;
    static const char head[HEAD_BYTES];
    ctn_buf_append(&a->buf, (ctn_str){head, sizeof head});
}

void ctn_pg_array_int(pg_array *a, int64_t value)
{
    assert(a->element == PG_INT8 || (a->element == PG_INT4 && value == (int32_t) value));
    uint64_t big = htobe64((uint64_t) value);
    uint32_t small = htobe32((uint32_t) value);
    if (a->element == PG_INT8)
        ctn_pg_array_bytes(a, &big, sizeof big);
    else
        ctn_pg_array_bytes(a, &small, sizeof small);
}

void ctn_pg_array_int_or_null(pg_array *a, int64_t value)
{
    if (value > 0)
        ctn_pg_array_int(a, value);
    else
        ctn_pg_array_null(a);
}

void ctn_pg_array_str(pg_array *a, ctn_str value)
{
    ctn_pg_array_bytes(a, value.ptr, value.len);
}

void ctn_pg_array_str_or_null(pg_array *a, ctn_str value)
{
    if (value.len)
        ctn_pg_array_str(a, value);
    else
        ctn_pg_array_null(a);
}

void ctn_pg_array_bytes(pg_array *a, const void *bytes, size_t len)
{
    put_u32(a, (uint32_t) len); /* more than the buffer takes is an overflow */
    ctn_buf_append(&a->buf, (ctn_str){bytes, len});
    a->count++;
}

void ctn_pg_array_null(pg_array *a)
{
    put_u32(a, UINT32_MAX);
    a->has_null = true;
    a->count++;
}

ctn_str ctn_pg_array_encode(pg_array *a)
{
    if (a->buf.overflowed)
        return (ctn_str){NULL, 0};
    uint32_t head[5] = {htobe32(a->count ? 1 : 0), htobe32(a->has_null ? 1 : 0), htobe32((uint32_t) a->element),
                        htobe32(a->count), htobe32(1)};
    memcpy(a->buf.data, head, sizeof head);
    size_t unused = a->count ? 0 : 8; /* none has no dimension */
    return (ctn_str){a->buf.data, a->buf.len - unused};
}

Oid ctn_pg_array_type(const pg_array *a)
{
    switch (a->element) {
    case PG_BYTEA: return PG_BYTEA_ARRAY;
    case PG_INT8: return PG_INT8_ARRAY;
    case PG_INT4: return PG_INT4_ARRAY;
    case PG_TEXT: return PG_TEXT_ARRAY;
    case PG_UUID: return PG_UUID_ARRAY;
    default: assert(!"an array of a type that nobody has asked for"); return 0;
    }
}

void ctn_pg_array_done(pg_array *a)
{
    ctn_buf_done(&a->buf);
}
