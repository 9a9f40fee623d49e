/*
 * connect.c -- making a connection, and another when it was lost: over all hosts of the URL, each within its share of
 * the deadline, and not at once again when none could be had.
 *
 * The hosts are tried one by one and not all by libpq, which has no deadline where it does not block. Where they come
 * from (the URL, a service file, the environment), libpq knows: it is asked once.
 */
#include "store/postgres/connection.h"
#include "base/memory.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PAUSE_FIRST_MS = 50,
    PAUSE_LAST_MS = 1000,
    HOSTS_MAX = 16,
    OPTIONS_MAX = 64,
};

int64_t ctn_pg_now_ms(void)
{
    struct timespec t;
    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- connecting ---- */

void ctn_pg_forget_connection(pg *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    for (size_t i = 0; i < db->prepared_count; i++)
        free(db->prepared[i]);
    db->prepared_count = 0;
}

void ctn_pg_broken(pg *db)
{
    ctn_pg_forget_connection(db);
    db->is_lost = db->in_transaction;
}

/* The n-th of a comma-separated list; the only one is that of all. */
static char *nth(const char *list, size_t n)
{
    ctn_str rest = ctn_str_from(list ? list : ""), one = ctn_str_cut(&rest, ',');
    for (size_t i = 0; i < n && rest.ptr; i++)
        one = ctn_str_cut(&rest, ',');
    return ctn_cstring(one);
}

typedef struct options {
    const char *keywords[OPTIONS_MAX + 1], *values[OPTIONS_MAX + 1];
    int count;
} options;

static void set_option(options *o, const char *keyword, const char *value, bool is_forced)
{
    int at = 0;
    while (at < o->count && strcmp(o->keywords[at], keyword) != 0)
        at++;
    if (at < o->count && !is_forced)
        return;
    assert(at < OPTIONS_MAX);
    o->keywords[at] = keyword;
    o->values[at] = value;
    o->count += at == o->count;
}

static void begin_options(options *o, const PQconninfoOption *parsed)
{
    *o = (options){0};
    for (; parsed->keyword; parsed++)
        if (parsed->val && *parsed->val)
            set_option(o, parsed->keyword, parsed->val, true);
    set_option(o, "client_encoding", "UTF8", true);
    set_option(o, "target_session_attrs", "read-write", true);
    set_option(o, "fallback_application_name", "catena", false);
    set_option(o, "keepalives_idle", "5", false);
    set_option(o, "keepalives_interval", "2", false);
    set_option(o, "keepalives_count", "3", false);
    set_option(o, "tcp_user_timeout", "8000", false);
}

/* Waits for what libpq wants of its socket. */
bool ctn_pg_wait(PGconn *conn, short events, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - ctn_pg_now_ms();
        struct pollfd fd = {.fd = PQsocket(conn), .events = events};
        int ready = left_ms > 0 ? poll(&fd, 1, (int) left_ms) : 0;
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

/* What libpq says about the URL as a whole: the hosts, wherever they stand (service file, environment). */
static int resolve_hosts(pg *db, const PQconninfoOption *parsed, ctn_err *err)
{
    options o;
    begin_options(&o, parsed);
    PGconn *conn = PQconnectStartParams(o.keywords, o.values, 0);
    PQconninfoOption *found = conn ? PQconninfo(conn) : NULL;
    char *lists[3] = {NULL, NULL, NULL};
    static const char *const names[3] = {"host", "hostaddr", "port"};
    for (const PQconninfoOption *f = found; f && f->keyword; f++)
        for (int i = 0; i < 3; i++)
            if (strcmp(f->keyword, names[i]) == 0)
                lists[i] = ctn_cstring(ctn_str_from(f->val));
    bool is_read = conn && (PQstatus(conn) != CONNECTION_BAD || (PQhost(conn) && *PQhost(conn)));
    ctn_str said = ctn_str_from(conn ? PQerrorMessage(conn) : "no memory");
    int rc = is_read ? CTN_OK
                     : ctn_fail(err, CTN_E_INVALID, "the store %s cannot be connected to: %.*s", db->url.shown,
                                CTN_STR_ARG(ctn_str_trim(said)));
    PQconninfoFree(found);
    PQfinish(conn);
    db->hosts = lists[0];
    db->addresses = lists[1];
    db->ports = lists[2];
    db->host_count = 1;
    const char *list = db->hosts && *db->hosts ? db->hosts : db->addresses;
    for (; list && *list; list++)
        db->host_count += *list == ',';
    if (rc == CTN_OK && db->host_count > HOSTS_MAX)
        rc = ctn_fail(err, CTN_E_INVALID, "the store's URL names %zu hosts; at most %d", db->host_count, HOSTS_MAX);
    return rc;
}

/* One host. NULL: refusal says why. */
static PGconn *connect_host(pg *db, const PQconninfoOption *parsed, size_t which, int64_t until_ms)
{
    options o;
    begin_options(&o, parsed);
    char *host = nth(db->hosts, which), *address = nth(db->addresses, which), *port = nth(db->ports, which);
    if (*host)
        set_option(&o, "host", host, true);
    if (*address)
        set_option(&o, "hostaddr", address, true);
    if (*port)
        set_option(&o, "port", port, true);
    PGconn *conn = PQconnectStartParams(o.keywords, o.values, 0);
    PostgresPollingStatusType state =
        conn && PQstatus(conn) != CONNECTION_BAD ? PGRES_POLLING_WRITING : PGRES_POLLING_FAILED;
    if (conn)
        PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    bool is_late = false;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        is_late = !ctn_pg_wait(conn, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms);
        if (is_late)
            break;
        state = PQconnectPoll(conn);
    }
    if (state != PGRES_POLLING_OK) {
        const char *said = is_late ? "no answer in time" : conn ? PQerrorMessage(conn) : "no memory";
        const char *user = conn ? PQuser(conn) : NULL, *database = conn ? PQdb(conn) : NULL;
        ctn_pg_refused(said,
                       *host                  ? host
                       : *address             ? address
                       : conn && PQhost(conn) ? PQhost(conn)
                                              : "",
                       *port ? port : "5432", user ? user : "", database ? database : "", &db->refusal);
        PQfinish(conn);
        conn = NULL;
    }
    free(host);
    free(address);
    free(port);
    return conn;
}

/* Of several that say no: one that says something about us, before one that is away; and a standby may become the
 * primary, if there is another. */
static void remember_refusal(pg *db, pg_refusal *kept)
{
    if (db->refusal.is_standby && (db->host_count > 1 || db->generation))
        db->refusal.rc = CTN_E_BUSY;
    if (!kept->rc || kept->rc == CTN_E_BUSY)
        *kept = db->refusal;
}

static int connect_any(pg *db, ctn_err *err)
{
    if (ctn_pg_now_ms() < db->paused_until_ms)
        return ctn_fail(err, db->refusal.rc, "%s", db->refusal.text);
    PQconninfoOption *parsed = PQconninfoParse(db->url.conninfo, NULL);
    if (!parsed)
        return ctn_fail(err, CTN_E_NOMEM, "no memory for connecting to the store");
    int rc = db->host_count ? CTN_OK : resolve_hosts(db, parsed, err);
    int64_t begun_ms = ctn_pg_now_ms();
    pg_refusal kept = {0};
    for (size_t i = 0; rc == CTN_OK && i < db->host_count && !db->conn; i++) {
        size_t which = (db->host_at + i) % db->host_count;
        int64_t share_ms = (begun_ms + PG_TIMEOUT_MS - ctn_pg_now_ms()) / (int64_t) (db->host_count - i);
        db->conn = connect_host(db, parsed, which, ctn_pg_now_ms() + share_ms);
        if (db->conn)
            db->host_at = which;
        else
            remember_refusal(db, &kept);
    }
    PQconninfoFree(parsed);
    if (rc)
        return rc;
    ctn_err set_up_err = {0};
    if (db->conn && ctn_pg_set_up(db, &set_up_err) == CTN_OK) {
        db->pause_ms = db->paused_until_ms = 0;
        return CTN_OK;
    }
    if (set_up_err.code) {
        kept.rc = set_up_err.code;
        (void) snprintf(kept.text, sizeof kept.text, "%s", set_up_err.message);
    }
    db->refusal = kept;
    ctn_pg_forget_connection(db);
    db->pause_ms = db->pause_ms ? db->pause_ms * 2 : PAUSE_FIRST_MS;
    if (db->pause_ms > PAUSE_LAST_MS)
        db->pause_ms = PAUSE_LAST_MS;
    db->paused_until_ms = ctn_pg_now_ms() + db->pause_ms;
    return ctn_fail(err, db->refusal.rc, "%s", db->refusal.text);
}

/* Has the server ended this connection while nobody asked? Then it is known before something is sent. It may have said
 * why, so what it said is read up to the end. */
static bool is_alive(pg *db)
{
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};
    while (poll(&fd, 1, 0) > 0)
        if (!PQconsumeInput(db->conn))
            return false;
    return PQstatus(db->conn) == CONNECTION_OK;
}

int ctn_pg_ready(pg *db, ctn_err *err)
{
    if (db->is_lost)
        return ctn_fail(err, CTN_E_BUSY,
                        "the connection to %s was lost in the middle of a transaction; nothing of it was "
                        "written",
                        db->where);
    if (db->conn && !db->in_transaction && !is_alive(db))
        ctn_pg_forget_connection(db);
    return db->conn ? CTN_OK : connect_any(db, err);
}

PGconn *ctn_pg_current(const pg *db)
{
    return db->conn;
}

uint64_t ctn_pg_generation(const pg *db)
{
    return db->generation;
}

int ctn_pg_connected(pg *db, uint64_t *ret_generation, ctn_err *err)
{
    int rc = ctn_pg_ready(db, err);
    *ret_generation = rc || db->url.is_pooled ? 0 : db->generation;
    return rc;
}
