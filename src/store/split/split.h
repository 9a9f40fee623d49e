/*
 * split.h -- shards:FILE, a store for a fleet whose shards live in several databases.
 *
 * FILE is JSON: {"0-511": "postgres://one/catena", "512-1023": "postgres://two/catena"}. Every shard is in one range;
 * the first database of the file is the one of shard 0. Each has the whole schema and the same number of shards, of
 * which those of its range are used.
 *
 * What lives where:
 *   of an execution   its row, journal, keys, requests, what it put into the cache and the audit log: with its shard
 *   of a key's name   who has an idempotency key: in the database of the shard of that name
 *   everything else   in the first: definitions, chains, principals, schedules, breakers, webhooks, limits, numbers
 *   nodes             join all, under a number (incarnation) of its own in each; callers see the first one's
 *
 * What must hold: no transaction spans two databases. A commit is one transaction a database: when one fails after
 * another has committed, the outcome is unknown (CTN_E_IO), as it is when the answer to a COMMIT was lost, and who
 * committed reloads. An execution, its line, its children and its requests share a shard, so they share a transaction.
 * A node that one database takes for dead leaves all of them.
 *
 * What it cannot do: tell the journal of the whole store in one order, for each database numbers its own. So there are
 * no webhooks and no streams of all events (one execution's journal is told as ever). And it cannot be owned by a
 * process alone: nodes own it.
 *
 * While one database cannot be reached, no node's lease goes on: all of them must answer.
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_split_backend;
