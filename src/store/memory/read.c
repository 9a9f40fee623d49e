/*
 * read.c -- executions and journals, read back: copied under the mutex, told without it.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

int ctn_memory_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *ret_exec_no = db->exec_no_last;
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_execution *found = NULL;
    size_t matches = 0;
    if (lookup->kind == CTN_LOOKUP_NO)
        found = ctn_memory_find_no(db, lookup->exec_no);
    else if (lookup->kind == CTN_LOOKUP_KEY)
        found = ctn_memory_find_key(db, lookup->chain_id, lookup->key);
    else if (ctn_id_equal(lookup->id_first, lookup->id_last))
        found = ctn_memory_find_id(db, lookup->id_first);
    else
        for (size_t i = 0; i < db->executions.count && matches < 2; i++) {
            const uint8_t *id = memory_execution_at(db, i)->row.id.bytes;
            if (memcmp(id, lookup->id_first.bytes, 16) < 0 || memcmp(id, lookup->id_last.bytes, 16) > 0)
                continue;
            found = memory_execution_at(db, i);
            matches++;
        }
    if (found && matches == 0)
        matches = 1;
    if (matches == 1)
        *ret = ctn_memory_row_copy(arena, &found->row);
    *ret_matches = matches;
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    size_t limit = filter->limit ? filter->limit : SIZE_MAX;
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = db->executions.count; i-- > 0 && count < limit;) {
        const ctn_execution_row *row = &memory_execution_at(db, i)->row;
        if ((filter->before_exec_no > 0 && row->exec_no >= filter->before_exec_no) ||
            row->exec_no <= filter->after_exec_no || !ctn_execution_filter_takes(filter, row))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

/* ---- journals ---- */

int ctn_memory_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                            ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_execution *e = ctn_memory_find_no(db, exec_no);
    size_t first = from_seq > 0 ? (size_t) (from_seq - 1) : 0;
    size_t count = e && first < e->count ? e->count - first : 0;
    ctn_record *records = ctn_calloc(count + 1, sizeof *records);
    int64_t *positions = ctn_calloc(count + 1, sizeof *positions);
    if (count) {
        memcpy(records, &e->records[first], count * sizeof *records);
        memcpy(positions, &e->positions[first], count * sizeof *positions);
    }
    memory_unlock(db);
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = fn(ctx, &records[i], positions[i]);
    free(records);
    free(positions);
    return rc;
}

int ctn_memory_position_last(ctn_store *st, int64_t *ret_position, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *ret_position = db->position_last;
    memory_unlock(db);
    return CTN_OK;
}

#define TAIL_PAGE 256

int ctn_memory_journal_after(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err)
{
    ctn_tail_entry entries[TAIL_PAGE];
    ctn_record records[TAIL_PAGE];
    size_t count = 0;
    memory_db *db = memory_lock(st);
    int64_t next = position + 1;
    size_t i = ctn_memory_table_place(&db->places, &next);
    for (; i < db->places.count && count < limit && count < TAIL_PAGE; i++) {
        memory_place place = ((const memory_place *) db->places.rows)[i];
        position = place.position;
        const memory_execution *e = ctn_memory_find_no(db, place.exec_no); /* NULL: pruned */
        if (!e)
            continue;
        records[count] = e->records[place.index];
        entries[count] = (ctn_tail_entry){.position = position,
                                          .record = &records[count],
                                          .exec_no = place.exec_no,
                                          .id = e->row.id,
                                          .parent = e->row.parent,
                                          .chain_id = e->row.chain_id,
                                          .tenant = e->row.tenant,
                                          .labels = e->row.labels};
        count++;
    }
    memory_unlock(db);
    for (i = 0; i < count; i++)
        if (fn(ctx, &entries[i]))
            return CTN_OK;
    return count == TAIL_PAGE && limit > count ? ctn_memory_journal_after(st, position, limit - count, fn, ctx, err)
                                               : CTN_OK;
}

typedef struct telling_raw {
    ctn_raw_record_fn *fn;
    void *ctx;
} telling_raw;

static int tell_raw(void *ctx, const ctn_record *record, int64_t position)
{
    const telling_raw *t = ctx;
    ctn_raw_record raw = {
        .record = *record, .kind_name = ctn_str_from(ctn_entry_kind_name(record->kind)), .position = position};
    return t->fn(t->ctx, &raw);
}

int ctn_memory_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    telling_raw t = {fn, ctx};
    return ctn_memory_journal_read(st, exec_no, 1, tell_raw, &t, err);
}
