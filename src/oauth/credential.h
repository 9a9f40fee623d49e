/*
 * credential.h -- what is kept of one server's leave: the tokens, for whom they were made, and the client that got
 * them. Private to oauth/.
 *
 * As a text it is JSON, and it is a secret: it goes into a vault and nowhere else. One that was made for another URL
 * than the server's is not used; one of another issuer lends neither its client nor its scopes.
 */
#pragma once
#include "wire/oauth.h"

typedef struct ctn_credential {
    ctn_str url;       /* of the server */
    ctn_str issuer;    /* who made it */
    ctn_str resource;  /* as the server's metadata has it */
    ctn_str token_url; /* of the issuer */
    ctn_str scopes;    /* that were asked for */
    ctn_str granted;   /* that were given */
    ctn_str access_token, refresh_token;
    int64_t expires_at_ms;   /* 0: not known */
    ctn_oauth_client client; /* the secret of a configured one is not kept */
    ctn_str redirect_url;    /* of a client that was registered; empty: it was not */
} ctn_credential;

ctn_str ctn_credential_write(ctn_arena *arena, const ctn_credential *credential);
/* CTN_E_CORRUPT: it is no credential. */
int ctn_credential_read(ctn_arena *arena, ctn_str text, ctn_credential *ret_credential, ctn_err *err);
ctn_credential ctn_credential_copy(ctn_arena *arena, const ctn_credential *credential);

/* Good for a request at this time: it is there, and not about to end. */
bool ctn_credential_is_valid(const ctn_credential *credential, int64_t now_ms);
