/*
 * pg_server.h -- PostgreSQL of a test's own: made with initdb in a scratch folder, on loopback and a Unix socket.
 *
 * It syncs as a real one does (fsync=on; its folder is in memory where there is room), is small, and gone with the
 * test, however that ends: the server is told by the kernel (PR_SET_PDEATHSIG), the folder is removed by a process that
 * waits for that. PostgreSQL refuses to run as root: then it runs as the user "postgres", or "nobody". Over TCP it asks
 * for a password that nobody else knows (its URLs have it); the socket's folder is closed to others.
 *
 * Who was asked for something that cannot be done says why on stderr, with the end of the server's log, and aborts.
 * Start and restart from the thread that lives longest: a server dies with the thread that started it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pg_server pg_server;

/* Why no server can be had here ("PostgreSQL is not installed: ..."), to skip a test with; NULL: one can. */
const char *pg_server_missing(void);

/* A main() of tests that need one returns this when it is missing: one test, which says why and is skipped. */
int pg_server_skipped(void);

/* settings: lines for postgresql.conf behind our own ("max_connections = 5\n"), or NULL. Takes a second. */
pg_server *pg_server_start(const char *settings);
void pg_server_end(pg_server *server); /* and its folder; NULL is fine */

/* ---- where it is ---- */
/* A database that was not there before, on loopback: "postgres://catena:PASSWORD@127.0.0.1:PORT/dbN". A URL is to be
 * freed by who asked. */
char *pg_server_new_database(pg_server *server);
char *pg_server_url(const pg_server *server, const char *database);
char *pg_server_socket_url(const pg_server *server, const char *database);
/* The same database of several servers, in this order, for what finds the one that can be written. */
char *pg_server_url_of_all(pg_server *const *servers, size_t count, const char *database);
int pg_server_port(const pg_server *server); /* stays the same over restarts */
const char *pg_server_password(const pg_server *server);
const char *pg_server_folder(const pg_server *server); /* postgresql.conf, log, ... are in it and in its data/ */

/* ---- up and down ---- */
typedef enum pg_stop {
    PG_STOP_FAST,      /* as an operator stops it: connections are ended, a checkpoint is made */
    PG_STOP_IMMEDIATE, /* no checkpoint: the next start recovers from the log */
    PG_STOP_KILL       /* SIGKILL for all its processes at once: nobody says good-bye */
} pg_stop;
void pg_server_stop(pg_server *server, pg_stop how);
void pg_server_up(pg_server *server); /* after a stop; returns when it takes connections */
void pg_server_restart(pg_server *server, pg_stop how);
bool pg_server_is_up(const pg_server *server);
/* All its processes stand still (SIGSTOP), or go on: a server that neither answers nor closes. */
void pg_server_freeze(pg_server *server, bool is_frozen);
/* One more setting, in force at once if it needs no restart. */
void pg_server_set(pg_server *server, const char *name, const char *value);

/* ---- SQL, as superuser ---- */
/* Runs it, several statements too; the first column of the first row of the last one, to be freed; NULL: no row. */
char *pg_server_sql(pg_server *server, const char *database, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t pg_server_number(pg_server *server, const char *database, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Calls fn with the columns of each row, as text; NULL: null. */
void pg_server_rows(pg_server *server, const char *database, const char *sql, void (*fn)(void *ctx, char *const *row),
                    void *ctx);
/* False when that could not be done (the server is away, say): then nothing is said. */
bool pg_server_try(pg_server *server, const char *database, const char *sql);

/* ---- standbys ---- */
/* A copy that streams from the primary, under this name. Reads are answered, writes refused. */
pg_server *pg_server_standby(pg_server *primary, const char *name);
/* Its commits wait for one of these standbys ("a, b"); "": for none. One that is not promoted yet keeps it for then. */
void pg_server_waits_for(pg_server *server, const char *names);
/* The same, of a primary; returns when they stream. */
void pg_server_synchronous(pg_server *primary, const char *names);
/* How far it has the primary's log, on its disk: of several, the one to promote is the one that has most. */
int64_t pg_server_received(pg_server *standby);
void pg_server_promote(pg_server *standby); /* returns when it can be written */
/* From now on it streams from there: the standby that was not promoted. */
void pg_server_follow(pg_server *standby, const pg_server *primary);
/* One that was stopped, the old primary say, forgets what it had, and is a copy that streams from there. */
void pg_server_rejoin(pg_server *server, const char *name, const pg_server *primary);
