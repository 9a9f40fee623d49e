/*
 * box.c -- see box.h.
 */
#include "base/box.h"
#include "base/hash.h"
#include <assert.h>
#include <sodium.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES
_Static_assert(CTN_BOX_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key of a box");

ctn_str ctn_box_seal(ctn_arena *arena, ctn_str key, ctn_str context, ctn_str text)
{
    assert(key.len == CTN_BOX_KEY_BYTES);
    int rc = sodium_init();
    assert(rc >= 0);
    unsigned char *box = ctn_arena_alloc(arena, NONCE + text.len + TAG);
    randombytes_buf(box, NONCE);
    unsigned long long sealed = 0;
    rc = crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, &sealed, (const unsigned char *) text.ptr, text.len,
                                                    (const unsigned char *) context.ptr, context.len, NULL, box,
                                                    (const unsigned char *) key.ptr);
    assert(rc == 0 && sealed == text.len + TAG);
    return (ctn_str){(const char *) box, NONCE + (size_t) sealed};
}

bool ctn_box_open(ctn_arena *arena, ctn_str key, ctn_str context, ctn_str box, ctn_str *ret_text)
{
    assert(key.len == CTN_BOX_KEY_BYTES);
    if (box.len < NONCE + TAG)
        return false;
    unsigned char *text = ctn_arena_alloc(arena, box.len - NONCE - TAG);
    unsigned long long len = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, &len, NULL, (const unsigned char *) box.ptr + NONCE,
                                                   box.len - NONCE, (const unsigned char *) context.ptr, context.len,
                                                   (const unsigned char *) box.ptr, (const unsigned char *) key.ptr))
        return false;
    *ret_text = (ctn_str){(const char *) text, (size_t) len};
    return true;
}

bool ctn_secret_equal(ctn_str a, ctn_str b)
{
    ctn_digest x = ctn_hash(a), y = ctn_hash(b); /* of one length, whatever was compared */
    return sodium_memcmp(x.bytes, y.bytes, sizeof x.bytes) == 0;
}
