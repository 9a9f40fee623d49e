/*
 * fold.h -- an execution out of the store: its journal is read, each record held against its hash, and folded. For
 * whoever shows one (show, history, why, tests), and for the engine, which goes on with it.
 *
 * Sensitive values are not opened (ctn_execution_is_hidden). With a seal they are, where they were not shredded, and
 * the execution still shows them only when it is told to reveal.
 *
 * Ownership  Everything lives in the arena but the patterns of the plan's schemas: call unload before the arena goes.
 *
 * Errors     CTN_E_CORRUPT  it does not read back, and `err` says where
 *            others         of the store, of the keys, CTN_E_NOMEM: nothing is said about the execution
 *
 * Threads    Those of the store that is read.
 */
#pragma once
#include "core/execution.h"
#include "engine/opening.h"
#include "store/seal.h"
#include "store/store.h"

int ctn_execution_load(ctn_store *store, ctn_arena *arena, const ctn_execution_row *row, ctn_execution **ret_execution,
                       ctn_err *err);
int ctn_execution_load_open(ctn_store *store, ctn_seal *seal, ctn_arena *arena, const ctn_execution_row *row,
                            ctn_execution **ret_execution, ctn_err *err);
void ctn_execution_unload(ctn_execution *execution); /* NULL is fine */
/* The same beside an engine on that store, on its thread: a plan that the engine knows is not compiled once more (most
 * of what a look costs). The execution is looked at and unloaded before the engine's next turn. */
struct ctn_engine;
int ctn_execution_load_beside(const struct ctn_engine *engine, ctn_store *store, ctn_seal *seal, ctn_arena *arena,
                              const ctn_execution_row *row, ctn_execution **ret_execution, ctn_err *err);
void ctn_execution_unload_beside(const struct ctn_engine *engine, ctn_execution *execution);

/* ---- for load.c ---- */

/* Was it the store, and not the execution, that could not be read? */
bool ctn_fold_says_nothing(int rc);

typedef struct ctn_folded {
    ctn_arena *arena; /* its own */
    ctn_execution *x;
    struct plan_ref *plan; /* the engine's: it had it, or keeps it from now on (plans.h) */
    ctn_digest hash;       /* of the last record */
    ctn_opening opening;
} ctn_folded;
/* With the engine's store, seal and plans. Arena and opening are the caller's to end, also after an error. */
int ctn_fold(struct ctn_engine *engine, const ctn_execution_row *row, ctn_folded *ret_folded, ctn_err *err);
