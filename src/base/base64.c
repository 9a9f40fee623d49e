/*
 * base64.c -- see base64.h. libsodium does it, in constant time, so it is good for secrets too.
 */
#include "base/base64.h"
#include <sodium.h>

static ctn_str encode(ctn_arena *arena, ctn_str bytes, int variant)
{
    size_t room = sodium_base64_encoded_len(bytes.len, variant); /* with the NUL */
    char *text = ctn_arena_alloc(arena, room);
    sodium_bin2base64(text, room, (const unsigned char *) bytes.ptr, bytes.len, variant);
    return (ctn_str){text, strlen(text)};
}

static bool decode(ctn_arena *arena, ctn_str text, int variant, ctn_str *ret_bytes)
{
    size_t room = text.len / 4 * 3 + 3, len = 0;
    unsigned char *bytes = ctn_arena_alloc(arena, room);
    const char *end = NULL;
    if (text.len && (sodium_base642bin(bytes, room, text.ptr, text.len, NULL, &len, &end, variant) != 0 ||
                     end != text.ptr + text.len))
        return false;
    *ret_bytes = (ctn_str){(const char *) bytes, len};
    return true;
}

ctn_str ctn_base64(ctn_arena *arena, ctn_str bytes)
{
    return encode(arena, bytes, sodium_base64_VARIANT_ORIGINAL);
}

ctn_str ctn_base64_url(ctn_arena *arena, ctn_str bytes)
{
    return encode(arena, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool ctn_base64_read(ctn_arena *arena, ctn_str text, ctn_str *ret_bytes)
{
    return decode(arena, text, sodium_base64_VARIANT_ORIGINAL, ret_bytes);
}

bool ctn_base64_url_read(ctn_arena *arena, ctn_str text, ctn_str *ret_bytes)
{
    return decode(arena, text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret_bytes);
}
