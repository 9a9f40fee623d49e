/*
 * verify.h -- is what a store holds what was put into it? Everything is read once, nothing is written.
 *
 * Looked at are: the file itself (SQLite's own check), its schema, definitions (each is what its digest says), chains
 * (each names a definition that is there), every execution (journal/proof.h: its journal's numbers, positions and
 * hashes; the fold against the cached row; each sealed value opens and is what its entry commits to, where there is a
 * key), journals without an execution, lines of the queue (who is held back), and the audit log.
 *
 * It works beside an owner: what belongs together is read in one snapshot, and snapshots are short, so that the log
 * does not grow meanwhile (the check of the file itself is one snapshot). What is damaged is told, and the rest goes
 * on. Memory is that of one execution.
 *
 * Errors   CTN_OK whatever was found; else the store could not be read at all.
 * Threads  as store.h.
 */
#pragma once
#include "journal/proof.h"
#include "store/store.h"

typedef struct ctn_verify_finding {
    const char *rule; /* of journal/proof.h; or "file", "schema", "unreadable", "meta", "definition", "chains",
                         "no-execution", "line", "data-key", "audit" */
    bool has_execution;
    int64_t exec_no;     /* with has_execution */
    ctn_execution_id id; /* all zero: not known */
    uint64_t seq;        /* of the journal or the audit log; 0: about none */
    ctn_str what;        /* names columns, entries and digests, never values */
} ctn_verify_finding;

typedef struct ctn_verify_report {
    int64_t executions, entries, definitions, chains, audit_entries, findings;
    int64_t sealed_opened, sealed_unopened; /* sensitive values whose box was opened; that nobody could open here */
    int64_t exec_no, exec_no_last;          /* how far it is */
} ctn_verify_report;

typedef struct ctn_verify_options {
    struct ctn_seal *seal; /* NULL: no key is here, and boxes are only counted */
    bool is_quick;         /* the file's indexes are not compared with its tables */
    void (*on_finding)(void *ctx, const ctn_verify_finding *finding);
    void (*on_progress)(void *ctx, const ctn_verify_report *so_far); /* now and then; NULL: nobody waits */
    void *ctx;
} ctn_verify_options;

int ctn_store_verify(ctn_store *st, const ctn_verify_options *options, ctn_verify_report *ret_report, ctn_err *err);
