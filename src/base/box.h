/*
 * box.h -- a text sealed under a key: who has not the key can neither read nor change it, and it opens only together
 * with the same context. XChaCha20-Poly1305, a random nonce in front.
 *
 * For what leaves us and comes back from untrusted hands, or lies on a disk. Where keys come from is store/seal.h.
 */
#pragma once
#include "base/arena.h"

#define CTN_BOX_KEY_BYTES 32

/* key: CTN_BOX_KEY_BYTES. context is not in the box: it says what the box is of. */
ctn_str ctn_box_seal(ctn_arena *arena, ctn_str key, ctn_str context, ctn_str text);
/* False leaves *ret_text alone: another key or context, or it was altered. */
bool ctn_box_open(ctn_arena *arena, ctn_str key, ctn_str context, ctn_str box, ctn_str *ret_text);
/* Equal bytes, told in a time that depends on the lengths alone. */
bool ctn_secret_equal(ctn_str a, ctn_str b);
