/*
 * leases.h -- which part of a fleet's store this engine may decide on, and for how long.
 *
 * An engine on a store of its own has none of this (ctn_engine_options.leases NULL): everything is its own, under
 * options.epoch. On a store for a fleet (store/fleet.h) an execution is its own while its shard's epoch here is the one
 * that it was loaded or started under; every append names that epoch, so the store refuses what comes too late.
 *
 * What must always hold:
 *   - A call that changes something (a `write`, and what is idempotent, which the holder may have undone when it comes
 *     late) is begun only while left_ms of its shard is above send_ms; asked at the last moment before it is handed to
 *     its driver. Else it stays owed: it goes when the lease was renewed, or whoever has the shard then finds a write's
 *     start on disk and checks it.
 *   - Of a shard that was lost nothing is decided, told or recorded any more, and its calls are let go.
 *
 * Threads    The functions are called on the engine's thread, often: they look at memory and never wait.
 */
#pragma once
#include "store/fleet.h"

typedef struct ctn_leases {
    void *ctx;
    /* Under which epoch; 0: this shard is not ours. */
    uint64_t (*epoch)(void *ctx, uint32_t shard);
    bool (*was_crash)(void *ctx, uint32_t shard); /* its last holder did not give it back */
    /* For how long it is surely ours, by CLOCK_BOOTTIME; 0: no more. */
    int64_t (*left_ms)(void *ctx, uint32_t shard);
    int64_t send_ms; /* how long a send takes at most, from left_ms to the peer */
    /* This node's number, for its part of what is limited over the fleet (shares.h); 0: it has none at the moment.
     * NULL: limits are this engine's own. */
    int64_t (*node)(void *ctx);
} ctn_leases;
