/*
 * db.h -- what a store in memory consists of, and what its files share. Private to memory/.
 *
 * What must hold: strings and records never move or change once stored (they live in the store's arena until the
 * end), so what was copied out under the mutex may be read after it. Callbacks run without the mutex, on a copy, and
 * may call the store again.
 */
#pragma once
#include "store/backend.h"
#include "store/memory/table.h"
#include <pthread.h>

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

/* Where the entry of a position is. */
typedef struct memory_place {
    int64_t position; /* first: ctn_memory_by_number */
    int64_t exec_no;
    size_t index;
} memory_place;

typedef struct memory_data_key {
    int64_t exec_no;
    ctn_data_key key; /* its texts are one piece of malloc's, which master_id begins */
} memory_data_key;

typedef struct memory_fleet memory_fleet; /* memory/fleet.h */

typedef struct memory_db {
    struct memory_db *next;
    char *name;
    size_t handle_count;
    pthread_mutex_t mutex;
    ctn_arena *arena;
    uint64_t epoch;
    bool is_clean;
    int64_t position_last, exec_no_last;
    memory_table places;      /* memory_place by position */
    memory_table definitions; /* ctn_definition by digest */
    memory_table chains;      /* ctn_chain_row by id and version */
    memory_table executions;  /* memory_execution * by exec_no */
    memory_execution **live;  /* the unfinished, in no order */
    size_t live_count, live_capacity;
    memory_index by_id, by_key;
    memory_execution **buried; /* pruned: whoever is reading them may go on */
    size_t buried_count, buried_capacity;
    memory_table usage;     /* ctn_usage_row by day and tenant */
    memory_table schedules; /* ctn_schedule_row by chain */
    memory_table breakers;  /* ctn_breaker_row by name */
    memory_table results;   /* ctn_result_row by key; its texts are one piece of malloc's, which the key begins */
    ctn_audit_entry *audit;
    size_t audit_count, audit_capacity;
    memory_table data_keys;  /* memory_data_key by exec_no */
    memory_table quarantine; /* ctn_quarantine_row by exec_no */
    memory_table tool_pins;  /* ctn_tool_pin by target */
    memory_table principals; /* ctn_principal_row by name */
    memory_table grants;     /* ctn_grant_row by principal and words */
    memory_table api_keys;   /* ctn_api_key_row by id */
    int64_t principal_changes;
    memory_table webhooks;         /* ctn_webhook_row by name */
    ctn_dead_letter *dead_letters; /* in no order */
    size_t dead_letter_count, dead_letter_capacity;
    int64_t changes;     /* of what every node keeps in memory */
    memory_fleet *fleet; /* NULL: for one process */
} memory_db;

typedef struct memory_store {
    ctn_store base;
    ctn_store_ops ops; /* behind base: with those of a fleet, if it is one */
    memory_db *db;
    int64_t incarnation; /* of which node this handle is; 0: of none, and it sees all shards */
    ctn_shard_set held;
    int wake_fd; /* -1: nobody has asked for it */
    int64_t wake_incarnation;
    struct memory_store *next_listener;
} memory_store;

static inline memory_db *memory_lock(ctn_store *st)
{
    memory_db *db = ((memory_store *) st)->db;
    pthread_mutex_lock(&db->mutex);
    return db;
}
static inline void memory_unlock(memory_db *db)
{
    pthread_mutex_unlock(&db->mutex);
}

/* ---- fleet.c ---- */
memory_fleet *ctn_memory_fleet_new(uint32_t shard_count);
void ctn_memory_fleet_free(memory_fleet *fleet);                                                   /* NULL is fine */
bool ctn_memory_fleet_admits(const memory_store *st, int64_t exec_no, uint64_t epoch);             /* promise 3 */
int ctn_memory_fleet_begin(memory_db *db, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err); /* epoch_begin */
int ctn_memory_fleet_end(memory_db *db, uint64_t epoch, ctn_err *err);
/* Does this handle load what is in the shard of this execution? */
bool ctn_memory_is_held(const ctn_store *st, int64_t exec_no);
void ctn_memory_request_done(memory_db *db, int64_t no, int rc, ctn_str sentence); /* once; wakes who waits */
void ctn_memory_key_forget(memory_db *db, const ctn_execution_row *row);           /* it is pruned */
void ctn_memory_listener_remove(memory_store *st);
void ctn_memory_changed(memory_db *db); /* what every node keeps in memory: counted, and all are woken */

/* ---- executions.c ---- */
static inline memory_execution *memory_execution_at(const memory_db *db, size_t place) /* by exec_no */
{
    return ((memory_execution **) db->executions.rows)[place];
}
int ctn_memory_by_exec_no(const void *row, const void *exec_no);
memory_execution *ctn_memory_find_no(const memory_db *db, int64_t exec_no);
memory_execution *ctn_memory_find_id(const memory_db *db, ctn_execution_id id);
memory_execution *ctn_memory_find_key(const memory_db *db, ctn_str chain_id, ctn_str key);
void ctn_memory_execution_add(memory_db *db, memory_execution *e);
/* It is pruned: found by nobody any more. */
void ctn_memory_execution_bury(memory_db *db, memory_execution *e);
void ctn_memory_index_again(memory_db *db); /* after burying */
void ctn_memory_execution_free(memory_execution *e);
void ctn_memory_record_add(memory_db *db, memory_execution *e, const ctn_record *record, int64_t position);
/* After a change of its status. */
void ctn_memory_live_update(memory_db *db, memory_execution *e);
/* The first unfinished one with this key and a number below before_exec_no. */
memory_execution *ctn_memory_first_in_line(const memory_db *db, ctn_str queue_key, int64_t before_exec_no);
/* It has ended, and is no longer among the live: the next in its line is let go. */
void ctn_memory_line_move(const memory_db *db, ctn_str queue_key, int64_t by_exec_no);
/* Unless it has ended, or lives in another shard than who wakes it, it is looked at again. */
void ctn_memory_wake(const memory_db *db, ctn_execution_id id, int64_t by_exec_no); /* all zero: nobody */
ctn_execution_row ctn_memory_row_copy(ctn_arena *arena, const ctn_execution_row *row);

/* ---- chains.c ---- */
int ctn_memory_by_digest(const void *row, const void *digest);
int ctn_memory_by_version(const void *row, const void *other);

/* ---- small_tables.c ---- */
int ctn_memory_by_usage(const void *row, const void *key); /* key: a ctn_usage_row */
void ctn_memory_usage_put(memory_db *db, const ctn_usage_row *rows, size_t count);
void ctn_memory_result_put(memory_db *db, const ctn_result_row *row);
void ctn_memory_results_free(memory_db *db);                         /* what they point to */
uint64_t ctn_memory_results_prune(memory_db *db, int64_t before_ms); /* all that expired before; how many */

/* ---- audit.c ---- */
void ctn_memory_audit_append(memory_db *db, const ctn_audit_entry *entry);
void ctn_memory_audit_keep(memory_db *db, const ctn_audit_entry *entry); /* as it stands */

/* ---- principals.c ---- */
int ctn_memory_by_grant(const void *row, const void *grant);

/* ---- keys.c ---- */
void ctn_memory_key_put(memory_db *db, int64_t exec_no, const ctn_data_key *key);
void ctn_memory_key_remove(memory_db *db, int64_t exec_no);
void ctn_memory_keys_free(memory_db *db); /* what they point to */
