/*
 * opening.h -- reading a journal back with its sensitive values.
 *
 * Ownership  ctn_opening borrows all it is given; done wipes its key.
 */
#pragma once
#include "store/seal.h"

typedef struct ctn_opening {
    ctn_seal *seal; /* NULL: what is sealed stays so */
    ctn_store *store;
    int64_t exec_no;
    ctn_execution_id id;
    ctn_seal_key key;
    bool has_key, is_shredded;
} ctn_opening;

/* The record with its values, as far as they can be had: shredded ones, and all without a seal, stay sealed. In the
 * scratch arena. Errors are those of ctn_seal_key_read and ctn_seal_open. */
int ctn_opening_record(ctn_opening *o, const ctn_record *record, ctn_arena *scratch, ctn_record *ret_record,
                       ctn_err *err);
void ctn_opening_done(ctn_opening *o);
