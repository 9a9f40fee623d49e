/*
 * principals.h -- who is known to a store: principals, what they are granted, and the API keys that prove them.
 *
 * A grant belongs to a name, whether or not there is a principal of it: names of the configuration's tokens and of
 * issuers' subjects are granted things here, too. What a grant means is for others to say (host/access.h).
 *
 * A key is kept as the hash of its secret. A revoked one stays, so that it can be told who had it, and so that a store
 * that once had keys is never open to everybody again.
 *
 * What must hold: whoever has read everything, and sees the number of _changes unchanged, knows everything. Each put,
 * remove and revoke raises it in its own transaction; when a key was last used does not.
 *
 * Ownership, errors and threads as in store.h. Each call is a transaction of its own.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_principal_row {
    ctn_str name;    /* "ada" */
    ctn_str tenant;  /* empty: of none */
    bool is_service; /* chains may name it in runAs */
    int64_t created_at_ms;
    ctn_str created_by;
} ctn_principal_row;

typedef struct ctn_grant_row {
    ctn_str principal;
    ctn_str what;              /* "operator", "sets.use" */
    ctn_str chain, label, set; /* empty: not narrowed; label: "NAME=VALUE" */
    int64_t granted_at_ms;
    ctn_str granted_by;
} ctn_grant_row;

typedef struct ctn_api_key_row {
    ctn_str id; /* of the key, in the clear */
    ctn_str principal;
    ctn_digest hash;                                                 /* of its secret */
    int64_t created_at_ms, expires_at_ms, used_at_ms, revoked_at_ms; /* 0: never */
    ctn_str created_by;
} ctn_api_key_row;

/* A principal with what it is granted and its first key, all or nothing; what is not wanted is left out (row NULL, no
 * grants, key NULL). The principal, or a grant, is there already: it is replaced. A key's id is: CTN_E_EXISTS. */
typedef struct ctn_principal_put {
    const ctn_principal_row *row;
    const ctn_grant_row *grants;
    size_t grant_count;
    const ctn_api_key_row *key;
} ctn_principal_put;
int ctn_store_principal_put(ctn_store *st, const ctn_principal_put *put, ctn_err *err);
/* With its grants; its keys are revoked. CTN_E_NOT_FOUND. */
int ctn_store_principal_remove(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err);
/* The one that is the same but for when and by whom. CTN_E_NOT_FOUND. */
int ctn_store_grant_remove(ctn_store *st, const ctn_grant_row *grant, ctn_err *err);
/* Revoked already: no effect. CTN_E_NOT_FOUND. */
int ctn_store_api_key_revoke(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err);
/* Not there: no effect. */
int ctn_store_api_key_used(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err);

/* By name; by principal and words; by id. */
typedef int ctn_principal_fn(void *ctx, const ctn_principal_row *row); /* not 0: stop; the call returns CTN_OK */
typedef int ctn_grant_fn(void *ctx, const ctn_grant_row *row);
typedef int ctn_api_key_fn(void *ctx, const ctn_api_key_row *row);
int ctn_store_principal_list(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err);
int ctn_store_grant_list(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err);
int ctn_store_api_key_list(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err);

/* Another number: something has changed. */
int ctn_store_principal_changes(ctn_store *st, int64_t *ret_changes, ctn_err *err);
