/*
 * schema_fleet.h -- the tables of nodes, shards, requests, keys, numbers, places and tokens. Private to postgres/.
 *
 * Statements for schema.c's first migration; they need no other table.
 */
#pragma once
#include <stdint.h>

extern const char ctn_pg_schema_1_fleet[], ctn_pg_schema_2_needs[];
/* One parameter, the number of shards (bigint): their rows, once, when the schema is made. */
extern const char ctn_pg_shards_make[];

/* Now, by the clock of the database. */
#define PG_NOW_MS "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
/* Statement of a commit: takes a lock under which no shard leaves this node ($1, bigint, 0: a handle of no node) until
 * the transaction ends; no row: the node is dead or has left, and nothing of it is admissible. FOR KEY SHARE, which
 * beats (they change the row, but not its key) do not wait for, and who takes shards away (FOR UPDATE) does. What is
 * read about shards afterwards, in a statement of its own, holds until the end. */
#define PG_NODE_LOCK "SELECT 1 FROM nodes WHERE incarnation = $1 AND is_live FOR KEY SHARE"
/* Statement of a commit: these requests ($1 int4[] shards, $2 int8[] numbers) are done; a row for each node that waits
 * for one, for ctn_pg_wake_nodes after the COMMIT. */
#define PG_REQUESTS_DONE                                                                                               \
    "UPDATE requests r SET done_at_ms = " PG_NOW_MS ", rc = 0 FROM unnest($1::int4[], $2::int8[]) AS d(shard, no)"     \
    " WHERE r.shard = d.shard AND r.no = d.no AND r.done_at_ms IS NULL RETURNING r.from_node"
