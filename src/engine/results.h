/*
 * results.h -- results of calls in memory, by key: the ones that were used last, as many as fit. Pure: no clock, no
 * store, no engine.
 *
 * What must always hold: the texts that are held have together no more than bytes_max; what goes first is what nobody
 * asked for longest. Whether a result is still fresh is the caller's question.
 *
 * Ownership  Keys and values are copied. What get gives lives until the next put.
 */
#pragma once
#include "base/str.h"

typedef struct ctn_results ctn_results;

typedef struct ctn_result_held {
    ctn_str value; /* JSON */
    int64_t put_at_ms, expires_at_ms;
} ctn_result_held;

ctn_results *ctn_results_new(size_t bytes_max);
void ctn_results_free(ctn_results *results); /* NULL is fine */
/* One that is larger than an eighth of all is not held. */
void ctn_results_put(ctn_results *results, ctn_str key, const ctn_result_held *held);
bool ctn_results_get(ctn_results *results, ctn_str key, ctn_result_held *ret_held);
size_t ctn_results_bytes(const ctn_results *results);
