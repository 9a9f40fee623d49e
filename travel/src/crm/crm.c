/*
 * crm.c -- see crm.h. Every change is one transaction begun IMMEDIATE, so that two servers on one file take
 * turns (the busy timeout) and a killed one leaves nothing half done.
 */
#include "crm/crm.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

enum { BUSY_MS = 5000, BUSY_STEP_MS = 5, SCHEMA_VERSION = 1 };

struct travel_crm {
    sqlite3 *db;
    char *path;
};

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS clients(client_no INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, key TEXT "
    "UNIQUE,"
    " execution_id TEXT, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, created_at TEXT NOT NULL) "
    "STRICT;"
    "CREATE INDEX IF NOT EXISTS clients_by_execution ON clients(execution_id) WHERE execution_id IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS sessions(session_no INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id) ON DELETE CASCADE, client TEXT NOT NULL,"
    " requirements TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS sessions_by_client ON sessions(client_id);"
    "CREATE TABLE IF NOT EXISTS outbox(message_no INTEGER PRIMARY KEY AUTOINCREMENT, scheduled_id TEXT UNIQUE,"
    " channel TEXT NOT NULL, send_time TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL,"
    " message TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;"
    "PRAGMA user_version = 1;";

static int fail(travel_crm *crm, const char *doing, ctn_err *err)
{
    int sqlite_code = sqlite3_errcode(crm->db) & 0xff;
    int code = sqlite_code == SQLITE_BUSY || sqlite_code == SQLITE_LOCKED ? CTN_E_BUSY : CTN_E_IO;
    return ctn_fail(err, code, "CRM file %s: %s: %s", crm->path, doing, sqlite3_errmsg(crm->db));
}

static int exec(travel_crm *crm, const char *sql, const char *doing, ctn_err *err)
{
    return sqlite3_exec(crm->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CTN_OK : fail(crm, doing, err);
}

/* ---- open ---- */

static int user_version(travel_crm *crm, int *ret_version, ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc = CTN_OK;
    if (sqlite3_prepare_v2(crm->db, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW)
        rc = fail(crm, "cannot be read", err);
    else
        *ret_version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return rc;
}

static int try_to_make_tables(travel_crm *crm, ctn_err *err)
{
    int version = 0;
    int rc = user_version(crm, &version, err);
    if (rc)
        return rc;
    if (version > SCHEMA_VERSION)
        return ctn_fail(err, CTN_E_NEWER,
                        "CRM file %s was written by a newer catena-travel (schema %d, this one knows %d)", crm->path,
                        version, SCHEMA_VERSION);
    if (version == SCHEMA_VERSION)
        return CTN_OK;
    rc = exec(crm, "PRAGMA journal_mode = WAL", "cannot switch to WAL", err);
    if (!rc)
        rc = exec(crm, "BEGIN IMMEDIATE", "cannot be written", err);
    if (rc)
        return rc;
    rc = exec(crm, SCHEMA, "cannot make its tables", err);
    if (!rc)
        rc = exec(crm, "COMMIT", "cannot make its tables", err);
    if (rc)
        (void) exec(crm, "ROLLBACK", "", NULL);
    return rc;
}

/* SQLite does not wait while another process changes a new file to WAL: it says "busy" at once, so we wait. */
static int make_tables(travel_crm *crm, ctn_err *err)
{
    int rc = CTN_OK;
    for (int waited_ms = 0; waited_ms < BUSY_MS; waited_ms += BUSY_STEP_MS) {
        rc = try_to_make_tables(crm, err);
        if (rc != CTN_E_BUSY)
            break;
        (void) nanosleep(&(struct timespec){.tv_nsec = BUSY_STEP_MS * 1000000L}, NULL);
    }
    return rc;
}

int travel_crm_open(const char *path, bool is_reading, travel_crm **ret_crm, ctn_err *err)
{
    if (!path || !*path)
        return ctn_fail(err, CTN_E_INVALID,
                        "no CRM file: set the environment variable CRM to its path, as in CRM=crm.db");
    travel_crm *crm = calloc(1, sizeof *crm);
    assert(crm);
    crm->path = strdup(path);
    assert(crm->path);
    int rc = CTN_OK;
    int flags = is_reading ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &crm->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        rc = is_reading ? ctn_fail(err, CTN_E_NOT_FOUND, "CRM file %s: %s", path, sqlite3_errmsg(crm->db))
                        : fail(crm, "cannot be opened (does its folder exist, and may you write there?)", err);
        goto done;
    }
    sqlite3_busy_timeout(crm->db, BUSY_MS);
    rc = exec(crm, "PRAGMA foreign_keys = ON", "cannot be read", err);
    if (!rc)
        rc = make_tables(crm, err);
    if (rc == CTN_OK) {
        *ret_crm = crm;
        crm = NULL;
    }
done:
    travel_crm_close(crm);
    return rc;
}

void travel_crm_close(travel_crm *crm)
{
    if (!crm)
        return;
    sqlite3_close(crm->db);
    free(crm->path);
    free(crm);
}

/* ---- statements ---- */

static void bind_text(sqlite3_stmt *query, int at, ctn_str text)
{
    sqlite3_bind_text64(query, at, text.len ? text.ptr : "", text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void bind_text_or_null(sqlite3_stmt *query, int at, ctn_str text)
{
    if (text.len > 0)
        bind_text(query, at, text);
}

static ctn_str column_text(ctn_arena *arena, sqlite3_stmt *query, int at)
{
    const char *text = (const char *) sqlite3_column_text(query, at);
    return ctn_arena_str(arena, (ctn_str){text, (size_t) sqlite3_column_bytes(query, at)});
}

static int prepare(travel_crm *crm, const char *sql, sqlite3_stmt **ret_query, ctn_err *err)
{
    return sqlite3_prepare_v2(crm->db, sql, -1, ret_query, NULL) == SQLITE_OK ? CTN_OK
                                                                              : fail(crm, "cannot be read", err);
}

/* Runs a statement that gives no rows. */
static int finish(travel_crm *crm, sqlite3_stmt *query, ctn_err *err)
{
    return sqlite3_step(query) == SQLITE_DONE ? CTN_OK : fail(crm, "cannot be written", err);
}

/* Gives the row just inserted its public id, which people can read out: prefix and number. */
static int name_row(travel_crm *crm, ctn_arena *arena, const char *sql, char prefix, ctn_str *ret_id, ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    sqlite3_int64 number = sqlite3_last_insert_rowid(crm->db);
    ctn_str id = ctn_arena_printf(arena, "%c-%06lld", prefix, (long long) number);
    int rc = prepare(crm, sql, &query, err);
    if (rc == CTN_OK) {
        bind_text(query, 1, id);
        sqlite3_bind_int64(query, 2, number);
        rc = finish(crm, query, err);
    }
    sqlite3_finalize(query);
    if (rc == CTN_OK)
        *ret_id = id;
    return rc;
}

/* ---- create ---- */

static int find_by_key(travel_crm *crm, ctn_arena *arena, ctn_str key, ctn_str *ret_client_id, ctn_str *ret_session_id,
                       ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc = prepare(crm,
                     "SELECT c.client_id, s.session_id FROM clients c JOIN sessions s USING(client_id) WHERE c.key = ?1"
                     " ORDER BY s.session_no LIMIT 1",
                     &query, err);
    if (rc)
        goto done;
    bind_text(query, 1, key);
    int step = sqlite3_step(query);
    if (step == SQLITE_ROW) {
        *ret_client_id = column_text(arena, query, 0);
        *ret_session_id = column_text(arena, query, 1);
    } else {
        rc = step == SQLITE_DONE ? CTN_E_NOT_FOUND : fail(crm, "cannot be read", err);
    }
done:
    sqlite3_finalize(query);
    return rc;
}

static int insert_client(travel_crm *crm, ctn_arena *arena, const travel_client *client, ctn_str *ret_client_id,
                         ctn_str *ret_session_id, ctn_err *err)
{
    sqlite3_stmt *query = NULL, *session = NULL;
    int rc = prepare(
        crm, "INSERT INTO clients(key, execution_id, name, email, phone, created_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        &query, err);
    if (rc)
        goto done;
    bind_text_or_null(query, 1, client->key);
    bind_text_or_null(query, 2, client->execution_id);
    bind_text(query, 3, client->name);
    bind_text(query, 4, client->email);
    bind_text(query, 5, client->phone);
    bind_text(query, 6, client->created_at);
    rc = finish(crm, query, err);
    if (!rc)
        rc = name_row(crm, arena, "UPDATE clients SET client_id = ?1 WHERE client_no = ?2", 'C', ret_client_id, err);
    if (!rc)
        rc = prepare(crm, "INSERT INTO sessions(client_id, client, requirements, created_at) VALUES(?1, ?2, ?3, ?4)",
                     &session, err);
    if (rc)
        goto done;
    bind_text(session, 1, *ret_client_id);
    bind_text(session, 2, client->client);
    bind_text(session, 3, client->requirements);
    bind_text(session, 4, client->created_at);
    rc = finish(crm, session, err);
    if (!rc)
        rc =
            name_row(crm, arena, "UPDATE sessions SET session_id = ?1 WHERE session_no = ?2", 'S', ret_session_id, err);
done:
    sqlite3_finalize(query);
    sqlite3_finalize(session);
    return rc;
}

int travel_crm_create(travel_crm *crm, ctn_arena *arena, const travel_client *client, ctn_str *ret_client_id,
                      ctn_str *ret_session_id, bool *ret_is_new, ctn_err *err)
{
    int rc = exec(crm, "BEGIN IMMEDIATE", "cannot be written", err);
    if (rc)
        return rc;
    *ret_is_new = false;
    rc = client->key.len > 0 ? find_by_key(crm, arena, client->key, ret_client_id, ret_session_id, err)
                             : CTN_E_NOT_FOUND;
    if (rc == CTN_E_NOT_FOUND) {
        *ret_is_new = true;
        rc = insert_client(crm, arena, client, ret_client_id, ret_session_id, err);
    }
    if (!rc)
        rc = exec(crm, "COMMIT", "cannot be written", err);
    if (rc)
        (void) exec(crm, "ROLLBACK", "", NULL);
    return rc;
}

/* ---- the rest ---- */

int travel_crm_delete(travel_crm *crm, ctn_str client_id, ctn_str execution_id, int *ret_deleted, ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc =
        prepare(crm, "DELETE FROM clients WHERE client_id = ?1 OR (?1 IS NULL AND execution_id = ?2)", &query, err);
    if (rc == CTN_OK) {
        bind_text_or_null(query, 1, client_id);
        bind_text_or_null(query, 2, execution_id);
        rc = finish(crm, query, err);
    }
    sqlite3_finalize(query);
    if (rc == CTN_OK)
        *ret_deleted = sqlite3_changes(crm->db);
    return rc;
}

int travel_crm_find(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str *ret_name, int *ret_sessions,
                    ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc = prepare(crm,
                     "SELECT name, (SELECT count(*) FROM sessions s WHERE s.client_id = c.client_id) FROM clients c"
                     " WHERE client_id = ?1",
                     &query, err);
    if (rc)
        goto done;
    bind_text(query, 1, client_id);
    int step = sqlite3_step(query);
    if (step == SQLITE_ROW) {
        *ret_name = column_text(arena, query, 0);
        *ret_sessions = sqlite3_column_int(query, 1);
    } else {
        rc = step == SQLITE_DONE ? ctn_fail(err, CTN_E_NOT_FOUND, "no client %.*s", CTN_STR_ARG(client_id))
                                 : fail(crm, "cannot be read", err);
    }
done:
    sqlite3_finalize(query);
    return rc;
}

int travel_crm_schedule(travel_crm *crm, ctn_arena *arena, const travel_message *message, ctn_str *ret_scheduled_id,
                        ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc = exec(crm, "BEGIN IMMEDIATE", "cannot be written", err);
    if (rc)
        return rc;
    rc = prepare(crm,
                 "INSERT INTO outbox(channel, send_time, client_id, subject, message, created_at)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                 &query, err);
    if (rc == CTN_OK) {
        const ctn_str values[6] = {message->channel, message->send_time, message->client_id,
                                   message->subject, message->text,      message->created_at};
        for (int i = 0; i < 6; i++)
            bind_text(query, i + 1, values[i]);
        rc = finish(crm, query, err);
    }
    if (!rc)
        rc = name_row(crm, arena, "UPDATE outbox SET scheduled_id = ?1 WHERE message_no = ?2", 'M', ret_scheduled_id,
                      err);
    sqlite3_finalize(query);
    if (!rc)
        rc = exec(crm, "COMMIT", "cannot be written", err);
    if (rc)
        (void) exec(crm, "ROLLBACK", "", NULL);
    return rc;
}
