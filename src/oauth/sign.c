/*
 * sign.c -- see sign.h.
 */
#include "oauth/sign.h"
#include "base/base64.h"
#include "base/clock.h"
#include "wire/oauth.h"
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { HALF = 32 }; /* bytes of r and of s (RFC 7518, 3.4) */

/* The signature as JOSE has it: r and s, one after the other. */
static bool sign(EVP_PKEY *key, ctn_str text, unsigned char ret_signature[2 * HALF])
{
    unsigned char der[128];
    size_t der_bytes = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *signature = NULL;
    bool is_signed = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                     EVP_DigestSign(context, der, &der_bytes, (const unsigned char *) text.ptr, text.len) == 1;
    const unsigned char *at = der;
    if (is_signed)
        signature = d2i_ECDSA_SIG(NULL, &at, (long) der_bytes);
    is_signed = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), ret_signature, HALF) == HALF &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), ret_signature + HALF, HALF) == HALF;
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    return is_signed;
}

static int no_passphrase(char *text, int bytes, int is_writing, void *ctx)
{
    (void) text;
    (void) bytes;
    (void) is_writing;
    (void) ctx;
    return 0;
}

int ctn_sign_assertion(ctn_arena *arena, ctn_str client_id, ctn_str audience, ctn_str pem, int64_t now_ms,
                       ctn_str *ret_assertion, ctn_err *err)
{
    unsigned char signature[2 * HALF];
    ctn_rng rng = ctn_rng_system();
    ctn_str id = ctn_arena_printf(arena, "%016llx%016llx", (unsigned long long) ctn_rng_next(&rng),
                                  (unsigned long long) ctn_rng_next(&rng));
    ctn_str text = ctn_oauth_assertion(arena, client_id, audience, id, now_ms);
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int) pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool is_signed =
        key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 256 && sign(key, text, signature);
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (!is_signed)
        return ctn_fail(err, CTN_E_INVALID, "the client's key is no private key of P-256 in PEM, without a passphrase");
    *ret_assertion =
        ctn_arena_printf(arena, "%.*s.%.*s", CTN_STR_ARG(text),
                         CTN_STR_ARG(ctn_base64_url(arena, (ctn_str){(char *) signature, sizeof signature})));
    return CTN_OK;
}
