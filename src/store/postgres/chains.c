/*
 * chains.c -- definitions by content, chains by id and version.
 *
 * Both are put with every start and are mostly there already, so that is looked at first, with one question for all
 * definitions. Neither needs a lock or a transaction: definitions are never changed nor removed, and of two nodes that
 * number a new version at once one finds its number taken, and looks again.
 */
#include "store/postgres/chapters.h"
#include <stdlib.h>

#define CHAIN "SELECT chain_id, version, digest, created_at_ms, created_by FROM chains"

enum { NUMBERING_TRIES = 100 };

/* How many of these are there? Digests are of one length, so a string of them is a list. */
static int are_there(pg_store *st, const ctn_definition *definitions, size_t count, bool *ret_all, ctn_err *err)
{
    unsigned char *digests = ctn_malloc(count * CTN_DIGEST_BYTES);
    PGresult *r = NULL;
    pg_params p = {0};
    for (size_t i = 0; i < count; i++)
        memcpy(digests + i * CTN_DIGEST_BYTES, definitions[i].digest.bytes, CTN_DIGEST_BYTES);
    ctn_pg_bytes(&p, digests, count * CTN_DIGEST_BYTES);
    int rc = ctn_pg_ask(st->db, "looking for definitions",
                        "SELECT count(*) FROM generate_series(1, length($1), 32) i"
                        " WHERE NOT EXISTS (SELECT 1 FROM definitions WHERE digest = substring($1 FROM i FOR 32))",
                        &p, &r, err);
    if (rc == CTN_OK)
        *ret_all = ctn_pg_get_int(r, 0, 0) == 0;
    PQclear(r);
    ctn_free(digests);
    return rc;
}

int ctn_pg_definition_put(ctn_store *base, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    bool is_all = count == 0;
    int rc = is_all ? CTN_OK : are_there(st, definitions, count, &is_all, err);
    if (rc || is_all)
        return rc;
    rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        pg_params p = {0};
        pg_put_digest(&p, &definitions[i].digest);
        ctn_pg_text(&p, definitions[i].kind);
        ctn_pg_text(&p, definitions[i].name);
        ctn_pg_text(&p, definitions[i].body);
        rc = ctn_pg_ask(st->db, "storing a definition",
                        "INSERT INTO definitions(digest, kind, name, body) VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING",
                        &p, NULL, err);
    }
    return pg_end(st, rc, err);
}

int ctn_pg_definition_get(ctn_store *base, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                          ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    pg_put_digest(&p, digest);
    int rc = ctn_pg_ask(st->db, "reading a definition", "SELECT kind, name, body FROM definitions WHERE digest = $1",
                        &p, &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK)
        *ret = (ctn_definition){
            .digest = *digest,
            .kind = ctn_arena_str(arena, ctn_pg_get_str(r, 0, 0)),
            .name = ctn_arena_str(arena, ctn_pg_get_str(r, 0, 1)),
            .body = ctn_arena_str(arena, ctn_pg_get_str(r, 0, 2)),
        };
    PQclear(r);
    return rc;
}

/* Borrows from the result of CHAIN. */
static int read_chain(const PGresult *r, int row, ctn_chain_row *ret, ctn_err *err)
{
    *ret = (ctn_chain_row){
        .chain_id = ctn_pg_get_str(r, row, 0),
        .version = ctn_pg_get_int(r, row, 1),
        .created_at_ms = ctn_pg_get_int(r, row, 3),
        .created_by = ctn_pg_get_str(r, row, 4),
    };
    if (pg_get_digest(r, row, 2, &ret->digest))
        return CTN_OK;
    return ctn_fail(err, CTN_E_CORRUPT, "the store is damaged: chain %.*s has no proper digest",
                    CTN_STR_ARG(ret->chain_id));
}

/* The version the row is stored under already, or 0; then *ret_next is the number after the highest. */
static int find_version(pg_store *st, const ctn_chain_row *row, int64_t *ret_version, int64_t *ret_next,
                        bool *ret_has_definition, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, row->chain_id);
    pg_put_digest(&p, &row->digest);
    ctn_pg_int(&p, row->version);
    int rc = ctn_pg_ask(st->db, "looking for a chain",
                        "SELECT coalesce((SELECT max(version) FROM chains WHERE chain_id = $1 AND digest = $2"
                        "   AND ($3 = 0 OR version = $3)), 0),"
                        " coalesce((SELECT max(version) FROM chains WHERE chain_id = $1), 0) + 1,"
                        " EXISTS (SELECT 1 FROM chains WHERE chain_id = $1 AND version = $3),"
                        " EXISTS (SELECT 1 FROM definitions WHERE digest = $2)",
                        &p, &r, err);
    if (rc == CTN_OK) {
        *ret_version = ctn_pg_get_int(r, 0, 0);
        *ret_next = row->version ? row->version : ctn_pg_get_int(r, 0, 1);
        *ret_has_definition = ctn_pg_get_bool(r, 0, 3);
        if (*ret_version == 0 && ctn_pg_get_bool(r, 0, 2))
            rc = ctn_store_fail_version(row, err);
    }
    PQclear(r);
    return rc;
}

static int insert_chain(pg_store *st, const ctn_chain_row *row, int64_t version, bool *ret_done, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, row->chain_id);
    ctn_pg_int(&p, version);
    pg_put_digest(&p, &row->digest);
    ctn_pg_int(&p, row->created_at_ms);
    ctn_pg_text_or_null(&p, row->created_by);
    int rc = ctn_pg_ask(st->db, "storing a chain",
                        "INSERT INTO chains(chain_id, version, digest, created_at_ms, created_by)"
                        " VALUES($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING",
                        &p, &r, err);
    if (rc == CTN_OK)
        *ret_done = ctn_pg_changed(r) == 1;
    PQclear(r);
    return rc;
}

int ctn_pg_chain_put(ctn_store *base, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    for (int tries = 0; tries < NUMBERING_TRIES; tries++) {
        int64_t version = 0, next = 0;
        bool has_definition = false, is_done = false;
        int rc = find_version(st, row, &version, &next, &has_definition, err);
        if (rc == CTN_OK && version == 0 && !has_definition)
            rc = ctn_store_fail_definition(row, err);
        if (rc == CTN_OK && version == 0) {
            rc = insert_chain(st, row, next, &is_done, err);
            version = is_done ? next : 0;
        }
        if (rc)
            return rc;
        if (version) {
            *ret_version = version;
            return CTN_OK;
        }
    }
    return ctn_fail(err, CTN_E_BUSY, "others number versions of the chain %.*s all the time; try again",
                    CTN_STR_ARG(row->chain_id));
}

int ctn_pg_chain_get(ctn_store *base, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                     ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    ctn_chain_row row;
    pg_params p = {0};
    ctn_pg_text(&p, chain_id);
    ctn_pg_int(&p, version);
    int rc = ctn_pg_ask(st->db, "reading a chain",
                        CHAIN " WHERE chain_id = $1 AND ($2 = 0 OR version = $2) ORDER BY version DESC LIMIT 1", &p, &r,
                        err);
    if (rc == CTN_OK)
        rc = PQntuples(r) ? read_chain(r, 0, &row, err) : CTN_E_NOT_FOUND;
    if (rc == CTN_OK) {
        row.chain_id = ctn_arena_str(arena, row.chain_id);
        row.created_by = ctn_arena_str(arena, row.created_by);
        *ret = row;
    }
    PQclear(r);
    return rc;
}

static int tell_chains(pg_store *st, const char *doing, const char *sql, const pg_params *p, ctn_chain_fn *fn,
                       void *ctx, ctn_err *err)
{
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, doing, sql, p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_chain_row row;
        rc = read_chain(r, i, &row, err);
        if (rc == CTN_OK && fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_chain_list(ctn_store *base, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return tell_chains((pg_store *) base, "listing chains",
                       "SELECT DISTINCT ON (chain_id) chain_id, version, digest, created_at_ms, created_by FROM chains"
                       " ORDER BY chain_id, version DESC",
                       NULL, fn, ctx, err);
}

int ctn_pg_chain_versions(ctn_store *base, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_text(&p, chain_id);
    return tell_chains((pg_store *) base, "listing versions of a chain",
                       CHAIN " WHERE chain_id = $1 ORDER BY version DESC", &p, fn, ctx, err);
}
