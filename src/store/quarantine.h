/*
 * quarantine.h -- executions that do not read back: kept apart, so that they stop nobody else.
 *
 * An execution is damaged when its row or its journal is not what was written: a hash that does not fit, a gap, an
 * entry of no known kind, a page of the file that is broken, definitions that are missing, a history that the rules do
 * not allow. The engine finds that out when it loads one, writes it down here with the reason, and does not look at it
 * again until a person releases it (it was repaired) or gives it up. Nothing of the execution itself is changed by
 * being here: what can be read of it can be shown and exported (raw.h).
 *
 * Ownership, errors and threads as in store.h. Written on the caller's thread, one transaction each.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_quarantine_row {
    int64_t exec_no;
    ctn_execution_id id; /* all zero: it does not read */
    ctn_str chain_id;    /* empty: it does not read */
    ctn_str reason;      /* a sentence */
    int64_t found_at_ms;
    int64_t given_up_at_ms; /* 0: not; else somebody ended it as it was */
} ctn_quarantine_row;

/* There already, and not given up: stays as it is. */
int ctn_store_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err);
/* CTN_E_NOT_FOUND, without a sentence: it is not there. */
int ctn_store_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err);
int ctn_store_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err); /* not there: no effect */

typedef int ctn_quarantine_fn(void *ctx, const ctn_quarantine_row *row); /* not 0: stop; the call returns CTN_OK */
int ctn_store_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err); /* by number */

/* Ends a damaged execution by its row alone: failed, with this error; its line moves on and whoever waits for it is
 * woken, in the same transaction. Its journal stays as it is. CTN_E_NOT_FOUND: there is no such row, or it has ended.
 */
typedef struct ctn_give_up {
    int64_t exec_no;
    ctn_str error; /* JSON */
    int64_t at_ms;
} ctn_give_up;
int ctn_store_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err);
