/*
 * crm_db.h -- how the files of crm/ ask SQLite: statements kept prepared, values bound by a letter each, changes that
 * nest.
 *
 *     crm_query q;
 *     int rc = crm_first(crm, &q, err, "SELECT name FROM clients WHERE client_id = ?1", "t", client_id);
 *     if (!rc)
 *         name = crm_text(arena, &q, 0);
 *     crm_done(&q);
 *
 * The letters: t text (ctn_str), n text or NULL when it is empty (ctn_str), i integer (int64_t), m a moment
 * (int64_t ms; RFC 3339, 0 is NULL), b bytes (ctn_str).
 * A statement is known by the address of its text, so it must be a literal; one text is not run inside itself. SQL is
 * never made of values.
 *
 * Errors  as in crm.h; `first` and `next` give CTN_E_NOT_FOUND, without a sentence, when there is no (further) row.
 */
#pragma once

#include "crm/crm.h"
#include "kit/shown.h"

#include <sqlite3.h>

enum { CRM_STATEMENTS_MAX = 128 };

struct travel_crm {
    sqlite3 *db;
    char *path;
    int depth; /* of changes that are begun and not ended */
    size_t statement_count;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } statements[CRM_STATEMENTS_MAX];
};

typedef struct crm_query {
    travel_crm *crm;
    sqlite3_stmt *statement; /* NULL: nothing to be done with */
} crm_query;

/* The sentence of what SQLite said last. */
int crm_fail(travel_crm *crm, const char *doing, ctn_err *err);
/* SQL without values, several statements. */
int crm_exec(travel_crm *crm, const char *sql, const char *doing, ctn_err *err);
/* Runs a statement that gives no rows. */
int crm_run(travel_crm *crm, ctn_err *err, const char *sql, const char *letters, ...);
/* Its first row; crm_done in any case. */
int crm_first(travel_crm *crm, crm_query *ret_query, ctn_err *err, const char *sql, const char *letters, ...);
int crm_next(crm_query *query, ctn_err *err);
void crm_done(crm_query *query);
/* The only integer of the only row. */
int crm_count(travel_crm *crm, int64_t *ret_count, ctn_err *err, const char *sql, const char *letters, ...);
int64_t crm_changes(travel_crm *crm);

ctn_str crm_text(ctn_arena *arena, crm_query *query, int column);
int64_t crm_int(crm_query *query, int column);
int64_t crm_moment(crm_query *query, int column); /* ms; NULL: 0 */
/* JSON that was stored; what is none is {}. */
const ctn_json *crm_json(ctn_arena *arena, crm_query *query, int column);

/* Inserts a row by `sql` (run before this), and gives it its public id: prefix and number, never used twice. `sql` is
 * an UPDATE with the id as ?1 and the number as ?2. */
int crm_name_row(travel_crm *crm, ctn_arena *arena, const char *sql, char prefix, ctn_str *ret_id, ctn_err *err);

/* crm_clients.c: notes the execution that an engine's key begins with ("ID/step/do"); any other key is none. */
int crm_note_key(travel_crm *crm, ctn_str client_id, ctn_str key, ctn_err *err);
/* crm_once.c: the answer that a key got; NULL: none, and it will never get one. */
int crm_answer_undo(travel_crm *crm, ctn_arena *arena, const char *tool, ctn_str key, int64_t now_ms,
                    const ctn_json **ret_answer, ctn_err *err);
/* crm_schema.c: brings the file to this version's tables. */
int crm_migrate(travel_crm *crm, ctn_err *err);
/* crm_contact.c: its functions for SQL, which a migration needs. */
int crm_contact_functions(travel_crm *crm, ctn_err *err);
/* crm_search.c: what the index says of a client is made anew. */
int crm_index_client(travel_crm *crm, ctn_str client_id, ctn_err *err);
/* crm_clients.c: CTN_E_NOT_FOUND, CTN_E_STATE (erased) with a sentence. */
int crm_client_must_live(travel_crm *crm, ctn_str client_id, ctn_err *err);
/* That a contact is the client's: nobody's key if another client has it. */
int crm_contact_add(travel_crm *crm, ctn_str client_id, ctn_str email, ctn_str phone, ctn_err *err);
/* The client that has one of these contacts, by e-mail first. */
int crm_contact_find(travel_crm *crm, ctn_arena *arena, ctn_str email, ctn_str phone, ctn_str *ret_client_id,
                     ctn_err *err);
