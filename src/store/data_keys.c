/*
 * data_keys.c -- see data_keys.h: what is the same for every backend.
 */
#include "store/data_keys.h"
#include "store/backend.h"

int ctn_store_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    return st->ops->data_key_get(st, arena, exec_no, ret, err);
}

int ctn_store_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->data_key_put(st, exec_no, key, err);
}

int ctn_store_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                            ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->data_key_list(st, but_master_id, after_exec_no, limit, fn, ctx, err);
}

int ctn_store_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc || count == 0 ? rc : st->ops->data_key_swap(st, swaps, count, err);
}

int ctn_store_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->data_key_shred(st, exec_nos, count, err);
}
