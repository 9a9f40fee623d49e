/*
 * quarantine.c -- see quarantine.h: what is the same for every backend.
 */
#include "store/quarantine.h"
#include "store/backend.h"
#include <inttypes.h>

int ctn_store_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        if (rows[i].exec_no <= 0 || rows[i].reason.len == 0)
            rc = ctn_fail(err, CTN_E_INVALID, "who puts an execution into quarantine gives its number and a reason");
    return rc || count == 0 ? rc : st->ops->quarantine_put(st, rows, count, err);
}

int ctn_store_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    return st->ops->quarantine_get(st, arena, exec_no, ret, err);
}

int ctn_store_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->quarantine_remove(st, exec_no, err);
}

int ctn_store_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->quarantine_list(st, fn, ctx, err);
}

int ctn_store_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc == CTN_OK)
        rc = st->ops->give_up(st, what, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "execution number %" PRId64 " is not in the store, or has ended", what->exec_no);
    return rc;
}
