/*
 * access_recognise.c -- from what came with a request to a caller: tokens of the configuration, API keys, and whoever
 * comes with nothing while nothing is asked for.
 *
 * What is wrong with a key or token is told in words that help its holder and no guesser: of a secret that does not
 * fit, nobody learns whether its id is known; that a key was revoked or has expired is told only to who has its secret.
 * Tokens are all compared, so that time does not tell which one was near.
 */
#include <stdlib.h>
#include "base/box.h"
#include "base/memory.h"
#include "host/access_state.h"
#include "host/api_key.h"
#include "host/config_oidc.h"
#include "host/config_where.h"

#define BEARER           CTN_STR("bearer ")
#define TOKENS_AGE_MS    1000
#define USE_NOTED_MS     (INT64_C(3600) * 1000) /* when a key was last used is kept by the hour */
#define CREDENTIAL_BYTES 16384                  /* longer ones are nobody's */

/* ---- life ---- */

static void open_issuers(ctn_access *access)
{
    const ctn_config_http *http = &access->of.config->http;
    if (!access->of.loop || !http->oidc_count)
        return;
    access->issuer_list = ctn_calloc(http->oidc_count, sizeof *access->issuer_list);
    for (size_t i = 0; i < http->oidc_count; i++)
        access->issuer_list[i] = http->oidc[i].at;
    const ctn_issuers_options options = {.loop = access->of.loop,
                                         .clock = access->of.clock,
                                         .log = access->of.log,
                                         .issuers = access->issuer_list,
                                         .count = http->oidc_count};
    access->issuers = ctn_issuers_new(&options);
}

int ctn_access_new(const ctn_access_options *options, ctn_access **ret_access, ctn_err *err)
{
    ctn_access *access = ctn_malloc(sizeof *access);
    *access = (ctn_access){.of = *options, .token_arena = ctn_arena_new(1024)};
    int rc = access_refresh(access, err);
    if (rc) {
        ctn_access_free(access);
        return rc;
    }
    open_issuers(access);
    *ret_access = access;
    return CTN_OK;
}

static void forget_tokens(ctn_access *access)
{
    for (size_t i = 0; access->tokens && i < access->of.config->http.token_count; i++)
        if (access->tokens[i].len)
            explicit_bzero((char *) access->tokens[i].ptr, access->tokens[i].len);
    access->tokens = NULL;
    ctn_arena_reset(access->token_arena);
}

void ctn_access_free(ctn_access *access)
{
    if (!access)
        return;
    ctn_issuers_free(access->issuers);
    free(access->issuer_list);
    forget_tokens(access);
    ctn_arena_free(access->token_arena);
    ctn_arena_free(access->known.arena);
    free(access);
}

/* ---- callers ---- */

static ctn_str keep(ctn_arena *arena, ctn_str text)
{
    return text.len ? ctn_arena_str(arena, text) : (ctn_str){0};
}

/* Roles that come with what proved him, and what the store grants to his name, all in the caller's arena. */
static const ctn_caller *caller_of(const ctn_access *access, ctn_arena *arena, const ctn_knock *knock, ctn_str name,
                                   ctn_str tenant, const ctn_str *roles, size_t role_count)
{
    const access_principal *p = access_principal_of(access, name);
    size_t kept = p ? p->grants.count : 0, count = 0;
    ctn_grant *items = CTN_NEW_ARRAY(arena, ctn_grant, role_count + kept);
    for (size_t i = 0; i < role_count; i++) {
        items[count].is_role = true;
        count += ctn_access_role_from_name(roles[i], &items[count].role);
    }
    for (size_t i = 0; i < kept; i++) {
        ctn_grant *grant = &items[count++];
        *grant = p->items[i];
        grant->chain = keep(arena, grant->chain);
        grant->label = keep(arena, grant->label);
        grant->label_value = keep(arena, grant->label_value);
        grant->set = keep(arena, grant->set);
    }
    ctn_grants *grants = CTN_NEW(arena, ctn_grants);
    *grants = (ctn_grants){items, count};
    ctn_caller *caller = CTN_NEW(arena, ctn_caller);
    *caller = (ctn_caller){.name = ctn_arena_str(arena, name),
                           .tenant = keep(arena, tenant),
                           .via = ctn_str_from(knock->via),
                           .from = keep(arena, knock->from),
                           .grants = grants};
    return caller;
}

/* ---- tokens of the configuration ---- */

static void read_tokens(ctn_access *access)
{
    const ctn_config_http *http = &access->of.config->http;
    int64_t now_ms = access_now_ms(access), age_ms = now_ms - access->tokens_read_at_ms;
    if (access->tokens && age_ms >= 0 && age_ms < TOKENS_AGE_MS)
        return;
    forget_tokens(access);
    access->tokens_read_at_ms = now_ms;
    access->tokens = CTN_NEW_ARRAY(access->token_arena, ctn_str, http->token_count);
    for (size_t i = 0; i < http->token_count; i++)
        if (ctn_config_where_text(&http->tokens[i].where, access->token_arena, &access->tokens[i], NULL))
            access->tokens[i] = (ctn_str){0};
}

void ctn_access_tell_missing(const ctn_access *access)
{
    const ctn_config_http *http = &access->of.config->http;
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < http->token_count; i++) {
        ctn_err err = {0};
        ctn_str text = {0};
        if (ctn_config_where_text(&http->tokens[i].where, arena, &text, &err))
            ctn_log_line(access->of.log, CTN_LOG_WARN,
                         "a token of catena.yaml cannot be had; its holder cannot come in", "token",
                         ctn_arena_str(arena, http->tokens[i].where.name).ptr, "why", err.message, NULL);
        else
            explicit_bzero((char *) text.ptr, text.len);
    }
    ctn_arena_free(arena);
}

static const ctn_config_token *token_that_fits(ctn_access *access, ctn_str said)
{
    const ctn_config_http *http = &access->of.config->http;
    const ctn_config_token *found = NULL;
    read_tokens(access);
    for (size_t i = 0; i < http->token_count; i++)
        if (access->tokens[i].len && ctn_secret_equal(said, access->tokens[i]))
            found = &http->tokens[i];
    return found;
}

/* ---- API keys ---- */

static void note_use(ctn_access *access, access_key *key)
{
    int64_t now_ms = access_now_ms(access);
    ctn_err err = {0};
    if (key->row.used_at_ms && now_ms - key->row.used_at_ms < USE_NOTED_MS)
        return;
    key->row.used_at_ms = now_ms;
    if (ctn_store_api_key_used(access->of.store, key->row.id, now_ms, &err))
        ctn_log_line(access->of.log, CTN_LOG_WARN, "that a key was used could not be noted", "why", err.message, NULL);
}

static int check_key(const ctn_access *access, const access_key *key, ctn_str said, ctn_err *err)
{
    static const ctn_digest NOBODYS = {{0}};
    ctn_digest hash = ctn_api_key_hash(said);
    const ctn_digest *kept = key ? &key->row.hash : &NOBODYS;
    bool fits = ctn_secret_equal((ctn_str){(const char *) hash.bytes, sizeof hash.bytes},
                                 (ctn_str){(const char *) kept->bytes, sizeof kept->bytes});
    if (!key || !fits)
        return ctn_fail(err, CTN_E_DENIED, "the API key is none of ours");
    if (key->row.revoked_at_ms)
        return ctn_fail(err, CTN_E_DENIED, "the API key was revoked");
    if (key->row.expires_at_ms && access_now_ms(access) >= key->row.expires_at_ms)
        return ctn_fail(err, CTN_E_DENIED, "the API key has expired");
    return CTN_OK;
}

static ctn_recognition recognise_key(ctn_access *access, ctn_arena *arena, const ctn_knock *knock, ctn_str said,
                                     ctn_str id, const ctn_caller **ret_caller, ctn_err *err)
{
    access_key *key = access_key_of(access, id);
    if (check_key(access, key, said, err))
        return CTN_UNRECOGNISED;
    const access_principal *p = access_principal_of(access, key->row.principal);
    if (!p || !p->is_kept) {
        (void) ctn_fail(err, CTN_E_DENIED, "the API key is of a principal that is there no more");
        return CTN_UNRECOGNISED;
    }
    note_use(access, key);
    *ret_caller = caller_of(access, arena, knock, p->name, p->tenant, NULL, 0);
    return CTN_RECOGNISED;
}

/* ---- tokens of issuers ---- */

static ctn_recognition recognise_token(ctn_access *access, ctn_arena *arena, const ctn_knock *knock, ctn_str said,
                                       const ctn_caller **ret_caller, ctn_err *err)
{
    size_t number = 0;
    const ctn_json *claims = NULL;
    ctn_oidc_holder holder;
    ctn_token_verdict verdict = ctn_issuers_judge(access->issuers, arena, said, &number, &claims, err);
    if (verdict == CTN_TOKEN_LATER)
        return CTN_RECOGNISED_LATER;
    if (verdict == CTN_TOKEN_BAD ||
        ctn_config_oidc_holder(&access->of.config->http.oidc[number], arena, claims, &holder, err))
        return CTN_UNRECOGNISED;
    *ret_caller = caller_of(access, arena, knock, holder.name, holder.tenant, holder.roles, holder.role_count);
    return CTN_RECOGNISED;
}

/* ---- who knocks ---- */

static bool is_guarded(const ctn_access *access)
{
    const ctn_config_http *http = &access->of.config->http;
    return http->token_count || http->oidc_count || access->known.key_count;
}

static void refresh(ctn_access *access)
{
    ctn_err err = {0};
    if (access_refresh(access, &err))
        ctn_log_line(access->of.log, CTN_LOG_WARN, "principals could not be read again", "why", err.message, NULL);
}

int64_t ctn_access_version(ctn_access *access)
{
    refresh(access);
    return access->known.changes;
}

bool ctn_access_is_guarded(ctn_access *access)
{
    refresh(access);
    return is_guarded(access);
}

static ctn_recognition recognise_anonymous(ctn_access *access, ctn_arena *arena, const ctn_knock *knock,
                                           const ctn_caller **ret_caller, ctn_err *err)
{
    static const ctn_str ROLES[] = {{"operator", 8}, {"author", 6}};
    if (is_guarded(access) || !knock->is_loopback) {
        (void) ctn_fail(err, CTN_E_DENIED, "a bearer token or an API key is needed: Authorization: Bearer ...");
        return CTN_UNRECOGNISED;
    }
    *ret_caller = caller_of(access, arena, knock, CTN_STR("anonymous"), (ctn_str){0}, ROLES, 2);
    return CTN_RECOGNISED;
}

ctn_recognition ctn_access_recognise(ctn_access *access, ctn_arena *arena, const ctn_knock *knock,
                                     const ctn_caller **ret_caller, ctn_err *err)
{
    ctn_str said = ctn_str_trim(knock->authorization), id;
    refresh(access);
    if (!is_guarded(access)) /* a token that nobody asked for */
        return recognise_anonymous(access, arena, knock, ret_caller, err);
    if (said.len <= BEARER.len || said.len > CREDENTIAL_BYTES ||
        !ctn_str_equal_any_case((ctn_str){said.ptr, BEARER.len}, BEARER))
        return recognise_anonymous(access, arena, knock, ret_caller, err);
    said = ctn_str_trim(ctn_str_from_offset(said, BEARER.len));
    const ctn_config_token *token = token_that_fits(access, said);
    if (token) {
        *ret_caller =
            caller_of(access, arena, knock, token->where.name, token->tenant, token->roles, token->role_count);
        return CTN_RECOGNISED;
    }
    if (ctn_api_key_read(said, &id))
        return recognise_key(access, arena, knock, said, id, ret_caller, err);
    if (access->issuers && ctn_jwt_is_one(said))
        return recognise_token(access, arena, knock, said, ret_caller, err);
    (void) ctn_fail(err, CTN_E_DENIED, "the bearer token is none of ours");
    return CTN_UNRECOGNISED;
}

/* ---- calls on somebody's behalf ---- */

int ctn_access_as(ctn_access *access, ctn_arena *arena, ctn_str principal, const char *via, ctn_str from,
                  const ctn_caller **ret_caller, ctn_err *err)
{
    static const ctn_str ROLES[] = {{"operator", 8}};
    const ctn_config_http *http = &access->of.config->http;
    ctn_knock knock = {.from = from, .via = via};
    refresh(access);
    const access_principal *p = access_principal_of(access, principal);
    for (size_t i = 0; i < http->token_count; i++)
        if (ctn_str_equal(http->tokens[i].where.name, principal)) {
            const ctn_config_token *token = &http->tokens[i];
            *ret_caller = caller_of(access, arena, &knock, principal, token->tenant, token->roles, token->role_count);
            return CTN_OK;
        }
    if (p)
        *ret_caller = caller_of(access, arena, &knock, principal, p->tenant, NULL, 0);
    else if (!is_guarded(access))
        *ret_caller = caller_of(access, arena, &knock, principal, (ctn_str){0}, ROLES, 1);
    else
        return ctn_fail(err, CTN_E_NOT_FOUND,
                        "there is no principal %.*s (`catena token create NAME --grant executions.start`)",
                        CTN_STR_ARG(principal));
    return CTN_OK;
}

int ctn_access_may_use(void *ctx, ctn_str principal, ctn_str set, ctn_err *err)
{
    ctn_access *access = ctx;
    ctn_access_object object = {.set = set, .is_shared = true};
    refresh(access);
    const access_principal *p = access_principal_of(access, principal);
    ctn_caller caller = {.name = principal, .via = CTN_STR("engine"), .grants = p ? &p->grants : NULL};
    return ctn_access_demand(access, &caller, CTN_ACTION_SETS_USE, &object, err);
}

int ctn_access_may_run_as(void *ctx, ctn_str principal, ctn_err *err)
{
    ctn_access *access = ctx;
    refresh(access);
    const access_principal *p = access_principal_of(access, principal);
    if (p && p->is_kept && p->is_service)
        return CTN_OK;
    return ctn_fail(
        err, CTN_E_DENIED,
        "runAs: there is no service principal %.*s (`catena token create NAME --service --grant sets.use:SET`)",
        CTN_STR_ARG(principal));
}
