/*
 * fleet.h -- what lets several nodes share one store: nodes, shards, leases, requests for somebody else, and numbers.
 *
 * A store for a fleet (postgres, and memory for simulations) is cut into shards. What belongs together lives together:
 * an execution with its journal, its line and what it is sent. Its shard stands in its number (exec_no % shard_count)
 * and in its id (the last ten bits), so nobody needs to look for it.
 *
 * A node joins, and leases shards. Its lease is one row with one expiry by the store's clock, which each beat moves on;
 * which shards it holds, and under which epoch, stands in a row a shard. What must always hold:
 *
 *   1. A shard's epoch grows whenever the shard changes hands, and never otherwise.
 *   2. A shard leaves a node only in a transaction that has the node's row to itself, and every commit of a node has
 *      its row shared: so when a shard has moved, no commit of its last holder is under way.
 *   3. A commit takes an append only if its shard is held by the node of that handle under the append's epoch; what
 *      answers a request likewise is taken of the shard's holder only.
 *   4. A lease that has expired may be taken settle_ms after that, and not before: what its holder sent at the last
 *      moment has arrived by then.
 *   5. A node's own idea of its lease is not longer than the store's: it counts CLOCK_BOOTTIME from before the beat was
 *      sent (fleet/member.h).
 *
 * A handle is of one node once it has joined (or was told which node it is of, with _handle_of): then commits are that
 * node's, and everything that an engine loads by itself (due, next_wake, queue_lanes, queue_next, owing) and
 * requests_waiting is of the shards it was told to hold with ctn_store_shards_held (before that: of none).
 *
 * A handle of no node sees all shards, and may commit only under the epoch of ctn_store_epoch_begin, which buries whose
 * lease is ripe (CTN_SETTLE_MS), takes all shards, and is refused while a node lives (CTN_E_BUSY, with the names). Its
 * shards are nobody's: a node that joins later takes them, and what comes too late from the handle is refused.
 *
 * Errors     CTN_E_UNSUPPORTED  this kind of store is for one process
 *            CTN_E_STALE        this node was taken for dead, or has left: drop everything, join anew
 *            and those of store.h
 */
#pragma once
#include "store/store.h"

#define CTN_SHARDS_MAX 1024
#define CTN_SETTLE_MS  1000 /* settle_ms, where nobody says otherwise */

/* May several processes own this store together? What says no is opened as store.h tells, and the rest here is refused.
 */
bool ctn_store_is_fleet(const ctn_store *st);
bool ctn_store_url_is_fleet(const char *url);

typedef struct ctn_shard_set {
    uint64_t bits[CTN_SHARDS_MAX / 64];
} ctn_shard_set;
static inline bool ctn_shard_set_has(const ctn_shard_set *set, uint32_t shard)
{
    return set->bits[shard / 64] >> (shard % 64) & 1;
}
static inline void ctn_shard_set_add(ctn_shard_set *set, uint32_t shard)
{
    set->bits[shard / 64] |= UINT64_C(1) << (shard % 64);
}
static inline void ctn_shard_set_remove(ctn_shard_set *set, uint32_t shard)
{
    set->bits[shard / 64] &= ~(UINT64_C(1) << (shard % 64));
}
static inline uint32_t ctn_shard_set_count(const ctn_shard_set *set)
{
    uint32_t count = 0;
    for (size_t i = 0; i < CTN_SHARDS_MAX / 64; i++)
        count += (uint32_t) __builtin_popcountll(set->bits[i]);
    return count;
}
static inline uint32_t ctn_shard_set_count_in(const ctn_shard_set *set, const ctn_shard_set *other) /* in both */
{
    uint32_t count = 0;
    for (size_t i = 0; i < CTN_SHARDS_MAX / 64; i++)
        count += (uint32_t) __builtin_popcountll(set->bits[i] & other->bits[i]);
    return count;
}
/* The one before which `at` others stand; there are more than that. */
static inline uint32_t ctn_shard_set_at(const ctn_shard_set *set, uint32_t at)
{
    uint32_t shard = 0;
    while (!ctn_shard_set_has(set, shard) || at-- > 0)
        shard++;
    return shard;
}
static inline bool ctn_shard_set_is_empty(const ctn_shard_set *set)
{
    return ctn_shard_set_count(set) == 0;
}
/* Those of `more` too; those of `less` no more. */
static inline void ctn_shard_set_put(ctn_shard_set *set, const ctn_shard_set *more)
{
    for (size_t i = 0; i < CTN_SHARDS_MAX / 64; i++)
        set->bits[i] |= more->bits[i];
}
static inline void ctn_shard_set_cut(ctn_shard_set *set, const ctn_shard_set *less)
{
    for (size_t i = 0; i < CTN_SHARDS_MAX / 64; i++)
        set->bits[i] &= ~less->bits[i];
}

/* ---- where something lives ---- */
uint32_t ctn_store_shard_count(const ctn_store *st);                 /* 1 to 1,024; 1 of a store for one process */
uint32_t ctn_shard_of_id(ctn_execution_id id, uint32_t shard_count); /* its last ten bits, modulo */
/* Where the execution with this id lives, or would: as its id says, unless it was copied here from elsewhere (copy.h).
 * Whose number is known needs no look-up: exec_no % shard_count. */
int ctn_store_shard_of_execution(ctn_store *st, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err);
/* A number of this one's shard that is above all that were ever given there: what is before it is the whole shard. */
static inline int64_t ctn_exec_no_end(int64_t exec_no, uint32_t shard_count)
{
    return INT64_MAX - INT64_MAX % shard_count - shard_count + exec_no % shard_count;
}
void ctn_shard_into_id(ctn_execution_id *id, uint32_t shard); /* instead of its last ten bits, which are chance */
/* "line", "chain", "schedule", ...: the first two bytes (big-endian) of the BLAKE2b-256 of kind, a zero byte and
 * name, modulo. On disk, so it never changes. */
uint32_t ctn_shard_of_name(ctn_str kind, ctn_str name, uint32_t shard_count);
/* Where an idempotency key is claimed: the name of its chain, a zero byte and the key, of the kind "key". */
uint32_t ctn_shard_of_key(ctn_str chain_id, ctn_str key, uint32_t shard_count);
/* Numbers for executions that nobody else has: *ret_first + i * shard_count + shard, for i below count; each call gives
 * higher ones than all before. A store for one process: what follows the last one there is. */
int ctn_store_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err);
/* Whose is this idempotency key? Now, on disk: the id that has it, whoever asked first; *ret_id is `id` if it is ours
 * now. The id need not exist yet: whoever finds that it does not starts it (with this id: a start that comes again is
 * one execution). */
int ctn_store_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                        ctn_err *err);

/* ---- shards that are set aside ---- */
/* Executions of chains that require labels of a node (chain/requires.h) live in shards that are set aside for that
 * requirement, so that the holder of such a shard can be one that meets it. Requirements are numbered as they are
 * claimed, 0, 1, 2, ...; which shards a number has follows from it (ctn_shards_of_need) and never changes, so whoever
 * looks finds the same lines and places. What else lives in such a shard is advanced by whoever holds it. */
#define CTN_NEEDS_MAX 32
typedef struct ctn_need {
    ctn_str requires; /* canonical JSON: by its text it is known */
    ctn_shard_set shards;
} ctn_need;
/* How many requirements a store has shards for: with 1,024 shards 32, of 16 shards each; half of them at most. */
uint32_t ctn_needs_max(uint32_t shard_count);
ctn_shard_set ctn_shards_of_need(uint32_t number, uint32_t shard_count); /* on disk, so it never changes */
/* The shards of this requirement, from now on if nobody has claimed it before. CTN_E_LIMIT: there are ctn_needs_max
 * others. CTN_E_BUSY: nodes of a version live that knows no requirements (named). */
int ctn_store_need_claim(ctn_store *st, ctn_str requires, ctn_shard_set *ret_shards, ctn_err *err);
/* All that were claimed, by number; in the arena. */
int ctn_store_need_list(ctn_store *st, ctn_arena *arena, const ctn_need **ret_needs, size_t *ret_count, ctn_err *err);

/* ---- nodes ---- */
/* Whatever names an incarnation answers CTN_E_STALE when that node was buried or has left. */
typedef struct ctn_node_row {
    ctn_str name;             /* of the host, or as configured: "planner-1"; what people call it */
    int64_t incarnation;      /* of this life of it; never given out twice: with it, rows know a node */
    ctn_str version, address; /* of catena; where its API listens, empty: nowhere */
    ctn_str labels;           /* JSON object, what `requires` of a chain is held against */
    int64_t joined_at_ms, beat_at_ms, expires_at_ms; /* by the store's clock */
    bool is_leaving;                                 /* drains: takes no more shards */
    bool is_live;                                    /* its lease has not been taken, and it has not left */
    uint32_t shard_count;                            /* that it holds */
} ctn_node_row;
/* Registers. CTN_E_EXISTS: a node of that name lives (the sentence says since when and where). */
int ctn_store_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                        ctn_err *err);
/* This handle (a writer's, a reader's) is of that node as well; 0: of none again. In memory only. */
int ctn_store_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err);
/* What this handle loads by itself, from here on. In memory only. */
void ctn_store_shards_held(ctn_store *st, const ctn_shard_set *held);

/* One beat moves the lease on to now + term_ms, and tells what a node must know, in one query. */
typedef struct ctn_beat {
    int64_t now_ms;            /* the store's clock */
    const ctn_node_row *nodes; /* the living, and those whose lease has expired and is not taken */
    size_t node_count;
    ctn_shard_set free;    /* shards that nobody holds */
    uint32_t free_count;   /* so many */
    const ctn_need *needs; /* shards that are set aside */
    size_t need_count;
    int64_t requests; /* that wait in shards of this node */
    int64_t changes;  /* grows when something was written that every node keeps in memory: breakers,
                       * principals, schedules, tool pins, limits */
} ctn_beat;
/* A lease that has expired, and was not taken, goes on. */
int ctn_store_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                        ctn_beat *ret, ctn_err *err);
/* Says good-bye: its shards are free at once, and settled. */
int ctn_store_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err);
typedef int ctn_node_fn(void *ctx, const ctn_node_row *node); /* not 0: stop; the call itself returns CTN_OK */
int ctn_store_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err); /* by name; with the dead of a day */

/* ---- shards ---- */
typedef struct ctn_shard_lease {
    uint32_t shard;
    uint64_t epoch;
    bool was_crash; /* its last holder did not give it back */
} ctn_shard_lease;
/* Takes free shards of `among` (NULL: of all), at most `count`; *ret_count of them into ret_leases (room for count). */
int ctn_store_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                          ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err);
/* The same, of one shard: CTN_E_BUSY when another node holds it. It is ours already: its lease as it is, so whoever
 * lost the answer of a take learns what was taken. */
int ctn_store_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err);
/* Gives some back: nothing of them is under way here. Those that it does not hold: no effect. */
int ctn_store_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err);
/* Frees the shards of every node whose lease expired settle_ms ago, and counts such nodes. */
int ctn_store_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err);
/* What is ours beside those that we know of, as their leases are: the answer of a take was lost. Room for shard_count.
 */
int ctn_store_shards_recover(ctn_store *st, int64_t incarnation, const ctn_shard_set *known,
                             ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err);
/* Who holds each shard: incarnations into ret (room for shard_count), 0: nobody. */
int ctn_store_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err);

/* ---- requests for the holder of a shard ---- */
/* What arrives at a node and is another's to decide is put on disk; the holder finds it, and what it did about it
 * stands in the same transaction as the doing (ctn_append.request), so it is done once, whoever dies when. */
typedef struct ctn_request_row {
    int64_t no; /* given by the store; ascends within a shard */
    uint32_t shard;
    ctn_execution_id id; /* which execution; of a start: the one that shall be */
    ctn_str kind;        /* "start", "input", "adopt", "release", "schedule" */
    ctn_str body;        /* JSON, fleet/request.h; sensitive values sealed */
    int64_t filed_at_ms;
    int64_t from; /* incarnation of the node that waits for the answer; 0: nobody does */
    bool is_done;
    int rc;           /* CTN_E_*, when it is done */
    ctn_str sentence; /* of a refusal */
} ctn_request_row;
typedef int ctn_request_fn(void *ctx, const ctn_request_row *row); /* not 0: stop; the call itself returns CTN_OK */
/* All or none; numbers into ret_nos. Wakes the holders. */
int ctn_store_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err);
/* Those of the shards held by this handle that are not done, after this number, oldest first. A number may come to be
 * seen later than a higher one: `after_no` is for paging; each look begins at 0. */
int ctn_store_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx,
                               ctn_err *err);
/* A refusal, or what needed no commit: done, once (a second answer changes nothing). Wakes who waits. CTN_E_STALE: the
 * shard is not held by the node of this handle; whoever holds it decides. */
int ctn_store_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err);
/* CTN_E_NOT_FOUND: it is gone (a day after it was done). */
int ctn_store_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret,
                          ctn_err *err);

/* ---- being woken ---- */
/* A descriptor that is readable when there is something for this node (requests, answers, or changes for all); it is
 * drained with _woken. -1: this store or connection cannot (a transaction pooler): the beat is the fallback. Borrowed;
 * asked again after each _woken, for a connection that was lost is another. What is asked of this handle meanwhile may
 * read what would have made it readable: so ask _woken after that as well. */
int ctn_store_wake_fd(ctn_store *st, int64_t incarnation);
/* Drains it; true: something was for us. Never waits. */
bool ctn_store_woken(ctn_store *st);

/* ---- shares of what is limited over the fleet ---- */
/* Places: at most `max` over all nodes. Asks for `wanted` in all for this node; *ret_granted is what it has now (never
 * more than wanted; less than before only if it asked for less). Those of buried nodes come back when they are buried.
 */
int ctn_store_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                           int64_t *ret_granted, ctn_err *err);
/* Tokens of a bucket that fills by per_second up to burst, by the store's clock: takes at most `wanted` now, *ret_taken
 * of them, and says in how many ms there will be one more (0: now). */
int ctn_store_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                          int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err);
