/*
 * hash.c -- BLAKE2b with 32 bytes of output, unkeyed, SHA-256, and HMAC with it.
 */
#include "base/hash.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(ctn_hasher), "ctn_hasher is too small for libsodium");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(ctn_hasher), "ctn_hasher is not aligned enough");

static crypto_generichash_state *state_of(ctn_hasher *h)
{
    return (crypto_generichash_state *) (void *) h->opaque;
}

void ctn_hasher_init(ctn_hasher *h)
{
    int rc = crypto_generichash_init(state_of(h), NULL, 0, CTN_DIGEST_BYTES);
    assert(rc == 0);
}

void ctn_hasher_add(ctn_hasher *h, ctn_str data)
{
    if (data.len == 0)
        return;
    int rc = crypto_generichash_update(state_of(h), (const unsigned char *) data.ptr, data.len);
    assert(rc == 0);
}

ctn_digest ctn_hasher_finish(ctn_hasher *h)
{
    ctn_digest digest;
    int rc = crypto_generichash_final(state_of(h), digest.bytes, sizeof digest.bytes);
    assert(rc == 0);
    return digest;
}

ctn_digest ctn_sha256(ctn_str data)
{
    ctn_digest digest;
    _Static_assert(sizeof digest.bytes == crypto_hash_sha256_BYTES, "a digest of SHA-256");
    crypto_hash_sha256(digest.bytes, (const unsigned char *) (data.len ? data.ptr : ""), data.len);
    return digest;
}

ctn_digest ctn_hmac_sha256(ctn_str key, const ctn_str *parts, size_t count)
{
    crypto_auth_hmacsha256_state state;
    ctn_digest digest;
    _Static_assert(sizeof digest.bytes == crypto_auth_hmacsha256_BYTES, "a digest of HMAC-SHA256");
    crypto_auth_hmacsha256_init(&state, (const unsigned char *) (key.len ? key.ptr : ""), key.len);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len)
            crypto_auth_hmacsha256_update(&state, (const unsigned char *) parts[i].ptr, parts[i].len);
    crypto_auth_hmacsha256_final(&state, digest.bytes);
    sodium_memzero(&state, sizeof state);
    return digest;
}

ctn_digest ctn_hash(ctn_str data)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, data);
    return ctn_hasher_finish(&h);
}

ctn_digest_text ctn_digest_to_text(ctn_digest digest)
{
    static const char digits[] = "0123456789abcdef";
    ctn_digest_text out = {0};
    for (size_t i = 0; i < CTN_DIGEST_BYTES; i++) {
        out.text[2 * i] = digits[digest.bytes[i] >> 4];
        out.text[2 * i + 1] = digits[digest.bytes[i] & 15];
    }
    return out;
}

bool ctn_digest_parse(ctn_str text, ctn_digest *ret_digest)
{
    ctn_digest digest;
    size_t bytes = 0;
    if (text.len != 2 * sizeof digest.bytes ||
        sodium_hex2bin(digest.bytes, sizeof digest.bytes, text.ptr, text.len, NULL, &bytes, NULL) != 0 ||
        bytes != sizeof digest.bytes)
        return false;
    *ret_digest = digest;
    return true;
}
