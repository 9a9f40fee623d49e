/*
 * auth.h -- leave to call one protected server over HTTP: which token goes with a request, and what follows a refusal.
 *
 * A transport asks for the token before each request (ctn_auth_token) and hands back a 401 or 403 (ctn_auth_refused).
 * Such an answer means that nothing was executed, so when it is told CTN_OK with a token it may send the same request
 * once more. However many ask, one flow is under way, and all are told its end.
 *
 * What must hold:
 *   1. A token goes to the URL it was made for and nowhere else: it is bound to this server's URL and to its issuer,
 * and credentials of one issuer are never shown to another.
 *   2. Nothing is fetched that the policy forbids; what a server that is no loopback names may not lead to loopback.
 *   3. No token, secret, code or verifier is in a sentence, a log line or an argument of a program.
 *   4. An authorization server is believed when its metadata names itself by the very issuer that led there; a redirect
 * when its state is ours and its `iss` is that issuer.
 *   5. Of two processes that refresh at once, one does and the other takes what it got (the vault's lock).
 *
 * Unattended, what needs a person ends as CTN_E_DENIED with a sentence that names the command to run. With `ask` set
 * (catena tools login) the person is told a URL and waited for.
 *
 * Ownership  _new copies what it is given but http, vault, policy and the arguments of callbacks. What `ready` gets is
 *            borrowed until it returns.
 * Threads    The loop's. `ready` comes at once (inside _token, when nothing has to be fetched) or later.
 * Errors     of `ready`: CTN_E_DENIED: needs authorization, the sentence says what to do; CTN_E_IO, CTN_E_TIMEOUT: who
 * gives tokens was not reached: it may be tried again; any other: what it said is not what it must be.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "http/http.h"

typedef enum ctn_auth_kind {
    CTN_AUTH_NONE, /* no token of ours; a refusal says that one is needed */
    CTN_AUTH_BEARER,
    CTN_AUTH_CLIENT_CREDENTIALS,
    CTN_AUTH_CODE, /* `type: oauth` */
} ctn_auth_kind;

/* Where a secret is read, each time it is needed. Both NULL: there is none. */
typedef struct ctn_auth_source {
    const char *env, *file;
} ctn_auth_source;

/* What the configuration says of a server. NULL and all zero: not said. */
typedef struct ctn_auth_config {
    ctn_auth_kind kind;
    ctn_auth_source token; /* bearer */
    const char *client_id;
    ctn_auth_source client_secret;
    ctn_auth_source private_key;     /* PEM of P-256: private_key_jwt (ES256) in the place of a secret */
    const char *client_metadata_url; /* the client's id where the issuer knows Client ID Metadata Documents */
    const char *scopes;              /* separated by spaces; NULL: as the server's challenge or metadata says */
    const char *token_url;           /* client credentials: no discovery */
    const char *issuer;              /* the one that client_id belongs to; another that the server names is refused */
    int redirect_port;               /* 0: one that the system picks */
} ctn_auth_config;

/* Where credentials are kept: texts by name, sealed. Calls may block on the disk for a moment. */
typedef struct ctn_auth_vault {
    void *ctx;
    /* CTN_E_NOT_FOUND, without a sentence: nothing is kept under this name. */
    int (*read)(void *ctx, ctn_str name, ctn_arena *arena, ctn_str *ret_text, ctn_err *err);
    int (*write)(void *ctx, ctn_str name, ctn_str text, ctn_err *err); /* durable when it returns; empty: removed */
    /* Against other processes, given back by death. CTN_E_BUSY: somebody has it, ask again soon. */
    int (*lock)(void *ctx, ctn_str name, ctn_err *err);
    void (*unlock)(void *ctx, ctn_str name);
} ctn_auth_vault;

/* The person who gives leave: `open` is told the page to open, and how long is waited for it. */
typedef struct ctn_auth_ask {
    void (*open)(void *ctx, const char *url, int64_t limit_ms);
    void *ctx;
} ctn_auth_ask;

typedef struct ctn_auth_options {
    ctn_loop *loop;
    ctn_http *http;
    const ctn_log *log; /* NULL: silent */
    ctn_str server;     /* the configured name: in sentences; "SERVER URL" is what the vault knows it by */
    ctn_str url;        /* of the server; tokens go here only */
    const ctn_http_policy *policy;
    const ctn_auth_config *config; /* NULL: CTN_AUTH_NONE */
    const ctn_auth_vault *vault;   /* NULL: nothing is kept beyond this process */
    const ctn_auth_ask *ask;       /* NULL: unattended */
    int64_t ask_limit_ms;          /* how long a person may take; 0: 5 minutes */
    /* A token that goes with requests from now on, so that it can be kept out of what comes back. May be NULL. */
    void (*learned)(void *ctx, ctn_str server, ctn_str token);
    void *learned_ctx;
} ctn_auth_options;

typedef struct ctn_auth ctn_auth;
ctn_auth *ctn_auth_new(const ctn_auth_options *options);
void ctn_auth_free(ctn_auth *auth); /* NULL is fine; whoever waits is told nothing */

/* code CTN_OK: the token to send, empty: send none. */
typedef void ctn_auth_ready_fn(void *ctx, int code, ctn_str token, const char *why);

/* The token of the next request; asked for every one of them, as tokens end. */
void ctn_auth_token(ctn_auth *auth, ctn_auth_ready_fn *ready, void *ctx);
/* The token in force, borrowed until the loop runs again; empty: none, or auth is NULL. For a good-bye that nobody
 * waits for. */
ctn_str ctn_auth_current(const ctn_auth *auth);
/* A request that carried `token` (empty: none) was answered with this status, 401 or 403, and these values of
 * WWW-Authenticate. CTN_OK: another token, send once more; never the same one again. Whoever is refused
 * CTN_AUTH_REFUSALS_MAX times in one call gives up by itself; the sentence of the last refusal says what to do. */
void ctn_auth_refused(ctn_auth *auth, ctn_str token, int status, const ctn_str *challenges, size_t challenge_count,
                      ctn_auth_ready_fn *ready, void *ctx);
#define CTN_AUTH_REFUSALS_MAX 3
/* Whoever waits with this ctx is told nothing any more. */
void ctn_auth_forget(ctn_auth *auth, void *ctx);

/* A person's leave, asked for now (needs `ask`): the server is asked who gives tokens; `scopes` are wanted besides
 * those it names (empty: none). CTN_OK with an empty token: the server asks for none. */
void ctn_auth_login(ctn_auth *auth, ctn_str scopes, ctn_auth_ready_fn *ready, void *ctx);
