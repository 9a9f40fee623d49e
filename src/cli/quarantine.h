/*
 * quarantine.h -- damaged executions, as people see them: which are in quarantine, and what can be done with one.
 */
#pragma once
#include "cli/cli.h"
#include "store/quarantine.h"
#include "store/store.h"

/* Everything in the store's quarantine that was not given up, by number; in the arena. */
typedef struct ctn_quarantined {
    ctn_quarantine_row *rows;
    size_t count;
} ctn_quarantined;
int ctn_quarantined_read(ctn_arena *arena, ctn_store *store, ctn_quarantined *ret, ctn_err *err);
const ctn_quarantine_row *ctn_quarantined_find(const ctn_quarantined *q, int64_t exec_no); /* NULL: not there */

/* All that is known of one that does not read back for the reason `why`, and what to do; the exit code. */
int ctn_show_damaged(ctn_cli *cli, ctn_store *store, const ctn_execution_row *row, ctn_str why);
