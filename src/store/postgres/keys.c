/*
 * keys.c -- wrapped data keys.
 *
 * A key lies in the shard of its execution; number 0, the store's own, in shard 0.
 *
 * What a shred can promise here is less than in a file of our own: the key is gone for everybody who asks the database
 * from the moment it returns, and after it the boxes, of which stays that they were shredded. But PostgreSQL does not
 * overwrite: the old row lies in its page until a vacuum, in the write-ahead log until that is recycled, and on
 * standbys and in archives for as long as those keep it, wrapped by the master key (docs/security.md says so).
 */
#include "store/postgres/chapters.h"

static void put_key(pg_params *p, const pg_store *st, int64_t exec_no, const ctn_data_key *key)
{
    ctn_pg_int(p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(p, exec_no);
    ctn_pg_text(p, key->master_id);
    ctn_pg_bytes(p, key->wrapped.ptr, key->wrapped.len);
}

int ctn_pg_data_key_append(pg_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    pg_params p = {0};
    put_key(&p, st, exec_no, key);
    return ctn_pg_ask(st->db, "storing a data key",
                      "INSERT INTO data_keys(shard, exec_no, master_id, wrapped) VALUES($1,$2,$3,$4)"
                      " ON CONFLICT (shard, exec_no) DO UPDATE SET master_id = excluded.master_id,"
                      " wrapped = excluded.wrapped",
                      &p, NULL, err);
}

int ctn_pg_data_key_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, pg_shard_of_no(st, exec_no));
    ctn_pg_int(&p, exec_no);
    int rc = ctn_pg_ask(st->db, "reading a data key",
                        "SELECT master_id, wrapped FROM data_keys WHERE shard = $1 AND exec_no = $2", &p, &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK)
        *ret = (ctn_data_key){ctn_arena_str(arena, ctn_pg_get_str(r, 0, 0)),
                              ctn_arena_str(arena, ctn_pg_get_str(r, 0, 1))};
    PQclear(r);
    return rc;
}

int ctn_pg_data_key_put(ctn_store *base, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    put_key(&p, st, exec_no, key);
    int rc = ctn_pg_ask(st->db, "storing the store's own key",
                        "INSERT INTO data_keys(shard, exec_no, master_id, wrapped) VALUES($1,$2,$3,$4)"
                        " ON CONFLICT DO NOTHING",
                        &p, &r, err);
    if (rc == CTN_OK && ctn_pg_changed(r) == 0)
        rc = CTN_E_EXISTS;
    PQclear(r);
    return rc;
}

int ctn_pg_data_key_list(ctn_store *base, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                         ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, after_exec_no);
    ctn_pg_text(&p, but_master_id);
    pg_put_limit(&p, limit);
    int rc = ctn_pg_ask(st->db, "reading data keys",
                        "SELECT exec_no, master_id, wrapped FROM data_keys WHERE exec_no > $1 AND master_id <> $2"
                        " ORDER BY exec_no LIMIT $3",
                        &p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_data_key key = {.master_id = ctn_pg_get_str(r, i, 1), .wrapped = ctn_pg_get_str(r, i, 2)};
        rc = fn(ctx, ctn_pg_get_int(r, i, 0), &key);
    }
    PQclear(r);
    return rc;
}

int ctn_pg_data_key_swap(ctn_store *base, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        pg_params p = {0};
        put_key(&p, st, swaps[i].exec_no, &swaps[i].key);
        ctn_pg_bytes(&p, swaps[i].wrapped_before.ptr, swaps[i].wrapped_before.len);
        rc = ctn_pg_ask(st->db, "wrapping a data key anew",
                        "UPDATE data_keys SET master_id = $3, wrapped = $4"
                        " WHERE shard = $1 AND exec_no = $2 AND wrapped = $5",
                        &p, NULL, err);
    }
    return pg_end(st, rc, err);
}

int ctn_pg_data_key_shred(ctn_store *base, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    static const struct {
        const char *doing, *sql;
    } PASSES[] = {
        {"shredding a data key", "DELETE FROM data_keys WHERE shard = $1 AND exec_no = $2"},
        {"shredding boxes", "UPDATE execution_journal SET sealed = coalesce((SELECT json_agg(json_build_object('at',"
                            " box->'at'))::text FROM json_array_elements(sealed::json) box), '[]')"
                            " WHERE shard = $1 AND exec_no = $2 AND sealed IS NOT NULL"},
    };
    pg_store *st = (pg_store *) base;
    int rc = CTN_OK;
    for (size_t pass = 0; rc == CTN_OK && pass < sizeof PASSES / sizeof *PASSES; pass++) {
        rc = ctn_pg_begin(st->db, err);
        if (rc)
            return rc;
        for (size_t i = 0; rc == CTN_OK && i < count; i++) {
            pg_params p = {0};
            ctn_pg_int(&p, pg_shard_of_no(st, exec_nos[i]));
            ctn_pg_int(&p, exec_nos[i]);
            rc = ctn_pg_ask(st->db, PASSES[pass].doing, PASSES[pass].sql, &p, NULL, err);
        }
        rc = pg_end(st, rc, err);
    }
    return rc;
}
