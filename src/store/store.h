/*
 * store.h -- durable home of chains, executions and their journals.
 *
 * Every backend makes these promises; tests/store holds each one to them:
 *   1. A commit takes the appends of many executions with one sync. Each append is all or nothing, and
 *      once the commit returns it survives the death of the process and of the machine.
 *   2. An append names the epoch it was decided under. A store that has seen a newer epoch refuses that
 *      append (and no other), so an owner that was replaced can wake up late and do no harm.
 *   3. An append names the last sequence number its execution had; any other is refused (and no other append
 *      of the batch), so a journal reads back in the order it was appended, without gaps or repeats.
 *   4. The cached row of an execution changes in the same transaction as its journal.
 *   5. Definitions are kept by content and never change.
 *   6. Executions that carry the same queue_key stand in line by their numbers: the first unfinished one has its turn,
 *      whatever it does; those queued behind it are held (is_held), and the commit in which one ends lets go the
 *      next in the same transaction. So a line stays in order and moves on whoever dies when.
 *
 * This is the first chapter: chains, executions, journals, and who owns a store. The others are beside it:
 *     audit.h        what people did to it           quarantine.h  executions that do not read back
 *     backup.h       a copy as of one moment         raw.h         reading what is left of one
 *     data_keys.h    wrapped keys of sealed values   retention.h   what ended goes, its space is given back
 *     principals.h   who is known, and may do what
 *     export.h       one execution, as a file        verify.h      is it what was put into it?
 *     copy.h         a whole store, into a new one
 *     tool_pins.h    what tools were when chains began to rely on them
 *     fleet.h        several nodes that share one store
 * and seal.h, which seals values before they come here. What a backend implements is in backend.h.
 *
 * Life       open, epoch_begin, then commits under that epoch and reads in any order, epoch_end, close. Who only reads
 *            needs no epoch.
 * Ownership  open gives the store to the caller; close takes it, NULL is fine. What is read is copied into the
 *            caller's arena. A memory store lives as long as a handle on it is open.
 * Units      *_ms is milliseconds since the Unix epoch, by the caller's clock.
 * Errors     CTN_E_BUSY     contention or a lock held by another process; nothing was written, try again
 *            CTN_E_IO       outcome unknown; reload before deciding again
 *            CTN_E_NEWER    the file was written by a newer catena; it was not touched
 *            CTN_E_CORRUPT  it is no store, or what it holds does not read back
 *            CTN_E_STATE    an empty file or an older schema where the mode does not allow to make or migrate it; of a
 *                           commit: the log was taken away beneath it, and this process can write here no more
 *            CTN_E_DENIED   no permission, or a write through a handle opened for reading
 *            CTN_E_STALE    the good-bye of an owner that was replaced
 *            CTN_E_NOT_FOUND, CTN_E_INVALID (a URL that names no backend, an append that is ill-formed),
 *            CTN_E_UNSUPPORTED (a backend of a later version)
 * Threads    A handle belongs to the thread that uses it; the memory backend may be opened many times under one
 *            name and shares its data between handles. Calls may block on disk, so the loop thread makes only
 *            reads, and those outside turns or at start.
 */
#pragma once
#include "core/entry.h"
#include "core/status.h"

typedef struct ctn_store ctn_store;

typedef enum ctn_store_mode {
    CTN_STORE_READ,   /* must exist; never writes */
    CTN_STORE_WRITE,  /* must exist; older schemas are refused with the sentence that names `store migrate` */
    CTN_STORE_CREATE, /* made when absent, migrated when older */
} ctn_store_mode;

/* url: sqlite:FILE (sqlite/sqlite.h has its options), postgres://... (postgres/url.h), memory:NAME, or a bare path,
 * which is taken as sqlite's. */
int ctn_store_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err);
void ctn_store_close(ctn_store *st);
/* CTN_E_INVALID, CTN_E_UNSUPPORTED: it names no store, and the sentence says what does. */
int ctn_store_url_check(const char *url, ctn_err *err);
/* It begins with no scheme. */
bool ctn_store_url_is_path(ctn_str url);
/* Which file stands there now, whatever it is: another key, another file. 0: none, or the store has none. */
uint64_t ctn_store_file_key(const char *url);
/* The file of a URL whose store is one (a part of it), else empty. */
ctn_str ctn_store_url_file(const char *url);
/* The URL as it may be told, in logs too: without a password. Cut to size. */
#define CTN_STORE_SHOWN_BYTES 512
void ctn_store_url_shown(const char *url, char *ret_text, size_t size);
/* As it was said but without a password, for a command that somebody is to type; what is no such URL as it is. */
ctn_str ctn_store_url_without_password(ctn_arena *arena, ctn_str url);
/* What whoever uses this store must be told, wherever its settings are told; NULL: nothing. */
const char *ctn_store_url_caution(const char *url);

/* ---- schema ---- */
typedef struct ctn_store_version {
    uint32_t found, newest; /* schema numbers; found 0: empty */
} ctn_store_version;
int ctn_store_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err);
/* Has opening this handle (CTN_STORE_CREATE) brought an older store up to date? From found to newest. */
bool ctn_store_was_migrated(const ctn_store *st, ctn_store_version *ret_version);

/* ---- ownership ---- */
/* One process at a time owns a store: an OS lock on a side file (FILE-lock), freed by death. CTN_E_BUSY with
 * the owner's pid in the sentence when another one does. memory: always succeeds. When the owner is dead and others
 * still hold its lock (below), take waits for them, at most ten seconds. */
typedef struct ctn_store_lock ctn_store_lock;
int ctn_store_lock_take(const char *url, ctn_store_lock **ret_lock, ctn_err *err);
/* For a process that ends what the owner has started: as long as it has a copy of this, nobody else owns the store.
 * -1: none is needed. Borrowed. */
int ctn_store_lock_fd(const ctn_store_lock *lock);
void ctn_store_lock_release(ctn_store_lock *lock);
/* A new epoch, larger than any before; tells whether the last owner left without saying good-bye. */
int ctn_store_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err);
int ctn_store_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err); /* the good-bye */

/* ---- one moment ---- */
/* What is read between the two is of one moment, whoever writes meanwhile. Short: the store's log grows by what is
 * written. On a handle that was opened for reading, and is used for nothing else meanwhile. */
int ctn_store_snapshot_begin(ctn_store *st, ctn_err *err);
void ctn_store_snapshot_end(ctn_store *st);

/* ---- definitions ---- */
typedef struct ctn_definition {
    ctn_digest digest;
    ctn_str kind; /* "chain", "instruction_set", "template" */
    ctn_str name;
    ctn_str body;
} ctn_definition;
/* There already: no effect. */
int ctn_store_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err);
int ctn_store_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                             ctn_err *err);

typedef struct ctn_chain_row {
    ctn_str chain_id;
    int64_t version;
    ctn_digest digest; /* of its definition */
    int64_t created_at_ms;
    ctn_str created_by;
} ctn_chain_row;
/* version 0: numbered by content (the same content gets the version it has, else the highest plus one). A stated
 * version with other content is CTN_E_EXISTS. The definition itself must have been put before. */
int ctn_store_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err);
/* version 0: the newest. */
int ctn_store_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                        ctn_err *err);
typedef int ctn_chain_fn(void *ctx, const ctn_chain_row *row); /* not 0: stop; the call itself returns CTN_OK */
int ctn_store_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err); /* newest version of each, by id */
/* All versions of one, the newest first; none: it is not there. */
int ctn_store_chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err);

/* ---- executions ---- */
typedef struct ctn_execution_row {
    int64_t exec_no; /* the key inside the store */
    ctn_execution_id id;
    ctn_str chain_id;
    int64_t chain_version;
    ctn_status status;
    int priority;
    ctn_execution_id parent;                              /* whose step it is; all zero: nobody's */
    ctn_str queue_key, idempotency_key, tenant;           /* empty: none */
    int64_t wake_at_ms;                                   /* 0: none */
    ctn_str labels, input;                                /* JSON objects */
    ctn_str outputs, error;                               /* JSON, empty: none yet */
    int64_t created_at_ms, started_at_ms, finished_at_ms; /* 0: not yet */
    bool is_held;         /* queued behind an older execution with its queue_key; the store's own to say */
    ctn_digest hash_last; /* written by the backend from the journal; read by recovery (may be recomputed) */
    ctn_str damage;       /* of rows that are told although they do not read: what is wrong with this one; else empty */
} ctn_execution_row;

/* What changes with an append; strings empty = leave as they are (set once). */
typedef struct ctn_execution_change {
    ctn_status status;
    int64_t wake_at_ms, started_at_ms, finished_at_ms; /* as they now are */
    ctn_str outputs, error;
    ctn_str queue_key;      /* its own, when it ends: the line moves on (said here so that others cost nothing) */
    ctn_execution_id wakes; /* another of its shard, unless it has ended: its wake time becomes 1; all zero: nobody */
} ctn_execution_change;

/* What a call gave, for equal calls that come later. */
typedef struct ctn_result_row {
    ctn_str key;   /* cacheKey of the journal's entries */
    ctn_str value; /* JSON, raw */
    int64_t put_at_ms, expires_at_ms;
} ctn_result_row;

/* The key that seals one execution's values, itself sealed with a master key of the keyring (store/seal.h). */
typedef struct ctn_data_key {
    ctn_str master_id; /* which master key; empty: there is no data key */
    ctn_str wrapped;   /* bytes */
} ctn_data_key;

/* What a tenant has used of a day; counted by the engine, for quotas. A stored figure never gets less: of two commits
 * that pass each other the older one changes nothing. */
typedef struct ctn_usage {
    int64_t executions, calls, bytes;
    int64_t money; /* in billionths */
} ctn_usage;
typedef struct ctn_usage_row {
    ctn_str tenant;
    int64_t day; /* since 1970, UTC */
    ctn_usage used;
} ctn_usage_row;

typedef struct ctn_append {
    int64_t exec_no;
    uint64_t epoch;
    uint64_t seq_expected;              /* last sequence number before this append; 0: new execution */
    const ctn_execution_row *row;       /* new execution: the whole row; else NULL */
    const ctn_execution_change *change; /* NULL: the cached row stays as it is; with `row`: changes it at once */
    const ctn_record *records;          /* borrowed for the call; seq_expected + 1, + 2, ... */
    size_t count;                       /* at least 1 for a new execution */
    const ctn_result_row *results;      /* kept under their keys, instead of what was there; with each, a few that */
    size_t result_count;                /* have expired by its put_at_ms go */
    const ctn_usage_row *usage;   /* instead of what was there, whatever becomes of this append; with them, days */
    size_t usage_count;           /* go that are older by more than CTN_USAGE_DAYS */
    const ctn_data_key *data_key; /* new execution with sensitive values: its data key; else NULL */
    const struct ctn_audit_entry
        *audits; /* for the audit log, if the append is accepted (audit.h); whose doing it is */
    size_t audit_count;
    int64_t request; /* fleet.h: the request that this answers, in the same transaction, if it is accepted; 0: none */
} ctn_append;
typedef enum ctn_outcome {
    CTN_OUTCOME_ACCEPTED,
    CTN_OUTCOME_STALE_EPOCH,
    CTN_OUTCOME_STALE_SEQ,
    CTN_OUTCOME_EXISTS, /* a new execution whose idempotency key or id is taken */
} ctn_outcome;
/* One outcome an append; when the call fails nothing was accepted (CTN_E_IO: perhaps) and they mean nothing. */
int ctn_store_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err);

/* The highest exec_no ever given out (deletion does not lower it). */
int ctn_store_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err);
int ctn_store_execution_get(ctn_store *st, ctn_arena *arena, ctn_execution_id id, ctn_execution_row *ret, ctn_err *err);
int ctn_store_execution_by_no(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_execution_row *ret, ctn_err *err);
/* By chain and idempotency key; CTN_E_NOT_FOUND. */
int ctn_store_execution_by_key(ctn_store *st, ctn_arena *arena, ctn_str chain_id, ctn_str key, ctn_execution_row *ret,
                               ctn_err *err);
/* By the start of the id's text (at least 4 characters): CTN_E_NOT_FOUND; CTN_E_INVALID when several fit. */
int ctn_store_execution_by_prefix(ctn_store *st, ctn_arena *arena, ctn_str prefix, ctn_execution_row *ret,
                                  ctn_err *err);

typedef struct ctn_execution_filter {
    ctn_str chain_id; /* empty: all */
    bool by_status;
    ctn_status status;
    uint32_t statuses; /* bits 1 << status, beside by_status; 0: all */
    bool unfinished_only, roots_only;
    ctn_str tenant;         /* empty: whatever the tenant */
    const ctn_json *labels; /* it has each of these texts; NULL: whatever */
    int64_t created_from_ms, created_until_ms, finished_from_ms, finished_until_ms; /* from, and before; 0: no bound */
    int64_t before_exec_no; /* 0: from the newest; page on with the last one seen */
    int64_t after_exec_no;  /* only with larger numbers: bounds what is looked at, for who may not wait (below) */
    size_t limit;           /* 0: no limit */
} ctn_execution_filter;
/* Would a list tell this row? The backends' own; of its number nothing is said. */
bool ctn_execution_filter_takes(const ctn_execution_filter *filter, const ctn_execution_row *row);
typedef int ctn_execution_fn(void *ctx, const ctn_execution_row *row); /* not 0: stop; the call itself returns CTN_OK */
/* Newest first. The row's strings live until the callback returns. Callbacks may call the store again. A row that does
 * not read is told with `damage`; CTN_E_CORRUPT after all that could be told: there is more that could not be read.
 * A list that finds little looks at many: whoever may not wait asks for a span of numbers at a time. */
int ctn_store_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err);
/* What the engine must load: unfinished with wake_at_ms <= until_ms and > 0 (the engine writes a wake time for
 * everything that can go on by itself: 1 for "at once"), in order of wake time. Here, in queue_next and in owing only
 * exec_no and id of the row are sure to be filled (id all zero: it does not read), and they come out of an index, so
 * that no damaged execution hides the others. */
int ctn_store_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                            ctn_err *err);
/* The earliest wake time after `after_ms`; 0: none. */
int ctn_store_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err);

/* ---- the queue: what is queued and not held ---- */
typedef struct ctn_queue_lane {
    ctn_str tenant, chain_id;
    int priority;
    int64_t depth, held;  /* those that may start; and those behind an older one with their queue_key */
    int64_t oldest_at_ms; /* when the first that may start came; 0: none may, or its row does not read */
} ctn_queue_lane;
typedef int ctn_queue_lane_fn(void *ctx, const ctn_queue_lane *lane); /* not 0: stop; the call itself returns CTN_OK */
/* Each tenant, chain and priority that has something queued, in this order. Costs by the number of all that are queued,
 * but little: an index alone is read (a million: a quarter of a second). */
int ctn_store_queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err);
/* The next of one lane, in order of arrival, after the number of the last one seen (0: from the first). */
int ctn_store_queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                         size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
/* Who has the turn among those with this key: the first unfinished one with a number below before_exec_no (0: of any
 * number) in that one's shard: a line is of one shard. CTN_E_NOT_FOUND, without a sentence: nobody. Its journal is not
 * looked at: no outputs, no hash_last. */
int ctn_store_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                          ctn_execution_row *ret, ctn_err *err);
/* Ended ones that still owe something (a wake time > 0 in their final row), by number. */
int ctn_store_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err);

/* ---- what the engine remembers beside executions; written on the caller's thread, one transaction each ---- */
typedef struct ctn_schedule_row {
    ctn_str chain_id, cron, timezone;
    int64_t seen_at_ms;   /* every time up to here was fired or given up */
    int64_t next_at_ms;   /* for people: the next one, as it looked then; 0: never */
    int64_t fired_at_ms;  /* the last time for which something was started; 0: none */
    int64_t paused_at_ms; /* 0: it is not */
    ctn_str paused_by;
} ctn_schedule_row;
typedef int ctn_schedule_fn(void *ctx, const ctn_schedule_row *row);
int ctn_store_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err);     /* replaces the chain's */
int ctn_store_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err); /* by chain */

typedef struct ctn_breaker_row {
    ctn_str name;     /* of the tool or host: "tool travel/book" */
    ctn_str state;    /* "closed", "open" */
    int64_t until_ms; /* open: when a probe may go */
    int64_t changed_at_ms;
} ctn_breaker_row;
typedef int ctn_breaker_fn(void *ctx, const ctn_breaker_row *row);
int ctn_store_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err);     /* replaces the name's */
int ctn_store_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err); /* by name */

/* ---- what tenants have used ---- */
#define CTN_USAGE_DAYS 92
typedef int ctn_usage_fn(void *ctx, const ctn_usage_row *row); /* not 0: stop; the call itself returns CTN_OK */
int ctn_store_usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err); /* by tenant */

/* ---- results of calls, for the cache ---- */
/* CTN_E_NOT_FOUND, without a sentence: there is none, or it was removed. It may have expired: the caller looks. */
int ctn_store_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err);

/* ---- journal ---- */
typedef int ctn_record_fn(void *ctx, const ctn_record *record, int64_t position); /* not 0: stop, returned */
/* In order of seq, from from_seq on. */
int ctn_store_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                           ctn_err *err);

/* ---- the journal of the whole store, in the order of the commits ---- */
/* Positions ascend with the commits, with gaps where something was pruned, and are never given out twice: whoever has
 * told everything up to one goes on behind it, and misses nothing. */
typedef struct ctn_tail_entry {
    int64_t position;
    const ctn_record *record;
    int64_t exec_no;
    ctn_execution_id id, parent; /* parent all zero: nobody's */
    ctn_str chain_id, tenant, labels;
} ctn_tail_entry;
typedef int ctn_tail_fn(void *ctx, const ctn_tail_entry *entry); /* not 0: stop; the call itself returns CTN_OK */
/* At most `limit` entries behind this position. What does not read is left out. */
int ctn_store_journal_after(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err);
/* The highest position ever given out; 0: none. */
int ctn_store_position_last(ctn_store *st, int64_t *ret_position, ctn_err *err);
