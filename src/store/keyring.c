/*
 * keyring.c -- see keyring.h.
 */
#include "store/keyring.h"
#include "base/memory.h"
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KEYS_MAX = 64,
    ID_MAX = sizeof((ctn_master_key *) 0)->id - 1,
    RING_BYTES_MAX = 65536,
};
#define BASE64 sodium_base64_VARIANT_ORIGINAL

typedef struct locked {
    ctn_master_key keys[KEYS_MAX];
    uint32_t count;
} locked;

struct ctn_master_keys {
    const ctn_keyring *ring;
    locked *memory; /* sodium_malloc */
    bool is_read;
    uint64_t stamp;
};

ctn_master_keys *ctn_master_keys_new(const ctn_keyring *ring)
{
    ctn_master_keys *keys = ctn_malloc(sizeof *keys);
    *keys = (ctn_master_keys){.ring = ring, .memory = sodium_malloc(sizeof(locked))};
    if (!keys->memory) /* no memory to lock: as when any is gone */
        abort();
    sodium_memzero(keys->memory, sizeof *keys->memory);
    return keys;
}

void ctn_master_keys_free(ctn_master_keys *keys)
{
    sodium_free(keys->memory); /* wipes it */
    free(keys);
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int parse_line(ctn_master_keys *keys, ctn_str line, uint32_t number, ctn_err *err)
{
    locked *m = keys->memory;
    ctn_str rest = line, id = ctn_str_cut(&rest, ' ');
    ctn_str text = ctn_str_trim(rest);
    bool is_id = id.len && id.len <= ID_MAX;
    for (size_t i = 0; is_id && i < id.len; i++)
        is_id = is_id_char(id.ptr[i]);
    if (m->count == KEYS_MAX)
        return ctn_fail(err, CTN_E_INVALID, "%s has more than %d keys", keys->ring->name, KEYS_MAX);
    ctn_master_key *key = &m->keys[m->count];
    size_t count = 0;
    if (!is_id || sodium_base642bin(key->bytes, sizeof key->bytes, text.ptr, text.len, NULL, &count, NULL, BASE64) ||
        count != sizeof key->bytes)
        return ctn_fail(err, CTN_E_INVALID, "line %u of %s is no key: expected ID and 32 bytes in base64", number,
                        keys->ring->name);
    memcpy(key->id, id.ptr, id.len);
    key->id[id.len] = '\0';
    m->count++;
    return CTN_OK;
}

static int parse_ring(ctn_master_keys *keys, ctn_str text, ctn_err *err)
{
    int rc = CTN_OK;
    sodium_memzero(keys->memory, sizeof *keys->memory);
    for (uint32_t number = 1; rc == CTN_OK && text.len; number++) {
        ctn_str line = ctn_str_trim(ctn_str_cut(&text, '\n'));
        if (line.len && line.ptr[0] != '#')
            rc = parse_line(keys, line, number, err);
    }
    if (rc)
        sodium_memzero(keys->memory, sizeof *keys->memory);
    return rc;
}

/* The text of a ring is wiped before it is given back. */
static void buf_wipe(ctn_buf *b)
{
    if (b->data)
        sodium_memzero(b->data, b->capacity);
    ctn_buf_done(b);
}

int ctn_master_keys_read(ctn_master_keys *keys, ctn_err *err)
{
    ctn_buf text;
    ctn_buf_init(&text, RING_BYTES_MAX);
    ctn_buf_reserve(&text, RING_BYTES_MAX); /* so that growing leaves no copies behind */
    uint64_t stamp = keys->ring->stamp ? keys->ring->stamp(keys->ring->ctx) : 0;
    int rc = keys->ring->read(keys->ring->ctx, &text, err);
    if (rc == CTN_OK)
        rc = parse_ring(keys, ctn_buf_str(&text), err);
    buf_wipe(&text);
    keys->is_read = rc == CTN_OK;
    keys->stamp = stamp;
    if (rc == CTN_OK && keys->memory->count == 0)
        rc = CTN_E_NOT_FOUND;
    return rc;
}

int ctn_master_keys_refresh(ctn_master_keys *keys, ctn_err *err)
{
    if (keys->is_read && keys->memory->count &&
        (!keys->ring->stamp || keys->ring->stamp(keys->ring->ctx) == keys->stamp))
        return CTN_OK;
    return ctn_master_keys_read(keys, err);
}

static const ctn_master_key *find_key(const ctn_master_keys *keys, ctn_str id)
{
    for (uint32_t i = 0; keys->is_read && i < keys->memory->count; i++)
        if (ctn_str_is(id, keys->memory->keys[i].id))
            return &keys->memory->keys[i];
    return NULL;
}

const ctn_master_key *ctn_master_keys_newest(const ctn_master_keys *keys)
{
    assert(keys->memory->count > 0);
    return &keys->memory->keys[keys->memory->count - 1];
}

int ctn_master_keys_find(ctn_master_keys *keys, ctn_str id, const ctn_master_key **ret_key, ctn_err *err)
{
    *ret_key = find_key(keys, id);
    if (*ret_key)
        return CTN_OK;
    int rc = ctn_master_keys_read(keys, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_key = find_key(keys, id);
    if (*ret_key)
        return CTN_OK;
    return ctn_fail(err, CTN_E_DENIED,
                    "sensitive values are sealed with the master key %.*s, which is not in %s: put back the copy of it "
                    "that was kept; without it they cannot be read",
                    CTN_STR_ARG(id), keys->ring->name);
}

/* Writes a ring of these keys, and reads it back. */
static int write_ring(ctn_master_keys *keys, const ctn_master_key *const *list, uint32_t count, bool is_first,
                      ctn_err *err)
{
    char line[sodium_base64_ENCODED_LEN(CTN_DATA_KEY_BYTES, BASE64)];
    ctn_buf text;
    ctn_buf_init(&text, RING_BYTES_MAX);
    ctn_buf_reserve(&text, RING_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        sodium_bin2base64(line, sizeof line, list[i]->bytes, sizeof list[i]->bytes, BASE64);
        ctn_buf_printf(&text, "%s %s\n", list[i]->id, line);
    }
    sodium_memzero(line, sizeof line);
    int rc = keys->ring->write(keys->ring->ctx, ctn_buf_str(&text), is_first, err);
    buf_wipe(&text);
    return rc;
}

int ctn_master_keys_add(ctn_master_keys *keys, bool is_first, ctn_err *err)
{
    ctn_master_key key = {{0}, {0}};
    const ctn_master_key *list[KEYS_MAX + 1];
    uint32_t count = 0;
    if (!keys->ring->write)
        return ctn_fail(err, CTN_E_DENIED, "%s cannot be written: add a line \"ID BASE64\" to it by hand",
                        keys->ring->name);
    if (!is_first && keys->memory->count == KEYS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%s holds %d keys already: drop the old ones first", keys->ring->name,
                        KEYS_MAX);
    snprintf(key.id, sizeof key.id, "k%08x", (unsigned) randombytes_random());
    randombytes_buf(key.bytes, sizeof key.bytes);
    for (; count < keys->memory->count; count++)
        list[count] = &keys->memory->keys[count];
    list[count++] = &key;
    int rc = write_ring(keys, list, count, is_first, err);
    sodium_memzero(&key, sizeof key);
    if (rc == CTN_OK || (rc == CTN_E_EXISTS && is_first))
        rc = ctn_master_keys_read(keys, err) == CTN_OK
                 ? CTN_OK
                 : ctn_fail(err, CTN_E_IO, "%s does not read back", keys->ring->name);
    return rc;
}

int ctn_master_keys_drop_old(ctn_master_keys *keys, uint32_t *ret_dropped, ctn_err *err)
{
    const ctn_master_key *newest = ctn_master_keys_newest(keys);
    uint32_t dropped = keys->memory->count - 1;
    *ret_dropped = 0;
    if (dropped == 0)
        return CTN_OK;
    if (!keys->ring->write)
        return ctn_fail(err, CTN_E_DENIED, "%s cannot be written: remove all lines but the last by hand",
                        keys->ring->name);
    int rc = write_ring(keys, &newest, 1, false, err);
    if (rc == CTN_OK)
        rc = ctn_master_keys_read(keys, err);
    if (rc == CTN_OK)
        *ret_dropped = dropped;
    return rc;
}
