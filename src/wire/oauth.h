/*
 * oauth.h -- OAuth 2.1 as MCP's authorization uses it, in texts: where metadata is looked for, what it says, what is
 * asked of an authorization server, and how its answers are read. Pure.
 *
 * Protected resource metadata: RFC 9728. Authorization server metadata: RFC 8414, and OpenID Connect Discovery's, which
 * is read the same. PKCE: RFC 7636, S256 alone. Registration: RFC 7591. Resource: RFC 8707. Issuer in the redirect: RFC
 * 9207.
 *
 * Whoever reads these documents reads a stranger's word. What is checked here is what can be checked without asking
 * anybody: that the issuer is the one that led here, that the resource is the server's, that texts are no larger than
 * they may be. URLs are texts; who may be reached is judged where it is fetched.
 *
 * Ownership  Everything given lives in the arena.
 * Errors     CTN_E_INVALID with a sentence (none of them repeats a secret): it is not what it must be.
 * CTN_E_UNSUPPORTED: it lacks what we insist on (S256).
 */
#pragma once
#include "base/json.h"

#define CTN_OAUTH_SERVERS_MAX      8
#define CTN_OAUTH_TEXT_BYTES_MAX   2048 /* of a URL or an identifier */
#define CTN_OAUTH_TOKEN_BYTES_MAX  16384
#define CTN_OAUTH_SCOPES_BYTES_MAX 4096

/* ---- where metadata is ---- */

typedef struct ctn_oauth_places {
    ctn_str urls[3];
    size_t count;
} ctn_oauth_places;

/* Of a protected resource and of an issuer, in the order in which they are tried. `path` as ctn_url_path gives it. */
ctn_oauth_places ctn_oauth_resource_places(ctn_arena *arena, ctn_str origin, ctn_str path);
ctn_oauth_places ctn_oauth_issuer_places(ctn_arena *arena, ctn_str origin, ctn_str path);

/* ---- what it says ---- */

typedef struct ctn_oauth_resource {
    ctn_str resource; /* as published: it is sent on letter by letter */
    ctn_str issuers[CTN_OAUTH_SERVERS_MAX];
    size_t issuer_count;
    ctn_str scopes; /* separated by spaces; empty: not said */
} ctn_oauth_resource;
int ctn_oauth_resource_read(ctn_arena *arena, const ctn_json *document, ctn_oauth_resource *ret_resource, ctn_err *err);
/* A token for `resource` may go to the server: the same origin, and the server's path is the resource's or below it. */
bool ctn_oauth_resource_covers(ctn_str resource_origin, ctn_str resource_path, ctn_str server_origin,
                               ctn_str server_path);

typedef enum ctn_oauth_method { /* how a client says who it is */
                                CTN_OAUTH_NONE,
                                CTN_OAUTH_BASIC,
                                CTN_OAUTH_POST,
                                CTN_OAUTH_PRIVATE_KEY,
                                CTN_OAUTH_METHOD_COUNT
} ctn_oauth_method;
const char *ctn_oauth_method_name(ctn_oauth_method method); /* "client_secret_basic" */

typedef struct ctn_oauth_issuer {
    ctn_str issuer, authorization_url, token_url;
    ctn_str registration_url; /* empty: none */
    bool has_s256, knows_client_documents, sends_issuer;
    bool has_methods; /* the next one was said */
    bool methods[CTN_OAUTH_METHOD_COUNT];
    bool has_offline_access; /* among scopes_supported */
} ctn_oauth_issuer;
/* `expected` is the issuer that led to the document; it must name itself so, letter by letter. */
int ctn_oauth_issuer_read(ctn_arena *arena, const ctn_json *document, ctn_str expected, ctn_oauth_issuer *ret_issuer,
                          ctn_err *err);
/* The way for a client with or without a secret; CTN_E_UNSUPPORTED: the issuer takes none that it could go. `wanted` is
 * what a registration said; CTN_OAUTH_METHOD_COUNT: nothing. */
int ctn_oauth_method_choose(const ctn_oauth_issuer *issuer, bool has_secret, bool has_key, ctn_oauth_method wanted,
                            ctn_oauth_method *ret_method, ctn_err *err);

/* ---- scopes: texts separated by spaces ---- */

bool ctn_scopes_has(ctn_str scopes, ctn_str scope);
/* Each once, in the order given; what is no scope (RFC 6749, 3.3) is left out. */
ctn_str ctn_scopes_union(ctn_arena *arena, ctn_str a, ctn_str b);

/* ---- the person's leave ---- */

typedef struct ctn_oauth_proof { /* of one authorization: what its redirect and its code are good for */
    ctn_str verifier, challenge, state;
} ctn_oauth_proof;
/* random: 64 bytes that nobody can guess. */
ctn_oauth_proof ctn_oauth_proof_make(ctn_arena *arena, const unsigned char random[64]);

typedef struct ctn_oauth_client {
    ctn_str id, secret;
    ctn_oauth_method method;
} ctn_oauth_client;

ctn_str ctn_oauth_authorization_url(ctn_arena *arena, const ctn_oauth_issuer *issuer, ctn_str client_id,
                                    ctn_str redirect_url, ctn_str scopes, ctn_str resource,
                                    const ctn_oauth_proof *proof);
/* The query of a redirect. CTN_E_NOT_FOUND: its state is not ours, so it answers nothing that we asked; CTN_E_DENIED:
 * the issuer says no, and how; CTN_E_INVALID: it comes from another issuer or brings no code. */
int ctn_oauth_redirect_read(ctn_arena *arena, ctn_str query, const ctn_oauth_issuer *issuer,
                            const ctn_oauth_proof *proof, ctn_str *ret_code, ctn_err *err);

/* ---- registration ---- */

ctn_str ctn_oauth_registration(ctn_arena *arena, ctn_str redirect_url, ctn_str scopes, ctn_oauth_method method);
int ctn_oauth_registration_read(ctn_arena *arena, const ctn_json *answer, ctn_oauth_client *ret_client, ctn_err *err);

/* ---- tokens ---- */

typedef struct ctn_oauth_request { /* empty: left out */
    const char *grant_type;
    ctn_str code, redirect_url, verifier; /* authorization_code */
    ctn_str refresh_token;                /* refresh_token */
    ctn_str scopes, resource;
    ctn_str assertion; /* of CTN_OAUTH_PRIVATE_KEY */
} ctn_oauth_request;
/* The body; *ret_authorization: the header's value, empty: none is sent. Both hold secrets. */
ctn_str ctn_oauth_token_request(ctn_arena *arena, const ctn_oauth_client *client, const ctn_oauth_request *request,
                                ctn_str *ret_authorization);

typedef struct ctn_oauth_grant {
    ctn_str access_token;
    ctn_str refresh_token; /* empty: none */
    ctn_str scopes;        /* empty: as they were asked for */
    int64_t life_ms;       /* -1: not said */
} ctn_oauth_grant;
/* status and body of the answer (NULL: no JSON object). CTN_E_DENIED: refused for good (the refresh token is no more,
 * the client is not known); CTN_E_IO: the server is in trouble, try later; CTN_E_INVALID: no answer of a token
 * endpoint. */
int ctn_oauth_grant_read(ctn_arena *arena, int status, const ctn_json *answer, ctn_oauth_grant *ret_grant,
                         ctn_err *err);

/* The claims that private_key_jwt signs (RFC 7523), with the header of ES256: "HEADER.CLAIMS", each base64url. */
ctn_str ctn_oauth_assertion(ctn_arena *arena, ctn_str client_id, ctn_str audience, ctn_str id, int64_t now_ms);
