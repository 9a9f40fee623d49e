/*
 * data_keys.h -- the keys of executions that hold sensitive values, as a store keeps them: wrapped.
 *
 * A data key comes into the store with the first entry of its execution (ctn_append.data_key), is replaced when it is
 * wrapped anew (rekey), and goes when the execution is shredded or deleted. The store never sees one in the clear; what
 * the bytes mean is store/seal.h's. Number 0 holds the store's own key, under which names and keys that had a sensitive
 * value in them are made to digests.
 *
 * Errors   CTN_E_NOT_FOUND, without a sentence: it has none (or was shredded).
 * Threads  as store.h; put, swap and shred are transactions of their own and wait for a writer beside them.
 */
#pragma once
#include "store/store.h"

int ctn_store_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err);
/* There already: CTN_E_EXISTS, without a sentence, and nothing changes. For number 0; others come with their first
 * entry. */
int ctn_store_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);

typedef int ctn_data_key_fn(void *ctx, int64_t exec_no, const ctn_data_key *key); /* not 0: stop, returned */
/* Those wrapped by another master key than this one (empty: all), by number, after the last one seen (-1: from 0). */
int ctn_store_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                            ctn_data_key_fn *fn, void *ctx, ctn_err *err);

typedef struct ctn_data_key_swap {
    int64_t exec_no;
    ctn_str wrapped_before; /* what is there no longer (shredded, wrapped anew by another) is passed by */
    ctn_data_key key;
} ctn_data_key_swap;
/* All of them in one transaction. */
int ctn_store_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err);

/* Removes them, and the boxes of their executions' journals, so that their bytes are in no file of the store any more:
 * overwritten, and the log emptied. CTN_E_BUSY: they are gone for every reader, but somebody kept the log from being
 * emptied: ask again. None there: no effect but that. */
int ctn_store_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err);
