/*
 * sql_shards.h -- reads a statement as far as it says which shards it is about.
 *
 * Tables of executions are cut by `shard`, which leads their keys, so that the schema can be distributed. A statement
 * stays within shards when each of those tables, wherever it stands in it (also in a sub-select), is asked for by its
 * shard: `t.shard = ...` or `= ANY(...)` of the shards that a node holds, and gets rows with a shard (INSERT). So what
 * it joins it joins within a shard, and what it decides it decides for rows of one shard.
 *
 * It knows the SQL that this program writes, not all of SQL.
 */
#pragma once
#include "support/pg_server.h"
#include <stdbool.h>
#include <stddef.h>

/* NULL: it stays within shards, or is about none of those tables; else what is wrong: "chain_executions e is asked for
 * without its shard". In ret_text, of that many bytes. */
const char *sql_shards_fault(const char *sql, char *ret_text, size_t size);

/* Statements that may: each is read to people or at rest, none when a step is taken. NULL: it is none of them. */
const char *sql_shards_excuse(const char *sql);

/* A server with this setting tells what it was asked. Not 0: a statement leaves its shard, or there were not even so
 * many. */
#define SQL_SHARDS_SETTING "log_statement = all\n"
int sql_shards_check(const pg_server *server, size_t at_least);
/* The same of a log; each fault is printed with its statement. How many faults;
 * *ret_statements: how many different statements there were. */
size_t sql_shards_read_log(const char *path, size_t *ret_statements);
