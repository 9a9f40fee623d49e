/*
 * keyring.h -- the master keys of a ctn_keyring (seal.h), in locked memory. Private to store/.
 *
 * They are parsed when they are first needed, and again when the ring's stamp has changed or a key is asked for that is
 * not there. A ring is small: a few keys of 32 bytes.
 *
 * Errors   CTN_E_NOT_FOUND, without a sentence: the ring holds no key. CTN_E_DENIED: it lacks this one, or cannot be
 *          written. CTN_E_INVALID: a line of it is no key.
 */
#pragma once
#include "store/seal.h"

typedef struct ctn_master_key {
    char id[33];
    unsigned char bytes[CTN_DATA_KEY_BYTES];
} ctn_master_key;

typedef struct ctn_master_keys ctn_master_keys;
ctn_master_keys *ctn_master_keys_new(const ctn_keyring *ring); /* borrowed */
void ctn_master_keys_free(ctn_master_keys *keys);              /* wipes them */

/* As the ring is now; `refresh` reads it only if it may have changed. */
int ctn_master_keys_read(ctn_master_keys *keys, ctn_err *err);
int ctn_master_keys_refresh(ctn_master_keys *keys, ctn_err *err);
/* Borrowed until the next read. */
int ctn_master_keys_find(ctn_master_keys *keys, ctn_str id, const ctn_master_key **ret_key, ctn_err *err);
const ctn_master_key *ctn_master_keys_newest(const ctn_master_keys *keys); /* there is one: the ring was read */

/* Both write the ring, durably, and read it back. is_first: somebody who was faster is as good. */
int ctn_master_keys_add(ctn_master_keys *keys, bool is_first, ctn_err *err);
int ctn_master_keys_drop_old(ctn_master_keys *keys, uint32_t *ret_dropped, ctn_err *err); /* all but the newest */
