/*
 * verify.c -- see verify.h. Which algorithm is meant was decided by the list and by the key's kind (wire/jwt.h); here
 * nothing is chosen by what the token says.
 */
#include "oauth/verify.h"
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

enum { HALF = 32 }; /* bytes of r and of s (RFC 7518, 3.4) */

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && params && EVP_PKEY_fromdata_init(context) == 1)
        (void) EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *rsa_key(const ctn_jwk *jwk)
{
    BIGNUM *n = BN_bin2bn((const unsigned char *) jwk->a.ptr, (int) jwk->a.len, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *) jwk->b.ptr, (int) jwk->b.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    /* e = 1 signs anything; an even one is none */
    bool is_good = n && e && builder && BN_is_odd(e) && !BN_is_one(e) &&
                   OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
                   OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1;
    if (is_good)
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params)
        key = key_from("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *p256_key(const ctn_jwk *jwk)
{
    char curve[] = "P-256";
    unsigned char point[1 + 2 * HALF] = {4}; /* uncompressed; that it is on the curve is checked by OpenSSL */
    memcpy(point + 1, jwk->a.ptr, HALF);
    memcpy(point + 1 + HALF, jwk->b.ptr, HALF);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
                           OSSL_PARAM_construct_end()};
    return key_from("EC", params);
}

static bool verify(EVP_PKEY *key, const EVP_MD *digest, bool is_pss, ctn_str text, ctn_str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *of_key = NULL;
    bool is_good = context && EVP_DigestVerifyInit(context, &of_key, digest, NULL, key) == 1;
    if (is_good && is_pss)
        is_good = EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) == 1;
    is_good = is_good && EVP_DigestVerify(context, (const unsigned char *) signature.ptr, signature.len,
                                          (const unsigned char *) text.ptr, text.len) == 1;
    EVP_MD_CTX_free(context);
    return is_good;
}

/* JOSE has r and s one after the other; OpenSSL wants them in DER. */
static bool verify_p256(EVP_PKEY *key, ctn_str text, ctn_str raw)
{
    unsigned char der[80], *at = der;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    bool is_good = false;
    BIGNUM *r = raw.len == 2 * HALF ? BN_bin2bn((const unsigned char *) raw.ptr, HALF, NULL) : NULL;
    BIGNUM *s = raw.len == 2 * HALF ? BN_bin2bn((const unsigned char *) raw.ptr + HALF, HALF, NULL) : NULL;
    if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
        int bytes = i2d_ECDSA_SIG(signature, &at); /* at most 72 */
        is_good = bytes > 0 && verify(key, EVP_sha256(), false, text, (ctn_str){(char *) der, (size_t) bytes});
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return is_good;
}

bool ctn_jwt_is_signed_by(const ctn_jwt *jwt, const ctn_jwk *jwk)
{
    assert(ctn_jwk_fits(jwk, jwt));
    EVP_PKEY *key =
        jwk->kind == CTN_JWK_RSA ? rsa_key(jwk)
        : jwk->kind == CTN_JWK_P256
            ? p256_key(jwk)
            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *) jwk->a.ptr, jwk->a.len);
    bool is_good = false;
    if (key)
        switch (jwt->alg) {
        case CTN_JWT_RS256: is_good = verify(key, EVP_sha256(), false, jwt->signed_, jwt->signature); break;
        case CTN_JWT_PS256: is_good = verify(key, EVP_sha256(), true, jwt->signed_, jwt->signature); break;
        case CTN_JWT_ES256: is_good = verify_p256(key, jwt->signed_, jwt->signature); break;
        case CTN_JWT_EDDSA: is_good = verify(key, NULL, false, jwt->signed_, jwt->signature); break;
        case CTN_JWT_ALG_COUNT: break;
        }
    EVP_PKEY_free(key);
    return is_good;
}
