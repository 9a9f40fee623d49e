/*
 * api_key.c -- see api_key.h.
 */
#include "host/api_key.h"
#include <assert.h>
#include <stdio.h>
#include "base/base64.h"

#define PREFIX       CTN_STR("ctn_")
#define ID_CHARS     12
#define SECRET_BYTES 32
#define SECRET_CHARS 43 /* in base64url */

ctn_api_key ctn_api_key_new(const ctn_rng *rng)
{
    ctn_api_key key;
    uint64_t secret[SECRET_BYTES / sizeof(uint64_t)];
    ctn_arena *arena = ctn_arena_new(256);
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        secret[i] = ctn_rng_next(rng);
    (void) snprintf(key.id, sizeof key.id, "%0*llx", ID_CHARS, (unsigned long long) (ctn_rng_next(rng) >> 16));
    ctn_str text = ctn_base64_url(arena, (ctn_str){(const char *) secret, sizeof secret});
    assert(text.len == SECRET_CHARS);
    (void) snprintf(key.text, sizeof key.text, "ctn_%s_%.*s", key.id, CTN_STR_ARG(text));
    explicit_bzero(secret, sizeof secret);
    explicit_bzero((char *) text.ptr, text.len);
    ctn_arena_free(arena);
    return key;
}

bool ctn_api_key_read(ctn_str text, ctn_str *ret_id)
{
    if (text.len != PREFIX.len + ID_CHARS + 1 + SECRET_CHARS || !ctn_str_starts_with(text, PREFIX) ||
        text.ptr[PREFIX.len + ID_CHARS] != '_')
        return false;
    *ret_id = (ctn_str){text.ptr + PREFIX.len, ID_CHARS};
    return true;
}

ctn_digest ctn_api_key_hash(ctn_str text)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, CTN_STR("catena api key"));
    ctn_hasher_add(&h, text);
    return ctn_hasher_finish(&h);
}
