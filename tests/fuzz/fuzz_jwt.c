/*
 * Any bytes as a signed token, and as a set of keys: no crash, and what is taken is what the list allows.
 */
#include <stdlib.h>
#include "oauth/verify.h"
#include "wire/jwt.h"

static void try_keys(ctn_arena *arena, const ctn_jwt *jwt, const ctn_json *document)
{
    ctn_jwk keys[CTN_JWT_KEYS_MAX];
    size_t count = 0;
    if (ctn_jwks_read(arena, document, keys, &count, NULL))
        return;
    if (count > CTN_JWT_KEYS_MAX)
        abort();
    for (size_t i = 0; i < count; i++)
        if (ctn_jwk_fits(&keys[i], jwt))
            (void) ctn_jwt_is_signed_by(jwt, &keys[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str keys = {(const char *) data, size};
    ctn_str token = ctn_str_cut(&keys, '\n');
    ctn_jwt jwt;
    ctn_err err;
    const ctn_json *document = NULL;
    if (ctn_jwt_read(arena, token, &jwt, &err) == CTN_OK) {
        if (token.len > CTN_JWT_BYTES_MAX || !jwt.signature.len || !ctn_json_is(jwt.claims, CTN_JSON_OBJECT))
            abort();
        const ctn_jwt_rules rules = {.issuer = ctn_jwt_issuer(&jwt), .audience = CTN_STR("a"), .now_ms = 1};
        (void) ctn_jwt_check(&jwt, &rules, &err);
        if (keys.ptr && ctn_json_parse(arena, keys, NULL, &document, NULL) == CTN_OK)
            try_keys(arena, &jwt, document);
    }
    (void) ctn_jwt_is_one(token);
    ctn_arena_free(arena);
    return 0;
}
