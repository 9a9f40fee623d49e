/*
 * seal.h -- sealing: sensitive values leave memory only as commitments and boxes.
 *
 * A value stands in its record's body as {"$sealed": commitment}; the commitment is BLAKE2b-256 of a salt of 32 random
 * bytes and the value's JSON. Beside the body is its box: a nonce, and XChaCha20-Poly1305 of salt and value under the
 * execution's data key, bound to execution, sequence number, place and commitment. So the chain of hashes covers what
 * was said without telling it, and a box can be moved nowhere.
 *
 * A data key is 32 random bytes, one an execution, in the store (data_keys) wrapped by a master key and bound to the
 * execution. Without it nothing of the execution can be opened: to shred is to delete it.
 *
 * Master keys are in a keyring outside the store: a text of lines "ID BASE64", the newest last. New data keys are
 * wrapped by the newest; an ID that is not known makes the keyring be read again, so it may change under a running
 * owner (rekey).
 *
 * What must hold: no clear text of a value is handed to the store; a key that cannot be had is an error, never a value
 * in the clear. Lengths of values are not hidden.
 *
 * Ownership  ctn_seal borrows the keyring. Master keys are in locked memory and wiped; data keys are the caller's to
 *            wipe.
 *
 * Errors     CTN_E_DENIED: the keyring lacks a key (the sentence says which, and where it was looked for), or there is
 *            no keyring. CTN_E_CORRUPT: a box or wrapped key that does not open. CTN_E_NOT_FOUND, without a sentence:
 *            the execution has no data key (it was shredded, or has nothing sealed).
 *
 * Threads    One thread at a time.
 */
#pragma once
#include "core/sealed.h"
#include "store/data_keys.h"

/* Where master keys are kept; the caller knows how to read it. */
typedef struct ctn_keyring {
    void *ctx;
    const char *name; /* for sentences: "the key file /srv/catena.key" */
    /* CTN_E_NOT_FOUND, without a sentence: there is none yet. */
    int (*read)(void *ctx, ctn_buf *ret_text, ctn_err *err);
    /* The whole text, durable when it returns. is_first: CTN_E_EXISTS when somebody was faster. NULL: it cannot be
     * written. */
    int (*write)(void *ctx, ctn_str text, bool is_first, ctn_err *err);
    /* Changes when the text does; NULL: it never does. */
    uint64_t (*stamp)(void *ctx);
    /* The first key was made. May be NULL. */
    void (*on_made)(void *ctx);
} ctn_keyring;

typedef struct ctn_seal ctn_seal;
ctn_seal *ctn_seal_new(const ctn_keyring *ring);
void ctn_seal_free(ctn_seal *seal); /* NULL is fine */

#define CTN_DATA_KEY_BYTES 32
typedef struct ctn_seal_key {
    unsigned char bytes[CTN_DATA_KEY_BYTES];
} ctn_seal_key;
void ctn_seal_key_wipe(ctn_seal_key *key);

/* A new one for this execution, and as the store is to keep it. The first master key is made when the keyring has none
 * and the store no data key either. */
int ctn_seal_key_make(ctn_seal *seal, ctn_store *store, ctn_execution_id id, ctn_arena *arena, ctn_seal_key *ret_key,
                      ctn_data_key *ret_wrapped, ctn_err *err);
int ctn_seal_key_read(ctn_seal *seal, ctn_store *store, int64_t exec_no, ctn_execution_id id, ctn_seal_key *ret_key,
                      ctn_err *err);

/* The record of an entry, as ctn_entry_to_record, with these places sealed. Everything lives in the arena. */
ctn_record ctn_seal_record(const ctn_seal_key *key, ctn_execution_id id, const ctn_entry *entry,
                           const ctn_places *places, const ctn_digest *previous, ctn_arena *arena);
/* The same record with its values in the body and nothing sealed (the hash stays that of the sealed one). One that has
 * nothing sealed is given back as it is. What was shredded reads "(shredded)". */
int ctn_seal_open(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, ctn_arena *arena,
                  ctn_record *ret_record, ctn_err *err);

/* The values one by one, each with the salt that proves it: BLAKE2b-256(salt, json) is the commitment at that place of
 * the body. What was shredded is not among them. */
typedef struct ctn_revealed {
    ctn_str at, salt, json;
} ctn_revealed;
int ctn_seal_reveal(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, ctn_arena *arena,
                    ctn_revealed **ret_items, size_t *ret_count, ctn_err *err);

/* "sealed:" and a digest of the text, under a key of the store's own: equal texts have equal ones, in this store only.
 */
int ctn_seal_digest(ctn_seal *seal, ctn_store *store, ctn_str text, ctn_arena *arena, ctn_str *ret_digest,
                    ctn_err *err);

/* A text that belongs to no execution, sealed by the newest master key itself: "ID BOX". `what` says what it is, and
 * opens nothing else. The first master key is made when the keyring has none. Whoever keeps such a text seals it anew
 * after a rekey: an old key is dropped when no data key needs it. */
int ctn_seal_text(ctn_seal *seal, ctn_str what, ctn_str text, ctn_arena *arena, ctn_str *ret_sealed, ctn_err *err);
int ctn_seal_text_open(ctn_seal *seal, ctn_str what, ctn_str sealed, ctn_arena *arena, ctn_str *ret_text, ctn_err *err);

/* The same under the store's own key, which a rekey wraps anew: it opens as long as the store does. */
int ctn_seal_own_text(ctn_seal *seal, ctn_store *store, ctn_str what, ctn_str text, ctn_arena *arena,
                      ctn_str *ret_sealed, ctn_err *err);
int ctn_seal_own_text_open(ctn_seal *seal, ctn_store *store, ctn_str what, ctn_str sealed, ctn_arena *arena,
                           ctn_str *ret_text, ctn_err *err);

/* ---- changing the master key ---- */

typedef struct ctn_rekey {
    ctn_str id;        /* the newest key */
    int64_t rewrapped; /* data keys */
    uint32_t dropped;  /* master keys */
} ctn_rekey;
/* is_new: a new master key is added first, durably. Then all data keys that another one wraps are wrapped by the
 * newest, a few in a transaction, beside whoever owns the store. Ended anywhere, every data key can be opened with the
 * ring. */
int ctn_seal_rekey(ctn_seal *seal, ctn_store *store, bool is_new, ctn_arena *arena, ctn_rekey *ret, ctn_err *err);
/* Removes the keys from the ring that wrap nothing any more: all but the newest, or CTN_E_STATE. Whoever calls knows
 * that nobody is about to commit a data key under an old one. */
int ctn_seal_drop_old(ctn_seal *seal, ctn_store *store, ctn_rekey *ret, ctn_err *err);
