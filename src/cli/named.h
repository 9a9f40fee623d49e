/*
 * named.h -- what the options and words of a command name: the workspace, its store, a chain, an execution.
 *
 * Each gives CTN_EXIT_OK, or an exit code, and everything was said.
 */
#pragma once
#include "cli/cli.h"
#include "host/host.h"

/* By --config and --store. */
int ctn_cli_workspace(const ctn_cli *cli, ctn_workspace *ret_ws);
/* The store for reading. */
int ctn_cli_read_store(const ctn_cli *cli, const ctn_workspace *ws, ctn_store **ret_store);
/* Both; *ret_store is left alone when there is none. */
int ctn_cli_open(const ctn_cli *cli, ctn_workspace *ret_ws, ctn_store **ret_store);
/* The execution that the command's first word names: its id, or how that begins. */
int ctn_cli_execution(const ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_execution_row *ret_row);
/* The same; a row that does not read is given as far as it does, with `damage`. */
int ctn_cli_execution_raw(const ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_execution_row *ret_row);
/* The workspace and the execution, when nothing else of the store is wanted. */
int ctn_cli_find(const ctn_cli *cli, ctn_workspace *ret_ws, ctn_execution_row *ret_row);

/* As the functions of host/workspace.h. */
int ctn_cli_chain(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, const ctn_chain **ret_chain);
int ctn_cli_compile(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, const ctn_chain **ret_chain,
                    ctn_plan **ret_plan);
int ctn_cli_plan(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, ctn_plan **ret_plan);

/* Where the host's sentences go: to stderr, like all of the command's. */
ctn_teller ctn_cli_teller(const ctn_cli *cli);
/* A host whose log and sentences go to stderr. */
ctn_host *ctn_cli_host(const ctn_cli *cli, const ctn_workspace *ws);
