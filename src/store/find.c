/*
 * find.c -- one execution, by its id, its number, its key or the start of its id; whole (store.h), or as far as it
 * reads (raw.h); and which of many a list tells.
 */
#include "store/backend.h"
#include <inttypes.h>

/* Under a guard, as whatever is read into the caller's arena (store.c). */
typedef struct finding_row {
    ctn_store *st;
    ctn_arena *arena;
    const ctn_lookup *lookup;
    ctn_execution_row *row;
    size_t *matches;
    ctn_err *err;
} finding_row;

static int find_guarded(void *ctx)
{
    const finding_row *f = ctx;
    return f->st->ops->execution_find(f->st, f->arena, f->lookup, f->row, f->matches, f->err);
}

static int find_one(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret, ctn_err *err)
{
    size_t matches = 0;
    ctn_execution_row row;
    finding_row f = {st, arena, lookup, &row, &matches, err};
    int rc = ctn_guarded(find_guarded, &f, err);
    if (rc)
        return rc;
    if (matches != 1)
        return matches ? CTN_E_INVALID : CTN_E_NOT_FOUND;
    *ret = row;
    return CTN_OK;
}

int ctn_store_execution_get(ctn_store *st, ctn_arena *arena, ctn_execution_id id, ctn_execution_row *ret, ctn_err *err)
{
    ctn_lookup lookup = {.kind = CTN_LOOKUP_RANGE, .id_first = id, .id_last = id};
    int rc = find_one(st, arena, &lookup, ret, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "there is no execution %s in the store", ctn_id_to_text(id).text);
    return rc;
}

int ctn_store_execution_by_no(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_execution_row *ret, ctn_err *err)
{
    ctn_lookup lookup = {.kind = CTN_LOOKUP_NO, .exec_no = exec_no};
    int rc = find_one(st, arena, &lookup, ret, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "there is no execution number %" PRId64 " in the store", exec_no);
    return rc;
}

int ctn_store_execution_by_key(ctn_store *st, ctn_arena *arena, ctn_str chain_id, ctn_str key, ctn_execution_row *ret,
                               ctn_err *err)
{
    ctn_lookup lookup = {.kind = CTN_LOOKUP_KEY, .chain_id = chain_id, .key = key};
    int rc = key.len ? find_one(st, arena, &lookup, ret, err) : CTN_E_NOT_FOUND;
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "no execution of the chain \"%.*s\" has the idempotency key \"%.*s\"",
                        CTN_STR_ARG(chain_id), CTN_STR_ARG(key));
    return rc;
}

/* The first and the last id whose text starts like this; false when no id's does. */
static bool prefix_to_range(ctn_str prefix, ctn_lookup *ret)
{
    if (prefix.len > CTN_ID_TEXT_LEN)
        return false;
    memset(ret->id_first.bytes, 0x00, sizeof ret->id_first.bytes);
    memset(ret->id_last.bytes, 0xff, sizeof ret->id_last.bytes);
    size_t digits = 0;
    for (size_t i = 0; i < prefix.len; i++) {
        bool is_hyphen_place = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_hyphen_place != (prefix.ptr[i] == '-'))
            return false;
        if (is_hyphen_place)
            continue;
        int digit = ctn_hex_value(prefix.ptr[i]);
        if (digit < 0)
            return false;
        uint8_t *first = &ret->id_first.bytes[digits / 2], *last = &ret->id_last.bytes[digits / 2];
        if (digits % 2 == 0) {
            *first = (uint8_t) (digit << 4);
            *last = (uint8_t) (digit << 4 | 0x0f);
        } else {
            *first = (uint8_t) (*first | digit);
            *last = (uint8_t) ((*last & 0xf0) | digit);
        }
        digits++;
    }
    return true;
}

typedef int finder(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret, ctn_err *err);

static int find_prefix(ctn_store *st, ctn_arena *arena, ctn_str prefix, finder *find, ctn_execution_row *ret,
                       ctn_err *err)
{
    if (prefix.len < 4)
        return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" is too short for an execution's id: give at least 4 characters",
                        CTN_STR_ARG(prefix));
    ctn_lookup lookup = {.kind = CTN_LOOKUP_RANGE};
    ctn_err inner = {0};
    int rc = prefix_to_range(prefix, &lookup) ? find(st, arena, &lookup, ret, &inner) : CTN_E_NOT_FOUND;
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "no execution has an id that starts with \"%.*s\"",
                        (int) (prefix.len > 64 ? 64 : prefix.len), prefix.ptr);
    if (rc == CTN_E_INVALID)
        return ctn_fail(err, rc, "several executions have an id that starts with \"%.*s\": give more of it",
                        CTN_STR_ARG(prefix));
    if (rc && err)
        *err = inner;
    return rc;
}

int ctn_store_execution_by_prefix(ctn_store *st, ctn_arena *arena, ctn_str prefix, ctn_execution_row *ret, ctn_err *err)
{
    return find_prefix(st, arena, prefix, find_one, ret, err);
}

static int find_raw(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret, ctn_err *err)
{
    size_t matches = 0;
    int rc = st->ops->execution_read_raw(st, arena, lookup, ret, &matches, err);
    return rc || matches == 1 ? rc : matches ? CTN_E_INVALID : CTN_E_NOT_FOUND;
}

int ctn_store_execution_read_raw(ctn_store *st, ctn_arena *arena, ctn_str prefix, ctn_execution_row *ret, ctn_err *err)
{
    return find_prefix(st, arena, prefix, find_raw, ret, err);
}

/* ---- lists ---- */

static bool has_labels(const ctn_json *wanted, ctn_str labels)
{
    const ctn_json *have = NULL;
    ctn_arena *arena = ctn_arena_new(1024);
    bool has = labels.len && ctn_json_parse(arena, labels, NULL, &have, NULL) == CTN_OK;
    for (size_t i = 0; has && i < ctn_json_count(wanted); i++) {
        const ctn_json *one = ctn_json_get(have, ctn_json_text(&wanted->members[i].key));
        has = one && ctn_json_equal(one, &wanted->members[i].value);
    }
    ctn_arena_free(arena);
    return has;
}

static bool is_between(int64_t at_ms, int64_t from_ms, int64_t until_ms)
{
    return (!from_ms || at_ms >= from_ms) && (!until_ms || (at_ms && at_ms < until_ms));
}

bool ctn_execution_filter_takes(const ctn_execution_filter *f, const ctn_execution_row *row)
{
    return (f->chain_id.len == 0 || ctn_str_equal(f->chain_id, row->chain_id)) &&
           (!f->by_status || f->status == row->status) && (!f->statuses || (f->statuses & 1u << row->status)) &&
           (!f->unfinished_only || !ctn_status_is_final(row->status)) &&
           (!f->roots_only || ctn_id_is_none(row->parent)) &&
           (f->tenant.len == 0 || ctn_str_equal(f->tenant, row->tenant)) &&
           is_between(row->created_at_ms, f->created_from_ms, f->created_until_ms) &&
           is_between(row->finished_at_ms, f->finished_from_ms, f->finished_until_ms) &&
           (ctn_json_count(f->labels) == 0 || has_labels(f->labels, row->labels));
}
