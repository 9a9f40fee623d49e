/*
 * schema.h -- the schema of a store, its number, and bringing it up to date. Private to postgres/.
 */
#pragma once
#include "store/postgres/pg.h"

/* What of an execution's life the indexes know; chain_executions.phase. Written with the status, it changes when
 * something begins or ends, and not with each step. */
enum { PG_PHASE_QUEUED, PG_PHASE_UNDER_WAY, PG_PHASE_COMPLETED, PG_PHASE_OTHER_END };
#define PG_IS_UNFINISHED(table) table "phase < 2"
#define PG_IS_QUEUED(table)     table "phase = 0"
#define PG_IS_OWING(table)      "(" table "phase >= 2 AND " table "wake_at_ms IS NOT NULL)"

uint32_t ctn_pg_schema_newest(void);
/* The statements of all migrations, part by part; NULL: there are no more. */
const char *ctn_pg_schema_part(size_t at);
/* What stands there; found 0: an empty schema. CTN_E_NOT_FOUND: none, CTN_E_CORRUPT: a stranger's, CTN_E_NEWER: this
 * version does not know it (ret_version is filled). */
int ctn_pg_schema_find(pg *db, ctn_store_version *ret_version, ctn_err *err);
/* Makes it, or brings it to `target`; whoever is faster has done it. */
int ctn_pg_schema_raise(pg *db, uint32_t target, ctn_err *err);
/* How many shards this store was made with. */
int ctn_pg_shard_count_read(pg *db, uint32_t *ret_count, ctn_err *err);
