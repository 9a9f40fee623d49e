/*
 * connection.h -- what connect.c, pg.c and pipeline.c share: the connection as it is, and mending it. Private to them.
 */
#pragma once
#include "store/postgres/pg.h"
#include "store/postgres/url.h"

/* Then what comes is not prepared: statements that are put together for one question. */
enum { PG_PREPARED_MAX = 250 };

struct pg {
    PGconn *conn; /* NULL: none now */
    pg_url url;
    char where[300];
    char *hosts, *addresses, *ports; /* comma-separated, as libpq resolved them */
    size_t host_count, host_at;      /* which one it was */
    uint64_t generation;
    uint64_t planned_in; /* on which of these connections plans are made as batches need them (pipeline.c) */
    int64_t pause_ms, paused_until_ms;
    pg_refusal refusal; /* the last one */
    int timeout_ms;
    bool is_reader;
    bool in_transaction;
    bool is_lost;    /* the connection of this transaction is */
    bool is_held;    /* the transaction is another's: begin, commit and rollback do nothing */
    bool has_warned; /* since the last statement was sent */
    size_t prepared_count;
    char *prepared[PG_PREPARED_MAX]; /* what "cN" stands for on this connection */
};

int64_t ctn_pg_now_ms(void); /* CLOCK_MONOTONIC */
/* Waits for what libpq wants of its socket. */
bool ctn_pg_wait(PGconn *conn, short events, int64_t until_ms);
/* There is a connection now, or a sentence why not. */
int ctn_pg_ready(pg *db, ctn_err *err);
void ctn_pg_forget_connection(pg *db);

/* ---- pg.c ---- */
int ctn_pg_fail_lost(const pg *db, const char *doing, ctn_err *err);
bool ctn_pg_is_good(const PGresult *result);
/* Which "cN" stands for it; PG_PREPARED_MAX: it is not to be prepared. */
int ctn_pg_prepare(pg *db, const char *doing, const char *sql, const pg_params *p, size_t *ret_which, ctn_err *err);
bool ctn_pg_send(pg *db, size_t which, const char *sql, const pg_params *p);
/* What every session, or every transaction behind a pooler, begins with. */
const char *ctn_pg_settings(const pg *db, pg_params *ret_params);
/* What every new connection begins with; the sentence says why it is no good. */
int ctn_pg_set_up(pg *db, ctn_err *err);
