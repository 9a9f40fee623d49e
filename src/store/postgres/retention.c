/*
 * retention.c -- ended trees go. What is promised is in store/retention.h.
 *
 * The ended are found by an index on the time of their end, of roots only, the completed apart from the rest, because
 * they are kept for different spans. A walk remembers the last one that it looked at, and so passes by what has to
 * stay. A node walks over what is in its own shards, so nodes do not do each other's work; a handle of no node walks
 * over all.
 *
 * A tree goes in one transaction. It is in one shard, but for sub-chains that are counted in another (engine/far.h):
 * those are found by the entries that began them, and the shard in their ids. One that is in another database stays.
 * The root goes first: its row is locked from then on, so if
 * somebody opens it again meanwhile, either his commit was first, and the tree stays, or he finds it gone. Sub-chains
 * cannot be opened again while their root has ended.
 *
 * What was the highest number or position is noted in `meta` when it goes: they never come again. Space is the
 * database's: autovacuum makes what went free for what comes; nothing is given back from here.
 */
#include "store/ended.h"
#include "store/postgres/arrays.h"
#include "store/postgres/chapters.h"
#include "store/postgres/schema.h"
#include <stdlib.h>

enum { RESULTS_MAX = 64 };

typedef struct member {
    int64_t exec_no;
    bool stays;
    uint64_t entries;
} member;

typedef struct pruning {
    pg_store *st;
    member *tree; /* the one that is looked at */
    size_t tree_count, tree_capacity;
    const ctn_prune *what;
    unsigned char held[CTN_SHARDS_MAX / 8]; /* bit by bit; of a part only */
    ctn_pruned sum;                         /* of this call */
    uint64_t left;                          /* of this call */
    uint64_t gone_here;                     /* entries that this transaction deletes */
    int64_t exec_no_max, position_max;      /* that it deletes */
} pruning;

/* ---- one tree ---- */

static void put_no(pg_params *p, const pruning *o, int64_t exec_no)
{
    ctn_pg_int(p, pg_shard_of_no(o->st, exec_no));
    ctn_pg_int(p, exec_no);
}

/* What of it is in its root's shard. Rows: number, whether it has to stay, how many entries (a journal has no gaps: its
 * last number). The root is the first. */
static int read_near(pruning *o, int64_t root_no, ctn_err *err)
{
    pg_params p = {0};
    PGresult *r = NULL;
    put_no(&p, o, root_no);
    int rc = ctn_pg_ask(
        o->st->db, "reading a tree that has ended",
        "WITH RECURSIVE tree AS (SELECT exec_no, execution_id, wake_at_ms IS NOT NULL AS stays, 0 AS depth"
        " FROM chain_executions WHERE shard = $1 AND exec_no = $2"
        " UNION SELECT c.exec_no, c.execution_id, " PG_IS_UNFINISHED(
            "c.") " OR c.wake_at_ms IS NOT NULL,"
                  " t.depth + 1 FROM tree t JOIN chain_executions c ON c.shard = $1 AND c.parent_id = t.execution_id"
                  " WHERE t.depth < 1000)"
                  " SELECT exec_no, stays, coalesce((SELECT max(seq) FROM execution_journal j WHERE j.shard = $1"
                  " AND j.exec_no = tree.exec_no), 0) FROM tree ORDER BY depth",
        &p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        o->tree = ctn_array_room(o->tree, o->tree_count, &o->tree_capacity, sizeof *o->tree);
        o->tree[o->tree_count++] = (member){.exec_no = ctn_pg_get_int(r, i, 0),
                                            .stays = ctn_pg_get_bool(r, i, 1),
                                            .entries = (uint64_t) ctn_pg_get_int(r, i, 2)};
    }
    PQclear(r);
    return rc;
}

/* The number of a sub-chain with this id, if it is where its id says; 0: it is not. */
static int find_no(pruning *o, ctn_execution_id id, int64_t *ret_exec_no, ctn_err *err)
{
    pg_params p = {0};
    PGresult *r = NULL;
    ctn_pg_int(&p, ctn_shard_of_id(id, o->st->shard_count));
    ctn_pg_bytes(&p, id.bytes, sizeof id.bytes);
    int rc = ctn_pg_ask(o->st->db, "looking for a sub-chain elsewhere",
                        "SELECT exec_no FROM chain_executions WHERE shard = $1 AND execution_id = $2", &p, &r, err);
    *ret_exec_no = rc == CTN_OK && PQntuples(r) ? ctn_pg_get_int(r, 0, 0) : 0;
    PQclear(r);
    return rc;
}

static bool is_in_tree(const pruning *o, int64_t exec_no)
{
    for (size_t i = 0; i < o->tree_count; i++)
        if (o->tree[i].exec_no == exec_no)
            return true;
    return false;
}

static int read_tree(pruning *o, int64_t root_no, ctn_err *err);

/* Of one entry that began a sub-chain: what is of it in another shard. */
static int read_far(pruning *o, uint32_t shard, ctn_str body, ctn_err *err)
{
    ctn_execution_id id = {{0}};
    const ctn_json *entry = NULL;
    int64_t exec_no = 0;
    int rc = CTN_OK;
    ctn_arena *arena = ctn_arena_new(4096);
    bool reads = ctn_json_parse(arena, body, NULL, &entry, NULL) == CTN_OK &&
                 ctn_id_parse(ctn_json_str_or(entry, "child", (ctn_str){0}), &id, NULL) == CTN_OK;
    ctn_arena_free(arena);
    if (!reads || ctn_shard_of_id(id, o->st->shard_count) == shard)
        return CTN_OK;
    rc = find_no(o, id, &exec_no, err);
    return rc || !exec_no || is_in_tree(o, exec_no) ? rc : read_tree(o, exec_no, err);
}

/* With what is elsewhere, behind what is here. */
static int read_tree(pruning *o, int64_t root_no, ctn_err *err)
{
    size_t first = o->tree_count;
    pg_params p = {0};
    pg_array near = {0};
    PGresult *r = NULL;
    uint32_t shard = pg_shard_of_no(o->st, root_no);
    int rc = read_near(o, root_no, err);
    if (rc || o->st->shard_count == 1 || o->tree_count == first)
        return rc;
    ctn_pg_array_begin(&near, PG_INT8);
    for (size_t i = first; i < o->tree_count; i++)
        ctn_pg_array_int(&near, o->tree[i].exec_no);
    ctn_pg_int(&p, shard);
    ctn_pg_array(&p, PG_INT8_ARRAY, ctn_pg_array_encode(&near));
    rc = ctn_pg_ask(o->st->db, "reading which sub-chains a tree has begun",
                    "SELECT body FROM execution_journal WHERE shard = $1 AND exec_no = ANY($2)"
                    " AND kind = 'child_started'",
                    &p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++)
        rc = read_far(o, shard, ctn_pg_get_str(r, i, 0), err);
    PQclear(r);
    ctn_pg_array_done(&near);
    return rc;
}

/* Its idempotency key is free again; it is claimed in the shard of its own name. Row 0: number, id, chain, key. */
static int free_key(pruning *o, const PGresult *r, ctn_err *err)
{
    ctn_str id = ctn_pg_get_str(r, 0, 1), chain_id = ctn_pg_get_str(r, 0, 2), key = ctn_pg_get_str(r, 0, 3);
    pg_params p = {0};
    if (!key.len)
        return CTN_OK;
    ctn_pg_int(&p, ctn_shard_of_key(chain_id, key, o->st->shard_count));
    ctn_pg_text(&p, chain_id);
    ctn_pg_text(&p, key);
    ctn_pg_bytes(&p, id.ptr, id.len);
    return ctn_pg_ask(
        o->st->db, "freeing an idempotency key",
        "DELETE FROM execution_keys WHERE shard = $1 AND chain_id = $2 AND key = $3 AND execution_id = $4", &p, NULL,
        err);
}

/* The row, with what is kept beside it. *ret_gone false: it was opened again, or somebody else was faster. */
static int delete_row(pruning *o, int64_t exec_no, bool *ret_gone, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    put_no(&p, o, exec_no);
    int rc = ctn_pg_ask(o->st->db, "removing what has ended",
                        "WITH gone AS (DELETE FROM chain_executions WHERE shard = $1 AND exec_no = $2"
                        "  AND phase >= 2 AND wake_at_ms IS NULL"
                        "  RETURNING exec_no, execution_id, chain_id, idempotency_key),"
                        " keys AS (DELETE FROM data_keys WHERE shard = $1 AND exec_no IN (SELECT exec_no FROM gone)),"
                        " free AS (DELETE FROM quarantine WHERE shard = $1 AND exec_no IN (SELECT exec_no FROM gone))"
                        " SELECT exec_no, execution_id, chain_id, idempotency_key FROM gone",
                        &p, &r, err);
    *ret_gone = rc == CTN_OK && PQntuples(r) > 0;
    if (*ret_gone)
        rc = free_key(o, r, err);
    PQclear(r);
    return rc;
}

/* Entries of a journal; answers with how many, and the last position among them. */
static int delete_entries(pruning *o, const char *doing, const char *sql, const pg_params *p, uint64_t *ret_count,
                          ctn_err *err)
{
    PGresult *r = NULL;
    int rc = ctn_pg_ask(o->st->db, doing, sql, p, &r, err);
    if (rc == CTN_OK && ctn_pg_get_int(r, 0, 1) > o->position_max)
        o->position_max = ctn_pg_get_int(r, 0, 1);
    if (rc == CTN_OK && ret_count)
        *ret_count = (uint64_t) ctn_pg_get_int(r, 0, 0);
    PQclear(r);
    return rc;
}

static int delete_journal(pruning *o, int64_t exec_no, bool in_pieces, ctn_err *err)
{
    pg_params p = {0};
    put_no(&p, o, exec_no);
    if (in_pieces)
        return ctn_pg_ask(o->st->db, "noting a journal that goes in pieces",
                          "INSERT INTO pruning(shard, exec_no) VALUES($1,$2) ON CONFLICT DO NOTHING", &p, NULL, err);
    return delete_entries(o, "removing a journal",
                          "WITH gone AS (DELETE FROM execution_journal WHERE shard = $1 AND exec_no = $2"
                          " RETURNING position) SELECT count(*), max(position) FROM gone",
                          &p, NULL, err);
}

static int delete_tree(pruning *o, uint64_t entries, ctn_err *err)
{
    bool in_pieces = entries > o->what->entries_max;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < o->tree_count; i++) {
        int64_t exec_no = o->tree[i].exec_no;
        bool is_gone = false;
        rc = delete_row(o, exec_no, &is_gone, err);
        if (rc == CTN_OK && !is_gone && i == 0)
            return CTN_OK;
        if (rc == CTN_OK && !is_gone)
            rc = ctn_fail(err, CTN_E_BUSY, "a sub-chain of what has ended was changed meanwhile; try again");
        if (rc == CTN_OK)
            rc = delete_journal(o, exec_no, in_pieces, err);
        if (exec_no > o->exec_no_max)
            o->exec_no_max = exec_no;
    }
    o->sum.trees++;
    o->sum.executions += o->tree_count;
    o->sum.entries += entries;
    o->gone_here += in_pieces ? o->what->entries_max : entries;
    return rc;
}

static int prune_one(void *ctx, const ctn_ended *c, ctn_err *err)
{
    pruning *o = ctx;
    uint64_t entries = 0;
    bool stays = c->owes;
    o->tree_count = 0;
    int rc = stays ? CTN_OK : read_tree(o, c->exec_no, err);
    for (size_t i = 0; rc == CTN_OK && i < o->tree_count; i++) {
        stays = stays || o->tree[i].stays;
        entries += o->tree[i].entries;
    }
    if (rc == CTN_OK && stays) {
        o->left++;
    } else if (rc == CTN_OK && o->what->is_dry) {
        o->sum.trees++;
        o->sum.executions += o->tree_count;
        o->sum.entries += entries;
        o->gone_here++;
    } else if (rc == CTN_OK && o->tree_count > 0) {
        rc = delete_tree(o, entries, err);
    }
    return rc;
}

/* ---- the steps of a call ---- */

/* A journal whose execution is gone already, if there is one that nobody else is at. */
static int prune_rest(pruning *o, bool *ret_any, ctn_err *err)
{
    PGresult *r = NULL;
    int rc =
        ctn_pg_ask(o->st->db, "looking for journals that go in pieces",
                   "SELECT exec_no FROM pruning ORDER BY shard, exec_no LIMIT 1 FOR UPDATE SKIP LOCKED", NULL, &r, err);
    int64_t exec_no = rc == CTN_OK && PQntuples(r) ? ctn_pg_get_int(r, 0, 0) : 0;
    *ret_any = exec_no != 0;
    PQclear(r);
    if (rc || !exec_no)
        return rc;
    uint64_t count = 0;
    pg_params p = {0}, done = {0};
    put_no(&p, o, exec_no);
    put_no(&done, o, exec_no);
    ctn_pg_int(&p, (int64_t) o->what->entries_max);
    rc = delete_entries(o, "removing a piece of a journal",
                        "WITH gone AS (DELETE FROM execution_journal WHERE shard = $1 AND exec_no = $2 AND seq IN"
                        " (SELECT seq FROM execution_journal WHERE shard = $1 AND exec_no = $2 ORDER BY seq LIMIT $3)"
                        " RETURNING position) SELECT count(*), max(position) FROM gone",
                        &p, &count, err);
    o->gone_here += count;
    if (rc == CTN_OK && count < o->what->entries_max)
        rc = ctn_pg_ask(o->st->db, "noting that a journal has gone in pieces",
                        "DELETE FROM pruning WHERE shard = $1 AND exec_no = $2", &done, NULL, err);
    return rc;
}

static int prune_results(pruning *o, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, o->what->results_before_ms);
    ctn_pg_int(&p, RESULTS_MAX);
    int rc = ctn_pg_ask(o->st->db, "removing results that have expired",
                        "DELETE FROM result_cache WHERE (shard, key) IN (SELECT shard, key FROM result_cache"
                        " WHERE expires_at_ms < $1 ORDER BY expires_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED)",
                        &p, &r, err);
    if (rc == CTN_OK)
        o->sum.results += (uint64_t) ctn_pg_changed(r);
    PQclear(r);
    return rc;
}

/* Each of the two ranges of the index is named in its statement, or its condition would not be seen to fit. */
#define ENDED(phase)                                                                                                   \
    "SELECT exec_no, status, finished_at_ms, wake_at_ms IS NOT NULL FROM chain_executions"                             \
    " WHERE phase = " phase " AND parent_id IS NULL AND (finished_at_ms, exec_no) > ($1, $2)"                          \
    " AND (NOT $4 OR get_bit($5, shard) = 1) ORDER BY finished_at_ms, exec_no LIMIT $3"

/* The next ones of the index; fewer than asked for: there are no more. */
static int read_ended(void *ctx, bool of_completed, const struct ctn_prune_place *place, ctn_ended *ret,
                      size_t *ret_count, ctn_err *err)
{
    pruning *o = ctx;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, place->finished_at_ms);
    ctn_pg_int(&p, place->exec_no);
    ctn_pg_int(&p, CTN_ENDED_PAGE);
    ctn_pg_bool(&p, o->st->is_part);
    ctn_pg_bytes(&p, o->held, sizeof o->held);
    int rc = of_completed ? ctn_pg_ask(o->st->db, "reading what has completed", ENDED("2"), &p, &r, err)
                          : ctn_pg_ask(o->st->db, "reading what has ended", ENDED("3"), &p, &r, err);
    *ret_count = rc == CTN_OK ? (size_t) PQntuples(r) : 0;
    for (size_t i = 0; i < *ret_count; i++) {
        ret[i] = (ctn_ended){.exec_no = ctn_pg_get_int(r, (int) i, 0),
                             .finished_at_ms = ctn_pg_get_int(r, (int) i, 2),
                             .owes = ctn_pg_get_bool(r, (int) i, 3)};
        /* One whose status says nothing is not ours to judge: it stays. */
        if (!ctn_status_from_name(ctn_pg_get_str(r, (int) i, 1), &ret[i].status))
            ret[i].owes = true;
    }
    PQclear(r);
    return rc;
}

static int prune_some(pruning *o, bool of_completed, struct ctn_prune_place *place, ctn_err *err)
{
    const ctn_ended_reader reader = {
        .ctx = o, .what = o->what, .gone = &o->gone_here, .read = read_ended, .prune = prune_one};
    return ctn_ended_walk(&reader, of_completed, place, err);
}

static int prune(pruning *o, ctn_prune_walk *walk, ctn_err *err)
{
    bool is_rest = false;
    int rc = o->what->is_dry ? CTN_OK : prune_rest(o, &is_rest, err);
    if (rc || is_rest)
        return rc;
    if (o->what->results_before_ms && !o->what->is_dry)
        rc = prune_results(o, err);
    if (rc == CTN_OK && !walk->completed.is_done)
        rc = prune_some(o, true, &walk->completed, err);
    if (rc == CTN_OK && !walk->others.is_done && o->gone_here < o->what->entries_max)
        rc = prune_some(o, false, &walk->others, err);
    walk->is_done = walk->completed.is_done && walk->others.is_done && o->sum.results < RESULTS_MAX && !o->gone_here;
    return rc;
}

/* Is what went the highest of its kind? Then that is noted. */
static int note_floors(pruning *o, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, o->exec_no_max);
    ctn_pg_int(&p, o->position_max);
    if (!o->exec_no_max && !o->position_max)
        return CTN_OK;
    return ctn_pg_ask(o->st->db, "noting the highest numbers of what is gone",
                      "UPDATE meta SET exec_no_floor = greatest(exec_no_floor, $1),"
                      " position_floor = greatest(position_floor, $2)"
                      " WHERE ($1 > exec_no_floor AND $1 > coalesce((SELECT max(exec_no) FROM chain_executions), 0))"
                      " OR ($2 > position_floor AND $2 > coalesce((SELECT max(position) FROM execution_journal), 0))",
                      &p, NULL, err);
}

int ctn_pg_prune(ctn_store *base, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    pruning o = {.st = (pg_store *) base, .what = what};
    ctn_prune_walk further = *walk;
    for (size_t shard = 0; shard < CTN_SHARDS_MAX; shard++)
        if (o.st->held.bits[shard / 64] >> (shard % 64) & 1)
            o.held[shard / 8] |= (unsigned char) (1 << (shard % 8));
    int rc = what->is_dry ? CTN_OK : ctn_pg_begin(o.st->db, err);
    if (rc)
        return rc;
    rc = prune(&o, &further, err);
    if (rc == CTN_OK && !what->is_dry)
        rc = note_floors(&o, err);
    if (!what->is_dry)
        rc = pg_end(o.st, rc, err);
    free(o.tree);
    if (rc)
        return rc;
    further.left += o.left;
    *walk = further;
    sum->trees += o.sum.trees;
    sum->executions += o.sum.executions;
    sum->entries += o.sum.entries;
    sum->results += o.sum.results;
    return CTN_OK;
}

/* ---- space ---- */

/* What is free within its files only the database knows, and it is the next ones' anyhow. */
int ctn_pg_size_read(ctn_store *base, ctn_store_size *ret_size, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading its size",
                        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
                        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'",
                        NULL, &r, err);
    if (rc == CTN_OK)
        *ret_size = (ctn_store_size){.file_bytes = (uint64_t) ctn_pg_get_int(r, 0, 0)};
    PQclear(r);
    return rc;
}

int ctn_pg_shrink(ctn_store *base, size_t pages, bool *ret_more, ctn_err *err)
{
    (void) base;
    (void) pages;
    (void) err;
    *ret_more = false;
    return CTN_OK;
}
