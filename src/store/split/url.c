/*
 * url.c -- shards:FILE: which shards live in which database, read and judged. What a URL says is never repeated in a
 * sentence: there may be a password in it.
 */
#include "store/split/parts.h"
#include "base/json.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static int read_file(const char *path, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    char *text = ctn_arena_alloc(arena, FILE_BYTES_MAX);
    FILE *file = fopen(path, "re");
    if (!file)
        return ctn_fail(err, errno == ENOENT ? CTN_E_NOT_FOUND : CTN_E_DENIED, "the file of databases %s: %s", path,
                        strerror(errno));
    size_t len = fread(text, 1, FILE_BYTES_MAX, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || len == FILE_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "the file of databases %s cannot be read, or is larger than %d bytes", path,
                        FILE_BYTES_MAX);
    *ret_text = (ctn_str){text, len};
    return CTN_OK;
}

/* "0-511" */
static bool read_range(ctn_str text, uint32_t *ret_first, uint32_t *ret_last)
{
    unsigned first, last;
    int end = 0;
    char copy[16];
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "%4u-%4u%n", &first, &last, &end) != 2 || (size_t) end != text.len || last >= CTN_SHARDS_MAX ||
        first > last)
        return false;
    *ret_first = first;
    *ret_last = last;
    return true;
}

static int by_shard(const void *a, const void *b)
{
    const split_part *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static int take_part(const char *path, const ctn_json *file, size_t i, split_store *s, ctn_err *err)
{
    ctn_str range = ctn_json_text(&file->members[i].key);
    split_part *part = &s->parts[s->count];
    if (!read_range(range, &part->first, &part->last))
        return ctn_fail(err, CTN_E_INVALID, "%s: \"%.*s\" is no range of shards, as \"0-511\" is (0 to %d)", path,
                        CTN_STR_ARG(range), CTN_SHARDS_MAX - 1);
    if (!ctn_json_is(&file->members[i].value, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "%s: the database of \"%.*s\" is no text", path, CTN_STR_ARG(range));
    part->url = ctn_cstring(ctn_json_text(&file->members[i].value));
    s->count++;
    if (strncmp(part->url, "shards:", 7) == 0 || !ctn_store_url_is_fleet(part->url))
        return ctn_fail(err, CTN_E_INVALID,
                        "%s: the store of \"%.*s\" is none that several nodes share (postgres://...)", path,
                        CTN_STR_ARG(range));
    return CTN_OK;
}

static int judge_ranges(const char *path, const split_store *s, ctn_err *err)
{
    uint32_t next = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->parts[i].first != next)
            return ctn_fail(err, CTN_E_INVALID, "%s: shard %" PRIu32 " is in %s", path,
                            s->parts[i].first < next ? s->parts[i].first : next,
                            s->parts[i].first < next ? "two ranges" : "no range");
        next = s->parts[i].last + 1;
    }
    return CTN_OK;
}

int ctn_split_read(const char *url, split_store *ret, ctn_err *err)
{
    const char *path = url + sizeof "shards:" - 1;
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *file = NULL;
    ctn_str text;
    ret->count = 0;
    int rc = *path ? read_file(path, arena, &text, err)
                   : ctn_fail(err, CTN_E_INVALID, "\"shards:\" names no file: write shards:FILE");
    if (rc == CTN_OK && ctn_json_parse(arena, text, NULL, &file, err))
        rc = ctn_wrap(err, CTN_E_INVALID, "%s", path);
    size_t count = file ? ctn_json_count(file) : 0;
    if (rc == CTN_OK && (!ctn_json_is(file, CTN_JSON_OBJECT) || count == 0 || count > SPLIT_PARTS_MAX))
        rc = ctn_fail(err, CTN_E_INVALID, "%s is no object of 1 to %d ranges: {\"0-511\": \"postgres://...\", ...}",
                      path, SPLIT_PARTS_MAX);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = take_part(path, file, i, ret, err);
    if (rc == CTN_OK) {
        qsort(ret->parts, ret->count, sizeof *ret->parts, by_shard);
        rc = judge_ranges(path, ret, err);
    }
    ctn_arena_free(arena);
    if (rc)
        ctn_split_parts_free(ret);
    return rc;
}

void ctn_split_parts_free(split_store *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ctn_store_close(s->parts[i].st);
        free(s->parts[i].url);
    }
    s->count = 0;
}
