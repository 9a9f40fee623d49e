/*
 * executions.c -- where executions are kept: in order of number, by id and by key, and the unfinished by themselves.
 */
#include "store/memory/fleet.h"
#include <stdlib.h>

/* ---- by id and by key ---- */

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t count)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}
static uint64_t hash_id(ctn_execution_id id)
{
    return hash_bytes(0xcbf29ce484222325u, id.bytes, sizeof id.bytes);
}
static uint64_t hash_key(ctn_str chain_id, ctn_str key)
{
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, chain_id.ptr, chain_id.len);
    return hash_bytes(hash_bytes(hash, "", 1), key.ptr, key.len);
}

static void index_place(memory_index *ix, uint64_t hash, memory_execution *execution)
{
    size_t i = (size_t) hash & (ix->capacity - 1);
    while (ix->slots[i].execution)
        i = (i + 1) & (ix->capacity - 1);
    ix->slots[i].hash = hash;
    ix->slots[i].execution = execution;
}

static void index_add(memory_index *ix, uint64_t hash, memory_execution *execution)
{
    if (ix->count * 2 >= ix->capacity) {
        memory_index larger = {.capacity = ix->capacity ? ix->capacity * 2 : 64};
        larger.slots = ctn_calloc(larger.capacity, sizeof larger.slots[0]);
        for (size_t i = 0; i < ix->capacity; i++)
            if (ix->slots[i].execution)
                index_place(&larger, ix->slots[i].hash, ix->slots[i].execution);
        larger.count = ix->count;
        free(ix->slots);
        *ix = larger;
    }
    index_place(ix, hash, execution);
    ix->count++;
}

static void index_both(memory_db *db, memory_execution *e)
{
    index_add(&db->by_id, hash_id(e->row.id), e);
    if (e->row.idempotency_key.len)
        index_add(&db->by_key, hash_key(e->row.chain_id, e->row.idempotency_key), e);
}

memory_execution *ctn_memory_find_id(const memory_db *db, ctn_execution_id id)
{
    const memory_index *ix = &db->by_id;
    if (ix->capacity == 0)
        return NULL;
    uint64_t hash = hash_id(id);
    for (size_t i = (size_t) hash & (ix->capacity - 1); ix->slots[i].execution; i = (i + 1) & (ix->capacity - 1))
        if (ix->slots[i].hash == hash && ctn_id_equal(ix->slots[i].execution->row.id, id))
            return ix->slots[i].execution;
    return NULL;
}

memory_execution *ctn_memory_find_key(const memory_db *db, ctn_str chain_id, ctn_str key)
{
    const memory_index *ix = &db->by_key;
    if (ix->capacity == 0)
        return NULL;
    uint64_t hash = hash_key(chain_id, key);
    for (size_t i = (size_t) hash & (ix->capacity - 1); ix->slots[i].execution; i = (i + 1) & (ix->capacity - 1)) {
        const ctn_execution_row *row = &ix->slots[i].execution->row;
        if (ix->slots[i].hash == hash && ctn_str_equal(row->chain_id, chain_id) &&
            ctn_str_equal(row->idempotency_key, key))
            return ix->slots[i].execution;
    }
    return NULL;
}

void ctn_memory_index_again(memory_db *db)
{
    free(db->by_id.slots);
    free(db->by_key.slots);
    db->by_id = db->by_key = (memory_index){0};
    for (size_t i = 0; i < db->executions.count; i++)
        index_both(db, memory_execution_at(db, i));
}

/* ---- by number ---- */

int ctn_memory_by_exec_no(const void *row, const void *exec_no)
{
    return ctn_memory_by_number(&(*(memory_execution *const *) row)->row.exec_no, exec_no);
}

memory_execution *ctn_memory_find_no(const memory_db *db, int64_t exec_no)
{
    memory_execution **found = ctn_memory_table_find(&db->executions, &exec_no);
    return found ? *found : NULL;
}

void ctn_memory_execution_add(memory_db *db, memory_execution *e)
{
    bool is_new;
    memory_execution **place = ctn_memory_table_put(&db->executions, &e->row.exec_no, &is_new);
    *place = e;
    if (e->row.exec_no > db->exec_no_last)
        db->exec_no_last = e->row.exec_no;
    index_both(db, e);
}

void ctn_memory_execution_bury(memory_db *db, memory_execution *e)
{
    ctn_memory_table_remove(&db->executions, &e->row.exec_no);
    GROW(db->buried, db->buried_count, db->buried_capacity);
    db->buried[db->buried_count++] = e;
}

void ctn_memory_execution_free(memory_execution *e)
{
    free(e->records);
    free(e->positions);
    free(e);
}

/* ---- their journals ---- */

void ctn_memory_record_add(memory_db *db, memory_execution *e, const ctn_record *record, int64_t position)
{
    if (e->count == e->capacity) {
        e->capacity = e->capacity ? e->capacity * 2 : 8;
        e->records = ctn_realloc_array(e->records, e->capacity, sizeof e->records[0]);
        e->positions = ctn_realloc_array(e->positions, e->capacity, sizeof e->positions[0]);
    }
    ctn_record kept = *record;
    kept.step = ctn_arena_str(db->arena, record->step);
    kept.actor = ctn_arena_str(db->arena, record->actor);
    kept.body = ctn_arena_str(db->arena, record->body);
    kept.sealed = ctn_arena_str(db->arena, record->sealed);
    e->records[e->count] = kept;
    bool is_new;
    memory_place *place = ctn_memory_table_put(&db->places, &position, &is_new);
    *place = (memory_place){position, e->row.exec_no, e->count};
    e->positions[e->count++] = position;
    if (position > db->position_last)
        db->position_last = position;
    e->row.hash_last = record->hash;
}

/* ---- the unfinished ---- */

void ctn_memory_live_update(memory_db *db, memory_execution *e)
{
    bool is_live = !ctn_status_is_final(e->row.status);
    if (is_live && !e->live_slot) {
        GROW(db->live, db->live_count, db->live_capacity);
        db->live[db->live_count++] = e;
        e->live_slot = db->live_count;
    } else if (!is_live && e->live_slot) {
        memory_execution *last = db->live[--db->live_count];
        db->live[e->live_slot - 1] = last;
        last->live_slot = e->live_slot;
        e->live_slot = 0;
    }
}

memory_execution *ctn_memory_first_in_line(const memory_db *db, ctn_str queue_key, int64_t before_exec_no)
{
    memory_execution *first = NULL;
    int64_t shards = db->fleet && before_exec_no < INT64_MAX ? db->fleet->shard_count : 1; /* a line is of one shard */
    for (size_t i = 0; i < db->live_count; i++) {
        memory_execution *e = db->live[i];
        if (e->row.exec_no % shards == before_exec_no % shards && e->row.exec_no < before_exec_no &&
            ctn_str_equal(e->row.queue_key, queue_key) && (!first || e->row.exec_no < first->row.exec_no))
            first = e;
    }
    return first;
}

void ctn_memory_line_move(const memory_db *db, ctn_str queue_key, int64_t by_exec_no)
{
    int64_t end = ctn_exec_no_end(by_exec_no, db->fleet ? db->fleet->shard_count : 1);
    memory_execution *next = ctn_memory_first_in_line(db, queue_key, end);
    if (next)
        next->row.is_held = false;
}

void ctn_memory_wake(const memory_db *db, ctn_execution_id id, int64_t by_exec_no)
{
    memory_execution *e = ctn_id_is_none(id) ? NULL : ctn_memory_find_id(db, id);
    if (e && !ctn_status_is_final(e->row.status) &&
        (!db->fleet || e->row.exec_no % db->fleet->shard_count == by_exec_no % db->fleet->shard_count))
        e->row.wake_at_ms = 1;
}

ctn_execution_row ctn_memory_row_copy(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_execution_row copy = *row;
    ctn_str *strings[] = {&copy.chain_id, &copy.queue_key, &copy.idempotency_key, &copy.tenant,
                          &copy.labels,   &copy.input,     &copy.outputs,         &copy.error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(arena, *strings[i]);
    return copy;
}
