/*
 * split.c -- see split.h: opening all of them, and closing.
 */
#include "store/split/split.h"
#include "base/memory.h"
#include "store/split/parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The table of backend.h is put together for each handle: its functions are private to the files that they are in. */
typedef struct split_handle {
    split_store store; /* first: a handle is a ctn_store */
    ctn_store_ops ops;
} split_handle;

static void split_close(ctn_store *base)
{
    split_handle *h = (split_handle *) base;
    ctn_split_parts_free(&h->store);
    if (h->store.wake_fd >= 0)
        close(h->store.wake_fd);
    free(h);
}

static int judge_count(split_store *s, ctn_err *err)
{
    s->shard_count = ctn_store_shard_count(s->parts[0].st);
    for (size_t i = 1; i < s->count; i++)
        if (ctn_store_shard_count(s->parts[i].st) != s->shard_count)
            return ctn_fail(err, CTN_E_INVALID,
                            "the store of the shards %" PRIu32 "-%" PRIu32 " has %" PRIu32
                            " shards, the first one has %" PRIu32,
                            s->parts[i].first, s->parts[i].last, ctn_store_shard_count(s->parts[i].st), s->shard_count);
    uint32_t last = s->parts[s->count - 1].last;
    return last + 1 == s->shard_count
               ? CTN_OK
               : ctn_fail(err, CTN_E_INVALID, "the ranges end at shard %" PRIu32 ", but there are %" PRIu32, last,
                          s->shard_count);
}

static int split_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    split_handle *h = ctn_calloc(1, sizeof *h);
    split_store *s = &h->store;
    s->wake_fd = -1;
    int rc = ctn_split_read(url, s, err);
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        rc = ctn_store_open(s->parts[i].url, mode, &s->parts[i].st, err);
        if (rc)
            rc = ctn_wrap(err, rc, "the store of the shards %" PRIu32 "-%" PRIu32, s->parts[i].first, s->parts[i].last);
    }
    if (rc == CTN_OK)
        rc = judge_count(s, err);
    ctn_split_write_ops(&h->ops);
    ctn_split_read_ops(&h->ops);
    h->ops.close = split_close;
    h->ops.fleet = &ctn_split_fleet_ops;
    s->base = (ctn_store){.ops = &h->ops, .mode = mode};
    if (rc) {
        split_close(&s->base);
        return rc;
    }
    *ret_store = &s->base;
    return CTN_OK;
}

static int split_check(const char *url, ctn_err *err)
{
    return url[sizeof "shards:" - 1] ? CTN_OK
                                     : ctn_fail(err, CTN_E_INVALID, "\"shards:\" names no file: write shards:FILE");
}

/* The oldest of them. */
static int split_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    split_store s = {0};
    int rc = ctn_split_read(url, &s, err);
    for (size_t i = 0; rc == CTN_OK && i < s.count; i++) {
        ctn_store_version version;
        rc = ctn_store_version_read(s.parts[i].url, &version, err);
        if (rc == CTN_OK && (i == 0 || version.found < ret_version->found))
            *ret_version = version;
    }
    ctn_split_parts_free(&s);
    return rc;
}

static bool split_is_fleet(const char *url)
{
    (void) url;
    return true;
}

const ctn_backend ctn_split_backend = {
    .scheme = "shards",
    .form = "shards:FILE",
    .check = split_check,
    .open = split_open,
    .version_read = split_version_read,
    .is_fleet = split_is_fleet,
};
