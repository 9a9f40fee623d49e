/*
 * faulty_store.h -- a store whose reads fail by chance, over one that does not. Definitions, epochs and commits go
 * through: how commits fail is the writer's affair.
 *
 * Ownership  The inner store is borrowed and must outlive it.
 */
#pragma once
#include "store/store.h"

typedef struct faulty_store faulty_store;

/* *chance is the seed and the state; fails is how often, in percent, and may be changed at any time. */
faulty_store *faulty_store_new(ctn_store *inner, uint64_t *chance, const int *fails);
ctn_store *faulty_store_handle(faulty_store *f);
int faulty_store_failures(const faulty_store *f);
void faulty_store_free(faulty_store *f); /* NULL is fine */
