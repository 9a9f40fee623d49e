/*
 * backend.h -- what a backend of the store implements. Seen by store/, the backends and their tests only.
 *
 * A backend is a ctn_backend in the table of url.c, for what is asked by URL, and a ctn_store_ops behind every handle
 * that it opens. It keeps the promises of store.h: tests/store/suite_*.c hold it to each.
 *
 * The files of store/ check what a caller hands over (shape of appends, mode of the handle, length of a prefix) and
 * write the sentences that are the same everywhere, so a backend sees well-formed requests only. A backend says "not
 * there" with CTN_E_NOT_FOUND or a count of 0 and leaves the sentence to them.
 */
#pragma once
#include "base/memory.h"
#include "store/audit.h"
#include "store/backup.h"
#include "store/data_keys.h"
#include "store/fleet.h"
#include "store/principals.h"
#include "store/quarantine.h"
#include "store/raw.h"
#include "store/retention.h"
#include "store/store.h"
#include "store/tool_pins.h"
#include "store/verify_state.h"
#include "store/webhooks.h"

/* A kind of store, asked by URL. Those that come here begin with `scheme` and a colon (or are a bare path, for the
 * backend that takes those); what stands behind it is the backend's to read. */
typedef struct ctn_backend {
    const char *scheme; /* "sqlite" */
    const char *alias;  /* another scheme that means the same; NULL: none */
    const char *form;   /* for sentences: "sqlite:FILE" */
    int (*check)(const char *url, ctn_err *err);
    int (*open)(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err);
    int (*version_read)(const char *url, ctn_store_version *ret_version, ctn_err *err);
    /* The part of the URL that names a file, which lock.c guards; empty: the URL is no good. NULL: it has none. */
    ctn_str (*file)(const char *url);
    const char *(*caution)(const char *url);                     /* NULL: it needs none */
    bool (*is_fleet)(const char *url);                           /* NULL: never (fleet.h) */
    void (*shown)(const char *url, char *ret_text, size_t size); /* without a password; NULL: as it is */
    /* NULL: there is nothing that could be copied. */
    int (*backup)(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err);
} ctn_backend;

/* How an execution is looked for. */
typedef enum ctn_lookup_kind {
    CTN_LOOKUP_NO,
    CTN_LOOKUP_KEY,   /* chain_id and key */
    CTN_LOOKUP_RANGE, /* id_first..id_last; an id itself is a range of one */
} ctn_lookup_kind;
typedef struct ctn_lookup {
    ctn_lookup_kind kind;
    int64_t exec_no;
    ctn_execution_id id_first, id_last;
    ctn_str chain_id, key;
} ctn_lookup;

/* What is asked of a handle. */
typedef struct ctn_store_ops {
    void (*close)(ctn_store *st);
    int (*epoch_begin)(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err);
    int (*epoch_end)(ctn_store *st, uint64_t epoch, ctn_err *err);
    int (*definition_put)(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err);
    int (*definition_get)(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret, ctn_err *err);
    int (*chain_put)(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err);
    int (*chain_get)(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                     ctn_err *err);
    int (*chain_list)(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err);
    int (*chain_versions)(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err);
    int (*commit)(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err);
    int (*exec_no_last)(ctn_store *st, int64_t *ret_exec_no, ctn_err *err);
    /* *ret_matches: 0, 1 (then *ret is the row) or 2 for "more than one". */
    int (*execution_find)(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                          size_t *ret_matches, ctn_err *err);
    int (*execution_list)(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                          ctn_err *err);
    int (*execution_due)(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
    int (*next_wake)(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err);
    int (*queue_lanes)(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err);
    int (*queue_next)(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                      size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
    int (*queue_first)(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                       ctn_execution_row *ret, ctn_err *err);
    int (*execution_owing)(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                           ctn_err *err);
    int (*usage_list)(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err);
    int (*schedule_put)(ctn_store *st, const ctn_schedule_row *row, ctn_err *err);
    int (*schedule_list)(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err);
    int (*breaker_put)(ctn_store *st, const ctn_breaker_row *row, ctn_err *err);
    int (*breaker_list)(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err);
    int (*result_get)(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err);
    int (*journal_read)(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx, ctn_err *err);
    int (*journal_after)(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err);
    int (*position_last)(ctn_store *st, int64_t *ret_position, ctn_err *err);
    int (*webhook_put)(ctn_store *st, const ctn_webhook_row *row, ctn_err *err);
    int (*webhook_remove)(ctn_store *st, ctn_str name, ctn_err *err);
    int (*webhook_advance)(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err);
    int (*webhook_list)(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err);
    int (*dead_letter_put)(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err);
    int (*dead_letter_remove)(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err);
    int (*dead_letter_list)(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                            void *ctx, ctn_err *err);
    int (*audit)(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err);
    int (*audit_list)(ctn_store *st, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err);
    int (*audit_count)(ctn_store *st, int64_t *ret_count, ctn_err *err);
    int (*verify)(ctn_store *st, ctn_verifying *v, ctn_err *err);
    int (*snapshot)(ctn_store *st, bool begins, ctn_err *err); /* NULL: what was read does not change meanwhile */
    int (*data_key_get)(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err);
    int (*data_key_put)(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
    int (*data_key_list)(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit, ctn_data_key_fn *fn,
                         void *ctx, ctn_err *err);
    int (*data_key_swap)(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err);
    int (*data_key_shred)(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err);
    int (*quarantine_put)(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err);
    int (*quarantine_get)(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err);
    int (*quarantine_remove)(ctn_store *st, int64_t exec_no, ctn_err *err);
    int (*quarantine_list)(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err);
    int (*tool_pin_put)(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err);
    int (*tool_pin_list)(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err);
    int (*principal_put)(ctn_store *st, const ctn_principal_put *put, ctn_err *err);
    int (*principal_remove)(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err);
    int (*grant_remove)(ctn_store *st, const ctn_grant_row *grant, ctn_err *err);
    int (*api_key_revoke)(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err);
    int (*api_key_used)(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err);
    int (*principal_list)(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err);
    int (*grant_list)(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err);
    int (*api_key_list)(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err);
    int (*principal_changes)(ctn_store *st, int64_t *ret_changes, ctn_err *err);
    int (*give_up)(ctn_store *st, const ctn_give_up *what, ctn_err *err);
    int (*journal_read_raw)(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err);
    /* *ret_matches as in execution_find; the row of a single one is read as far as it does. */
    int (*execution_read_raw)(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err);
    int (*prune)(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err);
    int (*size_read)(ctn_store *st, ctn_store_size *ret_size, ctn_err *err);
    int (*shrink)(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err);
    void (*rest)(ctn_store *st);       /* NULL: nothing to do */
    const struct ctn_fleet_ops *fleet; /* NULL: a store for one process */
    const struct ctn_copy_ops *copy;   /* NULL: it is neither copied nor copied to */
} ctn_store_ops;

/* ---- copying a whole store (copy.h) ---- */

typedef struct ctn_copied_execution {
    int64_t exec_no;
    const ctn_execution_row *row; /* NULL: more of the journal of one whose row came before */
    const ctn_data_key *key;      /* with a row; NULL: it has none */
    const ctn_record *records;
    const int64_t *positions; /* of each record; they are kept */
    size_t count;
} ctn_copied_execution;
/* Some of what is copied, as it was: nothing of it is checked or made anew. */
typedef struct ctn_copied {
    const ctn_copied_execution *executions;
    size_t execution_count;
    const ctn_audit_entry *audits; /* with their nodes, numbers and hashes */
    size_t audit_count;
    const ctn_usage_row *usage;
    size_t usage_count;
    const ctn_result_row *results;
    size_t result_count;
    const ctn_quarantine_row *quarantined;
    size_t quarantined_count;
} ctn_copied;

typedef int ctn_definition_fn(void *ctx, const ctn_definition *definition); /* not 0: stop; the call returns CTN_OK */
typedef int ctn_result_fn(void *ctx, const ctn_result_row *row);
typedef struct ctn_copy_ops {
    int (*definition_list)(ctn_store *st, ctn_definition_fn *fn, void *ctx, ctn_err *err);
    int (*result_list)(ctn_store *st, ctn_result_fn *fn, void *ctx, ctn_err *err);
    /* Begins a transaction, in which everything is that this handle is asked for until the end, if the store is empty
     * (CTN_E_EXISTS) but for the audit entries of its making, which go. Nobody can join or own it meanwhile. */
    int (*begin)(ctn_store *st, ctn_err *err);
    int (*put)(ctn_store *st, const ctn_copied *some, ctn_err *err);
    /* `keeps`: what was put stays, its last owner has died, positions go on behind position_last, and so many audit
     * entries were ever appended; else nothing was. */
    int (*end)(ctn_store *st, bool keeps, int64_t position_last, int64_t audit_count, ctn_err *err);
} ctn_copy_ops;

/* What is asked of a handle on a store for a fleet (fleet.h). */
typedef struct ctn_fleet_ops {
    uint32_t (*shard_count)(const ctn_store *st);
    /* NULL: everybody lives where his id says. */
    int (*shard_of_execution)(ctn_store *st, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err);
    int (*exec_nos_reserve)(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err);
    int (*key_claim)(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                     ctn_err *err);
    /* Whose it is; all zero: nobody's. */
    int (*key_get)(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err);
    int (*node_join)(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation, ctn_err *err);
    int (*handle_of)(ctn_store *st, int64_t incarnation, ctn_err *err);
    void (*shards_held)(ctn_store *st, const ctn_shard_set *held);
    int (*node_beat)(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                     ctn_beat *ret, ctn_err *err);
    int (*node_leave)(ctn_store *st, int64_t incarnation, ctn_err *err);
    int (*node_list)(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err);
    /* *ret_number: of the requirement. CTN_E_LIMIT: it would be number `max`. */
    int (*need_claim)(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err);
    /* Their texts, by number. */
    int (*need_list)(ctn_store *st, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count, ctn_err *err);
    int (*shards_take)(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                       ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err);
    int (*shard_take)(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err);
    int (*shards_release)(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err);
    int (*nodes_bury)(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err);
    int (*shard_holders)(ctn_store *st, int64_t *ret_incarnations, ctn_err *err);
    int (*requests_put)(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err);
    int (*requests_waiting)(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx, ctn_err *err);
    int (*request_answer)(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err);
    int (*request_get)(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret, ctn_err *err);
    int (*wake_fd)(ctn_store *st, int64_t incarnation);
    bool (*woken)(ctn_store *st);
    int (*places_claim)(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                        int64_t *ret_granted, ctn_err *err);
    int (*tokens_take)(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                       int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err);
} ctn_fleet_ops;

/* So many expired results go with each that is put: more than come, so the table shrinks to what is fresh. */
#define CTN_RESULTS_PRUNED 4

/* The head of every backend's own handle. */
struct ctn_store {
    const ctn_store_ops *ops;
    ctn_store_mode mode;
    ctn_store_version raised; /* found > 0: opening has migrated it */
};

/* The row as it stands after an append that creates it. */
static inline ctn_execution_row ctn_row_with_change(const ctn_execution_row *row, const ctn_execution_change *change)
{
    ctn_execution_row merged = *row;
    if (change) {
        merged.status = change->status;
        merged.wake_at_ms = change->wake_at_ms;
        merged.started_at_ms = change->started_at_ms;
        merged.finished_at_ms = change->finished_at_ms;
        if (change->outputs.len)
            merged.outputs = change->outputs;
        if (change->error.len)
            merged.error = change->error;
    }
    return merged;
}

/* With copies of its texts. */
static inline ctn_execution_row ctn_row_copy(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_execution_row copy = *row;
    ctn_str *texts[] = {&copy.chain_id, &copy.queue_key, &copy.idempotency_key, &copy.tenant, &copy.labels,
                        &copy.input,    &copy.outputs,   &copy.error,           &copy.damage};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ctn_arena_str(arena, *texts[i]);
    return copy;
}

/* Are these the outputs that the `completed` entry holds, byte for byte? Then they are stored there only. */
static inline bool ctn_store_outputs_are_in(const ctn_record *records, size_t count, ctn_str outputs)
{
    ctn_str there;
    for (size_t i = count; outputs.len && i-- > 0;)
        if (records[i].kind == CTN_ENTRY_COMPLETED)
            return ctn_completed_outputs(records[i].body, &there) && ctn_str_equal(there, outputs);
    return false;
}

/* What a beat tells of them. */
const ctn_need *ctn_needs_of(const ctn_str *requires, size_t count, uint32_t shard_count, ctn_arena *arena);

/* An entry of the audit log as it is kept: with its node, and {} for no detail. */
ctn_audit_entry ctn_audit_whole(const ctn_audit_entry *entry);

/* ---- the same words from every backend ---- */

/* A write through a handle that was opened for reading. */
int ctn_store_check_writable(const ctn_store *st, ctn_err *err);
int ctn_store_fail_definition(const ctn_chain_row *row, ctn_err *err);
int ctn_store_fail_version(const ctn_chain_row *row, ctn_err *err);
int ctn_store_fail_epoch(uint64_t epoch, uint64_t epoch_current, ctn_err *err);
/* fleet.h: epoch_begin while nodes live; join under the name of one; take of a shard that another holds. */
int ctn_store_fail_living(const char *names, ctn_err *err);
int ctn_store_fail_node_exists(const ctn_node_row *living, ctn_err *err);
int ctn_store_fail_shard_held(uint32_t shard, int64_t holder, ctn_err *err);
