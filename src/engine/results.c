/*
 * results.c -- a hash table of chains, and a list through all of it in order of use.
 */
#include "engine/results.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 4096

typedef struct held {
    struct held *slot_next, *newer, *older;
    ctn_result_held result; /* its text and the key stand behind it */
    ctn_str key;
    size_t bytes;
} held;

struct ctn_results {
    size_t bytes, bytes_max;
    held *newest, *oldest;
    held *slots[SLOTS];
};

ctn_results *ctn_results_new(size_t bytes_max)
{
    ctn_results *r = ctn_malloc(sizeof *r);
    *r = (ctn_results){.bytes_max = bytes_max};
    return r;
}

void ctn_results_free(ctn_results *r)
{
    for (held *h = r ? r->newest : NULL, *older; h; h = older) {
        older = h->older;
        free(h);
    }
    free(r);
}

static held **place_of(ctn_results *r, ctn_str key)
{
    held **at = &r->slots[ctn_str_hash(key) % SLOTS];
    while (*at && !ctn_str_equal((*at)->key, key))
        at = &(*at)->slot_next;
    return at;
}

static void unlink_used(ctn_results *r, held *h)
{
    if (h->newer)
        h->newer->older = h->older;
    else
        r->newest = h->older;
    if (h->older)
        h->older->newer = h->newer;
    else
        r->oldest = h->newer;
}

static void link_newest(ctn_results *r, held *h)
{
    h->newer = NULL;
    h->older = r->newest;
    if (r->newest)
        r->newest->newer = h;
    else
        r->oldest = h;
    r->newest = h;
}

static void drop(ctn_results *r, ctn_str key)
{
    held **at = place_of(r, key);
    held *h = *at;
    if (!h)
        return;
    *at = h->slot_next;
    unlink_used(r, h);
    r->bytes -= h->bytes;
    free(h);
}

void ctn_results_put(ctn_results *r, ctn_str key, const ctn_result_held *result)
{
    drop(r, key);
    size_t bytes = sizeof(held) + key.len + result->value.len;
    if (bytes > r->bytes_max / 8)
        return;
    while (r->bytes + bytes > r->bytes_max)
        drop(r, r->oldest->key);
    held *h = ctn_malloc(bytes);
    char *texts = (char *) (h + 1);
    *h = (held){.result = *result, .key = {texts, key.len}, .bytes = bytes};
    if (key.len)
        memcpy(texts, key.ptr, key.len);
    if (result->value.len)
        memcpy(texts + key.len, result->value.ptr, result->value.len);
    h->result.value.ptr = texts + key.len;
    held **at = place_of(r, h->key);
    h->slot_next = NULL;
    *at = h;
    link_newest(r, h);
    r->bytes += bytes;
}

bool ctn_results_get(ctn_results *r, ctn_str key, ctn_result_held *ret_held)
{
    held *h = *place_of(r, key);
    if (!h)
        return false;
    unlink_used(r, h);
    link_newest(r, h);
    *ret_held = h->result;
    return true;
}

size_t ctn_results_bytes(const ctn_results *r)
{
    return r->bytes;
}
