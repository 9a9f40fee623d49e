/*
 * audit.h -- what people do to a store, written into its audit log (store/audit.h).
 */
#pragma once
#include "base/json.h"
#include "store/audit.h"

/* Who gives orders here: the user's name. */
ctn_str ctn_actor_name(ctn_arena *arena);
/* By the user, now. detail: an object; NULL: none. */
int ctn_audit(ctn_store *store, const char *action, ctn_str subject, const ctn_json *detail, ctn_err *err);
/* "store.migrate", when opening the store has brought it up to date; else nothing. */
int ctn_audit_opened(ctn_store *store, ctn_err *err);
