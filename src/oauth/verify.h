/*
 * verify.h -- is a token signed by this key? RS256, PS256, ES256 and EdDSA with OpenSSL, which stays in here and in
 * sign.c.
 */
#pragma once
#include "wire/jwt.h"

/* The key must fit (ctn_jwk_fits): that is asserted. False: it is not, or the key is none. */
bool ctn_jwt_is_signed_by(const ctn_jwt *jwt, const ctn_jwk *key);
