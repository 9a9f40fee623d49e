/*
 * explain.h -- an execution of a store, opened for questions: where a value came from, why a step did what it did
 * (journal/why.h). Sub-chains, and what it goes on from, are read when an answer leads there.
 *
 * Ownership  Lives in the arena, patterns excepted: _close frees them (NULL is fine). The store is borrowed.
 */
#pragma once
#include "journal/why.h"
#include "store/store.h"

typedef struct ctn_explanation ctn_explanation;

typedef struct ctn_question_why {
    ctn_str name;              /* a variable, with a way into it, or a step, perhaps with its item */
    bool is_step, is_variable; /* it is surely that; neither: whichever there is, a variable first */
    uint64_t at_seq;           /* as it stood after that entry; 0: at the end */
} ctn_question_why;

int ctn_explanation_open(ctn_store *store, ctn_arena *arena, const ctn_execution_row *row,
                         ctn_explanation **ret_explanation, ctn_err *err);
void ctn_explanation_close(ctn_explanation *explanation);
const ctn_execution *ctn_explanation_execution(const ctn_explanation *explanation);
/* CTN_E_NOT_FOUND: the chain knows no such name; the sentence has the nearest. *ret_is_both (may be NULL): it is a
 * variable, and told as such, and a step too. */
int ctn_explanation_ask(ctn_explanation *explanation, const ctn_question_why *question, const ctn_why_node **ret_node,
                        bool *ret_is_both, ctn_err *err);
