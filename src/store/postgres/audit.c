/*
 * audit.c -- the audit log: one chain of hashes a node.
 *
 * What must hold: an entry's hash covers the one before it, so nobody else may append to the same chain meanwhile. The
 * chain's row in audit_chains says where it ends, and is locked until the transaction is through: entries of two
 * handles of one node come one after the other, those of two nodes do not wait for each other. The row also holds how
 * many entries there ever were.
 *
 * A handle of no node (a command beside the fleet) appends to the chain "local".
 */
#include "store/postgres/arrays.h"
#include "store/postgres/chapters.h"

enum { PAGE = 500 };

typedef struct columns {
    pg_array n, at_ms, actor, action, subject, detail, hash;
} columns;

static void columns_begin(columns *c)
{
    ctn_pg_array_begin(&c->n, PG_INT8);
    ctn_pg_array_begin(&c->at_ms, PG_INT8);
    ctn_pg_array_begin(&c->actor, PG_TEXT);
    ctn_pg_array_begin(&c->action, PG_TEXT);
    ctn_pg_array_begin(&c->subject, PG_TEXT);
    ctn_pg_array_begin(&c->detail, PG_TEXT);
    ctn_pg_array_begin(&c->hash, PG_BYTEA);
}

static void columns_add(columns *c, const ctn_audit_entry *entry)
{
    ctn_pg_array_int(&c->n, entry->n);
    ctn_pg_array_int(&c->at_ms, entry->at_ms);
    ctn_pg_array_str(&c->actor, entry->actor);
    ctn_pg_array_str(&c->action, entry->action);
    ctn_pg_array_str(&c->subject, entry->subject);
    ctn_pg_array_str(&c->detail, entry->detail);
    ctn_pg_array_bytes(&c->hash, entry->hash.bytes, sizeof entry->hash.bytes);
}

/* All in one statement, which moves the end of the chain on with them. */
static int columns_insert(columns *c, pg_store *st, ctn_str node, const ctn_audit_entry *last, ctn_err *err)
{
    pg_array *const arrays[] = {&c->n, &c->at_ms, &c->actor, &c->action, &c->subject, &c->detail, &c->hash};
    pg_params p = {0};
    ctn_pg_text(&p, node);
    ctn_pg_int(&p, last->n);
    pg_put_digest(&p, &last->hash);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        ctn_str encoded = ctn_pg_array_encode(arrays[i]);
        if (!encoded.ptr)
            return ctn_fail(err, CTN_E_LIMIT, "more for the audit log at once than PostgreSQL takes");
        ctn_pg_array(&p, ctn_pg_array_type(arrays[i]), encoded);
    }
    return ctn_pg_ask(st->db, "writing the audit log",
                      "WITH entries AS (INSERT INTO audit_log(node, n, at_ms, actor, action, subject, detail, hash)"
                      " SELECT $1, e.* FROM unnest($4::int8[], $5::int8[], $6::text[], $7::text[], $8::text[],"
                      " $9::text[], $10::bytea[]) e) UPDATE audit_chains SET n = $2, hash = $3 WHERE node = $1",
                      &p, NULL, err);
}

static void columns_done(columns *c)
{
    pg_array *const arrays[] = {&c->n, &c->at_ms, &c->actor, &c->action, &c->subject, &c->detail, &c->hash};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        ctn_pg_array_done(arrays[i]);
}

int ctn_pg_audit_append(pg_store *st, const ctn_audit_entry *entries, size_t count, ctn_err *err)
{
    columns c = {0};
    ctn_audit_entry chained = {0};
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, st->incarnation);
    pg_put_digest(&p, &chained.hash); /* zeros, of a chain that begins here */
    int rc = ctn_pg_ask(st->db, "locking a chain of the audit log",
                        "INSERT INTO audit_chains(node, n, hash) SELECT " PG_NODE_NAME(
                            "$1") ", 0, $2"
                                  " ON CONFLICT (node) DO UPDATE SET n = audit_chains.n RETURNING node, n, hash",
                        &p, &r, err);
    ctn_digest previous = {{0}};
    if (rc == CTN_OK && !pg_get_digest(r, 0, 2, &previous))
        rc = ctn_fail(err, CTN_E_CORRUPT, "the store is damaged: its audit log has no proper hash");
    if (rc)
        goto done;
    columns_begin(&c);
    for (size_t i = 0; i < count; i++) {
        chained = entries[i];
        chained.node = ctn_pg_get_str(r, 0, 0);
        chained.n = ctn_pg_get_int(r, 0, 1) + (int64_t) i + 1;
        chained.hash = ctn_audit_hash(&chained, &previous);
        previous = chained.hash;
        columns_add(&c, &chained);
    }
    rc = columns_insert(&c, st, chained.node, &chained, err);
    columns_done(&c);
done:
    PQclear(r);
    return rc;
}

int ctn_pg_audit(ctn_store *base, const ctn_audit_entry *entry, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    return rc ? rc : pg_end(st, ctn_pg_audit_append(st, entry, 1, err), err);
}

/* One page behind (node, n). */
static int read_page(pg_store *st, int64_t after_n, ctn_str node, int64_t n, PGresult **ret_result, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, after_n);
    ctn_pg_text(&p, node);
    ctn_pg_int(&p, n);
    ctn_pg_int(&p, PAGE);
    return ctn_pg_ask(st->db, "reading the audit log",
                      "SELECT node, n, at_ms, actor, action, subject, detail, hash FROM audit_log"
                      " WHERE n > $1 AND (node, n) > ($2, $3) ORDER BY node, n LIMIT $4",
                      &p, ret_result, err);
}

int ctn_pg_audit_list(ctn_store *base, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL, *before = NULL;
    int rc = read_page(st, after_n, CTN_STR(""), 0, &r, err);
    bool goes_on = true;
    while (rc == CTN_OK && goes_on && PQntuples(r) > 0) {
        ctn_audit_entry entry = {0};
        for (int i = 0; goes_on && i < PQntuples(r); i++) {
            entry = (ctn_audit_entry){
                .node = ctn_pg_get_str(r, i, 0),
                .n = ctn_pg_get_int(r, i, 1),
                .at_ms = ctn_pg_get_int(r, i, 2),
                .actor = ctn_pg_get_str(r, i, 3),
                .action = ctn_pg_get_str(r, i, 4),
                .subject = ctn_pg_get_str(r, i, 5),
                .detail = ctn_pg_get_str(r, i, 6),
            };
            (void) pg_get_digest(r, i, 7, &entry.hash); /* else zeros, which fit nothing */
            goes_on = fn(ctx, &entry) == 0;
        }
        if (!goes_on || PQntuples(r) < PAGE)
            break;
        before = r; /* holds the name to go on behind */
        r = NULL;
        rc = read_page(st, after_n, entry.node, entry.n, &r, err);
        PQclear(before);
    }
    PQclear(r);
    return rc;
}

int ctn_pg_audit_count(ctn_store *base, int64_t *ret_count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "counting the audit log", "SELECT coalesce(sum(n), 0)::bigint FROM audit_chains", NULL,
                        &r, err);
    if (rc == CTN_OK)
        *ret_count = ctn_pg_get_int(r, 0, 0);
    PQclear(r);
    return rc;
}
