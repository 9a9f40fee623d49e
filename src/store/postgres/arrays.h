/*
 * arrays.h -- arrays as PostgreSQL reads them in binary: what a statement unnests into many rows. Private to postgres/.
 */
#pragma once
#include "base/buf.h"
#include <libpq-fe.h>

/* OIDs of types that are built in, and never change. */
enum {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_DOUBLE = 701,
    PG_UUID = 2950,
    PG_BYTEA_ARRAY = 1001,
    PG_INT4_ARRAY = 1007,
    PG_TEXT_ARRAY = 1009,
    PG_INT8_ARRAY = 1016,
    PG_UUID_ARRAY = 2951,
};

/* Begin, put each element, encode. The memory is kept from one begin to the next; ctn_pg_array_done frees it. */
typedef struct pg_array {
    ctn_buf buf;
    Oid element;
    uint32_t count;
    bool has_null;
} pg_array;
void ctn_pg_array_begin(pg_array *a, Oid element);
void ctn_pg_array_int(pg_array *a, int64_t value);         /* of PG_INT8 or PG_INT4 */
void ctn_pg_array_int_or_null(pg_array *a, int64_t value); /* 0 and less: NULL */
void ctn_pg_array_str(pg_array *a, ctn_str value);         /* of PG_TEXT or PG_BYTEA */
void ctn_pg_array_str_or_null(pg_array *a, ctn_str value); /* empty: NULL */
void ctn_pg_array_bytes(pg_array *a, const void *bytes, size_t len);
void ctn_pg_array_null(pg_array *a);
/* Borrowed until the next begin; ptr NULL: it has become larger than PostgreSQL takes. */
ctn_str ctn_pg_array_encode(pg_array *a);
Oid ctn_pg_array_type(const pg_array *a); /* of the array itself */
void ctn_pg_array_done(pg_array *a);
