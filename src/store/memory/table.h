/*
 * table.h -- rows side by side in the order of their keys, found by halving. Private to memory/.
 *
 * What a row points to is its own business: who removes or replaces one frees that first.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct memory_table {
    size_t row_bytes;
    int (*compare)(const void *row, const void *key); /* <0: the row stands before the key */
    void *rows;
    size_t count, capacity;
} memory_table;

/* Of rows that begin with their key: a number (int64_t), a text (ctn_str). */
int ctn_memory_by_number(const void *row, const void *number);
int ctn_memory_by_text(const void *row, const void *text);

/* Index of the first row that does not stand before the key. */
size_t ctn_memory_table_place(const memory_table *t, const void *key);
/* Moves with the next change of the table. NULL: there is none. */
void *ctn_memory_table_find(const memory_table *t, const void *key);
/* The row with this key, or a new one in its place, all zero. */
void *ctn_memory_table_put(memory_table *t, const void *key, bool *ret_is_new);
void ctn_memory_table_remove(memory_table *t, const void *key); /* not there: no effect */
/* A copy of the rows, for free(). */
void *ctn_memory_table_copy(const memory_table *t, size_t *ret_count);

/* Room for one more in an array of malloc's. */
#define GROW(array, count, capacity) ((array) = ctn_memory_grow((array), (count), &(capacity), sizeof *(array)))
void *ctn_memory_grow(void *array, size_t count, size_t *capacity, size_t bytes);
