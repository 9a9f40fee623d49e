/*
 * verify_state.h -- what a backend hands over while its store is verified: the tables as they stand, one row after the
 * other. Seen by verify.c and the backends only.
 */
#pragma once
#include "store/audit.h"
#include "store/seal.h"
#include "store/verify.h"

typedef struct ctn_verifying {
    ctn_store *st;
    const ctn_verify_options *options;
    ctn_verify_report *report;
    ctn_prover *prover;
    ctn_arena *scratch;
    ctn_verify_finding about; /* the execution under way */
    ctn_proof_row row;
    ctn_seal_key key; /* of its sealed values */
    enum { KEY_UNASKED, KEY_HAD, KEY_NONE } key_state;
    /* the audit log */
    ctn_digest audit_before[2];
    uint32_t audit_before_count;
    int64_t audit_n;
    ctn_str audit_node;
    int64_t audit_last_total; /* of the chains: their last numbers */
} ctn_verifying;

/* Progress is told after so many entries, and a backend begins a new snapshot. */
#define CTN_VERIFY_PIECE 20000

void ctn_verify_tell(ctn_verifying *v, const char *rule, uint64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void ctn_verify_definition(ctn_verifying *v, const ctn_digest *digest, ctn_str kind, ctn_str name, ctn_str body);
/* The row's texts live until end; status and ids as they stand. */
void ctn_verify_begin(ctn_verifying *v, int64_t exec_no, const ctn_proof_row *row);
void ctn_verify_record(ctn_verifying *v, const ctn_proof_record *record);
void ctn_verify_end(ctn_verifying *v);
/* What is found from here on is about this execution, or about none (exec_no 0). */
void ctn_verify_about(ctn_verifying *v, int64_t exec_no, ctn_execution_id id);
