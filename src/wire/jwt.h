/*
 * jwt.h -- signed JSON Web Tokens (RFC 7515, 7519, 8725) and the keys that their issuers publish (RFC 7517): what is
 * read, and which of it may be believed once the signature is right.
 *
 * Pure: the signature itself is for others (oauth/verify.h), as is the time.
 *
 * What must hold: nothing is believed because the token says so. Its `alg` must be one of a short list, none of which
 * takes a secret; and the key it is checked with must be of that algorithm's kind, so that a public key is never taken
 * for a secret, and never a key of one kind for another's signature. `none`, HS*, `crit`, `jku`, `jwk`, `x5u`, `x5c`,
 * encrypted tokens, and tokens that say a thing twice are refused.
 *
 * Limits  CTN_JWT_BYTES_MAX of a token, CTN_JWT_KEYS_MAX keys of an issuer.
 * Errors  CTN_E_INVALID: it is no such token; CTN_E_DENIED: it is one, and not for us, or not now. Sentences repeat
 *         nothing that came but names of algorithms.
 */
#pragma once
#include "base/json.h"

#define CTN_JWT_BYTES_MAX 16384
#define CTN_JWT_KEYS_MAX  64
#define CTN_JWT_SKEW_MS   60000

typedef enum ctn_jwt_alg { CTN_JWT_RS256, CTN_JWT_PS256, CTN_JWT_ES256, CTN_JWT_EDDSA, CTN_JWT_ALG_COUNT } ctn_jwt_alg;

typedef struct ctn_jwt {
    ctn_jwt_alg alg;
    ctn_str kid;       /* empty: it does not say */
    ctn_str signed_;   /* what was signed: borrowed of the token */
    ctn_str signature; /* bytes */
    const ctn_json *claims;
} ctn_jwt;
int ctn_jwt_read(ctn_arena *arena, ctn_str token, ctn_jwt *ret, ctn_err *err);
/* Three parts between dots that begin like a header: is it worth reading? */
bool ctn_jwt_is_one(ctn_str token);
/* Its issuer, before anything of it is believed: to find whose keys to take. Empty: it says none. */
ctn_str ctn_jwt_issuer(const ctn_jwt *jwt);

/* ---- keys ---- */

typedef struct ctn_jwk {
    ctn_str kid; /* empty: it has none */
    enum { CTN_JWK_RSA, CTN_JWK_P256, CTN_JWK_ED25519 } kind;
    bool is_alg_said; /* it is for `alg` alone */
    ctn_jwt_alg alg;
    ctn_str a, b; /* bytes. RSA: n, e; P-256: x, y; Ed25519: x */
} ctn_jwk;
/* Keys that sign by what is on the list; others are passed over. RSA has 2048 to 8192 bits. CTN_E_INVALID: it is no set
 * of keys. */
int ctn_jwks_read(ctn_arena *arena, const ctn_json *document, ctn_jwk *keys, size_t *ret_count, ctn_err *err);
/* May the token be checked with this key? */
bool ctn_jwk_fits(const ctn_jwk *key, const ctn_jwt *jwt);

/* ---- claims ---- */

typedef struct ctn_jwt_rules {
    ctn_str issuer, audience; /* letter by letter; audience: one of the token's */
    const ctn_str *clients;   /* azp must be one of these; none: whatever it is */
    size_t client_count;
    int64_t now_ms;
} ctn_jwt_rules;
/* iss, aud, azp, exp (needed), nbf, iat; clocks may differ by CTN_JWT_SKEW_MS. */
int ctn_jwt_check(const ctn_jwt *jwt, const ctn_jwt_rules *rules, ctn_err *err);
