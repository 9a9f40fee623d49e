/*
 * shards.c -- shards, requests, wakes and limits over several databases. A database has rows for all shards; those of
 * the others are never taken there.
 */
#include "base/memory.h"
#include "store/split/nodes.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

split_part *ctn_split_part_of_shard(ctn_store *base, uint32_t shard)
{
    split_store *s = (split_store *) base;
    size_t i = 0;
    while (i + 1 < s->count && shard > s->parts[i].last)
        i++;
    return &s->parts[i];
}

/* At home first: there everybody is, but who was copied here from a store without shards. */
int ctn_split_part_of_id(ctn_store *base, ctn_execution_id id, ctn_store **ret_part, int64_t *ret_exec_no, ctn_err *err)
{
    split_store *s = (split_store *) base;
    const split_part *home = ctn_split_part_of_shard(base, ctn_shard_of_id(id, s->shard_count));
    ctn_lookup lookup = {.kind = CTN_LOOKUP_RANGE, .id_first = id, .id_last = id};
    ctn_arena *arena = ctn_arena_new(4096);
    size_t matches = 0, first = (size_t) (home - s->parts);
    int rc = CTN_OK;
    *ret_part = home->st;
    *ret_exec_no = 0;
    for (size_t i = 0; rc == CTN_OK && !matches && i < s->count; i++) {
        ctn_execution_row row;
        ctn_store *part = s->parts[(first + i) % s->count].st;
        rc = part->ops->execution_find(part, arena, &lookup, &row, &matches, err);
        if (rc == CTN_OK && matches) {
            *ret_part = part;
            *ret_exec_no = row.exec_no;
        }
    }
    ctn_arena_free(arena);
    return rc;
}

static int shard_of_execution(ctn_store *base, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err)
{
    uint32_t count = ((split_store *) base)->shard_count;
    ctn_store *part;
    int64_t exec_no;
    int rc = ctn_split_part_of_id(base, id, &part, &exec_no, err);
    *ret_shard = exec_no ? (uint32_t) (exec_no % count) : ctn_shard_of_id(id, count);
    return rc;
}

static uint32_t shard_count(const ctn_store *base)
{
    return ((const split_store *) base)->shard_count;
}

static int exec_nos_reserve(ctn_store *base, uint32_t count, int64_t *ret_first, ctn_err *err)
{
    return split_first(base)->ops->fleet->exec_nos_reserve(split_first(base), count, ret_first, err);
}

static int key_claim(ctn_store *base, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                     ctn_err *err)
{
    ctn_store *part = split_of_shard(base, ctn_shard_of_key(chain_id, key, shard_count(base)));
    return part->ops->fleet->key_claim(part, chain_id, key, id, ret_id, err);
}

static int key_get(ctn_store *base, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err)
{
    ctn_store *part = split_of_shard(base, ctn_shard_of_key(chain_id, key, shard_count(base)));
    return part->ops->fleet->key_get(part, chain_id, key, ret_id, err);
}

/* ---- taking and giving back ---- */

static int shard_take(ctn_store *base, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err)
{
    const split_part *part = ctn_split_part_of_shard(base, shard);
    (void) incarnation; /* this handle's: who takes has joined with it */
    return part->st->ops->fleet->shard_take(part->st, part->incarnation, shard, ret, err);
}

static int take_of_part(ctn_store *base, const split_part *part, const ctn_shard_set *among, uint32_t count,
                        int64_t *holders, ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    int rc = part->st->ops->fleet->shard_holders(part->st, holders, err);
    for (uint32_t shard = part->first; rc == CTN_OK && shard <= part->last && *ret_count < count; shard++) {
        if (holders[shard] || (among && !ctn_shard_set_has(among, shard)))
            continue;
        rc = shard_take(base, 0, shard, &ret_leases[*ret_count], err);
        *ret_count += rc == CTN_OK;
        if (rc == CTN_E_BUSY) /* somebody was faster */
            rc = CTN_OK;
    }
    return rc;
}

/* Each node begins with another database, and so has its shards, and its commits, in few of them. */
static int shards_take(ctn_store *base, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                       ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t *holders = ctn_calloc(s->shard_count, sizeof *holders);
    int rc = CTN_OK;
    *ret_count = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count && *ret_count < count; i++)
        rc = take_of_part(base, &s->parts[((uint64_t) incarnation + i) % s->count], among, count, holders, ret_leases,
                          ret_count, err);
    free(holders);
    return rc;
}

static int shards_release(ctn_store *base, int64_t incarnation, const ctn_shard_set *which, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    (void) incarnation;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->fleet->shards_release(s->parts[i].st, s->parts[i].incarnation, which, err);
    return rc;
}

static int shard_holders(ctn_store *base, int64_t *ret_incarnations, ctn_err *err)
{
    split_store *s = (split_store *) base;
    split_nodes first = {.arena = ctn_arena_new(4096)};
    int64_t *holders = ctn_calloc(s->shard_count, sizeof *holders);
    int rc = s->parts[0].st->ops->fleet->node_list(s->parts[0].st, ctn_split_keep_node, &first, err);
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        const split_part *part = &s->parts[i];
        split_nodes there = {.arena = first.arena};
        rc = part->st->ops->fleet->shard_holders(part->st, holders, err);
        if (rc == CTN_OK && i > 0)
            rc = part->st->ops->fleet->node_list(part->st, ctn_split_keep_node, &there, err);
        for (uint32_t k = part->first; rc == CTN_OK && k <= part->last; k++)
            ret_incarnations[k] =
                i == 0 || !holders[k] ? holders[k] : ctn_split_number_in_first(&first, &there, holders[k]);
    }
    free(holders);
    ctn_arena_free(first.arena);
    return rc;
}

/* ---- requests ---- */

static int requests_put(ctn_store *base, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; i < count; i++)
        if (split_of_shard(base, rows[i].shard) != split_of_shard(base, rows[0].shard))
            return ctn_fail(err, CTN_E_UNSUPPORTED, "requests for shards of several databases cannot be put as one");
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        const split_part *part = ctn_split_part_of_shard(base, rows[i].shard);
        ctn_request_row row = rows[i];
        row.from = row.from ? part->incarnation : 0;
        rc = part->st->ops->fleet->requests_put(part->st, &row, 1, &ret_nos[i], err);
    }
    return rc;
}

static int requests_waiting(ctn_store *base, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx,
                            ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->fleet->requests_waiting(s->parts[i].st, after_no, limit, fn, ctx, err);
    return rc;
}

static int request_answer(ctn_store *base, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err)
{
    ctn_store *part = split_of_shard(base, shard);
    return part->ops->fleet->request_answer(part, shard, no, rc, sentence, err);
}

static int request_get(ctn_store *base, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret,
                       ctn_err *err)
{
    ctn_store *part = split_of_shard(base, shard);
    return part->ops->fleet->request_get(part, arena, shard, no, ret, err);
}

/* ---- being woken: one descriptor over all of them ---- */

static int wake_fd(ctn_store *base, int64_t incarnation)
{
    split_store *s = (split_store *) base;
    bool has_all = true;
    (void) incarnation;
    if (s->wake_fd < 0)
        s->wake_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < s->count && s->wake_fd >= 0; i++) {
        int fd = s->parts[i].st->ops->fleet->wake_fd(s->parts[i].st, s->parts[i].incarnation);
        struct epoll_event event = {.events = EPOLLIN};
        has_all &= fd >= 0 && (epoll_ctl(s->wake_fd, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST);
    }
    return has_all ? s->wake_fd : -1;
}

static bool woken(ctn_store *base)
{
    split_store *s = (split_store *) base;
    bool was_ours = false;
    for (size_t i = 0; i < s->count; i++)
        was_ours |= s->parts[i].st->ops->fleet->woken(s->parts[i].st);
    return was_ours;
}

/* ---- limits: in the first ---- */

static int places_claim(ctn_store *base, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                        int64_t *ret_granted, ctn_err *err)
{
    ctn_store *first = split_first(base);
    return first->ops->fleet->places_claim(first, incarnation, name, max, wanted, ret_granted, err);
}

static int tokens_take(ctn_store *base, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                       int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err)
{
    ctn_store *first = split_first(base);
    return first->ops->fleet->tokens_take(first, name, per_second, burst, wanted, ret_taken, ret_next_ms, err);
}

/* Beats take what is set aside from the first, too. */
static int need_claim(ctn_store *base, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err)
{
    ctn_store *first = split_first(base);
    return first->ops->fleet->need_claim(first, requires, max, ret_number, err);
}

static int need_list(ctn_store *base, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count, ctn_err *err)
{
    ctn_store *first = split_first(base);
    return first->ops->fleet->need_list(first, arena, ret_requires, ret_count, err);
}

const ctn_fleet_ops ctn_split_fleet_ops = {
    .shard_count = shard_count,
    .shard_of_execution = shard_of_execution,
    .exec_nos_reserve = exec_nos_reserve,
    .key_claim = key_claim,
    .key_get = key_get,
    .node_join = ctn_split_node_join,
    .handle_of = ctn_split_handle_of,
    .shards_held = ctn_split_shards_held,
    .node_beat = ctn_split_node_beat,
    .node_leave = ctn_split_node_leave,
    .node_list = ctn_split_node_list,
    .need_claim = need_claim,
    .need_list = need_list,
    .shards_take = shards_take,
    .shard_take = shard_take,
    .shards_release = shards_release,
    .nodes_bury = ctn_split_nodes_bury,
    .shard_holders = shard_holders,
    .requests_put = requests_put,
    .requests_waiting = requests_waiting,
    .request_answer = request_answer,
    .request_get = request_get,
    .wake_fd = wake_fd,
    .woken = woken,
    .places_claim = places_claim,
    .tokens_take = tokens_take,
};
