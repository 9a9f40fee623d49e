/*
 * write.c -- what is written: to the database that it belongs to, a transaction each.
 */
#include "base/memory.h"
#include "store/split/parts.h"
#include <stdlib.h>

/* ---- commits ---- */

/* Of one batch, those appends that one database gets. */
typedef struct share {
    ctn_append *appends;
    size_t *places; /* in the batch */
    ctn_outcome *outcomes;
    size_t count;
} share;

static void gather(ctn_store *base, const ctn_store *part, const ctn_append *appends, size_t count, share *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < count; i++)
        if (split_of_no(base, appends[i].exec_no) == part) {
            ret->appends[ret->count] = appends[i];
            ret->places[ret->count++] = i;
        }
}

/* One after the other. Where one fails behind one that has committed, nobody can say that nothing was written. */
static int commit(ctn_store *base, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    split_store *s = (split_store *) base;
    share sh = {.appends = ctn_calloc(count, sizeof *sh.appends),
                .places = ctn_calloc(count, sizeof *sh.places),
                .outcomes = ctn_calloc(count, sizeof *sh.outcomes)};
    bool has_committed = false;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        gather(base, s->parts[i].st, appends, count, &sh);
        if (sh.count == 0)
            continue;
        rc = s->parts[i].st->ops->commit(s->parts[i].st, sh.appends, sh.count, sh.outcomes, err);
        for (size_t k = 0; rc == CTN_OK && k < sh.count; k++)
            ret_outcomes[sh.places[k]] = sh.outcomes[k];
        if (rc && has_committed)
            rc = ctn_wrap(err, CTN_E_IO, "a part of the batch is in another database");
        has_committed = true;
    }
    free(sh.appends);
    free(sh.places);
    free(sh.outcomes);
    return rc;
}

static int epoch_begin(ctn_store *base, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    (void) base, (void) ret_epoch, (void) ret_was_crash;
    return ctn_fail(err, CTN_E_UNSUPPORTED, "a store in several databases is owned by nodes, by no process alone");
}

static int epoch_end(ctn_store *base, uint64_t epoch, ctn_err *err)
{
    (void) epoch;
    return epoch_begin(base, NULL, NULL, err);
}

/* ---- of an execution ---- */

static int data_key_put(ctn_store *base, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no); /* the store's own has number 0, so the first */
    return part->ops->data_key_put(part, exec_no, key, err);
}

static int data_key_swap(ctn_store *base, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        ctn_store *part = split_of_no(base, swaps[i].exec_no);
        rc = part->ops->data_key_swap(part, &swaps[i], 1, err);
    }
    return rc;
}

static int data_key_shred(ctn_store *base, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        ctn_store *part = split_of_no(base, exec_nos[i]);
        rc = part->ops->data_key_shred(part, &exec_nos[i], 1, err);
    }
    return rc;
}

static int quarantine_put(ctn_store *base, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        ctn_store *part = split_of_no(base, rows[i].exec_no);
        rc = part->ops->quarantine_put(part, &rows[i], 1, err);
    }
    return rc;
}

static int quarantine_remove(ctn_store *base, int64_t exec_no, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no);
    return part->ops->quarantine_remove(part, exec_no, err);
}

static int give_up(ctn_store *base, const ctn_give_up *what, ctn_err *err)
{
    ctn_store *part = split_of_no(base, what->exec_no);
    return part->ops->give_up(part, what, err);
}

/* One database after the other; a walk is in one of them. */
static int prune(ctn_store *base, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    split_store *s = (split_store *) base;
    ctn_prune_walk in = *walk;
    int64_t completed_next = walk->completed.next_at_ms, others_next = walk->others.next_at_ms;
    int rc = s->parts[walk->part].st->ops->prune(s->parts[walk->part].st, what, &in, sum, err);
    if (rc)
        return rc;
    if (in.is_done && walk->part + 1 < s->count) { /* the next one, from its oldest; what is due first stays known */
        in = (ctn_prune_walk){.part = walk->part + 1, .left = in.left, .completed = in.completed, .others = in.others};
        in.completed = (struct ctn_prune_place){.next_at_ms = in.completed.next_at_ms};
        in.others = (struct ctn_prune_place){.next_at_ms = in.others.next_at_ms};
    }
    if (completed_next && (!in.completed.next_at_ms || completed_next < in.completed.next_at_ms))
        in.completed.next_at_ms = completed_next;
    if (others_next && (!in.others.next_at_ms || others_next < in.others.next_at_ms))
        in.others.next_at_ms = others_next;
    *walk = in;
    return CTN_OK;
}

static int shrink(ctn_store *base, size_t pages, bool *ret_more, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_more = false;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        bool more = false;
        rc = s->parts[i].st->ops->shrink(s->parts[i].st, pages, &more, err);
        *ret_more |= more;
    }
    return rc;
}

/* ---- what lives in the first ---- */

static int definition_put(ctn_store *base, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    return split_first(base)->ops->definition_put(split_first(base), definitions, count, err);
}
static int chain_put(ctn_store *base, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    return split_first(base)->ops->chain_put(split_first(base), row, ret_version, err);
}
static int schedule_put(ctn_store *base, const ctn_schedule_row *row, ctn_err *err)
{
    return split_first(base)->ops->schedule_put(split_first(base), row, err);
}
static int breaker_put(ctn_store *base, const ctn_breaker_row *row, ctn_err *err)
{
    return split_first(base)->ops->breaker_put(split_first(base), row, err);
}
static int audit(ctn_store *base, const ctn_audit_entry *entry, ctn_err *err)
{
    return split_first(base)->ops->audit(split_first(base), entry, err);
}
static int tool_pin_put(ctn_store *base, const ctn_tool_pin *pins, size_t count, ctn_err *err)
{
    return split_first(base)->ops->tool_pin_put(split_first(base), pins, count, err);
}
static int principal_put(ctn_store *base, const ctn_principal_put *put, ctn_err *err)
{
    return split_first(base)->ops->principal_put(split_first(base), put, err);
}
static int principal_remove(ctn_store *base, ctn_str name, int64_t now_ms, ctn_err *err)
{
    return split_first(base)->ops->principal_remove(split_first(base), name, now_ms, err);
}
static int grant_remove(ctn_store *base, const ctn_grant_row *grant, ctn_err *err)
{
    return split_first(base)->ops->grant_remove(split_first(base), grant, err);
}
static int api_key_revoke(ctn_store *base, ctn_str id, int64_t now_ms, ctn_err *err)
{
    return split_first(base)->ops->api_key_revoke(split_first(base), id, now_ms, err);
}
static int api_key_used(ctn_store *base, ctn_str id, int64_t used_at_ms, ctn_err *err)
{
    return split_first(base)->ops->api_key_used(split_first(base), id, used_at_ms, err);
}

/* ---- webhooks: there are none, for there is no order to tell the journal in ---- */

static int fail_order(ctn_err *err)
{
    return ctn_fail(err, CTN_E_UNSUPPORTED,
                    "a store in several databases has no order over all of its journal: no webhooks, and no stream of "
                    "all events");
}
static int webhook_put(ctn_store *base, const ctn_webhook_row *row, ctn_err *err)
{
    (void) base, (void) row;
    return fail_order(err);
}
static int webhook_remove(ctn_store *base, ctn_str name, ctn_err *err)
{
    (void) base, (void) name, (void) err;
    return CTN_E_NOT_FOUND;
}
static int webhook_advance(ctn_store *base, const ctn_webhook_reach *reached, size_t count, ctn_err *err)
{
    (void) base, (void) reached, (void) count, (void) err;
    return CTN_OK;
}
static int dead_letter_put(ctn_store *base, const ctn_dead_letter *letter, ctn_err *err)
{
    (void) base, (void) letter;
    return fail_order(err);
}
static int dead_letter_remove(ctn_store *base, ctn_str webhook, int64_t position, ctn_err *err)
{
    (void) base, (void) webhook, (void) position, (void) err;
    return CTN_E_NOT_FOUND;
}

void ctn_split_write_ops(ctn_store_ops *ops)
{
    ops->commit = commit;
    ops->epoch_begin = epoch_begin;
    ops->epoch_end = epoch_end;
    ops->data_key_put = data_key_put;
    ops->data_key_swap = data_key_swap;
    ops->data_key_shred = data_key_shred;
    ops->quarantine_put = quarantine_put;
    ops->quarantine_remove = quarantine_remove;
    ops->give_up = give_up;
    ops->prune = prune;
    ops->shrink = shrink;
    ops->definition_put = definition_put;
    ops->chain_put = chain_put;
    ops->schedule_put = schedule_put;
    ops->breaker_put = breaker_put;
    ops->audit = audit;
    ops->tool_pin_put = tool_pin_put;
    ops->principal_put = principal_put;
    ops->principal_remove = principal_remove;
    ops->grant_remove = grant_remove;
    ops->api_key_revoke = api_key_revoke;
    ops->api_key_used = api_key_used;
    ops->webhook_put = webhook_put;
    ops->webhook_remove = webhook_remove;
    ops->webhook_advance = webhook_advance;
    ops->dead_letter_put = dead_letter_put;
    ops->dead_letter_remove = dead_letter_remove;
}
