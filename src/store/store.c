/*
 * store.c -- what every backend may rely on.
 *
 * Everything here is the same for all backends: the shape of an append, the mode of a handle, and the
 * sentences for what is not there. Must hold: no ill-formed append reaches a backend (records consecutive from
 * seq_expected + 1, a row exactly when the execution is new), so a backend has to look at the two things only that
 * it alone can know: which epoch and which sequence number are on disk.
 */
#include "store/store.h"
#include "base/memory.h"
#include "store/backend.h"
#include "store/url.h"
#include <inttypes.h>
#include <stdlib.h>

int ctn_store_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    ctn_url parsed;
    int rc = ctn_url_parse(url, &parsed, err);
    if (rc)
        return rc;
    return parsed.kind == CTN_URL_MEMORY ? ctn_memory_open(ctn_str_from(parsed.name), mode, ret_store, err)
                                         : ctn_sqlite_open(parsed.name, mode, &parsed.sqlite, ret_store, err);
}

void ctn_store_close(ctn_store *st)
{
    if (st)
        st->ops->close(st);
}

/* ---- schema ---- */

int ctn_store_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    ctn_url parsed;
    int rc = ctn_url_parse(url, &parsed, err);
    if (rc)
        return rc;
    if (parsed.kind == CTN_URL_SQLITE)
        return ctn_sqlite_version_read(parsed.name, ret_version, err);
    if (!ctn_memory_exists(ctn_str_from(parsed.name)))
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no store memory:%s in this process", parsed.name);
    *ret_version = (ctn_store_version){.found = 1, .newest = 1}; /* it has no schema and no past */
    return CTN_OK;
}

int ctn_store_migrate(const char *url, ctn_store_version *ret_before, ctn_err *err)
{
    ctn_url parsed;
    int rc = ctn_url_parse(url, &parsed, err);
    if (rc)
        return rc;
    return parsed.kind == CTN_URL_SQLITE ? ctn_sqlite_migrate(parsed.name, 0, false, ret_before, err)
                                         : ctn_store_version_read(url, ret_before, err);
}

uint64_t ctn_store_file_key(const char *url)
{
    ctn_str file = ctn_store_url_file(url);
    char *path = ctn_store_cstring(file);
    uint64_t key = file.len ? ctn_sqlite_file_key(path) : 0;
    free(path);
    return key;
}

bool ctn_store_was_migrated(const ctn_store *st, ctn_store_version *ret_version)
{
    if (st->raised.found)
        *ret_version = st->raised;
    return st->raised.found > 0;
}

/* ---- sentences that are the same everywhere ---- */

int ctn_store_fail_definition(const ctn_chain_row *row, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NOT_FOUND, "chain %.*s: its definition %s is not in the store",
                    CTN_STR_ARG(row->chain_id), ctn_digest_to_text(row->digest).text);
}

int ctn_store_fail_version(const ctn_chain_row *row, ctn_err *err)
{
    return ctn_fail(err, CTN_E_EXISTS,
                    "chain %.*s: version %" PRId64 " is stored already with other content; give the new content a "
                    "version of its own",
                    CTN_STR_ARG(row->chain_id), row->version);
}

int ctn_store_fail_epoch(uint64_t epoch, uint64_t epoch_current, ctn_err *err)
{
    return ctn_fail(err, CTN_E_STALE, "epoch %" PRIu64 " is over: the store is in epoch %" PRIu64, epoch,
                    epoch_current);
}

static int check_writable(const ctn_store *st, ctn_err *err)
{
    return st->mode != CTN_STORE_READ ? CTN_OK : ctn_fail(err, CTN_E_DENIED, "the store was opened for reading only");
}

int ctn_store_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err)
{
    ctn_url parsed;
    int rc = ctn_url_parse(url, &parsed, err);
    if (rc)
        return rc;
    if (!options->path || !*options->path)
        return ctn_fail(err, CTN_E_INVALID, "a backup needs the name of a file");
    if (parsed.kind != CTN_URL_SQLITE)
        return ctn_fail(err, CTN_E_UNSUPPORTED, "a store in memory has no file to back up");
    return ctn_sqlite_backup(parsed.name, options, ret_report, err);
}

/* ---- ownership ---- */

int ctn_store_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->epoch_begin(st, ret_epoch, ret_was_crash, err);
}

int ctn_store_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->epoch_end(st, epoch, err);
}

/* ---- one moment ---- */

int ctn_store_snapshot_begin(ctn_store *st, ctn_err *err)
{
    return st->ops->snapshot ? st->ops->snapshot(st, true, err) : CTN_OK;
}

void ctn_store_snapshot_end(ctn_store *st)
{
    if (st->ops->snapshot)
        (void) st->ops->snapshot(st, false, NULL);
}

/* ---- definitions ---- */

int ctn_store_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    int rc = check_writable(st, err);
    if (rc || count == 0)
        return rc;
    return st->ops->definition_put(st, definitions, count, err);
}

typedef struct getting {
    ctn_store *st;
    ctn_arena *arena;
    ctn_str key;
    const ctn_digest *digest;
    int64_t version;
    void *ret;
    ctn_err *err;
} getting;

static int get_definition(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->definition_get(g->st, g->arena, g->digest, g->ret, g->err);
}

static int get_chain(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->chain_get(g->st, g->arena, g->key, g->version, g->ret, g->err);
}

static int get_result(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->result_get(g->st, g->arena, g->key, g->ret, g->err);
}

int ctn_store_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                             ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .digest = digest, .ret = ret, .err = err};
    int rc = ctn_guarded(get_definition, &g, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "there is no definition %s in the store", ctn_digest_to_text(*digest).text);
    return rc;
}

int ctn_store_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    int rc = check_writable(st, err);
    if (rc)
        return rc;
    if (row->chain_id.len == 0 || row->version < 0)
        return ctn_fail(err, CTN_E_INVALID, "a stored chain needs an id and a version of at least 1 (0: by content)");
    return st->ops->chain_put(st, row, ret_version, err);
}

int ctn_store_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                        ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .key = chain_id, .version = version, .ret = ret, .err = err};
    int rc = ctn_guarded(get_chain, &g, err);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    if (version == 0)
        return ctn_fail(err, rc, "there is no chain \"%.*s\" in the store", CTN_STR_ARG(chain_id));
    return ctn_fail(err, rc, "there is no version %" PRId64 " of the chain \"%.*s\" in the store", version,
                    CTN_STR_ARG(chain_id));
}

int ctn_store_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->chain_list(st, fn, ctx, err);
}

/* ---- executions ---- */

static int check_append(const ctn_append *a, ctn_err *err)
{
    if (a->exec_no <= 0)
        return ctn_fail(err, CTN_E_INVALID, "an append names execution number %" PRId64 "; they start at 1",
                        a->exec_no);
    if ((a->row != NULL) != (a->seq_expected == 0))
        return ctn_fail(err, CTN_E_INVALID,
                        "append to execution %" PRId64 " after entry %" PRIu64 ": a row belongs to the first append of "
                        "an execution and to no other",
                        a->exec_no, a->seq_expected);
    if (a->row && a->row->exec_no != a->exec_no)
        return ctn_fail(err, CTN_E_INVALID, "append to execution %" PRId64 " with the row of execution %" PRId64,
                        a->exec_no, a->row->exec_no);
    if (a->row && a->count == 0)
        return ctn_fail(err, CTN_E_INVALID, "execution %" PRId64 " would begin without a journal", a->exec_no);
    if (a->data_key && (!a->row || !a->data_key->wrapped.len || !a->data_key->master_id.len))
        return ctn_fail(err, CTN_E_INVALID, "append to execution %" PRId64 ": a data key belongs to its first append",
                        a->exec_no);
    for (size_t i = 0; i < a->result_count; i++)
        if (!a->results[i].key.len || a->results[i].expires_at_ms <= 0)
            return ctn_fail(err, CTN_E_INVALID, "a result to be kept needs a key and a time at which it expires");
    for (size_t i = 0; i < a->count; i++)
        if (a->records[i].seq != a->seq_expected + i + 1)
            return ctn_fail(err, CTN_E_INVALID,
                            "append to execution %" PRId64 ": entry %" PRIu64 " where %" PRIu64 " must follow",
                            a->exec_no, a->records[i].seq, a->seq_expected + i + 1);
    return CTN_OK;
}

int ctn_store_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    int rc = check_writable(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = check_append(&appends[i], err);
    if (rc || count == 0)
        return rc;
    return st->ops->commit(st, appends, count, ret_outcomes, err);
}

int ctn_store_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err)
{
    return st->ops->exec_no_last(st, ret_exec_no, err);
}

/* CTN_E_NOT_FOUND without a sentence. */
/* How large a row is, is not ours to say: what is kept of it is taken under a guard, and so is whatever is read into
 * the caller's arena. */
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

int ctn_store_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    return st->ops->execution_list(st, filter, fn, ctx, err);
}

int ctn_store_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                            ctn_err *err)
{
    return st->ops->execution_due(st, until_ms, limit, fn, ctx, err);
}

int ctn_store_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    return st->ops->next_wake(st, after_ms, ret_wake_at_ms, err);
}

/* ---- the queue ---- */

int ctn_store_queue_lanes(ctn_store *st, ctn_lane_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->queue_lanes(st, fn, ctx, err);
}

int ctn_store_queue_next(ctn_store *st, ctn_str chain_id, int priority, int64_t after_exec_no, size_t limit,
                         ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->queue_next(st, chain_id, priority, after_exec_no, limit, fn, ctx, err);
}

int ctn_store_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                          ctn_execution_row *ret, ctn_err *err)
{
    if (!queue_key.len)
        return CTN_E_NOT_FOUND;
    return st->ops->queue_first(st, arena, queue_key, before_exec_no > 0 ? before_exec_no : INT64_MAX, ret, err);
}

int ctn_store_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err)
{
    return st->ops->execution_owing(st, after_exec_no, limit, fn, ctx, err);
}

/* ---- schedules and breakers ---- */

int ctn_store_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->schedule_put(st, row, err);
}

int ctn_store_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->schedule_list(st, fn, ctx, err);
}

int ctn_store_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->breaker_put(st, row, err);
}

int ctn_store_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->breaker_list(st, fn, ctx, err);
}

/* ---- results ---- */

int ctn_store_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .key = key, .ret = ret, .err = err};
    return ctn_guarded(get_result, &g, err);
}

/* ---- journal ---- */

int ctn_store_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                           ctn_err *err)
{
    return st->ops->journal_read(st, exec_no, from_seq, fn, ctx, err);
}

/* ---- data keys ---- */

int ctn_store_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    return st->ops->data_key_get(st, arena, exec_no, ret, err);
}

int ctn_store_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->data_key_put(st, exec_no, key, err);
}

int ctn_store_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                            ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->data_key_list(st, but_master_id, after_exec_no, limit, fn, ctx, err);
}

int ctn_store_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc || count == 0 ? rc : st->ops->data_key_swap(st, swaps, count, err);
}

int ctn_store_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->data_key_shred(st, exec_nos, count, err);
}

int ctn_store_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->journal_read_raw(st, exec_no, fn, ctx, err);
}

/* ---- quarantine ---- */

int ctn_store_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    int rc = check_writable(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        if (rows[i].exec_no <= 0 || rows[i].reason.len == 0)
            rc = ctn_fail(err, CTN_E_INVALID, "who puts an execution into quarantine gives its number and a reason");
    return rc || count == 0 ? rc : st->ops->quarantine_put(st, rows, count, err);
}

int ctn_store_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    return st->ops->quarantine_get(st, arena, exec_no, ret, err);
}

int ctn_store_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err)
{
    int rc = check_writable(st, err);
    return rc ? rc : st->ops->quarantine_remove(st, exec_no, err);
}

int ctn_store_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->quarantine_list(st, fn, ctx, err);
}

int ctn_store_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err)
{
    int rc = check_writable(st, err);
    if (rc == CTN_OK)
        rc = st->ops->give_up(st, what, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "execution number %" PRId64 " is not in the store, or has ended", what->exec_no);
    return rc;
}
