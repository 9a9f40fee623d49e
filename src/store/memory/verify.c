/*
 * verify.c -- definitions and executions as they stand: memory has no pages and no tables that could be altered.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

static int verify_record(void *ctx, const ctn_record *r, int64_t position)
{
    ctn_proof_record raw = {
        .position = position,
        .seq = (int64_t) r->seq,
        .at_ms = r->at_ms,
        .kind = ctn_str_from(ctn_entry_kind_name(r->kind)),
        .step = r->step,
        .item = r->item,
        .attempt = r->attempt,
        .actor = r->actor,
        .body = r->body,
        .hash = {(const char *) r->hash.bytes, sizeof r->hash.bytes},
        .sealed = r->sealed,
    };
    ctn_verify_record(ctx, &raw);
    return 0;
}

int ctn_memory_verify(ctn_store *st, ctn_verifying *v, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    size_t definition_count, count = db->executions.count;
    ctn_definition *definitions = ctn_memory_table_copy(&db->definitions, &definition_count);
    ctn_execution_row *rows = ctn_calloc(count + 1, sizeof *rows);
    v->report->chains = (int64_t) db->chains.count;
    for (size_t i = 0; i < count; i++)
        rows[i] = memory_execution_at(db, i)->row;
    memory_unlock(db);
    for (size_t i = 0; i < definition_count; i++)
        ctn_verify_definition(v, &definitions[i].digest, definitions[i].kind, definitions[i].name, definitions[i].body);
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        const ctn_execution_row *row = &rows[i];
        ctn_proof_row raw = {
            .id = row->id,
            .parent = row->parent,
            .chain_id = row->chain_id,
            .status = ctn_str_from(ctn_status_name(row->status)),
            .chain_version = row->chain_version,
            .labels = row->labels,
            .input = row->input,
            .outputs = row->outputs,
            .error = row->error,
            .created_at_ms = row->created_at_ms,
            .started_at_ms = row->started_at_ms,
            .finished_at_ms = row->finished_at_ms,
            .wake_at_ms = row->wake_at_ms,
            .has_wake = true,
            .priority = row->priority,
            .queue_key = row->queue_key,
            .tenant = row->tenant,
        };
        ctn_verify_begin(v, row->exec_no, &raw);
        rc = ctn_memory_journal_read(st, row->exec_no, 1, verify_record, v, err);
        ctn_verify_end(v);
    }
    free(definitions);
    free(rows);
    return rc;
}
