/*
 * rows.c -- an execution and an entry of its journal as rows of arrays: what batch.c and copy.c insert.
 */
#include "store/postgres/arrays.h"
#include "store/postgres/core.h"
#include "store/postgres/schema.h"

void ctn_pg_put_id(pg_array *a, const ctn_execution_id *id)
{
    ctn_pg_array_bytes(a, id->bytes, sizeof id->bytes);
}

void ctn_pg_put_status(pg_array *status, pg_array *phase, ctn_status s)
{
    ctn_pg_array_str(status, ctn_str_from(ctn_status_name(s)));
    ctn_pg_array_int(phase, s == CTN_STATUS_QUEUED      ? PG_PHASE_QUEUED
                            : !ctn_status_is_final(s)   ? PG_PHASE_UNDER_WAY
                            : s == CTN_STATUS_COMPLETED ? PG_PHASE_COMPLETED
                                                        : PG_PHASE_OTHER_END);
}

void ctn_pg_put_outputs(pg_array *a, ctn_str outputs, bool are_in_journal)
{
    if (outputs.len && are_in_journal)
        ctn_pg_array_str(a, CTN_STR(""));
    else
        ctn_pg_array_str_or_null(a, outputs);
}

pg_array *ctn_pg_put_row(pg_array *a, uint32_t shard, int64_t exec_no, const ctn_execution_row *r,
                         bool outputs_are_in_journal)
{
    ctn_pg_array_int(a++, shard);
    ctn_pg_array_int(a++, exec_no);
    ctn_pg_put_id(a++, &r->id);
    ctn_pg_array_str(a++, r->chain_id);
    ctn_pg_array_int(a++, r->chain_version);
    ctn_pg_put_status(a, a + 1, r->status);
    a += 2;
    ctn_pg_array_int(a++, r->priority);
    ctn_pg_array_str_or_null(a++, r->queue_key);
    ctn_pg_array_str_or_null(a++, r->idempotency_key);
    ctn_pg_array_str_or_null(a++, r->tenant);
    if (ctn_id_is_none(r->parent))
        ctn_pg_array_null(a++);
    else
        ctn_pg_put_id(a++, &r->parent);
    ctn_pg_array_int_or_null(a++, r->wake_at_ms);
    ctn_pg_array_str_or_null(a++, r->labels);
    ctn_pg_array_str_or_null(a++, r->input);
    ctn_pg_put_outputs(a++, r->outputs, outputs_are_in_journal);
    ctn_pg_array_str_or_null(a++, r->error);
    ctn_pg_array_int(a++, r->created_at_ms);
    ctn_pg_array_int_or_null(a++, r->started_at_ms);
    ctn_pg_array_int_or_null(a++, r->finished_at_ms);
    return a;
}

pg_array *ctn_pg_put_entry(pg_array *a, uint32_t shard, int64_t exec_no, const ctn_record *r)
{
    ctn_pg_array_int(a++, shard);
    ctn_pg_array_int(a++, exec_no);
    ctn_pg_array_int(a++, (int64_t) r->seq);
    ctn_pg_array_int(a++, r->at_ms);
    ctn_pg_array_str(a++, ctn_str_from(ctn_entry_kind_name(r->kind)));
    ctn_pg_array_str_or_null(a++, r->step);
    if (r->item >= 0)
        ctn_pg_array_int(a++, r->item);
    else
        ctn_pg_array_null(a++);
    ctn_pg_array_int_or_null(a++, r->attempt);
    ctn_pg_array_str_or_null(a++, r->actor);
    ctn_pg_array_str(a++, r->body);
    ctn_pg_array_bytes(a++, r->hash.bytes, sizeof r->hash.bytes);
    ctn_pg_array_str_or_null(a++, r->sealed);
    return a;
}
