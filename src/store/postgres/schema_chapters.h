/*
 * schema_chapters.h -- the tables of the chapters beside executions and nodes, and the views. Private to postgres/.
 *
 * Statements for schema.c's first migration: the tables go after chain_executions and execution_journal, the views
 * last.
 */
#pragma once

extern const char ctn_pg_schema_1_chapters[];
extern const char ctn_pg_schema_1_views[];
