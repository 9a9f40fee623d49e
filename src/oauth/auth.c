/*
 * auth.c -- see auth.h: who asks for a token and who waits for one, and what a refusal means. How one is got: flow.c.
 *
 *   token()    valid: told at once; ended, and it can be renewed: a flow; else none is sent: the server will say
 *              what it wants
 *   refused()  another token came meanwhile: told at once
 *              a static token: read anew; still the same: needs authorization
 *              401: refresh, else the client's credentials anew, else a person, else needs authorization
 *              403 insufficient_scope: more scopes by the same ways; the token has them: needs authorization
 */
#include "oauth/internal.h"
#include "base/memory.h"
#include "base/text.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ASKED_MAX = 3, FRESH_MS = 60000 };

/* ---- life ---- */

static const char *copy(ctn_arena *arena, const char *text)
{
    return text ? ctn_arena_str(arena, ctn_str_from(text)).ptr : NULL;
}

static ctn_auth_source copy_source(ctn_arena *arena, ctn_auth_source source)
{
    return (ctn_auth_source){copy(arena, source.env), copy(arena, source.file)};
}

static ctn_auth_config copy_config(ctn_arena *arena, const ctn_auth_config *c)
{
    ctn_auth_config config = *c;
    config.token = copy_source(arena, c->token);
    config.client_id = copy(arena, c->client_id);
    config.client_secret = copy_source(arena, c->client_secret);
    config.private_key = copy_source(arena, c->private_key);
    config.client_metadata_url = copy(arena, c->client_metadata_url);
    config.scopes = copy(arena, c->scopes);
    config.token_url = copy(arena, c->token_url);
    config.issuer = copy(arena, c->issuer);
    return config;
}

ctn_auth *ctn_auth_new(const ctn_auth_options *options)
{
    ctn_auth *a = ctn_malloc(sizeof *a);
    ctn_arena *arena = ctn_arena_new(1024);
    *a = (ctn_auth){.options = *options, .arena = arena};
    a->options.server = ctn_arena_str(arena, options->server);
    a->options.url = ctn_arena_str(arena, options->url);
    a->vault_name = ctn_arena_printf(arena, "%.*s %.*s", CTN_STR_ARG(options->server), CTN_STR_ARG(options->url));
    if (!a->options.ask_limit_ms)
        a->options.ask_limit_ms = 300000;
    if (options->config)
        a->config = copy_config(arena, options->config);
    if (options->policy)
        a->discovery = *options->policy;
    /* What a server elsewhere names does not lead to this machine; where it may, the operator has said so. */
    a->discovery.denies_loopback = !ctn_url_is_loopback(a->options.url) && !a->discovery.allows_private;
    return a;
}

void ctn_auth_free(ctn_auth *a)
{
    if (!a)
        return;
    ctn_flow_free(a->flow);
    ctn_arena_free(a->kept);
    ctn_arena_free(a->arena);
    free(a->waiters);
    free(a);
}

/* ---- what is kept ---- */

static void keep(ctn_auth *a, const ctn_credential *credential)
{
    ctn_arena *arena = ctn_arena_new(1024);
    a->credential = ctn_credential_copy(arena, credential);
    ctn_arena_free(a->kept);
    a->kept = arena;
    if (a->options.learned && a->credential.access_token.len)
        a->options.learned(a->options.learned_ctx, a->options.server, a->credential.access_token);
}

int ctn_auth_vault_read(ctn_auth *a, ctn_arena *arena, ctn_credential *ret_credential, ctn_err *err)
{
    ctn_str text;
    ctn_credential c;
    if (!a->options.vault)
        return CTN_E_NOT_FOUND;
    int rc = a->options.vault->read(a->options.vault->ctx, a->vault_name, arena, &text, err);
    if (rc == CTN_OK)
        rc = ctn_credential_read(arena, text, &c, err);
    if (rc == CTN_OK && !ctn_str_equal(c.url, a->options.url))
        rc = CTN_E_NOT_FOUND; /* the name leads elsewhere now: what was kept is not for there */
    if (rc == CTN_OK)
        *ret_credential = c;
    return rc;
}

int ctn_auth_vault_write(ctn_auth *a, const ctn_credential *credential, ctn_err *err)
{
    if (!a->options.vault)
        return CTN_OK;
    ctn_arena *arena = ctn_arena_new(1024);
    int rc =
        a->options.vault->write(a->options.vault->ctx, a->vault_name, ctn_credential_write(arena, credential), err);
    ctn_arena_free(arena);
    return rc;
}

/* Takes what the vault has; what it has no more (a logout) is in force no more. */
static void read_vault(ctn_auth *a)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_credential c;
    ctn_err err = {0};
    a->has_read = true;
    int rc = ctn_auth_vault_read(a, arena, &c, &err);
    if (rc == CTN_OK)
        keep(a, &c);
    else if (rc == CTN_E_NOT_FOUND && a->options.vault)
        keep(a, &(ctn_credential){0});
    else if (rc != CTN_E_NOT_FOUND)
        ctn_log_line(a->options.log, CTN_LOG_WARN, err.message, "server", a->options.server.ptr, NULL);
    ctn_arena_free(arena);
}

/* ---- who waits ---- */

static void wait_for_flow(ctn_auth *a, ctn_auth_ready_fn *ready, void *ctx)
{
    if (a->waiter_count == a->waiter_capacity) {
        a->waiter_capacity = a->waiter_capacity ? 2 * a->waiter_capacity : 16;
        a->waiters = ctn_realloc(a->waiters, a->waiter_capacity * sizeof *a->waiters);
    }
    a->waiters[a->waiter_count++] = (waiter){ready, ctx};
}

static void start(ctn_auth *a, const ctn_flow_start *flow, ctn_auth_ready_fn *ready, void *ctx)
{
    wait_for_flow(a, ready, ctx);
    a->flow = ctn_flow_new(a, flow);
}

void ctn_auth_flow_ended(ctn_auth *a, int code, const ctn_credential *credential, const char *why)
{
    ctn_err err = {0};
    if (code)
        (void) ctn_fail(&err, code, "%s", why);
    if (credential) {
        keep(a, credential);
        a->fresh_until_ms = ctn_loop_now_ms(a->options.loop) + FRESH_MS;
    }
    ctn_flow_free(a->flow);
    a->flow = NULL;
    /* Whoever is told may ask anew at once: that makes a list of its own. */
    waiter *list = a->waiters;
    a->told = list;
    a->told_count = a->waiter_count;
    a->waiters = NULL;
    a->waiter_count = a->waiter_capacity = 0;
    ctn_arena *arena = ctn_arena_new(512);
    ctn_str token = ctn_arena_str(arena, a->credential.access_token);
    for (size_t i = 0; i < a->told_count; i++)
        if (list[i].ready)
            list[i].ready(list[i].ctx, code, code ? (ctn_str){0} : token, err.message);
    ctn_arena_free(arena);
    a->told = NULL;
    a->told_count = 0;
    free(list);
}

static void forget_in(waiter *list, size_t count, const void *ctx)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].ctx == ctx)
            list[i].ready = NULL;
}

void ctn_auth_forget(ctn_auth *a, void *ctx)
{
    forget_in(a->waiters, a->waiter_count, ctx);
    forget_in(a->told, a->told_count, ctx);
}

/* ---- asking ---- */

static void deny(ctn_auth_ready_fn *ready, void *ctx, const char *why)
{
    ready(ctx, CTN_E_DENIED, (ctn_str){0}, why);
}

/* Reads the static token; what it was before counts no more. */
static int read_bearer(ctn_auth *a, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    ctn_credential c = {0};
    int rc = ctn_auth_source_read(&a->config.token, arena, &c.access_token, err);
    for (size_t i = 0; rc == CTN_OK && i < c.access_token.len; i++)
        if (c.access_token.ptr[i] <= ' ' || c.access_token.ptr[i] > '~')
            rc = ctn_fail(err, CTN_E_INVALID, "it cannot be a token: it has white space or other characters inside");
    if (rc == CTN_OK)
        keep(a, &c);
    else
        (void) ctn_wrap(err, rc, "needs authorization: the token is not there");
    ctn_arena_free(arena);
    return rc;
}

void ctn_auth_token(ctn_auth *a, ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_err err = {0};
    ctn_flow_start renewal = {.has_challenge = true};
    const ctn_credential *c = &a->credential;
    if (a->flow && !ctn_credential_is_valid(c, ctn_loop_now_ms(a->options.loop))) {
        wait_for_flow(a, ready, ctx);
        return;
    }
    if (a->config.kind == CTN_AUTH_BEARER && !c->access_token.len && read_bearer(a, &err)) {
        deny(ready, ctx, err.message);
        return;
    }
    if (a->config.kind == CTN_AUTH_CODE && !a->has_read)
        read_vault(a);
    bool is_valid = ctn_credential_is_valid(c, ctn_loop_now_ms(a->options.loop));
    if (!is_valid && a->config.kind == CTN_AUTH_CLIENT_CREDENTIALS && (a->config.token_url || c->token_url.len))
        renewal.goal = CTN_FLOW_CLIENT;
    else if (!is_valid && a->config.kind == CTN_AUTH_CODE && c->refresh_token.len)
        renewal.goal = CTN_FLOW_REFRESH;
    else { /* without one, or with one whose time may be over, the server says what it wants */
        ready(ctx, CTN_OK, c->access_token, "");
        return;
    }
    start(a, &renewal, ready, ctx);
}

ctn_str ctn_auth_current(const ctn_auth *a)
{
    return a ? a->credential.access_token : (ctn_str){0};
}

/* ---- what a refusal means ---- */

/* true: each scope of the challenge was given already; asking again would be in vain. */
static bool covers(const ctn_credential *c, ctn_str scopes)
{
    ctn_str have = c->granted.len ? c->granted : c->scopes;
    while (scopes.ptr) {
        ctn_str scope = ctn_str_cut(&scopes, ' ');
        if (scope.len && !ctn_scopes_has(have, scope))
            return false;
    }
    return true;
}

static bool is_fresh(const ctn_auth *a)
{
    int64_t now = ctn_loop_now_ms(a->options.loop), end = a->credential.expires_at_ms;
    return now < a->fresh_until_ms && (end == 0 || now < end);
}

static void refuse_bearer(ctn_auth *a, ctn_str token, int status, ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_err err = {0};
    const ctn_auth_source *s = &a->config.token;
    if (read_bearer(a, &err))
        deny(ready, ctx, err.message);
    else if (!ctn_str_equal(a->credential.access_token, token))
        ready(ctx, CTN_OK, a->credential.access_token, "");
    else {
        (void) ctn_fail(&err, CTN_E_DENIED,
                        "needs authorization: the server refuses the token in %s %s (HTTP %d); put a new one there%s",
                        s->env ? "the variable" : "the file", s->env ? s->env : s->file, status,
                        s->env ? " and start catena anew" : "");
        deny(ready, ctx, err.message);
    }
}

/* The scopes as a person may paste them into a shell behind --scope: a stranger chose them, so what could mean anything
 * there is left out. */
static ctn_str scopes_to_paste(ctn_arena *arena, ctn_str scopes)
{
    ctn_str safe = {0};
    while (scopes.ptr) {
        ctn_str scope = ctn_str_cut(&scopes, ' ');
        bool is_safe = scope.len && scope.len <= 100;
        for (size_t i = 0; is_safe && i < scope.len; i++) {
            char c = scope.ptr[i];
            is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      (c && strchr(i ? ":/._-" : ":/._", c));
        }
        if (is_safe)
            safe = ctn_scopes_union(arena, safe, scope);
    }
    return safe;
}

/* The command that gives what is missing. */
static void deny_login(const ctn_auth *a, const char *reason, ctn_str scopes, ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(512);
    ctn_str wanted = scopes_to_paste(arena, scopes);
    (void) ctn_fail(&err, CTN_E_DENIED, "needs authorization: the server %s; run: catena tools login %.*s%s%.*s%s",
                    reason, CTN_STR_ARG(a->options.server), wanted.len ? " --scope \"" : "", CTN_STR_ARG(wanted),
                    wanted.len ? "\"" : "");
    deny(ready, ctx, err.message);
    ctn_arena_free(arena);
}

static void refuse_unconfigured(const ctn_auth *a, int status, ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_err err = {0};
    (void) ctn_fail(
        &err, CTN_E_DENIED,
        "needs authorization: the server answers HTTP %d; give it `auth` in catena.yaml: {type: oauth} and then "
        "catena tools login %.*s, or {type: bearer, token: {env: NAME}}",
        status, CTN_STR_ARG(a->options.server));
    deny(ready, ctx, err.message);
}

static void refuse_code(ctn_auth *a, ctn_str token, bool is_scope, const ctn_challenge *challenge,
                        ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_flow_start flow = {.goal = CTN_FLOW_ASK, .has_challenge = true, .challenge = *challenge};
    const ctn_credential *c = &a->credential;
    if (is_scope) {
        if (token.len && covers(c, challenge->scope)) {
            deny_login(a, "refuses a token that has the scopes it asks for", (ctn_str){0}, ready, ctx);
            return;
        }
        flow.scopes = challenge->scope;
    } else if (token.len && c->refresh_token.len && !is_fresh(a))
        flow.goal = CTN_FLOW_REFRESH;
    if (!is_fresh(a))
        a->asked = 0;
    if (flow.goal == CTN_FLOW_ASK && !a->options.ask)
        deny_login(a,
                   is_scope    ? "wants more scopes"
                   : token.len ? "refuses the token"
                               : "wants a token",
                   flow.scopes, ready, ctx);
    else if (flow.goal == CTN_FLOW_ASK && a->asked++ >= ASKED_MAX)
        deny_login(a, "refuses each token that it was given", (ctn_str){0}, ready, ctx);
    else
        start(a, &flow, ready, ctx);
}

static void refuse_client(ctn_auth *a, ctn_str token, bool is_scope, const ctn_challenge *challenge,
                          ctn_auth_ready_fn *ready, void *ctx)
{
    ctn_flow_start flow = {.goal = CTN_FLOW_CLIENT, .has_challenge = true, .challenge = *challenge};
    ctn_err err = {0};
    bool is_in_vain = is_scope ? covers(&a->credential, challenge->scope) : is_fresh(a);
    if (token.len && is_in_vain) {
        (void) ctn_fail(
            &err, CTN_E_DENIED,
            "needs authorization: the server refuses the token that its client credentials give%s; ask whoever "
            "registered the client",
            is_scope ? ", which has the scopes it asks for" : "");
        deny(ready, ctx, err.message);
        return;
    }
    if (is_scope)
        flow.scopes = challenge->scope;
    start(a, &flow, ready, ctx);
}

void ctn_auth_refused(ctn_auth *a, ctn_str token, int status, const ctn_str *challenges, size_t challenge_count,
                      ctn_auth_ready_fn *ready, void *ctx)
{
    assert(status == 401 || status == 403);
    ctn_challenge challenge = {0};
    ctn_arena *arena = ctn_arena_new(512);
    bool has_challenge = false;
    for (size_t i = 0; i < challenge_count && !has_challenge; i++)
        has_challenge = ctn_challenge_read(arena, challenges[i], &challenge);
    if (challenge.resource_metadata.len) /* remembered: a token that ends is renewed without being refused first */
        (void) snprintf(a->metadata_url, sizeof a->metadata_url, "%.*s", CTN_STR_ARG(challenge.resource_metadata));
    bool is_scope = status == 403 && ctn_str_is(challenge.error, "insufficient_scope");
    ctn_auth_kind kind = a->config.kind;
    if (a->flow)
        wait_for_flow(a, ready, ctx);
    else if (kind == CTN_AUTH_NONE || (status == 403 && !is_scope)) {
        if (kind == CTN_AUTH_NONE || !token.len)
            refuse_unconfigured(a, status, ready, ctx);
        else {
            ctn_err err = {0};
            (void) ctn_fail(&err, CTN_E_DENIED, "the server knows the token and forbids this (HTTP 403)");
            deny(ready, ctx, err.message);
        }
    } else if (kind == CTN_AUTH_BEARER)
        refuse_bearer(a, token, status, ready, ctx);
    else {
        if (kind == CTN_AUTH_CODE) /* another process may have renewed it, or a person given leave */
            read_vault(a);
        ctn_str now = a->credential.access_token;
        if (now.len && !ctn_str_equal(now, token))
            ready(ctx, CTN_OK, now, "");
        else if (kind == CTN_AUTH_CODE)
            refuse_code(a, token, is_scope, &challenge, ready, ctx);
        else
            refuse_client(a, token, is_scope, &challenge, ready, ctx);
    }
    ctn_arena_free(arena);
}

void ctn_auth_login(ctn_auth *a, ctn_str scopes, ctn_auth_ready_fn *ready, void *ctx)
{
    assert(a->options.ask && !a->flow);
    ctn_flow_start flow = {.goal = CTN_FLOW_ASK, .scopes = scopes};
    if (!a->has_read)
        read_vault(a);
    start(a, &flow, ready, ctx);
}
