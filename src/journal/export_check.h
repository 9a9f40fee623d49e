/*
 * export_check.h -- the file that one execution is exported into (store/export.h writes it), and whether it proves what
 * it says. Pure: lines in, faults out.
 *
 * One JSON object a line:
 *   {"catenaExport": 1, "executionId", "chain", "version", "row": {...}, "exportedAt", "exportedBy"}     the head
 *   {"definition": {"digest", "kind", "name", "body" | "text"}}                                          each one used
 *   {"entry": {"seq", "position", "atMs", "kind", "step"?, "item"?, "attempt"?, "actor"?, "body" | "text", "sealed"?,
 *              "revealed"?, "hash"}}                                                                     each, in order
 *   {"end": {"entries", "hash", "digest"}}     hash: of the last entry; digest: BLAKE2b over all lines before this one
 *
 * A body is JSON as it was stored; one that would not read back byte for byte stands as text. A sensitive value is a
 * commitment in the body ({"$sealed": ...}), which is what the hashes cover; `sealed` lists where they stand.
 * `revealed` lists values that were opened, each with the salt that proves it to be what was committed to.
 *
 * A file that was altered anywhere is found out by the digest at its end, and where it was altered by the hashes of its
 * entries and definitions; what the row says is compared with what the entries fold to (proof.h). Whoever makes a whole
 * file anew can make one that holds together: compare the last entry's hash with one that was kept elsewhere.
 */
#pragma once
#include "journal/proof.h"

#define CTN_EXPORT_FORMAT         1
#define CTN_EXPORT_LINE_BYTES_MAX ((size_t) 64 << 20)

typedef struct ctn_export_report {
    ctn_execution_id id;
    ctn_str chain_id, status; /* as the head says */
    int64_t version;
    uint64_t entries, definitions, sealed, revealed, faults;
    ctn_digest hash_last;
} ctn_export_report;

typedef struct ctn_export_check ctn_export_check;
/* Faults as of proof.h, and "format", "definition", "revealed", "end", "digest". */
ctn_export_check *ctn_export_check_new(void (*fault)(void *ctx, const ctn_proof_fault *fault), void *ctx);
/* Without its line feed. CTN_E_INVALID, CTN_E_NEWER: the first one is no head of an export, or of a newer format. */
int ctn_export_check_line(ctn_export_check *c, ctn_str line, ctn_err *err);
/* After the last one. The report's texts live until free. */
void ctn_export_check_end(ctn_export_check *c, ctn_export_report *ret_report);
void ctn_export_check_free(ctn_export_check *c); /* NULL is fine */
