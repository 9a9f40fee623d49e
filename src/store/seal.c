/*
 * seal.c -- boxes, data keys, sealed records, and changing the master key.
 */
#include "store/seal.h"
#include "base/base64.h"
#include "base/box.h"
#include "base/memory.h"
#include "store/keyring.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    SALT_BYTES = 32,
    REKEY_BATCH = 256,
    STOP = 1000, /* of a callback: no error's code */
    /* Values are as deep as values may be, within a body. */
    DEPTH_MAX = CTN_JSON_DEPTH_MAX + 64,
};

struct ctn_seal {
    const ctn_keyring *ring;
    ctn_master_keys *masters;
    bool has_index_key;
    ctn_seal_key index_key;
};

ctn_seal *ctn_seal_new(const ctn_keyring *ring)
{
    if (sodium_init() < 0)
        abort();
    ctn_seal *seal = ctn_malloc(sizeof *seal);
    *seal = (ctn_seal){.ring = ring, .masters = ctn_master_keys_new(ring)};
    return seal;
}

void ctn_seal_free(ctn_seal *seal)
{
    if (!seal)
        return;
    ctn_master_keys_free(seal->masters);
    ctn_seal_key_wipe(&seal->index_key);
    free(seal);
}

void ctn_seal_key_wipe(ctn_seal_key *key)
{
    sodium_memzero(key->bytes, sizeof key->bytes);
}

/* ---- the master keys ---- */

static int stop_at_first(void *ctx, int64_t exec_no, const ctn_data_key *key)
{
    (void) exec_no;
    (void) key;
    *(bool *) ctx = true;
    return STOP;
}

/* The ring as it is now, made when there is none and there never was one. */
static int need_ring(ctn_seal *seal, ctn_store *store, ctn_err *err)
{
    int rc = ctn_master_keys_refresh(seal->masters, err);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    bool has_keys = false;
    rc = ctn_store_data_key_list(store, CTN_STR(""), -1, 1, stop_at_first, &has_keys, err);
    if (rc && !has_keys)
        return rc;
    if (has_keys)
        return ctn_fail(
            err, CTN_E_DENIED,
            "%s is not there, and the store holds values that are sealed with its keys: put back the copy of "
            "it that was kept",
            seal->ring->name);
    if (!seal->ring->write)
        return ctn_fail(err, CTN_E_DENIED,
                        "%s holds no key to seal sensitive values with: it takes lines \"ID BASE64\"",
                        seal->ring->name);
    rc = ctn_master_keys_add(seal->masters, true, err);
    if (rc == CTN_OK && seal->ring->on_made)
        seal->ring->on_made(seal->ring->ctx);
    return rc;
}

static ctn_str key_text(const unsigned char key[CTN_DATA_KEY_BYTES])
{
    return (ctn_str){(const char *) key, CTN_DATA_KEY_BYTES};
}

/* ---- data keys ---- */

static ctn_str bound_of_key(ctn_arena *arena, ctn_execution_id id)
{
    return ctn_arena_printf(arena, "catena data key %s", ctn_id_to_text(id).text);
}

static ctn_data_key wrap(const ctn_master_key *master, ctn_execution_id id, const ctn_seal_key *key, ctn_arena *arena)
{
    ctn_str clear = {(const char *) key->bytes, sizeof key->bytes};
    return (ctn_data_key){.master_id = ctn_arena_str(arena, ctn_str_from(master->id)),
                          .wrapped = ctn_box_seal(arena, key_text(master->bytes), bound_of_key(arena, id), clear)};
}

static int unwrap(ctn_seal *seal, const ctn_data_key *wrapped, ctn_execution_id id, ctn_arena *arena,
                  ctn_seal_key *ret_key, ctn_err *err)
{
    const ctn_master_key *master = NULL;
    ctn_str clear;
    int rc = ctn_master_keys_find(seal->masters, wrapped->master_id, &master, err);
    if (rc)
        return rc;
    if (!ctn_box_open(arena, key_text(master->bytes), bound_of_key(arena, id), wrapped->wrapped, &clear) ||
        clear.len != sizeof ret_key->bytes)
        return ctn_fail(
            err, CTN_E_CORRUPT,
            "the data key does not open with the master key %s of %s: it was altered, or that is another key "
            "of the same name",
            master->id, seal->ring->name);
    memcpy(ret_key->bytes, clear.ptr, sizeof ret_key->bytes);
    sodium_memzero((char *) clear.ptr, clear.len);
    return CTN_OK;
}

int ctn_seal_key_make(ctn_seal *seal, ctn_store *store, ctn_execution_id id, ctn_arena *arena, ctn_seal_key *ret_key,
                      ctn_data_key *ret_wrapped, ctn_err *err)
{
    int rc = need_ring(seal, store, err);
    if (rc)
        return rc;
    randombytes_buf(ret_key->bytes, sizeof ret_key->bytes);
    *ret_wrapped = wrap(ctn_master_keys_newest(seal->masters), id, ret_key, arena);
    return CTN_OK;
}

int ctn_seal_key_read(ctn_seal *seal, ctn_store *store, int64_t exec_no, ctn_execution_id id, ctn_seal_key *ret_key,
                      ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    ctn_data_key wrapped;
    int rc = ctn_store_data_key_get(store, arena, exec_no, &wrapped, err);
    if (rc == CTN_OK)
        rc = unwrap(seal, &wrapped, id, arena, ret_key, err);
    ctn_arena_free(arena);
    return rc;
}

/* ---- records ---- */

static ctn_digest commit_to(ctn_str salt_and_value)
{
    return ctn_hash(salt_and_value);
}

static ctn_str bound_of_value(ctn_arena *arena, ctn_execution_id id, uint64_t seq, ctn_str pointer, ctn_str commitment)
{
    return ctn_arena_printf(arena, "catena value %s %llu %.*s %.*s", ctn_id_to_text(id).text, (unsigned long long) seq,
                            CTN_STR_ARG(commitment), CTN_STR_ARG(pointer));
}

ctn_record ctn_seal_record(const ctn_seal_key *key, ctn_execution_id id, const ctn_entry *entry,
                           const ctn_places *places, const ctn_digest *previous, ctn_arena *arena)
{
    ctn_entry sealed = *entry;
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < places->count; i++) {
        const ctn_place *place = &places->items[i];
        size_t count = ctn_json_bytes(place->value);
        ctn_buf clear; /* the heap's and not the arena's: wiped when it is done */
        ctn_buf_init(&clear, SALT_BYTES + count);
        ctn_buf_reserve(&clear, SALT_BYTES + count);
        unsigned char salt[SALT_BYTES];
        randombytes_buf(salt, sizeof salt);
        ctn_buf_append(&clear, (ctn_str){(const char *) salt, sizeof salt});
        ctn_json_write(&clear, place->value);
        ctn_digest_text hex = ctn_digest_to_text(commit_to(ctn_buf_str(&clear)));
        ctn_str commitment = ctn_arena_str(arena, ctn_str_from(hex.text));
        ctn_str box =
            ctn_box_seal(arena, key_text(key->bytes), bound_of_value(arena, id, entry->seq, place->pointer, commitment),
                         ctn_buf_str(&clear));
        sodium_memzero(clear.data, clear.capacity);
        ctn_buf_done(&clear);
        ctn_json_builder item = ctn_json_object(arena), mark = ctn_json_object(arena);
        ctn_json_put_str(&item, "at", place->pointer);
        ctn_json_put_str(&item, "box", ctn_base64(arena, box));
        ctn_json_push(&list, ctn_json_finish(&item));
        ctn_json_put_str(&mark, "$sealed", commitment);
        sealed.body = ctn_json_with(arena, sealed.body, place->pointer, ctn_json_finish(&mark));
    }
    ctn_record record = ctn_entry_to_record(&sealed, previous, arena);
    if (places->count)
        record.sealed = ctn_json_to_str(arena, ctn_json_finish(&list));
    return record;
}

static int fail_box(const ctn_record *record, ctn_str at, const char *why, ctn_err *err)
{
    return ctn_fail(err, CTN_E_CORRUPT, "entry %llu: what is sealed at %.*s %s", (unsigned long long) record->seq,
                    CTN_STR_ARG(at), why);
}

/* Salt and value of one item; empty: shredded. */
static int open_box(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, const ctn_json *item,
                    ctn_str commitment, ctn_arena *arena, ctn_str *ret_clear, ctn_err *err)
{
    ctn_str at = ctn_json_str_or(item, "at", CTN_STR("")), text = ctn_json_str_or(item, "box", CTN_STR(""));
    *ret_clear = (ctn_str){0};
    if (!commitment.len)
        return fail_box(record, at, "has no commitment in the entry", err);
    if (!text.len)
        return CTN_OK;
    ctn_str box, clear;
    if (!ctn_base64_read(arena, text, &box))
        return fail_box(record, at, "is no base64", err);
    if (!ctn_box_open(arena, key_text(key->bytes), bound_of_value(arena, id, record->seq, at, commitment), box,
                      &clear) ||
        clear.len < SALT_BYTES)
        return fail_box(record, at, "does not open: it was altered, moved, or sealed with another key", err);
    if (!ctn_str_is(commitment, ctn_digest_to_text(commit_to(clear)).text))
        return fail_box(record, at, "is not what the entry commits to", err);
    *ret_clear = clear;
    return CTN_OK;
}

static int open_one(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, const ctn_json *item,
                    ctn_arena *arena, const ctn_json **body, ctn_err *err)
{
    static const ctn_json shredded = {
        .kind = CTN_JSON_STRING, .count = sizeof CTN_SHREDDED_TEXT - 1, .text = CTN_SHREDDED_TEXT};
    ctn_str at = ctn_json_str_or(item, "at", CTN_STR("")), clear;
    ctn_str commitment = ctn_json_str_or(ctn_json_pointer(*body, at), "$sealed", CTN_STR(""));
    int rc = open_box(key, id, record, item, commitment, arena, &clear, err);
    if (rc)
        return rc;
    ctn_json_options options = {.depth_max = DEPTH_MAX};
    const ctn_json *value = &shredded;
    if (clear.len && ctn_json_parse(arena, ctn_str_from_offset(clear, SALT_BYTES), &options, &value, NULL))
        return fail_box(record, at, "is no JSON", err);
    *body = ctn_json_with(arena, *body, at, value);
    return CTN_OK;
}

static int read_sealed(const ctn_record *record, ctn_arena *arena, const ctn_json **ret_body, const ctn_json **ret_list,
                       ctn_err *err)
{
    ctn_json_options options = {.depth_max = DEPTH_MAX};
    if (ctn_json_parse(arena, record->body, &options, ret_body, NULL) ||
        ctn_json_parse(arena, record->sealed, NULL, ret_list, NULL) || !ctn_json_is(*ret_list, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu: what is sealed does not read",
                        (unsigned long long) record->seq);
    return CTN_OK;
}

int ctn_seal_open(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, ctn_arena *arena,
                  ctn_record *ret_record, ctn_err *err)
{
    *ret_record = *record;
    if (!record->sealed.len)
        return CTN_OK;
    const ctn_json *body = NULL, *list = NULL;
    int rc = read_sealed(record, arena, &body, &list, err);
    for (size_t i = 0; rc == CTN_OK && i < list->count; i++)
        rc = open_one(key, id, record, &list->items[i], arena, &body, err);
    if (rc)
        return rc;
    ret_record->body = ctn_json_to_str(arena, body);
    ret_record->sealed = (ctn_str){0};
    return CTN_OK;
}

int ctn_seal_reveal(const ctn_seal_key *key, ctn_execution_id id, const ctn_record *record, ctn_arena *arena,
                    ctn_revealed **ret_items, size_t *ret_count, ctn_err *err)
{
    const ctn_json *body = NULL, *list = NULL;
    *ret_count = 0;
    if (!record->sealed.len)
        return CTN_OK;
    int rc = read_sealed(record, arena, &body, &list, err);
    ctn_revealed *items = rc ? NULL : CTN_NEW_ARRAY(arena, ctn_revealed, list->count);
    size_t count = 0;
    for (size_t i = 0; rc == CTN_OK && i < list->count; i++) {
        ctn_str at = ctn_json_str_or(&list->items[i], "at", CTN_STR("")), clear;
        ctn_str commitment = ctn_json_str_or(ctn_json_pointer(body, at), "$sealed", CTN_STR(""));
        rc = open_box(key, id, record, &list->items[i], commitment, arena, &clear, err);
        if (rc == CTN_OK && clear.len)
            items[count++] =
                (ctn_revealed){at, {clear.ptr, SALT_BYTES}, {clear.ptr + SALT_BYTES, clear.len - SALT_BYTES}};
    }
    if (rc)
        return rc;
    *ret_items = items;
    *ret_count = count;
    return CTN_OK;
}

/* ---- texts of no execution ---- */

int ctn_seal_text(ctn_seal *seal, ctn_str what, ctn_str text, ctn_arena *arena, ctn_str *ret_sealed, ctn_err *err)
{
    int rc = ctn_master_keys_refresh(seal->masters, err);
    if (rc == CTN_E_NOT_FOUND && !seal->ring->write)
        return ctn_fail(err, CTN_E_DENIED, "%s holds no key: it takes lines \"ID BASE64\"", seal->ring->name);
    if (rc == CTN_E_NOT_FOUND) {
        rc = ctn_master_keys_add(seal->masters, true, err);
        if (rc == CTN_OK && seal->ring->on_made)
            seal->ring->on_made(seal->ring->ctx);
    }
    if (rc)
        return rc;
    const ctn_master_key *master = ctn_master_keys_newest(seal->masters);
    ctn_str box = ctn_box_seal(arena, key_text(master->bytes), what, text);
    *ret_sealed = ctn_arena_printf(arena, "%s %.*s", master->id, CTN_STR_ARG(ctn_base64(arena, box)));
    return CTN_OK;
}

int ctn_seal_text_open(ctn_seal *seal, ctn_str what, ctn_str sealed, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    const ctn_master_key *master = NULL;
    ctn_str rest = sealed, id = ctn_str_cut(&rest, ' '), box;
    int rc = ctn_master_keys_find(seal->masters, id, &master, err);
    if (rc)
        return rc;
    if (!ctn_base64_read(arena, rest, &box) || !ctn_box_open(arena, key_text(master->bytes), what, box, ret_text))
        return ctn_fail(err, CTN_E_CORRUPT, "what is sealed does not open: it was altered, or sealed with another key");
    return CTN_OK;
}

/* ---- digests of names ---- */

static int need_index_key(ctn_seal *seal, ctn_store *store, ctn_err *err)
{
    static const ctn_execution_id nobody;
    if (seal->has_index_key)
        return CTN_OK;
    ctn_arena *arena = ctn_arena_new(512);
    ctn_data_key wrapped;
    int rc = ctn_seal_key_read(seal, store, 0, nobody, &seal->index_key, err);
    if (rc == CTN_E_NOT_FOUND) {
        rc = ctn_seal_key_make(seal, store, nobody, arena, &seal->index_key, &wrapped, err);
        if (rc == CTN_OK)
            rc = ctn_store_data_key_put(store, 0, &wrapped, err);
        if (rc == CTN_E_EXISTS) /* somebody was faster: theirs counts */
            rc = ctn_seal_key_read(seal, store, 0, nobody, &seal->index_key, err);
    }
    seal->has_index_key = rc == CTN_OK;
    ctn_arena_free(arena);
    return rc;
}

int ctn_seal_digest(ctn_seal *seal, ctn_store *store, ctn_str text, ctn_arena *arena, ctn_str *ret_digest, ctn_err *err)
{
    ctn_digest digest;
    int rc = need_index_key(seal, store, err);
    if (rc)
        return rc;
    crypto_generichash(digest.bytes, sizeof digest.bytes, (const unsigned char *) text.ptr, text.len,
                       seal->index_key.bytes, sizeof seal->index_key.bytes);
    *ret_digest = ctn_arena_printf(arena, "sealed:%s", ctn_digest_to_text(digest).text);
    return CTN_OK;
}

/* ---- texts of the store's own ---- */

/* Another key than the digests': what somebody has made a digest of opens nothing. */
static int own_key(ctn_seal *seal, ctn_store *store, unsigned char key[CTN_BOX_KEY_BYTES], ctn_err *err)
{
    int rc = need_index_key(seal, store, err);
    if (rc == CTN_OK)
        (void) crypto_kdf_derive_from_key(key, CTN_BOX_KEY_BYTES, 1, "ctn-own-", seal->index_key.bytes);
    return rc;
}

int ctn_seal_own_text(ctn_seal *seal, ctn_store *store, ctn_str what, ctn_str text, ctn_arena *arena,
                      ctn_str *ret_sealed, ctn_err *err)
{
    unsigned char key[CTN_BOX_KEY_BYTES];
    int rc = own_key(seal, store, key, err);
    if (rc)
        return rc;
    *ret_sealed = ctn_base64(arena, ctn_box_seal(arena, key_text(key), what, text));
    sodium_memzero(key, sizeof key);
    return CTN_OK;
}

int ctn_seal_own_text_open(ctn_seal *seal, ctn_store *store, ctn_str what, ctn_str sealed, ctn_arena *arena,
                           ctn_str *ret_text, ctn_err *err)
{
    unsigned char key[CTN_BOX_KEY_BYTES];
    ctn_str box;
    int rc = own_key(seal, store, key, err);
    if (rc)
        return rc;
    bool is_open = ctn_base64_read(arena, sealed, &box) && ctn_box_open(arena, key_text(key), what, box, ret_text);
    sodium_memzero(key, sizeof key);
    return is_open ? CTN_OK : ctn_fail(err, CTN_E_CORRUPT, "what is sealed does not open: it was altered");
}

/* ---- rekey ---- */

typedef struct rewrapping {
    ctn_seal *seal;
    ctn_store *store;
    ctn_arena *arena;
    ctn_data_key_swap swaps[REKEY_BATCH];
    size_t count;
    int64_t last;
    ctn_err *err;
} rewrapping;

static int collect_key(void *ctx, int64_t exec_no, const ctn_data_key *key)
{
    rewrapping *r = ctx;
    r->swaps[r->count++] = (ctn_data_key_swap){
        .exec_no = exec_no,
        .wrapped_before = ctn_arena_str(r->arena, key->wrapped),
        .key = {.master_id = ctn_arena_str(r->arena, key->master_id)},
    };
    r->last = exec_no;
    return r->count == REKEY_BATCH ? STOP : 0;
}

static int rewrap_one(rewrapping *r, ctn_data_key_swap *swap, ctn_err *err)
{
    ctn_execution_row row = {.id = {{0}}};
    ctn_seal_key key;
    int rc = swap->exec_no ? ctn_store_execution_by_no(r->store, r->arena, swap->exec_no, &row, err) : CTN_OK;
    if (rc == CTN_E_NOT_FOUND) { /* retention has taken it meanwhile, and its key with it */
        swap->exec_no = -1;
        return CTN_OK;
    }
    if (rc)
        return rc;
    ctn_data_key before = {.master_id = swap->key.master_id, .wrapped = swap->wrapped_before};
    rc = unwrap(r->seal, &before, row.id, r->arena, &key, err);
    if (rc)
        return ctn_wrap(err, rc, "data key of execution %s", ctn_id_to_text(row.id).text);
    swap->key = wrap(ctn_master_keys_newest(r->seal->masters), row.id, &key, r->arena);
    ctn_seal_key_wipe(&key);
    return CTN_OK;
}

static int rewrap_all(ctn_seal *seal, ctn_store *store, ctn_rekey *ret, ctn_err *err)
{
    rewrapping *r = ctn_malloc(sizeof *r);
    *r = (rewrapping){.seal = seal, .store = store, .arena = ctn_arena_new(65536), .last = -1, .err = err};
    int rc = CTN_OK;
    do {
        ctn_arena_reset(r->arena);
        r->count = 0;
        rc = ctn_store_data_key_list(store, ctn_str_from(ctn_master_keys_newest(seal->masters)->id), r->last,
                                     REKEY_BATCH, collect_key, r, err);
        if (rc == STOP) /* the batch is full */
            rc = CTN_OK;
        for (size_t i = 0; rc == CTN_OK && i < r->count; i++)
            rc = rewrap_one(r, &r->swaps[i], err);
        if (rc == CTN_OK)
            rc = ctn_store_data_key_swap(store, r->swaps, r->count, err);
        if (rc == CTN_OK)
            ret->rewrapped += (int64_t) r->count;
    } while (rc == CTN_OK && r->count == REKEY_BATCH);
    ctn_arena_free(r->arena);
    free(r);
    return rc;
}

int ctn_seal_rekey(ctn_seal *seal, ctn_store *store, bool is_new, ctn_arena *arena, ctn_rekey *ret, ctn_err *err)
{
    *ret = (ctn_rekey){0};
    int rc = need_ring(seal, store, err);
    if (rc == CTN_OK && is_new)
        rc = ctn_master_keys_add(seal->masters, false, err);
    if (rc == CTN_OK)
        rc = rewrap_all(seal, store, ret, err);
    if (rc == CTN_OK)
        ret->id = ctn_arena_str(arena, ctn_str_from(ctn_master_keys_newest(seal->masters)->id));
    return rc;
}

int ctn_seal_drop_old(ctn_seal *seal, ctn_store *store, ctn_rekey *ret, ctn_err *err)
{
    bool is_used = false;
    int rc = ctn_master_keys_read(seal->masters, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, CTN_E_DENIED, "%s holds no keys", seal->ring->name);
    if (rc == CTN_OK)
        rc = ctn_store_data_key_list(store, ctn_str_from(ctn_master_keys_newest(seal->masters)->id), -1, 1,
                                     stop_at_first, &is_used, err);
    if (is_used)
        return ctn_fail(err, CTN_E_STATE,
                        "the old keys still wrap data keys: run `catena store rekey --drop-old` again");
    return rc ? rc : ctn_master_keys_drop_old(seal->masters, &ret->dropped, err);
}
