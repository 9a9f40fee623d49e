/*
 * fleet.c -- see fleet.h: what is the same for every store that several nodes share.
 */
#include "store/fleet.h"
#include "store/backend.h"
#include <assert.h>
#include <inttypes.h>

/* ---- checks ---- */

static int check_fleet(const ctn_store *st, ctn_err *err)
{
    return st->ops->fleet
               ? CTN_OK
               : ctn_fail(err, CTN_E_UNSUPPORTED,
                          "this store is for one process; nodes share a store on PostgreSQL (postgres://...)");
}

static int check_write(const ctn_store *st, ctn_err *err)
{
    int rc = check_fleet(st, err);
    return rc ? rc : ctn_store_check_writable(st, err);
}

static int check_node(const ctn_store *st, int64_t incarnation, ctn_err *err)
{
    int rc = check_write(st, err);
    if (rc == CTN_OK && incarnation <= 0)
        rc = ctn_fail(err, CTN_E_INVALID, "%" PRId64 " is no node: nodes get numbers above 0 when they join",
                      incarnation);
    return rc;
}

static int check_shard(const ctn_store *st, uint32_t shard, ctn_err *err)
{
    uint32_t count = ctn_store_shard_count(st);
    return shard < count ? CTN_OK
                         : ctn_fail(err, CTN_E_INVALID, "there is no shard %" PRIu32 ": this store has 0 to %" PRIu32,
                                    shard, count - 1);
}

static int fail_stale(int rc, int64_t incarnation, ctn_err *err)
{
    return rc != CTN_E_STALE
               ? rc
               : ctn_fail(err, rc, "node %" PRId64 " was taken for dead, or has left: what it held is another's now",
                          incarnation);
}

/* ---- sentences that are the same everywhere ---- */

int ctn_store_fail_living(const char *names, ctn_err *err)
{
    return ctn_fail(err, CTN_E_BUSY,
                    "nodes work on this store (%s); what needs all of it has to wait until they have left", names);
}

int ctn_store_fail_node_exists(const ctn_node_row *living, ctn_err *err)
{
    char since[25];
    ctn_time_format(living->joined_at_ms, since);
    return ctn_fail(
        err, CTN_E_EXISTS,
        "a node named %.*s lives since %s%s%.*s: give this one another name, or wait until its lease is over",
        CTN_STR_ARG(living->name), since, living->address.len ? " at " : "", CTN_STR_ARG(living->address));
}

int ctn_store_fail_shard_held(uint32_t shard, int64_t holder, ctn_err *err)
{
    return ctn_fail(err, CTN_E_BUSY, "shard %" PRIu32 " is held by node %" PRId64, shard, holder);
}

/* ---- numbers and keys ---- */

int ctn_store_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err)
{
    int64_t last;
    int rc = ctn_store_check_writable(st, err);
    if (rc)
        return rc;
    if (count == 0)
        return ctn_fail(err, CTN_E_INVALID, "at least one number is reserved at a time");
    if (st->ops->fleet)
        return st->ops->fleet->exec_nos_reserve(st, count, ret_first, err);
    rc = st->ops->exec_no_last(st, &last, err);
    if (rc == CTN_OK)
        *ret_first = last + 1;
    return rc;
}

int ctn_store_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                        ctn_err *err)
{
    int rc = check_write(st, err);
    if (rc)
        return rc;
    if (!chain_id.len || !key.len || ctn_id_is_none(id))
        return ctn_fail(err, CTN_E_INVALID, "an idempotency key is claimed with its chain, the key and an id");
    return st->ops->fleet->key_claim(st, chain_id, key, id, ret_id, err);
}

/* ---- set aside ---- */

int ctn_store_need_claim(ctn_store *st, ctn_str requires, ctn_shard_set *ret_shards, ctn_err *err)
{
    int rc = check_write(st, err);
    uint32_t number = 0, max = ctn_needs_max(ctn_store_shard_count(st));
    if (rc)
        return rc;
    if (!requires.len)
        return ctn_fail(err, CTN_E_INVALID, "what requires nothing needs no shards that are set aside");
    rc = st->ops->fleet->need_claim(st, requires, max, &number, err);
    if (rc == CTN_E_LIMIT)
        return ctn_fail(err, rc,
                        "chains require labels in %" PRIu32 " ways already, and this store has shards set aside for no "
                        "more; %.*s would be one more",
                        max, CTN_STR_ARG(requires));
    if (rc == CTN_OK)
        *ret_shards = ctn_shards_of_need(number, ctn_store_shard_count(st));
    return rc;
}

typedef struct listing {
    ctn_store *st;
    ctn_arena *arena;
    const ctn_need **ret;
    size_t *ret_count;
    ctn_err *err;
} listing;

static int list_needs(void *ctx)
{
    const listing *l = ctx;
    const ctn_str *requires = NULL;
    int rc = l->st->ops->fleet->need_list(l->st, l->arena, &requires, l->ret_count, l->err);
    if (rc == CTN_OK)
        *l->ret = ctn_needs_of(requires, *l->ret_count, ctn_store_shard_count(l->st), l->arena);
    return rc;
}

int ctn_store_need_list(ctn_store *st, ctn_arena *arena, const ctn_need **ret_needs, size_t *ret_count, ctn_err *err)
{
    listing l = {.st = st, .arena = arena, .ret = ret_needs, .ret_count = ret_count, .err = err};
    int rc = check_fleet(st, err);
    return rc ? rc : ctn_guarded(list_needs, &l, err);
}

/* ---- nodes ---- */

int ctn_store_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                        ctn_err *err)
{
    int rc = check_write(st, err);
    if (rc)
        return rc;
    if (!node->name.len || term_ms <= 0)
        return ctn_fail(err, CTN_E_INVALID, "a node that joins needs a name and a term for its lease");
    return st->ops->fleet->node_join(st, node, term_ms, ret_incarnation, err);
}

int ctn_store_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    int rc = check_fleet(st, err);
    if (rc == CTN_OK && incarnation < 0)
        rc = ctn_fail(err, CTN_E_INVALID, "%" PRId64 " is no node", incarnation);
    return rc ? rc : st->ops->fleet->handle_of(st, incarnation, err);
}

void ctn_store_shards_held(ctn_store *st, const ctn_shard_set *held)
{
    assert(st->ops->fleet); /* who holds shards has joined */
    st->ops->fleet->shards_held(st, held);
}

int ctn_store_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                        ctn_beat *ret, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    if (rc == CTN_OK && term_ms <= 0)
        rc = ctn_fail(err, CTN_E_INVALID, "a beat needs a term for the lease");
    if (rc)
        return rc;
    rc = st->ops->fleet->node_beat(st, incarnation, term_ms, is_leaving, arena, ret, err);
    return fail_stale(rc, incarnation, err);
}

int ctn_store_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    return rc ? rc : fail_stale(st->ops->fleet->node_leave(st, incarnation, err), incarnation, err);
}

int ctn_store_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err)
{
    int rc = check_fleet(st, err);
    return rc ? rc : st->ops->fleet->node_list(st, fn, ctx, err);
}

/* ---- shards ---- */

int ctn_store_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                          ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    if (rc)
        return rc;
    if (count == 0) {
        *ret_count = 0;
        return CTN_OK;
    }
    rc = st->ops->fleet->shards_take(st, incarnation, among, count, ret_leases, ret_count, err);
    return fail_stale(rc, incarnation, err);
}

int ctn_store_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    if (rc == CTN_OK)
        rc = check_shard(st, shard, err);
    if (rc)
        return rc;
    return fail_stale(st->ops->fleet->shard_take(st, incarnation, shard, ret, err), incarnation, err);
}

int ctn_store_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    if (rc || ctn_shard_set_count(which) == 0)
        return rc;
    return fail_stale(st->ops->fleet->shards_release(st, incarnation, which, err), incarnation, err);
}

int ctn_store_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err)
{
    int rc = check_write(st, err);
    if (rc == CTN_OK && settle_ms < 0)
        rc = ctn_fail(err, CTN_E_INVALID, "a settle time is not negative");
    return rc ? rc : st->ops->fleet->nodes_bury(st, settle_ms, ret_buried, err);
}

int ctn_store_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err)
{
    int rc = check_fleet(st, err);
    return rc ? rc : st->ops->fleet->shard_holders(st, ret_incarnations, err);
}

/* ---- requests ---- */

int ctn_store_shards_recover(ctn_store *st, int64_t incarnation, const ctn_shard_set *known,
                             ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    int64_t holders[CTN_SHARDS_MAX];
    *ret_count = 0;
    int rc = ctn_store_shard_holders(st, holders, err);
    for (uint32_t i = 0; rc == CTN_OK && i < ctn_store_shard_count(st); i++)
        if (holders[i] == incarnation && !ctn_shard_set_has(known, i))
            rc = ctn_store_shard_take(st, incarnation, i, &ret_leases[(*ret_count)++], err);
    return rc;
}

int ctn_store_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err)
{
    int rc = check_write(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        rc = check_shard(st, rows[i].shard, err);
        if (rc == CTN_OK && !rows[i].kind.len)
            rc = ctn_fail(err, CTN_E_INVALID, "a request says of what kind it is");
    }
    return rc || count == 0 ? rc : st->ops->fleet->requests_put(st, rows, count, ret_nos, err);
}

int ctn_store_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx,
                               ctn_err *err)
{
    int rc = check_fleet(st, err);
    return rc || limit == 0 ? rc : st->ops->fleet->requests_waiting(st, after_no, limit, fn, ctx, err);
}

int ctn_store_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err)
{
    int checked = check_write(st, err);
    if (checked == CTN_OK)
        checked = check_shard(st, shard, err);
    if (checked)
        return checked;
    checked = st->ops->fleet->request_answer(st, shard, no, rc, sentence, err);
    if (checked == CTN_E_STALE)
        return ctn_fail(err, checked, "shard %" PRIu32 " is not this node's: its holder answers", shard);
    return checked;
}

typedef struct getting {
    ctn_store *st;
    ctn_arena *arena;
    uint32_t shard;
    int64_t no;
    ctn_request_row *ret;
    ctn_err *err;
} getting;

static int get_request(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->fleet->request_get(g->st, g->arena, g->shard, g->no, g->ret, g->err);
}

int ctn_store_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret,
                          ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .shard = shard, .no = no, .ret = ret, .err = err};
    int rc = check_fleet(st, err);
    if (rc == CTN_OK)
        rc = check_shard(st, shard, err);
    if (rc)
        return rc;
    rc = ctn_guarded(get_request, &g, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "there is no request %" PRId64 " in shard %" PRIu32, no, shard);
    return rc;
}

/* ---- being woken ---- */

int ctn_store_wake_fd(ctn_store *st, int64_t incarnation)
{
    return st->ops->fleet && incarnation > 0 ? st->ops->fleet->wake_fd(st, incarnation) : -1;
}

bool ctn_store_woken(ctn_store *st)
{
    return st->ops->fleet && st->ops->fleet->woken(st);
}

/* ---- shares ---- */

static const double TOKENS_SLOWEST = 1.0 / (31 * 24 * 60 * 60);

int ctn_store_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                           int64_t *ret_granted, ctn_err *err)
{
    int rc = check_node(st, incarnation, err);
    if (rc == CTN_OK && (!name.len || max < 0 || wanted < 0))
        rc = ctn_fail(err, CTN_E_INVALID, "places have a name, and are not fewer than none");
    if (rc)
        return rc;
    rc = st->ops->fleet->places_claim(st, incarnation, name, max, wanted, ret_granted, err);
    return fail_stale(rc, incarnation, err);
}

int ctn_store_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                          int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err)
{
    int rc = check_write(st, err);
    if (rc)
        return rc;
    if (!name.len || !(per_second >= TOKENS_SLOWEST) || burst < 1 || wanted < 0)
        return ctn_fail(err, CTN_E_INVALID,
                        "a bucket of tokens has a name, gets one a month at least, and holds one at least");
    return st->ops->fleet->tokens_take(st, name, per_second, burst, wanted, ret_taken, ret_next_ms, err);
}
