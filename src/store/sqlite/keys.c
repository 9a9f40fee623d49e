/*
 * keys.c -- wrapped data keys.
 *
 * What must hold: after a shred, the bytes of the key are nowhere in the files. So its cell is overwritten in place
 * with as many zeros before it is deleted (with secure_delete, which also blanks what deletion frees), and then the
 * whole log goes back into the file and is cut to nothing: a log that keeps old frames would keep the key. What SQLite
 * keeps to take a large statement back stays in memory: beside the file it would be written to a folder for temporary
 * files, which knows nothing of us (and which a command that is kept in may not open). The boxes go
 * as well, after the key: what is left of them says that they were shredded; backups have them still, without a key.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

int ctn_sqlite_data_key_append(sqlite_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DATA_KEY_PUT, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    sqlite_bind_str_or_empty(stmt, 2, key->master_id);
    sqlite_bind_blob(stmt, 3, key->wrapped);
    return ctn_sqlite_run_bound(st, SQL_DATA_KEY_PUT, stmt, "storing a data key", err);
}

int ctn_sqlite_data_key_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DATA_KEY_GET, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    if (ctn_sqlite_next(st, stmt, "reading a data key", &rc, err)) {
        ctn_data_key key = {.master_id = sqlite_column_str(stmt, 0), .wrapped = sqlite_column_blob(stmt, 1)};
        if (ctn_sqlite_is_whole(st, &rc, err))
            *ret = (ctn_data_key){ctn_arena_str(arena, key.master_id), ctn_arena_str(arena, key.wrapped)};
    } else if (rc == CTN_OK) {
        rc = CTN_E_NOT_FOUND;
    }
    ctn_sqlite_release(st, SQL_DATA_KEY_GET, stmt);
    return rc;
}

int ctn_sqlite_data_key_put(ctn_store *base, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    ctn_arena *arena = ctn_arena_new(256);
    ctn_data_key there;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        goto done;
    rc = ctn_sqlite_data_key_get(base, arena, exec_no, &there, err);
    if (rc == CTN_E_NOT_FOUND)
        rc = ctn_sqlite_data_key_append(st, exec_no, key, err);
    else if (rc == CTN_OK)
        rc = CTN_E_EXISTS;
    rc = ctn_sqlite_end(st, rc, err);
done:
    ctn_arena_free(arena);
    return rc;
}

int ctn_sqlite_data_key_list(ctn_store *base, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                             ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DATA_KEY_LIST, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, after_exec_no);
    sqlite_bind_str_or_empty(stmt, 2, but_master_id);
    sqlite_bind_limit(stmt, 3, limit);
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading data keys", &rc, err)) {
        ctn_data_key key = {.master_id = sqlite_column_str(stmt, 1), .wrapped = sqlite_column_blob(stmt, 2)};
        if (ctn_sqlite_is_whole(st, &rc, err))
            rc = fn(ctx, sqlite3_column_int64(stmt, 0), &key);
    }
    ctn_sqlite_release(st, SQL_DATA_KEY_LIST, stmt);
    return rc;
}

int ctn_sqlite_data_key_swap(ctn_store *base, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        sqlite3_stmt *stmt = NULL;
        rc = ctn_sqlite_take(st, SQL_DATA_KEY_SWAP, &stmt, err);
        if (rc)
            break;
        sqlite3_bind_int64(stmt, 1, swaps[i].exec_no);
        sqlite_bind_str_or_empty(stmt, 2, swaps[i].key.master_id);
        sqlite_bind_blob(stmt, 3, swaps[i].key.wrapped);
        sqlite_bind_blob(stmt, 4, swaps[i].wrapped_before);
        rc = ctn_sqlite_run_bound(st, SQL_DATA_KEY_SWAP, stmt, "wrapping a data key anew", err);
    }
    return ctn_sqlite_end(st, rc, err);
}

static int on_one(sqlite_store *st, sqlite_sql which, int64_t exec_no, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    return ctn_sqlite_run_bound(st, which, stmt, "shredding a data key", err);
}

int ctn_sqlite_data_key_shred(ctn_store *base, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    static const sqlite_sql passes[] = {SQL_DATA_KEY_BLANK, SQL_DATA_KEY_DELETE, SQL_BOXES_DELETE};
    if (sqlite3_exec(st->db, "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY", NULL, NULL, NULL) != SQLITE_OK)
        return ctn_sqlite_fail(st->db, st->path, sqlite3_errcode(st->db), "preparing to shred", err);
    int rc = CTN_OK;
    for (size_t pass = 0; rc == CTN_OK && pass < sizeof passes / sizeof passes[0]; pass++) {
        rc = ctn_sqlite_begin(st, err);
        if (rc)
            break;
        for (size_t i = 0; rc == CTN_OK && i < count; i++)
            rc = on_one(st, passes[pass], exec_nos[i], err);
        rc = ctn_sqlite_end(st, rc, err);
    }
    if (rc)
        return rc;
    int left = 0, moved = 0;
    int checkpoint = sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, &moved);
    return checkpoint == SQLITE_OK ? CTN_OK : ctn_sqlite_fail(st->db, st->path, checkpoint, "emptying the log", err);
}
