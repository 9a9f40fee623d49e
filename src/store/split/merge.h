/*
 * merge.h -- lists of several databases, told as one, in the order of store.h. Private to split/.
 *
 * What is told was copied first, so callbacks may ask the store again.
 */
#pragma once
#include "store/backend.h"

int ctn_split_execution_list(ctn_store *base, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err);
/* Each database has a share of the limit: within it, by wake time. */
int ctn_split_execution_due(ctn_store *base, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                            ctn_err *err);
int ctn_split_execution_owing(ctn_store *base, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err);
int ctn_split_queue_next(ctn_store *base, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                         size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
int ctn_split_queue_lanes(ctn_store *base, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err);
int ctn_split_usage_list(ctn_store *base, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err);
int ctn_split_quarantine_list(ctn_store *base, ctn_quarantine_fn *fn, void *ctx, ctn_err *err);
int ctn_split_data_key_list(ctn_store *base, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                            ctn_data_key_fn *fn, void *ctx, ctn_err *err);
/* One database after the other: each has chains of its own. */
int ctn_split_audit_list(ctn_store *base, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err);
