/*
 * books.h -- an SQLite file with a few tables, as the notebook of deals and the sandbox's ledger each have one: opened,
 * changed in transactions, its errors told with the file's name. Used by booking/ and nowhere else.
 *
 * A transaction begins IMMEDIATE, so that two servers on one file take turns (they wait up to 5 s), and a killed one
 * leaves nothing half done. Written means synced: WAL with synchronous FULL.
 *
 * Errors  CTN_E_BUSY (nothing happened), CTN_E_IO, both with a sentence that names the file.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>

typedef struct travel_books {
    sqlite3 *db; /* NULL: not open */
    char *path;
} travel_books;

/* Opens the file, made if it is not there (mode 600), and runs `schema`, which says IF NOT EXISTS everywhere. */
int travel_books_open(travel_books *b, const char *path, const char *schema, ctn_err *err);
void travel_books_close(travel_books *b);
int travel_books_begin(travel_books *b, ctn_err *err);
int travel_books_commit(travel_books *b, ctn_err *err);
void travel_books_rollback(travel_books *b); /* of a transaction that failed; nothing if there is none */
/* Statements take texts as ?1, ?2 .. (ptr NULL: null) and integers behind them, in this order. */
typedef struct travel_books_values {
    ctn_str texts[8];
    size_t text_count;
    int64_t integers[4];
    size_t integer_count;
} travel_books_values;
int travel_books_prepare(travel_books *b, const char *sql, const travel_books_values *values,
                         sqlite3_stmt **ret_statement, ctn_err *err);
/* CTN_E_NOT_FOUND without a sentence: no (further) row. */
int travel_books_step(travel_books *b, sqlite3_stmt *statement, ctn_err *err);
/* One statement that gives no rows; ret_changed may be NULL. */
int travel_books_run(travel_books *b, const char *sql, const travel_books_values *values, int *ret_changed,
                     ctn_err *err);
ctn_str travel_books_text(sqlite3_stmt *row, int column, ctn_arena *arena); /* a copy; empty for null */
