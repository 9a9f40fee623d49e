/*
 * pg.h -- one connection to PostgreSQL: asked with deadlines, mended when it breaks, its errors told as sentences.
 *
 * libpq stays behind this. Nothing here waits longer than the deadline of the handle (PG_TIMEOUT_MS, of
 * which each host of the URL gets a share when it connects): who waits is the engine's thread or the writer. A
 * connection that breaks, times out or turns out to lead to a server that is read-only is closed; the next statement
 * opens another, over all hosts of the URL, with target_session_attrs=read-write. When none can be had, what is asked
 * within the next pause (50 ms, doubled each time, at most a second) fails at once.
 *
 * Values go as parameters, never into the text of a statement. Statements are prepared when they are first used on a
 * connection, unless it goes through a pooler (?pooler=transaction in the URL: then none is, and nothing is LISTENed
 * to).
 *
 * Every session: client_encoding UTF8, lock_timeout, idle_in_transaction_session_timeout (a stopped node must not hold
 * its locks), tcp_user_timeout, keepalives, client_connection_check_interval, application_name "catena", isolation READ
 * COMMITTED, synchronous_commit not below "on"; a handle for reading: read only. No statement_timeout: it would cut a
 * COMMIT short that waits for a standby, which then counts as done. Behind a pooler, each transaction begins with
 * these.
 *
 * Errors     by SQLSTATE (errors.c): CTN_E_BUSY    cannot be reached, too many connections, deadlock, timed out before
 *                                                  a COMMIT was sent: nothing was written
 *                                    CTN_E_IO      broke while COMMIT was under way: unknown; disk full
 *                                    CTN_E_DENIED  password, rights, read-only server
 *                                    CTN_E_NEWER, CTN_E_CORRUPT (a stranger's schema), CTN_E_STATE (older schema)
 *            Each sentence says what, where (host, port, database; never a password) and the remedy.
 * Threads    A connection belongs to its handle's thread.
 */
#pragma once
#include "store/backend.h"
#include <libpq-fe.h>

enum { PG_TIMEOUT_MS = 5000 };

typedef struct pg pg;

/* url: postgres://... as libpq takes it, with our own parameters taken out: shards (of a new store; 1 to 1024), schema
 * ("catena"), pooler. */
int ctn_pg_open(const char *url, bool is_reader, pg **ret_db, ctn_err *err);
void ctn_pg_close(pg *db);
const char *ctn_pg_where(const pg *db); /* "the database "agency" at db1:5432", for sentences */
const char *ctn_pg_schema(const pg *db);
uint32_t ctn_pg_shards_wanted(const pg *db); /* of a new store */
bool ctn_pg_is_pooled(const pg *db);
/* The deadline from here on; 0: PG_TIMEOUT_MS again. For migrations. */
void ctn_pg_patience(pg *db, int timeout_ms);
PGconn *ctn_pg_current(const pg *db); /* as it was left: nothing is read, nor connected; NULL: none */
void ctn_pg_broken(pg *db);           /* close it: the next statement opens another */
/* Grows with each connection: what was prepared or listened to belongs to one. */
uint64_t ctn_pg_generation(const pg *db);
/* There is a connection now, or a sentence why not. *ret_generation: 0 behind a pooler, where it says nothing. */
int ctn_pg_connected(pg *db, uint64_t *ret_generation, ctn_err *err);

/* Parameters in binary, in a struct that stays where it is (values point into it); types are the OIDs of the values. At
 * most PG_PARAMS_MAX. */
enum { PG_PARAMS_MAX = 32 };
typedef struct pg_params {
    int count;
    Oid types[PG_PARAMS_MAX];
    const char *values[PG_PARAMS_MAX]; /* NULL: NULL */
    int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    char numbers[PG_PARAMS_MAX][8]; /* where integers stand, in network order */
} pg_params;
void ctn_pg_int(pg_params *p, int64_t value);         /* bigint */
void ctn_pg_int_or_null(pg_params *p, int64_t value); /* 0: NULL */
void ctn_pg_double(pg_params *p, double value);
void ctn_pg_bool(pg_params *p, bool value);
void ctn_pg_text(pg_params *p, ctn_str value);                  /* text; borrowed until it was asked */
void ctn_pg_text_or_null(pg_params *p, ctn_str value);          /* empty: NULL */
void ctn_pg_bytes(pg_params *p, const void *bytes, size_t len); /* bytea */
void ctn_pg_array(pg_params *p, Oid type, ctn_str encoded);     /* a binary array (arrays.h) */

/* One statement, its own transaction unless _begin; results in binary. `name`: literal, for preparing and for sentences
 * ("reading the queue"). *ret_result is the caller's to PQclear; NULL when nothing is read. */
int ctn_pg_ask(pg *db, const char *doing, const char *sql, const pg_params *params, PGresult **ret_result,
               ctn_err *err);
/* Rows changed, of what ctn_pg_ask gave. */
int64_t ctn_pg_changed(const PGresult *result);
/* Several statements without parameters or results. */
int ctn_pg_script(pg *db, const char *doing, const char *sql, ctn_err *err);
int ctn_pg_begin(pg *db, ctn_err *err);
int ctn_pg_commit(pg *db, ctn_err *err); /* CTN_E_IO: unknown */
/* Nothing of it is there. Fine when it is over already (a commit that failed). */
void ctn_pg_rollback(pg *db);
bool ctn_pg_in_transaction(const pg *db);
/* Until it is let go, begin, commit and rollback do nothing: everything is in the transaction that is open now. */
void ctn_pg_hold(pg *db, bool holds);

/* Many statements in one round trip, a transaction: begin, add each, end. */
enum { PG_PIPE_MAX = 24 };
typedef struct pg_pipe {
    struct pg_piped {
        const char *doing, *sql;
        const pg_params *params; /* borrowed until the end */
    } statements[PG_PIPE_MAX];
    size_t count;
    uint64_t generation; /* the connection that it counts on: over another one it is CTN_E_BUSY; 0: any */
} pg_pipe;
void ctn_pg_pipe_add(pg_pipe *pipe, const char *doing, const char *sql, const pg_params *params);
/* BEGIN, these, and COMMIT if `commits`; else the transaction is open then, for more to be asked in it.
 * *ret_is_refused: one of them divided by zero (what a check of ours does that finds a batch inadmissible), or met a
 * row that is there already (23505): nothing is written, the return is CTN_E_STATE. CTN_E_IO: unknown. */
int ctn_pg_pipe_run(pg *db, const pg_pipe *pipe, bool commits, bool *ret_is_refused, ctn_err *err);

/* The next thing that the server says, waited for with the deadline; *ret_result NULL: the end of one
 * statement's results. False: the connection broke, and is closed. */
bool ctn_pg_next(pg *db, PGresult **ret_result);
/* Large answers come in pieces: fn for each row, until not 0. No other statement on this connection meanwhile, so a
 * callback that asks the store again needs what is read to be copied first: readers page by keys instead. */

/* Reading a row. */
bool ctn_pg_is_null(const PGresult *r, int row, int column);
int64_t ctn_pg_get_int(const PGresult *r, int row, int column); /* of int2, int4, int8, bool; NULL: 0 */
double ctn_pg_get_double(const PGresult *r, int row, int column);
bool ctn_pg_get_bool(const PGresult *r, int row, int column);
ctn_str ctn_pg_get_str(const PGresult *r, int row,
                       int column); /* of text and bytea; borrowed from the result; NULL: empty */

/* The sentence and our code for what a result or the connection says; `path` is told from the connection. */
int ctn_pg_fail(pg *db, const PGresult *result, const char *doing, ctn_err *err);

/* ---- errors.c ---- */

/* What a server said, or libpq in its place, about an attempt to connect. */
typedef struct pg_refusal {
    int rc;
    char text[400];  /* a whole sentence */
    bool is_standby; /* it takes no writes, and perhaps will */
} pg_refusal;
/* `said`: as libpq has it, verbose; host and port as they were tried. */
void ctn_pg_refused(const char *said, const char *host, const char *port, const char *user, const char *database,
                    pg_refusal *ret);
/* For a result of the server: our code and the sentence. where: ctn_pg_where. */
int ctn_pg_refused_statement(const PGresult *result, const char *where, const char *doing, ctn_err *err);

/* The handle. */
struct pg_store {
    ctn_store base;
    pg *db;
    uint32_t shard_count;
    int64_t incarnation; /* 0: of no node */
    bool is_part;        /* held says what this handle loads by itself; else everything */
    ctn_shard_set held;
    int64_t listens; /* for which node, on which connection (wake.c) */
    uint64_t listens_in;
    struct pg_batch *batch; /* of commit.c; NULL until the first */
    char *url;
};
typedef struct pg_store pg_store;

static inline uint32_t pg_shard_of_no(const pg_store *st, int64_t exec_no)
{
    return (uint32_t) (exec_no % (int64_t) st->shard_count);
}
