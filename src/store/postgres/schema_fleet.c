/*
 * schema_fleet.c -- the tables of nodes, shards, requests, keys, numbers, places and tokens.
 *
 *   nodes           a row a life of a node; its lease is expires_at_ms, by the database's clock. Row 0 stands for
 *                   whoever is of no node: free shards are its, and it is locked like any other when they are taken.
 *   shards          a row a shard: who holds it under which epoch; was_crash: the last holder did not give it back (or,
 *                   of row 0, has not said good-bye).
 *   requests        what the holder of a shard shall decide; done_at_ms NULL: it waits.
 *   execution_keys  whose an idempotency key is, in the shard of its name.
 *   numbers         one row: the next number (times the shards) for executions.
 *   places          how many of what is limited each node has now, in one row a name, {"incarnation":count}, so that
 *                   one statement sees and changes all of it.
 *   tokens          buckets; `taken` is what the last one got.
 *   needs           what chains require of a node, numbered: which shards are set aside for it follows from the
 *                   number. nodes.knows_needs: that node heeds it (one of schema 1 does not, and says nothing).
 *
 * nodes and shards are small and changed all the time: their pages keep room, so that a change stays on its page and
 * touches no index.
 */
#include "store/postgres/schema_fleet.h"

/* clang-format off */
const char ctn_pg_schema_1_fleet[] =
    "CREATE TABLE nodes("
    "  incarnation bigint PRIMARY KEY, name text COLLATE \"C\" NOT NULL, version text NOT NULL, address text NOT NULL,"
    "  labels text NOT NULL, joined_at_ms bigint NOT NULL, beat_at_ms bigint NOT NULL, expires_at_ms bigint NOT NULL,"
    "  is_leaving boolean NOT NULL, is_live boolean NOT NULL) WITH (fillfactor = 20);"
    "CREATE SEQUENCE node_incarnations;"
    "INSERT INTO nodes VALUES(0, '', '', '', '{}', 0, 0, 0, false, true);"

    "CREATE TABLE shards("
    "  shard integer PRIMARY KEY, holder bigint NOT NULL DEFAULT 0, epoch bigint NOT NULL DEFAULT 0,"
    "  was_crash boolean NOT NULL DEFAULT false) WITH (fillfactor = 40);"

    "CREATE SEQUENCE request_numbers;"
    "CREATE TABLE requests("
    "  shard integer NOT NULL, no bigint NOT NULL DEFAULT nextval('request_numbers'),"
    "  execution_id bytea NOT NULL CHECK (length(execution_id) = 16), kind text NOT NULL, body text NOT NULL,"
    "  filed_at_ms bigint NOT NULL, from_node bigint NOT NULL, done_at_ms bigint, rc integer NOT NULL DEFAULT 0,"
    "  sentence text NOT NULL DEFAULT '', PRIMARY KEY (shard, no));"
    "CREATE INDEX requests_waiting ON requests(shard, no) WHERE done_at_ms IS NULL;"
    "CREATE INDEX requests_done ON requests(shard, done_at_ms) WHERE done_at_ms IS NOT NULL;"

    "CREATE TABLE execution_keys("
    "  shard integer NOT NULL, chain_id text COLLATE \"C\" NOT NULL, key text COLLATE \"C\" NOT NULL,"
    "  execution_id bytea NOT NULL CHECK (length(execution_id) = 16), PRIMARY KEY (shard, chain_id, key));"

    "CREATE TABLE numbers(one integer PRIMARY KEY CHECK (one = 1), next bigint NOT NULL CHECK (next > 0));"
    "INSERT INTO numbers VALUES(1, 1);"

    "CREATE TABLE places(name text COLLATE \"C\" PRIMARY KEY, claims jsonb NOT NULL);"
    "CREATE TABLE tokens("
    "  name text COLLATE \"C\" PRIMARY KEY, level double precision NOT NULL, filled_at_ms bigint NOT NULL, taken bigint NOT NULL);";

const char ctn_pg_schema_2_needs[] =
    "CREATE TABLE needs(no integer PRIMARY KEY, requires text COLLATE \"C\" NOT NULL UNIQUE);"
    "ALTER TABLE nodes ADD COLUMN knows_needs boolean NOT NULL DEFAULT false;";

const char ctn_pg_shards_make[] = "INSERT INTO shards(shard) SELECT generate_series(0, $1 - 1)";
/* clang-format on */
