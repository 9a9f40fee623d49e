/*
 * placement.h -- in which shard of a fleet's store a start must live. Pure: every node finds the same.
 *
 * Whoever must be counted together lives in one shard, so that the one engine that holds it keeps lines and places as
 * on a machine of its own:
 *
 *   - a chain with maxConcurrent: all its executions in the chain's shard (and so the lines of such a chain are its
 *     own: another chain's execution with the same concurrencyKey lives elsewhere);
 *   - else a line (concurrencyKey): in the line's shard, whatever the chains; lines whose key is made of sensitive
 *     values are all in one, so that no shard tells of a value;
 *   - else an idempotency key: in the key's shard;
 *   - else anywhere: a shard that the node holds that was asked.
 *
 * A chain that requires labels of its node has only the shards that are set aside for that (store/fleet.h): all of the
 * above is so within them. So the lines of such chains are those of chains with the same requirement.
 *
 * A concurrencyKey may be made of the time (`now`). In a fleet that is the time in the execution's id, so that all who
 * look find the same line, however late.
 */
#pragma once
#include "engine/engine.h"

typedef struct ctn_placement {
    bool is_anywhere; /* in the shards that it may live in at all */
    uint32_t shard;   /* else */
} ctn_placement;

/* The shards of a store, or those of them that a start must live in. */
typedef struct ctn_placement_room {
    uint32_t shard_count;
    const ctn_shard_set *among; /* ctn_engine_shards_for; NULL: all */
} ctn_placement_room;
uint32_t ctn_placement_room_count(const ctn_placement_room *room);
/* The one for a name: as ctn_shard_of_name, in the room. */
uint32_t ctn_placement_by_name(const ctn_placement_room *room, ctn_str kind, ctn_str name);

/* Of a start whose plan, input, sensitive and idempotency_key are set, with an id made at at_ms. Errors are those of
 * input and concurrencyKey: the start would be refused with them. */
int ctn_placement_of(const ctn_start *start, int64_t at_ms, const ctn_placement_room *room, ctn_arena *scratch,
                     ctn_placement *ret, ctn_err *err);
/* The same, of one whose concurrencyKey is known (empty: none). */
ctn_placement ctn_placement_by(const ctn_start *start, ctn_str queue_key, const ctn_placement_room *room,
                               ctn_arena *scratch);
