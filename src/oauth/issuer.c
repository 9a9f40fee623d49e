/*
 * issuer.c -- see issuer.h.
 *
 * The order of the judgement: is it a token at all, by whom, is there a key of that issuer that fits, does the
 * signature fit, and only then what the token says of time and audience. Nothing that it says before, but whose keys
 * and which of them to take, is used.
 */
#include "oauth/issuer.h"
#include <stdlib.h>
#include "base/memory.h"
#include "oauth/fetch.h"
#include "oauth/verify.h"

#define FRESH_MS   (INT64_C(10) * 60 * 1000)
#define GOOD_MS    (INT64_C(24) * 3600 * 1000)
#define REFETCH_MS 10000
#define TRIED_MAX  8 /* keys, for a token that does not say which */

typedef struct known {
    const ctn_issuer *of;
    ctn_issuers *all;
    ctn_http_policy policy;
    ctn_fetch *fetch;  /* NULL: none is under way */
    ctn_arena *asking; /* of what is being fetched */
    ctn_arena *arena;  /* of the keys */
    ctn_jwk *keys;
    size_t key_count;
    bool has_keys;
    int64_t fetched_at_ms, asked_at_ms;
} known;

struct ctn_issuers {
    ctn_issuers_options of;
    ctn_http *http;
    known *known;
};

/* ---- fetching ---- */

static void failed(known *k, const char *why)
{
    char issuer[200];
    (void) snprintf(issuer, sizeof issuer, "%.*s", CTN_STR_ARG(k->of->issuer));
    ctn_log_line(k->all->of.log, CTN_LOG_WARN, "the keys of an issuer cannot be had", "issuer", issuer, "why", why,
                 NULL);
}

static void on_keys(void *ctx, const ctn_fetch_answer *a)
{
    known *k = ctx;
    ctn_err err = {0};
    k->fetch = NULL;
    if (a->code || a->status != 200 || !a->document) {
        failed(k, a->code ? a->why : "what is at its jwks_uri is no answer with a JSON object");
        return;
    }
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_jwk *keys = CTN_NEW_ARRAY(arena, ctn_jwk, CTN_JWT_KEYS_MAX);
    size_t count = 0;
    if (ctn_jwks_read(arena, ctn_json_copy(arena, a->document), keys, &count, &err)) {
        ctn_arena_free(arena);
        failed(k, err.message);
        return;
    }
    ctn_arena_free(k->arena);
    k->arena = arena;
    k->keys = keys;
    k->key_count = count;
    k->has_keys = true;
    k->fetched_at_ms = ctn_clock_now_ms(&k->all->of.clock);
}

static void on_discovery(void *ctx, const ctn_fetch_answer *a)
{
    known *k = ctx;
    const ctn_json *issuer = ctn_json_member_of(a->document, "issuer"),
                   *at = ctn_json_member_of(a->document, "jwks_uri");
    k->fetch = NULL;
    if (a->code || a->status != 200 || !a->document)
        failed(k, a->code ? a->why : "its openid-configuration is no answer with a JSON object");
    else if (!ctn_json_is(issuer, CTN_JSON_STRING) || !ctn_str_equal(ctn_json_text(issuer), k->of->issuer))
        failed(k, "its openid-configuration names another issuer");
    else if (!ctn_json_is(at, CTN_JSON_STRING))
        failed(k, "its openid-configuration has no jwks_uri");
    else {
        ctn_fetch_request request = {.url = ctn_arena_str(k->asking, ctn_json_text(at)), .policy = &k->policy};
        k->fetch = ctn_fetch_new(k->all->http, &request, on_keys, k);
    }
}

static void ask(known *k)
{
    if (k->fetch)
        return;
    ctn_str issuer = k->of->issuer;
    while (ctn_str_ends_with(issuer, CTN_STR("/")))
        issuer.len--;
    ctn_arena_reset(k->asking);
    ctn_fetch_request request = {
        .url = ctn_arena_printf(k->asking, "%.*s/.well-known/openid-configuration", CTN_STR_ARG(issuer)),
        .policy = &k->policy};
    k->asked_at_ms = ctn_clock_now_ms(&k->all->of.clock);
    k->fetch = ctn_fetch_new(k->all->http, &request, on_discovery, k);
}

/* ---- life ---- */

ctn_issuers *ctn_issuers_new(const ctn_issuers_options *options)
{
    ctn_issuers *all = ctn_malloc(sizeof *all);
    ctn_http_options http = {.loop = options->loop, .connections_max = 8};
    *all = (ctn_issuers){.of = *options, .http = ctn_http_new(&http)};
    if (!all->of.refetch_ms)
        all->of.refetch_ms = REFETCH_MS;
    all->known = ctn_calloc(options->count, sizeof *all->known);
    for (size_t i = 0; i < options->count; i++) {
        all->known[i] = (known){
            .of = &options->issuers[i],
            .all = all,
            .policy = {.allows_private = options->issuers[i].allows_private, .ca_file = options->issuers[i].ca_file},
            .asking = ctn_arena_new(512)};
        ask(&all->known[i]);
    }
    return all;
}

void ctn_issuers_free(ctn_issuers *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->of.count; i++) {
        ctn_fetch_cancel(all->known[i].fetch);
        ctn_arena_free(all->known[i].asking);
        ctn_arena_free(all->known[i].arena);
    }
    ctn_http_free(all->http);
    free(all->known);
    free(all);
}

/* ---- judging ---- */

typedef enum found { FOUND_NONE, FOUND_WRONG, FOUND_RIGHT } found;

/* Is there a key that fits, and is it signed by one? */
static found look(const known *k, const ctn_jwt *jwt)
{
    found so_far = FOUND_NONE;
    size_t tried = 0;
    for (size_t i = 0; i < k->key_count && tried < TRIED_MAX; i++) {
        if (!ctn_jwk_fits(&k->keys[i], jwt))
            continue;
        tried++;
        so_far = FOUND_WRONG;
        if (ctn_jwt_is_signed_by(jwt, &k->keys[i]))
            return FOUND_RIGHT;
    }
    return so_far;
}

static ctn_token_verdict judge_by(known *k, const ctn_jwt *jwt, ctn_err *err)
{
    int64_t now_ms = ctn_clock_now_ms(&k->all->of.clock);
    bool may_ask = now_ms - k->asked_at_ms >= k->all->of.refetch_ms || now_ms < k->asked_at_ms;
    bool is_good = k->has_keys && now_ms - k->fetched_at_ms < GOOD_MS;
    if (is_good && now_ms - k->fetched_at_ms >= FRESH_MS && may_ask)
        ask(k);
    if (!is_good) {
        if (may_ask)
            ask(k);
        return CTN_TOKEN_LATER;
    }
    found what = look(k, jwt);
    if (what == FOUND_NONE && (may_ask || k->fetch)) {
        ask(k);
        return CTN_TOKEN_LATER;
    }
    if (what != FOUND_RIGHT) {
        (void) ctn_fail(err, CTN_E_DENIED,
                        what == FOUND_NONE ? "the token is signed by a key that its issuer does not have"
                                           : "the token's signature is wrong");
        return CTN_TOKEN_BAD;
    }
    const ctn_jwt_rules rules = {.issuer = k->of->issuer,
                                 .audience = k->of->audience,
                                 .clients = k->of->clients,
                                 .client_count = k->of->client_count,
                                 .now_ms = now_ms};
    return ctn_jwt_check(jwt, &rules, err) ? CTN_TOKEN_BAD : CTN_TOKEN_GOOD;
}

ctn_token_verdict ctn_issuers_judge(ctn_issuers *all, ctn_arena *arena, ctn_str token, size_t *ret_number,
                                    const ctn_json **ret_claims, ctn_err *err)
{
    ctn_jwt jwt;
    if (ctn_jwt_read(arena, token, &jwt, err))
        return CTN_TOKEN_BAD;
    ctn_str issuer = ctn_jwt_issuer(&jwt);
    for (size_t i = 0; i < all->of.count; i++) {
        if (!ctn_str_equal(issuer, all->known[i].of->issuer))
            continue;
        ctn_token_verdict verdict = judge_by(&all->known[i], &jwt, err);
        if (verdict == CTN_TOKEN_GOOD) {
            *ret_number = i;
            *ret_claims = jwt.claims;
        }
        return verdict;
    }
    (void) ctn_fail(err, CTN_E_DENIED, "the token is of an issuer that is not configured (http: oidc)");
    return CTN_TOKEN_BAD;
}
