/*
 * flow.c -- one way to a token, from what is known to what is kept.
 *
 *   REFRESH  lock -> another process was faster: its token
 *                 -> token endpoint -> kept, unlock
 *                 -> refused: ASK if there is a person, else it ends
 *   CLIENT   discovery (or the configured token endpoint) -> token endpoint
 *   ASK      challenge -> discovery -> client (configured, document, as before, registered) -> page -> redirect
 *            -> token endpoint -> lock -> kept, unlock
 *
 * The lock is the vault's, against other processes: a refresh token is good once, so between reading it and keeping
 * what came in its place nobody else may use it. It is polled for, as its holder may take a network's time; the death
 * of the holder gives it back.
 *
 * A flow ends by a task of the loop: whatever callback found the end has returned by then, so all of it can be freed.
 */
#include "base/base64.h"
#include "base/memory.h"
#include "base/text.h"
#include "loop/watch.h"
#include "oauth/discover.h"
#include "oauth/fetch.h"
#include "oauth/internal.h"
#include "oauth/redirect.h"
#include "oauth/sign.h"
#include <stdlib.h>

enum {
    LOCK_POLL_MS = 100,
    LOCK_LIMIT_MS = 60000, /* longer than one exchange with a token endpoint takes */
};

typedef void step_fn(ctn_flow *f);

struct ctn_flow {
    ctn_auth *auth;
    ctn_arena *arena;
    ctn_flow_start start;
    bool is_open;     /* the server answered the probe without a token */
    bool is_refresh;  /* what the token endpoint was asked last */
    ctn_fetch *fetch; /* under way, and so on: NULL: none */
    ctn_discover *discover;
    ctn_redirect *redirect;
    ctn_discovered found;
    ctn_credential credential; /* as it grows */
    ctn_oauth_proof proof;
    ctn_str scopes;
    ctn_str said[5]; /* secrets that were sent in the request under way: no sentence repeats them */
    ctn_timer *timer;
    step_fn *when_locked;
    int64_t lock_due_ms;
    bool has_lock;
    ctn_task end; /* what it ends with */
    bool is_over, is_kept;
    int code;
    ctn_err err;
};

static const ctn_auth_options *options_of(const ctn_flow *f)
{
    return &f->auth->options;
}

/* ---- the end ---- */

static void unlock(ctn_flow *f)
{
    if (f->has_lock)
        options_of(f)->vault->unlock(options_of(f)->vault->ctx, f->auth->vault_name);
    f->has_lock = false;
}

static void on_end(void *ctx)
{
    ctn_flow *f = ctx;
    ctn_auth_flow_ended(f->auth, f->code, f->is_kept ? &f->credential : NULL, f->err.message);
}

/* err NULL: code CTN_OK. Whatever comes after it is not heard. */
static void finish(ctn_flow *f, int code, const ctn_err *err)
{
    if (f->is_over)
        return;
    f->is_over = true;
    f->code = code;
    if (err)
        f->err = *err;
    unlock(f);
    ctn_timer_clear(f->timer);
    f->end = (ctn_task){.run = on_end, .ctx = f};
    ctn_task_file(options_of(f)->loop, &f->end);
}

static void fail(ctn_flow *f, int code, const ctn_err *why)
{
    ctn_err err = *why;
    const ctn_auth_options *o = options_of(f);
    /* Not reached is not refused: it may be tried again as it is. */
    bool is_passing = code == CTN_E_IO || code == CTN_E_TIMEOUT || code == CTN_E_BUSY;
    const char *login =
        f->auth->config.kind == CTN_AUTH_CODE && !o->ask && !is_passing ? "; run: catena tools login " : "";
    (void) ctn_wrap(&err, code, is_passing ? "no token was to be had" : "needs authorization");
    /* The command stands at the end, whatever a stranger made of the beginning. */
    size_t length = strlen(err.message), room = sizeof err.message - strlen(login) - o->server.len - 1;
    if (*login && room < sizeof err.message)
        (void) snprintf(err.message + (length < room ? length : room),
                        sizeof err.message - (length < room ? length : room), "%s%.*s", login, CTN_STR_ARG(o->server));
    finish(f, code == CTN_E_BUSY ? CTN_E_TIMEOUT : code, &err);
}

/* What a stranger said may repeat what we sent him. */
static void hide_secrets(ctn_flow *f, ctn_err *err)
{
    for (size_t i = 0; i < sizeof f->said / sizeof *f->said; i++)
        if (f->said[i].len && ctn_str_find(ctn_str_from(err->message), f->said[i]) != SIZE_MAX)
            (void) ctn_fail(err, err->code, "refused, in words that are not repeated here");
}

/* ---- the lock, and what is kept ---- */

static void try_lock(void *ctx)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    const ctn_auth_options *o = options_of(f);
    if (f->is_over)
        return;
    int rc = o->vault && !f->has_lock ? o->vault->lock(o->vault->ctx, f->auth->vault_name, &err) : CTN_OK;
    if (rc == CTN_E_BUSY && ctn_loop_now_ms(o->loop) < f->lock_due_ms) {
        ctn_timer_set(f->timer, ctn_loop_now_ms(o->loop) + LOCK_POLL_MS);
        return;
    }
    if (rc == CTN_E_BUSY)
        (void) ctn_fail(&err, rc, "another process has been renewing its token for a minute");
    if (rc) {
        fail(f, rc, &err);
        return;
    }
    step_fn *next = f->when_locked;
    f->has_lock = o->vault;
    f->when_locked = NULL;
    next(f);
}

static void lock_then(ctn_flow *f, step_fn *when_locked)
{
    f->when_locked = when_locked;
    f->lock_due_ms = ctn_loop_now_ms(options_of(f)->loop) + LOCK_LIMIT_MS;
    try_lock(f);
}

/* With the lock. A configured secret stays where it is configured. */
static int write_vault(ctn_flow *f, ctn_err *err)
{
    ctn_credential kept = f->credential;
    if (!kept.redirect_url.len)
        kept.client.secret = (ctn_str){0};
    return f->auth->config.kind == CTN_AUTH_CODE ? ctn_auth_vault_write(f->auth, &kept, err) : CTN_OK;
}

/* What came is in the vault before it is used. */
static void keep(ctn_flow *f)
{
    ctn_err err = {0};
    int rc = write_vault(f, &err);
    f->is_kept = true; /* in this process, whatever the disk says */
    if (rc) {
        (void) ctn_wrap(&err, rc, "the token could not be kept");
        fail(f, rc, &err);
    } else
        finish(f, CTN_OK, NULL);
}

/* ---- the token endpoint ---- */

static void discover(ctn_flow *f);

static void refused(ctn_flow *f, int code, ctn_err *err)
{
    hide_secrets(f, err);
    if (f->is_refresh && code == CTN_E_DENIED && options_of(f)->ask) {
        unlock(f);
        f->start.goal = CTN_FLOW_ASK;
        discover(f);
        return;
    }
    if (f->is_refresh && code == CTN_E_DENIED) {
        /* It is good for nothing any more: who comes next does not try it again. */
        f->credential.access_token = f->credential.refresh_token = (ctn_str){0};
        (void) write_vault(f, NULL);
        f->is_kept = true;
    }
    (void) ctn_wrap(err, code, "%.*s", CTN_STR_ARG(f->credential.issuer));
    fail(f, code, err);
}

static void on_token(void *ctx, const ctn_fetch_answer *a)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    ctn_oauth_grant grant;
    const ctn_auth_options *o = options_of(f);
    f->fetch = NULL;
    int rc = a->code ? ctn_fail(&err, a->code, "%s", a->why)
                     : ctn_oauth_grant_read(f->arena, a->status, a->document, &grant, &err);
    if (rc) {
        refused(f, rc, &err);
        return;
    }
    ctn_credential *c = &f->credential;
    c->access_token = ctn_arena_str(f->arena, grant.access_token);
    if (grant.refresh_token.len) /* rotated; or the first */
        c->refresh_token = ctn_arena_str(f->arena, grant.refresh_token);
    else if (!f->is_refresh)
        c->refresh_token = (ctn_str){0};
    if (grant.scopes.len || !f->is_refresh)
        c->granted = grant.scopes;
    c->expires_at_ms = grant.life_ms < 0 ? 0 : ctn_loop_now_ms(o->loop) + grant.life_ms;
    ctn_log_line(o->log, CTN_LOG_INFO, f->is_refresh ? "renewed the token" : "got a token", "server", o->server.ptr,
                 NULL);
    lock_then(f, keep);
}

/* The secret or the key of a configured client, read where it lies. */
static int arm_client(ctn_flow *f, const ctn_oauth_issuer *issuer, ctn_oauth_method wanted, ctn_oauth_request *request,
                      ctn_err *err)
{
    const ctn_auth_config *config = &f->auth->config;
    ctn_oauth_client *client = &f->credential.client;
    bool is_configured = config->client_id && !f->credential.redirect_url.len;
    bool has_key = is_configured && (config->private_key.env || config->private_key.file);
    bool has_secret = is_configured && (config->client_secret.env || config->client_secret.file);
    ctn_str pem;
    int rc = CTN_OK;
    if (has_secret)
        rc = ctn_auth_source_read(&config->client_secret, f->arena, &client->secret, err);
    if (rc == CTN_OK && has_key)
        rc = ctn_auth_source_read(&config->private_key, f->arena, &pem, err);
    if (rc)
        return ctn_wrap(err, rc == CTN_E_NOT_FOUND ? CTN_E_DENIED : rc, "the secret of the client");
    if (issuer)
        rc = ctn_oauth_method_choose(issuer, client->secret.len, has_key, wanted, &client->method, err);
    if (rc == CTN_OK && has_key)
        rc = ctn_sign_assertion(f->arena, client->id, issuer ? issuer->issuer : f->credential.issuer, pem,
                                ctn_loop_now_ms(options_of(f)->loop), &request->assertion, err);
    return rc;
}

static void ask_token(ctn_flow *f, ctn_oauth_request *request)
{
    ctn_str header;
    ctn_credential *c = &f->credential;
    request->resource = c->resource;
    f->is_refresh = request->refresh_token.len;
    ctn_str body = ctn_oauth_token_request(f->arena, &c->client, request, &header);
    f->said[0] = c->client.secret;
    f->said[1] = request->refresh_token;
    f->said[2] = request->code;
    f->said[3] = request->verifier;
    f->said[4] = ctn_str_from_offset(header, sizeof "Basic " - 1);
    ctn_fetch_request fetch = {.url = c->token_url,
                               .policy = &f->auth->discovery,
                               .body = body,
                               .body_type = "application/x-www-form-urlencoded",
                               .authorization = header};
    f->fetch = ctn_fetch_new(options_of(f)->http, &fetch, on_token, f);
}

static void refresh(ctn_flow *f)
{
    ctn_err err = {0};
    ctn_credential now;
    ctn_str used = f->credential.access_token;
    int rc = ctn_auth_vault_read(f->auth, f->arena, &now, &err);
    if (rc == CTN_E_NOT_FOUND && options_of(f)->vault) {
        f->credential = (ctn_credential){0};
        f->is_kept = true;
    } else if (rc == CTN_OK) {
        f->credential = now;
        if (!ctn_str_equal(now.access_token, used) &&
            ctn_credential_is_valid(&now, ctn_loop_now_ms(options_of(f)->loop))) {
            f->is_kept = true; /* somebody was faster */
            finish(f, CTN_OK, NULL);
            return;
        }
    }
    ctn_oauth_request request = {.grant_type = "refresh_token", .refresh_token = f->credential.refresh_token};
    if (!request.refresh_token.len) {
        (void) ctn_fail(&err, CTN_E_DENIED, "the leave that was given was taken back");
        fail(f, CTN_E_DENIED, &err);
        return;
    }
    rc = arm_client(f, NULL, CTN_OAUTH_METHOD_COUNT, &request, &err);
    if (rc)
        fail(f, rc, &err);
    else
        ask_token(f, &request);
}

static void ask_client_token(ctn_flow *f)
{
    ctn_err err = {0};
    ctn_oauth_request request = {.grant_type = "client_credentials", .scopes = f->scopes};
    f->credential.scopes = f->scopes;
    const ctn_oauth_issuer *issuer = f->found.issuer.issuer.len ? &f->found.issuer : NULL;
    if (!issuer) /* a configured endpoint: nothing is said of it, so Basic, which each of them takes */
        f->credential.client.method = CTN_OAUTH_BASIC;
    int rc = arm_client(f, issuer, CTN_OAUTH_METHOD_COUNT, &request, &err);
    if (rc == CTN_OK && request.assertion.len)
        f->credential.client.method = CTN_OAUTH_PRIVATE_KEY;
    if (rc)
        fail(f, rc, &err);
    else
        ask_token(f, &request);
}

/* ---- a person's leave ---- */

static bool on_redirect(void *ctx, ctn_str query, const char **ret_says)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    ctn_str code;
    if (f->is_over || f->fetch || !f->proof.state.len) {
        *ret_says = "Catena has its answer already.";
        return false;
    }
    int rc = ctn_oauth_redirect_read(f->arena, query, &f->found.issuer, &f->proof, &code, &err);
    if (rc == CTN_E_NOT_FOUND)
        return false; /* not ours */
    *ret_says = rc ? "Catena did not get leave: see where it runs. You can close this page."
                   : "Catena has got leave. You can close this page.";
    ctn_oauth_request request = {.grant_type = "authorization_code",
                                 .code = code,
                                 .redirect_url = ctn_redirect_url(f->redirect),
                                 .verifier = f->proof.verifier};
    ctn_timer_clear(f->timer);
    f->proof.state = (ctn_str){0}; /* good once */
    if (rc == CTN_OK)
        rc = arm_client(f, &f->found.issuer, f->credential.client.method, &request, &err);
    if (rc)
        fail(f, rc, &err);
    else
        ask_token(f, &request);
    return true;
}

static void on_time(void *ctx)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    if (f->when_locked) {
        try_lock(f);
        return;
    }
    (void) ctn_fail(&err, CTN_E_DENIED, "nobody gave leave in %lld minutes",
                    (long long) (options_of(f)->ask_limit_ms + 59999) / 60000);
    fail(f, CTN_E_DENIED, &err);
}

static void ask(ctn_flow *f)
{
    unsigned char random[64];
    const ctn_auth_options *o = options_of(f);
    ctn_rng rng = ctn_rng_system();
    for (size_t i = 0; i < sizeof random; i += 8) {
        uint64_t bits = ctn_rng_next(&rng);
        memcpy(random + i, &bits, 8);
    }
    f->proof = ctn_oauth_proof_make(f->arena, random);
    explicit_bzero(random, sizeof random);
    ctn_str url =
        ctn_oauth_authorization_url(f->arena, &f->found.issuer, f->credential.client.id, ctn_redirect_url(f->redirect),
                                    f->scopes, f->credential.resource, &f->proof);
    f->credential.scopes = f->scopes;
    ctn_timer_set(f->timer, ctn_loop_now_ms(o->loop) + o->ask_limit_ms);
    o->ask->open(o->ask->ctx, url.ptr, o->ask_limit_ms);
}

static void on_registered(void *ctx, const ctn_fetch_answer *a)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    ctn_oauth_client client;
    f->fetch = NULL;
    int rc = a->code ? ctn_fail(&err, a->code, "%s", a->why)
                     : ctn_oauth_registration_read(f->arena, a->document, &client, &err);
    if (rc) {
        (void) ctn_wrap(&err, rc, "%.*s does not register catena", CTN_STR_ARG(f->found.issuer.issuer));
        fail(f, rc, &err);
        return;
    }
    f->credential.client =
        (ctn_oauth_client){ctn_arena_str(f->arena, client.id), ctn_arena_str(f->arena, client.secret), client.method};
    f->credential.redirect_url = ctn_arena_str(f->arena, ctn_redirect_url(f->redirect));
    ask(f);
}

static void register_client(ctn_flow *f)
{
    const ctn_oauth_issuer *issuer = &f->found.issuer;
    ctn_oauth_method method = !issuer->has_methods || issuer->methods[CTN_OAUTH_NONE] ? CTN_OAUTH_NONE
                              : issuer->methods[CTN_OAUTH_BASIC]                      ? CTN_OAUTH_BASIC
                                                                                      : CTN_OAUTH_POST;
    ctn_fetch_request fetch = {.url = issuer->registration_url,
                               .policy = &f->auth->discovery,
                               .body =
                                   ctn_oauth_registration(f->arena, ctn_redirect_url(f->redirect), f->scopes, method),
                               .body_type = "application/json"};
    f->fetch = ctn_fetch_new(options_of(f)->http, &fetch, on_registered, f);
}

/* Only what a browser may be sent to. */
static int check_page(ctn_flow *f, ctn_err *err)
{
    const ctn_oauth_issuer *issuer = &f->found.issuer;
    ctn_str url = issuer->authorization_url, origin;
    if (!issuer->has_s256)
        return ctn_fail(err, CTN_E_DENIED,
                        "%.*s does not say that it takes PKCE with S256: without it a code could be stolen",
                        CTN_STR_ARG(issuer->issuer));
    if (ctn_url_origin(f->arena, url, &origin, NULL) ||
        (!ctn_str_starts_with(origin, CTN_STR("https://")) && !ctn_url_is_loopback(url) &&
         !f->auth->discovery.allows_cleartext))
        return ctn_fail(err, CTN_E_DENIED, "%.*s names no page (https) on which leave is given",
                        CTN_STR_ARG(issuer->issuer));
    return CTN_OK;
}

static void choose_client(ctn_flow *f)
{
    const ctn_auth_config *config = &f->auth->config;
    const ctn_oauth_issuer *issuer = &f->found.issuer;
    const ctn_credential *before = &f->auth->credential;
    ctn_err err = {0};
    int rc = check_page(f, &err);
    if (rc == CTN_OK)
        rc = ctn_redirect_open(options_of(f)->loop, config->redirect_port, on_redirect, f, &f->redirect, &err);
    if (rc) {
        fail(f, rc, &err);
        return;
    }
    ctn_oauth_client *client = &f->credential.client;
    client->method = CTN_OAUTH_METHOD_COUNT; /* what fits: chosen when it is used */
    if (config->client_id)
        client->id = ctn_str_from(config->client_id);
    else if (config->client_metadata_url && issuer->knows_client_documents) {
        client->id = ctn_str_from(config->client_metadata_url);
        client->method = CTN_OAUTH_NONE;
    } else if (ctn_str_equal(before->issuer, issuer->issuer) && before->client.id.len &&
               ctn_str_equal(before->redirect_url, ctn_redirect_url(f->redirect))) {
        f->credential.client = ctn_credential_copy(f->arena, before).client;
        f->credential.redirect_url = ctn_arena_str(f->arena, before->redirect_url);
    } else if (issuer->registration_url.len) {
        register_client(f);
        return;
    } else {
        (void) ctn_fail(&err, CTN_E_DENIED,
                        "%.*s registers no clients by itself: register catena there and give its "
                        "`clientId` in catena.yaml",
                        CTN_STR_ARG(issuer->issuer));
        fail(f, CTN_E_DENIED, &err);
        return;
    }
    ask(f);
}

/* ---- who gives tokens ---- */

static void choose_scopes(ctn_flow *f)
{
    const ctn_auth_config *config = &f->auth->config;
    const ctn_credential *before = &f->auth->credential;
    ctn_str named = config->scopes                 ? ctn_str_from(config->scopes)
                    : f->start.challenge.scope.len ? f->start.challenge.scope
                                                   : f->found.resource.scopes;
    f->scopes = ctn_scopes_union(f->arena, named, f->start.scopes);
    if (ctn_str_equal(before->issuer,
                      f->found.issuer.issuer)) /* what was given before is not lost by asking for more */
        f->scopes = ctn_scopes_union(f->arena, before->scopes, f->scopes);
    if (f->start.goal == CTN_FLOW_ASK && f->scopes.len && f->found.issuer.has_offline_access)
        f->scopes = ctn_scopes_union(f->arena, f->scopes, CTN_STR("offline_access"));
}

static void on_discovered(void *ctx, int code, const ctn_discovered *found, const char *why)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    ctn_auth *a = f->auth;
    f->discover = NULL;
    if (code == CTN_E_DENIED && f->is_open) { /* it wants no token, and knows nobody who gives one */
        finish(f, CTN_OK, NULL);
        return;
    }
    if (code) {
        (void) ctn_fail(&err, code, "%s", why);
        fail(f, code, &err);
        return;
    }
    f->found = *found;
    if (a->config.client_id && !a->issuer_seen.len)
        a->issuer_seen = ctn_arena_str(a->arena, found->issuer.issuer);
    f->credential = (ctn_credential){.url = a->options.url,
                                     .issuer = found->issuer.issuer,
                                     .resource = found->resource.resource,
                                     .token_url = found->issuer.token_url};
    choose_scopes(f);
    if (f->start.goal == CTN_FLOW_ASK)
        choose_client(f);
    else {
        f->credential.client.id = ctn_str_from(a->config.client_id);
        ask_client_token(f);
    }
}

static void discover(ctn_flow *f)
{
    ctn_auth *a = f->auth;
    const ctn_credential *before = &a->credential;
    bool is_bound = a->config.client_id && ctn_str_is(before->client.id, a->config.client_id);
    ctn_discover_options options = {
        .http = a->options.http,
        .policy = &a->discovery,
        .arena = f->arena,
        .url = a->options.url,
        .resource_metadata = f->start.challenge.resource_metadata.len ? f->start.challenge.resource_metadata
                                                                      : ctn_str_from(a->metadata_url),
        .issuer_only = a->config.issuer     ? ctn_str_from(a->config.issuer)
                       : a->issuer_seen.len ? a->issuer_seen
                       : is_bound           ? before->issuer
                                            : (ctn_str){0},
        .issuer_first = before->issuer,
    };
    f->discover = ctn_discover_new(&options, on_discovered, f);
}

/* ---- the server's own word, before a login ---- */

static void on_probed(void *ctx, const ctn_fetch_answer *a)
{
    ctn_flow *f = ctx;
    ctn_err err = {0};
    f->fetch = NULL;
    if (a->code && a->status != 401) {
        (void) ctn_fail(&err, a->code, "%s", a->why);
        fail(f, a->code, &err);
        return;
    }
    f->is_open = a->document && a->status < 500 && a->status != 401 && a->status != 403;
    for (size_t i = 0; i < a->challenge_count; i++)
        if (ctn_challenge_read(f->arena, ctn_arena_str(f->arena, a->challenges[i]), &f->start.challenge))
            break;
    discover(f);
}

/* Any request will do: it carries no token and asks for nothing. */
static void probe(ctn_flow *f)
{
    ctn_fetch_request fetch = {
        .url = options_of(f)->url,
        .policy = options_of(f)->policy,
        .body = CTN_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{\"_meta\":{"
                        "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}"),
        .body_type = "application/json",
        .accept = "application/json, text/event-stream"};
    f->fetch = ctn_fetch_new(options_of(f)->http, &fetch, on_probed, f);
}

/* ---- life ---- */

static void on_begin(void *ctx)
{
    ctn_flow *f = ctx;
    ctn_auth *a = f->auth;
    if (f->start.goal == CTN_FLOW_REFRESH)
        lock_then(f, refresh);
    else if (f->start.goal == CTN_FLOW_CLIENT && a->config.token_url) {
        ctn_str url = ctn_str_from(a->config.token_url);
        f->credential = (ctn_credential){.url = a->options.url,
                                         .issuer = a->config.issuer ? ctn_str_from(a->config.issuer) : url,
                                         .resource = a->options.url,
                                         .token_url = url,
                                         .client.id = ctn_str_from(a->config.client_id)};
        choose_scopes(f);
        ask_client_token(f);
    } else if (f->start.has_challenge)
        discover(f);
    else
        probe(f);
}

ctn_flow *ctn_flow_new(ctn_auth *auth, const ctn_flow_start *start)
{
    ctn_flow *f = ctn_malloc(sizeof *f);
    ctn_arena *arena = ctn_arena_new(4096);
    *f = (ctn_flow){.auth = auth, .arena = arena, .start = *start};
    f->start.challenge.scope = ctn_arena_str(arena, start->challenge.scope);
    f->start.challenge.resource_metadata = ctn_arena_str(arena, start->challenge.resource_metadata);
    f->start.scopes = ctn_arena_str(arena, start->scopes);
    f->credential = ctn_credential_copy(arena, &auth->credential);
    f->timer = ctn_timer_new(auth->options.loop, on_time, f);
    f->end = (ctn_task){.run = on_begin, .ctx = f};
    ctn_task_file(auth->options.loop, &f->end);
    return f;
}

void ctn_flow_free(ctn_flow *f)
{
    if (!f)
        return;
    unlock(f);
    ctn_task_cancel(&f->end);
    ctn_fetch_cancel(f->fetch);
    ctn_discover_cancel(f->discover);
    ctn_redirect_close(f->redirect);
    ctn_timer_free(f->timer);
    ctn_arena_free(f->arena);
    free(f);
}
