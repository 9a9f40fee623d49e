/*
 * filter.h -- which executions are meant: by the query of a list, or the filter of a bulk action, in the same words.
 */
#pragma once
#include "server/api/internal.h"
#include "store/store.h"

/* chain, status, labels, tenant, createdFrom, ..., roots, out of an object that fits its schema: the parameters of a
 * list, or ExecutionFilter. A caller who has a tenant means its executions, whatever he says. False: it can fit none.
 */
bool ctn_api_filter_of(ctn_api_call *call, const ctn_json *said, ctn_execution_filter *ret);

typedef struct ctn_api_page {
    const ctn_execution_filter *filter; /* its before_exec_no: where to begin */
    ctn_action action;                  /* only those to which the caller may do this */
    size_t limit;
    void (*tell)(void *ctx, const ctn_execution_row *row);
    void *ctx;
    int64_t next; /* out: go on before this number; 0: that was all */
} ctn_api_page;
/* Tells up to `limit`, newest first. The loop is not held up: where few of many fit, a page may end early, with fewer
 * or none, and says where to go on. */
int ctn_api_read_page(ctn_api_call *call, ctn_api_page *page, ctn_err *err);

/* Opaque to clients. */
ctn_str ctn_api_cursor(ctn_arena *arena, int64_t before_exec_no);
bool ctn_api_cursor_read(ctn_arena *arena, ctn_str cursor, int64_t *ret_before_exec_no);
