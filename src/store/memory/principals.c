/*
 * principals.c -- principals, grants and API keys, each in a table of its own.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

int ctn_memory_by_grant(const void *row, const void *grant)
{
    const ctn_grant_row *a = row, *b = grant;
    int order = ctn_str_compare(a->principal, b->principal);
    order = order ? order : ctn_str_compare(a->what, b->what);
    order = order ? order : ctn_str_compare(a->chain, b->chain);
    order = order ? order : ctn_str_compare(a->label, b->label);
    return order ? order : ctn_str_compare(a->set, b->set);
}

static void put_row(memory_db *db, const ctn_principal_row *row)
{
    bool is_new;
    ctn_principal_row *kept = ctn_memory_table_put(&db->principals, &row->name, &is_new);
    *kept = *row;
    kept->name = ctn_arena_str(db->arena, row->name);
    kept->tenant = ctn_arena_str(db->arena, row->tenant);
    kept->created_by = ctn_arena_str(db->arena, row->created_by);
}

static void put_grant(memory_db *db, const ctn_grant_row *grant)
{
    bool is_new;
    ctn_grant_row *kept = ctn_memory_table_put(&db->grants, grant, &is_new);
    *kept = *grant;
    kept->principal = ctn_arena_str(db->arena, grant->principal);
    kept->what = ctn_arena_str(db->arena, grant->what);
    kept->chain = ctn_arena_str(db->arena, grant->chain);
    kept->label = ctn_arena_str(db->arena, grant->label);
    kept->set = ctn_arena_str(db->arena, grant->set);
    kept->granted_by = ctn_arena_str(db->arena, grant->granted_by);
}

static void put_key(memory_db *db, const ctn_api_key_row *key)
{
    bool is_new;
    ctn_api_key_row *kept = ctn_memory_table_put(&db->api_keys, &key->id, &is_new);
    *kept = *key;
    kept->id = ctn_arena_str(db->arena, key->id);
    kept->principal = ctn_arena_str(db->arena, key->principal);
    kept->created_by = ctn_arena_str(db->arena, key->created_by);
}

static void principals_changed(memory_db *db)
{
    db->principal_changes++;
    ctn_memory_changed(db);
}

int ctn_memory_principal_put(ctn_store *st, const ctn_principal_put *put, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    int rc = CTN_OK;
    if (put->key && ctn_memory_table_find(&db->api_keys, &put->key->id))
        rc = ctn_fail(err, CTN_E_EXISTS, "there is a key with the id %.*s already", CTN_STR_ARG(put->key->id));
    if (rc == CTN_OK && put->row)
        put_row(db, put->row);
    for (size_t i = 0; rc == CTN_OK && i < put->grant_count; i++)
        put_grant(db, &put->grants[i]);
    if (rc == CTN_OK && put->key)
        put_key(db, put->key);
    if (rc == CTN_OK)
        principals_changed(db);
    memory_unlock(db);
    return rc;
}

int ctn_memory_principal_remove(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    int rc = CTN_OK;
    if (!ctn_memory_table_find(&db->principals, &name)) {
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no principal %.*s", CTN_STR_ARG(name));
        goto done;
    }
    ctn_memory_table_remove(&db->principals, &name);
    for (size_t i = db->grants.count; i > 0; i--) {
        ctn_grant_row grant = ((ctn_grant_row *) db->grants.rows)[i - 1];
        if (ctn_str_equal(grant.principal, name))
            ctn_memory_table_remove(&db->grants, &grant);
    }
    for (size_t i = 0; i < db->api_keys.count; i++) {
        ctn_api_key_row *key = &((ctn_api_key_row *) db->api_keys.rows)[i];
        if (ctn_str_equal(key->principal, name) && !key->revoked_at_ms)
            key->revoked_at_ms = now_ms;
    }
    principals_changed(db);
done:
    memory_unlock(db);
    return rc;
}

int ctn_memory_grant_remove(ctn_store *st, const ctn_grant_row *grant, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    bool is_there = ctn_memory_table_find(&db->grants, grant) != NULL;
    ctn_memory_table_remove(&db->grants, grant);
    if (is_there)
        principals_changed(db);
    memory_unlock(db);
    return is_there ? CTN_OK : ctn_fail(err, CTN_E_NOT_FOUND, "%.*s has no such grant", CTN_STR_ARG(grant->principal));
}

int ctn_memory_api_key_revoke(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    ctn_api_key_row *key = ctn_memory_table_find(&db->api_keys, &id);
    if (key && !key->revoked_at_ms)
        key->revoked_at_ms = now_ms;
    if (key)
        principals_changed(db);
    memory_unlock(db);
    return key ? CTN_OK : ctn_fail(err, CTN_E_NOT_FOUND, "there is no key with the id %.*s", CTN_STR_ARG(id));
}

int ctn_memory_api_key_used(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_api_key_row *key = ctn_memory_table_find(&db->api_keys, &id);
    if (key)
        key->used_at_ms = used_at_ms;
    memory_unlock(db);
    return CTN_OK;
}

/* ---- reading ---- */

static void *copy(ctn_store *st, memory_table *table_of(memory_db *db), size_t *ret_count)
{
    memory_db *db = memory_lock(st);
    void *rows = ctn_memory_table_copy(table_of(db), ret_count);
    memory_unlock(db);
    return rows;
}

static memory_table *principals_of(memory_db *db)
{
    return &db->principals;
}

static memory_table *grants_of(memory_db *db)
{
    return &db->grants;
}

static memory_table *keys_of(memory_db *db)
{
    return &db->api_keys;
}

int ctn_memory_principal_list(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    ctn_principal_row *rows = copy(st, principals_of, &count);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_grant_list(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    ctn_grant_row *rows = copy(st, grants_of, &count);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_api_key_list(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    ctn_api_key_row *rows = copy(st, keys_of, &count);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_principal_changes(ctn_store *st, int64_t *ret_changes, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *ret_changes = db->principal_changes;
    memory_unlock(db);
    return CTN_OK;
}
