/*
 * audit.h -- what people do to a store, written into its audit log by the verbs that do it.
 */
#pragma once
#include "cli/cli.h"
#include "store/audit.h"

/* By the user, now. detail: an object; NULL: none. */
int ctn_cli_audit(const ctn_cli *cli, ctn_store *store, const char *action, ctn_str subject, const ctn_json *detail,
                  ctn_err *err);
/* "store.migrate", when opening the store has brought it up to date; else nothing. */
int ctn_cli_audit_opened(const ctn_cli *cli, ctn_store *store, ctn_err *err);
