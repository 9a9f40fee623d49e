/*
 * audit.c -- the chain of hashes over what people did, and what every backend may rely on.
 *
 * What must hold: two different entries never hash the same bytes, and no entry hashes what one of a journal does.
 * Each text goes in behind its length, numbers as eight bytes, and a word in front says that this is an audit log.
 */
#include "store/audit.h"
#include "store/backend.h"

static void add_number(ctn_hasher *h, uint64_t value)
{
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char) (unsigned char) (value >> (8 * i));
    ctn_hasher_add(h, (ctn_str){bytes, sizeof bytes});
}

static void add_text(ctn_hasher *h, ctn_str text)
{
    add_number(h, text.len);
    ctn_hasher_add(h, text);
}

ctn_digest ctn_audit_hash(const ctn_audit_entry *entry, const ctn_digest *previous)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, CTN_STR("catena audit"));
    ctn_hasher_add(&h, (ctn_str){(const char *) previous->bytes, sizeof previous->bytes});
    add_text(&h, entry->node);
    add_number(&h, (uint64_t) entry->n);
    add_number(&h, (uint64_t) entry->at_ms);
    add_text(&h, entry->actor);
    add_text(&h, entry->action);
    add_text(&h, entry->subject);
    add_text(&h, entry->detail);
    return ctn_hasher_finish(&h);
}

ctn_audit_entry ctn_audit_whole(const ctn_audit_entry *entry)
{
    ctn_audit_entry whole = *entry;
    whole.node = CTN_STR("local");
    if (whole.detail.len == 0)
        whole.detail = CTN_STR("{}");
    return whole;
}

int ctn_store_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc)
        return rc;
    if (entry->action.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "an entry of the audit log says what was done");
    ctn_audit_entry whole = ctn_audit_whole(entry);
    return st->ops->audit(st, &whole, err);
}

int ctn_store_audit_list(ctn_store *st, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->audit_list(st, 0, fn, ctx, err);
}

int ctn_store_audit_after(ctn_store *st, int64_t n, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->audit_list(st, n, fn, ctx, err);
}

int ctn_store_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err)
{
    return st->ops->audit_count(st, ret_count, err);
}
