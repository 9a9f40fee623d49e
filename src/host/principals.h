/*
 * principals.h -- what is done to principals, grants and keys: checked, audited, then written.
 *
 * The same for the command line and for the API. What must hold: it is in the audit log before it is done, so whoever
 * dies in between leaves an entry of something that did not happen, and never the reverse. A secret is in neither.
 *
 * Errors   CTN_E_INVALID, CTN_E_EXISTS, CTN_E_NOT_FOUND with the sentence for whoever asked; those of the store.
 * Threads  As the store's.
 */
#pragma once
#include "host/access.h"
#include "host/api_key.h"
#include "store/principals.h"

typedef struct ctn_principal_wish {
    ctn_str name;
    ctn_str tenant; /* empty: of none */
    bool is_service;
    const ctn_grant *grants; /* as of ctn_grant_parse */
    size_t grant_count;
    bool has_key;          /* make one */
    int64_t expires_at_ms; /* of the key; 0: never */
} ctn_principal_wish;

typedef struct ctn_doer {
    ctn_store *store;
    const ctn_config *config;
    const ctn_caller *by;
    int64_t now_ms;
} ctn_doer;

/* A principal that is there already is given the grants and the key beside what it has; it must be of the tenant that
 * is said. A new one that may do nothing is CTN_E_INVALID. With a key: *ret_key, to be shown once and wiped. */
int ctn_principal_make(const ctn_doer *doer, const ctn_principal_wish *wish, ctn_api_key *ret_key, ctn_err *err);
/* One more for a principal that is there. */
int ctn_key_make(const ctn_doer *doer, ctn_str name, int64_t expires_at_ms, ctn_api_key *ret_key, ctn_err *err);
/* To any name, also of a token of the configuration or of an issuer's subject. */
int ctn_principal_grant(const ctn_doer *doer, ctn_str name, const ctn_grant *grants, size_t count, ctn_err *err);
int ctn_principal_ungrant(const ctn_doer *doer, ctn_str name, const ctn_grant *grants, size_t count, ctn_err *err);
/* With its grants; its keys are revoked. */
int ctn_principal_remove(const ctn_doer *doer, ctn_str name, ctn_err *err);
int ctn_key_revoke(const ctn_doer *doer, ctn_str id, ctn_err *err);
