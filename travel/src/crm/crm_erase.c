/*
 * crm_erase.c -- forgetting one client.
 *
 * 1. One change: what names somebody is deleted or emptied, the client is marked, nothing is written to it ever again.
 *    From here on no question to the CRM finds it. (The index keeps words of deleted rows in its segments until they
 * are merged: "optimize" merges them.)
 * 2. The file is written anew (VACUUM), which leaves nothing in free pages, also of times before secure_delete.
 * 3. The log is emptied into the file and cut (wal_checkpoint TRUNCATE).
 *
 * Dying after 1 leaves bytes in the file that nobody is told of; erasing again does 2 and 3 again, so whoever repeats
 * the call until it succeeds is done. Both are also done for a client that was erased before.
 */
#include "crm/crm_db.h"

#include "kit/database.h"

enum { CUT_WAIT_MS = 1500 };

static int forget(travel_crm *crm, ctn_str client_id, ctn_str reason, int64_t now_ms, ctn_err *err)
{
    static const char *const FORGETTING[] = {
        "DELETE FROM client_search WHERE rowid = (SELECT client_no FROM clients WHERE client_id = ?1)",
        "DELETE FROM contacts WHERE client_id = ?1",
        "DELETE FROM documents WHERE client_id = ?1",
        "DELETE FROM activities WHERE client_id = ?1",
        "DELETE FROM watches WHERE client_id = ?1",
        "UPDATE leads SET text = '', language = '', client = '{}', requirements = '{}', budget = '{}'"
        " WHERE client_id = ?1",
        "UPDATE trips SET summary = '', destination = '', start_date = '', end_date = '', booking_id = '',"
        " details = '{}' WHERE client_id = ?1",
        "UPDATE messages SET subject = '', body = '', language = '', reference = '',"
        " status = CASE status WHEN 'planned' THEN 'cancelled' ELSE status END WHERE client_id = ?1",
        "UPDATE answers SET digest = '' WHERE client_id = ?1 AND digest <> 'undone'",
    };
    int rc = CTN_OK;
    for (size_t i = 0; !rc && i < sizeof FORGETTING / sizeof *FORGETTING; i++)
        rc = crm_run(crm, err, FORGETTING[i], "t", client_id);
    if (!rc)
        rc = crm_run(crm, err,
                     "UPDATE clients SET name = '', language = '', timezone = '', erased_at = ?2, erased_for = ?3"
                     " WHERE client_id = ?1",
                     "tmt", client_id, now_ms, reason);
    if (!rc)
        rc = crm_exec(crm, "INSERT INTO client_search(client_search) VALUES('optimize')", "cannot be indexed", err);
    return rc;
}

/* Readers may hold the log for a moment; SQLite waits for them. */
static int cut_log(travel_crm *crm, ctn_err *err)
{
    int64_t is_busy = 1;
    sqlite3_busy_timeout(crm->db, CUT_WAIT_MS);
    int rc = crm_count(crm, &is_busy, err, "PRAGMA wal_checkpoint(TRUNCATE)", "");
    sqlite3_busy_timeout(crm->db, TRAVEL_DATABASE_BUSY_MS);
    if (rc == CTN_E_BUSY || (!rc && is_busy))
        return ctn_fail(err, CTN_E_BUSY,
                        "the client is forgotten, but another process reads CRM file %s, whose log may still hold bytes"
                        " of it: erase again",
                        crm->path);
    return rc;
}

static int list_executions(travel_crm *crm, ctn_arena *arena, ctn_str client_id, const ctn_json **ret_executions,
                           ctn_err *err)
{
    crm_query q;
    ctn_json_builder list = ctn_json_array(arena);
    int rc = crm_first(crm, &q, err, "SELECT execution FROM executions WHERE client_id = ?1 ORDER BY execution", "t",
                       client_id);
    for (; !rc; rc = crm_next(&q, err))
        ctn_json_push(&list, ctn_json_string(arena, crm_text(arena, &q, 0)));
    crm_done(&q);
    *ret_executions = ctn_json_finish(&list);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

int travel_crm_erase(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str reason, int64_t now_ms,
                     bool *ret_was_erased, const ctn_json **ret_executions, ctn_err *err)
{
    travel_client client;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = travel_crm_client(crm, arena, client_id, &client, err);
    if (!rc)
        rc = list_executions(crm, arena, client_id, ret_executions, err);
    if (!rc && client.erased_at_ms == 0)
        rc = forget(crm, client_id, reason, now_ms, err);
    rc = travel_crm_end(crm, rc, err);
    if (!rc)
        rc = crm_exec(crm, "VACUUM", "cannot be written anew", err);
    if (!rc)
        rc = cut_log(crm, err);
    if (!rc)
        *ret_was_erased = client.erased_at_ms != 0;
    return rc;
}
