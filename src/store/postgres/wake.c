/*
 * wake.c -- a node is woken by NOTIFY on a channel of its own, which bears its incarnation; and on one for all, when
 * something was changed that every node keeps in memory (chapters.h).
 *
 * PostgreSQL lets transactions that notify commit one after the other, database-wide. So none that writes to disk does
 * it: who wakes commits first, and then notifies in a transaction that has nothing else, and costs no sync. What is
 * lost between the two, the next beat finds. Another store in the same database may have the same channel; to be woken
 * for nothing costs one look.
 */
#include "store/postgres/fleet.h"
#include <inttypes.h>
#include <stdio.h>

#define CHANNEL "catena_node_"

void ctn_pg_wake_nodes(pg *db, const int64_t *incarnations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_told = incarnations[i] <= 0;
        for (size_t k = 0; k < i && !is_told; k++)
            is_told = incarnations[k] == incarnations[i];
        if (is_told)
            continue;
        pg_params p = {0};
        ctn_pg_int(&p, incarnations[i]);
        (void) ctn_pg_ask(db, "waking a node", "SELECT pg_notify('" CHANNEL "' || $1::text, '')", &p, NULL, NULL);
    }
}

/* On the connection that there is now; nothing is read from it, or what makes it readable would be gone. */
static bool is_listening(const pg_store *handle, int64_t incarnation)
{
    PGconn *conn = ctn_pg_current(handle->db);
    return conn && PQstatus(conn) == CONNECTION_OK && handle->listens == incarnation &&
           handle->listens_in == ctn_pg_generation(handle->db);
}

int ctn_pg_wake_fd(ctn_store *st, int64_t incarnation)
{
    pg_store *handle = (pg_store *) st;
    if (ctn_pg_is_pooled(handle->db))
        return -1;
    if (!is_listening(handle, incarnation)) {
        char sql[96];
        snprintf(sql, sizeof sql, "UNLISTEN *; LISTEN catena_changes; LISTEN " CHANNEL "%" PRId64, incarnation);
        if (ctn_pg_script(handle->db, "listening", sql, NULL))
            return -1;
        handle->listens = incarnation;
        handle->listens_in = ctn_pg_generation(handle->db);
    }
    return PQsocket(ctn_pg_current(handle->db));
}

bool ctn_pg_woken(ctn_store *st)
{
    const pg_store *handle = (pg_store *) st;
    if (!is_listening(handle, handle->listens))
        return false;
    PGconn *conn = ctn_pg_current(handle->db);
    bool was_woken = false;
    (void) PQconsumeInput(conn); /* it may break now: what was told before that counts */
    for (PGnotify *n = PQnotifies(conn); n; n = PQnotifies(conn)) {
        was_woken = true;
        PQfreemem(n);
    }
    return was_woken;
}
