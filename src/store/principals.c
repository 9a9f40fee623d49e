/*
 * principals.c -- see principals.h: what is the same for every backend.
 */
#include "store/principals.h"
#include "store/backend.h"

int ctn_store_principal_put(ctn_store *st, const ctn_principal_put *put, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc == CTN_OK && put->row && put->row->name.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "a principal has a name");
    for (size_t i = 0; rc == CTN_OK && i < put->grant_count; i++)
        if (put->grants[i].principal.len == 0 || put->grants[i].what.len == 0)
            rc = ctn_fail(err, CTN_E_INVALID, "a grant says to whom and what");
    if (rc == CTN_OK && put->key && (put->key->id.len == 0 || put->key->principal.len == 0))
        rc = ctn_fail(err, CTN_E_INVALID, "a key has an id and somebody whose it is");
    return rc ? rc : st->ops->principal_put(st, put, err);
}

int ctn_store_principal_remove(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->principal_remove(st, name, now_ms, err);
}

int ctn_store_grant_remove(ctn_store *st, const ctn_grant_row *grant, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->grant_remove(st, grant, err);
}

int ctn_store_api_key_revoke(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->api_key_revoke(st, id, now_ms, err);
}

int ctn_store_api_key_used(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->api_key_used(st, id, used_at_ms, err);
}

int ctn_store_principal_list(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->principal_list(st, fn, ctx, err);
}

int ctn_store_grant_list(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->grant_list(st, fn, ctx, err);
}

int ctn_store_api_key_list(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->api_key_list(st, fn, ctx, err);
}

int ctn_store_principal_changes(ctn_store *st, int64_t *ret_changes, ctn_err *err)
{
    return st->ops->principal_changes(st, ret_changes, err);
}
