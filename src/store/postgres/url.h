/*
 * url.h -- what a postgres: URL says: what libpq reads of it, and our own parameters. Private to postgres/.
 *
 *     postgres://USER@HOST:PORT,HOST:PORT/DATABASE?sslmode=verify-full&schema=catena&shards=1024&pooler=transaction
 *
 * Everything that libpq takes is its own (service files, PGPASSFILE, TLS), but for `target_session_attrs`, which is
 * read-write whatever the URL says: nothing is decided from a replica. Ours, behind the ?:
 *     schema   where the tables are: letters, digits and _; "catena" if it is not said
 *     shards   of a store that is made with this URL: 1 to 1024; 1024 if it is not said
 *     pooler   "transaction": a proxy gives each transaction another session, so nothing is kept in one
 */
#pragma once
#include "base/str.h"
#include "base/err.h"

typedef struct pg_url {
    char *conninfo; /* as libpq takes it */
    char *shown;    /* for people: without a password */
    char schema[64];
    uint32_t shards; /* 0: not said */
    bool is_pooled;
} pg_url;

/* CTN_E_INVALID: the sentence repeats nothing that could be a password. */
int ctn_pg_url_read(const char *url, pg_url *ret_url, ctn_err *err);
void ctn_pg_url_done(pg_url *url); /* all zero is fine */
int ctn_pg_url_check(const char *url, ctn_err *err);
/* The URL as it may be told, cut to size if need be. */
void ctn_pg_url_shown(const char *url, char *ret_text, size_t size);
