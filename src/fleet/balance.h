/*
 * balance.h -- which shards a node should take, give back or bury, and when to look again: from one beat, and pure.
 *
 * Every node decides for itself, from what its own beat told, and they agree without talking: a fair share is the same
 * number for all who see the same nodes.
 *
 * Shards that are set aside for what chains require (store/fleet.h) are shared apart: those of each requirement among
 * the nodes whose labels meet it, or, while no such node lives and stays, among all (what is there and requires nothing
 * goes on, and what requires the labels waits: engine/engine.h, labels). All other shards are shared among all. What
 * must hold, of each such part of the shards and who may have it:
 *
 *   - A node that lives and does not leave takes what is free up to its fair share: ceil(shards / such nodes). The
 *     shares together are never less than all shards, so nothing stays free.
 *   - It gives back only what is above its share, so a shard moves only when a node came, or one has too many.
 *   - Who may not have any of it gives all of it: so when a node comes whose labels meet a requirement, its shards move
 *     there, and when the last one goes, to all.
 *   - A node that leaves takes nothing and gives everything.
 *   - A lease that has run out is left alone for the settle time; then whoever sees it first buries it. Each node looks
 *     again at the very moment at which a lease that it knows of would be ripe, so a death costs no waiting for a beat.
 *
 * The simulator uses it as the nodes do.
 */
#pragma once
#include "store/fleet.h"

typedef struct ctn_balance_view {
    const ctn_beat *beat;
    int64_t incarnation;          /* whose view */
    uint32_t shard_count;         /* of the store */
    ctn_shard_set held, draining; /* shards of ours; of them: those that are being given back already */
    bool is_leaving;
    int64_t beat_ms, settle_ms;
} ctn_balance_view;

typedef struct ctn_balance {
    bool recovers;       /* the store says that more is ours than we know of: the answer of a take was lost. Learn which
                          * (ctn_store_shards_recover), then beat and decide anew */
    bool buries;         /* a lease is ripe: bury, then beat and decide anew */
    uint32_t take;       /* so many free ones ... */
    ctn_shard_set from;  /* ... of these. Of one part at a time: look again at once (look_in_ms) for the next */
    uint32_t give;       /* so many more of ours, beside those that are draining, ... */
    ctn_shard_set of;    /* ... of these; of one part at a time too */
    int64_t look_in_ms;  /* the next beat; at most beat_ms */
    uint32_t fair_share; /* of the shards that are not set aside; 0: nobody is there to take any, or we are leaving */
} ctn_balance;

ctn_balance ctn_balance_decide(const ctn_balance_view *view);
