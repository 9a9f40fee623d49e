/*
 * webhooks.c -- see webhooks.h: what is the same for every backend.
 */
#include "store/webhooks.h"
#include "store/backend.h"

int ctn_store_webhook_put(ctn_store *st, const ctn_webhook_row *row, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc == CTN_OK && (row->name.len == 0 || row->definition.len == 0))
        rc = ctn_fail(err, CTN_E_INVALID, "a webhook has a name and a definition");
    return rc ? rc : st->ops->webhook_put(st, row, err);
}

int ctn_store_webhook_remove(ctn_store *st, ctn_str name, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->webhook_remove(st, name, err);
}

int ctn_store_webhook_advance(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc || count == 0 ? rc : st->ops->webhook_advance(st, reached, count, err);
}

int ctn_store_webhook_list(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->webhook_list(st, fn, ctx, err);
}

int ctn_store_dead_letter_put(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->dead_letter_put(st, letter, err);
}

int ctn_store_dead_letter_remove(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->dead_letter_remove(st, webhook, position, err);
}

int ctn_store_dead_letter_list(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                               void *ctx, ctn_err *err)
{
    return limit ? st->ops->dead_letter_list(st, webhook, after, limit, fn, ctx, err) : CTN_OK;
}
