/*
 * hash.h -- digests: BLAKE2b (RFC 7693), and SHA-256, also keyed (HMAC), for protocols that ask for it, through
 * libsodium. Pure.
 */
#pragma once
#include "base/str.h"

#define CTN_DIGEST_BYTES 32
typedef struct ctn_digest {
    uint8_t bytes[CTN_DIGEST_BYTES];
} ctn_digest;
typedef struct ctn_digest_text {
    char text[2 * CTN_DIGEST_BYTES + 1]; /* lower-case hex */
} ctn_digest_text;

ctn_digest ctn_hash(ctn_str data);
ctn_digest ctn_sha256(ctn_str data); /* SHA-256, where a protocol asks for it */
/* RFC 2104, with a key of any length, over the parts one after the other. */
ctn_digest ctn_hmac_sha256(ctn_str key, const ctn_str *parts, size_t count);
ctn_digest_text ctn_digest_to_text(ctn_digest digest);
/* 64 hexadecimal digits of either case; false leaves *ret_digest alone. */
bool ctn_digest_parse(ctn_str text, ctn_digest *ret_digest);

/* In pieces. */
typedef struct ctn_hasher {
    _Alignas(64) unsigned char opaque[384];
} ctn_hasher;
void ctn_hasher_init(ctn_hasher *h);
void ctn_hasher_add(ctn_hasher *h, ctn_str data);
ctn_digest ctn_hasher_finish(ctn_hasher *h);
