/*
 * principals.c -- see principals.h.
 */
#include "host/principals.h"

static const ctn_json *told_grants(ctn_arena *arena, const ctn_grant *grants, size_t count)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < count; i++) {
        ctn_str text = ctn_grant_what(arena, &grants[i]);
        if (grants[i].chain.len)
            text = ctn_arena_printf(arena, "%.*s for %.*s", CTN_STR_ARG(text), CTN_STR_ARG(grants[i].chain));
        if (grants[i].label.len)
            text = ctn_arena_printf(arena, "%.*s with %.*s=%.*s", CTN_STR_ARG(text), CTN_STR_ARG(grants[i].label),
                                    CTN_STR_ARG(grants[i].label_value));
        ctn_json_push(&list, ctn_json_string(arena, text));
    }
    return ctn_json_finish(&list);
}

static ctn_grant_row *rows_of(const ctn_doer *doer, ctn_arena *arena, ctn_str name, const ctn_grant *grants,
                              size_t count)
{
    ctn_grant_row *rows = CTN_NEW_ARRAY(arena, ctn_grant_row, count);
    for (size_t i = 0; i < count; i++) {
        ctn_grant bare = grants[i];
        bare.set = (ctn_str){0};
        rows[i] = (ctn_grant_row){.principal = name,
                                  .what = ctn_grant_what(arena, &bare),
                                  .chain = grants[i].chain,
                                  .set = grants[i].set,
                                  .granted_at_ms = doer->now_ms,
                                  .granted_by = doer->by->name};
        if (grants[i].label.len)
            rows[i].label =
                ctn_arena_printf(arena, "%.*s=%.*s", CTN_STR_ARG(grants[i].label), CTN_STR_ARG(grants[i].label_value));
    }
    return rows;
}

static int audit(const ctn_doer *doer, const char *action, ctn_str subject, const ctn_json *detail, ctn_err *err)
{
    return ctn_caller_audit(doer->store, doer->now_ms, doer->by, action, subject, detail, err);
}

/* ---- making ---- */

typedef struct looking {
    ctn_arena *arena;
    ctn_str name;
    bool is_there;
    ctn_principal_row row;
} looking;

static int look(void *ctx, const ctn_principal_row *row)
{
    looking *l = ctx;
    if (!ctn_str_equal(row->name, l->name))
        return 0;
    l->is_there = true;
    l->row = *row;
    l->row.name = l->name;
    l->row.tenant = ctn_arena_str(l->arena, row->tenant);
    l->row.created_by = ctn_arena_str(l->arena, row->created_by);
    return 1;
}

static int check_wish(const ctn_doer *doer, const ctn_principal_wish *wish, const looking *l, ctn_err *err)
{
    if (!ctn_principal_name_is_good(wish->name))
        return ctn_fail(err, CTN_E_INVALID,
                        "\"%.*s\" is no name of a principal: letters, digits, '.', '_' and '-', at most 64",
                        CTN_STR_ARG(wish->name));
    if (ctn_str_is(wish->name, "anonymous") || ctn_str_is(wish->name, "stdio"))
        return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" is who comes without a token: choose another name",
                        CTN_STR_ARG(wish->name));
    for (size_t i = 0; i < doer->config->http.token_count; i++)
        if (ctn_str_equal(doer->config->http.tokens[i].where.name, wish->name))
            return ctn_fail(err, CTN_E_EXISTS, "%.*s holds a token of catena.yaml: choose another name",
                            CTN_STR_ARG(wish->name));
    if (l->is_there && !ctn_str_equal(l->row.tenant, wish->tenant))
        return ctn_fail(err, CTN_E_EXISTS, "%.*s is there already, of %s%.*s: a principal keeps its tenant",
                        CTN_STR_ARG(wish->name), l->row.tenant.len ? "the tenant " : "no tenant",
                        CTN_STR_ARG(l->row.tenant));
    if (!l->is_there && wish->grant_count == 0)
        return ctn_fail(err, CTN_E_INVALID,
                        "say what %.*s may do: a role (viewer, operator, author or admin, by --role) or a grant "
                        "(--grant); over the API both stand in `grants`",
                        CTN_STR_ARG(wish->name));
    return wish->expires_at_ms && wish->expires_at_ms <= doer->now_ms
               ? ctn_fail(err, CTN_E_INVALID, "the key would have expired already")
               : CTN_OK;
}

static int audit_making(const ctn_doer *doer, ctn_arena *arena, const ctn_principal_wish *wish, const ctn_api_key *key,
                        ctn_err *err)
{
    ctn_json_builder detail = ctn_json_object(arena);
    if (wish->has_key)
        ctn_json_put_str(&detail, "key", ctn_str_from(key->id));
    if (wish->expires_at_ms)
        ctn_json_put_int(&detail, "expiresAtMs", wish->expires_at_ms);
    if (wish->tenant.len)
        ctn_json_put_str(&detail, "ofTenant", wish->tenant);
    if (wish->is_service)
        ctn_json_put_bool(&detail, "service", true);
    ctn_json_put(&detail, CTN_STR("grants"), told_grants(arena, wish->grants, wish->grant_count));
    return audit(doer, wish->has_key ? "keys.create" : "principals.create", wish->name, ctn_json_finish(&detail), err);
}

int ctn_principal_make(const ctn_doer *doer, const ctn_principal_wish *wish, ctn_api_key *ret_key, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(2048);
    looking l = {.arena = arena, .name = wish->name};
    ctn_rng rng = ctn_rng_system();
    ctn_api_key key = {0};
    ctn_api_key_row key_row = {0};
    int rc = ctn_store_principal_list(doer->store, look, &l, err);
    if (rc == CTN_OK)
        rc = check_wish(doer, wish, &l, err);
    if (rc)
        goto done;
    if (!l.is_there)
        l.row = (ctn_principal_row){
            .name = wish->name, .tenant = wish->tenant, .created_at_ms = doer->now_ms, .created_by = doer->by->name};
    l.row.is_service = l.row.is_service || wish->is_service;
    if (wish->has_key) {
        key = ctn_api_key_new(&rng);
        key_row = (ctn_api_key_row){.id = ctn_str_from(key.id),
                                    .principal = wish->name,
                                    .hash = ctn_api_key_hash(ctn_str_from(key.text)),
                                    .created_at_ms = doer->now_ms,
                                    .created_by = doer->by->name,
                                    .expires_at_ms = wish->expires_at_ms};
    }
    rc = audit_making(doer, arena, wish, &key, err);
    if (rc)
        goto done;
    const ctn_principal_put put = {.row = &l.row,
                                   .grants = rows_of(doer, arena, wish->name, wish->grants, wish->grant_count),
                                   .grant_count = wish->grant_count,
                                   .key = wish->has_key ? &key_row : NULL};
    rc = ctn_store_principal_put(doer->store, &put, err);
    if (rc == CTN_OK && wish->has_key)
        *ret_key = key;
done:
    explicit_bzero(&key, sizeof key);
    ctn_arena_free(arena);
    return rc;
}

int ctn_key_make(const ctn_doer *doer, ctn_str name, int64_t expires_at_ms, ctn_api_key *ret_key, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    looking l = {.arena = arena, .name = name};
    int rc = ctn_store_principal_list(doer->store, look, &l, err);
    if (rc == CTN_OK && !l.is_there)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no principal %.*s", CTN_STR_ARG(name));
    const ctn_principal_wish wish = {
        .name = name, .tenant = l.row.tenant, .has_key = true, .expires_at_ms = expires_at_ms};
    if (rc == CTN_OK)
        rc = ctn_principal_make(doer, &wish, ret_key, err);
    ctn_arena_free(arena);
    return rc;
}

/* ---- grants ---- */

static int audit_grants(const ctn_doer *doer, const char *action, ctn_arena *arena, ctn_str name,
                        const ctn_grant *grants, size_t count, ctn_err *err)
{
    ctn_json_builder detail = ctn_json_object(arena);
    ctn_json_put(&detail, CTN_STR("grants"), told_grants(arena, grants, count));
    return audit(doer, action, name, ctn_json_finish(&detail), err);
}

int ctn_principal_grant(const ctn_doer *doer, ctn_str name, const ctn_grant *grants, size_t count, ctn_err *err)
{
    if (!name.len || count == 0)
        return ctn_fail(err, CTN_E_INVALID, "say to whom, and what: a role (--role) or a grant (--grant)");
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_principal_put put = {.grants = rows_of(doer, arena, name, grants, count), .grant_count = count};
    int rc = audit_grants(doer, "grants.create", arena, name, grants, count, err);
    if (rc == CTN_OK)
        rc = ctn_store_principal_put(doer->store, &put, err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_principal_ungrant(const ctn_doer *doer, ctn_str name, const ctn_grant *grants, size_t count, ctn_err *err)
{
    if (!name.len || count == 0)
        return ctn_fail(err, CTN_E_INVALID, "say from whom, and a role or a grant");
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_grant_row *rows = rows_of(doer, arena, name, grants, count);
    int rc = audit_grants(doer, "grants.remove", arena, name, grants, count, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = ctn_store_grant_remove(doer->store, &rows[i], err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_principal_remove(const ctn_doer *doer, ctn_str name, ctn_err *err)
{
    int rc = audit(doer, "principals.remove", name, NULL, err);
    return rc ? rc : ctn_store_principal_remove(doer->store, name, doer->now_ms, err);
}

int ctn_key_revoke(const ctn_doer *doer, ctn_str id, ctn_err *err)
{
    int rc = audit(doer, "keys.revoke", id, NULL, err);
    return rc ? rc : ctn_store_api_key_revoke(doer->store, id, doer->now_ms, err);
}
