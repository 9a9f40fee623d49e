/*
 * memory.c -- a store in memory, for tests, simulations and chains that need not survive.
 *
 * It keeps every promise of store.h except outliving the process. A store is shared by all handles that are open
 * under its name and is gone with the last of them: whoever plays a crash keeps one handle open over it. The list of
 * names is the one piece of state in this program that hangs off no handle; the sharing is the point of it.
 *
 * What must hold: strings and records never move or change once stored (they live in the store's arena until the
 * end), so what was copied out under the mutex may be read after it. Callbacks run without the mutex, on a snapshot,
 * and may call the store again.
 */
#include "store/memory/memory.h"
#include "core/sealed.h"

#include "base/plant.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct memory_execution {
    ctn_execution_row row;
    ctn_record *records;
    int64_t *positions;
    size_t count, capacity;
    size_t live_slot; /* index + 1 in `live`; 0: finished */
} memory_execution;

/* Hash to executions, open addressing, nothing is ever removed. */
typedef struct memory_index {
    struct memory_index_slot {
        uint64_t hash;
        memory_execution *execution;
    } * slots;
    size_t count, capacity; /* capacity: 0 or a power of two */
} memory_index;

/* Its own memory: it is replaced and removed. The texts stand behind it. */
typedef struct memory_result {
    ctn_result_row row;
} memory_result;

/* The same. */
typedef struct memory_data_key {
    int64_t exec_no;
    ctn_data_key key;
} memory_data_key;

typedef struct memory_db {
    struct memory_db *next;
    char *name;
    size_t handle_count;
    pthread_mutex_t mutex;
    ctn_arena *arena;
    uint64_t epoch;
    bool is_clean;
    int64_t position_last, exec_no_last;
    ctn_definition *definitions;
    size_t definition_count, definition_capacity;
    ctn_chain_row *chains;
    size_t chain_count, chain_capacity;
    memory_execution **executions; /* by exec_no */
    size_t execution_count, execution_capacity;
    memory_execution **live; /* the unfinished, in no order */
    size_t live_count, live_capacity;
    memory_index by_id, by_key;
    memory_execution **buried; /* pruned: whoever is reading them may go on */
    size_t buried_count, buried_capacity;
    ctn_schedule_row *schedules; /* by chain */
    size_t schedule_count, schedule_capacity;
    ctn_breaker_row *breakers; /* by name */
    size_t breaker_count, breaker_capacity;
    memory_result **results; /* by key */
    size_t result_count, result_capacity;
    ctn_audit_entry *audit;
    size_t audit_count, audit_capacity;
    memory_data_key **data_keys; /* by exec_no */
    size_t data_key_count, data_key_capacity;
    ctn_quarantine_row *quarantine; /* by number */
    size_t quarantine_count, quarantine_capacity;
} memory_db;

typedef struct memory_store {
    ctn_store base;
    memory_db *db;
} memory_store;

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static memory_db *registry_first;

static memory_db *db_lock(ctn_store *st)
{
    memory_db *db = ((memory_store *) st)->db;
    pthread_mutex_lock(&db->mutex);
    return db;
}
static void db_unlock(memory_db *db)
{
    pthread_mutex_unlock(&db->mutex);
}

/* Room for one more in a malloc'ed array. */
#define GROW(array, count, capacity) ((array) = grow((array), (count), &(capacity), sizeof *(array)))
static void *grow(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 8;
    return ctn_realloc_array(array, *capacity, bytes);
}

/* ---- looking things up ---- */

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
        larger.slots = ctn_store_new(larger.capacity, sizeof larger.slots[0]);
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

static memory_execution *find_by_id(const memory_db *db, ctn_execution_id id)
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

static memory_execution *find_by_key(const memory_db *db, ctn_str chain_id, ctn_str key)
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

/* Index of the first execution with a number of at least exec_no. */
static size_t place_of_no(const memory_db *db, int64_t exec_no)
{
    size_t low = 0, high = db->execution_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (db->executions[middle]->row.exec_no < exec_no)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static memory_execution *find_by_no(const memory_db *db, int64_t exec_no)
{
    size_t place = place_of_no(db, exec_no);
    return place < db->execution_count && db->executions[place]->row.exec_no == exec_no ? db->executions[place] : NULL;
}

/* ---- open, close ---- */

static void db_free(memory_db *db)
{
    for (size_t i = 0; i < db->execution_count; i++) {
        free(db->executions[i]->records);
        free(db->executions[i]->positions);
        free(db->executions[i]);
    }
    for (size_t i = 0; i < db->buried_count; i++) {
        free(db->buried[i]->records);
        free(db->buried[i]->positions);
        free(db->buried[i]);
    }
    free(db->buried);
    free(db->executions);
    free(db->live);
    free(db->definitions);
    free(db->chains);
    free(db->schedules);
    free(db->breakers);
    free(db->audit);
    free(db->quarantine);
    for (size_t i = 0; i < db->result_count; i++)
        free(db->results[i]);
    free(db->results);
    for (size_t i = 0; i < db->data_key_count; i++)
        free(db->data_keys[i]);
    free(db->data_keys);
    free(db->by_id.slots);
    free(db->by_key.slots);
    ctn_arena_free(db->arena);
    pthread_mutex_destroy(&db->mutex);
    free(db->name);
    free(db);
}

static memory_db *registry_find(ctn_str name)
{
    memory_db *db = registry_first;
    while (db && !ctn_str_is(name, db->name))
        db = db->next;
    return db;
}

static void memory_close(ctn_store *st)
{
    memory_db *db = ((memory_store *) st)->db;
    pthread_mutex_lock(&registry_mutex);
    bool is_last = --db->handle_count == 0;
    if (is_last) {
        memory_db **link = &registry_first;
        while (*link != db)
            link = &(*link)->next;
        *link = db->next;
    }
    pthread_mutex_unlock(&registry_mutex);
    if (is_last)
        db_free(db);
    free(st);
}

/* ---- ownership ---- */

static int memory_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    *ret_was_crash = !db->is_clean;
    *ret_epoch = ++db->epoch;
    db->is_clean = false;
    db_unlock(db);
    return CTN_OK;
}

static int memory_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    memory_db *db = db_lock(st);
    uint64_t current = db->epoch;
    if (epoch == current)
        db->is_clean = true;
    db_unlock(db);
    return epoch == current ? CTN_OK : ctn_store_fail_epoch(epoch, current, err);
}

/* ---- definitions and chains ---- */

static const ctn_definition *find_definition(const memory_db *db, const ctn_digest *digest)
{
    for (size_t i = 0; i < db->definition_count; i++)
        if (memcmp(db->definitions[i].digest.bytes, digest->bytes, sizeof digest->bytes) == 0)
            return &db->definitions[i];
    return NULL;
}

static int memory_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    for (size_t i = 0; i < count; i++) {
        if (find_definition(db, &definitions[i].digest))
            continue;
        GROW(db->definitions, db->definition_count, db->definition_capacity);
        db->definitions[db->definition_count++] = (ctn_definition){
            .digest = definitions[i].digest,
            .kind = ctn_arena_str(db->arena, definitions[i].kind),
            .name = ctn_arena_str(db->arena, definitions[i].name),
            .body = ctn_arena_str(db->arena, definitions[i].body),
        };
    }
    db_unlock(db);
    return CTN_OK;
}

static int memory_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                                 ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const ctn_definition *found = find_definition(db, digest);
    if (found)
        *ret = (ctn_definition){
            .digest = found->digest,
            .kind = ctn_arena_str(arena, found->kind),
            .name = ctn_arena_str(arena, found->name),
            .body = ctn_arena_str(arena, found->body),
        };
    db_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

/* version 0: the newest. */
static const ctn_chain_row *find_chain(const memory_db *db, ctn_str chain_id, int64_t version)
{
    const ctn_chain_row *best = NULL;
    for (size_t i = 0; i < db->chain_count; i++) {
        const ctn_chain_row *row = &db->chains[i];
        if (!ctn_str_equal(row->chain_id, chain_id) || (version && row->version != version))
            continue;
        if (!best || row->version > best->version)
            best = row;
    }
    return best;
}

/* The newest version with this content. */
static const ctn_chain_row *find_chain_content(const memory_db *db, const ctn_chain_row *wanted)
{
    const ctn_chain_row *best = NULL;
    for (size_t i = 0; i < db->chain_count; i++) {
        const ctn_chain_row *row = &db->chains[i];
        if (ctn_str_equal(row->chain_id, wanted->chain_id) &&
            memcmp(row->digest.bytes, wanted->digest.bytes, sizeof row->digest.bytes) == 0 &&
            (!best || row->version > best->version))
            best = row;
    }
    return best;
}

static int memory_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    memory_db *db = db_lock(st);
    int rc = CTN_OK;
    int64_t version = row->version;
    if (!find_definition(db, &row->digest)) {
        rc = ctn_store_fail_definition(row, err);
        goto done;
    }
    const ctn_chain_row *same = version ? find_chain(db, row->chain_id, version) : find_chain_content(db, row);
    if (same) {
        if (memcmp(same->digest.bytes, row->digest.bytes, sizeof row->digest.bytes) != 0)
            rc = ctn_store_fail_version(row, err);
        else
            *ret_version = same->version;
        goto done;
    }
    if (version == 0) {
        const ctn_chain_row *newest = find_chain(db, row->chain_id, 0);
        version = newest ? newest->version + 1 : 1;
    }
    GROW(db->chains, db->chain_count, db->chain_capacity);
    db->chains[db->chain_count++] = (ctn_chain_row){
        .chain_id = ctn_arena_str(db->arena, row->chain_id),
        .version = version,
        .digest = row->digest,
        .created_at_ms = row->created_at_ms,
        .created_by = ctn_arena_str(db->arena, row->created_by),
    };
    *ret_version = version;
done:
    db_unlock(db);
    return rc;
}

static int memory_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                            ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const ctn_chain_row *found = find_chain(db, chain_id, version);
    if (found) {
        *ret = *found;
        ret->chain_id = ctn_arena_str(arena, found->chain_id);
        ret->created_by = ctn_arena_str(arena, found->created_by);
    }
    db_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

static int compare_chain_ids(const void *a, const void *b)
{
    return ctn_str_compare(((const ctn_chain_row *) a)->chain_id, ((const ctn_chain_row *) b)->chain_id);
}

static int memory_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    ctn_chain_row *rows = ctn_store_new(db->chain_count + 1, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < db->chain_count; i++)
        if (find_chain(db, db->chains[i].chain_id, 0) == &db->chains[i])
            rows[count++] = db->chains[i];
    db_unlock(db);
    qsort(rows, count, sizeof *rows, compare_chain_ids);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

/* ---- commit ---- */

static void live_update(memory_db *db, memory_execution *e)
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

/* The first unfinished one with this key and a number below before_exec_no. */
static memory_execution *first_in_line(const memory_db *db, ctn_str queue_key, int64_t before_exec_no)
{
    memory_execution *first = NULL;
    for (size_t i = 0; i < db->live_count; i++) {
        memory_execution *e = db->live[i];
        if (e->row.exec_no < before_exec_no && ctn_str_equal(e->row.queue_key, queue_key) &&
            (!first || e->row.exec_no < first->row.exec_no))
            first = e;
    }
    return first;
}

/* It has ended, and is no longer among the live: the next in its line is let go. */
static void move_line(const memory_db *db, ctn_str queue_key)
{
    memory_execution *next = first_in_line(db, queue_key, INT64_MAX);
    if (next)
        next->row.is_held = false;
}

static memory_execution *create_execution(memory_db *db, const ctn_append *a)
{
    memory_execution *e = ctn_store_new(1, sizeof *e);
    ctn_execution_row row = ctn_row_with_change(a->row, a->change);
    ctn_str *strings[] = {&row.chain_id, &row.queue_key, &row.idempotency_key, &row.tenant,
                          &row.labels,   &row.input,     &row.outputs,         &row.error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(db->arena, *strings[i]);
    row.is_held = row.queue_key.len && row.status == CTN_STATUS_QUEUED && first_in_line(db, row.queue_key, row.exec_no);
    e->row = row;
    size_t place = place_of_no(db, row.exec_no);
    GROW(db->executions, db->execution_count, db->execution_capacity);
    memmove(&db->executions[place + 1], &db->executions[place], (db->execution_count - place) * sizeof e);
    db->executions[place] = e;
    db->execution_count++;
    if (row.exec_no > db->exec_no_last)
        db->exec_no_last = row.exec_no;
    index_add(&db->by_id, hash_id(row.id), e);
    if (row.idempotency_key.len)
        index_add(&db->by_key, hash_key(row.chain_id, row.idempotency_key), e);
    return e;
}

static void change_execution(memory_db *db, memory_execution *e, const ctn_execution_change *change)
{
    ctn_execution_row row = ctn_row_with_change(&e->row, change);
    if (change->outputs.len)
        row.outputs = ctn_arena_str(db->arena, change->outputs);
    if (change->error.len)
        row.error = ctn_arena_str(db->arena, change->error);
    e->row = row;
}

static void add_record(memory_db *db, memory_execution *e, const ctn_record *record)
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
    e->positions[e->count] = ++db->position_last;
    e->count++;
    e->row.hash_last = record->hash;
}

/* ---- cached results ---- */

static size_t place_of_result(const memory_db *db, ctn_str key)
{
    size_t low = 0, high = db->result_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ctn_str_compare(db->results[middle]->row.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_result(memory_db *db, size_t place)
{
    free(db->results[place]);
    db->result_count--;
    memmove(&db->results[place], &db->results[place + 1], (db->result_count - place) * sizeof *db->results);
}

static void prune_results(memory_db *db, int64_t now_ms)
{
    for (int n = 0; n < CTN_RESULTS_PRUNED; n++) {
        size_t oldest = SIZE_MAX;
        for (size_t i = 0; i < db->result_count; i++)
            if (db->results[i]->row.expires_at_ms <= now_ms &&
                (oldest == SIZE_MAX || db->results[i]->row.expires_at_ms < db->results[oldest]->row.expires_at_ms))
                oldest = i;
        if (oldest == SIZE_MAX)
            return;
        remove_result(db, oldest);
    }
}

static void put_result(memory_db *db, const ctn_result_row *row)
{
    memory_result *r = ctn_malloc(sizeof *r + row->key.len + row->value.len);
    char *texts = (char *) (r + 1);
    memcpy(texts, row->key.ptr, row->key.len);
    if (row->value.len)
        memcpy(texts + row->key.len, row->value.ptr, row->value.len);
    r->row = *row;
    r->row.key.ptr = texts;
    r->row.value.ptr = texts + row->key.len;
    size_t place = place_of_result(db, row->key);
    if (place < db->result_count && ctn_str_equal(db->results[place]->row.key, row->key))
        remove_result(db, place);
    GROW(db->results, db->result_count, db->result_capacity);
    memmove(&db->results[place + 1], &db->results[place], (db->result_count - place) * sizeof r);
    db->results[place] = r;
    db->result_count++;
    prune_results(db, row->put_at_ms);
}

static int memory_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t place = place_of_result(db, key);
    bool is_there = place < db->result_count && ctn_str_equal(db->results[place]->row.key, key);
    if (is_there) {
        *ret = db->results[place]->row;
        ret->key = ctn_arena_str(arena, ret->key);
        ret->value = ctn_arena_str(arena, ret->value);
    }
    db_unlock(db);
    return is_there ? CTN_OK : CTN_E_NOT_FOUND;
}

/* ---- data keys ---- */

static size_t place_of_data_key(const memory_db *db, int64_t exec_no)
{
    size_t low = 0, high = db->data_key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (db->data_keys[middle]->exec_no < exec_no)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static memory_data_key *find_data_key(const memory_db *db, int64_t exec_no)
{
    size_t place = place_of_data_key(db, exec_no);
    return place < db->data_key_count && db->data_keys[place]->exec_no == exec_no ? db->data_keys[place] : NULL;
}

static void remove_data_key(memory_db *db, int64_t exec_no)
{
    size_t place = place_of_data_key(db, exec_no);
    if (place >= db->data_key_count || db->data_keys[place]->exec_no != exec_no)
        return;
    free(db->data_keys[place]);
    db->data_key_count--;
    memmove(&db->data_keys[place], &db->data_keys[place + 1], (db->data_key_count - place) * sizeof *db->data_keys);
}

static void put_data_key(memory_db *db, int64_t exec_no, const ctn_data_key *key)
{
    memory_data_key *k = ctn_malloc(sizeof *k + key->master_id.len + key->wrapped.len);
    char *bytes = (char *) (k + 1);
    memcpy(bytes, key->master_id.ptr, key->master_id.len);
    memcpy(bytes + key->master_id.len, key->wrapped.ptr, key->wrapped.len);
    *k = (memory_data_key){
        exec_no, {.master_id = {bytes, key->master_id.len}, .wrapped = {bytes + key->master_id.len, key->wrapped.len}}};
    remove_data_key(db, exec_no);
    size_t place = place_of_data_key(db, exec_no);
    GROW(db->data_keys, db->data_key_count, db->data_key_capacity);
    memmove(&db->data_keys[place + 1], &db->data_keys[place], (db->data_key_count - place) * sizeof k);
    db->data_keys[place] = k;
    db->data_key_count++;
}

static ctn_data_key copy_data_key(ctn_arena *arena, const ctn_data_key *key)
{
    return (ctn_data_key){ctn_arena_str(arena, key->master_id), ctn_arena_str(arena, key->wrapped)};
}

static int memory_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const memory_data_key *k = find_data_key(db, exec_no);
    if (k)
        *ret = copy_data_key(arena, &k->key);
    db_unlock(db);
    return k ? CTN_OK : CTN_E_NOT_FOUND;
}

static int memory_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    bool is_there = find_data_key(db, exec_no) != NULL;
    if (!is_there)
        put_data_key(db, exec_no, key);
    db_unlock(db);
    return is_there ? CTN_E_EXISTS : CTN_OK;
}

static int memory_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                                ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    ctn_arena *arena = ctn_arena_new(1024);
    memory_db *db = db_lock(st);
    size_t count = 0;
    memory_data_key *found = ctn_store_new(db->data_key_count + 1, sizeof *found);
    for (size_t i = place_of_data_key(db, after_exec_no + 1); i < db->data_key_count && (!limit || count < limit); i++)
        if (!ctn_str_equal(db->data_keys[i]->key.master_id, but_master_id))
            found[count++] = (memory_data_key){db->data_keys[i]->exec_no, copy_data_key(arena, &db->data_keys[i]->key)};
    db_unlock(db);
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = fn(ctx, found[i].exec_no, &found[i].key);
    free(found);
    ctn_arena_free(arena);
    return rc;
}

static int memory_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    for (size_t i = 0; i < count; i++) {
        const memory_data_key *k = find_data_key(db, swaps[i].exec_no);
        if (k && ctn_str_equal(k->key.wrapped, swaps[i].wrapped_before))
            put_data_key(db, swaps[i].exec_no, &swaps[i].key);
    }
    db_unlock(db);
    return CTN_OK;
}

static int memory_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    for (size_t i = 0; i < count; i++) {
        memory_execution *e = find_by_no(db, exec_nos[i]);
        remove_data_key(db, exec_nos[i]);
        for (size_t k = 0; e && k < e->count; k++)
            e->records[k].sealed = ctn_sealed_without_boxes(db->arena, e->records[k].sealed);
    }
    db_unlock(db);
    return CTN_OK;
}

static ctn_outcome append_one(memory_db *db, const ctn_append *a)
{
    if (a->epoch < db->epoch && !CTN_PLANT(FENCE_MISSING))
        return CTN_OUTCOME_STALE_EPOCH;
    memory_execution *e = find_by_no(db, a->exec_no);
    if ((e ? e->count : 0) != a->seq_expected && !(CTN_PLANT(STALE_SEQ_ACCEPTED) && e))
        return CTN_OUTCOME_STALE_SEQ;
    if (a->row) {
        if (find_by_id(db, a->row->id))
            return CTN_OUTCOME_EXISTS;
        if (a->row->idempotency_key.len && find_by_key(db, a->row->chain_id, a->row->idempotency_key))
            return CTN_OUTCOME_EXISTS;
        e = create_execution(db, a);
    } else if (a->change)
        change_execution(db, e, a->change);
    live_update(db, e);
    if (a->change && a->change->queue_key.len && ctn_status_is_final(e->row.status))
        move_line(db, a->change->queue_key);
    memory_execution *other = a->change && !ctn_id_is_none(a->change->wakes) ? find_by_id(db, a->change->wakes) : NULL;
    if (other && !ctn_status_is_final(other->row.status))
        other->row.wake_at_ms = 1;
    for (size_t i = 0; i < a->count; i++)
        add_record(db, e, &a->records[i]);
    if (a->data_key)
        put_data_key(db, a->exec_no, a->data_key);
    for (size_t i = 0; i < a->result_count; i++)
        put_result(db, &a->results[i]);
    return CTN_OUTCOME_ACCEPTED;
}

static int memory_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes,
                         ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    for (size_t i = 0; i < count; i++)
        ret_outcomes[i] = append_one(db, &appends[i]);
    db_unlock(db);
    return CTN_OK;
}

/* ---- retention ---- */

static bool tree_stays(const memory_db *db, const memory_execution *e)
{
    if (!ctn_status_is_final(e->row.status) || e->row.wake_at_ms > 0)
        return true;
    for (size_t i = 0; i < db->execution_count; i++)
        if (ctn_id_equal(db->executions[i]->row.parent, e->row.id) && tree_stays(db, db->executions[i]))
            return true;
    return false;
}

/* Counts a tree, and takes it off the list of executions unless it is only counted. */
static void take_tree(memory_db *db, memory_execution *e, bool is_dry, ctn_pruned *sum)
{
    sum->executions++;
    sum->entries += e->count;
    for (size_t i = db->execution_count; i-- > 0;)
        if (i < db->execution_count && ctn_id_equal(db->executions[i]->row.parent, e->row.id))
            take_tree(db, db->executions[i], is_dry, sum);
    if (is_dry)
        return;
    remove_data_key(db, e->row.exec_no);
    size_t place = place_of_no(db, e->row.exec_no);
    memmove(&db->executions[place], &db->executions[place + 1],
            (--db->execution_count - place) * sizeof *db->executions);
    GROW(db->buried, db->buried_count, db->buried_capacity);
    db->buried[db->buried_count++] = e;
}

static void index_again(memory_db *db)
{
    free(db->by_id.slots);
    free(db->by_key.slots);
    db->by_id = db->by_key = (memory_index){0};
    for (size_t i = 0; i < db->execution_count; i++) {
        const ctn_execution_row *row = &db->executions[i]->row;
        index_add(&db->by_id, hash_id(row->id), db->executions[i]);
        if (row->idempotency_key.len)
            index_add(&db->by_key, hash_key(row->chain_id, row->idempotency_key), db->executions[i]);
    }
}

/* All at once: there is nobody whom it could hold up for long, and no order to remember. */
static int memory_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    *walk = (ctn_prune_walk){.completed.is_done = true, .others.is_done = true, .is_done = true};
    for (size_t i = db->execution_count; i-- > 0;) {
        if (i >= db->execution_count)
            continue;
        memory_execution *e = db->executions[i];
        int64_t ended_ms = e->row.finished_at_ms;
        if (!ctn_status_is_final(e->row.status) || !ctn_id_is_none(e->row.parent))
            continue;
        int64_t *next_ms =
            e->row.status == CTN_STATUS_COMPLETED ? &walk->completed.next_at_ms : &walk->others.next_at_ms;
        if (ended_ms >= what->before_ms[e->row.status]) {
            if (!*next_ms || ended_ms < *next_ms)
                *next_ms = ended_ms;
        } else if (tree_stays(db, e)) {
            walk->left++;
        } else {
            sum->trees++;
            take_tree(db, e, what->is_dry, sum);
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < db->result_count && !what->is_dry; i++) {
        if (db->results[i]->row.expires_at_ms >= what->results_before_ms)
            db->results[kept++] = db->results[i];
        else
            free(db->results[i]);
    }
    if (!what->is_dry) {
        sum->results += db->result_count - kept;
        db->result_count = kept;
        index_again(db);
    }
    db_unlock(db);
    return CTN_OK;
}

static int memory_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err)
{
    (void) st, (void) err;
    *ret_size = (ctn_store_size){0};
    return CTN_OK;
}

static int memory_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err)
{
    (void) st, (void) pages, (void) err;
    *ret_more = false;
    return CTN_OK;
}

/* ---- reading executions ---- */

static int memory_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    *ret_exec_no = db->exec_no_last;
    db_unlock(db);
    return CTN_OK;
}

static ctn_execution_row copy_row(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_execution_row copy = *row;
    ctn_str *strings[] = {&copy.chain_id, &copy.queue_key, &copy.idempotency_key, &copy.tenant,
                          &copy.labels,   &copy.input,     &copy.outputs,         &copy.error};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = ctn_arena_str(arena, *strings[i]);
    return copy;
}

static int memory_execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                                 size_t *ret_matches, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const memory_execution *found = NULL;
    size_t matches = 0;
    if (lookup->kind == CTN_LOOKUP_NO)
        found = find_by_no(db, lookup->exec_no);
    else if (lookup->kind == CTN_LOOKUP_KEY)
        found = find_by_key(db, lookup->chain_id, lookup->key);
    else if (ctn_id_equal(lookup->id_first, lookup->id_last))
        found = find_by_id(db, lookup->id_first);
    else
        for (size_t i = 0; i < db->execution_count && matches < 2; i++) {
            const uint8_t *id = db->executions[i]->row.id.bytes;
            if (memcmp(id, lookup->id_first.bytes, 16) < 0 || memcmp(id, lookup->id_last.bytes, 16) > 0)
                continue;
            found = db->executions[i];
            matches++;
        }
    if (found && matches == 0)
        matches = 1;
    if (matches == 1)
        *ret = copy_row(arena, &found->row);
    *ret_matches = matches;
    db_unlock(db);
    return CTN_OK;
}

static bool filter_takes(const ctn_execution_filter *filter, const ctn_execution_row *row)
{
    return (filter->chain_id.len == 0 || ctn_str_equal(filter->chain_id, row->chain_id)) &&
           (!filter->by_status || filter->status == row->status) &&
           (!filter->unfinished_only || !ctn_status_is_final(row->status)) &&
           (filter->before_exec_no <= 0 || row->exec_no < filter->before_exec_no);
}

static void tell_rows(const ctn_execution_row *rows, size_t count, ctn_execution_fn *fn, void *ctx)
{
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
}

static int memory_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                                 ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t limit = filter->limit ? filter->limit : SIZE_MAX;
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = db->execution_count; i-- > 0 && count < limit;) {
        if (!filter_takes(filter, &db->executions[i]->row))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = db->executions[i]->row;
    }
    db_unlock(db);
    tell_rows(rows, count, fn, ctx);
    free(rows);
    return CTN_OK;
}

static int compare_wakes(const void *a, const void *b)
{
    const ctn_execution_row *x = a, *y = b;
    if (x->wake_at_ms != y->wake_at_ms)
        return x->wake_at_ms < y->wake_at_ms ? -1 : 1;
    return (x->exec_no > y->exec_no) - (x->exec_no < y->exec_no);
}

static int memory_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                                ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        const ctn_execution_row *row = &db->live[i]->row;
        if (row->wake_at_ms <= 0 || row->wake_at_ms > until_ms)
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    db_unlock(db);
    if (count)
        qsort(rows, count, sizeof *rows, compare_wakes);
    tell_rows(rows, limit && limit < count ? limit : count, fn, ctx);
    free(rows);
    return CTN_OK;
}

static int memory_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    int64_t best = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        int64_t wake = db->live[i]->row.wake_at_ms;
        if (wake > 0 && wake > after_ms && (best == 0 || wake < best))
            best = wake;
    }
    *ret_wake_at_ms = best;
    db_unlock(db);
    return CTN_OK;
}

/* ---- the queue ---- */

typedef struct memory_lane {
    ctn_str chain_id;
    int priority;
} memory_lane;

static int compare_lanes(const void *a, const void *b)
{
    const memory_lane *x = a, *y = b;
    int order = ctn_str_compare(x->chain_id, y->chain_id);
    return order ? order : (x->priority > y->priority) - (x->priority < y->priority);
}

static bool is_admissible(const ctn_execution_row *row)
{
    return row->status == CTN_STATUS_QUEUED && !row->is_held;
}

static int memory_queue_lanes(ctn_store *st, ctn_lane_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    memory_lane *lanes = ctn_store_new(db->live_count + 1, sizeof *lanes);
    size_t count = 0;
    for (size_t i = 0; i < db->live_count; i++)
        if (is_admissible(&db->live[i]->row))
            lanes[count++] = (memory_lane){db->live[i]->row.chain_id, db->live[i]->row.priority};
    db_unlock(db);
    qsort(lanes, count, sizeof *lanes, compare_lanes);
    for (size_t i = 0; i < count; i++)
        if ((i == 0 || compare_lanes(&lanes[i - 1], &lanes[i]) != 0) && fn(ctx, lanes[i].chain_id, lanes[i].priority))
            break;
    free(lanes);
    return CTN_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    const ctn_execution_row *x = a, *y = b;
    return (x->exec_no > y->exec_no) - (x->exec_no < y->exec_no);
}

/* By number, and without the mutex, which it gives back. */
static void tell_some(memory_db *db, ctn_execution_row *rows, size_t count, size_t limit, ctn_execution_fn *fn,
                      void *ctx)
{
    db_unlock(db);
    if (count)
        qsort(rows, count, sizeof *rows, compare_numbers);
    tell_rows(rows, limit && limit < count ? limit : count, fn, ctx);
    free(rows);
}

static int memory_queue_next(ctn_store *st, ctn_str chain_id, int priority, int64_t after_exec_no, size_t limit,
                             ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        const ctn_execution_row *row = &db->live[i]->row;
        if (!is_admissible(row) || row->exec_no <= after_exec_no || row->priority != priority ||
            !ctn_str_equal(row->chain_id, chain_id))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    tell_some(db, rows, count, limit, fn, ctx);
    return CTN_OK;
}

static int memory_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                              ctn_execution_row *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const memory_execution *first = first_in_line(db, queue_key, before_exec_no);
    if (first)
        *ret = copy_row(arena, &first->row);
    db_unlock(db);
    return first ? CTN_OK : CTN_E_NOT_FOUND;
}

static int memory_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                                  ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = place_of_no(db, after_exec_no + 1); i < db->execution_count; i++) {
        const ctn_execution_row *row = &db->executions[i]->row;
        if (!ctn_status_is_final(row->status) || row->wake_at_ms <= 0)
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    tell_some(db, rows, count, limit, fn, ctx);
    return CTN_OK;
}

/* ---- schedules and breakers ---- */

static int memory_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t place = 0;
    while (place < db->schedule_count && ctn_str_compare(db->schedules[place].chain_id, row->chain_id) < 0)
        place++;
    if (place == db->schedule_count || !ctn_str_equal(db->schedules[place].chain_id, row->chain_id)) {
        GROW(db->schedules, db->schedule_count, db->schedule_capacity);
        memmove(&db->schedules[place + 1], &db->schedules[place], (db->schedule_count - place) * sizeof *row);
        db->schedule_count++;
    }
    db->schedules[place] = *row;
    db->schedules[place].chain_id = ctn_arena_str(db->arena, row->chain_id);
    db->schedules[place].cron = ctn_arena_str(db->arena, row->cron);
    db->schedules[place].timezone = ctn_arena_str(db->arena, row->timezone);
    db_unlock(db);
    return CTN_OK;
}

static int memory_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t count = db->schedule_count;
    ctn_schedule_row *rows = ctn_store_new(count + 1, sizeof *rows);
    if (count)
        memcpy(rows, db->schedules, count * sizeof *rows);
    db_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

static int memory_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t place = 0;
    while (place < db->breaker_count && ctn_str_compare(db->breakers[place].name, row->name) < 0)
        place++;
    if (place == db->breaker_count || !ctn_str_equal(db->breakers[place].name, row->name)) {
        GROW(db->breakers, db->breaker_count, db->breaker_capacity);
        memmove(&db->breakers[place + 1], &db->breakers[place], (db->breaker_count - place) * sizeof *row);
        db->breaker_count++;
    }
    db->breakers[place] = *row;
    db->breakers[place].name = ctn_arena_str(db->arena, row->name);
    db->breakers[place].state = ctn_arena_str(db->arena, row->state);
    db_unlock(db);
    return CTN_OK;
}

static int memory_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t count = db->breaker_count;
    ctn_breaker_row *rows = ctn_store_new(count + 1, sizeof *rows);
    if (count)
        memcpy(rows, db->breakers, count * sizeof *rows);
    db_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

/* ---- reading journals ---- */

static int memory_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                               ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    const memory_execution *e = find_by_no(db, exec_no);
    size_t first = from_seq > 0 ? (size_t) (from_seq - 1) : 0;
    size_t count = e && first < e->count ? e->count - first : 0;
    ctn_record *records = ctn_store_new(count + 1, sizeof *records);
    int64_t *positions = ctn_store_new(count + 1, sizeof *positions);
    if (count) {
        memcpy(records, &e->records[first], count * sizeof *records);
        memcpy(positions, &e->positions[first], count * sizeof *positions);
    }
    db_unlock(db);
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = fn(ctx, &records[i], positions[i]);
    free(records);
    free(positions);
    return rc;
}

/* ---- the audit log ---- */

static int memory_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    static const ctn_digest FIRST = {{0}};
    const ctn_digest *previous = db->audit_count ? &db->audit[db->audit_count - 1].hash : &FIRST;
    ctn_audit_entry kept = {
        .at_ms = entry->at_ms,
        .actor = ctn_arena_str(db->arena, entry->actor),
        .action = ctn_arena_str(db->arena, entry->action),
        .subject = ctn_arena_str(db->arena, entry->subject),
        .detail = ctn_arena_str(db->arena, entry->detail),
        .node = ctn_arena_str(db->arena, entry->node),
        .n = (int64_t) db->audit_count + 1,
    };
    kept.hash = ctn_audit_hash(&kept, previous);
    GROW(db->audit, db->audit_count, db->audit_capacity);
    db->audit[db->audit_count++] = kept;
    db_unlock(db);
    return CTN_OK;
}

static int memory_audit_list(ctn_store *st, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t count = db->audit_count;
    ctn_audit_entry *entries = ctn_store_new(count + 1, sizeof *entries);
    if (count)
        memcpy(entries, db->audit, count * sizeof *entries);
    db_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &entries[i]) == 0; i++) {
    }
    free(entries);
    return CTN_OK;
}

static int memory_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    *ret_count = (int64_t) db->audit_count;
    db_unlock(db);
    return CTN_OK;
}

/* ---- quarantine, and what is left ---- */

static size_t place_of_quarantined(const memory_db *db, int64_t exec_no)
{
    size_t place = 0;
    while (place < db->quarantine_count && db->quarantine[place].exec_no < exec_no)
        place++;
    return place;
}

static bool is_quarantined(const memory_db *db, size_t place, int64_t exec_no)
{
    return place < db->quarantine_count && db->quarantine[place].exec_no == exec_no;
}

static int memory_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    for (size_t i = 0; i < count; i++) {
        size_t place = place_of_quarantined(db, rows[i].exec_no);
        if (!is_quarantined(db, place, rows[i].exec_no)) {
            GROW(db->quarantine, db->quarantine_count, db->quarantine_capacity);
            memmove(&db->quarantine[place + 1], &db->quarantine[place],
                    (db->quarantine_count - place) * sizeof *db->quarantine);
            db->quarantine_count++;
        } else if (!db->quarantine[place].given_up_at_ms) {
            continue;
        }
        db->quarantine[place] = rows[i];
        db->quarantine[place].chain_id = ctn_arena_str(db->arena, rows[i].chain_id);
        db->quarantine[place].reason = ctn_arena_str(db->arena, rows[i].reason);
    }
    db_unlock(db);
    return CTN_OK;
}

static int memory_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret,
                                 ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t place = place_of_quarantined(db, exec_no);
    bool is_there = is_quarantined(db, place, exec_no);
    if (is_there) {
        *ret = db->quarantine[place];
        ret->chain_id = ctn_arena_str(arena, ret->chain_id);
        ret->reason = ctn_arena_str(arena, ret->reason);
    }
    db_unlock(db);
    return is_there ? CTN_OK : CTN_E_NOT_FOUND;
}

static int memory_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t place = place_of_quarantined(db, exec_no);
    if (is_quarantined(db, place, exec_no))
        memmove(&db->quarantine[place], &db->quarantine[place + 1],
                (--db->quarantine_count - place) * sizeof *db->quarantine);
    db_unlock(db);
    return CTN_OK;
}

static int memory_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    size_t count = db->quarantine_count;
    ctn_quarantine_row *rows = ctn_store_new(count + 1, sizeof *rows);
    if (count)
        memcpy(rows, db->quarantine, count * sizeof *rows);
    db_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

static int memory_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err)
{
    (void) err;
    memory_db *db = db_lock(st);
    memory_execution *e = find_by_no(db, what->exec_no);
    bool is_live = e && !ctn_status_is_final(e->row.status);
    if (is_live) {
        e->row.status = CTN_STATUS_FAILED;
        e->row.wake_at_ms = 0;
        e->row.finished_at_ms = what->at_ms;
        e->row.error = ctn_arena_str(db->arena, what->error);
        live_update(db, e);
        if (e->row.queue_key.len)
            move_line(db, e->row.queue_key);
        memory_execution *parent = ctn_id_is_none(e->row.parent) ? NULL : find_by_id(db, e->row.parent);
        if (parent && !ctn_status_is_final(parent->row.status))
            parent->row.wake_at_ms = 1;
        size_t place = place_of_quarantined(db, what->exec_no);
        if (is_quarantined(db, place, what->exec_no))
            db->quarantine[place].given_up_at_ms = what->at_ms;
    }
    db_unlock(db);
    return is_live ? CTN_OK : CTN_E_NOT_FOUND;
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

static int memory_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    telling_raw t = {fn, ctx};
    return memory_journal_read(st, exec_no, 1, tell_raw, &t, err);
}

/* ---- verifying ---- */

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

/* Memory has no pages and no tables that could be altered: definitions and executions are what there is to judge. */
static int memory_verify(ctn_store *st, ctn_verifying *v, ctn_err *err)
{
    memory_db *db = db_lock(st);
    size_t definition_count = db->definition_count, count = db->execution_count;
    ctn_definition *definitions = ctn_store_new(definition_count + 1, sizeof *definitions);
    ctn_execution_row *rows = ctn_store_new(count + 1, sizeof *rows);
    if (definition_count)
        memcpy(definitions, db->definitions, definition_count * sizeof *definitions);
    v->report->chains = (int64_t) db->chain_count;
    for (size_t i = 0; i < count; i++)
        rows[i] = db->executions[i]->row;
    db_unlock(db);
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
        };
        ctn_verify_begin(v, row->exec_no, &raw);
        rc = memory_journal_read(st, row->exec_no, 1, verify_record, v, err);
        ctn_verify_end(v);
    }
    free(definitions);
    free(rows);
    return rc;
}

static const ctn_store_ops memory_ops = {
    .close = memory_close,
    .epoch_begin = memory_epoch_begin,
    .epoch_end = memory_epoch_end,
    .definition_put = memory_definition_put,
    .definition_get = memory_definition_get,
    .chain_put = memory_chain_put,
    .chain_get = memory_chain_get,
    .chain_list = memory_chain_list,
    .commit = memory_commit,
    .prune = memory_prune,
    .size_read = memory_size_read,
    .shrink = memory_shrink,
    .exec_no_last = memory_exec_no_last,
    .execution_find = memory_execution_find,
    .execution_list = memory_execution_list,
    .execution_due = memory_execution_due,
    .next_wake = memory_next_wake,
    .queue_lanes = memory_queue_lanes,
    .queue_next = memory_queue_next,
    .queue_first = memory_queue_first,
    .execution_owing = memory_execution_owing,
    .schedule_put = memory_schedule_put,
    .schedule_list = memory_schedule_list,
    .breaker_put = memory_breaker_put,
    .breaker_list = memory_breaker_list,
    .result_get = memory_result_get,
    .journal_read = memory_journal_read,
    .audit = memory_audit,
    .audit_list = memory_audit_list,
    .audit_count = memory_audit_count,
    .verify = memory_verify,
    .data_key_get = memory_data_key_get,
    .data_key_put = memory_data_key_put,
    .data_key_list = memory_data_key_list,
    .data_key_swap = memory_data_key_swap,
    .data_key_shred = memory_data_key_shred,
    .quarantine_put = memory_quarantine_put,
    .quarantine_get = memory_quarantine_get,
    .quarantine_remove = memory_quarantine_remove,
    .quarantine_list = memory_quarantine_list,
    .give_up = memory_give_up,
    .journal_read_raw = memory_journal_read_raw,
    .execution_read_raw = memory_execution_find,
};

/* ---- the backend ---- */

static ctn_str name_of(const char *url)
{
    return ctn_str_from_offset(ctn_str_from(url), sizeof "memory:" - 1);
}

static int memory_check(const char *url, ctn_err *err)
{
    return name_of(url).len ? CTN_OK : ctn_fail(err, CTN_E_INVALID, "\"%s\" names no store: write memory:NAME", url);
}

static int fail_missing(ctn_str name, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no store memory:%.*s in this process", CTN_STR_ARG(name));
}

static int memory_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    ctn_str name = name_of(url);
    int rc = memory_check(url, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&registry_mutex);
    memory_db *db = registry_find(name);
    if (!db && mode == CTN_STORE_CREATE) {
        db = ctn_store_new(1, sizeof *db);
        db->name = ctn_store_cstring(name);
        db->arena = ctn_arena_new(4096);
        db->is_clean = true;
        pthread_mutex_init(&db->mutex, NULL);
        db->next = registry_first;
        registry_first = db;
    }
    if (db)
        db->handle_count++;
    pthread_mutex_unlock(&registry_mutex);
    if (!db)
        return fail_missing(name, err);
    memory_store *st = ctn_store_new(1, sizeof *st);
    st->base = (ctn_store){.ops = &memory_ops, .mode = mode};
    st->db = db;
    *ret_store = &st->base;
    return CTN_OK;
}

/* It has no schema and no past: there is one version. */
static int memory_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    ctn_str name = name_of(url);
    pthread_mutex_lock(&registry_mutex);
    bool exists = registry_find(name) != NULL;
    pthread_mutex_unlock(&registry_mutex);
    if (!exists)
        return fail_missing(name, err);
    *ret_version = (ctn_store_version){.found = 1, .newest = 1};
    return CTN_OK;
}

const ctn_backend ctn_memory_backend = {
    .scheme = "memory",
    .form = "memory:NAME",
    .check = memory_check,
    .open = memory_open,
    .version_read = memory_version_read,
    .migrate = memory_version_read,
};
