/*
 * suite_fleet.h -- the tests that every store for a fleet must pass, and what they are made of.
 */
#pragma once
#include "store/fleet.h"
#include "suite.h"

#define SUITE_SHARDS  16
#define SUITE_TERM_MS 60000
#define SUITE_DAY_MS  (24 * 60 * 60 * INT64_C(1000))

/* Runs them on this URL, of a store with SUITE_SHARDS shards, and then a backend's own tests. `later` makes it so much
 * later for the store of a fixture, where nobody has to wait for that. */
typedef void suite_later_fn(suite_fixture *f, int64_t ms);
int suite_run_fleet(const char *url, suite_later_fn *later, const struct CMUnitTest *own, size_t own_count);
extern const suite_part suite_fleet, suite_fleet_shares;

/* A node with a handle of its own. */
typedef struct suite_node {
    ctn_store *st;
    int64_t incarnation;
    ctn_shard_set held;
    uint64_t epochs[SUITE_SHARDS];
} suite_node;
suite_node suite_join(suite_fixture *f, const char *name);
uint32_t suite_take(suite_node *node, uint32_t count); /* what it got more is noted, and its handle is told */
void suite_note_lease(suite_node *node, const ctn_shard_lease *lease);
void suite_part_with(suite_node *node); /* closes its handle, and says no good-bye */
ctn_beat suite_beat(suite_fixture *f, suite_node *node);
void suite_later(suite_fixture *f, int64_t ms);
uint32_t suite_held_by(suite_fixture *f, int64_t incarnation);
/* A new execution with two records; the row is filled. */
ctn_append suite_first_append(suite_fixture *f, ctn_execution_row *ret_row, int64_t exec_no, uint64_t epoch);
