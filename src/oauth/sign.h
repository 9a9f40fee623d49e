/*
 * sign.h -- a client that proves who it is with a key (private_key_jwt, RFC 7523): ES256 with OpenSSL, which stays in
 * here. Private to oauth/.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

/* A signed assertion of the client for `audience`, good for minutes. pem: a private key of P-256. CTN_E_INVALID: it is
 * none; the sentence does not repeat it. */
int ctn_sign_assertion(ctn_arena *arena, ctn_str client_id, ctn_str audience, ctn_str pem, int64_t now_ms,
                       ctn_str *ret_assertion, ctn_err *err);
