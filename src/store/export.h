/*
 * export.h -- one execution written out as a file that proves itself (journal/export_check.h has the format).
 *
 * Everything is read in one snapshot, beside whoever owns the store, and handed on line by line, so memory does not
 * grow with the journal. A damaged execution is exported as it stands: what is wrong with it is what a check of the
 * file finds. Sensitive values leave as commitments, and opened only for who has the key.
 *
 * Errors   as store.h; of the sink whatever it returns.
 */
#pragma once
#include "journal/export_check.h"
#include "store/store.h"

typedef struct ctn_export_options {
    ctn_execution_id id;
    int64_t now_ms;
    struct ctn_seal *seal; /* with it sensitive values leave opened, each with the salt that proves it; NULL: sealed */
    ctn_str actor;         /* who exports */
    ctn_str program;       /* "catena 0.1.0" */
    int (*write)(void *ctx, ctn_str text, ctn_err *err); /* pieces of the file, in order; not 0: stop, returned */
    void *ctx;
} ctn_export_options;

int ctn_store_export(ctn_store *st, const ctn_export_options *options, ctn_export_report *ret_report, ctn_err *err);
