/*
 * observed.h -- what tools answered in earlier executions, for `check --tools`: where a tool declares no output schema,
 * that is the next best thing. What rests on it is only ever a warning.
 *
 * The newest executions of the store are read, if there is a store. The journal keeps a result whole only of a
 * set with several calls; of a single call it keeps the variables that were taken, which are members of the
 * result when there are several without a path.
 */
#pragma once
#include "host/workspace.h"

typedef struct ctn_observed {
    ctn_str target;        /* "server/tool" */
    const ctn_json *whole; /* a list of results; NULL: none */
    const ctn_json *parts; /* a list of objects with some of a result's members; NULL: none */
} ctn_observed;

/* Of these targets; ret_observed has `count` items, in their order, which live in the workspace's arena. A store that
 * cannot be read gives nothing. */
void ctn_observed_read(const ctn_workspace *ws, const ctn_str *targets, size_t count, ctn_observed *ret_observed);
