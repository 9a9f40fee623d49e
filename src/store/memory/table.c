/*
 * table.c -- see table.h.
 */
#include "store/memory/table.h"
#include "store/backend.h"
#include <string.h>

void *ctn_memory_grow(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 8;
    return ctn_realloc_array(array, *capacity, bytes);
}

int ctn_memory_by_number(const void *row, const void *number)
{
    int64_t a = *(const int64_t *) row, b = *(const int64_t *) number;
    return (a > b) - (a < b);
}

int ctn_memory_by_text(const void *row, const void *text)
{
    return ctn_str_compare(*(const ctn_str *) row, *(const ctn_str *) text);
}

static char *row_at(const memory_table *t, size_t place)
{
    return (char *) t->rows + place * t->row_bytes;
}

size_t ctn_memory_table_place(const memory_table *t, const void *key)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->compare(row_at(t, middle), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *ctn_memory_table_find(const memory_table *t, const void *key)
{
    size_t place = ctn_memory_table_place(t, key);
    bool is_there = place < t->count && t->compare(row_at(t, place), key) == 0;
    return is_there ? row_at(t, place) : NULL;
}

void *ctn_memory_table_put(memory_table *t, const void *key, bool *ret_is_new)
{
    size_t place = ctn_memory_table_place(t, key);
    *ret_is_new = place == t->count || t->compare(row_at(t, place), key) != 0;
    if (*ret_is_new) {
        t->rows = ctn_memory_grow(t->rows, t->count, &t->capacity, t->row_bytes);
        memmove(row_at(t, place + 1), row_at(t, place), (t->count++ - place) * t->row_bytes);
        memset(row_at(t, place), 0, t->row_bytes);
    }
    return row_at(t, place);
}

void ctn_memory_table_remove(memory_table *t, const void *key)
{
    char *row = ctn_memory_table_find(t, key);
    if (row)
        memmove(row, row + t->row_bytes, (size_t) (row_at(t, t->count--) - row) - t->row_bytes);
}

void *ctn_memory_table_copy(const memory_table *t, size_t *ret_count)
{
    void *rows = ctn_calloc(t->count + 1, t->row_bytes);
    if (t->count)
        memcpy(rows, t->rows, t->count * t->row_bytes);
    *ret_count = t->count;
    return rows;
}
