/*
 * api_key.h -- API keys: made once, shown once, known again by their hash.
 *
 *     ctn_4f0c9b1e77aa_8Zr...        ctn_ID_SECRET
 *
 * The id is no secret: it says in lists and logs which key is meant. The secret is 256 bits of chance, so the hash that
 * is kept is a plain one (BLAKE2b): what makes a hash of passwords slow is there because people's passwords can be
 * guessed, and 256 bits cannot be.
 */
#pragma once
#include "base/clock.h"
#include "base/hash.h"

typedef struct ctn_api_key {
    char text[64]; /* the whole; to be wiped when it was shown */
    char id[13];
} ctn_api_key;

/* rng: one that is fit for keys (ctn_rng_system). */
ctn_api_key ctn_api_key_new(const ctn_rng *rng);
/* Does it look like one? Its id then, in the text. */
bool ctn_api_key_read(ctn_str text, ctn_str *ret_id);
/* Of the whole text. */
ctn_digest ctn_api_key_hash(ctn_str text);
