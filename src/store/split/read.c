/*
 * read.c -- what is read: of one execution from its database, small tables from the first, sums and lists from all.
 */
#include "base/memory.h"
#include "store/split/merge.h"
#include "store/split/parts.h"
#include <stdlib.h>

/* ---- one execution ---- */

static int find_by_id(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                      size_t *ret_matches, ctn_err *err)
{
    ctn_store *part;
    int64_t exec_no;
    int rc = ctn_split_part_of_id(base, lookup->id_first, &part, &exec_no, err);
    return rc || !exec_no ? rc : part->ops->execution_find(part, arena, lookup, ret, ret_matches, err);
}

/* The key is in one database, and its execution perhaps in another. */
static int find_by_key(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                       size_t *ret_matches, ctn_err *err)
{
    ctn_lookup by_id = {.kind = CTN_LOOKUP_RANGE};
    int rc = ctn_split_fleet_ops.key_get(base, lookup->chain_id, lookup->key, &by_id.id_first, err);
    if (rc || ctn_id_is_none(by_id.id_first))
        return rc;
    by_id.id_last = by_id.id_first;
    return find_by_id(base, arena, &by_id, ret, ret_matches, err);
}

static int find(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                size_t *ret_matches, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_matches = 0;
    if (lookup->kind == CTN_LOOKUP_NO) {
        ctn_store *part = split_of_no(base, lookup->exec_no);
        return part->ops->execution_find(part, arena, lookup, ret, ret_matches, err);
    }
    if (lookup->kind == CTN_LOOKUP_KEY)
        return find_by_key(base, arena, lookup, ret, ret_matches, err);
    if (ctn_id_equal(lookup->id_first, lookup->id_last))
        return find_by_id(base, arena, lookup, ret, ret_matches, err);
    for (size_t i = 0; rc == CTN_OK && i < s->count && *ret_matches < 2; i++) {
        size_t matches = 0;
        rc = s->parts[i].st->ops->execution_find(s->parts[i].st, arena, lookup, ret, &matches, err);
        *ret_matches += matches;
    }
    return rc;
}

static int read_raw(ctn_store *base, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                    size_t *ret_matches, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_matches = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count && *ret_matches < 2; i++) {
        size_t matches = 0;
        rc = s->parts[i].st->ops->execution_read_raw(s->parts[i].st, arena, lookup, ret, &matches, err);
        *ret_matches += matches;
    }
    return rc;
}

static int journal_read(ctn_store *base, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no);
    return part->ops->journal_read(part, exec_no, from_seq, fn, ctx, err);
}

static int journal_read_raw(ctn_store *base, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no);
    return part->ops->journal_read_raw(part, exec_no, fn, ctx, err);
}

static int data_key_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no);
    return part->ops->data_key_get(part, arena, exec_no, ret, err);
}

static int quarantine_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    ctn_store *part = split_of_no(base, exec_no);
    return part->ops->quarantine_get(part, arena, exec_no, ret, err);
}

/* ---- whoever has it ---- */

/* Put where the execution lives that got it. */
static int result_get(ctn_store *base, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_E_NOT_FOUND;
    for (size_t i = 0; rc == CTN_E_NOT_FOUND && i < s->count; i++)
        rc = s->parts[i].st->ops->result_get(s->parts[i].st, arena, key, ret, err);
    return rc;
}

static int queue_first(ctn_store *base, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                       ctn_execution_row *ret, ctn_err *err)
{
    split_store *s = (split_store *) base;
    bool is_found = false;
    for (size_t i = 0; i < s->count; i++) {
        ctn_execution_row row;
        int rc = s->parts[i].st->ops->queue_first(s->parts[i].st, arena, queue_key, before_exec_no, &row, err);
        if (rc && rc != CTN_E_NOT_FOUND)
            return rc;
        if (rc == CTN_OK && (!is_found || row.exec_no < ret->exec_no))
            *ret = row;
        is_found |= rc == CTN_OK;
    }
    return is_found ? CTN_OK : CTN_E_NOT_FOUND;
}

/* ---- sums, firsts and lasts ---- */

static int exec_no_last(ctn_store *base, int64_t *ret_exec_no, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_exec_no = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        int64_t last = 0;
        rc = s->parts[i].st->ops->exec_no_last(s->parts[i].st, &last, err);
        if (last > *ret_exec_no)
            *ret_exec_no = last;
    }
    return rc;
}

static int next_wake(ctn_store *base, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_wake_at_ms = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        int64_t next = 0;
        rc = s->parts[i].st->ops->next_wake(s->parts[i].st, after_ms, &next, err);
        if (next && (!*ret_wake_at_ms || next < *ret_wake_at_ms))
            *ret_wake_at_ms = next;
    }
    return rc;
}

static int audit_count(ctn_store *base, int64_t *ret_count, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_count = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        int64_t count = 0;
        rc = s->parts[i].st->ops->audit_count(s->parts[i].st, &count, err);
        *ret_count += count;
    }
    return rc;
}

static int size_read(ctn_store *base, ctn_store_size *ret_size, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_size = (ctn_store_size){0};
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        ctn_store_size size = {0};
        rc = s->parts[i].st->ops->size_read(s->parts[i].st, &size, err);
        ret_size->file_bytes += size.file_bytes;
        ret_size->free_bytes += size.free_bytes;
    }
    return rc;
}

static int verify(ctn_store *base, ctn_verifying *v, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t chains = 0;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        rc = s->parts[i].st->ops->verify(s->parts[i].st, v, err);
        chains += v->report->chains;
        v->report->chains = 0;
    }
    v->report->chains = chains;
    return rc;
}

/* Of one moment in each database; not of the same in all. */
static int snapshot(ctn_store *base, bool begins, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    size_t done = 0;
    for (; rc == CTN_OK && done < s->count; done++)
        if (s->parts[done].st->ops->snapshot)
            rc = s->parts[done].st->ops->snapshot(s->parts[done].st, begins, err);
    for (size_t i = 0; rc && begins && i + 1 < done; i++)
        if (s->parts[i].st->ops->snapshot)
            (void) s->parts[i].st->ops->snapshot(s->parts[i].st, false, NULL);
    return rc;
}

static void rest(ctn_store *base)
{
    split_store *s = (split_store *) base;
    for (size_t i = 0; i < s->count; i++)
        ctn_store_rest(s->parts[i].st);
}

/* ---- there is no order over all of the journal ---- */

static int journal_after(ctn_store *base, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err)
{
    (void) base, (void) position, (void) limit, (void) fn, (void) ctx, (void) err;
    return CTN_OK;
}
static int position_last(ctn_store *base, int64_t *ret_position, ctn_err *err)
{
    (void) base, (void) err;
    *ret_position = 0;
    return CTN_OK;
}
static int webhook_list(ctn_store *base, ctn_webhook_fn *fn, void *ctx, ctn_err *err)
{
    (void) base, (void) fn, (void) ctx, (void) err;
    return CTN_OK;
}
static int dead_letter_list(ctn_store *base, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                            void *ctx, ctn_err *err)
{
    (void) base, (void) webhook, (void) after, (void) limit, (void) fn, (void) ctx, (void) err;
    return CTN_OK;
}

/* ---- what lives in the first ---- */

static int definition_get(ctn_store *base, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                          ctn_err *err)
{
    return split_first(base)->ops->definition_get(split_first(base), arena, digest, ret, err);
}
static int chain_get(ctn_store *base, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                     ctn_err *err)
{
    return split_first(base)->ops->chain_get(split_first(base), arena, chain_id, version, ret, err);
}
static int chain_list(ctn_store *base, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->chain_list(split_first(base), fn, ctx, err);
}
static int chain_versions(ctn_store *base, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->chain_versions(split_first(base), chain_id, fn, ctx, err);
}
static int schedule_list(ctn_store *base, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->schedule_list(split_first(base), fn, ctx, err);
}
static int breaker_list(ctn_store *base, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->breaker_list(split_first(base), fn, ctx, err);
}
static int tool_pin_list(ctn_store *base, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->tool_pin_list(split_first(base), fn, ctx, err);
}
static int principal_list(ctn_store *base, ctn_principal_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->principal_list(split_first(base), fn, ctx, err);
}
static int grant_list(ctn_store *base, ctn_grant_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->grant_list(split_first(base), fn, ctx, err);
}
static int api_key_list(ctn_store *base, ctn_api_key_fn *fn, void *ctx, ctn_err *err)
{
    return split_first(base)->ops->api_key_list(split_first(base), fn, ctx, err);
}
static int principal_changes(ctn_store *base, int64_t *ret_changes, ctn_err *err)
{
    return split_first(base)->ops->principal_changes(split_first(base), ret_changes, err);
}

void ctn_split_read_ops(ctn_store_ops *ops)
{
    ops->execution_find = find;
    ops->execution_read_raw = read_raw;
    ops->journal_read = journal_read;
    ops->journal_read_raw = journal_read_raw;
    ops->data_key_get = data_key_get;
    ops->quarantine_get = quarantine_get;
    ops->result_get = result_get;
    ops->queue_first = queue_first;
    ops->exec_no_last = exec_no_last;
    ops->next_wake = next_wake;
    ops->audit_count = audit_count;
    ops->size_read = size_read;
    ops->verify = verify;
    ops->snapshot = snapshot;
    ops->rest = rest;
    ops->journal_after = journal_after;
    ops->position_last = position_last;
    ops->webhook_list = webhook_list;
    ops->dead_letter_list = dead_letter_list;
    ops->definition_get = definition_get;
    ops->chain_get = chain_get;
    ops->chain_list = chain_list;
    ops->chain_versions = chain_versions;
    ops->schedule_list = schedule_list;
    ops->breaker_list = breaker_list;
    ops->tool_pin_list = tool_pin_list;
    ops->principal_list = principal_list;
    ops->grant_list = grant_list;
    ops->api_key_list = api_key_list;
    ops->principal_changes = principal_changes;
    ops->execution_list = ctn_split_execution_list;
    ops->execution_due = ctn_split_execution_due;
    ops->execution_owing = ctn_split_execution_owing;
    ops->queue_next = ctn_split_queue_next;
    ops->queue_lanes = ctn_split_queue_lanes;
    ops->usage_list = ctn_split_usage_list;
    ops->quarantine_list = ctn_split_quarantine_list;
    ops->data_key_list = ctn_split_data_key_list;
    ops->audit_list = ctn_split_audit_list;
}
