/*
 * proof.h -- does a journal prove what is said of its execution? Pure: the entries are handed in as they stand, from a
 * store or a file, and nothing of them is believed.
 *
 * For each execution it is judged that
 *   - its entries are numbered 1, 2, 3, ... without gaps, and their positions in the store ascend;
 *   - each hash fits its entry and the hash before it;
 *   - the definitions that the first entry names make a plan, and under it every entry was possible when it came;
 *   - where a sensitive value stood, there is a commitment, and the list beside the body names the place;
 *   - the state that they fold to is what the row says: status, outputs, error, times, parent, input, labels, chain,
 *     priority, line, and when it is to be woken, as far as that follows.
 *
 * A fault is told once, where it is: what could only be judged if the fault were not there is passed over. Sentences
 * name columns, entries and digests, never values.
 *
 * Ownership  Everything handed in is borrowed for the call, the row of begin until end. Memory is that of one execution
 *            and of the plans that were used last.
 */
#pragma once
#include "chain/plan.h"
#include "core/entry.h"
#include "core/status.h"

/* An entry as it stands, whatever it holds. */
typedef struct ctn_proof_record {
    int64_t position; /* 0: not known */
    int64_t seq, at_ms;
    ctn_str kind, step, actor, body;
    int64_t item, attempt;
    ctn_str hash;   /* bytes */
    ctn_str sealed; /* the list of places where sensitive values stood (sealed.h), with or without boxes; no hash covers
                       it */
} ctn_proof_record;

/* What is said of an execution beside its journal. */
typedef struct ctn_proof_row {
    ctn_execution_id id, parent;
    ctn_str chain_id, status;
    int64_t chain_version;
    ctn_str labels, input, outputs, error; /* JSON; empty: none */
    bool outputs_are_in_journal;           /* they are where the journal has them; `outputs` means nothing */
    int64_t created_at_ms, started_at_ms, finished_at_ms;
    int64_t wake_at_ms;
    bool has_wake; /* false: nothing is said of it */
    int64_t priority;
    ctn_str queue_key, tenant;
} ctn_proof_row;

typedef struct ctn_proof_fault {
    const char *rule; /* "gap", "position", "kind", "hash", "body", "sealed", "definition", "fold", "no-journal", or the
                         row's column: "status", "outputs", "wake", ... */
    uint64_t seq;     /* 0: about no entry */
    ctn_str what;
} ctn_proof_fault;

typedef struct ctn_prover_options {
    /* CTN_E_NOT_FOUND: there is none. CTN_E_CORRUPT: what is there is another, and that was told already. */
    int (*definition)(void *ctx, ctn_arena *arena, const ctn_digest *digest, ctn_plan_definition *ret);
    void (*fault)(void *ctx, const ctn_proof_fault *fault);
    void *ctx;
} ctn_prover_options;

typedef struct ctn_prover ctn_prover;
ctn_prover *ctn_prover_new(const ctn_prover_options *options);
void ctn_prover_free(ctn_prover *p); /* NULL is fine */

/* One execution after the other. row NULL: nothing is said of it. */
void ctn_prover_begin(ctn_prover *p, const ctn_proof_row *row);
void ctn_prover_take(ctn_prover *p, const ctn_proof_record *record);
void ctn_prover_end(ctn_prover *p);
