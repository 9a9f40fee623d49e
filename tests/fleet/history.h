/*
 * history.h -- judges what a fleet did, by what was written down about it: of nodes and their leases, shards, entries,
 * starts, requests and writes. It knows nothing of the engine, of the store or of time: only what follows what.
 *
 * Somebody tells it the events in the order in which the store made them so (a shard that changes hands and an entry of
 * that shard have an order, for one of the two transactions waits for the other). Of two that no transaction orders,
 * any order will do. What must hold:
 *
 *   node     joins once under its incarnation; beats and leaves while it lives; is buried only when its lease has
 *            expired for settle_ms, by the store's clock
 *   shard    is taken by a living node, while nobody holds it, under an epoch that it never had; was_crash says
 *            whether its last holder gave it back
 *   entry    is written by the holder of its execution's shard, under the shard's epoch, without gap or repeat, and
 *            none after the end: so a node that wakes late records nothing
 *   start    of a key is one execution, whoever was asked how often; what was acknowledged is there, and all end
 *   request  is done once
 *   write    arrives at its peer before its sender's shard is another's, and takes effect once
 *
 * The one documented case (docs/fleet.md): a node is stopped between its last look at the lease and the send, and goes
 * on when its shard is another's. Who stops it there says so (was_stopped), and what comes of it is counted, not
 * judged.
 *
 * The first promise that is broken stands; what comes after it means nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define HISTORY_KEY_MAX 160

typedef enum history_kind {
    HISTORY_JOINED,   /* node, until_ms */
    HISTORY_BEAT,     /* node, until_ms: its lease was moved on */
    HISTORY_LEFT,     /* node: gave all its shards back */
    HISTORY_BURIED,   /* node, at_ms */
    HISTORY_TAKEN,    /* node, shard, epoch, was_crash */
    HISTORY_RELEASED, /* node, shard */
    HISTORY_ACCEPTED, /* key: somebody was told that this start is on disk */
    HISTORY_STARTED,  /* key, exec_no */
    HISTORY_ENTRY,    /* exec_no, seq, is_end; node and epoch, 0: not known */
    HISTORY_DONE,     /* request */
    HISTORY_ARRIVED,  /* key of a write, node, exec_no, was_stopped: its peer has it */
    HISTORY_EFFECT,   /* key of a write: it happened */
} history_kind;

typedef struct history_event {
    history_kind kind;
    int64_t at_ms, until_ms; /* by the store's clock */
    int64_t node;            /* incarnation */
    uint32_t shard;
    uint64_t epoch, seq;
    int64_t exec_no, request;
    bool was_crash, is_end, was_stopped;
    char key[HISTORY_KEY_MAX]; /* of a start, of a write */
} history_event;

typedef struct history_rules {
    uint32_t shard_count;
    int64_t settle_ms;
    bool not_all_end; /* what is left open at the end waits for somebody */
} history_rules;

typedef struct history_counts {
    uint64_t nodes, burials, leaves, takes, takeovers; /* takeovers: of a shard that was not given back */
    uint64_t entries, starts, ends, requests, writes;
    uint64_t late_writes, repeated_writes; /* of the documented case: arrived late, took effect twice */
} history_counts;

typedef struct history history;
history *history_new(const history_rules *rules);
void history_free(history *h); /* NULL is fine */
void history_add(history *h, const history_event *event);
/* That was all. */
void history_finish(history *h);
const char *history_broken(const history *h); /* NULL: nothing is */
const history_counts *history_counted(const history *h);
