/*
 * errors.c -- what PostgreSQL refuses, by its SQLSTATE: our code, and a sentence with the remedy.
 *
 * libpq tells an attempt to connect that failed as text only, in the language of the server. Asked to be verbose, it
 * puts the SQLSTATE behind the severity ("FATAL:  28P01: ..."), which is the same in every language; what libpq says
 * itself is English, for nobody here asks for another language.
 */
#include "store/postgres/pg.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- connecting ---- */

/* "FATAL:  28P01: password authentication failed": the five characters; ret_text: what follows. */
static bool find_sqlstate(const char *said, char ret_state[6], const char **ret_text)
{
    for (const char *at = strstr(said, ":  "); at; at = strstr(at + 1, ":  ")) {
        const char *code = at + 3;
        size_t len = strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (len != 5 || code[5] != ':')
            continue;
        memcpy(ret_state, code, 5);
        ret_state[5] = '\0';
        *ret_text = code + 5 + strspn(code + 5, ": ");
        return true;
    }
    return false;
}

/* The last line of libpq's own words about the address that was tried, without the address. */
static ctn_str own_words(const char *said)
{
    const char *failed = strstr(said, " failed: ");
    ctn_str rest = ctn_str_from(failed ? failed + strlen(" failed: ") : said);
    return ctn_str_trim(ctn_str_cut(&rest, '\n'));
}

static void refuse(pg_refusal *r, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void refuse(pg_refusal *r, int rc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    r->rc = rc;
}

#define PASSWORD_REMEDY "a password comes from PGPASSWORD, the file PGPASSFILE (~/.pgpass) or a service file"

static void refused_by_state(const char *state, ctn_str words, const char *at, const char *user, const char *database,
                             pg_refusal *ret)
{
    if (strcmp(state, "28P01") == 0)
        refuse(ret, CTN_E_DENIED, "PostgreSQL at %s refuses the password of \"%s\"; " PASSWORD_REMEDY, at, user);
    else if (strncmp(state, "28", 2) == 0)
        refuse(ret, CTN_E_DENIED,
               "PostgreSQL at %s does not let \"%s\" in: %.*s; its pg_hba.conf says who may come from where, and "
               "`createuser` makes a role",
               at, user, CTN_STR_ARG(words));
    else if (strcmp(state, "3D000") == 0)
        refuse(ret, CTN_E_NOT_FOUND, "PostgreSQL at %s has no database \"%s\"; `createdb %s` makes it", at, database,
               database);
    else if (strcmp(state, "42501") == 0)
        refuse(
            ret, CTN_E_DENIED,
            "\"%s\" may not connect to the database \"%s\" at %s; GRANT CONNECT, CREATE ON DATABASE %s TO %s lets it",
            user, database, at, database, user);
    else if (strcmp(state, "53300") == 0)
        refuse(ret, CTN_E_BUSY,
               "PostgreSQL at %s has no connection left; each process of catena needs a few: raise max_connections, or "
               "put a pooler in between (?pooler=transaction)",
               at);
    else if (strcmp(state, "57P03") == 0)
        refuse(ret, CTN_E_BUSY, "PostgreSQL at %s takes no connections now: %.*s; it is tried again", at,
               CTN_STR_ARG(words));
    else
        refuse(ret, CTN_E_BUSY, "PostgreSQL at %s takes no connection: %.*s (SQLSTATE %s)", at, CTN_STR_ARG(words),
               state);
}

static bool says(ctn_str words, const char *what)
{
    return ctn_str_find(words, ctn_str_from(what)) != SIZE_MAX;
}

static void refused_by_libpq(ctn_str words, const char *at, const char *user, pg_refusal *ret)
{
    if (says(words, "no password supplied"))
        refuse(ret, CTN_E_DENIED,
               "PostgreSQL at %s asks for the password of \"%s\", and none was given; " PASSWORD_REMEDY, at, user);
    else if (says(words, "session is read-only") || says(words, "server is in hot standby mode")) {
        refuse(
            ret, CTN_E_DENIED,
            "PostgreSQL at %s takes no writes (a standby, or default_transaction_read_only is on): name the primary, "
            "or all hosts: postgres://HOST1,HOST2/DATABASE",
            at);
        ret->is_standby = true;
    } else if (says(words, "could not translate host name"))
        refuse(ret, CTN_E_BUSY, "the host of the store is not known (%.*s); is its name right?", CTN_STR_ARG(words));
    else if (says(words, "SSL") || says(words, "certificate") || says(words, "GSSAPI"))
        refuse(ret, CTN_E_DENIED,
               "PostgreSQL at %s and this side do not agree on encryption: %.*s; see sslmode= and sslrootcert=", at,
               CTN_STR_ARG(words));
    else if (says(words, "service") || says(words, "invalid"))
        refuse(ret, CTN_E_INVALID, "the store cannot be connected to: %.*s", CTN_STR_ARG(words));
    else
        refuse(ret, CTN_E_BUSY, "PostgreSQL at %s cannot be reached: %.*s; is it running, and are host and port right?",
               at, CTN_STR_ARG(words));
}

void ctn_pg_refused(const char *said, const char *host, const char *port, const char *user, const char *database,
                    pg_refusal *ret)
{
    char at[300], state[6];
    const char *text = NULL;
    *ret = (pg_refusal){0};
    if (host[0] == '/')
        snprintf(at, sizeof at, "%s/.s.PGSQL.%s", host, port);
    else
        snprintf(at, sizeof at, "%s:%s", host, port);
    if (find_sqlstate(said, state, &text)) {
        ctn_str rest = ctn_str_from(text);
        refused_by_state(state, ctn_str_trim(ctn_str_cut(&rest, '\n')), at, user, database, ret);
    } else {
        refused_by_libpq(own_words(said), at, user, ret);
    }
}

/* ---- statements ---- */

/* Prefixes of SQLSTATE, the longer before the shorter. %W: where. */
static const struct {
    const char *state;
    int rc;
    const char *remedy; /* behind what the server said; NULL: none */
} REFUSALS[] = {
    {"53100", CTN_E_IO, "its disk is full: make room there; what was being written is not there"},
    {"53300", CTN_E_BUSY, "raise max_connections, or put a pooler in between (?pooler=transaction)"},
    {"53", CTN_E_BUSY, "it is tried again"},
    {"57014", CTN_E_BUSY, "nothing was written"},
    {"57", CTN_E_BUSY, "nothing was written; it is tried again"},
    {"08", CTN_E_BUSY, "nothing was written; it is tried again"},
    {"25006", CTN_E_DENIED, "the server takes no writes: name the primary, or all hosts (HOST1,HOST2)"},
    {"25P03", CTN_E_BUSY, "nothing was written"},
    {"40003", CTN_E_IO, NULL},
    {"40", CTN_E_BUSY, "nothing was written; it is tried again"},
    {"55P03", CTN_E_BUSY, "nothing was written; it is tried again"},
    {"42501", CTN_E_DENIED, "the role needs all rights in the store's schema, and CREATE on the database to make it"},
    {"42P01", CTN_E_CORRUPT, "a table of the store is not there: is this a catena store?"},
    {"42703", CTN_E_CORRUPT, "a column of the store is not there: is this a catena store?"},
    {"3F000", CTN_E_CORRUPT, "the store's schema is not there"},
    {"0A000", CTN_E_UNSUPPORTED, NULL},
    {"22021", CTN_E_INVALID, "a text of the store is UTF-8 without the character 0"},
    {"22P05", CTN_E_INVALID, "the database must have the encoding UTF8"},
    {"XX", CTN_E_CORRUPT, NULL},
};

int ctn_pg_refused_statement(const PGresult *result, const char *where, const char *doing, ctn_err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || !words)
        return ctn_fail(err, CTN_E_IO, "%s: %s answered something else than was asked", doing, where);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++)
        if (strncmp(state, REFUSALS[i].state, strlen(REFUSALS[i].state)) == 0)
            return ctn_fail(err, REFUSALS[i].rc, "%s: %s says \"%s\"%s%s", doing, where, words,
                            REFUSALS[i].remedy ? "; " : "", REFUSALS[i].remedy ? REFUSALS[i].remedy : "");
    return ctn_fail(err, CTN_E_IO, "%s: %s says \"%s\" (SQLSTATE %s)", doing, where, words, state);
}
