/*
 * id.h -- names of executions: UUIDv7 (RFC 9562), time-ordered, unguessable in their last 74 bits.
 */
#pragma once
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

typedef struct ctn_execution_id {
    uint8_t bytes[16];
} ctn_execution_id;

#define CTN_ID_TEXT_LEN 36
typedef struct ctn_id_text {
    char text[CTN_ID_TEXT_LEN + 1];
} ctn_id_text;

ctn_execution_id ctn_id_new(int64_t now_ms, const ctn_rng *rng);
/* All zero: the id of nothing. */
static inline bool ctn_id_is_none(ctn_execution_id id)
{
    for (size_t i = 0; i < sizeof id.bytes; i++)
        if (id.bytes[i])
            return false;
    return true;
}
/* When it was made, by the clock of whoever made it; 0 of none. */
static inline int64_t ctn_id_at_ms(ctn_execution_id id)
{
    int64_t at_ms = 0;
    for (size_t i = 0; i < 6; i++)
        at_ms = at_ms << 8 | id.bytes[i];
    return at_ms;
}
bool ctn_id_equal(ctn_execution_id a, ctn_execution_id b);
ctn_id_text ctn_id_to_text(ctn_execution_id id); /* 8-4-4-4-12, lower case */
/* CTN_E_INVALID unless it is the 36-character form (either case). */
int ctn_id_parse(ctn_str text, ctn_execution_id *ret_id, ctn_err *err);
