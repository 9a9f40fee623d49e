/*
 * values.c -- parameters and columns in binary: integers in network order, texts and bytes as they are.
 */
#include "store/postgres/arrays.h"
#include "store/postgres/pg.h"
#include <assert.h>
#include <endian.h>
#include <stdlib.h>

/* ---- parameters ---- */

static void add(pg_params *p, Oid type, const void *value, size_t len)
{
    assert(p->count < PG_PARAMS_MAX);
    p->types[p->count] = type;
    p->values[p->count] = value;
    p->lengths[p->count] = (int) len;
    p->formats[p->count] = 1;
    p->count++;
}

static void add_number(pg_params *p, Oid type, uint64_t value, size_t len)
{
    uint64_t big = htobe64(value);
    char *place = p->numbers[p->count];
    memcpy(place, (const char *) &big + sizeof big - len, len);
    add(p, type, place, len);
}

void ctn_pg_int(pg_params *p, int64_t value)
{
    add_number(p, PG_INT8, (uint64_t) value, 8);
}

void ctn_pg_int_or_null(pg_params *p, int64_t value)
{
    if (value)
        ctn_pg_int(p, value);
    else
        add(p, PG_INT8, NULL, 0);
}

void ctn_pg_double(pg_params *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(p, PG_DOUBLE, bits, 8);
}

void ctn_pg_bool(pg_params *p, bool value)
{
    add_number(p, PG_BOOL, value, 1);
}

void ctn_pg_text(pg_params *p, ctn_str value)
{
    add(p, PG_TEXT, value.len ? value.ptr : "", value.len);
}

void ctn_pg_text_or_null(pg_params *p, ctn_str value)
{
    add(p, PG_TEXT, value.len ? value.ptr : NULL, value.len);
}

void ctn_pg_bytes(pg_params *p, const void *bytes, size_t len)
{
    add(p, PG_BYTEA, len ? bytes : "", len);
}

void ctn_pg_array(pg_params *p, Oid type, ctn_str encoded)
{
    add(p, type, encoded.ptr, encoded.len);
}

/* ---- columns ---- */

bool ctn_pg_is_null(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) != 0;
}

int64_t ctn_pg_get_int(const PGresult *r, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *) PQgetvalue(r, row, column);
    int len = PQgetlength(r, row, column);
    if (PQgetisnull(r, row, column) || len < 1 || len > 8)
        return 0;
    uint64_t value = len > 1 && bytes[0] & 0x80 ? UINT64_MAX : 0; /* a boolean has no sign */
    for (int i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t) value;
}

double ctn_pg_get_double(const PGresult *r, int row, int column)
{
    uint64_t bits = (uint64_t) ctn_pg_get_int(r, row, column);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool ctn_pg_get_bool(const PGresult *r, int row, int column)
{
    return ctn_pg_get_int(r, row, column) != 0;
}

ctn_str ctn_pg_get_str(const PGresult *r, int row, int column)
{
    int len = PQgetlength(r, row, column);
    return (ctn_str){len ? PQgetvalue(r, row, column) : NULL, (size_t) len};
}

int64_t ctn_pg_changed(const PGresult *result)
{
    int64_t count = 0;
    (void) ctn_str_to_int64(ctn_str_from(PQcmdTuples((PGresult *) (uintptr_t) result)), &count);
    return count;
}
