/*
 * principals.c -- operations about principals, keys, grants and the audit log.
 */
#include "host/principals.h"
#include "host/told.h"
#include "server/api/execution.h"
#include "store/audit.h"

static ctn_doer doer_of(const ctn_api_call *call)
{
    return (ctn_doer){.store = ctn_host_store(call->host),
                      .config = ctn_host_workspace(call->host)->config,
                      .by = call->caller,
                      .now_ms = ctn_loop_now_ms(ctn_host_loop(call->host))};
}

static void put_text(ctn_json_builder *b, ctn_arena *arena, const char *key, ctn_str text)
{
    if (text.len)
        ctn_json_put_str(b, key, ctn_arena_str(arena, text));
}

static void put_moment(ctn_json_builder *b, const char *key, int64_t at_ms)
{
    if (at_ms)
        ctn_json_put_time(b, key, at_ms);
}

/* ---- lists ---- */

typedef struct listing {
    ctn_api_call *call;
    ctn_json_builder list;
    int64_t now_ms, left;
} listing;

static void answer_list(ctn_api_call *call, listing *l, const char *name, int rc, const ctn_err *err)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    if (rc) {
        ctn_api_fail(call, err);
        return;
    }
    ctn_json_put(&b, ctn_str_from(name), ctn_json_finish(&l->list));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

static listing listing_of(ctn_api_call *call)
{
    return (listing){
        .call = call, .list = ctn_json_array(call->arena), .now_ms = ctn_loop_now_ms(ctn_host_loop(call->host))};
}

static int tell_principal(void *ctx, const ctn_principal_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->call->arena;
    ctn_json_builder b = ctn_json_object(arena);
    put_text(&b, arena, "name", row->name);
    put_text(&b, arena, "tenant", row->tenant);
    ctn_json_put_bool(&b, "service", row->is_service);
    ctn_json_put_time(&b, "createdAt", row->created_at_ms);
    ctn_json_put_str(&b, "createdBy", ctn_arena_str(arena, row->created_by));
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static void list_principals(ctn_api_call *call)
{
    listing l = listing_of(call);
    ctn_err err = {0};
    answer_list(call, &l, "principals", ctn_store_principal_list(ctn_host_store(call->host), tell_principal, &l, &err),
                &err);
}

static int tell_grant(void *ctx, const ctn_grant_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->call->arena;
    ctn_json_builder b = ctn_json_object(arena);
    put_text(&b, arena, "principal", row->principal);
    ctn_json_put_str(&b, "grant",
                     row->set.len ? ctn_arena_printf(arena, "%.*s:%.*s", CTN_STR_ARG(row->what), CTN_STR_ARG(row->set))
                                  : ctn_arena_str(arena, row->what));
    put_text(&b, arena, "chain", row->chain);
    put_text(&b, arena, "label", row->label);
    ctn_json_put_time(&b, "grantedAt", row->granted_at_ms);
    ctn_json_put_str(&b, "grantedBy", ctn_arena_str(arena, row->granted_by));
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static void list_grants(ctn_api_call *call)
{
    listing l = listing_of(call);
    ctn_err err = {0};
    answer_list(call, &l, "grants", ctn_store_grant_list(ctn_host_store(call->host), tell_grant, &l, &err), &err);
}

static int tell_key(void *ctx, const ctn_api_key_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->call->arena;
    ctn_json_builder b = ctn_json_object(arena);
    bool is_expired = row->expires_at_ms && row->expires_at_ms <= l->now_ms;
    put_text(&b, arena, "id", row->id);
    put_text(&b, arena, "principal", row->principal);
    ctn_json_put_str(&b, "state", ctn_str_from(row->revoked_at_ms ? "revoked" : is_expired ? "expired" : "good"));
    ctn_json_put_time(&b, "createdAt", row->created_at_ms);
    ctn_json_put_str(&b, "createdBy", ctn_arena_str(arena, row->created_by));
    put_moment(&b, "expiresAt", row->expires_at_ms);
    put_moment(&b, "usedAt", row->used_at_ms);
    put_moment(&b, "revokedAt", row->revoked_at_ms);
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static void list_keys(ctn_api_call *call)
{
    listing l = listing_of(call);
    ctn_err err = {0};
    answer_list(call, &l, "keys", ctn_store_api_key_list(ctn_host_store(call->host), tell_key, &l, &err), &err);
}

static int tell_entry(void *ctx, const ctn_audit_entry *entry)
{
    listing *l = ctx;
    ctn_arena *arena = l->call->arena;
    const ctn_json *detail = NULL;
    ctn_json_builder b = ctn_json_object(arena), none = ctn_json_object(arena);
    if (l->left-- == 0)
        return 1;
    (void) ctn_json_parse(arena, entry->detail, NULL, &detail, NULL);
    ctn_json_put_int(&b, "n", entry->n);
    ctn_json_put_time(&b, "at", entry->at_ms);
    ctn_json_put_str(&b, "actor", ctn_arena_str(arena, entry->actor));
    ctn_json_put_str(&b, "action", ctn_arena_str(arena, entry->action));
    ctn_json_put_str(&b, "subject", ctn_arena_str(arena, entry->subject));
    ctn_json_put(&b, CTN_STR("detail"), detail ? detail : ctn_json_finish(&none));
    ctn_json_put_str(&b, "hash", ctn_arena_str(arena, ctn_str_from(ctn_digest_to_text(entry->hash).text)));
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static void list_audit(ctn_api_call *call)
{
    listing l = listing_of(call);
    ctn_err err = {0};
    l.left = ctn_json_int_or(call->given, "limit", 50);
    int rc = ctn_store_audit_after(ctn_host_store(call->host), ctn_json_int_or(call->given, "after", 0), tell_entry, &l,
                                   &err);
    answer_list(call, &l, "entries", rc, &err);
}

/* ---- changes ---- */

/* An object with grant, chain and label; false: answered. */
static bool read_grant(ctn_api_call *call, const ctn_json *said, ctn_str pointer, ctn_grant *ret)
{
    ctn_err err = {0};
    if (ctn_grant_parse(ctn_api_text(said, "grant"), ctn_api_text(said, "chain"), ctn_api_text(said, "label"), ret,
                        &err) == CTN_OK)
        return true;
    ctn_api_problem(call, 422, pointer, "%s", err.message);
    return false;
}

static int64_t expiry_of(const ctn_api_call *call, const ctn_json *wish)
{
    int64_t span_ms = 0;
    ctn_str span = ctn_api_text(wish, "expiresIn");
    return span.len && ctn_retention_span(span, &span_ms) ? ctn_loop_now_ms(ctn_host_loop(call->host)) + span_ms : 0;
}

static const ctn_json *told_key(ctn_api_call *call, ctn_api_key *key, int64_t expires_at_ms)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_json_put_str(&b, "id", ctn_arena_str(call->arena, ctn_str_from(key->id)));
    ctn_json_put_str(&b, "key", ctn_arena_str(call->arena, ctn_str_from(key->text)));
    put_moment(&b, "expiresAt", expires_at_ms);
    explicit_bzero(key, sizeof *key);
    return ctn_json_finish(&b);
}

static void create_principal(ctn_api_call *call)
{
    const ctn_json *list = ctn_json_member_of(call->body, "grants"), *key_wish = ctn_json_member_of(call->body, "key");
    ctn_doer doer = doer_of(call);
    ctn_api_key key = {{0}, {0}};
    ctn_err err = {0};
    size_t count = ctn_json_count(list);
    ctn_grant *grants = CTN_NEW_ARRAY(call->arena, ctn_grant, count);
    for (size_t i = 0; i < count; i++)
        if (!read_grant(call, ctn_json_at(list, i), ctn_arena_printf(call->arena, "/grants/%zu", i), &grants[i]))
            return;
    const ctn_principal_wish wish = {.name = ctn_api_text(call->body, "name"),
                                     .tenant = ctn_api_text(call->body, "tenant"),
                                     .is_service = ctn_json_bool_or(call->body, "service", false),
                                     .grants = grants,
                                     .grant_count = count,
                                     .has_key = key_wish != NULL,
                                     .expires_at_ms = expiry_of(call, key_wish)};
    int rc = ctn_principal_make(&doer, &wish, &key, &err);
    if (rc == CTN_E_INVALID)
        ctn_api_problem(call, 422, count ? CTN_STR("/name") : CTN_STR("/grants"), "%s", err.message);
    else if (rc)
        ctn_api_fail(call, &err);
    if (rc)
        return;
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_json_put_str(&b, "name", wish.name);
    if (wish.has_key)
        ctn_json_put(&b, CTN_STR("key"), told_key(call, &key, wish.expires_at_ms));
    ctn_api_answer(call, 201, ctn_json_finish(&b));
}

static void create_key(ctn_api_call *call)
{
    ctn_doer doer = doer_of(call);
    ctn_api_key key = {{0}, {0}};
    ctn_err err = {0};
    int64_t expires_at_ms = expiry_of(call, call->body);
    if (ctn_key_make(&doer, ctn_api_text(call->given, "name"), expires_at_ms, &key, &err))
        ctn_api_fail(call, &err);
    else
        ctn_api_answer(call, 201, told_key(call, &key, expires_at_ms));
}

static void answer_done(ctn_api_call *call, int rc, const ctn_err *err)
{
    if (rc)
        ctn_api_fail(call, err);
    else
        ctn_api_answer(call, 204, NULL);
}

static void remove_principal(ctn_api_call *call)
{
    ctn_doer doer = doer_of(call);
    ctn_err err = {0};
    answer_done(call, ctn_principal_remove(&doer, ctn_api_text(call->given, "name"), &err), &err);
}

static void revoke_key(ctn_api_call *call)
{
    ctn_doer doer = doer_of(call);
    ctn_err err = {0};
    answer_done(call, ctn_key_revoke(&doer, ctn_api_text(call->given, "key"), &err), &err);
}

static void create_grant(ctn_api_call *call)
{
    ctn_doer doer = doer_of(call);
    ctn_grant grant;
    ctn_err err = {0};
    if (read_grant(call, call->body, CTN_STR("/grant"), &grant))
        answer_done(call, ctn_principal_grant(&doer, ctn_api_text(call->body, "principal"), &grant, 1, &err), &err);
}

static void remove_grant(ctn_api_call *call)
{
    ctn_doer doer = doer_of(call);
    ctn_grant grant;
    ctn_err err = {0};
    if (read_grant(call, call->given, CTN_STR("query/grant"), &grant))
        answer_done(call, ctn_principal_ungrant(&doer, ctn_api_text(call->given, "principal"), &grant, 1, &err), &err);
}

const ctn_api_operation ctn_api_principals[] = {
    {"listPrincipals", list_principals},
    {"createPrincipal", create_principal},
    {"removePrincipal", remove_principal},
    {"listKeys", list_keys},
    {"createKey", create_key},
    {"revokeKey", revoke_key},
    {"listGrants", list_grants},
    {"createGrant", create_grant},
    {"removeGrant", remove_grant},
    {"listAudit", list_audit},
    {0},
};
